//! Character sets of interchanges.

use std::borrow::Cow;

use edifact_rs::Charset;
use encoding_rs::UTF_8;
use serde::Deserialize;

/// A character set by its WHATWG name, for senders whose UNB names another one than they use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Encoding(&'static encoding_rs::Encoding);

impl TryFrom<String> for Encoding {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let found = encoding_rs::Encoding::for_label(name.as_bytes())
            .ok_or_else(|| format!("`{name}` is no character set, such as windows-1252"))?;
        // Separators are found in the bytes, where other sets have them as halves of characters.
        if found.is_single_byte() || found == UTF_8 {
            Ok(Self(found))
        } else {
            Err(format!(
                "`{name}` cannot be the character set of an interchange: utf-8, or one with a byte for each character"
            ))
        }
    }
}

/// How bytes of an interchange are read as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Text {
    /// As UNB says.
    Declared(Charset),
    /// As the feed says.
    Configured(Encoding),
}

impl Text {
    /// The character set that UNB element 01 names, unless the feed knows better.
    pub(crate) fn of(identifier: &str, configured: Option<Encoding>) -> Result<Self, String> {
        if let Some(encoding) = configured {
            return Ok(Self::Configured(encoding));
        }
        Charset::from_syntax_identifier(identifier)
            .map(Self::Declared)
            .map_err(|_| {
                format!(
                    "`{identifier}` is no character set that can be read, UNOA to UNOK or UNOY: name the one that is used as `encoding` in the feed"
                )
            })
    }

    /// Bytes as text; never with a replacement for what is not in the set.
    pub(crate) fn decode(self, bytes: &[u8]) -> Result<Cow<'_, str>, String> {
        let (text, name) = match self {
            Self::Declared(charset) => (charset.decode(bytes).ok(), charset.syntax_identifier()),
            Self::Configured(Encoding(encoding)) => (
                encoding.decode_without_bom_handling_and_without_replacement(bytes),
                encoding.name(),
            ),
        };
        let text = text.ok_or_else(|| {
            format!("bytes that are no text in {name}: name the character set that is used as `encoding` in the feed")
        })?;
        match text.chars().find(|one| one.is_control()) {
            None => Ok(text),
            Some('\r' | '\n') => Err(
                "a line end within the segment: lines were broken at a length on the way, or a terminator is missing; send it unbroken".to_owned(),
            ),
            Some(other) => Err(format!(
                "the control character U+{:04X}: take it out, or name the character set that is used as `encoding` in the feed",
                u32::from(other)
            )),
        }
    }
}
