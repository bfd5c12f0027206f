//! One order of Odoo's: what was seen of it last, what is different now, and the facts of it, each once.
//!
//! A fact is written down beside what was seen before it goes to the inbox, under an id that follows from
//! order and revision. Whoever dies in between leaves it there, and the next reading sends it first: as it
//! was, whatever has changed in Odoo since.

use std::collections::BTreeMap;

use interplant_domain::exception::{Code as ExceptionCode, Decision, Exception};
use interplant_domain::fact::{Fact, FactKind};
use interplant_domain::identifier::{EventId, ExceptionId, LifecycleId, LifecycleKind, sha256_hex};
use interplant_domain::lifecycle::{Lifecycle, Status, owner};
use interplant_domain::mailbox::{EntryState, Handling, RaisedException};
use interplant_domain::plant::Plant;
use interplant_domain::purchase_order::PurchaseOrder;
use interplant_domain::standing::Standing;
use interplant_mapping::event;
use interplant_odoo::ChangedOrder;
use interplant_runtime::intake::{NotTaken, accept_as};
use interplant_runtime::store::{Error, Store, new_event_id};
use interplant_runtime::{Context, failpoint};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::codes::{Codes, Problem, is_confirmed};

/// What is known of an order, as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Watched {
    /// The id that its next fact will have: what keeps that fact from being made is told under it, and ends
    /// when the fact is applied.
    next_event: EventId,
    /// The last revision that a fact has told of.
    revision: u32,
    /// As it was seen last; none while it cannot be taken up.
    seen: Option<Standing>,
    /// What a look at it showed that has been dealt with, as a hash.
    looked_at: String,
    /// Facts that may not have reached the inbox.
    unsent: Vec<Unsent>,
    /// The last fact that has.
    last: Option<EventId>,
    /// What a person was told of, by exception.
    told: BTreeMap<ExceptionId, String>,
    /// Whether it goes on in Odoo alone.
    left: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Unsent {
    event_id: EventId,
    revision: u32,
    kind: FactKind,
    at: Timestamp,
    /// None for the creation, which is what was seen.
    data: Option<serde_json::Value>,
}

/// What became of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// Nothing is to be done until it changes.
    Settled,
    /// So many facts were taken in.
    Told(usize),
    /// It has to be looked at again.
    Again,
}

/// An order as it was read, with what is known of it.
pub(crate) struct Found<'a> {
    pub(crate) order: &'a ChangedOrder,
    pub(crate) known: Option<Watched>,
    pub(crate) revision: u64,
}

impl<'a> Found<'a> {
    /// Reads what is known of an order.
    pub(crate) async fn read(
        context: &Context,
        plant: &Plant,
        order: &'a ChangedOrder,
    ) -> Result<Self, Error> {
        let (text, revision) = context.store.registered(&name(plant, order.id)).await?;
        let known = text.map(|text| serde_json::from_str(&text)).transpose();
        let known = known
            .map_err(|error| Error::Unreadable(format!("{}: {error}", name(plant, order.id))))?;
        Ok(Self {
            order,
            known,
            revision,
        })
    }

    /// Whether there is anything to be done about it; whose it is, has still to be asked when it is new.
    pub(crate) fn wants_a_look(&self, since: Timestamp) -> bool {
        match &self.known {
            Some(known) => {
                !known.left && (!known.unsent.is_empty() || known.looked_at != print(self.order))
            }
            None => {
                let confirmed_at = self.order.confirmed_at.or(self.order.ordered_at);
                is_confirmed(self.order) && confirmed_at.is_none_or(|at| at >= since)
            }
        }
    }

    pub(crate) fn is_new(&self) -> bool {
        self.known.is_none()
    }
}

/// Hash of what people see of an order; not of its stamp, which every touch moves.
fn print(order: &ChangedOrder) -> String {
    let still = ChangedOrder {
        written_at: Timestamp::UNIX_EPOCH,
        ..order.clone()
    };
    sha256_hex(format!("{still:?}").as_bytes())
}

