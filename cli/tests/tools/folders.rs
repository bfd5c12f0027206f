//! Folders with several files of a kind: all of them are read, and what belongs nowhere is named.

use std::path::Path;

use super::{folder, interplant, written};

fn feed(files: &str, each: &str) -> String {
    format!(
        "system: erp\ndocument: order\nfiles:\n{files}events:\n  created:\n    type: po.created\n    time: $moment(day, \"%Y-%m-%d\", \"UTC\")\n    data:\n      poNumber: order\n      supplierId: {{ constant: S1 }}\n      currency: {{ constant: EUR }}\n      orderDate: day\n      lines:\n        each: {each}\n        fields: {{ lineNo: line, itemId: item, qty: $dec(qty), uom: {{ constant: EA }}, unitPrice: $dec(price) }}\n"
    )
}

/// A folder of a plant of this name with one feed.
fn plant(name: &str, files: &str, each: &str) -> (String, String) {
    let root = folder(name);
    let template = interplant(&[
        "plant",
        "new",
        "plant-x",
        "--plants",
        root.to_str().unwrap(),
    ]);
    assert!(template.right, "{}", template.error);
    let pack = root.join("plant-x");
    for entry in std::fs::read_dir(pack.join("feeds")).unwrap() {
        std::fs::remove_file(entry.unwrap().path()).unwrap();
    }
    written(&pack, "feeds/orders.yaml", feed(files, each));
    let sent = root.join("sent");
    std::fs::create_dir_all(&sent).unwrap();
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    (text(&pack), text(&sent))
}

const ONE: &str = "  orders: { name: \"PO*.csv\", group_by: [order] }\n";
const HEAD: &str = "order,day,line,item,qty,price\n";

fn order(number: &str) -> String {
    format!("{HEAD}{number},2026-11-02,1,{number}-item,5,2.50\n")
}

#[test]
fn all_files_of_a_folder_are_mapped() {
    let (pack, sent) = plant("all", ONE, "rows");
    for number in ["4711", "4712", "4713"] {
        written(Path::new(&sent), &format!("PO{number}.csv"), order(number));
    }
    let said = interplant(&["plant", "map", &pack, &sent]);
    assert!(said.right, "{}{}", said.out, said.error);
    assert_eq!(said.out.lines().count(), 3, "{}", said.out);
    let said = interplant(&["plant", "codes", &pack, &sent, "--import", "items"]);
    for number in ["4711", "4712", "4713"] {
        assert!(said.out.contains(&format!("{number}-item")), "{}", said.out);
    }
}

#[test]
fn a_file_that_cannot_be_read_does_not_keep_others_from_it() {
    let (pack, sent) = plant("broken", ONE, "rows");
    written(Path::new(&sent), "PO1.csv", order("4711"));
    written(Path::new(&sent), "PO2.csv", "order,day\n4712,2026-11-02\n");
    written(Path::new(&sent), "PO3.csv", "");
    written(Path::new(&sent), "PO4.csv", order("4714"));
    let said = interplant(&["plant", "map", &pack, &sent]);
    assert!(!said.right);
    let facts = said
        .out
        .lines()
        .filter(|line| line.contains("\"specversion\""));
    assert_eq!(facts.count(), 2, "{}", said.out);
    assert!(
        said.error.contains("PO3.csv is left out: "),
        "{}",
        said.error
    );
}

const TWO: &str =
    "  heads: { name: \"heads*.csv\" }\n  lines: { name: \"lines*.csv\", of: { po: order } }\n";

#[test]
fn files_that_belong_together_are_told_by_their_names() {
    let (pack, sent) = plant("together", TWO, "lines");
    for day in ["-02", "-03"] {
        written(
            Path::new(&sent),
            &format!("heads{day}.csv"),
            format!("order,day\nPO{day},2026-11{day}\n"),
        );
        written(
            Path::new(&sent),
            &format!("lines{day}.csv"),
            format!("po,line,item,qty,price\nPO{day},1,A,1,1\n"),
        );
    }
    let said = interplant(&["plant", "map", &pack, &sent]);
    assert!(said.right, "{}{}", said.out, said.error);
    assert_eq!(said.out.lines().count(), 2, "{}", said.out);

    // What belongs to no others is named, and the rest is read.
    written(Path::new(&sent), "lines-04.csv", "po,line,item,qty,price\n");
    let said = interplant(&["plant", "map", &pack, &sent]);
    assert!(!said.right);
    assert!(
        said.error.contains(
            "lines-04.csv is left out: which files of heads, lines it belongs to cannot be told"
        ),
        "{}",
        said.error
    );
    let facts = said
        .out
        .lines()
        .filter(|line| line.contains("\"specversion\""));
    assert_eq!(facts.count(), 2, "{}", said.out);
}

#[test]
fn a_file_whose_companion_is_missing_is_named() {
    let (pack, sent) = plant("missing", TWO, "lines");
    written(Path::new(&sent), "heads.csv", "order,day\n1,2026-11-02\n");
    let said = interplant(&["plant", "map", &pack, &sent]);
    assert!(!said.right);
    assert!(
        said.error
            .contains("heads.csv is left out: the feed orders needs a file `lines` beside it"),
        "{}",
        said.error
    );
}
