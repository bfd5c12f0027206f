//! The rules of a purchase order: what fits, what is an exception, what comes next.

#![expect(clippy::unwrap_used, reason = "tests")]

use interplant_domain::exception::{Code, Decision};
use interplant_domain::fact::{
    Fact, FactKind, InvoiceReceived, PoAcknowledged, PoCreated, ReceiptPosted, content_hash,
};
use interplant_domain::identifier::{LifecycleId, LifecycleKind};
use interplant_domain::lifecycle::{
    Begin, GivenDecision, Header, Lifecycle, Resume, Run, Settle, Status, Wait, WaitAnswer,
};
use interplant_domain::mailbox::{Entry, EntryState};
use interplant_domain::plant::Plant;
use interplant_domain::purchase_order::{
    InOdoo, MatchOutcome, Next, PostedBill, PurchaseOrder, Step,
};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};

fn created() -> PoCreated {
    serde_json::from_value(json!({
        "poNumber": "4711", "supplierId": "S1", "currency": "USD", "orderDate": "2026-11-01",
        "lines": [
            {"lineNo": "1", "itemId": "A", "qty": "12", "uom": "EA", "unitPrice": "38.2935"},
            {"lineNo": "2", "itemId": "B", "qty": "7.5", "uom": "KG", "unitPrice": "4.04"}
        ]
    }))
    .unwrap()
}

fn order() -> PurchaseOrder {
    let mut order = PurchaseOrder::created(&created());
    order.in_odoo = Some(InOdoo {
        id: 1,
        name: "P1".into(),
        open_receipt: None,
    });
    order
}

fn receipt(number: &str, lines: &[(&str, &str)]) -> ReceiptPosted {
    let lines: Vec<Value> = lines
        .iter()
        .map(|(line, qty)| json!({"lineNo": line, "qtyReceived": qty}))
        .collect();
    serde_json::from_value(json!({"receiptNumber": number, "poNumber": "4711", "lines": lines}))
        .unwrap()
}

fn invoice(lines: &[(&str, &str, &str)], net: &str) -> InvoiceReceived {
    let lines: Vec<Value> = lines.iter().map(|(line, qty, price)| json!({"poNumber": "4711", "lineNo": line, "qty": qty, "unitPrice": price})).collect();
    serde_json::from_value(json!({
        "invoiceNumber": "R1", "supplierId": "S1", "invoiceDate": "2026-11-20", "currency": "USD", "lines": lines,
        "totals": {"net": net, "tax": "0", "gross": net}
    }))
    .unwrap()
}

fn received(mut order: PurchaseOrder, fact: &ReceiptPosted) -> PurchaseOrder {
    let plan = order.receive(fact).unwrap();
    order.apply_receipt(&plan, 7, None);
    order
}

#[test]
fn more_than_is_open_is_an_over_receipt_and_a_repeat_of_the_booking_changes_nothing() {
    let order = received(order(), &receipt("W1", &[("1", "5"), ("2", "7.5")]));
    assert_eq!(order.lines[0].received.to_string(), "5");
    let over = order
        .receive(&receipt("W2", &[("1", "7.000001")]))
        .unwrap_err();
    assert_eq!(over.code, Code::OverReceipt);
    assert!(
        over.message.contains("of 12 ordered only 7 are open"),
        "{}",
        over.message
    );
    assert_eq!(
        order
            .receive(&receipt("W2", &[("9", "1")]))
            .unwrap_err()
            .code,
        Code::UnknownLine
    );
    let mut again = order.clone();
    let plan = order.receive(&receipt("W2", &[("1", "7")])).unwrap();
    again.apply_receipt(&plan, 8, None);
    again.apply_receipt(&plan, 8, None);
    assert_eq!(again.lines[0].received.to_string(), "12");
}

