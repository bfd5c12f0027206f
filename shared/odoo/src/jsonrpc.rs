//! JSON-RPC, Odoo 17 and 18: `POST /jsonrpc`, HTTP status 200 whatever happens, errors in the body.

use interplant_domain::json::Json;
use reqwest::StatusCode;
use reqwest::header::CONTENT_TYPE;

use crate::body::Body;
use crate::client::Call;
use crate::connection::{Credentials, Limits};
use crate::error::{self, Error};
use crate::exchange::{self, Reply};

/// Every call has its own connection; the number only has to come back.
const REQUEST: i64 = 1;

/// `execute_kw` on a model.
pub(crate) async fn call(
    http: &reqwest::Client,
    credentials: &Credentials,
    limits: &Limits,
    user: i64,
    call: &Call<'_>,
    status: &mut Option<u16>,
) -> Result<Json, Error> {
    let mut positional = Vec::new();
    if let Some(ids) = &call.ids {
        positional.push(Body::ids(ids));
    }
    positional.extend(call.positional.iter().cloned());
    let mut named = call.named.clone();
    // 17 calls some model methods through a cache that cannot take names beside positions.
    if call.positional.is_empty() {
        named.push(("context", Body::Object(call.context.clone())));
    }
    let arguments = vec![
        Body::text(&credentials.db),
        Body::Int(user),
        Body::text(&credentials.api_key),
        Body::text(call.model),
        Body::text(call.method),
        Body::List(positional),
        Body::Object(named),
    ];
    service(
        http,
        credentials,
        limits,
        ("object", "execute_kw", call.method),
        arguments,
        status,
    )
    .await
}

/// The user's id, when login and key are right.
pub(crate) async fn authenticate(
    http: &reqwest::Client,
    credentials: &Credentials,
    limits: &Limits,
    status: &mut Option<u16>,
) -> Result<i64, Error> {
    let arguments = vec![
        Body::text(&credentials.db),
        Body::text(&credentials.login),
        Body::text(&credentials.api_key),
        Body::Object(Vec::new()),
    ];
    let method = "authenticate";
    let answer = service(
        http,
        credentials,
        limits,
        ("common", method, method),
        arguments,
        status,
    )
    .await?;
    match answer {
        Json::Bool(false) => Err(Error::configuration(
            "Odoo does not know this login with this API key",
        )),
        Json::Number(_)
        | Json::Null
        | Json::Bool(true)
        | Json::String(_)
        | Json::Array(_)
        | Json::Object(_) => answer
            .as_i64()
            .filter(|id| *id > 0)
            .ok_or_else(|| Error::unexpected("authenticate did not answer with a user")),
    }
}

async fn service(
    http: &reqwest::Client,
    credentials: &Credentials,
    limits: &Limits,
    (service, function, method): (&'static str, &'static str, &str),
    arguments: Vec<Body>,
    status: &mut Option<u16>,
) -> Result<Json, Error> {
    let body = Body::Object(vec![
        ("jsonrpc", Body::text("2.0")),
        ("method", Body::text("call")),
        ("id", Body::Int(REQUEST)),
        (
            "params",
            Body::Object(vec![
                ("service", Body::text(service)),
                ("method", Body::text(function)),
                ("args", Body::List(arguments)),
            ]),
        ),
    ]);
    let body = serde_json::to_vec(&body).map_err(|reason| Error::caller(reason.to_string()))?;
    let request = http
        .post(credentials.address("/jsonrpc")?)
        .header(CONTENT_TYPE, "application/json")
        .body(body);
    let reply = exchange::send(request, limits, status).await?;
    result(reply, method, Some(REQUEST), credentials)
}

/// The result inside of a JSON-RPC answer.
pub(crate) fn result(
    reply: Reply,
    method: &str,
    request: Option<i64>,
    credentials: &Credentials,
) -> Result<Json, Error> {
    if let Some(error) = reply.of_gateway() {
        return Err(error);
    }
    if reply.status != StatusCode::OK {
        return Err(reply.by_status());
    }
    let Some(Json::Object(mut envelope)) = reply.json else {
        return Err(Error::unknown("its answer is not JSON-RPC"));
    };
    if envelope.get("id").and_then(Json::as_i64) != request {
        return Err(Error::unknown("its answer belongs to another request"));
    }
    if let Some(failure) = envelope.get("error") {
        let of = |key| {
            failure
                .get("data")
                .and_then(|data| data.get(key))
                .and_then(Json::as_str)
        };
        return Err(match (of("name"), of("message")) {
            (Some(name), Some(message)) => {
                error::named(name, &credentials.without_key(message), method)
            }
            _ => Error::unknown("its answer is an error without a name"),
        });
    }
    // A method that returns nothing is answered without a result.
    Ok(envelope.remove("result").unwrap_or(Json::Null))
}
