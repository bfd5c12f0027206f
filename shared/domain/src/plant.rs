//! A plant as its `plant.yaml` describes it.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::decimal::{Amount, Quantity};
use crate::exception::{Code as ExceptionCode, Exception, OwnerRole};
use crate::fact::{AckStatus, Code, CodeList, Currency, Day};
use crate::identifier::{ExternalId, PlantCode};
use crate::matching::Matching;

/// Everything Interplant knows about a plant; no plant is known to the code in any other way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plant {
    /// The plant's code, as in `source` and in the header `interplant-plant`.
    #[schemars(with = "String")]
    pub plant: PlantCode,
    /// What people call it.
    pub name: String,
    /// Where its documents live in Odoo.
    pub odoo: OdooPlace,
    /// The plant's units, each with the external id of the unit in Odoo.
    pub units: BTreeMap<String, String>,
    /// The plant's tax codes, each with the external id of the tax in Odoo.
    #[serde(default)]
    pub taxes: BTreeMap<String, String>,
    /// Exact conversions between units: of one item, or of all.
    #[serde(default)]
    pub conversions: Vec<Conversion>,
    /// Items in Odoo by which a bill's lines are booked that no order line has.
    #[serde(default)]
    pub charges: ChargeItems,
    /// What suppliers may change by their acknowledgement without a person's decision.
    #[serde(default)]
    pub acknowledgement: AckTolerances,
    /// What may come more or less than was ordered.
    #[serde(default)]
    pub receipts: ReceiptTolerances,
    /// Tolerances and settings of the three-way match.
    #[serde(default)]
    pub matching: Matching,
    /// Due times.
    #[serde(default)]
    pub due: DueTimes,
    /// How people deal with exceptions.
    #[serde(default, skip_serializing_if = "ExceptionRules::is_default")]
    pub exceptions: ExceptionRules,
    /// How the plant is told of orders, changes and master data.
    #[serde(default)]
    pub outbox: Outbox,
    /// Who decides exceptions: a person or a mailbox for each role.
    pub owners: BTreeMap<OwnerRole, String>,
}

/// A plant's place in Odoo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OdooPlace {
    /// Name of the Odoo connection; its address and key are in the secret `<prefix>/odoo/<database>`.
    #[schemars(regex(pattern = "^[a-z0-9-]{2,40}$"))]
    pub database: String,
    /// External id of the company.
    #[serde(default = "default_company")]
    pub company: String,
    /// External id of the operation type by which goods come in.
    #[serde(default = "default_receipt_type")]
    pub receipt_type: String,
    /// External ids of suppliers are this and the supplier's code.
    #[serde(default = "default_partners")]
    pub partners: String,
    /// External ids of items are this and the item's code.
    #[serde(default = "default_items")]
    pub items: String,
    /// How the company's Odoo rounds a bill: Settings > Accounting > Taxes > Rounding Method.
    #[serde(default)]
    pub rounding: BillRounding,
    /// External id of the operation type by which goods move inside the plant.
    #[serde(default = "default_internal_type")]
    pub internal_type: String,
    /// External id of the location that goods come into.
    #[serde(default = "default_stock")]
    pub stock_location: String,
    /// External id of the location where goods wait for an inspection, beside stock and not below it.
    #[serde(default = "default_hold")]
    pub hold_location: String,
    /// What people make in Odoo itself that is followed here: nothing, unless it is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watch: Option<Watch>,
}

/// What people make in Odoo itself that Interplant takes up. The plant's company and operation type for
/// receipts say which orders are the plant's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Watch {
    /// Purchase orders that were confirmed in Odoo on this day or later, by UTC, are taken up.
    pub purchase_orders_since: Day,
    /// How many seconds a change may take in Odoo from its beginning until others see it; 10 to 600.
    #[serde(default = "default_overlap")]
    #[schemars(range(min = 10, max = 600))]
    pub overlap_seconds: u16,
    /// The codes that are used where several units or taxes of the plant are one in Odoo.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub codes: BTreeSet<String>,
}

