//! The codes that facts name, and what they are in Odoo by the plant's configuration.

use std::collections::{BTreeMap, BTreeSet};

use interplant_domain::fact::Code;
use interplant_domain::plant::Plant;
use serde::Serialize;
use serde_json::Value;

/// Codes of a plant that Odoo or plant.yaml must know.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Codes {
    /// Suppliers with their external ids.
    pub(crate) suppliers: BTreeMap<String, String>,
    /// Items with their external ids.
    pub(crate) items: BTreeMap<String, String>,
    /// Units with what plant.yaml says they are; none where it says nothing.
    pub(crate) units: BTreeMap<String, Option<String>>,
    /// Tax codes, likewise.
    pub(crate) taxes: BTreeMap<String, Option<String>>,
}

impl Codes {
    /// The codes of facts.
    pub(crate) fn of<'f>(plant: &Plant, data: impl Iterator<Item = &'f Value>) -> Self {
        let mut found: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for data in data {
            gather(data, &mut found);
        }
        let named = |fields: &[&str]| -> BTreeSet<String> {
            let sets = fields.iter().filter_map(|field| found.get(field));
            sets.flatten().cloned().collect()
        };
        let known = |codes: BTreeSet<String>, configured: &BTreeMap<String, String>| {
            let pairs = codes.into_iter().map(|code| {
                let id = configured.get(&code).cloned();
                (code, id)
            });
            pairs.collect()
        };
        let ids = |codes: BTreeSet<String>, id: &dyn Fn(&Code) -> String| {
            let pairs = codes.into_iter().map(|code| {
                let id = id(&Code::new(&code));
                (code, id)
            });
            pairs.collect()
        };
        Self {
            suppliers: ids(named(&["supplierId"]), &|code| {
                plant.partner(code).to_string()
            }),
            items: ids(named(&["itemId", "substituteItem"]), &|code| {
                plant.item(code).to_string()
            }),
            units: known(named(&["uom"]), &plant.units),
            taxes: known(named(&["taxCode"]), &plant.taxes),
        }
    }

    /// Units and tax codes that plant.yaml says nothing of; a unit that it converts is known.
    pub(crate) fn not_configured(&self, plant: &Plant) -> (Vec<String>, Vec<String>) {
        let converts = |unit: &str| {
            plant
                .conversions
                .iter()
                .any(|one| one.from.as_str() == unit)
        };
        let missing = |codes: &BTreeMap<String, Option<String>>| -> Vec<String> {
            let missing = codes.iter().filter(|(_, id)| id.is_none());
            missing.map(|(code, _)| code.clone()).collect()
        };
        let mut units = missing(&self.units);
        units.retain(|unit| !converts(unit));
        (units, missing(&self.taxes))
    }
}

/// Fields whose text is a code.
const FIELDS: [&str; 5] = ["supplierId", "itemId", "substituteItem", "uom", "taxCode"];

fn gather(value: &Value, found: &mut BTreeMap<&'static str, BTreeSet<String>>) {
    match value {
        Value::Object(fields) => {
            for (name, below) in fields {
                let field = FIELDS.iter().find(|field| *field == name);
                match (field, below.as_str()) {
                    (Some(field), Some(code)) => {
                        found.entry(field).or_default().insert(code.to_owned());
                    }
                    _ => gather(below, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| gather(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
