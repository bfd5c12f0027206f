//! Takes an order back, or lines of it, and undoes what a person has approved to be undone; or takes note of
//! what a buyer has cancelled in Odoo. State `Cancel`.
//!
//! Safe to repeat: each part is created once under an external id of its own, or absolute. Odoo's own
//! cancelling is used only for an order without effects: 19 would cancel one whose goods have come.
//! Holds the fact as `COMPENSATION` until the plan is approved, `UNKNOWN_LINE`, `CHANGE_REFUSED`. Raises
//! `ORDER_CANCELLED`, `TRANSFER_DIVERGED`, `BILL_DIFFERS`, `PERIOD_LOCKED`.

use interplant_domain::exception::{Code, Exception};
use interplant_domain::fact::{Fact, FactKind, InvoiceKind, Owner};
use interplant_domain::lifecycle::{Done, Settle};
use interplant_domain::purchase_order::{
    AppliedInvoice, CancelPlan, CreditPlan, Payable, PostedBill, PurchaseOrder, Refusal,
};
use interplant_odoo::{Client, OrderState};
use interplant_runtime::Context;
use interplant_runtime::step::{Begun, Outcome, StepError, StepInput, Work};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::acknowledge::{not_of_this_step, order_of};
use crate::create::as_open_receipts;
use crate::effects::{amend, goods, told};
use crate::post_invoice;

pub(crate) async fn handle(
    context: &Context,
    input: StepInput,
    deadline: Timestamp,
) -> Result<Outcome, StepError> {
    let begun = context.begin(&input, deadline, |order, fact, taken| match (order, fact) {
        // An order that is taken back before it exists is never created.
        (None, Fact::PoCancelled(_)) => Ok(None),
        (Some(order), Fact::PoCancelled(fact)) => order.cancel(fact, taken).map(Some),
        (_, fact) => Err(not_of_this_step(fact)),
    });
    let work = match begun.await? {
        Begun::Work(work) => work,
        Begun::GoOn(outcome) => return Ok(outcome),
    };
    let result = cancel(context, &work).await;
    context.conclude(&work, result).await
}

async fn cancel(context: &Context, work: &Work<Option<CancelPlan>>) -> Result<Done, StepError> {
    let Some(plan) = &work.plan else {
        only_by_its_owner(context, work).await?;
        return Ok(Done {
            order: None,
            settle: Settle::Cancelled,
            result: "cancelled before it was created in Odoo".to_owned(),
            evidence: None,
        });
    };
    let before = order_of(work)?;
    let mut order = before.clone();
    let odoo = context.odoo(&work.plant.odoo.database).await?;
    if order.owner == Owner::Odoo {
        return note(context, work, &odoo, order).await;
    }
    if plan.whole {
        cancel_in_odoo(&odoo, work, &mut order).await?;
        order.apply_cancellation(plan);
        return Ok(Done {
            order: Some(order),
            settle: Settle::Cancelled,
            result: "cancelled in Odoo before anything came".to_owned(),
            evidence: None,
        });
    }
    let name = work.id().external_id().part("cancelled", "goods");
    if let Some(transfer) = goods::transfer(work, &order, name, &plan.returned)? {
        goods::carry_out(&odoo, work, &transfer).await?;
    }
    for credit in &plan.credits {
        let bill = credit_bill(&odoo, work, before, credit).await?;
        apply_credit(&mut order, work.sequence, credit, bill, work)?;
    }
    order.apply_cancellation(plan);
    amend::write(&odoo, work, before, &mut order, None).await?;
    let refused = order.is_refused();
    Ok(Done {
        order: Some(order),
        settle: Settle::Applied,
        result: format!(
            "{} lines cancelled, {} returns, {} bills credited{}",
            plan.lines.len(),
            plan.returned.len(),
            plan.credits.len(),
            if refused {
                "; nothing is left of the order"
            } else {
                ""
            }
        ),
        evidence: None,
    })
}

/// An order that does not exist yet is taken back by whoever makes it, and by nobody else.
async fn only_by_its_owner<P>(context: &Context, work: &Work<P>) -> Result<(), StepError> {
    let Fact::PoCancelled(cancelled) = &work.fact else {
        return Err(StepError::Defect(format!(
            "{} is not taken back",
            work.id()
        )));
    };
    let entries = work.lifecycle.entries.iter();
    for entry in entries.filter(|entry| entry.kind == FactKind::PoCreated) {
        let row = context.inbox.by_key(&entry.inbox_key).await?;
        if let Some(Fact::PoCreated(created)) = row.map(|row| row.fact()).transpose()?
            && created.owner != cancelled.owner
        {
            let what = format!(
                "order {} can be cancelled only by whoever makes it, in Odoo or at the plant",
                created.po_number
            );
            return Err(Refusal::from(Exception::new(Code::ChangeRefused, what)).into());
        }
    }
    Ok(())
}