fn default_overlap() -> u16 {
    60
}

fn default_company() -> String {
    "base.main_company".to_owned()
}
fn default_receipt_type() -> String {
    "stock.picking_type_in".to_owned()
}
fn default_partners() -> String {
    "interplant.partner".to_owned()
}
fn default_items() -> String {
    "interplant.item".to_owned()
}

/// Where an Odoo rounds the lines of a bill to cents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BillRounding {
    /// Each line: "Round per Line", as 17 and 18 come.
    EachLine,
    /// Their sum: "Round Globally", as 19 comes.
    #[default]
    Sum,
}

fn default_internal_type() -> String {
    "stock.picking_type_internal".to_owned()
}
fn default_stock() -> String {
    "stock.stock_location_stock".to_owned()
}
fn default_hold() -> String {
    "interplant.location_quality_hold".to_owned()
}

/// So many of one unit are so many of another, exactly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Conversion {
    /// The item; none means every item that has no conversion of its own.
    #[serde(default)]
    pub item: Option<Code>,
    /// The unit that is converted.
    pub from: Code,
    /// The unit that it becomes.
    pub to: Code,
    /// How many of `to` are one of `from`.
    pub factor: Quantity,
}

/// Items in Odoo for charges, by external id: the item says the account.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ChargeItems {
    /// For each code of a charge.
    pub items: BTreeMap<String, String>,
    /// For small differences between a supplier's total and the sum of its lines.
    pub small_differences: Option<String>,
}

/// What a supplier may change by its acknowledgement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AckTolerances {
    /// More or less of the ordered quantity, in percent.
    pub quantity_percent: Quantity,
    /// Above the ordered price, in percent; a lower price is always taken.
    pub price_percent: Quantity,
    /// Days later than the plant needs it; an earlier day is always taken.
    pub days_late: u16,
    /// What a supplier's code means where it differs from the standard: by supplier, or `*` for all, then
    /// by list (`x12-668`), then by code.
    pub codes: BTreeMap<String, BTreeMap<CodeList, BTreeMap<String, AckStatus>>>,
}

impl Default for AckTolerances {
    fn default() -> Self {
        Self {
            quantity_percent: Quantity::ZERO,
            price_percent: Quantity::ZERO,
            // A week: what comes later is the buyer's business.
            days_late: 7,
            codes: BTreeMap::new(),
        }
    }
}

/// What may come more or less than was ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ReceiptTolerances {
    /// Units that are weighed or measured, not counted.
    pub bulk_units: BTreeSet<String>,
    /// Percent that may come more, of goods that are counted.
    pub over_percent: Quantity,
    /// Percent that may be missing for a line to count as complete, of goods that are counted.
    pub under_percent: Quantity,
    /// Percent that may come more, of goods that are weighed or measured.
    pub bulk_over_percent: Quantity,
    /// Percent that may be missing, of goods that are weighed or measured.
    pub bulk_under_percent: Quantity,
    /// Items that always wait for an inspection when they come in.
    pub inspected_items: BTreeSet<String>,
    /// Suppliers whose goods always wait for an inspection.
    pub inspected_suppliers: BTreeSet<String>,
}

impl Default for ReceiptTolerances {
    fn default() -> Self {
        let five = Quantity::from_decimal(rust_decimal::Decimal::from(5));
        Self {
            bulk_units: BTreeSet::new(),
            over_percent: Quantity::ZERO,
            under_percent: Quantity::ZERO,
            bulk_over_percent: five,
            bulk_under_percent: Quantity::ZERO,
            inspected_items: BTreeSet::new(),
            inspected_suppliers: BTreeSet::new(),
        }
    }
}

impl ReceiptTolerances {
    /// How much may come more than this quantity.
    #[must_use]
    pub fn over(&self, uom: &Code, ordered: Quantity) -> Quantity {
        percent_of(self.percents(uom).0, ordered)
    }

    /// How much of this quantity may be missing.
    #[must_use]
    pub fn under(&self, uom: &Code, ordered: Quantity) -> Quantity {
        percent_of(self.percents(uom).1, ordered)
    }

