//! The audit of plants: notes that wait for their place, and the chain that they are linked to.
//!
//! A note is written in the same transaction as what it tells of, into the table of lifecycles, where it waits
//! (see [`pending`]). The function `audit-chain` alone links notes to the chain, in a table in which no
//! function may delete; in one transaction each time: the records, the new head if it is still the one that was
//! seen, and the waiting notes gone. So each note is linked once, whoever dies, and however many try.
//! The end of the chain is anchored in the bucket now and then, so that records taken away at the end are missed.

mod pending;

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem};
use interplant_domain::audit::{Anchor, Head, Note, link};
use interplant_domain::identifier::{LifecycleId, PlantCode};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::store::{Error, transaction_error, unavailable};

pub(crate) use pending::pending;
pub use pending::{SHARDS, Waiting};

/// Notes that are linked in one transaction: it takes a hundred items, and each note may need two of them.
const PER_TRANSACTION: usize = 45;

/// Waiting items that are read at once.
const PER_READ: i32 = 50;

/// Somebody else linked first: so often the head is read again before the message comes back later.
const ATTEMPTS: usize = 8;

/// What `audit-chain` is told: whose notes wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainMessage {
    /// The plant.
    pub plant: PlantCode,
}

/// The audit of all plants.
#[derive(Debug, Clone)]
pub struct Audit {
    dynamo: Client,
    s3: aws_sdk_s3::Client,
    sqs: aws_sdk_sqs::Client,
    places: Places,
}

/// Where everything of the audit lies.
#[derive(Debug, Clone)]
pub struct Places {
    /// The table of lifecycles, in which notes wait.
    pub waiting: String,
    /// The table of chains.
    pub chains: String,
    /// The bucket with the anchors.
    pub bucket: String,
    /// The queue to `audit-chain`.
    pub queue_url: String,
}

/// What linking did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chained {
    /// Notes that were linked.
    pub linked: usize,
    /// Whether time ran out before all were.
    pub more: bool,
}

/// When the end of the chain may be anchored next; none when it is.
pub type NextAnchor = Option<SignedDuration>;

fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

fn n(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

fn text<'i>(item: &'i HashMap<String, AttributeValue>, name: &str) -> Option<&'i str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

fn number(item: &HashMap<String, AttributeValue>, name: &str) -> Option<u64> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

fn unfit(error: impl std::fmt::Display) -> Error {
    Error::Unreadable(format!("audit: {error}"))
}

fn record_key(sequence: u64) -> String {
    format!("record#{sequence:012}")
}

fn anchor_folder(plant: &PlantCode) -> String {
    format!("audit/{plant}/")
}

impl Audit {
    /// The audit in its places.
    #[must_use]
    pub fn new(
        dynamo: Client,
        s3: aws_sdk_s3::Client,
        sqs: aws_sdk_sqs::Client,
        places: Places,
    ) -> Self {
        Self {
            dynamo,
            s3,
            sqs,
            places,
        }
    }

    fn key(plant: &PlantCode, sk: impl Into<String>) -> HashMap<String, AttributeValue> {
        HashMap::from([
            ("pk".to_owned(), s(format!("plant#{plant}"))),
            ("sk".to_owned(), s(sk)),
        ])
    }

    /// Notes something that happens outside of lifecycles. Called before it is done: what a person asked for
    /// is then in the audit even if it fails half way.
    ///
    /// # Errors
    /// When the store is not available.
    pub async fn note(&self, note: &Note) -> Result<(), Error> {
        let items = pending(&self.places.waiting, std::slice::from_ref(note))?;
        let write = self.dynamo.transact_write_items();
        write
            .set_transact_items(Some(items))
            .send()
            .await
            .map(drop)
            .map_err(transaction_error)
    }

    /// Tells `audit-chain` of a plant, now or later.
    ///
    /// # Errors
    /// When the queue is not available; the sweeper tells of it again.
    pub async fn wake(&self, plant: &PlantCode, after: Duration) -> Result<(), Error> {
        let message = ChainMessage {
            plant: plant.clone(),
        };
        crate::queue::send(&self.sqs, &self.places.queue_url, &message, after).await
    }

