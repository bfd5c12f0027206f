//! Writes a file: what does not fit is refused, nothing is cut, rounded or replaced.

use jsonata_core::value::JValue;
use serde::Serialize;

use super::{Column, Form, Out, RowKind, Text, Value};
use crate::expression::{Engine, Expression, Failure};
use crate::mapper::Unknown;
use crate::place::Place;

/// What a row of a list is called besides its own fields, as in a feed.
const DOCUMENT: &str = "document";
const POSITION: &str = "position";

/// The largest file.
const FILE_BYTES: usize = 16 << 20;

/// The longest name of a file.
const NAME_CHARS: usize = 120;

/// A file that was made of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Its name.
    pub name: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// Why a file was not made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{place}: {message}")]
pub struct NotWritten {
    /// `unknown_code`, `mapping` or `mapping_budget`.
    pub code: &'static str,
    /// Where in the configuration.
    pub place: Place,
    /// What, and what to do.
    pub message: String,
    /// The lookup and the code that it does not know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unknown: Option<Unknown>,
}

/// Makes files of one kind. It stays in the thread that made it.
pub struct Writer<'o> {
    out: &'o Out,
    engine: Engine,
}

fn not(place: &Place, message: impl Into<String>) -> NotWritten {
    NotWritten {
        code: "mapping",
        place: place.clone(),
        message: message.into(),
        unknown: None,
    }
}

impl<'o> Writer<'o> {
    /// A writer of a kind of files.
    #[must_use]
    pub fn new(out: &'o Out) -> Self {
        Self {
            out,
            engine: Engine::new(&out.lookups),
        }
    }

    /// Makes the file of an event. The same event gives the same file.
    ///
    /// # Errors
    /// What is wrong, and where in the configuration.
    pub fn write(&mut self, event: &serde_json::Value) -> Result<Written, NotWritten> {
        let out = self.out;
        let event = input(event).map_err(|message| not(&out.file.place, message))?;
        let name = self.value(&out.file, &event)?;
        let name = text(&name).map_err(|message| not(&out.file.place, message))?;
        if !is_name(&name) {
            let message = format!(
                "`{}` is no name of a file: 1 to {NAME_CHARS} of A-Z, a-z, 0-9, `.`, `_` and `-`, not beginning with a point",
                name.escape_debug()
            );
            return Err(not(&out.file.place, message));
        }
        let mut lines = Vec::new();
        if let (Form::Delimited { heads: true, .. }, Some(kind)) = (&out.form, out.rows.first()) {
            let heads: Vec<String> = kind.columns.keys().cloned().collect();
            lines.push(self.line(kind, &heads, false)?);
        }
        let mut bytes: usize = 0;
        for kind in &out.rows {
            for row in self.rows(kind, &event)? {
                let mut cells = Vec::with_capacity(kind.columns.len());
                for column in kind.columns.values() {
                    cells.push(self.cell(column, &row)?);
                }
                let line = self.line(kind, &cells, true)?;
                bytes += line.len();
                if bytes > FILE_BYTES {
                    return Err(NotWritten {
                        code: "mapping_budget",
                        ..not(
                            &out.file.place,
                            format!("the file is larger than {} MB", FILE_BYTES >> 20),
                        )
                    });
                }
                lines.push(line);
            }
        }
        let (Form::Delimited { text, .. } | Form::Fixed { text }) = &out.form;
        Ok(Written {
            name,
            bytes: self.encoded(text, &lines)?,
        })
    }

    /// What a kind of rows is made of: the event, or each of its parts.
    fn rows(&mut self, kind: &RowKind, event: &JValue) -> Result<Vec<JValue>, NotWritten> {
        let items = match &kind.each {
            None => vec![event.clone()],
            Some(each) => {
                let value = self.value(each, event)?;
                let mut parts = match value {
                    JValue::Undefined | JValue::Null => Vec::new(),
                    JValue::Array(items) => items.into_vec(),
                    one @ (JValue::Bool(_)
                    | JValue::Number(_)
                    | JValue::String(_)
                    | JValue::Object(_)
                    | JValue::Lambda(_)
                    | JValue::Builtin { .. }
                    | JValue::Regex { .. }) => vec![one],
                };
                for (index, part) in parts.iter_mut().enumerate() {
                    let Some(object) = part.as_object_mut() else {
                        return Err(not(&each.place, "`each` names objects, such as data.lines"));
                    };
                    object.insert(DOCUMENT.to_owned(), event.clone());
                    object.insert(POSITION.to_owned(), JValue::from((index + 1).to_string()));
                }
                parts
            }
        };
        let mut wanted = Vec::with_capacity(items.len());
        for item in items {
            let holds = match &kind.when {
                None => true,
                Some(when) => {
                    let holds = self.value(when, &item)?;
                    let nothing = matches!(holds, JValue::Undefined | JValue::Null);
                    !nothing
                        && holds
                            .as_bool()
                            .ok_or_else(|| not(&when.place, "a condition gives true or false"))?
                }
            };
            if holds {
                wanted.push(item);
            }
        }
        Ok(wanted)
    }

