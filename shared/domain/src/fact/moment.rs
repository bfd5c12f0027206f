//! A moment in a fact.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Code;

/// A moment with its offset, `2026-11-23T10:15:00+01:00`.
///
/// It is kept in UTC, so that one moment is one text, whatever offset a system writes it with; that text
/// may name a document that has no other number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment {
    at: Timestamp,
    text: Code,
}

impl Moment {
    /// The moment.
    #[must_use]
    pub fn timestamp(&self) -> Timestamp {
        self.at
    }

    /// The text of it, in UTC.
    #[must_use]
    pub fn code(&self) -> &Code {
        &self.text
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.text.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let at: Timestamp = String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)?;
        Ok(Self {
            at,
            text: Code::new(&at.to_string()),
        })
    }
}

impl JsonSchema for Moment {
    fn schema_name() -> Cow<'static, str> {
        "Moment".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string", "format": "date-time", "maxLength": 40,
            "pattern": "^(19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2}[Tt]",
            "description": "A moment with its offset, RFC 3339.", "examples": ["2026-11-23T10:15:00+01:00"],
        })
    }
}
