//! Interchanges that go out, such as orders to suppliers: the same documents that are read, written.

use edifact_rs::{Charset, EdifactError, ServiceStringAdvice, Writer};
use jiff::civil::DateTime;
use serde_json::{Map, Value};

use crate::edifact::envelope::{self, Event};
use crate::edifact::group::{Group, Slot};
use crate::edifact::segment::Segment;
use crate::edifact::tables::MESSAGES;
use crate::edifact::{Edifact, Test};
use crate::format::{LINE, SEGMENT};

/// From whom to whom an interchange goes, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// Who sends it.
    pub sender: Party,
    /// Whom it is for.
    pub receiver: Party,
    /// The reference of the interchange, which the receiver answers to.
    pub control: String,
    /// When it is written, in the sender's time.
    pub at: DateTime,
    /// The character set as UNB names it, such as `UNOC`.
    pub charset: String,
    /// The version of the syntax, `1` to `4`.
    pub version: String,
    /// Whether it says that it is a test.
    pub test: bool,
    /// Service characters, when a UNA is to be written with them; else those of the standard.
    pub una: Option<ServiceStringAdvice>,
}

/// A party of an interchange.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Party {
    /// Its identification, such as a GLN.
    pub id: String,
    /// Which kind of identification it is, such as `14`; empty where none was agreed.
    pub qualifier: String,
}

/// A message that goes out.
#[derive(Debug, Clone, PartialEq)]
pub struct Outgoing {
    /// Its reference in the interchange.
    pub reference: String,
    /// What it is, as UNH names it: `ORDERS`, `D`, `96A`, `UN`.
    pub identifier: Vec<String>,
    /// Its segments by their names, as they are read: `{"BGM": {"BGM01": "220"}, "LIN": [{"LIN01": "1"}]}`. Texts.
    pub document: Value,
}

/// Why an interchange is not written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{element}: {message}")]
pub struct Refused {
    /// The element, such as `NAD04_1`, or the segment.
    pub element: String,
    /// What is wrong with it.
    pub message: String,
}

impl Refused {
    fn new(element: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            element: element.into(),
            message: message.into(),
        }
    }
}

/// A segment with the groups that it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Placed {
    path: String,
    pub(crate) segment: Segment,
}

/// Writes an interchange, and reads it back: what would be read as something else is not written.
///
/// # Errors
/// The element that cannot be written, and why.
pub fn interchange(envelope: &Envelope, messages: &[Outgoing]) -> Result<Vec<u8>, Refused> {
    let mut placed = Vec::with_capacity(messages.len());
    for message in messages {
        let kind = message.identifier.first().map_or("", String::as_str);
        let group = MESSAGES.get(kind).ok_or_else(|| {
            let known: Vec<&str> = MESSAGES.keys().copied().collect();
            Refused::new(
                "UNH02_1",
                format!("`{kind}` is none of {}", known.join(", ")),
            )
        })?;
        let document = fields(&message.document, "UNH")?;
        let mut segments = Vec::new();
        flatten(group, document, "", &mut segments)?;
        if let Some(bare) = segments.iter().find(|one| one.segment.elements.is_empty()) {
            let message = format!("the segment in {} has no elements", bare.path);
            return Err(Refused::new(&bare.segment.tag, message));
        }
        placed.push(segments);
    }
    let heads = messages.iter().zip(&placed);
    let bodies: Vec<Body<'_>> = heads
        .map(|(message, placed)| Body {
            reference: &message.reference,
            identifier: &message.identifier,
            segments: placed.iter().map(|placed| &placed.segment).collect(),
        })
        .collect();
    let bytes = put(envelope, &bodies)?;
    read_back(&bytes, &placed)?;
    Ok(bytes)
}

fn read_back(bytes: &[u8], placed: &[Vec<Placed>]) -> Result<(), Refused> {
    let format = Edifact {
        test: Test::Take,
        ..Edifact::default()
    };
    let mut wanted = placed.iter();
    let mut wrong = None;
    let ended = envelope::read(bytes, &format, &mut |event| {
        let same = match event {
            Event::Closed => Ok(()),
            Event::Opened(header) => header
                .refused
                .map_or(Ok(()), |finding| Err(finding.message)),
            Event::Wrong(finding) | Event::WrongGroup(finding) => Err(finding.message),
            Event::Message(message) => match (message.branch, wanted.next()) {
                (Ok(branch), Some(wanted)) => same(&message.kind, &branch.value, wanted),
                (Ok(_), None) => Err("there are more messages than were written".to_owned()),
                (Err(findings), _) => Err(findings
                    .into_iter()
                    .map(|one| one.message)
                    .collect::<Vec<_>>()
                    .join("; ")),
            },
        };
        if let (Err(message), None) = (same, &wrong) {
            wrong = Some(message);
        }
    });
    let wrong = wrong.or_else(|| ended.err().map(|finding| finding.message));
    match wrong {
        None if wanted.next().is_none() => Ok(()),
        None => Err(Refused::new("UNH", "a message would be lost")),
        Some(message) => Err(Refused::new(
            "UNB",
            format!("it would not be read as it is meant: {message}"),
        )),
    }
}

