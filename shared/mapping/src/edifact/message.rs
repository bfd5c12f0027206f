//! A message as a document: its segments in their groups.

use std::collections::HashMap;

use edifact_rs::SyntaxError;
use indexmap::IndexMap;
use jsonata_core::value::JValue;

use crate::edifact::cut::Mark;
use crate::edifact::finding::{Finding, LIMIT, SYNTAX};
use crate::edifact::group::{Group, Slot};
use crate::edifact::segment::Segment;
use crate::edifact::tables::{MESSAGES, UNKNOWN};

/// Segments that are kept although nothing knows them.
const UNPLACED: &str = "_unplaced";
const TAG: &str = "_tag";

/// More segments than this are no message of trade: a thousand lines have some ten thousand.
const MOST_SEGMENTS: u64 = 50_000;
/// What a document may take in memory, by [`Segment::weight`].
const MOST_WEIGHT: usize = 24 << 20;
/// Packages within packages within packages.
const DEEPEST_PACKAGE: usize = 16;

/// Puts a message together.
pub(crate) struct Builder {
    /// The message's kind and reference, for what is said of it.
    name: String,
    lenient: bool,
    levels: Vec<Level>,
    previous: String,
    weight: usize,
}

/// A group that may go on.
struct Level {
    group: &'static Group,
    /// The slot that was filled last.
    at: usize,
    filled: bool,
    object: IndexMap<String, JValue>,
    parts: IndexMap<String, Vec<JValue>>,
}

impl Level {
    fn new(group: &'static Group, object: IndexMap<String, JValue>) -> Self {
        Self {
            group,
            at: 0,
            filled: false,
            object,
            parts: IndexMap::new(),
        }
    }

    /// The next slot for a segment, from where the group is.
    fn next(&self, tag: &str) -> Option<usize> {
        let slots = self.group.slots.iter().enumerate().skip(self.at);
        let mut fits = slots.filter(|(index, slot)| {
            slot.tag() == tag && (slot.repeats() || !self.filled || *index > self.at)
        });
        fits.next().map(|(index, _)| index)
    }

    /// A slot that has room for a segment, wherever the group is.
    fn any(&self, tag: &str) -> Option<usize> {
        let mut slots = self.group.slots.iter();
        slots
            .position(|slot| slot.tag() == tag && (slot.repeats() || !self.parts.contains_key(tag)))
    }

    fn close(self) -> Result<IndexMap<String, JValue>, (&'static str, String)> {
        let mut object = self.object;
        for (tag, mut values) in self.parts {
            if tag == "CPS" {
                values = nested(values)?;
            }
            let list = tag == UNPLACED || self.group.slot(&tag).is_some_and(Slot::repeats);
            let value = match values.pop() {
                Some(only) if !list => only,
                Some(last) => {
                    values.push(last);
                    JValue::array(values)
                }
                None => continue,
            };
            object.insert(tag, value);
        }
        Ok(object)
    }
}

impl Builder {
    /// A message of a kind; of one without a table only what is lenient can be kept.
    pub(crate) fn new(kind: &str, name: String, lenient: bool) -> Self {
        let group = MESSAGES.get(kind).unwrap_or(&UNKNOWN);
        Self {
            name,
            lenient,
            levels: vec![Level::new(group, IndexMap::new())],
            previous: "UNH".to_owned(),
            weight: 0,
        }
    }

    /// The next segment of the message.
    pub(crate) fn add(
        &mut self,
        segment: &Segment,
        mark: Mark,
        position: u64,
    ) -> Result<(), Finding> {
        self.weight += segment.weight();
        if position > MOST_SEGMENTS || self.weight > MOST_WEIGHT {
            let message = format!(
                "{} has more than {MOST_SEGMENTS} segments, or more in them than can be kept: send it in parts",
                self.name
            );
            return Err(Finding::new(LIMIT, SyntaxError::Unspecified, mark, message));
        }
        let tag = segment.tag.as_str();
        let levels = self.levels.iter().enumerate().rev();
        let found = levels.clone().find_map(|(depth, level)| {
            let index = level.next(tag)?;
            Some((depth, index, true))
        });
        let found = found.or_else(|| {
            let mut levels = levels;
            let found = levels.find_map(|(depth, level)| Some((depth, level.any(tag)?, false)));
            found.filter(|_| self.lenient)
        });
        let Some((depth, index, moves)) = found else {
            return self.unplaced(segment, mark, position);
        };
        self.previous = tag.to_owned();
        self.close_to(depth + 1, mark)?;
        let Some(level) = self.levels.last_mut() else {
            return Ok(());
        };
        if moves {
            level.at = index;
            level.filled = true;
        }
        let Some(slot) = level.group.slots.get(index) else {
            return Ok(());
        };
        match slot {
            Slot::Segment { repeats, .. } => {
                let value = JValue::object(segment.object(repeats.then_some(mark)));
                level.parts.entry(tag.to_owned()).or_default().push(value);
            }
            Slot::Group(group) => {
                let object = segment.object(Some(mark));
                self.levels.push(Level::new(group, object));
            }
        }
        Ok(())
    }

