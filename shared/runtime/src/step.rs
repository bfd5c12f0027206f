//! Runs a step: read, decide, act once, record.
//!
//! A step asks [`begin`] for its work, acts on Odoo and hands the result to [`conclude`]. In between the
//! operation stands open in the lifecycle's record, so that whoever comes after a crash knows what was
//! intended and looks before it repeats.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use interplant_domain::exception::{Code as ExceptionCode, Exception};
use interplant_domain::fact::Fact;
use interplant_domain::identifier::LifecycleId;
use interplant_domain::lifecycle::{
    AWAIT, Begin, Done, Lifecycle, Resume, Run, SUPERSEDED, Status,
};
use interplant_domain::plant::Plant;
use interplant_domain::purchase_order::{Next, PurchaseOrder, Refusal, Step, Taken};
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tracing::Instrument;

use crate::context::OdooError;
use crate::store::{Error as StoreError, Store};
use crate::{Context, Settings};

/// What the state machine hands to a step.
#[derive(Debug, Clone, Deserialize)]
pub struct StepInput {
    /// Whose step.
    pub lifecycle: LifecycleId,
    /// The execution's generation.
    pub generation: u32,
    /// The step.
    pub step: Step,
}

/// What a step hands back: where the lifecycle goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// A state's name.
    pub next: &'static str,
}

/// Why a step did not do its work. Each kind has one name in the state machine.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// Odoo or AWS is busy, down or slow: tried again, then held until it answers.
    #[error("{message}")]
    Retryable {
        /// What happened.
        message: String,
        /// Whether Odoo may have done, or may still do, what was asked.
        unknown: bool,
        /// What Odoo, or what stands before it, did not do.
        odoo: Option<OdooTrouble>,
    },
    /// Odoo does not answer, or has enough to do: nothing was tried.
    #[error("{database} is not called now")]
    Held {
        /// The database.
        database: String,
    },
    /// A person decides.
    #[error(transparent)]
    Business(#[from] Exception),
    /// An invariant is broken: our own fault. The lifecycle is halted.
    #[error("{0}")]
    Defect(String),
    /// The fact is not applied now, and nothing else waits for that: a person may decide, or another fact
    /// has to come first.
    #[error("{}", told(.0))]
    Refused(Refusal),
    /// A fact came just before closing.
    #[error("a fact came just before closing")]
    MoreToDo,
}

/// An Odoo that did not answer as it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OdooTrouble {
    /// How long it wants to be left alone.
    pub retry_after: Option<SignedDuration>,
}

/// A refusal in words.
fn told(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Raise(exception) => exception.to_string(),
        Refusal::Wait { reason, .. } => reason.clone(),
    }
}

impl From<Refusal> for StepError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<StoreError> for StepError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict | StoreError::Unavailable(_) => Self::Retryable {
                message: error.to_string(),
                unknown: false,
                odoo: None,
            },
            StoreError::Unreadable(_) => Self::Defect(error.to_string()),
        }
    }
}

impl From<interplant_odoo::Error> for StepError {
    fn from(error: interplant_odoo::Error) -> Self {
        let unknown = error.outcome() == interplant_odoo::Outcome::Unknown;
        match error.class() {
            interplant_odoo::Class::Retryable => Self::Retryable {
                message: error.to_string(),
                unknown,
                odoo: Some(OdooTrouble {
                    retry_after: error
                        .retry_after()
                        .and_then(|wait| SignedDuration::try_from(wait).ok()),
                }),
            },
            interplant_odoo::Class::BusinessException(code) => {
                Self::Business(Exception::new(code, error.to_string()))
            }
            interplant_odoo::Class::Defect => Self::Defect(error.to_string()),
        }
    }
}

impl From<OdooError> for StepError {
    fn from(error: OdooError) -> Self {
        match error {
            OdooError::Store(error) => error.into(),
            OdooError::Odoo(error) => error.into(),
            OdooError::Secret(_) => Self::Business(Exception::new(
                ExceptionCode::OdooConfiguration,
                error.to_string(),
            )),
        }
    }
}

