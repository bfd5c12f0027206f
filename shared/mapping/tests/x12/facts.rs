//! The transaction sets of a purchase, from a feed's configuration to facts.

use serde_json::json;

use super::{feed, interchange, run};

const ACKNOWLEDGMENT: &str = r#"
lookups:
  answers: { file: lookups/answers.csv, key: code }
events:
  acknowledged:
    type: po.acknowledged
    when: ST.ST01 = "855"
    time: $moment(BAK.BAK04, "%Y%m%d", "UTC")
    data:
      poNumber: BAK.BAK03
      ackNumber: >-
        $exists(BAK.BAK08) ? BAK.BAK08 : ISA.ISA13 & "-" & ST.ST02
      lines:
        each: PO1
        fields:
          lineNo: PO101
          status: $table("answers", ACK[0].ACK01, "status")
          qty: $dec(ACK[0].ACK02)
          price: $dec(PO104)
          promisedDate: $day(ACK[0][ACK04 = "067"].ACK05, "%Y%m%d")
"#;

const ANSWERS: &str = "code,status
IA,accepted
IC,acceptedChanged
IE,acceptedChanged
IF,acceptedChanged
IQ,acceptedChanged
DR,acceptedChanged
IS,substituted
IB,backordered
BP,backordered
IP,pending
IH,pending
IR,rejected
ID,rejected
";

#[test]
fn an_855_becomes_an_acknowledgment_with_the_partners_code_map() {
    let lookups = [("somewhere/lookups/answers.csv", ANSWERS)];
    let feed = feed(
        "version: [\"004010\"], sender: \"ZZ:ACME\"",
        ACKNOWLEDGMENT,
        &lookups,
    );
    let text = interchange(&[(
        "PR",
        &[
            (
                "855",
                "BAK*00*AC*4711*20261123****AB-9~
             PO1*10*5*EA*19.95**VP*X1~ACK*IA*5*EA*067*20261201~
             PO1*20*8*EA*2.50**VP*X2~PID*F****Bolt~ACK*IB*3*EA*067*20261215~
             PO1*30*1*EA*9**VP*X3~ACK*ZZ*1*EA~
             CTT*3~",
            ),
            (
                "855",
                "BAK*00*AC*4712*20261123~PO1*1*5*EA*19.95**VP*X1~ACK*IR~CTT*1~",
            ),
        ],
    )]);
    let came = run(&feed, text.as_bytes());
    assert_eq!(came.unread, []);
    // A code that nobody has explained holds its own document only, and says where it stands.
    let [unknown] = came.not_made.as_slice() else {
        panic!("{:?}", came.not_made);
    };
    assert_eq!(
        (unknown.code.as_str(), unknown.spot.segment),
        ("unknown_code", Some(10))
    );
    assert_eq!(unknown.unknown.as_ref().unwrap().code, "ZZ");
    assert_eq!(came.made[0].event["data"]["ackNumber"], "000000001-0002");
    let text = text.replace("ACK*ZZ*", "ACK*IS*");
    let came = run(&feed, text.as_bytes());
    assert_eq!(came.not_made, []);
    assert_eq!(
        came.made[0].event["data"],
        json!({
            "poNumber": "4711", "ackNumber": "AB-9",
            "lines": [
                { "lineNo": "10", "status": "accepted", "qty": "5", "price": "19.95", "promisedDate": "2026-12-01" },
                { "lineNo": "20", "status": "backordered", "qty": "3", "price": "2.5", "promisedDate": "2026-12-15" },
                { "lineNo": "30", "status": "substituted", "qty": "1", "price": "9" },
            ],
        })
    );
}

const INVOICE: &str = r#"
columns:
  freight: $dec_div($dec_sum(SAC[SAC01 = "C"].SAC05), "100", 2)
  gross: $dec_div(TDS.TDS01, "100", 2)
  net: $dec_sum(IT1.$dec_mul(IT102, IT104))
events:
  invoiced:
    type: invoice.received
    time: $moment(BIG.BIG01, "%Y%m%d", "UTC")
    data:
      invoiceNumber: BIG.BIG02
      supplierId: N1[N101 = "RI"].N104
      invoiceDate: $day(BIG.BIG01, "%Y%m%d")
      currency: CUR.CUR02
      lines:
        each: IT1
        fields:
          poNumber: document.BIG.BIG04
          lineNo: IT101
          qty: $dec(IT102)
          uom: IT103
          unitPrice: $dec(IT104)
      charges:
        each: SAC[SAC01 = "C"]
        fields:
          code: SAC02
          amount: $dec_div(SAC05, "100", 2)
      totals:
        net: net
        charges: freight
        tax: TXI[0].TXI02
        gross: gross
"#;

