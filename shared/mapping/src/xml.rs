//! XML: elements of a path become documents, one after the other in bounded memory.
//!
//! Nothing is ever fetched, and no entity is defined: a file with a document type is refused as a whole.

mod element;
mod source;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, Read};

use indexmap::IndexMap;
use jsonata_core::value::JValue;
use quick_xml::events::{BytesRef, Event};
use quick_xml::{Error, Reader};
use serde::de::{self, Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, de::Error as _};

use crate::format::{AROUND, Branch, ELEMENT, Fault, Take};
use element::{Element, Prefixes, characters};
use source::{LONGEST, Place, Text};

/// How a file is written.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Xml {
    /// Paths of the elements that are documents, by local names.
    document: Paths,
    /// Elements that are lists even where there is one of them.
    #[serde(default)]
    repeated: BTreeSet<String>,
    /// Which of the elements around a document are kept; all of them where it is left out.
    around: Option<BTreeSet<String>>,
    /// Which attributes are kept; all of them where it is left out.
    attributes: Option<BTreeSet<String>>,
    /// The character set, where the file does not say it or is wrong about it.
    encoding: Option<String>,
}

/// One path or several.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Paths(Vec<Path>);

/// Local names from the root on; `*` is any.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Path(Vec<String>);

impl<'de> Deserialize<'de> for Paths {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMore;
        impl<'de> Visitor<'de> for OneOrMore {
            type Value = Paths;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a path such as /Orders/Order, or a list of them")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Paths, E> {
                path(text).map(|one| Paths(vec![one])).map_err(E::custom)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut texts: A) -> Result<Paths, A::Error> {
                let mut paths = Vec::new();
                while let Some(text) = texts.next_element::<String>()? {
                    paths.push(path(&text).map_err(A::Error::custom)?);
                }
                if paths.is_empty() {
                    return Err(A::Error::custom(
                        "no path: say which elements are documents",
                    ));
                }
                Ok(Paths(paths))
            }
        }
        deserializer.deserialize_any(OneOrMore)
    }
}

fn path(text: &str) -> Result<Path, String> {
    let wrong = || {
        format!(
            "`{text}` is no path: write the names from the root on, /Orders/Order, `*` for any, without prefixes"
        )
    };
    let steps = text.strip_prefix('/').ok_or_else(wrong)?;
    let steps: Vec<String> = steps.split('/').map(str::to_owned).collect();
    if steps
        .iter()
        .any(|step| step.is_empty() || step.contains(':'))
    {
        return Err(wrong());
    }
    Ok(Path(steps))
}

impl Path {
    /// Whether these names, from the root on, begin it.
    fn begins<'n>(&self, mut names: impl ExactSizeIterator<Item = &'n str>) -> bool {
        names.len() <= self.0.len()
            && self
                .0
                .iter()
                .all(|step| names.next().is_none_or(|name| step == "*" || step == name))
    }
}

impl fmt::Display for Paths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let paths: Vec<String> = self
            .0
            .iter()
            .map(|path| format!("/{}", path.0.join("/")))
            .collect();
        f.write_str(&paths.join(" or "))
    }
}

/// Deeper nesting than this is an attack.
const DEEPEST: usize = 100;
/// A document larger than this is left out: in the file, and about in memory.
const LARGEST: u64 = 8 << 20;
const LARGEST_READ: usize = 32 << 20;
/// What stands around documents is with each of them, and is not much.
const LARGEST_AROUND: usize = 1 << 20;
const MOST_TEXT_AROUND: usize = 4 << 10;

/// Why the reader stops.
#[derive(Debug)]
enum Stop {
    /// It is not XML.
    Syntax(String),
    /// It is more than is read.
    Limit(String),
    /// An element is called like something of ours.
    Name(String),
    /// A document type definition.
    Dtd,
}

impl Stop {
    fn at(self, place: Place) -> Fault {
        let (code, message) = match self {
            Self::Syntax(message) => ("xml_syntax", message),
            Self::Limit(message) => ("xml_limit", message),
            Self::Name(name) => (
                "xml_name",
                format!("an element is called `{name}`: that name is taken here"),
            ),
            Self::Dtd => (
                "xml_dtd_forbidden",
                "a file with a document type definition is not read: send it without DOCTYPE"
                    .to_owned(),
            ),
        };
        Fault {
            column: Some(place.column.to_string()),
            ..Fault::end(code, place.line, message)
        }
    }
}

