//! Errors as `application/problem+json` (RFC 9457), each with a stable code and what to do.

use interplant_mapping::event::{Fault, Refusal};
use lambda_http::http::StatusCode;
use serde::Serialize;

/// What is wrong with a request or an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Problem {
    /// `urn:interplant:problem:<code>`
    r#type: String,
    /// The code, once more, for machines.
    pub(crate) code: &'static str,
    /// The HTTP status.
    pub(crate) status: u16,
    /// What is wrong and what to do.
    pub(crate) title: String,
    /// JSON pointer of the place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pointer: Option<String>,
    /// Line of broken JSON, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) line: Option<usize>,
    /// Column of broken JSON, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) column: Option<usize>,
    /// Every further fault of the same event.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) errors: Vec<Fault>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, title: impl Into<String>) -> Self {
        Self {
            r#type: format!("urn:interplant:problem:{code}"),
            code,
            status: status.as_u16(),
            title: title.into(),
            pointer: None,
            line: None,
            column: None,
            errors: Vec::new(),
        }
    }

    pub(crate) fn at(mut self, pointer: impl Into<String>) -> Self {
        self.pointer = Some(pointer.into());
        self
    }

    pub(crate) fn unavailable() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "Nothing was stored. Send the same request again, with the same event ids, after the time in Retry-After.",
        )
    }

    pub(crate) fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let status = match refusal.code {
            "plant_mismatch" => StatusCode::FORBIDDEN,
            "invalid_event" => StatusCode::BAD_REQUEST,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        };
        let mut problem = Self::new(status, refusal.code, refusal.detail);
        problem.pointer = refusal.pointer;
        problem.errors = refusal.faults;
        problem
    }
}
