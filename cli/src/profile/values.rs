//! The columns of a table while its rows go by, in bounded memory.

use std::collections::HashMap;
use std::collections::hash_map::{DefaultHasher, Entry};
use std::hash::{BuildHasherDefault, Hash as _, Hasher as _};

/// Same input, same report: hashes are not seeded.
pub(crate) type Hashing = BuildHasherDefault<DefaultHasher>;

/// The most different values of a column that are told apart.
pub(crate) const MOST_VALUES: usize = 200_000;
/// The most of all columns together, and the bytes of them.
const MOST_OF_ALL: usize = 2_000_000;
const MOST_BYTES: usize = 96 << 20;
/// Rows that are compared with one another column by column.
pub(crate) const SAMPLE: usize = 20_000;
/// So many columns are compared with one another.
pub(crate) const COMPARED: usize = 64;
/// Hashes of whole rows.
pub(crate) const MOST_ROWS: usize = 2_000_000;

/// How often a value is there, and where first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    pub(crate) rows: u64,
    pub(crate) line: u64,
}

/// A column.
#[derive(Debug, Default)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// Rows with something in it.
    pub(crate) filled: u64,
    /// Rows in which it has blanks around what it says.
    pub(crate) padded: u64,
    /// Rows in which it has nothing but blanks.
    pub(crate) only_blanks: u64,
    /// Characters of the shortest and the longest, blanks at the ends not counted.
    pub(crate) shortest: usize,
    pub(crate) longest: usize,
    /// Characters of all padded cells, when they are as wide as one another.
    pub(crate) width: Option<usize>,
    /// What it says.
    pub(crate) values: HashMap<Box<str>, Seen, Hashing>,
    /// The row from which on no new values were kept.
    pub(crate) gave_up: Option<u64>,
    /// How often it says something else than in the row before.
    pub(crate) runs: u64,
    /// Rows in which it is blank though it was not in the row before.
    pub(crate) left_blank: u64,
    last: u64,
    was_filled: bool,
}

/// A table, or the part of a tree that is one.
#[derive(Debug, Default)]
pub(crate) struct Table {
    /// Where it is in a document; empty for the rows of a file.
    pub(crate) path: String,
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: u64,
    /// Rows that are there more than once: the first line of each, and how often.
    pub(crate) whole: HashMap<u64, Seen, Hashing>,
    /// The row from which on whole rows were not compared any more.
    pub(crate) whole_gave_up: Option<u64>,
    /// Hashes of the cells of the first rows.
    pub(crate) sample: Vec<Vec<u64>>,
}

/// What all columns may still keep.
#[derive(Debug)]
pub(crate) struct Room {
    values: usize,
    bytes: usize,
}

impl Room {
    /// The room of one of several files.
    pub(crate) fn of(files: usize) -> Self {
        Self {
            values: MOST_OF_ALL / files.max(1),
            bytes: MOST_BYTES / files.max(1),
        }
    }
}

/// The hash of a cell; nought when it is blank.
pub(crate) fn hash(cell: &str) -> u64 {
    if cell.is_empty() {
        return 0;
    }
    let mut hasher = DefaultHasher::new();
    cell.hash(&mut hasher);
    hasher.finish() | 1
}

/// The hash of several cells.
pub(crate) fn hash_of(cells: impl Iterator<Item = u64>) -> u64 {
    let mut hasher = DefaultHasher::new();
    for cell in cells {
        cell.hash(&mut hasher);
    }
    hasher.finish()
}

impl Table {
    pub(crate) fn new(path: &str) -> Self {
        Self {
            path: path.to_owned(),
            ..Self::default()
        }
    }

    /// Adds columns that came up only now.
    pub(crate) fn widen(&mut self, names: &[String]) {
        for name in names.iter().skip(self.columns.len()) {
            self.columns.push(Column {
                name: name.clone(),
                ..Column::default()
            });
        }
    }