/// Reads document by document.
pub(crate) fn read(bytes: impl Read, format: &Xml, take: &mut Take<'_>) -> Result<(), Fault> {
    let mut reader = Reader::from_reader(source::open(bytes, format.encoding.as_deref())?);
    let config = reader.config_mut();
    config.expand_empty_elements = true;
    config.check_comments = true;
    let mut given = false;
    let mut walk = Walk::new(format);
    let end = loop {
        match step(&mut reader, &mut walk) {
            Ok(Step::Goes) => {}
            Ok(Step::Gives(branch)) => {
                given = true;
                take(Ok(branch));
            }
            Ok(Step::LeavesOut(fault)) => {
                given = true;
                take(Err(fault));
            }
            Ok(Step::Ends) => break None,
            Err(fault) => break Some(fault),
        }
    };
    match end {
        Some(fault) if given => take(Err(fault)),
        Some(fault) => return Err(fault),
        None if given || walk.is_empty_list() => {}
        None => {
            let root = walk.root.unwrap_or_default();
            return Err(Fault::end(
                "xml_document",
                1,
                format!(
                    "the file has no element {}; it begins with /{root}",
                    format.document
                ),
            ));
        }
    }
    Ok(())
}

enum Step {
    Goes,
    Gives(Branch),
    LeavesOut(Fault),
    Ends,
}

fn step<R: Read>(reader: &mut Reader<Text<R>>, walk: &mut Walk<'_>) -> Result<Step, Fault> {
    let source = reader.get_mut();
    let place = source.place();
    let begins = source.begin().map_err(|error| unreadable(&error, place))?;
    if matches!(begins, [b'<', b'!', b'D' | b'd']) {
        return Err(Stop::Dtd.at(place));
    }
    let start = source.offset();
    let mut buffer = std::mem::take(&mut walk.buffer);
    buffer.clear();
    let event = reader.read_event_into(&mut buffer);
    let step = match event {
        Err(error) => {
            let now = reader.get_ref().place();
            return Err(match error {
                Error::Io(error) => unreadable(&error, now),
                error @ (Error::Syntax(_)
                | Error::IllFormed(_)
                | Error::InvalidAttr(_)
                | Error::Encoding(_)
                | Error::Escape(_)
                | Error::Namespace(_)) => Stop::Syntax(error.to_string()).at(place),
            });
        }
        Ok(event) => walk.take(&event, place, start..reader.get_ref().offset()),
    };
    walk.buffer = buffer;
    step.map_err(|stop| stop.at(place))
}

fn unreadable(error: &io::Error, place: Place) -> Fault {
    let kind = error.kind();
    if kind == io::ErrorKind::FileTooLarge {
        let limit = format!("a tag, text or comment of more than {} MB", LONGEST >> 20);
        return Stop::Limit(limit).at(place);
    }
    if kind == io::ErrorKind::InvalidData {
        return Fault::end("xml_encoding", place.line, error.to_string());
    }
    Fault {
        line: place.line,
        ..Fault::unreadable(error)
    }
}

/// What an element and all below it belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// A document, and the byte at which it begins.
    Document(u64),
    /// Something beside documents.
    Beside,
    /// Nothing that is wanted.
    Skipped,
}

/// The way through a file.
struct Walk<'f> {
    format: &'f Xml,
    /// The elements that documents are below of, the root first.
    above: Vec<Element>,
    /// Elements of a part that are open.
    open: Vec<Element>,
    /// The part, and how deep its own element is.
    part: Option<(Part, usize)>,
    depth: usize,
    prefixes: Prefixes,
    around: Option<JValue>,
    root: Option<String>,
    /// Whether there was a place for documents, and whether anything else was in it.
    had_place: bool,
    had_other: bool,
    buffer: Vec<u8>,
}

impl<'f> Walk<'f> {
    fn new(format: &'f Xml) -> Self {
        Self {
            format,
            above: Vec::new(),
            open: Vec::new(),
            part: None,
            depth: 0,
            prefixes: Prefixes::default(),
            around: None,
            root: None,
            had_place: false,
            had_other: false,
            buffer: Vec::new(),
        }
    }

    /// Whether documents could have been there and nothing was.
    fn is_empty_list(&self) -> bool {
        self.had_place && !self.had_other
    }

