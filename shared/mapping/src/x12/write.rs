//! Writes interchanges: one group with transaction sets of one kind.

use jiff::civil::DateTime;

use super::{Delimiters, guides};

/// Sender or receiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    /// ISA05 or ISA07: what kind of id it is, such as `ZZ`.
    pub qualifier: String,
    /// ISA06 or ISA08, at most 15 characters.
    pub id: String,
    /// GS02 or GS03, at most 15 characters.
    pub group_id: String,
}

/// What stands around transaction sets. Numbers and time are given: who writes keeps them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// Who sends.
    pub sender: Party,
    /// Who receives.
    pub receiver: Party,
    /// ISA13: at most nine digits.
    pub interchange_control: String,
    /// GS06: at most nine digits.
    pub group_control: String,
    /// ST02 of the first set, four to nine digits; the sets after it count up from there.
    pub set_control: String,
    /// GS01: what kind of sets, such as `PO`.
    pub functional_id: String,
    /// GS08, such as `004010`.
    pub version: String,
    /// Whether it is a test.
    pub test: bool,
    /// Whether a TA1 is asked for.
    pub asks_acknowledgment: bool,
    /// When it is written.
    pub date_time: DateTime,
    /// What separates its parts.
    pub delimiters: Delimiters,
}

/// An element of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Element {
    /// A value; nothing is written for an empty one.
    Value(String),
    /// A value of components.
    Composite(Vec<String>),
}

impl<T: Into<String>> From<T> for Element {
    fn from(text: T) -> Self {
        Self::Value(text.into())
    }
}

/// Why an interchange cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{element}: {message}")]
pub struct Unwritable {
    /// The element, such as `PO102`.
    pub element: String,
    /// What is wrong with its value.
    pub message: String,
}

/// Writes sets of one kind, such as `850`, each a list of segments between ST and SE: a segment is its id and its
/// elements.
///
/// # Errors
/// When a value cannot be written as it is: it has a separator in it, or does not fit.
pub fn write(
    envelope: &Envelope,
    kind: &str,
    sets: &[Vec<Vec<Element>>],
) -> Result<String, Unwritable> {
    for (name, text) in [
        ("GS02", &envelope.sender.group_id),
        ("GS03", &envelope.receiver.group_id),
    ] {
        let count = text.trim_end().chars().count();
        if !(2..=15).contains(&count) {
            let message = format!("`{text}` has {count} characters; it has 2 to 15");
            return Err(wrong(name, message));
        }
    }
    if let Some(guide) = guides::guide(kind)
        && guide.group != envelope.functional_id
    {
        let message = format!(
            "sets {kind} stand in groups {}, not {}",
            guide.group, envelope.functional_id
        );
        return Err(wrong("GS01", message));
    }
    let mut out = Out::new(envelope.delimiters)?;
    out.begin(envelope, "")?;
    out.group(envelope, &envelope.group_control, kind, sets)?;
    out.end(&envelope.interchange_control, 1)?;
    Ok(out.text)
}

/// An interchange as it is written.
pub(crate) struct Out {
    delimiters: Delimiters,
    pub(crate) text: String,
}

fn wrong(element: &str, message: impl Into<String>) -> Unwritable {
    Unwritable {
        element: element.to_owned(),
        message: message.into(),
    }
}

/// A number of so many digits.
fn digits(element: &str, text: &str, least: usize, most: usize) -> Result<String, Unwritable> {
    if text.is_empty() || text.len() > most || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong(
            element,
            format!("`{text}` is no control number of at most {most} digits"),
        ));
    }
    Ok(format!("{text:0>least$}"))
}

/// A number that counts up from another.
pub(crate) fn counted_up(
    element: &str,
    first: &str,
    by: usize,
    least: usize,
) -> Result<String, Unwritable> {
    let width = first.len().max(least);
    let next = digits(element, first, least, 9)?
        .parse::<u64>()
        .ok()
        .and_then(|first| first.checked_add(by as u64));
    let text = next
        .map(|next| format!("{next:0>width$}"))
        .unwrap_or_default();
    digits(element, &text, least, 9)
}

impl Out {
    pub(crate) fn new(delimiters: Delimiters) -> Result<Self, Unwritable> {
        let delimiters = delimiters
            .checked()
            .map_err(|(_, message)| wrong("ISA16", message))?;
        Ok(Self {
            delimiters,
            text: String::new(),
        })
    }

    fn value(&self, name: &str, text: &str) -> Result<(), Unwritable> {
        let bad = text
            .chars()
            .find(|one| self.delimiters.has(*one) || one.is_control());
        match bad {
            Some(one) => Err(wrong(
                name,
                format!(
                    "`{text}` has `{}` in it, which separates something or is no character of a value",
                    one.escape_default()
                ),
            )),
            None => Ok(()),
        }
    }

