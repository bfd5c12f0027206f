//! What fits an order and what does not: answers of the supplier, changes, receipts, quality, cancellation.

mod world;

use interplant_domain::exception::Code;
use interplant_domain::fact::{Fact, FactKind};
use interplant_domain::lifecycle::Status;
use interplant_domain::mailbox::EntryState;
use interplant_domain::purchase_order::{Ended, Place};
use serde_json::{Value, json};
use world::{World, invoice, order, receipt};

fn world() -> World {
    World::with_order(
        json!({"acknowledgement": {"quantity_percent": "10", "price_percent": "5", "days_late": 7}}),
    )
}

fn ack(line: Value) -> Value {
    json!({"poNumber": "4711", "ackNumber": "A1", "lines": [line]})
}

/// Quantity, price and promised day of a line.
type Agreed = (&'static str, &'static str, Option<&'static str>);

#[test]
fn what_a_supplier_may_answer() {
    // Answer, what is agreed afterwards (quantity, price, promised day), what a person is asked.
    let cases: Vec<(Value, Agreed, Vec<Code>)> = vec![
        (json!({"status": "accepted"}), ("10", "20", None), vec![]),
        (
            json!({"status": "acceptedChanged", "qty": "9", "price": "21", "promisedDate": "2026-12-08"}),
            ("9", "21", Some("2026-12-08")),
            vec![],
        ),
        (
            json!({"status": "acceptedChanged", "qty": "8"}),
            ("10", "20", None),
            vec![Code::AcknowledgementDiffers],
        ),
        (
            json!({"status": "acceptedChanged", "price": "21.01"}),
            ("10", "20", None),
            vec![Code::AcknowledgementDiffers],
        ),
        (
            json!({"status": "acceptedChanged", "price": "10"}),
            ("10", "10", None),
            vec![],
        ),
        (
            json!({"status": "acceptedChanged", "promisedDate": "2026-12-09"}),
            ("10", "20", None),
            vec![Code::AcknowledgementDiffers],
        ),
        (
            json!({"status": "backordered", "qty": "2", "promisedDate": "2026-12-05"}),
            ("10", "20", Some("2026-12-05")),
            vec![],
        ),
        (
            json!({"status": "substituted", "substituteItem": "Z"}),
            ("10", "20", None),
            vec![Code::Substituted],
        ),
        (json!({"status": "pending"}), ("10", "20", None), vec![]),
        (
            json!({"code": {"list": "x12-668", "code": "IQ"}, "qty": "11"}),
            ("11", "20", None),
            vec![],
        ),
        (
            json!({"code": {"list": "x12-668", "code": "IS"}}),
            ("10", "20", None),
            vec![Code::Substituted],
        ),
        (
            json!({"code": {"list": "edifact-1229", "code": "5"}}),
            ("10", "20", None),
            vec![],
        ),
        (
            json!({"code": {"list": "edifact-1229", "code": "999"}}),
            ("10", "20", None),
            vec![Code::UnknownCode],
        ),
    ];
    for (line, (quantity, price, promised), codes) in cases {
        let mut world = world();
        let mut line = line;
        line["lineNo"] = json!("1");
        world.send("po.acknowledged", ack(line.clone()));
        let agreed = &world.order().lines[0];
        assert_eq!(
            (
                agreed.ordered.to_string().as_str(),
                agreed.unit_price.to_string().as_str(),
                agreed.promised_date.map(|day| day.to_string()).as_deref()
            ),
            (quantity, price, promised),
            "{line}"
        );
        assert_eq!(world.codes(), codes, "{line}");
        let answered = codes.is_empty() && line["status"] != "pending";
        assert_eq!(world.order().acknowledged, answered, "{line}");
    }
    let mut world = world();
    world.send(
        "po.acknowledged",
        ack(json!({"lineNo": "1", "status": "rejected"})),
    );
    assert_eq!(world.codes(), [Code::LineRefused]);
    assert!(!world.is_closed(), "the buyer does not know yet");
    world.decide(Code::LineRefused, "skip", "buyer");
    assert!(world.is_closed());
    assert_eq!(
        world.order().closing.as_ref().unwrap().reason,
        Ended::Cancelled
    );
}

#[test]
fn a_partner_gives_a_code_a_meaning_of_its_own() {
    let mut world = World::with_order(
        json!({"acknowledgement": {"codes": {"S1": {"x12-668": {"IP": "accepted"}}, "*": {"x12-668": {"ZZ": "rejected"}}}}}),
    );
    world.send(
        "po.acknowledged",
        ack(json!({"lineNo": "1", "code": {"list": "x12-668", "code": "IP"}})),
    );
    assert!(world.order().acknowledged, "for others it means pending");
    world.send("po.acknowledged", json!({"poNumber": "4711", "ackNumber": "A2", "lines": [{"lineNo": "1", "code": {"list": "x12-668", "code": "ZZ"}}]}));
    assert!(world.order().lines[0].cancelled);
}

#[test]
fn an_answer_that_does_not_come_is_told_once_and_the_order_goes_on() {
    let mut world = world();
    let due = world.order().answer_due_at.unwrap();
    assert_eq!(world.lifecycle.due_at(), Some(due));
    let told = world.lifecycle.overdue(&world.plant, due).unwrap();
    world.apply(&told);
    assert_eq!(world.codes(), [Code::AcknowledgementOverdue]);
    assert_eq!(world.lifecycle.exceptions[0].owner, "b@x.example");
    assert_eq!(world.lifecycle.overdue(&world.plant, due), None, "once");
    world.send("receipt.posted", receipt("W1", &[("1", "4")]));
    assert_eq!(
        world.order().lines[0].kept().to_string(),
        "4",
        "nothing waits for it"
    );
    world.send(
        "po.acknowledged",
        ack(json!({"lineNo": "1", "status": "accepted"})),
    );
    assert_eq!(world.codes(), [], "it ends when the answer comes");
}

#[test]
fn facts_that_cannot_be_are_named() {
    let line = |data: Value| json!({"receiptNumber": "W1", "poNumber": "4711", "lines": [data]});
    let cases = [
        (
            "receipt.posted",
            receipt("W1", &[("9", "1")]),
            Code::UnknownLine,
        ),
        (
            "receipt.posted",
            line(json!({"lineNo": "1", "itemId": "Z", "qtyReceived": "1"})),
            Code::LineDiffers,
        ),
        (
            "receipt.posted",
            line(json!({"lineNo": "1", "qtyReceived": "1", "uom": "FURLONG"})),
            Code::UnitConversion,
        ),
        (
            "receipt.posted",
            line(json!({"lineNo": "1", "qtyReceived": "1", "conditionCode": "99"})),
            Code::UnknownCode,
        ),
        (
            "receipt.posted",
            line(json!({"lineNo": "1", "qtyReceived": "1", "conditionCode": "16"})),
            Code::AsnRequired,
        ),
        (
            "receipt.posted",
            receipt("W1", &[("1", "10.000001")]),
            Code::OverReceipt,
        ),
        (
            "po.changed",
            json!({"poNumber": "4711", "poRevision": "1", "changedLines": [{"lineNo": "9", "qty": "3"}]}),
            Code::UnknownLine,
        ),
        (
            "po.cancelled",
            json!({"poNumber": "4711", "lines": ["9"], "reason": "no"}),
            Code::UnknownLine,
        ),
        (
            "po.created",
            order(&[("1", "A", "11", "EA", "20")]),
            Code::OrderAlreadyCreated,
        ),
        (
            "invoice.received",
            invoice("R1", &[("9", "1", "20")]),
            Code::UnknownLine,
        ),
    ];
    for (kind, data, code) in cases {
        let mut world = world();
        world.send("receipt.posted", receipt("W0", &[("1", "1")]));
        let data = if kind == "receipt.posted" && code == Code::OverReceipt {
            receipt("W1", &[("1", "9.000001")])
        } else {
            data
        };
        world.send(kind, data);
        assert_eq!(world.codes(), [code], "{kind}");
        assert_eq!(
            world.order().lines[0].kept().to_string(),
            "1",
            "nothing of it was booked"
        );
        world.decide(code, "skip", "ann");
        assert_eq!(world.codes(), [], "{kind}");
    }
}

#[test]
fn less_than_came_or_was_billed_cannot_be_ordered() {
    let mut world = world();
    world.send("receipt.posted", receipt("W1", &[("1", "6")]));
    let change = |revision: &str, qty: &str| json!({"poNumber": "4711", "poRevision": revision, "changedLines": [{"lineNo": "1", "qty": qty}]});
    world.send("po.changed", change("1", "5"));
    assert_eq!(world.codes(), [Code::ChangeRefused]);
    // The receipt was wrong: the change is applied by itself.
    world.send("receipt.reversed", json!({"receiptNumber": "W1", "poNumber": "4711", "reason": "miscounted", "lines": [{"lineNo": "1", "qty": "2"}]}));
    assert_eq!(
        (world.codes(), world.order().lines[0].ordered.to_string()),
        (vec![], "5".to_owned())
    );
    world.send("receipt.reversed", json!({"receiptNumber": "W1", "poNumber": "4711", "reversalNumber": "2", "reason": "again", "lines": [{"lineNo": "1", "qty": "5"}]}));
    assert_eq!(world.codes(), [Code::ReversalExceeds]);
}

#[test]
fn bulk_goods_have_a_tolerance_and_counted_goods_have_none() {
    let mut world = World::new(world::plant(
        json!({"receipts": {"bulk_units": ["KG"], "bulk_under_percent": "2"}}),
    ));
    world.send("po.created", order(&[("1", "B", "100", "KG", "2")]));
    world.send("receipt.posted", receipt("W1", &[("1", "105")]));
    assert_eq!(world.codes(), []);
    world.send("receipt.posted", receipt("W2", &[("1", "0.1")]));
    assert_eq!(world.codes(), [Code::OverReceipt]);
    let mut world = World::new(world::plant(
        json!({"receipts": {"bulk_units": ["KG"], "bulk_under_percent": "2"}}),
    ));
    world.send("po.created", order(&[("1", "B", "100", "KG", "2")]));
    world.send("receipt.posted", receipt("W1", &[("1", "98")]));
    world.send("invoice.received", invoice("R1", &[("1", "98", "2")]));
    assert!(world.is_closed(), "two percent may be missing");
}

#[test]
fn cumulative_reports_become_what_is_new_of_them() {
    let report = |number: &str, total: &str| json!({"receiptNumber": number, "poNumber": "4711", "cumulative": true, "lines": [{"lineNo": "1", "qtyReceived": total}]});
    let mut world = world();
    world.send("receipt.posted", report("C1", "4"));
    world.send("receipt.posted", report("C2", "4"));
    world.send("receipt.posted", report("C3", "9"));
    assert_eq!(world.order().lines[0].kept().to_string(), "9");
    world.send("receipt.posted", report("C4", "7"));
    assert_eq!(world.codes(), [Code::CumulativeDecreased]);
    assert_eq!(world.order().lines[0].kept().to_string(), "9");
}

#[test]
fn a_notice_before_after_and_without_its_receipt() {
    let notice = |number: &str, lots: Value| json!({"asnNumber": number, "lines": [{"poNumber": "4711", "lineNo": "1", "qty": "10", "lots": lots}]});
    let came = |asn: &str| json!({"receiptNumber": "W1", "poNumber": "4711", "asnNumber": asn, "lines": [{"lineNo": "1", "qtyReceived": "10"}]});
    let mut before = world();
    before.send(
        "asn.received",
        notice("N1", json!([{"lotId": "L1", "qty": "10"}])),
    );
    before.send("receipt.posted", came("N1"));
    assert_eq!(
        before.order().lines[0].goods[0]
            .lot
            .as_ref()
            .unwrap()
            .as_str(),
        "L1",
        "the lot is the notice's"
    );
    let mut after = world();
    after.send("receipt.posted", came("N1"));
    after.send("asn.received", notice("N1", json!([])));
    assert_eq!(
        (after.order().lines[0].kept().to_string(), after.codes()),
        ("10".to_owned(), vec![])
    );
    let mut without = world();
    without.send("asn.received", notice("N1", json!([])));
    without.send(
        "asn.cancelled",
        json!({"asnNumber": "N1", "reason": "lost"}),
    );
    assert!(without.order().shipments[0].cancelled);
    let waits = without.send(
        "asn.cancelled",
        json!({"asnNumber": "N2", "reason": "lost"}),
    );
    assert!(matches!(
        without.state(waits),
        Some(EntryState::Parked { .. })
    ));
}

#[test]
fn an_inspection_that_comes_first_waits_for_its_goods() {
    let mut world = world();
    let waits = world.send("quality.inspection.completed", json!({"inspectionId": "Q1", "poNumber": "4711", "receiptNumber": "W1", "qtyAccepted": "6", "qtyRejected": "4"}));
    assert!(matches!(
        world.state(waits),
        Some(EntryState::Parked { .. })
    ));
    world.send(
        "ncr.dispositioned",
        json!({"ncrId": "Q1", "poNumber": "4711", "disposition": "scrap", "qty": "4"}),
    );
    world.send("receipt.posted", json!({"receiptNumber": "W1", "poNumber": "4711", "lines": [{"lineNo": "1", "qtyReceived": "10", "toQuality": true}]}));
    let line = &world.order().lines[0];
    assert_eq!(
        [
            Place::Stocked,
            Place::Held,
            Place::Rejected,
            Place::Scrapped
        ]
        .map(|place| line.at(place).to_string()),
        ["6", "0", "0", "4"]
    );
    world.send(
        "ncr.dispositioned",
        json!({"ncrId": "Q1", "poNumber": "4711", "disposition": "return", "qty": "1"}),
    );
    assert_eq!(world.codes(), [Code::QualityQuantity]);
}

fn lies(world: &World) -> [String; 4] {
    let Some(line) = world.order().lines.first() else {
        return Default::default();
    };
    [
        Place::Stocked,
        Place::Held,
        Place::Rejected,
        Place::Scrapped,
    ]
    .map(|place| line.at(place).to_string())
}

#[test]
fn goods_that_are_inspected_without_a_hold_are_rejected_where_they_lie_and_not_paid() {
    let mut world = world();
    world.send("receipt.posted", receipt("W1", &[("1", "6")]));
    // More is expected and no receipt is named: nobody knows which goods are meant.
    let unsure = world.send(
        "quality.inspection.completed",
        json!({"inspectionId": "Q1", "poNumber": "4711", "qtyAccepted": "2", "qtyRejected": "4"}),
    );
    assert_eq!(world.codes(), [Code::QualityQuantity]);
    let bill = world.send("invoice.received", invoice("R1", &[("1", "6", "20")]));
    assert_eq!(
        world.state(bill),
        Some(&EntryState::Waiting),
        "not paid over the inspection's head"
    );
    world.send("receipt.posted", receipt("W2", &[("1", "4")]));
    assert_eq!(world.state(unsure), None, "applied");
    assert_eq!(lies(&world), ["6", "0", "4", "0"]);
    assert_eq!(world.state(bill), None, "paid");

    // The hold that happened before it comes late: it has had its answer.
    world.send("quality.held", json!({"holdNumber": "H1", "poNumber": "4711", "receiptNumber": "W1", "qty": "6", "reason": "sample"}));
    assert_eq!(lies(&world), ["6", "0", "4", "0"]);
    assert_eq!(world.codes(), [Code::Nonconformance]);
}

#[test]
fn more_than_came_is_told_at_once() {
    for (kind, data) in [
        (
            "quality.released",
            json!({"releaseNumber": "F1", "qtyReleased": "7"}),
        ),
        (
            "quality.held",
            json!({"holdNumber": "H2", "qty": "7", "reason": "sample"}),
        ),
        (
            "quality.inspection.completed",
            json!({"inspectionId": "Q1", "qtyAccepted": "3", "qtyRejected": "4"}),
        ),
    ] {
        let mut world = world();
        world.send("receipt.posted", json!({"receiptNumber": "W1", "poNumber": "4711", "lines": [{"lineNo": "1", "qtyReceived": "6", "qtyInQuestion": "5"}]}));
        let mut data = data;
        data["poNumber"] = json!("4711");
        data["receiptNumber"] = json!("W1");
        world.send(kind, data);
        assert_eq!(world.codes(), [Code::QualityQuantity], "{kind}");
        assert_eq!(lies(&world), ["1", "5", "0", "0"], "{kind}");
    }
}

#[test]
fn cancelled_before_it_exists_and_what_comes_afterwards() {
    let mut world = World::new(world::plant(json!({})));
    world.deliver(
        world::fact(
            "po.cancelled",
            json!({"poNumber": "4711", "reason": "not needed"}),
        ),
        world::start(),
    );
    world.deliver(
        world::fact("receipt.posted", receipt("W1", &[("1", "1")])),
        world::start(),
    );
    world.run();
    assert_eq!(
        world.lifecycle.header.status,
        Status::Running,
        "it waits for the order"
    );
    world.deliver(
        world::fact("po.created", order(&[("1", "A", "10", "EA", "20")])),
        world::start(),
    );
    world.run();
    assert_eq!(
        (world.lifecycle.header.status, world.lifecycle.entries.len()),
        (Status::Cancelled, 0)
    );
    assert!(world.lifecycle.header.order.is_none());
    assert_eq!(
        world.codes(),
        [Code::AfterCancel],
        "the goods came all the same"
    );
}

#[test]
fn what_the_form_alone_cannot_say_is_refused_at_the_door() {
    let plant = world::plant(json!({})).plant;
    let refused = |kind: &str, data: Value| {
        let kind = FactKind::from_event_type(&format!("interplant.{kind}.v1")).unwrap();
        Fact::read(kind, &data)
            .unwrap()
            .check(&plant)
            .unwrap_err()
            .pointer
    };
    let line = |more: Value| {
        let mut line = json!({"lineNo": "1", "qtyReceived": "5"});
        line.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        json!({"receiptNumber": "W", "poNumber": "1", "lines": [line]})
    };
    let mut sums = invoice("R1", &[("1", "10", "20")]);
    sums["totals"]["gross"] = json!("201");
    let mut charged = invoice("R1", &[("1", "10", "20")]);
    charged["charges"] = json!([{"code": "FREIGHT", "amount": "5"}]);
    let cases = [
        (
            "receipt.posted",
            line(json!({"qtyReceived": "0"})),
            "/lines/0/qtyReceived",
        ),
        (
            "receipt.posted",
            line(json!({"qtyReceived": "-1"})),
            "/lines/0/qtyReceived",
        ),
        (
            "receipt.posted",
            line(json!({"qtyInQuestion": "6"})),
            "/lines/0/qtyInQuestion",
        ),
        (
            "receipt.posted",
            line(json!({"lots": [{"lotId": "L", "qty": "4"}]})),
            "/lines/0/lots",
        ),
        (
            "receipt.posted",
            line(json!({"serials": ["S1"]})),
            "/lines/0/serials",
        ),
        (
            "receipt.posted",
            line(json!({"serials": ["S1", "S1", "S2", "S3", "S4"]})),
            "/lines/0/serials",
        ),
        (
            "receipt.posted",
            json!({"receiptNumber": "W", "lines": [{"lineNo": "1", "qtyReceived": "1"}]}),
            "/poNumber",
        ),
        (
            "po.changed",
            json!({"poNumber": "1", "poRevision": "1", "changedLines": [{"lineNo": "1"}]}),
            "/changedLines/0",
        ),
        (
            "po.changed",
            json!({"poNumber": "1", "poRevision": "1", "changedLines": [{"lineNo": "1", "qty": "0"}]}),
            "/changedLines/0/qty",
        ),
        (
            "po.acknowledged",
            json!({"poNumber": "1", "ackNumber": "A", "lines": [{"lineNo": "1"}]}),
            "/lines/0/status",
        ),
        (
            "quality.released",
            json!({"releaseNumber": "Q", "qtyReleased": "1"}),
            "/poNumber",
        ),
        (
            "quality.inspection.completed",
            json!({"inspectionId": "Q", "poNumber": "1", "qtyAccepted": "0", "qtyRejected": "0"}),
            "/qtyAccepted",
        ),
        ("invoice.received", sums, "/totals/gross"),
        ("invoice.received", charged, "/totals/charges"),
    ];
    for (kind, data, pointer) in cases {
        assert_eq!(refused(kind, data.clone()), pointer, "{kind} {data}");
    }
}
