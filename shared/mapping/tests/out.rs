//! Files that are made for a plant, as its systems read them.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use interplant_domain::identifier::PlantCode;
use interplant_mapping::feed::Bundle;
use interplant_mapping::out::{Given, NotWritten, Out, Writer, Written};
use proptest::prelude::*;
use serde_json::{Value, json};

const DELIMITED: &str = r#"
about: Orders for the warehouse system
events: [po.created, po.changed]
file: '"ORD_" & data.poNumber & ".csv"'
delimited: { separator: ";", encoding: windows-1252, line_end: lf }
lookups:
  items: { file: lookups/items.csv, key: number }
rows:
  - each: data.lines
    when: qty != "0"
    columns:
      order: document.data.poNumber
      position: position
      item: $table("items", itemId, "code")
      text: description
      qty: $dec_as(qty, ",", 2)
      due: $day_as(needDate, "%d.%m.%Y")
      unit: { constant: ST }
"#;

const FIXED: &str = r#"
events: [po.created]
file: '"ORD" & data.poNumber'
fixed: { line_end: crlf }
rows:
  - columns:
      kind: { constant: H, width: 1 }
      order: { value: data.poNumber, width: 10 }
      lines: { value: $count(data.lines), width: 4, align: right, fill: "0" }
  - each: data.lines
    columns:
      kind: { constant: L, width: 1 }
      order: { value: document.data.poNumber, width: 10 }
      qty: { value: '$replace($dec_as(qty, ".", 3), ".", "")', width: 12, align: right, fill: "0" }
"#;

fn plant() -> PlantCode {
    "plant-b".parse().unwrap()
}

fn given() -> Given {
    Given {
        control: 7,
        at: jiff::civil::date(2026, 11, 24).at(8, 30, 0, 0),
    }
}

fn read(yaml: &str) -> Result<Out, String> {
    let items = "number;code\nFORK-1;4711\nFORK-2;4712\n";
    let bundle = Bundle {
        files: BTreeMap::from([
            ("plant-b/out/orders.yaml".to_owned(), yaml.into()),
            (
                "plant-b/lookups/items.csv".to_owned(),
                items.replace(';', ",").into(),
            ),
        ]),
    };
    assert_eq!(bundle.outs(&plant()), ["plant-b/out/orders.yaml"]);
    Out::read(&bundle, &plant(), "plant-b/out/orders.yaml").map_err(|mistake| mistake.to_string())
}

fn event() -> Value {
    json!({
        "specversion": "1.0", "id": "evt_1", "type": "interplant.po.created.v1",
        "data": {"poNumber": "4711", "lines": [
            {"lineNo": "1", "itemId": "FORK-1", "qty": "12.5", "needDate": "2026-12-31", "description": "Gabel; \"rund\" für Tür"},
            {"lineNo": "2", "itemId": "FORK-2", "qty": "0", "needDate": "2026-12-31"},
            {"lineNo": "3", "itemId": "FORK-2", "qty": "1000", "needDate": "2027-01-02", "description": "=1+1"}
        ]}
    })
}

fn write(yaml: &str, event: &Value) -> Result<Written, NotWritten> {
    let out = read(yaml).unwrap();
    Writer::new(&out).write(event, given())
}

#[test]
fn an_order_becomes_the_delimited_file_that_the_plants_system_reads() {
    let out = read(DELIMITED).unwrap();
    assert_eq!(
        (out.name.as_str(), out.about.as_str()),
        ("orders", "Orders for the warehouse system")
    );
    assert!(out.takes("interplant.po.created.v1") && out.takes("po.changed"));
    assert!(!out.takes("interplant.po.cancelled.v1"));
    let written = Writer::new(&out).write(&event(), given()).unwrap();
    assert_eq!(written.name, "ORD_4711.csv");
    let (text, _, _) = encoding_rs::WINDOWS_1252.decode(&written.bytes);
    assert_eq!(
        text,
        "order;position;item;text;qty;due;unit\n\
         4711;1;4711;\"Gabel; \"\"rund\"\" für Tür\";12,50;31.12.2026;ST\n\
         4711;3;4712;=1+1;1000,00;02.01.2027;ST\n"
    );
    // The same event gives the same file.
    assert_eq!(Writer::new(&out).write(&event(), given()).unwrap(), written);
}

#[test]
fn rows_of_several_kinds_stand_in_columns_of_fixed_width() {
    let written = write(FIXED, &event()).unwrap();
    assert_eq!(
        String::from_utf8(written.bytes).unwrap(),
        "H4711      0003\r\nL4711      000000012500\r\nL4711      000000000000\r\nL4711      000001000000\r\n"
    );
}

