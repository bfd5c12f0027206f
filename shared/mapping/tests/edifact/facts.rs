//! Messages of each kind as facts.

use super::*;

#[test]
fn an_answer_becomes_a_fact() {
    let came = run(&answers("{}"), ANSWER.as_bytes());
    assert_eq!(came.unread, [], "{came:?}");
    assert_eq!(came.not_made, []);
    assert_eq!(came.field(0, "/data/poNumber"), "P00017");
    assert_eq!(came.field(0, "/data/ackNumber"), "AB-7");
    assert_eq!(came.field(0, "/data/lines/0/qty"), "12.5");
    assert_eq!(came.field(0, "/data/lines/0/promisedDate"), "2026-12-01");
    assert_eq!(came.field(0, "/data/lines/1/code/code"), "3");
}

#[test]
fn a_decimal_comma_and_umlauts_are_what_the_interchange_says() {
    let text = format!("UNA:+,? '\n{ANSWER}")
        .replace("12.5", "12,5")
        .replace("4.75", "4,75")
        .replace("AB-7", "AB-7?+Ä");
    let came = run(&answers("{}"), &latin(&text));
    assert_eq!(came.unread, []);
    assert_eq!(came.field(0, "/data/lines/0/qty"), "12.5");
    assert_eq!(came.field(0, "/data/lines/0/price"), "4.75");
    assert_eq!(came.field(0, "/data/ackNumber"), "AB-7+Ä");
}

#[test]
fn the_suppliers_own_codes_are_named_with_the_list_that_they_are_from() {
    for (bgm, list, code) in [
        ("BGM+231+AB-7+29", "edifact-1225", "29"),
        ("BGM+231+AB-7+27", "edifact-1225", "27"),
        ("BGM+231+AB-7+12", "edifact-1225", "12"),
        ("BGM+231+AB-7+9+AC", "edifact-4343", "AC"),
        ("BGM+231+AB-7++RE", "edifact-4343", "RE"),
    ] {
        let came = run(
            &answers("{}"),
            ANSWER.replace("BGM+231+AB-7+4", bgm).as_bytes(),
        );
        assert_eq!(came.field(0, "/data/headerCode/list"), list, "{bgm}");
        assert_eq!(came.field(0, "/data/headerCode/code"), code, "{bgm}");
        assert_eq!(came.field(0, "/data/lines/0/code/list"), "edifact-1229");
        assert_eq!(came.field(0, "/data/lines/0/code/code"), "5");
    }
}

const NOTICES: &str = r#"
system: edi
document: BGM.BGM02
files:
  messages:
    name: "*.edi"
    edifact: {}
columns:
  order: RFF[RFF01_1="ON"].RFF01_2
  items: CPS.**.LIN
events:
  shipped:
    type: asn.received
    time: $moment(DTM[DTM01_1="137"].DTM01_2, "%Y%m%d%H%M", "Europe/Berlin")
    data:
      asnNumber: BGM.BGM02
      carrier: TDT[TDT01="20"].TDT05_4
      sscc: CPS.**.GIN[GIN01="BJ"].GIN02_1[]
      shipDate: $day(DTM[DTM01_1="11"].DTM01_2, "%Y%m%d")
      lines:
        each: items
        fields:
          poNumber: '$exists(RFF[RFF01_1="ON"]) ? RFF[RFF01_1="ON"].RFF01_2 : document.order'
          lineNo: LIN01
          itemId: LIN03_1
          qty: $dec(QTY[QTY01_1="12"].QTY01_2, ".")
          lots:
            each: PCI[GIN.GIN01="BX"]
            fields:
              lotId: GIN[GIN01="BX"].GIN02_1
              qty: $dec(QTY.QTY01_2, ".")
"#;

#[test]
fn a_despatch_advice_becomes_a_notice_with_the_goods_of_all_its_packages() {
    let text = interchange(
        "DESADV",
        "BGM+351+LS-9+9'
         DTM+137:202611121400:203'
         DTM+11:20261113:102'
         RFF+ON:P00017'
         TDT+20++30++:::DPD'
         CPS+1'
         PAC+1'
         CPS+2+1'
         PAC+1++201'
         PCI+33E'
         GIN+BJ+340123450000000018'
         LIN+1++BOLT-8:SA'
         QTY+12:40:PCE'
         PCI+17'
         QTY+12:40:PCE'
         GIN+BX+L-2026-7'
         CPS+3+1'
         LIN+2++NUT-8:SA'
         QTY+12:60:PCE'
         RFF+ON:P00018'",
    );
    let came = run(&feed(NOTICES).unwrap(), text.as_bytes());
    assert_eq!(came.unread, []);
    assert_eq!(came.not_made, []);
    for (pointer, wanted) in [
        ("/data/asnNumber", "LS-9"),
        ("/data/carrier", "DPD"),
        ("/data/sscc/0", "340123450000000018"),
        ("/data/shipDate", "2026-11-13"),
        ("/data/lines/0/poNumber", "P00017"),
        ("/data/lines/0/itemId", "BOLT-8"),
        ("/data/lines/0/qty", "40"),
        ("/data/lines/0/lots/0/lotId", "L-2026-7"),
        ("/data/lines/0/lots/0/qty", "40"),
        ("/data/lines/1/poNumber", "P00018"),
        ("/data/lines/1/qty", "60"),
    ] {
        assert_eq!(came.field(0, pointer), wanted, "{pointer}");
    }
}

