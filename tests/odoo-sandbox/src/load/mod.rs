//! `load`: rows of texts with external ids, all or nothing.

mod cells;
mod records;

use serde_json::{Map, Value as Json, json};

use crate::error::{Error, Result};
use crate::orm::write;
use crate::schema::Model;
use crate::transaction::Transaction;

use records::{Extracted, Span, extract};

/// A reason why nothing was kept, with the rows it is about.
fn message(span: Span, record: usize, text: &str) -> Map<String, Json> {
    let mut message = Map::new();
    message.insert("rows".to_owned(), json!({"from": span.from, "to": span.to}));
    message.insert("record".to_owned(), json!(record));
    message.insert("type".to_owned(), json!("error"));
    message.insert("message".to_owned(), json!(text));
    message
}

/// What `load` answers; without messages of type error the ids are kept.
fn answer(ids: Option<&[i64]>, messages: Vec<Map<String, Json>>, next: usize) -> Json {
    json!({"ids": ids.map_or(Json::Bool(false), |ids| json!(ids)), "messages": messages, "nextrow": next})
}

struct Request {
    paths: Vec<Vec<String>>,
    rows: Vec<Vec<Json>>,
    next: usize,
}

fn request(tx: &Transaction, model: &'static Model, fields: &Json, data: &Json) -> Result<Request> {
    let mut paths = Vec::new();
    for column in fields
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Json::as_str)
    {
        let path: Vec<String> = column.split('/').map(str::to_owned).collect();
        check_path(tx, model, &path)?;
        paths.push(path);
    }
    let rows: Vec<Vec<Json>> = data
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|row| row.as_array().cloned())
        .collect();
    Ok(Request {
        paths,
        rows,
        next: 0,
    })
}

fn check_path(tx: &Transaction, model: &'static Model, path: &[String]) -> Result<()> {
    let Some((first, rest)) = path.split_first() else {
        return Ok(());
    };
    if first == "id" || first == ".id" {
        return Ok(());
    }
    let field = model
        .fields
        .get(first.as_str())
        .ok_or_else(|| Error::from(tx.version.unknown_column(first)))?;
    match field.kind.relation() {
        Some(to) => check_path(tx, tx.model(to)?, rest),
        None => Ok(()),
    }
}

/// # Errors
/// An unknown column and a JSON boolean in a boolean column are exceptions; everything else becomes a message.
pub(crate) fn load(
    tx: &mut Transaction,
    model: &'static Model,
    fields: &Json,
    data: &Json,
) -> Result<Json> {
    let mut request = request(tx, model, fields, data)?;
    let limit = tx
        .env
        .context
        .get("_import_limit")
        .and_then(Json::as_u64)
        .and_then(|limit| usize::try_from(limit).ok());
    let mut records = extract(tx.schema, model, &request.paths, &request.rows);
    if let Some(limit) = limit.filter(|limit| *limit < request.rows.len()) {
        records.retain(|record| record.span.from < limit);
        request.next = records.last().map_or(0, |record| record.span.to + 1);
        if request.next >= request.rows.len() {
            request.next = 0;
        }
    }
    let module = tx
        .env
        .context
        .get("module")
        .and_then(Json::as_str)
        .unwrap_or("__import__")
        .to_owned();
    tx.env
        .context
        .insert("_import_current_module".to_owned(), json!(module));
    let loaded = load_all(tx, model, &records, &module);
    tx.env.context.remove("_import_current_module");
    let (ids, messages) = loaded?;
    if messages.is_empty() {
        Ok(answer(Some(&ids), messages, request.next))
    } else {
        Ok(answer(None, messages, request.next))
    }
}

type Loaded = (Vec<i64>, Vec<Map<String, Json>>);

/// All records at once; when that fails once more one by one, to say which of them are wrong.
fn load_all(
    tx: &mut Transaction,
    model: &'static Model,
    records: &[Extracted],
    module: &str,
) -> Result<Loaded> {
    let mark = tx.mark();
    let (mut ids, mut messages) = (Vec::new(), Vec::new());
    let mut failed = None;
    for (number, record) in records.iter().enumerate() {
        let vals = converted(tx, model, record, number, &mut messages)?;
        // The record is tried even when a cell is wrong: what is missing then is reported as well.
        match keep(tx, model, record, vals, module) {
            Ok(id) => ids.push(id),
            Err(error) => {
                failed = Some(error);
                break;
            }
        }
    }
    let Some(failed) = failed else {
        if !messages.is_empty() {
            tx.roll_back(mark);
        }
        return Ok((ids, messages));
    };
    tx.roll_back(mark);
    let start = tx.mark();
    let mut messages = one_by_one(tx, model, records, module)?;
    tx.roll_back(start);
    // The first try names the first record, whichever was wrong.
    if let (Kept::Error(error), Some(first)) = (failed, records.first())
        && error.class.is_for_users()
        && error.in_load.is_none()
        && error.missing.is_none()
    {
        let general = message(first.span, 0, &error.message);
        if !messages.contains(&general) {
            messages.insert(0, general);
        }
    }
    Ok((ids, messages))
}

fn converted(
    tx: &Transaction,
    model: &'static Model,
    record: &Extracted,
    number: usize,
    messages: &mut Vec<Map<String, Json>>,
) -> Result<Map<String, Json>> {
    let mut problems = Vec::new();
    let vals = cells::convert(tx, model, None, &record.fields, &mut problems)?;
    messages.extend(
        problems
            .into_iter()
            .map(|problem| problem.into_message(record.span, number)),
    );
    Ok(vals)
}

