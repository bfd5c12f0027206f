//! What people do about exceptions, each request once.
//!
//! A decision is a change of the lifecycle's record and says by which key it was asked for. A request that comes
//! again finds its own key and is answered as the first time; another one finds that it is too late.

use interplant_domain::amendment::{Amendment, Change, second_person};
use interplant_domain::exception::Decision;
use interplant_domain::fact::Fact;
use interplant_domain::identifier::{ExceptionId, LifecycleId};
use interplant_domain::lifecycle::{Commit, Given, GivenDecision, Lifecycle, StaleDecision};
use interplant_domain::mailbox::{Entry, Proposal, RaisedException, Resolution};
use interplant_domain::plant::Plant;
use interplant_mapping::event::Event;
use jiff::Timestamp;

use crate::Context;
use crate::inbox::{Fate, Row, Stored};
use crate::protocol::{self, DecideError};
use crate::references;
use crate::store::{Error, Store, new_event_id, transport_key};

/// A change that lost a race is made anew from what is there; after so many losses the caller tries later.
const ATTEMPTS: usize = 8;

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It counts.
    Now,
    /// It was taken before: this is the same request again.
    Before,
    /// It waits for a second person.
    AwaitsSecond,
}

/// Why a request was not taken.
#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    /// It is too late for it, or it is not possible.
    #[error(transparent)]
    Decide(#[from] DecideError),
    /// The key came with another request.
    #[error("this key came before with another request: give every request a key of its own")]
    OtherRequest,
    /// The fact is not in this lifecycle alone, or would be another fact.
    #[error("{0}")]
    AnotherFact(String),
}

impl From<Error> for NotTaken {
    fn from(error: Error) -> Self {
        Self::Decide(error.into())
    }
}

impl From<StaleDecision> for NotTaken {
    fn from(stale: StaleDecision) -> Self {
        Self::Decide(stale.into())
    }
}

/// A fact that waits, with what is needed to write it anew.
#[derive(Debug, Clone)]
pub struct Original {
    /// Its place in the mailbox.
    pub entry: Entry,
    /// Its inbox row.
    pub row: Row,
    /// The fact.
    pub fact: Fact,
}

/// What a person has written instead of a fact.
#[derive(Debug, Clone)]
pub struct Rewritten {
    /// The fact that waits.
    pub original: Original,
    /// What is to be said instead, checked like any other.
    pub event: Event,
    /// What it says otherwise.
    pub changes: Vec<Change>,
}

impl Context {
    /// Takes a decision, once.
    ///
    /// # Errors
    /// When the exception is not open any more or the lifecycle has changed since the person looked.
    pub async fn decide(&self, id: &LifecycleId, given: &GivenDecision) -> Result<Taken, NotTaken> {
        if let Some(taken) = self.decided_before(id, given).await? {
            return Ok(taken);
        }
        let decided = protocol::decide(&self.store, &self.engine, id, given, self.now()).await;
        if let Err(error) = decided {
            // The same request may have been a moment faster on another way.
            return match self.decided_before(id, given).await? {
                Some(taken) => Ok(taken),
                None => Err(error.into()),
            };
        }
        let after = self.store.exception(id, &given.exception).await?;
        let open = after.is_some_and(|raised| raised.resolution.is_none());
        Ok(if open {
            Taken::AwaitsSecond
        } else {
            Taken::Now
        })
    }

    /// What became of the same request, if it was taken before.
    async fn decided_before(
        &self,
        id: &LifecycleId,
        given: &GivenDecision,
    ) -> Result<Option<Taken>, NotTaken> {
        let earlier = self.earlier(id, &given.exception, &given.by, given.key.as_deref());
        let Some(resolution) = earlier.await? else {
            return Ok(None);
        };
        if resolution.decision != Some(given.decision) {
            return Err(NotTaken::OtherRequest);
        }
        // Whoever took it may have died before the lifecycle was told.
        protocol::nudge(&self.store, &self.engine, id, self.now()).await?;
        Ok(Some(Taken::Before))
    }

