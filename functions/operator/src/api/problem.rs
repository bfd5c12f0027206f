//! Answers and problems, in the form that the API has everywhere (RFC 9457).

use interplant_domain::lifecycle::StaleDecision;
use interplant_mapping::event::{Fault, Refusal};
use interplant_runtime::decisions::NotTaken;
use interplant_runtime::protocol::DecideError;
use interplant_runtime::store::Error;
use serde::Serialize;
use serde_json::{Value, json};

/// What is wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Problem {
    r#type: String,
    pub(crate) code: &'static str,
    pub(crate) status: u16,
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pointer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Fault>,
}

impl Problem {
    pub(crate) fn new(status: u16, code: &'static str, title: impl Into<String>) -> Self {
        Self {
            r#type: format!("urn:interplant:problem:{code}"),
            code,
            status,
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

    pub(crate) fn placed(mut self, line: usize, column: usize) -> Self {
        self.line = Some(line);
        self.column = Some(column);
        self
    }

    pub(crate) fn not_found() -> Self {
        Self::new(404, "not_found", "There is nothing here.")
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        tracing::warn!("{error}");
        match error {
            Error::Conflict | Error::Unavailable(_) => Self::new(
                503,
                "unavailable",
                "Nothing was decided, or it was and cannot be told. Send the same request again, with the same Idempotency-Key, after the time in Retry-After.",
            ),
            Error::Unreadable(_) => Self::new(
                500,
                "internal",
                "Something is wrong on our side; it was reported. Send the same request again later.",
            ),
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let mut problem = Self::new(422, refusal.code, refusal.detail);
        problem.pointer = refusal.pointer;
        problem.errors = refusal.faults;
        problem
    }
}

impl From<NotTaken> for Problem {
    fn from(refused: NotTaken) -> Self {
        let text = refused.to_string();
        match refused {
            NotTaken::Decide(DecideError::Store(error)) => error.into(),
            NotTaken::Decide(DecideError::NoLifecycle(_)) => Self::not_found(),
            NotTaken::Decide(DecideError::Stale(stale)) => match stale {
                StaleDecision::NotOpen(_) => Self::new(409, "not_open", text),
                StaleDecision::Changed { .. } => Self::new(409, "changed_since", text),
                StaleDecision::AtWork => Self::new(409, "at_work", text),
                StaleDecision::NotFollowed => Self::new(409, "not_followed", text),
                StaleDecision::NothingProposed => Self::new(409, "nothing_proposed", text),
                StaleDecision::SamePerson | StaleDecision::OwnProposal => {
                    Self::new(403, "second_person_needed", text)
                }
                StaleDecision::NotAcceptable(_)
                | StaleDecision::OutboxOnlySkip
                | StaleDecision::NothingAmended
                | StaleDecision::NotAmendable
                | StaleDecision::OnlySkip => Self::new(422, "decision_not_possible", text),
            },
            NotTaken::OtherRequest => Self::new(422, "idempotency_payload_mismatch", text),
            NotTaken::AnotherFact(_) => Self::new(422, "decision_not_possible", text),
        }
    }
}

/// An answer before it is bytes.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
    pub(crate) replayed: bool,
}

impl Answer {
    pub(crate) fn ok(body: Value) -> Self {
        Self {
            status: 200,
            body,
            replayed: false,
        }
    }
}

/// As API Gateway wants it.
pub(crate) fn respond(outcome: Result<Answer, Problem>, trace: Option<&str>) -> Value {
    let (status, content_type, body, extra) = match outcome {
        Ok(answer) => {
            let replayed = answer.replayed.then_some(("idempotent-replayed", "true"));
            (answer.status, "application/json", answer.body, replayed)
        }
        Err(problem) => {
            let mut body = json!(problem);
            if let (Some(trace), Some(body)) = (trace, body.as_object_mut()) {
                body.insert("instance".to_owned(), json!(trace));
            }
            let extra = match problem.status {
                401 => Some(("www-authenticate", "Bearer")),
                503 => Some(("retry-after", "10")),
                _ => None,
            };
            (problem.status, "application/problem+json", body, extra)
        }
    };
    let mut headers = json!({"content-type": content_type, "cache-control": "no-store"});
    if let (Some((name, value)), Some(headers)) = (extra, headers.as_object_mut()) {
        headers.insert(name.to_owned(), json!(value));
    }
    json!({"statusCode": status, "headers": headers, "body": body.to_string(), "isBase64Encoded": false})
}