    /// Writes a segment: its id and its elements, without empty ones at its end.
    pub(crate) fn segment(&mut self, segment: &[Element]) -> Result<(), Unwritable> {
        let id = match segment.first() {
            Some(Element::Value(id)) => id.clone(),
            Some(Element::Composite(_)) | None => String::new(),
        };
        let fits = (2..=3).contains(&id.len())
            && id
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        if !fits {
            return Err(wrong("?", format!("`{id}` is no id of a segment")));
        }
        let is_empty = |element: &Element| match element {
            Element::Value(text) => text.trim_end().is_empty(),
            Element::Composite(parts) => parts.iter().all(|part| part.trim_end().is_empty()),
        };
        let filled = segment.iter().rposition(|element| !is_empty(element));
        let filled = filled.map_or(0, |last| last + 1);
        for (number, element) in segment.iter().take(filled).enumerate() {
            let name = format!("{id}{number:02}");
            if number > 0 {
                self.text.push(self.delimiters.element);
            }
            match element {
                Element::Value(text) => {
                    // Blanks at the end of a value carry no meaning and are not sent.
                    self.value(&name, text)?;
                    self.text.push_str(text.trim_end());
                }
                Element::Composite(parts) => {
                    let last = parts.iter().rposition(|part| !part.trim_end().is_empty());
                    for (index, part) in parts.iter().take(last.map_or(0, |at| at + 1)).enumerate()
                    {
                        self.value(&name, part)?;
                        if index > 0 {
                            self.text.push(self.delimiters.component);
                        }
                        self.text.push_str(part.trim_end());
                    }
                }
            }
        }
        self.text.push(self.delimiters.terminator);
        Ok(())
    }

    /// Writes the header of an interchange; without a standard of controls named, the one of the version.
    pub(crate) fn begin(&mut self, envelope: &Envelope, controls: &str) -> Result<(), Unwritable> {
        let of_version = envelope.version.get(..5).unwrap_or_default();
        let controls = if controls.is_empty() {
            of_version
        } else {
            controls
        };
        if controls.len() != 5 || !controls.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(wrong(
                "GS08",
                format!("`{}` is no version such as 004010", envelope.version),
            ));
        }
        let repetition = match self.delimiters.repetition {
            Some(one) if controls >= "00402" => one,
            Some(_) | None => 'U',
        };
        if controls < "00402" {
            // Nothing repeats in it, so the character is one like any other.
            self.delimiters.repetition = None;
        }
        let fixed = |name: &str, text: &str, length: usize| {
            let count = text.chars().count();
            if count == 0 || count > length {
                return Err(wrong(
                    name,
                    format!("`{text}` has {count} characters; it has 1 to {length}"),
                ));
            }
            self.value(name, text)?;
            Ok(format!("{text:<length$}"))
        };
        let time = envelope.date_time;
        let elements = [
            "ISA".to_owned(),
            "00".to_owned(),
            " ".repeat(10),
            "00".to_owned(),
            " ".repeat(10),
            fixed("ISA05", &envelope.sender.qualifier, 2)?,
            fixed("ISA06", &envelope.sender.id, 15)?,
            fixed("ISA07", &envelope.receiver.qualifier, 2)?,
            fixed("ISA08", &envelope.receiver.id, 15)?,
            time.strftime("%y%m%d").to_string(),
            time.strftime("%H%M").to_string(),
            repetition.to_string(),
            controls.to_owned(),
            digits("ISA13", &envelope.interchange_control, 9, 9)?,
            if envelope.asks_acknowledgment {
                "1"
            } else {
                "0"
            }
            .to_owned(),
            if envelope.test { "T" } else { "P" }.to_owned(),
            self.delimiters.component.to_string(),
        ];
        for (index, element) in elements.iter().enumerate() {
            if index > 0 {
                self.text.push(self.delimiters.element);
            }
            self.text.push_str(element);
        }
        self.text.push(self.delimiters.terminator);
        Ok(())
    }

    /// Writes a group.
    pub(crate) fn group(
        &mut self,
        envelope: &Envelope,
        control: &str,
        kind: &str,
        sets: &[Vec<Vec<Element>>],
    ) -> Result<(), Unwritable> {
        let control = digits("GS06", control, 1, 9)?;
        let day = if envelope.version.as_str() < "004010" {
            "%y%m%d"
        } else {
            "%Y%m%d"
        };
        let time = envelope.date_time;
        let elements: [Element; 9] = [
            "GS".into(),
            envelope.functional_id.as_str().into(),
            envelope.sender.group_id.as_str().into(),
            envelope.receiver.group_id.as_str().into(),
            time.strftime(day).to_string().into(),
            time.strftime("%H%M").to_string().into(),
            control.as_str().into(),
            "X".into(),
            envelope.version.as_str().into(),
        ];
        self.segment(&elements)?;
        for (index, set) in sets.iter().enumerate() {
            let number = counted_up("ST02", &envelope.set_control, index, 4)?;
            self.segment(&["ST".into(), kind.into(), number.as_str().into()])?;
            for segment in set {
                self.segment(segment)?;
            }
            let count = (set.len() + 2).to_string();
            self.segment(&["SE".into(), count.into(), number.into()])?;
        }
        self.segment(&["GE".into(), sets.len().to_string().into(), control.into()])
    }

    /// Writes the trailer of an interchange.
    pub(crate) fn end(&mut self, control: &str, groups: usize) -> Result<(), Unwritable> {
        let control = digits("IEA02", control, 9, 9)?;
        self.segment(&["IEA".into(), groups.to_string().into(), control.into()])
    }
}
