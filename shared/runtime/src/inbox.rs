//! The inbox: every accepted fact, durable before it is acknowledged, kept beyond every other window.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use interplant_domain::amendment::Amendment;
use interplant_domain::fact::{Fact, FactKind};
use interplant_domain::identifier::{EventId, ExceptionId, LifecycleId, PlantCode, sha256_hex};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::store::{Error, happened, unavailable};

/// Duplicates are recognised for this long; TTL may delete later, never earlier. What is only kept stays.
pub const KEPT_DAYS: i64 = 400;

/// Rows that `route` has not taken are spread over this many index partitions.
pub const PENDING_SHARDS: u8 = 4;

/// An accepted fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Transport key, see [`crate::store::transport_key`].
    pub key: String,
    /// Our id of the event.
    pub event_id: EventId,
    /// The sender's source.
    pub source: String,
    /// The sender's id.
    pub sender_id: String,
    /// The plant.
    pub plant: PlantCode,
    /// The kind of fact.
    pub kind: FactKind,
    /// The lifecycle that it belongs to.
    pub lifecycle: LifecycleId,
    /// SHA-256 over envelope and content: the same `source` and `id` must come with the same.
    pub envelope_hash: String,
    /// SHA-256 over the content alone.
    pub content_hash: String,
    /// When it happened at the plant.
    pub happened_at: Timestamp,
    /// When it was stored.
    pub received_at: Timestamp,
    /// W3C trace context of the sender.
    pub traceparent: Option<String>,
    /// The fact, numbers as text.
    pub data: serde_json::Value,
    /// What became of it at the door.
    pub fate: Fate,
    /// What it takes the place of, when a person has written it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amendment: Option<Amendment>,
}

/// What became of a fact at the door.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fate", rename_all = "snake_case")]
pub enum Fate {
    /// It goes its way.
    Accepted,
    /// The same fact came before in another envelope; this one has no effect of its own.
    DuplicateOf {
        /// The first one.
        event_id: EventId,
    },
    /// Another content came before under the same business key and revision; a person decides.
    Held {
        /// The exception.
        exception: ExceptionId,
        /// The first one.
        first: EventId,
    },
}

/// What storing a fact showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stored {
    /// It is new, and durable now.
    New,
    /// The same envelope with the same content is there: the answer of the first time.
    Replayed(Box<Row>),
    /// The same envelope with another content is there.
    Mismatch,
    /// Another envelope with the same business key is there.
    SameFact {
        /// The first one's id.
        event_id: EventId,
        /// SHA-256 of its content.
        content_hash: String,
    },
}

/// The inbox in DynamoDB.
#[derive(Debug, Clone)]
pub struct Inbox {
    client: Client,
    table: String,
}

impl Row {
    /// The fact in it.
    ///
    /// # Errors
    /// When the row was written by a release that knew another form.
    pub fn fact(&self) -> Result<Fact, Error> {
        Fact::read(self.kind, &self.data)
            .map_err(|error| Error::Unreadable(format!("inbox row {}: {error}", self.key)))
    }
}

fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

fn business_row_key(business_key: &str) -> String {
    format!("business#{}", sha256_hex(business_key.as_bytes()))
}

fn row(item: &HashMap<String, AttributeValue>) -> Result<Row, Error> {
    let text = item
        .get("body")
        .and_then(|value| value.as_s().ok())
        .ok_or_else(|| Error::Unreadable("an inbox row has no body".to_owned()))?;
    serde_json::from_str(text).map_err(|error| Error::Unreadable(format!("inbox row: {error}")))
}

