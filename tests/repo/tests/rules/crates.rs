//! Packages: who may depend on whom, and what every one of them inherits.

use std::collections::{BTreeMap, BTreeSet};

use crate::report;
use crate::repository::{Package, files, packages, read};
use crate::source::{has_word, product};

/// Words that say nothing about what is inside.
const DRAWERS: [&str; 10] = [
    "common",
    "commons",
    "helper",
    "helpers",
    "manager",
    "managers",
    "misc",
    "util",
    "utils",
    "utilities",
];

const MAPPING: &str = "interplant-mapping";
const DOMAIN: &str = "interplant-domain";
const ODOO: &str = "interplant-odoo";
const RUNTIME: &str = "interplant-runtime";
const SANDBOX: &str = "interplant-odoo-sandbox";

fn is_aws_sdk(name: &str) -> bool {
    name == "aws-config"
        || name == "aws-types"
        || name.starts_with("aws-sdk-")
        || name.starts_with("aws-smithy-")
}

/// Which of our own packages a package may build on.
fn may_use(package: &Package) -> Option<&'static [&'static str]> {
    match package.folder().as_str() {
        "shared/domain" | "tests/odoo-sandbox" => Some(&[]),
        "shared/mapping" | "shared/odoo" => Some(&[DOMAIN]),
        "shared/runtime" => Some(&[DOMAIN, MAPPING, ODOO]),
        // The demo brings an Odoo of its own along.
        "cli" => Some(&[DOMAIN, MAPPING, ODOO, RUNTIME, SANDBOX]),
        folder if folder.starts_with("functions/") => Some(&[DOMAIN, MAPPING, ODOO, RUNTIME]),
        folder if folder.starts_with("tests/") => {
            Some(&[DOMAIN, MAPPING, ODOO, RUNTIME, SANDBOX, "interplant-cli"])
        }
        _ => None,
    }
}

/// Every package of Cargo.lock with the names of what it depends on, whatever platform or feature it is for.
fn locked() -> BTreeMap<String, BTreeSet<String>> {
    let mut locked: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let lock = read("Cargo.lock");
    for package in lock.split("[[package]]").skip(1) {
        let name = package
            .lines()
            .find_map(|line| line.strip_prefix("name = "))
            .unwrap_or_default()
            .trim_matches('"');
        let dependencies = package
            .lines()
            .filter_map(|line| line.strip_prefix(" \"")?.split(['"', ' ']).next());
        locked
            .entry(name.to_owned())
            .or_default()
            .extend(dependencies.map(str::to_owned));
    }
    locked
}

/// Everything that a package pulls in, tests of its own included.
fn pulled_in(name: &str) -> BTreeSet<String> {
    let locked = locked();
    let mut found = BTreeSet::new();
    let mut open = vec![name.to_owned()];
    while let Some(name) = open.pop() {
        if found.insert(name.clone()) {
            open.extend(locked.get(&name).into_iter().flatten().cloned());
        }
    }
    assert!(found.len() > 1, "{name} is not in Cargo.lock");
    found
}

#[test]
fn only_the_runtime_names_the_aws_sdk() {
    let mut findings = Vec::new();
    for package in packages() {
        let named = package
            .dependencies
            .iter()
            .filter(|dependency| is_aws_sdk(&dependency.name));
        if package.name != RUNTIME {
            findings.extend(named.map(|dependency| {
                format!(
                    "{}/Cargo.toml names {}: call shared/runtime instead",
                    package.folder(),
                    dependency.name
                )
            }));
        }
    }
    report("the AWS SDK appears in shared/runtime alone:", &findings);
}

#[test]
fn dependencies_point_towards_the_domain() {
    let packages = packages();
    let ours: BTreeSet<_> = packages
        .iter()
        .map(|package| package.name.as_str())
        .collect();
    let mut findings = Vec::new();
    for package in &packages {
        let Some(allowed) = may_use(package) else {
            findings.push(format!(
                "{} is a new room: say in `may_use` of tests/repo what it may build on",
                package.folder()
            ));
            continue;
        };
        for dependency in package
            .dependencies
            .iter()
            .filter(|dependency| ours.contains(dependency.name.as_str()))
        {
            // Tests of the connector run against the sandbox.
            let for_tests = dependency.kind.as_deref() == Some("dev") && dependency.name == SANDBOX;
            if !allowed.contains(&dependency.name.as_str()) && !for_tests {
                findings.push(format!(
                    "{}/Cargo.toml depends on {}; allowed: {allowed:?}",
                    package.folder(),
                    dependency.name
                ));
            }
        }
    }
    report(
        "functions, cli -> runtime -> odoo, mapping -> domain:",
        &findings,
    );
}

