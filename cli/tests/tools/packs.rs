//! Packs for new plants: right from the start, and never over what is there.

use std::path::Path;

use super::{folder, interplant, italian, json, legacy, settle, written};

const FORMATS: [&str; 8] = [
    "csv", "tsv", "fixed", "xlsx", "xml", "json", "x12", "edifact",
];

fn path(folder: &Path) -> &str {
    folder.to_str().unwrap()
}

#[test]
fn a_new_pack_of_every_format_is_right_once_what_is_marked_is_settled() {
    let plants = folder("formats");
    for format in FORMATS {
        let code = format!("plant-{format}");
        let arguments = [
            "plant",
            "new",
            &code,
            "--format",
            format,
            "--plants",
            path(&plants),
        ];
        let said = interplant(&arguments);
        assert!(said.right, "{format}: {}", said.error);
        let pack = plants.join(&code);
        let said = interplant(&["plant", "check", path(&pack)]);
        assert!(
            !said.right
                && said
                    .out
                    .contains("to be settled, then take the mark `!` out: "),
            "{format}: {}",
            said.out
        );
        assert!(said.out.contains("is not right yet"), "{format}");
        settle(&pack);
        let checked = json(&["plant", "check", path(&pack)]);
        let feed = &checked["feeds"][0];
        assert_eq!(checked["right"], true, "{format}: {checked}");
        assert!(feed["facts"].as_u64().unwrap() > 0, "{format}: {feed}");
        for nothing in ["not_made", "unread"] {
            assert_eq!(feed[nothing], 0, "{format}: {feed}");
        }
        assert!(pack.join("README.md").is_file(), "{format}");
        assert!(pack.join("lookups/units.csv").is_file(), "{format}");
    }
    // What was staged is gone.
    assert_eq!(std::fs::read_dir(&plants).unwrap().count(), FORMATS.len());
}

