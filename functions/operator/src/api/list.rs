//! What is open: one by one, and by cause.

use std::collections::BTreeMap;

use interplant_domain::access::{Action, BusinessDomain, Caller};
use interplant_domain::cause::Cause;
use interplant_domain::exception::{Code, Exception};
use interplant_domain::identifier::{EventId, ExceptionId, LifecycleId, PlantCode};
use interplant_domain::mailbox::{Handling, RaisedException};
use interplant_domain::mask;
use interplant_domain::plant::Plant;
use interplant_runtime::decisions::is_overdue;
use interplant_runtime::files::UnmappedCode;
use interplant_runtime::store::{OpenException, Wanted, groups as grouped, place};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Asking;
use super::problem::{Answer, Problem};

/// Exceptions of a page, when nothing is said of it, and at most.
const PAGE: usize = 50;
const MOST: usize = 200;

/// More exceptions of a plant are not counted.
const MOST_COUNTED: usize = 20_000;

/// Groups of an answer.
const MOST_GROUPS: usize = 500;

/// Codes of files that wait, as far as they are listed with the others.
const UNMAPPED: &str = "code";

/// Something open, wherever it is kept.
pub(super) struct Listed {
    pub(super) id: String,
    pub(super) lifecycle: Option<LifecycleId>,
    pub(super) plant: PlantCode,
    pub(super) cause: Cause,
    pub(super) currency: Option<String>,
    pub(super) raised: RaisedException,
    place: String,
}

impl From<OpenException> for Listed {
    fn from(open: OpenException) -> Self {
        Self {
            id: format!("{}/{}", open.lifecycle, open.raised.id),
            plant: open.lifecycle.plant().clone(),
            lifecycle: Some(open.lifecycle),
            cause: open.cause,
            currency: open.currency,
            raised: open.raised,
            place: open.place,
        }
    }
}

impl From<UnmappedCode> for Listed {
    fn from(missed: UnmappedCode) -> Self {
        let about = format!(
            "feed `{}`: lookup `{}` does not know the code `{}`",
            missed.feed, missed.table, missed.code
        );
        let raised = RaisedException {
            id: ExceptionId::for_cause(&[missed.plant.as_str(), "code", &about]),
            exception: Exception::new(
                Code::UnmappedCode,
                format!("{about}; facts of {} deliveries wait", missed.files.len()),
            ),
            raised_by: "import".to_owned(),
            event_id: EventId::none(),
            owner: missed.owner,
            raised_at: missed.raised_at,
            due_at: missed.due_at,
            blocks: false,
            subject: String::new(),
            two_people: false,
            accepted_by: Vec::new(),
            handling: Handling::default(),
            resolution: None,
        };
        let id = format!("{UNMAPPED}/{}/{}", missed.plant, raised.id);
        Self {
            place: place(missed.due_at, &id),
            id,
            lifecycle: None,
            cause: Cause::named(&missed.plant, Code::UnmappedCode, about),
            currency: None,
            raised,
            plant: missed.plant,
        }
    }
}

/// Codes that somebody may see at a plant; all of them as none.
fn codes(caller: &Caller, plant: &PlantCode, asking: &Asking<'_>) -> Result<Vec<Code>, Problem> {
    let wanted: Option<Code> = match asking.query("code") {
        None => None,
        Some(text) => {
            let known = Code::ALL.iter().find(|code| code.as_str() == text);
            let problem = || {
                Problem::new(
                    400,
                    "invalid_parameter",
                    format!("`{text}` is no code of an exception."),
                )
            };
            Some(*known.ok_or_else(problem)?)
        }
    };
    let domain: Option<BusinessDomain> = asking.query_as("domain")?;
    let seen = Code::ALL.iter().copied().filter(|code| {
        wanted.is_none_or(|wanted| wanted == *code)
            && domain.is_none_or(|domain| domain == code.owner().domain())
            && caller.may(Action::See, plant, *code)
    });
    Ok(seen.collect())
}

/// What is wanted of a plant; none when nothing can fit.
fn wanted(asking: &Asking<'_>, plant: &PlantCode) -> Result<Option<Wanted>, Problem> {
    let codes = codes(&asking.caller, plant, asking)?;
    if codes.is_empty() {
        return Ok(None);
    }
    let overdue = asking.query("overdue") == Some("true");
    let before: Option<Timestamp> = asking.query_as("due_before")?;
    Ok(Some(Wanted {
        owner: asking.query("owner").map(str::to_owned),
        codes: (codes.len() < Code::ALL.len()).then_some(codes),
        cause: asking.query("cause").map(str::to_owned),
        due_before: if overdue {
            Some(before.map_or(asking.now, |before| before.min(asking.now)))
        } else {
            before
        },
        after: asking.query("after").map(str::to_owned),
    }))
}

