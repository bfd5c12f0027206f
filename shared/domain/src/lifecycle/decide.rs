//! What a person decides about an exception.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::exceptions::resolved;
use super::{Commit, Lifecycle, Status};
use crate::amendment::Change;
use crate::exception::{Code as ExceptionCode, Decision};
use crate::fact::FactKind;
use crate::identifier::ExceptionId;
use crate::mailbox::{Assignment, Entry, EntryState, RaisedException, Resolution};
use crate::purchase_order::PurchaseOrder;

impl Lifecycle {
    /// Records a person's decision about an open exception.
    ///
    /// # Errors
    /// When the exception is not open, or the lifecycle has changed since the person looked.
    pub fn decided(&self, given: &GivenDecision, now: Timestamp) -> Result<Commit, StaleDecision> {
        let raised = self.open_exception(&given.exception, given.seen_revision)?;
        if given.decision == Decision::Amend {
            return Err(StaleDecision::NothingAmended);
        }
        if raised.exception.code == ExceptionCode::ConflictingFact
            && given.decision != Decision::Skip
        {
            return Err(StaleDecision::OnlySkip);
        }
        if raised.exception.code.is_of_outbox() && given.decision != Decision::Skip {
            return Err(StaleDecision::OutboxOnlySkip);
        }
        if self.at_work(now) && given.decision != Decision::Retry {
            return Err(StaleDecision::AtWork);
        }
        let code = raised.exception.code;
        if given.decision == Decision::Accept {
            if !code.may_be_accepted() {
                return Err(StaleDecision::NotAcceptable(code));
            }
            if raised.two_people && raised.accepted_by.is_empty() {
                return Ok(self.first_of_two(raised, given, now));
            }
            if raised
                .accepted_by
                .iter()
                .any(|earlier| earlier.by == given.by)
            {
                return Err(StaleDecision::SamePerson);
            }
        }
        let mut commit = self.commit(now);
        commit.exceptions.push(resolved(
            raised,
            Some(given.decision),
            &given.by,
            &given.reason,
            now,
        ));
        keyed(&mut commit, given.key.as_ref());
        let entry = self
            .entries
            .iter()
            .find(|entry| entry.event_id == raised.event_id);
        if raised.blocks {
            commit.header.exception = None;
        }
        // Without its order a lifecycle has nothing to wait for: skipping that fact ends it.
        let created = self
            .header
            .order
            .as_ref()
            .is_some_and(|order| order.in_odoo.is_some());
        let decision = match entry {
            Some(entry)
                if given.decision == Decision::Skip
                    && entry.kind == FactKind::PoCreated
                    && !created =>
            {
                Decision::Cancel
            }
            Some(_) | None => given.decision,
        };
        match decision {
            Decision::Retry | Decision::Accept => {
                if let Some(entry) = entry {
                    let mut accepted = entry.accepted.clone();
                    if decision == Decision::Accept {
                        accepted.insert(code);
                        accepted.extend(&raised.exception.along);
                    }
                    // A step that had begun goes on with its plan; the plan's cause may have been mended, so a
                    // fact whose effect never started is planned anew.
                    let begun = self
                        .header
                        .operation
                        .as_ref()
                        .is_some_and(|operation| operation.sequence == entry.sequence);
                    let state = if begun {
                        EntryState::Taken {
                            generation: self.header.generation,
                        }
                    } else {
                        EntryState::Waiting
                    };
                    commit.entries.push(Entry {
                        state,
                        accepted,
                        ..entry.clone()
                    });
                }
            }
            Decision::Skip => {
                if let Some(order) = &mut commit.header.order {
                    leave(order, raised);
                }
                if let Some(entry) = entry {
                    if let Some(order) = &mut commit.header.order {
                        order.withdraw_match(entry.sequence);
                    }
                    if commit
                        .header
                        .operation
                        .as_ref()
                        .is_some_and(|operation| operation.sequence == entry.sequence)
                    {
                        commit.header.operation = None;
                    }
                    commit.entries.push(Entry {
                        state: EntryState::Skipped,
                        settled_at: Some(now),
                        result: Some(format!("skipped by {}: {}", given.by, given.reason)),
                        ..entry.clone()
                    });
                }
            }
            // An amendment was turned away above: it has a way of its own.
            Decision::Cancel | Decision::Amend => {
                self.stop(&mut commit, &given.by, &given.reason, now);
            }
        }
        self.note(&mut commit, given.decision.word(), given, now);
        Ok(commit)
    }

