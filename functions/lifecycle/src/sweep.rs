//! The sweeper: finds what was lost on the way and puts it right; ends the waits of the retry lane.
//!
//! Safe to repeat and to run twice at once: everything it does may be done again. While something is open
//! it sends itself the next tick; the schedule only revives a tick that was lost.

use interplant_runtime::Context;
use interplant_runtime::step::StepError;
use interplant_runtime::sweep::Swept;
use jiff::Timestamp;

pub(crate) async fn handle(
    context: &Context,
    _tick: serde_json::Value,
    _deadline: Timestamp,
) -> Result<Swept, StepError> {
    let swept = context.sweep().await;
    // One that failed has left something open, and must not be the last.
    if swept.as_ref().map_or(true, |swept| swept.more) {
        context.arm_tick().await?;
    }
    let swept = swept?;
    tracing::info!(
        sent_again = swept.sent_again,
        looked_at = swept.looked_at,
        released = swept.released,
        overdue = swept.overdue,
        open_circuits = swept.open_circuits,
        senders_woken = swept.senders_woken,
        audits_woken = swept.audits_woken,
        more = swept.more,
        "Swept"
    );
    Ok(swept)
}
