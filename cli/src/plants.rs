//! Plants from their folders: `plant.yaml`, samples.

use std::path::Path;

use interplant_domain::plant::Plant;
use interplant_domain::target::{Loopback, target};
use serde_json::Value;

use crate::Failure;

/// A plant and the facts of its samples.
#[derive(Debug, Clone)]
pub struct PlantFolder {
    /// The configuration.
    pub plant: Plant,
    /// Events of `samples/*.json`, file by file.
    pub samples: Vec<Value>,
}

/// Reads `plant.yaml` of a folder; an error shows line and column.
///
/// # Errors
/// When the file is missing or is not a plant.
pub fn read_plant(folder: &Path) -> Result<Plant, Failure> {
    let path = folder.join("plant.yaml");
    let text =
        std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let plant: Plant =
        serde_saphyr::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    if let Some(webhook) = &plant.outbox.webhook {
        target(&webhook.url, Loopback::Forbidden)
            .map_err(|forbidden| format!("{}: outbox.webhook.url: {forbidden}", path.display()))?;
    }
    let folder_name = folder.file_name().and_then(|name| name.to_str());
    if folder_name != Some(plant.plant.as_str()) {
        return Err(format!(
            "{}: the plant is called {}, its folder {}",
            path.display(),
            plant.plant,
            folder_name.unwrap_or_default()
        )
        .into());
    }
    Ok(plant)
}

/// Reads every plant below a folder, with its samples.
///
/// # Errors
/// When one of them cannot be read.
pub fn read_plants(root: &Path) -> Result<Vec<PlantFolder>, Failure> {
    let mut folders: Vec<_> = std::fs::read_dir(root)
        .map_err(|error| format!("{}: {error}", root.display()))?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.join("plant.yaml").is_file())
        .collect();
    folders.sort();
    folders
        .iter()
        .map(|folder| {
            Ok(PlantFolder {
                plant: read_plant(folder)?,
                samples: read_samples(&folder.join("samples"))?,
            })
        })
        .collect()
}

fn read_samples(folder: &Path) -> Result<Vec<Value>, Failure> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Ok(Vec::new());
    };
    let mut files: Vec<_> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .collect();
    files.sort();
    let mut events = Vec::new();
    for file in files {
        events.extend(read_events(&file)?);
    }
    Ok(events)
}

/// Reads a file of events: one, an array, or one per line.
///
/// # Errors
/// When it is none of these, with line and column.
pub fn read_events(file: &Path) -> Result<Vec<Value>, Failure> {
    let text =
        std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let read = |text: &str, line: usize| {
        // Numbers become text here already, as at the door of the API.
        let json = interplant_domain::json::parse(text.as_bytes());
        json.map(interplant_domain::json::Json::into_text_values)
            .map_err(|error| format!("{} (from line {line}): {error}", file.display()))
    };
    if text.trim_start().starts_with('[') {
        let read = read(&text, 1)?;
        return Ok(read.as_array().cloned().unwrap_or_default());
    }
    match read(&text, 1) {
        Ok(event) => Ok(vec![event]),
        Err(whole) => {
            let lines = text
                .lines()
                .enumerate()
                .filter(|(_, line)| !line.trim().is_empty());
            let events: Result<Vec<_>, _> =
                lines.map(|(index, line)| read(line, index + 1)).collect();
            // Neither one document nor one per line: the error of the whole says more.
            events.map_err(|_| whole.into())
        }
    }
}
