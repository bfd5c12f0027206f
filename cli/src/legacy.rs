//! What a legacy ERP's tab-separated export says of its orders: what Odoo must hold in the end.
//!
//! Read on its own, and not from the facts that the plant's feed makes of it: a reconciliation must not take
//! the mapping's word for what the mapping did.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use interplant_domain::identifier::PlantCode;
use interplant_mapping::feed::Bundle;
use rust_decimal::Decimal;
use serde_json::Value;

use crate::{Failure, feeds};

type Row = BTreeMap<String, String>;

/// The column with an order's number.
const NUMBER: &str = "PurchaseOrderID";

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
    /// The feed that takes its files, and the files.
    pub feed: String,
    /// The files.
    pub files: Vec<PathBuf>,
}

impl Export {
    /// An export by the feed of the plant that takes its files; none when no feed does.
    ///
    /// # Errors
    /// When a feed is not right, the files cannot be read, or something of them cannot be mapped.
    pub fn by_feed(
        bundle: &Bundle,
        plant: &PlantCode,
        folder: &Path,
    ) -> Result<Option<Self>, Failure> {
        for feed in feeds::feeds(bundle, plant)? {
            let mut taken = feeds::taken(&feed, folder);
            let Some(files) = taken.groups.pop() else {
                continue;
            };
            if !taken.groups.is_empty() || !taken.left_out.is_empty() {
                return Err(format!(
                    "{} has more files for the feed {} than one export: put those of one into a folder of their own",
                    folder.display(),
                    feed.name
                )
                .into());
            }
            let mapped = feeds::map(&feed, &files)?;
            let first = mapped.not_made.first().map(ToString::to_string);
            if let Some(first) = first.or_else(|| mapped.unread.first().map(ToString::to_string)) {
                let all = mapped.not_made.len() + mapped.unread.len();
                return Err(
                    format!("{all} of the export cannot be mapped; the first: {first}").into(),
                );
            }
            return Ok(Some(Self {
                events: mapped.made.into_iter().map(|made| made.event).collect(),
                orders: read(folder)?,
                feed: feed.name.clone(),
                files: files.into_iter().map(|(_, path)| path).collect(),
            }));
        }
        Ok(None)
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

/// The orders of an export.
///
/// # Errors
/// When the export is not what it should be.
pub fn read(folder: &Path) -> Result<Vec<SourceOrder>, Failure> {
    let mut details: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for row in table(folder, "PurchaseOrderDetail.tsv")? {
        details
            .entry(cell(&row, NUMBER)?.to_owned())
            .or_default()
            .push(row);
    }
    let mut orders = Vec::new();
    for header in &table(folder, "PurchaseOrderHeader.tsv")? {
        let number = cell(header, NUMBER)?;
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

/// Copies the first `most` orders of an export into a folder, with everything else as it is. Their numbers end
/// in `run` where one is given: a real Odoo remembers what it was sent before.
///
/// # Errors
/// When a file cannot be read or written, or is not what it should be.
pub fn portion(from: &Path, to: &Path, most: usize, run: Option<i64>) -> Result<(), Failure> {
    std::fs::create_dir_all(to)?;
    let headers = table(from, "PurchaseOrderHeader.tsv")?;
    let taken: BTreeSet<&str> = headers
        .iter()
        .take(most)
        .map(|header| cell(header, NUMBER))
        .collect::<Result<_, Failure>>()?;
    for entry in std::fs::read_dir(from)? {
        let path = entry?.path();
        let Some(name) = path.file_name().filter(|_| path.is_file()) else {
            continue;
        };
        let bytes = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let text = String::from_utf8_lossy(&bytes);
        let mut lines = text.lines();
        let heads = lines.next().unwrap_or_default();
        let number_at = heads.split('\t').position(|head| head == NUMBER);
        let Some(number_at) = number_at else {
            std::fs::write(to.join(name), &bytes)?;
            continue;
        };
        let mut portion = format!("{heads}\n");
        for line in lines {
            let mut cells: Vec<String> = line.split('\t').map(str::to_owned).collect();
            let Some(number) = cells.get_mut(number_at) else {
                continue;
            };
            if !taken.contains(number.trim()) {
                continue;
            }
            if let Some(run) = run {
                *number = format!("{}-{run}", number.trim());
            }
            portion.push_str(&cells.join("\t"));
            portion.push('\n');
        }
        std::fs::write(to.join(name), portion)?;
    }
    Ok(())
}
