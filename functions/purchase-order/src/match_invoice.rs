//! Compares an invoice with the order and what was received. State `MatchInvoice`.
//!
//! Safe to repeat: nothing leaves Interplant. An invoice that cannot be paid yet waits or is on hold, and is
//! looked at again whenever the order has changed. What was compared is kept with the step, whole.
//! Holds the fact as any of the codes of the three-way match, `UNKNOWN_LINE`, `UNIT_CONVERSION`,
//! `UNKNOWN_CODE`.

use interplant_domain::fact::{Fact, InvoiceReceived};
use interplant_domain::lifecycle::{Done, Settle};
use interplant_domain::matching::{business_days_after, evaluate};
use interplant_runtime::Context;
use interplant_runtime::step::{Begun, Outcome, StepError, StepInput, Work};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::acknowledge::{not_of_this_step, order_of};

/// A record of DynamoDB holds 400 KB: what was compared of an invoice with very many lines is kept without
/// the comparisons that passed.
const MOST_EVIDENCE: usize = 200_000;

pub(crate) async fn handle(
    context: &Context,
    input: StepInput,
    deadline: Timestamp,
) -> Result<Outcome, StepError> {
    let begun = context.begin(&input, deadline, |order, fact, _| match (order, fact) {
        (Some(_), Fact::InvoiceReceived(_)) => Ok(()),
        (_, fact) => Err(not_of_this_step(fact)),
    });
    let work = match begun.await? {
        Begun::Work(work) => work,
        Begun::GoOn(outcome) => return Ok(outcome),
    };
    let Fact::InvoiceReceived(fact) = &work.fact else {
        return Err(StepError::Defect(format!(
            "{} is no invoice",
            work.fact.number()
        )));
    };
    let result = matched(context, &work, fact).await;
    context.conclude(&work, result).await
}

async fn matched(
    context: &Context,
    work: &Work<()>,
    fact: &InvoiceReceived,
) -> Result<Done, StepError> {
    let mut order = order_of(work)?.clone();
    let taken = work.taken()?;
    let history = context.invoice_history(work, fact).await?;
    let received = taken.received_at.to_zoned(TimeZone::UTC).date();
    let today = context.now().to_zoned(TimeZone::UTC).date();
    let wait = work.plant.matching.receipt_wait_days;
    let waited_out = today >= business_days_after(received, wait);
    let inputs = order.match_inputs(fact, &taken, history, waited_out)?;
    let evaluation = evaluate(&inputs);
    let payable = order.payable(fact, &evaluation, &taken)?;
    context
        .note_small_difference(work, fact, evaluation.small_difference)
        .await?;
    let result = format!(
        "invoice {} matched: {} to pay",
        fact.invoice_number, payable.gross
    );
    let explanation = evaluation.explanation(&fact.invoice_number, &order.number);
    let mut evidence = serde_json::json!({
        "explanation": explanation,
        "evaluation": evaluation,
        "inputs": inputs,
    });
    if evidence.to_string().len() > MOST_EVIDENCE {
        evidence = serde_json::json!({
            "rule_version": evaluation.rule_version,
            "inputs_hash": evaluation.inputs_hash,
            "result": evaluation.result,
            "not_kept": "the comparisons of this invoice are too many for one record; its hash tells whether a replay is the same",
        });
    }
    order.apply_match(fact, work.sequence, payable);
    Ok(Done {
        order: Some(order),
        settle: Settle::Continue,
        result,
        evidence: Some(evidence),
    })
}
