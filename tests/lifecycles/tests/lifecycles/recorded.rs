//! Facts that are only kept: whatever their order and however often they come, each is there once, and
//! nothing is started, awaited, raised or done in Odoo for it.

use std::collections::BTreeSet;

use interplant_cli::deliver::{deliver, settled};
use interplant_cli::facts::{self, readdressed};
use interplant_cli::plants::read_events;
use interplant_cli::world::World;
use interplant_domain::exception::{Code, Decision};
use interplant_domain::fact::FactKind;
use interplant_domain::identifier::{LifecycleId, PlantCode, sha256_hex};
use interplant_domain::lifecycle::{GivenDecision, Status};
use interplant_domain::mailbox::{Entry, EntryState, RECORDED};
use interplant_runtime::engine::Engine as _;
use interplant_runtime::protocol;
use interplant_runtime::store::{ATTENTION_SHARDS, Error, transport_key};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::setting::{
    PATIENCE, alone, beside_others, decide, failpoints, given, lifecycle, project, until,
};

fn plant_c() -> PlantCode {
    "plant-c".parse().unwrap()
}

/// What the plant's samples say, about documents of this test alone.
fn new_facts() -> Vec<Value> {
    let run = &uuid::Uuid::new_v4().simple().to_string()[..8];
    let samples = project().join("plants/plant-c/samples");
    let mut all = Vec::new();
    for file in ["production.json", "accounting.json"] {
        all.extend(read_events(&samples.join(file)).unwrap());
    }
    for event in &mut all {
        event["id"] = json!(format!("{}-{run}", event["id"].as_str().unwrap()));
        let data = event["data"].as_object_mut().unwrap();
        if data.contains_key("asOf") {
            data.insert("snapshotNumber".to_owned(), json!(run));
        }
        for name in ["moNumber", "entryId", "proposalId"] {
            if let Some(number) = data.get_mut(name) {
                *number = json!(format!("{}-{run}", number.as_str().unwrap()));
            }
        }
        if let Some(sku) = event.pointer_mut("/data/localCodes/0/code") {
            *sku = json!(format!("PUMP-{run}"));
        }
    }
    all
}

/// In an order that has nothing to do with that of the business.
fn shuffled(mut events: Vec<Value>) -> Vec<Value> {
    events.sort_by_cached_key(|event| sha256_hex(event.to_string().as_bytes()));
    events
}

fn documents(events: &[Value]) -> Vec<LifecycleId> {
    let ids: BTreeSet<_> = events
        .iter()
        .map(|event| facts::lifecycle(&plant_c(), event).unwrap())
        .collect();
    ids.into_iter().collect()
}

/// Sends it until it is acknowledged, and says what the plant is told.
async fn sent(world: &World, event: &Value) -> (u16, String) {
    let sender = world.sender(&plant_c()).unwrap();
    let mut told = None;
    until("the fact is acknowledged", async || {
        let Ok(answer) = sender.event(event).await else {
            return false;
        };
        let status = answer.body["status"].as_str().unwrap_or_default();
        told = Some((answer.status, status.to_owned()));
        matches!(answer.status, 200 | 202)
    })
    .await;
    told.unwrap()
}

/// Each fact is in its mailbox once, recorded, with its content; nothing has happened beside that.
async fn assert_kept_once(world: &World, events: &[Value]) {
    let context = &world.cloud.context;
    let mut kept = 0;
    for id in documents(events) {
        let found = lifecycle(world, &id).await;
        let header = &found.header;
        assert_eq!(header.status, Status::Recorded, "{id}");
        assert_eq!((header.generation, header.steps), (0, 0), "{id}: a start");
        assert_eq!(header.operation, None, "{id}");
        assert_eq!(found.waiter, None, "{id}");
        assert_eq!(found.exceptions, [], "{id}");
        for generation in 0..2 {
            let entered = context.engine.states_entered(&id, generation).await;
            assert_eq!(entered.unwrap(), [], "{id}: an execution was started");
            assert!(!context.engine.is_running(&id, generation).await.unwrap());
        }
        let sequences: Vec<u64> = found.entries.iter().map(|entry| entry.sequence).collect();
        let expected: Vec<u64> = (1..=sequences.len() as u64).collect();
        assert_eq!(sequences, expected, "{id}: the order of arrival");
        for entry in &found.entries {
            assert_eq!(entry.state, EntryState::Recorded, "{id}");
            let row = context.inbox.by_key(&entry.inbox_key).await.unwrap();
            let row = row.unwrap_or_else(|| panic!("{id}: a fact without its content"));
            let is_it = |event: &&Value| event["id"] == row.sender_id.trim_end_matches("-again");
            let event = events.iter().find(is_it).unwrap();
            assert_eq!(Some(row.fact().unwrap()), facts::fact(event), "{id}");
        }
        kept += found.entries.len();
    }
    assert_eq!(kept, events.len(), "each fact once");
}

