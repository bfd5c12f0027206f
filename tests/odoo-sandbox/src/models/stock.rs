//! Transfers, and what moves, lots and locations say of themselves.

use rust_decimal::Decimal;
use serde_json::{Value as Json, json};

use crate::error::{Error, Result};
use crate::models::base::COMPANY;
use crate::models::moves::{MOVE, MOVE_LINE, cancel_move, move_lines, reserve};
use crate::models::{product, purchase_line};
use crate::orm::write::Wishes;
use crate::store::Record;
use crate::transaction::Transaction;
use crate::value::Value;

pub(crate) const PICKING: &str = "stock.picking";
pub(crate) const QUANT: &str = "stock.quant";

pub(crate) fn defaults(tx: &mut Transaction, model: &str, record: &mut Record) -> Result<()> {
    record.entry("company_id").or_insert(Value::One(COMPANY));
    let one = |record: &Record, key: &str| record.get(key).and_then(Value::as_one);
    match model {
        PICKING => {
            if let Some(kind) = one(record, "picking_type_id") {
                for (key, from) in [
                    ("location_id", "default_location_src_id"),
                    ("location_dest_id", "default_location_dest_id"),
                ] {
                    let location = tx.get("stock.picking.type", kind, from);
                    record.entry(key).or_insert(location);
                }
                if record.get("name").is_none_or(Value::is_empty) {
                    let code = tx.text("stock.picking.type", kind, "sequence_code");
                    let number = tx.next(&format!("number: stock.picking {code}"));
                    record.insert("name", Value::Text(format!("WH/{code}/{number:05}")));
                }
            }
            record
                .entry("move_type")
                .or_insert_with(|| Value::text("direct"));
            record.entry("priority").or_insert_with(|| Value::text("0"));
            record
                .entry("scheduled_date")
                .or_insert_with(|| Value::Text(tx.now()));
        }
        MOVE => {
            let picking = one(record, "picking_id");
            for key in [
                "location_id",
                "location_dest_id",
                "picking_type_id",
                "partner_id",
            ] {
                if let Some(picking) = picking {
                    let value = tx.get(PICKING, picking, key);
                    record.entry(key).or_insert(value);
                }
            }
            if let Some(product) = one(record, "product_id") {
                let unit = tx.get("product.product", product, "uom_id");
                record.entry("product_uom").or_insert(unit);
                let name = Value::Text(product::display_name(tx, "product.product", product));
                record.entry("name").or_insert(name);
            }
            record
                .entry("product_uom_qty")
                .or_insert(Value::Dec(Decimal::ZERO));
            record
                .entry("date")
                .or_insert_with(|| Value::Text(tx.now()));
            record
                .entry("state")
                .or_insert_with(|| Value::text("draft"));
            record.entry("sequence").or_insert(Value::Int(10));
            record
                .entry("procure_method")
                .or_insert_with(|| Value::text("make_to_stock"));
        }
        MOVE_LINE => {
            let entry = one(record, "move_id");
            for (key, from) in [
                ("product_id", "product_id"),
                ("product_uom_id", "product_uom"),
                ("location_id", "location_id"),
                ("location_dest_id", "location_dest_id"),
            ] {
                if let Some(entry) = entry {
                    let value = tx.get(MOVE, entry, from);
                    record.entry(key).or_insert(value);
                }
            }
            record
                .entry("quantity")
                .or_insert(Value::Dec(Decimal::ZERO));
            // Whatever order `picked` and `quantity` come in, a new line is picked when its move is.
            let picked = entry.is_some_and(|entry| tx.flag(MOVE, entry, "picked"));
            record.entry("picked").or_insert(Value::Flag(picked));
            record
                .entry("date")
                .or_insert_with(|| Value::Text(tx.now()));
        }
        "stock.lot" => {
            if tx.version.since(crate::version::Version::V18)
                && record.get("company_id") == Some(&Value::One(COMPANY))
            {
                // Since 18 a lot belongs to no company unless its product does.
                record.insert("company_id", Value::Null);
            }
        }
        _ => {
            record.entry("active").or_insert(Value::Flag(true));
            record
                .entry("usage")
                .or_insert_with(|| Value::text("internal"));
        }
    }
    Ok(())
}

pub(crate) fn check_lot(tx: &Transaction, id: i64) -> Result<()> {
    let (name, product) = (
        tx.text("stock.lot", id, "name"),
        tx.one("stock.lot", id, "product_id"),
    );
    let Some(product) = product else {
        return Ok(());
    };
    let twin = tx
        .referring("stock.lot", "product_id", product)
        .into_iter()
        .any(|lot| lot != id && tx.text("stock.lot", lot, "name") == name);
    if !twin {
        return Ok(());
    }
    Err(Error::validation(tx.version.lot_exists(
        &product::display_name(tx, "product.product", product),
        &name,
    )))
}

