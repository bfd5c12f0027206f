//! Creates the order in Odoo and confirms it, or takes over the one that a buyer has confirmed there. State
//! `Create`.
//!
//! Safe to repeat, also while an earlier attempt is still running in Odoo: the order is loaded create-once
//! under external ids on header and lines, and confirming a confirmed order has no effect. Of an order that
//! is Odoo's nothing is written.
//! Raises `UNKNOWN_PARTNER`, `UNKNOWN_ITEM`, `UNKNOWN_CODE`, `AMOUNT_PRECISION`, `ORDER_NEEDS_APPROVAL`,
//! `ORDER_CANCELLED`, `ORDER_DIFFERS`; holds another creating fact as `ORDER_ALREADY_CREATED`.

use interplant_domain::decimal::Quantity;
use interplant_domain::exception::{Code, Exception};
use interplant_domain::fact::{Day, Fact, Owner, PoCreated};
use interplant_domain::identifier::ExternalId;
use interplant_domain::lifecycle::{Done, Settle};
use interplant_domain::plant::Plant;
use interplant_domain::purchase_order::{
    InOdoo, Line, OpenMove, OpenReceipt, PurchaseOrder, Refusal,
};
use interplant_odoo::{NewOrder, NewOrderLine, Order, OrderState, Picking, PickingState};
use interplant_runtime::step::{Begun, Outcome, StepError, StepInput, Work};
use interplant_runtime::{Context, failpoint};
use jiff::Timestamp;

use crate::effects::told;

pub(crate) async fn handle(
    context: &Context,
    input: StepInput,
    deadline: Timestamp,
) -> Result<Outcome, StepError> {
    let begun = context.begin(&input, deadline, |known, fact, _| match (known, fact) {
        (None, Fact::PoCreated(_)) => Ok(()),
        (_, fact) => Err(Refusal::from(Exception::new(
            Code::OrderAlreadyCreated,
            format!(
                "the order exists already; this is another {}",
                fact.kind().event_type()
            ),
        ))),
    });
    let work = match begun.await? {
        Begun::Work(work) => work,
        Begun::GoOn(outcome) => return Ok(outcome),
    };
    let result = if let Fact::PoCreated(fact) = &work.fact
        && fact.owner == Owner::Odoo
    {
        take_over(context, &work, fact).await
    } else {
        create(context, &work).await
    };
    context.conclude(&work, result).await
}

async fn create(context: &Context, work: &Work<()>) -> Result<Done, StepError> {
    // Nothing has to be planned: the fact itself never changes.
    let Fact::PoCreated(fact) = &work.fact else {
        return Err(StepError::Defect(format!(
            "{} begins with another fact than its order",
            work.id()
        )));
    };
    let mut order = PurchaseOrder::created(fact, &work.plant, work.taken()?.received_at);
    let odoo = context.odoo(&work.plant.odoo.database).await?;
    for line in &order.lines {
        odoo.accuracy().check_quantity(line.ordered)?;
        odoo.accuracy().check_price(line.unit_price)?;
    }
    let id = odoo.create_order(&document(work, &order)?).await?;
    failpoint!("create.after_load", work.id());
    // The answer proves nothing, nor does an error of a lost race: the state read afterwards decides.
    let confirmed = odoo.confirm_order(id).await;
    failpoint!("create.after_confirm");
    let read = still_there(&order, odoo.order(id).await?)?;
    match read.state {
        OrderState::Confirmed | OrderState::Locked => {}
        OrderState::ToApprove => {
            return Err(Exception::new(
                Code::OrderNeedsApproval,
                format!(
                    "order {} ({}) waits for approval in Odoo",
                    order.number, read.name
                ),
            )
            .into());
        }
        // A cancelled order was turned away above.
        OrderState::Draft | OrderState::Sent | OrderState::Cancelled => {
            confirmed?;
            return Err(StepError::Retryable {
                message: format!("order {} is not confirmed although Odoo said so", read.name),
                unknown: false,
                odoo: None,
            });
        }
    }
    same_lines(&mut order, &read)?;
    order.in_odoo = Some(InOdoo {
        id,
        name: read.name.clone(),
        open_receipt: None,
        cancelled: false,
    });
    as_open_receipts(&mut order, &read);
    Ok(Done {
        result: format!("confirmed in Odoo as {}", read.name),
        order: Some(order),
        settle: Settle::Applied,
        evidence: None,
    })
}

