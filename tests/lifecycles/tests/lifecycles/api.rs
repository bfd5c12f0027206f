//! The door: what is taken, what is refused, and what a plant is told.

use base64::Engine as _;
use interplant_cli::api::{Answer, BATCH, EVENT, Sender, answer};
use interplant_cli::world::World;
use interplant_domain::identifier::{LifecycleId, PlantCode};
use interplant_runtime::webhook::{PlantKey, SenderKey};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::order::{Order, delivered, new_order, new_orders, send, settle};
use crate::setting::{alone, beside_others, plant_b};

/// What must not have happened when a fact was refused.
async fn assert_left_no_trace(world: &World, order: &Order, fact: &Value) {
    assert!(
        world.lifecycle(&order.id()).await.unwrap().is_none(),
        "{}: a lifecycle",
        order.number
    );
    if let (Some(source), Some(id)) = (fact["source"].as_str(), fact["id"].as_str()) {
        let key = interplant_runtime::store::transport_key(source, id);
        assert_eq!(
            world.cloud.context.inbox.by_key(&key).await.unwrap(),
            None,
            "{}: an inbox row",
            order.number
        );
    }
    let found = world
        .odoo
        .search_read(
            "purchase.order",
            json!([["origin", "=", order.id().to_string()]]),
            &["id"],
        )
        .await
        .unwrap();
    assert_eq!(found, [], "{}: Odoo was reached", order.number);
}

fn assert_problem(answer: &Answer, status: u16, code: &str, pointer: Option<&str>) {
    let body = &answer.body;
    assert_eq!(
        (answer.status, body["code"].as_str()),
        (status, Some(code)),
        "{body}"
    );
    assert_eq!(body["pointer"].as_str(), pointer, "{body}");
    assert_eq!(body["status"], json!(status), "{body}");
    assert!(
        body["title"].as_str().is_some_and(|title| title.len() > 10),
        "{body}"
    );
}

/// The text of an event with one part replaced, for what a JSON value cannot hold.
fn with_text(event: &Value, from: &str, to: &str) -> String {
    let text = event.to_string();
    assert!(text.contains(from), "{from} in {text}");
    text.replacen(from, to, 1)
}

