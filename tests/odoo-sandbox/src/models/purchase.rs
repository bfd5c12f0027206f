//! Purchase orders.

use serde_json::{Value as Json, json};

use crate::error::{Error, Result};
use crate::models::base::{COMPANY, company_currency};
use crate::models::purchase_line;
use crate::models::taxes;
use crate::models::{expected, stock};
use crate::orm::search::sort;
use crate::orm::write::Wishes;
use crate::store::Record;
use crate::transaction::Transaction;
use crate::value::Value;

pub(crate) const ORDER: &str = "purchase.order";
const LINE: &str = "purchase.order.line";

pub(crate) fn defaults(tx: &mut Transaction, record: &mut Record) -> Result<()> {
    let unnamed = record
        .get("name")
        .is_none_or(|name| name.is_empty() || matches!(name.as_text(), "New" | "/"));
    if unnamed && record.get("partner_id").is_some() {
        record.insert(
            "name",
            Value::Text(format!("P{:05}", tx.next("number: purchase.order"))),
        );
    }
    let partner = record.get("partner_id").and_then(Value::as_one);
    let currency = partner
        .and_then(|partner| tx.one("res.partner", partner, "property_purchase_currency_id"))
        .or_else(|| company_currency(tx));
    let terms = partner
        .and_then(|partner| tx.one("res.partner", partner, "property_supplier_payment_term_id"));
    let receipts = tx.external("stock.picking_type_in").map(|(_, id, _)| id);
    for (key, value) in [
        ("name", Value::text("New")),
        ("state", Value::text("draft")),
        ("date_order", Value::Text(tx.now())),
        ("company_id", Value::One(COMPANY)),
        ("currency_id", Value::one(currency)),
        ("payment_term_id", Value::one(terms)),
        ("user_id", Value::One(tx.env.user)),
        ("picking_type_id", Value::one(receipts)),
        ("priority", Value::text("0")),
    ] {
        record.entry(key).or_insert(value);
    }
    Ok(())
}

pub(crate) fn display_name(tx: &Transaction, id: i64) -> String {
    let (name, reference) = (
        tx.text(ORDER, id, "name"),
        tx.text(ORDER, id, "partner_ref"),
    );
    if reference.is_empty() {
        name
    } else {
        format!("{name} ({reference})")
    }
}

/// Writing the expected arrival of an order moves all its lines.
pub(crate) fn written(tx: &mut Transaction, id: i64, wishes: &Wishes) -> Result<()> {
    if let Some(date) = wishes.get("date_planned").filter(|date| !date.is_empty()) {
        for line in tx.referring(LINE, "order_id", id) {
            tx.put(LINE, line, "date_planned", date.clone());
        }
    }
    Ok(())
}

/// The order's expected arrival is the first of its lines'.
pub(crate) fn refresh_arrival(tx: &mut Transaction, id: i64) {
    let first = tx
        .referring(LINE, "order_id", id)
        .into_iter()
        .map(|line| tx.text(LINE, line, "date_planned"))
        .filter(|date| !date.is_empty())
        .min();
    if let Some(first) = first {
        tx.put(ORDER, id, "date_planned", Value::Text(first));
    }
}

pub(crate) fn lines(tx: &Transaction, id: i64) -> Vec<i64> {
    tx.many(ORDER, id, "order_line")
}

pub(crate) fn is_confirmed(tx: &Transaction, id: i64) -> bool {
    matches!(tx.stored(ORDER, id, "state").as_text(), "purchase" | "done")
}

/// All transfers of an order.
pub(crate) fn pickings(tx: &Transaction, id: i64) -> Vec<i64> {
    let mut pickings = Vec::new();
    for line in tx.referring(LINE, "order_id", id) {
        for entry in tx.referring("stock.move", "purchase_line_id", line) {
            if let Some(picking) = tx
                .one("stock.move", entry, "picking_id")
                .filter(|picking| !pickings.contains(picking))
            {
                pickings.push(picking);
            }
        }
    }
    ordered(tx, "stock.picking", pickings)
}

/// All bills of an order.
pub(crate) fn bills(tx: &Transaction, id: i64) -> Vec<i64> {
    let mut bills = Vec::new();
    for line in tx.referring(LINE, "order_id", id) {
        for item in tx.referring("account.move.line", "purchase_line_id", line) {
            if let Some(bill) = tx
                .one("account.move.line", item, "move_id")
                .filter(|bill| !bills.contains(bill))
            {
                bills.push(bill);
            }
        }
    }
    ordered(tx, "account.move", bills)
}

fn ordered(tx: &Transaction, model: &str, ids: Vec<i64>) -> Vec<i64> {
    tx.model(model)
        .and_then(|model| sort(tx, model, ids, model.order))
        .unwrap_or_default()
}

pub(crate) fn compute(tx: &Transaction, id: i64, key: &'static str) -> Value {
    let totals = || {
        let items: Vec<taxes::Item> = tx
            .referring(LINE, "order_id", id)
            .into_iter()
            .map(|line| purchase_line::item(tx, line))
            .collect();
        taxes::totals(tx, &items)
    };
    let count = |ids: Vec<i64>| Value::Int(i64::try_from(ids.len()).unwrap_or_default());
    match key {
        "amount_untaxed" => Value::Dec(totals().untaxed),
        "amount_tax" => Value::Dec(totals().tax()),
        "amount_total" => Value::Dec(totals().total()),
        "invoice_ids" => Value::Many(bills(tx, id)),
        "invoice_count" => count(bills(tx, id)),
        "picking_ids" => Value::Many(pickings(tx, id)),
        "incoming_picking_count" => count(pickings(tx, id)),
        "invoice_status" => Value::text(invoice_status(tx, id)),
        "receipt_status" => receipt_status(tx, id),
        "effective_date" => {
            let done = pickings(tx, id)
                .into_iter()
                .map(|picking| tx.text("stock.picking", picking, "date_done"));
            done.filter(|date| !date.is_empty())
                .min()
                .map_or(Value::Null, Value::Text)
        }
        "date_calendar_start" => {
            let approved = tx.get(ORDER, id, "date_approve");
            if approved.is_empty() {
                tx.get(ORDER, id, "date_order")
            } else {
                approved
            }
        }
        "product_id" => lines(tx, id)
            .first()
            .map(|line| tx.get(LINE, *line, "product_id"))
            .unwrap_or_default(),
        _ => Value::Null,
    }
}

