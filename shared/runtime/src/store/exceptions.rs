//! The open exceptions of a plant, found without reading a lifecycle.
//!
//! The item of an open exception carries the plant and its due time; an index is made of these, so that it
//! holds what is open and nothing else. The index lags; whoever decides reads the lifecycle itself.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use interplant_domain::cause::Cause;
use interplant_domain::decimal::Amount;
use interplant_domain::exception::Code;
use interplant_domain::identifier::{ExceptionId, LifecycleId, PlantCode};
use interplant_domain::mailbox::RaisedException;
use interplant_domain::purchase_order::PurchaseOrder;
use jiff::Timestamp;
use serde::Serialize;

use super::{DynamoStore, Error, body, read, s, unavailable};

/// The name of the index.
const INDEX: &str = "open_exceptions";

/// An open exception, as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenException {
    /// Its lifecycle.
    pub lifecycle: LifecycleId,
    /// Its cause.
    pub cause: Cause,
    /// Currency of the amount at risk, where the order is known.
    pub currency: Option<String>,
    /// The exception.
    pub raised: RaisedException,
    /// Its place in the list; the next page begins behind it.
    pub place: String,
}

/// Which exceptions are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wanted {
    /// Only those of this owner.
    pub owner: Option<String>,
    /// Only those of these codes; none means all.
    pub codes: Option<Vec<Code>>,
    /// Only those of this cause.
    pub cause: Option<String>,
    /// Only those that are due before.
    pub due_before: Option<Timestamp>,
    /// Only those behind this place.
    pub after: Option<String>,
}

/// Open exceptions with one cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Group {
    /// The cause.
    pub cause: String,
    /// The cause in words.
    pub about: String,
    /// The plant.
    pub plant: PlantCode,
    /// The code.
    pub code: Code,
    /// How many there are.
    pub count: usize,
    /// When the first was raised.
    pub oldest: Timestamp,
    /// When the first is due.
    pub due_at: Timestamp,
    /// Who owns them, with how many.
    pub owners: BTreeMap<String, usize>,
    /// How much is at risk, by currency; `?` where it is not known.
    pub amounts_at_risk: BTreeMap<String, Amount>,
}

/// The place of an exception in its plant's list: due time first.
#[must_use]
pub fn place(due_at: Timestamp, id: &str) -> String {
    format!("{due_at:.3}#{id}")
}

/// The attributes of the item of an open exception.
pub(super) fn open_attributes(
    id: &LifecycleId,
    raised: &RaisedException,
    order: Option<&PurchaseOrder>,
) -> Result<HashMap<String, AttributeValue>, Error> {
    let supplier = order.map(|order| order.supplier.as_str());
    let exception = &raised.exception;
    let cause = Cause::of(id, exception.code, &exception.message, supplier);
    let mut attributes = HashMap::from([
        ("body".to_owned(), body(raised)?),
        ("exception_plant".to_owned(), s(id.plant().as_str())),
        (
            "exception_due".to_owned(),
            s(place(raised.due_at, &format!("{id}/{}", raised.id))),
        ),
        ("cause".to_owned(), s(cause.key)),
        ("about".to_owned(), s(cause.about)),
        ("owner".to_owned(), s(&raised.owner)),
        ("code".to_owned(), s(exception.code.as_str())),
    ]);
    if let Some(order) = order {
        attributes.insert("currency".to_owned(), s(order.currency.as_str()));
    }
    Ok(attributes)
}

fn open(item: &HashMap<String, AttributeValue>) -> Result<OpenException, Error> {
    let text = |name: &str| {
        let value = item.get(name).and_then(|value| value.as_s().ok());
        value.cloned()
    };
    let missing = || Error::Unreadable("an open exception lacks what lists are made of".to_owned());
    let lifecycle = text("pk").and_then(|pk| pk.parse().ok());
    Ok(OpenException {
        lifecycle: lifecycle.ok_or_else(missing)?,
        cause: Cause {
            key: text("cause").ok_or_else(missing)?,
            about: text("about").ok_or_else(missing)?,
        },
        currency: text("currency"),
        raised: read(item)?,
        place: text("exception_due").ok_or_else(missing)?,
    })
}

