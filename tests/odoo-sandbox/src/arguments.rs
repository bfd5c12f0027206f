//! The arguments of every method: by name on `/json/2`, by position or name on `/jsonrpc`.

use serde_json::{Map, Value as Json};

use crate::error::{Class, Error, Result};
use crate::models;
use crate::transaction::Transaction;
use crate::value::id_of;

/// A call as the models see it.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) model: String,
    pub(crate) method: String,
    pub(crate) ids: Vec<i64>,
    pub(crate) args: Map<String, Json>,
    pub(crate) context: Map<String, Json>,
}

/// What a method takes.
struct Signature {
    /// It works on records: `ids` comes first.
    on_records: bool,
    required: &'static [&'static str],
    optional: &'static [&'static str],
    /// It takes any further argument.
    open: bool,
}

const fn on_records(
    required: &'static [&'static str],
    optional: &'static [&'static str],
) -> Signature {
    Signature {
        on_records: true,
        required,
        optional,
        open: false,
    }
}

const fn on_model(
    required: &'static [&'static str],
    optional: &'static [&'static str],
) -> Signature {
    Signature {
        on_records: false,
        required,
        optional,
        open: false,
    }
}

fn signature(tx: &Transaction, model: &str, method: &str) -> Option<Signature> {
    Some(match method {
        "create" => on_model(&["vals_list"], &[]),
        "write" => on_records(&["vals"], &[]),
        "unlink" | "get_external_id" | "get_metadata" | "exists" => on_records(&[], &[]),
        "read" => on_records(&[], &["fields", "load"]),
        "search" => on_model(&["domain"], &["offset", "limit", "order"]),
        "search_count" => on_model(&["domain"], &["limit"]),
        "search_read" => on_model(
            &[],
            &["domain", "fields", "offset", "limit", "order", "load"],
        ),
        "web_read" => on_records(&["specification"], &[]),
        "web_search_read" => on_model(
            &["domain", "specification"],
            &["offset", "limit", "order", "count_limit"],
        ),
        "web_save" => on_records(&["vals", "specification"], &["next_id"]),
        "load" => on_model(&["fields", "data"], &[]),
        "fields_get" => on_model(&[], &["allfields", "attributes"]),
        "name_search" => on_model(&[], &["name", "domain", "operator", "limit", "args"]),
        "message_post" => Signature {
            open: true,
            ..on_records(&[], &["body"])
        },
        "precision_get" if model == "decimal.precision" => on_model(&["application"], &[]),
        "context_get" if model == "res.users" => on_model(&[], &[]),
        "has_group" if model == "res.users" && tx.version.asks_groups_of_records() => {
            on_records(&["group_ext_id"], &[])
        }
        "has_group" if model == "res.users" => on_model(&["group_ext_id"], &[]),
        "has_access" if tx.version.has_access_method() => on_records(&["operation"], &[]),
        "check_access_rights" => on_model(&["operation"], &["raise_exception"]),
        _ if models::has_method(tx, model, method) => on_records(&[], &[]),
        _ => return None,
    })
}

fn unprocessable(message: String) -> Error {
    Error::new(Class::Unprocessable, message)
}

fn split_context(named: &mut Map<String, Json>) -> Map<String, Json> {
    match named.remove("context") {
        Some(Json::Object(context)) => context,
        _ => Map::new(),
    }
}

/// Arguments as they come on `/json/2`: an object with `ids`, `context` and the method's own.
///
/// # Errors
/// `NotFound` for an unknown model or method, `UnprocessableEntity` for a missing or unknown argument.
pub(crate) fn by_name(tx: &Transaction, model: &str, method: &str, body: &Json) -> Result<Call> {
    if tx.schema.model(model).is_none() {
        return Err(Error::new(
            Class::NotFound,
            format!("the model '{model}' does not exist"),
        ));
    }
    if method.starts_with('_') {
        return Err(Error::new(
            Class::Access,
            tx.version.private_method(model, method),
        ));
    }
    let signature = signature(tx, model, method).ok_or_else(|| {
        Error::new(
            Class::NotFound,
            format!("The method '{model}.{method}' does not exist"),
        )
    })?;
    let mut named = body.as_object().cloned().unwrap_or_default();
    let context = split_context(&mut named);
    let ids = named.remove("ids");
    if ids
        .as_ref()
        .and_then(Json::as_array)
        .is_some_and(|ids| !ids.is_empty())
        && !signature.on_records
    {
        return Err(unprocessable(format!(
            "cannot call {model}.{method} with ids"
        )));
    }
    for name in signature.required {
        if !named.contains_key(*name) {
            return Err(unprocessable(format!(
                "missing a required argument: '{name}'"
            )));
        }
    }
    for name in named.keys() {
        if !signature.open
            && !signature.required.contains(&name.as_str())
            && !signature.optional.contains(&name.as_str())
        {
            return Err(unprocessable(format!(
                "got an unexpected keyword argument '{name}'"
            )));
        }
    }
    Ok(Call {
        model: model.to_owned(),
        method: method.to_owned(),
        ids: id_list(ids.as_ref()),
        args: named,
        context,
    })
}

