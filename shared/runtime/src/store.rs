//! The record of lifecycles: what a store must be able to do, and DynamoDB doing it.
//!
//! One partition holds everything about a lifecycle. Open things have plain sort keys and are read in one
//! strongly consistent query; what is settled moves behind `~`, so that an order with a thousand receipts
//! is read as fast as one with two.

mod exceptions;
mod jobs;

pub use exceptions::{Group, OpenException, Wanted, groups, place};
pub use jobs::{Job, JobState, Member, Refused};

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem, Update};
use interplant_domain::identifier::{EventId, LifecycleId, PlantCode, sha256_hex};
use interplant_domain::lifecycle::{Commit, FinishedOperation, Header, Lifecycle, Status, Waiter};
use interplant_domain::mailbox::{Entry, RaisedException};
use interplant_domain::purchase_order::{Line, Step};
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Lines that share one item: an item holds 400 KB, a transaction 100 items; so an order of a thousand
/// lines changes in one transaction.
const LINES_PER_ITEM: usize = 100;

/// The sweeper's index has this many partitions, so that no single key is written by everybody.
pub const ATTENTION_SHARDS: u8 = 8;

/// Why a store did not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Somebody else changed the record first: read again, decide again.
    #[error("the record changed meanwhile")]
    Conflict,
    /// The store did not answer, or is too busy.
    #[error("the store is not available: {0}")]
    Unavailable(String),
    /// What is stored cannot be read: written by a newer release, or damaged.
    #[error("the stored record cannot be read: {0}")]
    Unreadable(String),
}

/// A fact on its way into a mailbox, before it has a position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The lifecycle.
    pub lifecycle: LifecycleId,
    /// The entry; its sequence is given by the store.
    pub entry: Entry,
}

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appended {
    /// It is in the mailbox now.
    New,
    /// It was there before: the delivery was repeated.
    Repeated,
}

/// What the protocol needs of a store. Every method is atomic.
#[expect(
    async_fn_in_trait,
    reason = "used within the workspace only, by functions that poll one future at a time"
)]
pub trait Store {
    /// Puts a fact at the end of its lifecycle's mailbox, once, whatever happens.
    ///
    /// # Errors
    /// When the store is not available.
    async fn append(&self, delivery: &Delivery, now: Timestamp) -> Result<Appended, Error>;

    /// Everything open about a lifecycle, strongly consistent.
    ///
    /// # Errors
    /// When the store is not available or the record cannot be read.
    async fn load(&self, id: &LifecycleId) -> Result<Option<Lifecycle>, Error>;

    /// Applies a change whole, if the revision is still the one that the change was made from.
    ///
    /// # Errors
    /// [`Error::Conflict`] when it is not.
    async fn commit(&self, commit: &Commit) -> Result<(), Error>;

    /// Parks the token of a waiting execution, unless a newer generation's is there.
    ///
    /// # Errors
    /// [`Error::Conflict`] when a newer generation waits.
    async fn park(&self, id: &LifecycleId, waiter: &Waiter) -> Result<(), Error>;

    /// Removes a parked token, if it is still this one.
    ///
    /// # Errors
    /// When the store is not available; not when another token is there.
    async fn unpark(&self, id: &LifecycleId, epoch: &str) -> Result<(), Error>;

    /// What stands under a name that several lifecycles share, with its revision; 0 when nothing does.
    ///
    /// # Errors
    /// When the store is not available.
    async fn registered(&self, name: &str) -> Result<(Option<String>, u64), Error>;

    /// Writes what stands under a name, if the revision is still the one that was seen.
    ///
    /// # Errors
    /// [`Error::Conflict`] when it is not.
    async fn register(&self, name: &str, text: &str, seen: u64) -> Result<(), Error>;
}

/// The store in DynamoDB.
#[derive(Debug, Clone)]
pub struct DynamoStore {
    client: Client,
    table: String,
    check: Duration,
}

/// One item of a lifecycle's history, as `show` reads it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct History {
    /// Facts that are settled.
    pub entries: Vec<Entry>,
    /// Exceptions that are resolved.
    pub exceptions: Vec<RaisedException>,
    /// Operations that are done.
    pub operations: Vec<FinishedOperation>,
}

fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

fn n(number: impl ToString) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

fn body<T: Serialize>(value: &T) -> Result<AttributeValue, Error> {
    serde_json::to_string(value)
        .map(s)
        .map_err(|error| Error::Unreadable(error.to_string()))
}

