//! What a change of a lifecycle has to be noted as: made from the change alone, so that no way of changing a
//! lifecycle can forget it.

use super::{Action, Actor, Decided, Inputs, Note, Subject, canonical_hash, id, masked};
use crate::identifier::{EventId, LifecycleId, sha256_hex};
use crate::lifecycle::{Commit, Status};
use crate::mailbox::{Entry, EntryState, RaisedException, Resolution};

/// Whatever is not a step's own doing.
const INTERPLANT: &str = "interplant";

impl Commit {
    /// Everything of this change that an auditor must find, in the order in which it came about.
    #[must_use]
    pub fn notes(&self) -> Vec<Note> {
        let mut notes = Vec::new();
        let actor = self.actor();
        self.note_generation(&actor, &mut notes);
        if let Some(finished) = &self.finished {
            let operation = &finished.operation;
            let entry = self.entry(operation.sequence);
            notes.push(Note {
                action: Action::StepDone,
                decided: Decided {
                    step: Some(operation.step.to_string()),
                    attempts: Some(operation.attempts),
                    ..Decided::default()
                },
                inputs: Inputs {
                    fact: entry.and_then(|entry| entry.content_hash.clone()),
                    plan: Some(canonical_hash(&operation.plan)),
                    message: Some(sha256_hex(finished.result.as_bytes())),
                    ..Inputs::default()
                },
                subject: Subject {
                    position: Some(operation.sequence),
                    generation: Some(finished.generation),
                    ..entry
                        .map(|entry| self.about(entry))
                        .unwrap_or_else(|| self.subject())
                },
                ..self.note(Actor::component(operation.step.state_name()))
            });
        }
        for raised in &self.exceptions {
            notes.push(self.exception(raised));
        }
        self.note_manual(&actor, &mut notes);
        for entry in &self.entries {
            self.note_entry(entry, &actor, &mut notes);
        }
        self.note_status(&actor, &mut notes);
        for (index, note) in notes.iter_mut().enumerate() {
            note.id = id(&[
                &self.header.id.to_string(),
                &self.header.revision.to_string(),
                &index.to_string(),
            ]);
        }
        notes
    }

    /// The person whose decision this change is, if it is one.
    fn actor(&self) -> Actor {
        let decided = self.exceptions.iter().find_map(|raised| {
            let last = raised.resolution.as_ref().or(raised.accepted_by.last())?;
            let now = last.at == self.header.updated_at;
            (now && last.decision.is_some()).then(|| last.by.clone())
        });
        let act = self.act.as_ref().map(|act| act.by.clone());
        let manual = self.manual.as_ref().map(|manual| manual.by.clone());
        match act.or(manual).or(decided) {
            Some(person) => Actor::Person(person),
            None => Actor::component(INTERPLANT),
        }
    }

