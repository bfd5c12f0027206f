//! Exceptions, and the people who decide them.

use interplant_cli::world::World;
use interplant_domain::exception::{Code, Decision};
use interplant_domain::lifecycle::{GivenDecision, Status, Wait};
use interplant_domain::mailbox::RaisedException;
use interplant_runtime::protocol::DecideError;
use serde_json::{Value, json};

use crate::order::{Order, assert_done_once, new_order, new_orders, send, settle};
use crate::setting::{self, beside_others, given, lifecycle, plant_b};

async fn raised(world: &World, order: &Order, code: Code) -> (RaisedException, u64) {
    let lifecycle = lifecycle(world, &order.id()).await;
    let waits = lifecycle.waiter.as_ref().map(|waiter| waiter.wait);
    let raised = lifecycle.exceptions.first().cloned().unwrap();
    // What has begun in Odoo stops the document, what has not lets other facts pass.
    let expected = if raised.blocks {
        Wait::Decision
    } else {
        Wait::Fact
    };
    assert_eq!(waits, Some(expected), "{:?}", lifecycle.header);
    let told = raised.exception.code == code || raised.exception.along.contains(&code);
    assert!(told, "{:?}", raised.exception);
    assert!(
        raised.owner.contains('@') && raised.due_at > raised.raised_at,
        "{raised:?}"
    );
    (raised, lifecycle.header.revision)
}

async fn decide(
    world: &World,
    order: &Order,
    raised: &RaisedException,
    decision: Decision,
    revision: Option<u64>,
) -> Result<(), DecideError> {
    let given = GivenDecision {
        seen_revision: revision,
        ..given(raised, decision)
    };
    setting::decide(world, &order.id(), &given).await
}

#[test]
fn a_wrong_price_waits_for_the_accountant_and_the_corrected_invoice_is_paid_once() {
    beside_others(async |world| {
        let orders = new_orders(world, 1).await;
        let order = &orders[0];
        for fact in [order.created(), order.acknowledged(), order.received()] {
            send(world, &fact).await;
        }
        send(world, &order.invoiced_at("wrong", "-wrong", "40", "510.3")).await;
        settle(world, &orders).await;
        let (price, revision) = raised(world, order, Code::Price).await;
        assert!(
            price.exception.message.contains("40 against 38.2935"),
            "{}",
            price.exception.message
        );
        send(world, &order.invoiced()).await;
        settle(world, &orders).await;
        let stale = decide(world, order, &price, Decision::Skip, Some(revision - 1)).await;
        assert!(matches!(stale, Err(DecideError::Stale(_))), "{stale:?}");
        // The right invoice was paid meanwhile: nothing waits for this decision but the order's end.
        let (_, revision) = raised(world, order, Code::Price).await;
        decide(world, order, &price, Decision::Skip, Some(revision))
            .await
            .unwrap();
        settle(world, &orders).await;
        assert_done_once(world, order, 1).await;
        let again = decide(world, order, &price, Decision::Skip, None).await;
        assert!(
            matches!(again, Err(DecideError::Stale(_))),
            "decided once: {again:?}"
        );
        let road = world
            .cloud
            .context
            .road(&order.id())
            .await
            .unwrap()
            .unwrap();
        let resolution = road
            .exceptions
            .iter()
            .find(|raised| raised.id == price.id)
            .unwrap()
            .resolution
            .clone()
            .unwrap();
        assert_eq!(
            (resolution.by.as_str(), resolution.decision),
            ("tester", Some(Decision::Skip))
        );
    });
}

#[test]
fn a_supplier_that_odoo_does_not_know_is_created_and_the_order_tried_again() {
    beside_others(async |world| {
        let known = new_orders(world, 1).await.remove(0);
        let order = Order {
            supplier: format!("NEW-{}", known.number),
            ..new_order()
        };
        send(world, &order.created()).await;
        settle(world, std::slice::from_ref(&order)).await;
        let (unknown, _) = raised(world, &order, Code::UnknownPartner).await;
        let external =
            world.plants[&plant_b()].partner(&interplant_domain::fact::Code::new(&order.supplier));
        assert!(
            unknown.exception.message.contains(external.as_str()),
            "{}",
            unknown.exception.message
        );
        decide(world, &order, &unknown, Decision::Retry, None)
            .await
            .unwrap();
        settle(world, std::slice::from_ref(&order)).await;
        let (again, _) = raised(world, &order, Code::UnknownPartner).await;
        assert_ne!(
            again.id, unknown.id,
            "a cause that comes back is a new exception"
        );
        world
            .create_masters(&plant_b(), &[order.created()])
            .await
            .unwrap();
        decide(world, &order, &again, Decision::Retry, None)
            .await
            .unwrap();
        for fact in [order.acknowledged(), order.received(), order.invoiced()] {
            send(world, &fact).await;
        }
        settle(world, std::slice::from_ref(&order)).await;
        assert_done_once(world, &order, 1).await;
    });
}