fn read<T: DeserializeOwned>(item: &HashMap<String, AttributeValue>) -> Result<T, Error> {
    let text = item
        .get("body")
        .and_then(|value| value.as_s().ok())
        .ok_or_else(|| Error::Unreadable("an item has no body".to_owned()))?;
    serde_json::from_str(text).map_err(|error| Error::Unreadable(error.to_string()))
}

/// A head; where facts are only kept nothing else says when the last one came than its place in the list.
fn read_header(item: &HashMap<String, AttributeValue>) -> Result<Header, Error> {
    let mut header: Header = read(item)?;
    let listed_at = item
        .get("list_at")
        .and_then(|at| at.as_s().ok()?.parse::<Timestamp>().ok());
    header.updated_at = header
        .updated_at
        .max(listed_at.unwrap_or(header.updated_at));
    Ok(header)
}

fn sort_key(item: &HashMap<String, AttributeValue>) -> &str {
    item.get("sk")
        .and_then(|value| value.as_s().ok())
        .map_or("", String::as_str)
}

/// The list that a lifecycle is in. What is only kept has a list of its own: thousands of production orders
/// must not hide the purchase orders that somebody looks for.
fn list_name(plant: &PlantCode, only_kept: bool) -> String {
    if only_kept {
        format!("{plant} recorded")
    } else {
        plant.to_string()
    }
}

/// The shard of a lifecycle in the sweeper's index.
fn attention_shard(id: &LifecycleId) -> String {
    let byte = u8::from_str_radix(&id.hash()[..2], 16).unwrap_or_default();
    (byte % ATTENTION_SHARDS).to_string()
}

/// Any error of the SDK: unavailable, unless a condition failed.
pub(crate) fn unavailable<E: std::error::Error + 'static, R: std::fmt::Debug>(
    error: SdkError<E, R>,
) -> Error {
    Error::Unavailable(aws_sdk_dynamodb::error::DisplayErrorContext(error).to_string())
}

/// Whether a conditional write took place; not when its condition did not hold.
pub(crate) fn happened<T, E, R>(outcome: Result<T, SdkError<E, R>>) -> Result<bool, Error>
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
    R: std::fmt::Debug,
{
    match outcome {
        Ok(_) => Ok(true),
        Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(false),
        Err(error) => Err(unavailable(error)),
    }
}

/// Whether a transaction did not take place because a condition of it does not hold.
fn condition_failed<R>(error: &SdkError<TransactWriteItemsError, R>) -> bool {
    error.as_service_error().is_some_and(|service| {
        matches!(service, TransactWriteItemsError::TransactionCanceledException(cancelled)
            if cancelled.cancellation_reasons().iter().any(|reason| reason.code() == Some("ConditionalCheckFailed")))
    })
}

pub(crate) fn transaction_error<R: std::fmt::Debug>(
    error: SdkError<TransactWriteItemsError, R>,
) -> Error {
    let cancelled = error.as_service_error().is_some_and(|service| {
        matches!(service, TransactWriteItemsError::TransactionCanceledException(cancelled)
            if cancelled.cancellation_reasons().iter().any(|reason| matches!(reason.code(), Some("ConditionalCheckFailed" | "TransactionConflict"))))
    });
    let code = error.as_service_error().and_then(|service| service.code());
    let unfit = code
        .and_then(interplant_odoo::known_of_aws)
        .is_some_and(|known| known.class == interplant_odoo::Meaning::Defect);
    if cancelled {
        Error::Conflict
    } else if unfit {
        // Too large, for instance: trying again would never help.
        Error::Unreadable(aws_sdk_dynamodb::error::DisplayErrorContext(error).to_string())
    } else {
        unavailable(error)
    }
}

