//! Files of what is in an outbox: made by configuration, fetched by the plant, acknowledged by partners.

use interplant_cli::deliver::{deliver, settled};
use interplant_cli::world::World;
use interplant_domain::exception::Code;
use interplant_domain::outbox::{Dispatch, DispatchState};
use interplant_mapping::edi;
use interplant_mapping::feed::{Bundle, Feed};
use interplant_runtime::outbox::Offer;
use serde_json::{Value, json};

use crate::outbox::{TestPlant, positions};
use crate::setting::{PATIENCE, alone, beside_others, failpoints, project, until};

const ORDERS: &str = r#"
about: Orders for the warehouse system
events: [po.created]
file: '"ORD" & data.poNumber & ".csv"'
delimited: { separator: ";", line_end: lf }
lookups:
  items: { file: lookups/items.csv, key: number }
rows:
  - each: data.lines
    columns:
      order: document.data.poNumber
      item: $table("items", itemId, "code")
      qty: $dec_as(qty, ",", 2)
"#;

const TO_SUPPLIERS: &str = r#"
about: Orders to suppliers
events: [po.created]
file: '"PO" & data.poNumber & ".x12"'
x12:
  kind: "850"
  version: "004010"
  functional_id: PO
  sender: { qualifier: { constant: ZZ }, id: { constant: GROUP } }
  receiver: { qualifier: { constant: ZZ }, id: data.supplierId }
segments:
  - [BEG, { constant: "00" }, { constant: NE }, data.poNumber, "", '$day_as(data.orderDate, "%Y%m%d")']
  - each: data.lines
    segments:
      - [PO1, lineNo, qty, { constant: EA }, "", "", { constant: BP }, itemId]
  - [CTT, $count(data.lines)]
"#;

const ANSWERS: &str = r#"
about: Acknowledgments of suppliers
system: edi
document: "'997'"
files:
  answers: { name: "*.x12", x12: {} }
events: {}
"#;

async fn publish(plant: &TestPlant<'_>, files: &[(&str, &str)]) -> Bundle {
    let named = files.iter().map(|(path, text)| {
        let path = format!("{}/{path}", plant.code);
        (path, text.as_bytes().to_vec())
    });
    let bundle = Bundle {
        files: named.collect(),
    };
    let context = &plant.world.cloud.context;
    context.files.publish(&plant.code, &bundle).await.unwrap();
    context.outbox.resume(&plant.code).await.unwrap();
    bundle
}

async fn offer(plant: &TestPlant<'_>, number: &str, item: &str) {
    let offer = Offer {
        plant: plant.code.clone(),
        document: plant.document(number),
        kind: "interplant.po.created.v1".to_owned(),
        version: 1,
        event: json!({"specversion": "1.0", "type": "interplant.po.created.v1", "data": {
            "poNumber": number, "supplierId": "ACME", "orderDate": "2026-11-24",
            "lines": [{"lineNo": "1", "itemId": item, "qty": "12.5"}]
        }}),
        causation: None,
    };
    let outbox = &plant.world.cloud.context.outbox;
    outbox.offer(&offer).await.unwrap();
}

/// The plant's entries, once there are so many.
async fn entries(plant: &TestPlant<'_>, many: usize) -> Vec<Value> {
    until(&format!("{many} entries with their files"), async || {
        positions(&plant.asks("").await).len() == many
    })
    .await;
    let answer = plant.asks("").await;
    answer["entries"].as_array().unwrap().clone()
}

async fn fetch(entry: &Value) -> String {
    let url = entry["files"][0]["file_url"].as_str().unwrap();
    let answer = reqwest::get(url).await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.status());
    answer.text().await.unwrap()
}

#[test]
fn a_plant_fetches_its_files_and_one_that_cannot_be_made_comes_when_the_lookup_is_mended() {
    beside_others(async |world| {
        let plant = TestPlant::new(world, "files", None).await;
        let items = "number,code\nFORK-1,4711\n";
        let mut files = [("out/orders.yaml", ORDERS), ("lookups/items.csv", items)];
        publish(&plant, &files).await;
        offer(&plant, "1", "FORK-1").await;
        offer(&plant, "2", "FORK-9").await;
        offer(&plant, "3", "FORK-1").await;
        let came = entries(&plant, 3).await;
        assert_eq!(came[0]["files"][0]["name"], "ORD1.csv");
        assert_eq!(fetch(&came[0]).await, "order;item;qty\n1;4711;12,50\n");
        assert_eq!(fetch(&came[2]).await, "order;item;qty\n3;4711;12,50\n");
        let problem = came[1]["file_problem"].as_str().unwrap();
        assert!(problem.contains("does not know `FORK-9`"), "{problem}");
        assert!(came[1]["files"].is_null(), "{}", came[1]);
        let told = plant.exceptions(&plant.document("2")).await;
        assert_eq!(told, [Code::FileNotMade]);

        files[1].1 = "number,code\nFORK-1,4711\nFORK-9,4719\n";
        publish(&plant, &files).await;
        until("the file is made", async || {
            plant.asks("").await["entries"][1]["files"].is_array()
        })
        .await;
        let came = entries(&plant, 3).await;
        assert_eq!(fetch(&came[1]).await, "order;item;qty\n2;4719;12,50\n");
        assert!(came[1]["file_problem"].is_null(), "{}", came[1]);
    });
}

/// The control number of an interchange.
fn control(text: &str) -> u32 {
    text.split('*').nth(13).unwrap().parse().unwrap()
}

async fn dispatch(plant: &TestPlant<'_>, control: u32) -> Dispatch {
    let table = &plant.world.cloud.context.outbox.table;
    let found = table.dispatch(&plant.code, "x12", "ZZ:ACME", control).await;
    found.unwrap().unwrap()
}

