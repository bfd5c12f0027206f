//! What only a local cloud may do: nothing that is deployed sends webhooks to our own machines, or takes tokens that
//! anybody can make.

use crate::report;
use crate::repository::{files, read};

/// What only a local cloud switches on: a plant of a test may listen on this machine, and whoever has the cloud's
/// own key may sign in.
const SWITCHES: [&str; 2] = [
    "INTERPLANT_WEBHOOK_LOOPBACK",
    "INTERPLANT_DEVELOPMENT_ISSUER",
];

#[test]
fn only_the_local_cloud_opens_webhooks_to_this_machine_and_takes_its_own_tokens() {
    let known = ["infra/local/cloud.py", "shared/runtime/src/settings.rs"];
    let ends = [
        ".rs", ".py", ".yaml", ".yml", ".toml", ".json", ".sh", "Makefile",
    ];
    let mut findings = Vec::new();
    for switch in SWITCHES {
        let naming: Vec<String> = files()
            .into_iter()
            .filter(|path| !path.starts_with("tests/repo/"))
            .filter(|path| {
                ends.iter().any(|end| path.ends_with(end)) && read(path).contains(switch)
            })
            .collect();
        for path in known {
            assert!(
                naming.iter().any(|naming| naming == path),
                "{path} does not name {switch} any more: mend this test"
            );
        }
        let others = naming
            .into_iter()
            .filter(|path| !known.contains(&path.as_str()));
        findings.extend(others.map(|path| format!("{path} names {switch}")));
    }
    report(
        "what only a local cloud may do could be done where it is deployed:",
        &findings,
    );
}