impl Inbox {
    /// The inbox on a table.
    #[must_use]
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    fn item(&self, row: &Row) -> Result<HashMap<String, AttributeValue>, Error> {
        let expires = (row.received_at + SignedDuration::from_hours(24 * KEPT_DAYS)).as_second();
        let body =
            serde_json::to_string(row).map_err(|error| Error::Unreadable(error.to_string()))?;
        let mut item = HashMap::from([
            ("pk".to_owned(), s(&row.key)),
            ("event_id".to_owned(), s(row.event_id.as_str())),
            ("body".to_owned(), s(body)),
        ]);
        // A fact that nothing was done with yet is kept until something is.
        if row.fate != Fate::Accepted || !row.lifecycle.kind().only_keeps() {
            let expires = AttributeValue::N(expires.to_string());
            item.insert("expires_at".to_owned(), expires);
        }
        // What a person has written goes into its mailbox with the change that takes the original out.
        if row.fate == Fate::Accepted && row.amendment.is_none() {
            let shard = row.key.bytes().last().unwrap_or_default() % PENDING_SHARDS;
            item.insert("pending_shard".to_owned(), s(shard.to_string()));
            item.insert("received_at".to_owned(), s(row.received_at.to_string()));
        }
        Ok(item)
    }

    /// Stores an accepted fact under its envelope and its business key, both new, or says what is there.
    ///
    /// # Errors
    /// When the store is not available: then nothing may be acknowledged.
    pub async fn store(&self, row: &Row, business_key: &str) -> Result<Stored, Error> {
        let business_row = HashMap::from([
            ("pk".to_owned(), s(business_row_key(business_key))),
            ("first_event".to_owned(), s(row.event_id.as_str())),
            ("first_content".to_owned(), s(&row.content_hash)),
        ]);
        let put = |item: HashMap<String, AttributeValue>| {
            let put = Put::builder()
                .table_name(&self.table)
                .set_item(Some(item))
                .condition_expression("attribute_not_exists(pk)")
                .build();
            put.map(|put| TransactWriteItem::builder().put(put).build())
                .map_err(|error| Error::Unreadable(error.to_string()))
        };
        // Two senders of one fact at the same moment: the loser looks at what the winner wrote.
        for _ in 0..5 {
            let items = vec![put(self.item(row)?)?, put(business_row.clone())?];
            match self
                .client
                .transact_write_items()
                .set_transact_items(Some(items))
                .send()
                .await
            {
                Ok(_) => return Ok(Stored::New),
                Err(error)
                    if matches!(
                        error.as_service_error(),
                        Some(TransactWriteItemsError::TransactionCanceledException(_))
                    ) => {}
                Err(error) => return Err(unavailable(error)),
            }
            if let Some(earlier) = self.by_key(&row.key).await? {
                return Ok(if earlier.envelope_hash == row.envelope_hash {
                    Stored::Replayed(Box::new(earlier))
                } else {
                    Stored::Mismatch
                });
            }
            let get = self
                .client
                .get_item()
                .table_name(&self.table)
                .key("pk", s(business_row_key(business_key)))
                .consistent_read(true);
            if let Some(first) = get.send().await.map_err(unavailable)?.item() {
                let text = |name: &str| {
                    first
                        .get(name)
                        .and_then(|value| value.as_s().ok())
                        .cloned()
                        .unwrap_or_default()
                };
                return Ok(Stored::SameFact {
                    event_id: text("first_event")
                        .parse()
                        .map_err(|error| Error::Unreadable(format!("{error}")))?,
                    content_hash: text("first_content"),
                });
            }
        }
        Err(Error::Unavailable(
            "the inbox is written by too many at once".to_owned(),
        ))
    }

