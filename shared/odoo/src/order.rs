//! Purchase orders.

use interplant_domain::decimal::{Amount, Quantity, UnitPrice};
use interplant_domain::fact::Day;
use interplant_domain::identifier::ExternalId;
use interplant_domain::json::Json;
use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::answer::{self, Record};
use crate::bill::BillState;
use crate::body::{Body, noon};
use crate::client::{Call, Client};
use crate::dialect::{Version, model};
use crate::error::{Error, RefusedKind};
use crate::load::{Sheet, cell};
use crate::receipt::{self, Move, Picking};

/// An order to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOrder {
    /// How it is found again.
    pub external_id: ExternalId,
    /// The supplier.
    pub partner: ExternalId,
    /// Currency of all prices.
    pub currency: ExternalId,
    /// The company that buys.
    pub company: ExternalId,
    /// The operation type by which the goods come in.
    pub receipt_type: ExternalId,
    /// When it was placed.
    pub order_date: Day,
    /// Our number for it; Odoo shows it as the source document.
    pub reference: String,
    /// What is ordered; at least one line.
    pub lines: Vec<NewOrderLine>,
}

/// A line of a [`NewOrder`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOrderLine {
    /// How it is found again.
    pub external_id: ExternalId,
    /// The item.
    pub item: ExternalId,
    /// What the supplier reads.
    pub description: String,
    /// How much.
    pub quantity: Quantity,
    /// The unit of quantity and price.
    pub unit: ExternalId,
    /// Net price per unit.
    pub price: UnitPrice,
    /// When it is needed.
    pub planned: Day,
    /// The tax; none means that no tax is applied, not even the item's own.
    pub tax: Option<ExternalId>,
}

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OrderState {
    /// Created.
    Draft,
    /// Sent to the supplier as a request for quotation.
    Sent,
    /// Above the limit: somebody has to approve it.
    ToApprove,
    /// Confirmed; receipts exist.
    Confirmed,
    /// Confirmed, and not to be changed any more.
    Locked,
    /// Cancelled.
    Cancelled,
}

/// An order with its receipts and bills, read in one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Database id.
    pub id: i64,
    /// Odoo's number.
    pub name: String,
    /// Where it stands.
    pub state: OrderState,
    /// The supplier.
    pub partner: i64,
    /// The currency.
    pub currency: i64,
    /// The supplier's reference.
    pub supplier_reference: Option<String>,
    /// Whether the supplier acknowledged it. No proof: 19 sets it by itself when goods come in.
    pub acknowledged: bool,
    /// Its lines, without headings and notes.
    pub lines: Vec<OrderLine>,
    /// Its transfers, done ones too, in the order of their creation.
    pub pickings: Vec<Picking>,
    /// Its bills and credit notes, in the order of their creation.
    pub bills: Vec<BillHead>,
    /// Total before tax.
    pub untaxed: Amount,
    /// Total with tax.
    pub total: Amount,
}

impl Order {
    /// Moves whose quantities are in another unit than their order line's.
    ///
    /// An order in dozens of an item that is kept in pieces has such: 5 ordered are 60 expected, and 5
    /// declared would book five pieces. Whoever compares or declares looks here first.
    pub fn moves_in_other_units(&self) -> impl Iterator<Item = &Move> {
        let unit = |line: Option<i64>| {
            self.lines
                .iter()
                .find(|own| Some(own.id) == line)
                .map(|own| own.unit)
        };
        let moves = self.pickings.iter().flat_map(|picking| &picking.moves);
        moves.filter(move |of| unit(of.order_line).is_some_and(|unit| unit != of.unit))
    }
}

/// A line of an [`Order`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderLine {
    /// Database id.
    pub id: i64,
    /// The item.
    pub product: i64,
    /// The unit.
    pub unit: i64,
    /// How much is ordered.
    pub quantity: Quantity,
    /// Price per unit.
    pub price: UnitPrice,
    /// When it is expected.
    pub planned: Option<Timestamp>,
    /// How much was received, in the line's unit.
    pub received: Quantity,
    /// How much was billed, draft bills included, in the line's unit.
    pub invoiced: Quantity,
}

/// A bill of an order, as far as the order shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillHead {
    /// Database id.
    pub id: i64,
    /// Odoo's number; a draft may have one already, and is not posted for that.
    pub name: String,
    /// Where it stands.
    pub state: BillState,
    /// The supplier's number for it.
    pub number: Option<String>,
    /// Whether it is a credit note.
    pub refund: bool,
}

/// What a change or a supplier's answer writes into a confirmed order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OrderUpdate {
    /// The supplier's reference, when it has answered.
    pub reference: Option<String>,
    /// Lines that are different now.
    pub lines: Vec<LineTerms>,
}

