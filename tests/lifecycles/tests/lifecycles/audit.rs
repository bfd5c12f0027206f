//! The audit: everything that was decided is in the chain once, whoever dies.

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser as _;
use interplant_cli::command::audit::verify;
use interplant_cli::command::{Interplant, run};
use interplant_cli::world::World;
use interplant_domain::audit::{Action, Actor, Note};
use interplant_domain::exception::{Code, Decision};
use interplant_domain::identifier::{LifecycleId, PlantCode};
use interplant_domain::lifecycle::GivenDecision;

use crate::faults::send_all;
use crate::order::{Order, assert_done_once, new_orders, send, settle};
use crate::setting::{
    alone, beside_others, decide, failpoints, given, lifecycle, plant_b, project, until,
};

/// Waits until nothing of a plant waits for its place in the chain.
pub(crate) async fn linked(world: &World, plant: &PlantCode) {
    let context = &world.cloud.context;
    until("every note is linked", async || {
        let waiting = context.audit.waiting(plant, 1).await.unwrap();
        if !waiting.is_empty() {
            context.queues.tick(Duration::ZERO).await.unwrap();
        }
        waiting.is_empty()
    })
    .await;
}

pub(crate) async fn notes(world: &World, id: &LifecycleId) -> Vec<Note> {
    let records = world.cloud.context.audit.of_lifecycle(id).await.unwrap();
    let read = records
        .iter()
        .map(|text| serde_json::from_str(text).unwrap());
    read.collect()
}

/// The chain is whole, and each thing that was done for these orders is in it once.
pub(crate) async fn assert_complete(world: &World, orders: &[Order]) {
    let context = &world.cloud.context;
    linked(world, &plant_b()).await;
    let verified = verify(context, &plant_b()).await.unwrap().unwrap();
    assert!(verified.records > 0);
    for order in orders {
        let notes = notes(world, &order.id()).await;
        let ids: BTreeSet<_> = notes.iter().map(|note| &note.id).collect();
        assert_eq!(ids.len(), notes.len(), "{}: {notes:?}", order.number);
        let history = context.store.history(&order.id()).await.unwrap();
        let mut done: Vec<_> = history
            .operations
            .iter()
            .map(|done| (done.operation.sequence, done.operation.step.to_string()))
            .collect();
        let mut told: Vec<_> = notes
            .iter()
            .filter(|note| note.action == Action::StepDone)
            .map(|note| {
                (
                    note.subject.position.unwrap(),
                    note.decided.step.clone().unwrap(),
                )
            })
            .collect();
        done.sort();
        told.sort();
        assert_eq!(told, done, "{}: {notes:?}", order.number);
    }
}

async fn said(arguments: &[&str]) -> Result<ExitCode, String> {
    let local = project().join(".local/lifecycles");
    let words = [
        &["interplant", "--local", local.to_str().unwrap()],
        arguments,
    ]
    .concat();
    run(Interplant::try_parse_from(words).unwrap())
        .await
        .map_err(|failure| failure.to_string())
}

#[test]
fn what_was_done_is_in_the_audit_once_although_its_writers_are_killed_after_the_effect_and_the_sequencer_before_and_after_the_append()
 {
    alone(async |world| {
        let points = [
            "create.after_confirm",
            "receive.after_validate",
            "post_invoice.after_post",
            "step.before_record",
            "audit.before_link",
            "audit.after_link",
            "audit.after_anchor",
        ];
        let orders = new_orders(world, 4).await;
        linked(world, &plant_b()).await;
        for point in points {
            std::fs::write(failpoints().join(point), "").unwrap();
        }
        send_all(world, &orders).await;
        settle(world, &orders).await;
        assert_complete(world, &orders).await;
        for order in &orders {
            assert_done_once(world, order, 1).await;
            let closed = notes(world, &order.id()).await;
            let closed = closed.iter().filter(|note| note.action == Action::Closed);
            assert_eq!(closed.count(), 1, "{}", order.number);
        }
        until("the end of the chain is anchored", async || {
            let head = world.cloud.context.audit.head(&plant_b()).await.unwrap();
            let anchors = world.cloud.context.audit.anchors(&plant_b()).await.unwrap();
            anchors
                .last()
                .is_some_and(|anchor| anchor.sequence == head.sequence)
        })
        .await;
        let left: Vec<_> = std::fs::read_dir(failpoints())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert!(left.is_empty(), "nobody was killed at {left:?}");
    });
}

