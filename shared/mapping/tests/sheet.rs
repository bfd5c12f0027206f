//! Spreadsheets, from their cells to facts.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod came;
mod workbook;

use std::io::Cursor;

use calamine::{DataType, Reader as _, Xlsx};
use came::{Came, feed, run};
use interplant_mapping::document::Unread;
use proptest::prelude::*;
use workbook::{archive, archive_with, ods, ods_with, parts, text_row, xlsx};

/// One row is one receipt, under a title and a blank row.
const RECEIPTS: &str = r#"
system: wms
document: '`GR no.`'
files:
  receipts:
    name: "*"
    sheet: { header_row: 3 }
    columns: ["GR no.", Order, Qty]
events:
  received:
    type: receipt.posted
    time: $moment(Day, "%Y-%m-%d", "Europe/Berlin")
    data:
      receiptNumber: '`GR no.`'
      poNumber: Order
      lines:
        each: $
        fields:
          lineNo: Pos
          qtyReceived: $dec(Qty, ",", ".")
"#;

fn receipts(rows: &str) -> String {
    let title = text_row(1, &["Receipts of the day"]);
    format!(
        "{title}{}{rows}",
        text_row(3, &["GR no.", "Order", "Pos", "Qty", "Day"])
    )
}

fn read(text: &str, bytes: &[u8]) -> Result<Came, Unread> {
    run(&feed(text).unwrap(), "book", bytes)
}

/// Every cell of a column with nothing above it, as a fact has it.
const CELLS_FEED: &str = r#"
system: wms
document: A
files:
  cells: { name: "*", sheet: { columns: [A, B, C] } }
events:
  received:
    type: receipt.posted
    time: '"2026-07-01T08:00:00Z"'
    data:
      receiptNumber: '"R" & _line'
      poNumber: A
      lines:
        each: $
        fields:
          lineNo: '"1"'
          qtyReceived: '"1"'
"#;

fn cells(bytes: &[u8]) -> Came {
    read(CELLS_FEED, bytes).unwrap()
}

fn code(bytes: &[u8]) -> &'static str {
    match read(CELLS_FEED, bytes) {
        Err(fault) => fault.code,
        Ok(came) => came.unread.first().map_or("", |one| one.code),
    }
}

#[test]
fn rows_of_a_sheet_become_facts() {
    let rows = r#"<row r="4"><c r="A4" t="inlineStr"><is><t>R1</t></is></c><c r="B4"><v>4711</v></c><c r="C4"><v>10</v></c><c r="D4" t="inlineStr"><is><t>1.234,50</t></is></c><c r="E4" s="1"><v>46349</v></c></row><row r="6" hidden="1"><c r="A6" t="inlineStr"><is><t>R2</t></is></c><c r="B6"><v>4711</v></c><c r="C6"><v>20</v></c><c r="D6"><v>7</v></c><c r="E6" s="1"><v>46350</v></c></row>"#;
    let bytes = xlsx(&receipts(rows));
    let came = read(RECEIPTS, &bytes).unwrap();
    assert_eq!((&came.unread, &came.not_made), (&vec![], &vec![]));
    assert_eq!(came.all("/data/receiptNumber"), ["R1", "R2"]);
    assert_eq!(came.all("/data/lines/0/qtyReceived"), ["1234.5", "7"]);
    assert_eq!(came.field(0, "/time"), "2026-11-23T00:00:00+01:00");
    assert_eq!(came.made[1].spot.to_string(), "book line 6");

    let named = |layout: &str| read(&RECEIPTS.replace("header_row: 3", layout), &bytes);
    assert_eq!(
        named("name: Receipts, header_row: 3").unwrap().made.len(),
        2
    );
    let missing = named("name: Wareneingang, header_row: 3").unwrap_err();
    assert_eq!(missing.code, "sheet_missing");
    assert!(
        missing.message.contains("the workbook has Receipts"),
        "{missing}"
    );
    assert_eq!(named("header_row: 2").unwrap_err().code, "sheet_columns");
    let wrong = named("header_row: 1").unwrap_err();
    assert!(
        wrong
            .message
            .contains("are missing; the file has Receipts of the day"),
        "{wrong}"
    );
    let unknown = named("header_row: 3, decimals: { Menge: 2 }").unwrap_err();
    assert!(
        unknown
            .message
            .contains("the column Menge, which is missing"),
        "{unknown}"
    );
    assert_eq!(
        named("header_row: 3, until: blank_row").unwrap().made.len(),
        1
    );
    assert_eq!(
        named("header_row: 3, until: { mark: R2 }")
            .unwrap()
            .made
            .len(),
        1
    );
}

