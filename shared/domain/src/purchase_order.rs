//! A purchase order from its creation to its last posted bill.
//!
//! ```text
//! Created --(PoAcknowledged)--> acknowledged, the rest unchanged
//! Created --(ReceiptPosted)---> received grows, never beyond ordered
//! Created --(InvoiceReceived)-> matched: invoiced grows, never beyond received --> posted
//! everything received and billed --> closed; a later fact opens it again
//! ```

mod matching;
mod next;

pub use matching::{Check, MatchOutcome, MatchResult, RULE_VERSION};
pub use next::{Next, Step, next};

use serde::{Deserialize, Serialize};

use crate::decimal::{Amount, Quantity, UnitPrice};
use crate::exception::{Code as ExceptionCode, Exception};
use crate::fact::{AckStatus, Code, Currency, Day, PoAcknowledged, PoCreated, ReceiptPosted};

/// What Interplant knows of a purchase order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurchaseOrder {
    /// The plant's number.
    pub number: Code,
    /// The supplier's code at the plant.
    pub supplier: Code,
    /// Currency of all prices.
    pub currency: Currency,
    /// The day it was placed.
    pub order_date: Day,
    /// Its lines; stored apart from the rest, because an order may have a thousand.
    #[serde(skip)]
    pub lines: Vec<Line>,
    /// The order in Odoo, once it is confirmed there.
    pub in_odoo: Option<InOdoo>,
    /// Acknowledgements that were applied, by number.
    pub acknowledgements: Vec<Code>,
    /// Receipts that were applied.
    pub receipts: Vec<AppliedReceipt>,
    /// Invoices that were matched or posted.
    pub invoices: Vec<AppliedInvoice>,
}

/// A line of the order with what has become of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The plant's line number.
    pub line_no: Code,
    /// The item's code at the plant.
    pub item: Code,
    /// The unit of quantity and price.
    pub uom: Code,
    /// The tax code.
    pub tax_code: Option<Code>,
    /// How much was ordered.
    pub ordered: Quantity,
    /// The price agreed.
    pub unit_price: UnitPrice,
    /// When the plant needs it.
    pub need_date: Option<Day>,
    /// When the supplier will deliver.
    pub promised_date: Option<Day>,
    /// How much came in.
    pub received: Quantity,
    /// How much was matched for payment.
    pub invoiced: Quantity,
    /// The line's id in Odoo.
    pub odoo_line: Option<i64>,
}

/// The order as it was last seen in Odoo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InOdoo {
    /// Database id of the purchase order.
    pub id: i64,
    /// Odoo's number for it.
    pub name: String,
    /// Open receipt by which the next goods come in: its id and the move of each line, by Odoo's line id.
    pub open_receipt: Option<OpenReceipt>,
}

/// A receipt that Odoo has prepared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenReceipt {
    /// Database id of the picking.
    pub picking: i64,
    /// Its operation type.
    pub operation_type: i64,
    /// When it is planned, as Odoo writes it.
    pub scheduled: String,
    /// Its open moves.
    pub moves: Vec<OpenMove>,
}

/// A move of an [`OpenReceipt`], by Odoo's database ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenMove {
    /// The order line.
    pub order_line: i64,
    /// The stock move.
    pub stock_move: i64,
    /// The move's unit.
    pub unit: i64,
}

/// A receipt that is booked in Odoo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppliedReceipt {
    /// The plant's receipt number.
    pub number: Code,
    /// The picking that was validated for it.
    pub picking: i64,
}

/// An invoice that passed the match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppliedInvoice {
    /// The supplier's invoice number.
    pub number: Code,
    /// Position of its fact in the mailbox.
    pub sequence: u64,
    /// Why it may be paid.
    pub matched: MatchResult,
    /// The posted bill in Odoo.
    pub bill: Option<PostedBill>,
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

/// What an acknowledgement changes in Odoo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcknowledgementPlan {
    /// The supplier's reference.
    pub reference: Code,
    /// New promised dates: (line number, date).
    pub promised: Vec<(Code, Day)>,
}

/// What a receipt books in Odoo, decided before the first call and stored, so that a repeat books the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptPlan {
    /// The plant's receipt number.
    pub number: Code,
    /// The picking that is going to be validated; another one is chosen only by reading Odoo anew.
    pub open_receipt: Option<OpenReceipt>,
    /// What came, by line.
    pub lines: Vec<ReceiptPlanLine>,
}

/// A line of a [`ReceiptPlan`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptPlanLine {
    /// The order's line.
    pub line_no: Code,
    /// Its id in Odoo.
    pub odoo_line: i64,
    /// How much came with this receipt.
    pub quantity: Quantity,
    /// How much had come before.
    pub received_before: Quantity,
}

impl PurchaseOrder {
    /// The order that a plant reports.
    #[must_use]
    pub fn created(fact: &PoCreated) -> Self {
        Self {
            number: fact.po_number.clone(),
            supplier: fact.supplier_id.clone(),
            currency: fact.currency.clone(),
            order_date: fact.order_date,
            lines: fact
                .lines
                .iter()
                .map(|line| Line {
                    line_no: line.line_no.clone(),
                    item: line.item_id.clone(),
                    uom: line.uom.clone(),
                    tax_code: line.tax_code.clone(),
                    ordered: line.qty,
                    unit_price: line.unit_price,
                    need_date: line.need_date,
                    promised_date: None,
                    received: Quantity::ZERO,
                    invoiced: Quantity::ZERO,
                    odoo_line: None,
                })
                .collect(),
            in_odoo: None,
            acknowledgements: Vec::new(),
            receipts: Vec::new(),
            invoices: Vec::new(),
        }
    }

