//! What a purchase order does next: a pure function of what is stored.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::PurchaseOrder;
use crate::fact::FactKind;
use crate::mailbox::{Entry, EntryState};

macro_rules! steps {
    ($($(#[doc = $doc:literal])* $step:ident;)*) => {
        /// A step of the state machine; the word is the state's name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Step {
            $($(#[doc = $doc])* $step,)*
        }

        impl Step {
            /// All steps.
            pub const ALL: &'static [Self] = &[$(Self::$step),*];

            /// The name of the state.
            #[must_use]
            pub fn state_name(self) -> &'static str {
                match self { $(Self::$step => stringify!($step)),* }
            }
        }
    };
}

steps! {
    /// Create and confirm the order in Odoo.
    Create;
    /// Write the supplier's answer into the order.
    Acknowledge;
    /// Write the plant's change into the order.
    Change;
    /// Take the order or lines of it back, and undo what has to be undone.
    Cancel;
    /// Take note of what changes nothing in Odoo.
    Record;
    /// Book goods.
    Receive;
    /// Take goods back that were booked and did not come.
    ReverseReceipt;
    /// Hold, release or reject goods.
    ReleaseQuality;
    /// Compare an invoice with order and receipts.
    MatchInvoice;
    /// Create and post the bill.
    PostInvoice;
    /// Nothing is left to do.
    Close;
}

impl Step {
    /// Whether it calls Odoo; the others go on whatever becomes of it.
    #[must_use]
    pub fn calls_odoo(self) -> bool {
        !matches!(self, Self::Record | Self::MatchInvoice)
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
            .iter()
            .copied()
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
    let ready = || {
        entries
            .iter()
            .filter(|entry| is_ready(created, entry, entries))
    };
    // Closing comes last: what else has come is applied first, or the order would be opened again for it.
    let last = |entry: &&Entry| step(created, entry) == Step::Close;
    // An order that is taken back before it exists is not created.
    let taken_back = || {
        ready()
            .find(|_| created.is_none())
            .and_then(|_| ready().find(|entry| entry.kind == FactKind::PoCancelled))
    };
    // What is held or rejected must not be paid: an inspection that has come is heard before an invoice is matched,
    // in whatever order they came.
    let heard_first = || {
        let step_of = |entry: &&Entry| step(created, entry);
        ready()
            .find(|entry| !last(entry))
            .filter(|entry| step(created, entry) == Step::MatchInvoice)
            .and_then(|_| ready().find(|entry| step_of(entry) == Step::ReleaseQuality))
    };
    let first = || {
        taken_back()
            .or_else(heard_first)
            .or_else(|| ready().find(|entry| !last(entry)))
            .or_else(|| ready().next())
    };
    if let Some(entry) = begun.or_else(first) {
        return Next::Do(step(created, entry), Some(entry.sequence));
    }
    // What waits or is on hold may still change the order: it is not closed over anybody's question.
    if entries.is_empty() && created.is_some_and(PurchaseOrder::is_complete) {
        return Next::Do(Step::Close, None);
    }
    Next::Wait
}

fn step(created: Option<&PurchaseOrder>, entry: &Entry) -> Step {
    match entry.kind {
        FactKind::PoCreated => Step::Create,
        FactKind::PoAcknowledged => Step::Acknowledge,
        FactKind::PoChanged => Step::Change,
        FactKind::PoCancelled => Step::Cancel,
        FactKind::PoClosed
        | FactKind::AsnReceived
        | FactKind::AsnCancelled
        | FactKind::InvoiceMatched
        | FactKind::InvoicePosted => Step::Record,
        // Of no purchase order, and never ready.
        FactKind::MoReleased
        | FactKind::MoChanged
        | FactKind::MoCancelled
        | FactKind::MoStarted
        | FactKind::MaterialIssued
        | FactKind::MaterialReturned
        | FactKind::OperationCompleted
        | FactKind::ScrapReported
        | FactKind::ProductionExceptionReported
        | FactKind::ProductionExceptionResolved
        | FactKind::MoHeld
        | FactKind::MoResumed
        | FactKind::FgReceived
        | FactKind::MoClosed
        | FactKind::ItemProposed
        | FactKind::StockSnapshot
        | FactKind::JournalEntrySubmitted => Step::Record,
        FactKind::ReceiptPosted => Step::Receive,
        FactKind::ReceiptReversed => Step::ReverseReceipt,
        FactKind::QualityHeld
        | FactKind::InspectionCompleted
        | FactKind::QualityReleased
        | FactKind::NcrDispositioned => Step::ReleaseQuality,
        FactKind::InvoiceReceived => {
            match created.and_then(|order| order.invoice(entry.sequence)) {
                None => Step::MatchInvoice,
                Some(invoice) if invoice.bill.is_none() => Step::PostInvoice,
                // Posted and not yet settled: the last bill of an order is read back when it closes.
                Some(_) => Step::Close,
            }
        }
    }
}

fn is_ready(created: Option<&PurchaseOrder>, entry: &Entry, entries: &[Entry]) -> bool {
    match &entry.state {
        EntryState::Waiting => match entry.kind {
            FactKind::PoCreated => true,
            FactKind::PoCancelled => {
                created.is_some()
                    || entries.iter().any(|other| {
                        other.kind == FactKind::PoCreated
                            && matches!(
                                other.state,
                                EntryState::Waiting | EntryState::Parked { .. }
                            )
                    })
            }
            FactKind::InvoiceReceived => created.is_some_and(|order| {
                match order.invoice(entry.sequence) {
                    Some(invoice) => order.can_post(invoice),
                    // An invoice before the first receipt would only be looked at to be put back; and what an
                    // inspection says of goods that it has not found yet is not paid over its head.
                    None => {
                        !entries.iter().any(keeps_from_paying)
                            && (!order.receipts.is_empty()
                                || !entry.accepted.is_empty()
                                || order.lines.iter().any(|line| {
                                    line.service || line.cancelled || line.short_closed
                                }))
                    }
                }
            }),
            FactKind::PoAcknowledged
            | FactKind::PoChanged
            | FactKind::PoClosed
            | FactKind::AsnReceived
            | FactKind::AsnCancelled
            | FactKind::ReceiptPosted
            | FactKind::ReceiptReversed
            | FactKind::QualityHeld
            | FactKind::InspectionCompleted
            | FactKind::QualityReleased
            | FactKind::NcrDispositioned
            | FactKind::InvoiceMatched
            | FactKind::InvoicePosted => created.is_some(),
            FactKind::MoReleased
            | FactKind::MoChanged
            | FactKind::MoCancelled
            | FactKind::MoStarted
            | FactKind::MaterialIssued
            | FactKind::MaterialReturned
            | FactKind::OperationCompleted
            | FactKind::ScrapReported
            | FactKind::ProductionExceptionReported
            | FactKind::ProductionExceptionResolved
            | FactKind::MoHeld
            | FactKind::MoResumed
            | FactKind::FgReceived
            | FactKind::MoClosed
            | FactKind::ItemProposed
            | FactKind::StockSnapshot
            | FactKind::JournalEntrySubmitted => false,
        },
        EntryState::Parked { changes_seen, .. } | EntryState::OnHold { changes_seen, .. } => {
            created.is_some_and(|order| order.changes > *changes_seen)
        }
        EntryState::Taken { .. }
        | EntryState::Held { .. }
        | EntryState::Applied
        | EntryState::Skipped
        | EntryState::Recorded => false,
    }
}

/// Whether goods may be held or rejected by it that are not yet.
fn keeps_from_paying(entry: &Entry) -> bool {
    matches!(
        entry.kind,
        FactKind::QualityHeld | FactKind::InspectionCompleted
    ) && matches!(
        entry.state,
        EntryState::Parked { .. } | EntryState::OnHold { .. }
    )
}
