//! Feeds from their text to facts: what is taken, what is refused, and with which words and which place.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::cell::Cell;
use std::io::{Cursor, Read};
use std::sync::LazyLock;

use interplant_mapping::contract::Contract;
use interplant_mapping::document::{self, Input, Unread};
use interplant_mapping::feed::{Bundle, Feed};
use interplant_mapping::mapper::{Made, Mapper, NotMade};
use interplant_mapping::place::Mistake;
use proptest::prelude::*;

/// One row is one receipt.
const RECEIPTS: &str = r#"
system: wms
document: receipt
files:
  receipts:
    name: GR*.csv
    columns: [receipt, order, line, quantity]
events:
  received:
    type: receipt.posted
    time: $moment(day, "%d.%m.%Y", "Europe/Berlin")
    data:
      receiptNumber: receipt
      poNumber: order
      lines:
        each: $
        fields:
          lineNo: line
          qtyReceived: $dec(quantity, ",", ".")
"#;

const HEAD: &str = "receipt;order;line;quantity;day\n";

fn plants(files: &[(&str, &str)]) -> Bundle {
    Bundle {
        files: files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()))
            .collect(),
    }
}

fn feed(text: &str) -> Result<Feed, Mistake> {
    let bundle = plants(&[("somewhere/feeds/feed.yaml", text)]);
    Feed::read(
        &bundle,
        &"somewhere".parse().unwrap(),
        "somewhere/feeds/feed.yaml",
    )
}

fn mistake(text: &str) -> String {
    feed(text).unwrap_err().to_string()
}

/// What came of files, which are given by what they are to the feed.
#[derive(Debug, Default)]
struct Came {
    made: Vec<Made>,
    not_made: Vec<NotMade>,
    unread: Vec<Unread>,
}

impl Came {
    fn field(&self, fact: usize, pointer: &str) -> &str {
        self.made[fact]
            .event
            .pointer(pointer)
            .and_then(serde_json::Value::as_str)
            .unwrap_or_default()
    }
}

fn run(feed: &Feed, files: &[(&str, &[u8])]) -> Result<Came, Unread> {
    static CONTRACT: LazyLock<Contract> = LazyLock::new(|| Contract::new().unwrap());
    let openers: Vec<_> = files
        .iter()
        .map(|(_, bytes)| {
            || -> std::io::Result<Box<dyn Read>> { Ok(Box::new(Cursor::new(bytes.to_vec()))) }
        })
        .collect();
    let inputs: Vec<Input<'_>> = files
        .iter()
        .zip(&openers)
        .map(|((role, _), open)| Input {
            role,
            name: role,
            open,
        })
        .collect();
    let lookups = document::lookups(feed, &inputs)?;
    let mut mapper = Mapper::new(feed, &CONTRACT, &lookups);
    let mut came = Came::default();
    document::read(feed, &inputs, &mut |read| match read {
        Ok(document) => {
            for fact in mapper.map(&document) {
                match fact {
                    Ok(made) => came.made.push(made),
                    Err(not) => came.not_made.push(*not),
                }
            }
        }
        Err(unread) => came.unread.push(unread),
    })?;
    Ok(came)
}

fn receipts() -> Feed {
    let text = RECEIPTS.replace(
        "    columns:",
        "    delimited: { separator: \";\" }\n    columns:",
    );
    feed(&text).unwrap()
}

fn receipt_rows(rows: &str) -> Came {
    run(
        &receipts(),
        &[("receipts", format!("{HEAD}{rows}").as_bytes())],
    )
    .unwrap()
}

#[test]
fn numbers_and_moments_of_a_plant_become_exact_facts() {
    let came = receipt_rows("R1;4711  ;10;1.234,50;01.07.2026\n");
    assert_eq!(came.field(0, "/data/lines/0/qtyReceived"), "1234.5");
    assert_eq!(came.field(0, "/data/poNumber"), "4711");
    assert_eq!(came.field(0, "/time"), "2026-07-01T00:00:00+02:00");
    assert_eq!(came.field(0, "/mappinghash"), receipts().hash);
}

