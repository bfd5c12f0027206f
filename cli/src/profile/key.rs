//! What tells rows apart, and which columns say the same again and again.
//!
//! Columns are compared with one another on the first rows; what holds there is looked at in all of them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde::Serialize;

use super::values::{COMPARED, Hashing, MOST_VALUES, SAMPLE, Table, hash, hash_of};

/// What tells the rows of a table apart.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Keys {
    /// Columns, or pairs of columns, that never say the same twice.
    pub(crate) keys: Vec<Vec<String>>,
    /// Columns that hardly ever say the same twice.
    pub(crate) almost: Vec<Almost>,
    /// Columns of whose value others follow.
    pub(crate) deciding: Vec<Deciding>,
    /// Items that come in several units.
    pub(crate) several_units: Vec<SeveralUnits>,
    /// What was not looked at, and why.
    pub(crate) not_told: Vec<String>,
}

/// A column that would be a key without a few rows.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Almost {
    pub(crate) column: String,
    /// Rows beyond the first one of their value.
    pub(crate) repeated: u64,
    /// Value, rows, first line.
    pub(crate) examples: Vec<(String, u64, u64)>,
}

/// A column whose rows have the same in other columns, too: a header that is repeated in each line.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Deciding {
    pub(crate) column: String,
    /// How many different values it has.
    pub(crate) groups: u64,
    /// The most rows of one of them.
    pub(crate) most_rows: u64,
    /// Whether rows with the same value follow each other, as `group_by` needs it.
    pub(crate) together: bool,
    /// Columns that are the same in all rows of a value.
    pub(crate) decides: Vec<String>,
    /// Columns that differ.
    pub(crate) beside: Vec<String>,
}

/// Items with more than one unit.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct SeveralUnits {
    pub(crate) item: String,
    pub(crate) unit: String,
    /// How many items.
    pub(crate) items: u64,
    /// Some of them, with their units.
    pub(crate) examples: Vec<(String, Vec<String>)>,
}

/// Gives all rows once more.
pub(crate) type Again<'a> = &'a mut dyn FnMut(&mut dyn FnMut(&[&str]));

/// The most pairs and deciding columns that are looked at in all rows.
const MOST_PAIRS: usize = 12;
const MOST_DECIDING: usize = 6;
/// Pairs that are told.
const TOLD_PAIRS: usize = 4;
/// Hashes that are kept for each question about all rows.
const MOST_HASHES: usize = 2_000_000;

/// What is asked of all rows.
struct Asked {
    columns: Vec<usize>,
    seen: HashSet<u64, Hashing>,
    whole: bool,
    unique: bool,
}

struct Group {
    column: usize,
    /// Columns that may still follow, with what they say for each value.
    follows: Vec<(usize, bool)>,
    first: HashMap<u64, Vec<u64>, Hashing>,
    whole: bool,
}

/// Which columns could be part of a key: those that are no amounts.
pub(crate) struct Candidates<'c> {
    pub(crate) fit: &'c dyn Fn(usize) -> bool,
    /// Which columns could be the number of a document that others follow from.
    pub(crate) decide: &'c dyn Fn(usize) -> bool,
    /// Columns of items, and of units.
    pub(crate) items: Vec<usize>,
    pub(crate) units: Vec<usize>,
}

