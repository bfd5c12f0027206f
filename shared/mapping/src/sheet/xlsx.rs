//! Workbooks of Office Open XML (.xlsx): the sheet is read row by row, its texts are kept.

use std::collections::BTreeMap;

use super::archive::{Archive, active};
use super::markup::{Markup, Node, Tag};
use super::number::{Epoch, Shown, moment, shown_by, shown_by_number, written};
use super::{Cell, MOST_COLUMNS, RawRow, limit, place};
use crate::format::Fault;

/// Texts that a workbook keeps once for all cells are kept in memory.
const MOST_TEXTS: usize = 250_000;
const MOST_TEXT_BYTES: usize = 12 << 20;
/// Formats, sheets and relations: more than this are no workbook of a plant.
const MOST_ENTRIES: usize = 65_536;

/// Relations to what acts by itself or lies elsewhere, by the end of their type.
const ACTIVE: [&str; 12] = [
    "vbaProject",
    "vbaProjectSignature",
    "wordVbaData",
    "xlMacrosheet",
    "xlIntlMacrosheet",
    "externalLink",
    "externalLinkPath",
    "oleObject",
    "package",
    "control",
    "activeXControlBinary",
    "extensibility",
];
const HYPERLINK: &str = "hyperlink";

/// A relation of a part to another one.
struct Relation {
    kind: String,
    target: String,
}

type Relations = BTreeMap<String, Relation>;

/// Reads the rows of a sheet.
pub(super) struct Sheet {
    markup: Markup,
    texts: Texts,
    shown: Vec<Shown>,
    epoch: Epoch,
    row: u64,
    ended: bool,
}

/// Texts one behind the other.
#[derive(Default)]
struct Texts {
    all: String,
    ends: Vec<usize>,
}

impl Texts {
    fn get(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)?;
        let start = match index.checked_sub(1) {
            Some(before) => *self.ends.get(before)?,
            None => 0,
        };
        self.all.get(start..end)
    }

    fn add(&mut self, text: &str) -> Result<(), Fault> {
        if self.ends.len() >= MOST_TEXTS || self.all.len() + text.len() > MOST_TEXT_BYTES {
            return Err(limit(&format!(
                "a workbook has at most {MOST_TEXTS} different texts, of at most {} MB",
                MOST_TEXT_BYTES >> 20
            )));
        }
        self.all.push_str(text);
        self.ends.push(self.all.len());
        Ok(())
    }
}

impl Sheet {
    /// Opens a sheet by its name, or the first one.
    pub(super) fn open(archive: &Archive, name: Option<&str>) -> Result<Self, Fault> {
        check_active(archive)?;
        let root = relations(archive, "_rels/.rels")?;
        let workbook = target(&root, "officeDocument", "")
            .ok_or_else(|| Fault::end("sheet_format", 0, "the archive holds no workbook"))?;
        if !workbook.ends_with(".xml") {
            let message = "the workbook is a binary one (.xlsb): save it as .xlsx";
            return Err(Fault::end("sheet_format", 0, message));
        }
        let (folder, file) = workbook.rsplit_once('/').unwrap_or(("", &workbook));
        let links = relations(archive, &within(folder, &format!("_rels/{file}.rels")))?;
        let (sheets, epoch) = sheets(archive, &workbook)?;
        let worksheets: Vec<(&str, String)> = sheets
            .iter()
            .filter_map(|(name, id)| {
                let link = links.get(id).filter(|link| link.kind == "worksheet")?;
                Some((name.as_str(), resolve(folder, &link.target)))
            })
            .collect();
        let found = match name {
            Some(name) => worksheets.iter().find(|(sheet, _)| *sheet == name),
            None => worksheets.first(),
        };
        let Some((_, path)) = found else {
            let known: Vec<&str> = worksheets.iter().map(|(name, _)| *name).collect();
            return Err(super::no_sheet(name, &known));
        };
        let texts = target(&links, "sharedStrings", folder);
        let styles = target(&links, "styles", folder);
        let markup = part(archive, path)?.ok_or_else(|| {
            Fault::end(
                "sheet_format",
                0,
                format!("the sheet's part `{path}` is missing"),
            )
        })?;
        Ok(Self {
            texts: texts.map_or_else(|| Ok(Texts::default()), |path| read_texts(archive, &path))?,
            shown: styles.map_or_else(|| Ok(Vec::new()), |path| read_styles(archive, &path))?,
            markup,
            epoch,
            row: 0,
            ended: false,
        })
    }

