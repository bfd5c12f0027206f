//! One exception with what a person needs to decide it.

use interplant_domain::access::Action;
use interplant_domain::cause::Cause;
use interplant_domain::exception::Code;
use interplant_domain::lifecycle::Lifecycle;
use interplant_domain::mailbox::{Entry, RaisedException};
use interplant_domain::mask;
use interplant_domain::purchase_order::Step;
use interplant_runtime::inbox::Row;
use interplant_runtime::store::{OpenException, Store as _, place};
use serde_json::{Value, json};

use super::list::{Listed, view};
use super::problem::{Answer, Problem};
use super::{Asking, address};

/// `GET /v1/exceptions/{id}`
pub(super) async fn exception(asking: &Asking<'_>, id: &str) -> Result<Answer, Problem> {
    if let Some(missed) = id.strip_prefix("code/") {
        return unmapped(asking, missed).await;
    }
    let (lifecycle_id, exception) = address(id)?;
    let plant_code = lifecycle_id.plant().clone();
    asking.may_see(&plant_code)?;
    let context = asking.context;
    let raised = context.store.exception(&lifecycle_id, &exception).await?;
    let raised = raised.ok_or_else(Problem::not_found)?;
    let code = raised.exception.code;
    asking.may(Action::See, &plant_code, code)?;
    let lifecycle = context.store.load(&lifecycle_id).await?;
    let lifecycle = lifecycle.ok_or_else(Problem::not_found)?;
    let plant = context.plants.read(&plant_code).await?;
    let sight = asking.caller.sight(&plant_code);
    let entry = context.store.entry(&lifecycle_id, &raised.event_id).await?;
    // A fact that was held at the door is in no mailbox.
    let row = match &entry {
        Some(entry) => context.inbox.by_key(&entry.inbox_key).await?,
        None => context.inbox.by_event(&raised.event_id).await?,
    };
    let matched = match &entry {
        Some(entry) => {
            let store = &context.store;
            let operation = store.operation(&lifecycle_id, entry.sequence, Step::MatchInvoice);
            operation.await?
        }
        None => None,
    };
    let order = lifecycle.header.order.as_ref();
    let supplier = order.map(|order| order.supplier.as_str());
    let cause = Cause::of(&lifecycle_id, code, &raised.exception.message, supplier);
    let listed = Listed::from(OpenException {
        place: place(raised.due_at, raised.id.as_str()),
        lifecycle: lifecycle_id.clone(),
        cause,
        currency: order.map(|order| order.currency.as_str().to_owned()),
        raised: raised.clone(),
    });
    let mut shown = view(&listed, plant.as_ref(), asking);
    let proposal = raised.handling.proposal.as_ref().map(|proposal| {
        let mut shown = json!(proposal);
        if let Some(shown) = shown.as_object_mut() {
            shown.insert(
                "changes".to_owned(),
                json!(mask::changes(&proposal.changes, sight)),
            );
        }
        shown
    });
    let explanation = matched
        .filter(|_| sight.prices)
        .map(|operation| operation.operation.plan);
    if let Some(fields) = shown.as_object_mut() {
        let more = [
            ("revision", json!(lifecycle.header.revision)),
            ("lifecycle_status", json!(lifecycle.header.status)),
            ("fact", fact(entry.as_ref(), row.as_ref(), asking)),
            ("order_lines", lines(&lifecycle, row.as_ref(), sight.prices)),
            ("match", json!(explanation)),
            ("proposal", json!(proposal)),
            ("assigned", json!(raised.handling.assigned)),
            ("turned_down", json!(raised.handling.turned_down)),
            ("resolution", json!(raised.resolution)),
            ("may", json!(possible(&lifecycle, &raised, asking))),
        ];
        fields.extend(more.map(|(name, value)| (name.to_owned(), value)));
    }
    Ok(Answer::ok(shown))
}