fn invoice_status(tx: &Transaction, id: i64) -> &'static str {
    if !is_confirmed(tx, id) {
        return "no";
    }
    let open = lines(tx, id).into_iter().any(|line| {
        tx.stored(LINE, line, "display_type").is_empty()
            && !tx.dec(LINE, line, "qty_to_invoice").is_zero()
    });
    match (open, bills(tx, id).is_empty()) {
        (true, _) => "to invoice",
        (false, false) => "invoiced",
        (false, true) => "no",
    }
}

fn receipt_status(tx: &Transaction, id: i64) -> Value {
    let states: Vec<String> = pickings(tx, id)
        .into_iter()
        .map(|picking| tx.text("stock.picking", picking, "state"))
        .collect();
    if states.iter().all(|state| state == "cancel") {
        Value::Null
    } else if states
        .iter()
        .all(|state| state == "done" || state == "cancel")
    {
        Value::text("full")
    } else if states.iter().any(|state| state == "done") {
        Value::text("partial")
    } else {
        Value::text("pending")
    }
}

fn require_all(tx: &Transaction, ids: &[i64]) -> Result<()> {
    ids.iter().try_for_each(|id| tx.require(ORDER, *id))
}

pub(crate) fn confirm(tx: &mut Transaction, ids: &[i64]) -> Result<Json> {
    require_all(tx, ids)?;
    for id in ids {
        if !matches!(tx.text(ORDER, *id, "state").as_str(), "draft" | "sent") {
            continue;
        }
        if may_approve(tx, *id) {
            approve_one(tx, *id)?;
        } else {
            tx.put(ORDER, *id, "state", Value::text("to approve"));
        }
    }
    Ok(json!(true))
}

/// With two-step approval only a purchase manager confirms an order from the threshold on.
fn may_approve(tx: &Transaction, id: i64) -> bool {
    tx.text("res.company", COMPANY, "po_double_validation") != "two_step"
        || tx.dec(ORDER, id, "amount_total")
            < tx.dec("res.company", COMPANY, "po_double_validation_amount")
        || tx.env.user == crate::seed::ADMINISTRATOR
}

/// Does nothing, and says so with an empty dict, when the caller may not approve.
pub(crate) fn approve(tx: &mut Transaction, ids: &[i64]) -> Result<Json> {
    require_all(tx, ids)?;
    for id in ids {
        if may_approve(tx, *id) && !is_confirmed(tx, *id) {
            approve_one(tx, *id)?;
        }
    }
    Ok(json!({}))
}

fn approve_one(tx: &mut Transaction, id: i64) -> Result<()> {
    let now = tx.now();
    tx.put_all(
        ORDER,
        id,
        [
            ("state", Value::text("purchase")),
            ("date_approve", Value::Text(now)),
        ],
    );
    if tx.text("res.company", COMPANY, "po_lock") == "lock" {
        lock(tx, &[id], true)?;
    }
    expected::receive_order(tx, id)
}

pub(crate) fn cancel(tx: &mut Transaction, ids: &[i64]) -> Result<Json> {
    require_all(tx, ids)?;
    for id in ids {
        let received = pickings(tx, *id)
            .into_iter()
            .any(|picking| tx.text("stock.picking", picking, "state") == "done");
        let billed = bills(tx, *id)
            .into_iter()
            .any(|bill| tx.text("account.move", bill, "state") == "posted");
        let name = tx.text(ORDER, *id, "name");
        if let Some(refusal) =
            tx.version
                .cancel_refusal(&name, &display_name(tx, *id), received, billed)
        {
            return Err(Error::user(refusal));
        }
        for picking in pickings(tx, *id) {
            if tx.text("stock.picking", picking, "state") != "done" {
                stock::cancel_picking(tx, picking)?;
            }
        }
        tx.put(ORDER, *id, "state", Value::text("cancel"));
    }
    Ok(Json::Null)
}

pub(crate) fn reset(tx: &mut Transaction, ids: &[i64]) -> Result<Json> {
    require_all(tx, ids)?;
    for id in ids {
        tx.put(ORDER, *id, "state", Value::text("draft"));
    }
    Ok(json!({}))
}

pub(crate) fn lock(tx: &mut Transaction, ids: &[i64], locked: bool) -> Result<Json> {
    require_all(tx, ids)?;
    for id in ids {
        if tx.version.lock_is_a_flag() {
            tx.put(ORDER, *id, "locked", Value::Flag(locked));
        } else {
            tx.put(
                ORDER,
                *id,
                "state",
                Value::text(if locked { "done" } else { "purchase" }),
            );
        }
    }
    Ok(Json::Null)
}

pub(crate) fn unlinking(tx: &mut Transaction, id: i64) -> Result<()> {
    if tx.text(ORDER, id, "state") == "cancel" {
        return Ok(());
    }
    Err(Error::user(
        "In order to delete a purchase order, you must cancel it first.",
    ))
}
