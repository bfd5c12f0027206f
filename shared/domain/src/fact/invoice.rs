//! The supplier's invoice, and what orders tell one another about it.

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Code, Currency, Day};
use crate::decimal::{Amount, Quantity, UnitPrice};

/// `interplant.invoice.received.v1`: the supplier's invoice or credit note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InvoiceReceived {
    /// Whether the supplier wants money or gives some back; quantities and amounts are positive either way.
    #[serde(default, skip_serializing_if = "InvoiceKind::is_invoice")]
    pub kind: InvoiceKind,
    /// The supplier's number of the invoice.
    pub invoice_number: Code,
    /// The supplier's code at the plant.
    pub supplier_id: Code,
    /// The date on the invoice.
    pub invoice_date: Day,
    /// The day in whose period it is to be booked; the date on the invoice when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub posting_date: Option<Day>,
    /// Currency of all amounts.
    pub currency: Currency,
    /// The invoice that a credit note corrects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrects_invoice: Option<Code>,
    /// Who is to be paid, when the invoice says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payee: Option<Payee>,
    /// What is invoiced.
    #[schemars(length(min = 1, max = 1000))]
    pub lines: Vec<InvoiceLine>,
    /// Freight and other charges of the whole invoice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub charges: Vec<Charge>,
    /// The totals that the supplier states.
    pub totals: InvoiceTotals,
}

/// Invoice or credit note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum InvoiceKind {
    /// The supplier wants money.
    #[default]
    Invoice,
    /// The supplier gives money back.
    CreditNote,
}

impl InvoiceKind {
    /// Whether the supplier wants money.
    #[must_use]
    pub fn is_invoice(&self) -> bool {
        *self == Self::Invoice
    }
}

/// Who is to be paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Payee {
    /// The supplier's code, when it is not the invoice's supplier (factoring).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supplier_id: Option<Code>,
    /// The account that is to be credited, as the invoice writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bank_account: Option<Code>,
}

/// A line of an invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InvoiceLine {
    /// The order; found by the receipt when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub po_number: Option<Code>,
    /// The receipt by which the goods came; all lines name the same when the order is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt_number: Option<Code>,
    /// The order's line.
    pub line_no: Code,
    /// How much is invoiced.
    pub qty: Quantity,
    /// The unit of quantity and price; the order line's own when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uom: Option<Code>,
    /// Price per unit, before the discount.
    pub unit_price: UnitPrice,
    /// Discount of the whole line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discount: Option<Amount>,
    /// The tax code; none means that no tax is applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_code: Option<Code>,
    /// The tax of the line, when the invoice says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_amount: Option<Amount>,
}

impl InvoiceLine {
    /// What it costs before tax, exactly.
    #[must_use]
    pub fn net(&self) -> Decimal {
        let discount = self.discount.unwrap_or_default();
        (self.qty.times(self.unit_price) - discount).decimal()
    }
}

/// A charge of the whole invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Charge {
    /// What for, such as `FREIGHT`.
    pub code: Code,
    /// How much, before tax.
    pub amount: Amount,
    /// The tax code; none means that no tax is applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_code: Option<Code>,
}

/// What the supplier says the invoice adds up to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InvoiceTotals {
    /// The lines, before charges and tax.
    pub net: Amount,
    /// The charges.
    #[serde(default, skip_serializing_if = "Amount::is_nothing")]
    pub charges: Amount,
    /// The tax.
    #[serde(default)]
    pub tax: Amount,
    /// What was added to round the total; below zero when it was taken off.
    #[serde(default, skip_serializing_if = "Amount::is_nothing")]
    pub round_off: Amount,
    /// What is to be paid.
    pub gross: Amount,
}

/// `interplant.invoice.matched.v1`: an order tells the one that posts the bill that its lines may be paid.
///
/// Sent by Interplant itself when an invoice is over several orders; nobody else can send it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InvoiceMatched {
    /// The order that is told, because it posts the bill.
    pub po_number: Code,
    /// The order whose lines may be paid.
    pub po_number_matched: Code,
    /// The supplier's number of the invoice.
    pub invoice_number: Code,
    /// The supplier's code at the plant.
    pub supplier_id: Code,
    /// Lines that may be paid, as the order has recorded them.
    pub matched: serde_json::Value,
}

/// `interplant.invoice.posted.v1`: the bill of an invoice over several orders is posted.
///
/// Sent by Interplant itself; nobody else can send it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InvoicePosted {
    /// The order that is told.
    pub po_number: Code,
    /// The supplier's number of the invoice.
    pub invoice_number: Code,
    /// The supplier's code at the plant.
    pub supplier_id: Code,
    /// Odoo's id of the bill.
    pub odoo_move_id: i64,
    /// Odoo's number of it.
    pub name: Code,
    /// Total with tax.
    pub total: Amount,
}
