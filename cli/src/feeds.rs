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

/// The files of a folder that a feed takes, by what they are to it; none when one is missing.
#[must_use]
pub fn delivery(feed: &Feed, folder: &Path) -> Option<Vec<(String, PathBuf)>> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .ok()?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .collect();
    files.sort();
    let roles = feed.roles().into_iter().map(|role| {
        let found = files
            .iter()
            .find(|path| feed.takes(&name_of(path)) == Some(role))?;
        Some((role.to_owned(), found.clone()))
    });
    roles.collect()
}

fn name_of(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
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
