//! An invoice against this order: what the match is given, and what comes of its result.

use std::collections::BTreeMap;

use super::{ExtraLine, PaidLine, Payable, Place, PurchaseOrder, Refusal, Taken};
use crate::decimal::Amount;
use crate::exception::{Code as ExceptionCode, Exception};
use crate::fact::{Code, InvoiceKind, InvoiceReceived};
use crate::matching::{Check, Evaluation, History, Inputs, LineInputs, OrderInputs, Verdict};

impl PurchaseOrder {
    /// Everything that the match of an invoice looks at.
    ///
    /// # Errors
    /// `UNKNOWN_LINE`, `UNIT_CONVERSION`; waits for the bill that a credit note corrects.
    pub fn match_inputs(
        &self,
        fact: &InvoiceReceived,
        taken: &Taken<'_>,
        history: History,
        waited_out: bool,
    ) -> Result<Inputs, Refusal> {
        let plant = taken.plant;
        if fact.kind == InvoiceKind::CreditNote {
            self.corrected_bill(fact)?;
        }
        let mut lines: Vec<LineInputs> = Vec::new();
        for billed in &fact.lines {
            if billed
                .po_number
                .as_ref()
                .is_some_and(|number| *number != self.number)
            {
                continue;
            }
            let line = self.line(&billed.line_no)?;
            let unit = billed.uom.as_ref().unwrap_or(&line.uom);
            let factor = plant.factor(&line.item, unit, &line.uom).ok_or_else(|| {
                Exception::new(
                    ExceptionCode::UnitConversion,
                    format!(
                        "invoice {} line {}: {unit} cannot be given in {}: the plant's configuration has no such conversion",
                        fact.invoice_number, line.line_no, line.uom
                    ),
                )
            })?;
            lines.push(LineInputs {
                line_no: line.line_no.clone(),
                item: line.item.clone(),
                factor,
                ordered: line.ordered,
                unit_price: line.unit_price,
                received: line.received(),
                held: line.at(Place::Held) + line.at(Place::Rejected),
                payable: line.payable(),
                invoiced: line.invoiced(),
                invoiced_net: line.invoiced_net(),
                service: line.service,
                bulk: plant.receipts.bulk_units.contains(line.uom.as_str()),
                tolerances: plant.matching.resolve(&self.supplier, Some(&line.item)),
            });
        }
        let mut charges: BTreeMap<Code, Amount> = BTreeMap::new();
        for charge in &self.charges {
            let sum = charges.entry(charge.code.clone()).or_default();
            *sum = *sum + charge.amount;
        }
        let billed_charges = self
            .invoices
            .iter()
            .flat_map(|invoice| &invoice.payable.extras);
        for extra in billed_charges {
            if let Some(left) = extra.charge.as_ref().and_then(|code| charges.get_mut(code)) {
                *left = (*left - extra.amount).max(Amount::ZERO);
            }
        }
        Ok(Inputs {
            invoice: fact.clone(),
            leads: fact
                .lines
                .iter()
                .find_map(|line| line.po_number.as_ref())
                .is_none_or(|first| *first == self.number),
            order: OrderInputs {
                number: self.number.clone(),
                supplier: self.supplier.clone(),
                currency: self.currency.clone(),
                order_date: self.order_date,
                total: self
                    .lines
                    .iter()
                    .map(|line| line.ordered.times(line.unit_price))
                    .sum(),
                invoiced_net: self.lines.iter().map(super::Line::invoiced_net).sum(),
                charges,
                discount: None,
                lines,
            },
            settings: plant
                .matching
                .invoice_settings(&self.supplier, plant.odoo.rounding),
            history,
            waited_out,
            accepted: taken.accepted.clone(),
        })
    }

