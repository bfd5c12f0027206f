//! Bytes to segments: only where each one ends, in bounded memory.

use std::io::{self, BufRead, BufReader, Read};

use edifact_rs::ServiceStringAdvice;

/// A longer segment is a terminator that never came.
pub(crate) const LONGEST_SEGMENT: usize = 64 << 10;

/// Where a segment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Mark {
    /// The line that it begins in, from 1.
    pub(crate) line: u64,
    /// Its number in the file, from 1; the service string advice is none.
    pub(crate) number: u64,
    /// Whether blanks or tabs stand before it.
    pub(crate) blanks: bool,
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// A segment; [`Cutter::bytes`] has it, without its terminator.
    Segment(Mark),
    /// A segment that is too long; [`Cutter::bytes`] has how it begins.
    TooLong(Mark),
    /// UNA with characters that can be told apart.
    Advice(Mark),
    /// UNA with characters that cannot.
    BadAdvice(Mark),
    /// A mark of UTF-8.
    ByteOrderMark,
    /// The file ends within a segment.
    Unfinished(Mark),
    /// The file ends.
    End(Mark),
}

/// Cuts a file into segments.
pub(crate) struct Cutter<R: Read> {
    input: BufReader<R>,
    /// Separators that are in force.
    pub(crate) advice: ServiceStringAdvice,
    /// Whether they were written down for the interchange that comes next.
    advised: bool,
    started: bool,
    line: u64,
    number: u64,
    buffer: Vec<u8>,
}

impl<R: Read> Cutter<R> {
    pub(crate) fn new(bytes: R) -> Self {
        Self {
            input: BufReader::with_capacity(32 << 10, bytes),
            advice: ServiceStringAdvice::default(),
            advised: false,
            started: false,
            line: 1,
            number: 0,
            buffer: Vec::new(),
        }
    }

    /// The segment that was cut off last.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.buffer
    }

    /// Cuts off the next one.
    pub(crate) fn next(&mut self) -> io::Result<Cut> {
        let mut blanks = false;
        self.buffer.clear();
        while let Some(byte) = self.peek()? {
            match byte {
                b'\r' | b'\n' => {}
                b' ' | b'\t' => blanks = true,
                0xEF if !self.started => {
                    self.started = true;
                    return self.byte_order_mark();
                }
                _ => break,
            }
            self.step(byte);
        }
        self.started = true;
        let mut mark = Mark {
            line: self.line,
            number: self.number + 1,
            blanks,
        };
        if self.peek()?.is_none() {
            mark.number = self.number;
            return Ok(Cut::End(mark));
        }
        self.number = mark.number;
        let mut released = false;
        let mut too_long = false;
        loop {
            let chunk = self.input.fill_buf()?;
            if chunk.is_empty() {
                return Ok(Cut::Unfinished(mark));
            }
            let mut used = 0;
            let mut ended = false;
            for byte in chunk.iter().copied() {
                used += 1;
                self.line += u64::from(byte == b'\n');
                if !released && byte == self.advice.segment_term {
                    ended = true;
                    break;
                }
                released = !released && byte == self.advice.release_char;
                if self.buffer.len() < LONGEST_SEGMENT {
                    self.buffer.push(byte);
                } else {
                    too_long = true;
                }
                // No service character is a letter, so these are whole whatever is in force.
                if self.buffer.len() == 3 && matches!(self.buffer.as_slice(), b"UNA" | b"UNB") {
                    break;
                }
            }
            self.input.consume(used);
            if ended {
                return Ok(if too_long {
                    Cut::TooLong(mark)
                } else {
                    Cut::Segment(mark)
                });
            }
            match self.buffer.as_slice() {
                b"UNA" => return self.service_string(mark),
                // An interchange without UNA has the characters of the standard, whatever came before it.
                b"UNB" if !std::mem::take(&mut self.advised) => {
                    self.advice = ServiceStringAdvice::default();
                }
                _ => {}
            }
        }
    }

    fn service_string(&mut self, mark: Mark) -> io::Result<Cut> {
        self.number -= 1;
        let mark = Mark {
            number: self.number,
            ..mark
        };
        let mut characters = [0; 6];
        for place in &mut characters {
            let Some(byte) = self.peek()? else {
                return Ok(Cut::Unfinished(mark));
            };
            *place = byte;
            self.step(byte);
        }
        let [
            component_sep,
            element_sep,
            decimal_mark,
            release_char,
            repetition_sep,
            segment_term,
        ] = characters;
        let advice = ServiceStringAdvice {
            element_sep,
            component_sep,
            release_char,
            decimal_mark,
            repetition_sep,
            segment_term,
        };
        if !advice.is_valid() {
            return Ok(Cut::BadAdvice(mark));
        }
        self.advice = advice;
        self.advised = true;
        Ok(Cut::Advice(mark))
    }

    fn byte_order_mark(&mut self) -> io::Result<Cut> {
        for expected in [0xEF, 0xBB, 0xBF] {
            match self.peek()? {
                Some(byte) if byte == expected => self.step(byte),
                _ => {
                    return Ok(Cut::Unfinished(Mark {
                        line: self.line,
                        ..Mark::default()
                    }));
                }
            }
        }
        Ok(Cut::ByteOrderMark)
    }

    fn peek(&mut self) -> io::Result<Option<u8>> {
        Ok(self.input.fill_buf()?.first().copied())
    }

    fn step(&mut self, byte: u8) {
        self.line += u64::from(byte == b'\n');
        self.input.consume(1);
    }
}
