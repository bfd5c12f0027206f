//! The recovery grid, docs/recovery-grid.yaml: what breaks, for the order, the supplier's notice, the receipt and the
//! invoice. Each test ends with what Odoo and the record hold, and with everything sent once more, which changes nothing.

use interplant_cli::api::BATCH;
use interplant_cli::facts::readdressed;
use interplant_cli::world::World;
use interplant_domain::exception::{Code, Decision};
use interplant_domain::lifecycle::Wait;
use interplant_domain::purchase_order::PurchaseOrder;
use interplant_odoo_sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::audit;
use crate::faults::{sandbox, send_in_spite};
use crate::order::{Order, assert_done_once, delivered, new_orders, send, send_nervously, settle};
use crate::setting::{alone, decide, failpoints, given, lifecycle, plant_b, until};

/// The five facts of an order, in the order of the business.
fn facts(order: &Order) -> [Value; 5] {
    [
        order.created(),
        order.acknowledged(),
        order.announced(),
        order.received(),
        order.invoiced(),
    ]
}

/// What Odoo and the record hold of an order.
async fn standing(world: &World, order: &Order) -> String {
    let found = lifecycle(world, &order.id()).await;
    let history = world
        .cloud
        .context
        .store
        .history(&order.id())
        .await
        .unwrap();
    let settled: Vec<_> = history
        .entries
        .iter()
        .map(|entry| (entry.sequence, entry.kind, &entry.number, &entry.state))
        .collect();
    let exceptions: Vec<_> = history
        .exceptions
        .iter()
        .map(|raised| (&raised.id, raised.exception.code))
        .collect();
    let search = async |model: &str, domain: Value, fields: &[&str]| {
        let found = world.odoo.search_read(model, domain, fields).await.unwrap();
        format!("{found:?}")
    };
    let origin = order.id().to_string();
    let mut held = Vec::new();
    held.push(
        search(
            "purchase.order",
            json!([["origin", "=", origin]]),
            &["id", "state", "picking_ids", "invoice_ids"],
        )
        .await,
    );
    held.push(
        search(
            "purchase.order.line",
            json!([["order_id.origin", "=", origin]]),
            &["product_qty", "qty_received", "qty_invoiced", "price_unit"],
        )
        .await,
    );
    held.push(
        search(
            "account.move",
            json!([["ref", "like", order.number]]),
            &["state", "amount_total", "date"],
        )
        .await,
    );
    format!(
        "{:?} {:?} {:?} {:?} {settled:?} {exceptions:?} {held:?}",
        found.header.status, found.header.order, found.entries, found.exceptions
    )
}

/// Everything that was sent comes once more, under its own id and under another: nothing is changed by it.
async fn assert_replay_changes_nothing(world: &World, orders: &[Order], sent: &[Value]) {
    settle(world, orders).await;
    let mut before = Vec::new();
    for order in orders {
        before.push(standing(world, order).await);
    }
    if let Some(sandbox) = &world.sandbox {
        sandbox.reset_calls();
    }
    for fact in sent {
        send(world, fact).await;
        send(world, &readdressed(fact)).await;
    }
    settle(world, orders).await;
    if let Some(sandbox) = &world.sandbox {
        let business = ["purchase.order", "stock.picking", "account.move"];
        let calls: Vec<_> = sandbox
            .calls()
            .into_iter()
            .filter(|call| business.contains(&call.model.as_str()))
            .collect();
        assert!(calls.is_empty(), "a replay reached Odoo: {calls:?}");
    }
    for (order, before) in orders.iter().zip(before) {
        assert_eq!(standing(world, order).await, before, "{}", order.number);
    }
    audit::assert_complete(world, orders).await;
}

async fn assert_all_done_once(world: &World, orders: &[Order]) {
    settle(world, orders).await;
    for order in orders {
        assert_done_once(world, order, 1).await;
        assert!(is_announced(&order_of(world, order).await, order));
    }
}

async fn order_of(world: &World, order: &Order) -> PurchaseOrder {
    lifecycle(world, &order.id()).await.header.order.unwrap()
}

/// The dock can look the shipment up.
fn is_announced(known: &PurchaseOrder, order: &Order) -> bool {
    let number = format!("ASN-{}", order.number);
    let found: Vec<_> = known
        .shipments
        .iter()
        .filter(|shipment| shipment.number.as_str() == number)
        .collect();
    found.len() == 1
}

fn all_facts(orders: &[Order]) -> Vec<Value> {
    orders.iter().flat_map(facts).collect()
}

async fn skip(world: &World, order: &Order, code: Code) {
    let found = lifecycle(world, &order.id()).await;
    let raised = found
        .exceptions
        .iter()
        .find(|raised| raised.exception.code == code);
    let raised = raised.unwrap_or_else(|| panic!("no {code}: {:?}", found.exceptions));
    assert!(raised.owner.contains('@') && raised.due_at > raised.raised_at);
    let given = given(raised, Decision::Skip);
    decide(world, &order.id(), &given).await.unwrap();
}