/// Looks for keys.
pub(crate) fn keys(table: &Table, candidates: &Candidates<'_>, again: Again<'_>) -> Keys {
    let mut found = Keys::default();
    let (repeated, _) = table.duplicates();
    let apart = table.rows - repeated;
    if table.rows < 2 {
        return found;
    }
    let full = |index: usize| {
        table
            .columns
            .get(index)
            .filter(|column| column.filled == table.rows && column.longest <= 80)
    };
    let mut asked: Vec<Asked> = Vec::new();
    let mut single = BTreeSet::new();
    for index in 0..table.columns.len() {
        let Some(column) = full(index).filter(|_| (candidates.fit)(index)) else {
            continue;
        };
        if column.gave_up.is_some() {
            if column.values.values().all(|seen| seen.rows == 1) {
                asked.push(Asked::new(vec![index]));
                single.insert(index);
            }
        } else if column.values.len() as u64 == apart {
            found.keys.push(vec![column.name.clone()]);
            single.insert(index);
        } else if table.rows >= 20 && column.values.len() as u64 * 100 >= table.rows * 95 {
            found.almost.push(Almost::new(table, index));
        }
    }
    if table.columns.len() > COMPARED {
        found.not_told.push(format!(
            "only the first {COMPARED} columns were compared with one another"
        ));
    }
    let compared: Vec<usize> = (0..table.columns.len().min(COMPARED))
        .filter(|index| full(*index).is_some_and(|column| column.values.len() > 1))
        .filter(|index| (candidates.fit)(*index) && !single.contains(index))
        .collect();
    let all_sampled = table.rows <= SAMPLE as u64;
    let pairs = pairs(table, &compared, apart);
    let may_decide: Vec<usize> = compared
        .iter()
        .copied()
        .filter(|index| (candidates.decide)(*index))
        .collect();
    let mut groups = deciding(table, &may_decide);
    if all_sampled {
        let named = pairs.iter().take(TOLD_PAIRS);
        found.keys.extend(named.map(|pair| names(table, pair)));
    } else {
        asked.extend(pairs.into_iter().take(MOST_PAIRS).map(Asked::new));
    }
    let mut units = UnitsOfItems::new(candidates);
    let ask = !asked.is_empty() || !units.of.is_empty() || (!all_sampled && !groups.is_empty());
    if ask {
        let mut rows: HashSet<u64, Hashing> = HashSet::default();
        again(&mut |cells| {
            let hashes: Vec<u64> = cells.iter().map(|cell| hash(cell.trim())).collect();
            // A row that is there again as a whole says nothing against a key.
            let is_new = rows.len() >= MOST_HASHES || rows.insert(hash_of(hashes.iter().copied()));
            if is_new {
                asked.iter_mut().for_each(|asked| asked.row(&hashes));
            }
            if !all_sampled {
                groups.iter_mut().for_each(|group| group.row(&hashes));
            }
            units.row(cells);
        });
    }
    let mut told = 0;
    for asked in &asked {
        let named = names(table, &asked.columns);
        if !asked.unique || (asked.columns.len() > 1 && told == TOLD_PAIRS) {
            continue;
        }
        told += usize::from(asked.columns.len() > 1);
        if asked.whole {
            found.keys.push(named);
        } else {
            found.not_told.push(format!(
                "{} told apart the first {MOST_HASHES} rows; beyond them it was not looked at",
                named.join(" and ")
            ));
        }
    }
    found.deciding = groups
        .into_iter()
        .filter_map(|group| group.told(table))
        .collect();
    for index in compared {
        if let Some(column) = full(index).filter(|column| column.gave_up.is_some()) {
            found.not_told.push(format!(
                "{}: more than {MOST_VALUES} different values, or no more room for them",
                column.name
            ));
        }
    }
    found.several_units = units.told(table);
    found
}

fn names(table: &Table, columns: &[usize]) -> Vec<String> {
    let named = columns.iter().filter_map(|index| table.columns.get(*index));
    named.map(|column| column.name.clone()).collect()
}

fn distinct(table: &Table, index: usize) -> u64 {
    table
        .columns
        .get(index)
        .map_or(0, |column| column.values.len() as u64)
}

fn cell(row: &[u64], index: usize) -> u64 {
    row.get(index).copied().unwrap_or_default()
}

/// Pairs that tell the first rows apart, those with the fewest values first.
fn pairs(table: &Table, compared: &[usize], apart: u64) -> Vec<Vec<usize>> {
    let mut found = Vec::new();
    let mut whole: HashSet<u64, Hashing> = HashSet::default();
    let rows: Vec<&Vec<u64>> = table
        .sample
        .iter()
        .filter(|row| whole.insert(hash_of(row.iter().copied())))
        .collect();
    for (at, a) in compared.iter().enumerate() {
        for b in compared.iter().skip(at + 1) {
            let (of_a, of_b) = (distinct(table, *a), distinct(table, *b));
            if of_a.saturating_mul(of_b) < apart {
                continue;
            }
            let mut seen: HashSet<u64, Hashing> = HashSet::default();
            let unique = rows
                .iter()
                .all(|row| seen.insert(hash_of([cell(row, *a), cell(row, *b)].into_iter())));
            if unique {
                found.push((of_a + of_b, vec![*a, *b]));
            }
        }
    }
    found.sort();
    found.into_iter().map(|(_, pair)| pair).collect()
}

/// Columns of whose value others follow in the first rows; those from which most follows first.
fn deciding(table: &Table, compared: &[usize]) -> Vec<Group> {
    let width = table.columns.len().min(COMPARED);
    let varies = |index: usize| {
        table.columns.get(index).is_some_and(|column| {
            column.values.len() > 1 || (column.filled > 0 && column.filled < table.rows)
        })
    };
    let mut groups: Vec<(usize, usize, Group)> = Vec::new();
    for column in compared {
        let values = distinct(table, *column);
        // Hardly repeated: nothing can be seen. Three values: anything could be.
        if values < 3 || (table.rows - values.min(table.rows)) < (table.rows / 20).max(3) {
            continue;
        }
        let follows = (0..width).filter(|other| other != column && varies(*other));
        let mut group = Group {
            column: *column,
            follows: follows.map(|other| (other, true)).collect(),
            first: HashMap::default(),
            whole: true,
        };
        for row in &table.sample {
            group.row(row);
        }
        group.follows.retain(|(_, holds)| *holds);
        if !group.follows.is_empty() {
            group.first = HashMap::default();
            groups.push((
                group.follows.len(),
                usize::try_from(values).unwrap_or(0),
                group,
            ));
        }
    }
    groups.sort_by_key(|(follows, values, _)| std::cmp::Reverse((*follows, *values)));
    let mut kept: Vec<Group> = Vec::new();
    for (.., group) in groups {
        let follows = |from: &Group, to: usize| from.follows.iter().any(|(other, _)| *other == to);
        // A name beside its number decides the same: one of them is told.
        let same = kept
            .iter()
            .any(|other| follows(other, group.column) && follows(&group, other.column));
        if !same && kept.len() < MOST_DECIDING {
            kept.push(group);
        }
    }
    kept
}

