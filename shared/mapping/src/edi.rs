//! Electronic data interchange, whatever its standard: what came, what is answered, what a partner answered.

use jiff::civil::DateTime;
use serde::Serialize;

use crate::edifact::acknowledgment::Verdict;
use crate::edifact::{self, Edifact};
use crate::feed::Feed;
use crate::format::{self, Format, Tree};
use crate::x12;

pub use crate::x12::{Delimiters, Element, Envelope, Party, Unwritable, write};

/// The standard of an interchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Standard {
    /// ASC X12.
    X12,
    /// UN/EDIFACT.
    Edifact,
}

/// What becomes of a part of an interchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Status {
    /// All of it is taken.
    Accepted,
    /// All of it is taken, and faults were noted.
    AcceptedWithErrors,
    /// Some of its transaction sets are taken.
    PartlyAccepted,
    /// Nothing of it is taken.
    Rejected,
}

/// An interchange that came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Interchange {
    /// Its standard.
    pub standard: Standard,
    /// Who sent it: qualifier and id, `ZZ:ACME`.
    pub sender: String,
    /// For whom it is, written like the sender.
    pub receiver: String,
    /// Its control number.
    pub control: String,
    /// Whether it says that it is a test.
    pub test: bool,
    /// When it was written, as its header says it: `YYMMDD HHMM`.
    pub date_time: String,
    /// Its groups; none in a standard where there need be none.
    pub groups: Vec<Group>,
    /// Its transaction sets or messages, in their order.
    pub sets: Vec<Set>,
    /// What becomes of it.
    pub accepted: Status,
    /// Faults of the interchange itself.
    pub faults: Vec<Fault>,
}

/// A group of an interchange.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Group {
    /// Its kind, such as `PO`.
    pub kind: String,
    /// Its control number.
    pub control: String,
    /// Version of its sets, such as `004010`.
    pub version: String,
    /// What becomes of it.
    pub accepted: Status,
    /// Faults of the group itself.
    pub faults: Vec<Fault>,
}

/// A transaction set or a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Set {
    /// Its kind, such as `850`.
    pub kind: String,
    /// Its control number.
    pub control: String,
    /// Which of the groups it is in.
    pub group: Option<usize>,
    /// Whether it is taken.
    pub accepted: bool,
    /// What is wrong with it; of one that is taken, what was agreed to be taken.
    pub faults: Vec<Fault>,
}

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct Fault {
    /// A stable code.
    pub code: &'static str,
    /// The line, from 1.
    pub line: u64,
    /// The segment of the file, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub segment: Option<u64>,
    /// The element, such as `BEG03`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub element: Option<String>,
    /// What, and what to do.
    pub message: String,
}

impl From<format::Fault> for Fault {
    fn from(fault: format::Fault) -> Self {
        Self {
            code: fault.code,
            line: fault.line,
            segment: fault.segment,
            element: fault.column,
            message: fault.message,
        }
    }
}

/// What a partner says about something that was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Acknowledged {
    /// Who says it: qualifier and id.
    pub sender: String,
    /// Control number of the interchange that says it; empty where the standard's reader does not tell it.
    pub control: String,
    /// What it is about.
    pub of: Subject,
    /// What became of it.
    pub status: Status,
    /// Codes and places of what is wrong with it, as the standard writes them.
    pub errors: Vec<String>,
}

/// What an acknowledgment is about, by the numbers that were sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Subject {
    /// An interchange.
    Interchange {
        /// Its control number.
        control: String,
    },
    /// A group.
    Group {
        /// Its kind, such as `PO`.
        kind: String,
        /// Its control number.
        control: String,
    },
    /// A transaction set or a message.
    Set {
        /// Control number of its group or interchange.
        within: String,
        /// Its kind, such as `850`.
        kind: String,
        /// Its control number.
        control: String,
    },
}

/// Judges a file as a feed would read it, and writes what is answered to its sender: X12 997 and TA1, or CONTRL.
///
/// The answer has an interchange for each that came and is to be answered; the first has the control number that
/// is given, each after it counts up. Nothing is answered to acknowledgments. The answer is empty when there is
/// nothing to answer. EDIFACT's is in the character set of what it answers.
///
/// # Errors
/// When the file has no interchange that could be answered, or the feed reads no such files.
pub fn acknowledge(
    feed: &Feed,
    bytes: &[u8],
    now: DateTime,
    control_number: u32,
) -> Result<(Vec<Interchange>, Vec<u8>), Fault> {
    match tree(feed)? {
        Tree::X12(format) => x12::acknowledge(format, bytes, now, &control_number.to_string())
            .map(|(came, answer)| (came, answer.into_bytes())),
        Tree::Edifact(format) => Ok(contrl(format, bytes, now, control_number)),
        Tree::Xml(_) | Tree::Json(_) | Tree::Fixed(_) => Err(none(feed)),
    }
}

