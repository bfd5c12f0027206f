//! `interplant token`: a token of a local cloud, to try the operators' API with.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use interplant_domain::access::Grant;
use jiff::SignedDuration;

use crate::operator::development_token;
use crate::{Failure, cloud};

/// Makes a token for the operators' API of a local cloud; a deployed stack takes its organisation's own only
#[derive(Debug, Args)]
pub(crate) struct Token {
    /// viewer, steward, operator or admin
    #[arg(long)]
    role: String,
    /// Plants, with commas; all when left out
    #[arg(long, default_value = "*")]
    plant: String,
    /// procurement, production, quality, finance or data, with commas; all when left out
    #[arg(long, default_value = "*")]
    domain: String,
    /// Who it says that you are
    #[arg(long, env = "USER", default_value = "somebody")]
    subject: String,
    /// How long it is valid
    #[arg(long, default_value_t = 480)]
    minutes: i64,
}

impl Token {
    pub(crate) async fn run(self, local: Option<&Path>) -> Result<ExitCode, Failure> {
        let grant: Grant = format!("{}:{}:{}", self.role, self.plant, self.domain).parse()?;
        let Some(ready) = cloud::attach(local).await?.1 else {
            return Err("tokens are made for a local cloud only: name it by --local".into());
        };
        let valid_for = SignedDuration::from_mins(self.minutes);
        let grants = [grant.to_string()];
        println!(
            "{}",
            development_token(ready.folder(), &self.subject, &grants, valid_for)?
        );
        Ok(ExitCode::SUCCESS)
    }
}
