//! A whole Interplant on one machine: the local cloud, plants, and an Odoo.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use interplant_domain::identifier::{LifecycleId, PlantCode};
use interplant_domain::lifecycle::{Lifecycle, Status, Wait};
use interplant_domain::plant::{BillRounding, Plant};
use interplant_domain::purchase_order::Next;
use interplant_odoo::{Client, Credentials, Limits};
use interplant_odoo_sandbox::{Sandbox, SandboxOptions, Version};
use interplant_runtime::inbox::PENDING_SHARDS;
use interplant_runtime::store::Store;
use jiff::SignedDuration;
use serde_json::Value;

use crate::Failure;
use crate::api::Sender;
use crate::cloud::{LocalCloud, LocalOptions};
use crate::{facts, feeds};

/// Everything that a demo or a test needs.
pub struct World {
    /// The cloud.
    pub cloud: LocalCloud,
    /// The sandbox, unless a real Odoo is used.
    pub sandbox: Option<Sandbox>,
    /// A connection of our own, to look into Odoo.
    pub odoo: Client,
    /// Who sends, by plant.
    pub senders: BTreeMap<PlantCode, Sender>,
    /// The plants.
    pub plants: BTreeMap<PlantCode, Plant>,
    credentials: Credentials,
}

/// Which Odoo.
#[derive(Debug, Clone)]
pub enum OdooChoice {
    /// The sandbox, behaving like a version.
    Sandbox(Version),
    /// A real server.
    Server(Credentials),
}

impl OdooChoice {
    /// The real server that the environment names by `ODOO_URL`, `ODOO_DB`, `ODOO_LOGIN` and `ODOO_API_KEY`,
    /// else the sandbox.
    ///
    /// # Errors
    /// When only some of the four are there.
    pub fn from_env(version: Version) -> Result<Self, Failure> {
        let names = ["ODOO_URL", "ODOO_DB", "ODOO_LOGIN", "ODOO_API_KEY"];
        let values = names.map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
        match values {
            [None, None, None, None] => Ok(Self::Sandbox(version)),
            [Some(url), Some(db), Some(login), Some(api_key)] => Ok(Self::Server(Credentials {
                url,
                db,
                login,
                api_key,
            })),
            [..] => Err(format!(
                "set all of {} for a real Odoo, or none for the sandbox",
                names.join(", ")
            )
            .into()),
        }
    }
}

impl World {
    /// Starts cloud and Odoo.
    ///
    /// # Errors
    /// When one of them does not start.
    pub async fn start(options: &LocalOptions, odoo: OdooChoice) -> Result<Self, Failure> {
        let (sandbox, credentials) = match odoo {
            OdooChoice::Sandbox(version) => {
                let sandbox = Sandbox::start(version, SandboxOptions::default())?;
                let credentials = Credentials {
                    url: sandbox.url(),
                    db: sandbox.database().to_owned(),
                    login: sandbox.login().to_owned(),
                    api_key: sandbox.api_key().to_owned(),
                };
                // As `interplant odoo prepare` asks for: 17 and 18 round prices to cents by default.
                for precision in sandbox.records("decimal.precision")? {
                    let digits = serde_json::json!({"digits": 6});
                    if let (Some(id), Some(digits)) = (
                        precision.get("id").and_then(Value::as_i64),
                        digits.as_object(),
                    ) {
                        sandbox.write("decimal.precision", id, digits)?;
                    }
                }
                (Some(sandbox), credentials)
            }
            OdooChoice::Server(credentials) => (None, credentials),
        };
        let odoo = Client::connect(credentials.clone(), Limits::default()).await?;
        Ok(Self {
            cloud: LocalCloud::start(options).await?,
            sandbox,
            odoo,
            senders: BTreeMap::new(),
            plants: BTreeMap::new(),
            credentials,
        })
    }

    /// Publishes a plant with fresh keys and tells the functions where its Odoo is.
    ///
    /// # Errors
    /// When a store is not available.
    pub async fn add_plant(&mut self, plant: &Plant) -> Result<(), Failure> {
        // As each version comes; a plant's own configuration says how its Odoo is set.
        let mut plant = plant.clone();
        plant.odoo.rounding = match self.odoo.version() {
            interplant_odoo::Version::V17 | interplant_odoo::Version::V18 => BillRounding::EachLine,
            interplant_odoo::Version::V19 => BillRounding::Sum,
        };
        let plant = &plant;
        self.cloud
            .connect_odoo(&plant.odoo.database, &self.credentials)
            .await?;
        let sender = self.cloud.publish(plant).await?;
        self.senders.insert(plant.plant.clone(), sender);
        self.plants.insert(plant.plant.clone(), plant.clone());
        Ok(())
    }

