//! Delimited text: CSV and its kin, row by row in bounded memory.

use std::cell::{Cell, RefCell};
use std::io::{self, BufRead, BufReader, Read};
use std::rc::Rc;

use csv::StringRecord;
use serde::Deserialize;

use crate::charset::Decoded;
use crate::control::{Sum, TotalCell, Writing, beyond, compare_count, missing};
use crate::format::{Broken, Fault, Row, Rows};
use crate::lines::Lines;

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
    /// Lines before the first one that counts, such as a title.
    pub(crate) skip: u64,
    /// The first line, where it says how much comes after it; the names of the columns follow it.
    pub(crate) header: Option<Control>,
    /// Names of the columns where the file has no line with them.
    pub(crate) columns: Option<Vec<String>>,
    /// The last line, where the system writes one.
    pub(crate) trailer: Option<Control>,
}

/// A line that says how much is in the file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Control {
    /// What its first cell says.
    pub(crate) mark: String,
    /// The cell with the number of rows, from 1.
    pub(crate) count: Option<usize>,
    /// The cell with the total of a column.
    pub(crate) total: Option<TotalCell>,
}

impl Default for Delimited {
    fn default() -> Self {
        Self {
            separator: ",".to_owned(),
            quote: "\"".to_owned(),
            encoding: "utf-8".to_owned(),
            skip: 0,
            header: None,
            columns: None,
            trailer: None,
        }
    }
}

impl Delimited {
    /// Whether the file says itself how much is in it.
    pub(crate) fn counts_itself(&self) -> bool {
        let says = |control: &Control| control.count.is_some() || control.total.is_some();
        self.trailer.is_some() || self.header.as_ref().is_some_and(says)
    }
}

/// More cells than this are no table.
const MOST_COLUMNS: usize = 4096;
/// A row longer than this is a quote that was never closed.
const LONGEST_ROW: u64 = 1 << 20;

/// Reads rows.
pub(crate) struct Reader<R: Read> {
    csv: csv::Reader<BufReader<Metered<Decoded<R>>>>,
    columns: Vec<String>,
    budget: Rc<Cell<u64>>,
    lines: Rc<RefCell<Lines>>,
    /// Bytes before those that the reader of CSV sees.
    skipped: u64,
    header: Option<Said>,
    trailer: Option<Said>,
    rows: u64,
    ended: bool,
}

/// A line that says how much is in the file, and what came of it so far.
struct Said {
    control: Control,
    /// Index of the column that is added up, and the sum.
    sum: Option<(usize, Sum)>,
    /// The line, once it came.
    line: u64,
    cells: StringRecord,
}

impl Said {
    fn new(control: Option<&Control>, columns: &[String]) -> Result<Option<Self>, Fault> {
        let Some(control) = control else {
            return Ok(None);
        };
        let sum = control.total.as_ref().map(|total| -> Result<_, Fault> {
            let at = columns.iter().position(|name| *name == total.column);
            let at = at.ok_or_else(|| {
                let message = format!(
                    "the column `{}` is missing, of which the file says the total",
                    total.column
                );
                Fault::end("csv_columns", 1, message)
            })?;
            let writing = Writing {
                point: total.point,
                group: total.group,
            };
            Ok((at, Sum::new(&total.column, writing)))
        });
        Ok(Some(Self {
            control: control.clone(),
            sum: sum.transpose()?,
            line: 1,
            cells: StringRecord::new(),
        }))
    }

    fn begins(&self, cells: &StringRecord) -> bool {
        cells.get(0).map(str::trim) == Some(self.control.mark.as_str())
    }

    fn add(&mut self, line: u64, cells: &StringRecord, whole: bool) {
        if let Some((at, sum)) = &mut self.sum {
            sum.add(line, cells.get(*at).filter(|_| whole));
        }
    }

