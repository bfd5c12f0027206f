//! What an unknown extract of a plant holds: how it is written, what its columns are about, what tells its rows
//! apart, and a feed that would read it.
//!
//! The file is read by the same readers as by a feed, in bounded memory, whatever its length. Amounts are exact.

mod between;
mod column;
mod cover;
mod day;
mod draft;
mod edi;
mod key;
mod number;
mod outline;
mod report;
mod role;
mod separated;
mod shape;
mod sniff;
mod unit;
mod values;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use interplant_mapping::document::Unread;
use interplant_mapping::extract::{Extract, Part};
use serde::Serialize;
use serde_json::{Value, json};

use crate::Failure;
use between::Between;
use column::ColumnReport;
use edi::Interchanges;
use key::{Candidates, Keys};
use separated::Separated;
use shape::Shapes;
use sniff::{Kind, Sniffed};
use values::{Room, Table};

pub(crate) use cover::{Lookup, read_lookup};
pub(crate) use draft::{Draft, DraftFile, Known, draft, scalar, unit_lookup};
pub(crate) use report::{print, remarks};
pub(crate) use role::Likely;

/// What files hold, and what they have to do with one another.
#[derive(Debug, Serialize)]
pub(crate) struct Profiles {
    pub(crate) files: Vec<Profile>,
    pub(crate) between: Between,
}

/// What a file holds.
#[derive(Debug, Serialize)]
pub(crate) struct Profile {
    /// The file from outside.
    pub(crate) file: Sniffed,
    /// How a feed describes it; none where no reader takes it.
    pub(crate) format: Option<Value>,
    /// Rows that cannot be read.
    pub(crate) unread: UnreadRows,
    /// Its tables: one, or those that its documents are made of.
    pub(crate) tables: Vec<TableReport>,
    /// What an interchange says of itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) interchanges: Option<Interchanges>,
    /// The facts that it is probably about, the likeliest first.
    pub(crate) likely: Vec<Likely>,
    /// How far lookups know its codes.
    pub(crate) lookups: Vec<cover::Coverage>,
    /// What is to be known of it.
    pub(crate) notes: Vec<String>,
    #[serde(skip)]
    pub(crate) separated: Option<Separated>,
}

/// Rows that cannot be read.
#[derive(Debug, Default, Serialize)]
pub(crate) struct UnreadRows {
    pub(crate) count: u64,
    /// The first ones.
    pub(crate) first: Vec<Unread>,
}

/// A table.
#[derive(Debug, Serialize)]
pub(crate) struct TableReport {
    /// Where it is in a document; empty for rows of a file, and for what documents say once.
    pub(crate) path: String,
    pub(crate) rows: u64,
    pub(crate) columns: Vec<ColumnReport>,
    /// Rows that another one repeats as a whole.
    pub(crate) repeated_rows: u64,
    /// The first lines of some of them, and how often they are there.
    pub(crate) repeated: Vec<(u64, u64)>,
    #[serde(flatten)]
    pub(crate) keys: Keys,
}

impl TableReport {
    /// The column that is about something.
    pub(crate) fn about(&self, role: role::Role) -> Option<&ColumnReport> {
        self.columns.iter().find(|column| column.role == Some(role))
    }
}

/// A file, and how many are looked at beside each other.
#[derive(Debug, Clone, Copy)]
struct Source<'s> {
    path: &'s Path,
    beside: usize,
}

/// A file that was looked at.
struct Looked {
    profile: Profile,
    tables: Vec<Table>,
    reading: Reading,
}

/// Looks at files.
///
/// # Errors
/// When one cannot be read, or is nothing that plants should send.
pub(crate) fn profile(paths: &[PathBuf], lookups: &[Lookup]) -> Result<Profiles, Failure> {
    let mut looked = Vec::new();
    let mut other = Vec::new();
    for (index, path) in paths.iter().enumerate() {
        match look(path, lookups, paths.len())? {
            Ok(file) => looked.push(*file),
            // Nothing of it is a table: there is nothing to compare.
            Err(profile) => other.push((index, *profile)),
        }
    }
    let between = if other.is_empty() && looked.len() > 1 {
        between::between(&looked)
    } else {
        Between::default()
    };
    let mut files: Vec<Profile> = looked.into_iter().map(|looked| looked.profile).collect();
    for (index, profile) in other {
        files.insert(index.min(files.len()), profile);
    }
    Ok(Profiles { files, between })
}

