//! Invoices and credit notes of an order: what was matched for payment, and the bills that were posted.

use serde::{Deserialize, Serialize};

use super::{Billed, PurchaseOrder};
use crate::decimal::{Amount, Quantity, UnitPrice};
use crate::fact::{Code, Day, InvoiceKind, InvoiceReceived};

/// What may be paid of an invoice, as far as it concerns this order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payable {
    /// Version of the rules.
    pub rule_version: String,
    /// SHA-256 of everything that went into the match.
    pub inputs_hash: String,
    /// The lines.
    pub lines: Vec<PaidLine>,
    /// Charges, rounding and small differences: lines of the bill without an order line.
    pub extras: Vec<ExtraLine>,
    /// Total before tax, charges included.
    pub net: Amount,
    /// Tax.
    pub tax: Amount,
    /// Total with tax.
    pub gross: Amount,
}

/// A line that may be paid; of a credit note, what is taken off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaidLine {
    /// The order's line.
    pub line_no: Code,
    /// How much, in the unit of the order.
    pub quantity: Quantity,
    /// At which price, discounts taken off.
    pub unit_price: UnitPrice,
    /// What that costs before tax.
    pub net: Amount,
    /// The tax code.
    pub tax_code: Option<Code>,
}

/// A line of a bill that no order line has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtraLine {
    /// The charge; none for what is left of rounding.
    pub charge: Option<Code>,
    /// How much, before tax.
    pub amount: Amount,
    /// The tax code.
    pub tax_code: Option<Code>,
}

/// An invoice that passed the match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppliedInvoice {
    /// The supplier's invoice number.
    pub number: Code,
    /// Invoice or credit note.
    #[serde(default, skip_serializing_if = "InvoiceKind::is_invoice")]
    pub kind: InvoiceKind,
    /// Position of its fact in the mailbox.
    pub sequence: u64,
    /// The date on the invoice.
    pub invoice_date: Day,
    /// The day in whose period it is booked.
    pub posting_date: Day,
    /// The invoice that a credit note corrects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrects: Option<Code>,
    /// All orders that it bills, when they are several; the first one posts it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub orders: Vec<Code>,
    /// What may be paid; its lines are kept with the lines of the order.
    pub payable: Payable,
    /// The posted bill in Odoo.
    pub bill: Option<PostedBill>,
}

/// Lines of another order that belong to an invoice which this order posts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignPart {
    /// The invoice.
    pub invoice: Code,
    /// The other order.
    pub order: Code,
    /// What may be paid.
    pub lines: Vec<ForeignLine>,
}

/// A line of a [`ForeignPart`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignLine {
    /// How much, at which price.
    pub paid: PaidLine,
    /// The item's code at the plant.
    pub item: Code,
    /// The unit.
    pub uom: Code,
    /// The line's id in Odoo.
    pub odoo_line: i64,
    /// How much Odoo is to count as invoiced of the line with this bill.
    pub invoiced: Quantity,
}

/// A bill as it was read back after posting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostedBill {
    /// Database id.
    pub id: i64,
    /// Odoo's number.
    pub name: String,
    /// Total with tax.
    pub total: Amount,
}

impl AppliedInvoice {
    /// Whether this order posts the bill.
    #[must_use]
    pub fn leads(&self, order: &Code) -> bool {
        self.orders.first().is_none_or(|first| first == order)
    }

    /// The other orders whose lines it bills.
    pub fn others<'a>(&'a self, order: &'a Code) -> impl Iterator<Item = &'a Code> {
        self.orders.iter().filter(move |other| *other != order)
    }
}

impl PurchaseOrder {
    /// What was matched of an invoice, line by line.
    #[must_use]
    pub fn paid_lines(&self, sequence: u64) -> Vec<PaidLine> {
        let billed = self.lines.iter().flat_map(|line| &line.billed);
        billed
            .filter(|billed| billed.sequence == sequence)
            .map(|billed| billed.paid.clone())
            .collect()
    }

