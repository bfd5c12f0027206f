//! Lines with ends, or records of constant length, and their cells by position.

use std::io::{self, BufRead, BufReader, Read};

use super::LONGEST;
use crate::charset::Decoded;
use crate::format::Fault;

/// A line, by characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// Its number, from 1.
    pub(super) number: u64,
    text: String,
    /// Where each character begins; none where every character is one byte.
    starts: Option<Vec<usize>>,
    /// Characters that were not kept, for it is too long.
    dropped: usize,
}

impl Line {
    fn new(number: u64, text: String, dropped: usize) -> Self {
        let starts = (!text.is_ascii()).then(|| text.char_indices().map(|(at, _)| at).collect());
        Self {
            number,
            text,
            starts,
            dropped,
        }
    }

    fn offset(&self, character: usize) -> usize {
        match &self.starts {
            None => character.min(self.text.len()),
            Some(starts) => starts.get(character).copied().unwrap_or(self.text.len()),
        }
    }

    /// The cell at a position, from 1; what is not there is blank.
    pub(super) fn cell(&self, at: usize, width: usize) -> &str {
        let before = at.saturating_sub(1);
        let (from, to) = (
            self.offset(before),
            self.offset(before.saturating_add(width)),
        );
        self.text.get(from..to).unwrap_or_default()
    }

    /// How many characters it has.
    pub(super) fn length(&self) -> usize {
        let kept = self.starts.as_ref().map_or(self.text.len(), Vec::len);
        kept.saturating_add(self.dropped)
    }

    /// How many characters it has without the blanks at its end.
    pub(super) fn filled(&self) -> usize {
        if self.dropped > 0 {
            return self.length();
        }
        self.text.trim_end().chars().count()
    }

    pub(super) fn is_blank(&self) -> bool {
        // Some systems end a file with the mark that once ended all of them.
        self.dropped == 0
            && self
                .text
                .chars()
                .all(|one| one.is_whitespace() || one == '\u{1a}')
    }
}

/// Reads lines in bounded memory.
pub(super) struct Lines<R: Read> {
    text: BufReader<Decoded<R>>,
    /// Characters of a record, where lines have no ends.
    constant: Option<usize>,
    number: u64,
    ended: bool,
}

/// Whether a byte of UTF-8 begins a character.
fn begins(byte: u8) -> bool {
    byte & 0xc0 != 0x80
}

impl<R: Read> Lines<R> {
    pub(super) fn new(bytes: R, encoding: &str, constant: Option<usize>) -> Result<Self, Fault> {
        let text = Decoded::new(bytes, encoding)
            .map_err(|message| Fault::end("fixed_format", 1, message))?;
        Ok(Self {
            text: BufReader::with_capacity(32 * 1024, text),
            constant,
            number: 0,
            ended: false,
        })
    }

    /// Where the reading is.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// The next line; nothing at the end.
    pub(super) fn next(&mut self) -> Option<Result<Line, Fault>> {
        if self.ended {
            return None;
        }
        let read = match self.constant {
            None => self.line(),
            Some(length) => self.record(length),
        };
        let line = self.number + 1;
        let read = match read {
            Ok(read) => read,
            Err(error) => {
                self.ended = true;
                let code = if error.kind() == io::ErrorKind::InvalidData {
                    "fixed_encoding"
                } else {
                    "file_unreadable"
                };
                return Some(Err(Fault::end(code, line, error.to_string())));
            }
        };
        let Some((text, dropped)) = read else {
            self.ended = true;
            return None;
        };
        self.number = line;
        let line = Line::new(line, text, dropped);
        let Some(length) = self.constant else {
            return Some(Ok(line));
        };
        if line.length() < length {
            self.ended = true;
            if line.is_blank() {
                return None;
            }
        } else if !line.text.contains(['\n', '\r']) {
            return Some(Ok(line));
        }
        self.ended = true;
        let message = if line.text.contains(['\n', '\r']) {
            "a line end within a record: the file has line ends, or a record of another length"
                .to_owned()
        } else {
            format!(
                "{} characters where a record has {length}: the file was not written to its end",
                line.length()
            )
        };
        Some(Err(Fault::end("fixed_length", line.number, message)))
    }

    /// Text up to a line end, and how many characters more than are kept.
    fn line(&mut self) -> io::Result<Option<(String, usize)>> {
        let mut kept = Vec::new();
        let (mut characters, mut dropped) = (0_usize, 0_usize);
        let mut came = false;
        loop {
            let chunk = self.text.fill_buf()?;
            if chunk.is_empty() {
                break;
            }
            came = true;
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let part = chunk.get(..end.unwrap_or(chunk.len())).unwrap_or_default();
            for byte in part {
                characters = characters.saturating_add(usize::from(begins(*byte)));
                // One more than the longest tells that it is too long.
                if characters <= LONGEST + 1 {
                    kept.push(*byte);
                } else {
                    dropped = dropped.saturating_add(usize::from(begins(*byte)));
                }
            }
            let used = part.len() + usize::from(end.is_some());
            self.text.consume(used);
            if end.is_some() {
                break;
            }
        }
        if dropped == 0 && kept.last() == Some(&b'\r') {
            kept.pop();
        }
        Ok(came.then(|| (utf8(kept), dropped)))
    }

    /// So many characters.
    fn record(&mut self, length: usize) -> io::Result<Option<(String, usize)>> {
        let mut kept = Vec::new();
        let mut characters = 0_usize;
        loop {
            let chunk = self.text.fill_buf()?;
            if chunk.is_empty() {
                break;
            }
            let mut used = 0;
            for byte in chunk {
                if begins(*byte) && characters == length {
                    break;
                }
                characters += usize::from(begins(*byte));
                kept.push(*byte);
                used += 1;
            }
            let full = used < chunk.len();
            self.text.consume(used);
            if full {
                break;
            }
        }
        Ok((!kept.is_empty()).then(|| (utf8(kept), 0)))
    }
}

/// What was decoded is UTF-8 already.
fn utf8(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_default()
}
