//! Files of plants: where they lie, and what became of them.
//!
//! A delivery is the files that a feed reads together. Its record is claimed by one reader at a time, and
//! says how far it has come; every fact enters the inbox by the id that its content gives it, so what is
//! read a second time after a crash is recognised.

mod code;
mod delivery;
mod interchange;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::presigning::PresigningConfig;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use interplant_domain::identifier::{PlantCode, sha256_hex};
use interplant_mapping::feed::Bundle;
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncWriteExt as _;

use crate::store::{Error, happened, unavailable};

pub use code::{UnmappedCode, publish};
pub use delivery::{Counts, DeliveredFile, Delivery, DeliveryState, delivery_of};

/// How long an address for an upload is good.
const UPLOAD_WITHIN: Duration = Duration::from_secs(3600);

/// What is answered to the sender of interchanges: TA1, 997 or CONTRL.
const ACKNOWLEDGMENT: &str = "acknowledgment.edi";

/// Sort key of the feeds that are in force.
const FEEDS: &str = "feeds";

/// The largest file.
pub const FILE_BYTES: u64 = 1 << 30;

/// Buckets, records and published feeds.
#[derive(Debug, Clone)]
pub struct Files {
    s3: aws_sdk_s3::Client,
    dynamo: aws_sdk_dynamodb::Client,
    bucket: String,
    table: String,
}

impl Files {
    /// Files in a bucket, their records in a table.
    #[must_use]
    pub fn new(
        s3: aws_sdk_s3::Client,
        dynamo: aws_sdk_dynamodb::Client,
        bucket: String,
        table: String,
    ) -> Self {
        Self {
            s3,
            dynamo,
            bucket,
            table,
        }
    }

    /// Publishes the feeds of a plant; what is being read goes on by what it began with.
    ///
    /// # Errors
    /// When the stores are not available.
    pub async fn publish(&self, plant: &PlantCode, bundle: &Bundle) -> Result<String, Error> {
        let files: BTreeMap<&String, String> = bundle
            .files
            .iter()
            .map(|(path, bytes)| (path, STANDARD.encode(bytes)))
            .collect();
        let text =
            serde_json::to_string(&files).map_err(|error| Error::Unreadable(error.to_string()))?;
        let hash = sha256_hex(text.as_bytes());
        self.s3
            .put_object()
            .bucket(&self.bucket)
            .key(format!("bundles/{plant}/{hash}.json"))
            .body(text.into_bytes().into())
            .send()
            .await
            .map_err(unavailable)?;
        self.dynamo
            .put_item()
            .table_name(&self.table)
            .item("pk", key(plant))
            .item("sk", AttributeValue::S(FEEDS.to_owned()))
            .item("hash", AttributeValue::S(hash.clone()))
            .item("outs", AttributeValue::Bool(!bundle.outs(plant).is_empty()))
            .send()
            .await
            .map_err(unavailable)?;
        Ok(hash)
    }

    /// SHA-256 of the feeds of a plant that are in force.
    ///
    /// # Errors
    /// When the store is not available.
    pub async fn published(&self, plant: &PlantCode) -> Result<Option<String>, Error> {
        let item = self.item(plant, FEEDS).await?;
        let hash = item.as_ref().and_then(|item| item.get("hash"));
        Ok(hash.and_then(|hash| hash.as_s().ok()).cloned())
    }

    /// The same, if it says of files how they are made for the plant.
    ///
    /// # Errors
    /// When the store is not available.
    pub async fn with_outs(&self, plant: &PlantCode) -> Result<Option<String>, Error> {
        let item = self.item(plant, FEEDS).await?.unwrap_or_default();
        let outs = item.get("outs").and_then(|outs| outs.as_bool().ok());
        let hash = item.get("hash").and_then(|hash| hash.as_s().ok());
        Ok(hash.filter(|_| outs == Some(&true)).cloned())
    }

    /// Keeps a file that was made for a plant.
    ///
    /// # Errors
    /// When the bucket is not available.
    pub async fn keep_out(&self, key: &str, bytes: Vec<u8>) -> Result<(), Error> {
        self.put(key.to_owned(), bytes).await
    }

