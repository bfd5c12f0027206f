//! The archive that a workbook is, looked at as a whole before anything in it is believed.
//!
//! Everything in it is inflated once and thrown away: what a header says of a size is not trusted, and a damaged or
//! cut file is refused before a row of it counts. What is read afterwards is inflated again, piece by piece.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Cursor, Read};
use std::rc::Rc;

use flate2::read::DeflateDecoder;
use zip::{CompressionMethod, ZipArchive};

use crate::format::Fault;

/// What an archive may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Bytes of the file; it is kept in memory, for an archive is read from its end.
    pub(super) file: u64,
    pub(super) entries: usize,
    /// Bytes of all names and what else the directory holds.
    pub(super) directory: usize,
    /// Inflated bytes of everything.
    pub(super) inflated: u64,
    /// Inflated bytes of a part from which on the ratio counts.
    pub(super) small: u64,
    pub(super) ratio: u64,
}

impl Limits {
    pub(super) const OF_WORKBOOK: Self = Self {
        file: 16 << 20,
        entries: 2_000,
        directory: 1 << 20,
        inflated: 200 << 20,
        small: 10 << 20,
        ratio: 100,
    };
}

/// An archive that was looked at.
#[derive(Debug)]
pub(super) struct Archive {
    bytes: Rc<Vec<u8>>,
    parts: BTreeMap<String, Part>,
}

#[derive(Debug, Clone, Copy)]
struct Part {
    at: usize,
    end: usize,
    deflated: bool,
}

/// A part of the archive, inflated while it is read.
pub(super) type PartReader = Box<dyn Read>;

struct Slice {
    bytes: Rc<Vec<u8>>,
    at: usize,
    end: usize,
}

impl Read for Slice {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let mut left = self.bytes.get(self.at..self.end).unwrap_or_default();
        let count = left.read(buffer)?;
        self.at += count;
        Ok(count)
    }
}

const ZIP: &[u8] = b"PK\x03\x04";
const COMPOUND: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";
/// The end of an archive's directory is among so many last bytes: its comment has at most 64 KB.
const TAIL: usize = 70 << 10;
/// First bytes of archives that may hide in this one.
const ARCHIVES: [&[u8]; 5] = [ZIP, b"7z\xbc\xaf", b"Rar!", b"\x1f\x8b", b"\xfd7zXZ"];
/// Paths of what acts by itself or lies elsewhere, in small letters.
const ACTIVE: [&str; 8] = [
    "vbaproject",
    "macrosheets/",
    "externallinks/",
    "embeddings/",
    "activex/",
    "customui/",
    "basic/",
    "scripts/",
];

fn limit(message: impl Into<String>) -> Fault {
    Fault::end("archive_limit", 0, message)
}

fn path(message: impl Into<String>) -> Fault {
    Fault::end("archive_path", 0, message)
}

/// What acts by itself or lies elsewhere.
pub(super) fn active(what: &str) -> Fault {
    Fault::end(
        "active_content_forbidden",
        0,
        format!(
            "{what}: save the workbook without macros, links to other files and embedded objects"
        ),
    )
}

fn damaged(error: &dyn std::fmt::Display) -> Fault {
    Fault::end(
        "sheet_format",
        0,
        format!("the workbook cannot be opened, it is damaged or not whole: {error}"),
    )
}

impl Archive {
    /// Looks at a whole archive.
    pub(super) fn open(bytes: impl Read, limits: &Limits) -> Result<Self, Fault> {
        let mut file = Vec::new();
        bytes
            .take(limits.file + 1)
            .read_to_end(&mut file)
            .map_err(|error| Fault::unreadable(&error))?;
        if file.len() as u64 > limits.file {
            return Err(limit(format!(
                "a workbook has at most {} MB",
                limits.file >> 20
            )));
        }
        check_kind(&file)?;
        check_directory(&file, limits)?;
        let bytes = Rc::new(file);
        let parts = inflate_all(&bytes, limits)?;
        Ok(Self { bytes, parts })
    }

    /// Reads a part.
    pub(super) fn part(&self, name: &str) -> Option<PartReader> {
        let part = self.parts.get(name)?;
        let raw = Slice {
            bytes: Rc::clone(&self.bytes),
            at: part.at,
            end: part.end,
        };
        Some(if part.deflated {
            Box::new(DeflateDecoder::new(raw))
        } else {
            Box::new(raw)
        })
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.parts.keys().map(String::as_str)
    }
}

