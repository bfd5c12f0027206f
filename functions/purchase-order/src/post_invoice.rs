//! Creates and posts the vendor bill in Odoo: what was matched, nothing else. State `PostInvoice`.
//!
//! Safe to repeat, also while an earlier attempt is still running in Odoo: the bill is loaded create-once
//! under an external id of its own, and a bill that is posted cannot be posted again. The match is attached
//! in the same transaction. Of an invoice over several orders the first one posts the bill, when all have
//! matched; the others only tell it so.
//! Raises `UNKNOWN_CODE`, `AMOUNT_PRECISION`, `BILLED_OUTSIDE`, `BILL_DIFFERS`, `BILL_POSTED_DIFFERENT`,
//! `PERIOD_LOCKED`.

use interplant_domain::decimal::{Amount, Quantity, UnitPrice};
use interplant_domain::exception::{Code as ExceptionCode, Exception};
use interplant_domain::fact::{Code, Day, Fact, InvoiceKind, InvoiceMatched, InvoicePosted};
use interplant_domain::identifier::{ExternalId, LifecycleId, LifecycleKind};
use interplant_domain::lifecycle::{Done, Settle};
use interplant_domain::matching::Evaluation;
use interplant_domain::plant::Plant;
use interplant_domain::purchase_order::{
    AppliedInvoice, ExtraLine, ForeignLine, PaidLine, PostedBill, PurchaseOrder, Step,
};
use interplant_odoo::{Bill, BillState, Client, NewBill, NewBillLine};
use interplant_runtime::step::{Begun, Outcome, StepError, StepInput, Work};
use interplant_runtime::{Context, failpoint};
use jiff::Timestamp;

use crate::acknowledge::order_of;

/// A bill as it is to be.
pub(crate) struct Document {
    pub(crate) number: String,
    pub(crate) kind: InvoiceKind,
    pub(crate) invoice_date: Day,
    pub(crate) posting_date: Day,
    pub(crate) corrects: Option<Code>,
    pub(crate) lines: Vec<DocumentLine>,
    pub(crate) extras: Vec<ExtraLine>,
    pub(crate) evidence: Option<String>,
    /// Net, tax and gross; none when Odoo's own sums are taken.
    pub(crate) totals: Option<(Amount, Amount, Amount)>,
}

/// A line of a bill that an order line has.
pub(crate) struct DocumentLine {
    order_line: ExternalId,
    odoo_line: i64,
    item: Code,
    uom: Code,
    quantity: Quantity,
    unit_price: UnitPrice,
    tax_code: Option<Code>,
    /// How much Odoo is to count as invoiced of the line with this bill; none when it is not compared.
    invoiced: Option<Quantity>,
}

pub(crate) async fn handle(
    context: &Context,
    input: StepInput,
    deadline: Timestamp,
) -> Result<Outcome, StepError> {
    // The plan is the result of the match, which the order already keeps.
    let work = match context.begin(&input, deadline, |_, _, _| Ok(())).await? {
        Begun::Work(work) => work,
        Begun::GoOn(outcome) => return Ok(outcome),
    };
    let result = bill(context, &work).await;
    context.conclude(&work, result).await
}