    /// Where a file that was made for a plant can be fetched for a while.
    ///
    /// # Errors
    /// When no address can be signed.
    pub async fn out_address(&self, key: &str) -> Result<String, Error> {
        self.address(key.to_owned()).await
    }

    /// Feeds of a plant as they were published.
    ///
    /// # Errors
    /// When they are not there, or not what was published.
    pub async fn bundle(&self, plant: &PlantCode, hash: &str) -> Result<Bundle, Error> {
        let object = self
            .s3
            .get_object()
            .bucket(&self.bucket)
            .key(format!("bundles/{plant}/{hash}.json"))
            .send()
            .await
            .map_err(unavailable)?;
        let text = object
            .body
            .collect()
            .await
            .map_err(|error| Error::Unavailable(error.to_string()))?
            .into_bytes();
        let broken = |what: &str| Error::Unreadable(format!("feeds {hash} of {plant}: {what}"));
        if sha256_hex(&text) != hash {
            return Err(broken("not what was published"));
        }
        let files: BTreeMap<String, String> =
            serde_json::from_slice(&text).map_err(|error| broken(&error.to_string()))?;
        let files = files.into_iter().map(|(path, text)| {
            let bytes = STANDARD
                .decode(text)
                .map_err(|error| broken(&error.to_string()))?;
            Ok((path, bytes))
        });
        Ok(Bundle {
            files: files.collect::<Result<_, Error>>()?,
        })
    }

    /// Keeps a new delivery, and says where each of its files is to be uploaded.
    ///
    /// # Errors
    /// When the store is not available.
    pub async fn announce(&self, delivery: &Delivery) -> Result<Vec<String>, Error> {
        self.write(delivery, None).await?;
        let within = PresigningConfig::expires_in(UPLOAD_WITHIN)
            .map_err(|error| Error::Unreadable(error.to_string()))?;
        let mut addresses = Vec::new();
        for file in &delivery.files {
            let put = self
                .s3
                .put_object()
                .bucket(&self.bucket)
                .key(delivery.key(file))
                // Signed with the address: another length is refused by S3.
                .content_length(i64::try_from(file.bytes).unwrap_or(i64::MAX));
            let signed = put.presigned(within.clone()).await.map_err(unavailable)?;
            addresses.push(signed.uri().to_owned());
        }
        Ok(addresses)
    }

    /// A delivery.
    ///
    /// # Errors
    /// When the store is not available.
    pub async fn delivery(&self, plant: &PlantCode, id: &str) -> Result<Option<Delivery>, Error> {
        let item = self.item(plant, &format!("file#{id}")).await?;
        item.as_ref().map(body).transpose()
    }

    /// The newest deliveries of a plant, the last announced first.
    ///
    /// # Errors
    /// When the store is not available.
    pub async fn deliveries(&self, plant: &PlantCode, most: i32) -> Result<Vec<Delivery>, Error> {
        let answer = self
            .dynamo
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND begins_with(sk, :sk)")
            .expression_attribute_values(":pk", key(plant))
            .expression_attribute_values(":sk", AttributeValue::S("file#".to_owned()))
            // Ids are made in the order of time.
            .scan_index_forward(false)
            .limit(most)
            .consistent_read(true)
            .send()
            .await
            .map_err(unavailable)?;
        answer.items().iter().map(body).collect()
    }

    /// Notes that the bytes of a delivery were read to the end, by which feeds; the delivery that was first.
    ///
    /// # Errors
    /// When the store is not available.
    pub async fn note_bytes(&self, delivery: &Delivery, sha256: &str) -> Result<(), Error> {
        let put = self
            .dynamo
            .put_item()
            .table_name(&self.table)
            .item("pk", key(&delivery.plant))
            .item("sk", bytes_key(delivery, sha256))
            .item("file", AttributeValue::S(delivery.id.clone()))
            .condition_expression("attribute_not_exists(pk)");
        happened(put.send().await).map(|_| ())
    }

