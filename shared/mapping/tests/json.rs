//! JSON files of plants to facts.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod support;

use support::{feed, run};

const ORDERS: &str = r#"
system: erp
document: id
files:
  orders:
    name: orders*.json
    json: { document: /orders }
events:
  created:
    type: po.created
    time: $moment(_around.exported, "%Y-%m-%d %H:%M", "UTC")
    data:
      poNumber: id
      supplierId: supplier.code
      currency: currency
      orderDate: $substringBefore(_around.exported, " ")
      lines:
        each: lines
        when: $not(void = true)
        fields:
          lineNo: position
          itemId: item
          qty: $dec(qty)
          uom: { constant: EA }
          unitPrice: $dec(price)
"#;

#[test]
fn numbers_of_json_are_as_exact_as_they_were_written() {
    let feed = feed(&[("somewhere/feeds/orders.yaml", ORDERS)]);
    let came = run(
        &feed,
        br#"{"exported": "2026-07-01 08:30", "orders": [
          {"id": 4711, "supplier": {"code": " S7 "}, "currency": "EUR", "lines": [
            {"item": "A", "qty": 12.000, "price": 123456789012.123456, "void": false},
            {"item": "B", "qty": 1, "price": 1, "void": true}]}]}"#,
    )
    .unwrap();
    let event = came.only();
    assert_eq!(event["time"], "2026-07-01T08:30:00+00:00");
    assert_eq!(event["data"]["poNumber"], "4711");
    assert_eq!(event["data"]["supplierId"], "S7");
    assert_eq!(event["data"]["lines"][0]["qty"], "12");
    assert_eq!(
        event["data"]["lines"][0]["unitPrice"],
        "123456789012.123456"
    );
    assert_eq!(event["data"]["lines"].as_array().unwrap().len(), 1);
}

#[test]
fn one_bad_line_of_a_thousand_holds_no_other() {
    let text = ORDERS
        .replace("json: { document: /orders }", "json: { lines: true }")
        .replace("_around.exported", "at");
    let feed = feed(&[("somewhere/feeds/orders.yaml", &text)]);
    let mut lines = String::new();
    for line in 1..=1_000 {
        lines.push_str(&format!(
            r#"{{"id":{line},"at":"2026-07-01 08:30","supplier":{{"code":"S"}},"currency":"EUR","lines":[{{"item":"A","qty":1,"price":1}}]"#
        ));
        lines.push_str(if line == 600 { "\n" } else { "}\n" });
    }
    let came = run(&feed, lines.as_bytes()).unwrap();
    assert_eq!(came.made.len(), 999);
    let [bad] = came.unread.as_slice() else {
        panic!("{:?}", came.unread);
    };
    assert_eq!(
        (bad.code, bad.spot.line, bad.ends),
        ("json_syntax", 600, false)
    );
}

#[test]
fn a_configuration_that_cannot_be_meant_is_refused_where_it_is_written() {
    for wrong in [
        "{ lines: true, document: /orders }",
        "{ document: orders }",
        "{ path: /orders }",
    ] {
        let text = ORDERS.replace("{ document: /orders }", wrong);
        let read = support::read(&[("somewhere/feeds/feed.yaml", &text)]);
        let said = read.unwrap_err().to_string();
        assert!(said.starts_with("somewhere/feeds/feed.yaml:7:"), "{said}");
    }
}
