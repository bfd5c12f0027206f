//! What a column is about, guessed by its name: in English, German, Italian, French, Spanish and SAP's own words.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// What a column may be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Role {
    OrderNumber,
    LineNumber,
    Supplier,
    SupplierName,
    Currency,
    OrderDate,
    Item,
    ItemText,
    Quantity,
    QuantityReceived,
    QuantityRejected,
    Unit,
    Price,
    PriceBase,
    LineAmount,
    NeedDate,
    ReceiptNumber,
    ReceiptDate,
    Lot,
    Serial,
    Expiry,
    InvoiceNumber,
    InvoiceDate,
    TaxCode,
    TaxAmount,
    NetAmount,
    GrossAmount,
    ShipmentNumber,
}

/// The names of columns by what they are about.
static NAMES: LazyLock<Vec<(Role, Vec<&'static str>)>> =
    LazyLock::new(|| named(include_str!("names.txt")));

fn named(text: &'static str) -> Vec<(Role, Vec<&'static str>)> {
    let mut all: Vec<(Role, Vec<&'static str>)> = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if let Some(role) = line.strip_suffix(':') {
            // A role that is not known would be left out; a test reads them all.
            let read = serde_json::from_value(serde_json::Value::from(role)).ok();
            all.extend(read.map(|role| (role, Vec::new())));
        } else if let Some((_, names)) = all.last_mut() {
            names.extend(line.split_whitespace());
        }
    }
    all
}

/// What is left of a name.
fn bare(name: &str) -> String {
    let mut bare = String::new();
    for letter in name.to_lowercase().chars() {
        match letter {
            'à' | 'á' | 'â' | 'ã' | 'ä' => bare.push('a'),
            'è' | 'é' | 'ê' | 'ë' => bare.push('e'),
            'ì' | 'í' | 'î' | 'ï' => bare.push('i'),
            'ò' | 'ó' | 'ô' | 'ö' => bare.push('o'),
            'ù' | 'ú' | 'û' | 'ü' => bare.push('u'),
            'ç' => bare.push('c'),
            'ñ' => bare.push('n'),
            'ß' => bare.push_str("ss"),
            'º' | '°' => {}
            letter if letter.is_alphanumeric() => bare.push(letter),
            _ => {}
        }
    }
    bare
}

/// What a column of this name is probably about, and whether its whole name says so.
pub(crate) fn role(name: &str) -> Option<(Role, bool)> {
    // `U.M.` is a name, and of a path its end counts.
    let end = name
        .rsplit(['.', '/'])
        .map(bare)
        .find(|end| !end.is_empty());
    let names = [Some(bare(name)), end.filter(|_| !name.ends_with('.'))];
    let whole = names.iter().flatten().find_map(|bare| {
        let found = NAMES
            .iter()
            .find(|(_, names)| names.contains(&bare.as_str()));
        found.map(|(role, _)| (*role, true))
    });
    whole.or_else(|| {
        let begun = names.iter().flatten().find_map(|bare| begins_like(bare));
        begun.map(|role| (role, false))
    })
}

/// `Bestellung Nr. 2026` and `prezzo unitario EUR` begin like a name that is known.
fn begins_like(bare: &str) -> Option<Role> {
    let begins = |known: &&&str| known.len() >= 6 && bare.starts_with(**known);
    let named = NAMES.iter().filter_map(|(role, names)| {
        let longest = names.iter().filter(begins).map(|known| known.len()).max()?;
        Some((longest, *role))
    });
    let longest = named.max_by_key(|(longest, _)| *longest);
    longest.map(|(_, role)| role)
}

/// Whether two columns are called alike, such as `OrderNo` and `Order No.`.
pub(crate) fn is_called_alike(one: &str, other: &str) -> bool {
    let (one, other) = (bare(one), bare(other));
    !one.is_empty() && one == other
}

/// Whether a column is called like a day.
pub(crate) fn is_called_a_day(name: &str) -> bool {
    let bare = bare(name);
    let days = ["date", "datum", "data", "fecha", "day", "tag", "termin"];
    days.iter().any(|day| bare.contains(day))
        || ["bedat", "eindt", "budat", "bldat"].contains(&bare.as_str())
}

/// Which fact rows of such columns are probably about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Likely {
    Order,
    Receipt,
    Invoice,
}

