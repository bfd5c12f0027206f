//! JSON as it was written: numbers keep their literal text, a repeated key is an error.
//!
//! `serde_json` reads a number through a binary float, which turns `1234567890123456.78` into
//! `1234567890123456.8` without a word. Whoever reads JSON that carries money or quantities reads it here.

use std::collections::BTreeMap;
use std::fmt;

use jiter::{Jiter, JiterError, Peek};
use serde_json::Value as SerdeValue;

/// Deeper nesting than this is refused: no document of ours comes near it, and a stack is finite.
pub const MAX_DEPTH: usize = 64;

/// A JSON value whose numbers are still text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, as it was written.
    Number(String),
    /// A string.
    String(String),
    /// An array.
    Array(Vec<Json>),
    /// An object; keys are unique.
    Object(BTreeMap<String, Json>),
}

/// Why a text is not JSON that we take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not JSON at all.
    #[error("{reason} at line {line}, column {column}")]
    Syntax {
        /// What the reader found.
        reason: String,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// The same key twice in one object: readers disagree which one counts, so none does.
    #[error("the key `{key}` appears twice at {pointer}")]
    DuplicateKey {
        /// The repeated key.
        key: String,
        /// JSON pointer of the repeated member.
        pointer: String,
    },
    /// Nested deeper than [`MAX_DEPTH`].
    #[error("nested deeper than {MAX_DEPTH} levels at {pointer}")]
    TooDeep {
        /// JSON pointer where the limit was passed (shortened).
        pointer: String,
    },
}

/// Reads one JSON document.
///
/// ```
/// use interplant_domain::json::{parse, Json};
/// let read = parse(br#"{"qty": 12.000}"#).unwrap();
/// assert_eq!(read.get("qty"), Some(&Json::Number("12.000".into())));
/// ```
///
/// # Errors
/// When the text is not JSON, repeats a key or nests too deep.
pub fn parse(bytes: &[u8]) -> Result<Json, Error> {
    let mut reader = Reader {
        jiter: Jiter::new(bytes),
        path: Vec::new(),
    };
    let first = reader.jiter.peek().map_err(|error| reader.syntax(&error))?;
    let value = reader.value(first, 0)?;
    reader
        .jiter
        .finish()
        .map_err(|error| reader.syntax(&error))?;
    Ok(value)
}

struct Reader<'a> {
    jiter: Jiter<'a>,
    path: Vec<String>,
}

