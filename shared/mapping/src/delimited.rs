//! Delimited text: CSV and its kin, row by row in bounded memory.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

use csv::StringRecord;
use serde::Deserialize;

use crate::charset::Decoded;
use crate::format::{Broken, Fault, Row, Rows};

/// How a file is written.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Delimited {
    /// What stands between cells: one character, or `tab`.
    pub(crate) separator: String,
    /// What stands around a cell that holds separators or line ends; empty where the system quotes nothing.
    pub(crate) quote: String,
    /// Character set by its WHATWG name, such as `utf-8` or `windows-1252`; a byte order mark goes before it.
    pub(crate) encoding: String,
    /// Names of the columns where the file has no line with them.
    pub(crate) columns: Option<Vec<String>>,
    /// The last line, where the system writes one.
    pub(crate) trailer: Option<Trailer>,
}

/// A last line that says how much came before it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Trailer {
    /// What its first cell says.
    pub(crate) mark: String,
    /// The cell with the number of rows, from 1.
    pub(crate) count: Option<usize>,
}

impl Default for Delimited {
    fn default() -> Self {
        Self {
            separator: ",".to_owned(),
            quote: "\"".to_owned(),
            encoding: "utf-8".to_owned(),
            columns: None,
            trailer: None,
        }
    }
}

/// More cells than this are no table.
const MOST_COLUMNS: usize = 4096;
/// A row longer than this is a quote that was never closed.
const LONGEST_ROW: u64 = 1 << 20;

/// Reads rows.
pub(crate) struct Reader<R: Read> {
    csv: csv::Reader<Metered<Decoded<R>>>,
    columns: Vec<String>,
    budget: Rc<Cell<u64>>,
    trailer: Option<Trailer>,
    rows: u64,
    ended: bool,
}

impl<R: Read> Reader<R> {
    pub(crate) fn new(bytes: R, format: &Delimited) -> Result<Self, Fault> {
        let config = |message: String| Fault::end("csv_format", 1, message);
        let separator = match format.separator.as_str() {
            "tab" => b'\t',
            one => single(one).ok_or_else(|| {
                config(format!(
                    "`{one}` is no separator: one ASCII character, or tab"
                ))
            })?,
        };
        let quote = if format.quote.is_empty() {
            None
        } else {
            Some(single(&format.quote).ok_or_else(|| {
                config(format!(
                    "`{}` is no quote: one ASCII character, or nothing",
                    format.quote
                ))
            })?)
        };
        let text = Decoded::new(bytes, &format.encoding).map_err(config)?;
        let budget = Rc::new(Cell::new(2 * LONGEST_ROW));
        let metered = Metered {
            inner: text,
            budget: Rc::clone(&budget),
        };
        let mut csv = csv::ReaderBuilder::new()
            .delimiter(separator)
            .quoting(quote.is_some())
            .quote(quote.unwrap_or(b'"'))
            .has_headers(false)
            .flexible(true)
            .buffer_capacity(64 * 1024)
            .from_reader(metered);
        let columns = match &format.columns {
            Some(columns) => columns.clone(),
            None => {
                let mut heads = StringRecord::new();
                csv.read_record(&mut heads).map_err(|error| fault(&error))?;
                heads.iter().map(|head| head.trim().to_owned()).collect()
            }
        };
        if columns.len() > MOST_COLUMNS {
            return Err(Fault::end(
                "csv_limit",
                1,
                format!("{} columns; at most {MOST_COLUMNS} are read", columns.len()),
            ));
        }
        if let Some(twice) = columns.iter().enumerate().find_map(|(index, name)| {
            columns
                .iter()
                .take(index)
                .any(|other| other == name)
                .then_some(name)
        }) {
            return Err(Fault::end(
                "csv_columns",
                1,
                format!("the column `{twice}` is there twice"),
            ));
        }
        Ok(Self {
            csv,
            columns,
            budget,
            trailer: format.trailer.clone(),
            rows: 0,
            ended: false,
        })
    }

    fn counted(&self, trailer: &Trailer, cells: &StringRecord, line: u64) -> Option<Fault> {
        let said = trailer.count.map(|column| {
            cells
                .get(column.saturating_sub(1))
                .unwrap_or_default()
                .trim()
        })?;
        (said.parse() != Ok(self.rows)).then(|| {
            Fault::end(
                "file_count",
                line,
                format!(
                    "the last line says {said} rows, {} came: the file is not whole",
                    self.rows
                ),
            )
        })
    }
}

impl<R: Read> Rows for Reader<R> {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn next_row(&mut self) -> Option<Result<Row, Broken>> {
        while !self.ended {
            self.budget.set(2 * LONGEST_ROW);
            let mut cells = StringRecord::new();
            match self.csv.read_record(&mut cells) {
                Ok(false) => {
                    self.ended = true;
                    let line = self.csv.position().line();
                    return self.trailer.as_ref().map(|trailer| {
                        Err((None, Fault::end("file_incomplete", line, format!(
                                "the last line `{}` is missing: the file was not written to its end",
                                trailer.mark
                            ))))
                    });
                }
                Ok(true) => {}
                Err(error) => {
                    let mut fault = fault(&error);
                    fault.line = fault.line.max(self.csv.position().line());
                    self.ended = fault.ends;
                    return Some(Err((None, fault)));
                }
            }
            let line = cells.position().map_or(0, csv::Position::line);
            if cells.iter().all(|cell| cell.trim().is_empty()) {
                continue;
            }
            if let Some(trailer) = &self.trailer
                && cells.get(0).map(str::trim) == Some(trailer.mark.as_str())
            {
                self.ended = true;
                return self
                    .counted(trailer, &cells, line)
                    .map(|fault| Err((None, fault)));
            }
            self.rows += 1;
            if cells.len() != self.columns.len() {
                let fault = Fault::new(
                    "csv_cells",
                    line,
                    format!(
                        "{} cells where the file has {} columns: a separator or a quote is missing, or one too many",
                        cells.len(),
                        self.columns.len()
                    ),
                );
                return Some(Err((Some(Row { line, cells }), fault)));
            }
            return Some(Ok(Row { line, cells }));
        }
        None
    }
}

fn single(text: &str) -> Option<u8> {
    match text.as_bytes() {
        [one] if one.is_ascii() => Some(*one),
        _ => None,
    }
}

fn fault(error: &csv::Error) -> Fault {
    let line = error.position().map_or(1, csv::Position::line);
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the library may add kinds; told in its own words"
    )]
    let (code, message, ends) = match error.kind() {
        csv::ErrorKind::Io(io) if io.kind() == io::ErrorKind::FileTooLarge => (
            "csv_limit",
            format!(
                "a row of more than {} KB: a quote was probably opened and not closed",
                LONGEST_ROW / 1024
            ),
            true,
        ),
        csv::ErrorKind::Io(io) if io.kind() == io::ErrorKind::InvalidData => {
            ("csv_encoding", io.to_string(), true)
        }
        csv::ErrorKind::Io(io) => ("file_unreadable", io.to_string(), true),
        _ => ("csv_row", error.to_string(), false),
    };
    Fault {
        ends,
        ..Fault::new(code, line, message)
    }
}

/// Cuts off a row that never ends: the reader of CSV would keep all of it.
struct Metered<R> {
    inner: R,
    budget: Rc<Cell<u64>>,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let left = self.budget.get().checked_sub(count as u64);
        self.budget.set(left.ok_or_else(|| {
            io::Error::new(io::ErrorKind::FileTooLarge, "a row that does not end")
        })?);
        Ok(count)
    }
}
