//! People at work: exceptions found, grouped, decided and amended through the API, by those who may.

use interplant_cli::api::Answer;
use interplant_cli::operator::{Operator, development_token};
use interplant_cli::world::World;
use interplant_domain::lifecycle::Status;
use jiff::SignedDuration;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use crate::order::{Order, assert_done_once, new_order, new_orders, send, settle};
use crate::setting::{beside_others, lifecycle, plant_b};

pub(crate) fn somebody(world: &World, subject: &str, grants: &[&str]) -> Operator {
    valid_for(world, subject, grants, SignedDuration::from_mins(5))
}

fn valid_for(world: &World, subject: &str, grants: &[&str], time: SignedDuration) -> Operator {
    let grants: Vec<String> = grants.iter().map(ToString::to_string).collect();
    let ready = &world.cloud.ready;
    let token = development_token(ready.folder(), subject, &grants, time).unwrap();
    Operator::new(&ready.api, &token).unwrap()
}

fn assert_problem(answer: &Answer, status: u16, code: &str) {
    let found = (answer.status, answer.body["code"].as_str());
    assert_eq!(found, (status, Some(code)), "{}", answer.body);
}

pub(crate) fn key() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// An order that is held, and the address of its exception.
async fn held(world: &World, order: &Order) -> String {
    let lifecycle = lifecycle(world, &order.id()).await;
    let raised = lifecycle.exceptions.first().unwrap();
    format!("{}/{}", order.id(), raised.id)
}

