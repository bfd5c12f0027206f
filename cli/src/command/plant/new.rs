//! `interplant plant new`: a pack to fill in.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use interplant_domain::identifier::PlantCode;
use serde_json::json;

use super::profile::Guess;
use crate::pack::{self, Format, Who};
use crate::{Failure, profile};

/// Writes a pack to fill in; never over one that is there
#[derive(Debug, Args)]
pub(crate) struct New {
    /// The plant's code: 2 to 24 of a-z, 0-9 and -
    code: PlantCode,
    /// What people call it
    #[arg(long)]
    name: Option<String>,
    /// What its files are like
    #[arg(long, default_value = "csv", conflicts_with = "from")]
    format: Format,
    /// A file of the plant, or several that belong together: the feed is drafted from it, and its first documents become
    /// the sample
    #[arg(long)]
    from: Vec<PathBuf>,
    /// Folder of the plants
    #[arg(long, default_value = "plants")]
    plants: PathBuf,
    #[command(flatten)]
    guess: Guess,
}

impl New {
    pub(crate) fn run(self, as_json: bool) -> Result<ExitCode, Failure> {
        let code = self.code.to_string();
        let name = self.name.unwrap_or_else(|| code.clone());
        if name.contains(['"', '\\', '\n', '@']) || name.trim().is_empty() {
            return Err(format!(
                "`{name}` cannot be a plant's name: letters, digits, commas and blanks"
            )
            .into());
        }
        let who = Who {
            code: code.clone(),
            name,
            zone: self.guess.zone().to_owned(),
        };
        let mut missing = Vec::new();
        let pack = if self.from.is_empty() {
            pack::of_format(&who, self.format)
        } else {
            let found = profile::profile(&self.from, &[])?;
            let draft = self.guess.draft(&found, true)?;
            missing.clone_from(&draft.missing);
            pack::of_files(&who, &self.from, &found, &draft)?
        };
        let feed = pack.feed.clone();
        let written = pack.write(&self.plants, &code)?;
        if as_json {
            println!(
                "{}",
                json!({"plant": code, "feed": feed, "files": written, "missing": missing})
            );
            return Ok(ExitCode::SUCCESS);
        }
        for path in &written {
            println!("{}", path.display());
        }
        if !missing.is_empty() {
            println!(
                "\nNo column was found for {}: fill that in first.",
                missing.join(", ")
            );
        }
        if !self.from.is_empty() {
            println!(
                "\nThe sample holds rows of the real file: look whether they may be kept here."
            );
        }
        let folder = self.plants.join(&code);
        println!(
            "\nNext: lines marked `!` and `?` in plant.yaml and feeds/{feed}.yaml, then\n  interplant plant check {}",
            folder.display()
        );
        Ok(ExitCode::SUCCESS)
    }
}
