//! The envelope of a fact: CloudEvents 1.0, structured mode.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::identifier::PlantCode;

/// The attributes that a sender may set. Others are refused by name, so that a misspelt one is noticed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    /// Always `1.0`.
    #[schemars(regex(pattern = "^1\\.0$"))]
    pub specversion: String,
    /// The sender's id of the event, unique for its `source`.
    #[schemars(regex(pattern = "^[!-~]{1,200}$"))]
    pub id: String,
    /// `urn:plant:<plant>:<system>`.
    #[schemars(regex(pattern = "^urn:plant:[a-z0-9-]{2,24}:[!-~]{1,100}$"))]
    pub source: String,
    /// The kind of fact, such as `interplant.po.created.v1`.
    #[serde(rename = "type")]
    #[schemars(regex(pattern = "^[!-~]{1,200}$"))]
    pub event_type: String,
    /// When it happened at the plant, RFC 3339 with offset.
    #[schemars(extend("format" = "date-time"), length(max = 40))]
    pub time: String,
    /// The document, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 200))]
    pub subject: Option<String>,
    /// `application/json` when it is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^application/json$"))]
    pub datacontenttype: Option<String>,
    /// Where the schema of `data` is published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 400))]
    pub dataschema: Option<String>,
    /// W3C trace context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$"))]
    pub traceparent: Option<String>,
    /// Revision of the fact. Only 1, which is meant when it is left out, is taken so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^[1-9][0-9]{0,8}$"))]
    pub bizrev: Option<String>,
    /// SHA-256 of the mapping that made the event from a plant's file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^[0-9a-f]{64}$"))]
    pub mappinghash: Option<String>,
    /// The fact itself.
    pub data: serde_json::Value,
}

impl Envelope {
    /// The plant named in `source`.
    #[must_use]
    pub fn plant(&self) -> Option<PlantCode> {
        self.source
            .split(':')
            .nth(2)
            .and_then(|code| code.parse().ok())
    }

    /// The fact's revision; 1 when the sender does not say.
    #[must_use]
    pub fn revision(&self) -> u32 {
        self.bizrev
            .as_deref()
            .and_then(|text| text.parse().ok())
            .unwrap_or(1)
    }

    /// When it happened.
    ///
    /// # Errors
    /// When `time` is not a moment with an offset.
    pub fn happened_at(&self) -> Result<Timestamp, jiff::Error> {
        self.time.parse()
    }
}
