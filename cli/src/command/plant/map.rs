//! `interplant plant map`: files mapped by a feed.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::feeds_of;
use crate::{Failure, feeds};

/// Maps files by a feed
#[derive(Debug, Args)]
pub(crate) struct Map {
    /// Folder of the plant
    folder: PathBuf,
    /// Folder with the files that belong together
    files: PathBuf,
    /// The feed; without it, the one that takes the files
    #[arg(long)]
    feed: Option<String>,
}

impl Map {
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        let mut found = None;
        for feed in feeds_of(&self.folder)? {
            if self.feed.as_ref().is_none_or(|name| *name == feed.name)
                && let Some(files) = feeds::delivery(&feed, &self.files)
            {
                found = Some((feed, files));
                break;
            }
        }
        let (feed, files) = found.ok_or_else(|| {
            format!(
                "no feed of {} takes the files of {}",
                self.folder.display(),
                self.files.display()
            )
        })?;
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
