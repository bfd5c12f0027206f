//! The facts a plant reports, as the canonical events carry them in `data`.
//!
//! Numbers are text here: at the door every JSON number has become its literal text ([`crate::json`]).

use std::borrow::Cow;

use jiff::civil::Date;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::decimal::{Amount, Quantity, UnitPrice};
use crate::identifier::{LifecycleId, LifecycleKind, PlantCode};

/// A code as the plant writes it: an item, a supplier, a document number.
///
/// Blanks at both ends carry no meaning (fixed-width systems pad with them) and are trimmed when read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Code(String);

impl Code {
    /// A code, trimmed.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.trim().to_owned())
    }

    /// The text of it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self::new(&text))
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl JsonSchema for Code {
    fn schema_name() -> Cow<'static, str> {
        "Code".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string", "minLength": 1, "maxLength": 80,
            // Something visible, and no control characters or direction overrides anywhere.
            "pattern": "^[^\\p{C}]*[^\\p{C}\\s][^\\p{C}]*$",
            "description": "A code as the sender writes it, at most 80 characters; blanks at the ends are ignored.",
        })
    }
}

/// A three-letter ISO 4217 currency code.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Currency(String);

impl Currency {
    /// The code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl JsonSchema for Currency {
    fn schema_name() -> Cow<'static, str> {
        "Currency".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string", "pattern": "^[A-Z]{3}$",
            "description": "ISO 4217 currency code.", "examples": ["USD"],
        })
    }
}

/// A calendar day, `2026-11-23`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Day(pub Date);

impl std::fmt::Display for Day {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl JsonSchema for Day {
    fn schema_name() -> Cow<'static, str> {
        "Day".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string", "format": "date", "pattern": "^(19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2}$",
            "description": "Calendar day, ISO 8601.", "examples": ["2026-11-23"],
        })
    }
}

/// `interplant.po.created.v1`: a purchase order exists at the plant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PoCreated {
    /// The order's number as the plant writes it.
    pub po_number: Code,
    /// The plant; must be the sender's own when it is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plant: Option<Code>,
    /// The supplier's code at the plant.
    pub supplier_id: Code,
    /// Currency of all prices.
    pub currency: Currency,
    /// When the order was placed.
    pub order_date: Day,
    /// What is ordered.
    #[schemars(length(min = 1, max = 1000))]
    pub lines: Vec<PoLine>,
}

/// A line of a purchase order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PoLine {
    /// The line's number as the plant writes it.
    pub line_no: Code,
    /// The item's code at the plant.
    pub item_id: Code,
    /// How much is ordered.
    pub qty: Quantity,
    /// The unit of the quantity and of the price.
    pub uom: Code,
    /// Net price per unit.
    pub unit_price: UnitPrice,
    /// The tax code; none means that no tax is applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_code: Option<Code>,
    /// When the plant needs the goods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub need_date: Option<Day>,
}

/// `interplant.po.acknowledged.v1`: the supplier answered the order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PoAcknowledged {
    /// The order.
    pub po_number: Code,
    /// The supplier's number for the acknowledgement.
    pub ack_number: Code,
    /// The answer line by line; lines that are not named are accepted as ordered.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    pub lines: Vec<AckLine>,
}

/// The supplier's answer to one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AckLine {
    /// The order's line.
    pub line_no: Code,
    /// The answer.
    pub status: AckStatus,
    /// The quantity that the supplier will deliver, when it says one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qty: Option<Quantity>,
    /// The price that the supplier will charge, when it says one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<UnitPrice>,
    /// When the supplier will deliver.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promised_date: Option<Day>,
}

/// What the supplier says to a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum AckStatus {
    /// As ordered (X12 855 ACK01 `IA`).
    Accepted,
    /// With another quantity, price or date (`IC`, `IE`, `IF`, `IQ`, `DR`).
    AcceptedChanged,
    /// Later, or in part now (`IB`, `BP`).
    Backordered,
    /// With another item (`IS`).
    Substituted,
    /// Not yet decided (`IP`, `IH`).
    Pending,
    /// Refused (`IR`, `ID`).
    Rejected,
}

/// `interplant.receipt.posted.v1`: goods came in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReceiptPosted {
    /// The receipt's number as the plant writes it.
    pub receipt_number: Code,
    /// The order.
    pub po_number: Code,
    /// What came.
    #[schemars(length(min = 1, max = 1000))]
    pub lines: Vec<ReceiptLine>,
}

/// A line of a receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReceiptLine {
    /// The order's line.
    pub line_no: Code,
    /// The item; must be the line's own when it is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item_id: Option<Code>,
    /// How much came.
    pub qty_received: Quantity,
    /// The unit; must be the order line's own when it is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uom: Option<Code>,
}

/// `interplant.invoice.received.v1`: the supplier's invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InvoiceReceived {
    /// The supplier's number of the invoice.
    pub invoice_number: Code,
    /// The supplier's code at the plant.
    pub supplier_id: Code,
    /// The date on the invoice.
    pub invoice_date: Day,
    /// Currency of all amounts.
    pub currency: Currency,
    /// What is invoiced; all lines of one order for now.
    #[schemars(length(min = 1, max = 1000))]
    pub lines: Vec<InvoiceLine>,
    /// The totals that the supplier states.
    pub totals: InvoiceTotals,
}

