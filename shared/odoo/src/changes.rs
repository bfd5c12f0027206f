//! What people change in Odoo: purchase orders with their lines, by the time of their last change.
//!
//! Odoo stamps a record with the time at which its transaction began, keeps microseconds and shows seconds,
//! and does not stamp an order of which only a line changed. So orders are asked for by their own stamp and
//! by their lines', from a moment on and not after it, and in the order of their ids, which no change moves:
//! a page never skips an order because another one was changed between two pages.

use std::collections::BTreeMap;

use interplant_domain::decimal::{Quantity, UnitPrice};
use interplant_domain::identifier::ExternalId;
use interplant_domain::json::Json;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;

use crate::answer::Record;
use crate::body::Body;
use crate::client::{Call, Client};
use crate::dialect::{Version, model};
use crate::error::Error;
use crate::order::OrderState;

/// Which orders are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Changes<'a> {
    /// Those of this company,
    pub company: i64,
    /// whose goods come in by this operation type,
    pub receipt_type: i64,
    /// and which were changed at this moment or later, themselves or a line of them;
    pub since: Timestamp,
    /// and these, whenever they were changed.
    pub again: &'a [i64],
    /// Behind the last order of the page before; 0 for the first page.
    pub after: i64,
    /// At most so many.
    pub most: u32,
}

/// An order as people left it in Odoo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedOrder {
    /// Database id.
    pub id: i64,
    /// Odoo's number.
    pub name: String,
    /// Where it stands.
    pub state: OrderState,
    /// The supplier; its code is the reference that Odoo has for it.
    pub partner: Named,
    /// ISO code of the currency.
    pub currency: String,
    /// When it was ordered.
    pub ordered_at: Option<Timestamp>,
    /// When it was confirmed.
    pub confirmed_at: Option<Timestamp>,
    /// When it or one of its lines was last changed, by the clock of Odoo's database.
    pub written_at: Timestamp,
    /// Its lines, without headings and notes, as people see them.
    pub lines: Vec<ChangedLine>,
}

/// A line of a [`ChangedOrder`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedLine {
    /// Database id.
    pub id: i64,
    /// The item; its code is Odoo's internal reference.
    pub item: Option<Named>,
    /// The unit of quantity and price.
    pub unit: Option<Named>,
    /// The taxes.
    pub taxes: Vec<i64>,
    /// How much is ordered.
    pub quantity: Quantity,
    /// Price per unit, before the discount.
    pub price: UnitPrice,
    /// Discount in percent.
    pub discount: Decimal,
    /// When it is expected.
    pub planned: Option<Timestamp>,
}

/// A record with what people call it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Database id.
    pub id: i64,
    /// Its code, when it has one.
    pub code: Option<String>,
    /// Its name.
    pub name: String,
}

impl Client {
    /// A page of changed orders, in the order of their ids, in one call.
    ///
    /// # Errors
    /// What a call can always meet.
    pub async fn changed_orders(&self, of: &Changes<'_>) -> Result<Vec<ChangedOrder>, Error> {
        let since = of.since.to_zoned(TimeZone::UTC);
        let since = since.strftime("%Y-%m-%d %H:%M:%S").to_string();
        let domain = serde_json::json!([
            ["company_id", "=", of.company],
            ["picking_type_id", "=", of.receipt_type],
            ["id", ">", of.after],
            "|",
            "|",
            ["write_date", ">=", since],
            ["order_line.write_date", ">=", since],
            ["id", "in", of.again],
        ]);
        let call = Call::new(model::ORDER, "web_search_read")
            .named("domain", Body::Given(domain))
            .named("specification", specification(self.version()))
            .named("order", Body::text("id"))
            .named("limit", Body::Int(i64::from(of.most)));
        let answer = self.call(call).await?;
        let records = answer.get("records").and_then(Json::as_array);
        records
            .ok_or_else(|| Error::unexpected("web_search_read did not answer records"))?
            .iter()
            .map(|record| read(self.version(), Record::new(model::ORDER, record)))
            .collect()
    }

    /// All external ids of records, in one call; a record that has none, or is gone, has no entry.
    ///
    /// Works without any right on the table of external ids.
    ///
    /// # Errors
    /// What a call can always meet.
    pub async fn external_ids(
        &self,
        model: &'static str,
        ids: &[i64],
    ) -> Result<BTreeMap<i64, Vec<ExternalId>>, Error> {
        let mut found = BTreeMap::new();
        if ids.is_empty() {
            return Ok(found);
        }
        let answer = self
            .call(Call::new(model, "get_metadata").on_all(ids))
            .await?;
        let records = answer
            .as_array()
            .ok_or_else(|| Error::unexpected("get_metadata did not answer a list"))?;
        for record in records {
            let record = Record::new(model, record);
            let names: Vec<ExternalId> = record
                .records("xmlids", model)?
                .map(|one| {
                    let name = one.word("xmlid")?;
                    Ok(ExternalId::configured(name.to_owned()))
                })
                .collect::<Result<_, Error>>()?;
            if !names.is_empty() {
                found.insert(record.id()?, names);
            }
        }
        Ok(found)
    }

