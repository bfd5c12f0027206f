//! Failpoints kill a process on demand: nothing that is released may have them.

use std::collections::BTreeSet;

use crate::report;
use crate::repository::{Package, files, packages, read};
use crate::source::{between, product};

const FEATURE: &str = "failpoints";

/// Everything that is on when a package is built without any `--features`.
fn by_default(package: &Package) -> BTreeSet<&str> {
    let mut found = BTreeSet::new();
    let mut open = vec!["default"];
    while let Some(feature) = open.pop() {
        if found.insert(feature) {
            open.extend(
                package
                    .features
                    .get(feature)
                    .into_iter()
                    .flatten()
                    .map(String::as_str),
            );
        }
    }
    found
}

#[test]
fn no_package_has_failpoints_unless_it_is_asked_for_them() {
    let packages = packages();
    let runtime = packages
        .iter()
        .find(|package| package.name == "interplant-runtime")
        .unwrap();
    assert!(
        runtime.features.contains_key(FEATURE),
        "interplant-runtime has no feature `{FEATURE}` any more: mend this test"
    );
    let mut findings = Vec::new();
    for package in &packages {
        if by_default(package)
            .iter()
            .any(|feature| feature.contains(FEATURE))
        {
            findings.push(format!(
                "{}: default features turn failpoints on",
                package.name
            ));
        }
        let asking = package
            .dependencies
            .iter()
            .filter(|dependency| dependency.features.iter().any(|feature| feature == FEATURE));
        findings.extend(asking.map(|dependency| {
            format!(
                "{}: its dependency {} turns failpoints on for everybody",
                package.name, dependency.name
            )
        }));
    }
    report("failpoints are on without being asked for:", &findings);
}

#[test]
fn nothing_that_builds_a_release_turns_failpoints_on() {
    let mut findings = Vec::new();
    for path in files() {
        let builds = path.ends_with("Cargo.toml") && !path.contains('/')
            || path.starts_with(".cargo/")
            || path.starts_with("infra/")
            || path == "samconfig.toml";
        if builds && read(&path).contains(FEATURE) {
            findings.push(format!("{path} names `{FEATURE}`"));
        }
    }
    let makefile = read("Makefile");
    let recipes = makefile.lines().filter(|line| {
        line.starts_with('\t')
            && (line.contains("$(FAILPOINTS)")
                || line.contains("--features") && line.contains(FEATURE))
    });
    // A folder of their own keeps them from being packaged by accident.
    let mixed = recipes.filter(|line| !line.contains("--target-dir $(TEST_TARGET)"));
    findings.extend(mixed.map(|line| {
        format!(
            "Makefile: `{}` builds with failpoints into the ordinary folder",
            line.trim()
        )
    }));
    report("failpoints could be released:", &findings);
}

#[test]
fn a_failpoint_is_nothing_without_the_feature() {
    let code: String = product(&read("shared/runtime/src/failpoint.rs"))
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    let gate = format!("#[cfg(feature = \"{FEATURE}\")]");
    let body = between(&code, "macro_rules! failpoint { ($name:literal) => {", "};");
    assert_eq!(
        body.iter().map(|body| body.trim()).collect::<Vec<_>>(),
        [format!("{gate} $crate::failpoint::pass($name);")],
        "the macro must hold one gated call and nothing else"
    );
    let body = between(&code, "($name:literal, $lifecycle:expr) => {", "}; }");
    assert_eq!(
        body.iter().map(|body| body.trim()).collect::<Vec<_>>(),
        [format!(
            "{gate} {{ $crate::failpoint::pass($name); $crate::failpoint::pass_of($name, $lifecycle); }}"
        )],
        "the macro of one lifecycle must hold one gated block and nothing else"
    );
    for function in ["pub fn pass(", "pub fn pass_of(", "fn folder("] {
        assert!(
            code.contains(&format!("{gate} {function}")),
            "`{function}` must be behind the feature, so that no release holds it"
        );
    }
    assert_eq!(
        code.matches("fn ").count(),
        3,
        "shared/runtime/src/failpoint.rs has another function: is it behind the feature?"
    );
}

#[test]
fn every_package_with_failpoints_hands_the_feature_on() {
    let mut names = BTreeSet::new();
    let mut findings = Vec::new();
    for package in packages()
        .iter()
        .filter(|package| !package.folder().starts_with("tests/"))
    {
        let sources = files().into_iter().filter(|path| {
            path.starts_with(&format!("{}/src/", package.folder())) && path.ends_with(".rs")
        });
        for path in sources {
            for name in between(&product(&read(&path)), "failpoint!(\"", "\"") {
                if !names.insert(name.to_owned()) {
                    findings.push(format!(
                        "{path}: the name `{name}` is taken: a test could not tell the two apart"
                    ));
                }
                let hands_on = package.features.get(FEATURE).is_some_and(|on| {
                    package.name == "interplant-runtime"
                        || on
                            .iter()
                            .any(|feature| feature == "interplant-runtime/failpoints")
                });
                if !hands_on {
                    findings.push(format!(
                        "{}/Cargo.toml needs `failpoints = [\"interplant-runtime/failpoints\"]` for `{name}`",
                        package.folder()
                    ));
                }
            }
        }
    }
    assert!(!names.is_empty(), "no failpoint! found: mend this test");
    report("failpoints that no test can reach:", &findings);
}
