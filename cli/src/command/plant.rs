//! `interplant plant`: check and publish a plant's configuration.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;

use crate::{Failure, cloud, plants};

/// Checks and publishes a plant's configuration
#[derive(Debug, Subcommand)]
pub(crate) enum Plant {
    /// Read plant.yaml and say what is wrong, with line and column
    Check {
        /// Folder of the plant
        folder: PathBuf,
    },
    /// Check, then make it the configuration in force
    Publish {
        /// Folder of the plant
        folder: PathBuf,
    },
}

impl Plant {
    pub(crate) async fn run(self, local: Option<&Path>, json: bool) -> Result<ExitCode, Failure> {
        let (folder, publish) = match self {
            Self::Check { folder } => (folder, false),
            Self::Publish { folder } => (folder, true),
        };
        let plant = plants::read_plant(&folder)?;
        if publish {
            cloud::attach(local).await?.0.plants.publish(&plant).await?;
        }
        if json {
            println!("{}", serde_json::to_string_pretty(&plant)?);
        } else {
            println!(
                "{} ({}) is {}.",
                plant.plant,
                plant.name,
                if publish { "published" } else { "right" }
            );
        }
        Ok(ExitCode::SUCCESS)
    }
}