    /// Links everything that waits to the plant's chain, in the order of time.
    ///
    /// # Errors
    /// When a store is not available, or others were faster again and again.
    pub async fn chain(
        &self,
        plant: &PlantCode,
        until: impl Fn() -> bool,
    ) -> Result<Chained, Error> {
        let mut chained = Chained::default();
        let mut lost = 0;
        loop {
            let waiting = self.waiting(plant, PER_READ).await?;
            if waiting.is_empty() {
                return Ok(chained);
            }
            if until() {
                chained.more = true;
                return Ok(chained);
            }
            let head = self.head(plant).await?;
            crate::failpoint!("audit.before_link");
            match self.link(plant, &head, &waiting).await {
                Ok(linked) => {
                    crate::failpoint!("audit.after_link");
                    chained.linked += linked;
                    lost = 0;
                }
                Err(Error::Conflict) if lost < ATTEMPTS => lost += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// Links the first of the notes in one transaction; how many.
    async fn link(
        &self,
        plant: &PlantCode,
        before: &Head,
        waiting: &[Waiting],
    ) -> Result<usize, Error> {
        let mut items = Vec::new();
        let mut head = before.clone();
        let mut linked = 0;
        for one in waiting {
            if linked > 0 && linked + one.notes.len() > PER_TRANSACTION {
                break;
            }
            for note in &one.notes {
                let next = link(&head, note).map_err(unfit)?;
                items.push(self.record(plant, note, next.head.sequence, &next.text)?);
                head = next.head;
                linked += 1;
            }
            let gone = Delete::builder()
                .table_name(&self.places.waiting)
                .set_key(Some(one.key.clone()))
                .condition_expression("attribute_exists(pk)")
                .build()
                .map_err(unfit)?;
            items.push(TransactWriteItem::builder().delete(gone).build());
        }
        items.push(self.put_head(plant, before, &head)?);
        let write = self.dynamo.transact_write_items();
        write
            .set_transact_items(Some(items))
            .send()
            .await
            .map_err(transaction_error)?;
        Ok(linked)
    }

    fn record(
        &self,
        plant: &PlantCode,
        note: &Note,
        sequence: u64,
        text: &str,
    ) -> Result<TransactWriteItem, Error> {
        let mut item = Self::key(plant, record_key(sequence));
        item.insert("body".to_owned(), s(text));
        if let Some(lifecycle) = &note.subject.lifecycle {
            item.insert("lifecycle".to_owned(), s(lifecycle.to_string()));
            item.insert("sequence".to_owned(), n(sequence));
        }
        let put = Put::builder()
            .table_name(&self.places.chains)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk)")
            .build()
            .map_err(unfit)?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    fn put_head(
        &self,
        plant: &PlantCode,
        before: &Head,
        head: &Head,
    ) -> Result<TransactWriteItem, Error> {
        let mut item = Self::key(plant, "head");
        item.insert("sequence".to_owned(), n(head.sequence));
        item.insert("hash".to_owned(), s(&head.hash));
        let put = Put::builder()
            .table_name(&self.places.chains)
            .set_item(Some(item));
        let put = if before.sequence == 0 {
            put.condition_expression("attribute_not_exists(pk)")
        } else {
            put.condition_expression("#sequence = :seen AND #hash = :hash")
                .expression_attribute_names("#sequence", "sequence")
                .expression_attribute_names("#hash", "hash")
                .expression_attribute_values(":seen", n(before.sequence))
                .expression_attribute_values(":hash", s(&before.hash))
        };
        Ok(TransactWriteItem::builder()
            .put(put.build().map_err(unfit)?)
            .build())
    }

    /// Writes the end of the chain into the bucket, but not more often than `every`.
    ///
    /// # Errors
    /// When a store is not available.
    pub async fn anchor(
        &self,
        plant: &PlantCode,
        every: SignedDuration,
        now: Timestamp,
    ) -> Result<NextAnchor, Error> {
        let head = self.head(plant).await?;
        let last = self.item(plant, "anchored").await?.unwrap_or_default();
        if number(&last, "sequence").unwrap_or(0) >= head.sequence {
            return Ok(None);
        }
        let at: Option<Timestamp> = text(&last, "at").and_then(|at| at.parse().ok());
        let wait = at.map_or(SignedDuration::ZERO, |at| every - now.duration_since(at));
        if wait.is_positive() {
            return Ok(Some(wait));
        }
        let anchor = Anchor {
            plant: plant.clone(),
            sequence: head.sequence,
            hash: head.hash,
            at: now,
        };
        let body = serde_json::to_vec(&anchor).map_err(unfit)?;
        self.s3
            .put_object()
            .bucket(&self.places.bucket)
            .key(format!(
                "{}{:012}.json",
                anchor_folder(plant),
                anchor.sequence
            ))
            .body(body.into())
            .send()
            .await
            .map_err(unavailable)?;
        crate::failpoint!("audit.after_anchor");
        let mut item = Self::key(plant, "anchored");
        item.insert("sequence".to_owned(), n(anchor.sequence));
        item.insert("at".to_owned(), s(now.to_string()));
        let put = self.dynamo.put_item().table_name(&self.places.chains);
        put.set_item(Some(item)).send().await.map_err(unavailable)?;
        Ok(None)
    }

    /// The end of a plant's chain, as it is kept beside it.
    ///
    /// # Errors
    /// When the store is not available or the head cannot be read.
    pub async fn head(&self, plant: &PlantCode) -> Result<Head, Error> {
        let Some(item) = self.item(plant, "head").await? else {
            return Ok(Head::default());
        };
        match (number(&item, "sequence"), text(&item, "hash")) {
            (Some(sequence), Some(hash)) => Ok(Head {
                sequence,
                hash: hash.to_owned(),
            }),
            _ => Err(unfit(format!("the head of {plant} is damaged"))),
        }
    }

    async fn item(
        &self,
        plant: &PlantCode,
        sk: &str,
    ) -> Result<Option<HashMap<String, AttributeValue>>, Error> {
        let get = self
            .dynamo
            .get_item()
            .table_name(&self.places.chains)
            .set_key(Some(Self::key(plant, sk)))
            .consistent_read(true);
        Ok(get.send().await.map_err(unavailable)?.item)
    }

    /// The next records behind a number, as they are stored; empty at the end of the chain.
    ///
    /// # Errors
    /// When the store is not available.
    pub async fn records(
        &self,
        plant: &PlantCode,
        after: u64,
    ) -> Result<Vec<(u64, String)>, Error> {
        let query = self
            .dynamo
            .query()
            .table_name(&self.places.chains)
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND sk BETWEEN :after AND :end")
            .expression_attribute_values(":pk", s(format!("plant#{plant}")))
            .expression_attribute_values(":after", s(record_key(after.saturating_add(1))))
            .expression_attribute_values(":end", s("record#~"));
        let answer = query.send().await.map_err(unavailable)?;
        let record = |item: &HashMap<String, AttributeValue>| {
            let at = text(item, "sk")?.strip_prefix("record#")?.parse().ok()?;
            Some((at, text(item, "body").unwrap_or_default().to_owned()))
        };
        Ok(answer.items().iter().filter_map(record).collect())
    }

    /// The records of a lifecycle, as they are stored, in the order of the chain.
    ///
    /// # Errors
    /// When the store is not available.
    pub async fn of_lifecycle(&self, id: &LifecycleId) -> Result<Vec<String>, Error> {
        let mut records = Vec::new();
        let mut start = None;
        loop {
            let query = self
                .dynamo
                .query()
                .table_name(&self.places.chains)
                .index_name("by_lifecycle")
                .key_condition_expression("lifecycle = :id")
                .expression_attribute_values(":id", s(id.to_string()))
                .set_exclusive_start_key(start);
            let answer = query.send().await.map_err(unavailable)?;
            let keys = answer.items().iter().filter_map(|item| text(item, "sk"));
            for key in keys {
                if let Some(item) = self.item(id.plant(), key).await? {
                    records.push(text(&item, "body").unwrap_or_default().to_owned());
                }
            }
            start = answer.last_evaluated_key().cloned();
            if start.is_none() {
                return Ok(records);
            }
        }
    }

    /// The anchors of a plant, in the order of the chain.
    ///
    /// # Errors
    /// When the bucket is not available or an anchor cannot be read.
    pub async fn anchors(&self, plant: &PlantCode) -> Result<Vec<Anchor>, Error> {
        let mut anchors = Vec::new();
        for key in self.keys(&anchor_folder(plant)).await? {
            let get = self.s3.get_object().bucket(&self.places.bucket).key(&key);
            let body = get.send().await.map_err(unavailable)?.body;
            let bytes = body.collect().await.map_err(unfit)?.into_bytes();
            anchors.push(
                serde_json::from_slice(&bytes)
                    .map_err(|error| unfit(format!("the anchor {key} is damaged: {error}")))?,
            );
        }
        Ok(anchors)
    }

    /// The plants that have an anchor: a chain that was taken away whole is missed by it.
    ///
    /// # Errors
    /// When the bucket is not available.
    pub async fn anchored_plants(&self) -> Result<BTreeSet<PlantCode>, Error> {
        let keys = self.keys("audit/").await?;
        let plants = keys
            .iter()
            .filter_map(|key| key.split('/').nth(1)?.parse().ok());
        Ok(plants.collect())
    }

    async fn keys(&self, prefix: &str) -> Result<Vec<String>, Error> {
        let mut keys = Vec::new();
        let mut token = None;
        loop {
            let list = self
                .s3
                .list_objects_v2()
                .bucket(&self.places.bucket)
                .prefix(prefix)
                .set_continuation_token(token);
            let answer = list.send().await.map_err(unavailable)?;
            keys.extend(
                answer
                    .contents()
                    .iter()
                    .filter_map(|object| object.key().map(str::to_owned)),
            );
            token = answer.next_continuation_token().map(str::to_owned);
            if token.is_none() {
                return Ok(keys);
            }
        }
    }

    /// Plants of a shard of which notes wait: the sweeper tells `audit-chain` of them.
    ///
    /// # Errors
    /// When the store is not available.
    pub async fn waiting_plants(&self, shard: u8) -> Result<Vec<PlantCode>, Error> {
        pending::plants(&self.dynamo, &self.places.waiting, shard).await
    }

    /// What waits for its place in the chain of a plant, the oldest first.
    ///
    /// # Errors
    /// When the store is not available or a note cannot be read.
    pub async fn waiting(&self, plant: &PlantCode, most: i32) -> Result<Vec<Waiting>, Error> {
        pending::read(&self.dynamo, &self.places.waiting, plant, most).await
    }
}
