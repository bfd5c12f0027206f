//! Moves goods in Odoo by a transfer of our own: for `ReverseReceipt`, `ReleaseQuality`, `Cancel`, and for
//! receipts that Odoo has not prepared.
//!
//! Safe to repeat: a transfer is created once under an external id, what it moves is absolute, and one that
//! is done stays as it is. Whether it is, its state says, never an answer.

use std::collections::BTreeMap;

use interplant_domain::decimal::Quantity;
use interplant_domain::exception::{Code as ExceptionCode, Exception};
use interplant_domain::fact::Code;
use interplant_domain::identifier::ExternalId;
use interplant_domain::lifecycle::Resume;
use interplant_domain::purchase_order::{GoodsMove, GoodsPart, Place, PurchaseOrder};
use interplant_odoo::{
    Client, Declaration, DeclaredMove, DeclaredPart, Lot, Move, NewTransfer, Picking, PickingState,
    Place as OdooPlace, Purpose, TransferLine, model,
};
use interplant_runtime::failpoint;
use interplant_runtime::step::{StepError, Work};
use rust_decimal::Decimal;

/// A transfer with the lots of its lines.
pub(crate) struct Transfer {
    pub(crate) document: NewTransfer,
    /// The plant's item of each line.
    items: Vec<Code>,
    /// What each line consists of, in the order of the lines.
    pub(crate) parts: Vec<Vec<GoodsPart>>,
}

/// What of a list of moves has to be moved in Odoo; what only changes its meaning stays where it lies.
pub(crate) fn transfer<P>(
    work: &Work<P>,
    order: &PurchaseOrder,
    name: ExternalId,
    moves: &[GoodsMove],
) -> Result<Option<Transfer>, Exception> {
    let place = |place: Place| match place {
        Place::Held | Place::Rejected => Some(OdooPlace::Hold),
        Place::Stocked => Some(OdooPlace::Stock),
        Place::Scrapped | Place::Returned | Place::Reversed => None,
    };
    let mut grouped: BTreeMap<(Code, OdooPlace), Vec<GoodsPart>> = BTreeMap::new();
    let mut purpose = None;
    for of in moves {
        let (Some(from), to) = (place(of.from), place(of.to)) else {
            continue;
        };
        if Some(from) == to {
            continue;
        }
        purpose = Some(match of.to {
            Place::Held | Place::Rejected => Purpose::Hold,
            Place::Stocked => Purpose::Release,
            Place::Scrapped => Purpose::Scrap,
            Place::Returned | Place::Reversed => Purpose::Return,
        });
        grouped
            .entry((of.line_no.clone(), from))
            .or_default()
            .push(GoodsPart {
                lot: of.lot.clone(),
                expiry: None,
                quantity: of.quantity,
                held: false,
            });
    }
    let Some(purpose) = purpose else {
        return Ok(None);
    };
    let lines = grouped
        .into_iter()
        .map(|((line_no, from), parts)| (line_no, from, parts));
    build(work, order, name, purpose, lines.collect()).map(Some)
}

/// A transfer of the order's goods.
pub(crate) fn build<P>(
    work: &Work<P>,
    order: &PurchaseOrder,
    external_id: ExternalId,
    purpose: Purpose,
    lines: Vec<(Code, OdooPlace, Vec<GoodsPart>)>,
) -> Result<Transfer, Exception> {
    let plant = &work.plant;
    let with_supplier = matches!(purpose, Purpose::Receive | Purpose::Return);
    let mut document = NewTransfer {
        purpose,
        operation_type: ExternalId::configured(if with_supplier {
            plant.odoo.receipt_type.clone()
        } else {
            plant.odoo.internal_type.clone()
        }),
        partner: with_supplier.then(|| plant.partner(&order.supplier)),
        stock: ExternalId::configured(plant.odoo.stock_location.clone()),
        hold: ExternalId::configured(plant.odoo.hold_location.clone()),
        reference: external_id.to_string(),
        lines: Vec::new(),
        external_id,
    };
    let (mut items, mut parts) = (Vec::new(), Vec::new());
    for (line_no, from, of) in lines {
        let line = order.line(&line_no)?;
        if line.odoo_line.is_none() {
            let what = format!("line {line_no} of order {} is not in Odoo", order.number);
            return Err(Exception::new(ExceptionCode::OrderDiffers, what));
        }
        items.push(line.item.clone());
        let what = match from {
            OdooPlace::Stock => "line",
            OdooPlace::Hold => "held_line",
        };
        document.lines.push(TransferLine {
            external_id: document.external_id.part(what, line_no.as_str()),
            item: plant.item(&line.item),
            unit: plant.unit(&line.uom)?,
            order_line: line.odoo_line.filter(|_| with_supplier),
            quantity: of.iter().map(|part| part.quantity).sum(),
            from,
        });
        parts.push(of);
    }
    Ok(Transfer {
        document,
        items,
        parts,
    })
}