/// A line of an invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InvoiceLine {
    /// The order.
    pub po_number: Code,
    /// The order's line.
    pub line_no: Code,
    /// How much is invoiced.
    pub qty: Quantity,
    /// The unit; must be the order line's own when it is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uom: Option<Code>,
    /// Net price per unit.
    pub unit_price: UnitPrice,
    /// The tax code; none means that no tax is applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_code: Option<Code>,
}

/// What the supplier says the invoice adds up to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InvoiceTotals {
    /// Before tax.
    pub net: Amount,
    /// The tax.
    #[serde(default)]
    pub tax: Amount,
    /// What is to be paid.
    pub gross: Amount,
}

/// Every kind of fact, with its name in `type`, its place in the business and its step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum FactKind {
    /// [`PoCreated`]
    #[serde(rename = "interplant.po.created.v1")]
    PoCreated,
    /// [`PoAcknowledged`]
    #[serde(rename = "interplant.po.acknowledged.v1")]
    PoAcknowledged,
    /// [`ReceiptPosted`]
    #[serde(rename = "interplant.receipt.posted.v1")]
    ReceiptPosted,
    /// [`InvoiceReceived`]
    #[serde(rename = "interplant.invoice.received.v1")]
    InvoiceReceived,
}

impl FactKind {
    /// All of them, in the order of the business.
    pub const ALL: [Self; 4] = [
        Self::PoCreated,
        Self::PoAcknowledged,
        Self::ReceiptPosted,
        Self::InvoiceReceived,
    ];

    /// The value of the event attribute `type`.
    #[must_use]
    pub fn event_type(self) -> &'static str {
        match self {
            Self::PoCreated => "interplant.po.created.v1",
            Self::PoAcknowledged => "interplant.po.acknowledged.v1",
            Self::ReceiptPosted => "interplant.receipt.posted.v1",
            Self::InvoiceReceived => "interplant.invoice.received.v1",
        }
    }

    /// The kind named by an event's `type`.
    #[must_use]
    pub fn from_event_type(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.event_type() == text)
    }
}

/// A fact that was read and whose form is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// A purchase order exists.
    PoCreated(PoCreated),
    /// The supplier answered.
    PoAcknowledged(PoAcknowledged),
    /// Goods came in.
    ReceiptPosted(ReceiptPosted),
    /// The supplier's invoice.
    InvoiceReceived(InvoiceReceived),
}

/// What is wrong with a fact beyond its form, with the JSON pointer inside `data`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Contradiction {
    /// Where, such as `/lines/2/lineNo`.
    pub pointer: String,
    /// What, and what to do.
    pub message: String,
}

impl Fact {
    /// Reads `data` (numbers already text) as the kind of fact that the event names.
    ///
    /// # Errors
    /// When the form differs; the schema has usually said so before, with a pointer.
    pub fn read(kind: FactKind, data: &serde_json::Value) -> Result<Self, serde_json::Error> {
        Ok(match kind {
            FactKind::PoCreated => Self::PoCreated(PoCreated::deserialize(data)?),
            FactKind::PoAcknowledged => Self::PoAcknowledged(PoAcknowledged::deserialize(data)?),
            FactKind::ReceiptPosted => Self::ReceiptPosted(ReceiptPosted::deserialize(data)?),
            FactKind::InvoiceReceived => Self::InvoiceReceived(InvoiceReceived::deserialize(data)?),
        })
    }

    /// The kind of it.
    #[must_use]
    pub fn kind(&self) -> FactKind {
        match self {
            Self::PoCreated(_) => FactKind::PoCreated,
            Self::PoAcknowledged(_) => FactKind::PoAcknowledged,
            Self::ReceiptPosted(_) => FactKind::ReceiptPosted,
            Self::InvoiceReceived(_) => FactKind::InvoiceReceived,
        }
    }

    /// The lifecycle that it belongs to.
    #[must_use]
    pub fn lifecycle(&self, plant: &PlantCode) -> LifecycleId {
        LifecycleId::new(LifecycleKind::Po, plant, self.po_number().as_str())
    }

    /// The number by which people know it: of the order, the acknowledgement, the receipt or the invoice.
    #[must_use]
    pub fn number(&self) -> &Code {
        match self {
            Self::PoCreated(fact) => &fact.po_number,
            Self::PoAcknowledged(fact) => &fact.ack_number,
            Self::ReceiptPosted(fact) => &fact.receipt_number,
            Self::InvoiceReceived(fact) => &fact.invoice_number,
        }
    }

    fn po_number(&self) -> &Code {
        static NONE: Code = Code(String::new());
        match self {
            Self::PoCreated(fact) => &fact.po_number,
            Self::PoAcknowledged(fact) => &fact.po_number,
            Self::ReceiptPosted(fact) => &fact.po_number,
            Self::InvoiceReceived(fact) => fact.lines.first().map_or(&NONE, |line| &line.po_number),
        }
    }

