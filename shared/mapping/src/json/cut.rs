//! Cuts a file into JSON values, without reading what is in them.
//!
//! Only strings and brackets are looked at: that is enough to find where a value ends if it is JSON at all, and the
//! reader of its content says whether it is.

use std::io::{self, BufRead, BufReader, Chain, Cursor, ErrorKind, Read};

use crate::format::Fault;

/// The byte order mark of UTF-8, which says nothing.
const MARK: [u8; 3] = [0xef, 0xbb, 0xbf];
/// Deeper nesting than this is an attack.
const DEEPEST: usize = 100;

/// A place in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// From 1.
    pub(super) line: u64,
    /// In bytes, from 1.
    pub(super) column: u64,
}

impl Place {
    /// What is wrong here, and keeps what comes after it from being read.
    pub(super) fn end(self, code: &'static str, message: impl Into<String>) -> Fault {
        Fault {
            column: Some(self.column.to_string()),
            ..Fault::end(code, self.line, message)
        }
    }
}

/// A value as it stands in the file.
#[derive(Debug, Default)]
pub(super) struct Piece {
    /// Its bytes; none where there were too many.
    pub(super) bytes: Vec<u8>,
    /// Whether there were too many.
    pub(super) is_too_large: bool,
    /// About how many values are in it.
    pub(super) values: usize,
    /// How many objects are in it.
    pub(super) objects: usize,
}

impl Piece {
    fn clear(&mut self) {
        self.bytes.clear();
        self.is_too_large = false;
        (self.values, self.objects) = (0, 0);
    }

    fn keep(&mut self, bytes: &[u8], most: usize) {
        if self.is_too_large || self.bytes.len() + bytes.len() > most {
            self.is_too_large = true;
            self.bytes = Vec::new();
        } else {
            self.bytes.extend_from_slice(bytes);
        }
    }
}

/// A file that is cut.
pub(super) struct Cut<R> {
    inner: BufReader<Chain<Cursor<Vec<u8>>, R>>,
    place: Place,
}

/// Where in a value the cutter is.
#[derive(Debug, Default)]
struct Within {
    brackets: Vec<u8>,
    is_string: bool,
    is_escape: bool,
    /// A number or a word has begun that is the value itself.
    is_word: bool,
}

/// What a byte is to the value that is cut.
enum Role {
    /// Part of it.
    Inside,
    /// The last of it.
    Last,
    /// No longer part of it.
    Behind,
}