#[test]
fn an_810_becomes_an_invoice() {
    let feed = feed("", INVOICE, &[]);
    let text = interchange(&[(
        "IN",
        &[(
            "810",
            "BIG*20261120*INV-7*20261101*4711~CUR*SE*USD~N1*RI*Acme*92*S-100~N3*1 Way~N4*Town*OH*44139~
             IT1*10*5*EA*19.95**VP*X1~PID*F****Bolt~IT1*20*2*EA*0.125~
             TDS*11000~TXI*ST*5~SAC*C*D240***500~CTT*2~",
        )],
    )]);
    let came = run(&feed, text.as_bytes());
    assert_eq!((came.faults(), &came.not_made), (vec![], &vec![]));
    assert_eq!(
        came.made[0].event["data"],
        json!({
            "invoiceNumber": "INV-7", "supplierId": "S-100", "invoiceDate": "2026-11-20", "currency": "USD",
            "lines": [
                { "poNumber": "4711", "lineNo": "10", "qty": "5", "uom": "EA", "unitPrice": "19.95" },
                { "poNumber": "4711", "lineNo": "20", "qty": "2", "uom": "EA", "unitPrice": "0.125" },
            ],
            "charges": [{ "code": "D240", "amount": "5" }],
            "totals": { "net": "100", "charges": "5", "tax": "5", "gross": "110" },
        })
    );
}

const SHIPMENT: &str = r#"
columns:
  shipment: HL[HL03 = "S"]
  items: >-
    HL.HL[HL03 = "O"].(
      $order := PRF.PRF01;
      **[HL03 = "I"].$merge([$, { "order": $order }]))
events:
  shipped:
    type: asn.received
    time: $moment(BSN.BSN03 & BSN.BSN04, "%Y%m%d%H%M", "America/New_York")
    data:
      asnNumber: BSN.BSN02
      carrier: shipment.TD5[0].TD503
      sscc: "[$distinct(**.MAN[MAN01 = 'GM'].MAN02)]"
      shipDate: $day(shipment.DTM[DTM01 = "011"].DTM02, "%Y%m%d")
      lines:
        each: items
        fields:
          poNumber: order
          lineNo: LIN.LIN01
          qty: $dec(SN1.SN102)
          uom: SN1.SN103
"#;

#[test]
fn an_856_becomes_a_ship_notice_with_the_order_of_each_item() {
    let feed = feed("", SHIPMENT, &[]);
    let text = interchange(&[(
        "SH",
        &[(
            "856",
            "BSN*00*ASN-1*20261123*0915*0001~
             HL*1**S~TD5**2*UPSN~DTM*011*20261122~
             HL*2*1*O~PRF*4711~HL*3*2*P~MAN*GM*00000715670002152360~
             HL*4*3*I~LIN*10*UP*642~SN1**12*EA~HL*5*3*I~LIN*20*UP*643~SN1**7.5*KG~
             HL*6*1*O~PRF*4712~HL*7*6*I~LIN*1*UP*642~SN1**1*EA~
             CTT*7~",
        )],
    )]);
    let came = run(&feed, text.as_bytes());
    assert_eq!((came.faults(), &came.not_made), (vec![], &vec![]));
    let event = &came.made[0].event;
    assert_eq!(event["time"], "2026-11-23T09:15:00-05:00");
    assert_eq!(
        event["data"],
        json!({
            "asnNumber": "ASN-1", "carrier": "UPSN", "sscc": ["00000715670002152360"], "shipDate": "2026-11-22",
            "lines": [
                { "poNumber": "4711", "lineNo": "10", "qty": "12", "uom": "EA" },
                { "poNumber": "4711", "lineNo": "20", "qty": "7.5", "uom": "KG" },
                { "poNumber": "4712", "lineNo": "1", "qty": "1", "uom": "EA" },
            ],
        })
    );
}

const RECEIPT: &str = r#"
events:
  received:
    type: receipt.posted
    time: $moment(DTM[DTM01 = "050"].DTM02, "%Y%m%d", "UTC")
    data:
      receiptNumber: BRA.BRA01
      poNumber: REF[REF01 = "PO"].REF02
      lines:
        each: RCD
        fields:
          lineNo: RCD01
          qtyReceived: $dec(RCD02)
          uom: RCD03_1
          qtyInQuestion: $dec(RCD06)
          conditionCode: RCD08
          lots:
            each: LIN[LIN02 = "LT"]
            fields: { lotId: LIN03, qty: "$dec(document.RCD[0].RCD02)" }
"#;

#[test]
fn an_861_becomes_a_receipt_with_what_is_in_question() {
    let feed = feed("", RECEIPT, &[]);
    let text = interchange(&[(
        "RC",
        &[(
            "861",
            "BRA*R-5*20261123*00*1~REF*PO*4711~DTM*050*20261123~
             RCD*10*12*EA**  *3*EA*01~LIN**LT*L-77~RCD*20*7.5*KG~CTT*2~",
        )],
    )]);
    let came = run(&feed, text.as_bytes());
    assert_eq!((came.faults(), &came.not_made), (vec![], &vec![]));
    assert_eq!(
        came.made[0].event["data"],
        json!({
            "receiptNumber": "R-5", "poNumber": "4711",
            "lines": [
                { "lineNo": "10", "qtyReceived": "12", "uom": "EA", "qtyInQuestion": "3", "conditionCode": "01",
                  "lots": [{ "lotId": "L-77", "qty": "12" }] },
                { "lineNo": "20", "qtyReceived": "7.5", "uom": "KG" },
            ],
        })
    );
}
