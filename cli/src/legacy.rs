//! Orders of a legacy ERP's tab-separated export, as facts.
//!
//! For the demo, until files are read by configuration. The export holds orders with what was received; it
//! has no acknowledgements and no invoices. Those are derived, and their `source` ends in `derived`.

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

/// The facts of the first `most` orders that the ERP shows as complete (status 4).
///
/// # Errors
/// When the export is not what it should be.
pub fn read(
    folder: &Path,
    plant: &PlantCode,
    most: usize,
    rounding: Rounding,
) -> Result<Vec<Value>, Failure> {
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
    let mut events = Vec::new();
    let mut taken = 0;
    for header in table(folder, "PurchaseOrderHeader.tsv")? {
        if taken == most {
            break;
        }
        if cell(&header, "Status")? != "4" {
            continue;
        }
        taken += 1;
        let number = cell(&header, "PurchaseOrderID")?;
        let rows = details.get(number).map(Vec::as_slice).unwrap_or_default();
        let vendor = vendors
            .get(cell(&header, "VendorID")?)
            .ok_or_else(|| format!("order {number} has an unknown vendor"))?;
        events.extend(order(
            rounding, plant, number, vendor, &header, rows, &products,
        )?);
    }
    Ok(events)
}

/// Where the derived invoices are rounded to cents: as the Odoo at hand does it, so that the demo is not
/// about cents. Real suppliers do one or the other, whatever Odoo does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounding {
    /// Each line, as 17 and 18 do.
    EachLine,
    /// The sum, as 19 does.
    Sum,
}

fn cents(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
}

fn order(
    rounding: Rounding,
    plant: &PlantCode,
    number: &str,
    vendor: &str,
    header: &Row,
    rows: &[Row],
    products: &BTreeMap<String, String>,
) -> Result<Vec<Value>, Failure> {
    let (ordered, shipped) = (day(header, "OrderDate")?, day(header, "ShipDate")?);
    let mut lines = Vec::new();
    let mut answers = Vec::new();
    let mut received = Vec::new();
    let mut invoiced = Vec::new();
    let mut net = Decimal::ZERO;
    for row in rows {
        let line = cell(row, "PurchaseOrderDetailID")?;
        let item = products
            .get(cell(row, "ProductID")?)
            .ok_or_else(|| format!("order {number} has an unknown product"))?;
        let (quantity, came, price) = (
            decimal(row, "OrderQty")?,
            decimal(row, "ReceivedQty")?,
            decimal(row, "UnitPrice")?,
        );
        let due = day(row, "DueDate")?;
        lines.push(json!({"lineNo": line, "itemId": item, "qty": quantity.to_string(), "uom": "EA", "unitPrice": price.to_string(), "needDate": due}));
        answers.push(json!({"lineNo": line, "status": "accepted", "promisedDate": due}));
        if came > Decimal::ZERO {
            received.push(json!({"lineNo": line, "itemId": item, "qtyReceived": came.to_string(), "uom": "EA"}));
            invoiced.push(json!({"poNumber": number, "lineNo": line, "qty": came.to_string(), "uom": "EA", "unitPrice": price.to_string()}));
            net += match rounding {
                Rounding::EachLine => cents(came * price),
                Rounding::Sum => came * price,
            };
        }
    }
    let net = cents(net);
    let at = |date: &str, hour: u8| format!("{date}T{hour:02}:00:00Z");
    let id = |what: &str| format!("{number}-{what}");
    let mut events = vec![
        event(
            plant,
            "erp",
            &id("created"),
            FactKind::PoCreated,
            &at(&ordered, 8),
            &json!({"poNumber": number, "supplierId": vendor, "currency": "USD", "orderDate": ordered, "lines": lines}),
        ),
        event(
            plant,
            "erp-derived",
            &id("acknowledged"),
            FactKind::PoAcknowledged,
            &at(&ordered, 15),
            &json!({"poNumber": number, "ackNumber": format!("ACK-{number}"), "lines": answers}),
        ),
    ];
    if !received.is_empty() {
        events.push(event(plant, "erp", &id("received"), FactKind::ReceiptPosted, &at(&shipped, 9), &json!({"receiptNumber": format!("GR-{number}"), "poNumber": number, "lines": received})));
        let totals = json!({"net": net.to_string(), "tax": "0", "gross": net.to_string()});
        events.push(event(
            plant,
            "erp-derived",
            &id("invoiced"),
            FactKind::InvoiceReceived,
            &at(&shipped, 16),
            &json!({"invoiceNumber": format!("INV-{number}"), "supplierId": vendor, "invoiceDate": shipped, "currency": "USD", "lines": invoiced, "totals": totals}),
        ));
    }
    Ok(events)
}
