//! Text in fixed columns, from its layout to facts.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod came;

use came::{Came, feed, run};
use interplant_mapping::document::Unread;
use proptest::prelude::*;

/// One line is one receipt; the quantity has three implied decimals.
const RECEIPTS: &str = r#"
system: wms
document: receipt
files:
  receipts:
    name: GR*.txt
    fixed:
      columns:
        - { name: receipt, at: 1, width: 6 }
        - { name: order, at: 7, width: 6 }
        - { name: line, at: 13, width: 3 }
        - { name: quantity, at: 16, width: 9 }
        - { name: day, at: 25, width: 8 }
events:
  received:
    type: receipt.posted
    time: $moment(day, "%Y%m%d", "Europe/Berlin")
    data:
      receiptNumber: receipt
      poNumber: order
      lines:
        each: $
        fields:
          lineNo: $string($dec(line))
          qtyReceived: $dec_shift(quantity, 3)
"#;

const LINE: &str = "R1    4711  01000000750020260701\n";

fn row(receipt: &str, quantity: &str) -> String {
    format!("{receipt:<6}4711  010{quantity:<9}20260701\n")
}

fn with(layout: &str) -> String {
    RECEIPTS.replace("    fixed:\n", &format!("    fixed:\n      {layout}\n"))
}

fn read(text: &str, bytes: &[u8]) -> Result<Came, Unread> {
    run(&feed(text).unwrap(), "GR1.txt", bytes)
}

#[test]
fn a_line_becomes_a_fact_by_positions() {
    let lines = format!("{LINE}\n{}\u{1a}", row("R2", "12000-"));
    let came = read(RECEIPTS, lines.as_bytes()).unwrap();
    assert_eq!(came.unread, []);
    assert_eq!(came.field(0, "/data/receiptNumber"), "R1");
    assert_eq!(came.field(0, "/data/poNumber"), "4711");
    assert_eq!(came.field(0, "/data/lines/0/lineNo"), "10");
    assert_eq!(came.field(0, "/data/lines/0/qtyReceived"), "7.5");
    assert_eq!(came.field(0, "/time"), "2026-07-01T00:00:00+02:00");
    // Minus twelve is read as it is written, and refused as a fact.
    assert_eq!(came.not_made[0].code, "invalid_value");
    assert_eq!(came.not_made[0].spot.to_string(), "GR1.txt line 3");
}

#[test]
fn positions_count_characters_whatever_the_encoding() {
    let line = row("R\u{e9}\u{df}", "7500");
    let latin: Vec<u8> = line.chars().map(|one| one as u8).collect();
    for (text, bytes) in [
        (with("encoding: latin1"), latin.clone()),
        (RECEIPTS.to_owned(), line.as_bytes().to_vec()),
        (RECEIPTS.to_owned(), line.replace('\n', "\r\n").into_bytes()),
    ] {
        let came = read(&text, &bytes).unwrap();
        assert_eq!(came.field(0, "/data/receiptNumber"), "R\u{e9}\u{df}");
    }
    let wrong = read(RECEIPTS, &latin).unwrap();
    assert_eq!(
        wrong.faults(),
        [("fixed_encoding", "GR1.txt line 1".to_owned())]
    );
}

#[test]
fn records_without_line_ends_have_one_length() {
    let text = with("line_ends: false\n      length: 32");
    let records = format!("{LINE}{}", row("R2", "8000")).replace('\n', "");
    let came = read(&text, records.as_bytes()).unwrap();
    assert_eq!(came.all("/data/receiptNumber"), ["R1", "R2"]);
    assert_eq!(came.unread, []);
    let cut = read(&text, &records.as_bytes()[..50]).unwrap();
    assert_eq!(cut.made.len(), 1);
    assert_eq!(
        cut.faults(),
        [("fixed_length", "GR1.txt line 2".to_owned())]
    );
    // A last line end, or the mark that once ended files, is no record.
    for end in ["\r\n", "\u{1a}", "   "] {
        let came = read(&text, format!("{records}{end}").as_bytes()).unwrap();
        assert_eq!((came.made.len(), came.unread.len()), (2, 0), "{end:?}");
    }
    let lines = read(&text, format!("{LINE}{LINE}").as_bytes()).unwrap();
    assert!(
        lines.unread[0].message.contains("line end"),
        "{:?}",
        lines.unread
    );
}

