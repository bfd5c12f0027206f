//! `interplant send`: signs a file of events and sends it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use interplant_domain::identifier::PlantCode;
use serde_json::Value;

use crate::api::{BATCH, Sender};
use crate::{Failure, cloud, plants, table};

/// Which plant speaks, where to, and with which key.
#[derive(Debug, Args)]
pub(crate) struct As {
    /// The plant that sends
    #[arg(long)]
    plant: String,
    /// Base address of the API; a local cloud knows its own
    #[arg(long, env = "INTERPLANT_API")]
    api: Option<String>,
    /// File with the plant's key, whsec_… or whsk_…; a local cloud knows its own
    #[arg(long)]
    key_file: Option<PathBuf>,
}

impl As {
    pub(crate) async fn sender(&self, local: Option<&Path>) -> Result<Sender, Failure> {
        let plant: PlantCode = self.plant.parse()?;
        let key = match (&self.key_file, local) {
            (Some(file), _) => std::fs::read_to_string(file)
                .map_err(|error| format!("{}: {error}", file.display()))?
                .trim()
                .to_owned(),
            (None, Some(folder)) => cloud::local_key(folder, plant.as_str())?,
            (None, None) => {
                return Err(
                    "name the plant's key by --key-file, or a local cloud by --local".into(),
                );
            }
        };
        let api = match (&self.api, local) {
            (Some(api), _) => api.clone(),
            (None, Some(folder)) => cloud::attach(Some(folder))
                .await?
                .1
                .map(|ready| ready.api)
                .unwrap_or_default(),
            (None, None) => return Err("name the API by --api, or a local cloud by --local".into()),
        };
        Sender::new(&api, &plant, &key)
    }
}

/// Signs a file of events and sends it
#[derive(Debug, Args)]
pub(crate) struct Send {
    #[command(flatten)]
    sender: As,
    /// Events in one request
    #[arg(long, default_value_t = 50)]
    batch: usize,
    /// One event, a JSON array of events, or one event per line
    file: PathBuf,
}

impl Send {
    pub(crate) async fn run(self, local: Option<&Path>, json: bool) -> Result<ExitCode, Failure> {
        let sender = self.sender.sender(local).await?;
        let events = plants::read_events(&self.file)?;
        let results = send(&sender, &events, self.batch.clamp(1, 100)).await?;
        let rejected = results
            .iter()
            .filter(|result| fate(result) == "rejected")
            .count();
        if json {
            println!("{}", serde_json::to_string_pretty(&results)?);
        } else {
            table::print(
                ["event", "fate", "lifecycle", "detail"],
                results.iter().map(row),
            );
            println!("{} events sent, {rejected} rejected.", results.len());
        }
        Ok(if rejected == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

fn row(result: &Value) -> [String; 4] {
    let text = |pointer: &str| {
        result
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let place = text("/problem/pointer");
    let mut detail = [
        text("/problem/title"),
        text("/duplicate_of"),
        text("/exception"),
    ]
    .concat();
    if !place.is_empty() {
        detail = format!("{place}: {detail}");
    }
    [text("/id"), text("/status"), text("/lifecycle"), detail]
}

/// The fate of an event in the answer to a batch.
pub(crate) fn fate(result: &Value) -> &str {
    result
        .get("status")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// Sends events in batches and gives back one result for each, in order.
///
/// # Errors
/// When a batch as a whole was refused.
pub(crate) async fn send(
    sender: &Sender,
    events: &[Value],
    batch: usize,
) -> Result<Vec<Value>, Failure> {
    let progress = ProgressBar::new(events.len() as u64);
    progress.set_style(
        ProgressStyle::with_template("sending {bar:30} {pos}/{len}")
            .map_err(|error| error.to_string())?,
    );
    let mut results = Vec::with_capacity(events.len());
    for portion in events.chunks(batch) {
        let answer = sender.post(BATCH, serde_json::to_string(portion)?).await?;
        let Value::Array(answers) = answer.body else {
            return Err(format!(
                "the API refused the batch with {}: {}",
                answer.status, answer.body
            )
            .into());
        };
        results.extend(answers);
        progress.inc(portion.len() as u64);
    }
    progress.finish_and_clear();
    Ok(results)
}
