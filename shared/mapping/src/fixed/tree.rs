//! Lines of several kinds as documents with parts.

use std::io::Read;

use indexmap::IndexMap;
use jsonata_core::value::JValue;

use super::walk::{Step, Walk};
use super::{Column, Fixed};
use crate::format::{Branch, Fault, LINE, Take};

/// A document larger than this is none; what a cell takes in memory beside its text counts.
const LARGEST: usize = 8 << 20;
const CELL: usize = 160;

/// A record while its parts come.
struct Open<'f> {
    kind: &'f str,
    line: u64,
    value: IndexMap<String, JValue>,
    parts: IndexMap<&'f str, Vec<JValue>>,
}

impl Open<'_> {
    fn close(self) -> IndexMap<String, JValue> {
        let mut value = self.value;
        for (kind, parts) in self.parts {
            value.insert(kind.to_owned(), JValue::array(parts));
        }
        value
    }
}

/// The document that is being read, and what is in all of them.
struct Documents<'f, 't> {
    take: &'t mut Take<'t>,
    /// The document, a part of it, a part of that.
    open: Vec<Open<'f>>,
    size: usize,
    /// Why nothing can be made of the document.
    broken: Option<String>,
    /// By kind: a record that is in every document, or why it cannot be.
    carried: IndexMap<&'f str, Result<JValue, String>>,
}

/// Reads document by document.
pub(crate) fn read(bytes: impl Read, format: &Fixed, take: &mut Take<'_>) -> Result<(), Fault> {
    let mut walk = Walk::new(bytes, format)?;
    let mut given = false;
    let mut give = |read| {
        given = true;
        take(read);
    };
    let mut documents = Documents {
        take: &mut give,
        open: Vec::new(),
        size: 0,
        broken: None,
        carried: IndexMap::new(),
    };
    let mut ended = None;
    while let Some(step) = walk.next(format) {
        match step {
            Ok(step) => documents.step(step),
            Err(fault) => {
                documents.lose(&fault);
                ended = Some(fault);
                break;
            }
        }
    }
    documents.finish();
    match ended {
        Some(fault) if given => take(Err(fault)),
        Some(fault) => return Err(fault),
        None => {}
    }
    Ok(())
}

fn value(columns: &[Column], step: &Step<'_>) -> IndexMap<String, JValue> {
    let mut value = IndexMap::with_capacity(columns.len() + 1);
    for column in columns {
        let cell = step.line.cell(column.at, column.width).trim();
        if !cell.is_empty() {
            value.insert(column.name.clone(), JValue::from(cell));
        }
    }
    value.insert(LINE.to_owned(), JValue::from(step.line.number.to_string()));
    value
}

impl<'f> Documents<'f, '_> {
    fn step(&mut self, mut step: Step<'f>) {
        let fault = step.fault.take();
        let Some((kind, record)) = step.kind else {
            // It may be a part of the document, or the first line of another one, whose parts come now.
            if let Some(fault) = fault {
                self.tell(fault);
            }
            return;
        };
        let record_of = record.of.as_deref();
        if record_of.is_none() {
            self.finish();
        }
        if record.carry {
            let carried = match fault {
                None => Ok(JValue::object(value(step.columns, &step))),
                Some(fault) => {
                    let why = fault.to_string();
                    (self.take)(Err(fault));
                    Err(why)
                }
            };
            self.carried.insert(kind, carried);
            return;
        }
        if let Some(of) = record_of {
            while self.open.len() > 1 && self.open.last().is_some_and(|open| open.kind != of) {
                self.close_part();
            }
            if self.open.last().is_none_or(|open| open.kind != of) {
                let message =
                    format!("a line {kind} that follows no line {of}: it belongs to none");
                self.tell(Fault::new("fixed_order", step.line.number, message));
                return;
            }
        }
        let value = value(step.columns, &step);
        let cells = value.values().filter_map(JValue::as_str);
        self.size += cells.map(|cell| cell.len() + CELL).sum::<usize>();
        self.open.push(Open {
            kind,
            line: step.line.number,
            value,
            parts: IndexMap::new(),
        });
        if let Some(fault) = fault {
            self.tell(fault);
        } else if self.size > LARGEST && self.broken.is_none() {
            let message = format!(
                "a document of more than {} MB: a line that begins the next one is probably missing",
                LARGEST >> 20
            );
            self.tell(Fault::new("fixed_limit", step.line.number, message));
        }
        if self.broken.is_some() {
            // Nothing is made of it any more: what it holds is let go, and where it stands is kept.
            for open in &mut self.open {
                open.value.clear();
                open.parts.clear();
            }
        }
    }

    /// A fault that breaks the document.
    fn tell(&mut self, fault: Fault) {
        self.lose(&fault);
        (self.take)(Err(fault));
    }

    fn lose(&mut self, fault: &Fault) {
        if !self.open.is_empty() && self.broken.is_none() {
            self.broken = Some(fault.to_string());
        }
    }

    fn close_part(&mut self) {
        let Some(part) = self.open.pop() else {
            return;
        };
        let kind = part.kind;
        let value = JValue::object(part.close());
        if let (Some(above), None) = (self.open.last_mut(), &self.broken) {
            above.parts.entry(kind).or_default().push(value);
        }
    }

    fn finish(&mut self) {
        while self.open.len() > 1 {
            self.close_part();
        }
        self.size = 0;
        let broken = self.broken.take();
        let Some(document) = self.open.pop() else {
            return;
        };
        let line = document.line;
        let lost = broken.or_else(|| self.carried.values().find_map(|one| one.clone().err()));
        (self.take)(match lost {
            Some(why) => Err(Fault::new(
                "document_incomplete",
                line,
                format!(
                    "nothing is made of the document, for one of its lines cannot be read: {why}"
                ),
            )),
            None => {
                let mut value = document.close();
                for (kind, carried) in &self.carried {
                    if let Ok(carried) = carried {
                        value.insert((*kind).to_owned(), carried.clone());
                    }
                }
                Ok(Branch {
                    line,
                    segment: None,
                    value,
                })
            }
        });
    }
}
