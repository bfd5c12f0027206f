//! `interplant plant check`: what the samples of a plant give, compared with what they must give.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use interplant_domain::plant::Plant;
use interplant_mapping::feed::Feed;
use serde::Serialize;
use serde_json::{Value, json};

use crate::codes::Codes;
use crate::compare::{Difference, compare};
use crate::table::clean;
use crate::{Failure, feeds, outs, plants};

/// Reads plant.yaml and the feeds, maps the samples, and says what is wrong
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Folder of the plant
    folder: PathBuf,
    /// Take what the samples give now as what they must give
    #[arg(long)]
    accept: bool,
}

/// What the check of a plant showed.
#[derive(Debug, Serialize)]
pub(super) struct Checked {
    plant: Plant,
    feeds: Vec<CheckedFeed>,
    outs: Vec<outs::Checked>,
    /// Lines with the mark of a draft, `# !`: what they say is to be settled first.
    to_settle: Vec<String>,
    /// Whether nothing is to be settled, every feed and every kind of files for the plant has samples, and they give what is expected.
    pub(super) right: bool,
}

/// What the check of a feed showed.
#[derive(Debug, Serialize)]
struct CheckedFeed {
    feed: String,
    about: String,
    mapping: String,
    documents: usize,
    facts: usize,
    /// Facts that could not be made, and rows that could not be read, as expected or not.
    not_made: usize,
    unread: usize,
    /// Where samples give something else than expected.
    differences: Vec<LineDifference>,
    /// Codes that lookups do not know, by lookup.
    unknown_codes: BTreeMap<String, BTreeSet<String>>,
    /// Units and tax codes of facts that plant.yaml does not list.
    units_not_listed: Vec<String>,
    taxes_not_listed: Vec<String>,
    /// How many codes of each lookup samples use.
    lookups: Vec<LookupUse>,
    /// Fields of the mapping that no sample fills.
    never_filled: Vec<String>,
    without_samples: bool,
    /// Samples that are read with no others.
    left_out: Vec<feeds::LeftOut>,
}

/// A line of expected.jsonl and what came instead.
#[derive(Debug, Serialize)]
struct LineDifference {
    /// The line of expected.jsonl; none for what was not expected at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    /// What it is about.
    what: String,
    /// The fields that differ; none where a whole line is missing or new.
    fields: Vec<Difference>,
    /// A line that is missing, or new.
    #[serde(skip_serializing_if = "Option::is_none")]
    whole: Option<Value>,
    fate: &'static str,
}

#[derive(Debug, Serialize)]
struct LookupUse {
    lookup: String,
    codes: usize,
    used: usize,
}

