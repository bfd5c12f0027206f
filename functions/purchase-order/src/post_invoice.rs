//! Creates and posts the vendor bill in Odoo: what was matched, nothing else. State `PostInvoice`.
//!
//! Safe to repeat, also while an earlier attempt is still running in Odoo: the bill is loaded create-once
//! under an external id of its own, and a bill that is posted cannot be posted again.
//! Raises `UNKNOWN_CODE`, `AMOUNT_PRECISION`, `BILLED_OUTSIDE`, `BILL_DIFFERS`, `BILL_POSTED_DIFFERENT`,
//! `PERIOD_LOCKED`.

use interplant_domain::decimal::{Amount, Quantity};
use interplant_domain::exception::{Code, Exception};
use interplant_domain::identifier::ExternalId;
use interplant_domain::lifecycle::Settle;
use interplant_domain::plant::Plant;
use interplant_domain::purchase_order::{AppliedInvoice, PostedBill, PurchaseOrder};
use interplant_odoo::{Bill, BillState, Client, NewBill, NewBillLine};
use interplant_runtime::step::{Begun, Change, Outcome, StepError, StepInput, Work};
use interplant_runtime::{Context, failpoint};
use jiff::Timestamp;

pub(crate) async fn handle(
    context: &Context,
    input: StepInput,
    deadline: Timestamp,
) -> Result<Outcome, StepError> {
    // The plan is the result of the match, which the order already keeps.
    let work = match context.begin(&input, deadline, |_, _| Ok(())).await? {
        Begun::Work(work) => work,
        Begun::GoOn(outcome) => return Ok(outcome),
    };
    let result = post(context, &work).await;
    context.conclude(&work, result).await
}

