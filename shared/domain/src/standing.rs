//! A purchase order as it stands in Odoo, in the plant's own codes, and what people have changed of it as
//! facts: for orders that belong to Odoo.
//!
//! Odoo says how an order is, not what was done to it. So what was seen last is kept, and the difference is
//! the fact. What Interplant itself wrote into the order (a supplier's answer) is no change: the lifecycle
//! has it already.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::decimal::{Quantity, UnitPrice};
use crate::fact::{
    CancelledGoods, ChangedLine, Code, Currency, Day, Fact, Number, Owner, PoCancelled, PoChanged,
    PoCreated, PoLine, Remark,
};
use crate::purchase_order::{Line, PurchaseOrder};

/// An order as it stands in Odoo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Odoo's number, which is the order's.
    pub number: Code,
    /// Odoo's id.
    pub odoo_id: i64,
    /// The supplier.
    pub supplier: Code,
    /// The currency.
    pub currency: Currency,
    /// The day it was placed.
    pub order_date: Day,
    /// Whether it is confirmed, not cancelled and not a request again.
    pub confirmed: bool,
    /// Its lines, those of no quantity too.
    pub lines: Vec<StandingLine>,
}

/// A line of a [`Standing`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandingLine {
    /// Odoo's id.
    pub odoo_line: i64,
    /// Its number: Odoo has none, so lines are counted from 1, and a line keeps its number.
    pub line_no: Code,
    /// The item.
    pub item: Code,
    /// The unit.
    pub uom: Code,
    /// The tax code.
    pub tax_code: Option<Code>,
    /// How much.
    pub qty: Quantity,
    /// Price per unit.
    pub unit_price: UnitPrice,
    /// When it is expected.
    pub planned: Option<Day>,
}

/// What people have changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Differences {
    /// As facts, each of a revision of its own.
    pub facts: Vec<Fact>,
    /// What no fact can say, in words: a person has to look.
    pub beyond: Vec<String>,
}

/// Numbers for lines by Odoo's ids: those that were given stay, and new lines follow.
#[must_use]
pub fn numbered(before: Option<&Standing>, odoo_lines: &[i64]) -> BTreeMap<i64, Code> {
    let mut given: BTreeMap<i64, Code> = before
        .into_iter()
        .flat_map(|before| &before.lines)
        .map(|line| (line.odoo_line, line.line_no.clone()))
        .collect();
    let mut last = given
        .values()
        .filter_map(|no| no.as_str().parse::<u32>().ok())
        .max()
        .unwrap_or(0);
    for id in odoo_lines {
        if !given.contains_key(id) {
            last += 1;
            given.insert(*id, Code::new(&last.to_string()));
        }
    }
    given
}

impl Standing {
    /// The fact that the order exists.
    #[must_use]
    pub fn created(&self) -> Fact {
        let lines = self.lines.iter().filter(|line| line.qty.is_positive());
        Fact::PoCreated(PoCreated {
            po_number: self.number.clone(),
            plant: None,
            supplier_id: self.supplier.clone(),
            currency: self.currency.clone(),
            order_date: self.order_date,
            charges: Vec::new(),
            owner: Owner::Odoo,
            odoo_id: Some(self.odoo_id),
            lines: lines
                .map(|line| PoLine {
                    line_no: line.line_no.clone(),
                    item_id: line.item.clone(),
                    qty: line.qty,
                    uom: line.uom.clone(),
                    unit_price: line.unit_price,
                    tax_code: line.tax_code.clone(),
                    need_date: line.planned,
                    odoo_line: Some(line.odoo_line),
                })
                .collect(),
        })
    }