#[test]
fn a_line_of_another_length_is_told_with_its_column() {
    let lines = format!(
        "{}{LINE}{}x\n{LINE}",
        &row("R0", "5")[..20],
        row("R9", "5").trim_end()
    );
    let cut = lines.replacen("R0    4711  0105    ", "R0    4711  0105    \n", 1);
    let came = read(RECEIPTS, cut.as_bytes()).unwrap();
    assert_eq!(came.made.len(), 2);
    assert_eq!(
        came.faults(),
        [
            ("fixed_length", "GR1.txt line 1, column quantity".to_owned()),
            ("fixed_length", "GR1.txt line 3".to_owned())
        ]
    );
    assert!(
        came.unread[0]
            .message
            .contains("20 characters where the layout has 32"),
        "{}",
        came.unread[0]
    );

    // Blanks at the end may be missing where the layout says so.
    let trimmed = with("trimmed: true").replace(
        "width: 8 }",
        "width: 8 }\n        - { name: note, at: 33, width: 20 }",
    );
    let came = read(&trimmed, LINE.as_bytes()).unwrap();
    assert_eq!((came.made.len(), came.unread.len()), (1, 0));
}

#[test]
fn a_line_that_does_not_end_is_one_fault() {
    let mut bytes = LINE.as_bytes().to_vec();
    bytes.extend(vec![b'x'; 3 << 20]);
    bytes.push(b'\n');
    bytes.extend(LINE.as_bytes());
    let came = read(RECEIPTS, &bytes).unwrap();
    assert_eq!(came.made.len(), 2);
    assert_eq!(
        came.faults(),
        [("fixed_length", "GR1.txt line 2".to_owned())]
    );
}

#[test]
fn a_file_says_itself_how_much_is_in_it() {
    let text = with(
        "skip: 1\n      header: { mark: { at: 1, text: HDR }, count: { at: 4, width: 3 } }\n      trailer: { mark: { at: 1, text: END }, count: { at: 4, width: 3 }, total: { at: 7, width: 9, column: quantity } }\n      ignored: [{ at: 1, text: \"*\" }]",
    );
    let file = |header: &str, trailer: &str| {
        let lines = format!(
            "printed\n{header}\n{LINE}* a comment\n{}{trailer}",
            row("R2", "500")
        );
        read(&text, lines.as_bytes())
    };
    let came = file("HDR002", "END002     8000\n\n").unwrap();
    assert_eq!(came.all("/data/receiptNumber"), ["R1", "R2"]);
    for (header, trailer, code, words) in [
        (
            "HDR003",
            "END002000008000\n",
            "file_count",
            "says 003 rows, 2 came",
        ),
        (
            "HDR002",
            "END001000008000\n",
            "file_count",
            "says 001 rows, 2 came",
        ),
        (
            "HDR002",
            "END002000008001\n",
            "file_total",
            "a total of 8001 of quantity, 8000 came",
        ),
        ("HDR002", "END002\n", "file_total", "cannot be read"),
        (
            "HDR002",
            "",
            "file_incomplete",
            "the last line `END` is missing",
        ),
        (
            "",
            "END002000008000\n",
            "file_incomplete",
            "the first line `HDR` is missing",
        ),
        (
            "HDR002",
            "END002000008000\nHDR001\n",
            "file_rest",
            "more after the last line",
        ),
    ] {
        let fault = file(header, trailer).unwrap_err();
        assert_eq!(fault.code, code, "{header} {trailer}: {fault}");
        assert!(fault.message.contains(words), "{fault}");
    }
    // A total cannot be compared when a line of it cannot be read.
    let lines = format!("printed\nHDR002\n{LINE}R2\nEND002000007500\n");
    let fault = read(&text, lines.as_bytes()).unwrap_err();
    assert!(
        fault.message.contains("for line 4 does not count"),
        "{fault}"
    );
}