async fn shown(operator: &Operator, id: &str) -> Value {
    let answer = operator.get(&format!("/v1/exceptions/{id}"), &[]).await;
    let answer = answer.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

async fn decide(operator: &Operator, id: &str, body: Value) -> Answer {
    decide_as(operator, id, &key(), body).await
}

async fn decide_as(operator: &Operator, id: &str, key: &str, body: Value) -> Answer {
    let path = format!("/v1/exceptions/{id}/decisions");
    operator.post(&path, key, &body).await.unwrap()
}

/// An order with an item that Odoo does not know.
pub(crate) fn created_with(order: &Order, item: &str) -> Value {
    let mut created = order.created();
    created["data"]["lines"][0]["itemId"] = json!(item);
    created
}

#[test]
fn a_decision_is_seen_taken_once_and_recorded_with_who_and_why() {
    beside_others(async |world| {
        let orders = new_orders(world, 1).await;
        let order = &orders[0];
        let item = format!("NEW-{}", order.number);
        send(world, &created_with(order, &item)).await;
        settle(world, &orders).await;
        let id = held(world, order).await;
        let ann = somebody(world, "ann", &["steward:plant-b:data"]);

        let listed = ann
            .get(
                "/v1/exceptions",
                &[
                    ("plant", "plant-b".to_owned()),
                    ("code", "UNKNOWN_ITEM".to_owned()),
                    ("limit", "200".to_owned()),
                ],
            )
            .await
            .unwrap();
        let all = listed.body["exceptions"].as_array().unwrap();
        assert!(all.iter().any(|one| one["id"] == json!(id)), "{all:?}");
        let exception = shown(&ann, &id).await;
        let external = world.plants[&plant_b()].item(&interplant_domain::fact::Code::new(&item));
        assert!(
            exception["message"]
                .as_str()
                .unwrap()
                .contains(external.as_str())
        );
        assert_eq!(exception["fact"]["data"]["poNumber"], json!(order.number));
        assert_eq!(
            exception["may"],
            json!(["skip", "assign", "retry", "amend"])
        );

        world
            .create_masters(&plant_b(), &[created_with(order, &item)])
            .await
            .unwrap();
        let retry =
            json!({"decision": "retry", "revision": exception["revision"], "note": "item created"});
        let stale = json!({"decision": "retry", "revision": 1, "note": "item created"});
        assert_problem(&decide(&ann, &id, stale).await, 409, "changed_since");
        let name = key();
        let first = decide_as(&ann, &id, &name, retry.clone()).await;
        assert_eq!(
            (first.status, first.replayed),
            (200, false),
            "{}",
            first.body
        );
        let again = decide_as(&ann, &id, &name, retry.clone()).await;
        assert_eq!(
            (again.status, again.replayed),
            (200, true),
            "{}",
            again.body
        );
        let other = json!({"decision": "skip", "revision": exception["revision"], "note": "no"});
        let other = decide_as(&ann, &id, &name, other).await;
        assert_problem(&other, 422, "idempotency_payload_mismatch");
        assert_problem(&decide(&ann, &id, retry).await, 409, "not_open");

        settle(world, &orders).await;
        let after = shown(&ann, &id).await;
        assert_eq!(after["resolution"]["by"], json!("ann"));
        assert_eq!(after["resolution"]["reason"], json!("item created"));
        let lifecycle = lifecycle(world, &order.id()).await;
        assert!(lifecycle.header.order.unwrap().in_odoo.is_some());
    });
}

#[test]
fn who_may_not_is_told_so_and_what_may_not_be_seen_is_not_there() {
    beside_others(async |world| {
        let orders = new_orders(world, 1).await;
        let order = &orders[0];
        send(
            world,
            &created_with(order, &format!("NEW-{}", order.number)),
        )
        .await;
        settle(world, &orders).await;
        let id = held(world, order).await;
        let path = format!("/v1/exceptions/{id}");
        let skip = json!({"decision": "skip", "revision": 1, "note": "no"});

        let viewer = somebody(world, "vic", &["viewer:plant-b:*"]);
        assert_eq!(viewer.get(&path, &[]).await.unwrap().status, 200);
        assert_problem(&decide(&viewer, &id, skip.clone()).await, 403, "forbidden");
        let finance = somebody(world, "fin", &["admin:plant-b:finance"]);
        assert_problem(&finance.get(&path, &[]).await.unwrap(), 403, "forbidden");
        let elsewhere = somebody(world, "eve", &["admin:plant-a:*"]);
        assert_problem(&elsewhere.get(&path, &[]).await.unwrap(), 404, "not_found");
        assert_problem(
            &decide(&elsewhere, &id, skip.clone()).await,
            404,
            "not_found",
        );
        let filtered = [("plant", "plant-b".to_owned())];
        for list in ["/v1/exceptions", "/v1/exceptions/groups"] {
            let answer = elsewhere.get(list, &filtered).await.unwrap();
            assert_problem(&answer, 404, "not_found");
            let unfiltered = elsewhere.get(list, &[]).await.unwrap();
            assert!(
                !unfiltered.body.to_string().contains("plant-b"),
                "{}",
                unfiltered.body
            );
        }
        let steward = somebody(world, "sam", &["steward:plant-b:*"]);
        let cancel = format!("/v1/lifecycles/{}/cancellations", order.id());
        let body = json!({"revision": 1, "note": "no"});
        let refused = steward.post(&cancel, &key(), &body).await.unwrap();
        assert_problem(&refused, 403, "forbidden");
        let cause = shown(&steward, &id).await["cause"]
            .as_str()
            .unwrap()
            .to_owned();
        let group = format!("/v1/exceptions/groups/{cause}/decisions");
        let body = json!({"decision": "skip", "note": "no"});
        let refused = steward.post(&group, &key(), &body).await.unwrap();
        assert_problem(&refused, 403, "forbidden");
        assert_problem(
            &elsewhere.post(&group, &key(), &body).await.unwrap(),
            404,
            "not_found",
        );
        assert_eq!(held(world, order).await, id, "nothing was decided");
    });
}

#[test]
fn a_token_that_is_not_the_issuers_for_us_and_now_opens_nothing() {
    beside_others(async |world| {
        let ready = &world.cloud.ready;
        let me = async |token: &str| {
            let operator = Operator::new(&ready.api, token).unwrap();
            operator.get("/v1/me", &[]).await.unwrap()
        };
        let grants = ["admin:*:*".to_owned()];
        let good = development_token(ready.folder(), "ann", &grants, SignedDuration::from_mins(5));
        let good = good.unwrap();
        let known = me(&good).await;
        assert_eq!((known.status, &known.body["subject"]), (200, &json!("ann")));
        let expired = valid_for(world, "ann", &["admin:*:*"], SignedDuration::from_mins(-2));
        assert_problem(
            &expired.get("/v1/me", &[]).await.unwrap(),
            401,
            "token_expired",
        );
        assert_problem(&me("").await, 401, "token_missing");

        let pem = std::fs::read(ready.folder().join("operator-key.pem")).unwrap();
        let ours = EncodingKey::from_ed_pem(&pem).unwrap();
        let now = jiff::Timestamp::now().as_second();
        let claims = |issuer: &str, audience: &str| json!({"iss": issuer, "aud": audience, "sub": "ann", "exp": now + 300, "interplant_roles": ["admin:*:*"]});
        let ours_claims = claims("urn:interplant:development", "interplant");
        let head = |algorithm, name: &str| Header {
            kid: Some(name.to_owned()),
            ..Header::new(algorithm)
        };
        let ed = |claims: &Value, name: &str| {
            encode(&head(Algorithm::EdDSA, name), claims, &ours).unwrap()
        };
        let parts: Vec<&str> = good.split('.').collect();
        let base64 = |text: &str| {
            use base64::Engine as _;
            base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)
        };
        let unsigned = format!(
            "{}.{}.",
            base64(r#"{"alg":"none","kid":"development"}"#),
            parts[1]
        );
        let secret = EncodingKey::from_secret(b"development");
        let mut no_end = ours_claims.clone();
        no_end.as_object_mut().unwrap().remove("exp");
        let mut later = ours_claims.clone();
        later["nbf"] = json!(now + 120);
        let cases = [
            (
                "another audience",
                ed(
                    &claims("urn:interplant:development", "others"),
                    "development",
                ),
            ),
            (
                "another issuer",
                ed(
                    &claims("https://login.example", "interplant"),
                    "development",
                ),
            ),
            ("an unknown key", ed(&ours_claims, "other")),
            ("no end", ed(&no_end, "development")),
            ("not yet", ed(&later, "development")),
            ("no signature", unsigned),
            (
                "a shared secret",
                encode(
                    &head(Algorithm::HS256, "development"),
                    &ours_claims,
                    &secret,
                )
                .unwrap(),
            ),
            (
                "another content",
                format!(
                    "{}.{}.{}",
                    parts[0],
                    base64(&ours_claims.to_string()),
                    parts[2]
                ),
            ),
            ("no token", "abc".to_owned()),
        ];
        for (what, token) in cases {
            let answer = me(&token).await;
            assert_eq!(
                (answer.status, answer.body["code"].as_str()),
                (401, Some("token_invalid")),
                "{what}: {}",
                answer.body
            );
        }
        let mut no_roles = ours_claims;
        no_roles["interplant_roles"] = json!(["root:*:*"]);
        let nobody = Operator::new(&ready.api, &ed(&no_roles, "development")).unwrap();
        let listed = nobody.get("/v1/exceptions", &[]).await.unwrap();
        assert_eq!(
            (listed.status, &listed.body["exceptions"]),
            (200, &json!([]))
        );
    });
}

#[test]
fn an_amendment_shows_before_and_after_and_the_fact_has_one_effect() {
    beside_others(async |world| {
        let orders = new_orders(world, 1).await;
        let order = &orders[0];
        let wrong = created_with(order, "MISTYPED");
        send(world, &wrong).await;
        settle(world, &orders).await;
        let id = held(world, order).await;
        let ann = somebody(world, "ann", &["steward:plant-b:*"]);
        let revision = shown(&ann, &id).await["revision"].clone();
        let amend = |changes: Value| json!({"decision": "amend", "revision": revision, "note": "mistyped", "changes": changes});
        // Checked like any other fact.
        let nowhere = amend(json!([{"pointer": "/lines/7/itemId", "value": "X"}]));
        assert_problem(&decide(&ann, &id, nowhere).await, 422, "invalid_pointer");
        let unknown = amend(json!([{"pointer": "/lines/0/approvedBy", "value": "X"}]));
        assert_problem(&decide(&ann, &id, unknown).await, 422, "unknown_field");
        let zero = amend(json!([{"pointer": "/lines/0/qty", "value": 0}]));
        assert_problem(&decide(&ann, &id, zero).await, 422, "invalid_value");
        let other = amend(json!([{"pointer": "/poNumber", "value": "ANOTHER"}]));
        assert_problem(
            &decide(&ann, &id, other).await,
            422,
            "decision_not_possible",
        );

        let name = key();
        let right = amend(json!([{"pointer": "/lines/0/itemId", "value": "TEST-FRAME"}]));
        let answer = decide_as(&ann, &id, &name, right.clone()).await;
        assert_eq!(
            (answer.status, &answer.body["status"]),
            (200, &json!("taken")),
            "{}",
            answer.body
        );
        assert_eq!(
            answer.body["changes"],
            json!([{"pointer": "/lines/0/itemId", "before": "MISTYPED", "after": "TEST-FRAME"}])
        );
        let again = decide_as(&ann, &id, &name, right).await;
        assert_eq!(
            (again.status, again.replayed),
            (200, true),
            "{}",
            again.body
        );
        // The plant sends the original once more: it is known, and has no effect of its own.
        send(world, &wrong).await;
        for fact in [order.acknowledged(), order.received(), order.invoiced()] {
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
        let original = &road.facts[0];
        assert!(
            original.result.as_ref().unwrap().contains("amended by ann"),
            "{original:?}"
        );
        let ended = shown(&ann, &id).await;
        assert_eq!(ended["resolution"]["decision"], json!("amend"));
        assert_eq!(
            ended["fact"]["data"]["lines"][0]["itemId"],
            json!("MISTYPED"),
            "the original stays"
        );
    });
}

#[test]
fn an_amendment_that_moves_money_waits_for_a_second_person() {
    beside_others(async |world| {
        let orders = new_orders(world, 1).await;
        let order = &orders[0];
        for fact in [order.created(), order.acknowledged(), order.received()] {
            send(world, &fact).await;
        }
        let mut invoiced = order.invoiced_at("invoiced", "", "40", "510.3");
        invoiced["data"]["totals"]["tax"] = json!("0.00");
        send(world, &invoiced).await;
        settle(world, &orders).await;
        let id = held(world, order).await;
        let ann = somebody(world, "ann", &["steward:plant-b:finance"]);
        let bob = somebody(world, "bob", &["steward:plant-b:finance"]);
        let changes = json!([
            {"pointer": "/lines/0/unitPrice", "value": "38.2935"}, {"pointer": "/totals/net", "value": "489.82"}, {"pointer": "/totals/gross", "value": "489.82"}
        ]);
        let revision = async || shown(&ann, &id).await["revision"].clone();
        let amend = json!({"decision": "amend", "revision": revision().await, "note": "typed wrongly", "changes": changes});
        let proposed = decide(&ann, &id, amend.clone()).await;
        assert_eq!(
            (proposed.status, &proposed.body["status"]),
            (202, &json!("awaits_second_person")),
            "{}",
            proposed.body
        );
        // A tax that was sent as `0.00` and is read as `0` has not changed.
        let told = proposed.body["changes"].as_array().unwrap();
        assert_eq!(told.len(), 3, "{told:?}");
        settle(world, &orders).await;
        let waits = shown(&bob, &id).await;
        assert_eq!(waits["awaits_approval"], json!(true));
        assert_eq!(waits["proposal"]["changes"][0]["before"], json!("40"));
        assert!(
            waits["proposal"]["needs_second"]
                .as_str()
                .unwrap()
                .contains("20.48"),
            "{waits}"
        );
        let bills = lifecycle(world, &order.id())
            .await
            .header
            .order
            .unwrap()
            .invoices;
        assert!(
            bills.iter().all(|invoice| invoice.bill.is_none()),
            "nothing happens before"
        );

        let approve = async || json!({"decision": "approve", "revision": revision().await, "note": "seen the paper"});
        assert_problem(
            &decide(&ann, &id, approve().await).await,
            403,
            "second_person_needed",
        );
        let turned =
            json!({"decision": "turn-down", "revision": revision().await, "note": "which paper?"});
        assert_eq!(decide(&bob, &id, turned).await.status, 200);
        assert_problem(
            &decide(&bob, &id, approve().await).await,
            409,
            "nothing_proposed",
        );
        let amend = json!({"decision": "amend", "revision": revision().await, "note": "typed wrongly", "changes": changes});
        assert_eq!(decide(&ann, &id, amend).await.status, 202);
        let (name, body) = (key(), approve().await);
        let approved = decide_as(&bob, &id, &name, body.clone()).await;
        assert_eq!(
            (approved.status, &approved.body["status"]),
            (200, &json!("taken")),
            "{}",
            approved.body
        );
        let again = decide_as(&bob, &id, &name, body).await;
        assert_eq!(
            (again.status, again.replayed),
            (200, true),
            "{}",
            again.body
        );
        settle(world, &orders).await;
        assert_done_once(world, order, 1).await;
    });
}

#[test]
fn another_account_always_takes_two_and_is_masked_for_those_who_do_not_pay() {
    beside_others(async |world| {
        let orders = new_orders(world, 1).await;
        let order = &orders[0];
        for fact in [order.created(), order.received()] {
            send(world, &fact).await;
        }
        let mut invoice = order.invoiced_at("invoiced", "", "40", "510.3");
        invoice["data"]["payee"] = json!({"bankAccount": "DE89370400440532013000"});
        send(world, &invoice).await;
        settle(world, &orders).await;
        let id = held(world, order).await;
        let pays = somebody(world, "pat", &["steward:plant-b:finance"]);
        let exception = shown(&pays, &id).await;
        let text = exception.to_string();
        assert!(
            text.contains("DE89370400440532013000") && text.contains("\"40\""),
            "{text}"
        );
        let buys = shown(
            &somebody(
                world,
                "bea",
                &["viewer:plant-b:procurement", "viewer:plant-b:finance"],
            ),
            &id,
        )
        .await;
        assert!(
            buys.to_string().contains("DE89370400440532013000"),
            "who pays sees it"
        );

        let other = json!({"decision": "amend", "revision": exception["revision"], "note": "they moved", "changes": [{"pointer": "/payee/bankAccount", "value": "GB33BUKB20201555555555"}]});
        let answer = decide(&pays, &id, other).await;
        assert_eq!(
            (answer.status, &answer.body["status"]),
            (202, &json!("awaits_second_person")),
            "{}",
            answer.body
        );

        // An item that is not known is the data steward's, who neither buys nor pays.
        let unknown = new_order();
        send(
            world,
            &created_with(&unknown, &format!("NEW-{}", unknown.number)),
        )
        .await;
        settle(world, std::slice::from_ref(&unknown)).await;
        let id = held(world, &unknown).await;
        let seen = shown(&somebody(world, "dan", &["steward:plant-b:data"]), &id).await;
        assert_eq!(seen["fact"]["data"]["lines"][0]["unitPrice"], json!("***"));
        assert_eq!(seen["fact"]["data"]["lines"][0]["qty"], json!("12"));
        assert!(!seen.to_string().contains("38.2935"), "{seen}");
    });
}

#[test]
fn an_operator_stops_a_document_without_an_exception() {
    beside_others(async |world| {
        let orders = new_orders(world, 1).await;
        let order = &orders[0];
        send(world, &order.created()).await;
        settle(world, &orders).await;
        let operator = somebody(world, "olga", &["operator:plant-b:procurement"]);
        let path = format!("/v1/lifecycles/{}/cancellations", order.id());
        let revision = lifecycle(world, &order.id()).await.header.revision;
        let body = json!({"revision": revision, "note": "ordered twice"});
        let name = key();
        let answer = operator.post(&path, &name, &body).await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
        let again = operator.post(&path, &name, &body).await.unwrap();
        assert_eq!(
            (again.status, again.replayed),
            (200, true),
            "{}",
            again.body
        );
        settle(world, &orders).await;
        let header = lifecycle(world, &order.id()).await.header;
        assert_eq!(header.status, Status::Cancelled);
        assert_eq!(header.cancelled.unwrap().by, "olga");
    });
}
