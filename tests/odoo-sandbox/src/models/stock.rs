//! Transfers, moves and move lines; what a purchase order expects.

use rust_decimal::Decimal;
use serde_json::{Value as Json, json};

use crate::error::{Error, Result};
use crate::models::base::COMPANY;
use crate::models::purchase::{ORDER, lines};
use crate::models::{product, purchase_line};
use crate::orm::write::{Before, Wishes, create_from};
use crate::store::Record;
use crate::transaction::Transaction;
use crate::value::Value;

pub(crate) const PICKING: &str = "stock.picking";
pub(crate) const MOVE: &str = "stock.move";
pub(crate) const MOVE_LINE: &str = "stock.move.line";

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
            record.entry("picked").or_insert(Value::Flag(false));
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

// What an order expects

/// Creates the receipt of a confirmed order.
pub(crate) fn receive_order(tx: &mut Transaction, order: i64) -> Result<()> {
    for line in lines(tx, order) {
        receive_line(tx, order, line)?;
    }
    // Moves are numbered by date, earliest first.
    let Some(picking) = open_receipt(tx, order) else {
        return Ok(());
    };
    let mut moves: Vec<(String, i64)> = tx
        .referring(MOVE, "picking_id", picking)
        .into_iter()
        .map(|entry| (tx.text(MOVE, entry, "date"), entry))
        .collect();
    moves.sort_by(|(a, _), (b, _)| a.cmp(b));
    for (number, (_, entry)) in (1..).zip(&moves) {
        tx.put(MOVE, *entry, "sequence", Value::Int(number * 5));
    }
    if let Some((first, _)) = moves.into_iter().next() {
        tx.put(PICKING, picking, "scheduled_date", Value::Text(first));
    }
    Ok(())
}

/// The receipt of an order that is still open.
fn open_receipt(tx: &Transaction, order: i64) -> Option<i64> {
    super::purchase::pickings(tx, order)
        .into_iter()
        .find(|picking| {
            !matches!(
                tx.text(PICKING, *picking, "state").as_str(),
                "done" | "cancel"
            ) && tx.text(PICKING, *picking, "picking_type_code") == "incoming"
        })
}

/// Adds what a line orders to the order's receipt.
pub(crate) fn receive_line(tx: &mut Transaction, order: i64, line: i64) -> Result<()> {
    let Some(product) = tx.one(purchase_line::LINE, line, "product_id") else {
        return Ok(());
    };
    let quantity = product::rounded_to_unit(
        tx,
        product,
        tx.dec(purchase_line::LINE, line, "product_uom_qty"),
    );
    if tx.text("product.product", product, "type") == "service" || quantity <= Decimal::ZERO {
        return Ok(());
    }
    let kind = tx.one(ORDER, order, "picking_type_id").unwrap_or_default();
    let (from, to) = (
        vendor_location(tx),
        tx.one("stock.picking.type", kind, "default_location_dest_id")
            .unwrap_or_default(),
    );
    let picking = match open_receipt(tx, order) {
        Some(picking) => picking,
        None => new_picking(tx, order, kind, from, to)?,
    };
    expect(tx, line, picking, from, to, quantity)?;
    Ok(())
}

fn vendor_location(tx: &Transaction) -> i64 {
    tx.external("stock.stock_location_suppliers")
        .map_or(0, |(_, id, _)| id)
}

fn new_picking(tx: &mut Transaction, order: i64, kind: i64, from: i64, to: i64) -> Result<i64> {
    let wishes = Wishes::from([
        ("picking_type_id", Value::One(kind)),
        ("partner_id", tx.get(ORDER, order, "partner_id")),
        ("location_id", Value::One(from)),
        ("location_dest_id", Value::One(to)),
        ("origin", tx.get(ORDER, order, "name")),
    ]);
    create_from(tx, tx.model(PICKING)?, wishes)
}