/// The partner's 997 to an order, as a file of the plant.
async fn answered(plant: &TestPlant<'_>, bundle: &Bundle, name: &str, order: &str, takes: bool) {
    let path = format!("{}/feeds/answers.yaml", plant.code);
    let feed = Feed::read(bundle, &plant.code, &path).unwrap();
    let moment = jiff::civil::date(2026, 11, 25).at(8, 0, 0, 0);
    let number = control(order) + 500;
    let (_, text) = edi::acknowledge(&feed, order.as_bytes(), moment, number).unwrap();
    let mut text = String::from_utf8(text).unwrap();
    assert!(text.contains("AK5*A~"), "{text}");
    if !takes {
        text = text
            .replace("AK5*A~", "AK5*R*5~")
            .replace("AK9*A*1*1*1~", "AK9*R*1*1*0~");
    }
    let folder = project().join(".local/lifecycles/answers");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join(format!("{}-{name}.x12", plant.code));
    std::fs::write(&file, text).unwrap();
    let id = deliver(&plant.sender, "answers", &[file]).await.unwrap();
    let read = settled(&plant.sender, &id, PATIENCE).await.unwrap();
    assert_eq!(read["state"], "done", "{read}");
}

async fn with_supplier<'w>(world: &'w World, name: &str, hours: u32) -> (TestPlant<'w>, Bundle) {
    let mut plant = TestPlant::new(world, name, None).await;
    plant.plant.outbox.acknowledgment_hours = hours;
    let plants = &world.cloud.context.plants;
    plants.publish(&plant.plant).await.unwrap();
    let files = [
        ("out/orders.yaml", TO_SUPPLIERS),
        ("feeds/answers.yaml", ANSWERS),
    ];
    let bundle = publish(&plant, &files).await;
    (plant, bundle)
}

#[test]
fn an_order_to_a_supplier_is_followed_until_its_acknowledgment_takes_or_rejects_it() {
    beside_others(async |world| {
        let (plant, bundle) = with_supplier(world, "edi", 24).await;
        offer(&plant, "1", "FORK-1").await;
        offer(&plant, "2", "FORK-2").await;
        let came = entries(&plant, 2).await;
        let (first, second) = (fetch(&came[0]).await, fetch(&came[1]).await);
        assert!(first.contains("PO1*1*12.5*EA***BP*FORK-1~"), "{first}");
        assert_ne!(control(&first), control(&second));
        assert_eq!(
            dispatch(&plant, control(&first)).await.state,
            DispatchState::Sent
        );

        answered(&plant, &bundle, "first", &first, true).await;
        assert_eq!(
            dispatch(&plant, control(&first)).await.state,
            DispatchState::Accepted
        );
        answered(&plant, &bundle, "second", &second, false).await;
        let rejected = dispatch(&plant, control(&second)).await;
        assert_eq!(rejected.state, DispatchState::Rejected);
        assert!(!rejected.errors.is_empty());
        assert_eq!(plant.exceptions(&plant.document("1")).await, []);
        let told = plant.exceptions(&plant.document("2")).await;
        assert_eq!(told, [Code::DispatchRejected]);

        // Made anew, it has a number of its own, which the partner has not seen.
        let outbox = &world.cloud.context.outbox;
        let document = plant.document("2");
        outbox.send_again(&plant.code, &document).await.unwrap();
        let came = entries(&plant, 2).await;
        let again = fetch(&came[1]).await;
        assert!(control(&again) > control(&second));
        assert_eq!(
            dispatch(&plant, control(&again)).await.state,
            DispatchState::Sent
        );
    });
}

#[test]
fn a_supplier_that_does_not_acknowledge_is_told_of_once_and_heard_all_the_same() {
    beside_others(async |world| {
        let (plant, bundle) = with_supplier(world, "edi-late", 0).await;
        offer(&plant, "1", "FORK-1").await;
        let came = entries(&plant, 1).await;
        let order = fetch(&came[0]).await;
        plant.tick().await;
        let document = plant.document("1");
        until("people are told", async || {
            dispatch(&plant, control(&order)).await.state == DispatchState::Overdue
        })
        .await;
        assert_eq!(plant.exceptions(&document).await, [Code::DispatchOverdue]);
        answered(&plant, &bundle, "late", &order, true).await;
        let late = dispatch(&plant, control(&order)).await;
        assert_eq!(late.state, DispatchState::Accepted);
        assert_eq!(plant.exceptions(&document).await, [Code::DispatchOverdue]);
    });
}

#[test]
fn a_file_whose_maker_dies_is_made_once_more_and_only_that_one_goes_out() {
    alone(async |world| {
        let (plant, _) = with_supplier(world, "edi-killed", 24).await;
        std::fs::write(failpoints().join("outbox.after_files"), "").unwrap();
        offer(&plant, "1", "FORK-1").await;
        // The ticks of the schedule, which come whatever has happened, and here faster than each minute.
        until("somebody makes the file once more", async || {
            plant.tick().await;
            positions(&plant.asks("").await).len() == 1
        })
        .await;
        let came = entries(&plant, 1).await;
        let order = fetch(&came[0]).await;
        let shown = control(&order);
        assert_eq!(dispatch(&plant, shown).await.state, DispatchState::Sent);
        let table = &world.cloud.context.outbox.table;
        for lost in (1..=4).filter(|number| *number != shown) {
            let found = table.dispatch(&plant.code, "x12", "ZZ:ACME", lost).await;
            assert_eq!(
                found.unwrap(),
                None,
                "nobody waits for what was never shown"
            );
        }
        assert!(!failpoints().join("outbox.after_files").exists());
    });
}
