//! Bytes to JSON, and what is too much of it.

use interplant_domain::json::{Error as JsonError, Json, MAX_DEPTH, parse};
use lambda_http::http::StatusCode;

use crate::problem::Problem;

/// The largest batch: a function's request holds 6 MB, and the gateway hands bodies on as base64.
pub(crate) const BATCH_BYTES: usize = 4 * 1024 * 1024;
/// The most events in a batch.
pub(crate) const BATCH_EVENTS: usize = 100;

/// Reads a body as JSON.
pub(crate) fn json(body: &[u8]) -> Result<Json, Problem> {
    if std::str::from_utf8(body).is_err() || body.starts_with(b"\xef\xbb\xbf") {
        return Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "invalid_encoding",
            "The body must be UTF-8 without a byte order mark.",
        ));
    }
    parse(body).map_err(|error| match error {
        JsonError::Syntax {
            line,
            column,
            reason,
        } => {
            let mut problem = Problem::new(
                StatusCode::BAD_REQUEST,
                "invalid_json",
                format!("The body is not JSON: {reason} at line {line}, column {column}."),
            );
            problem.line = Some(line);
            problem.column = Some(column);
            problem
        }
        JsonError::DuplicateKey { key, pointer } => Problem::new(
            StatusCode::BAD_REQUEST,
            "duplicate_key",
            format!(
                "The key `{}` appears twice in one object; send it once.",
                key.escape_debug()
            ),
        )
        .at(pointer),
        JsonError::TooDeep { pointer } => Problem::new(
            StatusCode::BAD_REQUEST,
            "too_deep",
            format!("The body nests deeper than {MAX_DEPTH} levels."),
        )
        .at(pointer),
    })
}
