//! A line of an order: what was agreed, what came, where it lies, what was billed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::PaidLine;
use crate::decimal::{Amount, Quantity, UnitPrice};
use crate::fact::{Code, Day, is_false};
use crate::plant::ReceiptTolerances;

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
    /// How much is ordered, after all changes.
    pub ordered: Quantity,
    /// The price agreed, after all changes.
    pub unit_price: UnitPrice,
    /// When the plant needs it.
    pub need_date: Option<Day>,
    /// When the supplier will deliver.
    pub promised_date: Option<Day>,
    /// Whether it was taken back by the plant or refused by the supplier.
    #[serde(default, skip_serializing_if = "is_false")]
    pub cancelled: bool,
    /// Whether the buyer knows that the supplier has refused it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub refusal_seen: bool,
    /// Whether nothing more is expected, although less came.
    #[serde(default, skip_serializing_if = "is_false")]
    pub short_closed: bool,
    /// How much may be missing for the line to count as complete.
    #[serde(default, skip_serializing_if = "Quantity::is_none")]
    pub may_miss: Quantity,
    /// As it was ordered first.
    pub first: Terms,
    /// What changed it since, in the order of the business.
    #[serde(
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        with = "amendments"
    )]
    pub amendments: BTreeMap<AmendmentKey, Amendment>,
    /// What came, by receipt and lot, and where it lies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub goods: Vec<Goods>,
    /// The largest total that a cumulative receipt has reported.
    #[serde(default, skip_serializing_if = "Quantity::is_none")]
    pub cumulative: Quantity,
    /// What was matched for payment, and what was credited.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub billed: Vec<Billed>,
    /// Whether it is a service, of which nothing comes in.
    #[serde(default, skip_serializing_if = "is_false")]
    pub service: bool,
    /// Whether somebody decided that more may stay billed than came.
    #[serde(default, skip_serializing_if = "is_false")]
    pub credit_waived: bool,
    /// The line's id in Odoo.
    pub odoo_line: Option<i64>,
    /// What Odoo expects to come for the ordered quantity, in the unit of its own receipts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_in_odoo: Option<Expected>,
}

/// What an invoice bills of a line, or a credit note takes off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Billed {
    /// Position of the invoice's fact in the mailbox.
    pub sequence: u64,
    /// How much, at which price.
    pub paid: PaidLine,
    /// Whether it is taken off.
    #[serde(default, skip_serializing_if = "is_false")]
    pub credit: bool,
}

/// The same quantity in the unit of the order and in the unit of Odoo's receipts: an exact factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expected {
    /// In the unit of the order.
    pub ordered: Quantity,
    /// In the unit of the receipt.
    pub in_receipt: Quantity,
}

impl Expected {
    /// A quantity of the order in the unit of the receipt; none when it would have to be rounded.
    #[must_use]
    pub fn in_receipt_unit(self, quantity: Quantity) -> Option<Quantity> {
        let product = quantity.decimal().checked_mul(self.in_receipt.decimal())?;
        let converted = product.checked_div(self.ordered.decimal())?;
        (converted * self.ordered.decimal() == product).then(|| Quantity::from_decimal(converted))
    }
}

/// What was agreed at first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// How much.
    pub quantity: Quantity,
    /// Price per unit.
    pub unit_price: UnitPrice,
    /// When it is needed.
    pub need_date: Option<Day>,
}

/// The place of an amendment in the order of the business, whatever the order of arrival: by revision of
/// the order, the plant's change before the supplier's answer to it, then by time and number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AmendmentKey {
    /// Revision of the order.
    pub revision: u32,
    /// Whose amendment.
    pub by: Party,
    /// When it happened.
    pub at: Timestamp,
    /// The document's number.
    pub number: Code,
}

/// Who amends an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    /// The plant changes it.
    Plant,
    /// The supplier answers it.
    Supplier,
}

/// What changes on a line.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Amendment {
    /// Another quantity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<Quantity>,
    /// Another price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_price: Option<UnitPrice>,
    /// Another day on which the plant needs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub need_date: Option<Day>,
    /// A day on which the supplier will deliver.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promised_date: Option<Day>,
    /// The line is taken back or refused.
    #[serde(default, skip_serializing_if = "is_false")]
    pub cancelled: bool,
}

/// Goods of one receipt and one lot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Goods {
    /// The receipt by which they came.
    pub receipt: Code,
    /// The lot or serial number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lot: Option<Code>,
    /// How much of it lies where; together that is what came.
    pub lies: BTreeMap<Place, Quantity>,
}

