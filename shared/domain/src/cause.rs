//! What exceptions have in common: five hundred orders that lack one item are one thing to mend.
//!
//! A cause is the code and what its sentence says when everything is left out that belongs to one document
//! alone: its numbers, its quantities, its days. What stands in quotes is what the sentence is about, and stays.

use crate::exception::{Code, OwnerRole};
use crate::fact::FactKind;
use crate::identifier::{LifecycleId, PlantCode, sha256_hex};

/// What takes the place of what is left out.
const LEFT_OUT: &str = "#";

/// The cause of an exception.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// `<plant>.<code>.<ten hexadecimal digits>`, equal for exceptions of one cause.
    pub key: String,
    /// The cause in words.
    pub about: String,
}

impl Cause {
    /// The cause of an exception about a document. What a business decides about is of one cause only where the
    /// supplier is the same.
    #[must_use]
    pub fn of(id: &LifecycleId, code: Code, message: &str, supplier: Option<&str>) -> Self {
        let mut about = without_document(message, id);
        if let (Some(supplier), true) = (supplier, is_of_business(code)) {
            about = format!("supplier `{supplier}`: {about}");
        }
        Self::named(id.plant(), code, about)
    }

    /// A cause that is known by its own words.
    #[must_use]
    pub fn named(plant: &PlantCode, code: Code, about: String) -> Self {
        let mut hash = sha256_hex(about.as_bytes());
        hash.truncate(10);
        Self {
            key: format!("{plant}.{code}.{hash}"),
            about,
        }
    }

    /// The plant and the code that a key names.
    #[must_use]
    pub fn parts(key: &str) -> Option<(PlantCode, Code)> {
        let (plant, rest) = key.split_once('.')?;
        let (code, hash) = rest.split_once('.')?;
        let code = Code::ALL.iter().find(|one| one.as_str() == code)?;
        let is_hash = hash.len() == 10 && hash.bytes().all(|b| b.is_ascii_hexdigit());
        is_hash.then_some((plant.parse().ok()?, *code))
    }
}

fn is_of_business(code: Code) -> bool {
    match code.owner() {
        OwnerRole::Buyer | OwnerRole::Warehouse | OwnerRole::Quality | OwnerRole::Accountant => {
            true
        }
        OwnerRole::DataSteward | OwnerRole::Operations => false,
    }
}

/// A sentence without what belongs to one document.
fn without_document(message: &str, id: &LifecycleId) -> String {
    let text = id.to_string();
    let number = text.splitn(3, '/').nth(2).unwrap_or_default().to_owned();
    let own = [text, number, id.hash()];
    let mut words: Vec<String> = Vec::new();
    let mut rest = message;
    while let Some(first) = rest.chars().next() {
        if first.is_whitespace() {
            rest = rest.trim_start();
            continue;
        }
        let (word, behind) = match quoted(rest) {
            Some((word, behind)) if own.iter().any(|own| word.contains(own.as_str())) => {
                (LEFT_OUT.to_owned(), behind)
            }
            Some((word, behind)) => (word.to_owned(), behind),
            None => {
                let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
                let (word, behind) = rest.split_at(end);
                (without_figures(word, &own), behind)
            }
        };
        rest = behind;
        // How many figures a sentence lists is the document's own too.
        let repeats = is_left_out(&word) && words.last().is_some_and(|last| is_left_out(last));
        if !repeats {
            words.push(word);
        }
    }
    words.join(" ")
}

fn is_left_out(word: &str) -> bool {
    word.trim_end_matches([',', ';']) == LEFT_OUT
}

/// What stands in quotes at the beginning of a text, with the quotes, and what comes behind it.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '`'))?;
    let end = text.get(1..)?.find(quote)?;
    Some(text.split_at(end + 2))
}

fn without_figures(word: &str, own: &[String]) -> String {
    let bare = word.trim_end_matches([',', ';', ':', '.', ')']);
    let is_own = own.iter().any(|own| !own.is_empty() && bare == own);
    let is_figure =
        bare.bytes().any(|b| b.is_ascii_digit()) && FactKind::from_event_type(bare).is_none();
    match word.strip_prefix(bare) {
        Some(behind) if is_own || is_figure => format!("{LEFT_OUT}{behind}"),
        Some(_) | None => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cause(id: &str, code: Code, message: &str, supplier: Option<&str>) -> Cause {
        Cause::of(&id.parse().unwrap(), code, message, supplier)
    }

    #[test]
    fn one_unknown_item_is_one_cause_whatever_the_order_and_another_item_another() {
        let of = |order: &str, item: &str| {
            cause(
                order,
                Code::UnknownItem,
                &format!(
                    "Odoo refused: No matching record found for external id '{item}' in field 'Order Lines/Product'"
                ),
                None,
            )
        };
        let first = of("po/plant-b/4711", "interplant.plant_b_item_7");
        assert_eq!(first, of("po/plant-b/4712", "interplant.plant_b_item_7"));
        assert_ne!(
            first.key,
            of("po/plant-b/4711", "interplant.plant_b_item_8").key
        );
        assert_ne!(
            first.key,
            of("po/plant-a/4711", "interplant.plant_b_item_7").key
        );
        assert!(first.about.contains("interplant.plant_b_item_7"));
        assert_eq!(
            Cause::parts(&first.key),
            Some(("plant-b".parse().unwrap(), Code::UnknownItem))
        );
    }

    #[test]
    fn numbers_quantities_and_days_of_a_document_are_left_out() {
        let late = |number: &str, day: &str| {
            cause(
                "po/plant-b/ABC",
                Code::PredecessorOverdue,
                &format!(
                    "interplant.receipt.posted.v1 {number} has waited since {day} for the fact before it"
                ),
                None,
            )
        };
        assert_eq!(
            late("WE-1", "2026-11-23T08:00:00Z"),
            late("ABC", "2026-12-24T08:00:00Z")
        );
        assert!(
            late("1", "2")
                .about
                .contains("interplant.receipt.posted.v1"),
            "which fact waits is the cause"
        );
        let price = |message: &str, supplier| {
            cause("po/plant-b/4711", Code::Price, message, Some(supplier)).key
        };
        assert_eq!(
            price("invoice RE-7: line 1: price 40 against 38.2935", "S1"),
            price("invoice RE-8: line 2: price 7.5 against 7", "S1")
        );
        assert_ne!(
            price("invoice RE-7: price 40 against 38", "S1"),
            price("invoice RE-7: price 40 against 38", "S2")
        );
    }

    #[test]
    fn a_quoted_name_that_is_the_documents_own_is_left_out() {
        let of = |order: &str| {
            let id: LifecycleId = order.parse().unwrap();
            let external = id.external_id();
            Cause::of(
                &id,
                Code::OdooRefused,
                &format!("Odoo refused: '{external}' isn't right, says 'base.USD'"),
                None,
            )
        };
        assert_eq!(of("po/plant-b/AB"), of("po/plant-b/CD"));
        assert!(of("po/plant-b/AB").about.contains("'base.USD'"));
    }

    #[test]
    fn only_keys_of_causes_are_read() {
        for text in ["", "plant-b", "plant-b.NOPE.0123456789", "plant-b.PRICE.01"] {
            assert_eq!(Cause::parts(text), None, "{text}");
        }
    }
}
