//! Parks an execution that waits for a fact or for a person. States `Await` and `AwaitDecision`.
//!
//! Safe to repeat: a token replaces the one of the same or an older generation, and an execution that has
//! something to do is woken at once. A task token that nobody waits with any more does no harm.

use interplant_domain::identifier::{LifecycleId, sha256_hex};
use interplant_domain::lifecycle::{Wait, Waiter};
use interplant_runtime::step::StepError;
use interplant_runtime::{Context, protocol};
use jiff::Timestamp;
use serde::Deserialize;

/// What the state machine hands over before it waits.
#[derive(Debug, Deserialize)]
pub(crate) struct WaitInput {
    /// Whose execution.
    pub(crate) lifecycle: LifecycleId,
    /// Its generation.
    pub(crate) generation: u32,
    /// What it waits for.
    pub(crate) wait: Wait,
    /// The task token.
    pub(crate) token: String,
}

impl WaitInput {
    pub(crate) fn waiter(self, database: Option<String>, now: Timestamp) -> Waiter {
        Waiter {
            // The token is as unique as the wait; its hash can be shown in logs, itself it must not.
            epoch: sha256_hex(self.token.as_bytes()),
            token: self.token,
            generation: self.generation,
            wait: self.wait,
            database,
            parked_at: now,
        }
    }
}

pub(crate) async fn handle(
    context: &Context,
    input: WaitInput,
    _deadline: Timestamp,
) -> Result<(), StepError> {
    let now = context.now();
    let id = input.lifecycle.clone();
    let plant = context.plant_of(&id).await?;
    let waits = protocol::wait(
        &context.store,
        &context.engine,
        &id,
        &input.waiter(None, now),
        now,
    )
    .await?;
    // Whoever waits for Odoo takes its place; one that goes on keeps it until its mailbox is empty.
    if waits {
        context.rests(&id, &plant.odoo.database).await?;
    }
    Ok(())
}
