//! A purchase order from its creation to its last posted bill.
//!
//! Facts come in any order and any number of times; each is applied once, and what holds afterwards does
//! not depend on the order in which they came.
//!
//! ```text
//! goods:    came -> stocked | held -> stocked | rejected -> stocked | scrapped | returned
//!           stocked, held or rejected -> reversed (they never came) | returned
//! payable:  stocked, and nothing else
//! invoices: matched (counted) -> posted; credit notes take off
//! closed:   nothing expected, nothing held, what is payable is billed and posted
//! ```

mod acknowledge;
mod cancel;
mod change;
mod invoice;
mod line;
mod matched;
mod next;
mod quality;
mod receive;

pub use acknowledge::AmendPlan;
pub use cancel::{CancelPlan, CreditPlan};
pub use invoice::{
    AppliedInvoice, ExtraLine, ForeignLine, ForeignPart, PaidLine, Payable, PostedBill,
};
pub use line::{
    Amendment, AmendmentKey, Billed, Expected, Goods, GoodsMove, Line, Meant, Party, Place, Terms,
};
pub use next::{Next, Step, next};
pub use receive::{GoodsPart, OpenMove, OpenReceipt, ReceiptPlan, ReceiptPlanLine};

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::decimal::{Amount, Quantity};
use crate::exception::{Code as ExceptionCode, Exception};
use crate::fact::{AsnLine, Charge, Code, Currency, Day, Owner, PoCreated, PoLine, is_false};
use crate::plant::Plant;

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
    /// Whose it is: who alone may change it.
    #[serde(default, skip_serializing_if = "Owner::is_plant")]
    pub owner: Owner,
    /// Its lines; stored apart from the rest, because an order may have a thousand.
    #[serde(skip)]
    pub lines: Vec<Line>,
    /// Charges that were agreed for the whole order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub charges: Vec<Charge>,
    /// The order in Odoo, once it is confirmed there.
    pub in_odoo: Option<InOdoo>,
    /// The highest revision that was taken up.
    #[serde(default)]
    pub revision: u32,
    /// Acknowledgements that were applied, by number.
    pub acknowledgements: BTreeSet<Code>,
    /// Whether the supplier has answered, nothing of it pending.
    #[serde(default, skip_serializing_if = "is_false")]
    pub acknowledged: bool,
    /// Until when the supplier should answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_due_at: Option<Timestamp>,
    /// Whether the buyer was told that it has not.
    #[serde(default, skip_serializing_if = "is_false")]
    pub told_overdue: bool,
    /// Shipments that were announced.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shipments: Vec<Shipment>,
    /// Receipts that were applied.
    pub receipts: Vec<AppliedReceipt>,
    /// Nonconformances that were opened.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nonconformances: Vec<Nonconformance>,
    /// Goods that were inspected without having been held.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inspected_in_stock: Vec<InspectedInStock>,
    /// Invoices and credit notes that were matched or posted.
    pub invoices: Vec<AppliedInvoice>,
    /// Lines of other orders that an invoice of this one waits for, or waited.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub foreign_parts: Vec<ForeignPart>,
    /// Counts what a waiting fact may have waited for.
    #[serde(default)]
    pub changes: u64,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closing: Option<Closing>,
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
    /// Whether it is cancelled there, by us.
    #[serde(default, skip_serializing_if = "is_false")]
    pub cancelled: bool,
}

/// A shipment that the supplier announced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shipment {
    /// The supplier's number of it.
    pub number: Code,
    /// When it should arrive.
    pub eta: Option<Day>,
    /// What is in it for this order.
    pub lines: Vec<AsnLine>,
    /// Whether it does not come.
    #[serde(default, skip_serializing_if = "is_false")]
    pub cancelled: bool,
}

/// A receipt that is booked in Odoo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppliedReceipt {
    /// The plant's receipt number.
    pub number: Code,
    /// The shipment that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipment: Option<Code>,
    /// The picking that was validated for it; none when nothing new came.
    pub picking: Option<i64>,
}

/// Goods that were rejected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nonconformance {
    /// Its number.
    pub id: Code,
    /// The order's line.
    pub line_no: Code,
    /// The receipt, when it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Code>,
    /// The lot, when it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lot: Option<Code>,
    /// What is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub defect: Option<Code>,
    /// How much waits for a disposition.
    pub open: Quantity,
    /// Whether somebody decided that it stays as it is.
    #[serde(default, skip_serializing_if = "is_false")]
    pub left: bool,
}

/// Goods that were inspected while they lay in stock: a hold of them that happened before has had its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InspectedInStock {
    /// The inspection.
    pub inspection: Code,
    /// The order's line.
    pub line_no: Code,
    /// The receipt, when it was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Code>,
    /// The lot, when it was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lot: Option<Code>,
    /// How much of it no hold has been reported for.
    pub quantity: Quantity,
    /// When it was inspected.
    pub at: Timestamp,
}

/// How an order ended: the sums over its lines, each in its own unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    /// Whether everything came, or less and that was all.
    pub reason: Ended,
    /// Line by line.
    pub lines: Vec<LineSummary>,
    /// What was billed, before tax and without charges.
    pub billed_net: Amount,
    /// Bills and credit notes that are posted.
    pub bills: usize,
}

