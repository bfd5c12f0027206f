//! Facts about master data, stock and accounts of a plant.
//!
//! They are kept, and nothing is done with them in Odoo: docs/decisions/0019-recorded-facts.md.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Code, Currency, Day, Moment, Number, Remark};
use crate::decimal::{Amount, Quantity};

/// `interplant.item.proposed.v1`: a plant proposes an item for the group's master data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ItemProposed {
    /// The plant's number of the proposal.
    pub proposal_id: Code,
    /// The plant; must be the sender's own when it is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plant: Option<Code>,
    /// The item's codes at the plant; the one of kind `sku`, or else the first, names it.
    #[schemars(length(min = 1, max = 100))]
    pub local_codes: Vec<LocalCode>,
    /// What it is.
    pub description: Remark,
    /// The unit that it is kept in.
    pub base_uom: Code,
    /// Other units of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub uoms: Vec<ItemUnit>,
    /// What class of items it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<Code>,
    /// How it is told apart from its like.
    #[serde(default)]
    pub tracking: Tracking,
}

impl ItemProposed {
    /// The code that names the item at the plant.
    #[must_use]
    pub fn code(&self) -> &Code {
        static NONE: Code = Code(String::new());
        let sku = self
            .local_codes
            .iter()
            .find(|local| local.kind == LocalCodeKind::Sku);
        sku.or(self.local_codes.first())
            .map_or(&NONE, |local| &local.code)
    }
}

/// A code of an item at a plant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LocalCode {
    /// What kind of code.
    pub kind: LocalCodeKind,
    /// The code.
    pub code: Code,
    /// Whose code it is, when it is a customer's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<Code>,
}

/// What kind of code an item has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum LocalCodeKind {
    /// The plant's own, by which it buys, makes and sells.
    Sku,
    /// Of a drawing or a design.
    Engineering,
    /// Of a customer.
    CustomerPart,
}

/// A unit of an item beside its base unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ItemUnit {
    /// The unit.
    pub uom: Code,
    /// How many base units one of it is.
    pub factor: Quantity,
}

/// How an item is told apart from its like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Tracking {
    /// Not at all.
    #[default]
    None,
    /// By lot.
    Lot,
    /// Piece by piece.
    Serial,
}

/// `interplant.stock.snapshot.v1`: what lies in a plant's warehouses at a moment, as its own system says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StockSnapshot {
    /// The plant; must be the sender's own when it is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plant: Option<Code>,
    /// The moment.
    pub as_of: Moment,
    /// The plant's number of the snapshot; the moment names it when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot_number: Option<Code>,
    /// Which part this is, when a snapshot comes in several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Number>,
    /// How many parts there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parts: Option<Number>,
    /// What lies where.
    #[schemars(length(min = 1, max = 1000))]
    pub lines: Vec<StockLine>,
    /// What the lines of this part add up to, so that a lost one is noticed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control_totals: Option<ControlTotals>,
}

impl StockSnapshot {
    /// What names the snapshot at the plant.
    #[must_use]
    pub fn number(&self) -> &Code {
        self.snapshot_number
            .as_ref()
            .unwrap_or_else(|| self.as_of.code())
    }
}

/// A line of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StockLine {
    /// The item.
    pub item_id: Code,
    /// The lot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lot_id: Option<Code>,
    /// The warehouse.
    pub warehouse: Code,
    /// Whether it may be used.
    #[serde(default)]
    pub status: StockStatus,
    /// How much; below zero when the plant's system says so.
    pub qty: Quantity,
    /// The unit; the item's own when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uom: Option<Code>,
}

/// Whether stock may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum StockStatus {
    /// It may.
    #[default]
    Available,
    /// It waits for an inspection.
    Quality,
    /// It may not.
    Blocked,
}

/// What the lines of a snapshot add up to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ControlTotals {
    /// How many lines there are.
    pub lines: Number,
    /// All quantities together, whatever their units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qty: Option<Quantity>,
}

/// `interplant.journal.entry.submitted.v1`: an entry in a plant's own books.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct JournalEntrySubmitted {
    /// The entry's number as the plant writes it.
    pub entry_id: Code,
    /// The batch that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_id: Option<Code>,
    /// When what it books happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_date: Option<Day>,
    /// When it is booked.
    pub posting_date: Day,
    /// The period in the plant's calendar.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plant_period: Option<Code>,
    /// The period in the group's calendar.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_period: Option<Code>,
    /// Currency of all amounts.
    pub currency: Currency,
    /// What is booked where; the amounts add up to nothing.
    #[schemars(length(min = 2, max = 1000))]
    pub lines: Vec<JournalLine>,
    /// The document that it comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_doc: Option<Code>,
}

/// A line of a journal entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct JournalLine {
    /// The account in the plant's chart.
    pub local_account: Code,
    /// The account in the group's chart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_account: Option<Code>,
    /// How much: debit above zero, credit below.
    pub amount: Amount,
    /// The cost centre.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_centre: Option<Code>,
    /// Other dimensions of the plant's accounts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    pub dims: Vec<Dimension>,
    /// A few words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Remark>,
}

/// A dimension of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Dimension {
    /// Which, such as `project`.
    pub name: Code,
    /// What it is here.
    pub value: Code,
}
