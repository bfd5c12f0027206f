//! The connector against a scripted server (every error and limit), the sandbox and real servers.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test's own helpers may fail loudly, read the environment and run a server beside the test"
)]

mod calls;
mod changes;
mod errors;
mod known;
mod server;
mod targets;
mod wire;
