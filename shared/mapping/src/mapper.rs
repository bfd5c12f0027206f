//! Documents to facts.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use interplant_domain::fact::FactKind;
use interplant_domain::identifier::sha256_hex;
use jsonata_core::value::JValue;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::contract::Contract;
use crate::document::{Document, Lookups, spot_of};
use crate::event::{self, Event, Refusal};
use crate::expression::{Engine, Expression, Failure};
use crate::feed::{EventMapping, Feed, Field};
use crate::format::LINE;
use crate::place::{Place, Spot};

/// Maps documents of one feed. It stays in the thread that made it.
pub struct Mapper<'a> {
    feed: &'a Feed,
    contract: &'a Contract,
    engine: Engine,
    /// Where the document begins that is being mapped.
    at: Spot,
}

/// A fact that was made, checked as if its plant had sent it.
#[derive(Debug, Clone)]
pub struct Made {
    /// Which mapping made it.
    pub name: String,
    /// Where its document begins.
    pub spot: Spot,
    /// The event as JSON.
    pub event: Value,
    /// The event, checked.
    pub checked: Event,
}

/// Why a document, or one fact of it, was not made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{spot}: {message} ({place})")]
pub struct NotMade {
    /// `unknown_code`, `mapping`, `mapping_budget`, or a code of the contract.
    pub code: String,
    /// Which mapping.
    pub event: String,
    /// The document's number, when it could be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    /// Where in the plant's file.
    pub spot: Spot,
    /// JSON pointer of the field that was to be made.
    pub pointer: String,
    /// Where in the mapping.
    pub place: Place,
    /// What, and what to do.
    pub message: String,
    /// The lookup and the code that it does not know: the fact waits for a steward.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unknown: Option<Unknown>,
}

/// A code that a lookup does not know.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Unknown {
    /// The lookup.
    pub table: String,
    /// The code.
    pub code: String,
}

/// An error on the way to a field.
struct Fault {
    failure: Failure,
    pointer: String,
    place: Place,
    spot: Option<Spot>,
    /// The contract's code, when the mapping did its work and the result is not what it should be.
    refused: Option<&'static str>,
}

/// What a row of a list is called besides its own columns.
const DOCUMENT: &str = "document";
const POSITION: &str = "position";

impl<'a> Mapper<'a> {
    /// A mapper for a feed.
    #[must_use]
    pub fn new(feed: &'a Feed, contract: &'a Contract, lookups: &Lookups) -> Self {
        Self {
            feed,
            contract,
            engine: Engine::new(&lookups.0),
            at: Spot::of(""),
        }
    }

    /// From now on codes that lookups knew are noted; those that were noted so far, by lookup.
    pub fn note_codes(&mut self) -> BTreeMap<String, BTreeSet<String>> {
        self.engine.note_codes()
    }

    /// The facts of a document, each with its own fate, in the order of the mapping.
    pub fn map(&mut self, document: &Document) -> Vec<Result<Made, Box<NotMade>>> {
        self.at = document.spot.clone();
        let whole = self.with_columns(document);
        let input = match whole {
            Ok(input) => input,
            Err(fault) => return vec![Err(Box::new(self.not_made("", None, document, fault)))],
        };
        let number = self.text(&self.feed.document, &input, "").ok().flatten();
        let feed = self.feed;
        let mut facts = Vec::new();
        for mapping in &feed.events {
            match self.items(mapping, &input) {
                Ok(items) => {
                    for item in items {
                        let made = self.fact(mapping, &item, document).map_err(|fault| {
                            Box::new(self.not_made(&mapping.name, number.clone(), document, fault))
                        });
                        facts.push(made);
                    }
                }
                Err(fault) => {
                    let not = self.not_made(&mapping.name, number.clone(), document, fault);
                    facts.push(Err(Box::new(not)));
                }
            }
        }
        facts
    }

    fn with_columns(&mut self, document: &Document) -> Result<JValue, Fault> {
        let mut value = document.value.clone();
        for (name, expression) in &self.feed.columns {
            let made = self.value(expression, &value, "")?;
            if value.get(name).is_some() {
                return Err(Fault {
                    failure: Failure::Wrong(format!("the file has a column `{name}` already")),
                    pointer: String::new(),
                    place: expression.place.clone(),
                    spot: None,
                    refused: None,
                });
            }
            if let (Some(object), false) = (value.as_object_mut(), made.is_undefined()) {
                object.insert(name.clone(), made);
            }
        }
        Ok(value)
    }

    /// What a mapping is applied to: the document, or each of its parts; nothing where its condition does
    /// not hold.
    fn items(&mut self, mapping: &EventMapping, input: &JValue) -> Result<Vec<JValue>, Fault> {
        let items = match &mapping.each {
            None => vec![input.clone()],
            Some(each) => self.parts(each, input, input, "")?,
        };
        let mut wanted = Vec::new();
        for item in items {
            if self.holds(mapping.when.as_ref(), &item, "")? {
                wanted.push(item);
            }
        }
        Ok(wanted)
    }

