//! Orders that go out to suppliers as X12 850 and EDIFACT ORDERS, by configuration.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use interplant_domain::identifier::PlantCode;
use interplant_mapping::edi::Standard;
use interplant_mapping::feed::Bundle;
use interplant_mapping::out::{Given, NotWritten, Out, Writer, Written};
use proptest::prelude::*;
use serde_json::{Value, json};

const X12: &str = r#"
about: Orders to suppliers
events: [po.created]
file: '"PO" & data.poNumber & ".x12"'
lookups:
  suppliers: { file: lookups/suppliers.csv, key: code }
x12:
  kind: "850"
  version: "004010"
  functional_id: PO
  sender: { qualifier: { constant: ZZ }, id: { constant: GROUP } }
  receiver: { qualifier: { constant: "01" }, id: '$table("suppliers", data.supplierId, "duns")' }
segments:
  - [BEG, { constant: "00" }, { constant: NE }, data.poNumber, "", '$day_as(data.orderDate, "%Y%m%d")']
  - when: $exists(data.contract)
    segments:
      - [REF, { constant: CT }, data.contract]
  - each: data.lines
    segments:
      - [PO1, lineNo, qty, uom, unitPrice, "", { constant: BP }, itemId]
      - when: $exists(needDate)
        segments:
          - [DTM, { constant: "002" }, '$day_as(needDate, "%Y%m%d")']
  - [CTT, $count(data.lines)]
"#;

const EDIFACT: &str = r#"
about: Orders to suppliers
events: [po.created]
file: '"PO" & data.poNumber & ".edi"'
edifact:
  message: [ORDERS, D, 96A, UN]
  sender: { id: { constant: "4000001000005" }, qualifier: { constant: "14" } }
  receiver: { id: data.supplierId }
segments:
  - [BGM, { constant: "220" }, data.poNumber, { constant: "9" }]
  - [DTM, [{ constant: "137" }, '$day_as(data.orderDate, "%Y%m%d")', { constant: "102" }]]
  - [NAD, { constant: SU }, [data.supplierId, "", { constant: "92" }]]
  - each: data.lines
    segments:
      - [LIN, lineNo, "", [itemId, { constant: IN }]]
      - [QTY, [{ constant: "21" }, qty, uom]]
      - [PRI, [{ constant: AAA }, unitPrice]]
  - [UNS, { constant: S }]
  - [CNT, [{ constant: "2" }, $count(data.lines)]]
"#;

fn read(yaml: &str) -> Result<Out, String> {
    let plant: PlantCode = "plant-a".parse().unwrap();
    let suppliers = "code,duns\nACME,123456789\n";
    let bundle = Bundle {
        files: BTreeMap::from([
            ("plant-a/out/orders.yaml".to_owned(), yaml.into()),
            ("plant-a/lookups/suppliers.csv".to_owned(), suppliers.into()),
        ]),
    };
    Out::read(&bundle, &plant, "plant-a/out/orders.yaml").map_err(|mistake| mistake.to_string())
}

fn given() -> Given {
    Given {
        control: 1007,
        at: jiff::civil::date(2026, 11, 24).at(8, 30, 0, 0),
    }
}

fn write(yaml: &str, event: &Value) -> Result<Written, NotWritten> {
    let out = read(yaml).unwrap();
    assert!(out.is_numbered());
    Writer::new(&out).write(event, given())
}

fn event() -> Value {
    json!({"id": "evt_1", "type": "interplant.po.created.v1", "data": {
        "poNumber": "4711", "supplierId": "ACME", "orderDate": "2026-11-24", "lines": [
            {"lineNo": "1", "itemId": "BOLT-8", "qty": "40", "uom": "EA", "unitPrice": "0.75", "needDate": "2026-12-08"},
            {"lineNo": "2", "itemId": "NUT-8", "qty": "12.5", "uom": "KG", "unitPrice": "3"}
        ]
    }})
}

#[test]
fn an_order_becomes_an_850_with_its_envelope_and_counts() {
    let written = write(X12, &event()).unwrap();
    assert_eq!(written.name, "PO4711.x12");
    let text = String::from_utf8(written.bytes).unwrap();
    let wanted = [
        "ISA*00*          *00*          *ZZ*GROUP          *01*123456789      *261124*0830*U*00401*000001007*0*P*>~",
        "GS*PO*GROUP*123456789*20261124*0830*1007*X*004010~",
        "ST*850*1007~",
        "BEG*00*NE*4711**20261124~",
        "PO1*1*40*EA*0.75**BP*BOLT-8~",
        "DTM*002*20261208~",
        "PO1*2*12.5*KG*3**BP*NUT-8~",
        "CTT*2~",
        "SE*7*1007~",
        "GE*1*1007~",
        "IEA*1*000001007~",
    ];
    assert_eq!(text.replace('\n', ""), wanted.concat());
    let dispatched = written.dispatched.unwrap();
    assert_eq!(dispatched.standard, Standard::X12);
    assert_eq!(
        (dispatched.partner.as_str(), dispatched.control),
        ("01:123456789", 1007)
    );
}

