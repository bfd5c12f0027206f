//! JSON-2, Odoo 19 and later: `POST /json/2/<model>/<method>`, named arguments, errors by HTTP status.

use interplant_domain::json::Json;
use reqwest::StatusCode;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};

use crate::body::Body;
use crate::client::Call;
use crate::connection::{Credentials, Limits};
use crate::error::{self, Error};
use crate::exchange;

pub(crate) async fn call(
    http: &reqwest::Client,
    credentials: &Credentials,
    limits: &Limits,
    call: &Call<'_>,
    status: &mut Option<u16>,
) -> Result<Json, Error> {
    let url = credentials.address(&format!("/json/2/{}/{}", call.model, call.method))?;
    let mut key = HeaderValue::try_from(format!("bearer {}", credentials.api_key))
        .map_err(|_| Error::configuration("the API key has characters that no API key has"))?;
    key.set_sensitive(true);
    let database = HeaderValue::try_from(credentials.db.as_str()).map_err(|_| {
        Error::configuration("the database name has characters that no header takes")
    })?;
    let mut members = Vec::new();
    if let Some(ids) = &call.ids {
        members.push(("ids", Body::ids(ids)));
    }
    members.extend(call.named.iter().cloned());
    members.push(("context", Body::Object(call.context.clone())));
    let body = serde_json::to_vec(&Body::Object(members))
        .map_err(|reason| Error::caller(reason.to_string()))?;
    let request = http
        .post(url)
        .header(AUTHORIZATION, key)
        .header("X-Odoo-Database", database)
        .header(CONTENT_TYPE, "application/json")
        .body(body);
    let reply = exchange::send(request, limits, status).await?;
    if let Some(error) = reply.of_gateway() {
        return Err(error);
    }
    match (reply.status, &reply.json) {
        (StatusCode::OK, Some(_)) => reply.json.ok_or_else(|| Error::unknown("no answer")),
        (StatusCode::OK, None) => Err(Error::unknown("its answer is not JSON")),
        (_, Some(json)) => match (
            json.get("name").and_then(Json::as_str),
            json.get("message").and_then(Json::as_str),
        ) {
            // Read the name, not the status: 404 is a wrong model, a wrong method or a missing record, and
            // 500 with a `builtins` name is our own mistake.
            (Some(name), Some(message)) => Err(error::named(
                name,
                &credentials.without_key(message),
                call.method,
            )),
            _ => Err(reply.by_status()),
        },
        (_, None) => Err(reply.by_status()),
    }
}