#[test]
fn one_bad_row_of_ten_thousand_holds_no_other() {
    let mut rows = String::new();
    for row in 1..=10_000 {
        let quantity = if row == 6_000 { "1.2.3" } else { "7" };
        rows.push_str(&format!("R{row};4711;10;{quantity};01.07.2026\n"));
    }
    let came = receipt_rows(&rows);
    assert_eq!(came.made.len(), 9_999);
    let [bad] = came.not_made.as_slice() else {
        panic!("{:?}", came.not_made);
    };
    assert_eq!(
        (bad.spot.line, bad.document.as_deref()),
        (6_001, Some("R6000"))
    );
    assert_eq!(bad.pointer, "/data/lines/0/qtyReceived");
    assert!(bad.message.contains("`1.2.3` is no number"), "{bad}");
    assert_eq!(
        (bad.place.file.as_str(), bad.place.line),
        ("somewhere/feeds/feed.yaml", 20)
    );
}

#[test]
fn a_row_says_what_is_wrong_with_it() {
    // The row, the code, the words.
    let cases = [
        (
            "R1;4711;10;7",
            "csv_cells",
            "4 cells where the file has 5 columns",
        ),
        (
            "R1;4711;10;7;01.07.2026;",
            "csv_cells",
            "6 cells where the file has 5 columns",
        ),
        (
            "R1;4711;10;7;29.02.2026",
            "mapping",
            "`29.02.2026` is no moment",
        ),
        (
            "R1;4711;10;0,0000001;01.07.2026",
            "invalid_number",
            "7 decimal places; at most 6",
        ),
        ("R1;4711;;7;01.07.2026", "missing_field", "lineNo"),
        ("R1;4711;10;-7;01.07.2026", "invalid_value", "7"),
    ];
    for (row, code, words) in cases {
        let came = receipt_rows(&format!("{row}\nR2;4711;10;1;01.07.2026\n"));
        let of_rows = came
            .unread
            .iter()
            .map(|one| (one.code.to_owned(), one.to_string()));
        let of_facts = came
            .not_made
            .iter()
            .map(|one| (one.code.clone(), one.to_string()));
        let all: Vec<_> = of_rows.chain(of_facts).collect();
        assert_eq!(came.made.len(), 1, "{row}: {all:?}");
        let [(found, said)] = all.as_slice() else {
            panic!("{row}: {all:?}");
        };
        assert_eq!(found, code, "{row}: {said}");
        assert!(
            said.contains(words) && said.contains("line 2"),
            "{row}: {said}"
        );
    }
}

#[test]
fn what_keeps_a_file_from_being_read_is_told_with_its_line() {
    let feed = receipts();
    let read = |bytes: &[u8]| run(&feed, &[("receipts", bytes)]);
    let missing = read(b"receipt;order;day\n").unwrap_err();
    assert!(
        missing.message.contains("line, quantity are missing"),
        "{missing}"
    );
    let twice = read(b"receipt;order;line;quantity;line\n").unwrap_err();
    assert!(twice.message.contains("`line` is there twice"), "{twice}");
    let wide = "a;".repeat(100_000);
    assert_eq!(read(wide.as_bytes()).unwrap_err().code, "csv_limit");

    // What was read before it counts.
    let mut broken = format!("{HEAD}R1;4711;10;7;01.07.2026\nR2;\"4711;").into_bytes();
    broken.extend(vec![b'x'; 8 << 20]);
    let came = read(&broken).unwrap();
    assert_eq!((came.made.len(), came.unread.len()), (1, 1));
    assert_eq!(
        (came.unread[0].code, came.unread[0].ends),
        ("csv_limit", true)
    );

    let row = b"R1;4711;10;7;01.07.2026\n".as_slice();
    let came = read(&[HEAD.as_bytes(), row, b"R\xe9;4711;10;7;01.07.2026\n"].concat()).unwrap();
    assert_eq!((came.made.len(), came.unread.len()), (1, 1));
    assert_eq!(
        (came.unread[0].code, came.unread[0].spot.line),
        ("csv_encoding", 3)
    );
}