    /// Stops following the document.
    fn stop(&self, commit: &mut Commit, by: &str, reason: &str, now: Timestamp) {
        commit.header.status = Status::Cancelled;
        commit.header.operation = None;
        commit.header.exception = None;
        let posted = |entry: &Entry| {
            let order = self.header.order.as_ref();
            order
                .and_then(|order| order.invoice(entry.sequence))
                .is_some_and(|invoice| invoice.bill.is_some())
        };
        commit.entries = self
            .entries
            .iter()
            .map(|entry| {
                // A bill that is posted stays posted, whatever becomes of the order.
                let (state, result) = if posted(entry) {
                    (EntryState::Applied, "bill posted, not read back".to_owned())
                } else {
                    (EntryState::Skipped, format!("cancelled by {by}: {reason}"))
                };
                Entry {
                    state,
                    settled_at: Some(now),
                    result: Some(result),
                    ..entry.clone()
                }
            })
            .collect();
    }

    /// Stops following the document, without an exception that asks for it. What Odoo holds stays as it is.
    ///
    /// # Errors
    /// When the lifecycle has changed since the person looked, is at work, or is not followed any more.
    pub fn cancelled(&self, given: &Given, now: Timestamp) -> Result<Commit, StaleDecision> {
        self.unchanged_since(given.seen_revision)?;
        match self.header.status {
            Status::Expected | Status::Running | Status::Halted => {}
            Status::Closed | Status::Cancelled | Status::Recorded => {
                return Err(StaleDecision::NotFollowed);
            }
        }
        if self.at_work(now) {
            return Err(StaleDecision::AtWork);
        }
        let mut commit = self.commit(now);
        self.stop(&mut commit, &given.by, &given.reason, now);
        let ended = self.exceptions.iter().map(|raised| {
            resolved(
                raised,
                Some(Decision::Cancel),
                &given.by,
                &given.reason,
                now,
            )
        });
        commit.exceptions = ended.collect();
        commit.header.cancelled = Some(given.resolution(Some(Decision::Cancel), now));
        self.note_of(&mut commit, "cancel", None, given, Vec::new(), now);
        Ok(commit)
    }

    /// Hands an exception to somebody else.
    ///
    /// # Errors
    /// When the exception is not open, or the lifecycle has changed since the person looked.
    pub fn assigned(
        &self,
        exception: &ExceptionId,
        to: &str,
        given: &Given,
        now: Timestamp,
    ) -> Result<Commit, StaleDecision> {
        let raised = self.open_exception(exception, given.seen_revision)?;
        let mut assigned = raised.clone();
        assigned.owner = to.to_owned();
        assigned.handling.assigned.push(Assignment {
            from: raised.owner.clone(),
            to: to.to_owned(),
            given: given.resolution(None, now),
        });
        let mut commit = self.commit(now);
        commit.exceptions.push(assigned);
        self.note_of(
            &mut commit,
            "assign",
            Some(exception),
            given,
            Vec::new(),
            now,
        );
        Ok(commit)
    }

    pub(super) fn open_exception(
        &self,
        exception: &ExceptionId,
        seen_revision: Option<u64>,
    ) -> Result<&RaisedException, StaleDecision> {
        let found = self
            .exceptions
            .iter()
            .find(|raised| raised.id == *exception);
        let raised = found.ok_or_else(|| StaleDecision::NotOpen(exception.clone()))?;
        self.unchanged_since(seen_revision)?;
        Ok(raised)
    }

    fn unchanged_since(&self, seen_revision: Option<u64>) -> Result<(), StaleDecision> {
        let now = self.header.revision;
        match seen_revision {
            Some(seen) if seen != now => Err(StaleDecision::Changed { now }),
            Some(_) | None => Ok(()),
        }
    }

