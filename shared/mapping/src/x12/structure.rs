//! The segments of a transaction set in their loops, checked by its guide.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use jsonata_core::value::JValue;

use super::finding::{Finding, Place, Told, keep, shown};
use super::guide::{Guide, Node};
use super::set::Set;
use super::tokens::{At, Segment};
use super::{Delimiters, Lenient, X12, guides};
use crate::format::{LINE, SEGMENT};

/// What the values of a set may take in memory: a document of small elements is many times as large as its file.
const MOST_WEIGHT: usize = 30 << 20;
/// About what an object and an element of it take.
const OBJECT_WEIGHT: usize = 150;
const ELEMENT_WEIGHT: usize = 140;
/// Levels below levels.
const DEEPEST: usize = 16;

/// A set as a document, and what is wrong with it.
pub(crate) struct Structured {
    pub(crate) value: IndexMap<String, JValue>,
    pub(crate) findings: Vec<Finding>,
}

/// Puts the segments of a set where they belong.
pub(crate) fn read(mut set: Set, format: &X12, delimiters: &Delimiters) -> Structured {
    let findings = std::mem::take(&mut set.findings);
    let too_large = findings.iter().any(|finding| finding.code == "edi_limit");
    let Some(guide) = guides::guide(set.kind()).filter(|_| !too_large) else {
        return Structured {
            value: IndexMap::new(),
            findings,
        };
    };
    let mut walk = Walk {
        format,
        delimiters,
        findings,
        start: set.start.at,
        weight: 0,
        guide,
        frames: vec![Frame::new(None, &guide.nodes, IndexMap::new())],
        counted: 0,
    };
    let mut last = set.start.at;
    for segment in std::mem::take(&mut set.segments) {
        last = segment.at;
        if !walk.take(&segment) {
            break;
        }
    }
    let mut structured = walk.finish(&set, last);
    // The trailer was looked at first. A limit explains all that follows from it.
    structured
        .findings
        .sort_by_key(|finding| (finding.code != "edi_limit", finding.at.segment));
    structured
}

/// A loop that is open.
struct Frame<'g> {
    /// The node that begins it; none for the set itself.
    node: Option<&'g Node>,
    nodes: &'g [Node],
    /// Which node was found last.
    at: usize,
    seen: Vec<bool>,
    parts: IndexMap<String, Part>,
}

enum Part {
    One(JValue),
    Many(Vec<JValue>),
}

impl<'g> Frame<'g> {
    fn new(node: Option<&'g Node>, nodes: &'g [Node], own: IndexMap<String, JValue>) -> Self {
        Self {
            node,
            nodes,
            at: 0,
            seen: vec![false; nodes.len()],
            parts: own
                .into_iter()
                .map(|(key, value)| (key, Part::One(value)))
                .collect(),
        }
    }

    /// Where a segment belongs from here on.
    fn find(&self, id: &str) -> Option<usize> {
        let from = self.nodes.iter().enumerate().skip(self.at);
        from.filter(|(index, node)| {
            node.id == id && (node.many || !self.seen.get(*index).copied().unwrap_or(false))
        })
        .map(|(index, _)| index)
        .next()
    }

    /// Whether a segment is there that may be there only once.
    fn has(&self, id: &str) -> bool {
        let mut all = self.nodes.iter().zip(&self.seen);
        all.any(|(node, seen)| node.id == id && *seen && !node.many)
    }

    fn add(&mut self, id: &str, many: bool, value: JValue) {
        if !many {
            self.parts.insert(id.to_owned(), Part::One(value));
            return;
        }
        let part = self
            .parts
            .entry(id.to_owned())
            .or_insert_with(|| Part::Many(Vec::new()));
        if let Part::Many(list) = part {
            list.push(value);
        }
    }

    fn object(self) -> IndexMap<String, JValue> {
        let values = self.parts.into_iter().map(|(key, part)| match part {
            Part::One(value) => (key, value),
            Part::Many(list) => (key, JValue::array(list)),
        });
        values.collect()
    }
}

struct Walk<'w> {
    format: &'w X12,
    delimiters: &'w Delimiters,
    findings: Vec<Finding>,
    start: At,
    weight: usize,
    guide: &'static Guide,
    frames: Vec<Frame<'static>>,
    /// How many came of what CTT01 counts.
    counted: u64,
}

