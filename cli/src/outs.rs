//! Files that are made for plants: their configuration read, their samples compared.

use std::path::Path;

use interplant_domain::identifier::PlantCode;
use interplant_mapping::feed::Bundle;
use interplant_mapping::out::{Out, Writer};
use serde::Serialize;
use serde_json::Value;

use crate::Failure;

/// Events of the samples of a kind of file, one per line; the files that they must give lie beside them.
const EVENTS: &str = "events.jsonl";

/// What the check of a kind of file showed.
#[derive(Debug, Serialize)]
pub struct Checked {
    /// Its name.
    pub out: String,
    /// What it is.
    pub about: String,
    /// Events that were written.
    pub events: usize,
    /// Where samples give something else than expected, or nothing.
    pub differences: Vec<String>,
}

/// The kinds of files that are made for a plant.
///
/// # Errors
/// The first mistake in one of them, with file, line and column.
pub fn outs(bundle: &Bundle, plant: &PlantCode) -> Result<Vec<Out>, Failure> {
    bundle
        .outs(plant)
        .iter()
        .map(|path| Out::read(bundle, plant, path).map_err(Into::into))
        .collect()
}

/// Writes the samples of a kind of file, and compares; or takes what they give as what they must give.
///
/// # Errors
/// When a sample cannot be read.
pub fn check(folder: &Path, out: &Out, accept: bool) -> Result<Checked, Failure> {
    let samples = folder.join("samples").join(&out.name);
    let mut checked = Checked {
        out: out.name.clone(),
        about: out.about.clone(),
        events: 0,
        differences: Vec::new(),
    };
    let path = samples.join(EVENTS);
    let Ok(text) = std::fs::read_to_string(&path) else {
        checked.differences.push(format!(
            "no samples: put events, one per line, into {}",
            path.display()
        ));
        return Ok(checked);
    };
    let mut writer = Writer::new(out);
    for (index, line) in text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
    {
        let here = format!("{} line {}", path.display(), index + 1);
        let event: Value =
            serde_json::from_str(line).map_err(|error| format!("{here}: {error}"))?;
        checked.events += 1;
        let written = match writer.write(&event) {
            Ok(written) => written,
            Err(not) => {
                checked.differences.push(format!("{here}: {not}"));
                continue;
            }
        };
        let expected = samples.join(&written.name);
        if accept {
            std::fs::write(&expected, &written.bytes)?;
        }
        match std::fs::read(&expected) {
            Ok(bytes) if bytes == written.bytes => {}
            Ok(_) => checked.differences.push(format!(
                "{here} gives another file than {}; look at it, then take it with --accept",
                expected.display()
            )),
            Err(error) => checked.differences.push(format!(
                "{}: {error}; take what is made with --accept, then look at it",
                expected.display()
            )),
        }
    }
    Ok(checked)
}