#[test]
fn character_sets_and_byte_order_marks_are_read() {
    let text = RECEIPTS.replace(
        "    columns:",
        "    delimited: { separator: \";\", encoding: windows-1252 }\n    columns:",
    );
    let feed = feed(&text).unwrap();
    let row = "R\u{e9}1;4711;10;7;01.07.2026\n";
    let latin: Vec<u8> = format!("{HEAD}{row}").chars().map(|c| c as u8).collect();
    let whole = format!("\u{feff}{HEAD}{row}");
    let wide: Vec<u8> = whole.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let marked = format!("\u{feff}\u{feff}{whole}");
    for bytes in [latin, whole.into_bytes(), wide, marked.into_bytes()] {
        let came = run(&feed, &[("receipts", &bytes)]).unwrap();
        assert_eq!(came.field(0, "/data/receiptNumber"), "R\u{e9}1");
    }
}

#[test]
fn a_file_without_its_last_line_is_not_read() {
    let text = RECEIPTS.replace(
        "    columns:",
        "    delimited: { separator: \";\", trailer: { mark: END, count: 2 } }\n    columns:",
    );
    let feed = feed(&text).unwrap();
    let row = "R1;4711;10;7;01.07.2026\n";
    let read = |rows: &str| run(&feed, &[("receipts", format!("{HEAD}{rows}").as_bytes())]);
    assert_eq!(read(&format!("{row}END;1\n")).unwrap().made.len(), 1);
    assert_eq!(read(row).unwrap_err().code, "file_incomplete");
    let short = read(&format!("{row}END;2\n")).unwrap_err();
    assert_eq!(short.code, "file_count");
    assert!(short.message.contains("says 2 rows, 1 came"), "{short}");
}

const ORDERS: &str = r#"
system: erp
document: no
files:
  heads: { name: "heads.csv" }
  lines: { name: "lines.csv", of: { order: no } }
  items: { name: "items.csv", key: code }
lookups:
  suppliers: { file: lookups/suppliers.csv, key: code, default: { partner: MISC } }
  prices: { file: lookups/prices.csv, key: item }
events:
  created:
    type: po.created
    time: day & "T08:00:00Z"
    data:
      poNumber: no
      supplierId: $table("suppliers", supplier, "partner")
      currency: { constant: EUR }
      orderDate: day
      lines:
        each: lines
        when: $not(void = "x")
        fields:
          lineNo: position
          itemId: $table("items", item, "number")
          qty: quantity
          uom: { constant: EA }
          unitPrice: $table("prices", item, "price", document.day)
"#;

fn orders(heads: &str, lines: &str) -> Came {
    let bundle = plants(&[
        ("somewhere/feeds/orders.yaml", ORDERS),
        ("somewhere/lookups/suppliers.csv", "code,partner\n7,S-7\n"),
        (
            "somewhere/lookups/prices.csv",
            "item,price,valid_from,valid_until\nA,1.5,,2026-06-30\nA,1.6,2026-07-01,\nB,2,,\nC,3,,\n",
        ),
    ]);
    let plant = "somewhere".parse().unwrap();
    let feed = Feed::read(&bundle, &plant, "somewhere/feeds/orders.yaml").unwrap();
    let files: [(&str, &[u8]); 3] = [
        ("heads", heads.as_bytes()),
        ("lines", lines.as_bytes()),
        ("items", b"code,number\nA,IT-A\nB,IT-B\n"),
    ];
    run(&feed, &files).unwrap()
}