fn contrl(
    format: &Edifact,
    bytes: &[u8],
    now: DateTime,
    control_number: u32,
) -> (Vec<Interchange>, Vec<u8>) {
    let mut all = Vec::new();
    let mut text = Vec::new();
    for answered in edifact::acknowledgment::acknowledge(format, bytes, now, control_number.into())
    {
        let came = answered.of;
        let mut faults = came.faults;
        match answered.contrl {
            Ok(answer) => text.extend(answer),
            Err(message) => faults.push(Fault {
                code: "edi_syntax",
                line: came.at.0,
                segment: Some(came.at.1),
                element: None,
                message,
            }),
        }
        let sets: Vec<Set> = came
            .sets
            .into_iter()
            .map(|set| Set {
                kind: set.kind,
                control: set.control,
                group: None,
                accepted: set.accepted,
                faults: set.faults,
            })
            .collect();
        let taken = sets.iter().filter(|set| set.accepted).count();
        all.push(Interchange {
            standard: Standard::Edifact,
            sender: came.sender,
            receiver: came.receiver,
            control: came.control,
            test: came.test,
            date_time: String::new(),
            groups: Vec::new(),
            accepted: if taken == 0 {
                Status::Rejected
            } else if taken < sets.len() {
                Status::PartlyAccepted
            } else if faults.is_empty() {
                Status::Accepted
            } else {
                Status::AcceptedWithErrors
            },
            sets,
            faults,
        });
    }
    (all, text)
}

/// Reads acknowledgments of a partner, and what is wrong with them themselves.
///
/// # Errors
/// When the feed reads no such files.
pub fn acknowledged(feed: &Feed, bytes: &[u8]) -> Result<(Vec<Acknowledged>, Vec<Fault>), Fault> {
    match tree(feed)? {
        Tree::X12(format) => Ok(x12::acknowledged(format, bytes)),
        Tree::Edifact(format) => {
            let (mut said, mut faults) = (Vec::new(), Vec::new());
            for status in edifact::acknowledgment::statuses(format, bytes) {
                match status {
                    Ok(status) => said.extend(acknowledged_by_contrl(status)),
                    Err(fault) => faults.push(fault),
                }
            }
            Ok((said, faults))
        }
        Tree::Xml(_) | Tree::Json(_) | Tree::Fixed(_) => Err(none(feed)),
    }
}

/// What a CONTRL decides; that something came and is not checked yet decides nothing.
fn acknowledged_by_contrl(said: edifact::acknowledgment::Status) -> Option<Acknowledged> {
    let status = match said.verdict {
        Verdict::Rejected => Status::Rejected,
        Verdict::Acknowledged if said.faults.is_empty() => Status::Accepted,
        Verdict::Acknowledged => Status::AcceptedWithErrors,
        Verdict::Received => return None,
    };
    Some(Acknowledged {
        sender: said.from,
        control: String::new(),
        of: match said.message {
            Some(control) => Subject::Set {
                within: said.interchange,
                kind: said.kind.unwrap_or_default(),
                control,
            },
            None => Subject::Interchange {
                control: said.interchange,
            },
        },
        status,
        errors: said.faults,
    })
}

/// Whether a feed reads interchanges.
#[must_use]
pub fn is_read_by(feed: &Feed) -> bool {
    matches!(tree(feed), Ok(Tree::X12(_) | Tree::Edifact(_)))
}

fn tree(feed: &Feed) -> Result<&Tree, Fault> {
    match feed.files.values().next().map(|file| &file.format) {
        Some(Format::Tree(tree)) => Ok(tree),
        Some(Format::Table(_)) | None => Err(none(feed)),
    }
}

fn none(feed: &Feed) -> Fault {
    Fault {
        code: "edi_syntax",
        line: 1,
        segment: None,
        element: None,
        message: format!("the feed {} reads no interchanges", feed.name),
    }
}
