//! Where something is: in a configuration, or in a plant's file.

use std::fmt;

use serde::Serialize;

/// A place in a configuration file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The file, from the plant's folder.
    pub file: String,
    /// Its line, from 1.
    pub line: u64,
    /// Its column, from 1.
    pub column: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// A configuration that is not right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{place}: {message}")]
pub struct Mistake {
    /// Where.
    pub place: Place,
    /// What, and what to do.
    pub message: String,
}

impl Place {
    /// A mistake here.
    pub(crate) fn mistake(&self, message: impl Into<String>) -> Mistake {
        Mistake {
            place: self.clone(),
            message: message.into(),
        }
    }

    /// A file as a whole.
    pub(crate) fn of(file: &str) -> Self {
        Self {
            file: file.to_owned(),
            line: 1,
            column: 1,
        }
    }
}

/// A place in a file of the plant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Spot {
    /// The file's name.
    pub file: String,
    /// The line or row, from 1.
    pub line: u64,
    /// The segment, from 1, in a file that has segments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub segment: Option<u64>,
    /// The column, cell or element by its name, when one is at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
}

impl Spot {
    /// A file as a whole: where it begins.
    #[must_use]
    pub fn of(file: &str) -> Self {
        Self::line(file, 1)
    }

    /// A line of a file.
    pub(crate) fn line(file: &str, line: u64) -> Self {
        Self {
            file: file.to_owned(),
            line,
            segment: None,
            column: None,
        }
    }
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} line {}", self.file, self.line)?;
        if let Some(segment) = self.segment {
            write!(f, ", segment {segment}")?;
        }
        match &self.column {
            Some(column) => write!(f, ", column {column}"),
            None => Ok(()),
        }
    }
}
