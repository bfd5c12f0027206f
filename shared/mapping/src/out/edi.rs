//! Interchanges for partners: X12 and EDIFACT, one transaction set or message of each event.

use indexmap::IndexMap;
use jiff::civil::DateTime;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

use super::{Reading, Value};
use crate::edi;
use crate::edifact::acknowledgment::acknowledge as judge_edifact;
use crate::edifact::write::{self as edifact_write, Body};
use crate::edifact::{Edifact, segment::Segment};
use crate::feed::At;
use crate::place::{Mistake, Place};
use crate::x12::{self, X12};

/// An interchange as it is configured.
#[derive(Debug, Clone)]
pub(super) struct Edi {
    standard: Standard,
    sender: Party,
    receiver: Party,
    test: bool,
    pub(super) parts: Vec<Part>,
}

#[derive(Debug, Clone)]
enum Standard {
    X12 {
        kind: String,
        version: String,
        functional_id: String,
        asks_acknowledgment: bool,
    },
    Edifact {
        message: Vec<String>,
        charset: String,
        syntax: String,
    },
}

#[derive(Debug, Clone)]
struct Party {
    place: Place,
    id: Value,
    qualifier: Value,
    group_id: Option<Value>,
}

/// A segment, or segments for each of something.
#[derive(Debug, Clone)]
pub(super) enum Part {
    Segment {
        place: Place,
        tag: String,
        elements: Vec<Vec<Value>>,
    },
    Block {
        each: Option<crate::expression::Expression>,
        when: Option<crate::expression::Expression>,
        parts: Vec<Self>,
    },
}

/// A segment with its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Filled {
    pub(super) place: Place,
    pub(super) tag: String,
    pub(super) elements: Vec<Vec<String>>,
}

/// What went to a partner, by the names that its acknowledgment will have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dispatched {
    /// The standard.
    pub standard: edi::Standard,
    /// The partner, as the sender of an acknowledgment is named.
    pub partner: String,
    /// The number of interchange, group and set, or message.
    pub control: u32,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct X12Text {
    kind: String,
    version: String,
    functional_id: String,
    sender: Spanned<IndexMap<String, ValueText>>,
    receiver: Spanned<IndexMap<String, ValueText>>,
    #[serde(default)]
    test: bool,
    #[serde(default)]
    asks_acknowledgment: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EdifactText {
    message: Vec<String>,
    #[serde(default = "default_charset")]
    charset: String,
    #[serde(default = "default_syntax")]
    syntax: String,
    sender: Spanned<IndexMap<String, ValueText>>,
    receiver: Spanned<IndexMap<String, ValueText>>,
    #[serde(default)]
    test: bool,
}

fn default_charset() -> String {
    "UNOC".to_owned()
}

fn default_syntax() -> String {
    "3".to_owned()
}

/// A value as it is written: an expression, `{ constant: … }`, or nothing.
#[derive(Debug, Clone)]
pub(super) struct ValueText {
    place: Place,
    bare: BareValue,
}

#[derive(Debug, Clone)]
enum BareValue {
    Text(String),
    Constant(String),
    Composite(Vec<ValueText>),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConstantText {
    constant: String,
}

fn place_of<T>(spanned: &Spanned<T>) -> Place {
    Place {
        file: String::new(),
        line: spanned.referenced.line(),
        column: spanned.referenced.column(),
    }
}

impl<'de> Deserialize<'de> for ValueText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<BareValue>::deserialize(deserializer)?;
        Ok(Self {
            place: place_of(&spanned),
            bare: spanned.value,
        })
    }
}

