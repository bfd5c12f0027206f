//! What cancelling an order does, before and after it has had effects.

use serde::{Deserialize, Serialize};

use super::{
    Amendment, AmendmentKey, GoodsMove, Meant, PaidLine, Party, Place, PurchaseOrder, Refusal,
    Taken,
};
use crate::decimal::Amount;
use crate::exception::{Code as ExceptionCode, Exception};
use crate::fact::{CancelledGoods, Code, InvoiceKind, PoCancelled};

/// What a cancellation does, decided and, where something has to be undone, approved before the first call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelPlan {
    /// Its place in the order of the business.
    pub key: AmendmentKey,
    /// Lines that are taken back.
    pub lines: Vec<Code>,
    /// Whether the order as a whole ends in Odoo: it has no effects and all of it is cancelled.
    pub whole: bool,
    /// Goods that go back to the supplier.
    pub returned: Vec<GoodsMove>,
    /// Bills that are credited.
    pub credits: Vec<CreditPlan>,
    /// Revision of the order after it, when it has one.
    #[serde(default)]
    pub revision: u32,
}

/// A posted bill that is credited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreditPlan {
    /// Position of the invoice's fact in the mailbox.
    pub sequence: u64,
    /// The invoice's number.
    pub number: Code,
    /// The bill's total, for people.
    pub total: Amount,
    /// What is taken off, by line.
    pub lines: Vec<PaidLine>,
}

impl PurchaseOrder {
    /// What a cancellation does.
    ///
    /// # Errors
    /// `UNKNOWN_LINE`; `COMPENSATION` with the plan in words when there is something to undo and nobody has
    /// approved it yet; `CHANGE_REFUSED` while an invoice is on its way to the books, and when the order is
    /// not the sender's.
    pub fn cancel(&self, fact: &PoCancelled, taken: &Taken<'_>) -> Result<CancelPlan, Refusal> {
        self.is_theirs(fact.owner)?;
        let mut lines = Vec::new();
        for line_no in &fact.lines {
            lines.push(self.line(line_no)?);
        }
        if lines.is_empty() {
            lines.extend(&self.lines);
        }
        let open: Vec<&Code> = self
            .invoices
            .iter()
            .filter(|invoice| invoice.bill.is_none())
            .map(|invoice| &invoice.number)
            .collect();
        if let Some(number) = open.first() {
            return Err(Refusal::Wait {
                reason: format!(
                    "invoice {number} is being posted; the order is cancelled afterwards"
                ),
                becomes: ExceptionCode::ChangeRefused,
            });
        }
        let mut plan = CancelPlan {
            key: AmendmentKey {
                revision: u32::MAX,
                by: Party::Plant,
                at: taken.happened_at,
                number: fact.po_number.clone(),
            },
            lines: lines.iter().map(|line| line.line_no.clone()).collect(),
            whole: fact.lines.is_empty() && !self.has_effects(),
            returned: Vec::new(),
            credits: Vec::new(),
            revision: fact.po_revision.map_or(0, |revision| revision.0),
        };
        let mut steps = Vec::new();
        for line in &lines {
            let goods = line.kept() - line.at(Place::Scrapped);
            if line.open().is_positive() && line.kept().is_positive() {
                steps.push(format!(
                    "close line {} short: {} of {} are not expected any more",
                    line.line_no,
                    line.open(),
                    line.ordered
                ));
            }
            if fact.goods == CancelledGoods::Return && goods.is_positive() {
                let places = [Place::Rejected, Place::Held, Place::Stocked];
                let moves = line.take(&places, Place::Returned, goods, Meant::default());
                plan.returned.extend(moves.unwrap_or_default());
                steps.push(format!(
                    "return {goods} {} of line {} to the supplier",
                    line.uom, line.line_no
                ));
            } else if goods.is_positive() {
                steps.push(format!(
                    "keep {goods} {} of line {}, to be paid as far as they are in stock",
                    line.uom, line.line_no
                ));
            }
        }
        if fact.goods == CancelledGoods::Return {
            for invoice in self
                .invoices
                .iter()
                .filter(|invoice| invoice.kind == InvoiceKind::Invoice)
            {
                let mut paid = self.paid_lines(invoice.sequence);
                paid.retain(|paid| plan.lines.contains(&paid.line_no));
                if paid.is_empty() {
                    continue;
                }
                let net: Amount = paid.iter().map(|paid| paid.net).sum();
                steps.push(format!(
                    "credit bill {} of invoice {}: {net} {} before tax",
                    invoice.bill.as_ref().map_or("", |bill| bill.name.as_str()),
                    invoice.number,
                    self.currency.as_str()
                ));
                plan.credits.push(CreditPlan {
                    sequence: invoice.sequence,
                    number: invoice.number.clone(),
                    total: net,
                    lines: paid,
                });
            }
        }
        if !steps.is_empty() && !taken.is_accepted(ExceptionCode::Compensation) {
            let mut exception = Exception::new(
                ExceptionCode::Compensation,
                format!(
                    "order {} is to be cancelled ({}) after goods came or bills were posted. To be done: {}",
                    self.number,
                    fact.reason,
                    steps.join("; ")
                ),
            );
            exception.amount_at_risk = Some(
                plan.credits
                    .iter()
                    .map(|credit| credit.total)
                    .sum::<Amount>(),
            )
            .filter(|amount| !amount.is_zero());
            return Err(exception.into());
        }
        Ok(plan)
    }

    /// The order after a cancellation.
    pub fn apply_cancellation(&mut self, plan: &CancelPlan) {
        for line in &mut self.lines {
            if plan.lines.contains(&line.line_no) {
                line.amend(
                    plan.key.clone(),
                    Amendment {
                        cancelled: true,
                        ..Amendment::default()
                    },
                );
            }
        }
        self.revision = self.revision.max(plan.revision);
        if plan.whole
            && let Some(order) = &mut self.in_odoo
        {
            order.cancelled = true;
            order.open_receipt = None;
        }
        self.apply_moves(&plan.returned);
    }

    /// Whether every line was taken back or refused before anything of the order came.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        !self.has_effects() && self.lines.iter().all(|line| line.cancelled)
    }
}
