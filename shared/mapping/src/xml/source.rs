//! The text under the parser: its character set, the place in it, and an end to what never ends.

use std::io::{self, BufRead, Cursor, ErrorKind, Read};
use std::ops::Range;

use crate::charset::Decoded;
use crate::format::Fault;

/// A tag, a text or a comment longer than this is refused: the parser would keep all of it.
pub(super) const LONGEST: u64 = 1 << 20;
/// The declaration is at the very beginning, or there is none.
const DECLARATION: usize = 1024;
const BUFFER: usize = 64 * 1024;

/// Bytes as text of the character set that the file says it has.
pub(super) type Text<R> = Source<Decoded<io::Chain<Cursor<Vec<u8>>, R>>>;

/// Opens a file by what it says of itself, or by what the feed knows better.
pub(super) fn open<R: Read>(mut bytes: R, encoding: Option<&str>) -> Result<Text<R>, Fault> {
    let mut head = Vec::with_capacity(DECLARATION);
    bytes
        .by_ref()
        .take(DECLARATION as u64)
        .read_to_end(&mut head)
        .map_err(|error| Fault::unreadable(&error))?;
    let wrong = |message: String| Fault::end("xml_encoding", 1, message);
    let named = match encoding {
        Some(name) => name.to_owned(),
        None => encoding_of(&head).map_err(wrong)?,
    };
    let decoded = Decoded::new(Cursor::new(head).chain(bytes), &named).map_err(wrong)?;
    Ok(Source {
        inner: decoded,
        buffer: vec![0; BUFFER].into_boxed_slice(),
        unread: 0..0,
        place: Place { line: 1, column: 1 },
        bytes: 0,
        event: 0,
    })
}

/// What a file says its character set is; a byte order mark is seen by the decoder, and goes before it.
fn encoding_of(head: &[u8]) -> Result<String, String> {
    match head {
        [b'<', 0, ..] => return Ok("utf-16le".to_owned()),
        [0, b'<', ..] => return Ok("utf-16be".to_owned()),
        [0xef, 0xbb, 0xbf, ..] | [0xfe, 0xff, ..] | [0xff, 0xfe, ..] => {
            return Ok("utf-8".to_owned());
        }
        _ => {}
    }
    let Some(named) = declared(head) else {
        return Ok("utf-8".to_owned());
    };
    if named.to_ascii_lowercase().contains("16") && named.to_ascii_lowercase().starts_with("ut") {
        return Err(format!(
            "the file says that it is {named} and is not, for its declaration could be read without: name its `encoding` in the feed"
        ));
    }
    Ok(named)
}

fn declared(head: &[u8]) -> Option<String> {
    let end = head.windows(2).position(|two| two == b"?>")?;
    let text = std::str::from_utf8(head.get(..end)?).ok()?;
    let (_, rest) = text.strip_prefix("<?xml")?.split_once("encoding")?;
    let rest = rest.trim_start().strip_prefix('=')?.trim_start();
    let quote = rest
        .chars()
        .next()
        .filter(|one| matches!(one, '"' | '\''))?;
    let (named, _) = rest.strip_prefix(quote)?.split_once(quote)?;
    Some(named.to_owned())
}

/// A place in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// From 1.
    pub(super) line: u64,
    /// In characters, from 1.
    pub(super) column: u64,
}

/// Text that knows where it is, and gives no more than so much to one event of the parser.
pub(super) struct Source<R> {
    inner: R,
    buffer: Box<[u8]>,
    unread: Range<usize>,
    place: Place,
    bytes: u64,
    event: u64,
}

impl<R: Read> Source<R> {
    /// Where the parser is.
    pub(super) fn place(&self) -> Place {
        self.place
    }

    /// How many bytes it has read.
    pub(super) fn offset(&self) -> u64 {
        self.bytes
    }

    /// Begins the next event; shows the three bytes with which it begins, as far as they are there.
    pub(super) fn begin(&mut self) -> io::Result<&[u8]> {
        self.event = 0;
        while self.unread.len() < 3 {
            match self.more() {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        let next = self.buffer.get(self.unread.clone()).unwrap_or_default();
        Ok(next.get(..3).unwrap_or(next))
    }

    fn more(&mut self) -> io::Result<usize> {
        self.buffer.copy_within(self.unread.clone(), 0);
        self.unread = 0..self.unread.len();
        let room = self.buffer.get_mut(self.unread.end..).unwrap_or_default();
        let count = self.inner.read(room)?;
        self.unread.end += count;
        Ok(count)
    }
}

impl<R: Read> BufRead for Source<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.event > LONGEST {
            return Err(io::Error::new(
                ErrorKind::FileTooLarge,
                "a tag or text that does not end",
            ));
        }
        if self.unread.is_empty() {
            self.more()?;
        }
        Ok(self.buffer.get(self.unread.clone()).unwrap_or_default())
    }

    fn consume(&mut self, count: usize) {
        let end = (self.unread.start + count).min(self.unread.end);
        let used = self.buffer.get(self.unread.start..end).unwrap_or_default();
        let last_line = match used.iter().rposition(|byte| *byte == b'\n') {
            Some(at) => {
                let ends = used.iter().filter(|byte| **byte == b'\n').count();
                self.place = Place {
                    line: self.place.line + ends as u64,
                    column: 1,
                };
                used.get(at + 1..).unwrap_or_default()
            }
            None => used,
        };
        // Bytes that continue a character are no columns.
        let columns = last_line.iter().filter(|byte| **byte & 0xc0 != 0x80);
        self.place.column += columns.count() as u64;
        self.bytes += used.len() as u64;
        self.event += used.len() as u64;
        self.unread.start = end;
    }
}

impl<R: Read> Read for Source<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}
