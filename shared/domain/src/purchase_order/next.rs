//! What a purchase order does next: a pure function of what is stored.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{AppliedInvoice, PurchaseOrder};
use crate::fact::FactKind;
use crate::mailbox::{Entry, EntryState};

/// A step of the state machine; the word is the state's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Step {
    /// Create and confirm the order in Odoo.
    Create,
    /// Write the supplier's answer into the order.
    Acknowledge,
    /// Book goods.
    Receive,
    /// Compare an invoice with order and receipts.
    MatchInvoice,
    /// Create and post the bill.
    PostInvoice,
    /// Nothing is left to do.
    Close,
}

impl Step {
    /// All steps.
    pub const ALL: [Self; 6] = [
        Self::Create,
        Self::Acknowledge,
        Self::Receive,
        Self::MatchInvoice,
        Self::PostInvoice,
        Self::Close,
    ];

    /// The name of the state.
    #[must_use]
    pub fn state_name(self) -> &'static str {
        match self {
            Self::Create => "Create",
            Self::Acknowledge => "Acknowledge",
            Self::Receive => "Receive",
            Self::MatchInvoice => "MatchInvoice",
            Self::PostInvoice => "PostInvoice",
            Self::Close => "Close",
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.state_name())
    }
}

impl FromStr for Step {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|step| step.state_name() == text)
            .ok_or_else(|| format!("`{text}` is not a step"))
    }
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// This step, for the fact at this position; `Close` has none.
    Do(Step, Option<u64>),
    /// A fact has to come first.
    Wait,
    /// A person has to decide first.
    Decide,
}

/// What the order does next. `order` is none until its creating fact was taken up.
///
/// Facts are taken in the order of arrival, except that one whose predecessor is missing lets the
/// others pass. A fact that a step has begun comes first, so that whoever goes on finishes it.
#[must_use]
pub fn next(order: Option<&PurchaseOrder>, entries: &[Entry]) -> Next {
    if entries
        .iter()
        .any(|entry| matches!(entry.state, EntryState::Held { .. }))
    {
        return Next::Decide;
    }
    let created = order.filter(|order| order.in_odoo.is_some());
    let begun = entries
        .iter()
        .find(|entry| matches!(entry.state, EntryState::Taken { .. }));
    let ready = || entries.iter().filter(|entry| is_ready(created, entry));
    // Closing comes last: what else has come is applied first, or the order would be opened again for it.
    let last =
        |entry: &&Entry| matched(created, entry).is_some_and(|invoice| invoice.bill.is_some());
    let first = || {
        ready()
            .find(|entry| !last(entry))
            .or_else(|| ready().next())
    };
    if let Some(entry) = begun.or_else(first) {
        let step = match entry.kind {
            FactKind::PoCreated => Step::Create,
            FactKind::PoAcknowledged => Step::Acknowledge,
            FactKind::ReceiptPosted => Step::Receive,
            FactKind::InvoiceReceived => match matched(created, entry) {
                None => Step::MatchInvoice,
                Some(invoice) if invoice.bill.is_none() => Step::PostInvoice,
                // Posted and not yet settled: the last bill of an order is read back when it closes.
                Some(_) => Step::Close,
            },
        };
        return Next::Do(step, Some(entry.sequence));
    }
    if created.is_some_and(PurchaseOrder::is_complete) {
        return Next::Do(Step::Close, None);
    }
    Next::Wait
}

fn is_ready(created: Option<&PurchaseOrder>, entry: &Entry) -> bool {
    let receipts = created.map_or(0, |order| order.receipts.len());
    match (&entry.state, entry.kind) {
        (EntryState::Waiting, FactKind::PoCreated) => true,
        // An invoice before the first receipt would only be looked at to be put back.
        (EntryState::Waiting, FactKind::InvoiceReceived) => receipts > 0,
        (EntryState::Waiting, FactKind::PoAcknowledged | FactKind::ReceiptPosted) => {
            created.is_some()
        }
        (EntryState::Parked { receipts_seen, .. }, _) => receipts > *receipts_seen,
        (
            EntryState::Taken { .. }
            | EntryState::Held { .. }
            | EntryState::Applied
            | EntryState::Skipped,
            _,
        ) => false,
    }
}

fn matched<'a>(created: Option<&'a PurchaseOrder>, entry: &Entry) -> Option<&'a AppliedInvoice> {
    created?
        .invoices
        .iter()
        .find(|invoice| invoice.sequence == entry.sequence)
}