#[test]
fn headers_and_lines_of_two_files_become_documents() {
    let came = orders(
        "no,supplier,day\n1,7,2026-06-30\n2,8,2026-07-01\n",
        "order,item,quantity,void\n1,A,5,\n2,A,6,\n1,B,7,\n2,B,8,x\n",
    );
    assert_eq!((&came.not_made, &came.unread), (&vec![], &vec![]));
    assert_eq!(came.made.len(), 2);
    assert_eq!(came.field(0, "/data/supplierId"), "S-7");
    assert_eq!(came.field(1, "/data/supplierId"), "MISC");
    assert_eq!(came.field(0, "/data/lines/0/unitPrice"), "1.5");
    assert_eq!(came.field(0, "/data/lines/1/itemId"), "IT-B");
    assert_eq!(came.field(1, "/data/lines/0/unitPrice"), "1.6");
    assert_eq!(came.made[1].event.pointer("/data/lines/1"), None);
}

#[test]
fn what_does_not_fit_together_is_told_row_by_row() {
    let came = orders(
        "no,supplier,day\n1,7,2026-06-30\n2,7,2026-07-01\n3,7,2026-07-01\n",
        "order,item,quantity,void\n1,C,5,\n2,A,6\n9,A,6,\n3,A,6,\n",
    );
    // Of an order that lost a line nothing is made; the others go their way.
    assert_eq!(came.made.len(), 1);
    assert_eq!(came.field(0, "/data/poNumber"), "3");
    let codes: Vec<_> = came
        .unread
        .iter()
        .map(|one| (one.code, one.spot.to_string()))
        .collect();
    assert_eq!(
        codes,
        [
            ("csv_cells", "lines line 3".to_owned()),
            ("document_incomplete", "heads line 3".to_owned()),
            ("row_without_document", "lines line 4".to_owned())
        ]
    );
    let [parked] = came.not_made.as_slice() else {
        panic!("{:?}", came.not_made);
    };
    let unknown = parked.unknown.clone().unwrap();
    assert_eq!(
        (unknown.table.as_str(), unknown.code.as_str()),
        ("items", "C")
    );
    assert_eq!(parked.spot.to_string(), "lines line 2");
}

#[test]
fn rows_that_repeat_their_header_are_one_document() {
    let text = RECEIPTS
        .replace("    columns:", "    group_by: [receipt]\n    columns:")
        .replace("each: $\n", "each: rows\n")
        .replace("$dec(quantity, \",\", \".\")", "$dec(quantity)");
    let feed = feed(&text).unwrap();
    let rows = "receipt,order,line,quantity,day\nR1,4711,1,2,01.07.2026\nR1,4711,2,3,01.07.2026\nR2,4711,1,4,01.07.2026\nR3,4711,1,4\nR3,4711,2,4,01.07.2026\n";
    let came = run(&feed, &[("receipts", rows.as_bytes())]).unwrap();
    assert_eq!(came.made.len(), 2, "{:?}", came.not_made);
    assert_eq!(came.field(0, "/data/lines/1/qtyReceived"), "3");
    let codes: Vec<_> = came.unread.iter().map(|one| one.code).collect();
    assert_eq!(codes, ["csv_cells", "document_incomplete"]);

    // What cannot be read may have been more rows of the last document.
    let (rows, rest) = rows.split_at(rows.find("R2").unwrap());
    let row = rest.lines().next().unwrap();
    let broken = [rows.as_bytes(), row.as_bytes(), b"\nR\xe9"].concat();
    let came = run(&feed, &[("receipts", &broken)]).unwrap();
    assert_eq!(came.made.len(), 1);
    let codes: Vec<_> = came.unread.iter().map(|one| one.code).collect();
    assert_eq!(codes, ["csv_encoding", "document_incomplete"]);
}

