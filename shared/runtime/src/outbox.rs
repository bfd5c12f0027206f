//! The outbox: what plants are to be told, one position after the other, the newest version of each document.
//!
//! What is offered is durable before anybody is told. An entry is open until the plant has taken it, by
//! acknowledging it or by answering the webhook; then it moves behind `~`. What is to be done for a plant
//! stands in its own record with the counter of its positions, so that a message that was lost is found by
//! the sweeper, and a sender cannot overlook what was offered while it was at work.

mod dispatch;
mod memory;
mod push;
mod table;
mod taken;

use std::time::Duration;

use interplant_domain::identifier::PlantCode;
use interplant_domain::outbox::{Entry, Newest, State, Verdict, judge};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::store::{Error, new_event_id};

pub use dispatch::standard_word;
pub use memory::Memory;
pub use push::{ATTEMPT, Answer, Ran, Receiver, push};
pub use table::{SHARDS, Stop, Table};
pub use taken::{Acknowledged, Word, home, send_again, settled, trouble};

/// A change that lost a race is made anew from what is there; after so many losses the caller tries later.
const ATTEMPTS: usize = 20;

/// The longest key of a document.
const DOCUMENT_CHARS: usize = 200;

/// The largest event: with its entry it has to fit a row, and twice into a transaction.
const EVENT_BYTES: usize = 256 * 1024;

/// A version of a document that a plant is to be told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The plant.
    pub plant: PlantCode,
    /// The document, such as `po/plant-b/4711` or `item/plant-b/0815`; for an order the id of its lifecycle.
    pub document: String,
    /// The type of the event, such as `interplant.po.created.v1`.
    pub kind: String,
    /// The document's version: a higher one takes the place of a lower one that the plant has not taken yet.
    pub version: u64,
    /// The event, as CloudEvents has it. Its `id` is the one by which the plant recognises a repeat; an event
    /// without one is given one.
    pub event: Value,
    /// What brought it about: the id of an event, for people.
    pub causation: Option<String>,
}

/// What became of an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offered {
    /// It is new, and durable.
    New {
        /// Its position.
        position: u64,
    },
    /// This version was offered before.
    Same {
        /// Its position.
        position: u64,
    },
    /// A newer version is there: this one is obsolete, and the plant is not told.
    Obsolete {
        /// The newest version.
        version: u64,
        /// Its position.
        position: u64,
    },
}

/// What is to be done for a plant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Work {
    /// The position that the next entry gets.
    pub next: u64,
    /// When a sender should look at the plant; none when there is nothing to send.
    pub wake_at: Option<Timestamp>,
}

/// A new entry with everything that changes with it, in one step.
#[derive(Debug, Clone)]
pub struct Addition {
    /// The entry.
    pub entry: Entry,
    /// The version of its document that was known.
    pub seen: Option<Newest>,
    /// The older entry, as it was seen, that becomes obsolete.
    pub obsolete: Option<Entry>,
}

/// Entries of a plant, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// The entries.
    pub entries: Vec<Entry>,
    /// Whether there are more behind them.
    pub more: bool,
}

/// What the outbox needs of a store. Every method is atomic.
#[expect(
    async_fn_in_trait,
    reason = "used within the workspace only, by functions that poll one future at a time"
)]
pub trait Shelf {
    /// What is to be done for a plant.
    ///
    /// # Errors
    /// When the store is not available.
    async fn work(&self, plant: &PlantCode) -> Result<Work, Error>;

    /// What is known of a document.
    ///
    /// # Errors
    /// When the store is not available.
    async fn newest(&self, plant: &PlantCode, document: &str) -> Result<Option<Newest>, Error>;

    /// An entry, wherever it stands.
    ///
    /// # Errors
    /// When the store is not available or the record cannot be read.
    async fn entry(&self, plant: &PlantCode, position: u64) -> Result<Option<Entry>, Error>;

