//! What a buyer makes and changes in Odoo itself: found, followed to the posted bill, told to the plant, each
//! once; and what Interplant wrote itself does not come back.

use std::collections::BTreeSet;
use std::time::Duration;

use interplant_domain::exception::{Code, Decision};
use interplant_domain::fact::{FactKind, Owner};
use interplant_domain::identifier::{LifecycleId, LifecycleKind};
use interplant_domain::lifecycle::Status;
use interplant_odoo::{Limits, http_client};
use interplant_odoo_sandbox::{Effect, Fault, FaultKind};
use serde_json::json;

use crate::buyer::Watching;
use crate::setting::{alone, failpoints, until};

#[test]
fn an_order_that_a_buyer_confirms_in_odoo_is_received_and_billed_like_any_other() {
    alone(async |world| {
        let mut at = Watching::begin(world).await;
        let bought = at.confirmed().await;
        let order = bought.taken_over().await;
        assert_eq!(order.owner, Owner::Odoo);
        assert_eq!(order.supplier.as_str(), "WATCH-TESTER");
        let lines: Vec<String> = order
            .lines
            .iter()
            .map(|line| {
                let day = line.need_date.unwrap();
                format!(
                    "{} {} {} {} {} {day}",
                    line.line_no, line.item, line.ordered, line.uom, line.unit_price
                )
            })
            .collect();
        assert_eq!(
            lines,
            [
                "1 WATCH-FRAME 12 EA 20 2026-12-20",
                "2 WATCH-FORK 8 EA 4.5 2026-12-20"
            ]
        );
        // The plant is told, once, however often it is read.
        let told = bought.told().await;
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0]["status"], "confirmed");
        assert_eq!(told[0]["lines"][1]["qty"], "8");
        bought.acknowledge().await;
        bought.settle().await;
        at.read_now().await;
        bought.receive("12", "8").await;
        bought.settle().await;
        at.read_now().await;
        bought.invoice("12", "8", "276").await;
        bought.assert_closed_once().await;
        // What Interplant wrote into the order, the supplier's reference and day, does not come back.
        let other = at.confirmed().await;
        other.taken_over().await;
        assert_eq!(
            bought.facts().await,
            [
                FactKind::PoCreated,
                FactKind::PoAcknowledged,
                FactKind::ReceiptPosted,
                FactKind::InvoiceReceived
            ]
        );
        let planned = at.world.odoo.order(bought.id).await.unwrap().unwrap().lines[0].planned;
        assert_eq!(planned.unwrap().to_string(), "2026-12-22T12:00:00Z");
        at.end().await;
    });
}

#[test]
fn what_a_buyer_changes_and_cancels_in_odoo_is_followed_and_the_plant_is_told() {
    alone(async |world| {
        let mut at = Watching::begin(world).await;
        let bought = at.confirmed().await;
        bought.taken_over().await;
        bought.write_line(0, 10.0, 21.0, "2026-12-23").await;
        let order = bought
            .becomes("the change is known", |order| order.revision == 1)
            .await;
        let line = &order.lines[0];
        assert_eq!(
            (line.ordered.to_string(), line.unit_price.to_string()),
            ("10".to_owned(), "21".to_owned())
        );
        assert_eq!(line.planned(order.order_date).to_string(), "2026-12-23");
        // The plant does not change what is not its own.
        bought.send("po.changed", "own", json!({"poNumber": bought.number, "poRevision": "7", "changedLines": [{"lineNo": "1", "qty": "99"}]})).await;
        bought.settle().await;
        assert_eq!(bought.codes().await, [Code::ChangeRefused]);
        bought.decide(Decision::Skip).await;
        // Nothing of a line cancels it.
        bought.write_line(1, 0.0, 4.5, "2026-12-20").await;
        let order = bought
            .becomes("the line is cancelled", |order| order.lines[1].cancelled)
            .await;
        assert_eq!(order.lines[0].ordered.to_string(), "10");
        at.press("button_cancel", &[bought.id]).await;
        until("the order is cancelled", async || {
            at.read_now().await;
            tokio::time::sleep(Duration::from_millis(500)).await;
            bought
                .record()
                .await
                .is_some_and(|found| found.header.status == Status::Cancelled)
        })
        .await;
        let found = bought.settle().await;
        assert_eq!((found.entries, found.exceptions), (Vec::new(), Vec::new()));
        let told: Vec<String> = bought
            .told()
            .await
            .iter()
            .map(|told| {
                format!(
                    "{} {} {} {} {}",
                    told["poRevision"].as_str().unwrap(),
                    told["status"].as_str().unwrap(),
                    told["lines"][0]["qty"].as_str().unwrap(),
                    told["lines"][0]["needDate"].as_str().unwrap(),
                    told["lines"][1]["status"].as_str().unwrap()
                )
            })
            .collect();
        // Whoever has not taken an older version is told the newest alone.
        assert_eq!(told, ["3 cancelled 10 2026-12-23 cancelled"]);
        assert_eq!(
            bought.facts().await,
            [
                FactKind::PoCreated,
                FactKind::PoChanged,
                FactKind::PoChanged,
                FactKind::PoCancelled,
                FactKind::PoCancelled
            ]
        );
        at.end().await;
    });
}

