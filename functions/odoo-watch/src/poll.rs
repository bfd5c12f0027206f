//! Reads what people have made and changed in Odoo since the reading before, and takes it in as facts.
//!
//! Safe to repeat and to run twice at once: a plant's orders have one reader at a time, and what was read is
//! passed only when every fact of it is in the inbox, each under an id that follows from the order. While
//! plants watch an Odoo, it sends itself the next tick; the schedule only revives a tick that was lost.
//! Raises `UNKNOWN_PARTNER`, `UNKNOWN_ITEM`, `UNKNOWN_CODE`, `ORDER_DIFFERS` beside the lifecycle.

mod codes;
mod order;
mod reading;

use std::time::Duration;

use aws_lambda_events::event::sqs::SqsEvent;
use interplant_domain::identifier::{ExternalId, PlantCode};
use interplant_domain::plant::{Plant, Watch};
use interplant_odoo::{ChangedOrder, Changes, Client, model};
use interplant_runtime::queue::WatchMessage;
use interplant_runtime::step::StepError;
use interplant_runtime::store::{Error as StoreError, Store};
use interplant_runtime::{Context, failpoint};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use codes::Codes;
use order::{Found, Look, look};
use reading::{Place, Reading, Seen};

/// Orders of one call. An order of a thousand lines is read in half a megabyte.
const PAGE: u32 = 20;

/// A reader that died is followed by another one after this time.
const LEASE: SignedDuration = SignedDuration::from_secs(25);

/// So much of the function's time is kept for the end.
const RESERVE: SignedDuration = SignedDuration::from_secs(15);

/// The chain of ticks.
const TICKS: &str = "odoo-watch";

/// What a reading did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Polled {
    /// Plants whose orders were read.
    plants: usize,
    /// Orders that came.
    orders: usize,
    /// Facts that were taken in.
    facts: usize,
    /// Orders that have to be looked at again.
    again: usize,
    /// Whether there was no time for everything.
    more: bool,
}

pub(crate) async fn handle(
    context: &Context,
    input: serde_json::Value,
    deadline: Timestamp,
) -> Result<Polled, StepError> {
    let only = database(input);
    let mut polled = Polled::default();
    let mut broken = Vec::new();
    let mut watching: Vec<Plant> = Vec::new();
    for code in context.plants.codes().await? {
        let plant = context.plants.read(&code).await?;
        watching.extend(plant.filter(|plant| plant.odoo.watch.is_some()));
    }
    for plant in &watching {
        let meant = only
            .as_ref()
            .is_none_or(|only| *only == plant.odoo.database);
        let Some(watch) = plant.odoo.watch.as_ref().filter(|_| meant) else {
            continue;
        };
        // Who does not answer is asked by the sweeper, and by nobody else.
        if context.store.lane(&plant.odoo.database).await?.is_open() {
            continue;
        }
        let outcome = match watching.iter().find(|other| is_rival(plant, other)) {
            None => read(context, plant, watch, deadline, &mut polled).await,
            // Both would book the goods of one order.
            Some(other) => Err(StepError::Defect(format!(
                "it has company and operation type for receipts in common with {}: whose an order is, one of them has to say",
                other.plant
            ))),
        };
        // One plant's trouble is not another's.
        match outcome {
            Ok(()) => polled.plants += 1,
            Err(StepError::Retryable { message, .. }) => {
                tracing::warn!(plant.code = %plant.plant, "not read, the next tick will: {message}");
            }
            Err(error) => broken.push((plant.plant.clone(), error)),
        }
    }
    if polled.more {
        context
            .queues
            .watch(only.as_deref(), Duration::ZERO)
            .await?;
    }
    let now = context.now();
    let next = now + context.settings.tick;
    if !watching.is_empty() && only.is_none() && context.store.claim(TICKS, now, next).await? {
        context.queues.watch(None, context.settings.tick).await?;
    }
    tracing::info!(
        plants = polled.plants,
        orders = polled.orders,
        facts = polled.facts,
        again = polled.again,
        more = polled.more,
        "Read"
    );
    report(broken).map(|()| polled)
}

