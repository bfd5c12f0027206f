//! Accidents: processes killed, answers lost, Odoo down, executions gone.

use std::time::Duration;

use interplant_cli::world::World;
use interplant_domain::exception::{Code, Decision};
use interplant_domain::lane::{Circuit, Lane};
use interplant_odoo_sandbox::{Fault, FaultKind, Sandbox};
use interplant_runtime::store::Store;

use crate::audit;
use crate::order::{Order, assert_done_once, delivered, new_orders, send, settle};
use crate::setting::{alone, decide, failpoints, given, lifecycle, until};

/// The sandbox, or a line that says what a real server cannot be made to do.
pub(crate) fn sandbox<'a>(world: &'a World, what: &str) -> Option<&'a Sandbox> {
    if world.sandbox.is_none() {
        println!("not shown against a real Odoo, which cannot be told to do it: {what}");
    }
    world.sandbox.as_ref()
}

/// What comes next finds that Odoo answers: then nobody counts any more.
async fn assert_calms_down(world: &World, database: &str) {
    until("nobody counts any more", async || {
        if lane(world, database).await.is_calm() {
            return true;
        }
        let next = new_orders(world, 1).await;
        send_all(world, &next).await;
        settle(world, &next).await;
        false
    })
    .await;
}

/// Sends all facts and waits until each is in its mailbox, whoever has to bring it there.
pub(crate) async fn send_all(world: &World, orders: &[Order]) {
    for turn in 0..4 {
        for order in orders {
            send_in_spite(world, &order.facts()[turn]).await;
        }
    }
    for order in orders {
        for fact in order.facts() {
            delivered(world, &fact).await;
        }
    }
}

/// Sends until it is acknowledged, as a sender does whose request broke off.
pub(crate) async fn send_in_spite(world: &World, fact: &serde_json::Value) {
    let sender = world.sender(&crate::setting::plant_b()).unwrap();
    until("the fact is acknowledged", async || {
        let answer = sender.event(fact).await;
        answer.is_ok_and(|answer| matches!(answer.status, 200 | 202))
    })
    .await;
}

async fn assert_all_done_once(world: &World, orders: &[Order]) {
    settle(world, orders).await;
    for order in orders {
        assert_done_once(world, order, 1).await;
    }
}

#[test]
fn a_process_killed_at_any_point_leaves_one_effect_each() {
    alone(async |world| {
        const POINTS: [&str; 15] = [
            "ingest.after_inbox",
            "ingest.after_queue",
            "route.after_append",
            "route.after_generation",
            "route.after_wake",
            "route.before_routed",
            "park.after_park",
            "create.after_load",
            "create.after_confirm",
            "amend.after_write",
            "receive.after_declare",
            "receive.after_validate",
            "post_invoice.after_load",
            "post_invoice.after_post",
            "step.before_record",
        ];
        let orders = new_orders(world, POINTS.len()).await;
        for point in POINTS {
            std::fs::write(failpoints().join(point), "").unwrap();
        }
        send_all(world, &orders).await;
        assert_all_done_once(world, &orders).await;
        // With an Odoo that takes its time the facts of an order are all there before it waits for one.
        let waits = new_orders(world, 1).await;
        send(world, &waits[0].created()).await;
        settle(world, &waits).await;
        for fact in waits[0].facts().into_iter().skip(1) {
            send_in_spite(world, &fact).await;
        }
        assert_all_done_once(world, &waits).await;
        let left: Vec<_> = std::fs::read_dir(failpoints())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert!(left.is_empty(), "nobody was killed at {left:?}");
        audit::assert_complete(world, &orders).await;
    });
}

