//! Writes the supplier's answer into the order in Odoo. State `Acknowledge`.
//!
//! Safe to repeat, see [`crate::effects::amend`].
//! Holds the fact as `ACKNOWLEDGEMENT_DIFFERS`, `SUBSTITUTED`, `UNKNOWN_LINE`, `UNKNOWN_CODE`. Raises
//! `ORDER_CANCELLED`, `ODOO_REFUSED`.

use interplant_domain::exception::{Code, Exception};
use interplant_domain::fact::Fact;
use interplant_domain::lifecycle::{Done, Settle};
use interplant_domain::purchase_order::AmendPlan;
use interplant_runtime::Context;
use interplant_runtime::step::{Begun, Outcome, StepError, StepInput, Work};
use jiff::Timestamp;

use crate::cancel::cancel_in_odoo;
use crate::effects::amend;

pub(crate) async fn handle(
    context: &Context,
    input: StepInput,
    deadline: Timestamp,
) -> Result<Outcome, StepError> {
    let begun = context.begin(&input, deadline, |order, fact, taken| match (order, fact) {
        (Some(order), Fact::PoAcknowledged(fact)) => order.acknowledge(fact, taken),
        (_, fact) => Err(not_of_this_step(fact)),
    });
    let work = match begun.await? {
        Begun::Work(work) => work,
        Begun::GoOn(outcome) => return Ok(outcome),
    };
    let result = acknowledge(context, &work).await;
    context.conclude(&work, result).await
}

async fn acknowledge(context: &Context, work: &Work<AmendPlan>) -> Result<Done, StepError> {
    let before = order_of(work)?;
    let mut order = before.clone();
    order.apply_amendment(&work.plan, &work.plant);
    let odoo = context.odoo(&work.plant.odoo.database).await?;
    let number = &work.plan.key.number;
    let refused = order.is_refused();
    if refused {
        // Nothing is left of it: in Odoo it ends as a cancelled order, not as one of no quantity.
        cancel_in_odoo(&odoo, work, &mut order).await?;
    } else {
        amend::write(&odoo, work, before, &mut order, Some(number.to_string())).await?;
    }
    let changed = work.plan.lines.len();
    Ok(Done {
        order: Some(order),
        settle: Settle::Applied,
        result: if refused {
            format!("acknowledgement {number}: the supplier refused the order")
        } else {
            format!("acknowledgement {number} written, {changed} lines changed")
        },
        evidence: None,
    })
}

/// The order of a step that needs one.
pub(crate) fn order_of<P>(
    work: &Work<P>,
) -> Result<&interplant_domain::purchase_order::PurchaseOrder, StepError> {
    work.order()
        .filter(|order| order.in_odoo.is_some())
        .ok_or_else(|| {
            StepError::Defect(format!(
                "{} came before its order was created",
                work.fact.number()
            ))
        })
}

/// A fact that the state machine has brought to the wrong step.
pub(crate) fn not_of_this_step(fact: &Fact) -> interplant_domain::purchase_order::Refusal {
    Exception::new(
        Code::OrderDiffers,
        format!("{} does not belong here", fact.kind().event_type()),
    )
    .into()
}