    /// Whether everything was received, billed and posted.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.in_odoo.is_some()
            && self
                .lines
                .iter()
                .all(|line| line.received >= line.ordered && line.invoiced == line.received)
            && self.invoices.iter().all(|invoice| invoice.bill.is_some())
    }

    fn line(&self, line_no: &Code) -> Result<&Line, Exception> {
        self.lines
            .iter()
            .find(|line| line.line_no == *line_no)
            .ok_or_else(|| {
                Exception::new(
                    ExceptionCode::UnknownLine,
                    format!("order {} has no line {line_no}", self.number),
                )
            })
    }

    /// What an acknowledgement changes.
    ///
    /// # Errors
    /// `UNKNOWN_LINE`; `ACKNOWLEDGEMENT_DIFFERS` when the supplier does not accept as ordered.
    pub fn acknowledge(&self, fact: &PoAcknowledged) -> Result<AcknowledgementPlan, Exception> {
        let mut promised = Vec::new();
        for answer in &fact.lines {
            let line = self.line(&answer.line_no)?;
            let differs = |what: String| {
                Exception::new(
                    ExceptionCode::AcknowledgementDiffers,
                    format!(
                        "acknowledgement {} of line {}: {what}",
                        fact.ack_number, line.line_no
                    ),
                )
            };
            if let Some(quantity) = answer.qty.filter(|quantity| *quantity != line.ordered) {
                return Err(differs(format!(
                    "quantity {quantity} instead of {}",
                    line.ordered
                )));
            }
            if let Some(price) = answer.price.filter(|price| *price != line.unit_price) {
                return Err(differs(format!(
                    "price {price} instead of {}",
                    line.unit_price
                )));
            }
            match answer.status {
                AckStatus::Accepted | AckStatus::AcceptedChanged => {}
                AckStatus::Backordered => return Err(differs("back-ordered".into())),
                AckStatus::Substituted => return Err(differs("another item instead".into())),
                AckStatus::Pending => return Err(differs("not yet decided".into())),
                AckStatus::Rejected => return Err(differs("rejected".into())),
            }
            if let Some(date) = answer.promised_date {
                promised.push((line.line_no.clone(), date));
            }
        }
        Ok(AcknowledgementPlan {
            reference: fact.ack_number.clone(),
            promised,
        })
    }

    /// The order after an acknowledgement took effect.
    pub fn apply_acknowledgement(&mut self, plan: &AcknowledgementPlan) {
        for (line_no, date) in &plan.promised {
            for line in self
                .lines
                .iter_mut()
                .filter(|line| line.line_no == *line_no)
            {
                line.promised_date = Some(*date);
            }
        }
        self.acknowledgements.push(plan.reference.clone());
    }

    /// What a receipt books.
    ///
    /// # Errors
    /// `UNKNOWN_LINE`; `LINE_DIFFERS` for another item or unit; `OVER_RECEIPT` beyond what is open.
    pub fn receive(&self, fact: &ReceiptPosted) -> Result<ReceiptPlan, Exception> {
        let mut lines = Vec::new();
        for came in &fact.lines {
            let line = self.line(&came.line_no)?;
            self.same_code(line, "item", &line.item, came.item_id.as_ref())?;
            self.same_code(line, "unit", &line.uom, came.uom.as_ref())?;
            if line.received + came.qty_received > line.ordered {
                return Err(Exception::new(
                    ExceptionCode::OverReceipt,
                    format!(
                        "receipt {} of line {}: {} came, but of {} ordered only {} are open",
                        fact.receipt_number,
                        line.line_no,
                        came.qty_received,
                        line.ordered,
                        line.ordered - line.received
                    ),
                ));
            }
            lines.push(ReceiptPlanLine {
                line_no: line.line_no.clone(),
                odoo_line: line.odoo_line.unwrap_or_default(),
                quantity: came.qty_received,
                received_before: line.received,
            });
        }
        Ok(ReceiptPlan {
            number: fact.receipt_number.clone(),
            open_receipt: self
                .in_odoo
                .as_ref()
                .and_then(|order| order.open_receipt.clone()),
            lines,
        })
    }

    /// The order after a receipt was booked; what Odoo opened for the rest comes with it.
    pub fn apply_receipt(&mut self, plan: &ReceiptPlan, picking: i64, rest: Option<OpenReceipt>) {
        for booked in &plan.lines {
            for line in self
                .lines
                .iter_mut()
                .filter(|line| line.line_no == booked.line_no)
            {
                // Absolute, from the plan: applying it again changes nothing.
                line.received = booked.received_before + booked.quantity;
            }
        }
        self.receipts.push(AppliedReceipt {
            number: plan.number.clone(),
            picking,
        });
        if let Some(order) = &mut self.in_odoo {
            order.open_receipt = rest;
        }
    }

    fn same_code(
        &self,
        line: &Line,
        what: &str,
        ours: &Code,
        theirs: Option<&Code>,
    ) -> Result<(), Exception> {
        match theirs {
            Some(theirs) if theirs != ours => Err(Exception::new(
                ExceptionCode::LineDiffers,
                format!(
                    "line {} of order {} has {what} {ours}, not {theirs}",
                    line.line_no, self.number
                ),
            )),
            Some(_) | None => Ok(()),
        }
    }
}
