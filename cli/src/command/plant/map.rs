//! `interplant plant map`: files mapped by a feed.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use interplant_mapping::feed::Feed;
use serde_json::json;

use super::feeds_of;
use crate::feeds::{LeftOut, Mapped};
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
    /// Folder with the files
    files: PathBuf,
    /// The feed; without it, all that take files of the folder
    #[arg(long)]
    feed: Option<String>,
}

/// What became of all files of a folder.
pub(super) struct Outcome {
    pub(super) mapped: Mapped,
    /// Those that a feed names and nothing was read of.
    pub(super) left_out: Vec<LeftOut>,
}

impl Outcome {
    /// Whether everything was read and made; an error that names what was left out.
    pub(super) fn whole(&self) -> Result<bool, Failure> {
        let left: Vec<String> = self.left_out.iter().map(ToString::to_string).collect();
        if !left.is_empty() {
            return Err(left.join("\n").into());
        }
        Ok(self.mapped.not_made.is_empty() && self.mapped.unread.is_empty())
    }
}

impl Which {
    /// What feeds make of the files: of all groups that are in the folder.
    pub(super) fn outcome(&self) -> Result<Outcome, Failure> {
        let mut mapped = Mapped::default();
        let mut left_out = Vec::new();
        let mut alone = Vec::new();
        let mut read = BTreeSet::new();
        let feeds = feeds_of(&self.folder)?;
        let wanted = |feed: &&Feed| self.feed.as_ref().is_none_or(|name| *name == feed.name);
        for feed in feeds.iter().filter(wanted) {
            let taken = feeds::taken(feed, &self.files);
            alone.extend(taken.left_out);
            for group in taken.groups {
                match feeds::map(feed, &group) {
                    Ok(one) => mapped.add(one),
                    // The other groups are none the worse for it.
                    Err(why) => left_out.extend(group.first().map(|(_, path)| LeftOut {
                        file: path.clone(),
                        why: why.to_string(),
                    })),
                }
                read.extend(group.into_iter().map(|(_, path)| path));
            }
        }
        // What one feed cannot put together may be all that another one needs.
        left_out.extend(alone.into_iter().filter(|left| !read.contains(&left.file)));
        if read.is_empty() && left_out.is_empty() {
            return Err(format!(
                "no feed of {} takes the files of {}",
                self.folder.display(),
                self.files.display()
            )
            .into());
        }
        Ok(Outcome { mapped, left_out })
    }
}

impl Map {
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        let outcome = self.which.outcome()?;
        for made in &outcome.mapped.made {
            println!("{}", made.event);
        }
        for not in &outcome.mapped.not_made {
            println!("{}", json!({"not_made": not}));
        }
        for unread in &outcome.mapped.unread {
            println!("{}", json!({"unread": unread}));
        }
        Ok(if outcome.whole()? {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}