/// Why an order ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Ended {
    /// Everything came.
    Complete,
    /// Less came, and that was all.
    ShortClosed,
    /// It was cancelled, or refused by the supplier, before anything came.
    Cancelled,
}

/// What became of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineSummary {
    /// The line.
    pub line_no: Code,
    /// How much was ordered.
    pub ordered: Quantity,
    /// How much came.
    pub received: Quantity,
    /// How much of it is in stock.
    pub stocked: Quantity,
    /// How much of it was rejected: returned, scrapped or left.
    pub rejected: Quantity,
    /// How much was billed.
    pub billed: Quantity,
    /// How much is open: nothing, for a closed order.
    pub open: Quantity,
}

/// What a plan is made of beside the order and the fact.
#[derive(Debug, Clone, Copy)]
pub struct Taken<'a> {
    /// The plant's configuration.
    pub plant: &'a Plant,
    /// Position of the fact in the mailbox.
    pub sequence: u64,
    /// When it happened at the plant.
    pub happened_at: Timestamp,
    /// When it was stored.
    pub received_at: Timestamp,
    /// What a person has accepted of it.
    pub accepted: &'a BTreeSet<ExceptionCode>,
}

impl Taken<'_> {
    /// Whether a person has decided that it is applied all the same.
    #[must_use]
    pub fn is_accepted(&self, code: ExceptionCode) -> bool {
        self.accepted.contains(&code)
    }
}

/// Why a fact is not applied now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// A person decides; other facts go on.
    Raise(Exception),
    /// Another fact has to come first.
    Wait {
        /// What it waits for.
        reason: String,
        /// The exception that it becomes when it has waited too long.
        becomes: ExceptionCode,
    },
}

impl From<Exception> for Refusal {
    fn from(exception: Exception) -> Self {
        Self::Raise(exception)
    }
}

/// A state of the order that a person should know of, and that ends by a later fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Line or nonconformance.
    pub subject: String,
    /// The exception.
    pub exception: Exception,
}

impl PurchaseOrder {
    /// The order that a plant reports.
    #[must_use]
    pub fn created(fact: &PoCreated, plant: &Plant, received_at: Timestamp) -> Self {
        let due = jiff::SignedDuration::from_hours(i64::from(plant.due.acknowledgement_hours));
        Self {
            number: fact.po_number.clone(),
            supplier: fact.supplier_id.clone(),
            currency: fact.currency.clone(),
            order_date: fact.order_date,
            owner: fact.owner,
            lines: fact
                .lines
                .iter()
                .map(|line| new_line(line, plant))
                .collect(),
            charges: fact.charges.clone(),
            in_odoo: None,
            revision: 0,
            acknowledgements: BTreeSet::new(),
            acknowledged: false,
            answer_due_at: Some(received_at + due),
            told_overdue: false,
            shipments: Vec::new(),
            receipts: Vec::new(),
            nonconformances: Vec::new(),
            inspected_in_stock: Vec::new(),
            invoices: Vec::new(),
            foreign_parts: Vec::new(),
            changes: 0,
            closing: None,
        }
    }

