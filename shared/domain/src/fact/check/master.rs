//! What the form of facts about master data, stock and accounts cannot say.

use super::{contradiction, sent_by};
use crate::decimal::{Amount, Quantity};
use crate::fact::{
    Contradiction, ItemProposed, JournalEntrySubmitted, LocalCodeKind, StockSnapshot,
};
use crate::identifier::PlantCode;

type Checked = Result<(), Contradiction>;

impl ItemProposed {
    pub(super) fn check(&self, plant: &PlantCode) -> Checked {
        sent_by(self.plant.as_ref(), plant, "the proposal")?;
        for (index, local) in self.local_codes.iter().enumerate() {
            let place = |field: &str| format!("/localCodes/{index}/{field}");
            let of_customer = local.kind == LocalCodeKind::CustomerPart;
            if of_customer != local.customer_id.is_some() {
                return Err(contradiction(
                    &place("customerId"),
                    "a code of kind `customerPart` names its customer, and no other does"
                        .to_owned(),
                ));
            }
            let mut earlier = self.local_codes.iter().take(index);
            if earlier.any(|other| {
                other == local || (local.kind == LocalCodeKind::Sku && other.kind == local.kind)
            }) {
                return Err(contradiction(
                    &place("code"),
                    "a code appears twice, or there is a second `sku`: one code names the item"
                        .to_owned(),
                ));
            }
        }
        for (index, unit) in self.uoms.iter().enumerate() {
            let mut earlier = self.uoms.iter().take(index);
            if unit.uom == self.base_uom || earlier.any(|other| other.uom == unit.uom) {
                return Err(contradiction(
                    &format!("/uoms/{index}/uom"),
                    format!("{} is the base unit, or appears twice", unit.uom),
                ));
            }
            if !unit.factor.is_positive() {
                return Err(contradiction(
                    &format!("/uoms/{index}/factor"),
                    format!("the factor must be greater than zero, not {}", unit.factor),
                ));
            }
        }
        Ok(())
    }
}

impl StockSnapshot {
    pub(super) fn check(&self, plant: &PlantCode) -> Checked {
        sent_by(self.plant.as_ref(), plant, "the snapshot")?;
        match (self.part, self.parts) {
            (None, None) => {}
            (Some(part), Some(parts)) if part <= parts => {}
            (Some(_) | None, Some(_) | None) => {
                return Err(contradiction(
                    "/part",
                    "`part` and `parts` come together, and `part` counts from 1 to `parts`"
                        .to_owned(),
                ));
            }
        }
        for (index, line) in self.lines.iter().enumerate() {
            let mut earlier = self.lines.iter().take(index);
            if earlier.any(|other| {
                (
                    &other.item_id,
                    &other.lot_id,
                    &other.warehouse,
                    other.status,
                ) == (&line.item_id, &line.lot_id, &line.warehouse, line.status)
            }) {
                return Err(contradiction(
                    &format!("/lines/{index}/itemId"),
                    format!(
                        "item {} appears twice in {} with the same lot and status; send their sum",
                        line.item_id, line.warehouse
                    ),
                ));
            }
        }
        let Some(totals) = &self.control_totals else {
            return Ok(());
        };
        if usize::try_from(totals.lines.0).ok() != Some(self.lines.len()) {
            return Err(contradiction(
                "/controlTotals/lines",
                format!(
                    "there are {} lines, the total says {}: a line was lost on the way",
                    self.lines.len(),
                    totals.lines.0
                ),
            ));
        }
        let sum: Quantity = self.lines.iter().map(|line| line.qty).sum();
        if let Some(stated) = totals.qty.filter(|stated| *stated != sum) {
            return Err(contradiction(
                "/controlTotals/qty",
                format!("the quantities add up to {sum}, the total says {stated}"),
            ));
        }
        Ok(())
    }
}

impl JournalEntrySubmitted {
    pub(super) fn check(&self) -> Checked {
        for (index, line) in self.lines.iter().enumerate() {
            if line.amount.is_zero() {
                return Err(contradiction(
                    &format!("/lines/{index}/amount"),
                    format!(
                        "nothing is booked on account {}: leave the line out",
                        line.local_account
                    ),
                ));
            }
            for (at, dimension) in line.dims.iter().enumerate() {
                let mut earlier = line.dims.iter().take(at);
                if earlier.any(|other| other.name == dimension.name) {
                    return Err(contradiction(
                        &format!("/lines/{index}/dims/{at}/name"),
                        format!("the dimension {} appears twice", dimension.name),
                    ));
                }
            }
        }
        let side = |below: bool| -> Amount {
            let amounts = self.lines.iter().map(|line| line.amount);
            amounts
                .filter(|amount| amount.decimal().is_sign_negative() == below)
                .sum()
        };
        let (debit, credit) = (side(false), Amount::ZERO - side(true));
        if debit != credit {
            return Err(contradiction(
                "/lines",
                format!(
                    "debit {debit} and credit {credit} differ by {}",
                    debit - credit
                ),
            ));
        }
        Ok(())
    }
}