#[test]
fn orders_notices_receipts_and_invoices_that_come_while_odoo_is_down_are_kept_and_applied_when_it_is_back()
 {
    alone(async |world| {
        let Some(sandbox) = sandbox(world, "be down") else {
            return;
        };
        // One order comes while Odoo is down, of the other only what follows it.
        let orders = new_orders(world, 2).await;
        for fact in [orders[1].created(), orders[1].acknowledged()] {
            send(world, &fact).await;
            delivered(world, &fact).await;
        }
        settle(world, &orders[1..]).await;
        sandbox.add_fault(Fault::new(FaultKind::Status).status(502));
        for fact in [
            orders[1].announced(),
            orders[1].received(),
            orders[1].invoiced(),
        ]
        .iter()
        .chain(&facts(&orders[0]))
        {
            send(world, fact).await;
            delivered(world, fact).await;
        }
        until("both orders wait for Odoo", async || {
            let mut waiting = 0;
            for order in &orders {
                let waiter = lifecycle(world, &order.id()).await.waiter;
                waiting += usize::from(waiter.is_some_and(|waiter| waiter.wait == Wait::Odoo));
            }
            waiting == orders.len()
        })
        .await;
        // The notice needs no Odoo: the dock can look it up meanwhile.
        assert!(is_announced(&order_of(world, &orders[1]).await, &orders[1]));
        for order in &orders {
            assert_eq!(lifecycle(world, &order.id()).await.exceptions, []);
        }
        sandbox.clear_faults();
        assert_all_done_once(world, &orders).await;
        assert_replay_changes_nothing(world, &orders, &all_facts(&orders)).await;
    });
}

#[test]
fn a_plant_that_was_away_for_days_reports_everything_at_once_and_ends_like_one_that_was_not() {
    alone(async |world| {
        let orders = new_orders(world, 3).await;
        let late = all_facts(&orders);
        let sender = world.sender(&plant_b()).unwrap();
        let answer = sender.post(BATCH, json!(late).to_string()).await.unwrap();
        assert_eq!(answer.status, 202, "{}", answer.body);
        for fact in &late {
            delivered(world, fact).await;
        }
        assert_all_done_once(world, &orders).await;
        for order in &orders {
            let history = world
                .cloud
                .context
                .store
                .history(&order.id())
                .await
                .unwrap();
            assert_eq!(history.exceptions, [], "nobody is told of what came late");
        }
        assert_replay_changes_nothing(world, &orders, &late).await;
    });
}

#[test]
fn five_facts_that_each_come_three_times_have_one_effect_each() {
    alone(async |world| {
        let orders = new_orders(world, 2).await;
        for order in &orders {
            for fact in facts(order) {
                send_nervously(world, &fact).await;
            }
        }
        assert_all_done_once(world, &orders).await;
        assert_replay_changes_nothing(world, &orders, &all_facts(&orders)).await;
    });
}

#[test]
fn five_facts_that_come_in_reverse_wait_for_each_other_and_a_notice_after_the_goods_moves_none() {
    alone(async |world| {
        let orders = new_orders(world, 2).await;
        // The first in reverse from its beginning, the other only the notice after the goods and the bill.
        for fact in facts(&orders[0]).iter().rev() {
            send(world, fact).await;
            delivered(world, fact).await;
        }
        let [created, acknowledged, announced, received, invoiced] = facts(&orders[1]);
        for fact in [created, acknowledged, received, invoiced] {
            send(world, &fact).await;
            delivered(world, &fact).await;
        }
        settle(world, &orders).await;
        assert_done_once(world, &orders[1], 1).await;
        send(world, &announced).await;
        delivered(world, &announced).await;
        assert_all_done_once(world, &orders).await;
        assert_replay_changes_nothing(world, &orders, &all_facts(&orders)).await;
    });
}

