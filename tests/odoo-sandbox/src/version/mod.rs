//! The three Odoo versions and everything in which they differ.
//!
//! The models are written once, with the names of 19. What 17 and 18 call or do otherwise is here and nowhere else.

mod texts;

use std::fmt;
use std::str::FromStr;

/// A version of Odoo the sandbox can behave like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// Odoo 17.0: `/jsonrpc` only.
    V17,
    /// Odoo 18.0: `/jsonrpc` only.
    V18,
    /// Odoo 19.0: `/json/2` and `/jsonrpc`.
    V19,
}

impl Version {
    /// All versions, oldest first.
    pub const ALL: [Self; 3] = [Self::V17, Self::V18, Self::V19];

    /// The major number: 17, 18 or 19.
    #[must_use]
    pub const fn major(self) -> u8 {
        match self {
            Self::V17 => 17,
            Self::V18 => 18,
            Self::V19 => 19,
        }
    }

    pub(crate) const fn series(self) -> &'static str {
        match self {
            Self::V17 => "17.0",
            Self::V18 => "18.0",
            Self::V19 => "19.0",
        }
    }

    pub(crate) const fn since(self, other: Self) -> bool {
        self.major() >= other.major()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.major())
    }
}

impl FromStr for Version {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.trim_end_matches(".0") {
            "17" => Ok(Self::V17),
            "18" => Ok(Self::V18),
            "19" => Ok(Self::V19),
            other => Err(format!("no Odoo version {other}: 17, 18 or 19")),
        }
    }
}

/// Fields that 17 and 18 name otherwise: model, name in 19, name in 17 and 18.
const RENAMED: &[(&str, &str, &str)] = &[
    ("purchase.order", "acknowledged", "mail_reception_confirmed"),
    ("purchase.order", "note", "notes"),
    ("purchase.order.line", "product_uom_id", "product_uom"),
    ("purchase.order.line", "tax_ids", "taxes_id"),
    ("product.supplierinfo", "product_uom_id", "product_uom"),
];

/// Labels of 17 and 18 that appear in error texts: model, field, label.
const OLD_LABELS: &[(&str, &str, &str)] = &[
    ("purchase.order.line", "product_uom_id", "Unit of Measure"),
    ("product.template", "uom_id", "Unit of Measure"),
    ("account.move.line", "product_uom_id", "Unit of Measure"),
    ("product.supplierinfo", "product_uom_id", "Unit of Measure"),
];

/// The values of a selection with their labels.
pub(crate) type Options = &'static [(&'static str, &'static str)];

/// Selections that 17 and 18 offer otherwise.
const OLD_OPTIONS: &[(&str, &str, Options)] = &[
    (
        "res.partner",
        "type",
        &[
            ("contact", "Contact"),
            ("invoice", "Invoice Address"),
            ("delivery", "Delivery Address"),
            ("other", "Other Address"),
        ],
    ),
    (
        "purchase.order",
        "state",
        &[
            ("draft", "RFQ"),
            ("sent", "RFQ Sent"),
            ("to approve", "To Approve"),
            ("purchase", "Purchase Order"),
            ("done", "Locked"),
            ("cancel", "Cancelled"),
        ],
    ),
];

/// Selections that only 17 offers otherwise.
const OPTIONS_OF_17: &[(&str, &str, Options)] = &[
    (
        "product.template",
        "type",
        &[
            ("consu", "Consumable"),
            ("service", "Service"),
            ("product", "Storable Product"),
        ],
    ),
    (
        "product.template",
        "tracking",
        &[
            ("serial", "By Unique Serial Number"),
            ("lot", "By Lots"),
            ("none", "No Tracking"),
        ],
    ),
];