#[test]
fn an_acknowledgement_that_changes_the_order_waits_for_the_buyer() {
    let ack = |line: Value| -> PoAcknowledged {
        serde_json::from_value(json!({"poNumber": "4711", "ackNumber": "A1", "lines": [line]}))
            .unwrap()
    };
    let plan = order().acknowledge(&ack(json!({"lineNo": "1", "status": "accepted", "qty": "12.0", "price": "38.2935", "promisedDate": "2026-11-15"}))).unwrap();
    assert_eq!(plan.promised.len(), 1);
    for line in [
        json!({"lineNo": "1", "status": "accepted", "qty": "11"}),
        json!({"lineNo": "1", "status": "acceptedChanged", "price": "38.3"}),
        json!({"lineNo": "1", "status": "rejected"}),
        json!({"lineNo": "1", "status": "backordered"}),
        json!({"lineNo": "1", "status": "substituted"}),
        json!({"lineNo": "1", "status": "pending"}),
    ] {
        assert_eq!(
            order().acknowledge(&ack(line.clone())).unwrap_err().code,
            Code::AcknowledgementDiffers,
            "{line}"
        );
    }
}

#[test]
fn an_invoice_is_matched_exactly_or_waits_or_is_an_exception() {
    let nothing = order();
    let all = invoice(&[("1", "12", "38.2935"), ("2", "7.5", "4.04")], "489.82");
    assert!(matches!(
        nothing.match_invoice(&all).unwrap(),
        MatchOutcome::AwaitingReceipt { .. }
    ));
    let part = received(order(), &receipt("W1", &[("1", "12"), ("2", "7")]));
    let MatchOutcome::AwaitingReceipt { reason } = part.match_invoice(&all).unwrap() else {
        unreachable!()
    };
    assert!(
        reason.contains("line 2: 7.5 invoiced in all, 7 received"),
        "{reason}"
    );
    let whole = received(part, &receipt("W2", &[("2", "0.5")]));
    let MatchOutcome::Matched(matched) = whole.match_invoice(&all).unwrap() else {
        unreachable!()
    };
    assert_eq!(
        (matched.gross.to_string(), matched.checks.len()),
        ("489.82".into(), 4)
    );
    let code = |fact: &InvoiceReceived| whole.match_invoice(fact).unwrap_err().code;
    assert_eq!(
        code(&invoice(&[("1", "12", "38.2936")], "459.52")),
        Code::Price
    );
    assert_eq!(
        code(&invoice(&[("1", "12.000001", "38.2935")], "459.52")),
        Code::QuantityOrdered
    );
    assert_eq!(
        code(&invoice(&[("1", "12", "38.2935")], "459.54")),
        Code::InvoiceTotals
    );
    let mut paid = whole.clone();
    paid.apply_match(&all.invoice_number, 4, matched);
    let twice = paid.match_invoice(&all).unwrap_err();
    assert_eq!(
        twice.code,
        Code::QuantityOrdered,
        "billed once, whatever the number of the second invoice"
    );
    paid.withdraw_match(4);
    assert_eq!(
        paid.lines, whole.lines,
        "a withdrawn match leaves nothing behind"
    );
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
    serde_json::from_value(json!({
        "plant": "plant-x", "name": "X", "odoo": {"database": "group"}, "units": {"EA": "uom.unit"}, "owners": {"buyer": "b@x.example"}
    }))
    .unwrap()
}

fn now() -> Timestamp {
    "2026-11-23T10:00:00Z".parse().unwrap()
}

