//! Segments of X12, one after the other in bounded memory. The header of each interchange says how it is written.

use std::io::{self, Read};

use super::{Delimiters, Lenient};
use crate::charset::Decoded;
use crate::format::Fault;

/// Longer than this is no segment: its terminator is missing.
const LONGEST_SEGMENT: usize = 1 << 20;
/// No segment has so many elements and components.
const MOST_PARTS: usize = 1000;
/// A header has 106 characters; one of the wrong length is looked at no further than this.
const LONGEST_HEADER: usize = 512;

/// The lengths of the 16 elements of a header.
const LENGTHS: [usize; 16] = [2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1, 1];

/// Where a segment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct At {
    /// Its line, from 1.
    pub(crate) line: u64,
    /// Which segment of the file it is, from 1.
    pub(crate) segment: u64,
}

/// A segment as it is written, without its terminator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) at: At,
    text: String,
    separator: char,
    /// Longer than a segment may be, or of too many parts: nothing is made of it.
    pub(crate) cut: bool,
    /// Blanks stood before it.
    pub(crate) blanks: bool,
    /// The file ends before its terminator.
    pub(crate) unfinished: bool,
}

impl Segment {
    /// What kind of segment it is.
    pub(crate) fn id(&self) -> &str {
        self.elements().next().unwrap_or_default()
    }

    /// Its id and its elements.
    pub(crate) fn elements(&self) -> impl Iterator<Item = &str> {
        self.text.split(self.separator)
    }

    /// An element, from 1, without the blanks that fill it up.
    pub(crate) fn element(&self, number: usize) -> &str {
        self.elements().nth(number).unwrap_or_default().trim()
    }

    /// How many bytes it takes.
    pub(crate) fn len(&self) -> usize {
        self.text.len()
    }
}

/// The header of an interchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) at: At,
    /// ISA01 to ISA16, without the blanks that fill them up.
    pub(crate) elements: Vec<String>,
    /// What stands between elements, whether the rest can be read or not.
    pub(crate) separator: char,
    /// How the interchange is written; else the code of a TA1 and why it cannot be read.
    pub(crate) delimiters: Result<Delimiters, (&'static str, String)>,
    /// What is wrong with it that an agreement may allow.
    pub(crate) flaws: Vec<(Lenient, String)>,
}

impl Header {
    /// An element, from 1.
    pub(crate) fn element(&self, number: usize) -> &str {
        let text = number.checked_sub(1).and_then(|at| self.elements.get(at));
        text.map(String::as_str).unwrap_or_default()
    }
}

/// What comes next in a file.
#[derive(Debug)]
pub(crate) enum Token {
    Header(Box<Header>),
    Segment(Segment),
}

/// Reads segments.
pub(crate) struct Tokens<R: Read> {
    input: Text<Peeked<R>>,
    delimiters: Option<Delimiters>,
    segment: u64,
    marked: bool,
}

impl<R: Read> Tokens<R> {
    pub(crate) fn new(bytes: R, encoding: &str) -> Result<Self, Fault> {
        let (start, bytes) = peeked(bytes)?;
        let marked = [&[0xEF, 0xBB, 0xBF][..], &[0xFF, 0xFE], &[0xFE, 0xFF]]
            .iter()
            .any(|mark| start.starts_with(mark));
        let decoded = Decoded::new(bytes, encoding)
            .map_err(|message| Fault::end("edi_encoding", 1, message))?;
        Ok(Self {
            input: Text::new(decoded),
            delimiters: None,
            segment: 0,
            marked,
        })
    }

