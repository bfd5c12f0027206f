//! Spreadsheets (.xlsx and .ods): one sheet of a workbook, row by row.
//!
//! The file is kept in memory, at most 16 MB of it, for an archive is read from its end; the archive is looked at as
//! a whole first ([`archive`]), then the sheet is inflated again and read as XML, event by event. A library for
//! workbooks would give floats; here every number is text as the file has it, and exact ([`number`]).
//!
//! A cell is text: a number in plain digits, a day as `2026-11-23`, with a time `2026-11-23T10:15:00`, a truth as TRUE
//! or FALSE, a formula as the result that the file has. What begins with `=`, `+` or `@` and is no formula is text.
//! Where a column has numbers and texts with a comma side by side, `point` writes both in one way: else 1.125 and the
//! text `1.125` for a thousand could not be told apart. Hidden rows and columns are read like the others. The line of a row is the number that the spreadsheet shows.

mod archive;
mod markup;
mod number;
mod ods;
mod xlsx;

use std::io::Read;

use csv::StringRecord;
use indexmap::IndexMap;
use serde::Deserialize;

use crate::format::{Broken, Fault, Row, Rows};
use archive::{Archive, Limits};

/// How a file is written.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Sheet {
    /// The sheet; the first one without it.
    name: Option<String>,
    /// The row with the names of the columns; what is above it says nothing. The first row without it.
    header_row: Option<u64>,
    /// Names of the columns, from A, where the sheet has no row with them: then rows after `header_row` are read.
    columns: Option<Vec<String>>,
    /// Where the table ends, when something stands below it.
    until: Option<Until>,
    /// What numbers have before their decimals, where the same column has texts such as `1.250,5` as well.
    point: Option<char>,
    /// How many decimals a reckoned column has at most: its numbers are read as the fifteen digits that are shown.
    decimals: IndexMap<String, u32>,
}

/// Where a table ends.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Until {
    /// At the first blank row after it began.
    BlankRow,
    /// At the row whose first cell with something in it says this.
    Mark(String),
}

/// More columns than this are no table.
const MOST_COLUMNS: usize = 1_024;
/// Rows behind this one are not read.
const MOST_ROWS: u64 = 100_000;
/// A cell with more text than this is none.
const MOST_TEXT: usize = 256 << 10;
/// All text of a row.
const MOST_ROW_TEXT: usize = 1 << 20;

/// A row with something in it; cells by their column, from 0.
#[derive(Debug, Clone)]
struct RawRow {
    number: u64,
    cells: Vec<(usize, Cell)>,
}

/// What is in a cell.
#[derive(Debug, Clone)]
enum Cell {
    Text(String),
    /// As the file has it; which decimals it may have, its column says.
    Number(String),
    /// A code, and what is wrong.
    Wrong(&'static str, String),
}

fn limit(message: &str) -> Fault {
    Fault::end("sheet_limit", 0, message)
}

fn no_sheet(name: Option<&str>, known: &[&str]) -> Fault {
    let message = match name {
        Some(name) => format!(
            "there is no sheet `{name}`; the workbook has {}",
            known.join(", ")
        ),
        None => "the workbook has no sheet".to_owned(),
    };
    Fault::end("sheet_missing", 0, message)
}

/// Adds to the text of a cell.
fn grow(text: &mut String, more: &str) -> Result<(), Fault> {
    if text.len() + more.len() > MOST_TEXT {
        return Err(limit(&format!(
            "a cell has at most {} KB of text",
            MOST_TEXT >> 10
        )));
    }
    text.push_str(more);
    Ok(())
}

/// The letters of a column, from 0.
fn letters(column: usize) -> String {
    let mut text = String::new();
    let mut left = column + 1;
    while left > 0 {
        left -= 1;
        let letter = u8::try_from(left % 26).unwrap_or_default();
        text.insert(0, char::from(b'A' + letter));
        left /= 26;
    }
    text
}

/// A cell's name, such as `C7`.
fn place(column: usize, row: u64) -> String {
    format!("{}{row}", letters(column))
}

enum Book {
    Xlsx(xlsx::Sheet),
    Ods(ods::Sheet),
}

impl Book {
    fn open(archive: &Archive, name: Option<&str>) -> Result<Self, Fault> {
        if archive.part("[Content_Types].xml").is_some() {
            return xlsx::Sheet::open(archive, name).map(Self::Xlsx);
        }
        ods::Sheet::open(archive, name).map(Self::Ods)
    }