    /// Open entries behind a position, in order.
    ///
    /// # Errors
    /// When the store is not available or a record cannot be read.
    async fn open(&self, plant: &PlantCode, after: u64, most: usize) -> Result<Page, Error>;

    /// Adds an entry at the next position, and lets a sender look at the plant.
    ///
    /// # Errors
    /// [`Error::Conflict`] when another one was added, or something of it changed, meanwhile.
    async fn add(&self, addition: &Addition) -> Result<(), Error>;

    /// Writes an entry that was changed; a settled one moves behind the open ones, an opened one to them.
    ///
    /// # Errors
    /// [`Error::Conflict`] when it was changed meanwhile.
    async fn change(&self, from: &Entry, to: &Entry) -> Result<(), Error>;

    /// Says when a sender has to look at a plant next, unless something was offered since.
    ///
    /// # Errors
    /// [`Error::Conflict`] when something was.
    async fn rest(
        &self,
        plant: &PlantCode,
        seen: Work,
        wake_at: Option<Timestamp>,
    ) -> Result<(), Error>;

    /// Makes the caller the plant's only sender until a time, unless another one is; whether it is.
    ///
    /// # Errors
    /// When the store is not available.
    async fn claim(
        &self,
        plant: &PlantCode,
        sender: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, Error>;

    /// Lets another sender have the plant.
    ///
    /// # Errors
    /// When the store is not available; not when another one has it already.
    async fn release(&self, plant: &PlantCode, sender: &str) -> Result<(), Error>;
}

/// The outbox with its queue.
#[derive(Debug, Clone)]
pub struct Outbox {
    /// Where entries lie.
    pub table: Table,
    sqs: aws_sdk_sqs::Client,
    queue_url: String,
}

/// What the sender is told: whom to look at. What is to be sent stays in the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SendMessage {
    /// The plant.
    pub plant: PlantCode,
}

impl Outbox {
    /// The outbox on its table and queue.
    #[must_use]
    pub fn new(table: Table, sqs: aws_sdk_sqs::Client, queue_url: String) -> Self {
        Self {
            table,
            sqs,
            queue_url,
        }
    }

    /// Puts a version of a document into its plant's outbox, once, whatever happens. Repeating is safe.
    ///
    /// # Errors
    /// When the store is not available, or [`Error::Unreadable`] when it is nothing that a plant could be
    /// told: trying again would not help.
    pub async fn offer(&self, offer: &Offer) -> Result<Offered, Error> {
        let offered = put(&self.table, offer, crate::context::clock()).await?;
        crate::failpoint!("outbox.after_offer");
        if let Offered::New { position } = offered {
            tracing::info!(plant.code = %offer.plant, document = %offer.document, kind = %offer.kind, version = offer.version, position, "Offered");
            // A message that does not get through is sent by the sweeper; the entry is safe already.
            if let Err(error) = self.wake(&offer.plant, Duration::ZERO).await {
                tracing::warn!(plant.code = %offer.plant, "not queued, the sweeper will: {error}");
            }
        }
        Ok(offered)
    }

    /// Opens the newest entry of a document again and lets it be sent, whatever became of it.
    ///
    /// # Errors
    /// When the store is not available.
    pub async fn send_again(
        &self,
        plant: &PlantCode,
        document: &str,
    ) -> Result<Option<Entry>, Error> {
        let now = crate::context::clock();
        let opened = send_again(&self.table, plant, document, now).await?;
        if opened.is_some() {
            self.look_at(plant).await?;
        }
        Ok(opened)
    }

    /// Lets a webhook be tried that was stopped or has changed.
    ///
    /// # Errors
    /// When the store is not available.
    pub async fn resume(&self, plant: &PlantCode) -> Result<(), Error> {
        self.table.go_on(plant).await?;
        self.look_at(plant).await
    }