/// What a line of an order is to be.
///
/// All three are always written together: a quantity alone sets the date to now, and less of it sends goods
/// back instead of expecting fewer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineTerms {
    /// Odoo's line id.
    pub line: i64,
    /// How much; nothing cancels what is expected of the line.
    pub quantity: Quantity,
    /// Price per unit.
    pub price: UnitPrice,
    /// When it is expected.
    pub planned: Day,
}

impl Client {
    /// Creates an order with all its lines in one create-once call.
    ///
    /// An order that exists under this external id stays as it is, also when it differs: read it.
    ///
    /// # Errors
    /// [`Error::Refused`] with the kind of what Odoo does not know, or [`RefusedKind::Precision`] for a
    /// number that Odoo would round; and what a call can always meet.
    pub async fn create_order(&self, order: &NewOrder) -> Result<i64, Error> {
        for line in &order.lines {
            self.check_numbers(line.quantity, line.price)?;
        }
        self.check_units(order.lines.iter().map(|line| (&line.unit, line.quantity)))
            .await?;
        let mut sheet = Sheet::new(vec![
            ("id", cell(&order.external_id)?),
            ("partner_id/id", cell(&order.partner)?),
            ("currency_id/id", cell(&order.currency)?),
            ("company_id/id", cell(&order.company)?),
            ("date_order", noon(order.order_date)),
            ("origin", order.reference.clone()),
            ("picking_type_id/id", cell(&order.receipt_type)?),
        ]);
        for line in &order.lines {
            sheet.line(self.line_cells(line)?);
        }
        self.load_sheet(model::ORDER, sheet).await
    }

    /// Confirms an order. Repeating it is harmless; read the order to see what it did: an order above the
    /// approval limit waits, and a cancelled one stays cancelled, both without an error.
    ///
    /// # Errors
    /// What a call can always meet. The loser of a race is no error once the order has left the draft.
    pub async fn confirm_order(&self, order: i64) -> Result<(), Error> {
        let Err(error) = self
            .call(Call::new(model::ORDER, "button_confirm").on(order))
            .await
        else {
            return Ok(());
        };
        if !is_answer_of_odoo(&error) {
            return Err(error);
        }
        match self.order(order).await?.map(|order| order.state) {
            Some(OrderState::Draft | OrderState::Sent) | None => Err(error),
            Some(
                OrderState::ToApprove
                | OrderState::Confirmed
                | OrderState::Locked
                | OrderState::Cancelled,
            ) => Ok(()),
        }
    }

    /// The order with its lines, receipts and bills, in one call; none when Odoo does not have it.
    ///
    /// # Errors
    /// What a call can always meet.
    pub async fn order(&self, order: i64) -> Result<Option<Order>, Error> {
        let call = Call::new(model::ORDER, "web_read")
            .on(order)
            .named("specification", specification(self.version()));
        let answer = self.call(call).await?;
        answer::only(model::ORDER, &answer)?
            .map(|record| read(self.version(), record))
            .transpose()
    }

    /// Writes a change or an answer into the order and reads it back, in one call.
    ///
    /// # Errors
    /// [`RefusedKind::Precision`] for a number that Odoo would round, and what a call can always meet.
    pub async fn update_order(&self, order: i64, update: &OrderUpdate) -> Result<Order, Error> {
        for line in &update.lines {
            self.check_numbers(line.quantity, line.price)?;
        }
        let lines = update.lines.iter().map(|line| {
            command_update(
                line.line,
                vec![
                    ("product_qty", Body::decimal(line.quantity.decimal())),
                    ("price_unit", Body::decimal(line.price.decimal())),
                    ("date_planned", Body::text(noon(line.planned))),
                ],
            )
        });
        let mut values = Vec::new();
        if let Some(reference) = &update.reference {
            values.push(("partner_ref", Body::text(reference)));
            values.push((self.version().order_acknowledged(), Body::Bool(true)));
        }
        if !update.lines.is_empty() {
            values.push(("order_line", Body::List(lines.collect())));
        }
        let call = Call::new(model::ORDER, "web_save")
            .on(order)
            .named("vals", Body::Object(values))
            .named("specification", specification(self.version()));
        let answer = self.call(call).await?;
        let record = answer::only(model::ORDER, &answer)?
            .ok_or_else(|| Error::unexpected("web_save answered no order"))?;
        read(self.version(), record)
    }

