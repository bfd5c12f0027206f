//! How a lifecycle raises what people have to decide, and takes it back when that has gone away.

use jiff::{SignedDuration, Timestamp};

use super::{Commit, Lifecycle, Status};
use crate::exception::{Code as ExceptionCode, Decision, Exception};
use crate::fact::FactKind;
use crate::identifier::ExceptionId;
use crate::mailbox::{Entry, EntryState, Handling, RaisedException, Resolution};
use crate::plant::Plant;
use crate::purchase_order::{Refusal, Step};

impl Lifecycle {
    /// Records an exception that blocks the lifecycle until a person decides: something has begun in Odoo.
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
        let id = self.new_id(exception.code, entry, "");
        commit.exceptions = self.others_resolved(entry, None, now);
        commit.exceptions.push(RaisedException {
            blocks: true,
            ..raised(id.clone(), exception, step.state_name(), entry, plant, now)
        });
        commit.entries.push(Entry {
            state: EntryState::Held {
                exception: id.clone(),
            },
            ..entry.clone()
        });
        commit.header.exception = Some(id);
        if let Some(operation) = &mut commit.header.operation {
            operation.lease_until = None;
            // A person looks at it: from here it is counted anew.
            (operation.attempts, operation.deaths) = (0, 0);
        }
        commit
    }

    /// Records why a fact is not applied now. Nothing has begun in Odoo, so nothing else waits for it, and
    /// it is looked at again when the order has changed.
    #[must_use]
    pub fn refused(
        &self,
        step: Step,
        sequence: u64,
        refusal: &Refusal,
        plant: &Plant,
        now: Timestamp,
    ) -> Commit {
        let mut commit = self.commit(now);
        let Some(entry) = self.entry(sequence) else {
            return commit;
        };
        let ours =
            |operation: &super::Operation| operation.step == step && operation.sequence == sequence;
        commit.header.operation = commit.header.operation.filter(|operation| !ours(operation));
        let changes_seen = self.header.order.as_ref().map_or(0, |order| order.changes);
        let state = match refusal {
            Refusal::Wait { reason, becomes } => {
                commit.exceptions = self.others_resolved(entry, Some(*becomes), now);
                EntryState::Parked {
                    changes_seen,
                    reason: reason.clone(),
                    becomes: *becomes,
                }
            }
            Refusal::Raise(exception) => {
                commit.exceptions = self.others_resolved(entry, Some(exception.code), now);
                let known = self
                    .about(entry)
                    .find(|one| one.exception.code == exception.code);
                let id = match known {
                    // The same cause, with the figures of now.
                    Some(known) => {
                        commit.exceptions.push(RaisedException {
                            exception: exception.clone(),
                            ..known.clone()
                        });
                        known.id.clone()
                    }
                    None => {
                        let id = self.new_id(exception.code, entry, "");
                        let one =
                            raised(id.clone(), exception, step.state_name(), entry, plant, now);
                        commit.exceptions.push(one);
                        id
                    }
                };
                EntryState::OnHold {
                    exception: id,
                    changes_seen,
                }
            }
        };
        commit.entries.push(Entry {
            state,
            ..entry.clone()
        });
        commit
    }

    /// Facts that have waited beyond their due time and of which nobody was told, and an answer of the
    /// supplier that is due.
    #[must_use]
    pub fn overdue(&self, plant: &Plant, now: Timestamp) -> Option<Commit> {
        let mut commit = self.commit(now);
        let changes_seen = self.header.order.as_ref().map_or(0, |order| order.changes);
        for entry in &self.entries {
            if entry.due_at > now || self.about(entry).next().is_some() {
                continue;
            }
            let (exception, on_hold) = match &entry.state {
                EntryState::Parked {
                    reason, becomes, ..
                } => (Exception::new(*becomes, reason.clone()), true),
                EntryState::Waiting if self.waits_for_goods(entry) => (
                    Exception::new(
                        ExceptionCode::NoReceipt,
                        format!(
                            "invoice {}: nothing was received for the order",
                            entry.number
                        ),
                    ),
                    true,
                ),
                EntryState::Waiting => (
                    Exception::new(
                        ExceptionCode::PredecessorOverdue,
                        format!(
                            "{} {} has waited since {} for the fact before it",
                            entry.kind.event_type(),
                            entry.number,
                            entry.received_at
                        ),
                    ),
                    false,
                ),
                EntryState::Taken { .. }
                | EntryState::Held { .. }
                | EntryState::OnHold { .. }
                | EntryState::Applied
                | EntryState::Skipped
                | EntryState::Recorded => continue,
            };
            let id = self.new_id(exception.code, entry, "");
            commit
                .exceptions
                .push(raised(id.clone(), &exception, "sweep", entry, plant, now));
            if on_hold {
                commit.entries.push(Entry {
                    state: EntryState::OnHold {
                        exception: id,
                        changes_seen,
                    },
                    ..entry.clone()
                });
            }
        }
        self.answer_overdue(&mut commit, plant, now);
        (!commit.exceptions.is_empty()).then_some(commit)
    }

    /// When something is due next of which nobody was told: the sweeper looks then.
    #[must_use]
    pub fn due_at(&self) -> Option<Timestamp> {
        let untold = self.entries.iter().filter(|entry| {
            matches!(entry.state, EntryState::Waiting | EntryState::Parked { .. })
                && self.about(entry).next().is_none()
        });
        let answer =
            self.header.order.as_ref().filter(|order| {
                order.in_odoo.is_some() && !order.acknowledged && !order.told_overdue
            });
        let answer = answer.and_then(|order| order.answer_due_at);
        untold.map(|entry| entry.due_at).chain(answer).min()
    }

    fn waits_for_goods(&self, entry: &Entry) -> bool {
        let created = self
            .header
            .order
            .as_ref()
            .is_some_and(|order| order.in_odoo.is_some());
        created && entry.kind == FactKind::InvoiceReceived
    }

    /// The supplier has not answered by its due time: the buyer is told once, and nothing else waits.
    fn answer_overdue(&self, commit: &mut Commit, plant: &Plant, now: Timestamp) {
        let Some(order) = &mut commit.header.order else {
            return;
        };
        let due = order.answer_due_at.filter(|due| *due <= now);
        let live = self.header.status == Status::Running && order.in_odoo.is_some();
        let (Some(due), true) = (due, live && !order.acknowledged && !order.told_overdue) else {
            return;
        };
        order.told_overdue = true;
        let exception = Exception::new(
            ExceptionCode::AcknowledgementOverdue,
            format!(
                "supplier {} has not acknowledged order {} by {due}",
                order.supplier, order.number
            ),
        );
        commit.exceptions.push(RaisedException {
            subject: "acknowledgement".to_owned(),
            ..self.condition("acknowledgement", &exception, plant, now)
        });
    }

    /// Raises what a person should know of the order as it is now, and ends what has gone away.
    pub(super) fn tell_conditions(
        &self,
        commit: &mut Commit,
        entry: &Entry,
        plant: &Plant,
        now: Timestamp,
    ) {
        let Some(order) = &commit.header.order else {
            return;
        };
        let conditions = order.conditions();
        let acknowledged = order.acknowledged;
        for open in self
            .exceptions
            .iter()
            .filter(|open| !open.subject.is_empty())
        {
            let same = conditions.iter().find(|one| {
                one.exception.code == open.exception.code && one.subject == open.subject
            });
            let answered =
                open.exception.code == ExceptionCode::AcknowledgementOverdue && !acknowledged;
            match same {
                Some(one) if one.exception != open.exception => {
                    commit.exceptions.push(RaisedException {
                        exception: one.exception.clone(),
                        ..open.clone()
                    });
                }
                Some(_) => {}
                None if answered => {}
                None => commit.exceptions.push(resolved(
                    open,
                    None,
                    "interplant",
                    "a later fact has settled it",
                    now,
                )),
            }
        }
        for one in &conditions {
            let known = self.exceptions.iter().any(|open| {
                open.exception.code == one.exception.code && open.subject == one.subject
            });
            if !known {
                let event_id = entry.event_id.clone();
                commit.exceptions.push(RaisedException {
                    event_id,
                    ..self.condition(&one.subject, &one.exception, plant, now)
                });
            }
        }
    }

    fn condition(
        &self,
        subject: &str,
        exception: &Exception,
        plant: &Plant,
        now: Timestamp,
    ) -> RaisedException {
        let id = ExceptionId::for_cause(&[
            &self.header.id.to_string(),
            exception.code.as_str(),
            subject,
            &self.header.revision.to_string(),
        ]);
        let code = exception.code;
        RaisedException {
            id,
            exception: exception.clone(),
            raised_by: "interplant".to_owned(),
            event_id: crate::identifier::EventId::none(),
            owner: owner(plant, code),
            raised_at: now,
            due_at: now + SignedDuration::from_hours(code.due_hours()),
            blocks: false,
            subject: subject.to_owned(),
            two_people: false,
            accepted_by: Vec::new(),
            handling: Handling::default(),
            resolution: None,
        }
    }

    /// Settles facts that come after the order was cancelled, and tells whom it concerns.
    #[must_use]
    pub fn after_cancel(&self, plant: &Plant, now: Timestamp) -> Option<Commit> {
        if self.header.status != Status::Cancelled || self.entries.is_empty() {
            return None;
        }
        let mut commit = self.commit(now);
        self.refuse_rest(&mut commit, plant, now);
        Some(commit)
    }

    /// Settles every fact that the change leaves open: nothing is booked for a cancelled order, and what a
    /// plant or a supplier has done all the same a person has to know.
    pub(super) fn refuse_rest(&self, commit: &mut Commit, plant: &Plant, now: Timestamp) {
        for entry in &self.entries {
            if commit
                .entries
                .iter()
                .any(|changed| changed.sequence == entry.sequence)
            {
                continue;
            }
            let of_no_effect = matches!(
                entry.kind,
                FactKind::PoCreated
                    | FactKind::PoCancelled
                    | FactKind::PoClosed
                    | FactKind::AsnCancelled
                    | FactKind::InvoicePosted
            );
            commit
                .exceptions
                .extend(self.others_resolved(entry, None, now));
            if !of_no_effect {
                let exception = Exception::new(
                    ExceptionCode::AfterCancel,
                    format!(
                        "{} {} came for an order that is cancelled; nothing was booked",
                        entry.kind.event_type(),
                        entry.number
                    ),
                );
                let id = self.new_id(exception.code, entry, "");
                commit
                    .exceptions
                    .push(raised(id, &exception, "interplant", entry, plant, now));
            }
            commit.entries.push(Entry {
                state: EntryState::Skipped,
                settled_at: Some(now),
                result: Some("not applied: the order is cancelled".to_owned()),
                ..entry.clone()
            });
        }
    }

    /// Open exceptions about a fact.
    fn about<'a>(&'a self, entry: &'a Entry) -> impl Iterator<Item = &'a RaisedException> {
        self.exceptions.iter().filter(|raised| {
            raised.event_id == entry.event_id && !raised.blocks && raised.subject.is_empty()
        })
    }

    /// Ends what was raised about a fact, but for one code.
    pub(super) fn others_resolved(
        &self,
        entry: &Entry,
        but: Option<ExceptionCode>,
        now: Timestamp,
    ) -> Vec<RaisedException> {
        self.about(entry)
            .filter(|one| Some(one.exception.code) != but)
            .map(|one| resolved(one, None, "interplant", "it was looked at again", now))
            .collect()
    }

    /// A cause that comes back after a decision is a new exception.
    fn new_id(&self, code: ExceptionCode, entry: &Entry, subject: &str) -> ExceptionId {
        ExceptionId::for_cause(&[
            &self.header.id.to_string(),
            code.as_str(),
            entry.event_id.as_str(),
            subject,
            &self.header.revision.to_string(),
        ])
    }
}

fn raised(
    id: ExceptionId,
    exception: &Exception,
    by: &str,
    entry: &Entry,
    plant: &Plant,
    now: Timestamp,
) -> RaisedException {
    let code = exception.code;
    let limit = plant.matching.two_people_above;
    RaisedException {
        id,
        exception: exception.clone(),
        raised_by: by.to_owned(),
        event_id: entry.event_id.clone(),
        owner: owner(plant, code),
        raised_at: now,
        due_at: now + SignedDuration::from_hours(code.due_hours()),
        blocks: false,
        subject: String::new(),
        // A payment to another party or account is the usual fraud: never one person alone.
        two_people: code == ExceptionCode::Party
            || exception.along.contains(&ExceptionCode::Party)
            || exception
                .amount_at_risk
                .is_some_and(|amount| limit.is_some_and(|limit| amount > limit)),
        accepted_by: Vec::new(),
        handling: Handling::default(),
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

pub(super) fn resolved(
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
            key: None,
        }),
        ..raised.clone()
    }
}