#[test]
fn rows_of_a_document_that_disagree_about_it_are_refused_with_both_values() {
    let grouped = |more: &str| {
        let columns = format!("    group_by: [receipt]\n{more}    columns:");
        let text = RECEIPTS
            .replace("    columns:", &columns)
            .replace("each: $\n", "each: rows\n")
            .replace("$dec(quantity, \",\", \".\")", "$dec(quantity)");
        feed(&text)
    };
    let rows = "receipt,order,line,quantity,day\nR1,4711,1,2,01.07.2026\nR1,4711,2,3,02.07.2026\nR1,4712,3,3,03.07.2026\nR2,4711,1,4,03.07.2026\nR2,,2,5,\n";
    let came = run(&grouped("").unwrap(), &[("receipts", rows.as_bytes())]).unwrap();
    let [refused] = came.unread.as_slice() else {
        panic!("{:?}", came.unread);
    };
    assert_eq!(refused.code, "document_differs");
    assert_eq!(
        refused.to_string(),
        "receipts line 2: nothing is made of the document, for its rows must say the same in what is read of it as a whole: `day` is `01.07.2026` in line 2 and `02.07.2026` in line 3; `order` is `4711` in line 2 and `4712` in line 4. Have it sent right, or name the column in `differ` of the feed where the first row may speak for all"
    );
    // Lines differ, of course, and what is left blank says nothing.
    assert_eq!(came.made.len(), 1, "{:?}", came.not_made);
    assert_eq!(came.field(0, "/data/receiptNumber"), "R2");

    // The first row is silent, and another is not: that is no less of a difference.
    let rows = "receipt,order,line,quantity,day\nR1,,1,2,01.07.2026\nR1,4711,2,3,01.07.2026\n";
    let came = run(&grouped("").unwrap(), &[("receipts", rows.as_bytes())]).unwrap();
    assert!(
        came.unread[0]
            .message
            .contains("`order` is nothing in line 2 and `4711` in line 3"),
        "{:?}",
        came.unread
    );

    // A feed may say that the first row speaks for all.
    let differ = grouped("    differ: [order]\n").unwrap();
    let rows = "receipt,order,line,quantity,day\nR1,4711,1,2,01.07.2026\nR1,4712,2,3,01.07.2026\n";
    let came = run(&differ, &[("receipts", rows.as_bytes())]).unwrap();
    assert_eq!(came.made.len(), 1, "{:?}", came.unread);
    assert_eq!(came.field(0, "/data/poNumber"), "4711");

    let alone = RECEIPTS.replace("    columns:", "    differ: [order]\n    columns:");
    assert!(
        mistake(&alone).contains("`differ` of `GR*.csv` belongs beside `group_by`"),
        "{}",
        mistake(&alone)
    );
}

#[test]
fn a_line_is_told_by_its_number_however_lines_end() {
    let quoted = |more: &str| {
        let delimited = format!("    delimited: {{ separator: \";\"{more} }}\n    columns:");
        feed(&RECEIPTS.replace("    columns:", &delimited)).unwrap()
    };
    for end in ["\n", "\r\n", "\r"] {
        let text = |lines: &[&str]| lines.join(end).into_bytes();
        let at = |feed: &Feed, lines: &[&str]| -> Vec<u64> {
            let came = run(feed, &[("receipts", &text(lines))]).unwrap();
            let unread = came.unread.iter().map(|one| one.spot.line);
            let not_made = came.not_made.iter().map(|one| one.spot.line);
            unread.chain(not_made).collect()
        };
        let head = HEAD.trim_end();
        let (right, day, cells) = (
            "R1;4711;1;2;01.07.2026",
            "R2;4711;1;2;01.13.2026",
            "R3;4711;1;2",
        );
        let plain = quoted("");
        assert_eq!(at(&plain, &[head, right, cells, day]), [3, 4], "{end:?}");
        // Blank lines count; so do those of a cell that goes over several.
        let blank = [head, "", right, "", "", cells, day, ""];
        assert_eq!(at(&plain, &blank), [6, 7], "{end:?}");
        let cell = format!("R1;\"{end}{end}4711\";1;2;01.07.2026");
        let several = [head, cell.as_str(), cells, right, day];
        assert_eq!(at(&plain, &several), [5, 7], "{end:?}");
        // Lines that are left out count, too.
        let skipped = quoted(", skip: 2");
        let titled = ["Receipts", "of \"July", head, right, cells, day];
        assert_eq!(at(&skipped, &titled), [5, 6], "{end:?}");
        // The last line, where there is none.
        let ended = quoted(", trailer: { mark: END, count: 2 }");
        let missing = run(&ended, &[("receipts", &text(&[head, right, right, ""]))]).unwrap_err();
        assert_eq!(
            (missing.code, missing.spot.line),
            ("file_incomplete", 4),
            "{end:?}"
        );
        let wrong = [head, right, "END;2"];
        let wrong = run(&ended, &[("receipts", &text(&wrong))]).unwrap_err();
        assert_eq!((wrong.code, wrong.spot.line), ("file_count", 3), "{end:?}");
    }
}