#[test]
fn a_reader_that_is_killed_at_any_point_leaves_each_order_once() {
    alone(async |world| {
        let mut at = Watching::begin(world).await;
        let bought = at.confirmed().await;
        let points = [
            "watch.after_note",
            "watch.after_accept",
            "watch.before_cursor",
        ];
        for point in points {
            std::fs::write(failpoints().join(point), "").unwrap();
        }
        bought.taken_over().await;
        until("a reader was killed at each point", async || {
            at.read_now().await;
            tokio::time::sleep(Duration::from_secs(1)).await;
            points
                .iter()
                .all(|point| !failpoints().join(point).exists())
        })
        .await;
        // And one that comes to its end finds nothing more to tell.
        let other = at.confirmed().await;
        other.taken_over().await;
        for one in [&bought, &other] {
            one.settle().await;
            assert_eq!(one.facts().await, [FactKind::PoCreated]);
            assert_eq!(one.told().await.len(), 1);
        }
        assert_eq!(at.lifecycles().await.len(), 2);
        at.end().await;
    });
}

#[test]
fn orders_of_a_transaction_that_ends_late_are_found() {
    alone(async |world| {
        let mut at = Watching::begin(world).await;
        // A real Odoo takes its time for so many; the sandbox is told to.
        let many = if at.world.sandbox.is_some() { 3 } else { 60 };
        if let Some(sandbox) = &at.world.sandbox {
            let late = Fault::new(FaultKind::Delay)
                .on("purchase.order", "button_confirm")
                .effect(Effect::Late)
                .milliseconds(8_000)
                .times(1);
            sandbox.add_fault(late);
        }
        let slow = at.drafts(many).await;
        let fast = at.drafts(1).await[0];
        let late = async {
            at.press("button_confirm", &slow).await;
            at.world.cloud.context.now()
        };
        let early = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            at.press("button_confirm", &[fast]).await;
            let fast = at.bought(fast).await;
            fast.taken_over().await;
            at.world.cloud.context.now()
        };
        let (ended, overtaken) = tokio::join!(late, early);
        if overtaken >= ended {
            println!("the late transaction was not late: {ended} before {overtaken}");
        }
        for id in slow {
            let bought = at.bought(id).await;
            bought.taken_over().await;
            bought.settle().await;
            assert_eq!(bought.facts().await, [FactKind::PoCreated]);
        }
        assert_eq!(at.lifecycles().await.len(), many + 1);
        at.end().await;
    });
}

#[test]
fn two_hundred_orders_confirmed_in_one_call_are_each_taken_over_once() {
    alone(async |world| {
        let mut at = Watching::begin(world).await;
        let ids = at.drafts(200).await;
        at.press("button_confirm", &ids).await;
        let mut expected = BTreeSet::new();
        for id in ids {
            let bought = at.bought(id).await;
            expected.insert(LifecycleId::new(
                LifecycleKind::Po,
                &at.plant.plant,
                &bought.number,
            ));
        }
        until("all orders are known", async || {
            at.read_now().await;
            tokio::time::sleep(Duration::from_secs(1)).await;
            at.lifecycles().await.len() >= 200
        })
        .await;
        let found: Vec<LifecycleId> = at.lifecycles().await;
        at.world
            .settle(&found, Duration::from_secs(300), |_| {})
            .await
            .unwrap();
        at.read_now().await;
        assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), expected);
        for id in &expected {
            let record = at.world.lifecycle(id).await.unwrap().unwrap();
            assert!(
                record
                    .header
                    .order
                    .is_some_and(|order| order.in_odoo.is_some())
            );
            // One fact each: the next one would be the second.
            assert_eq!(record.next_sequence, 2, "{id}");
        }
        at.end().await;
    });
}

