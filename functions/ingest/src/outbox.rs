//! The outbox: what a plant is to be told, asked for and acknowledged.

use interplant_domain::identifier::PlantCode;
use interplant_domain::json::Json;
use interplant_domain::outbox::Entry;
use interplant_domain::plant::Plant;
use interplant_runtime::Context;
use interplant_runtime::outbox::{Acknowledged, Shelf, Word};
use lambda_http::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::problem::Problem;
use crate::request::unavailable;

/// The most entries of an answer, and of a list of acknowledgements.
pub(crate) const MOST: usize = 100;

/// The most entries that one `upTo` settles; the answer says whether there are more.
const MOST_UP_TO: usize = 500;

/// The longest reason of a refusal.
const REASON_CHARS: usize = 500;

/// What a plant acknowledges: a list, all up to a position, or one by one.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Acknowledgements {
    /// Texts, like every number at the door.
    positions: Option<Vec<String>>,
    #[serde(rename = "upTo")]
    up_to: Option<String>,
    entries: Option<Vec<One>>,
    status: Option<Status>,
    reason: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct One {
    position: String,
    status: Option<Status>,
    reason: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    #[default]
    Applied,
    Refused,
}

fn refused(title: impl Into<String>, pointer: &str) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_value", title).at(pointer)
}

fn parameter(code: &'static str, title: impl Into<String>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, code, title)
}

/// `GET /v1/outbox`: what the plant has not taken, in order.
pub(crate) async fn list(
    context: &Context,
    plant: &PlantCode,
    after: Option<&str>,
    limit: Option<&str>,
) -> Result<Value, Problem> {
    let after: u64 = after.unwrap_or("0").parse().map_err(|_| {
        parameter(
            "invalid_number",
            "`after` is the position of an entry, a whole number.",
        )
    })?;
    let limit: usize = match limit {
        None => MOST,
        Some(text) => text
            .parse()
            .ok()
            .filter(|limit| (1..=MOST).contains(limit))
            .ok_or_else(|| {
                parameter(
                    "invalid_number",
                    format!("`limit` is a number from 1 to {MOST}."),
                )
            })?,
    };
    let mut page = context
        .outbox
        .table
        .open(plant, after, limit)
        .await
        .map_err(|error| unavailable(&error))?;
    let takes_files = context
        .files
        .with_outs(plant)
        .await
        .map_err(|error| unavailable(&error))?
        .is_some();
    if takes_files && let Some(unmade) = page.entries.iter().position(|entry| entry.files.is_none())
    {
        // Its files come in a moment; what is behind it is not shown before it, or it could be overlooked.
        page.entries.truncate(unmade);
        page.more = true;
    }
    let next = page.entries.last().map_or(after, |entry| entry.position);
    let mut entries = Vec::with_capacity(page.entries.len());
    for entry in &page.entries {
        entries.push(shown(context, entry).await?);
    }
    Ok(json!({"entries": entries, "next": next, "more": page.more}))
}

async fn shown(context: &Context, entry: &Entry) -> Result<Value, Problem> {
    let mut shown = json!({
        "position": entry.position, "event_id": entry.event_id, "document": entry.document, "type": entry.kind,
        "version": entry.version, "offered_at": entry.offered_at, "event": entry.event
    });
    if let (Some(files), Some(shown)) = (&entry.files, shown.as_object_mut()) {
        let mut made = Vec::with_capacity(files.made.len());
        for file in &files.made {
            let url = context.files.out_address(&file.key).await;
            let url = url.map_err(|error| unavailable(&error))?;
            made.push(json!({"out": file.out, "name": file.name, "file_url": url}));
        }
        if !made.is_empty() {
            shown.insert("files".to_owned(), Value::Array(made));
        }
        if let Some(problem) = &files.problem {
            shown.insert("file_problem".to_owned(), json!(problem));
        }
    }
    Ok(shown)
}