impl DynamoStore {
    /// Open exceptions of a plant, the one that is due first first; at most so many.
    ///
    /// # Errors
    /// When the store is not available or an item cannot be read.
    pub async fn open_exceptions(
        &self,
        plant: &PlantCode,
        wanted: &Wanted,
        most: usize,
    ) -> Result<Vec<OpenException>, Error> {
        let mut found = Vec::new();
        let mut start = None;
        // What comes behind every place is behind `~`.
        let after = format!("{}!", wanted.after.as_deref().unwrap_or_default());
        let until = wanted.due_before.map_or("~".to_owned(), |at| place(at, ""));
        if after > until {
            return Ok(found);
        }
        loop {
            let mut query = self
                .client
                .query()
                .table_name(&self.table)
                .index_name(INDEX)
                .key_condition_expression(
                    "exception_plant = :plant AND exception_due BETWEEN :after AND :until",
                )
                .expression_attribute_values(":plant", s(plant.as_str()))
                .expression_attribute_values(":after", s(&after))
                .expression_attribute_values(":until", s(&until))
                .set_exclusive_start_key(start);
            let mut filters = Vec::new();
            if let Some(owner) = &wanted.owner {
                filters.push("#owner = :owner".to_owned());
                query = query
                    .expression_attribute_names("#owner", "owner")
                    .expression_attribute_values(":owner", s(owner));
            }
            if let Some(cause) = &wanted.cause {
                filters.push("cause = :cause".to_owned());
                query = query.expression_attribute_values(":cause", s(cause));
            }
            if let Some(codes) = &wanted.codes {
                let names: Vec<String> = (0..codes.len()).map(|at| format!(":code{at}")).collect();
                filters.push(format!("code IN ({})", names.join(", ")));
                for (name, code) in names.iter().zip(codes) {
                    query = query.expression_attribute_values(name, s(code.as_str()));
                }
            }
            if !filters.is_empty() {
                query = query.filter_expression(filters.join(" AND "));
            }
            let answer = query.send().await.map_err(unavailable)?;
            for item in answer.items() {
                found.push(open(item)?);
                if found.len() == most {
                    return Ok(found);
                }
            }
            start = answer.last_evaluated_key;
            if start.is_none() {
                return Ok(found);
            }
        }
    }

    /// An exception of a lifecycle, open or ended, as it is now.
    ///
    /// # Errors
    /// When the store is not available or the item cannot be read.
    pub async fn exception(
        &self,
        id: &LifecycleId,
        exception: &ExceptionId,
    ) -> Result<Option<RaisedException>, Error> {
        // Ended ones move once; looking at their place last cannot miss one that moves meanwhile.
        for sk in [
            format!("exception#{exception}"),
            format!("~exception#{exception}"),
        ] {
            let get = self
                .client
                .get_item()
                .table_name(&self.table)
                .set_key(Some(self.key(id, sk)))
                .consistent_read(true);
            if let Some(item) = get.send().await.map_err(unavailable)?.item() {
                return read(item).map(Some);
            }
        }
        Ok(None)
    }
}

/// Puts exceptions of one cause together, the largest group first.
#[must_use]
pub fn groups(open: &[OpenException]) -> Vec<Group> {
    let mut groups: BTreeMap<&str, Group> = BTreeMap::new();
    for one in open {
        let raised = &one.raised;
        let group = groups.entry(&one.cause.key).or_insert_with(|| Group {
            cause: one.cause.key.clone(),
            about: one.cause.about.clone(),
            plant: one.lifecycle.plant().clone(),
            code: raised.exception.code,
            count: 0,
            oldest: raised.raised_at,
            due_at: raised.due_at,
            owners: BTreeMap::new(),
            amounts_at_risk: BTreeMap::new(),
        });
        group.count += 1;
        group.oldest = group.oldest.min(raised.raised_at);
        group.due_at = group.due_at.min(raised.due_at);
        *group.owners.entry(raised.owner.clone()).or_default() += 1;
        if let Some(amount) = raised.exception.amount_at_risk {
            let currency = one.currency.clone().unwrap_or_else(|| "?".to_owned());
            let sum = group.amounts_at_risk.entry(currency).or_default();
            *sum = *sum + amount;
        }
    }
    let mut groups: Vec<Group> = groups.into_values().collect();
    groups.sort_by(|a, b| (b.count, &a.cause).cmp(&(a.count, &b.cause)));
    groups
}
