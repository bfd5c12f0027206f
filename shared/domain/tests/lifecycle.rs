//! The rules of a lifecycle: what comes next, what a step may do, what a person may decide.

#![expect(clippy::unwrap_used, reason = "tests")]

mod world;

use interplant_domain::exception::{Code, Decision};
use interplant_domain::fact::{Fact, FactKind, content_hash};
use interplant_domain::identifier::{LifecycleId, LifecycleKind};
use interplant_domain::lifecycle::{
    Begin, Done, GivenDecision, Header, Lifecycle, Resume, Run, Settle, Status, Wait, WaitAnswer,
};
use interplant_domain::mailbox::{Entry, EntryState};
use interplant_domain::plant::Plant;
use interplant_domain::purchase_order::{Next, PostedBill, PurchaseOrder, Refusal, Step};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::json;
use world::World;

fn order() -> PurchaseOrder {
    let mut world = World::new(plant());
    world.send(
        "po.created",
        world::order(&[
            ("1", "A", "12", "EA", "38.2935"),
            ("2", "B", "7.5", "KG", "4.04"),
        ]),
    );
    world.order().clone()
}

/// The order after all of it came.
fn received_order() -> PurchaseOrder {
    let mut world = World::new(plant());
    world.send(
        "po.created",
        world::order(&[
            ("1", "A", "12", "EA", "38.2935"),
            ("2", "B", "7.5", "KG", "4.04"),
        ]),
    );
    world.send(
        "receipt.posted",
        world::receipt("W1", &[("1", "12"), ("2", "7.5")]),
    );
    world.order().clone()
}

/// The order after all of it came and was billed by the fact at position 1.
fn billed_order() -> PurchaseOrder {
    let mut order = received_order();
    let matched = serde_json::from_value(json!({
        "rule_version": "", "inputs_hash": "", "extras": [], "net": "489.82", "tax": "0", "gross": "489.82",
        "lines": [
            {"line_no": "1", "quantity": "12", "unit_price": "38.2935", "net": "459.52", "tax_code": null},
            {"line_no": "2", "quantity": "7.5", "unit_price": "4.04", "net": "30.3", "tax_code": null}
        ]
    }));
    let Fact::InvoiceReceived(fact) = world::fact(
        "invoice.received",
        world::invoice("R1", &[("1", "12", "38.2935"), ("2", "7.5", "4.04")]),
    ) else {
        unreachable!()
    };
    order.apply_match(&fact, 1, matched.unwrap());
    order.apply_bill(
        1,
        PostedBill {
            id: 1,
            name: "B".into(),
            total: "489.82".parse().unwrap(),
        },
    );
    order
}

#[test]
fn ten_and_ten_point_zero_are_one_content_and_another_quantity_is_not() {
    let hash = |qty: &str| {
        let data = json!({"receiptNumber": " W1 ", "poNumber": "4711", "lines": [{"lineNo": "1", "qtyReceived": qty}]});
        content_hash(&Fact::read(FactKind::ReceiptPosted, &data).unwrap()).unwrap()
    };
    assert_eq!(hash("10"), hash("10.000"));
    assert_ne!(hash("10"), hash("10.001"));
}

fn plant() -> Plant {
    world::plant(json!({}))
}

fn now() -> Timestamp {
    "2026-11-23T10:00:00Z".parse().unwrap()
}

fn lifecycle(kinds: &[FactKind], order: Option<PurchaseOrder>) -> Lifecycle {
    let id = LifecycleId::new(LifecycleKind::Po, &plant().plant, "4711");
    let mut header = Header::new(id, now());
    header.status = Status::Running;
    header.generation = 1;
    header.order = order;
    let entries = kinds.iter().zip(1..).map(|(kind, sequence)| Entry {
        sequence,
        event_id: format!("evt_{sequence:032x}").parse().unwrap(),
        inbox_key: String::new(),
        content_hash: None,
        kind: *kind,
        number: sequence.to_string(),
        happened_at: now(),
        received_at: now(),
        due_at: now() + SignedDuration::from_hours(1),
        state: EntryState::Waiting,
        accepted: std::collections::BTreeSet::new(),
        settled_at: None,
        result: None,
    });
    Lifecycle {
        header,
        entries: entries.collect(),
        exceptions: Vec::new(),
        waiter: None,
        next_sequence: kinds.len() as u64 + 1,
    }
}

