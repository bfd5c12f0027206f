//! `interplant deliver`: uploads files of a plant and says what became of them.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use serde_json::Value;

use crate::command::send::As;
use crate::deliver::{deliver, settled};
use crate::{Failure, table};

/// Uploads files that a feed reads together, and waits until they are read
#[derive(Debug, Args)]
pub(crate) struct Deliver {
    #[command(flatten)]
    sender: As,
    /// The feed
    #[arg(long)]
    feed: String,
    /// Seconds to wait
    #[arg(long, default_value_t = 600)]
    wait: u64,
    /// The files, all that the feed reads together
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

impl Deliver {
    pub(crate) async fn run(self, local: Option<&Path>, json: bool) -> Result<ExitCode, Failure> {
        let sender = self.sender.sender(local).await?;
        let id = deliver(&sender, &self.feed, &self.files).await?;
        let fate = settled(&sender, &id, Duration::from_secs(self.wait)).await?;
        let whole = fate.get("state").and_then(Value::as_str) == Some("done");
        let problems = fate.get("problems").and_then(Value::as_array);
        let clean = problems.is_none_or(Vec::is_empty);
        if json {
            println!("{}", serde_json::to_string_pretty(&fate)?);
        } else {
            print(&id, &fate);
        }
        Ok(if whole && clean {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

fn print(id: &str, fate: &Value) {
    let shown = |pointer: &str| {
        let value = fate.pointer(pointer).cloned().unwrap_or_default();
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    };
    println!(
        "{id} is {}: {} documents.",
        shown("/state"),
        shown("/documents")
    );
    if let Some(first) = fate.get("same_as").and_then(Value::as_str) {
        println!("The same bytes came before as {first}; nothing was read again.");
    }
    let counts = [
        ("accepted", "facts taken in"),
        ("duplicates", "facts that were there before"),
        (
            "held",
            "facts that differ from an earlier one: a person decides",
        ),
        ("unknown_code", "facts with a code that no lookup knows"),
        ("rejected", "facts that could not be made"),
        ("unread", "rows that could not be read"),
    ];
    let rows = counts.map(|(name, what)| [shown(&format!("/counts/{name}")), what.to_owned()]);
    table::print(["count", "what"], rows);
    if let Some(why) = fate.get("refused").filter(|why| !why.is_null()) {
        println!("Not read: {why}");
    }
    let problems = fate.get("problems").and_then(Value::as_array);
    for problem in problems.into_iter().flatten() {
        println!("{problem}");
    }
}
