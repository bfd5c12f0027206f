//! What an inspection does with goods that came in.

use jiff::Timestamp;

use super::{
    Goods, GoodsMove, InspectedInStock, Line, Meant, Nonconformance, Place, PurchaseOrder, Refusal,
};
use crate::decimal::Quantity;
use crate::exception::{Code as ExceptionCode, Exception};
use crate::fact::{
    Code, Disposition, InspectionCompleted, NcrDispositioned, QualityHeld, QualityReleased,
};

/// Which goods a fact about quality means.
struct Named<'a> {
    line_no: Option<&'a Code>,
    of: Meant<'a>,
    what: String,
}

impl<'a> Named<'a> {
    fn new(
        what: String,
        line_no: Option<&'a Code>,
        receipt: Option<&'a Code>,
        lot: Option<&'a Code>,
    ) -> Self {
        Self {
            line_no,
            of: Meant { receipt, lot },
            what,
        }
    }

    fn held(fact: &'a QualityHeld) -> Self {
        Self::new(
            format!("hold {}", fact.hold_number),
            fact.line_no.as_ref(),
            fact.receipt_number.as_ref(),
            fact.lot_id.as_ref(),
        )
    }

    fn released(fact: &'a QualityReleased) -> Self {
        Self::new(
            format!("release {}", fact.release_number),
            fact.line_no.as_ref(),
            fact.receipt_number.as_ref(),
            fact.lot_id.as_ref(),
        )
    }

    fn inspected(fact: &'a InspectionCompleted) -> Self {
        Self::new(
            format!("inspection {}", fact.inspection_id),
            fact.line_no.as_ref(),
            fact.receipt_number.as_ref(),
            fact.lot_id.as_ref(),
        )
    }
}

impl PurchaseOrder {
    /// What holding goods back does. What was inspected since then is not held any more.
    ///
    /// # Errors
    /// Waits until so much is in stock; `QUALITY_QUANTITY` when so much did not come, `AMBIGUOUS_REFERENCE`,
    /// `UNKNOWN_LINE`.
    pub fn hold(
        &self,
        fact: &QualityHeld,
        happened_at: Timestamp,
    ) -> Result<Vec<GoodsMove>, Refusal> {
        let named = Named::held(fact);
        let line = self.line_of(&named)?;
        let answered: Quantity = self
            .inspected_in_stock
            .iter()
            .filter(|one| one.answers(line, named.of, happened_at))
            .map(|one| one.quantity)
            .sum();
        let left = fact.qty - answered.min(fact.qty);
        self.shift(line, &named, Place::Stocked, Place::Held, left)
    }

    /// The order after goods were held: what of it was inspected already.
    pub fn settle_hold(&mut self, fact: &QualityHeld, happened_at: Timestamp, moves: &[GoodsMove]) {
        let named = Named::held(fact);
        let Ok(line) = self.line_of(&named).cloned() else {
            return;
        };
        let held: Quantity = moves.iter().map(|of| of.quantity).sum();
        let mut answered = fact.qty - held;
        for one in &mut self.inspected_in_stock {
            if one.answers(&line, named.of, happened_at) {
                let of_this = one.quantity.min(answered);
                one.quantity = one.quantity - of_this;
                answered = answered - of_this;
            }
        }
        self.inspected_in_stock
            .retain(|one| one.quantity.is_positive());
    }

    /// What releasing held goods does.
    ///
    /// # Errors
    /// Waits until so much is held; `QUALITY_QUANTITY` when so much did not come, `AMBIGUOUS_REFERENCE`,
    /// `UNKNOWN_LINE`.
    pub fn release(&self, fact: &QualityReleased) -> Result<Vec<GoodsMove>, Refusal> {
        let named = Named::released(fact);
        let line = self.line_of(&named)?;
        self.shift(line, &named, Place::Held, Place::Stocked, fact.qty_released)
    }