impl From<StepError> for Diagnostic {
    fn from(error: StepError) -> Self {
        let name = match &error {
            StepError::Retryable { .. } => "Retryable",
            StepError::Held { .. } => "Held",
            StepError::Business(_) => "BusinessException",
            StepError::Defect(_) => "Defect",
            StepError::Refused(Refusal::Raise(_)) => "OnHold",
            StepError::Refused(Refusal::Wait { .. }) => "AwaitingFact",
            StepError::MoreToDo => "MoreToDo",
        };
        Self {
            error_type: name.to_owned(),
            error_message: error.to_string(),
        }
    }
}

/// Everything a step works with.
#[derive(Debug, Clone)]
pub struct Work<P> {
    /// The run.
    pub run: Run,
    /// The lifecycle as it was when the work began.
    pub lifecycle: Lifecycle,
    /// Its plant.
    pub plant: Plant,
    /// Position of the fact.
    pub sequence: u64,
    /// The fact.
    pub fact: Fact,
    /// What is to be done.
    pub plan: P,
    /// Whether somebody tried before.
    pub resume: Resume,
    /// When the work began.
    pub began: Timestamp,
}

/// What a step asked for.
#[derive(Debug)]
pub enum Begun<P> {
    /// Work.
    Work(Box<Work<P>>),
    /// Nothing to do here: the state machine goes on there.
    GoOn(Outcome),
}

impl<P> Work<P> {
    /// The id of the lifecycle.
    #[must_use]
    pub fn id(&self) -> &LifecycleId {
        &self.lifecycle.header.id
    }

    /// The order, when the lifecycle has one already.
    #[must_use]
    pub fn order(&self) -> Option<&PurchaseOrder> {
        self.lifecycle.header.order.as_ref()
    }

    /// What a plan is made of beside the order and the fact.
    ///
    /// # Errors
    /// A defect when the fact is not in the mailbox.
    pub fn taken(&self) -> Result<Taken<'_>, StepError> {
        let entry = self
            .lifecycle
            .entries
            .iter()
            .find(|entry| entry.sequence == self.sequence)
            .ok_or_else(|| StepError::Defect(format!("{} lost a fact", self.id())))?;
        Ok(Taken {
            plant: &self.plant,
            sequence: self.sequence,
            happened_at: entry.happened_at,
            received_at: entry.received_at,
            accepted: &entry.accepted,
        })
    }

    /// Whether the effect may be tried, or tried again, now.
    ///
    /// # Errors
    /// `Retryable` while an earlier worker or call may still be at work: then a look was all that was allowed.
    pub fn may_act(&self) -> Result<(), StepError> {
        match self.resume {
            Resume::First
            | Resume::Again {
                only_look_until: None,
            } => Ok(()),
            Resume::Again {
                only_look_until: Some(until),
            } => Err(StepError::Retryable {
                message: format!("an earlier attempt may still be at work until {until}"),
                unknown: false,
                odoo: None,
            }),
        }
    }
}

