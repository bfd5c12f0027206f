//! The audit chain: whatever is done to it is found, and what is noted of a change of a lifecycle.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod world;

use std::collections::{BTreeMap, BTreeSet};

use interplant_domain::audit::{
    Action, Actor, Anchor, Finding, Head, Note, Verified, Verifier, What, link,
};
use interplant_domain::exception::{Code, Decision, Exception};
use interplant_domain::fact::FactKind;
use interplant_domain::identifier::{LifecycleId, LifecycleKind, PlantCode};
use interplant_domain::lifecycle::{
    Begin, Commit, Done, GivenDecision, Header, Lifecycle, Run, Settle, Status,
};
use interplant_domain::mailbox::{Entry, EntryState};
use interplant_domain::purchase_order::Step;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

fn plant() -> PlantCode {
    "plant-b".parse().unwrap()
}

fn start() -> Timestamp {
    "2026-11-25T08:00:00Z".parse().unwrap()
}

/// A chain of notes that differ in everything that varies.
fn chain(length: usize) -> Vec<String> {
    let actions = [
        Action::StepDone,
        Action::ExceptionRaised,
        Action::ExceptionDecided,
        Action::Closed,
    ];
    let mut head = Head::default();
    let mut texts = Vec::new();
    for index in 0..length {
        let at = start() + SignedDuration::from_secs(i64::try_from(index).unwrap());
        let actor = if index % 3 == 2 {
            Actor::Person("anna".to_owned())
        } else {
            Actor::component("Receive")
        };
        let mut note = Note::new(&plant(), actions[index % 4], actor, &index.to_string(), at);
        note.subject.lifecycle = Some(format!("po/plant-b/{index}").parse().unwrap());
        note.decided.reason = (index % 3 == 2).then(|| "agreed".to_owned());
        let linked = link(&head, &note).unwrap();
        head = linked.head;
        texts.push(linked.text);
    }
    texts
}

fn head_of(text: &str) -> Head {
    serde_json::from_str(text).unwrap()
}

fn anchor_of(text: &str) -> Anchor {
    let head = head_of(text);
    Anchor {
        plant: plant(),
        sequence: head.sequence,
        hash: head.hash,
        at: start(),
    }
}

fn verify(texts: &[String], anchors: Vec<Anchor>) -> Result<Verified, Finding> {
    verify_with(texts, anchors, None)
}

fn verify_with(
    texts: &[String],
    anchors: Vec<Anchor>,
    kept: Option<&Head>,
) -> Result<Verified, Finding> {
    let mut verifier = Verifier::new(&plant(), Head::default(), anchors);
    for text in texts {
        verifier.take(text);
    }
    verifier.finish(kept)
}

/// Writes the hash of a record anew, so that it fits what was changed.
fn rehashed(text: &str, change: impl FnOnce(&mut serde_json::Map<String, Value>)) -> String {
    let mut record: serde_json::Map<String, Value> = serde_json::from_str(text).unwrap();
    change(&mut record);
    record.remove("hash");
    let bytes = serde_json_canonicalizer::to_vec(&record).unwrap();
    let hash = interplant_domain::identifier::sha256_hex(&bytes);
    record.insert("hash".to_owned(), hash.into());
    serde_json_canonicalizer::to_string(&record).unwrap()
}

/// Something that is done to a chain.
#[derive(Debug, Clone)]
enum Tampering {
    /// A byte of a record's text becomes another one.
    Byte {
        record: usize,
        at: usize,
        to: u8,
    },
    /// A word of a record becomes another one, and its hash is made to fit.
    Word {
        record: usize,
    },
    /// The end is written anew from a record on, all hashes fitting.
    Rewritten {
        record: usize,
    },
    Deleted {
        record: usize,
    },
    /// A record stands at another place once more.
    Repeated {
        record: usize,
        at: usize,
    },
    /// A record is made up, and fits the one before it.
    MadeUp {
        at: usize,
    },
    Swapped {
        first: usize,
        second: usize,
    },
    /// A record is taken out and put elsewhere.
    Moved {
        from: usize,
        to: usize,
    },
    Truncated {
        left: usize,
    },
}

