//! The Odoo connector.
//!
//! [`Client`] knows the business calls that a purchase order needs and nothing else: it looks up the
//! server's version once, speaks JSON-2 to 19 and later and JSON-RPC to 17 and 18, and hides what the
//! versions call things (all of that is in one file, `dialect.rs`).
//!
//! Three rules hold for every call:
//!
//! - A call is sent once. Nothing here repeats anything; [`Error::outcome`] says whether a repeat is safe
//!   or whether Odoo has to be asked first.
//! - An answer is not a proof. A button that answers `true` may have done nothing, and one that answers
//!   with an error may have lost a race against a call that did the work: read the record afterwards.
//! - Money and quantities are exact. They leave as the text of their decimal and are read from the text
//!   of the answer; no binary float lies between.

mod accuracy;
mod answer;
mod bill;
mod body;
mod changes;
mod client;
mod connection;
mod dialect;
mod error;
mod exchange;
mod json2;
mod jsonrpc;
mod known;
mod load;
mod master;
mod order;
mod prepare;
mod receipt;
mod transfer;

pub use accuracy::Accuracy;
pub use bill::{Bill, BillLine, BillState, NewBill, NewBillLine};
pub use changes::{ChangedLine, ChangedOrder, Changes, Named};
pub use client::Client;
pub use connection::{Credentials, Limits, http_client};
pub use dialect::{Version, model};
pub use error::{Class, Error, Outcome, RefusedKind};
pub use known::{KnownError, Meaning, Retry, Whose, known_errors, known_of_aws, known_of_odoo};
pub use master::{ItemKind, NewItem, NewPartner};
pub use order::{
    BillHead, LineTerms, NewOrder, NewOrderLine, Order, OrderLine, OrderState, OrderUpdate,
};
pub use prepare::Setting;
pub use receipt::{
    Declaration, DeclaredMove, DeclaredPart, Guard, Lot, Move, Picking, PickingState,
};
pub use transfer::{NewTransfer, Place, Purpose, TransferLine};