    /// The invoice of a fact, once it was matched.
    #[must_use]
    pub fn invoice(&self, sequence: u64) -> Option<&AppliedInvoice> {
        self.invoices
            .iter()
            .find(|invoice| invoice.sequence == sequence)
    }

    /// What other orders have matched of an invoice that this one posts.
    pub fn foreign(&self, invoice: &AppliedInvoice) -> impl Iterator<Item = &ForeignPart> {
        self.foreign_parts
            .iter()
            .filter(|part| part.invoice == invoice.number)
    }

    /// Whether a matched invoice can go on, to the books or to its end: when other orders have lines on it, all have matched.
    #[must_use]
    pub fn can_post(&self, invoice: &AppliedInvoice) -> bool {
        invoice.bill.is_some()
            || !invoice.leads(&self.number)
            || invoice
                .others(&self.number)
                .all(|other| self.foreign(invoice).any(|part| part.order == *other))
    }

    /// The order after an invoice was matched.
    pub fn apply_match(&mut self, fact: &InvoiceReceived, sequence: u64, matched: Payable) {
        let credit = fact.kind == InvoiceKind::CreditNote;
        for paid in &matched.lines {
            for line in self
                .lines
                .iter_mut()
                .filter(|line| line.line_no == paid.line_no)
            {
                line.billed.push(Billed {
                    sequence,
                    paid: paid.clone(),
                    credit,
                });
            }
        }
        let mut orders: Vec<Code> = Vec::new();
        for order in fact.lines.iter().filter_map(|line| line.po_number.as_ref()) {
            if !orders.contains(order) {
                orders.push(order.clone());
            }
        }
        if orders.len() < 2 {
            orders.clear();
        }
        self.invoices.push(AppliedInvoice {
            number: fact.invoice_number.clone(),
            kind: fact.kind,
            sequence,
            invoice_date: fact.invoice_date,
            posting_date: fact.posting_date.unwrap_or(fact.invoice_date),
            corrects: fact.corrects_invoice.clone(),
            orders,
            payable: Payable {
                lines: Vec::new(),
                ..matched
            },
            bill: None,
        });
        self.changes += 1;
    }

    /// The order after a person decided that a matched invoice is not to be posted.
    pub fn withdraw_match(&mut self, sequence: u64) {
        let posted = self
            .invoice(sequence)
            .is_none_or(|invoice| invoice.bill.is_some());
        if posted {
            return;
        }
        self.invoices.retain(|invoice| invoice.sequence != sequence);
        for line in &mut self.lines {
            line.billed.retain(|billed| billed.sequence != sequence);
        }
        self.changes += 1;
    }

    /// The order after a bill was posted.
    pub fn apply_bill(&mut self, sequence: u64, bill: PostedBill) {
        let mut number = None;
        for invoice in self
            .invoices
            .iter_mut()
            .filter(|invoice| invoice.sequence == sequence)
        {
            invoice.bill = Some(bill.clone());
            number = Some(invoice.number.clone());
        }
        self.foreign_parts
            .retain(|part| Some(&part.invoice) != number.as_ref());
        self.changes += 1;
    }

    /// The order after another one has matched its lines of an invoice.
    pub fn apply_foreign_part(&mut self, part: ForeignPart) {
        let known = self
            .foreign_parts
            .iter()
            .any(|one| one.invoice == part.invoice && one.order == part.order);
        if !known {
            self.foreign_parts.push(part);
            self.foreign_parts.sort_by(|one, other| {
                (&one.invoice, &one.order).cmp(&(&other.invoice, &other.order))
            });
        }
        self.changes += 1;
    }

    /// The order after the bill of an invoice over several orders was posted elsewhere; false when this
    /// order has not matched it.
    pub fn apply_foreign_bill(&mut self, number: &Code, bill: PostedBill) -> bool {
        let mut found = false;
        for invoice in self
            .invoices
            .iter_mut()
            .filter(|invoice| invoice.number == *number)
        {
            invoice.bill = Some(bill.clone());
            found = true;
        }
        if found {
            self.changes += 1;
        }
        found
    }
}
