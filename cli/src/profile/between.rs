//! What several files have to do with one another: lines of one, codes of another, units of one item in both.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::role::{Role, is_called_alike};
use super::values::{Column, MOST_VALUES};
use super::{Looked, TableReport};

/// What files have to do with one another.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Between {
    /// Columns whose values are keys of another file.
    pub(crate) references: Vec<Reference>,
    /// Items that come in several units, in one file or in several.
    pub(crate) several_units: Vec<UnitsOfItem>,
    /// How many such items there are.
    pub(crate) items_in_several_units: u64,
}

/// A column whose values are keys of another file.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Reference {
    /// Numbers of the files as they were named, from 0.
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) from_file: String,
    pub(crate) from_column: String,
    pub(crate) to_file: String,
    pub(crate) to_column: String,
    /// Different values that are keys there, and all of them.
    pub(crate) known: u64,
    pub(crate) values: u64,
    /// Keys that no row refers to.
    pub(crate) unused: u64,
    /// Some values that are no key there, with their rows.
    pub(crate) unknown: Vec<(String, u64)>,
}

/// An item with its units.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct UnitsOfItem {
    pub(crate) item: String,
    /// Each unit with where it was found.
    pub(crate) units: Vec<(String, String)>,
}

/// A column of a file that has one table.
type At<'f> = (usize, &'f Column, &'f TableReport);

/// Looks at files that were looked at one by one.
pub(crate) fn between(files: &[Looked]) -> Between {
    let references = references(files);
    let (several_units, items_in_several_units) = units(files, &references);
    Between {
        references,
        several_units,
        items_in_several_units,
    }
}

fn columns(files: &[Looked]) -> Vec<At<'_>> {
    let mut all = Vec::new();
    for (index, file) in files.iter().enumerate() {
        let (Some(table), Some(report)) = (file.tables.first(), file.profile.tables.first()) else {
            continue;
        };
        all.extend(table.columns.iter().map(|column| (index, column, report)));
    }
    all
}

fn references(files: &[Looked]) -> Vec<Reference> {
    let all = columns(files);
    let is_key = |(_, column, report): &&At<'_>| {
        let single = report.keys.keys.iter().filter(|key| key.len() == 1);
        column.gave_up.is_none() && single.flatten().any(|key| *key == column.name)
    };
    let mut found: Vec<(bool, u64, Reference)> = Vec::new();
    for (to, key, key_report) in all.iter().filter(is_key) {
        for (from, column, report) in &all {
            if from == to || column.gave_up.is_some() || column.values.is_empty() {
                continue;
            }
            let values = column.values.len() as u64;
            let keys = key.values.len() as u64;
            let known = column
                .values
                .keys()
                .filter(|value| key.values.contains_key(*value));
            let known = known.count() as u64;
            let role = |report: &TableReport, name: &str| {
                let mut columns = report.columns.iter();
                columns
                    .find(|column| column.name == name)
                    .and_then(|column| column.role)
            };
            let same_role = role(report, &column.name).is_some()
                && role(report, &column.name) == role(key_report, &key.name);
            let alike = is_called_alike(&column.name, &key.name) || same_role;
            // Two files that count from 1 have nothing to do with one another.
            if !alike
                && report
                    .keys
                    .keys
                    .iter()
                    .any(|own| own.as_slice() == [column.name.clone()])
            {
                continue;
            }
            // Small numbers are keys of every file: they must be most of the keys, or be called like them.
            let fits = known * 20 >= values * 19 && (alike || (known * 2 >= keys && values >= 10));
            if !fits || (!alike && key_report.rows < 10) {
                continue;
            }
            let unknown = column.ranked();
            let unknown = unknown
                .into_iter()
                .filter(|(value, _)| !key.values.contains_key(*value))
                .map(|(value, seen)| (value.to_owned(), seen.rows));
            let name = |index: usize| {
                let file = files.get(index);
                file.map(|file| file.profile.file.name.clone())
                    .unwrap_or_default()
            };
            found.push((
                alike,
                known,
                Reference {
                    from: *from,
                    to: *to,
                    from_file: name(*from),
                    from_column: column.name.clone(),
                    to_file: name(*to),
                    to_column: key.name.clone(),
                    known,
                    values,
                    unused: keys - known,
                    unknown: unknown.take(5).collect(),
                },
            ));
        }
    }
    // One file is referred to by one of its keys: the one that is called alike, else the one that knows most.
    found.sort_by_key(|(alike, known, _)| std::cmp::Reverse((*alike, *known)));
    let mut kept: Vec<Reference> = Vec::new();
    for (.., reference) in found {
        let taken = kept.iter().any(|other| {
            other.from == reference.from
                && other.from_column == reference.from_column
                && (other.to == reference.to || other.known >= reference.known)
        });
        if !taken {
            kept.push(reference);
        }
    }
    kept.sort_by(|a, b| (a.from, &a.from_column).cmp(&(b.from, &b.from_column)));
    kept
}

