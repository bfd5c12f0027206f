//! People at work on many exceptions at once.

use std::time::Duration;

use interplant_cli::api::BATCH;
use interplant_domain::exception::Code;
use serde_json::{Value, json};

use crate::operators::{created_with, key, somebody};
use crate::order::{Order, new_order, new_orders, settle};
use crate::setting::{alone, failpoints, lifecycle, plant_b, until, until_within};

#[test]
fn five_hundred_exceptions_of_one_cause_are_one_group_and_one_job_that_goes_on_when_killed() {
    alone(async |world| {
        const MANY: usize = 500;
        let item = format!("GROUP-{}", &uuid::Uuid::new_v4().simple().to_string()[..8]);
        let orders = {
            // The supplier and the other item are known.
            new_orders(world, 1).await;
            (0..MANY).map(|_| new_order()).collect::<Vec<Order>>()
        };
        let created: Vec<Value> = orders
            .iter()
            .map(|order| created_with(order, &item))
            .collect();
        let sender = world.sender(&plant_b()).unwrap();
        for batch in created.chunks(50) {
            let answer = sender.post(BATCH, json!(batch).to_string()).await.unwrap();
            assert_eq!(answer.status, 202, "{}", answer.body);
        }
        let steward = somebody(world, "ann", &["steward:plant-b:data"]);
        let filter = [
            ("plant", "plant-b".to_owned()),
            ("code", Code::UnknownItem.as_str().to_owned()),
        ];
        let group = async || {
            let answer = steward.get("/v1/exceptions/groups", &filter).await.unwrap();
            let groups = answer.body["groups"].as_array().unwrap().clone();
            let ours = |group: &Value| {
                group["about"]
                    .as_str()
                    .is_some_and(|about| about.contains(&item.to_lowercase().replace('-', "_")))
            };
            groups.into_iter().find(ours).unwrap_or_default()
        };
        until("all of them are one group", async || {
            tokio::time::sleep(Duration::from_millis(500)).await;
            group().await["count"] == json!(MANY)
        })
        .await;
        settle(world, &orders).await;
        let cause = group().await["cause"].as_str().unwrap().to_owned();

        world
            .create_masters(&plant_b(), &created[..1])
            .await
            .unwrap();
        for point in ["job.after_decision", "job.after_move"] {
            std::fs::write(failpoints().join(point), "").unwrap();
        }
        let path = format!("/v1/exceptions/groups/{cause}/decisions");
        let body = json!({"decision": "retry", "note": "item created"});
        let name = key();
        let given = steward.post(&path, &name, &body).await.unwrap();
        assert_eq!(
            (given.status, &given.body["total"]),
            (202, &json!(MANY)),
            "{}",
            given.body
        );
        let again = steward.post(&path, &name, &body).await.unwrap();
        assert_eq!(
            (again.status, again.replayed),
            (202, true),
            "{}",
            again.body
        );
        assert_eq!(again.body["id"], given.body["id"], "one job");
        let id = given.body["id"].as_str().unwrap().to_owned();
        let mut seen: Vec<u64> = Vec::new();
        until_within(Duration::from_secs(600), "the job is done", async || {
            let job = steward.get(&format!("/v1/jobs/{id}"), &[]).await.unwrap();
            let looked_at = job.body["looked_at"].as_u64().unwrap();
            if seen.last() != Some(&looked_at) {
                seen.push(looked_at);
            }
            job.body["state"] == json!("done")
        })
        .await;
        assert!(
            seen.len() > 2 && seen.is_sorted(),
            "its progress can be followed: {seen:?}"
        );
        let job = steward
            .get(&format!("/v1/jobs/{id}"), &[])
            .await
            .unwrap()
            .body;
        assert_eq!(
            (&job["decided"], &job["refused"]),
            (&json!(MANY), &json!(0)),
            "{job}"
        );
        let left =
            ["job.after_decision", "job.after_move"].map(|point| failpoints().join(point).exists());
        assert_eq!(left, [false, false], "it was killed on the way");

        settle(world, &orders).await;
        assert!(group().await.is_null(), "nothing of it is left");
        for order in &orders {
            let lifecycle = lifecycle(world, &order.id()).await;
            assert!(
                lifecycle
                    .header
                    .order
                    .is_some_and(|order| order.in_odoo.is_some()),
                "{}",
                order.number
            );
        }
        let numbers: Vec<String> = orders.iter().map(|order| order.id().to_string()).collect();
        let found = world
            .odoo
            .search_read(
                "purchase.order",
                json!([["origin", "in", numbers]]),
                &["state"],
            )
            .await
            .unwrap();
        assert_eq!(found.len(), MANY, "one order each");
    });
}