    fn entry(&self, sequence: u64) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.sequence == sequence)
    }

    fn subject(&self) -> Subject {
        Subject {
            lifecycle: Some(self.header.id.clone()),
            revision: Some(self.header.revision),
            ..Subject::default()
        }
    }

    fn about(&self, entry: &Entry) -> Subject {
        Subject {
            event: Some(entry.event_id.clone()),
            kind: Some(entry.kind),
            position: Some(entry.sequence),
            number: Some(entry.number.clone()),
            ..self.subject()
        }
    }

    fn note(&self, actor: Actor) -> Note {
        Note {
            subject: self.subject(),
            ..Note::new(
                self.header.id.plant(),
                Action::StepDone,
                actor,
                "",
                self.header.updated_at,
            )
        }
    }

    fn note_generation(&self, actor: &Actor, notes: &mut Vec<Note>) {
        if self.header.generation == self.was.generation {
            return;
        }
        let status = (self.header.status != self.was.status).then_some(self.header.status);
        let act = self.act.as_ref();
        notes.push(Note {
            action: act.map_or(Action::GenerationStarted, |act| act.action),
            decided: Decided {
                reason: act.map(|act| masked(&act.reason)),
                status,
                ..Decided::default()
            },
            subject: Subject {
                generation: Some(self.header.generation),
                ..self.subject()
            },
            ..self.note(actor.clone())
        });
    }

    /// What a person did that no decision about an exception tells.
    fn note_manual(&self, actor: &Actor, notes: &mut Vec<Note>) {
        let Some(manual) = &self.manual else {
            return;
        };
        let action = match manual.action.as_str() {
            "assign" => Action::Assigned,
            "propose" => Action::AmendmentProposed,
            "turn-down" => Action::AmendmentTurnedDown,
            "amend" => Action::Amended,
            _ => return,
        };
        let standing = (&manual.before, &manual.after, &manual.changes);
        notes.push(Note {
            action,
            subject: Subject {
                exception: manual.exception.clone(),
                ..match &self.append {
                    Some(entry) => self.about(entry),
                    None => self.subject(),
                }
            },
            decided: Decided {
                reason: Some(masked(&manual.reason)),
                ..Decided::default()
            },
            inputs: Inputs {
                fact: self
                    .append
                    .as_ref()
                    .and_then(|entry| entry.content_hash.clone()),
                plan: Some(canonical_hash(&serde_json::json!(standing))),
                ..Inputs::default()
            },
            ..self.note(actor.clone())
        });
    }

    fn exception(&self, raised: &RaisedException) -> Note {
        let mut note = exception(&self.header.id, raised, self.header.updated_at);
        note.subject.revision = Some(self.header.revision);
        note
    }

    fn note_entry(&self, entry: &Entry, actor: &Actor, notes: &mut Vec<Note>) {
        let finished = self
            .finished
            .as_ref()
            .is_some_and(|finished| finished.operation.sequence == entry.sequence);
        let mut decided = Decided::default();
        let mut subject = self.about(entry);
        let mut message = entry.result.clone();
        let action = match &entry.state {
            // What a step has applied is told by the step; what is looked at again later, then.
            EntryState::Applied if finished => return,
            EntryState::Waiting | EntryState::Taken { .. } | EntryState::Recorded => return,
            EntryState::Applied => Action::FactSettled,
            EntryState::Skipped => Action::FactSkipped,
            EntryState::Parked {
                reason, becomes, ..
            } => {
                decided.code = Some(*becomes);
                message = Some(reason.clone());
                Action::FactParked
            }
            EntryState::OnHold { exception, .. } | EntryState::Held { exception } => {
                subject.exception = Some(exception.clone());
                Action::FactHeld
            }
        };
        notes.push(Note {
            action,
            subject,
            decided,
            inputs: Inputs {
                fact: entry.content_hash.clone(),
                message: message.map(|message| sha256_hex(message.as_bytes())),
                ..Inputs::default()
            },
            ..self.note(actor.clone())
        });
    }

    fn note_status(&self, actor: &Actor, notes: &mut Vec<Note>) {
        if self.header.status == self.was.status {
            return;
        }
        let action = match self.header.status {
            Status::Halted => Action::Halted,
            Status::Closed => Action::Closed,
            Status::Cancelled => Action::Cancelled,
            // A new generation says so.
            Status::Expected | Status::Running | Status::Recorded => return,
        };
        notes.push(Note {
            action,
            decided: Decided {
                status: Some(self.header.status),
                ..Decided::default()
            },
            inputs: Inputs {
                message: self
                    .header
                    .defect
                    .as_ref()
                    .filter(|_| action == Action::Halted)
                    .map(|defect| sha256_hex(defect.as_bytes())),
                ..Inputs::default()
            },
            ..self.note(actor.clone())
        });
    }
}

/// What is to be noted of an exception as it is now.
pub(super) fn exception(
    lifecycle: &LifecycleId,
    raised: &RaisedException,
    now: jiff::Timestamp,
) -> Note {
    let last: Option<&Resolution> = raised.resolution.as_ref().or(raised.accepted_by.last());
    let by_person = last.filter(|last| last.decision.is_some() && last.at == now);
    let action = match (&raised.resolution, by_person) {
        (Some(_), Some(_)) => Action::ExceptionDecided,
        (Some(_), None) => Action::ExceptionResolved,
        (None, Some(_)) => Action::FirstApproval,
        (None, None) if raised.raised_at == now => Action::ExceptionRaised,
        (None, None) => Action::ExceptionUpdated,
    };
    let actor = match by_person {
        Some(person) => Actor::Person(person.by.clone()),
        None if action == Action::ExceptionRaised => Actor::component(&raised.raised_by),
        None => Actor::component(INTERPLANT),
    };
    let (code, cause) = (raised.exception.code, raised.id.as_str());
    Note {
        subject: Subject {
            lifecycle: Some(lifecycle.clone()),
            event: Some(raised.event_id.clone()).filter(|event| *event != EventId::none()),
            exception: Some(raised.id.clone()),
            ..Subject::default()
        },
        decided: Decided {
            code: Some(code),
            blocks: Some(raised.blocks),
            owner: (action == Action::ExceptionRaised).then(|| raised.owner.clone()),
            decision: by_person.and_then(|person| person.decision),
            reason: by_person.map(|person| masked(&person.reason)),
            amount_at_risk: raised
                .exception
                .amount_at_risk
                .filter(|_| by_person.is_some()),
            ..Decided::default()
        },
        inputs: Inputs {
            message: Some(sha256_hex(raised.exception.message.as_bytes())),
            ..Inputs::default()
        },
        ..Note::new(lifecycle.plant(), action, actor, cause, now)
    }
}

impl Note {
    /// What is to be noted of an exception that is raised beside a lifecycle; the same however often it is tried.
    #[must_use]
    pub fn raised_aside(lifecycle: &LifecycleId, raised: &RaisedException) -> Self {
        exception(lifecycle, raised, raised.raised_at)
    }
}