/// Takes over an order that is Odoo's. What has been changed of it since the fact was made comes as a fact of
/// its own; what has come in or was billed since is not known to Interplant and never will be.
async fn take_over(
    context: &Context,
    work: &Work<()>,
    fact: &PoCreated,
) -> Result<Done, StepError> {
    let mut order = PurchaseOrder::created(fact, &work.plant, work.taken()?.received_at);
    let Some(id) = fact.odoo_id else {
        let what = format!("{} is Odoo's and does not say which it is", work.id());
        return Err(StepError::Defect(what));
    };
    let odoo = context.odoo(&work.plant.odoo.database).await?;
    let read = still_there(&order, odoo.order(id).await?)?;
    match read.state {
        OrderState::Confirmed | OrderState::Locked => {}
        OrderState::Draft | OrderState::Sent | OrderState::ToApprove | OrderState::Cancelled => {
            return Err(gone_in_odoo(&order, "is not confirmed any more").into());
        }
    }
    same_order(&order, &read)?;
    order.in_odoo = Some(InOdoo {
        id,
        name: read.name.clone(),
        open_receipt: None,
        cancelled: false,
    });
    as_open_receipts(&mut order, &read);
    told::tell(context, work, &order).await?;
    Ok(Done {
        result: format!("taken over from Odoo as {}", read.name),
        order: Some(order),
        settle: Settle::Applied,
        evidence: None,
    })
}

/// The order is the one of the fact, and nothing has been done with it outside of Interplant.
fn same_order(order: &PurchaseOrder, read: &Order) -> Result<(), Exception> {
    let differs = |what: String| {
        Exception::new(
            Code::OrderDiffers,
            format!("order {} in Odoo ({}): {what}", order.number, read.name),
        )
    };
    if read.name != order.number.as_str() {
        return Err(differs("it has another number now".to_owned()));
    }
    for line in &order.lines {
        if !read.lines.iter().any(|one| Some(one.id) == line.odoo_line) {
            return Err(differs(format!("line {} is gone", line.line_no)));
        }
    }
    let begun = |line: &interplant_odoo::OrderLine| {
        line.received.is_positive() || line.invoiced.is_positive()
    };
    if read.lines.iter().any(begun) {
        return Err(differs(
            "goods were received or billed before Interplant took it over; it goes on in Odoo alone: cancel its lifecycle".to_owned(),
        ));
    }
    Ok(())
}

fn document(work: &Work<()>, order: &PurchaseOrder) -> Result<NewOrder, Exception> {
    let plant = &work.plant;
    let external_id = work.id().external_id();
    let lines = order
        .lines
        .iter()
        .map(|line| new_line(plant, &external_id, line, order.order_date));
    Ok(NewOrder {
        lines: lines.collect::<Result<_, Exception>>()?,
        external_id,
        partner: plant.partner(&order.supplier),
        currency: Plant::currency(&order.currency),
        company: ExternalId::configured(plant.odoo.company.clone()),
        receipt_type: ExternalId::configured(plant.odoo.receipt_type.clone()),
        order_date: order.order_date,
        reference: work.id().to_string(),
    })
}

/// A line as it is loaded into Odoo.
pub(crate) fn new_line(
    plant: &Plant,
    order: &ExternalId,
    line: &Line,
    order_date: Day,
) -> Result<NewOrderLine, Exception> {
    Ok(NewOrderLine {
        external_id: order.part("line", line.line_no.as_str()),
        item: plant.item(&line.item),
        description: line.item.to_string(),
        quantity: line.ordered,
        unit: plant.unit(&line.uom)?,
        price: line.unit_price,
        planned: line.planned(order_date),
        tax: line
            .tax_code
            .as_ref()
            .map(|tax| plant.tax(tax))
            .transpose()?,
    })
}

