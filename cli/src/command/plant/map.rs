//! `interplant plant map`: files mapped by a feed.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use interplant_mapping::feed::Feed;
use serde_json::json;

use super::feeds_of;
use crate::{Failure, feeds};

/// Maps files by a feed
#[derive(Debug, Args)]
pub(crate) struct Map {
    #[command(flatten)]
    which: Which,
}

/// Which files are mapped, and by which feed.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// Folder of the plant
    pub(super) folder: PathBuf,
    /// Folder with the files that belong together
    files: PathBuf,
    /// The feed; without it, the one that takes the files
    #[arg(long)]
    feed: Option<String>,
}

impl Which {
    /// The feed, and the files by what they are to it.
    pub(super) fn files(&self) -> Result<(Feed, Vec<(String, PathBuf)>), Failure> {
        for feed in feeds_of(&self.folder)? {
            if self.feed.as_ref().is_none_or(|name| *name == feed.name)
                && let Some(files) = feeds::delivery(&feed, &self.files)
            {
                return Ok((feed, files));
            }
        }
        Err(format!(
            "no feed of {} takes the files of {}",
            self.folder.display(),
            self.files.display()
        )
        .into())
    }
}

impl Map {
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        let (feed, files) = self.which.files()?;
        let mapped = feeds::map(&feed, &files)?;
        for made in &mapped.made {
            println!("{}", made.event);
        }
        for not in &mapped.not_made {
            println!("{}", json!({"not_made": not}));
        }
        for unread in &mapped.unread {
            println!("{}", json!({"unread": unread}));
        }
        Ok(if mapped.not_made.is_empty() && mapped.unread.is_empty() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}
