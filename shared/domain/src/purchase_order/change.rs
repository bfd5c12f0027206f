//! What the plant changes of its own order: quantities, prices, dates, lines, and closing short.

use super::{AmendPlan, Amendment, AmendmentKey, Party, PurchaseOrder, Refusal, Shipment, Taken};
use crate::exception::{Code as ExceptionCode, Exception};
use crate::fact::{AsnReceived, ChangedLine, Code, Owner, PoChanged, PoClosed, PoLine};

impl PurchaseOrder {
    /// What a change of the order does.
    ///
    /// # Errors
    /// `CHANGE_REFUSED` when less is wanted than has come or was billed, or the order is not the sender's;
    /// `UNKNOWN_LINE` when a line is neither there nor described well enough to be added.
    pub fn change(&self, fact: &PoChanged, taken: &Taken<'_>) -> Result<AmendPlan, Refusal> {
        self.is_theirs(fact.owner)?;
        let key = AmendmentKey {
            revision: fact.po_revision.0,
            by: Party::Plant,
            at: taken.happened_at,
            number: fact.po_number.clone(),
        };
        let mut lines = Vec::new();
        let mut added = Vec::new();
        for changed in &fact.changed_lines {
            let Ok(line) = self.line(&changed.line_no) else {
                added.push(self.new_line(changed)?);
                continue;
            };
            self.same_item(line, changed.item_id.as_ref())?;
            let refused = |why: String| {
                Exception::new(
                    ExceptionCode::ChangeRefused,
                    format!(
                        "revision {} of order {}, line {}: {why}",
                        fact.po_revision.0, self.number, line.line_no
                    ),
                )
            };
            if line.cancelled {
                return Err(refused("the line was cancelled".to_owned()).into());
            }
            let amendment = Amendment {
                quantity: changed.qty,
                unit_price: changed.unit_price,
                need_date: changed.need_date,
                // What a buyer plans with in Odoo is newer than what the supplier said before.
                promised_date: changed.need_date.filter(|_| self.owner == Owner::Odoo),
                cancelled: false,
            };
            // What counts is the line after all changes: a later revision may have come before this one.
            let mut after = line.clone();
            after.amend(key.clone(), amendment.clone());
            if after.ordered < line.ordered && after.ordered < line.kept() {
                return Err(refused(format!(
                    "{} wanted, but {} came already",
                    after.ordered,
                    line.kept()
                ))
                .into());
            }
            if after.ordered < line.ordered && after.ordered < line.invoiced() {
                return Err(refused(format!(
                    "{} wanted, but {} billed already",
                    after.ordered,
                    line.invoiced()
                ))
                .into());
            }
            lines.push((line.line_no.clone(), amendment));
        }
        Ok(AmendPlan {
            key,
            lines,
            added,
            answers: false,
        })
    }

    fn new_line(&self, changed: &ChangedLine) -> Result<PoLine, Exception> {
        match (
            &changed.item_id,
            &changed.uom,
            changed.qty,
            changed.unit_price,
        ) {
            (Some(item), Some(uom), Some(qty), Some(unit_price)) => Ok(PoLine {
                line_no: changed.line_no.clone(),
                item_id: item.clone(),
                qty,
                uom: uom.clone(),
                unit_price,
                tax_code: changed.tax_code.clone(),
                need_date: changed.need_date,
                odoo_line: changed.odoo_line,
            }),
            _ => Err(Exception::new(
                ExceptionCode::UnknownLine,
                format!(
                    "order {} has no line {}; to add it, name `itemId`, `uom`, `qty` and `unitPrice`",
                    self.number, changed.line_no
                ),
            )),
        }
    }

    /// The order after the plant has said that nothing more is expected.
    ///
    /// # Errors
    /// `UNKNOWN_LINE`.
    pub fn close_short(&mut self, fact: &PoClosed) -> Result<(), Exception> {
        for line_no in &fact.lines {
            self.line(line_no)?;
        }
        for line in &mut self.lines {
            if fact.lines.is_empty() || fact.lines.contains(&line.line_no) {
                line.short_closed = true;
            }
        }
        self.changes += 1;
        Ok(())
    }

    /// The order after a shipment was announced.
    ///
    /// # Errors
    /// `UNKNOWN_LINE`, `LINE_DIFFERS`.
    pub fn expect_shipment(&mut self, fact: &AsnReceived) -> Result<(), Exception> {
        let own = fact
            .lines
            .iter()
            .filter(|line| line.po_number == self.number);
        let lines: Vec<_> = own.cloned().collect();
        for line in &lines {
            self.same_item(self.line(&line.line_no)?, line.item_id.as_ref())?;
        }
        if let Some(known) = self
            .shipments
            .iter_mut()
            .find(|one| one.number == fact.asn_number)
        {
            // Its cancellation came first.
            known.eta = fact.eta;
            known.lines = lines;
        } else {
            self.shipments.push(Shipment {
                number: fact.asn_number.clone(),
                eta: fact.eta,
                lines,
                cancelled: false,
            });
        }
        self.shipments
            .sort_by(|one, other| one.number.cmp(&other.number));
        self.changes += 1;
        Ok(())
    }

    /// The order after a shipment was called off; false when nobody has announced it to this order yet.
    pub fn call_off_shipment(&mut self, number: &Code) -> bool {
        let found = self.shipments.iter_mut().find(|one| one.number == *number);
        let known = found.map(|shipment| shipment.cancelled = true).is_some();
        if known {
            self.changes += 1;
        }
        known
    }
}