    /// Takes a row.
    pub(crate) fn row(&mut self, line: u64, cells: &[&str], room: &mut Room) {
        self.rows += 1;
        let rows = self.rows;
        let mut hashes = Vec::with_capacity(cells.len());
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            hashes.push(column.cell(rows, line, cell, room));
        }
        let whole = hash_of(hashes.iter().copied());
        let has_room = self.whole.len() < MOST_ROWS;
        match self.whole.entry(whole) {
            Entry::Occupied(mut seen) => seen.get_mut().rows += 1,
            Entry::Vacant(free) if has_room => {
                free.insert(Seen { rows: 1, line });
            }
            Entry::Vacant(_) => {
                self.whole_gave_up.get_or_insert(rows);
            }
        }
        if self.sample.len() < SAMPLE {
            hashes.truncate(COMPARED);
            self.sample.push(hashes);
        }
    }

    /// Rows that another one repeats as a whole, and the first of them.
    pub(crate) fn duplicates(&self) -> (u64, Vec<Seen>) {
        let mut all: Vec<Seen> = self
            .whole
            .values()
            .filter(|seen| seen.rows > 1)
            .copied()
            .collect();
        all.sort_by_key(|seen| seen.line);
        let repeated = all.iter().map(|seen| seen.rows - 1).sum();
        all.truncate(5);
        (repeated, all)
    }
}

impl Column {
    fn cell(&mut self, row: u64, line: u64, raw: &str, room: &mut Room) -> u64 {
        let cell = raw.trim();
        let hash = hash(cell);
        if row == 1 || hash != self.last {
            self.runs += 1;
        }
        self.last = hash;
        if cell.is_empty() {
            self.only_blanks += u64::from(!raw.is_empty());
            self.left_blank += u64::from(self.was_filled);
            self.was_filled = false;
            return hash;
        }
        self.was_filled = true;
        self.filled += 1;
        let length = cell.chars().count();
        if self.filled == 1 {
            self.shortest = length;
        }
        self.shortest = self.shortest.min(length);
        self.longest = self.longest.max(length);
        let width = raw.chars().count();
        if width > length {
            self.padded += 1;
        }
        if self.filled == 1 {
            self.width = Some(width);
        } else if self.width != Some(width) {
            self.width = None;
        }
        if let Some(seen) = self.values.get_mut(cell) {
            seen.rows += 1;
        } else if self.gave_up.is_none() {
            if self.values.len() < MOST_VALUES && room.values > 0 && room.bytes > cell.len() {
                room.values -= 1;
                room.bytes -= cell.len();
                self.values.insert(cell.into(), Seen { rows: 1, line });
            } else {
                self.gave_up = Some(row);
            }
        }
        hash
    }

    /// Values in order, the most frequent first.
    pub(crate) fn ranked(&self) -> Vec<(&str, Seen)> {
        let mut all: Vec<(&str, Seen)> = self
            .values
            .iter()
            .map(|(value, seen)| (&**value, *seen))
            .collect();
        all.sort_by(|a, b| b.1.rows.cmp(&a.1.rows).then_with(|| a.0.cmp(b.0)));
        all
    }

    /// Whether rows with the same value follow each other.
    pub(crate) fn is_together(&self) -> bool {
        self.gave_up.is_none() && self.left_blank == 0 && self.runs == self.values.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padded_blank_and_missing_cells_are_told_apart() {
        let mut table = Table::new("");
        table.widen(&["code".to_owned(), "text".to_owned()]);
        let mut room = Room::of(1);
        table.row(2, &["A   ", ""], &mut room);
        table.row(3, &["BB  ", "   "], &mut room);
        table.row(4, &["CCCC", "x"], &mut room);
        let [code, text] = table.columns.as_slice() else {
            panic!("two columns");
        };
        assert_eq!((code.filled, code.padded, code.width), (3, 2, Some(4)));
        assert_eq!((text.filled, text.only_blanks), (1, 1));
        assert!(code.is_together());
    }

    #[test]
    fn memory_is_bounded_and_the_row_is_told_from_which_on_nothing_was_kept() {
        let mut table = Table::new("");
        table.widen(&["a".to_owned()]);
        let mut room = Room {
            values: 3,
            bytes: 100,
        };
        for n in 0..10_u64 {
            table.row(n + 2, &[&n.to_string()], &mut room);
        }
        table.row(12, &["0"], &mut room);
        let column = &table.columns[0];
        assert_eq!((column.values.len(), column.gave_up), (3, Some(4)));
        assert_eq!((column.filled, column.values["0"].rows), (11, 2));
    }
}
