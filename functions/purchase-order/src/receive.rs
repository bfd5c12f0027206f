//! Books goods on the order's receipt in Odoo. State `Receive`.
//!
//! Safe to repeat: quantities are absolute and written together with our reference, in one call that Odoo
//! refuses for a receipt that is done or cancelled; validating a receipt that is done has no effect, and the
//! rest is another receipt. So a call that comes late changes nothing, whatever came between. Whether it is
//! done, only our reference with our quantities on a done receipt says: a dock worker may validate too.
//! Raises `UNKNOWN_LINE`, `LINE_DIFFERS`, `OVER_RECEIPT`, `AMOUNT_PRECISION`, `PICKING_NOT_FOUND`,
//! `RECEIPT_DIVERGED`, `ORDER_CANCELLED`.

use interplant_domain::decimal::Quantity;
use interplant_domain::exception::{Code, Exception};
use interplant_domain::fact::Fact;
use interplant_domain::lifecycle::{Resume, Settle};
use interplant_domain::purchase_order::{OpenReceipt, PurchaseOrder, ReceiptPlan};
use interplant_odoo::{
    Declaration, DeclaredMove, Error as OdooError, Guard, Order, Picking, PickingState,
};
use interplant_runtime::step::{Begun, Change, Outcome, StepError, StepInput, Work};
use interplant_runtime::{Context, failpoint};
use jiff::Timestamp;

use crate::create::{as_open_receipt, open_pickings, open_receipt, same_units, still_there};

pub(crate) async fn handle(
    context: &Context,
    input: StepInput,
    deadline: Timestamp,
) -> Result<Outcome, StepError> {
    let begun = context.begin(&input, deadline, |order, fact| match (order, fact) {
        (Some(order), Fact::ReceiptPosted(fact)) => order.receive(fact),
        (_, fact) => Err(Exception::new(
            Code::OrderDiffers,
            format!("{} is not a receipt", fact.kind().event_type()),
        )),
    });
    let work = match begun.await? {
        Begun::Work(work) => work,
        Begun::GoOn(outcome) => return Ok(outcome),
    };
    let result = receive(context, &work).await;
    context.conclude(&work, result).await
}

async fn receive(context: &Context, work: &Work<ReceiptPlan>) -> Result<Change, StepError> {
    let Some((order, id)) = work
        .order()
        .and_then(|order| Some((order, order.in_odoo.as_ref()?.id)))
    else {
        return Err(StepError::Defect(format!(
            "goods came for {} before it was created",
            work.id()
        )));
    };
    let odoo = context.odoo(&work.plant.odoo.database).await?;
    for line in &work.plan.lines {
        odoo.accuracy().check_quantity(line.quantity)?;
    }
    // The receipt that Odoo had open when we last looked; when somebody tried before, look again.
    let mut target = match work.resume {
        Resume::First => work
            .plan
            .open_receipt
            .clone()
            .filter(|open| covers(open, &work.plan)),
        Resume::Again { .. } => None,
    };
    for _ in 0..2 {
        let open = match target.take() {
            Some(open) => open,
            None => {
                let read = still_there(order, odoo.order(id).await?)?;
                if let Some(done) = booked(work, &read)? {
                    return change(work, order, &read, done);
                }
                same_units(order, &read)?;
                choose(&work.plan, order, &read)?
            }
        };
        match odoo
            .declare_receipt(open.picking, &declaration(work, &open))
            .await
        {
            Ok(declared) => same_quantities(work, &declared)?,
            // It is done or cancelled since we looked: look again, once.
            Err(OdooError::NotOpen { .. }) => continue,
            Err(error) => return Err(error.into()),
        }
        failpoint!("receive.after_declare");
        let validated = odoo.validate_receipt(open.picking).await;
        if let Err(error) = &validated
            && error.outcome() == interplant_odoo::Outcome::Unknown
        {
            validated?;
            continue;
        }
        failpoint!("receive.after_validate");
        let read = still_there(order, odoo.order(id).await?)?;
        if let Some(done) = booked(work, &read)? {
            return change(work, order, &read, done);
        }
        validated?;
        return Err(Exception::new(
            Code::OdooRefused,
            format!(
                "Odoo did not book receipt {} although it said so",
                work.plan.number
            ),
        )
        .into());
    }
    Err(Exception::new(
        Code::PickingNotFound,
        format!(
            "the receipts of order {} change while receipt {} is booked",
            order.number, work.plan.number
        ),
    )
    .into())
}

