//! The recovery grid names tests that there are.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::report;
use crate::repository::{files_in, read};
use crate::source::between;

const GRID: &str = "docs/recovery-grid.yaml";

/// Flows that this release carries out: what can break there is shown, or waits for a named thing.
const OURS: [&str; 4] = ["Supplier ASN", "PO create", "Receipt", "Invoice posting"];

fn tests() -> BTreeSet<String> {
    let files = files_in("", ".rs");
    let sources = files.iter().map(|path| read(path));
    sources
        .flat_map(|source| {
            let found = between(&source, "#[test]\nfn ", "()");
            found.into_iter().map(str::to_owned).collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn every_cell_of_the_recovery_grid_names_tests_that_exist_or_says_what_it_waits_for() {
    let grid: Value = serde_saphyr::from_str(&read(GRID)).unwrap();
    let tests = tests();
    let troubles: BTreeSet<_> = grid["troubles"].as_object().unwrap().keys().collect();
    let flows = grid["flows"].as_array().unwrap();
    assert_eq!(
        (troubles.len(), flows.len()),
        (7, 6),
        "{GRID}: six flows, seven troubles"
    );
    let mut findings = Vec::new();
    for flow in flows {
        let name = flow["name"].as_str().unwrap();
        let cells = flow["cells"].as_object().unwrap();
        if cells.keys().collect::<BTreeSet<_>>() != troubles {
            findings.push(format!("{name}: its cells are not those of `troubles`"));
        }
        for (trouble, cell) in cells {
            let place = format!("{name}, {trouble}");
            let named = cell["tests"].as_array().cloned().unwrap_or_default();
            let said = ["open", "waits"]
                .map(|word| cell[word].as_str().is_some_and(|why| !why.is_empty()));
            let shown = !named.is_empty() && cell["what"].as_str().is_some();
            if [shown, said[0], said[1]].iter().filter(|is| **is).count() != 1 {
                findings.push(format!(
                    "{place}: give `what` and `tests`, or `open`, or `waits`"
                ));
            }
            if said[0] == OURS.contains(&name) {
                findings.push(format!(
                    "{place}: a flow is `open` exactly if its lifecycle is not there"
                ));
            }
            for test in named.iter().filter_map(Value::as_str) {
                if !tests.contains(test) {
                    findings.push(format!("{place}: there is no test `{test}`"));
                }
            }
        }
    }
    report(&format!("{GRID}:"), &findings);
}
