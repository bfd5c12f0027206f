//! What is wrong with an interchange, for people and for the sender's system.

use edifact_rs::SyntaxError;

use crate::edifact::cut::Mark;
use crate::format::Fault;

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// A stable code of ours.
    pub(crate) code: &'static str,
    /// The code that the sender's system is told: data element 0085.
    pub(crate) syntax: SyntaxError,
    pub(crate) line: u64,
    /// The segment in the file, from 1.
    pub(crate) segment: u64,
    /// The segment in its message: UNH is 1.
    pub(crate) position: Option<u64>,
    /// The element and the component in it, from 1.
    pub(crate) element: Option<(usize, usize)>,
    /// The element's name, such as `DTM01_2`.
    pub(crate) column: Option<String>,
    pub(crate) message: String,
    /// Whether nothing after it can be read.
    pub(crate) ends: bool,
}

pub(crate) const SYNTAX: &str = "edi_syntax";
pub(crate) const LIMIT: &str = "edi_limit";
pub(crate) const DUPLICATE: &str = "edi_duplicate_control";
pub(crate) const TEST: &str = "edi_test";
pub(crate) const PARTNER: &str = "edi_partner";

impl Finding {
    pub(crate) fn new(
        code: &'static str,
        syntax: SyntaxError,
        mark: Mark,
        message: impl Into<String>,
    ) -> Self {
        Self {
            code,
            syntax,
            line: mark.line,
            segment: mark.number,
            position: None,
            element: None,
            column: None,
            message: message.into(),
            ends: false,
        }
    }

    /// In an element of a segment.
    pub(crate) fn at(mut self, tag: &str, element: usize, component: usize) -> Self {
        self.element = Some((element, component));
        self.column = Some(format!("{tag}{element:02}_{component}"));
        self
    }

    /// After it nothing can be read.
    pub(crate) fn end(mut self) -> Self {
        self.ends = true;
        self
    }
}

impl From<Finding> for Fault {
    fn from(finding: Finding) -> Self {
        Self {
            segment: (finding.segment > 0).then_some(finding.segment),
            column: finding.column,
            ends: finding.ends,
            ..Self::new(finding.code, finding.line, finding.message)
        }
    }
}

/// The first of what is wrong with a message, and how much else.
pub(crate) fn told(findings: Vec<Finding>) -> Fault {
    let more = findings.len().saturating_sub(1);
    let mut findings = findings.into_iter();
    let Some(mut first) = findings.next() else {
        return Fault::new(SYNTAX, 0, "the message is faulty");
    };
    if more > 0 {
        first.message = format!("{} (and {more} more in this message)", first.message);
    }
    first.into()
}