impl DynamoStore {
    /// A store on a table; `check` is how soon the sweeper looks at an open lifecycle again.
    #[must_use]
    pub fn new(client: Client, table: String, check: Duration) -> Self {
        Self {
            client,
            table,
            check,
        }
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    pub(crate) fn table(&self) -> &str {
        &self.table
    }

    pub(crate) fn key(
        &self,
        id: &LifecycleId,
        sk: impl Into<String>,
    ) -> HashMap<String, AttributeValue> {
        HashMap::from([
            ("pk".to_owned(), s(id.to_string())),
            ("sk".to_owned(), s(sk)),
        ])
    }

    fn put(
        &self,
        id: &LifecycleId,
        sk: String,
        mut attributes: HashMap<String, AttributeValue>,
        condition: Option<&str>,
    ) -> Result<TransactWriteItem, Error> {
        attributes.extend(self.key(id, sk));
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(attributes))
            .set_condition_expression(condition.map(str::to_owned));
        let put = put
            .build()
            .map_err(|error| Error::Unreadable(error.to_string()))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    fn delete(&self, id: &LifecycleId, sk: String) -> Result<TransactWriteItem, Error> {
        let delete = Delete::builder()
            .table_name(&self.table)
            .set_key(Some(self.key(id, sk)))
            .build();
        Ok(TransactWriteItem::builder()
            .delete(delete.map_err(|error| Error::Unreadable(error.to_string()))?)
            .build())
    }

    fn header_attributes(&self, header: &Header) -> Result<HashMap<String, AttributeValue>, Error> {
        let mut attributes = HashMap::from([
            ("body".to_owned(), body(header)?),
            ("revision".to_owned(), n(header.revision)),
            (
                "list_plant".to_owned(),
                s(list_name(header.id.plant(), header.id.kind().only_keeps())),
            ),
            ("list_at".to_owned(), s(header.updated_at.to_string())),
        ]);
        if matches!(header.status, Status::Running | Status::Expected) {
            let at = header.updated_at + self.check;
            attributes.insert("attention_shard".to_owned(), s(attention_shard(&header.id)));
            attributes.insert("attention_at".to_owned(), s(at.to_string()));
        }
        Ok(attributes)
    }

    /// Lets the sweeper look at a lifecycle again at a later time, without a change of the record.
    ///
    /// # Errors
    /// When the store is not available.
    pub async fn look_again(&self, id: &LifecycleId, at: Timestamp) -> Result<(), Error> {
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(self.key(id, "header")));
        let update = update
            .update_expression("SET attention_at = :at")
            .condition_expression("attribute_exists(attention_shard)")
            .expression_attribute_values(":at", s(at.to_string()));
        happened(update.send().await).map(drop)
    }

    /// Lifecycles of a shard that the sweeper should look at now.
    ///
    /// # Errors
    /// When the store is not available.
    pub async fn wanting_attention(
        &self,
        shard: u8,
        now: Timestamp,
        limit: i32,
    ) -> Result<Vec<LifecycleId>, Error> {
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("attention")
            .key_condition_expression("attention_shard = :shard AND attention_at <= :now")
            .expression_attribute_values(":shard", s(shard.to_string()))
            .expression_attribute_values(":now", s(now.to_string()))
            .limit(limit)
            .send()
            .await
            .map_err(unavailable)?;
        Ok(answer
            .items()
            .iter()
            .filter_map(|item| item.get("pk")?.as_s().ok()?.parse().ok())
            .collect())
    }

