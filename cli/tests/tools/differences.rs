//! What a change of a pack changes, told before it is published.

use std::path::{Path, PathBuf};

use super::{folder, interplant, json, settle, written};

fn path(folder: &Path) -> &str {
    folder.to_str().unwrap()
}

/// A pack, and a second one in which a text of the feed is another.
fn changed(name: &str, from: &str, to: &str) -> (PathBuf, PathBuf) {
    let root = folder(name);
    let (old, new) = (root.join("old"), root.join("new"));
    for plants in [&old, &new] {
        let said = interplant(&["plant", "new", "plant-x", "--plants", path(plants)]);
        assert!(said.right, "{}", said.error);
    }
    let feed = new.join("plant-x/feeds/purchase-orders.yaml");
    let text = std::fs::read_to_string(&feed).unwrap();
    assert!(text.contains(from), "{text}");
    std::fs::write(&feed, text.replace(from, to)).unwrap();
    (old.join("plant-x"), new.join("plant-x"))
}

const FILES: &str = "order;supplier;currency;date;line;item;quantity;unit;price;needed
1;V1;EUR;2026-03-02;10;A;5;EA;19.95;2026-03-16
1;V1;EUR;2026-03-02;20;B;2.5;KG;4;
2;V2;EUR;2026-03-03;10;A;12;EA;19.5;2026-03-20
3;V2;EUR;2026-03-03;10;C;1;EA;1;
";

fn diff(old: &Path, new: &Path, files: &str) -> (bool, serde_json::Value) {
    let folder = Path::new(files).parent().unwrap();
    let said = interplant(&[
        "--json",
        "plant",
        "diff",
        path(new),
        "--against",
        path(old),
        "--files",
        path(folder),
    ]);
    let changes = serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{}", said.error));
    (said.right, changes)
}

#[test]
fn a_changed_field_is_told_for_every_fact_of_the_files() {
    let (old, new) = changed(
        "field",
        "qty: $dec(quantity)",
        "qty: $dec_mul(quantity, \"2\")",
    );
    let files = written(&folder("field-files"), "orders_1.csv", FILES);
    let (same, said) = diff(&old, &new, &files);
    assert!(!same);
    let changes = &said["changes"];
    assert_eq!(
        (&changes["facts_before"], &changes["facts_now"]),
        (&3.into(), &3.into())
    );
    assert_eq!(
        changes["fields"],
        serde_json::json!({"/data/lines/*/qty": 3})
    );
    assert_eq!(
        changes["changed"][0]["fields"][0]["pointer"],
        "/data/lines/0/qty"
    );
    assert_eq!(changes["changed"][0]["fields"][0]["before"], "5");
    assert_eq!(changes["changed"][0]["fields"][0]["now"], "10");
    // The check of the changed pack says the same of its sample, and refuses to be published.
    let checked = interplant(&["plant", "check", path(&new)]);
    assert!(!checked.right);
    assert!(
        checked.out.contains("expected.jsonl line 1, po.created 4711: /data/lines/0/qty is \"10\", expected was \"5\""),
        "{}",
        checked.out
    );
    let published = interplant(&["plant", "publish", path(&new)]);
    assert!(!published.right);
    assert!(
        published.error.contains("was not published"),
        "{}",
        published.error
    );
    // Without the check it goes on to the cloud, which is not there.
    let published = interplant(&["plant", "publish", "--unchecked", path(&new)]);
    assert!(
        published.error.contains("INTERPLANT_"),
        "{}",
        published.error
    );
}

