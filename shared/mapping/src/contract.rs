//! The contract: JSON Schemas generated from the Rust types, and events checked against them.

use std::collections::BTreeMap;

use interplant_domain::event::Envelope;
use interplant_domain::fact::FactKind;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{JsonType, ValidationError, Validator};
use schemars::{Schema, schema_for};
use serde_json::Value;

use crate::event::Fault;

/// More faults than this are not listed.
const MOST_FAULTS: usize = 20;

/// Compiled schemas of the envelope and of every fact.
#[derive(Debug)]
pub struct Contract {
    envelope: Validator,
    facts: BTreeMap<FactKind, Validator>,
}

/// The schema of the envelope.
#[must_use]
pub fn envelope_schema() -> Schema {
    schema_for!(Envelope)
}

/// The schema of the `data` of a kind of fact.
#[must_use]
pub fn fact_schema(kind: FactKind) -> Schema {
    kind.schema()
}

impl Contract {
    /// Compiles the schemas, once per cold start.
    ///
    /// # Errors
    /// When a schema is none, which is our fault.
    pub fn new() -> Result<Self, String> {
        let compile = |schema: Schema| {
            jsonschema::options()
                .should_validate_formats(true)
                .build(schema.as_value())
                .map_err(|error| error.to_string())
        };
        let facts = FactKind::ALL
            .iter()
            .copied()
            .filter(|kind| kind.is_sent_by_plants())
            .map(|kind| Ok((kind, compile(fact_schema(kind))?)));
        Ok(Self {
            envelope: compile(envelope_schema())?,
            facts: facts.collect::<Result<_, String>>()?,
        })
    }

    /// Faults of the envelope.
    #[must_use]
    pub fn envelope_faults(&self, event: &Value) -> Vec<Fault> {
        self.envelope
            .iter_errors(event)
            .take(MOST_FAULTS)
            .map(|error| fault(&error, ""))
            .collect()
    }

    /// Faults of `data`, with pointers from the root of the event.
    #[must_use]
    pub fn fact_faults(&self, kind: FactKind, data: &Value) -> Vec<Fault> {
        let Some(validator) = self.facts.get(&kind) else {
            return Vec::new();
        };
        validator
            .iter_errors(data)
            .take(MOST_FAULTS)
            .map(|error| fault(&error, "/data"))
            .collect()
    }
}

fn fault(error: &ValidationError<'_>, prefix: &str) -> Fault {
    let place = format!("{prefix}{}", error.instance_path());
    let schema = error.evaluation_path().to_string();
    let number = ["Quantity", "UnitPrice", "Amount"]
        .iter()
        .any(|name| schema.contains(name) || error.schema_path().to_string().contains(name))
        || matches!(error.kind(), ValidationErrorKind::Pattern { pattern } if pattern.contains("(0|[1-9]"));
    let shown = shorten(&error.instance().to_string());
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the library has forty kinds and adds more; the rest is told in its own words"
    )]
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            let name = unexpected.first().map_or("", String::as_str);
            Fault {
                code: "unknown_field",
                pointer: format!("{place}/{}", name.replace('~', "~0").replace('/', "~1")),
                detail: format!(
                    "the field `{}` is not known here: check its spelling, or leave it out",
                    shorten(name)
                ),
            }
        }
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            Fault {
                code: "missing_field",
                pointer: format!("{place}/{name}"),
                detail: format!("the field `{name}` is missing"),
            }
        }
        ValidationErrorKind::Pattern { .. } if number => Fault {
            code: "invalid_number",
            pointer: place,
            detail: number_fault(error.instance().as_str().unwrap_or_default(), &shown),
        },
        ValidationErrorKind::Pattern { pattern } if pattern.starts_with("^(19|20|21)") => {
            date_fault(place, &shown)
        }
        ValidationErrorKind::Format { .. } => date_fault(place, &shown),
        // A field that may be left out, or null: what is wrong is what it should be, and not that it is there.
        ValidationErrorKind::AnyOf { context } => match meant(context) {
            Some(error) => fault(error, prefix),
            None => told(error, place, shown),
        },
        ValidationErrorKind::OneOfNotValid { context } => match words(context) {
            Some(words) => Fault {
                code: "invalid_value",
                pointer: place,
                detail: format!("{shown} is none of {words}"),
            },
            None => told(error, place, shown),
        },
        ValidationErrorKind::Type { .. } if number => Fault {
            code: "invalid_number",
            pointer: place,
            detail: format!(
                "{shown} is not a decimal number: write it as text with a point, such as \"12.50\""
            ),
        },
        _ => told(error, place, shown),
    }
}

/// A fault in the library's own words.
fn told(error: &ValidationError<'_>, pointer: String, shown: String) -> Fault {
    Fault {
        code: "invalid_value",
        pointer,
        detail: shorten(&error.masked_with(shown).to_string()),
    }
}

