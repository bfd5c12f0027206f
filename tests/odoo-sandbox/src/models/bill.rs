//! Vendor bills: made from an order, posted, reset, cancelled.

use rust_decimal::Decimal;
use serde_json::{Value as Json, json};

use crate::clock::{day, parse_day};
use crate::error::{Error, Result};
use crate::models::entry::{ENTRY, accounting_date, has_taxes, is_bill, lock_date, settle};
use crate::models::purchase::{ORDER, lines};
use crate::models::purchase_line::LINE;
use crate::orm::write::{Wishes, create_from};
use crate::store::Key;
use crate::transaction::Transaction;
use crate::value::Value;

/// Bills what was received and is not billed yet.
pub(crate) fn create_from_order(tx: &mut Transaction, ids: &[i64]) -> Result<Json> {
    let mut bills = Vec::new();
    for id in ids {
        tx.require(ORDER, *id)?;
    }
    for id in ids {
        let lines: Vec<i64> = lines(tx, *id)
            .into_iter()
            .filter(|line| tx.stored(LINE, *line, "display_type").is_empty())
            .collect();
        let open = |tx: &Transaction, line: i64| !tx.dec(LINE, line, "qty_to_invoice").is_zero();
        if tx.version.refuses_empty_bill() && !lines.iter().any(|line| open(tx, *line)) {
            return Err(Error::user(
                "There is no invoiceable line. If a product has a control policy based on received quantity, please make sure that a quantity \
                 has been received.",
            ));
        }
        let reference = if tx.version.bill_takes_vendor_reference() {
            tx.get(ORDER, *id, "partner_ref")
        } else {
            Value::Null
        };
        let wishes = Wishes::from([
            ("move_type", Value::text("in_invoice")),
            ("partner_id", tx.get(ORDER, *id, "partner_id")),
            ("currency_id", tx.get(ORDER, *id, "currency_id")),
            ("invoice_origin", tx.get(ORDER, *id, "name")),
            (
                "invoice_payment_term_id",
                tx.get(ORDER, *id, "payment_term_id"),
            ),
            ("ref", reference),
        ]);
        let bill = create_from(tx, tx.model(ENTRY)?, wishes)?;
        for line in lines {
            if tx.version.refuses_empty_bill() && !open(tx, line) {
                continue;
            }
            let wishes = Wishes::from([
                ("move_id", Value::One(bill)),
                ("product_id", tx.get(LINE, line, "product_id")),
                ("name", tx.get(LINE, line, "name")),
                ("quantity", tx.get(LINE, line, "qty_to_invoice")),
                ("product_uom_id", tx.get(LINE, line, "product_uom_id")),
                ("price_unit", tx.get(LINE, line, "price_unit")),
                ("discount", tx.get(LINE, line, "discount")),
                ("tax_ids", tx.get(LINE, line, "tax_ids")),
                ("purchase_line_id", Value::One(line)),
            ]);
            create_from(tx, tx.model("account.move.line")?, wishes)?;
        }
        settle(tx, bill)?;
        bills.push(bill);
    }
    let mut action = json!({
        "name": "Bills",
        "type": "ir.actions.act_window",
        "res_model": ENTRY,
        "target": "current",
        "binding_model_id": false,
        "limit": 80,
    });
    if let Some(action) = action.as_object_mut() {
        match bills.as_slice() {
            [bill] => action.insert("res_id".to_owned(), json!(bill)),
            several => action.insert("domain".to_owned(), json!([["id", "in", several]])),
        };
    }
    Ok(action)
}

