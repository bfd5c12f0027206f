//! Supplier bills.

use base64::Engine as _;
use interplant_domain::decimal::{Amount, Quantity, UnitPrice};
use interplant_domain::fact::Day;
use interplant_domain::identifier::ExternalId;

use crate::answer::{self, Record};
use crate::body::Body;
use crate::client::{Call, Client};
use crate::dialect::{Version, model};
use crate::error::{Error, foreign};
use crate::load::{Sheet, cell};
use crate::order::{is_answer_of_odoo, is_dialogue};

/// A bill to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBill {
    /// How it is found again: one for each invoice of the supplier, for Odoo takes the same number twice.
    pub external_id: ExternalId,
    /// The supplier.
    pub partner: ExternalId,
    /// Currency of all prices.
    pub currency: ExternalId,
    /// The company that pays.
    pub company: ExternalId,
    /// The supplier's number for it.
    pub number: String,
    /// Whether it is a credit note.
    pub refund: bool,
    /// The bill that a credit note takes back.
    pub reverses: Option<ExternalId>,
    /// The date on the invoice.
    pub date: Day,
    /// The date in the books.
    pub accounting_date: Day,
    /// What is billed; at least one line.
    pub lines: Vec<NewBillLine>,
    /// Why it may be paid: a text that is attached in the same transaction.
    pub evidence: Option<String>,
}

/// A line of a [`NewBill`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBillLine {
    /// How it is found again.
    pub external_id: ExternalId,
    /// Odoo's id of the order line that is billed; none for charges and rounding. An order that people made
    /// in Odoo has lines without external ids.
    pub order_line: Option<i64>,
    /// The item of the order line, or the one that a charge is booked by; without it Odoo takes the
    /// journal's account instead of the item's.
    pub item: ExternalId,
    /// The unit of the order line; without it Odoo takes the item's own, and counts wrongly.
    pub unit: Option<ExternalId>,
    /// How much is billed.
    pub quantity: Quantity,
    /// Net price per unit.
    pub price: UnitPrice,
    /// The tax; none means that no tax is applied.
    pub tax: Option<ExternalId>,
    /// What the line says.
    pub description: String,
}

/// Where a bill stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BillState {
    /// Not in the books.
    Draft,
    /// In the books.
    Posted,
    /// Cancelled.
    Cancelled,
}

impl BillState {
    pub(crate) fn read(record: Record<'_>) -> Result<Self, Error> {
        match record.word("state")? {
            "draft" => Ok(Self::Draft),
            "posted" => Ok(Self::Posted),
            "cancel" => Ok(Self::Cancelled),
            _ => Err(record.wrong("state", "a state that we know")),
        }
    }
}

/// A bill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bill {
    /// Database id.
    pub id: i64,
    /// Odoo's number; a draft may have one already, and is not posted for that.
    pub name: String,
    /// Where it stands.
    pub state: BillState,
    /// Whether it is a credit note.
    pub refund: bool,
    /// The supplier's number for it.
    pub number: Option<String>,
    /// The supplier.
    pub partner: Option<i64>,
    /// The currency.
    pub currency: i64,
    /// The date on the invoice.
    pub invoice_date: Option<Day>,
    /// The date in the books; posting moves it out of a locked period without a word.
    pub accounting_date: Option<Day>,
    /// The day up to which the company's books are closed for a bill like this one.
    pub locked_until: Option<Day>,
    /// Total before tax.
    pub untaxed: Amount,
    /// Tax.
    pub tax: Amount,
    /// Total with tax.
    pub total: Amount,
    /// Its lines, without headings and notes.
    pub lines: Vec<BillLine>,
}

impl Bill {
    /// Whether posting it now would book it on another date than it shows.
    ///
    /// Odoo answers such a posting with success: look before, and compare the date afterwards.
    #[must_use]
    pub fn is_period_locked(&self) -> bool {
        let dates = self.accounting_date.zip(self.locked_until);
        self.state == BillState::Draft && dates.is_some_and(|(booked, locked)| booked.0 <= locked.0)
    }
}

/// A line of a [`Bill`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillLine {
    /// Database id.
    pub id: i64,
    /// The order line that is billed.
    pub order_line: Option<i64>,
    /// How much Odoo counts as invoiced on that order line, drafts and this bill included.
    pub order_line_invoiced: Option<Quantity>,
    /// The item.
    pub product: Option<i64>,
    /// The unit.
    pub unit: Option<i64>,
    /// The account.
    pub account: Option<i64>,
    /// The taxes.
    pub taxes: Vec<i64>,
    /// How much is billed.
    pub quantity: Quantity,
    /// Price per unit.
    pub price: UnitPrice,
    /// Total before tax.
    pub subtotal: Amount,
}

