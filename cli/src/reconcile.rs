//! The source's figures against Odoo's own records: to the unit and to the cent.

use std::collections::BTreeMap;

use interplant_domain::identifier::{LifecycleId, LifecycleKind, PlantCode};
use interplant_domain::json::Json;
use interplant_odoo::Client;
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::json;

use crate::Failure;
use crate::legacy::{SourceOrder, SourceStatus};

/// Figures of many orders, from the source and from Odoo.
#[derive(Debug, Clone, Default)]
pub struct Reconciliation {
    /// What was compared: its name, the source's sum, Odoo's sum.
    pub sums: Vec<(&'static str, Decimal, Decimal)>,
    /// Every order that differs, in a sentence.
    pub differences: Vec<String>,
    /// Orders that were compared.
    pub orders: usize,
}

impl Reconciliation {
    /// Whether source and Odoo agree in everything.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.differences.is_empty() && self.sums.iter().all(|(_, source, odoo)| source == odoo)
    }
}

/// What Odoo has of an order.
#[derive(Debug, Default)]
struct InOdoo {
    state: String,
    /// Ordered, received and billed by line.
    lines: Vec<[Decimal; 3]>,
    came: Decimal,
    went_back: Decimal,
    billed: Decimal,
}

/// Compares orders of a source with Odoo.
///
/// # Errors
/// When Odoo does not answer.
pub async fn reconcile(
    odoo: &Client,
    plant: &PlantCode,
    orders: &[SourceOrder],
) -> Result<Reconciliation, Failure> {
    let mut result = Reconciliation {
        orders: orders.len(),
        ..Reconciliation::default()
    };
    let names = [
        "ordered",
        "received",
        "rejected and returned",
        "stocked and payable",
        "billed quantity",
        "billed amount",
    ];
    let mut sums: BTreeMap<usize, (Decimal, Decimal)> = BTreeMap::new();
    // In portions: a long list of ids is a long address.
    for portion in orders.chunks(100) {
        let found = read(odoo, plant, portion).await?;
        for order in portion {
            let empty = InOdoo::default();
            let theirs = found.get(&id(plant, order)).unwrap_or(&empty);
            let complete = order.status == SourceStatus::Complete;
            let of = |figure: fn(&crate::legacy::SourceLine) -> Decimal| -> Decimal {
                if complete {
                    order.lines.iter().map(figure).sum()
                } else {
                    Decimal::ZERO
                }
            };
            let amount: Decimal = order
                .lines
                .iter()
                .filter(|_| complete)
                .map(|line| line.stocked() * line.price)
                .sum();
            let column = |index: usize| -> Decimal {
                theirs.lines.iter().filter_map(|line| line.get(index)).sum()
            };
            let figures = [
                (order.lines.iter().map(|line| line.ordered).sum(), column(0)),
                (of(|line| line.received), theirs.came),
                (of(|line| line.rejected), theirs.went_back),
                (of(crate::legacy::SourceLine::stocked), column(1)),
                (of(crate::legacy::SourceLine::stocked), column(2)),
                (
                    amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero),
                    theirs.billed,
                ),
            ];
            for (index, (ours, theirs)) in figures.into_iter().enumerate() {
                let sum = sums.entry(index).or_default();
                *sum = (sum.0 + ours, sum.1 + theirs);
            }
            let state = match order.status {
                SourceStatus::Complete | SourceStatus::Waiting => ["purchase", "done"].as_slice(),
                SourceStatus::Refused => ["cancel"].as_slice(),
            };
            let by_line = !complete
                || order.lines.iter().zip(&theirs.lines).all(|(line, theirs)| {
                    *theirs == [line.ordered, line.stocked(), line.stocked()]
                });
            // Where Odoo rounds each line and the supplier the sum, the last cents are a line of the bill.
            let differs: Vec<&str> = names
                .iter()
                .zip(&figures)
                .filter(|(_, (ours, theirs))| ours != theirs)
                .map(|(name, _)| *name)
                .collect();
            if !state.contains(&theirs.state.as_str()) {
                result.differences.push(format!(
                    "order {}: its state in Odoo is `{}`",
                    order.number, theirs.state
                ));
            } else if !differs.is_empty() || !by_line || theirs.lines.len() != order.lines.len() {
                result.differences.push(format!(
                    "order {}: {} differ: {figures:?}",
                    order.number,
                    if differs.is_empty() {
                        "lines".to_owned()
                    } else {
                        differs.join(", ")
                    }
                ));
            }
        }
    }
    result.sums = names
        .into_iter()
        .zip(sums.into_values())
        .map(|(name, (ours, theirs))| (name, ours, theirs))
        .collect();
    Ok(result)
}

