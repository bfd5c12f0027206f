//! Products and units of measure.

use rust_decimal::Decimal;
use serde_json::Value as Json;

use crate::error::{Error, Result};
use crate::models::base::{COMPANY, company_currency, precision};
use crate::orm::write::{Wishes, create_from};
use crate::schema::Field;
use crate::store::Record;
use crate::transaction::Transaction;
use crate::value::{Value, round};
use crate::version::Version;

const TEMPLATE: &str = "product.template";
const PRODUCT: &str = "product.product";

/// A new product stands on a template; it is made from the same values.
pub(crate) fn create_template(
    tx: &mut Transaction,
    record: &mut Record,
    wishes: Wishes,
) -> Result<()> {
    if record
        .get("product_tmpl_id")
        .and_then(Value::as_one)
        .is_some()
    {
        return Ok(());
    }
    tx.env
        .context
        .insert("create_product_product".to_owned(), Json::Bool(false));
    let made = tx
        .model(TEMPLATE)
        .and_then(|model| create_from(tx, model, wishes));
    tx.env.context.remove("create_product_product");
    record.insert("product_tmpl_id", Value::One(made?));
    Ok(())
}

pub(crate) fn defaults(
    tx: &Transaction,
    model: &str,
    record: &mut Record,
    lists: &[(&'static Field, Json)],
) -> Result<()> {
    let mut default = |key, value| {
        record.entry(key).or_insert(value);
    };
    default("active", Value::Flag(true));
    match model {
        TEMPLATE => {
            let unit = tx.external("uom.product_uom_unit").map(|(_, id, _)| id);
            default("type", Value::text("consu"));
            default("tracking", Value::text("none"));
            default("is_storable", Value::Flag(false));
            default("sale_ok", Value::Flag(true));
            default("purchase_ok", Value::Flag(true));
            default("list_price", Value::Dec(Decimal::ONE));
            default("purchase_method", Value::text("receive"));
            default("categ_id", Value::One(1));
            default("uom_id", Value::one(unit));
            default("sequence", Value::Int(1));
            let (uom, kind) = (
                record.get("uom_id").cloned().unwrap_or_default(),
                record.get("type").cloned().unwrap_or_default(),
            );
            record.entry("uom_po_id").or_insert(uom);
            if tx.version == Version::V17 {
                let kind = record.entry("detailed_type").or_insert(kind).clone();
                record.insert("type", kind);
            }
            for (key, tax) in [
                ("supplier_taxes_id", "account_purchase_tax_id"),
                ("taxes_id", "account_sale_tax_id"),
            ] {
                if !lists.iter().any(|(field, _)| field.key == key) {
                    record.insert(
                        key,
                        Value::Many(tx.one("res.company", COMPANY, tax).into_iter().collect()),
                    );
                }
            }
        }
        "product.supplierinfo" => {
            default("min_qty", Value::Dec(Decimal::ZERO));
            default("delay", Value::Int(1));
            default("sequence", Value::Int(1));
            default("currency_id", Value::one(company_currency(tx)));
            default(
                "product_uom_id",
                Value::one(tx.external("uom.product_uom_unit").map(|(_, id, _)| id)),
            );
            if let Some(product) = record.get("product_id").and_then(Value::as_one) {
                let template = tx.one(PRODUCT, product, "product_tmpl_id");
                record
                    .entry("product_tmpl_id")
                    .or_insert(Value::one(template));
            }
        }
        "uom.uom" => {
            default("rounding", Value::Dec(Decimal::new(1, 2)));
            default("relative_factor", Value::Dec(Decimal::ONE));
            default("factor_inv", Value::Dec(Decimal::ONE));
            default("uom_type", Value::text("reference"));
            default("sequence", Value::Int(100));
        }
        _ => {}
    }
    Ok(())
}

pub(crate) fn created(tx: &mut Transaction, model: &'static str, id: i64) -> Result<()> {
    if model == TEMPLATE {
        if tx.env.context.get("create_product_product") != Some(&Json::Bool(false)) {
            variant(tx, id)?;
        }
        return Ok(());
    }
    let barcode = tx.text(PRODUCT, id, "barcode");
    if barcode.is_empty() {
        return Ok(());
    }
    let other = tx
        .ids(PRODUCT)
        .into_iter()
        .find(|other| *other != id && tx.stored(PRODUCT, *other, "barcode").as_text() == barcode);
    match other {
        Some(other) => Err(Error::validation(tx.version.barcode_used(
            &barcode,
            &display_name(tx, PRODUCT, other),
            &display_name(tx, PRODUCT, id),
        ))),
        None => Ok(()),
    }
}

/// The product of a template, made when there is none yet.
fn variant(tx: &mut Transaction, template: i64) -> Result<i64> {
    if let Some(product) = tx.referring(PRODUCT, "product_tmpl_id", template).first() {
        return Ok(*product);
    }
    create_from(
        tx,
        tx.model(PRODUCT)?,
        Wishes::from([("product_tmpl_id", Value::One(template))]),
    )
}

pub(crate) fn assign(
    tx: &mut Transaction,
    model: &'static str,
    id: i64,
    key: &'static str,
    value: Value,
) -> Result<()> {
    match (model, key) {
        (TEMPLATE, "default_code" | "barcode" | "standard_price") => {
            let product = variant(tx, id)?;
            tx.put(PRODUCT, product, key, value);
            created(tx, PRODUCT, product)
        }
        ("uom.uom", "rounding") => {
            tx.put("uom.uom", id, "rounding", value);
            Ok(())
        }
        (PRODUCT, "lst_price") => {
            if let Some(template) = tx.one(PRODUCT, id, "product_tmpl_id") {
                tx.put(TEMPLATE, template, "list_price", value);
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

pub(crate) fn display_name(tx: &Transaction, model: &'static str, id: i64) -> String {
    let (code, name) = (
        tx.text(model, id, "default_code"),
        tx.text(model, id, "name"),
    );
    if code.is_empty() {
        name
    } else {
        format!("[{code}] {name}")
    }
}

/// Whether Odoo counts where it lies.
pub(crate) fn is_stored(tx: &Transaction, product: i64) -> bool {
    if tx.version == Version::V17 {
        tx.text(PRODUCT, product, "detailed_type") == "product"
    } else {
        tx.flag(PRODUCT, product, "is_storable")
    }
}

pub(crate) fn compute(tx: &Transaction, model: &'static str, id: i64, key: &'static str) -> Value {
    match (model, key) {
        (TEMPLATE, "default_code" | "barcode" | "standard_price") => tx
            .referring(PRODUCT, "product_tmpl_id", id)
            .first()
            .map(|product| tx.get(PRODUCT, *product, key))
            .unwrap_or_default(),
        (TEMPLATE, "product_variant_id") => Value::one(
            tx.referring(PRODUCT, "product_tmpl_id", id)
                .first()
                .copied(),
        ),
        (TEMPLATE, "product_variant_count") => Value::Int(
            i64::try_from(tx.referring(PRODUCT, "product_tmpl_id", id).len()).unwrap_or_default(),
        ),
        (TEMPLATE | PRODUCT, "currency_id") => Value::one(company_currency(tx)),
        (PRODUCT, "code") => tx.get(PRODUCT, id, "default_code"),
        (PRODUCT, "lst_price") => tx.get(PRODUCT, id, "list_price"),
        (PRODUCT, "qty_available") => Value::Dec(super::stock::on_hand(tx, |line| {
            tx.one("stock.move.line", line, "product_id") == Some(id)
        })),
        ("product.category", "complete_name") => {
            let name = tx.text(model, id, "name");
            let parent = tx
                .one(model, id, "parent_id")
                .map(|parent| tx.text(model, parent, "complete_name"));
            Value::Text(parent.map_or_else(|| name.clone(), |parent| format!("{parent} / {name}")))
        }
        ("product.category", "property_cost_method") => Value::text("standard"),
        ("product.category", "property_valuation") => Value::text(tx.version.valuation()),
        ("uom.uom", "rounding") => {
            if tx.version.units_have_own_rounding() {
                return tx.stored(model, id, key);
            }
            Value::Dec(Decimal::new(
                1,
                precision(tx, tx.version.quantity_precision()).unwrap_or(2),
            ))
        }
        ("uom.uom", "factor") => {
            let ratio = ratio(tx, id);
            Value::Dec(if tx.version == Version::V19 {
                ratio
            } else {
                (Decimal::ONE / ratio).normalize()
            })
        }
        _ => Value::Null,
    }
}

/// How many reference units one of this unit is.
fn ratio(tx: &Transaction, unit: i64) -> Decimal {
    let ratio = if tx.version == Version::V19 {
        let outer = tx
            .one("uom.uom", unit, "relative_uom_id")
            .map_or(Decimal::ONE, |outer| ratio(tx, outer));
        tx.dec("uom.uom", unit, "relative_factor") * outer
    } else {
        tx.dec("uom.uom", unit, "factor_inv")
    };
    if ratio.is_zero() { Decimal::ONE } else { ratio }
}

/// Before 19 a move is rounded to its unit's own step.
pub(crate) fn rounded_to_unit(tx: &Transaction, product: i64, quantity: Decimal) -> Decimal {
    let step = tx
        .one("product.product", product, "uom_id")
        .map_or(Decimal::ZERO, |unit| tx.dec("uom.uom", unit, "rounding"));
    if step.is_zero() || !tx.version.units_have_own_rounding() {
        return quantity;
    }
    round(quantity / step, 0) * step
}

/// A quantity of one unit in another.
///
/// # Errors
/// `UserError` before 19 when the units are of different categories.
pub(crate) fn convert(tx: &Transaction, quantity: Decimal, from: i64, to: i64) -> Result<Decimal> {
    if from == to || quantity.is_zero() {
        return Ok(quantity);
    }
    let category = |unit| tx.one("uom.uom", unit, "category_id");
    if tx.version.has_unit_categories() && category(from) != category(to) {
        let name = |unit| tx.text("uom.uom", unit, "name");
        return Err(Error::user(
            tx.version.units_do_not_convert(&name(from), &name(to)),
        ));
    }
    let digits = precision(tx, tx.version.quantity_precision()).unwrap_or(2);
    Ok(round(quantity * ratio(tx, from) / ratio(tx, to), digits))
}
