//! What kind of file it is, and in which character set.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use encoding_rs::{DecoderResult, Encoding};
use serde::Serialize;

use crate::Failure;

/// What kind of file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// Rows of text.
    Text,
    /// A JSON document.
    Json,
    /// A JSON document in each line.
    JsonLines,
    /// XML.
    Xml,
    /// A workbook: .xlsx or .ods.
    Workbook,
    /// An X12 interchange.
    X12,
    /// An EDIFACT interchange.
    Edifact,
}

/// A file as it looks from outside.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Sniffed {
    /// Its name.
    pub(crate) name: String,
    /// Its length.
    pub(crate) bytes: u64,
    /// What kind of file it is.
    pub(crate) kind: Kind,
    /// The character set, a WHATWG name; none in a workbook.
    pub(crate) encoding: Option<&'static str>,
    /// The byte order mark at its beginning.
    pub(crate) byte_order_mark: bool,
    /// Bytes that are not ASCII.
    pub(crate) not_ascii: u64,
    /// Words with such bytes, as they are read.
    pub(crate) words: Vec<String>,
    /// What ends its lines.
    pub(crate) line_ends: &'static str,
    /// What is to be known of it.
    pub(crate) notes: Vec<String>,
    /// Its beginning.
    #[serde(skip)]
    pub(crate) head: String,
    /// Whether that is all of it.
    #[serde(skip)]
    pub(crate) whole: bool,
    /// Its end, from the beginning of a line.
    #[serde(skip)]
    pub(crate) tail: String,
}

/// So much of the beginning is looked at to tell how a file is written.
const HEAD: usize = 1 << 20;
const TAIL: u64 = 64 << 10;

const UTF_8: &str = "utf-8";
const WINDOWS: &str = "windows-1252";

/// Looks at a file.
pub(crate) fn sniff(path: &Path) -> Result<Sniffed, Failure> {
    let told = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut file = File::open(path).map_err(told)?;
    let bytes = file.metadata().map_err(told)?.len();
    let mut head = Vec::new();
    (&mut file)
        .take(HEAD as u64)
        .read_to_end(&mut head)
        .map_err(told)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut sniffed = Sniffed {
        name: name.into_owned(),
        bytes,
        kind: Kind::Text,
        encoding: None,
        byte_order_mark: false,
        not_ascii: 0,
        words: Vec::new(),
        line_ends: "",
        notes: Vec::new(),
        head: String::new(),
        whole: head.len() as u64 == bytes,
        tail: String::new(),
    };
    if bytes == 0 {
        return Err(format!("{} is empty", path.display()).into());
    }
    match head.as_slice() {
        [b'P', b'K', 3, 4, ..] => {
            sniffed.kind = Kind::Workbook;
            return Ok(sniffed);
        }
        [0xd0, 0xcf, 0x11, 0xe0, ..] => {
            return Err("this is a workbook of the old kind (.xls), or one with a password: have it saved as .xlsx".into());
        }
        [0x1f, 0x8b, ..] => return Err("the file is compressed (gzip): unpack it first".into()),
        [b'%', b'P', b'D', b'F', ..] => {
            return Err(
                "this is a PDF, which is made for people: ask for the data behind it".into(),
            );
        }
        _ => {}
    }
    encoding(&mut sniffed, &head, path)?;
    let label = sniffed.encoding.unwrap_or(UTF_8);
    sniffed.head = decoded(&head, label, sniffed.whole);
    file.seek(SeekFrom::Start(bytes.saturating_sub(TAIL)))
        .map_err(told)?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail).map_err(told)?;
    sniffed.tail = if sniffed.whole {
        sniffed.head.clone()
    } else {
        // The first line of it may have lost its beginning.
        let text = decoded(&tail, label, true);
        let from = text.find('\n').map_or(0, |at| at + 1);
        text.get(from..).unwrap_or_default().to_owned()
    };
    sniffed.kind = kind(&sniffed.head);
    let crlf = sniffed.head.matches("\r\n").count();
    let lf = sniffed.head.matches('\n').count();
    let cr = sniffed.head.matches('\r').count();
    sniffed.line_ends = match (lf, crlf, cr) {
        (0, _, 0) => "none",
        (0, _, _) => "CR",
        (lf, crlf, _) if lf == crlf => "CRLF",
        (_, 0, _) => "LF",
        _ => "CRLF and LF",
    };
    sniffed.words = words(&sniffed.head);
    Ok(sniffed)
}