    /// The ids of a company and of an operation type by which goods come in, when Odoo has both.
    ///
    /// # Errors
    /// What a call can always meet.
    pub async fn place_of(
        &self,
        company: &ExternalId,
        receipt_type: &ExternalId,
    ) -> Result<(Option<i64>, Option<i64>), Error> {
        let incoming = serde_json::json!([["code", "=", "incoming"]]);
        let company = self
            .named(model::COMPANY, serde_json::json!([]), company)
            .await?;
        let receipt_type = self
            .named(model::PICKING_TYPE, incoming, receipt_type)
            .await?;
        Ok((company, receipt_type))
    }

    /// The one of few records that has this external id.
    async fn named(
        &self,
        model: &'static str,
        among: serde_json::Value,
        name: &ExternalId,
    ) -> Result<Option<i64>, Error> {
        let records = self.search_read(model, among, &["id"]).await?;
        let ids: Vec<i64> = records
            .iter()
            .map(|record| Record::new(model, record).id())
            .collect::<Result<_, _>>()?;
        let names = self.external_ids(model, &ids).await?;
        let found = names.into_iter().find(|(_, names)| names.contains(name));
        Ok(found.map(|(id, _)| id))
    }
}

fn specification(version: Version) -> Body {
    let with = |field, more: &[&'static str]| (field, Body::nested(Body::fields(more)));
    let mut line = Body::fields(&[
        "display_type",
        "product_qty",
        "price_unit",
        "discount",
        "date_planned",
        "write_date",
    ]);
    line.extend(Body::fields(&[version.order_line_taxes()]));
    line.push(with("product_id", &["default_code", "display_name"]));
    line.push(with(version.order_line_unit(), &["display_name"]));
    let mut fields = Body::fields(&["name", "state", "date_order", "date_approve", "write_date"]);
    fields.extend(
        version
            .order_locked()
            .into_iter()
            .flat_map(|field| Body::fields(&[field])),
    );
    fields.push(with("partner_id", &["ref", "display_name"]));
    fields.push(with("currency_id", &["name"]));
    fields.push(("order_line", Body::nested(line)));
    Body::Object(fields)
}

fn read(version: Version, record: Record<'_>) -> Result<ChangedOrder, Error> {
    let locked = version
        .order_locked()
        .map(|field| record.flag(field))
        .transpose()?
        .unwrap_or(false);
    let mut written_at = written(record)?;
    let mut lines = Vec::new();
    for line in record.records("order_line", model::ORDER_LINE)? {
        written_at = written_at.max(written(line)?);
        if line.text("display_type")?.is_none() {
            lines.push(read_line(version, line)?);
        }
    }
    Ok(ChangedOrder {
        id: record.id()?,
        name: record.word("name")?.to_owned(),
        state: version
            .order_state(record.word("state")?, locked)
            .ok_or_else(|| record.wrong("state", "a state that we know"))?,
        partner: named(record, "partner_id", model::PARTNER, Some("ref"))?
            .ok_or_else(|| record.wrong("partner_id", "set"))?,
        currency: record
            .inside("currency_id", model::CURRENCY)?
            .word("name")?
            .to_owned(),
        ordered_at: record.moment("date_order")?,
        confirmed_at: record.moment("date_approve")?,
        written_at,
        lines,
    })
}

fn read_line(version: Version, line: Record<'_>) -> Result<ChangedLine, Error> {
    Ok(ChangedLine {
        id: line.id()?,
        item: named(line, "product_id", model::ITEM, Some("default_code"))?,
        unit: named(line, version.order_line_unit(), model::UNIT, None)?,
        taxes: line.links(version.order_line_taxes())?,
        quantity: Quantity::from_decimal(line.decimal("product_qty")?),
        price: UnitPrice::from_decimal(line.decimal("price_unit")?),
        discount: line.decimal("discount")?,
        planned: line.moment("date_planned")?,
    })
}

fn written(record: Record<'_>) -> Result<Timestamp, Error> {
    record
        .moment("write_date")?
        .ok_or_else(|| record.wrong("write_date", "set"))
}

fn named(
    record: Record<'_>,
    field: &str,
    model: &'static str,
    code: Option<&str>,
) -> Result<Option<Named>, Error> {
    let Some(id) = record.link(field)? else {
        return Ok(None);
    };
    let inside = record.inside(field, model)?;
    Ok(Some(Named {
        id,
        code: match code {
            Some(code) => inside.text(code)?.map(str::to_owned),
            None => None,
        },
        name: inside.text("display_name")?.unwrap_or_default().to_owned(),
    }))
}
