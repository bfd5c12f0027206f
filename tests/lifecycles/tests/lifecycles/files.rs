//! Files of plants: announced, uploaded, read row by row, whoever dies meanwhile.

use std::collections::BTreeMap;
use std::path::PathBuf;

use interplant_cli::deliver::{deliver, settled};
use interplant_cli::world::World;
use interplant_domain::identifier::PlantCode;
use interplant_mapping::feed::Bundle;
use interplant_runtime::files;
use serde_json::{Value, json};

use crate::setting::{PATIENCE, beside_others, failpoints, project, until, until_within};

/// One row is one receipt, of an order that never comes: the facts are kept and wait.
const FEED: &str = r#"
about: Receipts
system: wms
document: receipt
files:
  receipts:
    name: GR*.csv
    delimited: { separator: ";" }
    columns: [receipt, order, line, item, quantity]
lookups:
  items: { file: lookups/items.csv, key: code }
events:
  received:
    type: receipt.posted
    time: $moment("2026-10-05 08", "%Y-%m-%d %H", "UTC")
    data:
      receiptNumber: receipt
      poNumber: order
      lines:
        each: $
        fields:
          lineNo: line
          itemId: $table("items", item, "item")
          qtyReceived: $dec(quantity, ",", ".")
"#;

const HEAD: &str = "receipt;order;line;item;quantity\n";

fn plant() -> PlantCode {
    "plant-c".parse().unwrap()
}

/// Publishes the feed under a name of the test's own: tests run side by side.
async fn publish(world: &World, feed: &str, items: &str) -> Vec<String> {
    let plant = plant();
    let context = &world.cloud.context;
    // What other tests have published stays.
    let mut bundle = match context.files.published(&plant).await.unwrap() {
        Some(hash) => context.files.bundle(&plant, &hash).await.unwrap(),
        None => Bundle::default(),
    };
    let lookup = format!("lookups/{feed}.csv");
    let text = FEED.replace("lookups/items.csv", &lookup);
    let files = &mut bundle.files;
    files.insert(format!("{plant}/feeds/{feed}.yaml"), text.into_bytes());
    files.insert(format!("{plant}/{lookup}"), items.as_bytes().to_vec());
    files::publish(context, &plant, &bundle).await.unwrap()
}

/// Publishing takes all feeds of a plant at once: one test after the other.
static PUBLISHING: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

async fn publish_beside_others(world: &World, feed: &str, items: &str) -> Vec<String> {
    let _one = PUBLISHING.lock().await;
    publish(world, feed, items).await
}

/// A name that no other run has used.
fn fresh(what: &str) -> String {
    format!("{what}-{}", uuid::Uuid::now_v7().simple())
}

fn row(name: &str, number: usize, item: &str, quantity: &str) -> String {
    format!("GR-{name}-{number};{name}-{number};1;{item};{quantity}\n")
}

fn written(name: &str, text: &str) -> Vec<PathBuf> {
    let folder = project().join(".local/lifecycles/files");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(format!("GR-{name}.csv"));
    std::fs::write(&path, text).unwrap();
    vec![path]
}

async fn delivered(world: &World, feed: &str, files: &[PathBuf]) -> Value {
    let sender = world.sender(&plant()).unwrap();
    let id = deliver(sender, feed, files).await.unwrap();
    settled(sender, &id, PATIENCE).await.unwrap()
}

fn counts(fate: &Value) -> BTreeMap<&str, u64> {
    let counts = fate["counts"].as_object().unwrap().iter();
    counts
        .map(|(what, count)| (what.as_str(), count.as_u64().unwrap()))
        .filter(|(_, count)| *count > 0)
        .collect()
}

