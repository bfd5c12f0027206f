//! The mailbox over every kind of interleaving: deliver, park, take, crash, repeat. No AWS needed.
//!
//! A scheduler with a seed polls deliverers, executions and the sweeper in any order, one atomic step of
//! the store or the engine at a time, drops some of them in the middle (a crash) and lets others begin
//! again (a redelivery). Whatever it does, every fact is applied exactly once, in an order that the
//! business allows, and nothing is left waiting.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use interplant_domain::exception::Code as ExceptionCode;
use interplant_domain::fact::{Code, FactKind, InvoiceReceived};
use interplant_domain::identifier::{LifecycleId, LifecycleKind};
use interplant_domain::lifecycle::{Begin, Done, Lifecycle, Run, Settle, Status, Wait, Waiter};
use interplant_domain::mailbox::{Entry, EntryState};
use interplant_domain::plant::Plant;
use interplant_domain::purchase_order::{
    AppliedReceipt, InOdoo, Next, Payable, Place, PostedBill, PurchaseOrder, Refusal, Step,
};
use interplant_runtime::memory::{MemoryEngine, MemoryStore};
use interplant_runtime::protocol;
use interplant_runtime::store::{Delivery, Error, Store};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};

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

/// Everything that a history needs.
struct World {
    store: MemoryStore,
    engine: MemoryEngine,
    plant: Plant,
    id: LifecycleId,
    now: Cell<Timestamp>,
}

impl World {
    fn new() -> Self {
        let plant: Plant = serde_json::from_value(serde_json::json!({
            "plant": "plant-x", "name": "X", "odoo": {"database": "group"}, "units": {"EA": "uom.unit"}, "owners": {}
        }))
        .unwrap();
        Self {
            store: MemoryStore::default(),
            engine: MemoryEngine::default(),
            id: LifecycleId::new(LifecycleKind::Po, &plant.plant, "1"),
            plant,
            now: Cell::new("2026-11-23T00:00:00Z".parse().unwrap()),
        }
    }

    fn delivery(&self, index: usize, kind: FactKind) -> Delivery {
        let now = self.now.get();
        Delivery {
            lifecycle: self.id.clone(),
            entry: Entry {
                sequence: 0,
                event_id: format!("evt_{index:032x}").parse().unwrap(),
                inbox_key: String::new(),
                content_hash: None,
                kind,
                number: index.to_string(),
                happened_at: now,
                received_at: now,
                due_at: now,
                state: EntryState::Waiting,
                accepted: std::collections::BTreeSet::new(),
                settled_at: None,
                result: None,
            },
        }
    }

