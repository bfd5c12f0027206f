//! Feeds of the plants' folders, and files mapped by them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use interplant_domain::identifier::PlantCode;
use interplant_mapping::contract::Contract;
use interplant_mapping::document::{self, Input, Unread};
use interplant_mapping::feed::{Bundle, Feed};
use interplant_mapping::mapper::{Made, Mapper, NotMade};
use serde::Serialize;
use serde_json::{Value, json};

use crate::Failure;

/// What became of files.
#[derive(Debug, Default)]
pub struct Mapped {
    /// How many documents were in them.
    pub documents: usize,
    /// The facts.
    pub made: Vec<Made>,
    /// Facts that could not be made.
    pub not_made: Vec<NotMade>,
    /// Rows that could not be read.
    pub unread: Vec<Unread>,
    /// How many codes each lookup has.
    pub lookups: Vec<(String, usize)>,
    /// Codes of lookups that were used, by lookup.
    pub codes: BTreeMap<String, BTreeSet<String>>,
}

/// Everything below the plants' folder that feeds are made of.
///
/// # Errors
/// When a file cannot be read.
pub fn bundle(plants: &Path) -> Result<Bundle, Failure> {
    let mut bundle = Bundle::default();
    let mut folders = vec![plants.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in
            std::fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?
        {
            let path = entry?.path();
            if path.is_dir() {
                // Samples are input, not configuration.
                if path.file_name().is_none_or(|name| name != "samples") {
                    folders.push(path);
                }
                continue;
            }
            let name = path.strip_prefix(plants).unwrap_or(&path);
            let name = name.to_string_lossy().replace('\\', "/");
            let bytes =
                std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            bundle.files.insert(name, bytes);
        }
    }
    Ok(bundle)
}

/// What the feeds of one plant are made of: its own folder, and packs, which are folders without a plant.yaml.
///
/// # Errors
/// When a file cannot be read.
pub fn bundle_of(folder: &Path) -> Result<Bundle, Failure> {
    let folder = folder.canonicalize()?;
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let root = folder.parent().ok_or("the plant's folder has no parent")?;
    let mut bundle = bundle(root)?;
    bundle.files.retain(|path, _| {
        let top = path.split('/').next().unwrap_or_default();
        top == name || !root.join(top).join("plant.yaml").is_file()
    });
    Ok(bundle)
}

/// The feeds of a plant.
///
/// # Errors
/// The first mistake in one of them, with file, line and column.
pub fn feeds(bundle: &Bundle, plant: &PlantCode) -> Result<Vec<Feed>, Failure> {
    bundle
        .feeds(plant)
        .iter()
        .map(|path| Feed::read(bundle, plant, path).map_err(Into::into))
        .collect()
}

/// Files that belong together, by what they are to a feed.
pub type Group = Vec<(String, PathBuf)>;

/// The files of a folder that a feed takes.
#[derive(Debug, Default)]
pub struct Taken {
    /// Those that belong together.
    pub groups: Vec<Group>,
    /// Those that the feed names, and that belong to no others.
    pub left_out: Vec<LeftOut>,
}

/// A file that a feed names and does not read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{} is left out: {why}", name_of(file))]
pub struct LeftOut {
    /// The file.
    pub file: PathBuf,
    /// Why, and what to do.
    pub why: String,
}

/// All files of a folder that a feed takes, by those that belong together. Where a file of a kind is there more than
/// once, files with the same text for `*` in their names do; a lookup that is there once belongs to all.
#[must_use]
pub fn taken(feed: &Feed, folder: &Path) -> Taken {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    let mut of: BTreeMap<&str, Vec<PathBuf>> = BTreeMap::new();
    for path in files {
        if let Some(role) = feed.takes(&name_of(&path)) {
            of.entry(role).or_default().push(path);
        }
    }
    let roles = feed.roles();
    let mut taken = Taken::default();
    if let Some(missing) = roles.iter().find(|role| !of.contains_key(**role)) {
        let why = format!(
            "the feed {} needs a file `{missing}` beside it, which the folder does not have",
            feed.name
        );
        let left = of.into_values().flatten();
        taken.left_out = left
            .map(|file| LeftOut {
                file,
                why: why.clone(),
            })
            .collect();
        return taken;
    }
    let once = of.values().all(|files| files.len() == 1);
    let stars = |role: &str, path: &Path| -> Vec<String> {
        let name = name_of(path);
        let stars = feed.stars(role, &name);
        stars.into_iter().map(str::to_owned).collect()
    };
    let leading = roles.first().copied().unwrap_or_default();
    for first in of.get(leading).into_iter().flatten() {
        let wanted = stars(leading, first);
        let group: Option<Group> = roles
            .iter()
            .map(|role| {
                let files = of.get(role)?;
                let file = if *role == leading {
                    Some(first)
                } else if once || (files.len() == 1 && feed.is_lookup(role)) {
                    files.first()
                } else {
                    files.iter().find(|path| stars(role, path) == wanted)
                };
                Some(((*role).to_owned(), file?.clone()))
            })
            .collect();
        taken.groups.extend(group);
    }
    let read: BTreeSet<&PathBuf> = taken
        .groups
        .iter()
        .flatten()
        .map(|(_, path)| path)
        .collect();
    let left = of.values().flatten().filter(|path| !read.contains(path));
    let left = left.map(|path| LeftOut {
        file: path.clone(),
        why: format!(
            "which files of {} it belongs to cannot be told: of several, those belong together that have the same text for `*` in their names; give them such names, or each group a folder of its own",
            roles.join(", ")
        ),
    });
    taken.left_out = left.collect();
    taken
}