/// Looks at a file; one that has no table is told apart.
fn look(
    path: &Path,
    lookups: &[Lookup],
    beside: usize,
) -> Result<Result<Box<Looked>, Box<Profile>>, Failure> {
    let file = sniff::sniff(path).map_err(|failure| format!("{}: {failure}", path.display()))?;
    let mut profile = Profile {
        notes: file.notes.clone(),
        file,
        format: None,
        unread: UnreadRows::default(),
        tables: Vec::new(),
        interchanges: None,
        likely: Vec::new(),
        lookups: Vec::new(),
        separated: None,
    };
    let Some(mut reading) = profile.written(Source { path, beside })? else {
        return Ok(Err(Box::new(profile)));
    };
    let tables = std::mem::take(&mut reading.tables);
    let (reports, covered) = reported(&tables, &reading, lookups);
    let columns = reports.iter().flat_map(|table| &table.columns);
    let roles: Vec<role::Role> = columns.filter_map(|column| column.role).collect();
    profile.likely = role::likely(&roles);
    profile.tables = reports;
    profile.lookups = covered;
    profile.unread = std::mem::take(&mut reading.unread);
    Ok(Ok(Box::new(Looked {
        profile,
        tables,
        reading,
    })))
}

impl Profile {
    /// Finds out how the file is written, and reads it once by that.
    fn written(&mut self, source: Source<'_>) -> Result<Option<Reading>, Failure> {
        let head = self.file.head.clone();
        let format = match self.file.kind {
            Kind::Text => return self.rows_of_text(source),
            Kind::X12 => {
                self.interchanges = Some(edi::x12(&head));
                json!({"x12": {}})
            }
            Kind::Edifact => {
                self.interchanges = Some(edi::edifact(&head));
                json!({"edifact": {}})
            }
            Kind::Xml => outline::xml(&head),
            Kind::Json => outline::json(&head, self.file.whole),
            Kind::JsonLines => json!({"json": {"lines": true}}),
            Kind::Workbook => return self.workbook(source),
        };
        self.read_by(
            source,
            format,
            "this release does not read files of this kind yet",
        )
    }

    fn read_by(
        &mut self,
        source: Source<'_>,
        format: Value,
        or_else: &str,
    ) -> Result<Option<Reading>, Failure> {
        let read = Extract::new(&format)
            .map_err(Failure::from)
            .and_then(|extract| Reading::of(source, extract));
        match read {
            Ok(reading) if reading.tables.iter().any(|table| table.rows > 0) => {
                self.format = Some(format);
                Ok(Some(reading))
            }
            Ok(reading) if reading.unread.count > 0 => {
                self.format = Some(format);
                self.unread = reading.unread;
                Ok(None)
            }
            Ok(_) => {
                self.notes.push(or_else.to_owned());
                Ok(None)
            }
            Err(failure) => {
                self.notes.push(format!("{or_else}: {failure}"));
                Ok(None)
            }
        }
    }

    fn rows_of_text(&mut self, source: Source<'_>) -> Result<Option<Reading>, Failure> {
        let encoding = self.file.encoding.unwrap_or("utf-8");
        let found = separated::look(&self.file.head, &self.file.tail, self.file.whole);
        let Some(mut found) = found else {
            if let Some(format) = outline::fixed(&self.file.head, encoding) {
                self.notes.push("no sign separates cells, and lines are as long as one another: the columns are guessed by the blanks between them; take them from the system's description".to_owned());
                return self.read_by(
                    source,
                    format,
                    "text in fixed columns is not read by this release",
                );
            }
            self.notes.push(
                "no sign separates cells, and lines differ in length: this is no table".to_owned(),
            );
            return Ok(None);
        };
        let read = |found: &Separated| {
            Reading::of(source, Extract::new(&found.format(encoding, (None, None)))?)
        };
        let mut reading = read(&found)?;
        // Without any quote in the beginning, one further down may be an inch mark.
        if reading.unread.count > 0 && !found.quote_seen {
            found.quote = None;
            let plain = read(&found)?;
            if plain.unread.count < reading.unread.count {
                self.notes
                    .push("quotes are part of what cells say: `quote: \"\"`".to_owned());
                reading = plain;
            } else {
                found.quote = Some('"');
            }
        }
        let rows = reading.tables.first().map_or(0, |table| table.rows);
        let counts = found.counts(rows + reading.unread.count);
        self.said(&found, counts, rows);
        self.format = Some(found.format(encoding, counts));
        self.notes.extend(found.notes.clone());
        self.separated = Some(found);
        Ok(Some(reading))
    }

    /// What first and last lines say.
    fn said(&mut self, found: &Separated, counts: (Option<usize>, Option<usize>), rows: u64) {
        let lines = [
            ("first", &found.header, counts.0),
            ("last", &found.trailer, counts.1),
        ];
        for (which, cells, count) in lines {
            let Some(cells) = cells else { continue };
            let said = cells.join(" ");
            self.notes.push(match count {
                Some(cell) => format!("the {which} line `{said}` counts the rows in its cell {cell}: {rows}, as they came"),
                None if cells.iter().skip(1).any(|cell| cell.parse::<u64>().is_ok()) => format!(
                    "the {which} line is `{said}`; none of its numbers is that of the rows, {rows}: it counts something else, or the file is not whole"
                ),
                None => format!("the {which} line is `{said}`"),
            });
        }
    }

