//! What a person has to decide, and who.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::decimal::Amount;

/// Who decides; a plant's configuration says which people those are.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum OwnerRole {
    /// Purchasing.
    Buyer,
    /// The receiving dock.
    Warehouse,
    /// Quality inspection.
    Quality,
    /// Accounts payable.
    Accountant,
    /// Codes and crosswalks.
    DataSteward,
    /// The people who run Interplant and Odoo.
    Operations,
}

impl fmt::Display for OwnerRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Buyer => "buyer",
            Self::Warehouse => "warehouse",
            Self::Quality => "quality",
            Self::Accountant => "accountant",
            Self::DataSteward => "data-steward",
            Self::Operations => "operations",
        })
    }
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])* $variant:ident = $text:literal, $owner:ident, $hours:literal, $next:literal;)*) => {
        /// Why a fact waits for a person. Each has a runbook, docs/runbooks/<code>.md.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum Code {
            $($(#[doc = $doc])* #[serde(rename = $text)] $variant,)*
        }

        impl Code {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The stable text.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }

            /// Who decides.
            #[must_use]
            pub fn owner(self) -> OwnerRole {
                match self { $(Self::$variant => OwnerRole::$owner),* }
            }

            /// Hours until the decision is due.
            #[must_use]
            pub fn due_hours(self) -> i64 {
                match self { $(Self::$variant => $hours),* }
            }

            /// What to do next, in one sentence.
            #[must_use]
            pub fn next_step(self) -> &'static str {
                match self { $(Self::$variant => $next),* }
            }

            /// What it means, in one sentence.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),*).trim_ascii()),* }
            }
        }
    };
}