    /// What people have changed since `before`, as facts from this revision on. `agreed` is the order as its
    /// lifecycle has it, when everything that was seen before has reached it: what it has already is left
    /// out.
    #[must_use]
    pub fn differences(
        &self,
        before: &Self,
        agreed: Option<&PurchaseOrder>,
        revision: u32,
    ) -> Differences {
        let mut found = Differences::default();
        if !self.confirmed {
            let known = agreed
                .and_then(|order| order.in_odoo.as_ref())
                .is_some_and(|order| order.cancelled);
            if before.confirmed && !known {
                found.facts.push(self.cancelled(Vec::new(), revision));
            }
            return found;
        }
        if self.supplier != before.supplier || self.currency != before.currency {
            found.beyond.push(format!(
                "supplier and currency are {} and {} now, and were {} and {}",
                self.supplier,
                self.currency.as_str(),
                before.supplier,
                before.currency.as_str()
            ));
        }
        let mut changed = Vec::new();
        let mut gone = Vec::new();
        for line in &self.lines {
            let earlier = before
                .lines
                .iter()
                .find(|one| one.odoo_line == line.odoo_line);
            let agreed = agreed.and_then(|order| {
                let own = order
                    .lines
                    .iter()
                    .find(|one| one.odoo_line == Some(line.odoo_line));
                own.map(|own| (order, own))
            });
            match earlier {
                // Confirmed once more after it was cancelled: everything of it is said again.
                Some(earlier) if before.confirmed => {
                    found.beyond.extend(line.beyond(earlier));
                    if line.qty.is_zero() && !earlier.qty.is_zero() {
                        if agreed.is_none_or(|(_, own)| !own.quantity_in_odoo().is_zero()) {
                            gone.push(line.line_no.clone());
                        }
                    } else {
                        changed.extend(line.changed(earlier, agreed));
                    }
                }
                Some(_) | None => changed.extend(line.added()),
            }
        }
        for earlier in &before.lines {
            let there = self
                .lines
                .iter()
                .any(|line| line.odoo_line == earlier.odoo_line);
            if !there && !earlier.qty.is_zero() {
                gone.push(earlier.line_no.clone());
            }
        }
        let mut revision = revision;
        if !gone.is_empty() {
            found.facts.push(self.cancelled(gone, revision));
            revision += 1;
        }
        if !changed.is_empty() {
            found.facts.push(Fact::PoChanged(PoChanged {
                po_number: self.number.clone(),
                po_revision: Number(revision),
                owner: Owner::Odoo,
                changed_lines: changed,
            }));
        }
        found
    }

    fn cancelled(&self, lines: Vec<Code>, revision: u32) -> Fact {
        Fact::PoCancelled(PoCancelled {
            po_number: self.number.clone(),
            lines,
            reason: Remark("cancelled in Odoo".to_owned()),
            goods: CancelledGoods::Keep,
            owner: Owner::Odoo,
            po_revision: Some(Number(revision)),
        })
    }
}

impl StandingLine {
    fn added(&self) -> Option<ChangedLine> {
        self.qty.is_positive().then(|| ChangedLine {
            line_no: self.line_no.clone(),
            item_id: Some(self.item.clone()),
            uom: Some(self.uom.clone()),
            tax_code: self.tax_code.clone(),
            qty: Some(self.qty),
            unit_price: Some(self.unit_price),
            need_date: self.planned,
            odoo_line: Some(self.odoo_line),
        })
    }

    fn changed(
        &self,
        earlier: &Self,
        agreed: Option<(&PurchaseOrder, &Line)>,
    ) -> Option<ChangedLine> {
        if earlier.qty.is_zero() {
            return self.added();
        }
        let agreed = |same: &dyn Fn(&PurchaseOrder, &Line) -> bool| {
            agreed.is_some_and(|(order, line)| same(order, line))
        };
        let qty = (self.qty != earlier.qty
            && !agreed(&|_, line| line.quantity_in_odoo() == self.qty))
        .then_some(self.qty);
        let unit_price = (self.unit_price != earlier.unit_price
            && !agreed(&|_, line| line.unit_price == self.unit_price))
        .then_some(self.unit_price);
        let need_date = self.planned.filter(|day| {
            self.planned != earlier.planned
                && !agreed(&|order, line| line.planned(order.order_date) == *day)
        });
        let same = qty.is_none() && unit_price.is_none() && need_date.is_none();
        (!same).then(|| ChangedLine {
            line_no: self.line_no.clone(),
            item_id: None,
            uom: None,
            tax_code: None,
            qty,
            unit_price,
            need_date,
            odoo_line: Some(self.odoo_line),
        })
    }

    /// What a change of an order cannot say.
    fn beyond(&self, earlier: &Self) -> Option<String> {
        let says = |line: &Self| {
            let tax = line.tax_code.as_ref().map_or("none", Code::as_str);
            format!("item {}, unit {}, tax {tax}", line.item, line.uom)
        };
        (says(self) != says(earlier)).then(|| {
            format!(
                "line {} is {} now, and was {}",
                self.line_no,
                says(self),
                says(earlier)
            )
        })
    }
}
