//! `interplant plant codes`: what the files of a plant need in Odoo and in plant.yaml.

use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::map::Which;
use crate::codes::Codes;
use crate::{Failure, plants, table};

/// Lists suppliers and items with the external ids that Odoo must have, units and tax codes with what they are there
#[derive(Debug, Args)]
pub(crate) struct CodesOfFiles {
    #[command(flatten)]
    which: Which,
    /// Print a file that Odoo's own import takes instead, one record for each code
    #[arg(long)]
    import: Option<Import>,
}

/// Records that Odoo can import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Import {
    Suppliers,
    Items,
}

impl CodesOfFiles {
    pub(crate) fn run(self, as_json: bool) -> Result<ExitCode, Failure> {
        let plant = plants::read_plant(&self.which.folder)?;
        let outcome = self.which.outcome()?;
        let mapped = &outcome.mapped;
        let data = mapped.made.iter().filter_map(|made| made.event.get("data"));
        let codes = Codes::of(&plant, data);
        if as_json {
            println!("{}", serde_json::to_string_pretty(&codes)?);
        } else if let Some(import) = self.import {
            print!("{}", records(&codes, import)?);
        } else {
            let ids = |what: &'static str, all: &BTreeMap<String, String>| {
                let rows = all
                    .iter()
                    .map(move |(code, id)| [what.to_owned(), code.clone(), id.clone()]);
                rows.collect::<Vec<_>>()
            };
            let configured = |what: &'static str, all: &BTreeMap<String, Option<String>>| {
                let rows = all.iter().map(move |(code, id)| {
                    let id = id.clone().unwrap_or_else(|| "not in plant.yaml".to_owned());
                    [what.to_owned(), code.clone(), id]
                });
                rows.collect::<Vec<_>>()
            };
            let rows = [
                ids("supplier", &codes.suppliers),
                ids("item", &codes.items),
                configured("unit", &codes.units),
                configured("tax code", &codes.taxes),
            ];
            table::print(["what", "code", "in Odoo"], rows.concat());
        }
        let (units, taxes) = codes.not_configured(&plant);
        let missing = units.len() + taxes.len();
        if missing > 0 || !mapped.not_made.is_empty() || !mapped.unread.is_empty() {
            // On the standard error: a file that is written of the rest stays one.
            let mut told = format!(
                "{missing} units and tax codes are not in plant.yaml; {} facts could not be made and {} rows not read, whose codes are not here",
                mapped.not_made.len(),
                mapped.unread.len()
            );
            for left in &outcome.left_out {
                told.push_str(&format!("\n{left}"));
            }
            return Err(told.into());
        }
        outcome.whole()?;
        Ok(ExitCode::SUCCESS)
    }
}

fn records(codes: &Codes, import: Import) -> Result<String, Failure> {
    let (number, all) = match import {
        Import::Suppliers => ("ref", &codes.suppliers),
        Import::Items => ("default_code", &codes.items),
    };
    let mut file = csv::Writer::from_writer(Vec::new());
    let told = |error: csv::Error| error.to_string();
    file.write_record(["id", "name", number]).map_err(told)?;
    for (code, id) in all {
        // The name is for a person to change.
        file.write_record([id, code, code]).map_err(told)?;
    }
    let bytes = file.into_inner().map_err(|error| error.to_string())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
