//! What a confirmed order expects: its receipt, and how changes of the order change it.

use rust_decimal::Decimal;

use crate::error::Result;
use crate::models::moves::{MOVE, cancel_move, prefill, set_demand};
use crate::models::purchase::{ORDER, lines};
use crate::models::stock::PICKING;
use crate::models::{product, purchase_line};
use crate::orm::write::{Wishes, create_from};
use crate::transaction::Transaction;
use crate::value::Value;

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