/// Orders, their lines, what belongs to the lines, and a number of the whole transmission.
const ORDERS: &str = r#"
system: erp
document: no
files:
  orders:
    name: PO*.txt
    fixed:
      length: 24
      trimmed: true
      records:
        FIL: { mark: { at: 1, text: "00" }, carry: true, columns: [{ name: day, at: 3, width: 8 }] }
        HDR:
          mark: { at: 1, text: "10" }
          columns: [{ name: no, at: 3, width: 6 }, { name: supplier, at: 9, width: 6 }]
        LIN:
          mark: { at: 1, text: "20" }
          of: HDR
          columns: [{ name: item, at: 3, width: 8 }, { name: quantity, at: 11, width: 6 }, { name: price, at: 17, width: 8 }]
        TXT: { mark: { at: 1, text: "30" }, of: LIN, columns: [{ name: text, at: 3, width: 20 }] }
      trailer: { mark: { at: 1, text: "99" }, count: { at: 3, width: 5, of: [HDR] }, total: { at: 8, width: 9, column: quantity, of: LIN } }
events:
  created:
    type: po.created
    time: $moment(FIL.day & " 08", "%Y%m%d %H", "UTC")
    data:
      poNumber: no
      supplierId: supplier
      currency: { constant: EUR }
      orderDate: $day(FIL.day, "%Y%m%d")
      lines:
        each: LIN
        fields:
          lineNo: position
          itemId: item
          qty: $dec(quantity)
          uom: { constant: EA }
          unitPrice: $dec_shift(price, 4)
          taxCode: $join(TXT.text, " ")
"#;

#[test]
fn lines_of_several_kinds_are_documents_with_parts() {
    let lines = "0020260701\n10PO-1  S-7\n20BOLT        12     500\n30first\n30second\n20NUT          3   15000\n10PO-2  S-8\n20BOLT         1     500\n9900002       16\n";
    let came = read(ORDERS, lines.as_bytes()).unwrap();
    assert_eq!((&came.unread, &came.not_made), (&vec![], &vec![]));
    assert_eq!(came.all("/data/poNumber"), ["PO-1", "PO-2"]);
    assert_eq!(came.field(0, "/data/lines/0/unitPrice"), "0.05");
    assert_eq!(came.field(0, "/data/lines/0/taxCode"), "first second");
    assert_eq!(came.field(0, "/data/lines/1/qty"), "3");
    assert_eq!(came.field(1, "/data/orderDate"), "2026-07-01");
    assert_eq!(came.made[1].spot.to_string(), "GR1.txt line 7");
    for (wrong, code) in [
        (lines.replace("9900002", "9900003"), "file_count"),
        (lines.replace("       16\n", "       17\n"), "file_total"),
        (lines.replace("9900002       16\n", ""), "file_incomplete"),
    ] {
        assert_eq!(read(ORDERS, wrong.as_bytes()).unwrap_err().code, code);
    }
}

#[test]
fn a_document_that_lost_a_line_is_not_made_and_the_others_are() {
    let text = ORDERS.split("      trailer:").next().unwrap().to_owned()
        + &ORDERS[ORDERS.find("events:").unwrap()..];
    let one = |no: &str| format!("10{no}  S-7\n20BOLT        12     500\n");
    let file = format!(
        "20NUT          1\n0020260701\n{}{}2xNUT\n30note\n{}{}{}30far too long for a line of this layout\n{}",
        one("PO-1"),
        one("PO-2"),
        one("PO-3"),
        "x0\n",
        one("PO-4"),
        one("PO-5"),
    );
    let came = read(&text, file.as_bytes()).unwrap();
    assert_eq!(came.all("/data/poNumber"), ["PO-1", "PO-5"]);
    let codes: Vec<_> = came
        .faults()
        .into_iter()
        .map(|(code, spot)| format!("{code} {spot}"))
        .collect();
    assert_eq!(
        codes,
        [
            "fixed_order GR1.txt line 1",
            "fixed_record GR1.txt line 7",
            "document_incomplete GR1.txt line 5",
            "fixed_record GR1.txt line 11",
            "document_incomplete GR1.txt line 9",
            "fixed_length GR1.txt line 14",
            "document_incomplete GR1.txt line 12"
        ]
    );
    assert!(
        came.unread[1]
            .message
            .contains("known are FIL, HDR, LIN, TXT"),
        "{}",
        came.unread[1]
    );
}