const INVOICES: &str = r#"
system: edi
document: BGM.BGM02
files:
  messages:
    name: "*.edi"
    edifact: {}
columns:
  order: RFF[RFF01_1="ON"].RFF01_2
events:
  invoiced:
    type: invoice.received
    time: $moment(DTM[DTM01_1="137"].DTM01_2, "%Y%m%d", "Europe/Berlin")
    data:
      kind: 'BGM.BGM01 = "381" ? "creditNote" : "invoice"'
      invoiceNumber: BGM.BGM02
      supplierId: NAD[NAD01="SU"].NAD02_1
      invoiceDate: $day(DTM[DTM01_1="137"].DTM01_2, "%Y%m%d")
      currency: CUX[0].CUX01_2
      lines:
        each: LIN
        fields:
          poNumber: document.order
          lineNo: LIN01
          qty: $dec(QTY[QTY01_1="47"].QTY01_2, document.UNA.decimal_mark)
          unitPrice: $dec(PRI[PRI01_1="AAA"].PRI01_2, document.UNA.decimal_mark)
      totals:
        net: $dec(UNS.MOA[MOA01_1="79"].MOA01_2, UNA.decimal_mark)
        tax: $dec(UNS.MOA[MOA01_1="124"].MOA01_2, UNA.decimal_mark)
        gross: $dec(UNS.MOA[MOA01_1="77"].MOA01_2, UNA.decimal_mark)
"#;

#[test]
fn an_invoice_becomes_a_fact_with_the_amounts_of_its_summary() {
    let text = interchange(
        "INVOIC",
        "BGM+380+R-100+9'
         DTM+137:20261120:102'
         RFF+ON:P00017'
         NAD+SU+4000001::9++Mu?:ller'
         TAX+7+VAT+++:::19'
         MOA+124:999'
         CUX+2:EUR:4'
         LIN+1++BOLT-8:SA'
         QTY+47:40:PCE'
         MOA+203:30'
         PRI+AAA:0,75'
         UNS+S'
         MOA+77:35,7'
         MOA+79:30'
         MOA+124:5,7'",
    );
    let came = run(
        &feed(INVOICES).unwrap(),
        format!("UNA:+,? '{text}").as_bytes(),
    );
    assert_eq!(came.unread, []);
    assert_eq!(came.not_made, []);
    for (pointer, wanted) in [
        ("/data/kind", "invoice"),
        ("/data/supplierId", "4000001"),
        ("/data/currency", "EUR"),
        ("/data/lines/0/unitPrice", "0.75"),
        ("/data/totals/tax", "5.7"),
        ("/data/totals/gross", "35.7"),
    ] {
        assert_eq!(came.field(0, pointer), wanted, "{pointer}");
    }
}

const RECEIPTS: &str = r#"
system: edi
document: BGM.BGM02
files:
  messages:
    name: "*.edi"
    edifact: {}
columns:
  items: CPS.**.LIN
events:
  received:
    type: receipt.posted
    time: $moment(DTM[DTM01_1="50"].DTM01_2, "%Y%m%d", "Europe/Berlin")
    data:
      receiptNumber: BGM.BGM02
      poNumber: RFF[RFF01_1="ON"].RFF01_2
      lines:
        each: items
        fields:
          lineNo: LIN01
          itemId: LIN03_1
          qtyReceived: $dec(QTY[QTY01_1="194"].QTY01_2, ".")
"#;

#[test]
fn a_receiving_advice_becomes_a_receipt() {
    let text = interchange(
        "RECADV",
        "BGM+632+WE-3+9'
         DTM+50:20261114:102'
         RFF+ON:P00017'
         CPS+1'
         LIN+1++BOLT-8:SA'
         QTY+194:39:PCE'
         QVR+-1:21'",
    );
    let came = run(&feed(RECEIPTS).unwrap(), text.as_bytes());
    assert_eq!(came.unread, []);
    assert_eq!(came.not_made, []);
    assert_eq!(came.field(0, "/data/receiptNumber"), "WE-3");
    assert_eq!(came.field(0, "/data/lines/0/qtyReceived"), "39");
}

#[test]
fn a_field_that_is_wrong_is_told_with_the_line_and_segment_of_its_part() {
    let text = ANSWER.replace("QTY+21:7:PCE", "QTY+21:seven:PCE");
    let came = run(&answers("{}"), text.as_bytes());
    let not = &came.not_made[0];
    assert_eq!((not.spot.line, not.spot.segment), (12, Some(12)));
    assert_eq!(not.pointer, "/data/lines/1/qty");
}
