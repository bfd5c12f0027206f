//! A small sample of a plant's files: the first documents, with the lines and codes that belong to them, written as the
//! whole files are.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use csv::{ReaderBuilder, StringRecord};
use interplant_mapping::lines::Lines;

use crate::Failure;
use crate::profile::{Draft, DraftFile, Profile, Profiles};

/// A file no larger than this is its own sample.
const WHOLE: u64 = 16 << 10;
/// No larger file that cannot be cut is taken.
const LARGEST: u64 = 256 << 10;
/// Rows of a sample, and the most until a document ends.
const ROWS: usize = 20;
const MOST: usize = 500;

/// What was kept of a file: its name, its bytes, and its rows.
struct Kept {
    name: String,
    bytes: Vec<u8>,
    rows: Vec<StringRecord>,
}

/// Names of files, and what samples of them hold.
///
/// # Errors
/// When a file cannot be read, or is too large to be a sample and cannot be cut.
pub(crate) fn cut(
    paths: &[PathBuf],
    profiles: &Profiles,
    draft: &Draft,
) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let mut all: Vec<Kept> = Vec::new();
    for file in &draft.files {
        let profile = profiles.files.get(file.index);
        let (Some(path), Some(profile)) = (paths.get(file.index), profile) else {
            continue;
        };
        let leading = draft
            .files
            .first()
            .and_then(|first| profiles.files.get(first.index));
        let wanted = match (&file.of, &file.key, leading) {
            (Some((own, other)), _, Some(leading)) => {
                let keys = values(all.first(), leading, other);
                Some((own.clone(), keys))
            }
            (_, Some(key), _) => {
                let mut keys = BTreeSet::new();
                for (place, column) in &file.used_by {
                    let user = draft
                        .files
                        .get(*place)
                        .and_then(|user| profiles.files.get(user.index));
                    if let Some(user) = user {
                        keys.append(&mut values(all.get(*place), user, column));
                    }
                }
                Some((key.clone(), keys))
            }
            _ => None,
        };
        all.push(cut_one(path, profile, file, wanted.as_ref())?);
    }
    Ok(all
        .into_iter()
        .map(|kept| (kept.name, kept.bytes))
        .collect())
}

/// Where a column stands.
fn at(profile: &Profile, column: &str) -> Option<usize> {
    let table = profile.tables.first()?;
    table.columns.iter().position(|known| known.name == column)
}

fn cell(record: &StringRecord, at: Option<usize>) -> String {
    let cell = at.and_then(|at| record.get(at)).unwrap_or_default();
    cell.trim().to_owned()
}

/// What the rows that were kept say in a column.
fn values(kept: Option<&Kept>, profile: &Profile, column: &str) -> BTreeSet<String> {
    let at = at(profile, column);
    let rows = kept.map(|kept| kept.rows.as_slice()).unwrap_or_default();
    rows.iter().map(|row| cell(row, at)).collect()
}

fn cut_one(
    path: &Path,
    profile: &Profile,
    file: &DraftFile,
    wanted: Option<&(String, BTreeSet<String>)>,
) -> Result<Kept, Failure> {
    let name = profile.file.name.clone();
    let Some(written) = &profile.separated else {
        if profile.file.bytes > LARGEST {
            return Err(format!(
                "{name} has {} bytes: cut a sample of a few documents from it by hand, and begin with that",
                profile.file.bytes
            )
            .into());
        }
        let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        return Ok(Kept {
            name,
            bytes,
            rows: Vec::new(),
        });
    };
    let is_whole = profile.file.bytes <= WHOLE;
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
    let group = file.group.as_deref().and_then(|group| at(profile, group));
    let by = wanted.and_then(|(column, _)| at(profile, column));
    // What stands above the rows: lines that are left out, a first line, names of columns.
    let above = usize::from(written.header.is_some()) + usize::from(written.columns.is_none());
    let (mut heads, mut last) = (0, None);
    let (mut sample, mut rows) = (String::new(), Vec::new());
    let mut record = StringRecord::new();
    let mut lines = Lines::default();
    lines.add(text.as_bytes());
    let mut from = 0;
    while reader
        .read_record(&mut record)
        .map_err(|error| error.to_string())?
    {
        let to = usize::try_from(reader.position().byte()).unwrap_or(0);
        // Of CRLF the second is only read with the next row.
        let to = to + usize::from(text.get(to..).is_some_and(|rest| rest.starts_with('\n')));
        let line = text.get(from..to).unwrap_or_default();
        from = to;
        let number = lines.at(record.position().map_or(0, csv::Position::byte));
        if number <= written.skip || heads < above {
            heads += usize::from(number > written.skip);
            sample.push_str(line);
            continue;
        }
        let trailer = written.trailer.as_ref().and_then(|cells| cells.first());
        if trailer.is_some_and(|mark| record.get(0).map(str::trim) == Some(mark)) {
            break;
        }
        let key = cell(&record, group);
        let ends = group.is_none() || Some(&key) != last.as_ref();
        if !is_whole && wanted.is_none() && (rows.len() >= MOST || rows.len() >= ROWS && ends) {
            break;
        }
        if is_whole || wanted.is_none_or(|(_, keys)| keys.contains(&cell(&record, by))) {
            sample.push_str(line);
            last = Some(key);
            rows.push(record.clone());
        }
        if rows.len() >= MOST && !is_whole {
            break;
        }
    }
    if is_whole {
        let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        return Ok(Kept { name, bytes, rows });
    }
    let sample = said(sample, profile, rows.len());
    let bytes = encoded(&sample, profile)?;
    Ok(Kept { name, bytes, rows })
}

/// The sample with first and last lines that say what is in it.
fn said(mut sample: String, profile: &Profile, rows: usize) -> String {
    let Some(written) = &profile.separated else {
        return sample;
    };
    let read = profile.tables.first().map_or(0, |table| table.rows) + profile.unread.count;
    let (header_count, trailer_count) = written.counts(read);
    let separator = written.separator.to_string();
    if let (Some(cells), Some(count)) = (&written.header, header_count) {
        sample = sample.replacen(
            &cells.join(&separator),
            &counted(cells, count, rows, &separator),
            1,
        );
    }
    if let Some(cells) = &written.trailer {
        sample.push_str(&match trailer_count {
            Some(count) => counted(cells, count, rows, &separator),
            None => cells.join(&separator),
        });
        sample.push_str(if profile.file.line_ends == "CRLF" {
            "\r\n"
        } else {
            "\n"
        });
    }
    sample
}

/// A first or last line with another number of rows.
fn counted(cells: &[String], count: usize, rows: usize, separator: &str) -> String {
    let cells = cells.iter().enumerate().map(|(index, cell)| {
        if index + 1 == count {
            rows.to_string()
        } else {
            cell.clone()
        }
    });
    cells.collect::<Vec<_>>().join(separator)
}

fn encoded(text: &str, profile: &Profile) -> Result<Vec<u8>, Failure> {
    let label = profile.file.encoding.unwrap_or("utf-8");
    let mark = profile.file.byte_order_mark;
    let mut bytes = Vec::new();
    if label.starts_with("utf-16") {
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
        return Ok(bytes);
    }
    let encoding = encoding_rs::Encoding::for_label(label.as_bytes())
        .ok_or_else(|| format!("`{label}` is no character set"))?;
    if mark {
        bytes.extend([0xef, 0xbb, 0xbf]);
    }
    let (encoded, _, lossy) = encoding.encode(text);
    if lossy {
        return Err(format!("the sample cannot be written in {label}: cut one by hand").into());
    }
    bytes.extend_from_slice(&encoded);
    Ok(bytes)
}