#[test]
fn a_document_without_end_is_let_go() {
    let text = ORDERS.split("      trailer:").next().unwrap().to_owned()
        + &ORDERS[ORDERS.find("events:").unwrap()..];
    let lines = "20BOLT        12     500\n".repeat(60_000);
    let file = format!("0020260701\n10PO-1  S-7\n{lines}10PO-2  S-7\n20BOLT        12     500\n");
    let came = read(&text, file.as_bytes()).unwrap();
    assert_eq!(came.all("/data/poNumber"), ["PO-2"]);
    let codes: Vec<_> = came.unread.iter().map(|one| one.code).collect();
    assert_eq!(codes, ["fixed_limit", "document_incomplete"]);
}

#[test]
fn what_was_read_before_a_file_broke_counts() {
    let text = ORDERS.split("      trailer:").next().unwrap().to_owned()
        + &ORDERS[ORDERS.find("events:").unwrap()..];
    let order = |number: u8| format!("10PO-{number}  S-7\n20BOLT        12     500\n");
    let whole = format!("0020260701\n{}{}20", order(1), order(2));
    let came = read(&text, &[whole.as_bytes(), b"\xff"].concat()).unwrap();
    assert_eq!(came.all("/data/poNumber"), ["PO-1"]);
    let codes: Vec<_> = came.unread.iter().map(|one| one.code).collect();
    assert_eq!(codes, ["document_incomplete", "fixed_encoding"]);
    // One that says how much is in it is not read at all.
    let fault = read(ORDERS, &[whole.as_bytes(), b"\xff"].concat()).unwrap_err();
    assert_eq!(fault.code, "fixed_encoding");
}

/// A flat IDoc: the segment's name in the first thirty characters, its data from the 64th on.
const IDOC: &str = r#"
system: erp
document: EDI_DC40.DOCNUM
files:
  idocs:
    name: "*.idoc"
    fixed:
      trimmed: true
      records:
        IDOC:
          mark: { at: 1, text: EDI_DC40, width: 10 }
          length: 524
          columns: [{ name: DOCNUM, at: 14, width: 16 }, { name: CREDAT, at: 484, width: 8 }]
        E1EDK01:
          mark: { at: 1, text: E2EDK01, width: 30 }
          length: 1063
          of: IDOC
          columns: [{ name: CURCY, at: 70, width: 3 }, { name: BELNR, at: 147, width: 35 }]
        E1EDKA1:
          mark: { at: 1, text: E2EDKA1, width: 30 }
          length: 1063
          of: IDOC
          columns: [{ name: PARVW, at: 64, width: 3 }, { name: PARTN, at: 67, width: 17 }]
        E1EDP01:
          mark: { at: 1, text: E2EDP01, width: 30 }
          length: 1063
          of: IDOC
          columns: [{ name: POSEX, at: 64, width: 6 }, { name: MENGE, at: 74, width: 15 }, { name: MENEE, at: 89, width: 3 }, { name: VPREI, at: 110, width: 15 }]
        E1EDP19:
          mark: { at: 1, text: E2EDP19, width: 30 }
          length: 1063
          of: E1EDP01
          columns: [{ name: QUALF, at: 64, width: 3 }, { name: IDTNR, at: 67, width: 35 }]
