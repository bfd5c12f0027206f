//! The match of an invoice against order and receipts.
//!
//! First cut: the price against the order and the quantity against what was received, both exactly.

use serde::{Deserialize, Serialize};

use super::{AppliedInvoice, PurchaseOrder};
use crate::decimal::{Amount, Quantity, UnitPrice};
use crate::exception::{Code as ExceptionCode, Exception};
use crate::fact::{Code, Day, InvoiceReceived};

/// Version of the rules, stored with every result.
pub const RULE_VERSION: &str = "first-cut-1";

/// Whether an invoice may be paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MatchOutcome {
    /// It may.
    Matched(MatchResult),
    /// Goods that it bills have not been received yet.
    AwaitingReceipt {
        /// What is missing, in a sentence.
        reason: String,
    },
}

/// Why an invoice may be paid, and what the bill must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatchResult {
    /// Version of the rules.
    pub rule_version: String,
    /// SHA-256 of everything that went into the match.
    pub inputs_hash: String,
    /// Every comparison that was made; empty in the order itself, kept in the record of the step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Check>,
    /// The date on the invoice.
    pub invoice_date: Day,
    /// The bill's lines.
    pub lines: Vec<MatchedLine>,
    /// Total before tax.
    pub net: Amount,
    /// Tax.
    pub tax: Amount,
    /// Total with tax.
    pub gross: Amount,
}

/// A line that may be paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatchedLine {
    /// The order's line.
    pub line_no: Code,
    /// How much is paid.
    pub quantity: Quantity,
    /// At which price.
    pub unit_price: UnitPrice,
    /// The tax code.
    pub tax_code: Option<Code>,
    /// How much had been matched before.
    pub invoiced_before: Quantity,
}

/// One comparison, for people and for replays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// The rule, such as `3W-3 line 10`.
    pub rule: String,
    /// What was agreed or received.
    pub expected: String,
    /// What is invoiced.
    pub actual: String,
    /// Whether it passed.
    pub passed: bool,
}

impl PurchaseOrder {
    /// Compares an invoice with the order and what was received.
    ///
    /// # Errors
    /// `INVOICE_PARTY`, `UNKNOWN_LINE`, `LINE_DIFFERS`, `INVOICE_TOTALS`, `PRICE`, `QTY_ORD`.
    pub fn match_invoice(&self, fact: &InvoiceReceived) -> Result<MatchOutcome, Exception> {
        self.check_party(fact)?;
        let mut checks = Vec::new();
        let mut lines = Vec::new();
        let mut missing = Vec::new();
        for billed in &fact.lines {
            let line = self.line(&billed.line_no)?;
            self.same_code(line, "unit", &line.uom, billed.uom.as_ref())?;
            if billed.unit_price != line.unit_price {
                return Err(Exception::new(
                    ExceptionCode::Price,
                    format!(
                        "invoice {} line {}: price {} instead of {} {} as ordered",
                        fact.invoice_number,
                        line.line_no,
                        billed.unit_price,
                        line.unit_price,
                        self.currency.as_str()
                    ),
                ));
            }
            let total = line.invoiced + billed.qty;
            if total > line.ordered {
                return Err(Exception::new(
                    ExceptionCode::QuantityOrdered,
                    format!(
                        "invoice {} line {}: {} invoiced in all, but {} ordered",
                        fact.invoice_number, line.line_no, total, line.ordered
                    ),
                ));
            }
            if total > line.received {
                missing.push(format!(
                    "line {}: {} invoiced in all, {} received",
                    line.line_no, total, line.received
                ));
            }
            checks.push(Check {
                rule: format!("3W-3 line {}", line.line_no),
                expected: line.unit_price.to_string(),
                actual: billed.unit_price.to_string(),
                passed: true,
            });
            checks.push(Check {
                rule: format!("3W-5 line {}", line.line_no),
                expected: line.received.to_string(),
                actual: total.to_string(),
                passed: total <= line.received,
            });
            lines.push(MatchedLine {
                line_no: line.line_no.clone(),
                quantity: billed.qty,
                unit_price: billed.unit_price,
                tax_code: billed.tax_code.clone(),
                invoiced_before: line.invoiced,
            });
        }
        let net = check_totals(fact)?;
        if !missing.is_empty() {
            return Ok(MatchOutcome::AwaitingReceipt {
                reason: format!(
                    "invoice {} waits for goods: {}",
                    fact.invoice_number,
                    missing.join("; ")
                ),
            });
        }
        Ok(MatchOutcome::Matched(MatchResult {
            rule_version: RULE_VERSION.to_owned(),
            inputs_hash: self.inputs_hash(fact),
            checks,
            invoice_date: fact.invoice_date,
            lines,
            net,
            tax: fact.totals.tax,
            gross: fact.totals.gross,
        }))
    }

