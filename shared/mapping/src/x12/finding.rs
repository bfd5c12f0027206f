//! What is wrong with an interchange, and how an acknowledgment says it.

use super::tokens::{At, Segment};
use super::{Lenient, X12};
use crate::format::Fault;

/// As many are kept of one set, group or interchange.
pub(crate) const MOST: usize = 100;

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) code: &'static str,
    pub(crate) at: At,
    /// The element, such as `BEG03`.
    pub(crate) element: Option<String>,
    pub(crate) message: String,
    /// How an acknowledgment says it.
    pub(crate) told: Told,
    /// Whether it was agreed that it is taken.
    pub(crate) excused: bool,
    /// Whether the file ends there, in the midst of something.
    pub(crate) ends: bool,
}

/// The codes of an acknowledgment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    /// By a TA1: I18.
    Interchange(&'static str),
    /// By AK9: 716.
    Group(&'static str),
    /// By AK5: 718.
    Set(&'static str),
    /// By AK3: 720.
    Segment(Place, &'static str),
    /// By AK4 below AK3: 723.
    Element {
        place: Place,
        /// The element, from 1.
        number: usize,
        code: &'static str,
    },
}

/// Where something is in its set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) id: String,
    /// Which segment of the set it is; ST is the first.
    pub(crate) position: u64,
    /// The loop, by the segment that begins it.
    pub(crate) within: Option<String>,
}

impl Finding {
    pub(crate) fn new(at: At, told: Told, message: impl Into<String>) -> Self {
        Self {
            code: "edi_syntax",
            at,
            element: None,
            message: message.into(),
            told,
            excused: false,
            ends: false,
        }
    }

    pub(crate) fn coded(self, code: &'static str) -> Self {
        Self { code, ..self }
    }

    /// The same for an element.
    pub(crate) fn of(self, segment: &str, element: usize) -> Self {
        Self {
            element: Some(format!("{segment}{element:02}")),
            ..self
        }
    }

    /// The same, excused where it was agreed; else the words say how it can be.
    pub(crate) fn unless(self, format: &X12, lenient: Lenient) -> Self {
        let excused = format.lenient.contains(&lenient);
        let message = if excused {
            self.message
        } else {
            format!(
                "{} (taken from a partner with `lenient: [{}]`)",
                self.message,
                lenient.name()
            )
        };
        Self {
            message,
            excused,
            ..self
        }
    }

    /// As a fault of a file.
    pub(crate) fn fault(&self) -> Fault {
        Fault {
            segment: Some(self.at.segment),
            column: self.element.clone(),
            ends: self.ends,
            ..Fault::new(self.code, self.at.line, self.message.clone())
        }
    }
}

/// The first that no agreement excuses.
pub(crate) fn refusing(findings: &[Finding]) -> Option<&Finding> {
    findings.iter().find(|finding| !finding.excused)
}

/// Keeps a finding, when there are not too many already.
pub(crate) fn keep(findings: &mut Vec<Finding>, finding: Finding) {
    // One that refuses is never lost behind many that are excused.
    if findings.len() < MOST || (!finding.excused && refusing(findings).is_none()) {
        findings.push(finding);
    }
}

/// The name of a segment as people and acknowledgments may see it.
pub(crate) fn shown(segment: &Segment) -> String {
    let id = segment.id();
    let well_formed = (2..=3).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    if well_formed {
        return id.to_owned();
    }
    let start: String = id
        .chars()
        .filter(|one| one.is_ascii_alphanumeric())
        .take(3)
        .collect();
    if start.is_empty() {
        "?".to_owned()
    } else {
        start
    }
}
