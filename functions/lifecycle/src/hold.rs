//! Parks an execution until Odoo answers again. State `HoldForOdoo`.
//!
//! Safe to repeat, as `park` is. The retry lane (`sweep`) asks Odoo once per tick and database and wakes
//! those who wait, so that an outage costs an execution no history.

use interplant_runtime::step::StepError;
use interplant_runtime::{Context, protocol};
use jiff::Timestamp;

use crate::park::WaitInput;

pub(crate) async fn handle(
    context: &Context,
    input: WaitInput,
    _deadline: Timestamp,
) -> Result<(), StepError> {
    let now = context.now();
    let id = input.lifecycle.clone();
    let plant = context.plant_of(&id).await?;
    protocol::wait(
        &context.store,
        &context.engine,
        &id,
        &input.waiter(Some(plant.odoo.database), now),
        now,
    )
    .await?;
    context
        .store
        .look_again(&id, now + context.settings.tick)
        .await?;
    context.arm_tick().await?;
    Ok(())
}