    /// Whether goods of a supplier wait for an inspection when they come in.
    #[must_use]
    pub fn inspects(&self, supplier: &Code, item: &Code) -> bool {
        self.inspected_suppliers.contains(supplier.as_str())
            || self.inspected_items.contains(item.as_str())
    }

    fn percents(&self, uom: &Code) -> (Quantity, Quantity) {
        if self.bulk_units.contains(uom.as_str()) {
            (self.bulk_over_percent, self.bulk_under_percent)
        } else {
            (self.over_percent, self.under_percent)
        }
    }
}

/// So many percent of a quantity, exactly.
#[must_use]
pub fn percent_of(percent: Quantity, of: Quantity) -> Quantity {
    let hundred = rust_decimal::Decimal::ONE_HUNDRED;
    Quantity::from_decimal(percent.decimal() * of.decimal() / hundred)
}

/// How long a wait may last before somebody is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DueTimes {
    /// Hours that a fact may wait for the fact before it (a receipt for its order, an invoice for its receipt).
    pub predecessor_hours: u32,
    /// Hours that a supplier has to acknowledge an order.
    pub acknowledgement_hours: u32,
}

impl Default for DueTimes {
    fn default() -> Self {
        // Five days: a weekend and a plant's holiday do not raise an alarm.
        Self {
            predecessor_hours: 120,
            acknowledgement_hours: 72,
        }
    }
}

/// How people deal with exceptions.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ExceptionRules {
    /// An amendment that moves more money than this has to be approved by a second person, in the document's
    /// currency. Another payee, account, supplier or currency always has to be.
    pub amend_two_people_above: Amount,
    /// To whom an exception goes that is past its due time: a person or a mailbox for each role.
    pub escalation: BTreeMap<OwnerRole, String>,
}

impl ExceptionRules {
    /// Whether nothing is said of it.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// How a plant is told of orders, changes and master data. It can always ask for them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Outbox {
    /// Where they are sent, if they are.
    pub webhook: Option<Webhook>,
    /// Hours that a partner has to acknowledge an interchange: by X12 997, or by CONTRL.
    pub acknowledgment_hours: u32,
}

impl Default for Outbox {
    fn default() -> Self {
        Self {
            webhook: None,
            // Acknowledgments are written by machines; a night may lie between two runs.
            acknowledgment_hours: 24,
        }
    }
}

/// An address that takes signed events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// The address: https, a host of the open Internet.
    pub url: String,
    /// Id of the key by which they are signed, under `webhook` in the plant's secret.
    pub secret: String,
    /// Types of events that are sent, such as `po.created`; all when there are none. The others wait until
    /// the plant asks for them.
    #[serde(default)]
    pub events: BTreeSet<String>,
}

impl Webhook {
    /// Whether events of a type are sent.
    #[must_use]
    pub fn sends(&self, event_type: &str) -> bool {
        self.events.is_empty()
            || self.events.contains(event_type)
            || self.events.contains(short_type(event_type))
    }
}

/// A type of events as configuration names it: without `interplant.` and the version.
#[must_use]
pub fn short_type(event_type: &str) -> &str {
    let name = event_type.strip_prefix("interplant.").unwrap_or(event_type);
    match name.rsplit_once(".v") {
        Some((name, version)) if version.bytes().all(|byte| byte.is_ascii_digit()) => name,
        Some(_) | None => name,
    }
}

impl Plant {
    /// The supplier's external id in Odoo.
    #[must_use]
    pub fn partner(&self, supplier: &Code) -> ExternalId {
        ExternalId::configured(self.odoo.partners.clone()).numbered(supplier.as_str())
    }

    /// The item's external id in Odoo.
    #[must_use]
    pub fn item(&self, item: &Code) -> ExternalId {
        ExternalId::configured(self.odoo.items.clone()).numbered(item.as_str())
    }

