//! What the command line is made of; the tests of whole lifecycles use it too.

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a command line prints, waits and asks the clock"
)]

pub mod api;
pub mod cloud;
mod codes;
pub mod command;
mod compare;
pub mod deliver;
pub mod facts;
pub mod feeds;
pub mod legacy;
pub mod operator;
pub mod outs;
mod pack;
pub mod plants;
mod profile;
pub mod reconcile;
mod sample;
pub mod table;
pub mod world;

/// What went wrong, in a sentence for the person at the terminal.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Failure(pub String);

macro_rules! from_error {
    ($($error:ty),*) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self(error.to_string())
            }
        })*
    };
}

from_error!(
    interplant_mapping::document::Unread,
    interplant_mapping::place::Mistake,
    std::io::Error,
    serde_json::Error,
    reqwest::Error,
    interplant_runtime::store::Error,
    interplant_runtime::settings::Incomplete,
    interplant_runtime::protocol::DecideError,
    interplant_odoo::Error,
    interplant_odoo_sandbox::SandboxError,
    interplant_domain::identifier::Error,
    String
);

impl From<&str> for Failure {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}