    /// What the same request has left of itself.
    async fn earlier(
        &self,
        id: &LifecycleId,
        exception: &ExceptionId,
        by: &str,
        key: Option<&str>,
    ) -> Result<Option<Resolution>, Error> {
        let Some(key) = key else { return Ok(None) };
        let raised = self.store.exception(id, exception).await?;
        Ok(raised.and_then(|raised| left_by(&raised, by, key)))
    }

    /// Hands an exception to somebody else, once.
    ///
    /// # Errors
    /// As for a decision.
    pub async fn assign(
        &self,
        id: &LifecycleId,
        exception: &ExceptionId,
        to: &str,
        given: &Given,
    ) -> Result<Taken, NotTaken> {
        let now = self.now();
        if let Some(taken) = self.assigned_before(id, exception, to, given).await? {
            return Ok(taken);
        }
        let assigned = self
            .change(id, |lifecycle| {
                lifecycle.assigned(exception, to, given, now)
            })
            .await;
        if let Err(error) = assigned {
            return match self.assigned_before(id, exception, to, given).await? {
                Some(taken) => Ok(taken),
                None => Err(error),
            };
        }
        Ok(Taken::Now)
    }

    async fn assigned_before(
        &self,
        id: &LifecycleId,
        exception: &ExceptionId,
        to: &str,
        given: &Given,
    ) -> Result<Option<Taken>, NotTaken> {
        let Some(key) = &given.key else {
            return Ok(None);
        };
        let raised = self.store.exception(id, exception).await?;
        let Some((raised, resolution)) = raised.and_then(|raised| {
            let left = left_by(&raised, &given.by, key)?;
            Some((raised, left))
        }) else {
            return Ok(None);
        };
        let mut assigned = raised.handling.assigned.iter();
        if assigned.any(|one| one.given == resolution && one.to == to) {
            Ok(Some(Taken::Before))
        } else {
            Err(NotTaken::OtherRequest)
        }
    }

    /// Stops following a document, once.
    ///
    /// # Errors
    /// As for a decision.
    pub async fn cancel(&self, id: &LifecycleId, given: &Given) -> Result<Taken, NotTaken> {
        let now = self.now();
        let known = self.store.load(id).await?;
        let known = known.and_then(|lifecycle| lifecycle.header.cancelled);
        let same = known.is_some_and(|known| known.by == given.by && known.key == given.key);
        if !(same && given.key.is_some()) {
            self.change(id, |lifecycle| lifecycle.cancelled(given, now))
                .await?;
        }
        protocol::nudge(&self.store, &self.engine, id, now).await?;
        Ok(if same { Taken::Before } else { Taken::Now })
    }

    /// The fact that an exception is about, when a person may write it anew.
    ///
    /// # Errors
    /// When it is not open or has no fact that waits; or when the fact belongs to several documents.
    pub async fn original(
        &self,
        id: &LifecycleId,
        exception: &ExceptionId,
        seen_revision: Option<u64>,
    ) -> Result<Original, NotTaken> {
        let lifecycle = self.loaded(id).await?;
        let (_, entry) = lifecycle.amendable(exception, seen_revision, self.now())?;
        let row = self.inbox.by_key(&entry.inbox_key).await?;
        let row =
            row.ok_or_else(|| Error::Unreadable(format!("the inbox lost {}", entry.event_id)))?;
        let fact = row.fact()?;
        if fact.lifecycles(id.plant()) != [id.clone()] {
            return Err(NotTaken::AnotherFact(
                "The fact belongs to several documents, or reached this one by a receipt, lot or shipment: ask the plant for a corrected one, and skip this one.".to_owned(),
            ));
        }
        Ok(Original {
            entry: entry.clone(),
            row,
            fact,
        })
    }