/// Takes note of what a buyer has cancelled in Odoo; nothing is written there.
async fn note(
    context: &Context,
    work: &Work<Option<CancelPlan>>,
    odoo: &Client,
    mut order: PurchaseOrder,
) -> Result<Done, StepError> {
    let Some(plan) = &work.plan else {
        return Err(StepError::Defect(format!("{} has no plan", work.id())));
    };
    order.apply_cancellation(plan);
    if plan.whole {
        told::tell(context, work, &order).await?;
        return Ok(Done {
            order: Some(order),
            settle: Settle::Cancelled,
            result: "was cancelled in Odoo before anything came".to_owned(),
            evidence: None,
        });
    }
    let known = order.in_odoo.as_ref().map(|order| order.id);
    let read = match known {
        Some(id) => odoo.order(id).await?,
        None => None,
    };
    match read.filter(|read| read.state != OrderState::Cancelled) {
        Some(read) => as_open_receipts(&mut order, &read),
        None => {
            if let Some(known) = &mut order.in_odoo {
                known.cancelled = true;
                known.open_receipt = None;
            }
        }
    }
    told::tell(context, work, &order).await?;
    Ok(Done {
        order: Some(order),
        settle: Settle::Applied,
        result: format!("{} lines were cancelled in Odoo", plan.lines.len()),
        evidence: None,
    })
}

/// Cancels an order in Odoo that has no effects yet.
pub(crate) async fn cancel_in_odoo<P>(
    odoo: &Client,
    work: &Work<P>,
    order: &mut PurchaseOrder,
) -> Result<(), StepError> {
    let Some(id) = order.in_odoo.as_ref().map(|order| order.id) else {
        return Err(StepError::Defect(format!("{} is not in Odoo", work.id())));
    };
    let differs = |what: &str| {
        Exception::new(
            Code::OrderDiffers,
            format!(
                "order {} is to be cancelled, but {what} in Odoo",
                order.number
            ),
        )
    };
    let read = odoo.order(id).await?;
    let Some(read) = read else {
        return Err(differs("it was deleted").into());
    };
    if read.state != OrderState::Cancelled {
        let came = read.lines.iter().any(|line| line.received.is_positive());
        let billed = read.lines.iter().any(|line| line.invoiced.is_positive());
        if came || billed {
            return Err(differs("goods were received or billed for it").into());
        }
        odoo.cancel_order(id).await?;
        interplant_runtime::failpoint!("cancel.after_cancel");
        let after = odoo.order(id).await?.map(|read| read.state);
        if after != Some(OrderState::Cancelled) {
            return Err(differs("it stayed as it was").into());
        }
    }
    if let Some(known) = &mut order.in_odoo {
        known.cancelled = true;
        known.open_receipt = None;
    }
    Ok(())
}

async fn credit_bill<P>(
    odoo: &Client,
    work: &Work<P>,
    order: &PurchaseOrder,
    credit: &CreditPlan,
) -> Result<PostedBill, StepError> {
    let document = post_invoice::Document {
        number: format!("{} cancelled", credit.number),
        kind: InvoiceKind::CreditNote,
        // Today's books: what is undone now is undone now.
        invoice_date: today(work),
        posting_date: today(work),
        corrects: Some(credit.number.clone()),
        lines: post_invoice::own_lines(work, order, &credit.lines)?,
        extras: Vec::new(),
        evidence: None,
        totals: None,
    };
    let id = document.create(odoo, work, order).await?;
    post_invoice::post(odoo, id, &document).await?;
    post_invoice::read_posted(odoo, id, &document).await
}

fn today<P>(work: &Work<P>) -> interplant_domain::fact::Day {
    interplant_domain::fact::Day(
        work.lifecycle
            .header
            .updated_at
            .to_zoned(TimeZone::UTC)
            .date(),
    )
}

fn apply_credit<P>(
    order: &mut PurchaseOrder,
    sequence: u64,
    credit: &CreditPlan,
    bill: PostedBill,
    work: &Work<P>,
) -> Result<(), StepError> {
    for paid in &credit.lines {
        for line in order
            .lines
            .iter_mut()
            .filter(|line| line.line_no == paid.line_no)
        {
            line.billed.push(interplant_domain::purchase_order::Billed {
                sequence,
                paid: paid.clone(),
                credit: true,
            });
        }
    }
    order.invoices.push(AppliedInvoice {
        number: interplant_domain::fact::Code::new(&format!("{} cancelled", credit.number)),
        kind: InvoiceKind::CreditNote,
        sequence,
        invoice_date: today(work),
        posting_date: today(work),
        corrects: Some(credit.number.clone()),
        orders: Vec::new(),
        payable: Payable {
            rule_version: "compensation".to_owned(),
            inputs_hash: String::new(),
            lines: Vec::new(),
            extras: Vec::new(),
            net: credit.total,
            tax: bill.total - credit.total,
            gross: bill.total,
        },
        bill: Some(bill),
    });
    Ok(())
}
