//! `interplant show`: the road of a lifecycle.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use interplant_domain::identifier::{ExceptionId, LifecycleId};
use interplant_domain::lifecycle::{Status, Wait};
use interplant_domain::mailbox::{EntryState, RECORDED, RaisedException};
use interplant_domain::purchase_order::Place;
use interplant_runtime::view::Road;

use crate::{Failure, cloud, table};

/// Shows the road of a lifecycle: facts, steps, Odoo records, waits, times
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Such as po/plant-b/4711
    lifecycle: String,
}

impl Show {
    pub(crate) async fn run(self, local: Option<&Path>, json: bool) -> Result<ExitCode, Failure> {
        let id = LifecycleId::read(&self.lifecycle)?;
        let (context, _) = cloud::attach(local).await?;
        let road = context
            .road(&id)
            .await?
            .ok_or_else(|| format!("there is no lifecycle {id}"))?;
        if json {
            println!("{}", serde_json::to_string_pretty(&road)?);
        } else {
            print(&road);
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// What a lifecycle waits for, in words; what is held for a person is among it.
fn waited_for(wait: Wait, open: &[&ExceptionId]) -> String {
    let ids: Vec<&str> = open.iter().map(|id| id.as_str()).collect();
    let ids = ids.join(", ");
    match (wait, open.is_empty()) {
        (Wait::Fact, true) => "the next fact".to_owned(),
        (Wait::Fact, false) => format!("a decision about {ids}, or the next fact"),
        (Wait::Decision, true) => "a decision".to_owned(),
        (Wait::Decision, false) => format!("a decision about {ids}"),
        (Wait::Odoo, _) => "Odoo".to_owned(),
    }
}

fn print(road: &Road) {
    println!(
        "{}  {:?}, generation {}, revision {}, since {:.0}",
        road.lifecycle, road.status, road.generation, road.revision, road.created_at
    );
    if road.status == Status::Recorded {
        println!("recorded: each fact is {RECORDED}");
    }
    if let Some(waits) = &road.waits {
        let open = road.exceptions.iter();
        let open: Vec<&ExceptionId> = open
            .filter(|raised| raised.resolution.is_none())
            .map(|raised| &raised.id)
            .collect();
        println!(
            "waits for {} since {:.0}",
            waited_for(waits.r#for, &open),
            waits.since
        );
    }
    if let Some(defect) = &road.defect {
        println!("halted by a defect of Interplant: {defect}");
    }
    if let Some(view) = &road.order {
        let order = &view.order;
        println!(
            "\norder {} from {} in {}",
            order.number,
            order.supplier,
            order.currency.as_str()
        );
        table::print(
            [
                "line", "item", "ordered", "price", "promised", "received", "held", "rejected",
                "payable", "invoiced",
            ],
            view.lines.iter().map(|line| {
                [
                    if line.cancelled {
                        format!("{} (cancelled)", line.line_no)
                    } else {
                        line.line_no.to_string()
                    },
                    line.item.to_string(),
                    format!("{} {}", line.ordered, line.uom),
                    line.unit_price.to_string(),
                    line.promised_date
                        .map(|day| day.to_string())
                        .unwrap_or_default(),
                    line.received().to_string(),
                    line.at(Place::Held).to_string(),
                    line.at(Place::Rejected).to_string(),
                    line.payable().to_string(),
                    line.invoiced().to_string(),
                ]
            }),
        );
        println!("\nin Odoo");
        let in_odoo = order.in_odoo.iter().map(|order| {
            [
                "purchase order".to_owned(),
                order.id.to_string(),
                order.name.clone(),
            ]
        });
        let receipts = order.receipts.iter().map(|receipt| {
            [
                "receipt".to_owned(),
                receipt
                    .picking
                    .map_or_else(|| "nothing new".to_owned(), |id| id.to_string()),
                receipt.number.to_string(),
            ]
        });
        let bills = order.invoices.iter().filter_map(|invoice| {
            invoice.bill.as_ref().map(|bill| {
                [
                    "bill".to_owned(),
                    bill.id.to_string(),
                    format!("{} for {}, {}", bill.name, invoice.number, bill.total),
                ]
            })
        });
        table::print(
            ["record", "id", "what"],
            in_odoo.chain(receipts).chain(bills),
        );
    }
    println!("\nfacts");
    table::print(
        [
            "#", "fact", "number", "happened", "received", "state", "result",
        ],
        road.facts.iter().map(|fact| {
            let state = match &fact.state {
                EntryState::Waiting => "waiting".to_owned(),
                EntryState::Parked { reason, .. } => format!("parked: {reason}"),
                EntryState::Taken { generation } => format!("taken by generation {generation}"),
                EntryState::Held { exception } => format!("held: {exception}"),
                EntryState::OnHold { exception, .. } => format!("on hold: {exception}"),
                EntryState::Applied => "applied".to_owned(),
                EntryState::Skipped => "skipped".to_owned(),
                EntryState::Recorded => "recorded".to_owned(),
            };
            [
                fact.sequence.to_string(),
                fact.kind
                    .event_type()
                    .trim_start_matches("interplant.")
                    .to_owned(),
                fact.number.clone(),
                format!("{:.0}", fact.happened_at),
                format!("{:.0}", fact.received_at),
                state,
                fact.result.clone().unwrap_or_default(),
            ]
        }),
    );
    println!("\nsteps");
    table::print(
        ["step", "fact", "attempts", "began", "ms", "result"],
        road.steps.iter().map(|step| {
            let operation = &step.operation;
            [
                operation.step.to_string(),
                operation.sequence.to_string(),
                operation.attempts.to_string(),
                format!("{:.3}", operation.started_at),
                step.finished_at
                    .duration_since(operation.started_at)
                    .as_millis()
                    .to_string(),
                step.result.clone(),
            ]
        }),
    );
    if !road.exceptions.is_empty() {
        println!("\nexceptions");
        print_exceptions(
            road.exceptions
                .iter()
                .map(|raised| (road.lifecycle.to_string(), raised)),
        );
    }
}

/// A table of exceptions.
pub(crate) fn print_exceptions<'a>(raised: impl Iterator<Item = (String, &'a RaisedException)>) {
    table::print(
        [
            "lifecycle",
            "exception",
            "code",
            "what",
            "owner",
            "due",
            "next step",
        ],
        raised.map(|(lifecycle, raised)| {
            let next = match &raised.resolution {
                Some(resolution) => {
                    let decision = resolution
                        .decision
                        .map_or_else(|| "resolved".to_owned(), |decision| decision.to_string());
                    format!("{decision} by {}: {}", resolution.by, resolution.reason)
                }
                None => raised.exception.code.next_step().to_owned(),
            };
            [
                lifecycle,
                raised.id.to_string(),
                raised.exception.code.to_string(),
                raised.exception.message.clone(),
                raised.owner.clone(),
                format!("{:.0}", raised.due_at),
                next,
            ]
        }),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_for_a_person_is_said_to_wait_for_a_decision() {
        let id: ExceptionId = "exc_1f3a9c02de".parse().unwrap();
        assert_eq!(waited_for(Wait::Fact, &[]), "the next fact");
        assert_eq!(
            waited_for(Wait::Fact, &[&id]),
            "a decision about exc_1f3a9c02de, or the next fact"
        );
        assert_eq!(
            waited_for(Wait::Decision, &[&id]),
            "a decision about exc_1f3a9c02de"
        );
    }
}
