//! What people decide: about one exception, or to stop following a document.

use interplant_domain::access::Action;
use interplant_domain::amendment::{MOST_CHANGES, Wanted, amended, diff};
use interplant_domain::exception::Decision;
use interplant_domain::identifier::{ExceptionId, LifecycleId, sha256_hex};
use interplant_domain::json::parse;
use interplant_domain::lifecycle::{Given, GivenDecision};
use interplant_domain::mask;
use interplant_domain::plant::Plant;
use interplant_domain::purchase_order::PurchaseOrder;
use interplant_mapping::contract::Contract;
use interplant_mapping::event::event;
use interplant_runtime::decisions::{NotTaken, Rewritten, Taken};
use interplant_runtime::store::Store as _;
use serde::Deserialize;
use serde_json::{Value, json};

use super::problem::{Answer, Problem};
use super::{Asking, address};

/// The longest note.
const NOTE: usize = 400;

/// What is asked for.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum What {
    Retry,
    Accept,
    Skip,
    Assign,
    Amend,
    Approve,
    TurnDown,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    decision: What,
    /// The lifecycle's revision that the person saw.
    revision: String,
    note: String,
    /// To whom, of an assignment.
    #[serde(default)]
    to: Option<String>,
    /// What is to be said instead, of an amendment.
    #[serde(default)]
    changes: Vec<Wanted>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cancellation {
    revision: String,
    note: String,
}

pub(super) fn note(text: &str) -> Result<String, Problem> {
    let text = text.trim();
    let fits =
        !text.is_empty() && text.chars().count() <= NOTE && !text.chars().any(char::is_control);
    if fits {
        Ok(text.to_owned())
    } else {
        Err(Problem::new(
            422,
            "invalid_request",
            format!("Say why in `note`, in 1 to {NOTE} characters."),
        )
        .at("/note"))
    }
}

fn given(asking: &Asking<'_>, revision: &str, text: &str) -> Result<Given, Problem> {
    let seen = revision.parse().map_err(|_| {
        Problem::new(
            422,
            "invalid_request",
            "`revision` is the lifecycle's revision that you saw, a whole number.",
        )
        .at("/revision")
    })?;
    Ok(Given {
        by: asking.caller.subject.clone(),
        reason: note(text)?,
        key: Some(asking.key()?),
        seen_revision: Some(seen),
    })
}

/// `POST /v1/exceptions/{id}/decisions`
pub(super) async fn exception(asking: &Asking<'_>, id: &str) -> Result<Answer, Problem> {
    let (lifecycle, exception) = address(id)?;
    let plant = lifecycle.plant();
    asking.may_see(plant)?;
    let raised = asking
        .context
        .store
        .exception(&lifecycle, &exception)
        .await?;
    let code = raised.ok_or_else(Problem::not_found)?.exception.code;
    asking.may(Action::Decide, plant, code)?;
    let body: Body = asking.body()?;
    let given = given(asking, &body.revision, &body.note)?;
    let context = asking.context;
    let decision = match body.decision {
        What::Retry => Decision::Retry,
        What::Accept => Decision::Accept,
        What::Skip => Decision::Skip,
        What::Assign => {
            let to = body.to.as_deref().map(str::trim).unwrap_or_default();
            if to.is_empty() || to.len() > 200 || to.chars().any(char::is_control) {
                return Err(
                    Problem::new(422, "invalid_request", "Say in `to` who takes it over.")
                        .at("/to"),
                );
            }
            let taken = context.assign(&lifecycle, &exception, to, &given).await?;
            return Ok(answer(&lifecycle, &exception, "assign", taken, None));
        }
        What::Amend => return amend(asking, &lifecycle, &exception, &body, &given).await,
        What::Approve | What::TurnDown => {
            let plant = asking.plant(plant).await?;
            let earlier = context.amended_before(&plant, &lifecycle, &exception, &given);
            let taken = match (earlier.await?, &body.decision) {
                (Some(_), _) => Taken::Before,
                (None, What::Approve) => {
                    let taken = context
                        .approve(&plant, &lifecycle, &exception, &given)
                        .await;
                    faster(asking, &plant, &lifecycle, &exception, &given, taken).await?
                }
                (None, _) => {
                    let taken = context.turn_down(&lifecycle, &exception, &given).await;
                    faster(asking, &plant, &lifecycle, &exception, &given, taken).await?
                }
            };
            let word = if matches!(body.decision, What::Approve) {
                "approve"
            } else {
                "turn-down"
            };
            return Ok(answer(&lifecycle, &exception, word, taken, None));
        }
    };
    let decided = GivenDecision {
        exception: exception.clone(),
        decision,
        seen_revision: given.seen_revision,
        by: given.by,
        reason: given.reason,
        key: given.key,
    };
    let taken = context.decide(&lifecycle, &decided).await?;
    Ok(answer(&lifecycle, &exception, decision.word(), taken, None))
}

