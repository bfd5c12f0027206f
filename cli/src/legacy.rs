//! Orders of a legacy ERP's tab-separated export, as facts.
//!
//! For the demo, until files are read by configuration. The export holds orders with what was ordered,
//! received, rejected and stocked; it has no acknowledgements, inspections and invoices. Those are derived,
//! and their `source` ends in `derived`:
//!
//! | status | facts |
//! |---|---|
//! | 4 complete | acknowledged as ordered, received as in the source, what was rejected is rejected at an inspection and goes back, invoiced for what was stocked, closed short where less was kept than ordered |
//! | 3 rejected | refused by the supplier's acknowledgement; what the source calls received is left out |
//! | 1 pending, 2 approved | created, and left waiting |

use std::collections::BTreeMap;
use std::path::Path;
use std::str::FromStr;

use interplant_domain::fact::FactKind;
use interplant_domain::identifier::PlantCode;
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Value, json};

use crate::Failure;
use crate::facts::event;

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

fn day(row: &Row, name: &str) -> Result<String, Failure> {
    Ok(cell(row, name)?.chars().take(10).collect())
}

/// An export as facts, and what must have become of each order in Odoo.
#[derive(Debug, Clone, Default)]
pub struct Export {
    /// The facts.
    pub events: Vec<Value>,
    /// What the source says of each order.
    pub orders: Vec<SourceOrder>,
}