async fn bill(context: &Context, work: &Work<()>) -> Result<Done, StepError> {
    let (order, invoice) = matched_invoice(work)?;
    if !invoice.leads(&order.number) {
        return tell_leader(context, work, order, invoice).await;
    }
    let odoo = context.odoo(&work.plant.odoo.database).await?;
    let evidence = evidence(context, work, order, invoice).await?;
    let document = document(work, order, invoice, evidence)?;
    let id = document.create(&odoo, work, order).await?;
    failpoint!("post_invoice.after_load", work.id());
    let posted = post(&odoo, id, &document).await?;
    failpoint!("post_invoice.after_post");
    let mut booked = order.clone();
    booked.apply_bill(work.sequence, posted.clone());
    // When this bill completes the order, `Close` reads it back; else nobody comes by soon, so we do it now.
    let settle = if booked.is_complete() {
        Settle::Continue
    } else {
        Settle::Applied
    };
    let others: Vec<&Code> = invoice.others(&order.number).collect();
    let mut posted = posted;
    // A draft has no number yet: whoever is told of the bill is told of the posted one.
    if (settle == Settle::Applied || !others.is_empty())
        && let Some(read) = verify(&odoo, work, &booked).await?
    {
        booked.apply_bill(work.sequence, read.clone());
        posted = read;
    }
    for other in others {
        let told = Fact::InvoicePosted(InvoicePosted {
            po_number: other.clone(),
            invoice_number: invoice.number.clone(),
            supplier_id: order.supplier.clone(),
            odoo_move_id: posted.id,
            name: Code::new(&posted.name),
            total: posted.total,
        });
        context.tell(&work.plant, &told).await?;
    }
    Ok(Done {
        order: Some(booked),
        settle,
        result: format!(
            "bill of invoice {} posted: {}",
            invoice.number, posted.total
        ),
        evidence: None,
    })
}

/// Tells the order that posts the bill that our lines may be paid. Told twice is told once.
async fn tell_leader(
    context: &Context,
    work: &Work<()>,
    order: &PurchaseOrder,
    invoice: &AppliedInvoice,
) -> Result<Done, StepError> {
    let Some(leader) = invoice.orders.first() else {
        return Err(StepError::Defect(format!("{} tells nobody", work.id())));
    };
    let mut lines = Vec::new();
    for paid in order.paid_lines(work.sequence) {
        let line = order.line(&paid.line_no)?;
        lines.push(ForeignLine {
            item: line.item.clone(),
            uom: line.uom.clone(),
            odoo_line: line.odoo_line.unwrap_or_default(),
            invoiced: counted_with(order, invoice, &paid.line_no),
            paid,
        });
    }
    let matched =
        serde_json::to_value(&lines).map_err(|error| StepError::Defect(error.to_string()))?;
    let told = Fact::InvoiceMatched(InvoiceMatched {
        po_number: leader.clone(),
        po_number_matched: order.number.clone(),
        invoice_number: invoice.number.clone(),
        supplier_id: order.supplier.clone(),
        matched,
    });
    context.tell(&work.plant, &told).await?;
    Ok(Done {
        order: None,
        settle: Settle::Applied,
        result: format!("order {leader} posts invoice {}", invoice.number),
        evidence: None,
    })
}

fn matched_invoice(work: &Work<()>) -> Result<(&PurchaseOrder, &AppliedInvoice), StepError> {
    let order = order_of(work)?;
    let invoice = order.invoice(work.sequence);
    invoice
        .map(|invoice| (order, invoice))
        .ok_or_else(|| StepError::Defect(format!("{} has no matched invoice to post", work.id())))
}

/// Why the invoice may be paid, in words, as the match has recorded it.
async fn evidence(
    context: &Context,
    work: &Work<()>,
    order: &PurchaseOrder,
    invoice: &AppliedInvoice,
) -> Result<String, StepError> {
    let kept = context
        .evidence(work.id(), work.sequence, Step::MatchInvoice)
        .await?;
    let evaluation = kept
        .as_ref()
        .and_then(|kept| kept.get("evaluation"))
        .and_then(|evaluation| serde_json::from_value::<Evaluation>(evaluation.clone()).ok());
    Ok(evaluation.map_or_else(
        || {
            format!(
                "Invoice {}, order {}: matched\nRules {}, inputs {}\n",
                invoice.number,
                order.number,
                invoice.payable.rule_version,
                invoice.payable.inputs_hash
            )
        },
        |evaluation| evaluation.explanation(&invoice.number, &order.number),
    ))
}

