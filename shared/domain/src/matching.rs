//! The three-way match: may an invoice be paid, as far as it concerns one order?
//!
//! A pure function of [`Inputs`]: what was invoiced, ordered and received, the tolerances that hold, what
//! came before and what people have accepted. The same inputs give the same [`Evaluation`], at any time.
//!
//! | rule | compares | fails as |
//! |---|---|---|
//! | 3W-1 | the invoice's number, and supplier, amount and date, with earlier invoices | `DUPLICATE_INVOICE`, `SIMILAR_INVOICE` |
//! | 3W-3 | net unit price with the order's | `PRICE` |
//! | 3W-4 | what is invoiced of a line in all with its ordered value | `PRICE_TOTAL` |
//! | 3W-5, 3W-6 | quantity invoiced in all with what may be paid | waits, then `QTY_REC` or `NO_RECEIPT` |
//! | 3W-7 | the same with what is held or rejected | `QUALITY` |
//! | 3W-8 | quantity invoiced in all with the quantity ordered | `QTY_ORD` |
//! | 3W-9 | charges with what was agreed | `CHARGE` |
//! | 3W-10 | the supplier's tax with the tax of the code | `TAX_OVER`, `TAX_UNDER` |
//! | 3W-11 | the lines with the supplier's own totals | `INVOICE_TOTALS` |
//! | 3W-12 | what is left of rounding | `SMALL_DIFFERENCE` |
//! | 3W-13 | all invoices of the order with its value | `OVERBILL` |
//! | 3W-14 | dates with the order's date and the closed periods | `PERIOD` |
//! | 3W-15 | supplier, currency, payee and bank account with the master record | `PARTY` |

mod explain;
mod number;
mod rules;
mod tolerance;

pub use number::{business_days_after, fiscal_year, normalise_invoice_number};
pub use rules::evaluate;
pub use tolerance::{Limit, Matching, Resolved, SupplierItem, Tolerances};

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::decimal::{Amount, Quantity, UnitPrice};
use crate::exception::Code as ExceptionCode;
use crate::fact::{Code, Currency, Day, InvoiceReceived};
use crate::plant::BillRounding;

/// Version of the rules, stored with every result.
pub const RULE_VERSION: &str = "three-way-1";

/// Everything that a match looks at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inputs {
    /// The invoice.
    pub invoice: InvoiceReceived,
    /// Whether this order is the first that the invoice names: the header is matched with that one.
    pub leads: bool,
    /// The order.
    pub order: OrderInputs,
    /// Settings of the invoice as a whole.
    pub settings: InvoiceSettings,
    /// What came before.
    pub history: History,
    /// Whether the time has passed for which an invoice waits for its goods.
    pub waited_out: bool,
    /// What people have accepted.
    pub accepted: BTreeSet<ExceptionCode>,
}

/// An order as the match sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderInputs {
    /// Its number.
    pub number: Code,
    /// The supplier.
    pub supplier: Code,
    /// Its currency.
    pub currency: Currency,
    /// When it was placed.
    pub order_date: Day,
    /// Value of all its lines.
    pub total: Amount,
    /// What other invoices have billed of it, posted or on their way, without charges.
    pub invoiced_net: Amount,
    /// Charges that were agreed, less what other invoices have billed of them.
    pub charges: BTreeMap<Code, Amount>,
    /// Discounts that were agreed, when the order says them apart from its prices.
    pub discount: Option<Amount>,
    /// The lines that the invoice bills.
    pub lines: Vec<LineInputs>,
}

/// A line of the order as the match sees it, and what the invoice bills of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineInputs {
    /// The line.
    pub line_no: Code,
    /// The item.
    pub item: Code,
    /// How many of the order's unit are one of the invoice's, as a fraction.
    pub factor: (Quantity, Quantity),
    /// How much was ordered.
    pub ordered: Quantity,
    /// At which price.
    pub unit_price: UnitPrice,
    /// How much came and was not reversed.
    pub received: Quantity,
    /// How much of it waits for an inspection, or was rejected and waits for what becomes of it.
    pub held: Quantity,
    /// How much may be paid.
    pub payable: Quantity,
    /// How much other invoices have billed, posted or on their way.
    pub invoiced: Quantity,
    /// What that was, before tax.
    pub invoiced_net: Amount,
    /// Whether it is a service: nothing comes in, so nothing is compared with receipts.
    pub service: bool,
    /// Whether it is weighed or measured, not counted.
    pub bulk: bool,
    /// The tolerances that hold for it.
    pub tolerances: Resolved,
}

