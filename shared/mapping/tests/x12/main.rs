//! X12 from bytes to documents, facts and acknowledgments.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

mod acknowledgments;
mod facts;
mod files;
mod sets;
mod written;

use std::cell::RefCell;
use std::io::{Cursor, Read};
use std::sync::LazyLock;

use interplant_mapping::contract::Contract;
use interplant_mapping::document::{self, Input, Unread};
use interplant_mapping::feed::{Bundle, Feed};
use interplant_mapping::mapper::{Made, Mapper, NotMade};

/// A feed with this mapping, or one that makes nothing.
fn feed(x12: &str, mapping: &str, lookups: &[(&str, &str)]) -> Feed {
    let text = format!(
        "system: edi\ndocument: ST.ST02\nfiles:\n  edi: {{ name: \"*\", x12: {{ {x12} }} }}\n{mapping}"
    );
    let mut files: std::collections::BTreeMap<String, Vec<u8>> = lookups
        .iter()
        .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()))
        .collect();
    files.insert("somewhere/feeds/feed.yaml".to_owned(), text.into_bytes());
    let plant = "somewhere".parse().unwrap();
    let read = Feed::read(&Bundle { files }, &plant, "somewhere/feeds/feed.yaml");
    read.unwrap_or_else(|mistake| panic!("{mistake}"))
}

/// A feed that shows what an expression gives of each document, as `/data/reason`.
fn showing(x12: &str, expression: &str) -> Feed {
    feed(
        x12,
        &format!(
            r#"
events:
  shown:
    type: po.cancelled
    time: $moment("2026-11-23", "%Y-%m-%d", "UTC")
    data:
      poNumber: ST.ST02
      reason: >-
        $string({expression})
"#
        ),
        &[],
    )
}

#[derive(Debug, Default)]
struct Came {
    documents: usize,
    made: Vec<Made>,
    not_made: Vec<NotMade>,
    unread: Vec<Unread>,
}

impl Came {
    /// What was shown of each document.
    fn shown(&self) -> Vec<&str> {
        assert_eq!(self.not_made, []);
        let shown = self.made.iter().map(|made| &made.event["data"]["reason"]);
        shown.map(|reason| reason.as_str().unwrap()).collect()
    }

    /// Codes of what was not read, with segment and element.
    fn faults(&self) -> Vec<(&str, u64, &str)> {
        let unread = self.unread.iter();
        unread
            .map(|one| {
                (
                    one.code,
                    one.spot.segment.unwrap_or(0),
                    one.spot.column.as_deref().unwrap_or_default(),
                )
            })
            .collect()
    }
}

/// Reads a file and maps it.
fn run(feed: &Feed, bytes: &[u8]) -> Came {
    static CONTRACT: LazyLock<Contract> = LazyLock::new(|| Contract::new().unwrap());
    let open = || -> std::io::Result<Box<dyn Read>> { Ok(Box::new(Cursor::new(bytes.to_vec()))) };
    let inputs = [Input {
        role: "edi",
        name: "file.edi",
        open: &open,
    }];
    let lookups = document::lookups(feed, &inputs).unwrap();
    let mapper = RefCell::new(Mapper::new(feed, &CONTRACT, &lookups));
    let mut came = Came::default();
    let ended = document::read(feed, &inputs, &mut |read| match read {
        Ok(document) => {
            came.documents += 1;
            for fact in mapper.borrow_mut().map(&document) {
                match fact {
                    Ok(made) => came.made.push(made),
                    Err(not) => came.not_made.push(*not),
                }
            }
        }
        Err(unread) => came.unread.push(unread),
    });
    // What is refused as a whole gave nothing.
    assert!(ended.is_ok() || came.documents == 0, "{ended:?}");
    came.unread.extend(ended.err());
    came
}

/// An interchange of groups of sets; each set is its kind and its segments between ST and SE.
fn interchange(groups: &[(&str, &[(&str, &str)])]) -> String {
    let mut text = header("000000001");
    for (index, (kind, sets)) in groups.iter().enumerate() {
        let control = index + 1;
        text.push_str(&format!(
            "GS*{kind}*ACME*PLANT*20261123*0915*{control}*X*004010~"
        ));
        for (number, (kind, segments)) in sets.iter().enumerate() {
            text.push_str(&set(kind, &format!("{:04}", number + 1), segments));
        }
        text.push_str(&format!("GE*{}*{control}~", sets.len()));
    }
    text.push_str(&format!("IEA*{}*000000001~", groups.len()));
    text
}

fn header(control: &str) -> String {
    format!(
        "ISA*00*          *00*          *ZZ*ACME           *ZZ*PLANT          *261123*0915*U*00401*{control}*0*P*>~"
    )
}

/// A set with its right trailer; segments end with `~`, blanks and line breaks around them are left out.
fn set(kind: &str, control: &str, segments: &str) -> String {
    let segments: Vec<&str> = segments
        .split('~')
        .map(str::trim)
        .filter(|one| !one.is_empty())
        .collect();
    format!(
        "ST*{kind}*{control}~{}~SE*{}*{control}~",
        segments.join("~"),
        segments.len() + 2
    )
}