fn lifecycle(kinds: &[FactKind], order: Option<PurchaseOrder>) -> Lifecycle {
    let id = LifecycleId::new(LifecycleKind::Po, &plant().plant, "4711");
    let mut header = Header::expected(id, now());
    header.status = Status::Running;
    header.generation = 1;
    header.order = order;
    let entries = kinds.iter().zip(1..).map(|(kind, sequence)| Entry {
        sequence,
        event_id: format!("evt_{sequence:032x}").parse().unwrap(),
        inbox_key: String::new(),
        kind: *kind,
        number: sequence.to_string(),
        happened_at: now(),
        received_at: now(),
        due_at: now() + SignedDuration::from_hours(1),
        state: EntryState::Waiting,
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
    lifecycle.begin(run(step), at, &plant(), |_| Ok(json!("plan")))
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
    let order = received(order(), &receipt("W1", &[("1", "12"), ("2", "7.5")]));
    assert_eq!(
        lifecycle(&[InvoiceReceived, ReceiptPosted], Some(order)).next(),
        Next::Do(Step::MatchInvoice, Some(1))
    );
}

#[test]
fn closing_comes_after_everything_else_that_has_come() {
    let mut order = received(order(), &receipt("W1", &[("1", "12"), ("2", "7.5")]));
    let fact = invoice(&[("1", "12", "38.2935"), ("2", "7.5", "4.04")], "489.82");
    let MatchOutcome::Matched(matched) = order.match_invoice(&fact).unwrap() else {
        unreachable!()
    };
    order.apply_match(&fact.invoice_number, 1, matched);
    order.invoices[0].bill = Some(PostedBill {
        id: 1,
        name: "B".into(),
        total: "489.82".parse().unwrap(),
    });
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
    let Begin::Raised(commit, _) = lifecycle.begin(run(Step::Receive), now(), &plant(), |_| {
        Err(exception.clone())
    }) else {
        unreachable!()
    };
    let held = applied(lifecycle, *commit);
    assert_eq!(held.next(), Next::Decide);
    assert_eq!(held.exceptions[0].owner, "b@x.example");
    let given = |decision, seen_revision| GivenDecision {
        exception: held.exceptions[0].id.clone(),
        decision,
        seen_revision,
        by: "ann".into(),
        reason: "counted".into(),
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

    let mut paid = received(order(), &receipt("W1", &[("1", "12"), ("2", "7.5")]));
    let fact = invoice(&[("1", "12", "38.2935"), ("2", "7.5", "4.04")], "489.82");
    let MatchOutcome::Matched(matched) = paid.match_invoice(&fact).unwrap() else {
        unreachable!()
    };
    paid.apply_match(&fact.invoice_number, 1, matched);
    paid.invoices[0].bill = Some(PostedBill {
        id: 1,
        name: "B".into(),
        total: "489.82".parse().unwrap(),
    });
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
    let Begin::Raised(commit, _) = lifecycle.begin(run(Step::Create), now(), &plant(), |_| {
        Err(exception.clone())
    }) else {
        unreachable!()
    };
    let held = applied(lifecycle, *commit);
    let skip = GivenDecision {
        exception: held.exceptions[0].id.clone(),
        decision: Decision::Skip,
        seen_revision: None,
        by: "ann".into(),
        reason: "a test order".into(),
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

proptest! {
    #[test]
    fn whatever_comes_in_whatever_portions_nothing_is_received_beyond_the_order_or_lost(
        portions in prop::collection::vec((0_usize..2, 1_u32..5_000_000), 1..40)
    ) {
        let mut order = order();
        let mut booked = [rust_decimal::Decimal::ZERO; 2];
        for (line, millionths) in portions {
            let quantity = rust_decimal::Decimal::new(i64::from(millionths), 6);
            let fact = receipt("W", &[(["1", "2"][line], &quantity.to_string())]);
            match order.receive(&fact) {
                Ok(plan) => {
                    order.apply_receipt(&plan, 1, None);
                    booked[line] += quantity;
                }
                Err(exception) => prop_assert_eq!(exception.code, Code::OverReceipt),
            }
            for (line, sum) in order.lines.iter().zip(booked) {
                prop_assert_eq!(line.received.decimal(), sum.normalize());
                prop_assert!(line.received <= line.ordered);
            }
        }
    }

    #[test]
    fn a_settled_fact_never_comes_back(settle in prop::sample::select(vec![Settle::Applied, Settle::Continue, Settle::Park])) {
        let lifecycle = lifecycle(&[FactKind::InvoiceReceived], Some(received(order(), &receipt("W1", &[("1", "1")]))));
        let Begin::Work { commit, .. } = begin(&lifecycle, Step::MatchInvoice, now()) else { unreachable!() };
        let begun = applied(lifecycle, *commit);
        let order = begun.header.order.clone().unwrap();
        let done = applied(begun.clone(), begun.done(Step::MatchInvoice, 1, order.clone(), settle, "", now()).unwrap());
        prop_assert!(done.done(Step::MatchInvoice, 1, order, settle, "", now()).is_none(), "recorded once");
        prop_assert_eq!(done.entries.is_empty(), settle == Settle::Applied);
        prop_assert_eq!(done.next() == Next::Wait, settle != Settle::Continue);
    }
}