/// Carries a transfer out and reads it back; the id of the picking that is done.
pub(crate) async fn carry_out<P>(
    odoo: &Client,
    work: &Work<P>,
    transfer: &Transfer,
) -> Result<i64, StepError> {
    let id = odoo.create_transfer(&transfer.document).await?;
    failpoint!("transfer.after_load");
    let comes_in = transfer.document.purpose == Purpose::Receive;
    let in_parts = transfer
        .parts
        .iter()
        .flatten()
        .any(|part| part.lot.is_some() || part.held);
    let again = matches!(work.resume, Resume::Again { .. });
    if in_parts || again || !comes_in {
        let read = picking(odoo, id).await?;
        if read.state == PickingState::Done {
            same_as_planned(transfer, &read)?;
            return Ok(id);
        }
        let lots = lots(odoo, transfer, &read).await?;
        if !comes_in {
            is_there(odoo, transfer, &read, &lots).await?;
        }
        if in_parts {
            let declaration = declaration(odoo, work, transfer, &read, &lots).await?;
            match odoo.declare_receipt(id, &declaration).await {
                // Done since we looked: what counts is read below.
                Ok(_) | Err(interplant_odoo::Error::NotOpen { .. }) => {}
                Err(error) => return Err(error.into()),
            }
            failpoint!("transfer.after_declare");
        }
    }
    match odoo.validate_receipt(id).await {
        Ok(()) | Err(interplant_odoo::Error::NotOpen { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    failpoint!("transfer.after_validate");
    let read = picking(odoo, id).await?;
    if read.state != PickingState::Done {
        return Err(diverged(
            transfer,
            &format!("is {:?} after it was validated", read.state),
        )
        .into());
    }
    same_as_planned(transfer, &read)?;
    Ok(id)
}

async fn picking(odoo: &Client, id: i64) -> Result<Picking, StepError> {
    let read = odoo.picking(id).await?;
    read.ok_or_else(|| StepError::Retryable {
        message: format!("transfer {id} was created and cannot be read"),
        unknown: false,
        odoo: None,
    })
}

fn same_as_planned(transfer: &Transfer, read: &Picking) -> Result<(), Exception> {
    let planned: Vec<Quantity> = transfer
        .document
        .lines
        .iter()
        .map(|line| line.quantity)
        .collect();
    let mut moves: Vec<_> = read
        .moves
        .iter()
        .filter(|one| one.state == PickingState::Done)
        .collect();
    moves.sort_by_key(|one| one.id);
    let done: Vec<Quantity> = moves.iter().map(|one| one.quantity).collect();
    if done == planned {
        return Ok(());
    }
    let shown = |quantities: &[Quantity]| {
        let texts: Vec<String> = quantities.iter().map(ToString::to_string).collect();
        texts.join(", ")
    };
    Err(diverged(
        transfer,
        &format!(
            "moved {} where {} were planned",
            shown(&done),
            shown(&planned)
        ),
    ))
}

fn diverged(transfer: &Transfer, what: &str) -> Exception {
    Exception::new(
        ExceptionCode::TransferDiverged,
        format!(
            "the transfer {} {what} in Odoo",
            transfer.document.reference
        ),
    )
}

/// Lots of Odoo, by item and name.
type Lots = BTreeMap<(i64, String), i64>;

/// The lots of what leaves a place; those of what comes in may be new.
async fn lots(odoo: &Client, transfer: &Transfer, read: &Picking) -> Result<Lots, StepError> {
    let lots = transfer
        .parts
        .iter()
        .flatten()
        .filter_map(|part| part.lot.as_ref());
    let names: Vec<String> = lots.map(ToString::to_string).collect();
    if names.is_empty() || transfer.document.purpose == Purpose::Receive {
        return Ok(Lots::new());
    }
    let products: Vec<i64> = read.moves.iter().map(|one| one.product).collect();
    Ok(odoo.lots(&products, &names).await?)
}

/// The lot of goods that leave a place; none where Odoo does not track the item by lots.
fn known(
    transfer: &Transfer,
    lots: &Lots,
    of: &Move,
    part: &GoodsPart,
) -> Result<Option<i64>, Exception> {
    let Some(name) = part.lot.as_ref().filter(|_| of.tracked) else {
        return Ok(None);
    };
    let id = lots.get(&(of.product, name.to_string())).copied();
    let missing = || diverged(transfer, &format!("needs the lot {name}, which is not"));
    id.ok_or_else(missing).map(Some)
}

fn in_order(read: &Picking) -> Vec<&Move> {
    let mut moves: Vec<_> = read.moves.iter().collect();
    moves.sort_by_key(|one| one.id);
    moves
}

/// What is to be moved lies where it is taken from, as Odoo counts. Odoo itself would not mind: somebody who
/// has moved the goods by hand would find less than nothing.
async fn is_there(
    odoo: &Client,
    transfer: &Transfer,
    read: &Picking,
    lots: &Lots,
) -> Result<(), StepError> {
    let products: Vec<i64> = read.moves.iter().map(|one| one.product).collect();
    let places: Vec<i64> = read.moves.iter().map(|one| one.from).collect();
    let on_hand = odoo.stock_on_hand(&products, &places).await?;
    let mut needed: BTreeMap<(i64, i64, Option<i64>), Decimal> = BTreeMap::new();
    for (one, parts) in in_order(read).into_iter().zip(&transfer.parts) {
        for part in parts {
            let lot = known(transfer, lots, one, part)?;
            // In the unit of the item, which stock is counted in.
            let quantity = part.quantity.decimal() * one.demand_in_item_unit.decimal();
            let quantity = quantity
                .checked_div(one.demand.decimal())
                .unwrap_or_default();
            *needed.entry((one.product, one.from, lot)).or_default() += quantity;
        }
    }
    for ((product, place, lot), quantity) in needed {
        let there: Quantity = on_hand
            .iter()
            .filter(|(key, _)| {
                (key.0, key.1) == (product, place) && lot.is_none_or(|lot| key.2 == Some(lot))
            })
            .map(|(_, quantity)| *quantity)
            .sum();
        let quantity = Quantity::from_decimal(quantity.round_dp(SHOWN_DIGITS));
        if there < quantity && odoo.is_stored(product).await? {
            let mut items = in_order(read).into_iter().zip(&transfer.items);
            let item = items.find(|(one, _)| one.product == product);
            let item = item.map_or("the item", |(_, item)| item.as_str());
            return Err(diverged(
                transfer,
                &format!("would take {quantity} of {item} from where {there} lie"),
            )
            .into());
        }
    }
    Ok(())
}

/// More digits than any unit in Odoo has.
const SHOWN_DIGITS: u32 = 10;

async fn declaration<P>(
    odoo: &Client,
    work: &Work<P>,
    transfer: &Transfer,
    read: &Picking,
    lots: &Lots,
) -> Result<Declaration, StepError> {
    let moves = in_order(read);
    let comes_in = transfer.document.purpose == Purpose::Receive;
    let hold = hold_location(odoo, work, transfer.parts.iter().flatten()).await?;
    let mut declared = Vec::new();
    for ((one, parts), item) in moves.iter().zip(&transfer.parts).zip(&transfer.items) {
        let mut of = Vec::new();
        for part in parts {
            let lot = if comes_in {
                named(work, one.tracked, item, part)?
            } else {
                known(transfer, lots, one, part)?.map(Lot::Known)
            };
            of.push(DeclaredPart {
                quantity: part.quantity,
                lot,
                to: hold.filter(|_| part.held),
            });
        }
        declared.push(DeclaredMove {
            id: one.id,
            unit: one.unit,
            product: one.product,
            lines: one.lines.clone(),
            parts: of,
        });
    }
    Ok(Declaration {
        reference: transfer.document.reference.clone(),
        guard: None,
        moves: declared,
    })
}

/// A lot as it comes in. Of an item that Odoo does not track it would be dropped, which a person has to accept.
pub(crate) fn named<P>(
    work: &Work<P>,
    tracked: bool,
    item: &Code,
    part: &GoodsPart,
) -> Result<Option<Lot>, StepError> {
    let Some(name) = &part.lot else {
        return Ok(None);
    };
    if tracked {
        return Ok(Some(Lot::Named {
            name: name.to_string(),
            expiry: part.expiry,
        }));
    }
    if work.taken()?.is_accepted(ExceptionCode::LotNotTracked) {
        return Ok(None);
    }
    Err(Exception::new(
        ExceptionCode::LotNotTracked,
        format!(
            "receipt {} has lots or serial numbers of item {item}, which Odoo does not track by them and would drop; nothing was booked",
            work.fact.number()
        ),
    )
    .into())
}

/// The location where goods wait for an inspection, when some of these do.
pub(crate) async fn hold_location<P>(
    odoo: &Client,
    work: &Work<P>,
    mut parts: impl Iterator<Item = &GoodsPart>,
) -> Result<Option<i64>, StepError> {
    if !parts.any(|part| part.held) {
        return Ok(None);
    }
    let name = ExternalId::configured(work.plant.odoo.hold_location.clone());
    let found = odoo.find(model::LOCATION, &name).await?;
    found.map(Some).ok_or_else(|| {
        Exception::new(
            ExceptionCode::UnknownCode,
            format!("Odoo has no location {name}, where goods wait for an inspection; `interplant odoo prepare --create-hold-location` makes it"),
        )
        .into()
    })
}
