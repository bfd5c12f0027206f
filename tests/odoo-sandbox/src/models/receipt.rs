//! `button_validate`: what was picked is done, the rest waits in a backorder, or is dropped.

use rust_decimal::Decimal;
use serde_json::{Value as Json, json};

use crate::error::{Error, Result};
use crate::models::moves::{
    MOVE, MOVE_LINE, cancel_move, move_lines, prefill, reserve, set_picked,
};
use crate::models::product;
use crate::models::stock::{PICKING, QUANT};
use crate::orm::write::{Wishes, create_from};
use crate::transaction::Transaction;
use crate::value::Value;

pub(crate) fn validate(tx: &mut Transaction, ids: &[i64]) -> Result<Json> {
    for id in ids {
        tx.require(PICKING, *id)?;
    }
    let mut open = ids.to_vec();
    if !tx.version.refuses_second_validation() {
        open.retain(|id| tx.text(PICKING, *id, "state") != "done");
    }
    for id in &open {
        check_quantities(tx, *id)?;
        check_lots(tx, *id)?;
    }
    let dropped: Vec<i64> = tx
        .env
        .context
        .get("picking_ids_not_to_backorder")
        .and_then(Json::as_array)
        .into_iter()
        .flatten()
        .filter_map(Json::as_i64)
        .collect();
    if !tx.context_flag("skip_backorder") {
        let asking: Vec<i64> = open
            .iter()
            .copied()
            .filter(|id| leaves_something(tx, *id))
            .collect();
        if !asking.is_empty() {
            return Ok(wizard(&asking));
        }
    }
    if !tx.context_flag("skip_expired") && open.iter().any(|id| has_expired(tx, *id)) {
        return Ok(
            json!({"name": "Confirmation", "type": "ir.actions.act_window", "view_mode": "form", "res_model": "expiry.picking.confirmation", "target": "new"}),
        );
    }
    for id in open {
        done(tx, id, dropped.contains(&id))?;
    }
    Ok(json!(true))
}

/// The question Odoo asks instead of doing anything.
fn wizard(ids: &[i64]) -> Json {
    json!({
        "name": "Create Backorder?",
        "type": "ir.actions.act_window",
        "view_mode": "form",
        "res_model": "stock.backorder.confirmation",
        "views": [[1, "form"]],
        "view_id": 1,
        "target": "new",
        "context": {
            "button_validate_picking_ids": ids,
            "default_show_transfers": ids.len() > 1,
            "default_pick_ids": ids.iter().map(|id| json!([4, id])).collect::<Vec<_>>(),
        },
    })
}

fn active_moves(tx: &Transaction, picking: i64) -> Vec<i64> {
    let mut moves = tx.referring(MOVE, "picking_id", picking);
    moves.retain(|entry| !matches!(tx.text(MOVE, *entry, "state").as_str(), "done" | "cancel"));
    moves
}

/// The moves that will be done: the picked ones, or all that have a quantity when none is picked.
fn chosen(tx: &Transaction, picking: i64) -> Vec<i64> {
    let mut moves = active_moves(tx, picking);
    if moves.iter().any(|entry| tx.flag(MOVE, *entry, "picked")) {
        moves.retain(|entry| tx.flag(MOVE, *entry, "picked"));
    }
    moves
}

fn check_quantities(tx: &Transaction, picking: i64) -> Result<()> {
    if tx.referring(MOVE, "picking_id", picking).is_empty() {
        return Err(Error::user("Please add some items to move."));
    }
    let moves = chosen(tx, picking);
    if moves
        .iter()
        .all(|entry| tx.dec(MOVE, *entry, "quantity").is_zero())
    {
        return Err(Error::user(tx.version.nothing_to_validate()));
    }
    Ok(())
}

fn check_lots(tx: &Transaction, picking: i64) -> Result<()> {
    let mut missing: Vec<String> = Vec::new();
    for entry in chosen(tx, picking) {
        let Some(product) = tx
            .one(MOVE, entry, "product_id")
            .filter(|_| tx.text(MOVE, entry, "has_tracking") != "none")
        else {
            continue;
        };
        let bare = move_lines(tx, entry).into_iter().any(|line| {
            !tx.dec(MOVE_LINE, line, "quantity").is_zero()
                && tx.get(MOVE_LINE, line, "lot_id").is_empty()
                && tx.get(MOVE_LINE, line, "lot_name").is_empty()
        });
        let name = product::display_name(tx, "product.product", product);
        if bare && !missing.contains(&name) {
            missing.push(name);
        }
    }
    if missing.is_empty() {
        Ok(())
    } else {
        Err(Error::user(tx.version.lots_missing(&missing)))
    }
}

