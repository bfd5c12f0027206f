//! `interplant audit`: who decided what, and whether that is still what was written.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use interplant_domain::audit::{Anchor, Finding, Head, Note, Verified, Verifier};
use interplant_domain::identifier::{LifecycleId, PlantCode};
use interplant_runtime::Context;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{Failure, cloud, table};

/// See, export and verify the audit of plants
#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    /// Show what was decided about a lifecycle, or the last of a plant
    Show {
        /// Such as po/plant-b/4711
        #[arg(required_unless_present = "plant")]
        lifecycle: Option<String>,
        /// The last records of this plant instead
        #[arg(long, conflicts_with = "lifecycle")]
        plant: Option<String>,
        /// At most so many of the plant
        #[arg(long, default_value_t = 50)]
        most: u64,
    },
    /// Write the records of a plant as JSON lines, as they are stored
    Export {
        /// The plant
        #[arg(long)]
        plant: String,
        /// From this time, such as 2026-11-01T00:00:00Z; without it from the beginning
        #[arg(long)]
        from: Option<Timestamp>,
        /// Before this time; without it to the end
        #[arg(long)]
        to: Option<Timestamp>,
        /// Into this file instead of onto the screen
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Look whether every record is as it was written; names the first that is not
    Verify {
        /// Only this plant
        #[arg(long)]
        plant: Option<String>,
        /// An export instead of what is stored
        #[arg(long, conflicts_with = "plant")]
        file: Option<PathBuf>,
    },
}

/// The first line of an export: between what the records lie, and what is known of them elsewhere.
#[derive(Debug, Serialize, Deserialize)]
struct Exported {
    audit_of: PlantCode,
    exported_at: Timestamp,
    after: Head,
    until: Head,
    anchors: Vec<Anchor>,
}

/// A record as far as people read it.
#[derive(Debug)]
struct Record {
    /// Its number; none while it waits for its place.
    sequence: Option<u64>,
    note: Note,
}

impl Record {
    fn read(text: &str) -> Result<Self, serde_json::Error> {
        let head: Head = serde_json::from_str(text)?;
        Ok(Self {
            sequence: Some(head.sequence),
            note: serde_json::from_str(text)?,
        })
    }
}

impl Audit {
    pub(crate) async fn run(self, local: Option<&Path>, json: bool) -> Result<ExitCode, Failure> {
        match self {
            Self::Show {
                lifecycle,
                plant,
                most,
            } => {
                let context = cloud::attach(local).await?.0;
                let records = match (lifecycle, plant) {
                    (Some(id), _) => of_lifecycle(&context, &LifecycleId::read(&id)?).await?,
                    (None, Some(plant)) => last(&context, &plant.parse()?, most).await?,
                    (None, None) => return Err("name a lifecycle, or a plant by --plant".into()),
                };
                show(&records, json)?;
                Ok(ExitCode::SUCCESS)
            }
            Self::Export {
                plant,
                from,
                to,
                out,
            } => {
                let context = cloud::attach(local).await?.0;
                let mut to_file: Box<dyn Write> = match out {
                    Some(path) => Box::new(BufWriter::new(std::fs::File::create(path)?)),
                    None => Box::new(std::io::stdout()),
                };
                export(&context, &plant.parse()?, from, to, &mut to_file).await?;
                to_file.flush()?;
                Ok(ExitCode::SUCCESS)
            }
            Self::Verify {
                file: Some(file), ..
            } => {
                let (plant, verified) = verify_file(&file)?;
                Ok(said(&plant, &verified, json))
            }
            Self::Verify { plant, file: None } => {
                let context = cloud::attach(local).await?.0;
                let plants = match plant {
                    Some(plant) => BTreeSet::from([plant.parse()?]),
                    None => {
                        let mut plants = context.audit.anchored_plants().await?;
                        plants.extend(context.plants.codes().await?);
                        plants
                    }
                };
                let mut code = ExitCode::SUCCESS;
                for plant in plants {
                    let verified = verify(&context, &plant).await?;
                    if verified.is_err() {
                        code = ExitCode::FAILURE;
                    }
                    said(&plant, &verified, json);
                }
                Ok(code)
            }
        }
    }
}

/// Compares everything that is stored of a plant's chain: records, head and anchors.
///
/// # Errors
/// When a store is not available; what is wrong with the chain is in the result.
pub async fn verify(
    context: &Context,
    plant: &PlantCode,
) -> Result<Result<Verified, Finding>, Failure> {
    let audit = &context.audit;
    // Anchors first, the head last: the chain may grow meanwhile.
    let anchors = audit.anchors(plant).await?;
    let mut verifier = Verifier::new(plant, Head::default(), anchors);
    let mut read = 0;
    loop {
        let mut head = audit.head(plant).await?;
        let records = audit.records(plant, read).await?;
        if records.is_empty() {
            // What was linked since the head was read.
            if head.sequence < verifier.head().sequence {
                head = audit.head(plant).await?;
            }
            return Ok(verifier.finish(Some(&head)));
        }
        for (sequence, text) in records {
            verifier.take(&text);
            read = sequence;
        }
    }
}

fn verify_file(path: &Path) -> Result<(PlantCode, Result<Verified, Finding>), Failure> {
    let file = std::fs::File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut lines = BufReader::new(file).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    let exported: Exported = serde_json::from_str(&first).map_err(|error| {
        format!(
            "{}: the first line is not that of `interplant audit export`: {error}",
            path.display()
        )
    })?;
    let anchors = exported.anchors.into_iter();
    let known = anchors.filter(|anchor| anchor.sequence <= exported.until.sequence);
    let mut verifier = Verifier::new(&exported.audit_of, exported.after, known);
    for line in lines {
        verifier.take(&line?);
    }
    Ok((exported.audit_of, verifier.finish(Some(&exported.until))))
}

