//! Writes the supplier's answer into the order in Odoo. State `Acknowledge`.
//!
//! Safe to repeat: reference and dates are written as they are, in one call. After an attempt whose end is
//! not known, Odoo is asked first, and nothing is written again while the first call may still be running:
//! coming late, it would undo the next acknowledgement.
//! Raises `UNKNOWN_LINE`, `ACKNOWLEDGEMENT_DIFFERS`, `ORDER_CANCELLED`.

use interplant_domain::exception::{Code, Exception};
use interplant_domain::fact::{Day, Fact};
use interplant_domain::lifecycle::{Resume, Settle};
use interplant_domain::purchase_order::AcknowledgementPlan;
use interplant_odoo::{Acknowledgement, Order};
use interplant_runtime::step::{Begun, Change, Outcome, StepError, StepInput, Work};
use interplant_runtime::{Context, failpoint};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::create::still_there;

pub(crate) async fn handle(
    context: &Context,
    input: StepInput,
    deadline: Timestamp,
) -> Result<Outcome, StepError> {
    let begun = context.begin(&input, deadline, |order, fact| match (order, fact) {
        (Some(order), Fact::PoAcknowledged(fact)) => order.acknowledge(fact),
        (_, fact) => Err(Exception::new(
            Code::OrderDiffers,
            format!("{} is not an acknowledgement", fact.kind().event_type()),
        )),
    });
    let work = match begun.await? {
        Begun::Work(work) => work,
        Begun::GoOn(outcome) => return Ok(outcome),
    };
    let result = acknowledge(context, &work).await;
    context.conclude(&work, result).await
}

async fn acknowledge(
    context: &Context,
    work: &Work<AcknowledgementPlan>,
) -> Result<Change, StepError> {
    let Some((mut order, id)) = work
        .order()
        .and_then(|order| Some((order.clone(), order.in_odoo.as_ref()?.id)))
    else {
        return Err(StepError::Defect(format!(
            "{} is acknowledged before it was created",
            work.id()
        )));
    };
    let plan = &work.plan;
    let mut promised = Vec::new();
    for line in &order.lines {
        if let (Some(id), Some((_, day))) = (
            line.odoo_line,
            plan.promised
                .iter()
                .find(|(line_no, _)| *line_no == line.line_no),
        ) {
            promised.push((id, *day));
        }
    }
    let odoo = context.odoo(&work.plant.odoo.database).await?;
    let mut read = match work.resume {
        Resume::First => None,
        Resume::Again { .. } => odoo.order(id).await?,
    };
    if !read
        .as_ref()
        .is_some_and(|read| is_written(read, plan, &promised))
    {
        work.may_act()?;
        let acknowledgement = Acknowledgement {
            reference: plan.reference.to_string(),
            promised: promised.clone(),
        };
        read = Some(odoo.acknowledge_order(id, &acknowledgement).await?);
        failpoint!("acknowledge.after_write");
    }
    let read = still_there(&order, read)?;
    if !is_written(&read, plan, &promised) {
        return Err(Exception::new(
            Code::OdooRefused,
            format!(
                "Odoo did not keep acknowledgement {} of order {}",
                plan.reference, order.number
            ),
        )
        .into());
    }
    order.apply_acknowledgement(plan);
    Ok(Change {
        order,
        settle: Settle::Applied,
        result: format!("acknowledgement {} written", plan.reference),
    })
}

fn is_written(read: &Order, plan: &AcknowledgementPlan, promised: &[(i64, Day)]) -> bool {
    let planned = |id: i64| {
        read.lines
            .iter()
            .find(|line| line.id == id)
            .and_then(|line| line.planned)
    };
    read.supplier_reference.as_deref() == Some(plan.reference.as_str())
        && promised.iter().all(|(id, day)| {
            planned(*id).is_some_and(|at| at.to_zoned(TimeZone::UTC).date() == day.0)
        })
}
