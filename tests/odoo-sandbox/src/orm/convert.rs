//! From JSON to stored values and back.

use serde_json::{Value as Json, json};

use crate::clock::{parse_day, parse_stamp};
use crate::error::{Error, Result};
use crate::models;
use crate::schema::{Digits, Field, Kind};
use crate::transaction::Transaction;
use crate::value::{Value, decimal, float, id_of, parse_decimal, round};

/// A value as Python prints it in error messages.
pub(crate) fn python(json: &Json) -> String {
    match json {
        Json::Null => "None".to_owned(),
        Json::Bool(true) => "True".to_owned(),
        Json::Bool(false) => "False".to_owned(),
        Json::Number(number) => number.to_string(),
        Json::String(text) => format!("'{text}'"),
        Json::Array(items) => format!(
            "[{}]",
            items.iter().map(python).collect::<Vec<_>>().join(", ")
        ),
        Json::Object(map) => {
            format!(
                "{{{}}}",
                map.iter()
                    .map(|(key, value)| format!("'{key}': {}", python(value)))
                    .collect::<Vec<_>>()
                    .join(", ")
            )
        }
    }
}

/// The digits a float field keeps, or `None` for all.
pub(crate) fn digits(tx: &Transaction, digits: Digits) -> Option<u32> {
    let usage = match digits {
        Digits::Free => return None,
        Digits::Price if !tx.version.rounds_prices() => return None,
        Digits::Price => "Product Price",
        Digits::Quantity => tx.version.quantity_precision(),
        Digits::Discount => "Discount",
    };
    models::base::precision(tx, usage)
}

/// Takes a value a caller sent for a field that is not a list of records.
///
/// # Errors
/// `ValueError` for a wrong type or selection, `MissingError` for a many2one to a record that does not exist.
pub(crate) fn store(tx: &Transaction, model: &str, field: &Field, json: &Json) -> Result<Value> {
    let wrong = || {
        Error::value(format!(
            "Wrong value for {model}.{}: {}",
            field.key,
            python(json)
        ))
    };
    Ok(match field.kind {
        Kind::Boolean => Value::Flag(truth(json)),
        Kind::Integer => match json {
            Json::Number(number) => Value::Int(number.as_i64().unwrap_or_default()),
            Json::String(text) if text.is_empty() => Value::Null,
            Json::String(text) => Value::Int(text.trim().parse().map_err(|_| {
                Error::value(format!(
                    "invalid literal for int() with base 10: {}",
                    python(json)
                ))
            })?),
            Json::Bool(true) => Value::Int(1),
            Json::Null | Json::Bool(false) => Value::Null,
            Json::Array(_) | Json::Object(_) => return Err(wrong()),
        },
        Kind::Float(_) | Kind::Monetary => {
            let number = match json {
                Json::Number(number) => decimal(number).ok_or_else(wrong)?,
                Json::String(text) if text.is_empty() => return Ok(Value::Null),
                Json::String(text) => parse_decimal(text).ok_or_else(|| {
                    Error::value(format!(
                        "could not convert string to float: {}",
                        python(json)
                    ))
                })?,
                Json::Bool(true) => rust_decimal::Decimal::ONE,
                Json::Null | Json::Bool(false) => return Ok(Value::Null),
                Json::Array(_) | Json::Object(_) => return Err(wrong()),
            };
            Value::Dec(rounded(tx, field, number))
        }
        Kind::Char | Kind::Text => match json {
            Json::String(text) => Value::text(text),
            Json::Null | Json::Bool(false) => Value::Null,
            Json::Bool(true) | Json::Number(_) | Json::Array(_) | Json::Object(_) => {
                Value::Text(python(json))
            }
        },
        Kind::Html => match json {
            Json::String(text) if text.is_empty() || text.starts_with('<') => Value::text(text),
            Json::String(text) => Value::Text(format!("<p>{text}</p>")),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => {
                Value::Null
            }
        },
        Kind::Date => match json {
            Json::String(text) if text.is_empty() => Value::Null,
            Json::String(text) => {
                let date = parse_day(text).ok_or_else(|| {
                    Error::value(format!(
                        "time data '{text}' does not match format '%Y-%m-%d'"
                    ))
                })?;
                Value::Text(crate::clock::day(date))
            }
            Json::Null | Json::Bool(false) => Value::Null,
            Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => {
                return Err(wrong());
            }
        },
        Kind::Datetime => match json {
            Json::String(text) if text.is_empty() => Value::Null,
            Json::String(text) => {
                let at = parse_stamp(text).ok_or_else(|| {
                    Error::value(format!(
                        "time data '{text}' does not match format '%Y-%m-%d %H:%M:%S'"
                    ))
                })?;
                Value::Text(crate::clock::stamp(at))
            }
            Json::Null | Json::Bool(false) => Value::Null,
            Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => {
                return Err(wrong());
            }
        },
        Kind::Selection(options) => match json {
            Json::String(text) if options.iter().any(|(value, _)| value == text) => {
                Value::text(text)
            }
            Json::Null | Json::Bool(false) => Value::Null,
            Json::Bool(_)
            | Json::Number(_)
            | Json::String(_)
            | Json::Array(_)
            | Json::Object(_) => return Err(wrong()),
        },
        Kind::Many2one(to) => match json {
            Json::Null | Json::Bool(false) => Value::Null,
            Json::Number(_) => {
                let id = id_of(json).ok_or_else(wrong)?;
                tx.require(to, id)?;
                Value::One(id)
            }
            Json::Bool(_) | Json::String(_) | Json::Array(_) | Json::Object(_) => {
                return Err(wrong());
            }
        },
        Kind::One2many(..) | Kind::Many2many(_) => return Err(wrong()),
    })
}

