//! Takes facts from the queue to their mailboxes and wakes or starts what follows them.
//!
//! Safe to repeat: a fact enters its mailbox once by its event id. A message that fails goes back to the
//! queue alone; the others of the batch are done. What fails five times goes to the dead letters, and its
//! inbox row stays pending, so that the sweeper brings it again.

use std::collections::BTreeSet;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use interplant_domain::fact::FactKind;
use interplant_domain::identifier::LifecycleKind;
use interplant_domain::mailbox::{Entry, EntryState};
use interplant_domain::matching::business_days_after;
use interplant_domain::plant::Plant;
use interplant_runtime::Context;
use interplant_runtime::inbox::{Fate, Row};
use interplant_runtime::queue::{RouteMessage, each_message};
use interplant_runtime::step::StepError;
use interplant_runtime::store::Delivery;
use interplant_runtime::{failpoint, protocol, references};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

pub(crate) async fn handle(
    context: &Context,
    batch: SqsEvent,
    _deadline: Timestamp,
) -> Result<SqsBatchResponse, StepError> {
    let take = async |message: RouteMessage| route(context, message).await;
    Ok(each_message("route", batch, take).await)
}

async fn route(context: &Context, message: RouteMessage) -> Result<(), StepError> {
    let Some(row) = context.inbox.by_key(&message.inbox_key).await? else {
        return Err(StepError::Defect(format!(
            "the inbox has no row {}",
            message.inbox_key
        )));
    };
    if row.fate != Fate::Accepted {
        return Err(StepError::Defect(format!(
            "{} was not accepted and must not be routed",
            row.event_id
        )));
    }
    let plant = context.plant_of(&row.lifecycle).await?;
    let fact = row.fact()?;
    let now = context.now();
    let entry = Entry {
        sequence: 0,
        event_id: row.event_id.clone(),
        inbox_key: row.key.clone(),
        content_hash: Some(row.content_hash.clone()),
        kind: row.kind,
        number: fact.number().to_string(),
        happened_at: row.happened_at,
        received_at: row.received_at,
        due_at: due_at(&row, &plant),
        state: EntryState::Waiting,
        accepted: BTreeSet::new(),
        settled_at: None,
        result: None,
    };
    let known = references::made_known(&fact, &row.plant);
    for lifecycle in fact.lifecycles(&row.plant) {
        let delivery = Delivery {
            lifecycle: lifecycle.clone(),
            entry: Entry {
                state: EntryState::first(lifecycle.kind()),
                ..entry.clone()
            },
        };
        // What waits for these goods reaches the order before them: a hold is heard before they are paid.
        if lifecycle.kind() == LifecycleKind::Po {
            for from in &known {
                references::refer(
                    &context.store,
                    &context.engine,
                    from,
                    &lifecycle,
                    &plant,
                    now,
                )
                .await?;
            }
        }
        let appended = context.deliver(&delivery, &plant, now).await?;
        match lifecycle.kind() {
            LifecycleKind::Po => {
                protocol::refuse_after_cancel(&context.store, &lifecycle, &plant, now).await?;
            }
            LifecycleKind::Asn | LifecycleKind::Receipt | LifecycleKind::Lot => {
                references::forward(&context.store, &context.engine, &lifecycle, &plant, now)
                    .await?;
            }
            // Nothing else follows from what is only kept; no fact belongs to an outbox.
            LifecycleKind::Mo
            | LifecycleKind::Item
            | LifecycleKind::Stock
            | LifecycleKind::Je
            | LifecycleKind::Outbox => {}
        }
        tracing::info!(plant.code = %row.plant, event.id = %row.event_id, lifecycle.id = %lifecycle, "{} {appended:?}", row.kind.event_type());
    }
    failpoint!("route.before_routed");
    context.inbox.routed(&row.key).await?;
    Ok(())
}

/// Until when the fact before it should have come; for an invoice that is its goods.
fn due_at(row: &Row, plant: &Plant) -> Timestamp {
    if row.kind == FactKind::InvoiceReceived {
        let received = row.received_at.to_zoned(TimeZone::UTC);
        let last = business_days_after(received.date(), plant.matching.receipt_wait_days);
        let due = last.to_zoned(TimeZone::UTC).map(|day| day.timestamp());
        return due.unwrap_or(row.received_at).max(row.received_at);
    }
    row.received_at + SignedDuration::from_hours(i64::from(plant.due.predecessor_hours))
}
