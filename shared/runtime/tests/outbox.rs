//! The outbox over every kind of interleaving: offers of versions in any order, senders that die in the
//! middle, a plant that does not take everything at once. No AWS needed.
//!
//! A scheduler with a seed polls offers and senders in any order, one atomic step of the shelf at a time. As
//! the queue does, it starts a sender for each new entry, and again when one has died.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use interplant_domain::identifier::PlantCode;
use interplant_domain::outbox::{Entry, State};
use interplant_runtime::outbox::{
    Answer, Memory, Offer, Offered, Ran, Receiver, Shelf, Word, push, put, send_again, settled,
};
use interplant_runtime::store::Error;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::json;

/// Random numbers of a seed: SplitMix64.
struct Dice(Cell<u64>);

impl Dice {
    fn roll(&self, sides: usize) -> usize {
        let mut z = self.0.get().wrapping_add(0x9E37_79B9_7F4A_7C15);
        self.0.set(z);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % (sides as u64)).unwrap()
    }
}

/// What reached the plant.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Came {
    event_id: String,
    document: String,
    version: u64,
    position: u64,
    taken: bool,
}

/// A plant with a clock.
struct Plant<'d> {
    dice: &'d Dice,
    /// Of ten attempts so many are not taken.
    moody: usize,
    now: Cell<Timestamp>,
    came: RefCell<Vec<Came>>,
    given_up: RefCell<Vec<u64>>,
    stopped: Cell<bool>,
    answer: RefCell<Option<Answer>>,
}

impl<'d> Plant<'d> {
    fn new(dice: &'d Dice, moody: usize) -> Self {
        Self {
            dice,
            moody,
            now: Cell::new("2026-11-24T06:00:00Z".parse().unwrap()),
            came: RefCell::default(),
            given_up: RefCell::default(),
            stopped: Cell::new(false),
            answer: RefCell::new(None),
        }
    }

    fn later(&self, wait: SignedDuration) {
        self.now.set(self.now.get() + wait);
    }

    fn taken(&self) -> Vec<Came> {
        let came = self.came.borrow();
        came.iter().filter(|came| came.taken).cloned().collect()
    }
}

impl Receiver for Plant<'_> {
    fn wants(&self, entry: &Entry) -> bool {
        !self.stopped.get() && entry.kind != "unwanted"
    }

    async fn post(&self, entry: &Entry) -> Answer {
        let answer = self.answer.borrow().clone().unwrap_or_else(|| {
            if self.dice.roll(10) >= self.moody {
                return Answer::Taken;
            }
            let note = "busy".to_owned();
            let retry_after = None;
            match self.dice.roll(2) {
                0 => Answer::Failed { note, retry_after },
                _ => Answer::Away { note, retry_after },
            }
        });
        self.came.borrow_mut().push(Came {
            event_id: entry.event_id.clone(),
            document: entry.document.clone(),
            version: entry.version,
            position: entry.position,
            taken: answer == Answer::Taken,
        });
        answer
    }

    async fn given_up(&self, entry: &Entry) -> Result<(), Error> {
        self.given_up.borrow_mut().push(entry.position);
        Ok(())
    }

    async fn stopped(&self, _note: &str) -> Result<(), Error> {
        self.stopped.set(true);
        Ok(())
    }

    fn now(&self) -> Timestamp {
        self.now.get()
    }
}

fn code() -> PlantCode {
    "plant-a".parse().unwrap()
}

fn offer(document: &str, version: u64) -> Offer {
    Offer {
        plant: code(),
        document: document.to_owned(),
        kind: "interplant.po.changed.v1".to_owned(),
        version,
        event: json!({"data": {"version": version.to_string()}}),
        causation: None,
    }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    let mut future = Box::pin(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(result) = future.as_mut().poll(&mut context) {
            return result;
        }
    }
}

/// One sender, to its end; it has all the time that it needs.
fn send(shelf: &Memory, plant: &Plant<'_>, name: &str) -> Ran {
    let deadline = plant.now() + SignedDuration::from_hours(1);
    run(push(shelf, plant, &code(), name, deadline)).unwrap()
}

/// As the sweeper and the delayed messages do: a sender whenever there is something to send.
fn send_until_nothing_is_left(shelf: &Memory, plant: &Plant<'_>) {
    for turn in 0..10_000 {
        let Some(at) = run(shelf.work(&code())).unwrap().wake_at else {
            return;
        };
        // Beyond the claim of whoever has died.
        plant
            .now
            .set(at.max(plant.now()) + SignedDuration::from_secs(30));
        send(shelf, plant, &format!("sweep-{turn}"));
    }
    unreachable!("there is always something left to send");
}

