//! Purchase order lines.

use rust_decimal::Decimal;
use serde_json::Value as Json;

use crate::error::{Error, Result};
use crate::models::expected;
use crate::models::product;
use crate::models::purchase::{ORDER, is_confirmed, refresh_arrival};
use crate::models::taxes::{self, Item};
use crate::orm::write::{Before, Wishes};
use crate::schema::Field;
use crate::store::Record;
use crate::transaction::Transaction;
use crate::value::{Value, round};

pub(crate) const LINE: &str = "purchase.order.line";

pub(crate) fn defaults(
    tx: &Transaction,
    record: &mut Record,
    lists: &[(&'static Field, Json)],
) -> Result<()> {
    record.entry("sequence").or_insert(Value::Int(10));
    record
        .entry("discount")
        .or_insert(Value::Dec(Decimal::ZERO));
    record
        .entry("qty_received_manual")
        .or_insert(Value::Dec(Decimal::ZERO));
    let section = record
        .get("display_type")
        .is_some_and(|kind| !kind.is_empty());
    let quantity = if section { Decimal::ZERO } else { Decimal::ONE };
    record.entry("product_qty").or_insert(Value::Dec(quantity));
    let Some(product) = record.get("product_id").and_then(Value::as_one) else {
        record
            .entry("price_unit")
            .or_insert(Value::Dec(Decimal::ZERO));
        return Ok(());
    };
    let unit = tx
        .one("product.product", product, "uom_po_id")
        .or_else(|| tx.one("product.product", product, "uom_id"));
    record.entry("product_uom_id").or_insert(Value::one(unit));
    if record.get("name").is_none_or(Value::is_empty) {
        let mut name = product::display_name(tx, "product.product", product);
        let more = tx.text("product.product", product, "description_purchase");
        if !more.is_empty() {
            name = format!("{name}\n{more}");
        }
        record.insert("name", Value::Text(name));
    }
    let vendor = record
        .get("order_id")
        .and_then(Value::as_one)
        .and_then(|order| tx.one(ORDER, order, "partner_id"));
    let price = record
        .get("price_unit")
        .map_or_else(|| usual_price(tx, product, vendor), Value::as_dec);
    record.insert("price_unit", Value::Dec(rounded_price(tx, price)));
    record
        .entry("date_planned")
        .or_insert_with(|| Value::Text(tx.now()));
    if !lists.iter().any(|(field, _)| field.key == "tax_ids") {
        record.insert(
            "tax_ids",
            Value::Many(tx.many("product.product", product, "supplier_taxes_id")),
        );
    }
    Ok(())
}

/// The vendor's price, or what the product costs.
fn usual_price(tx: &Transaction, product: i64, vendor: Option<i64>) -> Decimal {
    let offers = tx.many("product.product", product, "seller_ids");
    let offer = offers
        .into_iter()
        .find(|offer| tx.one("product.supplierinfo", *offer, "partner_id") == vendor);
    offer.map_or_else(
        || tx.dec("product.product", product, "standard_price"),
        |offer| tx.dec("product.supplierinfo", offer, "price"),
    )
}

fn rounded_price(tx: &Transaction, price: Decimal) -> Decimal {
    let digits = crate::orm::convert::digits(tx, crate::schema::Digits::Price);
    digits.map_or(price, |digits| round(price, digits))
}

pub(crate) fn created(tx: &mut Transaction, id: i64) -> Result<()> {
    let Some(order) = tx.one(LINE, id, "order_id") else {
        return Ok(());
    };
    check_unit(tx, id)?;
    refresh_arrival(tx, order);
    if is_confirmed(tx, order) {
        expected::receive_line(tx, order, id)
    } else {
        Ok(())
    }
}

fn check_unit(tx: &Transaction, id: i64) -> Result<()> {
    let product = tx
        .one(LINE, id, "product_id")
        .and_then(|product| tx.one("product.product", product, "uom_id"));
    match tx.one(LINE, id, "product_uom_id").zip(product) {
        Some((from, to)) => product::convert(tx, Decimal::ONE, from, to).map(drop),
        None => Ok(()),
    }
}

/// A change of a confirmed line changes what is expected.
///
/// A quantity that comes without a date resets the date to now; a smaller one then becomes a transfer back to the vendor.
pub(crate) fn written(
    tx: &mut Transaction,
    id: i64,
    wishes: &Wishes,
    before: &Before,
) -> Result<()> {
    let Some(order) = tx.one(LINE, id, "order_id") else {
        return Ok(());
    };
    check_unit(tx, id)?;
    let confirmed = is_confirmed(tx, order);
    let (old, new) = (
        before.get("product_qty").as_dec(),
        tx.dec(LINE, id, "product_qty"),
    );
    let lonely = wishes.has("product_qty") && old != new && !wishes.has("date_planned");
    if lonely {
        let now = tx.now();
        tx.put(LINE, id, "date_planned", Value::Text(now));
    }
    if confirmed {
        if wishes.has("date_planned") {
            expected::move_deadline(tx, id);
        }
        if old != new {
            expected::change_expected(tx, order, id, lonely)?;
        }
    }
    refresh_arrival(tx, order);
    Ok(())
}

pub(crate) fn unlinking(tx: &mut Transaction, id: i64) -> Result<()> {
    match tx.one(LINE, id, "order_id") {
        Some(order) if is_confirmed(tx, order) => Err(Error::user(tx.version.cannot_delete_line())),
        _ => Ok(()),
    }
}

/// A line as far as money goes.
pub(crate) fn item(tx: &Transaction, id: i64) -> Item {
    Item {
        price: tx.dec(LINE, id, "price_unit"),
        quantity: tx.dec(LINE, id, "product_qty"),
        discount: tx.dec(LINE, id, "discount"),
        taxes: tx.many(LINE, id, "tax_ids"),
    }
}

pub(crate) fn compute(tx: &Transaction, id: i64, key: &'static str) -> Value {
    match key {
        "price_subtotal" => Value::Dec(taxes::line(tx, &item(tx, id)).untaxed),
        "price_tax" => Value::Dec(taxes::line(tx, &item(tx, id)).tax()),
        "price_total" => Value::Dec(taxes::line(tx, &item(tx, id)).total()),
        "product_uom_qty" => {
            let units = tx.one(LINE, id, "product_uom_id").zip(
                tx.one(LINE, id, "product_id")
                    .and_then(|p| tx.one("product.product", p, "uom_id")),
            );
            let quantity = tx.dec(LINE, id, "product_qty");
            Value::Dec(
                units
                    .and_then(|(from, to)| product::convert(tx, quantity, from, to).ok())
                    .unwrap_or(quantity),
            )
        }
        "qty_received_method" => match tx.one(LINE, id, "product_id") {
            Some(product) if tx.text("product.product", product, "type") == "service" => {
                Value::text("manual")
            }
            Some(_) => Value::text("stock_moves"),
            None => Value::Null,
        },
        "qty_received" => Value::Dec(received(tx, id)),
        "qty_invoiced" => Value::Dec(invoiced(tx, id)),
        "qty_to_invoice" => Value::Dec(to_invoice(tx, id)),
        _ => Value::Null,
    }
}

/// What came in on done moves, less what went back with the flag to refund.
fn received(tx: &Transaction, id: i64) -> Decimal {
    if tx.text(LINE, id, "qty_received_method") != "stock_moves" {
        return tx.stored(LINE, id, "qty_received_manual").as_dec();
    }
    let mut total = Decimal::ZERO;
    for entry in tx.referring("stock.move", "purchase_line_id", id) {
        if tx.stored("stock.move", entry, "state").as_text() != "done" {
            continue;
        }
        let quantity = tx.dec("stock.move", entry, "quantity");
        let units =
            tx.one("stock.move", entry, "product_uom")
                .zip(tx.one(LINE, id, "product_uom_id"));
        let quantity = units
            .and_then(|(from, to)| product::convert(tx, quantity, from, to).ok())
            .unwrap_or(quantity);
        let to_vendor = tx
            .one("stock.move", entry, "location_dest_id")
            .is_some_and(|location| {
                tx.stored("stock.location", location, "usage").as_text() == "supplier"
            });
        if !to_vendor {
            total += quantity;
        } else if tx.flag("stock.move", entry, "to_refund") {
            total -= quantity;
        }
    }
    total
}

/// What is on bills, drafts included, cancelled ones not.
fn invoiced(tx: &Transaction, id: i64) -> Decimal {
    let mut total = Decimal::ZERO;
    for item in tx.referring("account.move.line", "purchase_line_id", id) {
        let Some(bill) = tx.one("account.move.line", item, "move_id") else {
            continue;
        };
        if tx.stored("account.move", bill, "state").as_text() == "cancel" {
            continue;
        }
        let quantity = tx.dec("account.move.line", item, "quantity");
        let units = tx
            .one("account.move.line", item, "product_uom_id")
            .zip(tx.one(LINE, id, "product_uom_id"));
        let quantity = units
            .and_then(|(from, to)| product::convert(tx, quantity, from, to).ok())
            .unwrap_or(quantity);
        match tx.stored("account.move", bill, "move_type").as_text() {
            "in_invoice" => total += quantity,
            "in_refund" => total -= quantity,
            _ => {}
        }
    }
    total
}

fn to_invoice(tx: &Transaction, id: i64) -> Decimal {
    if !tx
        .one(LINE, id, "order_id")
        .is_some_and(|order| is_confirmed(tx, order))
    {
        return Decimal::ZERO;
    }
    let ordered = tx.one(LINE, id, "product_id").is_some_and(|product| {
        tx.text("product.product", product, "purchase_method") == "purchase"
    });
    let due = if ordered {
        tx.dec(LINE, id, "product_qty")
    } else {
        received(tx, id)
    };
    due - invoiced(tx, id)
}
