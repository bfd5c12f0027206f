//! Interchanges that went to partners: kept with the entry that they were made of, settled by what the
//! partner says, told to people when it says nothing.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use interplant_domain::exception::Code;
use interplant_domain::identifier::{PlantCode, sha256_hex};
use interplant_domain::outbox::{Dispatch, DispatchState, Entry, KEPT, State};
use interplant_domain::plant::Plant;
use interplant_mapping::edi::{Acknowledged, Standard, Status, Subject};
use jiff::Timestamp;

use super::table::{Item, n, s, shard, text, unfit};
use super::{Shelf, Table, home, trouble};
use crate::Context;
use crate::store::{Error, unavailable};

/// A change that lost a race is made anew from what is there.
const TRIES: usize = 5;

/// The word for a standard.
#[must_use]
pub fn standard_word(standard: Standard) -> &'static str {
    match standard {
        Standard::X12 => "x12",
        Standard::Edifact => "edifact",
    }
}

fn dispatch_key(standard: &str, partner: &str, control: u32) -> String {
    let partner = sha256_hex(format!("{standard}\u{1f}{partner}").as_bytes());
    format!("dispatch#{partner}#{control:09}")
}

fn place(dispatch: &Dispatch) -> String {
    let key = dispatch_key(&dispatch.standard, &dispatch.partner, dispatch.control);
    if dispatch.state == DispatchState::Sent {
        key
    } else {
        format!("~{key}")
    }
}

fn item(dispatch: &Dispatch) -> Result<Item, Error> {
    let body = serde_json::to_string(dispatch).map_err(unfit)?;
    let mut item = Table::key(&dispatch.plant, place(dispatch));
    item.insert("body".to_owned(), s(body));
    item.insert("revision".to_owned(), n(dispatch.revision));
    match dispatch.settled_at {
        Some(settled_at) => {
            item.insert("expires_at".to_owned(), n((settled_at + KEPT).as_second()));
        }
        // The sweeper finds it by this when it is due.
        None => {
            item.insert("wake_shard".to_owned(), s(shard(&dispatch.plant)));
            item.insert("wake_at".to_owned(), s(dispatch.due_at.to_string()));
        }
    }
    Ok(item)
}

fn read(item: &HashMap<String, AttributeValue>) -> Result<Dispatch, Error> {
    serde_json::from_str(text(item, "body").unwrap_or_default())
        .map_err(|error| Error::Unreadable(format!("dispatch: {error}")))
}

/// What a statement decides of an order.
fn state_of(standard: &str, said: &Acknowledged) -> Option<DispatchState> {
    let of_interchange = matches!(said.of, Subject::Interchange { .. });
    match said.status {
        // A TA1 says that an X12 interchange came, and nothing of what is in it.
        Status::Accepted | Status::AcceptedWithErrors
            if of_interchange && standard == standard_word(Standard::X12) =>
        {
            None
        }
        Status::Accepted => Some(DispatchState::Accepted),
        Status::AcceptedWithErrors => Some(DispatchState::AcceptedWithErrors),
        // There is one order in each: if not all of it is taken, it is not.
        Status::PartlyAccepted | Status::Rejected => Some(DispatchState::Rejected),
    }
}

impl Table {
    /// Writes an entry with its files, and the interchanges among them, in one step.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the entry was changed meanwhile.
    pub async fn change_with(
        &self,
        from: &Entry,
        to: &Entry,
        dispatches: &[Dispatch],
    ) -> Result<(), Error> {
        let mut items = self.changes(from, to)?;
        for dispatch in dispatches {
            items.push(self.put(item(dispatch)?, None)?);
        }
        self.write(items).await
    }

    /// An interchange that went to a partner.
    ///
    /// # Errors
    /// When the store is not available or the record cannot be read.
    pub async fn dispatch(
        &self,
        plant: &PlantCode,
        standard: &str,
        partner: &str,
        control: u32,
    ) -> Result<Option<Dispatch>, Error> {
        let key = dispatch_key(standard, partner, control);
        // Settled ones move once; looking at the settled place last cannot miss one that moves meanwhile.
        for sk in [key.clone(), format!("~{key}")] {
            if let Some(item) = self.get(plant, sk).await? {
                return read(&item).map(Some);
            }
        }
        Ok(None)
    }

    async fn change_dispatch(&self, from: &Dispatch, to: &Dispatch) -> Result<(), Error> {
        let (before, after) = (place(from), place(to));
        let mut items = Vec::new();
        if before == after {
            items.push(self.put(item(to)?, Some(from.revision))?);
        } else {
            items.push(self.delete(&from.plant, before, from.revision)?);
            items.push(self.put(item(to)?, None)?);
        }
        self.write(items).await
    }

