//! An order of Odoo's in the plant's own codes: suppliers, items, units and taxes by their external ids.

use std::collections::{BTreeMap, BTreeSet};

use interplant_domain::decimal::{Quantity, UnitPrice};
use interplant_domain::exception::Code as ExceptionCode;
use interplant_domain::fact::{Code, Currency, Day};
use interplant_domain::identifier::ExternalId;
use interplant_domain::plant::Plant;
use interplant_domain::standing::{Standing, StandingLine, numbered};
use interplant_odoo::{ChangedLine, ChangedOrder, Client, Error, Named, OrderState, model};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// More lines than this no order may have.
const MOST_LINES: usize = 1000;

/// The largest fact: what is stored of an order and what a plant is told of it stay within their limits.
const MOST_BYTES: usize = 200_000;

/// Why an order cannot be taken up: a person has to mend something in Odoo or in the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) code: ExceptionCode,
    pub(crate) text: String,
}

/// External ids of what orders name, asked for once and kept as long as a reading lasts.
#[derive(Debug, Default)]
pub(crate) struct Codes {
    known: BTreeMap<&'static str, BTreeMap<i64, Vec<ExternalId>>>,
}

impl Codes {
    /// Asks for what these orders name and is not known yet: one call for each kind of record.
    pub(crate) async fn learn(
        &mut self,
        odoo: &Client,
        orders: &[&ChangedOrder],
    ) -> Result<(), Error> {
        let lines = || orders.iter().flat_map(|order| &order.lines);
        let id = |named: &Named| named.id;
        let wanted: [(&'static str, BTreeSet<i64>); 4] = [
            (
                model::PARTNER,
                orders.iter().map(|order| order.partner.id).collect(),
            ),
            (
                model::ITEM,
                lines()
                    .filter_map(|line| line.item.as_ref().map(id))
                    .collect(),
            ),
            (
                model::UNIT,
                lines()
                    .filter_map(|line| line.unit.as_ref().map(id))
                    .collect(),
            ),
            (
                model::TAX,
                lines()
                    .flat_map(|line| line.taxes.iter().copied())
                    .collect(),
            ),
        ];
        for (model, ids) in wanted {
            let known = self.known.entry(model).or_default();
            let missing: Vec<i64> = ids
                .into_iter()
                .filter(|id| !known.contains_key(id))
                .collect();
            let found = odoo.external_ids(model, &missing).await?;
            known.extend(found);
        }
        Ok(())
    }

    fn of(&self, model: &str, id: i64) -> &[ExternalId] {
        self.known
            .get(model)
            .and_then(|known| known.get(&id))
            .map_or(&[], Vec::as_slice)
    }

    /// The order in the plant's codes.
    ///
    /// # Errors
    /// Everything that keeps it from being taken up.
    pub(crate) fn standing(
        &self,
        plant: &Plant,
        order: &ChangedOrder,
        before: Option<&Standing>,
    ) -> Result<Standing, Vec<Problem>> {
        let confirmed = is_confirmed(order);
        if let Some(before) = before.filter(|_| !confirmed) {
            // What stands in an order that is none any more does not matter.
            let confirmed = false;
            return Ok(Standing {
                confirmed,
                ..before.clone()
            });
        }
        let mut problems = Vec::new();
        let supplier = plant.supplier_of(
            self.of(model::PARTNER, order.partner.id),
            order.partner.code.as_deref(),
        );
        if supplier.is_none() {
            problems.push(unknown(
                ExceptionCode::UnknownPartner,
                "supplier",
                model::PARTNER,
                &order.partner,
                &plant.odoo.partners,
            ));
        }
        if order.lines.len() > MOST_LINES {
            problems.push(Problem {
                code: ExceptionCode::OrderDiffers,
                text: format!("it has more than {MOST_LINES} lines: split it"),
            });
        }
        let ids: Vec<i64> = order.lines.iter().map(|line| line.id).collect();
        let numbers = numbered(before, &ids);
        let mut lines = Vec::new();
        for line in &order.lines {
            let no = numbers.get(&line.id).cloned();
            let no = no.unwrap_or_else(|| Code::new(&line.id.to_string()));
            lines.extend(self.line(plant, line, no, &mut problems));
        }
        let currency = currency(&order.currency, &mut problems);
        let (Some(supplier), Some(currency), []) = (supplier, currency, problems.as_slice()) else {
            return Err(problems);
        };
        let placed = order.confirmed_at.or(order.ordered_at);
        let standing = Standing {
            number: Code::new(&order.name),
            odoo_id: order.id,
            supplier,
            currency,
            order_date: day(placed.unwrap_or(order.written_at)),
            confirmed,
            lines,
        };
        let size = standing.created().data().map(|data| data.to_string().len());
        if size.is_ok_and(|size| size <= MOST_BYTES) {
            return Ok(standing);
        }
        Err(vec![Problem {
            code: ExceptionCode::OrderDiffers,
            text: format!(
                "it is larger than {} KB as a fact: split it",
                MOST_BYTES / 1000
            ),
        }])
    }

    fn line(
        &self,
        plant: &Plant,
        line: &ChangedLine,
        line_no: Code,
        problems: &mut Vec<Problem>,
    ) -> Option<StandingLine> {
        let before = problems.len();
        let item = line.item.as_ref().and_then(|item| {
            let code = plant.item_of(self.of(model::ITEM, item.id), item.code.as_deref());
            if code.is_none() {
                problems.push(unknown(
                    ExceptionCode::UnknownItem,
                    "item",
                    model::ITEM,
                    item,
                    &plant.odoo.items,
                ));
            }
            code
        });
        let uom = line.unit.as_ref().and_then(|unit| {
            let code = plant.unit_of(self.of(model::UNIT, unit.id));
            code.map_err(|why| problems.push(unlisted("unit", model::UNIT, unit, &why)))
                .ok()
        });
        let tax_code = self.tax(plant, line, problems);
        let mut says = |wrong: bool, text: String| {
            if wrong {
                let code = ExceptionCode::OrderDiffers;
                problems.push(Problem { code, text });
            }
        };
        says(
            line.item.is_none() || line.unit.is_none(),
            format!("line {line_no} has no item or no unit: give it one, or make it a note"),
        );
        says(
            !line.discount.is_zero(),
            format!(
                "line {line_no} has a discount of {} %: give it the net price instead",
                line.discount
            ),
        );
        let quantity = line.quantity.to_string().parse::<Quantity>();
        let price = line.price.to_string().parse::<UnitPrice>();
        says(
            quantity.is_err()
                || line.quantity.decimal().is_sign_negative() && !line.quantity.is_zero(),
            format!(
                "line {line_no} orders {}: a quantity is not below zero and has at most {} decimal places",
                line.quantity,
                Quantity::PLACES
            ),
        );
        says(
            price.is_err() || line.price.decimal().is_sign_negative() && !line.price.is_zero(),
            format!(
                "line {line_no} costs {}: a price is not below zero and has at most {} decimal places",
                line.price,
                UnitPrice::PLACES
            ),
        );
        if problems.len() > before {
            return None;
        }
        Some(StandingLine {
            odoo_line: line.id,
            line_no,
            item: item?,
            uom: uom?,
            tax_code,
            qty: quantity.ok()?,
            unit_price: price.ok()?,
            planned: line.planned.map(day),
        })
    }

    fn tax(&self, plant: &Plant, line: &ChangedLine, problems: &mut Vec<Problem>) -> Option<Code> {
        match line.taxes.as_slice() {
            [] => None,
            [tax] => {
                let named = Named {
                    id: *tax,
                    code: None,
                    name: "tax".to_owned(),
                };
                let code = plant.tax_of(self.of(model::TAX, *tax));
                code.map_err(|why| problems.push(unlisted("tax", model::TAX, &named, &why)))
                    .ok()
            }
            several => {
                problems.push(Problem {
                    code: ExceptionCode::UnknownCode,
                    text: format!("a line has {} taxes: one is taken at most", several.len()),
                });
                None
            }
        }
    }
}

/// Whether an order is one: confirmed, not a request and not cancelled.
pub(crate) fn is_confirmed(order: &ChangedOrder) -> bool {
    matches!(order.state, OrderState::Confirmed | OrderState::Locked)
}

fn day(at: Timestamp) -> Day {
    Day(at.to_zoned(TimeZone::UTC).date())
}

fn currency(code: &str, problems: &mut Vec<Problem>) -> Option<Currency> {
    let read = serde_json::from_value(serde_json::Value::String(code.to_owned())).ok();
    if read.is_none() {
        problems.push(Problem {
            code: ExceptionCode::UnknownCode,
            text: format!("the currency {code} is none that is known"),
        });
    }
    read
}

/// Text of Odoo's for a message: not too long, and nothing in it that a terminal would obey.
fn shown(text: &str) -> String {
    let plain = text
        .chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c });
    plain.take(80).collect()
}

fn unknown(code: ExceptionCode, what: &str, model: &str, named: &Named, prefix: &str) -> Problem {
    let reference = named
        .code
        .as_deref()
        .map_or_else(|| "none".to_owned(), shown);
    let name = shown(&named.name);
    Problem {
        code,
        text: format!(
            "the {what} `{name}` ({model} {}, reference {reference}) is none of the plant's: give it the external id {prefix}_<code> and the plant's code as its reference",
            named.id
        ),
    }
}

fn unlisted(what: &str, model: &str, named: &Named, why: &str) -> Problem {
    Problem {
        code: ExceptionCode::UnknownCode,
        text: format!(
            "the {what} `{}` ({model} {}) {why}",
            shown(&named.name),
            named.id
        ),
    }
}
