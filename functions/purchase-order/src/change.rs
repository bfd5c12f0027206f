//! Writes the plant's change into the order in Odoo, or takes note of what a buyer has changed there. State
//! `Change`.
//!
//! Safe to repeat, see [`crate::effects::amend`]; lines are added create-once under external ids of their own.
//! Holds the fact as `CHANGE_REFUSED`, `UNKNOWN_LINE`, `LINE_DIFFERS`. Raises `ORDER_CANCELLED`,
//! `UNKNOWN_ITEM`, `UNKNOWN_CODE`, `AMOUNT_PRECISION`, `ODOO_REFUSED`.

use interplant_domain::fact::{Fact, Owner};
use interplant_domain::lifecycle::{Done, Settle};
use interplant_domain::purchase_order::AmendPlan;
use interplant_runtime::Context;
use interplant_runtime::step::{Begun, Outcome, StepError, StepInput, Work};
use jiff::Timestamp;

use crate::acknowledge::{not_of_this_step, order_of};
use crate::effects::{amend, told};

pub(crate) async fn handle(
    context: &Context,
    input: StepInput,
    deadline: Timestamp,
) -> Result<Outcome, StepError> {
    let begun = context.begin(&input, deadline, |order, fact, taken| match (order, fact) {
        (Some(order), Fact::PoChanged(fact)) => order.change(fact, taken),
        (_, fact) => Err(not_of_this_step(fact)),
    });
    let work = match begun.await? {
        Begun::Work(work) => work,
        Begun::GoOn(outcome) => return Ok(outcome),
    };
    let result = change(context, &work).await;
    context.conclude(&work, result).await
}

async fn change(context: &Context, work: &Work<AmendPlan>) -> Result<Done, StepError> {
    let before = order_of(work)?;
    let mut order = before.clone();
    order.apply_amendment(&work.plan, &work.plant);
    let odoo = context.odoo(&work.plant.odoo.database).await?;
    let what = match order.owner {
        Owner::Plant => {
            amend::write(&odoo, work, before, &mut order, None).await?;
            "written"
        }
        Owner::Odoo => {
            amend::follow(&odoo, &mut order).await?;
            told::tell(context, work, &order).await?;
            "noted"
        }
    };
    Ok(Done {
        order: Some(order),
        settle: Settle::Applied,
        result: format!(
            "revision {} {what}: {} lines changed, {} added",
            work.plan.key.revision,
            work.plan.lines.len(),
            work.plan.added.len()
        ),
        evidence: None,
    })
}
