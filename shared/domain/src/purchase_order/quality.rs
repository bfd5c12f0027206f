//! What an inspection does with goods that came in.

use super::{GoodsMove, Line, Meant, Nonconformance, Place, PurchaseOrder, Refusal};
use crate::decimal::Quantity;
use crate::exception::{Code as ExceptionCode, Exception};
use crate::fact::{
    Code, Disposition, InspectionCompleted, NcrDispositioned, QualityHeld, QualityReleased,
};

/// Which goods a fact about quality means.
struct Named<'a> {
    line_no: Option<&'a Code>,
    receipt: Option<&'a Code>,
    lot: Option<&'a Code>,
    what: String,
}

impl PurchaseOrder {
    /// What holding goods back does.
    ///
    /// # Errors
    /// Waits until so much is in stock; `AMBIGUOUS_REFERENCE`, `UNKNOWN_LINE`.
    pub fn hold(&self, fact: &QualityHeld) -> Result<Vec<GoodsMove>, Refusal> {
        let named = Named {
            line_no: fact.line_no.as_ref(),
            receipt: fact.receipt_number.as_ref(),
            lot: fact.lot_id.as_ref(),
            what: format!("hold {}", fact.hold_number),
        };
        self.shift(&named, Place::Stocked, Place::Held, fact.qty)
    }

    /// What releasing held goods does.
    ///
    /// # Errors
    /// Waits until so much is held; `AMBIGUOUS_REFERENCE`, `UNKNOWN_LINE`.
    pub fn release(&self, fact: &QualityReleased) -> Result<Vec<GoodsMove>, Refusal> {
        let named = Named {
            line_no: fact.line_no.as_ref(),
            receipt: fact.receipt_number.as_ref(),
            lot: fact.lot_id.as_ref(),
            what: format!("release {}", fact.release_number),
        };
        self.shift(&named, Place::Held, Place::Stocked, fact.qty_released)
    }

    /// What an inspection does: what was accepted goes to stock, the rest is rejected where it lies.
    ///
    /// # Errors
    /// Waits until so much is held; `AMBIGUOUS_REFERENCE`, `UNKNOWN_LINE`.
    pub fn inspect(&self, fact: &InspectionCompleted) -> Result<Vec<GoodsMove>, Refusal> {
        let named = Named {
            line_no: fact.line_no.as_ref(),
            receipt: fact.receipt_number.as_ref(),
            lot: fact.lot_id.as_ref(),
            what: format!("inspection {}", fact.inspection_id),
        };
        let all = fact.qty_accepted + fact.qty_rejected;
        let moves = self.shift(&named, Place::Held, Place::Stocked, all)?;
        let mut left = fact.qty_accepted;
        let mut sorted = Vec::new();
        for of in moves {
            let accepted = of.quantity.min(left);
            left = left - accepted;
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
        Ok(sorted)
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

    /// The order after an inspection has rejected goods.
    pub fn open_nonconformance(&mut self, fact: &InspectionCompleted, moves: &[GoodsMove]) {
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
        named: &Named<'_>,
        from: Place,
        to: Place,
        quantity: Quantity,
    ) -> Result<Vec<GoodsMove>, Refusal> {
        let of = Meant {
            receipt: named.receipt,
            lot: named.lot,
        };
        let line = match named.line_no {
            Some(line_no) => self.line(line_no)?,
            None => match self.only_line(of, named)? {
                Some(line) => line,
                None => {
                    return Err(Refusal::Wait {
                        reason: format!("{}: no such goods have come yet", named.what),
                        becomes: ExceptionCode::PredecessorOverdue,
                    });
                }
            },
        };
        line.take(&[from], to, quantity, of).ok_or_else(|| {
            let there: Quantity = line
                .goods
                .iter()
                .filter(|goods| of.fits(goods))
                .map(|goods| goods.at(from))
                .sum();
            Refusal::Wait {
                reason: format!(
                    "{}: {quantity} of line {} are to be moved, {there} are {}",
                    named.what,
                    line.line_no,
                    if from == Place::Held {
                        "on hold"
                    } else {
                        "in stock"
                    }
                ),
                becomes: ExceptionCode::QualityQuantity,
            }
        })
    }

    /// The line that has such goods, when a fact does not name it.
    fn only_line(&self, of: Meant<'_>, named: &Named<'_>) -> Result<Option<&Line>, Exception> {
        if let [only] = self.lines.as_slice() {
            return Ok(Some(only));
        }
        let mut fitting = self
            .lines
            .iter()
            .filter(|line| line.goods.iter().any(|goods| of.fits(goods)));
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
