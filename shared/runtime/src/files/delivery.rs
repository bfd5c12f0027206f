//! The record of a delivery.

use interplant_domain::identifier::PlantCode;
use interplant_mapping::document::Unread;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Files that a feed reads together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Our id of it.
    pub id: String,
    /// The plant.
    pub plant: PlantCode,
    /// The feed.
    pub feed: String,
    /// SHA-256 of the configuration that it is read by, also when another one is published meanwhile.
    pub bundle: String,
    /// The files.
    pub files: Vec<DeliveredFile>,
    /// Where it stands.
    pub state: DeliveryState,
    /// Documents that are done with.
    pub documents: u64,
    /// What became of facts and rows.
    pub counts: Counts,
    /// The first problems; all of them are in the result file.
    pub problems: Vec<serde_json::Value>,
    /// Parts of the result file, one for each time that the reader noted how far it was.
    pub segments: Vec<u64>,
    /// Why nothing, or nothing more, could be read.
    pub refused: Option<serde_json::Value>,
    /// Interchanges in it, when it is of a format that has them, and what becomes of each.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub interchanges: Option<serde_json::Value>,
    /// The control number of the first answer to them.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub answer_control: Option<u32>,
    /// When it was announced.
    pub announced_at: Timestamp,
    /// When the first reader began.
    pub started_at: Option<Timestamp>,
    /// When it was done.
    pub finished_at: Option<Timestamp>,
    /// Until when its reader may work.
    pub lease_until: Option<Timestamp>,
    /// The delivery that brought the same bytes before and was read by the same mapping; then nothing is read again.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub same_as: Option<String>,
    /// Raised by every change.
    pub revision: u64,
}

/// One of the files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveredFile {
    /// What it is to the feed.
    pub role: String,
    /// What the plant calls it.
    pub name: String,
    /// How long the plant says it is.
    pub bytes: u64,
    /// What the plant says its SHA-256 is, when it says so.
    pub sha256: Option<String>,
    /// The version that is read, once it is uploaded.
    pub version: Option<String>,
}

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeliveryState {
    /// Not all files are there.
    Uploading,
    /// It is read.
    Reading,
    /// All of it was read.
    Done,
    /// It cannot be read, or not to its end.
    Refused,
}

/// What became of facts and rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Facts that are new.
    pub accepted: u64,
    /// Facts that were there before.
    pub duplicates: u64,
    /// Facts whose document came before with another content: a person decides.
    pub held: u64,
    /// Facts that name a code that a lookup does not know.
    pub unknown_code: u64,
    /// Facts that could not be made.
    pub rejected: u64,
    /// Rows that could not be read.
    pub unread: u64,
}

impl Delivery {
    pub(super) fn key(&self, file: &DeliveredFile) -> String {
        format!("in/{}/{}/{}", self.plant, self.id, file.role)
    }

    pub(super) fn out(&self, name: &str) -> String {
        format!("out/{}/{}/{name}", self.plant, self.id)
    }

    /// A new delivery.
    #[must_use]
    pub fn announced(
        plant: &PlantCode,
        feed: &str,
        bundle: &str,
        files: Vec<DeliveredFile>,
        now: Timestamp,
    ) -> Self {
        Self {
            id: format!("file_{}", Uuid::now_v7().simple()),
            plant: plant.clone(),
            feed: feed.to_owned(),
            bundle: bundle.to_owned(),
            files,
            state: DeliveryState::Uploading,
            documents: 0,
            counts: Counts::default(),
            problems: Vec::new(),
            segments: Vec::new(),
            refused: None,
            interchanges: None,
            answer_control: None,
            announced_at: now,
            started_at: None,
            finished_at: None,
            lease_until: None,
            same_as: None,
            revision: 0,
        }
    }

    /// Everything of it is read once more, by the feeds that are in force now.
    pub fn read_again(&mut self, bundle: &str) {
        bundle.clone_into(&mut self.bundle);
        self.state = DeliveryState::Reading;
        self.documents = 0;
        self.counts = Counts::default();
        self.problems.clear();
        self.segments.clear();
        self.refused = None;
        self.finished_at = None;
        self.lease_until = None;
    }

    /// The end of a delivery that cannot be read.
    pub fn refuse(&mut self, why: &Unread) {
        self.state = DeliveryState::Refused;
        self.refused = serde_json::to_value(why).ok();
    }
}

/// The plant and the delivery that an object in the bucket belongs to.
#[must_use]
pub fn delivery_of(key: &str) -> Option<(PlantCode, &str)> {
    let mut parts = key.strip_prefix("in/")?.split('/');
    let plant = parts.next()?.parse().ok()?;
    Some((plant, parts.next()?))
}