/// Whether what is moved may not be used any more; up to 18 a receipt is not asked about it.
fn has_expired(tx: &Transaction, picking: i64) -> bool {
    if tx.text(PICKING, picking, "picking_type_code") == "incoming"
        && !tx.version.asks_about_expired_receipts()
    {
        return false;
    }
    let now = tx.now();
    let mut lines = chosen(tx, picking)
        .into_iter()
        .flat_map(|entry| move_lines(tx, entry));
    lines.any(|line| {
        let of_lot = tx
            .one(MOVE_LINE, line, "lot_id")
            .map(|lot| tx.text("stock.lot", lot, "expiration_date"));
        let date = of_lot.unwrap_or_else(|| tx.text(MOVE_LINE, line, "expiration_date"));
        !date.is_empty() && date < now
    })
}

fn leaves_something(tx: &Transaction, picking: i64) -> bool {
    let chosen = chosen(tx, picking);
    active_moves(tx, picking).into_iter().any(|entry| {
        !chosen.contains(&entry)
            || tx.dec(MOVE, entry, "quantity") < tx.dec(MOVE, entry, "product_uom_qty")
    })
}

/// A move of which less came than was asked for.
struct Short {
    entry: i64,
    missing: Decimal,
    /// When it was planned.
    date: Value,
}

fn done(tx: &mut Transaction, picking: i64, drop_rest: bool) -> Result<()> {
    // Nothing of a move is not done: such a move waits as a whole, picked or not.
    let mut chosen = chosen(tx, picking);
    chosen.retain(|entry| !tx.dec(MOVE, *entry, "quantity").is_zero());
    let rest: Vec<i64> = active_moves(tx, picking)
        .into_iter()
        .filter(|entry| !chosen.contains(entry))
        .collect();
    let mut short = Vec::new();
    for entry in chosen {
        let (asked, date) = (
            tx.dec(MOVE, entry, "product_uom_qty"),
            tx.get(MOVE, entry, "date"),
        );
        finish(tx, entry)?;
        let got = tx.dec(MOVE, entry, "quantity");
        if got < asked {
            short.push(Short {
                entry,
                missing: asked - got,
                date,
            });
        }
    }
    if drop_rest {
        for entry in rest {
            cancel_move(tx, entry);
        }
    } else if !rest.is_empty() || !short.is_empty() {
        backorder(tx, picking, &rest, &short)?;
    }
    let now = tx.now();
    tx.put(PICKING, picking, "date_done", Value::Text(now));
    Ok(())
}

/// Does one move: lots are found or made, empty lines go.
fn finish(tx: &mut Transaction, entry: i64) -> Result<()> {
    let now = tx.now();
    for line in move_lines(tx, entry) {
        if tx.dec(MOVE_LINE, line, "quantity").is_zero() {
            tx.remove(MOVE_LINE, line);
            continue;
        }
        let lot = tx.text(MOVE_LINE, line, "lot_name");
        if !lot.is_empty()
            && tx.get(MOVE_LINE, line, "lot_id").is_empty()
            && tx.text(MOVE, entry, "has_tracking") != "none"
        {
            let expires = tx.get(MOVE_LINE, line, "expiration_date");
            let lot = lot_named(tx, tx.get(MOVE, entry, "product_id"), &lot, expires)?;
            tx.put(MOVE_LINE, line, "lot_id", Value::One(lot));
        }
        moved(tx, line)?;
        tx.put_all(
            MOVE_LINE,
            line,
            [
                ("picked", Value::Flag(true)),
                ("date", Value::Text(now.clone())),
            ],
        );
    }
    tx.put_all(
        MOVE,
        entry,
        [("state", Value::text("done")), ("date", Value::Text(now))],
    );
    // Two receipts of one line at once both change what the line received.
    if let Some(line) = tx.one(MOVE, entry, "purchase_line_id") {
        tx.put_all("purchase.order.line", line, []);
        if let Some(order) = tx
            .one("purchase.order.line", line, "order_id")
            .filter(|_| tx.version.receipt_acknowledges())
        {
            tx.put("purchase.order", order, "acknowledged", Value::Flag(true));
        }
    }
    Ok(())
}

