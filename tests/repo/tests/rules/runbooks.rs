//! Every code that a person can meet has a page that tells this person what to do.

use std::collections::BTreeMap;

use interplant_domain::exception::Code;

use crate::report;
use crate::repository::{files_in, read};
use crate::source::has_word;

const FOLDER: &str = "docs/runbooks/";
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

#[test]
fn every_runbook_says_what_happened_what_to_do_who_and_until_when() {
    let pages = pages();
    let mut findings = Vec::new();
    for code in Code::ALL {
        let Some(page) = pages.get(code.as_str()) else {
            continue;
        };
        let place = format!("{FOLDER}{code}.md");
        let headings: Vec<_> = page
            .lines()
            .filter_map(|line| line.strip_prefix("## "))
            .map(str::trim)
            .collect();
        if headings != HEADINGS {
            findings.push(format!(
                "{place}: its `##` headings are {headings:?} instead of {HEADINGS:?}"
            ));
        }
        if !page
            .lines()
            .next()
            .is_some_and(|title| title.starts_with("# ") && has_word(title, code.as_str()))
        {
            findings.push(format!("{place}: its first line must be `# {code}`"));
        }
        // Who and until when stand above the first heading, where nobody can miss them.
        let top = page.split("\n## ").next().unwrap_or_default();
        let (owner, hours) = (
            code.owner().to_string(),
            format!("{} hours", code.due_hours()),
        );
        if !has_word(&top.to_lowercase(), &owner) {
            findings.push(format!(
                "{place}: the owner `{owner}` is not named above the first heading"
            ));
        }
        if !has_word(top, &hours) {
            findings.push(format!(
                "{place}: `{hours}` until it is due are not named above the first heading"
            ));
        }
    }
    report("runbooks:", &findings);
}