fn run(step: Step) -> Run {
    Run {
        step,
        generation: 1,
        deadline: now() + SignedDuration::from_secs(60),
        request_limit: SignedDuration::from_secs(120),
    }
}

fn begin(lifecycle: &Lifecycle, step: Step, at: Timestamp) -> Begin {
    lifecycle.begin(run(step), at, &plant(), |_, _| Ok(json!("plan")))
}

fn applied(mut lifecycle: Lifecycle, commit: interplant_domain::lifecycle::Commit) -> Lifecycle {
    assert_eq!(commit.header.revision, lifecycle.header.revision + 1);
    lifecycle.apply(&commit);
    lifecycle
}

#[test]
fn facts_wait_for_their_predecessors_and_let_the_others_pass() {
    use FactKind::{InvoiceReceived, PoAcknowledged, PoCreated, ReceiptPosted};
    assert_eq!(
        lifecycle(&[InvoiceReceived, ReceiptPosted], None).next(),
        Next::Wait
    );
    assert_eq!(
        lifecycle(&[ReceiptPosted, PoCreated], None).next(),
        Next::Do(Step::Create, Some(2))
    );
    assert_eq!(
        lifecycle(
            &[InvoiceReceived, PoAcknowledged, ReceiptPosted],
            Some(order())
        )
        .next(),
        Next::Do(Step::Acknowledge, Some(2))
    );
    assert_eq!(
        lifecycle(&[InvoiceReceived, ReceiptPosted], Some(order())).next(),
        Next::Do(Step::Receive, Some(2))
    );
    let order = received_order();
    assert_eq!(
        lifecycle(&[InvoiceReceived, ReceiptPosted], Some(order)).next(),
        Next::Do(Step::MatchInvoice, Some(1))
    );
}

#[test]
fn closing_comes_after_everything_else_that_has_come() {
    let order = billed_order();
    assert!(order.is_complete());
    let open = lifecycle(
        &[FactKind::InvoiceReceived, FactKind::PoAcknowledged],
        Some(order.clone()),
    );
    assert_eq!(open.next(), Next::Do(Step::Acknowledge, Some(2)));
    assert_eq!(
        lifecycle(&[FactKind::InvoiceReceived], Some(order.clone())).next(),
        Next::Do(Step::Close, Some(1))
    );
    assert_eq!(
        lifecycle(&[], Some(order)).next(),
        Next::Do(Step::Close, None)
    );
}

#[test]
fn a_step_that_was_interrupted_only_looks_until_nothing_of_it_can_come_late() {
    let lifecycle = lifecycle(&[FactKind::PoCreated], None);
    let Begin::Work { commit, resume } = begin(&lifecycle, Step::Create, now()) else {
        unreachable!()
    };
    assert_eq!(resume, Resume::First);
    let begun = applied(lifecycle, *commit);
    // The worker died: its lease runs to its deadline, its last call as long as Odoo may take.
    let end = now() + SignedDuration::from_secs(180);
    let Begin::Work { resume, .. } =
        begin(&begun, Step::Create, end - SignedDuration::from_secs(1))
    else {
        unreachable!()
    };
    assert_eq!(
        resume,
        Resume::Again {
            only_look_until: Some(end)
        }
    );
    let Begin::Work { resume, .. } = begin(&begun, Step::Create, end) else {
        unreachable!()
    };
    assert_eq!(
        resume,
        Resume::Again {
            only_look_until: None
        }
    );
    // It let go without a call under way: the next one may act at once.
    let released = applied(
        begun.clone(),
        begun.interrupted(Step::Create, None, now()).unwrap(),
    );
    let Begin::Work { resume, .. } = begin(&released, Step::Create, now()) else {
        unreachable!()
    };
    assert_eq!(
        resume,
        Resume::Again {
            only_look_until: None
        }
    );
}

