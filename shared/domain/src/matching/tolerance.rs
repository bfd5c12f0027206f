//! Tolerances: proposals of ours, which each level of a plant's configuration may replace one by one.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::InvoiceSettings;
use crate::decimal::{Amount, Quantity};
use crate::fact::{Code, Day};
use crate::plant::BillRounding;

/// How much something may differ: a number, or `none` for no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit(pub Option<Decimal>);

impl Limit {
    /// No limit.
    pub const NONE: Self = Self(None);

    /// So many hundredths.
    #[must_use]
    pub fn hundredths(value: i64) -> Self {
        Self(Some(Decimal::new(value, 2).normalize()))
    }

    /// Whether a value is beyond it.
    #[must_use]
    pub fn exceeded(self, value: Decimal) -> bool {
        self.0.is_some_and(|limit| value > limit)
    }

    /// Whether a difference is more than so many percent of something. Of nothing, any difference is.
    #[must_use]
    pub fn exceeded_percent(self, difference: Decimal, of: Decimal) -> bool {
        // Without a division, so that the boundary is exact.
        self.0
            .is_some_and(|limit| difference * Decimal::ONE_HUNDRED > limit * of.abs())
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(limit) => limit.fmt(f),
            None => f.write_str("none"),
        }
    }
}

impl Serialize for Limit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == "none" {
            return Ok(Self::NONE);
        }
        Quantity::from_str(&text)
            .map(|value| Self(Some(value.decimal())))
            .map_err(|_| {
                serde::de::Error::custom(format!("`{text}` is neither a decimal number nor `none`"))
            })
    }
}

impl JsonSchema for Limit {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Limit".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string", "pattern": r"^(none|(0|[1-9][0-9]*)(\.[0-9]{1,6})?)$",
            "description": "A decimal number as text, or `none` for no limit.",
        })
    }
}