impl Reader<'_> {
    fn syntax(&self, error: &JiterError) -> Error {
        let position = error.get_position(&self.jiter);
        Error::Syntax {
            reason: error.error_type.to_string(),
            line: position.line,
            column: position.column,
        }
    }

    fn pointer(&self) -> String {
        pointer(&self.path)
    }

    fn value(&mut self, peek: Peek, depth: usize) -> Result<Json, Error> {
        if depth > MAX_DEPTH {
            self.path.truncate(4);
            return Err(Error::TooDeep {
                pointer: self.pointer(),
            });
        }
        match peek {
            Peek::Null => {
                self.jiter.known_null().map_err(|e| self.syntax(&e))?;
                Ok(Json::Null)
            }
            Peek::True | Peek::False => self
                .jiter
                .known_bool(peek)
                .map(Json::Bool)
                .map_err(|e| self.syntax(&e)),
            Peek::String => {
                let text = self.jiter.known_str().map(str::to_owned);
                text.map(Json::String).map_err(|e| self.syntax(&e))
            }
            Peek::Array => self.array(depth),
            Peek::Object => self.object(depth),
            _ => {
                // Everything else jiter can show is the first byte of a number, or an error.
                let text = self
                    .jiter
                    .next_number_bytes()
                    .map(|bytes| String::from_utf8_lossy(bytes).into_owned());
                let text = text.map_err(|e| self.syntax(&e))?;
                if text.starts_with(|c: char| c == '-' || c.is_ascii_digit())
                    && !text.ends_with(|c: char| c.is_ascii_alphabetic())
                {
                    Ok(Json::Number(text))
                } else {
                    Err(Error::Syntax {
                        reason: format!("`{text}` is not a JSON number"),
                        line: self.jiter.current_position().line,
                        column: self.jiter.current_position().column,
                    })
                }
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Json, Error> {
        let mut items = Vec::new();
        let mut next = self.jiter.known_array().map_err(|e| self.syntax(&e))?;
        while let Some(peek) = next {
            self.path.push(items.len().to_string());
            items.push(self.value(peek, depth + 1)?);
            self.path.pop();
            next = self.jiter.array_step().map_err(|e| self.syntax(&e))?;
        }
        Ok(Json::Array(items))
    }

    fn object(&mut self, depth: usize) -> Result<Json, Error> {
        let mut members = BTreeMap::new();
        let first = self.jiter.known_object().map(|key| key.map(str::to_owned));
        let mut next = first.map_err(|e| self.syntax(&e))?;
        while let Some(key) = next {
            self.path.push(key.clone());
            if members.contains_key(&key) {
                return Err(Error::DuplicateKey {
                    key,
                    pointer: self.pointer(),
                });
            }
            let peek = self.jiter.peek().map_err(|e| self.syntax(&e))?;
            let value = self.value(peek, depth + 1)?;
            self.path.pop();
            members.insert(key, value);
            let following = self.jiter.next_key().map(|key| key.map(str::to_owned));
            next = following.map_err(|e| self.syntax(&e))?;
        }
        Ok(Json::Object(members))
    }
}

/// The JSON pointer (RFC 6901) of a path.
#[must_use]
pub fn pointer(path: &[String]) -> String {
    path.iter()
        .map(|part| format!("/{}", part.replace('~', "~0").replace('/', "~1")))
        .collect()
}

impl Json {
    /// The member of an object, or `None` for anything else.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Json> {
        self.as_object().and_then(|members| members.get(key))
    }

    /// The members, when this is an object.
    #[must_use]
    pub fn as_object(&self) -> Option<&BTreeMap<String, Json>> {
        if let Json::Object(members) = self {
            Some(members)
        } else {
            None
        }
    }

    /// The items, when this is an array.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Json]> {
        if let Json::Array(items) = self {
            Some(items)
        } else {
            None
        }
    }

    /// The text of a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        if let Json::String(text) = self {
            Some(text)
        } else {
            None
        }
    }

    /// The literal text of a number.
    #[must_use]
    pub fn as_number(&self) -> Option<&str> {
        if let Json::Number(text) = self {
            Some(text)
        } else {
            None
        }
    }

    /// A whole number that fits.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        self.as_number().and_then(|text| text.parse().ok())
    }

    /// A truth value.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        if let Json::Bool(truth) = self {
            Some(*truth)
        } else {
            None
        }
    }

    /// The same document for `serde`, every number turned into a string of its literal text.
    ///
    /// Decimals, line numbers and revisions are strings in our contracts; a plant that writes a JSON
    /// number means its text.
    #[must_use]
    pub fn into_text_values(self) -> SerdeValue {
        match self {
            Json::Null => SerdeValue::Null,
            Json::Bool(truth) => SerdeValue::Bool(truth),
            Json::Number(text) | Json::String(text) => SerdeValue::String(text),
            Json::Array(items) => {
                SerdeValue::Array(items.into_iter().map(Json::into_text_values).collect())
            }
            Json::Object(members) => SerdeValue::Object(
                members
                    .into_iter()
                    .map(|(key, value)| (key, value.into_text_values()))
                    .collect(),
            ),
        }
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Json::Null => f.write_str("null"),
            Json::Bool(truth) => write!(f, "{truth}"),
            Json::Number(text) => f.write_str(text),
            Json::String(text) => write!(f, "{}", SerdeValue::String(text.clone())),
            Json::Array(items) => {
                f.write_str("[")?;
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        f.write_str(",")?;
                    }
                    write!(f, "{item}")?;
                }
                f.write_str("]")
            }
            Json::Object(members) => {
                f.write_str("{")?;
                for (index, (key, value)) in members.iter().enumerate() {
                    if index > 0 {
                        f.write_str(",")?;
                    }
                    write!(f, "{}:{value}", SerdeValue::String(key.clone()))?;
                }
                f.write_str("}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_text() {
        let read = parse(b"[1.10, 1234567890123456.78, 1e400, -0]").unwrap();
        let texts: Vec<_> = read
            .as_array()
            .unwrap()
            .iter()
            .map(|n| n.as_number().unwrap())
            .collect();
        assert_eq!(texts, ["1.10", "1234567890123456.78", "1e400", "-0"]);
    }

    #[test]
    fn a_repeated_key_is_named_with_its_pointer() {
        let error = parse(br#"{"lines": [{"qty": 1, "qty": 2}]}"#).unwrap_err();
        assert_eq!(
            error,
            Error::DuplicateKey {
                key: "qty".into(),
                pointer: "/lines/0/qty".into()
            }
        );
    }

    #[test]
    fn broken_json_says_line_and_column() {
        let error = parse(b"{\n  \"a\": 1,\n  \"b\" 2\n}").unwrap_err();
        assert!(
            matches!(
                error,
                Error::Syntax {
                    line: 3,
                    column: 7,
                    ..
                }
            ),
            "{error}"
        );
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for text in [
            "NaN",
            "[Infinity]",
            "[-Infinity]",
            "[01]",
            "[1.]",
            "[+1]",
            "",
            "[1,]",
            "{\"a\":1} x",
            "\"\u{1}\"",
        ] {
            assert!(
                matches!(parse(text.as_bytes()), Err(Error::Syntax { .. })),
                "{text}"
            );
        }
        assert!(parse(b"\"\xff\"").is_err(), "invalid UTF-8");
    }

    #[test]
    fn deep_nesting_is_refused_and_not_followed() {
        let deep = "[".repeat(1_000_000);
        assert!(matches!(parse(deep.as_bytes()), Err(Error::TooDeep { .. })));
    }

    #[test]
    fn what_is_displayed_reads_back() {
        let text = r#"{"a":[1.50,"x\"y",null,true],"b":{}}"#;
        assert_eq!(parse(text.as_bytes()).unwrap().to_string(), text);
    }
}
