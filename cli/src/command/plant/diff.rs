//! `interplant plant diff`: what a changed pack would make of files that came before.

mod compared;
mod delivered;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use interplant_domain::identifier::PlantCode;
use interplant_mapping::feed::{Bundle, Feed};
use interplant_runtime::Context;
use serde_json::json;

use crate::table::clean;
use crate::{Failure, cloud, feeds, plants};
use compared::{Changes, Side};
use delivered::Folder;

/// Shows what a changed pack would make of files that came before
#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// Folder of the plant
    folder: PathBuf,
    /// What to compare with: `published`, the hash of a bundle that was, or another folder of the plant
    #[arg(long, default_value = "published")]
    against: String,
    /// Folder with files that belong together; without it, the files that were delivered last
    #[arg(long)]
    files: Vec<PathBuf>,
    /// How many deliveries
    #[arg(long, default_value_t = 10)]
    last: usize,
}

/// More of each than this are counted, not told.
const TOLD: usize = 40;

/// Files that were read together.
struct Files {
    name: String,
    folder: PathBuf,
    /// The feed that they were delivered to.
    feed: Option<String>,
}

impl Diff {
    pub(crate) async fn run(
        self,
        local: Option<&Path>,
        as_json: bool,
    ) -> Result<ExitCode, Failure> {
        let plant = plants::read_plant(&self.folder)?.plant;
        let now = feeds::bundle_of(&self.folder)?;
        let against = Path::new(&self.against);
        let needs_cloud = self.files.is_empty() || !against.is_dir();
        let context = if needs_cloud {
            Some(cloud::attach(local).await?.0)
        } else {
            None
        };
        let (before, what) = self.before(&plant, context.as_ref()).await?;
        let mut all: Vec<Files> = self
            .files
            .iter()
            .map(|folder| Files {
                name: folder.display().to_string(),
                folder: folder.clone(),
                feed: None,
            })
            .collect();
        // It goes at the end, with the files that were fetched.
        let mut fetched = None;
        if let (true, Some(context)) = (self.files.is_empty(), &context) {
            let folder = Folder::new()?;
            all = delivered::fetch(context, &plant, self.last, &folder).await?;
            fetched = Some(folder);
        }
        let changes = changes(&plant, &before, &now, &all)?;
        drop(fetched);
        if as_json {
            let said = json!({"plant": plant, "against": what, "changes": changes});
            println!("{}", serde_json::to_string_pretty(&said)?);
        } else {
            print(&plant, &what, &changes);
        }
        Ok(if changes.is_empty() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }

    async fn before(
        &self,
        plant: &PlantCode,
        context: Option<&Context>,
    ) -> Result<(Bundle, String), Failure> {
        let folder = Path::new(&self.against);
        if folder.is_dir() {
            let other = plants::read_plant(folder)?.plant;
            if other != *plant {
                return Err(format!("{} is plant {other}, not {plant}", folder.display()).into());
            }
            return Ok((feeds::bundle_of(folder)?, folder.display().to_string()));
        }
        let context = context.ok_or("no cloud")?;
        let hash = if self.against == "published" {
            let published = context.files.published(plant).await?;
            published.ok_or_else(|| {
                format!("{plant} was never published: compare with a folder, --against <folder>")
            })?
        } else {
            let is_hash = self.against.len() == 64
                && self.against.bytes().all(|byte| byte.is_ascii_hexdigit());
            if !is_hash {
                return Err(format!(
                    "`{}` is neither a folder nor `published` nor the hash of a bundle, 64 characters as `plant publish` prints it",
                    self.against
                )
                .into());
            }
            self.against.clone()
        };
        let bundle = context.files.bundle(plant, &hash).await?;
        Ok((bundle, format!("bundle {hash}")))
    }
}

/// Maps all files by the feeds of both sides, and compares.
fn changes(
    plant: &PlantCode,
    before: &Bundle,
    now: &Bundle,
    all: &[Files],
) -> Result<Changes, Failure> {
    let before = feeds::feeds(before, plant)?;
    let now = feeds::feeds(now, plant)?;
    let mut changes = Changes::default();
    let mut names: Vec<&String> = before.iter().chain(&now).map(|feed| &feed.name).collect();
    names.sort();
    names.dedup();
    for files in all {
        let mut taken = false;
        for name in &names {
            if files.feed.as_ref().is_some_and(|feed| feed != *name) {
                continue;
            }
            let side = |feeds: &[Feed]| -> Result<Option<Side>, Failure> {
                let feed = feeds.iter().find(|feed| feed.name == **name);
                feed.map_or(Ok(None), |feed| Side::of(feed, &files.folder, plant))
            };
            let (old, new) = (side(&before)?, side(&now)?);
            if old.is_none() && new.is_none() {
                continue;
            }
            taken = true;
            changes.compare(
                &files.name,
                name,
                old.unwrap_or_default(),
                new.unwrap_or_default(),
            );
        }
        if !taken {
            changes.not_taken.push(files.name.clone());
        }
    }
    changes.settle();
    Ok(changes)
}

fn print(plant: &PlantCode, what: &str, changes: &Changes) {
    println!("{plant}: this folder, compared with {what}");
    println!(
        "{} sets of files, {} documents: {} facts before, {} now; {} added, {} changed, {} gone",
        changes.files,
        changes.documents,
        changes.facts_before,
        changes.facts_now,
        changes.added.len(),
        changes.changed.len(),
        changes.gone.len()
    );
    for (pointer, facts) in &changes.fields {
        println!("  {pointer} differs in {facts} facts");
    }
    let mut lines = Vec::new();
    for fact in &changes.added {
        lines.push(format!("added    {fact}"));
    }
    for changed in &changes.changed {
        for field in &changed.fields {
            let said = |value: &Option<serde_json::Value>| {
                value
                    .as_ref()
                    .map_or("nothing".to_owned(), ToString::to_string)
            };
            lines.push(format!(
                "changed  {} {}: {} -> {}",
                changed.fact,
                field.pointer,
                said(&field.before),
                said(&field.now)
            ));
        }
    }
    for gone in &changes.gone {
        let why = gone
            .why
            .as_ref()
            .map_or_else(String::new, |why| format!(": {why}"));
        lines.push(format!("gone     {}{why}", gone.fact));
    }
    for problem in &changes.problems_new {
        lines.push(format!("not any more  {problem}"));
    }
    for problem in &changes.problems_gone {
        lines.push(format!("no longer     {problem}"));
    }
    for line in lines.iter().take(TOLD) {
        println!("  {}", clean(line));
    }
    if lines.len() > TOLD {
        println!("  and {} more; --json shows all", lines.len() - TOLD);
    }
    for name in &changes.not_taken {
        println!("no feed of either takes the files of {}", clean(name));
    }
    if changes.files == 0 {
        println!("There are no files to compare by: name a folder, --files <folder>.");
    }
    if !changes.changed.is_empty() {
        println!(
            "What was taken in before stays as it is. A changed fact that comes once more is held for a person as a conflict."
        );
    }
}
