//! What a plant is to be told: one entry for each version of a document, the newest alone delivered.
//!
//! Entries of a plant have positions without a gap, in the order in which they were offered. A version
//! that is not newer than the one that is known is no entry; a newer one makes an older one obsolete that
//! the plant has not taken yet.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::identifier::{PlantCode, sha256_hex};

/// Something that a plant is to be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Position among the plant's entries, from 1.
    pub position: u64,
    /// The event's own id, by which the plant recognises a repeat.
    pub event_id: String,
    /// The plant.
    pub plant: PlantCode,
    /// The document, such as `po/plant-b/4711`.
    pub document: String,
    /// The type of the event.
    pub kind: String,
    /// The document's version.
    pub version: u64,
    /// The event, as CloudEvents has it.
    pub event: serde_json::Value,
    /// What brought it about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causation: Option<String>,
    /// When it was offered.
    pub offered_at: Timestamp,
    /// Where it stands.
    pub state: State,
    /// How often it was sent to the plant, without an answer that it was taken.
    #[serde(default)]
    pub attempts: u32,
    /// When it is sent next; at once without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_at: Option<Timestamp>,
    /// When it came to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled_at: Option<Timestamp>,
    /// What the plant said last, or why it was not sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The plant's own files that were made of it, once somebody has looked whether there are such.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<Files>,
    /// Raised by every change.
    pub revision: u64,
}

/// What was made of an entry for a plant that takes files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Files {
    /// SHA-256 of the configuration by which they were made.
    pub bundle: String,
    /// The files.
    pub made: Vec<FileOut>,
    /// Why one of them could not be made; another configuration may make it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// A file that was made of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileOut {
    /// What kind of file.
    pub out: String,
    /// Its name.
    pub name: String,
    /// Where it lies.
    pub key: String,
}

/// Where an entry stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    /// The plant has not taken it.
    Waiting,
    /// It was sent as often as it may be: only a person, or the plant by asking for it, goes on.
    GivenUp,
    /// The plant has taken it, and will say no more about it.
    Delivered,
    /// The plant has applied it.
    Applied,
    /// The plant refuses it.
    Refused,
    /// A newer version came before the plant took it.
    Obsolete {
        /// The position of the newer one.
        by: u64,
    },
}

impl State {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::GivenUp => "given_up",
            Self::Delivered => "delivered",
            Self::Applied => "applied",
            Self::Refused => "refused",
            Self::Obsolete { .. } => "obsolete",
        }
    }

    /// Whether the plant can still take it.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Self::Waiting | Self::GivenUp)
    }
}

/// What is known of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Newest {
    /// Its newest version.
    pub version: u64,
    /// The position of that version.
    pub position: u64,
}

/// What becomes of a version that is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is new.
    Take,
    /// It was offered before.
    Same {
        /// Its position.
        position: u64,
    },
    /// A newer one is there.
    Older {
        /// The newest version.
        version: u64,
        /// Its position.
        position: u64,
    },
}

/// What becomes of a version, by what is known of its document.
#[must_use]
pub fn judge(known: Option<&Newest>, version: u64) -> Verdict {
    match known {
        Some(&Newest {
            version: newest,
            position,
        }) if newest == version => Verdict::Same { position },
        Some(&Newest {
            version: newest,
            position,
        }) if newest > version => Verdict::Older {
            version: newest,
            position,
        },
        Some(_) | None => Verdict::Take,
    }
}

impl Entry {
    /// The entry at its end, or brought back from it.
    #[must_use]
    pub fn moved(&self, state: State, note: Option<String>, now: Timestamp) -> Self {
        Self {
            state,
            next_at: None,
            settled_at: (!state.is_open()).then_some(now),
            note: note.or_else(|| self.note.clone()),
            revision: self.revision + 1,
            ..self.clone()
        }
    }