codes! {
    /// A fact names an order line that the order does not have.
    UnknownLine = "UNKNOWN_LINE", Buyer, 8, "Compare the fact with the order; ask the plant for a corrected fact, or skip this one.";
    /// A fact names another item or unit than the order line it refers to.
    LineDiffers = "LINE_DIFFERS", Buyer, 8, "Compare the fact with the order; ask the plant for a corrected fact, or skip this one.";
    /// A fact names a unit that cannot be converted exactly into the unit of the order line.
    UnitConversion = "UNIT_CONVERSION", DataSteward, 8, "Add the conversion to the plant's configuration and publish it, then retry; or ask the plant for a corrected fact and skip this one.";
    /// A fact names a lot, a receipt or a shipment that belongs to several orders or lines.
    AmbiguousReference = "AMBIGUOUS_REFERENCE", DataSteward, 8, "Ask the plant to name the order and the line, then skip this one.";
    /// A second fact wants to create an order that exists already.
    OrderAlreadyCreated = "ORDER_ALREADY_CREATED", Buyer, 8, "Ask the plant to send what changed as po.changed, then skip the fact.";
    /// The supplier's acknowledgement changes the order beyond the plant's tolerance, or refuses goods that have come.
    AcknowledgementDiffers = "ACKNOWLEDGEMENT_DIFFERS", Buyer, 8, "Accept what the supplier offers, and the order is changed in Odoo; or skip, and the order stays as it was.";
    /// The supplier wants to deliver another item than was ordered.
    Substituted = "SUBSTITUTED", Buyer, 8, "Cancel the line and order the other item by po.changed and po.cancelled, if it fits; then skip the acknowledgement.";
    /// The supplier has refused a line, and it is cancelled.
    LineRefused = "LINE_REFUSED", Buyer, 24, "Order the goods elsewhere if they are needed; then skip, and the order goes on without the line.";
    /// The supplier has not answered the order by its due time.
    AcknowledgementOverdue = "ACK_OVERDUE", Buyer, 24, "Ask the supplier; the acknowledgement is applied when it comes, and nothing else waits for it.";
    /// A change wants less of a line than has been received or billed, or changes an order that is finished.
    ChangeRefused = "CHANGE_REFUSED", Buyer, 8, "Reverse the receipt or ask for a return first, then retry; or skip the change.";
    /// The order is to be cancelled after goods came or a bill was posted: this is what would be done.
    Compensation = "COMPENSATION", Buyer, 24, "Read the plan; accept, and it is carried out once; or skip, and the order goes on.";
    /// A fact came after the order was cancelled.
    AfterCancel = "AFTER_CANCEL", Buyer, 8, "Agree with the plant and the supplier what becomes of it: nothing was booked. Then skip.";
    /// More came than is still open on an order line, beyond the tolerance.
    OverReceipt = "OVER_RECEIPT", Buyer, 8, "Accept to book all that came, or ask the plant for a corrected receipt and skip this one.";
    /// A cumulative receipt says less than an earlier one.
    CumulativeDecreased = "CUMULATIVE_DECREASED", Warehouse, 8, "Ask the plant which figure is right; what was booked too much is reversed by receipt.reversed. Then skip this one.";
    /// Goods came that need an advance ship notice and have none.
    AsnRequired = "ASN_REQUIRED", Warehouse, 8, "Accept to book the goods without the notice, or send them back and skip the receipt.";
    /// An item that is tracked by lot or serial number came without one.
    LotMissing = "LOT_MISSING", Warehouse, 8, "Ask the dock for the lot or serial numbers; send the receipt again with them, then skip this one.";
    /// An item came with a lot or serial number, and Odoo does not track it by them.
    LotNotTracked = "LOT_NOT_TRACKED", DataSteward, 8, "Let Odoo track the item by lot or serial number, then retry; or accept, and the goods are booked without their numbers, which are kept here.";
    /// Odoo has the lot or serial number already, elsewhere.
    LotTaken = "LOT_TAKEN", Warehouse, 8, "Look where Odoo has the number; ask the dock for the right one, then skip this one.";
    /// More is reversed than is left of the receipt.
    ReversalExceeds = "REVERSAL_EXCEEDS", Warehouse, 8, "Compare the reversal with the receipt; part of the goods may have been returned or scrapped already. Then skip this one.";
    /// More is held, released or rejected than there is.
    QualityQuantity = "QUALITY_QUANTITY", Quality, 8, "Compare the inspection with what is held; ask the plant for a corrected fact, then skip this one.";
    /// Goods were rejected, and nobody has decided yet what becomes of them.
    Nonconformance = "NONCONFORMANCE", Quality, 72, "Decide on return, scrap or use as is; the fact ncr.dispositioned carries it out.";
    /// More of a line is billed than may be paid, because goods went back or were rejected.
    CreditDue = "CREDIT_DUE", Accountant, 72, "Ask the supplier for a credit note; the exception ends when it is posted.";
    /// The price on the invoice is above the order's, beyond the tolerance.
    Price = "PRICE", Accountant, 24, "Accept to pay the price, change the order by po.changed, or ask for a corrected invoice and skip this one.";
    /// What is invoiced of a line in all is above the order's value, beyond the tolerance.
    PriceTotal = "PRICE_TOTAL", Accountant, 24, "Accept to pay it, or ask for a corrected invoice and skip this one.";
    /// More is invoiced than was received and may be paid, and the waiting time is over.
    QuantityReceived = "QTY_REC", Accountant, 24, "Ask the dock whether goods came that nobody reported; the hold ends by itself when they are. Or accept, or skip.";
    /// Nothing of what is invoiced was received, and the waiting time is over.
    NoReceipt = "NO_RECEIPT", Accountant, 24, "Ask the dock whether goods came that nobody reported; the hold ends by itself when they are. Or accept, or skip.";
    /// Part of what is invoiced is held for inspection or was rejected.
    Quality = "QUALITY", Quality, 72, "Release the goods; the hold ends by itself. For rejected goods ask for a credit note, or skip the invoice.";
    /// More is invoiced than was ordered.
    QuantityOrdered = "QTY_ORD", Accountant, 24, "Accept to pay it, or ask the supplier for a corrected invoice and skip this one.";
    /// A charge is above what was agreed, beyond the tolerance.
    Charge = "CHARGE", Accountant, 24, "Accept to pay it, or ask the supplier for a corrected invoice and skip this one.";
    /// The supplier charges more tax than the tax code gives.
    TaxOver = "TAX_OVER", Accountant, 24, "Check tax code and rate; accept the supplier's tax, or ask for a corrected invoice and skip this one.";
    /// The supplier charges less tax than the tax code gives.
    TaxUnder = "TAX_UNDER", Accountant, 24, "Check tax code and rate; accept the supplier's tax, or ask for a corrected invoice and skip this one.";
    /// Small differences with this supplier have used up the month's limit.
    SmallDifference = "SMALL_DIFFERENCE", Accountant, 24, "Accept the difference, or ask the supplier for a corrected invoice and skip this one.";
    /// All invoices of the order together are above its value, beyond the tolerance.
    Overbill = "OVERBILL", Accountant, 24, "Accept to pay it, or ask the supplier for a corrected invoice and skip this one.";
    /// The period that the invoice belongs to is closed.
    Period = "PERIOD", Accountant, 8, "Open the period, then retry; or ask for another date and skip this one.";
    /// Supplier, currency, payee or bank account of the invoice are not those that were approved.
    Party = "PARTY", Accountant, 24, "Ask the supplier by a known telephone number; two people accept, or ask for a corrected invoice and skip this one.";
    /// The supplier's invoice number came before in the same fiscal year.
    DuplicateInvoice = "DUPLICATE_INVOICE", Accountant, 24, "Compare both invoices; skip this one if it is the same, or ask the supplier for another number.";
    /// An invoice of the same supplier and amount came within a few days.
    SimilarInvoice = "SIMILAR_INVOICE", Accountant, 24, "Compare both invoices; accept if they are two, skip this one if it is the same.";
    /// The invoice's lines do not add up to its own totals.
    InvoiceTotals = "INVOICE_TOTALS", Accountant, 24, "Return the invoice to the supplier, then skip this one.";
    /// A credit note gives back more than was billed, or corrects an invoice that is not there.
    CreditExceeds = "CREDIT_EXCEEDS", Accountant, 24, "Compare the credit note with the bills; ask for a corrected one, then skip this one.";
    /// Odoo does not know the supplier.
    UnknownPartner = "UNKNOWN_PARTNER", DataSteward, 8, "Create the supplier in Odoo with the external id that the message names, then retry.";
    /// Odoo does not know the item.
    UnknownItem = "UNKNOWN_ITEM", DataSteward, 8, "Create the item in Odoo with the external id that the message names, then retry.";
    /// The plant's configuration or Odoo does not know a unit, a tax, a currency, an account or an answer code.
    UnknownCode = "UNKNOWN_CODE", DataSteward, 8, "Add the code to the plant's configuration, publish it, then retry.";
    /// A plant's file has a code that no lookup of its feed knows: the facts with it wait.
    UnmappedCode = "UNMAPPED_CODE", DataSteward, 8, "Add the code to the lookup and publish the plant: the files are read again, and what waited is made.";
    /// Odoo would round a price or a quantity of the document.
    AmountPrecision = "AMOUNT_PRECISION", Operations, 8, "Run `interplant odoo prepare` and set the decimal accuracy that it names in Odoo, then retry.";
    /// Odoo wants the order to be approved before it is confirmed.
    OrderNeedsApproval = "ORDER_NEEDS_APPROVAL", Buyer, 8, "Approve the order in Odoo, then retry.";
    /// Somebody cancelled the order in Odoo.
    OrderCancelled = "ORDER_CANCELLED", Buyer, 8, "Find out who cancelled it and why; cancel the lifecycle, or skip the fact.";
    /// The order in Odoo is not the one that the plant sent.
    OrderDiffers = "ORDER_DIFFERS", Buyer, 8, "Compare order and fact; put the order right in Odoo, then retry.";
    /// Odoo has no open receipt, or several, for the order lines.
    PickingNotFound = "PICKING_NOT_FOUND", Warehouse, 8, "Look at the receipts of the order in Odoo; book by hand what is missing, then skip the receipt.";
    /// The receipt in Odoo was booked otherwise than the plant reported.
    ReceiptDiverged = "RECEIPT_DIVERGED", Warehouse, 8, "Compare the receipt in Odoo with the fact; correct it in Odoo, then skip the receipt.";
    /// A stock transfer in Odoo is not what was to be moved.
    TransferDiverged = "TRANSFER_DIVERGED", Warehouse, 8, "Compare the transfer in Odoo with the fact; put it right in Odoo, then retry or skip.";
    /// Somebody billed the order in Odoo outside Interplant.
    BilledOutside = "BILLED_OUTSIDE", Accountant, 8, "Look at the bills of the order in Odoo; remove the one that is too many, then retry or skip.";
    /// The bill in Odoo is not what was matched; it is not posted.
    BillDiffers = "BILL_DIFFERS", Accountant, 8, "Compare the draft bill with the invoice; put it right in Odoo, then retry.";
    /// A bill was posted that is not what was matched: an incident.
    BillPostedDifferent = "BILL_POSTED_DIFFERENT", Accountant, 4, "Stop paying this bill; reverse it in Odoo after approval, then skip the invoice.";
    /// Odoo would book, or has booked, the bill on another date, because a period is locked.
    PeriodLocked = "PERIOD_LOCKED", Accountant, 8, "Open the period in Odoo or ask for another invoice date, then retry.";
    /// Odoo refused a document for a reason that is not in the list of known ones.
    OdooRefused = "ODOO_REFUSED", Operations, 8, "Read Odoo's message; mend the cause in Odoo, then retry.";
    /// A step fails or dies again and again on one fact, while others go through.
    StepFails = "STEP_FAILS", Operations, 4, "Read the log of the step's function at that time; mend the cause, then retry; or skip the fact and book by hand.";
    /// Odoo's rights, key or configuration keep Interplant from working.
    OdooConfiguration = "ODOO_CONFIGURATION", Operations, 4, "Mend user, key, rights or database name in Odoo and in the secret, then retry.";
    /// Two facts with one business key and revision have different contents.
    ConflictingFact = "CONFLICTING_FACT", DataSteward, 8, "Ask the plant which content is right; the first one is in force. If it is this one, let the difference be sent: po.changed, receipt.reversed and a new receipt, a credit note. Then skip this one.";
    /// A version of a document was sent to the plant's webhook as often as it may be, and never taken.
    NotDelivered = "NOT_DELIVERED", Operations, 4, "Mend what the webhook answers, then `interplant outbox send-again`; then skip.";
    /// Nothing is sent to the plant's webhook any more: it is gone, or address or key cannot be used.
    WebhookStopped = "WEBHOOK_STOPPED", Operations, 4, "Put address or key right and publish the plant, which lets the webhook be tried again; then skip.";
    /// A file could not be made for the plant of what it is to be told.
    FileNotMade = "FILE_NOT_MADE", DataSteward, 8, "Add the code or mend the mapping under plants/<code>/out and publish the plant, which makes the file; then skip.";
    /// A partner does not take an order that was sent to it as an interchange.
    DispatchRejected = "DISPATCH_REJECTED", Buyer, 8, "Read the partner's codes; put the order or the mapping right and `interplant outbox send-again`, or place the order in another way; then skip.";
    /// A partner has not acknowledged an interchange with an order by its due time.
    DispatchOverdue = "DISPATCH_OVERDUE", Buyer, 24, "Ask the plant whether it has fetched and sent the file, and the partner whether it came; then skip.";
    /// The plant refuses an order, or a change of it, that it was told of.
    OrderRefusedByPlant = "ORDER_REFUSED_BY_PLANT", Buyer, 8, "Read the plant's reason; put the order right in Odoo, or the plant's system and `interplant outbox send-again`; then skip.";
    /// The plant refuses master data that it was told of.
    DataRefusedByPlant = "DATA_REFUSED_BY_PLANT", DataSteward, 24, "Read the plant's reason; put the record right in Odoo, or the plant's system and `interplant outbox send-again`; then skip.";
    /// A fact has waited for its predecessor beyond its due time.
    PredecessorOverdue = "PREDECESSOR_OVERDUE", Buyer, 24, "Ask the plant for the missing fact; it is applied by itself when it comes.";
}

