//! The lanes of Odoo databases: what is known of each, who waits for it, who may go to work.
//!
//! A lane is one record that everybody changes by what they saw of it, so that its rules hold however many
//! functions are at work. While an Odoo answers fast it is only read.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, Select};
use interplant_domain::identifier::LifecycleId;
use interplant_domain::lane::{Admission, Criticality, Lane};
use interplant_domain::plant::Plant;
use jiff::{SignedDuration, Timestamp};

use crate::step::{OdooTrouble, StepError};
use crate::store::{Appended, Delivery, DynamoStore, Error, Store, happened, unavailable};
use crate::{Context, protocol};

/// A change that lost a race is made anew from what is there; after so many losses the caller tries later.
const ATTEMPTS: usize = 20;
/// Lifecycles that are let go on at once when nobody counts.
const AT_ONCE: usize = 50;

fn name(database: &str) -> String {
    format!("lane#{database}")
}

impl DynamoStore {
    /// What is known of an Odoo database.
    ///
    /// # Errors
    /// When the store is not available or the record cannot be read.
    pub async fn lane(&self, database: &str) -> Result<Lane, Error> {
        self.lane_and_revision(database).await.map(|(lane, _)| lane)
    }

    async fn lane_and_revision(&self, database: &str) -> Result<(Lane, u64), Error> {
        let (text, revision) = self.registered(&name(database)).await?;
        let lane = text.map_or_else(
            || Ok(Lane::default()),
            |text| {
                serde_json::from_str(&text)
                    .map_err(|error| Error::Unreadable(format!("lane {database}: {error}")))
            },
        )?;
        Ok((lane, revision))
    }

