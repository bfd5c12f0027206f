//! Entries in DynamoDB. One partition holds everything about a plant: the counter with what is to be done,
//! a row for each document, open entries under plain sort keys, settled ones behind `~`.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem, Update};
use interplant_domain::identifier::{PlantCode, sha256_hex};
use interplant_domain::outbox::{Entry, KEPT, Newest, State};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Addition, Page, Shelf, Work};
use crate::store::{Error, happened, transaction_error, unavailable};

/// Plants with something to send are spread over this many index partitions.
pub const SHARDS: u8 = 4;

/// A page of a plant's entries is at most so many bytes: with room for what goes around them.
const PAGE_BYTES: usize = 1_000_000;

/// The table.
#[derive(Debug, Clone)]
pub struct Table {
    pub(super) client: Client,
    pub(super) name: String,
}

/// Why nothing is sent to a webhook any more; with another address or key it does not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    /// The address.
    pub url: String,
    /// The key's id.
    pub secret: String,
    /// Why.
    pub note: String,
    /// Since when.
    pub at: Timestamp,
}

pub(super) type Item = HashMap<String, AttributeValue>;

pub(super) fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

pub(super) fn n(number: impl ToString) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

pub(super) fn text<'i>(item: &'i Item, name: &str) -> Option<&'i str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

fn number(item: &Item, name: &str) -> Option<u64> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

fn read(item: &Item) -> Result<Entry, Error> {
    serde_json::from_str(text(item, "body").unwrap_or_default())
        .map_err(|error| Error::Unreadable(format!("outbox entry: {error}")))
}

pub(super) fn unfit(error: impl std::fmt::Display) -> Error {
    Error::Unreadable(error.to_string())
}

fn entry_key(position: u64) -> String {
    format!("entry#{position:012}")
}

/// A hash, because documents are named in any length and any script.
fn document_key(document: &str) -> String {
    format!("document#{}", sha256_hex(document.as_bytes()))
}

fn place(entry: &Entry) -> String {
    if entry.state.is_open() {
        entry_key(entry.position)
    } else {
        format!("~{}", entry_key(entry.position))
    }
}

pub(super) fn shard(plant: &PlantCode) -> String {
    let byte = plant.as_str().bytes().fold(0_u8, u8::wrapping_add);
    (byte % SHARDS).to_string()
}

impl Table {
    /// The outbox on a table.
    #[must_use]
    pub fn new(client: Client, name: String) -> Self {
        Self { client, name }
    }

    pub(super) fn key(plant: &PlantCode, sk: impl Into<String>) -> Item {
        HashMap::from([
            ("pk".to_owned(), s(plant.as_str())),
            ("sk".to_owned(), s(sk)),
        ])
    }

    fn item(entry: &Entry) -> Result<Item, Error> {
        let body = serde_json::to_string(entry).map_err(unfit)?;
        let mut item = Self::key(&entry.plant, place(entry));
        item.insert("body".to_owned(), s(body));
        item.insert("revision".to_owned(), n(entry.revision));
        // What a plant has not taken is kept until it has.
        if let Some(settled_at) = entry.settled_at {
            item.insert("expires_at".to_owned(), n((settled_at + KEPT).as_second()));
        }
        Ok(item)
    }

