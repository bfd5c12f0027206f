//! What a plant says of entries that it has asked for, and what people are told of.

use interplant_domain::exception::{Code, Exception};
use interplant_domain::identifier::{
    EventId, ExceptionId, LifecycleId, LifecycleKind, PlantCode, sha256_hex,
};
use interplant_domain::lifecycle::owner;
use interplant_domain::mailbox::{Handling, RaisedException};
use interplant_domain::outbox::{Entry, State};
use interplant_domain::plant::{Plant, short_type};
use jiff::{SignedDuration, Timestamp};

use super::Shelf;
use crate::Context;
use crate::store::Error;

/// A change that lost a race is made anew from what is there.
const TRIES: usize = 5;

/// What a plant says of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// It has applied it, or will.
    Applied,
    /// It will not have it.
    Refused {
        /// Why.
        reason: String,
    },
}

/// What became of a plant's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acknowledged {
    /// It stands; the state is that of the entry now.
    Now(State),
    /// The entry had come to its end before, and stays as it was.
    Before(State),
    /// The plant has no such entry.
    Unknown,
}

/// The entry as a plant's word leaves it; none when it had come to its end before.
#[must_use]
pub fn settled(entry: &Entry, word: &Word, now: Timestamp) -> Option<Entry> {
    let (state, note) = match word {
        Word::Applied => (State::Applied, None),
        Word::Refused { reason } => (State::Refused, Some(reason.clone())),
    };
    match entry.state {
        // What was delivered by the webhook may be refused afterwards.
        State::Waiting | State::GivenUp | State::Delivered => Some(entry.moved(state, note, now)),
        State::Obsolete { .. } | State::Applied | State::Refused => None,
    }
}

impl Context {
    /// Takes a plant's word for an entry of its outbox; people are told of a refusal before it is recorded.
    ///
    /// # Errors
    /// When the store is not available; repeating is safe.
    pub async fn acknowledge(
        &self,
        plant: &Plant,
        position: u64,
        word: &Word,
    ) -> Result<Acknowledged, Error> {
        let table = &self.outbox.table;
        for _ in 0..TRIES {
            let now = self.now();
            let Some(entry) = table.entry(&plant.plant, position).await? else {
                return Ok(Acknowledged::Unknown);
            };
            let Some(to) = settled(&entry, word, now) else {
                return Ok(Acknowledged::Before(entry.state));
            };
            if let Word::Refused { reason } = word {
                let raised = refusal(plant, &entry, reason, now);
                let place = home(&plant.plant, &entry.document);
                self.store.raise_aside(&place, &raised, now).await?;
            }
            match table.change(&entry, &to).await {
                Ok(()) => return Ok(Acknowledged::Now(to.state)),
                Err(Error::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::Unavailable(format!(
            "entry {position} of {} is changed by too many at once",
            plant.plant
        )))
    }
}

/// A plant's refusal: of an order for the buyer, of all else for the data steward.
fn refusal(plant: &Plant, entry: &Entry, reason: &str, now: Timestamp) -> RaisedException {
    let is_order = home(&plant.plant, &entry.document).kind() == LifecycleKind::Po
        || short_type(&entry.kind).starts_with("po.");
    let code = if is_order {
        Code::OrderRefusedByPlant
    } else {
        Code::DataRefusedByPlant
    };
    trouble(
        plant,
        code,
        &format!("{} {}", entry.position, entry.event_id),
        format!(
            "the plant refuses {} of {}, version {}: {reason}",
            entry.kind, entry.document, entry.version
        ),
        now,
    )
}

/// Opens the newest entry of a document again, whatever became of it; whether there is one.
///
/// # Errors
/// When the store is not available.
pub async fn send_again(
    shelf: &impl Shelf,
    plant: &PlantCode,
    document: &str,
    now: Timestamp,
) -> Result<Option<Entry>, Error> {
    for _ in 0..TRIES {
        let Some(newest) = shelf.newest(plant, document).await? else {
            return Ok(None);
        };
        let Some(entry) = shelf.entry(plant, newest.position).await? else {
            return Ok(None);
        };
        let opened = Entry {
            attempts: 0,
            // Made anew: the mapping may be another one, and a partner takes a control number once.
            files: None,
            ..entry.moved(State::Waiting, None, now)
        };
        match shelf.change(&entry, &opened).await {
            Ok(()) => return Ok(Some(opened)),
            Err(Error::Conflict) => {}
            Err(error) => return Err(error),
        }
    }
    Err(Error::Unavailable(format!(
        "{document} is changed by too many at once"
    )))
}

/// Where people are told of a document: its lifecycle, or one of the outbox's own when it has none.
#[must_use]
pub fn home(plant: &PlantCode, document: &str) -> LifecycleId {
    match document.parse::<LifecycleId>() {
        Ok(id) if id.plant() == plant => id,
        Ok(_) | Err(_) => {
            let own = LifecycleId::new(LifecycleKind::Outbox, plant, document);
            match own.to_string().parse() {
                Ok(own) => own,
                // Percent-encoded it is longer than an id may be.
                Err(_) => {
                    let hash = sha256_hex(document.as_bytes());
                    LifecycleId::new(LifecycleKind::Outbox, plant, &hash)
                }
            }
        }
    }
}

/// Trouble with something of the outbox, as it is raised.
#[must_use]
pub fn trouble(
    plant: &Plant,
    code: Code,
    cause: &str,
    message: String,
    now: Timestamp,
) -> RaisedException {
    RaisedException {
        id: ExceptionId::for_cause(&[plant.plant.as_str(), code.as_str(), cause]),
        exception: Exception::new(code, message),
        raised_by: "outbox".to_owned(),
        // No fact of the plant's is its cause, so no fact's fate ends it.
        event_id: EventId::none(),
        owner: owner(plant, code),
        raised_at: now,
        due_at: now + SignedDuration::from_hours(code.due_hours()),
        blocks: false,
        subject: String::new(),
        two_people: false,
        accepted_by: Vec::new(),
        handling: Handling::default(),
        resolution: None,
    }
}