events:
  created:
    type: po.created
    time: $moment(CREDAT & " 08", "%Y%m%d %H", "UTC")
    data:
      poNumber: E1EDK01[0].BELNR
      supplierId: E1EDKA1[PARVW = "LF"].PARTN
      currency: E1EDK01[0].CURCY
      orderDate: $day(CREDAT, "%Y%m%d")
      lines:
        each: E1EDP01
        fields:
          lineNo: $dec(POSEX)
          itemId: E1EDP19[QUALF = "001"].IDTNR
          qty: $dec(MENGE)
          uom: MENEE
          unitPrice: $dec(VPREI)
"#;

/// A line with texts at positions.
fn placed(cells: &[(usize, &str)]) -> String {
    let mut line = String::new();
    for (at, text) in cells {
        line = format!("{line:<width$}{text}", width = at - 1);
    }
    line + "\n"
}

#[test]
fn a_flat_idoc_is_a_layout() {
    let file = [
        placed(&[(1, "EDI_DC40"), (14, "0000000000000017"), (484, "20260701")]),
        placed(&[(1, "E2EDK01"), (70, "EUR"), (147, "4500000017")]),
        placed(&[(1, "E2EDKA1"), (64, "AG"), (67, "9000")]),
        placed(&[(1, "E2EDKA1"), (64, "LF"), (67, "S-7")]),
        placed(&[
            (1, "E2EDP01"),
            (64, "000010"),
            (74, "12.000"),
            (89, "PCE"),
            (110, "0.05"),
        ]),
        placed(&[(1, "E2EDP19"), (64, "001"), (67, "BOLT")]),
        placed(&[(1, "E2EDP19"), (64, "002"), (67, "B-77")]),
        placed(&[
            (1, "E2EDP01"),
            (64, "000020"),
            (74, "3.000"),
            (89, "PCE"),
            (110, "1.5"),
        ]),
        placed(&[(1, "E2EDP19"), (64, "001"), (67, "NUT")]),
    ]
    .concat();
    let came = read(IDOC, file.as_bytes()).unwrap();
    assert_eq!((&came.unread, &came.not_made), (&vec![], &vec![]));
    assert_eq!(came.field(0, "/data/poNumber"), "4500000017");
    assert_eq!(came.field(0, "/data/supplierId"), "S-7");
    assert_eq!(came.field(0, "/data/lines/0/itemId"), "BOLT");
    assert_eq!(came.field(0, "/data/lines/1/lineNo"), "20");
    assert_eq!(came.field(0, "/data/lines/1/unitPrice"), "1.5");
}