fn name(plant: &Plant, order: i64) -> String {
    format!("watched#{}#{order}", plant.plant)
}

/// Looks at an order that is new or has changed, and takes in what is to be told of it.
pub(crate) async fn look(
    context: &Context,
    plant: &Plant,
    codes: &Codes,
    found: Found<'_>,
) -> Result<Look, Error> {
    let order = found.order;
    let watched = found.known.unwrap_or_else(|| Watched {
        next_event: new_event_id(),
        revision: 0,
        seen: None,
        looked_at: String::new(),
        unsent: Vec::new(),
        last: None,
        told: BTreeMap::new(),
        left: false,
    });
    // The number that it was taken up under stays, whatever it is called now.
    let number = match &watched.seen {
        Some(seen) => seen.number.as_str(),
        None => &order.name,
    };
    let mut one = One {
        context,
        plant,
        id: LifecycleId::new(LifecycleKind::Po, &plant.plant, number),
        order,
        watched,
        revision: found.revision,
        told: 0,
    };
    one.send().await?;
    if one.watched.left {
        return Ok(one.look());
    }
    match codes.standing(plant, order, one.watched.seen.as_ref()) {
        Err(problems) => one.cannot(&problems).await,
        Ok(now) => match one.watched.seen.take() {
            None => one.begin(now).await,
            Some(before) => one.follow(before, now).await,
        },
    }
}

struct One<'a> {
    context: &'a Context,
    plant: &'a Plant,
    id: LifecycleId,
    order: &'a ChangedOrder,
    watched: Watched,
    /// Revision of the stored record.
    revision: u64,
    told: usize,
}

