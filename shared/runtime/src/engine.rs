//! What moves lifecycles: Step Functions.

use aws_sdk_sfn::Client;
use aws_sdk_sfn::types::ExecutionStatus;
use interplant_domain::identifier::LifecycleId;

use crate::store::Error;

/// What became of a wake-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Woken {
    /// The execution goes on.
    Yes,
    /// Nobody waits with that token any more: woken before, timed out or lost.
    Gone,
}

/// What the protocol needs of an engine.
#[expect(
    async_fn_in_trait,
    reason = "used within the workspace only, by functions that poll one future at a time"
)]
pub trait Engine {
    /// Starts the execution of a generation; one that was started before is a success.
    ///
    /// # Errors
    /// When the engine is not available.
    async fn start(&self, id: &LifecycleId, generation: u32) -> Result<(), Error>;

    /// Ends a wait and says where to go on.
    ///
    /// # Errors
    /// When the engine is not available; not when nobody waits.
    async fn wake(&self, token: &str, word: &str) -> Result<Woken, Error>;

    /// Whether the execution of a generation is alive.
    ///
    /// # Errors
    /// When the engine is not available.
    async fn is_running(&self, id: &LifecycleId, generation: u32) -> Result<bool, Error>;
}

/// Step Functions.
#[derive(Debug, Clone)]
pub struct StepFunctions {
    client: Client,
    purchase_order_arn: String,
}

impl StepFunctions {
    /// The engine with the state machine of purchase orders.
    #[must_use]
    pub fn new(client: Client, purchase_order_arn: String) -> Self {
        Self {
            client,
            purchase_order_arn,
        }
    }

    fn execution_arn(&self, id: &LifecycleId, generation: u32) -> String {
        let executions = self
            .purchase_order_arn
            .replacen(":stateMachine:", ":execution:", 1);
        format!("{executions}:{}", id.execution_name(generation))
    }

    /// The events of an execution's history, newest state first: (time, state name) of each state entered.
    ///
    /// # Errors
    /// When the engine is not available.
    pub async fn states_entered(
        &self,
        id: &LifecycleId,
        generation: u32,
    ) -> Result<Vec<(i64, String)>, Error> {
        let mut entered = Vec::new();
        let mut pages = self
            .client
            .get_execution_history()
            .execution_arn(self.execution_arn(id, generation))
            .into_paginator()
            .send();
        while let Some(page) = pages.next().await {
            let page = match page {
                Ok(page) => page,
                Err(error)
                    if error
                        .as_service_error()
                        .is_some_and(|service| service.is_execution_does_not_exist()) =>
                {
                    return Ok(entered);
                }
                Err(error) => return Err(unavailable(error)),
            };
            for event in page.events() {
                if let Some(details) = event.state_entered_event_details() {
                    entered.push((
                        event.timestamp().to_millis().unwrap_or_default(),
                        details.name().to_owned(),
                    ));
                }
            }
        }
        Ok(entered)
    }

    /// Ends an execution from outside, as an operator might; for tests of recovery.
    ///
    /// # Errors
    /// When the engine is not available.
    pub async fn stop(&self, id: &LifecycleId, generation: u32) -> Result<(), Error> {
        self.client
            .stop_execution()
            .execution_arn(self.execution_arn(id, generation))
            .send()
            .await
            .map_err(unavailable)?;
        Ok(())
    }
}

fn unavailable<E: std::error::Error + 'static, R: std::fmt::Debug + 'static>(
    error: aws_sdk_sfn::error::SdkError<E, R>,
) -> Error {
    Error::Unavailable(aws_sdk_sfn::error::DisplayErrorContext(error).to_string())
}

impl Engine for StepFunctions {
    async fn start(&self, id: &LifecycleId, generation: u32) -> Result<(), Error> {
        let input = serde_json::json!({"lifecycle": id, "generation": generation}).to_string();
        let start = self
            .client
            .start_execution()
            .state_machine_arn(&self.purchase_order_arn)
            .name(id.execution_name(generation))
            .input(input);
        match start.send().await {
            Ok(_) => Ok(()),
            // The same name with the same input is this very execution, running or ended.
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(|service| service.is_execution_already_exists()) =>
            {
                Ok(())
            }
            Err(error) => Err(unavailable(error)),
        }
    }

    async fn wake(&self, token: &str, word: &str) -> Result<Woken, Error> {
        let output = serde_json::json!({"next": word}).to_string();
        match self
            .client
            .send_task_success()
            .task_token(token)
            .output(output)
            .send()
            .await
        {
            Ok(_) => Ok(Woken::Yes),
            Err(error)
                if error.as_service_error().is_some_and(|service| {
                    service.is_task_does_not_exist()
                        || service.is_task_timed_out()
                        || service.is_invalid_token()
                }) =>
            {
                Ok(Woken::Gone)
            }
            Err(error) => Err(unavailable(error)),
        }
    }

    async fn is_running(&self, id: &LifecycleId, generation: u32) -> Result<bool, Error> {
        match self
            .client
            .describe_execution()
            .execution_arn(self.execution_arn(id, generation))
            .send()
            .await
        {
            Ok(answer) => Ok(matches!(answer.status(), ExecutionStatus::Running)),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(|service| service.is_execution_does_not_exist()) =>
            {
                Ok(false)
            }
            Err(error) => Err(unavailable(error)),
        }
    }
}