fn covers(open: &OpenReceipt, plan: &ReceiptPlan) -> bool {
    plan.lines.iter().all(|line| {
        open.moves
            .iter()
            .any(|one| one.order_line == line.odoo_line)
    })
}

/// The one open receipt that has all lines of the plan.
fn choose(
    plan: &ReceiptPlan,
    order: &PurchaseOrder,
    read: &Order,
) -> Result<OpenReceipt, Exception> {
    let mut fitting = open_pickings(read)
        .map(as_open_receipt)
        .filter(|open| covers(open, plan));
    match (fitting.next(), fitting.next()) {
        (Some(open), None) => Ok(open),
        (first, _) => Err(Exception::new(
            Code::PickingNotFound,
            format!(
                "order {} ({}) has {} in Odoo for the lines of receipt {}",
                order.number,
                read.name,
                if first.is_some() {
                    "several open receipts"
                } else {
                    "no open receipt"
                },
                plan.number
            ),
        )),
    }
}

/// Our reference names the receipt and the picking: Odoo copies the note to the receipt of the rest.
fn reference(work: &Work<ReceiptPlan>, picking: i64) -> String {
    format!(
        "{} on {picking}",
        work.id()
            .external_id()
            .part("receipt", work.plan.number.as_str())
    )
}

fn declaration(work: &Work<ReceiptPlan>, open: &OpenReceipt) -> Declaration {
    let quantity = |order_line: i64| {
        let came = work
            .plan
            .lines
            .iter()
            .find(|line| line.odoo_line == order_line);
        came.map_or(Quantity::ZERO, |line| line.quantity)
    };
    Declaration {
        reference: reference(work, open.picking),
        guard: Guard {
            operation_type: open.operation_type,
            scheduled: open.scheduled.clone(),
        },
        moves: open
            .moves
            .iter()
            .map(|one| DeclaredMove {
                id: one.stock_move,
                unit: one.unit,
                quantity: quantity(one.order_line),
            })
            .collect(),
    }
}

/// What Odoo shows in the answer to our declaration is what we declared; else nothing is validated.
fn same_quantities(work: &Work<ReceiptPlan>, declared: &Picking) -> Result<(), Exception> {
    for line in &work.plan.lines {
        let picked: Quantity = declared
            .moves
            .iter()
            .filter(|one| one.order_line == Some(line.odoo_line) && one.picked)
            .map(|one| one.quantity)
            .sum();
        if picked != line.quantity {
            return Err(Exception::new(
                Code::ReceiptDiverged,
                format!(
                    "receipt {} line {}: Odoo shows {picked} where {} came; nothing was validated",
                    work.plan.number, line.line_no, line.quantity
                ),
            ));
        }
    }
    Ok(())
}

/// The picking that is done with our reference and our quantities.
fn booked(work: &Work<ReceiptPlan>, read: &Order) -> Result<Option<i64>, Exception> {
    let ours =
        |picking: &&Picking| picking.note.as_deref() == Some(reference(work, picking.id).as_str());
    let Some(picking) = read
        .pickings
        .iter()
        .filter(|picking| picking.state == PickingState::Done)
        .find(ours)
    else {
        return Ok(None);
    };
    for line in &work.plan.lines {
        let done = picking.moves.iter().filter(|one| {
            one.order_line == Some(line.odoo_line) && one.state == PickingState::Done
        });
        let done: Quantity = done.map(|one| one.quantity).sum();
        let received = read
            .lines
            .iter()
            .find(|one| one.id == line.odoo_line)
            .map(|one| one.received);
        if done != line.quantity || received != Some(line.received_before + line.quantity) {
            return Err(Exception::new(
                Code::ReceiptDiverged,
                format!(
                    "receipt {} line {}: {} came after {} before, but Odoo shows {done} on the receipt and {} received in all",
                    work.plan.number,
                    line.line_no,
                    line.quantity,
                    line.received_before,
                    received.unwrap_or_default()
                ),
            ));
        }
    }
    Ok(Some(picking.id))
}

fn change(
    work: &Work<ReceiptPlan>,
    order: &PurchaseOrder,
    read: &Order,
    picking: i64,
) -> Result<Change, StepError> {
    let mut order = order.clone();
    order.apply_receipt(&work.plan, picking, open_receipt(read));
    Ok(Change {
        order,
        settle: Settle::Applied,
        result: format!("receipt {} booked on picking {picking}", work.plan.number),
    })
}
