//! Lookups: what a plant's codes mean, as a table with a key; a row may be valid for a time only.

use std::collections::BTreeMap;
use std::str::FromStr;

use jiff::civil::Date;

use crate::format::{Fault, Rows};
use crate::place::{Mistake, Place};

/// A table of codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lookup {
    columns: Vec<String>,
    rows: BTreeMap<String, Vec<Row>>,
    /// What a code means that the table does not list, where the configuration says so.
    default: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    values: Vec<String>,
    from: Option<Date>,
    until: Option<Date>,
}

/// Columns of a lookup that say when a row is valid; both days belong to it.
const VALID_FROM: &str = "valid_from";
const VALID_UNTIL: &str = "valid_until";

/// A lookup is kept in memory as a whole.
const MOST_BYTES: usize = 32 << 20;

impl Lookup {
    /// Reads a table. Two rows of one key must not be valid on the same day.
    pub(crate) fn read(
        place: &Place,
        mut reader: Box<dyn Rows + '_>,
        key: &str,
        default: Option<BTreeMap<String, String>>,
    ) -> Result<Self, Mistake> {
        let file = place.file.clone();
        let mistake = |error: Fault| {
            Place {
                file: file.clone(),
                line: error.line,
                column: 1,
            }
            .mistake(error.message)
        };
        let columns: Vec<String> = reader.columns().to_vec();
        let at = |name: &str| columns.iter().position(|column| column == name);
        let key_at = at(key).ok_or_else(|| {
            place.mistake(format!(
                "the lookup has no column `{key}`, which is its key"
            ))
        })?;
        let (from_at, until_at) = (at(VALID_FROM), at(VALID_UNTIL));
        let mut rows: BTreeMap<String, Vec<Row>> = BTreeMap::new();
        let mut bytes = 0;
        while let Some(row) = reader.next_row() {
            let row = row.map_err(|(_, fault)| mistake(fault))?;
            let here = Place {
                file: file.clone(),
                line: row.line,
                column: 1,
            };
            bytes += row.cells.as_slice().len() + 32 * row.cells.len();
            if bytes > MOST_BYTES {
                return Err(here.mistake(format!("a lookup has at most {} MB", MOST_BYTES >> 20)));
            }
            let values: Vec<String> = row
                .cells
                .iter()
                .map(|cell| cell.trim().to_owned())
                .collect();
            let day = |index: Option<usize>| {
                let text = index
                    .and_then(|index| values.get(index))
                    .filter(|text| !text.is_empty());
                text.map(|text| {
                    Date::from_str(text).map_err(|_| {
                        here.mistake(format!("`{text}` is no day, such as 2026-11-23"))
                    })
                })
                .transpose()
            };
            let new = Row {
                from: day(from_at)?,
                until: day(until_at)?,
                values: values.clone(),
            };
            let code = values.get(key_at).cloned().unwrap_or_default();
            let others = rows.entry(code.clone()).or_default();
            if others.iter().any(|other| other.overlaps(&new)) {
                return Err(here.mistake(format!(
                    "`{code}` is there twice for the same time: the lookup must say one thing"
                )));
            }
            others.push(new);
        }
        Ok(Self {
            columns,
            rows,
            default,
        })
    }

    /// What a code means; nothing when the table does not know it.
    pub(crate) fn find(
        &self,
        code: &str,
        column: &str,
        day: Option<&str>,
    ) -> Result<Option<&str>, String> {
        let index = self
            .columns
            .iter()
            .position(|name| name == column)
            .ok_or_else(|| format!("the lookup has no column `{column}`"))?;
        let day = day
            .map(|text| Date::from_str(text).map_err(|_| format!("`{text}` is no day")))
            .transpose()?;
        let rows = self
            .rows
            .get(code.trim())
            .map(Vec::as_slice)
            .unwrap_or_default();
        if day.is_none() && rows.len() > 1 {
            return Err(format!(
                "`{}` means several things over time: name the day, $table(name, code, column, day)",
                code.trim()
            ));
        }
        let row = rows
            .iter()
            .find(|row| day.is_none_or(|day| row.is_valid(day)));
        let found = row
            .and_then(|row| row.values.get(index))
            .map(String::as_str);
        let default = || {
            self.default
                .as_ref()
                .and_then(|default| default.get(column))
        };
        Ok(found
            .filter(|text| !text.is_empty())
            .or_else(|| default().map(String::as_str)))
    }

    /// Whether it lists a code, for any day.
    pub(crate) fn has(&self, code: &str) -> bool {
        self.rows.contains_key(code)
    }

    /// How many codes it has.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }
}

impl Row {
    fn is_valid(&self, day: Date) -> bool {
        self.from.is_none_or(|from| from <= day) && self.until.is_none_or(|until| day <= until)
    }

    fn overlaps(&self, other: &Self) -> bool {
        let before = |a: &Self, b: &Self| match (a.until, b.from) {
            (Some(until), Some(from)) => until < from,
            (None, _) | (_, None) => false,
        };
        !before(self, other) && !before(other, self)
    }
}