impl One<'_> {
    fn look(&self) -> Look {
        match self.told {
            0 => Look::Settled,
            told => Look::Told(told),
        }
    }

    async fn save(&mut self) -> Result<(), Error> {
        let text = serde_json::to_string(&self.watched)
            .map_err(|error| Error::Unreadable(error.to_string()))?;
        let name = name(self.plant, self.order.id);
        self.context
            .store
            .register(&name, &text, self.revision)
            .await?;
        self.revision += 1;
        Ok(())
    }

    /// Notes a fact that is to be sent.
    fn note(&mut self, kind: FactKind, at: Timestamp, data: Option<serde_json::Value>) {
        self.watched.unsent.push(Unsent {
            event_id: std::mem::replace(&mut self.watched.next_event, new_event_id()),
            revision: self.watched.revision,
            kind,
            at,
            data,
        });
        self.watched.told.clear();
    }

    /// Takes up an order that was not known, or could not be taken up.
    async fn begin(&mut self, now: Standing) -> Result<Look, Error> {
        if !now.confirmed || now.lines.iter().all(|line| line.qty.is_zero()) {
            // Nothing is ordered; when that changes, it is seen.
            return Ok(Look::Settled);
        }
        if self.is_left().await? {
            return Ok(Look::Settled);
        }
        self.watched.looked_at = print(self.order);
        self.watched.seen = Some(now);
        self.note(
            FactKind::PoCreated,
            self.order.confirmed_at.unwrap_or(self.order.written_at),
            None,
        );
        self.pass_on().await
    }

    /// Takes in what people have changed of an order that is followed.
    async fn follow(&mut self, before: Standing, now: Standing) -> Result<Look, Error> {
        let lifecycle = self.context.store.load(&self.id).await?;
        if lifecycle.as_ref().is_some_and(given_up) {
            self.watched.left = true;
            self.watched.seen = Some(before);
            self.save().await?;
            return Ok(Look::Settled);
        }
        let agreed = match self.agreed(lifecycle.as_ref()).await? {
            Agreed::Order(order) => Some(order),
            Agreed::Differs => None,
            // That it is cancelled need not wait for anything.
            Agreed::Later if before.confirmed && !now.confirmed => None,
            Agreed::Later | Agreed::AtWork => {
                self.watched.seen = Some(before);
                return Ok(Look::Again);
            }
        };
        let differences = now.differences(&before, agreed, self.watched.revision + 1);
        for text in &differences.beyond {
            let problem = Problem {
                code: ExceptionCode::OrderDiffers,
                text: format!("{text}, which no change can say: order it anew"),
            };
            // No later fact settles it.
            self.tell(&problem, &EventId::none()).await?;
        }
        for fact in differences.facts {
            self.watched.revision += 1;
            let data = fact
                .data()
                .map_err(|error| Error::Unreadable(error.to_string()))?;
            self.note(fact.kind(), self.order.written_at, Some(data));
        }
        self.watched.seen = Some(now);
        self.watched.looked_at = print(self.order);
        self.pass_on().await
    }

    /// What the lifecycle has of the order by now.
    async fn agreed<'l>(&self, lifecycle: Option<&'l Lifecycle>) -> Result<Agreed<'l>, Error> {
        let Some(lifecycle) = lifecycle else {
            return Ok(Agreed::Later);
        };
        // What a step is writing at this moment would look like a person's change.
        let limit = self.context.settings.odoo_request_limit;
        let busy = lifecycle
            .header
            .operation
            .as_ref()
            .and_then(|operation| operation.busy_until(limit));
        if busy.is_some_and(|until| until > self.context.now()) {
            return Ok(Agreed::AtWork);
        }
        let entry = match &self.watched.last {
            Some(last) => self.context.store.entry(&self.id, last).await?,
            None => None,
        };
        let order = lifecycle.header.order.as_ref();
        Ok(match entry.map(|entry| entry.state) {
            Some(EntryState::Applied | EntryState::Skipped) => {
                order.map_or(Agreed::Differs, Agreed::Order)
            }
            Some(
                EntryState::Held { .. }
                | EntryState::OnHold { .. }
                | EntryState::Parked { .. }
                | EntryState::Recorded,
            ) => Agreed::Differs,
            Some(EntryState::Waiting | EntryState::Taken { .. }) | None => Agreed::Later,
        })
    }

    /// Writes down what was seen and what is to be told of it, then tells it.
    async fn pass_on(&mut self) -> Result<Look, Error> {
        self.save().await?;
        failpoint!("watch.after_note");
        self.send().await?;
        Ok(self.look())
    }

    /// Sends the facts that may not have reached the inbox, in their order.
    async fn send(&mut self) -> Result<(), Error> {
        if self.watched.unsent.is_empty() {
            return Ok(());
        }
        for unsent in self.watched.unsent.clone() {
            let fact = match (&unsent.data, &self.watched.seen) {
                (Some(data), _) => Fact::read(unsent.kind, data)
                    .map_err(|error| Error::Unreadable(error.to_string()))?,
                (None, Some(seen)) => seen.created(),
                (None, None) => continue,
            };
            let sender_id = format!(
                "{}/{}/r{}",
                self.plant.odoo.database, self.order.id, unsent.revision
            );
            let taken = match event::own(&self.plant.plant, "odoo", &sender_id, unsent.at, fact) {
                Ok(event) => accept_as(self.context, self.plant, &event, unsent.event_id).await,
                Err(refusal) => Err(refusal.into()),
            };
            failpoint!("watch.after_accept");
            match taken {
                Ok(taken) => {
                    // Another order has this number: a person was told.
                    let held = taken.receipt.status == "held";
                    self.watched.left |= held && unsent.kind == FactKind::PoCreated;
                    self.watched.last = Some(taken.receipt.event).filter(|_| !held);
                    self.told += usize::from(!held);
                }
                Err(NotTaken::Store(error)) => return Err(error),
                Err(NotTaken::Refused(refusal)) => {
                    let problem = Problem {
                        code: ExceptionCode::OrderDiffers,
                        text: format!("a fact of it was not taken: {refusal}"),
                    };
                    self.tell(&problem, &EventId::none()).await?;
                    self.watched.left |= unsent.kind == FactKind::PoCreated;
                }
            }
        }
        self.watched.unsent.clear();
        self.save().await
    }

    /// Tells what keeps an order from being taken up, or its change; it is looked at again by itself.
    async fn cannot(&mut self, problems: &[Problem]) -> Result<Look, Error> {
        if self.is_left().await? {
            return Ok(Look::Settled);
        }
        // One exception for each code; those of one order belong together.
        let mut by_code: BTreeMap<ExceptionCode, Vec<&str>> = BTreeMap::new();
        for problem in problems {
            by_code.entry(problem.code).or_default().push(&problem.text);
        }
        let before = self.watched.told.len();
        for (code, mut texts) in by_code {
            texts.dedup();
            let more = texts.len().saturating_sub(10);
            texts.truncate(10);
            let mut text = texts.join("; ");
            if more > 0 {
                text.push_str(&format!("; and {more} more"));
            }
            let event = self.watched.next_event.clone();
            self.tell(&Problem { code, text }, &event).await?;
        }
        if self.watched.told.len() > before {
            self.save().await?;
        }
        Ok(Look::Again)
    }

    /// Raises an exception beside the lifecycle, once. It ends by itself when the event is applied.
    async fn tell(&mut self, problem: &Problem, event_id: &EventId) -> Result<(), Error> {
        let code = problem.code;
        let text = format!("order {} in Odoo: {}", self.order.name, problem.text);
        let cause = [
            self.id.to_string(),
            code.as_str().to_owned(),
            event_id.to_string(),
            text.clone(),
        ];
        let parts: Vec<&str> = cause.iter().map(String::as_str).collect();
        let id = ExceptionId::for_cause(&parts);
        if self.watched.told.contains_key(&id) {
            return Ok(());
        }
        let now = self.context.now();
        let raised = RaisedException {
            id: id.clone(),
            exception: Exception::new(code, text.clone()),
            raised_by: "odoo-watch".to_owned(),
            event_id: event_id.clone(),
            owner: owner(self.plant, code),
            raised_at: now,
            due_at: now + SignedDuration::from_hours(code.due_hours()),
            blocks: false,
            subject: String::new(),
            two_people: false,
            accepted_by: Vec::new(),
            handling: Handling::default(),
            resolution: None,
        };
        self.context
            .store
            .raise_aside(&self.id, &raised, now)
            .await?;
        self.watched.told.insert(id, text);
        Ok(())
    }

    /// Whether a person has decided that the order is not taken up. Who wants it to be looked at again is told
    /// again, should that be of no use.
    async fn is_left(&mut self) -> Result<bool, Error> {
        if self.watched.told.is_empty() {
            return Ok(false);
        }
        let Some(lifecycle) = self.context.store.load(&self.id).await? else {
            return Ok(false);
        };
        let open = |id: &ExceptionId| lifecycle.exceptions.iter().any(|raised| raised.id == *id);
        if self.watched.told.keys().all(open) {
            return Ok(false);
        }
        let history = self.context.store.history(&self.id).await?;
        let skipped = |id: &ExceptionId| {
            history.exceptions.iter().any(|raised| {
                let decision = raised.resolution.as_ref().and_then(|one| one.decision);
                raised.id == *id && matches!(decision, Some(Decision::Skip | Decision::Cancel))
            })
        };
        self.watched.told.retain(|id, _| open(id) || skipped(id));
        let skipped = self.watched.told.keys().any(skipped);
        if self.watched.seen.is_none() && (skipped || given_up(&lifecycle)) {
            self.watched.left = true;
            self.save().await?;
        }
        Ok(self.watched.left)
    }
}

/// Whether a person has ended the lifecycle, and not a cancellation: the order goes on in Odoo alone.
fn given_up(lifecycle: &Lifecycle) -> bool {
    let order = lifecycle.header.order.as_ref();
    let cancelled = order
        .and_then(|order| order.in_odoo.as_ref())
        .is_some_and(|known| known.cancelled);
    lifecycle.header.status == Status::Cancelled && !cancelled
}

/// What a lifecycle has of an order.
enum Agreed<'l> {
    /// Everything that was told, as this order.
    Order(&'l PurchaseOrder),
    /// Something else than was told: a person decides about it.
    Differs,
    /// What was told has not reached it yet.
    Later,
    /// A step is at work.
    AtWork,
}
