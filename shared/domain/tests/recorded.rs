//! Facts that are only kept: what names them, what contradicts itself, and that nothing waits or is started.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod world;

use std::collections::{BTreeMap, BTreeSet};

use interplant_domain::fact::{Fact, FactKind, OrderState, content_hash};
use interplant_domain::identifier::{LifecycleId, LifecycleKind};
use interplant_domain::lifecycle::{Header, Lifecycle, Status};
use interplant_domain::mailbox::{Entry, EntryState};
use interplant_domain::purchase_order::Next;
use jiff::SignedDuration;
use proptest::prelude::*;
use serde_json::{Value, json};
use world::{fact, plant, start};

/// One of each kind, as a plant sends it.
fn samples() -> BTreeMap<&'static str, Value> {
    BTreeMap::from([
        (
            "mo.released",
            json!({
                "moNumber": "258456", "plant": "plant-x", "itemId": "PUMP-7", "qty": "40", "uom": "EA",
                "bomId": "B-7", "bomVersion": "3", "routingId": "R-7", "routingVersion": "1",
                "plannedStart": "2026-11-23T06:00:00+01:00", "plannedEnd": "2026-11-24T14:00:00+01:00",
                "priority": "20", "salesOrderLine": {"soNumber": "S-1", "lineNo": "10"}, "state": "Released"
            }),
        ),
        (
            "mo.changed",
            json!({"moNumber": "258456", "revision": "1", "changes": {"qty": "44", "plannedEnd": "2026-11-24T18:00:00+01:00"}, "reason": "scrap"}),
        ),
        (
            "mo.cancelled",
            json!({"moNumber": "258456", "reason": "the customer cancelled", "state": "Aborted"}),
        ),
        (
            "mo.started",
            json!({"moNumber": "258456", "startedQty": "20", "at": "2026-11-23T06:12:00+01:00", "state": "Running"}),
        ),
        (
            "material.issued",
            json!({"moNumber": "258456", "issueNumber": "I-1", "operationNo": "10", "lines": [
                {"itemId": "HOUSING", "qty": "20.5", "uom": "EA", "lotId": "H-1", "warehouse": "W1", "scrapQty": "0.5"},
                {"itemId": "HOUSING", "qty": "20", "uom": "EA", "lotId": "H-2", "warehouse": "W1", "derived": "backflush"},
                {"itemId": "MOTOR", "qty": "2", "uom": "EA", "serials": ["M1", "M2"]}
            ]}),
        ),
        (
            "material.returned",
            json!({"moNumber": "258456", "returnNumber": "R-1", "lines": [{"itemId": "HOUSING", "qty": "1", "uom": "EA", "lotId": "H-2"}]}),
        ),
        (
            "operation.completed",
            json!({
                "moNumber": "258456", "operationNo": "10", "reportNumber": "1", "workCentre": "ASSEMBLY", "goodQty": "18",
                "scrapQty": "2", "hours": "3.25", "setupHours": "0.5", "workerClass": "FITTER",
                "actualStart": "2026-11-23T06:12:00+01:00", "actualEnd": "2026-11-23T10:00:00+01:00", "final": false
            }),
        ),
        (
            "scrap.reported",
            json!({"moNumber": "258456", "scrapNumber": "A-1", "itemId": "HOUSING", "qty": "0.5", "lotId": "H-1", "reason": "cracked"}),
        ),
        (
            "production.exception.reported",
            json!({"exceptionId": "E-1", "moNumber": "258456", "operationNo": "10", "severity": "critical", "cause": "tooling", "qtyAtRisk": "20", "delayMinutes": "90", "hold": true}),
        ),
        (
            "production.exception.resolved",
            json!({"exceptionId": "E-1", "moNumber": "258456", "action": "tool replaced", "newEnd": "2026-11-24T20:00:00+01:00", "by": "shift lead"}),
        ),
        (
            "mo.held",
            json!({"moNumber": "258456", "at": "2026-11-23T10:10:00+01:00", "reason": "tool broken", "state": "Suspended"}),
        ),
        (
            "mo.resumed",
            json!({"moNumber": "258456", "at": "2026-11-23T11:40:00+01:00", "state": "Running"}),
        ),
        (
            "fg.received",
            json!({"moNumber": "258456", "receiptNumber": "F-1", "final": true, "lines": [
                {"itemId": "PUMP-7", "qty": "38", "uom": "EA", "lotId": "P-1", "expiry": "2030-11-23", "warehouse": "W2"},
                {"itemId": "SWARF", "kind": "byProduct", "qty": "1.25", "uom": "KG"}
            ], "inputLots": [{"itemId": "HOUSING", "lotId": "H-1"}, {"itemId": "HOUSING", "lotId": "H-2"}]}),
        ),
        (
            "mo.closed",
            json!({"moNumber": "258456", "totals": {"goodQty": "38", "scrapQty": "2", "hours": "7.5"}, "varianceFlags": ["MATERIAL"], "state": "Closed"}),
        ),
        (
            "item.proposed",
            json!({
                "proposalId": "N-1", "plant": "plant-x", "description": "Pump, 7 bar", "baseUom": "EA", "class": "FG", "tracking": "lot",
                "localCodes": [{"kind": "engineering", "code": "Z-900"}, {"kind": "sku", "code": "PUMP-7"}, {"kind": "customerPart", "code": "4-711", "customerId": "C1"}],
                "uoms": [{"uom": "BOX", "factor": "12"}]
            }),
        ),
        (
            "stock.snapshot",
            json!({"plant": "plant-x", "asOf": "2026-11-30T23:00:00+01:00", "lines": [
                {"itemId": "PUMP-7", "lotId": "P-1", "warehouse": "W2", "qty": "38", "uom": "EA"},
                {"itemId": "PUMP-7", "lotId": "P-1", "warehouse": "W2", "status": "blocked", "qty": "-2.5"}
            ], "controlTotals": {"lines": "2", "qty": "35.5"}}),
        ),
        (
            "journal.entry.submitted",
            json!({
                "entryId": "J-1", "batchId": "B-1", "eventDate": "2026-11-23", "postingDate": "2026-11-30", "plantPeriod": "2026-P11",
                "groupPeriod": "2026-11", "currency": "EUR", "sourceDoc": "PAYROLL-11", "lines": [
                    {"localAccount": "4000", "groupAccount": "600000", "amount": "1200.40", "costCentre": "ASSEMBLY", "dims": [{"name": "project", "value": "P1"}]},
                    {"localAccount": "1700", "amount": "-1000.10"},
                    {"localAccount": "1710", "amount": "-200.30", "text": "tax"}
                ]
            }),
        ),
    ])
}

