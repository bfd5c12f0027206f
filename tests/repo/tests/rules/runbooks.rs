//! Every code and every alarm that a person can meet has a page that tells this person what to do.
//!
//! What is known as data is written into the pages by `make runbooks`: the head of a page, down to its first
//! `##`, and the table of codes. These tests compare; everything else is written by hand and stays.

use std::collections::BTreeMap;

use interplant_domain::exception::Code;

use crate::report;
use serde_json::Value;

use crate::repository::{files_in, read, root};
use crate::template::{APPLICATION, resources, written};

const FOLDER: &str = "docs/runbooks/";
const ALARMS: &str = "docs/alarms/";
const HEADINGS: [&str; 4] = [
    "What happened",
    "How to see it",
    "What to do",
    "How to know that it is mended",
];

/// The pages by their codes.
fn pages() -> BTreeMap<String, String> {
    let files = files_in(FOLDER, "");
    let pages = files
        .iter()
        .filter(|path| !["README.md", "index.md"].contains(&path.trim_start_matches(FOLDER)));
    pages
        .map(|path| {
            (
                path.trim_start_matches(FOLDER)
                    .trim_end_matches(".md")
                    .to_owned(),
                read(path),
            )
        })
        .collect()
}

#[test]
fn every_exception_has_a_runbook() {
    let pages = pages();
    let missing = Code::ALL
        .iter()
        .filter(|code| !pages.contains_key(code.as_str()));
    report(
        "write these pages, a person will look for them:",
        &missing
            .map(|code| format!("{FOLDER}{code}.md: {}", code.meaning()))
            .collect::<Vec<_>>(),
    );
}

#[test]
fn every_runbook_belongs_to_an_exception() {
    let pages = pages();
    let stale = pages
        .keys()
        .filter(|page| Code::ALL.iter().all(|code| code.as_str() != page.as_str()));
    report(
        "no exception has these codes:",
        &stale
            .map(|page| format!("{FOLDER}{page}.md"))
            .collect::<Vec<_>>(),
    );
}

/// Whether `make runbooks` runs these tests, and pages are to be written instead of compared.
fn writes() -> bool {
    std::env::var_os("INTERPLANT_WRITE_RUNBOOKS").is_some()
}

/// The page with its head as it has to be, or what is wrong with it.
fn with_head(place: &str, page: &str, head: &str, findings: &mut Vec<String>) {
    let (now, rest) = page.split_once("\n## ").unwrap_or((page, ""));
    let right = format!("{head}\n## {rest}");
    if now != head && writes() {
        std::fs::write(root().join(place), &right).unwrap();
    } else if now != head {
        findings.push(format!(
            "{place}: its head is not what the code says; run `make runbooks`"
        ));
    }
    let headings: Vec<_> = right
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .map(str::trim)
        .collect();
    if headings != HEADINGS {
        findings.push(format!(
            "{place}: its `##` headings are {headings:?} instead of {HEADINGS:?}"
        ));
    }
}

/// What the code knows of an exception, as the head of its page.
fn head_of(code: Code) -> String {
    let decisions: Vec<_> = code.decisions().iter().map(|one| one.word()).collect();
    format!(
        "# {code}\n\nOwner: {}. Due: {} hours. Decisions: {}.\n\n{}\n\nNext step: {}\n",
        code.owner(),
        code.due_hours(),
        decisions.join(", "),
        code.meaning(),
        code.next_step()
    )
}

#[test]
fn every_runbook_says_what_happened_what_to_do_who_and_until_when() {
    let pages = pages();
    let mut findings = Vec::new();
    for code in Code::ALL {
        if let Some(page) = pages.get(code.as_str()) {
            let place = format!("{FOLDER}{code}.md");
            with_head(&place, page, &head_of(*code), &mut findings);
        }
    }
    report("runbooks:", &findings);
}

#[test]
fn the_list_of_runbooks_is_that_of_the_codes() {
    let place = format!("{FOLDER}README.md");
    let page = read(&place);
    let start = "| code | means | owner | due |\n|---|---|---|---|\n";
    let (before, rest) = page.split_once(start).unwrap();
    let (_, after) = rest.split_once("\n\n").unwrap();
    let rows = Code::ALL.iter().map(|code| {
        format!(
            "| [{code}]({code}.md) | {} | {} | {} h |\n",
            code.meaning(),
            code.owner(),
            code.due_hours()
        )
    });
    let right = format!("{before}{start}{}\n{after}", rows.collect::<String>());
    if right != page && writes() {
        std::fs::write(root().join(&place), &right).unwrap();
    } else if right != page {
        report(
            &place,
            &["its table is not that of the codes; run `make runbooks`".to_owned()],
        );
    }
}

/// What the template knows of an alarm, as the head of its page.
fn head_of_alarm(name: &str, alarm: &Value) -> String {
    let properties = &alarm["Properties"];
    let text = |field: &str| properties[field].as_str().unwrap_or_default().to_owned();
    let number = |field: &str| properties[field].as_u64().unwrap_or_default();
    let of = &properties["Dimensions"][0]["Value"];
    let of = of["Ref"].as_str().map(str::to_owned).unwrap_or_else(|| {
        let import = of["Fn::ImportValue"]["Fn::Sub"]
            .as_str()
            .unwrap_or_default();
        import
            .trim_start_matches("${Name}-")
            .trim_end_matches("Name")
            .to_owned()
    });
    let than = match properties["ComparisonOperator"].as_str() {
        Some("LessThanThreshold") => "below",
        _ => "above",
    };
    let seconds = number("Period") * number("EvaluationPeriods");
    format!(
        "# {name}\n\nOwner: operations.\n\n{}\n\nRings when `{}` of `{of}` is {than} {} for {} min.\n",
        text("AlarmDescription"),
        text("MetricName"),
        number("Threshold"),
        seconds / 60
    )
}

#[test]
fn every_alarm_has_a_page_that_is_linked_from_operations() {
    let template = written(APPLICATION);
    let alarms = resources(&template, &["AWS::CloudWatch::Alarm"]);
    let operations = read("docs/operations.md");
    let mut findings = Vec::new();
    for (name, alarm) in &alarms {
        let place = format!("{ALARMS}{name}.md");
        let head = head_of_alarm(name, alarm);
        if files_in(&place, "").is_empty() {
            findings.push(format!("{place} is missing; it begins with\n\n{head}"));
        } else {
            with_head(&place, &read(&place), &head, &mut findings);
        }
        if !operations.contains(&format!("(alarms/{name}.md)")) {
            findings.push(format!("docs/operations.md does not link alarms/{name}.md"));
        }
    }
    let stale = files_in(ALARMS, ".md");
    let stale = stale.iter().filter(|path| {
        let name = path.trim_start_matches(ALARMS).trim_end_matches(".md");
        !alarms.contains_key(name)
    });
    findings.extend(stale.map(|path| format!("{path}: there is no such alarm")));
    report("alarms:", &findings);
}
