//! Replays recorded exchanges with real servers and compares answers and effects.
//!
//! Recorded ids and document numbers are those of another database: each is tied to the sandbox's own when it
//! first appears, and has to stay tied to it.

mod compare;
mod left_out;
mod race;
mod translate;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use interplant_odoo_sandbox::{Clock, Sandbox, SandboxOptions, Version};
use serde_json::{Value as Json, json};

use crate::client::{Client, request};
use compare::Pairs;
use translate::Recorded;

const FLOWS: [&str; 7] = [
    "a_auth_errors",
    "b_load",
    "c_purchase",
    "c2_receipt_move_lines",
    "i_concurrency",
    "j_idempotency",
    "l_misc_read_shapes",
];

/// Where the recordings are, when this machine has them.
fn recordings() -> Option<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors()
        .map(|root| root.join("../shared/odoo-contract/exchanges"))
        .find(|path| path.is_dir())
}

/// How much of a flow was compared.
#[derive(Debug, Default)]
struct Tally {
    recorded: usize,
    covered: usize,
    left_out: BTreeMap<&'static str, usize>,
    differences: Vec<String>,
}

fn options() -> SandboxOptions {
    SandboxOptions {
        clock: Clock::Fixed(jiff::civil::date(2026, 11, 23).at(4, 0, 0, 0)),
        ..SandboxOptions::default()
    }
}

fn replay(version: Version, flow: &str, lines: &str) -> Tally {
    let sandbox = Sandbox::start(version, options()).unwrap();
    let mut pairs = Pairs::new(&sandbox);
    let mut tally = Tally::default();
    prepare(&sandbox, version, flow, &mut pairs);
    let recorded: Vec<Json> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let mut at = 0;
    while at < recorded.len() {
        let line = &recorded[at];
        at += 1;
        tally.recorded += 1;
        if let Some(reason) = left_out::reason(&sandbox, version, flow, line) {
            *tally.left_out.entry(reason).or_default() += 1;
            continue;
        }
        let step = line["step"].as_str().unwrap_or_default();
        if let Some(other) = recorded
            .get(at)
            .filter(|other| race::belong_together(line, other))
        {
            at += 1;
            tally.recorded += 1;
            tally.covered += 2;
            tally.differences.extend(
                race::run(&sandbox, &mut pairs, line, other)
                    .into_iter()
                    .map(|text| format!("{step}: {text}")),
            );
            continue;
        }
        tally.covered += 1;
        let call = Recorded::new(line);
        if step.starts_with("race ") {
            race::set_the_stage(&sandbox, &mut pairs, &call, line);
        }
        let response = call.send(&sandbox, &pairs);
        for difference in compare::answers(&mut pairs, &call, line, &response) {
            tally.differences.push(format!("{step}: {difference}"));
        }
    }
    tally
}

/// What the recorded database already had, or what a flow did without recording it.
fn prepare(sandbox: &Sandbox, version: Version, flow: &str, pairs: &mut Pairs) {
    let admin = Client::admin(sandbox);
    // The month had bills already: before 19 the first draft of a month is numbered at once.
    if version != Version::V19 && !matches!(flow, "i_concurrency" | "own" | "sample") {
        let partner = admin.ok(
            "res.partner",
            "create",
            json!({"vals_list": [{"name": "Earlier"}]}),
        )[0]
        .clone();
        for kind in ["in_invoice", "entry"] {
            admin.ok(
                "account.move",
                "create",
                json!({"vals_list": [{"move_type": kind, "partner_id": partner}]}),
            );
        }
    }
    if flow == "i_concurrency" {
        race::prepare(&admin, pairs);
    }
}

#[test]
fn recorded_exchanges_are_answered_as_the_real_servers_did() {
    let Some(folder) = recordings() else {
        println!(
            "no recordings on this machine (../shared/odoo-contract): only the own samples are replayed"
        );
        return;
    };
    let mut failures = Vec::new();
    let mut total = (0, 0);
    for version in Version::ALL {
        for flow in FLOWS {
            let files = [flow.to_owned(), format!("{flow}_jsonrpc")];
            for name in files {
                let Ok(text) = fs::read_to_string(folder.join(format!("{version}/{name}.jsonl")))
                else {
                    continue;
                };
                let tally = replay(version, flow, &text);
                let equal = tally.covered.saturating_sub(tally.differences.len());
                println!(
                    "{version} {name:28} recorded {:3}  covered {:3}  equal {equal:3}",
                    tally.recorded, tally.covered
                );
                for (reason, count) in &tally.left_out {
                    println!("       left out {count:3}: {reason}");
                }
                total = (total.0 + tally.recorded, total.1 + tally.covered);
                failures.extend(
                    tally
                        .differences
                        .into_iter()
                        .map(|text| format!("{version} {name}: {text}")),
                );
            }
        }
    }
    println!("covered {} of {} recorded lines", total.1, total.0);
    assert!(
        failures.is_empty(),
        "{} differences\n{}",
        failures.len(),
        failures.join("\n")
    );
}

/// For developing: recordings of one's own, in the same form. Prints what differs and never fails.
#[test]
fn recordings_of_ones_own_are_compared_when_a_folder_is_named() {
    #[expect(clippy::disallowed_methods, reason = "a switch for developers")]
    let Ok(folder) = std::env::var("ODOO_SANDBOX_RECORDINGS") else {
        return;
    };
    for version in Version::ALL {
        for entry in fs::read_dir(Path::new(&folder).join(version.to_string()))
            .into_iter()
            .flatten()
            .flatten()
        {
            let tally = replay(version, "own", &fs::read_to_string(entry.path()).unwrap());
            println!(
                "{version} {}: recorded {} covered {} different {}",
                entry.path().display(),
                tally.recorded,
                tally.covered,
                tally.differences.len()
            );
            println!("{}", tally.differences.join("\n"));
        }
    }
}

#[test]
fn own_samples_are_answered_as_written_down() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    for version in Version::ALL {
        let Ok(text) = fs::read_to_string(folder.join(format!("{version}.jsonl"))) else {
            continue;
        };
        let tally = replay(version, "sample", &text);
        assert!(tally.covered > 0, "the sample of {version} covers nothing");
        assert!(
            tally.differences.is_empty(),
            "{version}: {}",
            tally.differences.join("\n")
        );
    }
}

#[test]
fn a_recording_that_differs_is_noticed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    let text = fs::read_to_string(folder.join("19.jsonl")).unwrap();
    for (recorded, changed) in [
        ("\"qty_received\":5.0", "\"qty_received\":6.0"),
        ("\"state\":\"posted\"", "\"state\":\"draft\""),
        ("must be in draft.", "must be posted."),
        ("\"receipt_status\":\"partial\"", "\"receipt_status\":false"),
        ("\"status\":422", "\"status\":200"),
    ] {
        assert!(text.contains(recorded), "{recorded}");
        let tally = replay(Version::V19, "sample", &text.replace(recorded, changed));
        assert!(
            !tally.differences.is_empty(),
            "{recorded} was changed to {changed}"
        );
    }
}

/// Whether the sandbox has a model.
fn has_model(sandbox: &Sandbox, model: &str) -> bool {
    request(
        &sandbox.url(),
        "GET",
        &format!("/_sandbox/records/{model}"),
        &[],
        "",
    )
    .is_ok_and(|response| response.status == 200)
}
