//! How facts and waiting executions meet, whoever comes first and whoever dies on the way.
//!
//! A deliverer writes the fact, then looks for a waiter. A waiter writes its token, then looks for a fact.
//! One of the two always sees the other. A wake-up carries no fact, only the name of the step that the
//! stored record asks for; the step looks again. Every function here may be repeated at any time.

use interplant_domain::identifier::LifecycleId;
use interplant_domain::lifecycle::{
    Commit, GivenDecision, Lifecycle, SUPERSEDED, StaleDecision, Status, Wait, WaitAnswer, Waiter,
};
use interplant_domain::plant::Plant;
use jiff::Timestamp;

use crate::engine::{Engine, Woken};
use crate::store::{Appended, Delivery, Error, Store};

/// A change that lost a race is made anew from what is there; after so many losses the caller tries later.
const ATTEMPTS: usize = 8;

/// Puts a fact into its mailbox and sees to it that somebody takes it.
///
/// # Errors
/// When store or engine are not available; the fact may be in the mailbox already, repeating is safe.
pub async fn deliver(
    store: &impl Store,
    engine: &impl Engine,
    delivery: &Delivery,
    now: Timestamp,
) -> Result<Appended, Error> {
    let appended = append(store, delivery, now).await?;
    if !delivery.lifecycle.kind().only_keeps() {
        nudge(store, engine, &delivery.lifecycle, now).await?;
    }
    // Where facts are only kept nothing follows, and what lies there is not read anew with every fact.
    Ok(appended)
}

pub(crate) async fn append(
    store: &impl Store,
    delivery: &Delivery,
    now: Timestamp,
) -> Result<Appended, Error> {
    let appended = store.append(delivery, now).await?;
    crate::failpoint!("route.after_append");
    Ok(appended)
}

/// Starts or wakes the execution of a lifecycle that has something to do.
///
/// # Errors
/// When store or engine are not available.
pub async fn nudge(
    store: &impl Store,
    engine: &impl Engine,
    id: &LifecycleId,
    now: Timestamp,
) -> Result<(), Error> {
    for _ in 0..ATTEMPTS {
        let Some(lifecycle) = store.load(id).await? else {
            return Ok(());
        };
        let outcome = if lifecycle.wants_execution() {
            start_generation(store, engine, &lifecycle, now).await
        } else if let (Some(waiter), Some(word)) = (&lifecycle.waiter, lifecycle.wake_word()) {
            wake(store, engine, &lifecycle, waiter, word, now).await
        } else {
            // The execution is at work and looks at the mailbox by itself before it waits again.
            return Ok(());
        };
        match outcome {
            Err(Error::Conflict) => {}
            other => return other,
        }
    }
    Err(Error::Unavailable(format!(
        "{id} is changed by too many at once"
    )))
}

/// Settles facts that came after the order was cancelled, and tells whom it concerns.
///
/// # Errors
/// When the store is not available.
pub async fn refuse_after_cancel(
    store: &impl Store,
    id: &LifecycleId,
    plant: &Plant,
    now: Timestamp,
) -> Result<(), Error> {
    for _ in 0..ATTEMPTS {
        let lifecycle = store.load(id).await?;
        let Some(refused) = lifecycle.and_then(|lifecycle| lifecycle.after_cancel(plant, now))
        else {
            return Ok(());
        };
        match store.commit(&refused).await {
            Ok(()) => return Ok(()),
            Err(Error::Conflict) => {}
            Err(error) => return Err(error),
        }
    }
    Err(Error::Unavailable(format!(
        "{id} is changed by too many at once"
    )))
}

/// Starts the next generation: first the record says so, then the engine is told. Whoever dies between the
/// two leaves a lifecycle that runs without an execution, which the sweeper finds.
///
/// # Errors
/// [`Error::Conflict`] when somebody else was faster.
pub async fn start_generation(
    store: &impl Store,
    engine: &impl Engine,
    lifecycle: &Lifecycle,
    now: Timestamp,
) -> Result<(), Error> {
    start(store, engine, &lifecycle.next_generation(now)).await
}

async fn start(store: &impl Store, engine: &impl Engine, commit: &Commit) -> Result<(), Error> {
    store.commit(commit).await?;
    crate::failpoint!("route.after_generation");
    engine
        .start(&commit.header.id, commit.header.generation)
        .await
}

/// Ends a wait. A token that nobody waits with is no error: the fact stays in the mailbox, and if the
/// execution itself is gone, the next generation takes over.
///
/// # Errors
/// When store or engine are not available; [`Error::Conflict`] when the record changed meanwhile.
pub async fn wake(
    store: &impl Store,
    engine: &impl Engine,
    lifecycle: &Lifecycle,
    waiter: &Waiter,
    word: &str,
    now: Timestamp,
) -> Result<(), Error> {
    let id = &lifecycle.header.id;
    let woken = engine.wake(&waiter.token, word).await?;
    crate::failpoint!("route.after_wake");
    store.unpark(id, &waiter.epoch).await?;
    if woken == Woken::Gone
        && lifecycle.header.status == Status::Running
        && !engine.is_running(id, lifecycle.header.generation).await?
    {
        return start_generation(store, engine, lifecycle, now).await;
    }
    Ok(())
}

