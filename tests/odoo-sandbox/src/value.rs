//! A stored value and its shapes on the wire.

use std::str::FromStr;

use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Number, Value as Json};

/// One field of one record.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) enum Value {
    /// Nothing: `false` on the wire, or zero for numbers.
    #[default]
    Null,
    Flag(bool),
    Int(i64),
    Dec(Decimal),
    Text(String),
    /// Another record, for many2one.
    One(i64),
    /// Other records, for many2many.
    Many(Vec<i64>),
}

impl Value {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub(crate) fn one(id: Option<i64>) -> Self {
        id.map_or(Self::Null, Self::One)
    }

    pub(crate) fn as_text(&self) -> &str {
        if let Self::Text(text) = self {
            text
        } else {
            ""
        }
    }

    pub(crate) fn as_dec(&self) -> Decimal {
        match self {
            Self::Dec(number) => *number,
            Self::Int(number) => Decimal::from(*number),
            Self::Null | Self::Flag(_) | Self::Text(_) | Self::One(_) | Self::Many(_) => {
                Decimal::ZERO
            }
        }
    }

    pub(crate) fn as_int(&self) -> i64 {
        match self {
            Self::Int(number) | Self::One(number) => *number,
            Self::Null | Self::Flag(_) | Self::Dec(_) | Self::Text(_) | Self::Many(_) => 0,
        }
    }

    pub(crate) fn as_one(&self) -> Option<i64> {
        if let Self::One(id) = self {
            Some(*id)
        } else {
            None
        }
    }

    pub(crate) fn as_many(&self) -> &[i64] {
        if let Self::Many(ids) = self { ids } else { &[] }
    }

    pub(crate) fn as_flag(&self) -> bool {
        matches!(self, Self::Flag(true))
    }

    /// Nothing to a required field: not set, or an empty text.
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Text(text) => text.is_empty(),
            Self::Many(ids) => ids.is_empty(),
            Self::Flag(_) | Self::Int(_) | Self::Dec(_) | Self::One(_) => false,
        }
    }
}

/// A JSON number as an exact decimal: the digits that were sent, not their binary neighbour.
pub(crate) fn decimal(number: &Number) -> Option<Decimal> {
    parse_decimal(&number.to_string())
}

pub(crate) fn parse_decimal(text: &str) -> Option<Decimal> {
    let text = text.trim();
    Decimal::from_str(text)
        .or_else(|_| Decimal::from_scientific(text))
        .ok()
}

/// A decimal as Odoo sends floats: always with a fraction, `10.0`.
pub(crate) fn float(number: Decimal) -> Json {
    let mut text = number.normalize().to_string();
    if text == "-0" {
        "0".clone_into(&mut text);
    }
    if !text.contains('.') {
        text.push_str(".0");
    }
    Number::from_str(&text).map_or(Json::Null, Json::Number)
}

/// Rounds half away from zero, as Odoo rounds money, prices and quantities.
pub(crate) fn round(number: Decimal, digits: u32) -> Decimal {
    number.round_dp_with_strategy(digits, RoundingStrategy::MidpointAwayFromZero)
}

/// An id on the wire.
pub(crate) fn id_of(json: &Json) -> Option<i64> {
    json.as_i64()
}
