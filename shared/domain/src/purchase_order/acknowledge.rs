//! What a supplier's answer changes.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{
    Amendment, AmendmentKey, Line, Party, Place, PurchaseOrder, Refusal, Taken, Terms, new_line,
};
use crate::exception::{Code as ExceptionCode, Exception};
use crate::fact::{AckLine, AckStatus, Code, CodeList, PoAcknowledged, PoLine, SupplierCode};
use crate::plant::{AckTolerances, Plant, percent_of};

/// What a change or an answer does to the order, decided before the first call and stored, so that a
/// repeat does the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AmendPlan {
    /// Its place in the order of the business.
    pub key: AmendmentKey,
    /// What changes, line by line.
    pub lines: Vec<(Code, Amendment)>,
    /// Lines that are added.
    pub added: Vec<PoLine>,
    /// Whether the supplier has answered with it, nothing left pending.
    pub answers: bool,
}

impl PurchaseOrder {
    /// What an acknowledgement changes.
    ///
    /// # Errors
    /// Waits for the revision that is answered. `UNKNOWN_LINE`, `UNKNOWN_CODE`, `SUBSTITUTED`;
    /// `ACKNOWLEDGEMENT_DIFFERS` beyond the plant's tolerances.
    pub fn acknowledge(
        &self,
        fact: &PoAcknowledged,
        taken: &Taken<'_>,
    ) -> Result<AmendPlan, Refusal> {
        let revision = fact.po_revision.map_or(0, |revision| revision.0);
        if revision > self.revision {
            return Err(Refusal::Wait {
                reason: format!(
                    "acknowledgement {} answers revision {revision} of order {}, of which revision {} is known",
                    fact.ack_number, self.number, self.revision
                ),
                becomes: ExceptionCode::PredecessorOverdue,
            });
        }
        let key = AmendmentKey {
            revision,
            by: Party::Supplier,
            at: taken.happened_at,
            number: fact.ack_number.clone(),
        };
        let rules = &taken.plant.acknowledgement;
        for answer in &fact.lines {
            self.line(&answer.line_no)?;
        }
        let rest = match &fact.header_code {
            Some(code) => meaning(rules, &self.supplier, code)?,
            None => fact.header_status.unwrap_or(AckStatus::Accepted),
        };
        let mut lines = Vec::new();
        let mut beyond = Vec::new();
        let mut pending = false;
        for line in &self.lines {
            let named = fact
                .lines
                .iter()
                .find(|answer| answer.line_no == line.line_no);
            let status = match named {
                Some(answer) => match (&answer.status, &answer.code) {
                    (Some(status), _) => *status,
                    (None, Some(code)) => meaning(rules, &self.supplier, code)?,
                    (None, None) => AckStatus::Accepted,
                },
                None => rest,
            };
            pending |= status == AckStatus::Pending;
            let amendment = self.answered(line, named, status, &key, rules, &mut beyond)?;
            if amendment != Amendment::default() {
                lines.push((line.line_no.clone(), amendment));
            }
        }
        if !beyond.is_empty() && !taken.is_accepted(ExceptionCode::AcknowledgementDiffers) {
            return Err(Exception::new(
                ExceptionCode::AcknowledgementDiffers,
                format!("acknowledgement {}: {}", fact.ack_number, beyond.join("; ")),
            )
            .into());
        }
        Ok(AmendPlan {
            key,
            lines,
            added: Vec::new(),
            answers: !pending,
        })
    }

    fn answered(
        &self,
        line: &Line,
        named: Option<&AckLine>,
        status: AckStatus,
        key: &AmendmentKey,
        rules: &AckTolerances,
        beyond: &mut Vec<String>,
    ) -> Result<Amendment, Exception> {
        match status {
            AckStatus::Pending => Ok(Amendment::default()),
            AckStatus::Rejected if line.came() > line.at(Place::Reversed) => {
                // Nothing is cancelled that has come; the supplier has to say what it means.
                beyond.push(format!(
                    "line {} is refused, but {} of it came already",
                    line.line_no,
                    line.received()
                ));
                Ok(Amendment::default())
            }
            AckStatus::Rejected => Ok(Amendment {
                cancelled: true,
                ..Amendment::default()
            }),
            AckStatus::Substituted => Err(Exception::new(
                ExceptionCode::Substituted,
                format!(
                    "line {} of order {}: the supplier wants to deliver {} instead of {}",
                    line.line_no,
                    self.number,
                    named
                        .and_then(|answer| answer.substitute_item.as_ref())
                        .map_or("another item", Code::as_str),
                    line.item
                ),
            )),
            AckStatus::Accepted | AckStatus::AcceptedChanged | AckStatus::Backordered => {
                let Some(answer) = named else {
                    return Ok(Amendment::default());
                };
                let agreed = line.before(key);
                let part = status == AckStatus::Backordered;
                beyond.extend(differences(
                    &self.order_day(line, &agreed),
                    answer,
                    &agreed,
                    part,
                    line,
                    rules,
                ));
                Ok(Amendment {
                    // Of a back order the quantity says what comes first; the rest follows.
                    quantity: answer
                        .qty
                        .filter(|quantity| !part && *quantity != agreed.quantity),
                    unit_price: answer.price.filter(|price| *price != agreed.unit_price),
                    need_date: None,
                    promised_date: answer.promised_date,
                    cancelled: false,
                })
            }
        }
    }

