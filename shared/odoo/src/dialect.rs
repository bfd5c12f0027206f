//! Everything in which Odoo 17, 18 and 19 differ, and the names that a caller may use.
//!
//! No other file of this crate asks which version it talks to. How to add a version: add it to
//! [`Version`]; the compiler then walks through every difference.

use interplant_domain::json::Json;

use crate::body::Body;
use crate::order::OrderState;
use crate::receipt::Guard;

/// A version of Odoo whose behaviour was observed on a running server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// 17.0
    V17,
    /// 18.0
    V18,
    /// 19.0 and later.
    V19,
}

/// Models that may be read and loaded. A model name ends up in an address: no other is taken.
pub mod model {
    /// Companies, suppliers and people.
    pub const PARTNER: &str = "res.partner";
    /// The companies that an Odoo keeps books for.
    pub const COMPANY: &str = "res.company";
    /// Currencies.
    pub const CURRENCY: &str = "res.currency";
    /// Items.
    pub const ITEM: &str = "product.product";
    /// What the variants of an item share.
    pub const ITEM_TEMPLATE: &str = "product.template";
    /// Units of measure.
    pub const UNIT: &str = "uom.uom";
    /// Purchase orders.
    pub const ORDER: &str = "purchase.order";
    /// Lines of purchase orders.
    pub const ORDER_LINE: &str = "purchase.order.line";
    /// Transfers; an incoming one is a receipt.
    pub const PICKING: &str = "stock.picking";
    /// What a transfer moves.
    pub const MOVE: &str = "stock.move";
    /// Operation types of a warehouse.
    pub const PICKING_TYPE: &str = "stock.picking.type";
    /// Stock by item and place.
    pub const QUANT: &str = "stock.quant";
    /// Journal entries; a bill is one.
    pub const BILL: &str = "account.move";
    /// Lines of journal entries.
    pub const BILL_LINE: &str = "account.move.line";
    /// Accounts.
    pub const ACCOUNT: &str = "account.account";
    /// Taxes.
    pub const TAX: &str = "account.tax";
    /// Users.
    pub const USER: &str = "res.users";
    /// Digits by use; only an administrator reads it.
    pub const PRECISION: &str = "decimal.precision";

    /// What a transfer moves, by lot and by place.
    pub const MOVE_LINE: &str = "stock.move.line";
    /// Files that are attached to records.
    pub const ATTACHMENT: &str = "ir.attachment";
    /// Lots and serial numbers.
    pub const LOT: &str = "stock.lot";
    /// Places where stock lies.
    pub const LOCATION: &str = "stock.location";

    pub(crate) const ALL: [&str; 22] = [
        MOVE_LINE,
        ATTACHMENT,
        LOT,
        LOCATION,
        PARTNER,
        COMPANY,
        CURRENCY,
        ITEM,
        ITEM_TEMPLATE,
        UNIT,
        ORDER,
        ORDER_LINE,
        PICKING,
        MOVE,
        PICKING_TYPE,
        QUANT,
        BILL,
        BILL_LINE,
        ACCOUNT,
        TAX,
        USER,
        PRECISION,
    ];
}

/// Which way a call takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// `POST /json/2/<model>/<method>`.
    Json2,
    /// `POST /jsonrpc`, `execute_kw`.
    JsonRpc,
}

/// A call on a model whose name or arguments differ between versions.
pub(crate) struct Asked {
    pub(crate) method: &'static str,
    /// `ids` where the version wants the method called on records.
    pub(crate) ids: Option<Vec<i64>>,
    /// Arguments that must not be named; only JSON-RPC has such.
    pub(crate) positional: Vec<Body>,
    pub(crate) named: Vec<(&'static str, Body)>,
}

impl Version {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::V17, Self::V18, Self::V19];

    /// The version of a server by the first part of its version number.
    pub(crate) fn of_major(major: i64) -> Option<Self> {
        match major {
            17 => Some(Self::V17),
            18 => Some(Self::V18),
            19.. => Some(Self::V19),
            _ => None,
        }
    }

    pub(crate) fn protocol(self) -> Protocol {
        match self {
            Self::V17 | Self::V18 => Protocol::JsonRpc,
            Self::V19 => Protocol::Json2,
        }
    }

