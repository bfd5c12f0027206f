//! Facts that name a receipt, a lot or a shipment instead of their order find it, whichever comes first.
//!
//! Such a fact goes to the mailbox of what it names. Who brings the order's side writes the reference, then
//! looks into that mailbox; who brings the fact writes it into the mailbox, then looks at the reference.
//! One of the two always sees the other.

use interplant_domain::exception::{Code as ExceptionCode, Exception};
use interplant_domain::fact::{Code, Fact};
use interplant_domain::identifier::{LifecycleId, LifecycleKind, PlantCode};
use interplant_domain::mailbox::{Entry, EntryState};
use interplant_domain::plant::Plant;
use interplant_domain::purchase_order::{Refusal, Step};
use jiff::Timestamp;

use crate::engine::Engine;
use crate::protocol;
use crate::store::{Delivery, Error, Store};

/// A change that lost a race is made anew; after so many losses the message comes again.
const ATTEMPTS: usize = 8;

/// What a fact makes known about where other facts belong: the mailboxes of its receipt, lots and shipment.
#[must_use]
pub fn made_known(fact: &Fact, plant: &PlantCode) -> Vec<LifecycleId> {
    let mut known = Vec::new();
    let mut add = |kind, number: &Code| known.push(LifecycleId::new(kind, plant, number.as_str()));
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "only what brings goods makes references known"
    )]
    match fact {
        Fact::AsnReceived(fact) => {
            add(LifecycleKind::Asn, &fact.asn_number);
            for line in &fact.lines {
                line.lots
                    .iter()
                    .for_each(|lot| add(LifecycleKind::Lot, &lot.lot_id));
                line.serials
                    .iter()
                    .for_each(|serial| add(LifecycleKind::Lot, serial));
            }
        }
        Fact::ReceiptPosted(fact) => {
            add(LifecycleKind::Receipt, &fact.receipt_number);
            for line in &fact.lines {
                line.lots
                    .iter()
                    .for_each(|lot| add(LifecycleKind::Lot, &lot.lot_id));
                line.serials
                    .iter()
                    .for_each(|serial| add(LifecycleKind::Lot, serial));
            }
        }
        _ => {}
    }
    known
}

/// Records that a receipt, lot or shipment belongs to an order, and sends facts on that wait for it.
///
/// # Errors
/// When the store is not available; repeating is safe.
pub async fn refer(
    store: &impl Store,
    engine: &impl Engine,
    from: &LifecycleId,
    to: &LifecycleId,
    plant: &Plant,
    now: Timestamp,
) -> Result<(), Error> {
    let name = name(from);
    for attempt in 0.. {
        let (mut orders, seen) = orders(store, &name).await?;
        if orders.contains(to) {
            break;
        }
        orders.push(to.clone());
        let text =
            serde_json::to_string(&orders).map_err(|error| Error::Unreadable(error.to_string()))?;
        match store.register(&name, &text, seen).await {
            Ok(()) => break,
            Err(Error::Conflict) if attempt < ATTEMPTS => {}
            Err(error) => return Err(error),
        }
    }
    crate::failpoint!("route.after_refer");
    forward(store, engine, from, plant, now).await
}

/// Sends facts on that wait in the mailbox of a receipt, lot or shipment, as far as its order is known.
///
/// # Errors
/// When the store is not available; repeating is safe.
pub async fn forward(
    store: &impl Store,
    engine: &impl Engine,
    from: &LifecycleId,
    plant: &Plant,
    now: Timestamp,
) -> Result<(), Error> {
    let (orders, _) = orders(store, &name(from)).await?;
    if orders.is_empty() {
        return Ok(());
    }
    for _ in 0..ATTEMPTS {
        let Some(lifecycle) = store.load(from).await? else {
            return Ok(());
        };
        let waiting = lifecycle
            .entries
            .iter()
            .find(|entry| entry.state == EntryState::Waiting);
        let Some(entry) = waiting else {
            return Ok(());
        };
        // A shipment that is called off concerns all its orders; goods lie in one.
        let all = from.kind() == LifecycleKind::Asn
            && entry.kind == interplant_domain::fact::FactKind::AsnCancelled;
        let commit = if let (false, [_, _, ..]) = (all, orders.as_slice()) {
            let names: Vec<String> = orders.iter().map(ToString::to_string).collect();
            let exception = Exception::new(
                ExceptionCode::AmbiguousReference,
                format!(
                    "{} {} names {from}, which belongs to {}: it has to name its order",
                    entry.kind.event_type(),
                    entry.number,
                    names.join(" and ")
                ),
            );
            lifecycle.refused(
                Step::Record,
                entry.sequence,
                &Refusal::Raise(exception),
                plant,
                now,
            )
        } else {
            for order in &orders {
                let delivery = Delivery {
                    lifecycle: order.clone(),
                    entry: Entry {
                        sequence: 0,
                        state: EntryState::Waiting,
                        ..entry.clone()
                    },
                };
                protocol::deliver(store, engine, &delivery, now).await?;
                crate::failpoint!("route.after_forward");
            }
            lifecycle.forwarded(entry.sequence, &orders, now)
        };
        match store.commit(&commit).await {
            Ok(()) | Err(Error::Conflict) => {}
            Err(error) => return Err(error),
        }
    }
    Err(Error::Unavailable(format!(
        "{from} is changed by too many at once"
    )))
}

fn name(from: &LifecycleId) -> String {
    format!("reference#{from}")
}

async fn orders(store: &impl Store, name: &str) -> Result<(Vec<LifecycleId>, u64), Error> {
    let (text, revision) = store.registered(name).await?;
    let orders = text
        .map(|text| serde_json::from_str(&text))
        .transpose()
        .map_err(|error| Error::Unreadable(format!("{name}: {error}")))?;
    Ok((orders.unwrap_or_default(), revision))
}
