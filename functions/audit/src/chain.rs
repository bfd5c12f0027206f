//! Links what waits to the audit chain of a plant, and anchors its end. Handler `chain`.
//!
//! Safe to repeat and to run twice at once: records, head and waiting notes change in one transaction, and
//! only if the head is the one that was seen. An anchor says the same however often it is written.

use std::time::Duration;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use interplant_runtime::Context;
use interplant_runtime::audit::ChainMessage;
use interplant_runtime::queue::each_message;
use interplant_runtime::step::StepError;
use jiff::{SignedDuration, Timestamp};

/// So much is left of the function's time when the rest is left to the next message.
const SPARE: SignedDuration = SignedDuration::from_secs(10);

pub(crate) async fn handle(
    context: &Context,
    batch: SqsEvent,
    deadline: Timestamp,
) -> Result<SqsBatchResponse, StepError> {
    let take = async |message: ChainMessage| chain(context, message, deadline).await;
    Ok(each_message("chain", batch, take).await)
}

async fn chain(
    context: &Context,
    message: ChainMessage,
    deadline: Timestamp,
) -> Result<(), StepError> {
    let plant = message.plant;
    let audit = &context.audit;
    let chained = audit
        .chain(&plant, || context.now() + SPARE >= deadline)
        .await?;
    let next = audit
        .anchor(&plant, context.settings.anchor, context.now())
        .await?;
    tracing::info!(plant.code = %plant, linked = chained.linked, more = chained.more, "Chained");
    if chained.more {
        audit.wake(&plant, Duration::ZERO).await?;
    } else if let Some(wait) = next {
        // Rounded up: a message that comes too early would find nothing due.
        let wait = Duration::try_from(wait).unwrap_or_default() + Duration::from_secs(1);
        audit.wake(&plant, wait).await?;
    }
    Ok(())
}