#[test]
fn a_cancelled_lifecycle_stops_and_leaves_odoo_as_it_is() {
    beside_others(async |world| {
        let orders = new_orders(world, 1).await;
        let order = &orders[0];
        send(world, &order.created()).await;
        send(world, &order.received_of("much", "-much", "13", "0")).await;
        settle(world, &orders).await;
        let (over, _) = raised(world, order, Code::OverReceipt).await;
        decide(world, order, &over, Decision::Cancel, None)
            .await
            .unwrap();
        settle(world, &orders).await;
        let ended = lifecycle(world, &order.id()).await;
        assert_eq!(
            (ended.header.status, ended.entries.len()),
            (Status::Cancelled, 0)
        );
        let found = world
            .odoo
            .search_read(
                "purchase.order",
                json!([["origin", "=", order.id().to_string()]]),
                &["state"],
            )
            .await
            .unwrap();
        assert_eq!(found.len(), 1, "the order is still there");
    });
}

#[test]
fn facts_that_do_not_fit_the_order_are_named_exceptions() {
    beside_others(async |world| {
        let change = |mut fact: Value, pointer: &str, value: Value| {
            *fact.pointer_mut(pointer).unwrap() = value;
            fact
        };
        let orders = new_orders(world, 7).await;
        let mut too_much = change(orders[4].invoiced(), "/data/lines/0/qty", json!("13"));
        too_much["data"]["totals"] = json!({"net": "528.12", "tax": "0", "gross": "528.12"});
        let cases: Vec<(&Order, Value, Code)> = vec![
            (
                &orders[0],
                change(orders[0].received(), "/data/lines/0/lineNo", json!("99")),
                Code::UnknownLine,
            ),
            (
                &orders[1],
                change(
                    orders[1].acknowledged(),
                    "/data/lines/0/status",
                    json!("substituted"),
                ),
                Code::Substituted,
            ),
            (
                &orders[2],
                change(orders[2].invoiced(), "/data/supplierId", json!("SOMEBODY")),
                Code::Party,
            ),
            (
                &orders[3],
                change(orders[3].invoiced(), "/data/currency", json!("EUR")),
                Code::Party,
            ),
            (&orders[4], too_much, Code::QuantityOrdered),
            (
                &orders[5],
                orders[5].invoiced_at("sums", "-sums", "38.2935", "500"),
                Code::InvoiceTotals,
            ),
            (
                &orders[6],
                change(orders[6].created(), "/data/lines/0/uom", json!("FURLONG")),
                Code::UnknownCode,
            ),
        ];
        for (order, fact, code) in &cases {
            if *code != Code::UnknownCode {
                send(world, &order.created()).await;
            }
            if fact["type"] == "interplant.invoice.received.v1" {
                send(world, &order.received()).await;
            }
            send(world, fact).await;
        }
        settle(world, &orders).await;
        for (order, _, code) in &cases {
            raised(world, order, *code).await;
        }
    });
}

#[test]
fn a_fact_with_another_content_under_the_same_number_is_held_and_the_first_one_stays_in_force() {
    beside_others(async |world| {
        let orders = new_orders(world, 1).await;
        let order = &orders[0];
        for fact in order.facts() {
            send(world, &fact).await;
        }
        let mut other = order.received();
        other["id"] = json!(format!("{}-other", order.number));
        other["data"]["lines"][0]["qtyReceived"] = json!("11");
        let answer = world
            .sender(&plant_b())
            .unwrap()
            .event(&other)
            .await
            .unwrap();
        assert_eq!(
            (answer.status, &answer.body["status"]),
            (202, &json!("held")),
            "{}",
            answer.body
        );
        settle(world, &orders).await;
        assert_done_once(world, order, 1).await;
        let lifecycle = lifecycle(world, &order.id()).await;
        let conflict = &lifecycle.exceptions[0];
        assert_eq!(
            (conflict.exception.code, conflict.id.as_str()),
            (
                Code::ConflictingFact,
                answer.body["exception"].as_str().unwrap()
            )
        );
        let again = world
            .sender(&plant_b())
            .unwrap()
            .event(&other)
            .await
            .unwrap();
        assert_eq!(
            (again.status, again.replayed, &again.body["exception"]),
            (200, true, &answer.body["exception"])
        );
        let conflict = conflict.clone();
        for decision in [Decision::Cancel, Decision::Retry] {
            let refused = decide(world, order, &conflict, decision, None).await;
            assert!(matches!(refused, Err(DecideError::Stale(_))), "{refused:?}");
        }
        decide(world, order, &conflict, Decision::Skip, None)
            .await
            .unwrap();
        assert_done_once(world, order, 1).await;
    });
}