impl Context {
    /// Takes up the work of a step: loads, decides, opens the operation.
    ///
    /// # Errors
    /// An exception that the plan raises is recorded here and handed on.
    pub async fn begin<P>(
        &self,
        input: &StepInput,
        deadline: Timestamp,
        plan: impl Fn(Option<&PurchaseOrder>, &Fact, &Taken<'_>) -> Result<P, Refusal>,
    ) -> Result<Begun<P>, StepError>
    where
        P: Serialize + DeserializeOwned,
    {
        let begun = self.take_up(input, deadline, plan).await;
        if let Err(StepError::Defect(defect)) = &begun {
            self.halt(&input.lifecycle, defect).await?;
        }
        begun
    }

    async fn take_up<P>(
        &self,
        input: &StepInput,
        deadline: Timestamp,
        plan: impl Fn(Option<&PurchaseOrder>, &Fact, &Taken<'_>) -> Result<P, Refusal>,
    ) -> Result<Begun<P>, StepError>
    where
        P: Serialize + DeserializeOwned,
    {
        let run = Run {
            step: input.step,
            generation: input.generation,
            deadline,
            request_limit: self.settings.odoo_request_limit,
        };
        for _ in 0..4 {
            let now = self.now();
            let lifecycle = self.load(&input.lifecycle).await?;
            let plant = self.plant_of(&input.lifecycle).await?;
            let Next::Do(_, Some(sequence)) = lifecycle.next() else {
                return Ok(Begun::GoOn(elsewhere(&lifecycle, run)));
            };
            let Some(entry) = lifecycle
                .entries
                .iter()
                .find(|entry| entry.sequence == sequence)
            else {
                return Err(StepError::Defect(format!(
                    "{} has no fact {sequence}",
                    input.lifecycle
                )));
            };
            if let Some((commit, exception)) = lifecycle.gives_up(input.step, &plant, now) {
                match self.store.commit(&commit).await {
                    Ok(()) => return Err(exception.into()),
                    Err(StoreError::Conflict) => continue,
                    Err(error) => return Err(error.into()),
                }
            }
            if input.step.calls_odoo() {
                self.admit(&plant, &input.lifecycle).await?;
            }
            let row = self.inbox.by_key(&entry.inbox_key).await?;
            let row =
                row.ok_or_else(|| StepError::Defect(format!("the inbox lost {}", entry.event_id)))?;
            let fact = row.fact()?;
            let mut unreadable = None;
            let begin = lifecycle.begin(run, now, &plant, |order, taken| {
                let plan = plan(order, &fact, taken)?;
                Ok(serde_json::to_value(plan).unwrap_or_else(|error| {
                    unreadable = Some(error.to_string());
                    serde_json::Value::Null
                }))
            });
            if let Some(error) = unreadable {
                return Err(StepError::Defect(error));
            }
            match begin {
                Begin::Superseded | Begin::Elsewhere(_) => {
                    return Ok(Begun::GoOn(elsewhere(&lifecycle, run)));
                }
                Begin::Refused(commit, refusal) => match self.store.commit(&commit).await {
                    Ok(()) => return Err(refusal.into()),
                    Err(StoreError::Conflict) => {}
                    Err(error) => return Err(error.into()),
                },
                Begin::Work { commit, resume } => match self.store.commit(&commit).await {
                    Ok(()) => {
                        let operation = commit
                            .header
                            .operation
                            .as_ref()
                            .map(|operation| operation.plan.clone())
                            .unwrap_or_default();
                        let plan = serde_json::from_value(operation)
                            .map_err(|error| StepError::Defect(error.to_string()))?;
                        return Ok(Begun::Work(Box::new(Work {
                            run,
                            lifecycle,
                            plant,
                            sequence,
                            fact,
                            plan,
                            resume,
                            began: now,
                        })));
                    }
                    Err(StoreError::Conflict) => {}
                    Err(error) => return Err(error.into()),
                },
            }
        }
        Err(StoreError::Conflict.into())
    }

    /// Records what a step did, or why it did not.
    ///
    /// # Errors
    /// What the step reported, once it is recorded.
    pub async fn conclude<P>(
        &self,
        work: &Work<P>,
        result: Result<Done, StepError>,
    ) -> Result<Outcome, StepError> {
        if work.run.step.calls_odoo() {
            let trouble = match &result {
                Err(StepError::Retryable {
                    odoo: Some(trouble),
                    message,
                    ..
                }) => Some((trouble, message.as_str())),
                Ok(_) | Err(_) => None,
            };
            self.report(&work.plant, work.id(), work.began, trouble)
                .await;
        }
        let concluded = self.record(work, result).await;
        if let Err(StepError::Defect(defect)) = &concluded {
            self.halt(work.id(), defect).await?;
        }
        concluded
    }

    /// Marks a lifecycle as halted by a defect: else the sweeper would start generation after generation
    /// into the same defect.
    async fn halt(&self, id: &LifecycleId, defect: &str) -> Result<(), StepError> {
        match self.store.load(id).await? {
            Some(lifecycle) if lifecycle.header.status == Status::Running => Ok(self
                .store
                .commit(&lifecycle.halted(defect, self.now()))
                .await?),
            Some(_) | None => Ok(()),
        }
    }

    async fn record<P>(
        &self,
        work: &Work<P>,
        result: Result<Done, StepError>,
    ) -> Result<Outcome, StepError> {
        let (step, sequence) = (work.run.step, work.sequence);
        if let Err(StepError::Business(exception)) = &result
            && matches!(
                exception.code,
                ExceptionCode::OdooConfiguration | ExceptionCode::AmountPrecision
            )
        {
            // What a person mends in Odoo is seen by the next attempt, not by the next cold start.
            self.forget_odoo(&work.plant.odoo.database);
        }
        crate::failpoint!("step.before_record", work.id());
        for _ in 0..4 {
            let now = self.now();
            let mut lifecycle = self.load(work.id()).await?;
            if lifecycle.header.generation != work.run.generation {
                return Ok(Outcome { next: SUPERSEDED });
            }
            let commit = match &result {
                Ok(done) => lifecycle.done(step, sequence, done, &work.plant, now),
                Err(StepError::Refused(refusal)) => {
                    Some(lifecycle.refused(step, sequence, refusal, &work.plant, now))
                }
                Err(StepError::Business(exception)) => {
                    Some(lifecycle.raise(step, sequence, exception, &work.plant, now))
                }
                Err(StepError::Retryable { unknown, .. }) => {
                    let limit = work.run.request_limit;
                    // While only looking was allowed, the earlier attempt's own limits stay in force.
                    match work.resume {
                        Resume::Again {
                            only_look_until: Some(_),
                        } => None,
                        Resume::First
                        | Resume::Again {
                            only_look_until: None,
                        } => lifecycle.interrupted(step, unknown.then(|| now + limit), now),
                    }
                }
                // A defect is marked by our caller, who also sees one that shows only when this is recorded.
                Err(StepError::MoreToDo | StepError::Held { .. } | StepError::Defect(_)) => None,
            };
            let recorded = match &commit {
                Some(commit) => self.store.commit(commit).await,
                None => Ok(()),
            };
            match recorded {
                Ok(()) => {
                    result?;
                    let next = commit.map_or(AWAIT, |commit| {
                        lifecycle.apply(&commit);
                        lifecycle.resume_word()
                    });
                    return Ok(Outcome { next });
                }
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Conflict.into())
    }

    /// Ends a lifecycle that has nothing left to do.
    ///
    /// # Errors
    /// [`StepError::MoreToDo`] when a fact came meanwhile.
    pub async fn close(&self, input: &StepInput) -> Result<Outcome, StepError> {
        let lifecycle = self.load(&input.lifecycle).await?;
        if lifecycle.header.generation != input.generation {
            return Ok(Outcome { next: SUPERSEDED });
        }
        if !matches!(lifecycle.next(), Next::Do(Step::Close, None)) {
            return Err(StepError::MoreToDo);
        }
        match self.store.commit(&lifecycle.closed(self.now())).await {
            Ok(()) => {
                let plant = self.plant_of(&input.lifecycle).await?;
                self.gives_back(&input.lifecycle, &plant.odoo.database)
                    .await;
                Ok(Outcome { next: CLOSED })
            }
            Err(StoreError::Conflict) => Err(StepError::MoreToDo),
            Err(error) => Err(error.into()),
        }
    }

    async fn load(&self, id: &LifecycleId) -> Result<Lifecycle, StepError> {
        let lifecycle = self.store.load(id).await?;
        lifecycle.ok_or_else(|| StepError::Defect(format!("{id} has an execution but no record")))
    }
}

/// The end of the road: the state machine ends behind `Close`.
const CLOSED: &str = "Closed";

fn elsewhere(lifecycle: &Lifecycle, run: Run) -> Outcome {
    let next = if lifecycle.header.generation == run.generation {
        lifecycle.resume_word()
    } else {
        SUPERSEDED
    };
    Outcome { next }
}

type Answer<'a> = Pin<Box<dyn Future<Output = Result<serde_json::Value, StepError>> + 'a>>;
type Handler = Box<dyn for<'a> Fn(&'a Context, serde_json::Value, Timestamp) -> Answer<'a>>;

/// The steps of a binary; which one this Lambda is, SAM's `Handler: <step>` says.
#[derive(Default)]
pub struct Steps {
    handlers: BTreeMap<&'static str, Handler>,
}

/// The steps of a binary, to be named one by one.
#[must_use]
pub fn steps() -> Steps {
    Steps::default()
}

impl Steps {
    /// Adds a step: its name as in `Handler`, and the function that does it.
    #[must_use]
    pub fn step<I, O, H>(mut self, name: &'static str, handle: H) -> Self
    where
        I: DeserializeOwned + 'static,
        O: Serialize + 'static,
        H: AsyncFn(&Context, I, Timestamp) -> Result<O, StepError> + Copy + 'static,
    {
        self.handlers.insert(
            name,
            Box::new(move |context, input, deadline| {
                Box::pin(async move {
                    let input = serde_json::from_value(input)
                        .map_err(|error| StepError::Defect(format!("input of {name}: {error}")))?;
                    let output = handle(context, input, deadline).await?;
                    serde_json::to_value(output)
                        .map_err(|error| StepError::Defect(format!("output of {name}: {error}")))
                })
            }),
        );
        self
    }

    /// Serves this Lambda's step until the environment ends. Synchronous, so that a binary links fast.
    ///
    /// # Errors
    /// When the environment is incomplete or `Handler` names no step of this binary.
    pub fn run(self) -> Result<(), lambda_runtime::Error> {
        start_telemetry();
        let settings = Settings::from_env()?;
        #[expect(
            clippy::disallowed_methods,
            reason = "set by Lambda itself, not a setting"
        )]
        let name = std::env::var("_HANDLER")?;
        let handler = self.handlers.get(name.as_str()).ok_or_else(|| {
            format!(
                "`Handler: {name}` is not a step of this binary: {:?}",
                self.handlers.keys()
            )
        })?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            let context = Context::new(settings).await;
            lambda_runtime::run(service_fn(async |event: LambdaEvent<serde_json::Value>| {
                let deadline = i64::try_from(event.context.deadline).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
                let deadline = deadline.unwrap_or_else(|| context.now() + SignedDuration::from_mins(1));
                let text = |pointer: &str| event.payload.pointer(pointer).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
                let span = tracing::info_span!("step", step.name = %name, lifecycle.id = %text("/lifecycle"));
                let started = context.now();
                let answer = patiently(&context, handler, event.payload, deadline).instrument(span.clone()).await;
                let duration_ms = context.now().duration_since(started).as_millis();
                span.in_scope(|| match &answer {
                    Ok(_) => tracing::info!(duration_ms, "{name} done"),
                    Err(error) => tracing::warn!(duration_ms, "{name}: {error}"),
                });
                answer
            }))
            .await
        })
    }
}

