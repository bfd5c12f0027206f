//! Which line of a text a byte stands in, however its lines end: LF, CRLF or CR.

use std::collections::VecDeque;

/// Line ends that follow each other.
#[derive(Debug)]
struct Run {
    start: u64,
    end: u64,
    lines: u64,
}

/// Counts lines of a text that comes in pieces. Of what was asked for, nothing is kept.
#[derive(Debug, Default)]
pub struct Lines {
    runs: VecDeque<Run>,
    /// Lines that ended before those in `runs`.
    passed: u64,
    bytes: u64,
    after_cr: bool,
}

impl Lines {
    /// The next piece.
    pub fn add(&mut self, piece: &[u8]) {
        for byte in piece {
            let (is_cr, is_lf) = (*byte == b'\r', *byte == b'\n');
            if is_cr || is_lf {
                // Of CRLF the second byte ends no line of its own.
                let lines = u64::from(!(is_lf && self.after_cr));
                match self.runs.back_mut().filter(|run| run.end == self.bytes) {
                    Some(run) => {
                        run.end += 1;
                        run.lines += lines;
                    }
                    None => self.runs.push_back(Run {
                        start: self.bytes,
                        end: self.bytes + 1,
                        lines,
                    }),
                }
            }
            self.after_cr = is_cr;
            self.bytes += 1;
        }
    }

    /// The line, from 1, of the first byte from this one on that ends no line: where a row begins whose reader left
    /// line ends and blank lines for later. Bytes are asked for in their order.
    pub fn at(&mut self, byte: u64) -> u64 {
        while let Some(run) = self.runs.front().filter(|run| run.end <= byte) {
            self.passed += run.lines;
            self.runs.pop_front();
        }
        let within = self.runs.front().filter(|run| run.start <= byte);
        1 + self.passed + within.map_or(0, |run| run.lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_however_they_end_and_however_they_come() {
        for end in ["\n", "\r\n", "\r"] {
            let text = ["one", "", "three", "four", ""].join(end);
            let at = |word: &str| text.find(word).unwrap_or_default() as u64;
            for piece in 1..4 {
                let mut lines = Lines::default();
                for piece in text.as_bytes().chunks(piece) {
                    lines.add(piece);
                }
                assert_eq!(lines.at(0), 1, "{end:?}");
                // What ends the first line is left for the next row.
                assert_eq!(lines.at(3), 3, "{end:?}");
                assert_eq!(lines.at(at("three")), 3, "{end:?}");
                assert_eq!(lines.at(at("four") + 2), 4, "{end:?}");
                assert_eq!(lines.at(text.len() as u64), 5, "{end:?}");
            }
        }
    }

    #[test]
    fn a_line_end_that_comes_in_two_pieces_is_one() {
        let mut lines = Lines::default();
        lines.add(b"a\r");
        assert_eq!(lines.at(2), 2);
        lines.add(b"\nb");
        assert_eq!(lines.at(2), 2);
        assert_eq!(lines.at(3), 2);
    }
}
