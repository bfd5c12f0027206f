//! A segment as text, by the tokenizer of `edifact-rs`.

use edifact_rs::{EdifactError, Parser, ServiceStringAdvice, SyntaxError, Tokenizer};
use indexmap::IndexMap;
use jsonata_core::value::JValue;

use crate::edifact::charset::Text;
use crate::edifact::cut::Mark;
use crate::edifact::finding::{Finding, LIMIT, SYNTAX};
use crate::format::{LINE, SEGMENT};

/// Names of elements and components have two digits at most.
const MOST_PARTS: usize = 99;

/// A segment: its elements, each with its components.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) tag: String,
    pub(crate) elements: Vec<Vec<String>>,
}

impl Segment {
    /// Reads a segment, which comes without its terminator.
    pub(crate) fn read(
        bytes: &[u8],
        text: Text,
        advice: ServiceStringAdvice,
        mark: Mark,
    ) -> Result<Self, Finding> {
        let wrong =
            |syntax: SyntaxError, message: String| Finding::new(SYNTAX, syntax, mark, message);
        // Before anything is kept of it: what is read takes many times the room of an empty element.
        let (elements, components) = most(bytes, advice);
        if elements > MOST_PARTS || components > MOST_PARTS {
            return Err(Finding::new(
                LIMIT,
                SyntaxError::TooManyConstituents,
                mark,
                format!("a segment with more than {MOST_PARTS} elements or components"),
            ));
        }
        let decoded = text
            .decode(bytes)
            .map_err(|message| wrong(SyntaxError::InvalidCharacters, message))?;
        let mut whole = decoded.into_owned();
        whole.push(char::from(advice.segment_term));
        let tokens = Tokenizer::for_segment(whole.as_bytes(), advice, usize::MAX);
        let read = match Parser::new(tokens).next() {
            Some(Ok(read)) => read,
            Some(Err(error)) => {
                return Err(wrong(SyntaxError::for_error(&error), said(&error, &whole)));
            }
            None => {
                let message = "a terminator with no segment before it".to_owned();
                return Err(wrong(SyntaxError::InvalidServiceCharacters, message));
            }
        };
        if let Some(at) = read.elements.iter().position(|one| !one.repeats.is_empty()) {
            let message = format!(
                "element {} of {} repeats, which none of the messages that are read provides for",
                at + 1,
                read.tag
            );
            let finding = wrong(SyntaxError::TooManyRepetitions, message);
            return Err(finding.at(&read.tag, at + 1, 1));
        }
        let elements = read.elements.iter();
        Ok(Self {
            elements: elements
                .map(|element| element.components().map(str::to_owned).collect())
                .collect(),
            tag: read.tag.into_owned(),
        })
    }

    /// A component, both from 1; empty where there is none.
    pub(crate) fn component(&self, element: usize, component: usize) -> &str {
        let found = element
            .checked_sub(1)
            .and_then(|at| self.elements.get(at))
            .zip(component.checked_sub(1));
        let found = found.and_then(|(element, at)| element.get(at));
        found.map_or("", String::as_str)
    }

    /// The first component of an element.
    pub(crate) fn element(&self, element: usize) -> &str {
        self.component(element, 1)
    }

    /// As part of a document. Which names there are does not depend on what a sender fills in: component 1 is always
    /// there as `BGM01` and as `BGM01_1`, any other as `BGM01_2`; what is empty is not there.
    pub(crate) fn object(&self, place: Option<Mark>) -> IndexMap<String, JValue> {
        let mut object = IndexMap::new();
        for (element, components) in (1_usize..).zip(&self.elements) {
            for (component, value) in (1_usize..).zip(components) {
                if value.is_empty() {
                    continue;
                }
                let value = JValue::from(value.as_str());
                if component == 1 {
                    object.insert(format!("{}{element:02}", self.tag), value.clone());
                }
                object.insert(format!("{}{element:02}_{component}", self.tag), value);
            }
        }
        if let Some(mark) = place {
            object.insert(LINE.to_owned(), JValue::from(mark.line.to_string()));
            object.insert(SEGMENT.to_owned(), JValue::from(mark.number.to_string()));
        }
        object
    }

    /// How much room it takes as part of a document, roughly and not too little.
    pub(crate) fn weight(&self) -> usize {
        const FOR_A_SEGMENT: usize = 640;
        const FOR_A_VALUE: usize = 260;
        let values = self.elements.iter().flatten();
        FOR_A_SEGMENT
            + values
                .filter(|value| !value.is_empty())
                .map(|value| FOR_A_VALUE + value.len())
                .sum::<usize>()
    }
}

/// How many elements there are, and components of one of them, at most.
fn most(bytes: &[u8], advice: ServiceStringAdvice) -> (usize, usize) {
    let (mut elements, mut components, mut widest) = (0, 1, 1);
    let mut released = false;
    for byte in bytes.iter().copied() {
        if released {
            released = false;
        } else if byte == advice.release_char {
            released = true;
        } else if byte == advice.element_sep {
            elements += 1;
            components = 1;
        } else if byte == advice.component_sep {
            components += 1;
            widest = widest.max(components);
        }
    }
    (elements, widest)
}

fn said(error: &EdifactError, segment: &str) -> String {
    let begins: String = segment.chars().take(12).collect();
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the library may add kinds; told in its own words"
    )]
    match error {
        EdifactError::InvalidSegmentTag(_) | EdifactError::InvalidDelimiter { .. } => format!(
            "`{begins}` does not begin with three capital letters: a separator within a text was probably not released"
        ),
        other => format!("the segment `{begins}`: {other}"),
    }
}
