//! Line by line: what kind it is, whether it is whole, and whether the file has what it says of itself.

use std::collections::BTreeMap;
use std::io::Read;

use super::lines::{Line, Lines};
use super::{Column, Control, Fixed, LONGEST, Record};
use crate::control::{Sum, Writing, beyond, compare_count, missing};
use crate::format::Fault;

/// A line with what it is.
pub(super) struct Step<'f> {
    pub(super) line: Line,
    /// Its kind, where there are several and it is one of them.
    pub(super) kind: Option<(&'f str, &'f Record)>,
    pub(super) columns: &'f [Column],
    /// What is wrong with it.
    pub(super) fault: Option<Fault>,
}

/// Walks through a file.
pub(super) struct Walk<R: Read> {
    lines: Lines<R>,
    header: Tally,
    trailer: Tally,
    /// The first line, where it says something of the others.
    first: Option<Line>,
    counts: BTreeMap<String, u64>,
    all: u64,
    began: bool,
    ended: bool,
}

/// The total that a control says, as far as it came.
struct Tally(Option<Sum>);

impl Tally {
    fn of(control: Option<&Control>) -> Self {
        let total = control.and_then(|control| control.total.as_ref());
        Self(total.map(|total| {
            let writing = Writing {
                point: total.point,
                group: total.group,
            };
            Sum::new(&total.column, writing)
        }))
    }

    fn take(&mut self, control: Option<&Control>, step: &Step<'_>) {
        let total = control.and_then(|control| control.total.as_ref());
        let (Some(sum), Some(total)) = (&mut self.0, total) else {
            return;
        };
        if total.of.as_deref() != step.kind.map(|(name, _)| name) {
            return;
        }
        let column = step
            .columns
            .iter()
            .find(|column| column.name == total.column);
        let whole = column.filter(|_| step.fault.is_none());
        sum.add(
            step.line.number,
            whole.map(|column| step.line.cell(column.at, column.width)),
        );
    }
}

impl<R: Read> Walk<R> {
    pub(super) fn new(bytes: R, format: &Fixed) -> Result<Self, Fault> {
        let constant = (!format.line_ends).then(|| format.length.unwrap_or(LONGEST));
        let mut lines = Lines::new(bytes, &format.encoding, constant)?;
        for _ in 0..format.skip {
            match lines.next() {
                Some(Err(fault)) => return Err(fault),
                Some(Ok(_)) => {}
                None => break,
            }
        }
        Ok(Self {
            lines,
            header: Tally::of(format.header.as_ref()),
            trailer: Tally::of(format.trailer.as_ref()),
            first: None,
            counts: BTreeMap::new(),
            all: 0,
            began: false,
            ended: false,
        })
    }

    /// The next line; a fault is one after which nothing can be read.
    pub(super) fn next<'f>(&mut self, format: &'f Fixed) -> Option<Result<Step<'f>, Fault>> {
        while !self.ended {
            let line = match self.lines.next() {
                None => {
                    self.ended = true;
                    return self.end(format).map(Err);
                }
                Some(Err(fault)) => {
                    self.ended = true;
                    return Some(Err(fault));
                }
                Some(Ok(line)) => line,
            };
            if line.is_blank() && format.line_ends {
                continue;
            }
            let began = std::mem::replace(&mut self.began, true);
            if let (false, Some(header)) = (began, &format.header) {
                if !header.mark.fits(&line) {
                    self.ended = true;
                    return Some(Err(missing("first", &header.mark.text, line.number)));
                }
                self.first = Some(line);
                continue;
            }
            if let Some(trailer) = &format.trailer
                && trailer.mark.fits(&line)
            {
                self.ended = true;
                return self.close(format, trailer, &line).map(Err);
            }
            if format.ignored.iter().any(|mark| mark.fits(&line)) {
                continue;
            }
            let step = self.step(format, line);
            self.all += 1;
            if let Some((name, _)) = step.kind {
                *self.counts.entry(name.to_owned()).or_default() += 1;
            }
            self.header.take(format.header.as_ref(), &step);
            self.trailer.take(format.trailer.as_ref(), &step);
            return Some(Ok(step));
        }
        None
    }

    fn step<'f>(&self, format: &'f Fixed, line: Line) -> Step<'f> {
        if !format.is_tree() {
            let fault = format.layout(&format.columns, None).fault(&line);
            return Step {
                line,
                kind: None,
                columns: &format.columns,
                fault,
            };
        }
        let kind = format
            .records
            .iter()
            .find(|(_, record)| record.mark.fits(&line))
            .map(|(name, record)| (name.as_str(), record));
        let columns = kind.map_or(&[][..], |(_, record)| &record.columns);
        let fault = match kind {
            Some((_, record)) => format.layout(columns, record.length).fault(&line),
            None => {
                let known: Vec<&str> = format.records.keys().map(String::as_str).collect();
                let message = format!(
                    "no mark tells what the line is; known are {}: name it in `records` or in `ignored`",
                    known.join(", ")
                );
                Some(Fault::new("fixed_record", line.number, message))
            }
        };
        Step {
            line,
            kind,
            columns,
            fault,
        }
    }

    /// The last line: what it says, and that nothing is after it.
    fn close(&mut self, format: &Fixed, trailer: &Control, line: &Line) -> Option<Fault> {
        let said = self
            .compare(trailer, &self.trailer, line)
            .or_else(|| self.compare_first(format));
        if said.is_some() {
            return said;
        }
        while let Some(rest) = self.lines.next() {
            match rest {
                Ok(rest) if rest.is_blank() => {}
                Ok(rest) => return Some(beyond(&trailer.mark.text, rest.number)),
                Err(fault) => return Some(fault),
            }
        }
        None
    }

    fn end(&self, format: &Fixed) -> Option<Fault> {
        let line = self.lines.number();
        if let (Some(header), false) = (&format.header, self.began) {
            return Some(missing("first", &header.mark.text, line));
        }
        if let Some(trailer) = &format.trailer {
            return Some(missing("last", &trailer.mark.text, line));
        }
        self.compare_first(format)
    }

    fn compare_first(&self, format: &Fixed) -> Option<Fault> {
        self.compare(format.header.as_ref()?, &self.header, self.first.as_ref()?)
    }

    fn compare(&self, control: &Control, tally: &Tally, line: &Line) -> Option<Fault> {
        let of_count = control.count.as_ref().and_then(|count| {
            let came = if count.of.is_empty() {
                self.all
            } else {
                count
                    .of
                    .iter()
                    .filter_map(|kind| self.counts.get(kind))
                    .sum()
            };
            compare_count(line.cell(count.at, count.width), came, line.number)
        });
        of_count.or_else(|| {
            let (total, sum) = (control.total.as_ref()?, tally.0.as_ref()?);
            sum.compare(line.cell(total.at, total.width), line.number)
        })
    }
}