/// Writes the fact anew that waits: checked like any other, and shown with what it says otherwise.
async fn amend(
    asking: &Asking<'_>,
    lifecycle: &LifecycleId,
    exception: &ExceptionId,
    body: &Body,
    given: &Given,
) -> Result<Answer, Problem> {
    let context = asking.context;
    let plant = asking.plant(lifecycle.plant()).await?;
    let earlier = context.amended_before(&plant, lifecycle, exception, given);
    if let Some(taken) = earlier.await? {
        return Ok(answer(
            lifecycle,
            exception,
            "amend",
            taken_again(taken),
            None,
        ));
    }
    if body.changes.is_empty() || body.changes.len() > MOST_CHANGES {
        return Err(Problem::new(
            422,
            "invalid_request",
            format!(
                "Say in `changes` what stands in the fact instead, in 1 to {MOST_CHANGES} changes."
            ),
        )
        .at("/changes"));
    }
    let original = context
        .original(lifecycle, exception, given.seen_revision)
        .await?;
    let before = &original.row.data;
    let data = amended(before, &body.changes)
        .map_err(|error| Problem::new(422, "invalid_pointer", error.message).at(error.pointer))?;
    let id = format!(
        "{exception} {} {}",
        given.by,
        given.key.as_deref().unwrap_or_default()
    );
    let envelope = |data: &Value| {
        json!({
            "specversion": "1.0",
            "id": sha256_hex(id.as_bytes()),
            "source": format!("urn:plant:{}:interplant", plant.plant),
            "type": original.row.kind.event_type(),
            "time": original.row.happened_at.to_string(),
            "data": data,
        })
    };
    let contract = Contract::new().map_err(|error| {
        tracing::warn!("{error}");
        Problem::new(
            500,
            "internal",
            "Something is wrong on our side; it was reported.",
        )
    })?;
    let json = parse(envelope(&data).to_string().as_bytes())
        .map_err(|error| Problem::new(422, "invalid_value", error.to_string()))?;
    let read = event(&contract, &plant.plant, json)?;
    let after = read.fact.data().unwrap_or_default();
    // Both as they are read: `480.00` that became `480` is no difference.
    let json = parse(envelope(before).to_string().as_bytes()).ok();
    let as_read = json.and_then(|json| event(&contract, &plant.plant, json).ok());
    let as_read = as_read.and_then(|original| original.fact.data().ok());
    let changes = diff(as_read.as_ref().unwrap_or(before), &after);
    if changes.is_empty() {
        return Err(
            Problem::new(422, "nothing_amended", "The fact says so already.").at("/changes"),
        );
    }
    let sight = asking.caller.sight(&plant.plant);
    let shown = json!(mask::changes(&changes, sight));
    let rewritten = Rewritten {
        original,
        event: read,
        changes,
    };
    let taken = context
        .amend(&plant, lifecycle, exception, rewritten, given)
        .await;
    let taken = faster(asking, &plant, lifecycle, exception, given, taken).await?;
    Ok(answer(lifecycle, exception, "amend", taken, Some(shown)))
}

/// What became of a request, also when the same one was a moment faster on another way.
async fn faster(
    asking: &Asking<'_>,
    plant: &Plant,
    lifecycle: &LifecycleId,
    exception: &ExceptionId,
    given: &Given,
    taken: Result<Taken, NotTaken>,
) -> Result<Taken, Problem> {
    let refused = match taken {
        Ok(taken) => return Ok(taken),
        Err(refused) => refused,
    };
    let earlier = asking
        .context
        .amended_before(plant, lifecycle, exception, given);
    match earlier.await? {
        Some(taken) => Ok(taken_again(taken)),
        None => Err(refused.into()),
    }
}

/// What is answered to the same request again.
fn taken_again(taken: Taken) -> Taken {
    match taken {
        Taken::Now | Taken::Before => Taken::Before,
        Taken::AwaitsSecond => Taken::AwaitsSecond,
    }
}

fn answer(
    lifecycle: &LifecycleId,
    exception: &ExceptionId,
    decision: &str,
    taken: Taken,
    changes: Option<Value>,
) -> Answer {
    let waits = taken == Taken::AwaitsSecond;
    Answer {
        // Accepted is not yet done: a second person has to say so too.
        status: if waits { 202 } else { 200 },
        body: json!({
            "id": format!("{lifecycle}/{exception}"),
            "decision": decision,
            "status": if waits { "awaits_second_person" } else { "taken" },
            "changes": changes,
        }),
        replayed: taken == Taken::Before,
    }
}

/// `POST /v1/lifecycles/{id}/cancellations`
pub(super) async fn cancel(asking: &Asking<'_>, id: &str) -> Result<Answer, Problem> {
    let id = LifecycleId::read(id).map_err(|_| Problem::not_found())?;
    asking.may_see(id.plant())?;
    // Who stops an order answers for buying.
    let code = interplant_domain::exception::Code::OrderCancelled;
    asking.may(Action::CancelLifecycle, id.plant(), code)?;
    let body: Cancellation = asking.body()?;
    let given = given(asking, &body.revision, &body.note)?;
    let known = asking.context.store.load(&id).await?;
    let known = known.ok_or_else(Problem::not_found)?;
    let taken = asking.context.cancel(&id, &given).await?;
    let order = known.header.order.as_ref();
    let in_odoo = order.and_then(|order: &PurchaseOrder| order.in_odoo.as_ref());
    Ok(Answer {
        status: 200,
        body: json!({
            "lifecycle": id, "status": "cancelled", "stays_in_odoo": in_odoo.map(|order| &order.name)
        }),
        replayed: taken == Taken::Before,
    })
}