impl Walk<'_> {
    /// Takes a segment; false when nothing more is taken.
    fn take(&mut self, segment: &Segment) -> bool {
        let id = segment.id();
        let depth = self.frames.len();
        let found = self
            .frames
            .iter()
            .enumerate()
            .rev()
            .find_map(|(depth, frame)| frame.find(id).map(|at| (depth, at)));
        let Some((depth, at)) = found else {
            self.stray(segment, depth);
            return true;
        };
        while self.frames.len() > depth + 1 {
            self.close(segment.at);
        }
        if self.guide.counted == Some(id) && depth == 0 {
            self.counted += 1;
        }
        let object = self.object(segment);
        if self.weight > MOST_WEIGHT {
            let message =
                "the transaction set has more elements than can be kept: send less in a set";
            let finding = Finding::new(segment.at, Told::Set("5"), message).coded("edi_limit");
            self.findings.insert(0, finding);
            self.frames.clear();
            return false;
        }
        self.check_passed(segment.at, at);
        let Some(frame) = self.frames.last_mut() else {
            return false;
        };
        frame.at = at;
        if let Some(seen) = frame.seen.get_mut(at) {
            *seen = true;
        }
        // The tables are there as long as the program runs; only this frame's borrow ends.
        let nodes: &'static [Node] = frame.nodes;
        match nodes.get(at) {
            Some(node) => match &node.members {
                Some(members) => self.frames.push(Frame::new(Some(node), members, object)),
                None => frame.add(node.id, node.many, JValue::object(object)),
            },
            None => return false,
        }
        true
    }

    /// A segment that does not belong where it stands.
    fn stray(&mut self, segment: &Segment, depth: usize) {
        let id = segment.id();
        let name = shown(segment);
        let (code, why) = if name != id {
            ("1", "is no segment".to_owned())
        } else if !self.guide.knows(id) {
            ("6", format!("does not occur in {}", self.guide.kind))
        } else if self.frames.iter().rev().any(|frame| frame.has(id)) {
            ("5", "occurs more often than it may".to_owned())
        } else {
            ("7", "does not belong where it stands".to_owned())
        };
        let message = format!(
            "segment {} of the set, {name}, {why}",
            self.position(segment.at)
        );
        let place = self.place(segment);
        let finding = Finding::new(segment.at, Told::Segment(place, code), message);
        let finding = finding.unless(self.format, Lenient::UnknownSegments);
        let keeps = finding.excused && name == id && depth > 0;
        if !keeps {
            // Without a name, or where there is one already, it would be lost.
            let finding = Finding {
                excused: false,
                ..finding
            };
            keep(&mut self.findings, finding);
            return;
        }
        let object = JValue::object(self.object(segment));
        let Some(frame) = self.frames.last_mut() else {
            return;
        };
        let known = frame.nodes.iter().find(|node| node.id == id);
        let many = known.is_none_or(|node| node.many);
        let taken = match frame.parts.get(id) {
            Some(Part::One(_)) => true,
            Some(Part::Many(_)) | None => false,
        };
        if taken {
            let finding = Finding {
                excused: false,
                message: format!(
                    "{}; it cannot be kept beside the one that is there",
                    finding.message
                ),
                ..finding
            };
            keep(&mut self.findings, finding);
        } else {
            frame.add(id, many, object);
            keep(&mut self.findings, finding);
        }
    }

    fn position(&self, at: At) -> u64 {
        at.segment.saturating_sub(self.start.segment) + 1
    }

    fn place(&self, segment: &Segment) -> Place {
        Place {
            id: shown(segment),
            position: self.position(segment.at),
            within: self.within(),
        }
    }

    fn within(&self) -> Option<String> {
        let last = self.frames.last().and_then(|frame| frame.node);
        last.map(|node| node.id.to_owned())
    }

    /// The elements of a segment, which are checked, and where it stands.
    fn object(&mut self, segment: &Segment) -> IndexMap<String, JValue> {
        self.check(segment);
        let mut object = Values::new(segment, self.delimiters).object();
        self.weight += OBJECT_WEIGHT + ELEMENT_WEIGHT * (object.len() + 2) + segment.len();
        object.insert(LINE.to_owned(), JValue::from(segment.at.line.to_string()));
        object.insert(
            SEGMENT.to_owned(),
            JValue::from(segment.at.segment.to_string()),
        );
        object
    }

    fn check(&mut self, segment: &Segment) {
        let id = segment.id();
        let element = |walk: &Self, number: usize, code: &'static str, message: String| {
            let place = walk.place(segment);
            let told = Told::Element {
                place,
                number,
                code,
            };
            Finding::new(segment.at, told, message).of(id, number)
        };
        for number in guides::required(id) {
            if segment.element(*number).is_empty() {
                let message = format!(
                    "segment {} of the set, {id}, lacks the element {id}{number:02}",
                    self.position(segment.at)
                );
                let finding = element(self, *number, "1", message);
                let finding = finding.unless(self.format, Lenient::MissingElements);
                keep(&mut self.findings, finding);
            }
        }
        for (number, text) in segment.elements().enumerate() {
            if text
                .chars()
                .any(|one| one.is_control() && !self.delimiters.has(one))
            {
                let message = format!(
                    "segment {} of the set, {id}, has a control character in {id}{number:02}",
                    self.position(segment.at)
                );
                let finding = element(self, number, "6", message);
                keep(&mut self.findings, finding);
            }
        }
    }

    /// Ends the innermost loop.
    fn close(&mut self, at: At) {
        self.check_passed(at, usize::MAX);
        let Some(frame) = self.frames.pop() else {
            return;
        };
        let Some(node) = frame.node else {
            return;
        };
        let object = JValue::object(frame.object());
        if let Some(outer) = self.frames.last_mut() {
            outer.add(node.id, node.many, object);
        }
    }

    /// What must be in the innermost loop came before it is passed, on the way to another of its nodes.
    fn check_passed(&mut self, at: At, to: usize) {
        let Some(frame) = self.frames.last() else {
            return;
        };
        let within = self.within();
        let all = frame.nodes.iter().zip(&frame.seen).enumerate();
        let passed = all.filter(|(index, _)| (frame.at..to).contains(index));
        let missing: Vec<&'static str> = passed
            .filter(|(_, (node, seen))| node.mandatory && !**seen)
            .map(|(_, (node, _))| node.id)
            .collect();
        for id in missing {
            let place = within.as_ref().map_or_else(
                || "the set".to_owned(),
                |within| format!("the loop {within}"),
            );
            let message = format!(
                "{place} lacks the segment {id} before segment {} of the set",
                self.position(at)
            );
            let place = Place {
                id: id.to_owned(),
                position: self.position(at),
                within: within.clone(),
            };
            let finding = Finding::new(at, Told::Segment(place, "3"), message);
            let finding = finding.unless(self.format, Lenient::MissingSegments);
            keep(&mut self.findings, finding);
        }
    }

    fn finish(mut self, set: &Set, last: At) -> Structured {
        let end = At {
            line: last.line,
            segment: last.segment + 1,
        };
        while self.frames.len() > 1 {
            self.close(end);
        }
        self.check_passed(end, usize::MAX);
        let Some(frame) = self.frames.pop() else {
            return Structured {
                value: IndexMap::new(),
                findings: self.findings,
            };
        };
        let mut value = IndexMap::new();
        let start = Values::new(&set.start, self.delimiters).object();
        value.insert("ST".to_owned(), JValue::object(start));
        value.extend(frame.object());
        self.check_count(&value);
        if let Some(levels) = value.get_mut("HL").and_then(JValue::as_array_mut) {
            match nested(std::mem::take(levels)) {
                Ok(top) => *levels = top,
                Err((segment, message)) => {
                    let at = At {
                        segment,
                        line: last.line,
                    };
                    let place = Place {
                        id: "HL".to_owned(),
                        position: self.position(at),
                        within: Some("HL".to_owned()),
                    };
                    let told = Told::Element {
                        place,
                        number: 2,
                        code: "7",
                    };
                    let finding = Finding::new(at, told, message).of("HL", 2);
                    keep(&mut self.findings, finding);
                }
            }
        }
        Structured {
            value,
            findings: self.findings,
        }
    }

    /// The trailer of a set says how many lines it has.
    fn check_count(&mut self, value: &IndexMap<String, JValue>) {
        let Some(total) = value.get("CTT") else {
            return;
        };
        let text = |name: &str| total.get(name).and_then(JValue::as_str);
        let (Some(said), Some(counted)) = (text("CTT01"), self.guide.counted) else {
            return;
        };
        if said.parse() == Ok(self.counted) {
            return;
        }
        let number = |name: &str| text(name).and_then(|text| text.parse().ok()).unwrap_or(0);
        let at = At {
            line: number(LINE),
            segment: number(SEGMENT),
        };
        let message = format!(
            "CTT01 says {} times {counted}, {} came",
            brief(said),
            self.counted
        );
        let place = Place {
            id: "CTT".to_owned(),
            position: self.position(at),
            within: None,
        };
        let told = Told::Element {
            place,
            number: 1,
            code: "7",
        };
        let finding = Finding::new(at, told, message).of("CTT", 1);
        keep(
            &mut self.findings,
            finding.unless(self.format, Lenient::Counts),
        );
    }
}