/// Nothing of them is ever looked at by the sweeper.
async fn assert_not_swept(world: &World, ids: &[LifecycleId]) {
    let context = &world.cloud.context;
    let in_ten_years = context.now() + SignedDuration::from_hours(24 * 3650);
    for shard in 0..ATTENTION_SHARDS {
        let open = context
            .store
            .wanting_attention(shard, in_ten_years, 10_000)
            .await
            .unwrap();
        let ours: Vec<_> = open.iter().filter(|id| ids.contains(id)).collect();
        assert!(ours.is_empty(), "the sweeper has {ours:?}");
    }
}

#[test]
fn facts_of_production_and_books_are_each_kept_once_and_nothing_is_done_with_them() {
    alone(async |world| {
        let events = new_facts();
        let ids = documents(&events);
        assert_eq!(ids.len(), 6, "{ids:?}");
        let calls = world.sandbox.as_ref().map(|sandbox| sandbox.calls().len());

        let again = events.iter().enumerate().map(|(index, event)| {
            if index % 3 == 0 {
                readdressed(event)
            } else {
                event.clone()
            }
        });
        let mut told = Vec::new();
        for event in shuffled(events.iter().cloned().chain(again).collect()) {
            told.push(sent(world, &event).await);
        }
        let count = |status: &str| told.iter().filter(|(_, told)| told == status).count();
        let under_a_new_id = events.len().div_ceil(3);
        assert_eq!(count("duplicate_of"), under_a_new_id, "{told:?}");
        let replayed = told.iter().filter(|(status, _)| *status == 200).count();
        assert_eq!(replayed, events.len() - under_a_new_id, "{told:?}");
        world.settle(&ids, PATIENCE, |_| {}).await.unwrap();
        assert_kept_once(world, &events).await;
        assert_not_swept(world, &ids).await;

        // The sweeper goes by, and months later the plant sends everything once more.
        world.cloud.context.sweep().await.unwrap();
        for event in &events {
            let (status, told) = sent(world, event).await;
            assert!(
                (status, told.as_str()) == (200, "accepted")
                    || (status, told.as_str()) == (200, "duplicate_of"),
                "{status} {told}"
            );
            assert_eq!(
                sent(world, &readdressed(&readdressed(event))).await,
                (202, "duplicate_of".to_owned())
            );
        }
        world.settle(&ids, PATIENCE, |_| {}).await.unwrap();
        assert_kept_once(world, &events).await;
        if let Some(sandbox) = &world.sandbox {
            assert_eq!(Some(sandbox.calls().len()), calls, "Odoo was called");
        }
    });
}

#[test]
fn a_plant_is_told_that_a_fact_is_kept_and_nothing_more() {
    beside_others(async |world| {
        let events = new_facts();
        for event in &events {
            sent(world, event).await;
        }
        let ids = documents(&events);
        world.settle(&ids, PATIENCE, |_| {}).await.unwrap();
        let sender = world.sender(&plant_c()).unwrap();
        for event in &events {
            let path = format!(
                "/v1/events?source={}&id={}",
                event["source"].as_str().unwrap(),
                event["id"].as_str().unwrap()
            );
            let fate = sender.get(&path).await.unwrap();
            assert_eq!(
                (
                    fate.status,
                    &fate.body["status"],
                    &fate.body["detail"],
                    &fate.body["settled_at"]
                ),
                (200, &json!("recorded"), &json!(RECORDED), &Value::Null),
                "{}",
                fate.body
            );
        }
        for id in &ids {
            let road = sender.get(&format!("/v1/lifecycles/{id}")).await.unwrap();
            assert_eq!(
                (
                    road.status,
                    &road.body["status"],
                    &road.body["waits"],
                    &road.body["exceptions"],
                    &road.body["steps"]
                ),
                (
                    200,
                    &json!("recorded"),
                    &Value::Null,
                    &json!([]),
                    &json!([])
                ),
                "{}",
                road.body
            );
            assert_eq!(
                road.body["facts"][0]["state"],
                json!({"state": "recorded"}),
                "{}",
                road.body
            );
        }
        // The list has them behind what is followed, the last one first that a fact came of.
        let listed = world.cloud.context.store.list(&plant_c(), 1_000).await;
        let listed: Vec<_> = listed
            .unwrap()
            .into_iter()
            .map(|header| (header.id, header.updated_at))
            .filter(|(id, _)| id.kind().only_keeps())
            .collect();
        assert!(ids.iter().all(|id| listed.iter().any(|(one, _)| one == id)));
        assert!(listed.is_sorted_by(|(_, one), (_, next)| one >= next));
    });
}

