//! Files through a feed, and what came of them.

use std::io::{Cursor, Read};
use std::sync::LazyLock;

use interplant_mapping::contract::Contract;
use interplant_mapping::document::{self, Input, Unread};
use interplant_mapping::feed::{Bundle, Feed};
use interplant_mapping::mapper::{Made, Mapper, NotMade};
use interplant_mapping::place::Mistake;

/// What came of a file.
#[derive(Debug, Default)]
pub(crate) struct Came {
    pub(crate) made: Vec<Made>,
    pub(crate) not_made: Vec<NotMade>,
    pub(crate) unread: Vec<Unread>,
}

impl Came {
    /// The only fact that was made, and nothing else.
    pub(crate) fn only(&self) -> &serde_json::Value {
        assert_eq!((&self.not_made, &self.unread), (&vec![], &vec![]));
        assert_eq!(self.made.len(), 1, "{:?}", self.made);
        &self.made[0].event
    }
}

/// A feed of a plant, the first of the files, with packs that it extends.
pub(crate) fn read(files: &[(&str, &str)]) -> Result<Feed, Mistake> {
    let bundle = Bundle {
        files: files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()))
            .collect(),
    };
    Feed::read(&bundle, &"somewhere".parse().unwrap(), files[0].0)
}

pub(crate) fn feed(files: &[(&str, &str)]) -> Feed {
    read(files).unwrap()
}

/// What comes of the bytes of the feed's only file.
pub(crate) fn run(feed: &Feed, bytes: &[u8]) -> Result<Came, Unread> {
    static CONTRACT: LazyLock<Contract> = LazyLock::new(|| Contract::new().unwrap());
    let open = || -> std::io::Result<Box<dyn Read>> { Ok(Box::new(Cursor::new(bytes.to_vec()))) };
    let inputs = [Input {
        role: feed.roles()[0],
        name: "file",
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
