//! Creates the order in Odoo and confirms it. State `Create`.
//!
//! Safe to repeat, also while an earlier attempt is still running in Odoo: the order is loaded create-once
//! under external ids on header and lines, and confirming a confirmed order has no effect.
//! Raises `UNKNOWN_PARTNER`, `UNKNOWN_ITEM`, `UNKNOWN_CODE`, `AMOUNT_PRECISION`, `ORDER_NEEDS_APPROVAL`,
//! `ORDER_CANCELLED`, `ORDER_DIFFERS`, `ORDER_ALREADY_CREATED`.

use interplant_domain::exception::{Code, Exception};
use interplant_domain::fact::Fact;
use interplant_domain::identifier::ExternalId;
use interplant_domain::lifecycle::Settle;
use interplant_domain::purchase_order::{InOdoo, OpenMove, OpenReceipt, PurchaseOrder};
use interplant_odoo::{NewOrder, NewOrderLine, Order, OrderState, Picking, PickingState};
use interplant_runtime::step::{Begun, Change, Outcome, StepError, StepInput, Work};
use interplant_runtime::{Context, failpoint};
use jiff::Timestamp;

pub(crate) async fn handle(
    context: &Context,
    input: StepInput,
    deadline: Timestamp,
) -> Result<Outcome, StepError> {
    let begun = context.begin(&input, deadline, |known, fact| match (known, fact) {
        (None, Fact::PoCreated(_)) => Ok(()),
        (_, fact) => Err(Exception::new(
            Code::OrderAlreadyCreated,
            format!(
                "the order exists already; this is another {}",
                fact.kind().event_type()
            ),
        )),
    });
    let work = match begun.await? {
        Begun::Work(work) => work,
        Begun::GoOn(outcome) => return Ok(outcome),
    };
    let result = create(context, &work).await;
    context.conclude(&work, result).await
}

async fn create(context: &Context, work: &Work<()>) -> Result<Change, StepError> {
    // Nothing has to be planned: the fact itself never changes.
    let Fact::PoCreated(fact) = &work.fact else {
        return Err(StepError::Defect(format!(
            "{} begins with another fact than its order",
            work.id()
        )));
    };
    let mut order = PurchaseOrder::created(fact);
    let odoo = context.odoo(&work.plant.odoo.database).await?;
    for line in &order.lines {
        odoo.accuracy().check_quantity(line.ordered)?;
        odoo.accuracy().check_price(line.unit_price)?;
    }
    let id = odoo.create_order(&document(work, &order)?).await?;
    failpoint!("create.after_load");
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
            });
        }
    }
    same_lines(&mut order, &read)?;
    same_units(&order, &read)?;
    order.in_odoo = Some(InOdoo {
        id,
        name: read.name.clone(),
        open_receipt: open_receipt(&read),
    });
    Ok(Change {
        result: format!("confirmed in Odoo as {}", read.name),
        order,
        settle: Settle::Applied,
    })
}

fn document(work: &Work<()>, order: &PurchaseOrder) -> Result<NewOrder, Exception> {
    let plant = &work.plant;
    let external_id = work.id().external_id();
    let lines = order.lines.iter().map(|line| {
        Ok(NewOrderLine {
            external_id: external_id.part("line", line.line_no.as_str()),
            item: plant.item(&line.item),
            description: line.item.to_string(),
            quantity: line.ordered,
            unit: plant.unit(&line.uom)?,
            price: line.unit_price,
            planned: line.need_date.unwrap_or(order.order_date),
            tax: line
                .tax_code
                .as_ref()
                .map(|tax| plant.tax(tax))
                .transpose()?,
        })
    });
    Ok(NewOrder {
        lines: lines.collect::<Result<_, Exception>>()?,
        external_id,
        partner: plant.partner(&order.supplier),
        currency: interplant_domain::plant::Plant::currency(&order.currency),
        company: ExternalId::configured(plant.odoo.company.clone()),
        receipt_type: ExternalId::configured(plant.odoo.receipt_type.clone()),
        order_date: order.order_date,
        reference: work.id().to_string(),
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

/// Odoo expects goods in the item's own unit. Where that is not the order's, a receipt would be booked in
/// the wrong one: until quantities are converted, a person has to look.
pub(crate) fn same_units(order: &PurchaseOrder, read: &Order) -> Result<(), Exception> {
    if read.moves_in_other_units().next().is_none() {
        return Ok(());
    }
    Err(Exception::new(
        Code::LineDiffers,
        format!(
            "order {} ({}) has a unit that is not the item's own in Odoo; receipts in another unit are not taken yet",
            order.number, read.name
        ),
    ))
}

/// The order as it was read, unless somebody deleted or cancelled it in Odoo.
pub(crate) fn still_there(order: &PurchaseOrder, read: Option<Order>) -> Result<Order, Exception> {
    let gone = |what: String| {
        Exception::new(
            Code::OrderCancelled,
            format!("order {} {what} in Odoo", order.number),
        )
    };
    let read = read.ok_or_else(|| gone("was deleted".to_owned()))?;
    if read.state == OrderState::Cancelled {
        return Err(gone(format!("({}) was cancelled", read.name)));
    }
    Ok(read)
}

/// Receipts that goods can still come in by.
pub(crate) fn open_pickings(read: &Order) -> impl Iterator<Item = &Picking> {
    read.pickings.iter().filter(|picking| {
        picking.incoming && !matches!(picking.state, PickingState::Done | PickingState::Cancelled)
    })
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
                })
            })
            .collect(),
    }
}