    /// The entry after an attempt that the plant did not take: when it is sent again, or that it is not.
    #[must_use]
    pub fn failed(
        &self,
        note: String,
        retry_after: Option<SignedDuration>,
        now: Timestamp,
    ) -> Self {
        let attempts = self.attempts + 1;
        let wait = wait(attempts, &self.event_id).map(|ladder| {
            // The plant says itself when it can take it.
            retry_after.map_or(ladder, |asked| asked.clamp(SHORTEST, LONGEST))
        });
        Self {
            attempts,
            next_at: wait.map(|wait| now + wait),
            state: if wait.is_some() {
                State::Waiting
            } else {
                State::GivenUp
            },
            note: Some(note),
            revision: self.revision + 1,
            ..self.clone()
        }
    }

    /// Whether its files have to be made by a configuration: none were, or a former one could not.
    #[must_use]
    pub fn wants_files(&self, bundle: &str) -> bool {
        self.files
            .as_ref()
            .is_none_or(|files| files.problem.is_some() && files.bundle != bundle)
    }

    /// The entry with its files.
    #[must_use]
    pub fn with_files(&self, files: Files) -> Self {
        Self {
            files: Some(files),
            revision: self.revision + 1,
            ..self.clone()
        }
    }

    /// Whether it is to be sent now.
    #[must_use]
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.state == State::Waiting && self.next_at.is_none_or(|at| at <= now)
    }
}

const SHORTEST: SignedDuration = SignedDuration::from_secs(1);
const LONGEST: SignedDuration = SignedDuration::from_hours(24);

/// Seconds between two attempts, one after the other.
const LADDER: [i64; 10] = [
    5,
    30,
    5 * 60,
    30 * 60,
    2 * 3600,
    5 * 3600,
    10 * 3600,
    14 * 3600,
    20 * 3600,
    24 * 3600,
];

/// How long after so many failed attempts the next one is made; none when there is no next one.
///
/// Up to a fifth is added, another part for each event, so that what failed together does not come together
/// again.
#[must_use]
pub fn wait(attempts: u32, event_id: &str) -> Option<SignedDuration> {
    let step = usize::try_from(attempts.checked_sub(1)?).ok()?;
    let seconds = *LADDER.get(step)?;
    let hash = sha256_hex(format!("{event_id} {attempts}").as_bytes());
    let part = i64::from_str_radix(hash.get(..4)?, 16).ok()?;
    Some(SignedDuration::from_millis(
        seconds * 1000 + seconds * 200 * part / 0xffff,
    ))
}

/// How long settled entries are kept.
pub const KEPT: SignedDuration = SignedDuration::from_hours(24 * 400);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_waits_between_attempts_are_those_of_the_ladder_and_end_after_the_last() {
        for (index, seconds) in LADDER.iter().enumerate() {
            let attempts = u32::try_from(index).unwrap() + 1;
            for event in ["evt_1", "evt_2", "evt_3"] {
                let wait = wait(attempts, event).unwrap();
                assert!(
                    wait >= SignedDuration::from_secs(*seconds)
                        && wait <= SignedDuration::from_millis(seconds * 1200),
                    "{attempts}: {wait}"
                );
            }
        }
        assert_eq!(wait(11, "evt_1"), None);
        assert_ne!(wait(5, "evt_1"), wait(5, "evt_2"));
    }

    proptest! {
        #[test]
        fn only_a_version_above_all_earlier_ones_is_taken(versions in prop::collection::vec(0_u64..6, 1..20)) {
            let mut known: Option<Newest> = None;
            let mut position = 0;
            for version in versions {
                let newest = known.as_ref().map(|known| known.version);
                match judge(known.as_ref(), version) {
                    Verdict::Take => {
                        prop_assert!(newest.is_none_or(|newest| version > newest));
                        position += 1;
                        known = Some(Newest { version, position });
                    }
                    Verdict::Same { .. } => prop_assert_eq!(newest, Some(version)),
                    Verdict::Older { version: told, .. } => {
                        prop_assert!(newest == Some(told) && version < told);
                    }
                }
            }
        }
    }
}
