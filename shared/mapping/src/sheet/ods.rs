//! Workbooks of OpenDocument (.ods): the sheet is read row by row.

use super::archive::{Archive, active};
use super::markup::{Markup, Node, Tag};
use super::number::{duration, written};
use super::{Cell, MOST_COLUMNS, RawRow, limit, place};
use crate::format::Fault;

const CONTENT: &str = "content.xml";
/// The names that the file must give to what they stand for, as every known program does.
const PREFIXES: [(&str, &str); 3] = [
    (
        "xmlns:office",
        "urn:oasis:names:tc:opendocument:xmlns:office:1.0",
    ),
    (
        "xmlns:table",
        "urn:oasis:names:tc:opendocument:xmlns:table:1.0",
    ),
    (
        "xmlns:text",
        "urn:oasis:names:tc:opendocument:xmlns:text:1.0",
    ),
];
/// Elements that lead elsewhere or act by themselves.
const ACTIVE: [&str; 6] = [
    "table:table-source",
    "table:cell-range-source",
    "office:dde-source",
    "office:script",
    "script:event-listener",
    "script:event-listeners",
];

/// Rows of a sheet that are written once and stand there again: more are none that a person filled in, and a small file
/// would be a large one.
const MOST_AGAIN: u64 = 1_000;

/// What is shown instead of a result, by programs that do not type it as an error.
const ERRORS: [&str; 7] = [
    "#N/A", "#REF!", "#DIV/0!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!",
];

/// Reads the rows of a sheet.
pub(super) struct Sheet {
    markup: Markup,
    /// Rows that were read.
    row: u64,
    /// A row that stands there several times, and how often still.
    again: Option<(RawRow, u64)>,
    /// Rows that stood there again.
    repeated: u64,
    ended: bool,
}

/// How a cell is typed, with what it says of itself.
#[derive(Default)]
struct Typed {
    kind: String,
    value: Option<String>,
    formula: bool,
    error: bool,
}

impl Sheet {
    /// Opens a sheet by its name, or the first one.
    pub(super) fn open(archive: &Archive, name: Option<&str>) -> Result<Self, Fault> {
        check_manifest(archive)?;
        let bytes = archive.part(CONTENT).ok_or_else(|| {
            Fault::end(
                "sheet_format",
                0,
                "the archive holds no spreadsheet, or one with a password",
            )
        })?;
        let mut markup = Markup::new(CONTENT, bytes)?;
        let mut known: Vec<String> = Vec::new();
        let mut first = true;
        let mut spreadsheet = false;
        loop {
            let table = match markup.next()? {
                None => break,
                Some(Node::Start(tag)) => {
                    check_tag(&tag)?;
                    if first
                        && !PREFIXES
                            .iter()
                            .all(|(prefix, names)| tag.get(prefix).as_deref() == Some(*names))
                    {
                        let message =
                            "it is no OpenDocument spreadsheet as spreadsheet programs write it";
                        return Err(Fault::end("sheet_format", 0, message));
                    }
                    first = false;
                    match tag.name() {
                        "office:spreadsheet" => {
                            spreadsheet = true;
                            continue;
                        }
                        "table:table" if spreadsheet => {
                            tag.get("table:name").unwrap_or_default().into_owned()
                        }
                        "table:tracked-changes" => {
                            markup.pass()?;
                            continue;
                        }
                        _ => continue,
                    }
                }
                Some(Node::End(_) | Node::Text(_)) => continue,
            };
            if name.is_none_or(|name| name == table) {
                return Ok(Self {
                    markup,
                    row: 0,
                    again: None,
                    repeated: 0,
                    ended: false,
                });
            }
            known.truncate(99);
            known.push(table);
            markup.pass()?;
        }
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        Err(super::no_sheet(name, &known))
    }

