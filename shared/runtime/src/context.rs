//! What a function has at hand, built once per cold start.

use std::collections::HashMap;
use std::sync::Mutex;

use aws_config::{BehaviorVersion, Region};
use aws_sdk_dynamodb::config::Credentials;
use aws_sdk_dynamodb::types::AttributeValue;
use interplant_domain::identifier::{LifecycleId, PlantCode};
use interplant_domain::plant::Plant;
use interplant_odoo::{Client as OdooClient, Credentials as OdooCredentials, Limits};
use jiff::Timestamp;

use crate::audit::{Audit, Places};
use crate::engine::StepFunctions;
use crate::files::Files;
use crate::inbox::Inbox;
use crate::outbox::{Outbox, Table};
use crate::queue::Queues;
use crate::secrets::Secrets;
use crate::settings::Settings;
use crate::store::{DynamoStore, Error, unavailable};

/// Stores, queues, engine, secrets and the clock.
pub struct Context {
    /// The settings.
    pub settings: Settings,
    /// The inbox.
    pub inbox: Inbox,
    /// The record of lifecycles.
    pub store: DynamoStore,
    /// The engine of lifecycles.
    pub engine: StepFunctions,
    /// The queues.
    pub queues: Queues,
    /// The secrets.
    pub secrets: Secrets,
    /// The plants' configuration.
    pub plants: Plants,
    /// The plants' files and feeds.
    pub files: Files,
    /// What plants are to be told.
    pub outbox: Outbox,
    /// Who decided what.
    pub audit: Audit,
    odoo: Mutex<HashMap<String, OdooClient>>,
}

/// A cloud at another address than AWS's own: the one on this machine.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// Its address.
    pub url: String,
    /// Its region.
    pub region: String,
    /// Who we are there.
    pub access_key_id: String,
    /// The proof of it.
    pub secret_access_key: String,
}

/// Why there is no connection to an Odoo.
#[derive(Debug, thiserror::Error)]
pub enum OdooError {
    /// Secrets Manager is not available.
    #[error(transparent)]
    Store(#[from] Error),
    /// There is no usable secret.
    #[error("the secret for the Odoo database `{0}` is missing or not as documented")]
    Secret(String),
    /// Odoo said no, or nothing.
    #[error(transparent)]
    Odoo(#[from] interplant_odoo::Error),
}

impl Context {
    /// Connects to AWS with the usual credentials of the environment.
    pub async fn new(settings: Settings) -> Self {
        Self::at(settings, None).await
    }

    /// Connects to AWS, or to a cloud at another address.
    pub async fn at(settings: Settings, endpoint: Option<Endpoint>) -> Self {
        let mut loader = aws_config::defaults(BehaviorVersion::latest());
        if let Some(endpoint) = endpoint {
            let credentials = Credentials::new(
                endpoint.access_key_id,
                endpoint.secret_access_key,
                None,
                None,
                "interplant",
            );
            loader = loader
                .endpoint_url(endpoint.url)
                .region(Region::new(endpoint.region))
                .credentials_provider(credentials);
        }
        let aws = loader.load().await;
        let dynamo = aws_sdk_dynamodb::Client::new(&aws);
        let sqs = aws_sdk_sqs::Client::new(&aws);
        let s3 = aws_sdk_s3::config::Builder::from(&aws)
            // A cloud at another address has no names of buckets in its host names.
            .force_path_style(aws.endpoint_url().is_some())
            .build();
        let s3 = aws_sdk_s3::Client::from_conf(s3);
        Self {
            audit: Audit::new(
                dynamo.clone(),
                s3.clone(),
                sqs.clone(),
                Places {
                    waiting: settings.lifecycle_table.clone(),
                    chains: settings.audit_table.clone(),
                    bucket: settings.file_bucket.clone(),
                    queue_url: settings.audit_queue_url.clone(),
                },
            ),
            inbox: Inbox::new(dynamo.clone(), settings.inbox_table.clone()),
            store: DynamoStore::new(
                dynamo.clone(),
                settings.lifecycle_table.clone(),
                settings.check,
            ),
            engine: StepFunctions::new(
                aws_sdk_sfn::Client::new(&aws),
                settings.purchase_order_arn.clone(),
            ),
            queues: Queues::new(
                sqs.clone(),
                settings.route_queue_url.clone(),
                settings.tick_queue_url.clone(),
                settings.watch_queue_url.clone(),
                settings.import_queue_url.clone(),
                settings.job_queue_url.clone(),
            ),
            secrets: Secrets::new(
                aws_sdk_secretsmanager::Client::new(&aws),
                settings.secret_prefix.clone(),
            ),
            plants: Plants::new(dynamo.clone(), settings.plant_table.clone()),
            outbox: Outbox::new(
                Table::new(dynamo.clone(), settings.outbox_table.clone()),
                sqs,
                settings.outbox_queue_url.clone(),
            ),
            files: Files::new(
                s3,
                dynamo,
                settings.file_bucket.clone(),
                settings.file_table.clone(),
            ),
            odoo: Mutex::new(HashMap::new()),
            settings,
        }
    }

    /// The present time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        clock()
    }

    /// The plant of a lifecycle.
    ///
    /// # Errors
    /// When the plant is not published, or the store is not available.
    pub async fn plant_of(&self, id: &LifecycleId) -> Result<Plant, Error> {
        let plant = self.plants.read(id.plant()).await?;
        plant.ok_or_else(|| {
            Error::Unreadable(format!(
                "plant {} is not published: run `interplant plant publish`",
                id.plant()
            ))
        })
    }

    /// What is needed to talk to an Odoo database.
    ///
    /// # Errors
    /// When the secret is missing or cannot be read.
    pub async fn odoo_credentials(&self, database: &str) -> Result<OdooCredentials, OdooError> {
        let text = self
            .secrets
            .read(&format!("odoo/{database}"), self.now())
            .await?;
        let text = text.ok_or_else(|| OdooError::Secret(database.to_owned()))?;
        serde_json::from_str(&text).map_err(|_| OdooError::Secret(database.to_owned()))
    }

    /// A connection to an Odoo database, kept while the function is warm.
    ///
    /// # Errors
    /// When the secret is missing or Odoo does not take us in.
    pub async fn odoo(&self, database: &str) -> Result<OdooClient, OdooError> {
        if let Ok(kept) = self.odoo.lock()
            && let Some(client) = kept.get(database)
        {
            return Ok(client.clone());
        }
        let client =
            OdooClient::connect(self.odoo_credentials(database).await?, Limits::default()).await?;
        if let Ok(mut kept) = self.odoo.lock() {
            kept.insert(database.to_owned(), client.clone());
        }
        Ok(client)
    }

    /// Forgets connection and key of a database: Odoo has refused them, and they may have been replaced.
    pub fn forget_odoo(&self, database: &str) {
        if let Ok(mut kept) = self.odoo.lock() {
            kept.remove(database);
        }
        self.secrets.forget(&format!("odoo/{database}"));
    }
}

/// The one clock of the functions.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "everything below takes the time as a parameter"
)]
pub(crate) fn clock() -> Timestamp {
    Timestamp::now()
}