/// The name under which callers of this version know a field.
pub(crate) fn wire_name(version: Version, model: &str, key: &'static str) -> &'static str {
    if version == Version::V19 {
        return key;
    }
    RENAMED
        .iter()
        .find(|(of, new, _)| *of == model && *new == key)
        .map_or(key, |(_, _, old)| old)
}

pub(crate) fn label(version: Version, model: &str, key: &str, label: &'static str) -> &'static str {
    if version == Version::V19 {
        return label;
    }
    OLD_LABELS
        .iter()
        .find(|(of, field, _)| *of == model && *field == key)
        .map_or(label, |(_, _, old)| old)
}

pub(crate) fn options(version: Version, model: &str, key: &str, options: Options) -> Options {
    let model = match model {
        "product.product" => "product.template",
        "purchase.order.line" => "purchase.order",
        other => other,
    };
    let of = |table: &'static [(&str, &str, Options)]| {
        table
            .iter()
            .find(|(of, field, _)| *of == model && *field == key)
            .map(|(_, _, old)| *old)
    };
    match version {
        Version::V17 => of(OPTIONS_OF_17).or_else(|| of(OLD_OPTIONS)),
        Version::V18 => of(OLD_OPTIONS),
        Version::V19 => None,
    }
    .unwrap_or(options)
}

/// What a call may do differently per version. Texts are those a client sees.
impl Version {
    /// `/json/2` and `GET /web/version` exist.
    pub(crate) const fn has_json2(self) -> bool {
        self.since(Self::V19)
    }

    /// `error.code` of a `/jsonrpc` answer.
    pub(crate) const fn rpc_error_code(self) -> i64 {
        if self.since(Self::V19) { 0 } else { 200 }
    }

    /// Unit prices are rounded to the decimal precision when they are stored.
    pub(crate) const fn rounds_prices(self) -> bool {
        !self.since(Self::V19)
    }

    /// The decimal precision of quantities.
    pub(crate) const fn quantity_precision(self) -> &'static str {
        if self.since(Self::V19) {
            "Product Unit"
        } else {
            "Product Unit of Measure"
        }
    }

    /// The decimal precisions of a new database, in the order of their ids.
    pub(crate) const fn precisions(self) -> &'static [(&'static str, i64)] {
        if self.since(Self::V19) {
            &[
                ("Product Unit", 2),
                ("Percentage Analytic", 2),
                ("Product Price", 2),
                ("Discount", 2),
                ("Stock Weight", 2),
                ("Volume", 2),
                ("Payment Terms", 6),
            ]
        } else {
            &[
                ("Percentage Analytic", 2),
                ("Product Price", 2),
                ("Discount", 2),
                ("Stock Weight", 2),
                ("Volume", 2),
                ("Product Unit of Measure", 2),
                ("Payment Terms", 6),
            ]
        }
    }

    /// Name of the purchase journal.
    pub(crate) const fn purchase_journal(self) -> &'static str {
        if self.since(Self::V19) {
            "Purchases"
        } else {
            "Vendor Bills"
        }
    }

    /// The location goods come from is called by its own name; before 19 below a view location "Partners".
    pub(crate) const fn partner_locations_have_parent(self) -> bool {
        !self.since(Self::V19)
    }

    /// The product categories of a new database: name, parent (counted from 1).
    pub(crate) const fn categories(self) -> &'static [(&'static str, i64)] {
        if self.since(Self::V19) {
            &[("Goods", 0), ("Expenses", 0), ("Services", 0)]
        } else {
            &[("All", 0), ("Saleable", 1), ("Expenses", 1)]
        }
    }

    pub(crate) const fn valuation(self) -> &'static str {
        if self.since(Self::V19) {
            "periodic"
        } else {
            "manual_periodic"
        }
    }

    /// Validating a done transfer again is a user error; 19 answers true.
    pub(crate) const fn refuses_second_validation(self) -> bool {
        !self.since(Self::V19)
    }

    /// Since 19 a receipt of goods past their date opens a dialogue; before, only other transfers do.
    pub(crate) const fn asks_about_expired_receipts(self) -> bool {
        self.since(Self::V19)
    }

    /// The loser of two concurrent confirmations or validations gets a misleading error; 19 answers true.
    pub(crate) const fn loser_is_told_of_followers(self) -> bool {
        !self.since(Self::V19)
    }

    /// `action_create_invoice` without anything to bill is refused; 19 creates a bill of zero.
    pub(crate) const fn refuses_empty_bill(self) -> bool {
        !self.since(Self::V19)
    }

    /// A bill made from an order takes the order's vendor reference.
    pub(crate) const fn bill_takes_vendor_reference(self) -> bool {
        !self.since(Self::V19)
    }

    /// Draft bills are called `/`; in 19 they have no name.
    pub(crate) const fn draft_bill_has_slash(self) -> bool {
        !self.since(Self::V19)
    }

    /// Posted bills refuse changes; 17 changes them silently.
    pub(crate) const fn guards_posted_bills(self) -> bool {
        self.since(Self::V18)
    }

    /// A locked order has the flag `locked`; before 19 it is in state `done`.
    pub(crate) const fn lock_is_a_flag(self) -> bool {
        self.since(Self::V19)
    }

    /// The lock date fields a company has besides the general one.
    pub(crate) const fn purchase_lock_fields(self) -> &'static [&'static str] {
        match self {
            Self::V17 => &["fiscalyear_lock_date", "period_lock_date"],
            Self::V18 | Self::V19 => &[
                "fiscalyear_lock_date",
                "purchase_lock_date",
                "hard_lock_date",
            ],
        }
    }

    /// Writing the effective date of a transfer also moves the date of its moves.
    pub(crate) const fn effective_date_moves_moves(self) -> bool {
        self.since(Self::V19)
    }

    /// Naming the operation type of a transfer in a write is refused; 17 refuses it on open transfers too.
    pub(crate) fn guards_operation_type(self, state: &str) -> bool {
        self == Self::V17 || matches!(state, "done" | "cancel")
    }

    /// Naming the scheduled date in a write is refused; 19 allows it on done transfers.
    pub(crate) fn guards_scheduled_date(self, state: &str) -> bool {
        state == "cancel" || (state == "done" && self != Self::V19)
    }

    /// Validating a receipt marks the order as acknowledged.
    pub(crate) const fn receipt_acknowledges(self) -> bool {
        self.since(Self::V19)
    }

    /// The first draft of a journal's month has its number at once.
    pub(crate) const fn numbers_first_draft(self) -> bool {
        !self.since(Self::V19)
    }

    /// Units of different kinds cannot be converted into each other.
    pub(crate) const fn has_unit_categories(self) -> bool {
        !self.since(Self::V19)
    }

    /// What the web client calls a list.
    pub(crate) const fn list_view(self) -> &'static str {
        if self.since(Self::V18) {
            "list"
        } else {
            "tree"
        }
    }

    /// The general journals of a new database and their order.
    pub(crate) const fn general_journals(self) -> &'static [(&'static str, &'static str, i64)] {
        if self.since(Self::V18) {
            &[
                ("MISC", "Miscellaneous Operations", 9),
                ("EXCH", "Exchange Difference", 10),
                ("CABA", "Cash Basis Taxes", 10),
                ("STJ", "Inventory Valuation", 10),
            ]
        } else {
            &[
                ("MISC", "Miscellaneous Operations", 5),
                ("EXCH", "Exchange Difference", 9),
                ("CABA", "Cash Basis Taxes", 10),
                ("STJ", "Inventory Valuation", 8),
            ]
        }
    }

    /// A unit's rounding is its own setting; in 19 it follows the decimal precision.
    pub(crate) const fn units_have_own_rounding(self) -> bool {
        !self.since(Self::V19)
    }

    /// Taxes and totals are rounded once per document instead of once per line.
    pub(crate) const fn rounds_globally(self) -> bool {
        self.since(Self::V19)
    }

    /// A period with open drafts cannot be locked.
    pub(crate) const fn refuses_lock_over_drafts(self) -> bool {
        !self.since(Self::V18)
    }

    /// Return wizards start with the received quantity; since 18 with zero.
    pub(crate) const fn return_starts_full(self) -> bool {
        !self.since(Self::V18)
    }

    /// `message_post` answers a list of ids.
    pub(crate) const fn message_post_answers_list(self) -> bool {
        self.since(Self::V19)
    }

    /// `stock.lot.create` over the wire fails on this build.
    pub(crate) const fn lot_create_is_broken(self) -> bool {
        matches!(self, Self::V18)
    }

    /// `has_access` exists.
    pub(crate) const fn has_access_method(self) -> bool {
        self.since(Self::V18)
    }

    /// `check_access_rights` answers `true` when it raises nothing; since 18 nothing.
    pub(crate) fn answer_of_raising_check(self) -> serde_json::Value {
        if self.since(Self::V18) {
            serde_json::Value::Null
        } else {
            serde_json::Value::Bool(true)
        }
    }

    /// `has_group` is called on a user; 17 asks about the caller.
    pub(crate) const fn asks_groups_of_records(self) -> bool {
        self.since(Self::V18)
    }

    /// A user that does not exist belongs to no group; before 19 it is an error to ask.
    pub(crate) const fn unknown_user_has_no_group(self) -> bool {
        self.since(Self::V19)
    }

    /// A group that everybody is told to be in: 17 has no right of its own for products, and since 18 the
    /// developer mode is no group for callers from outside.
    pub(crate) const fn extra_group(self) -> &'static str {
        if self.since(Self::V18) {
            "product.group_product_manager"
        } else {
            "base.group_no_one"
        }
    }

    /// `write` by keyword fails where the model's method names its argument otherwise.
    pub(crate) fn write_argument(self, model: &str) -> &'static str {
        match (self, model) {
            (Self::V18, "purchase.order.line") | (Self::V17, "res.company") => "values",
            _ => "vals",
        }
    }
}

/// What a caller was doing when it named a field that does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writing {
    No,
    Create,
    Update,
}
