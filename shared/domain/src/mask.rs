//! What of a document is kept from those who neither buy nor pay.

use serde_json::Value;

use crate::access::Sight;
use crate::amendment::Change;
use crate::exception::{Code, OwnerRole};

/// What stands where something is masked.
pub const MASKED: &str = "***";

const PRICES: [&str; 18] = [
    "unitPrice",
    "price",
    "amount",
    "discount",
    "taxAmount",
    "net",
    "gross",
    "tax",
    "roundOff",
    "totals",
    "charges",
    "debit",
    "credit",
    "unitCost",
    "cost",
    "standardCost",
    "value",
    "rate",
];

const BANK: [&str; 2] = ["bankAccount", "iban"];

/// A fact's `data` as somebody may read it.
#[must_use]
pub fn data(data: &Value, sight: Sight) -> Value {
    match data {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (name.clone(), member(name, value, sight)))
            .collect(),
        Value::Array(items) => items.iter().map(|item| self::data(item, sight)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => data.clone(),
    }
}

fn member(name: &str, value: &Value, sight: Sight) -> Value {
    if !sight.bank && BANK.contains(&name) {
        return account(value);
    }
    if !sight.prices && PRICES.contains(&name) && !value.is_null() {
        return MASKED.into();
    }
    data(value, sight)
}

/// An account with its last four characters: enough to compare, not enough to use.
fn account(value: &Value) -> Value {
    let Some(text) = value.as_str().filter(|text| text.chars().count() > 8) else {
        return if value.is_null() {
            Value::Null
        } else {
            MASKED.into()
        };
    };
    let last: Vec<char> = text.chars().rev().take(4).collect();
    let last: String = last.into_iter().rev().collect();
    format!("{MASKED}{last}").into()
}

/// Differences as somebody may read them: also of what lies inside a masked part.
#[must_use]
pub fn changes(changes: &[Change], sight: Sight) -> Vec<Change> {
    let masked = |change: &Change| {
        let parts: Vec<&str> = change.pointer.split('/').collect();
        let last = parts.last().copied().unwrap_or_default();
        let inside = |names: &[&str]| parts.iter().any(|part| names.contains(part));
        let one = |value: &Value| {
            if !sight.prices && inside(&PRICES) && !value.is_null() {
                MASKED.into()
            } else {
                member(last, value, sight)
            }
        };
        Change {
            pointer: change.pointer.clone(),
            before: one(&change.before),
            after: one(&change.after),
        }
    };
    changes.iter().map(masked).collect()
}

/// Whether the sentences of a code may hold prices, amounts or accounts.
#[must_use]
pub fn tells_money(code: Code) -> bool {
    match code.owner() {
        OwnerRole::Buyer | OwnerRole::Accountant => true,
        OwnerRole::Warehouse | OwnerRole::Quality => false,
        // Odoo's own words, and what was sent under one number twice, may hold anything.
        OwnerRole::DataSteward | OwnerRole::Operations => matches!(
            code,
            Code::AmountPrecision
                | Code::OdooRefused
                | Code::ConflictingFact
                | Code::DataRefusedByPlant
                | Code::FileNotMade
        ),
    }
}

/// The sentence of an exception as somebody may read it.
#[must_use]
pub fn message(code: Code, message: &str, sight: Sight) -> String {
    // Whose account it is stands in the sentence of this one code.
    let hidden = if code == Code::Party {
        !sight.bank
    } else {
        tells_money(code) && !sight.prices
    };
    if hidden {
        format!("{} (its figures are masked for you)", code.meaning())
    } else {
        message.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOTHING: Sight = Sight {
        prices: false,
        bank: false,
    };
    const PRICES_ONLY: Sight = Sight {
        prices: true,
        bank: false,
    };

    #[test]
    fn prices_and_accounts_are_masked_wherever_they_stand() {
        let invoice = json!({
            "invoiceNumber": "RE-1", "payee": {"supplierId": "S", "bankAccount": "DE89370400440532013000"},
            "lines": [{"lineNo": "1", "qty": "2", "unitPrice": "40"}],
            "charges": [{"code": "FREIGHT", "amount": "7"}], "totals": {"net": "80", "gross": "87"}
        });
        let seen = data(&invoice, NOTHING).to_string();
        for hidden in ["\"40\"", "\"80\"", "\"87\"", "\"7\"", "DE8937"] {
            assert!(!seen.contains(hidden), "{hidden} in {seen}");
        }
        assert!(
            seen.contains("RE-1") && seen.contains("***3000") && seen.contains("\"qty\":\"2\"")
        );
        let bought = data(&invoice, PRICES_ONLY);
        assert_eq!(bought["lines"][0]["unitPrice"], "40");
        assert_eq!(bought["payee"]["bankAccount"], "***3000");
    }

    #[test]
    fn differences_are_masked_as_what_they_are_differences_of() {
        let one = |pointer: &str, before: &str| Change {
            pointer: pointer.to_owned(),
            before: before.into(),
            after: Value::Null,
        };
        let seen = changes(
            &[
                one("/lines/0/unitPrice", "40"),
                one("/totals/gross", "80"),
                one("/payee/bankAccount", "DE89370400440532013000"),
                one("/lines/0/itemId", "A"),
            ],
            NOTHING,
        );
        let before: Vec<&str> = seen.iter().filter_map(|one| one.before.as_str()).collect();
        assert_eq!(before, ["***", "***", "***3000", "A"]);
    }

    #[test]
    fn a_sentence_with_prices_becomes_what_the_code_means() {
        let text = "price 40 against 38.2935";
        assert!(!message(Code::Price, text, NOTHING).contains("40"));
        assert_eq!(message(Code::Price, text, PRICES_ONLY), text);
        assert!(!message(Code::Party, "account DE89", PRICES_ONLY).contains("DE89"));
        assert_eq!(message(Code::UnknownItem, "item X", NOTHING), "item X");
    }
}