async fn post(context: &Context, work: &Work<()>) -> Result<Change, StepError> {
    let (order, invoice) = matched_invoice(work)?;
    let odoo = context.odoo(&work.plant.odoo.database).await?;
    for line in &invoice.matched.lines {
        odoo.accuracy().check_quantity(line.quantity)?;
        odoo.accuracy().check_price(line.unit_price)?;
    }
    let id = odoo.create_bill(&document(work, order, invoice)?).await?;
    failpoint!("post_invoice.after_load");
    let mut bill = read_bill(&odoo, id, invoice).await?;
    if bill.state == BillState::Draft {
        not_billed_outside(order, invoice, &bill)?;
        same_as_matched(order, invoice, &bill).map_err(|what| {
            Exception::new(
                Code::BillDiffers,
                format!(
                    "the draft bill of invoice {} is not posted: {what}",
                    invoice.number
                ),
            )
        })?;
        if bill.is_period_locked() {
            return Err(Exception::new(
                Code::PeriodLocked,
                format!(
                    "invoice {} is dated {}, but the books are closed up to {}; Odoo would book it on another date without a word",
                    invoice.number,
                    invoice.matched.invoice_date,
                    bill.locked_until.map_or_else(String::new, |day| day.to_string())
                ),
            )
            .into());
        }
        match odoo.post_bill(id).await {
            // Somebody was faster; what counts is read below.
            Ok(()) | Err(interplant_odoo::Error::NotOpen { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        failpoint!("post_invoice.after_post");
        bill.state = BillState::Posted;
    }
    let mut order = order.clone();
    let posted = PostedBill {
        id,
        name: bill.name.clone(),
        total: bill.total,
    };
    for invoice in order
        .invoices
        .iter_mut()
        .filter(|invoice| invoice.sequence == work.sequence)
    {
        invoice.bill = Some(posted.clone());
    }
    // When this bill completes the order, `Close` reads it back; else nobody comes by soon, so we do it now.
    let settle = if order.is_complete() {
        Settle::Continue
    } else {
        Settle::Applied
    };
    if settle == Settle::Applied {
        verify(&odoo, &mut order, work.sequence).await?;
    }
    Ok(Change {
        order,
        settle,
        result: format!(
            "bill of invoice {} posted: {}",
            invoice.number, posted.total
        ),
    })
}

fn matched_invoice(work: &Work<()>) -> Result<(&PurchaseOrder, &AppliedInvoice), StepError> {
    let order = work.order();
    let invoice = order.and_then(|order| {
        order
            .invoices
            .iter()
            .find(|invoice| invoice.sequence == work.sequence)
    });
    order
        .zip(invoice)
        .ok_or_else(|| StepError::Defect(format!("{} has no matched invoice to post", work.id())))
}

/// Reads a posted bill back and compares it with what was matched.
///
/// # Errors
/// `BILL_POSTED_DIFFERENT` or `PERIOD_LOCKED`: an incident, the bill is posted and is not what it should be.
pub(crate) async fn verify(
    odoo: &Client,
    order: &mut PurchaseOrder,
    sequence: u64,
) -> Result<(), StepError> {
    let found = order
        .invoices
        .iter()
        .find(|invoice| invoice.sequence == sequence);
    let Some((invoice, posted)) =
        found.and_then(|invoice| Some((invoice.clone(), invoice.bill.clone()?)))
    else {
        return Err(StepError::Defect(format!(
            "order {} has no posted bill to verify",
            order.number
        )));
    };
    let bill = read_bill(odoo, posted.id, &invoice).await?;
    if bill.state != BillState::Posted {
        return Err(Exception::new(
            Code::BillPostedDifferent,
            format!(
                "the bill of invoice {} is {:?} in Odoo after posting",
                invoice.number, bill.state
            ),
        )
        .into());
    }
    if bill.accounting_date != Some(invoice.matched.invoice_date) {
        return Err(Exception::new(
            Code::PeriodLocked,
            format!(
                "bill {} of invoice {} was meant for {}, Odoo booked it on {}",
                bill.name,
                invoice.number,
                invoice.matched.invoice_date,
                bill.accounting_date
                    .map_or_else(|| "no date".to_owned(), |day| day.to_string())
            ),
        )
        .into());
    }
    same_as_matched(order, &invoice, &bill).map_err(|what| {
        Exception::new(
            Code::BillPostedDifferent,
            format!("bill {} of invoice {}: {what}", bill.name, invoice.number),
        )
    })?;
    for invoice in order
        .invoices
        .iter_mut()
        .filter(|invoice| invoice.sequence == sequence)
    {
        // What was compared stays in the record of the steps; an order with many bills must stay small.
        invoice.matched.lines.clear();
        invoice.bill = Some(PostedBill {
            id: posted.id,
            name: bill.name.clone(),
            total: bill.total,
        });
    }
    Ok(())
}

async fn read_bill(odoo: &Client, id: i64, invoice: &AppliedInvoice) -> Result<Bill, StepError> {
    let bill = odoo.bill(id).await?;
    let bill = bill.ok_or_else(|| {
        Exception::new(
            Code::BillDiffers,
            format!("the bill of invoice {} was deleted in Odoo", invoice.number),
        )
    })?;
    Ok(bill)
}

fn document(
    work: &Work<()>,
    order: &PurchaseOrder,
    invoice: &AppliedInvoice,
) -> Result<NewBill, Exception> {
    let plant = &work.plant;
    let order_id = work.id().external_id();
    let external_id = order_id.part("bill", invoice.number.as_str());
    let lines = invoice.matched.lines.iter().map(|paid| {
        let line = order.lines.iter().find(|line| line.line_no == paid.line_no);
        let line = line.ok_or_else(|| {
            Exception::new(
                Code::UnknownLine,
                format!("order {} has no line {}", order.number, paid.line_no),
            )
        })?;
        Ok(NewBillLine {
            external_id: external_id.part("line", paid.line_no.as_str()),
            order_line: order_id.part("line", paid.line_no.as_str()),
            item: plant.item(&line.item),
            unit: plant.unit(&line.uom)?,
            description: line.item.to_string(),
            quantity: paid.quantity,
            price: paid.unit_price,
            tax: paid
                .tax_code
                .as_ref()
                .map(|tax| plant.tax(tax))
                .transpose()?,
        })
    });
    Ok(NewBill {
        lines: lines.collect::<Result<_, Exception>>()?,
        external_id,
        partner: plant.partner(&order.supplier),
        currency: Plant::currency(&order.currency),
        company: ExternalId::configured(plant.odoo.company.clone()),
        number: invoice.number.to_string(),
        date: invoice.matched.invoice_date,
    })
}

/// What Odoo counts as invoiced on each line is what we have matched, this bill included.
fn not_billed_outside(
    order: &PurchaseOrder,
    invoice: &AppliedInvoice,
    bill: &Bill,
) -> Result<(), Exception> {
    for paid in &invoice.matched.lines {
        let Some(line) = order.lines.iter().find(|line| line.line_no == paid.line_no) else {
            continue;
        };
        let in_odoo = bill
            .lines
            .iter()
            .find(|one| one.order_line == line.odoo_line)
            .and_then(|one| one.order_line_invoiced);
        let expected = posted_or_this(
            order,
            invoice,
            paid.invoiced_before + paid.quantity,
            &paid.line_no,
        );
        if in_odoo != Some(expected) {
            return Err(Exception::new(
                Code::BilledOutside,
                format!(
                    "line {} of order {}: Odoo counts {} as invoiced, Interplant {expected}; somebody billed it in Odoo. The draft bill of invoice {} is not posted",
                    paid.line_no,
                    order.number,
                    in_odoo.unwrap_or_default(),
                    invoice.number
                ),
            ));
        }
    }
    Ok(())
}

/// Invoices matched earlier but not yet in Odoo do not count there.
fn posted_or_this(
    order: &PurchaseOrder,
    invoice: &AppliedInvoice,
    matched: Quantity,
    line_no: &interplant_domain::fact::Code,
) -> Quantity {
    let not_in_odoo = order
        .invoices
        .iter()
        .filter(|other| other.sequence != invoice.sequence && other.bill.is_none());
    let waiting: Quantity = not_in_odoo
        .flat_map(|other| &other.matched.lines)
        .filter(|paid| paid.line_no == *line_no)
        .map(|paid| paid.quantity)
        .sum();
    matched - waiting
}

/// Lines, totals, date and number of a bill against the match; the first difference in words.
fn same_as_matched(
    order: &PurchaseOrder,
    invoice: &AppliedInvoice,
    bill: &Bill,
) -> Result<(), String> {
    let matched = &invoice.matched;
    let differ = |what: &str, ours: String, theirs: String| {
        Err(format!("{what} is {theirs} in Odoo, {ours} was matched"))
    };
    if bill.number.as_deref() != Some(invoice.number.as_str()) {
        return differ(
            "the reference",
            invoice.number.to_string(),
            bill.number.clone().unwrap_or_default(),
        );
    }
    if bill.invoice_date != Some(matched.invoice_date) {
        return differ(
            "the date",
            matched.invoice_date.to_string(),
            bill.invoice_date
                .map_or_else(String::new, |day| day.to_string()),
        );
    }
    if bill.lines.len() != matched.lines.len() {
        return differ(
            "the number of lines",
            matched.lines.len().to_string(),
            bill.lines.len().to_string(),
        );
    }
    for paid in &matched.lines {
        let id = order
            .lines
            .iter()
            .find(|line| line.line_no == paid.line_no)
            .and_then(|line| line.odoo_line);
        let Some(line) = bill.lines.iter().find(|line| line.order_line == id) else {
            return differ("a line", paid.line_no.to_string(), "missing".to_owned());
        };
        if line.quantity != paid.quantity || line.price != paid.unit_price {
            return differ(
                &format!("line {}", paid.line_no),
                format!("{} at {}", paid.quantity, paid.unit_price),
                format!("{} at {}", line.quantity, line.price),
            );
        }
    }
    let sums: [(&str, Amount, Amount); 3] = [
        ("the net total", matched.net, bill.untaxed),
        ("the tax", matched.tax, bill.tax),
        ("the total", matched.gross, bill.total),
    ];
    for (what, ours, theirs) in sums {
        if ours != theirs {
            return differ(what, ours.to_string(), theirs.to_string());
        }
    }
    Ok(())
}
