//! The rulebook of known errors meets what real servers said.

use std::collections::BTreeMap;
use std::path::Path;

use interplant_odoo::known_of_odoo;
use serde_json::Value;

/// What servers of 17, 18 and 19 said, and the rule that it meets; none where a person reads the words as they are.
const SAID: [(&str, &str, Option<&str>); 27] = [
    (
        "odoo.exceptions.ValidationError",
        "The operation cannot be completed: Error, a partner cannot follow twice the same object.",
        Some("race-lost"),
    ),
    (
        "odoo.exceptions.LockError",
        "Cannot lock the records",
        Some("record-locked"),
    ),
    (
        "psycopg2.errors.SerializationFailure",
        "could not serialize access due to concurrent update",
        Some("database-busy"),
    ),
    (
        "psycopg2.OperationalError",
        "connection to server at \"127.0.0.1\", port 5432 failed: FATAL:  database \"nosuchdb\" does not exist\n",
        Some("database-missing"),
    ),
    (
        "psycopg2.OperationalError",
        "server closed the connection unexpectedly",
        Some("database-gone"),
    ),
    (
        "odoo.exceptions.AccessError",
        "You are not allowed to access 'Model Data' (ir.model.data) records.",
        Some("no-access"),
    ),
    (
        "odoo.exceptions.AccessDenied",
        "Access Denied",
        Some("no-access"),
    ),
    (
        "odoo.exceptions.UserError",
        "You don't have the rights to export data. Please contact an Administrator.",
        Some("not-allowed"),
    ),
    (
        "odoo.exceptions.UserError",
        "Object no.such.model doesn't exist",
        Some("model-missing"),
    ),
    (
        "builtins.AttributeError",
        "The method 'button_confirm' does not exist on the model 'res.partner'",
        Some("method-missing"),
    ),
    (
        "builtins.AttributeError",
        "'bool' object has no attribute 'lower'",
        Some("wrong-call"),
    ),
    (
        "werkzeug.exceptions.Unauthorized",
        "Invalid apikey",
        Some("door-closed"),
    ),
    (
        "werkzeug.exceptions.NotFound",
        "the model 'no.such.model' does not exist",
        Some("door-closed"),
    ),
    (
        "odoo.exceptions.UserError",
        "You need to supply a Lot/Serial Number for product:\n- [COIL-5] Steel coil 5\n- [MOT-5] Motor 5",
        Some("lot-needed"),
    ),
    (
        "odoo.exceptions.UserError",
        "You need to supply Lot/Serial Number for products and 'consume' them:\n  - [RA-8] Raw A 8",
        Some("lot-needed"),
    ),
    (
        "odoo.exceptions.ValidationError",
        "The combination of lot/serial number and product must be unique within a company including when no company is defined.",
        Some("lot-taken"),
    ),
    (
        "odoo.exceptions.MissingError",
        "Record does not exist or has been deleted.\n(Record: purchase.order(99999999,), User: 2)",
        Some("record-gone"),
    ),
    (
        "odoo.exceptions.UserError",
        "The entry BILL/2026/11/0002 (id 8) must be in draft.",
        Some("must-be-draft"),
    ),
    (
        "odoo.exceptions.UserError",
        "Unable to cancel purchase order(s): P00013 (SO-SUP-5) since they have receipts that are already done.",
        Some("receipt-done"),
    ),
    (
        "odoo.exceptions.UserError",
        "Unable to cancel purchase order P00003 as some receptions have already been done.",
        Some("receipt-done"),
    ),
    (
        "odoo.exceptions.UserError",
        "Unable to cancel purchase order(s): P00016 (SO-SUP-5). You must first cancel their related vendor bills.",
        Some("billed-already"),
    ),
    (
        "odoo.exceptions.UserError",
        "You cannot validate a transfer if no quantities are reserved. To force the transfer, encode quantities.",
        Some("nothing-reserved"),
    ),
    (
        "odoo.exceptions.ValidationError",
        "The operation cannot be completed: Contacts require a name",
        Some("field-required"),
    ),
    (
        "odoo.exceptions.ValidationError",
        "The operation cannot be completed: Reference must be unique per Company!",
        Some("not-unique"),
    ),
    (
        "builtins.ValueError",
        "Invalid field 'nope' on model 'purchase.order'",
        Some("wrong-call"),
    ),
    (
        "odoo.exceptions.UserError",
        "The Bill/Refund date is required to validate this document.",
        None,
    ),
    ("xyz.errors.Strange", "nobody has seen this", None),
];

#[test]
fn what_real_servers_said_meets_its_rule() {
    for (name, message, rule) in SAID {
        let met = known_of_odoo(name, message, "button_confirm").map(|known| known.id.as_str());
        assert_eq!(met, rule, "{name}: {message}");
    }
}

/// Every named exception in a recording, wherever it stands.
fn exceptions(value: &Value, found: &mut BTreeMap<(String, String), usize>) {
    match value {
        Value::Object(members) => {
            let text = |name: &str| members.get(name).and_then(Value::as_str);
            if let (Some(name), Some(message)) = (text("name"), text("message"))
                && name.contains('.')
                && !name.contains(' ')
            {
                *found
                    .entry((name.to_owned(), message.to_owned()))
                    .or_default() += 1;
            }
            members
                .values()
                .for_each(|member| exceptions(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| exceptions(item, found)),
        Value::String(text) if text.starts_with(['{', '[']) => {
            if let Ok(inner) = serde_json::from_str(text) {
                exceptions(&inner, found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn no_recorded_error_is_unknown_but_refusals_whose_words_a_person_reads() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|root| root.join("../shared/odoo-contract/exchanges"))
        .find(|folder| folder.is_dir());
    let Some(folder) = folder else {
        println!("no recordings on this machine: only the own samples are compared");
        return;
    };
    let mut found = BTreeMap::new();
    for version in std::fs::read_dir(folder).unwrap() {
        for file in std::fs::read_dir(version.unwrap().path()).unwrap() {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            let lines = text
                .lines()
                .filter_map(|line| serde_json::from_str::<Value>(line).ok());
            lines.for_each(|line| exceptions(&line, &mut found));
        }
    }
    assert!(found.len() > 100, "{} recorded errors", found.len());
    let unknown: Vec<_> = found
        .keys()
        .filter(|(name, message)| known_of_odoo(name, message, "no_such_method").is_none())
        .collect();
    println!(
        "{} recorded errors, {} of them words that no rule knows",
        found.len(),
        unknown.len()
    );
    let strange: Vec<_> = unknown
        .iter()
        .filter(|(name, _)| !name.starts_with("odoo."))
        .collect();
    assert!(strange.is_empty(), "write rules for {strange:?}");
    assert!(unknown.len() * 3 < found.len(), "{unknown:#?}");
}