fn expect(
    tx: &mut Transaction,
    line: i64,
    picking: i64,
    from: i64,
    to: i64,
    quantity: Decimal,
) -> Result<i64> {
    let date = tx.get(purchase_line::LINE, line, "date_planned");
    let order = tx
        .one(purchase_line::LINE, line, "order_id")
        .unwrap_or_default();
    let wishes = Wishes::from([
        (
            "product_id",
            tx.get(purchase_line::LINE, line, "product_id"),
        ),
        ("product_uom_qty", Value::Dec(quantity)),
        ("date", date.clone()),
        ("date_deadline", date),
        ("location_id", Value::One(from)),
        ("location_dest_id", Value::One(to)),
        ("picking_id", Value::One(picking)),
        ("purchase_line_id", Value::One(line)),
        (
            "price_unit",
            tx.get(purchase_line::LINE, line, "price_unit"),
        ),
        ("origin", tx.get(ORDER, order, "name")),
        ("state", Value::text("confirmed")),
    ]);
    let entry = create_from(tx, tx.model(MOVE)?, wishes)?;
    if tx.text("stock.location", from, "usage") == "supplier" {
        prefill(tx, entry, quantity)?;
    }
    Ok(entry)
}

/// Fills a move with move lines for a quantity: one line, or one per unit for serial numbers.
pub(crate) fn prefill(tx: &mut Transaction, entry: i64, quantity: Decimal) -> Result<()> {
    let mut left = quantity;
    let serial = tx.text(MOVE, entry, "has_tracking") == "serial";
    while left > Decimal::ZERO {
        let part = if serial { left.min(Decimal::ONE) } else { left };
        new_move_line(tx, entry, part)?;
        left -= part;
    }
    refresh_state(tx, entry);
    Ok(())
}

fn new_move_line(tx: &mut Transaction, entry: i64, quantity: Decimal) -> Result<i64> {
    let wishes = Wishes::from([
        ("move_id", Value::One(entry)),
        ("picking_id", tx.get(MOVE, entry, "picking_id")),
        ("quantity", Value::Dec(quantity)),
        (
            "picked",
            Value::Flag(tx.text(MOVE, entry, "state") == "done"),
        ),
    ]);
    create_from(tx, tx.model(MOVE_LINE)?, wishes)
}

/// A line's new date moves the deadline of its moves, not their date.
pub(crate) fn move_deadline(tx: &mut Transaction, line: i64) {
    let date = tx.get(purchase_line::LINE, line, "date_planned");
    for entry in open_moves(tx, line) {
        tx.put(MOVE, entry, "date_deadline", date.clone());
    }
}

fn open_moves(tx: &Transaction, line: i64) -> Vec<i64> {
    let mut moves = tx.referring(MOVE, "purchase_line_id", line);
    moves.retain(|entry| !matches!(tx.text(MOVE, *entry, "state").as_str(), "done" | "cancel"));
    moves
}

/// The quantity of a confirmed line changed.
pub(crate) fn change_expected(
    tx: &mut Transaction,
    order: i64,
    line: i64,
    lonely: bool,
) -> Result<()> {
    let wanted = tx.dec(purchase_line::LINE, line, "product_uom_qty");
    let outgoing = |tx: &Transaction, entry: i64| {
        tx.one(MOVE, entry, "location_dest_id")
            .is_some_and(|location| tx.text("stock.location", location, "usage") == "supplier")
    };
    let mut expected = Decimal::ZERO;
    for entry in tx.referring(MOVE, "purchase_line_id", line) {
        if tx.text(MOVE, entry, "state") != "cancel" {
            let demand = tx.dec(MOVE, entry, "product_uom_qty");
            expected += if outgoing(tx, entry) { -demand } else { demand };
        }
    }
    let open = open_moves(tx, line)
        .into_iter()
        .find(|entry| !outgoing(tx, *entry));
    let difference = wanted - expected;
    match open {
        _ if difference.is_zero() => Ok(()),
        Some(_) if lonely && difference < Decimal::ZERO => {
            let back = tx
                .external("stock.picking_type_out")
                .map_or(0, |(_, id, _)| id);
            let (from, to) = (
                tx.one("stock.picking.type", back, "default_location_src_id")
                    .unwrap_or_default(),
                vendor_location(tx),
            );
            let picking = new_picking(tx, order, back, from, to)?;
            expect(tx, line, picking, from, to, -difference).map(drop)
        }
        Some(entry) => {
            let demand = tx.dec(MOVE, entry, "product_uom_qty") + difference;
            set_demand(tx, entry, demand.max(Decimal::ZERO))?;
            if demand <= Decimal::ZERO {
                cancel_move(tx, entry);
            }
            Ok(())
        }
        None if difference > Decimal::ZERO => {
            let kind = tx.one(ORDER, order, "picking_type_id").unwrap_or_default();
            let (from, to) = (
                vendor_location(tx),
                tx.one("stock.picking.type", kind, "default_location_dest_id")
                    .unwrap_or_default(),
            );
            let picking = match open_receipt(tx, order) {
                Some(picking) => picking,
                None => new_picking(tx, order, kind, from, to)?,
            };
            expect(tx, line, picking, from, to, difference).map(drop)
        }
        None => Ok(()),
    }
}

