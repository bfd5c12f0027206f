//! Moves and their lines: quantities, what was picked, guards.

use rust_decimal::Decimal;

use crate::error::{Error, Result};
use crate::models::product;
use crate::orm::write::{Before, Wishes, create_from};
use crate::transaction::Transaction;
use crate::value::Value;

pub(crate) const MOVE: &str = "stock.move";
pub(crate) const MOVE_LINE: &str = "stock.move.line";

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
    if !tx.flag(MOVE, entry, "picked") {
        reduce(tx, entry, demand);
    }
    reserve(tx, entry)
}

/// Fills a move up to what is asked for. What somebody picked stays as it is.
pub(crate) fn reserve(tx: &mut Transaction, entry: i64) -> Result<()> {
    let left = tx.dec(MOVE, entry, "product_uom_qty") - tx.dec(MOVE, entry, "quantity");
    if left > Decimal::ZERO && !tx.flag(MOVE, entry, "picked") {
        let serial = tx.text(MOVE, entry, "has_tracking") == "serial";
        let growing = move_lines(tx, entry)
            .into_iter()
            .find(|line| !serial && tx.get(MOVE_LINE, *line, "lot_id").is_empty());
        match growing {
            Some(line) => {
                let grown = tx.dec(MOVE_LINE, line, "quantity") + left;
                tx.put(MOVE_LINE, line, "quantity", Value::Dec(grown));
            }
            None => prefill(tx, entry, left)?,
        }
    }
    refresh_state(tx, entry);
    Ok(())
}

/// A move without lines is picked or not as it was with its last one.
fn keep_picked(tx: &mut Transaction, entry: i64) {
    let picked = tx.get(MOVE, entry, "picked");
    tx.put(MOVE, entry, "picked", picked);
}

/// Takes from the lines what is above a quantity; answers what is missing to it.
fn reduce(tx: &mut Transaction, entry: i64, quantity: Decimal) -> Decimal {
    let mut left = quantity;
    let mut changed = false;
    for line in move_lines(tx, entry) {
        let there = tx.dec(MOVE_LINE, line, "quantity");
        let part = there.min(left);
        if left.is_zero() {
            keep_picked(tx, entry);
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

pub(crate) fn assign(tx: &mut Transaction, id: i64, key: &str, value: &Value) -> Result<()> {
    match key {
        "quantity" => {
            check_step(tx, id, value.as_dec())?;
            set_quantity(tx, id, value.as_dec())
        }
        "picked" => {
            set_picked(tx, id, value);
            Ok(())
        }
        _ => Ok(()),
    }
}

pub(crate) fn set_picked(tx: &mut Transaction, entry: i64, picked: &Value) {
    tx.put(MOVE, entry, "picked", picked.clone());
    for line in move_lines(tx, entry) {
        tx.put(MOVE_LINE, line, "picked", picked.clone());
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
            keep_picked(tx, entry);
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
    ]);
    create_from(tx, tx.model(MOVE_LINE)?, wishes)
}
