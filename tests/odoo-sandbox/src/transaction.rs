//! One call's view of the records: a snapshot and the changes made so far.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::civil::DateTime;
use rust_decimal::Decimal;
use serde_json::{Map, Value as Json};

use crate::clock::stamp;
use crate::error::{Error, Result};
use crate::models;
use crate::orm::search;
use crate::schema::{Field, Kind, Model, Schema, Source};
use crate::store::{Changes, Key, Record, Snapshot, Store};
use crate::value::Value;
use crate::version::Version;

/// Who calls, and with which context.
#[derive(Debug, Clone)]
pub(crate) struct Environment {
    pub(crate) user: i64,
    pub(crate) context: Map<String, Json>,
    pub(crate) now: DateTime,
}

/// A running call.
#[derive(Debug)]
pub(crate) struct Transaction {
    pub(crate) version: Version,
    pub(crate) schema: &'static Schema,
    pub(crate) env: Environment,
    store: Arc<Store>,
    base: Snapshot,
    changes: Changes,
}

impl Transaction {
    pub(crate) fn begin(version: Version, store: &Arc<Store>, env: Environment) -> Self {
        Self {
            version,
            schema: Schema::of(version),
            env,
            base: store.snapshot(),
            store: Arc::clone(store),
            changes: Changes::default(),
        }
    }

    /// Ends the call: what it saw, and what it changed.
    pub(crate) fn finish(self) -> (Snapshot, Changes) {
        (self.base, self.changes)
    }

    /// Takes back the changes since a [`Mark`].
    pub(crate) fn roll_back(&mut self, mark: Mark) {
        self.changes = mark.0;
    }

    /// A point to which [`Self::roll_back`] can return.
    pub(crate) fn mark(&self) -> Mark {
        Mark(Changes {
            rows: self.changes.rows.clone(),
            external_ids: self.changes.external_ids.clone(),
            touched: self.changes.touched.clone(),
        })
    }

    pub(crate) fn now(&self) -> String {
        stamp(self.env.now)
    }

    pub(crate) fn next(&self, range: &str) -> i64 {
        self.store.next(range)
    }

    /// Two calls that both touch `key` cannot both commit on the same snapshot.
    pub(crate) fn touch(&mut self, key: Key) {
        self.changes.touched.insert(key);
    }

    pub(crate) fn context_flag(&self, name: &str) -> bool {
        self.env
            .context
            .get(name)
            .and_then(Json::as_bool)
            .unwrap_or(false)
    }

    // Models and fields

