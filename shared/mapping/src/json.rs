//! JSON: items of an array become documents one after the other, or each line does.
//!
//! What a document holds is read by [`interplant_domain::json`], like everything that plants send: numbers stay
//! their text, and a key that is there twice is refused. Here the file is only cut into documents.

mod cut;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::Read;

use indexmap::IndexMap;
use interplant_domain::json::{self, Error, Json as Value};
use jsonata_core::value::JValue;
use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, de::IgnoredAny};

use crate::format::{AROUND, Branch, FILE, Fault, LINE, Take};
use cut::{Cut, Piece, Place};

/// How a file is written.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "JsonText")]
pub(crate) struct Json {
    /// JSON pointer to the array whose items are documents, or to the object that is one.
    document: Pointer,
    /// Whether each line is a document.
    lines: bool,
    /// Which of the fields around the documents are kept; all of them where it is left out.
    around: Option<BTreeSet<String>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct JsonText {
    document: Pointer,
    lines: bool,
    around: Option<BTreeSet<String>>,
}

impl TryFrom<JsonText> for Json {
    type Error = &'static str;

    fn try_from(text: JsonText) -> Result<Self, Self::Error> {
        if text.lines && (!text.document.0.is_empty() || text.around.is_some()) {
            return Err(
                "with `lines` each line is a document: `document` and `around` belong to files that are one JSON value",
            );
        }
        Ok(Self {
            document: text.document,
            lines: text.lines,
            around: text.around,
        })
    }
}

/// A JSON pointer, RFC 6901.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Pointer(Vec<String>);

impl<'de> Deserialize<'de> for Pointer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.is_empty() {
            return Ok(Self::default());
        }
        let steps = text.strip_prefix('/').ok_or_else(|| {
            D::Error::custom(format!(
                "`{text}` is no JSON pointer: such as /orders, or \"\" for the whole file"
            ))
        })?;
        let steps = steps.split('/');
        Ok(Self(
            steps
                .map(|step| step.replace("~1", "/").replace("~0", "~"))
                .collect(),
        ))
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&json::pointer(&self.0))
    }
}

/// A document or a line larger than this is left out: in the file, and about in memory.
const LARGEST: usize = 8 << 20;
const LARGEST_READ: usize = 40 << 20;
/// About what a value takes in memory, and what an object takes beside its values.
const VALUE_BYTES: usize = 160;
const OBJECT_BYTES: usize = 1000;
/// What stands around documents is with each of them, and is not much.
const LARGEST_AROUND: usize = 256 << 10;
/// Keys on the way to the documents.
const MOST_KEYS: usize = 10_000;
/// Keys that a document has from here.
const OURS: [&str; 3] = [FILE, LINE, AROUND];

/// Reads document by document.
pub(crate) fn read(bytes: impl Read, format: &Json, take: &mut Take<'_>) -> Result<(), Fault> {
    let mut file = File {
        cut: Cut::new(bytes)?,
        format,
        take,
        given: false,
        piece: Piece::default(),
        around: Vec::new(),
    };
    let ended = if format.lines {
        file.lines()
    } else {
        file.whole()
    };
    match ended {
        Err(fault) if file.given => {
            (file.take)(Err(fault));
            Ok(())
        }
        ended => ended,
    }
}

/// A file on its way.
struct File<'f, 't, 'u, R> {
    cut: Cut<R>,
    format: &'f Json,
    take: &'t mut Take<'u>,
    given: bool,
    piece: Piece,
    /// What came before the documents, for each object on the way to them.
    around: Vec<IndexMap<String, JValue>>,
}