/// A number as this field keeps it.
pub(crate) fn rounded(
    tx: &Transaction,
    field: &Field,
    number: rust_decimal::Decimal,
) -> rust_decimal::Decimal {
    let kept = match field.kind {
        Kind::Float(kind) => digits(tx, kind),
        Kind::Monetary => Some(2),
        Kind::Char
        | Kind::Text
        | Kind::Html
        | Kind::Integer
        | Kind::Boolean
        | Kind::Date
        | Kind::Datetime
        | Kind::Selection(_)
        | Kind::Many2one(_)
        | Kind::One2many(..)
        | Kind::Many2many(_) => None,
    };
    kept.map_or(number, |digits| round(number, digits))
}

pub(crate) fn truth(json: &Json) -> bool {
    match json {
        Json::Bool(flag) => *flag,
        Json::Number(number) => decimal(number).is_some_and(|number| !number.is_zero()),
        Json::String(text) => !text.is_empty(),
        Json::Null => false,
        Json::Array(items) => !items.is_empty(),
        Json::Object(map) => !map.is_empty(),
    }
}

/// A many2one on the wire: with its display name, or the bare id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Named,
    Bare,
}

/// A field as Odoo sends it.
pub(crate) fn show(tx: &Transaction, field: &Field, value: &Value, shape: Shape) -> Json {
    match field.kind {
        Kind::Boolean => json!(value.as_flag()),
        Kind::Integer => json!(value.as_int()),
        Kind::Float(_) | Kind::Monetary => float(value.as_dec()),
        Kind::Char | Kind::Text | Kind::Html | Kind::Date | Kind::Datetime | Kind::Selection(_) => {
            match value {
                Value::Text(text) => json!(text),
                Value::Null
                | Value::Flag(_)
                | Value::Int(_)
                | Value::Dec(_)
                | Value::One(_)
                | Value::Many(_) => json!(false),
            }
        }
        Kind::Many2one(to) => match value.as_one() {
            Some(id) if tx.exists(to, id) => match shape {
                Shape::Named => json!([id, models::display_name(tx, to, id)]),
                Shape::Bare => json!(id),
            },
            _ => json!(false),
        },
        Kind::One2many(..) | Kind::Many2many(_) => json!(value.as_many()),
    }
}