    fn compare(&self, rows: u64) -> Option<Fault> {
        let cell = |at: usize| self.cells.get(at.saturating_sub(1)).unwrap_or_default();
        let count = self.control.count;
        let of_count = count.and_then(|at| compare_count(cell(at), rows, self.line));
        of_count.or_else(|| {
            let (total, (_, sum)) = (self.control.total.as_ref()?, self.sum.as_ref()?);
            sum.compare(cell(total.cell), self.line)
        })
    }
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
        let lines = Rc::new(RefCell::new(Lines::default()));
        let metered = Metered {
            inner: text,
            budget: Rc::clone(&budget),
            lines: Rc::clone(&lines),
        };
        let mut metered = BufReader::new(metered);
        let line = |byte: u64| lines.borrow_mut().at(byte);
        let mut skipped = 0;
        skip(&mut metered, format.skip, &budget, &mut skipped)
            .and_then(|()| skip_marks(&mut metered, &mut skipped))
            .map_err(|error| fault(&error.into(), line(skipped)))?;
        let mut csv = csv::ReaderBuilder::new()
            .delimiter(separator)
            .quoting(quote.is_some())
            .quote(quote.unwrap_or(b'"'))
            .has_headers(false)
            .flexible(true)
            .buffer_capacity(64 * 1024)
            .from_reader(metered);
        let mut first = StringRecord::new();
        if let Some(header) = &format.header {
            csv.read_record(&mut first)
                .map_err(|error| fault(&error, line(skipped)))?;
            if first.get(0).map(str::trim) != Some(header.mark.as_str()) {
                return Err(missing("first", &header.mark, line(skipped)));
            }
        }
        let first_line = line(skipped);
        let columns = match &format.columns {
            Some(columns) => columns.clone(),
            None => {
                let mut heads = StringRecord::new();
                let read = csv.read_record(&mut heads);
                read.map_err(|error| fault(&error, line(skipped + csv.position().byte())))?;
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
        let mut header = Said::new(format.header.as_ref(), &columns)?;
        if let Some(header) = &mut header {
            header.line = first_line;
            header.cells = first;
        }
        Ok(Self {
            csv,
            trailer: Said::new(format.trailer.as_ref(), &columns)?,
            header,
            columns,
            budget,
            lines,
            skipped,
            rows: 0,
            ended: false,
        })
    }

    /// The next record with its line; what cannot be read is a fault.
    fn record(&mut self) -> Result<Option<(u64, StringRecord)>, Fault> {
        self.budget.set(2 * LONGEST_ROW);
        let mut cells = StringRecord::new();
        let read = self.csv.read_record(&mut cells);
        let read = read.map_err(|error| {
            let begins = error.position().map_or(0, csv::Position::byte);
            fault(&error, self.line(begins.max(self.csv.position().byte())))
        });
        if !read? {
            return Ok(None);
        }
        let line = self.line(cells.position().map_or(0, csv::Position::byte));
        Ok(Some((line, cells)))
    }

    /// The line of a byte that the reader of CSV sees.
    fn line(&self, byte: u64) -> u64 {
        self.lines.borrow_mut().at(self.skipped + byte)
    }

    /// What is wrong with the file as a whole, now that it ended without its last line or with it.
    fn whole(&mut self, trailer: Option<(u64, StringRecord)>) -> Option<Fault> {
        let line = self.line(self.csv.position().byte());
        if let Some(said) = &mut self.trailer {
            let Some((line, cells)) = trailer else {
                return Some(missing("last", &said.control.mark, line));
            };
            (said.line, said.cells) = (line, cells);
        }
        let said = self.trailer.iter().chain(&self.header);
        let rows = self.rows;
        let wrong = said.filter_map(|said| said.compare(rows)).next();
        wrong.or_else(|| self.rest())
    }

    fn rest(&mut self) -> Option<Fault> {
        let mark = self.trailer.as_ref()?.control.mark.clone();
        loop {
            match self.record() {
                Ok(None) => return None,
                Ok(Some((_, cells))) if is_blank(&cells) => {}
                Ok(Some((line, _))) => return Some(beyond(&mark, line)),
                Err(fault) => {
                    return Some(Fault {
                        ends: true,
                        ..fault
                    });
                }
            }
        }
    }
}

impl<R: Read> Rows for Reader<R> {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn next_row(&mut self) -> Option<Result<Row, Broken>> {
        while !self.ended {
            let (line, cells) = match self.record() {
                Ok(Some(record)) => record,
                Ok(None) => {
                    self.ended = true;
                    return self.whole(None).map(|fault| Err((None, fault)));
                }
                Err(fault) => {
                    self.ended = fault.ends;
                    return Some(Err((None, fault)));
                }
            };
            if is_blank(&cells) {
                continue;
            }
            if self
                .trailer
                .as_ref()
                .is_some_and(|said| said.begins(&cells))
            {
                self.ended = true;
                let trailer = Some((line, cells));
                return self.whole(trailer).map(|fault| Err((None, fault)));
            }
            self.rows += 1;
            let whole = cells.len() == self.columns.len();
            for said in self.header.iter_mut().chain(&mut self.trailer) {
                said.add(line, &cells, whole);
            }
            if !whole {
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

fn is_blank(cells: &StringRecord) -> bool {
    cells.iter().all(|cell| cell.trim().is_empty())
}

/// Leaves lines out, whatever is in them.
fn skip(
    text: &mut impl BufRead,
    lines: u64,
    budget: &Cell<u64>,
    skipped: &mut u64,
) -> io::Result<()> {
    let mut left = lines;
    let mut after_cr = false;
    budget.set(2 * LONGEST_ROW);
    loop {
        let piece = text.fill_buf()?;
        let Some(first) = piece.first() else {
            return Ok(());
        };
        // The second byte of CRLF may come with the next piece.
        let used = if after_cr && *first == b'\n' {
            1
        } else if left == 0 {
            return Ok(());
        } else {
            let end = piece.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
            if end.is_some() {
                left -= 1;
                budget.set(2 * LONGEST_ROW);
            }
            end.map_or(piece.len(), |end| end + 1)
        };
        after_cr = piece.get(used - 1) == Some(&b'\r');
        text.consume(used);
        *skipped += used as u64;
    }
}

/// Leaves byte order marks out: files put together of others have several, or have them behind a title. The reader of
/// CSV takes one away as well, but only where the first piece that it gets is long enough.
fn skip_marks(text: &mut impl BufRead, skipped: &mut u64) -> io::Result<()> {
    const MARK: &[u8] = "\u{feff}".as_bytes();
    while text.fill_buf()?.starts_with(MARK) {
        text.consume(MARK.len());
        *skipped += MARK.len() as u64;
    }
    Ok(())
}

fn single(text: &str) -> Option<u8> {
    match text.as_bytes() {
        [one] if one.is_ascii() => Some(*one),
        _ => None,
    }
}

fn fault(error: &csv::Error, line: u64) -> Fault {
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
    lines: Rc<RefCell<Lines>>,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let piece = buffer.get(..count).unwrap_or_default();
        self.lines.borrow_mut().add(piece);
        let left = self.budget.get().checked_sub(count as u64);
        self.budget.set(left.ok_or_else(|| {
            io::Error::new(io::ErrorKind::FileTooLarge, "a row that does not end")
        })?);
        Ok(count)
    }
}
