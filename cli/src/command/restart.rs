//! `interplant restart`: a halted lifecycle goes on.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use interplant_domain::identifier::LifecycleId;
use interplant_runtime::protocol;
use interplant_runtime::store::Error;

use crate::{Failure, cloud};

/// Starts a lifecycle again that a defect of Interplant had halted
#[derive(Debug, Args)]
pub(crate) struct Restart {
    /// Such as po/plant-b/4711
    lifecycle: String,
    /// Who restarts it
    #[arg(long, env = "USER")]
    by: String,
    /// Why, such as the release that mends the defect
    #[arg(long, default_value = "")]
    reason: String,
}

impl Restart {
    pub(crate) async fn run(self, local: Option<&Path>, json: bool) -> Result<ExitCode, Failure> {
        let id = LifecycleId::read(&self.lifecycle)?;
        let (context, _) = cloud::attach(local).await?;
        let generation = match protocol::restart(
            &context.store,
            &context.engine,
            &id,
            &self.by,
            &self.reason,
            context.now(),
        )
        .await
        {
            Ok(generation) => generation,
            Err(Error::Conflict) => {
                return Err(format!("{id} is not halted: there is nothing to restart").into());
            }
            Err(error) => return Err(error.into()),
        };
        if json {
            println!(
                "{}",
                serde_json::json!({"lifecycle": id, "generation": generation})
            );
        } else {
            println!("{id} goes on in generation {generation}. `interplant show {id}` shows how.");
        }
        Ok(ExitCode::SUCCESS)
    }
}