    fn next_row(&mut self) -> Result<Option<RawRow>, Fault> {
        match self {
            Self::Xlsx(sheet) => sheet.next_row(),
            Self::Ods(sheet) => sheet.next_row(),
        }
    }
}

/// Reads rows.
pub(crate) struct Reader {
    book: Book,
    columns: Vec<String>,
    decimals: IndexMap<String, u32>,
    point: char,
    until: Option<Until>,
    /// A row that came while the names were looked for.
    waiting: Option<RawRow>,
    /// The last row that had something in it.
    last: u64,
    began: bool,
    ended: bool,
}

impl Reader {
    pub(crate) fn new(bytes: impl Read, format: &Sheet) -> Result<Self, Fault> {
        let archive = Archive::open(bytes, &Limits::OF_WORKBOOK)?;
        let mut book = Book::open(&archive, format.name.as_deref())?;
        let head = format
            .header_row
            .unwrap_or(u64::from(format.columns.is_none()));
        let mut waiting = None;
        let mut heads = None;
        while let Some(row) = book.next_row()? {
            if row.number == head && format.columns.is_none() {
                heads = Some(row);
                break;
            }
            if row.number > head {
                waiting = Some(row);
                break;
            }
        }
        let columns = match (&format.columns, heads) {
            (Some(columns), _) => columns.clone(),
            (None, Some(row)) => names(&row)?,
            (None, None) => {
                let message = format!(
                    "row {head} has no names of columns: name the right `header_row` in the feed"
                );
                return Err(Fault::end("sheet_columns", head, message));
            }
        };
        let wrong = |message: String| Err(Fault::end("sheet_columns", head, message));
        if columns.len() > MOST_COLUMNS {
            return wrong(format!(
                "{} columns; at most {MOST_COLUMNS} are read",
                columns.len()
            ));
        }
        for (index, name) in columns.iter().enumerate() {
            if columns.iter().take(index).any(|other| other == name) {
                return wrong(format!("the column `{name}` is there twice"));
            }
        }
        if let Some(unknown) = format.decimals.keys().find(|name| !columns.contains(*name)) {
            return wrong(format!(
                "`decimals` names the column {unknown}, which is missing; the sheet has {}",
                columns.join(", ")
            ));
        }
        Ok(Self {
            book,
            columns,
            decimals: format.decimals.clone(),
            point: format.point.unwrap_or('.'),
            until: format.until.clone(),
            waiting,
            last: head,
            began: false,
            ended: false,
        })
    }

    fn raw(&mut self) -> Result<Option<RawRow>, Fault> {
        match self.waiting.take() {
            Some(row) => Ok(Some(row)),
            None => self.book.next_row(),
        }
    }

