//! `interplant plant profile`: an unknown extract, looked at.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use crate::Failure;
use crate::profile::{self, Draft, Known, Likely};

/// Looks at an unknown extract, or at several that belong together
#[derive(Debug, Args)]
pub(crate) struct Profile {
    /// The file, or files that belong together
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// A table of codes to compare with, as name=file:column; may be given several times
    #[arg(long)]
    lookup: Vec<String>,
    /// Write a draft of a feed to this file, which must not be there yet
    #[arg(long)]
    draft: Option<PathBuf>,
    #[command(flatten)]
    guess: Guess,
}

/// What is not in a file.
#[derive(Debug, Args)]
pub(crate) struct Guess {
    /// What the file is about; guessed by its columns when left out
    #[arg(long)]
    fact: Option<Fact>,
    /// The plant's time zone
    #[arg(long, default_value = "UTC")]
    zone: String,
    /// The currency, where the file names none, such as EUR
    #[arg(long)]
    currency: Option<String>,
}

/// What a file is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Fact {
    Order,
    Receipt,
    Invoice,
}

impl Guess {
    /// The plant's time zone.
    pub(crate) fn zone(&self) -> &str {
        &self.zone
    }

    /// Drafts a feed.
    pub(crate) fn draft(
        &self,
        profiles: &profile::Profiles,
        with_lookup: bool,
    ) -> Result<Draft, Failure> {
        if jiff::tz::TimeZone::get(&self.zone).is_err() {
            return Err(format!("`{}` is no time zone, such as Europe/Rome", self.zone).into());
        }
        let known = Known {
            fact: self.fact.map(|fact| match fact {
                Fact::Order => Likely::Order,
                Fact::Receipt => Likely::Receipt,
                Fact::Invoice => Likely::Invoice,
            }),
            zone: &self.zone,
            currency: self.currency.as_deref(),
            with_lookup,
        };
        profile::draft(profiles, &known)
    }
}

impl Profile {
    pub(crate) fn run(self, as_json: bool) -> Result<ExitCode, Failure> {
        let lookups = self
            .lookup
            .iter()
            .map(|option| profile::read_lookup(option));
        let lookups = lookups.collect::<Result<Vec<_>, _>>()?;
        let found = profile::profile(&self.files, &lookups)?;
        if as_json {
            println!("{}", serde_json::to_string_pretty(&found)?);
        } else {
            profile::print(&found);
        }
        if let Some(path) = &self.draft {
            let draft = self.guess.draft(&found, false)?;
            let mut file = std::fs::File::create_new(path)
                .map_err(|error| format!("{}: {error}", path.display()))?;
            file.write_all(draft.text.as_bytes())?;
            if !as_json {
                println!("\nA draft of a feed is in {}.", path.display());
                if !draft.missing.is_empty() {
                    println!("No column was found for {}.", draft.missing.join(", "));
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
