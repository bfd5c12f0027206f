//! `create`, `write`, `unlink` and the commands for lists of records.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};

use crate::error::{Error, Missing, Result};
use crate::models;
use crate::orm::convert::store;
use crate::schema::{Field, Kind, Model, Source};
use crate::store::Record;
use crate::transaction::Transaction;
use crate::value::{Value, id_of};
use crate::version::Writing;

/// What a caller wants set: plain values, and commands for lists, in the order in which they were sent.
#[derive(Debug, Default)]
pub(crate) struct Wishes {
    pub(crate) values: Vec<(&'static str, Value)>,
    pub(crate) lists: Vec<(&'static Field, Json)>,
}

impl Wishes {
    pub(crate) fn get(&self, key: &str) -> Option<&Value> {
        self.values
            .iter()
            .find(|(of, _)| *of == key)
            .map(|(_, value)| value)
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.get(key).is_some() || self.lists.iter().any(|(field, _)| field.key == key)
    }
}

impl<const N: usize> From<[(&'static str, Value); N]> for Wishes {
    fn from(values: [(&'static str, Value); N]) -> Self {
        Self {
            values: values.into(),
            lists: Vec::new(),
        }
    }
}

/// Reads what a caller sent for a record.
///
/// # Errors
/// Unknown field, wrong type, unknown record.
pub(crate) fn wishes(
    tx: &Transaction,
    model: &'static Model,
    vals: &Map<String, Json>,
    writing: Writing,
) -> Result<Wishes> {
    let mut wishes = Wishes::default();
    for (name, json) in vals {
        if name == "id" {
            continue;
        }
        let field = model
            .fields
            .get(name.as_str())
            .ok_or_else(|| Error::from(tx.version.unknown_field(name, model.name, writing)))?;
        match field.kind {
            Kind::One2many(..) | Kind::Many2many(_) => wishes.lists.push((field, json.clone())),
            Kind::Char
            | Kind::Text
            | Kind::Html
            | Kind::Integer
            | Kind::Float(_)
            | Kind::Monetary
            | Kind::Boolean
            | Kind::Date
            | Kind::Datetime
            | Kind::Selection(_)
            | Kind::Many2one(_) => wishes
                .values
                .push((field.key, store(tx, model.name, field, json)?)),
        }
    }
    Ok(wishes)
}

/// Creates a record from what a caller sent.
///
/// # Errors
/// What [`wishes`] and the model's rules raise.
pub(crate) fn create(
    tx: &mut Transaction,
    model: &'static Model,
    vals: &Map<String, Json>,
) -> Result<i64> {
    let wishes = wishes(tx, model, vals, Writing::Create)?;
    let id = create_from(tx, model, wishes)?;
    // The import's own way of naming what it creates; a repeat creates again and points the name at the new record.
    if let (Some(name), Some(module)) = (
        vals.get("id").and_then(Json::as_str),
        tx.env.context.get("_import_current_module"),
    ) {
        let module = module.as_str().unwrap_or("__import__");
        let name = if name.contains('.') {
            name.to_owned()
        } else {
            format!("{module}.{name}")
        };
        let noupdate = tx.context_flag("noupdate");
        tx.name_externally(&name, model.name, id, noupdate);
    }
    Ok(id)
}

/// Creates a record with the model's defaults and rules.
///
/// # Errors
/// A mandatory field without value, or what the model's rules raise.
pub(crate) fn create_from(
    tx: &mut Transaction,
    model: &'static Model,
    wishes: Wishes,
) -> Result<i64> {
    let mut record = Record::new();
    let mut through: BTreeMap<&'static str, Wishes> = BTreeMap::new();
    let mut assigned = Vec::new();
    let mut lists = Vec::new();
    for (key, value) in wishes.values {
        match model.by_key(key).map(|field| field.source) {
            Some(Source::Stored) => {
                record.insert(key, value);
            }
            Some(Source::Through(link)) => {
                through.entry(link).or_default().values.push((key, value))
            }
            Some(Source::Computed) => assigned.push((key, value)),
            None => {}
        }
    }
    for (field, commands) in wishes.lists {
        match field.source {
            Source::Through(link) => through
                .entry(link)
                .or_default()
                .lists
                .push((field, commands)),
            Source::Stored | Source::Computed => lists.push((field, commands)),
        }
    }
    models::parent(tx, model.name, &mut record, &mut through)?;
    models::defaults(tx, model.name, &mut record, &lists)?;
    for field in model
        .declared()
        .filter(|field| field.required && field.source == Source::Stored)
    {
        if record.get(field.key).is_none_or(Value::is_empty)
            && !matches!(field.kind, Kind::One2many(..) | Kind::Many2many(_))
        {
            return Err(mandatory(tx, model, field));
        }
    }
    let id = tx.insert(model.name, record);
    for (field, commands) in &lists {
        command(tx, model, id, field, commands)?;
    }
    for (key, value) in assigned {
        models::assign(tx, model.name, id, key, value)?;
    }
    models::created(tx, model.name, id)?;
    Ok(id)
}

fn mandatory(tx: &Transaction, model: &Model, field: &Field) -> Error {
    let wire = crate::version::wire_name(tx.version, model.name, field.key);
    let mut error =
        Error::validation(
            tx.version
                .mandatory_field(field.label, wire, model.label, model.name),
        );
    error.missing = Some(Missing {
        model: model.name,
        model_label: model.label,
        field: wire,
        label: field.label,
    });
    error
}

/// Writes what a caller sent to records.
///
/// # Errors
/// `MissingError`, or what [`wishes`] and the model's rules raise.
pub(crate) fn write(
    tx: &mut Transaction,
    model: &'static Model,
    ids: &[i64],
    vals: &Map<String, Json>,
) -> Result<()> {
    for id in ids {
        tx.require(model.name, *id)?;
    }
    let wishes = wishes(tx, model, vals, Writing::Update)?;
    for id in ids {
        write_to(tx, model, *id, &wishes)?;
    }
    Ok(())
}

/// What a record was before it was written to.
#[derive(Debug)]
pub(crate) struct Before(Record);

impl Before {
    pub(crate) fn get(&self, key: &str) -> Value {
        self.0.get(key).cloned().unwrap_or_default()
    }
}

pub(crate) fn write_to(
    tx: &mut Transaction,
    model: &'static Model,
    id: i64,
    wishes: &Wishes,
) -> Result<()> {
    models::writing(tx, model.name, id, wishes)?;
    let before = Before(
        model
            .fields
            .values()
            .filter(|field| field.source == Source::Stored)
            .map(|field| (field.key, tx.stored(model.name, id, field.key)))
            .collect(),
    );
    let mut assigned = Vec::new();
    // Any write moves the write date, an equal one too.
    tx.put_all(model.name, id, []);
    for (key, value) in &wishes.values {
        match model.by_key(key).map(|field| field.source) {
            Some(Source::Stored) => tx.put(model.name, id, key, value.clone()),
            Some(Source::Through(link)) => {
                let to = model.by_key(link).and_then(|field| field.kind.relation());
                if let (Some(to), Some(other)) = (to, tx.one(model.name, id, link)) {
                    write_to(
                        tx,
                        tx.model(to)?,
                        other,
                        &Wishes {
                            values: vec![(*key, value.clone())],
                            lists: Vec::new(),
                        },
                    )?;
                }
            }
            Some(Source::Computed) => assigned.push((*key, value.clone())),
            None => {}
        }
    }
    for (field, commands) in &wishes.lists {
        command(tx, model, id, field, commands)?;
    }
    for (key, value) in assigned {
        models::assign(tx, model.name, id, key, value)?;
    }
    models::written(tx, model.name, id, wishes, &before)
}

/// Carries out the commands for one list of one record.
fn command(
    tx: &mut Transaction,
    model: &'static Model,
    id: i64,
    field: &'static Field,
    commands: &Json,
) -> Result<()> {
    if let Source::Through(link) = field.source {
        let to = model.by_key(link).and_then(|of| of.kind.relation());
        let (Some(to), Some(other)) = (to, tx.one(model.name, id, link)) else {
            return Ok(());
        };
        let to = tx.model(to)?;
        let Some(field) = to.by_key(field.key) else {
            return Ok(());
        };
        return command(tx, to, other, field, commands);
    }
    let commands = match commands {
        Json::Array(commands) => commands.as_slice(),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Object(_) => &[],
    };
    // A bare list of ids replaces the list.
    let plain;
    let commands = if !commands.is_empty() && commands.iter().all(Json::is_i64) {
        plain = [json!([6, 0, commands])];
        plain.as_slice()
    } else {
        commands
    };
    match field.kind {
        Kind::One2many(to, inverse) => one2many(tx, id, tx.model(to)?, inverse, commands),
        Kind::Many2many(to) => many2many(tx, model, id, field, tx.model(to)?, commands),
        Kind::Char
        | Kind::Text
        | Kind::Html
        | Kind::Integer
        | Kind::Float(_)
        | Kind::Monetary
        | Kind::Boolean
        | Kind::Date
        | Kind::Datetime
        | Kind::Selection(_)
        | Kind::Many2one(_) => Ok(()),
    }
}

fn parts(command: &Json) -> (i64, Option<i64>, &Json) {
    let none = &Json::Null;
    (
        command.get(0).and_then(id_of).unwrap_or(-1),
        command.get(1).and_then(id_of),
        command.get(2).unwrap_or(none),
    )
}

fn one2many(
    tx: &mut Transaction,
    id: i64,
    to: &'static Model,
    inverse: &'static str,
    commands: &[Json],
) -> Result<()> {
    let owned = to.by_key(inverse).is_some_and(|field| field.required);
    for item in commands {
        let (code, other, rest) = parts(item);
        match (code, other) {
            (0, _) => {
                let vals = rest.as_object().cloned().unwrap_or_default();
                let mut wishes = wishes(tx, to, &vals, Writing::Create)?;
                wishes.values.retain(|(key, _)| *key != inverse);
                wishes.values.push((inverse, Value::One(id)));
                let created = create_from(tx, to, wishes)?;
                if let Some(name) = vals.get("id").and_then(Json::as_str)
                    && let Some(module) = tx
                        .env
                        .context
                        .get("_import_current_module")
                        .and_then(Json::as_str)
                {
                    let name = if name.contains('.') {
                        name.to_owned()
                    } else {
                        format!("{module}.{name}")
                    };
                    let noupdate = tx.context_flag("noupdate");
                    tx.name_externally(&name, to.name, created, noupdate);
                }
            }
            (1, Some(other)) => {
                let vals = rest.as_object().cloned().unwrap_or_default();
                write(tx, to, &[other], &vals)?;
            }
            (2, Some(other)) => unlink(tx, to, &[other])?,
            (3, Some(other)) => detach(tx, to, inverse, other, owned)?,
            (4, Some(other)) => {
                tx.require(to.name, other)?;
                tx.put(to.name, other, inverse, Value::One(id));
            }
            (5, _) => {
                for other in tx.referring(to.name, inverse, id) {
                    detach(tx, to, inverse, other, owned)?;
                }
            }
            (6, _) => {
                let keep: Vec<i64> = rest
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(id_of)
                    .collect();
                for other in tx.referring(to.name, inverse, id) {
                    if !keep.contains(&other) {
                        detach(tx, to, inverse, other, owned)?;
                    }
                }
                for other in keep {
                    tx.require(to.name, other)?;
                    tx.put(to.name, other, inverse, Value::One(id));
                }
            }
            _ => return Err(Error::value(format!("Wrong value for {}: {item}", to.name))),
        }
    }
    Ok(())
}

/// Takes a record out of a list: it goes with its owner, or stays behind without one.
fn detach(
    tx: &mut Transaction,
    to: &'static Model,
    inverse: &'static str,
    other: i64,
    owned: bool,
) -> Result<()> {
    if owned {
        return unlink(tx, to, &[other]);
    }
    tx.put(to.name, other, inverse, Value::Null);
    Ok(())
}

fn many2many(
    tx: &mut Transaction,
    model: &'static Model,
    id: i64,
    field: &Field,
    to: &'static Model,
    commands: &[Json],
) -> Result<()> {
    let mut list = tx.stored(model.name, id, field.key).as_many().to_vec();
    for item in commands {
        let (code, other, rest) = parts(item);
        match (code, other) {
            (0, _) => {
                let vals = rest.as_object().cloned().unwrap_or_default();
                list.push(create(tx, to, &vals)?);
            }
            (1, Some(other)) => {
                let vals = rest.as_object().cloned().unwrap_or_default();
                write(tx, to, &[other], &vals)?;
            }
            (2 | 3, Some(other)) => list.retain(|kept| *kept != other),
            (4, Some(other)) => {
                tx.require(to.name, other)?;
                if !list.contains(&other) {
                    list.push(other);
                }
            }
            (5, _) => list.clear(),
            (6, _) => {
                list = rest
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(id_of)
                    .collect();
                for other in &list {
                    tx.require(to.name, *other)?;
                }
            }
            _ => {
                return Err(Error::value(format!(
                    "Wrong value for {}.{}: {item}",
                    model.name, field.key
                )));
            }
        }
    }
    tx.put(model.name, id, field.key, Value::Many(list));
    Ok(())
}

/// Deletes records, what belongs to them, and their external ids.
///
/// # Errors
/// `MissingError`, `ValidationError` when another record needs them, or what the model's rules raise.
pub(crate) fn unlink(tx: &mut Transaction, model: &'static Model, ids: &[i64]) -> Result<()> {
    for id in ids {
        tx.require(model.name, *id)?;
    }
    for id in ids {
        models::unlinking(tx, model.name, *id)?;
    }
    let owned: BTreeSet<(&str, &str)> = model
        .fields
        .values()
        .filter_map(|field| {
            if let Kind::One2many(to, inverse) = field.kind {
                Some((to, inverse))
            } else {
                None
            }
        })
        .collect();
    for id in ids {
        for (other, field) in models_pointing_at(tx, model.name) {
            let pointing = tx.referring(other.name, field.key, *id);
            if pointing.is_empty() {
                continue;
            }
            if owned.contains(&(other.name, field.key)) && field.required {
                unlink(tx, other, &pointing)?;
            } else if field.required {
                return Err(Error::validation(tx.version.still_used(
                    other.label,
                    other.name,
                    field.label,
                    field.key,
                )));
            } else {
                for id in pointing {
                    tx.put(other.name, id, field.key, Value::Null);
                }
            }
        }
        for data in tx.ids("ir.model.data") {
            if tx.int("ir.model.data", data, "res_id") == *id
                && tx.text("ir.model.data", data, "model") == model.name
            {
                tx.remove("ir.model.data", data);
            }
        }
        tx.remove(model.name, *id);
    }
    Ok(())
}

fn models_pointing_at(tx: &Transaction, model: &str) -> Vec<(&'static Model, &'static Field)> {
    let schema = tx.schema;
    let mut all = Vec::new();
    for other in schema.models() {
        for field in other.fields.values() {
            if field.source == Source::Stored
                && matches!(field.kind, Kind::Many2one(to) if to == model)
                && field.key != "create_uid"
                && field.key != "write_uid"
            {
                all.push((other, field));
            }
        }
    }
    all
}