#[test]
fn what_cannot_be_read_is_refused_by_field_and_what_does_not_fit_is_held_until_the_right_one_comes()
{
    alone(async |world| {
        let orders = new_orders(world, 1).await;
        let order = &orders[0];
        let sender = world.sender(&plant_b()).unwrap();
        let changed = |mut fact: Value, pointer: &str, value: Value| {
            *fact.pointer_mut(pointer).unwrap() = value;
            fact
        };
        let renamed = |fact: Value, number: &str| {
            let id = format!("{}-wrong", fact["id"].as_str().unwrap());
            let pointer = format!("/data/{number}");
            let wrong = format!(
                "{}-wrong",
                fact.pointer(&pointer).unwrap().as_str().unwrap()
            );
            changed(changed(fact, "/id", json!(id)), &pointer, json!(wrong))
        };
        for (fact, pointer, value) in [
            (order.created(), "/data/lines/0/qty", json!("-1")),
            (order.announced(), "/data/lines/0/qty", json!("many")),
            (
                order.received(),
                "/data/lines/1/qtyReceived",
                json!("1e400"),
            ),
            (order.invoiced(), "/data/totals/gross", json!("1,5")),
        ] {
            let answer = sender.event(&changed(fact, pointer, value)).await.unwrap();
            assert_eq!(answer.status, 422, "{}", answer.body);
            assert_eq!(answer.body["pointer"], json!(pointer), "{}", answer.body);
        }
        assert!(
            world.lifecycle(&order.id()).await.unwrap().is_none(),
            "what is refused leaves no trace"
        );
        send(world, &order.created()).await;
        delivered(world, &order.created()).await;
        let wrong = [
            renamed(
                changed(order.announced(), "/data/lines/0/lineNo", json!("99")),
                "asnNumber",
            ),
            renamed(
                changed(order.received(), "/data/lines/0/lineNo", json!("98")),
                "receiptNumber",
            ),
        ];
        for fact in &wrong {
            send(world, fact).await;
            delivered(world, fact).await;
        }
        settle(world, &orders).await;
        let codes: Vec<_> = lifecycle(world, &order.id())
            .await
            .exceptions
            .iter()
            .map(|raised| raised.exception.code)
            .collect();
        assert_eq!(codes, [Code::UnknownLine, Code::UnknownLine]);
        skip(world, order, Code::UnknownLine).await;
        skip(world, order, Code::UnknownLine).await;
        // The right ones come; of the invoices the first does not add up.
        for fact in [order.announced(), order.received()] {
            send(world, &fact).await;
            delivered(world, &fact).await;
        }
        let unequal = order.invoiced_at("sums", "-sums", &order.price, "500");
        send(world, &unequal).await;
        delivered(world, &unequal).await;
        settle(world, &orders).await;
        skip(world, order, Code::InvoiceTotals).await;
        for fact in [order.acknowledged(), order.invoiced()] {
            send(world, &fact).await;
            delivered(world, &fact).await;
        }
        assert_all_done_once(world, &orders).await;
        let mut sent = all_facts(&orders);
        sent.extend(wrong);
        sent.push(unequal);
        assert_replay_changes_nothing(world, &orders, &sent).await;
    });
}

#[test]
fn an_order_with_a_unit_that_nobody_knows_is_held_and_nothing_of_it_is_in_odoo() {
    alone(async |world| {
        let orders = new_orders(world, 1).await;
        let order = &orders[0];
        let mut created = order.created();
        created["data"]["lines"][0]["uom"] = json!("FURLONG");
        send(world, &created).await;
        delivered(world, &created).await;
        settle(world, &orders).await;
        let found = lifecycle(world, &order.id()).await;
        let raised = &found.exceptions[0];
        assert_eq!(raised.exception.code, Code::UnknownCode);
        assert!(
            raised.exception.message.contains("FURLONG"),
            "{}",
            raised.exception.message
        );
        let in_odoo = world
            .odoo
            .search_read(
                "purchase.order",
                json!([["origin", "=", order.id().to_string()]]),
                &["id"],
            )
            .await
            .unwrap();
        assert!(in_odoo.is_empty(), "{in_odoo:?}");
        assert_replay_changes_nothing(world, &orders, &[created]).await;
    });
}

#[test]
fn whoever_dies_between_two_effects_leaves_what_the_next_one_finishes_and_a_notice_of_two_orders_waits_for_the_second()
 {
    alone(async |world| {
        let points = [
            "create.after_load",
            "create.after_confirm",
            "receive.after_declare",
            "receive.after_validate",
            "post_invoice.after_load",
            "post_invoice.after_post",
            "step.before_record",
        ];
        let orders = new_orders(world, 2).await;
        for point in points {
            std::fs::write(failpoints().join(point), "").unwrap();
        }
        // One notice for both orders, of which the second is not there yet.
        let mut both = orders[0].announced();
        let second = orders[1].announced()["data"]["lines"].clone();
        let lines = both["data"]["lines"].as_array_mut().unwrap();
        lines.extend(second.as_array().unwrap().iter().cloned());
        send_in_spite(world, &orders[0].created()).await;
        delivered(world, &orders[0].created()).await;
        send_in_spite(world, &both).await;
        delivered(world, &both).await;
        settle(world, &orders[..1]).await;
        assert!(is_announced(&order_of(world, &orders[0]).await, &orders[0]));
        let waiting = lifecycle(world, &orders[1].id()).await;
        assert_eq!((waiting.entries.len(), waiting.header.order), (1, None));
        let mut sent = vec![orders[0].created(), both];
        for fact in [
            orders[0].acknowledged(),
            orders[0].received(),
            orders[0].invoiced(),
            orders[1].created(),
            orders[1].acknowledged(),
            orders[1].received(),
            orders[1].invoiced(),
        ] {
            send_in_spite(world, &fact).await;
            delivered(world, &fact).await;
            sent.push(fact);
        }
        settle(world, &orders).await;
        for order in &orders {
            assert_done_once(world, order, 1).await;
            assert!(is_announced(&order_of(world, order).await, &orders[0]));
        }
        let left: Vec<_> = std::fs::read_dir(failpoints())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert!(left.is_empty(), "nobody was killed at {left:?}");
        assert_replay_changes_nothing(world, &orders, &sent).await;
    });
}
