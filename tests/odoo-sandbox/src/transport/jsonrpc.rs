//! `POST /jsonrpc`: the services `common` and `object`, on all versions.

use std::sync::Arc;

use hyper::Method;
use hyper::body::Bytes;
use hyper::http::request::Parts;
use serde_json::{Map, Value as Json, json};

use super::{Answer, Reply, Server, carry_out, error_body, server_version};
use crate::arguments::{self, Call};
use crate::error::{Class, Error, Result};

pub(super) async fn handle(head: &Parts, body: &Bytes, server: &Arc<Server>) -> Reply {
    if head.method != Method::POST {
        return Reply::Answer(if server.engine.version.has_json2() {
            Answer::page(
                415,
                "Unsupported Media Type",
                "Request inferred type is compatible with [&#39;http&#39;, &#39;json2&#39;] but &#39;/jsonrpc&#39; is \
                 type=&#39;jsonrpc&#39;.<br><br>Please verify the Content-Type request header and try again.",
            )
        } else {
            Answer::page(
                400,
                "Bad Request",
                "Request inferred type is compatible with [&#39;http&#39;] but &#39;/jsonrpc&#39; is type=&#39;json&#39;.",
            )
        });
    }
    let Ok(body) = serde_json::from_slice::<Json>(body) else {
        return Reply::Answer(Answer::html(400, "Invalid JSON data"));
    };
    let id = body.get("id").cloned().unwrap_or_default();
    let params = body.get("params").cloned().unwrap_or_default();
    let text = |name: &str| {
        params
            .get(name)
            .and_then(Json::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let args = params
        .get("args")
        .and_then(Json::as_array)
        .cloned()
        .unwrap_or_default();
    let understood = match (text("service").as_str(), text("method").as_str()) {
        ("common", method) => return common(server, method, &args, &id),
        ("object", "execute_kw" | "execute") => execute(server, &args),
        (service, method) => Err(Error::new(Class::KeyError, format!("{service}.{method}"))),
    };
    match understood {
        Ok((user, call)) => carry_out(server, user, call, answer, id).await,
        Err(error) => {
            let seq = note(server, &name(&args, 3), &name(&args, 4));
            server
                .journal
                .ended(seq, 200, Some(error.class.name().to_owned()));
            Reply::Answer(answer(server, Err(error), &id))
        }
    }
}

fn name(args: &[Json], at: usize) -> String {
    args.get(at)
        .and_then(Json::as_str)
        .unwrap_or_default()
        .to_owned()
}

fn note(server: &Server, model: &str, method: &str) -> u64 {
    server.journal.began(
        crate::clock::stamp(server.engine.clock.now()),
        model,
        method,
        &[],
    )
}

fn common(server: &Server, method: &str, args: &[Json], id: &Json) -> Reply {
    let result = match method {
        "version" => Ok(server_version(server.engine.version)),
        "authenticate" | "login" => check_database(server, &name(args, 0)).map(|()| {
            let (login, key) = (name(args, 1), name(args, 2));
            let account = server
                .accounts
                .iter()
                .find(|account| account.login == login && account.key == key);
            account.map_or(json!(false), |account| json!(account.user))
        }),
        _ => Err(Error::new(Class::KeyError, method.to_owned())),
    };
    let seq = note(server, "common", method);
    server.journal.ended(
        seq,
        200,
        result
            .as_ref()
            .err()
            .map(|error| error.class.name().to_owned()),
    );
    Reply::Answer(answer(server, result, id))
}

fn check_database(server: &Server, database: &str) -> Result<()> {
    if database == server.database {
        return Ok(());
    }
    let text = format!(
        "connection to server at \"127.0.0.1\", port 5432 failed: FATAL:  database \"{database}\" does not exist\n"
    );
    Err(Error::new(Class::Database, text))
}

fn execute(server: &Server, args: &[Json]) -> Result<(i64, Call)> {
    check_database(server, &name(args, 0))?;
    let (user, key) = (
        args.get(1).and_then(Json::as_i64).unwrap_or_default(),
        name(args, 2),
    );
    let tx = server.engine.begin(user, Map::new());
    if !tx.exists("res.users", user) {
        return Err(Error::missing("res.users", user, user));
    }
    if !server
        .accounts
        .iter()
        .any(|account| account.user == user && account.key == key)
    {
        return Err(Error::new(Class::AccessDenied, "Access Denied"));
    }
    let positional = args
        .get(5)
        .and_then(Json::as_array)
        .cloned()
        .unwrap_or_default();
    let named = args.get(6).cloned().unwrap_or_default();
    arguments::by_position(&tx, &name(args, 3), &name(args, 4), &positional, &named)
        .map(|call| (user, call))
}

/// Always HTTP 200. A method that returns nothing has no `result` at all.
fn answer(server: &Server, result: Result<Json>, id: &Json) -> Answer {
    let body = match result {
        Ok(Json::Null) => json!({"jsonrpc": "2.0", "id": id}),
        Ok(value) => json!({"jsonrpc": "2.0", "id": id, "result": value}),
        Err(error) => json!({
            "jsonrpc": "2.0",
            "id": id,
            "error": {"code": server.engine.version.rpc_error_code(), "message": "Odoo Server Error", "data": error_body(&error)},
        }),
    };
    Answer::json(200, &body)
}
