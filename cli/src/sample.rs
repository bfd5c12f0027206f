//! A small sample of a plant's file: its first documents, written as the whole file is.

use std::path::Path;

use csv::{ReaderBuilder, StringRecord};

use crate::Failure;
use crate::profile::Profile;

/// A file no larger than this is its own sample.
const WHOLE: u64 = 16 << 10;
/// No larger file of a format that has no rows is taken.
const LARGEST: u64 = 256 << 10;
/// Rows of a sample, and so many more until a document ends.
const ROWS: usize = 20;
const MOST: usize = 500;

/// A file's name, and what the sample of it holds.
///
/// # Errors
/// When the file cannot be read, or is too large to be a sample and cannot be cut.
pub(crate) fn cut(
    path: &Path,
    profile: &Profile,
    group: Option<&str>,
) -> Result<(String, Vec<u8>), Failure> {
    let name = profile.file.name.clone();
    let Some(written) = profile
        .separated
        .as_ref()
        .filter(|_| profile.file.bytes > WHOLE)
    else {
        if profile.file.bytes > LARGEST {
            return Err(format!(
                "{name} has {} bytes: cut a sample of a few documents from it by hand, and begin with that",
                profile.file.bytes
            )
            .into());
        }
        let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        return Ok((name, bytes));
    };
    let table = profile.tables.first().ok_or("the file has no rows")?;
    let at = group.and_then(|group| table.columns.iter().position(|column| column.name == group));
    let text = &profile.file.head;
    let mut reader = ReaderBuilder::new()
        .delimiter(u8::try_from(written.separator).map_err(|_| "no separator")?)
        .quoting(written.quote.is_some())
        .quote(
            written
                .quote
                .and_then(|quote| u8::try_from(quote).ok())
                .unwrap_or(b'"'),
        )
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    // What stands above the rows: lines that are left out, a first line, names of columns.
    let above = usize::from(written.header.is_some()) + usize::from(written.columns.is_none());
    let mut heads = 0;
    let mut record = StringRecord::new();
    let (mut rows, mut end, mut last, mut first_line) = (0, 0, None, None);
    while reader
        .read_record(&mut record)
        .map_err(|error| error.to_string())?
    {
        let line = record.position().map_or(0, csv::Position::line);
        let from = record.position().map_or(0, csv::Position::byte);
        if line <= written.skip {
            continue;
        }
        if heads < above {
            heads += 1;
            first_line.get_or_insert(line);
            continue;
        }
        let key = at
            .and_then(|at| record.get(at))
            .map(|cell| cell.trim().to_owned());
        if rows >= MOST || (rows >= ROWS && (at.is_none() || key != last)) {
            end = usize::try_from(from).unwrap_or(0);
            break;
        }
        if !record.iter().all(|cell| cell.trim().is_empty()) {
            rows += 1;
            last = key;
        }
        end = usize::try_from(reader.position().byte()).unwrap_or(0);
    }
    let (header_count, trailer_count) = written.counts(table.rows + profile.unread.count);
    let mut sample = text.get(..end).unwrap_or_default().to_owned();
    if let (Some(cells), Some(count)) = (&written.header, header_count) {
        let old = cells.join(&written.separator.to_string());
        sample = sample.replacen(&old, &counted(cells, count, rows, written.separator), 1);
    }
    if let Some(cells) = &written.trailer {
        let ends = if profile.file.line_ends == "CRLF" {
            "\r\n"
        } else {
            "\n"
        };
        let line = match trailer_count {
            Some(count) => counted(cells, count, rows, written.separator),
            None => cells.join(&written.separator.to_string()),
        };
        sample.push_str(&line);
        sample.push_str(ends);
    }
    Ok((name, encoded(&sample, profile)?))
}

/// A first or last line with another number of rows.
fn counted(cells: &[String], count: usize, rows: usize, separator: char) -> String {
    let cells = cells.iter().enumerate().map(|(index, cell)| {
        if index + 1 == count {
            rows.to_string()
        } else {
            cell.clone()
        }
    });
    cells.collect::<Vec<_>>().join(&separator.to_string())
}

fn encoded(text: &str, profile: &Profile) -> Result<Vec<u8>, Failure> {
    let label = profile.file.encoding.unwrap_or("utf-8");
    let mut bytes = Vec::new();
    let mark = profile.file.byte_order_mark;
    match label {
        "utf-16le" | "utf-16be" => {
            let units = mark
                .then_some(0xfeff)
                .into_iter()
                .chain(text.encode_utf16());
            for unit in units {
                bytes.extend(if label == "utf-16le" {
                    unit.to_le_bytes()
                } else {
                    unit.to_be_bytes()
                });
            }
        }
        _ => {
            let encoding = encoding_rs::Encoding::for_label(label.as_bytes())
                .ok_or_else(|| format!("`{label}` is no character set"))?;
            if mark {
                bytes.extend([0xef, 0xbb, 0xbf]);
            }
            let (encoded, _, lossy) = encoding.encode(text);
            if lossy {
                return Err(
                    format!("the sample cannot be written in {label}: cut one by hand").into(),
                );
            }
            bytes.extend_from_slice(&encoded);
        }
    }
    Ok(bytes)
}