#[test]
fn an_older_generation_and_another_step_get_no_work() {
    let mut lifecycle = lifecycle(&[FactKind::PoCreated], None);
    assert!(matches!(
        begin(&lifecycle, Step::Receive, now()),
        Begin::Elsewhere(Next::Do(Step::Create, Some(1)))
    ));
    lifecycle.header.generation = 2;
    assert_eq!(begin(&lifecycle, Step::Create, now()), Begin::Superseded);
    assert_eq!(
        lifecycle.on_wait(1, Wait::Fact, now()),
        WaitAnswer::GoOn("Superseded")
    );
    assert_eq!(
        lifecycle.on_wait(2, Wait::Fact, now() + SignedDuration::from_hours(24 * 300)),
        WaitAnswer::RollOver
    );
}

#[test]
fn a_decision_is_taken_once_and_only_about_what_was_seen() {
    let lifecycle = lifecycle(&[FactKind::ReceiptPosted], Some(order()));
    let exception = interplant_domain::exception::Exception::new(Code::OverReceipt, "too much");
    let commit = lifecycle.raise(Step::Receive, 1, &exception, &plant(), now());
    let held = applied(lifecycle, commit);
    assert_eq!(held.next(), Next::Decide);
    assert_eq!(held.exceptions[0].owner, "b@x.example");
    let given = |decision, seen_revision| GivenDecision {
        exception: held.exceptions[0].id.clone(),
        decision,
        seen_revision,
        by: "ann".into(),
        reason: "counted".into(),
        key: None,
    };
    assert!(
        held.decided(
            &given(Decision::Retry, Some(held.header.revision - 1)),
            now()
        )
        .is_err()
    );
    let retried = applied(
        held.clone(),
        held.decided(&given(Decision::Retry, Some(held.header.revision)), now())
            .unwrap(),
    );
    assert_eq!(retried.next(), Next::Do(Step::Receive, Some(1)));
    assert!(
        retried
            .decided(&given(Decision::Retry, None), now())
            .is_err(),
        "it is decided"
    );
    let skipped = applied(
        held.clone(),
        held.decided(&given(Decision::Skip, None), now()).unwrap(),
    );
    assert_eq!((skipped.next(), skipped.entries.len()), (Next::Wait, 0));
    let cancelled = applied(
        held.clone(),
        held.decided(&given(Decision::Cancel, None), now()).unwrap(),
    );
    assert_eq!(
        (cancelled.header.status, cancelled.next()),
        (Status::Cancelled, Next::Do(Step::Close, None))
    );
}

#[test]
fn nothing_is_given_up_while_a_step_is_at_work_and_a_posted_bill_is_never_called_skipped() {
    use interplant_domain::lifecycle::StaleDecision;
    let given = |lifecycle: &Lifecycle, decision| GivenDecision {
        exception: lifecycle.exceptions[0].id.clone(),
        decision,
        seen_revision: None,
        by: "ann".into(),
        reason: "counted".into(),
        key: None,
    };
    // A receipt is being booked; an overdue invoice beside it asks for a decision.
    let both = lifecycle(
        &[FactKind::ReceiptPosted, FactKind::InvoiceReceived],
        Some(order()),
    );
    let later = now() + SignedDuration::from_hours(2);
    let told = applied(both.clone(), both.overdue(&plant(), later).unwrap());
    let Begin::Work { commit, .. } = begin(&told, Step::Receive, later) else {
        unreachable!()
    };
    let busy = applied(told, *commit);
    for decision in [Decision::Cancel, Decision::Skip] {
        assert_eq!(
            busy.decided(&given(&busy, decision), later),
            Err(StaleDecision::AtWork)
        );
    }
    // Its call's answer was lost: still nothing may be given up, until the call can have no effect any more.
    let end = later + SignedDuration::from_secs(120);
    let lost = applied(
        busy.clone(),
        busy.interrupted(Step::Receive, Some(end), later).unwrap(),
    );
    assert_eq!(
        lost.decided(&given(&lost, Decision::Cancel), later),
        Err(StaleDecision::AtWork)
    );
    assert!(lost.decided(&given(&lost, Decision::Cancel), end).is_ok());

    let paid = billed_order();
    let posted = lifecycle(
        &[FactKind::InvoiceReceived, FactKind::InvoiceReceived],
        Some(paid),
    );
    let told = applied(posted.clone(), posted.overdue(&plant(), later).unwrap());
    let cancelled = told
        .decided(&given(&told, Decision::Cancel), later)
        .unwrap();
    let states: Vec<_> = cancelled
        .entries
        .iter()
        .map(|entry| entry.state.clone())
        .collect();
    assert_eq!(states, [EntryState::Applied, EntryState::Skipped]);
}

