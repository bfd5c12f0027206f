//! Takes an event at the door, whichever door it came by: durable first, acknowledged after, queued if
//! possible.

use interplant_domain::exception::{Code, Exception};
use interplant_domain::identifier::{EventId, ExceptionId, LifecycleId, PlantCode};
use interplant_domain::lifecycle::owner;
use interplant_domain::mailbox::{Handling, RaisedException};
use interplant_domain::plant::Plant;
use interplant_mapping::event::{Event, Refusal};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::inbox::{Fate, Row, Stored};
use crate::store::{Error, new_event_id, transport_key};
use crate::{Context, failpoint};

/// Why an event was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// The sender has to mend something.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Nothing was stored; it may be sent again as it is.
    #[error(transparent)]
    Store(#[from] Error),
}

/// What a sender is told about an event that is durable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Receipt {
    /// `accepted`, `duplicate`, `duplicate_of` or `held`.
    pub status: &'static str,
    /// Our id of the event.
    pub event: EventId,
    /// The lifecycle that it belongs to.
    pub lifecycle: LifecycleId,
    /// The first event with the same fact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplicate_of: Option<EventId>,
    /// The exception that a person decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exception: Option<ExceptionId>,
    /// When it was stored.
    pub received_at: Timestamp,
}

/// A receipt, and whether it repeats an earlier one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// What the sender is told.
    pub receipt: Receipt,
    /// Whether the same was said before.
    pub replayed: bool,
}

/// Takes an event.
///
/// # Errors
/// [`NotTaken`]
pub async fn accept(context: &Context, plant: &Plant, event: &Event) -> Result<Accepted, NotTaken> {
    accept_as(context, plant, event, new_event_id()).await
}

/// Takes an event under an id of ours that was given to it before; a repeat keeps the first one.
///
/// # Errors
/// [`NotTaken`]
pub async fn accept_as(
    context: &Context,
    plant: &Plant,
    event: &Event,
    event_id: EventId,
) -> Result<Accepted, NotTaken> {
    let now = context.now();
    let row = new_row(&plant.plant, event, event_id, now);
    let business_key = event
        .fact
        .business_key(&plant.plant, event.envelope.revision());
    match context.inbox.store(&row, &business_key).await? {
        Stored::New => {
            failpoint!("ingest.after_inbox");
            // A message that does not get through is sent by the sweeper; the fact is safe already.
            if let Err(error) = context.queues.route(&row.key, &row.plant).await {
                tracing::warn!(event.id = %row.event_id, "not queued, the sweeper will: {error}");
            }
            failpoint!("ingest.after_queue");
            Ok(answer(&row, false))
        }
        Stored::Replayed(first) => Ok(answer(&first, true)),
        Stored::Mismatch => Err(mismatch().into()),
        Stored::SameFact {
            event_id,
            content_hash,
        } if content_hash == row.content_hash => {
            let row = Row {
                fate: Fate::DuplicateOf { event_id },
                ..row
            };
            aside(context, &row).await
        }
        Stored::SameFact { event_id, .. } => {
            let raised = conflict(plant, &row, &event_id, event, now);
            context
                .store
                .raise_aside(&row.lifecycle, &raised, now)
                .await?;
            let row = Row {
                fate: Fate::Held {
                    exception: raised.id,
                    first: event_id,
                },
                ..row
            };
            aside(context, &row).await
        }
    }
}

async fn aside(context: &Context, row: &Row) -> Result<Accepted, NotTaken> {
    match context.inbox.store_aside(row).await? {
        Stored::New | Stored::SameFact { .. } => Ok(answer(row, false)),
        Stored::Replayed(first) => Ok(answer(&first, true)),
        Stored::Mismatch => Err(mismatch().into()),
    }
}

fn new_row(plant: &PlantCode, event: &Event, event_id: EventId, now: Timestamp) -> Row {
    let envelope = &event.envelope;
    Row {
        key: transport_key(&envelope.source, &envelope.id),
        event_id,
        source: envelope.source.clone(),
        sender_id: envelope.id.clone(),
        plant: plant.clone(),
        kind: event.kind,
        lifecycle: event.lifecycle.clone(),
        envelope_hash: event.envelope_hash.clone(),
        content_hash: event.content_hash.clone(),
        happened_at: event.happened_at,
        received_at: now,
        traceparent: envelope.traceparent.clone(),
        data: envelope.data.clone(),
        fate: Fate::Accepted,
        amendment: None,
    }
}

fn answer(row: &Row, replayed: bool) -> Accepted {
    let (status, duplicate_of, exception) = match &row.fate {
        Fate::Accepted => ("accepted", None, None),
        Fate::DuplicateOf { event_id } => ("duplicate_of", Some(event_id.clone()), None),
        Fate::Held { exception, .. } => ("held", None, Some(exception.clone())),
    };
    Accepted {
        receipt: Receipt {
            status,
            event: row.event_id.clone(),
            lifecycle: row.lifecycle.clone(),
            duplicate_of,
            exception,
            received_at: row.received_at,
        },
        replayed,
    }
}

fn mismatch() -> Refusal {
    Refusal::new(
        "idempotency_payload_mismatch",
        "An event with this `source` and `id` came before with another content: give every event an id of its own.",
    )
    .at("/id")
}

fn conflict(
    plant: &Plant,
    row: &Row,
    first: &EventId,
    event: &Event,
    now: Timestamp,
) -> RaisedException {
    let code = Code::ConflictingFact;
    RaisedException {
        id: ExceptionId::for_cause(&[&row.lifecycle.to_string(), code.as_str(), &row.content_hash]),
        exception: Exception::new(
            code,
            format!(
                "{} {} came again with another content, as event {} of the sender; the first one, {first}, is in force",
                row.kind.event_type().trim_start_matches("interplant."),
                event.fact.number(),
                row.sender_id
            ),
        ),
        raised_by: "ingest".to_owned(),
        event_id: row.event_id.clone(),
        owner: owner(plant, code),
        raised_at: now,
        due_at: now + SignedDuration::from_hours(code.due_hours()),
        blocks: false,
        subject: String::new(),
        two_people: false,
        accepted_by: Vec::new(),
        handling: Handling::default(),
        resolution: None,
    }
}
