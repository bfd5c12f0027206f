//! The only room that knows AWS.
//!
//! [`protocol`] holds the promises (order, exactly once, nothing lost) over two small interfaces, a
//! [`store`] and an [`engine`]; DynamoDB and Step Functions implement them, and so does memory, for tests
//! that go through every interleaving.

pub mod audit;
pub mod context;
pub mod decisions;
pub mod engine;
pub mod failpoint;
pub mod files;
pub mod inbox;
pub mod intake;
pub mod invoices;
pub mod lane;
pub mod memory;
pub mod outbox;
pub mod protocol;
pub mod queue;
pub mod references;
pub mod secrets;
pub mod settings;
pub mod step;
pub mod store;
pub mod sweep;
pub mod view;
pub mod webhook;

pub use context::Context;
pub use settings::Settings;