    /// The supplier's code, by the external ids and the reference that a partner has in Odoo.
    ///
    /// An external id cannot be read backwards where it had to be shortened: the reference has to give it.
    #[must_use]
    pub fn supplier_of(&self, ids: &[ExternalId], reference: Option<&str>) -> Option<Code> {
        code_of(&self.odoo.partners, ids, reference)
    }

    /// The item's code, by the external ids and the internal reference that a product has in Odoo.
    #[must_use]
    pub fn item_of(&self, ids: &[ExternalId], reference: Option<&str>) -> Option<Code> {
        code_of(&self.odoo.items, ids, reference)
    }

    /// The plant's unit, by the external ids of one in Odoo.
    ///
    /// # Errors
    /// In words, when no unit of the plant is it, or several are.
    pub fn unit_of(&self, ids: &[ExternalId]) -> Result<Code, String> {
        self.listed_as(&self.units, "units", ids)
    }

    /// The plant's tax code, by the external ids of a tax in Odoo.
    ///
    /// # Errors
    /// In words, when no tax code of the plant is it, or several are.
    pub fn tax_of(&self, ids: &[ExternalId]) -> Result<Code, String> {
        self.listed_as(&self.taxes, "taxes", ids)
    }

    fn listed_as(
        &self,
        list: &BTreeMap<String, String>,
        what: &str,
        ids: &[ExternalId],
    ) -> Result<Code, String> {
        let fitting: Vec<&String> = list
            .iter()
            .filter(|(_, id)| ids.iter().any(|one| one.as_str() == *id))
            .map(|(code, _)| code)
            .collect();
        let preferred = self.odoo.watch.as_ref().map(|watch| &watch.codes);
        let mut chosen = fitting
            .iter()
            .filter(|code| preferred.is_some_and(|codes| codes.contains(**code)));
        match (fitting.as_slice(), chosen.next(), chosen.next()) {
            ([only], _, _) => Ok(Code::new(only)),
            ([], _, _) => Err(format!(
                "is none of the plant's {what}: add it to plant.yaml"
            )),
            (_, Some(only), None) => Ok(Code::new(only)),
            (several, _, _) => Err(format!(
                "is several of the plant's {what} ({}): name the one that is meant under odoo.watch.codes of plant.yaml",
                several
                    .iter()
                    .map(|code| code.as_str())
                    .collect::<Vec<_>>()
                    .join(", ")
            )),
        }
    }

    /// The unit's external id in Odoo.
    ///
    /// # Errors
    /// `UNKNOWN_CODE` when the plant's configuration does not list the unit.
    pub fn unit(&self, unit: &Code) -> Result<ExternalId, Exception> {
        self.configured(&self.units, "unit", unit)
    }

    /// The tax's external id in Odoo.
    ///
    /// # Errors
    /// `UNKNOWN_CODE` when the plant's configuration does not list the tax.
    pub fn tax(&self, tax: &Code) -> Result<ExternalId, Exception> {
        self.configured(&self.taxes, "tax code", tax)
    }

    /// A quantity in another unit, exactly.
    ///
    /// # Errors
    /// `UNIT_CONVERSION` when there is no conversion, or none without rounding.
    pub fn convert(
        &self,
        item: &Code,
        quantity: Quantity,
        from: &Code,
        to: &Code,
    ) -> Result<Quantity, Exception> {
        let fails = |why: &str| {
            Exception::new(
                ExceptionCode::UnitConversion,
                format!("{quantity} {from} of item {item} cannot be given in {to}: {why}"),
            )
        };
        let (numerator, denominator) = self
            .factor(item, from, to)
            .ok_or_else(|| fails("the plant's configuration has no such conversion"))?;
        let product = quantity.decimal() * numerator.decimal();
        let converted = product / denominator.decimal();
        // A factor that does not divide without rest would lose goods.
        if converted * denominator.decimal() != product
            || converted.normalize().scale() as usize > Quantity::PLACES
        {
            return Err(fails("it would have to be rounded"));
        }
        Ok(Quantity::from_decimal(converted))
    }