    /// A workbook's table may begin below a title.
    fn workbook(&mut self, source: Source<'_>) -> Result<Option<Reading>, Failure> {
        let or_else = "this release does not read workbooks yet";
        let mut best: Option<(usize, Value)> = None;
        for row in 1..=10 {
            let format = match row {
                1 => json!({"sheet": {}}),
                row => json!({"sheet": {"header_row": row}}),
            };
            let Ok(extract) = Extract::new(&format) else {
                break;
            };
            let Ok(reading) = Reading::of(source, extract) else {
                continue;
            };
            let columns = reading.tables.first().map(|table| &table.columns);
            // Columns without a name are called by their letters.
            let named = columns.into_iter().flatten().filter(|column| {
                column.name.len() > 2 && !column.name.bytes().all(|byte| byte.is_ascii_digit())
            });
            let named = named.count();
            if best.as_ref().is_none_or(|(most, _)| named > *most) {
                best = Some((named, format));
            }
        }
        let format = best.map_or_else(|| json!({"sheet": {}}), |(_, format)| format);
        self.read_by(source, format, or_else)
    }
}

/// A file that was read once.
struct Reading {
    path: PathBuf,
    extract: Extract,
    tables: Vec<Table>,
    unread: UnreadRows,
}

/// Rows that cannot be read and are shown.
const SHOWN: usize = 10;

/// Takes a row: path and columns of its table, which table, line, cells.
type EachRow<'e> = dyn FnMut(&str, &[String], usize, u64, &[&str]) + 'e;

impl Reading {
    fn of(source: Source<'_>, extract: Extract) -> Result<Self, Failure> {
        let mut reading = Self {
            path: source.path.to_owned(),
            extract,
            tables: Vec::new(),
            unread: UnreadRows::default(),
        };
        let (mut tables, mut room) = (Vec::<Table>::new(), Room::of(source.beside));
        let mut unread = UnreadRows::default();
        reading.rows(
            &mut |path, names, at, line, cells| {
                while tables.len() <= at {
                    tables.push(Table::new(path));
                }
                if let Some(table) = tables.get_mut(at) {
                    table.widen(names);
                    table.row(line, cells, &mut room);
                }
            },
            &mut |fault| {
                unread.count += 1;
                if unread.first.len() < SHOWN {
                    unread.first.push(fault);
                }
            },
        )?;
        (reading.tables, reading.unread) = (tables, unread);
        Ok(reading)
    }

    /// Gives every row: path and columns of its table, which table, line, cells.
    fn rows(&self, each: &mut EachRow<'_>, fault: &mut dyn FnMut(Unread)) -> Result<(), Failure> {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let path = self.path.clone();
        let mut columns: Vec<String> = Vec::new();
        let mut shapes = Shapes::default();
        let ended = self.extract.read(
            &name,
            &move || Ok(Box::new(File::open(&path)?) as Box<dyn Read>),
            &mut |part| match part {
                Part::Columns(names) => columns = names.to_vec(),
                Part::Row(line, row) => {
                    let cells: Vec<&str> = row.iter().collect();
                    each("", &columns, 0, line, &cells);
                }
                Part::Document(line, document) => {
                    shapes.rows(line, &document, &mut |shape, at, line, cells| {
                        each(&shape.path, &shape.names, at, line, cells);
                    });
                }
                Part::Unread(unread, _) => fault(unread),
            },
        );
        Ok(ended?)
    }
}

/// Reports of tables, and how far lookups know their codes.
fn reported(
    tables: &[Table],
    reading: &Reading,
    lookups: &[Lookup],
) -> (Vec<TableReport>, Vec<cover::Coverage>) {
    let columns = column::reports(tables);
    let mut covered = Vec::new();
    let mut reports = Vec::new();
    for (at, (table, columns)) in tables.iter().zip(columns).enumerate() {
        covered.extend(cover::cover(table, lookups));
        let fit = |index: usize| columns.get(index).is_some_and(ColumnReport::may_tell_apart);
        let of_role = |wanted: &dyn Fn(&ColumnReport) -> bool| -> Vec<usize> {
            let all = columns.iter().enumerate();
            all.filter(|(_, column)| wanted(column))
                .map(|(index, _)| index)
                .collect()
        };
        let decide = |index: usize| columns.get(index).is_some_and(ColumnReport::may_decide);
        let candidates = Candidates {
            fit: &fit,
            decide: &decide,
            items: of_role(&|column| column.role == Some(role::Role::Item)),
            units: of_role(&|column| column.units.is_some()),
        };
        let keys = key::keys(table, &candidates, &mut |each| {
            // It was read to its end a moment ago.
            drop(reading.rows(
                &mut |_, _, table, _, cells| {
                    if table == at {
                        each(cells);
                    }
                },
                &mut |_| {},
            ));
        });
        let (repeated_rows, repeated) = table.duplicates();
        reports.push(TableReport {
            path: table.path.clone(),
            rows: table.rows,
            columns,
            repeated_rows,
            repeated: repeated.iter().map(|seen| (seen.line, seen.rows)).collect(),
            keys,
        });
    }
    (reports, covered)
}
