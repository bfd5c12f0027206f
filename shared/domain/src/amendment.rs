//! A person puts a fact right that waits. The original stays as it came; what is said instead is a fact of its
//! own, and the difference between the two is kept.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::decimal::{Amount, Quantity, UnitPrice};
use crate::fact::{Code, Fact, InvoiceLine};
use crate::identifier::EventId;
use crate::purchase_order::PurchaseOrder;

/// More changes than this are another document.
pub const MOST_CHANGES: usize = 100;

/// What a person wants to be said instead.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// JSON pointer inside `data`, such as `/lines/0/itemId`.
    pub pointer: String,
    /// What stands there then; null takes it out.
    #[serde(default)]
    pub value: Value,
}

/// One difference between a fact and what is said instead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// JSON pointer inside `data`.
    pub pointer: String,
    /// What stood there; null when nothing did.
    pub before: Value,
    /// What stands there now; null when nothing does.
    pub after: Value,
}

/// What an amended fact says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amendment {
    /// The fact that it takes the place of.
    pub of: EventId,
    /// Who wrote it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// What it says otherwise.
    pub changes: Vec<Change>,
}

/// Why a change cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Misplaced {
    /// The pointer.
    pub pointer: String,
    /// What is wrong, and what to do.
    pub message: String,
}

/// A fact's `data` with changes made to it.
///
/// # Errors
/// When a pointer leads nowhere. Lines are neither added nor taken out.
pub fn amended(data: &Value, wanted: &[Wanted]) -> Result<Value, Misplaced> {
    let mut amended = data.clone();
    for one in wanted {
        set(&mut amended, one)?;
    }
    Ok(amended)
}

fn set(data: &mut Value, wanted: &Wanted) -> Result<(), Misplaced> {
    let misplaced = |message: &str| Misplaced {
        pointer: wanted.pointer.clone(),
        message: message.to_owned(),
    };
    let nowhere = || {
        misplaced("The pointer leads nowhere in the fact's data; it is such as /lines/0/itemId.")
    };
    let (parent, name) = wanted.pointer.rsplit_once('/').ok_or_else(nowhere)?;
    let name = name.replace("~1", "/").replace("~0", "~");
    match data.pointer_mut(parent).ok_or_else(nowhere)? {
        Value::Object(members) if wanted.value.is_null() => {
            members.remove(&name).ok_or_else(nowhere)?;
        }
        Value::Object(members) => {
            members.insert(name, wanted.value.clone());
        }
        Value::Array(_) if wanted.value.is_null() => {
            return Err(misplaced(
                "Lines are not taken out of a fact: ask the plant for a corrected one, and skip this one.",
            ));
        }
        Value::Array(items) => {
            let index: usize = name.parse().map_err(|_| nowhere())?;
            *items.get_mut(index).ok_or_else(nowhere)? = wanted.value.clone();
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            return Err(nowhere());
        }
    }
    Ok(())
}

/// What differs between two versions of a fact's `data`.
#[must_use]
pub fn diff(before: &Value, after: &Value) -> Vec<Change> {
    let mut changes = Vec::new();
    compare(String::new(), before, after, &mut changes);
    changes
}

fn compare(pointer: String, before: &Value, after: &Value, changes: &mut Vec<Change>) {
    let below = |name: &str| format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
    match (before, after) {
        (Value::Object(old), Value::Object(new)) => {
            for (name, old) in old {
                compare(
                    below(name),
                    old,
                    new.get(name).unwrap_or(&Value::Null),
                    changes,
                );
            }
            for (name, new) in new.iter().filter(|(name, _)| !old.contains_key(*name)) {
                compare(below(name), &Value::Null, new, changes);
            }
        }
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
            for (index, (old, new)) in old.iter().zip(new).enumerate() {
                compare(below(&index.to_string()), old, new, changes);
            }
        }
        _ if before == after => {}
        _ => changes.push(Change {
            pointer,
            before: before.clone(),
            after: after.clone(),
        }),
    }
}

/// Why a second person has to approve an amendment; none when one is enough.
///
/// Another payee, supplier, currency or account always takes two: it is the usual fraud. Else the money that it
/// moves decides, and what cannot be valued counts as above every limit.
#[must_use]
pub fn second_person(
    changes: &[Change],
    before: &Fact,
    after: &Fact,
    order: Option<&PurchaseOrder>,
    limit: Amount,
) -> Option<String> {
    let payee = changes.iter().find(|change| {
        ["/payee", "/supplierId", "/currency"]
            .iter()
            .any(|part| change.pointer.starts_with(part))
    });
    if let Some(change) = payee {
        return Some(format!("{} says who is paid, or in what", change.pointer));
    }
    let Some(difference) = moved(changes, before, after, order) else {
        return Some("it cannot be said how much money the change moves".to_owned());
    };
    (difference > limit).then(|| format!("it moves {difference}, more than {limit}"))
}

