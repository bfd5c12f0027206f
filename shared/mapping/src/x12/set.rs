//! A transaction set as it is written: one at a time is kept in memory.

use super::finding::{Finding, Told, shown};
use super::tokens::Segment;

/// No set is larger.
const MOST_SET_BYTES: usize = 8 << 20;
const MOST_SET_SEGMENTS: usize = 100_000;

/// A transaction set as it is written.
#[derive(Debug)]
pub(crate) struct Set {
    pub(crate) start: Segment,
    /// What stands between ST and SE.
    pub(crate) segments: Vec<Segment>,
    /// All of them, with ST and SE, also those that were too many to keep.
    pub(crate) count: u64,
    bytes: usize,
    pub(crate) findings: Vec<Finding>,
}

impl Set {
    /// A set of which nothing came but its start.
    pub(crate) fn new(start: Segment, findings: Vec<Finding>) -> Self {
        Self {
            bytes: start.len(),
            start,
            segments: Vec::new(),
            count: 1,
            findings,
        }
    }

    /// The kind, such as `850`.
    pub(crate) fn kind(&self) -> &str {
        self.start.element(1)
    }

    /// The control number.
    pub(crate) fn control(&self) -> &str {
        self.start.element(2)
    }

    /// Takes a segment, or notes that there are too many.
    pub(crate) fn add(&mut self, segment: Segment) {
        self.count += 1;
        let at = segment.at;
        let limit = if segment.cut {
            Some(format!(
                "the segment {} is longer than 1 MB or has more than 1000 elements: its terminator is probably missing",
                shown(&segment)
            ))
        } else if self.bytes + segment.len() > MOST_SET_BYTES {
            Some(format!(
                "the transaction set is larger than {} MB: send less in a set",
                MOST_SET_BYTES >> 20
            ))
        } else if self.segments.len() >= MOST_SET_SEGMENTS {
            Some(format!(
                "the transaction set has more than {MOST_SET_SEGMENTS} segments: send less in a set"
            ))
        } else {
            None
        };
        let Some(message) = limit else {
            self.bytes += segment.len();
            self.segments.push(segment);
            return;
        };
        // Nothing is made of it, so nothing of it is kept; the rest is counted only.
        if !self.is_too_large() {
            let finding = Finding::new(at, Told::Set("5"), message).coded("edi_limit");
            self.findings.insert(0, finding);
        }
        self.segments = Vec::new();
        self.bytes = MOST_SET_BYTES + 1;
    }

    /// Whether it was too large to be kept.
    pub(crate) fn is_too_large(&self) -> bool {
        self.findings
            .first()
            .is_some_and(|first| first.code == "edi_limit" && matches!(first.told, Told::Set("5")))
    }
}
