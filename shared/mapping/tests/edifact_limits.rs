//! EDIFACT that was made to break a reader: told apart within 64 MB, measured. Alone in its process, for it is the
//! process that is measured.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::io::Read;

use interplant_mapping::document::{self, Input, Unread};
use interplant_mapping::feed::{Bundle, Feed};

const FEED: &str = r#"
system: edi
document: BGM.BGM02
files:
  messages:
    name: "*.edi"
    edifact: {}
events: {}
"#;

/// A file of a beginning, something many times over, and an end; never in memory as a whole.
#[derive(Clone)]
struct Long {
    head: Vec<u8>,
    again: Vec<u8>,
    times: usize,
    tail: Vec<u8>,
}

impl Long {
    fn open(&self) -> Box<dyn Read + '_> {
        let again = Again {
            unit: &self.again,
            left: self.times,
            at: 0,
        };
        Box::new(
            self.head
                .as_slice()
                .chain(again)
                .chain(self.tail.as_slice()),
        )
    }
}

struct Again<'l> {
    unit: &'l [u8],
    left: usize,
    at: usize,
}

impl Read for Again<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let mut count = 0;
        while count < buffer.len() && self.left > 0 {
            let some = (&self.unit[self.at..]).read(&mut buffer[count..])?;
            count += some;
            self.at += some;
            if self.at == self.unit.len() {
                self.at = 0;
                self.left -= 1;
            }
        }
        Ok(count)
    }
}

fn file(head: &str, again: &str, times: usize, tail: &str) -> Long {
    Long {
        head: head.into(),
        again: again.into(),
        times,
        tail: tail.into(),
    }
}

/// The most memory that this process has had so far, in KB; none where nobody tells.
fn most_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

fn run(format: &str, long: &Long) -> (usize, Vec<Unread>) {
    let mut bundle = Bundle::default();
    let path = "somewhere/feeds/feed.yaml";
    let text = FEED.replace("{}\nevents", &format!("{format}\nevents"));
    bundle.files.insert(path.to_owned(), text.into());
    let feed = Feed::read(&bundle, &"somewhere".parse().unwrap(), path).unwrap();
    let open = || -> std::io::Result<Box<dyn Read + '_>> { Ok(long.open()) };
    let inputs = [Input {
        role: "messages",
        name: "messages.edi",
        open: &open,
    }];
    let (mut documents, mut unread) = (0, Vec::new());
    let ended = document::read(&feed, &inputs, &mut |read| match read {
        Ok(_) => documents += 1,
        Err(fault) => unread.push(fault),
    });
    unread.extend(ended.err());
    (documents, unread)
}

const HEAD: &str = "UNB+UNOC:3+S+R+261112:0930+77'";
const OPEN: &str = "UNH+1+INVOIC:D:96A:UN'BGM+380+1'";

#[test]
fn hostile_interchanges_are_told_apart_within_64_mb() {
    let good = "UNH+2+INVOIC:D:96A:UN'BGM+380+2'UNT+3+2'UNZ+2+77'";
    let head = format!("{HEAD}{OPEN}");
    let wide = format!("FTX+{}'", ["a"; 98].join("+"));
    let deep = format!("NAD+{}'", ["x"; 99].join(":"));
    // What comes, how it is read, how many documents there are, and the codes of the faults.
    let table: [(&str, Long, &str, usize, &[&str]); 14] = [
        (
            "a million segments in a message",
            file(
                &head,
                "LIN+1++X:Y'",
                1_000_000,
                &format!("UNT+1000003+1'{good}"),
            ),
            "{}",
            1,
            &["edi_limit"],
        ),
        (
            "a million segments of no message",
            file(HEAD, "LIN+1'", 1_000_000, "UNZ+0+77'"),
            "{}",
            0,
            &["edi_syntax"],
        ),
        (
            "a million segments of no interchange",
            file("UNB+UNOC:3+S+R+1:1+1'UNZ+0+1'", "LIN+1'", 1_000_000, ""),
            "{}",
            0,
            &["edi_syntax"],
        ),
        (
            "a million unknown segments that are kept",
            file(&head, "XYZ+1+2+3+4'", 1_000_000, &format!("UNT+1+1'{good}")),
            "{ lenient: [unknown_segments, counts] }",
            1,
            &["edi_limit"],
        ),
        (
            "wide segments",
            file(&head, &wide, 50_000, &format!("UNT+1+1'{good}")),
            "{ lenient: [counts] }",
            1,
            &["edi_limit"],
        ),
        (
            "composites of many components",
            file(&head, &deep, 50_000, &format!("UNT+1+1'{good}")),
            "{ lenient: [counts] }",
            1,
            &["edi_limit"],
        ),
        (
            "a segment of 10 MB",
            file(
                &format!("{head}FTX+"),
                "0123456789",
                1 << 20,
                &format!("'UNT+4+1'{good}"),
            ),
            "{}",
            1,
            &["edi_limit"],
        ),
        (
            "a segment of 10 MB of separators",
            file(
                &format!("{head}FTX"),
                "+",
                10 << 20,
                &format!("'UNT+4+1'{good}"),
            ),
            "{}",
            1,
            &["edi_limit"],
        ),
        (
            "a segment of separators that is just short enough",
            file(
                &format!("{head}FTX"),
                "+:",
                32_000,
                &format!("'UNT+4+1'{good}"),
            ),
            "{}",
            1,
            &["edi_limit"],
        ),
        (
            "a segment that never ends",
            file(&format!("{head}FTX+"), "0123456789", 5 << 20, ""),
            "{}",
            0,
            &["edi_syntax", "edi_syntax", "edi_syntax"],
        ),
        (
            "release characters only",
            file(&head, "?", 10 << 20, ""),
            "{}",
            0,
            &["edi_syntax", "edi_syntax", "edi_syntax"],
        ),
        (
            "blank lines only",
            file(&head, "\r\n", 5 << 20, &format!("UNT+3+1'{good}")),
            "{}",
            2,
            &[],
        ),
        (
            "twenty thousand interchanges",
            file("", "UNB+UNOC:3+S+R+1:1+1'UNZ+0+1'", 20_000, ""),
            "{ lenient: [counts] }",
            0,
            &["edi_duplicate_control"],
        ),
        (
            "packages in packages",
            file(
                &format!("{HEAD}UNH+1+DESADV:D:96A:UN'BGM+351'CPS+1'"),
                "CPS+1+1'",
                20_000,
                &format!("UNT+20004+1'{good}"),
            ),
            "{}",
            1,
            &["edi_limit"],
        ),
    ];
    let before = most_memory();
    for (what, long, format, documents, codes) in table {
        let (given, unread) = run(format, &long);
        let mut told: Vec<&str> = unread.iter().map(|one| one.code).collect();
        if what.starts_with("twenty thousand") {
            assert_eq!(told.len(), 10_000, "{what}");
            assert_eq!(told.pop(), Some("edi_limit"), "{what}");
            told.dedup();
        }
        assert_eq!(
            (given, told.as_slice()),
            (documents, codes),
            "{what}: {unread:?}"
        );
    }
    // A message that is as large as one may be is kept as a whole.
    let large = file(&head, "LIN+1++X:Y'", 10_000, &format!("UNT+10003+1'{good}"));
    let (given, unread) = run("{}", &large);
    assert_eq!((given, unread.len()), (2, 0), "{unread:?}");
    if let (Some(before), Some(after)) = (before, most_memory()) {
        assert!(after < 64 << 10, "{before} KB before, {after} KB after");
    }
}
