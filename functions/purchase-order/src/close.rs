//! Reads the last bill back, takes back what Odoo still expects, and ends the lifecycle. State `Close`.
//!
//! Safe to repeat: it reads, cancels receipts of which nothing comes any more, and closes only if no fact
//! came meanwhile.
//! Raises `BILL_POSTED_DIFFERENT`, `PERIOD_LOCKED`.

use interplant_domain::lifecycle::{Done, Settle};
use interplant_runtime::Context;
use interplant_runtime::step::{Begun, Outcome, StepError, StepInput, Work};
use jiff::Timestamp;

use crate::acknowledge::order_of;
use crate::create::open_pickings;
use crate::post_invoice::verify;

pub(crate) async fn handle(
    context: &Context,
    input: StepInput,
    deadline: Timestamp,
) -> Result<Outcome, StepError> {
    if let Begun::Work(work) = context.begin(&input, deadline, |_, _, _| Ok(())).await? {
        let result = settle(context, &work).await;
        context.conclude(&work, result).await?;
    }
    drop_rest(context, &input).await?;
    context.close(&input).await
}

async fn settle(context: &Context, work: &Work<()>) -> Result<Done, StepError> {
    let mut order = order_of(work)?.clone();
    let odoo = context.odoo(&work.plant.odoo.database).await?;
    let bill = verify(&odoo, work, &order).await?;
    let result = bill.as_ref().map_or_else(String::new, |bill| {
        format!("bill {} posted: {}", bill.name, bill.total)
    });
    if let Some(bill) = bill {
        order.apply_bill(work.sequence, bill);
    }
    Ok(Done {
        order: Some(order),
        settle: Settle::Applied,
        result,
        evidence: None,
    })
}

/// Cancels receipts in Odoo by which nothing comes any more: of an order that is closed short, or whose rest
/// is within the tolerance. A cancelled receipt stays cancelled, so this may be repeated.
async fn drop_rest(context: &Context, input: &StepInput) -> Result<(), StepError> {
    let Some((order, plant)) = context.closing_order(input).await? else {
        return Ok(());
    };
    let expected = order
        .lines
        .iter()
        .any(|line| !line.service && line.kept() < line.quantity_in_odoo());
    let id = order
        .in_odoo
        .as_ref()
        .filter(|known| !known.cancelled)
        .map(|known| known.id);
    let (true, Some(id)) = (expected, id) else {
        return Ok(());
    };
    let odoo = context.odoo(&plant.odoo.database).await?;
    let Some(read) = odoo.order(id).await? else {
        return Ok(());
    };
    for picking in open_pickings(&read) {
        match odoo.cancel_receipt(picking.id).await {
            // Booked meanwhile: the next look at the order shows it.
            Ok(()) | Err(interplant_odoo::Error::NotOpen { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
