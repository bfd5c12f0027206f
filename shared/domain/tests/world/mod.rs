//! A purchase order without Odoo: facts in, the steps that the record asks for, one after the other.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "shared by test programs, each of which uses part of it"
)]

use std::collections::BTreeMap;

use interplant_domain::exception::Code;
use interplant_domain::fact::{Fact, FactKind};
use interplant_domain::identifier::{LifecycleId, LifecycleKind};
use interplant_domain::lifecycle::{
    Begin, Commit, Done, GivenDecision, Header, Lifecycle, Run, Settle, Status,
};
use interplant_domain::mailbox::{Entry, EntryState};
use interplant_domain::matching::{Evaluation, History, evaluate};
use interplant_domain::plant::Plant;
use interplant_domain::purchase_order::{
    InOdoo, Next, PostedBill, PurchaseOrder, Refusal, Step, Taken,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// One order of one plant.
pub(crate) struct World {
    pub(crate) plant: Plant,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) facts: BTreeMap<u64, Fact>,
    pub(crate) evaluations: Vec<Evaluation>,
    pub(crate) history: History,
    pub(crate) waited_out: bool,
    pub(crate) now: Timestamp,
}

pub(crate) fn plant(more: Value) -> Plant {
    let mut plant = json!({
        "plant": "plant-x", "name": "X", "odoo": {"database": "group"},
        "units": {"EA": "uom.unit", "DZ": "uom.dozen", "KG": "uom.kg"},
        "owners": {"buyer": "b@x.example"},
        "conversions": [{"from": "DZ", "to": "EA", "factor": "12"}, {"item": "A", "from": "BOX", "to": "EA", "factor": "500"}],
        "charges": {"items": {"FREIGHT": "interplant.freight"}, "small_differences": "interplant.small"}
    });
    for (key, value) in more.as_object().unwrap() {
        plant[key] = value.clone();
    }
    serde_json::from_value(plant).unwrap()
}

pub(crate) fn start() -> Timestamp {
    "2026-11-23T10:00:00Z".parse().unwrap()
}

pub(crate) fn fact(kind: &str, data: Value) -> Fact {
    let kind = FactKind::from_event_type(&format!("interplant.{kind}.v1")).unwrap();
    Fact::read(kind, &data).unwrap()
}

impl World {
    pub(crate) fn new(plant: Plant) -> Self {
        let id = LifecycleId::new(LifecycleKind::Po, &plant.plant, "4711");
        let mut header = Header::new(id, start());
        header.status = Status::Running;
        header.generation = 1;
        Self {
            plant,
            lifecycle: Lifecycle {
                header,
                entries: Vec::new(),
                exceptions: Vec::new(),
                waiter: None,
                next_sequence: 1,
            },
            facts: BTreeMap::new(),
            evaluations: Vec::new(),
            history: History::default(),
            waited_out: true,
            now: start(),
        }
    }

    /// An order with one line of 10 pieces at 20, in Odoo.
    pub(crate) fn with_order(more: Value) -> Self {
        let mut world = Self::new(plant(more));
        world.send("po.created", order(&[("1", "A", "10", "EA", "20")]));
        world
    }

    /// Delivers a fact and does what can be done.
    pub(crate) fn send(&mut self, kind: &str, data: Value) -> u64 {
        let fact = fact(kind, data);
        fact.check(&self.plant.plant).unwrap();
        let sequence = self.deliver(fact, start());
        self.run();
        sequence
    }

    pub(crate) fn deliver(&mut self, fact: Fact, happened_at: Timestamp) -> u64 {
        let sequence = self.lifecycle.next_sequence;
        self.lifecycle.next_sequence += 1;
        self.lifecycle.entries.push(Entry {
            sequence,
            event_id: format!("evt_{sequence:032x}").parse().unwrap(),
            inbox_key: String::new(),
            content_hash: None,
            kind: fact.kind(),
            number: fact.number().to_string(),
            happened_at,
            received_at: self.now,
            due_at: self.now + SignedDuration::from_hours(1),
            state: EntryState::Waiting,
            accepted: std::collections::BTreeSet::new(),
            settled_at: None,
            result: None,
        });
        self.facts.insert(sequence, fact);
        sequence
    }

    /// Does every step that the record asks for.
    pub(crate) fn run(&mut self) {
        for _ in 0..500 {
            match self.lifecycle.next() {
                Next::Do(Step::Close, None) => {
                    if self.lifecycle.header.status != Status::Cancelled {
                        let closed = self.lifecycle.closed(self.now);
                        self.apply(&closed);
                    }
                    return;
                }
                Next::Do(step, Some(sequence)) => self.step(step, sequence),
                Next::Do(step, None) => panic!("{step} without a fact"),
                Next::Wait | Next::Decide => return,
            }
        }
        panic!("the steps do not come to an end");
    }

