//! Where facts wait for the step that applies them.
//!
//! A lifecycle's mailbox is a list of entries in the order of arrival, each with a sequence number.
//! The order of application follows from the entries and the document's state alone, so that any
//! execution, at any time, goes on where the last one stopped.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::amendment::Change;
use crate::exception::{Code as ExceptionCode, Decision, Exception};
use crate::fact::{FactKind, is_false};
use crate::identifier::{EventId, ExceptionId, LifecycleKind};

/// A fact in the mailbox. The document itself stays in the inbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Position in the order of arrival, from 1.
    pub sequence: u64,
    /// The event.
    pub event_id: EventId,
    /// Key of the inbox row that holds the document.
    pub inbox_key: String,
    /// SHA-256 of its content, for the audit; none of a fact that an older release has taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_hash: Option<String>,
    /// The kind of fact.
    pub kind: FactKind,
    /// The number a person knows it by: order, acknowledgement, receipt or invoice number.
    pub number: String,
    /// When it happened at the plant.
    pub happened_at: Timestamp,
    /// When Interplant stored it.
    pub received_at: Timestamp,
    /// Until when its predecessor should have come.
    pub due_at: Timestamp,
    /// Where it stands.
    pub state: EntryState,
    /// What a person has accepted of it, although it is beyond the tolerance.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub accepted: BTreeSet<ExceptionCode>,
    /// When it was applied or skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled_at: Option<Timestamp>,
    /// What came of it, in a few words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
}

/// Where a fact stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum EntryState {
    /// Nobody has looked at it, or it may be looked at again.
    Waiting,
    /// It was looked at and needs another fact first: it is looked at again when the order has changed.
    Parked {
        /// Changes of the order that had been seen when it was looked at.
        changes_seen: u64,
        /// What it waits for.
        reason: String,
        /// The exception that it becomes when it has waited too long.
        becomes: ExceptionCode,
    },
    /// A person may decide, and nothing else waits for that: it is looked at again when the order has changed.
    OnHold {
        /// The exception.
        exception: ExceptionId,
        /// Changes of the order that had been seen when it was looked at.
        changes_seen: u64,
    },
    /// A step of this generation works on it.
    Taken {
        /// The generation of the execution; a newer one takes it over.
        generation: u32,
    },
    /// A person decides, and the whole document waits for that.
    Held {
        /// The exception.
        exception: ExceptionId,
    },
    /// Done.
    Applied,
    /// A person decided that it has no effect.
    Skipped,
    /// It is kept as it came: this release does nothing with such a fact, and none may begin to by itself.
    Recorded,
}

/// What is said of a fact that is only kept.
pub const RECORDED: &str = "kept as it came: nothing is done with it in Odoo yet";

impl EntryState {
    /// Where a fact stands that has just come.
    #[must_use]
    pub fn first(kind: LifecycleKind) -> Self {
        if kind.only_keeps() {
            Self::Recorded
        } else {
            Self::Waiting
        }
    }
}

impl Entry {
    /// Whether it still has to be dealt with.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !matches!(self.state, EntryState::Applied | EntryState::Skipped)
    }
}

/// An exception as it is stored: raised once, decided once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RaisedException {
    /// Its id, the same for the same cause.
    pub id: ExceptionId,
    /// Code and sentence.
    pub exception: Exception,
    /// The step that raised it, or `ingest` or `sweep`.
    pub raised_by: String,
    /// The event that it is about.
    pub event_id: EventId,
    /// Whom the plant names for the code's owner role.
    pub owner: String,
    /// When it was raised.
    pub raised_at: Timestamp,
    /// Until when it should be decided.
    pub due_at: Timestamp,
    /// Whether the lifecycle stands still until it is decided.
    pub blocks: bool,
    /// What it is about, where one fact can be the cause of several: a line, a nonconformance.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// Whether two people have to accept it, because so much is at risk.
    #[serde(default, skip_serializing_if = "is_false")]
    pub two_people: bool,
    /// Who has accepted it so far, when two have to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accepted_by: Vec<Resolution>,
    /// What people have done about it without ending it.
    #[serde(default, skip_serializing_if = "Handling::is_none")]
    pub handling: Handling,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution: Option<Resolution>,
}

/// How an exception ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolution {
    /// The decision; none when a later fact made the exception go away.
    pub decision: Option<Decision>,
    /// Who decided.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
    /// By which the one who decided tells a repeated request from a second one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// What people have done about an exception without ending it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Handling {
    /// Who handed it to whom.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assigned: Vec<Assignment>,
    /// What somebody wants to be said instead of its fact; a second person has to approve it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposal: Option<Proposal>,
    /// The last proposal that was turned down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turned_down: Option<Resolution>,
}

impl Handling {
    /// Whether nobody has done anything.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// An exception handed on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// Whose it was.
    pub from: String,
    /// Whose it is now.
    pub to: String,
    /// Who handed it on, why, and when.
    pub given: Resolution,
}

/// An amendment that may wait for a second person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// The fact that takes the place of the one that waits.
    pub event_id: EventId,
    /// Key of its inbox row.
    pub inbox_key: String,
    /// What it says otherwise.
    pub changes: Vec<Change>,
    /// Who wrote it, why, and when.
    pub given: Resolution,
    /// Why one person is not enough; none when one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs_second: Option<String>,
    /// Who approved it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved: Option<Resolution>,
}