#[test]
fn the_domain_reaches_no_network_no_clock_of_its_own_and_no_cloud() {
    let foreign = |name: &&String| {
        [
            "axum",
            "hyper",
            "lambda_http",
            "lambda_runtime",
            "reqwest",
            "tokio",
        ]
        .contains(&name.as_str())
            || name.starts_with("aws")
    };
    let findings: Vec<_> = pulled_in(DOMAIN)
        .iter()
        .filter(foreign)
        .map(|name| format!("{DOMAIN} pulls in {name}"))
        .collect();
    report(
        "the domain is pure, also through what it depends on:",
        &findings,
    );
}

#[test]
fn the_connector_knows_nothing_of_the_cloud() {
    let findings: Vec<_> = pulled_in(ODOO)
        .iter()
        .filter(|name| is_aws_sdk(name) || name.starts_with("lambda_"))
        .map(|name| format!("{ODOO} pulls in {name}"))
        .collect();
    report("the Odoo client does not know where it runs:", &findings);
}

#[test]
fn every_package_inherits_lints_and_fields_of_the_workspace() {
    let manifests: Vec<_> = files()
        .into_iter()
        .filter(|path| path.ends_with("/Cargo.toml"))
        .collect();
    let members: BTreeSet<_> = packages()
        .iter()
        .map(|package| format!("{}/Cargo.toml", package.folder()))
        .collect();
    let mut findings = Vec::new();
    for path in manifests {
        if !members.contains(&path) {
            findings.push(format!(
                "{path} is no member of the workspace: add it to Cargo.toml"
            ));
        }
        let manifest = read(&path);
        for field in ["version", "edition", "rust-version", "license", "publish"] {
            if !manifest
                .lines()
                .any(|line| line == format!("{field}.workspace = true"))
            {
                findings.push(format!("{path}: `{field}.workspace = true` is missing"));
            }
        }
        if !manifest.contains("[lints]\nworkspace = true") {
            findings.push(format!(
                "{path}: `[lints]` with `workspace = true` is missing"
            ));
        }
        for line in dependency_lines(&manifest).filter(|line| !line.contains("workspace = true")) {
            findings.push(format!("{path}: `{line}` names a version or a path of its own: move it to [workspace.dependencies]"));
        }
    }
    report("packages do not inherit from the workspace:", &findings);
}

fn dependency_lines(manifest: &str) -> impl Iterator<Item = &str> {
    let mut inside = false;
    manifest.lines().filter(move |line| {
        if line.starts_with('[') {
            inside = line.ends_with("dependencies]");
            return false;
        }
        inside && !line.trim().is_empty() && !line.starts_with('#')
    })
}

#[test]
fn every_dependency_of_the_workspace_is_used() {
    let used: BTreeSet<_> = packages()
        .into_iter()
        .flat_map(|package| package.dependencies)
        .map(|dependency| dependency.name)
        .collect();
    let manifest = read("Cargo.toml");
    let (_, section) = manifest.split_once("[workspace.dependencies]\n").unwrap();
    let lines = section.lines().take_while(|line| !line.starts_with('['));
    let names = lines
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(" = "))
        .map(|(name, _)| name);
    let findings: Vec<_> = names
        .filter(|name| !used.contains(*name))
        .map(|name| format!("{name}: remove it from Cargo.toml"))
        .collect();
    report(
        "[workspace.dependencies] lists what no package uses:",
        &findings,
    );
}

#[test]
fn no_package_and_no_module_is_a_drawer() {
    let drawer = |name: &str| name.split(['-', '_']).any(|word| DRAWERS.contains(&word));
    let mut findings: Vec<_> = packages()
        .iter()
        .filter(|package| drawer(&package.name))
        .map(|package| format!("the package {}", package.name))
        .collect();
    for path in files() {
        if path
            .split('/')
            .any(|part| drawer(part.split('.').next().unwrap_or_default()))
        {
            findings.push(path.clone());
        }
        if path.ends_with(".rs") {
            let code = product(&read(&path));
            let inline = DRAWERS
                .into_iter()
                .filter(|name| has_word(&code, &format!("mod {name}")));
            findings.extend(inline.map(|name| format!("{path}: mod {name}")));
        }
    }
    report("name it after what is inside:", &findings);
}
