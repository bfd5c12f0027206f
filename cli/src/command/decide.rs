//! `interplant decide`: a decision straight in the table, for when nobody can sign in to the API. It takes rights on
//! table and state machine, and is recorded as what it is.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use interplant_domain::identifier::LifecycleId;
use interplant_domain::lifecycle::GivenDecision;
use interplant_runtime::protocol;

use crate::{Failure, cloud};

/// Break glass: decides an exception straight in the table, when nobody can sign in
#[derive(Debug, Args)]
pub(crate) struct Decide {
    /// Such as po/plant-b/4711
    lifecycle: String,
    /// Such as exc_1f3a9c02de
    exception: String,
    /// retry, skip or cancel
    decision: String,
    /// Why
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    reason: String,
    /// Who decides
    #[arg(long, env = "USER")]
    by: String,
    /// Revision of the lifecycle that you looked at: refused when something has happened since
    #[arg(long)]
    revision: Option<u64>,
}

impl Decide {
    pub(crate) async fn run(self, local: Option<&Path>, json: bool) -> Result<ExitCode, Failure> {
        let id = LifecycleId::read(&self.lifecycle)?;
        let given = GivenDecision {
            exception: self.exception.parse()?,
            decision: self.decision.parse()?,
            seen_revision: self.revision,
            by: format!("break-glass:{}", self.by),
            reason: self.reason,
            key: None,
        };
        let (context, _) = cloud::attach(local).await?;
        protocol::decide(&context.store, &context.engine, &id, &given, context.now()).await?;
        if json {
            println!(
                "{}",
                serde_json::json!({"lifecycle": id, "exception": given.exception, "decision": given.decision})
            );
        } else {
            println!(
                "{} {}: {}. `interplant show {id}` shows how it goes on.",
                given.exception, given.decision, given.reason
            );
        }
        Ok(ExitCode::SUCCESS)
    }
}
