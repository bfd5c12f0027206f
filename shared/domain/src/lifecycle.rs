//! One business document on its road: what is stored, and every way in which it may change.
//!
//! The record is the truth; the execution of the state machine is only the engine that moves it and may
//! be lost at any time. Each change here is a value, a [`Commit`], that a store applies whole or not at
//! all, and only if nobody else changed the record meanwhile.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::exception::{Code as ExceptionCode, Decision, Exception};
use crate::fact::FactKind;
use crate::identifier::{ExceptionId, LifecycleId};
use crate::mailbox::{Entry, EntryState, RaisedException, Resolution};
use crate::plant::Plant;
use crate::purchase_order::{self, Next, PurchaseOrder, Step};

/// An execution is replaced by a new generation after this many steps: about ten history events each,
/// far below the 25,000 at which Step Functions ends an execution.
pub const STEPS_PER_GENERATION: u32 = 1_500;

/// An execution is replaced when it is this old; Step Functions ends it after a year.
pub const DAYS_PER_GENERATION: i64 = 300;

/// Where a lifecycle stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Facts came before the one that begins it; no execution yet.
    Expected,
    /// An execution follows it.
    Running,
    /// Our own defect stopped it; an operator or a newer release starts it again.
    Halted,
    /// Everything is done; a later fact opens it again.
    Closed,
    /// A person stopped it.
    Cancelled,
}

/// The head of a lifecycle's record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Whose record this is.
    pub id: LifecycleId,
    /// Where it stands.
    pub status: Status,
    /// Number of the execution that follows it; 0 before the first.
    pub generation: u32,
    /// Raised by every change; a change names the revision that it saw.
    pub revision: u64,
    /// When the present generation started.
    pub generation_started_at: Timestamp,
    /// Steps of the present generation so far.
    pub steps: u32,
    /// The document, without its lines.
    pub order: Option<PurchaseOrder>,
    /// The effect that is under way.
    pub operation: Option<Operation>,
    /// The exception that blocks it.
    pub exception: Option<ExceptionId>,
    /// What stopped it, when it is halted.
    pub defect: Option<String>,
    /// When its first fact came.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// An effect outside our own store that has begun: nothing else may begin before it is settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// The step.
    pub step: Step,
    /// Position of the fact in the mailbox.
    pub sequence: u64,
    /// How often it was tried.
    pub attempts: u32,
    /// Until when the worker that has it may still be at work; none when it has let go of it.
    pub lease_until: Option<Timestamp>,
    /// Until when Odoo may still carry out a call whose answer was lost; none when no call is open.
    pub unknown_until: Option<Timestamp>,
    /// What is to be done, decided before the first call, so that a repeat does the same.
    pub plan: serde_json::Value,
    /// When it began.
    pub started_at: Timestamp,
}

impl Operation {
    /// Until when a call of an earlier attempt may still take effect in Odoo, which works on a request for
    /// so long at most. A worker that died may have made its last call at the end of its lease.
    #[must_use]
    pub fn busy_until(&self, request_limit: SignedDuration) -> Option<Timestamp> {
        self.lease_until
            .map(|lease| lease + request_limit)
            .max(self.unknown_until)
    }
}

/// The token of a waiting execution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiter {
    /// Distinguishes this wait from every other.
    pub epoch: String,
    /// The task token.
    pub token: String,
    /// The execution's generation.
    pub generation: u32,
    /// What it waits for.
    pub wait: Wait,
    /// The Odoo database that it waits for.
    pub database: Option<String>,
    /// When it was parked.
    pub parked_at: Timestamp,
}

/// What an execution waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wait {
    /// The next fact.
    Fact,
    /// A person.
    Decision,
    /// Odoo.
    Odoo,
}

/// Everything about a lifecycle that is still open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lifecycle {
    /// The head; the order in it has its lines.
    pub header: Header,
    /// Facts that are not settled, in the order of arrival.
    pub entries: Vec<Entry>,
    /// Exceptions that are not resolved.
    pub exceptions: Vec<RaisedException>,
    /// The waiting execution.
    pub waiter: Option<Waiter>,
    /// Position that the next fact will get.
    pub next_sequence: u64,
}