    fn take(
        &mut self,
        event: &Event<'_>,
        place: Place,
        bytes: std::ops::Range<u64>,
    ) -> Result<Step, Stop> {
        match event {
            Event::Start(tag) => {
                let wanted = self.format.attributes.as_ref();
                let element = Element::open(tag, place, wanted, &mut self.prefixes)?;
                self.start(element, bytes.start)?;
            }
            Event::End(_) => return Ok(self.end()),
            Event::Text(text) => {
                if text.contains("]]>") {
                    return Err(Stop::Syntax("`]]>` in a text".to_owned()));
                }
                self.say(&text.xml10_content())?;
            }
            Event::CData(_) | Event::GeneralRef(_) if self.depth == 0 => {
                return Err(Stop::Syntax("text outside of the root element".to_owned()));
            }
            Event::CData(text) => self.say(&text.xml10_content())?,
            Event::GeneralRef(reference) => {
                self.say(referred(reference)?.encode_utf8(&mut [0; 4]))?
            }
            Event::Comment(text) => characters(text)?,
            Event::PI(instruction) => characters(instruction)?,
            Event::Decl(_) if bytes.start > 0 => {
                return Err(Stop::Syntax(
                    "an XML declaration that is not at the beginning of the file".to_owned(),
                ));
            }
            Event::Decl(_) => {}
            Event::DocType(_) => return Err(Stop::Dtd),
            // Empty elements come as a start and an end.
            Event::Empty(_) => {}
            Event::Eof => {
                if let Some(open) = self.open.last().or(self.above.last()) {
                    return Err(Stop::Syntax(format!(
                        "the file ends within `{}`, which begins in line {}",
                        open.name, open.place.line
                    )));
                }
                if self.root.is_none() {
                    return Err(Stop::Syntax("the file has no element".to_owned()));
                }
                return Ok(Step::Ends);
            }
        }
        self.weigh(bytes.end)
    }

