//! Text in fixed columns: lines, or records of constant length, whose cells stand at positions.
//!
//! Lines of one kind are a table (`columns`). Where lines are of several kinds, told by a mark, the file is a tree
//! (`records`): a record says of which other it is a part (`of`), and belongs to the last one of those before it. A
//! record that is a part of none is a document. A tree rather than a table whose rows repeat their header, because
//! in such files what belongs to a line often stands in lines of its own after it, and so does what belongs to those.
//! A record with `carry` is no document: its columns are in every document after it.
//!
//! Positions count characters, from 1. Decimals that are implied by a position are the mapping's: `$dec_shift`.

mod lines;
mod table;
mod tree;
mod walk;

use indexmap::IndexMap;
use serde::Deserialize;

pub(crate) use table::Reader;
pub(crate) use tree::read;

use crate::control::point;
use crate::format::Fault;
use lines::Line;

/// How a file is written.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Fixed {
    /// Character set by its WHATWG name, such as `utf-8` or `latin1`; a byte order mark goes before it.
    encoding: String,
    /// Whether lines have ends; otherwise records of `length` follow each other.
    line_ends: bool,
    /// Characters of a line; without it, up to the end of its last column.
    length: Option<usize>,
    /// Whether blanks at the end of a line may be missing.
    trimmed: bool,
    /// Lines before the first one that counts.
    skip: u64,
    /// Cells of every line, where lines are of one kind.
    columns: Vec<Column>,
    /// Kinds of lines by name, where there are several.
    records: IndexMap<String, Record>,
    /// Lines that say nothing, such as comments.
    ignored: Vec<Mark>,
    /// The first line, where it says how much comes after it.
    header: Option<Control>,
    /// The last line, where the system writes one.
    trailer: Option<Control>,
}

impl Default for Fixed {
    fn default() -> Self {
        Self {
            encoding: "utf-8".to_owned(),
            line_ends: true,
            length: None,
            trimmed: false,
            skip: 0,
            columns: Vec::new(),
            records: IndexMap::new(),
            ignored: Vec::new(),
            header: None,
            trailer: None,
        }
    }
}

/// A cell of a line.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Column {
    name: String,
    at: usize,
    width: usize,
}

impl Column {
    fn end(&self) -> usize {
        self.at.saturating_add(self.width).saturating_sub(1)
    }
}

/// What tells a kind of line.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mark {
    at: usize,
    text: String,
    /// How wide the cell of the mark is; as wide as its text without it.
    width: Option<usize>,
}

impl Mark {
    fn width(&self) -> usize {
        self.width.unwrap_or_else(|| self.text.chars().count())
    }

    fn fits(&self, line: &Line) -> bool {
        line.cell(self.at, self.width()).trim_end() == self.text.trim_end()
    }

    /// Whether every line that another mark tells is told by this one.
    fn shadows(&self, other: &Self) -> bool {
        let (own, theirs) = (self.text.trim_end(), other.text.trim_end());
        self.at == other.at
            && theirs.starts_with(own)
            && (own == theirs || self.width() <= own.chars().count())
    }
}

/// A kind of line.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    mark: Mark,
    /// The kind of which it is a part; none makes it a document.
    of: Option<String>,
    /// Whether it is in every document after it, instead of being one.
    #[serde(default)]
    carry: bool,
    length: Option<usize>,
    #[serde(default)]
    columns: Vec<Column>,
}

/// A line that says how much is in the file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Control {
    mark: Mark,
    count: Option<Count>,
    total: Option<Total>,
}

/// Where the number of lines stands.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Count {
    at: usize,
    width: usize,
    /// The kinds of lines that it counts; all of them when none is named. Header and trailer never count.
    #[serde(default)]
    of: Vec<String>,
}

/// Where the total of a column stands.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Total {
    at: usize,
    width: usize,
    column: String,
    /// The kind of lines that has the column, where there are several.
    of: Option<String>,
    #[serde(default = "point")]
    point: char,
    #[serde(default)]
    group: Option<char>,
}

/// A line longer than this is none.
const LONGEST: usize = 1 << 16;
/// More columns than this are no layout.
const MOST_COLUMNS: usize = 4096;

impl Fixed {
    /// Whether the file says itself how much is in it.
    pub(crate) fn counts_itself(&self) -> bool {
        self.trailer.is_some() || self.header.as_ref().is_some_and(Control::says_something)
    }

    /// Whether lines are of several kinds: then the file is a tree.
    pub(crate) fn is_tree(&self) -> bool {
        !self.records.is_empty()
    }

