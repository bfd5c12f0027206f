//! What was lost on the way is found and put right, again and again, until nothing is left to do.

use std::collections::BTreeSet;
use std::time::Duration;

use interplant_domain::identifier::LifecycleId;
use interplant_domain::lane::Criticality;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::Context;
use crate::inbox::PENDING_SHARDS;
use crate::outbox::SHARDS;
use crate::protocol;
use crate::store::{ATTENTION_SHARDS, Error, Store};

/// Rows and lifecycles of one shard that one tick looks at; the next tick goes on.
const PER_SHARD: i32 = 50;

/// What a tick did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Swept {
    /// Facts that were sent to `route` again.
    pub sent_again: usize,
    /// Lifecycles that were looked at.
    pub looked_at: usize,
    /// Lifecycles that waited for an Odoo and were let go on.
    pub released: usize,
    /// Odoo databases that do not answer.
    pub open_circuits: usize,
    /// Exceptions about facts that waited too long.
    pub overdue: usize,
    /// Plants that a sender of the outbox was told of again.
    pub senders_woken: usize,
    /// Plants whose waiting audit notes `audit-chain` was told of.
    pub audits_woken: usize,
    /// Whether anything is still open, so that another tick is worth while.
    pub more: bool,
}

impl Context {
    /// One tick of the sweeper.
    ///
    /// # Errors
    /// When a store is not available; the next tick goes on.
    pub async fn sweep(&self) -> Result<Swept, Error> {
        let mut swept = Swept::default();
        let now = self.now();
        self.send_again(now, &mut swept).await?;
        self.wake_senders(now, &mut swept).await?;
        self.wake_audits(&mut swept).await?;
        let mut open = BTreeSet::new();
        for database in self.databases().await? {
            // One Odoo's trouble is not another's.
            match self.look_at_lane(&database).await {
                Ok(released) => swept.released += released,
                Err(error) => tracing::warn!(odoo.database = %database, "lane: {error}"),
            }
            let lane = self.store.lane(&database).await?;
            swept.more = swept.more || !lane.is_calm() || self.store.has_waiting(&database).await?;
            if lane.is_open() {
                open.insert(database);
            }
        }
        swept.open_circuits = open.len();
        for shard in 0..ATTENTION_SHARDS {
            for id in self.store.wanting_attention(shard, now, PER_SHARD).await? {
                swept.looked_at += 1;
                match self.look_at(&id, now, &open, &mut swept).await {
                    // Somebody moved it while we looked: as good as looked at.
                    Ok(()) | Err(Error::Conflict) => {}
                    Err(error) => tracing::warn!(lifecycle.id = %id, "sweep: {error}"),
                }
            }
            swept.more = swept.more || self.store.has_open(shard).await?;
        }
        Ok(swept)
    }

    /// Sends the next tick, unless one is on its way.
    ///
    /// # Errors
    /// When store or queue are not available.
    pub async fn arm_tick(&self) -> Result<(), Error> {
        let now = self.now();
        if self.store.claim_tick(now, now + self.settings.tick).await? {
            self.queues.tick(self.settings.tick).await?;
        }
        Ok(())
    }

    /// A fact that `route` has not taken after most of a tick was lost on the way to it. It is sent again
    /// after that time, after twice and four times that time, and so on: a message that fails comes back
    /// from the queue by itself, and copies would only multiply.
    async fn send_again(&self, now: Timestamp, swept: &mut Swept) -> Result<(), Error> {
        let lost_after = SignedDuration::try_from(self.settings.tick).unwrap_or_default() * 2 / 3;
        let lost_after = lost_after.max(SignedDuration::from_secs(3));
        for shard in 0..PENDING_SHARDS {
            for key in self
                .inbox
                .pending(shard, now - lost_after, PER_SHARD)
                .await?
            {
                if let Some(row) = self.inbox.by_key(&key).await? {
                    self.queues.route(&key, &row.plant).await?;
                    let age = now
                        .duration_since(row.received_at)
                        .min(SignedDuration::from_hours(1));
                    self.inbox.sent_again(&key, now + age - lost_after).await?;
                    swept.sent_again += 1;
                }
            }
            swept.more = swept.more || !self.inbox.pending(shard, now, 1).await?.is_empty();
        }
        Ok(())
    }

    /// A plant that a sender should have looked at was forgotten by it, or its sender has died. It is told
    /// of again, at most once in a while.
    async fn wake_senders(&self, now: Timestamp, swept: &mut Swept) -> Result<(), Error> {
        let tick = SignedDuration::try_from(self.settings.tick).unwrap_or_default();
        let lost_after = (tick * 2 / 3).max(SignedDuration::from_secs(3));
        for shard in 0..SHARDS {
            let table = &self.outbox.table;
            let waiting = table
                .waiting_plants(shard, now - lost_after, PER_SHARD)
                .await?;
            // A plant is there once for its entries, and once for each interchange that is due.
            for plant in BTreeSet::from_iter(waiting) {
                self.outbox.wake(&plant, Duration::ZERO).await?;
                table.look_at(&plant, now + tick).await?;
                swept.senders_woken += 1;
            }
            swept.more =
                swept.more || !table.waiting_plants(shard, now + tick, 1).await?.is_empty();
        }
        Ok(())
    }

    /// Notes of the audit wait since somebody wrote them, and nobody else tells of them: `audit-chain` links
    /// what has come since the last tick at once, in few transactions.
    async fn wake_audits(&self, swept: &mut Swept) -> Result<(), Error> {
        for shard in 0..crate::audit::SHARDS {
            for plant in self.audit.waiting_plants(shard).await? {
                self.audit.wake(&plant, Duration::ZERO).await?;
                swept.audits_woken += 1;
                swept.more = true;
            }
        }
        Ok(())
    }

    async fn look_at(
        &self,
        id: &LifecycleId,
        now: Timestamp,
        open: &BTreeSet<String>,
        swept: &mut Swept,
    ) -> Result<(), Error> {
        let Some(lifecycle) = self.store.load(id).await? else {
            return Ok(());
        };
        let plant = self.plant_of(id).await?;
        if lifecycle.waits_for_odoo() {
            // Whoever let it go on may have died before it did; one that has its place keeps it.
            let lane = Criticality::of(&lifecycle);
            let database = &plant.odoo.database;
            self.store.queue(id, database, lane, now).await?;
        } else if let Some(commit) = lifecycle.overdue(&plant, now) {
            swept.overdue += commit.exceptions.len();
            self.store.commit(&commit).await?;
        }
        if open.contains(&plant.odoo.database) {
            // What would be started or woken now would only find that Odoo is not called.
            return self.store.look_again(id, now + self.settings.check).await;
        }
        protocol::refuse_after_cancel(&self.store, id, &plant, now).await?;
        protocol::repair(&self.store, &self.engine, id, now).await?;
        self.store.look_again(id, now + self.settings.check).await
    }
}
