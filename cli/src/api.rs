//! A plant's side of the API: signed requests.

use std::time::Duration;

use interplant_domain::identifier::PlantCode;
use interplant_runtime::webhook::SenderKey;
use jiff::Timestamp;
use serde_json::Value;

use crate::Failure;

/// A plant that sends facts and asks for their fate.
pub struct Sender {
    /// The plant.
    pub plant: PlantCode,
    base: String,
    key: SenderKey,
    http: reqwest::Client,
}

/// An answer of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Whether the answer repeats an earlier one.
    pub replayed: bool,
    /// The body.
    pub body: Value,
}

/// Media type of one event.
pub const EVENT: &str = "application/cloudevents+json";
/// Media type of a batch.
pub const BATCH: &str = "application/cloudevents-batch+json";

impl Sender {
    /// A sender with the plant's key (`whsec_…` or `whsk_…`).
    ///
    /// # Errors
    /// When the key is neither.
    pub fn new(base: &str, plant: &PlantCode, key: &str) -> Result<Self, Failure> {
        let key = SenderKey::read(key)
            .ok_or("the key is neither whsec_<base64> nor whsk_<base64 of 32 bytes>")?;
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(30))
            .no_proxy()
            .build()?;
        Ok(Self {
            plant: plant.clone(),
            base: base.trim_end_matches('/').to_owned(),
            key,
            http,
        })
    }

    /// Sends a body, signed now.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn post(&self, media_type: &str, body: String) -> Result<Answer, Failure> {
        self.post_to("/v1/events", media_type, body).await
    }

    /// Sends a body to a path, signed now.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn post_to(
        &self,
        path: &str,
        media_type: &str,
        body: String,
    ) -> Result<Answer, Failure> {
        let id = format!("msg_{}", uuid::Uuid::now_v7().simple());
        let timestamp = Timestamp::now().as_second().to_string();
        let signature = self.key.sign(&id, &timestamp, body.as_bytes());
        let request = self
            .http
            .post(format!("{}{path}", self.base))
            .header("content-type", media_type)
            .body(body);
        self.send(request, &id, &timestamp, &signature).await
    }

    /// Sends one event.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn event(&self, event: &Value) -> Result<Answer, Failure> {
        self.post(EVENT, event.to_string()).await
    }

    /// Asks for a path, signed now.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn get(&self, path: &str) -> Result<Answer, Failure> {
        let id = format!("msg_{}", uuid::Uuid::now_v7().simple());
        let timestamp = Timestamp::now().as_second().to_string();
        let signature = self
            .key
            .sign(&id, &timestamp, format!("GET {path}").as_bytes());
        self.send(
            self.http.get(format!("{}{path}", self.base)),
            &id,
            &timestamp,
            &signature,
        )
        .await
    }

    /// Uploads a file to an address that was given for it.
    ///
    /// # Errors
    /// When the address does not take it.
    pub async fn upload(&self, url: &str, bytes: Vec<u8>) -> Result<(), Failure> {
        let response = self.http.put(url).body(bytes).send().await?;
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        let said = response.text().await?;
        Err(format!("the upload was refused with {status}: {said}").into())
    }

    async fn send(
        &self,
        request: reqwest::RequestBuilder,
        id: &str,
        timestamp: &str,
        signature: &str,
    ) -> Result<Answer, Failure> {
        let request = request
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", signature);
        let response = request
            .header("interplant-plant", self.plant.as_str())
            .send()
            .await?;
        answer(response).await
    }
}

/// Reads an answer.
///
/// # Errors
/// When it breaks off.
pub async fn answer(response: reqwest::Response) -> Result<Answer, Failure> {
    let status = response.status().as_u16();
    let replayed = response.headers().get("idempotent-replayed").is_some();
    let text = response.text().await?;
    Ok(Answer {
        status,
        replayed,
        body: serde_json::from_str(&text).unwrap_or(Value::String(text)),
    })
}