    /// The next segment or header; nothing at the end of the file.
    ///
    /// # Errors
    /// When nothing after it can be read.
    pub(crate) fn next(&mut self) -> Result<Option<Token>, Fault> {
        let mut blanks = false;
        loop {
            match self.input.peek()? {
                None if blanks && self.segment > 0 => {
                    self.segment += 1;
                    return Ok(Some(Token::Segment(self.nothing())));
                }
                None => return Ok(None),
                // Systems write a line for each segment, or cut lines: a line break here carries no meaning.
                Some('\r' | '\n') => self.input.skip(),
                Some(blank) if blank.is_whitespace() && !self.is_terminator(blank) => {
                    blanks = true;
                    self.input.skip();
                }
                Some(_) => break,
            }
        }
        self.segment += 1;
        let at = At {
            line: self.input.line,
            segment: self.segment,
        };
        let start = self.input.ahead(4)?;
        let is_header = start
            .strip_prefix("ISA")
            .and_then(|rest| rest.chars().next())
            .is_some_and(|next| !next.is_alphanumeric());
        if is_header {
            let mut header = self.header(at)?;
            if std::mem::take(&mut self.marked) {
                let flaw = "a byte order mark stands before the interchange".to_owned();
                header.flaws.insert(0, (Lenient::ByteOrderMark, flaw));
            }
            if blanks {
                let flaw = "blanks stand before the interchange".to_owned();
                header.flaws.push((Lenient::BlanksBetweenSegments, flaw));
            }
            self.delimiters = header.delimiters.as_ref().ok().copied();
            return Ok(Some(Token::Header(Box::new(header))));
        }
        let Some(delimiters) = self.delimiters else {
            return Err(Fault {
                segment: Some(at.segment),
                ..Fault::end(
                    "edi_syntax",
                    at.line,
                    "no X12: an interchange begins with the segment ISA",
                )
            });
        };
        let found = self.input.until(delimiters.terminator, LONGEST_SEGMENT)?;
        let separators = found.text.chars().filter(|one| delimiters.has(*one));
        let many = found.text.len() > MOST_PARTS && separators.count() > MOST_PARTS;
        Ok(Some(Token::Segment(Segment {
            at,
            text: found.text,
            separator: delimiters.element,
            cut: found.cut || many,
            blanks,
            unfinished: found.unfinished,
        })))
    }

    fn is_terminator(&self, blank: char) -> bool {
        self.delimiters
            .is_some_and(|delimiters| delimiters.terminator == blank)
    }

    /// Blanks at the end of the file, as a segment that is none.
    fn nothing(&self) -> Segment {
        Segment {
            at: At {
                line: self.input.line,
                segment: self.segment,
            },
            text: String::new(),
            separator: '*',
            cut: false,
            blanks: true,
            unfinished: false,
        }
    }

    fn header(&mut self, at: At) -> Result<Header, Fault> {
        let bad = |element: usize, message: String| Fault {
            segment: Some(at.segment),
            column: Some(format!("ISA{element:02}")),
            ..Fault::end("edi_syntax", at.line, message)
        };
        self.input.ahead(LONGEST_HEADER)?;
        let text: String = self.input.rest().chars().take(LONGEST_HEADER).collect();
        let separator = text.chars().nth(3).unwrap_or('*');
        let mut elements = Vec::with_capacity(16);
        let mut wrong = None;
        let mut left = text.chars().skip(4);
        let mut used = 4;
        for (index, length) in LENGTHS.iter().enumerate() {
            let number = index + 1;
            let mut element = String::new();
            if number == LENGTHS.len() {
                // The component separator is one character, and what follows it ends the segment.
                element.extend(left.next());
                used += 1;
            } else {
                loop {
                    match left.next() {
                        Some(character) if character == separator => break,
                        Some(character) => element.push(character),
                        None => {
                            return Err(bad(
                                number,
                                format!(
                                    "the header of the interchange ends in ISA{number:02}: it has 16 elements and 106 characters"
                                ),
                            ));
                        }
                    }
                }
                used += element.chars().count() + 1;
                // By bytes: a blank of another kind is wider, and shifts what follows it. A separator may be wider.
                let count = if number == 11 {
                    element.chars().count()
                } else {
                    element.len()
                };
                if count != *length && wrong.is_none() {
                    wrong = Some(format!(
                        "ISA{number:02} has {count} bytes instead of {length}: the header is of the wrong length"
                    ));
                }
            }
            elements.push(element);
        }
        let (component, terminator) = (
            elements.last().and_then(|last| last.chars().next()),
            left.next(),
        );
        let (Some(component), Some(terminator)) = (component, terminator) else {
            return Err(bad(
                16,
                "the header of the interchange ends before its terminator".to_owned(),
            ));
        };
        self.input.skip_many(used + 1);
        let elements: Vec<String> = elements
            .iter()
            .map(|element| element.trim().to_owned())
            .collect();
        let version = elements.get(11).map(String::as_str).unwrap_or_default();
        let eleventh = elements.get(10).and_then(|element| element.chars().next());
        // Until 00401, ISA11 names a standard. `U` goes on being written for that, and then nothing repeats.
        let repetition = eleventh.filter(|one| version >= "00402" && *one != 'U');
        let delimiters = Delimiters {
            element: separator,
            component,
            repetition,
            terminator,
        };
        Ok(Header {
            at,
            elements,
            separator,
            delimiters: delimiters.checked(),
            flaws: wrong
                .map(|wrong| (Lenient::IsaLength, wrong))
                .into_iter()
                .collect(),
        })
    }
}