    /// What an inspection does: what was accepted goes to stock or stays there, the rest is rejected. Goods on hold
    /// are those that are inspected; where too few are, the rest of them lay in stock.
    ///
    /// # Errors
    /// Waits until so much has come; `QUALITY_QUANTITY`, `AMBIGUOUS_REFERENCE`, `UNKNOWN_LINE`.
    pub fn inspect(&self, fact: &InspectionCompleted) -> Result<Vec<GoodsMove>, Refusal> {
        let named = Named::inspected(fact);
        let line = self.line_of(&named)?;
        let all = fact.qty_accepted + fact.qty_rejected;
        let held = line.there(named.of, Place::Held).min(all);
        let in_stock = all - held;
        if in_stock.is_positive() {
            self.may_be_inspected_in_stock(line, &named, all, in_stock)?;
        }
        // What lies in stock is accepted first, and what is on hold rejected first: goods go one way only.
        let stays = fact.qty_accepted.min(in_stock);
        let mut released = fact.qty_accepted - stays;
        let mut sorted = Vec::new();
        for of in self.shift(line, &named, Place::Held, Place::Stocked, held)? {
            let accepted = of.quantity.min(released);
            released = released - accepted;
            for (quantity, to) in [
                (accepted, Place::Stocked),
                (of.quantity - accepted, Place::Rejected),
            ] {
                if quantity.is_positive() {
                    sorted.push(GoodsMove {
                        quantity,
                        to,
                        ..of.clone()
                    });
                }
            }
        }
        sorted.extend(self.shift(
            line,
            &named,
            Place::Stocked,
            Place::Rejected,
            in_stock - stays,
        )?);
        Ok(sorted)
    }

    /// Goods in stock are those of an inspection only when it is sure that they are meant: when it names them, or
    /// nothing more is expected.
    fn may_be_inspected_in_stock(
        &self,
        line: &Line,
        named: &Named<'_>,
        all: Quantity,
        in_stock: Quantity,
    ) -> Result<(), Refusal> {
        let there = line.there(named.of, Place::Stocked);
        let told = format!(
            "{}: {all} of line {} were inspected, {} are on hold and {there} in stock",
            named.what,
            line.line_no,
            line.there(named.of, Place::Held)
        );
        let raised = |what: String| Exception::new(ExceptionCode::QualityQuantity, what).into();
        match (in_stock <= there, self.have_come(line, named.of)) {
            (true, true) => Ok(()),
            (true, false) => Err(raised(format!(
                "{told}, and more is expected: the inspection has to name the receipt or the lot"
            ))),
            (false, true) => Err(raised(told)),
            (false, false) => Err(Refusal::Wait {
                reason: told,
                becomes: ExceptionCode::QualityQuantity,
            }),
        }
    }

    /// Whether the goods that are meant are there, all that will come of them.
    fn have_come(&self, line: &Line, of: Meant<'_>) -> bool {
        match (of.receipt, of.lot) {
            (Some(receipt), _) => self.receipts.iter().any(|one| one.number == *receipt),
            (None, Some(_)) => line.goods.iter().any(|goods| of.fits(goods)),
            (None, None) => line.open() <= line.may_miss,
        }
    }

    /// What a disposition does with rejected goods.
    ///
    /// # Errors
    /// Waits for the nonconformance; `QUALITY_QUANTITY` when less is open of it.
    pub fn dispose(&self, fact: &NcrDispositioned) -> Result<Vec<GoodsMove>, Refusal> {
        let Some(known) = self
            .nonconformances
            .iter()
            .find(|one| one.id == fact.ncr_id)
        else {
            return Err(Refusal::Wait {
                reason: format!("nonconformance {} has not been opened yet", fact.ncr_id),
                becomes: ExceptionCode::PredecessorOverdue,
            });
        };
        let to = match fact.disposition {
            Disposition::UseAsIs => Place::Stocked,
            Disposition::Return => Place::Returned,
            Disposition::Scrap => Place::Scrapped,
        };
        let line = self.line(&known.line_no)?;
        let of = Meant {
            receipt: known.receipt.as_ref(),
            lot: known.lot.as_ref(),
        };
        let exceeds = || {
            Exception::new(
                ExceptionCode::QualityQuantity,
                format!(
                    "nonconformance {}: {} are to go, {} are open",
                    known.id, fact.qty, known.open
                ),
            )
        };
        if fact.qty > known.open {
            return Err(exceeds().into());
        }
        line.take(&[Place::Rejected], to, fact.qty, of)
            .ok_or_else(|| exceeds().into())
    }