type Units = BTreeMap<String, BTreeSet<(String, String)>>;

/// Items with more than one unit, wherever an item is named: by its key, or by a column that refers to it.
fn units(files: &[Looked], references: &[Reference]) -> (Vec<UnitsOfItem>, u64) {
    let mut units = Units::new();
    // Items are the same where they are called by the same key.
    let item_key = references.iter().find(|reference| {
        let report = files
            .get(reference.to)
            .and_then(|file| file.profile.tables.first());
        let key = report.and_then(|report| report.about(Role::Item));
        key.is_some_and(|key| key.name == reference.to_column)
    });
    for (index, file) in files.iter().enumerate() {
        let Some(report) = file.profile.tables.first() else {
            continue;
        };
        let refers = references.iter().find(|reference| {
            item_key.is_some_and(|key| {
                reference.from == index
                    && reference.to == key.to
                    && reference.to_column == key.to_column
            })
        });
        let item = refers
            .map(|reference| reference.from_column.as_str())
            .or_else(|| report.about(Role::Item).map(|column| column.name.as_str()));
        let unit = report.about(Role::Unit).map(|column| column.name.as_str());
        let at = |name: &str| report.columns.iter().position(|column| column.name == name);
        let (Some(item), Some(unit)) = (item.and_then(at), unit.and_then(at)) else {
            continue;
        };
        let place = format!(
            "{} {}",
            file.profile.file.name,
            report.columns.get(unit).map_or("", |column| &column.name)
        );
        // It was read to its end a moment ago.
        drop(file.reading.rows(
            &mut |_, _, table, _, cells| {
                let cell =
                    |index: usize| cells.get(index).map(|cell| cell.trim()).unwrap_or_default();
                let (item, unit) = (cell(item), cell(unit));
                if table == 0 && !item.is_empty() && !unit.is_empty() {
                    note(&mut units, item, unit, &place);
                }
            },
            &mut |_| {},
        ));
    }
    let several = units.into_iter().filter(|(_, units)| {
        let written: BTreeSet<&String> = units.iter().map(|(unit, _)| unit).collect();
        written.len() > 1
    });
    let several: Vec<UnitsOfItem> = several
        .map(|(item, units)| UnitsOfItem {
            item,
            units: units.into_iter().collect(),
        })
        .collect();
    let count = several.len() as u64;
    (several.into_iter().take(5).collect(), count)
}

fn note(units: &mut Units, item: &str, unit: &str, place: &str) {
    let is_known = units
        .get(item)
        .is_some_and(|known| known.iter().any(|(known, at)| known == unit && at == place));
    if !is_known && (units.contains_key(item) || units.len() < MOST_VALUES) {
        let known = units.entry(item.to_owned()).or_default();
        known.insert((unit.to_owned(), place.to_owned()));
    }
}