#[test]
fn interplants_own_orders_do_not_come_back() {
    alone(async |world| {
        let mut at = Watching::begin(world).await;
        let number = format!("OWN-{}", at.plant.plant);
        let line = json!({"lineNo": "1", "itemId": "WATCH-FRAME", "qty": "5", "uom": "EA", "unitPrice": "20", "needDate": "2026-12-20"});
        let data = json!({"poNumber": number, "supplierId": "WATCH-TESTER", "currency": "USD", "orderDate": "2026-10-05", "lines": [line]});
        let created = at.event(&number, FactKind::PoCreated, &data);
        // Whose an order is, is not a plant's to say.
        let mut forged = created.clone();
        forged["data"]["owner"] = json!("odoo");
        let sender = at.world.sender(&at.plant.plant).unwrap();
        let refused = sender.event(&forged).await.unwrap();
        assert_eq!(
            (refused.status, refused.body["code"].as_str()),
            (422, Some("unknown_field")),
            "{}",
            refused.body
        );
        let taken = sender.event(&created).await.unwrap();
        assert_eq!(taken.status, 202, "{}", taken.body);
        let id = LifecycleId::new(LifecycleKind::Po, &at.plant.plant, &number);
        let ids = [id.clone()];
        at.world
            .settle(&ids, Duration::from_secs(150), |_| {})
            .await
            .unwrap();
        let own = at.world.lifecycle(&id).await.unwrap().unwrap();
        assert_eq!(own.header.order.unwrap().owner, Owner::Plant);
        // Two readings later an order of a buyer is known, and this one is not known a second time.
        let bought = at.confirmed().await;
        bought.taken_over().await;
        let mut known = at.lifecycles().await;
        known.sort();
        let mut expected = vec![id, bought.lifecycle_id()];
        expected.sort();
        assert_eq!(known, expected);
        at.end().await;
    });
}

#[test]
fn what_is_unknown_is_told_and_the_order_is_taken_up_when_it_is_mended() {
    alone(async |world| {
        let mut at = Watching::begin(world).await;
        let stranger = json!([{"name": "Nobody's supplier"}]);
        let made = at
            .by_hand("res.partner", "create", None, Some(stranger))
            .await;
        let stranger = made[0].as_i64().unwrap();
        let values = json!([at.values(stranger).await, at.values(stranger).await]);
        let ids = at
            .by_hand("purchase.order", "create", None, Some(values))
            .await;
        let ids: Vec<i64> = ids
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|id| id.as_i64())
            .collect();
        at.press("button_confirm", &ids).await;
        let (mended, left) = (at.bought(ids[0]).await, at.bought(ids[1]).await);
        for one in [&mended, &left] {
            until("a person is told", async || {
                at.read_now().await;
                tokio::time::sleep(Duration::from_millis(500)).await;
                one.codes().await == [Code::UnknownPartner]
            })
            .await;
            let told = one.record().await.unwrap().exceptions[0]
                .exception
                .message
                .clone();
            assert!(told.contains("Nobody's supplier"), "{told}");
        }
        left.decide(Decision::Skip).await;
        // The buyer has taken the wrong supplier.
        let known = json!({"partner_id": at.partner().await});
        at.by_hand("purchase.order", "write", Some(&ids), Some(known))
            .await;
        mended.taken_over().await;
        mended.settle().await;
        assert_eq!(mended.codes().await, []);
        // What a person has left to Odoo stays there.
        let other = at.confirmed().await;
        other.taken_over().await;
        assert!(left.order().await.is_none());
        at.end().await;
    });
}

#[test]
fn a_hint_lets_the_reading_come_and_nothing_of_it_is_believed() {
    alone(async |world| {
        let mut at = Watching::begin(world).await;
        let database = at.plant.odoo.database.clone();
        let secrets = &at.world.cloud.context.secrets;
        secrets
            .write(&format!("odoo-hints/{database}"), "a-long-and-random-token")
            .await
            .unwrap();
        let http = http_client(&Limits::default()).unwrap();
        let hint = async |path: &str, body: &str| {
            let url = format!("{}/v1/odoo/{path}", at.world.cloud.ready.api);
            let answer = http.post(url).header("content-type", "application/json");
            let answer = answer.body(body.to_owned()).send().await.unwrap();
            answer.status().as_u16()
        };
        let wrong = format!("{database}/hint/a-long-and-random-tokem");
        assert_eq!(hint(&wrong, "{}").await, 404);
        assert_eq!(
            hint("nowhere/hint/a-long-and-random-token", "{}").await,
            404
        );
        assert_eq!(hint("..%2F..%2Fplants/hint/x", "{}").await, 404);
        let bought = at.confirmed().await;
        let right = format!("{database}/hint/a-long-and-random-token");
        for body in [
            "{\"_action\": \"x\", \"_id\": 999999999, \"_model\": \"purchase.order\"}",
            "not json at all",
            "",
        ] {
            assert_eq!(hint(&right, body).await, 202);
        }
        until("the hint has brought the reading", async || {
            bought
                .order()
                .await
                .is_some_and(|order| order.in_odoo.is_some())
        })
        .await;
        assert_eq!(at.lifecycles().await, [bought.lifecycle_id()]);
        at.end().await;
    });
}