/// Published configuration of plants.
#[derive(Debug, Clone)]
pub struct Plants {
    client: aws_sdk_dynamodb::Client,
    table: String,
}

impl Plants {
    /// Plants in a table.
    #[must_use]
    pub fn new(client: aws_sdk_dynamodb::Client, table: String) -> Self {
        Self { client, table }
    }

    /// A plant's configuration.
    ///
    /// # Errors
    /// When the store is not available or the record cannot be read.
    pub async fn read(&self, plant: &PlantCode) -> Result<Option<Plant>, Error> {
        let key = AttributeValue::S(format!("plant#{plant}"));
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("pk", key)
            .consistent_read(true)
            .send()
            .await
            .map_err(unavailable)?;
        let Some(item) = answer.item() else {
            return Ok(None);
        };
        let text = item
            .get("body")
            .and_then(|body| body.as_s().ok())
            .map_or("", String::as_str);
        serde_json::from_str(text)
            .map(Some)
            .map_err(|error| Error::Unreadable(format!("plant {plant}: {error}")))
    }

    /// Publishes a plant's configuration.
    ///
    /// # Errors
    /// When the store is not available.
    pub async fn publish(&self, plant: &Plant) -> Result<(), Error> {
        let body =
            serde_json::to_string(plant).map_err(|error| Error::Unreadable(error.to_string()))?;
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .item("pk", AttributeValue::S(format!("plant#{}", plant.plant)));
        put.item("body", AttributeValue::S(body))
            .send()
            .await
            .map(|_| ())
            .map_err(unavailable)
    }

    /// The codes of all published plants.
    ///
    /// # Errors
    /// When the store is not available.
    pub async fn codes(&self) -> Result<Vec<PlantCode>, Error> {
        let answer = self
            .client
            .scan()
            .table_name(&self.table)
            .projection_expression("pk")
            .send()
            .await
            .map_err(unavailable)?;
        let mut codes: Vec<PlantCode> = answer
            .items()
            .iter()
            .filter_map(|item| {
                item.get("pk")?
                    .as_s()
                    .ok()?
                    .strip_prefix("plant#")?
                    .parse()
                    .ok()
            })
            .collect();
        codes.sort();
        Ok(codes)
    }
}
