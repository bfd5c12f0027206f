//! One business document on its road: what is stored, and every way in which it may change.
//!
//! The record is the truth; the execution of the state machine is only the engine that moves it and may
//! be lost at any time. Each change here is a value, a [`Commit`], that a store applies whole or not at
//! all, and only if nobody else changed the record meanwhile.

mod amend;
mod decide;
mod exceptions;

pub use decide::{Given, GivenDecision, ManualAction, StaleDecision};
pub use exceptions::owner;
use exceptions::resolved;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::audit::Action;
use crate::exception::{Code as ExceptionCode, Exception};
use crate::identifier::{ExceptionId, LifecycleId};
use crate::mailbox::{Entry, EntryState, RaisedException, Resolution};
use crate::plant::Plant;
use crate::purchase_order::{self, Next, PurchaseOrder, Refusal, Step, Taken};

/// An execution is replaced by a new generation after this many steps: about ten history events each,
/// far below the 25,000 at which Step Functions ends an execution.
pub const STEPS_PER_GENERATION: u32 = 1_500;

/// An execution is replaced when it is this old; Step Functions ends it after a year.
pub const DAYS_PER_GENERATION: i64 = 300;

/// A step whose worker died so often on one fact is not tried again without a person.
pub const MOST_DEATHS: u32 = 5;

/// Nor is one that failed so often; three tries are made at a time, and the pauses double.
pub const MOST_ATTEMPTS: u32 = 30;

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
    /// Its facts are kept, and nothing follows it.
    Recorded,
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
    /// Who has cancelled it, when that was not the decision about an exception.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancelled: Option<Resolution>,
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
    /// How often it was tried since a person last looked.
    pub attempts: u32,
    /// How often of these the worker died, or was ended, in the middle.
    #[serde(default)]
    pub deaths: u32,
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
    /// Where the lifecycle stood before, for the audit.
    pub was: Was,
    /// The person whose doing it is, where no exception tells.
    pub act: Option<Act>,
    /// A fact that is put into the mailbox with this change, at the position that the next fact would get.
    pub append: Option<Entry>,
    /// What a person did, if the change is a person's.
    pub manual: Option<ManualAction>,
}

/// Where a lifecycle stood before a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Was {
    /// Its status.
    pub status: Status,
    /// Its generation.
    pub generation: u32,
}