#[test]
fn skipping_the_fact_that_creates_the_order_ends_the_lifecycle() {
    let lifecycle = lifecycle(&[FactKind::PoCreated, FactKind::ReceiptPosted], None);
    let exception = interplant_domain::exception::Exception::new(Code::UnknownItem, "no such item");
    let commit = lifecycle.raise(Step::Create, 1, &exception, &plant(), now());
    let held = applied(lifecycle, commit);
    let skip = GivenDecision {
        exception: held.exceptions[0].id.clone(),
        decision: Decision::Skip,
        seen_revision: None,
        by: "ann".into(),
        reason: "a test order".into(),
        key: None,
    };
    let ended = applied(held.clone(), held.decided(&skip, now()).unwrap());
    assert_eq!(
        (ended.header.status, ended.entries.len()),
        (Status::Cancelled, 0)
    );
}

#[test]
fn facts_beyond_their_due_time_are_told_once() {
    let lifecycle = lifecycle(&[FactKind::ReceiptPosted], None);
    assert_eq!(lifecycle.overdue(&plant(), now()), None);
    let later = now() + SignedDuration::from_hours(2);
    let told = applied(
        lifecycle.clone(),
        lifecycle.overdue(&plant(), later).unwrap(),
    );
    assert_eq!(told.exceptions[0].exception.code, Code::PredecessorOverdue);
    assert_eq!(told.overdue(&plant(), later), None);
    assert_eq!(told.next(), Next::Wait, "it stops nothing");
}

#[test]
fn a_fact_on_hold_lets_the_others_pass_and_is_looked_at_again_when_the_order_has_changed() {
    let held = lifecycle(
        &[FactKind::ReceiptPosted, FactKind::PoAcknowledged],
        Some(order()),
    );
    let exception = interplant_domain::exception::Exception::new(Code::OverReceipt, "too much");
    let refusal = Refusal::Raise(exception);
    let Begin::Refused(commit, _) = held.begin(run(Step::Receive), now(), &plant(), |_, _| {
        Err(refusal.clone())
    }) else {
        unreachable!()
    };
    let held = applied(held, *commit);
    assert_eq!(
        held.next(),
        Next::Do(Step::Acknowledge, Some(2)),
        "others pass"
    );
    let id = held.exceptions[0].id.clone();
    let mut changed = held.clone();
    changed.header.order.as_mut().unwrap().changes += 1;
    assert_eq!(
        changed.next(),
        Next::Do(Step::Receive, Some(1)),
        "it is looked at again"
    );
    let again = changed.refused(Step::Receive, 1, &refusal, &plant(), now());
    let again = applied(changed, again);
    assert_eq!(
        (again.exceptions.len(), &again.exceptions[0].id),
        (1, &id),
        "the same cause is the same exception"
    );
    let accept = GivenDecision {
        exception: id,
        decision: Decision::Accept,
        seen_revision: None,
        by: "ann".into(),
        reason: "counted".into(),
        key: None,
    };
    let accepted = applied(again.clone(), again.decided(&accept, now()).unwrap());
    assert_eq!(accepted.next(), Next::Do(Step::Receive, Some(1)));
    assert!(
        accepted.entries[0].accepted.contains(&Code::OverReceipt)
            || accepted.entries[1].accepted.contains(&Code::OverReceipt)
    );
}

