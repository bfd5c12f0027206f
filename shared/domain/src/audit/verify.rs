//! Finds the first record of a chain that is not as it was written.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value};

use super::{Anchor, Head, hash_of};
use crate::identifier::PlantCode;

/// What is wrong with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// It is not what was written.
    Changed,
    /// It is not there.
    Missing,
    /// It was never written here.
    Inserted,
    /// It stands in another place.
    Reordered,
    /// It and what came after it were taken away.
    Truncated,
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Changed => "changed",
            Self::Missing => "missing",
            Self::Inserted => "inserted",
            Self::Reordered => "reordered",
            Self::Truncated => "truncated",
        })
    }
}

/// The first record that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("record {sequence} of {plant} is {what}: {why}")]
pub struct Finding {
    /// Whose chain.
    pub plant: PlantCode,
    /// Number of the record.
    pub sequence: u64,
    /// What is wrong.
    pub what: What,
    /// How it shows.
    pub why: String,
}

/// A chain without a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Records that were looked at.
    pub records: u64,
    /// Where they end.
    pub head: Head,
    /// Anchors that were compared.
    pub anchors: usize,
}

/// Reads a chain record by record.
#[derive(Debug)]
pub struct Verifier {
    plant: PlantCode,
    /// What the records read so far end with.
    head: Head,
    records: u64,
    anchors: BTreeMap<u64, Anchor>,
    compared: usize,
    finding: Option<Finding>,
    /// The record that stood where the missing one should have been.
    instead: Option<u64>,
}

/// A record as far as its place goes.
struct Place {
    sequence: u64,
    previous: String,
    hash: String,
}

impl Verifier {
    /// A chain that begins after this head: the start of the chain, or what an export says.
    #[must_use]
    pub fn new(plant: &PlantCode, after: Head, anchors: impl IntoIterator<Item = Anchor>) -> Self {
        let anchors = anchors.into_iter().map(|anchor| (anchor.sequence, anchor));
        Self {
            plant: plant.clone(),
            anchors: anchors.collect(),
            head: after,
            records: 0,
            compared: 0,
            finding: None,
            instead: None,
        }
    }

    /// Where the records end that were read so far.
    #[must_use]
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Takes the next record, exactly as it is stored.
    pub fn take(&mut self, text: &str) {
        self.records += 1;
        let expected = self.head.sequence + 1;
        let read = read(text, &self.plant);
        if self.finding.is_some() {
            if let Ok(place) = read {
                self.know_better(&place);
            }
            return;
        }
        match read {
            Err(why) => self.found(expected, What::Changed, why),
            Ok(place) if place.sequence > expected => {
                self.instead = Some(place.sequence);
                let why = format!("record {} stands in its place", place.sequence);
                self.found(expected, What::Missing, why);
            }
            Ok(place) if place.sequence < expected => {
                let why = format!("a record {} has been there before", place.sequence);
                self.found(place.sequence, What::Inserted, why);
            }
            Ok(place) if place.previous != self.head.hash => {
                if self.records == 1 {
                    self.found(
                        expected,
                        What::Changed,
                        "it does not follow the record before it".to_owned(),
                    );
                } else {
                    let why = format!("record {expected} follows another one");
                    self.found(self.head.sequence, What::Changed, why);
                }
            }
            Ok(place) => {
                self.head = Head {
                    sequence: place.sequence,
                    hash: place.hash,
                };
                self.compare_anchor();
            }
        }
    }

    /// The end: nothing may be missing that an anchor, or the head that is kept beside the chain, knows of.
    ///
    /// # Errors
    /// The first record that is not as it was written.
    pub fn finish(mut self, kept: Option<&Head>) -> Result<Verified, Finding> {
        if self.finding.is_none() {
            self.compare_end(kept);
        }
        match self.finding {
            Some(finding) => Err(finding),
            None => Ok(Verified {
                records: self.records,
                head: self.head,
                anchors: self.compared,
            }),
        }
    }

    fn found(&mut self, sequence: u64, what: What, why: String) {
        self.finding = Some(Finding {
            plant: self.plant.clone(),
            sequence,
            what,
            why,
        });
    }

    fn compare_anchor(&mut self) {
        let Some(anchor) = self.anchors.get(&self.head.sequence) else {
            return;
        };
        self.compared += 1;
        if anchor.hash != self.head.hash {
            let why = format!(
                "the anchor of {:.0} has another hash; it or a record before it was written anew, behind the last anchor that fits",
                anchor.at
            );
            self.found(self.head.sequence, What::Changed, why);
        }
    }

    fn compare_end(&mut self, kept: Option<&Head>) {
        let end = self.head.sequence;
        let anchor = self.anchors.values().next_back();
        if let Some(anchor) = anchor.filter(|anchor| anchor.sequence > end) {
            let why = format!(
                "the chain ends at {end}, but at {:.0} it had {} records",
                anchor.at, anchor.sequence
            );
            return self.found(end + 1, What::Truncated, why);
        }
        let Some(kept) = kept else { return };
        if kept.sequence > end {
            let why = format!("the chain ends at {end}, its head says {}", kept.sequence);
            self.found(end + 1, What::Truncated, why);
        } else if kept.sequence < end {
            let why = format!(
                "the chain goes on to {end}, its head says {}",
                kept.sequence
            );
            self.found(kept.sequence + 1, What::Inserted, why);
        } else if kept.hash != self.head.hash {
            self.found(end, What::Changed, "its head has another hash".to_owned());
        }
    }

    /// What comes after the first finding tells what it was.
    fn know_better(&mut self, place: &Place) {
        let Some(finding) = &mut self.finding else {
            return;
        };
        let same = place.sequence == finding.sequence;
        match finding.what {
            What::Missing if same => {
                finding.what = What::Reordered;
                finding.why = format!("{}, it comes later", finding.why);
            }
            What::Reordered if self.instead == Some(place.sequence) => {
                finding.what = What::Inserted;
                finding.why = format!("a record {} has been put before it", place.sequence);
            }
            What::Changed if same && place.previous == self.head.hash => {
                finding.what = What::Inserted;
                finding.why = format!(
                    "{}; the true record {} comes after it",
                    finding.why, place.sequence
                );
            }
            What::Missing | What::Reordered | What::Changed | What::Inserted | What::Truncated => {}
        }
    }
}

/// A record by itself: is it the text that was written, does its hash fit, is it of this plant?
fn read(text: &str, plant: &PlantCode) -> Result<Place, String> {
    let mut record: Map<String, Value> =
        serde_json::from_str(text).map_err(|error| format!("it cannot be read: {error}"))?;
    let canonical = serde_json_canonicalizer::to_string(&record).unwrap_or_default();
    if canonical != text {
        return Err("its text is not the one that was written".to_owned());
    }
    let hash = word(&record, "hash")?;
    record.remove("hash");
    let fits = hash_of(&record).unwrap_or_default();
    if fits != hash {
        return Err(format!("its hash is {hash}, its content gives {fits}"));
    }
    let whose = word(&record, "plant")?;
    if whose != plant.as_str() {
        return Err(format!("it is a record of {whose}"));
    }
    let sequence = record.get("sequence").and_then(Value::as_u64);
    Ok(Place {
        sequence: sequence.ok_or("it has no number")?,
        previous: word(&record, "previous")?,
        hash,
    })
}

fn word(record: &Map<String, Value>, name: &str) -> Result<String, String> {
    let word = record.get(name).and_then(Value::as_str);
    word.map(str::to_owned)
        .ok_or_else(|| format!("it has no `{name}`"))
}
