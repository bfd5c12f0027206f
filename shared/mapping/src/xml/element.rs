//! An element while it is read, and the value that it becomes.

use std::borrow::Cow;
use std::collections::BTreeSet;

use indexmap::{IndexMap, IndexSet};
use jsonata_core::value::JValue;
use quick_xml::XmlVersion;
use quick_xml::events::BytesStart;

use super::Stop;
use super::source::{LONGEST, Place};
use crate::format::{AROUND, ELEMENT, FILE, LINE};

/// More attributes than this are an attack.
const MOST_ATTRIBUTES: usize = 1000;
/// About what a value takes beside its characters, and what an object takes beside its values.
const VALUE_BYTES: usize = 160;
const OBJECT_BYTES: usize = 400;

const TEXT: &str = "#text";
/// Names of elements that are there and hold nothing.
const EMPTY: &str = "_empty";
/// What an element must not be called: the names are taken.
const OURS: [&str; 5] = [FILE, LINE, AROUND, ELEMENT, EMPTY];
const LONGEST_NAME: usize = 1000;
const MOST_PREFIXES: usize = 100;
const SCHEMA_INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// An element that is open.
#[derive(Debug)]
pub(super) struct Element {
    /// Its local name.
    pub(super) name: String,
    /// Where it begins.
    pub(super) place: Place,
    /// About what it takes in memory.
    pub(super) cost: usize,
    fields: IndexMap<String, JValue>,
    empty: IndexSet<String>,
    /// Its text, each piece between two elements without the blanks around it.
    text: String,
    piece: String,
}

impl Element {
    /// An element by its tag, with the attributes that are wanted. Which prefixes stand for attributes of schemas is remembered by `bound`.
    pub(super) fn open(
        tag: &BytesStart<'_>,
        place: Place,
        wanted: Option<&BTreeSet<String>>,
        bound: &mut Prefixes,
    ) -> Result<Self, Stop> {
        let tag_name = tag.name();
        let name = local(tag_name.0)?;
        if OURS.contains(&name) {
            return Err(Stop::Name(name.to_owned()));
        }
        let mut element = Self {
            name: name.to_owned(),
            place,
            cost: OBJECT_BYTES + name.len(),
            fields: IndexMap::new(),
            empty: IndexSet::new(),
            text: String::new(),
            piece: String::new(),
        };
        bound.open();
        if tag.attributes_raw().is_empty() {
            return Ok(element);
        }
        let mut kept: Vec<(&str, Cow<'_, str>)> = Vec::new();
        for (index, attribute) in tag.attributes().enumerate() {
            if index >= MOST_ATTRIBUTES {
                return Err(Stop::Limit(format!(
                    "`{name}` has more than {MOST_ATTRIBUTES} attributes"
                )));
            }
            let attribute = attribute.map_err(|error| Stop::Syntax(error.to_string()))?;
            let key = attribute.key.0;
            local(key)?;
            if attribute.value.contains('<') {
                return Err(Stop::Syntax(format!("`<` in the attribute `{key}`")));
            }
            let value = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(|error| Stop::Syntax(error.to_string()))?;
            characters(&value)?;
            match key.split_once(':') {
                None if key == "xmlns" => {}
                Some(("xmlns", prefix)) => bound.bind(prefix, value == SCHEMA_INSTANCE)?,
                Some(_) | None => kept.push((key, value)),
            }
        }
        for (key, value) in kept {
            let (prefix, own) = key.split_once(':').unwrap_or(("", key));
            // Which schema a value follows is nothing that a plant says.
            if !bound.is_schema(prefix) && wanted.is_none_or(|wanted| wanted.contains(own)) {
                element.put(format!("@{own}"), value.trim());
            }
        }
        Ok(element)
    }

    fn put(&mut self, name: String, text: &str) {
        if !text.is_empty() {
            self.cost += VALUE_BYTES + name.len() + text.len();
            add(&mut self.fields, name, JValue::from(text), false);
        }
    }

    /// Takes text; references and CDATA are text like any other.
    pub(super) fn say(&mut self, text: &str) -> Result<(), Stop> {
        characters(text)?;
        if (self.text.len() + self.piece.len() + text.len()) as u64 > LONGEST {
            return Err(Stop::Limit(format!(
                "`{}` has more than {} MB of text",
                self.name,
                LONGEST >> 20
            )));
        }
        self.cost += text.len();
        self.piece.push_str(text);
        Ok(())
    }

    /// How much text it has by now, blanks between elements left out.
    pub(super) fn text_bytes(&self) -> usize {
        self.text.len() + self.piece.trim().len()
    }

    /// Ends a piece of text: an element begins or ends here.
    pub(super) fn pause(&mut self) {
        let piece = self.piece.trim();
        if !piece.is_empty() {
            if !self.text.is_empty() {
                self.text.push(' ');
            }
            self.text.push_str(piece);
        }
        self.cost = self.cost.saturating_sub(self.piece.len() - piece.len());
        self.piece.clear();
    }

    /// Takes an element that was closed.
    pub(super) fn adopt(&mut self, child: Self, repeated: bool) {
        let (name, cost) = (child.name.clone(), child.cost);
        match child.close() {
            Some(value) => {
                // Text alone is no object after all.
                self.cost += if value.is_string() {
                    VALUE_BYTES + cost.saturating_sub(OBJECT_BYTES)
                } else {
                    cost
                };
                add(&mut self.fields, name, value, repeated);
            }
            None => {
                self.cost += VALUE_BYTES + name.len();
                self.empty.insert(name);
            }
        }
    }

    /// Its text where it has nothing else; nothing where it is blank.
    fn close(mut self) -> Option<JValue> {
        self.pause();
        if !self.fields.is_empty() || !self.empty.is_empty() {
            return Some(JValue::object(self.into_fields()));
        }
        (!self.text.is_empty()).then(|| JValue::from(self.text))
    }

    /// Its attributes, its elements and its text.
    pub(super) fn into_fields(mut self) -> IndexMap<String, JValue> {
        self.pause();
        if !self.text.is_empty() {
            self.fields.insert(TEXT.to_owned(), JValue::from(self.text));
        }
        if !self.empty.is_empty() {
            let names = self.empty.into_iter().map(JValue::from).collect();
            self.fields.insert(EMPTY.to_owned(), JValue::array(names));
        }
        let line = self.place.line.to_string();
        self.fields.insert(LINE.to_owned(), JValue::from(line));
        self.fields
    }

    /// The same as far as it was read, with what is open below it.
    pub(super) fn so_far(&self, below: Option<(&str, JValue)>) -> IndexMap<String, JValue> {
        let mut fields = Self {
            name: String::new(),
            place: self.place,
            cost: 0,
            fields: self.fields.clone(),
            empty: self.empty.clone(),
            text: self.text.clone(),
            piece: String::new(),
        }
        .into_fields();
        if let Some((name, value)) = below {
            add(&mut fields, name.to_owned(), value, false);
        }
        fields
    }
}

fn add(fields: &mut IndexMap<String, JValue>, name: String, value: JValue, repeated: bool) {
    let Some(there) = fields.get_mut(&name) else {
        let value = if repeated {
            JValue::array(vec![value])
        } else {
            value
        };
        fields.insert(name, value);
        return;
    };
    match there.as_array_mut() {
        Some(items) => items.push(value),
        None => {
            let first = std::mem::replace(there, JValue::Undefined);
            *there = JValue::array(vec![first, value]);
        }
    }
}

/// Prefixes as they are bound where the reader is.
#[derive(Debug, Default)]
pub(super) struct Prefixes {
    depth: usize,
    bound: Vec<(usize, String, bool)>,
}

impl Prefixes {
    fn open(&mut self) {
        self.depth += 1;
    }

