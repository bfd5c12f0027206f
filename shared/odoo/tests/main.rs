//! The connector against a scripted server (every error and limit), the sandbox and real servers.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test's own helpers may fail loudly, read the environment, run a server beside the test and say what was not compared"
)]

mod calls;
mod changes;
mod errors;
mod known;
mod server;
mod targets;
mod wire;
