//! What a receipt books, and what its reversal takes back.

use serde::{Deserialize, Serialize};

use super::{AppliedReceipt, GoodsMove, Line, Meant, Place, PurchaseOrder, Refusal, Taken};
use crate::decimal::Quantity;
use crate::exception::{Code as ExceptionCode, Exception};
use crate::fact::{Code, Day, LotQuantity, ReceiptLine, ReceiptPosted, ReceiptReversed, is_false};

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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenMove {
    /// The order line.
    pub order_line: i64,
    /// The stock move.
    pub stock_move: i64,
    /// The move's unit.
    pub unit: i64,
    /// The item.
    pub product: i64,
    /// Whether it is not tracked by lot or serial number.
    #[serde(default, skip_serializing_if = "is_false")]
    pub untracked: bool,
    /// Its lines.
    pub lines: Vec<i64>,
}

/// What a receipt books in Odoo, decided before the first call and stored, so that a repeat books the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptPlan {
    /// The plant's receipt number.
    pub number: Code,
    /// The shipment that it names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipment: Option<Code>,
    /// The picking that is going to be validated; another one is chosen only by reading Odoo anew.
    pub open_receipt: Option<OpenReceipt>,
    /// What came, by line; empty when a cumulative receipt says nothing new.
    pub lines: Vec<ReceiptPlanLine>,
    /// Totals that a cumulative receipt reports, by line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub totals: Vec<(Code, Quantity)>,
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
    /// How much Odoo counted as received before.
    pub received_before: Quantity,
    /// By lot, and by where it is put.
    pub parts: Vec<GoodsPart>,
}

/// Goods of one lot that are put in one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoodsPart {
    /// The lot or serial number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lot: Option<Code>,
    /// Until when it may be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiry: Option<Day>,
    /// How much.
    pub quantity: Quantity,
    /// Whether it waits for an inspection.
    pub held: bool,
}

/// What the condition of goods means, X12 element 412.
enum Condition {
    Good,
    InQuestion,
    NeedsNotice,
    NoticeRequired,
}

impl PurchaseOrder {
    /// What a receipt books.
    ///
    /// # Errors
    /// `UNKNOWN_LINE`, `LINE_DIFFERS`, `UNIT_CONVERSION`, `UNKNOWN_CODE`, `OVER_RECEIPT`,
    /// `CUMULATIVE_DECREASED`, `ASN_REQUIRED`; waits for the advance ship notice that the goods need.
    pub fn receive(&self, fact: &ReceiptPosted, taken: &Taken<'_>) -> Result<ReceiptPlan, Refusal> {
        let mut lines = Vec::new();
        let mut totals = Vec::new();
        for came in &fact.lines {
            let line = self.line(&came.line_no)?;
            self.same_item(line, came.item_id.as_ref())?;
            let held = self.looked_at(fact, came, line, taken)?;
            let unit = came.uom.as_ref().unwrap_or(&line.uom);
            let convert = |quantity| taken.plant.convert(&line.item, quantity, unit, &line.uom);
            let mut quantity = convert(came.qty_received)?;
            if fact.cumulative {
                totals.push((line.line_no.clone(), quantity));
                match self.delta(fact, line, quantity)? {
                    Some(new) => quantity = new,
                    None => continue,
                }
            }
            self.not_too_much(fact, line, quantity, taken)?;
            let odoo_line = line.odoo_line.ok_or_else(|| {
                Exception::new(
                    ExceptionCode::OrderDiffers,
                    format!(
                        "line {} of order {} is not in Odoo",
                        line.line_no, self.number
                    ),
                )
            })?;
            let mut in_question = match came.qty_in_question {
                _ if held => quantity,
                Some(in_question) => convert(in_question)?.min(quantity),
                None => Quantity::ZERO,
            };
            let mut parts = Vec::new();
            for (lot, expiry, of_lot) in self.lots(fact, came, quantity) {
                let of_lot = if lot.is_some() {
                    convert(of_lot)?
                } else {
                    of_lot
                };
                let kept_back = of_lot.min(in_question);
                in_question = in_question - kept_back;
                for (part, held) in [(of_lot - kept_back, false), (kept_back, true)] {
                    if part.is_positive() {
                        parts.push(GoodsPart {
                            lot: lot.clone(),
                            expiry,
                            quantity: part,
                            held,
                        });
                    }
                }
            }
            lines.push(ReceiptPlanLine {
                line_no: line.line_no.clone(),
                odoo_line,
                quantity,
                received_before: line.kept(),
                parts,
            });
        }
        Ok(ReceiptPlan {
            number: fact.receipt_number.clone(),
            shipment: fact.asn_number.clone(),
            open_receipt: self
                .in_odoo
                .as_ref()
                .and_then(|order| order.open_receipt.clone()),
            lines,
            totals,
        })
    }