#[test]
fn facts_that_are_new_or_gone_are_told_with_the_reason() {
    let (old, new) = changed("gone", "po.created", "po.created");
    // The new pack makes nothing of order 3, and cannot make order 2.
    let feed = new.join("feeds/purchase-orders.yaml");
    let text = std::fs::read_to_string(&feed).unwrap();
    let text = text
        .replace(
            "    type: po.created ",
            "    when: order != \"3\"\n    type: po.created ",
        )
        .replace(
            "supplierId: supplier",
            "supplierId: 'supplier = \"V2\" ? $error(\"no such supplier\") : supplier'",
        );
    std::fs::write(&feed, text).unwrap();
    let files = written(&folder("gone-files"), "orders_1.csv", FILES);
    let (same, said) = diff(&old, &new, &files);
    assert!(!same);
    let gone = said["changes"]["gone"].as_array().unwrap();
    assert_eq!(gone.len(), 2, "{said}");
    assert!(
        gone[0]["fact"]
            .as_str()
            .unwrap()
            .starts_with("po.created 2 "),
        "{said}"
    );
    assert!(
        gone[0]["why"]
            .as_str()
            .unwrap()
            .contains("no such supplier"),
        "{said}"
    );
    assert!(gone[1]["why"].is_null(), "{said}");
    // Seen from the other side they are added.
    let (_, back) = diff(&new, &old, &files);
    assert_eq!(back["changes"]["added"].as_array().unwrap().len(), 2);
    assert_eq!(
        back["changes"]["problems_gone"].as_array().unwrap().len(),
        1
    );
}

#[test]
fn comments_and_other_words_for_the_same_change_nothing() {
    let (old, new) = changed(
        "same",
        "poNumber: order\n",
        "poNumber: $trim(order) # trimmed\n",
    );
    let files = written(&folder("same-files"), "orders_1.csv", FILES);
    let (same, said) = diff(&old, &new, &files);
    assert!(same, "{said}");
    settle(&new);
    assert!(interplant(&["plant", "check", path(&new)]).right);
}

#[test]
fn what_samples_leave_out_is_counted() {
    let root = folder("left-out");
    interplant(&["plant", "new", "plant-x", "--plants", path(&root)]);
    let pack = root.join("plant-x");
    std::fs::write(
        pack.join("lookups/units.csv"),
        "code,unit\nEA,EA\nKG,KG\nBOX,BX\n",
    )
    .unwrap();
    let feed = pack.join("feeds/purchase-orders.yaml");
    let text = std::fs::read_to_string(&feed).unwrap();
    let text = text
        .replace("uom: unit ", "uom: $table(\"units\", unit, \"unit\") ")
        .replace("needDate: ", "taxCode: vat\n          needDate: ");
    std::fs::write(&feed, text).unwrap();
    let sample = pack.join("samples/purchase-orders/orders.csv");
    let rows = std::fs::read_to_string(&sample).unwrap();
    std::fs::write(
        &sample,
        format!("{rows}4713;V200;EUR;2026-03-03;10;A-1;12;PAL;19.5;2026-03-20\n"),
    )
    .unwrap();
    let said = interplant(&["--json", "plant", "check", path(&pack)]);
    assert!(!said.right);
    let checked: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let feed = &checked["feeds"][0];
    assert_eq!(
        feed["lookups"],
        serde_json::json!([{"lookup": "units", "codes": 3, "used": 2}])
    );
    assert_eq!(feed["unknown_codes"], serde_json::json!({"units": ["PAL"]}));
    assert_eq!(
        feed["never_filled"],
        serde_json::json!(["created /lines/taxCode"])
    );
    // What was not expected is told, and nothing else.
    assert_eq!(feed["differences"].as_array().unwrap().len(), 1);
    let plant = pack.join("plant.yaml");
    let text = std::fs::read_to_string(&plant).unwrap();
    std::fs::write(&plant, text.replace("  KG: uom.product_uom_kgm\n", "")).unwrap();
    let said = interplant(&["plant", "check", path(&pack)]);
    assert!(
        said.out.contains("`units` of plant.yaml do not list KG"),
        "{}",
        said.out
    );
    assert!(
        said.out
            .contains("lookup units: 3 codes, 2 used by the samples, 1 by none"),
        "{}",
        said.out
    );
}

#[test]
fn a_folder_that_no_feed_takes_is_told() {
    let (old, new) = changed("taken", "po.created", "po.created");
    let files = written(&folder("taken-files"), "other.txt", "x");
    let folder = Path::new(&files).parent().unwrap();
    let said = interplant(&[
        "plant",
        "diff",
        path(&new),
        "--against",
        path(&old),
        "--files",
        path(folder),
    ]);
    assert!(
        said.out.contains("no feed of either takes the files of"),
        "{}",
        said.out
    );
    let said = json(&[
        "plant",
        "diff",
        path(&new),
        "--against",
        path(&old),
        "--files",
        path(folder),
    ]);
    assert_eq!(said["changes"]["files"], 0);
}