#[test]
fn a_file_is_taken_in_once_whoever_dies_reading_it_and_a_corrected_one_changes_the_corrected_row() {
    beside_others(async |world| {
        const ROWS: usize = 350;
        const BAD: usize = 212;
        let feed = fresh("receipts");
        publish_beside_others(world, &feed, "code,item\nA,ITEM-A\n").await;
        let name = fresh("kill");
        let rows = |bad: &str| -> String {
            let rows = (1..=ROWS).map(|n| row(&name, n, "A", if n == BAD { bad } else { "1,5" }));
            HEAD.to_owned() + &rows.collect::<String>()
        };
        for point in [
            "import.after_claim",
            "import.after_note",
            "import.before_end",
        ] {
            std::fs::write(failpoints().join(point), "").unwrap();
        }
        let files = written(&name, &rows("many"));
        let fate = delivered(world, &feed, &files).await;
        for point in [
            "import.after_claim",
            "import.after_note",
            "import.before_end",
        ] {
            assert!(
                !failpoints().join(point).exists(),
                "nobody was killed at {point}"
            );
        }
        assert_eq!(fate["state"], "done", "{fate}");
        assert_eq!(fate["documents"], ROWS);
        let expected = BTreeMap::from([("accepted", ROWS as u64 - 1), ("rejected", 1)]);
        assert_eq!(counts(&fate), expected, "{fate}");
        let problems = fate["problems"].as_array().unwrap();
        assert_eq!(problems.len(), 1);
        let problem = &problems[0]["not_made"];
        assert_eq!(problem["spot"]["line"], BAD + 1);
        assert_eq!(problem["pointer"], "/data/lines/0/qtyReceived");
        // The result file lies ready for the plant.
        let url = fate["result_url"].as_str().unwrap();
        let result = reqwest::get(url).await.unwrap().text().await.unwrap();
        let lines: Vec<Value> = result
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines.len(), 2, "{result}");
        assert_eq!(lines[0]["counts"]["accepted"], ROWS - 1);
        assert_eq!(lines[1]["not_made"]["document"], format!("GR-{name}-{BAD}"));

        let again = delivered(world, &feed, &files).await;
        assert_eq!(
            again["same_as"], fate["id"],
            "the same bytes are recognised"
        );
        assert_eq!(counts(&again), BTreeMap::new());

        let corrected = delivered(world, &feed, &written(&name, &rows("7"))).await;
        let expected = BTreeMap::from([("accepted", 1), ("duplicates", ROWS as u64 - 1)]);
        assert_eq!(counts(&corrected), expected, "{corrected}");
        let sender = world.sender(&plant()).unwrap();
        let id = format!("po/plant-c/{name}-{BAD}");
        until("the corrected row is in its order's mailbox", async || {
            sender
                .get(&format!("/v1/lifecycles/{id}"))
                .await
                .unwrap()
                .status
                == 200
        })
        .await;
    });
}

/// `make ten-thousand` says so: a quarter of an hour is too long for every run.
#[test]
fn one_bad_row_of_ten_thousand_and_a_reader_killed_at_row_6000_leave_9999_facts_once_each() {
    if std::env::var("TEN_THOUSAND").is_err() {
        println!("NOT RUN: a file of 10,000 rows; `make ten-thousand` reads it");
        return;
    }
    beside_others(async |world| {
        const ROWS: usize = 10_000;
        const BAD: usize = 4_321;
        const KILLED: u64 = 6_000;
        let feed = fresh("receipts");
        publish_beside_others(world, &feed, "code,item\nA,ITEM-A\n").await;
        let name = fresh("many");
        let rows = (1..=ROWS).map(|n| row(&name, n, "A", if n == BAD { "many" } else { "1,5" }));
        let files = written(&name, &(HEAD.to_owned() + &rows.collect::<String>()));
        let sender = world.sender(&plant()).unwrap();
        let id = deliver(sender, &feed, &files).await.unwrap();
        let long = PATIENCE * 10;
        let read = async || {
            let answer = sender.get(&format!("/v1/files/{id}")).await.unwrap();
            answer.body["documents"].as_u64().unwrap_or_default()
        };
        let point = failpoints().join("import.after_note");
        until_within(long, "6,000 rows are read", async || read().await >= KILLED).await;
        std::fs::write(&point, "").unwrap();
        let fate = settled(sender, &id, long).await.unwrap();
        assert!(!point.exists(), "nobody was killed");
        assert_eq!(fate["documents"], ROWS);
        let expected = BTreeMap::from([("accepted", ROWS as u64 - 1), ("rejected", 1)]);
        assert_eq!(counts(&fate), expected, "{fate}");
        let problem = &fate["problems"][0]["not_made"];
        assert_eq!(problem["spot"]["line"], BAD + 1);
        assert_eq!(problem["pointer"], "/data/lines/0/qtyReceived");
        println!("{ROWS} rows: {fate}");
        // Every row has one fact in its mailbox, and no more.
        let mut entries = 0;
        for number in 1..=ROWS {
            let id = format!("po/plant-c/{name}-{number}").parse().unwrap();
            let count = async || {
                let lifecycle = world.lifecycle(&id).await.unwrap();
                lifecycle.map_or(0, |lifecycle| lifecycle.entries.len())
            };
            if number != BAD {
                until_within(long, "the row is in its mailbox", async || {
                    count().await > 0
                })
                .await;
            }
            let count = count().await;
            assert_eq!(count, usize::from(number != BAD), "row {number}");
            entries += count;
        }
        assert_eq!(entries, ROWS - 1);
    });
}