    /// Changes a lane; what `change` says of it is handed on, and nothing is written where nothing changed.
    ///
    /// # Errors
    /// When the store is not available.
    pub async fn change_lane<T>(
        &self,
        database: &str,
        mut change: impl FnMut(&mut Lane) -> T,
    ) -> Result<T, Error> {
        for _ in 0..ATTEMPTS {
            let (mut lane, revision) = self.lane_and_revision(database).await?;
            let before = lane.clone();
            let said = change(&mut lane);
            if lane == before {
                return Ok(said);
            }
            let text = serde_json::to_string(&lane)
                .map_err(|error| Error::Unreadable(error.to_string()))?;
            match self.register(&name(database), &text, revision).await {
                Ok(()) => return Ok(said),
                Err(Error::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::Unavailable(format!(
            "the lane of {database} is changed by too many at once"
        )))
    }

    /// Lets a lifecycle wait in a lane until its turn comes, not before `due`. One that waits already keeps its
    /// place.
    ///
    /// # Errors
    /// When the store is not available.
    pub async fn queue(
        &self,
        id: &LifecycleId,
        database: &str,
        criticality: Criticality,
        due: Timestamp,
    ) -> Result<(), Error> {
        let put = self
            .client()
            .put_item()
            .table_name(self.table())
            .set_item(Some(self.key(id, "lane")))
            .item("lane", AttributeValue::S(database.to_owned()))
            .item("lane_at", AttributeValue::S(place(criticality, due)))
            .condition_expression("attribute_not_exists(pk)");
        happened(put.send().await).map(drop)
    }

    async fn unqueue(&self, id: &LifecycleId) -> Result<(), Error> {
        let delete = self
            .client()
            .delete_item()
            .table_name(self.table())
            .set_key(Some(self.key(id, "lane")));
        delete.send().await.map(drop).map_err(unavailable)
    }

    /// Lifecycles of a lane whose turn it is, the most critical first, then in the order in which they came.
    ///
    /// # Errors
    /// When the store is not available.
    pub async fn queued(
        &self,
        database: &str,
        now: Timestamp,
        most: usize,
    ) -> Result<Vec<LifecycleId>, Error> {
        let mut ids = Vec::new();
        for criticality in Criticality::ALL {
            let left = most - ids.len();
            if left == 0 {
                break;
            }
            let query = self
                .client()
                .query()
                .table_name(self.table())
                .index_name("lane")
                .limit(i32::try_from(left).unwrap_or(i32::MAX));
            let first = place(criticality, Timestamp::UNIX_EPOCH);
            let answer = query
                .key_condition_expression("lane = :lane AND lane_at BETWEEN :first AND :now")
                .expression_attribute_values(":lane", AttributeValue::S(database.to_owned()))
                .expression_attribute_values(":first", AttributeValue::S(first))
                .expression_attribute_values(":now", AttributeValue::S(place(criticality, now)))
                .send()
                .await
                .map_err(unavailable)?;
            let found = answer.items().iter();
            ids.extend(found.filter_map(|item| -> Option<LifecycleId> {
                item.get("pk")?.as_s().ok()?.parse().ok()
            }));
        }
        Ok(ids)
    }

    /// How many wait in a lane, now or later.
    ///
    /// # Errors
    /// When the store is not available.
    pub async fn waiting_in(&self, database: &str) -> Result<usize, Error> {
        let mut pages = self.waiting(database).into_paginator().send();
        let mut count = 0;
        while let Some(page) = pages.next().await {
            count += usize::try_from(page.map_err(unavailable)?.count()).unwrap_or(0);
        }
        Ok(count)
    }

    /// Whether anybody waits in a lane, now or later.
    ///
    /// # Errors
    /// When the store is not available.
    pub async fn has_waiting(&self, database: &str) -> Result<bool, Error> {
        let answer = self.waiting(database).limit(1).send().await;
        Ok(answer.map_err(unavailable)?.count() > 0)
    }

    fn waiting(&self, database: &str) -> QueryFluentBuilder {
        self.client()
            .query()
            .table_name(self.table())
            .index_name("lane")
            .select(Select::Count)
            .key_condition_expression("lane = :lane")
            .expression_attribute_values(":lane", AttributeValue::S(database.to_owned()))
    }
}

/// A place in a lane: by criticality, then by time.
fn place(criticality: Criticality, at: Timestamp) -> String {
    // Of equal length, so that the order of texts is the order of times.
    format!("{}#{at:.6}", criticality.rank())
}

impl Context {
    /// Puts a fact into its mailbox and sees to it that somebody takes it: at once, or when its turn comes at an
    /// Odoo that does not answer or has enough to do.
    ///
    /// # Errors
    /// When store or engine are not available; the fact may be in the mailbox already, repeating is safe.
    pub async fn deliver(
        &self,
        delivery: &Delivery,
        plant: &Plant,
        now: Timestamp,
    ) -> Result<Appended, Error> {
        let id = &delivery.lifecycle;
        let database = &plant.odoo.database;
        if id.kind().only_keeps() || self.store.lane(database).await?.is_calm() {
            return protocol::deliver(&self.store, &self.engine, delivery, now).await;
        }
        let appended = protocol::append(&self.store, delivery, now).await?;
        let Some(lifecycle) = self.store.load(id).await? else {
            return Ok(appended);
        };
        // One that is at work, or waits for a person, looks at its mailbox by itself.
        if lifecycle.wants_execution() || lifecycle.wake_word().is_some() {
            let lane = Criticality::of(&lifecycle);
            self.store.queue(id, database, lane, now).await?;
            self.drain(database).await?;
            self.arm_tick().await?;
        }
        Ok(appended)
    }

    /// Asks whether a step may call Odoo now.
    pub(crate) async fn admit(&self, plant: &Plant, id: &LifecycleId) -> Result<(), StepError> {
        let database = &plant.odoo.database;
        let now = self.now();
        let admit = |lane: &mut Lane| lane.admit(id, now);
        match self.store.change_lane(database, admit).await? {
            Admission::Free | Admission::Permit { .. } => Ok(()),
            Admission::Held => Err(StepError::Held {
                database: database.clone(),
            }),
        }
    }

    /// Tells the lane how a step fared with Odoo. A lane that cannot be told learns it from the next step.
    pub(crate) async fn report(
        &self,
        plant: &Plant,
        id: &LifecycleId,
        began: Timestamp,
        trouble: Option<(&OdooTrouble, &str)>,
    ) {
        let database = &plant.odoo.database;
        let now = self.now();
        let slow = now.duration_since(began) >= self.settings.slow_step;
        let fared = |lane: &mut Lane| {
            let was_open = lane.is_open();
            match trouble {
                Some((trouble, reason)) => {
                    let wait = self.settings.probe_every;
                    lane.failed(id, reason, trouble.retry_after, wait, now);
                }
                None => {
                    lane.answered(began, slow, now);
                }
            }
            !was_open && lane.is_open()
        };
        match self.store.change_lane(database, fared).await {
            Ok(true) => {
                tracing::error!(odoo.database = %database, "circuit opened: {database} does not answer, nobody calls it any more");
            }
            Ok(false) => {}
            Err(error) => tracing::warn!(odoo.database = %database, "lane not told: {error}"),
        }
    }

    /// A lifecycle has ended: its permit is free. Whoever waits is let go on by the next that rests, or by the
    /// sweeper.
    pub(crate) async fn gives_back(&self, id: &LifecycleId, database: &str) {
        let rested = |lane: &mut Lane| lane.rests(id);
        if let Err(error) = self.store.change_lane(database, rested).await {
            tracing::warn!(odoo.database = %database, "permit not given back, it ends by itself: {error}");
        }
    }

    /// A lifecycle has come to rest: another one may go to work in its place.
    ///
    /// # Errors
    /// When store or engine are not available.
    pub async fn rests(&self, id: &LifecycleId, database: &str) -> Result<(), Error> {
        let rested = |lane: &mut Lane| lane.rests(id);
        if self.store.change_lane(database, rested).await? {
            self.drain(database).await?;
        }
        Ok(())
    }

    /// Lets lifecycles go on that wait for an Odoo, as many as it may be asked to serve; how many.
    ///
    /// # Errors
    /// When store or engine are not available; whoever was not let go on still waits in the lane.
    pub async fn drain(&self, database: &str) -> Result<usize, Error> {
        let mut released = 0;
        loop {
            let now = self.now();
            let room = self.store.lane(database).await?.room(now);
            let most = room.unwrap_or(AT_ONCE);
            if most == 0 {
                return Ok(released);
            }
            let queued = self.store.queued(database, now, most).await?;
            if queued.is_empty() {
                if room.is_some() && !self.store.has_waiting(database).await? {
                    let caught_up = |lane: &mut Lane| lane.caught_up(now);
                    self.store.change_lane(database, caught_up).await?;
                }
                return Ok(released);
            }
            let counted = room.is_some();
            for id in queued {
                // With the permit in its hand nobody overtakes it on the way to its step.
                if counted {
                    let admit = |lane: &mut Lane| lane.admit(&id, now);
                    if self.store.change_lane(database, admit).await? == Admission::Held {
                        return Ok(released);
                    }
                }
                // Whoever dies between the two leaves a lifecycle that the sweeper brings back into the lane.
                self.store.unqueue(&id).await?;
                crate::failpoint!("lane.after_unqueue");
                match self.let_go_on(&id, now).await {
                    Ok(()) | Err(Error::Conflict) => released += 1,
                    Err(error) => return Err(error),
                }
            }
            if counted {
                return Ok(released);
            }
        }
    }

    async fn let_go_on(&self, id: &LifecycleId, now: Timestamp) -> Result<(), Error> {
        let Some(lifecycle) = self.store.load(id).await? else {
            return Ok(());
        };
        if lifecycle.waits_for_odoo() {
            protocol::release(&self.store, &self.engine, &lifecycle, now).await
        } else {
            protocol::nudge(&self.store, &self.engine, id, now).await
        }
    }

    /// One look at a lane: asks an Odoo that did not answer whether it is back, once in a while and by one
    /// alone, and lets those go on who wait; how many.
    ///
    /// # Errors
    /// When store or engine are not available.
    pub async fn look_at_lane(&self, database: &str) -> Result<usize, Error> {
        let now = self.now();
        if self.store.lane(database).await?.is_open() {
            let wait = self.settings.probe_every;
            let claim = |lane: &mut Lane| lane.claim_probe(wait, now);
            if !self.store.change_lane(database, claim).await? {
                return Ok(0);
            }
            match self.probe(database).await {
                Ok(()) => {
                    self.store.change_lane(database, Lane::is_back).await?;
                    tracing::info!(odoo.database = %database, "{database} answers again");
                }
                Err(retry_after) => {
                    if let Some(wait) = retry_after {
                        let now = self.now();
                        let later = |lane: &mut Lane| lane.come_back(wait, now);
                        self.store.change_lane(database, later).await?;
                    }
                    return Ok(0);
                }
            }
        }
        self.drain(database).await
    }

    /// Asks an Odoo whether it answers; how long it wants to be left alone if not.
    async fn probe(&self, database: &str) -> Result<(), Option<SignedDuration>> {
        // The step says what is wrong with the secret, to the person who can mend it.
        let Ok(credentials) = self.odoo_credentials(database).await else {
            return Ok(());
        };
        // With a call of a model: what stands before an Odoo often answers when Odoo itself does not. One that
        // lets nobody in answers; the steps say so to the person who can mend it.
        let limits = interplant_odoo::Limits::default();
        match interplant_odoo::Client::connect(credentials, limits).await {
            Ok(_) => Ok(()),
            Err(error) if error.class() == interplant_odoo::Class::Retryable => {
                let wait = error.retry_after();
                Err(wait.and_then(|wait| SignedDuration::try_from(wait).ok()))
            }
            Err(_) => Ok(()),
        }
    }

    /// The Odoo databases of all plants.
    ///
    /// # Errors
    /// When the store is not available.
    pub async fn databases(&self) -> Result<BTreeSet<String>, Error> {
        let mut databases = BTreeSet::new();
        for code in self.plants.codes().await? {
            let plant = self.plants.read(&code).await?;
            databases.extend(plant.map(|plant| plant.odoo.database));
        }
        Ok(databases)
    }
}