#[test]
fn answers_that_are_lost_after_the_effect_leave_one_effect_each() {
    alone(async |world| {
        let Some(sandbox) = sandbox(world, "drop the answer after the effect") else {
            return;
        };
        let calls = [
            ("purchase.order", "load"),
            ("purchase.order", "button_confirm"),
            ("purchase.order", "web_read"),
            ("purchase.order", "web_save"),
            ("stock.picking", "web_save"),
            ("stock.picking", "button_validate"),
            ("account.move", "load"),
            ("account.move", "web_read"),
            ("account.move", "action_post"),
        ];
        for kind in [
            FaultKind::DropAnswer,
            FaultKind::Truncate,
            FaultKind::Html,
            FaultKind::Refuse,
        ] {
            for (model, method) in calls {
                sandbox.add_fault(Fault::new(kind).on(model, method).times(1));
            }
        }
        let orders = new_orders(world, 10).await;
        send_all(world, &orders).await;
        // So many failures open the circuit again and again.
        assert_all_done_once(world, &orders).await;
        sandbox.clear_faults();
    });
}

#[test]
fn odoo_answering_502_holds_the_orders_and_lets_them_go_on_when_it_is_back() {
    alone(async |world| {
        let Some(sandbox) = sandbox(world, "answer 502") else {
            return;
        };
        let orders = new_orders(world, 6).await;
        for order in &orders {
            send(world, &order.created()).await;
        }
        settle(world, &orders).await;
        sandbox.add_fault(Fault::new(FaultKind::Status).status(502));
        sandbox.reset_calls();
        for order in &orders {
            for fact in [order.acknowledged(), order.received(), order.invoiced()] {
                send(world, &fact).await;
            }
        }
        let database = &world.plants[&crate::setting::plant_b()].odoo.database;
        until("nobody calls Odoo any more", async || {
            lane(world, database).await.is_open()
        })
        .await;
        // In the middle of a step, or with a fact that waits to be looked at.
        until("every order waits for Odoo", async || {
            let store = &world.cloud.context.store;
            store.waiting_in(database).await.unwrap() == orders.len()
        })
        .await;
        sandbox.reset_calls();
        let started = std::time::Instant::now();
        // A probe is one read of a model here.
        let probes = || {
            let calls = sandbox.calls();
            let probes = calls.iter().filter(|call| call.method == "fields_get");
            let probes = probes.count();
            assert_eq!(calls.len(), probes, "somebody else calls: {calls:?}");
            probes
        };
        until("Odoo is asked again and again", async || probes() >= 5).await;
        // This cloud leaves an Odoo alone for two seconds. In an hour of a real one that is 120 times.
        let most = started.elapsed().as_secs() / 2 + 1;
        assert!(probes() as u64 <= most, "asked {} times", probes());
        let engine = &world.cloud.context.engine;
        let states = engine.states_entered(&orders[0].id(), 1).await.unwrap();
        let states = states.len();
        sandbox.clear_faults();
        assert_all_done_once(world, &orders).await;
        assert_calms_down(world, database).await;
        assert!(states <= 8, "waiting costs no transitions: {states}");
        for order in &orders {
            let states = engine.states_entered(&order.id(), 1).await.unwrap().len();
            // The tidy road has 13; the step that met the outage, the wait and the way back are three more.
            assert!(states <= 16, "{}: {states} states", order.id());
        }
    });
}

async fn lane(world: &World, database: &str) -> Lane {
    world.cloud.context.store.lane(database).await.unwrap()
}

#[test]
fn a_slow_odoo_is_asked_less_at_once_and_no_call_is_given_up() {
    alone(async |world| {
        let Some(sandbox) = sandbox(world, "take its time") else {
            return;
        };
        let database = &world.plants[&crate::setting::plant_b()].odoo.database;
        sandbox.add_fault(Fault::new(FaultKind::Delay).milliseconds(2500));
        let orders = new_orders(world, 10).await;
        for order in &orders {
            send(world, &order.created()).await;
        }
        let mut lowest = None;
        until("less is asked at once", async || {
            if let Circuit::Limited { limit, .. } = lane(world, database).await.circuit {
                lowest = lowest.max(Some(limit)).min(Some(limit));
            }
            lowest.is_some_and(|limit| limit <= 4)
        })
        .await;
        settle(world, &orders).await;
        for order in &orders {
            let history = world
                .cloud
                .context
                .store
                .history(&order.id())
                .await
                .unwrap();
            let tries: Vec<u32> = history
                .operations
                .iter()
                .map(|done| done.operation.attempts)
                .collect();
            assert_eq!(tries, [1], "no call was given up: {}", order.id());
        }
        sandbox.clear_faults();
        for order in &orders {
            for fact in [order.acknowledged(), order.received(), order.invoiced()] {
                send(world, &fact).await;
            }
        }
        assert_all_done_once(world, &orders).await;
        assert_calms_down(world, database).await;
    });
}