impl<R: Read> File<'_, '_, '_, R> {
    fn lines(&mut self) -> Result<(), Fault> {
        loop {
            let place = self.cut.place();
            let mut piece = std::mem::take(&mut self.piece);
            let line = self.cut.line(&mut piece, LARGEST)?;
            if line.is_none() {
                return Ok(());
            }
            let is_blank = piece.bytes.iter().all(u8::is_ascii_whitespace);
            if piece.is_too_large || !is_blank {
                // A line is found whatever is in the one before it.
                self.give(&piece, place, None).or_else(|fault| {
                    self.give_fault(Fault {
                        ends: false,
                        ..fault
                    })
                })?;
            }
            self.piece = piece;
        }
    }

    fn whole(&mut self) -> Result<(), Fault> {
        let found = self.descend(0)?;
        if self.cut.peek()?.is_some() {
            return Err(self.cut.wrong("something follows the end of the JSON"));
        }
        if found {
            return Ok(());
        }
        Err(Fault::end(
            "json_document",
            1,
            format!("the file has no {}", self.format.document),
        ))
    }

    /// Goes on to the documents; what is beside the way is kept or left.
    fn descend(&mut self, depth: usize) -> Result<bool, Fault> {
        let Some(wanted) = self.format.document.0.get(depth) else {
            return self.documents();
        };
        match self.cut.peek()? {
            Some(b'{') => {}
            Some(b'[') => return self.descend_array(depth, wanted),
            Some(_) => {
                self.skip()?;
                return Ok(false);
            }
            None => return Err(self.cut.wrong("the file ends before a value")),
        }
        self.cut.step();
        self.around.push(IndexMap::new());
        let mut seen = BTreeSet::new();
        let mut found = false;
        let mut is_first = true;
        while self.goes_on(b'}', is_first)? {
            is_first = false;
            let place = self.cut.place();
            let key = self.key()?;
            if self.cut.peek()? != Some(b':') {
                return Err(self.cut.wrong("`:` is missing behind a key"));
            }
            self.cut.step();
            if seen.len() >= MOST_KEYS {
                return Err(place.end(
                    "json_limit",
                    format!("an object around the documents has more than {MOST_KEYS} keys"),
                ));
            }
            if key == *wanted && !seen.contains(&key) {
                found = self.descend(depth + 1)?;
            } else if !seen.contains(&key) {
                self.beside(&key)?;
            }
            if let Some(twice) = seen.replace(key) {
                return Err(place.end("json_duplicate_key", twice_said(&twice)));
            }
        }
        self.around.pop();
        Ok(found)
    }

    fn descend_array(&mut self, depth: usize, wanted: &str) -> Result<bool, Fault> {
        self.cut.step();
        self.around.push(IndexMap::new());
        let mut found = false;
        let mut index: usize = 0;
        while self.goes_on(b']', index == 0)? {
            if index.to_string() == wanted {
                found = self.descend(depth + 1)?;
            } else {
                self.skip()?;
            }
            index += 1;
        }
        self.around.pop();
        Ok(found)
    }

    /// Whether another item follows in an array, or another key in an object.
    fn goes_on(&mut self, end: u8, is_first: bool) -> Result<bool, Fault> {
        let end_said = char::from(end);
        let next = self.cut.peek()?;
        if next == Some(end) {
            self.cut.step();
            return Ok(false);
        }
        if is_first {
            return match next {
                Some(_) => Ok(true),
                None => Err(self.cut.wrong(format!("the file ends before `{end_said}`"))),
            };
        }
        if next != Some(b',') {
            let said = match next {
                Some(_) => format!("`,` or `{end_said}` is missing"),
                None => format!("the file ends before `{end_said}`"),
            };
            return Err(self.cut.wrong(said));
        }
        self.cut.step();
        match self.cut.peek()? {
            Some(next) if next != end => Ok(true),
            Some(_) | None => Err(self.cut.wrong("nothing follows a `,`")),
        }
    }

    fn key(&mut self) -> Result<String, Fault> {
        if self.cut.peek()? != Some(b'"') {
            return Err(self.cut.wrong("a key is missing, in double quotes"));
        }
        let place = self.cut.place();
        let read = self.parsed(LARGEST_AROUND)?;
        match read {
            Some(Value::String(key)) => Ok(key),
            Some(_) | None => Err(place.end("json_limit", "a key that does not end")),
        }
    }

    /// The value that begins here; nothing where it is larger than that.
    fn parsed(&mut self, most: usize) -> Result<Option<Value>, Fault> {
        let place = self.cut.place();
        self.cut.value(&mut self.piece, most)?;
        if self.piece.is_too_large || cost(&self.piece) > 4 * most {
            return Ok(None);
        }
        json::parse(&self.piece.bytes)
            .map(Some)
            .map_err(|error| Fault {
                ends: true,
                ..fault(&error, place, &self.piece.bytes)
            })
    }

    fn skip(&mut self) -> Result<(), Fault> {
        self.cut.value(&mut self.piece, 0)
    }

    fn beside(&mut self, key: &str) -> Result<(), Fault> {
        if self.cut.peek()?.is_none() {
            return Err(self.cut.wrong("the file ends before a value"));
        }
        let around = self.format.around.as_ref();
        // Before the documents only: what comes after them cannot be said of them.
        if self.given || around.is_some_and(|wanted| !wanted.contains(key)) {
            return self.skip();
        }
        let place = self.cut.place();
        let Some(read) = self.parsed(LARGEST_AROUND)? else {
            return Err(place.end("json_limit", format!(
                "`{key}` has more than about {} KB and is around the documents: name in `around` which of the keys there are wanted",
                LARGEST_AROUND >> 10
            )));
        };
        if let (Some(level), Some(value)) = (self.around.last_mut(), value(read)) {
            level.insert(key.to_owned(), value);
        }
        Ok(())
    }

    fn documents(&mut self) -> Result<bool, Fault> {
        let around = self.made_around();
        let place = self.cut.place();
        match self.cut.peek()? {
            Some(b'[') => {}
            Some(b'{') => {
                self.document(around.as_ref())?;
                return Ok(true);
            }
            Some(b'n') => {
                // No list at all is a list of nothing.
                return match self.parsed(LARGEST_AROUND)? {
                    Some(Value::Null) => Ok(true),
                    Some(_) | None => Ok(false),
                };
            }
            Some(_) => {
                return Err(place.end(
                    "json_document",
                    format!(
                        "{} is neither an array of documents nor an object",
                        self.format.document
                    ),
                ));
            }
            None => return Err(self.cut.wrong("the file ends before a value")),
        }
        self.cut.step();
        let mut is_first = true;
        while self.goes_on(b']', is_first)? {
            is_first = false;
            self.document(around.as_ref())?;
        }
        self.given = true;
        Ok(true)
    }

    fn document(&mut self, around: Option<&JValue>) -> Result<(), Fault> {
        let place = self.cut.place();
        let mut piece = std::mem::take(&mut self.piece);
        self.cut.value(&mut piece, LARGEST)?;
        let given = self.give(&piece, place, around);
        self.piece = piece;
        given.or_else(|fault| {
            if fault.ends {
                Err(fault)
            } else {
                self.give_fault(fault)
            }
        })
    }

    fn made_around(&self) -> Option<JValue> {
        let names = &self.format.document.0;
        let mut below: Option<(IndexMap<String, JValue>, usize)> = None;
        for (depth, level) in self.around.iter().enumerate().rev() {
            let mut level = level.clone();
            if let (Some((inner, _)), Some(name)) = (below.take(), names.get(depth)) {
                level.insert(name.clone(), JValue::object(inner));
            }
            below = Some((level, depth));
        }
        below.map(|(level, _)| JValue::object(level))
    }

    fn give_fault(&mut self, fault: Fault) -> Result<(), Fault> {
        self.given = true;
        (self.take)(Err(fault));
        Ok(())
    }

    fn give(&mut self, piece: &Piece, place: Place, around: Option<&JValue>) -> Result<(), Fault> {
        if piece.is_too_large || cost(piece) > LARGEST_READ {
            return Err(Fault::new(
                "json_limit",
                place.line,
                format!(
                    "a document of more than {} MB, or with more than about {} MB once it is read: nothing is made of it",
                    LARGEST >> 20,
                    LARGEST_READ >> 20
                ),
            ));
        }
        let read = json::parse(&piece.bytes).map_err(|error| fault(&error, place, &piece.bytes))?;
        let Value::Object(members) = read else {
            return Err(Fault::new(
                "json_document",
                place.line,
                "a document is an object, and this is none",
            ));
        };
        if let Some(taken) = OURS.iter().find(|name| members.contains_key(**name)) {
            return Err(Fault::new(
                "json_key",
                place.line,
                format!("a key is called `{taken}`: that name is taken here"),
            ));
        }
        let mut fields = object(members);
        if let Some(around) = around {
            fields.insert(AROUND.to_owned(), around.clone());
        }
        self.given = true;
        (self.take)(Ok(Branch {
            line: place.line,
            segment: None,
            value: fields,
        }));
        Ok(())
    }
}