/// Whether the orders of one plant would be another's too.
fn is_rival(plant: &Plant, other: &Plant) -> bool {
    let place = |plant: &Plant| {
        let odoo = &plant.odoo;
        (
            odoo.database.clone(),
            odoo.company.clone(),
            odoo.receipt_type.clone(),
        )
    };
    plant.plant != other.plant && place(plant) == place(other)
}

/// What nobody but an operator can mend makes the function fail, which rings an alarm.
fn report(broken: Vec<(PlantCode, StepError)>) -> Result<(), StepError> {
    if broken.is_empty() {
        return Ok(());
    }
    let told: Vec<String> = broken
        .iter()
        .map(|(code, error)| format!("{code}: {error}"))
        .collect();
    Err(StepError::Defect(told.join("; ")))
}

/// The database that a message names; a tick means all of them.
fn database(input: serde_json::Value) -> Option<String> {
    let batch: SqsEvent = serde_json::from_value(input).ok()?;
    let body = batch.records.into_iter().next()?.body?;
    let message: WatchMessage = serde_json::from_str(&body).ok()?;
    message.database
}

/// Reads what has changed of a plant's orders.
async fn read(
    context: &Context,
    plant: &Plant,
    watch: &Watch,
    deadline: Timestamp,
    polled: &mut Polled,
) -> Result<(), StepError> {
    let Some(mut shelf) = Shelf::lease(context, plant, watch).await? else {
        return Ok(());
    };
    let odoo = match context.odoo(&plant.odoo.database).await {
        Ok(odoo) => odoo,
        Err(error) => {
            shelf.release().await?;
            return Err(error.into());
        }
    };
    let outcome = pages(context, plant, watch, &odoo, &mut shelf, deadline, polled).await;
    if let Err(StepError::Business(_)) = &outcome {
        // A key that was replaced is used by the next reading.
        context.forget_odoo(&plant.odoo.database);
    }
    let released = shelf.release().await;
    outcome?;
    released
}

async fn pages(
    context: &Context,
    plant: &Plant,
    watch: &Watch,
    odoo: &Client,
    shelf: &mut Shelf<'_>,
    deadline: Timestamp,
    polled: &mut Polled,
) -> Result<(), StepError> {
    let place = place(plant, odoo, shelf.reading.place.take()).await?;
    shelf.reading.place = Some(place.clone());
    let overlap = SignedDuration::from_secs(i64::from(watch.overlap_seconds.clamp(10, 600)));
    let mut codes = Codes::default();
    loop {
        let page = shelf.reading.page(overlap, context.now());
        let orders = odoo
            .changed_orders(&Changes {
                company: place.company,
                receipt_type: place.receipt_type,
                since: page.since,
                again: &page.again,
                after: page.after,
                most: PAGE,
            })
            .await?;
        let seen = take_in(context, plant, odoo, shelf, &mut codes, &orders, polled).await?;
        failpoint!("watch.before_cursor");
        let now = context.now();
        let passed = shelf.reading.passed(&seen, now);
        shelf.keep(now).await?;
        let ended = passed.map_err(|many| {
            StepError::Defect(format!(
                "{many} orders cannot be taken up, each has an exception: nothing more is read before they are mended, or `purchase_orders_since` is a later day"
            ))
        })?;
        if ended {
            return Ok(());
        }
        if now >= deadline - RESERVE {
            polled.more = true;
            return Ok(());
        }
    }
}

