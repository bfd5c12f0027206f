//! The facts a plant reports, as the canonical events carry them in `data`.
//!
//! Numbers are text here: at the door every JSON number has become its literal text ([`crate::json`]).

mod check;
mod invoice;
mod master;
mod moment;
mod order;
mod production;
mod quality;
mod receipt;
mod shop_floor;

pub use invoice::{
    Charge, InvoiceKind, InvoiceLine, InvoiceMatched, InvoicePosted, InvoiceReceived,
    InvoiceTotals, Payee,
};
pub use master::{
    ControlTotals, Dimension, ItemProposed, ItemUnit, JournalEntrySubmitted, JournalLine,
    LocalCode, LocalCodeKind, StockLine, StockSnapshot, StockStatus, Tracking,
};
pub use moment::Moment;
pub use order::{
    AckLine, AckStatus, CancelledGoods, ChangedLine, CloseReason, CodeList, Owner, PoAcknowledged,
    PoCancelled, PoChanged, PoClosed, PoCreated, PoLine, SupplierCode,
};
pub use production::{
    Cause, MoCancelled, MoChanged, MoChanges, MoClosed, MoHeld, MoReleased, MoResumed, MoStarted,
    MoTotals, OrderState, ProductionExceptionReported, ProductionExceptionResolved, SalesOrderLine,
    Severity,
};
pub use quality::{
    Disposition, InspectionCompleted, NcrDispositioned, QualityHeld, QualityReleased,
};
pub use receipt::{
    AsnCancelled, AsnLine, AsnReceived, LotQuantity, ReceiptLine, ReceiptPosted, ReceiptReversed,
    ReversedLine,
};

pub use shop_floor::{
    Derived, FgReceived, InputLot, IssuedLine, MadeKind, MadeLine, MaterialIssued,
    MaterialReturned, OperationCompleted, ReturnedLine, ScrapReported,
};

pub(crate) use receipt::is_false;

use std::borrow::Cow;

use jiff::civil::Date;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

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

/// A count from 1, such as a revision; text like every number of a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Number(pub u32);

impl Serialize for Number {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_string())
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Number {
    fn schema_name() -> Cow<'static, str> {
        "Number".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string", "pattern": "^[1-9][0-9]{0,8}$",
            "description": "A whole number from 1; a JSON number is taken too.",
        })
    }
}

/// A few words of a person or of a system.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Remark(pub String);

impl std::fmt::Display for Remark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.trim())
    }
}

impl JsonSchema for Remark {
    fn schema_name() -> Cow<'static, str> {
        "Remark".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string", "minLength": 1, "maxLength": 400,
            "pattern": "^[^\\p{C}]*[^\\p{C}\\s][^\\p{C}]*$",
            "description": "A few words, at most 400 characters.",
        })
    }
}

