//! A recorded request, with the sandbox's ids in place of the recorded ones.

use interplant_odoo_sandbox::Sandbox;
use serde_json::{Map, Value as Json, json};

use super::compare::Pairs;
use crate::client::{Response, request};

/// A recorded request taken apart.
#[derive(Debug, Clone)]
pub(crate) struct Recorded {
    pub(crate) model: String,
    pub(crate) method: String,
    rpc: bool,
    line: Json,
}

impl Recorded {
    pub(crate) fn new(line: &Json) -> Self {
        let sent = &line["request"];
        let path = sent["path"].as_str().unwrap_or_default();
        let params = &sent["body"]["params"];
        let (model, method, rpc) = match path
            .strip_prefix("/json/2/")
            .and_then(|rest| rest.split_once('/'))
        {
            Some((model, method)) => (model.to_owned(), method.to_owned(), false),
            None if params["method"] == "execute_kw" => {
                let text = |at: usize| params["args"][at].as_str().unwrap_or_default().to_owned();
                (text(3), text(4), true)
            }
            None => (String::new(), String::new(), true),
        };
        Self {
            model,
            method,
            rpc,
            line: line.clone(),
        }
    }

    pub(crate) fn send(&self, sandbox: &Sandbox, pairs: &Pairs) -> Response {
        self.prepare(sandbox, pairs).send()
    }

    pub(crate) fn prepare(&self, sandbox: &Sandbox, pairs: &Pairs) -> Prepared {
        let sent = &self.line["request"];
        let mut body = sent["body"].clone();
        if !self.model.is_empty() {
            if self.rpc {
                if let Some(args) = body["params"]["args"].as_array_mut() {
                    let named = args.get(6).cloned();
                    if let Some(positional) = args.get_mut(5).and_then(Json::as_array_mut) {
                        self.positional(pairs, positional);
                    }
                    if let (Some(slot), Some(named)) = (args.get_mut(6), named) {
                        *slot = self.named(pairs, &named);
                    }
                }
            } else if body.is_object() {
                body = self.named(pairs, &body);
            }
        }
        let text = match &body {
            Json::String(text) => text.clone(),
            Json::Null => String::new(),
            other @ Json::Bool(_)
            | other @ Json::Number(_)
            | other @ Json::Array(_)
            | other @ Json::Object(_) => other.to_string(),
        };
        // Recorded logins and databases have other names here.
        let key = sandbox.admin_key();
        let text = text
            .replace("<API_KEY>", key)
            .replace("<INTEGRATION_KEY>", sandbox.api_key());
        let text = ["group17", "group18", "group19"]
            .iter()
            .fold(text, |text, name| text.replace(name, sandbox.database()));
        let headers: Vec<(String, String)> = sent["headers"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, value)| {
                let value = value
                    .as_str()
                    .unwrap_or_default()
                    .replace("<API_KEY>", key)
                    .replace("group19", sandbox.database());
                let value = value.replace("<INTEGRATION_KEY>", sandbox.api_key());
                (name.clone(), value)
            })
            .collect();
        let text_of = |name: &str, default: &str| sent[name].as_str().unwrap_or(default).to_owned();
        Prepared {
            url: sandbox.url(),
            method: text_of("method", "POST"),
            path: text_of("path", "/"),
            headers,
            text,
        }
    }

    fn positional(&self, pairs: &Pairs, args: &mut [Json]) {
        let mut names: Vec<&str> = match self.method.as_str() {
            "create" => vec!["vals_list"],
            "write" => vec!["ids", "vals"],
            "search" | "search_count" | "search_read" => vec!["domain"],
            "load" => vec!["fields", "data"],
            _ => vec!["ids"],
        };
        names.resize(args.len(), "");
        for (name, arg) in names.into_iter().zip(args) {
            *arg = self.argument(pairs, name, arg, &Json::Null);
        }
    }

    fn named(&self, pairs: &Pairs, args: &Json) -> Json {
        let Some(map) = args.as_object() else {
            return args.clone();
        };
        Json::Object(
            map.iter()
                .map(|(name, value)| {
                    (
                        name.clone(),
                        self.argument(pairs, name, value, &args["fields"]),
                    )
                })
                .collect(),
        )
    }

    fn argument(&self, pairs: &Pairs, name: &str, value: &Json, columns: &Json) -> Json {
        match name {
            "ids" => ids(pairs, &self.model, value),
            "vals" => vals(pairs, &self.model, value),
            "vals_list" => Json::Array(
                value
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(|one| vals(pairs, &self.model, one))
                    .collect(),
            ),
            "domain" => domain(pairs, &self.model, value),
            "context" => context(pairs, value),
            "data" => rows(pairs, &self.model, columns, value),
            _ => value.clone(),
        }
    }
}

/// A request that is ready to be sent.
pub(crate) struct Prepared {
    url: String,
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    text: String,
}