fn name_of(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

impl Mapped {
    /// With what became of other files.
    pub fn add(&mut self, other: Self) {
        self.documents += other.documents;
        self.made.extend(other.made);
        self.not_made.extend(other.not_made);
        self.unread.extend(other.unread);
        for (name, codes) in other.lookups {
            match self.lookups.iter_mut().find(|(known, _)| *known == name) {
                Some((_, most)) => *most = codes.max(*most),
                None => self.lookups.push((name, codes)),
            }
        }
        for (lookup, codes) in other.codes {
            self.codes.entry(lookup).or_default().extend(codes);
        }
    }
}

/// Maps all groups of files.
///
/// # Errors
/// When one of the files cannot be read at all.
pub fn map_all(feed: &Feed, groups: &[Group]) -> Result<Mapped, Failure> {
    let mut all = Mapped::default();
    for group in groups {
        all.add(map(feed, group)?);
    }
    Ok(all)
}

/// Maps files that belong together.
///
/// # Errors
/// When one of the files cannot be read at all.
pub fn map(feed: &Feed, files: &[(String, PathBuf)]) -> Result<Mapped, Failure> {
    let contract = Contract::new()?;
    let names: Vec<String> = files.iter().map(|(_, path)| name_of(path)).collect();
    let openers: Vec<_> = files
        .iter()
        .map(|(_, path)| {
            move || -> std::io::Result<Box<dyn Read>> { Ok(Box::new(File::open(path)?)) }
        })
        .collect();
    let inputs: Vec<Input<'_>> = files
        .iter()
        .zip(&names)
        .zip(&openers)
        .map(|(((role, _), name), open)| Input { role, name, open })
        .collect();
    let lookups = document::lookups(feed, &inputs)?;
    let mut mapper = Mapper::new(feed, &contract, &lookups);
    mapper.note_codes();
    let sizes = lookups.sizes().into_iter();
    let mut mapped = Mapped {
        lookups: sizes
            .map(|(name, codes)| (name.to_owned(), codes))
            .collect(),
        ..Mapped::default()
    };
    document::read(feed, &inputs, &mut |read| match read {
        Ok(document) => {
            mapped.documents += 1;
            for made in mapper.map(&document) {
                match made {
                    Ok(made) => mapped.made.push(made),
                    Err(not) => mapped.not_made.push(*not),
                }
            }
        }
        Err(unread) => mapped.unread.push(unread),
    })?;
    mapped.codes = mapper.note_codes();
    Ok(mapped)
}

/// What came of files, line by line: the facts without the hash of the mapping, which changes with every
/// word of it, then what could not be made or read.
#[must_use]
pub fn outcome(mapped: &Mapped) -> Vec<Value> {
    let mut lines = Vec::new();
    for made in &mapped.made {
        let mut event = made.event.clone();
        if let Some(event) = event.as_object_mut() {
            event.remove("mappinghash");
        }
        lines.push(event);
    }
    for not in &mapped.not_made {
        lines.push(json!({"not_made": {
            "code": not.code, "event": not.event, "document": not.document, "spot": not.spot.to_string(),
            "pointer": not.pointer, "message": not.message
        }}));
    }
    for unread in &mapped.unread {
        lines.push(json!({"unread": {"code": unread.code, "spot": unread.spot.to_string(), "message": unread.message}}));
    }
    lines
}