    /// The next row that has something in it.
    pub(super) fn next_row(&mut self) -> Result<Option<RawRow>, Fault> {
        if let Some((row, left)) = self.again.take() {
            return Ok(Some(self.repeat(row, left)));
        }
        while !self.ended {
            let times = match self.markup.next()? {
                None => {
                    self.ended = true;
                    break;
                }
                Some(Node::Start(tag)) => {
                    check_tag(&tag)?;
                    match tag.name() {
                        "table:table-row" => tag.number("table:number-rows-repeated").unwrap_or(1),
                        "table:table-row-group"
                        | "table:table-rows"
                        | "table:table-header-rows" => continue,
                        _ => {
                            self.markup.pass()?;
                            continue;
                        }
                    }
                }
                Some(Node::End(name)) if name == "table:table" => {
                    self.ended = true;
                    break;
                }
                Some(Node::End(_) | Node::Text(_)) => continue,
            };
            let number = self.row.saturating_add(1);
            let cells = self.cells(number)?;
            let row = RawRow { number, cells };
            if row.is_blank() {
                self.row = self.row.saturating_add(times);
                continue;
            }
            self.repeated = self.repeated.saturating_add(times.saturating_sub(1));
            if self.repeated > MOST_AGAIN {
                return Err(limit(&format!(
                    "row {number} stands there {times} times; a sheet has at most {MOST_AGAIN} rows that are like the one above: take away those that say nothing"
                )));
            }
            return Ok(Some(self.repeat(row, times)));
        }
        Ok(None)
    }

    fn repeat(&mut self, row: RawRow, times: u64) -> RawRow {
        self.row = self.row.saturating_add(1);
        if times > 1 {
            let next = RawRow {
                number: row.number.saturating_add(1),
                cells: row.cells.clone(),
            };
            self.again = Some((next, times - 1));
        }
        row
    }

    fn cells(&mut self, row: u64) -> Result<Vec<(usize, Cell)>, Fault> {
        let mut cells: Vec<(usize, Cell)> = Vec::new();
        let mut column = 0_usize;
        loop {
            let (times, typed) = match self.markup.next()? {
                Some(Node::Start(tag))
                    if ["table:table-cell", "table:covered-table-cell"].contains(&tag.name()) =>
                {
                    let times = tag.number("table:number-columns-repeated").unwrap_or(1);
                    (
                        usize::try_from(times).unwrap_or(usize::MAX),
                        Typed::of(&tag),
                    )
                }
                Some(Node::Start(_)) => {
                    self.markup.pass()?;
                    continue;
                }
                Some(Node::End(_)) | None => return Ok(cells),
                Some(Node::Text(_)) => continue,
            };
            let text = paragraphs(&mut self.markup)?;
            let after = column.saturating_add(times);
            if let Some(cell) = typed.cell(text) {
                if after > MOST_COLUMNS {
                    return Err(limit(&format!(
                        "something stands in {}; a sheet has at most {MOST_COLUMNS} columns",
                        place(after - 1, row)
                    )));
                }
                cells.extend((column..after).map(|column| (column, cell.clone())));
            }
            column = after;
        }
    }
}

impl Typed {
    fn of(tag: &Tag<'_>) -> Self {
        let text = |name: &str| tag.get(name).map(|value| value.into_owned());
        let kind = text("office:value-type").unwrap_or_default();
        let value = match kind.as_str() {
            "float" | "percentage" | "currency" => text("office:value"),
            "date" => text("office:date-value"),
            "time" => text("office:time-value"),
            "boolean" => text("office:boolean-value"),
            "string" => text("office:string-value"),
            _ => None,
        };
        Self {
            value,
            formula: tag.get("table:formula").is_some(),
            error: tag.get("calcext:value-type").as_deref() == Some("error"),
            kind,
        }
    }

