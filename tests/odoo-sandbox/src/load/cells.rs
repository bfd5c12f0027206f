//! Cells into values: what a text in a column means.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::{Map, Value as Json, json};

use super::records::{Cell, Extracted, Span, is_blank};
use crate::clock::{parse_day, parse_stamp, stamp};
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
        Self {
            field: field.to_owned(),
            label,
            text,
            more: None,
        }
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

/// A column, as messages name it: a problem in a line is told of the list it is in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    field: &'static Field,
    name: &'static str,
    outer: Option<&'static str>,
}

impl Column {
    /// `Order Lines/Product`
    fn path(self) -> String {
        self.outer.map_or_else(
            || self.field.label.to_owned(),
            |outer| format!("{outer}/{}", self.field.label),
        )
    }

    fn problem(self, text: String, more: Option<Json>) -> Problem {
        Problem {
            field: self.name.to_owned(),
            label: Some(self.outer.unwrap_or(self.field.label)),
            text,
            more,
        }
    }
}

/// The values of one record, ready for `create` or `write`.
///
/// # Errors
/// A JSON boolean in a boolean column, as Odoo raises it.
pub(crate) fn convert(
    tx: &Transaction,
    model: &'static Model,
    outer: Option<Column>,
    fields: &[(String, Cell)],
    problems: &mut Vec<Problem>,
) -> Result<Map<String, Json>> {
    let mut vals = Map::new();
    for (name, cell) in fields {
        let Some((wire, field)) = model
            .fields
            .get_key_value(name.as_str())
            .filter(|_| name != "id" && name != ".id")
        else {
            continue;
        };
        let column = Column {
            field,
            name: outer.map_or(wire, |outer| outer.name),
            outer: outer.map(|outer| outer.field.label),
        };
        let value = match cell {
            Cell::Plain(json) => plain(tx, column, json, problems)?,
            Cell::Reference(parts) => reference(tx, column, parts, problems),
            Cell::Lines(lines) => commands(tx, column, lines, problems)?,
        };
        if let Some(value) = value {
            vals.insert(name.clone(), value);
        }
    }
    Ok(vals)
}

fn plain(
    tx: &Transaction,
    column: Column,
    json: &Json,
    problems: &mut Vec<Problem>,
) -> Result<Option<Json>> {
    let field = column.field;
    if let (Kind::Boolean, Json::Bool(true)) = (field.kind, json) {
        return Err(Error::new(
            Class::AttributeError,
            "'bool' object has no attribute 'lower'",
        ));
    }
    if is_blank(Some(json)) {
        return Ok(Some(Json::Bool(false)));
    }
    let text = match json {
        Json::String(text) => text.clone(),
        other @ Json::Null
        | other @ Json::Bool(_)
        | other @ Json::Number(_)
        | other @ Json::Array(_)
        | other @ Json::Object(_) => other.to_string(),
    };
    let label = column.path();
    let mut refuse = |why: String, more: Option<Json>| {
        problems.push(column.problem(why, more));
        Ok(None)
    };
    match field.kind {
        Kind::Boolean => match text.to_lowercase().as_str() {
            "0" | "false" | "no" => Ok(Some(json!(false))),
            _ => Ok(Some(json!(true))),
        },
        Kind::Integer => match text.trim().parse::<i64>() {
            Ok(number) => Ok(Some(json!(number))),
            Err(_) => refuse(
                format!("'{text}' does not seem to be an integer for field '{label}'"),
                None,
            ),
        },
        Kind::Float(_) | Kind::Monetary => match parse_decimal(&text) {
            Some(_) => Ok(Some(json!(text.trim()))),
            None => refuse(
                format!("'{text}' does not seem to be a number for field '{label}'"),
                None,
            ),
        },
        Kind::Date => match parse_day(&text).filter(|_| text.len() == 10) {
            Some(_) => Ok(Some(json!(text))),
            None => refuse(
                format!("'{text}' does not seem to be a valid date for field '{label}'"),
                Some(json!("Use the format '2012-12-31'")),
            ),
        },
        Kind::Datetime => match parse_stamp(&text).filter(|_| !text.contains('T')) {
            Some(at) => Ok(Some(json!(stamp(in_utc(tx, at))))),
            None => refuse(
                format!("'{text}' does not seem to be a valid datetime for field '{label}'"),
                Some(json!("Use the format '2012-12-31 23:59:59'")),
            ),
        },
        Kind::Selection(options) => {
            let wanted = text.to_lowercase();
            match options.iter().find(|(value, label)| {
                value.to_lowercase() == wanted || label.to_lowercase() == wanted
            }) {
                Some((value, _)) => Ok(Some(json!(value))),
                None => refuse(
                    format!("Value '{text}' not found in selection field '{label}'"),
                    Some(json!(
                        options.iter().map(|(_, label)| label).collect::<Vec<_>>()
                    )),
                ),
            }
        }
        Kind::Char
        | Kind::Text
        | Kind::Html
        | Kind::Many2one(_)
        | Kind::One2many(..)
        | Kind::Many2many(_) => Ok(Some(json!(text))),
    }
}

