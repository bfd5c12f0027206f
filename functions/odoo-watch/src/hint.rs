//! Odoo says that something has changed: a webhook without a signature, so nothing of it is believed. It only
//! lets the next reading come at once, and those of a few seconds are one. `POST /v1/odoo/{database}/hint/{token}`.
//!
//! Safe to repeat: a reading more finds nothing more.

use std::collections::BTreeMap;
use std::time::Duration;

use interplant_runtime::Context;
use interplant_runtime::step::StepError;
use interplant_runtime::webhook::is_same_secret;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

/// Odoo 17 and 18 send before they commit: the reading comes after this time, and brings what else came
/// meanwhile.
const GATHER: Duration = Duration::from_secs(3);

/// What API Gateway hands over of a request; its body is not looked at.
#[derive(Debug, Deserialize)]
pub(crate) struct Request {
    #[serde(rename = "pathParameters", default)]
    path: Option<BTreeMap<String, String>>,
}

pub(crate) async fn handle(
    context: &Context,
    request: Request,
    _deadline: Timestamp,
) -> Result<Value, StepError> {
    let path = request.path.unwrap_or_default();
    let (Some(database), Some(token)) = (path.get("database"), path.get("token")) else {
        return Ok(not_found());
    };
    // The name becomes part of a secret's name.
    let is_name = (2..=40).contains(&database.len())
        && database
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !is_name {
        return Ok(not_found());
    }
    let now = context.now();
    let secret = format!("odoo-hints/{database}");
    let kept = context.secrets.read(&secret, now).await?;
    let kept = kept.unwrap_or_default();
    if kept.trim().is_empty() || !is_same_secret(kept.trim(), token) {
        return Ok(not_found());
    }
    let chain = format!("odoo-hint#{database}");
    if context.store.claim(&chain, now, now + GATHER).await? {
        context.queues.watch(Some(database), GATHER).await?;
    }
    Ok(answer(202, "application/json", &json!({})))
}

/// A wrong token, an unknown database and an unknown path are answered alike.
fn not_found() -> Value {
    let problem = json!({
        "type": "urn:interplant:problem:not_found", "code": "not_found", "status": 404, "title": "There is nothing here."
    });
    answer(404, "application/problem+json", &problem)
}

fn answer(status: u16, content_type: &str, body: &Value) -> Value {
    json!({
        "statusCode": status,
        "headers": {"content-type": content_type},
        "body": body.to_string(),
        "isBase64Encoded": false
    })
}