    /// Whether nothing is expected, held or undecided, and everything payable is billed and posted.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.in_odoo.is_some()
            && self.lines.iter().all(Line::is_complete)
            && self.invoices.iter().all(|invoice| invoice.bill.is_some())
            && self
                .nonconformances
                .iter()
                .all(|one| one.left || one.open.is_zero())
    }

    /// Whether goods came that are still here, or a bill exists: what cancelling would have to undo.
    #[must_use]
    pub fn has_effects(&self) -> bool {
        !self.invoices.is_empty() || self.lines.iter().any(|line| line.kept().is_positive())
    }

    /// What a person should know of now.
    #[must_use]
    pub fn conditions(&self) -> Vec<Condition> {
        let rejected = self
            .nonconformances
            .iter()
            .filter(|one| !one.left && one.open.is_positive());
        let rejected = rejected.map(|one| Condition {
            subject: one.id.to_string(),
            exception: Exception::new(
                ExceptionCode::Nonconformance,
                format!(
                    "{} of line {} of order {} rejected{}: nobody has decided yet what becomes of it (nonconformance {})",
                    one.open,
                    one.line_no,
                    self.number,
                    one.defect.as_ref().map_or_else(String::new, |code| format!(" ({code})")),
                    one.id
                ),
            ),
        });
        let overbilled = self.lines.iter().filter(|line| {
            !line.service
                && line.invoiced() > line.payable()
                && !line.credit_waived
                // While goods are expected or held, they may still come to be payable.
                && line.open() <= line.may_miss
                && line.at(Place::Held).is_zero()
        });
        let overbilled = overbilled.map(|line| {
            let over = line.invoiced() - line.payable();
            let mut exception = Exception::new(
                ExceptionCode::CreditDue,
                format!(
                    "line {} of order {}: {} billed, {} may be paid; a credit note over {over} is due",
                    line.line_no,
                    self.number,
                    line.invoiced(),
                    line.payable()
                ),
            );
            exception.amount_at_risk = Some(over.times(line.unit_price));
            Condition {
                subject: line.line_no.to_string(),
                exception,
            }
        });
        rejected.chain(overbilled).chain(self.refused()).collect()
    }

    /// What the supplier refuses and the buyer does not know of: line by line, or the order as a whole.
    fn refused(&self) -> Vec<Condition> {
        let condition = |subject: &Code, what: String| Condition {
            subject: subject.to_string(),
            exception: Exception::new(
                ExceptionCode::LineRefused,
                format!("the supplier refuses {what}: it is cancelled"),
            ),
        };
        if self.lines.iter().all(Line::is_refused_unseen) {
            let what = format!("order {}", self.number);
            return vec![condition(&self.number, what)];
        }
        let refused = self.lines.iter().filter(|line| line.is_refused_unseen());
        let refused = refused.map(|line| {
            let what = format!(
                "line {} of order {}, {} {} of item {}",
                line.line_no, self.number, line.ordered, line.uom, line.item
            );
            condition(&line.line_no, what)
        });
        refused.collect()
    }

    /// How the order ended.
    #[must_use]
    pub fn summary(&self) -> Closing {
        let nothing_came = self.lines.iter().all(|line| line.came().is_zero());
        let all_cancelled = self.lines.iter().all(|line| line.cancelled);
        let short = self
            .lines
            .iter()
            .any(|line| line.cancelled || line.kept() + line.may_miss < line.ordered);
        Closing {
            reason: if nothing_came && all_cancelled {
                Ended::Cancelled
            } else if short {
                Ended::ShortClosed
            } else {
                Ended::Complete
            },
            lines: self
                .lines
                .iter()
                .map(|line| LineSummary {
                    line_no: line.line_no.clone(),
                    ordered: line.ordered,
                    received: line.received(),
                    stocked: line.at(Place::Stocked),
                    rejected: line.at(Place::Returned)
                        + line.at(Place::Scrapped)
                        + line.at(Place::Rejected),
                    billed: line.invoiced(),
                    open: line.open(),
                })
                .collect(),
            billed_net: self.lines.iter().map(Line::invoiced_net).sum(),
            bills: self.invoices.len(),
        }
    }

    /// The line with this number.
    ///
    /// # Errors
    /// `UNKNOWN_LINE`.
    pub fn line(&self, line_no: &Code) -> Result<&Line, Exception> {
        self.lines
            .iter()
            .find(|line| line.line_no == *line_no)
            .ok_or_else(|| {
                let known: Vec<&str> = self
                    .lines
                    .iter()
                    .take(20)
                    .map(|line| line.line_no.as_str())
                    .collect();
                Exception::new(
                    ExceptionCode::UnknownLine,
                    format!(
                        "order {} has no line {line_no}; it has {}",
                        self.number,
                        known.join(", ")
                    ),
                )
            })
    }

    /// Refuses what somebody says about an order that is not theirs.
    fn is_theirs(&self, whose: Owner) -> Result<(), Exception> {
        if self.owner == whose {
            return Ok(());
        }
        Err(Exception::new(
            ExceptionCode::ChangeRefused,
            match self.owner {
                Owner::Odoo => format!(
                    "order {} was made in Odoo, and is changed and cancelled there; then skip this fact",
                    self.number
                ),
                Owner::Plant => format!(
                    "order {} is the plant's, and is not changed by what people write into it in Odoo",
                    self.number
                ),
            },
        ))
    }

    fn same_item(&self, line: &Line, theirs: Option<&Code>) -> Result<(), Exception> {
        match theirs {
            Some(theirs) if *theirs != line.item => Err(Exception::new(
                ExceptionCode::LineDiffers,
                format!(
                    "line {} of order {} has item {}, not {theirs}",
                    line.line_no, self.number, line.item
                ),
            )),
            Some(_) | None => Ok(()),
        }
    }

    /// The order after goods went from one place to another.
    pub fn apply_moves(&mut self, moves: &[GoodsMove]) {
        for of in moves {
            for line in self
                .lines
                .iter_mut()
                .filter(|line| line.line_no == of.line_no)
            {
                line.shift(of);
            }
        }
        self.changes += 1;
    }
}

fn new_line(line: &PoLine, plant: &Plant) -> Line {
    Line {
        line_no: line.line_no.clone(),
        item: line.item_id.clone(),
        uom: line.uom.clone(),
        tax_code: line.tax_code.clone(),
        ordered: line.qty,
        unit_price: line.unit_price,
        need_date: line.need_date,
        promised_date: None,
        cancelled: false,
        refusal_seen: false,
        short_closed: false,
        may_miss: plant.receipts.under(&line.uom, line.qty),
        first: Terms {
            quantity: line.qty,
            unit_price: line.unit_price,
            need_date: line.need_date,
        },
        amendments: std::collections::BTreeMap::new(),
        goods: Vec::new(),
        cumulative: Quantity::ZERO,
        billed: Vec::new(),
        service: plant.matching.services.contains(line.item_id.as_str()),
        credit_waived: false,
        odoo_line: line.odoo_line,
        expected_in_odoo: None,
    }
}