    /// Whether all of a line waits for an inspection.
    fn looked_at(
        &self,
        fact: &ReceiptPosted,
        came: &ReceiptLine,
        line: &Line,
        taken: &Taken<'_>,
    ) -> Result<bool, Refusal> {
        let announced = || {
            self.shipments.iter().any(|shipment| {
                !shipment.cancelled
                    && fact
                        .asn_number
                        .as_ref()
                        .is_none_or(|number| *number == shipment.number)
                    && shipment.lines.iter().any(|one| one.line_no == line.line_no)
            })
        };
        let condition = match &came.condition_code {
            Some(code) => condition(code)?,
            None => Condition::Good,
        };
        let in_question = match condition {
            Condition::Good => false,
            // Where the plant says how much is in question, only that is held.
            Condition::InQuestion => came.qty_in_question.is_none(),
            Condition::NeedsNotice | Condition::NoticeRequired
                if announced() || taken.is_accepted(ExceptionCode::AsnRequired) =>
            {
                false
            }
            Condition::NeedsNotice => {
                return Err(Refusal::Wait {
                    reason: format!(
                        "receipt {} line {}: no advance ship notice has come for these goods",
                        fact.receipt_number, line.line_no
                    ),
                    becomes: ExceptionCode::AsnRequired,
                });
            }
            Condition::NoticeRequired => {
                return Err(Exception::new(
                    ExceptionCode::AsnRequired,
                    format!(
                        "receipt {} line {}: the goods were not taken in, because no advance ship notice came for them",
                        fact.receipt_number, line.line_no
                    ),
                )
                .into());
            }
        };
        Ok(in_question
            || came.to_quality
            || taken.plant.receipts.inspects(&self.supplier, &line.item))
    }

    /// What a cumulative receipt adds to what cumulative receipts have reported; none when it is older news.
    fn delta(
        &self,
        fact: &ReceiptPosted,
        line: &Line,
        total: Quantity,
    ) -> Result<Option<Quantity>, Refusal> {
        if total < line.cumulative {
            return Err(Exception::new(
                ExceptionCode::CumulativeDecreased,
                format!(
                    "receipt {} line {}: {total} in all, but {} were reported before",
                    fact.receipt_number, line.line_no, line.cumulative
                ),
            )
            .into());
        }
        let new = total - line.cumulative;
        Ok(new.is_positive().then_some(new))
    }

    fn not_too_much(
        &self,
        fact: &ReceiptPosted,
        line: &Line,
        quantity: Quantity,
        taken: &Taken<'_>,
    ) -> Result<(), Refusal> {
        let more = taken.plant.receipts.over(&line.uom, line.ordered);
        // What comes after the plant has closed the line short was only reported late.
        let most = if line.cancelled {
            line.kept()
        } else {
            line.ordered + more
        };
        if line.kept() + quantity <= most || taken.is_accepted(ExceptionCode::OverReceipt) {
            return Ok(());
        }
        let mut exception = Exception::new(
            ExceptionCode::OverReceipt,
            format!(
                "receipt {} line {}: {quantity} came after {}, but {}",
                fact.receipt_number,
                line.line_no,
                line.kept(),
                if line.cancelled {
                    "the line was cancelled".to_owned()
                } else {
                    format!("{} are ordered (tolerance {more})", line.ordered)
                }
            ),
        );
        exception.amount_at_risk = Some((line.kept() + quantity - most).times(line.unit_price));
        Err(exception.into())
    }

    /// Lots of a line with their quantities as they were sent; the shipment's when the receipt names none.
    fn lots(
        &self,
        fact: &ReceiptPosted,
        came: &ReceiptLine,
        quantity: Quantity,
    ) -> Vec<(Option<Code>, Option<Day>, Quantity)> {
        let list = |lots: &[LotQuantity], serials: &[Code]| -> Vec<_> {
            let lots = lots
                .iter()
                .map(|lot| (Some(lot.lot_id.clone()), lot.expiry, lot.qty));
            let serials = serials
                .iter()
                .map(|serial| (Some(serial.clone()), None, Quantity::count(1)));
            lots.chain(serials).collect()
        };
        let own = list(&came.lots, &came.serials);
        if !own.is_empty() {
            return own;
        }
        let announced = self
            .shipments
            .iter()
            .filter(|shipment| Some(&shipment.number) == fact.asn_number.as_ref())
            .flat_map(|shipment| &shipment.lines)
            // Only when the same quantity came: else nobody knows which lot is missing.
            .find(|one| {
                one.line_no == came.line_no && one.qty == came.qty_received && one.uom == came.uom
            });
        let announced = announced.map_or_else(Vec::new, |one| list(&one.lots, &one.serials));
        if announced.is_empty() {
            vec![(None, None, quantity)]
        } else {
            announced
        }
    }