/// Codes of a plant's files that wait, as far as they are wanted.
async fn unmapped(
    asking: &Asking<'_>,
    plant: &PlantCode,
    wanted: &Wanted,
) -> Result<Vec<Listed>, Problem> {
    let codes = wanted.codes.as_ref();
    if codes.is_some_and(|codes| !codes.contains(&Code::UnmappedCode)) {
        return Ok(Vec::new());
    }
    let missed = asking.context.files.missed(plant, None).await?;
    let fits = |one: &Listed| {
        let raised = &one.raised;
        wanted
            .owner
            .as_ref()
            .is_none_or(|owner| raised.owner == *owner)
            && wanted
                .cause
                .as_ref()
                .is_none_or(|cause| one.cause.key == *cause)
            && wanted
                .due_before
                .is_none_or(|before| raised.due_at < before)
            && wanted.after.as_ref().is_none_or(|after| one.place > *after)
    };
    Ok(missed.into_iter().map(Listed::from).filter(fits).collect())
}

/// `GET /v1/exceptions`
pub(super) async fn exceptions(asking: &Asking<'_>) -> Result<Answer, Problem> {
    let limit = asking
        .query_as::<usize>("limit")?
        .unwrap_or(PAGE)
        .clamp(1, MOST);
    let mut all: Vec<Listed> = Vec::new();
    let mut plants: BTreeMap<PlantCode, Option<Plant>> = BTreeMap::new();
    for plant in asking.plants().await? {
        let Some(wanted) = wanted(asking, &plant)? else {
            continue;
        };
        let store = &asking.context.store;
        let open = store.open_exceptions(&plant, &wanted, limit + 1).await?;
        all.extend(open.into_iter().map(Listed::from));
        all.extend(unmapped(asking, &plant, &wanted).await?);
        let published = asking.context.plants.read(&plant).await?;
        plants.insert(plant, published);
    }
    all.sort_by(|a, b| a.place.cmp(&b.place));
    let more = all.len() > limit;
    all.truncate(limit);
    let next = all.last().filter(|_| more).map(|last| last.place.clone());
    let shown: Vec<Value> = all
        .iter()
        .map(|one| view(one, plants.get(&one.plant).and_then(Option::as_ref), asking))
        .collect();
    Ok(Answer::ok(json!({"exceptions": shown, "next": next})))
}

/// `GET /v1/exceptions/groups`
pub(super) async fn groups(asking: &Asking<'_>) -> Result<Answer, Problem> {
    let mut all: Vec<Value> = Vec::new();
    for plant in asking.plants().await? {
        let Some(wanted) = wanted(asking, &plant)? else {
            continue;
        };
        let store = &asking.context.store;
        let mut open = store.open_exceptions(&plant, &wanted, MOST_COUNTED).await?;
        for one in unmapped(asking, &plant, &wanted).await? {
            open.push(OpenException {
                lifecycle: LifecycleId::new(
                    interplant_domain::identifier::LifecycleKind::Outbox,
                    &plant,
                    UNMAPPED,
                ),
                cause: one.cause,
                currency: None,
                raised: one.raised,
                place: one.place,
            });
        }
        let sight = asking.caller.sight(&plant);
        for mut group in grouped(&open) {
            if mask::tells_money(group.code) && !sight.prices {
                group.amounts_at_risk.clear();
                group.about = group.code.meaning().to_owned();
            }
            let mut shown = json!(group);
            if let Some(shown) = shown.as_object_mut() {
                shown.insert("next_step".to_owned(), json!(group.code.next_step()));
                shown.insert("overdue".to_owned(), json!(group.due_at <= asking.now));
            }
            all.push(shown);
        }
    }
    all.sort_by_key(|group| std::cmp::Reverse(group.get("count").and_then(Value::as_u64)));
    let more = all.len() > MOST_GROUPS;
    all.truncate(MOST_GROUPS);
    Ok(Answer::ok(json!({"groups": all, "more": more})))
}

/// An exception as the caller may read it.
pub(super) fn view(one: &Listed, plant: Option<&Plant>, asking: &Asking<'_>) -> Value {
    let raised = &one.raised;
    let code = raised.exception.code;
    let sight = asking.caller.sight(&one.plant);
    let overdue = is_overdue(raised, asking.now);
    let escalated = plant
        .and_then(|plant| plant.exceptions.escalation.get(&code.owner()))
        .filter(|_| overdue);
    let at_risk = raised.exception.amount_at_risk.map(|amount| {
        if sight.prices {
            json!({"amount": amount, "currency": one.currency})
        } else {
            json!(mask::MASKED)
        }
    });
    json!({
        "id": one.id,
        "lifecycle": one.lifecycle,
        "plant": one.plant,
        "code": code,
        "meaning": code.meaning(),
        "domain": code.owner().domain(),
        "message": mask::message(code, &raised.exception.message, sight),
        "cause": one.cause.key,
        "owner": raised.owner,
        "raised_by": raised.raised_by,
        "raised_at": raised.raised_at,
        "due_at": raised.due_at,
        "overdue": overdue,
        "escalated_to": escalated,
        "blocks": raised.blocks,
        "amount_at_risk": at_risk,
        "two_people": raised.two_people,
        "accepted_by": raised.accepted_by.iter().map(|one| &one.by).collect::<Vec<_>>(),
        "awaits_approval": raised.resolution.is_none() && raised.handling.proposal.is_some(),
        "next_step": code.next_step(),
        "runbook": format!("docs/runbooks/{code}.md"),
    })
}