/// Parks the token of an execution that has nothing to do, unless there is something to do after all; whether it
/// waits.
///
/// # Errors
/// When store or engine are not available; the task is then tried again.
pub async fn wait(
    store: &impl Store,
    engine: &impl Engine,
    id: &LifecycleId,
    waiter: &Waiter,
    now: Timestamp,
) -> Result<bool, Error> {
    match store.park(id, waiter).await {
        Ok(()) => {}
        // A newer generation waits already.
        Err(Error::Conflict) => return go_on(store, engine, id, waiter, SUPERSEDED).await,
        Err(error) => return Err(error),
    }
    crate::failpoint!("park.after_park");
    let Some(lifecycle) = store.load(id).await? else {
        return Err(Error::Unreadable(format!(
            "{id} has an execution but no record"
        )));
    };
    match lifecycle.on_wait(waiter.generation, waiter.wait, now) {
        WaitAnswer::Wait => Ok(true),
        WaitAnswer::GoOn(word) => go_on(store, engine, id, waiter, word).await,
        WaitAnswer::RollOver => {
            match start_generation(store, engine, &lifecycle, now).await {
                Ok(()) | Err(Error::Conflict) => {}
                Err(error) => return Err(error),
            }
            go_on(store, engine, id, waiter, SUPERSEDED).await
        }
    }
}

/// Ends a wait that has just begun: the execution does not wait.
async fn go_on(
    store: &impl Store,
    engine: &impl Engine,
    id: &LifecycleId,
    waiter: &Waiter,
    word: &str,
) -> Result<bool, Error> {
    // Gone: a deliverer was faster and has woken this very wait.
    engine.wake(&waiter.token, word).await?;
    store.unpark(id, &waiter.epoch).await?;
    Ok(false)
}

/// Puts an open lifecycle right whose wake-up, start or execution was lost.
///
/// # Errors
/// When store or engine are not available; [`Error::Conflict`] when it moved meanwhile, which is as good.
pub async fn repair(
    store: &impl Store,
    engine: &impl Engine,
    id: &LifecycleId,
    now: Timestamp,
) -> Result<(), Error> {
    let Some(lifecycle) = store.load(id).await? else {
        return Ok(());
    };
    match lifecycle.header.status {
        Status::Running => {
            if engine.is_running(id, lifecycle.header.generation).await? {
                nudge(store, engine, id, now).await
            } else if store
                .load(id)
                .await?
                .is_none_or(|again| again.header.revision != lifecycle.header.revision)
            {
                // It ended just now, by closing.
                Ok(())
            } else {
                start_generation(store, engine, &lifecycle, now).await
            }
        }
        Status::Expected | Status::Closed => nudge(store, engine, id, now).await,
        Status::Halted | Status::Cancelled | Status::Recorded => Ok(()),
    }
}

/// Ends a wait for Odoo: the execution goes back to the step that the record asks for.
///
/// # Errors
/// When store or engine are not available.
pub async fn release(
    store: &impl Store,
    engine: &impl Engine,
    lifecycle: &Lifecycle,
    now: Timestamp,
) -> Result<(), Error> {
    match &lifecycle.waiter {
        Some(waiter) if waiter.wait == Wait::Odoo => {
            wake(
                store,
                engine,
                lifecycle,
                waiter,
                lifecycle.resume_word(),
                now,
            )
            .await
        }
        Some(_) | None => Ok(()),
    }
}

/// Starts a lifecycle again that a defect had halted, because a person says so: the next generation goes on
/// from the record.
///
/// # Errors
/// [`Error::Conflict`] when it is not halted, or moved meanwhile.
pub async fn restart(
    store: &impl Store,
    engine: &impl Engine,
    id: &LifecycleId,
    by: &str,
    reason: &str,
    now: Timestamp,
) -> Result<u32, Error> {
    match store.load(id).await? {
        Some(lifecycle) if lifecycle.header.status == Status::Halted => {
            start(store, engine, &lifecycle.restarted(by, reason, now)).await?;
            Ok(lifecycle.header.generation + 1)
        }
        Some(_) | None => Err(Error::Conflict),
    }
}

/// Why a decision was not taken.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    /// Nobody knows the lifecycle.
    #[error("there is no lifecycle {0}")]
    NoLifecycle(LifecycleId),
    /// It is too late for this decision.
    #[error(transparent)]
    Stale(#[from] StaleDecision),
    /// The store or the engine is not available.
    #[error(transparent)]
    Store(#[from] Error),
}

/// Records a person's decision and lets the lifecycle go on.
///
/// # Errors
/// When the exception is not open any more or the lifecycle has changed since the person looked.
pub async fn decide(
    store: &impl Store,
    engine: &impl Engine,
    id: &LifecycleId,
    given: &GivenDecision,
    now: Timestamp,
) -> Result<(), DecideError> {
    for _ in 0..ATTEMPTS {
        let Some(lifecycle) = store.load(id).await? else {
            return Err(DecideError::NoLifecycle(id.clone()));
        };
        let commit = lifecycle.decided(given, now)?;
        match store.commit(&commit).await {
            Ok(()) => {
                nudge(store, engine, id, now).await?;
                return Ok(());
            }
            Err(Error::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Error::Unavailable(format!("{id} is changed by too many at once")).into())
}
