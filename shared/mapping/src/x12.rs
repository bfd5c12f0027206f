//! X12: interchanges, groups and transaction sets. Each set becomes one document.
//!
//! What an interchange is worth is known at its end only: a missing trailer or a wrong count refuses all of it.
//! So a file is read twice, first for the envelopes alone, and no more than one set is in memory at a time.

mod acknowledged;
mod acknowledgment;
mod document;
mod envelope;
mod finding;
mod guide;
mod guides;
mod header;
mod set;
mod structure;
mod tokens;
mod write;

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer};

use crate::format::{Fault, Open, Take};

pub(crate) use acknowledged::acknowledged;
pub(crate) use acknowledgment::acknowledge;
pub use write::{Element, Envelope, Party, Unwritable, write};

/// How a file is written, and what was agreed with the partner who sends it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct X12 {
    /// Character set by its WHATWG name.
    pub(crate) encoding: String,
    /// Faults that are taken from this partner.
    pub(crate) lenient: BTreeSet<Lenient>,
    /// What a faulty transaction set takes along.
    pub(crate) reject: Reject,
    /// Versions of groups (GS08) by how they begin; any when none is named.
    pub(crate) version: Vec<String>,
    /// Who sends: `ZZ:ACME`, or `ACME` whatever the qualifier.
    pub(crate) sender: Option<PartyName>,
    /// Who receives, written like the sender.
    pub(crate) receiver: Option<PartyName>,
    /// What becomes of interchanges that say they are a test.
    pub(crate) test: Test,
}

impl Default for X12 {
    fn default() -> Self {
        Self {
            encoding: "utf-8".to_owned(),
            lenient: BTreeSet::new(),
            reject: Reject::Set,
            version: Vec::new(),
            sender: None,
            receiver: None,
            test: Test::Refuse,
        }
    }
}

/// A fault that is taken when it was agreed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Lenient {
    /// The header of the interchange has other lengths than the standard's.
    IsaLength,
    /// Blanks and tabs stand between segments.
    BlanksBetweenSegments,
    /// A byte order mark stands at the beginning of the file.
    ByteOrderMark,
    /// Numbers of segments, sets, groups or lines that are not those that came.
    Counts,
    /// Control numbers of header and trailer that are not the same.
    ControlNumbers,
    /// Segments that do not belong where they stand; they are kept.
    UnknownSegments,
    /// Segments that the guide requires and that are not there.
    MissingSegments,
    /// Elements that the guide requires and that are not there.
    MissingElements,
}

impl Lenient {
    /// How it is named in a feed.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::IsaLength => "isa_length",
            Self::BlanksBetweenSegments => "blanks_between_segments",
            Self::ByteOrderMark => "byte_order_mark",
            Self::Counts => "counts",
            Self::ControlNumbers => "control_numbers",
            Self::UnknownSegments => "unknown_segments",
            Self::MissingSegments => "missing_segments",
            Self::MissingElements => "missing_elements",
        }
    }
}

/// What a faulty transaction set takes along.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reject {
    /// Nothing: the others of its interchange are taken.
    Set,
    /// Everything of its interchange.
    Interchange,
}

/// What becomes of interchanges that say they are a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Test {
    Refuse,
    Take,
}

/// A sender or receiver as a feed names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PartyName {
    qualifier: Option<String>,
    id: String,
}

impl<'de> Deserialize<'de> for PartyName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(match text.split_once(':') {
            Some((qualifier, id)) => Self {
                qualifier: Some(qualifier.trim().to_owned()),
                id: id.trim().to_owned(),
            },
            None => Self {
                qualifier: None,
                id: text.trim().to_owned(),
            },
        })
    }
}

impl PartyName {
    pub(crate) fn is(&self, qualifier: &str, id: &str) -> bool {
        self.id == id && self.qualifier.as_ref().is_none_or(|own| own == qualifier)
    }
}

/// The characters that separate the parts of an interchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delimiters {
    /// Between elements.
    pub element: char,
    /// Between the components of an element.
    pub component: char,
    /// Between repetitions of an element, from version 00402 on.
    pub repetition: Option<char>,
    /// At the end of a segment.
    pub terminator: char,
}

impl Default for Delimiters {
    fn default() -> Self {
        Self {
            element: '*',
            component: '>',
            repetition: Some('^'),
            terminator: '~',
        }
    }
}

impl Delimiters {
    /// The delimiters when they can separate anything; else the code of a TA1 (I18) and words.
    fn checked(self) -> Result<Self, (&'static str, String)> {
        let named = [
            (Some(self.element), "the element separator", "026"),
            (Some(self.terminator), "the segment terminator", "004"),
            (
                Some(self.component),
                "the component separator, ISA16",
                "027",
            ),
            (self.repetition, "the repetition separator, ISA11", "016"),
        ];
        for (at, (one, name, code)) in named.into_iter().enumerate() {
            let Some(one) = one else { continue };
            let line_break = one == '\n' || one == '\r';
            let fits = !one.is_alphanumeric() && (!one.is_whitespace() || line_break);
            if !fits || (line_break && code != "004") {
                return Err((code, format!("`{}` cannot be {name}", one.escape_default())));
            }
            let earlier = named.iter().take(at);
            if let Some((_, other, _)) = earlier.into_iter().find(|(other, ..)| *other == Some(one))
            {
                return Err((
                    code,
                    format!(
                        "`{}` is {other} and {name}: nothing can be told apart",
                        one.escape_default()
                    ),
                ));
            }
        }
        Ok(self)
    }

    /// Whether a character separates something.
    pub(crate) fn has(&self, character: char) -> bool {
        character == self.element
            || character == self.component
            || character == self.terminator
            || Some(character) == self.repetition
    }
}

/// Reads document by document.
pub(crate) fn read(open: &Open<'_, '_>, format: &X12, take: &mut Take<'_>) -> Result<(), Fault> {
    let verdicts = document::verdicts(open()?, format)?;
    let mut given = false;
    let ended = document::read(open()?, format, &verdicts, &mut |read| {
        given = true;
        take(read);
    });
    match ended {
        Err(fault) if given => {
            take(Err(fault));
            Ok(())
        }
        ended => ended,
    }
}

#[cfg(test)]
mod tests;
