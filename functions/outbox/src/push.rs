//! Makes the files of what waits in a plant's outbox, and sends it, if the plant has a webhook. Handler `push`.
//!
//! Safe to repeat and to run twice at once: one sender at a time holds a plant, and what it sends a second
//! time after a crash has the same id again. It is woken by an offer, by its own delayed message for the next
//! attempt, and by the sweeper when such a message was lost.

mod files;
mod send;

use std::time::Duration;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use interplant_domain::exception::Code;
use interplant_domain::outbox::Entry;
use interplant_domain::plant::{Plant, Webhook};
use interplant_domain::target::{Loopback, target};
use interplant_runtime::Context;
use interplant_runtime::outbox::{
    Answer, Receiver, SendMessage, Stop, home, push as send_due, trouble,
};
use interplant_runtime::queue::{LONGEST_DELAY, each_message};
use interplant_runtime::step::StepError;
use interplant_runtime::store::Error;
use interplant_runtime::webhook::PlantKeys;
use jiff::{SignedDuration, Timestamp};

use send::Hook;

/// When files are made that could not be made at once, for want of time or of a store.
const FILES_AGAIN: SignedDuration = SignedDuration::from_secs(10);

pub(crate) async fn handle(
    context: &Context,
    batch: SqsEvent,
    deadline: Timestamp,
) -> Result<SqsBatchResponse, StepError> {
    let take = async |message: SendMessage| push(context, message, deadline).await;
    Ok(each_message("push", batch, take).await)
}

async fn push(
    context: &Context,
    message: SendMessage,
    deadline: Timestamp,
) -> Result<(), StepError> {
    let code = message.plant;
    let plant = context.plants.read(&code).await?;
    let plant = plant.ok_or_else(|| {
        Error::Unreadable(format!("plant {code} has an outbox but is not published"))
    })?;
    // What is wrong with files holds no webhook up.
    let all_made = match files::make(context, &plant, deadline).await {
        Ok(all_made) => all_made,
        Err(error) => {
            tracing::warn!(plant.code = %code, "files: {error}");
            false
        }
    };
    if let Err(error) = context.overdue_dispatches(&plant).await {
        tracing::warn!(plant.code = %code, "dispatches: {error}");
    }
    let hook = hook(context, &plant).await?;
    let receiver = WebhookOf {
        context,
        plant: &plant,
        hook,
    };
    let sender = uuid::Uuid::new_v4().to_string();
    let ran = send_due(&context.outbox.table, &receiver, &code, &sender, deadline).await?;
    tracing::info!(plant.code = %code, taken = ran.taken, failed = ran.failed, busy = ran.busy, wake_at = ?ran.wake_at, "Pushed");
    let files_at = (!all_made).then(|| context.now() + FILES_AGAIN);
    if let Some(at) = files_at {
        context.outbox.table.look_at(&code, at).await?;
    }
    let wake_at = ran
        .wake_at
        .filter(|_| !ran.busy)
        .into_iter()
        .chain(files_at)
        .min();
    let wait = wake_at.map(|at| at.duration_since(context.now()));
    // Rounded up: a message that comes too early would find nothing due.
    let wait = wait.map(|wait| Duration::from_secs(u64::try_from(wait.as_secs() + 1).unwrap_or(0)));
    // The sweeper wakes us for what is due later.
    if let Some(wait) = wait.filter(|wait| *wait <= LONGEST_DELAY)
        && let Err(error) = context.outbox.wake(&code, wait).await
    {
        tracing::warn!(plant.code = %code, "not queued, the sweeper will: {error}");
    }
    Ok(())
}

/// The plant's webhook, if it has one that may be used.
async fn hook(context: &Context, plant: &Plant) -> Result<Option<Hook>, StepError> {
    let Some(webhook) = &plant.outbox.webhook else {
        return Ok(None);
    };
    let stopped = context.outbox.table.stopped(&plant.plant).await?;
    if stopped.is_some_and(|stop| stop.url == webhook.url && stop.secret == webhook.secret) {
        return Ok(None);
    }
    let loopback = if context.settings.webhook_loopback {
        Loopback::Allowed
    } else {
        Loopback::Forbidden
    };
    let now = context.now();
    let secret = context
        .secrets
        .read(&format!("plants/{}", plant.plant), now)
        .await?;
    let keys = secret
        .and_then(|text| serde_json::from_str::<PlantKeys>(&text).ok())
        .map(|keys| keys.signing(&webhook.secret, now))
        .filter(|keys| !keys.is_empty());
    let made = match (target(&webhook.url, loopback), keys) {
        (Ok(target), Some(keys)) => Ok(Hook {
            target,
            keys,
            loopback,
        }),
        (Err(forbidden), _) => Err(forbidden.to_string()),
        (Ok(_), None) => Err(format!(
            "the plant's secret has no key `{}` under `webhook` that is in force",
            webhook.secret
        )),
    };
    match made {
        Ok(hook) => Ok(Some(hook)),
        Err(note) => {
            stop(context, plant, webhook, &note).await?;
            Ok(None)
        }
    }
}

/// Tells people that nothing is sent any more, then remembers it.
async fn stop(
    context: &Context,
    plant: &Plant,
    webhook: &Webhook,
    note: &str,
) -> Result<(), Error> {
    let now = context.now();
    let raised = trouble(
        plant,
        Code::WebhookStopped,
        &format!("{} {} {now}", webhook.url, webhook.secret),
        format!(
            "nothing is sent to {} any more, what is in the outbox waits: {note}",
            webhook.url
        ),
        now,
    );
    let place = home(&plant.plant, "webhook");
    context.store.raise_aside(&place, &raised, now).await?;
    let stop = Stop {
        url: webhook.url.clone(),
        secret: webhook.secret.clone(),
        note: note.to_owned(),
        at: now,
    };
    context.outbox.table.stop(&plant.plant, &stop).await
}

/// The plant's side, by its webhook.
struct WebhookOf<'c> {
    context: &'c Context,
    plant: &'c Plant,
    hook: Option<Hook>,
}

impl Receiver for WebhookOf<'_> {
    fn wants(&self, entry: &Entry) -> bool {
        let webhook = self.plant.outbox.webhook.as_ref();
        self.hook.is_some() && webhook.is_some_and(|webhook| webhook.sends(&entry.kind))
    }

    async fn post(&self, entry: &Entry) -> Answer {
        match &self.hook {
            Some(hook) => hook.send(entry, self.now()).await,
            None => Answer::Away {
                note: "there is no webhook".to_owned(),
                retry_after: None,
            },
        }
    }

    async fn given_up(&self, entry: &Entry) -> Result<(), Error> {
        let now = self.now();
        let note = entry.note.as_deref().unwrap_or_default();
        let raised = trouble(
            self.plant,
            Code::NotDelivered,
            &format!("{} {}", entry.position, entry.event_id),
            format!(
                "{} of {}, version {}, was sent {} times and not taken; the last answer: {note}",
                entry.kind, entry.document, entry.version, entry.attempts
            ),
            now,
        );
        let place = home(&self.plant.plant, &entry.document);
        self.context.store.raise_aside(&place, &raised, now).await
    }

    async fn stopped(&self, note: &str) -> Result<(), Error> {
        match &self.plant.outbox.webhook {
            Some(webhook) => stop(self.context, self.plant, webhook, note).await,
            None => Ok(()),
        }
    }

    fn now(&self) -> Timestamp {
        self.context.now()
    }
}