fn check_kind(file: &[u8]) -> Result<(), Fault> {
    if file.starts_with(ZIP) {
        return Ok(());
    }
    let message = if file.starts_with(COMPOUND) {
        "this is an old binary workbook (.xls) or one with a password: save it as .xlsx or .ods without a password"
    } else if file.is_empty() {
        "the file is empty"
    } else {
        "this is no workbook (.xlsx or .ods), whatever its name says: text in columns is read by `delimited`"
    };
    Err(Fault::end("sheet_format", 0, message))
}

/// Before the directory is read: how much of it there can be. Every entry has its signature.
fn check_directory(file: &[u8], limits: &Limits) -> Result<(), Fault> {
    let number = |bytes: &[u8]| {
        bytes
            .iter()
            .rev()
            .fold(0_usize, |all, byte| all << 8 | usize::from(*byte))
    };
    // Room is made for as many entries as the end of the directory says.
    let said = |window: &[u8]| match window.get(..4) {
        Some(b"PK\x05\x06") => window.get(10..12).map(number).filter(|said| *said < 0xffff),
        Some(b"PK\x06\x06") => window.get(32..38).map(number),
        Some(_) | None => None,
    };
    let tail = file
        .get(file.len().saturating_sub(TAIL)..)
        .unwrap_or_default();
    let mut ends = (0..tail.len()).filter_map(|at| said(tail.get(at..)?));
    if ends.any(|said| said > limits.entries) {
        return Err(limit(format!(
            "the archive has more than {} parts",
            limits.entries
        )));
    }
    let (mut entries, mut bytes) = (0_usize, 0_usize);
    for entry in file
        .windows(46)
        .filter(|window| window.starts_with(b"PK\x01\x02"))
    {
        entries += 1;
        for at in [28, 30, 32] {
            let length = entry.get(at..at + 2).unwrap_or_default();
            bytes += number(length);
        }
        if entries > limits.entries || bytes > limits.directory {
            return Err(limit(format!(
                "the archive has more than {} parts, or names of more than {} KB",
                limits.entries,
                limits.directory >> 10
            )));
        }
    }
    Ok(())
}

fn inflate_all(bytes: &[u8], limits: &Limits) -> Result<BTreeMap<String, Part>, Fault> {
    let mut zip = ZipArchive::new(Cursor::new(bytes)).map_err(|error| damaged(&error))?;
    if zip.has_duplicate_names() {
        return Err(path("two parts of the archive have one name"));
    }
    if zip
        .has_overlapping_entries()
        .map_err(|error| damaged(&error))?
    {
        return Err(limit("parts of the archive lie over each other"));
    }
    let mut parts = BTreeMap::new();
    let mut small_letters = BTreeSet::new();
    let mut inflated = 0_u64;
    let mut buffer = vec![0_u8; 32 << 10];
    for index in 0..zip.len() {
        let entry = zip.by_index_data(index).map_err(|error| damaged(&error))?;
        let name = entry.name().map_err(|error| damaged(&error))?.into_owned();
        check_name(&name)?;
        if entry.is_symlink() {
            return Err(path(format!("`{name}` is a link to another file")));
        }
        if entry.encrypted() {
            return Err(limit("the workbook has a password: save it without"));
        }
        let compression = entry.compression();
        let deflated = compression == CompressionMethod::Deflated;
        if !deflated && compression != CompressionMethod::Stored {
            return Err(damaged(&format!("`{name}` is compressed as {compression}")));
        }
        if name.ends_with('/') {
            continue;
        }
        if !small_letters.insert(name.to_lowercase()) {
            return Err(path(format!(
                "two parts of the archive are called `{name}`"
            )));
        }
        let mut part = zip.by_index(index).map_err(|error| damaged(&error))?;
        let compressed = part.compressed_size();
        let at = usize::try_from(part.data_start().unwrap_or_default()).unwrap_or(usize::MAX);
        let end = at.saturating_add(usize::try_from(compressed).unwrap_or(usize::MAX));
        let mut size = 0_u64;
        loop {
            let count = part
                .read(&mut buffer)
                .map_err(|error| damaged(&format!("`{name}`: {error}")))?;
            if count == 0 {
                break;
            }
            if size == 0 {
                check_content(&name, buffer.get(..count).unwrap_or_default())?;
            }
            size += count as u64;
            inflated += count as u64;
            if inflated > limits.inflated {
                return Err(limit(format!(
                    "a workbook inflates to at most {} MB",
                    limits.inflated >> 20
                )));
            }
            if size > limits.small && size > compressed.saturating_mul(limits.ratio) {
                return Err(limit(format!(
                    "`{name}` inflates to more than {} times its size",
                    limits.ratio
                )));
            }
        }
        parts.insert(name, Part { at, end, deflated });
    }
    Ok(parts)
}