type Task<'t> = Pin<Box<dyn Future<Output = Option<Offered>> + 't>>;

/// Polls offers and senders in any order; a dead one comes again.
fn in_any_order(
    shelf: &Memory,
    plant: &Plant<'_>,
    dice: &Dice,
    offers: &[(String, u64)],
    deadly: bool,
) {
    let deadline = plant.now() + SignedDuration::from_hours(1);
    let names = Cell::new(0);
    let offering = |(document, version): &(String, u64)| -> Task<'_> {
        let offer = offer(document, *version);
        let now = plant.now();
        Box::pin(async move { Some(put(shelf, &offer, now).await.unwrap()) })
    };
    let sending = || -> Task<'_> {
        names.set(names.get() + 1);
        let name = names.get().to_string();
        Box::pin(async move {
            push(shelf, plant, &code(), &name, deadline).await.unwrap();
            None
        })
    };
    let mut tasks: Vec<(Option<usize>, Task<'_>)> = Vec::new();
    for (index, one) in offers.iter().enumerate() {
        tasks.push((Some(index), offering(one)));
    }
    let mut context = Context::from_waker(Waker::noop());
    while !tasks.is_empty() {
        let chosen = dice.roll(tasks.len());
        let (offered, task) = &mut tasks[chosen];
        let offered = *offered;
        let polled = task.as_mut().poll(&mut context);
        match polled {
            Poll::Ready(result) => {
                drop(tasks.swap_remove(chosen));
                if matches!(result, Some(Offered::New { .. })) {
                    tasks.push((None, sending()));
                }
            }
            Poll::Pending if deadly && dice.roll(40) == 0 => {
                drop(tasks.swap_remove(chosen));
                // The offerer tries again; the sender's message comes back, or the sweeper's.
                if let Some(one) = offered {
                    tasks.push((offered, offering(&offers[one])));
                }
            }
            Poll::Pending => {}
        }
    }
}

fn assert_all_is_told(shelf: &Memory, plant: &Plant<'_>, offers: &[(String, u64)], deadly: bool) {
    let entries = shelf.peek(&code());
    let positions: Vec<u64> = entries.iter().map(|entry| entry.position).collect();
    let expected: Vec<u64> = (1..=entries.len() as u64).collect();
    assert_eq!(positions, expected, "positions have no gap");
    assert!(
        entries.iter().all(|entry| !entry.state.is_open()),
        "something was not told: {entries:?}"
    );
    let mut newest: BTreeMap<&str, u64> = BTreeMap::new();
    for (document, version) in offers {
        let known = newest.entry(document).or_default();
        *known = (*known).max(*version);
    }
    let taken = plant.taken();
    for (document, version) in newest {
        let mut told: Vec<&Came> = taken
            .iter()
            .filter(|came| came.document == document)
            .collect();
        let last = told.last().unwrap();
        assert_eq!(last.version, version, "{document}: the newest is told last");
        // A repeat is known by its id; without repeats, versions only rise.
        told.dedup_by(|one, other| one.event_id == other.event_id);
        assert!(
            told.windows(2)
                .all(|pair| pair[0].version < pair[1].version),
            "{document}: {told:?}"
        );
    }
    for came in &taken {
        let entry = &entries[usize::try_from(came.position).unwrap() - 1];
        // Of a sender that has died nobody knows that the plant has taken it; a newer version may have come.
        let forgotten = deadly && matches!(entry.state, State::Obsolete { .. });
        assert!(entry.state == State::Delivered || forgotten, "{came:?}");
        assert_eq!(entry.event_id, came.event_id);
    }
}

