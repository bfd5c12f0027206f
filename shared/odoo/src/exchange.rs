//! One request, one answer: what is HTTP about a call and the same on both ways.

use std::time::Duration;

use interplant_domain::json::{self, Json};
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{RequestBuilder, Response, StatusCode};

use crate::connection::Limits;
use crate::error::Error;

/// Longest that Odoo may ask us to wait; more is not believed.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// An answer that came whole.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    /// The body, when it says it is JSON and is.
    pub(crate) json: Option<Json>,
    retry_after: Option<Duration>,
}

/// Sends a request once and reads the answer within the limits.
///
/// `status` is set as soon as it is known, for the log.
pub(crate) async fn send(
    request: RequestBuilder,
    limits: &Limits,
    status: &mut Option<u16>,
) -> Result<Reply, Error> {
    let mut response = request.send().await.map_err(failed)?;
    *status = Some(response.status().as_u16());
    let retry_after = response
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.trim().parse().ok())
        .map(|seconds| Duration::from_secs(seconds).min(LONGEST_WAIT));
    let reply = Reply {
        status: response.status(),
        json: None,
        retry_after,
    };
    if !says_json(&response) {
        return Ok(reply);
    }
    let body = within_limit(&mut response, limits.answer_bytes).await?;
    match json::parse(&body) {
        Ok(json) => Ok(Reply {
            json: Some(json),
            ..reply
        }),
        Err(_) if reply.status != StatusCode::OK => Ok(reply),
        Err(reason) => Err(Error::unknown(format!(
            "its answer is not sound JSON: {}",
            crate::error::foreign(&reason.to_string())
        ))),
    }
}

fn says_json(response: &Response) -> bool {
    let value = response
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let mut parts = value
        .split(';')
        .map(|part| part.trim().to_ascii_lowercase());
    parts.next().as_deref() == Some("application/json")
        && parts.all(|part| {
            part.strip_prefix("charset=")
                .is_none_or(|set| set.trim_matches('"') == "utf-8")
        })
}

/// Reads a body and stops at the limit, not after it.
async fn within_limit(response: &mut Response, limit: usize) -> Result<Vec<u8>, Error> {
    let too_large = || Error::unknown(format!("its answer is larger than {limit} bytes"));
    let announced = response
        .content_length()
        .and_then(|length| usize::try_from(length).ok())
        .unwrap_or(0);
    if announced > limit {
        return Err(too_large());
    }
    let mut body = Vec::with_capacity(announced);
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if body.len() + chunk.len() > limit {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Why no answer came. Only what failed before a byte could leave is known to be without effect.
fn failed(error: reqwest::Error) -> Error {
    let error = error.without_url();
    if error.is_builder() {
        return Error::Caller {
            message: "the request cannot be written".to_owned(),
        };
    }
    let text = |what: &str| format!("{what}: {}", crate::error::foreign(&innermost(&error)));
    if error.is_connect() {
        return Error::Unreachable {
            message: text("no connection"),
            source: Some(error),
        };
    }
    let message = if error.is_timeout() {
        "no answer in time".to_owned()
    } else {
        text("the answer broke off")
    };
    Error::OutcomeUnknown {
        message,
        source: Some(error),
    }
}

fn innermost(error: &dyn std::error::Error) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}

impl Reply {
    /// What an answer means that does not come from Odoo's own code, or that asks us to come back later.
    ///
    /// None for a status that Odoo's own code gives.
    pub(crate) fn of_gateway(&self) -> Option<Error> {
        let code = self.status.as_u16();
        match code {
            429 | 503 => Some(Error::Busy {
                message: format!("HTTP status {code}"),
                retry_after: self.retry_after,
            }),
            200 if self.json.is_some() => None,
            300..=399 => Some(Error::configuration(format!(
                "the address of Odoo leads elsewhere (HTTP status {code})"
            ))),
            408 | 502 | 504 => Some(Error::unknown(format!("HTTP status {code}"))),
            _ => None,
        }
    }

    /// What a status means without an error of Odoo in the body.
    pub(crate) fn by_status(&self) -> Error {
        let code = self.status.as_u16();
        match code {
            // Odoo explains what it does not like; a bare refusal comes from something in between.
            400..=499 => Error::configuration(format!(
                "HTTP status {code}: wrong address, wrong database, or a gateway that keeps us out"
            )),
            _ => Error::unknown(format!("HTTP status {code} without an answer of Odoo")),
        }
    }
}
