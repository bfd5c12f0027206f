//! What a person decides about an exception.

use jiff::Timestamp;

use super::exceptions::resolved;
use super::{Commit, Lifecycle, Status};
use crate::exception::{Code as ExceptionCode, Decision};
use crate::fact::FactKind;
use crate::identifier::ExceptionId;
use crate::mailbox::{Entry, EntryState, RaisedException, Resolution};
use crate::purchase_order::PurchaseOrder;

impl Lifecycle {
    /// Records a person's decision about an open exception.
    ///
    /// # Errors
    /// When the exception is not open, or the lifecycle has changed since the person looked.
    pub fn decided(&self, given: &GivenDecision, now: Timestamp) -> Result<Commit, StaleDecision> {
        let found = self
            .exceptions
            .iter()
            .find(|raised| raised.id == given.exception);
        let raised = found.ok_or_else(|| StaleDecision::NotOpen(given.exception.clone()))?;
        if given
            .seen_revision
            .is_some_and(|seen| seen != self.header.revision)
        {
            return Err(StaleDecision::Changed {
                now: self.header.revision,
            });
        }
        if raised.exception.code == ExceptionCode::ConflictingFact
            && given.decision != Decision::Skip
        {
            return Err(StaleDecision::OnlySkip);
        }
        if raised.exception.code.is_of_outbox() && given.decision != Decision::Skip {
            return Err(StaleDecision::OutboxOnlySkip);
        }
        // What a step is doing in Odoo at this moment cannot be called back, and must not be forgotten.
        let operation = self.header.operation.as_ref();
        let at_work = operation.is_some_and(|operation| {
            operation.lease_until.is_some()
                || operation.unknown_until.is_some_and(|until| until > now)
        });
        if at_work && given.decision != Decision::Retry {
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
            Decision::Cancel => {
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
                            (
                                EntryState::Skipped,
                                format!("cancelled by {}: {}", given.by, given.reason),
                            )
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
        }
        Ok(commit)
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
            }],
            ..raised.clone()
        });
        commit
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
    /// There is nothing to retry, and no reason to give the document up.
    #[error("two facts contradict each other and the first is in force: the only decision is skip")]
    OnlySkip,
}
