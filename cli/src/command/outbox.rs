//! `interplant outbox`: what plants are to be told, and how it is sent again.

use std::path::Path;
use std::process::ExitCode;

use clap::Subcommand;
use interplant_domain::audit::{Action, Actor, Note};
use interplant_domain::identifier::PlantCode;
use interplant_domain::outbox::Entry;
use interplant_runtime::Context;
use interplant_runtime::outbox::Shelf;

use crate::{Failure, cloud, table};

/// See what plants are to be told, and send it again
#[derive(Debug, Subcommand)]
pub(crate) enum Outbox {
    /// List what a plant has not taken, in order, and why nothing is sent if nothing is
    List {
        /// The plant
        #[arg(long)]
        plant: String,
        /// Only what is behind this position
        #[arg(long, default_value_t = 0)]
        after: u64,
        /// At most so many
        #[arg(long, default_value_t = 100)]
        most: usize,
    },
    /// Let the plant have the newest version of a document again, whatever became of it
    SendAgain {
        /// The plant
        #[arg(long)]
        plant: String,
        /// The document, as `list` shows it
        document: String,
        /// Who wants it
        #[arg(long, env = "USER")]
        by: String,
    },
    /// Try the webhook of a plant again that was stopped
    Resume {
        /// The plant
        #[arg(long)]
        plant: String,
        /// Who wants it
        #[arg(long, env = "USER")]
        by: String,
    },
}

impl Outbox {
    pub(crate) async fn run(self, local: Option<&Path>, json: bool) -> Result<ExitCode, Failure> {
        let (context, _) = cloud::attach(local).await?;
        match self {
            Self::List { plant, after, most } => {
                let plant = plant.parse()?;
                let table = &context.outbox.table;
                let page = table.open(&plant, after, most).await?;
                let stopped = table.stopped(&plant).await?;
                if json {
                    let whole = serde_json::json!({
                        "entries": page.entries, "more": page.more, "stopped": stopped
                    });
                    println!("{}", serde_json::to_string_pretty(&whole)?);
                    return Ok(ExitCode::SUCCESS);
                }
                print(&page.entries);
                if page.more {
                    println!("There are more: --after the last position.");
                }
                if let Some(stop) = stopped {
                    println!(
                        "Since {:.0} nothing is sent to {}: {}",
                        stop.at, stop.url, stop.note
                    );
                }
            }
            Self::SendAgain {
                plant,
                document,
                by,
            } => {
                let plant = plant.parse()?;
                noted(
                    &context,
                    &plant,
                    Action::OutboxSentAgain,
                    by,
                    Some(&document),
                )
                .await?;
                let Some(entry) = context.outbox.send_again(&plant, &document).await? else {
                    return Err(format!("plant {plant} was never told of {document}").into());
                };
                if json {
                    println!("{}", serde_json::to_string_pretty(&entry)?);
                } else {
                    println!(
                        "{document}, version {}, waits for {plant} at position {} again.",
                        entry.version, entry.position
                    );
                }
            }
            Self::Resume { plant, by } => {
                let plant = plant.parse()?;
                noted(&context, &plant, Action::WebhookResumed, by, None).await?;
                context.outbox.resume(&plant).await?;
                if json {
                    println!("{}", serde_json::json!({"plant": plant, "resumed": true}));
                } else {
                    println!("What waits for {plant} is sent again.");
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// What a person asks for is noted before it is done.
async fn noted(
    context: &Context,
    plant: &PlantCode,
    action: Action,
    by: String,
    document: Option<&str>,
) -> Result<(), Failure> {
    let mut note = Note::new(
        plant,
        action,
        Actor::Person(by),
        document.unwrap_or_default(),
        context.now(),
    );
    note.subject.other = document.map(str::to_owned);
    Ok(context.audit.note(&note).await?)
}

fn print(entries: &[Entry]) {
    table::print(
        [
            "position", "document", "version", "type", "state", "attempts", "next", "note",
        ],
        entries.iter().map(|entry| {
            [
                entry.position.to_string(),
                entry.document.clone(),
                entry.version.to_string(),
                entry.kind.clone(),
                entry.state.word().to_owned(),
                entry.attempts.to_string(),
                entry
                    .next_at
                    .map(|at| format!("{at:.0}"))
                    .unwrap_or_default(),
                entry.note.clone().unwrap_or_default(),
            ]
        }),
    );
}