#[test]
fn facts_with_a_code_that_nobody_knows_wait_for_it_and_are_made_when_it_is_published() {
    beside_others(async |world| {
        let feed = fresh("codes");
        publish_beside_others(world, &feed, "code,item\nA,ITEM-A\n").await;
        let name = fresh("code");
        let text = format!(
            "{HEAD}{}{}{}",
            row(&name, 1, "A", "1"),
            row(&name, 2, "NEW", "2"),
            row(&name, 3, "NEW", "3")
        );
        let fate = delivered(world, &feed, &written(&name, &text)).await;
        let expected = BTreeMap::from([("accepted", 1), ("unknown_code", 2)]);
        assert_eq!(counts(&fate), expected, "{fate}");
        let context = &world.cloud.context;
        let waits = context.files.missed(&plant(), Some(&feed)).await.unwrap();
        assert_eq!(
            waits.len(),
            1,
            "one code is one exception, however many facts wait for it"
        );
        assert_eq!(
            (waits[0].table.as_str(), waits[0].code.as_str()),
            ("items", "NEW")
        );
        assert_eq!(waits[0].owner, "master-data@group.example");
        assert_eq!(json!(waits[0].files), json!([fate["id"]]));

        let again = publish_beside_others(world, &feed, "code,item\nA,ITEM-A\nNEW,ITEM-N\n").await;
        assert_eq!(json!(again), json!([fate["id"]]));
        let sender = world.sender(&plant()).unwrap();
        let id = fate["id"].as_str().unwrap();
        let after = settled(sender, id, PATIENCE).await.unwrap();
        let expected = BTreeMap::from([("accepted", 3)]);
        assert_eq!(
            counts(&after),
            expected,
            "the first is this delivery's own: {after}"
        );
        until("nobody waits for the code", async || {
            context
                .files
                .missed(&plant(), Some(&feed))
                .await
                .unwrap()
                .is_empty()
        })
        .await;
        for number in 1..=3 {
            let path = format!("/v1/lifecycles/po/plant-c/{name}-{number}");
            until("each receipt is in its order's mailbox", async || {
                sender.get(&path).await.unwrap().status == 200
            })
            .await;
        }
    });
}

#[test]
fn what_is_announced_wrongly_or_uploaded_otherwise_is_told_and_not_read() {
    beside_others(async |world| {
        let feed = fresh("door");
        publish_beside_others(world, &feed, "code,item\nA,ITEM-A\n").await;
        let sender = world.sender(&plant()).unwrap();
        let announce = async |body: Value| {
            let answer = sender
                .post_to("/v1/files", "application/json", body.to_string())
                .await;
            answer.unwrap()
        };
        let hash = "0".repeat(64);
        let cases = [
            (
                json!({"feed": "none", "files": []}),
                422,
                "unknown_feed",
                "/feed",
            ),
            (
                json!({"feed": feed, "files": []}),
                422,
                "file_missing",
                "/files",
            ),
            (
                json!({"feed": feed, "files": [{"name": "XX.csv", "bytes": 1}]}),
                422,
                "unknown_file",
                "/files/0/name",
            ),
            (
                json!({"feed": feed, "files": [{"name": "../GR1.csv", "bytes": 1}]}),
                422,
                "invalid_value",
                "/files/0/name",
            ),
            (
                json!({"feed": feed, "files": [{"name": "GR1.csv", "bytes": -1}]}),
                422,
                "invalid_number",
                "/files/0/bytes",
            ),
            (
                json!({"feed": feed, "files": [{"name": "GR1.csv", "bytes": 1_u64 << 40}]}),
                413,
                "payload_too_large",
                "/files/0/bytes",
            ),
            (
                json!({"feed": feed, "files": [{"name": "GR1.csv", "bytes": 1}, {"name": "GR2.csv", "bytes": 1}]}),
                422,
                "unknown_file",
                "/files/1/name",
            ),
            (
                json!({"feed": feed, "files": [{"name": "GR1.csv", "bytes": 1, "sha256": "x"}]}),
                422,
                "invalid_value",
                "/files/0/sha256",
            ),
        ];
        for (body, status, code, pointer) in cases {
            let answer = announce(body.clone()).await;
            let found = (
                answer.status,
                answer.body["code"].as_str(),
                answer.body["pointer"].as_str(),
            );
            assert_eq!(
                found,
                (status, Some(code), Some(pointer)),
                "{body}: {}",
                answer.body
            );
        }
        // Other bytes than were announced.
        let text = format!("{HEAD}{}", row(&feed, 1, "A", "1"));
        let announced = json!({"feed": feed, "files": [{"name": "GR1.csv", "bytes": text.len(), "sha256": hash}]});
        let answer = announce(announced).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        let url = answer.body["uploads"][0]["url"].as_str().unwrap();
        sender.upload(url, text.into_bytes()).await.unwrap();
        let id = answer.body["id"].as_str().unwrap();
        let fate = settled(sender, id, PATIENCE).await.unwrap();
        assert_eq!(
            (&fate["state"], &fate["refused"]["code"]),
            (&json!("refused"), &json!("file_changed")),
            "{fate}"
        );
        // Of another plant's file nothing is told.
        let other = world.sender(&"plant-a".parse().unwrap()).unwrap();
        let theirs = other.get(&format!("/v1/files/{id}")).await.unwrap();
        let absent = other.get("/v1/files/file_0000").await.unwrap();
        assert_eq!(
            (theirs.status, theirs.body["code"].clone()),
            (absent.status, absent.body["code"].clone())
        );
        assert_eq!(theirs.status, 404);
    });
}