    /// Publishes the feeds of a plant that was added.
    ///
    /// # Errors
    /// When they cannot be read, or a store is not available.
    pub async fn add_feeds(&self, plant: &PlantCode, folder: &Path) -> Result<(), Failure> {
        let bundle = feeds::bundle_of(folder)?;
        interplant_runtime::files::publish(&self.cloud.context, plant, &bundle).await?;
        Ok(())
    }

    /// The sender of a plant.
    ///
    /// # Errors
    /// When the plant was not added.
    pub fn sender(&self, plant: &PlantCode) -> Result<&Sender, Failure> {
        self.senders
            .get(plant)
            .ok_or_else(|| format!("plant {plant} was not added").into())
    }

    /// Creates in Odoo what the orders among these events name.
    ///
    /// # Errors
    /// When Odoo refuses.
    pub async fn create_masters(&self, plant: &PlantCode, events: &[Value]) -> Result<(), Failure> {
        let plant = self
            .plants
            .get(plant)
            .ok_or_else(|| format!("plant {plant} was not added"))?;
        facts::create_masters(&self.odoo, plant, events).await
    }

    /// Where the Odoo is, and who we are there.
    #[must_use]
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// The record of a lifecycle.
    ///
    /// # Errors
    /// When the store is not available.
    pub async fn lifecycle(&self, id: &LifecycleId) -> Result<Option<Lifecycle>, Failure> {
        Ok(self.cloud.context.store.load(id).await?)
    }

    async fn on_the_way(&self) -> Result<bool, Failure> {
        let inbox = &self.cloud.context.inbox;
        for shard in 0..PENDING_SHARDS {
            // Facts that were sent again bear a later time: all until tomorrow are asked for.
            let tomorrow = self.cloud.context.now() + SignedDuration::from_hours(24);
            if !inbox.pending(shard, tomorrow, 1).await?.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Waits until lifecycles have come to rest, or the time is over; `seen` is told how many have.
    ///
    /// # Errors
    /// With the lifecycles that have not, when the time is over.
    pub async fn settle(
        &self,
        ids: &[LifecycleId],
        within: Duration,
        mut seen: impl FnMut(usize),
    ) -> Result<(), Failure> {
        let started = std::time::Instant::now();
        let mut open: Vec<LifecycleId> = ids.to_vec();
        let mut drained = false;
        // One tick of the sweeper keeps what is lost from waiting for the schedule.
        self.cloud.context.queues.tick(Duration::ZERO).await?;
        loop {
            let mut still = Vec::new();
            for id in open {
                if !self
                    .lifecycle(&id)
                    .await?
                    .is_some_and(|lifecycle| at_rest(&lifecycle))
                {
                    still.push(id);
                }
            }
            // A fact that is still on its way to its mailbox would set an order in motion again.
            let on_the_way = self.on_the_way().await?;
            seen(ids.len() - still.len());
            if still.is_empty() && !on_the_way && drained {
                return Ok(());
            }
            // Who was looked at while a fact was still on its way is looked at once more.
            open = if drained && !on_the_way {
                still
            } else {
                ids.to_vec()
            };
            drained = !on_the_way;
            if started.elapsed() > within {
                let names: Vec<_> = open.iter().take(5).map(ToString::to_string).collect();
                return Err(format!(
                    "{} lifecycles have not come to rest after {} s, such as {}; look into {}",
                    open.len(),
                    within.as_secs(),
                    names.join(", "),
                    self.cloud.ready.logs
                )
                .into());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// Whether a lifecycle waits for somebody else, or for nobody.
#[must_use]
pub fn at_rest(lifecycle: &Lifecycle) -> bool {
    match lifecycle.header.status {
        Status::Closed | Status::Cancelled | Status::Halted => {
            lifecycle.waiter.is_none() && !lifecycle.wants_execution()
        }
        Status::Expected => lifecycle.next() == Next::Wait,
        Status::Recorded => true,
        Status::Running => match lifecycle.waiter.as_ref().map(|waiter| waiter.wait) {
            Some(Wait::Fact) => lifecycle.next() == Next::Wait,
            Some(Wait::Decision) => lifecycle.next() == Next::Decide,
            Some(Wait::Odoo) | None => false,
        },
    }
}