/// Levels of a ship notice below those that HL02 names; else the segment that is wrong, and why.
fn nested(levels: Vec<JValue>) -> Result<Vec<JValue>, (u64, String)> {
    let mut parents: Vec<Option<usize>> = Vec::with_capacity(levels.len());
    let mut depths: Vec<usize> = Vec::with_capacity(levels.len());
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    for (index, level) in levels.iter().enumerate() {
        let text = |name: &str| level.get(name).and_then(JValue::as_str);
        let segment = || {
            let segment = text(SEGMENT).and_then(|text| text.parse().ok());
            segment.unwrap_or_default()
        };
        let number = text("HL01").unwrap_or_default();
        let parent = match text("HL02") {
            None => None,
            Some(parent) => Some(*numbers.get(parent).ok_or_else(|| {
                (
                    segment(),
                    format!(
                        "level {} names the level {} above it, which did not come before",
                        brief(number),
                        brief(parent)
                    ),
                )
            })?),
        };
        let depth = parent
            .and_then(|parent| depths.get(parent))
            .map_or(1, |above| above + 1);
        if depth > DEEPEST {
            return Err((
                segment(),
                format!("more than {DEEPEST} levels below each other"),
            ));
        }
        if numbers.insert(number.to_owned(), index).is_some() {
            return Err((
                segment(),
                format!("the level {} is there twice", brief(number)),
            ));
        }
        parents.push(parent);
        depths.push(depth);
    }
    let mut below: Vec<Vec<JValue>> = parents.iter().map(|_| Vec::new()).collect();
    let mut top = Vec::new();
    // From the last to the first: what hangs below a level is complete when the level's turn comes.
    for (index, mut level) in levels.into_iter().enumerate().rev() {
        let mut children = below.pop().unwrap_or_default();
        children.reverse();
        if let (Some(object), false) = (level.as_object_mut(), children.is_empty()) {
            object.insert("HL".to_owned(), JValue::array(children));
        }
        let siblings = match parents.get(index).copied().flatten() {
            Some(parent) => below.get_mut(parent),
            None => Some(&mut top),
        };
        if let Some(siblings) = siblings {
            siblings.push(level);
        }
    }
    top.reverse();
    Ok(top)
}

