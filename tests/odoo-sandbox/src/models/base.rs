//! Partners, users, companies, currencies, external ids, decimal precisions.

use serde_json::{Value as Json, json};

use crate::error::{Error, Result};
use crate::store::Record;
use crate::transaction::Transaction;
use crate::value::Value;

/// The one company of the sandbox.
pub(crate) const COMPANY: i64 = 1;

pub(crate) fn company_currency(tx: &Transaction) -> Option<i64> {
    tx.one("res.company", COMPANY, "currency_id")
}

/// The digits of a decimal precision.
pub(crate) fn precision(tx: &Transaction, usage: &str) -> Option<u32> {
    let id = tx
        .ids("decimal.precision")
        .into_iter()
        .find(|id| tx.stored("decimal.precision", *id, "name").as_text() == usage)?;
    u32::try_from(tx.int("decimal.precision", id, "digits")).ok()
}

pub(crate) fn context_get(tx: &Transaction) -> Json {
    json!({"lang": "en_US", "tz": "UTC", "uid": tx.env.user})
}

pub(crate) fn partner_defaults(tx: &Transaction, record: &mut Record) -> Result<()> {
    record.entry("active").or_insert(Value::Flag(true));
    record
        .entry("type")
        .or_insert_with(|| Value::text("contact"));
    record.entry("is_company").or_insert(Value::Flag(false));
    record.entry("lang").or_insert_with(|| Value::text("en_US"));
    let named = record.get("name").is_some_and(|name| !name.is_empty());
    if named
        || record
            .get("type")
            .is_some_and(|kind| kind.as_text() != "contact")
    {
        return Ok(());
    }
    let text = "Contacts require a name";
    Err(Error::constraint(
        text,
        tx.version.check_violation_in_load(text),
    ))
}

pub(crate) fn user_defaults(tx: &mut Transaction, record: &mut Record) -> Result<()> {
    let login = record.get("login").cloned().unwrap_or_default();
    if tx
        .ids("res.users")
        .into_iter()
        .any(|user| tx.stored("res.users", user, "login") == login)
    {
        let text = "You can not have two users with the same login!";
        return Err(Error::constraint(
            text,
            tx.version.check_violation_in_load(text),
        ));
    }
    record.entry("active").or_insert(Value::Flag(true));
    record.entry("company_id").or_insert(Value::One(COMPANY));
    if record.get("partner_id").is_none_or(Value::is_empty) {
        let name = record.get("name").cloned().unwrap_or_default();
        let partner = tx.insert(
            "res.partner",
            Record::from([
                ("name", name),
                ("type", Value::text("contact")),
                ("active", Value::Flag(true)),
            ]),
        );
        record.insert("partner_id", Value::One(partner));
    }
    Ok(())
}

pub(crate) fn check_partner(tx: &Transaction, id: i64) -> Result<()> {
    let mut at = tx.one("res.partner", id, "parent_id");
    let mut steps = 0;
    while let Some(parent) = at {
        steps += 1;
        if parent == id || steps > 100 {
            return Err(Error::validation(
                "You cannot create recursive Partner hierarchies.",
            ));
        }
        at = tx.one("res.partner", parent, "parent_id");
    }
    let named = !tx.get("res.partner", id, "name").is_empty();
    if named || tx.text("res.partner", id, "type") != "contact" {
        return Ok(());
    }
    let text = "Contacts require a name";
    Err(Error::constraint(
        text,
        tx.version.check_violation_in_load(text),
    ))
}

pub(crate) fn partner_name(tx: &Transaction, id: i64) -> String {
    let name = tx.text("res.partner", id, "name");
    match tx.one("res.partner", id, "parent_id") {
        Some(parent) if !tx.flag("res.partner", id, "is_company") => {
            format!("{}, {name}", tx.text("res.partner", parent, "name"))
        }
        _ => name,
    }
}

pub(crate) fn external_id_defaults(tx: &Transaction, record: &mut Record) -> Result<()> {
    record.entry("noupdate").or_insert(Value::Flag(false));
    let (module, name) = (text(record, "module"), text(record, "name"));
    if tx.external(&format!("{module}.{name}")).is_none() {
        return Ok(());
    }
    let text = format!(
        "duplicate key value violates unique constraint \"ir_model_data_module_name_uniq_index\"\nDETAIL:  Key (module, name)=({module}, \
         {name}) already exists.\n"
    );
    Err(Error::constraint(&text, text.clone()))
}

fn text(record: &Record, key: &str) -> String {
    record
        .get(key)
        .map(|value| value.as_text().to_owned())
        .unwrap_or_default()
}

pub(crate) fn external_id_created(tx: &mut Transaction, id: i64) -> Result<()> {
    let name = tx.text("ir.model.data", id, "complete_name");
    tx.index_external(&name, id);
    Ok(())
}

pub(crate) fn compute(tx: &Transaction, model: &'static str, id: i64, key: &'static str) -> Value {
    match (model, key) {
        ("ir.model.data", "complete_name") => Value::Text(format!(
            "{}.{}",
            tx.stored(model, id, "module").as_text(),
            tx.stored(model, id, "name").as_text()
        )),
        ("ir.model.data", "reference") => Value::Text(format!(
            "{},{}",
            tx.text(model, id, "model"),
            tx.int(model, id, "res_id")
        )),
        ("res.partner", "complete_name") => Value::Text(partner_name(tx, id)),
        ("res.partner", "company_type") => Value::text(if tx.flag(model, id, "is_company") {
            "company"
        } else {
            "person"
        }),
        ("res.partner", "currency_id") => Value::one(company_currency(tx)),
        ("res.partner", "commercial_partner_id") => {
            let mut at = id;
            while let Some(parent) = tx
                .one(model, at, "parent_id")
                .filter(|_| !tx.flag(model, at, "is_company"))
            {
                at = parent;
            }
            Value::One(at)
        }
        ("res.company", "max_tax_lock_date") => tx.get(model, id, "tax_lock_date"),
        // Without a lock the year comes without its leading zeros.
        ("res.company", _) => match key
            .strip_prefix("user_")
            .map(|field| tx.get(model, id, field))
        {
            Some(Value::Text(date)) => Value::Text(date),
            Some(_) => Value::text("1-01-01"),
            None => Value::Null,
        },
        ("res.currency", "rate") => Value::Dec(rust_decimal::Decimal::ONE),
        ("res.users", "password") => Value::text(""),
        _ => Value::Null,
    }
}

pub(crate) fn assign(tx: &mut Transaction, id: i64, key: &str, value: &Value) -> Result<()> {
    if key == "company_type" {
        tx.put(
            "res.partner",
            id,
            "is_company",
            Value::Flag(value.as_text() == "company"),
        );
    }
    Ok(())
}