/// Posts bills and entries; answers false when all went well.
pub(crate) fn post(tx: &mut Transaction, ids: &[i64]) -> Result<Json> {
    for id in ids {
        tx.require(ENTRY, *id)?;
    }
    for id in ids {
        if tx.text(ENTRY, *id, "state") != "draft" {
            return Err(Error::user(format!(
                "The entry {} (id {id}) must be in draft.",
                shown(tx, *id)
            )));
        }
        if tx
            .referring("account.move.line", "move_id", *id)
            .iter()
            .all(|line| tx.text("account.move.line", *line, "display_type") != "product")
        {
            return Err(Error::user("You need to add a line before posting."));
        }
        if is_bill(tx, *id) {
            if tx.get(ENTRY, *id, "partner_id").is_empty() {
                return Err(Error::user(
                    "The field 'Vendor' is required, please complete it to validate the Vendor Bill.",
                ));
            }
            if tx.dec(ENTRY, *id, "amount_total") < Decimal::ZERO {
                return Err(Error::user(
                    "You cannot validate an invoice with a negative total amount. You should create a credit note instead. Use the action menu to \
                     transform it into a credit note or refund.",
                ));
            }
            let Some(invoiced) = parse_day(tx.get(ENTRY, *id, "invoice_date").as_text()) else {
                return Err(Error::user(
                    "The Bill/Refund date is required to validate this document.",
                ));
            };
            let booked = parse_day(tx.get(ENTRY, *id, "date").as_text()).unwrap_or(invoiced);
            // The lock is looked at again: it may have moved since the date was set.
            let taxed = has_taxes(tx, *id);
            if lock_date(tx, taxed).is_some_and(|lock| booked <= lock) {
                let date = accounting_date(tx, invoiced, taxed);
                tx.put(ENTRY, *id, "date", Value::Text(day(date)));
            }
        }
        // A draft that has a number of its period keeps it, and then nobody else may have it.
        let name = number(tx, *id);
        let taken = |other: &i64| {
            other != id
                && tx.text(ENTRY, *other, "state") == "posted"
                && tx.text(ENTRY, *other, "name") == name
        };
        if tx.ids(ENTRY).iter().any(taken) {
            return Err(Error::validation(
                "The operation cannot be completed: Another entry with the same name already exists.",
            ));
        }
        tx.put_all(
            ENTRY,
            *id,
            [
                ("state", Value::text("posted")),
                ("posted_before", Value::Flag(true)),
                ("name", Value::Text(name)),
            ],
        );
    }
    Ok(json!(false))
}

fn shown(tx: &Transaction, id: i64) -> String {
    let name = tx.text(ENTRY, id, "name");
    if name.is_empty() {
        "False".to_owned()
    } else {
        name
    }
}

/// The journal and month a number belongs to, `BILL/2026/11/`.
fn prefix(tx: &Transaction, id: i64) -> String {
    let journal = tx
        .one(ENTRY, id, "journal_id")
        .map(|journal| tx.text("account.journal", journal, "code"))
        .unwrap_or_default();
    let date = tx.text(ENTRY, id, "date");
    let refund = if tx
        .stored(ENTRY, id, "move_type")
        .as_text()
        .ends_with("_refund")
    {
        "R"
    } else {
        ""
    };
    format!(
        "{refund}{journal}/{}/{}/",
        date.get(..4).unwrap_or_default(),
        date.get(5..7).unwrap_or_default()
    )
}

fn last_number(tx: &Transaction, prefix: &str) -> Option<u32> {
    let names = tx
        .ids(ENTRY)
        .into_iter()
        .map(|other| tx.stored(ENTRY, other, "name"));
    names
        .filter_map(|name| {
            name.as_text()
                .strip_prefix(prefix)
                .and_then(|number| number.parse().ok())
        })
        .max()
}

pub(crate) fn is_first_of_month(tx: &Transaction, id: i64) -> bool {
    last_number(tx, &prefix(tx, id)).is_none()
}

/// The next number of a journal and month; one that was given stays, unless the date has left its month unposted.
pub(crate) fn number(tx: &mut Transaction, id: i64) -> String {
    let (name, prefix) = (tx.text(ENTRY, id, "name"), prefix(tx, id));
    let stays = name.starts_with(&prefix) || tx.flag(ENTRY, id, "posted_before");
    if stays && !name.is_empty() && name != "/" {
        return name;
    }
    tx.touch(Key::Numbering(prefix.clone()));
    format!(
        "{prefix}{:04}",
        last_number(tx, &prefix).unwrap_or_default() + 1
    )
}

pub(crate) fn reset(tx: &mut Transaction, ids: &[i64]) -> Result<Json> {
    for id in ids {
        tx.require(ENTRY, *id)?;
        if !matches!(tx.text(ENTRY, *id, "state").as_str(), "posted" | "cancel") {
            return Err(Error::user(
                "Only posted/cancelled journal entries can be reset to draft.",
            ));
        }
        tx.put(ENTRY, *id, "state", Value::text("draft"));
    }
    Ok(Json::Null)
}

pub(crate) fn cancel(tx: &mut Transaction, ids: &[i64]) -> Result<Json> {
    for id in ids {
        tx.require(ENTRY, *id)?;
        if tx.text(ENTRY, *id, "state") == "cancel" {
            return Err(Error::user("Only draft journal entries can be cancelled."));
        }
        tx.put(ENTRY, *id, "state", Value::text("cancel"));
    }
    Ok(Json::Null)
}
