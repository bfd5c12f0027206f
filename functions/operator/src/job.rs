//! Carries out a decision about all exceptions of a cause. Handler `job`.
//!
//! Safe to repeat and to run twice at once: each exception is decided once, by the job's own key, and a worker
//! that was overtaken stops. Each worker has a message that looks after it: where nothing has moved for two ticks,
//! its reader goes on in place of the one that was killed, and recognises what that one has decided.

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use interplant_domain::lifecycle::GivenDecision;
use interplant_runtime::decisions::NotTaken;
use interplant_runtime::protocol::DecideError;
use interplant_runtime::queue::{JobMessage, each_message};
use interplant_runtime::step::StepError;
use interplant_runtime::store::{Error, Job, JobState, Member, Refused};
use interplant_runtime::{Context, failpoint};
use jiff::{SignedDuration, Timestamp};

/// Members between two notes of the progress.
const BATCH: usize = 20;

/// A worker that has less time than this lets the next one go on.
const ENOUGH: SignedDuration = SignedDuration::from_secs(20);

pub(crate) async fn handle(
    context: &Context,
    batch: SqsEvent,
    deadline: Timestamp,
) -> Result<SqsBatchResponse, StepError> {
    let take = async |message: JobMessage| work(context, message, deadline).await;
    Ok(each_message("job", batch, take).await)
}

async fn work(
    context: &Context,
    message: JobMessage,
    deadline: Timestamp,
) -> Result<(), StepError> {
    // Longer than a batch takes: who is at work is let be.
    let patience = context.settings.tick * 2;
    if message.watch {
        let job = context.store.job(&message.job).await?;
        let still =
            |job: &Job| context.now().duration_since(job.moved_at).unsigned_abs() < patience;
        match job {
            Some(job) if job.state == JobState::Running && still(&job) => {
                return Ok(context.queues.watch_job(&job.id, patience).await?);
            }
            Some(_) | None => {}
        }
    }
    let mut watched = false;
    loop {
        let Some(job) = context.store.job(&message.job).await? else {
            return Err(StepError::Defect(format!(
                "there is no job {}",
                message.job
            )));
        };
        if job.state == JobState::Done {
            tracing::info!(job.id = %job.id, decided = job.decided, refused = job.refused, "Done");
            return Ok(());
        }
        if !watched {
            context.queues.watch_job(&job.id, patience).await?;
            watched = true;
        }
        if deadline.duration_since(context.now()) < ENOUGH {
            return Ok(context.queues.job(&job.id).await?);
        }
        let members = context.store.next_members(&job, BATCH).await?;
        if members.is_empty() {
            return Err(StepError::Defect(format!("job {} lost members", job.id)));
        }
        let mut outcomes = Vec::with_capacity(members.len());
        for member in &members {
            outcomes.push(decide(context, &job, member).await?);
            failpoint!("job.after_decision");
        }
        match context
            .store
            .move_job(&job.after(outcomes, context.now()), &job)
            .await
        {
            Ok(()) => {}
            // Another worker has the job.
            Err(Error::Conflict) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        failpoint!("job.after_move");
    }
}

/// Decides one exception; what kept it from that, if anything did.
async fn decide(context: &Context, job: &Job, member: &Member) -> Result<Option<Refused>, Error> {
    let given = GivenDecision {
        exception: member.exception.clone(),
        decision: job.decision,
        seen_revision: None,
        by: job.by.clone(),
        reason: job.reason.clone(),
        key: Some(job.key()),
    };
    let why = match context.decide(&member.lifecycle, &given).await {
        Ok(_) => return Ok(None),
        Err(NotTaken::Decide(DecideError::Store(error))) => return Err(error),
        Err(refused) => refused.to_string(),
    };
    Ok(Some(Refused {
        exception: format!("{}/{}", member.lifecycle, member.exception),
        why,
    }))
}
