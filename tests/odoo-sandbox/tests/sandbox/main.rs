//! The sandbox from outside: over HTTP, as a client meets it.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]
#![expect(clippy::print_stdout, reason = "the replay prints what it covered")]

mod bills;
mod client;
mod faults;
mod loads;
mod races;
mod receipts;
mod replay;
mod rights;
mod stage;
mod transports;
