//! Who asks: a request with its signature verified.

use interplant_domain::identifier::{LifecycleId, PlantCode};
use interplant_runtime::Context;
use interplant_runtime::store::Error;
use interplant_runtime::webhook::{Headers, PlantKeys, Refusal};
use lambda_http::http::StatusCode;
use lambda_http::http::request::Parts;
use lambda_http::{RequestExt, http::HeaderMap};

use crate::problem::Problem;

/// The plant that a request comes from: named by a header, decided by the signature.
pub(crate) async fn sender(
    context: &Context,
    parts: &Parts,
    body: &[u8],
) -> Result<PlantCode, Problem> {
    let missing = |name: &str| {
        Problem::new(
            StatusCode::UNAUTHORIZED,
            "signature_missing",
            format!(
                "The header `{name}` is missing: sign every request by the Standard Webhooks scheme."
            ),
        )
    };
    let header = |name: &'static str| text(&parts.headers, name).ok_or_else(|| missing(name));
    let headers = Headers {
        id: header("webhook-id")?,
        timestamp: header("webhook-timestamp")?,
        signature: header("webhook-signature")?,
    };
    let invalid = || {
        Problem::new(
            StatusCode::UNAUTHORIZED,
            "signature_invalid",
            "No signature fits a key of the plant that the header `interplant-plant` names: check key, body and header.",
        )
    };
    let plant: PlantCode = header("interplant-plant")?.parse().map_err(|_| invalid())?;
    let now = context.now();
    let secret = context
        .secrets
        .read(&format!("plants/{plant}"), now)
        .await
        .map_err(|error| unavailable(&error))?;
    // A plant that does not exist answers like one whose key is wrong, after the same work.
    let keys = secret
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or(PlantKeys {
            keys: Vec::new(),
            webhook: Vec::new(),
        });
    let forms = signed_forms(parts, body);
    let forms: Vec<&[u8]> = forms.iter().map(Vec::as_slice).collect();
    keys.verify(headers, &forms, now).map(|()| plant).map_err(|refusal| match refusal {
        Refusal::MessageId => Problem::new(StatusCode::BAD_REQUEST, "invalid_message_id", "The header `webhook-id` must be 1 to 200 visible ASCII characters without a point."),
        Refusal::Timestamp => Problem::new(
            StatusCode::UNAUTHORIZED,
            "timestamp_out_of_window",
            format!("The header `webhook-timestamp` must be within five minutes of our time, which is {} ({now}): check the sender's clock.", now.as_second()),
        ),
        Refusal::Signature => invalid(),
        Refusal::KeyRevoked => Problem::new(StatusCode::UNAUTHORIZED, "key_revoked", "The signature fits a key that was withdrawn: use the new one."),
    })
}

/// What a store error means to a sender.
pub(crate) fn unavailable(error: &Error) -> Problem {
    tracing::warn!("{error}");
    match error {
        Error::Conflict | Error::Unavailable(_) => Problem::unavailable(),
        Error::Unreadable(_) => Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "Something is wrong on our side; it was reported. Send the same request again later.",
        ),
    }
}

pub(crate) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .filter(|value| !value.is_empty())
}

/// The body; without one, method and path with query. API Gateway hands on the path decoded, so the form
/// that the sender signed is tried as well.
fn signed_forms(parts: &Parts, body: &[u8]) -> Vec<Vec<u8>> {
    if !body.is_empty() {
        return vec![body.to_vec()];
    }
    let query = parts
        .uri
        .query()
        .map(|query| format!("?{query}"))
        .unwrap_or_default();
    let mut forms: Vec<Vec<u8>> = Vec::new();
    for path in [parts.raw_http_path(), parts.uri.path()] {
        // A slash in a document's number is told from the path's own only by what an id looks like.
        let by_id = path
            .strip_prefix("/v1/lifecycles/")
            .and_then(|id| LifecycleId::read(id).ok())
            .map(|id| format!("/v1/lifecycles/{id}"));
        for path in [path.to_owned(), encode(path)].into_iter().chain(by_id) {
            let form = format!("{} {path}{query}", parts.method).into_bytes();
            if !forms.contains(&form) {
                forms.push(form);
            }
        }
    }
    forms
}

/// A decoded path with everything but unreserved characters and slashes percent-encoded.
fn encode(path: &str) -> String {
    let mut encoded = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}