impl Client {
    /// Creates a draft bill with all its lines in one create-once call.
    ///
    /// A bill that exists under this external id stays as it is, also when it differs: read it.
    ///
    /// # Errors
    /// [`Error::Refused`] with the kind of what Odoo does not know, or with
    /// [`crate::RefusedKind::Precision`] for a number that Odoo would round; and what a call can always meet.
    pub async fn create_bill(&self, bill: &NewBill) -> Result<i64, Error> {
        for line in &bill.lines {
            self.check_numbers(line.quantity, line.price)?;
        }
        let mut sheet = Sheet::new(vec![
            ("id", cell(&bill.external_id)?),
            (
                "move_type",
                if bill.refund {
                    "in_refund"
                } else {
                    "in_invoice"
                }
                .to_owned(),
            ),
            ("partner_id/id", cell(&bill.partner)?),
            ("currency_id/id", cell(&bill.currency)?),
            ("company_id/id", cell(&bill.company)?),
            ("ref", bill.number.clone()),
            ("invoice_date", bill.date.to_string()),
            // Left out, Odoo books an invoice of last month on the last day of that month.
            ("date", bill.accounting_date.to_string()),
        ]);
        if let Some(reverses) = &bill.reverses {
            sheet.header("reversed_entry_id/id", cell(reverses)?);
        }
        if let Some(evidence) = &bill.evidence {
            let text = base64::engine::general_purpose::STANDARD.encode(evidence);
            sheet.header(
                "attachment_ids/id",
                cell(&bill.external_id.part("match", ""))?,
            );
            sheet.header("attachment_ids/name", "match.txt".to_owned());
            sheet.header("attachment_ids/datas", text);
            sheet.header("attachment_ids/res_model", model::BILL.to_owned());
        }
        for line in &bill.lines {
            sheet.line(vec![
                ("invoice_line_ids/id", cell(&line.external_id)?),
                (
                    "invoice_line_ids/purchase_line_id/.id",
                    line.order_line
                        .map_or_else(String::new, |id| id.to_string()),
                ),
                ("invoice_line_ids/product_id/id", cell(&line.item)?),
                (
                    "invoice_line_ids/product_uom_id/id",
                    optional(line.unit.as_ref())?,
                ),
                ("invoice_line_ids/name", line.description.clone()),
                ("invoice_line_ids/quantity", line.quantity.to_string()),
                ("invoice_line_ids/price_unit", line.price.to_string()),
                // The column is always there: without it Odoo applies the item's own tax.
                ("invoice_line_ids/tax_ids/id", optional(line.tax.as_ref())?),
            ]);
        }
        self.load_sheet(model::BILL, sheet).await
    }

    /// The bill; none when Odoo does not have it.
    ///
    /// # Errors
    /// What a call can always meet.
    pub async fn bill(&self, bill: i64) -> Result<Option<Bill>, Error> {
        let mut fields = Body::fields(&[
            "name",
            "state",
            "move_type",
            "ref",
            "partner_id",
            "currency_id",
            "invoice_date",
            "date",
            "amount_untaxed",
            "amount_tax",
            "amount_total",
        ]);
        let line = [
            "display_type",
            "product_id",
            "product_uom_id",
            "account_id",
            "tax_ids",
            "quantity",
            "price_unit",
            "price_subtotal",
        ];
        let mut line = Body::fields(&line);
        line.push((
            "purchase_line_id",
            Body::nested(Body::fields(&["qty_invoiced"])),
        ));
        fields.push(("invoice_line_ids", Body::nested(line)));
        let (locks, tax_lock) = self.version().bill_locks();
        let mut company = Body::fields(locks);
        company.extend(Body::fields(&[tax_lock]));
        fields.push(("company_id", Body::nested(company)));
        let call = Call::new(model::BILL, "web_read")
            .on(bill)
            .named("specification", Body::Object(fields));
        let answer = self.call(call).await?;
        answer::only(model::BILL, &answer)?
            .map(|record| read(self.version(), record))
            .transpose()
    }

    /// Posts a draft bill. Read the bill to see where Odoo booked it.
    ///
    /// # Errors
    /// [`Error::NotOpen`] when it is posted or cancelled already, [`Error::WizardAsked`] when Odoo opened
    /// a dialogue and posted nothing, and what a call can always meet.
    pub async fn post_bill(&self, bill: i64) -> Result<(), Error> {
        match self.try_to_post(bill).await {
            Err(error) if is_number_taken(&error) => {
                // Odoo gives the first draft of a period its number at once, and two that come at the same moment
                // the same one. Without a number a draft gets the next when it is posted.
                let none = Body::Object(vec![("name", self.version().no_bill_number())]);
                let write = Call::new(model::BILL, "write").on(bill).named("vals", none);
                self.call(write).await?;
                self.try_to_post(bill).await.map_err(|error| {
                    if is_number_taken(&error) {
                        Error::busy(error.to_string())
                    } else {
                        error
                    }
                })
            }
            answer => answer,
        }
    }