/// Where goods lie that came for an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// In stock: they may be used and are to be paid.
    Stocked,
    /// Beside stock, waiting for an inspection.
    Held,
    /// Beside stock, rejected, waiting for a disposition.
    Rejected,
    /// Thrown away.
    Scrapped,
    /// Sent back to the supplier.
    Returned,
    /// They never came: the receipt was reversed.
    Reversed,
}

impl Place {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Stocked,
        Self::Held,
        Self::Rejected,
        Self::Scrapped,
        Self::Returned,
        Self::Reversed,
    ];
}

impl Goods {
    /// How much lies there.
    #[must_use]
    pub fn at(&self, place: Place) -> Quantity {
        self.lies.get(&place).copied().unwrap_or_default()
    }

    /// How much of it came in all.
    #[must_use]
    pub fn came(&self) -> Quantity {
        self.lies.values().copied().sum()
    }
}

impl Line {
    /// How much of what came lies there.
    #[must_use]
    pub fn at(&self, place: Place) -> Quantity {
        self.goods.iter().map(|goods| goods.at(place)).sum()
    }

    /// How much of what is meant lies there.
    #[must_use]
    pub fn there(&self, of: Meant<'_>, place: Place) -> Quantity {
        let meant = self.goods.iter().filter(|goods| of.fits(goods));
        meant.map(|goods| goods.at(place)).sum()
    }

    /// What came in all, reversed receipts included.
    #[must_use]
    pub fn came(&self) -> Quantity {
        self.goods.iter().map(Goods::came).sum()
    }

    /// What came and was not reversed: stocked, held, rejected, scrapped or returned.
    #[must_use]
    pub fn received(&self) -> Quantity {
        self.came() - self.at(Place::Reversed)
    }

    /// What came and did not go back: what Odoo counts as received.
    #[must_use]
    pub fn kept(&self) -> Quantity {
        self.received() - self.at(Place::Returned)
    }

    /// What may be paid: received, and neither returned nor held nor rejected.
    #[must_use]
    pub fn payable(&self) -> Quantity {
        self.at(Place::Stocked)
    }

    /// How much was matched for payment, credit notes taken off.
    #[must_use]
    pub fn invoiced(&self) -> Quantity {
        let signed = |billed: &Billed| {
            if billed.credit {
                Quantity::ZERO - billed.paid.quantity
            } else {
                billed.paid.quantity
            }
        };
        self.billed.iter().map(signed).sum()
    }

    /// What that costs before tax.
    #[must_use]
    pub fn invoiced_net(&self) -> Amount {
        let signed = |billed: &Billed| {
            if billed.credit {
                Amount::ZERO - billed.paid.net
            } else {
                billed.paid.net
            }
        };
        self.billed.iter().map(signed).sum()
    }

    /// How much is still expected.
    #[must_use]
    pub fn open(&self) -> Quantity {
        let done = if self.service {
            self.invoiced()
        } else {
            self.kept()
        };
        if self.cancelled || self.short_closed || done >= self.ordered {
            return Quantity::ZERO;
        }
        self.ordered - done
    }

    /// Whether the supplier has refused it and the buyer does not know yet.
    #[must_use]
    pub fn is_refused_unseen(&self) -> bool {
        let by_supplier = |(key, amendment): (&AmendmentKey, &Amendment)| {
            amendment.cancelled && key.by == Party::Supplier
        };
        !self.refusal_seen && self.amendments.iter().any(by_supplier)
    }

