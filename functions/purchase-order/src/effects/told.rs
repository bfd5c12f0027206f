//! Tells the plant of an order that is Odoo's, through its outbox: for `Create`, `Change` and `Cancel`.
//!
//! Safe to repeat: a version of an order is offered once. What is told is the whole order, so that a plant
//! that was told of its newest version only has missed nothing.

use interplant_domain::fact::Owner;
use interplant_domain::purchase_order::PurchaseOrder;
use interplant_runtime::Context;
use interplant_runtime::outbox::Offer;
use interplant_runtime::step::{StepError, Work};
use serde_json::{Value, json};

/// The type of the event: an order of Odoo's as it stands.
const STANDING: &str = "interplant.po.standing.v1";

/// Puts the order into its plant's outbox, when it is Odoo's.
pub(crate) async fn tell<P>(
    context: &Context,
    work: &Work<P>,
    order: &PurchaseOrder,
) -> Result<(), StepError> {
    if order.owner == Owner::Plant {
        return Ok(());
    }
    let entry = work
        .lifecycle
        .entries
        .iter()
        .find(|entry| entry.sequence == work.sequence);
    let offer = Offer {
        plant: work.plant.plant.clone(),
        document: work.id().to_string(),
        kind: STANDING.to_owned(),
        // Every change of the order raises it, and a repeated step comes to the same.
        version: order.changes,
        event: event(work, order),
        causation: entry.map(|entry| entry.event_id.to_string()),
    };
    context.outbox.offer(&offer).await?;
    Ok(())
}

fn event<P>(work: &Work<P>, order: &PurchaseOrder) -> Value {
    let lines = order.lines.iter().map(|line| {
        json!({
            "lineNo": line.line_no, "itemId": line.item, "qty": line.ordered, "uom": line.uom,
            "unitPrice": line.unit_price, "taxCode": line.tax_code,
            "needDate": line.promised_date.or(line.need_date),
            "status": if line.cancelled { "cancelled" } else { "ordered" },
        })
    });
    let known = order.in_odoo.as_ref();
    let gone =
        known.is_none_or(|known| known.cancelled) || order.lines.iter().all(|line| line.cancelled);
    json!({
        "specversion": "1.0",
        "source": format!("urn:plant:{}:interplant", work.plant.plant),
        "type": STANDING,
        "subject": work.id().to_string(),
        "data": {
            "poNumber": order.number, "owner": order.owner, "poRevision": order.revision.to_string(),
            "status": if gone { "cancelled" } else { "confirmed" },
            "supplierId": order.supplier, "currency": order.currency, "orderDate": order.order_date,
            "lines": lines.collect::<Vec<_>>(),
        }
    })
}
