//! A lifecycle as people and plants look at it: its road of facts, steps, records and waits.

use interplant_domain::identifier::{EventId, ExceptionId, LifecycleId};
use interplant_domain::lifecycle::{FinishedOperation, Lifecycle, Status, Wait};
use interplant_domain::mailbox::{Entry, EntryState, RECORDED, RaisedException};
use interplant_domain::purchase_order::{Line, PurchaseOrder};
use jiff::Timestamp;
use serde::Serialize;

use crate::Context;
use crate::store::{Error, Store};

/// The whole road of a lifecycle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Road {
    /// Whose.
    pub lifecycle: LifecycleId,
    /// Where it stands.
    pub status: Status,
    /// Revision, to be named in a decision.
    pub revision: u64,
    /// Number of the execution that follows it.
    pub generation: u32,
    /// What it waits for now, and since when.
    pub waits: Option<Waits>,
    /// What stopped it.
    pub defect: Option<String>,
    /// The order, when it is known.
    pub order: Option<OrderView>,
    /// Every fact, in the order of arrival.
    pub facts: Vec<Entry>,
    /// Every exception, open ones first.
    pub exceptions: Vec<RaisedException>,
    /// Every step that was done.
    pub steps: Vec<FinishedOperation>,
    /// When its first fact came.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// A wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Waits {
    /// For what.
    pub r#for: Wait,
    /// Since when.
    pub since: Timestamp,
}

/// An order with its lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OrderView {
    /// The order.
    #[serde(flatten)]
    pub order: PurchaseOrder,
    /// Its lines.
    pub lines: Vec<Line>,
}

/// What has become of a fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FactFate {
    /// Our id of the event.
    pub event: EventId,
    /// Its lifecycle.
    pub lifecycle: LifecycleId,
    /// `accepted`, `waiting`, `working`, `held`, `applied`, `skipped`, `recorded` or `duplicate_of`.
    pub status: &'static str,
    /// What came of it, or what it waits for.
    pub detail: Option<String>,
    /// The first event with the same fact.
    pub duplicate_of: Option<EventId>,
    /// The exception that a person decides.
    pub exception: Option<ExceptionId>,
    /// When it was stored.
    pub received_at: Timestamp,
    /// When it was settled.
    pub settled_at: Option<Timestamp>,
}

impl Context {
    /// The road of a lifecycle.
    ///
    /// # Errors
    /// When the store is not available.
    pub async fn road(&self, id: &LifecycleId) -> Result<Option<Road>, Error> {
        let Some(lifecycle) = self.store.load(id).await? else {
            return Ok(None);
        };
        let history = self.store.history(id).await?;
        let Lifecycle {
            header,
            entries,
            exceptions,
            waiter,
            ..
        } = lifecycle;
        let mut facts: Vec<Entry> = history.entries.into_iter().chain(entries).collect();
        facts.sort_by_key(|entry| entry.sequence);
        facts.dedup_by_key(|entry| entry.sequence);
        let mut steps = history.operations;
        steps.sort_by_key(|step| (step.finished_at, step.operation.sequence));
        Ok(Some(Road {
            lifecycle: header.id,
            status: header.status,
            revision: header.revision,
            generation: header.generation,
            waits: waiter.map(|waiter| Waits {
                r#for: waiter.wait,
                since: waiter.parked_at,
            }),
            defect: header.defect,
            order: header.order.map(|order| OrderView {
                lines: order.lines.clone(),
                order,
            }),
            facts,
            exceptions: exceptions.into_iter().chain(history.exceptions).collect(),
            steps,
            created_at: header.created_at,
            updated_at: header.updated_at,
        }))
    }

    /// What has become of an accepted fact.
    ///
    /// # Errors
    /// When the store is not available.
    pub async fn fate(&self, row: &crate::inbox::Row) -> Result<FactFate, Error> {
        let mut fate = FactFate {
            event: row.event_id.clone(),
            lifecycle: row.lifecycle.clone(),
            status: "accepted",
            detail: None,
            duplicate_of: None,
            exception: None,
            received_at: row.received_at,
            settled_at: None,
        };
        match &row.fate {
            crate::inbox::Fate::DuplicateOf { event_id } => {
                fate.status = "duplicate_of";
                fate.duplicate_of = Some(event_id.clone());
            }
            crate::inbox::Fate::Held { exception, .. } => {
                fate.status = "held";
                fate.exception = Some(exception.clone());
            }
            crate::inbox::Fate::Accepted => {
                if let Some(entry) = self.store.entry(&row.lifecycle, &row.event_id).await? {
                    fate.status = match &entry.state {
                        EntryState::Waiting | EntryState::Parked { .. } => "waiting",
                        EntryState::Taken { .. } => "working",
                        EntryState::Held { .. } | EntryState::OnHold { .. } => "held",
                        EntryState::Applied => "applied",
                        EntryState::Skipped => "skipped",
                        EntryState::Recorded => "recorded",
                    };
                    if let EntryState::Held { exception } | EntryState::OnHold { exception, .. } =
                        &entry.state
                    {
                        fate.exception = Some(exception.clone());
                    }
                    let kept = entry.state == EntryState::Recorded;
                    fate.detail = entry.result.or(kept.then(|| RECORDED.to_owned()));
                    fate.settled_at = entry.settled_at;
                }
            }
        }
        Ok(fate)
    }
}
