//! Events as JSON, checked in every respect that can be told without a store.

use interplant_domain::event::Envelope;
use interplant_domain::fact::{Fact, FactKind, content_hash};
use interplant_domain::identifier::{LifecycleId, PlantCode, sha256_hex};
use interplant_domain::json::Json;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::contract::Contract;

/// The largest event.
pub const EVENT_BYTES: usize = 256 * 1024;

/// Why something is not taken: a code for machines, words for people, and the place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{detail}")]
pub struct Refusal {
    /// The code.
    pub code: &'static str,
    /// What is wrong and what to do.
    pub detail: String,
    /// JSON pointer of the place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// All faults, when there are several; the first one gave code and place.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Fault>,
}

/// One of several faults.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The code.
    pub code: &'static str,
    /// JSON pointer of the place.
    pub pointer: String,
    /// What is wrong and what to do.
    pub detail: String,
}

impl Refusal {
    /// A refusal without a place.
    #[must_use]
    pub fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            pointer: None,
            faults: Vec::new(),
        }
    }

    /// The same with its place.
    #[must_use]
    pub fn at(mut self, pointer: impl Into<String>) -> Self {
        self.pointer = Some(pointer.into());
        self
    }
}

/// An event that is right in every respect that can be told without a store.
#[derive(Debug, Clone)]
pub struct Event {
    /// The envelope.
    pub envelope: Envelope,
    /// What kind of fact it is.
    pub kind: FactKind,
    /// The fact.
    pub fact: Fact,
    /// The first of the lifecycles that it belongs to: where its fate is looked up.
    pub lifecycle: LifecycleId,
    /// SHA-256 over the content alone.
    pub content_hash: String,
    /// SHA-256 over what a repeated sending must repeat.
    pub envelope_hash: String,
    /// When it happened at the plant.
    pub happened_at: Timestamp,
}

/// Reads one event of a plant.
///
/// # Errors
/// A refusal with its code and its place.
pub fn event(contract: &Contract, plant: &PlantCode, event: Json) -> Result<Event, Refusal> {
    if event.as_object().is_none() {
        return Err(Refusal::new(
            "invalid_event",
            "An event is a JSON object; an array of events is sent as application/cloudevents-batch+json.",
        ));
    }
    checked(contract, plant, &event.into_text_values())
}

/// Checks one event of a plant, an object whose numbers are text already.
///
/// # Errors
/// A refusal with its code and its place.
pub(crate) fn checked(
    contract: &Contract,
    plant: &PlantCode,
    value: &Value,
) -> Result<Event, Refusal> {
    fail(contract.envelope_faults(value))?;
    let envelope = Envelope::deserialize(value).map_err(|error| invalid("", error.to_string()))?;
    if envelope.plant().as_ref() != Some(plant) {
        return Err(Refusal::new("plant_mismatch",
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
        Refusal::new(
            "unknown_event_type",
            format!("`type` is none of {}.", known.join(", ")),
        )
        .at("/type")
    })?;
    if envelope.revision() > 1 {
        return Err(Refusal::new("revision_not_taken",
            "Corrections by a higher revision are not taken yet: it would be booked in addition. Correct the document in Odoo, or send a new document.",
        )
        .at("/bizrev"));
    }
    let happened_at = envelope.happened_at().map_err(|error| {
        Refusal::new(
            "invalid_date",
            format!("`time` is not a moment with an offset: {error}"),
        )
        .at("/time")
    })?;
    fail(contract.fact_faults(kind, &envelope.data))?;
    let fact =
        Fact::read(kind, &envelope.data).map_err(|error| invalid("/data", error.to_string()))?;
    check(plant, &fact)?;
    assemble(plant, envelope, fact, happened_at)
}

/// An event that Interplant makes itself, of what it has seen in Odoo: it came through no door.
///
/// # Errors
/// When the fact says something that no fact may say.
pub fn own(
    plant: &PlantCode,
    system: &str,
    id: &str,
    happened_at: Timestamp,
    fact: Fact,
) -> Result<Event, Refusal> {
    check(plant, &fact)?;
    let data = fact
        .data()
        .map_err(|error| invalid("/data", error.to_string()))?;
    let envelope = Envelope {
        specversion: "1.0".to_owned(),
        id: id.to_owned(),
        source: format!("urn:plant:{plant}:{system}"),
        event_type: fact.kind().event_type().to_owned(),
        time: happened_at.to_string(),
        subject: None,
        datacontenttype: None,
        dataschema: None,
        traceparent: None,
        bizrev: None,
        mappinghash: None,
        data,
    };
    assemble(plant, envelope, fact, happened_at)
}

fn check(plant: &PlantCode, fact: &Fact) -> Result<(), Refusal> {
    fact.check(plant).map_err(|contradiction| {
        let code = if contradiction.pointer == "/plant" {
            "plant_mismatch"
        } else {
            "invalid_value"
        };
        Refusal::new(code, contradiction.message).at(format!("/data{}", contradiction.pointer))
    })
}

fn assemble(
    plant: &PlantCode,
    envelope: Envelope,
    fact: Fact,
    happened_at: Timestamp,
) -> Result<Event, Refusal> {
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
        kind: fact.kind(),
        fact,
        lifecycle,
        content_hash,
        envelope_hash,
        happened_at,
        envelope,
    })
}

fn fail(faults: Vec<Fault>) -> Result<(), Refusal> {
    let Some(first) = faults.first().cloned() else {
        return Ok(());
    };
    let mut refusal = Refusal::new(first.code, first.detail).at(first.pointer);
    if faults.len() > 1 {
        refusal.faults = faults;
    }
    Err(refusal)
}

fn invalid(pointer: &str, detail: String) -> Refusal {
    Refusal::new("invalid_value", detail).at(pointer)
}
