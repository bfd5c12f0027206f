//! `interplant plant publish`: a checked pack becomes the configuration in force.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use interplant_domain::audit::{Action, Actor, Note, canonical_hash};
use interplant_domain::plant::Plant;
use interplant_mapping::feed::Bundle;
use interplant_runtime::Context;
use serde_json::json;

use super::{check, feeds_of};
use crate::{Failure, cloud, feeds, outs, plants};

/// Checks, then publishes
#[derive(Debug, Args)]
pub(crate) struct Publish {
    /// Folder of the plant
    folder: PathBuf,
    /// Publish although the samples do not give what is expected; what cannot be read is never published
    #[arg(long)]
    unchecked: bool,
    /// Who publishes
    #[arg(long, env = "USER")]
    by: String,
}

impl Publish {
    pub(crate) async fn run(
        self,
        local: Option<&Path>,
        as_json: bool,
    ) -> Result<ExitCode, Failure> {
        let plant = plants::read_plant(&self.folder)?;
        if self.unchecked {
            feeds_of(&self.folder)?;
            outs::outs(&feeds::bundle_of(&self.folder)?, &plant.plant)?;
        } else {
            let checked = check::check(&self.folder, false)?;
            if !checked.right {
                check::print(&checked);
                return Err(format!(
                    "{} was not published: its samples do not give what is expected, or a mark `!` is to be settled. Take what they give with `plant check --accept` when it is right, or publish with --unchecked",
                    plant.plant
                )
                .into());
            }
        }
        let context = cloud::attach(local).await?.0;
        let before = context.files.published(&plant.plant).await?;
        let bundle = feeds::bundle_of(&self.folder)?;
        noted(&context, &plant, &bundle, self.by).await?;
        context.plants.publish(&plant).await?;
        let again = interplant_runtime::files::publish(&context, &plant.plant, &bundle).await?;
        // Another address or key may be what a stopped webhook has waited for.
        context.outbox.resume(&plant.plant).await?;
        let hash = context.files.published(&plant.plant).await?;
        let new_key = match local {
            Some(folder) => cloud::give_local_key(folder, &context, plant.plant.as_str()).await?,
            None => false,
        };
        if as_json {
            let said = json!({"plant": plant, "bundle": hash, "before": before, "unchecked": self.unchecked, "read_again": again});
            println!("{}", serde_json::to_string_pretty(&said)?);
            return Ok(ExitCode::SUCCESS);
        }
        let hash = hash.unwrap_or_default();
        println!("{} ({}) is published.", plant.plant, plant.name);
        println!("bundle {hash}");
        match before {
            Some(before) if before == hash => {
                println!("Nothing has changed since it was published before.")
            }
            Some(before) => {
                println!("Before it was {before}; files that are being read go on by that.")
            }
            None => {}
        }
        if new_key {
            println!("It has a key on this local cloud now: `send` and `deliver` find it.");
        }
        if !again.is_empty() {
            println!(
                "Codes that were missing are known now; read again: {}.",
                again.join(", ")
            );
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// What becomes the configuration in force, by whom: noted before it does.
async fn noted(
    context: &Context,
    plant: &Plant,
    bundle: &Bundle,
    by: String,
) -> Result<(), Failure> {
    let configuration = canonical_hash(&json!({"plant": plant, "feeds": bundle.files}));
    let mut note = Note::new(
        &plant.plant,
        Action::PlantPublished,
        Actor::Person(by),
        &configuration,
        context.now(),
    );
    note.inputs.configuration = Some(configuration);
    Ok(context.audit.note(&note).await?)
}
