//! What the form of a production order's facts cannot say.

use std::collections::BTreeSet;

use super::{above_zero, contradiction, positive, sent_by};
use crate::decimal::Quantity;
use crate::fact::{
    Code, Contradiction, FgReceived, IssuedLine, MaterialIssued, MaterialReturned, MoCancelled,
    MoChanged, MoClosed, MoHeld, MoReleased, MoResumed, MoStarted, Moment, OperationCompleted,
    OrderState, ProductionExceptionReported, ReturnedLine, ScrapReported,
};
use crate::identifier::PlantCode;

type Checked = Result<(), Contradiction>;

impl MoReleased {
    pub(super) fn check(&self, plant: &PlantCode) -> Checked {
        sent_by(self.plant.as_ref(), plant, "the order")?;
        above_zero("/qty", self.qty)?;
        in_order(
            "/plannedEnd",
            self.planned_start.as_ref(),
            self.planned_end.as_ref(),
        )?;
        means(self.state, &["released"])
    }
}

impl MoChanged {
    pub(super) fn check(&self) -> Checked {
        let changes = &self.changes;
        if changes.is_empty() {
            return Err(contradiction(
                "/changes",
                "the change changes nothing: name what is different now; an order is taken back by mo.cancelled".to_owned(),
            ));
        }
        if let Some(quantity) = changes.qty {
            above_zero("/changes/qty", quantity)?;
        }
        in_order(
            "/changes/plannedEnd",
            changes.planned_start.as_ref(),
            changes.planned_end.as_ref(),
        )
    }
}

impl MoCancelled {
    pub(super) fn check(&self) -> Checked {
        means(self.state, &["cancelled"])
    }
}

impl MoStarted {
    pub(super) fn check(&self) -> Checked {
        if let Some(quantity) = self.started_qty {
            above_zero("/startedQty", quantity)?;
            if self.at.is_none() && self.start_number.is_none() {
                return Err(contradiction(
                    "/startedQty",
                    "an order that is started in parts needs `startNumber` or `at` with each start: two starts of the same quantity could not be told apart".to_owned(),
                ));
            }
        }
        means(self.state, &["in progress"])
    }
}

impl MoHeld {
    pub(super) fn check(&self) -> Checked {
        told_apart(self.hold_number.as_ref(), self.at.as_ref())?;
        means(self.state, &["held"])
    }
}

impl MoResumed {
    pub(super) fn check(&self) -> Checked {
        told_apart(self.hold_number.as_ref(), self.at.as_ref())?;
        means(self.state, &["released", "in progress"])
    }
}

impl MoClosed {
    pub(super) fn check(&self) -> Checked {
        if let Some(totals) = &self.totals {
            not_below_zero("/totals/goodQty", totals.good_qty)?;
            not_below_zero("/totals/scrapQty", totals.scrap_qty)?;
            if let Some(hours) = totals.hours {
                not_below_zero("/totals/hours", hours)?;
            }
        }
        if let Some(index) = repeated(&self.variance_flags) {
            return Err(contradiction(
                &format!("/varianceFlags/{index}"),
                "a flag appears twice; send each once".to_owned(),
            ));
        }
        means(self.state, &["closed"])
    }
}

impl ProductionExceptionReported {
    pub(super) fn check(&self) -> Checked {
        self.qty_at_risk
            .map_or(Ok(()), |quantity| above_zero("/qtyAtRisk", quantity))
    }
}

impl MaterialIssued {
    pub(super) fn check(&self) -> Checked {
        let mut serials = BTreeSet::new();
        for (index, line) in self.lines.iter().enumerate() {
            goods(
                index,
                &line.item_id,
                line.qty,
                line.lot_id.as_ref(),
                &line.serials,
            )?;
            once(&mut serials, index, &line.item_id, &line.serials)?;
            if let Some(scrap) = line.scrap_qty
                && (scrap.decimal().is_sign_negative() || scrap > line.qty)
            {
                return Err(contradiction(
                    &format!("/lines/{index}/scrapQty"),
                    format!(
                        "{scrap} of {} scrapped, but {} taken",
                        line.item_id, line.qty
                    ),
                ));
            }
        }
        let same = |line: &IssuedLine| {
            (
                line.line_no.clone(),
                line.item_id.clone(),
                line.lot_id.clone(),
                line.warehouse.clone(),
            )
        };
        distinct_goods(&self.lines.iter().map(same).collect::<Vec<_>>())
    }
}

impl MaterialReturned {
    pub(super) fn check(&self) -> Checked {
        let mut serials = BTreeSet::new();
        for (index, line) in self.lines.iter().enumerate() {
            goods(
                index,
                &line.item_id,
                line.qty,
                line.lot_id.as_ref(),
                &line.serials,
            )?;
            once(&mut serials, index, &line.item_id, &line.serials)?;
        }
        let same = |line: &ReturnedLine| {
            (
                line.line_no.clone(),
                line.item_id.clone(),
                line.lot_id.clone(),
                line.warehouse.clone(),
            )
        };
        distinct_goods(&self.lines.iter().map(same).collect::<Vec<_>>())
    }
}