impl Likely {
    /// The kind of fact, as a feed names it.
    pub(crate) fn event(self) -> &'static str {
        match self {
            Self::Order => "po.created",
            Self::Receipt => "receipt.posted",
            Self::Invoice => "invoice.received",
        }
    }

    /// What it is called for people.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Order => "purchase orders",
            Self::Receipt => "goods receipts",
            Self::Invoice => "suppliers' invoices",
        }
    }
}

/// The facts that the columns speak for, the likeliest first.
pub(crate) fn likely(roles: &[Role]) -> Vec<Likely> {
    let has = |role: Role| usize::from(roles.contains(&role));
    let any = |of: &[Role]| usize::from(of.iter().any(|role| roles.contains(role)));
    let quantity = any(&[Role::Quantity, Role::QuantityReceived]);
    let invoice = 4 * has(Role::InvoiceNumber)
        + 3 * has(Role::InvoiceDate)
        + has(Role::TaxAmount)
        + has(Role::GrossAmount)
        + has(Role::NetAmount)
        + has(Role::TaxCode);
    let receipt = 4 * has(Role::ReceiptNumber)
        + 3 * has(Role::ReceiptDate)
        + 2 * has(Role::QuantityReceived)
        + has(Role::ShipmentNumber)
        + any(&[Role::Lot, Role::Expiry, Role::Serial]);
    let order = 2 * has(Role::OrderNumber)
        + 3 * has(Role::OrderDate)
        + has(Role::Supplier)
        + has(Role::Price)
        + has(Role::NeedDate)
        + has(Role::Currency);
    let mut ranked = vec![
        (order, Likely::Order),
        (receipt, Likely::Receipt),
        (invoice, Likely::Invoice),
    ];
    ranked.retain(|(points, _)| *points >= 4 && quantity + has(Role::Item) > 0 || *points >= 7);
    ranked.sort_by_key(|(points, _)| std::cmp::Reverse(*points));
    ranked.into_iter().map(|(_, likely)| likely).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_known_by_their_names_in_several_languages() {
        for (name, wanted) in [
            ("PurchaseOrderID", Role::OrderNumber),
            ("N. Ordine", Role::OrderNumber),
            ("Bestell-Nr.", Role::OrderNumber),
            ("EBELP", Role::LineNumber),
            ("Codice Fornitore", Role::Supplier),
            ("Quantità", Role::Quantity),
            ("Q.tà ordinata", Role::Quantity),
            ("U.M.", Role::Unit),
            ("Prezzo unitario", Role::Price),
            ("Data consegna", Role::NeedDate),
            ("Stückpreis", Role::Price),
            ("Désignation", Role::ItemText),
            ("UnitMeasureCode", Role::Unit),
            ("header.OrderDate", Role::OrderDate),
        ] {
            assert_eq!(role(name).map(|(role, _)| role), Some(wanted), "{name}");
        }
        assert_eq!(role("ModifiedDate"), None);
        assert_eq!(role(""), None);
    }

    #[test]
    fn names_are_written_as_they_are_compared() {
        let headed = include_str!("names.txt")
            .lines()
            .filter(|line| line.ends_with(':'));
        assert_eq!(headed.count(), NAMES.len());
        for (role, names) in NAMES.iter() {
            for name in names {
                assert_eq!(&bare(name), name, "{role:?}");
            }
        }
    }

    #[test]
    fn the_fact_follows_from_the_columns() {
        use Role::*;
        let order = [
            OrderNumber,
            LineNumber,
            Supplier,
            OrderDate,
            Item,
            Quantity,
            Price,
        ];
        assert_eq!(likely(&order), [Likely::Order]);
        let receipt = [
            ReceiptNumber,
            ReceiptDate,
            OrderNumber,
            LineNumber,
            Item,
            QuantityReceived,
        ];
        assert_eq!(likely(&receipt), [Likely::Receipt]);
        let invoice = [
            InvoiceNumber,
            InvoiceDate,
            OrderNumber,
            Quantity,
            Price,
            TaxCode,
            Currency,
        ];
        assert_eq!(likely(&invoice).first(), Some(&Likely::Invoice));
        assert_eq!(likely(&[Item, ItemText]), []);
    }
}
