//! `interplant plant`: check, try and publish a plant's configuration.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use interplant_mapping::feed::Feed;
use serde_json::{Value, json};

use crate::feeds::{self, Mapped};
use crate::{Failure, cloud, outs, plants};

/// Checks, tries and publishes a plant's configuration
#[derive(Debug, Subcommand)]
pub(crate) enum Plant {
    /// Read plant.yaml and the feeds, map the samples, and say what is wrong, with line and column
    Check {
        /// Folder of the plant
        folder: PathBuf,
        /// Take what the samples give now as what they must give
        #[arg(long)]
        accept: bool,
    },
    /// Map files by a feed: the facts on standard output, one per line, then what could not be mapped
    Map {
        /// Folder of the plant
        folder: PathBuf,
        /// Folder with the files that belong together
        files: PathBuf,
        /// The feed; without it, the one that takes the files
        #[arg(long)]
        feed: Option<String>,
    },
    /// Check, then make it the configuration in force
    Publish {
        /// Folder of the plant
        folder: PathBuf,
    },
}

impl Plant {
    pub(crate) async fn run(self, local: Option<&Path>, json: bool) -> Result<ExitCode, Failure> {
        match self {
            Self::Check { folder, accept } => check(&folder, accept, json),
            Self::Map {
                folder,
                files,
                feed,
            } => map(&folder, &files, feed.as_deref()),
            Self::Publish { folder } => {
                let plant = plants::read_plant(&folder)?;
                feeds_of(&folder)?;
                let bundle = feeds::bundle_of(&folder)?;
                outs::outs(&bundle, &plant.plant)?;
                let context = cloud::attach(local).await?.0;
                context.plants.publish(&plant).await?;
                let again =
                    interplant_runtime::files::publish(&context, &plant.plant, &bundle).await?;
                // Another address or key may be what a stopped webhook has waited for.
                context.outbox.resume(&plant.plant).await?;
                if json {
                    println!("{}", serde_json::to_string_pretty(&plant)?);
                } else {
                    println!("{} ({}) is published.", plant.plant, plant.name);
                    if !again.is_empty() {
                        println!(
                            "Codes that were missing are known now; read again: {}.",
                            again.join(", ")
                        );
                    }
                }
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}

/// What the check of a feed showed.
#[derive(Debug, Default)]
struct Checked {
    documents: usize,
    facts: usize,
    /// Where samples give something else than expected.
    differences: Vec<String>,
    /// Codes that lookups do not know, by lookup.
    unknown: BTreeMap<String, BTreeSet<String>>,
    /// Fields of the mapping that no sample fills.
    never_filled: Vec<String>,
    without_samples: bool,
}

fn check(folder: &Path, accept: bool, as_json: bool) -> Result<ExitCode, Failure> {
    let plant = plants::read_plant(folder)?;
    let mut right = true;
    let mut report = Vec::new();
    for feed in feeds_of(folder)? {
        let checked = check_feed(folder, &feed, accept)?;
        right &= checked.differences.is_empty() && !checked.without_samples;
        if as_json {
            report.push(json!({
                "feed": feed.name, "mapping": feed.hash, "documents": checked.documents, "facts": checked.facts,
                "differences": checked.differences, "unknown_codes": checked.unknown, "never_filled": checked.never_filled
            }));
        } else {
            print(&feed, &checked);
        }
    }
    let mut outs = Vec::new();
    for out in outs::outs(&feeds::bundle_of(folder)?, &plant.plant)? {
        let checked = outs::check(folder, &out, accept)?;
        right &= checked.differences.is_empty();
        if as_json {
            outs.push(json!({
                "out": checked.out, "mapping": out.hash, "events": checked.events, "differences": checked.differences
            }));
        } else {
            println!("out {}: {}", checked.out, checked.about);
            println!("  samples: {} events", checked.events);
            for difference in &checked.differences {
                println!("    {difference}");
            }
        }
    }
    if as_json {
        let whole = json!({"plant": plant, "feeds": report, "outs": outs, "right": right});
        println!("{}", serde_json::to_string_pretty(&whole)?);
    } else {
        let word = if right { "right" } else { "not right yet" };
        println!("{} ({}) is {word}.", plant.plant, plant.name);
    }
    Ok(if right {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn print(feed: &Feed, checked: &Checked) {
    let hash = feed.hash.get(..12).unwrap_or(&feed.hash);
    println!("feed {} (mapping {hash}): {}", feed.name, feed.about);
    if checked.without_samples {
        println!(
            "  no samples: put files as the plant writes them into samples/{}",
            feed.name
        );
        return;
    }
    let fit = if checked.differences.is_empty() {
        "as expected"
    } else {
        "not as expected"
    };
    println!(
        "  samples: {} documents, {} facts, {fit}",
        checked.documents, checked.facts
    );
    for difference in &checked.differences {
        println!("    {difference}");
    }
    for (table, codes) in &checked.unknown {
        let codes: Vec<&str> = codes.iter().map(String::as_str).collect();
        println!("  the lookup {table} does not know: {}", codes.join(", "));
    }
    for (table, size) in feed.lookup_sizes() {
        println!("  lookup {table}: {size} codes");
    }
    if !checked.never_filled.is_empty() {
        println!(
            "  no sample fills: {}; add one that does, or take them out",
            checked.never_filled.join(", ")
        );
    }
}

fn feeds_of(folder: &Path) -> Result<Vec<Feed>, Failure> {
    let plant = plants::read_plant(folder)?;
    feeds::feeds(&feeds::bundle_of(folder)?, &plant.plant)
}

fn check_feed(folder: &Path, feed: &Feed, accept: bool) -> Result<Checked, Failure> {
    let samples = folder.join("samples").join(&feed.name);
    let Some(files) = feeds::delivery(feed, &samples) else {
        return Ok(Checked {
            without_samples: true,
            ..Checked::default()
        });
    };
    let mapped = feeds::map(feed, &files)?;
    let lines = outcome(&mapped);
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
    let mut checked = Checked {
        documents: mapped.documents,
        facts: mapped.made.len(),
        differences: differences(&wanted, &lines),
        never_filled: feed.unfilled(mapped.made.iter()),
        ..Checked::default()
    };
    for unknown in mapped.not_made.iter().filter_map(|not| not.unknown.clone()) {
        let codes = checked.unknown.entry(unknown.table).or_default();
        codes.insert(unknown.code);
    }
    Ok(checked)
}

/// What came of files, line by line: the facts without the hash of the mapping, which changes with every
/// word of it, then what could not be made or read.
fn outcome(mapped: &Mapped) -> Vec<Value> {
    let mut lines = Vec::new();
    for made in &mapped.made {
        let mut event = made.event.clone();
        if let Some(event) = event.as_object_mut() {
            event.remove("mappinghash");
        }
        lines.push(event);
    }
    for not in &mapped.not_made {
        lines.push(json!({"not_made": {
            "code": not.code, "event": not.event, "document": not.document, "spot": not.spot.to_string(),
            "pointer": not.pointer, "message": not.message
        }}));
    }
    for unread in &mapped.unread {
        lines.push(json!({"unread": {"code": unread.code, "spot": unread.spot.to_string(), "message": unread.message}}));
    }
    lines
}

/// More differences than this are counted, not told.
const TOLD: usize = 20;

fn differences(wanted: &[Value], found: &[Value]) -> Vec<String> {
    let mut all = Vec::new();
    for (index, pair) in wanted.iter().zip(found).enumerate() {
        let mut here = Vec::new();
        compare("", pair.0, pair.1, &mut here);
        all.extend(
            here.into_iter()
                .map(|difference| format!("expected.jsonl line {}: {difference}", index + 1)),
        );
    }
    if wanted.len() != found.len() {
        all.push(format!(
            "{} lines were expected, {} came; the first one more or less: {}",
            wanted.len(),
            found.len(),
            wanted
                .get(found.len())
                .or_else(|| found.get(wanted.len()))
                .map(ToString::to_string)
                .unwrap_or_default()
        ));
    }
    if all.len() > TOLD {
        let more = all.len() - TOLD;
        all.truncate(TOLD);
        all.push(format!("and {more} more"));
    }
    all
}

fn compare(pointer: &str, wanted: &Value, found: &Value, all: &mut Vec<String>) {
    match (wanted, found) {
        (Value::Object(a), Value::Object(b)) => {
            let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for name in names {
                let null = Value::Null;
                let (a, b) = (a.get(name).unwrap_or(&null), b.get(name).unwrap_or(&null));
                compare(&format!("{pointer}/{name}"), a, b, all);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                compare(&format!("{pointer}/{index}"), a, b, all);
            }
        }
        (a, b) if a == b => {}
        (a, b) => all.push(format!("{pointer} is {b}, expected was {a}")),
    }
}

fn map(folder: &Path, files: &Path, name: Option<&str>) -> Result<ExitCode, Failure> {
    let mut found = None;
    for feed in feeds_of(folder)? {
        if name.is_none_or(|name| name == feed.name)
            && let Some(files) = feeds::delivery(&feed, files)
        {
            found = Some((feed, files));
            break;
        }
    }
    let (feed, files) = found.ok_or_else(|| {
        format!(
            "no feed of {} takes the files of {}",
            folder.display(),
            files.display()
        )
    })?;
    let mapped = feeds::map(&feed, &files)?;
    for made in &mapped.made {
        println!("{}", made.event);
    }
    for not in &mapped.not_made {
        println!("{}", json!({"not_made": not}));
    }
    for unread in &mapped.unread {
        println!("{}", json!({"unread": unread}));
    }
    Ok(if mapped.not_made.is_empty() && mapped.unread.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
