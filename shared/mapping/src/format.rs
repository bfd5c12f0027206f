//! How a file is written: tables give rows, trees give documents as they stand.

use std::io::Read;

use csv::StringRecord;
use indexmap::IndexMap;
use jsonata_core::value::JValue;

use crate::delimited::{self, Delimited};
use crate::edifact::{self, Edifact};
use crate::fixed::{self, Fixed};
use crate::json::{self, Json};
use crate::sheet::{self, Sheet};
use crate::x12::{self, X12};
use crate::xml::{self, Xml};

/// Every row and every repeated part of a document says where it stands, by these names.
pub(crate) const FILE: &str = "_file";
pub(crate) const LINE: &str = "_line";
pub(crate) const SEGMENT: &str = "_segment";
/// What stands around a document and came before it.
pub(crate) const AROUND: &str = "_around";
/// What the element of a document is called.
pub(crate) const ELEMENT: &str = "_element";

/// How a file is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Format {
    Table(Table),
    Tree(Tree),
}

/// Formats of rows with named columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Table {
    Delimited(Box<Delimited>),
    Fixed(Box<Fixed>),
    Sheet(Sheet),
}

/// Formats of documents that have parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Tree {
    Xml(Xml),
    Json(Json),
    X12(X12),
    Edifact(Edifact),
    Fixed(Box<Fixed>),
}

/// What is wrong with a file, or with a part of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub(crate) struct Fault {
    /// A stable code.
    pub(crate) code: &'static str,
    /// The line, from 1; 0 where there are none.
    pub(crate) line: u64,
    /// The segment, from 1, in formats that have segments.
    pub(crate) segment: Option<u64>,
    /// The column, element or cell, when one is at fault.
    pub(crate) column: Option<String>,
    /// What, and what to do.
    pub(crate) message: String,
    /// Whether nothing after it can be read.
    pub(crate) ends: bool,
}

impl Fault {
    /// A fault that does not hold what comes after it.
    pub(crate) fn new(code: &'static str, line: u64, message: impl Into<String>) -> Self {
        Self {
            code,
            line,
            segment: None,
            column: None,
            message: message.into(),
            ends: false,
        }
    }

    /// A fault after which nothing can be read.
    pub(crate) fn end(code: &'static str, line: u64, message: impl Into<String>) -> Self {
        Self {
            ends: true,
            ..Self::new(code, line, message)
        }
    }

    /// The file cannot be opened or read.
    pub(crate) fn unreadable(error: &std::io::Error) -> Self {
        Self::end("file_unreadable", 0, error.to_string())
    }
}

/// A row with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) line: u64,
    pub(crate) cells: StringRecord,
}

/// A row that cannot be taken, with as much of it as there is.
pub(crate) type Broken = (Option<Row>, Fault);

/// Reads a table row by row, in bounded memory.
pub(crate) trait Rows {
    /// Names of the columns.
    fn columns(&self) -> &[String];

    /// The next row; nothing at the end. A faulty row does not hold those after it, unless it says so.
    fn next_row(&mut self) -> Option<Result<Row, Broken>>;
}

impl Table {
    /// Opens a table.
    pub(crate) fn open<'a>(&self, bytes: Box<dyn Read + 'a>) -> Result<Box<dyn Rows + 'a>, Fault> {
        Ok(match self {
            Self::Delimited(format) => Box::new(delimited::Reader::new(bytes, format)?),
            Self::Fixed(format) => Box::new(fixed::Reader::new(bytes, format)?),
            Self::Sheet(format) => Box::new(sheet::Reader::new(bytes, format)?),
        })
    }

    /// Whether the file says itself how much is in it: then it is read to its end before anything is made of it.
    pub(crate) fn counts_itself(&self) -> bool {
        match self {
            Self::Delimited(format) => format.counts_itself(),
            Self::Fixed(format) => format.counts_itself(),
            Self::Sheet(_) => false,
        }
    }
}

/// A document of a tree format.
#[derive(Debug, Clone)]
pub(crate) struct Branch {
    /// Where it begins.
    pub(crate) line: u64,
    /// Its first segment, in formats that have segments.
    pub(crate) segment: Option<u64>,
    /// Its parts.
    pub(crate) value: IndexMap<String, JValue>,
}

/// Takes documents of a tree, and what cannot be read of it, in the order of the file.
pub(crate) type Take<'t> = dyn FnMut(Result<Branch, Fault>) + 't;

/// Opens a file.
pub(crate) type Open<'o, 'f> = dyn Fn() -> Result<Box<dyn Read + 'f>, Fault> + 'o;

impl Tree {
    /// Reads a tree document by document, in bounded memory. Where the end of a file decides on what came
    /// before it, the file is opened twice.
    pub(crate) fn read(&self, open: &Open<'_, '_>, take: &mut Take<'_>) -> Result<(), Fault> {
        match self {
            Self::Xml(format) => xml::read(open()?, format, take),
            Self::Json(format) => json::read(open()?, format, take),
            Self::X12(format) => x12::read(open, format, take),
            Self::Edifact(format) => edifact::read(open, format, take),
            Self::Fixed(format) => fixed::read(open()?, format, take),
        }
    }

    /// Whether the file says itself how much is in it: then it is read to its end before anything is made of it.
    pub(crate) fn counts_itself(&self) -> bool {
        match self {
            Self::Fixed(format) => format.counts_itself(),
            Self::Xml(_) | Self::Json(_) | Self::X12(_) | Self::Edifact(_) => false,
        }
    }
}