impl Code {
    /// Whether it is about something that goes out to a plant, which no step of ours can do again.
    #[must_use]
    pub fn is_of_outbox(self) -> bool {
        matches!(
            self,
            Self::NotDelivered
                | Self::WebhookStopped
                | Self::FileNotMade
                | Self::DispatchRejected
                | Self::DispatchOverdue
                | Self::OrderRefusedByPlant
                | Self::DataRefusedByPlant
        )
    }

    /// What a person may decide about it, in the order in which it is to be thought of.
    #[must_use]
    pub fn decisions(self) -> &'static [Decision] {
        use Decision::{Accept, Cancel, Retry, Skip};
        if self == Self::ConflictingFact || self.is_of_outbox() {
            &[Skip]
        } else if self.may_be_accepted() {
            &[Retry, Accept, Skip, Cancel]
        } else {
            &[Retry, Skip, Cancel]
        }
    }

    /// Whether a person may decide that the fact is applied all the same.
    #[must_use]
    pub fn may_be_accepted(self) -> bool {
        matches!(
            self,
            Self::AcknowledgementDiffers
                | Self::Compensation
                | Self::OverReceipt
                | Self::AsnRequired
                | Self::LotNotTracked
                | Self::Price
                | Self::PriceTotal
                | Self::QuantityReceived
                | Self::NoReceipt
                | Self::Quality
                | Self::QuantityOrdered
                | Self::Charge
                | Self::TaxOver
                | Self::TaxUnder
                | Self::SmallDifference
                | Self::Overbill
                | Self::Party
                | Self::SimilarInvoice
        )
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A business exception as a step raises it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Exception {
    /// Why.
    pub code: Code,
    /// A sentence with the numbers in it.
    pub message: String,
    /// How much money is at risk, in the currency of the document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_at_risk: Option<Amount>,
    /// Other codes that the message tells of; who accepts this one accepts them with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub along: Vec<Code>,
}

impl Exception {
    /// An exception with its sentence.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            amount_at_risk: None,
            along: Vec::new(),
        }
    }
}

/// What a person decides about an exception.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// The cause is mended: do the step again.
    Retry,
    /// Do it all the same: the tolerance does not count for this fact.
    Accept,
    /// Leave the fact without effect.
    Skip,
    /// Stop following the document; what Odoo holds stays as it is.
    Cancel,
    /// Apply what a person has written instead of the fact.
    Amend,
}

impl Decision {
    /// Those that a word is enough for.
    pub const ALL: [Self; 4] = [Self::Retry, Self::Accept, Self::Skip, Self::Cancel];

    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Accept => "accept",
            Self::Skip => "skip",
            Self::Cancel => "cancel",
            Self::Amend => "amend",
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Decision {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|decision| decision.word() == text)
            .ok_or_else(|| format!("`{text}` is not a decision: retry, accept, skip or cancel"))
    }
}
