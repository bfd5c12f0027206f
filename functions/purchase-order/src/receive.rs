//! Books goods on the order's receipt in Odoo. State `Receive`.
//!
//! Safe to repeat: quantities are absolute and written together with our reference, in one call that Odoo
//! refuses for a receipt that is done or cancelled; validating a receipt that is done has no effect, and the
//! rest is another receipt. So a call that comes late changes nothing, whatever came between. Whether it is
//! done, only our reference with our quantities on a done receipt says: a dock worker may validate too.
//! Goods that Odoo does not expect any more come in by a transfer of our own, see [`crate::effects::goods`].
//! Holds the fact as `UNKNOWN_LINE`, `LINE_DIFFERS`, `UNIT_CONVERSION`, `OVER_RECEIPT`, `ASN_REQUIRED`,
//! `CUMULATIVE_DECREASED`. Raises `LOT_MISSING`, `LOT_TAKEN`, `AMOUNT_PRECISION`, `PICKING_NOT_FOUND`,
//! `RECEIPT_DIVERGED`, `ORDER_CANCELLED`.

use interplant_domain::decimal::Quantity;
use interplant_domain::exception::{Code, Exception};
use interplant_domain::fact::Fact;
use interplant_domain::identifier::ExternalId;
use interplant_domain::lifecycle::{Done, Resume, Settle};
use interplant_domain::purchase_order::{
    OpenMove, OpenReceipt, PurchaseOrder, ReceiptPlan, ReceiptPlanLine,
};
use interplant_odoo::{
    Client, Declaration, DeclaredMove, DeclaredPart, Error as OdooError, Guard, Order, Picking,
    PickingState, Place, Purpose,
};
use interplant_runtime::step::{Begun, Outcome, StepError, StepInput, Work};
use interplant_runtime::{Context, failpoint};
use jiff::Timestamp;

use crate::acknowledge::{not_of_this_step, order_of};
use crate::create::{as_open_receipt, open_pickings, open_receipt, still_there};
use crate::effects::goods;

pub(crate) async fn handle(
    context: &Context,
    input: StepInput,
    deadline: Timestamp,
) -> Result<Outcome, StepError> {
    let begun = context.begin(&input, deadline, |order, fact, taken| match (order, fact) {
        (Some(order), Fact::ReceiptPosted(fact)) => order.receive(fact, taken),
        (_, fact) => Err(not_of_this_step(fact)),
    });
    let work = match begun.await? {
        Begun::Work(work) => work,
        Begun::GoOn(outcome) => return Ok(outcome),
    };
    let result = receive(context, &work).await;
    context.conclude(&work, result).await
}

