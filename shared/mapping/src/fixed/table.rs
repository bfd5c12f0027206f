//! Lines of one kind as rows.

use std::io::Read;

use csv::StringRecord;

use super::Fixed;
use super::walk::Walk;
use crate::format::{Broken, Fault, Row, Rows};

/// Reads rows.
pub(crate) struct Reader<R: Read> {
    walk: Walk<R>,
    format: Fixed,
    columns: Vec<String>,
}

impl<R: Read> Reader<R> {
    pub(crate) fn new(bytes: R, format: &Fixed) -> Result<Self, Fault> {
        let names = format.columns.iter().map(|column| column.name.clone());
        Ok(Self {
            walk: Walk::new(bytes, format)?,
            columns: names.collect(),
            format: format.clone(),
        })
    }
}

impl<R: Read> Rows for Reader<R> {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn next_row(&mut self) -> Option<Result<Row, Broken>> {
        let step = match self.walk.next(&self.format)? {
            Ok(step) => step,
            Err(fault) => return Some(Err((None, fault))),
        };
        let columns = step.columns.iter();
        let cells: StringRecord = columns
            .map(|column| step.line.cell(column.at, column.width))
            .collect();
        let row = Row {
            line: step.line.number,
            cells,
        };
        Some(match step.fault {
            Some(fault) => Err((Some(row), fault)),
            None => Ok(row),
        })
    }
}