    pub(crate) fn model(&self, name: &str) -> Result<&'static Model> {
        let schema = self.schema;
        schema
            .model(name)
            .ok_or_else(|| Error::user(format!("Object {name} doesn't exist")))
    }

    fn field(&self, model: &str, key: &str) -> Option<&'static Field> {
        let schema = self.schema;
        schema.model(model).and_then(|of| of.by_key(key))
    }

    // Records

    fn row(&self, model: &'static str, id: i64) -> Option<&Arc<Record>> {
        match self.changes.rows.get(&(model, id)) {
            Some(changed) => changed.as_ref(),
            None => self.base.table(model).and_then(|table| table.row(id)),
        }
    }

    pub(crate) fn exists(&self, model: &'static str, id: i64) -> bool {
        self.row(model, id).is_some()
    }

    /// # Errors
    /// `MissingError` when the record is gone.
    pub(crate) fn require(&self, model: &'static str, id: i64) -> Result<()> {
        if self.exists(model, id) {
            Ok(())
        } else {
            Err(Error::missing(model, id, self.env.user))
        }
    }

    /// All ids of a model, ascending.
    pub(crate) fn ids(&self, model: &'static str) -> BTreeSet<i64> {
        let mut ids: BTreeSet<i64> = self
            .base
            .table(model)
            .into_iter()
            .flat_map(|table| table.ids())
            .collect();
        for ((of, id), row) in &self.changes.rows {
            if *of == model {
                if row.is_some() {
                    ids.insert(*id)
                } else {
                    ids.remove(id)
                };
            }
        }
        ids
    }

    /// The records of `model` whose many2one `key` points at `to`, ascending.
    pub(crate) fn referring(&self, model: &'static str, key: &'static str, to: i64) -> Vec<i64> {
        let mut ids: BTreeSet<i64> = self
            .base
            .table(model)
            .into_iter()
            .flat_map(|table| table.referring(key, to))
            .collect();
        for ((of, id), row) in &self.changes.rows {
            if *of == model {
                let points = row
                    .as_ref()
                    .and_then(|record| record.get(key))
                    .and_then(Value::as_one)
                    == Some(to);
                if points {
                    ids.insert(*id)
                } else {
                    ids.remove(id)
                };
            }
        }
        ids.into_iter().collect()
    }

    /// A field as it is stored, without rules.
    pub(crate) fn stored(&self, model: &'static str, id: i64, key: &str) -> Value {
        self.row(model, id)
            .and_then(|record| record.get(key))
            .cloned()
            .unwrap_or_default()
    }

    /// A field as callers see it: stored, computed or taken from a related record.
    pub(crate) fn get(&self, model: &'static str, id: i64, key: &str) -> Value {
        match self
            .field(model, key)
            .map(|field| (field.source, field.key))
        {
            Some((Source::Computed, key)) => models::compute(self, model, id, key),
            Some((Source::Through(link), key)) => match (
                self.one(model, id, link),
                self.field(model, link).and_then(|f| f.kind.relation()),
            ) {
                (Some(to), Some(relation)) => self.get(relation, to, key),
                _ => Value::Null,
            },
            Some((Source::Stored, key)) => match self.field(model, key).map(|field| field.kind) {
                Some(Kind::One2many(to, inverse)) => Value::Many(self.list(to, inverse, id, key)),
                Some(Kind::Many2many(to)) => {
                    Value::Many(self.ordered(to, self.stored(model, id, key).as_many().to_vec()))
                }
                _ => self.stored(model, id, key),
            },
            None => Value::Null,
        }
    }

    /// A one2many: the records that point back, in their model's order.
    fn list(&self, to: &'static str, inverse: &'static str, id: i64, key: &str) -> Vec<i64> {
        let mut ids = self.referring(to, inverse, id);
        if key == "invoice_line_ids" {
            ids.retain(|line| models::entry::is_invoice_line(self, *line));
        }
        self.ordered(to, ids)
    }

    fn ordered(&self, to: &'static str, ids: Vec<i64>) -> Vec<i64> {
        match self.schema.model(to) {
            Some(model) if ids.len() > 1 => {
                search::sort(self, model, ids, model.order).unwrap_or_default()
            }
            _ => ids,
        }
    }

    pub(crate) fn one(&self, model: &'static str, id: i64, key: &str) -> Option<i64> {
        self.get(model, id, key).as_one()
    }

    pub(crate) fn dec(&self, model: &'static str, id: i64, key: &str) -> Decimal {
        self.get(model, id, key).as_dec()
    }

    pub(crate) fn int(&self, model: &'static str, id: i64, key: &str) -> i64 {
        self.get(model, id, key).as_int()
    }

    pub(crate) fn text(&self, model: &'static str, id: i64, key: &str) -> String {
        match self.get(model, id, key) {
            Value::Text(text) => text,
            Value::Null
            | Value::Flag(_)
            | Value::Int(_)
            | Value::Dec(_)
            | Value::One(_)
            | Value::Many(_) => String::new(),
        }
    }

    pub(crate) fn flag(&self, model: &'static str, id: i64, key: &str) -> bool {
        self.get(model, id, key).as_flag()
    }

    pub(crate) fn many(&self, model: &'static str, id: i64, key: &str) -> Vec<i64> {
        match self.get(model, id, key) {
            Value::Many(ids) => ids,
            Value::Null
            | Value::Flag(_)
            | Value::Int(_)
            | Value::Dec(_)
            | Value::Text(_)
            | Value::One(_) => Vec::new(),
        }
    }

    // Changes without rules: the models' own code uses these.

    pub(crate) fn put(&mut self, model: &'static str, id: i64, key: &'static str, value: Value) {
        self.put_all(model, id, [(key, value)]);
    }

    pub(crate) fn put_all<const N: usize>(
        &mut self,
        model: &'static str,
        id: i64,
        values: [(&'static str, Value); N],
    ) {
        let Some(row) = self.row(model, id) else {
            return;
        };
        let mut row = Arc::clone(row);
        let record = Arc::make_mut(&mut row);
        for (key, value) in values {
            record.insert(key, value);
        }
        record.insert("write_date", Value::Text(self.now()));
        record.insert("write_uid", Value::One(self.env.user));
        self.changes.rows.insert((model, id), Some(row));
        self.changes.touched.insert(Key::Row(model, id));
    }

    pub(crate) fn insert(&mut self, model: &'static str, mut record: Record) -> i64 {
        let id = self.next(model);
        let now = self.now();
        for key in ["create_date", "write_date"] {
            record.insert(key, Value::Text(now.clone()));
        }
        for key in ["create_uid", "write_uid"] {
            record.insert(key, Value::One(self.env.user));
        }
        self.changes
            .rows
            .insert((model, id), Some(Arc::new(record)));
        self.changes.touched.insert(Key::Row(model, id));
        id
    }

    pub(crate) fn remove(&mut self, model: &'static str, id: i64) {
        if !self.exists(model, id) {
            return;
        }
        if model == "ir.model.data" {
            let name = self.text(model, id, "complete_name");
            self.changes.touched.insert(Key::ExternalId(name.clone()));
            self.changes.external_ids.insert(name, None);
        }
        self.changes.rows.insert((model, id), None);
        self.changes.touched.insert(Key::Row(model, id));
    }

    // External ids

    /// The record an external id names: model and id, and the `ir.model.data` record itself.
    pub(crate) fn external(&self, name: &str) -> Option<(String, i64, i64)> {
        let data = match self.changes.external_ids.get(name) {
            Some(changed) => (*changed)?,
            None => self.base.external_id(name)?,
        };
        Some((
            self.text("ir.model.data", data, "model"),
            self.int("ir.model.data", data, "res_id"),
            data,
        ))
    }

    /// Gives a record an external id, or points an existing one at it.
    pub(crate) fn name_externally(&mut self, name: &str, model: &str, id: i64, noupdate: bool) {
        let (module, rest) = name.split_once('.').unwrap_or(("", name));
        let data = match self.external(name) {
            Some((_, _, data)) => {
                self.put_all(
                    "ir.model.data",
                    data,
                    [("model", Value::text(model)), ("res_id", Value::Int(id))],
                );
                data
            }
            None => self.insert(
                "ir.model.data",
                Record::from([
                    ("module", Value::text(module)),
                    ("name", Value::text(rest)),
                    ("model", Value::text(model)),
                    ("res_id", Value::Int(id)),
                    ("noupdate", Value::Flag(noupdate)),
                ]),
            ),
        };
        self.index_external(name, data);
    }

    pub(crate) fn index_external(&mut self, name: &str, data: i64) {
        self.changes
            .touched
            .insert(Key::ExternalId(name.to_owned()));
        self.changes
            .external_ids
            .insert(name.to_owned(), Some(data));
    }
}

/// A point to return to inside a call.
#[derive(Debug)]
pub(crate) struct Mark(Changes);