async fn receive(context: &Context, work: &Work<ReceiptPlan>) -> Result<Done, StepError> {
    let order = order_of(work)?;
    let Some(id) = order.in_odoo.as_ref().map(|order| order.id) else {
        return Err(StepError::Defect(format!("{} is not in Odoo", work.id())));
    };
    if work.plan.lines.is_empty() {
        return Ok(done(work, order, None, None));
    }
    let odoo = context.odoo(&work.plant.odoo.database).await?;
    for line in &work.plan.lines {
        odoo.accuracy().check_quantity(line.quantity)?;
    }
    let parts = work.plan.lines.iter().flat_map(|line| &line.parts);
    let hold = goods::hold_location(&odoo, work, parts).await?;
    // The receipt that Odoo had open when we last looked; when somebody tried before, look again.
    let mut target = match work.resume {
        Resume::First => work
            .plan
            .open_receipt
            .clone()
            // Whether items are tracked may have changed since: who needs to know looks again.
            .filter(|open| covers(open, &work.plan) && !drops_lots(open, &work.plan)),
        Resume::Again { .. } => None,
    };
    for _ in 0..2 {
        let open = match target.take() {
            Some(open) => open,
            None => {
                let read = still_there(order, odoo.order(id).await?)?;
                if let Some(booked) = booked(work, order, &read)? {
                    return Ok(done(work, order, Some(&read), Some(booked)));
                }
                match choose(work, order, &read)? {
                    Some(open) => open,
                    None => return beside(&odoo, work, order, id).await,
                }
            }
        };
        match odoo
            .declare_receipt(open.picking, &declaration(work, order, &open, hold)?)
            .await
        {
            Ok(declared) => same_quantities(work, order, &declared)?,
            // It is done or cancelled since we looked: look again, once.
            Err(OdooError::NotOpen { .. }) => continue,
            Err(error) => return Err(error.into()),
        }
        failpoint!("receive.after_declare", work.id());
        let validated = odoo.validate_receipt(open.picking).await;
        if let Err(error) = &validated
            && error.outcome() == interplant_odoo::Outcome::Unknown
        {
            validated?;
            continue;
        }
        failpoint!("receive.after_validate");
        let read = still_there(order, odoo.order(id).await?)?;
        if let Some(booked) = booked(work, order, &read)? {
            return Ok(done(work, order, Some(&read), Some(booked)));
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

/// Books goods that Odoo does not expect: beyond what was ordered, or again after a return.
async fn beside(
    odoo: &Client,
    work: &Work<ReceiptPlan>,
    order: &PurchaseOrder,
    id: i64,
) -> Result<Done, StepError> {
    let name = own_name(work);
    let lines = work
        .plan
        .lines
        .iter()
        .map(|line| (line.line_no.clone(), Place::Stock, line.parts.clone()));
    let transfer = goods::build(work, order, name, Purpose::Receive, lines.collect())?;
    let picking = goods::carry_out(odoo, work, &transfer).await?;
    let read = still_there(order, odoo.order(id).await?)?;
    for line in &work.plan.lines {
        counted(work, line, &read)?;
    }
    Ok(done(work, order, Some(&read), Some(picking)))
}

/// Whether goods come with lots that Odoo would not keep.
fn drops_lots(open: &OpenReceipt, plan: &ReceiptPlan) -> bool {
    plan.lines.iter().any(|line| {
        let untracked = |one: &OpenMove| one.order_line == line.odoo_line && one.untracked;
        open.moves.iter().any(untracked) && line.parts.iter().any(|part| part.lot.is_some())
    })
}

fn covers(open: &OpenReceipt, plan: &ReceiptPlan) -> bool {
    plan.lines.iter().all(|line| {
        open.moves
            .iter()
            .any(|one| one.order_line == line.odoo_line)
    })
}

/// The open receipt that has all lines of the plan, the oldest of several; none when Odoo expects no such
/// goods, or when an earlier attempt has begun a transfer of our own.
fn choose(
    work: &Work<ReceiptPlan>,
    order: &PurchaseOrder,
    read: &Order,
) -> Result<Option<OpenReceipt>, Exception> {
    if read
        .pickings
        .iter()
        .any(|picking| picking.note.as_deref() == Some(own_reference(work).as_str()))
    {
        return Ok(None);
    }
    let mut fitting = open_pickings(read)
        .map(as_open_receipt)
        .filter(|open| covers(open, &work.plan));
    match (fitting.next(), fitting.next()) {
        (Some(_), Some(_)) => Err(Exception::new(
            Code::PickingNotFound,
            format!(
                "order {} ({}) has several open receipts in Odoo for the lines of receipt {}",
                order.number, read.name, work.plan.number
            ),
        )),
        (first, _) => Ok(first),
    }
}

/// Our reference names the receipt and the picking: Odoo copies the note to the receipt of the rest.
fn reference(work: &Work<ReceiptPlan>, picking: i64) -> String {
    format!("{} on {picking}", own_reference(work))
}

/// The reference of a transfer of our own is its external id.
fn own_reference(work: &Work<ReceiptPlan>) -> String {
    own_name(work).to_string()
}

fn own_name(work: &Work<ReceiptPlan>) -> ExternalId {
    work.id()
        .external_id()
        .part("receipt", work.plan.number.as_str())
}

fn declaration(
    work: &Work<ReceiptPlan>,
    order: &PurchaseOrder,
    open: &OpenReceipt,
    hold: Option<i64>,
) -> Result<Declaration, StepError> {
    let mut moves = Vec::new();
    for one in &open.moves {
        let came = work
            .plan
            .lines
            .iter()
            .find(|line| line.odoo_line == one.order_line);
        let mut parts = Vec::new();
        if let Some(came) = came {
            let line = order.line(&came.line_no)?;
            for part in &came.parts {
                parts.push(DeclaredPart {
                    quantity: PurchaseOrder::in_receipt_unit(line, part.quantity)?,
                    lot: goods::named(work, !one.untracked, &line.item, part)?,
                    to: hold.filter(|_| part.held),
                });
            }
        }
        moves.push(DeclaredMove {
            id: one.stock_move,
            unit: one.unit,
            product: one.product,
            lines: one.lines.clone(),
            parts,
        });
    }
    Ok(Declaration {
        reference: reference(work, open.picking),
        guard: Some(Guard {
            operation_type: open.operation_type,
            scheduled: open.scheduled.clone(),
        }),
        moves,
    })
}

/// A planned quantity in the unit of Odoo's receipt.
fn expected(order: &PurchaseOrder, planned: &ReceiptPlanLine) -> Result<Quantity, Exception> {
    let line = order.line(&planned.line_no)?;
    PurchaseOrder::in_receipt_unit(line, planned.quantity)
}

/// What Odoo shows in the answer to our declaration is what we declared; else nothing is validated.
fn same_quantities(
    work: &Work<ReceiptPlan>,
    order: &PurchaseOrder,
    declared: &Picking,
) -> Result<(), Exception> {
    for line in &work.plan.lines {
        let picked: Quantity = declared
            .moves
            .iter()
            .filter(|one| one.order_line == Some(line.odoo_line) && one.picked)
            .map(|one| one.quantity)
            .sum();
        if picked != expected(order, line)? {
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
fn booked(
    work: &Work<ReceiptPlan>,
    order: &PurchaseOrder,
    read: &Order,
) -> Result<Option<i64>, Exception> {
    let ours = |picking: &&Picking| {
        let note = picking.note.as_deref();
        note == Some(reference(work, picking.id).as_str())
            || note == Some(own_reference(work).as_str())
    };
    let Some(picking) = read
        .pickings
        .iter()
        .filter(|picking| picking.state == PickingState::Done)
        .find(ours)
    else {
        return Ok(None);
    };
    let own = picking.note.as_deref() == Some(own_reference(work).as_str());
    for line in &work.plan.lines {
        let done = picking.moves.iter().filter(|one| {
            one.order_line == Some(line.odoo_line) && one.state == PickingState::Done
        });
        let done: Quantity = done.map(|one| one.quantity).sum();
        // A transfer of our own is in the unit of the order.
        let planned = if own {
            line.quantity
        } else {
            expected(order, line)?
        };
        if done != planned {
            return Err(Exception::new(
                Code::ReceiptDiverged,
                format!(
                    "receipt {} line {}: {} came, but Odoo shows {done} on the receipt",
                    work.plan.number, line.line_no, line.quantity
                ),
            ));
        }
        counted(work, line, read)?;
    }
    Ok(Some(picking.id))
}

/// Odoo counts as received what had come before, and this.
fn counted(
    work: &Work<ReceiptPlan>,
    line: &ReceiptPlanLine,
    read: &Order,
) -> Result<(), Exception> {
    let received = read
        .lines
        .iter()
        .find(|one| one.id == line.odoo_line)
        .map(|one| one.received);
    if received == Some(line.received_before + line.quantity) {
        return Ok(());
    }
    Err(Exception::new(
        Code::ReceiptDiverged,
        format!(
            "receipt {} line {}: {} came after {} before, but Odoo counts {} in all",
            work.plan.number,
            line.line_no,
            line.quantity,
            line.received_before,
            received.unwrap_or_default()
        ),
    ))
}

fn done(
    work: &Work<ReceiptPlan>,
    order: &PurchaseOrder,
    read: Option<&Order>,
    picking: Option<i64>,
) -> Done {
    let mut order = order.clone();
    order.apply_receipt(&work.plan, picking, read.and_then(open_receipt));
    let held: Quantity = work
        .plan
        .lines
        .iter()
        .flat_map(|line| &line.parts)
        .filter(|part| part.held)
        .map(|part| part.quantity)
        .sum();
    let result = match picking {
        Some(picking) if held.is_positive() => format!(
            "receipt {} booked on picking {picking}, {held} of it on hold",
            work.plan.number
        ),
        Some(picking) => format!("receipt {} booked on picking {picking}", work.plan.number),
        None => format!("receipt {} says nothing new", work.plan.number),
    };
    Done {
        order: Some(order),
        settle: Settle::Applied,
        result,
        evidence: None,
    }
}
