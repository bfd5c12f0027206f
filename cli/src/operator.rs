//! An operator's side of the API: requests with a token.

use std::path::Path;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use crate::Failure;
use crate::api::{Answer, answer};

/// Somebody who looks at exceptions and decides.
pub struct Operator {
    base: String,
    token: String,
    http: reqwest::Client,
}

impl Operator {
    /// Somebody with a token.
    ///
    /// # Errors
    /// When there can be no connection at all.
    pub fn new(base: &str, token: &str) -> Result<Self, Failure> {
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(30))
            .no_proxy()
            .build()?;
        Ok(Self {
            base: base.trim_end_matches('/').to_owned(),
            token: token.to_owned(),
            http,
        })
    }

    /// Asks for a path.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn get(&self, path: &str, query: &[(&str, String)]) -> Result<Answer, Failure> {
        let mut url = reqwest::Url::parse(&format!("{}{path}", self.base))
            .map_err(|error| format!("{}{path}: {error}", self.base))?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let request = self.http.get(url).bearer_auth(&self.token);
        answer(request.send().await?).await
    }

    /// Asks for something to be done, under a key that a repeated request has again.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn post(&self, path: &str, key: &str, body: &Value) -> Result<Answer, Failure> {
        let request = self
            .http
            .post(format!("{}{path}", self.base))
            .bearer_auth(&self.token)
            .header("idempotency-key", key)
            .header("content-type", "application/json")
            .body(body.to_string());
        answer(request.send().await?).await
    }

    /// What is asked for, or what is wrong as a sentence.
    ///
    /// # Errors
    /// When the answer is not one of success.
    pub fn expect(answer: Answer) -> Result<Value, Failure> {
        if (200..300).contains(&answer.status) {
            return Ok(answer.body);
        }
        let text = |name: &str| {
            part(&answer.body, name)
                .as_str()
                .unwrap_or_default()
                .to_owned()
        };
        let pointer = match text("pointer") {
            none if none.is_empty() => none,
            pointer => format!(" at {pointer}"),
        };
        Err(format!("{} ({}{pointer})", text("title"), text("code")).into())
    }
}

/// A part of an answer; nothing where it is not there.
#[must_use]
pub fn part<'v>(answer: &'v Value, name: &str) -> &'v Value {
    answer.get(name).unwrap_or(&Value::Null)
}

/// A token of a local cloud's own issuer. No deployed stack takes it.
///
/// # Errors
/// When the folder holds no local cloud's key.
pub fn development_token(
    folder: &Path,
    subject: &str,
    grants: &[String],
    valid_for: SignedDuration,
) -> Result<String, Failure> {
    let path = folder.join("operator-key.pem");
    let pem = std::fs::read(&path).map_err(|error| {
        format!(
            "{}: {error}: tokens are made for a local cloud only",
            path.display()
        )
    })?;
    let now = Timestamp::now();
    let claims = json!({
        "iss": "urn:interplant:development", "aud": "interplant", "sub": subject,
        "iat": now.as_second(), "exp": (now + valid_for).as_second(), "interplant_roles": grants,
    });
    let header = Header {
        kid: Some("development".to_owned()),
        ..Header::new(Algorithm::EdDSA)
    };
    let key = EncodingKey::from_ed_pem(&pem).map_err(|error| error.to_string())?;
    Ok(encode(&header, &claims, &key).map_err(|error| error.to_string())?)
}