    /// Adds a line to a confirmed order, create-once; Odoo expects its goods at once.
    ///
    /// # Errors
    /// As [`Client::create_order`].
    pub async fn add_order_line(
        &self,
        order: &ExternalId,
        line: &NewOrderLine,
    ) -> Result<i64, Error> {
        self.check_numbers(line.quantity, line.price)?;
        self.check_units(std::iter::once((&line.unit, line.quantity)))
            .await?;
        let mut cells = vec![("order_id/id", cell(order)?)];
        cells.extend(self.line_cells(line)?);
        let (columns, row): (Vec<String>, Vec<String>) = cells
            .into_iter()
            .map(|(column, cell)| {
                let column = column.strip_prefix("order_line/").unwrap_or(column);
                (column.to_owned(), cell)
            })
            .unzip();
        let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
        let ids = self.load(model::ORDER_LINE, &columns, vec![row]).await?;
        ids.first()
            .copied()
            .ok_or_else(|| Error::unexpected("load answered no id"))
    }

    fn line_cells(&self, line: &NewOrderLine) -> Result<Vec<(&'static str, String)>, Error> {
        Ok(vec![
            ("order_line/id", cell(&line.external_id)?),
            ("order_line/product_id/id", cell(&line.item)?),
            ("order_line/name", line.description.clone()),
            ("order_line/product_qty", line.quantity.to_string()),
            (self.version().order_line_unit_column(), cell(&line.unit)?),
            ("order_line/price_unit", line.price.to_string()),
            ("order_line/date_planned", noon(line.planned)),
            // The column is always there: without it Odoo applies the item's own tax.
            (
                self.version().order_line_taxes_column(),
                line.tax.as_ref().map(cell).transpose()?.unwrap_or_default(),
            ),
        ])
    }

    /// Cancels an order of which nothing has come. Repeating it is harmless.
    ///
    /// 19 cancels an order whose goods have come without a word, 17 and 18 refuse: the caller looks before.
    ///
    /// # Errors
    /// What a call can always meet.
    pub async fn cancel_order(&self, order: i64) -> Result<(), Error> {
        let Err(error) = self
            .call(Call::new(model::ORDER, "button_cancel").on(order))
            .await
        else {
            return Ok(());
        };
        if !is_answer_of_odoo(&error) {
            return Err(error);
        }
        match self.order(order).await?.map(|order| order.state) {
            Some(OrderState::Cancelled) => Ok(()),
            Some(_) | None => Err(error),
        }
    }

    /// Refuses what Odoo would round in silence.
    pub(crate) fn check_numbers(&self, quantity: Quantity, price: UnitPrice) -> Result<(), Error> {
        let exact = self
            .accuracy()
            .check_quantity(quantity)
            .and_then(|()| self.accuracy().check_price(price));
        exact.map_err(|exception| Error::refused(RefusedKind::Precision, exception.message))
    }

    /// Refuses fractions of a unit that are finer than the unit: 17 and 18 keep them in the order and
    /// round them in the receipt. Asks Odoo only when there is a fraction.
    async fn check_units(
        &self,
        quantities: impl Iterator<Item = (&ExternalId, Quantity)>,
    ) -> Result<(), Error> {
        let mut fractions: Vec<_> = quantities
            .filter(|(_, quantity)| !quantity.decimal().fract().is_zero())
            .collect();
        fractions.sort_by_key(|(unit, _)| *unit);
        if fractions.is_empty() || !self.version().units_round() {
            return Ok(());
        }
        for lines in fractions.chunk_by(|(one, _), (other, _)| one == other) {
            let Some((unit, _)) = lines.first() else {
                continue;
            };
            // A unit that Odoo does not know is named by the call that creates the order.
            let Some(id) = self.find(model::UNIT, unit).await? else {
                continue;
            };
            let found = self
                .search_read(
                    model::UNIT,
                    serde_json::json!([["id", "=", id]]),
                    &["rounding"],
                )
                .await?;
            let Some(record) = found.first() else {
                continue;
            };
            let rounding = Record::new(model::UNIT, record).decimal("rounding")?;
            if let Some((_, quantity)) = lines
                .iter()
                .find(|(_, quantity)| !is_multiple(quantity.decimal(), rounding))
            {
                return Err(Error::refused(
                    RefusedKind::Precision,
                    format!(
                        "the quantity {quantity} is finer than the unit {unit}, which Odoo rounds to {rounding}"
                    ),
                ));
            }
        }
        Ok(())
    }
}

fn is_multiple(value: Decimal, of: Decimal) -> bool {
    of.is_zero() || value.checked_rem(of).is_some_and(|rest| rest.is_zero())
}