/// Takes in what is new on a page. Afterwards all of it is durable, or noted to be looked at again.
async fn take_in(
    context: &Context,
    plant: &Plant,
    odoo: &Client,
    shelf: &Shelf<'_>,
    codes: &mut Codes,
    orders: &[ChangedOrder],
    polled: &mut Polled,
) -> Result<Seen, StepError> {
    let mut seen = Seen {
        last: orders.last().map(|order| order.id),
        youngest: orders.iter().map(|order| order.written_at).max(),
        more: orders.len() == PAGE as usize,
        ..Seen::default()
    };
    polled.orders += orders.len();
    let mut found = Vec::new();
    for order in orders {
        let one = Found::read(context, plant, order).await?;
        if one.wants_a_look(shelf.reading.start()) {
            found.push(one);
        } else {
            seen.settled.push(order.id);
        }
    }
    // Interplant's own orders are told by their external ids: those are made in one step with the order.
    let new: Vec<i64> = found
        .iter()
        .filter(|one| one.is_new())
        .map(|one| one.order.id)
        .collect();
    let names = odoo.external_ids(model::ORDER, &new).await?;
    let ours = |names: &Vec<ExternalId>| {
        names
            .iter()
            .any(|name| name.as_str().starts_with("interplant.po_"))
    };
    found.retain(|one| {
        let ours = names.get(&one.order.id).is_some_and(ours);
        if ours {
            seen.settled.push(one.order.id);
        }
        !ours
    });
    let orders: Vec<&ChangedOrder> = found.iter().map(|one| one.order).collect();
    codes.learn(odoo, &orders).await?;
    for one in found {
        let (id, name) = (one.order.id, &one.order.name);
        match look(context, plant, codes, one).await {
            Ok(Look::Settled) => seen.settled.push(id),
            Ok(Look::Told(facts)) => {
                tracing::info!(plant.code = %plant.plant, order = %name, facts, "Taken in");
                polled.facts += facts;
                seen.settled.push(id);
            }
            // Somebody else has it in hand: what came of it, the next look shows.
            Ok(Look::Again) | Err(StoreError::Conflict) => {
                polled.again += 1;
                seen.again.push(id);
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(seen)
}

/// What Odoo has for the plant's company and operation type; asked for once.
async fn place(plant: &Plant, odoo: &Client, known: Option<Place>) -> Result<Place, StepError> {
    let names = names(plant);
    if let Some(known) = known.filter(|known| known.names == names) {
        return Ok(known);
    }
    let id = |text: &String| ExternalId::configured(text.clone());
    match odoo.place_of(&id(&names.0), &id(&names.1)).await? {
        (Some(company), Some(receipt_type)) => Ok(Place {
            names,
            company,
            receipt_type,
        }),
        _ => Err(StepError::Defect(format!(
            "Odoo has no company {} or no operation type for receipts {}: put it right in plant.yaml and publish it",
            names.0, names.1
        ))),
    }
}

/// The place's names in the plant's configuration.
fn names(plant: &Plant) -> (String, String) {
    (plant.odoo.company.clone(), plant.odoo.receipt_type.clone())
}

/// How far a plant's orders have been read, while this reader has it.
struct Shelf<'a> {
    context: &'a Context,
    name: String,
    reading: Reading,
    revision: u64,
    lost: bool,
}

impl<'a> Shelf<'a> {
    /// Makes the caller the only reader; none when there is one.
    async fn lease(
        context: &'a Context,
        plant: &Plant,
        watch: &Watch,
    ) -> Result<Option<Self>, StepError> {
        let name = format!("watch#{}", plant.plant);
        let (text, revision) = context.store.registered(&name).await?;
        let known: Option<Reading> = text
            .map(|text| serde_json::from_str(&text))
            .transpose()
            .map_err(|error| StepError::Defect(format!("{name}: {error}")))?;
        let now = context.now();
        let since = watch.purchase_orders_since;
        let reading = match known {
            Some(known) if known.is_leased(now) => return Ok(None),
            // From another day on, or of another place: everything since then is read, and what is known is
            // recognised.
            Some(known) if known.since == since && known.is_of(&names(plant)) => known,
            Some(_) | None => Reading::new(since, now),
        };
        let mut shelf = Self {
            context,
            name,
            reading,
            revision,
            lost: false,
        };
        match shelf.keep(now).await {
            Ok(()) => Ok(Some(shelf)),
            Err(_) if shelf.lost => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes down how far the reading is, and stays the only reader.
    async fn keep(&mut self, now: Timestamp) -> Result<(), StepError> {
        self.reading.lease(Some(now + LEASE));
        self.write().await
    }

    async fn release(&mut self) -> Result<(), StepError> {
        if self.lost {
            return Ok(());
        }
        self.reading.lease(None);
        self.write().await
    }

    async fn write(&mut self) -> Result<(), StepError> {
        let text = serde_json::to_string(&self.reading)
            .map_err(|error| StepError::Defect(error.to_string()))?;
        match self
            .context
            .store
            .register(&self.name, &text, self.revision)
            .await
        {
            Ok(()) => {
                self.revision += 1;
                Ok(())
            }
            Err(error) => {
                self.lost = error == StoreError::Conflict;
                Err(error.into())
            }
        }
    }
}
