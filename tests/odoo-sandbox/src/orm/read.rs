//! `read`, `web_read` and their relatives.

use serde_json::{Map, Value as Json, json};

use crate::error::{Error, Result};
use crate::orm::convert::{Shape, show};
use crate::orm::search::sort;
use crate::schema::{Field, Kind, Model};
use crate::transaction::Transaction;
use crate::value::Value;
use crate::version::Writing;

fn value_of(tx: &Transaction, model: &'static Model, id: i64, field: &Field) -> Value {
    if field.key == "id" {
        Value::Int(id)
    } else {
        tx.get(model.name, id, field.key)
    }
}

/// # Errors
/// `ValueError` for an unknown field.
pub(crate) fn field<'m>(tx: &Transaction, model: &'m Model, name: &str) -> Result<&'m Field> {
    model
        .fields
        .get(name)
        .ok_or_else(|| Error::from(tx.version.unknown_field(name, model.name, Writing::No)))
}

/// Reads records. One that does not exist is left out without a word.
///
/// # Errors
/// `ValueError` for an unknown field.
pub(crate) fn read(
    tx: &Transaction,
    model: &'static Model,
    ids: &[i64],
    fields: &[String],
    shape: Shape,
) -> Result<Json> {
    let mut wanted = Vec::new();
    if fields.is_empty() {
        wanted.extend(model.fields.iter().map(|(name, field)| (*name, field)));
    }
    for name in fields {
        let field = field(tx, model, name)?;
        wanted.push((name.as_str(), field));
    }
    let mut rows = Vec::new();
    for id in ids.iter().copied().filter(|id| tx.exists(model.name, *id)) {
        let mut row = Map::new();
        row.insert("id".to_owned(), json!(id));
        for (name, field) in &wanted {
            row.insert(
                (*name).to_owned(),
                show(tx, field, &value_of(tx, model, id, field), shape),
            );
        }
        rows.push(Json::Object(row));
    }
    Ok(Json::Array(rows))
}

/// Reads records in the shape of a nested specification.
///
/// # Errors
/// `ValueError` for an unknown field.
pub(crate) fn web_read(
    tx: &Transaction,
    model: &'static Model,
    ids: &[i64],
    specification: &Map<String, Json>,
) -> Result<Vec<Json>> {
    let mut rows = Vec::new();
    for id in ids.iter().copied().filter(|id| tx.exists(model.name, *id)) {
        let mut row = Map::new();
        row.insert("id".to_owned(), json!(id));
        for (name, inner) in specification {
            let field = field(tx, model, name)?;
            let value = value_of(tx, model, id, field);
            let shown = match (field.kind, inner.get("fields").and_then(Json::as_object)) {
                (Kind::Many2one(to), Some(nested)) => {
                    match value.as_one().filter(|other| tx.exists(to, *other)) {
                        Some(other) => web_read(tx, tx.model(to)?, &[other], nested)?
                            .pop()
                            .unwrap_or(Json::Bool(false)),
                        None => Json::Bool(false),
                    }
                }
                (Kind::One2many(to, _) | Kind::Many2many(to), Some(nested)) => {
                    let to = tx.model(to)?;
                    let mut others = value.as_many().to_vec();
                    if let Some(order) = inner
                        .get("order")
                        .and_then(Json::as_str)
                        .filter(|order| !order.is_empty())
                    {
                        others = sort(tx, to, others, order)?;
                    }
                    let limit = inner
                        .get("limit")
                        .and_then(Json::as_u64)
                        .and_then(|limit| usize::try_from(limit).ok());
                    let detailed = web_read(
                        tx,
                        to,
                        others
                            .get(..limit.unwrap_or(usize::MAX).min(others.len()))
                            .unwrap_or_default(),
                        nested,
                    )?;
                    let rest = others
                        .into_iter()
                        .skip(detailed.len())
                        .map(|other| json!({"id": other}));
                    Json::Array(detailed.iter().cloned().chain(rest).collect())
                }
                _ => show(tx, field, &value, Shape::Bare),
            };
            row.insert(name.clone(), shown);
        }
        rows.push(Json::Object(row));
    }
    Ok(rows)
}
