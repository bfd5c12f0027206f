//! A file as its format reads it, without anything being made of it: for looking at what a plant sends.

use std::io::{self, Read};

use interplant_domain::identifier::PlantCode;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::document::{self, Input, Unread};
use crate::exact;
use crate::feed::{Bundle, Feed};
use crate::format::{Fault, Format};
use crate::place::{Mistake, Place, Spot};

/// A format as a feed describes it.
#[derive(Debug, Clone)]
pub struct Extract {
    feed: Feed,
}

/// What comes of a file, in its order.
#[derive(Debug)]
pub enum Part<'p> {
    /// The names of the columns of a table; they come first.
    Columns(&'p [String]),
    /// A row with its cells as they are written, blanks at their ends included.
    Row(u64, &'p csv::StringRecord),
    /// A document of a format that has no rows.
    Document(u64, Value),
    /// What cannot be read, and how many cells it has.
    Unread(Unread, Option<usize>),
}

/// What the only file is called here.
const ROLE: &str = "file";

impl Extract {
    /// Reads the description of a format, such as `{"delimited": {"separator": ";"}}`.
    ///
    /// # Errors
    /// When it is none that a feed could have.
    pub fn new(format: &Value) -> Result<Self, Mistake> {
        let mut file = json!({"name": "*"});
        if let (Some(file), Some(format)) = (file.as_object_mut(), format.as_object()) {
            file.extend(format.clone());
        }
        let feed = json!({"system": "extract", "document": "\"1\"", "files": {ROLE: file}});
        // JSON is YAML.
        let path = "extract/feeds/extract.yaml".to_owned();
        let files = [(path.clone(), feed.to_string().into_bytes())].into();
        let plant: PlantCode = "extract"
            .parse()
            .map_err(|_| Place::of(&path).mistake("no plant"))?;
        Ok(Self {
            feed: Feed::read(&Bundle { files }, &plant, &path)?,
        })
    }

    /// Reads a file to its end, in bounded memory.
    ///
    /// # Errors
    /// When nothing of it can be read.
    pub fn read<'a>(
        &self,
        name: &'a str,
        open: &'a dyn Fn() -> io::Result<Box<dyn Read + 'a>>,
        each: &mut dyn FnMut(Part<'_>),
    ) -> Result<(), Unread> {
        let unread = |fault: Fault| Unread {
            code: fault.code,
            spot: Spot {
                segment: fault.segment,
                column: fault.column,
                ..Spot::line(name, fault.line)
            },
            message: fault.message,
            ends: fault.ends,
        };
        let Some(file) = self.feed.files.get(ROLE) else {
            return Ok(());
        };
        let table = match &file.format {
            Format::Table(table) => table,
            Format::Tree(_) => {
                let input = Input {
                    role: ROLE,
                    name,
                    open,
                };
                return document::read(&self.feed, &[input], &mut |read| match read {
                    Ok(document) => {
                        // Readers give text, lists and objects, which JSON has as well.
                        let value = serde_json::to_value(&document.value).unwrap_or_default();
                        each(Part::Document(document.spot.line, value));
                    }
                    Err(fault) => each(Part::Unread(fault, None)),
                });
            }
        };
        let bytes = open().map_err(|error| unread(Fault::unreadable(&error)))?;
        let mut rows = table.open(bytes).map_err(unread)?;
        each(Part::Columns(rows.columns()));
        while let Some(row) = rows.next_row() {
            match row {
                Ok(row) => each(Part::Row(row.line, &row.cells)),
                Err((row, fault)) => {
                    let cells = row.map(|row| row.cells.len());
                    each(Part::Unread(unread(fault), cells));
                }
            }
        }
        Ok(())
    }
}

/// A number as `$dec` reads it.
///
/// # Errors
/// When it is none, in words.
pub fn decimal(text: &str, point: char, group: Option<char>) -> Result<Decimal, String> {
    exact::decimal(text, point, group)
}

/// A day as `$day` reads it.
///
/// # Errors
/// When it is none, in words.
pub fn day(text: &str, format: &str) -> Result<Date, String> {
    exact::day(text, format)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(format: &Value, text: &'static str) -> (Vec<String>, Vec<Vec<String>>, Vec<Unread>) {
        let extract = Extract::new(format).unwrap();
        let (mut columns, mut rows, mut faults) = (Vec::new(), Vec::new(), Vec::new());
        extract
            .read(
                "a.csv",
                &|| Ok(Box::new(text.as_bytes())),
                &mut |part| match part {
                    Part::Columns(names) => columns = names.to_vec(),
                    Part::Row(_, cells) => rows.push(cells.iter().map(str::to_owned).collect()),
                    Part::Document(..) => panic!("a table has rows"),
                    Part::Unread(fault, _) => faults.push(fault),
                },
            )
            .unwrap();
        (columns, rows, faults)
    }

    #[test]
    fn cells_come_with_their_blanks_and_faults_with_their_lines() {
        let format = json!({"delimited": {"separator": ";"}});
        let (columns, rows, faults) = rows(&format, "a;b\nX  ;1\nY\n");
        assert_eq!(columns, ["a", "b"]);
        assert_eq!(rows, [["X  ", "1"]]);
        assert_eq!(faults.len(), 1);
        assert_eq!(
            (faults[0].code, faults[0].spot.to_string().as_str()),
            ("csv_cells", "a.csv line 3")
        );
    }

    #[test]
    fn a_format_that_no_feed_could_have_is_refused() {
        let refused = Extract::new(&json!({"delimited": {"separators": ";"}})).unwrap_err();
        assert!(refused.message.contains("separators"), "{refused}");
    }
}
