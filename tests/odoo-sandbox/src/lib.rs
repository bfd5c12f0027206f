//! An HTTP server that behaves like Odoo 17, 18 and 19 for the models and calls that Interplant uses.
//!
//! It is for tests and the demo: no database, no Python, starts in milliseconds, and breaks on request
//! ([`Fault`]). What it does was checked against recorded exchanges with real servers.
//!
//! ```no_run
//! use interplant_odoo_sandbox::{Fault, FaultKind, Sandbox, SandboxOptions, Version};
//!
//! # fn main() -> Result<(), interplant_odoo_sandbox::SandboxError> {
//! let odoo = Sandbox::start(Version::V19, SandboxOptions::default())?;
//! odoo.add_fault(Fault::new(FaultKind::DropAnswer).on("purchase.order", "load").times(1));
//! let url = odoo.url();
//! # drop(url); Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

mod arguments;
mod clock;
mod engine;
mod error;
mod faults;
mod journal;
mod load;
mod models;
mod orm;
mod rights;
mod sandbox;
mod schema;
mod seed;
mod store;
mod transaction;
mod transport;
mod value;
mod version;

pub use clock::Clock;
pub use faults::{Effect, Fault, FaultKind};
pub use journal::Call;
pub use sandbox::{Sandbox, SandboxError, SandboxOptions};
pub use version::Version;
