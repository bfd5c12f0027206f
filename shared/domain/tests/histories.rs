//! Random histories: whatever the order in which a valid set of facts comes, and however often each comes,
//! the order ends as in the tidy order. Quantities are conserved at every step (see `world`).

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests"
)]

mod world;

use std::collections::BTreeSet;

use interplant_domain::fact::{Fact, FactKind};
use interplant_domain::purchase_order::Place;
use jiff::SignedDuration;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use world::{World, fact, plant, start};

/// So many histories in each run of the tests.
const HISTORIES: u64 = 10_000;

/// Random numbers of a seed: SplitMix64.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % sides
    }

    fn one_in(&mut self, many: u64) -> bool {
        self.roll(many) == 0
    }

    fn shuffle<T>(&mut self, list: &mut [T]) {
        for index in (1..list.len()).rev() {
            let other = usize::try_from(self.roll(index as u64 + 1)).unwrap();
            list.swap(index, other);
        }
    }
}

/// A valid set of facts in the order of the business, each with its minute.
fn facts(dice: &mut Dice) -> Vec<Fact> {
    let mut found = Vec::new();
    let mut add = |kind: &str, data: Value| found.push(fact(kind, data));
    let count = 1 + dice.roll(3);
    let mut ordered: Vec<(String, u64, u64)> = (1..=count)
        .map(|no| (no.to_string(), 2 + dice.roll(30), 1 + dice.roll(50)))
        .collect();
    let lines: Vec<Value> = ordered
        .iter()
        .map(|(no, qty, price)| json!({"lineNo": no, "itemId": format!("I{no}"), "qty": qty.to_string(), "uom": "EA", "unitPrice": price.to_string(), "needDate": "2026-12-01"}))
        .collect();
    add(
        "po.created",
        json!({"poNumber": "4711", "supplierId": "S1", "currency": "USD", "orderDate": "2026-11-01", "lines": lines}),
    );
    add(
        "po.acknowledged",
        json!({"poNumber": "4711", "ackNumber": "A0", "lines": [{"lineNo": "1", "status": "accepted", "promisedDate": "2026-12-03"}]}),
    );
    if dice.one_in(2) {
        for revision in 1..=1 + dice.roll(2) {
            let line = usize::try_from(dice.roll(count)).unwrap();
            ordered[line].1 += 1 + dice.roll(5);
            ordered[line].2 += dice.roll(9);
            let (no, qty, price) = &ordered[line];
            add(
                "po.changed",
                json!({"poNumber": "4711", "poRevision": revision.to_string(), "changedLines": [{"lineNo": no, "qty": qty.to_string(), "unitPrice": price.to_string()}]}),
            );
            add(
                "po.acknowledged",
                json!({"poNumber": "4711", "ackNumber": format!("A{revision}"), "poRevision": revision.to_string(), "lines": [{"lineNo": no, "status": "accepted", "promisedDate": "2026-12-05"}]}),
            );
        }
    }
    let mut short = false;
    let mut payable = Vec::new();
    for (no, qty, price) in &ordered {
        let mut left = *qty;
        // Room for a receipt that is reversed: else two facts that undo one another could wait for each other.
        let reversed = if left > 3 && dice.one_in(4) { 1 } else { 0 };
        left -= reversed;
        let mut pay = 0;
        let portions = 1 + dice.roll(3);
        for portion in 0..portions {
            let last = portion + 1 == portions;
            let came = if last && !dice.one_in(3) {
                left
            } else {
                dice.roll(left + 1)
            };
            if came == 0 {
                continue;
            }
            left -= came;
            let number = format!("W{no}-{portion}");
            let held = if dice.one_in(3) {
                came
            } else {
                dice.roll(came + 1) * dice.roll(2)
            };
            let lots = dice
                .one_in(3)
                .then(|| json!([{"lotId": format!("L{number}"), "qty": came.to_string()}]));
            // Held as they come, held afterwards, or inspected in stock.
            let way = dice.roll(3);
            let in_question = if way == 0 { held } else { 0 };
            let mut line = json!({"lineNo": no, "qtyReceived": came.to_string(), "qtyInQuestion": in_question.to_string()});
            if let Some(lots) = lots {
                line["lots"] = lots;
            }
            add(
                "receipt.posted",
                json!({"receiptNumber": number, "poNumber": "4711", "lines": [line]}),
            );
            pay += came - held;
            if held > 0 && way == 1 {
                add(
                    "quality.held",
                    json!({"holdNumber": format!("H{number}"), "poNumber": "4711", "receiptNumber": number, "lineNo": no, "qty": held.to_string(), "reason": "sample"}),
                );
            }
            if held > 0 && way != 2 && dice.one_in(4) {
                add(
                    "quality.released",
                    json!({"releaseNumber": format!("F{number}"), "poNumber": "4711", "receiptNumber": number, "lineNo": no, "qtyReleased": held.to_string()}),
                );
                pay += held;
            } else if held > 0 {
                let rejected = dice.roll(held + 1);
                pay += held - rejected;
                add(
                    "quality.inspection.completed",
                    json!({"inspectionId": format!("Q{number}"), "poNumber": "4711", "receiptNumber": number, "lineNo": no, "qtyAccepted": (held - rejected).to_string(), "qtyRejected": rejected.to_string()}),
                );
                if rejected > 0 {
                    let what =
                        ["return", "scrap", "useAsIs"][usize::try_from(dice.roll(3)).unwrap()];
                    add(
                        "ncr.dispositioned",
                        json!({"ncrId": format!("Q{number}"), "poNumber": "4711", "disposition": what, "qty": rejected.to_string()}),
                    );
                    if what == "useAsIs" {
                        pay += rejected;
                    }
                    short |= what == "return";
                }
            }
        }
        if reversed > 0 {
            let number = format!("X{no}");
            add(
                "receipt.posted",
                json!({"receiptNumber": number, "poNumber": "4711", "lines": [{"lineNo": no, "qtyReceived": reversed.to_string()}]}),
            );
            add(
                "receipt.reversed",
                json!({"receiptNumber": number, "poNumber": "4711", "reason": "did not come"}),
            );
        }
        short |= left + reversed > 0;
        payable.push((no.clone(), pay, *price));
    }
    if short {
        add(
            "po.closed",
            json!({"poNumber": "4711", "reason": "shortClosed"}),
        );
    }
    let mut bill = |number: &str, lines: &[(String, u64, u64)]| {
        let lines: Vec<_> = lines.iter().filter(|(_, qty, _)| *qty > 0).collect();
        if lines.is_empty() {
            return;
        }
        let net: u64 = lines.iter().map(|(_, qty, price)| qty * price).sum();
        let lines: Vec<Value> = lines
            .iter()
            .map(|(no, qty, price)| json!({"poNumber": "4711", "lineNo": no, "qty": qty.to_string(), "unitPrice": price.to_string()}))
            .collect();
        add(
            "invoice.received",
            json!({"invoiceNumber": number, "supplierId": "S1", "invoiceDate": "2026-11-20", "currency": "USD", "lines": lines, "totals": {"net": net.to_string(), "tax": "0", "gross": net.to_string()}}),
        );
    };
    let first: Vec<_> = payable
        .iter()
        .map(|(no, qty, price)| (no.clone(), qty / 2, *price))
        .collect();
    let rest: Vec<_> = payable
        .iter()
        .map(|(no, qty, price)| (no.clone(), qty - qty / 2, *price))
        .collect();
    bill("R1", &first);
    bill("R2", &rest);
    found
}