    fn unplaced(&mut self, segment: &Segment, mark: Mark, position: u64) -> Result<(), Finding> {
        let tag = segment.tag.as_str();
        match self.levels.last_mut() {
            Some(level) if self.lenient => {
                let mut object = segment.object(Some(mark));
                object.insert(TAG.to_owned(), JValue::from(tag));
                let kept = level.parts.entry(UNPLACED.to_owned()).or_default();
                kept.push(JValue::object(object));
                Ok(())
            }
            _ => Err(Finding::new(
                SYNTAX,
                SyntaxError::NotSupportedHere,
                mark,
                format!(
                    "{}: segment {position}, {tag}, does not belong behind {}: with `lenient: [unknown_segments]` it is kept",
                    self.name, self.previous
                ),
            )),
        }
    }

    /// The whole message as a document.
    pub(crate) fn finish(mut self, mark: Mark) -> Result<IndexMap<String, JValue>, Finding> {
        self.close_to(1, mark)?;
        match self.levels.pop() {
            Some(root) => close(root, &self.name, mark),
            None => Ok(IndexMap::new()),
        }
    }

    fn close_to(&mut self, depth: usize, mark: Mark) -> Result<(), Finding> {
        while self.levels.len() > depth {
            let Some(done) = self.levels.pop() else {
                return Ok(());
            };
            let tag = done.group.trigger;
            let object = close(done, &self.name, mark)?;
            if let Some(parent) = self.levels.last_mut() {
                let values = parent.parts.entry(tag.to_owned()).or_default();
                values.push(JValue::object(object));
            }
        }
        Ok(())
    }
}

fn close(level: Level, name: &str, mark: Mark) -> Result<IndexMap<String, JValue>, Finding> {
    level.close().map_err(|(code, message)| {
        let message = format!("{name}: {message}");
        Finding::new(code, SyntaxError::InvalidValue, mark, message)
    })
}

/// Packages in the packages that they name as theirs: element 02 of CPS is element 01 of another one before it.
fn nested(packages: Vec<JValue>) -> Result<Vec<JValue>, (&'static str, String)> {
    let text = |package: &JValue, name: &str| {
        let value = package.get(name).and_then(JValue::as_str);
        value.map(str::to_owned)
    };
    // Of each one, which one it is in and how deep.
    let mut places: Vec<(Option<usize>, usize)> = Vec::with_capacity(packages.len());
    let mut known: HashMap<String, usize> = HashMap::new();
    for (index, package) in packages.iter().enumerate() {
        let place = match text(package, "CPS02") {
            None => (None, 1),
            Some(parent) => {
                let found = known.get(&parent).copied();
                let depth = found.and_then(|at| places.get(at)).map(|place| place.1);
                let depth = depth.ok_or_else(|| {
                    (SYNTAX, format!("a package (CPS) says it is in package {parent}, and no CPS before it is that one"))
                })?;
                (found, depth + 1)
            }
        };
        if place.1 > DEEPEST_PACKAGE {
            let message = format!("packages (CPS) in more than {DEEPEST_PACKAGE} others");
            return Err((LIMIT, message));
        }
        places.push(place);
        if let Some(own) = text(package, "CPS01") {
            known.insert(own, index);
        }
    }
    let mut within: Vec<Vec<JValue>> = places.iter().map(|_| Vec::new()).collect();
    let mut outer = Vec::new();
    // Backwards: what is in a package is whole before the package itself is moved.
    for (index, mut package) in packages.into_iter().enumerate().rev() {
        let mut own = within
            .get_mut(index)
            .map(std::mem::take)
            .unwrap_or_default();
        if !own.is_empty()
            && let Some(object) = package.as_object_mut()
        {
            own.reverse();
            object.insert("CPS".to_owned(), JValue::array(own));
        }
        let parent = places.get(index).and_then(|place| place.0);
        match parent.and_then(|parent| within.get_mut(parent)) {
            Some(siblings) => siblings.push(package),
            None => outer.push(package),
        }
    }
    outer.reverse();
    Ok(outer)
}