    /// The posted bill that a credit note corrects.
    fn corrected_bill(&self, fact: &InvoiceReceived) -> Result<(), Refusal> {
        let wait = |reason: String| Refusal::Wait {
            reason,
            becomes: ExceptionCode::CreditExceeds,
        };
        match &fact.corrects_invoice {
            Some(number) => {
                let posted = self
                    .invoices
                    .iter()
                    .any(|invoice| invoice.number == *number && invoice.bill.is_some());
                if posted {
                    Ok(())
                } else {
                    Err(wait(format!(
                        "credit note {}: no bill of invoice {number} is posted yet",
                        fact.invoice_number
                    )))
                }
            }
            None if self.invoices.iter().any(|invoice| invoice.bill.is_some()) => Ok(()),
            None => Err(wait(format!(
                "credit note {}: no bill of order {} is posted yet",
                fact.invoice_number, self.number
            ))),
        }
    }

    /// What may be paid by the result of a match.
    ///
    /// # Errors
    /// The worst of what failed, with the figures of all; waits where goods are still to come.
    pub fn payable(
        &self,
        fact: &InvoiceReceived,
        evaluation: &Evaluation,
        taken: &Taken<'_>,
    ) -> Result<Payable, Refusal> {
        let failed = evaluation.failed();
        if let Some(worst) = failed.first() {
            return Err(refusal(fact, worst, &failed));
        }
        let mut lines = Vec::new();
        for paid in &evaluation.lines {
            let billed = fact.lines.iter().find(|billed| {
                billed.line_no == paid.line_no
                    && billed
                        .po_number
                        .as_ref()
                        .is_none_or(|number| *number == self.number)
            });
            lines.push(PaidLine {
                line_no: paid.line_no.clone(),
                quantity: paid.quantity,
                unit_price: paid.unit_price,
                net: paid.net,
                tax_code: billed.and_then(|billed| billed.tax_code.clone()),
            });
        }
        let charges = fact.charges.iter().map(|charge| ExtraLine {
            charge: Some(charge.code.clone()),
            amount: charge.amount,
            tax_code: charge.tax_code.clone(),
        });
        let mut extras: Vec<ExtraLine> = charges.collect();
        if !evaluation.small_difference.is_zero() {
            extras.push(ExtraLine {
                charge: None,
                amount: evaluation.small_difference,
                tax_code: None,
            });
        }
        // What is left of the tax beside its codes is part of the small difference.
        let tax = evaluation.tax.unwrap_or(fact.totals.tax);
        for extra in &extras {
            match &extra.charge {
                Some(code) => drop(taken.plant.charge_item(code)?),
                None => drop(taken.plant.small_difference_item()?),
            }
        }
        Ok(Payable {
            rule_version: evaluation.rule_version.clone(),
            inputs_hash: evaluation.inputs_hash.clone(),
            lines,
            extras,
            net: fact.totals.gross - tax,
            tax,
            gross: fact.totals.gross,
        })
    }
}

fn refusal(fact: &InvoiceReceived, worst: &Check, failed: &[&Check]) -> Refusal {
    // What is there already explains the rest: its quantities are billed.
    let told = if worst.code == Some(ExceptionCode::DuplicateInvoice) {
        &[worst]
    } else {
        failed
    };
    let all: Vec<String> = told.iter().map(|check| check.sentence()).collect();
    let message = format!("invoice {}: {}", fact.invoice_number, all.join("; "));
    let code = worst.code.unwrap_or(ExceptionCode::BillDiffers);
    if worst.verdict == Verdict::Awaiting {
        return Refusal::Wait {
            reason: message,
            becomes: code,
        };
    }
    let at_risk = failed
        .iter()
        .map(|check| check.amount_at_risk)
        .max()
        .filter(|amount| !amount.is_zero());
    let mut along: Vec<ExceptionCode> = failed.iter().filter_map(|check| check.code).collect();
    along.retain(|other| *other != code && other.may_be_accepted());
    along.sort();
    along.dedup();
    Refusal::Raise(Exception {
        code,
        message,
        amount_at_risk: at_risk,
        along,
    })
}