/// A change of a lifecycle, applied whole or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// The head after the change; its revision is one above the one that was seen.
    pub header: Header,
    /// Facts that changed.
    pub entries: Vec<Entry>,
    /// Exceptions that were raised or resolved.
    pub exceptions: Vec<RaisedException>,
    /// The operation that ended with this change, for the record.
    pub finished: Option<FinishedOperation>,
    /// Only when no fact came since: the position that the next fact would get.
    pub if_next_sequence: Option<u64>,
}

/// An operation that is done, for `interplant show` and for auditors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FinishedOperation {
    /// The operation.
    pub operation: Operation,
    /// The generation that finished it.
    pub generation: u32,
    /// When it was done.
    pub finished_at: Timestamp,
    /// What came of it.
    pub result: String,
}

/// What a step may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begin {
    /// Go to work, after the commit was applied.
    Work {
        /// Opens the operation.
        commit: Box<Commit>,
        /// How the work begins.
        resume: Resume,
    },
    /// Another step comes first, or none.
    Elsewhere(Next),
    /// Another generation follows this lifecycle.
    Superseded,
    /// The fact cannot be applied; the commit records the exception.
    Raised(Box<Commit>, Exception),
}

/// How work on an operation begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resume {
    /// Nobody has tried before.
    First,
    /// Somebody has tried: look first. Repeat only what certainly did not happen.
    Again {
        /// An earlier worker or call may still be at work until then: only look.
        only_look_until: Option<Timestamp>,
    },
}

/// What an execution that wants to wait gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitAnswer {
    /// It waits.
    Wait,
    /// It goes on at once, with this word for the state machine.
    GoOn(&'static str),
    /// It is too old: the next generation starts.
    RollOver,
}

/// The word by which the state machine is told to wait on.
pub const AWAIT: &str = "Await";
/// The word by which an execution is told that a newer generation has taken over.
pub const SUPERSEDED: &str = "Superseded";

impl Header {
    /// The head of a lifecycle whose first fact has just come.
    #[must_use]
    pub fn expected(id: LifecycleId, now: Timestamp) -> Self {
        Self {
            id,
            status: Status::Expected,
            generation: 0,
            revision: 0,
            generation_started_at: now,
            steps: 0,
            order: None,
            operation: None,
            exception: None,
            defect: None,
            created_at: now,
            updated_at: now,
        }
    }
}

impl Lifecycle {
    /// What comes next.
    #[must_use]
    pub fn next(&self) -> Next {
        match self.header.status {
            Status::Cancelled => Next::Do(Step::Close, None),
            Status::Expected | Status::Running | Status::Halted | Status::Closed => {
                purchase_order::next(self.header.order.as_ref(), &self.entries)
            }
        }
    }

    /// The lifecycle after a change: what a store makes of it.
    pub fn apply(&mut self, commit: &Commit) {
        self.header = commit.header.clone();
        for changed in &commit.entries {
            self.entries
                .retain(|entry| entry.sequence != changed.sequence);
            if changed.is_open() {
                self.entries.push(changed.clone());
            }
        }
        self.entries.sort_by_key(|entry| entry.sequence);
        for changed in &commit.exceptions {
            self.exceptions.retain(|raised| raised.id != changed.id);
            if changed.resolution.is_none() {
                self.exceptions.push(changed.clone());
            }
        }
    }

    fn commit(&self, now: Timestamp) -> Commit {
        let mut header = self.header.clone();
        header.revision += 1;
        header.updated_at = now;
        Commit {
            header,
            entries: Vec::new(),
            exceptions: Vec::new(),
            finished: None,
            if_next_sequence: None,
        }
    }

