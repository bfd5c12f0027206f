//! Sends a plant what waits for it: one sender at a time, in order, each entry until the plant has taken it.
//!
//! An entry that the plant does not take is tried again later and holds nothing else up. The plant may be
//! sent an entry twice, when a sender dies before it has noted the answer: it has the same id then.

use interplant_domain::identifier::PlantCode;
use interplant_domain::outbox::{Entry, State};
use jiff::{SignedDuration, Timestamp};

use super::Shelf;
use crate::store::Error;

/// How long one attempt may take, from the name of the host to the end of the answer.
pub const ATTEMPT: SignedDuration = SignedDuration::from_secs(10);

/// A sender that has not renewed its claim for so long is dead.
const LEASE: SignedDuration = SignedDuration::from_secs(20);

/// What must be left of the function's time to begin another attempt.
const RESERVE: SignedDuration = SignedDuration::from_secs(15);

/// So many attempts one after the other to which the plant's server had no answer: it is left alone a while.
const BREAK_AFTER: u32 = 5;

/// The while.
const BREAK: SignedDuration = SignedDuration::from_secs(30);

/// How long a plant's server may ask to be left alone, at least and at most, with everything else.
const SHORTEST_PAUSE: SignedDuration = SignedDuration::from_secs(1);
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(15);

/// Entries that are read at once.
const PAGE: usize = 50;

/// A change that lost a race is made anew from what is there.
const TRIES: usize = 5;

/// What a plant's webhook said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It has taken the event.
    Taken,
    /// It has not taken this event.
    Failed {
        /// What it said.
        note: String,
        /// When it wants to be asked again.
        retry_after: Option<SignedDuration>,
    },
    /// It takes nothing at the moment.
    Away {
        /// What it said, or did not.
        note: String,
        /// When it wants to be asked again.
        retry_after: Option<SignedDuration>,
    },
    /// Nothing may be sent there any more.
    Stop {
        /// Why.
        note: String,
    },
}

/// Who takes the events, and who is told of trouble.
#[expect(
    async_fn_in_trait,
    reason = "used within the workspace only, by functions that poll one future at a time"
)]
pub trait Receiver {
    /// Whether an entry is to be sent at all.
    fn wants(&self, entry: &Entry) -> bool;

    /// Sends an entry once.
    async fn post(&self, entry: &Entry) -> Answer;

    /// Tells people that an entry was sent as often as it may be. It may be told twice.
    ///
    /// # Errors
    /// When the store is not available.
    async fn given_up(&self, entry: &Entry) -> Result<(), Error>;

    /// Tells people that nothing is sent any more, and remembers it. It may be told twice.
    ///
    /// # Errors
    /// When the store is not available.
    async fn stopped(&self, note: &str) -> Result<(), Error>;

    /// The present time.
    fn now(&self) -> Timestamp;
}

/// What a sender did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ran {
    /// Entries that the plant took.
    pub taken: u32,
    /// Attempts that it did not take.
    pub failed: u32,
    /// When a sender should look at the plant again.
    pub wake_at: Option<Timestamp>,
    /// Another sender was at work.
    pub busy: bool,
}

/// How one pass over the open entries ended.
enum Pass {
    /// All were looked at; the earliest that is due later.
    Done(Option<Timestamp>),
    /// It broke off; when to go on.
    BrokenOff(Timestamp),
    /// Nothing may be sent any more.
    Stopped,
    /// Another sender has the plant.
    Lost,
}

/// Sends what is due to a plant until nothing is, or the time is over.
///
/// # Errors
/// When the store is not available: whoever sends next goes on.
pub async fn push(
    shelf: &impl Shelf,
    receiver: &impl Receiver,
    plant: &PlantCode,
    sender: &str,
    deadline: Timestamp,
) -> Result<Ran, Error> {
    let mut ran = Ran::default();
    loop {
        if !claim(shelf, receiver, plant, sender).await? {
            ran.busy = true;
            return Ok(ran);
        }
        // Read before the entries: what is offered from now on moves it, and is not overlooked.
        let seen = shelf.work(plant).await?;
        let pass = pass(shelf, receiver, plant, sender, deadline, &mut ran).await?;
        let wake_at = match pass {
            Pass::Done(earliest) => earliest,
            Pass::BrokenOff(at) => Some(at),
            Pass::Stopped => None,
            Pass::Lost => {
                ran.busy = true;
                return Ok(ran);
            }
        };
        // Released first: who is told of an offer from here on finds nobody at work.
        shelf.release(plant, sender).await?;
        ran.wake_at = wake_at;
        if seen.next == 1 {
            // The plant was never told anything.
            return Ok(ran);
        }
        match shelf.rest(plant, seen, wake_at).await {
            Ok(()) => return Ok(ran),
            // Something was offered meanwhile.
            Err(Error::Conflict) if receiver.now() + RESERVE < deadline => {}
            Err(Error::Conflict) => {
                ran.wake_at = Some(receiver.now());
                return Ok(ran);
            }
            Err(error) => return Err(error),
        }
    }
}