fn tampering() -> impl Strategy<Value = Tampering> {
    let number = any::<usize>;
    prop_oneof![
        (number(), number(), any::<u8>()).prop_map(|(record, at, to)| Tampering::Byte {
            record,
            at,
            to
        }),
        number().prop_map(|record| Tampering::Word { record }),
        number().prop_map(|record| Tampering::Rewritten { record }),
        number().prop_map(|record| Tampering::Deleted { record }),
        (number(), number()).prop_map(|(record, at)| Tampering::Repeated { record, at }),
        number().prop_map(|at| Tampering::MadeUp { at }),
        (number(), number()).prop_map(|(first, second)| Tampering::Swapped { first, second }),
        (number(), number()).prop_map(|(from, to)| Tampering::Moved { from, to }),
        number().prop_map(|left| Tampering::Truncated { left }),
    ]
}

/// The chain after it, and the first record that is not as it was written; none when nothing was changed.
fn tampered(texts: &[String], how: &Tampering) -> (Vec<String>, Option<u64>) {
    let length = texts.len();
    let mut after = texts.to_vec();
    let number = |index: usize| u64::try_from(index).unwrap() + 1;
    let first = match *how {
        Tampering::Byte { record, at, to } => {
            let record = record % length;
            let mut bytes = after[record].clone().into_bytes();
            let at = at % bytes.len();
            bytes[at] = to;
            // What is stored is text: a byte that is none becomes the sign for it.
            after[record] = String::from_utf8_lossy(&bytes).into_owned();
            number(record)
        }
        Tampering::Word { record } => {
            let record = record % length;
            after[record] = rehashed(&after[record], |record| {
                record.insert("action".to_owned(), "restarted".into());
            });
            number(record)
        }
        Tampering::Rewritten { record } => {
            let record = record % length;
            let mut previous: Option<String> = None;
            for (index, text) in after.iter_mut().enumerate().skip(record) {
                *text = rehashed(text, |fields| {
                    if index == record {
                        fields.insert("at".to_owned(), "2026-11-25T09:00:00Z".into());
                    }
                    if let Some(previous) = &previous {
                        fields.insert("previous".to_owned(), previous.clone().into());
                    }
                });
                previous = Some(head_of(text).hash);
            }
            number(record)
        }
        Tampering::Deleted { record } => {
            let record = record % length;
            after.remove(record);
            number(record)
        }
        Tampering::Repeated { record, at } => {
            let (record, at) = (record % length, at % (length + 1));
            after.insert(at, texts[record].clone());
            // Next to itself it does not matter which of the two was there first.
            number(record).min(number(at))
        }
        Tampering::MadeUp { at } => {
            let at = at % (length + 1);
            let before = match at {
                0 => Head::default(),
                _ => head_of(&texts[at - 1]),
            };
            let note = Note::new(
                &plant(),
                Action::Cancelled,
                Actor::component("Close"),
                "x",
                start(),
            );
            after.insert(at, link(&before, &note).unwrap().text);
            number(at)
        }
        Tampering::Swapped { first, second } => {
            let (first, second) = (first % length, second % length);
            after.swap(first, second);
            number(first.min(second))
        }
        Tampering::Moved { from, to } => {
            let (from, to) = (from % length, to % length);
            let record = after.remove(from);
            after.insert(to, record);
            number(from.min(to))
        }
        Tampering::Truncated { left } => {
            after.truncate(left % length);
            number(left % length)
        }
    };
    let changed = (after != texts).then_some(first);
    (after, changed)
}

#[test]
fn a_hundred_thousand_changes_deletions_insertions_reorderings_and_truncations_are_all_found() {
    let chains: Vec<Vec<String>> = (1..=4).map(chain).collect();
    let mut runner = TestRunner::new(Config {
        cases: 100_000,
        failure_persistence: None,
        ..Config::default()
    });
    let found = std::cell::RefCell::new(BTreeMap::<What, u32>::new());
    let strategy = (0..chains.len(), tampering());
    let ran = runner.run(&strategy, |(which, how)| {
        let texts = &chains[which];
        let anchors = vec![anchor_of(texts.last().unwrap())];
        let (after, first) = tampered(texts, &how);
        let kept = head_of(texts.last().unwrap());
        match (verify_with(&after, anchors, Some(&kept)), first) {
            (Ok(_), None) => {}
            (Err(finding), Some(first)) => {
                // What was written anew whole shows only at the next anchor: its number is an upper bound.
                if matches!(how, Tampering::Rewritten { .. }) {
                    prop_assert!(finding.sequence >= first, "{how:?}: {finding}");
                } else {
                    prop_assert_eq!(finding.sequence, first, "{:?}: {}", how, finding);
                }
                *found.borrow_mut().entry(finding.what).or_default() += 1;
            }
            (verified, first) => {
                return Err(TestCaseError::fail(format!(
                    "{how:?}: {verified:?}, first {first:?}"
                )));
            }
        }
        Ok(())
    });
    if let Err(error) = ran {
        panic!("{error}");
    }
    let found = found.into_inner();
    assert!(
        found.len() == 5 && found.values().all(|count| *count > 1_000),
        "every kind of trouble was tried: {found:?}"
    );
}

