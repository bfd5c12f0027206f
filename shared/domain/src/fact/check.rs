//! What a fact's form alone cannot say: quantities above zero, no line twice, totals that add up.

mod master;
mod production;

use super::{Code, Contradiction, Fact, InvoiceReceived, LotQuantity, PoChanged, ReceiptPosted};
use crate::decimal::{Amount, Quantity, UnitPrice};
use crate::identifier::PlantCode;

impl Fact {
    /// What the form alone cannot say.
    ///
    /// # Errors
    /// The first contradiction, with its place.
    pub fn check(&self, plant: &PlantCode) -> Result<(), Contradiction> {
        match self {
            Self::PoCreated(fact) => {
                sent_by(fact.plant.as_ref(), plant, "the order")?;
                distinct_lines(&fact.lines, |line| &line.line_no)?;
                for (index, line) in fact.lines.iter().enumerate() {
                    positive(index, "qty", &line.line_no, line.qty)?;
                    not_negative(index, line.unit_price)?;
                }
                Ok(())
            }
            Self::PoChanged(fact) => check_change(fact),
            Self::PoCancelled(fact) => distinct_lines(&fact.lines, |line| line),
            Self::PoClosed(fact) => distinct_lines(&fact.lines, |line| line),
            Self::PoAcknowledged(fact) => {
                if fact.header_status.is_some() && fact.header_code.is_some() {
                    return Err(contradiction(
                        "/headerCode",
                        "send either `headerStatus` or `headerCode`, not both".to_owned(),
                    ));
                }
                distinct_lines(&fact.lines, |line| &line.line_no)?;
                for (index, line) in fact.lines.iter().enumerate() {
                    if line.status.is_some() == line.code.is_some() {
                        return Err(contradiction(
                            &format!("/lines/{index}/status"),
                            format!(
                                "line {} needs either `status` or `code`, and not both",
                                line.line_no
                            ),
                        ));
                    }
                    if let Some(quantity) = line.qty {
                        positive(index, "qty", &line.line_no, quantity)?;
                    }
                    if let Some(price) = line.price
                        && price.decimal().is_sign_negative()
                    {
                        return Err(contradiction(
                            &format!("/lines/{index}/price"),
                            "a price below zero is not taken".to_owned(),
                        ));
                    }
                }
                Ok(())
            }
            Self::AsnReceived(fact) => {
                for (index, line) in fact.lines.iter().enumerate() {
                    positive(index, "qty", &line.line_no, line.qty)?;
                    check_lots(index, line.qty, &line.lots, &line.serials)?;
                    let earlier = fact.lines.iter().take(index);
                    if earlier.into_iter().any(|other| {
                        other.line_no == line.line_no && other.po_number == line.po_number
                    }) {
                        return Err(repeated_line(index, &line.line_no));
                    }
                }
                Ok(())
            }
            Self::ReceiptPosted(fact) => check_receipt(fact),
            Self::ReceiptReversed(fact) => {
                distinct_lines(&fact.lines, |line| &line.line_no)?;
                for (index, line) in fact.lines.iter().enumerate() {
                    positive(index, "qty", &line.line_no, line.qty)?;
                }
                Ok(())
            }
            Self::QualityHeld(fact) => {
                named(&[&fact.po_number, &fact.receipt_number, &fact.lot_id])?;
                above_zero("/qty", fact.qty)
            }
            Self::QualityReleased(fact) => {
                named(&[&fact.po_number, &fact.receipt_number, &fact.lot_id])?;
                above_zero("/qtyReleased", fact.qty_released)
            }
            Self::InspectionCompleted(fact) => {
                named(&[&fact.po_number, &fact.receipt_number, &fact.lot_id])?;
                for (pointer, quantity) in [
                    ("/qtyAccepted", fact.qty_accepted),
                    ("/qtyRejected", fact.qty_rejected),
                ] {
                    if quantity.decimal().is_sign_negative() {
                        return Err(contradiction(
                            pointer,
                            format!("the quantity must not be below zero, and is {quantity}"),
                        ));
                    }
                }
                above_zero("/qtyAccepted", fact.qty_accepted + fact.qty_rejected)
            }
            Self::NcrDispositioned(fact) => {
                named(&[&fact.po_number, &fact.receipt_number, &fact.lot_id])?;
                above_zero("/qty", fact.qty)
            }
            Self::InvoiceReceived(fact) => check_invoice(fact),
            Self::MoReleased(fact) => fact.check(plant),
            Self::MoChanged(fact) => fact.check(),
            Self::MoCancelled(fact) => fact.check(),
            Self::MoStarted(fact) => fact.check(),
            Self::MaterialIssued(fact) => fact.check(),
            Self::MaterialReturned(fact) => fact.check(),
            Self::OperationCompleted(fact) => fact.check(),
            Self::ScrapReported(fact) => fact.check(),
            Self::ProductionExceptionReported(fact) => fact.check(),
            Self::MoHeld(fact) => fact.check(),
            Self::MoResumed(fact) => fact.check(),
            Self::FgReceived(fact) => fact.check(),
            Self::MoClosed(fact) => fact.check(),
            Self::ItemProposed(fact) => fact.check(plant),
            Self::StockSnapshot(fact) => fact.check(plant),
            Self::JournalEntrySubmitted(fact) => fact.check(),
            Self::AsnCancelled(_)
            | Self::InvoiceMatched(_)
            | Self::InvoicePosted(_)
            | Self::ProductionExceptionResolved(_) => Ok(()),
        }
    }
}

