//! Orders that belong to Odoo: what people change there as facts, and what the lifecycle makes of them.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "tests"
)]

mod world;

use std::collections::BTreeSet;

use interplant_domain::exception::{Code as ExceptionCode, Exception};
use interplant_domain::fact::{Code, Day, Fact, FactKind, Owner};
use interplant_domain::identifier::PlantCode;
use interplant_domain::mailbox::{Entry, EntryState};
use interplant_domain::purchase_order::{InOdoo, Next, PurchaseOrder, Refusal, Step, Taken, next};
use interplant_domain::standing::{Differences, Standing, StandingLine, numbered};

use world::plant;

fn line(no: u8, qty: &str, price: &str) -> StandingLine {
    StandingLine {
        odoo_line: 100 + i64::from(no),
        line_no: Code::new(&no.to_string()),
        item: Code::new("FRAME"),
        uom: Code::new("EA"),
        tax_code: None,
        qty: qty.parse().unwrap(),
        unit_price: price.parse().unwrap(),
        planned: Some(Day("2026-12-20".parse().unwrap())),
    }
}

fn standing(lines: Vec<StandingLine>) -> Standing {
    Standing {
        number: Code::new("P00017"),
        odoo_id: 17,
        supplier: Code::new("V1"),
        currency: serde_json::from_value(serde_json::json!("USD")).unwrap(),
        order_date: Day("2026-11-24".parse().unwrap()),
        confirmed: true,
        lines,
    }
}

/// What the facts say, in short.
fn told(differences: &Differences) -> Vec<String> {
    let facts = differences.facts.iter().map(|fact| {
        let data = fact.data().unwrap();
        let plant: PlantCode = "plant-a".parse().unwrap();
        fact.check(&plant).unwrap();
        // In the order of names, however JSON is kept.
        let lines = |field: &str| serde_json_canonicalizer::to_string(&data[field]).unwrap();
        format!(
            "{:?} r{} {}",
            fact.kind(),
            data["poRevision"].as_str().unwrap_or_default(),
            match fact {
                Fact::PoChanged(_) => lines("changedLines"),
                _ => lines("lines"),
            }
        )
    });
    facts.collect()
}

#[test]
fn what_people_change_is_told_and_what_stays_is_not() {
    let before = standing(vec![line(1, "12", "20"), line(2, "8", "4.5")]);
    assert_eq!(before.differences(&before, None, 1), Differences::default());
    let mut now = before.clone();
    now.lines[0].qty = "10".parse().unwrap();
    now.lines[1].planned = Some(Day("2027-01-07".parse().unwrap()));
    assert_eq!(
        told(&now.differences(&before, None, 1)),
        [
            r#"PoChanged r1 [{"lineNo":"1","odooLine":101,"qty":"10"},{"lineNo":"2","needDate":"2027-01-07","odooLine":102}]"#
        ]
    );
    // A line of no quantity is cancelled, and so is one that is gone; each fact has a revision of its own.
    now.lines[0].unit_price = "21".parse().unwrap();
    now.lines[1].qty = "0".parse().unwrap();
    assert_eq!(
        told(&now.differences(&before, None, 4)),
        [
            r#"PoCancelled r4 ["2"]"#,
            r#"PoChanged r5 [{"lineNo":"1","odooLine":101,"qty":"10","unitPrice":"21"}]"#
        ]
    );
    now.lines.remove(1);
    assert_eq!(
        told(&now.differences(&before, None, 1))[0],
        r#"PoCancelled r1 ["2"]"#
    );
}

#[test]
fn a_new_line_is_told_with_everything_and_keeps_its_number() {
    let before = standing(vec![line(1, "12", "20")]);
    let numbers = numbered(Some(&before), &[101, 140]);
    assert_eq!(numbers[&140].as_str(), "2");
    let mut added = line(2, "3", "7");
    added.odoo_line = 140;
    let mut now = before.clone();
    now.lines.push(added);
    assert_eq!(
        told(&now.differences(&before, None, 1)),
        [
            r#"PoChanged r1 [{"itemId":"FRAME","lineNo":"2","needDate":"2026-12-20","odooLine":140,"qty":"3","unitPrice":"7","uom":"EA"}]"#
        ]
    );
    // It was taken out again: the next one does not get its number.
    let numbers = numbered(Some(&now), &[101, 141]);
    assert_eq!(numbers[&141].as_str(), "3");
}