macro_rules! tolerances {
    ($($(#[doc = $doc:literal])* $field:ident = $default:expr;)*) => {
        /// Tolerances of one level; what is left out comes from the level above.
        #[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields, default)]
        pub struct Tolerances {
            $($(#[doc = $doc])* #[serde(skip_serializing_if = "Option::is_none")] pub $field: Option<Limit>,)*
        }

        /// The tolerances that hold for a line or an invoice.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        pub struct Resolved {
            $($(#[doc = $doc])* pub $field: Limit,)*
        }

        impl Default for Resolved {
            fn default() -> Self {
                Self { $($field: $default),* }
            }
        }

        impl Resolved {
            /// These, replaced by what a more specific level names.
            fn with(mut self, level: &Tolerances) -> Self {
                $(self.$field = level.$field.unwrap_or(self.$field);)*
                self
            }
        }
    };
}

tolerances! {
    /// Unit price above the order's, in percent. Both limits of the price must hold.
    price_over_percent = Limit::hundredths(200);
    /// Unit price above the order's, times quantity.
    price_over_amount = Limit::hundredths(5000);
    /// Unit price below the order's, in percent; beyond it is a warning.
    price_under_percent = Limit::hundredths(1000);
    /// What is invoiced of a line in all above its ordered value, in percent. Either limit fails.
    line_total_percent = Limit::hundredths(200);
    /// The same as an amount.
    line_total_amount = Limit::hundredths(25000);
    /// Quantity invoiced above what may be paid, in percent, of goods that are counted.
    quantity_percent = Limit::hundredths(0);
    /// The same of goods that are weighed or measured.
    bulk_quantity_percent = Limit::hundredths(100);
    /// Quantity invoiced above the quantity ordered, in percent, of goods that are counted.
    over_order_percent = Limit::hundredths(0);
    /// The same of goods that are weighed or measured.
    bulk_over_order_percent = Limit::hundredths(500);
    /// A charge above what was agreed, in percent. Both limits of the charge must hold.
    charge_percent = Limit::hundredths(1000);
    /// A charge above what was agreed, as an amount.
    charge_amount = Limit::hundredths(10000);
    /// Tax of a line against its code, as an amount, over and under.
    tax_line_amount = Limit::hundredths(5);
    /// Tax of the invoice against its codes, as an amount, over and under.
    tax_invoice_amount = Limit::hundredths(100);
    /// What is left of rounding on an invoice.
    small_difference_invoice = Limit::hundredths(100);
    /// The same of a supplier in a month.
    small_difference_month = Limit::hundredths(5000);
    /// All invoices of an order above its value, in percent. Both limits must hold.
    overbill_percent = Limit::hundredths(200);
    /// The same as an amount.
    overbill_amount = Limit::hundredths(50000);
    /// Totals of discount, charges and tax against what was expected, in percent; `none` compares nothing.
    totals_percent = Limit::NONE;
}

/// Settings of the three-way match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Matching {
    /// The company's own tolerances.
    pub company: Tolerances,
    /// By supplier.
    pub suppliers: BTreeMap<String, Tolerances>,
    /// By item group.
    pub item_groups: BTreeMap<String, Tolerances>,
    /// By item.
    pub items: BTreeMap<String, Tolerances>,
    /// By supplier and item: the most specific.
    pub supplier_items: Vec<SupplierItem>,
    /// The group of each item.
    pub groups: BTreeMap<String, String>,
    /// Items that are services: only price and value are compared.
    pub services: BTreeSet<String>,
    /// Whether charges count as part of the unit price.
    pub charges_in_unit: bool,
    /// Charges that nobody agreed on are accepted up to this amount, by code.
    pub unplanned_charges: BTreeMap<String, Amount>,
    /// The rate of each tax code, in percent; a tax without one is compared with Odoo's own.
    pub tax_rates: BTreeMap<String, Quantity>,
    /// Business days that an invoice waits for its goods before somebody is told.
    pub receipt_wait_days: u16,
    /// Days within which an invoice of the same supplier and amount counts as similar.
    pub similar_days: u16,
    /// Whether a similar invoice stops this one; else it is only noted in the match.
    pub hold_similar: bool,
    /// The month in which the fiscal year begins.
    pub fiscal_year_begins: u8,
    /// The last day of the closed periods.
    pub closed_until: Option<Day>,
    /// Above this amount at risk two people have to accept.
    pub two_people_above: Option<Amount>,
    /// Bank accounts that were approved, by supplier.
    pub bank_accounts: BTreeMap<String, BTreeSet<String>>,
}

/// Tolerances of one item of one supplier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SupplierItem {
    /// The supplier.
    pub supplier: Code,
    /// The item.
    pub item: Code,
    /// The tolerances.
    pub tolerances: Tolerances,
}

impl Default for Matching {
    fn default() -> Self {
        Self {
            company: Tolerances::default(),
            suppliers: BTreeMap::new(),
            item_groups: BTreeMap::new(),
            items: BTreeMap::new(),
            supplier_items: Vec::new(),
            groups: BTreeMap::new(),
            services: BTreeSet::new(),
            charges_in_unit: false,
            // Unplanned freight up to 50 is the usual courtesy between trading partners.
            unplanned_charges: BTreeMap::from([(
                "FREIGHT".to_owned(),
                Amount::from_decimal(Decimal::from(50)),
            )]),
            tax_rates: BTreeMap::new(),
            receipt_wait_days: 5,
            similar_days: 3,
            hold_similar: false,
            fiscal_year_begins: 1,
            closed_until: None,
            two_people_above: None,
            bank_accounts: BTreeMap::new(),
        }
    }
}

impl Matching {
    /// The tolerances of a supplier's item: company, supplier, item group, item, supplier and item; the most
    /// specific level that names a tolerance wins.
    #[must_use]
    pub fn resolve(&self, supplier: &Code, item: Option<&Code>) -> Resolved {
        let group = item
            .and_then(|item| self.groups.get(item.as_str()))
            .and_then(|group| self.item_groups.get(group));
        let both = self
            .supplier_items
            .iter()
            .find(|one| one.supplier == *supplier && Some(&one.item) == item)
            .map(|one| &one.tolerances);
        [
            Some(&self.company),
            self.suppliers.get(supplier.as_str()),
            group,
            item.and_then(|item| self.items.get(item.as_str())),
            both,
        ]
        .into_iter()
        .flatten()
        .fold(Resolved::default(), Resolved::with)
    }

    /// Settings of a supplier's invoice as a whole.
    #[must_use]
    pub fn invoice_settings(&self, supplier: &Code, rounding: BillRounding) -> InvoiceSettings {
        InvoiceSettings {
            tolerances: self.resolve(supplier, None),
            charges_in_unit: self.charges_in_unit,
            tax_rates: self.tax_rates.clone(),
            unplanned_charges: self.unplanned_charges.clone(),
            closed_until: self.closed_until,
            bank_accounts: self
                .bank_accounts
                .get(supplier.as_str())
                .cloned()
                .unwrap_or_default(),
            waits: self.receipt_wait_days > 0,
            similar_is_held: self.hold_similar,
            rounding,
        }
    }
}