    /// Stores a fact that has no effect of its own (a duplicate, a conflict), so that its fate can be asked for.
    ///
    /// # Errors
    /// When the store is not available.
    pub async fn store_aside(&self, row: &Row) -> Result<Stored, Error> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(self.item(row)?))
            .condition_expression("attribute_not_exists(pk)");
        match put.send().await {
            Ok(_) => Ok(Stored::New),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(|service| service.is_conditional_check_failed_exception()) =>
            {
                let earlier = self
                    .by_key(&row.key)
                    .await?
                    .ok_or_else(|| Error::Unavailable("a row came and went".to_owned()))?;
                Ok(if earlier.envelope_hash == row.envelope_hash {
                    Stored::Replayed(Box::new(earlier))
                } else {
                    Stored::Mismatch
                })
            }
            Err(error) => Err(unavailable(error)),
        }
    }

    /// A row by its transport key.
    ///
    /// # Errors
    /// When the store is not available.
    pub async fn by_key(&self, key: &str) -> Result<Option<Row>, Error> {
        let get = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("pk", s(key))
            .consistent_read(true);
        get.send()
            .await
            .map_err(unavailable)?
            .item()
            .map(row)
            .transpose()
    }

    /// A row by our id of the event.
    ///
    /// # Errors
    /// When the store is not available.
    pub async fn by_event(&self, event_id: &EventId) -> Result<Option<Row>, Error> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("by_event");
        let query = query
            .key_condition_expression("event_id = :id")
            .expression_attribute_values(":id", s(event_id.as_str()));
        let answer = query.send().await.map_err(unavailable)?;
        match answer
            .items()
            .first()
            .and_then(|item| item.get("pk")?.as_s().ok())
        {
            Some(key) => self.by_key(key).await,
            None => Ok(None),
        }
    }

    /// Marks a fact as delivered to its mailbox: the sweeper need not look at it any more.
    ///
    /// # Errors
    /// When the store is not available.
    pub async fn routed(&self, key: &str) -> Result<(), Error> {
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", s(key))
            .update_expression("REMOVE pending_shard");
        update
            .condition_expression("attribute_exists(pk)")
            .send()
            .await
            .map(|_| ())
            .map_err(unavailable)
    }

    /// Puts off the next look at a fact that was sent to `route` again.
    ///
    /// # Errors
    /// When the store is not available.
    pub async fn sent_again(&self, key: &str, at: Timestamp) -> Result<(), Error> {
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", s(key))
            .update_expression("SET received_at = :at");
        let update = update
            .condition_expression("attribute_exists(pending_shard)")
            .expression_attribute_values(":at", s(at.to_string()));
        happened(update.send().await).map(drop)
    }

    /// Keys of facts that wait for `route` since before `until`.
    ///
    /// # Errors
    /// When the store is not available.
    pub async fn pending(
        &self,
        shard: u8,
        until: Timestamp,
        limit: i32,
    ) -> Result<Vec<String>, Error> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("pending")
            .limit(limit);
        let query = query
            .key_condition_expression("pending_shard = :shard AND received_at <= :until")
            .expression_attribute_values(":shard", s(shard.to_string()))
            .expression_attribute_values(":until", s(until.to_string()));
        let answer = query.send().await.map_err(unavailable)?;
        Ok(answer
            .items()
            .iter()
            .filter_map(|item| item.get("pk")?.as_s().ok().cloned())
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(kind: FactKind, lifecycle: &str, fate: Fate) -> Row {
        Row {
            key: "event#1".to_owned(),
            event_id: EventId::none(),
            source: "urn:plant:plant-x:mes".to_owned(),
            sender_id: "1".to_owned(),
            plant: "plant-x".parse().unwrap(),
            kind,
            lifecycle: lifecycle.parse().unwrap(),
            envelope_hash: String::new(),
            content_hash: String::new(),
            happened_at: Timestamp::UNIX_EPOCH,
            received_at: Timestamp::UNIX_EPOCH,
            traceparent: None,
            data: serde_json::Value::Null,
            fate,
            amendment: None,
        }
    }

    #[test]
    fn a_fact_that_nothing_was_done_with_is_kept_without_an_end() {
        let config = aws_sdk_dynamodb::Config::builder().behavior_version_latest();
        let inbox = Inbox::new(Client::from_conf(config.build()), "inbox".to_owned());
        let expires = |row: &Row| {
            let item = inbox.item(row).unwrap();
            item.get("expires_at").map(|at| at.as_n().unwrap().clone())
        };
        let in_400_days = Some((400 * 24 * 3600).to_string());
        let duplicate = || Fate::DuplicateOf {
            event_id: EventId::none(),
        };
        let issued = FactKind::MaterialIssued;
        for (row, expected) in [
            (
                row(FactKind::PoCreated, "po/plant-x/1", Fate::Accepted),
                &in_400_days,
            ),
            (row(issued, "mo/plant-x/1", Fate::Accepted), &None),
            (row(issued, "mo/plant-x/1", duplicate()), &in_400_days),
        ] {
            assert_eq!(expires(&row), *expected, "{} {:?}", row.lifecycle, row.fate);
        }
    }
}
