//! Exact decimals: quantities, unit prices and amounts of money.
//!
//! A decimal travels as text in every contract. What cannot be held exactly is refused, never rounded.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Why a text is not a decimal that we take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not digits with at most one point.
    #[error(
        "`{0}` is not a decimal number: write digits with a point, such as 12.50, without exponent or separators"
    )]
    Form(String),
    /// More digits after the point than the field takes.
    #[error(
        "`{text}` has {found} decimal places; at most {allowed} are taken here, and nothing is rounded in silence"
    )]
    Places {
        /// What was sent.
        text: String,
        /// Digits after the point.
        found: usize,
        /// Digits allowed.
        allowed: usize,
    },
    /// More digits before the point than the field takes.
    #[error("`{text}` has more than {allowed} digits before the point")]
    Size {
        /// What was sent.
        text: String,
        /// Digits allowed.
        allowed: usize,
    },
    /// Below zero, or zero where that makes no sense.
    #[error("`{0}` must be greater than zero")]
    NotPositive(String),
}

/// Most digits before the point: with six places behind it this stays within 18 significant digits,
/// far inside the 28 of the decimal type, so that sums and products of lines stay exact.
pub const INTEGER_DIGITS: usize = 12;

fn parse(text: &str, places: usize) -> Result<Decimal, Error> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = match digits.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (digits, None),
    };
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let well_formed = all_digits(whole)
        && fraction.is_none_or(all_digits)
        && (whole.len() == 1 || !whole.starts_with('0'));
    let zero = digits.bytes().all(|b| matches!(b, b'0' | b'.'));
    if !well_formed || (text.starts_with('-') && zero) {
        return Err(Error::Form(shorten(text)));
    }
    if whole.len() > INTEGER_DIGITS {
        return Err(Error::Size {
            text: shorten(text),
            allowed: INTEGER_DIGITS,
        });
    }
    // Zeros at the end add nothing: 1.500000000 is 1.5.
    let found = fraction.map_or(0, |f| f.trim_end_matches('0').len());
    if found > places {
        return Err(Error::Places {
            text: shorten(text),
            found,
            allowed: places,
        });
    }
    Decimal::from_str_exact(text)
        .map(|value| value.normalize())
        .map_err(|_| Error::Form(shorten(text)))
}

fn shorten(text: &str) -> String {
    let mut short: String = text.chars().take(40).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

macro_rules! decimal_type {
    ($(#[$doc:meta])* $name:ident, $places:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(Decimal);

        impl $name {
            /// Digits after the point that a sender may use.
            pub const PLACES: usize = $places;
            /// Nothing.
            pub const ZERO: Self = Self(Decimal::ZERO);

            /// A value that was computed exactly; it may carry more places than a sender may send.
            #[must_use]
            pub fn from_decimal(value: Decimal) -> Self {
                Self(value.normalize())
            }

            /// The number itself.
            #[must_use]
            pub fn decimal(self) -> Decimal {
                self.0
            }

            /// Whether nothing is left.
            #[must_use]
            pub fn is_zero(self) -> bool {
                self.0.is_zero()
            }
        }

        impl FromStr for $name {
            type Err = Error;
            fn from_str(text: &str) -> Result<Self, Error> {
                parse(text, $places).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.normalize().fmt(f)
            }
        }

        impl std::ops::Add for $name {
            type Output = Self;
            fn add(self, other: Self) -> Self {
                Self((self.0 + other.0).normalize())
            }
        }

        impl std::ops::Sub for $name {
            type Output = Self;
            fn sub(self, other: Self) -> Self {
                Self((self.0 - other.0).normalize())
            }
        }

        impl std::iter::Sum for $name {
            fn sum<I: Iterator<Item = Self>>(items: I) -> Self {
                items.fold(Self::ZERO, |sum, item| sum + item)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                // Sums in stored state may have more places than a sender may use.
                Decimal::from_str_exact(&text)
                    .map(|value| Self(value.normalize()))
                    .map_err(serde::de::Error::custom)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                let pattern = format!(
                    r"^(0|[1-9][0-9]{{0,{}}})(\.[0-9]{{1,{}}}0*)?$|^-(0\.[0-9]*[1-9][0-9]*|[1-9][0-9]{{0,{}}}(\.[0-9]{{1,{}}}0*)?)$",
                    INTEGER_DIGITS - 1, $places, INTEGER_DIGITS - 1, $places
                );
                json_schema!({
                    "type": "string",
                    "pattern": pattern,
                    "description": concat!(
                        "Exact decimal as text, at most ", stringify!($places),
                        " decimal places. A JSON number is taken by its literal text."
                    ),
                    "examples": ["12.5"],
                })
            }
        }
    };
}

decimal_type!(
    /// How much of something, in the unit named beside it.
    Quantity, 6
);
decimal_type!(
    /// Money per unit, in the document's currency.
    UnitPrice, 6
);
decimal_type!(
    /// A sum of money in the document's currency.
    Amount, 4
);

impl Quantity {
    /// Whether it is more than nothing.
    #[must_use]
    pub fn is_positive(self) -> bool {
        self.0.is_sign_positive() && !self.0.is_zero()
    }

    /// Whether there is nothing; what a record leaves out.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.0.is_zero()
    }

    /// So many pieces.
    #[must_use]
    pub fn count(pieces: usize) -> Self {
        Self(Decimal::from(pieces))
    }

    /// What so many cost at this price, exactly.
    #[must_use]
    pub fn times(self, price: UnitPrice) -> Amount {
        Amount::from_decimal(self.0 * price.0)
    }
}

impl Amount {
    /// Whether there is no such amount; what a document leaves out.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.0.is_zero()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_is_not_a_plain_decimal_is_refused() {
        for text in [
            "1e400", "NaN", "-0", "-0.0", "1,5", "", ".5", "5.", "+1", "0x10", "01", " 1", "١٢",
        ] {
            assert!(
                matches!(Quantity::from_str(text), Err(Error::Form(_))),
                "{text}"
            );
        }
        assert!(matches!(
            Quantity::from_str(&"9".repeat(31)),
            Err(Error::Size { .. })
        ));
        assert!(matches!(
            Quantity::from_str("1.1234567"),
            Err(Error::Places {
                found: 7,
                allowed: 6,
                ..
            })
        ));
    }

    #[test]
    fn zeros_at_the_end_change_nothing() {
        assert_eq!(
            Quantity::from_str("10").unwrap(),
            Quantity::from_str("10.000000000").unwrap()
        );
        assert_eq!(Quantity::from_str("10.0").unwrap().to_string(), "10");
    }

    #[test]
    fn a_line_total_is_exact() {
        let total = Quantity::from_str("3")
            .unwrap()
            .times(UnitPrice::from_str("38.2935").unwrap());
        assert_eq!(total.to_string(), "114.8805");
    }
}
