//! `interplant recovery-grid`: what happens when something breaks, and which tests show it.

use std::process::ExitCode;

use clap::Args;
use serde::{Deserialize, Serialize};

use crate::{Failure, table};

/// The one file that says it, for people and for tests.
const GRID: &str = include_str!("../../../docs/recovery-grid.yaml");

/// Prints what happens when something breaks, and whether tests show it
#[derive(Debug, Args)]
pub(crate) struct RecoveryGrid {
    /// Each cell with what happens and its tests, instead of the table
    #[arg(long)]
    tests: bool,
}

/// The grid.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Grid {
    troubles: Troubles<String>,
    flows: Vec<Flow>,
}

/// One of each kind of trouble.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Troubles<T> {
    odoo_down: T,
    plant_down: T,
    duplicate: T,
    out_of_order: T,
    malformed: T,
    partly_applied: T,
    poison: T,
}

impl<T> Troubles<T> {
    fn each(&self) -> [&T; 7] {
        [
            &self.odoo_down,
            &self.plant_down,
            &self.duplicate,
            &self.out_of_order,
            &self.malformed,
            &self.partly_applied,
            &self.poison,
        ]
    }
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Flow {
    name: String,
    cells: Troubles<Cell>,
}

/// What happens to a flow in trouble.
#[derive(Debug, Deserialize, Serialize)]
#[serde(untagged)]
enum Cell {
    Shown(Shown),
    Open { open: String },
    Waits { waits: String },
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Shown {
    what: String,
    tests: Vec<String>,
}

impl Cell {
    fn short(&self) -> String {
        match self {
            Self::Shown(shown) if shown.tests.len() == 1 => "1 test".to_owned(),
            Self::Shown(shown) => format!("{} tests", shown.tests.len()),
            Self::Open { .. } => "open".to_owned(),
            Self::Waits { .. } => "waits".to_owned(),
        }
    }
}

impl RecoveryGrid {
    pub(crate) fn run(&self, json: bool) -> Result<ExitCode, Failure> {
        let grid: Grid = serde_saphyr::from_str(GRID)
            .map_err(|error| format!("docs/recovery-grid.yaml: {error}"))?;
        if json {
            println!("{}", serde_json::to_string_pretty(&grid)?);
        } else if self.tests {
            in_full(&grid);
        } else {
            in_short(&grid);
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn in_short(grid: &Grid) {
    let [a, b, c, d, e, f, g] = grid.troubles.each().map(String::as_str);
    table::print(
        ["flow", a, b, c, d, e, f, g],
        grid.flows.iter().map(|flow| {
            let [a, b, c, d, e, f, g] = flow.cells.each().map(Cell::short);
            [flow.name.clone(), a, b, c, d, e, f, g]
        }),
    );
    println!(
        "`interplant recovery-grid --tests` says what happens in each cell, and names its tests."
    );
}

fn in_full(grid: &Grid) {
    for flow in &grid.flows {
        for (trouble, cell) in grid.troubles.each().into_iter().zip(flow.cells.each()) {
            println!("{}, {}", flow.name, trouble.to_lowercase());
            match cell {
                Cell::Shown(shown) => {
                    println!("  {}", shown.what);
                    for test in &shown.tests {
                        println!("  - {test}");
                    }
                }
                Cell::Open { open } => println!("  open: {open}"),
                Cell::Waits { waits } => println!("  waits: {waits}"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grid_is_read() {
        let grid: Grid = serde_saphyr::from_str(GRID).unwrap();
        assert_eq!(grid.flows.len(), 6);
    }
}