/// `POST /v1/outbox/acknowledgements`: what the plant has done with entries.
pub(crate) async fn take(context: &Context, plant: &Plant, body: Json) -> Result<Value, Problem> {
    let said = Acknowledgements::deserialize(body.into_text_values())
        .map_err(|error| refused(error.to_string(), ""))?;
    let (words, more) = words(context, plant, said).await?;
    let mut results = Vec::with_capacity(words.len());
    for (position, word) in words {
        let outcome = context.acknowledge(plant, position, &word).await;
        let outcome = outcome.map_err(|error| unavailable(&error))?;
        let state = match outcome {
            Acknowledged::Now(state) | Acknowledged::Before(state) => state.word(),
            Acknowledged::Unknown => "unknown",
        };
        results.push(json!({"position": position, "state": state}));
    }
    Ok(json!({"acknowledgements": results, "more": more}))
}

/// What is said of which entry, and whether there are more than one request settles.
async fn words(
    context: &Context,
    plant: &Plant,
    said: Acknowledgements,
) -> Result<(Vec<(u64, Word)>, bool), Problem> {
    let limited = |count: usize, pointer: &str| {
        if count > MOST {
            return Err(refused(
                format!("acknowledge at most {MOST} entries at once"),
                pointer,
            ));
        }
        Ok(())
    };
    match (said.positions, said.up_to, said.entries) {
        (Some(positions), None, None) => {
            limited(positions.len(), "/positions")?;
            let word = word(said.status, said.reason, "")?;
            let words = positions.iter().enumerate().map(|(index, text)| {
                Ok((
                    position(text, &format!("/positions/{index}"))?,
                    word.clone(),
                ))
            });
            Ok((words.collect::<Result<_, Problem>>()?, false))
        }
        (None, Some(up_to), None) => {
            let last = position(&up_to, "/upTo")?;
            if word(said.status, said.reason, "")? != Word::Applied {
                return Err(refused(
                    "refuse entries one by one, by `positions`",
                    "/upTo",
                ));
            }
            let open = context
                .outbox
                .table
                .open(&plant.plant, 0, MOST_UP_TO)
                .await
                .map_err(|error| unavailable(&error))?;
            let reached = open.entries.iter().any(|entry| entry.position > last);
            let words = open.entries.iter().map(|entry| entry.position);
            let words = words.filter(|position| *position <= last);
            Ok((
                words.map(|position| (position, Word::Applied)).collect(),
                open.more && !reached,
            ))
        }
        (None, None, Some(entries)) if said.status.is_none() && said.reason.is_none() => {
            limited(entries.len(), "/entries")?;
            let words = entries.into_iter().enumerate().map(|(index, one)| {
                let here = format!("/entries/{index}");
                let position = position(&one.position, &format!("{here}/position"))?;
                Ok((position, word(one.status, one.reason, &here)?))
            });
            Ok((words.collect::<Result<_, Problem>>()?, false))
        }
        _ => Err(refused(
            "name the entries by `positions`, by `upTo`, or one by one by `entries` with a status and a reason each",
            "",
        )),
    }
}

fn position(text: &str, pointer: &str) -> Result<u64, Problem> {
    text.parse().map_err(|_| {
        Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid_number",
            format!("`{}` is no position of an entry", text.escape_debug()),
        )
        .at(pointer)
    })
}

fn word(status: Option<Status>, reason: Option<String>, here: &str) -> Result<Word, Problem> {
    let reason = reason.filter(|reason| !reason.trim().is_empty());
    match (status.unwrap_or_default(), reason) {
        (Status::Applied, None) => Ok(Word::Applied),
        (Status::Applied, Some(_)) => Err(refused(
            "a reason goes with the status `refused`",
            &format!("{here}/reason"),
        )),
        (Status::Refused, Some(reason)) if reason.chars().count() <= REASON_CHARS => {
            Ok(Word::Refused { reason })
        }
        (Status::Refused, _) => Err(refused(
            format!("say in `reason` why it is refused, in 1 to {REASON_CHARS} characters"),
            &format!("{here}/reason"),
        )),
    }
}