    fn step(&mut self, step: Step, sequence: u64) {
        if self.lifecycle.header.status == Status::Closed {
            let again = self.lifecycle.next_generation(self.now);
            self.apply(&again);
        }
        let fact = self.facts[&sequence].clone();
        let run = Run {
            step,
            generation: self.lifecycle.header.generation,
            deadline: self.now,
            request_limit: SignedDuration::ZERO,
        };
        let mut done = None;
        let plant = self.plant.clone();
        let (history, waited_out) = (self.history.clone(), self.waited_out);
        let mut evaluation = None;
        let begin = self.lifecycle.begin(run, self.now, &plant, |order, taken| {
            done = Some(work(
                step,
                order,
                &fact,
                taken,
                &history,
                waited_out,
                &mut evaluation,
            )?);
            Ok(Value::Null)
        });
        self.evaluations.extend(evaluation);
        match begin {
            Begin::Work { commit, .. } => {
                self.apply(&commit);
                let done = self
                    .lifecycle
                    .done(step, sequence, &done.unwrap(), &plant, self.now)
                    .unwrap();
                self.apply(&done);
            }
            Begin::Refused(commit, _) => self.apply(&commit),
            Begin::Elsewhere(_) | Begin::Superseded => panic!("{step} is not what comes next"),
        }
    }

    pub(crate) fn apply(&mut self, commit: &Commit) {
        assert_eq!(commit.header.revision, self.lifecycle.header.revision + 1);
        self.lifecycle.apply(commit);
        if let Some(order) = &self.lifecycle.header.order {
            for line in &order.lines {
                use interplant_domain::purchase_order::Place::{
                    Held, Rejected, Returned, Scrapped, Stocked,
                };
                let parts =
                    [Stocked, Held, Rejected, Scrapped, Returned].map(|place| line.at(place));
                assert_eq!(line.received(), parts.into_iter().sum(), "conserved");
                assert!(parts.iter().all(|part| !part.decimal().is_sign_negative()));
            }
        }
    }

    pub(crate) fn order(&self) -> &PurchaseOrder {
        self.lifecycle.header.order.as_ref().unwrap()
    }

    pub(crate) fn codes(&self) -> Vec<Code> {
        let mut codes: Vec<Code> = self
            .lifecycle
            .exceptions
            .iter()
            .map(|raised| raised.exception.code)
            .collect();
        codes.sort();
        codes
    }

    pub(crate) fn state(&self, sequence: u64) -> Option<&EntryState> {
        self.lifecycle
            .entries
            .iter()
            .find(|entry| entry.sequence == sequence)
            .map(|entry| &entry.state)
    }

    /// Decides the open exception with this code, then goes on.
    pub(crate) fn decide(&mut self, code: Code, decision: &str, by: &str) {
        let raised = self
            .lifecycle
            .exceptions
            .iter()
            .find(|raised| raised.exception.code == code)
            .unwrap_or_else(|| panic!("no open {code}: {:?}", self.codes()));
        let given = GivenDecision {
            exception: raised.id.clone(),
            decision: decision.parse().unwrap(),
            seen_revision: None,
            by: by.to_owned(),
            reason: "looked at".to_owned(),
            key: None,
        };
        let commit = self.lifecycle.decided(&given, self.now).unwrap();
        self.apply(&commit);
        self.run();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.lifecycle.header.status == Status::Closed
    }
}

