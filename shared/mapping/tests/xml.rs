//! XML files of plants to facts.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod support;

use support::{feed, run};

const RECEIPTS: &str = r#"
system: wms
document: receipt.`@number`
files:
  receipts:
    name: GR*.xml
    xml: { document: /message/receipt, repeated: [line] }
events:
  received:
    type: receipt.posted
    time: $moment(_around.head.sent, "%Y-%m-%dT%H:%M:%S", "Europe/Berlin")
    data:
      receiptNumber: '`@number`'
      poNumber: order
      lines:
        each: line
        fields:
          lineNo: '`@no`'
          qtyReceived: $dec(quantity, ",")
          lots:
            each: lot
            fields:
              lotId: number
              qty: $dec(quantity, ",")
"#;

#[test]
fn an_element_of_a_message_becomes_a_fact() {
    let feed = feed(&[("somewhere/feeds/receipts.yaml", RECEIPTS)]);
    let came = run(
        &feed,
        b"<m:message xmlns:m='urn:m'><m:head><sent>2026-07-01T08:00:00</sent></m:head>\n\
          <m:receipt number='R1'><order>4711</order><line no='10'><quantity>1,50</quantity>\n\
          <lot><number>L1</number><quantity>1</quantity></lot><lot><number>L2</number><quantity>,5</quantity></lot>\n\
          </line></m:receipt></m:message>",
    )
    .unwrap();
    assert_eq!(came.made.len(), 0);
    assert!(
        came.not_made[0]
            .to_string()
            .contains("file line 3: `,5` is no number"),
        "{}",
        came.not_made[0]
    );
    let came = run(
        &feed,
        b"<m:message xmlns:m='urn:m'><m:head><sent>2026-07-01T08:00:00</sent></m:head>\n\
          <m:receipt number='R1'><order>4711</order><line no='10'><quantity>1,50</quantity>\n\
          <lot><number>L1</number><quantity>1,50</quantity></lot></line></m:receipt></m:message>",
    )
    .unwrap();
    let event = came.only();
    assert_eq!(event["time"], "2026-07-01T08:00:00+02:00");
    assert_eq!(event["data"]["receiptNumber"], "R1");
    assert_eq!(event["data"]["lines"][0]["qtyReceived"], "1.5");
    assert_eq!(event["data"]["lines"][0]["lots"][0]["lotId"], "L1");
}

#[test]
fn a_configuration_that_cannot_be_meant_is_refused_where_it_is_written() {
    for wrong in [
        "{ repeated: [line] }",
        "{ document: message }",
        "{ document: [] }",
        "{ path: /a }",
    ] {
        let text = RECEIPTS.replace("{ document: /message/receipt, repeated: [line] }", wrong);
        let read = support::read(&[("somewhere/feeds/feed.yaml", &text)]);
        let said = read.unwrap_err().to_string();
        assert!(said.starts_with("somewhere/feeds/feed.yaml:7:"), "{said}");
    }
}
