//! What a column says.

use serde::Serialize;

use super::day::{self, Days};
use super::number::{self, Numbers, Points};
use super::role::{self, Role};
use super::unit::{self, Unit};
use super::values::{Column, Table};

/// What a column says.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ColumnReport {
    pub(crate) name: String,
    /// What is in it.
    pub(crate) kind: Kind,
    /// What it is probably about, by its name and by what is in it.
    pub(crate) role: Option<Role>,
    /// Rows with something in it.
    pub(crate) filled: u64,
    /// Rows in which it is blank, and those of them that have blanks in it.
    pub(crate) blank: u64,
    pub(crate) only_blanks: u64,
    /// How many different values it has; the least that it has when it was given up.
    pub(crate) distinct: u64,
    /// The row from which on new values were not kept any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) gave_up: Option<u64>,
    /// Rows with blanks around what it says, and the width that they fill it to.
    pub(crate) padded: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) padded_to: Option<usize>,
    /// Characters of the shortest and the longest.
    pub(crate) shortest: usize,
    pub(crate) longest: usize,
    /// Words that stand for nothing, with their rows; for feeds they are text.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) nothing: Vec<(String, u64)>,
    /// Whether it is written once, and left blank in the rows below that mean the same.
    pub(crate) written_once: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) numbers: Option<Numbers>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) days: Option<Days>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) units: Option<Vec<Unit>>,
    /// Writings of one unit.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) same_units: Vec<Vec<String>>,
    /// The values of a column of codes, with their rows; else some of them.
    pub(crate) values: Vec<(String, u64)>,
    /// Whether that is all of them.
    pub(crate) all_values: bool,
}

/// What is in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    Blank,
    Constant,
    Number,
    Day,
    Moment,
    Unit,
    Code,
    Text,
}

impl Kind {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Blank => "blank",
            Self::Constant => "constant",
            Self::Number => "number",
            Self::Day => "day",
            Self::Moment => "moment",
            Self::Unit => "unit",
            Self::Code => "code",
            Self::Text => "text",
        }
    }
}

/// The most values of a column of codes that are listed.
const LISTED: usize = 40;

impl ColumnReport {
    /// Whether it could be the number of a document, from which other columns follow.
    pub(crate) fn may_decide(&self) -> bool {
        let is_number = matches!(self.kind, Kind::Number | Kind::Code | Kind::Text);
        is_number
            && !matches!(
                self.role,
                Some(Role::LineNumber | Role::Currency | Role::TaxCode)
            )
    }

    /// Whether it says how much of something, so that a value far from the others means something.
    fn is_amount(&self) -> bool {
        let names_something = matches!(
            self.role,
            Some(
                Role::OrderNumber
                    | Role::LineNumber
                    | Role::Supplier
                    | Role::Item
                    | Role::Lot
                    | Role::Serial
                    | Role::ReceiptNumber
                    | Role::InvoiceNumber
                    | Role::ShipmentNumber
                    | Role::TaxCode
                    | Role::PriceBase
            )
        );
        let called_id = self.name.ends_with("ID") || self.name.to_lowercase().ends_with("_id");
        !names_something && !called_id
    }

    /// Whether it could be part of what tells rows apart: an amount could not.
    pub(crate) fn may_tell_apart(&self) -> bool {
        let amount = self.numbers.as_ref().is_some_and(Numbers::has_decimals);
        let by_role = matches!(
            self.role,
            Some(
                Role::Quantity
                    | Role::QuantityReceived
                    | Role::QuantityRejected
                    | Role::Price
                    | Role::LineAmount
                    | Role::TaxAmount
                    | Role::NetAmount
                    | Role::GrossAmount
                    | Role::ItemText
            )
        );
        !amount && !by_role
    }
}

/// What systems write where there is nothing.
const NOTHING: [&str; 9] = [
    "NULL", "\\N", "N/A", "#N/A", "n/a", "NaN", "None", "nil", "(null)",
];

/// Reports of the columns of all tables; what one says of its writing settles others that do not.
pub(crate) fn reports(tables: &[Table]) -> Vec<Vec<ColumnReport>> {
    let (mut points, mut order) = (Points::default(), day::Order::default());
    for column in tables.iter().flat_map(|table| &table.columns) {
        let ranked = column.ranked();
        let mut values: Vec<number::Value<'_>> = values(&ranked);
        values.retain(|(value, ..)| !NOTHING.contains(value));
        if let Some(days) = days(column, &values, order) {
            order.note(&days);
        } else if let Some(numbers) = number::numbers(&values, points) {
            points.note(&numbers);
        }
    }
    let report = |table: &Table| {
        let mut columns: Vec<(ColumnReport, bool)> = table
            .columns
            .iter()
            .map(|column| column_report(table, column, points, order))
            .collect();
        settle_roles(&mut columns);
        columns.into_iter().map(|(report, _)| report).collect()
    };
    tables.iter().map(report).collect()
}

fn values<'v>(ranked: &[(&'v str, super::values::Seen)]) -> Vec<number::Value<'v>> {
    let all = ranked.iter();
    all.map(|(value, seen)| (*value, seen.rows, seen.line))
        .collect()
}

