//! The models' own rules, by area. Everything generic is in `orm`.

pub(crate) mod base;
pub(crate) mod bill;
pub(crate) mod entry;
pub(crate) mod expected;
pub(crate) mod moves;
pub(crate) mod product;
pub(crate) mod purchase;
pub(crate) mod purchase_line;
pub(crate) mod receipt;
pub(crate) mod returns;
pub(crate) mod stock;
pub(crate) mod taxes;

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use crate::error::Result;
use crate::orm::write::{Before, Wishes};
use crate::schema::Field;
use crate::store::Record;
use crate::transaction::Transaction;
use crate::value::Value;

/// Creates the record a new one stands on, where there is one (a product's template).
pub(crate) fn parent(
    tx: &mut Transaction,
    model: &'static str,
    record: &mut Record,
    through: &mut BTreeMap<&'static str, Wishes>,
) -> Result<()> {
    match model {
        "product.product" => product::create_template(
            tx,
            record,
            through.remove("product_tmpl_id").unwrap_or_default(),
        ),
        _ => Ok(()),
    }
}

/// Fills what the caller left out.
pub(crate) fn defaults(
    tx: &mut Transaction,
    model: &'static str,
    record: &mut Record,
    lists: &[(&'static Field, Json)],
) -> Result<()> {
    match model {
        "res.partner" => base::partner_defaults(tx, record),
        "res.users" => base::user_defaults(tx, record),
        "product.template" | "product.product" | "product.supplierinfo" | "uom.uom" => {
            product::defaults(tx, model, record, lists)
        }
        "purchase.order" => purchase::defaults(tx, record),
        "purchase.order.line" => purchase_line::defaults(tx, record, lists),
        "stock.picking" | "stock.move" | "stock.move.line" | "stock.lot" | "stock.location" => {
            stock::defaults(tx, model, record)
        }
        "account.move" => entry::defaults(tx, record),
        "account.move.line" => entry::line_defaults(tx, record, lists),
        "ir.model.data" => base::external_id_defaults(tx, record),
        _ => {
            if tx.model(model)?.by_key("active").is_some() {
                record.entry("active").or_insert(Value::Flag(true));
            }
            Ok(())
        }
    }
}

/// After a record was created with everything in it.
pub(crate) fn created(tx: &mut Transaction, model: &'static str, id: i64) -> Result<()> {
    match model {
        "res.partner" => base::check_partner(tx, id),
        "ir.model.data" => base::external_id_created(tx, id),
        "product.template" | "product.product" => product::created(tx, model, id),
        "purchase.order.line" => purchase_line::created(tx, id),
        "stock.picking" => stock::picking_created(tx, id),
        "stock.move" => moves::move_created(tx, id),
        "stock.lot" => stock::check_lot(tx, id),
        "stock.return.picking" => returns::created(tx, id),
        "account.move" => entry::created(tx, id),
        _ => Ok(()),
    }
}

/// Before a record is written to: guards.
pub(crate) fn writing(
    tx: &mut Transaction,
    model: &'static str,
    id: i64,
    wishes: &Wishes,
) -> Result<()> {
    match model {
        "res.company" => entry::guard_lock(tx, wishes),
        "stock.picking" => stock::guard_picking(tx, id, wishes),
        "stock.move" => moves::guard_move(tx, id, wishes),
        "account.move" => entry::guard(tx, id, wishes),
        _ => Ok(()),
    }
}

/// After a record was written to.
pub(crate) fn written(
    tx: &mut Transaction,
    model: &'static str,
    id: i64,
    wishes: &Wishes,
    before: &Before,
) -> Result<()> {
    match model {
        "res.partner" => base::check_partner(tx, id),
        "purchase.order" => purchase::written(tx, id, wishes),
        "purchase.order.line" => purchase_line::written(tx, id, wishes, before),
        "stock.picking" => stock::picking_written(tx, id, wishes),
        "stock.move" => moves::move_written(tx, id, wishes, before),
        "stock.move.line" => moves::move_line_written(tx, id),
        "account.move" => entry::written(tx, id, wishes),
        "account.move.line" => entry::line_written(tx, id),
        _ => Ok(()),
    }
}

/// Before a record is deleted: guards.
pub(crate) fn unlinking(tx: &mut Transaction, model: &'static str, id: i64) -> Result<()> {
    match model {
        "purchase.order" => purchase::unlinking(tx, id),
        "purchase.order.line" => purchase_line::unlinking(tx, id),
        "stock.picking" => stock::picking_unlinking(tx, id),
        "stock.move.line" => moves::move_line_unlinking(tx, id),
        "account.move" => entry::unlinking(tx, id),
        _ => Ok(()),
    }
}

/// A computed field.
pub(crate) fn compute(tx: &Transaction, model: &'static str, id: i64, key: &'static str) -> Value {
    match (model, key) {
        (_, "id") => Value::Int(id),
        (_, "display_name") => Value::Text(display_name(tx, model, id)),
        ("product.template" | "product.product" | "product.category" | "uom.uom", _) => {
            product::compute(tx, model, id, key)
        }
        ("purchase.order", _) => purchase::compute(tx, id, key),
        ("purchase.order.line", _) => purchase_line::compute(tx, id, key),
        (
            "stock.picking" | "stock.move" | "stock.move.line" | "stock.lot" | "stock.location",
            _,
        ) => stock::compute(tx, model, id, key),
        ("account.move" | "account.move.line", _) => entry::compute(tx, model, id, key),
        _ => base::compute(tx, model, id, key),
    }
}

/// A write to a computed field: the model's rule for it, or nothing.
pub(crate) fn assign(
    tx: &mut Transaction,
    model: &'static str,
    id: i64,
    key: &'static str,
    value: Value,
) -> Result<()> {
    match model {
        "res.partner" => base::assign(tx, id, key, &value),
        "product.template" | "product.product" | "uom.uom" => {
            product::assign(tx, model, id, key, value)
        }
        "purchase.order.line" if key == "qty_received" => {
            tx.put(model, id, "qty_received_manual", value);
            Ok(())
        }
        "stock.move" => moves::assign(tx, id, key, &value),
        _ => Ok(()),
    }
}

/// The name under which a record is shown.
pub(crate) fn display_name(tx: &Transaction, model: &'static str, id: i64) -> String {
    match model {
        "product.product" | "product.template" => product::display_name(tx, model, id),
        "purchase.order" => purchase::display_name(tx, id),
        "stock.move" => stock::move_name(tx, id),
        "stock.picking.type" => {
            let warehouse = tx
                .one(model, id, "warehouse_id")
                .map(|warehouse| tx.text("stock.warehouse", warehouse, "name"));
            let name = tx.text(model, id, "name");
            warehouse.map_or_else(|| name.clone(), |warehouse| format!("{warehouse}: {name}"))
        }
        "stock.location" | "product.category" => tx.text(model, id, "complete_name"),
        "account.move" => entry::display_name(tx, id),
        "account.account" => format!(
            "{} {}",
            tx.text(model, id, "code"),
            tx.text(model, id, "name")
        ),
        "res.partner" => base::partner_name(tx, id),
        _ => tx.text(model, id, "name"),
    }
}

/// A method of one model that is not common to all. `None` when the model has no such method.
pub(crate) fn call(
    tx: &mut Transaction,
    model: &'static str,
    method: &str,
    ids: &[i64],
    args: &Map<String, Json>,
) -> Option<Result<Json>> {
    Some(match (model, method) {
        ("res.users", "context_get") => Ok(base::context_get(tx)),
        ("res.users", "has_group") => {
            let group = args.get("group_ext_id").unwrap_or(&Json::Null);
            crate::rights::has_group(tx, ids, group)
        }
        ("purchase.order", "button_confirm") => purchase::confirm(tx, ids),
        ("purchase.order", "button_approve") => purchase::approve(tx, ids),
        ("purchase.order", "button_cancel") => purchase::cancel(tx, ids),
        ("purchase.order", "button_draft") => purchase::reset(tx, ids),
        ("purchase.order", "button_lock") if tx.version.lock_is_a_flag() => {
            purchase::lock(tx, ids, true)
        }
        ("purchase.order", "button_done") if !tx.version.lock_is_a_flag() => {
            purchase::lock(tx, ids, true)
        }
        ("purchase.order", "button_unlock") => purchase::lock(tx, ids, false),
        ("purchase.order", "action_create_invoice") => bill::create_from_order(tx, ids),
        ("stock.picking", "button_validate") => receipt::validate(tx, ids),
        ("stock.picking", "action_cancel") => stock::cancel_pickings(tx, ids),
        ("stock.picking", "action_confirm" | "action_assign") => stock::assign_pickings(tx, ids),
        ("stock.return.picking", "action_create_returns") if !tx.version.return_starts_full() => {
            returns::create_returns(tx, ids)
        }
        ("stock.return.picking", "create_returns") if tx.version.return_starts_full() => {
            returns::create_returns(tx, ids)
        }
        ("account.move", "action_post") => bill::post(tx, ids),
        ("account.move", "button_draft") => bill::reset(tx, ids),
        ("account.move", "button_cancel") => bill::cancel(tx, ids),
        _ => return None,
    })
}

/// The methods [`call`] knows, for the check of arguments.
pub(crate) fn has_method(tx: &Transaction, model: &str, method: &str) -> bool {
    match model {
        "purchase.order" => match method {
            "button_lock" => tx.version.lock_is_a_flag(),
            "button_done" => !tx.version.lock_is_a_flag(),
            _ => matches!(
                method,
                "button_confirm"
                    | "button_approve"
                    | "button_cancel"
                    | "button_draft"
                    | "button_unlock"
                    | "action_create_invoice"
            ),
        },
        "stock.picking" => matches!(
            method,
            "button_validate" | "action_cancel" | "action_confirm" | "action_assign"
        ),
        "stock.return.picking" => {
            method
                == if tx.version.return_starts_full() {
                    "create_returns"
                } else {
                    "action_create_returns"
                }
        }
        "account.move" => matches!(method, "action_post" | "button_draft" | "button_cancel"),
        _ => false,
    }
}
