//! A store and an engine in memory, for tests of the protocol over every interleaving.
//!
//! Each method is one atomic step and gives way to others before it acts, so that a scheduler that polls
//! futures in any order it likes produces every order of steps.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::task::Poll;

use interplant_domain::identifier::LifecycleId;
use interplant_domain::lifecycle::{Commit, Header, Lifecycle, Waiter};
use interplant_domain::mailbox::Entry;
use jiff::Timestamp;

use crate::engine::{Engine, Woken};
use crate::store::{Appended, Delivery, Error, Store};

/// Lets every other future act first.
pub(crate) async fn give_way() {
    let mut polled = false;
    poll_fn(|context| {
        if polled {
            return Poll::Ready(());
        }
        polled = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Lifecycles in memory.
#[derive(Debug, Default)]
pub struct MemoryStore {
    lifecycles: RefCell<BTreeMap<LifecycleId, Lifecycle>>,
    delivered: RefCell<BTreeSet<String>>,
    settled: RefCell<Vec<Entry>>,
    registers: RefCell<BTreeMap<String, (String, u64)>>,
}

impl MemoryStore {
    /// Facts that are settled, in the order in which they were.
    #[must_use]
    pub fn settled(&self) -> Vec<Entry> {
        self.settled.borrow().clone()
    }

    /// The record as it is.
    #[must_use]
    pub fn peek(&self, id: &LifecycleId) -> Option<Lifecycle> {
        self.lifecycles.borrow().get(id).cloned()
    }
}

impl Store for MemoryStore {
    async fn append(&self, delivery: &Delivery, now: Timestamp) -> Result<Appended, Error> {
        give_way().await;
        if !self.delivered.borrow_mut().insert(format!(
            "{} {}",
            delivery.lifecycle, delivery.entry.event_id
        )) {
            return Ok(Appended::Repeated);
        }
        let mut lifecycles = self.lifecycles.borrow_mut();
        let lifecycle = lifecycles
            .entry(delivery.lifecycle.clone())
            .or_insert_with(|| Lifecycle {
                header: Header::new(delivery.lifecycle.clone(), now),
                entries: Vec::new(),
                exceptions: Vec::new(),
                waiter: None,
                next_sequence: 1,
            });
        lifecycle.entries.push(Entry {
            sequence: lifecycle.next_sequence,
            ..delivery.entry.clone()
        });
        lifecycle.next_sequence += 1;
        if delivery.lifecycle.kind().only_keeps() {
            lifecycle.header.updated_at = now;
        }
        Ok(Appended::New)
    }

    async fn load(&self, id: &LifecycleId) -> Result<Option<Lifecycle>, Error> {
        give_way().await;
        Ok(self.peek(id))
    }

    async fn commit(&self, commit: &Commit) -> Result<(), Error> {
        give_way().await;
        let mut lifecycles = self.lifecycles.borrow_mut();
        let lifecycle = lifecycles
            .get_mut(&commit.header.id)
            .ok_or(Error::Conflict)?;
        let came_since = commit
            .if_next_sequence
            .is_some_and(|next| next != lifecycle.next_sequence);
        if lifecycle.header.revision + 1 != commit.header.revision || came_since {
            return Err(Error::Conflict);
        }
        if let Some(appended) = &commit.append {
            let delivered = format!("{} {}", commit.header.id, appended.event_id);
            self.delivered.borrow_mut().insert(delivered);
        }
        lifecycle.apply(commit);
        let settled = commit.entries.iter().filter(|entry| !entry.is_open());
        self.settled.borrow_mut().extend(settled.cloned());
        Ok(())
    }

    async fn park(&self, id: &LifecycleId, waiter: &Waiter) -> Result<(), Error> {
        give_way().await;
        let mut lifecycles = self.lifecycles.borrow_mut();
        let lifecycle = lifecycles.get_mut(id).ok_or(Error::Conflict)?;
        if lifecycle
            .waiter
            .as_ref()
            .is_some_and(|parked| parked.generation > waiter.generation)
        {
            return Err(Error::Conflict);
        }
        lifecycle.waiter = Some(waiter.clone());
        Ok(())
    }

    async fn unpark(&self, id: &LifecycleId, epoch: &str) -> Result<(), Error> {
        give_way().await;
        if let Some(lifecycle) = self.lifecycles.borrow_mut().get_mut(id)
            && lifecycle
                .waiter
                .as_ref()
                .is_some_and(|waiter| waiter.epoch == epoch)
        {
            lifecycle.waiter = None;
        }
        Ok(())
    }

    async fn registered(&self, name: &str) -> Result<(Option<String>, u64), Error> {
        give_way().await;
        let registers = self.registers.borrow();
        Ok(registers.get(name).map_or((None, 0), |(text, revision)| {
            (Some(text.clone()), *revision)
        }))
    }

    async fn register(&self, name: &str, text: &str, seen: u64) -> Result<(), Error> {
        give_way().await;
        let mut registers = self.registers.borrow_mut();
        let now = registers.get(name).map_or(0, |(_, revision)| *revision);
        if now != seen {
            return Err(Error::Conflict);
        }
        registers.insert(name.to_owned(), (text.to_owned(), seen + 1));
        Ok(())
    }
}

/// An execution in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Execution {
    /// Whose.
    pub id: LifecycleId,
    /// Which generation.
    pub generation: u32,
    /// The word of the last wake-up; the driver of the test takes it.
    pub word: Option<String>,
    /// The token it waits with.
    pub token: Option<String>,
    /// Whether it is alive.
    pub running: bool,
}

/// Executions in memory; a test drives them.
#[derive(Debug, Default)]
pub struct MemoryEngine {
    executions: RefCell<Vec<Execution>>,
    tokens: Cell<u64>,
}

impl MemoryEngine {
    /// Gives the execution a token to wait with.
    pub fn hand_out_token(&self, index: usize) -> String {
        self.tokens.set(self.tokens.get() + 1);
        let token = format!("token-{}", self.tokens.get());
        if let Some(execution) = self.executions.borrow_mut().get_mut(index) {
            execution.token = Some(token.clone());
        }
        token
    }

    /// Takes the word by which an execution was woken.
    pub fn take_word(&self, index: usize) -> Option<String> {
        self.executions.borrow_mut().get_mut(index)?.word.take()
    }

    /// Ends an execution, as a crash or a `Succeed` state does.
    pub fn end(&self, index: usize) {
        if let Some(execution) = self.executions.borrow_mut().get_mut(index) {
            execution.running = false;
            execution.token = None;
        }
    }

    /// All executions that were ever started.
    #[must_use]
    pub fn executions(&self) -> Vec<Execution> {
        self.executions.borrow().clone()
    }
}

impl Engine for MemoryEngine {
    async fn start(&self, id: &LifecycleId, generation: u32) -> Result<(), Error> {
        give_way().await;
        let mut executions = self.executions.borrow_mut();
        if !executions
            .iter()
            .any(|execution| execution.id == *id && execution.generation == generation)
        {
            executions.push(Execution {
                id: id.clone(),
                generation,
                word: None,
                token: None,
                running: true,
            });
        }
        Ok(())
    }

    async fn wake(&self, token: &str, word: &str) -> Result<Woken, Error> {
        give_way().await;
        let mut executions = self.executions.borrow_mut();
        let waiting = executions
            .iter_mut()
            .find(|execution| execution.running && execution.token.as_deref() == Some(token));
        let Some(execution) = waiting else {
            return Ok(Woken::Gone);
        };
        execution.token = None;
        execution.word = Some(word.to_owned());
        Ok(Woken::Yes)
    }

    async fn is_running(&self, id: &LifecycleId, generation: u32) -> Result<bool, Error> {
        give_way().await;
        Ok(self.executions.borrow().iter().any(|execution| {
            execution.id == *id && execution.generation == generation && execution.running
        }))
    }
}