#[test]
fn a_mapping_that_could_change_an_amount_is_refused_where_it_is_written() {
    let quantity = "$dec(quantity, \",\", \".\")";
    for bad in [
        "quantity * 2",
        "$number(quantity)",
        "$sum(rows.quantity)",
        "$reduce(rows.quantity, $sum)",
        "(1 = 1) ? -(quantity - 1) : quantity",
        "$round($dec(quantity), 2)",
    ] {
        let said = mistake(&RECEIPTS.replace(quantity, &format!("'{bad}'")));
        assert!(
            said.starts_with("somewhere/feeds/feed.yaml:19:24: "),
            "{bad}: {said}"
        );
        assert!(said.contains("binary floats"), "{bad}: {said}");
    }
    for impure in [
        "$string($now())",
        "$string($random())",
        "$eval(\"1\")",
        "$map(rows, $shuffle)",
    ] {
        let said = mistake(&RECEIPTS.replace("poNumber: order", &format!("poNumber: '{impure}'")));
        assert!(
            said.contains("the same for the same file"),
            "{impure}: {said}"
        );
    }
    // A number would have gone through a float on its way.
    let came = run(
        &feed(&RECEIPTS.replace(quantity, "$length(quantity)")).unwrap(),
        &[(
            "receipts",
            b"receipt,order,line,quantity,day\nR1,4711,1,2,01.07.2026\n",
        )],
    )
    .unwrap();
    assert!(
        came.not_made[0].message.contains("an amount is text"),
        "{:?}",
        came.not_made
    );
}

#[test]
fn a_mapping_is_checked_against_the_contract_before_it_runs() {
    let cases = [
        ("poNumber: order", "poNumbr: order", "`poNumbr` is none of"),
        ("          lineNo: line\n", "", "`lineNo` is missing"),
        (
            "type: receipt.posted",
            "type: receipt.booked",
            "`receipt.booked` is none of",
        ),
        ("poNumber: order", "poNumber: order[", "not JSONata"),
        (
            "poNumber: order",
            "poNumber: $table(\"orders\", order, \"x\")",
            "no lookup `orders`",
        ),
        ("lineNo: line", "lineNo: 007", "write it in quotes"),
        ("document: receipt\n", "", "`document` is missing"),
        ("lineNo: line", "lineNo: 1.50", "write it in quotes"),
        ("system: wms", "sistem: wms", "sistem"),
        (
            "each: $\n",
            "each: $\n        whne: a\n",
            "`whne` does not belong",
        ),
    ];
    for (right, wrong, words) in cases {
        let said = mistake(&RECEIPTS.replace(right, wrong));
        assert!(said.contains(words), "{wrong}: {said}");
        assert!(said.starts_with("somewhere/feeds/feed.yaml:"), "{said}");
    }
}

#[test]
fn an_expression_that_does_not_end_is_stopped() {
    let endless = [
        "($f := function($x) { $f($x) }; $f(1))",
        "($f := function($x) { 1 + $f($x) }; $string($f(1)))",
        "$string($count([1..10000000]))",
    ];
    for bad in endless {
        let text = RECEIPTS.replace("poNumber: order", &format!("poNumber: '{bad}'"));
        let came = run(
            &feed(&text).unwrap(),
            &[(
                "receipts",
                b"receipt,order,line,quantity,day\nR1,4711,1,2,01.07.2026\n",
            )],
        )
        .unwrap();
        assert_eq!(
            came.not_made[0].code, "mapping_budget",
            "{bad}: {}",
            came.not_made[0]
        );
    }
    let long = RECEIPTS.replace(
        "poNumber: order",
        &format!("poNumber: '{}1'", "1=".repeat(3000)),
    );
    assert!(mistake(&long).contains("at most 4096 characters"));
}

