//! The road without accidents, in every order.

use interplant_cli::facts::readdressed;
use interplant_domain::lifecycle::Status;
use interplant_domain::mailbox::EntryState;
use serde_json::{Value, json};

use crate::order::{
    assert_done_once, assert_fact_is_readable, delivered, new_orders, send, send_nervously, settle,
};
use crate::setting::{alone, beside_others, lifecycle, plant_b, until};

fn permutations(of: &[usize]) -> Vec<Vec<usize>> {
    if of.len() < 2 {
        return vec![of.to_vec()];
    }
    let mut all = Vec::new();
    for (index, first) in of.iter().enumerate() {
        let mut rest = of.to_vec();
        rest.remove(index);
        all.extend(
            permutations(&rest)
                .into_iter()
                .map(|tail| [vec![*first], tail].concat()),
        );
    }
    all
}

#[test]
fn all_24_orders_of_the_four_facts_sent_twice_and_again_after_the_end_have_one_effect_each() {
    beside_others(async |world| {
        let permutations = permutations(&[0, 1, 2, 3]);
        assert_eq!(permutations.len(), 24);
        let orders = new_orders(world, permutations.len()).await;
        for turn in 0..4 {
            for (order, permutation) in orders.iter().zip(&permutations) {
                send_nervously(world, &order.facts()[permutation[turn]]).await;
            }
            for (order, permutation) in orders.iter().zip(&permutations) {
                delivered(world, &order.facts()[permutation[turn]]).await;
            }
        }
        settle(world, &orders).await;
        for order in &orders {
            for fact in order.facts() {
                assert_fact_is_readable(&fact);
                send_nervously(world, &fact).await;
                send(world, &readdressed(&readdressed(&fact))).await;
            }
        }
        settle(world, &orders).await;
        let mut outcomes = Vec::new();
        for order in &orders {
            assert_done_once(world, order, 1).await;
            outcomes.push(
                order.outcome(
                    lifecycle(world, &order.id())
                        .await
                        .header
                        .order
                        .as_ref()
                        .unwrap(),
                ),
            );
        }
        outcomes.dedup();
        assert_eq!(
            outcomes.len(),
            1,
            "every order of facts ends alike: {outcomes:#?}"
        );
    });
}

#[test]
fn the_road_costs_at_most_three_and_a_half_transitions_a_fact_and_ten_calls_to_odoo() {
    alone(async |world| {
        let orders = new_orders(world, 2).await;
        // The first order warms connections up: they ask Odoo once for version, user and digits.
        for order in &orders {
            if let Some(sandbox) = &world.sandbox {
                sandbox.reset_calls();
            }
            for fact in order.facts() {
                send(world, &fact).await;
                delivered(world, &fact).await;
                settle(world, std::slice::from_ref(order)).await;
            }
            assert_done_once_without_counting(world, order).await;
        }
        let id = orders[1].id();
        let generation = lifecycle(world, &id).await.header.generation;
        let mut states = Vec::new();
        for generation in 1..=generation {
            states.extend(
                world
                    .cloud
                    .context
                    .engine
                    .states_entered(&id, generation)
                    .await
                    .unwrap(),
            );
        }
        let names: Vec<_> = states.iter().map(|(_, name)| name.as_str()).collect();
        println!(
            "{} state transitions for 4 facts: {}",
            names.len(),
            names.join(" ")
        );
        assert!(names.len() <= 14, "{names:?}");
        let Some(sandbox) = &world.sandbox else {
            println!("calls to Odoo are counted with the sandbox only; this is a real server");
            return;
        };
        let business = ["purchase.order", "stock.picking", "account.move"];
        let calls: Vec<String> = sandbox
            .calls()
            .iter()
            .filter(|call| business.contains(&call.model.as_str()) && call.method != "fields_get")
            .map(|call| format!("{}.{}", call.model, call.method))
            .collect();
        println!("{} calls to Odoo: {}", calls.len(), calls.join(" "));
        let posted = calls
            .iter()
            .position(|call| call == "account.move.action_post")
            .unwrap();
        assert!(
            posted < 10,
            "order, acknowledgement, receipt, bill and posting: {calls:?}"
        );
        assert_eq!(
            calls.len(),
            posted + 2,
            "closing reads the bill back: {calls:?}"
        );
    });
}