    /// What the fact is about, whatever envelope brings it: plant, document, fact, revision.
    ///
    /// Two envelopes with one business key are one fact; with another content they are a conflict.
    #[must_use]
    pub fn business_key(&self, plant: &PlantCode, revision: u32) -> String {
        let parts: Vec<&str> = match self {
            Self::PoCreated(fact) => vec!["po", fact.po_number.as_str(), "created"],
            Self::PoAcknowledged(fact) => vec![
                "po",
                fact.po_number.as_str(),
                "acknowledged",
                fact.ack_number.as_str(),
            ],
            Self::ReceiptPosted(fact) => vec!["receipt", fact.receipt_number.as_str(), "posted"],
            Self::InvoiceReceived(fact) => vec![
                "invoice",
                fact.supplier_id.as_str(),
                fact.invoice_number.as_str(),
                "received",
            ],
        };
        // A unit separator cannot occur in a code, so no two keys can run together.
        format!("{plant}\u{1f}{}\u{1f}{revision}", parts.join("\u{1f}"))
    }

    /// What the form alone cannot say: quantities above zero, no line twice, one order per invoice.
    ///
    /// # Errors
    /// The first contradiction, with its place.
    pub fn check(&self, plant: &PlantCode) -> Result<(), Contradiction> {
        match self {
            Self::PoCreated(fact) => {
                if let Some(named) = &fact.plant
                    && named.as_str() != plant.as_str()
                {
                    return Err(contradiction(
                        "/plant",
                        format!("the order names plant `{named}`, but it was sent by `{plant}`"),
                    ));
                }
                check_lines(&fact.lines, "qty", |line| (&line.line_no, line.qty))?;
                for (index, line) in fact.lines.iter().enumerate() {
                    if line.unit_price.decimal().is_sign_negative() {
                        return Err(contradiction(
                            &format!("/lines/{index}/unitPrice"),
                            "a price below zero is not taken; credit notes are not taken yet"
                                .into(),
                        ));
                    }
                }
                Ok(())
            }
            Self::PoAcknowledged(fact) => {
                for (index, line) in fact.lines.iter().enumerate() {
                    if fact
                        .lines
                        .iter()
                        .take(index)
                        .any(|earlier| earlier.line_no == line.line_no)
                    {
                        return Err(repeated_line(index, &line.line_no));
                    }
                }
                Ok(())
            }
            Self::ReceiptPosted(fact) => check_lines(&fact.lines, "qtyReceived", |line| {
                (&line.line_no, line.qty_received)
            }),
            Self::InvoiceReceived(fact) => {
                let order = self.po_number();
                if let Some(index) = fact.lines.iter().position(|line| line.po_number != *order) {
                    return Err(contradiction(&format!("/lines/{index}/poNumber"), "an invoice over several orders is not taken yet: send one invoice per order".into()));
                }
                check_lines(&fact.lines, "qty", |line| (&line.line_no, line.qty))?;
                if fact.totals.net + fact.totals.tax != fact.totals.gross {
                    return Err(contradiction(
                        "/totals/gross",
                        format!(
                            "net {} and tax {} do not add up to gross {}",
                            fact.totals.net, fact.totals.tax, fact.totals.gross
                        ),
                    ));
                }
                Ok(())
            }
        }
    }
}

fn check_lines<L>(
    lines: &[L],
    quantity_name: &str,
    read: impl Fn(&L) -> (&Code, Quantity),
) -> Result<(), Contradiction> {
    for (index, line) in lines.iter().enumerate() {
        let (line_no, quantity) = read(line);
        if !quantity.is_positive() {
            return Err(contradiction(
                &format!("/lines/{index}/{quantity_name}"),
                format!("the quantity of line {line_no} must be greater than zero, not {quantity}"),
            ));
        }
        if lines
            .iter()
            .take(index)
            .any(|earlier| read(earlier).0 == line_no)
        {
            return Err(repeated_line(index, line_no));
        }
    }
    Ok(())
}

fn repeated_line(index: usize, line_no: &Code) -> Contradiction {
    contradiction(
        &format!("/lines/{index}/lineNo"),
        format!("line {line_no} appears twice; send each line once"),
    )
}

fn contradiction(pointer: &str, message: String) -> Contradiction {
    Contradiction {
        pointer: pointer.to_owned(),
        message,
    }
}

/// SHA-256 over the canonical JSON (RFC 8785) of `data`, decimals normalised: `10` and `10.0` are one.
///
/// # Errors
/// Never for a fact that was read; the canonicaliser's own error otherwise.
pub fn content_hash(fact: &Fact) -> Result<String, serde_json::Error> {
    // Through the typed fact: decimals are normalised and codes trimmed there, once.
    let bytes = match fact {
        Fact::PoCreated(data) => serde_json_canonicalizer::to_vec(data),
        Fact::PoAcknowledged(data) => serde_json_canonicalizer::to_vec(data),
        Fact::ReceiptPosted(data) => serde_json_canonicalizer::to_vec(data),
        Fact::InvoiceReceived(data) => serde_json_canonicalizer::to_vec(data),
    }?;
    Ok(crate::identifier::sha256_hex(&bytes))
}