impl Check {
    pub(crate) fn run(self, as_json: bool) -> Result<ExitCode, Failure> {
        let checked = check(&self.folder, self.accept)?;
        if as_json {
            println!("{}", serde_json::to_string_pretty(&checked)?);
        } else {
            print(&checked);
        }
        Ok(if checked.right {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

/// Checks a plant's folder.
pub(super) fn check(folder: &Path, accept: bool) -> Result<Checked, Failure> {
    let plant = plants::read_plant(folder)?;
    let mut checked = Vec::new();
    let bundle = feeds::bundle_of(folder)?;
    for feed in feeds::feeds(&bundle, &plant.plant)? {
        checked.push(check_feed(folder, &plant, &feed, accept)?);
    }
    let outs = outs::outs(&bundle, &plant.plant)?;
    let outs: Vec<outs::Checked> = outs
        .iter()
        .map(|out| outs::check(folder, out, accept))
        .collect::<Result<_, _>>()?;
    let own = format!("{}/", plant.plant);
    let to_settle: Vec<String> = bundle
        .files
        .iter()
        .filter_map(|(path, bytes)| Some((path.strip_prefix(&own)?, bytes)))
        .filter(|(path, _)| path.ends_with(".yaml"))
        .flat_map(|(path, bytes)| to_settle(path, &String::from_utf8_lossy(bytes)))
        .collect();
    let right = checked.iter().all(|feed| {
        feed.differences.is_empty() && !feed.without_samples && feed.left_out.is_empty()
    }) && outs.iter().all(|out| out.differences.is_empty())
        && to_settle.is_empty();
    Ok(Checked {
        plant,
        feeds: checked,
        outs,
        to_settle,
        right,
    })
}

/// More differences than this are counted, not told.
const TOLD: usize = 20;

/// Prints what the check showed.
pub(super) fn print(checked: &Checked) {
    for feed in &checked.feeds {
        print_feed(feed);
    }
    for out in &checked.outs {
        println!("out {}: {}", out.out, out.about);
        println!("  samples: {} events", out.events);
        for difference in &out.differences {
            println!("    {}", clean(difference));
        }
    }
    for line in checked.to_settle.iter().take(TOLD) {
        println!("to be settled, then take the mark `!` out: {}", clean(line));
    }
    if checked.to_settle.len() > TOLD {
        println!("and {} more marks", checked.to_settle.len() - TOLD);
    }
    let word = if checked.right {
        "right"
    } else {
        "not right yet"
    };
    println!(
        "{} ({}) is {word}.",
        checked.plant.plant, checked.plant.name
    );
}

fn print_feed(feed: &CheckedFeed) {
    let hash = feed.mapping.get(..12).unwrap_or(&feed.mapping);
    println!("feed {} (mapping {hash}): {}", feed.feed, feed.about);
    for left in &feed.left_out {
        println!("  {}", clean(&left.to_string()));
    }
    if feed.without_samples {
        println!(
            "  no samples: put files as the plant writes them into samples/{}",
            feed.feed
        );
        return;
    }
    let fit = if feed.differences.is_empty() {
        "as expected"
    } else {
        "not as expected"
    };
    println!(
        "  samples: {} documents, {} facts, {fit}",
        feed.documents, feed.facts
    );
    if feed.not_made + feed.unread > 0 {
        println!(
            "  {} facts could not be made, {} rows could not be read: see `not_made` and `unread` in expected.jsonl",
            feed.not_made, feed.unread
        );
    }
    let mut told = 0;
    for difference in &feed.differences {
        for line in difference.lines() {
            told += 1;
            if told <= TOLD {
                println!("    {}", clean(&line));
            }
        }
    }
    if told > TOLD {
        println!("    and {} more", told - TOLD);
    }
    for (table, codes) in &feed.unknown_codes {
        let codes: Vec<&str> = codes.iter().map(String::as_str).collect();
        println!(
            "  the lookup {table} does not know: {}",
            clean(&codes.join(", "))
        );
    }
    for (what, codes) in [
        ("units", &feed.units_not_listed),
        ("taxes", &feed.taxes_not_listed),
    ] {
        if !codes.is_empty() {
            println!(
                "  `{what}` of plant.yaml do not list {}: each fact with it waits as UNKNOWN_CODE",
                clean(&codes.join(", "))
            );
        }
    }
    for lookup in &feed.lookups {
        let unused = lookup.codes - lookup.used;
        println!(
            "  lookup {}: {} codes, {} used by the samples, {unused} by none",
            lookup.lookup, lookup.codes, lookup.used
        );
    }
    if !feed.never_filled.is_empty() {
        println!(
            "  no sample fills: {}; add one that does, or take them out",
            feed.never_filled.join(", ")
        );
    }
}

/// Characters of a line that is told as a whole.
const LONGEST: usize = 240;

impl LineDifference {
    fn of(line: usize, what: String, wanted: &Value, found: &Value) -> Self {
        let fields = compare(wanted, found).into_iter();
        Self {
            line: Some(line),
            what,
            // The id follows from the content, which is told.
            fields: fields.filter(|field| field.pointer != "/id").collect(),
            whole: None,
            fate: "differs",
        }
    }

    fn lines(&self) -> Vec<String> {
        let place = match self.line {
            Some(line) => format!("expected.jsonl line {line}, {}", self.what),
            None => self.what.clone(),
        };
        if let Some(whole) = &self.whole {
            let text = whole.to_string();
            let mut short: String = text.chars().take(LONGEST).collect();
            if text.chars().nth(LONGEST).is_some() {
                short.push('…');
            }
            return vec![format!("{place}: {}: {short}", self.fate)];
        }
        let fields = self.fields.iter();
        fields.map(|field| format!("{place}: {field}")).collect()
    }
}

fn check_feed(
    folder: &Path,
    plant: &Plant,
    feed: &Feed,
    accept: bool,
) -> Result<CheckedFeed, Failure> {
    let samples = folder.join("samples").join(&feed.name);
    let mut checked = CheckedFeed {
        feed: feed.name.clone(),
        about: feed.about.clone(),
        mapping: feed.hash.clone(),
        documents: 0,
        facts: 0,
        not_made: 0,
        unread: 0,
        differences: Vec::new(),
        unknown_codes: BTreeMap::new(),
        units_not_listed: Vec::new(),
        taxes_not_listed: Vec::new(),
        lookups: Vec::new(),
        never_filled: Vec::new(),
        without_samples: true,
        left_out: Vec::new(),
    };
    let taken = feeds::taken(feed, &samples);
    checked.left_out = taken.left_out;
    if taken.groups.is_empty() {
        return Ok(checked);
    }
    checked.without_samples = false;
    let mapped = feeds::map_all(feed, &taken.groups)?;
    let lines = feeds::outcome(&mapped);
    let expected = samples.join("expected.jsonl");
    if accept {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        std::fs::write(&expected, text)?;
    }
    let wanted = std::fs::read_to_string(&expected).map_err(|error| {
        format!(
            "{}: {error}; look at what `plant map` makes of the samples, then take it with --accept",
            expected.display()
        )
    })?;
    let wanted: Vec<Value> = wanted
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()
        .map_err(|error| format!("{}: {error}", expected.display()))?;
    checked.documents = mapped.documents;
    checked.facts = mapped.made.len();
    checked.not_made = mapped.not_made.len();
    checked.unread = mapped.unread.len();
    checked.differences = differences(&wanted, &lines);
    checked.never_filled = feed.unfilled(mapped.made.iter());
    for unknown in mapped.not_made.iter().filter_map(|not| not.unknown.clone()) {
        let codes = checked.unknown_codes.entry(unknown.table).or_default();
        codes.insert(unknown.code);
    }
    let data = mapped.made.iter().filter_map(|made| made.event.get("data"));
    let codes = Codes::of(plant, data);
    (checked.units_not_listed, checked.taxes_not_listed) = codes.not_configured(plant);
    let uses = mapped.lookups.iter().map(|(name, codes)| LookupUse {
        lookup: name.clone(),
        codes: *codes,
        used: mapped.codes.get(name).map_or(0, BTreeSet::len),
    });
    checked.lookups = uses.collect();
    Ok(checked)
}

/// Lines that a draft marked with `# !`.
fn to_settle(path: &str, text: &str) -> Vec<String> {
    let marked = |line: &str| {
        let marks = line.match_indices("# !").map(|(at, mark)| at + mark.len());
        let mut rest = marks.filter_map(|end| line.get(end..));
        rest.any(|rest| rest.is_empty() || rest.starts_with(' '))
    };
    let lines = text.lines().enumerate().filter(|(_, line)| marked(line));
    lines
        .map(|(index, line)| format!("{path} line {}: {}", index + 1, line.trim()))
        .collect()
}

/// What a line is about, whatever its content: lines that are about the same are compared with each other.
fn subject(line: &Value) -> String {
    let text = |pointer: &str| line.pointer(pointer).and_then(Value::as_str);
    if let Some(kind) = text("/type") {
        let short = kind
            .trim_start_matches("interplant.")
            .trim_end_matches(".v1");
        // The number of the document, which is the first field of every kind of fact that has one.
        let numbers = line.get("data").and_then(Value::as_object);
        let number = numbers
            .into_iter()
            .flatten()
            .filter_map(|(_, value)| value.as_str())
            .next();
        return format!("{short} {}", number.unwrap_or_default());
    }
    let of = |name: &str| {
        let what = line.get(name)?;
        let text = |field: &str| what.get(field).and_then(Value::as_str).unwrap_or_default();
        let parts = [
            text("event"),
            text("document"),
            text("spot"),
            text("pointer"),
        ];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        Some(format!("{name} {}", parts.join(" ")))
    };
    of("not_made").or_else(|| of("unread")).unwrap_or_default()
}

/// Lines that differ: those about the same thing field by field, others as a whole.
fn differences(wanted: &[Value], found: &[Value]) -> Vec<LineDifference> {
    let mut open: Vec<Option<(String, &Value)>> = found
        .iter()
        .map(|line| Some((subject(line), line)))
        .collect();
    let mut all = Vec::new();
    let mut alone: Vec<(usize, String, &Value)> = Vec::new();
    for (index, line) in wanted.iter().enumerate() {
        let what = subject(line);
        // The same content first: one subject may have several lines.
        let same = |slot: &Option<(String, &Value)>| {
            slot.as_ref().is_some_and(|(_, other)| *other == line)
        };
        let about = |slot: &Option<(String, &Value)>| {
            slot.as_ref().is_some_and(|(other, _)| *other == what)
        };
        let at = open
            .iter()
            .position(same)
            .or_else(|| open.iter().position(about));
        match at.and_then(|at| open.get_mut(at)).and_then(Option::take) {
            Some((_, other)) if other == line => {}
            Some((_, other)) => all.push(LineDifference::of(index + 1, what, line, other)),
            None => alone.push((index + 1, what, line)),
        }
    }
    let mut left: Vec<(String, &Value)> = open.into_iter().flatten().collect();
    let kind = |line: &Value| line.get("type").cloned();
    for (line_number, what, line) in alone {
        // Where as many came as are missing, it is their number that changed.
        let missing = wanted
            .iter()
            .filter(|other| kind(other) == kind(line))
            .count();
        let came = found
            .iter()
            .filter(|other| kind(other) == kind(line))
            .count();
        let at = left.iter().position(|(_, other)| {
            kind(line).is_some() && kind(other) == kind(line) && missing == came
        });
        match at {
            Some(at) => {
                let (_, other) = left.remove(at);
                all.push(LineDifference::of(line_number, what, line, other));
            }
            None => all.push(LineDifference {
                line: Some(line_number),
                what,
                fields: Vec::new(),
                whole: Some(line.clone()),
                fate: "did not come",
            }),
        }
    }
    for (what, line) in left {
        all.push(LineDifference {
            line: None,
            what,
            fields: Vec::new(),
            whole: Some(line.clone()),
            fate: "was not expected",
        });
    }
    if all.is_empty() && wanted != found {
        let order = found.iter().map(|line| json!(subject(line)));
        all.push(LineDifference {
            line: None,
            what: "the lines".to_owned(),
            fields: Vec::new(),
            whole: Some(Value::Array(order.collect())),
            fate: "came in another order",
        });
    }
    all.sort_by_key(|difference| difference.line.unwrap_or(usize::MAX));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fact(number: &str, qty: &str) -> Value {
        json!({"id": qty, "type": "interplant.po.created.v1", "data": {"poNumber": number, "lines": [{"qty": qty}]}})
    }

    fn told(wanted: &[Value], found: &[Value]) -> Vec<String> {
        let all = differences(wanted, found);
        all.iter().flat_map(LineDifference::lines).collect()
    }

    #[test]
    fn a_fact_that_is_missing_does_not_make_those_after_it_differ() {
        let wanted = [fact("1", "5"), fact("2", "6"), fact("3", "7")];
        let found = [fact("1", "5"), fact("3", "8")];
        let told = told(&wanted, &found);
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(
            told[0].starts_with("expected.jsonl line 2, po.created 2: did not come"),
            "{told:?}"
        );
        assert_eq!(
            told[1],
            "expected.jsonl line 3, po.created 3: /data/lines/0/qty is \"8\", expected was \"7\""
        );
    }

    #[test]
    fn a_number_that_changed_is_told_as_a_field() {
        let told = told(
            &[fact("1", "5"), fact("2", "6")],
            &[fact("A1", "5"), fact("2", "6")],
        );
        assert_eq!(
            told,
            ["expected.jsonl line 1, po.created 1: /data/poNumber is \"A1\", expected was \"1\""]
        );
    }

    #[test]
    fn a_mark_of_a_draft_is_told_with_its_line() {
        let feed = "about: x # ? guessed\n    # ! Have it sorted.\ntime: '$error(\"#!\")' # !\nqty: a # ! some rows are no numbers\n";
        assert_eq!(
            to_settle("plant.yaml", feed),
            [
                "plant.yaml line 2: # ! Have it sorted.",
                "plant.yaml line 3: time: '$error(\"#!\")' # !",
                "plant.yaml line 4: qty: a # ! some rows are no numbers"
            ]
        );
    }

    #[test]
    fn another_order_is_a_difference() {
        let (a, b) = (fact("1", "5"), fact("2", "6"));
        assert!(told(&[a.clone(), b.clone()], &[a.clone(), b.clone()]).is_empty());
        assert!(told(&[a.clone(), b.clone()], &[b, a])[0].contains("in another order"));
    }
}
