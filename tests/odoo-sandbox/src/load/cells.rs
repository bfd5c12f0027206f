//! Cells into values: what a text in a column means.

use serde_json::{Map, Value as Json, json};

use super::records::{Cell, Extracted, Span, is_blank};
use crate::clock::{parse_day, parse_stamp};
use crate::error::{Class, Error, Result};
use crate::models;
use crate::schema::{Field, Kind, Model};
use crate::transaction::Transaction;
use crate::value::parse_decimal;

/// A cell that cannot be understood.
#[derive(Debug)]
pub(crate) struct Problem {
    field: String,
    label: Option<&'static str>,
    text: String,
    more: Option<Json>,
}

impl Problem {
    pub(crate) fn new(field: &str, label: Option<&'static str>, text: String) -> Self {
        Self { field: field.to_owned(), label, text, more: None }
    }

    pub(crate) fn into_message(self, span: Span, record: usize) -> Map<String, Json> {
        let mut message = super::message(span, record, &self.text);
        message.insert("field".to_owned(), json!(self.field));
        if let Some(label) = self.label {
            message.insert("field_name".to_owned(), json!(label));
        }
        if let Some(more) = self.more {
            message.insert("moreinfo".to_owned(), more);
        }
        message
    }
}

/// The values of one record, ready for `create` or `write`.
///
/// # Errors
/// A JSON boolean in a boolean column, as Odoo raises it.
pub(crate) fn convert(tx: &Transaction, model: &'static Model, fields: &[(String, Cell)], problems: &mut Vec<Problem>) -> Result<Map<String, Json>> {
    let mut vals = Map::new();
    for (name, cell) in fields {
        let Some(field) = model.fields.get(name.as_str()).filter(|_| name != "id" && name != ".id") else { continue };
        let value = match cell {
            Cell::Plain(json) => plain(tx, name, field, json, problems)?,
            Cell::Reference(parts) => reference(tx, name, field, parts, problems),
            Cell::Lines(lines) => commands(tx, name, field, lines, problems)?,
        };
        if let Some(value) = value {
            vals.insert(name.clone(), value);
        }
    }
    Ok(vals)
}

fn plain(tx: &Transaction, name: &str, field: &Field, json: &Json, problems: &mut Vec<Problem>) -> Result<Option<Json>> {
    if let (Kind::Boolean, Json::Bool(true)) = (field.kind, json) {
        return Err(Error::new(Class::AttributeError, "'bool' object has no attribute 'lower'"));
    }
    if is_blank(Some(json)) {
        return Ok(Some(Json::Bool(false)));
    }
    let text = match json {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    };
    let label = field.label;
    let mut refuse = |why: String, more: Option<Json>| {
        problems.push(Problem { field: name.to_owned(), label: Some(label), text: why, more });
        Ok(None)
    };
    match field.kind {
        Kind::Boolean => match text.to_lowercase().as_str() {
            "0" | "false" | "no" => Ok(Some(json!(false))),
            _ => Ok(Some(json!(true))),
        },
        Kind::Integer => match text.trim().parse::<i64>() {
            Ok(number) => Ok(Some(json!(number))),
            Err(_) => refuse(format!("'{text}' does not seem to be an integer for field '{label}'"), None),
        },
        Kind::Float(_) | Kind::Monetary => match parse_decimal(&text) {
            Some(_) => Ok(Some(json!(text.trim()))),
            None => refuse(format!("'{text}' does not seem to be a number for field '{label}'"), None),
        },
        Kind::Date => match parse_day(&text).filter(|_| text.len() == 10) {
            Some(_) => Ok(Some(json!(text))),
            None => refuse(format!("'{text}' does not seem to be a valid date for field '{label}'"), Some(json!("Use the format '2012-12-31'"))),
        },
        Kind::Datetime => match parse_stamp(&text) {
            Some(_) => Ok(Some(json!(text))),
            None => refuse(
                format!("'{text}' does not seem to be a valid datetime for field '{label}'"),
                Some(json!("Use the format '2012-12-31 23:59:59'")),
            ),
        },
        Kind::Selection(options) => {
            let wanted = text.to_lowercase();
            match options.iter().find(|(value, label)| value.to_lowercase() == wanted || label.to_lowercase() == wanted) {
                Some((value, _)) => Ok(Some(json!(value))),
                None => refuse(
                    format!("Value '{text}' not found in selection field '{label}'"),
                    Some(json!(options.iter().map(|(_, label)| label).collect::<Vec<_>>())),
                ),
            }
        }
        _ => {
            let _ = tx;
            Ok(Some(json!(text)))
        }
    }
}

