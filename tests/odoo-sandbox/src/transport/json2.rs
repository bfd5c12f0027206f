//! `POST /json/2/<model>/<method>`: 19 only.

use std::sync::Arc;

use hyper::Method;
use hyper::body::Bytes;
use hyper::http::request::Parts;
use serde_json::{Map, Value as Json};

use super::{Answer, Reply, Server, carry_out, error_body, json_error};
use crate::arguments;
use crate::error::{Class, Error, Result};

fn header<'p>(head: &'p Parts, name: &str) -> Option<&'p str> {
    head.headers.get(name).and_then(|value| value.to_str().ok())
}

pub(super) async fn handle(head: &Parts, body: &Bytes, server: &Arc<Server>) -> Reply {
    let path: Vec<&str> = head
        .uri
        .path()
        .trim_start_matches("/json/2/")
        .split('/')
        .collect();
    if head.method == Method::POST
        && !header(head, "content-type").is_some_and(|kind| kind.starts_with("application/json"))
    {
        return Reply::Answer(Answer::page(
            415,
            "Unsupported Media Type",
            "Request inferred type is compatible with [&#39;http&#39;] but &#39;/json/2/&lt;__model__&gt;/&lt;__method__&gt;&#39; is \
             type=&#39;json2&#39;.<br><br>Please verify the Content-Type request header and try again.",
        ));
    }
    if header(head, "x-odoo-database").is_some_and(|database| database != server.database) {
        return Reply::Answer(Answer::html(
            404,
            "<!DOCTYPE html>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n<p>No database is selected and the requested URL was not found \
             in the server-wide controllers.</p>\n<p>Please verify the hostname, <a href=/web/login>login</a> and try again.</p>\n\n<!-- \
             Alternatively, use the X-Odoo-Database header. -->\n",
        ));
    }
    let understood = user(head, server).and_then(|user| {
        let [model, method] = path.as_slice() else {
            return Err(did_you_mean());
        };
        if head.method != Method::POST {
            return Err(did_you_mean());
        }
        let body = if body.is_empty() {
            Json::Object(Map::new())
        } else {
            serde_json::from_slice(body).map_err(|error| json_error(body, &error))?
        };
        let tx = server.engine.begin(user, Map::new());
        arguments::by_name(&tx, model, method, &body).map(|call| (user, call))
    });
    match understood {
        Ok((user, call)) => carry_out(server, user, call, answer, Json::Null).await,
        Err(error) => {
            let (model, method) = (
                path.first().copied().unwrap_or_default(),
                path.get(1).copied().unwrap_or_default(),
            );
            let seq = server.journal.began(
                crate::clock::stamp(server.engine.clock.now()),
                model,
                method,
                &[],
            );
            server.journal.ended(
                seq,
                error.class.status(),
                Some(error.class.name().to_owned()),
            );
            Reply::Answer(answer(server, Err(error), &Json::Null))
        }
    }
}

fn did_you_mean() -> Error {
    Error::new(
        Class::NotFound,
        "Did you mean POST /json/2/<model>/<method>?",
    )
}

fn user(head: &Parts, server: &Server) -> Result<i64> {
    let key = header(head, "authorization").and_then(|value| {
        let (scheme, key) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(key)
    });
    let key = key.ok_or_else(|| {
        Error::new(
            Class::Unauthorized,
            "User not authenticated, use an API Key with a Bearer Authorization header.",
        )
    })?;
    let account = server.accounts.iter().find(|account| account.key == key);
    account
        .map(|account| account.user)
        .ok_or_else(|| Error::new(Class::Unauthorized, "Invalid apikey"))
}

fn answer(_: &Server, result: Result<Json>, _: &Json) -> Answer {
    match result {
        Ok(value) => Answer::json(200, &value),
        Err(error) => Answer::json(error.class.status(), &error_body(&error)),
    }
}