/// Lines of this order as the bill has them.
pub(crate) fn own_lines<P>(
    work: &Work<P>,
    order: &PurchaseOrder,
    paid: &[PaidLine],
) -> Result<Vec<DocumentLine>, StepError> {
    let order_id = work.id().external_id();
    let mut lines = Vec::new();
    for paid in paid {
        let line = order.line(&paid.line_no)?;
        let odoo_line = line
            .odoo_line
            .ok_or_else(|| StepError::Defect(format!("line {} is not in Odoo", line.line_no)))?;
        lines.push(DocumentLine {
            order_line: order_id.part("line", paid.line_no.as_str()),
            odoo_line,
            item: line.item.clone(),
            uom: line.uom.clone(),
            quantity: paid.quantity,
            unit_price: paid.unit_price,
            tax_code: paid.tax_code.clone(),
            invoiced: None,
        });
    }
    Ok(lines)
}

fn document(
    work: &Work<()>,
    order: &PurchaseOrder,
    invoice: &AppliedInvoice,
    evidence: String,
) -> Result<Document, StepError> {
    let mut lines = own_lines(work, order, &order.paid_lines(work.sequence))?;
    for (line, paid) in lines.iter_mut().zip(order.paid_lines(work.sequence)) {
        line.invoiced = Some(counted_with(order, invoice, &paid.line_no));
    }
    for part in order.foreign(invoice) {
        let other = LifecycleId::new(LifecycleKind::Po, work.id().plant(), part.order.as_str());
        lines.extend(part.lines.iter().map(|line| DocumentLine {
            order_line: other.external_id().part("line", line.paid.line_no.as_str()),
            odoo_line: line.odoo_line,
            item: line.item.clone(),
            uom: line.uom.clone(),
            quantity: line.paid.quantity,
            unit_price: line.paid.unit_price,
            tax_code: line.paid.tax_code.clone(),
            invoiced: Some(line.invoiced),
        }));
    }
    let payable = &invoice.payable;
    Ok(Document {
        number: invoice.number.to_string(),
        kind: invoice.kind,
        invoice_date: invoice.invoice_date,
        posting_date: invoice.posting_date,
        corrects: invoice.corrects.clone(),
        lines,
        extras: payable.extras.clone(),
        evidence: Some(evidence),
        totals: Some((payable.net, payable.tax, payable.gross)),
    })
}

/// What Odoo is to count as invoiced of a line with this invoice: those that wait to be posted do not count
/// there yet, and a draft credit note counts like a posted one.
fn counted_with(order: &PurchaseOrder, invoice: &AppliedInvoice, line_no: &Code) -> Quantity {
    let waiting = |sequence: u64| {
        sequence != invoice.sequence
            && order
                .invoice(sequence)
                .is_some_and(|other| other.bill.is_none())
    };
    let line = order.lines.iter().find(|line| line.line_no == *line_no);
    let signed = line
        .into_iter()
        .flat_map(|line| &line.billed)
        .filter(|billed| !waiting(billed.sequence));
    signed.fold(Quantity::ZERO, |sum, billed| {
        if billed.credit {
            sum - billed.paid.quantity
        } else {
            sum + billed.paid.quantity
        }
    })
}

impl Document {
    fn external_id(&self, order: &ExternalId) -> ExternalId {
        order.part("bill", &self.number)
    }

