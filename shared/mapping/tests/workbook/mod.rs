//! Workbooks put together from small pieces of XML.

use std::io::{Cursor, Write};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// An archive of parts.
pub(crate) fn archive(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in parts {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const LINKS: &str = "http://schemas.openxmlformats.org/package/2006/relationships";
const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

/// The parts of a workbook whose only sheet has these rows.
pub(crate) fn parts(rows: &str) -> Vec<(String, String)> {
    let relation = |id: &str, kind: &str, target: &str| {
        format!(r#"<Relationship Id="{id}" Type="{OFFICE}/{kind}" Target="{target}"/>"#)
    };
    let links = |all: &[String]| {
        format!(
            r#"<Relationships xmlns="{LINKS}">{}</Relationships>"#,
            all.concat()
        )
    };
    let head = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>"#;
    let kind = "application/vnd.openxmlformats-officedocument.spreadsheetml";
    let types = format!(
        r#"{head}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="{kind}.worksheet+xml"/></Types>"#
    );
    // Styles: 0 plain, 1 a day, 2 a moment, 3 a time, 4 hours that do not end, 5 an amount.
    let styles = format!(
        r##"{head}<styleSheet xmlns="{MAIN}"><numFmts count="2"><numFmt numFmtId="164" formatCode="dd\.mm\.yyyy\ hh:mm"/><numFmt numFmtId="165" formatCode="[h]:mm"/></numFmts><cellStyleXfs count="1"><xf numFmtId="14"/></cellStyleXfs><cellXfs count="6"><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="20"/><xf numFmtId="165"/><xf numFmtId="4"/></cellXfs></styleSheet>"##
    );
    let texts = format!(
        r#"{head}<sst xmlns="{MAIN}" count="3" uniqueCount="3"><si><t>shared</t></si><si><r><rPr><b/></rPr><t>in </t></r><r><t xml:space="preserve">runs &amp; more</t></r><rPh sb="0" eb="1"><t>said</t></rPh></si><si><t>=1+1</t></si></sst>"#
    );
    let all = [
        ("[Content_Types].xml", types),
        (
            "_rels/.rels",
            head.to_owned() + &links(&[relation("rId1", "officeDocument", "xl/workbook.xml")]),
        ),
        (
            "xl/workbook.xml",
            format!(
                r#"{head}<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets><sheet name="Receipts" sheetId="1" r:id="rId1"/></sheets></workbook>"#
            ),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            head.to_owned()
                + &links(&[
                    relation("rId1", "worksheet", "worksheets/sheet1.xml"),
                    relation("rId2", "sharedStrings", "/xl/sharedStrings.xml"),
                    relation("rId3", "styles", "styles.xml"),
                ]),
        ),
        (
            "xl/worksheets/sheet1.xml",
            format!(
                r#"{head}<worksheet xmlns="{MAIN}"><cols><col min="1" max="1"/></cols><sheetData>{rows}</sheetData></worksheet>"#
            ),
        ),
        ("xl/sharedStrings.xml", texts),
        ("xl/styles.xml", styles),
    ];
    all.into_iter()
        .map(|(name, text)| (name.to_owned(), text))
        .collect()
}

/// An archive of parts of which some are other ones.
pub(crate) fn archive_with(parts: &[(String, String)], others: &[(&str, &str)]) -> Vec<u8> {
    let mut all: Vec<(&str, &str)> = parts
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    for other in others {
        match all.iter_mut().find(|(name, _)| *name == other.0) {
            Some(part) => *part = *other,
            None => all.push(*other),
        }
    }
    archive(&all)
}

/// A workbook whose only sheet has these rows.
pub(crate) fn xlsx(rows: &str) -> Vec<u8> {
    archive_with(&parts(rows), &[])
}

/// A row of texts.
pub(crate) fn text_row(number: usize, texts: &[&str]) -> String {
    let cells = texts
        .iter()
        .enumerate()
        .filter(|(_, text)| !text.is_empty());
    let cells: String = cells
        .map(|(column, text)| {
            let text = text.replace('&', "&amp;").replace('<', "&lt;");
            format!(
                r#"<c r="{}{number}" t="inlineStr"><is><t>{text}</t></is></c>"#,
                char::from(b'A' + column as u8)
            )
        })
        .collect();
    format!(r#"<row r="{number}">{cells}</row>"#)
}

/// An OpenDocument workbook whose first sheet has these rows.
pub(crate) fn ods(rows: &str) -> Vec<u8> {
    ods_with(rows, "", &[])
}

/// The same, with something before its sheet and with other parts.
pub(crate) fn ods_with(rows: &str, before: &str, others: &[(&str, &str)]) -> Vec<u8> {
    let names = "urn:oasis:names:tc:opendocument:xmlns";
    let content = format!(
        r#"<?xml version="1.0" encoding="UTF-8"?><office:document-content xmlns:office="{names}:office:1.0" xmlns:table="{names}:table:1.0" xmlns:text="{names}:text:1.0" xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0" office:version="1.3"><office:scripts/><office:body><office:spreadsheet>{before}<table:table table:name="Receipts"><table:table-column table:number-columns-repeated="1024"/>{rows}<table:table-row table:number-rows-repeated="1048000"><table:table-cell table:number-columns-repeated="16384"/></table:table-row></table:table></office:spreadsheet></office:body></office:document-content>"#
    );
    let manifest = r#"<?xml version="1.0"?><manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><manifest:file-entry manifest:full-path="/" manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/></manifest:manifest>"#;
    let parts = [
        (
            "mimetype".to_owned(),
            "application/vnd.oasis.opendocument.spreadsheet".to_owned(),
        ),
        ("content.xml".to_owned(), content),
        ("META-INF/manifest.xml".to_owned(), manifest.to_owned()),
    ];
    archive_with(&parts, others)
}