    /// Whether any lifecycle of a shard is open.
    ///
    /// # Errors
    /// When the store is not available.
    pub async fn has_open(&self, shard: u8) -> Result<bool, Error> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("attention")
            .limit(1);
        let answer = query
            .key_condition_expression("attention_shard = :shard")
            .expression_attribute_values(":shard", s(shard.to_string()))
            .send()
            .await;
        Ok(!answer.map_err(unavailable)?.items().is_empty())
    }

    /// The lifecycles of a plant, the last changed first: at most so many that are followed, then as many
    /// that are only kept.
    ///
    /// # Errors
    /// When the store is not available or a record cannot be read.
    pub async fn list(&self, plant: &PlantCode, limit: usize) -> Result<Vec<Header>, Error> {
        let mut headers = self.listed(list_name(plant, false), limit).await?;
        headers.extend(self.listed(list_name(plant, true), limit).await?);
        Ok(headers)
    }

    async fn listed(&self, name: String, limit: usize) -> Result<Vec<Header>, Error> {
        let mut headers = Vec::new();
        let mut start = None;
        loop {
            let query = self
                .client
                .query()
                .table_name(&self.table)
                .index_name("by_plant")
                .scan_index_forward(false)
                .set_exclusive_start_key(start);
            let query = query
                .key_condition_expression("list_plant = :plant")
                .expression_attribute_values(":plant", s(&name));
            let answer = query.send().await.map_err(unavailable)?;
            for item in answer.items() {
                let Some(id) = item
                    .get("pk")
                    .and_then(|pk| pk.as_s().ok())
                    .and_then(|pk| pk.parse::<LifecycleId>().ok())
                else {
                    continue;
                };
                let read_again = self
                    .client
                    .get_item()
                    .table_name(&self.table)
                    .set_key(Some(self.key(&id, "header")))
                    .consistent_read(true);
                if let Some(item) = read_again.send().await.map_err(unavailable)?.item() {
                    headers.push(read_header(item)?);
                }
                if headers.len() >= limit {
                    return Ok(headers);
                }
            }
            start = answer.last_evaluated_key().cloned();
            if start.is_none() {
                return Ok(headers);
            }
        }
    }

    /// What is settled about a lifecycle.
    ///
    /// # Errors
    /// When the store is not available or a record cannot be read.
    pub async fn history(&self, id: &LifecycleId) -> Result<History, Error> {
        let mut history = History::default();
        for item in self.items(id, "sk > :border").await? {
            let sk = sort_key(&item);
            if sk.starts_with("~event#") {
                history.entries.push(read(&item)?);
            } else if sk.starts_with("~exception#") {
                history.exceptions.push(read(&item)?);
            } else if sk.starts_with("~operation#") {
                history.operations.push(read(&item)?);
            }
        }
        Ok(history)
    }

    /// A fact of a lifecycle, wherever it stands.
    ///
    /// # Errors
    /// When the store is not available or the record cannot be read.
    pub async fn entry(
        &self,
        id: &LifecycleId,
        event_id: &EventId,
    ) -> Result<Option<Entry>, Error> {
        let get = |sk: String| {
            self.client
                .get_item()
                .table_name(&self.table)
                .set_key(Some(self.key(id, sk)))
                .consistent_read(true)
                .send()
        };
        let delivered = get(format!("~delivered#{event_id}"))
            .await
            .map_err(unavailable)?;
        let sequence = delivered
            .item()
            .and_then(|item| item.get("sequence")?.as_n().ok()?.parse().ok());
        let Some(sequence) = sequence else {
            return Ok(None);
        };
        // Settled facts move once; looking at the settled place last cannot miss one that moves meanwhile.
        for sk in [event_key(sequence), format!("~{}", event_key(sequence))] {
            if let Some(item) = get(sk).await.map_err(unavailable)?.item() {
                return read(item).map(Some);
            }
        }
        Ok(None)
    }

    /// What a step has done with a fact.
    ///
    /// # Errors
    /// When the store is not available or the record cannot be read.
    pub async fn operation(
        &self,
        id: &LifecycleId,
        sequence: u64,
        step: Step,
    ) -> Result<Option<FinishedOperation>, Error> {
        let get = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(self.key(id, operation_key(sequence, step))))
            .consistent_read(true);
        let answer = get.send().await.map_err(unavailable)?;
        answer.item().map(read).transpose()
    }

    async fn items(
        &self,
        id: &LifecycleId,
        range: &str,
    ) -> Result<Vec<HashMap<String, AttributeValue>>, Error> {
        let mut items = Vec::new();
        let mut start = None;
        loop {
            let query = self
                .client
                .query()
                .table_name(&self.table)
                .consistent_read(true)
                .set_exclusive_start_key(start);
            let query = query
                .key_condition_expression(format!("pk = :pk AND {range}"))
                .expression_attribute_values(":pk", s(id.to_string()))
                .expression_attribute_values(":border", s("~"));
            let mut answer = query.send().await.map_err(unavailable)?;
            items.append(answer.items.get_or_insert_default());
            start = answer.last_evaluated_key;
            if start.is_none() {
                return Ok(items);
            }
        }
    }

    /// Whether the next tick of the sweeper is the caller's to send: one chain of ticks, however many start it.
    ///
    /// # Errors
    /// When the store is not available.
    pub async fn claim_tick(&self, now: Timestamp, next_at: Timestamp) -> Result<bool, Error> {
        self.claim("sweeper", now, next_at).await
    }

    /// Whether the next message of a chain of messages is the caller's to send, however many want to.
    ///
    /// # Errors
    /// When the store is not available.
    pub async fn claim(
        &self,
        chain: &str,
        now: Timestamp,
        next_at: Timestamp,
    ) -> Result<bool, Error> {
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", s(chain))
            .key("sk", s("tick"));
        let update = update
            .update_expression("SET next_at = :next")
            .condition_expression("attribute_not_exists(next_at) OR next_at <= :now")
            .expression_attribute_values(":next", s(next_at.to_string()))
            .expression_attribute_values(":now", s(now.to_string()));
        happened(update.send().await)
    }

    /// Records an exception beside the lifecycle, which goes on: two facts that contradict each other.
    ///
    /// # Errors
    /// When the store is not available.
    pub async fn raise_aside(
        &self,
        id: &LifecycleId,
        raised: &RaisedException,
        now: Timestamp,
    ) -> Result<(), Error> {
        let header = self.header_attributes(&Header::new(id.clone(), now))?;
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(
                header.into_iter().chain(self.key(id, "header")).collect(),
            ))
            .condition_expression("attribute_not_exists(pk)");
        happened(put.send().await)?;
        let mut items = crate::audit::pending(
            &self.table,
            &[interplant_domain::audit::Note::raised_aside(id, raised)],
        )?;
        items.push(self.put(
            id,
            format!("exception#{}", raised.id),
            exceptions::open_attributes(id, raised, None)?,
            Some("attribute_not_exists(pk)"),
        )?);
        let raise = self.client.transact_write_items();
        let raise = raise.set_transact_items(Some(items)).send().await;
        match raise {
            Ok(_) => Ok(()),
            // It was raised before.
            Err(error) if condition_failed(&error) => Ok(()),
            Err(error) => Err(transaction_error(error)),
        }
    }
}