fn kept_kinds() -> BTreeSet<FactKind> {
    let all = FactKind::ALL.iter().copied();
    let first_kept = FactKind::MoReleased;
    all.filter(|kind| *kind >= first_kept).collect()
}

#[test]
fn every_sample_is_right_and_belongs_to_a_document_of_its_own_kind() {
    let code = plant(json!({})).plant;
    let mut kinds = BTreeSet::new();
    for (name, data) in samples() {
        let fact = fact(name, data);
        assert_eq!(fact.check(&code), Ok(()), "{name}");
        let expected = match name {
            "item.proposed" => "item/plant-x/PUMP-7",
            "stock.snapshot" => "stock/plant-x/2026-11-30T22%3A00%3A00Z",
            "journal.entry.submitted" => "je/plant-x/J-1",
            _ => "mo/plant-x/258456",
        };
        let ids = fact.lifecycles(&code);
        assert_eq!(ids.len(), 1, "{name}");
        assert_eq!(ids[0].to_string(), expected, "{name}");
        assert_eq!(expected.parse::<LifecycleId>().unwrap(), ids[0]);
        assert!(ids[0].kind().only_keeps(), "{name}");
        // What is stored reads again as what it was.
        let again = Fact::read(fact.kind(), &fact.data().unwrap()).unwrap();
        assert_eq!(again, fact, "{name}");
        kinds.insert(fact.kind());
    }
    assert_eq!(kinds, kept_kinds(), "a sample of each kind");
}

