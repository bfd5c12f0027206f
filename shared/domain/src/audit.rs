//! The audit of a plant: who decided what, when, about what, on which inputs; a chain that shows every change.
//!
//! A [`Note`] is made together with what it tells of and has no place yet. A single sequencer of the plant
//! links notes one after the other: each record holds its number, the hash of the record before it, and its
//! own hash over all of that. Whoever changes, removes, inserts or moves a record breaks a link; whoever
//! takes records away at the end contradicts an [`Anchor`] that was written elsewhere.
//!
//! What a record holds of documents: ids, numbers of documents, codes, decisions, hashes. No text of a plant,
//! of a supplier or of Odoo, no account, no price. Of money it holds the amount at risk of an exception that
//! a person decides, because whether one person was enough depends on it.

mod free_text;
mod notes;
mod verify;

pub use free_text::masked;
pub use verify::{Finding, Verified, Verifier, What};

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::decimal::Amount;
use crate::exception::{Code, Decision};
use crate::fact::FactKind;
use crate::identifier::{EventId, ExceptionId, LifecycleId, PlantCode, sha256_hex};
use crate::lifecycle::Status;

/// Version of the code that decides: all rooms have the same.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What stands for the record before the first one.
pub const START: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Something that is to be noted, before it has a place in the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// `aud_` and sixteen hexadecimal digits, the same for the same change.
    pub id: String,
    /// Whose chain.
    pub plant: PlantCode,
    /// When it was done.
    pub at: Timestamp,
    /// Who did it.
    pub actor: Actor,
    /// What was done.
    pub action: Action,
    /// About what.
    pub subject: Subject,
    /// What was decided.
    #[serde(default, skip_serializing_if = "Decided::is_empty")]
    pub decided: Decided,
    /// Hashes of what it was decided from.
    #[serde(default, skip_serializing_if = "Inputs::is_empty")]
    pub inputs: Inputs,
}

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// A person, by the name that the person's identity gives.
    Person(String),
    /// A part of Interplant, with its version.
    Component {
        /// The step or function.
        name: String,
        /// The release.
        version: String,
    },
}

impl Actor {
    /// A part of Interplant, of this release.
    #[must_use]
    pub fn component(name: &str) -> Self {
        Self::Component {
            name: name.to_owned(),
            version: VERSION.to_owned(),
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(name) => f.write_str(name),
            Self::Component { name, version } => write!(f, "{name} {version}"),
        }
    }
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// An execution was started for a lifecycle, or replaced.
    GenerationStarted,
    /// A step has done its work: in Odoo, or a match.
    StepDone,
    /// A fact was settled without a step: it went on to its order, or its bill was posted before a cancellation.
    FactSettled,
    /// A fact waits for another one.
    FactParked,
    /// A fact waits for a person.
    FactHeld,
    /// A fact has no effect.
    FactSkipped,
    /// An exception was raised.
    ExceptionRaised,
    /// An open exception was brought up to date.
    ExceptionUpdated,
    /// An exception ended by itself.
    ExceptionResolved,
    /// The first of two people has accepted.
    FirstApproval,
    /// A person has decided.
    ExceptionDecided,
    /// An exception was given to somebody else.
    Assigned,
    /// A person has proposed how a fact should read; a second one has to approve it.
    AmendmentProposed,
    /// The second person has not.
    AmendmentTurnedDown,
    /// A fact was put in the place of another one.
    Amended,
    /// A defect of Interplant has stopped a lifecycle.
    Halted,
    /// A person has started a halted lifecycle again.
    Restarted,
    /// Nothing is left to do.
    Closed,
    /// A lifecycle is not followed any more.
    Cancelled,
    /// A plant's configuration was published.
    PlantPublished,
    /// A document of the outbox is to be sent again.
    OutboxSentAgain,
    /// A webhook that was stopped is to be tried again.
    WebhookResumed,
    /// A dead letter is to be taken up again.
    Redriven,
}

impl Action {
    /// The word for it, as the record has it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::GenerationStarted => "generation_started",
            Self::StepDone => "step_done",
            Self::FactSettled => "fact_settled",
            Self::FactParked => "fact_parked",
            Self::FactHeld => "fact_held",
            Self::FactSkipped => "fact_skipped",
            Self::ExceptionRaised => "exception_raised",
            Self::ExceptionUpdated => "exception_updated",
            Self::ExceptionResolved => "exception_resolved",
            Self::FirstApproval => "first_approval",
            Self::ExceptionDecided => "exception_decided",
            Self::Assigned => "assigned",
            Self::AmendmentProposed => "amendment_proposed",
            Self::AmendmentTurnedDown => "amendment_turned_down",
            Self::Amended => "amended",
            Self::Halted => "halted",
            Self::Restarted => "restarted",
            Self::Closed => "closed",
            Self::Cancelled => "cancelled",
            Self::PlantPublished => "plant_published",
            Self::OutboxSentAgain => "outbox_sent_again",
            Self::WebhookResumed => "webhook_resumed",
            Self::Redriven => "redriven",
        }
    }
}

