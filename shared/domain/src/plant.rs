//! A plant as its `plant.yaml` describes it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::exception::{Code as ExceptionCode, Exception, OwnerRole};
use crate::fact::{Code, Currency};
use crate::identifier::{ExternalId, PlantCode};

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
    /// Due times.
    #[serde(default)]
    pub due: DueTimes,
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

/// How long a wait may last before somebody is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DueTimes {
    /// Hours that a fact may wait for the fact before it (a receipt for its order, an invoice for its receipt).
    pub predecessor_hours: u32,
}

impl Default for DueTimes {
    fn default() -> Self {
        // Five days: a weekend and a plant's holiday do not raise an alarm.
        Self {
            predecessor_hours: 120,
        }
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