/// How much money an amendment moves; none when that cannot be said.
fn moved(
    changes: &[Change],
    before: &Fact,
    after: &Fact,
    order: Option<&PurchaseOrder>,
) -> Option<Amount> {
    let says_money = |change: &Change| {
        let last = change.pointer.rsplit('/').next().unwrap_or_default();
        let name = last.to_ascii_lowercase();
        // A whole list that changed may hold anything.
        change.before.is_array()
            || change.after.is_array()
            || change.before.is_object()
            || change.after.is_object()
            || [
                "qty",
                "price",
                "amount",
                "discount",
                "net",
                "gross",
                "tax",
                "charges",
                "roundoff",
                "uom",
                "cumulative",
                "lineno",
                "kind",
            ]
            .iter()
            .any(|word| name.contains(word))
    };
    if !changes.iter().any(says_money) {
        return Some(Amount::ZERO);
    }
    let unit_changed = changes
        .iter()
        .any(|change| change.pointer.ends_with("/uom"));
    let priced_by_itself = matches!(before, Fact::PoCreated(_) | Fact::InvoiceReceived(_));
    if unit_changed && !priced_by_itself {
        return None;
    }
    let (before, after) = (value(before, order)?, value(after, order)?);
    let zero = Decimal::ZERO;
    let by_part = |part: &String| {
        let old = before.parts.get(part).copied().unwrap_or(zero);
        let new = after.parts.get(part).copied().unwrap_or(zero);
        (new - old).abs()
    };
    let parts: Decimal = before
        .parts
        .keys()
        .chain(
            after
                .parts
                .keys()
                .filter(|part| !before.parts.contains_key(*part)),
        )
        .map(by_part)
        .sum();
    let stated = (after.stated - before.stated).abs();
    Some(Amount::from_decimal(parts.max(stated)))
}

/// Where the totals of an invoice do not fit its lines and charges, in words. What rounding can do is no difference.
#[must_use]
pub fn totals_that_do_not_fit(fact: &Fact) -> Option<String> {
    let Fact::InvoiceReceived(invoice) = fact else {
        return None;
    };
    let cent = Decimal::new(1, 2);
    let totals = &invoice.totals;
    let lines: Decimal = invoice.lines.iter().map(InvoiceLine::net).sum();
    if (lines - totals.net.decimal()).abs() > cent * Decimal::from(invoice.lines.len().max(1)) {
        return Some(format!(
            "the lines add up to {}, /totals/net says {}",
            lines.normalize(),
            totals.net
        ));
    }
    // Who does not state the charges names them.
    let charges: Decimal = if totals.charges == Amount::ZERO {
        invoice.charges.iter().map(|one| one.amount.decimal()).sum()
    } else {
        totals.charges.decimal()
    };
    let gross: Decimal =
        totals.net.decimal() + charges + totals.tax.decimal() + totals.round_off.decimal();
    ((gross - totals.gross.decimal()).abs() > cent).then(|| {
        format!(
            "net, charges, tax and rounding add up to {}, /totals/gross says {}",
            gross.normalize(),
            totals.gross
        )
    })
}

/// What a document is worth: its parts, and the total that it states.
#[derive(Default)]
struct Worth {
    parts: BTreeMap<String, Decimal>,
    stated: Decimal,
}

impl Worth {
    fn line(&mut self, line: &Code, qty: Quantity, price: UnitPrice) {
        *self.parts.entry(format!("line {line}")).or_default() += qty.times(price).decimal();
    }
}

