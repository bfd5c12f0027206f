//! Takes goods back in Odoo that were reported and did not come. State `ReverseReceipt`.
//!
//! Safe to repeat, see [`crate::effects::goods`]. The quantity is open again afterwards.
//! Holds the fact as `REVERSAL_EXCEEDS`, `UNKNOWN_LINE`. Raises `TRANSFER_DIVERGED`.

use interplant_domain::fact::Fact;
use interplant_domain::lifecycle::{Done, Settle};
use interplant_domain::purchase_order::GoodsMove;
use interplant_runtime::Context;
use interplant_runtime::step::{Begun, Outcome, StepError, StepInput, Work};
use jiff::Timestamp;

use crate::acknowledge::{not_of_this_step, order_of};
use crate::effects::goods;

pub(crate) async fn handle(
    context: &Context,
    input: StepInput,
    deadline: Timestamp,
) -> Result<Outcome, StepError> {
    let begun = context.begin(&input, deadline, |order, fact, _| match (order, fact) {
        (Some(order), Fact::ReceiptReversed(fact)) => order.reverse(fact),
        (_, fact) => Err(not_of_this_step(fact)),
    });
    let work = match begun.await? {
        Begun::Work(work) => work,
        Begun::GoOn(outcome) => return Ok(outcome),
    };
    let result = reverse(context, &work).await;
    context.conclude(&work, result).await
}

async fn reverse(context: &Context, work: &Work<Vec<GoodsMove>>) -> Result<Done, StepError> {
    let mut order = order_of(work)?.clone();
    let Fact::ReceiptReversed(fact) = &work.fact else {
        return Err(StepError::Defect(format!(
            "{} is no reversal",
            work.fact.number()
        )));
    };
    let number = match &fact.reversal_number {
        Some(own) => format!("{} {own}", fact.receipt_number),
        None => fact.receipt_number.to_string(),
    };
    let name = work.id().external_id().part("reversal", &number);
    if let Some(transfer) = goods::transfer(work, &order, name, &work.plan)? {
        let odoo = context.odoo(&work.plant.odoo.database).await?;
        goods::carry_out(&odoo, work, &transfer).await?;
    }
    order.apply_moves(&work.plan);
    Ok(Done {
        order: Some(order),
        settle: Settle::Applied,
        result: format!("receipt {} reversed", work.fact.number()),
        evidence: None,
    })
}
