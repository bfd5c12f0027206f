//! A decision about all exceptions of a cause: given once, carried out by a job that says how far it is.

use interplant_domain::access::Action;
use interplant_domain::cause::Cause;
use interplant_domain::exception::{Code, Decision};
use interplant_domain::identifier::sha256_hex;
use interplant_runtime::store::{Job, JobState, Member, Wanted};
use serde::Deserialize;
use serde_json::json;

use super::Asking;
use super::decide::note;
use super::problem::{Answer, Problem};

/// More exceptions are decided in several jobs.
const MOST_MEMBERS: usize = 20_000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum What {
    Retry,
    Skip,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    decision: What,
    note: String,
}

/// `POST /v1/exceptions/groups/{cause}/decisions`
pub(super) async fn decide(asking: &Asking<'_>, cause: &str) -> Result<Answer, Problem> {
    let (plant, code) = Cause::parts(cause).ok_or_else(Problem::not_found)?;
    asking.may_see(&plant)?;
    // Whatever is decided takes at least this: the right to see is not what is missing.
    asking.may(Action::RetryGroup, &plant, code)?;
    let body: Body = asking.body()?;
    let (decision, action) = match body.decision {
        What::Retry => (Decision::Retry, Action::RetryGroup),
        What::Skip => (Decision::Skip, Action::SkipGroup),
    };
    asking.may(action, &plant, code)?;
    let only_skip = code.is_of_outbox() || code == Code::ConflictingFact;
    if code == Code::UnmappedCode || only_skip && decision == Decision::Retry {
        return Err(Problem::new(422, "decision_not_possible", code.next_step()));
    }
    let reason = note(&body.note)?;
    let (subject, key) = (&asking.caller.subject, asking.key()?);
    let name = format!("{subject}\u{1f}{key}\u{1f}{cause}");
    let mut hash = sha256_hex(name.as_bytes());
    hash.truncate(32);
    let id = format!("job_{hash}");
    let store = &asking.context.store;
    if let Some(known) = store.job(&id).await? {
        if known.decision != decision {
            return Err(Problem::new(
                422,
                "idempotency_payload_mismatch",
                "This key came before with another decision: give every request a key of its own.",
            ));
        }
        // Whoever gave it may have died before it was told of.
        if known.state == JobState::Running {
            asking.context.queues.job(&known.id).await?;
        }
        return Ok(Answer {
            status: 202,
            body: json!(known),
            replayed: true,
        });
    }
    let wanted = Wanted {
        cause: Some(cause.to_owned()),
        ..Wanted::default()
    };
    let open = store.open_exceptions(&plant, &wanted, MOST_MEMBERS).await?;
    let members: Vec<Member> = open
        .into_iter()
        .map(|one| Member {
            lifecycle: one.lifecycle,
            exception: one.raised.id,
        })
        .collect();
    if members.is_empty() {
        return Err(Problem::not_found());
    }
    let job = Job {
        id,
        plant,
        cause: cause.to_owned(),
        decision,
        by: subject.clone(),
        reason,
        state: JobState::Running,
        members: asking.now.as_nanosecond().to_string(),
        total: members.len(),
        looked_at: 0,
        decided: 0,
        refused: 0,
        refusals: Vec::new(),
        given_at: asking.now,
        moved_at: asking.now,
    };
    let is_new = store.new_job(&job, &members).await?;
    asking.context.queues.job(&job.id).await?;
    Ok(Answer {
        status: 202,
        body: json!(job),
        replayed: !is_new,
    })
}

/// `GET /v1/jobs/{id}`
pub(super) async fn job(asking: &Asking<'_>, id: &str) -> Result<Answer, Problem> {
    let job = asking.context.store.job(id).await?;
    let job = job.ok_or_else(Problem::not_found)?;
    let (plant, code) = Cause::parts(&job.cause).ok_or_else(Problem::not_found)?;
    asking.may(Action::See, &plant, code)?;
    Ok(Answer::ok(json!(job)))
}