    /// Loads the bill as a draft, create-once.
    pub(crate) async fn create<P>(
        &self,
        odoo: &Client,
        work: &Work<P>,
        order: &PurchaseOrder,
    ) -> Result<i64, StepError> {
        let plant = &work.plant;
        let external_id = self.external_id(&work.id().external_id());
        let mut lines = Vec::new();
        for line in &self.lines {
            odoo.accuracy().check_quantity(line.quantity)?;
            odoo.accuracy().check_price(line.unit_price)?;
            // Lines of several orders may have one number: the order line's own id tells them apart.
            let name = line
                .order_line
                .as_str()
                .rsplit_once('.')
                .map_or("", |(_, name)| name);
            lines.push(NewBillLine {
                external_id: external_id.part("line", name),
                order_line: Some(line.odoo_line),
                item: plant.item(&line.item),
                unit: Some(plant.unit(&line.uom)?),
                description: line.item.to_string(),
                quantity: line.quantity,
                price: line.unit_price,
                tax: tax(plant, line.tax_code.as_ref())?,
            });
        }
        for extra in &self.extras {
            let (what, item) = match &extra.charge {
                Some(code) => (code.as_str(), plant.charge_item(code)?),
                None => ("small difference", plant.small_difference_item()?),
            };
            lines.push(NewBillLine {
                external_id: external_id.part("extra", what),
                order_line: None,
                item,
                unit: None,
                description: what.to_owned(),
                quantity: Quantity::count(1),
                price: UnitPrice::from_decimal(extra.amount.decimal()),
                tax: tax(plant, extra.tax_code.as_ref())?,
            });
        }
        let order_id = work.id().external_id();
        let new = NewBill {
            lines,
            partner: plant.partner(&order.supplier),
            currency: Plant::currency(&order.currency),
            company: ExternalId::configured(plant.odoo.company.clone()),
            number: self.number.clone(),
            refund: self.kind == InvoiceKind::CreditNote,
            reverses: self
                .corrects
                .as_ref()
                .map(|number| order_id.part("bill", number.as_str())),
            date: self.invoice_date,
            accounting_date: self.posting_date,
            evidence: self.evidence.clone(),
            external_id,
        };
        Ok(odoo.create_bill(&new).await?)
    }

    /// Lines, totals, dates and number of a bill against this; the first difference in words.
    fn same(&self, bill: &Bill) -> Result<(), String> {
        let differ = |what: &str, ours: String, theirs: String| {
            Err(format!("{what} is {theirs} in Odoo, {ours} was matched"))
        };
        let shown =
            |day: Option<Day>| day.map_or_else(|| "no date".to_owned(), |day| day.to_string());
        if bill.number.as_deref() != Some(self.number.as_str()) {
            let theirs = bill.number.clone().unwrap_or_default();
            return differ("the reference", self.number.clone(), theirs);
        }
        if bill.invoice_date != Some(self.invoice_date) {
            return differ(
                "the date",
                self.invoice_date.to_string(),
                shown(bill.invoice_date),
            );
        }
        let count = self.lines.len() + self.extras.len();
        if bill.lines.len() != count {
            return differ(
                "the number of lines",
                count.to_string(),
                bill.lines.len().to_string(),
            );
        }
        for line in &self.lines {
            let found = bill
                .lines
                .iter()
                .find(|one| one.order_line == Some(line.odoo_line));
            let Some(found) = found else {
                return differ("a line", line.item.to_string(), "missing".to_owned());
            };
            if found.quantity != line.quantity || found.price != line.unit_price {
                return differ(
                    &format!("the line of item {}", line.item),
                    format!("{} at {}", line.quantity, line.unit_price),
                    format!("{} at {}", found.quantity, found.price),
                );
            }
        }
        let Some((net, tax, gross)) = self.totals else {
            return Ok(());
        };
        for (what, ours, theirs) in [
            ("the net total", net, bill.untaxed),
            ("the tax", tax, bill.tax),
            ("the total", gross, bill.total),
        ] {
            if ours != theirs {
                return differ(what, ours.to_string(), theirs.to_string());
            }
        }
        Ok(())
    }

    /// What Odoo counts as invoiced on each line is what we have matched, this bill included.
    fn not_billed_outside(&self, bill: &Bill) -> Result<(), Exception> {
        for line in &self.lines {
            let found = bill
                .lines
                .iter()
                .find(|one| one.order_line == Some(line.odoo_line));
            let counted = found.and_then(|one| one.order_line_invoiced);
            if let Some(expected) = line.invoiced
                && counted != Some(expected)
            {
                return Err(Exception::new(
                    ExceptionCode::BilledOutside,
                    format!(
                        "item {} of invoice {}: Odoo counts {} as invoiced, Interplant {expected}; somebody billed it in Odoo. The draft bill is not posted",
                        line.item,
                        self.number,
                        counted.unwrap_or_default(),
                    ),
                ));
            }
        }
        Ok(())
    }
}

fn tax(plant: &Plant, code: Option<&Code>) -> Result<Option<ExternalId>, Exception> {
    code.map(|code| plant.tax(code)).transpose()
}