    /// Whether a step is doing something in Odoo at this moment: that cannot be called back, and must not be
    /// forgotten.
    pub(super) fn at_work(&self, now: Timestamp) -> bool {
        self.header.operation.as_ref().is_some_and(|operation| {
            operation.lease_until.is_some()
                || operation.unknown_until.is_some_and(|until| until > now)
        })
    }

    /// Notes in a change what a person did, with what it was before and after.
    fn note(&self, commit: &mut Commit, action: &str, given: &GivenDecision, now: Timestamp) {
        let of = Given {
            by: given.by.clone(),
            reason: given.reason.clone(),
            key: given.key.clone(),
            seen_revision: given.seen_revision,
        };
        self.note_of(commit, action, Some(&given.exception), &of, Vec::new(), now);
    }

    pub(super) fn note_of(
        &self,
        commit: &mut Commit,
        action: &str,
        exception: Option<&ExceptionId>,
        given: &Given,
        changes: Vec<Change>,
        now: Timestamp,
    ) {
        let mut after = self.clone();
        after.apply(commit);
        commit.manual = Some(ManualAction {
            action: action.to_owned(),
            exception: exception.cloned(),
            by: given.by.clone(),
            reason: given.reason.clone(),
            at: now,
            before: self.standing(commit),
            after: after.standing(commit),
            changes,
        });
    }

    /// Where the lifecycle stands, as far as a change touches it.
    fn standing(&self, commit: &Commit) -> serde_json::Value {
        let facts: BTreeMap<&str, serde_json::Value> = commit
            .entries
            .iter()
            .chain(&commit.append)
            .map(|changed| {
                let open = self.entry(changed.sequence);
                // What is settled has left the open record.
                let settled =
                    Some(changed).filter(|_| self.header.revision == commit.header.revision);
                let state = open.or(settled).map(|entry| &entry.state);
                (changed.event_id.as_str(), serde_json::json!(state))
            })
            .collect();
        let exceptions: BTreeMap<&str, serde_json::Value> = commit
            .exceptions
            .iter()
            .map(|changed| {
                let open = self.exceptions.iter().find(|one| one.id == changed.id);
                let standing = open.map(|open| serde_json::json!({"code": open.exception.code, "owner": open.owner, "accepted_by": open.accepted_by.len(), "proposal": open.handling.proposal.as_ref().map(|one| &one.event_id)}));
                (changed.id.as_str(), serde_json::json!(standing))
            })
            .collect();
        serde_json::json!({
            "revision": self.header.revision, "status": self.header.status, "facts": facts, "open_exceptions": exceptions
        })
    }

    /// Records that one of two people has accepted.
    fn first_of_two(
        &self,
        raised: &RaisedException,
        given: &GivenDecision,
        now: Timestamp,
    ) -> Commit {
        let mut commit = self.commit(now);
        commit.exceptions.push(RaisedException {
            accepted_by: vec![Resolution {
                decision: Some(given.decision),
                by: given.by.clone(),
                reason: given.reason.clone(),
                at: now,
                key: given.key.clone(),
            }],
            ..raised.clone()
        });
        self.note(&mut commit, "accept-first", given, now);
        commit
    }
}

/// Puts the key of the request to the decision that a change records.
fn keyed(commit: &mut Commit, key: Option<&String>) {
    let resolutions = commit.exceptions.iter_mut();
    for resolution in resolutions.filter_map(|raised| raised.resolution.as_mut()) {
        resolution.key = key.cloned();
    }
}