/// About what; as much of it as there is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Subject {
    /// The lifecycle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifecycle: Option<LifecycleId>,
    /// The lifecycle's revision that came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
    /// The execution's generation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<u32>,
    /// The event that brought the fact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<EventId>,
    /// The kind of fact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<FactKind>,
    /// Position of the fact in the mailbox.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<u64>,
    /// The number a person knows the fact by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// The exception.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exception: Option<ExceptionId>,
    /// A file, a document of the outbox, a message: what else it may be about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<String>,
}

/// What was decided; as much of it as there is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Decided {
    /// The step that was done, or that could not be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// How often it was tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u32>,
    /// The exception's code, or the one that a waiting fact becomes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// Whether the whole document waits for the decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocks: Option<bool>,
    /// Whom the exception was given to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
    /// Why, in the person's words; runs of digits such as accounts have are masked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How much is at risk, where a person decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_at_risk: Option<Amount>,
    /// Where the lifecycle stands after it, if that has changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
}

impl Decided {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// SHA-256 of what it was decided from, so that an auditor can tell whether it is still the same.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Inputs {
    /// Of the fact's content, as the inbox has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fact: Option<String>,
    /// Of the step's plan or evidence, canonical JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// Of the sentence: an exception's message, a step's result, what a fact waits for, a defect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Of the configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration: Option<String>,
}

impl Inputs {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Note {
    /// A note of something that happens outside of lifecycles. `cause` makes its id: what is the same
    /// happening has the same.
    #[must_use]
    pub fn new(
        plant: &PlantCode,
        action: Action,
        actor: Actor,
        cause: &str,
        at: Timestamp,
    ) -> Self {
        Self {
            id: id(&[plant.as_str(), action.word(), cause, &at.to_string()]),
            plant: plant.clone(),
            at,
            actor,
            action,
            subject: Subject::default(),
            decided: Decided::default(),
            inputs: Inputs::default(),
        }
    }
}

/// The id of a note.
fn id(cause: &[&str]) -> String {
    let hash = sha256_hex(cause.join("\u{1f}").as_bytes());
    format!("aud_{}", hash.get(..16).unwrap_or_default())
}

/// SHA-256 over canonical JSON (RFC 8785).
#[must_use]
pub fn canonical_hash(value: &Value) -> String {
    sha256_hex(&serde_json_canonicalizer::to_vec(value).unwrap_or_default())
}

/// The end of a chain: number and hash of its last record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Number of the last record; 0 when there is none.
    pub sequence: u64,
    /// Its hash.
    pub hash: String,
}

impl Default for Head {
    fn default() -> Self {
        Self {
            sequence: 0,
            hash: START.to_owned(),
        }
    }
}

/// The end of a chain as it was at a time, kept where the chain is not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchor {
    /// Whose chain.
    pub plant: PlantCode,
    /// Number of the last record.
    pub sequence: u64,
    /// Its hash.
    pub hash: String,
    /// When it was the last one.
    pub at: Timestamp,
}

/// A note with its place in the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Linked {
    /// The chain ends here now.
    pub head: Head,
    /// The record: canonical JSON, and exactly this text.
    pub text: String,
}

/// Why a note cannot be linked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a note cannot be linked to the audit chain: {0}")]
pub struct Unlinkable(String);

/// Links a note to the end of a chain.
///
/// # Errors
/// When the note is no JSON object; notes of this release are.
pub fn link(head: &Head, note: &Note) -> Result<Linked, Unlinkable> {
    let unlinkable = |error: serde_json::Error| Unlinkable(error.to_string());
    let Value::Object(mut record) = serde_json::to_value(note).map_err(unlinkable)? else {
        return Err(Unlinkable("it is no object".to_owned()));
    };
    let sequence = head.sequence + 1;
    record.insert("sequence".to_owned(), sequence.into());
    record.insert("previous".to_owned(), head.hash.clone().into());
    let hash = hash_of(&record).map_err(unlinkable)?;
    record.insert("hash".to_owned(), hash.clone().into());
    let text = serde_json_canonicalizer::to_string(&record).map_err(unlinkable)?;
    Ok(Linked {
        head: Head { sequence, hash },
        text,
    })
}

/// The hash of a record, which has none itself yet.
fn hash_of(record: &Map<String, Value>) -> Result<String, serde_json::Error> {
    serde_json_canonicalizer::to_vec(record).map(|bytes| sha256_hex(&bytes))
}
