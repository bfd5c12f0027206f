//! How far lookups know the codes of a file.

use std::collections::HashSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use interplant_mapping::extract::{Extract, Part};
use serde::Serialize;

use super::separated;
use super::sniff;
use super::values::{Hashing, Table};
use crate::Failure;

/// A table of codes: `--lookup name=file:column`.
#[derive(Debug, Clone)]
pub(crate) struct Lookup {
    pub(crate) name: String,
    codes: HashSet<String, Hashing>,
}

/// How far a lookup knows the codes of a column.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Coverage {
    pub(crate) lookup: String,
    pub(crate) column: String,
    /// Different values that the lookup knows, and all of them.
    pub(crate) known: u64,
    pub(crate) values: u64,
    /// Rows with a value that it does not know.
    pub(crate) unknown_rows: u64,
    /// Some of those values, with their rows.
    pub(crate) unknown: Vec<(String, u64)>,
    /// Codes of the lookup that are not in the column.
    pub(crate) unused: u64,
}

/// Reads the codes of a lookup.
///
/// # Errors
/// When the option is not of its form, or the file has no such column.
pub(crate) fn read_lookup(option: &str) -> Result<Lookup, Failure> {
    let parts = option
        .split_once('=')
        .and_then(|(name, rest)| Some((name, rest.rsplit_once(':')?)));
    let Some((name, (file, column))) = parts else {
        return Err(format!(
            "`--lookup {option}`: it is written name=file:column, such as items=items.csv:code"
        )
        .into());
    };
    let path = Path::new(file);
    let sniffed = sniff::sniff(path)?;
    let found = separated::look(&sniffed.head, &sniffed.tail, sniffed.whole);
    let encoding = sniffed.encoding.unwrap_or("utf-8");
    let format = found.map_or_else(
        || serde_json::json!({"delimited": {"encoding": encoding}}),
        |found| found.format(encoding, (None, None)),
    );
    let mut codes = HashSet::default();
    let (mut at, mut columns) = (None, Vec::new());
    let open = || Ok(Box::new(File::open(path)?) as Box<dyn Read>);
    Extract::new(&format)?.read(file, &open, &mut |part| match part {
        Part::Columns(names) => {
            at = names.iter().position(|name| name == column);
            columns = names.to_vec();
        }
        Part::Row(_, row) => {
            let code = at.and_then(|at| row.get(at)).map(str::trim);
            codes.extend(code.filter(|code| !code.is_empty()).map(str::to_owned));
        }
        Part::Document(..) | Part::Unread(..) => {}
    })?;
    if at.is_none() {
        let has = columns.join(", ");
        return Err(format!("{file} has no column `{column}`, but {has}").into());
    }
    Ok(Lookup {
        name: name.to_owned(),
        codes,
    })
}

/// The columns of a table whose codes a lookup knows, at least half of them.
pub(crate) fn cover(table: &Table, lookups: &[Lookup]) -> Vec<Coverage> {
    let mut all = Vec::new();
    for lookup in lookups {
        for column in table
            .columns
            .iter()
            .filter(|column| column.gave_up.is_none())
        {
            let values = column.values.len() as u64;
            let is_known = |value: &str| lookup.codes.contains(value);
            let known = column.values.keys().filter(|value| is_known(value)).count() as u64;
            if known == 0 || known * 2 < values {
                continue;
            }
            let unknown = column.ranked();
            let unknown: Vec<(String, u64)> = unknown
                .into_iter()
                .filter(|(value, _)| !is_known(value))
                .map(|(value, seen)| (value.to_owned(), seen.rows))
                .collect();
            all.push(Coverage {
                lookup: lookup.name.clone(),
                column: column.name.clone(),
                known,
                values,
                unknown_rows: unknown.iter().map(|(_, rows)| rows).sum(),
                unused: lookup.codes.len() as u64 - known,
                unknown: unknown.into_iter().take(10).collect(),
            });
        }
    }
    all
}