    fn order_day(&self, line: &Line, agreed: &Terms) -> crate::fact::Day {
        agreed
            .need_date
            .or(line.need_date)
            .unwrap_or(self.order_date)
    }

    /// The order after a change or an answer.
    pub fn apply_amendment(&mut self, plan: &AmendPlan, plant: &Plant) {
        for added in &plan.added {
            if !self.lines.iter().any(|line| line.line_no == added.line_no) {
                self.lines.push(new_line(added, plant));
            }
        }
        // Lines are kept in the order of their numbers as the plant sent them; added ones follow.
        for (line_no, amendment) in &plan.lines {
            for line in self
                .lines
                .iter_mut()
                .filter(|line| line.line_no == *line_no)
            {
                line.amend(plan.key.clone(), amendment.clone());
                line.tolerate(&plant.receipts);
            }
        }
        match plan.key.by {
            Party::Plant => self.revision = self.revision.max(plan.key.revision),
            Party::Supplier => {
                self.acknowledgements.insert(plan.key.number.clone());
                self.acknowledged |= plan.answers;
            }
        }
        self.changes += 1;
    }
}

/// What an answer changes beyond the tolerances, in words.
fn differences(
    needed: &crate::fact::Day,
    answer: &AckLine,
    agreed: &Terms,
    part: bool,
    line: &Line,
    rules: &AckTolerances,
) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(quantity) = answer.qty.filter(|_| !part) {
        let allowed = percent_of(rules.quantity_percent, agreed.quantity);
        let difference = (quantity - agreed.quantity).decimal().abs();
        if difference > allowed.decimal() {
            found.push(format!(
                "line {}: quantity {quantity} instead of {} (tolerance {} %)",
                line.line_no, agreed.quantity, rules.quantity_percent
            ));
        }
        if quantity < line.kept() {
            found.push(format!(
                "line {}: quantity {quantity}, but {} came already",
                line.line_no,
                line.kept()
            ));
        }
    }
    if let Some(price) = answer.price {
        let more = price.decimal() - agreed.unit_price.decimal();
        let allowed = rules.price_percent.decimal() * agreed.unit_price.decimal();
        if more * Decimal::ONE_HUNDRED > allowed {
            found.push(format!(
                "line {}: price {price} instead of {} (tolerance {} %)",
                line.line_no, agreed.unit_price, rules.price_percent
            ));
        }
    }
    if let (Some(promised), Some(_)) = (answer.promised_date, agreed.need_date) {
        let late = promised.0.since(needed.0).map_or(0, |span| span.get_days());
        if late > i32::from(rules.days_late) {
            found.push(format!(
                "line {}: promised for {promised}, {late} days after {needed} (tolerance {})",
                line.line_no, rules.days_late
            ));
        }
    }
    found
}

/// What a supplier's code means: by the plant's own list for this supplier, for all, else by the standard.
fn meaning(
    rules: &AckTolerances,
    supplier: &Code,
    code: &SupplierCode,
) -> Result<AckStatus, Exception> {
    let own = [supplier.as_str(), "*"].into_iter().find_map(|whose| {
        rules
            .codes
            .get(whose)?
            .get(&code.list)?
            .get(code.code.as_str())
            .copied()
    });
    own.or_else(|| standard(code.list, code.code.as_str())).ok_or_else(|| {
        Exception::new(
            ExceptionCode::UnknownCode,
            format!(
                "the answer code `{}` of list {:?} is neither standard nor in the plant's configuration (acknowledgement.codes)",
                code.code, code.list
            ),
        )
    })
}

/// The standard's meaning of a code, as X12 855 and EDIFACT ORDRSP use it.
fn standard(list: CodeList, code: &str) -> Option<AckStatus> {
    match (list, code) {
        (CodeList::X12Line, "IA" | "AC")
        | (CodeList::X12Header, "AD" | "AK" | "AP" | "AT" | "AC" | "AE")
        | (CodeList::EdifactFunction, "29")
        | (CodeList::EdifactAction, "5")
        | (CodeList::EdifactResponse, "AP") => Some(AckStatus::Accepted),
        (CodeList::X12Line, "IC" | "IE" | "IF" | "IQ" | "DR")
        | (CodeList::EdifactFunction, "4" | "28" | "30" | "34")
        | (CodeList::EdifactAction, "3" | "6")
        | (CodeList::EdifactResponse, "AC") => Some(AckStatus::AcceptedChanged),
        (CodeList::X12Line, "IS") => Some(AckStatus::Substituted),
        (CodeList::X12Line, "IB" | "BP") => Some(AckStatus::Backordered),
        (CodeList::X12Line, "IP" | "IH")
        | (CodeList::X12Header, "AH")
        | (CodeList::EdifactFunction, "12")
        | (CodeList::EdifactResponse, "AJ") => Some(AckStatus::Pending),
        (CodeList::X12Line, "IR" | "ID")
        | (CodeList::X12Header, "RD" | "RJ")
        | (CodeList::EdifactFunction, "27")
        | (CodeList::EdifactAction, "2" | "7")
        | (CodeList::EdifactResponse, "RE") => Some(AckStatus::Rejected),
        _ => None,
    }
}