    /// Lets a fact that a person has written take the place of the one that waits, once; or keeps it until a
    /// second person has approved it.
    ///
    /// # Errors
    /// As for a decision; or when it is another fact than the one that waits.
    pub async fn amend(
        &self,
        plant: &Plant,
        id: &LifecycleId,
        exception: &ExceptionId,
        rewritten: Rewritten,
        given: &Given,
    ) -> Result<Taken, NotTaken> {
        let now = self.now();
        let Rewritten {
            original,
            event,
            changes,
        } = rewritten;
        let business = |fact: &Fact| fact.business_key(&plant.plant, 1);
        if business(&event.fact) != business(&original.fact)
            || event.fact.lifecycles(&plant.plant) != [id.clone()]
        {
            return Err(NotTaken::AnotherFact(
                "An amendment keeps the document's numbers: by them the fact is known. Skip this one, and let the plant send the other.".to_owned(),
            ));
        }
        let lifecycle = self.loaded(id).await?;
        let needs_second = second_person(
            &changes,
            &original.fact,
            &event.fact,
            lifecycle.header.order.as_ref(),
            plant.exceptions.amend_two_people_above,
        );
        let row = Row {
            key: transport_key(&event.envelope.source, &event.envelope.id),
            event_id: new_event_id(),
            source: event.envelope.source.clone(),
            sender_id: event.envelope.id.clone(),
            envelope_hash: event.envelope_hash.clone(),
            content_hash: event.content_hash.clone(),
            received_at: now,
            data: event
                .fact
                .data()
                .map_err(|error| Error::Unreadable(error.to_string()))?,
            fate: Fate::Accepted,
            amendment: Some(Amendment {
                of: original.entry.event_id.clone(),
                by: given.by.clone(),
                reason: given.reason.clone(),
                changes: changes.clone(),
            }),
            ..original.row.clone()
        };
        let row = match self.inbox.store_aside(&row).await? {
            Stored::New | Stored::SameFact { .. } => row,
            Stored::Replayed(earlier) => *earlier,
            Stored::Mismatch => return Err(NotTaken::OtherRequest),
        };
        let proposal = Proposal {
            event_id: row.event_id.clone(),
            inbox_key: row.key.clone(),
            changes,
            given: given.resolution(Some(Decision::Amend), now),
            needs_second,
            approved: None,
        };
        crate::failpoint!("operator.after_amended_row");
        if proposal.needs_second.is_some() {
            self.change(id, |lifecycle| {
                lifecycle.proposed(exception, proposal.clone(), given.seen_revision, now)
            })
            .await?;
            return Ok(Taken::AwaitsSecond);
        }
        self.put_amended(plant, id, exception, proposal, &row, given.seen_revision)
            .await?;
        Ok(Taken::Now)
    }

    /// Approves an amendment that somebody else has written, once.
    ///
    /// # Errors
    /// As for a decision; or when there is none, or it is the same person's.
    pub async fn approve(
        &self,
        plant: &Plant,
        id: &LifecycleId,
        exception: &ExceptionId,
        given: &Given,
    ) -> Result<Taken, NotTaken> {
        let now = self.now();
        let lifecycle = self.loaded(id).await?;
        let mut proposal = lifecycle.approvable(exception, given)?.clone();
        proposal.approved = Some(given.resolution(Some(Decision::Amend), now));
        let row = self.inbox.by_key(&proposal.inbox_key).await?;
        let row =
            row.ok_or_else(|| Error::Unreadable(format!("the inbox lost {}", proposal.event_id)))?;
        self.put_amended(plant, id, exception, proposal, &row, given.seen_revision)
            .await?;
        Ok(Taken::Now)
    }

    /// Turns down what somebody has proposed.
    ///
    /// # Errors
    /// As for a decision.
    pub async fn turn_down(
        &self,
        id: &LifecycleId,
        exception: &ExceptionId,
        given: &Given,
    ) -> Result<Taken, NotTaken> {
        let now = self.now();
        self.change(id, |lifecycle| lifecycle.turned_down(exception, given, now))
            .await?;
        Ok(Taken::Now)
    }