    fn holds(
        &mut self,
        when: Option<&Expression>,
        item: &JValue,
        pointer: &str,
    ) -> Result<bool, Fault> {
        let Some(when) = when else {
            return Ok(true);
        };
        let value = self.value(when, item, pointer)?;
        match value {
            JValue::Undefined | JValue::Null => Ok(false),
            JValue::Bool(holds) => Ok(holds),
            JValue::Number(_)
            | JValue::String(_)
            | JValue::Array(_)
            | JValue::Object(_)
            | JValue::Lambda(_)
            | JValue::Builtin { .. }
            | JValue::Regex { .. } => Err(fault(
                when,
                pointer,
                "a condition gives true or false".to_owned(),
            )),
        }
    }

    /// The parts that an expression names, each with the document and its position beside its own columns.
    fn parts(
        &mut self,
        each: &Expression,
        input: &JValue,
        document: &JValue,
        pointer: &str,
    ) -> Result<Vec<JValue>, Fault> {
        let value = self.value(each, input, pointer)?;
        let parts: Vec<JValue> = match value {
            JValue::Undefined | JValue::Null => Vec::new(),
            JValue::Array(items) => items.into_vec(),
            one @ JValue::Object(_) => vec![one],
            JValue::Bool(_)
            | JValue::Number(_)
            | JValue::String(_)
            | JValue::Lambda(_)
            | JValue::Builtin { .. }
            | JValue::Regex { .. } => {
                return Err(fault(each, pointer, "`each` names rows".to_owned()));
            }
        };
        let mut all = Vec::with_capacity(parts.len());
        for (index, mut part) in parts.into_iter().enumerate() {
            let Some(object) = part.as_object_mut() else {
                return Err(fault(each, pointer, "`each` names rows".to_owned()));
            };
            object.insert(DOCUMENT.to_owned(), document.clone());
            object.insert(POSITION.to_owned(), JValue::from((index + 1).to_string()));
            all.push(part);
        }
        Ok(all)
    }

    fn fact(
        &mut self,
        mapping: &EventMapping,
        item: &JValue,
        document: &Document,
    ) -> Result<Made, Fault> {
        let time = self.text(&mapping.time, item, "/time")?;
        let time =
            time.ok_or_else(|| fault(&mapping.time, "/time", "the fact has no time".to_owned()))?;
        let data = self.object(&mapping.data, item, "/data")?;
        let data = Value::Object(data);
        let kind = mapping.kind;
        let plant = &self.feed.plant;
        // The same content is the same event, whichever file brings it.
        let said = serde_json::to_string(&data).unwrap_or_default();
        let digest =
            sha256_hex(format!("{}\u{1f}{time}\u{1f}{said}", kind.event_type()).as_bytes());
        let id = format!(
            "{}-{}-{}",
            self.feed.name,
            mapping.name,
            digest.get(..24).unwrap_or(&digest)
        );
        let event_json = json!({
            "specversion": "1.0", "id": id, "source": format!("urn:plant:{plant}:{}", mapping.system),
            "type": kind.event_type(), "time": time, "mappinghash": self.feed.hash, "data": data
        });
        let refused = |refusal: &Refusal| {
            let pointer = refusal.pointer.clone().unwrap_or_default();
            Fault {
                failure: Failure::Wrong(refusal.detail.clone()),
                place: place_of(mapping, &pointer),
                pointer,
                spot: None,
                refused: Some(refusal.code),
            }
        };
        let checked = event::checked(self.contract, plant, &event_json)
            .map_err(|refusal| refused(&refusal))?;
        Ok(Made {
            name: mapping.name.clone(),
            spot: document.spot.clone(),
            event: event_json,
            checked,
        })
    }

    fn object(
        &mut self,
        fields: &IndexMap<String, Field>,
        item: &JValue,
        pointer: &str,
    ) -> Result<Map<String, Value>, Fault> {
        let mut object = Map::new();
        for (name, field) in fields {
            let here = format!("{pointer}/{name}");
            if let Some(value) = self.field(field, item, &here)? {
                object.insert(name.clone(), value);
            }
        }
        Ok(object)
    }