fn one_by_one(
    tx: &mut Transaction,
    model: &'static Model,
    records: &[Extracted],
    module: &str,
) -> Result<Vec<Map<String, Json>>> {
    let mut messages = Vec::new();
    let mut errors = 0;
    for (number, record) in records.iter().enumerate() {
        let vals = converted(tx, model, record, number, &mut messages)?;
        let mark = tx.mark();
        match keep(tx, model, record, vals, module) {
            Ok(_) => continue,
            Err(Kept::Problem(problem)) => messages.push(problem.into_message(record.span, number)),
            Err(Kept::Error(error)) => {
                tx.roll_back(mark);
                messages.push(error_message(tx, model, record.span, number, error));
                errors += 1;
            }
        }
        if too_many(errors, number + 1, &mut messages) {
            break;
        }
    }
    Ok(messages)
}

fn error_message(
    tx: &Transaction,
    model: &Model,
    span: Span,
    number: usize,
    error: Error,
) -> Map<String, Json> {
    if !error.class.is_for_users() {
        let (_, class) = error
            .class
            .name()
            .rsplit_once('.')
            .unwrap_or(("", error.class.name()));
        let mut message = message(
            span,
            number,
            &format!(
                "Unknown error during import: <class '{class}'>: {}",
                error.message
            ),
        );
        message.insert("moreinfo".to_owned(), json!("Resolve other errors first"));
        return message;
    }
    if let Some(missing) = error.missing {
        let own = missing.model == model.name;
        let mut message = message(span, number, &tx.version.mandatory_in_load(&missing, own));
        if own {
            message.insert("field".to_owned(), json!(missing.field));
        }
        return message;
    }
    message(
        span,
        number,
        error.in_load.as_deref().unwrap_or(&error.message),
    )
}

/// After ten errors Odoo stops looking, when every tenth record or more is wrong.
fn too_many(errors: usize, tried: usize, messages: &mut Vec<Map<String, Json>>) -> bool {
    if errors < 10 || errors * 10 < tried {
        return false;
    }
    let text = "Found more than 10 errors and more than one error per 10 records, interrupted to avoid showing too many errors.";
    messages.push(Map::from_iter([
        ("type".to_owned(), json!("warning")),
        ("message".to_owned(), json!(text)),
    ]));
    true
}

enum Kept {
    Problem(cells::Problem),
    Error(Error),
}

impl From<Error> for Kept {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// Creates or updates one record.
fn keep(
    tx: &mut Transaction,
    model: &'static Model,
    record: &Extracted,
    mut vals: Map<String, Json>,
    module: &str,
) -> std::result::Result<i64, Kept> {
    let noupdate = tx.context_flag("noupdate");
    let updating = tx.env.context.get("mode").and_then(Json::as_str) == Some("update");
    vals.remove("id");
    let name = record.text("id").filter(|name| !name.is_empty());
    let number = record.text(".id").filter(|number| !number.is_empty());
    let Some(name) = name else {
        // Without an external id: the database id, or a new record every time.
        return match number {
            Some(number) => match number
                .parse::<i64>()
                .ok()
                .filter(|id| tx.exists(model.name, *id))
            {
                Some(id) => {
                    write::write(tx, model, &[id], &vals)?;
                    Ok(id)
                }
                None => Err(Kept::Problem(cells::Problem::new(
                    ".id",
                    None,
                    format!("Unknown database identifier '{number}'"),
                ))),
            },
            None => Ok(write::create(tx, model, &vals)?),
        };
    };
    let name = if name.contains('.') {
        name
    } else {
        format!("{module}.{name}")
    };
    if let Some((of, id, data)) = tx.external(&name) {
        if of != model.name {
            return Err(Kept::Error(Error::validation(format!(
                "For external id {name} when trying to create/update a record of model {} found record of different model {of} ({id})",
                model.name
            ))));
        }
        if tx.exists(model.name, id) {
            // Create-once: a record made under this flag is left as it is.
            if !(updating && tx.flag("ir.model.data", data, "noupdate")) {
                write::write(tx, model, &[id], &vals)?;
                tx.name_externally(&name, model.name, id, noupdate);
            }
            return Ok(id);
        }
        tx.remove("ir.model.data", data);
    }
    let id = write::create(tx, model, &vals)?;
    // A product's template gets a name of its own.
    if model.name == "product.product"
        && let Some(template) = tx.one(model.name, id, "product_tmpl_id")
    {
        tx.name_externally(
            &format!("{name}_product_template"),
            "product.template",
            template,
            noupdate,
        );
    }
    tx.name_externally(&name, model.name, id, noupdate);
    Ok(id)
}

/// What the loser of two concurrent loads is told, row by row.
pub(crate) fn lost_race(
    tx: &Transaction,
    model: &'static Model,
    fields: &Json,
    data: &Json,
) -> Result<Json> {
    let request = request(tx, model, fields, data)?;
    let records = extract(tx.schema, model, &request.paths, &request.rows);
    let text = "could not serialize access due to concurrent update\n";
    let mut messages = Vec::new();
    for (number, record) in records.iter().enumerate() {
        messages.push(message(record.span, number, text));
        if too_many(number + 1, number + 1, &mut messages) {
            break;
        }
    }
    Ok(answer(None, messages, 0))
}