    /// Whether nothing is expected, nothing waits for a decision about it, and what may be paid is billed.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let invoiced = self.invoiced();
        if self.is_refused_unseen() {
            return false;
        }
        if self.service {
            return self.cancelled || self.short_closed || invoiced >= self.ordered;
        }
        self.open() <= self.may_miss
            && self.at(Place::Held).is_zero()
            && (invoiced == self.payable() || (self.credit_waived && invoiced > self.payable()))
    }

    /// What Odoo's line is to show as ordered: a cancelled line keeps what came of it.
    #[must_use]
    pub fn quantity_in_odoo(&self) -> Quantity {
        if self.cancelled {
            self.kept()
        } else {
            self.ordered
        }
    }

    /// The day that Odoo is to plan with.
    #[must_use]
    pub fn planned(&self, order_date: Day) -> Day {
        self.promised_date.or(self.need_date).unwrap_or(order_date)
    }

    /// The line as it was agreed before an amendment, whatever has come since.
    #[must_use]
    pub fn before(&self, key: &AmendmentKey) -> Terms {
        let mut terms = self.first.clone();
        for (_, amendment) in self.amendments.range(..key.clone()) {
            terms.quantity = amendment.quantity.unwrap_or(terms.quantity);
            terms.unit_price = amendment.unit_price.unwrap_or(terms.unit_price);
            terms.need_date = amendment.need_date.or(terms.need_date);
        }
        terms
    }

    /// Takes an amendment up: what holds follows from all of them in the order of the business.
    pub fn amend(&mut self, key: AmendmentKey, amendment: Amendment) {
        self.amendments.insert(key, amendment);
        self.ordered = self.first.quantity;
        self.unit_price = self.first.unit_price;
        self.need_date = self.first.need_date;
        self.promised_date = None;
        for amendment in self.amendments.values() {
            self.ordered = amendment.quantity.unwrap_or(self.ordered);
            self.unit_price = amendment.unit_price.unwrap_or(self.unit_price);
            self.need_date = amendment.need_date.or(self.need_date);
            self.promised_date = amendment.promised_date.or(self.promised_date);
            self.cancelled = self.cancelled || amendment.cancelled;
        }
    }

    /// Sets what may be missing, from the plant's tolerances.
    pub fn tolerate(&mut self, tolerances: &ReceiptTolerances) {
        self.may_miss = tolerances.under(&self.uom, self.ordered);
    }

    /// Puts goods of a receipt somewhere.
    pub fn put(&mut self, receipt: &Code, lot: Option<&Code>, place: Place, quantity: Quantity) {
        if quantity.is_zero() {
            return;
        }
        let known = self
            .goods
            .iter()
            .position(|goods| goods.receipt == *receipt && goods.lot.as_ref() == lot);
        let at = known.unwrap_or_else(|| {
            self.goods.push(Goods {
                receipt: receipt.clone(),
                lot: lot.cloned(),
                lies: BTreeMap::new(),
            });
            self.goods.len() - 1
        });
        if let Some(goods) = self.goods.get_mut(at) {
            let now = goods.at(place) + quantity;
            if now.is_zero() {
                goods.lies.remove(&place);
            } else {
                goods.lies.insert(place, now);
            }
        }
        // Receipts come in any order; what is stored does not depend on it.
        self.goods
            .sort_by(|one, other| (&one.receipt, &one.lot).cmp(&(&other.receipt, &other.lot)));
    }

    /// Moves goods of a receipt from one place to another.
    pub fn shift(&mut self, of: &GoodsMove) {
        let nothing = Quantity::ZERO;
        self.put(&of.receipt, of.lot.as_ref(), of.from, nothing - of.quantity);
        self.put(&of.receipt, of.lot.as_ref(), of.to, of.quantity);
    }

    /// Takes a quantity from where goods lie, one receipt and lot after the other; none when there is less.
    #[must_use]
    pub fn take(
        &self,
        from: &[Place],
        to: Place,
        wanted: Quantity,
        of: Meant<'_>,
    ) -> Option<Vec<GoodsMove>> {
        let mut moves = Vec::new();
        let mut left = wanted;
        for place in from {
            for goods in self.goods.iter().filter(|goods| of.fits(goods)) {
                let quantity = goods.at(*place).min(left);
                if quantity.is_positive() {
                    left = left - quantity;
                    moves.push(GoodsMove {
                        line_no: self.line_no.clone(),
                        receipt: goods.receipt.clone(),
                        lot: goods.lot.clone(),
                        quantity,
                        from: *place,
                        to,
                    });
                }
            }
        }
        left.is_zero().then_some(moves)
    }
}

/// Which goods are meant.
#[derive(Debug, Clone, Copy, Default)]
pub struct Meant<'a> {
    /// Those of this receipt.
    pub receipt: Option<&'a Code>,
    /// Those of this lot.
    pub lot: Option<&'a Code>,
}

impl Meant<'_> {
    /// Whether these are meant.
    #[must_use]
    pub fn fits(&self, goods: &Goods) -> bool {
        self.receipt.is_none_or(|receipt| *receipt == goods.receipt)
            && self.lot.is_none_or(|lot| goods.lot.as_ref() == Some(lot))
    }
}

/// Goods that go from one place to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoodsMove {
    /// The order's line.
    pub line_no: Code,
    /// The receipt by which they came.
    pub receipt: Code,
    /// The lot or serial number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lot: Option<Code>,
    /// How much, in the unit of the order.
    pub quantity: Quantity,
    /// From where.
    pub from: Place,
    /// To where.
    pub to: Place,
}

/// Amendments as a list: a JSON object's keys are text.
mod amendments {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{Amendment, AmendmentKey};

    pub(super) fn serialize<S: Serializer>(
        map: &BTreeMap<AmendmentKey, Amendment>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        map.iter().collect::<Vec<_>>().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<AmendmentKey, Amendment>, D::Error> {
        let list = Vec::<(AmendmentKey, Amendment)>::deserialize(deserializer)?;
        Ok(list.into_iter().collect())
    }
}