fn same(
    kind: &str,
    read: &indexmap::IndexMap<String, jsonata_core::value::JValue>,
    wanted: &[Placed],
) -> Result<(), String> {
    let Ok(Value::Object(mut read)) = serde_json::to_value(read) else {
        return Err("the document is none".to_owned());
    };
    for service in ["UNA", "UNB", "UNH", "UNT"] {
        read.shift_remove(service);
    }
    let mut segments = Vec::new();
    let group = MESSAGES.get(kind).ok_or("the message is of another kind")?;
    flatten(group, &read, "", &mut segments).map_err(|refused| refused.to_string())?;
    let differs = segments
        .iter()
        .zip(wanted)
        .find(|(one, other)| one != other);
    match differs {
        Some((_, wanted)) => Err(format!(
            "{} of {} would be read as another segment or in another group",
            wanted.segment.tag, wanted.path
        )),
        None if segments.len() == wanted.len() => Ok(()),
        None => Err("segments would be lost".to_owned()),
    }
}

/// A message by its segments.
pub(crate) struct Body<'b> {
    pub(crate) reference: &'b str,
    pub(crate) identifier: &'b [String],
    pub(crate) segments: Vec<&'b Segment>,
}

/// Writes segments with their envelopes and counts.
pub(crate) fn put(envelope: &Envelope, messages: &[Body<'_>]) -> Result<Vec<u8>, Refused> {
    let charset = Charset::from_syntax_identifier(&envelope.charset)
        .map_err(|error| Refused::new("UNB01_1", error.to_string()))?;
    if !["1", "2", "3", "4"].contains(&envelope.version.as_str()) {
        let message = format!("`{}` is no version of the syntax, 1 to 4", envelope.version);
        return Err(Refused::new("UNB01_2", message));
    }
    let four = envelope.version == "4";
    let standard = ServiceStringAdvice::for_syntax_version(four.then_some(4));
    let writer = match envelope.una {
        // Up to version 3 the place of the separator of repetitions is reserved.
        Some(una) if una.is_repetition_active() && !four => {
            let message = "UNA names a separator of repetitions, which version 4 has and those before it have not";
            return Err(Refused::new("UNA", message));
        }
        Some(una) => Writer::with_una(Vec::new(), una),
        None => Writer::with_service_string_advice(Vec::new(), standard),
    };
    let writer = writer.map_err(|error| Refused::new("UNA", error.to_string()))?;
    let mut out = Out {
        writer: writer.with_charset(charset),
        charset,
    };
    let day = if four { "%Y%m%d" } else { "%y%m%d" };
    let party = |party: &Party| {
        let mut parts = vec![party.id.clone()];
        if !party.qualifier.is_empty() {
            parts.push(party.qualifier.clone());
        }
        parts
    };
    let mut unb = vec![
        vec![envelope.charset.clone(), envelope.version.clone()],
        party(&envelope.sender),
        party(&envelope.receiver),
        vec![
            envelope.at.strftime(day).to_string(),
            envelope.at.strftime("%H%M").to_string(),
        ],
        vec![envelope.control.clone()],
    ];
    if envelope.test {
        unb.resize(10, vec![String::new()]);
        unb.push(vec!["1".to_owned()]);
    }
    out.segment("UNB", &unb)?;
    for message in messages {
        let reference = message.reference.to_owned();
        let unh = [vec![reference.clone()], message.identifier.to_vec()];
        out.segment("UNH", &unh)?;
        for segment in &message.segments {
            out.segment(&segment.tag, &segment.elements)?;
        }
        let count = (message.segments.len() + 2).to_string();
        out.segment("UNT", &[vec![count], vec![reference]])?;
    }
    let count = messages.len().to_string();
    out.segment("UNZ", &[vec![count], vec![envelope.control.clone()]])?;
    let written = out.writer.finish();
    written.map_err(|error| Refused::new("UNZ", error.to_string()))
}

struct Out {
    writer: Writer<Vec<u8>>,
    charset: Charset,
}

impl Out {
    fn segment(&mut self, tag: &str, elements: &[Vec<String>]) -> Result<(), Refused> {
        for (element, components) in (1..).zip(elements) {
            for (component, value) in (1..).zip(components) {
                let refused = value
                    .chars()
                    .find(|one| one.is_control() || !self.charset.permits(*one));
                if let Some(refused) = refused {
                    return Err(Refused::new(
                        format!("{tag}{element:02}_{component}"),
                        format!(
                            "`{}` in `{}` is not in the character set {}: write it otherwise, or agree on another one",
                            refused.escape_debug(),
                            value.escape_debug(),
                            self.charset.syntax_identifier()
                        ),
                    ));
                }
            }
        }
        self.writer
            .write_composites(tag, elements)
            .map_err(|error: EdifactError| Refused::new(tag, error.to_string()))
    }
}

fn fields<'v>(value: &'v Value, tag: &str) -> Result<&'v Map<String, Value>, Refused> {
    value
        .as_object()
        .ok_or_else(|| Refused::new(tag, "a segment is an object with its elements"))
}