    /// What an earlier request with the same key has left of an amendment, an approval or a refusal of one: the
    /// lifecycle is told once more, should that have been lost.
    ///
    /// # Errors
    /// When the store is not available, or the key came with another request.
    pub async fn amended_before(
        &self,
        plant: &Plant,
        id: &LifecycleId,
        exception: &ExceptionId,
        given: &Given,
    ) -> Result<Option<Taken>, NotTaken> {
        let Some(key) = &given.key else {
            return Ok(None);
        };
        let Some(raised) = self.store.exception(id, exception).await? else {
            return Ok(None);
        };
        let Some(left) = left_by(&raised, &given.by, key) else {
            return Ok(None);
        };
        let turned_down = raised.handling.turned_down.as_ref() == Some(&left);
        if !turned_down && left.decision != Some(Decision::Amend) {
            return Err(NotTaken::OtherRequest);
        }
        match (&raised.resolution, &raised.handling.proposal) {
            (Some(_), Some(proposal)) => {
                if let Some(row) = self.inbox.by_key(&proposal.inbox_key).await? {
                    self.tell_amended(plant, id, &row).await?;
                }
                Ok(Some(Taken::Before))
            }
            (None, Some(_)) => Ok(Some(Taken::AwaitsSecond)),
            (_, None) => Ok(Some(Taken::Before)),
        }
    }

    async fn put_amended(
        &self,
        plant: &Plant,
        id: &LifecycleId,
        exception: &ExceptionId,
        proposal: Proposal,
        row: &Row,
        seen_revision: Option<u64>,
    ) -> Result<(), NotTaken> {
        let now = self.now();
        self.change(id, |lifecycle| {
            lifecycle.amended(
                exception,
                proposal.clone(),
                seen_revision,
                row.received_at,
                now,
            )
        })
        .await?;
        crate::failpoint!("operator.after_amended");
        Ok(self.tell_amended(plant, id, row).await?)
    }

    async fn tell_amended(&self, plant: &Plant, id: &LifecycleId, row: &Row) -> Result<(), Error> {
        let now = self.now();
        for from in references::made_known(&row.fact()?, &row.plant) {
            references::refer(&self.store, &self.engine, &from, id, plant, now).await?;
        }
        protocol::nudge(&self.store, &self.engine, id, now).await
    }

    async fn loaded(&self, id: &LifecycleId) -> Result<Lifecycle, NotTaken> {
        let lifecycle = self.store.load(id).await?;
        lifecycle.ok_or_else(|| NotTaken::Decide(DecideError::NoLifecycle(id.clone())))
    }

    /// Makes a change, anew when somebody else was faster.
    async fn change(
        &self,
        id: &LifecycleId,
        make: impl Fn(&Lifecycle) -> Result<Commit, StaleDecision>,
    ) -> Result<(), NotTaken> {
        for _ in 0..ATTEMPTS {
            let commit = make(&self.loaded(id).await?)?;
            match self.store.commit(&commit).await {
                Ok(()) => return Ok(()),
                Err(Error::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Unavailable(format!("{id} is changed by too many at once")).into())
    }
}

/// What a request with a key has left at an exception.
fn left_by(raised: &RaisedException, by: &str, key: &str) -> Option<Resolution> {
    let handling = &raised.handling;
    let proposal = handling.proposal.as_ref();
    raised
        .resolution
        .iter()
        .chain(&raised.accepted_by)
        .chain(handling.assigned.iter().map(|one| &one.given))
        .chain(proposal.map(|one| &one.given))
        .chain(proposal.and_then(|one| one.approved.as_ref()))
        .chain(&handling.turned_down)
        .find(|one| one.by == by && one.key.as_deref() == Some(key))
        .cloned()
}

/// Whether an exception is past its due time.
#[must_use]
pub fn is_overdue(raised: &RaisedException, now: Timestamp) -> bool {
    raised.resolution.is_none() && raised.due_at <= now
}