/// About what a value takes once it is read.
fn cost(piece: &Piece) -> usize {
    2 * piece.bytes.len() + VALUE_BYTES * piece.values + OBJECT_BYTES * piece.objects
}

fn twice_said(key: &str) -> String {
    let shown: String = key.chars().take(80).collect();
    format!("the key `{shown}` is there twice: say it once")
}

/// Why a value is not read. It holds nothing after it if it is JSON, for then its end is known.
fn fault(error: &Error, place: Place, bytes: &[u8]) -> Fault {
    let is_json = || serde_json::from_slice::<IgnoredAny>(bytes).is_ok();
    match error {
        Error::Syntax {
            reason,
            line,
            column,
        } => {
            let (line, column) = (*line as u64, *column as u64);
            let at = Place {
                line: place.line + line.saturating_sub(1),
                column: if line > 1 {
                    column
                } else {
                    place.column + column.saturating_sub(1)
                },
            };
            at.end("json_syntax", format!("not JSON: {reason}"))
        }
        Error::DuplicateKey { key, pointer } => Fault {
            column: Some(pointer.clone()),
            ends: !is_json(),
            ..Fault::new("json_duplicate_key", place.line, twice_said(key))
        },
        Error::TooDeep { .. } => Fault {
            ends: !is_json(),
            ..Fault::new("json_limit", place.line, error.to_string())
        },
    }
}

/// A value for mappings: numbers are their text, what is null or blank is not there.
fn value(read: Value) -> Option<JValue> {
    match read {
        Value::Null => None,
        Value::Bool(truth) => Some(JValue::from(truth)),
        Value::Number(text) => Some(JValue::from(text)),
        Value::String(text) => {
            let text = text.trim();
            (!text.is_empty()).then(|| JValue::from(text))
        }
        // The others keep their positions.
        Value::Array(items) => Some(JValue::array(
            items
                .into_iter()
                .map(|item| value(item).unwrap_or(JValue::Null))
                .collect(),
        )),
        Value::Object(members) => Some(JValue::object(object(members))),
    }
}

fn object(members: BTreeMap<String, Value>) -> IndexMap<String, JValue> {
    members
        .into_iter()
        .filter_map(|(key, member)| Some((key, value(member)?)))
        .collect()
}
