//! What we send: JSON in which a decimal is written as its own text.

use interplant_domain::fact::Day;
use rust_decimal::Decimal;
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// A JSON value on its way to Odoo. Members keep their order: Odoo applies a write's fields in it.
#[derive(Debug, Clone)]
pub(crate) enum Body {
    /// `true` or `false`; Odoo also takes `false` for "nothing".
    Bool(bool),
    /// An id or a count.
    Int(i64),
    /// Text.
    Text(String),
    /// A number by its literal text: a quantity never goes through a binary float of ours.
    Number(Box<RawValue>),
    /// A list.
    List(Vec<Body>),
    /// An object.
    Object(Vec<(&'static str, Body)>),
    /// JSON that a caller gave as it is.
    Given(serde_json::Value),
}

impl Body {
    pub(crate) fn decimal(value: Decimal) -> Self {
        // A decimal's text is digits with at most one point: always a JSON number.
        match RawValue::from_string(value.normalize().to_string()) {
            Ok(number) => Self::Number(number),
            Err(_) => Self::Text(value.to_string()),
        }
    }

    pub(crate) fn text(value: impl Into<String>) -> Self {
        Self::Text(value.into())
    }

    pub(crate) fn ids(ids: &[i64]) -> Self {
        Self::List(ids.iter().map(|id| Self::Int(*id)).collect())
    }

    pub(crate) fn texts(values: &[&str]) -> Self {
        Self::List(values.iter().map(|value| Self::text(*value)).collect())
    }

    /// The fields of a `web_read` without fields of their own.
    pub(crate) fn fields(names: &[&'static str]) -> Vec<(&'static str, Self)> {
        names
            .iter()
            .map(|name| (*name, Self::Object(Vec::new())))
            .collect()
    }

    /// A relation whose records are read along.
    pub(crate) fn nested(fields: Vec<(&'static str, Self)>) -> Self {
        Self::Object(vec![("fields", Self::Object(fields))])
    }
}

/// A day as Odoo's datetime: noon UTC, so that every time zone from -12 to +11 shows the same day.
pub(crate) fn noon(day: Day) -> String {
    format!("{day} 12:00:00")
}

impl Serialize for Body {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Bool(truth) => serializer.serialize_bool(*truth),
            Self::Int(number) => serializer.serialize_i64(*number),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Number(number) => number.serialize(serializer),
            Self::Given(value) => value.serialize(serializer),
            Self::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(item)?;
                }
                list.end()
            }
            Self::Object(members) => {
                let mut object = serializer.serialize_map(Some(members.len()))?;
                for (name, value) in members {
                    object.serialize_entry(name, value)?;
                }
                object.end()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_leaves_as_its_own_text() {
        let body = Body::Object(vec![
            (
                "quantity",
                Body::decimal("1234567890123456.780".parse().unwrap()),
            ),
            ("less", Body::decimal("-0.000001".parse().unwrap())),
            ("id", Body::Int(7)),
        ]);
        assert_eq!(
            serde_json::to_string(&body).unwrap(),
            r#"{"quantity":1234567890123456.78,"less":-0.000001,"id":7}"#
        );
    }

    #[test]
    fn a_day_is_noon() {
        assert_eq!(
            noon(Day("2026-11-23".parse().unwrap())),
            "2026-11-23 12:00:00"
        );
    }
}
