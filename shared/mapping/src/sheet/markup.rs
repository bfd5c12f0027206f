//! XML of a workbook, event by event in bounded memory.

use std::borrow::Cow;
use std::io::{self, BufRead, BufReader, Read};

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::archive::PartReader;
use crate::charset::Decoded;
use crate::format::Fault;

/// A tag or a text longer than this is none.
const LONGEST: usize = 256 << 10;
/// Elements in elements: more than this is no workbook.
const DEEPEST: usize = 64;

/// What comes next.
pub(super) enum Node<'a> {
    Start(Tag<'a>),
    End(Cow<'a, str>),
    Text(Cow<'a, str>),
}

/// An element's beginning.
pub(super) struct Tag<'a>(BytesStart<'a>);

impl Tag<'_> {
    /// Its name, with its prefix.
    pub(super) fn name(&self) -> &str {
        self.0.name().into_inner()
    }

    /// Its name without prefix.
    pub(super) fn local(&self) -> &str {
        local(self.name())
    }

    /// An attribute by its whole name.
    pub(super) fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        let mut all = self.0.attributes();
        let found = all
            .with_checks(false)
            .filter_map(Result::ok)
            .find(|attribute| attribute.key.into_inner() == name)?;
        let text = quick_xml::escape::unescape(&found.value).ok()?;
        Some(Cow::Owned(text.into_owned()))
    }

    /// An attribute that is a number.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.get(name)?.trim().parse().ok()
    }

    /// An attribute by its name without prefix.
    pub(super) fn get_local(&self, name: &str) -> Option<String> {
        let mut all = self.0.attributes();
        let key = all
            .with_checks(false)
            .filter_map(Result::ok)
            .map(|attribute| attribute.key.into_inner().to_owned())
            .find(|key| local(key) == name)?;
        self.get(&key).map(Cow::into_owned)
    }
}

/// A name without its prefix.
pub(super) fn local(name: &str) -> &str {
    name.split_once(':').map_or(name, |(_, local)| local)
}

/// Reads a part of a workbook.
pub(super) struct Markup {
    xml: Reader<Metered<BufReader<Decoded<PartReader>>>>,
    buffer: Vec<u8>,
    part: String,
    depth: usize,
}

impl Markup {
    pub(super) fn new(part: &str, bytes: PartReader) -> Result<Self, Fault> {
        let text =
            Decoded::new(bytes, "utf-8").map_err(|message| Fault::end("sheet_xml", 0, message))?;
        let mut xml = Reader::from_reader(Metered {
            inner: BufReader::with_capacity(32 << 10, text),
            left: LONGEST,
        });
        let config = xml.config_mut();
        config.expand_empty_elements = true;
        config.check_end_names = true;
        Ok(Self {
            xml,
            buffer: Vec::new(),
            part: part.to_owned(),
            depth: 0,
        })
    }

    /// The part cannot be understood.
    pub(super) fn wrong(&self, what: &dyn std::fmt::Display) -> Fault {
        Fault::end(
            "sheet_xml",
            0,
            format!("the workbook's `{}` cannot be read: {what}", self.part),
        )
    }

    /// What comes next; nothing at the end.
    pub(super) fn next(&mut self) -> Result<Option<Node<'_>>, Fault> {
        self.buffer.clear();
        self.xml.get_mut().left = LONGEST;
        let part = &self.part;
        let wrong = |what: &dyn std::fmt::Display| {
            Fault::end(
                "sheet_xml",
                0,
                format!("the workbook's `{part}` cannot be read: {what}"),
            )
        };
        let event = match self.xml.read_event_into(&mut self.buffer) {
            Ok(event) => event,
            Err(quick_xml::Error::Io(error)) if error.kind() == io::ErrorKind::FileTooLarge => {
                let message = format!(
                    "`{part}` has a tag or a text of more than {} KB",
                    LONGEST >> 10
                );
                return Err(Fault::end("sheet_limit", 0, message));
            }
            Err(error) => return Err(wrong(&error)),
        };
        let text = match event {
            Event::Eof if self.depth == 0 => return Ok(None),
            Event::Eof => return Err(wrong(&"it ends too early")),
            Event::Start(tag) => {
                self.depth += 1;
                if self.depth > DEEPEST {
                    let message = format!("`{part}` has elements more than {DEEPEST} deep");
                    return Err(Fault::end("sheet_limit", 0, message));
                }
                return Ok(Some(Node::Start(Tag(tag))));
            }
            Event::Empty(tag) => return Ok(Some(Node::Start(Tag(tag)))),
            Event::End(tag) => {
                self.depth = self.depth.saturating_sub(1);
                let name = tag.name().into_inner().to_owned();
                return Ok(Some(Node::End(Cow::Owned(name))));
            }
            Event::Text(text) => Cow::Owned(text.xml10_content().into_owned()),
            Event::CData(text) => Cow::Owned(text.xml10_content().into_owned()),
            Event::GeneralRef(reference) => {
                let letter = reference
                    .resolve_char_ref()
                    .map_err(|error| wrong(&error))?;
                match letter {
                    Some(letter) => Cow::Owned(letter.to_string()),
                    None => quick_xml::escape::resolve_predefined_entity(&reference)
                        .map(Cow::Borrowed)
                        .ok_or_else(|| wrong(&"it names an entity"))?,
                }
            }
            Event::DocType(_) => {
                let message = format!("`{part}` has a document type, which no workbook needs");
                return Err(Fault::end("xml_dtd_forbidden", 0, message));
            }
            Event::Comment(_) | Event::PI(_) | Event::Decl(_) => Cow::Borrowed(""),
        };
        Ok(Some(Node::Text(text)))
    }

    /// Passes over the rest of an element that has just begun.
    pub(super) fn pass(&mut self) -> Result<(), Fault> {
        let mut inside = 1_usize;
        while inside > 0 {
            match self.next()? {
                Some(Node::Start(_)) => inside += 1,
                Some(Node::End(_)) => inside -= 1,
                Some(Node::Text(_)) => {}
                None => return Ok(()),
            }
        }
        Ok(())
    }
}

/// Ends what is read as one event when it is too long.
struct Metered<R> {
    inner: R,
    left: usize,
}

impl<R: BufRead> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.inner.read(buffer)
    }
}

impl<R: BufRead> BufRead for Metered<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.left == 0 {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "too long"));
        }
        self.inner.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.left = self.left.saturating_sub(count);
        self.inner.consume(count);
    }
}