    /// Leaves an element.
    pub(super) fn close(&mut self) {
        while self.bound.last().is_some_and(|last| last.0 >= self.depth) {
            self.bound.pop();
        }
        self.depth = self.depth.saturating_sub(1);
    }

    fn bind(&mut self, prefix: &str, is_schema: bool) -> Result<(), Stop> {
        let known = self.bound.iter().rev().find(|one| one.1 == prefix);
        // A prefix that nobody asks about need not be remembered.
        if is_schema || known.is_some_and(|one| one.2) {
            self.bound.push((self.depth, prefix.to_owned(), is_schema));
        }
        if self.bound.len() > MOST_PREFIXES {
            return Err(Stop::Limit(format!(
                "more than {MOST_PREFIXES} prefixes for the same namespace"
            )));
        }
        Ok(())
    }

    fn is_schema(&self, prefix: &str) -> bool {
        let known = self.bound.iter().rev().find(|one| one.1 == prefix);
        known.is_some_and(|one| one.2)
    }
}

/// The local name of a name that may have a prefix.
fn local(name: &str) -> Result<&str, Stop> {
    let (prefix, own) = match name.split_once(':') {
        Some((prefix, own)) => (Some(prefix), own),
        None => (None, name),
    };
    if !is_name(own) || prefix.is_some_and(|prefix| !is_name(prefix)) {
        let shown: String = name.chars().take(40).collect();
        return Err(Stop::Syntax(format!("`{shown}` is no name")));
    }
    if own.len() > LONGEST_NAME {
        return Err(Stop::Limit(format!(
            "a name of more than {LONGEST_NAME} characters"
        )));
    }
    Ok(own)
}

/// A name without a colon, as XML 1.0 has it.
fn is_name(text: &str) -> bool {
    let starts = |one: char| {
        one.is_ascii_alphabetic()
            || one == '_'
            || matches!(one, '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}'
                | '\u{370}'..='\u{37d}' | '\u{37f}'..='\u{1fff}' | '\u{200c}'..='\u{200d}'
                | '\u{2070}'..='\u{218f}' | '\u{2c00}'..='\u{2fef}' | '\u{3001}'..='\u{d7ff}'
                | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}' | '\u{10000}'..='\u{effff}')
    };
    let goes_on = |one: char| {
        starts(one)
            || one.is_ascii_digit()
            || matches!(one, '-' | '.' | '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}'..='\u{2040}')
    };
    let mut letters = text.chars();
    letters.next().is_some_and(starts) && letters.all(goes_on)
}

/// Whether all of a text may be in XML.
pub(super) fn characters(text: &str) -> Result<(), Stop> {
    let is_plain = |byte: &u8| matches!(byte, b' '..=0x7e | b'\t' | b'\n' | b'\r');
    if text.as_bytes().iter().all(is_plain) {
        return Ok(());
    }
    let not = text.chars().find(|one| {
        !matches!(one, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}')
    });
    not.map_or(Ok(()), |one| {
        Err(Stop::Syntax(format!(
            "the character U+{:04X} may not be in XML",
            u32::from(one)
        )))
    })
}
