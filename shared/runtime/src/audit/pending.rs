//! Notes that wait for their place in the chain.
//!
//! They lie in the table of lifecycles, so that they are written in the same transaction as what they tell of,
//! by whoever may write there; the chain itself is in a table in which only `audit-chain` may write. All notes
//! of a change are one item, so that a transaction has room for the change itself.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use interplant_domain::audit::Note;
use interplant_domain::identifier::PlantCode;

use super::{s, text, unfit};
use crate::store::{Error, unavailable};

/// Partitions of the sweeper's index that waiting notes are spread over, by plant.
pub const SHARDS: u8 = 4;

/// Notes of one item. Linking takes an item of a transaction for each, and a transaction has a hundred.
const PER_ITEM: usize = 40;

/// Notes of one change that wait.
#[derive(Debug, Clone, PartialEq)]
pub struct Waiting {
    /// Where they lie.
    pub key: HashMap<String, AttributeValue>,
    /// The notes, in order.
    pub notes: Vec<Note>,
}

fn partition(plant: &PlantCode) -> String {
    format!("audit#{plant}")
}

fn shard_name(shard: u8) -> String {
    format!("audit-{shard}")
}

fn shard(plant: &PlantCode) -> u8 {
    plant.as_str().bytes().fold(0_u8, u8::wrapping_add) % SHARDS
}

/// What is to be written beside a change, in its own transaction. A note has an id, so a key that is there
/// already says that this very change was written before.
pub(crate) fn pending(table: &str, notes: &[Note]) -> Result<Vec<TransactWriteItem>, Error> {
    let mut items = Vec::new();
    for chunk in notes.chunks(PER_ITEM) {
        let Some(first) = chunk.first() else { continue };
        // Nine digits: as text, times without a fraction would sort behind those with one.
        let at = format!("{:.9}", first.at);
        let item = HashMap::from([
            ("pk".to_owned(), s(partition(&first.plant))),
            ("sk".to_owned(), s(format!("{at}#{}", first.id))),
            (
                "body".to_owned(),
                s(serde_json::to_string(chunk).map_err(unfit)?),
            ),
            (
                "attention_shard".to_owned(),
                s(shard_name(shard(&first.plant))),
            ),
            (
                "attention_at".to_owned(),
                s(format!("{}#{at}", first.plant)),
            ),
        ]);
        let put = Put::builder()
            .table_name(table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk)")
            .build()
            .map_err(unfit)?;
        items.push(TransactWriteItem::builder().put(put).build());
    }
    Ok(items)
}

/// What waits for its place in the chain of a plant, the oldest first.
pub(super) async fn read(
    client: &Client,
    table: &str,
    plant: &PlantCode,
    most: i32,
) -> Result<Vec<Waiting>, Error> {
    let query = client
        .query()
        .table_name(table)
        .consistent_read(true)
        .limit(most)
        .key_condition_expression("pk = :pk")
        .expression_attribute_values(":pk", s(partition(plant)));
    let answer = query.send().await.map_err(unavailable)?;
    let mut waiting = Vec::new();
    for item in answer.items() {
        let notes = serde_json::from_str(text(item, "body").unwrap_or_default()).map_err(unfit)?;
        let key = ["pk", "sk"]
            .into_iter()
            .filter_map(|name| Some((name.to_owned(), item.get(name)?.clone())));
        waiting.push(Waiting {
            key: key.collect(),
            notes,
        });
    }
    Ok(waiting)
}

/// The plants of a shard of which notes wait. In the index they lie plant by plant, so that one with
/// thousands of notes hides no other: each query leaps over all notes of the last plant.
pub(super) async fn plants(
    client: &Client,
    table: &str,
    shard: u8,
) -> Result<Vec<PlantCode>, Error> {
    let mut plants: Vec<PlantCode> = Vec::new();
    loop {
        let after = plants.last().map(|plant| format!("{plant}#~"));
        let query = client
            .query()
            .table_name(table)
            .index_name("attention")
            .limit(1)
            .key_condition_expression("attention_shard = :shard AND attention_at > :after")
            .expression_attribute_values(":shard", s(shard_name(shard)))
            .expression_attribute_values(":after", s(after.unwrap_or_else(|| " ".to_owned())));
        let answer = query.send().await.map_err(unavailable)?;
        let plant = answer
            .items()
            .first()
            .and_then(|item| text(item, "pk")?.strip_prefix("audit#")?.parse().ok());
        match plant {
            Some(plant) => plants.push(plant),
            None => return Ok(plants),
        }
    }
}
