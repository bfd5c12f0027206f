//! Runs a feed over files and keeps what came of them.

use std::io::{Cursor, Read};
use std::sync::LazyLock;

use interplant_mapping::contract::Contract;
use interplant_mapping::document::{self, Input, Unread};
use interplant_mapping::feed::{Bundle, Feed};
use interplant_mapping::mapper::{Made, Mapper, NotMade};
use interplant_mapping::place::Mistake;

/// What came of files.
#[derive(Debug, Default)]
pub(crate) struct Came {
    pub(crate) made: Vec<Made>,
    pub(crate) not_made: Vec<NotMade>,
    pub(crate) unread: Vec<Unread>,
}

impl Came {
    /// A field of a fact.
    pub(crate) fn field(&self, fact: usize, pointer: &str) -> &str {
        self.made[fact]
            .event
            .pointer(pointer)
            .and_then(serde_json::Value::as_str)
            .unwrap_or_default()
    }

    /// A field of all facts.
    pub(crate) fn all(&self, pointer: &str) -> Vec<&str> {
        (0..self.made.len())
            .map(|fact| self.field(fact, pointer))
            .collect()
    }

    /// The codes of what could not be read, each with its place.
    pub(crate) fn faults(&self) -> Vec<(&str, String)> {
        let faults = self.unread.iter();
        faults.map(|one| (one.code, one.spot.to_string())).collect()
    }
}

pub(crate) fn feed(text: &str) -> Result<Feed, Mistake> {
    let path = "somewhere/feeds/feed.yaml";
    let bundle = Bundle {
        files: [(path.to_owned(), text.as_bytes().to_vec())].into(),
    };
    Feed::read(&bundle, &"somewhere".parse().unwrap(), path)
}

/// Reads one file by a feed.
pub(crate) fn run(feed: &Feed, name: &str, bytes: &[u8]) -> Result<Came, Unread> {
    static CONTRACT: LazyLock<Contract> = LazyLock::new(|| Contract::new().unwrap());
    let open = || -> std::io::Result<Box<dyn Read>> { Ok(Box::new(Cursor::new(bytes.to_vec()))) };
    let inputs = [Input {
        role: feed.roles()[0],
        name,
        open: &open,
    }];
    let lookups = document::lookups(feed, &inputs)?;
    let mut mapper = Mapper::new(feed, &CONTRACT, &lookups);
    let mut came = Came::default();
    document::read(feed, &inputs, &mut |read| match read {
        Ok(document) => {
            for fact in mapper.map(&document) {
                match fact {
                    Ok(made) => came.made.push(made),
                    Err(not) => came.not_made.push(*not),
                }
            }
        }
        Err(unread) => came.unread.push(unread),
    })?;
    Ok(came)
}