impl Export {
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
pub fn read(folder: &Path, plant: &PlantCode, most: usize) -> Result<Export, Failure> {
    let vendors: BTreeMap<String, String> = table(folder, "Vendor.tsv")?
        .iter()
        .map(|row| {
            Ok((
                cell(row, "BusinessEntityID")?.to_owned(),
                cell(row, "AccountNumber")?.to_owned(),
            ))
        })
        .collect::<Result<_, Failure>>()?;
    let products: BTreeMap<String, String> = table(folder, "Product.tsv")?
        .iter()
        .map(|row| {
            Ok((
                cell(row, "ProductID")?.to_owned(),
                cell(row, "ProductNumber")?.to_owned(),
            ))
        })
        .collect::<Result<_, Failure>>()?;
    let mut details: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for row in table(folder, "PurchaseOrderDetail.tsv")? {
        details
            .entry(cell(&row, "PurchaseOrderID")?.to_owned())
            .or_default()
            .push(row);
    }
    let mut export = Export::default();
    for header in table(folder, "PurchaseOrderHeader.tsv")?.iter().take(most) {
        let number = cell(header, "PurchaseOrderID")?;
        let rows = details.get(number).map(Vec::as_slice).unwrap_or_default();
        let vendor = vendors
            .get(cell(header, "VendorID")?)
            .ok_or_else(|| format!("order {number} has an unknown vendor"))?;
        let lines = rows.iter().map(|row| {
            Ok(SourceLine {
                ordered: decimal(row, "OrderQty")?,
                received: decimal(row, "ReceivedQty")?,
                rejected: decimal(row, "RejectedQty")?,
                price: decimal(row, "UnitPrice")?,
            })
        });
        let source = SourceOrder {
            number: number.to_owned(),
            status: match cell(header, "Status")? {
                "4" => SourceStatus::Complete,
                "3" => SourceStatus::Refused,
                _ => SourceStatus::Waiting,
            },
            lines: lines.collect::<Result<_, Failure>>()?,
        };
        export
            .events
            .extend(order(plant, &source, vendor, header, rows, &products)?);
        export.orders.push(source);
    }
    Ok(export)
}

fn cents(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
}

fn order(
    plant: &PlantCode,
    source: &SourceOrder,
    vendor: &str,
    header: &Row,
    rows: &[Row],
    products: &BTreeMap<String, String>,
) -> Result<Vec<Value>, Failure> {
    let number = source.number.as_str();
    let (ordered, shipped) = (day(header, "OrderDate")?, day(header, "ShipDate")?);
    let at = |date: &str, hour: u8| format!("{date}T{hour:02}:00:00Z");
    let fact = |by: &str, what: &str, kind, time: &str, data: &Value| {
        event(plant, by, &format!("{number}-{what}"), kind, time, data)
    };
    let derived = "erp-derived";
    let mut lines = Vec::new();
    let mut answers = Vec::new();
    let mut received = Vec::new();
    let mut inspections = Vec::new();
    let mut invoiced = Vec::new();
    let mut net = Decimal::ZERO;
    let mut short = false;
    for (row, line) in rows.iter().zip(&source.lines) {
        let no = cell(row, "PurchaseOrderDetailID")?;
        let item = products
            .get(cell(row, "ProductID")?)
            .ok_or_else(|| format!("order {number} has an unknown product"))?;
        let due = day(row, "DueDate")?;
        let text = |value: Decimal| value.normalize().to_string();
        let (price, kept) = (text(line.price), line.stocked());
        lines.push(json!({"lineNo": no, "itemId": item, "qty": text(line.ordered), "uom": "EA", "unitPrice": price, "needDate": due}));
        answers.push(json!({"lineNo": no, "status": "accepted", "promisedDate": due}));
        short |= kept < line.ordered;
        if line.received.is_zero() {
            continue;
        }
        if !line.rejected.is_zero() {
            let inspection = format!("QI-{number}-{no}");
            inspections.push(fact(derived, &format!("inspected-{no}"), FactKind::InspectionCompleted, &at(&shipped, 11), &json!({
                "inspectionId": inspection, "poNumber": number, "receiptNumber": format!("GR-{number}"), "lineNo": no,
                "qtyAccepted": "0", "qtyRejected": text(line.rejected)
            })));
            inspections.push(fact(derived, &format!("disposed-{no}"), FactKind::NcrDispositioned, &at(&shipped, 12), &json!({
                "ncrId": inspection, "poNumber": number, "disposition": "return", "qty": text(line.rejected)
            })));
        }
        let mut came =
            json!({"lineNo": no, "itemId": item, "qtyReceived": text(line.received), "uom": "EA"});
        if let Some(came) = came.as_object_mut().filter(|_| !line.rejected.is_zero()) {
            came.insert("qtyInQuestion".into(), json!(text(line.rejected)));
        }
        received.push(came);
        if !kept.is_zero() {
            invoiced.push(json!({"poNumber": number, "lineNo": no, "qty": text(kept), "uom": "EA", "unitPrice": price}));
            // A supplier rounds the sum, whatever Odoo does; what is left of that is booked apart.
            net += kept * line.price;
        }
    }
    let mut events = vec![fact(
        "erp",
        "created",
        FactKind::PoCreated,
        &at(&ordered, 8),
        &json!({
            "poNumber": number, "supplierId": vendor, "currency": "USD", "orderDate": ordered, "lines": lines
        }),
    )];
    let answer = format!("ACK-{number}");
    match source.status {
        SourceStatus::Waiting => return Ok(events),
        SourceStatus::Refused => {
            events.push(fact(
                derived,
                "refused",
                FactKind::PoAcknowledged,
                &at(&ordered, 15),
                &json!({
                    "poNumber": number, "ackNumber": answer, "headerStatus": "rejected"
                }),
            ));
            return Ok(events);
        }
        SourceStatus::Complete => {}
    }
    events.push(fact(
        derived,
        "acknowledged",
        FactKind::PoAcknowledged,
        &at(&ordered, 15),
        &json!({
            "poNumber": number, "ackNumber": answer, "lines": answers
        }),
    ));
    if !received.is_empty() {
        events.push(fact(
            "erp",
            "received",
            FactKind::ReceiptPosted,
            &at(&shipped, 9),
            &json!({
                "receiptNumber": format!("GR-{number}"), "poNumber": number, "lines": received
            }),
        ));
    }
    events.extend(inspections);
    if !invoiced.is_empty() {
        let net = cents(net).normalize().to_string();
        events.push(fact(derived, "invoiced", FactKind::InvoiceReceived, &at(&shipped, 16), &json!({
            "invoiceNumber": format!("INV-{number}"), "supplierId": vendor, "invoiceDate": shipped, "currency": "USD",
            "lines": invoiced, "totals": {"net": net, "tax": "0", "gross": net}
        })));
    }
    if short {
        events.push(fact(
            derived,
            "closed",
            FactKind::PoClosed,
            &at(&shipped, 18),
            &json!({
                "poNumber": number, "reason": "shortClosed"
            }),
        ));
    }
    Ok(events)
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