    /// The next row that has something in it.
    pub(super) fn next_row(&mut self) -> Result<Option<RawRow>, Fault> {
        while !self.ended {
            let row = match self.markup.next()? {
                None => {
                    self.ended = true;
                    break;
                }
                Some(Node::Start(tag)) if tag.local() == "row" => tag.number("r"),
                Some(Node::End(name)) if super::markup::local(&name) == "sheetData" => {
                    self.ended = true;
                    break;
                }
                Some(Node::Start(_) | Node::End(_) | Node::Text(_)) => continue,
            };
            let number = row.unwrap_or(self.row + 1);
            if number <= self.row {
                return Err(self
                    .markup
                    .wrong(&format!("row {number} comes after row {}", self.row)));
            }
            self.row = number;
            let cells = self.cells(number)?;
            if !cells.is_empty() {
                return Ok(Some(RawRow { number, cells }));
            }
        }
        Ok(None)
    }

    fn cells(&mut self, row: u64) -> Result<Vec<(usize, Cell)>, Fault> {
        let mut cells: Vec<(usize, Cell)> = Vec::new();
        let mut next = 0_usize;
        loop {
            let (column, style, kind) = match self.markup.next()? {
                Some(Node::Start(tag)) if tag.local() == "c" => {
                    let named = tag.get("r").map(|name| column_of(&name, row));
                    let style = tag
                        .number("s")
                        .and_then(|style| usize::try_from(style).ok());
                    let kind = tag.get("t").map(|kind| kind.into_owned());
                    let column = match named {
                        None => Some(next),
                        Some(column) => column.filter(|column| *column >= next),
                    };
                    (column, style, kind)
                }
                Some(Node::Start(_)) => {
                    self.markup.pass()?;
                    continue;
                }
                Some(Node::End(_)) | None => return Ok(cells),
                Some(Node::Text(_)) => continue,
            };
            let Some(column) = column else {
                return Err(self
                    .markup
                    .wrong(&format!("a cell of row {row} is not where it should be")));
            };
            next = column + 1;
            let found = self.cell(kind.as_deref().unwrap_or("n"), style)?;
            let Some(cell) = found else {
                continue;
            };
            if column >= MOST_COLUMNS {
                return Err(limit(&format!(
                    "something stands in {}; a sheet has at most {MOST_COLUMNS} columns",
                    place(column, row)
                )));
            }
            cells.push((column, cell));
        }
    }

    /// A cell that has just begun; nothing when it is blank.
    fn cell(&mut self, kind: &str, style: Option<usize>) -> Result<Option<Cell>, Fault> {
        let (mut value, mut inline) = (None, None);
        let mut formula = false;
        loop {
            let begins = match self.markup.next()? {
                Some(Node::Start(tag)) => tag.local().to_owned(),
                Some(Node::End(_)) | None => break,
                Some(Node::Text(_)) => continue,
            };
            match begins.as_str() {
                "v" => value = Some(text_of(&mut self.markup)?),
                "is" => inline = Some(rich_text(&mut self.markup)?),
                "f" => {
                    formula = true;
                    self.markup.pass()?;
                }
                _ => self.markup.pass()?,
            }
        }
        let raw = value.as_deref().unwrap_or_default().trim();
        let uncached = formula && (value.is_none() || (raw.is_empty() && kind != "str"));
        if uncached {
            return Ok(Some(Cell::Wrong(
                "sheet_formula",
                "a formula whose result is not in the file: open it in the spreadsheet program and save it".to_owned(),
            )));
        }
        let of = |result: Result<String, String>, code| match result {
            Ok(text) => Cell::Text(text),
            Err(message) => Cell::Wrong(code, message),
        };
        let unknown = || {
            Cell::Wrong(
                "sheet_cell",
                format!("`{raw}` is no value of a cell of kind `{kind}`"),
            )
        };
        Ok(match kind {
            "inlineStr" => inline.map(|text| Cell::Text(unescape(&text))),
            "str" => value.as_deref().map(|text| Cell::Text(unescape(text))),
            _ if raw.is_empty() => None,
            "n" => {
                let shown = style.and_then(|style| self.shown.get(style));
                Some(match shown.copied().unwrap_or(Shown::Number) {
                    Shown::Number => Cell::Number(raw.to_owned()),
                    shown @ (Shown::Date | Shown::DateTime | Shown::Time | Shown::Elapsed) => {
                        of(moment(raw, shown, self.epoch), "sheet_date")
                    }
                })
            }
            "s" => Some(
                match raw.parse().ok().and_then(|index| self.texts.get(index)) {
                    Some(text) => Cell::Text(text.to_owned()),
                    None => unknown(),
                },
            ),
            "b" => Some(match raw {
                "1" | "true" => Cell::Text("TRUE".to_owned()),
                "0" | "false" => Cell::Text("FALSE".to_owned()),
                _ => unknown(),
            }),
            "d" => Some(of(written(raw), "sheet_date")),
            "e" => Some(Cell::Wrong(
                "sheet_error",
                format!("the spreadsheet shows the error {raw}: mend its formula"),
            )),
            _ => Some(unknown()),
        })
    }
}