// Moves

pub(crate) fn move_lines(tx: &Transaction, entry: i64) -> Vec<i64> {
    tx.referring(MOVE_LINE, "move_id", entry)
}

/// Whether what is there covers what is asked for.
pub(crate) fn refresh_state(tx: &mut Transaction, entry: i64) {
    if matches!(
        tx.text(MOVE, entry, "state").as_str(),
        "done" | "cancel" | "draft"
    ) {
        return;
    }
    let (there, asked) = (
        tx.dec(MOVE, entry, "quantity"),
        tx.dec(MOVE, entry, "product_uom_qty"),
    );
    let state = state_for(there, asked);
    tx.put(MOVE, entry, "state", Value::text(state));
}

fn state_for(there: Decimal, asked: Decimal) -> &'static str {
    if there.is_zero() {
        "confirmed"
    } else if there >= asked {
        "assigned"
    } else {
        "partially_available"
    }
}

/// Sets the quantity of a move through its lines: less is taken from the last, more gets a line of its own.
///
/// A done move is changed like any other, and with it what was received. A new line does not bring the state up to date.
pub(crate) fn set_quantity(tx: &mut Transaction, entry: i64, quantity: Decimal) -> Result<()> {
    let left = reduce(tx, entry, quantity);
    if left > Decimal::ZERO {
        new_move_line(tx, entry, left)?;
    }
    Ok(())
}

/// Sets what is asked for, and reserves it.
pub(crate) fn set_demand(tx: &mut Transaction, entry: i64, demand: Decimal) -> Result<()> {
    tx.put(MOVE, entry, "product_uom_qty", Value::Dec(demand));
    let left = reduce(tx, entry, demand);
    match move_lines(tx, entry).as_slice() {
        [line] if left > Decimal::ZERO && tx.text(MOVE, entry, "has_tracking") != "serial" => {
            let grown = tx.dec(MOVE_LINE, *line, "quantity") + left;
            tx.put(MOVE_LINE, *line, "quantity", Value::Dec(grown));
        }
        _ => prefill(tx, entry, left)?,
    }
    refresh_state(tx, entry);
    Ok(())
}

/// Takes from the lines what is above a quantity; answers what is missing to it.
fn reduce(tx: &mut Transaction, entry: i64, quantity: Decimal) -> Decimal {
    let mut left = quantity;
    let mut changed = false;
    for line in move_lines(tx, entry) {
        let there = tx.dec(MOVE_LINE, line, "quantity");
        let part = there.min(left);
        if left.is_zero() {
            tx.remove(MOVE_LINE, line);
            changed = true;
        } else if part != there {
            tx.put(MOVE_LINE, line, "quantity", Value::Dec(part));
            changed = true;
        }
        left -= part;
    }
    if changed {
        refresh_state(tx, entry);
    }
    left
}

pub(crate) fn guard_move(tx: &Transaction, id: i64, wishes: &Wishes) -> Result<()> {
    check_unit(tx, id, wishes)?;
    match tx.text(MOVE, id, "state").as_str() {
        "done" if wishes.has("product_uom") => Err(Error::user(
            "You cannot change the UoM for a stock move that has been set to 'Done'.",
        )),
        "cancel" if wishes.has("quantity") => Err(Error::user(
            "You cannot change a cancelled stock move, create a new line instead.",
        )),
        _ => Ok(()),
    }
}

/// Before 19 a quantity finer than its unit's step is refused.
fn check_step(tx: &Transaction, id: i64, quantity: Decimal) -> Result<()> {
    let Some(product) = tx.one(MOVE, id, "product_id") else {
        return Ok(());
    };
    if product::rounded_to_unit(tx, product, quantity) == quantity {
        return Ok(());
    }
    let unit = tx
        .one(MOVE, id, "product_uom")
        .map(|unit| tx.text("uom.uom", unit, "name"))
        .unwrap_or_default();
    let name = tx.text("product.product", product, "name");
    Err(Error::user(format!(
        "\nThe quantity done for the product {name} doesn't respect the rounding precision defined on the unit of measure {unit}.\nPlease \
         change the quantity done or the rounding precision of your unit of measure."
    )))
}

