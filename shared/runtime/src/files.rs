//! Files of plants: where they lie, and what became of them.
//!
//! A delivery is the files that a feed reads together. Its record is claimed by one reader at a time, and
//! says how far it has come; every fact enters the inbox by the id that its content gives it, so what is
//! read a second time after a crash is recognised.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::presigning::PresigningConfig;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use interplant_domain::identifier::{PlantCode, sha256_hex};
use interplant_mapping::document::Unread;
use interplant_mapping::feed::Bundle;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::io::AsyncWriteExt as _;
use uuid::Uuid;

use crate::store::{Error, happened, unavailable};

/// How long an address for an upload is good.
const UPLOAD_WITHIN: Duration = Duration::from_secs(3600);

/// The largest file.
pub const FILE_BYTES: u64 = 1 << 30;

/// Files that a feed reads together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Our id of it.
    pub id: String,
    /// The plant.
    pub plant: PlantCode,
    /// The feed.
    pub feed: String,
    /// SHA-256 of the configuration that it is read by, also when another one is published meanwhile.
    pub bundle: String,
    /// The files.
    pub files: Vec<DeliveredFile>,
    /// Where it stands.
    pub state: DeliveryState,
    /// Documents that are done with.
    pub documents: u64,
    /// What became of facts and rows.
    pub counts: Counts,
    /// The first problems; all of them are in the result file.
    pub problems: Vec<serde_json::Value>,
    /// Parts of the result file, one for each time that the reader noted how far it was.
    pub segments: Vec<u64>,
    /// Why nothing, or nothing more, could be read.
    pub refused: Option<serde_json::Value>,
    /// When it was announced.
    pub announced_at: Timestamp,
    /// When the first reader began.
    pub started_at: Option<Timestamp>,
    /// When it was done.
    pub finished_at: Option<Timestamp>,
    /// Until when its reader may work.
    pub lease_until: Option<Timestamp>,
    /// Raised by every change.
    pub revision: u64,
}

/// One of the files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveredFile {
    /// What it is to the feed.
    pub role: String,
    /// What the plant calls it.
    pub name: String,
    /// How long the plant says it is.
    pub bytes: u64,
    /// The version that is read, once it is uploaded.
    pub version: Option<String>,
}

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeliveryState {
    /// Not all files are there.
    Uploading,
    /// It is read.
    Reading,
    /// All of it was read.
    Done,
    /// It cannot be read, or not to its end.
    Refused,
}

/// What became of facts and rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Facts that are new.
    pub accepted: u64,
    /// Facts that were there before.
    pub duplicates: u64,
    /// Facts whose document came before with another content: a person decides.
    pub held: u64,
    /// Facts that name a code that a lookup does not know.
    pub unknown_code: u64,
    /// Facts that could not be made.
    pub rejected: u64,
    /// Rows that could not be read.
    pub unread: u64,
}

impl Delivery {
    fn key(&self, file: &DeliveredFile) -> String {
        format!("in/{}/{}/{}", self.plant, self.id, file.role)
    }

    fn out(&self, name: &str) -> String {
        format!("out/{}/{}/{name}", self.plant, self.id)
    }

    /// A new delivery.
    #[must_use]
    pub fn announced(
        plant: &PlantCode,
        feed: &str,
        bundle: &str,
        files: Vec<DeliveredFile>,
        now: Timestamp,
    ) -> Self {
        Self {
            id: format!("file_{}", Uuid::now_v7().simple()),
            plant: plant.clone(),
            feed: feed.to_owned(),
            bundle: bundle.to_owned(),
            files,
            state: DeliveryState::Uploading,
            documents: 0,
            counts: Counts::default(),
            problems: Vec::new(),
            segments: Vec::new(),
            refused: None,
            announced_at: now,
            started_at: None,
            finished_at: None,
            lease_until: None,
            revision: 0,
        }
    }

    /// The end of a delivery that cannot be read.
    pub fn refuse(&mut self, why: &Unread) {
        self.state = DeliveryState::Refused;
        self.refused = serde_json::to_value(why).ok();
    }
}

/// The delivery that an object in the bucket belongs to.
#[must_use]
pub fn delivery_of(key: &str) -> Option<&str> {
    let mut parts = key.strip_prefix("in/")?.split('/');
    parts.next()?;
    parts.next()
}

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
            .item("pk", AttributeValue::S(format!("bundle#{plant}")))
            .item("hash", AttributeValue::S(hash.clone()))
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
        let item = self.item(&format!("bundle#{plant}")).await?;
        let hash = item.as_ref().and_then(|item| item.get("hash"));
        Ok(hash.and_then(|hash| hash.as_s().ok()).cloned())
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
    pub async fn delivery(&self, id: &str) -> Result<Option<Delivery>, Error> {
        let Some(item) = self.item(&format!("file#{id}")).await? else {
            return Ok(None);
        };
        let body = item.get("body").and_then(|body| body.as_s().ok());
        let text = body.map_or("", String::as_str);
        serde_json::from_str(text)
            .map(Some)
            .map_err(|error| Error::Unreadable(format!("delivery {id}: {error}")))
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
            .item("pk", AttributeValue::S(format!("file#{}", delivery.id)))
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

    /// Brings a file to this machine, in the version that the delivery names.
    ///
    /// # Errors
    /// When the bucket or the disk is not available.
    pub async fn download(
        &self,
        delivery: &Delivery,
        file: &DeliveredFile,
        to: &Path,
    ) -> Result<(), Error> {
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
        let mut local = tokio::fs::File::create(to).await.map_err(disk)?;
        while let Some(bytes) = body
            .try_next()
            .await
            .map_err(|error| Error::Unavailable(error.to_string()))?
        {
            local.write_all(&bytes).await.map_err(disk)?;
        }
        local.flush().await.map_err(disk)
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
        self.put(
            delivery.out(&format!("segments/{segment:012}.jsonl")),
            lines,
        )
        .await
    }

    /// Puts the result file together: the counts, then every problem.
    ///
    /// # Errors
    /// When the bucket is not available.
    pub async fn write_result(&self, delivery: &Delivery) -> Result<(), Error> {
        let mut text = serde_json::json!({
            "file": delivery.id, "feed": delivery.feed, "state": delivery.state, "documents": delivery.documents,
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
        self.put(delivery.out("result.jsonl"), text).await
    }

    /// Where the result file can be fetched for a while.
    ///
    /// # Errors
    /// When no address can be signed.
    pub async fn result_address(&self, delivery: &Delivery) -> Result<String, Error> {
        let within = PresigningConfig::expires_in(UPLOAD_WITHIN)
            .map_err(|error| Error::Unreadable(error.to_string()))?;
        let get = self
            .s3
            .get_object()
            .bucket(&self.bucket)
            .key(delivery.out("result.jsonl"));
        let signed = get.presigned(within).await.map_err(unavailable)?;
        Ok(signed.uri().to_owned())
    }

    async fn put(&self, key: String, text: String) -> Result<(), Error> {
        self.s3
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .body(text.into_bytes().into())
            .send()
            .await
            .map(|_| ())
            .map_err(unavailable)
    }

    async fn item(
        &self,
        key: &str,
    ) -> Result<Option<std::collections::HashMap<String, AttributeValue>>, Error> {
        let answer = self
            .dynamo
            .get_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(key.to_owned()))
            .consistent_read(true)
            .send()
            .await
            .map_err(unavailable)?;
        Ok(answer.item().cloned())
    }
}