/// Leaves a condition of the order as it is: nothing waits for it any more.
fn leave(order: &mut PurchaseOrder, raised: &RaisedException) {
    let about = |text: &str| text == raised.subject;
    if raised.exception.code == ExceptionCode::CreditDue {
        for line in order
            .lines
            .iter_mut()
            .filter(|line| about(line.line_no.as_str()))
        {
            line.credit_waived = true;
        }
    }
    if raised.exception.code == ExceptionCode::LineRefused {
        let all = about(order.number.as_str());
        for line in order
            .lines
            .iter_mut()
            .filter(|line| all || about(line.line_no.as_str()))
        {
            line.refusal_seen = true;
        }
    }
    if raised.exception.code == ExceptionCode::Nonconformance {
        for one in order
            .nonconformances
            .iter_mut()
            .filter(|one| about(one.id.as_str()))
        {
            one.left = true;
        }
    }
}

/// A decision as a person gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenDecision {
    /// About what.
    pub exception: ExceptionId,
    /// What.
    pub decision: Decision,
    /// Revision of the lifecycle that the person saw.
    pub seen_revision: Option<u64>,
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
    /// By which a repeated request is told from a second one.
    pub key: Option<String>,
}

/// Who does something about a lifecycle, why, and having seen what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
    /// By which a repeated request is told from a second one.
    pub key: Option<String>,
    /// Revision of the lifecycle that the person saw.
    pub seen_revision: Option<u64>,
}

impl Given {
    pub(super) fn of(resolution: &Resolution, seen_revision: Option<u64>) -> Self {
        Self {
            by: resolution.by.clone(),
            reason: resolution.reason.clone(),
            key: resolution.key.clone(),
            seen_revision,
        }
    }

    /// As it is recorded.
    #[must_use]
    pub fn resolution(&self, decision: Option<Decision>, now: Timestamp) -> Resolution {
        Resolution {
            decision,
            by: self.by.clone(),
            reason: self.reason.clone(),
            at: now,
            key: self.key.clone(),
        }
    }
}

/// What a person did to a lifecycle, for the record of such actions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManualAction {
    /// `retry`, `accept`, `accept-first`, `skip`, `cancel`, `assign`, `propose`, `turn-down` or `amend`.
    pub action: String,
    /// The exception that it was about.
    pub exception: Option<ExceptionId>,
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
    /// What it was before, as far as the action changed it.
    pub before: serde_json::Value,
    /// And after.
    pub after: serde_json::Value,
    /// What an amendment says otherwise than the fact.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
}

/// Why a decision was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StaleDecision {
    /// The exception is decided already, or never was.
    #[error(
        "exception {0} is not open: it was decided already, or it belongs to another lifecycle"
    )]
    NotOpen(ExceptionId),
    /// Something happened since.
    #[error(
        "the lifecycle has changed since it was shown (its revision is now {now}); look at it again, then decide"
    )]
    Changed {
        /// The present revision.
        now: u64,
    },
    /// A step is doing something in Odoo, or has just lost the answer to it.
    #[error("a step is at work on this lifecycle; look at it again in a minute, then decide")]
    AtWork,
    /// Nobody can apply such a fact.
    #[error("a fact with {0} cannot be accepted as it is: mend the cause and retry, or skip it")]
    NotAcceptable(ExceptionCode),
    /// Two people have to accept, and this one has already.
    #[error("so much is at risk that a second person has to accept it")]
    SamePerson,
    /// What goes out is sent again in another way.
    #[error(
        "what waits in an outbox is sent again by `interplant outbox send-again`; the only decision is skip"
    )]
    OutboxOnlySkip,
    /// An amendment without its content.
    #[error("an amendment says what stands in the fact instead: `interplant exceptions amend`")]
    NothingAmended,
    /// The exception is about no fact of this lifecycle that waits.
    #[error("this exception is about no fact that waits and could be written anew")]
    NotAmendable,
    /// Nobody has proposed anything, or it was turned down.
    #[error("there is no amendment that waits for approval")]
    NothingProposed,
    /// One person alone.
    #[error("an amendment that needs a second person is approved by another one than who wrote it")]
    OwnProposal,
    /// Nothing is followed that could be given up.
    #[error("nothing follows this document any more: it is closed, cancelled or only kept")]
    NotFollowed,
    /// There is nothing to retry, and no reason to give the document up.
    #[error("two facts contradict each other and the first is in force: the only decision is skip")]
    OnlySkip,
}
