//! Workbooks: their archives, and the XML in them with a whole archive around it.

use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::Variant;
use crate::case::Stock;
use crate::reading::Cut;
use crate::texts::XML_WORDS;

type Parts = &'static [(&'static str, &'static str)];

const XLSX: Parts = &[
    (
        "[Content_Types].xml",
        r#"<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>"#,
    ),
    (
        "_rels/.rels",
        r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#,
    ),
    (
        "xl/workbook.xml",
        r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><workbookPr date1904="0"/><sheets><sheet name="Receipts" sheetId="1" r:id="rId1"/></sheets></workbook>"#,
    ),
    (
        "xl/_rels/workbook.xml.rels",
        r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings" Target="/xl/sharedStrings.xml"/><Relationship Id="rId3" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>"#,
    ),
    (
        "xl/worksheets/sheet1.xml",
        r#"<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="inlineStr"><is><t>qty</t></is></c><c r="C1" t="str"><v>day</v></c></row><row r="2"><c r="A2" t="s"><v>1</v></c><c r="B2"><v>1.1000000000000001</v></c><c r="C2" s="1"><v>46349</v></c></row><row r="4"><c r="A4" t="b"><v>1</v></c><c r="B4"><f>1+1</f><v>2</v></c><c r="C4" s="2"><v>46349.5</v></c></row></sheetData></worksheet>"#,
    ),
    (
        "xl/sharedStrings.xml",
        r#"<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" count="2" uniqueCount="2"><si><t>order</t></si><si><r><t>A </t></r><r><t xml:space="preserve"> 1 &amp; x</t></r></si></sst>"#,
    ),
    (
        "xl/styles.xml",
        r#"<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><numFmts count="1"><numFmt numFmtId="164" formatCode="dd\.mm\.yyyy\ hh:mm"/></numFmts><cellStyleXfs count="1"><xf numFmtId="0"/></cellStyleXfs><cellXfs count="3"><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/></cellXfs></styleSheet>"#,
    ),
];

const ODS: Parts = &[
    ("mimetype", "application/vnd.oasis.opendocument.spreadsheet"),
    (
        "content.xml",
        r#"<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" office:version="1.3"><office:body><office:spreadsheet><table:table table:name="Receipts"><table:table-column table:number-columns-repeated="3"/><table:table-row><table:table-cell office:value-type="string"><text:p>order</text:p></table:table-cell><table:table-cell office:value-type="string"><text:p>qty</text:p></table:table-cell><table:table-cell office:value-type="string"><text:p>day</text:p></table:table-cell></table:table-row><table:table-row table:number-rows-repeated="2"><table:table-cell office:value-type="string"><text:p>A<text:s text:c="2"/>1</text:p></table:table-cell><table:table-cell office:value-type="float" office:value="2.5"><text:p>2,5</text:p></table:table-cell><table:table-cell office:value-type="date" office:date-value="2026-11-23"><text:p>23.11.</text:p></table:table-cell></table:table-row><table:table-row table:number-rows-repeated="1048000"><table:table-cell table:number-columns-repeated="16384"/></table:table-row></table:table></office:spreadsheet></office:body></office:document-content>"#,
    ),
    (
        "META-INF/manifest.xml",
        r#"<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><manifest:file-entry manifest:full-path="/" manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/></manifest:manifest>"#,
    ),
];

const WORDS: [&str; 40] = [
    "<row r=\"3\">",
    "</row>",
    "<row>",
    "<c r=\"A3\">",
    "</c>",
    "<c t=\"s\">",
    "<c t=\"e\">",
    "<c t=\"b\">",
    "<c s=\"9\">",
    "<v>",
    "</v>",
    "<v>1e308</v>",
    "<v>-1</v>",
    "<v>2958466</v>",
    "<v>60</v>",
    "<f/>",
    "<is><t>x</t></is>",
    "r=\"XFD1048576\"",
    "r=\"A0\"",
    "r=\"99999999999999999999\"",
    "<si>",
    "</si>",
    "<t>",
    "</t>",
    "date1904=\"1\"",
    "TargetMode=\"External\"",
    "Target=\"../../x\"",
    "[h]:mm",
    "formatCode=\"yyyy\"",
    "table:number-rows-repeated=\"1048576\"",
    "table:number-columns-repeated=\"16384\"",
    "office:value-type=\"percentage\"",
    "office:value-type=\"time\" office:time-value=\"PT25H\"",
    "office:date-value=\"2026-02-30\"",
    "<text:p>",
    "</text:p>",
    "<text:s text:c=\"99999999\"/>",
    "<text:tab/>",
    "<table:table-cell/>",
    "table:formula=\"of:=1\"",
];

/// Signatures of an archive's records, and other kinds of archives.
const ARCHIVE_WORDS: [&str; 12] = [
    "PK\u{3}\u{4}",
    "PK\u{1}\u{2}",
    "PK\u{5}\u{6}",
    "PK\u{6}\u{6}",
    "PK\u{6}\u{7}",
    "PK\u{7}\u{8}",
    "../",
    "/",
    "xl/vbaProject.bin",
    "\0\0\0\0",
    "\u{1}\0",
    "7z",
];

fn archive(parts: Parts, method: CompressionMethod, other: Option<(usize, &[u8])>) -> Vec<u8> {
    let options = SimpleFileOptions::default().compression_method(method);
    let mut zip = ZipWriter::new(Cursor::new(Vec::with_capacity(4096)));
    for (index, (name, text)) in parts.iter().enumerate() {
        let own = other.filter(|(which, _)| *which == index);
        zip.start_file(*name, options).unwrap();
        zip.write_all(own.map_or(text.as_bytes(), |(_, bytes)| bytes))
            .unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn leaked(bytes: Vec<u8>) -> &'static [u8] {
    bytes.leak()
}

/// Archives in which something is wrong.
pub(crate) fn archives() -> Vec<Variant> {
    [CompressionMethod::Stored, CompressionMethod::Deflated]
        .into_iter()
        .map(|method| {
            let samples = [XLSX, ODS].map(|parts| leaked(archive(parts, method, None)));
            let stock = Stock {
                samples: samples.to_vec().leak(),
                words: &ARCHIVE_WORDS,
            };
            Variant::new("sheet: {}", Cut::Whole, stock)
        })
        .collect()
}

/// Whole archives in which something is wrong with the XML of one part.
pub(crate) fn parts() -> Vec<Variant> {
    let words: &'static [&'static str] = [&WORDS[..], &XML_WORDS].concat().leak();
    let mut variants = Vec::new();
    // The sheets themselves are what most is in, so they come more often.
    for (parts, which) in [
        (XLSX, 4),
        (XLSX, 4),
        (XLSX, 4),
        (XLSX, 0),
        (XLSX, 1),
        (XLSX, 2),
        (XLSX, 3),
        (XLSX, 5),
        (XLSX, 6),
        (ODS, 0),
        (ODS, 1),
        (ODS, 1),
        (ODS, 1),
        (ODS, 2),
    ] {
        let stock = Stock {
            samples: vec![parts[which].1.as_bytes()].leak(),
            words,
        };
        let format = match variants.len() % 2 {
            0 => "sheet: {}",
            _ => {
                "sheet: { name: Receipts, point: ',', decimals: { qty: 2 }, until: { mark: Total } }"
            }
        };
        variants.push(Variant {
            around: Box::new(move |case| {
                archive(parts, CompressionMethod::Stored, Some((which, &case)))
            }),
            ..Variant::new(format, Cut::Whole, stock)
        });
    }
    variants
}