#[test]
fn each_fact_has_a_business_key_of_its_own() {
    let code = plant(json!({})).plant;
    let keys: BTreeSet<String> = samples()
        .into_iter()
        .map(|(name, data)| fact(name, data).business_key(&code, 1))
        .collect();
    assert_eq!(keys.len(), samples().len());
}

/// The key of a sample with some of its fields replaced; null takes one away.
fn key(name: &str, changes: Value) -> String {
    fact(name, changed(name, &changes)).business_key(&plant(json!({})).plant, 1)
}

fn changed(name: &str, changes: &Value) -> Value {
    let mut data = samples().remove(name).unwrap();
    for (pointer, value) in changes.as_object().unwrap() {
        let (parent, field) = pointer.rsplit_once('/').unwrap();
        let place = data.pointer_mut(parent).unwrap();
        if value.is_null() {
            place.as_object_mut().unwrap().remove(field);
        } else if let Some(items) = place.as_array_mut() {
            items[field.parse::<usize>().unwrap()] = value.clone();
        } else {
            place[field] = value.clone();
        }
    }
    data
}

#[test]
fn what_a_plant_tells_apart_is_told_apart_and_nothing_else() {
    for (name, change) in [
        ("mo.changed", json!({"/revision": "2"})),
        ("mo.started", json!({"/at": "2026-11-23T07:00:00+01:00"})),
        ("mo.started", json!({"/startNumber": "2"})),
        ("material.issued", json!({"/issueNumber": "I-2"})),
        ("material.returned", json!({"/returnNumber": "R-2"})),
        ("operation.completed", json!({"/reportNumber": "2"})),
        ("operation.completed", json!({"/operationNo": "20"})),
        ("scrap.reported", json!({"/scrapNumber": "A-2"})),
        (
            "production.exception.reported",
            json!({"/exceptionId": "E-2"}),
        ),
        ("mo.held", json!({"/holdNumber": "H-1"})),
        ("mo.resumed", json!({"/at": "2026-11-23T12:00:00+01:00"})),
        ("fg.received", json!({"/receiptNumber": "F-2"})),
        ("item.proposed", json!({"/proposalId": "N-2"})),
        ("stock.snapshot", json!({"/snapshotNumber": "S-1"})),
        ("stock.snapshot", json!({"/part": "1", "/parts": "2"})),
        ("journal.entry.submitted", json!({"/entryId": "J-2"})),
        ("mo.released", json!({"/moNumber": "258457"})),
    ] {
        assert_ne!(
            key(name, change.clone()),
            key(name, json!({})),
            "{name} {change}"
        );
    }
    for (name, change) in [
        ("mo.released", json!({"/qty": "41"})),
        ("mo.started", json!({"/at": "2026-11-23T05:12:00Z"})),
        ("material.issued", json!({"/lines/0/qty": "1"})),
        ("fg.received", json!({"/final": null})),
        (
            "stock.snapshot",
            json!({"/asOf": "2026-11-30T22:00:00.000Z"}),
        ),
        ("journal.entry.submitted", json!({"/batchId": "B-2"})),
    ] {
        assert_eq!(
            key(name, change.clone()),
            key(name, json!({})),
            "{name} {change}"
        );
    }
}