/// A moment in a cell is in the time zone of the context; the users' own is UTC.
fn in_utc(tx: &Transaction, at: DateTime) -> DateTime {
    let zone = tx
        .env
        .context
        .get("tz")
        .and_then(Json::as_str)
        .and_then(|zone| TimeZone::get(zone).ok())
        .unwrap_or(TimeZone::UTC);
    zone.to_timestamp(at)
        .map_or(at, |moment| TimeZone::UTC.to_datetime(moment))
}

/// A relation: by external id, by database id or by name.
fn reference(
    tx: &Transaction,
    column: Column,
    parts: &[(String, Json)],
    problems: &mut Vec<Problem>,
) -> Option<Json> {
    let field = column.field;
    let to = field.kind.relation()?;
    let filled: Vec<_> = parts
        .iter()
        .filter(|(_, json)| !is_blank(Some(json)))
        .collect();
    if parts.len() > 1 && filled.len() > 1 {
        let text = format!(
            "Ambiguous specification for field '{}', only provide one of name, external id or database id",
            column.path()
        );
        problems.push(column.problem(text, None));
        return None;
    }
    let Some((part, json)) = filled.first() else {
        return Some(if matches!(field.kind, Kind::Many2many(_)) {
            json!([[6, 0, []]])
        } else {
            json!(false)
        });
    };
    let text = json
        .as_str()
        .map_or_else(|| json.to_string(), str::to_owned);
    if matches!(field.kind, Kind::Many2many(_)) {
        let ids: Vec<i64> = text
            .split(',')
            .filter_map(|one| resolve(tx, column, to, part, one.trim(), problems))
            .collect();
        return Some(json!([[6, 0, ids]]));
    }
    resolve(tx, column, to, part, &text, problems).map(|id| json!(id))
}

fn resolve(
    tx: &Transaction,
    column: Column,
    to: &'static str,
    part: &str,
    text: &str,
    problems: &mut Vec<Problem>,
) -> Option<i64> {
    let (found, kind, searched) = match part {
        "id" => {
            let module = tx
                .env
                .context
                .get("_import_current_module")
                .and_then(Json::as_str)
                .unwrap_or("__import__");
            let full = if text.contains('.') {
                text.to_owned()
            } else {
                format!("{module}.{text}")
            };
            let known = tx.external(&full);
            if let Some((of, _, _)) = known.as_ref().filter(|(of, _, _)| of != to) {
                let text =
                    format!("Invalid external ID {full}: expected model '{to}', found '{of}'");
                problems.push(Problem {
                    label: None,
                    ..column.problem(text, None)
                });
                return None;
            }
            let found = known.map(|(_, id, _)| id).filter(|id| tx.exists(to, *id));
            (found, "external id", "ir.model.data")
        }
        ".id" => (
            text.parse::<i64>().ok().filter(|id| tx.exists(to, *id)),
            "database id",
            to,
        ),
        _ => {
            let mut named = tx.ids(to).into_iter().filter(|id| {
                models::display_name(tx, to, *id) == text || tx.text(to, *id, "name") == text
            });
            (named.next(), "name", to)
        }
    };
    if found.is_none() {
        let domain = if part == "id" {
            json!([["model", "=", to]])
        } else {
            json!([])
        };
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
        problems.push(column.problem(
            format!(
                "No matching record found for {kind} '{text}' in field '{}'",
                column.path()
            ),
            Some(more),
        ));
    }
    found
}

/// The lines of a one2many: known ones are updated, others created.
fn commands(
    tx: &Transaction,
    column: Column,
    lines: &[Extracted],
    problems: &mut Vec<Problem>,
) -> Result<Option<Json>> {
    let Some(to) = column.field.kind.relation() else {
        return Ok(None);
    };
    let model = tx.model(to)?;
    let mut commands = Vec::new();
    for line in lines {
        let mut vals = convert(tx, model, Some(column), &line.fields, problems)?;
        let external = line.text("id").filter(|id| !id.is_empty());
        let number = line.text(".id").filter(|id| !id.is_empty());
        let known = match (&external, &number) {
            (Some(external), _) => {
                let module = tx
                    .env
                    .context
                    .get("_import_current_module")
                    .and_then(Json::as_str)
                    .unwrap_or("__import__");
                let full = if external.contains('.') {
                    external.clone()
                } else {
                    format!("{module}.{external}")
                };
                tx.external(&full)
                    .filter(|(of, id, _)| of == to && tx.exists(to, *id))
                    .map(|(_, id, _)| id)
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
    Ok(if commands.is_empty() {
        None
    } else {
        Some(Json::Array(commands))
    })
}
