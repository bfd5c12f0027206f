//! Rows into records: a row that only has cells of one2many columns continues the record above.

use serde_json::Value as Json;

use crate::schema::{Kind, Model, Schema};

/// The rows a record comes from, counted from 0.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    pub(crate) from: usize,
    pub(crate) to: usize,
}

/// One record as it stands in the rows: first columns with what is below them.
#[derive(Debug)]
pub(crate) struct Extracted {
    pub(crate) span: Span,
    /// Column and cell, in the order of the columns.
    pub(crate) fields: Vec<(String, Cell)>,
}

/// What stands in a column.
#[derive(Debug)]
pub(crate) enum Cell {
    Plain(Json),
    /// The parts of a relation: `id`, `.id` or the empty name for a plain name.
    Reference(Vec<(String, Json)>),
    /// The records of a one2many.
    Lines(Vec<Extracted>),
}

impl Extracted {
    /// A plain cell as text.
    pub(crate) fn text(&self, column: &str) -> Option<String> {
        self.fields.iter().find_map(|(name, cell)| match cell {
            Cell::Plain(json) if name == column => match json {
                Json::String(text) => Some(text.clone()),
                Json::Number(number) => Some(number.to_string()),
                Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => None,
            },
            Cell::Plain(_) | Cell::Reference(_) | Cell::Lines(_) => None,
        })
    }
}

pub(crate) fn is_blank(cell: Option<&Json>) -> bool {
    match cell {
        None | Some(Json::Null | Json::Bool(false)) => true,
        Some(Json::String(text)) => text.is_empty(),
        Some(Json::Bool(true) | Json::Number(_) | Json::Array(_) | Json::Object(_)) => false,
    }
}

fn is_one2many(model: &Model, name: &str) -> bool {
    matches!(
        model.fields.get(name).map(|field| field.kind),
        Some(Kind::One2many(..))
    )
}

pub(crate) fn extract(
    schema: &'static Schema,
    model: &'static Model,
    paths: &[Vec<String>],
    rows: &[Vec<Json>],
) -> Vec<Extracted> {
    let first = |path: &Vec<String>| path.first().cloned().unwrap_or_default();
    let in_list: Vec<bool> = paths
        .iter()
        .map(|path| is_one2many(model, &first(path)))
        .collect();
    let has = |row: &Vec<Json>, lists: bool| {
        in_list
            .iter()
            .enumerate()
            .any(|(column, list)| *list == lists && !is_blank(row.get(column)))
    };
    let mut records = Vec::new();
    let mut at = 0;
    while let Some(row) = rows.get(at) {
        let below = rows
            .iter()
            .skip(at + 1)
            .take_while(|row| has(row, true) && !has(row, false))
            .count();
        let span = Span {
            from: at,
            to: at + below,
        };
        let own = rows.get(span.from..=span.to).unwrap_or_default();
        let mut fields: Vec<(String, Cell)> = Vec::new();
        for (column, path) in paths.iter().enumerate() {
            let name = first(path);
            if fields.iter().any(|(known, _)| *known == name) {
                continue;
            }
            let related = model
                .fields
                .get(name.as_str())
                .is_some_and(|field| field.kind.relation().is_some());
            let cell = if in_list.get(column) == Some(&true) {
                Cell::Lines(lines(schema, model, &name, paths, own))
            } else if related {
                let parts = paths
                    .iter()
                    .enumerate()
                    .filter(|(_, path)| first(path) == name);
                Cell::Reference(
                    parts
                        .map(|(at, path)| {
                            (
                                path.get(1).cloned().unwrap_or_default(),
                                row.get(at).cloned().unwrap_or_default(),
                            )
                        })
                        .collect(),
                )
            } else {
                Cell::Plain(row.get(column).cloned().unwrap_or_default())
            };
            fields.push((name, cell));
        }
        records.push(Extracted { span, fields });
        at = span.to + 1;
    }
    records
}

fn lines(
    schema: &'static Schema,
    model: &'static Model,
    name: &str,
    paths: &[Vec<String>],
    rows: &[Vec<Json>],
) -> Vec<Extracted> {
    let Some(to) = model
        .fields
        .get(name)
        .and_then(|field| field.kind.relation())
    else {
        return Vec::new();
    };
    let columns: Vec<(usize, Vec<String>)> = paths
        .iter()
        .enumerate()
        .filter(|(_, path)| path.first().is_some_and(|first| first == name))
        .map(|(at, path)| (at, path.get(1..).unwrap_or_default().to_vec()))
        .collect();
    let below: Vec<Vec<String>> = columns.iter().map(|(_, path)| path.clone()).collect();
    let rows: Vec<Vec<Json>> = rows
        .iter()
        .map(|row| {
            columns
                .iter()
                .map(|(at, _)| row.get(*at).cloned().unwrap_or_default())
                .collect::<Vec<Json>>()
        })
        .filter(|row| row.iter().any(|cell| !is_blank(Some(cell))))
        .collect();
    schema
        .model(to)
        .map(|to| extract(schema, to, &below, &rows))
        .unwrap_or_default()
}
