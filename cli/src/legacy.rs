//! What a legacy ERP's tab-separated export says of its orders: what Odoo must hold in the end.
//!
//! Read on its own, and not from the facts that the plant's feed makes of it: a reconciliation must not take
//! the mapping's word for what the mapping did.

use std::collections::BTreeMap;
use std::path::Path;
use std::str::FromStr;

use interplant_domain::identifier::PlantCode;
use interplant_mapping::feed::Bundle;
use rust_decimal::Decimal;
use serde_json::Value;

use crate::{Failure, feeds};

type Row = BTreeMap<String, String>;

fn table(folder: &Path, name: &str) -> Result<Vec<Row>, Failure> {
    let path = folder.join(name);
    let text =
        std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut lines = text.lines();
    let heads: Vec<&str> = lines.next().unwrap_or_default().split('\t').collect();
    Ok(lines
        .map(|line| {
            heads
                .iter()
                .zip(line.split('\t'))
                .map(|(head, cell)| ((*head).to_owned(), cell.trim().to_owned()))
                .collect()
        })
        .collect())
}

fn cell<'a>(row: &'a Row, name: &str) -> Result<&'a str, Failure> {
    row.get(name)
        .map(String::as_str)
        .ok_or_else(|| format!("the export has no column {name}").into())
}

fn decimal(row: &Row, name: &str) -> Result<Decimal, Failure> {
    let text = cell(row, name)?;
    Decimal::from_str(text)
        .map(|number| number.normalize())
        .map_err(|error| format!("{name} `{text}`: {error}").into())
}

/// Facts, and what must have become of each order in Odoo.
#[derive(Debug, Clone, Default)]
pub struct Export {
    /// The facts.
    pub events: Vec<Value>,
    /// What the source says of each order.
    pub orders: Vec<SourceOrder>,
}

impl Export {
    /// The first `most` orders of an export, by the feed of the plant that takes its files; none when no feed
    /// does.
    ///
    /// # Errors
    /// When a feed is not right, the files cannot be read, or something of them cannot be mapped.
    pub fn by_feed(
        bundle: &Bundle,
        plant: &PlantCode,
        folder: &Path,
        most: usize,
    ) -> Result<Option<Self>, Failure> {
        for feed in feeds::feeds(bundle, plant)? {
            let Some(files) = feeds::delivery(&feed, folder) else {
                continue;
            };
            let mapped = feeds::map(&feed, &files, most)?;
            let first = mapped.not_made.first().map(ToString::to_string);
            if let Some(first) = first.or_else(|| mapped.unread.first().map(ToString::to_string)) {
                let all = mapped.not_made.len() + mapped.unread.len();
                return Err(
                    format!("{all} of the export cannot be mapped; the first: {first}").into(),
                );
            }
            return Ok(Some(Self {
                events: mapped.made.into_iter().map(|made| made.event).collect(),
                orders: read(folder, most)?,
            }));
        }
        Ok(None)
    }

    /// The same about other documents: every number and id ends in the given one. A real Odoo remembers what
    /// it was sent before.
    pub fn renumber(&mut self, run: i64) {
        self.events = renumbered(&self.events, run);
        for order in &mut self.orders {
            order.number = format!("{}-{run}", order.number);
        }
    }
}

/// An order as the source has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceOrder {
    /// Its number.
    pub number: String,
    /// Where it stands there.
    pub status: SourceStatus,
    /// Its lines.
    pub lines: Vec<SourceLine>,
}

/// Where an order stands in the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceStatus {
    /// 1 or 2: it waits.
    Waiting,
    /// 3: the supplier refused it.
    Refused,
    /// 4: all that was to come has come.
    Complete,
}

/// A line as the source has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceLine {
    /// How much was ordered.
    pub ordered: Decimal,
    /// How much came.
    pub received: Decimal,
    /// How much of it was rejected.
    pub rejected: Decimal,
    /// Price per unit.
    pub price: Decimal,
}

impl SourceLine {
    /// How much was kept.
    #[must_use]
    pub fn stocked(&self) -> Decimal {
        self.received - self.rejected
    }
}

/// The first `most` orders of an export.
///
/// # Errors
/// When the export is not what it should be.
pub fn read(folder: &Path, most: usize) -> Result<Vec<SourceOrder>, Failure> {
    let mut details: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for row in table(folder, "PurchaseOrderDetail.tsv")? {
        details
            .entry(cell(&row, "PurchaseOrderID")?.to_owned())
            .or_default()
            .push(row);
    }
    let mut orders = Vec::new();
    for header in table(folder, "PurchaseOrderHeader.tsv")?.iter().take(most) {
        let number = cell(header, "PurchaseOrderID")?;
        let rows = details.get(number).map(Vec::as_slice).unwrap_or_default();
        let lines = rows.iter().map(|row| {
            Ok(SourceLine {
                ordered: decimal(row, "OrderQty")?,
                received: decimal(row, "ReceivedQty")?,
                rejected: decimal(row, "RejectedQty")?,
                price: decimal(row, "UnitPrice")?,
            })
        });
        orders.push(SourceOrder {
            number: number.to_owned(),
            status: match cell(header, "Status")? {
                "4" => SourceStatus::Complete,
                "3" => SourceStatus::Refused,
                _ => SourceStatus::Waiting,
            },
            lines: lines.collect::<Result<_, Failure>>()?,
        });
    }
    Ok(orders)
}

/// The same facts about other documents: every number and id ends in the given one.
fn renumbered(facts: &[Value], run: i64) -> Vec<Value> {
    fn walk(value: &mut Value, run: i64) {
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    match member {
                        Value::String(text)
                            if matches!(
                                name.as_str(),
                                "id" | "poNumber"
                                    | "ackNumber"
                                    | "receiptNumber"
                                    | "invoiceNumber"
                                    | "inspectionId"
                                    | "ncrId"
                            ) =>
                        {
                            *text = format!("{}-{run}", text.trim());
                        }
                        Value::Object(_) | Value::Array(_) => walk(member, run),
                        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| walk(item, run)),
            Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    let mut facts = facts.to_vec();
    facts.iter_mut().for_each(|fact| walk(fact, run));
    facts
}
