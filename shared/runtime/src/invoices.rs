//! What one order has to know of invoices elsewhere: the same number, a similar amount, small differences
//! of the month; and what orders tell one another about an invoice that they share.

use std::collections::BTreeMap;

use interplant_domain::decimal::Amount;
use interplant_domain::fact::{Fact, InvoiceReceived, content_hash};
use interplant_domain::identifier::{EventId, LifecycleId, sha256_hex};
use interplant_domain::mailbox::EntryState;
use interplant_domain::matching::{History, fiscal_year, normalise_invoice_number};
use interplant_domain::plant::Plant;
use interplant_domain::purchase_order::{PurchaseOrder, Step};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::Context;
use crate::inbox::{Fate, Row, Stored};
use crate::step::{StepError, StepInput, Work};
use crate::store::{Error, Store, new_event_id, transport_key};

/// A change that lost a race is made anew; after so many losses the step is tried later.
const ATTEMPTS: usize = 8;

/// An invoice as others see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    event_id: EventId,
    lifecycle: LifecycleId,
    number: String,
    day: jiff::civil::Date,
}

impl Seen {
    fn told(&self) -> String {
        format!("{} of {} ({})", self.number, self.day, self.lifecycle)
    }
}

impl Context {
    /// What came before an invoice, and claims its number for it.
    ///
    /// An invoice over several orders is one invoice: the event tells it from another one.
    ///
    /// # Errors
    /// When the store is not available.
    pub async fn invoice_history<P>(
        &self,
        work: &Work<P>,
        fact: &InvoiceReceived,
    ) -> Result<History, StepError> {
        let matching = &work.plant.matching;
        let ours = Seen {
            event_id: event_of(work)?,
            lifecycle: work.id().clone(),
            number: fact.invoice_number.to_string(),
            day: fact.invoice_date.0,
        };
        let place = format!("{}#{}", work.id().plant(), fact.supplier_id);
        let number = format!(
            "invoice#{place}#{}#{}#{:?}",
            fiscal_year(fact.invoice_date, matching.fiscal_year_begins),
            normalise_invoice_number(fact.invoice_number.as_str()),
            fact.kind
        );
        let same_number = self.claim(&number, &ours).await?;
        let amount = format!(
            "amount#{place}#{}#{}#{:?}",
            fact.currency.as_str(),
            fact.totals.gross,
            fact.kind
        );
        let near = i32::from(matching.similar_days);
        let mut similar = Vec::new();
        for other in self.list_with(&amount, &ours).await? {
            let apart = other
                .day
                .since(ours.day)
                .map_or(i32::MAX, |span| span.get_days().abs());
            if other.event_id != ours.event_id && apart <= near && self.is_live(&other).await? {
                similar.push(other.told());
            }
        }
        let month: BTreeMap<String, Amount> = self.read(&month_name(&place, fact)).await?.0;
        let own = ours.event_id.to_string();
        let small_differences = month
            .iter()
            .filter(|(event, _)| **event != own)
            .map(|(_, amount)| *amount)
            .sum();
        Ok(History {
            same_number,
            // The same number says it already.
            similar: if matching.similar_days == 0 {
                Vec::new()
            } else {
                similar
            },
            small_differences,
        })
    }