#[test]
fn bad_input_gets_a_clear_answer_and_leaves_no_trace() {
    beside_others(async |world| {
        let sender = world.sender(&plant_b()).unwrap();
        let changed = |order: &Order, pointer: &str, value: Value| {
            let mut event = order.created();
            *event.pointer_mut(pointer).unwrap() = value;
            event.to_string()
        };
        let added = |order: &Order, pointer: &str, name: &str| {
            let mut event = order.created();
            event.pointer_mut(pointer).unwrap()[name] = json!("x");
            event.to_string()
        };
        let quantity = r#""qty":"12""#;
        type Make<'a> = Box<dyn Fn(&Order) -> String + 'a>;
        let cases: Vec<(&str, Make, u16, &str, Option<&str>)> = vec![
            (
                "an unknown field in data",
                Box::new(|order| added(order, "/data", "approved_by")),
                422,
                "unknown_field",
                Some("/data/approved_by"),
            ),
            (
                "an unknown attribute",
                Box::new(|order| added(order, "", "odoo_id")),
                422,
                "unknown_field",
                Some("/odoo_id"),
            ),
            (
                "a duplicate key",
                Box::new(|order| with_text(&order.created(), quantity, r#""qty":"12","qty":"13""#)),
                400,
                "duplicate_key",
                Some("/data/lines/0/qty"),
            ),
            (
                "1e400",
                Box::new(|order| with_text(&order.created(), quantity, r#""qty":1e400"#)),
                422,
                "invalid_number",
                Some("/data/lines/0/qty"),
            ),
            (
                "too many decimals",
                Box::new(|order| changed(order, "/data/lines/0/qty", json!("1.1234567"))),
                422,
                "invalid_number",
                Some("/data/lines/0/qty"),
            ),
            (
                "a comma",
                Box::new(|order| changed(order, "/data/lines/1/qty", json!("1,5"))),
                422,
                "invalid_number",
                Some("/data/lines/1/qty"),
            ),
            (
                "a quantity of zero",
                Box::new(|order| changed(order, "/data/lines/0/qty", json!("0"))),
                422,
                "invalid_value",
                Some("/data/lines/0/qty"),
            ),
            (
                "a negative quantity",
                Box::new(|order| changed(order, "/data/lines/0/qty", json!("-3"))),
                422,
                "invalid_value",
                Some("/data/lines/0/qty"),
            ),
            (
                "a line twice",
                Box::new(|order| changed(order, "/data/lines/1/lineNo", json!("1"))),
                422,
                "invalid_value",
                Some("/data/lines/1/lineNo"),
            ),
            (
                "an unknown event type",
                Box::new(|order| changed(order, "/type", json!("interplant.po.imagined.v1"))),
                422,
                "unknown_event_type",
                Some("/type"),
            ),
            (
                "a day that does not exist",
                Box::new(|order| changed(order, "/data/orderDate", json!("2026-02-30"))),
                422,
                "invalid_date",
                Some("/data/orderDate"),
            ),
            (
                "a time without an offset",
                Box::new(|order| changed(order, "/time", json!("2026-10-05T08:00:00"))),
                422,
                "invalid_date",
                Some("/time"),
            ),
            (
                "a missing field",
                Box::new(|order| with_text(&order.created(), r#""currency":"USD","#, "")),
                422,
                "missing_field",
                Some("/data/currency"),
            ),
            (
                "a correction by revision",
                Box::new(|order| {
                    let mut event = order.created();
                    event["bizrev"] = json!("2");
                    event.to_string()
                }),
                422,
                "revision_not_taken",
                Some("/bizrev"),
            ),
            (
                "another plant in source",
                Box::new(|order| changed(order, "/source", json!("urn:plant:plant-a:erp"))),
                403,
                "plant_mismatch",
                Some("/source"),
            ),
            (
                "another plant in data",
                Box::new(|order| {
                    let mut event = order.created();
                    event["data"]["plant"] = json!("plant-a");
                    event.to_string()
                }),
                403,
                "plant_mismatch",
                Some("/data/plant"),
            ),
            (
                "a direction override",
                Box::new(|order| changed(order, "/data/supplierId", json!("a\u{202e}b"))),
                422,
                "invalid_value",
                Some("/data/supplierId"),
            ),
            (
                "deep nesting",
                Box::new(|order| {
                    with_text(
                        &order.created(),
                        r#""1""#,
                        &format!("{}1{}", "[".repeat(200), "]".repeat(200)),
                    )
                }),
                400,
                "too_deep",
                None,
            ),
        ];
        for (what, make, status, code, pointer) in cases {
            let order = new_order();
            let body = make(&order);
            let answer = sender.post(EVENT, body.clone()).await.unwrap();
            println!("{what}: {} {}", answer.status, answer.body["title"]);
            if code == "too_deep" {
                assert_eq!(
                    (answer.status, answer.body["code"].as_str()),
                    (status, Some(code)),
                    "{what}"
                );
            } else {
                assert_problem(&answer, status, code, pointer);
            }
            assert_left_no_trace(
                world,
                &order,
                &serde_json::from_str(&body).unwrap_or_default(),
            )
            .await;
        }
    });
}

#[test]
fn broken_json_says_line_and_column() {
    beside_others(async |world| {
        let sender = world.sender(&plant_b()).unwrap();
        let answer = sender
            .post(
                EVENT,
                "{\n  \"specversion\": \"1.0\",\n  \"id\" 7\n}".to_owned(),
            )
            .await
            .unwrap();
        assert_problem(&answer, 400, "invalid_json", None);
        assert_eq!(
            (answer.body["line"].as_u64(), answer.body["column"].as_u64()),
            (Some(3), Some(8)),
            "{}",
            answer.body
        );
    });
}

#[test]
fn an_event_over_256_kb_and_a_batch_over_100_events_are_too_large() {
    beside_others(async |world| {
        let sender = world.sender(&plant_b()).unwrap();
        let order = new_order();
        let mut event = order.created();
        let line = event["data"]["lines"][0].clone();
        let lines: Vec<Value> = (0..3000)
            .map(|number| {
                let mut line = line.clone();
                line["lineNo"] = json!(number.to_string());
                line
            })
            .collect();
        event["data"]["lines"] = json!(lines);
        assert!(event.to_string().len() > 256 * 1024);
        assert_problem(
            &sender.event(&event).await.unwrap(),
            413,
            "payload_too_large",
            None,
        );
        let answer = sender
            .post(BATCH, json!([event, 1]).to_string())
            .await
            .unwrap();
        assert_eq!(
            (answer.status, &answer.body[0]["problem"]["code"]),
            (200, &json!("payload_too_large")),
            "{}",
            answer.body
        );
        let many: Vec<Value> = (0..101).map(|_| json!({})).collect();
        assert_problem(
            &sender.post(BATCH, json!(many).to_string()).await.unwrap(),
            413,
            "payload_too_large",
            None,
        );
        assert_left_no_trace(world, &order, &event).await;
    });
}

#[test]
fn a_batch_with_one_bad_event_takes_the_others_and_names_each() {
    beside_others(async |world| {
        let orders = new_orders(world, 2).await;
        let bad = new_order();
        let mut event = bad.created();
        event["data"]["lines"][1]["qty"] = json!("1e400");
        let sender = world.sender(&plant_b()).unwrap();
        let batch = json!([orders[0].created(), event, orders[1].created()]);
        let answer = sender.post(BATCH, batch.to_string()).await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
        let statuses: Vec<_> = (0..3)
            .map(|index| answer.body[index]["status"].as_str().unwrap())
            .collect();
        assert_eq!(statuses, ["accepted", "rejected", "accepted"]);
        for (index, order) in [&orders[0], &bad, &orders[1]].into_iter().enumerate() {
            assert_eq!(
                answer.body[index]["id"],
                json!(format!("{}-created", order.number))
            );
        }
        assert_eq!(
            answer.body[1]["problem"]["pointer"],
            json!("/data/lines/1/qty")
        );
        settle(world, &orders).await;
        assert_left_no_trace(world, &bad, &event).await;
        let again = sender.post(BATCH, batch.to_string()).await.unwrap();
        assert_eq!(again.body[0]["status"], json!("duplicate"));
        assert_eq!(
            again.body[0]["event"], answer.body[0]["event"],
            "the first answer"
        );
    });
}

#[test]
fn the_same_envelope_gets_the_first_answer_and_with_another_content_a_refusal() {
    beside_others(async |world| {
        let orders = new_orders(world, 1).await;
        let sender = world.sender(&plant_b()).unwrap();
        let first = sender.event(&orders[0].created()).await.unwrap();
        assert_eq!(
            (first.status, first.replayed),
            (202, false),
            "{}",
            first.body
        );
        let again = sender.event(&orders[0].created()).await.unwrap();
        assert_eq!(
            (again.status, again.replayed, &again.body),
            (200, true, &first.body)
        );
        // 12 and 12.0 are one quantity.
        let mut same = orders[0].created();
        same["data"]["lines"][0]["qty"] = json!(12.0);
        assert_eq!(sender.event(&same).await.unwrap().status, 200);
        let mut other = orders[0].created();
        other["data"]["lines"][0]["qty"] = json!("13");
        assert_problem(
            &sender.event(&other).await.unwrap(),
            422,
            "idempotency_payload_mismatch",
            Some("/id"),
        );
        let mut readdressed = orders[0].created();
        readdressed["id"] = json!(format!("{}-other", orders[0].number));
        let duplicate = sender.event(&readdressed).await.unwrap();
        assert_eq!(
            (duplicate.status, &duplicate.body["duplicate_of"]),
            (202, &first.body["event"]),
            "{}",
            duplicate.body
        );
    });
}

/// A request signed by hand.
struct ByHand<'a> {
    key: &'a str,
    plant: Option<&'a str>,
    at: Timestamp,
    signature: Option<String>,
}

async fn post_by_hand(world: &World, body: &str, hand: ByHand<'_>) -> Answer {
    let timestamp = hand.at.as_second().to_string();
    let signature =
        SenderKey::read(hand.key)
            .unwrap()
            .sign("msg_by_hand", &timestamp, body.as_bytes());
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut request = http
        .post(format!("{}/v1/events", world.cloud.ready.api))
        .header("content-type", EVENT)
        .body(body.to_owned());
    request = request
        .header("webhook-id", "msg_by_hand")
        .header("webhook-timestamp", timestamp);
    let signature = hand.signature.unwrap_or(signature);
    if !signature.is_empty() {
        request = request.header("webhook-signature", signature);
    }
    if let Some(plant) = hand.plant {
        request = request.header("interplant-plant", plant);
    }
    answer(request.send().await.unwrap()).await.unwrap()
}

fn new_key() -> String {
    format!(
        "whsec_{}",
        base64::engine::general_purpose::STANDARD.encode(uuid::Uuid::new_v4().into_bytes())
    )
}

#[test]
fn only_the_plants_own_key_and_a_fresh_signature_open_the_door() {
    alone(async |world| {
        let (old, new) = (new_key(), new_key());
        let private = format!(
            "whsk_{}",
            base64::engine::general_purpose::STANDARD.encode(
                [
                    uuid::Uuid::new_v4().into_bytes(),
                    uuid::Uuid::new_v4().into_bytes()
                ]
                .concat()
            )
        );
        let public = SenderKey::read(&private).unwrap().public_key();
        let now = Timestamp::now();
        let key = |id: &str,
                   secret: Option<&str>,
                   public_key: Option<String>,
                   not_after: Option<Timestamp>| PlantKey {
            id: id.into(),
            secret: secret.map(Into::into),
            public_key,
            not_after,
        };
        // A plant of its own: the functions keep keys for some minutes.
        let code: PlantCode = format!("door-{}", &uuid::Uuid::new_v4().simple().to_string()[..8])
            .parse()
            .unwrap();
        let mut plant = world.plants[&plant_b()].clone();
        plant.plant = code.clone();
        world.cloud.context.plants.publish(&plant).await.unwrap();
        let withdrawn = new_key();
        let keys = vec![
            key(
                "old",
                Some(&old),
                None,
                Some(now + SignedDuration::from_hours(1)),
            ),
            key("new", Some(&new), None, None),
            key("ed25519", None, public, None),
            key(
                "withdrawn",
                Some(&withdrawn),
                None,
                Some(now - SignedDuration::from_hours(1)),
            ),
        ];
        world.cloud.write_keys(code.as_str(), keys).await.unwrap();
        let order = new_order();
        let mut event = order.created();
        event["source"] = json!(format!("urn:plant:{code}:erp"));
        let body = event.to_string();
        let by = |key: &str| (key.to_owned(), Some(code.to_string()), now, None::<String>);
        let refused = [
            (
                "no signature",
                (
                    new.clone(),
                    Some(code.to_string()),
                    now,
                    Some(String::new()),
                ),
                "signature_missing",
            ),
            (
                "no plant",
                (new.clone(), None, now, None),
                "signature_missing",
            ),
            ("another key", by(&new_key()), "signature_invalid"),
            (
                "another plant's header",
                (new.clone(), Some("plant-a".to_owned()), now, None),
                "signature_invalid",
            ),
            (
                "a plant that does not exist",
                (new.clone(), Some("plant-nowhere".to_owned()), now, None),
                "signature_invalid",
            ),
            (
                "a changed signature",
                (
                    new.clone(),
                    Some(code.to_string()),
                    now,
                    Some("v1,AAAA".to_owned()),
                ),
                "signature_invalid",
            ),
            (
                "an unknown version",
                (
                    new.clone(),
                    Some(code.to_string()),
                    now,
                    Some("v9,AAAA".to_owned()),
                ),
                "signature_invalid",
            ),
            (
                "too old",
                (
                    new.clone(),
                    Some(code.to_string()),
                    now - SignedDuration::from_secs(330),
                    None,
                ),
                "timestamp_out_of_window",
            ),
            (
                "from the future",
                (
                    new.clone(),
                    Some(code.to_string()),
                    now + SignedDuration::from_secs(330),
                    None,
                ),
                "timestamp_out_of_window",
            ),
            ("a withdrawn key", by(&withdrawn), "key_revoked"),
        ];
        for (what, (key, plant, at, signature), expected) in refused {
            let answer = post_by_hand(
                world,
                &body,
                ByHand {
                    key: &key,
                    plant: plant.as_deref(),
                    at,
                    signature,
                },
            )
            .await;
            println!("{what}: {} {}", answer.status, answer.body["title"]);
            assert_problem(&answer, 401, expected, None);
        }
        assert_left_no_trace(world, &order, &event).await;
        for key in [&old, &new, &private] {
            let answer = post_by_hand(
                world,
                &body,
                ByHand {
                    key,
                    plant: Some(code.as_str()),
                    at: now,
                    signature: None,
                },
            )
            .await;
            assert!(matches!(answer.status, 200 | 202), "{}", answer.body);
        }
    });
}

#[test]
fn a_plant_is_told_the_fate_of_its_own_facts_and_orders_and_of_no_others() {
    beside_others(async |world| {
        let mut orders = new_orders(world, 1).await;
        // A number that has to be encoded in a path.
        orders[0].number = format!("{}/4 2", orders[0].number);
        let order = &orders[0];
        for fact in order.facts() {
            send(world, &fact).await;
        }
        delivered(world, &order.invoiced()).await;
        settle(world, &orders).await;
        let sender = world.sender(&plant_b()).unwrap();
        let id = &order.received()["id"]
            .as_str()
            .unwrap()
            .replace('/', "%2F")
            .replace(' ', "%20");
        let path = format!("/v1/events?source=urn%3Aplant%3Aplant-b%3Aerp&id={id}");
        let fate = sender.get(&path).await.unwrap();
        assert_eq!(
            (fate.status, &fate.body["status"]),
            (200, &json!("applied")),
            "{}",
            fate.body
        );
        let event = fate.body["event"].as_str().unwrap();
        assert_eq!(
            sender
                .get(&format!("/v1/events/{event}"))
                .await
                .unwrap()
                .body,
            fate.body
        );
        let road_path = format!("/v1/lifecycles/{}", order.id());
        let road = sender.get(&road_path).await.unwrap();
        assert_eq!(
            (road.status, &road.body["status"]),
            (200, &json!("closed")),
            "{}",
            road.body
        );
        assert_eq!(road.body["facts"].as_array().map(Vec::len), Some(4));
        assert!(
            !road.body.to_string().contains("token"),
            "no task token leaves the house"
        );

        let stranger = world.sender(&"plant-a".parse().unwrap()).unwrap();
        let absent = stranger
            .get(&format!(
                "/v1/lifecycles/{}",
                "po/plant-b/never".parse::<LifecycleId>().unwrap()
            ))
            .await
            .unwrap();
        for path in [path.as_str(), &format!("/v1/events/{event}"), &road_path] {
            let answer = stranger.get(path).await.unwrap();
            assert_problem(&answer, 404, "not_found", None);
            assert_eq!(
                without_instance(&answer),
                without_instance(&absent),
                "as if it did not exist"
            );
        }
        let unsigned = reqwest::Client::builder()
            .no_proxy()
            .build()
            .unwrap()
            .get(format!("{}{road_path}", world.cloud.ready.api))
            .send()
            .await
            .unwrap();
        assert_problem(
            &answer(unsigned).await.unwrap(),
            401,
            "signature_missing",
            None,
        );
    });
}

fn without_instance(answer: &Answer) -> Value {
    let mut body = answer.body.clone();
    body.as_object_mut().unwrap().remove("instance");
    body
}

#[test]
fn other_media_types_and_encodings_are_refused() {
    beside_others(async |world| {
        let sender: &Sender = world.sender(&plant_b()).unwrap();
        let body = new_order().created().to_string();
        for media_type in [
            "application/json",
            "text/xml",
            "application/x-www-form-urlencoded",
        ] {
            assert_problem(
                &sender.post(media_type, body.clone()).await.unwrap(),
                415,
                "unsupported_media_type",
                None,
            );
        }
    });
}

#[test]
fn the_openapi_document_is_served() {
    beside_others(async |world| {
        let response = reqwest::Client::builder()
            .no_proxy()
            .build()
            .unwrap()
            .get(format!("{}/v1/openapi.json", world.cloud.ready.api))
            .send()
            .await
            .unwrap();
        let document = answer(response).await.unwrap().body;
        assert_eq!(document["openapi"], json!("3.1.0"));
        for path in ["/v1/events", "/v1/events/{id}", "/v1/lifecycles/{id}"] {
            assert!(document["paths"][path].is_object(), "{path}");
        }
    });
}