impl OperationCompleted {
    pub(super) fn check(&self) -> Checked {
        not_below_zero("/goodQty", self.good_qty)?;
        not_below_zero("/scrapQty", self.scrap_qty)?;
        let hours = [("/hours", self.hours), ("/setupHours", self.setup_hours)];
        for (pointer, hours) in hours {
            not_below_zero(pointer, hours.unwrap_or_default())?;
        }
        in_order(
            "/actualEnd",
            self.actual_start.as_ref(),
            self.actual_end.as_ref(),
        )?;
        let spent = hours
            .iter()
            .any(|(_, hours)| hours.is_some_and(Quantity::is_positive));
        if !self.is_final && !spent && !(self.good_qty + self.scrap_qty).is_positive() {
            return Err(contradiction(
                "/goodQty",
                "nothing was made, scrapped or worked: there is nothing to report".to_owned(),
            ));
        }
        if self.report_number.is_none() && !self.is_final {
            return Err(contradiction(
                "/reportNumber",
                "a report that is not `final` needs a `reportNumber`: two reports of the same quantity could not be told apart".to_owned(),
            ));
        }
        Ok(())
    }
}

impl ScrapReported {
    pub(super) fn check(&self) -> Checked {
        above_zero("/qty", self.qty)
    }
}

impl FgReceived {
    pub(super) fn check(&self) -> Checked {
        let mut serials = BTreeSet::new();
        for (index, line) in self.lines.iter().enumerate() {
            goods(
                index,
                &line.item_id,
                line.qty,
                line.lot_id.as_ref(),
                &line.serials,
            )?;
            once(&mut serials, index, &line.item_id, &line.serials)?;
        }
        let lines: Vec<_> = self
            .lines
            .iter()
            .map(|line| {
                (
                    None,
                    line.item_id.clone(),
                    line.lot_id.clone(),
                    line.warehouse.clone(),
                )
            })
            .collect();
        distinct_goods(&lines)?;
        if let Some(index) = repeated(&self.input_lots) {
            return Err(contradiction(
                &format!("/inputLots/{index}"),
                "a lot appears twice; send each once".to_owned(),
            ));
        }
        Ok(())
    }
}

/// A line of goods: more than nothing, by lot or by serial numbers, one for each piece.
fn goods(
    index: usize,
    item: &Code,
    quantity: Quantity,
    lot: Option<&Code>,
    serials: &[Code],
) -> Checked {
    positive(index, "qty", item, quantity)?;
    if serials.is_empty() {
        return Ok(());
    }
    let pointer = format!("/lines/{index}/serials");
    if lot.is_some() {
        let message = "an item has lots or serial numbers, not both";
        return Err(contradiction(&pointer, message.to_owned()));
    }
    if quantity != Quantity::count(serials.len()) {
        return Err(contradiction(
            &pointer,
            format!(
                "{} serial numbers for a quantity of {quantity}",
                serials.len()
            ),
        ));
    }
    Ok(())
}

/// Serial numbers of an item, each once in the whole document.
fn once<'a>(
    seen: &mut BTreeSet<(&'a Code, &'a Code)>,
    index: usize,
    item: &'a Code,
    serials: &'a [Code],
) -> Checked {
    for serial in serials {
        if !seen.insert((item, serial)) {
            return Err(contradiction(
                &format!("/lines/{index}/serials"),
                format!("{serial} of {item} appears twice"),
            ));
        }
    }
    Ok(())
}

/// What tells two lines of goods apart: line, item, lot, warehouse.
type GoodsKey = (Option<Code>, Code, Option<Code>, Option<Code>);

fn distinct_goods(lines: &[GoodsKey]) -> Checked {
    let Some(index) = repeated(lines) else {
        return Ok(());
    };
    let (field, what) = match lines.get(index) {
        Some((_, _, Some(lot), _)) => ("lotId", format!("lot {lot} of the same item")),
        Some((_, item, None, _)) => ("itemId", format!("item {item}")),
        None => ("itemId", "an item".to_owned()),
    };
    Err(contradiction(
        &format!("/lines/{index}/{field}"),
        format!("{what} appears twice; send each once, with the whole quantity"),
    ))
}

/// Where something comes that came before.
fn repeated<T: PartialEq>(all: &[T]) -> Option<usize> {
    all.iter()
        .enumerate()
        .position(|(index, one)| all.iter().take(index).any(|earlier| earlier == one))
}

fn not_below_zero(pointer: &str, quantity: Quantity) -> Checked {
    if quantity.decimal().is_sign_negative() {
        return Err(contradiction(
            pointer,
            format!("it must not be below zero, and is {quantity}"),
        ));
    }
    Ok(())
}

fn in_order(pointer: &str, start: Option<&Moment>, end: Option<&Moment>) -> Checked {
    if let (Some(start), Some(end)) = (start, end)
        && end.timestamp() < start.timestamp()
    {
        return Err(contradiction(
            pointer,
            format!("it ends at {end}, before it begins at {start}"),
        ));
    }
    Ok(())
}

/// An order may be held and resumed more than once, for the same reason.
fn told_apart(number: Option<&Code>, at: Option<&Moment>) -> Checked {
    if number.is_none() && at.is_none() {
        return Err(contradiction(
            "/holdNumber",
            "name the hold by `holdNumber`, or say when by `at`: two of them could not be told apart"
                .to_owned(),
        ));
    }
    Ok(())
}

/// A state that is sent with a fact must mean what the fact says, or the wrong fact was chosen.
fn means(state: Option<OrderState>, allowed: &[&str]) -> Checked {
    let Some(state) = state.filter(|state| !allowed.contains(&state.meaning())) else {
        return Ok(());
    };
    Err(contradiction(
        "/state",
        format!(
            "an order that is `{state:?}` is {}, but this fact says {}: send the fact that the state means; a planned order is none yet",
            state.meaning(),
            allowed.join(" or ")
        ),
    ))
}