#[test]
fn a_chain_that_nobody_touched_is_right_from_its_start_to_each_of_its_anchors() {
    let texts = chain(12);
    for end in 0..=texts.len() {
        let anchors: Vec<Anchor> = texts[..end]
            .iter()
            .step_by(3)
            .map(|text| anchor_of(text))
            .collect();
        let compared = anchors.len();
        let verified = verify(&texts[..end], anchors).unwrap();
        assert_eq!(verified.records, u64::try_from(end).unwrap());
        assert_eq!(verified.anchors, compared);
    }
}

#[test]
fn each_trouble_is_called_by_its_name() {
    let texts = chain(6);
    let anchors = || vec![anchor_of(&texts[5])];
    let what = |texts: &[String]| {
        let finding = verify(texts, anchors()).unwrap_err();
        (finding.sequence, finding.what)
    };
    let with = |change: &dyn Fn(&mut Vec<String>)| {
        let mut after = texts.clone();
        change(&mut after);
        after
    };
    let changed = with(&|all| all[2] = all[2].replace("anna", "otto"));
    assert_eq!(what(&changed), (3, What::Changed));
    let rehashed_one = with(&|all| {
        all[2] = rehashed(&all[2], |record| {
            record.insert("at".to_owned(), "2026-11-26T00:00:00Z".into());
        });
    });
    assert_eq!(what(&rehashed_one), (3, What::Changed));
    assert_eq!(what(&with(&|all| drop(all.remove(2)))), (3, What::Missing));
    assert_eq!(what(&with(&|all| all.swap(2, 4))), (3, What::Reordered));
    assert_eq!(
        what(&with(&|all| all.insert(2, all[4].clone()))),
        (3, What::Inserted)
    );
    assert_eq!(
        what(&with(&|all| all.insert(4, all[2].clone()))),
        (3, What::Inserted)
    );
    assert_eq!(what(&with(&|all| all.truncate(4))), (5, What::Truncated));
    assert_eq!(what(&[]), (1, What::Truncated));
}

#[test]
fn the_head_that_is_kept_beside_the_chain_misses_what_no_anchor_has_seen_yet() {
    let texts = chain(4);
    let head = head_of(&texts[3]);
    let finish = |texts: &[String], head: &Head| {
        let mut verifier = Verifier::new(&plant(), Head::default(), []);
        for text in texts {
            verifier.take(text);
        }
        verifier
            .finish(Some(head))
            .map_err(|finding| (finding.sequence, finding.what))
    };
    assert!(finish(&texts, &head).is_ok());
    assert_eq!(finish(&texts[..3], &head), Err((4, What::Truncated)));
    assert_eq!(
        finish(&texts, &head_of(&texts[2])),
        Err((4, What::Inserted))
    );
}

#[test]
fn a_record_of_another_plant_does_not_belong_here() {
    let mut texts = chain(2);
    let other = "plant-c".parse().unwrap();
    let note = Note::new(
        &other,
        Action::Closed,
        Actor::component("Close"),
        "x",
        start(),
    );
    texts.push(link(&head_of(&texts[1]), &note).unwrap().text);
    let finding = verify(&texts, Vec::new()).unwrap_err();
    assert_eq!((finding.sequence, finding.what), (3, What::Changed));
    assert!(finding.why.contains("plant-c"), "{finding}");
}