#[test]
fn every_key_that_a_new_plant_yaml_shows_as_a_comment_can_be_taken_in() {
    let plants = folder("comments");
    interplant(&["plant", "new", "plant-x", "--plants", path(&plants)]);
    let file = plants.join("plant-x/plant.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    let taken: Vec<String> = text
        .lines()
        .map(|line| {
            let bare = line.trim_start();
            let indent = line.len() - bare.len();
            match bare.strip_prefix("# ") {
                Some(rest) if is_yaml(rest) => format!("{:indent$}{rest}", ""),
                _ => line.to_owned(),
            }
        })
        .collect();
    assert!(
        taken.iter().any(|line| line.starts_with("conversions:")),
        "{taken:?}"
    );
    std::fs::write(&file, taken.join("\n")).unwrap();
    settle(&plants.join("plant-x"));
    let said = interplant(&["plant", "check", path(&plants.join("plant-x"))]);
    assert!(said.right, "{}{}", said.out, said.error);
}

/// Whether a comment is a line to be taken in, and no prose.
fn is_yaml(comment: &str) -> bool {
    let key = comment
        .trim_start()
        .trim_start_matches("- ")
        .split(':')
        .next()
        .unwrap_or_default();
    let is_key = !key.contains(' ') && comment.contains(':') && !key.contains('`');
    is_key || comment.trim_start().starts_with("- {")
}

#[test]
fn a_plant_that_is_there_is_never_written_over() {
    let plants = folder("twice-new");
    let new = ["plant", "new", "plant-x", "--plants", path(&plants)];
    assert!(interplant(&new).right);
    let mine = plants.join("plant-x/plant.yaml");
    std::fs::write(&mine, "mine").unwrap();
    let again = interplant(&new);
    assert!(
        !again.right && again.error.contains("is there already"),
        "{}",
        again.error
    );
    assert_eq!(std::fs::read_to_string(&mine).unwrap(), "mine");
    let draft = written(&plants, "draft.yaml", "mine");
    let extract = written(&plants, "a.csv", "order;item;qty\n1;A;5\n2;B;6\n");
    let said = interplant(&["plant", "profile", &extract, "--draft", &draft]);
    assert!(!said.right, "{}", said.out);
    assert_eq!(std::fs::read_to_string(&draft).unwrap(), "mine");
}

#[test]
fn a_pack_begins_with_a_file_of_the_plant_and_reads_all_of_it() {
    let plants = folder("from");
    let delivered = plants.join("delivered");
    let file = written(&delivered, "ORDACQ_20260402.csv", italian(420));
    let said = interplant(&[
        "plant",
        "new",
        "fonderia",
        "--from",
        &file,
        "--plants",
        path(&plants),
        "--zone",
        "Europe/Rome",
        "--currency",
        "EUR",
    ]);
    assert!(said.right, "{}", said.error);
    let pack = plants.join("fonderia");
    settle(&pack);
    let checked = json(&["plant", "check", path(&pack)]);
    assert_eq!(checked["right"], true, "{checked}");
    // The sample is small, and its last line counts its own rows.
    let sample = std::fs::read(pack.join("samples/purchase-orders/ORDACQ_20260402.csv")).unwrap();
    assert!(sample.len() < 4000, "{} bytes", sample.len());
    assert!(
        sample.ends_with(b"\r\nFINE;20\r\n"),
        "{}",
        String::from_utf8_lossy(&sample)
    );
    let mapped = interplant(&["plant", "map", path(&pack), path(&delivered)]);
    assert!(mapped.right, "{}", mapped.error);
    let facts: Vec<serde_json::Value> = mapped
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(facts.len(), 420);
    let first = &facts[1];
    assert_eq!(first["time"], "2026-03-02T12:00:00+01:00");
    assert_eq!(
        first["data"],
        serde_json::json!({
            "poNumber": "20001/26", "supplierId": "F001", "currency": "EUR", "orderDate": "2026-03-02",
            "lines": [
                {"lineNo": "10", "itemId": "A-002", "qty": "1100.5", "uom": "PZ", "unitPrice": "1.0002", "needDate": "2026-04-02"},
                {"lineNo": "20", "itemId": "A-003", "qty": "1200.5", "uom": "PZ", "unitPrice": "2.0002", "needDate": "2026-04-02"}
            ]
        })
    );
    // Units in small letters are those in capitals.
    assert!(
        facts
            .iter()
            .all(|fact| !fact.to_string().contains("\"pz\""))
    );
    let readme = std::fs::read_to_string(pack.join("README.md")).unwrap();
    assert!(readme.contains("U.M.: PZ and pz mean one unit"), "{readme}");
    // A file that was cut off is refused as a whole.
    let whole = italian(420);
    let cut = written(
        &plants.join("cut"),
        "ORDACQ_20260403.csv",
        &whole[..whole.len() / 2],
    );
    let said = interplant(&[
        "plant",
        "map",
        path(&pack),
        path(Path::new(&cut).parent().unwrap()),
    ]);
    assert!(!said.right && said.out.is_empty(), "{}", said.out);
    assert!(said.error.contains("FINE"), "{}", said.error);
}

#[test]
fn what_no_column_says_is_asked_for_and_not_made_up() {
    let plants = folder("missing");
    let text = "order;date;item;qty\n1;2026-03-02;A;5\n1;2026-03-02;B;6\n2;2026-03-03;A;7\n";
    let file = written(&plants, "orders.csv", text);
    let new = [
        "plant",
        "new",
        "plant-x",
        "--from",
        &file,
        "--fact",
        "order",
        "--plants",
        path(&plants),
    ];
    let said = interplant(&new);
    assert!(said.right, "{}", said.error);
    assert!(
        said.out
            .contains("No column was found for supplierId, currency, uom, unitPrice"),
        "{}",
        said.out
    );
    settle(&plants.join("plant-x"));
    let said = interplant(&["--json", "plant", "check", path(&plants.join("plant-x"))]);
    // Fields that nothing was found for bear a mark without words.
    assert!(!said.right && said.out.contains("supplierId is not mapped yet"));
    let checked: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(
        (
            &checked["feeds"][0]["facts"],
            &checked["feeds"][0]["not_made"]
        ),
        (&0.into(), &2.into())
    );
    let expected =
        std::fs::read_to_string(plants.join("plant-x/samples/purchase-orders/expected.jsonl"))
            .unwrap();
    assert!(
        expected.contains("supplierId is not mapped yet"),
        "{expected}"
    );
}

#[test]
fn headers_and_lines_in_two_files_become_a_feed_of_both() {
    let names = [
        "PurchaseOrderHeader.tsv",
        "PurchaseOrderDetail.tsv",
        "Vendor.tsv",
        "Product.tsv",
    ];
    let Some(files) = names
        .map(legacy)
        .into_iter()
        .collect::<Option<Vec<String>>>()
    else {
        return;
    };
    let plants = folder("two-files");
    let mut arguments = vec![
        "plant",
        "new",
        "plant-legacy",
        "--currency",
        "USD",
        "--plants",
        path(&plants),
    ];
    for file in &files {
        arguments.extend(["--from", file]);
    }
    let said = interplant(&arguments);
    assert!(said.right, "{}", said.error);
    let pack = plants.join("plant-legacy");
    // The export names no unit; everything else was found.
    let feed = pack.join("feeds/purchase-orders.yaml");
    let text = std::fs::read_to_string(&feed).unwrap();
    let unit = text
        .lines()
        .find(|line| line.trim_start().starts_with("uom:"))
        .unwrap();
    std::fs::write(&feed, text.replace(unit, "          uom: { constant: EA }")).unwrap();
    settle(&pack);
    let said = interplant(&["plant", "check", "--accept", path(&pack)]);
    assert!(
        said.out
            .contains("samples: 20 documents, 20 facts, as expected"),
        "{}",
        said.out
    );
    assert!(said.right);
}

#[test]
fn codes_are_listed_with_what_they_must_be_called_in_odoo() {
    let plants = folder("codes");
    let delivered = plants.join("delivered");
    let file = written(&delivered, "ORDACQ_1.csv", italian(30));
    interplant(&[
        "plant",
        "new",
        "fonderia",
        "--from",
        &file,
        "--plants",
        path(&plants),
        "--currency",
        "EUR",
    ]);
    let pack = plants.join("fonderia");
    let arguments = ["plant", "codes", path(&pack), path(&delivered)];
    let codes = json(&arguments);
    assert_eq!(
        codes["units"],
        serde_json::json!({"PZ": "uom.product_uom_unit"})
    );
    assert_eq!(codes["suppliers"].as_object().unwrap().len(), 7);
    let import = interplant(&[&arguments[..], &["--import", "items"]].concat());
    let lines: Vec<&str> = import.out.lines().collect();
    assert_eq!(lines[0], "id,name,default_code");
    assert!(
        lines[1].starts_with("interplant.fonderia_item_a_000_"),
        "{}",
        lines[1]
    );
    assert!(lines[1].ends_with(",A-000,A-000"), "{}", lines[1]);
}
