//! What lines cost: per line, and together.

use rust_decimal::Decimal;

use crate::transaction::Transaction;
use crate::value::round;

/// A line of an order or a bill, as far as money goes.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) price: Decimal,
    pub(crate) quantity: Decimal,
    /// In percent.
    pub(crate) discount: Decimal,
    pub(crate) taxes: Vec<i64>,
}

/// What one or several lines cost, rounded to cents.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    pub(crate) untaxed: Decimal,
    /// By tax, in the order in which they first appear.
    pub(crate) taxes: Vec<(i64, Decimal)>,
}

impl Totals {
    pub(crate) fn tax(&self) -> Decimal {
        self.taxes.iter().map(|(_, amount)| *amount).sum()
    }

    pub(crate) fn total(&self) -> Decimal {
        self.untaxed + self.tax()
    }

    fn add(&mut self, other: Self) {
        self.untaxed += other.untaxed;
        for (tax, amount) in other.taxes {
            match self.taxes.iter_mut().find(|(known, _)| *known == tax) {
                Some((_, sum)) => *sum += amount,
                None => self.taxes.push((tax, amount)),
            }
        }
    }

    fn rounded(mut self) -> Self {
        self.untaxed = round(self.untaxed, 2);
        for (_, amount) in &mut self.taxes {
            *amount = round(*amount, 2);
        }
        self
    }
}

/// A line before rounding.
fn raw(tx: &Transaction, item: &Item) -> Totals {
    let net =
        item.price * (Decimal::ONE_HUNDRED - item.discount) / Decimal::ONE_HUNDRED * item.quantity;
    let percent = |tax: i64| match tx.text("account.tax", tax, "amount_type").as_str() {
        "fixed" => None,
        _ => Some(tx.dec("account.tax", tax, "amount") / Decimal::ONE_HUNDRED),
    };
    let included: Decimal = item
        .taxes
        .iter()
        .filter(|tax| tx.flag("account.tax", **tax, "price_include"))
        .filter_map(|tax| percent(*tax))
        .sum();
    let untaxed = net / (Decimal::ONE + included);
    let amount = |tax: i64| {
        percent(tax).map_or_else(
            || tx.dec("account.tax", tax, "amount") * item.quantity,
            |percent| untaxed * percent,
        )
    };
    Totals {
        untaxed,
        taxes: item.taxes.iter().map(|tax| (*tax, amount(*tax))).collect(),
    }
}

/// What one line costs.
pub(crate) fn line(tx: &Transaction, item: &Item) -> Totals {
    raw(tx, item).rounded()
}

/// What several lines cost together: before 19 the sum of rounded lines, in 19 the rounded sum.
pub(crate) fn totals(tx: &Transaction, items: &[Item]) -> Totals {
    let mut totals = Totals::default();
    for item in items {
        let raw = raw(tx, item);
        totals.add(if tx.version.rounds_globally() {
            raw
        } else {
            raw.rounded()
        });
    }
    totals.rounded()
}