    /// What a step does, without Odoo.
    async fn step(&self, generation: u32, step: Step) -> Result<String, Error> {
        let lifecycle = self.store.load(&self.id).await?.unwrap();
        if step == Step::Close && lifecycle.next() == Next::Do(Step::Close, None) {
            if lifecycle.header.generation != generation {
                return Ok("Superseded".to_owned());
            }
            return match self.store.commit(&lifecycle.closed(self.now.get())).await {
                Ok(()) => Ok("Closed".to_owned()),
                Err(Error::Conflict) => Ok("Await".to_owned()),
                Err(error) => Err(error),
            };
        }
        let run = Run {
            step,
            generation,
            deadline: self.now.get(),
            request_limit: SignedDuration::ZERO,
        };
        let begin = lifecycle.begin(run, self.now.get(), &self.plant, |order, _| {
            let missing =
                order.is_some_and(|order| order.lines[0].received() < order.lines[0].ordered);
            if step == Step::MatchInvoice && missing {
                return Err(Refusal::Wait {
                    reason: "goods are missing".to_owned(),
                    becomes: ExceptionCode::QuantityReceived,
                });
            }
            Ok(serde_json::Value::Null)
        });
        let commit = match begin {
            Begin::Work { commit, .. } => commit,
            Begin::Superseded => return Ok("Superseded".to_owned()),
            Begin::Elsewhere(_) if lifecycle.header.generation == generation => {
                return Ok(lifecycle.resume_word().to_owned());
            }
            Begin::Elsewhere(_) => return Ok("Superseded".to_owned()),
            Begin::Refused(commit, _) => {
                self.store.commit(&commit).await?;
                return Ok("Await".to_owned());
            }
        };
        self.store.commit(&commit).await?;
        let sequence = commit.header.operation.as_ref().unwrap().sequence;
        let entry = lifecycle
            .entries
            .iter()
            .find(|entry| entry.sequence == sequence)
            .unwrap();
        let mut order = lifecycle
            .header
            .order
            .clone()
            .unwrap_or_else(|| self.empty_order());
        let settle = self.apply(step, entry, &mut order);
        let done = Done {
            order: Some(order),
            settle,
            result: String::new(),
            evidence: None,
        };
        for _ in 0..4 {
            let fresh = self.store.load(&self.id).await?.unwrap();
            if fresh.header.generation != generation {
                return Ok("Superseded".to_owned());
            }
            let Some(done) = fresh.done(step, sequence, &done, &self.plant, self.now.get()) else {
                return Ok("Await".to_owned());
            };
            match self.store.commit(&done).await {
                Ok(()) => {
                    return Ok(self
                        .store
                        .load(&self.id)
                        .await?
                        .unwrap()
                        .resume_word()
                        .to_owned());
                }
                Err(Error::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::Conflict)
    }

    fn empty_order(&self) -> PurchaseOrder {
        let fact = serde_json::from_value(serde_json::json!({
            "poNumber": "1", "supplierId": "S", "currency": "USD", "orderDate": "2026-11-01",
            "lines": [{"lineNo": "1", "itemId": "A", "qty": "2", "uom": "EA", "unitPrice": "1"}]
        }));
        PurchaseOrder::created(&fact.unwrap(), &self.plant, self.now.get())
    }

    fn apply(&self, step: Step, entry: &Entry, order: &mut PurchaseOrder) -> Settle {
        match step {
            Step::Create => {
                order.in_odoo = Some(InOdoo {
                    id: 1,
                    name: "P1".to_owned(),
                    open_receipt: None,
                    cancelled: false,
                });
                Settle::Applied
            }
            Step::Acknowledge => {
                assert!(
                    order.in_odoo.is_some(),
                    "acknowledged before it was created"
                );
                Settle::Applied
            }
            Step::Receive => {
                assert!(order.in_odoo.is_some(), "received before it was created");
                let number = Code::new(&entry.number);
                order.lines[0].put(&number, None, Place::Stocked, "1".parse().unwrap());
                order.receipts.push(AppliedReceipt {
                    number,
                    shipment: None,
                    picking: Some(1),
                });
                order.changes += 1;
                Settle::Applied
            }
            Step::MatchInvoice => {
                order.apply_match(&invoice(&entry.number), entry.sequence, matched());
                Settle::Continue
            }
            Step::PostInvoice => {
                order.apply_bill(
                    entry.sequence,
                    PostedBill {
                        id: 1,
                        name: "B1".to_owned(),
                        total: "2".parse().unwrap(),
                    },
                );
                Settle::Continue
            }
            Step::Close => Settle::Applied,
            Step::Change
            | Step::Cancel
            | Step::Record
            | Step::ReverseReceipt
            | Step::ReleaseQuality => panic!("no such fact was sent"),
        }
    }

    /// An execution: it goes through the states that the definition has.
    async fn execute(&self, index: usize, generation: u32) -> Result<(), Error> {
        let mut state = "Create".to_owned();
        loop {
            state = match state.as_str() {
                "Await" => {
                    let token = self.engine.hand_out_token(index);
                    let waiter = Waiter {
                        epoch: token.clone(),
                        token,
                        generation,
                        wait: Wait::Fact,
                        database: None,
                        parked_at: self.now.get(),
                    };
                    protocol::wait(&self.store, &self.engine, &self.id, &waiter, self.now.get())
                        .await?;
                    self.woken(index).await
                }
                "Closed" | "Superseded" => {
                    self.engine.end(index);
                    return Ok(());
                }
                // The definition goes from a step to `Await`, except behind the last two.
                step => {
                    let step: Step = step.parse().unwrap();
                    let next = self.step(generation, step).await?;
                    match step {
                        Step::MatchInvoice if next == "PostInvoice" => next,
                        Step::PostInvoice | Step::Close => next,
                        _ if next == "Superseded" => next,
                        Step::Create
                        | Step::Acknowledge
                        | Step::Change
                        | Step::Cancel
                        | Step::Record
                        | Step::Receive
                        | Step::ReverseReceipt
                        | Step::ReleaseQuality
                        | Step::MatchInvoice => "Await".to_owned(),
                    }
                }
            };
        }
    }

    async fn woken(&self, index: usize) -> String {
        std::future::poll_fn(|_| {
            self.engine
                .take_word(index)
                .map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }
}

fn invoice(number: &str) -> InvoiceReceived {
    serde_json::from_value(serde_json::json!({
        "invoiceNumber": number, "supplierId": "S", "invoiceDate": "2026-11-01", "currency": "USD",
        "lines": [{"poNumber": "1", "lineNo": "1", "qty": "2", "unitPrice": "1"}],
        "totals": {"net": "2", "gross": "2"}
    }))
    .unwrap()
}

fn matched() -> Payable {
    serde_json::from_value(serde_json::json!({
        "rule_version": "", "inputs_hash": "", "extras": [], "net": "2", "tax": "0", "gross": "2",
        "lines": [{"line_no": "1", "quantity": "2", "unit_price": "1", "net": "2", "tax_code": null}]
    }))
    .unwrap()
}

async fn deliver_once(world: &World, delivery: &Delivery) -> Result<(), Error> {
    protocol::deliver(&world.store, &world.engine, delivery, world.now.get())
        .await
        .map(drop)
}

enum What {
    Deliver(usize),
    Execute(usize),
    Sweep,
}

struct Actor<'a> {
    what: What,
    future: Pin<Box<dyn Future<Output = Result<(), Error>> + 'a>>,
}

/// Executions that have nothing to do stay as they are in so many polls; one at work gets somewhere.
const QUIET: usize = 400;

/// Runs one history and says how many steps it took.
fn history(seed: u64, kinds: &[FactKind], crashes: usize) -> usize {
    let dice = Dice(Cell::new(seed));
    let world = World::new();
    let deliveries: Vec<Delivery> = kinds
        .iter()
        .enumerate()
        .map(|(index, kind)| world.delivery(index, *kind))
        .collect();
    let deliver = |index: usize| Actor {
        what: What::Deliver(index),
        future: Box::pin(deliver_once(&world, &deliveries[index])),
    };
    let mut actors: Vec<Actor<'_>> = Vec::new();
    // Every message comes at least once; some come twice; some late, when everything else waits.
    let mut to_come: Vec<usize> = (0..deliveries.len())
        .flat_map(|index| vec![index; 1 + usize::from(dice.roll(3) == 0)])
        .collect();
    let pause = 1 + dice.roll(60);
    let mut crashes = crashes;
    let (mut disturbed, mut quiet) = (false, 0);
    let mut started = 0;
    let waker = Waker::noop();
    for step in 0..20_000 {
        for (index, execution) in world.engine.executions().iter().enumerate().skip(started) {
            started = index + 1;
            let generation = execution.generation;
            actors.push(Actor {
                what: What::Execute(index),
                future: Box::pin(world.execute(index, generation)),
            });
        }
        world
            .now
            .set(world.now.get() + SignedDuration::from_millis(1));
        if !to_come.is_empty() && (dice.roll(pause) == 0 || actors.is_empty()) {
            actors.push(deliver(to_come.remove(0)));
        }
        let at_work = !to_come.is_empty()
            || actors
                .iter()
                .any(|actor| matches!(actor.what, What::Deliver(_) | What::Sweep));
        if !at_work {
            if is_over(&world) {
                assert_each_once(&world, kinds.len());
                return step;
            }
            if quiet < QUIET {
                quiet += 1;
            } else {
                quiet = 0;
                assert!(
                    disturbed,
                    "seed {seed}: nobody crashed, and still the sweeper is needed"
                );
                // Closed lifecycles are not in the sweeper's index: nobody looks at them again.
                let open = world.store.peek(&world.id).is_some_and(|lifecycle| {
                    matches!(lifecycle.header.status, Status::Running | Status::Expected)
                });
                assert!(
                    open,
                    "seed {seed}: a fact was forgotten in a closed lifecycle"
                );
                actors.push(Actor {
                    what: What::Sweep,
                    future: Box::pin(protocol::repair(
                        &world.store,
                        &world.engine,
                        &world.id,
                        world.now.get(),
                    )),
                });
            }
        } else {
            quiet = 0;
        }
        if actors.is_empty() {
            continue;
        }
        let chosen = dice.roll(actors.len());
        if crashes > 0 && dice.roll(25) == 0 {
            crashes -= 1;
            disturbed = true;
            let crashed = actors.swap_remove(chosen);
            match crashed.what {
                // The queue delivers again.
                What::Deliver(index) => actors.push(deliver(index)),
                // The engine loses the execution; only the sweeper can tell.
                What::Execute(index) => world.engine.end(index),
                What::Sweep => {}
            }
            continue;
        }
        let polled = actors[chosen]
            .future
            .as_mut()
            .poll(&mut Context::from_waker(waker));
        match polled {
            Poll::Pending => {}
            Poll::Ready(result) => {
                let ended = actors.swap_remove(chosen);
                match (ended.what, result) {
                    (_, Ok(())) | (What::Sweep, Err(Error::Conflict)) => {}
                    // The queue delivers again; Step Functions tries again, by what the test stands for: a new generation.
                    (What::Deliver(index), Err(Error::Conflict | Error::Unavailable(_))) => {
                        actors.push(deliver(index))
                    }
                    (What::Execute(index), Err(Error::Conflict | Error::Unavailable(_))) => {
                        disturbed = true;
                        world.engine.end(index);
                    }
                    (_, Err(error)) => panic!("seed {seed}: {error}"),
                }
            }
        }
    }
    panic!(
        "seed {seed}: it does not come to rest: {:#?}",
        world.store.peek(&world.id)
    );
}

/// Every fact was applied exactly once, and what they add up to is what they say.
fn assert_each_once(world: &World, facts: usize) {
    let lifecycle = world.store.peek(&world.id).unwrap();
    let mut settled: Vec<String> = world
        .store
        .settled()
        .iter()
        .map(|entry| entry.event_id.to_string())
        .collect();
    settled.sort();
    let all: Vec<String> = (0..facts)
        .map(|index| format!("evt_{index:032x}"))
        .collect();
    assert_eq!(settled, all, "each fact once");
    assert_eq!(lifecycle.header.status, Status::Closed);
    let order = lifecycle.header.order.unwrap();
    assert_eq!(
        (
            order.lines[0].received().to_string(),
            order.receipts.len(),
            order.invoices.len()
        ),
        ("2".to_owned(), 2, 1)
    );
}

fn is_over(world: &World) -> bool {
    let Some(lifecycle): Option<Lifecycle> = world.store.peek(&world.id) else {
        return false;
    };
    let running = world
        .engine
        .executions()
        .iter()
        .any(|execution| execution.running);
    match lifecycle.header.status {
        Status::Closed => !running && lifecycle.entries.is_empty(),
        // An order without its last fact waits for good, and its execution with it.
        Status::Running => running && lifecycle.waiter.is_some() && lifecycle.next() == Next::Wait,
        Status::Expected => lifecycle.next() == Next::Wait,
        Status::Recorded => true,
        Status::Halted | Status::Cancelled => panic!("nobody halted or cancelled it"),
    }
}

const WHOLE: [FactKind; 7] = [
    FactKind::PoCreated,
    FactKind::PoAcknowledged,
    FactKind::PoAcknowledged,
    FactKind::PoAcknowledged,
    FactKind::ReceiptPosted,
    FactKind::ReceiptPosted,
    FactKind::InvoiceReceived,
];

/// Runs a history of a whole order and checks what must hold at its end.
fn whole_history(seed: u64, order: &[usize], crashes: usize) -> usize {
    let kinds: Vec<FactKind> = order.iter().map(|index| WHOLE[*index]).collect();
    let world_end = std::panic::catch_unwind(|| history(seed, &kinds, crashes));
    world_end.unwrap_or_else(|_| panic!("seed {seed}, facts {kinds:?}, {crashes} crashes"))
}

#[test]
fn every_fact_is_applied_and_the_lifecycle_closed_whatever_is_interleaved_and_whoever_crashes() {
    let seed = 20_261_123;
    let mut runner = TestRunner::new(Config {
        cases: 5_000,
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        ..Config::default()
    });
    let order = Just((0..WHOLE.len()).collect::<Vec<_>>()).prop_shuffle();
    let longest_of = Cell::new(0);
    runner
        .run(
            &(any::<u64>(), order, 0_usize..6),
            |(seed, order, crashes)| {
                longest_of.set(longest_of.get().max(whole_history(seed, &order, crashes)));
                Ok(())
            },
        )
        .unwrap();
    println!(
        "5000 histories from seed {seed}, the longest of {} steps",
        longest_of.get()
    );
}

/// Polls a future to its end; nothing else is at work.
fn alone<T>(future: impl Future<Output = T>) -> T {
    let mut future = Box::pin(future);
    loop {
        if let Poll::Ready(value) = future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            return value;
        }
    }
}

#[test]
fn a_halted_lifecycle_is_left_alone_until_somebody_restarts_it_once() {
    let world = World::new();
    let (store, engine, now) = (&world.store, &world.engine, world.now.get());
    alone(protocol::deliver(
        store,
        engine,
        &world.delivery(0, FactKind::PoCreated),
        now,
    ))
    .unwrap();
    let running = store.peek(&world.id).unwrap();
    alone(store.commit(&running.halted("a defect", now))).unwrap();
    engine.end(0);
    alone(protocol::repair(store, engine, &world.id, now)).unwrap();
    assert_eq!(store.peek(&world.id).unwrap().header.status, Status::Halted);
    assert_eq!(
        alone(protocol::restart(
            store, engine, &world.id, "tester", "mended", now
        )),
        Ok(2)
    );
    assert!(engine.executions()[1].running);
    assert_eq!(
        alone(protocol::restart(
            store, engine, &world.id, "tester", "mended", now
        )),
        Err(Error::Conflict)
    );
}

#[test]
fn a_fact_that_comes_after_a_cancel_decision_is_settled_and_its_sender_told() {
    let world = World::new();
    let (store, engine, now) = (&world.store, &world.engine, world.now.get());
    alone(protocol::deliver(
        store,
        engine,
        &world.delivery(0, FactKind::PoCreated),
        now,
    ))
    .unwrap();
    let mut cancelled = store.peek(&world.id).unwrap().halted("", now);
    cancelled.header.status = Status::Cancelled;
    alone(store.commit(&cancelled)).unwrap();
    alone(protocol::deliver(
        store,
        engine,
        &world.delivery(1, FactKind::ReceiptPosted),
        now,
    ))
    .unwrap();
    alone(protocol::refuse_after_cancel(
        store,
        &world.id,
        &world.plant,
        now,
    ))
    .unwrap();
    let told = store.peek(&world.id).unwrap().exceptions;
    assert_eq!(told.len(), 1, "the order's own fact needs nobody");
    assert_eq!(told[0].exception.code, ExceptionCode::AfterCancel);
    let settled = store.settled();
    assert_eq!(settled.len(), 2);
    assert!(settled.iter().all(|entry| {
        entry.state == EntryState::Skipped
            && entry
                .result
                .as_deref()
                .is_some_and(|result| result.contains("cancelled"))
    }));
    assert_eq!(engine.executions().len(), 1, "nothing is started for it");
}

/// Facts of a production order are brought by several at once, twice, by some who die on the way, while the
/// sweeper looks at it: which it never would, for it is in no index.
fn kept_history(seed: u64, facts: usize, mut crashes: usize) {
    let dice = Dice(Cell::new(seed));
    let world = World::new();
    let id = LifecycleId::new(LifecycleKind::Mo, &world.plant.plant, "1");
    let deliveries: Vec<Delivery> = (0..facts)
        .map(|index| {
            let delivery = world.delivery(index, FactKind::MaterialIssued);
            Delivery {
                lifecycle: id.clone(),
                entry: Entry {
                    state: EntryState::first(id.kind()),
                    ..delivery.entry
                },
            }
        })
        .collect();
    let actor = |what: What| {
        let (world, id) = (&world, &id);
        let future: Pin<Box<dyn Future<Output = Result<(), Error>>>> = match what {
            What::Deliver(index) => Box::pin(deliver_once(world, &deliveries[index])),
            What::Execute(_) | What::Sweep => Box::pin(protocol::repair(
                &world.store,
                &world.engine,
                id,
                world.now.get(),
            )),
        };
        Actor { what, future }
    };
    let mut actors: Vec<Actor<'_>> = (0..facts)
        .flat_map(|index| [What::Deliver(index), What::Deliver(index), What::Sweep])
        .map(actor)
        .collect();
    while !actors.is_empty() {
        let chosen = dice.roll(actors.len());
        if crashes > 0 && dice.roll(5) == 0 {
            crashes -= 1;
            // The queue delivers again.
            let crashed = actors.swap_remove(chosen);
            actors.push(actor(crashed.what));
            continue;
        }
        let polled = actors[chosen]
            .future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
        if let Poll::Ready(result) = polled {
            assert_eq!(result, Ok(()), "seed {seed}");
            drop(actors.swap_remove(chosen));
        }
    }
    let lifecycle = world.store.peek(&id).unwrap();
    let mut events: Vec<String> = lifecycle
        .entries
        .iter()
        .map(|entry| entry.event_id.to_string())
        .collect();
    events.sort();
    let all: Vec<String> = (0..facts)
        .map(|index| format!("evt_{index:032x}"))
        .collect();
    assert_eq!(events, all, "seed {seed}: each fact once");
    let sequences: Vec<u64> = lifecycle
        .entries
        .iter()
        .map(|entry| entry.sequence)
        .collect();
    assert_eq!(sequences, (1..=facts as u64).collect::<Vec<_>>());
    let recorded = |entry: &Entry| entry.state == EntryState::Recorded;
    assert!(lifecycle.entries.iter().all(recorded), "seed {seed}");
    assert_eq!(lifecycle.header.status, Status::Recorded, "seed {seed}");
    assert_eq!(world.store.settled(), [], "seed {seed}");
    assert_eq!(world.engine.executions(), [], "seed {seed}: a start");
}

#[test]
fn facts_that_are_only_kept_lie_in_their_mailbox_once_and_nothing_is_started_for_them() {
    let dice = Dice(Cell::new(20_261_124));
    for seed in 0..2_000 {
        kept_history(seed, 1 + dice.roll(8), dice.roll(6));
    }
}

#[test]
fn what_is_only_kept_is_not_restarted_and_waits_for_no_one_years_later() {
    let world = World::new();
    let (store, engine, now) = (&world.store, &world.engine, world.now.get());
    let id = LifecycleId::new(LifecycleKind::Je, &world.plant.plant, "1");
    let mut delivery = world.delivery(0, FactKind::JournalEntrySubmitted);
    delivery.lifecycle = id.clone();
    delivery.entry.state = EntryState::first(id.kind());
    alone(protocol::deliver(store, engine, &delivery, now)).unwrap();
    let later = now + SignedDuration::from_hours(24 * 1000);
    alone(protocol::nudge(store, engine, &id, later)).unwrap();
    alone(protocol::repair(store, engine, &id, later)).unwrap();
    assert_eq!(
        alone(protocol::restart(
            store, engine, &id, "tester", "mended", later
        )),
        Err(Error::Conflict)
    );
    let kept = store.peek(&id).unwrap();
    assert_eq!(kept.overdue(&world.plant, later), None);
    assert_eq!((kept.entries.len(), engine.executions().len()), (1, 0));
}
