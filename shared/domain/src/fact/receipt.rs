//! Facts about goods that come in: advance ship notices, receipts, reversals.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Code, Day, Remark};
use crate::decimal::Quantity;

/// `interplant.asn.received.v1`: the supplier has shipped goods.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AsnReceived {
    /// The supplier's number of the shipment.
    pub asn_number: Code,
    /// Who brings it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier: Option<Code>,
    /// Serial shipping container codes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub sscc: Vec<Code>,
    /// When it was shipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ship_date: Option<Day>,
    /// When it should arrive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eta: Option<Day>,
    /// What is in it.
    #[schemars(length(min = 1, max = 1000))]
    pub lines: Vec<AsnLine>,
}

/// A line of an advance ship notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AsnLine {
    /// The order.
    pub po_number: Code,
    /// The order's line.
    pub line_no: Code,
    /// The item; must be the line's own when it is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item_id: Option<Code>,
    /// How much was shipped.
    pub qty: Quantity,
    /// The unit; the order line's own when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uom: Option<Code>,
    /// Lots.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub lots: Vec<LotQuantity>,
    /// Serial numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub serials: Vec<Code>,
}

/// `interplant.asn.cancelled.v1`: the shipment does not come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AsnCancelled {
    /// The supplier's number of the shipment.
    pub asn_number: Code,
    /// Why.
    pub reason: Remark,
}

/// Part of a quantity that belongs to a lot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LotQuantity {
    /// The lot.
    pub lot_id: Code,
    /// How much of it, in the unit of the line.
    pub qty: Quantity,
    /// Until when it may be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiry: Option<Day>,
}

/// `interplant.receipt.posted.v1`: goods came in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReceiptPosted {
    /// The receipt's number as the plant writes it.
    pub receipt_number: Code,
    /// The order; may be left out when the shipment is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub po_number: Option<Code>,
    /// The advance ship notice that announced the goods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asn_number: Option<Code>,
    /// Whether quantities are all that ever came for the line, instead of what came now.
    #[serde(default, skip_serializing_if = "is_false")]
    pub cumulative: bool,
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
    /// How much of it is damaged, wrong or doubtful: it is held for inspection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qty_in_question: Option<Quantity>,
    /// Condition of the goods, X12 element 412: `07` good, `01` damaged, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition_code: Option<Code>,
    /// The unit; the order line's own when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uom: Option<Code>,
    /// Lots, adding up to the quantity.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub lots: Vec<LotQuantity>,
    /// Serial numbers, one for each piece.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub serials: Vec<Code>,
    /// Whether all of it waits for an inspection.
    #[serde(default, skip_serializing_if = "is_false")]
    pub to_quality: bool,
}

/// `interplant.receipt.reversed.v1`: goods that were reported did not come, or went back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReceiptReversed {
    /// The receipt that is reversed.
    pub receipt_number: Code,
    /// The order; found by the receipt when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub po_number: Option<Code>,
    /// The plant's number of the reversal, when a receipt may be reversed in parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reversal_number: Option<Code>,
    /// What is reversed; none means the whole receipt.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub lines: Vec<ReversedLine>,
    /// Why.
    pub reason: Remark,
}

/// A line of a reversal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReversedLine {
    /// The order's line.
    pub line_no: Code,
    /// How much is reversed, in the order line's unit.
    pub qty: Quantity,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands the field over by reference"
)]
pub(crate) fn is_false(value: &bool) -> bool {
    !*value
}