#[test]
fn every_kind_of_cell_is_text() {
    for (cell, wanted) in [
        (r#"<c r="A1" t="s"><v>0</v></c>"#, "shared"),
        (r#"<c r="A1" t="s"><v>1</v></c>"#, "in runs & more"),
        (r#"<c r="A1" t="s"><v>2</v></c>"#, "=1+1"),
        (
            r#"<c r="A1" t="inlineStr"><is><t>+cmd</t></is></c>"#,
            "+cmd",
        ),
        (
            r#"<c r="A1" t="inlineStr"><is><t>&lt;&#65;_x0041_<![CDATA[&]]></t></is></c>"#,
            "<AA&",
        ),
        (r#"<c r="A1"><v>1.1000000000000001</v></c>"#, "1.1"),
        (r#"<c r="A1" t="n" s="5"><v>1234.5</v></c>"#, "1234.5"),
        (r#"<c r="A1"><v>4500000017</v></c>"#, "4500000017"),
        (r#"<c><v>7</v></c>"#, "7"),
        (r#"<x:c xmlns:x="y" r="A1"><x:v>8</x:v></x:c>"#, "8"),
        (r#"<c r="A1"><f>3*3</f><v>9</v></c>"#, "9"),
        (r#"<c r="A1" t="str"><f>"a"&amp;"b"</f><v>ab</v></c>"#, "ab"),
        (r#"<c r="A1" t="b"><v>1</v></c>"#, "TRUE"),
        (r#"<c r="A1" t="b"><v>0</v></c>"#, "FALSE"),
        (r#"<c r="A1" s="1"><v>46349</v></c>"#, "2026-11-23"),
        (
            r#"<c r="A1" s="2"><v>46349.427083333336</v></c>"#,
            "2026-11-23T10:15:00",
        ),
        (
            r#"<c r="A1" s="3"><v>0.42708333333333331</v></c>"#,
            "10:15:00",
        ),
        (
            r#"<c r="A1" s="4"><v>1.1041666666666667</v></c>"#,
            "26:30:00",
        ),
        (
            r#"<c r="A1" t="d"><v>2026-11-23T10:15:00</v></c>"#,
            "2026-11-23T10:15:00",
        ),
    ] {
        let came = cells(&xlsx(&format!(r#"<row r="1">{cell}</row>"#)));
        assert_eq!((&came.unread, &came.not_made), (&vec![], &vec![]), "{cell}");
        assert_eq!(came.field(0, "/data/poNumber"), wanted, "{cell}");
    }
    let blank = r#"<row r="1"><c r="A1" s="1"/><c r="XFD1" s="1"/></row><row r="2"><c r="A2" t="str"><f>""</f><v></v></c></row><row r="1048576" ht="20"/>"#;
    let came = cells(&xlsx(blank));
    assert_eq!(
        (came.made.len(), came.unread.len(), came.not_made.len()),
        (0, 0, 0)
    );
}

#[test]
fn every_kind_of_cell_of_an_open_document_is_text() {
    for (cell, wanted) in [
        (
            r#"<table:table-cell office:value-type="string"><text:p>a<text:s text:c="2"/>b  <text:span>c</text:span></text:p></table:table-cell>"#,
            "a  b c",
        ),
        (
            r#"<table:table-cell office:value-type="string"><office:annotation><text:p>a note</text:p></office:annotation><text:p>x</text:p></table:table-cell>"#,
            "x",
        ),
        (
            r#"<table:table-cell office:value-type="string" office:string-value="y"><text:p>x</text:p></table:table-cell>"#,
            "y",
        ),
        (
            r#"<table:table-cell office:value-type="float" office:value="1234.5"><text:p>1.234,50</text:p></table:table-cell>"#,
            "1234.5",
        ),
        (
            r#"<table:table-cell office:value-type="percentage" office:value="0.19"><text:p>19 %</text:p></table:table-cell>"#,
            "0.19",
        ),
        (
            r#"<table:table-cell office:value-type="currency" office:currency="EUR" office:value="46.063499999999998"><text:p>46,06</text:p></table:table-cell>"#,
            "46.0635",
        ),
        (
            r#"<table:table-cell office:value-type="date" office:date-value="2026-11-23"><text:p>23.11.26</text:p></table:table-cell>"#,
            "2026-11-23",
        ),
        (
            r#"<table:table-cell office:value-type="date" office:date-value="2026-11-23T10:15:00"/>"#,
            "2026-11-23T10:15:00",
        ),
        (
            r#"<table:table-cell office:value-type="time" office:time-value="PT10H15M00S"/>"#,
            "10:15:00",
        ),
        (
            r#"<table:table-cell office:value-type="boolean" office:boolean-value="true"/>"#,
            "TRUE",
        ),
        (
            r#"<table:table-cell table:formula="of:=3*3" office:value-type="float" office:value="9"><text:p>9</text:p></table:table-cell>"#,
            "9",
        ),
    ] {
        let came = cells(&ods(&format!("<table:table-row>{cell}</table:table-row>")));
        assert_eq!((&came.unread, &came.not_made), (&vec![], &vec![]), "{cell}");
        assert_eq!(came.field(0, "/data/poNumber"), wanted, "{cell}");
    }
}

#[test]
fn rows_and_cells_that_are_written_once_for_many_are_read() {
    let cell = |text: &str| {
        format!(
            r#"<table:table-cell office:value-type="string"><text:p>{text}</text:p></table:table-cell>"#
        )
    };
    let rows = format!(
        r#"<table:table-row table:number-rows-repeated="4"><table:table-cell/></table:table-row><table:table-row-group><table:table-row table:number-rows-repeated="2"><table:table-cell table:number-columns-repeated="2" office:value-type="float" office:value="7"/><table:covered-table-cell/></table:table-row></table:table-row-group><table:table-row table:visibility="filter">{}</table:table-row>"#,
        cell("last")
    );
    let came = cells(&ods(&rows));
    assert_eq!(came.all("/data/poNumber"), ["7", "7", "last"]);
    let lines: Vec<_> = came.made.iter().map(|made| made.spot.line).collect();
    assert_eq!(lines, [5, 6, 7]);

    let beyond = r#"<table:table-row><table:table-cell table:number-columns-repeated="2000" office:value-type="float" office:value="7"/></table:table-row>"#;
    assert_eq!(code(&ods(beyond)), "sheet_limit");
    let endless = r#"<table:table-row table:number-rows-repeated="1048576"><table:table-cell office:value-type="error"/></table:table-row>"#;
    assert_eq!(code(&ods(endless)), "sheet_limit");
    let blank = r#"<table:table-row table:number-rows-repeated="90000"><table:table-cell office:value-type="string"><text:p> </text:p></table:table-cell></table:table-row>"#;
    let came = cells(&ods(&format!("{blank}{rows}")));
    assert_eq!(came.all("/data/poNumber"), ["7", "7", "last"]);
}

#[test]
fn a_cell_that_cannot_be_taken_is_told_by_its_name() {
    for (cell, code, words) in [
        (
            r#"<c r="B7"><v>0.30000000000000004</v></c>"#,
            "sheet_number",
            "format the column as text",
        ),
        (
            r#"<c r="B7"><v>4500000012345678</v></c>"#,
            "sheet_number",
            "more than 15 digits",
        ),
        (r#"<c r="B7"><v>1e300</v></c>"#, "sheet_number", "plainly"),
        (r#"<c r="B7"><v>seven</v></c>"#, "sheet_number", "no number"),
        (r#"<c r="B7" t="e"><v>#N/A</v></c>"#, "sheet_error", "#N/A"),
        (
            r#"<c r="B7" t="e"><f>1/0</f><v>#REF!</v></c>"#,
            "sheet_error",
            "#REF!",
        ),
        (r#"<c r="B7"><f>A1*2</f></c>"#, "sheet_formula", "save it"),
        (
            r#"<c r="B7"><f>A1*2</f><v></v></c>"#,
            "sheet_formula",
            "save it",
        ),
        (
            r#"<c r="B7" s="1"><v>60</v></c>"#,
            "sheet_date",
            "never was",
        ),
        (
            r#"<c r="B7" s="1"><v>-3</v></c>"#,
            "sheet_date",
            "before the calendar",
        ),
        (r#"<c r="B7" t="s"><v>99</v></c>"#, "sheet_cell", "no value"),
        (
            r#"<c r="B7" t="b"><v>yes</v></c>"#,
            "sheet_cell",
            "no value",
        ),
    ] {
        let rows = format!(
            r#"{}<row r="7"><c r="A7"><v>2</v></c>{cell}</row>{}"#,
            text_row(6, &["1"]),
            text_row(8, &["3"])
        );
        let came = cells(&xlsx(&rows));
        assert_eq!(came.all("/data/poNumber"), ["1", "3"], "{cell}");
        assert_eq!(came.faults(), [(code, "book line 7, column B7".to_owned())]);
        assert!(came.unread[0].message.contains(words), "{}", came.unread[0]);
    }
    let side = format!(
        r#"{}<row r="2"><c r="A2"><v>2</v></c><c r="F2"><v>1</v></c><c r="G2"><v>1</v></c></row>"#,
        text_row(1, &["1"])
    );
    let came = cells(&xlsx(&side));
    assert_eq!(
        came.faults(),
        [("sheet_cells", "book line 2, column F2".to_owned())]
    );
    assert!(
        came.unread[0].message.ends_with("G2 are wrong as well"),
        "{}",
        came.unread[0]
    );
    for cell in [
        r#"<table:table-cell table:formula="of:=1/0" office:value-type="string" office:string-value="" calcext:value-type="error"><text:p>#DIV/0!</text:p></table:table-cell>"#,
        r#"<table:table-cell table:formula="of:=[.A9]" office:value-type="float" office:value="0"><text:p>#REF!</text:p></table:table-cell>"#,
        r#"<table:table-cell table:formula="of:=FOO()" office:value-type="string"><text:p>#NAME?</text:p></table:table-cell>"#,
    ] {
        assert_eq!(
            code(&ods(&format!("<table:table-row>{cell}</table:table-row>"))),
            "sheet_error"
        );
    }
    assert_eq!(
        code(&ods(
            r#"<table:table-row><table:table-cell table:formula="of:=1+1"/></table:table-row>"#
        )),
        "sheet_formula"
    );
}

#[test]
fn numbers_and_texts_of_one_column_are_written_in_one_way() {
    let text = RECEIPTS.replace("header_row: 3", "header_row: 3, point: \",\"");
    let row = |number: usize, quantity: &str| {
        format!(
            r#"<row r="{number}"><c r="A{number}"><v>{number}</v></c><c r="B{number}"><v>4711</v></c><c r="C{number}"><v>10</v></c>{quantity}<c r="E{number}" s="1"><v>46349</v></c></row>"#
        )
    };
    let rows = [
        row(4, r#"<c r="D4"><v>1.125</v></c>"#),
        row(5, r#"<c r="D5" t="inlineStr"><is><t>1.125</t></is></c>"#),
        row(6, r#"<c r="D6" t="inlineStr"><is><t>1.250,5</t></is></c>"#),
    ];
    let came = read(&text, &xlsx(&receipts(&rows.concat()))).unwrap();
    assert_eq!(
        came.all("/data/lines/0/qtyReceived"),
        ["1.125", "1125", "1250.5"]
    );
}

#[test]
fn a_reckoned_column_has_the_decimals_that_are_named() {
    let text = RECEIPTS
        .replace("header_row: 3", "header_row: 3, decimals: { Qty: 2 }")
        .replace("$dec(Qty, \",\", \".\")", "$dec(Qty)");
    let row = |number: usize, value: &str| {
        format!(
            r#"<row r="{number}"><c r="A{number}"><v>{number}</v></c><c r="B{number}"><v>4711</v></c><c r="C{number}"><v>10</v></c><c r="D{number}"><f>x</f><v>{value}</v></c><c r="E{number}" s="1"><v>46349</v></c></row>"#
        )
    };
    let rows = [
        row(4, "0.30000000000000004"),
        row(5, "0.33333333333333331"),
        row(6, "1.5"),
    ]
    .concat();
    let came = read(&text, &xlsx(&receipts(&rows))).unwrap();
    assert_eq!(came.all("/data/lines/0/qtyReceived"), ["0.3", "1.5"]);
    assert_eq!(
        came.faults(),
        [("sheet_number", "book line 5, column D5".to_owned())]
    );
}

#[test]
fn what_is_no_workbook_is_refused_with_words() {
    for (bytes, words) in [
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 and so on".to_vec(),
            "old binary workbook",
        ),
        (b"order;quantity\n4711;7\n".to_vec(), "text in columns"),
        (Vec::new(), "empty"),
        (xlsx("")[..200].to_vec(), "damaged"),
        (archive(&[("a.txt", "a")]), "no spreadsheet"),
        (
            archive(&[("[Content_Types].xml", "<Types/>")]),
            "no workbook",
        ),
        (
            archive_with(
                &parts(""),
                &[(
                    "_rels/.rels",
                    r#"<Relationships><Relationship Id="a" Type="x/officeDocument" Target="xl/workbook.bin"/></Relationships>"#,
                )],
            ),
            "binary one",
        ),
    ] {
        let fault = read(CELLS_FEED, &bytes).unwrap_err();
        assert_eq!(fault.code, "sheet_format", "{fault}");
        assert!(fault.message.contains(words), "{fault}");
    }
}

#[test]
fn an_archive_that_is_more_than_a_workbook_is_refused() {
    let usual = parts(&text_row(1, &["1"]));
    assert_eq!(code(&archive_with(&usual, &[])), "");
    let inner = archive(&[("a", "b")]);
    let inner = String::from_utf8_lossy(&inner).into_owned();
    for (part, text, wanted) in [
        ("../outside.xml", "", "archive_path"),
        ("/absolute.xml", "", "archive_path"),
        ("xl\\windows.xml", "", "archive_path"),
        ("c:evil.xml", "", "archive_path"),
        ("XL/WORKBOOK.XML", "", "archive_path"),
        ("xl/inner.zip", inner.as_str(), "archive_limit"),
        ("xl/vbaProject.bin", "x", "active_content_forbidden"),
        (
            "xl/macrosheets/sheet1.xml",
            "<x/>",
            "active_content_forbidden",
        ),
        (
            "xl/externalLinks/externalLink1.xml",
            "<x/>",
            "active_content_forbidden",
        ),
        (
            "xl/embeddings/oleObject1.bin",
            "x",
            "active_content_forbidden",
        ),
        (
            "xl/activeX/activeX1.xml",
            "<x/>",
            "active_content_forbidden",
        ),
        (
            "xl/worksheets/_rels/sheet1.xml.rels",
            r#"<Relationships><Relationship Id="a" Type="http://x/vbaProject" Target="other.bin"/></Relationships>"#,
            "active_content_forbidden",
        ),
        (
            "xl/worksheets/_rels/sheet1.xml.rels",
            r#"<Relationships><Relationship Id="a" Type="http://x/image" Target="http://169.254.169.254/" TargetMode="External"/></Relationships>"#,
            "active_content_forbidden",
        ),
        (
            "xl/worksheets/_rels/sheet1.xml.rels",
            r#"<Relationships><Relationship Id="a" Type="http://x/hyperlink" Target="mailto:a@b.example" TargetMode="External"/></Relationships>"#,
            "",
        ),
        (
            "[Content_Types].xml",
            r#"<Types><Override PartName="/xl/workbook.xml" ContentType="application/vnd.ms-excel.sheet.macroEnabled.main+xml"/></Types>"#,
            "active_content_forbidden",
        ),
        (
            "xl/styles.xml",
            r#"<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><styleSheet/>"#,
            "xml_dtd_forbidden",
        ),
        ("xl/styles.xml", "<styleSheet>&b;</styleSheet>", "sheet_xml"),
        ("xl/styles.xml", "<styleSheet>", "sheet_xml"),
    ] {
        assert_eq!(
            code(&archive_with(&usual, &[(part, text)])),
            wanted,
            "{part} {text}"
        );
    }
    let mut locked = archive_with(&usual, &[]);
    for at in 0..locked.len() - 10 {
        match &locked[at..at + 4] {
            b"PK\x03\x04" => locked[at + 6] |= 1,
            b"PK\x01\x02" => locked[at + 8] |= 1,
            _ => {}
        }
    }
    assert_eq!(code(&locked), "archive_limit");
    for others in [
        ("Basic/Standard/Module1.xml", "<x/>"),
        (
            "META-INF/manifest.xml",
            r#"<m:manifest xmlns:m="x"><m:file-entry m:media-type="application/vnd.sun.star.oleobject"/></m:manifest>"#,
        ),
    ] {
        assert_eq!(
            code(&ods_with("", "", &[others])),
            "active_content_forbidden"
        );
    }
    let source = r#"<table:table-row><table:table-cell><table:cell-range-source/></table:table-cell></table:table-row>"#;
    assert_eq!(code(&ods(source)), "active_content_forbidden");
    let locked =
        r#"<m:manifest xmlns:m="x"><m:file-entry><m:encryption-data/></m:file-entry></m:manifest>"#;
    assert_eq!(
        code(&ods_with("", "", &[("META-INF/manifest.xml", locked)])),
        "archive_limit"
    );
}

#[test]
fn a_sheet_that_is_too_large_is_refused_where_it_is() {
    let usual = parts("");
    let far = |cell: &str| {
        format!(
            r#"{}<row r="1048576"><c r="{cell}"><v>1</v></c></row>"#,
            text_row(1, &["1"])
        )
    };
    for cell in ["XFD1048576", "A1048576"] {
        let came = cells(&xlsx(&far(cell)));
        // What was read before it counts.
        assert_eq!(came.made.len(), 1);
        assert_eq!(
            (came.unread[0].code, came.unread[0].ends),
            ("sheet_limit", true)
        );
    }
    let bomb = format!("<worksheet><sheetData>{}", " ".repeat(40 << 20));
    assert_eq!(
        code(&archive_with(
            &usual,
            &[("xl/worksheets/sheet1.xml", &bomb)]
        )),
        "archive_limit"
    );
    let texts: String = (0..260_000)
        .map(|index| format!("<si><t>{index:x}</t></si>"))
        .collect();
    let texts = format!("<sst>{texts}</sst>");
    assert_eq!(
        code(&archive_with(&usual, &[("xl/sharedStrings.xml", &texts)])),
        "sheet_limit"
    );
    let long = "ab".repeat(1 << 20);
    for rows in [
        format!(r#"<row r="1"><c r="A1" t="inlineStr"><is><t>{long}</t></is></c></row>"#),
        format!(
            r#"<row r="1"><c r="A1" t="str"><v>{}</v></c></row>"#,
            "<![CDATA[some]]>&amp;".repeat(60_000)
        ),
        format!(r#"<row r="1" a="{long}"/>"#),
        "<a>".repeat(100_000),
    ] {
        assert_eq!(code(&xlsx(&rows)), "sheet_limit");
    }
    let spaces = r#"<table:table-row><table:table-cell office:value-type="string"><text:p><text:s text:c="4000000000"/></text:p></table:table-cell></table:table-row>"#;
    assert_eq!(code(&ods(spaces)), "sheet_limit");
    let many: Vec<(String, String)> = (0..2_100)
        .map(|index| (format!("a{index}"), String::new()))
        .collect();
    assert_eq!(code(&archive_with(&many, &[])), "archive_limit");
}

#[test]
fn cells_that_are_not_where_they_say_are_refused() {
    for rows in [
        r#"<row r="2"><c r="A2"><v>1</v></c></row><row r="1"><c r="A1"><v>1</v></c></row>"#,
        r#"<row r="1"><c r="A1"><v>1</v></c><c r="A1"><v>2</v></c></row>"#,
        r#"<row r="1"><c r="A2"><v>1</v></c></row>"#,
    ] {
        assert_eq!(code(&xlsx(rows)), "sheet_xml", "{rows}");
    }
}

#[test]
fn columns_are_called_as_the_sheet_calls_them() {
    let text = RECEIPTS
        .replace("header_row: 3", "header_row: 1")
        .replace("lineNo: Pos", "lineNo: C");
    let head = r#"<row r="1"><c r="A1" t="inlineStr"><is><t>GR
  no.</t></is></c><c r="B1" t="inlineStr"><is><t> Order </t></is></c><c r="D1" t="inlineStr"><is><t>Qty</t></is></c><c r="E1" t="inlineStr"><is><t>Day</t></is></c></row>"#;
    let rows = format!(
        "{head}{}",
        text_row(2, &["R1", "4711", "10", "7", "2026-11-23"])
    );
    let came = read(&text, &xlsx(&rows)).unwrap();
    assert_eq!(came.all("/data/lines/0/lineNo"), ["10"]);
    let twice = format!("{}{}", text_row(1, &["Qty", "Qty"]), text_row(2, &["1"]));
    assert_eq!(
        read(&text, &xlsx(&twice)).unwrap_err().code,
        "sheet_columns"
    );
}

/// A text that a cell may hold; what XML or the format would change is left out.
fn text() -> impl Strategy<Value = String> {
    "[ -~\u{c0}-\u{17f}]{1,12}".prop_filter("blank", |text| {
        !text.trim().is_empty() && !text.contains("_x")
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Arbitrary bytes and workbooks of which bytes fell over end in facts or in words, never in a panic.
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6), is_ods in any::<bool>()) {
        drop(read(CELLS_FEED, &bytes));
        let mut zip = b"PK\x03\x04".to_vec();
        zip.extend(&bytes);
        drop(read(CELLS_FEED, &zip));
        let cell = r#"<table:table-row><table:table-cell office:value-type="float" office:value="7"/></table:table-row>"#;
        let mut book = if is_ods { ods(cell) } else { xlsx(&text_row(1, &["1", "2"])) };
        for (at, byte) in &changes {
            let at = at.index(book.len());
            book[at] = *byte;
        }
        drop(read(CELLS_FEED, &book));
    }

    /// The same for the XML inside, whose check sums are right.
    #[test]
    fn arbitrary_markup_never_panics(changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8), part in 0..7_usize) {
        let mut all = parts(r#"<row r="1"><c r="A1" t="s"><v>1</v></c><c r="B1" s="2"><f>x</f><v>46349.5</v></c></row>"#);
        let mut bytes = all[part].1.clone().into_bytes();
        for (at, byte) in &changes {
            let at = at.index(bytes.len());
            bytes[at] = *byte & 0x7f;
        }
        all[part].1 = String::from_utf8(bytes).unwrap();
        drop(read(CELLS_FEED, &archive_with(&all, &[])));
        let content = String::from_utf8(changes.iter().map(|(_, byte)| byte & 0x7f).collect()).unwrap();
        drop(read(CELLS_FEED, &ods(&content)));
    }

    /// Rows in any order, among any others: each has the fate that it has alone.
    #[test]
    fn a_rows_fate_does_not_depend_on_its_neighbours(order in Just((0..6_usize).collect::<Vec<_>>()).prop_shuffle()) {
        let cell = |row: usize, kind: usize| {
            let cell = [
                format!(r#"<c r="A{row}"><v>7</v></c>"#),
                format!(r#"<c r="A{row}"><v>0.30000000000000004</v></c>"#),
                format!(r##"<c r="A{row}" t="e"><v>#N/A</v></c>"##),
                format!(r#"<c r="A{row}"><f>x</f></c>"#),
                format!(r#"<c r="A{row}" t="s"><v>0</v></c>"#),
                format!(r#"<c r="B{row}"><v>1</v></c>"#),
            ];
            format!(r#"<row r="{row}">{}</row>"#, cell[kind])
        };
        let rows: String = order.iter().enumerate().map(|(index, kind)| cell(index * 2 + 1, *kind)).collect();
        let came = cells(&xlsx(&rows));
        prop_assert_eq!(came.made.len(), 2);
        prop_assert_eq!(came.unread.len(), 3);
        prop_assert_eq!(came.not_made.len(), 1);
    }

    /// What is written is read; and another reader of workbooks reads the same.
    #[test]
    fn tables_survive_writing_and_reading(rows in proptest::collection::vec((text(), any::<i32>(), 0..7_u32), 1..12)) {
        let number = |unscaled: &i32, scale: &u32| {
            rust_decimal::Decimal::new(i64::from(*unscaled), *scale).normalize().to_string()
        };
        let mut sheet = String::new();
        for (index, (text, unscaled, scale)) in rows.iter().enumerate() {
            let row = index + 1;
            let escaped = text.replace('&', "&amp;").replace('<', "&lt;");
            sheet += &format!(
                r#"<row r="{row}"><c r="A{row}" t="inlineStr"><is><t xml:space="preserve">{escaped}</t></is></c><c r="B{row}"><v>{}</v></c></row>"#,
                number(unscaled, scale)
            );
        }
        let bytes = xlsx(&sheet);
        let feed = CELLS_FEED.replace("lineNo: '\"1\"'", "lineNo: B");
        let came = read(&feed, &bytes).unwrap();
        prop_assert_eq!(&came.unread, &vec![]);
        prop_assert_eq!(&came.not_made, &vec![]);
        let mut book = Xlsx::new(Cursor::new(bytes)).unwrap();
        let range = book.worksheet_range("Receipts").unwrap();
        for (index, (text, unscaled, scale)) in rows.iter().enumerate() {
            prop_assert_eq!(came.field(index, "/data/poNumber"), text.trim());
            let wanted = number(unscaled, scale);
            prop_assert_eq!(came.field(index, "/data/lines/0/lineNo"), &wanted);
            let theirs = range.get((index, 0)).and_then(DataType::get_string).unwrap();
            prop_assert_eq!(theirs.trim(), text.trim());
            let theirs = range.get((index, 1)).and_then(DataType::get_float).unwrap();
            prop_assert_eq!(theirs.to_string(), wanted);
        }
    }
}