fn value(fact: &Fact, order: Option<&PurchaseOrder>) -> Option<Worth> {
    let mut worth = Worth::default();
    let ordered = |line: &Code| {
        let mut lines = order?.lines.iter();
        lines.find(|known| known.line_no == *line)
    };
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "what is not valued here takes two people"
    )]
    match fact {
        Fact::PoCreated(fact) => {
            for line in &fact.lines {
                worth.line(&line.line_no, line.qty, line.unit_price);
            }
            for charge in &fact.charges {
                *worth
                    .parts
                    .entry(format!("charge {}", charge.code))
                    .or_default() += charge.amount.decimal();
            }
        }
        Fact::PoChanged(fact) => {
            for line in &fact.changed_lines {
                let known = ordered(&line.line_no);
                let qty = line.qty.or(known.map(|known| known.ordered))?;
                let price = line.unit_price.or(known.map(|known| known.unit_price))?;
                worth.line(&line.line_no, qty, price);
            }
        }
        Fact::ReceiptPosted(fact) => {
            for line in &fact.lines {
                worth.line(
                    &line.line_no,
                    line.qty_received,
                    ordered(&line.line_no)?.unit_price,
                );
            }
        }
        Fact::AsnReceived(fact) => {
            for line in &fact.lines {
                worth.line(&line.line_no, line.qty, ordered(&line.line_no)?.unit_price);
            }
        }
        Fact::InvoiceReceived(fact) => {
            for line in &fact.lines {
                worth.line(&line.line_no, line.qty, line.unit_price);
                let discount = line.discount.unwrap_or(Amount::ZERO).decimal();
                *worth
                    .parts
                    .entry(format!("line {}", line.line_no))
                    .or_default() -= discount;
            }
            for charge in &fact.charges {
                *worth
                    .parts
                    .entry(format!("charge {}", charge.code))
                    .or_default() += charge.amount.decimal();
            }
            worth.stated = fact.totals.gross.decimal();
        }
        _ => return None,
    }
    Some(worth)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::FactKind;
    use serde_json::json;

    fn invoice() -> Value {
        json!({
            "invoiceNumber": "RE-1", "supplierId": "S", "invoiceDate": "2026-10-21", "currency": "USD",
            "lines": [{"poNumber": "1", "lineNo": "1", "qty": "12", "unitPrice": "40"}],
            "totals": {"net": "480", "tax": "0", "gross": "480"}
        })
    }

    fn receipt() -> Value {
        json!({"receiptNumber": "WE-1", "poNumber": "1", "lines": [{"lineNo": "1", "qtyReceived": "12", "uom": "EA"}]})
    }

    fn needs_second(kind: FactKind, before: &Value, wanted: &[(&str, &str)]) -> Option<String> {
        let wanted: Vec<Wanted> = wanted
            .iter()
            .map(|(pointer, value)| Wanted {
                pointer: (*pointer).to_owned(),
                value: (*value).into(),
            })
            .collect();
        let after = amended(before, &wanted).unwrap();
        let changes = diff(before, &after);
        assert_eq!(changes.len(), wanted.len(), "{changes:?}");
        let (before, after) = (Fact::read(kind, before), Fact::read(kind, &after));
        let limit = "20".parse().unwrap();
        second_person(&changes, &before.unwrap(), &after.unwrap(), None, limit)
    }

    #[test]
    fn more_money_than_the_limit_takes_two_and_less_takes_one() {
        let of =
            |wanted: &[(&str, &str)]| needs_second(FactKind::InvoiceReceived, &invoice(), wanted);
        assert_eq!(of(&[("/lines/0/unitPrice", "39")]), None);
        assert!(of(&[("/lines/0/unitPrice", "38")]).unwrap().contains("24"));
        assert!(of(&[("/lines/0/qty", "1")]).is_some());
        assert_eq!(of(&[("/totals/gross", "460")]), None);
        assert!(of(&[("/totals/gross", "459.99")]).is_some());
        assert_eq!(of(&[("/invoiceDate", "2026-10-22")]), None);
    }

    #[test]
    fn totals_that_do_not_fit_the_lines_are_told() {
        let told = |wanted: &[(&str, &str)]| {
            let wanted = wanted.iter().map(|(pointer, value)| Wanted {
                pointer: (*pointer).to_owned(),
                value: (*value).into(),
            });
            let after = amended(&invoice(), &wanted.collect::<Vec<_>>()).unwrap();
            totals_that_do_not_fit(&Fact::read(FactKind::InvoiceReceived, &after).unwrap())
        };
        assert_eq!(told(&[]), None);
        assert_eq!(
            told(&[("/lines/0/unitPrice", "39")]).unwrap(),
            "the lines add up to 468, /totals/net says 480"
        );
        assert_eq!(
            told(&[("/totals/tax", "48")]).unwrap(),
            "net, charges, tax and rounding add up to 528, /totals/gross says 480"
        );
        let all = [
            ("/lines/0/unitPrice", "39"),
            ("/totals/net", "468"),
            ("/totals/gross", "468.01"),
        ];
        assert_eq!(told(&all), None);
    }

    #[test]
    fn who_is_paid_and_in_what_always_takes_two() {
        for (pointer, value) in [("/payee", "x"), ("/supplierId", "T"), ("/currency", "EUR")] {
            let wanted = Wanted {
                pointer: pointer.to_owned(),
                value: if pointer == "/payee" {
                    json!({"bankAccount": "DE1"})
                } else {
                    value.into()
                },
            };
            let after = amended(&invoice(), &[wanted]).unwrap();
            let read = |data: &Value| Fact::read(FactKind::InvoiceReceived, data).unwrap();
            let changes = diff(&invoice(), &after);
            let limit = "1000000".parse().unwrap();
            let second = second_person(&changes, &read(&invoice()), &read(&after), None, limit);
            assert!(second.is_some(), "{pointer}");
        }
    }

    #[test]
    fn what_cannot_be_valued_takes_two() {
        let of =
            |wanted: &[(&str, &str)]| needs_second(FactKind::ReceiptPosted, &receipt(), wanted);
        // The order, and with it the price, is not known.
        assert!(of(&[("/lines/0/qtyReceived", "11")]).is_some());
        assert!(of(&[("/lines/0/uom", "BOX")]).is_some());
    }

    #[test]
    fn a_pointer_that_leads_nowhere_changes_nothing() {
        for pointer in [
            "",
            "/",
            "lines",
            "/lines/1",
            "/lines/x",
            "/lines/0/qty/1",
            "/nope/x",
        ] {
            let wanted = Wanted {
                pointer: pointer.to_owned(),
                value: "1".into(),
            };
            let made = amended(&invoice(), &[wanted]);
            // A new member is for the check of the fact to refuse.
            assert!(made.is_err() || pointer == "/", "{pointer}: {made:?}");
        }
        let gone = Wanted {
            pointer: "/lines/0".to_owned(),
            value: Value::Null,
        };
        assert!(
            amended(&invoice(), &[gone]).is_err(),
            "lines are not taken out"
        );
    }
}
