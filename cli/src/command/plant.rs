//! `interplant plant`: bring a plant in: look at its files, write its pack, check, compare and publish it.

mod check;
mod codes;
mod diff;
mod map;
mod new;
mod profile;
mod publish;

use std::path::Path;
use std::process::ExitCode;

use clap::Subcommand;
use interplant_mapping::feed::Feed;

use crate::{Failure, feeds, plants};

/// Brings a plant in: its files looked at, its pack written, checked, compared and published
#[derive(Debug, Subcommand)]
pub(crate) enum Plant {
    /// Write a pack to fill in: plant.yaml, a feed, a lookup, a sample with what it gives
    New(new::New),
    /// Look at an unknown extract: how it is written, columns, keys, units, dates, and a draft of a feed
    Profile(profile::Profile),
    /// Read plant.yaml and the feeds, map the samples, and say what is wrong, with line and column
    Check(check::Check),
    /// Map files by a feed: the facts on standard output, one per line, then what could not be mapped
    Map(map::Map),
    /// List the suppliers, items, units and tax codes of files, with what they must be called in Odoo
    Codes(codes::CodesOfFiles),
    /// Show what a changed pack would make of files that came before: facts added, changed, gone
    Diff(diff::Diff),
    /// Check, then make it the configuration in force
    Publish(publish::Publish),
}

impl Plant {
    pub(crate) async fn run(self, local: Option<&Path>, json: bool) -> Result<ExitCode, Failure> {
        match self {
            Self::New(new) => new.run(json),
            Self::Profile(profile) => profile.run(json),
            Self::Check(check) => check.run(json),
            Self::Map(map) => map.run(),
            Self::Codes(codes) => codes.run(json),
            Self::Diff(diff) => diff.run(local, json).await,
            Self::Publish(publish) => publish.run(local, json).await,
        }
    }
}

fn feeds_of(folder: &Path) -> Result<Vec<Feed>, Failure> {
    let plant = plants::read_plant(folder)?;
    feeds::feeds(&feeds::bundle_of(folder)?, &plant.plant)
}