    /// The delivery whose bytes were the same, if it was read to the end by the same feeds.
    ///
    /// # Errors
    /// When the store is not available.
    pub async fn same_bytes(
        &self,
        delivery: &Delivery,
        sha256: &str,
    ) -> Result<Option<String>, Error> {
        let AttributeValue::S(sk) = bytes_key(delivery, sha256) else {
            return Ok(None);
        };
        let item = self.item(&delivery.plant, &sk).await?;
        let file = item.as_ref().and_then(|item| item.get("file"));
        Ok(file.and_then(|file| file.as_s().ok()).cloned())
    }

    /// Writes a delivery that was changed; nobody else has changed it meanwhile.
    ///
    /// # Errors
    /// [`Error::Conflict`] when somebody has.
    pub async fn save(&self, delivery: &mut Delivery) -> Result<(), Error> {
        let seen = delivery.revision;
        delivery.revision += 1;
        self.write(delivery, Some(seen)).await
    }

    async fn write(&self, delivery: &Delivery, seen: Option<u64>) -> Result<(), Error> {
        let body = serde_json::to_string(delivery)
            .map_err(|error| Error::Unreadable(error.to_string()))?;
        let put = self
            .dynamo
            .put_item()
            .table_name(&self.table)
            .item("pk", key(&delivery.plant))
            .item("sk", AttributeValue::S(format!("file#{}", delivery.id)))
            .item("body", AttributeValue::S(body))
            .item("revision", AttributeValue::N(delivery.revision.to_string()));
        let put = match seen {
            None => put.condition_expression("attribute_not_exists(pk)"),
            Some(seen) => put
                .condition_expression("revision = :seen")
                .expression_attribute_values(":seen", AttributeValue::N(seen.to_string())),
        };
        if happened(put.send().await)? {
            Ok(())
        } else {
            Err(Error::Conflict)
        }
    }

    /// Notes which versions of the files are there; whether all are.
    ///
    /// # Errors
    /// When the bucket is not available.
    pub async fn is_uploaded(&self, delivery: &mut Delivery) -> Result<bool, Error> {
        let mut all = true;
        for index in 0..delivery.files.len() {
            let Some(file) = delivery
                .files
                .get(index)
                .filter(|file| file.version.is_none())
            else {
                continue;
            };
            let head = self
                .s3
                .head_object()
                .bucket(&self.bucket)
                .key(delivery.key(file))
                .send()
                .await;
            let version = match head {
                Ok(head) => Some(head.version_id().unwrap_or("null").to_owned()),
                Err(error)
                    if error
                        .as_service_error()
                        .is_some_and(|error| error.is_not_found()) =>
                {
                    None
                }
                Err(error) => return Err(unavailable(error)),
            };
            all &= version.is_some();
            if let Some(file) = delivery.files.get_mut(index) {
                file.version = version;
            }
        }
        Ok(all)
    }

    /// Brings a file to this machine, in the version that the delivery names; SHA-256 of its bytes.
    ///
    /// # Errors
    /// When the bucket or the disk is not available.
    pub async fn download(
        &self,
        delivery: &Delivery,
        file: &DeliveredFile,
        to: &Path,
    ) -> Result<Downloaded, Error> {
        let version = file.version.clone().filter(|version| version != "null");
        let object = self
            .s3
            .get_object()
            .bucket(&self.bucket)
            .key(delivery.key(file))
            .set_version_id(version)
            .send()
            .await
            .map_err(unavailable)?;
        let disk = |error: std::io::Error| Error::Unavailable(error.to_string());
        let mut body = object.body;
        let mut hash = Sha256::new();
        let mut length = 0;
        let mut local = tokio::fs::File::create(to).await.map_err(disk)?;
        while let Some(bytes) = body
            .try_next()
            .await
            .map_err(|error| Error::Unavailable(error.to_string()))?
        {
            hash.update(&bytes);
            length += bytes.len() as u64;
            local.write_all(&bytes).await.map_err(disk)?;
        }
        local.flush().await.map_err(disk)?;
        Ok(Downloaded {
            bytes: length,
            sha256: hex(&hash.finalize()),
        })
    }

    /// Keeps what a reader had to say since it last noted how far it was.
    ///
    /// # Errors
    /// When the bucket is not available.
    pub async fn keep_segment(
        &self,
        delivery: &Delivery,
        segment: u64,
        lines: String,
    ) -> Result<(), Error> {
        let key = delivery.out(&format!("segments/{segment:012}.jsonl"));
        self.put(key, lines.into_bytes()).await
    }