/// Arguments as they come in `execute_kw`: a list and an object.
///
/// # Errors
/// `UserError` for an unknown model, `AttributeError` for an unknown method, `TypeError` for wrong arguments.
pub(crate) fn by_position(
    tx: &Transaction,
    model: &str,
    method: &str,
    positional: &[Json],
    named: &Json,
) -> Result<Call> {
    if tx.schema.model(model).is_none() {
        return Err(Error::user(format!("Object {model} doesn't exist")));
    }
    if method.starts_with('_') {
        return Err(Error::new(
            Class::Access,
            tx.version.private_method(model, method),
        ));
    }
    let signature = signature(tx, model, method).ok_or_else(|| {
        Error::new(
            Class::AttributeError,
            tx.version.unknown_method(model, method),
        )
    })?;
    let mut args = named.as_object().cloned().unwrap_or_default();
    let context = split_context(&mut args);
    let mut rest = positional.iter();
    if positional.is_empty() && (signature.on_records || method == "create") {
        return Err(Error::new(
            Class::IndexError,
            tx.version.no_positional_argument(),
        ));
    }
    if method == "write" && positional.len() == 1 && tx.version.write_argument(model) != "vals" {
        let name = tx.version.write_argument(model);
        return Err(Error::new(
            Class::TypeError,
            format!(
                "write() got an unexpected keyword argument 'vals' (it is called '{name}' here)"
            ),
        ));
    }
    // Its first argument is an empty list of records, and only by position.
    if method == "precision_get" && rest.next().is_none() {
        return Err(Error::new(
            Class::IndexError,
            tx.version.no_positional_argument(),
        ));
    }
    let ids = if signature.on_records {
        id_list(rest.next())
    } else {
        Vec::new()
    };
    let complaint = |text: String| {
        let method = tx.version.qualified(method);
        Error::new(Class::TypeError, format!("{method}() {text}"))
    };
    let (fewest, most) = (
        signature.required.len() + 1,
        signature.required.len() + signature.optional.len() + 1,
    );
    let given = rest.len() + 1;
    if given > most && !signature.open {
        let takes = match most {
            1 => "1 positional argument".to_owned(),
            _ if fewest == most => format!("{most} positional arguments"),
            _ => format!("from {fewest} to {most} positional arguments"),
        };
        return Err(complaint(format!("takes {takes} but {given} were given")));
    }
    for (name, value) in signature
        .required
        .iter()
        .chain(signature.optional)
        .zip(rest)
    {
        if args.insert((*name).to_owned(), value.clone()).is_some() {
            return Err(complaint(format!(
                "got multiple values for argument '{name}'"
            )));
        }
    }
    for name in signature.required {
        if !args.contains_key(*name) {
            return Err(complaint(format!(
                "missing 1 required positional argument: '{name}'"
            )));
        }
    }
    for name in args.keys() {
        if !signature.open
            && !signature.required.contains(&name.as_str())
            && !signature.optional.contains(&name.as_str())
        {
            return Err(complaint(format!(
                "got an unexpected keyword argument '{name}'"
            )));
        }
    }
    Ok(Call {
        model: model.to_owned(),
        method: method.to_owned(),
        ids,
        args,
        context,
    })
}

fn id_list(json: Option<&Json>) -> Vec<i64> {
    match json {
        Some(Json::Array(ids)) => ids.iter().filter_map(id_of).collect(),
        Some(Json::Number(_)) => json.and_then(id_of).into_iter().collect(),
        _ => Vec::new(),
    }
}