#[test]
fn another_content_under_the_same_number_is_held_and_the_first_one_stays() {
    beside_others(async |world| {
        let events = new_facts();
        let entry = events
            .iter()
            .find(|event| event["type"] == "interplant.journal.entry.submitted.v1")
            .unwrap();
        let mut other = readdressed(entry);
        other["data"]["lines"][0]["amount"] = json!("18450.76");
        other["data"]["lines"][1]["amount"] = json!("-14020.41");
        assert_eq!(sent(world, entry).await, (202, "accepted".to_owned()));
        assert_eq!(sent(world, &other).await, (202, "held".to_owned()));
        let id = facts::lifecycle(&plant_c(), entry).unwrap();
        world
            .settle(std::slice::from_ref(&id), PATIENCE, |_| {})
            .await
            .unwrap();

        let found = lifecycle(world, &id).await;
        assert_eq!(found.header.status, Status::Recorded);
        let [raised] = found.exceptions.as_slice() else {
            panic!("{:?}", found.exceptions)
        };
        assert_eq!(raised.exception.code, Code::ConflictingFact);
        let context = &world.cloud.context;
        let given = GivenDecision {
            seen_revision: Some(found.header.revision),
            ..given(raised, Decision::Skip)
        };
        decide(world, &id, &given).await.unwrap();
        let (store, engine) = (&context.store, &context.engine);
        assert_eq!(
            protocol::restart(store, engine, &id, "tester", "mended", context.now()).await,
            Err(Error::Conflict),
            "there is nothing to restart"
        );
        assert_kept_once(world, std::slice::from_ref(entry)).await;
        assert_not_swept(world, std::slice::from_ref(&id)).await;
    });
}

#[test]
fn a_process_killed_on_the_way_leaves_each_kept_fact_once() {
    alone(async |world| {
        let events = new_facts();
        for point in [
            "ingest.after_inbox",
            "ingest.after_queue",
            "route.after_append",
            "route.before_routed",
        ] {
            std::fs::write(failpoints().join(point), "").unwrap();
        }
        for event in shuffled(events.clone()) {
            sent(world, &event).await;
        }
        let ids = documents(&events);
        world.settle(&ids, PATIENCE, |_| {}).await.unwrap();
        assert_kept_once(world, &events).await;
        let left: Vec<_> = std::fs::read_dir(failpoints())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert!(left.is_empty(), "nobody was killed at {left:?}");
    });
}