#[test]
fn the_same_content_in_other_words_is_the_same() {
    for (name, change) in [
        (
            "mo.released",
            json!({"/qty": "40.000", "/plannedStart": "2026-11-23T05:00:00Z", "/moNumber": " 258456 "}),
        ),
        (
            "material.issued",
            json!({"/lines/0/derived": "actual", "/lines/1/qty": "20.0"}),
        ),
        ("operation.completed", json!({"/final": null})),
        ("fg.received", json!({"/lines/0/kind": "main"})),
        ("stock.snapshot", json!({"/lines/0/status": "available"})),
        (
            "journal.entry.submitted",
            json!({"/lines/0/amount": "1200.4"}),
        ),
    ] {
        let hash = |data: Value| content_hash(&fact(name, data)).unwrap();
        assert_eq!(
            hash(changed(name, &change)),
            hash(samples().remove(name).unwrap()),
            "{name} {change}"
        );
    }
}

#[test]
fn what_contradicts_itself_is_named_with_its_place() {
    let code = plant(json!({})).plant;
    let housing =
        json!({"itemId": "HOUSING", "qty": "1", "uom": "EA", "lotId": "H-1", "warehouse": "W1"});
    for (name, change, pointer) in [
        ("mo.released", json!({"/plant": "plant-y"}), "/plant"),
        ("mo.released", json!({"/qty": "0"}), "/qty"),
        (
            "mo.released",
            json!({"/plannedEnd": "2026-11-23T04:59:00Z"}),
            "/plannedEnd",
        ),
        ("mo.released", json!({"/state": "Waiting"}), "/state"),
        ("mo.changed", json!({"/changes": {}}), "/changes"),
        ("mo.changed", json!({"/changes/qty": "-1"}), "/changes/qty"),
        ("mo.cancelled", json!({"/state": "Held"}), "/state"),
        ("mo.started", json!({"/startedQty": "0"}), "/startedQty"),
        ("mo.started", json!({"/at": null}), "/startedQty"),
        ("mo.started", json!({"/state": "Completed"}), "/state"),
        (
            "material.issued",
            json!({"/lines/2/qty": "-2"}),
            "/lines/2/qty",
        ),
        (
            "material.issued",
            json!({"/lines/0/scrapQty": "20.6"}),
            "/lines/0/scrapQty",
        ),
        (
            "material.issued",
            json!({"/lines/1": housing}),
            "/lines/1/lotId",
        ),
        (
            "material.issued",
            json!({"/lines/2/serials": ["M1", "M1"]}),
            "/lines/2/serials",
        ),
        (
            "material.issued",
            json!({"/lines/2/serials": ["M1"]}),
            "/lines/2/serials",
        ),
        (
            "material.issued",
            json!({"/lines/2/lotId": "L"}),
            "/lines/2/serials",
        ),
        (
            "material.returned",
            json!({"/lines/0/qty": "0"}),
            "/lines/0/qty",
        ),
        ("operation.completed", json!({"/goodQty": "-1"}), "/goodQty"),
        (
            "operation.completed",
            json!({"/setupHours": "-0.1"}),
            "/setupHours",
        ),
        (
            "operation.completed",
            json!({"/actualEnd": "2026-11-23T06:11:59+01:00"}),
            "/actualEnd",
        ),
        (
            "operation.completed",
            json!({"/goodQty": "0", "/scrapQty": "0", "/hours": null, "/setupHours": null}),
            "/goodQty",
        ),
        (
            "operation.completed",
            json!({"/reportNumber": null}),
            "/reportNumber",
        ),
        ("scrap.reported", json!({"/qty": "0"}), "/qty"),
        (
            "production.exception.reported",
            json!({"/qtyAtRisk": "0"}),
            "/qtyAtRisk",
        ),
        ("mo.held", json!({"/at": null}), "/holdNumber"),
        ("mo.held", json!({"/state": "Running"}), "/state"),
        ("mo.resumed", json!({"/at": null}), "/holdNumber"),
        ("fg.received", json!({"/lines/0/qty": "0"}), "/lines/0/qty"),
        (
            "fg.received",
            json!({"/inputLots/1/lotId": "H-1"}),
            "/inputLots/1",
        ),
        (
            "mo.closed",
            json!({"/totals/scrapQty": "-1"}),
            "/totals/scrapQty",
        ),
        (
            "mo.closed",
            json!({"/varianceFlags": ["A", "A"]}),
            "/varianceFlags/1",
        ),
        ("mo.closed", json!({"/state": "Released"}), "/state"),
        (
            "item.proposed",
            json!({"/localCodes/2/customerId": null}),
            "/localCodes/2/customerId",
        ),
        (
            "item.proposed",
            json!({"/localCodes/0/kind": "sku"}),
            "/localCodes/1/code",
        ),
        ("item.proposed", json!({"/uoms/0/uom": "EA"}), "/uoms/0/uom"),
        (
            "item.proposed",
            json!({"/uoms/0/factor": "0"}),
            "/uoms/0/factor",
        ),
        (
            "stock.snapshot",
            json!({"/lines/1/status": "available"}),
            "/lines/1/itemId",
        ),
        (
            "stock.snapshot",
            json!({"/controlTotals/lines": "3"}),
            "/controlTotals/lines",
        ),
        (
            "stock.snapshot",
            json!({"/controlTotals/qty": "35"}),
            "/controlTotals/qty",
        ),
        ("stock.snapshot", json!({"/part": "1"}), "/part"),
        (
            "stock.snapshot",
            json!({"/part": "3", "/parts": "2"}),
            "/part",
        ),
        (
            "journal.entry.submitted",
            json!({"/lines/1/amount": "-1000.11"}),
            "/lines",
        ),
        (
            "journal.entry.submitted",
            json!({"/lines/1/amount": "0"}),
            "/lines/1/amount",
        ),
    ] {
        let found = fact(name, changed(name, &change)).check(&code).unwrap_err();
        assert_eq!(found.pointer, pointer, "{name} {change}: {found}");
        assert!(found.message.len() > 20, "{name} {change}: {found}");
    }
}