/// The header fields of a transfer that is done or cancelled are guarded, differently per version.
pub(crate) fn guard_picking(tx: &Transaction, id: i64, wishes: &Wishes) -> Result<()> {
    let state = tx.text(PICKING, id, "state");
    if wishes.has("picking_type_id") && tx.version.guards_operation_type(&state) {
        return Err(Error::user(
            "Changing the operation type of this record is forbidden at this point.",
        ));
    }
    Ok(())
}

pub(crate) fn picking_created(tx: &mut Transaction, id: i64) -> Result<()> {
    let first = tx
        .referring(MOVE, "picking_id", id)
        .into_iter()
        .map(|entry| tx.text(MOVE, entry, "date"))
        .min();
    if let Some(first) = first {
        tx.put(PICKING, id, "scheduled_date", Value::Text(first));
    }
    Ok(())
}

pub(crate) fn picking_written(tx: &mut Transaction, id: i64, wishes: &Wishes) -> Result<()> {
    let state = tx.text(PICKING, id, "state");
    if wishes.has("scheduled_date") && tx.version.guards_scheduled_date(&state) {
        return Err(Error::user(
            "You cannot change the Scheduled Date on a done or cancelled transfer.",
        ));
    }
    for (key, moves) in [
        ("scheduled_date", true),
        ("date_done", tx.version.effective_date_moves_moves()),
    ] {
        if let Some(date) = wishes.get(key).filter(|_| moves) {
            for entry in tx.referring(MOVE, "picking_id", id) {
                tx.put(MOVE, entry, "date", date.clone());
            }
        }
    }
    Ok(())
}

pub(crate) fn picking_unlinking(tx: &mut Transaction, id: i64) -> Result<()> {
    cancel_picking(tx, id)?;
    for entry in tx.referring(MOVE, "picking_id", id) {
        tx.remove(MOVE, entry);
    }
    Ok(())
}

pub(crate) fn cancel_picking(tx: &mut Transaction, id: i64) -> Result<()> {
    let moves = tx.referring(MOVE, "picking_id", id);
    if moves
        .iter()
        .any(|entry| tx.text(MOVE, *entry, "state") == "done")
    {
        return Err(Error::user(
            "You cannot cancel a stock move that has been set to 'Done'. Create a return in order to reverse the moves which took place.",
        ));
    }
    for entry in moves {
        cancel_move(tx, entry);
    }
    Ok(())
}

pub(crate) fn cancel_pickings(tx: &mut Transaction, ids: &[i64]) -> Result<Json> {
    for id in ids {
        tx.require(PICKING, *id)?;
        cancel_picking(tx, *id)?;
    }
    Ok(json!(true))
}

pub(crate) fn assign_pickings(tx: &mut Transaction, ids: &[i64]) -> Result<Json> {
    for id in ids {
        tx.require(PICKING, *id)?;
        for entry in tx.referring(MOVE, "picking_id", *id) {
            match tx.text(MOVE, entry, "state").as_str() {
                "draft" => tx.put(MOVE, entry, "state", Value::text("confirmed")),
                "confirmed" | "partially_available" => {}
                _ => continue,
            }
            reserve(tx, entry)?;
        }
    }
    Ok(json!(true))
}

pub(crate) fn move_name(tx: &Transaction, id: i64) -> String {
    let origin = tx
        .one(MOVE, id, "picking_id")
        .map(|picking| tx.text(PICKING, picking, "origin"))
        .unwrap_or_default();
    let code = tx
        .one(MOVE, id, "product_id")
        .map(|product| tx.text("product.product", product, "default_code"))
        .unwrap_or_default();
    let location = |key| {
        tx.one(MOVE, id, key)
            .map(|location| tx.text("stock.location", location, "name"))
            .unwrap_or_default()
    };
    let mut name = String::new();
    if !origin.is_empty() {
        name = format!("{origin}/");
    }
    if !code.is_empty() {
        name = format!("{name}{code}: ");
    }
    format!(
        "{name}{}>{}",
        location("location_id"),
        location("location_dest_id")
    )
}

/// What lies in internal locations, of the done move lines that `counts` picks.
pub(crate) fn on_hand(tx: &Transaction, counts: impl Fn(i64) -> bool) -> Decimal {
    let internal = |location: Option<i64>| {
        location.is_some_and(|id| tx.stored("stock.location", id, "usage").as_text() == "internal")
    };
    let mut total = Decimal::ZERO;
    for line in tx.ids(MOVE_LINE) {
        if !counts(line) || tx.text(MOVE_LINE, line, "state") != "done" {
            continue;
        }
        let quantity = tx.dec(MOVE_LINE, line, "quantity");
        match (
            internal(tx.one(MOVE_LINE, line, "location_id")),
            internal(tx.one(MOVE_LINE, line, "location_dest_id")),
        ) {
            (false, true) => total += quantity,
            (true, false) => total -= quantity,
            _ => {}
        }
    }
    total
}