    async fn look_at(&self, plant: &PlantCode) -> Result<(), Error> {
        self.table.look_at(plant, crate::context::clock()).await?;
        if let Err(error) = self.wake(plant, Duration::ZERO).await {
            tracing::warn!(plant.code = %plant, "not queued, the sweeper will: {error}");
        }
        Ok(())
    }

    /// Lets a sender look at a plant after a time.
    ///
    /// # Errors
    /// When the queue is not available; the sweeper finds a plant that nobody was told of.
    pub async fn wake(&self, plant: &PlantCode, after: Duration) -> Result<(), Error> {
        let message = SendMessage {
            plant: plant.clone(),
        };
        crate::queue::send(&self.sqs, &self.queue_url, &message, after).await
    }
}

/// Puts a version of a document into its plant's outbox, once.
///
/// # Errors
/// See [`Outbox::offer`].
pub async fn put(shelf: &impl Shelf, offer: &Offer, now: Timestamp) -> Result<Offered, Error> {
    let (event_id, event) = event_of(offer)?;
    for _ in 0..ATTEMPTS {
        let known = shelf.newest(&offer.plant, &offer.document).await?;
        match judge(known.as_ref(), offer.version) {
            Verdict::Same { position } => return Ok(Offered::Same { position }),
            Verdict::Older { version, position } => {
                return Ok(Offered::Obsolete { version, position });
            }
            Verdict::Take => {}
        }
        let position = shelf.work(&offer.plant).await?.next;
        let obsolete = match &known {
            Some(known) => shelf.entry(&offer.plant, known.position).await?,
            None => None,
        };
        let entry = Entry {
            position,
            event_id: event_id.clone(),
            plant: offer.plant.clone(),
            document: offer.document.clone(),
            kind: offer.kind.clone(),
            version: offer.version,
            event: event.clone(),
            causation: offer.causation.clone(),
            offered_at: now,
            state: State::Waiting,
            attempts: 0,
            next_at: None,
            settled_at: None,
            note: None,
            files: None,
            revision: 1,
        };
        let addition = Addition {
            entry,
            seen: known,
            obsolete: obsolete.filter(|older| older.state.is_open()),
        };
        match shelf.add(&addition).await {
            Ok(()) => return Ok(Offered::New { position }),
            Err(Error::Conflict) => {}
            Err(error) => return Err(error),
        }
    }
    Err(Error::Unavailable(format!(
        "too many offers to {} at once",
        offer.plant
    )))
}

/// The event with its id, if it is one that a plant can be told.
fn event_of(offer: &Offer) -> Result<(String, Value), Error> {
    let unfit = |why: String| Err(Error::Unreadable(format!("{}: {why}", offer.document)));
    let fits = (1..=DOCUMENT_CHARS).contains(&offer.document.chars().count())
        && !offer.document.chars().any(char::is_control);
    if !fits {
        return unfit(format!(
            "the key of a document is 1 to {DOCUMENT_CHARS} characters without control characters"
        ));
    }
    let Value::Object(mut event) = offer.event.clone() else {
        return unfit("an event is a JSON object".to_owned());
    };
    let id = match event.get("id") {
        None => {
            let id = new_event_id().to_string();
            event.insert("id".to_owned(), Value::String(id.clone()));
            id
        }
        // What Standard Webhooks, and our own door, take as the id of a message.
        Some(Value::String(id))
            if (1..=200).contains(&id.len())
                && id
                    .bytes()
                    .all(|byte| byte.is_ascii_graphic() && byte != b'.') =>
        {
            id.clone()
        }
        Some(other) => {
            return unfit(format!(
                "{other} is no id of an event: 1 to 200 visible ASCII characters without a point"
            ));
        }
    };
    let event = Value::Object(event);
    let size = event.to_string().len();
    if size > EVENT_BYTES {
        return unfit(format!(
            "the event has {size} bytes, more than {EVENT_BYTES}"
        ));
    }
    Ok((id, event))
}