/// Settings of an invoice as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceSettings {
    /// The tolerances that hold for its header.
    pub tolerances: Resolved,
    /// Whether charges count as part of the unit price.
    pub charges_in_unit: bool,
    /// The rate of each tax code, in percent.
    pub tax_rates: BTreeMap<String, Quantity>,
    /// Charges that nobody agreed on are accepted up to this amount, by code.
    pub unplanned_charges: BTreeMap<String, Amount>,
    /// The last day of the closed periods.
    pub closed_until: Option<Day>,
    /// Bank accounts of the supplier that were approved.
    pub bank_accounts: BTreeSet<String>,
    /// Whether an invoice waits for its goods before it is held.
    pub waits: bool,
    /// Whether a similar invoice stops this one; else it is only noted.
    pub similar_is_held: bool,
    /// Where the books round a bill.
    pub rounding: BillRounding,
}

/// What came before.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct History {
    /// Where the same number came before in the same fiscal year.
    pub same_number: Option<String>,
    /// Where an invoice of the same amount came within a few days.
    pub similar: Vec<String>,
    /// Small differences with this supplier in this month so far.
    pub small_differences: Amount,
}

/// How a check ended; the worst of all is the result of the match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// Within the tolerance.
    Matched,
    /// Beyond it, and a person has accepted that.
    Released,
    /// Within the tolerance, and worth a look.
    Warned,
    /// Something has to come first.
    Awaiting,
    /// A person has to decide.
    Held,
    /// It goes back to the supplier.
    Rejected,
}

/// One comparison, for people and for replays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// The rule.
    pub rule: String,
    /// The order's line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<Code>,
    /// What was agreed, received or computed.
    pub expected: String,
    /// What the invoice says.
    pub actual: String,
    /// By how much it differs.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub variance: String,
    /// How much it may differ.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub tolerance: String,
    /// How it ended.
    pub verdict: Verdict,
    /// As what it fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<ExceptionCode>,
    /// How much money that is about.
    #[serde(default, skip_serializing_if = "Amount::is_nothing")]
    pub amount_at_risk: Amount,
}

/// What a match found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Version of the rules.
    pub rule_version: String,
    /// SHA-256 of the inputs.
    pub inputs_hash: String,
    /// The worst of the checks.
    pub result: Verdict,
    /// Every comparison.
    pub checks: Vec<Check>,
    /// What may be paid, when nothing is open; of the order's own lines.
    pub lines: Vec<PayableLine>,
    /// The tax that the codes give, as the books will compute it; none when a rate is not configured.
    pub tax: Option<Amount>,
    /// What is left between the supplier's total and the sum of the bill's lines, to be booked apart.
    pub small_difference: Amount,
}

/// A line as it may be paid, in the order's unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayableLine {
    /// The order's line.
    pub line_no: Code,
    /// How much.
    pub quantity: Quantity,
    /// Net price per unit.
    pub unit_price: UnitPrice,
    /// What that is, as the books round it.
    pub net: Amount,
}

impl Evaluation {
    /// The checks that keep the invoice from being paid, worst first.
    #[must_use]
    pub fn failed(&self) -> Vec<&Check> {
        let mut failed: Vec<&Check> = self
            .checks
            .iter()
            .filter(|check| check.verdict >= Verdict::Awaiting)
            .collect();
        failed.sort_by_key(|check| std::cmp::Reverse(check.verdict));
        failed
    }
}

/// A sum of money as the books round it: to cents, half away from zero, as Odoo does.
pub(crate) fn cents(value: Decimal) -> Decimal {
    value.round_dp_with_strategy(2, rust_decimal::RoundingStrategy::MidpointAwayFromZero)
}