fn said(plant: &PlantCode, verified: &Result<Verified, Finding>, json: bool) -> ExitCode {
    match verified {
        Ok(verified) if json => println!(
            "{}",
            json!({"plant": plant, "right": true, "records": verified.records, "anchors": verified.anchors, "head": verified.head})
        ),
        Ok(verified) => println!(
            "{plant}: {} records up to {}, all as they were written; {} anchors fit. Hash of the last: {}",
            verified.records, verified.head.sequence, verified.anchors, verified.head.hash
        ),
        Err(finding) if json => println!(
            "{}",
            json!({"plant": plant, "right": false, "sequence": finding.sequence, "what": finding.what.to_string(), "why": finding.why})
        ),
        Err(finding) => {
            println!("{plant}: {finding}. See docs/audit.md, \"When a record is not right\".")
        }
    }
    if verified.is_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

async fn export(
    context: &Context,
    plant: &PlantCode,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let audit = &context.audit;
    let head = audit.head(plant).await?;
    let (mut after, mut until) = (Head::default(), Head::default());
    let (mut chosen, mut read, mut begun) = (Vec::new(), 0, false);
    // In the order of the chain, which is that of time but for seconds: from the first to the last that lies within.
    'records: loop {
        let records = audit.records(plant, read).await?;
        if records.is_empty() {
            break;
        }
        for (sequence, text) in records {
            if sequence > head.sequence {
                break 'records;
            }
            read = sequence;
            let record = Record::read(&text).map_err(|error| {
                format!("record {sequence} cannot be read: {error}; run `interplant audit verify`")
            })?;
            let hash = serde_json::from_str::<Head>(&text)
                .map_err(|error| format!("record {sequence}: {error}"))?;
            begun = begun || from.is_none_or(|from| record.note.at >= from);
            if !begun {
                after = hash;
                continue;
            }
            if to.is_some_and(|to| record.note.at >= to) {
                break 'records;
            }
            until = hash;
            chosen.push(text);
        }
    }
    if chosen.is_empty() {
        until = after.clone();
    }
    let mut anchors = audit.anchors(plant).await?;
    anchors.retain(|anchor| anchor.sequence > after.sequence && anchor.sequence <= until.sequence);
    let exported = Exported {
        audit_of: plant.clone(),
        exported_at: context.now(),
        after,
        until,
        anchors,
    };
    writeln!(out, "{}", serde_json::to_string(&exported)?)?;
    for text in chosen {
        writeln!(out, "{text}")?;
    }
    Ok(())
}

async fn of_lifecycle(context: &Context, id: &LifecycleId) -> Result<Vec<Record>, Failure> {
    let mut records = Vec::new();
    for text in context.audit.of_lifecycle(id).await? {
        records.push(Record::read(&text)?);
    }
    let waiting = waiting(context, id.plant()).await?;
    let of_it = |record: &Record| record.note.subject.lifecycle.as_ref() == Some(id);
    records.extend(waiting.into_iter().filter(of_it));
    Ok(records)
}

async fn last(context: &Context, plant: &PlantCode, most: u64) -> Result<Vec<Record>, Failure> {
    let head = context.audit.head(plant).await?;
    let mut after = head.sequence.saturating_sub(most);
    let mut records = Vec::new();
    loop {
        let page = context.audit.records(plant, after).await?;
        if page.is_empty() {
            break;
        }
        for (sequence, text) in page {
            records.push(Record::read(&text)?);
            after = sequence;
        }
    }
    records.extend(waiting(context, plant).await?);
    Ok(records)
}

/// What is noted and has no place yet.
async fn waiting(context: &Context, plant: &PlantCode) -> Result<Vec<Record>, Failure> {
    let waiting = context.audit.waiting(plant, 1000).await?;
    let notes = waiting.into_iter().flat_map(|one| one.notes);
    Ok(notes
        .map(|note| Record {
            sequence: None,
            note,
        })
        .collect())
}

fn show(records: &[Record], as_json: bool) -> Result<(), Failure> {
    if as_json {
        let all: Vec<_> = records
            .iter()
            .map(|record| json!({"sequence": record.sequence, "note": record.note}))
            .collect();
        println!("{}", serde_json::to_string_pretty(&all)?);
        return Ok(());
    }
    table::print(
        ["#", "at", "who", "what", "about", "decided"],
        records.iter().map(|record| {
            let note = &record.note;
            [
                record.sequence.map_or_else(
                    || "not linked yet".to_owned(),
                    |sequence| sequence.to_string(),
                ),
                format!("{:.3}", note.at),
                note.actor.to_string(),
                note.action.word().replace('_', " "),
                about(note),
                decided(note),
            ]
        }),
    );
    Ok(())
}

fn about(note: &Note) -> String {
    let subject = &note.subject;
    let kind = subject.kind.map(|kind| {
        kind.event_type()
            .trim_start_matches("interplant.")
            .to_owned()
    });
    let words = [
        subject.lifecycle.as_ref().map(ToString::to_string),
        kind,
        subject.number.clone(),
        subject.exception.as_ref().map(ToString::to_string),
        subject.other.clone(),
    ];
    words.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn decided(note: &Note) -> String {
    let decided = &note.decided;
    let words = [
        decided.step.clone(),
        decided.code.map(|code| code.to_string()),
        decided.decision.map(|decision| decision.to_string()),
        decided
            .status
            .map(|status| format!("{status:?}").to_lowercase()),
        decided
            .amount_at_risk
            .map(|amount| format!("at risk {amount}")),
        decided
            .reason
            .as_ref()
            .map(|reason| format!("because {reason}")),
    ];
    words.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