fn offers() -> impl Strategy<Value = Vec<(String, u64)>> {
    prop::collection::vec((0_usize..3, 1_u64..6), 1..14).prop_map(|offers| {
        let named = offers
            .into_iter()
            .map(|(document, version)| (format!("po/plant-a/{document}"), version));
        named.collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn the_newest_version_is_told_in_order_and_nobody_has_to_be_woken_twice(offers in offers(), seed: u64) {
        let dice = Dice(Cell::new(seed));
        let (shelf, plant) = (Memory::default(), Plant::new(&dice, 0));
        in_any_order(&shelf, &plant, &dice, &offers, false);
        // No sweeper was needed, and nobody was told anything twice.
        prop_assert_eq!(run(shelf.work(&code())).unwrap().wake_at, None);
        let mut ids: Vec<String> = plant.taken().into_iter().map(|came| came.event_id).collect();
        let all = ids.len();
        ids.sort();
        ids.dedup();
        prop_assert_eq!(ids.len(), all);
        assert_all_is_told(&shelf, &plant, &offers, false);
    }

    #[test]
    fn whoever_dies_and_whatever_the_plant_does_not_take_the_newest_version_is_told_in_order(offers in offers(), seed: u64, moody in 0_usize..8) {
        let dice = Dice(Cell::new(seed));
        let (shelf, plant) = (Memory::default(), Plant::new(&dice, moody));
        in_any_order(&shelf, &plant, &dice, &offers, true);
        send_until_nothing_is_left(&shelf, &plant);
        let given_up = plant.given_up.borrow().clone();
        prop_assume!(given_up.is_empty());
        assert_all_is_told(&shelf, &plant, &offers, true);
    }
}

#[test]
fn an_older_version_that_was_not_taken_is_obsolete_and_one_that_comes_late_is_no_entry() {
    let dice = Dice(Cell::new(1));
    let (shelf, plant) = (Memory::default(), Plant::new(&dice, 0));
    let now = plant.now();
    let put = |version| run(put(&shelf, &offer("po/plant-a/1", version), now)).unwrap();
    assert_eq!(put(2), Offered::New { position: 1 });
    assert_eq!(put(2), Offered::Same { position: 1 });
    assert_eq!(put(5), Offered::New { position: 2 });
    assert_eq!(
        put(3),
        Offered::Obsolete {
            version: 5,
            position: 2
        }
    );
    send(&shelf, &plant, "one");
    let states: Vec<State> = shelf
        .peek(&code())
        .iter()
        .map(|entry| entry.state)
        .collect();
    assert_eq!(states, [State::Obsolete { by: 2 }, State::Delivered]);
    assert_eq!(plant.taken().len(), 1);
    assert_eq!(put(5), Offered::Same { position: 2 });
    send_until_nothing_is_left(&shelf, &plant);
    assert_eq!(plant.taken().len(), 1, "it was told once");
}

#[test]
fn what_is_not_taken_holds_nothing_else_up_and_is_given_up_after_the_last_attempt() {
    let dice = Dice(Cell::new(1));
    let (shelf, plant) = (Memory::default(), Plant::new(&dice, 0));
    let began = plant.now();
    run(put(&shelf, &offer("po/plant-a/1", 1), began)).unwrap();
    plant.answer.replace(Some(Answer::Failed {
        note: "500 no".to_owned(),
        retry_after: None,
    }));
    send(&shelf, &plant, "one");
    plant.answer.replace(None);
    run(put(&shelf, &offer("po/plant-a/2", 1), plant.now())).unwrap();
    send(&shelf, &plant, "two");
    assert_eq!(plant.taken().last().unwrap().document, "po/plant-a/2");
    plant.answer.replace(Some(Answer::Failed {
        note: "500 no".to_owned(),
        retry_after: None,
    }));
    send_until_nothing_is_left(&shelf, &plant);
    let entry = &shelf.peek(&code())[0];
    assert_eq!((entry.state, entry.attempts), (State::GivenUp, 11));
    assert_eq!(entry.note.as_deref(), Some("500 no"));
    assert_eq!(*plant.given_up.borrow(), [1], "people are told once");
    let lasted = plant.now().duration_since(began);
    assert!(
        lasted > SignedDuration::from_hours(75) && lasted < SignedDuration::from_hours(92),
        "{lasted}"
    );
    // A person has had it mended.
    plant.answer.replace(None);
    let opened = run(send_again(&shelf, &code(), "po/plant-a/1", plant.now())).unwrap();
    assert_eq!(opened.map(|entry| entry.attempts), Some(0));
    send(&shelf, &plant, "three");
    assert_eq!(shelf.peek(&code())[0].state, State::Delivered);
    assert_eq!(
        run(send_again(&shelf, &code(), "po/plant-a/9", plant.now())).unwrap(),
        None
    );
}

#[test]
fn a_server_that_is_away_is_left_alone_and_one_that_asks_for_a_pause_gets_it() {
    let dice = Dice(Cell::new(1));
    let (shelf, plant) = (Memory::default(), Plant::new(&dice, 0));
    for document in 0..20 {
        let offer = offer(&format!("po/plant-a/{document}"), 1);
        run(put(&shelf, &offer, plant.now())).unwrap();
    }
    let away = |retry_after| {
        Some(Answer::Away {
            note: "503".to_owned(),
            retry_after,
        })
    };
    plant.answer.replace(away(None));
    let ran = send(&shelf, &plant, "one");
    assert_eq!(ran.failed, 5, "not all twenty are tried");
    assert_eq!(
        ran.wake_at,
        Some(plant.now() + SignedDuration::from_secs(30))
    );
    plant
        .answer
        .replace(away(Some(SignedDuration::from_mins(2))));
    let ran = send(&shelf, &plant, "two");
    assert_eq!(ran.failed, 1);
    assert_eq!(
        ran.wake_at,
        Some(plant.now() + SignedDuration::from_mins(2))
    );
    plant.answer.replace(None);
    send_until_nothing_is_left(&shelf, &plant);
    assert_eq!(plant.taken().len(), 20);
}

#[test]
fn after_the_webhook_is_gone_nothing_is_sent_and_what_waits_stays() {
    let dice = Dice(Cell::new(1));
    let (shelf, plant) = (Memory::default(), Plant::new(&dice, 0));
    run(put(&shelf, &offer("po/plant-a/1", 1), plant.now())).unwrap();
    plant.answer.replace(Some(Answer::Stop {
        note: "410".to_owned(),
    }));
    send(&shelf, &plant, "one");
    run(put(&shelf, &offer("po/plant-a/2", 1), plant.now())).unwrap();
    send(&shelf, &plant, "two");
    assert_eq!(plant.came.borrow().len(), 1);
    assert_eq!(run(shelf.work(&code())).unwrap().wake_at, None);
    let page = run(shelf.open(&code(), 0, 10)).unwrap();
    assert_eq!(page.entries.len(), 2, "the plant can still ask for them");
}

#[test]
fn a_plants_own_word_stands_and_an_obsolete_entry_stays_obsolete() {
    let dice = Dice(Cell::new(1));
    let (shelf, plant) = (Memory::default(), Plant::new(&dice, 0));
    let now = plant.now();
    run(put(&shelf, &offer("po/plant-a/1", 1), now)).unwrap();
    run(put(&shelf, &offer("po/plant-a/1", 2), now)).unwrap();
    let refused = Word::Refused {
        reason: "no such item".to_owned(),
    };
    let [old, new] = <[Entry; 2]>::try_from(shelf.peek(&code())).unwrap();
    assert_eq!(settled(&old, &Word::Applied, now), None);
    let settled_entry = settled(&new, &refused, now).unwrap();
    run(shelf.change(&new, &settled_entry)).unwrap();
    send(&shelf, &plant, "one");
    assert!(plant.came.borrow().is_empty(), "it is not sent any more");
    assert_eq!(settled(&settled_entry, &Word::Applied, now), None);
    assert_eq!(settled_entry.note.as_deref(), Some("no such item"));
}

#[test]
fn an_event_without_an_id_gets_one_and_one_that_no_plant_could_take_is_refused() {
    let dice = Dice(Cell::new(1));
    let (shelf, plant) = (Memory::default(), Plant::new(&dice, 0));
    let put = |event, document: &str| {
        let offer = Offer {
            event,
            ..offer(document, 1)
        };
        run(put(&shelf, &offer, plant.now()))
    };
    put(json!({"id": "po-17"}), "po/plant-a/1").unwrap();
    put(json!({}), "po/plant-a/2").unwrap();
    let entries = shelf.peek(&code());
    assert_eq!(entries[0].event_id, "po-17");
    assert!(entries[1].event_id.starts_with("evt_"));
    assert_eq!(entries[1].event["id"], entries[1].event_id.as_str());
    for (event, document) in [
        (json!([]), "po/plant-a/3"),
        (json!({"id": "a.b"}), "po/plant-a/3"),
        (json!({"id": 7}), "po/plant-a/3"),
        (json!({"id": ""}), "po/plant-a/3"),
        (json!({"x": "x".repeat(300_000)}), "po/plant-a/3"),
        (json!({}), ""),
        (json!({}), "po/plant-a/\n"),
    ] {
        assert!(matches!(put(event, document), Err(Error::Unreadable(_))));
    }
    assert_eq!(shelf.peek(&code()).len(), 2);
    plant.later(SignedDuration::from_secs(1));
    send(&shelf, &plant, "one");
    assert_eq!(plant.taken().len(), 2);
}
