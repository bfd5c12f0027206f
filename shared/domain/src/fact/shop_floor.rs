//! Facts from the shop floor: material that is used, operations that are done, scrap, finished goods.
//!
//! They are kept, and nothing is done with them in Odoo: docs/decisions/0019-recorded-facts.md.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Code, Day, Moment, Remark, is_false};
use crate::decimal::Quantity;

/// `interplant.material.issued.v1`: material was taken for a production order (MaterialUse `Consumed`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MaterialIssued {
    /// The order.
    pub mo_number: Code,
    /// The plant's number of the issue.
    pub issue_number: Code,
    /// The operation that uses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation_no: Option<Code>,
    /// What was taken.
    #[schemars(length(min = 1, max = 1000))]
    pub lines: Vec<IssuedLine>,
}

/// A line of material that was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IssuedLine {
    /// The line's number, where the order has an item more than once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line_no: Option<Code>,
    /// The material.
    pub item_id: Code,
    /// How much of it, scrap with it.
    pub qty: Quantity,
    /// The unit.
    pub uom: Code,
    /// The lot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lot_id: Option<Code>,
    /// Serial numbers, one for each piece.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub serials: Vec<Code>,
    /// Where it was taken from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warehouse: Option<Code>,
    /// Whether the quantity was counted, or derived from what was made.
    #[serde(default)]
    pub derived: Derived,
    /// How much of it was scrapped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scrap_qty: Option<Quantity>,
}

/// Where the quantity of an issue comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Derived {
    /// Somebody counted or weighed it.
    #[default]
    Actual,
    /// It follows from the bill of materials and from what was made.
    Backflush,
}

/// `interplant.material.returned.v1`: material of a production order went back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MaterialReturned {
    /// The order.
    pub mo_number: Code,
    /// The plant's number of the return.
    pub return_number: Code,
    /// The operation that did not use it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation_no: Option<Code>,
    /// What went back.
    #[schemars(length(min = 1, max = 1000))]
    pub lines: Vec<ReturnedLine>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Remark>,
}

/// A line of material that went back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReturnedLine {
    /// The line's number, where the order has an item more than once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line_no: Option<Code>,
    /// The material.
    pub item_id: Code,
    /// How much of it.
    pub qty: Quantity,
    /// The unit.
    pub uom: Code,
    /// The lot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lot_id: Option<Code>,
    /// Serial numbers, one for each piece.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub serials: Vec<Code>,
    /// Where it went to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warehouse: Option<Code>,
}

/// `interplant.operation.completed.v1`: an operation of a production order is done, or part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OperationCompleted {
    /// The order.
    pub mo_number: Code,
    /// The operation.
    pub operation_no: Code,
    /// The plant's number of the report; may be left out of the one report that is final.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report_number: Option<Code>,
    /// Where it was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work_centre: Option<Code>,
    /// What came out good, in the order's unit.
    pub good_qty: Quantity,
    /// What was scrapped.
    #[serde(default)]
    pub scrap_qty: Quantity,
    /// Hours of work, set-up not counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<Quantity>,
    /// Hours of set-up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setup_hours: Option<Quantity>,
    /// What kind of worker did it; no person's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker_class: Option<Code>,
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actual_start: Option<Moment>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actual_end: Option<Moment>,
    /// Whether nothing more is reported for the operation.
    #[serde(default, rename = "final", skip_serializing_if = "is_false")]
    pub is_final: bool,
}

/// `interplant.scrap.reported.v1`: something of a production order was thrown away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScrapReported {
    /// The order.
    pub mo_number: Code,
    /// The plant's number of the report.
    pub scrap_number: Code,
    /// The operation at which it was scrapped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation_no: Option<Code>,
    /// What was scrapped: the order's item or a material of it.
    pub item_id: Code,
    /// How much of it.
    pub qty: Quantity,
    /// The unit; the item's own when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uom: Option<Code>,
    /// The lot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lot_id: Option<Code>,
    /// Why.
    pub reason: Remark,
}

/// `interplant.fg.received.v1`: what a production order made came into a warehouse.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FgReceived {
    /// The order.
    pub mo_number: Code,
    /// The plant's number of the receipt.
    pub receipt_number: Code,
    /// What came.
    #[schemars(length(min = 1, max = 1000))]
    pub lines: Vec<MadeLine>,
    /// Lots that went into it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub input_lots: Vec<InputLot>,
    /// Whether nothing more comes of the order.
    #[serde(default, rename = "final", skip_serializing_if = "is_false")]
    pub is_final: bool,
}

/// A line of what was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MadeLine {
    /// The item.
    pub item_id: Code,
    /// Whether it is what the order is for.
    #[serde(default)]
    pub kind: MadeKind,
    /// How much of it.
    pub qty: Quantity,
    /// The unit.
    pub uom: Code,
    /// The lot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lot_id: Option<Code>,
    /// Serial numbers, one for each piece.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub serials: Vec<Code>,
    /// Until when it may be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiry: Option<Day>,
    /// Where it came in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warehouse: Option<Code>,
}

/// What something that was made is to its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum MadeKind {
    /// What the order is for (MaterialUse `Produced`).
    #[default]
    Main,
    /// Made with it on purpose (`Co-product Produced`).
    CoProduct,
    /// Made with it and of little worth (`By-product Produced`).
    ByProduct,
}

/// A lot that went into what was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InputLot {
    /// The material.
    pub item_id: Code,
    /// Its lot.
    pub lot_id: Code,
}
