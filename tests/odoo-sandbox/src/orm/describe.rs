//! `fields_get` and `get_metadata`: what a model and a record say about themselves.

use serde_json::{Map, Value as Json, json};

use crate::orm::convert::{Shape, show};
use crate::schema::{Digits, Kind, Model, Source};
use crate::transaction::Transaction;
use crate::value::Value;

pub(crate) fn fields_get(
    tx: &Transaction,
    model: &Model,
    only: &[String],
    attributes: &[String],
) -> Json {
    let mut all = Map::new();
    for (name, field) in &model.fields {
        if !only.is_empty() && !only.iter().any(|wanted| wanted == name) {
            continue;
        }
        let mut about = Map::new();
        about.insert("type".to_owned(), json!(field.kind.name()));
        about.insert("string".to_owned(), json!(field.label));
        about.insert("name".to_owned(), json!(name));
        about.insert("required".to_owned(), json!(field.required));
        about.insert(
            "readonly".to_owned(),
            json!(field.source == Source::Computed),
        );
        about.insert("store".to_owned(), json!(field.source == Source::Stored));
        if let Some(relation) = field.kind.relation() {
            about.insert("relation".to_owned(), json!(relation));
        }
        if let Kind::One2many(_, inverse) = field.kind {
            about.insert("relation_field".to_owned(), json!(inverse));
        }
        if let Kind::Float(digits) = field.kind {
            let kept = crate::orm::convert::digits(tx, digits);
            about.insert(
                "digits".to_owned(),
                kept.map_or(json!(false), |kept| json!([16, kept])),
            );
            if digits == Digits::Price && kept.is_none() {
                about.insert(
                    "min_display_digits".to_owned(),
                    json!(crate::models::base::precision(tx, "Product Price").unwrap_or(2)),
                );
            }
        }
        if let Kind::Selection(options) = field.kind {
            about.insert("selection".to_owned(), json!(options));
        }
        if !attributes.is_empty() {
            about.retain(|key, _| attributes.iter().any(|wanted| wanted == key));
        }
        all.insert((*name).to_owned(), Json::Object(about));
    }
    Json::Object(all)
}

/// External ids by record; the first one where there are several.
pub(crate) fn external_ids(tx: &Transaction, model: &Model, ids: &[i64]) -> Json {
    let mut names: Map<String, Json> = ids.iter().map(|id| (id.to_string(), json!(""))).collect();
    for data in tx.ids("ir.model.data") {
        if tx.text("ir.model.data", data, "model") != model.name {
            continue;
        }
        let id = tx.int("ir.model.data", data, "res_id");
        if let Some(slot) = names
            .get_mut(&id.to_string())
            .filter(|slot| slot.as_str() == Some(""))
        {
            *slot = json!(tx.text("ir.model.data", data, "complete_name"));
        }
    }
    Json::Object(names)
}

pub(crate) fn metadata(tx: &Transaction, model: &'static Model, ids: &[i64]) -> Json {
    let names = external_ids(tx, model, ids);
    let mut rows = Vec::new();
    for id in ids.iter().copied().filter(|id| tx.exists(model.name, *id)) {
        let mut row = Map::new();
        row.insert("id".to_owned(), json!(id));
        for key in ["create_date", "create_uid", "write_date", "write_uid"] {
            if let Some(field) = model.by_key(key) {
                row.insert(
                    key.to_owned(),
                    show(tx, field, &tx.get(model.name, id, key), Shape::Named),
                );
            }
        }
        let name = names
            .get(id.to_string())
            .and_then(Json::as_str)
            .unwrap_or_default();
        let noupdate = tx.external(name).is_some_and(|(_, _, data)| {
            tx.get("ir.model.data", data, "noupdate") == Value::Flag(true)
        });
        row.insert(
            "xmlid".to_owned(),
            if name.is_empty() {
                json!(false)
            } else {
                json!(name)
            },
        );
        row.insert(
            "xmlids".to_owned(),
            if name.is_empty() {
                json!([])
            } else {
                json!([{"xmlid": name, "noupdate": noupdate}])
            },
        );
        row.insert("noupdate".to_owned(), json!(noupdate));
        rows.push(Json::Object(row));
    }
    Json::Array(rows)
}