    fn cell(&mut self, column: &Column, row: &JValue) -> Result<String, NotWritten> {
        let cell = match &column.value {
            Value::Constant(text) => text.clone(),
            Value::Expression(expression) => {
                let value = self.value(expression, row)?;
                text(&value).map_err(|message| not(&expression.place, message))?
            }
        };
        let Some(width) = column.width else {
            return Ok(cell);
        };
        let length = cell.chars().count();
        if length > width {
            let shown = cell.escape_debug();
            return Err(not(
                &column.place,
                format!("`{shown}` has {length} characters, the column {width}; it is not cut"),
            ));
        }
        if cell.chars().any(char::is_control) {
            let shown = cell.escape_debug();
            return Err(not(
                &column.place,
                format!("`{shown}` has a control character"),
            ));
        }
        let fill: String = std::iter::repeat_n(column.fill, width - length).collect();
        Ok(if column.right {
            fill + &cell
        } else {
            cell + &fill
        })
    }

    fn line(&self, kind: &RowKind, cells: &[String], is_data: bool) -> Result<String, NotWritten> {
        let Form::Delimited {
            separator,
            quote,
            spreadsheet,
            ..
        } = &self.out.form
        else {
            return Ok(cells.concat());
        };
        let mut line = String::new();
        for (index, (cell, column)) in cells.iter().zip(kind.columns.values()).enumerate() {
            if index > 0 {
                line.push(*separator);
            }
            let guarded = *spreadsheet && is_data && is_formula(cell);
            let cell = if guarded {
                format!("'{cell}")
            } else {
                cell.clone()
            };
            let special = |letter: char| {
                letter == *separator || letter == '\r' || letter == '\n' || Some(letter) == *quote
            };
            if !cell.contains(special) {
                line.push_str(&cell);
                continue;
            }
            let Some(quote) = quote else {
                let shown = cell.escape_debug();
                return Err(not(
                    &column.place,
                    format!(
                        "`{shown}` has a separator or a line end in it, and the file has no `quote`"
                    ),
                ));
            };
            line.push(*quote);
            for letter in cell.chars() {
                if letter == *quote {
                    line.push(letter);
                }
                line.push(letter);
            }
            line.push(*quote);
        }
        Ok(line)
    }

    fn encoded(&self, text: &Text, lines: &[String]) -> Result<Vec<u8>, NotWritten> {
        let mut bytes = Vec::new();
        for line in lines {
            for part in [line.as_str(), text.line_end] {
                let (encoded, _, replaced) = text.encoding.encode(part);
                if replaced {
                    let shown = line.escape_debug();
                    return Err(not(
                        &self.out.file.place,
                        format!(
                            "`{shown}` has a character that {} does not have",
                            text.encoding.name()
                        ),
                    ));
                }
                bytes.extend_from_slice(&encoded);
            }
        }
        Ok(bytes)
    }

    fn value(&mut self, expression: &Expression, input: &JValue) -> Result<JValue, NotWritten> {
        self.engine.evaluate(expression, input).map_err(|failure| {
            let (code, message, unknown) = match failure {
                Failure::UnknownCode { table, code } => (
                    "unknown_code",
                    format!(
                        "the lookup `{table}` does not know `{code}`: add it and publish the plant"
                    ),
                    Some(Unknown { table, code }),
                ),
                Failure::Wrong(message) => ("mapping", message, None),
                Failure::Budget(message) => (
                    "mapping_budget",
                    format!("the expression takes too long or grows too large: {message}"),
                    None,
                ),
            };
            NotWritten {
                code,
                place: expression.place.clone(),
                message,
                unknown,
            }
        })
    }
}

/// The event as expressions see it: every number is its text, as at the door.
fn input(value: &serde_json::Value) -> Result<JValue, String> {
    Ok(match value {
        serde_json::Value::Null => JValue::Null,
        serde_json::Value::Bool(value) => JValue::from(*value),
        serde_json::Value::String(text) => JValue::from(text.as_str()),
        serde_json::Value::Number(number) if number.is_i64() || number.is_u64() => {
            JValue::from(number.to_string())
        }
        serde_json::Value::Number(number) => {
            return Err(format!(
                "the event has the number {number}, which may not be what was meant: amounts are text"
            ));
        }
        serde_json::Value::Array(items) => {
            JValue::array(items.iter().map(input).collect::<Result<_, _>>()?)
        }
        serde_json::Value::Object(fields) => {
            let fields = fields
                .iter()
                .map(|(name, value)| Ok((name.clone(), input(value)?)));
            JValue::object(fields.collect::<Result<_, String>>()?)
        }
    })
}

/// The text of a cell. What is missing is empty; a whole number that JSONata counted becomes its text.
fn text(value: &JValue) -> Result<String, String> {
    match value {
        JValue::Undefined | JValue::Null => Ok(String::new()),
        JValue::String(text) => Ok(text.to_string()),
        JValue::Number(_) => value
            .as_i64()
            .map(|number| number.to_string())
            .ok_or_else(|| "the expression gives a number that is not whole".to_owned()),
        JValue::Bool(_)
        | JValue::Array(_)
        | JValue::Object(_)
        | JValue::Lambda(_)
        | JValue::Builtin { .. }
        | JValue::Regex { .. } => Err("the expression gives no text".to_owned()),
    }
}

fn is_name(name: &str) -> bool {
    (1..=NAME_CHARS).contains(&name.len())
        && !name.starts_with('.')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

/// Whether a spreadsheet would take a cell for a formula; a negative number is none.
fn is_formula(cell: &str) -> bool {
    let is_number = cell.strip_prefix(['-', '+']).is_some_and(|rest| {
        !rest.is_empty()
            && rest
                .bytes()
                .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b','))
    });
    cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && !is_number
}