impl<'de> Deserialize<'de> for BareValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = BareValue;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a JSONata expression in quotes where YAML would take it for something else, { constant: … }, or a list of components")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<BareValue, E> {
                Ok(BareValue::Text(text.to_owned()))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<BareValue, A::Error> {
                let map = serde::de::value::MapAccessDeserializer::new(map);
                Ok(BareValue::Constant(
                    ConstantText::deserialize(map)?.constant,
                ))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<BareValue, A::Error> {
                let mut parts = Vec::new();
                while let Some(part) = seq.next_element()? {
                    parts.push(part);
                }
                Ok(BareValue::Composite(parts))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

/// A part as it is written: a list is a segment, its id first; a map is a block.
#[derive(Debug, Clone)]
pub(super) struct PartText {
    place: Place,
    bare: BarePart,
}

#[derive(Debug, Clone)]
enum BarePart {
    Segment(Vec<ValueText>),
    Block(BlockText),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct BlockText {
    each: Option<At>,
    when: Option<At>,
    segments: Vec<PartText>,
}

impl<'de> Deserialize<'de> for PartText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<BarePart>::deserialize(deserializer)?;
        Ok(Self {
            place: place_of(&spanned),
            bare: spanned.value,
        })
    }
}

impl<'de> Deserialize<'de> for BarePart {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = BarePart;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a segment as a list, its id first, or a block: each, when, segments")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<BarePart, A::Error> {
                let mut values = Vec::new();
                while let Some(value) = seq.next_element()? {
                    values.push(value);
                }
                Ok(BarePart::Segment(values))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<BarePart, A::Error> {
                let map = serde::de::value::MapAccessDeserializer::new(map);
                Ok(BarePart::Block(BlockText::deserialize(map)?))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl Edi {
    pub(super) fn x12(
        text: &X12Text,
        segments: &[PartText],
        read: &Reading<'_>,
    ) -> Result<Self, Mistake> {
        Ok(Self {
            standard: Standard::X12 {
                kind: text.kind.clone(),
                version: text.version.clone(),
                functional_id: text.functional_id.clone(),
                asks_acknowledgment: text.asks_acknowledgment,
            },
            sender: party(&text.sender, true, read)?,
            receiver: party(&text.receiver, true, read)?,
            test: text.test,
            parts: parts(segments, read)?,
        })
    }

    pub(super) fn edifact(
        text: &EdifactText,
        segments: &[PartText],
        read: &Reading<'_>,
    ) -> Result<Self, Mistake> {
        Ok(Self {
            standard: Standard::Edifact {
                message: text.message.clone(),
                charset: text.charset.clone(),
                syntax: text.syntax.clone(),
            },
            sender: party(&text.sender, false, read)?,
            receiver: party(&text.receiver, false, read)?,
            test: text.test,
            parts: parts(segments, read)?,
        })
    }

    /// Writes the interchange, and reads it as its receiver would: what would be refused is not written.
    /// `value` gives the values of sender and receiver.
    pub(super) fn write<E>(
        &self,
        segments: &[Filled],
        control: u32,
        at: DateTime,
        mut value: impl FnMut(&Value) -> Result<String, E>,
        refused: impl Fn(&Place, String) -> E,
    ) -> Result<(Vec<u8>, Dispatched), E> {
        let place = &self.receiver.place;
        let mut party = |party: &Party| -> Result<(String, String, String), E> {
            let group_id = match &party.group_id {
                Some(group_id) => value(group_id)?,
                None => String::new(),
            };
            Ok((value(&party.id)?, value(&party.qualifier)?, group_id))
        };
        let sender = party(&self.sender)?;
        let receiver = party(&self.receiver)?;
        // The first segment of its kind; the message says which value it is.
        let of = |element: &str| {
            let named = segments
                .iter()
                .find(|filled| element.starts_with(&filled.tag));
            named.map_or(place, |filled| &filled.place)
        };
        match &self.standard {
            Standard::X12 {
                kind,
                version,
                functional_id,
                asks_acknowledgment,
            } => {
                let named = |(id, qualifier, group_id): &(String, String, String)| edi::Party {
                    qualifier: qualifier.clone(),
                    id: id.clone(),
                    group_id: if group_id.is_empty() { id } else { group_id }.clone(),
                };
                let envelope = edi::Envelope {
                    sender: named(&sender),
                    receiver: named(&receiver),
                    interchange_control: control.to_string(),
                    group_control: control.to_string(),
                    set_control: format!("{control:04}"),
                    functional_id: functional_id.clone(),
                    version: version.clone(),
                    test: self.test,
                    asks_acknowledgment: *asks_acknowledgment,
                    date_time: at,
                    delimiters: edi::Delimiters::default(),
                };
                let set: Vec<Vec<edi::Element>> = segments.iter().map(x12_segment).collect();
                let text = edi::write(&envelope, kind, &[set])
                    .map_err(|why| refused(of(&why.element), why.to_string()))?;
                let format = X12 {
                    test: x12::Test::Take,
                    ..X12::default()
                };
                let judged = x12::acknowledge(&format, text.as_bytes(), at, "1");
                let faults: Vec<String> = match judged {
                    Ok((came, _)) => came.into_iter().flat_map(faults_of).collect(),
                    Err(fault) => vec![fault.message],
                };
                let dispatched = Dispatched {
                    standard: edi::Standard::X12,
                    partner: format!("{}:{}", receiver.1.trim(), receiver.0.trim()),
                    control,
                };
                sound(text.into_bytes(), faults, dispatched)
                    .map_err(|message| refused(place, message))
            }
            Standard::Edifact {
                message,
                charset,
                syntax,
            } => {
                let named = |(id, qualifier, _): &(String, String, String)| edifact_write::Party {
                    id: id.clone(),
                    qualifier: qualifier.clone(),
                };
                let envelope = edifact_write::Envelope {
                    sender: named(&sender),
                    receiver: named(&receiver),
                    control: control.to_string(),
                    at,
                    charset: charset.clone(),
                    version: syntax.clone(),
                    test: self.test,
                    una: None,
                };
                let written: Vec<Segment> = segments.iter().map(edifact_segment).collect();
                let reference = control.to_string();
                let body = Body {
                    reference: &reference,
                    identifier: message,
                    segments: written.iter().collect(),
                };
                let bytes = edifact_write::put(&envelope, &[body])
                    .map_err(|why| refused(of(&why.element), why.to_string()))?;
                let judged = judge_edifact(&Edifact::taking_tests(), bytes.as_slice(), at, 1);
                let faults = judged.into_iter().flat_map(|answered| {
                    let sets = answered.of.sets.into_iter().flat_map(|set| set.faults);
                    answered
                        .of
                        .faults
                        .into_iter()
                        .chain(sets)
                        .collect::<Vec<_>>()
                });
                let faults = faults.map(|fault| fault.message).collect();
                let dispatched = Dispatched {
                    standard: edi::Standard::Edifact,
                    partner: receiver.0.trim().to_owned(),
                    control,
                };
                sound(bytes, faults, dispatched).map_err(|message| refused(place, message))
            }
        }
    }
}

fn sound(
    bytes: Vec<u8>,
    faults: Vec<String>,
    dispatched: Dispatched,
) -> Result<(Vec<u8>, Dispatched), String> {
    if faults.is_empty() {
        return Ok((bytes, dispatched));
    }
    Err(format!(
        "its receiver would refuse it: {}",
        faults.join("; ")
    ))
}

fn faults_of(came: edi::Interchange) -> Vec<String> {
    let groups = came.groups.into_iter().flat_map(|group| group.faults);
    let sets = came.sets.into_iter().flat_map(|set| set.faults);
    let all = came.faults.into_iter().chain(groups).chain(sets);
    all.map(|fault| fault.message).collect()
}

fn x12_segment(filled: &Filled) -> Vec<edi::Element> {
    let mut segment = vec![edi::Element::from(filled.tag.as_str())];
    for element in &filled.elements {
        segment.push(match element.as_slice() {
            [one] => edi::Element::from(one.as_str()),
            parts => edi::Element::Composite(parts.to_vec()),
        });
    }
    segment
}

/// Without empty components and elements at its ends, which are not sent.
fn edifact_segment(filled: &Filled) -> Segment {
    let mut elements = filled.elements.clone();
    for element in &mut elements {
        while element.len() > 1 && element.last().is_some_and(String::is_empty) {
            element.pop();
        }
    }
    while elements
        .last()
        .is_some_and(|element| element.iter().all(String::is_empty))
    {
        elements.pop();
    }
    Segment {
        tag: filled.tag.clone(),
        elements,
    }
}

fn party(
    text: &Spanned<IndexMap<String, ValueText>>,
    is_x12: bool,
    read: &Reading<'_>,
) -> Result<Party, Mistake> {
    let place = read.at(&place_of(text));
    let known: &[&str] = if is_x12 {
        &["id", "qualifier", "group_id"]
    } else {
        &["id", "qualifier"]
    };
    if let Some(other) = text
        .value
        .keys()
        .find(|name| !known.contains(&name.as_str()))
    {
        return Err(place.mistake(format!("`{other}` is none of {}", known.join(", "))));
    }
    let named = |name: &str| {
        text.value
            .get(name)
            .map(|text| value(text, read))
            .transpose()
    };
    Ok(Party {
        id: named("id")?.ok_or_else(|| place.mistake("a party has an `id`"))?,
        qualifier: named("qualifier")?.unwrap_or(Value::Constant(String::new())),
        group_id: named("group_id")?,
        place,
    })
}

fn value(text: &ValueText, read: &Reading<'_>) -> Result<Value, Mistake> {
    match &text.bare {
        // An element that is not sent.
        BareValue::Text(source) if source.is_empty() => Ok(Value::Constant(String::new())),
        BareValue::Constant(text) => Ok(Value::Constant(text.clone())),
        BareValue::Text(source) => read.expression(source, &text.place).map(Value::Expression),
        BareValue::Composite(_) => Err(read
            .at(&text.place)
            .mistake("components stand in an element of a segment, nowhere else")),
    }
}

fn parts(texts: &[PartText], read: &Reading<'_>) -> Result<Vec<Part>, Mistake> {
    let mut parts = Vec::with_capacity(texts.len());
    for text in texts {
        let place = read.at(&text.place);
        parts.push(match &text.bare {
            BarePart::Segment(values) => segment(values, place, read)?,
            BarePart::Block(block) => Part::Block {
                each: block
                    .each
                    .as_ref()
                    .map(|at| read.at_expression(at))
                    .transpose()?,
                when: block
                    .when
                    .as_ref()
                    .map(|at| read.at_expression(at))
                    .transpose()?,
                parts: self::parts(&block.segments, read)?,
            },
        });
    }
    Ok(parts)
}

fn segment(values: &[ValueText], place: Place, read: &Reading<'_>) -> Result<Part, Mistake> {
    let (tag, elements) = match values {
        [
            ValueText {
                bare: BareValue::Text(tag),
                ..
            },
            elements @ ..,
        ] => (tag, elements),
        _ => return Err(place.mistake("a segment begins with its id, such as BEG")),
    };
    let is_id = (2..=3).contains(&tag.len())
        && tag
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    if !is_id {
        return Err(place.mistake(format!("`{tag}` is no id of a segment, such as BEG")));
    }
    let elements = elements.iter().map(|element| match &element.bare {
        BareValue::Composite(parts) => parts.iter().map(|part| value(part, read)).collect(),
        BareValue::Text(_) | BareValue::Constant(_) => Ok(vec![value(element, read)?]),
    });
    Ok(Part::Segment {
        place,
        tag: tag.clone(),
        elements: elements.collect::<Result<_, Mistake>>()?,
    })
}