/// Of each flow one order has a fact that kills whoever works on it: order, notice, receipt, invoice.
#[test]
fn a_fact_that_kills_its_step_stops_its_own_order_and_nobody_elses() {
    alone(async |world| {
        let orders = new_orders(world, 6).await;
        let kill = |order: &Order, point: &str| {
            failpoints().join(format!("{point}@{}", order.id().hash()))
        };
        let points = [
            kill(&orders[0], "create.after_load"),
            kill(&orders[1], "step.before_record"),
            kill(&orders[2], "receive.after_declare"),
            kill(&orders[3], "post_invoice.after_load"),
        ];
        std::fs::write(&points[0], "").unwrap();
        for order in &orders {
            send(world, &order.created()).await;
        }
        settle(world, &orders[1..]).await;
        for point in &points {
            std::fs::write(point, "").unwrap();
        }
        send(world, &orders[1].announced()).await;
        for order in &orders {
            for fact in [order.acknowledged(), order.received(), order.invoiced()] {
                send(world, &fact).await;
            }
        }
        let (poisoned, others) = orders.split_at(4);
        let mut raised = Vec::new();
        for order in poisoned {
            let open = async || {
                let exceptions = lifecycle(world, &order.id()).await.exceptions;
                exceptions
                    .into_iter()
                    .find(|raised| raised.exception.code == Code::StepFails)
            };
            until("a person is told", async || open().await.is_some()).await;
            let told = open().await.unwrap();
            assert!(told.blocks && !told.owner.is_empty());
            raised.push(told);
        }
        assert_all_done_once(world, others).await;
        for point in &points {
            std::fs::remove_file(point).unwrap();
        }
        for (order, raised) in poisoned.iter().zip(&raised) {
            let given = given(raised, Decision::Retry);
            decide(world, &order.id(), &given).await.unwrap();
        }
        assert_all_done_once(world, &orders).await;
    });
}

#[test]
fn a_restart_of_the_emulator_loses_every_execution_and_nothing_else() {
    alone(async |world| {
        let orders = new_orders(world, 6).await;
        for (index, order) in orders.iter().enumerate() {
            send(world, &order.created()).await;
            if index % 2 == 0 {
                send(world, &order.received()).await;
            }
        }
        // Some orders wait, some are in the middle of a step.
        for order in orders.iter().take(3) {
            delivered(world, &order.created()).await;
        }
        world.cloud.restart().await.unwrap();
        for order in &orders {
            for fact in [order.acknowledged(), order.received(), order.invoiced()] {
                send_in_spite(world, &fact).await;
            }
        }
        assert_all_done_once(world, &orders).await;
        let mut generations = Vec::new();
        for order in &orders {
            generations.push(lifecycle(world, &order.id()).await.header.generation);
        }
        assert!(
            generations.iter().any(|generation| *generation > 1),
            "executions were lost: {generations:?}"
        );
    });
}

#[test]
fn an_execution_that_somebody_stops_is_followed_by_the_next_generation() {
    alone(async |world| {
        let orders = new_orders(world, 1).await;
        let order = &orders[0];
        send(world, &order.created()).await;
        settle(world, &orders).await;
        world
            .cloud
            .context
            .engine
            .stop(&order.id(), 1)
            .await
            .unwrap();
        until("the sweeper starts the next generation", async || {
            world
                .cloud
                .context
                .queues
                .tick(Duration::ZERO)
                .await
                .unwrap();
            world
                .cloud
                .context
                .store
                .load(&order.id())
                .await
                .unwrap()
                .is_some_and(|lifecycle| lifecycle.header.generation == 2)
        })
        .await;
        for fact in [order.acknowledged(), order.received(), order.invoiced()] {
            send(world, &fact).await;
        }
        assert_all_done_once(world, &orders).await;
    });
}