/// The column of a cell's name, from 0, when the row is right.
fn column_of(name: &str, row: u64) -> Option<usize> {
    let letters = name.bytes().take_while(u8::is_ascii_uppercase).count();
    let (letters, digits) = name.split_at_checked(letters)?;
    if letters.is_empty() || letters.len() > 3 || digits.parse() != Ok(row) {
        return None;
    }
    let number = letters.bytes().fold(0_usize, |number, letter| {
        number * 26 + usize::from(letter - b'A') + 1
    });
    number.checked_sub(1)
}

fn part(archive: &Archive, path: &str) -> Result<Option<Markup>, Fault> {
    let bytes = archive.part(path);
    bytes.map(|bytes| Markup::new(path, bytes)).transpose()
}

fn within(folder: &str, path: &str) -> String {
    if folder.is_empty() {
        path.to_owned()
    } else {
        format!("{folder}/{path}")
    }
}

/// A target as the path of a part.
fn resolve(folder: &str, target: &str) -> String {
    if let Some(whole) = target.strip_prefix('/') {
        return whole.to_owned();
    }
    let whole = within(folder, target);
    let mut steps: Vec<&str> = Vec::new();
    for step in whole.split('/') {
        match step {
            ".." => {
                steps.pop();
            }
            "." => {}
            step => steps.push(step),
        }
    }
    steps.join("/")
}

fn target(relations: &Relations, kind: &str, folder: &str) -> Option<String> {
    let found = relations.values().find(|relation| relation.kind == kind);
    found.map(|relation| resolve(folder, &relation.target))
}

fn relations(archive: &Archive, path: &str) -> Result<Relations, Fault> {
    let mut all = Relations::new();
    let Some(mut markup) = part(archive, path)? else {
        return Ok(all);
    };
    while let Some(node) = markup.next()? {
        let Node::Start(tag) = node else {
            continue;
        };
        if tag.local() != "Relationship" {
            continue;
        }
        let text = |name: &str| tag.get(name).unwrap_or_default().into_owned();
        let kind = text("Type");
        let kind = kind.rsplit('/').next().unwrap_or_default().to_owned();
        let outside = text("TargetMode").eq_ignore_ascii_case("external") && kind != HYPERLINK;
        if outside || ACTIVE.contains(&kind.as_str()) {
            return Err(active(&format!("`{path}` leads to a {kind}")));
        }
        // What leads to nothing that is read is not kept.
        if ["officeDocument", "worksheet", "sharedStrings", "styles"].contains(&kind.as_str()) {
            let target = text("Target");
            all.insert(text("Id"), Relation { kind, target });
        }
        if all.len() > MOST_ENTRIES {
            return Err(limit(&format!(
                "`{path}` has more than {MOST_ENTRIES} entries"
            )));
        }
    }
    Ok(all)
}

/// Refuses what acts by itself or lies elsewhere, whatever the parts are called.
fn check_active(archive: &Archive) -> Result<(), Fault> {
    for path in archive.names().filter(|name| name.ends_with(".rels")) {
        relations(archive, path)?;
    }
    let Some(mut markup) = part(archive, "[Content_Types].xml")? else {
        return Ok(());
    };
    while let Some(node) = markup.next()? {
        if let Node::Start(tag) = node
            && let Some(kind) = tag.get("ContentType")
        {
            let small = kind.to_lowercase();
            let acts = [
                "macroenabled",
                "vbaproject",
                "macrosheet",
                "activex",
                "externallink",
                "oleobject",
            ];
            if acts.iter().any(|mark| small.contains(mark)) {
                return Err(active(&format!(
                    "the workbook holds parts of the type {kind}"
                )));
            }
        }
    }
    Ok(())
}

/// The sheets with their relation, and the calendar.
fn sheets(archive: &Archive, path: &str) -> Result<(Vec<(String, String)>, Epoch), Fault> {
    let (mut sheets, mut epoch) = (Vec::new(), Epoch::Y1900);
    let Some(mut markup) = part(archive, path)? else {
        return Ok((sheets, epoch));
    };
    while let Some(node) = markup.next()? {
        let Node::Start(tag) = node else {
            continue;
        };
        match tag.local() {
            "workbookPr"
                if tag
                    .get("date1904")
                    .is_some_and(|value| value == "1" || value == "true") =>
            {
                epoch = Epoch::Y1904;
            }
            "sheet" if sheets.len() < MOST_ENTRIES => {
                let name = tag.get("name").unwrap_or_default().into_owned();
                // The relation's attribute has a prefix that the file chooses.
                sheets.push((name, tag.get_local("id").unwrap_or_default()));
            }
            _ => {}
        }
    }
    Ok((sheets, epoch))
}