/// A file whose first bytes were looked at.
type Peeked<R> = io::Chain<io::Cursor<Vec<u8>>, R>;

/// The first bytes of a file, and all of it.
fn peeked<R: Read>(mut bytes: R) -> Result<(Vec<u8>, Peeked<R>), Fault> {
    let mut start = Vec::new();
    bytes
        .by_ref()
        .take(3)
        .read_to_end(&mut start)
        .map_err(|error| Fault::unreadable(&error))?;
    Ok((start.clone(), io::Cursor::new(start).chain(bytes)))
}

/// Decoded text that is read a piece at a time.
struct Text<R: Read> {
    input: Decoded<R>,
    raw: Box<[u8]>,
    buffer: String,
    /// How much of the buffer is used up.
    used: usize,
    ended: bool,
    line: u64,
}

/// Text up to a terminator.
struct Found {
    text: String,
    /// It is longer than it may be, and its end was left out.
    cut: bool,
    /// The file ended first.
    unfinished: bool,
}

impl<R: Read> Text<R> {
    fn new(input: Decoded<R>) -> Self {
        Self {
            input,
            raw: vec![0; 64 * 1024].into_boxed_slice(),
            buffer: String::new(),
            used: 0,
            ended: false,
            line: 1,
        }
    }

    fn rest(&self) -> &str {
        self.buffer.get(self.used..).unwrap_or_default()
    }

    /// Reads on; the buffer keeps only what is not used up.
    fn fill(&mut self) -> Result<(), Fault> {
        self.buffer.drain(..self.used);
        self.used = 0;
        let count = self.input.read(&mut self.raw).map_err(|error| {
            if error.kind() == io::ErrorKind::InvalidData {
                Fault::end("edi_encoding", self.line, error.to_string())
            } else {
                Fault::unreadable(&error)
            }
        })?;
        self.ended = count == 0;
        let read = self.raw.get(..count).unwrap_or_default();
        // The decoder gives whole characters of UTF-8.
        self.buffer.push_str(&String::from_utf8_lossy(read));
        Ok(())
    }

    /// So many bytes and more, or all that is left.
    fn ahead(&mut self, bytes: usize) -> Result<&str, Fault> {
        // A character has at most four bytes.
        while self.rest().len() < 4 * bytes && !self.ended {
            self.fill()?;
        }
        Ok(self.rest())
    }

    fn peek(&mut self) -> Result<Option<char>, Fault> {
        Ok(self.ahead(1)?.chars().next())
    }

    fn skip(&mut self) {
        self.skip_many(1);
    }

    fn skip_many(&mut self, characters: usize) {
        let rest = self.rest();
        let end = rest
            .char_indices()
            .nth(characters)
            .map_or(rest.len(), |(at, _)| at);
        self.pass(end);
    }

    /// Uses up so many bytes.
    fn pass(&mut self, bytes: usize) {
        let passed = self.rest().get(..bytes).unwrap_or_default();
        let breaks = passed.bytes().filter(|byte| *byte == b'\n').count();
        self.line += breaks as u64;
        self.used += bytes;
    }

    fn until(&mut self, terminator: char, most: usize) -> Result<Found, Fault> {
        let mut found = Found {
            text: String::new(),
            cut: false,
            unfinished: false,
        };
        loop {
            let rest = self.rest();
            let end = rest.find(terminator);
            let part = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
            let length = part.len();
            if found.text.len() + length <= most && !found.cut {
                found.text.push_str(part);
            } else {
                // The id is enough to say which one it is.
                found.cut = true;
                found.text.extend(part.chars().take(64));
                found.text = found.text.chars().take(64).collect();
            }
            self.pass(length);
            if end.is_some() {
                self.pass(terminator.len_utf8());
                return Ok(found);
            }
            if self.ended {
                found.unfinished = true;
                return Ok(found);
            }
            self.fill()?;
        }
    }
}
