//! Compares an invoice with the order and what was received. State `MatchInvoice`.
//!
//! Safe to repeat: nothing leaves Interplant. An invoice whose goods have not come is parked and looked at
//! again after the next receipt.
//! Raises `INVOICE_PARTY`, `UNKNOWN_LINE`, `LINE_DIFFERS`, `INVOICE_TOTALS`, `PRICE`, `QTY_ORD`.

use interplant_domain::exception::{Code, Exception};
use interplant_domain::fact::Fact;
use interplant_domain::lifecycle::Settle;
use interplant_domain::purchase_order::{MatchOutcome, MatchResult};
use interplant_runtime::Context;
use interplant_runtime::step::{Begun, Change, Outcome, StepError, StepInput};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize)]
enum Plan {
    Matched(MatchResult),
    AwaitingReceipt(String),
}

pub(crate) async fn handle(
    context: &Context,
    input: StepInput,
    deadline: Timestamp,
) -> Result<Outcome, StepError> {
    let begun = context.begin(&input, deadline, |order, fact| match (order, fact) {
        (Some(order), Fact::InvoiceReceived(fact)) => Ok(match order.match_invoice(fact)? {
            MatchOutcome::Matched(matched) => Plan::Matched(matched),
            MatchOutcome::AwaitingReceipt { reason } => Plan::AwaitingReceipt(reason),
        }),
        (_, fact) => Err(Exception::new(
            Code::InvoiceParty,
            format!("{} is not an invoice", fact.kind().event_type()),
        )),
    });
    let work = match begun.await? {
        Begun::Work(work) => work,
        Begun::GoOn(outcome) => return Ok(outcome),
    };
    let (Some(order), Fact::InvoiceReceived(fact)) = (work.order(), &work.fact) else {
        return Err(StepError::Defect(format!(
            "{} has no order to match with",
            work.id()
        )));
    };
    let mut order = order.clone();
    let change = match work.plan.clone() {
        Plan::Matched(matched) => {
            let result = format!(
                "invoice {} matched: {} to pay",
                fact.invoice_number, matched.gross
            );
            order.apply_match(&fact.invoice_number, work.sequence, matched);
            Change {
                order,
                settle: Settle::Continue,
                result,
            }
        }
        Plan::AwaitingReceipt(reason) => Change {
            order,
            settle: Settle::Park,
            result: reason,
        },
    };
    context.conclude(&work, Ok(change)).await
}