    fn entry(&self, sequence: u64) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.sequence == sequence)
    }

    /// The next generation, when the lifecycle has something to do and no execution, or lost it.
    #[must_use]
    pub fn next_generation(&self, now: Timestamp) -> Commit {
        let mut commit = self.commit(now);
        commit.header.generation += 1;
        commit.header.status = Status::Running;
        commit.header.generation_started_at = now;
        commit.header.steps = 0;
        commit.header.defect = None;
        commit
    }

    /// Whether the lifecycle has work but no execution was ever started for it, or it had ended.
    #[must_use]
    pub fn wants_execution(&self) -> bool {
        matches!(self.header.status, Status::Expected | Status::Closed)
            && matches!(self.next(), Next::Do(step, _) if step != Step::Close)
    }

    /// What the parked execution should be told now, if it should be woken.
    #[must_use]
    pub fn wake_word(&self) -> Option<&'static str> {
        let waiter = self.waiter.as_ref()?;
        match (waiter.wait, self.next()) {
            (Wait::Fact | Wait::Decision, Next::Do(step, _)) => Some(step.state_name()),
            (Wait::Decision, Next::Wait) => Some(AWAIT),
            // Only the retry lane ends a wait for Odoo.
            (Wait::Odoo, _)
            | (Wait::Fact, Next::Wait | Next::Decide)
            | (Wait::Decision, Next::Decide) => None,
        }
    }

    /// The word that ends a wait, whatever it waits for: where the execution goes on.
    #[must_use]
    pub fn resume_word(&self) -> &'static str {
        match self.next() {
            Next::Do(step, _) => step.state_name(),
            Next::Wait | Next::Decide => AWAIT,
        }
    }

    /// What an execution of this generation gets that wants to wait.
    #[must_use]
    pub fn on_wait(&self, generation: u32, wait: Wait, now: Timestamp) -> WaitAnswer {
        if generation != self.header.generation {
            return WaitAnswer::GoOn(SUPERSEDED);
        }
        let age = now.duration_since(self.header.generation_started_at);
        if self.header.steps >= STEPS_PER_GENERATION
            || age >= SignedDuration::from_hours(24 * DAYS_PER_GENERATION)
        {
            return WaitAnswer::RollOver;
        }
        match (wait, self.next()) {
            (Wait::Fact | Wait::Decision, Next::Do(step, _)) => WaitAnswer::GoOn(step.state_name()),
            (Wait::Decision, Next::Wait) => WaitAnswer::GoOn(AWAIT),
            (Wait::Fact, Next::Wait | Next::Decide)
            | (Wait::Decision, Next::Decide)
            | (Wait::Odoo, _) => WaitAnswer::Wait,
        }
    }

    /// Opens the operation of a step, or says why not.
    ///
    /// `plan` is asked only when no earlier attempt has stored one; `owner` names who decides an exception.
    pub fn begin(
        &self,
        run: Run,
        now: Timestamp,
        plant: &Plant,
        plan: impl FnOnce(Option<&PurchaseOrder>) -> Result<serde_json::Value, Exception>,
    ) -> Begin {
        if run.generation != self.header.generation || self.header.status != Status::Running {
            return Begin::Superseded;
        }
        let sequence = match self.next() {
            Next::Do(step, Some(sequence)) if step == run.step => sequence,
            elsewhere @ (Next::Do(..) | Next::Wait | Next::Decide) => {
                return Begin::Elsewhere(elsewhere);
            }
        };
        let Some(entry) = self.entry(sequence) else {
            return Begin::Elsewhere(Next::Wait);
        };
        let mut commit = self.commit(now);
        let earlier = self
            .header
            .operation
            .as_ref()
            .filter(|operation| operation.step == run.step && operation.sequence == sequence);
        let (operation, resume) = if let Some(earlier) = earlier {
            let only_look_until = earlier
                .busy_until(run.request_limit)
                .filter(|until| *until > now);
            let operation = Operation {
                attempts: earlier.attempts + 1,
                // While somebody else may still be at work we only look, and leave the lease to them.
                lease_until: if only_look_until.is_some() {
                    earlier.lease_until
                } else {
                    Some(run.deadline)
                },
                ..earlier.clone()
            };
            (operation, Resume::Again { only_look_until })
        } else {
            match plan(self.header.order.as_ref()) {
                Ok(plan) => {
                    let operation = Operation {
                        step: run.step,
                        sequence,
                        attempts: 1,
                        lease_until: Some(run.deadline),
                        unknown_until: None,
                        plan,
                        started_at: now,
                    };
                    (operation, Resume::First)
                }
                Err(exception) => {
                    return Begin::Raised(
                        Box::new(self.raise(run.step, sequence, &exception, plant, now)),
                        exception,
                    );
                }
            }
        };
        commit.header.operation = Some(operation);
        commit.header.steps += 1;
        commit.entries.push(Entry {
            state: EntryState::Taken {
                generation: run.generation,
            },
            ..entry.clone()
        });
        Begin::Work {
            commit: Box::new(commit),
            resume,
        }
    }

    /// Records that a step is done: the order after it, and a few words for people.
    ///
    /// `None` when the fact is settled already: another worker was faster, and there is nothing to record.
    #[must_use]
    pub fn done(
        &self,
        step: Step,
        sequence: u64,
        order: PurchaseOrder,
        settle: Settle,
        result: &str,
        now: Timestamp,
    ) -> Option<Commit> {
        let entry = self.entry(sequence)?;
        let operation = self
            .header
            .operation
            .as_ref()
            .filter(|operation| operation.step == step && operation.sequence == sequence)?;
        let mut commit = self.commit(now);
        commit.finished = Some(FinishedOperation {
            operation: operation.clone(),
            generation: self.header.generation,
            finished_at: now,
            result: result.to_owned(),
        });
        commit.header.operation = None;
        let receipts_seen = order.receipts.len();
        commit.header.order = Some(order);
        let (state, settled_at) = match settle {
            Settle::Applied => (EntryState::Applied, Some(now)),
            Settle::Continue => (EntryState::Waiting, None),
            Settle::Park => (
                EntryState::Parked {
                    receipts_seen,
                    reason: result.to_owned(),
                },
                None,
            ),
        };
        // What was overdue has come about.
        commit.exceptions = self
            .exceptions
            .iter()
            .filter(|raised| {
                settled_at.is_some() && raised.event_id == entry.event_id && !raised.blocks
            })
            .map(|raised| resolved(raised, None, "interplant", "the fact was applied", now))
            .collect();
        commit.entries.push(Entry {
            state,
            settled_at,
            result: Some(result.to_owned()),
            ..entry.clone()
        });
        Some(commit)
    }

    /// Records that a call's outcome is not known, or that no call is open any more.
    #[must_use]
    pub fn interrupted(
        &self,
        step: Step,
        unknown_until: Option<Timestamp>,
        now: Timestamp,
    ) -> Option<Commit> {
        let operation = self
            .header
            .operation
            .as_ref()
            .filter(|operation| operation.step == step)?;
        let mut commit = self.commit(now);
        commit.header.operation = Some(Operation {
            lease_until: None,
            unknown_until: unknown_until.max(operation.unknown_until),
            ..operation.clone()
        });
        Some(commit)
    }

    /// Records an exception that blocks the lifecycle until a person decides.
    #[must_use]
    pub fn raise(
        &self,
        step: Step,
        sequence: u64,
        exception: &Exception,
        plant: &Plant,
        now: Timestamp,
    ) -> Commit {
        let mut commit = self.commit(now);
        let Some(entry) = self.entry(sequence) else {
            return commit;
        };
        let id = ExceptionId::for_cause(&[
            &self.header.id.to_string(),
            exception.code.as_str(),
            entry.event_id.as_str(),
            // A cause that comes back after a decision is a new exception.
            &self.header.revision.to_string(),
        ]);
        commit.exceptions.push(raised(
            id.clone(),
            exception,
            step.state_name(),
            entry,
            plant,
            true,
            now,
        ));
        commit.entries.push(Entry {
            state: EntryState::Held {
                exception: id.clone(),
            },
            ..entry.clone()
        });
        commit.header.exception = Some(id);
        if let Some(operation) = &mut commit.header.operation {
            operation.lease_until = None;
        }
        commit
    }

    /// Facts that have waited beyond their due time and of which nobody was told.
    #[must_use]
    pub fn overdue(&self, plant: &Plant, now: Timestamp) -> Option<Commit> {
        let mut commit = self.commit(now);
        for entry in &self.entries {
            let waits = matches!(entry.state, EntryState::Waiting | EntryState::Parked { .. });
            let told = self
                .exceptions
                .iter()
                .any(|raised| raised.event_id == entry.event_id);
            if !waits || told || entry.due_at > now {
                continue;
            }
            let (code, why) = match &entry.state {
                EntryState::Parked { reason, .. } => {
                    (ExceptionCode::QuantityReceived, reason.clone())
                }
                EntryState::Waiting
                | EntryState::Taken { .. }
                | EntryState::Held { .. }
                | EntryState::Applied
                | EntryState::Skipped => (
                    ExceptionCode::PredecessorOverdue,
                    format!(
                        "{} {} has waited since {} for the fact before it",
                        entry.kind.event_type(),
                        entry.number,
                        entry.received_at
                    ),
                ),
            };
            let exception = Exception::new(code, why);
            let id = ExceptionId::for_cause(&[
                &self.header.id.to_string(),
                code.as_str(),
                entry.event_id.as_str(),
            ]);
            commit
                .exceptions
                .push(raised(id, &exception, "sweep", entry, plant, false, now));
        }
        (!commit.exceptions.is_empty()).then_some(commit)
    }

    /// Settles facts that come after a person has cancelled the lifecycle: their sender is told.
    #[must_use]
    pub fn after_cancel(&self, now: Timestamp) -> Option<Commit> {
        if self.header.status != Status::Cancelled || self.entries.is_empty() {
            return None;
        }
        let mut commit = self.commit(now);
        commit.entries = self
            .entries
            .iter()
            .map(|entry| Entry {
                state: EntryState::Skipped,
                settled_at: Some(now),
                result: Some("not applied: the lifecycle was cancelled before it came".to_owned()),
                ..entry.clone()
            })
            .collect();
        Some(commit)
    }

    /// Records our own defect: the lifecycle stands still until an operator restarts it.
    #[must_use]
    pub fn halted(&self, defect: &str, now: Timestamp) -> Commit {
        let mut commit = self.commit(now);
        commit.header.status = Status::Halted;
        commit.header.defect = Some(defect.to_owned());
        commit
    }

    /// Records that nothing is left to do; only if no fact came meanwhile.
    #[must_use]
    pub fn closed(&self, now: Timestamp) -> Commit {
        let mut commit = self.commit(now);
        commit.if_next_sequence = Some(self.next_sequence);
        if commit.header.status != Status::Cancelled {
            commit.header.status = Status::Closed;
        }
        commit
    }

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
        // What a step is doing in Odoo at this moment cannot be called back, and must not be forgotten.
        let operation = self.header.operation.as_ref();
        let at_work = operation.is_some_and(|operation| {
            operation.lease_until.is_some()
                || operation.unknown_until.is_some_and(|until| until > now)
        });
        if at_work && given.decision != Decision::Retry {
            return Err(StaleDecision::AtWork);
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
            Decision::Retry => {
                if let Some(entry) = entry {
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
                        ..entry.clone()
                    });
                }
            }
            Decision::Skip => {
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
                    let invoices = self.header.order.iter().flat_map(|order| &order.invoices);
                    invoices
                        .filter(|invoice| invoice.sequence == entry.sequence)
                        .any(|invoice| invoice.bill.is_some())
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
}

