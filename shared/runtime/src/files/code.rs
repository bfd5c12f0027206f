//! Codes of files that no lookup knows: facts that wait for a steward.

use aws_sdk_dynamodb::types::AttributeValue;
use interplant_domain::exception::Code;
use interplant_domain::identifier::PlantCode;
use interplant_mapping::feed::{Bundle, Feed};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Delivery, DeliveryState, Files, body, key};
use crate::Context;
use crate::queue::ImportMessage;
use crate::store::{Error, happened, unavailable};

/// Deliveries that one record lists; the others are found by their own records.
const MOST_FILES: usize = 50;

/// An exception of its own kind: it belongs to no lifecycle, for the fact could not be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnmappedCode {
    /// The plant.
    pub plant: PlantCode,
    /// The feed.
    pub feed: String,
    /// The lookup.
    pub table: String,
    /// The code that it does not know.
    pub code: String,
    /// Deliveries with facts that wait for it.
    pub files: Vec<String>,
    /// Who adds it.
    pub owner: String,
    /// When it was first missed.
    pub raised_at: Timestamp,
    /// When it should be there.
    pub due_at: Timestamp,
    /// Raised by every change.
    pub revision: u64,
}

impl UnmappedCode {
    /// A code that was missed for the first time.
    #[must_use]
    pub fn new(
        delivery: &Delivery,
        table: &str,
        code: &str,
        owner: String,
        now: Timestamp,
    ) -> Self {
        Self {
            plant: delivery.plant.clone(),
            feed: delivery.feed.clone(),
            table: table.to_owned(),
            code: code.to_owned(),
            files: vec![delivery.id.clone()],
            owner,
            raised_at: now,
            due_at: now + SignedDuration::from_hours(Code::UnmappedCode.due_hours()),
            revision: 0,
        }
    }

    fn sk(&self) -> AttributeValue {
        AttributeValue::S(format!("code#{}#{}#{}", self.feed, self.table, self.code))
    }
}

impl Files {
    /// Keeps that a delivery waits for a code.
    ///
    /// # Errors
    /// When the store is not available.
    pub async fn miss(&self, missed: &UnmappedCode) -> Result<(), Error> {
        loop {
            let sk = missed.sk();
            let kept = self
                .item(&missed.plant, sk.as_s().map_or("", String::as_str))
                .await?;
            let (record, seen) = match kept.as_ref().map(body::<UnmappedCode>).transpose()? {
                None => (missed.clone(), None),
                Some(mut record) => {
                    let new = missed
                        .files
                        .iter()
                        .filter(|file| !record.files.contains(file));
                    let new: Vec<String> = new.cloned().collect();
                    if new.is_empty() || record.files.len() >= MOST_FILES {
                        return Ok(());
                    }
                    record.files.extend(new);
                    let seen = record.revision;
                    record.revision += 1;
                    (record, Some(seen))
                }
            };
            let text = serde_json::to_string(&record)
                .map_err(|error| Error::Unreadable(error.to_string()))?;
            let put = self
                .dynamo
                .put_item()
                .table_name(&self.table)
                .item("pk", key(&record.plant))
                .item("sk", sk)
                .item("body", AttributeValue::S(text))
                .item("revision", AttributeValue::N(record.revision.to_string()));
            let put = match seen {
                None => put.condition_expression("attribute_not_exists(pk)"),
                Some(seen) => put
                    .condition_expression("revision = :seen")
                    .expression_attribute_values(":seen", AttributeValue::N(seen.to_string())),
            };
            // Another reader was first: look again.
            if happened(put.send().await)? {
                return Ok(());
            }
        }
    }

    /// The codes that facts of a plant wait for, of one feed or of all.
    ///
    /// # Errors
    /// When the store is not available.
    pub async fn missed(
        &self,
        plant: &PlantCode,
        feed: Option<&str>,
    ) -> Result<Vec<UnmappedCode>, Error> {
        let prefix = feed.map_or("code#".to_owned(), |feed| format!("code#{feed}#"));
        let mut pages = self
            .dynamo
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND begins_with(sk, :sk)")
            .expression_attribute_values(":pk", key(plant))
            .expression_attribute_values(":sk", AttributeValue::S(prefix))
            .consistent_read(true)
            .into_paginator()
            .send();
        let mut all = Vec::new();
        while let Some(page) = pages.next().await {
            for item in page.map_err(unavailable)?.items() {
                all.push(body(item)?);
            }
        }
        Ok(all)
    }

    /// The code is known now.
    ///
    /// # Errors
    /// When the store is not available.
    pub async fn found(&self, missed: &UnmappedCode) -> Result<(), Error> {
        let delete = self
            .dynamo
            .delete_item()
            .table_name(&self.table)
            .key("pk", key(&missed.plant))
            .key("sk", missed.sk())
            // Another delivery that began to wait for it meanwhile keeps it.
            .condition_expression("revision = :seen")
            .expression_attribute_values(":seen", AttributeValue::N(missed.revision.to_string()));
        happened(delete.send().await).map(|_| ())
    }
}

/// Publishes the feeds of a plant. Deliveries with facts that waited for a code which the lookups know now are
/// read again by them: what was taken in before is recognised, what waited is made. Their ids.
///
/// # Errors
/// When a store is not available; it can be repeated as it is.
pub async fn publish(
    context: &Context,
    plant: &PlantCode,
    bundle: &Bundle,
) -> Result<Vec<String>, Error> {
    let hash = context.files.publish(plant, bundle).await?;
    let mut again = Vec::new();
    for missed in context.files.missed(plant, None).await? {
        let path = format!("{plant}/feeds/{}.yaml", missed.feed);
        let knows = Feed::read(bundle, plant, &path)
            .is_ok_and(|feed| feed.knows(&missed.table, &missed.code));
        if !knows {
            continue;
        }
        for id in &missed.files {
            let Some(mut delivery) = context.files.delivery(plant, id).await? else {
                continue;
            };
            // What is being read goes on by the feeds that it began with, and misses the code once more.
            if delivery.state == DeliveryState::Done && !again.contains(id) {
                delivery.read_again(&hash);
                context.files.save(&mut delivery).await?;
                again.push(id.clone());
            }
        }
    }
    for file in &again {
        let message = ImportMessage {
            plant: plant.clone(),
            file: file.clone(),
        };
        context
            .queues
            .import(&message, std::time::Duration::ZERO)
            .await?;
    }
    Ok(again)
}