impl Store for DynamoStore {
    async fn append(&self, delivery: &Delivery, now: Timestamp) -> Result<Appended, Error> {
        let id = &delivery.lifecycle;
        let delivered = format!("~delivered#{}", delivery.entry.event_id);
        // Two deliveries to one lifecycle at once: one of them counts first, the other counts again.
        for _ in 0..20 {
            let get = |sk: String| {
                self.client
                    .get_item()
                    .table_name(&self.table)
                    .set_key(Some(self.key(id, sk)))
                    .consistent_read(true)
                    .send()
            };
            if get(delivered.clone())
                .await
                .map_err(unavailable)?
                .item()
                .is_some()
            {
                return Ok(Appended::Repeated);
            }
            let counter = get("counter".to_owned()).await.map_err(unavailable)?;
            let sequence: u64 = counter
                .item()
                .and_then(|item| item.get("next")?.as_n().ok()?.parse().ok())
                .unwrap_or(1);
            let first = counter.item().is_none();
            let count = Update::builder()
                .table_name(&self.table)
                .set_key(Some(self.key(id, "counter")))
                .update_expression("SET #next = :after")
                .condition_expression(if first {
                    "attribute_not_exists(pk)"
                } else {
                    "#next = :seen"
                })
                .expression_attribute_names("#next", "next")
                .expression_attribute_values(":after", n(sequence + 1))
                .set_expression_attribute_values(Some({
                    let mut values = HashMap::from([(":after".to_owned(), n(sequence + 1))]);
                    if !first {
                        values.insert(":seen".to_owned(), n(sequence));
                    }
                    values
                }))
                .build()
                .map_err(|error| Error::Unreadable(error.to_string()))?;
            let entry = Entry {
                sequence,
                ..delivery.entry.clone()
            };
            let mut items = vec![
                TransactWriteItem::builder().update(count).build(),
                self.put(
                    id,
                    event_key(sequence),
                    HashMap::from([("body".to_owned(), body(&entry)?)]),
                    Some("attribute_not_exists(pk)"),
                )?,
                self.put(
                    id,
                    delivered.clone(),
                    HashMap::from([("sequence".to_owned(), n(sequence))]),
                    Some("attribute_not_exists(pk)"),
                )?,
            ];
            if first
                && get("header".to_owned())
                    .await
                    .map_err(unavailable)?
                    .item()
                    .is_none()
            {
                let header = self.header_attributes(&Header::new(id.clone(), now))?;
                items.push(self.put(
                    id,
                    "header".to_owned(),
                    header,
                    Some("attribute_not_exists(pk)"),
                )?);
            }
            // Where facts are only kept no step changes the head: its place in the list follows the facts.
            if !first && id.kind().only_keeps() {
                let listed = Update::builder()
                    .table_name(&self.table)
                    .set_key(Some(self.key(id, "header")))
                    .update_expression("SET list_at = :now")
                    .condition_expression("attribute_exists(pk)")
                    .expression_attribute_values(":now", s(now.to_string()))
                    .build()
                    .map_err(|error| Error::Unreadable(error.to_string()))?;
                items.push(TransactWriteItem::builder().update(listed).build());
            }
            match self
                .client
                .transact_write_items()
                .set_transact_items(Some(items))
                .send()
                .await
                .map_err(transaction_error)
            {
                Ok(_) => return Ok(Appended::New),
                Err(Error::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::Unavailable(format!(
            "too many deliveries to {id} at once"
        )))
    }

    async fn load(&self, id: &LifecycleId) -> Result<Option<Lifecycle>, Error> {
        let items = self.items(id, "sk < :border").await?;
        let Some(header) = items.iter().find(|item| sort_key(item) == "header") else {
            return Ok(None);
        };
        let mut lifecycle = Lifecycle {
            header: read_header(header)?,
            entries: Vec::new(),
            exceptions: Vec::new(),
            waiter: None,
            next_sequence: 1,
        };
        // In the order of their sort keys, so entries and lines come in their own order.
        let mut lines: Vec<Line> = Vec::new();
        for item in &items {
            let sk = sort_key(item);
            if sk.starts_with("event#") {
                lifecycle.entries.push(read(item)?);
            } else if sk.starts_with("exception#") {
                lifecycle.exceptions.push(read(item)?);
            } else if sk.starts_with("lines#") {
                lines.append(&mut read(item)?);
            } else if sk == "waiter" {
                lifecycle.waiter = Some(read(item)?);
            } else if sk == "counter" {
                lifecycle.next_sequence = item
                    .get("next")
                    .and_then(|next| next.as_n().ok()?.parse().ok())
                    .unwrap_or(1);
            }
        }
        if let Some(order) = &mut lifecycle.header.order {
            order.lines = lines;
        }
        Ok(Some(lifecycle))
    }

    async fn commit(&self, commit: &Commit) -> Result<(), Error> {
        let id = &commit.header.id;
        let notes = crate::audit::pending(&self.table, &commit.notes())?;
        let header = self.header_attributes(&commit.header)?;
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(
                header.into_iter().chain(self.key(id, "header")).collect(),
            ))
            .condition_expression("revision = :seen")
            .expression_attribute_values(":seen", n(commit.header.revision - 1))
            .build()
            .map_err(|error| Error::Unreadable(error.to_string()))?;
        let mut items = vec![TransactWriteItem::builder().put(put).build()];
        items.extend(notes);
        // Lines change only when a step is done; before that the items that are there stay right.
        if let Some(order) = commit.header.order.as_ref().filter(|_| {
            commit.finished.is_some()
                || commit
                    .exceptions
                    .iter()
                    .any(|raised| raised.resolution.is_some())
        }) {
            for (index, lines) in order.lines.chunks(LINES_PER_ITEM).enumerate() {
                items.push(self.put(
                    id,
                    format!("lines#{index:04}"),
                    HashMap::from([("body".to_owned(), body(&lines)?)]),
                    None,
                )?);
            }
        }
        for entry in &commit.entries {
            let attributes = HashMap::from([("body".to_owned(), body(entry)?)]);
            if entry.is_open() {
                items.push(self.put(id, event_key(entry.sequence), attributes, None)?);
            } else {
                items.push(self.put(
                    id,
                    format!("~{}", event_key(entry.sequence)),
                    attributes,
                    None,
                )?);
                items.push(self.delete(id, event_key(entry.sequence))?);
            }
        }
        for raised in &commit.exceptions {
            let attributes = HashMap::from([("body".to_owned(), body(raised)?)]);
            if raised.resolution.is_none() {
                let order = commit.header.order.as_ref();
                let attributes = exceptions::open_attributes(id, raised, order)?;
                items.push(self.put(id, format!("exception#{}", raised.id), attributes, None)?);
            } else {
                items.push(self.put(id, format!("~exception#{}", raised.id), attributes, None)?);
                items.push(self.delete(id, format!("exception#{}", raised.id))?);
            }
        }
        if let Some(finished) = &commit.finished {
            let sk = operation_key(finished.operation.sequence, finished.operation.step);
            items.push(self.put(
                id,
                sk,
                HashMap::from([("body".to_owned(), body(finished)?)]),
                None,
            )?);
        }
        if let Some(appended) = &commit.append {
            let delivered = format!("~delivered#{}", appended.event_id);
            let sequence = appended.sequence;
            let attributes = HashMap::from([("body".to_owned(), body(appended)?)]);
            let new = Some("attribute_not_exists(pk)");
            items.push(self.put(id, event_key(sequence), attributes, new)?);
            let attributes = HashMap::from([("sequence".to_owned(), n(sequence))]);
            items.push(self.put(id, delivered, attributes, new)?);
            let count = Update::builder()
                .table_name(&self.table)
                .set_key(Some(self.key(id, "counter")))
                .update_expression("SET #next = :after")
                .condition_expression("#next = :seen")
                .expression_attribute_names("#next", "next")
                .expression_attribute_values(":seen", n(sequence))
                .expression_attribute_values(":after", n(sequence + 1))
                .build()
                .map_err(|error| Error::Unreadable(error.to_string()))?;
            items.push(TransactWriteItem::builder().update(count).build());
        } else if let Some(sequence) = commit.if_next_sequence {
            let check = aws_sdk_dynamodb::types::ConditionCheck::builder()
                .table_name(&self.table)
                .set_key(Some(self.key(id, "counter")))
                .condition_expression("#next = :seen")
                .expression_attribute_names("#next", "next")
                .expression_attribute_values(":seen", n(sequence))
                .build()
                .map_err(|error| Error::Unreadable(error.to_string()))?;
            items.push(TransactWriteItem::builder().condition_check(check).build());
        }
        self.client
            .transact_write_items()
            .set_transact_items(Some(items))
            .send()
            .await
            .map_err(transaction_error)?;
        Ok(())
    }

    async fn park(&self, id: &LifecycleId, waiter: &Waiter) -> Result<(), Error> {
        let mut item = self.key(id, "waiter");
        item.extend([
            ("body".to_owned(), body(waiter)?),
            ("epoch".to_owned(), s(&waiter.epoch)),
            ("generation".to_owned(), n(waiter.generation)),
        ]);
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item));
        let put = put
            .condition_expression("attribute_not_exists(pk) OR generation <= :mine")
            .expression_attribute_values(":mine", n(waiter.generation));
        if happened(put.send().await)? {
            Ok(())
        } else {
            Err(Error::Conflict)
        }
    }

    async fn unpark(&self, id: &LifecycleId, epoch: &str) -> Result<(), Error> {
        let delete = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(self.key(id, "waiter")));
        let delete = delete
            .condition_expression("epoch = :mine")
            .expression_attribute_values(":mine", s(epoch));
        happened(delete.send().await).map(drop)
    }

    async fn registered(&self, name: &str) -> Result<(Option<String>, u64), Error> {
        let get = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("pk", s(name))
            .key("sk", s("register"))
            .consistent_read(true);
        let answer = get.send().await.map_err(unavailable)?;
        let text = |name: &str| answer.item()?.get(name)?.as_s().ok().cloned();
        let revision = answer
            .item()
            .and_then(|item| item.get("revision")?.as_n().ok()?.parse().ok());
        Ok((text("body"), revision.unwrap_or(0)))
    }

    async fn register(&self, name: &str, text: &str, seen: u64) -> Result<(), Error> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .item("pk", s(name))
            .item("sk", s("register"))
            .item("revision", n(seen + 1))
            .item("body", s(text));
        let put = if seen == 0 {
            put.condition_expression("attribute_not_exists(pk)")
        } else {
            put.condition_expression("revision = :seen")
                .expression_attribute_values(":seen", n(seen))
        };
        if happened(put.send().await)? {
            Ok(())
        } else {
            Err(Error::Conflict)
        }
    }
}

fn operation_key(sequence: u64, step: Step) -> String {
    format!("~operation#{sequence:010}#{step}")
}

fn event_key(sequence: u64) -> String {
    format!("event#{sequence:010}")
}

/// The key of a sender's event in the inbox: a hash, because both parts are as long as senders like.
#[must_use]
pub fn transport_key(source: &str, id: &str) -> String {
    format!(
        "event#{}",
        sha256_hex(format!("{source}\u{1f}{id}").as_bytes())
    )
}

/// A new event id of ours.
#[must_use]
pub fn new_event_id() -> EventId {
    let id = uuid::Uuid::now_v7().simple();
    #[expect(
        clippy::expect_used,
        reason = "32 hexadecimal digits are what an event id is made of"
    )]
    format!("evt_{id}")
        .parse()
        .expect("a UUID fits an event id")
}