#[test]
fn a_plants_feed_overrides_the_groups_field_by_field() {
    let own = "extends: packs/receipts.yaml\nsystem: wms-2\nevents:\n  received:\n    data:\n      poNumber: '\"PO-\" & order'\n";
    let bundle = plants(&[
        ("packs/receipts.yaml", RECEIPTS),
        ("somewhere/feeds/receipts.yaml", own),
    ]);
    let plant = "somewhere".parse().unwrap();
    let feed = Feed::read(&bundle, &plant, "somewhere/feeds/receipts.yaml").unwrap();
    let rows =
        b"receipt,order,line,quantity,day\nR1,4711,1,2,01.07.2026\nR2,4712,1,1.0.0,01.07.2026\n";
    let came = run(&feed, &[("receipts", rows)]).unwrap();
    assert_eq!(came.field(0, "/data/poNumber"), "PO-4711");
    assert_eq!(came.field(0, "/source"), "urn:plant:somewhere:wms-2");
    // The place of a mistake is where the expression is written: in the pack.
    assert_eq!(came.not_made[0].place.file, "packs/receipts.yaml");
    // What the pack says is part of what the mapping is.
    let changed = plants(&[
        ("packs/receipts.yaml", &RECEIPTS.replace("Berlin", "Paris")),
        ("somewhere/feeds/receipts.yaml", own),
    ]);
    let other = Feed::read(&changed, &plant, "somewhere/feeds/receipts.yaml").unwrap();
    assert_ne!(feed.hash, other.hash);
}

#[test]
fn the_same_row_is_the_same_event_whichever_file_brings_it() {
    let one = receipt_rows("R1;4711;10;7;01.07.2026\n");
    let other = receipt_rows("R0;4711;10;7;01.07.2026\nR1;4711;10;7;01.07.2026\n");
    assert_eq!(one.field(0, "/id"), other.field(1, "/id"));
    assert_ne!(other.field(0, "/id"), other.field(1, "/id"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Arbitrary bytes end in facts or in words, never in a panic.
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600), with_head in any::<bool>()) {
        let mut all = if with_head { HEAD.as_bytes().to_vec() } else { Vec::new() };
        all.extend(bytes);
        let feed = receipts();
        let outcome = run(&feed, &[("receipts", &all)]);
        if let Ok(came) = outcome {
            for not in &came.not_made {
                prop_assert!(!not.message.is_empty());
            }
        }
    }

    /// Rows in any order, among any others: each has the fate that it has alone.
    #[test]
    fn a_rows_fate_does_not_depend_on_its_neighbours(order in Just((0..8_usize).collect::<Vec<_>>()).prop_shuffle()) {
        let rows = [
            "R1;4711;10;7;01.07.2026", "R2;4711;10;x;01.07.2026", "R3;4711;10;7", "R4;\"47\n11\";10;7;01.07.2026",
            "R5;4711;10;7;31.02.2026", "R6;4711;10;1.000,5;01.07.2026", "R7;;10;7;01.07.2026", "R8;4711;10;7;25.10.2026",
        ];
        let alone: Cell<usize> = Cell::new(0);
        for row in rows {
            alone.set(alone.get() + receipt_rows(&format!("{row}\n")).made.len());
        }
        let text: String = order.iter().map(|index| format!("{}\n", rows[*index])).collect();
        let came = receipt_rows(&text);
        prop_assert_eq!(came.made.len(), alone.get());
        prop_assert_eq!(came.made.len() + came.not_made.len() + came.unread.len(), rows.len());
    }
}