fn check_change(fact: &PoChanged) -> Result<(), Contradiction> {
    distinct_lines(&fact.changed_lines, |line| &line.line_no).map_err(in_changed_lines)?;
    for (index, line) in fact.changed_lines.iter().enumerate() {
        if line.qty.is_none() && line.unit_price.is_none() && line.need_date.is_none() {
            return Err(contradiction(
                &format!("/changedLines/{index}"),
                format!(
                    "line {} changes nothing: send `qty`, `unitPrice` or `needDate`; a line is taken back by po.cancelled",
                    line.line_no
                ),
            ));
        }
        if let Some(quantity) = line.qty {
            positive(index, "qty", &line.line_no, quantity).map_err(in_changed_lines)?;
        }
        if let Some(price) = line.unit_price {
            not_negative(index, price).map_err(in_changed_lines)?;
        }
    }
    Ok(())
}

fn in_changed_lines(found: Contradiction) -> Contradiction {
    Contradiction {
        pointer: found.pointer.replacen("/lines/", "/changedLines/", 1),
        ..found
    }
}

fn check_receipt(fact: &ReceiptPosted) -> Result<(), Contradiction> {
    if fact.po_number.is_none() && fact.asn_number.is_none() {
        return Err(contradiction(
            "/poNumber",
            "name the order (`poNumber`), or the advance ship notice (`asnNumber`) that does"
                .to_owned(),
        ));
    }
    distinct_lines(&fact.lines, |line| &line.line_no)?;
    for (index, line) in fact.lines.iter().enumerate() {
        positive(index, "qtyReceived", &line.line_no, line.qty_received)?;
        check_lots(index, line.qty_received, &line.lots, &line.serials)?;
        if let Some(in_question) = line.qty_in_question
            && (in_question.decimal().is_sign_negative() || in_question > line.qty_received)
        {
            return Err(contradiction(
                &format!("/lines/{index}/qtyInQuestion"),
                format!(
                    "{in_question} of line {} in question, but {} came",
                    line.line_no, line.qty_received
                ),
            ));
        }
        if fact.cumulative && (!line.lots.is_empty() || !line.serials.is_empty()) {
            return Err(contradiction(
                &format!("/lines/{index}/lots"),
                "a cumulative receipt cannot say which of its lots came now: report each receipt of lots or serial numbers by itself".to_owned(),
            ));
        }
    }
    Ok(())
}

fn check_lots(
    index: usize,
    quantity: Quantity,
    lots: &[LotQuantity],
    serials: &[Code],
) -> Result<(), Contradiction> {
    let place = |what: &str| format!("/lines/{index}/{what}");
    if !lots.is_empty() && !serials.is_empty() {
        return Err(contradiction(
            &place("serials"),
            "an item has lots or serial numbers, not both".to_owned(),
        ));
    }
    if let Some(lot) = lots.iter().find(|lot| !lot.qty.is_positive()) {
        return Err(contradiction(
            &place("lots"),
            format!("lot {} has quantity {}", lot.lot_id, lot.qty),
        ));
    }
    let sum: Quantity = lots.iter().map(|lot| lot.qty).sum();
    if !lots.is_empty() && sum != quantity {
        return Err(contradiction(
            &place("lots"),
            format!("the lots add up to {sum}, the line says {quantity}"),
        ));
    }
    if !serials.is_empty() && quantity != Quantity::count(serials.len()) {
        return Err(contradiction(
            &place("serials"),
            format!(
                "{} serial numbers for a quantity of {quantity}",
                serials.len()
            ),
        ));
    }
    let names: Vec<&Code> = lots.iter().map(|lot| &lot.lot_id).chain(serials).collect();
    for (at, name) in names.iter().enumerate() {
        if names.iter().take(at).any(|earlier| earlier == name) {
            let what = if serials.is_empty() {
                "lots"
            } else {
                "serials"
            };
            return Err(contradiction(&place(what), format!("{name} appears twice")));
        }
    }
    Ok(())
}