    /// How many of one unit are one of another, as a fraction: an item's own conversion before the general.
    #[must_use]
    pub fn factor(&self, item: &Code, from: &Code, to: &Code) -> Option<(Quantity, Quantity)> {
        let one = Quantity::count(1);
        if from == to {
            return Some((one, one));
        }
        let of = |item: Option<&Code>| {
            self.conversions
                .iter()
                .filter(|conversion| conversion.item.as_ref() == item)
                .find_map(|conversion| {
                    let factor = conversion.factor;
                    if !factor.is_positive() {
                        None
                    } else if conversion.from == *from && conversion.to == *to {
                        Some((factor, one))
                    } else if conversion.from == *to && conversion.to == *from {
                        Some((one, factor))
                    } else {
                        None
                    }
                })
        };
        of(Some(item)).or_else(|| of(None))
    }

    /// The item of a charge in Odoo.
    ///
    /// # Errors
    /// `UNKNOWN_CODE` when the plant's configuration does not list the charge.
    pub fn charge_item(&self, charge: &Code) -> Result<ExternalId, Exception> {
        self.configured(&self.charges.items, "charge", charge)
    }

    /// The item of small differences in Odoo.
    ///
    /// # Errors
    /// `UNKNOWN_CODE` when the plant's configuration does not name it.
    pub fn small_difference_item(&self) -> Result<ExternalId, Exception> {
        let item = self.charges.small_differences.clone();
        item.map(ExternalId::configured).ok_or_else(|| {
            Exception::new(
                ExceptionCode::UnknownCode,
                format!(
                    "the configuration of plant {} names no item for small differences (charges.small_differences)",
                    self.plant
                ),
            )
        })
    }

    /// The currency's external id in Odoo.
    #[must_use]
    pub fn currency(currency: &Currency) -> ExternalId {
        ExternalId::configured(format!("base.{}", currency.as_str()))
    }

    fn configured(
        &self,
        list: &BTreeMap<String, String>,
        what: &str,
        code: &Code,
    ) -> Result<ExternalId, Exception> {
        list.get(code.as_str())
            .map(|id| ExternalId::configured(id.clone()))
            .ok_or_else(|| {
                Exception::new(
                    ExceptionCode::UnknownCode,
                    format!(
                        "the {what} `{code}` is not in the configuration of plant {}",
                        self.plant
                    ),
                )
            })
    }
}

/// The code of which the external id is one of these; the reference is tried first, then what follows the
/// prefix as it is.
fn code_of(prefix: &str, ids: &[ExternalId], reference: Option<&str>) -> Option<Code> {
    let prefix = ExternalId::configured(prefix.to_owned());
    let tails = ids
        .iter()
        .filter_map(|id| id.as_str().strip_prefix(prefix.as_str())?.strip_prefix('_'));
    reference
        .into_iter()
        .chain(tails)
        .map(Code::new)
        .find(|code| ids.contains(&prefix.numbered(code.as_str())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(list: &[&str]) -> Vec<ExternalId> {
        list.iter()
            .map(|id| ExternalId::configured((*id).to_owned()))
            .collect()
    }

    #[test]
    fn a_code_is_found_by_an_external_id_only_when_that_id_is_its_own() {
        let prefix = "interplant.plant_a_item";
        let of = |code: &str| ExternalId::configured(prefix.to_owned()).numbered(code);
        assert_eq!(
            code_of(prefix, &[of("4711")], None),
            Some(Code::new("4711"))
        );
        // A slug says nothing about capitals and blanks: the reference has to.
        assert_eq!(code_of(prefix, &[of("GEAR 7")], None), None);
        assert_eq!(
            code_of(prefix, &[of("GEAR 7")], Some("GEAR 7 ")),
            Some(Code::new("GEAR 7"))
        );
        assert_eq!(code_of(prefix, &[of("GEAR 7")], Some("GEAR 8")), None);
        // Another plant's id of the same record is no code of this one.
        let other = ids(&["interplant.plant_b_item_4711", "__import__.x"]);
        assert_eq!(code_of(prefix, &other, Some("4711")), None);
    }
}