fn lifecycle() -> Lifecycle {
    let id = LifecycleId::new(LifecycleKind::Po, &plant(), "4711");
    let mut header = Header::new(id, start());
    header.status = Status::Running;
    header.generation = 1;
    let entry = Entry {
        sequence: 1,
        event_id: format!("evt_{:032x}", 1).parse().unwrap(),
        inbox_key: String::new(),
        content_hash: Some("c0ffee".to_owned()),
        kind: FactKind::PoCreated,
        number: "4711".to_owned(),
        happened_at: start(),
        received_at: start(),
        due_at: start() + SignedDuration::from_hours(1),
        state: EntryState::Waiting,
        accepted: BTreeSet::new(),
        settled_at: None,
        result: None,
    };
    Lifecycle {
        header,
        entries: vec![entry],
        exceptions: Vec::new(),
        waiter: None,
        next_sequence: 2,
    }
}

fn actions(commit: &Commit) -> Vec<Action> {
    commit.notes().iter().map(|note| note.action).collect()
}

#[test]
fn whatever_decides_something_is_noted_with_who_did_it_and_under_an_id_of_its_own() {
    let plant = world::plant(json!({}));
    let at = |second: i64| start() + SignedDuration::from_secs(second);
    let run = Run {
        step: Step::Create,
        generation: 1,
        deadline: at(60),
        request_limit: SignedDuration::from_secs(120),
    };
    let mut lifecycle = lifecycle();
    let mut ids = BTreeSet::new();
    let mut apply = |lifecycle: &mut Lifecycle, commit: Commit| {
        for note in commit.notes() {
            assert!(ids.insert(note.id.clone()), "twice: {note:?}");
        }
        lifecycle.apply(&commit);
    };

    let Begin::Work { commit, .. } = lifecycle.begin(run, at(1), &plant, |_, _| Ok(json!("plan")))
    else {
        unreachable!()
    };
    // What is only begun is told when it is done.
    assert_eq!(actions(&commit), []);
    apply(&mut lifecycle, *commit);

    let exception = Exception::new(
        Code::OdooRefused,
        "Odoo says: pay 40.00 to DE89370400440532013000",
    );
    let raised = lifecycle.raise(Step::Create, 1, &exception, &plant, at(2));
    assert_eq!(
        actions(&raised),
        [Action::ExceptionRaised, Action::FactHeld]
    );
    let text = serde_json::to_string(&raised.notes()).unwrap();
    assert!(!text.contains("40.00") && !text.contains("DE89"), "{text}");
    assert_eq!(raised.notes()[0].actor, Actor::component("Create"));
    apply(&mut lifecycle, raised);

    let given = GivenDecision {
        exception: lifecycle.exceptions[0].id.clone(),
        decision: Decision::Retry,
        seen_revision: None,
        by: "anna".to_owned(),
        reason: "mended".to_owned(),
        key: None,
    };
    let decided = lifecycle.decided(&given, at(200)).unwrap();
    assert_eq!(actions(&decided), [Action::ExceptionDecided]);
    assert_eq!(decided.notes()[0].actor, Actor::Person("anna".to_owned()));
    assert_eq!(decided.notes()[0].decided.decision, Some(Decision::Retry));
    apply(&mut lifecycle, decided);

    let halted = lifecycle.halted("an invariant is broken", at(201));
    assert_eq!(actions(&halted), [Action::Halted]);
    apply(&mut lifecycle, halted);
    let restarted = lifecycle.restarted("otto", "release 0.2", at(202));
    assert_eq!(actions(&restarted), [Action::Restarted]);
    assert_eq!(restarted.notes()[0].actor, Actor::Person("otto".to_owned()));
    apply(&mut lifecycle, restarted);

    let done = Done {
        order: None,
        settle: Settle::Applied,
        result: "confirmed in Odoo as P00001".to_owned(),
        evidence: None,
    };
    let done = lifecycle
        .done(Step::Create, 1, &done, &plant, at(203))
        .unwrap();
    assert_eq!(actions(&done), [Action::StepDone]);
    let note = &done.notes()[0];
    assert_eq!(note.inputs.fact.as_deref(), Some("c0ffee"));
    assert!(note.inputs.plan.is_some() && note.subject.number.as_deref() == Some("4711"));
    apply(&mut lifecycle, done);
    let closed = lifecycle.closed(at(204));
    assert_eq!(actions(&closed), [Action::Closed]);
    apply(&mut lifecycle, closed);
    let reopened = lifecycle.next_generation(at(205));
    assert_eq!(actions(&reopened), [Action::GenerationStarted]);
    apply(&mut lifecycle, reopened);
}