/// What is wrong with a value by the one alternative that is not null.
fn meant<'a>(
    alternatives: &'a [Vec<ValidationError<'static>>],
) -> Option<&'a ValidationError<'static>> {
    let null = |error: &ValidationError<'_>| {
        matches!(
            error.kind(),
            ValidationErrorKind::Type {
                kind: TypeKind::Single(JsonType::Null)
            }
        )
    };
    match alternatives {
        [meant, other] if other.iter().all(null) => meant.first(),
        _ => None,
    }
}

/// The words that a field takes, when its alternatives are words.
fn words(alternatives: &[Vec<ValidationError<'static>>]) -> Option<String> {
    let mut words = Vec::new();
    for alternative in alternatives {
        let [error] = alternative.as_slice() else {
            return None;
        };
        let ValidationErrorKind::Constant { expected_value } = error.kind() else {
            return None;
        };
        words.push(expected_value.as_str()?.to_owned());
    }
    Some(words.join(", "))
}

fn number_fault(text: &str, shown: &str) -> String {
    use interplant_domain::decimal::Quantity;
    match text.parse::<Quantity>() {
        Err(error) => error.to_string(),
        // Fine as a quantity, so it is an amount of money with too many places.
        Ok(_) => format!(
            "{shown} has too many decimal places for an amount of money; nothing is rounded in silence"
        ),
    }
}

fn date_fault(pointer: String, shown: &str) -> Fault {
    Fault {
        code: "invalid_date",
        pointer,
        detail: format!(
            "{shown} is not a date that exists: write a day as 2026-11-23, a moment as 2026-11-23T10:15:00+01:00"
        ),
    }
}

fn shorten(text: &str) -> String {
    let mut short: String = text
        .chars()
        .take(200)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    if text.chars().nth(200).is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn order(change: impl Fn(&mut Value)) -> Vec<(&'static str, String)> {
        let mut data = json!({
            "poNumber": "4711", "supplierId": "V1", "currency": "USD", "orderDate": "2026-11-01",
            "lines": [{"lineNo": "10", "itemId": "A", "qty": "5", "uom": "EA", "unitPrice": "2.5"}]
        });
        change(&mut data);
        let faults = Contract::new()
            .unwrap()
            .fact_faults(FactKind::PoCreated, &data);
        faults
            .into_iter()
            .map(|fault| (fault.code, fault.pointer))
            .collect()
    }

    #[test]
    fn a_right_order_has_no_faults() {
        assert_eq!(order(|_| ()), []);
    }

    #[test]
    fn every_fault_is_named_with_its_place() {
        let cases: [(&str, Value, &str); 12] = [
            ("/lines/0/qty", json!("1e400"), "invalid_number"),
            ("/lines/0/qty", json!("1.1234567"), "invalid_number"),
            ("/lines/0/qty", json!("1,5"), "invalid_number"),
            ("/lines/0/qty", json!("-0"), "invalid_number"),
            ("/lines/0/qty", json!(true), "invalid_number"),
            ("/lines/0/unitPrice", json!("١٢"), "invalid_number"),
            ("/lines/0/qty", json!("9".repeat(31)), "invalid_number"),
            ("/orderDate", json!("2026-02-30"), "invalid_date"),
            ("/orderDate", json!("9999-01-01"), "invalid_date"),
            ("/currency", json!("usd"), "invalid_value"),
            ("/poNumber", json!("  "), "invalid_value"),
            ("/poNumber", json!("a\u{202e}b"), "invalid_value"),
        ];
        for (pointer, value, code) in cases {
            let faults = order(|data| *data.pointer_mut(pointer).unwrap() = value.clone());
            assert_eq!(faults, [(code, format!("/data{pointer}"))], "{value}");
        }
        assert_eq!(
            order(|data| data["state"] = json!("approved")),
            [("unknown_field", "/data/state".to_owned())]
        );
        let mut missing = order(|data| {
            data.as_object_mut().unwrap().remove("supplierId");
        });
        assert_eq!(
            missing.pop(),
            Some(("missing_field", "/data/supplierId".to_owned()))
        );
    }

    #[test]
    fn a_number_fault_says_what_is_wrong_with_the_number() {
        let faults = |qty: &str| {
            let data = json!({"receiptNumber": "1", "poNumber": "1", "lines": [{"lineNo": "1", "qtyReceived": qty}]});
            Contract::new()
                .unwrap()
                .fact_faults(FactKind::ReceiptPosted, &data)
                .remove(0)
                .detail
        };
        assert!(
            faults("1.1234567").contains("7 decimal places; at most 6"),
            "{}",
            faults("1.1234567")
        );
        assert!(
            faults("1e400").contains("without exponent"),
            "{}",
            faults("1e400")
        );
    }
}