#[test]
fn an_order_becomes_an_orders_message_with_its_envelope_and_counts() {
    let written = write(EDIFACT, &event()).unwrap();
    let text = String::from_utf8(written.bytes).unwrap();
    let wanted = [
        "UNB+UNOC:3+4000001000005:14+ACME+261124:0830+1007'",
        "UNH+1007+ORDERS:D:96A:UN'",
        "BGM+220+4711+9'",
        "DTM+137:20261124:102'",
        "NAD+SU+ACME::92'",
        "LIN+1++BOLT-8:IN'",
        "QTY+21:40:EA'",
        "PRI+AAA:0.75'",
        "LIN+2++NUT-8:IN'",
        "QTY+21:12.5:KG'",
        "PRI+AAA:3'",
        "UNS+S'",
        "CNT+2:2'",
        "UNT+13+1007'",
        "UNZ+1+1007'",
    ];
    assert_eq!(text.replace('\n', ""), wanted.concat());
    let dispatched = written.dispatched.unwrap();
    assert_eq!(dispatched.standard, Standard::Edifact);
    assert_eq!(
        (dispatched.partner.as_str(), dispatched.control),
        ("ACME", 1007)
    );
}

#[test]
fn what_its_receiver_would_refuse_is_not_written_and_the_place_is_told() {
    let changed = |pointer: &str, value: &str| {
        let mut event = event();
        *event.pointer_mut(pointer).unwrap() = json!(value);
        event
    };
    for (yaml, event, said) in [
        (
            X12.to_owned(),
            changed("/data/poNumber", "47*11"),
            "no name of a file",
        ),
        (
            X12.to_owned(),
            changed("/data/lines/0/itemId", "BOLT*8"),
            "separates something",
        ),
        (
            X12.to_owned(),
            changed("/data/lines/0/itemId", "BOLT\n8"),
            "separates something",
        ),
        (
            X12.to_owned(),
            changed("/data/supplierId", "NOBODY"),
            "does not know `NOBODY`",
        ),
        (
            X12.replace("[CTT,", "[XYZ,"),
            event(),
            "its receiver would refuse it",
        ),
        (
            X12.replace("  - [BEG,", "  - [REF,"),
            event(),
            "its receiver would refuse it",
        ),
        (
            X12.replace("functional_id: PO", "functional_id: PR"),
            event(),
            "sets 850 stand in groups PO",
        ),
        (
            EDIFACT.to_owned(),
            changed("/data/lines/0/itemId", "漢"),
            "not in the character set",
        ),
        (
            EDIFACT.replace("  - [UNS, { constant: S }]\n", ""),
            event(),
            "its receiver would refuse it",
        ),
        (
            EDIFACT.replace("[BGM, { constant: \"220\" }", "[QTY, { constant: \"220\" }"),
            event(),
            "its receiver would refuse it",
        ),
    ] {
        let refused = write(&yaml, &event)
            .map(|written| String::from_utf8_lossy(&written.bytes).into_owned());
        let refused = refused.unwrap_err();
        assert!(refused.message.contains(said), "{refused}");
        assert_eq!(refused.place.file, "plant-a/out/orders.yaml");
    }
    // The release character is written where one is needed; nothing is lost.
    let written = write(EDIFACT, &changed("/data/lines/0/itemId", "B+'?:8")).unwrap();
    assert!(
        String::from_utf8(written.bytes)
            .unwrap()
            .contains("LIN+1++B?+?'???:8:IN'")
    );
}

#[test]
fn a_configuration_that_is_not_right_says_where() {
    for (yaml, said) in [
        (
            X12.replace("segments:\n  - [BEG", "rows:\n  - [BEG"),
            "orders.yaml:",
        ),
        (
            X12.replace("[CTT, $count(data.lines)]", "[$count(data.lines)]"),
            "no id of a segment",
        ),
        (
            X12.replace("[CTT,", "[{ constant: CTT },"),
            "begins with its id",
        ),
        (
            X12.replace("id: { constant: GROUP }", "gln: { constant: GROUP }"),
            "`gln` is none of",
        ),
        (
            X12.replace(
                "qualifier: { constant: ZZ }, id: { constant: GROUP }",
                "qualifier: { constant: ZZ }",
            ),
            "has an `id`",
        ),
        (
            X12.replace(
                "qualifier: { constant: ZZ }",
                "qualifier: [{ constant: ZZ }]",
            ),
            "nowhere else",
        ),
        (
            X12.replace("$count(data.lines)", "$sum(data.lines.qty)"),
            "binary floats",
        ),
        (format!("{X12}delimited: {{}}\n"), "one of them"),
    ] {
        let mistake = read(&yaml).unwrap_err();
        assert!(mistake.contains(said), "{mistake}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn whatever_a_value_says_either_stands_in_the_file_or_is_refused(text in "[ -~äö]{0,20}") {
        let mut event = event();
        event["data"]["lines"][0]["itemId"] = json!(text);
        let trimmed = text.trim_end();
        if let Ok(written) = write(X12, &event) {
            let file = String::from_utf8(written.bytes).unwrap();
            let last = if trimmed.is_empty() { "**BP~".to_owned() } else { format!("**BP*{trimmed}~") };
            prop_assert!(file.contains(&last), "{}: {}", text, file);
        }
    }
}