/// What a line moves is counted where it leaves and where it arrives; less than nothing is counted too.
fn moved(tx: &mut Transaction, line: i64) -> Result<()> {
    let Some(product) = tx
        .one(MOVE_LINE, line, "product_id")
        .filter(|product| product::is_stored(tx, *product))
    else {
        return Ok(());
    };
    let quantity = tx.dec(MOVE_LINE, line, "quantity_product_uom");
    let lot = tx.one(MOVE_LINE, line, "lot_id");
    for (place, change) in [("location_id", -quantity), ("location_dest_id", quantity)] {
        let place = tx.get(MOVE_LINE, line, place);
        let known = tx
            .referring(QUANT, "product_id", product)
            .into_iter()
            .find(|quant| {
                tx.get(QUANT, *quant, "location_id") == place
                    && tx.one(QUANT, *quant, "lot_id") == lot
            });
        if let Some(quant) = known {
            let sum = tx.dec(QUANT, quant, "quantity") + change;
            tx.put(QUANT, quant, "quantity", Value::Dec(sum));
            continue;
        }
        let values = [
            ("product_id", Value::One(product)),
            ("location_id", place),
            ("lot_id", lot.map_or(Value::Null, Value::One)),
            ("quantity", Value::Dec(change)),
        ];
        create_from(tx, tx.model(QUANT)?, Wishes::from(values))?;
    }
    Ok(())
}

/// A lot has the date of the first receipt that names it.
fn lot_named(tx: &mut Transaction, product: Value, name: &str, expires: Value) -> Result<i64> {
    let known = product
        .as_one()
        .map(|product| tx.referring("stock.lot", "product_id", product))
        .unwrap_or_default();
    if let Some(lot) = known
        .into_iter()
        .find(|lot| tx.text("stock.lot", *lot, "name") == name)
    {
        return Ok(lot);
    }
    create_from(
        tx,
        tx.model("stock.lot")?,
        Wishes::from([
            ("name", Value::text(name)),
            ("product_id", product),
            ("expiration_date", expires),
        ]),
    )
}

/// What a split move takes from the one it was split from.
const SPLIT: [&str; 10] = [
    "product_id",
    "product_uom",
    "date_deadline",
    "location_id",
    "location_dest_id",
    "purchase_line_id",
    "price_unit",
    "origin",
    "sequence",
    "to_refund",
];

/// A new transfer for what did not come: whole moves go over, short ones are split.
fn backorder(tx: &mut Transaction, picking: i64, rest: &[i64], short: &[Short]) -> Result<()> {
    let mut values = vec![("backorder_id", Value::One(picking))];
    for key in [
        "note",
        "picking_type_id",
        "partner_id",
        "location_id",
        "location_dest_id",
        "origin",
        "move_type",
        "priority",
        "return_id",
    ] {
        values.push((key, tx.get(PICKING, picking, key)));
    }
    let next = create_from(
        tx,
        tx.model(PICKING)?,
        Wishes {
            values,
            lists: Vec::new(),
        },
    )?;
    for entry in rest {
        tx.put(MOVE, *entry, "picking_id", Value::One(next));
        for line in move_lines(tx, *entry) {
            tx.put(MOVE_LINE, line, "picking_id", Value::One(next));
        }
        // The new transfer starts as every transfer does: full, and with nothing picked.
        set_picked(tx, *entry, &Value::Flag(false));
        reserve(tx, *entry)?;
    }
    for Short {
        entry,
        missing,
        date,
    } in short
    {
        let mut values = vec![
            ("picking_id", Value::One(next)),
            ("product_uom_qty", Value::Dec(*missing)),
            ("date", date.clone()),
            ("state", Value::text("confirmed")),
        ];
        for key in SPLIT {
            values.push((key, tx.get(MOVE, *entry, key)));
        }
        tx.put(
            MOVE,
            *entry,
            "product_uom_qty",
            tx.get(MOVE, *entry, "quantity"),
        );
        let split = create_from(
            tx,
            tx.model(MOVE)?,
            Wishes {
                values,
                lists: Vec::new(),
            },
        )?;
        prefill(tx, split, *missing)?;
    }
    let first = tx
        .referring(MOVE, "picking_id", next)
        .into_iter()
        .map(|entry| tx.text(MOVE, entry, "date"))
        .min();
    if let Some(first) = first {
        tx.put(PICKING, next, "scheduled_date", Value::Text(first));
    }
    Ok(())
}