/// A value as a message shows it.
fn brief(text: &str) -> String {
    text.chars().take(40).collect()
}

/// The elements of a segment by their names, such as `BEG03`; `SLN05_1` is the first component of SLN05.
pub(crate) struct Values<'v> {
    segment: &'v Segment,
    delimiters: &'v Delimiters,
}

impl<'v> Values<'v> {
    pub(crate) fn new(segment: &'v Segment, delimiters: &'v Delimiters) -> Self {
        Self {
            segment,
            delimiters,
        }
    }

    pub(crate) fn object(&self) -> IndexMap<String, JValue> {
        let id = self.segment.id();
        let mut object = IndexMap::new();
        for (number, text) in self.segment.elements().enumerate().skip(1) {
            let name = format!("{id}{number:02}");
            let composite =
                text.contains(self.delimiters.component) || guides::is_composite(id, number);
            let repeats = self.delimiters.repetition.filter(|one| text.contains(*one));
            match (repeats, composite) {
                (None, false) => {
                    if let Some(value) = filled(text) {
                        object.insert(name, JValue::from(value));
                    }
                }
                (None, true) => object.extend(self.components(&name, text)),
                (Some(repetition), false) => {
                    let values = text.split(repetition).filter_map(filled);
                    let list: Vec<JValue> = values.map(JValue::from).collect();
                    object.insert(name, JValue::array(list));
                }
                (Some(repetition), true) => {
                    let values = text.split(repetition);
                    let list: Vec<JValue> = values
                        .map(|one| JValue::object(self.components("", one).collect()))
                        .collect();
                    object.insert(name, JValue::array(list));
                }
            }
        }
        object
    }

    fn components(&self, name: &str, text: &str) -> impl Iterator<Item = (String, JValue)> {
        let parts = text.split(self.delimiters.component).enumerate();
        parts.filter_map(move |(index, part)| {
            let value = filled(part)?;
            Some((format!("{name}_{}", index + 1), JValue::from(value)))
        })
    }
}

/// A value without the blanks that fill it up; nothing where there is none.
fn filled(text: &str) -> Option<&str> {
    let value = text.trim_end();
    (!value.trim_start().is_empty()).then_some(value)
}