    fn row(&self, raw: RawRow) -> Result<Row, Broken> {
        let mut cells = vec![String::new(); self.columns.len()];
        let mut wrong: Vec<(String, &'static str, String)> = Vec::new();
        for (column, cell) in raw.cells {
            let here = place(column, raw.number);
            let name = self.columns.get(column);
            let decimals = name.and_then(|name| self.decimals.get(name)).copied();
            match (text_of(cell, decimals, self.point), cells.get_mut(column)) {
                (Ok(text), Some(at)) => *at = text,
                (Ok(text), None) if text.trim().is_empty() => {}
                (Ok(_), None) => {
                    let message = "it stands right of the last column: give the column a name, or take it away";
                    wrong.push((here, "sheet_cells", message.to_owned()));
                }
                (Err((code, message)), _) => wrong.push((here, code, message)),
            }
        }
        let row = Row {
            line: raw.number,
            cells: StringRecord::from(cells),
        };
        let mut wrong = wrong.into_iter();
        let Some((here, code, message)) = wrong.next() else {
            return Ok(row);
        };
        let others: Vec<String> = wrong.map(|(here, _, _)| here).take(10).collect();
        let more = if others.is_empty() {
            String::new()
        } else {
            format!("; {} are wrong as well", others.join(", "))
        };
        let fault = Fault {
            column: Some(here),
            ..Fault::new(code, row.line, format!("{message}{more}"))
        };
        Err((Some(row), fault))
    }
}

impl Rows for Reader {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn next_row(&mut self) -> Option<Result<Row, Broken>> {
        while !self.ended {
            let raw = match self.raw() {
                Ok(Some(raw)) => raw,
                Ok(None) => break,
                Err(fault) => {
                    self.ended = true;
                    let fault = Fault {
                        line: self.last.saturating_add(1),
                        ..fault
                    };
                    return Some(Err((None, fault)));
                }
            };
            if raw.is_blank() {
                continue;
            }
            let gap = raw.number > self.last.saturating_add(1);
            if gap && self.began && self.until == Some(Until::BlankRow) {
                break;
            }
            if let Some(Until::Mark(mark)) = &self.until
                && raw.first() == Some(mark.trim())
            {
                break;
            }
            self.began = true;
            self.last = raw.number;
            let size: usize = raw.cells.iter().map(|(_, cell)| cell.size()).sum();
            let over = if raw.number > MOST_ROWS {
                Some(format!(
                    "a sheet has at most {MOST_ROWS} rows: send several files"
                ))
            } else if size > MOST_ROW_TEXT {
                Some(format!(
                    "a row has at most {} KB of text",
                    MOST_ROW_TEXT >> 10
                ))
            } else {
                None
            };
            if let Some(message) = over {
                self.ended = true;
                return Some(Err((None, Fault::end("sheet_limit", raw.number, message))));
            }
            return Some(self.row(raw));
        }
        self.ended = true;
        None
    }
}

impl RawRow {
    fn is_blank(&self) -> bool {
        self.cells
            .iter()
            .all(|(_, cell)| matches!(cell, Cell::Text(text) if text.trim().is_empty()))
    }

    /// The first text that says something.
    fn first(&self) -> Option<&str> {
        let texts = self.cells.iter().map(|(_, cell)| match cell {
            Cell::Text(text) | Cell::Number(text) => text.trim(),
            Cell::Wrong(..) => "",
        });
        texts.into_iter().find(|text| !text.is_empty())
    }
}

impl Cell {
    fn size(&self) -> usize {
        match self {
            Self::Text(text) | Self::Number(text) | Self::Wrong(_, text) => text.len(),
        }
    }
}

fn text_of(
    cell: Cell,
    decimals: Option<u32>,
    point: char,
) -> Result<String, (&'static str, String)> {
    match cell {
        Cell::Text(text) => Ok(text),
        Cell::Number(text) => number::number(&text, decimals)
            .map(|number| number.replace('.', point.encode_utf8(&mut [0; 4])))
            .map_err(|message| ("sheet_number", message)),
        Cell::Wrong(code, message) => Err((code, message)),
    }
}

/// Names of columns from their row; a column without a name is called by its letters.
fn names(row: &RawRow) -> Result<Vec<String>, Fault> {
    let mut names: Vec<String> = Vec::new();
    for (column, cell) in &row.cells {
        let text = text_of(cell.clone(), None, '.').map_err(|(code, message)| Fault {
            column: Some(place(*column, row.number)),
            ..Fault::end(code, row.number, message)
        })?;
        // A name may be broken into lines to fit its column.
        let name = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if name.is_empty() {
            continue;
        }
        while names.len() < *column {
            names.push(letters(names.len()));
        }
        names.push(name);
    }
    Ok(names)
}