#[test]
fn a_final_report_and_a_whole_start_need_no_number() {
    let code = plant(json!({})).plant;
    for (name, change) in [
        (
            "operation.completed",
            json!({"/reportNumber": null, "/final": true}),
        ),
        ("mo.started", json!({"/startedQty": null, "/at": null})),
        ("mo.started", json!({"/at": null, "/startNumber": "1"})),
        ("mo.held", json!({"/at": null, "/holdNumber": "1"})),
        ("mo.resumed", json!({"/state": "Released"})),
        ("stock.snapshot", json!({"/controlTotals": null})),
    ] {
        let found = fact(name, changed(name, &change)).check(&code);
        assert_eq!(found, Ok(()), "{name} {change}");
    }
}

#[test]
fn every_state_of_isa_95_has_its_meaning_in_the_group() {
    let meaning = |word: &str| {
        let state: OrderState = serde_json::from_value(json!(word)).unwrap();
        state.meaning()
    };
    for (words, expected) in [
        (vec!["Forecast", "Waiting", "Ready"], "planned"),
        (vec!["Released"], "released"),
        (vec!["Running"], "in progress"),
        (vec!["Held", "Paused", "Suspended"], "held"),
        (vec!["Completed"], "produced"),
        (vec!["Closed"], "closed"),
        (vec!["Cancelled", "Aborted"], "cancelled"),
    ] {
        for word in words {
            assert_eq!(meaning(word), expected, "{word}");
        }
    }
}