/// What a step does, without Odoo.
fn work(
    step: Step,
    order: Option<&PurchaseOrder>,
    fact: &Fact,
    taken: &Taken<'_>,
    history: &History,
    waited_out: bool,
    evaluation: &mut Option<Evaluation>,
) -> Result<Done, Refusal> {
    let mut after = order.cloned();
    let mut settle = Settle::Applied;
    match (step, fact, &mut after) {
        (Step::Create, Fact::PoCreated(fact), None) => {
            let mut order = PurchaseOrder::created(fact, taken.plant, taken.received_at);
            for (line, id) in order.lines.iter_mut().zip(1..) {
                line.odoo_line = Some(id);
            }
            order.in_odoo = Some(InOdoo {
                id: 1,
                name: "P1".to_owned(),
                open_receipt: None,
                cancelled: false,
            });
            after = Some(order);
        }
        (Step::Cancel, Fact::PoCancelled(_), None) => settle = Settle::Cancelled,
        (Step::Acknowledge, Fact::PoAcknowledged(fact), Some(order)) => {
            let plan = order.acknowledge(fact, taken)?;
            order.apply_amendment(&plan, taken.plant);
        }
        (Step::Change, Fact::PoChanged(fact), Some(order)) => {
            let plan = order.change(fact, taken)?;
            order.apply_amendment(&plan, taken.plant);
            for (line, id) in order.lines.iter_mut().zip(1..) {
                line.odoo_line = Some(id);
            }
        }
        (Step::Cancel, Fact::PoCancelled(fact), Some(order)) => {
            let plan = order.cancel(fact, taken)?;
            order.apply_cancellation(&plan);
            if plan.whole {
                settle = Settle::Cancelled;
            }
        }
        (Step::Record, Fact::PoClosed(fact), Some(order)) => order.close_short(fact)?,
        (Step::Record, Fact::AsnReceived(fact), Some(order)) => order.expect_shipment(fact)?,
        (Step::Record, Fact::AsnCancelled(fact), Some(order)) => {
            if !order.call_off_shipment(&fact.asn_number) {
                return Err(Refusal::Wait {
                    reason: "not announced".to_owned(),
                    becomes: Code::PredecessorOverdue,
                });
            }
        }
        (Step::Receive, Fact::ReceiptPosted(fact), Some(order)) => {
            let plan = order.receive(fact, taken)?;
            let picking = (!plan.lines.is_empty()).then_some(1);
            order.apply_receipt(&plan, picking, None);
        }
        (Step::ReverseReceipt, Fact::ReceiptReversed(fact), Some(order)) => {
            let moves = order.reverse(fact)?;
            order.apply_moves(&moves);
        }
        (Step::ReleaseQuality, Fact::QualityHeld(fact), Some(order)) => {
            let moves = order.hold(fact, taken.happened_at)?;
            order.apply_moves(&moves);
            order.settle_hold(fact, taken.happened_at, &moves);
        }
        (Step::ReleaseQuality, Fact::QualityReleased(fact), Some(order)) => {
            let moves = order.release(fact)?;
            order.apply_moves(&moves);
        }
        (Step::ReleaseQuality, Fact::InspectionCompleted(fact), Some(order)) => {
            let moves = order.inspect(fact)?;
            order.apply_moves(&moves);
            order.settle_inspection(fact, taken.happened_at, &moves);
        }
        (Step::ReleaseQuality, Fact::NcrDispositioned(fact), Some(order)) => {
            let moves = order.dispose(fact)?;
            order.apply_moves(&moves);
            order.settle_nonconformance(&fact.ncr_id, fact.qty);
        }
        (Step::MatchInvoice, Fact::InvoiceReceived(fact), Some(order)) => {
            let inputs = order.match_inputs(fact, taken, history.clone(), waited_out)?;
            let found = evaluate(&inputs);
            assert_eq!(evaluate(&inputs), found, "a replay gives the same");
            *evaluation = Some(found.clone());
            let payable = order.payable(fact, &found, taken)?;
            order.apply_match(fact, taken.sequence, payable);
            settle = Settle::Continue;
        }
        (Step::PostInvoice, Fact::InvoiceReceived(fact), Some(order)) => {
            order.apply_bill(
                taken.sequence,
                PostedBill {
                    id: 1,
                    name: "B1".to_owned(),
                    total: fact.totals.gross,
                },
            );
        }
        (Step::Create, _, Some(_)) => {
            return Err(interplant_domain::exception::Exception::new(
                Code::OrderAlreadyCreated,
                "again",
            )
            .into());
        }
        (step, fact, _) => panic!("{step} got {:?}", fact.kind()),
    }
    Ok(Done {
        order: after,
        settle,
        result: step.to_string(),
        evidence: None,
    })
}

pub(crate) fn order(lines: &[(&str, &str, &str, &str, &str)]) -> Value {
    let lines: Vec<Value> = lines
        .iter()
        .map(|(no, item, qty, uom, price)| json!({"lineNo": no, "itemId": item, "qty": qty, "uom": uom, "unitPrice": price, "needDate": "2026-12-01"}))
        .collect();
    json!({"poNumber": "4711", "supplierId": "S1", "currency": "USD", "orderDate": "2026-11-01", "lines": lines})
}

pub(crate) fn receipt(number: &str, lines: &[(&str, &str)]) -> Value {
    let lines: Vec<Value> = lines
        .iter()
        .map(|(line, qty)| json!({"lineNo": line, "qtyReceived": qty}))
        .collect();
    json!({"receiptNumber": number, "poNumber": "4711", "lines": lines})
}

pub(crate) fn invoice(number: &str, lines: &[(&str, &str, &str)]) -> Value {
    let net: rust_decimal::Decimal = lines
        .iter()
        .map(|(_, qty, price)| {
            qty.parse::<rust_decimal::Decimal>().unwrap()
                * price.parse::<rust_decimal::Decimal>().unwrap()
        })
        .sum();
    let net = net
        .round_dp_with_strategy(2, rust_decimal::RoundingStrategy::MidpointAwayFromZero)
        .normalize()
        .to_string();
    let lines: Vec<Value> = lines
        .iter()
        .map(|(line, qty, price)| json!({"poNumber": "4711", "lineNo": line, "qty": qty, "unitPrice": price}))
        .collect();
    json!({
        "invoiceNumber": number, "supplierId": "S1", "invoiceDate": "2026-11-20", "currency": "USD",
        "lines": lines, "totals": {"net": net, "tax": "0", "gross": net}
    })
}