/// Tries what passes by itself again, at once and shortly after: what takes longer is not a step's to wait for.
async fn patiently(
    context: &Context,
    handler: &Handler,
    payload: serde_json::Value,
    deadline: Timestamp,
) -> Result<serde_json::Value, StepError> {
    for pause in QUICK_RETRIES {
        let answer = handler(context, payload.clone(), deadline).await;
        let again = match &answer {
            // Somebody who says when to come back means it.
            Err(StepError::Retryable { odoo, .. }) => {
                odoo.is_none_or(|odoo| odoo.retry_after.is_none())
            }
            Ok(_) | Err(_) => false,
        };
        if !again || deadline.duration_since(context.now()) < ENOUGH {
            return answer;
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "a moment; as states of the machine two retries would be six events of history"
        )]
        tokio::time::sleep(jittered(pause, context.now())).await;
    }
    handler(context, payload, deadline).await
}

/// Pauses before the second and the third try.
const QUICK_RETRIES: [Duration; 2] = [Duration::from_millis(300), Duration::from_millis(1200)];
/// Time that a step needs for another try, with Odoo at its slowest.
const ENOUGH: SignedDuration = SignedDuration::from_secs(40);

/// Between half of a pause and all of it, so that those who failed together do not come back together.
fn jittered(pause: Duration, now: Timestamp) -> Duration {
    let part = u32::from(now.subsec_nanosecond().unsigned_abs().to_le_bytes()[0]);
    pause / 2 + pause * part / 512
}

/// JSON lines on standard output, as Lambda collects them; `RUST_LOG` says how much.
pub fn start_telemetry() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_env_filter(filter)
        .with_current_span(true)
        .with_span_list(false)
        .with_target(false);
    // A second start, as in tests, keeps the first.
    let _kept = subscriber.try_init();
}