/// Whether an error is Odoo's own word about a state change; what it did has to be read then.
pub(crate) fn is_answer_of_odoo(error: &Error) -> bool {
    match error {
        Error::Refused { kind, .. } => *kind != RefusedKind::RecordMissing,
        Error::Busy { retry_after, .. } => retry_after.is_none(),
        Error::Unreachable { .. }
        | Error::OutcomeUnknown { .. }
        | Error::NotOpen { .. }
        | Error::WizardAsked { .. }
        | Error::Configuration { .. }
        | Error::Unexpected { .. }
        | Error::Caller { .. } => false,
    }
}

/// The command that updates a line inside of a write.
pub(crate) fn command_update(id: i64, values: Vec<(&'static str, Body)>) -> Body {
    Body::List(vec![Body::Int(1), Body::Int(id), Body::Object(values)])
}

fn specification(version: Version) -> Body {
    let mut fields = Body::fields(&[
        "name",
        "state",
        "partner_id",
        "currency_id",
        "partner_ref",
        "amount_untaxed",
        "amount_total",
    ]);
    fields.extend(Body::fields(&[version.order_acknowledged()]));
    fields.extend(
        version
            .order_locked()
            .into_iter()
            .flat_map(|field| Body::fields(&[field])),
    );
    let mut line = Body::fields(&[
        "display_type",
        "product_id",
        "product_qty",
        "price_unit",
        "date_planned",
        "qty_received",
        "qty_invoiced",
    ]);
    line.extend(Body::fields(&[version.order_line_unit()]));
    fields.push(("order_line", Body::nested(line)));
    fields.push(("picking_ids", Body::nested(receipt::fields())));
    fields.push((
        "invoice_ids",
        Body::nested(Body::fields(&["name", "state", "ref", "move_type"])),
    ));
    Body::Object(fields)
}

fn read(version: Version, record: Record<'_>) -> Result<Order, Error> {
    let mut pickings: Vec<_> = record
        .records("picking_ids", model::PICKING)?
        .map(receipt::read)
        .collect::<Result<_, _>>()?;
    // Odoo shows the newest first, and bills in no order at all.
    pickings.sort_by_key(|picking| picking.id);
    let mut bills: Vec<_> = record
        .records("invoice_ids", model::BILL)?
        .map(|bill| read_bill(version, bill))
        .collect::<Result<_, _>>()?;
    bills.sort_by_key(|bill| bill.id);
    let locked = version
        .order_locked()
        .map(|field| record.flag(field))
        .transpose()?
        .unwrap_or(false);
    let state = record.word("state")?;
    let lines = record.records("order_line", model::ORDER_LINE)?;
    Ok(Order {
        id: record.id()?,
        name: record.word("name")?.to_owned(),
        state: version
            .order_state(state, locked)
            .ok_or_else(|| record.wrong("state", "a state that we know"))?,
        partner: record.linked("partner_id")?,
        currency: record.linked("currency_id")?,
        supplier_reference: record.text("partner_ref")?.map(str::to_owned),
        acknowledged: record.flag(version.order_acknowledged())?,
        lines: lines
            .filter_map(|line| match line.text("display_type") {
                Ok(Some(_)) => None,
                Ok(None) => Some(read_line(version, line)),
                Err(error) => Some(Err(error)),
            })
            .collect::<Result<_, _>>()?,
        pickings,
        bills,
        untaxed: Amount::from_decimal(record.decimal("amount_untaxed")?),
        total: Amount::from_decimal(record.decimal("amount_total")?),
    })
}

fn read_line(version: Version, line: Record<'_>) -> Result<OrderLine, Error> {
    Ok(OrderLine {
        id: line.id()?,
        product: line.linked("product_id")?,
        unit: line.linked(version.order_line_unit())?,
        quantity: Quantity::from_decimal(line.decimal("product_qty")?),
        price: UnitPrice::from_decimal(line.decimal("price_unit")?),
        planned: line.moment("date_planned")?,
        received: Quantity::from_decimal(line.decimal("qty_received")?),
        invoiced: Quantity::from_decimal(line.decimal("qty_invoiced")?),
    })
}

fn read_bill(version: Version, bill: Record<'_>) -> Result<BillHead, Error> {
    Ok(BillHead {
        id: bill.id()?,
        name: version.bill_name(bill.text("name")?.unwrap_or_default()),
        state: BillState::read(bill)?,
        number: bill.text("ref")?.map(str::to_owned),
        refund: bill.word("move_type")? == "in_refund",
    })
}

/// Any JSON; for answers that prove nothing.
pub(crate) fn is_dialogue(answer: &Json) -> Option<&str> {
    let dialogue = answer.as_object()?;
    let name = ["res_model", "tag", "name", "type"]
        .into_iter()
        .find_map(|key| dialogue.get(key).and_then(Json::as_str));
    Some(name.unwrap_or("without a name"))
}
