//! Takes note of what changes nothing in Odoo: shipments that were announced or called off, that nothing
//! more will come, and what other orders tell about an invoice that they share. State `Record`.
//!
//! Safe to repeat: nothing leaves Interplant.
//! Holds the fact as `UNKNOWN_LINE`, `LINE_DIFFERS`.

use interplant_domain::exception::Code;
use interplant_domain::fact::Fact;
use interplant_domain::lifecycle::{Done, Settle};
use interplant_domain::purchase_order::{ForeignPart, PostedBill, PurchaseOrder, Refusal};
use interplant_runtime::Context;
use interplant_runtime::step::{Begun, Outcome, StepError, StepInput};
use jiff::Timestamp;

use crate::acknowledge::not_of_this_step;

pub(crate) async fn handle(
    context: &Context,
    input: StepInput,
    deadline: Timestamp,
) -> Result<Outcome, StepError> {
    // The plan is only whether it can be noted; what is noted follows from the fact.
    let begun = context.begin(&input, deadline, |order, fact, _| {
        let mut order = order.cloned().ok_or_else(|| not_of_this_step(fact))?;
        noted(&mut order, fact).map(drop)
    });
    let work = match begun.await? {
        Begun::Work(work) => work,
        Begun::GoOn(outcome) => return Ok(outcome),
    };
    let mut order = work.order().cloned();
    let result = match &mut order {
        Some(known) => noted(known, &work.fact).map_err(StepError::from),
        None => Err(StepError::Defect(format!("{} has no order", work.id()))),
    };
    let done = result.map(|result| Done {
        order,
        settle: Settle::Applied,
        result,
        evidence: None,
    });
    context.conclude(&work, done).await
}

fn noted(order: &mut PurchaseOrder, fact: &Fact) -> Result<String, Refusal> {
    match fact {
        Fact::AsnReceived(fact) => {
            order.expect_shipment(fact)?;
            Ok(format!("shipment {} is expected", fact.asn_number))
        }
        Fact::AsnCancelled(fact) => {
            if order.call_off_shipment(&fact.asn_number) {
                return Ok(format!("shipment {} does not come", fact.asn_number));
            }
            Err(Refusal::Wait {
                reason: format!("shipment {} was not announced yet", fact.asn_number),
                becomes: Code::PredecessorOverdue,
            })
        }
        Fact::PoClosed(fact) => {
            order.close_short(fact)?;
            Ok("nothing more is expected".to_owned())
        }
        Fact::InvoiceMatched(fact) => {
            let lines = serde_json::from_value(fact.matched.clone()).map_err(|error| {
                interplant_domain::exception::Exception::new(Code::BillDiffers, error.to_string())
            })?;
            order.apply_foreign_part(ForeignPart {
                invoice: fact.invoice_number.clone(),
                order: fact.po_number_matched.clone(),
                lines,
            });
            Ok(format!(
                "order {} has matched its lines of invoice {}",
                fact.po_number_matched, fact.invoice_number
            ))
        }
        Fact::InvoicePosted(fact) => {
            let bill = PostedBill {
                id: fact.odoo_move_id,
                name: fact.name.to_string(),
                total: fact.total,
            };
            if order.apply_foreign_bill(&fact.invoice_number, bill) {
                return Ok(format!("bill {} posted by another order", fact.name));
            }
            Err(Refusal::Wait {
                reason: format!("invoice {} is not matched here yet", fact.invoice_number),
                becomes: Code::BillDiffers,
            })
        }
        Fact::PoCreated(_)
        | Fact::PoChanged(_)
        | Fact::PoCancelled(_)
        | Fact::PoAcknowledged(_)
        | Fact::ReceiptPosted(_)
        | Fact::ReceiptReversed(_)
        | Fact::QualityHeld(_)
        | Fact::InspectionCompleted(_)
        | Fact::QualityReleased(_)
        | Fact::NcrDispositioned(_)
        | Fact::InvoiceReceived(_)
        | Fact::MoReleased(_)
        | Fact::MoChanged(_)
        | Fact::MoCancelled(_)
        | Fact::MoStarted(_)
        | Fact::MaterialIssued(_)
        | Fact::MaterialReturned(_)
        | Fact::OperationCompleted(_)
        | Fact::ScrapReported(_)
        | Fact::ProductionExceptionReported(_)
        | Fact::ProductionExceptionResolved(_)
        | Fact::MoHeld(_)
        | Fact::MoResumed(_)
        | Fact::FgReceived(_)
        | Fact::MoClosed(_)
        | Fact::ItemProposed(_)
        | Fact::StockSnapshot(_)
        | Fact::JournalEntrySubmitted(_) => Err(not_of_this_step(fact)),
    }
}
