//! Where webhooks of plants may lead: nothing that is deployed lets them lead to our own machines.

use crate::report;
use crate::repository::{files, read};

/// Lets a plant of a test listen on this machine.
const SWITCH: &str = "INTERPLANT_WEBHOOK_LOOPBACK";

#[test]
fn only_the_local_cloud_lets_a_webhook_lead_to_this_machine() {
    let known = ["infra/local/cloud.py", "shared/runtime/src/settings.rs"];
    let ends = [
        ".rs", ".py", ".yaml", ".yml", ".toml", ".json", ".sh", "Makefile",
    ];
    let naming: Vec<String> = files()
        .into_iter()
        .filter(|path| !path.starts_with("tests/repo/"))
        .filter(|path| ends.iter().any(|end| path.ends_with(end)) && read(path).contains(SWITCH))
        .collect();
    for path in known {
        assert!(
            naming.iter().any(|naming| naming == path),
            "{path} does not name {SWITCH} any more: mend this test"
        );
    }
    let findings: Vec<String> = naming
        .into_iter()
        .filter(|path| !known.contains(&path.as_str()))
        .map(|path| format!("{path} names {SWITCH}"))
        .collect();
    report(
        "a webhook could lead to our own machines where it is deployed:",
        &findings,
    );
}