    fn start(&mut self, element: Element, at: u64) -> Result<(), Stop> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(Stop::Limit(format!(
                "elements are nested deeper than {DEEPEST}"
            )));
        }
        if self.depth == 1 {
            if self.root.is_some() {
                return Err(Stop::Syntax("a second root element".to_owned()));
            }
            self.root = Some(element.name.clone());
        }
        match self.part {
            Some((Part::Skipped, _)) => return Ok(()),
            Some((Part::Document(_) | Part::Beside, _)) => {
                if let Some(parent) = self.open.last_mut() {
                    parent.pause();
                }
                self.open.push(element);
                return Ok(());
            }
            None => {}
        }
        if let Some(parent) = self.above.last_mut() {
            parent.pause();
        }
        let names: Vec<&str> = self
            .above
            .iter()
            .chain([&element])
            .map(|element| element.name.as_str())
            .collect();
        let mut fits = self
            .format
            .document
            .0
            .iter()
            .filter(|path| path.begins(names.iter().copied()))
            .map(|path| path.0.len() - names.len());
        let nearest = fits.by_ref().min();
        let part = match nearest {
            Some(0) => Part::Document(at),
            Some(below) => {
                self.had_place |= below == 1;
                self.above.push(element);
                self.around = None;
                return Ok(());
            }
            None => {
                self.had_other = true;
                let wanted = self.format.around.as_ref();
                if wanted.is_none_or(|wanted| wanted.contains(&element.name)) {
                    Part::Beside
                } else {
                    Part::Skipped
                }
            }
        };
        self.part = Some((part, self.depth));
        if part != Part::Skipped {
            self.open.push(element);
        }
        Ok(())
    }

    fn end(&mut self) -> Step {
        self.prefixes.close();
        let depth = self.depth;
        self.depth = self.depth.saturating_sub(1);
        match self.part {
            None => {
                // What an element says that documents were in is said of them, not of the next one's.
                self.above.pop();
                self.around = None;
            }
            Some((part, top)) => {
                if part == Part::Skipped {
                    self.part = (depth > top).then_some((part, top));
                    return Step::Goes;
                }
                let Some(element) = self.open.pop() else {
                    return Step::Goes;
                };
                if depth > top {
                    let repeated = self.format.repeated.contains(&element.name);
                    if let Some(parent) = self.open.last_mut() {
                        parent.adopt(element, repeated);
                    }
                    return Step::Goes;
                }
                self.part = None;
                if matches!(part, Part::Document(_)) {
                    return Step::Gives(self.document(element));
                }
                let repeated = self.format.repeated.contains(&element.name);
                if let Some(parent) = self.above.last_mut() {
                    parent.adopt(element, repeated);
                    self.around = None;
                }
            }
        }
        Step::Goes
    }

    fn document(&mut self, element: Element) -> Branch {
        let (name, line) = (element.name.clone(), element.place.line);
        let mut value = element.into_fields();
        value.insert(ELEMENT.to_owned(), JValue::from(name));
        if let Some(around) = self.around() {
            value.insert(AROUND.to_owned(), around);
        }
        Branch {
            line,
            segment: None,
            value,
        }
    }

    /// What stands around the document that was read: made once for all that have the same.
    fn around(&mut self) -> Option<JValue> {
        if self.around.is_none() {
            let mut below: Option<(&str, IndexMap<String, JValue>)> = None;
            for element in self.above.iter().rev() {
                let inner = below
                    .take()
                    .map(|(name, fields)| (name, JValue::object(fields)));
                below = Some((&element.name, element.so_far(inner)));
            }
            self.around = below.map(|(name, mut fields)| {
                fields.insert(ELEMENT.to_owned(), JValue::from(name));
                JValue::object(fields)
            });
        }
        self.around.clone()
    }

    fn say(&mut self, text: &str) -> Result<(), Stop> {
        if self.depth == 0 {
            if text.trim_matches(['\t', '\n', '\r', ' ']).is_empty() {
                return Ok(());
            }
            return Err(Stop::Syntax("text outside of the root element".to_owned()));
        }
        match self.part {
            Some((Part::Skipped, _)) => characters(text),
            Some((Part::Document(_) | Part::Beside, _)) => self
                .open
                .last_mut()
                .map_or(Ok(()), |element| element.say(text)),
            None => {
                // Blanks between documents change nothing of what is said of them.
                if !text.trim().is_empty() {
                    self.around = None;
                }
                let Some(element) = self.above.last_mut() else {
                    return Ok(());
                };
                element.say(text)?;
                if element.text_bytes() > MOST_TEXT_AROUND {
                    return Err(Stop::Limit(format!(
                        "more than {} KB of text between documents",
                        MOST_TEXT_AROUND >> 10
                    )));
                }
                Ok(())
            }
        }
    }

    /// Leaves a document out that is too large; ends where too much is around documents.
    fn weigh(&mut self, bytes: u64) -> Result<Step, Stop> {
        let cost: usize = self.open.iter().map(|element| element.cost).sum();
        match self.part {
            Some((Part::Document(start), top))
                if bytes - start > LARGEST || cost > LARGEST_READ =>
            {
                let place = self.open.first().map(|element| element.place);
                self.open.clear();
                self.part = Some((Part::Skipped, top));
                let fault = Stop::Limit(format!(
                    "a document of more than {} MB, or with more than about {} MB once it is read: nothing is made of it",
                    LARGEST >> 20,
                    LARGEST_READ >> 20
                ));
                let fault = fault.at(place.unwrap_or(Place { line: 0, column: 0 }));
                Ok(Step::LeavesOut(Fault {
                    ends: false,
                    ..fault
                }))
            }
            Some((Part::Document(_) | Part::Skipped, _)) => Ok(Step::Goes),
            Some((Part::Beside, _)) | None => {
                let above: usize = self.above.iter().map(|element| element.cost).sum();
                if above + cost > LARGEST_AROUND {
                    return Err(Stop::Limit(format!(
                        "more than about {} KB around the documents: name in `around` which of the elements there are wanted",
                        LARGEST_AROUND >> 10
                    )));
                }
                Ok(Step::Goes)
            }
        }
    }
}

/// A character by its number or as one of the five that XML has names for.
fn referred(reference: &BytesRef<'_>) -> Result<char, Stop> {
    if let Some(one) = reference
        .resolve_char_ref()
        .map_err(|error| Stop::Syntax(error.to_string()))?
    {
        return Ok(one);
    }
    match reference.as_ref() {
        "amp" => Ok('&'),
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "apos" => Ok('\''),
        "quot" => Ok('"'),
        other => {
            let shown: String = other.chars().take(40).collect();
            Err(Stop::Syntax(format!(
                "`&{shown};` stands for nothing: only characters by number and &amp; &lt; &gt; &apos; &quot; are known"
            )))
        }
    }
}
