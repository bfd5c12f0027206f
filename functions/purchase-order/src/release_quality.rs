//! Holds, releases, rejects or disposes of goods in Odoo. State `ReleaseQuality`.
//!
//! Held and rejected goods lie beside stock, where nobody reserves them; what is released becomes payable.
//! Safe to repeat, see [`crate::effects::goods`].
//! Holds the fact as `QUALITY_QUANTITY`, `AMBIGUOUS_REFERENCE`, `UNKNOWN_LINE`. Raises `TRANSFER_DIVERGED`.

use interplant_domain::decimal::Quantity;
use interplant_domain::fact::{Disposition, Fact};
use interplant_domain::lifecycle::{Done, Settle};
use interplant_domain::purchase_order::{GoodsMove, Place};
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
    let begun = context.begin(&input, deadline, |order, fact, taken| match (order, fact) {
        (Some(order), Fact::QualityHeld(fact)) => order.hold(fact, taken.happened_at),
        (Some(order), Fact::InspectionCompleted(fact)) => order.inspect(fact),
        (Some(order), Fact::QualityReleased(fact)) => order.release(fact),
        (Some(order), Fact::NcrDispositioned(fact)) => order.dispose(fact),
        (_, fact) => Err(not_of_this_step(fact)),
    });
    let work = match begun.await? {
        Begun::Work(work) => work,
        Begun::GoOn(outcome) => return Ok(outcome),
    };
    let result = release(context, &work).await;
    context.conclude(&work, result).await
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the plan has refused every other fact"
)]
async fn release(context: &Context, work: &Work<Vec<GoodsMove>>) -> Result<Done, StepError> {
    let mut order = order_of(work)?.clone();
    let kind = match &work.fact {
        Fact::QualityHeld(_) => "hold",
        Fact::InspectionCompleted(_) => "inspection",
        Fact::NcrDispositioned(fact) => match fact.disposition {
            Disposition::UseAsIs => "ncr_use",
            Disposition::Return => "ncr_return",
            Disposition::Scrap => "ncr_scrap",
        },
        Fact::QualityReleased(_) => "release",
        other => {
            return Err(StepError::Defect(format!(
                "{} is not about quality",
                other.number()
            )));
        }
    };
    let name = work
        .id()
        .external_id()
        .part(kind, work.fact.number().as_str());
    if let Some(transfer) = goods::transfer(work, &order, name, &work.plan)? {
        let odoo = context.odoo(&work.plant.odoo.database).await?;
        goods::carry_out(&odoo, work, &transfer).await?;
    }
    order.apply_moves(&work.plan);
    let happened_at = work.taken()?.happened_at;
    match &work.fact {
        Fact::QualityHeld(fact) => order.settle_hold(fact, happened_at, &work.plan),
        Fact::InspectionCompleted(fact) => order.settle_inspection(fact, happened_at, &work.plan),
        Fact::NcrDispositioned(fact) => order.settle_nonconformance(&fact.ncr_id, fact.qty),
        _ => {}
    }
    Ok(Done {
        order: Some(order),
        settle: Settle::Applied,
        result: told(&work.fact, &work.plan),
        evidence: None,
    })
}

fn told(fact: &Fact, moves: &[GoodsMove]) -> String {
    if moves.is_empty() {
        let already = if matches!(fact, Fact::QualityHeld(_)) {
            "nothing held: inspected already"
        } else {
            "accepted; it lay in stock"
        };
        return already.to_owned();
    }
    let sums = Place::ALL.into_iter().filter_map(|place| {
        let sum: Quantity = moves
            .iter()
            .filter(|of| of.to == place)
            .map(|of| of.quantity)
            .sum();
        let word = match place {
            Place::Stocked => "released",
            Place::Held => "held",
            Place::Rejected => "rejected",
            Place::Scrapped => "scrapped",
            Place::Returned => "returned",
            Place::Reversed => "reversed",
        };
        sum.is_positive().then(|| format!("{sum} {word}"))
    });
    sums.collect::<Vec<_>>().join(", ")
}
