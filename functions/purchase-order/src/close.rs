//! Reads the last bill back and ends the lifecycle. State `Close`.
//!
//! Safe to repeat: it only reads, and closes only if no fact came meanwhile.
//! Raises `BILL_POSTED_DIFFERENT`, `PERIOD_LOCKED`.

use interplant_domain::lifecycle::Settle;
use interplant_runtime::Context;
use interplant_runtime::step::{Begun, Change, Outcome, StepError, StepInput, Work};
use jiff::Timestamp;

use crate::post_invoice::verify;

pub(crate) async fn handle(
    context: &Context,
    input: StepInput,
    deadline: Timestamp,
) -> Result<Outcome, StepError> {
    if let Begun::Work(work) = context.begin(&input, deadline, |_, _| Ok(())).await? {
        let result = settle(context, &work).await;
        context.conclude(&work, result).await?;
    }
    context.close(&input).await
}

async fn settle(context: &Context, work: &Work<()>) -> Result<Change, StepError> {
    let Some(order) = work.order() else {
        return Err(StepError::Defect(format!(
            "{} has no order to close",
            work.id()
        )));
    };
    let mut order = order.clone();
    let odoo = context.odoo(&work.plant.odoo.database).await?;
    verify(&odoo, &mut order, work.sequence).await?;
    let bill = order
        .invoices
        .iter()
        .find(|invoice| invoice.sequence == work.sequence)
        .and_then(|invoice| invoice.bill.as_ref());
    let result = bill.map_or_else(String::new, |bill| {
        format!("bill {} posted: {}", bill.name, bill.total)
    });
    Ok(Change {
        order,
        settle: Settle::Applied,
        result,
    })
}