    fn field(
        &mut self,
        field: &Field,
        item: &JValue,
        pointer: &str,
    ) -> Result<Option<Value>, Fault> {
        match field {
            Field::Constant(text) => Ok(Some(Value::String(text.clone()))),
            Field::Object(fields) => {
                let object = self.object(fields, item, pointer)?;
                Ok((!object.is_empty()).then_some(Value::Object(object)))
            }
            Field::Value { expression, exact } => {
                let value = self.value(expression, item, pointer)?;
                if *exact && matches!(value, JValue::Number(_)) {
                    return Err(fault(
                        expression,
                        pointer,
                        "an amount is text here: a number would have gone through a binary float; use $dec".to_owned(),
                    ));
                }
                plain(&value).map_err(|message| fault(expression, pointer, message))
            }
            Field::List { each, when, fields } => {
                let document = match item.get(DOCUMENT) {
                    Some(document) => document.clone(),
                    None => item.clone(),
                };
                let mut list = Vec::new();
                for part in self.parts(each, item, &document, pointer)? {
                    let here = format!("{pointer}/{}", list.len());
                    let mut made = || -> Result<Option<Map<String, Value>>, Fault> {
                        if !self.holds(when.as_ref(), &part, &here)? {
                            return Ok(None);
                        }
                        self.object(fields, &part, &here).map(Some)
                    };
                    match made() {
                        Ok(Some(object)) => list.push(Value::Object(object)),
                        Ok(None) => {}
                        Err(mut fault) => {
                            if part.get(LINE).is_some() {
                                fault.spot.get_or_insert_with(|| spot_of(&part, &self.at));
                            }
                            return Err(fault);
                        }
                    }
                }
                Ok((!list.is_empty()).then_some(Value::Array(list)))
            }
        }
    }

    fn value(
        &mut self,
        expression: &Expression,
        input: &JValue,
        pointer: &str,
    ) -> Result<JValue, Fault> {
        self.engine
            .evaluate(expression, input)
            .map_err(|failure| Fault {
                failure,
                pointer: pointer.to_owned(),
                place: expression.place.clone(),
                spot: None,
                refused: None,
            })
    }

    fn text(
        &mut self,
        expression: &Expression,
        input: &JValue,
        pointer: &str,
    ) -> Result<Option<String>, Fault> {
        let value = self.value(expression, input, pointer)?;
        Ok(value.as_str().map(str::to_owned))
    }

    fn not_made(
        &self,
        event: &str,
        number: Option<String>,
        document: &Document,
        fault: Fault,
    ) -> NotMade {
        let (code, message, unknown) = match fault.failure {
            Failure::UnknownCode { table, code } => (
                "unknown_code",
                format!(
                    "the lookup `{table}` does not know `{code}`: add it, and the fact is mapped again"
                ),
                Some(Unknown { table, code }),
            ),
            Failure::Wrong(message) => (fault.refused.unwrap_or("mapping"), message, None),
            Failure::Budget(message) => (
                "mapping_budget",
                format!("the expression takes too long or grows too large: {message}"),
                None,
            ),
        };
        NotMade {
            code: code.to_owned(),
            event: event.to_owned(),
            document: number,
            spot: fault.spot.unwrap_or_else(|| document.spot.clone()),
            pointer: fault.pointer,
            place: fault.place,
            message,
            unknown,
        }
    }
}

impl Made {
    /// The kind of fact.
    #[must_use]
    pub fn kind(&self) -> FactKind {
        self.checked.kind
    }
}

fn fault(expression: &Expression, pointer: &str, message: String) -> Fault {
    Fault {
        failure: Failure::Wrong(message),
        pointer: pointer.to_owned(),
        place: expression.place.clone(),
        spot: None,
        refused: None,
    }
}

/// A value of a canonical field: text, true or false. A whole number that JSONata counted becomes its text.
fn plain(value: &JValue) -> Result<Option<Value>, String> {
    match value {
        JValue::Undefined | JValue::Null => Ok(None),
        JValue::Bool(value) => Ok(Some(Value::Bool(*value))),
        JValue::String(text) => Ok(Some(Value::String(text.to_string()))),
        JValue::Number(_) => value
            .as_i64()
            .map(|number| Some(Value::String(number.to_string())))
            .ok_or_else(|| "the expression gives a number that is not whole".to_owned()),
        JValue::Array(items) => {
            let mut list = Vec::with_capacity(items.len());
            for item in items.iter() {
                list.extend(plain(item)?);
            }
            Ok(Some(Value::Array(list)))
        }
        JValue::Object(_) => {
            Err("the expression gives an object: map its fields one by one".to_owned())
        }
        JValue::Lambda(_) | JValue::Builtin { .. } | JValue::Regex { .. } => {
            Err("the expression gives a function".to_owned())
        }
    }
}

/// The place of the expression behind a field; that of the event's time where there is none.
fn place_of(mapping: &EventMapping, pointer: &str) -> Place {
    let mut fields = Some(&mapping.data);
    let mut place = mapping.time.place.clone();
    for name in pointer.split('/').skip(2) {
        if name.bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        match fields.and_then(|fields| fields.get(name)) {
            Some(Field::Value { expression, .. }) => {
                place = expression.place.clone();
                fields = None;
            }
            Some(Field::List {
                each,
                fields: below,
                ..
            }) => {
                place = each.place.clone();
                fields = Some(below);
            }
            Some(Field::Object(below)) => fields = Some(below),
            Some(Field::Constant(_)) | None => fields = None,
        }
    }
    place
}