/// Segments below a group, in the order of its table.
pub(crate) fn flatten(
    group: &'static Group,
    object: &Map<String, Value>,
    path: &str,
    all: &mut Vec<Placed>,
) -> Result<(), Refused> {
    let is_own = |key: &str| {
        group.slot(key).is_some()
            || (!path.is_empty() && key.len() > 3 && key.starts_with(group.trigger))
            || [LINE, SEGMENT].contains(&key)
            || (group.trigger == "CPS" && key == "CPS")
    };
    if let Some(other) = object.keys().find(|key| !is_own(key)) {
        let known: Vec<&str> = group.slots.iter().map(Slot::tag).collect();
        return Err(Refused::new(
            other,
            format!(
                "it does not belong to {}, which has {}",
                group.trigger,
                known.join(", ")
            ),
        ));
    }
    for slot in &group.slots {
        let tag = slot.tag();
        let Some(value) = object.get(tag) else {
            continue;
        };
        let values = match value.as_array() {
            Some(values) if slot.repeats() => values.as_slice(),
            Some(_) | None => std::slice::from_ref(value),
        };
        for value in values {
            one(slot, fields(value, tag)?, path, all)?;
        }
    }
    Ok(())
}

fn one(
    slot: &'static Slot,
    object: &Map<String, Value>,
    path: &str,
    all: &mut Vec<Placed>,
) -> Result<(), Refused> {
    let tag = slot.tag();
    let segment = segment(tag, object, matches!(slot, Slot::Group(_)))?;
    let path = format!("{path}/{tag}");
    all.push(Placed {
        path: path.clone(),
        segment,
    });
    let Slot::Group(group) = slot else {
        return Ok(());
    };
    flatten(group, object, &path, all)?;
    // Packages of a package stand behind it.
    if let Some(within) = object.get("CPS").filter(|_| tag == "CPS") {
        let within = within.as_array().map(Vec::as_slice);
        for value in within.unwrap_or_default() {
            one(slot, fields(value, tag)?, &path, all)?;
        }
    }
    Ok(())
}

/// A segment by the names of its elements.
fn segment(tag: &str, object: &Map<String, Value>, is_group: bool) -> Result<Segment, Refused> {
    let mut elements: Vec<Vec<String>> = Vec::new();
    for (key, value) in object {
        let Some(place) = key.strip_prefix(tag).filter(|place| !place.is_empty()) else {
            if is_group || [LINE, SEGMENT].contains(&key.as_str()) {
                continue;
            }
            return Err(Refused::new(key, format!("it is no element of {tag}")));
        };
        let (element, component) = place.split_once('_').unwrap_or((place, "1"));
        let at = |text: &str| text.parse().ok().filter(|at| (1..=99_usize).contains(at));
        let (Some(element), Some(component)) =
            (at(element).filter(|_| element.len() == 2), at(component))
        else {
            let message = format!("an element of {tag} is named like {tag}01 or {tag}01_2");
            return Err(Refused::new(key, message));
        };
        let text = value
            .as_str()
            .ok_or_else(|| Refused::new(key, "the value is no text"))?;
        if elements.len() < element {
            elements.resize(element, Vec::new());
        }
        let Some(components) = elements.get_mut(element - 1) else {
            continue;
        };
        if components.len() < component {
            components.resize(component, String::new());
        }
        if let Some(kept) = components.get_mut(component - 1) {
            if !kept.is_empty() && kept != text {
                let message = format!("`{text}` here, `{kept}` under its other name");
                return Err(Refused::new(key, message));
            }
            text.clone_into(kept);
        }
    }
    // What is empty at the end is left out, as the standard wants it.
    for components in &mut elements {
        let filled = components.iter().rposition(|value| !value.is_empty());
        components.truncate(filled.map_or(0, |at| at + 1));
    }
    let filled = elements.iter().rposition(|element| !element.is_empty());
    elements.truncate(filled.map_or(0, |at| at + 1));
    Ok(Segment {
        tag: tag.to_owned(),
        elements,
    })
}
