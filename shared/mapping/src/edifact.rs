//! EDIFACT (ISO 9735): each message of an interchange is a document, named after segments, elements and components.
//!
//! The crate `edifact-rs` reads a segment: separators, release characters, character sets. What it reads as a whole
//! it keeps as a whole, or stops at the first fault; a file here has many messages, of which one may be faulty, and
//! several interchanges with separators of their own. So [`cut`] gives it segment after segment and [`envelope`] puts
//! them together.

use std::collections::BTreeMap;
use std::io::Read;

use serde::Deserialize;

pub mod acknowledgment;
mod charset;
mod cut;
mod envelope;
mod finding;
mod group;
mod message;
pub(crate) mod segment;
mod tables;
#[cfg(test)]
mod tests;
pub mod write;

use crate::format::{Fault, Open, Take};
use charset::Encoding;
use envelope::Event;
use finding::Finding;

/// How a file is written.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Edifact {
    /// Faults that a sender is known for, and that are overlooked.
    lenient: Vec<Lenient>,
    /// What is refused for a fault in it.
    reject: Reject,
    /// The character set, where UNB names another than the one that is used.
    encoding: Option<Encoding>,
    /// What becomes of an interchange that says it is a test.
    test: Test,
    /// Who must have sent it: UNB element 02, component 1.
    sender: Option<String>,
    /// Whom it must be for: UNB element 03, component 1.
    receiver: Option<String>,
}

/// A fault that may be overlooked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Lenient {
    /// A mark of UTF-8 before the first segment.
    ByteOrderMark,
    /// Blanks and tabs between segments; line ends are no fault.
    BlanksBetweenSegments,
    /// Counts of segments in UNT, of messages in UNE and UNZ.
    Counts,
    /// References of trailers that are not those of their headers.
    ControlNumbers,
    /// Segments that do not belong where they are.
    UnknownSegments,
}

/// What is refused for a fault in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Reject {
    /// The message.
    #[default]
    Message,
    /// All messages of the interchange.
    Interchange,
}

/// What becomes of an interchange that says it is a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Test {
    /// Nothing is made of it.
    #[default]
    Refuse,
    /// It is read like any other: where everything is a test.
    Take,
}

impl Edifact {
    /// Whatever comes, tests too.
    pub(crate) fn taking_tests() -> Self {
        Self {
            test: Test::Take,
            ..Self::default()
        }
    }

    fn overlooks(&self, fault: Lenient) -> bool {
        self.lenient.contains(&fault)
    }
}

/// Reads message by message. What an interchange is worth is known at its end only: a missing trailer or a wrong
/// number in it refuses all of it. So a file is read twice.
pub(crate) fn read(
    open: &Open<'_, '_>,
    format: &Edifact,
    take: &mut Take<'_>,
) -> Result<(), Fault> {
    let refused = faulty(open()?, format);
    let mut given = false;
    let mut interchange = 0_usize;
    let ended = envelope::read(open()?, format, &mut |event| {
        given = true;
        match event {
            Event::Opened(header) => {
                interchange += 1;
                if let Some(finding) = header.refused {
                    take(Err(finding.into()));
                }
            }
            Event::Closed => {}
            Event::Wrong(finding) | Event::WrongGroup(finding) => take(Err(finding.into())),
            Event::Message(message) => match (message.branch, refused.get(&interchange)) {
                (Ok(branch), None) => take(Ok(branch)),
                (Ok(branch), Some(first)) => take(Err(Fault {
                    segment: branch.segment,
                    ..Fault::new(
                        first.code,
                        branch.line,
                        format!(
                            "{} {} is whole, but its interchange is refused, for in segment {} {}",
                            message.kind, message.control, first.segment, first.message
                        ),
                    )
                })),
                (Err(findings), _) => take(Err(finding::told(findings))),
            },
        }
    });
    match ended {
        Ok(()) => Ok(()),
        Err(finding) if given => {
            take(Err(finding.into()));
            Ok(())
        }
        Err(finding) => Err(finding.into()),
    }
}

/// Interchanges of a file that have a fault which refuses them, from 1, with the first one.
fn faulty(bytes: impl Read, format: &Edifact) -> BTreeMap<usize, Finding> {
    let mut faulty = BTreeMap::new();
    let by_parts = format.reject == Reject::Interchange;
    let mut count = 0_usize;
    // What is wrong between interchanges is no fault of the one before.
    let mut open = None;
    let ended = envelope::read(bytes, format, &mut |event| {
        let wrong = match event {
            Event::Opened(header) => {
                count += 1;
                open = Some(count);
                header.refused
            }
            Event::Closed => {
                open = None;
                None
            }
            Event::Wrong(finding) => Some(finding),
            Event::WrongGroup(finding) => Some(finding).filter(|_| by_parts),
            Event::Message(message) => {
                let findings = message.branch.err().filter(|_| by_parts);
                findings.and_then(|findings| findings.into_iter().next())
            }
        };
        if let (Some(interchange), Some(finding)) = (open, wrong) {
            faulty.entry(interchange).or_insert(finding);
        }
    });
    // It is told when the file is read for its messages; an interchange that it cut off is faulty by its trailer.
    drop(ended);
    faulty
}