#[test]
fn a_layout_that_contradicts_itself_is_refused_before_it_reads() {
    let fixed = |layout: &str| {
        let text = RECEIPTS[..RECEIPTS.find("    fixed:").unwrap()].to_owned()
            + &format!("    fixed: {layout}\n")
            + &RECEIPTS[RECEIPTS.find("events:").unwrap()..];
        feed(&text).unwrap_err().message
    };
    let column = "{ name: a, at: 1, width: 2 }";
    let mark = |text: &str| format!("mark: {{ at: 1, text: {text} }}");
    let cases = [
        ("{}".to_owned(), "`columns`, or `records`"),
        (
            format!("{{ columns: [{column}], line_ends: false }}"),
            "needs `length`",
        ),
        (
            format!("{{ columns: [{column}], length: 1 }}"),
            "not within a line of 1",
        ),
        (
            format!("{{ columns: [{column}, {column}] }}"),
            "`a` is there twice",
        ),
        (
            "{ columns: [{ name: a, at: 0, width: 2 }] }".to_owned(),
            "position 0",
        ),
        (
            format!("{{ records: {{ A: {{ {}, of: B }} }} }}", mark("A")),
            "none of `records`",
        ),
        (
            format!("{{ records: {{ A: {{ {}, of: A }} }} }}", mark("A")),
            "a part of itself",
        ),
        (
            format!("{{ records: {{ A: {{ {}, carry: true }} }} }}", mark("A")),
            "is a document",
        ),
        (
            format!(
                "{{ records: {{ A: {{ {} }}, B: {{ {} }} }} }}",
                mark("H"),
                mark("HX")
            ),
            "say its `width`",
        ),
        (
            format!(
                "{{ columns: [{column}], trailer: {{ {}, total: {{ at: 1, width: 2, column: b }} }} }}",
                mark("A")
            ),
            "a column `b`, which is not there",
        ),
        (
            format!(
                "{{ columns: [{column}], trailer: {{ {}, count: {{ at: 1, width: 2, of: [B] }} }} }}",
                mark("A")
            ),
            "of `B`, which is none",
        ),
        (
            format!(
                "{{ records: {{ a: {{ {}, carry: true }}, B: {{ {}, columns: [{column}] }} }} }}",
                mark("A"),
                mark("B")
            ),
            "a column `a` and records `a`",
        ),
        (format!("{{ columns: [{column}], lenght: 1 }}"), "lenght"),
    ];
    for (layout, words) in cases {
        let said = fixed(&layout);
        assert!(said.contains(words), "{layout}: {said}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Arbitrary bytes end in facts or in words, never in a panic.
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), constant in any::<bool>(), tree in any::<bool>()) {
        let text = match (constant, tree) {
            (_, true) => ORDERS.to_owned(),
            (true, false) => with("line_ends: false\n      length: 32"),
            (false, false) => RECEIPTS.to_owned(),
        };
        drop(read(&text, &bytes));
        let mut head = b"0020260701\n10PO-1  S-7\n20".to_vec();
        head.extend(&bytes);
        drop(read(&text, &head));
    }

    /// Lines in any order, among any others: each has the fate that it has alone.
    #[test]
    fn a_lines_fate_does_not_depend_on_its_neighbours(order in Just((0..6_usize).collect::<Vec<_>>()).prop_shuffle()) {
        let lines = [LINE.to_owned(), row("R2", "x"), "R3\n".to_owned(), row("R4", "12"), row("R\u{fc}5", "13"), format!("{}R6\n", row("R6", "1").trim_end())];
        let alone: usize = lines.iter().map(|line| read(RECEIPTS, line.as_bytes()).unwrap().made.len()).sum();
        let text: String = order.iter().map(|index| lines[*index].as_str()).collect();
        let came = read(RECEIPTS, text.as_bytes()).unwrap();
        prop_assert_eq!(came.made.len(), alone);
        prop_assert_eq!(came.made.len() + came.not_made.len() + came.unread.len(), lines.len());
    }

    /// What is written by a layout is read by it.
    #[test]
    fn tables_survive_writing_and_reading(rows in proptest::collection::vec(("[!-~\u{e0}-\u{ff}]{1,6}", 1..999_999_999_u32), 1..20), latin in any::<bool>()) {
        let text: String = rows.iter().map(|(receipt, quantity)| row(receipt, &quantity.to_string())).collect();
        let bytes = if latin { text.chars().map(|one| one as u8).collect() } else { text.into_bytes() };
        let config = if latin { with("encoding: latin1") } else { RECEIPTS.to_owned() };
        let came = read(&config, &bytes).unwrap();
        let wanted: Vec<&str> = rows.iter().map(|(receipt, _)| receipt.as_str()).collect();
        prop_assert_eq!(came.all("/data/receiptNumber"), wanted);
        for (index, (_, quantity)) in rows.iter().enumerate() {
            let thousandths = format!("{:010}", quantity);
            let (whole, rest) = thousandths.split_at(7);
            let number = format!("{}.{rest}", whole.trim_start_matches('0'));
            let number = number.trim_end_matches('0').trim_end_matches('.');
            let number = if number.starts_with('.') { format!("0{number}") } else { number.to_owned() };
            prop_assert_eq!(came.field(index, "/data/lines/0/qtyReceived"), number);
        }
    }
}