/// A relation: by external id, by database id or by name.
fn reference(tx: &Transaction, name: &str, field: &Field, parts: &[(String, Json)], problems: &mut Vec<Problem>) -> Option<Json> {
    let to = field.kind.relation()?;
    let filled: Vec<_> = parts.iter().filter(|(_, json)| !is_blank(Some(json))).collect();
    if parts.len() > 1 && filled.len() > 1 {
        let text = format!("Ambiguous specification for field '{}', only provide one of name, external id or database id", field.label);
        problems.push(Problem::new(name, Some(field.label), text));
        return None;
    }
    let Some((part, json)) = filled.first() else {
        return Some(if matches!(field.kind, Kind::Many2many(_)) { json!([[6, 0, []]]) } else { json!(false) });
    };
    let text = json.as_str().map_or_else(|| json.to_string(), str::to_owned);
    if matches!(field.kind, Kind::Many2many(_)) {
        let ids: Vec<i64> = text.split(',').filter_map(|one| resolve(tx, name, field, to, part, one.trim(), problems)).collect();
        return Some(json!([[6, 0, ids]]));
    }
    resolve(tx, name, field, to, part, &text, problems).map(|id| json!(id))
}

fn resolve(tx: &Transaction, name: &str, field: &Field, to: &'static str, part: &str, text: &str, problems: &mut Vec<Problem>) -> Option<i64> {
    let (found, kind, searched) = match part {
        "id" => {
            let module = tx.env.context.get("_import_current_module").and_then(Json::as_str).unwrap_or("__import__");
            let full = if text.contains('.') { text.to_owned() } else { format!("{module}.{text}") };
            let found = tx.external(&full).filter(|(of, id, _)| of == to && tx.exists(to, *id)).map(|(_, id, _)| id);
            (found, "external id", "ir.model.data")
        }
        ".id" => (text.parse::<i64>().ok().filter(|id| tx.exists(to, *id)), "database id", to),
        _ => {
            let mut named = tx.ids(to).into_iter().filter(|id| models::display_name(tx, to, *id) == text || tx.text(to, *id, "name") == text);
            (named.next(), "name", to)
        }
    };
    if found.is_none() {
        let domain = if part == "id" { json!([["model", "=", to]]) } else { json!([]) };
        let mut more = json!({
            "name": "Possible Values",
            "type": "ir.actions.act_window",
            "target": "new",
            "view_mode": format!("{},form", tx.version.list_view()),
            "views": [[false, "list"], [false, "form"]],
            "context": {"create": false},
            "help": "See all possible values",
            "res_model": searched,
        });
        if let Some(more) = more.as_object_mut().filter(|_| part == "id") {
            more.insert("domain".to_owned(), domain);
        }
        problems.push(Problem {
            field: name.to_owned(),
            label: Some(field.label),
            text: format!("No matching record found for {kind} '{text}' in field '{}'", field.label),
            more: Some(more),
        });
    }
    found
}

/// The lines of a one2many: known ones are updated, others created.
fn commands(tx: &Transaction, name: &str, field: &Field, lines: &[Extracted], problems: &mut Vec<Problem>) -> Result<Option<Json>> {
    let Some(to) = field.kind.relation() else { return Ok(None) };
    let model = tx.model(to)?;
    let mut commands = Vec::new();
    for line in lines {
        let mut inner = Vec::new();
        let mut vals = convert(tx, model, &line.fields, &mut inner)?;
        for mut problem in inner {
            problem.field = format!("{name}/{}", problem.field);
            problems.push(problem);
        }
        let external = line.text("id").filter(|id| !id.is_empty());
        let number = line.text(".id").filter(|id| !id.is_empty());
        let known = match (&external, &number) {
            (Some(external), _) => {
                let module = tx.env.context.get("_import_current_module").and_then(Json::as_str).unwrap_or("__import__");
                let full = if external.contains('.') { external.clone() } else { format!("{module}.{external}") };
                tx.external(&full).filter(|(of, id, _)| of == to && tx.exists(to, *id)).map(|(_, id, _)| id)
            }
            (None, Some(number)) => number.parse().ok().filter(|id| tx.exists(to, *id)),
            (None, None) => None,
        };
        match known {
            Some(id) => {
                commands.push(json!([4, id, 0]));
                commands.push(json!([1, id, vals]));
            }
            None => {
                if let Some(external) = external {
                    vals.insert("id".to_owned(), json!(external));
                }
                commands.push(json!([0, 0, vals]));
            }
        }
    }
    Ok(if commands.is_empty() { None } else { Some(Json::Array(commands)) })
}
