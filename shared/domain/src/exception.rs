//! What a person has to decide, and who.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
    /// A second fact wants to create an order that exists already.
    OrderAlreadyCreated = "ORDER_ALREADY_CREATED", Buyer, 8, "Changes of an order are not taken yet: change the order in Odoo by hand, then skip the fact.";
    /// The supplier's acknowledgement differs from the order in quantity, price or status.
    AcknowledgementDiffers = "ACKNOWLEDGEMENT_DIFFERS", Buyer, 8, "Agree with the supplier; adjust the order in Odoo if necessary, then skip the acknowledgement or cancel.";
    /// More came than is still open on an order line.
    OverReceipt = "OVER_RECEIPT", Buyer, 8, "Decide with the dock: correct the receipt at the plant, or skip the receipt and book it by hand in Odoo.";
    /// The price on the invoice is not the price of the order.
    Price = "PRICE", Accountant, 24, "Ask the buyer and the supplier which price holds; ask for a corrected invoice, then skip this one.";
    /// More is invoiced than was received, and no further receipt has come by the due time.
    QuantityReceived = "QTY_REC", Accountant, 24, "Ask the dock whether goods came that nobody reported, or the supplier for a corrected invoice.";
    /// More is invoiced than was ordered.
    QuantityOrdered = "QTY_ORD", Accountant, 24, "Ask the supplier for a corrected invoice, then skip this one.";
    /// The invoice's currency or supplier is not the order's.
    InvoiceParty = "INVOICE_PARTY", Accountant, 24, "Find the order that the invoice belongs to; ask the sender for a corrected invoice, then skip this one.";
    /// The invoice's lines do not add up to its own totals.
    InvoiceTotals = "INVOICE_TOTALS", Accountant, 24, "Return the invoice to the supplier, then skip this one.";
    /// Odoo does not know the supplier.
    UnknownPartner = "UNKNOWN_PARTNER", DataSteward, 8, "Create the supplier in Odoo with the external id that the message names, then retry.";
    /// Odoo does not know the item.
    UnknownItem = "UNKNOWN_ITEM", DataSteward, 8, "Create the item in Odoo with the external id that the message names, then retry.";
    /// The plant's configuration or Odoo does not know a unit, a tax or a currency.
    UnknownCode = "UNKNOWN_CODE", DataSteward, 8, "Add the code to the plant's configuration, publish it, then retry.";
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
    /// Odoo's rights, key or configuration keep Interplant from working.
    OdooConfiguration = "ODOO_CONFIGURATION", Operations, 4, "Mend user, key, rights or database name in Odoo and in the secret, then retry.";
    /// Two facts with one business key and revision have different contents.
    ConflictingFact = "CONFLICTING_FACT", DataSteward, 8, "Ask the plant which content is right; the first one is in force. Then skip this one.";
    /// A fact has waited for its predecessor beyond its due time.
    PredecessorOverdue = "PREDECESSOR_OVERDUE", Buyer, 24, "Ask the plant for the missing fact; it is applied by itself when it comes.";
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
}

impl Exception {
    /// An exception with its sentence.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }
}

/// What a person decides about an exception.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// The cause is mended: do the step again.
    Retry,
    /// Leave the fact without effect.
    Skip,
    /// Stop following the document; what Odoo holds stays as it is.
    Cancel,
}

impl Decision {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Retry, Self::Skip, Self::Cancel];

    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Skip => "skip",
            Self::Cancel => "cancel",
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
            .ok_or_else(|| format!("`{text}` is not a decision: retry, skip or cancel"))
    }
}
