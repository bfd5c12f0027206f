//! Bytes to facts: JSON, envelope, plant, schema, and what the schema cannot say.

use interplant_domain::event::Envelope;
use interplant_domain::fact::{Fact, FactKind, content_hash};
use interplant_domain::identifier::{LifecycleId, PlantCode, sha256_hex};
use interplant_domain::json::{Error as JsonError, Json, MAX_DEPTH, parse};
use jiff::Timestamp;
use lambda_http::http::StatusCode;
use serde::Deserialize;

use crate::contract::Contract;
use crate::problem::{Fault, Problem};

/// The largest event.
pub(crate) const EVENT_BYTES: usize = 256 * 1024;
/// The largest batch: a function's request holds 6 MB, and the gateway hands bodies on as base64.
pub(crate) const BATCH_BYTES: usize = 4 * 1024 * 1024;
/// The most events in a batch.
pub(crate) const BATCH_EVENTS: usize = 100;

/// An event that is right in every respect that can be told without a store.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) envelope: Envelope,
    pub(crate) kind: FactKind,
    pub(crate) fact: Fact,
    /// The first of the lifecycles that it belongs to: where its fate is looked up.
    pub(crate) lifecycle: LifecycleId,
    pub(crate) content_hash: String,
    pub(crate) envelope_hash: String,
    pub(crate) happened_at: Timestamp,
}

/// Reads a body as JSON.
pub(crate) fn json(body: &[u8]) -> Result<Json, Problem> {
    if std::str::from_utf8(body).is_err() || body.starts_with(b"\xef\xbb\xbf") {
        return Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "invalid_encoding",
            "The body must be UTF-8 without a byte order mark.",
        ));
    }
    parse(body).map_err(|error| match error {
        JsonError::Syntax {
            line,
            column,
            reason,
        } => {
            let mut problem = Problem::new(
                StatusCode::BAD_REQUEST,
                "invalid_json",
                format!("The body is not JSON: {reason} at line {line}, column {column}."),
            );
            problem.line = Some(line);
            problem.column = Some(column);
            problem
        }
        JsonError::DuplicateKey { key, pointer } => Problem::new(
            StatusCode::BAD_REQUEST,
            "duplicate_key",
            format!(
                "The key `{}` appears twice in one object; send it once.",
                key.escape_debug()
            ),
        )
        .at(pointer),
        JsonError::TooDeep { pointer } => Problem::new(
            StatusCode::BAD_REQUEST,
            "too_deep",
            format!("The body nests deeper than {MAX_DEPTH} levels."),
        )
        .at(pointer),
    })
}

/// Reads one event of a plant.
pub(crate) fn event(contract: &Contract, plant: &PlantCode, event: Json) -> Result<Event, Problem> {
    if event.as_object().is_none() {
        return Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "invalid_event",
            "An event is a JSON object; an array of events is sent as application/cloudevents-batch+json.",
        ));
    }
    let value = event.into_text_values();
    fail(contract.envelope_faults(&value))?;
    let envelope = Envelope::deserialize(&value).map_err(|error| invalid("", error.to_string()))?;
    if envelope.plant().as_ref() != Some(plant) {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "plant_mismatch",
            format!("The request is signed by {plant}, but `source` names another plant: a plant sends its own facts only."),
        )
        .at("/source"));
    }
    let kind =
        FactKind::from_event_type(&envelope.event_type).filter(|kind| kind.is_sent_by_plants());
    let kind = kind.ok_or_else(|| {
        let known: Vec<_> = FactKind::ALL
            .iter()
            .filter(|kind| kind.is_sent_by_plants())
            .map(|kind| kind.event_type())
            .collect();
        Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "unknown_event_type",
            format!("`type` is none of {}.", known.join(", ")),
        )
        .at("/type")
    })?;
    if envelope.revision() > 1 {
        return Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "revision_not_taken",
            "Corrections by a higher revision are not taken yet: it would be booked in addition. Correct the document in Odoo, or send a new document.",
        )
        .at("/bizrev"));
    }
    let happened_at = envelope.happened_at().map_err(|error| {
        Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid_date",
            format!("`time` is not a moment with an offset: {error}"),
        )
        .at("/time")
    })?;
    fail(contract.fact_faults(kind, &envelope.data))?;
    let fact =
        Fact::read(kind, &envelope.data).map_err(|error| invalid("/data", error.to_string()))?;
    fact.check(plant).map_err(|contradiction| {
        let code = if contradiction.pointer == "/plant" {
            "plant_mismatch"
        } else {
            "invalid_value"
        };
        let status = if code == "plant_mismatch" {
            StatusCode::FORBIDDEN
        } else {
            StatusCode::UNPROCESSABLE_ENTITY
        };
        Problem::new(status, code, contradiction.message)
            .at(format!("/data{}", contradiction.pointer))
    })?;
    let content_hash = content_hash(&fact).map_err(|error| invalid("/data", error.to_string()))?;
    // The trace and the time of a repeated sending may differ; what is said must not.
    let envelope_hash = sha256_hex(
        format!(
            "{}\u{1f}{}\u{1f}{content_hash}",
            envelope.event_type,
            envelope.revision()
        )
        .as_bytes(),
    );
    let lifecycle = fact.lifecycles(plant).into_iter().next();
    let lifecycle =
        lifecycle.ok_or_else(|| invalid("/data", "the fact names no order".to_owned()))?;
    Ok(Event {
        kind,
        fact,
        lifecycle,
        content_hash,
        envelope_hash,
        happened_at,
        envelope,
    })
}

fn fail(faults: Vec<Fault>) -> Result<(), Problem> {
    Problem::from_faults(faults).map_or(Ok(()), Err)
}

fn invalid(pointer: &str, detail: String) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_value", detail).at(pointer)
}