fn check_invoice(fact: &InvoiceReceived) -> Result<(), Contradiction> {
    let receipt = fact
        .lines
        .first()
        .and_then(|line| line.receipt_number.as_ref());
    let by_order = fact.lines.iter().any(|line| line.po_number.is_some());
    for (index, line) in fact.lines.iter().enumerate() {
        let place = |what: &str| format!("/lines/{index}/{what}");
        positive(index, "qty", &line.line_no, line.qty)?;
        not_negative(index, line.unit_price)?;
        if by_order && line.po_number.is_none() {
            return Err(contradiction(
                &place("poNumber"),
                "other lines name their order, this one does not".to_owned(),
            ));
        }
        if !by_order && (receipt.is_none() || line.receipt_number.as_ref() != receipt) {
            return Err(contradiction(
                &place("poNumber"),
                "name the order of each line (`poNumber`), or the one receipt of all of them (`receiptNumber`)".to_owned(),
            ));
        }
        if let Some(discount) = line.discount
            && (discount.decimal().is_sign_negative() || discount > line.qty.times(line.unit_price))
        {
            return Err(contradiction(
                &place("discount"),
                format!(
                    "a discount of {discount} on line {} is below zero or more than the line",
                    line.line_no
                ),
            ));
        }
        let earlier = fact.lines.iter().take(index);
        if earlier
            .into_iter()
            .any(|other| other.line_no == line.line_no && other.po_number == line.po_number)
        {
            return Err(repeated_line(index, &line.line_no));
        }
    }
    if let Some(index) = fact
        .charges
        .iter()
        .position(|charge| charge.amount.decimal().is_sign_negative())
    {
        return Err(contradiction(
            &format!("/charges/{index}/amount"),
            "a charge below zero is not taken: send it as a discount of the lines".to_owned(),
        ));
    }
    let totals = &fact.totals;
    let charges: Amount = fact.charges.iter().map(|charge| charge.amount).sum();
    if totals.charges != charges {
        return Err(contradiction(
            "/totals/charges",
            format!(
                "the charges add up to {charges}, the total says {}",
                totals.charges
            ),
        ));
    }
    let sum = totals.net + totals.charges + totals.tax + totals.round_off;
    if sum != totals.gross {
        return Err(contradiction(
            "/totals/gross",
            format!(
                "net {}, charges {}, tax {} and rounding {} do not add up to gross {}",
                totals.net, totals.charges, totals.tax, totals.round_off, totals.gross
            ),
        ));
    }
    Ok(())
}

/// A document that names its plant names the sender.
fn sent_by(named: Option<&Code>, plant: &PlantCode, what: &str) -> Result<(), Contradiction> {
    match named {
        Some(named) if named.as_str() != plant.as_str() => Err(contradiction(
            "/plant",
            format!("{what} names plant `{named}`, but it was sent by `{plant}`"),
        )),
        Some(_) | None => Ok(()),
    }
}

fn named(references: &[&Option<Code>]) -> Result<(), Contradiction> {
    if references.iter().all(|reference| reference.is_none()) {
        return Err(contradiction(
            "/poNumber",
            "name the order (`poNumber`), the receipt (`receiptNumber`) or the lot (`lotId`)"
                .to_owned(),
        ));
    }
    Ok(())
}

fn above_zero(pointer: &str, quantity: Quantity) -> Result<(), Contradiction> {
    if quantity.is_positive() {
        return Ok(());
    }
    Err(contradiction(
        pointer,
        format!("the quantity must be greater than zero, not {quantity}"),
    ))
}

fn positive(
    index: usize,
    field: &str,
    line_no: &Code,
    quantity: Quantity,
) -> Result<(), Contradiction> {
    if quantity.is_positive() {
        return Ok(());
    }
    Err(contradiction(
        &format!("/lines/{index}/{field}"),
        format!("the quantity of line {line_no} must be greater than zero, not {quantity}"),
    ))
}

fn not_negative(index: usize, price: UnitPrice) -> Result<(), Contradiction> {
    if price.decimal().is_sign_negative() {
        return Err(contradiction(
            &format!("/lines/{index}/unitPrice"),
            "a price below zero is not taken: what the supplier gives back is a credit note, with positive quantities and prices".to_owned(),
        ));
    }
    Ok(())
}

fn distinct_lines<L>(lines: &[L], line_no: impl Fn(&L) -> &Code) -> Result<(), Contradiction> {
    for (index, line) in lines.iter().enumerate() {
        if lines
            .iter()
            .take(index)
            .any(|earlier| line_no(earlier) == line_no(line))
        {
            return Err(repeated_line(index, line_no(line)));
        }
    }
    Ok(())
}

fn repeated_line(index: usize, line_no: &Code) -> Contradiction {
    contradiction(
        &format!("/lines/{index}/lineNo"),
        format!("line {line_no} appears twice; send each line once"),
    )
}

fn contradiction(pointer: &str, message: String) -> Contradiction {
    Contradiction {
        pointer: pointer.to_owned(),
        message,
    }
}
