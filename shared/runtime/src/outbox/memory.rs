//! A shelf in memory, for tests over every interleaving; like [`crate::memory`], each method gives way to
//! others before it acts.

use std::cell::RefCell;
use std::collections::BTreeMap;

use interplant_domain::identifier::PlantCode;
use interplant_domain::outbox::{Entry, Newest, State};
use jiff::Timestamp;

use super::{Addition, Page, Shelf, Work};
use crate::memory::give_way;
use crate::store::Error;

/// The outboxes of plants in memory.
#[derive(Debug, Default)]
pub struct Memory {
    plants: RefCell<BTreeMap<PlantCode, Plant>>,
}

#[derive(Debug, Default)]
struct Plant {
    work: Work,
    documents: BTreeMap<String, Newest>,
    entries: BTreeMap<u64, Entry>,
    sender: Option<(String, Timestamp)>,
}

impl Memory {
    /// All entries of a plant, in order.
    #[must_use]
    pub fn peek(&self, plant: &PlantCode) -> Vec<Entry> {
        let plants = self.plants.borrow();
        let entries = plants.get(plant).map(|plant| plant.entries.values());
        entries.into_iter().flatten().cloned().collect()
    }

    async fn with<T>(&self, plant: &PlantCode, act: impl FnOnce(&mut Plant) -> T) -> T {
        give_way().await;
        act(self.plants.borrow_mut().entry(plant.clone()).or_default())
    }
}

impl Shelf for Memory {
    async fn work(&self, plant: &PlantCode) -> Result<Work, Error> {
        Ok(self
            .with(plant, |plant| Work {
                next: plant.work.next.max(1),
                ..plant.work
            })
            .await)
    }

    async fn newest(&self, plant: &PlantCode, document: &str) -> Result<Option<Newest>, Error> {
        Ok(self
            .with(plant, |plant| plant.documents.get(document).cloned())
            .await)
    }

    async fn entry(&self, plant: &PlantCode, position: u64) -> Result<Option<Entry>, Error> {
        Ok(self
            .with(plant, |plant| plant.entries.get(&position).cloned())
            .await)
    }

    async fn open(&self, plant: &PlantCode, after: u64, most: usize) -> Result<Page, Error> {
        Ok(self
            .with(plant, |plant| {
                let mut entries: Vec<Entry> = plant
                    .entries
                    .range(after.saturating_add(1)..)
                    .map(|(_, entry)| entry.clone())
                    .filter(|entry| entry.state.is_open())
                    .take(most + 1)
                    .collect();
                let more = entries.len() > most;
                entries.truncate(most);
                Page { entries, more }
            })
            .await)
    }

    async fn add(&self, addition: &Addition) -> Result<(), Error> {
        let entry = &addition.entry;
        self.with(&entry.plant, |plant| {
            let older = addition.obsolete.as_ref();
            let same = plant.work.next.max(1) == entry.position
                && plant.documents.get(&entry.document) == addition.seen.as_ref()
                && older.is_none_or(|older| plant.entries.get(&older.position) == Some(older));
            if !same {
                return Err(Error::Conflict);
            }
            if let Some(older) = older {
                let state = State::Obsolete { by: entry.position };
                let obsolete = older.moved(state, None, entry.offered_at);
                plant.entries.insert(older.position, obsolete);
            }
            plant.work = Work {
                next: entry.position + 1,
                wake_at: Some(entry.offered_at),
            };
            plant.documents.insert(
                entry.document.clone(),
                Newest {
                    version: entry.version,
                    position: entry.position,
                },
            );
            plant.entries.insert(entry.position, entry.clone());
            Ok(())
        })
        .await
    }

    async fn change(&self, from: &Entry, to: &Entry) -> Result<(), Error> {
        self.with(&from.plant, |plant| {
            if plant.entries.get(&from.position) != Some(from) {
                return Err(Error::Conflict);
            }
            plant.entries.insert(to.position, to.clone());
            Ok(())
        })
        .await
    }

    async fn rest(
        &self,
        plant: &PlantCode,
        seen: Work,
        wake_at: Option<Timestamp>,
    ) -> Result<(), Error> {
        self.with(plant, |plant| {
            if plant.work != seen {
                return Err(Error::Conflict);
            }
            plant.work.wake_at = wake_at;
            Ok(())
        })
        .await
    }

    async fn claim(
        &self,
        plant: &PlantCode,
        sender: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, Error> {
        Ok(self
            .with(plant, |plant| {
                let free = plant
                    .sender
                    .as_ref()
                    .is_none_or(|(holder, until)| holder == sender || *until <= now);
                if free {
                    plant.sender = Some((sender.to_owned(), until));
                }
                free
            })
            .await)
    }

    async fn release(&self, plant: &PlantCode, sender: &str) -> Result<(), Error> {
        self.with(plant, |plant| {
            if plant
                .sender
                .as_ref()
                .is_some_and(|(holder, _)| holder == sender)
            {
                plant.sender = None;
            }
        })
        .await;
        Ok(())
    }
}