pub(crate) fn compute(tx: &Transaction, model: &'static str, id: i64, key: &'static str) -> Value {
    match (model, key) {
        (PICKING, "state") => Value::text(picking_state(tx, id)),
        (PICKING, "picking_type_code") => tx
            .one(PICKING, id, "picking_type_id")
            .map(|kind| tx.get("stock.picking.type", kind, "code"))
            .unwrap_or_default(),
        (PICKING, "date_deadline") => {
            let dates = tx
                .referring(MOVE, "picking_id", id)
                .into_iter()
                .map(|entry| tx.text(MOVE, entry, "date_deadline"));
            dates
                .filter(|date| !date.is_empty())
                .min()
                .map_or(Value::Null, Value::Text)
        }
        (PICKING, "purchase_id") => {
            let line = tx
                .referring(MOVE, "picking_id", id)
                .into_iter()
                .find_map(|entry| tx.one(MOVE, entry, "purchase_line_id"));
            line.map(|line| tx.get(purchase_line::LINE, line, "order_id"))
                .unwrap_or_default()
        }
        (MOVE, "quantity" | "product_qty") if key == "quantity" => Value::Dec(
            move_lines(tx, id)
                .into_iter()
                .map(|line| tx.stored(MOVE_LINE, line, "quantity").as_dec())
                .sum(),
        ),
        (MOVE, "product_qty") => tx.get(MOVE, id, "product_uom_qty"),
        (MOVE, "picked") => {
            let lines = move_lines(tx, id);
            let by_lines = lines
                .iter()
                .any(|line| tx.stored(MOVE_LINE, *line, "picked").as_flag());
            let by_itself = lines.is_empty() && tx.stored(MOVE, id, "picked").as_flag();
            Value::Flag(tx.stored(MOVE, id, "state").as_text() == "done" || by_lines || by_itself)
        }
        (MOVE, "lot_ids") => {
            let mut lots = Vec::new();
            for line in move_lines(tx, id) {
                if let Some(lot) = tx
                    .one(MOVE_LINE, line, "lot_id")
                    .filter(|lot| !lots.contains(lot))
                {
                    lots.push(lot);
                }
            }
            Value::Many(lots)
        }
        (MOVE, "has_tracking") | (MOVE_LINE, "tracking") => tx
            .one(model, id, "product_id")
            .map(|product| tx.get("product.product", product, "tracking"))
            .unwrap_or_default(),
        (MOVE, "reference") => match tx.one(MOVE, id, "picking_id") {
            Some(picking) => tx.get(PICKING, picking, "name"),
            None => tx.get(MOVE, id, "name"),
        },
        (MOVE_LINE, "state" | "reference") => tx
            .one(MOVE_LINE, id, "move_id")
            .map(|entry| tx.get(MOVE, entry, key))
            .unwrap_or_default(),
        (MOVE_LINE, "quantity_product_uom") => tx.get(MOVE_LINE, id, "quantity"),
        ("stock.lot", "product_qty") => Value::Dec(on_hand(tx, |line| {
            tx.one(MOVE_LINE, line, "lot_id") == Some(id)
        })),
        ("stock.lot", "product_uom_id") => tx
            .one(model, id, "product_id")
            .map(|product| tx.get("product.product", product, "uom_id"))
            .unwrap_or_default(),
        ("stock.location", "complete_name") => {
            let name = tx.text(model, id, "name");
            match tx.one(model, id, "location_id") {
                Some(parent) if tx.text(model, id, "usage") != "view" => Value::Text(format!(
                    "{}/{name}",
                    tx.text(model, parent, "complete_name")
                )),
                _ => Value::Text(name),
            }
        }
        _ => Value::Null,
    }
}

/// Goods from a vendor need not be reserved: such a transfer is always ready.
fn comes_from_outside(tx: &Transaction, picking: i64) -> bool {
    tx.one(PICKING, picking, "location_id")
        .is_some_and(|location| {
            tx.stored("stock.location", location, "usage").as_text() == "supplier"
        })
}

fn picking_state(tx: &Transaction, id: i64) -> &'static str {
    let states: Vec<Value> = tx
        .referring(MOVE, "picking_id", id)
        .into_iter()
        .map(|entry| tx.stored(MOVE, entry, "state"))
        .collect();
    let all = |wanted: &[&str]| states.iter().all(|state| wanted.contains(&state.as_text()));
    let any = |wanted: &[&str]| states.iter().any(|state| wanted.contains(&state.as_text()));
    if states.is_empty() || any(&["draft"]) {
        "draft"
    } else if all(&["cancel"]) {
        "cancel"
    } else if all(&["done", "cancel"]) {
        "done"
    } else if any(&["assigned", "partially_available"]) || comes_from_outside(tx, id) {
        "assigned"
    } else {
        "confirmed"
    }
}