/// A step that is being run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// The step.
    pub step: Step,
    /// Generation of the execution that runs it.
    pub generation: u32,
    /// When the function is ended at the latest.
    pub deadline: Timestamp,
    /// How long Odoo works on a request at most.
    pub request_limit: SignedDuration,
}

/// What becomes of a fact when a step is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settle {
    /// It is applied.
    Applied,
    /// Another step goes on with it.
    Continue,
    /// It waits for another fact.
    Park,
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
    /// There is nothing to retry, and no reason to give the document up.
    #[error("two facts contradict each other and the first is in force: the only decision is skip")]
    OnlySkip,
}

fn raised(
    id: ExceptionId,
    exception: &Exception,
    by: &str,
    entry: &Entry,
    plant: &Plant,
    blocks: bool,
    now: Timestamp,
) -> RaisedException {
    let code = exception.code;
    RaisedException {
        id,
        exception: exception.clone(),
        raised_by: by.to_owned(),
        event_id: entry.event_id.clone(),
        owner: owner(plant, code),
        raised_at: now,
        due_at: now + SignedDuration::from_hours(code.due_hours()),
        blocks,
        resolution: None,
    }
}

/// Whom a plant names for the owner role of a code; the role itself when it names nobody.
#[must_use]
pub fn owner(plant: &Plant, code: ExceptionCode) -> String {
    let role = code.owner();
    plant
        .owners
        .get(&role)
        .cloned()
        .unwrap_or_else(|| role.to_string())
}

fn resolved(
    raised: &RaisedException,
    decision: Option<Decision>,
    by: &str,
    reason: &str,
    now: Timestamp,
) -> RaisedException {
    RaisedException {
        resolution: Some(Resolution {
            decision,
            by: by.to_owned(),
            reason: reason.to_owned(),
            at: now,
        }),
        ..raised.clone()
    }
}