fn id(plant: &PlantCode, order: &SourceOrder) -> String {
    LifecycleId::new(LifecycleKind::Po, plant, &order.number).to_string()
}

async fn read(
    odoo: &Client,
    plant: &PlantCode,
    orders: &[SourceOrder],
) -> Result<BTreeMap<String, InOdoo>, Failure> {
    let ids: Vec<String> = orders.iter().map(|order| id(plant, order)).collect();
    let found = odoo
        .search_read(
            "purchase.order",
            json!([["origin", "in", ids]]),
            &["origin", "state", "invoice_ids"],
        )
        .await?;
    let mut read: BTreeMap<String, InOdoo> = BTreeMap::new();
    let mut order_of: BTreeMap<i64, String> = BTreeMap::new();
    let mut bill_of: BTreeMap<i64, String> = BTreeMap::new();
    for order in &found {
        let text = |field: &str| {
            order
                .get(field)
                .and_then(Json::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let origin = text("origin");
        order_of.insert(number(order, "id")?, origin.clone());
        for bill in order
            .get("invoice_ids")
            .and_then(Json::as_array)
            .unwrap_or_default()
        {
            bill_of.extend(bill.as_i64().map(|id| (id, origin.clone())));
        }
        read.entry(origin).or_default().state = text("state");
    }
    let order_ids: Vec<i64> = order_of.keys().copied().collect();
    let mut line_of: BTreeMap<i64, String> = BTreeMap::new();
    let mut lines = odoo
        .search_read(
            "purchase.order.line",
            json!([["order_id", "in", order_ids]]),
            &["order_id", "product_qty", "qty_received", "qty_invoiced"],
        )
        .await?;
    lines.sort_by_key(|line| number(line, "id").unwrap_or_default());
    for line in &lines {
        let Some(origin) = order_of.get(&linked(line, "order_id")) else {
            continue;
        };
        line_of.insert(number(line, "id")?, origin.clone());
        let figures = [
            decimal(line, "product_qty")?,
            decimal(line, "qty_received")?,
            decimal(line, "qty_invoiced")?,
        ];
        if let Some(order) = read.get_mut(origin) {
            order.lines.push(figures);
        }
    }
    let line_ids: Vec<i64> = line_of.keys().copied().collect();
    let moves = odoo
        .search_read(
            "stock.move",
            json!([["purchase_line_id", "in", line_ids], ["state", "=", "done"]]),
            &["purchase_line_id", "quantity", "location_dest_id"],
        )
        .await?;
    let suppliers = odoo
        .search_read(
            "stock.location",
            json!([["usage", "=", "supplier"]]),
            &["id"],
        )
        .await?;
    let suppliers: Vec<i64> = suppliers
        .iter()
        .filter_map(|one| number(one, "id").ok())
        .collect();
    for of in &moves {
        let Some(order) = line_of
            .get(&linked(of, "purchase_line_id"))
            .and_then(|id| read.get_mut(id))
        else {
            continue;
        };
        let quantity = decimal(of, "quantity")?;
        if suppliers.contains(&linked(of, "location_dest_id")) {
            order.went_back += quantity;
        } else {
            order.came += quantity;
        }
    }
    let bill_ids: Vec<i64> = bill_of.keys().copied().collect();
    let bills = odoo
        .search_read(
            "account.move",
            json!([["id", "in", bill_ids], ["state", "=", "posted"]]),
            &["amount_untaxed"],
        )
        .await?;
    for bill in &bills {
        if let Some(order) = bill_of
            .get(&number(bill, "id")?)
            .and_then(|id| read.get_mut(id))
        {
            order.billed += decimal(bill, "amount_untaxed")?;
        }
    }
    Ok(read)
}

fn number(record: &Json, field: &str) -> Result<i64, Failure> {
    record
        .get(field)
        .and_then(Json::as_i64)
        .ok_or_else(|| format!("Odoo answered no {field}").into())
}

/// The id of a linked record: `[id, name]`.
fn linked(record: &Json, field: &str) -> i64 {
    let pair = record
        .get(field)
        .and_then(Json::as_array)
        .unwrap_or_default();
    pair.first().and_then(Json::as_i64).unwrap_or_default()
}

fn decimal(record: &Json, field: &str) -> Result<Decimal, Failure> {
    let Some(Json::Number(text)) = record.get(field) else {
        return Err(format!("Odoo answered no number for {field}").into());
    };
    // Odoo computes in binary: a sum shows some last digits that nobody meant.
    text.parse::<Decimal>()
        .map(|value| value.round_dp(6).normalize())
        .map_err(|error| format!("{field} `{text}`: {error}").into())
}
