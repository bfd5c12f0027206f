//! Whole lifecycles: the real definitions and the real binaries on the local cloud, the sandbox or a real
//! Odoo behind them. One cloud serves all tests; tests that break it have it to themselves.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests"
)]

mod api;
mod audit;
mod buyer;
mod decisions;
mod faults;
mod files;
mod operators;
mod operators_groups;
mod order;
mod orders;
mod outbox;
mod outbox_files;
mod purchase;
mod recorded;
mod recovery;
mod setting;
mod tools;
mod watch;
mod webhook;