/// What a person does to a lifecycle beside deciding an exception.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// What.
    pub action: Action,
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
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
    /// The fact is not applied now; the commit records why.
    Refused(Box<Commit>, Refusal),
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
    pub fn new(id: LifecycleId, now: Timestamp) -> Self {
        let status = if id.kind().only_keeps() {
            Status::Recorded
        } else {
            Status::Expected
        };
        Self {
            id,
            status,
            generation: 0,
            revision: 0,
            generation_started_at: now,
            steps: 0,
            order: None,
            operation: None,
            exception: None,
            defect: None,
            cancelled: None,
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
            Status::Recorded => Next::Wait,
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
        if let Some(appended) = &commit.append {
            self.entries.push(appended.clone());
            self.next_sequence = appended.sequence + 1;
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
            was: Was {
                status: self.header.status,
                generation: self.header.generation,
            },
            act: None,
            append: None,
            manual: None,
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

    /// The next generation of a lifecycle that a defect had halted, because a person says so.
    #[must_use]
    pub fn restarted(&self, by: &str, reason: &str, now: Timestamp) -> Commit {
        let mut commit = self.next_generation(now);
        commit.act = Some(Act {
            action: Action::Restarted,
            by: by.to_owned(),
            reason: reason.to_owned(),
        });
        commit
    }

    /// Whether the lifecycle has work but no execution was ever started for it, or it had ended.
    #[must_use]
    pub fn wants_execution(&self) -> bool {
        matches!(self.header.status, Status::Expected | Status::Closed)
            && matches!(self.next(), Next::Do(step, _) if step != Step::Close)
    }

    /// Whether its execution waits for Odoo: only the lane ends that.
    #[must_use]
    pub fn waits_for_odoo(&self) -> bool {
        let waiter = self.waiter.as_ref();
        waiter.is_some_and(|waiter| waiter.wait == Wait::Odoo)
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

    /// Raises an exception about a step that fails or dies again and again, though Odoo is called: more of the
    /// same would not help, and only this lifecycle has to stand still for it.
    #[must_use]
    pub fn gives_up(
        &self,
        step: Step,
        plant: &Plant,
        now: Timestamp,
    ) -> Option<(Commit, Exception)> {
        let operation = self.header.operation.as_ref()?;
        let died = operation.deaths + u32::from(operation.lease_until.is_some());
        let what = if died >= MOST_DEATHS {
            format!("died {died} times")
        } else if operation.attempts >= MOST_ATTEMPTS {
            format!("failed {} times", operation.attempts)
        } else {
            return None;
        };
        if operation.step != step {
            return None;
        }
        let exception = Exception::new(
            ExceptionCode::StepFails,
            format!(
                "{step} has {what} on this fact since {}, though Odoo is called",
                operation.started_at
            ),
        );
        let commit = self.raise(step, operation.sequence, &exception, plant, now);
        Some((commit, exception))
    }

    /// Opens the operation of a step, or says why not.
    ///
    /// `plan` is asked only when no earlier attempt has stored one.
    pub fn begin(
        &self,
        run: Run,
        now: Timestamp,
        plant: &Plant,
        plan: impl FnOnce(Option<&PurchaseOrder>, &Taken<'_>) -> Result<serde_json::Value, Refusal>,
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
                deaths: earlier.deaths + u32::from(earlier.lease_until.is_some()),
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
            let taken = Taken {
                plant,
                sequence,
                happened_at: entry.happened_at,
                received_at: entry.received_at,
                accepted: &entry.accepted,
            };
            match plan(self.header.order.as_ref(), &taken) {
                Ok(plan) => {
                    let operation = Operation {
                        step: run.step,
                        sequence,
                        attempts: 1,
                        deaths: 0,
                        lease_until: Some(run.deadline),
                        unknown_until: None,
                        plan,
                        started_at: now,
                    };
                    (operation, Resume::First)
                }
                Err(refusal) => {
                    let mut commit = self.refused(run.step, sequence, &refusal, plant, now);
                    commit.header.steps += 1;
                    return Begin::Refused(Box::new(commit), refusal);
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
        done: &Done,
        plant: &Plant,
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
            operation: Operation {
                plan: done
                    .evidence
                    .clone()
                    .unwrap_or_else(|| operation.plan.clone()),
                ..operation.clone()
            },
            generation: self.header.generation,
            finished_at: now,
            result: done.result.clone(),
        });
        commit.header.operation = None;
        if done.order.is_some() {
            commit.header.order.clone_from(&done.order);
        }
        let (state, settled_at) = match done.settle {
            Settle::Applied | Settle::Cancelled => (EntryState::Applied, Some(now)),
            Settle::Continue => (EntryState::Waiting, None),
        };
        // What was overdue or on hold has come about.
        commit.exceptions = self
            .exceptions
            .iter()
            .filter(|raised| {
                raised.event_id == entry.event_id && !raised.blocks && raised.subject.is_empty()
            })
            .map(|raised| resolved(raised, None, "interplant", "the fact was applied", now))
            .collect();
        commit.entries.push(Entry {
            state,
            settled_at,
            result: Some(done.result.clone()),
            ..entry.clone()
        });
        if done.settle == Settle::Cancelled {
            commit.header.status = Status::Cancelled;
            self.refuse_rest(&mut commit, plant, now);
        }
        self.tell_conditions(&mut commit, entry, plant, now);
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

    /// Records that a fact which did not name its order has gone on to it.
    #[must_use]
    pub fn forwarded(&self, sequence: u64, to: &[LifecycleId], now: Timestamp) -> Commit {
        let mut commit = self.commit(now);
        if let Some(entry) = self.entry(sequence) {
            let names: Vec<String> = to.iter().map(ToString::to_string).collect();
            commit.exceptions = self.others_resolved(entry, None, now);
            commit.entries.push(Entry {
                state: EntryState::Applied,
                settled_at: Some(now),
                result: Some(format!("belongs to {}", names.join(" and "))),
                ..entry.clone()
            });
        }
        commit
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
        if let Some(order) = &mut commit.header.order {
            order.closing = Some(order.summary());
        }
        commit
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
    /// It is applied, and the order is cancelled with it: what else waits is refused.
    Cancelled,
}

/// What a step did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// The order after it; none when there is none yet.
    pub order: Option<PurchaseOrder>,
    /// What becomes of the fact.
    pub settle: Settle,
    /// A few words for people.
    pub result: String,
    /// What is kept of it for auditors, instead of the plan.
    pub evidence: Option<serde_json::Value>,
}