fn days(column: &Column, values: &[number::Value<'_>], order: day::Order) -> Option<Days> {
    day::days(values, order, role::is_called_a_day(&column.name))
}

/// The report, and whether its whole name says what it is about.
fn column_report(
    table: &Table,
    column: &Column,
    points: Points,
    order: day::Order,
) -> (ColumnReport, bool) {
    let ranked = column.ranked();
    let all_values = values(&ranked);
    let (nothing, values): (Vec<_>, Vec<_>) = all_values
        .into_iter()
        .partition(|(value, ..)| NOTHING.contains(value));
    let named = role::role(&column.name);
    let called_unit = named.is_some_and(|(role, _)| role == Role::Unit);
    let days = days(column, &values, order);
    let numbers = if days.is_none() {
        number::numbers(&values, points)
    } else {
        None
    };
    let units = if days.is_none() && numbers.is_none() {
        unit::units(&values, called_unit)
    } else {
        None
    };
    let is_code = values.len() <= LISTED
        && table.rows >= 2 * values.len() as u64
        && column.longest <= 30
        && column.gave_up.is_none();
    let kind = match (&days, &numbers, &units) {
        _ if column.filled == 0 => Kind::Blank,
        _ if values.len() == 1 && table.rows > 1 => Kind::Constant,
        (Some(days), ..) if days.has_time() => Kind::Moment,
        (Some(_), ..) => Kind::Day,
        (_, _, Some(_)) => Kind::Unit,
        (_, Some(numbers), _) if !numbers.leading_zeros => Kind::Number,
        _ if is_code || numbers.is_some() => Kind::Code,
        _ => Kind::Text,
    };
    let listed = if is_code { LISTED } else { 3 };
    let below = column.left_blank > 1 && column.filled < table.rows;
    let mut report = ColumnReport {
        name: column.name.clone(),
        kind,
        role: named
            .map(|(role, _)| role)
            .filter(|role| agrees(*role, kind, days.as_ref(), numbers.as_ref())),
        filled: column.filled,
        blank: table.rows - column.filled,
        only_blanks: column.only_blanks,
        distinct: column.values.len() as u64,
        gave_up: column.gave_up,
        padded: column.padded,
        padded_to: column.width.filter(|_| column.padded > 0),
        shortest: column.shortest,
        longest: column.longest,
        nothing: nothing
            .iter()
            .map(|(value, rows, _)| ((*value).to_owned(), *rows))
            .collect(),
        // Each value once, and blanks between them.
        written_once: below
            && column.gave_up.is_none()
            && column.values.len() as u64 == column.filled,
        same_units: units.as_deref().map(unit::same).unwrap_or_default(),
        numbers,
        days,
        units,
        all_values: is_code,
        values: ranked
            .iter()
            .take(listed)
            .map(|(value, seen)| ((*value).to_owned(), seen.rows))
            .collect(),
    };
    let amount = report.is_amount();
    if let Some(numbers) = report.numbers.as_mut().filter(|numbers| {
        // Where many are far, that is how the numbers are.
        !amount || numbers.outlier_rows.saturating_mul(40) > table.rows
    }) {
        numbers.outliers.clear();
        numbers.outlier_rows = 0;
    }
    (report, named.is_some_and(|(_, whole)| whole))
}

/// Whether what is in a column is what its name says.
fn agrees(role: Role, kind: Kind, days: Option<&Days>, numbers: Option<&Numbers>) -> bool {
    match role {
        Role::OrderDate | Role::NeedDate | Role::ReceiptDate | Role::InvoiceDate | Role::Expiry => {
            days.is_some()
        }
        Role::Quantity
        | Role::QuantityReceived
        | Role::QuantityRejected
        | Role::Price
        | Role::PriceBase
        | Role::LineAmount
        | Role::TaxAmount
        | Role::NetAmount
        | Role::GrossAmount => numbers.is_some(),
        Role::OrderNumber
        | Role::LineNumber
        | Role::Supplier
        | Role::Item
        | Role::ReceiptNumber
        | Role::InvoiceNumber
        | Role::ShipmentNumber
        | Role::Lot
        | Role::Serial => {
            kind != Kind::Blank && days.is_none() && !numbers.is_some_and(Numbers::has_decimals)
        }
        Role::Currency | Role::Unit | Role::TaxCode | Role::SupplierName | Role::ItemText => {
            kind != Kind::Blank
        }
    }
}

/// Of two columns that may be about the same, the one counts that is called so exactly, else the first.
fn settle_roles(columns: &mut [(ColumnReport, bool)]) {
    for index in 0..columns.len() {
        let Some((report, whole)) = columns.get(index) else {
            continue;
        };
        let (role, whole) = (report.role, *whole);
        let better = columns
            .iter()
            .enumerate()
            .any(|(other, (report, other_whole))| {
                let is_same = other != index && report.role == role;
                is_same && (*other_whole && !whole || *other_whole == whole && other < index)
            });
        if better && let Some((report, _)) = columns.get_mut(index) {
            report.role = None;
        }
    }
}