    fn check_party(&self, fact: &InvoiceReceived) -> Result<(), Exception> {
        let (what, ours, theirs) = if fact.supplier_id != self.supplier {
            (
                "supplier",
                self.supplier.as_str(),
                fact.supplier_id.as_str(),
            )
        } else if fact.currency != self.currency {
            ("currency", self.currency.as_str(), fact.currency.as_str())
        } else {
            return Ok(());
        };
        Err(Exception::new(
            ExceptionCode::InvoiceParty,
            format!(
                "invoice {} has {what} {theirs}, order {} has {ours}",
                fact.invoice_number, self.number
            ),
        ))
    }

    /// The order after an invoice was matched.
    pub fn apply_match(&mut self, number: &Code, sequence: u64, matched: MatchResult) {
        for paid in &matched.lines {
            for line in self
                .lines
                .iter_mut()
                .filter(|line| line.line_no == paid.line_no)
            {
                line.invoiced = paid.invoiced_before + paid.quantity;
            }
        }
        self.invoices.push(AppliedInvoice {
            number: number.clone(),
            sequence,
            // The comparisons stay in the record of the step; the order itself must stay small.
            matched: MatchResult {
                checks: Vec::new(),
                ..matched
            },
            bill: None,
        });
    }

    /// The order after a person decided that a matched invoice is not to be posted.
    pub fn withdraw_match(&mut self, sequence: u64) {
        let Some(position) = self
            .invoices
            .iter()
            .position(|invoice| invoice.sequence == sequence && invoice.bill.is_none())
        else {
            return;
        };
        let withdrawn = self.invoices.remove(position);
        for paid in &withdrawn.matched.lines {
            for line in self
                .lines
                .iter_mut()
                .filter(|line| line.line_no == paid.line_no)
            {
                line.invoiced = line.invoiced - paid.quantity;
            }
        }
    }

    fn inputs_hash(&self, fact: &InvoiceReceived) -> String {
        // Serialising our own types cannot fail; an empty part would only make the hash less telling.
        let invoice = serde_json_canonicalizer::to_vec(fact).unwrap_or_default();
        let lines = serde_json_canonicalizer::to_vec(&self.lines).unwrap_or_default();
        let rule = RULE_VERSION.as_bytes();
        crate::identifier::sha256_hex(&[rule, &invoice, &lines].concat())
    }
}

/// The net total, when the lines add up to what the supplier states.
///
/// A supplier rounds each line to cents or only the sum: half a cent for each line is not an error.
fn check_totals(fact: &InvoiceReceived) -> Result<Amount, Exception> {
    let sum: Amount = fact
        .lines
        .iter()
        .map(|line| line.qty.times(line.unit_price))
        .sum();
    let difference = (sum - fact.totals.net).decimal().abs();
    let tolerance =
        rust_decimal::Decimal::new(5, 3) * rust_decimal::Decimal::from(fact.lines.len());
    if difference > tolerance {
        return Err(Exception::new(
            ExceptionCode::InvoiceTotals,
            format!(
                "invoice {}: its lines add up to {sum}, its net total says {}",
                fact.invoice_number, fact.totals.net
            ),
        ));
    }
    Ok(fact.totals.net)
}