fn world() -> World {
    let mut world = World::new(plant(json!({
        "matching": {"company": {"price_over_percent": "0", "price_over_amount": "0", "line_total_percent": "0", "line_total_amount": "0", "overbill_percent": "none", "overbill_amount": "none"}}
    })));
    // Nobody decides here: what cannot be paid yet waits.
    world.waited_out = false;
    world
}

/// How the order ended, without what depends on the order of arrival.
fn end(world: &World) -> String {
    let order = world.order();
    let mut lines = Vec::new();
    for line in &order.lines {
        let lies: Vec<String> = Place::ALL
            .into_iter()
            .map(|place| line.at(place).to_string())
            .collect();
        lines.push(format!(
            "{} {} {} {:?} {lies:?} {} {}",
            line.line_no,
            line.ordered,
            line.unit_price,
            line.promised_date,
            line.invoiced(),
            line.invoiced_net()
        ));
    }
    let mut bills: Vec<String> = order
        .invoices
        .iter()
        .map(|invoice| format!("{} {}", invoice.number, invoice.bill.is_some()))
        .collect();
    bills.sort();
    format!(
        "{:?} {lines:?} {bills:?} {:?} {:?} {:?}",
        world.lifecycle.header.status,
        world.codes(),
        order.acknowledgements,
        order.closing
    )
}

#[test]
fn any_interleaving_and_any_duplication_of_valid_facts_ends_as_the_tidy_order() {
    let from: u64 = option_env!("INTERPLANT_SEED").map_or(1, |seed| seed.parse().unwrap());
    println!("{HISTORIES} histories from seed {from}");
    // Two cores; each takes every second seed.
    let kinds: BTreeSet<FactKind> = std::thread::scope(|scope| {
        let halves = [0, 1].map(|half| scope.spawn(move || histories(from + half)));
        halves
            .into_iter()
            .flat_map(|half| half.join().unwrap())
            .collect()
    });
    assert_eq!(kinds.len(), 11, "every kind of fact took part: {kinds:?}");
}

fn histories(from: u64) -> BTreeSet<FactKind> {
    let mut kinds = BTreeSet::new();
    for seed in (from..from + HISTORIES).step_by(2) {
        let mut dice = Dice(seed);
        let tidy_facts = facts(&mut dice);
        kinds.extend(tidy_facts.iter().map(Fact::kind));
        let mut tidy = world();
        for (fact, minute) in tidy_facts.iter().zip(0..) {
            tidy.deliver(fact.clone(), start() + SignedDuration::from_mins(minute));
            tidy.run();
        }
        assert!(
            tidy.is_closed(),
            "seed {seed}: {}\n{:?}",
            end(&tidy),
            tidy.lifecycle.entries
        );
        let mut shuffled: Vec<_> = tidy_facts.iter().cloned().zip(0..).collect();
        for again in tidy_facts.iter().cloned().zip(0..) {
            if dice.one_in(3) {
                shuffled.push(again);
            }
        }
        dice.shuffle(&mut shuffled);
        let mut other = world();
        let mut seen = BTreeSet::new();
        for (fact, minute) in shuffled {
            // The inbox knows a fact by its business key; what comes again goes no further.
            if seen.insert(fact.business_key(&other.plant.plant, 1)) {
                other.deliver(fact, start() + SignedDuration::from_mins(minute));
            }
            if dice.one_in(2) {
                other.run();
            }
        }
        other.run();
        assert_eq!(end(&other), end(&tidy), "seed {seed}");
        let billed: Decimal = other
            .order()
            .lines
            .iter()
            .map(|line| line.invoiced_net().decimal())
            .sum();
        let stocked: Decimal = other
            .order()
            .lines
            .iter()
            .map(|line| line.at(Place::Stocked).times(line.unit_price).decimal())
            .sum();
        assert_eq!(
            billed, stocked,
            "seed {seed}: what is in stock is billed, to the cent"
        );
    }
    kinds
}
