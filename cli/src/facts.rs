//! Facts as events, and what they need in Odoo.

use std::collections::BTreeMap;

use interplant_domain::fact::{Code, Fact, FactKind};
use interplant_domain::identifier::{ExternalId, LifecycleId, PlantCode};
use interplant_domain::plant::Plant;
use interplant_odoo::{Client, ItemKind, NewItem, NewPartner};
use serde_json::{Value, json};

use crate::Failure;

/// An event in an envelope.
#[must_use]
pub fn event(
    plant: &PlantCode,
    system: &str,
    id: &str,
    kind: FactKind,
    time: &str,
    data: &Value,
) -> Value {
    json!({
        "specversion": "1.0", "id": id, "source": format!("urn:plant:{plant}:{system}"),
        "type": kind.event_type(), "time": time, "data": data
    })
}

/// The fact in an event, when it is one that Interplant takes.
#[must_use]
pub fn fact(event: &Value) -> Option<Fact> {
    let kind = FactKind::from_event_type(event.get("type")?.as_str()?)?;
    Fact::read(kind, event.get("data")?).ok()
}

/// The lifecycle that an event belongs to.
#[must_use]
pub fn lifecycle(plant: &PlantCode, event: &Value) -> Option<LifecycleId> {
    fact(event).and_then(|fact| fact.lifecycles(plant).into_iter().next())
}

/// The same fact in another envelope: as a sender does that gives every attempt a new id.
#[must_use]
pub fn readdressed(event: &Value) -> Value {
    let mut again = event.clone();
    if let Some(id) = again.get_mut("id") {
        *id = json!(format!("{}-again", id.as_str().unwrap_or_default()));
    }
    again
}

/// Creates in Odoo the suppliers and items that orders name, the items of charges and the place where goods
/// wait for an inspection; what exists stays as it is.
///
/// # Errors
/// When Odoo refuses, or a unit is not in the plant's configuration.
pub async fn create_masters(odoo: &Client, plant: &Plant, events: &[Value]) -> Result<(), Failure> {
    let mut partners: BTreeMap<Code, NewPartner> = BTreeMap::new();
    let mut items: BTreeMap<Code, NewItem> = BTreeMap::new();
    for event in events {
        let Some(Fact::PoCreated(order)) = fact(event) else {
            continue;
        };
        partners
            .entry(order.supplier_id.clone())
            .or_insert_with(|| NewPartner {
                external_id: plant.partner(&order.supplier_id),
                name: format!("{} ({})", order.supplier_id, plant.plant),
                code: order.supplier_id.to_string(),
            });
        for line in &order.lines {
            let unit = plant
                .unit(&line.uom)
                .map_err(|exception| exception.to_string())?;
            items
                .entry(line.item_id.clone())
                .or_insert_with(|| NewItem {
                    external_id: plant.item(&line.item_id),
                    name: format!("{} ({})", line.item_id, plant.plant),
                    code: line.item_id.to_string(),
                    unit,
                    kind: kind(plant, &line.item_id),
                });
        }
    }
    if let Some(unit) = plant.units.values().next() {
        let charges = plant.charges.items.values();
        for name in charges.chain(&plant.charges.small_differences) {
            items.insert(
                Code::new(name),
                NewItem {
                    external_id: ExternalId::configured(name.clone()),
                    name: format!("{name} ({})", plant.plant),
                    code: name.clone(),
                    unit: ExternalId::configured(unit.clone()),
                    kind: ItemKind::Service,
                },
            );
        }
    }
    let place = |name: &str| ExternalId::configured(name.to_owned());
    let (hold, stock) = (
        place(&plant.odoo.hold_location),
        place(&plant.odoo.stock_location),
    );
    in_spite_of_races(async || Ok(vec![odoo.create_hold_location(&hold, &stock).await?])).await?;
    // In portions: one call is one transaction in Odoo.
    for portion in partners.into_values().collect::<Vec<_>>().chunks(200) {
        in_spite_of_races(async || odoo.create_partners(portion).await).await?;
    }
    for portion in items.into_values().collect::<Vec<_>>().chunks(200) {
        in_spite_of_races(async || odoo.create_items(portion).await).await?;
    }
    Ok(())
}

/// Of two who create the same record at once Odoo turns one away; the record is created once, so it may
/// simply ask again.
async fn in_spite_of_races(
    create: impl AsyncFn() -> Result<Vec<i64>, interplant_odoo::Error>,
) -> Result<Vec<i64>, interplant_odoo::Error> {
    for _ in 0..5 {
        match create().await {
            Err(interplant_odoo::Error::Busy { .. }) => {}
            answer => return answer,
        }
    }
    create().await
}

/// How an item is kept: for tests and the demo its code says so, or the plant's list of services.
fn kind(plant: &Plant, item: &Code) -> ItemKind {
    if plant.matching.services.contains(item.as_str()) {
        ItemKind::Service
    } else if item.as_str().ends_with("-LOT") {
        ItemKind::Lot
    } else if item.as_str().ends_with("-SERIAL") {
        ItemKind::Serial
    } else {
        ItemKind::Stored
    }
}

/// The same facts about other documents: every number and id ends in the given one. A real Odoo remembers what
/// it was sent before.
#[must_use]
pub fn renumbered(facts: &[Value], run: i64) -> Vec<Value> {
    fn walk(value: &mut Value, run: i64) {
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    match member {
                        Value::String(text)
                            if matches!(
                                name.as_str(),
                                "id" | "poNumber"
                                    | "ackNumber"
                                    | "receiptNumber"
                                    | "invoiceNumber"
                                    | "inspectionId"
                                    | "ncrId"
                            ) =>
                        {
                            *text = format!("{}-{run}", text.trim());
                        }
                        Value::Object(_) | Value::Array(_) => walk(member, run),
                        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| walk(item, run)),
            Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    let mut facts = facts.to_vec();
    facts.iter_mut().for_each(|fact| walk(fact, run));
    facts
}