proptest! {
    #[test]
    fn a_settled_fact_never_comes_back(settle in prop::sample::select(vec![Settle::Applied, Settle::Continue])) {
        let lifecycle = lifecycle(&[FactKind::InvoiceReceived], Some(received_order()));
        let Begin::Work { commit, .. } = begin(&lifecycle, Step::MatchInvoice, now()) else { unreachable!() };
        let begun = applied(lifecycle, *commit);
        let done = Done { order: begun.header.order.clone(), settle, result: String::new(), evidence: None };
        let once = applied(begun.clone(), begun.done(Step::MatchInvoice, 1, &done, &plant(), now()).unwrap());
        prop_assert!(once.done(Step::MatchInvoice, 1, &done, &plant(), now()).is_none(), "recorded once");
        prop_assert_eq!(once.entries.is_empty(), settle == Settle::Applied);
    }
}

#[test]
fn an_amended_fact_takes_the_place_of_the_one_that_waits_and_says_who_did_it() {
    use interplant_domain::amendment::Change;
    use interplant_domain::lifecycle::{Given, StaleDecision};
    use interplant_domain::mailbox::Proposal;

    let lifecycle = lifecycle(&[FactKind::ReceiptPosted], Some(order()));
    let exception = interplant_domain::exception::Exception::new(Code::OverReceipt, "too much");
    let held = applied(
        lifecycle.clone(),
        lifecycle.raise(Step::Receive, 1, &exception, &plant(), now()),
    );
    let id = held.exceptions[0].id.clone();
    let given = |by: &str, revision: u64| Given {
        by: by.to_owned(),
        reason: "mistyped".to_owned(),
        key: Some("k".to_owned()),
        seen_revision: Some(revision),
    };
    let ann = given("ann", held.header.revision);
    let proposal = Proposal {
        event_id: "evt_0123456789abcdef0123456789abcdef".parse().unwrap(),
        inbox_key: "event#amended".to_owned(),
        changes: vec![Change {
            pointer: "/lines/0/qtyReceived".to_owned(),
            before: "13".into(),
            after: "12".into(),
        }],
        given: ann.resolution(Some(Decision::Amend), now()),
        needs_second: Some("it moves 38.2935, more than 0".to_owned()),
        approved: None,
    };
    let seen = Some(held.header.revision);
    let alone = held.amended(&id, proposal.clone(), seen, now(), now());
    assert_eq!(alone, Err(StaleDecision::OwnProposal));
    let waits = held.proposed(&id, proposal.clone(), seen, now()).unwrap();
    let waits = applied(held, waits);
    assert_eq!(
        waits.next(),
        Next::Decide,
        "nothing happens before it is approved"
    );
    let revision = waits.header.revision;
    let own = waits.approvable(&id, &given("ann", revision));
    assert_eq!(own, Err(StaleDecision::OwnProposal));
    let bob = given("bob", revision);
    let mut approved = waits.approvable(&id, &bob).unwrap().clone();
    approved.approved = Some(bob.resolution(Some(Decision::Amend), now()));
    let commit = waits
        .amended(&id, approved, Some(revision), now(), now())
        .unwrap();

    let told = commit.manual.clone().unwrap();
    assert_eq!((told.action.as_str(), told.by.as_str()), ("amend", "bob"));
    assert_eq!(told.changes, proposal.changes);
    assert!(
        told.before["facts"].to_string().contains("held"),
        "{told:?}"
    );
    assert!(
        told.after["facts"].to_string().contains("skipped"),
        "{told:?}"
    );
    assert!(
        told.after["facts"].to_string().contains("waiting"),
        "{told:?}"
    );
    assert_eq!(commit.if_next_sequence, Some(waits.next_sequence));

    let after = applied(waits, commit);
    assert_eq!(after.exceptions, []);
    let [amended] = after.entries.as_slice() else {
        unreachable!("{:?}", after.entries)
    };
    assert_eq!(amended.event_id, proposal.event_id);
    assert_eq!(
        after.next(),
        Next::Do(Step::Receive, Some(amended.sequence))
    );
    assert_eq!(after.next_sequence, amended.sequence + 1);
}
