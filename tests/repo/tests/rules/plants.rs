//! Plants are configuration: what their folders hold is right, and no code knows their names.

use std::collections::BTreeSet;

use interplant_domain::event::Envelope;
use interplant_domain::exception::Code;
use interplant_domain::fact::{Fact, FactKind};
use interplant_domain::identifier::PlantCode;
use interplant_domain::plant::Plant;

use crate::report;
use crate::repository::{files, files_in, read};
use crate::source::{has_word, product};

/// The one lifecycle that documentation and messages may show as an example.
const EXAMPLE: &str = "po/plant-b/4711";

fn plants() -> Vec<(String, Plant)> {
    let files: Vec<_> = files_in("plants/", "/plant.yaml");
    assert!(!files.is_empty(), "no plants/*/plant.yaml");
    let read = |path: &String| {
        serde_saphyr::from_str(&read(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    };
    files
        .iter()
        .map(|path| (path.trim_end_matches("plant.yaml").to_owned(), read(path)))
        .collect()
}

/// The events of a sample, their numbers as text, as at the door of the API.
fn events(path: &str) -> Result<Vec<serde_json::Value>, String> {
    let json =
        interplant_domain::json::parse(read(path).as_bytes()).map_err(|error| error.to_string())?;
    let value = json.into_text_values();
    Ok(if let serde_json::Value::Array(events) = value {
        events
    } else {
        vec![value]
    })
}

fn fact(event: &serde_json::Value, plant: &PlantCode) -> Result<(Envelope, Fact), String> {
    let envelope: Envelope =
        serde_json::from_value(event.clone()).map_err(|error| error.to_string())?;
    if envelope.specversion != "1.0" {
        return Err(format!("specversion {}", envelope.specversion));
    }
    if envelope.plant().as_ref() != Some(plant) {
        return Err(format!("the source {} is not of {plant}", envelope.source));
    }
    envelope
        .happened_at()
        .map_err(|error| format!("time {}: {error}", envelope.time))?;
    let kind = FactKind::from_event_type(&envelope.event_type)
        .ok_or_else(|| format!("the type {} is unknown", envelope.event_type))?;
    let fact = Fact::read(kind, &envelope.data).map_err(|error| error.to_string())?;
    fact.check(plant)
        .map_err(|contradiction| format!("{}: {contradiction}", contradiction.pointer))?;
    Ok((envelope, fact))
}

#[test]
fn every_plant_reads_and_is_called_as_its_folder() {
    let mut findings = Vec::new();
    for (folder, plant) in plants() {
        if folder != format!("plants/{}/", plant.plant) {
            findings.push(format!(
                "{folder}plant.yaml: the plant is called {}",
                plant.plant
            ));
        }
        let roles: BTreeSet<_> = Code::ALL.iter().map(|code| code.owner()).collect();
        let missing = roles.into_iter().filter(|role| {
            plant
                .owners
                .get(role)
                .is_none_or(|owner| owner.trim().is_empty())
        });
        findings.extend(missing.map(|role| {
            format!("{folder}plant.yaml: nobody is the {role}, who decides exceptions")
        }));
    }
    report("plants:", &findings);
}

#[test]
fn every_plant_has_samples_and_all_of_them_are_facts() {
    let mut findings = Vec::new();
    for (folder, plant) in plants() {
        let samples = files_in(&format!("{folder}samples/"), ".json");
        if samples.is_empty() {
            findings.push(format!(
                "{folder}samples holds no .json: a plant brings an example of each of its facts"
            ));
        }
        let mut seen = BTreeSet::new();
        for path in samples {
            let events = match events(&path) {
                Ok(events) => events,
                Err(error) => {
                    findings.push(format!("{path}: {error}"));
                    continue;
                }
            };
            for (index, event) in events.iter().enumerate() {
                match fact(event, &plant.plant) {
                    Ok((envelope, fact)) => {
                        if !seen.insert((envelope.source.clone(), envelope.id.clone())) {
                            findings.push(format!(
                                "{path}, event {index}: the id {} is used twice",
                                envelope.id
                            ));
                        }
                        findings.extend(
                            unconfigured(&plant, &fact)
                                .map(|error| format!("{path}, event {index}: {error}")),
                        );
                    }
                    Err(error) => findings.push(format!("{path}, event {index}: {error}")),
                }
            }
        }
    }
    report("samples:", &findings);
}

/// What an order uses and its plant's configuration lacks.
fn unconfigured(plant: &Plant, fact: &Fact) -> impl Iterator<Item = String> {
    let lines = if let Fact::PoCreated(order) = fact {
        order.lines.as_slice()
    } else {
        &[]
    };
    let ids = lines.iter().flat_map(|line| {
        [
            Some(plant.unit(&line.uom)),
            line.tax_code.as_ref().map(|tax| plant.tax(tax)),
        ]
    });
    ids.flatten()
        .filter_map(Result::err)
        .map(|exception| exception.to_string())
}

#[test]
fn no_code_knows_a_plant_by_its_name() {
    let plants = plants();
    let product_code = |path: &str| {
        ["shared/", "functions/", "cli/"]
            .iter()
            .any(|room| path.starts_with(room))
            && path.contains("/src/")
            && path.ends_with(".rs")
    };
    let mut findings = Vec::new();
    for path in files() {
        let text = if product_code(&path) {
            product(&read(&path))
        } else if path.starts_with("statemachines/") || path.starts_with("infra/") {
            read(&path)
        } else {
            continue;
        };
        for (number, line) in text.replace(EXAMPLE, "").lines().enumerate() {
            let known = plants
                .iter()
                .filter(|(_, plant)| has_word(line, plant.plant.as_str()));
            findings
                .extend(known.map(|(_, plant)| format!("{path}:{}: {}", number + 1, plant.plant)));
        }
    }
    report(
        &format!(
            "a plant is configuration, put it into plants/ (an example in a text is `{EXAMPLE}`):"
        ),
        &findings,
    );
}
