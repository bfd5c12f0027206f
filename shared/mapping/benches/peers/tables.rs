//! Rows of CSV beside the plain reader, and the most memory that files of any size take.

use std::io::{Cursor, Read};
use std::process::{Command, Stdio};

use interplant_mapping::document::{self, Input};
use interplant_mapping::feed::{Bundle, Feed};

use crate::{Watch, best};

/// At most this much, whatever comes in.
const MOST_MEGABYTES: u64 = 64;
const ROWS_PER_SECOND: f64 = 100_000.0;

fn feed(format: &str) -> Feed {
    let text = format!(
        "system: erp\ndocument: number\nfiles:\n  rows:\n    name: rows*\n    {format}\nevents:\n  cancelled:\n    type: po.cancelled\n    time: day\n    data: {{ poNumber: number, reason: text }}\n"
    );
    let path = "somewhere/feeds/rows.yaml";
    let bundle = Bundle {
        files: [(path.to_owned(), text.into_bytes())].into(),
    };
    Feed::read(&bundle, &"somewhere".parse().unwrap(), path).unwrap()
}

#[expect(
    clippy::needless_lifetimes,
    reason = "what is opened lives as long as its opener, which cannot be said without a name"
)]
fn read<'a>(feed: &Feed, open: &'a dyn Fn() -> std::io::Result<Box<dyn Read + 'a>>) -> u64 {
    let inputs = [Input {
        role: "rows",
        name: "rows",
        open,
    }];
    let mut count = 0;
    document::read(feed, &inputs, &mut |document| {
        document.unwrap();
        count += 1;
    })
    .unwrap();
    count
}

const HEADS: &str = "number;line;item;text;quantity;unit;price;day\n";

fn row(number: u64) -> String {
    format!(
        "45000{number};{};M-{};\"A part; of steel\";{}.250;ST;19.95;23.11.2026\n",
        number % 20,
        number % 977,
        number % 50
    )
}

pub(crate) fn compare() -> Vec<String> {
    const ROWS: u64 = 100_000;
    let mut file = HEADS.to_owned();
    (0..ROWS).for_each(|number| file.push_str(&row(number)));
    let file: &'static [u8] = Box::leak(file.into_boxed_str()).as_bytes();
    let feed = feed("delimited: { separator: \";\" }");
    let rate = |pass: &dyn Fn() -> u64| {
        best(|| {
            let watch = Watch::start();
            assert_eq!(pass(), ROWS);
            ROWS as f64 / watch.seconds()
        })
    };
    let ours = rate(&|| read(&feed, &|| Ok(Box::new(Cursor::new(file)))));
    let plain = rate(&|| {
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(b';')
            .from_reader(Cursor::new(file));
        let mut record = csv::StringRecord::new();
        let mut count = 0;
        while reader.read_record(&mut record).unwrap() {
            count += 1;
        }
        count
    });
    println!("CSV, rows per second of one core, 8 columns");
    println!("{:<34}{ours:>12.0}", "as documents for expressions");
    println!(
        "{:<34}{plain:>12.0}   ({:.2} of it)\n",
        "crate csv alone, rows dropped",
        ours / plain
    );
    if ours < ROWS_PER_SECOND {
        return vec![format!(
            "{ours:.0} rows of CSV per second, at least {ROWS_PER_SECOND:.0} wanted"
        )];
    }
    Vec::new()
}

/// A file that is made while it is read.
struct Generated {
    left: u64,
    piece: Vec<u8>,
    given: usize,
    end: Option<&'static str>,
    next: fn(u64) -> String,
    number: u64,
}

impl Read for Generated {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.given == self.piece.len() {
            self.given = 0;
            self.piece = match (self.left, self.end.take()) {
                (0, None) => return Ok(0),
                (0, Some(end)) => end.as_bytes().to_vec(),
                (_, end) => {
                    self.end = end;
                    self.number += 1;
                    (self.next)(self.number).into_bytes()
                }
            };
            self.left = self.left.saturating_sub(self.piece.len() as u64);
        }
        let rest = &self.piece[self.given..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.given += count;
        Ok(count)
    }
}

fn long_row(number: u64) -> String {
    format!(
        "45000{number};10;M-1;{};1.250;ST;19.95;23.11.2026\n",
        "A part of steel, ".repeat(40)
    )
}

fn document(number: u64) -> String {
    let line = format!(
        "<line no=\"10\"><item>M-1</item><text>{}</text></line>",
        "A part of steel, ".repeat(60)
    );
    format!(
        "<order><number>{number}</number>{}</order>\n",
        line.repeat(8)
    )
}

/// Reads a generated file of so many megabytes and says how much memory that took at most, in kB.
pub(crate) fn read_generated(kind: &str, megabytes: u64) {
    let (format, begin, next, end): (_, _, fn(u64) -> String, _) = match kind {
        "CSV" => ("delimited: { separator: \";\" }", HEADS, long_row, None),
        _ => (
            "xml: { document: /orders/order, repeated: [line] }",
            "<orders>\n",
            document,
            Some("</orders>\n"),
        ),
    };
    let count = read(&feed(format), &|| {
        Ok(Box::new(Generated {
            left: megabytes << 20,
            piece: begin.as_bytes().to_vec(),
            given: 0,
            end,
            next,
            number: 0,
        }))
    });
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak
        .and_then(|text| text.split_whitespace().next())
        .unwrap_or("0");
    println!("{count} {peak}");
}

pub(crate) fn memory() -> Vec<String> {
    let own = std::env::current_exe().unwrap();
    let mut failed = Vec::new();
    println!(
        "{:<22}{:>14}{:>20}",
        "file, made on the fly", "documents", "most memory, MB"
    );
    for megabytes in [1, 100, 1024] {
        let children = ["CSV", "XML"].map(|kind| {
            let child = Command::new(&own)
                .args(["memory", kind, &megabytes.to_string()])
                .stdout(Stdio::piped())
                .spawn();
            (kind, child.unwrap())
        });
        for (kind, child) in children {
            let output = child.wait_with_output().unwrap();
            let text = String::from_utf8(output.stdout).unwrap();
            let (count, peak) = text.trim().split_once(' ').unwrap();
            let peak: u64 = peak.parse::<u64>().unwrap().div_ceil(1024);
            println!(
                "{:<22}{count:>14}{peak:>20}",
                format!("{kind}, {megabytes} MB")
            );
            if !output.status.success() || peak == 0 || peak > MOST_MEGABYTES {
                failed.push(format!(
                    "{kind} of {megabytes} MB takes {peak} MB, at most {MOST_MEGABYTES} wanted"
                ));
            }
        }
    }
    failed
}