    /// The order after an inspection: what was rejected is a nonconformance.
    pub fn settle_inspection(
        &mut self,
        fact: &InspectionCompleted,
        happened_at: Timestamp,
        moves: &[GoodsMove],
    ) {
        let named = Named::inspected(fact);
        let from_hold = moves.iter().filter(|of| of.from == Place::Held);
        let from_hold: Quantity = from_hold.map(|of| of.quantity).sum();
        let in_stock = fact.qty_accepted + fact.qty_rejected - from_hold;
        if let Ok(line) = self.line_of(&named)
            && in_stock.is_positive()
        {
            self.inspected_in_stock.push(InspectedInStock {
                inspection: fact.inspection_id.clone(),
                line_no: line.line_no.clone(),
                receipt: fact.receipt_number.clone(),
                lot: fact.lot_id.clone(),
                quantity: in_stock,
                at: happened_at,
            });
            self.inspected_in_stock
                .sort_by(|one, other| one.inspection.cmp(&other.inspection));
        }
        let rejected = moves.iter().filter(|of| of.to == Place::Rejected);
        let open: Quantity = rejected.clone().map(|of| of.quantity).sum();
        let Some(first) = rejected.clone().next() else {
            return;
        };
        self.nonconformances.push(Nonconformance {
            id: fact
                .ncr_id
                .clone()
                .unwrap_or_else(|| fact.inspection_id.clone()),
            line_no: first.line_no.clone(),
            receipt: fact.receipt_number.clone(),
            lot: fact.lot_id.clone(),
            defect: fact.defect_code.clone(),
            open,
            left: false,
        });
        self.nonconformances
            .sort_by(|one, other| one.id.cmp(&other.id));
    }

    /// The order after part of a nonconformance was dealt with.
    pub fn settle_nonconformance(&mut self, id: &Code, quantity: Quantity) {
        for one in self.nonconformances.iter_mut().filter(|one| one.id == *id) {
            one.open = one.open - quantity;
        }
    }

    fn shift(
        &self,
        line: &Line,
        named: &Named<'_>,
        from: Place,
        to: Place,
        quantity: Quantity,
    ) -> Result<Vec<GoodsMove>, Refusal> {
        line.take(&[from], to, quantity, named.of).ok_or_else(|| {
            let there = line.there(named.of, from);
            let came: Quantity = line
                .goods
                .iter()
                .filter(|goods| named.of.fits(goods))
                .map(Goods::came)
                .sum();
            let reason = format!(
                "{}: {quantity} of line {} are to be moved, {there} are {}",
                named.what,
                line.line_no,
                if from == Place::Held {
                    "on hold"
                } else {
                    "in stock"
                }
            );
            if quantity > came && self.have_come(line, named.of) {
                let what = format!("{reason}, and {came} came in all");
                return Exception::new(ExceptionCode::QualityQuantity, what).into();
            }
            Refusal::Wait {
                reason,
                becomes: ExceptionCode::QualityQuantity,
            }
        })
    }

    /// The line of the goods that are meant.
    fn line_of(&self, named: &Named<'_>) -> Result<&Line, Refusal> {
        let found = match named.line_no {
            Some(line_no) => Some(self.line(line_no)?),
            None => self.only_line(named)?,
        };
        found.ok_or_else(|| Refusal::Wait {
            reason: format!("{}: no such goods have come yet", named.what),
            becomes: ExceptionCode::PredecessorOverdue,
        })
    }

    /// The line that has such goods, when a fact does not name it.
    fn only_line(&self, named: &Named<'_>) -> Result<Option<&Line>, Exception> {
        if let [only] = self.lines.as_slice() {
            return Ok(Some(only));
        }
        let mut fitting = self
            .lines
            .iter()
            .filter(|line| line.goods.iter().any(|goods| named.of.fits(goods)));
        match (fitting.next(), fitting.next()) {
            (Some(_), Some(_)) => Err(Exception::new(
                ExceptionCode::AmbiguousReference,
                format!(
                    "{} fits several lines of order {}: it has to name the line",
                    named.what, self.number
                ),
            )),
            (first, _) => Ok(first),
        }
    }
}

impl InspectedInStock {
    /// Whether it is the answer to a hold that happened at this time.
    fn answers(&self, line: &Line, held: Meant<'_>, at: Timestamp) -> bool {
        let alike = |own: &Option<Code>, theirs: Option<&Code>| {
            own.is_none() || theirs.is_none() || own.as_ref() == theirs
        };
        self.line_no == line.line_no
            && at <= self.at
            && alike(&self.receipt, held.receipt)
            && alike(&self.lot, held.lot)
    }
}
