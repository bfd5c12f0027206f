//! Facts of two packs, compared by what they are about.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use interplant_domain::identifier::PlantCode;
use interplant_mapping::feed::Feed;
use serde::Serialize;
use serde_json::Value;

use crate::compare::{Difference, compare};
use crate::{Failure, feeds};

/// What one pack makes of files.
#[derive(Debug, Default)]
pub(super) struct Side {
    documents: usize,
    /// Facts by what they are about, whatever envelope brings them.
    facts: BTreeMap<String, Fact>,
    /// What could not be made or read: document, then words.
    problems: BTreeSet<(String, String)>,
}

#[derive(Debug)]
struct Fact {
    name: String,
    event: Value,
}

/// What differs.
#[derive(Debug, Default, Serialize)]
pub(super) struct Changes {
    /// Sets of files that a feed took.
    pub(super) files: usize,
    pub(super) documents: usize,
    pub(super) facts_before: usize,
    pub(super) facts_now: usize,
    pub(super) added: BTreeSet<String>,
    pub(super) changed: Vec<Changed>,
    /// Fields that differ, whatever line they are in, with the number of facts.
    pub(super) fields: BTreeMap<String, usize>,
    pub(super) gone: Vec<Gone>,
    /// What could be made or read before, and cannot now; the other way round.
    pub(super) problems_new: BTreeSet<String>,
    pub(super) problems_gone: BTreeSet<String>,
    /// Files that no feed of either takes.
    pub(super) not_taken: Vec<String>,
}

/// A fact with another content.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Changed {
    pub(super) fact: String,
    pub(super) fields: Vec<Difference>,
}

/// A fact that is not made any more.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct Gone {
    pub(super) fact: String,
    /// Why, when its document could not be made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) why: Option<String>,
}

impl Side {
    /// What a feed makes of the files of a folder; nothing when it takes none of them.
    pub(super) fn of(
        feed: &Feed,
        folder: &Path,
        plant: &PlantCode,
    ) -> Result<Option<Self>, Failure> {
        let taken = feeds::taken(feed, folder);
        if taken.groups.is_empty() {
            return Ok(None);
        }
        let mut side = Self::default();
        for left in &taken.left_out {
            side.problems.insert((String::new(), left.to_string()));
        }
        let mapped = match feeds::map_all(feed, &taken.groups) {
            Ok(mapped) => mapped,
            // What cannot be read at all is an outcome as well.
            Err(failure) => {
                side.problems.insert((String::new(), failure.to_string()));
                return Ok(Some(side));
            }
        };
        side.documents = mapped.documents;
        for made in mapped.made {
            let fact = &made.checked.fact;
            let key = fact.business_key(plant, made.checked.envelope.revision());
            let kind = made.checked.kind.event_type();
            let kind = kind
                .trim_start_matches("interplant.")
                .trim_end_matches(".v1");
            let mut event = made.event;
            if let Some(event) = event.as_object_mut() {
                // Both follow from the rest.
                event.remove("id");
                event.remove("mappinghash");
            }
            let mut number = 2;
            let mut unique = key.clone();
            // The same fact twice in one file: each is compared with its like.
            while side.facts.contains_key(&unique) {
                unique = format!("{key} ({number})");
                number += 1;
            }
            let name = format!("{kind} {}", fact.number());
            side.facts.insert(unique, Fact { name, event });
        }
        for not in mapped.not_made {
            let document = not.document.clone().unwrap_or_default();
            side.problems.insert((document, not.to_string()));
        }
        for unread in mapped.unread {
            side.problems.insert((String::new(), unread.to_string()));
        }
        Ok(Some(side))
    }
}

impl Changes {
    /// Whether nothing differs.
    pub(super) fn is_empty(&self) -> bool {
        self.added.is_empty()
            && self.changed.is_empty()
            && self.gone.is_empty()
            && self.problems_new.is_empty()
            && self.problems_gone.is_empty()
    }

    /// Takes what both packs make of files.
    pub(super) fn compare(&mut self, files: &str, feed: &str, before: Side, now: Side) {
        self.files += 1;
        self.documents += before.documents.max(now.documents);
        self.facts_before += before.facts.len();
        self.facts_now += now.facts.len();
        let named = |fact: &Fact| format!("{} ({feed}, {files})", fact.name);
        for (key, fact) in &now.facts {
            match before.facts.get(key) {
                None => {
                    self.added.insert(named(fact));
                }
                Some(old) if old.event == fact.event => {}
                Some(old) => {
                    let fields = compare(&old.event, &fact.event);
                    let pointers: BTreeSet<String> = fields
                        .iter()
                        .map(|field| any_line(&field.pointer))
                        .collect();
                    for pointer in pointers {
                        *self.fields.entry(pointer).or_default() += 1;
                    }
                    self.changed.push(Changed {
                        fact: named(fact),
                        fields,
                    });
                }
            }
        }
        for (key, fact) in &before.facts {
            if now.facts.contains_key(key) {
                continue;
            }
            let number = fact.name.rsplit(' ').next().unwrap_or_default();
            let why = now.problems.iter().find(|(document, _)| document == number);
            self.gone.push(Gone {
                fact: named(fact),
                why: why.map(|(_, words)| words.clone()),
            });
        }
        let words = |(_, words): &(String, String)| format!("{words} ({feed}, {files})");
        self.problems_new
            .extend(now.problems.difference(&before.problems).map(words));
        self.problems_gone
            .extend(before.problems.difference(&now.problems).map(words));
    }

    /// Puts what differs into an order that does not depend on that of the files.
    pub(super) fn settle(&mut self) {
        self.changed.sort_by(|a, b| a.fact.cmp(&b.fact));
        self.gone.sort();
    }
}

/// A pointer with `*` for numbers of lines.
fn any_line(pointer: &str) -> String {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts = pointer.split('/');
    let parts = parts.map(|part| if is_number(part) { "*" } else { part });
    parts.collect::<Vec<_>>().join("/")
}
