//! Decisions about many exceptions at once, as they are kept while they are carried out.
//!
//! A job's members are written first, then its head: with the head the job exists. Its progress is how many
//! members are behind it; a worker moves it on from where it was seen, so that of two workers one stops.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use interplant_domain::exception::Decision;
use interplant_domain::identifier::{ExceptionId, LifecycleId, PlantCode};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{DynamoStore, Error, body, happened, n, read, s, unavailable};

/// Members that share one item.
const MEMBERS_PER_ITEM: usize = 500;

/// Refusals that a job lists; the others are counted.
const MOST_REFUSED: usize = 50;

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// It is being carried out, or waits for its turn.
    Running,
    /// All of its members are behind it.
    Done,
}

/// A decision about all exceptions of a cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Its id.
    pub id: String,
    /// The plant.
    pub plant: PlantCode,
    /// The cause.
    pub cause: String,
    /// What was decided.
    pub decision: Decision,
    /// Who decided.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Where it stands.
    pub state: JobState,
    /// Under what its members are kept: who gives the same job at the same moment keeps others.
    pub members: String,
    /// How many exceptions there were when it was given.
    pub total: usize,
    /// How many are behind it.
    pub looked_at: usize,
    /// How many it has decided.
    pub decided: usize,
    /// How many were gone or changed when it came to them.
    pub refused: usize,
    /// The first of those, with the reason.
    pub refusals: Vec<Refused>,
    /// When it was given.
    pub given_at: Timestamp,
    /// When it last moved on.
    pub moved_at: Timestamp,
}

/// An exception that a job could not decide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// The exception.
    pub exception: String,
    /// Why.
    pub why: String,
}

/// An exception of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Its lifecycle.
    pub lifecycle: LifecycleId,
    /// The exception.
    pub exception: ExceptionId,
}

impl Job {
    /// Notes what became of the next members.
    #[must_use]
    pub fn after(&self, outcomes: Vec<Option<Refused>>, now: Timestamp) -> Self {
        let mut job = self.clone();
        job.looked_at += outcomes.len();
        let refused: Vec<Refused> = outcomes.iter().flatten().cloned().collect();
        job.decided += outcomes.len() - refused.len();
        job.refused += refused.len();
        let room = MOST_REFUSED.saturating_sub(job.refusals.len());
        job.refusals.extend(refused.into_iter().take(room));
        job.moved_at = now;
        if job.looked_at >= job.total {
            job.state = JobState::Done;
        }
        job
    }

    /// By what its decisions are told from others.
    #[must_use]
    pub fn key(&self) -> String {
        format!("job:{}", self.id)
    }
}

impl DynamoStore {
    /// Keeps a job; whether it is new.
    ///
    /// # Errors
    /// When the store is not available: then it may be given again.
    pub async fn new_job(&self, job: &Job, members: &[Member]) -> Result<bool, Error> {
        // A job that exists keeps the members that it was given with.
        if self.job(&job.id).await?.is_some() {
            return Ok(false);
        }
        for (at, chunk) in members.chunks(MEMBERS_PER_ITEM).enumerate() {
            let put = self
                .client
                .put_item()
                .table_name(&self.table)
                .set_item(Some(HashMap::from([
                    ("pk".to_owned(), pk(&job.id)),
                    ("sk".to_owned(), s(members_key(job, at))),
                    ("body".to_owned(), body(&chunk)?),
                ])));
            put.send().await.map_err(unavailable)?;
        }
        self.put_job(job, None).await
    }

    /// A job.
    ///
    /// # Errors
    /// When the store is not available or the job cannot be read.
    pub async fn job(&self, id: &str) -> Result<Option<Job>, Error> {
        self.job_item(id, "job")
            .await?
            .as_ref()
            .map(read)
            .transpose()
    }

    /// The members of a job behind those that it has looked at: at most so many, and fewer at a border.
    ///
    /// # Errors
    /// When the store is not available or the job cannot be read.
    pub async fn next_members(&self, job: &Job, most: usize) -> Result<Vec<Member>, Error> {
        let key = members_key(job, job.looked_at / MEMBERS_PER_ITEM);
        let item = self.job_item(&job.id, &key).await?;
        let all: Vec<Member> = item.as_ref().map(read).transpose()?.unwrap_or_default();
        let from = job.looked_at % MEMBERS_PER_ITEM;
        Ok(all.into_iter().skip(from).take(most).collect())
    }

    /// Moves a job on, if it still is where it was seen.
    ///
    /// # Errors
    /// [`Error::Conflict`] when another worker was faster.
    pub async fn move_job(&self, job: &Job, seen: &Job) -> Result<(), Error> {
        if self.put_job(job, Some(seen.looked_at)).await? {
            Ok(())
        } else {
            Err(Error::Conflict)
        }
    }

    async fn put_job(&self, job: &Job, seen: Option<usize>) -> Result<bool, Error> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .item("pk", pk(&job.id))
            .item("sk", s("job"))
            .item("body", body(job)?)
            .item("looked_at", n(job.looked_at));
        let put = match seen {
            None => put.condition_expression("attribute_not_exists(pk)"),
            Some(seen) => put
                .condition_expression("looked_at = :seen")
                .expression_attribute_values(":seen", n(seen)),
        };
        happened(put.send().await)
    }

    async fn job_item(
        &self,
        id: &str,
        sk: &str,
    ) -> Result<Option<HashMap<String, AttributeValue>>, Error> {
        let get = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("pk", pk(id))
            .key("sk", s(sk))
            .consistent_read(true);
        Ok(get.send().await.map_err(unavailable)?.item)
    }
}

fn pk(id: &str) -> AttributeValue {
    s(format!("job#{id}"))
}

fn members_key(job: &Job, at: usize) -> String {
    format!("members#{}#{at:04}", job.members)
}
