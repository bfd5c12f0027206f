//! The rules of the house. Each test reads the repository as it lies there, names every place that breaks its rule and
//! says what to mend.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a repository that cannot be read fails the test; an index that a JSON value lacks gives null"
)]

mod asl;
mod audit;
mod crates;
mod failpoints;
mod files;
mod infrastructure;
mod names;
mod plants;
mod recovery;
mod repository;
mod runbooks;
mod source;
mod state_machines;
mod targets;
mod template;

/// Fails with every finding, not only with the first.
fn report(rule: &str, findings: &[String]) {
    assert!(
        findings.is_empty(),
        "{rule}\n  - {}\n",
        findings.join("\n  - ")
    );
}