    /// The cell; nothing when it is blank.
    fn cell(self, text: Option<String>) -> Option<Cell> {
        let shown = text.as_deref().unwrap_or_default();
        let is_error = |text: &str| ERRORS.contains(&text) || text.starts_with("Err:");
        if self.error || (self.formula && is_error(shown)) {
            return Some(Cell::Wrong(
                "sheet_error",
                format!("the spreadsheet shows the error {shown}: mend its formula"),
            ));
        }
        let of = |result: Result<String, String>| match result {
            Ok(text) => Cell::Text(text),
            Err(message) => Cell::Wrong("sheet_date", message),
        };
        let unknown = || {
            Cell::Wrong(
                "sheet_cell",
                format!("no value of a cell of kind `{}`", self.kind),
            )
        };
        let value = self.value.as_deref();
        match (self.kind.as_str(), value) {
            ("", _) if self.formula => Some(Cell::Wrong(
                "sheet_formula",
                "a formula whose result is not in the file: open it in the spreadsheet program and save it".to_owned(),
            )),
            ("", _) => text.map(Cell::Text),
            ("string", Some(value)) if !value.is_empty() => Some(Cell::Text(value.to_owned())),
            ("string", _) => text.map(Cell::Text),
            ("float" | "percentage" | "currency", Some(value)) => Some(Cell::Number(value.to_owned())),
            ("date", Some(value)) => Some(of(written(value))),
            ("time", Some(value)) => Some(of(duration(value))),
            ("boolean", Some("true")) => Some(Cell::Text("TRUE".to_owned())),
            ("boolean", Some("false")) => Some(Cell::Text("FALSE".to_owned())),
            _ => Some(unknown()),
        }
    }
}

fn check_tag(tag: &Tag<'_>) -> Result<(), Fault> {
    if ACTIVE.contains(&tag.name()) {
        return Err(active(&format!("the workbook has a `{}`", tag.name())));
    }
    Ok(())
}

fn check_manifest(archive: &Archive) -> Result<(), Fault> {
    let path = "META-INF/manifest.xml";
    let Some(bytes) = archive.part(path) else {
        return Ok(());
    };
    let mut markup = Markup::new(path, bytes)?;
    while let Some(node) = markup.next()? {
        let Node::Start(tag) = node else {
            continue;
        };
        if tag.local() == "encryption-data" {
            let message = "the workbook has a password: save it without";
            return Err(Fault::end("archive_limit", 0, message));
        }
        let kind = tag.get_local("media-type").unwrap_or_default();
        if kind.contains("oleobject") {
            return Err(active("the workbook holds an embedded object"));
        }
    }
    Ok(())
}

/// The paragraphs of a cell that has just begun, without notes and drawings; nothing when it has none.
fn paragraphs(markup: &mut Markup) -> Result<Option<String>, Fault> {
    let mut text: Option<String> = None;
    loop {
        let begins = match markup.next()? {
            Some(Node::Start(tag)) => {
                check_tag(&tag)?;
                tag.name().to_owned()
            }
            Some(Node::End(_)) | None => return Ok(text),
            Some(Node::Text(_)) => continue,
        };
        if begins != "text:p" {
            markup.pass()?;
            continue;
        }
        let all = match &mut text {
            Some(all) => {
                all.push('\n');
                all
            }
            None => text.insert(String::new()),
        };
        paragraph(markup, all)?;
    }
}

fn paragraph(markup: &mut Markup, text: &mut String) -> Result<(), Fault> {
    let mut inside = 1_usize;
    // Blanks in a row are one, and those that count are elements.
    let mut blank = true;
    while inside > 0 {
        let (name, count) = match markup.next()? {
            Some(Node::Start(tag)) => (tag.name().to_owned(), tag.number("text:c").unwrap_or(1)),
            Some(Node::End(_)) => {
                inside -= 1;
                continue;
            }
            Some(Node::Text(part)) => {
                for letter in part.chars() {
                    let is_blank = letter.is_ascii_whitespace();
                    if !(is_blank && blank) {
                        text.push(if is_blank { ' ' } else { letter });
                    }
                    blank = is_blank;
                }
                super::grow(text, "")?;
                continue;
            }
            None => return Ok(()),
        };
        match name.as_str() {
            "text:s" => {
                let count = usize::try_from(count)
                    .unwrap_or(usize::MAX)
                    .min(super::MOST_TEXT + 1);
                super::grow(text, &" ".repeat(count))?;
                markup.pass()?;
            }
            "text:tab" => {
                text.push('\t');
                markup.pass()?;
            }
            "text:line-break" => {
                text.push('\n');
                markup.pass()?;
            }
            "text:span" | "text:a" => inside += 1,
            _ => {
                // A field that the program fills in, such as the day of printing, shows text of its own.
                if name.starts_with("text:") && name != "text:note" {
                    inside += 1;
                } else {
                    markup.pass()?;
                }
            }
        }
    }
    Ok(())
}