    async fn try_to_post(&self, bill: i64) -> Result<(), Error> {
        match self
            .call(Call::new(model::BILL, "action_post").on(bill))
            .await
        {
            Ok(answer) => match is_dialogue(&answer) {
                None => Ok(()),
                // Some dialogues come after the deed (post this supplier's bills by themselves?).
                Some(name) => match self.bill_state(bill).await? {
                    Some(BillState::Posted) => Ok(()),
                    Some(BillState::Draft | BillState::Cancelled) | None => {
                        Err(Error::WizardAsked {
                            message: foreign(name),
                        })
                    }
                },
            },
            Err(error) if is_answer_of_odoo(&error) => match self.bill_state(bill).await? {
                Some(BillState::Posted | BillState::Cancelled) => Err(Error::NotOpen {
                    message: error.to_string(),
                }),
                Some(BillState::Draft) | None => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    async fn bill_state(&self, bill: i64) -> Result<Option<BillState>, Error> {
        let call = Call::new(model::BILL, "web_read")
            .on(bill)
            .named("specification", Body::Object(Body::fields(&["state"])));
        let answer = self.call(call).await?;
        answer::only(model::BILL, &answer)?
            .map(BillState::read)
            .transpose()
    }
}

/// Whether Odoo refused a bill only for the number that it gave it itself.
fn is_number_taken(error: &Error) -> bool {
    matches!(error, Error::Refused { message, .. } if message.contains("Another entry with the same name already exists"))
}

fn optional(id: Option<&ExternalId>) -> Result<String, Error> {
    Ok(id.map(cell).transpose()?.unwrap_or_default())
}

fn read(version: Version, record: Record<'_>) -> Result<Bill, Error> {
    let lines: Vec<_> = record
        .records("invoice_line_ids", model::BILL_LINE)?
        .filter_map(|line| match line.text("display_type") {
            Ok(Some("product") | None) => Some(read_line(line)),
            Ok(Some(_)) => None,
            Err(error) => Some(Err(error)),
        })
        .collect::<Result<_, _>>()?;
    let taxed = lines.iter().any(|line| !line.taxes.is_empty());
    Ok(Bill {
        id: record.id()?,
        name: version.bill_name(record.text("name")?.unwrap_or_default()),
        state: BillState::read(record)?,
        refund: record.word("move_type")? == "in_refund",
        number: record.text("ref")?.map(str::to_owned),
        partner: record.link("partner_id")?,
        currency: record.linked("currency_id")?,
        invoice_date: record.day("invoice_date")?,
        accounting_date: record.day("date")?,
        locked_until: locked_until(version, record.inside("company_id", model::COMPANY)?, taxed)?,
        untaxed: Amount::from_decimal(record.decimal("amount_untaxed")?),
        tax: Amount::from_decimal(record.decimal("amount_tax")?),
        total: Amount::from_decimal(record.decimal("amount_total")?),
        lines,
    })
}

fn locked_until(version: Version, company: Record<'_>, taxed: bool) -> Result<Option<Day>, Error> {
    let (locks, tax_lock) = version.bill_locks();
    let mut last: Option<Day> = None;
    for lock in locks.iter().chain(taxed.then_some(&tax_lock)) {
        let day = company.day(lock)?;
        if day.is_some_and(|day| last.is_none_or(|last| last.0 < day.0)) {
            last = day;
        }
    }
    Ok(last)
}

fn read_line(line: Record<'_>) -> Result<BillLine, Error> {
    let order_line = line.link("purchase_line_id")?;
    let invoiced = order_line
        .map(|_| {
            line.inside("purchase_line_id", model::ORDER_LINE)?
                .decimal("qty_invoiced")
        })
        .transpose()?;
    Ok(BillLine {
        id: line.id()?,
        order_line,
        order_line_invoiced: invoiced.map(Quantity::from_decimal),
        product: line.link("product_id")?,
        unit: line.link("product_uom_id")?,
        account: line.link("account_id")?,
        taxes: line.links("tax_ids")?,
        quantity: Quantity::from_decimal(line.decimal("quantity")?),
        price: UnitPrice::from_decimal(line.decimal("price_unit")?),
        subtotal: Amount::from_decimal(line.decimal("price_subtotal")?),
    })
}