fn check_name(name: &str) -> Result<(), Fault> {
    let outside = name.starts_with('/')
        || name.contains(['\\', ':', '\0'])
        || name.split('/').any(|step| step == ".." || step == ".")
        || name.len() > 255;
    if outside {
        return Err(path(format!(
            "a part of the archive has the path `{}`",
            name.chars().take(80).collect::<String>().escape_debug()
        )));
    }
    let small = format!("/{}", name.to_lowercase());
    let acts = |mark: &&&str| small.contains(&format!("/{mark}"));
    match ACTIVE.iter().find(acts) {
        Some(_) => Err(active(&format!("the workbook holds `{name}`"))),
        None => Ok(()),
    }
}

fn check_content(name: &str, first: &[u8]) -> Result<(), Fault> {
    if first.starts_with(COMPOUND) {
        return Err(active(&format!("`{name}` is an embedded document")));
    }
    if ARCHIVES.iter().any(|mark| first.starts_with(mark)) {
        return Err(limit(format!("`{name}` is an archive in the archive")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    fn archive(parts: &[(&str, &[u8])]) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in parts {
            zip.start_file(*name, SimpleFileOptions::default()).unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    fn code(bytes: &[u8], limits: Limits) -> &'static str {
        Archive::open(bytes, &limits).map_or_else(|fault| fault.code, |_| "")
    }

    #[test]
    fn what_inflates_too_much_is_refused_while_it_does() {
        let of = Limits::OF_WORKBOOK;
        let zeros = archive(&[("a", &vec![0; 50_000])]);
        assert_eq!(code(&zeros, of), "");
        assert_eq!(
            code(
                &zeros,
                Limits {
                    small: 10_000,
                    ..of
                }
            ),
            "archive_limit"
        );
        assert_eq!(
            code(
                &zeros,
                Limits {
                    inflated: 40_000,
                    ..of
                }
            ),
            "archive_limit"
        );
        assert_eq!(code(&zeros, Limits { file: 100, ..of }), "archive_limit");
        let many: Vec<_> = (0..20).map(|index| format!("part{index}")).collect();
        let many: Vec<(&str, &[u8])> = many.iter().map(|name| (name.as_str(), &b"x"[..])).collect();
        let many = archive(&many);
        assert_eq!(code(&many, of), "");
        assert_eq!(code(&many, Limits { entries: 19, ..of }), "archive_limit");
        assert_eq!(
            code(
                &many,
                Limits {
                    directory: 50,
                    ..of
                }
            ),
            "archive_limit"
        );
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        zip.add_symlink("a", "/etc/passwd", SimpleFileOptions::default())
            .unwrap();
        let link = zip.finish().unwrap().into_inner();
        assert_eq!(code(&link, of), "archive_path");
        // What the end of the directory says is not believed either.
        let mut boasting = zeros.clone();
        let at = boasting.len() - 22;
        boasting[at + 8..at + 12].copy_from_slice(&[0x88, 0x88, 0x88, 0x88]);
        assert_eq!(code(&boasting, of), "archive_limit");
        // What the header says of the size is not believed.
        let mut lying = zeros.clone();
        let at = lying
            .windows(4)
            .position(|four| four == b"PK\x01\x02")
            .unwrap();
        lying[at + 24..at + 28].copy_from_slice(&7_u32.to_le_bytes());
        assert_ne!(
            code(
                &lying,
                Limits {
                    small: 10_000,
                    ..of
                }
            ),
            ""
        );
    }

    #[test]
    fn a_part_is_read_as_it_was_written() {
        let text = b"some text that is long enough to be deflated, to be deflated, to be deflated";
        let bytes = archive(&[("a/b.xml", text)]);
        let archive = Archive::open(bytes.as_slice(), &Limits::OF_WORKBOOK).unwrap();
        let mut read = Vec::new();
        archive
            .part("a/b.xml")
            .unwrap()
            .read_to_end(&mut read)
            .unwrap();
        assert_eq!(read, text);
        // A byte that fell over on its way is seen before anything is read.
        for at in 40..50 {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x10;
            assert_eq!(code(&damaged, Limits::OF_WORKBOOK), "sheet_format");
        }
    }
}