/// As `assert_done_once`, but without asking Odoo, whose calls are being counted.
async fn assert_done_once_without_counting(
    world: &interplant_cli::world::World,
    order: &crate::order::Order,
) {
    let lifecycle = lifecycle(world, &order.id()).await;
    assert_eq!(
        lifecycle.header.status,
        Status::Closed,
        "{:?} {:?}",
        lifecycle.exceptions,
        lifecycle.entries
    );
}

#[test]
fn two_partial_receipts_and_one_invoice_close_the_order() {
    beside_others(async |world| {
        let orders = new_orders(world, 3).await;
        for order in &orders {
            send(world, &order.created()).await;
            send(world, &order.received_of("first", "-1", "5", "7.5")).await;
            send(world, &order.invoiced()).await;
        }
        settle(world, &orders).await;
        for order in &orders {
            let waiting = lifecycle(world, &order.id()).await;
            let parked = waiting.entries.iter().any(|entry| matches!(&entry.state, EntryState::Parked { reason, .. } if reason.contains("12 against 5")));
            assert!(
                parked,
                "the invoice waits for the rest: {:?}",
                waiting.entries
            );
            send(world, &order.received_of("second", "-2", "7", "0")).await;
        }
        settle(world, &orders).await;
        for order in &orders {
            assert_done_once(world, order, 2).await;
        }
    });
}

#[test]
fn facts_that_come_at_the_very_moment_an_execution_begins_to_wait_are_not_lost() {
    beside_others(async |world| {
        let orders = new_orders(world, 16).await;
        // All four facts of all orders at once, the creating one last: every wake-up races a wait.
        let sender = world.sender(&plant_b()).unwrap();
        for turn in [3, 2, 1, 0] {
            let batch: Vec<Value> = orders
                .iter()
                .map(|order| order.facts()[turn].clone())
                .collect();
            let answer = sender
                .post(
                    interplant_cli::api::BATCH,
                    serde_json::to_string(&batch).unwrap(),
                )
                .await
                .unwrap();
            assert_eq!(answer.status, 202, "{}", answer.body);
        }
        settle(world, &orders).await;
        for order in &orders {
            assert_done_once(world, order, 1).await;
        }
    });
}

#[test]
fn a_fact_whose_order_never_came_is_parked_then_told_to_a_person_then_applied_by_itself() {
    alone(async |world| {
        let mut impatient = world.plants[&plant_b()].clone();
        impatient.due.predecessor_hours = 0;
        world
            .cloud
            .context
            .plants
            .publish(&impatient)
            .await
            .unwrap();
        let orders = new_orders(world, 1).await;
        let order = &orders[0];
        send(world, &order.received()).await;
        let overdue = until_raised(world, order).await;
        world
            .cloud
            .context
            .plants
            .publish(&world.plants[&plant_b()].clone())
            .await
            .unwrap();
        assert_eq!(overdue, "PREDECESSOR_OVERDUE");
        let waiting = lifecycle(world, &order.id()).await;
        assert_eq!(waiting.header.status, Status::Expected);
        let found = world
            .odoo
            .search_read(
                "purchase.order",
                json!([["origin", "=", order.id().to_string()]]),
                &["id"],
            )
            .await
            .unwrap();
        assert_eq!(found, [], "nothing reached Odoo");
        for fact in [order.created(), order.acknowledged(), order.invoiced()] {
            send(world, &fact).await;
        }
        settle(world, &orders).await;
        assert_done_once(world, order, 1).await;
        let road = world
            .cloud
            .context
            .road(&order.id())
            .await
            .unwrap()
            .unwrap();
        assert!(
            road.exceptions
                .iter()
                .all(|raised| raised.resolution.is_some()),
            "{:?}",
            road.exceptions
        );
    });
}

async fn until_raised(world: &interplant_cli::world::World, order: &crate::order::Order) -> String {
    let mut code = String::new();
    until("somebody is told", async || {
        world
            .cloud
            .context
            .queues
            .tick(std::time::Duration::ZERO)
            .await
            .unwrap();
        let lifecycle = world.lifecycle(&order.id()).await.unwrap();
        let raised = lifecycle.and_then(|lifecycle| {
            lifecycle
                .exceptions
                .first()
                .map(|raised| raised.exception.code.to_string())
        });
        code = raised.unwrap_or_default();
        !code.is_empty()
    })
    .await;
    code
}
