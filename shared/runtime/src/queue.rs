//! Messages: to `route`, the sweeper's ticks to itself, and to `odoo-watch` that it is time to read.

use std::time::Duration;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use aws_sdk_sqs::Client;
use interplant_domain::identifier::PlantCode;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::step::StepError;
use crate::store::{Error, unavailable};

/// Takes the messages of a batch one after the other. One that fails goes back to the queue alone; the others of
/// the batch are done.
pub async fn each_message<M: DeserializeOwned>(
    handler: &str,
    batch: SqsEvent,
    take: impl AsyncFn(M) -> Result<(), StepError>,
) -> SqsBatchResponse {
    let mut response = SqsBatchResponse::default();
    for record in batch.records {
        let id = record.message_id.unwrap_or_default();
        let message = serde_json::from_str(record.body.as_deref().unwrap_or_default())
            .map_err(|error| StepError::Defect(format!("a message that is not ours: {error}")));
        let taken = match message {
            Ok(message) => take(message).await,
            Err(error) => Err(error),
        };
        if let Err(error) = taken {
            tracing::warn!(message.id = %id, "{handler}: {error}");
            response.add_failure(id);
        }
    }
    response
}

/// What `route` is told: where the fact is. The document stays in the inbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouteMessage {
    /// Key of the inbox row.
    pub inbox_key: String,
}

/// What the sweeper tells itself: that it is time.
#[derive(Debug, Serialize)]
struct TickMessage {}

/// What `odoo-watch` is told: of which Odoo there may be something to read. What changed there, nobody is believed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WatchMessage {
    /// The database; none means every one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
}

/// What `import` is told besides S3's own notifications: a delivery that is to be looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportMessage {
    /// The plant.
    pub plant: PlantCode,
    /// Our id of the delivery.
    pub file: String,
}

/// What the worker of jobs is told: which one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobMessage {
    /// The job.
    pub job: String,
    /// Whether only to see that somebody carries it out.
    #[serde(default)]
    pub watch: bool,
}

/// The queues.
#[derive(Debug, Clone)]
pub struct Queues {
    client: Client,
    route_url: String,
    tick_url: String,
    watch_url: String,
    import_url: String,
    job_url: String,
}

impl Queues {
    /// The queues by their addresses.
    #[must_use]
    pub fn new(
        client: Client,
        route_url: String,
        tick_url: String,
        watch_url: String,
        import_url: String,
        job_url: String,
    ) -> Self {
        Self {
            client,
            route_url,
            tick_url,
            watch_url,
            import_url,
            job_url,
        }
    }

    /// Tells `route` of a fact. Plants share the queue fairly: each is a message group of its own.
    ///
    /// # Errors
    /// When the queue is not available; the sweeper sends the message again.
    pub async fn route(&self, inbox_key: &str, plant: &PlantCode) -> Result<(), Error> {
        let message = RouteMessage {
            inbox_key: inbox_key.to_owned(),
        };
        let send = self
            .client
            .send_message()
            .queue_url(&self.route_url)
            .message_body(text(&message)?)
            .message_group_id(plant.as_str());
        send.send().await.map(drop).map_err(unavailable)
    }

    /// Arms the sweeper's next tick.
    ///
    /// # Errors
    /// When the queue is not available; the schedule revives a lost tick.
    pub async fn tick(&self, after: Duration) -> Result<(), Error> {
        send(&self.client, &self.tick_url, &TickMessage {}, after).await
    }

    /// Lets `odoo-watch` read an Odoo, or all of them, after a time.
    ///
    /// # Errors
    /// When the queue is not available; the schedule brings the next reading.
    pub async fn watch(&self, database: Option<&str>, after: Duration) -> Result<(), Error> {
        let message = WatchMessage {
            database: database.map(str::to_owned),
        };
        send(&self.client, &self.watch_url, &message, after).await
    }

    /// Tells `import` to look at a delivery after a while.
    ///
    /// # Errors
    /// When the queue is not available.
    pub async fn import(&self, message: &ImportMessage, after: Duration) -> Result<(), Error> {
        send(&self.client, &self.import_url, message, after).await
    }

    /// Lets a job be carried out, or go on.
    ///
    /// # Errors
    /// When the queue is not available: then whoever gave the job gives it again.
    pub async fn job(&self, job: &str) -> Result<(), Error> {
        self.tell_job(job, false, Duration::ZERO).await
    }

    /// Has somebody see after a time that a job is being carried out.
    ///
    /// # Errors
    /// When the queue is not available.
    pub async fn watch_job(&self, job: &str, after: Duration) -> Result<(), Error> {
        self.tell_job(job, true, after).await
    }

    async fn tell_job(&self, job: &str, watch: bool, after: Duration) -> Result<(), Error> {
        let message = JobMessage {
            job: job.to_owned(),
            watch,
        };
        send(&self.client, &self.job_url, &message, after).await
    }
}

/// Messages are not delayed longer than this.
pub const LONGEST_DELAY: Duration = Duration::from_secs(900);

/// Sends a message, now or later.
///
/// # Errors
/// When the queue is not available.
pub(crate) async fn send(
    client: &Client,
    url: &str,
    message: &impl Serialize,
    after: Duration,
) -> Result<(), Error> {
    let delay = i32::try_from(after.min(LONGEST_DELAY).as_secs()).unwrap_or(0);
    let send = client
        .send_message()
        .queue_url(url)
        .message_body(text(message)?)
        .delay_seconds(delay);
    send.send().await.map(drop).map_err(unavailable)
}

fn text(message: &impl Serialize) -> Result<String, Error> {
    serde_json::to_string(message).map_err(|error| Error::Unreadable(error.to_string()))
}