#[test]
fn a_persons_decision_is_in_the_audit_with_name_reason_and_what_was_at_risk_but_no_account() {
    beside_others(async |world| {
        let orders = new_orders(world, 1).await;
        let order = &orders[0];
        for fact in [order.created(), order.acknowledged(), order.received()] {
            send(world, &fact).await;
        }
        send(world, &order.invoiced_at("dear", "", "40", "510.3")).await;
        settle(world, &orders).await;
        let raised = lifecycle(world, &order.id()).await.exceptions[0].clone();
        let given = GivenDecision {
            by: "anna@plant-b.example".to_owned(),
            reason: "agreed, credit goes to DE89 3704 0044 0532 0130 00".to_owned(),
            ..given(&raised, Decision::Skip)
        };
        decide(world, &order.id(), &given).await.unwrap();
        settle(world, &orders).await;
        linked(world, &plant_b()).await;
        let notes = notes(world, &order.id()).await;
        let of = |action: Action| notes.iter().find(|note| note.action == action).unwrap();
        let asked = of(Action::ExceptionRaised);
        assert_eq!(asked.decided.code, Some(Code::Price));
        assert!(matches!(asked.actor, Actor::Component { .. }) && asked.decided.owner.is_some());
        let decided = of(Action::ExceptionDecided);
        assert_eq!(decided.actor, Actor::Person(given.by.clone()));
        assert_eq!(decided.decided.decision, Some(Decision::Skip));
        assert_eq!(decided.subject.exception.as_ref(), Some(&raised.id));
        assert_eq!(
            decided.decided.amount_at_risk,
            raised.exception.amount_at_risk
        );
        let reason = decided.decided.reason.as_deref();
        assert_eq!(reason, Some("agreed, credit goes to …3000"));
        let skipped = of(Action::FactSkipped);
        assert_eq!(skipped.actor, Actor::Person(given.by.clone()));
        assert!(skipped.inputs.fact.is_some(), "{skipped:?}");
        let all = serde_json::to_string(&notes).unwrap();
        assert!(!all.contains("38.2935") && !all.contains("0532"), "{all}");
    });
}

#[test]
fn a_plants_audit_is_exported_and_a_changed_export_is_told_from_the_true_one() {
    beside_others(async |world| {
        let orders = new_orders(world, 1).await;
        send(world, &orders[0].created()).await;
        settle(world, &orders).await;
        linked(world, &plant_b()).await;
        assert_eq!(said(&["audit", "verify"]).await, Ok(ExitCode::SUCCESS));
        let id = orders[0].id().to_string();
        assert_eq!(said(&["audit", "show", &id]).await, Ok(ExitCode::SUCCESS));
        let folder = project().join(".local/lifecycles/audit");
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join(format!("{}.jsonl", orders[0].number));
        let path = file.to_str().unwrap();
        let export = ["audit", "export", "--plant", "plant-b", "--out", path];
        assert_eq!(said(&export).await, Ok(ExitCode::SUCCESS));
        let verify = ["audit", "verify", "--file", path];
        assert_eq!(said(&verify).await, Ok(ExitCode::SUCCESS));
        let text = std::fs::read_to_string(&file).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let middle = lines.len() / 2;
        let without = |at: usize| {
            let left = lines.iter().enumerate().filter(|(index, _)| *index != at);
            left.map(|(_, line)| format!("{line}\n"))
                .collect::<String>()
        };
        for wrong in [
            text.replace(&id, "po/plant-b/other"),
            without(middle),
            without(lines.len() - 1),
            text.clone() + lines[middle] + "\n",
        ] {
            std::fs::write(&file, wrong).unwrap();
            assert_eq!(said(&verify).await, Ok(ExitCode::FAILURE));
        }
        std::fs::remove_file(&file).unwrap();
    });
}