    /// Counts a small difference of an invoice, once.
    ///
    /// # Errors
    /// When the store is not available.
    pub async fn note_small_difference<P>(
        &self,
        work: &Work<P>,
        fact: &InvoiceReceived,
        difference: Amount,
    ) -> Result<(), StepError> {
        if difference.is_zero() {
            return Ok(());
        }
        let event = event_of(work)?.to_string();
        let name = month_name(&format!("{}#{}", work.id().plant(), fact.supplier_id), fact);
        for _ in 0..ATTEMPTS {
            let (mut month, seen): (BTreeMap<String, Amount>, u64) = self.read(&name).await?;
            let amount = Amount::from_decimal(difference.decimal().abs());
            if month.insert(event.clone(), amount) == Some(amount) {
                return Ok(());
            }
            match self.write(&name, &month, seen).await {
                Ok(()) => return Ok(()),
                Err(Error::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Conflict.into())
    }

    /// Claims an invoice's number; says who has it when another live invoice does.
    async fn claim(&self, name: &str, ours: &Seen) -> Result<Option<String>, StepError> {
        for _ in 0..ATTEMPTS {
            let (holder, seen): (Option<Seen>, u64) = self.read(name).await?;
            match holder {
                Some(holder) if holder.event_id == ours.event_id => return Ok(None),
                // Who was skipped does not hold its number any more.
                Some(holder) if self.is_live(&holder).await? => return Ok(Some(holder.told())),
                Some(_) | None => {}
            }
            match self.write(name, &Some(ours), seen).await {
                Ok(()) => return Ok(None),
                Err(Error::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Conflict.into())
    }

    /// All invoices under a name, with ours among them.
    async fn list_with(&self, name: &str, ours: &Seen) -> Result<Vec<Seen>, StepError> {
        for _ in 0..ATTEMPTS {
            let (mut list, seen): (Vec<Seen>, u64) = self.read(name).await?;
            if list.iter().any(|one| one.event_id == ours.event_id) {
                return Ok(list);
            }
            list.push(ours.clone());
            // Only what is near in time is ever compared; the newest are enough.
            let many = list.len().saturating_sub(200);
            list.drain(..many);
            match self.write(name, &list, seen).await {
                Ok(()) => return Ok(list),
                Err(Error::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Conflict.into())
    }

    async fn is_live(&self, seen: &Seen) -> Result<bool, StepError> {
        let entry = self.store.entry(&seen.lifecycle, &seen.event_id).await?;
        Ok(entry.is_none_or(|entry| entry.state != EntryState::Skipped))
    }

    async fn read<T: DeserializeOwned + Default>(&self, name: &str) -> Result<(T, u64), StepError> {
        let (text, revision) = self.store.registered(name).await?;
        let value = text
            .map(|text| serde_json::from_str(&text))
            .transpose()
            .map_err(|error| Error::Unreadable(format!("{name}: {error}")))?;
        Ok((value.unwrap_or_default(), revision))
    }

    async fn write<T: Serialize>(&self, name: &str, value: &T, seen: u64) -> Result<(), Error> {
        let text =
            serde_json::to_string(value).map_err(|error| Error::Unreadable(error.to_string()))?;
        self.store.register(name, &text, seen).await
    }

    /// Tells another order of this plant something, once, however often it is told.
    ///
    /// # Errors
    /// When the inbox is not available: then nothing is told, and telling it again is safe.
    pub async fn tell(&self, plant: &Plant, fact: &Fact) -> Result<(), StepError> {
        let unreadable = |error: serde_json::Error| StepError::Defect(error.to_string());
        let business_key = fact.business_key(&plant.plant, 1);
        let source = format!("urn:plant:{}:interplant", plant.plant);
        let sender_id = sha256_hex(business_key.as_bytes());
        let content = content_hash(fact).map_err(unreadable)?;
        let now = self.now();
        let lifecycle = fact
            .lifecycles(&plant.plant)
            .into_iter()
            .next()
            .ok_or_else(|| StepError::Defect("nobody is told".to_owned()))?;
        let row = Row {
            key: transport_key(&source, &sender_id),
            event_id: new_event_id(),
            source,
            sender_id,
            plant: plant.plant.clone(),
            kind: fact.kind(),
            lifecycle,
            envelope_hash: content.clone(),
            content_hash: content,
            happened_at: now,
            received_at: now,
            traceparent: None,
            data: fact.data().map_err(unreadable)?,
            fate: Fate::Accepted,
            amendment: None,
        };
        match self.inbox.store(&row, &business_key).await? {
            Stored::New => {
                crate::failpoint!("tell.after_inbox");
                // A message that does not get through is sent by the sweeper; it is durable already.
                if let Err(error) = self.queues.route(&row.key, &row.plant).await {
                    tracing::warn!(event.id = %row.event_id, "not queued, the sweeper will: {error}");
                }
                Ok(())
            }
            Stored::Replayed(_) | Stored::SameFact { .. } | Stored::Mismatch => Ok(()),
        }
    }

    /// What a step has kept of its work on a fact.
    ///
    /// # Errors
    /// When the store is not available.
    pub async fn evidence(
        &self,
        id: &LifecycleId,
        sequence: u64,
        step: Step,
    ) -> Result<Option<serde_json::Value>, StepError> {
        let kept = self.store.operation(id, sequence, step).await?;
        Ok(kept.map(|finished| finished.operation.plan))
    }

    /// The order of a lifecycle that has nothing left to do, with its plant.
    ///
    /// # Errors
    /// When the store is not available.
    pub async fn closing_order(
        &self,
        input: &StepInput,
    ) -> Result<Option<(PurchaseOrder, Plant)>, StepError> {
        let Some(lifecycle) = self.store.load(&input.lifecycle).await? else {
            return Ok(None);
        };
        let closes = matches!(
            lifecycle.next(),
            interplant_domain::purchase_order::Next::Do(Step::Close, None)
        );
        let ours = lifecycle.header.generation == input.generation;
        let plant = self.plant_of(&input.lifecycle).await?;
        if closes && ours {
            self.admit(&plant, &input.lifecycle).await?;
        }
        Ok(lifecycle
            .header
            .order
            .filter(|_| closes && ours)
            .map(|order| (order, plant)))
    }
}

fn month_name(place: &str, fact: &InvoiceReceived) -> String {
    let day = fact.posting_date.unwrap_or(fact.invoice_date).0;
    format!("small#{place}#{:04}-{:02}", day.year(), day.month())
}

fn event_of<P>(work: &Work<P>) -> Result<EventId, StepError> {
    work.lifecycle
        .entries
        .iter()
        .find(|entry| entry.sequence == work.sequence)
        .map(|entry| entry.event_id.clone())
        .ok_or_else(|| StepError::Defect(format!("{} lost a fact", work.id())))
}