impl Prepared {
    pub(crate) fn send(&self) -> Response {
        let headers: Vec<(&str, &str)> = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        request(&self.url, &self.method, &self.path, &headers, &self.text)
            .expect("the sandbox answers")
    }
}

fn ids(pairs: &Pairs, model: &str, value: &Json) -> Json {
    match value {
        Json::Array(list) => Json::Array(list.iter().map(|id| ids(pairs, model, id)).collect()),
        Json::Number(number) => json!(pairs.ours(model, number.as_i64().unwrap_or_default())),
        other @ Json::Null
        | other @ Json::Bool(_)
        | other @ Json::String(_)
        | other @ Json::Object(_) => other.clone(),
    }
}

fn vals(pairs: &Pairs, model: &str, value: &Json) -> Json {
    let Some(map) = value.as_object() else {
        return value.clone();
    };
    let mut translated = Map::new();
    for (name, value) in map {
        let translated_value = match pairs.relation(model, name) {
            _ if name == "res_id" => ids(
                pairs,
                map.get("model").and_then(Json::as_str).unwrap_or_default(),
                value,
            ),
            Some(to) => match value {
                Json::Array(commands) => Json::Array(
                    commands
                        .iter()
                        .map(|command| translate_command(pairs, &to, command))
                        .collect(),
                ),
                other @ Json::Null
                | other @ Json::Bool(_)
                | other @ Json::Number(_)
                | other @ Json::String(_)
                | other @ Json::Object(_) => ids(pairs, &to, other),
            },
            None => value.clone(),
        };
        translated.insert(name.clone(), translated_value);
    }
    Json::Object(translated)
}

fn translate_command(pairs: &Pairs, to: &str, command: &Json) -> Json {
    let Some([code, id, rest @ ..]) = command.as_array().map(Vec::as_slice) else {
        return command.clone();
    };
    let mut translated = vec![
        code.clone(),
        if code == 0 || code == 5 || code == 6 {
            id.clone()
        } else {
            ids(pairs, to, id)
        },
    ];
    for value in rest {
        translated.push(if value.is_object() {
            vals(pairs, to, value)
        } else {
            ids(pairs, to, value)
        });
    }
    if code == 2 || code == 5 {
        translated.truncate(3);
    }
    Json::Array(translated)
}

fn domain(pairs: &Pairs, model: &str, value: &Json) -> Json {
    let Some(items) = value.as_array() else {
        return value.clone();
    };
    let of_model = items
        .iter()
        .find(|leaf| leaf[0] == "model")
        .and_then(|leaf| leaf[2].as_str())
        .unwrap_or_default();
    let leaves = items.iter().map(|leaf| {
        let Some([path, operator, value]) = leaf.as_array().map(Vec::as_slice) else {
            return leaf.clone();
        };
        let mut at = Some(model.to_owned());
        for name in path.as_str().unwrap_or_default().split('.') {
            at = match name {
                "id" => at,
                "res_id" => Some(of_model.to_owned()),
                _ => at.and_then(|of| pairs.relation(&of, name)),
            };
        }
        let value = match at {
            Some(to) if operator == "any" => domain(pairs, &to, value),
            Some(to) => ids(pairs, &to, value),
            None => json!(value),
        };
        json!([path, operator, value])
    });
    Json::Array(leaves.collect())
}

fn context(pairs: &Pairs, value: &Json) -> Json {
    let Some(map) = value.as_object() else {
        return value.clone();
    };
    let of = map
        .get("active_model")
        .and_then(Json::as_str)
        .unwrap_or_default();
    Json::Object(
        map.iter()
            .map(|(name, value)| {
                let value = match name.as_str() {
                    "active_id" | "active_ids" => ids(pairs, of, value),
                    "picking_ids_not_to_backorder" => ids(pairs, "stock.picking", value),
                    _ => value.clone(),
                };
                (name.clone(), value)
            })
            .collect(),
    )
}

fn rows(pairs: &Pairs, model: &str, columns: &Json, value: &Json) -> Json {
    let models: Vec<Option<String>> = columns
        .as_array()
        .into_iter()
        .flatten()
        .map(|column| {
            let mut at = model.to_owned();
            let path: Vec<&str> = column.as_str().unwrap_or_default().split('/').collect();
            for name in &path {
                if *name == ".id" {
                    return Some(at);
                }
                at = pairs.relation(&at, name)?;
            }
            None
        })
        .collect();
    let rows = value.as_array().into_iter().flatten().map(|row| {
        let cells = row
            .as_array()
            .into_iter()
            .flatten()
            .zip(&models)
            .map(|(cell, model)| match (cell.as_str(), model) {
                (Some(text), Some(model)) => text.parse().map_or_else(
                    |_| cell.clone(),
                    |id| json!(pairs.ours(model, id).to_string()),
                ),
                _ => cell.clone(),
            });
        Json::Array(cells.collect())
    });
    Json::Array(rows.collect())
}
