//! Writes what changed of an order into Odoo, or takes note of what changed there: for `Acknowledge`, `Change`
//! and `Cancel`.

use interplant_domain::exception::{Code, Exception};
use interplant_domain::fact::Owner;
use interplant_domain::lifecycle::Resume;
use interplant_domain::purchase_order::{PurchaseOrder, Refusal};
use interplant_odoo::{Client, LineTerms, NewOrderLine, Order, OrderUpdate};
use interplant_runtime::step::{StepError, Work};
use jiff::tz::TimeZone;

use crate::create::{as_open_receipts, new_line, still_there};

/// Brings Odoo's order to what `wanted` says, and takes over what Odoo expects then.
///
/// Safe to repeat: quantities, prices and dates are absolute and written in one call. After an attempt whose
/// end is not known Odoo is asked first, and nothing is written again while the first call may still be
/// running: coming late, it would undo the next change.
pub(crate) async fn write<P>(
    odoo: &Client,
    work: &Work<P>,
    before: &PurchaseOrder,
    wanted: &mut PurchaseOrder,
    reference: Option<String>,
) -> Result<(), StepError> {
    let Some(id) = wanted.in_odoo.as_ref().map(|order| order.id) else {
        return Err(StepError::Defect(format!(
            "order {} is changed before it was created",
            wanted.number
        )));
    };
    let mut read = match work.resume {
        Resume::First => None,
        Resume::Again { .. } => odoo.order(id).await?,
    };
    for line in wanted
        .lines
        .iter_mut()
        .filter(|line| line.odoo_line.is_none())
    {
        let order_id = work.id().external_id();
        let added: NewOrderLine = new_line(&work.plant, &order_id, line, before.order_date)?;
        line.odoo_line = Some(odoo.add_order_line(&order_id, &added).await?);
        read = None;
    }
    let added = wanted.lines.len() > before.lines.len();
    let update = OrderUpdate {
        reference,
        lines: changed(before, wanted),
    };
    // What people have changed in an order that is theirs must not be written over: the whole line is written.
    let theirs = wanted.owner == Owner::Odoo && !update.lines.is_empty();
    if read.is_none() && (theirs || lowers(before, &update)) {
        read = odoo.order(id).await?;
    }
    if let Some(read) = &read {
        nothing_more_came(wanted, read, &update)?;
        if theirs {
            nothing_was_changed(before, read, &update)?;
        }
    }
    let written = read.as_ref().is_some_and(|read| is_written(read, &update));
    if !written && (update.reference.is_some() || !update.lines.is_empty() || added) {
        if update.reference.is_some() || !update.lines.is_empty() {
            work.may_act()?;
            read = Some(odoo.update_order(id, &update).await?);
            interplant_runtime::failpoint!("amend.after_write");
        } else {
            read = odoo.order(id).await?;
        }
    }
    let Some(read) = read else {
        return Ok(());
    };
    let read = still_there(wanted, Some(read))?;
    if !is_written(&read, &update) {
        return Err(Exception::new(
            Code::OdooRefused,
            format!("Odoo did not keep what changed of order {}", wanted.number),
        )
        .into());
    }
    as_open_receipts(wanted, &read);
    Ok(())
}

/// Takes over what Odoo expects of an order that people have changed there; nothing is written.
pub(crate) async fn follow(odoo: &Client, order: &mut PurchaseOrder) -> Result<(), StepError> {
    let Some(id) = order.in_odoo.as_ref().map(|order| order.id) else {
        let what = format!("order {} is changed before it was taken over", order.number);
        return Err(StepError::Defect(what));
    };
    let read = still_there(order, odoo.order(id).await?)?;
    as_open_receipts(order, &read);
    Ok(())
}

/// The lines that are to be written are in Odoo as we know them, or are written already. Otherwise what people
/// have changed is on its way as a fact, and the answer waits for it.
fn nothing_was_changed(
    before: &PurchaseOrder,
    read: &Order,
    update: &OrderUpdate,
) -> Result<(), Refusal> {
    for wanted in &update.lines {
        let find = |one: &&interplant_odoo::OrderLine| one.id == wanted.line;
        let (Some(found), Some(known)) = (
            read.lines.iter().find(find),
            before
                .lines
                .iter()
                .find(|one| one.odoo_line == Some(wanted.line)),
        ) else {
            continue;
        };
        let day = found.planned.map(|at| at.to_zoned(TimeZone::UTC).date());
        let as_known = found.quantity == known.quantity_in_odoo()
            && found.price == known.unit_price
            && day == Some(known.planned(before.order_date).0);
        let as_wanted = found.quantity == wanted.quantity
            && found.price == wanted.price
            && day == Some(wanted.planned.0);
        if !as_known && !as_wanted {
            return Err(Refusal::Wait {
                reason: format!(
                    "line {} of order {} was changed in Odoo; the change is on its way as a fact",
                    known.line_no, before.number
                ),
                becomes: Code::OrderDiffers,
            });
        }
    }
    Ok(())
}

fn lowers(before: &PurchaseOrder, update: &OrderUpdate) -> bool {
    update.lines.iter().any(|line| {
        let earlier = before
            .lines
            .iter()
            .find(|one| one.odoo_line == Some(line.line));
        earlier.is_some_and(|earlier| line.quantity < earlier.quantity_in_odoo())
    })
}

/// Odoo 19 answers an order for less than was received with a transfer back to the supplier; 17 and 18
/// refuse it. What somebody has received in Odoo by hand, we see only there.
fn nothing_more_came(
    wanted: &PurchaseOrder,
    read: &Order,
    update: &OrderUpdate,
) -> Result<(), Exception> {
    for line in &update.lines {
        let found = read.lines.iter().find(|one| one.id == line.line);
        if let Some(found) = found.filter(|found| line.quantity < found.received) {
            let no = wanted
                .lines
                .iter()
                .find(|one| one.odoo_line == Some(line.line))
                .map_or_else(String::new, |one| one.line_no.to_string());
            return Err(Exception::new(
                Code::ChangeRefused,
                format!(
                    "order {} line {no} is to be {}, but Odoo counts {} received",
                    wanted.number, line.quantity, found.received
                ),
            ));
        }
    }
    Ok(())
}

fn changed(before: &PurchaseOrder, wanted: &PurchaseOrder) -> Vec<LineTerms> {
    let terms = |order: &PurchaseOrder, line: &interplant_domain::purchase_order::Line| {
        (
            line.quantity_in_odoo(),
            line.unit_price,
            line.planned(order.order_date),
        )
    };
    wanted
        .lines
        .iter()
        .filter_map(|line| {
            let earlier = before.lines.iter().find(|one| one.line_no == line.line_no);
            // A line that was just added is in Odoo as it is wanted.
            let same = earlier.is_none_or(|earlier| terms(before, earlier) == terms(wanted, line));
            let (quantity, price, planned) = terms(wanted, line);
            (!same).then_some(line.odoo_line?).map(|id| LineTerms {
                line: id,
                quantity,
                price,
                planned,
            })
        })
        .collect()
}

fn is_written(read: &Order, update: &OrderUpdate) -> bool {
    let reference = update
        .reference
        .as_ref()
        .is_none_or(|reference| read.supplier_reference.as_ref() == Some(reference));
    reference
        && update.lines.iter().all(|wanted| {
            read.lines.iter().any(|line| {
                line.id == wanted.line
                    && line.quantity == wanted.quantity
                    && line.price == wanted.price
                    && line
                        .planned
                        .is_some_and(|at| at.to_zoned(TimeZone::UTC).date() == wanted.planned.0)
            })
        })
}