/// A code of files that wait: it is mended by the plant's configuration, not decided.
async fn unmapped(asking: &Asking<'_>, id: &str) -> Result<Answer, Problem> {
    let (plant, _) = id.split_once('/').ok_or_else(Problem::not_found)?;
    let plant = plant.parse().map_err(|_| Problem::not_found())?;
    asking.may_see(&plant)?;
    asking.may(Action::See, &plant, Code::UnmappedCode)?;
    let missed = asking.context.files.missed(&plant, None).await?;
    let full = format!("code/{id}");
    for missed in missed {
        let deliveries = missed.files.clone();
        let listed = Listed::from(missed);
        if listed.id == full {
            let published = asking.context.plants.read(&plant).await?;
            let mut shown = view(&listed, published.as_ref(), asking);
            if let Some(fields) = shown.as_object_mut() {
                fields.insert("deliveries".to_owned(), json!(deliveries));
                fields.insert("may".to_owned(), json!([]));
            }
            return Ok(Answer::ok(shown));
        }
    }
    Err(Problem::not_found())
}

fn fact(entry: Option<&Entry>, row: Option<&Row>, asking: &Asking<'_>) -> Value {
    let Some(row) = row else { return Value::Null };
    let sight = asking.caller.sight(&row.plant);
    let amendment = row.amendment.as_ref().map(|amendment| {
        json!({"of": amendment.of, "by": amendment.by, "reason": amendment.reason, "changes": mask::changes(&amendment.changes, sight)})
    });
    json!({
        "event": row.event_id,
        "type": row.kind.event_type(),
        "number": entry.map(|entry| &entry.number),
        "state": entry.map(|entry| &entry.state),
        "source": row.source,
        "sender_id": row.sender_id,
        "happened_at": row.happened_at,
        "received_at": row.received_at,
        "data": mask::data(&row.data, sight),
        "amendment": amendment,
    })
}

/// The order's lines that a fact names; all of them when it names none.
fn lines(lifecycle: &Lifecycle, row: Option<&Row>, prices: bool) -> Value {
    let Some(order) = &lifecycle.header.order else {
        return Value::Null;
    };
    let named: Vec<&str> = row
        .and_then(|row| {
            row.data
                .get("lines")
                .or_else(|| row.data.get("changedLines"))
        })
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|line| line.get("lineNo")?.as_str())
        .collect();
    let lines = order
        .lines
        .iter()
        .filter(|line| named.is_empty() || named.contains(&line.line_no.as_str()))
        .map(|line| {
            let price = if prices {
                json!(line.unit_price)
            } else {
                json!(mask::MASKED)
            };
            json!({
                "line": line.line_no, "item": line.item, "unit": line.uom, "ordered": line.ordered, "price": price,
                "received": line.received(), "invoiced": line.invoiced(), "cancelled": line.cancelled
            })
        });
    lines.collect()
}

/// What the caller may decide about it now.
fn possible(
    lifecycle: &Lifecycle,
    raised: &RaisedException,
    asking: &Asking<'_>,
) -> Vec<&'static str> {
    let code = raised.exception.code;
    let plant = lifecycle.header.id.plant();
    if raised.resolution.is_some() || !asking.caller.may(Action::Decide, plant, code) {
        return Vec::new();
    }
    let me = &asking.caller.subject;
    let only_skip = code.is_of_outbox() || code == Code::ConflictingFact;
    let amendable = lifecycle
        .amendable(&raised.id, None, asking.now)
        .is_ok_and(|(_, entry)| !entry.number.is_empty());
    let mut may = vec!["skip", "assign"];
    if !only_skip {
        may.push("retry");
    }
    if code.may_be_accepted() && !raised.accepted_by.iter().any(|one| one.by == *me) {
        may.push("accept");
    }
    if amendable {
        may.push("amend");
    }
    if let Some(proposal) = &raised.handling.proposal {
        may.push("turn-down");
        if proposal.given.by != *me {
            may.push("approve");
        }
    }
    may
}
