//! Facts about the inspection of goods that came in.
//!
//! They name the order, or the receipt or the lot by which the order is found.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Code, Day, Remark};
use crate::decimal::Quantity;

/// `interplant.quality.held.v1`: goods in stock are held back for an inspection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct QualityHeld {
    /// The plant's number of the hold.
    pub hold_number: Code,
    /// The order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub po_number: Option<Code>,
    /// The receipt by which the goods came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt_number: Option<Code>,
    /// The lot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lot_id: Option<Code>,
    /// The order's line; may be left out when the rest says which one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line_no: Option<Code>,
    /// How much is held, in the order line's unit.
    pub qty: Quantity,
    /// Why.
    pub reason: Remark,
    /// Until when a result is expected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_by: Option<Day>,
}

/// `interplant.quality.released.v1`: held goods may be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct QualityReleased {
    /// The plant's number of the release.
    pub release_number: Code,
    /// The order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub po_number: Option<Code>,
    /// The receipt by which the goods came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt_number: Option<Code>,
    /// The lot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lot_id: Option<Code>,
    /// The order's line; may be left out when the rest says which one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line_no: Option<Code>,
    /// How much is released, in the order line's unit.
    pub qty_released: Quantity,
    /// Who released it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Remark>,
    /// The certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_ref: Option<Remark>,
}

/// `interplant.quality.inspection.completed.v1`: held goods were inspected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InspectionCompleted {
    /// The plant's number of the inspection.
    pub inspection_id: Code,
    /// The order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub po_number: Option<Code>,
    /// The receipt by which the goods came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt_number: Option<Code>,
    /// The lot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lot_id: Option<Code>,
    /// The order's line; may be left out when the rest says which one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line_no: Option<Code>,
    /// How much may be used, in the order line's unit.
    pub qty_accepted: Quantity,
    /// How much may not.
    pub qty_rejected: Quantity,
    /// Number of the nonconformance that is opened for what was rejected; the inspection's when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ncr_id: Option<Code>,
    /// What is wrong with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub defect_code: Option<Code>,
}

/// `interplant.ncr.dispositioned.v1`: it was decided what becomes of rejected goods.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NcrDispositioned {
    /// The nonconformance.
    pub ncr_id: Code,
    /// The order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub po_number: Option<Code>,
    /// The receipt by which the goods came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt_number: Option<Code>,
    /// The lot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lot_id: Option<Code>,
    /// What becomes of them.
    pub disposition: Disposition,
    /// How much, in the order line's unit.
    pub qty: Quantity,
}

/// What becomes of rejected goods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Disposition {
    /// They are used after all.
    UseAsIs,
    /// They go back to the supplier.
    Return,
    /// They are thrown away.
    Scrap,
}