    pub(super) fn put(&self, item: Item, seen: Option<u64>) -> Result<TransactWriteItem, Error> {
        let put = Put::builder().table_name(&self.name).set_item(Some(item));
        let put = match seen {
            None => put.condition_expression("attribute_not_exists(pk)"),
            Some(revision) => put
                .condition_expression("revision = :seen")
                .expression_attribute_values(":seen", n(revision)),
        };
        let put = put.build().map_err(unfit)?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// An entry from what it was to what it is, which may be another place.
    pub(super) fn changes(
        &self,
        from: &Entry,
        to: &Entry,
    ) -> Result<Vec<TransactWriteItem>, Error> {
        if place(from) == place(to) {
            return Ok(vec![self.put(Self::item(to)?, Some(from.revision))?]);
        }
        Ok(vec![
            self.delete(&from.plant, place(from), from.revision)?,
            self.put(Self::item(to)?, None)?,
        ])
    }

    pub(super) fn delete(
        &self,
        plant: &PlantCode,
        sk: String,
        seen: u64,
    ) -> Result<TransactWriteItem, Error> {
        let delete = Delete::builder()
            .table_name(&self.name)
            .set_key(Some(Self::key(plant, sk)))
            .condition_expression("revision = :seen")
            .expression_attribute_values(":seen", n(seen))
            .build()
            .map_err(unfit)?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }

    pub(super) async fn write(&self, items: Vec<TransactWriteItem>) -> Result<(), Error> {
        self.client
            .transact_write_items()
            .set_transact_items(Some(items))
            .send()
            .await
            .map(drop)
            .map_err(transaction_error)
    }

    pub(super) async fn get(&self, plant: &PlantCode, sk: String) -> Result<Option<Item>, Error> {
        let get = self
            .client
            .get_item()
            .table_name(&self.name)
            .set_key(Some(Self::key(plant, sk)))
            .consistent_read(true);
        Ok(get.send().await.map_err(unavailable)?.item)
    }

    /// Plants of a shard that a sender should have looked at before a time.
    ///
    /// # Errors
    /// When the store is not available.
    pub async fn waiting_plants(
        &self,
        shard: u8,
        until: Timestamp,
        limit: i32,
    ) -> Result<Vec<PlantCode>, Error> {
        let query = self
            .client
            .query()
            .table_name(&self.name)
            .index_name("wake")
            .limit(limit)
            .key_condition_expression("wake_shard = :shard AND wake_at <= :until")
            .expression_attribute_values(":shard", s(shard.to_string()))
            .expression_attribute_values(":until", s(until.to_string()));
        let answer = query.send().await.map_err(unavailable)?;
        Ok(answer
            .items()
            .iter()
            .filter_map(|item| text(item, "pk")?.parse().ok())
            .collect())
    }

    /// Lets a sender look at a plant at a time, whatever there is to send.
    ///
    /// # Errors
    /// When the store is not available.
    pub async fn look_at(&self, plant: &PlantCode, at: Timestamp) -> Result<(), Error> {
        let update = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(Self::key(plant, "counter")))
            .update_expression("SET wake_shard = :shard, wake_at = :at")
            // A plant that was never told anything has nothing to be looked at.
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":shard", s(shard(plant)))
            .expression_attribute_values(":at", s(at.to_string()));
        happened(update.send().await).map(drop)
    }

    /// Why nothing is sent to a webhook any more.
    ///
    /// # Errors
    /// When the store is not available.
    pub async fn stopped(&self, plant: &PlantCode) -> Result<Option<Stop>, Error> {
        let Some(item) = self.get(plant, "stopped".to_owned()).await? else {
            return Ok(None);
        };
        serde_json::from_str(text(&item, "body").unwrap_or_default())
            .map(Some)
            .map_err(unfit)
    }

    /// Remembers that nothing is sent to a webhook any more.
    ///
    /// # Errors
    /// When the store is not available.
    pub async fn stop(&self, plant: &PlantCode, stop: &Stop) -> Result<(), Error> {
        let mut item = Self::key(plant, "stopped");
        item.insert(
            "body".to_owned(),
            s(serde_json::to_string(stop).map_err(unfit)?),
        );
        let put = self.client.put_item().table_name(&self.name);
        put.set_item(Some(item))
            .send()
            .await
            .map(drop)
            .map_err(unavailable)
    }

    /// Lets a webhook that was stopped be tried again.
    ///
    /// # Errors
    /// When the store is not available.
    pub async fn go_on(&self, plant: &PlantCode) -> Result<(), Error> {
        let delete = self.client.delete_item().table_name(&self.name);
        delete
            .set_key(Some(Self::key(plant, "stopped")))
            .send()
            .await
            .map(drop)
            .map_err(unavailable)
    }

    fn counted(&self, plant: &PlantCode, next: u64, at: Timestamp) -> Result<Update, Error> {
        let first = next == 1;
        let update = Update::builder()
            .table_name(&self.name)
            .set_key(Some(Self::key(plant, "counter")))
            .update_expression("SET #next = :after, wake_shard = :shard, wake_at = :at")
            .condition_expression(if first {
                "attribute_not_exists(pk)"
            } else {
                "#next = :seen"
            })
            .expression_attribute_names("#next", "next")
            .expression_attribute_values(":after", n(next + 1))
            .expression_attribute_values(":shard", s(shard(plant)))
            .expression_attribute_values(":at", s(at.to_string()));
        let update = if first {
            update
        } else {
            update.expression_attribute_values(":seen", n(next))
        };
        update.build().map_err(unfit)
    }
}

impl Shelf for Table {
    async fn work(&self, plant: &PlantCode) -> Result<Work, Error> {
        let item = self.get(plant, "counter".to_owned()).await?;
        let item = item.unwrap_or_default();
        Ok(Work {
            next: number(&item, "next").unwrap_or(1),
            wake_at: text(&item, "wake_at").and_then(|at| at.parse().ok()),
        })
    }

    async fn newest(&self, plant: &PlantCode, document: &str) -> Result<Option<Newest>, Error> {
        let item = self.get(plant, document_key(document)).await?;
        Ok(item.and_then(|item| {
            Some(Newest {
                version: number(&item, "version")?,
                position: number(&item, "position")?,
            })
        }))
    }

