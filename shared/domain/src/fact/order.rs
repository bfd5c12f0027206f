//! Facts about the order itself: created, changed, cancelled, acknowledged, closed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Charge, Code, Currency, Day, Number, Remark};
use crate::decimal::{Quantity, UnitPrice};

/// Whose an order is: who made it, and who alone may change it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Owner {
    /// The plant's; Interplant creates it in Odoo.
    #[default]
    Plant,
    /// Odoo's: a buyer has confirmed it there. Only Interplant itself says so.
    Odoo,
}

impl Owner {
    pub(crate) fn is_plant(&self) -> bool {
        *self == Self::Plant
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
    /// Freight and other charges that were agreed for the whole order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub charges: Vec<Charge>,
    /// Whose it is; not a plant's to say, so the schema does not have it.
    #[serde(default, skip_serializing_if = "Owner::is_plant")]
    #[schemars(skip)]
    pub owner: Owner,
    /// The order's id in Odoo, where it is Odoo's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub odoo_id: Option<i64>,
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
    /// The line's id in Odoo, where the order is Odoo's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub odoo_line: Option<i64>,
}

/// `interplant.po.changed.v1`: the plant changed its order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PoChanged {
    /// The order.
    pub po_number: Code,
    /// Revision of the order after this change, counted up from 1 by the plant.
    pub po_revision: Number,
    /// Whose the order is; not a plant's to say, so the schema does not have it.
    #[serde(default, skip_serializing_if = "Owner::is_plant")]
    #[schemars(skip)]
    pub owner: Owner,
    /// Lines that changed, with what they are now; lines that are not named stay as they are.
    #[schemars(length(min = 1, max = 1000))]
    pub changed_lines: Vec<ChangedLine>,
}

/// A line of an order as it is after a change; what is not named stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChangedLine {
    /// The line; one that the order does not have yet is added, and names item, quantity, unit and price.
    pub line_no: Code,
    /// The item, of a line that is added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item_id: Option<Code>,
    /// The unit, of a line that is added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uom: Option<Code>,
    /// The tax code, of a line that is added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_code: Option<Code>,
    /// How much is ordered now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qty: Option<Quantity>,
    /// The price now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_price: Option<UnitPrice>,
    /// When the plant needs it now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub need_date: Option<Day>,
    /// The line's id in Odoo, where the order is Odoo's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub odoo_line: Option<i64>,
}

/// `interplant.po.cancelled.v1`: the plant takes its order back, or lines of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PoCancelled {
    /// The order.
    pub po_number: Code,
    /// The lines; none means the whole order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub lines: Vec<Code>,
    /// Why.
    pub reason: Remark,
    /// What becomes of goods that have come.
    #[serde(default)]
    pub goods: CancelledGoods,
    /// Whose the order is; not a plant's to say, so the schema does not have it.
    #[serde(default, skip_serializing_if = "Owner::is_plant")]
    #[schemars(skip)]
    pub owner: Owner,
    /// Revision of the order after this, where it is Odoo's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub po_revision: Option<Number>,
}

/// What becomes of goods of a cancelled order that have come already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum CancelledGoods {
    /// They are kept and paid; the order is closed short.
    #[default]
    Keep,
    /// They go back to the supplier, and what was billed is credited.
    Return,
}

/// `interplant.po.closed.v1`: the plant expects nothing more of the order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PoClosed {
    /// The order.
    pub po_number: Code,
    /// Lines of which nothing more is expected; none means all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub lines: Vec<Code>,
    /// Why.
    pub reason: CloseReason,
}

/// Why nothing more is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum CloseReason {
    /// Less came than was ordered, and that is all.
    ShortClosed,
}

/// `interplant.po.acknowledged.v1`: the supplier answered the order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PoAcknowledged {
    /// The order.
    pub po_number: Code,
    /// The supplier's number for the acknowledgement.
    pub ack_number: Code,
    /// Revision of the order that is answered; none means the order as it was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub po_revision: Option<Number>,
    /// The answer for lines that are not named; accepted when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header_status: Option<AckStatus>,
    /// The same as the supplier's own code; either this or `headerStatus`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header_code: Option<SupplierCode>,
    /// The answer line by line.
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<AckStatus>,
    /// The answer as the supplier's own code; either this or `status`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<SupplierCode>,
    /// The quantity that the supplier will deliver, when it says one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qty: Option<Quantity>,
    /// The price that the supplier will charge, when it says one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<UnitPrice>,
    /// When the supplier will deliver.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promised_date: Option<Day>,
    /// The item that the supplier will deliver instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub substitute_item: Option<Code>,
}

/// An answer in a code of X12 855 or EDIFACT ORDRSP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SupplierCode {
    /// The list that the code is from.
    pub list: CodeList,
    /// The code.
    pub code: Code,
}

/// The lists that suppliers answer in.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum CodeList {
    /// X12 element 587, acknowledgment type: 855 BAK02.
    #[serde(rename = "x12-587")]
    X12Header,
    /// X12 element 668, line item status: 855 ACK01.
    #[serde(rename = "x12-668")]
    X12Line,
    /// EDIFACT 1225, message function: ORDRSP BGM.
    #[serde(rename = "edifact-1225")]
    EdifactFunction,
    /// EDIFACT 1229, action: ORDRSP LIN.
    #[serde(rename = "edifact-1229")]
    EdifactAction,
    /// EDIFACT 4343, response type: ORDRSP BGM.
    #[serde(rename = "edifact-4343")]
    EdifactResponse,
}

/// What the supplier says to a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum AckStatus {
    /// As ordered.
    Accepted,
    /// With another quantity, price or date.
    AcceptedChanged,
    /// Later, or in part now.
    Backordered,
    /// With another item.
    Substituted,
    /// Not yet decided.
    Pending,
    /// Refused.
    Rejected,
}