fn read_texts(archive: &Archive, path: &str) -> Result<Texts, Fault> {
    let mut texts = Texts::default();
    let Some(mut markup) = part(archive, path)? else {
        return Ok(texts);
    };
    while let Some(node) = markup.next()? {
        if let Node::Start(tag) = node
            && tag.local() == "si"
        {
            let text = rich_text(&mut markup)?;
            texts.add(&unescape(&text))?;
        }
    }
    Ok(texts)
}

/// What each cell style shows.
fn read_styles(archive: &Archive, path: &str) -> Result<Vec<Shown>, Fault> {
    let mut own: BTreeMap<u64, Shown> = BTreeMap::new();
    let mut shown = Vec::new();
    let Some(mut markup) = part(archive, path)? else {
        return Ok(shown);
    };
    let mut of_cells = false;
    while let Some(node) = markup.next()? {
        match node {
            Node::Start(tag) => match tag.local() {
                "numFmt" => {
                    let format = tag.get("formatCode").unwrap_or_default();
                    if let Some(id) = tag.number("numFmtId") {
                        own.insert(id, shown_by(&format));
                    }
                }
                "cellXfs" => of_cells = true,
                "xf" if of_cells => shown.push(style(&tag, &own)),
                _ => {}
            },
            Node::End(name) if super::markup::local(&name) == "cellXfs" => of_cells = false,
            Node::End(_) | Node::Text(_) => {}
        }
        if shown.len() > MOST_ENTRIES || own.len() > MOST_ENTRIES {
            return Err(limit(&format!(
                "`{path}` has more than {MOST_ENTRIES} formats"
            )));
        }
    }
    Ok(shown)
}

fn style(tag: &Tag<'_>, own: &BTreeMap<u64, Shown>) -> Shown {
    let id = tag.number("numFmtId").unwrap_or_default();
    own.get(&id).copied().unwrap_or_else(|| shown_by_number(id))
}

/// The text of an element that has just begun.
fn text_of(markup: &mut Markup) -> Result<String, Fault> {
    let mut text = String::new();
    loop {
        match markup.next()? {
            Some(Node::Text(part)) => super::grow(&mut text, &part)?,
            Some(Node::Start(_)) => markup.pass()?,
            Some(Node::End(_)) | None => return Ok(text),
        }
    }
}

/// A text that may be of several runs, without how it is pronounced.
fn rich_text(markup: &mut Markup) -> Result<String, Fault> {
    let mut text = String::new();
    let mut inside = 1_usize;
    while inside > 0 {
        let begins = match markup.next()? {
            Some(Node::Start(tag)) => tag.local().to_owned(),
            Some(Node::End(_)) => {
                inside -= 1;
                continue;
            }
            Some(Node::Text(_)) => continue,
            None => break,
        };
        match begins.as_str() {
            "t" => {
                let part = text_of(markup)?;
                super::grow(&mut text, &part)?;
            }
            "r" => inside += 1,
            _ => markup.pass()?,
        }
    }
    Ok(text)
}

/// Characters that XML cannot hold are written `_x000D_`.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("_x") {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let code = from
            .get(2..6)
            .filter(|_| from.as_bytes().get(6) == Some(&b'_'));
        let letter = code
            .filter(|code| code.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|code| u32::from_str_radix(code, 16).ok())
            .and_then(char::from_u32);
        let used = match letter {
            Some(letter) => {
                out.push(letter);
                7
            }
            None => {
                out.push_str("_x");
                2
            }
        };
        rest = from.get(used..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_xml_cannot_hold_are_read() {
        for (text, wanted) in [
            ("a_x000D_b", "a\rb"),
            ("_x005F_x000D_", "_x000D_"),
            ("_xyz_ _x00_", "_xyz_ _x00_"),
            ("_x000", "_x000"),
            ("_x\u{e9}\u{e9}\u{e9}", "_x\u{e9}\u{e9}\u{e9}"),
            ("_xD800_", "_xD800_"),
        ] {
            assert_eq!(unescape(text), wanted);
        }
    }

    #[test]
    fn a_cells_name_is_its_column_and_row() {
        assert_eq!(column_of("A1", 1), Some(0));
        assert_eq!(column_of("C7", 7), Some(2));
        assert_eq!(column_of("XFD1048576", 1_048_576), Some(16_383));
        for wrong in ["A2", "1", "a1", "ABCD1", "A", ""] {
            assert_eq!(column_of(wrong, 1), None, "{wrong}");
        }
        assert_eq!(place(16_383, 1_048_576), "XFD1048576");
        assert_eq!(place(25, 1), "Z1");
        assert_eq!(place(26, 1), "AA1");
    }
}