    /// Interchanges of a plant of which their partners should have said something.
    async fn due_dispatches(
        &self,
        plant: &PlantCode,
        now: Timestamp,
    ) -> Result<Vec<Dispatch>, Error> {
        let mut due = Vec::new();
        let mut start = None;
        loop {
            let query = self
                .client
                .query()
                .table_name(&self.name)
                .consistent_read(true)
                .key_condition_expression("pk = :pk AND begins_with(sk, :dispatch)")
                .expression_attribute_values(":pk", s(plant.as_str()))
                .expression_attribute_values(":dispatch", s("dispatch#"))
                .set_exclusive_start_key(start);
            let answer = query.send().await.map_err(unavailable)?;
            for item in answer.items() {
                let dispatch = read(item)?;
                if dispatch.due_at <= now {
                    due.push(dispatch);
                }
            }
            start = answer.last_evaluated_key;
            if start.is_none() {
                return Ok(due);
            }
        }
    }
}

impl Context {
    /// Takes what a partner says of interchanges of ours. People are told of a rejection before it is recorded.
    /// Repeating is safe.
    ///
    /// # Errors
    /// When the store is not available.
    pub async fn acknowledged(&self, plant: &Plant, said: &[Acknowledged]) -> Result<(), Error> {
        // All that is said of one interchange at once: of the group, of the set, and why.
        let mut about: BTreeMap<(&str, u32), Vec<&Acknowledged>> = BTreeMap::new();
        for one in said {
            let (Subject::Interchange { control }
            | Subject::Group { control, .. }
            | Subject::Set {
                within: control, ..
            }) = &one.of;
            if let Ok(control) = control.trim().parse() {
                let all = about.entry((&one.sender, control)).or_default();
                all.push(one);
            }
        }
        for ((sender, control), said) in about {
            for standard in [Standard::X12, Standard::Edifact].map(standard_word) {
                self.acknowledged_by(plant, (standard, sender, control), &said)
                    .await?;
            }
        }
        Ok(())
    }

    async fn acknowledged_by(
        &self,
        plant: &Plant,
        (standard, partner, control): (&str, &str, u32),
        said: &[&Acknowledged],
    ) -> Result<(), Error> {
        let table = &self.outbox.table;
        for _ in 0..TRIES {
            let found = table
                .dispatch(&plant.plant, standard, partner, control)
                .await?;
            let Some(dispatch) = found else {
                return Ok(());
            };
            let now = self.now();
            let mut to = dispatch.clone();
            for one in said {
                let state = state_of(standard, one);
                if let Some(next) = state.and_then(|state| to.said(state, &one.errors, now)) {
                    to = next;
                }
            }
            if to == dispatch {
                return Ok(());
            }
            if to.state == DispatchState::Rejected {
                let message = format!(
                    "{partner} does not take interchange {control} with {}, version {}: {}",
                    dispatch.document,
                    dispatch.version,
                    to.errors.join("; ")
                );
                self.raise_of(plant, &dispatch, Code::DispatchRejected, message, now)
                    .await?;
            }
            match table.change_dispatch(&dispatch, &to).await {
                Ok(()) => return Ok(()),
                Err(Error::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::Unavailable(format!(
            "interchange {control} to {partner} is changed by too many at once"
        )))
    }

    /// Tells people of interchanges of a plant that their partners have not acknowledged in time, each once.
    ///
    /// # Errors
    /// When the store is not available; repeating is safe.
    pub async fn overdue_dispatches(&self, plant: &Plant) -> Result<(), Error> {
        let table = &self.outbox.table;
        let now = self.now();
        for dispatch in table.due_dispatches(&plant.plant, now).await? {
            let entry = table.entry(&plant.plant, dispatch.position).await?;
            let is_obsolete =
                entry.is_some_and(|entry| matches!(entry.state, State::Obsolete { .. }));
            let state = if is_obsolete {
                // Nobody fetched it, and the newer version has an interchange of its own.
                DispatchState::Obsolete
            } else {
                let message = format!(
                    "{} has not acknowledged interchange {} with {}, version {}, by {:.0}",
                    dispatch.partner,
                    dispatch.control,
                    dispatch.document,
                    dispatch.version,
                    dispatch.due_at
                );
                self.raise_of(plant, &dispatch, Code::DispatchOverdue, message, now)
                    .await?;
                DispatchState::Overdue
            };
            match table
                .change_dispatch(&dispatch, &dispatch.moved(state, now))
                .await
            {
                // The partner has said something just now.
                Ok(()) | Err(Error::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn raise_of(
        &self,
        plant: &Plant,
        dispatch: &Dispatch,
        code: Code,
        message: String,
        now: Timestamp,
    ) -> Result<(), Error> {
        let cause = format!(
            "{} {} {}",
            dispatch.standard, dispatch.partner, dispatch.control
        );
        let raised = trouble(plant, code, &cause, message, now);
        let place = home(&plant.plant, &dispatch.document);
        self.store.raise_aside(&place, &raised, now).await
    }
}
