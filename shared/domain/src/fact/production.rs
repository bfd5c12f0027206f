//! Facts about a production order: released, changed, started, held, closed, and what goes wrong with it.
//!
//! They are kept, and nothing is done with them in Odoo: docs/decisions/0019-recorded-facts.md.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Code, Moment, Number, Remark, is_false};
use crate::decimal::Quantity;

/// `interplant.mo.released.v1`: a production order may be worked on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MoReleased {
    /// The order's number as the plant writes it.
    pub mo_number: Code,
    /// The plant; must be the sender's own when it is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plant: Option<Code>,
    /// What is made.
    pub item_id: Code,
    /// How much of it.
    pub qty: Quantity,
    /// The unit of the quantity.
    pub uom: Code,
    /// The bill of materials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bom_id: Option<Code>,
    /// Its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bom_version: Option<Code>,
    /// The routing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub routing_id: Option<Code>,
    /// Its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub routing_version: Option<Code>,
    /// When work should begin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned_start: Option<Moment>,
    /// When it should be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned_end: Option<Moment>,
    /// How urgent it is, as the plant writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Code>,
    /// The sales order that it is made for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sales_order_line: Option<SalesOrderLine>,
    /// The order's state in the plant's system; must mean released when it is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<OrderState>,
}

/// A line of a sales order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SalesOrderLine {
    /// The sales order.
    pub so_number: Code,
    /// Its line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line_no: Option<Code>,
}

/// `interplant.mo.changed.v1`: the plant changed its production order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MoChanged {
    /// The order.
    pub mo_number: Code,
    /// Revision of the order after this change, counted up from 1 by the plant.
    pub revision: Number,
    /// What changed, with what it is now.
    pub changes: MoChanges,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Remark>,
}

/// A production order as it is after a change; what is not named stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MoChanges {
    /// How much is to be made now, in the order's unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qty: Option<Quantity>,
    /// The bill of materials now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bom_id: Option<Code>,
    /// Its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bom_version: Option<Code>,
    /// The routing now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub routing_id: Option<Code>,
    /// Its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub routing_version: Option<Code>,
    /// When work should begin now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned_start: Option<Moment>,
    /// When it should be done now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned_end: Option<Moment>,
    /// How urgent it is now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Code>,
    /// The sales order that it is made for now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sales_order_line: Option<SalesOrderLine>,
}

impl MoChanges {
    /// Whether nothing is named.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self {
            qty,
            bom_id,
            bom_version,
            routing_id,
            routing_version,
            planned_start,
            planned_end,
            priority,
            sales_order_line,
        } = self;
        let codes = [bom_id, bom_version, routing_id, routing_version, priority];
        qty.is_none()
            && planned_start.is_none()
            && planned_end.is_none()
            && sales_order_line.is_none()
            && codes.iter().all(|code| code.is_none())
    }
}

/// `interplant.mo.cancelled.v1`: the plant takes its production order back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MoCancelled {
    /// The order.
    pub mo_number: Code,
    /// Why.
    pub reason: Remark,
    /// The order's state in the plant's system; must mean cancelled when it is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<OrderState>,
}

/// `interplant.mo.started.v1`: work on a production order has begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MoStarted {
    /// The order.
    pub mo_number: Code,
    /// How much was started, in the order's unit; all of it when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_qty: Option<Quantity>,
    /// When it began. Two starts of one order differ by it or by their number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Moment>,
    /// The plant's number of the start, when an order is started in parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_number: Option<Code>,
    /// The order's state in the plant's system; must mean in progress when it is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<OrderState>,
}

/// `interplant.mo.held.v1`: work on a production order stands still.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MoHeld {
    /// The order.
    pub mo_number: Code,
    /// The plant's number of the hold; either this or `at` tells two holds apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_number: Option<Code>,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Moment>,
    /// Why.
    pub reason: Remark,
    /// The order's state in the plant's system; must mean held when it is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<OrderState>,
}

/// `interplant.mo.resumed.v1`: work on a held production order may go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MoResumed {
    /// The order.
    pub mo_number: Code,
    /// The plant's number of the hold that ends; either this or `at` tells two of them apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_number: Option<Code>,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Moment>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Remark>,
    /// The order's state in the plant's system; must mean released or in progress when it is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<OrderState>,
}

/// `interplant.mo.closed.v1`: nothing more is reported for a production order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MoClosed {
    /// The order.
    pub mo_number: Code,
    /// What it came to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub totals: Option<MoTotals>,
    /// What differs from the plan, in the plant's own words, such as `MATERIAL`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub variance_flags: Vec<Code>,
    /// The order's state in the plant's system; must mean closed when it is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<OrderState>,
}

/// What a production order came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MoTotals {
    /// What was made, in the order's unit.
    pub good_qty: Quantity,
    /// What was scrapped.
    #[serde(default)]
    pub scrap_qty: Quantity,
    /// Hours of work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<Quantity>,
}

/// `interplant.production.exception.reported.v1`: something went wrong with a production order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProductionExceptionReported {
    /// The plant's number of the exception.
    pub exception_id: Code,
    /// The order.
    pub mo_number: Code,
    /// The operation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation_no: Option<Code>,
    /// How bad it is.
    pub severity: Severity,
    /// What it comes from.
    pub cause: Cause,
    /// How much of the order is at risk, in its unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qty_at_risk: Option<Quantity>,
    /// How long the order is delayed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_minutes: Option<Number>,
    /// Whether the order stands still until it is resolved.
    #[serde(default, skip_serializing_if = "is_false")]
    pub hold: bool,
    /// What happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark: Option<Remark>,
}

/// How bad an exception in production is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// A customer or the plant is in danger of standing still.
    Critical,
    /// The order will be late or short.
    Major,
    /// It is noted.
    Minor,
}

/// What an exception in production comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Cause {
    /// Material is missing or wrong.
    Material,
    /// A machine.
    Machine,
    /// People are missing.
    Staff,
    /// What is made is not good.
    Quality,
    /// A tool is missing or broken.
    Tooling,
    /// Anything else; `remark` says what.
    Other,
}

/// `interplant.production.exception.resolved.v1`: what went wrong with a production order is settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProductionExceptionResolved {
    /// The plant's number of the exception.
    pub exception_id: Code,
    /// The order.
    pub mo_number: Code,
    /// What was done.
    pub action: Remark,
    /// When the order should be done now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_end: Option<Moment>,
    /// Who did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Remark>,
}

/// A production order's state in a plant's system, in the words of ISA-95 (B2MML RequestState and
/// ResponseState).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OrderState {
    /// It may come.
    Forecast,
    /// It waits for something.
    Waiting,
    /// It could begin.
    Ready,
    /// It may be worked on.
    Released,
    /// It is worked on.
    Running,
    /// It was stopped from outside.
    Held,
    /// It was stopped for a while.
    Paused,
    /// It was stopped from within.
    Suspended,
    /// All of it is made.
    Completed,
    /// Nothing more is reported for it.
    Closed,
    /// It was taken back.
    Cancelled,
    /// It was given up.
    Aborted,
}

impl OrderState {
    /// What the state means in the group, whose word for it is the same for all plants.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Forecast | Self::Waiting | Self::Ready => "planned",
            Self::Released => "released",
            Self::Running => "in progress",
            Self::Held | Self::Paused | Self::Suspended => "held",
            Self::Completed => "produced",
            Self::Closed => "closed",
            Self::Cancelled | Self::Aborted => "cancelled",
        }
    }
}