    /// The order after a receipt was booked, with what is open in Odoo now.
    pub fn apply_receipt(
        &mut self,
        plan: &ReceiptPlan,
        picking: Option<i64>,
        rest: Option<OpenReceipt>,
    ) {
        for booked in &plan.lines {
            for line in self
                .lines
                .iter_mut()
                .filter(|line| line.line_no == booked.line_no)
            {
                for part in &booked.parts {
                    let place = if part.held {
                        Place::Held
                    } else {
                        Place::Stocked
                    };
                    line.put(&plan.number, part.lot.as_ref(), place, part.quantity);
                }
            }
        }
        for (line_no, total) in &plan.totals {
            for line in self
                .lines
                .iter_mut()
                .filter(|line| line.line_no == *line_no)
            {
                line.cumulative = line.cumulative.max(*total);
            }
        }
        self.receipts.push(AppliedReceipt {
            number: plan.number.clone(),
            shipment: plan.shipment.clone(),
            picking,
        });
        if let Some(order) = &mut self.in_odoo
            && picking.is_some()
        {
            order.open_receipt = rest;
        }
        self.changes += 1;
    }

    /// What a reversal takes back.
    ///
    /// # Errors
    /// Waits for the receipt; `UNKNOWN_LINE`, `REVERSAL_EXCEEDS`.
    pub fn reverse(&self, fact: &ReceiptReversed) -> Result<Vec<GoodsMove>, Refusal> {
        if !self
            .receipts
            .iter()
            .any(|receipt| receipt.number == fact.receipt_number)
        {
            return Err(Refusal::Wait {
                reason: format!(
                    "receipt {} is reversed before it has come",
                    fact.receipt_number
                ),
                becomes: ExceptionCode::PredecessorOverdue,
            });
        }
        let of = Meant {
            receipt: Some(&fact.receipt_number),
            lot: None,
        };
        let places = [Place::Stocked, Place::Held, Place::Rejected];
        let mut moves = Vec::new();
        let exceeds = |line: &Line, wanted: Quantity| {
            Exception::new(
                ExceptionCode::ReversalExceeds,
                format!(
                    "{wanted} of receipt {} line {} are to be reversed, but fewer are left of it in stock or on hold",
                    fact.receipt_number, line.line_no
                ),
            )
        };
        if fact.lines.is_empty() {
            for line in &self.lines {
                let came = line
                    .goods
                    .iter()
                    .filter(|goods| goods.receipt == fact.receipt_number);
                let came: Quantity = came
                    .flat_map(|goods| Place::ALL.map(|place| goods.at(place)))
                    .sum();
                moves.extend(
                    line.take(&places, Place::Reversed, came, of)
                        .ok_or_else(|| exceeds(line, came))?,
                );
            }
        } else {
            for reversed in &fact.lines {
                let line = self.line(&reversed.line_no)?;
                moves.extend(
                    line.take(&places, Place::Reversed, reversed.qty, of)
                        .ok_or_else(|| exceeds(line, reversed.qty))?,
                );
            }
        }
        Ok(moves)
    }

    /// A quantity of a line in the unit of Odoo's receipts.
    ///
    /// # Errors
    /// `UNIT_CONVERSION` when it would have to be rounded.
    pub fn in_receipt_unit(line: &Line, quantity: Quantity) -> Result<Quantity, Exception> {
        match line.expected_in_odoo {
            None => Ok(quantity),
            Some(expected) => expected.in_receipt_unit(quantity).ok_or_else(|| {
                Exception::new(
                    ExceptionCode::UnitConversion,
                    format!(
                        "{quantity} {} of line {} cannot be given in the unit of Odoo's receipt without rounding",
                        line.uom, line.line_no
                    ),
                )
            }),
        }
    }

    /// Sets how Odoo counts a line's goods, from what it expects for the quantity that it has as ordered.
    pub fn expects(line: &mut Line, ordered: Quantity, in_receipt: Quantity) {
        line.expected_in_odoo =
            (in_receipt != ordered && in_receipt.is_positive()).then_some(super::Expected {
                ordered,
                in_receipt,
            });
    }
}

fn condition(code: &Code) -> Result<Condition, Exception> {
    match code.as_str() {
        // Of what was over and returned (12) the quantity says what stayed.
        "02" | "03" | "07" | "12" | "14" => Ok(Condition::Good),
        "01" | "04" | "05" | "08" | "09" | "10" => Ok(Condition::InQuestion),
        "13" => Ok(Condition::NeedsNotice),
        "16" => Ok(Condition::NoticeRequired),
        other => Err(Exception::new(
            ExceptionCode::UnknownCode,
            format!(
                "the condition code `{other}` is not one of X12 element 412 that are taken: 01 to 05, 07 to 10, 12 to 14, 16"
            ),
        )),
    }
}