#[test]
fn what_does_not_fit_is_refused_with_its_place_and_never_cut_rounded_or_replaced() {
    let changed = |pointer: &str, value: Value| {
        let mut event = event();
        *event.pointer_mut(pointer).unwrap() = value;
        event
    };
    for (yaml, event, code, place, said) in [
        (
            FIXED,
            changed("/data/poNumber", json!("12345678901")),
            "mapping",
            "8:14",
            "11 characters",
        ),
        (
            FIXED,
            changed("/data/poNumber", json!("47\n11")),
            "mapping",
            "3:7",
            "no name of a file",
        ),
        (
            DELIMITED,
            changed("/data/poNumber", json!("../x")),
            "mapping",
            "4:7",
            "no name of a file",
        ),
        (
            DELIMITED,
            changed("/data/lines/0/qty", json!("0.125")),
            "mapping",
            "16:12",
            "more than 2 places",
        ),
        (
            DELIMITED,
            changed("/data/lines/0/qty", json!(0.5)),
            "mapping",
            "4:7",
            "amounts are text",
        ),
        (
            DELIMITED,
            changed("/data/lines/0/itemId", json!("FORK-9")),
            "unknown_code",
            "14:13",
            "FORK-9",
        ),
        (
            DELIMITED,
            changed("/data/lines/0/needDate", json!("soon")),
            "mapping",
            "17:12",
            "no day",
        ),
        (
            DELIMITED,
            changed("/data/lines/0/description", json!("漢")),
            "mapping",
            "4:7",
            "windows-1252",
        ),
    ] {
        let refused = write(yaml, &event).unwrap_err();
        assert_eq!(refused.code, code, "{refused}");
        let at = format!("{}:{}", refused.place.line, refused.place.column);
        assert!(refused.message.contains(said), "{refused}");
        assert_eq!(at, place, "{refused}");
    }
}

#[test]
fn a_configuration_that_is_not_right_says_where() {
    for (yaml, said) in [
        (
            DELIMITED.replace("separator: \";\"", "separator: ab"),
            "no separator",
        ),
        (
            DELIMITED.replace("windows-1252", "utf-16"),
            "no character set to write in",
        ),
        (DELIMITED.replace("delimited:", "fixed:"), "unknown field"),
        (
            DELIMITED.replace("$table(\"items\"", "$table(\"goods\""),
            "no lookup `goods`",
        ),
        (
            DELIMITED.replace("$dec_as(qty, \",\", 2)", "qty * 2"),
            "binary floats",
        ),
        (
            DELIMITED.replace("position: position", "position: $now()"),
            "another answer each time",
        ),
        (
            DELIMITED.replace("{ constant: ST }", "{ constant: ST, width: 2 }"),
            "no `width`",
        ),
        (
            DELIMITED.replace("[po.created, po.changed]", "[]"),
            "at least one each",
        ),
        (FIXED.replace(", width: 10", ""), "has a `width`"),
        (
            FIXED.replace("fixed: { line_end: crlf }", "delimited: {}"),
            "no `width`",
        ),
        (
            FIXED.replace("fill: \"0\"", "fill: \"00\""),
            "not one character",
        ),
        (
            DELIMITED.replace("lookups/items.csv", "lookups/x.csv"),
            "x.csv is missing",
        ),
    ] {
        let mistake = read(&yaml).unwrap_err();
        assert!(mistake.contains(said), "{mistake}");
        assert!(mistake.starts_with("plant-b/out/orders.yaml:"), "{mistake}");
    }
}

#[test]
fn a_file_for_people_marks_what_a_spreadsheet_would_reckon() {
    let yaml = DELIMITED.replace("line_end: lf", "line_end: lf, spreadsheet: true");
    let mut event = event();
    for (said, wanted) in [
        ("=1+1", "'=1+1"),
        ("-1.5", "-1.5"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-A1", "'-A1"),
    ] {
        event["data"]["lines"][2]["description"] = json!(said);
        let written = write(&yaml, &event).unwrap();
        let text = String::from_utf8_lossy(&written.bytes).into_owned();
        assert!(text.contains(&format!(";{wanted};")), "{said}: {text}");
    }
}

proptest! {
    #[test]
    fn whatever_a_cell_says_reads_back_as_it_was(text in "[ -~äöü\r\n\t\"';,]{0,30}") {
        let mut event = event();
        event["data"]["lines"] = json!([{"itemId": "FORK-1", "qty": "1", "needDate": "2026-12-31", "description": text}]);
        let written = write(&DELIMITED.replace("windows-1252", "utf-8"), &event).unwrap();
        let mut rows = csv::ReaderBuilder::new().delimiter(b';').from_reader(written.bytes.as_slice());
        let row = rows.records().next().unwrap().unwrap();
        prop_assert_eq!(row.get(3), Some(text.as_str()));
    }
}
