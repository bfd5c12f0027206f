//! The committed records, and what a finished call adds to them.
//!
//! A call works on a snapshot and commits its changes as a whole or not at all. When another call has committed
//! a change to the same record in between, the later one is told so instead of overwriting it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::schema::Schema;
use crate::value::Value;

/// Field values by key.
pub(crate) type Record = BTreeMap<&'static str, Value>;

/// The records of one model.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    rows: BTreeMap<i64, Arc<Record>>,
    /// Per many2one field: which records point at an id.
    referring: HashMap<&'static str, BTreeMap<i64, BTreeSet<i64>>>,
}

impl Table {
    pub(crate) fn row(&self, id: i64) -> Option<&Arc<Record>> {
        self.rows.get(&id)
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = i64> + '_ {
        self.rows.keys().copied()
    }

    pub(crate) fn referring(&self, key: &str, to: i64) -> impl Iterator<Item = i64> + '_ {
        self.referring
            .get(key)
            .and_then(|by| by.get(&to))
            .into_iter()
            .flatten()
            .copied()
    }

    fn replace(&mut self, id: i64, row: Option<Arc<Record>>, links: &[&'static str]) {
        let old = match &row {
            Some(new) => self.rows.insert(id, Arc::clone(new)),
            None => self.rows.remove(&id),
        };
        for key in links {
            let before = old
                .as_ref()
                .and_then(|record| record.get(key))
                .and_then(Value::as_one);
            let after = row
                .as_ref()
                .and_then(|record| record.get(key))
                .and_then(Value::as_one);
            if before == after {
                continue;
            }
            let by = self.referring.entry(key).or_default();
            if let Some(to) = before {
                by.entry(to).or_default().remove(&id);
            }
            if let Some(to) = after {
                by.entry(to).or_default().insert(id);
            }
        }
    }
}

/// Everything committed at one moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Snapshot {
    tables: HashMap<&'static str, Arc<Table>>,
    /// External id to the id of its `ir.model.data` record.
    external_ids: Arc<HashMap<String, i64>>,
    commits: u64,
}

impl Snapshot {
    pub(crate) fn table(&self, model: &str) -> Option<&Table> {
        self.tables.get(model).map(|table| &**table)
    }

    pub(crate) fn external_id(&self, name: &str) -> Option<i64> {
        self.external_ids.get(name).copied()
    }
}

/// What two calls can get in each other's way over.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    Row(&'static str, i64),
    ExternalId(String),
    /// A number range in which the next number depends on the last, like the bills of a month.
    Numbering(String),
}

/// The changes of one call.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    pub(crate) rows: HashMap<(&'static str, i64), Option<Arc<Record>>>,
    pub(crate) external_ids: HashMap<String, Option<i64>>,
    pub(crate) touched: HashSet<Key>,
}

/// Another call committed a change to the same record first.
#[derive(Debug)]
pub(crate) struct Conflict {
    /// The method of that call.
    pub(crate) method: String,
}

#[derive(Debug)]
struct Head {
    snapshot: Snapshot,
    last: HashMap<Key, (u64, String)>,
}

/// The store: the newest snapshot, and the counters that never go back.
#[derive(Debug)]
pub(crate) struct Store {
    schema: &'static Schema,
    head: Mutex<Head>,
    counters: Mutex<HashMap<String, Arc<AtomicI64>>>,
}

impl Store {
    pub(crate) fn new(schema: &'static Schema) -> Self {
        Self {
            schema,
            head: Mutex::new(Head {
                snapshot: Snapshot::default(),
                last: HashMap::new(),
            }),
            counters: Mutex::new(HashMap::new()),
        }
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        self.head
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .snapshot
            .clone()
    }

    /// The next number of a range. Like a database sequence it is not taken back when the call fails.
    pub(crate) fn next(&self, range: &str) -> i64 {
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        let counter = Arc::clone(counters.entry(range.to_owned()).or_default());
        drop(counters);
        counter.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Adds the changes of a call that worked on `base`.
    ///
    /// # Errors
    /// [`Conflict`] when a call committed after `base` touched one of the same records; nothing is added then.
    pub(crate) fn commit(
        &self,
        base: Snapshot,
        changes: Changes,
        method: &str,
    ) -> Result<(), Conflict> {
        let mut head = self.head.lock().unwrap_or_else(PoisonError::into_inner);
        let conflict = changes
            .touched
            .iter()
            .filter_map(|key| head.last.get(key))
            .find(|(commit, _)| *commit > base.commits);
        if let Some((_, winner)) = conflict {
            return Err(Conflict {
                method: winner.clone(),
            });
        }
        // The snapshot's hold on the tables goes first, so that they are changed in place rather than copied.
        drop(base);
        if changes.touched.is_empty() {
            return Ok(());
        }
        let Head { snapshot, last } = &mut *head;
        snapshot.commits += 1;
        let mut links: HashMap<&'static str, Vec<&'static str>> = HashMap::new();
        for ((model, id), row) in changes.rows {
            let links = links.entry(model).or_insert_with(|| {
                self.schema
                    .model(model)
                    .map(|of| of.links().map(|(key, _)| key).collect())
                    .unwrap_or_default()
            });
            Arc::make_mut(snapshot.tables.entry(model).or_default()).replace(id, row, links);
        }
        if !changes.external_ids.is_empty() {
            let external_ids = Arc::make_mut(&mut snapshot.external_ids);
            for (name, id) in changes.external_ids {
                match id {
                    Some(id) => external_ids.insert(name, id),
                    None => external_ids.remove(&name),
                };
            }
        }
        let commit = snapshot.commits;
        for key in changes.touched {
            last.insert(key, (commit, method.to_owned()));
        }
        Ok(())
    }
}