#[test]
fn a_cancelled_order_is_told_once_and_one_that_comes_back_is_told_whole() {
    let before = standing(vec![line(1, "12", "20")]);
    let gone = Standing {
        confirmed: false,
        ..before.clone()
    };
    assert_eq!(
        told(&gone.differences(&before, None, 1)),
        ["PoCancelled r1 null"]
    );
    assert_eq!(gone.differences(&gone, None, 2), Differences::default());
    let back = before.differences(&gone, None, 2);
    assert!(told(&back)[0].contains(r#""qty":"12""#), "{back:?}");
}

#[test]
fn what_no_change_can_say_is_told_to_a_person() {
    let before = standing(vec![line(1, "12", "20")]);
    let mut now = before.clone();
    now.supplier = Code::new("V2");
    now.lines[0].item = Code::new("FORK");
    let found = now.differences(&before, None, 1);
    assert_eq!(found.facts, []);
    assert!(
        found.beyond[0].contains("V2") && found.beyond[1].contains("FORK"),
        "{found:?}"
    );
}

/// The order as its lifecycle has it after some facts of Odoo's.
fn followed(start: &Standing, facts: &[Fact]) -> Result<PurchaseOrder, Exception> {
    let plant = plant(serde_json::json!({}));
    let now = "2026-11-24T10:00:00Z".parse().unwrap();
    let taken = Taken {
        plant: &plant,
        sequence: 1,
        happened_at: now,
        received_at: now,
        accepted: &BTreeSet::new(),
    };
    let Fact::PoCreated(created) = start.created() else {
        panic!("an order begins with its creation");
    };
    let mut order = PurchaseOrder::created(&created, &plant, now);
    order.in_odoo = Some(InOdoo {
        id: start.odoo_id,
        name: start.number.to_string(),
        open_receipt: None,
        cancelled: false,
    });
    let refused = |refusal| match refusal {
        Refusal::Raise(exception) => exception,
        Refusal::Wait { reason, becomes } => Exception::new(becomes, reason),
    };
    for fact in facts {
        match fact {
            Fact::PoChanged(fact) => {
                let plan = order.change(fact, &taken).map_err(refused)?;
                order.apply_amendment(&plan, &plant);
            }
            Fact::PoCancelled(fact) => {
                let plan = order.cancel(fact, &taken).map_err(refused)?;
                order.apply_cancellation(&plan);
            }
            other => panic!("{other:?}"),
        }
    }
    Ok(order)
}

#[test]
fn what_the_lifecycle_has_already_does_not_come_back() {
    let before = standing(vec![line(1, "12", "20"), line(2, "8", "4.5")]);
    let mut now = before.clone();
    now.lines[0].unit_price = "20.2".parse().unwrap();
    now.lines[0].planned = Some(Day("2026-12-22".parse().unwrap()));
    // The supplier's answer was written into the order by Interplant itself.
    let facts = now.differences(&before, None, 1).facts;
    let agreed = followed(&before, &facts).unwrap();
    assert_eq!(
        now.differences(&before, Some(&agreed), 1),
        Differences::default()
    );
    // A buyer changes something else at the same time: that alone is told.
    now.lines[1].qty = "9".parse().unwrap();
    assert_eq!(
        told(&now.differences(&before, Some(&agreed), 1)),
        [r#"PoChanged r1 [{"lineNo":"2","odooLine":102,"qty":"9"}]"#]
    );
}

proptest::proptest! {
    /// However a buyer edits, and however often it is looked at, the lifecycle has in the end what Odoo has.
    #[test]
    fn the_lifecycle_ends_with_what_odoo_has(
        edits in proptest::collection::vec((0..3_usize, 0..20_u32, 1..50_u32, 1..28_i8, proptest::bool::ANY), 1..30)
    ) {
        let start = standing(vec![line(1, "12", "20"), line(2, "8", "4.5"), line(3, "5", "1")]);
        let (mut seen, mut now) = (start.clone(), start.clone());
        let (mut revision, mut facts) = (0, Vec::new());
        for (at, qty, price, day, looked_at) in edits {
            let line = &mut now.lines[at];
            // A line that was cancelled stays so: raising it again is a person's question.
            if !line.qty.is_zero() {
                line.qty = qty.to_string().parse().unwrap();
            }
            line.unit_price = price.to_string().parse().unwrap();
            line.planned = Some(Day(jiff::civil::date(2027, 1, day)));
            if looked_at {
                let agreed = followed(&start, &facts).unwrap();
                let found = now.differences(&seen, Some(&agreed), revision + 1);
                revision += u32::try_from(found.facts.len()).unwrap();
                facts.extend(found.facts);
                seen = now.clone();
            }
        }
        let agreed = followed(&start, &facts).unwrap();
        facts.extend(now.differences(&seen, Some(&agreed), revision + 1).facts);
        let order = followed(&start, &facts).unwrap();
        for (ours, theirs) in order.lines.iter().zip(&now.lines) {
            proptest::prop_assert_eq!(ours.quantity_in_odoo(), theirs.qty);
            if !theirs.qty.is_zero() {
                proptest::prop_assert_eq!(ours.unit_price, theirs.unit_price);
                proptest::prop_assert_eq!(Some(ours.planned(order.order_date)), theirs.planned);
            }
        }
    }
}

/// An order of Odoo's that the lifecycle has.
fn known() -> PurchaseOrder {
    followed(&standing(vec![line(1, "12", "20")]), &[]).unwrap()
}

#[test]
fn only_its_owner_changes_and_cancels_an_order() {
    let plant = plant(serde_json::json!({}));
    let now = "2026-11-24T10:00:00Z".parse().unwrap();
    let taken = Taken {
        plant: &plant,
        sequence: 1,
        happened_at: now,
        received_at: now,
        accepted: &BTreeSet::new(),
    };
    let change = serde_json::json!({"poNumber": "P00017", "poRevision": "1", "changedLines": [{"lineNo": "1", "qty": "9"}]});
    let cancel = serde_json::json!({"poNumber": "P00017", "reason": "not needed"});
    let Fact::PoChanged(change) = Fact::read(FactKind::PoChanged, &change).unwrap() else {
        panic!("a change");
    };
    let Fact::PoCancelled(cancel) = Fact::read(FactKind::PoCancelled, &cancel).unwrap() else {
        panic!("a cancellation");
    };
    let code = |refusal: Refusal| match refusal {
        Refusal::Raise(exception) => exception.code,
        Refusal::Wait { .. } => panic!("it does not wait"),
    };
    let mut order = known();
    assert_eq!(
        order.change(&change, &taken).map_err(code).unwrap_err(),
        ExceptionCode::ChangeRefused
    );
    assert_eq!(
        order.cancel(&cancel, &taken).map_err(code).unwrap_err(),
        ExceptionCode::ChangeRefused
    );
    order.owner = Owner::Plant;
    assert!(order.change(&change, &taken).is_ok() && order.cancel(&cancel, &taken).is_ok());
}

#[test]
fn an_order_that_is_gone_before_it_was_taken_over_is_cancelled_by_its_cancellation() {
    let entry = |sequence, kind, state| {
        let at = "2026-11-24T10:00:00Z".parse().unwrap();
        Entry {
            sequence,
            event_id: format!("evt_{sequence:032}").parse().unwrap(),
            inbox_key: String::new(),
            content_hash: None,
            kind,
            number: "P00017".to_owned(),
            happened_at: at,
            received_at: at,
            due_at: at,
            state,
            accepted: BTreeSet::new(),
            settled_at: None,
            result: None,
        }
    };
    let parked = EntryState::Parked {
        changes_seen: 0,
        reason: "it was cancelled in Odoo".to_owned(),
        becomes: ExceptionCode::OrderCancelled,
    };
    let created = entry(1, FactKind::PoCreated, parked);
    assert_eq!(next(None, std::slice::from_ref(&created)), Next::Wait);
    let cancelled = entry(2, FactKind::PoCancelled, EntryState::Waiting);
    assert_eq!(
        next(None, &[created, cancelled]),
        Next::Do(Step::Cancel, Some(2))
    );
}