#[test]
fn nothing_waits_nothing_is_overdue_and_nothing_is_started_for_what_is_only_kept() {
    let plant = plant(json!({}));
    for kind in [
        LifecycleKind::Mo,
        LifecycleKind::Item,
        LifecycleKind::Stock,
        LifecycleKind::Je,
    ] {
        let id = LifecycleId::new(kind, &plant.plant, "1");
        let header = Header::new(id, start());
        assert_eq!(header.status, Status::Recorded);
        let entry = Entry {
            sequence: 1,
            event_id: format!("evt_{:032x}", 1).parse().unwrap(),
            inbox_key: String::new(),
            content_hash: None,
            kind: FactKind::MaterialIssued,
            number: "1".to_owned(),
            happened_at: start(),
            received_at: start(),
            due_at: start(),
            state: EntryState::first(kind),
            accepted: BTreeSet::new(),
            settled_at: None,
            result: None,
        };
        assert!(
            entry.is_open(),
            "it is not settled: a later release may take it up"
        );
        let lifecycle = Lifecycle {
            header,
            entries: vec![entry],
            exceptions: Vec::new(),
            waiter: None,
            next_sequence: 2,
        };
        let years_later = start() + SignedDuration::from_hours(24 * 1000);
        assert_eq!(lifecycle.next(), Next::Wait);
        assert!(!lifecycle.wants_execution());
        assert_eq!(lifecycle.due_at(), None);
        assert_eq!(lifecycle.overdue(&plant, years_later), None);
        assert_eq!(lifecycle.after_cancel(&plant, years_later), None);
    }
}

#[test]
fn a_purchase_order_goes_its_way_as_before() {
    let id = LifecycleId::new(LifecycleKind::Po, &plant(json!({})).plant, "1");
    assert_eq!(Header::new(id, start()).status, Status::Expected);
    for kind in [
        LifecycleKind::Po,
        LifecycleKind::Asn,
        LifecycleKind::Receipt,
        LifecycleKind::Lot,
    ] {
        assert_eq!(EntryState::first(kind), EntryState::Waiting);
    }
}

fn amount(ten_thousandths: i64) -> String {
    rust_decimal::Decimal::new(ten_thousandths, 4)
        .normalize()
        .to_string()
}

proptest! {
    /// Whatever is booked, an entry is taken when its lines add up to nothing, and only then.
    #[test]
    fn an_entry_is_taken_if_and_only_if_debit_equals_credit(
        amounts in prop::collection::vec((1_i64..1_000_000_000_000_000).prop_union(-1_000_000_000_000_000_i64..0), 1..30),
        off in prop_oneof![Just(0_i64), -200_i64..200],
    ) {
        let mut all = amounts.clone();
        all.push(off - amounts.iter().sum::<i64>());
        prop_assume!(all.iter().all(|amount| *amount != 0));
        let lines: Vec<Value> = all
            .iter()
            .map(|one| json!({"localAccount": "1", "amount": amount(*one)}))
            .collect();
        let entry = fact("journal.entry.submitted", changed("journal.entry.submitted", &json!({"/lines": lines})));
        prop_assert_eq!(entry.check(&plant(json!({})).plant).is_ok(), off == 0);
    }

    /// The control totals of a snapshot hold for its own lines and for no others.
    #[test]
    fn a_snapshot_that_lost_a_line_is_refused(quantities in prop::collection::vec(-1_000_000_i64..1_000_000, 2..40), lost in 0_usize..40) {
        let lost = lost % quantities.len();
        let sum: i64 = quantities.iter().sum();
        let mut lines: Vec<Value> = quantities
            .iter()
            .enumerate()
            .map(|(index, one)| json!({"itemId": index.to_string(), "warehouse": "W", "qty": amount(*one)}))
            .collect();
        let totals = json!({"lines": lines.len().to_string(), "qty": amount(sum)});
        let snapshot = |lines: &[Value]| {
            let changes = json!({"/lines": lines, "/controlTotals": totals});
            fact("stock.snapshot", changed("stock.snapshot", &changes)).check(&plant(json!({})).plant)
        };
        prop_assert_eq!(snapshot(&lines), Ok(()));
        lines.remove(lost);
        prop_assert!(snapshot(&lines).is_err());
    }
}