/// Posts a draft bill that is what it should be; one that is posted already stays as it is.
pub(crate) async fn post(
    odoo: &Client,
    id: i64,
    document: &Document,
) -> Result<PostedBill, StepError> {
    let bill = read_bill(odoo, id, &document.number).await?;
    if bill.state == BillState::Draft {
        document.not_billed_outside(&bill)?;
        document.same(&bill).map_err(|what| {
            Exception::new(
                ExceptionCode::BillDiffers,
                format!(
                    "the draft bill of invoice {} is not posted: {what}",
                    document.number
                ),
            )
        })?;
        if bill.is_period_locked() {
            return Err(Exception::new(
                ExceptionCode::PeriodLocked,
                format!(
                    "invoice {} is to be booked on {}, but the books are closed up to {}; Odoo would book it on another date without a word",
                    document.number,
                    document.posting_date,
                    bill.locked_until.map_or_else(String::new, |day| day.to_string())
                ),
            )
            .into());
        }
        match odoo.post_bill(id).await {
            // Somebody was faster; what counts is read afterwards.
            Ok(()) | Err(interplant_odoo::Error::NotOpen { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(PostedBill {
        id,
        name: bill.name,
        total: bill.total,
    })
}

/// Reads a posted bill back and compares it with what was matched.
///
/// # Errors
/// `BILL_POSTED_DIFFERENT` or `PERIOD_LOCKED`: an incident, the bill is posted and is not what it should be.
pub(crate) async fn verify(
    odoo: &Client,
    work: &Work<()>,
    order: &PurchaseOrder,
) -> Result<Option<PostedBill>, StepError> {
    let invoice = order.invoice(work.sequence);
    let Some((invoice, posted)) = invoice.and_then(|one| Some((one, one.bill.clone()?))) else {
        return Err(StepError::Defect(format!(
            "order {} has no posted bill to verify",
            order.number
        )));
    };
    if !invoice.leads(&order.number) {
        return Ok(None);
    }
    let mut document = document(work, order, invoice, String::new())?;
    if !invoice.orders.is_empty() {
        // Lines of other orders are forgotten once the bill is posted; its sums still tell.
        document.lines.clear();
        document.extras.clear();
    }
    read_posted(odoo, posted.id, &document).await.map(Some)
}

/// Reads a bill back after it was posted; a document without lines is compared by its sums.
///
/// # Errors
/// As [`verify`].
pub(crate) async fn read_posted(
    odoo: &Client,
    id: i64,
    document: &Document,
) -> Result<PostedBill, StepError> {
    let mut bill = read_bill(odoo, id, &document.number).await?;
    if bill.state != BillState::Posted {
        return Err(Exception::new(
            ExceptionCode::BillPostedDifferent,
            format!(
                "the bill of invoice {} is {:?} in Odoo after posting",
                document.number, bill.state
            ),
        )
        .into());
    }
    if bill.accounting_date != Some(document.posting_date) {
        return Err(Exception::new(
            ExceptionCode::PeriodLocked,
            format!(
                "bill {} of invoice {} was meant for {}, Odoo booked it on {}",
                bill.name,
                document.number,
                document.posting_date,
                bill.accounting_date
                    .map_or_else(|| "no date".to_owned(), |day| day.to_string())
            ),
        )
        .into());
    }
    if document.lines.is_empty() && document.extras.is_empty() {
        bill.lines.clear();
    }
    document.same(&bill).map_err(|what| {
        Exception::new(
            ExceptionCode::BillPostedDifferent,
            format!("bill {} of invoice {}: {what}", bill.name, document.number),
        )
    })?;
    Ok(PostedBill {
        id,
        name: bill.name,
        total: bill.total,
    })
}

async fn read_bill(odoo: &Client, id: i64, number: &str) -> Result<Bill, StepError> {
    let bill = odoo.bill(id).await?;
    let bill = bill.ok_or_else(|| {
        Exception::new(
            ExceptionCode::BillDiffers,
            format!("the bill of invoice {number} was deleted in Odoo"),
        )
    })?;
    Ok(bill)
}