macro_rules! facts {
    ($($(#[doc = $doc:literal])* $kind:ident = $name:literal;)*) => {
        /// Every kind of fact, in the order of the business.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum FactKind {
            $($(#[doc = $doc])* #[serde(rename = $name)] $kind,)*
        }

        impl FactKind {
            /// All of them, in the order of the business.
            pub const ALL: &'static [Self] = &[$(Self::$kind),*];

            /// The value of the event attribute `type`.
            #[must_use]
            pub fn event_type(self) -> &'static str {
                match self { $(Self::$kind => $name),* }
            }

            /// The JSON Schema of `data`.
            #[must_use]
            pub fn schema(self) -> Schema {
                match self { $(Self::$kind => schemars::schema_for!($kind)),* }
            }
        }

        /// A fact that was read and whose form is right.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Fact {
            $($(#[doc = $doc])* $kind($kind),)*
        }

        impl Fact {
            /// Reads `data` (numbers already text) as the kind of fact that the event names.
            ///
            /// # Errors
            /// When the form differs; the schema has usually said so before, with a pointer.
            pub fn read(kind: FactKind, data: &serde_json::Value) -> Result<Self, serde_json::Error> {
                Ok(match kind { $(FactKind::$kind => Self::$kind($kind::deserialize(data)?)),* })
            }

            /// The kind of it.
            #[must_use]
            pub fn kind(&self) -> FactKind {
                match self { $(Self::$kind(_) => FactKind::$kind),* }
            }

            /// `data` as it is stored: decimals normalised, codes trimmed.
            ///
            /// # Errors
            /// Never for a fact that was read.
            pub fn data(&self) -> Result<serde_json::Value, serde_json::Error> {
                match self { $(Self::$kind(data) => serde_json::to_value(data)),* }
            }
        }
    };
}

facts! {
    /// A purchase order exists.
    PoCreated = "interplant.po.created.v1";
    /// The plant changed its order.
    PoChanged = "interplant.po.changed.v1";
    /// The plant takes its order back, or lines of it.
    PoCancelled = "interplant.po.cancelled.v1";
    /// The plant expects nothing more of the order.
    PoClosed = "interplant.po.closed.v1";
    /// The supplier answered.
    PoAcknowledged = "interplant.po.acknowledged.v1";
    /// The supplier has shipped goods.
    AsnReceived = "interplant.asn.received.v1";
    /// A shipment does not come.
    AsnCancelled = "interplant.asn.cancelled.v1";
    /// Goods came in.
    ReceiptPosted = "interplant.receipt.posted.v1";
    /// Goods that were reported did not come.
    ReceiptReversed = "interplant.receipt.reversed.v1";
    /// Goods are held back for an inspection.
    QualityHeld = "interplant.quality.held.v1";
    /// Held goods were inspected.
    InspectionCompleted = "interplant.quality.inspection.completed.v1";
    /// Held goods may be used.
    QualityReleased = "interplant.quality.released.v1";
    /// It was decided what becomes of rejected goods.
    NcrDispositioned = "interplant.ncr.dispositioned.v1";
    /// The supplier's invoice or credit note.
    InvoiceReceived = "interplant.invoice.received.v1";
    /// Another order tells that its lines of an invoice may be paid.
    InvoiceMatched = "interplant.invoice.matched.v1";
    /// Another order tells that the bill of an invoice is posted.
    InvoicePosted = "interplant.invoice.posted.v1";
    /// A production order may be worked on.
    MoReleased = "interplant.mo.released.v1";
    /// The plant changed its production order.
    MoChanged = "interplant.mo.changed.v1";
    /// The plant takes its production order back.
    MoCancelled = "interplant.mo.cancelled.v1";
    /// Work on a production order has begun.
    MoStarted = "interplant.mo.started.v1";
    /// Material was taken for a production order.
    MaterialIssued = "interplant.material.issued.v1";
    /// Material of a production order went back.
    MaterialReturned = "interplant.material.returned.v1";
    /// An operation of a production order is done, or part of it.
    OperationCompleted = "interplant.operation.completed.v1";
    /// Something of a production order was thrown away.
    ScrapReported = "interplant.scrap.reported.v1";
    /// Something went wrong with a production order.
    ProductionExceptionReported = "interplant.production.exception.reported.v1";
    /// What went wrong with a production order is settled.
    ProductionExceptionResolved = "interplant.production.exception.resolved.v1";
    /// Work on a production order stands still.
    MoHeld = "interplant.mo.held.v1";
    /// Work on a held production order may go on.
    MoResumed = "interplant.mo.resumed.v1";
    /// What a production order made came into a warehouse.
    FgReceived = "interplant.fg.received.v1";
    /// Nothing more is reported for a production order.
    MoClosed = "interplant.mo.closed.v1";
    /// A plant proposes an item for the group's master data.
    ItemProposed = "interplant.item.proposed.v1";
    /// What lies in a plant's warehouses at a moment.
    StockSnapshot = "interplant.stock.snapshot.v1";
    /// An entry in a plant's own books.
    JournalEntrySubmitted = "interplant.journal.entry.submitted.v1";
}

impl FactKind {
    /// The kind named by an event's `type`.
    #[must_use]
    pub fn from_event_type(text: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|kind| kind.event_type() == text)
    }

    /// Whether plants send it; the others are what lifecycles tell one another.
    #[must_use]
    pub fn is_sent_by_plants(self) -> bool {
        !matches!(self, Self::InvoiceMatched | Self::InvoicePosted)
    }
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

/// By what a fact finds the orders that it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference<'a> {
    /// It names the orders.
    Orders(Vec<&'a Code>),
    /// It names an advance ship notice.
    Asn(&'a Code),
    /// It names a receipt.
    Receipt(&'a Code),
    /// It names a lot.
    Lot(&'a Code),
    /// It belongs to no purchase order, but to a document of its own kind.
    Own(LifecycleKind, &'a Code),
}

impl Fact {
    /// The lifecycles that it belongs to. Where it does not name its order, that is the mailbox of the
    /// receipt, lot or advance ship notice that it names, which knows the order or waits for it.
    #[must_use]
    pub fn lifecycles(&self, plant: &PlantCode) -> Vec<LifecycleId> {
        let by = |kind, number: &Code| vec![LifecycleId::new(kind, plant, number.as_str())];
        match self.reference() {
            Reference::Orders(orders) => orders
                .into_iter()
                .map(|number| LifecycleId::new(LifecycleKind::Po, plant, number.as_str()))
                .collect(),
            Reference::Asn(number) => by(LifecycleKind::Asn, number),
            Reference::Receipt(number) => by(LifecycleKind::Receipt, number),
            Reference::Lot(number) => by(LifecycleKind::Lot, number),
            Reference::Own(kind, number) => by(kind, number),
        }
    }

    /// By what the orders are found.
    #[must_use]
    pub fn reference(&self) -> Reference<'_> {
        static NONE: Code = Code(String::new());
        let one = |number| Reference::Orders(vec![number]);
        let made = |number| Reference::Own(LifecycleKind::Mo, number);
        match self {
            Self::PoCreated(fact) => one(&fact.po_number),
            Self::PoChanged(fact) => one(&fact.po_number),
            Self::PoCancelled(fact) => one(&fact.po_number),
            Self::PoClosed(fact) => one(&fact.po_number),
            Self::PoAcknowledged(fact) => one(&fact.po_number),
            Self::AsnReceived(fact) => {
                Reference::Orders(distinct(fact.lines.iter().map(|line| &line.po_number)))
            }
            Self::AsnCancelled(fact) => Reference::Asn(&fact.asn_number),
            Self::ReceiptPosted(fact) => match (&fact.po_number, &fact.asn_number) {
                (Some(order), _) => one(order),
                (None, Some(asn)) => Reference::Asn(asn),
                (None, None) => one(&NONE),
            },
            Self::ReceiptReversed(fact) => match &fact.po_number {
                Some(order) => one(order),
                None => Reference::Receipt(&fact.receipt_number),
            },
            Self::QualityHeld(fact) => goods(&fact.po_number, &fact.receipt_number, &fact.lot_id),
            Self::InspectionCompleted(fact) => {
                goods(&fact.po_number, &fact.receipt_number, &fact.lot_id)
            }
            Self::QualityReleased(fact) => {
                goods(&fact.po_number, &fact.receipt_number, &fact.lot_id)
            }
            Self::NcrDispositioned(fact) => {
                goods(&fact.po_number, &fact.receipt_number, &fact.lot_id)
            }
            Self::InvoiceReceived(fact) => {
                let orders = distinct(fact.lines.iter().filter_map(|line| line.po_number.as_ref()));
                let receipt = fact
                    .lines
                    .iter()
                    .find_map(|line| line.receipt_number.as_ref());
                match (orders.is_empty(), receipt) {
                    (true, Some(receipt)) => Reference::Receipt(receipt),
                    (true, None) => one(&NONE),
                    (false, _) => Reference::Orders(orders),
                }
            }
            Self::InvoiceMatched(fact) => one(&fact.po_number),
            Self::InvoicePosted(fact) => one(&fact.po_number),
            Self::MoReleased(fact) => made(&fact.mo_number),
            Self::MoChanged(fact) => made(&fact.mo_number),
            Self::MoCancelled(fact) => made(&fact.mo_number),
            Self::MoStarted(fact) => made(&fact.mo_number),
            Self::MaterialIssued(fact) => made(&fact.mo_number),
            Self::MaterialReturned(fact) => made(&fact.mo_number),
            Self::OperationCompleted(fact) => made(&fact.mo_number),
            Self::ScrapReported(fact) => made(&fact.mo_number),
            Self::ProductionExceptionReported(fact) => made(&fact.mo_number),
            Self::ProductionExceptionResolved(fact) => made(&fact.mo_number),
            Self::MoHeld(fact) => made(&fact.mo_number),
            Self::MoResumed(fact) => made(&fact.mo_number),
            Self::FgReceived(fact) => made(&fact.mo_number),
            Self::MoClosed(fact) => made(&fact.mo_number),
            Self::ItemProposed(fact) => Reference::Own(LifecycleKind::Item, fact.code()),
            Self::StockSnapshot(fact) => Reference::Own(LifecycleKind::Stock, fact.number()),
            Self::JournalEntrySubmitted(fact) => Reference::Own(LifecycleKind::Je, &fact.entry_id),
        }
    }

    /// The number by which people know it: of the order, the acknowledgement, the receipt or the invoice.
    #[must_use]
    pub fn number(&self) -> &Code {
        match self {
            Self::PoCreated(fact) => &fact.po_number,
            Self::PoChanged(fact) => &fact.po_number,
            Self::PoCancelled(fact) => &fact.po_number,
            Self::PoClosed(fact) => &fact.po_number,
            Self::PoAcknowledged(fact) => &fact.ack_number,
            Self::AsnReceived(fact) => &fact.asn_number,
            Self::AsnCancelled(fact) => &fact.asn_number,
            Self::ReceiptPosted(fact) => &fact.receipt_number,
            Self::ReceiptReversed(fact) => &fact.receipt_number,
            Self::QualityHeld(fact) => &fact.hold_number,
            Self::InspectionCompleted(fact) => &fact.inspection_id,
            Self::QualityReleased(fact) => &fact.release_number,
            Self::NcrDispositioned(fact) => &fact.ncr_id,
            Self::InvoiceReceived(fact) => &fact.invoice_number,
            Self::InvoiceMatched(fact) => &fact.invoice_number,
            Self::InvoicePosted(fact) => &fact.invoice_number,
            Self::MoReleased(fact) => &fact.mo_number,
            Self::MoChanged(fact) => &fact.mo_number,
            Self::MoCancelled(fact) => &fact.mo_number,
            Self::MoStarted(fact) => fact.start_number.as_ref().unwrap_or(&fact.mo_number),
            Self::MaterialIssued(fact) => &fact.issue_number,
            Self::MaterialReturned(fact) => &fact.return_number,
            Self::OperationCompleted(fact) => {
                fact.report_number.as_ref().unwrap_or(&fact.operation_no)
            }
            Self::ScrapReported(fact) => &fact.scrap_number,
            Self::ProductionExceptionReported(fact) => &fact.exception_id,
            Self::ProductionExceptionResolved(fact) => &fact.exception_id,
            Self::MoHeld(fact) => fact.hold_number.as_ref().unwrap_or(&fact.mo_number),
            Self::MoResumed(fact) => fact.hold_number.as_ref().unwrap_or(&fact.mo_number),
            Self::FgReceived(fact) => &fact.receipt_number,
            Self::MoClosed(fact) => &fact.mo_number,
            Self::ItemProposed(fact) => &fact.proposal_id,
            Self::StockSnapshot(fact) => fact.number(),
            Self::JournalEntrySubmitted(fact) => &fact.entry_id,
        }
    }

    /// What the fact is about, whatever envelope brings it: plant, document, fact, revision.
    ///
    /// Two envelopes with one business key are one fact; with another content they are a conflict.
    #[must_use]
    pub fn business_key(&self, plant: &PlantCode, revision: u32) -> String {
        let lines = |lines: &[Code]| lines.iter().map(Code::as_str).collect::<Vec<_>>().join(",");
        let (listed, told);
        let parts: Vec<&str> = match self {
            Self::PoCreated(fact) => vec!["po", fact.po_number.as_str(), "created"],
            Self::PoChanged(fact) => {
                listed = fact.po_revision.0.to_string();
                vec!["po", fact.po_number.as_str(), "changed", &listed]
            }
            Self::PoCancelled(fact) => {
                listed = lines(&fact.lines);
                let mut parts = vec!["po", fact.po_number.as_str(), "cancelled", &listed];
                // What is cancelled in Odoo may be cancelled there again.
                told = fact.po_revision.map(|revision| revision.0.to_string());
                parts.extend(told.as_deref());
                parts
            }
            Self::PoClosed(fact) => {
                listed = lines(&fact.lines);
                vec!["po", fact.po_number.as_str(), "closed", &listed]
            }
            Self::PoAcknowledged(fact) => vec![
                "po",
                fact.po_number.as_str(),
                "acknowledged",
                fact.ack_number.as_str(),
            ],
            Self::AsnReceived(fact) => vec!["asn", fact.asn_number.as_str(), "received"],
            Self::AsnCancelled(fact) => vec!["asn", fact.asn_number.as_str(), "cancelled"],
            Self::ReceiptPosted(fact) => vec!["receipt", fact.receipt_number.as_str(), "posted"],
            Self::ReceiptReversed(fact) => vec![
                "receipt",
                fact.receipt_number.as_str(),
                "reversed",
                fact.reversal_number.as_ref().map_or("", Code::as_str),
            ],
            Self::QualityHeld(fact) => vec!["quality", fact.hold_number.as_str(), "held"],
            Self::InspectionCompleted(fact) => {
                vec!["inspection", fact.inspection_id.as_str(), "completed"]
            }
            Self::QualityReleased(fact) => {
                vec!["quality", fact.release_number.as_str(), "released"]
            }
            Self::NcrDispositioned(fact) => {
                listed = format!("{:?}", fact.disposition);
                vec!["ncr", fact.ncr_id.as_str(), "dispositioned", &listed]
            }
            Self::InvoiceReceived(fact) => vec![
                "invoice",
                fact.supplier_id.as_str(),
                fact.invoice_number.as_str(),
                "received",
            ],
            Self::InvoiceMatched(fact) => vec![
                "invoice",
                fact.supplier_id.as_str(),
                fact.invoice_number.as_str(),
                "matched",
                fact.po_number_matched.as_str(),
            ],
            Self::InvoicePosted(fact) => vec![
                "invoice",
                fact.supplier_id.as_str(),
                fact.invoice_number.as_str(),
                "posted",
                fact.po_number.as_str(),
            ],
            Self::MoReleased(fact) => vec!["mo", fact.mo_number.as_str(), "released"],
            Self::MoChanged(fact) => {
                listed = fact.revision.0.to_string();
                vec!["mo", fact.mo_number.as_str(), "changed", &listed]
            }
            Self::MoCancelled(fact) => vec!["mo", fact.mo_number.as_str(), "cancelled"],
            Self::MoStarted(fact) => {
                let start = either(&fact.start_number, &fact.at);
                vec!["mo", fact.mo_number.as_str(), "started", start]
            }
            Self::MaterialIssued(fact) => {
                vec![
                    "mo",
                    fact.mo_number.as_str(),
                    "issued",
                    fact.issue_number.as_str(),
                ]
            }
            Self::MaterialReturned(fact) => {
                vec![
                    "mo",
                    fact.mo_number.as_str(),
                    "returned",
                    fact.return_number.as_str(),
                ]
            }
            Self::OperationCompleted(fact) => vec![
                "mo",
                fact.mo_number.as_str(),
                "completed",
                fact.operation_no.as_str(),
                fact.report_number.as_ref().map_or("", Code::as_str),
            ],
            Self::ScrapReported(fact) => {
                vec![
                    "mo",
                    fact.mo_number.as_str(),
                    "scrapped",
                    fact.scrap_number.as_str(),
                ]
            }
            Self::ProductionExceptionReported(fact) => {
                vec![
                    "mo",
                    fact.mo_number.as_str(),
                    "exception",
                    fact.exception_id.as_str(),
                ]
            }
            Self::ProductionExceptionResolved(fact) => {
                vec![
                    "mo",
                    fact.mo_number.as_str(),
                    "resolved",
                    fact.exception_id.as_str(),
                ]
            }
            Self::MoHeld(fact) => {
                let hold = either(&fact.hold_number, &fact.at);
                vec!["mo", fact.mo_number.as_str(), "held", hold]
            }
            Self::MoResumed(fact) => {
                let hold = either(&fact.hold_number, &fact.at);
                vec!["mo", fact.mo_number.as_str(), "resumed", hold]
            }
            Self::FgReceived(fact) => {
                vec![
                    "mo",
                    fact.mo_number.as_str(),
                    "received",
                    fact.receipt_number.as_str(),
                ]
            }
            Self::MoClosed(fact) => vec!["mo", fact.mo_number.as_str(), "closed"],
            Self::ItemProposed(fact) => vec!["item", fact.proposal_id.as_str(), "proposed"],
            Self::StockSnapshot(fact) => {
                listed = fact.part.map_or(String::new(), |part| part.0.to_string());
                vec!["stock", fact.number().as_str(), "snapshot", &listed]
            }
            Self::JournalEntrySubmitted(fact) => vec!["je", fact.entry_id.as_str(), "submitted"],
        };
        // A unit separator cannot occur in a code, so no two keys can run together.
        format!("{plant}\u{1f}{}\u{1f}{revision}", parts.join("\u{1f}"))
    }
}

/// By what a plant tells two facts of a kind apart: its number, or else the moment.
fn either<'a>(number: &'a Option<Code>, at: &'a Option<Moment>) -> &'a str {
    let number = number.as_ref();
    number
        .or(at.as_ref().map(Moment::code))
        .map_or("", Code::as_str)
}

fn goods<'a>(
    order: &'a Option<Code>,
    receipt: &'a Option<Code>,
    lot: &'a Option<Code>,
) -> Reference<'a> {
    static NONE: Code = Code(String::new());
    match (order, receipt, lot) {
        (Some(order), _, _) => Reference::Orders(vec![order]),
        (None, Some(receipt), _) => Reference::Receipt(receipt),
        (None, None, Some(lot)) => Reference::Lot(lot),
        (None, None, None) => Reference::Orders(vec![&NONE]),
    }
}

fn distinct<'a>(codes: impl Iterator<Item = &'a Code>) -> Vec<&'a Code> {
    let mut found = Vec::new();
    for code in codes {
        if !found.contains(&code) {
            found.push(code);
        }
    }
    found
}

/// SHA-256 over the canonical JSON (RFC 8785) of `data`, decimals normalised: `10` and `10.0` are one.
///
/// # Errors
/// Never for a fact that was read; the canonicaliser's own error otherwise.
pub fn content_hash(fact: &Fact) -> Result<String, serde_json::Error> {
    // Through the typed fact: decimals are normalised and codes trimmed there, once.
    let bytes = serde_json_canonicalizer::to_vec(&fact.data()?)?;
    Ok(crate::identifier::sha256_hex(&bytes))
}
