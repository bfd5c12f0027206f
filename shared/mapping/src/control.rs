//! What a file says of itself, compared with what came: how many rows, and the total of a column.

use rust_decimal::Decimal;
use serde::Deserialize;

use crate::exact;
use crate::format::Fault;

/// How the numbers of a total are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Writing {
    pub(crate) point: char,
    pub(crate) group: Option<char>,
}

/// The cell of a delimited file that has the total of a column.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TotalCell {
    /// The cell, from 1.
    pub(crate) cell: usize,
    /// The column that is added up.
    pub(crate) column: String,
    /// What stands before the decimals.
    #[serde(default = "point")]
    pub(crate) point: char,
    /// What stands between thousands.
    #[serde(default)]
    pub(crate) group: Option<char>,
}

/// What stands before the decimals unless the configuration says otherwise.
pub(crate) fn point() -> char {
    '.'
}

/// Adds up a column, exactly.
#[derive(Debug, Clone)]
pub(crate) struct Sum {
    column: String,
    writing: Writing,
    so_far: Result<Decimal, (u64, String)>,
}

impl Sum {
    pub(crate) fn new(column: &str, writing: Writing) -> Self {
        Self {
            column: column.to_owned(),
            writing,
            so_far: Ok(Decimal::ZERO),
        }
    }

    /// A cell of the column; none of a row that cannot be read. A blank cell adds nothing.
    pub(crate) fn add(&mut self, line: u64, cell: Option<&str>) {
        let Ok(sum) = self.so_far else {
            return;
        };
        self.so_far = match cell.map(str::trim) {
            None => Err((line, "the row cannot be read".to_owned())),
            Some("") => Ok(sum),
            Some(text) => exact::decimal(text, self.writing.point, self.writing.group)
                .and_then(|number| {
                    sum.checked_add(number)
                        .ok_or_else(|| "the total has too many digits".to_owned())
                })
                .map_err(|message| (line, message)),
        };
    }

    /// What is wrong when the file says this total.
    pub(crate) fn compare(&self, said: &str, line: u64) -> Option<Fault> {
        let column = &self.column;
        let message = match (
            &self.so_far,
            exact::decimal(said, self.writing.point, self.writing.group),
        ) {
            (Ok(sum), Ok(total)) if *sum == total => return None,
            (Ok(sum), Ok(total)) => {
                format!("the file says a total of {total} of {column}, {sum} came: it is not whole")
            }
            (Ok(_), Err(message)) => format!("the total of {column} cannot be read: {message}"),
            (Err((at, message)), _) => format!(
                "the total of {column} cannot be compared, for line {at} does not count: {message}"
            ),
        };
        Some(Fault {
            column: Some(column.clone()),
            ..Fault::end("file_total", line, message)
        })
    }
}

/// What is wrong when the file says that so many rows are in it.
pub(crate) fn compare_count(said: &str, came: u64, line: u64) -> Option<Fault> {
    let said = said.trim();
    (said.parse() != Ok(came)).then(|| {
        Fault::end(
            "file_count",
            line,
            format!("the file says {said} rows, {came} came: it is not whole"),
        )
    })
}

/// The line that a file begins or ends with is not there.
pub(crate) fn missing(which: &str, mark: &str, line: u64) -> Fault {
    let why = if which == "first" {
        "this is another file, or its beginning is lost"
    } else {
        "the file was not written to its end"
    };
    Fault::end(
        "file_incomplete",
        line,
        format!("the {which} line `{mark}` is missing: {why}"),
    )
}

/// Something stands after the line that a file ends with.
pub(crate) fn beyond(mark: &str, line: u64) -> Fault {
    Fault::end(
        "file_rest",
        line,
        format!("there is more after the last line `{mark}`: send one file for each of them"),
    )
}
