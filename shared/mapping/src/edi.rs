//! Electronic data interchange, whatever its standard: what came, what is answered, what a partner answered.

use jiff::civil::DateTime;
use serde::Serialize;

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
    /// Control number of the interchange that says it.
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

/// Judges a file as a feed would read it, and writes what is answered to its sender: X12 997 and TA1.
///
/// The answer has an interchange for each that came and is to be answered; the first has the control number that
/// is given, each after it counts up. Nothing is answered to acknowledgments. The answer is empty when there is
/// nothing to answer.
///
/// # Errors
/// When the file has no interchange that could be answered, or the feed reads no such files.
pub fn acknowledge(
    feed: &Feed,
    bytes: &[u8],
    now: DateTime,
    control_number: &str,
) -> Result<(Vec<Interchange>, String), Fault> {
    match tree(feed)? {
        Tree::X12(format) => x12::acknowledge(format, bytes, now, control_number),
        Tree::Edifact(_) | Tree::Xml(_) | Tree::Json(_) => Err(none(feed)),
    }
}

/// Reads acknowledgments of a partner, and what is wrong with them themselves.
///
/// # Errors
/// When the feed reads no such files.
pub fn acknowledged(feed: &Feed, bytes: &[u8]) -> Result<(Vec<Acknowledged>, Vec<Fault>), Fault> {
    match tree(feed)? {
        Tree::X12(format) => Ok(x12::acknowledged(format, bytes)),
        Tree::Edifact(_) | Tree::Xml(_) | Tree::Json(_) => Err(none(feed)),
    }
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
        line: 0,
        segment: None,
        element: None,
        message: format!("the feed {} reads no interchanges", feed.name),
    }
}
