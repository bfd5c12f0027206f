//! Parks an execution until Odoo answers again, or has less to do. State `HoldForOdoo`.
//!
//! Safe to repeat, as `park` is. The execution waits in the lane of its Odoo database, where the sweeper and
//! those who come to rest let one after the other go on, so that an outage costs an execution no history.

use interplant_domain::lane::{Circuit, Criticality};
use interplant_domain::lifecycle::Lifecycle;
use interplant_runtime::step::StepError;
use interplant_runtime::store::Store;
use interplant_runtime::{Context, protocol};
use jiff::{SignedDuration, Timestamp};

use crate::park::WaitInput;

/// Tries of a step in one go.
const AT_ONCE: u32 = 3;
/// The pause before the next go doubles so often at most: with ticks of 30 s, to half an hour.
const DOUBLINGS: u32 = 6;

pub(crate) async fn handle(
    context: &Context,
    input: WaitInput,
    _deadline: Timestamp,
) -> Result<(), StepError> {
    let now = context.now();
    let id = input.lifecycle.clone();
    let plant = context.plant_of(&id).await?;
    let database = plant.odoo.database;
    let lifecycle = context.store.load(&id).await?;
    let lifecycle = lifecycle
        .ok_or_else(|| StepError::Defect(format!("{id} has an execution but no record")))?;
    let lane = context.store.lane(&database).await?;
    let due = due(context, &lifecycle, &lane.circuit, now);
    context
        .store
        .queue(&id, &database, Criticality::of(&lifecycle), due)
        .await?;
    protocol::wait(
        &context.store,
        &context.engine,
        &id,
        &input.waiter(Some(database.clone()), now),
        now,
    )
    .await?;
    // A permit that it had goes to another one; room that came up meanwhile is used.
    context.rests(&id, &database).await?;
    context.arm_tick().await?;
    Ok(())
}

/// When it may go on at the earliest. A call whose outcome is unknown may still be running; asking before its end
/// would prove nothing. What fails although Odoo is called is tried in growing intervals.
fn due(context: &Context, lifecycle: &Lifecycle, circuit: &Circuit, now: Timestamp) -> Timestamp {
    let operation = lifecycle.header.operation.as_ref();
    let busy =
        operation.and_then(|operation| operation.busy_until(context.settings.odoo_request_limit));
    let attempts = operation.map_or(0, |operation| operation.attempts);
    let pause = match circuit {
        Circuit::Closed if attempts > 0 => {
            let doublings = (attempts.saturating_sub(1) / AT_ONCE).min(DOUBLINGS);
            SignedDuration::try_from(context.settings.tick).unwrap_or_default()
                * 2i32.pow(doublings)
        }
        Circuit::Closed | Circuit::Limited { .. } | Circuit::Open { .. } => SignedDuration::ZERO,
    };
    busy.unwrap_or(now).max(now + pause)
}