    /// What of the layout contradicts itself.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.columns.is_empty() == self.records.is_empty() {
            return Err(
                "`fixed` has `columns`, or `records` where lines are of several kinds".to_owned(),
            );
        }
        if !self.line_ends && self.length.is_none() {
            return Err(
                "`fixed` without line ends needs `length`: how long a record is".to_owned(),
            );
        }
        let whole = self.length.unwrap_or(LONGEST);
        if !(1..=LONGEST).contains(&whole) {
            return Err(format!("`length` is 1 to {LONGEST}"));
        }
        check_columns("columns", &self.columns, whole)?;
        for (name, record) in &self.records {
            if !self.line_ends && record.length.is_some() {
                return Err(format!(
                    "`{name}` has a `length` of its own, which needs line ends"
                ));
            }
            let length = record.length.unwrap_or(whole);
            check_columns(name, &record.columns, length.min(LONGEST))?;
            self.check_place(name, record)?;
        }
        if self.is_tree()
            && self
                .records
                .values()
                .all(|record| record.carry || record.of.is_some())
        {
            return Err(
                "one of `records` has neither `of` nor `carry`: the one that is a document"
                    .to_owned(),
            );
        }
        let controls = self.header.iter().chain(&self.trailer);
        let marks: Vec<&Mark> = controls
            .clone()
            .map(|control| &control.mark)
            .chain(&self.ignored)
            .chain(self.records.values().map(|record| &record.mark))
            .collect();
        for (index, mark) in marks.iter().enumerate() {
            check_cell(&mark.text, mark.at, mark.width(), whole)?;
            if mark.text.trim().is_empty() {
                return Err("a mark has a text".to_owned());
            }
            if let Some(shadow) = marks
                .iter()
                .take(index)
                .find(|earlier| earlier.shadows(mark))
            {
                return Err(format!(
                    "the mark `{}` tells the lines of `{}` as well: say its `width`",
                    shadow.text, mark.text
                ));
            }
        }
        controls
            .clone()
            .try_for_each(|control| self.check_control(control, whole))
    }

    fn check_place(&self, name: &str, record: &Record) -> Result<(), String> {
        let mut above = record.of.as_deref();
        if record.carry && above.is_some() {
            return Err(format!("`{name}` has `of` or `carry`, not both"));
        }
        let mut documents = self.records.values().filter(|other| other.of.is_none());
        if record.carry
            && documents.any(|other| other.columns.iter().any(|column| column.name == *name))
        {
            return Err(format!(
                "a document has a column `{name}` and records `{name}`: give one another name"
            ));
        }
        if let Some(of) = above {
            let parent = self
                .records
                .get(of)
                .ok_or_else(|| format!("`{name}` is of `{of}`, which is none of `records`"))?;
            if parent.carry {
                return Err(format!("`{name}` is of `{of}`, which is no document"));
            }
            if parent.columns.iter().any(|column| column.name == name) {
                return Err(format!(
                    "`{of}` has a column `{name}` and records `{name}`: give one another name"
                ));
            }
        }
        for _ in 0..=self.records.len() {
            let Some(of) = above else {
                return Ok(());
            };
            above = self.records.get(of).and_then(|parent| parent.of.as_deref());
        }
        Err(format!("`{name}` is a part of itself"))
    }

    fn check_control(&self, control: &Control, length: usize) -> Result<(), String> {
        if let Some(count) = &control.count {
            check_cell("count", count.at, count.width, length)?;
            if let Some(unknown) = count
                .of
                .iter()
                .find(|name| !self.records.contains_key(*name))
            {
                return Err(format!(
                    "`count` is of `{unknown}`, which is none of `records`"
                ));
            }
        }
        let Some(total) = &control.total else {
            return Ok(());
        };
        check_cell("total", total.at, total.width, length)?;
        let columns = match &total.of {
            Some(of) => self.records.get(of).map(|record| &record.columns),
            None => Some(&self.columns),
        };
        let has = columns.is_some_and(|columns| columns.iter().any(|one| one.name == total.column));
        if has {
            return Ok(());
        }
        Err(format!(
            "`total` is of a column `{}`, which is not there; `of` names the record that has it",
            total.column
        ))
    }

    fn layout<'f>(&self, columns: &'f [Column], own: Option<usize>) -> Layout<'f> {
        let end = || columns.iter().map(Column::end).max().unwrap_or_default();
        Layout {
            columns,
            length: own.or(self.length).unwrap_or_else(end),
            trimmed: self.trimmed,
        }
    }
}

fn check_columns(what: &str, columns: &[Column], length: usize) -> Result<(), String> {
    if columns.len() > MOST_COLUMNS {
        return Err(format!("`{what}`: more than {MOST_COLUMNS} columns"));
    }
    for (index, column) in columns.iter().enumerate() {
        check_cell(&column.name, column.at, column.width, length)?;
        if columns
            .iter()
            .take(index)
            .any(|other| other.name == column.name)
        {
            return Err(format!(
                "`{what}`: the column `{}` is there twice",
                column.name
            ));
        }
    }
    Ok(())
}

fn check_cell(name: &str, at: usize, width: usize, length: usize) -> Result<(), String> {
    let right = at >= 1 && width >= 1 && at.saturating_add(width) <= length.saturating_add(1);
    if right {
        return Ok(());
    }
    Err(format!(
        "`{name}`: position {at} and width {width} are not within a line of {length} characters, from 1"
    ))
}

impl Control {
    fn says_something(&self) -> bool {
        self.count.is_some() || self.total.is_some()
    }
}

/// How long a line must be, and which columns it has.
struct Layout<'f> {
    columns: &'f [Column],
    length: usize,
    trimmed: bool,
}

impl Layout<'_> {
    /// What is wrong with the length of a line.
    fn fault(&self, line: &Line) -> Option<Fault> {
        let found = line.length();
        let short = found < self.length && !self.trimmed;
        let long = line.filled() > self.length;
        if !short && !long {
            return None;
        }
        let column = self
            .columns
            .iter()
            .find(|column| short && column.end() > found);
        let (which, what) = if short {
            ("ends", "something of it is missing")
        } else {
            ("goes on", "it is no line of this layout")
        };
        let place = column.map_or_else(String::new, |column| format!(", in {}", column.name));
        Some(Fault {
            column: column.map(|column| column.name.clone()),
            ..Fault::new(
                "fixed_length",
                line.number,
                format!(
                    "{found} characters where the layout has {}: the line {which} at {}{place}, {what}",
                    self.length,
                    found.min(self.length) + 1
                ),
            )
        })
    }
}