/// Before 19 a move's unit has to be of the kind of its product's.
fn check_unit(tx: &Transaction, id: i64, wishes: &Wishes) -> Result<()> {
    let units = wishes
        .get("product_uom")
        .and_then(Value::as_one)
        .zip(tx.one(MOVE, id, "product_id"));
    let Some((unit, product)) = units.filter(|_| tx.version.has_unit_categories()) else {
        return Ok(());
    };
    let own = tx.one("product.product", product, "uom_id").unwrap_or(unit);
    let category = |unit| tx.one("uom.uom", unit, "category_id");
    if category(own) == category(unit) {
        return Ok(());
    }
    let shown = |unit| {
        let category = category(unit)
            .map(|category| tx.text("uom.category", category, "name"))
            .unwrap_or_default();
        format!("{} ({category})", tx.text("uom.uom", unit, "name"))
    };
    let name = product::display_name(tx, "product.product", product);
    Err(Error::user(tx.version.unit_of_other_kind(
        &name,
        &shown(own),
        &shown(unit),
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

pub(crate) fn assign(tx: &mut Transaction, id: i64, key: &str, value: &Value) -> Result<()> {
    match key {
        "quantity" => {
            check_step(tx, id, value.as_dec())?;
            set_quantity(tx, id, value.as_dec())
        }
        "picked" => {
            tx.put(MOVE, id, "picked", value.clone());
            for line in move_lines(tx, id) {
                tx.put(MOVE_LINE, line, "picked", value.clone());
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

pub(crate) fn move_created(tx: &mut Transaction, id: i64) -> Result<()> {
    if tx.text(MOVE, id, "state") == "draft" && tx.dec(MOVE, id, "quantity") > Decimal::ZERO {
        tx.put(MOVE, id, "state", Value::text("assigned"));
    }
    Ok(())
}

pub(crate) fn move_written(
    tx: &mut Transaction,
    id: i64,
    wishes: &Wishes,
    before: &Before,
) -> Result<()> {
    let demand = tx.dec(MOVE, id, "product_uom_qty");
    if wishes.has("product_uom_qty")
        && before.get("product_uom_qty").as_dec() != demand
        && tx.text(MOVE, id, "state") != "done"
    {
        set_demand(tx, id, demand)?;
    }
    Ok(())
}

pub(crate) fn move_line_written(tx: &mut Transaction, id: i64) -> Result<()> {
    if let Some(entry) = tx.one(MOVE_LINE, id, "move_id") {
        refresh_state(tx, entry);
    }
    Ok(())
}

pub(crate) fn move_line_unlinking(tx: &mut Transaction, id: i64) -> Result<()> {
    let Some(entry) = tx.one(MOVE_LINE, id, "move_id") else {
        return Ok(());
    };
    match tx.text(MOVE, entry, "state").as_str() {
        "done" => Err(Error::user(
            "You can not delete product moves if the picking is done. You can only correct the done quantities.",
        )),
        "cancel" | "draft" => Ok(()),
        _ => {
            let rest = tx.dec(MOVE, entry, "quantity") - tx.dec(MOVE_LINE, id, "quantity");
            let state = state_for(rest, tx.dec(MOVE, entry, "product_uom_qty"));
            tx.put(MOVE, entry, "state", Value::text(state));
            Ok(())
        }
    }
}

pub(crate) fn cancel_move(tx: &mut Transaction, entry: i64) {
    for line in move_lines(tx, entry) {
        tx.remove(MOVE_LINE, line);
    }
    tx.put_all(
        MOVE,
        entry,
        [
            ("state", Value::text("cancel")),
            ("picked", Value::Flag(false)),
        ],
    );
}

// Transfers

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
            if matches!(
                tx.text(MOVE, entry, "state").as_str(),
                "draft" | "confirmed"
            ) {
                tx.put(MOVE, entry, "state", Value::text("confirmed"));
                let missing =
                    tx.dec(MOVE, entry, "product_uom_qty") - tx.dec(MOVE, entry, "quantity");
                prefill(tx, entry, missing)?;
            }
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