impl<R: Read> Cut<R> {
    pub(super) fn new(mut bytes: R) -> Result<Self, Fault> {
        let place = Place { line: 1, column: 1 };
        // A byte order mark may come in pieces.
        let mut head = Vec::with_capacity(MARK.len());
        let read = bytes
            .by_ref()
            .take(MARK.len() as u64)
            .read_to_end(&mut head);
        if head == MARK {
            head.clear();
        } else if head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]) {
            return Err(place.end("json_syntax", "the file is UTF-16: JSON is sent as UTF-8"));
        }
        let cut = Self {
            inner: BufReader::with_capacity(64 * 1024, Cursor::new(head).chain(bytes)),
            place,
        };
        read.map_err(|error| cut.unreadable(&error))?;
        Ok(cut)
    }

    /// Where it is.
    pub(super) fn place(&self) -> Place {
        self.place
    }

    /// What is not JSON here.
    pub(super) fn wrong(&self, message: impl Into<String>) -> Fault {
        self.place.end("json_syntax", message)
    }

    fn fill(&mut self) -> Result<&[u8], Fault> {
        loop {
            match self.inner.fill_buf() {
                Ok(_) => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(self.unreadable(&error)),
            }
        }
        Ok(self.inner.buffer())
    }

    fn unreadable(&self, error: &io::Error) -> Fault {
        Fault {
            line: self.place.line,
            ..Fault::unreadable(error)
        }
    }

    fn consume(&mut self, count: usize) {
        let buffer = self.inner.buffer();
        let used = buffer.get(..count).unwrap_or(buffer);
        let (lines, rest) = match used.iter().rposition(|byte| *byte == b'\n') {
            Some(at) => {
                let ends = used.iter().filter(|byte| **byte == b'\n').count();
                self.place.column = 1;
                (ends, used.len() - at - 1)
            }
            None => (0, used.len()),
        };
        self.place.line += lines as u64;
        self.place.column += rest as u64;
        self.inner.consume(count);
    }

    /// The next byte that is not blank; nothing at the end of the file.
    pub(super) fn peek(&mut self) -> Result<Option<u8>, Fault> {
        loop {
            let buffer = self.fill()?;
            if buffer.is_empty() {
                return Ok(None);
            }
            let blanks = buffer.iter().take_while(|byte| is_blank(**byte)).count();
            let next = buffer.get(blanks).copied();
            self.consume(blanks);
            if next.is_some() {
                return Ok(next);
            }
        }
    }

    /// The byte that [`Cut::peek`] showed is taken.
    pub(super) fn step(&mut self) {
        self.consume(1);
    }

    /// Cuts the value that begins here, of which no more than so many bytes are kept.
    pub(super) fn value(&mut self, piece: &mut Piece, most: usize) -> Result<(), Fault> {
        piece.clear();
        piece.values = 1;
        let mut within = Within::default();
        loop {
            let buffer = self.fill()?;
            if buffer.is_empty() {
                return if within.is_word && within.brackets.is_empty() {
                    Ok(())
                } else {
                    Err(self.wrong("the file ends within a value"))
                };
            }
            let (mut used, mut ends) = (0, false);
            let mut wrong = None;
            for byte in buffer {
                match within.take(*byte, piece) {
                    Ok(Role::Inside) => used += 1,
                    Ok(Role::Last) => (used, ends) = (used + 1, true),
                    Ok(Role::Behind) => ends = true,
                    Err(message) => wrong = Some(message),
                }
                if ends || wrong.is_some() {
                    break;
                }
            }
            piece.keep(buffer.get(..used).unwrap_or_default(), most);
            self.consume(used);
            match wrong {
                Some((code, message)) => return Err(self.place.end(code, message)),
                None if ends => return Ok(()),
                None => {}
            }
        }
    }

    /// Cuts the next line; nothing at the end of the file.
    pub(super) fn line(&mut self, piece: &mut Piece, most: usize) -> Result<Option<()>, Fault> {
        piece.clear();
        let mut there = None;
        loop {
            let buffer = self.fill()?;
            if buffer.is_empty() {
                return Ok(there);
            }
            there = Some(());
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let own = buffer
                .get(..end.unwrap_or(buffer.len()))
                .unwrap_or_default();
            for byte in own {
                // In strings too: what is only counted may be counted too high.
                piece.values += usize::from(matches!(byte, b',' | b':'));
                piece.objects += usize::from(*byte == b'{');
            }
            piece.keep(own, most);
            let used = own.len() + usize::from(end.is_some());
            self.consume(used);
            if end.is_some() {
                return Ok(there);
            }
        }
    }
}

impl Within {
    fn take(&mut self, byte: u8, piece: &mut Piece) -> Result<Role, (&'static str, String)> {
        let syntax = |message: String| Err(("json_syntax", message));
        if self.is_string {
            if self.is_escape {
                self.is_escape = false;
            } else if byte == b'\\' {
                self.is_escape = true;
            } else if byte == b'"' {
                self.is_string = false;
                if self.brackets.is_empty() {
                    return Ok(Role::Last);
                }
            }
            return Ok(Role::Inside);
        }
        let is_bare = self.brackets.is_empty();
        if is_bare && self.is_word && (is_blank(byte) || b",:]}[{\"".contains(&byte)) {
            return Ok(Role::Behind);
        }
        match byte {
            b'"' => self.is_string = true,
            b'{' | b'[' => {
                piece.values += 1;
                piece.objects += usize::from(byte == b'{');
                self.brackets.push(byte);
                if self.brackets.len() > DEEPEST {
                    return Err(("json_limit", format!("nested deeper than {DEEPEST}")));
                }
            }
            b'}' | b']' => {
                let opened = if byte == b'}' { b'{' } else { b'[' };
                if self.brackets.pop() != Some(opened) {
                    return syntax(format!("`{}` closes nothing", char::from(byte)));
                }
                if self.brackets.is_empty() {
                    return Ok(Role::Last);
                }
            }
            b',' | b':' if is_bare => {
                return syntax(format!("`{}` where a value begins", char::from(byte)));
            }
            b',' | b':' => piece.values += 1,
            _ => self.is_word |= is_bare,
        }
        Ok(Role::Inside)
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}