/// Which character set it is: by its mark, by being UTF-8 from beginning to end, else a guess that is told.
fn encoding(sniffed: &mut Sniffed, head: &[u8], path: &Path) -> Result<(), Failure> {
    if let Some((encoding, _)) = Encoding::for_bom(head) {
        sniffed.byte_order_mark = true;
        sniffed.encoding = Some(match encoding.name() {
            "UTF-16LE" => "utf-16le",
            "UTF-16BE" => "utf-16be",
            _ => UTF_8,
        });
    } else {
        let zeros = |odd: usize| {
            let looked = head.iter().take(4096).skip(odd).step_by(2);
            looked.filter(|byte| **byte == 0).count() * 4 > head.len().min(4096)
        };
        if zeros(1) {
            sniffed.encoding = Some("utf-16le");
        } else if zeros(0) {
            sniffed.encoding = Some("utf-16be");
        }
    }
    if sniffed
        .encoding
        .is_some_and(|encoding| encoding.starts_with("utf-16"))
    {
        return Ok(());
    }
    let counts = count(path)?;
    sniffed.not_ascii = counts.not_ascii;
    if counts.is_utf_8 {
        sniffed.encoding = Some(UTF_8);
        if counts.not_ascii == 0 {
            sniffed.notes.push(
                "nothing but ASCII so far: what another character set it may be does not show"
                    .to_owned(),
            );
        }
        return Ok(());
    }
    let bad = counts.bad_utf_8.unwrap_or_default();
    sniffed.encoding = Some(WINDOWS);
    if counts.looks_like_dos {
        sniffed.notes.push(format!(
            "byte {bad} is not UTF-8, and the letters are those of a DOS code page (437 or 850), which is not read: have it exported as UTF-8 or windows-1252"
        ));
    } else {
        sniffed.notes.push(format!(
            "byte {bad} is not UTF-8: taken for {WINDOWS}; look whether its words are right, else name another `encoding`"
        ));
    }
    Ok(())
}

#[derive(Default)]
struct Bytes {
    not_ascii: u64,
    is_utf_8: bool,
    /// The first byte that is not UTF-8, from 1.
    bad_utf_8: Option<u64>,
    looks_like_dos: bool,
}

fn count(path: &Path) -> Result<Bytes, Failure> {
    let mut file = File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut decoder = encoding_rs::UTF_8.new_decoder_without_bom_handling();
    let mut buffer = vec![0_u8; 64 << 10];
    let mut text = vec![0_u8; 256 << 10];
    let mut bytes = Bytes {
        is_utf_8: true,
        ..Bytes::default()
    };
    let mut of = [0_u64; 256];
    let mut at = 0_u64;
    loop {
        let read = file.read(&mut buffer)?;
        let chunk = buffer.get(..read).unwrap_or_default();
        for byte in chunk {
            if let Some(count) = of.get_mut(usize::from(*byte)) {
                *count += 1;
            }
        }
        if bytes.is_utf_8 {
            let (result, taken, _) =
                decoder.decode_to_utf8_without_replacement(chunk, &mut text, read == 0);
            if let DecoderResult::Malformed(..) = result {
                bytes.is_utf_8 = false;
                bytes.bad_utf_8 = Some(at + taken as u64);
            }
        }
        at += read as u64;
        if read == 0 {
            break;
        }
    }
    bytes.not_ascii = of.iter().skip(128).sum();
    let sum = |which: &[u8]| -> u64 {
        let counts = which.iter().filter_map(|byte| of.get(usize::from(*byte)));
        counts.sum()
    };
    // Umlauts and accents of DOS, and of Windows.
    let dos = sum(&[0x81, 0x82, 0x84, 0x8a, 0x85, 0x94, 0x99, 0x9a, 0x8e, 0xe1]);
    let windows = sum(&[
        0xe4, 0xf6, 0xfc, 0xc4, 0xd6, 0xdc, 0xdf, 0xe0, 0xe8, 0xe9, 0xec, 0xf2, 0xf9, 0xf1, 0xb0,
    ]);
    bytes.looks_like_dos = dos > 0 && dos > 4 * windows;
    Ok(bytes)
}

fn decoded(bytes: &[u8], label: &str, to_the_end: bool) -> String {
    let encoding = Encoding::for_label(label.as_bytes()).unwrap_or(encoding_rs::UTF_8);
    let (text, ..) = encoding.decode(bytes);
    if to_the_end {
        return text.into_owned();
    }
    // The last line was cut off.
    let end = text.rfind('\n').map_or(text.len(), |at| at + 1);
    text.get(..end).unwrap_or_default().to_owned()
}

fn kind(head: &str) -> Kind {
    let text = head.trim_start();
    if text.starts_with("ISA") && text.chars().nth(3).is_some_and(|c| !c.is_alphanumeric()) {
        return Kind::X12;
    }
    if text.starts_with("UNA") || text.starts_with("UNB+") {
        return Kind::Edifact;
    }
    if text.starts_with('<') && (text.contains("</") || text.contains("/>")) {
        return Kind::Xml;
    }
    if text.starts_with(['{', '[']) {
        let is_json = |text: &str| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
        let mut lines = text.lines().filter(|line| !line.trim().is_empty());
        let first = lines.next().unwrap_or_default();
        let second = lines.next();
        if is_json(first) && second.is_some_and(is_json) {
            return Kind::JsonLines;
        }
        if text.contains('"') {
            return Kind::Json;
        }
    }
    Kind::Text
}

/// A few words with letters that are not ASCII.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for word in text.split(|c: char| !c.is_alphabetic()) {
        if !word.is_ascii() && word.chars().count() > 1 && !words.iter().any(|known| known == word)
        {
            words.push(word.to_owned());
        }
        if words.len() == 6 {
            break;
        }
    }
    words
}