    /// Puts the result file together: the counts, then every problem.
    ///
    /// # Errors
    /// When the bucket is not available.
    pub async fn write_result(&self, delivery: &Delivery) -> Result<(), Error> {
        let mut text = serde_json::json!({
            "file": delivery.id, "feed": delivery.feed, "mapping": delivery.bundle, "state": delivery.state, "documents": delivery.documents,
            "counts": delivery.counts, "refused": delivery.refused
        })
        .to_string();
        text.push('\n');
        for segment in &delivery.segments {
            let object = self
                .s3
                .get_object()
                .bucket(&self.bucket)
                .key(delivery.out(&format!("segments/{segment:012}.jsonl")))
                .send()
                .await
                .map_err(unavailable)?;
            let bytes = object
                .body
                .collect()
                .await
                .map_err(|error| Error::Unavailable(error.to_string()))?;
            text.push_str(&String::from_utf8_lossy(&bytes.into_bytes()));
        }
        self.put(delivery.out("result.jsonl"), text.into_bytes())
            .await
    }

    /// Keeps what is answered to the sender of interchanges.
    ///
    /// # Errors
    /// When the bucket is not available.
    pub async fn keep_acknowledgment(
        &self,
        delivery: &Delivery,
        answer: Vec<u8>,
    ) -> Result<(), Error> {
        self.put(delivery.out(ACKNOWLEDGMENT), answer).await
    }

    /// Where the answer to a delivery of interchanges can be fetched for a while.
    ///
    /// # Errors
    /// When no address can be signed.
    pub async fn acknowledgment_address(
        &self,
        plant: &PlantCode,
        id: &str,
    ) -> Result<String, Error> {
        self.address(format!("out/{plant}/{id}/{ACKNOWLEDGMENT}"))
            .await
    }

    /// Where the result file can be fetched for a while.
    ///
    /// # Errors
    /// When no address can be signed.
    pub async fn result_address(&self, delivery: &Delivery) -> Result<String, Error> {
        self.address(delivery.out("result.jsonl")).await
    }

    async fn address(&self, key: String) -> Result<String, Error> {
        let within = PresigningConfig::expires_in(UPLOAD_WITHIN)
            .map_err(|error| Error::Unreadable(error.to_string()))?;
        let get = self.s3.get_object().bucket(&self.bucket).key(key);
        let signed = get.presigned(within).await.map_err(unavailable)?;
        Ok(signed.uri().to_owned())
    }

    async fn put(&self, key: String, bytes: Vec<u8>) -> Result<(), Error> {
        self.s3
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .body(bytes.into())
            .send()
            .await
            .map(|_| ())
            .map_err(unavailable)
    }

    async fn item(
        &self,
        plant: &PlantCode,
        sk: &str,
    ) -> Result<Option<HashMap<String, AttributeValue>>, Error> {
        let answer = self
            .dynamo
            .get_item()
            .table_name(&self.table)
            .key("pk", key(plant))
            .key("sk", AttributeValue::S(sk.to_owned()))
            .consistent_read(true)
            .send()
            .await
            .map_err(unavailable)?;
        Ok(answer.item().cloned())
    }
}

fn key(plant: &PlantCode) -> AttributeValue {
    AttributeValue::S(format!("plant#{plant}"))
}

fn bytes_key(delivery: &Delivery, sha256: &str) -> AttributeValue {
    AttributeValue::S(format!(
        "bytes#{}#{}#{sha256}",
        delivery.feed, delivery.bundle
    ))
}

fn body<T: serde::de::DeserializeOwned>(
    item: &HashMap<String, AttributeValue>,
) -> Result<T, Error> {
    let text = item.get("body").and_then(|body| body.as_s().ok());
    serde_json::from_str(text.map_or("", String::as_str))
        .map_err(|error| Error::Unreadable(format!("a record of files: {error}")))
}

fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What was downloaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Downloaded {
    /// How many bytes.
    pub bytes: u64,
    /// SHA-256 of them.
    pub sha256: String,
}
