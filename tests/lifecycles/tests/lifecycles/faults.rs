//! Accidents: processes killed, answers lost, Odoo down, executions gone.

use std::time::Duration;

use interplant_cli::world::World;
use interplant_domain::lifecycle::Wait;
use interplant_odoo_sandbox::{Fault, FaultKind, Sandbox};
use interplant_runtime::store::Store;

use crate::audit;
use crate::order::{Order, assert_done_once, delivered, new_orders, send, settle};
use crate::setting::{alone, failpoints, lifecycle, until};

/// The sandbox, or a line that says what a real server cannot be made to do.
pub(crate) fn sandbox<'a>(world: &'a World, what: &str) -> Option<&'a Sandbox> {
    if world.sandbox.is_none() {
        println!("not shown against a real Odoo, which cannot be told to do it: {what}");
    }
    world.sandbox.as_ref()
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
        until("every order waits for Odoo", async || {
            for order in &orders {
                let waiter = lifecycle(world, &order.id()).await.waiter;
                if waiter.is_none_or(|waiter| waiter.wait != Wait::Odoo) {
                    return false;
                }
            }
            true
        })
        .await;
        // While they wait, Odoo is asked whether it is back, and by nobody else.
        let before = sandbox.calls().len();
        until("Odoo is asked again and again", async || {
            sandbox.calls().len() >= before + 5
        })
        .await;
        let states = world
            .cloud
            .context
            .engine
            .states_entered(&orders[0].id(), 1)
            .await
            .unwrap()
            .len();
        sandbox.clear_faults();
        assert_all_done_once(world, &orders).await;
        assert!(states <= 8, "waiting costs no transitions: {states}");
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
