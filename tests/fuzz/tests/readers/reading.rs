//! What must be so whatever a file holds.

use std::cell::Cell;
use std::fmt::{self, Write};
use std::hash::{DefaultHasher, Hasher};
use std::io::{self, Read};
use std::time::{Duration, Instant};

use interplant_mapping::document::{self, Input};
use interplant_mapping::feed::{Bundle, Feed};

/// How a file can say that it was cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Documents have ends: a cut file has the same documents up to the cut.
    Ends,
    /// So it is for all but the last line.
    Lines,
    /// The file says how much is in it: a cut one gives nothing, or all.
    Whole,
    /// It cannot.
    Silent,
}

/// A case that takes longer, three times over, is a fault. Files are small; the machine may be busy.
const LONGEST: Duration = Duration::from_secs(2);
/// A file is opened for its envelopes or its end, and for its documents.
const MOST_OPENED: usize = 2;
/// A file has no more documents and faults than bytes, but for these: rows of a sheet that are written once and stand
/// there again, a thousand of them, and what is wrong with the file itself.
const MOST_AGAIN: usize = 1_008;

pub(crate) const PATH: &str = "somewhere/feeds/feed.yaml";

/// A feed of these lines.
pub(crate) fn feed(yaml: &str) -> Feed {
    let files = [(PATH.to_owned(), yaml.as_bytes().to_vec())];
    let bundle = Bundle {
        files: files.into_iter().collect(),
    };
    let plant = "somewhere".parse().unwrap();
    Feed::read(&bundle, &plant, PATH).unwrap_or_else(|mistake| panic!("{mistake}"))
}

/// What a file gave: documents and faults as hashes of all that is in them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Given {
    documents: Vec<u64>,
    faults: Vec<u64>,
    /// Whether the file was refused before anything of it was given.
    refused: bool,
}

/// The hash of what is written.
struct Hash(DefaultHasher);

impl Write for Hash {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write(text.as_bytes());
        Ok(())
    }
}

fn hash(what: &dyn fmt::Debug) -> u64 {
    let mut hash = Hash(DefaultHasher::new());
    write!(hash, "{what:?}").unwrap();
    hash.0.finish()
}

/// Gives at most so many bytes at once, as networks do.
struct Dripping<'b> {
    bytes: &'b [u8],
    most: usize,
}

impl Read for Dripping<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = buffer.len().min(self.most);
        self.bytes.read(&mut buffer[..count])
    }
}

/// Reads a file, in pieces of this size.
pub(crate) fn read(feed: &Feed, bytes: &[u8], most: usize) -> Given {
    let opened = Cell::new(0);
    let open = || -> io::Result<Box<dyn Read + '_>> {
        opened.set(opened.get() + 1);
        Ok(Box::new(Dripping { bytes, most }))
    };
    let roles = feed.roles();
    let inputs: Vec<Input<'_>> = roles
        .iter()
        .map(|role| Input {
            role,
            name: "file",
            open: &open,
        })
        .collect();
    let mut given = Given {
        documents: Vec::new(),
        faults: Vec::new(),
        refused: false,
    };
    let mut over = None;
    let ended = document::read(feed, &inputs, &mut |read| match read {
        Ok(document) => {
            assert!(
                over.is_none(),
                "{:?} comes after {over:?}, which ends the file",
                document.spot
            );
            given.documents.push(hash(&document));
        }
        Err(fault) => {
            given.faults.push(hash(&fault));
            over = over.take().or(Some(fault).filter(|fault| fault.ends));
        }
    });
    if let Err(fault) = ended {
        assert!(
            given.documents.is_empty(),
            "documents were given before the file was refused: {fault}"
        );
        given.faults.push(hash(&fault));
        given.refused = true;
    }
    assert!(
        opened.get() <= MOST_OPENED * roles.len(),
        "opened {opened:?} times"
    );
    let most_given = bytes.len() + MOST_AGAIN;
    assert!(given.documents.len() <= most_given && given.faults.len() <= most_given);
    given
}

/// Reads a file and looks whether everything is as it must be.
pub(crate) fn check(feed: &Feed, cut: Cut, bytes: &[u8]) {
    in_time(|| {
        let given = read(feed, bytes, usize::MAX);
        let choice = hash(&bytes);
        let again = read(feed, bytes, usize::try_from(choice % 61).unwrap() + 1);
        assert_eq!(given, again, "the same file gives something else");
        if cut != Cut::Silent {
            let at = usize::try_from(choice >> 8).unwrap() % (bytes.len() + 1);
            check_cut(feed, cut, &given, &bytes[..at]);
        }
    });
}

fn check_cut(feed: &Feed, cut: Cut, given: &Given, bytes: &[u8]) {
    // What is refused whole, as a file in another character set, may be refused for what was cut off.
    if given.refused {
        return;
    }
    let mut some = read(feed, bytes, usize::MAX).documents;
    if cut == Cut::Whole {
        let whole = given.faults.is_empty();
        assert!(
            !whole || some.is_empty() || some == given.documents,
            "a cut file gives some of its documents"
        );
        return;
    }
    if cut == Cut::Lines {
        // What is behind an end of line was read; what is not may go on.
        let end = bytes.iter().rposition(|byte| *byte == b'\n').unwrap_or(0);
        some = read(feed, &bytes[..end], usize::MAX).documents;
    }
    assert!(
        given.documents.starts_with(&some),
        "a cut file gives other documents: {} of {}",
        some.len(),
        given.documents.len()
    );
}

/// Does something that must not take long.
pub(crate) fn in_time(work: impl Fn()) {
    let takes_long = || {
        let start = Instant::now();
        work();
        start.elapsed() > LONGEST
    };
    assert!(
        !(takes_long() && takes_long() && takes_long()),
        "takes longer than {LONGEST:?}"
    );
}

impl Given {
    /// Whether there are documents, and no faults.
    pub(crate) fn is_clean(&self) -> bool {
        self.faults.is_empty() && !self.documents.is_empty()
    }
}
