//! What Interplant talks about: facts, purchase orders, quantities, matches, lifecycles.
//!
//! Everything here is pure. Time comes in as a parameter, identifiers come in as values, and nothing
//! reads a clock, a file or a socket: the same input gives the same answer, which is what lets a
//! simulator and a replay prove the promises of the product.

pub mod access;
pub mod amendment;
pub mod audit;
pub mod cause;
pub mod decimal;
pub mod event;
pub mod exception;
pub mod fact;
pub mod identifier;
pub mod json;
pub mod lane;
pub mod lifecycle;
pub mod mailbox;
pub mod mask;
pub mod matching;
pub mod outbox;
pub mod plant;
pub mod purchase_order;
pub mod standing;
pub mod target;
