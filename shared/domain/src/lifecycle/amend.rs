//! How a fact that a person has written takes the place of the one that waits.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::exceptions::resolved;
use super::{Commit, Given, Lifecycle, StaleDecision};
use crate::exception::{Code as ExceptionCode, Decision};
use crate::identifier::ExceptionId;
use crate::mailbox::{Entry, EntryState, Proposal, RaisedException};

impl Lifecycle {
    /// The fact that an exception is about, when a person may write it anew.
    ///
    /// # Errors
    /// When the exception is not open or has no fact of its own that waits, or the lifecycle has changed since.
    pub fn amendable(
        &self,
        exception: &ExceptionId,
        seen_revision: Option<u64>,
        now: Timestamp,
    ) -> Result<(&RaisedException, &Entry), StaleDecision> {
        let raised = self.open_exception(exception, seen_revision)?;
        if self.at_work(now) {
            return Err(StaleDecision::AtWork);
        }
        let conflict = raised.exception.code == ExceptionCode::ConflictingFact;
        let entry = self
            .entries
            .iter()
            .find(|entry| entry.event_id == raised.event_id && !conflict);
        entry
            .map(|entry| (raised, entry))
            .ok_or(StaleDecision::NotAmendable)
    }

    /// Keeps what somebody wants to be said instead of a fact, until a second person has approved it.
    ///
    /// # Errors
    /// As [`Lifecycle::amendable`].
    pub fn proposed(
        &self,
        exception: &ExceptionId,
        proposal: Proposal,
        seen_revision: Option<u64>,
        now: Timestamp,
    ) -> Result<Commit, StaleDecision> {
        let (raised, _) = self.amendable(exception, seen_revision, now)?;
        let given = Given::of(&proposal.given, seen_revision);
        let changes = proposal.changes.clone();
        let mut raised = raised.clone();
        raised.handling.proposal = Some(proposal);
        let mut commit = self.commit(now);
        commit.exceptions.push(raised);
        self.note_of(
            &mut commit,
            "propose",
            Some(exception),
            &given,
            changes,
            now,
        );
        Ok(commit)
    }

    /// Turns a proposal down: the fact waits as before.
    ///
    /// # Errors
    /// When there is none, or the lifecycle has changed since the person looked.
    pub fn turned_down(
        &self,
        exception: &ExceptionId,
        given: &Given,
        now: Timestamp,
    ) -> Result<Commit, StaleDecision> {
        let mut raised = self.open_exception(exception, given.seen_revision)?.clone();
        let proposal = raised.handling.proposal.take();
        let proposal = proposal.ok_or(StaleDecision::NothingProposed)?;
        raised.handling.turned_down = Some(given.resolution(None, now));
        let mut commit = self.commit(now);
        commit.exceptions.push(raised);
        self.note_of(
            &mut commit,
            "turn-down",
            Some(exception),
            given,
            proposal.changes,
            now,
        );
        Ok(commit)
    }

    /// The proposal that somebody may approve.
    ///
    /// # Errors
    /// When there is none, or it is the same person's, or the lifecycle has changed since that person looked.
    pub fn approvable(
        &self,
        exception: &ExceptionId,
        given: &Given,
    ) -> Result<&Proposal, StaleDecision> {
        let raised = self.open_exception(exception, given.seen_revision)?;
        let proposal = raised.handling.proposal.as_ref();
        let proposal = proposal.ok_or(StaleDecision::NothingProposed)?;
        if proposal.given.by == given.by {
            return Err(StaleDecision::OwnProposal);
        }
        Ok(proposal)
    }

    /// Puts the amended fact into the mailbox in place of the one that waits, in one change.
    ///
    /// # Errors
    /// As [`Lifecycle::amendable`]; or when a second person is needed and is not there.
    pub fn amended(
        &self,
        exception: &ExceptionId,
        proposal: Proposal,
        seen_revision: Option<u64>,
        received_at: Timestamp,
        now: Timestamp,
    ) -> Result<Commit, StaleDecision> {
        let (raised, entry) = self.amendable(exception, seen_revision, now)?;
        let second = proposal.approved.as_ref();
        if proposal.needs_second.is_some()
            && second.is_none_or(|second| second.by == proposal.given.by)
        {
            return Err(StaleDecision::OwnProposal);
        }
        let mut commit = self.commit(now);
        let approved = second.map(|second| format!(", approved by {}", second.by));
        let result = format!(
            "amended by {}{}: {} takes its place",
            proposal.given.by,
            approved.unwrap_or_default(),
            proposal.event_id
        );
        if let Some(order) = &mut commit.header.order {
            order.withdraw_match(entry.sequence);
        }
        let ours = |operation: &super::Operation| operation.sequence == entry.sequence;
        commit.header.operation = commit.header.operation.filter(|one| !ours(one));
        commit.entries.push(Entry {
            state: EntryState::Skipped,
            settled_at: Some(now),
            result: Some(result),
            ..entry.clone()
        });
        commit.if_next_sequence = Some(self.next_sequence);
        commit.append = Some(Entry {
            sequence: self.next_sequence,
            event_id: proposal.event_id.clone(),
            inbox_key: proposal.inbox_key.clone(),
            received_at,
            state: EntryState::Waiting,
            // What was accepted of the other content was accepted of that one.
            accepted: BTreeSet::new(),
            settled_at: None,
            result: None,
            ..entry.clone()
        });
        let given = match second {
            Some(second) => Given::of(second, seen_revision),
            None => Given::of(&proposal.given, seen_revision),
        };
        let changes = proposal.changes.clone();
        let mut ended = resolved(
            raised,
            Some(Decision::Amend),
            &proposal.given.by,
            &proposal.given.reason,
            now,
        );
        if let Some(resolution) = &mut ended.resolution {
            resolution.key.clone_from(&given.key);
        }
        ended.handling.proposal = Some(proposal);
        commit.exceptions = self
            .others_resolved(entry, Some(raised.exception.code), now)
            .into_iter()
            .filter(|other| other.id != ended.id)
            .collect();
        if raised.blocks {
            commit.header.exception = None;
        }
        commit.exceptions.push(ended);
        self.note_of(&mut commit, "amend", Some(exception), &given, changes, now);
        Ok(commit)
    }
}