    async fn entry(&self, plant: &PlantCode, position: u64) -> Result<Option<Entry>, Error> {
        // An entry moves to the settled ones, and by a person's hand back: looked for twice, it is found.
        let open = entry_key(position);
        for sk in [open.clone(), format!("~{open}"), open] {
            if let Some(item) = self.get(plant, sk).await? {
                return read(&item).map(Some);
            }
        }
        Ok(None)
    }

    async fn open(&self, plant: &PlantCode, after: u64, most: usize) -> Result<Page, Error> {
        let mut page = Page::default();
        let mut start = None;
        let mut bytes = 0;
        loop {
            let query = self
                .client
                .query()
                .table_name(&self.name)
                .consistent_read(true)
                .key_condition_expression("pk = :pk AND sk BETWEEN :after AND :end")
                .expression_attribute_values(":pk", s(plant.as_str()))
                .expression_attribute_values(":after", s(entry_key(after.saturating_add(1))))
                .expression_attribute_values(":end", s("entry#~"))
                .limit(i32::try_from(most + 1).unwrap_or(i32::MAX))
                .set_exclusive_start_key(start);
            let answer = query.send().await.map_err(unavailable)?;
            for item in answer.items() {
                bytes += text(item, "body").map_or(0, str::len);
                let fits =
                    page.entries.len() < most && (bytes <= PAGE_BYTES || page.entries.is_empty());
                if !fits {
                    page.more = true;
                    return Ok(page);
                }
                page.entries.push(read(item)?);
            }
            start = answer.last_evaluated_key;
            if start.is_none() {
                return Ok(page);
            }
        }
    }

    async fn add(&self, addition: &Addition) -> Result<(), Error> {
        let entry = &addition.entry;
        let plant = &entry.plant;
        let mut document = Self::key(plant, document_key(&entry.document));
        document.extend([
            ("document".to_owned(), s(&entry.document)),
            ("version".to_owned(), n(entry.version)),
            ("position".to_owned(), n(entry.position)),
            ("revision".to_owned(), n(entry.position)),
        ]);
        let seen = addition.seen.as_ref().map(|seen| seen.position);
        let counted = self.counted(plant, entry.position, entry.offered_at)?;
        let mut items = vec![
            TransactWriteItem::builder().update(counted).build(),
            self.put(Self::item(entry)?, None)?,
            self.put(document, seen)?,
        ];
        if let Some(older) = &addition.obsolete {
            let state = State::Obsolete { by: entry.position };
            let obsolete = older.moved(state, None, entry.offered_at);
            items.extend(self.changes(older, &obsolete)?);
        }
        self.write(items).await
    }

    async fn change(&self, from: &Entry, to: &Entry) -> Result<(), Error> {
        self.write(self.changes(from, to)?).await
    }

    async fn rest(
        &self,
        plant: &PlantCode,
        seen: Work,
        wake_at: Option<Timestamp>,
    ) -> Result<(), Error> {
        let update = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(Self::key(plant, "counter")))
            .expression_attribute_names("#next", "next")
            .expression_attribute_values(":next", n(seen.next));
        let update = match seen.wake_at {
            None => update.condition_expression("#next = :next AND attribute_not_exists(wake_at)"),
            Some(at) => update
                .condition_expression("#next = :next AND wake_at = :seen")
                .expression_attribute_values(":seen", s(at.to_string())),
        };
        let update = match wake_at {
            None => update.update_expression("REMOVE wake_shard, wake_at"),
            Some(at) => update
                .update_expression("SET wake_shard = :shard, wake_at = :at")
                .expression_attribute_values(":shard", s(shard(plant)))
                .expression_attribute_values(":at", s(at.to_string())),
        };
        if happened(update.send().await)? {
            Ok(())
        } else {
            Err(Error::Conflict)
        }
    }

    async fn claim(
        &self,
        plant: &PlantCode,
        sender: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, Error> {
        let update = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(Self::key(plant, "sender")))
            .update_expression("SET sender = :sender, lease_until = :until")
            .condition_expression(
                "attribute_not_exists(sender) OR sender = :sender OR lease_until <= :now",
            )
            .expression_attribute_values(":sender", s(sender))
            .expression_attribute_values(":until", s(until.to_string()))
            .expression_attribute_values(":now", s(now.to_string()));
        happened(update.send().await)
    }

    async fn release(&self, plant: &PlantCode, sender: &str) -> Result<(), Error> {
        let delete = self
            .client
            .delete_item()
            .table_name(&self.name)
            .set_key(Some(Self::key(plant, "sender")))
            .condition_expression("sender = :sender")
            .expression_attribute_values(":sender", s(sender));
        happened(delete.send().await).map(drop)
    }
}