impl Asked {
    fn new(columns: Vec<usize>) -> Self {
        Self {
            columns,
            seen: HashSet::default(),
            whole: true,
            unique: true,
        }
    }

    fn row(&mut self, hashes: &[u64]) {
        if !self.unique || !self.whole {
            return;
        }
        if self.seen.len() >= MOST_HASHES {
            self.whole = false;
            self.seen = HashSet::default();
            return;
        }
        let key = hash_of(self.columns.iter().map(|index| cell(hashes, *index)));
        if !self.seen.insert(key) {
            self.unique = false;
            self.seen = HashSet::default();
        }
    }
}

impl Group {
    fn row(&mut self, hashes: &[u64]) {
        if !self.whole {
            return;
        }
        let key = cell(hashes, self.column);
        let has_room = self.first.len().saturating_mul(self.follows.len()) < MOST_HASHES;
        if let Some(first) = self.first.get(&key) {
            for ((other, holds), first) in self.follows.iter_mut().zip(first) {
                *holds &= cell(hashes, *other) == *first;
            }
        } else if has_room {
            let first = self.follows.iter().map(|(other, _)| cell(hashes, *other));
            self.first.insert(key, first.collect());
        } else {
            self.whole = false;
        }
    }

    fn told(self, table: &Table) -> Option<Deciding> {
        let column = table.columns.get(self.column)?;
        let decides: Vec<usize> = self
            .follows
            .iter()
            .filter(|(_, holds)| *holds)
            .map(|(other, _)| *other)
            .collect();
        if decides.is_empty() {
            return None;
        }
        let beside: Vec<usize> = (0..table.columns.len())
            .filter(|index| *index != self.column && !decides.contains(index))
            .filter(|index| distinct(table, *index) > 1)
            .collect();
        Some(Deciding {
            column: column.name.clone(),
            groups: column.values.len() as u64,
            most_rows: column
                .values
                .values()
                .map(|seen| seen.rows)
                .max()
                .unwrap_or_default(),
            together: column.is_together(),
            decides: names(table, &decides),
            beside: names(table, &beside),
        })
    }
}

impl Almost {
    fn new(table: &Table, index: usize) -> Self {
        let column = table.columns.get(index);
        let ranked = column.map(|column| column.ranked()).unwrap_or_default();
        let twice = ranked.iter().filter(|(_, seen)| seen.rows > 1);
        Self {
            column: column.map(|column| column.name.clone()).unwrap_or_default(),
            repeated: twice.clone().map(|(_, seen)| seen.rows - 1).sum(),
            examples: twice
                .take(3)
                .map(|(value, seen)| ((*value).to_owned(), seen.rows, seen.line))
                .collect(),
        }
    }
}

/// The units of each item.
struct UnitsOfItems {
    of: Vec<(usize, usize, BTreeMap<String, BTreeSet<String>>)>,
}

impl UnitsOfItems {
    fn new(candidates: &Candidates<'_>) -> Self {
        let pairs = candidates.items.iter().flat_map(|item| {
            let units = candidates.units.iter();
            units.map(|unit| (*item, *unit, BTreeMap::new()))
        });
        Self {
            of: pairs.collect(),
        }
    }

    fn row(&mut self, cells: &[&str]) {
        for (item, unit, units) in &mut self.of {
            let text = |index: usize| cells.get(index).map(|cell| cell.trim()).unwrap_or_default();
            let (item, unit) = (text(*item), text(*unit));
            if item.is_empty() || unit.is_empty() {
                continue;
            }
            if let Some(known) = units.get_mut(item) {
                if !known.contains(unit) {
                    known.insert(unit.to_owned());
                }
            } else if units.len() < MOST_VALUES {
                units.insert(item.to_owned(), [unit.to_owned()].into());
            }
        }
    }

    fn told(self, table: &Table) -> Vec<SeveralUnits> {
        let name = |index: usize| {
            let column = table.columns.get(index);
            column.map(|column| column.name.clone()).unwrap_or_default()
        };
        let mut told = Vec::new();
        for (item, unit, units) in self.of {
            let several = units.into_iter().filter(|(_, units)| units.len() > 1);
            let several: Vec<(String, Vec<String>)> = several
                .map(|(item, units)| (item, units.into_iter().collect()))
                .collect();
            if !several.is_empty() {
                told.push(SeveralUnits {
                    item: name(item),
                    unit: name(unit),
                    items: several.len() as u64,
                    examples: several.into_iter().take(5).collect(),
                });
            }
        }
        told
    }
}