async fn claim(
    shelf: &impl Shelf,
    receiver: &impl Receiver,
    plant: &PlantCode,
    sender: &str,
) -> Result<bool, Error> {
    let now = receiver.now();
    shelf.claim(plant, sender, now, now + LEASE).await
}

async fn pass(
    shelf: &impl Shelf,
    receiver: &impl Receiver,
    plant: &PlantCode,
    sender: &str,
    deadline: Timestamp,
    ran: &mut Ran,
) -> Result<Pass, Error> {
    let mut earliest: Option<Timestamp> = None;
    let mut after = 0;
    let mut away = 0;
    loop {
        let page = shelf.open(plant, after, PAGE).await?;
        for entry in &page.entries {
            after = entry.position;
            if entry.state != State::Waiting || !receiver.wants(entry) {
                continue;
            }
            if !entry.is_due(receiver.now()) {
                earliest = earlier(earliest, entry.next_at);
                continue;
            }
            if receiver.now() + RESERVE > deadline {
                return Ok(Pass::BrokenOff(receiver.now()));
            }
            if !claim(shelf, receiver, plant, sender).await? {
                return Ok(Pass::Lost);
            }
            // A newer version may have come since the page was read.
            let Some(entry) = shelf.entry(plant, entry.position).await? else {
                continue;
            };
            if !entry.is_due(receiver.now()) {
                earliest = earlier(earliest, entry.next_at);
                continue;
            }
            let answer = receiver.post(&entry).await;
            crate::failpoint!("outbox.after_post");
            let (note, retry_after, pause) = match answer {
                Answer::Taken => {
                    taken(shelf, &entry, receiver.now()).await?;
                    ran.taken += 1;
                    away = 0;
                    continue;
                }
                Answer::Stop { note } => {
                    receiver.stopped(&note).await?;
                    return Ok(Pass::Stopped);
                }
                Answer::Failed { note, retry_after } => {
                    away = 0;
                    (note, retry_after, None)
                }
                Answer::Away { note, retry_after } => {
                    away += 1;
                    let asked = retry_after.map(|asked| asked.clamp(SHORTEST_PAUSE, LONGEST_PAUSE));
                    let pause = asked.or((away >= BREAK_AFTER).then_some(BREAK));
                    (note, retry_after, pause)
                }
            };
            ran.failed += 1;
            let now = receiver.now();
            let failed = entry.failed(note, retry_after, now);
            if failed.state == State::GivenUp {
                receiver.given_up(&failed).await?;
            }
            // Who changed it meanwhile, a newer version or the plant itself, has said what it is.
            match shelf.change(&entry, &failed).await {
                Ok(()) => earliest = earlier(earliest, failed.next_at),
                Err(Error::Conflict) => earliest = earlier(earliest, Some(now)),
                Err(error) => return Err(error),
            }
            if let Some(pause) = pause {
                return Ok(Pass::BrokenOff(now + pause));
            }
        }
        if !page.more {
            return Ok(Pass::Done(earliest));
        }
    }
}

fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.into_iter().chain(other).min()
}

/// Records that the plant has taken an entry, whatever became of the entry meanwhile.
async fn taken(shelf: &impl Shelf, entry: &Entry, now: Timestamp) -> Result<(), Error> {
    let mut entry = entry.clone();
    for _ in 0..TRIES {
        match shelf
            .change(&entry, &entry.moved(State::Delivered, None, now))
            .await
        {
            Ok(()) => return Ok(()),
            Err(Error::Conflict) => {}
            Err(error) => return Err(error),
        }
        match shelf.entry(&entry.plant, entry.position).await? {
            Some(now_there)
                if now_there.state.is_open()
                    || matches!(now_there.state, State::Obsolete { .. }) =>
            {
                entry = now_there;
            }
            // The plant has said itself what became of it.
            Some(_) | None => return Ok(()),
        }
    }
    Err(Error::Unavailable(format!(
        "entry {} of {} is changed by too many at once",
        entry.position, entry.plant
    )))
}