/// Takes over Odoo's line ids, when its lines are ours: create-once keeps an order that somebody changed.
fn same_lines(order: &mut PurchaseOrder, read: &Order) -> Result<(), Exception> {
    let differs = |what: String| {
        Exception::new(
            Code::OrderDiffers,
            format!(
                "order {} in Odoo ({}) differs: {what}",
                order.number, read.name
            ),
        )
    };
    if order.lines.len() != read.lines.len() {
        return Err(differs(format!(
            "{} lines instead of {}",
            read.lines.len(),
            order.lines.len()
        )));
    }
    for (ours, theirs) in order.lines.iter().zip(&read.lines) {
        if ours.ordered != theirs.quantity || ours.unit_price != theirs.price {
            return Err(differs(format!(
                "line {}: {} at {} instead of {} at {}",
                ours.line_no, theirs.quantity, theirs.price, ours.ordered, ours.unit_price
            )));
        }
    }
    for (ours, theirs) in order.lines.iter_mut().zip(&read.lines) {
        ours.odoo_line = Some(theirs.id);
    }
    Ok(())
}

/// The order as it was read, unless somebody deleted or cancelled it in Odoo: whoever may do so is about to
/// be heard of it, for anybody else it is an exception.
pub(crate) fn still_there(order: &PurchaseOrder, read: Option<Order>) -> Result<Order, StepError> {
    let gone = |what: String| -> StepError {
        match order.owner {
            Owner::Odoo => gone_in_odoo(order, &what).into(),
            Owner::Plant => Exception::new(
                Code::OrderCancelled,
                format!("order {} {what} in Odoo", order.number),
            )
            .into(),
        }
    };
    let read = read.ok_or_else(|| gone("was deleted".to_owned()))?;
    if read.state == OrderState::Cancelled {
        return Err(gone(format!("({}) was cancelled", read.name)));
    }
    Ok(read)
}

/// An order of Odoo's that is not there any more: its cancellation comes as a fact, and is waited for.
fn gone_in_odoo(order: &PurchaseOrder, what: &str) -> Refusal {
    Refusal::Wait {
        reason: format!(
            "order {} {what} in Odoo; that it is cancelled is on its way as a fact",
            order.number
        ),
        becomes: Code::OrderCancelled,
    }
}

/// Receipts that goods can still come in by.
pub(crate) fn open_pickings(read: &Order) -> impl Iterator<Item = &Picking> {
    read.pickings.iter().filter(|picking| {
        picking.incoming && !matches!(picking.state, PickingState::Done | PickingState::Cancelled)
    })
}

/// Takes over what Odoo expects to come in, and in which unit.
pub(crate) fn as_open_receipts(order: &mut PurchaseOrder, read: &Order) {
    for line in &mut order.lines {
        let own = read.lines.iter().find(|one| Some(one.id) == line.odoo_line);
        let Some(own) = own else { continue };
        let demand: Quantity = read
            .pickings
            .iter()
            .flat_map(|picking| &picking.moves)
            .filter(|one| one.order_line == line.odoo_line && one.unit != own.unit)
            .filter(|one| one.state != PickingState::Cancelled)
            .map(|one| one.demand)
            .sum();
        // The first receipts of a line say its factor; what comes later only repeats it.
        if demand.is_positive() && line.expected_in_odoo.is_none() && line.came().is_zero() {
            PurchaseOrder::expects(line, own.quantity, demand);
        }
    }
    if let Some(known) = &mut order.in_odoo {
        known.open_receipt = open_receipt(read);
    }
}

/// The one receipt that is open; none when there are several, which only a look at the lines can tell apart.
pub(crate) fn open_receipt(read: &Order) -> Option<OpenReceipt> {
    let mut open = open_pickings(read);
    match (open.next(), open.next()) {
        (Some(picking), None) => Some(as_open_receipt(picking)),
        (Some(_), Some(_)) | (None, _) => None,
    }
}

pub(crate) fn as_open_receipt(picking: &Picking) -> OpenReceipt {
    let open = picking
        .moves
        .iter()
        .filter(|one| !matches!(one.state, PickingState::Done | PickingState::Cancelled));
    OpenReceipt {
        picking: picking.id,
        operation_type: picking.guard.operation_type,
        scheduled: picking.guard.scheduled.clone(),
        moves: open
            .filter_map(|one| {
                Some(OpenMove {
                    order_line: one.order_line?,
                    stock_move: one.id,
                    unit: one.unit,
                    product: one.product,
                    untracked: !one.tracked,
                    lines: one.lines.clone(),
                })
            })
            .collect(),
    }
}
