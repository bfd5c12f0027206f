//! The wizard that sends received goods back.

use rust_decimal::Decimal;
use serde_json::{Value as Json, json};

use crate::error::{Error, Result};
use crate::models::moves::{MOVE, prefill};
use crate::models::stock::PICKING;
use crate::orm::write::{Wishes, create_from};
use crate::transaction::Transaction;
use crate::value::Value;

const WIZARD: &str = "stock.return.picking";
const LINE: &str = "stock.return.picking.line";

pub(crate) fn created(tx: &mut Transaction, id: i64) -> Result<()> {
    let Some(picking) = tx.one(WIZARD, id, "picking_id") else {
        return Ok(());
    };
    for entry in tx.many(PICKING, picking, "move_ids") {
        if tx.text(MOVE, entry, "state") != "done" {
            continue;
        }
        let quantity = if tx.version.return_starts_full() {
            tx.dec(MOVE, entry, "quantity")
        } else {
            Decimal::ZERO
        };
        let wishes = Wishes::from([
            ("wizard_id", Value::One(id)),
            ("product_id", tx.get(MOVE, entry, "product_id")),
            ("quantity", Value::Dec(quantity)),
            ("to_refund", Value::Flag(true)),
            ("move_id", Value::One(entry)),
        ]);
        create_from(tx, tx.model(LINE)?, wishes)?;
    }
    Ok(())
}

pub(crate) fn create_returns(tx: &mut Transaction, ids: &[i64]) -> Result<Json> {
    let mut answer = Json::Null;
    for id in ids {
        tx.require(WIZARD, *id)?;
        let Some(picking) = tx.one(WIZARD, *id, "picking_id") else {
            continue;
        };
        let lines: Vec<i64> = tx
            .referring(LINE, "wizard_id", *id)
            .into_iter()
            .filter(|line| tx.dec(LINE, *line, "quantity") > Decimal::ZERO)
            .collect();
        if lines.is_empty() {
            return Err(Error::user(
                "Please specify at least one non-zero quantity.",
            ));
        }
        let back = tx
            .external("stock.picking_type_out")
            .map_or(0, |(_, id, _)| id);
        let wishes = Wishes::from([
            ("picking_type_id", Value::One(back)),
            ("partner_id", tx.get(PICKING, picking, "partner_id")),
            ("location_id", tx.get(PICKING, picking, "location_dest_id")),
            ("location_dest_id", tx.get(PICKING, picking, "location_id")),
            (
                "origin",
                Value::Text(format!("Return of {}", tx.text(PICKING, picking, "name"))),
            ),
            ("return_id", Value::One(picking)),
        ]);
        let returned = create_from(tx, tx.model(PICKING)?, wishes)?;
        for line in lines {
            let Some(entry) = tx.one(LINE, line, "move_id") else {
                continue;
            };
            let quantity = tx.dec(LINE, line, "quantity");
            let wishes = Wishes::from([
                ("picking_id", Value::One(returned)),
                ("product_id", tx.get(LINE, line, "product_id")),
                ("product_uom_qty", Value::Dec(quantity)),
                ("product_uom", tx.get(MOVE, entry, "product_uom")),
                ("purchase_line_id", tx.get(MOVE, entry, "purchase_line_id")),
                ("origin_returned_move_id", Value::One(entry)),
                ("to_refund", tx.get(LINE, line, "to_refund")),
                ("state", Value::text("confirmed")),
            ]);
            let entry = create_from(tx, tx.model(MOVE)?, wishes)?;
            prefill(tx, entry, quantity)?;
        }
        answer = json!({
            "name": "Returned Picking",
            "view_mode": "form",
            "res_model": PICKING,
            "res_id": returned,
            "type": "ir.actions.act_window",
            "context": {},
        });
    }
    Ok(answer)
}