#[test]
fn a_fact_that_contradicts_itself_is_refused_and_leaves_no_trace() {
    beside_others(async |world| {
        let sender = world.sender(&plant_c()).unwrap();
        for (kind, pointer, value, status, code) in [
            ("mo.released", "/qty", json!("0"), 422, "invalid_value"),
            (
                "mo.released",
                "/plannedEnd",
                json!("2026-10-26T23:00:00Z"),
                422,
                "invalid_value",
            ),
            (
                "mo.released",
                "/plant",
                json!("plant-a"),
                403,
                "plant_mismatch",
            ),
            ("mo.released", "/odooId", json!("7"), 422, "unknown_field"),
            (
                "mo.cancelled",
                "/state",
                json!("Running"),
                422,
                "invalid_value",
            ),
            (
                "material.issued",
                "/lines/0/derived",
                json!("guessed"),
                422,
                "invalid_value",
            ),
            (
                "material.issued",
                "/lines/1/serials",
                json!(["M-1", "M-1", "M-2"]),
                422,
                "invalid_value",
            ),
            (
                "operation.completed",
                "/hours",
                json!("6,25"),
                422,
                "invalid_number",
            ),
            (
                "fg.received",
                "/inputLots/1",
                json!({"itemId": "HOUSING-7", "lotId": "H-2231"}),
                422,
                "invalid_value",
            ),
            (
                "stock.snapshot",
                "/controlTotals/qty",
                json!("1287.74"),
                422,
                "invalid_value",
            ),
            (
                "journal.entry.submitted",
                "/lines",
                json!([{"localAccount": "1", "amount": "0.01"}, {"localAccount": "2", "amount": "-0.02"}]),
                422,
                "invalid_value",
            ),
        ] {
            let name = format!("interplant.{kind}.v1");
            let mut all = new_facts().into_iter();
            let mut event = all.find(|event| event["type"] == name.as_str()).unwrap();
            let (parent, field) = pointer.rsplit_once('/').unwrap();
            let place = event["data"].pointer_mut(parent).unwrap();
            match field.parse::<usize>() {
                Ok(index) => place[index] = value,
                Err(_) => place[field] = value,
            }
            let answer = sender.event(&event).await.unwrap();
            let body = &answer.body;
            assert_eq!(
                (answer.status, &body["code"], &body["pointer"]),
                (status, &json!(code), &json!(format!("/data{pointer}"))),
                "{kind} {pointer}: {body}"
            );
            let key = transport_key(
                event["source"].as_str().unwrap(),
                event["id"].as_str().unwrap(),
            );
            let row = world.cloud.context.inbox.by_key(&key).await.unwrap();
            assert_eq!(row, None, "{kind} {pointer}: an inbox row");
            if let Some(fact) = facts::fact(&event) {
                let id = fact.lifecycles(&plant_c()).remove(0);
                assert!(world.lifecycle(&id).await.unwrap().is_none(), "{id}");
            }
        }
    });
}

#[test]
fn files_of_the_shop_floor_and_of_the_books_become_facts_that_are_kept_once() {
    alone(async |world| {
        let plant = project().join("plants/plant-c");
        world.add_feeds(&plant_c(), &plant).await.unwrap();
        let run = &uuid::Uuid::new_v4().simple().to_string()[..8];
        let written = project().join(".local/lifecycles/files").join(run);
        std::fs::create_dir_all(&written).unwrap();
        let sender = world.sender(&plant_c()).unwrap();
        for (feed, name, documents, facts) in [
            (
                "operation-reports",
                "Rueckmeldung_20261028.csv",
                vec!["mo/plant-c/700123-RUN", "mo/plant-c/700125-RUN"],
                3,
            ),
            (
                "material-issues",
                "Entnahme_20261027.csv",
                vec!["mo/plant-c/700123-RUN", "mo/plant-c/700125-RUN"],
                2,
            ),
            (
                "journal",
                "Journal_2026-10.csv",
                vec!["je/plant-c/2026-10-0091-RUN", "je/plant-c/2026-10-0092-RUN"],
                2,
            ),
        ] {
            let sample = plant.join("samples").join(feed).join(name);
            let mut text = std::fs::read_to_string(sample).unwrap();
            for number in ["700123", "700125", "2026-10-0091", "2026-10-0092"] {
                text = text.replace(number, &format!("{number}-{run}"));
            }
            let file = written.join(name);
            // The second time with other bytes, or it would not be read again.
            for (bytes, expected) in [
                (text.clone(), "accepted"),
                (format!("{text}\n"), "duplicates"),
            ] {
                std::fs::write(&file, bytes).unwrap();
                let id = deliver(sender, feed, std::slice::from_ref(&file)).await;
                let fate = settled(sender, &id.unwrap(), PATIENCE).await.unwrap();
                assert_eq!(
                    (&fate["state"], &fate["counts"][expected]),
                    (&json!("done"), &json!(facts)),
                    "{fate}"
                );
            }
            let ids: Vec<LifecycleId> = documents
                .iter()
                .map(|id| id.replace("RUN", run).parse().unwrap())
                .collect();
            world.settle(&ids, PATIENCE, |_| {}).await.unwrap();
            let mut kept = 0;
            for id in &ids {
                let found = lifecycle(world, id).await;
                assert_eq!(found.header.status, Status::Recorded, "{id}");
                let of_feed = |entry: &&Entry| {
                    let journal = entry.kind == FactKind::JournalEntrySubmitted;
                    let issue = entry.kind == FactKind::MaterialIssued;
                    match feed {
                        "journal" => journal,
                        "material-issues" => issue,
                        _ => !journal && !issue,
                    }
                };
                kept += found.entries.iter().filter(of_feed).count();
            }
            assert_eq!(kept, facts, "{feed}: each fact once");
            assert_not_swept(world, &ids).await;
        }
    });
}