    /// The unit of an order line.
    pub(crate) fn order_line_unit(self) -> &'static str {
        match self {
            Self::V17 | Self::V18 => "product_uom",
            Self::V19 => "product_uom_id",
        }
    }

    /// The taxes of an order line.
    pub(crate) fn order_line_taxes(self) -> &'static str {
        match self {
            Self::V17 | Self::V18 => "taxes_id",
            Self::V19 => "tax_ids",
        }
    }

    /// The column that loads the unit of an order line.
    pub(crate) fn order_line_unit_column(self) -> &'static str {
        match self {
            Self::V17 | Self::V18 => "order_line/product_uom/id",
            Self::V19 => "order_line/product_uom_id/id",
        }
    }

    /// The column that loads the taxes of an order line.
    pub(crate) fn order_line_taxes_column(self) -> &'static str {
        match self {
            Self::V17 | Self::V18 => "order_line/taxes_id/id",
            Self::V19 => "order_line/tax_ids/id",
        }
    }

    /// Whether the supplier acknowledged the order.
    pub(crate) fn order_acknowledged(self) -> &'static str {
        match self {
            Self::V17 | Self::V18 => "mail_reception_confirmed",
            Self::V19 => "acknowledged",
        }
    }

    /// The field that locks an order where that is not one of its states.
    pub(crate) fn order_locked(self) -> Option<&'static str> {
        match self {
            Self::V17 | Self::V18 => None,
            Self::V19 => Some("locked"),
        }
    }

    /// An order's state by Odoo's word for it.
    pub(crate) fn order_state(self, word: &str, locked: bool) -> Option<OrderState> {
        match (word, self) {
            ("draft", _) => Some(OrderState::Draft),
            ("sent", _) => Some(OrderState::Sent),
            ("to approve", _) => Some(OrderState::ToApprove),
            ("purchase", _) => Some(if locked {
                OrderState::Locked
            } else {
                OrderState::Confirmed
            }),
            ("done", Self::V17 | Self::V18) => Some(OrderState::Locked),
            ("cancel", _) => Some(OrderState::Cancelled),
            _ => None,
        }
    }

    /// The field of a transfer that Odoo refuses to have written once it is booked or cancelled. 17 refuses
    /// the operation type on open transfers too; 19 takes the planned date on booked ones.
    pub(crate) fn header_guard(self, guard: &Guard) -> (&'static str, Body) {
        match self {
            Self::V17 => ("scheduled_date", Body::text(&guard.scheduled)),
            Self::V18 | Self::V19 => ("picking_type_id", Body::Int(guard.operation_type)),
        }
    }

    /// The column of a move's description, which 19 does not have any more.
    pub(crate) fn move_name_column(self) -> Option<&'static str> {
        match self {
            Self::V17 | Self::V18 => Some("move_ids/name"),
            Self::V19 => None,
        }
    }

    /// Locations of things that are thrown away: 19 has none of its own for them.
    pub(crate) fn scrap_locations(self) -> serde_json::Value {
        match self {
            Self::V17 | Self::V18 => serde_json::json!([["scrap_location", "=", true]]),
            Self::V19 => serde_json::json!([["usage", "=", "inventory"]]),
        }
    }

    /// A bill's number; Odoo shows none before it is posted, and each version in its own way.
    pub(crate) fn bill_name(self, shown: &str) -> String {
        match self {
            Self::V17 | Self::V18 if shown == "/" => String::new(),
            Self::V17 | Self::V18 | Self::V19 => shown.to_owned(),
        }
    }

    /// What a bill has instead of a number.
    pub(crate) fn no_bill_number(self) -> Body {
        match self {
            Self::V17 => Body::text("/"),
            Self::V18 | Self::V19 => Body::Bool(false),
        }
    }

    /// The dates up to which a company's books are closed for bills; the last one only for bills with tax.
    pub(crate) fn bill_locks(self) -> (&'static [&'static str], &'static str) {
        let always: &[&str] = match self {
            Self::V17 => &["fiscalyear_lock_date", "period_lock_date"],
            Self::V18 | Self::V19 => &[
                "fiscalyear_lock_date",
                "purchase_lock_date",
                "hard_lock_date",
            ],
        };
        (always, "tax_lock_date")
    }

    /// What makes an item one that is kept in stock: columns and cells.
    pub(crate) fn storable_item(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::V17 => &[("detailed_type", "product")],
            Self::V18 | Self::V19 => &[("type", "consu"), ("is_storable", "1")],
        }
    }

    /// What finds those items again.
    pub(crate) fn stored_items(self) -> serde_json::Value {
        match self {
            Self::V17 => serde_json::json!(["detailed_type", "=", "product"]),
            Self::V18 | Self::V19 => serde_json::json!(["is_storable", "=", true]),
        }
    }

    /// The columns for the unit of an item: 19 buys in the unit that the order says.
    pub(crate) fn item_unit_columns(self) -> &'static [&'static str] {
        match self {
            Self::V17 | Self::V18 => &["uom_id/id", "uom_po_id/id"],
            Self::V19 => &["uom_id/id"],
        }
    }

    /// The setting that rounds quantities.
    pub(crate) fn quantity_setting(self) -> &'static str {
        match self {
            Self::V17 | Self::V18 => "Product Unit of Measure",
            Self::V19 => "Product Unit",
        }
    }

    /// Whether a unit of measure has a rounding of its own; on 19 it is that of all quantities.
    pub(crate) fn units_round(self) -> bool {
        match self {
            Self::V17 | Self::V18 => true,
            Self::V19 => false,
        }
    }

    /// Asks whether the user may do something with a model.
    pub(crate) fn may(self, operation: &'static str) -> Asked {
        match self {
            Self::V17 => Asked {
                method: "check_access_rights",
                ids: None,
                positional: Vec::new(),
                named: vec![
                    ("operation", Body::text(operation)),
                    ("raise_exception", Body::Bool(false)),
                ],
            },
            Self::V18 | Self::V19 => Asked {
                method: "has_access",
                ids: Some(Vec::new()),
                positional: Vec::new(),
                named: vec![("operation", Body::text(operation))],
            },
        }
    }

    /// Asks whether the user belongs to a group.
    pub(crate) fn belongs_to(self, user: i64, group: &'static str) -> Asked {
        match self {
            // By name the method's cache on 17 takes the group for a second value of its first argument.
            Self::V17 => Asked {
                method: "has_group",
                ids: None,
                positional: vec![Body::text(group)],
                named: Vec::new(),
            },
            Self::V18 | Self::V19 => Asked {
                method: "has_group",
                ids: Some(vec![user]),
                positional: Vec::new(),
                named: vec![("group_ext_id", Body::text(group))],
            },
        }
    }

    /// The digits of a field as `fields_get` shows them: `[16, 2]`, or `false` for "all of them".
    pub(crate) fn digits(self, shown: Option<&Json>) -> Option<u32> {
        match shown {
            Some(Json::Array(pair)) => pair
                .get(1)
                .and_then(Json::as_i64)
                .and_then(|digits| u32::try_from(digits).ok()),
            // 19 keeps a price as it was written and only shows fewer digits.
            Some(Json::Bool(false)) if self == Self::V19 => Some(crate::answer::PLACES),
            Some(
                Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Object(_),
            )
            | None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locked_order_is_one_on_every_version() {
        assert_eq!(
            Version::V17.order_state("done", false),
            Some(OrderState::Locked)
        );
        assert_eq!(
            Version::V19.order_state("purchase", true),
            Some(OrderState::Locked)
        );
        assert_eq!(Version::V19.order_state("done", false), None);
    }

    #[test]
    fn digits_that_are_not_told_are_not_guessed() {
        let pair = Json::Array(vec![Json::Number("16".into()), Json::Number("2".into())]);
        assert_eq!(Version::V17.digits(Some(&pair)), Some(2));
        assert_eq!(Version::V19.digits(Some(&Json::Bool(false))), Some(9));
        assert_eq!(Version::V18.digits(Some(&Json::Bool(false))), None);
        assert_eq!(Version::V19.digits(None), None);
    }

    #[test]
    fn later_versions_speak_as_nineteen_and_earlier_ones_are_refused() {
        assert_eq!(Version::of_major(20), Some(Version::V19));
        assert_eq!(Version::of_major(16), None);
    }
}
