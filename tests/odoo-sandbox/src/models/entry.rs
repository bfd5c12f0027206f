//! Journal entries and bills: their lines, amounts and dates.

use jiff::ToSpan as _;
use jiff::civil::Date;
use rust_decimal::Decimal;

use serde_json::Value as Json;

use crate::clock::{day, parse_day};
use crate::error::{Error, Result};
use crate::models::base::{COMPANY, company_currency};
use crate::models::product;
use crate::models::taxes::{self, Item};
use crate::orm::write::Wishes;
use crate::schema::Field;
use crate::store::{Key, Record};
use crate::transaction::Transaction;
use crate::value::Value;

pub(crate) const ENTRY: &str = "account.move";
pub(crate) const ITEM: &str = "account.move.line";

/// What cannot be changed on a posted bill, where the version guards it.
const READ_ONLY_WHEN_POSTED: [&str; 9] = [
    "invoice_line_ids",
    "line_ids",
    "invoice_date",
    "date",
    "partner_id",
    "invoice_payment_term_id",
    "currency_id",
    "fiscal_position_id",
    "invoice_cash_rounding_id",
];

pub(crate) fn is_bill(tx: &Transaction, id: i64) -> bool {
    matches!(
        tx.stored(ENTRY, id, "move_type").as_text(),
        "in_invoice" | "in_refund" | "in_receipt"
    )
}

fn account(tx: &Transaction, kind: &str) -> Value {
    let mut accounts: Vec<(String, i64)> = tx
        .ids("account.account")
        .into_iter()
        .filter(|id| tx.text("account.account", *id, "account_type") == kind)
        .map(|id| (tx.text("account.account", id, "code"), id))
        .collect();
    // The chart's general expense account, not the first of its kind.
    accounts.sort_by_key(|(code, _)| (code != "600000", code.clone()));
    Value::one(accounts.first().map(|(_, id)| *id))
}

pub(crate) fn defaults(tx: &Transaction, record: &mut Record) -> Result<()> {
    let kind = record
        .entry("move_type")
        .or_insert_with(|| Value::text("entry"))
        .as_text()
        .to_owned();
    let journal_type = match kind.as_str() {
        "in_invoice" | "in_refund" | "in_receipt" => "purchase",
        "out_invoice" | "out_refund" | "out_receipt" => "sale",
        _ => "general",
    };
    let journal = tx
        .ids("account.journal")
        .into_iter()
        .find(|id| tx.text("account.journal", *id, "type") == journal_type);
    let partner = record.get("partner_id").and_then(Value::as_one);
    let currency = partner
        .and_then(|partner| tx.one("res.partner", partner, "property_purchase_currency_id"))
        .or_else(|| company_currency(tx));
    let invoiced = record
        .get("invoice_date")
        .and_then(|date| parse_day(date.as_text()));
    let today = tx.env.now.date();
    let date = match invoiced {
        Some(date) if kind != "entry" => accounting_date(tx, date, false),
        _ => today,
    };
    record
        .entry("date")
        .or_insert_with(|| Value::Text(day(date)));
    if kind != "entry" {
        record
            .entry("invoice_date_due")
            .or_insert_with(|| Value::Text(day(today)));
    }
    for (key, value) in [
        ("state", Value::text("draft")),
        ("journal_id", Value::one(journal)),
        ("company_id", Value::One(COMPANY)),
        ("currency_id", Value::one(currency)),
        ("invoice_user_id", Value::One(tx.env.user)),
        ("posted_before", Value::Flag(false)),
        (
            "name",
            if tx.version.draft_bill_has_slash() {
                Value::text("/")
            } else {
                Value::Null
            },
        ),
    ] {
        record.entry(key).or_insert(value);
    }
    Ok(())
}

/// The last day that is locked for bills; the tax lock only counts for bills with taxes.
pub(crate) fn lock_date(tx: &Transaction, taxed: bool) -> Option<Date> {
    let fields = tx
        .version
        .purchase_lock_fields()
        .iter()
        .chain(taxed.then_some(&"tax_lock_date"));
    fields
        .filter_map(|field| parse_day(tx.get("res.company", COMPANY, field).as_text()))
        .max()
}

/// The date under which a bill is booked: moved out of locked periods without a word, then to the end of a past
/// month, or to today.
pub(crate) fn accounting_date(tx: &Transaction, invoiced: Date, taxed: bool) -> Date {
    let lock = lock_date(tx, taxed).filter(|lock| invoiced <= *lock);
    let base = lock.map_or(invoiced, |lock| lock.saturating_add(1.day()));
    let today = tx.env.now.date();
    if (today.year(), today.month()) > (base.year(), base.month()) {
        base.last_of_month()
    } else {
        base.max(today)
    }
}

pub(crate) fn line_defaults(
    tx: &mut Transaction,
    record: &mut Record,
    lists: &[(&'static Field, Json)],
) -> Result<()> {
    let entry = record
        .get("move_id")
        .and_then(Value::as_one)
        .unwrap_or_default();
    record
        .entry("display_type")
        .or_insert_with(|| Value::text("product"));
    record.entry("sequence").or_insert(Value::Int(100));
    record
        .entry("discount")
        .or_insert(Value::Dec(Decimal::ZERO));
    for key in ["debit", "credit"] {
        record.entry(key).or_insert(Value::Dec(Decimal::ZERO));
    }
    if let Some(line) = record.get("purchase_line_id").and_then(Value::as_one) {
        // Two bills for one order line cannot be made at once without seeing one another.
        tx.touch(Key::Row("purchase.order.line", line));
    }
    if !is_bill(tx, entry)
        || record
            .get("display_type")
            .is_some_and(|kind| kind.as_text() != "product")
    {
        return Ok(());
    }
    record.entry("quantity").or_insert(Value::Dec(Decimal::ONE));
    let expense = account(tx, "expense");
    record.entry("account_id").or_insert(expense);
    let tax_given =
        lists.iter().any(|(field, _)| field.key == "tax_ids") || record.contains_key("tax_ids");
    match record.get("product_id").and_then(Value::as_one) {
        Some(product) => {
            let name = Value::Text(product::display_name(tx, "product.product", product));
            let unit = tx
                .one("product.product", product, "uom_po_id")
                .or_else(|| tx.one("product.product", product, "uom_id"));
            let price = tx.get("product.product", product, "standard_price");
            record.entry("name").or_insert(name);
            record.entry("product_uom_id").or_insert(Value::one(unit));
            record.entry("price_unit").or_insert(price);
            if !tax_given {
                record.insert(
                    "tax_ids",
                    Value::Many(tx.many("product.product", product, "supplier_taxes_id")),
                );
            }
        }
        None => {
            record
                .entry("price_unit")
                .or_insert(Value::Dec(Decimal::ZERO));
        }
    }
    Ok(())
}

pub(crate) fn is_invoice_line(tx: &Transaction, line: i64) -> bool {
    matches!(
        tx.stored(ITEM, line, "display_type").as_text(),
        "product" | "line_section" | "line_note"
    )
}

pub(crate) fn guard(tx: &Transaction, id: i64, wishes: &Wishes) -> Result<()> {
    if !tx.version.guards_posted_bills() || tx.text(ENTRY, id, "state") != "posted" {
        return Ok(());
    }
    let sent = wishes
        .values
        .iter()
        .map(|(key, _)| *key)
        .chain(wishes.lists.iter().map(|(field, _)| field.key));
    let refused: Vec<&str> = sent
        .filter(|key| READ_ONLY_WHEN_POSTED.contains(key))
        .collect();
    if refused.is_empty() {
        return Ok(());
    }
    Err(Error::user(format!(
        "You cannot modify the following readonly fields on a posted move: {}",
        refused.join(", ")
    )))
}

/// 17 does not lock a period in which drafts are open.
pub(crate) fn guard_lock(tx: &Transaction, wishes: &Wishes) -> Result<()> {
    if !tx.version.refuses_lock_over_drafts() {
        return Ok(());
    }
    let Some(lock) = wishes
        .get("fiscalyear_lock_date")
        .filter(|date| !date.is_empty())
    else {
        return Ok(());
    };
    let open = tx.ids(ENTRY).into_iter().any(|id| {
        tx.text(ENTRY, id, "state") == "draft"
            && tx.text(ENTRY, id, "date").as_str() <= lock.as_text()
    });
    if !open {
        return Ok(());
    }
    Err(Error::new(
        crate::error::Class::Redirect,
        "There are still unposted entries in the period you want to lock. You should either post or delete them.",
    ))
}

pub(crate) fn created(tx: &mut Transaction, id: i64) -> Result<()> {
    if tx.version.numbers_first_draft() && super::bill::is_first_of_month(tx, id) {
        let name = super::bill::number(tx, id);
        tx.put(ENTRY, id, "name", Value::Text(name));
    }
    settle(tx, id)
}

pub(crate) fn written(tx: &mut Transaction, id: i64, wishes: &Wishes) -> Result<()> {
    if is_bill(tx, id)
        && !wishes.has("date")
        && let Some(date) = wishes
            .get("invoice_date")
            .and_then(|date| parse_day(date.as_text()))
    {
        let taxed = has_taxes(tx, id);
        let date = accounting_date(tx, date, taxed);
        tx.put(ENTRY, id, "date", Value::Text(day(date)));
    }
    settle(tx, id)
}

pub(crate) fn has_taxes(tx: &Transaction, id: i64) -> bool {
    tx.referring(ITEM, "move_id", id)
        .into_iter()
        .any(|item| !tx.stored(ITEM, item, "tax_ids").is_empty())
}

pub(crate) fn line_written(tx: &mut Transaction, id: i64) -> Result<()> {
    match tx.one(ITEM, id, "move_id") {
        Some(entry) if is_bill(tx, entry) => settle(tx, entry),
        _ => Ok(()),
    }
}

/// Brings the booked side in line: taxes and what is owed for a bill; an entry must balance by itself.
pub(crate) fn settle(tx: &mut Transaction, id: i64) -> Result<()> {
    if !is_bill(tx, id) {
        return check_balance(tx, id);
    }
    let sign = if tx.text(ENTRY, id, "move_type") == "in_refund" {
        -Decimal::ONE
    } else {
        Decimal::ONE
    };
    let items = tx.referring(ITEM, "move_id", id);
    let products: Vec<i64> = items
        .iter()
        .copied()
        .filter(|item| tx.stored(ITEM, *item, "display_type").as_text() == "product")
        .collect();
    let costs: Vec<Item> = products.iter().map(|item| cost(tx, *item)).collect();
    let totals = taxes::totals(tx, &costs);
    let lines: Vec<Decimal> = costs
        .iter()
        .map(|cost| taxes::line(tx, cost).untaxed)
        .collect();
    // Where the rounded sum is not the sum of rounded lines, the first line takes the cent.
    let mut rest = totals.untaxed - lines.iter().copied().sum::<Decimal>();
    for (item, amount) in products.into_iter().zip(lines) {
        book(tx, item, sign * (amount + rest));
        rest = Decimal::ZERO;
    }
    let owed = totals.total();
    let taxes = totals.taxes;
    let of_kind = |tx: &Transaction, kind: &str| -> Vec<i64> {
        items
            .iter()
            .copied()
            .filter(|item| tx.stored(ITEM, *item, "display_type").as_text() == kind)
            .collect()
    };
    for item in of_kind(tx, "tax") {
        if !taxes
            .iter()
            .any(|(tax, _)| tx.one(ITEM, item, "tax_line_id") == Some(*tax))
        {
            tx.remove(ITEM, item);
        }
    }
    for (tax, amount) in taxes {
        let known = of_kind(tx, "tax")
            .into_iter()
            .find(|item| tx.exists(ITEM, *item) && tx.one(ITEM, *item, "tax_line_id") == Some(tax));
        let item = known.unwrap_or_else(|| {
            let name = tx.get("account.tax", tax, "name");
            booked(
                tx,
                id,
                "tax",
                [
                    ("tax_line_id", Value::One(tax)),
                    ("name", name),
                    ("account_id", account(tx, "asset_current")),
                ],
            )
        });
        book(tx, item, sign * amount);
    }
    let item = of_kind(tx, "payment_term")
        .first()
        .copied()
        .unwrap_or_else(|| {
            let payable = account(tx, "liability_payable");
            booked(
                tx,
                id,
                "payment_term",
                [
                    ("account_id", payable),
                    ("name", Value::text("")),
                    ("date_maturity", tx.get(ENTRY, id, "invoice_date")),
                ],
            )
        });
    book(tx, item, -sign * owed);
    Ok(())
}

/// A line of a bill as far as money goes.
fn cost(tx: &Transaction, item: i64) -> Item {
    Item {
        price: tx.dec(ITEM, item, "price_unit"),
        quantity: tx.dec(ITEM, item, "quantity"),
        discount: tx.dec(ITEM, item, "discount"),
        taxes: tx.many(ITEM, item, "tax_ids"),
    }
}

fn booked<const N: usize>(
    tx: &mut Transaction,
    entry: i64,
    kind: &str,
    values: [(&'static str, Value); N],
) -> i64 {
    let mut record = Record::from(values);
    record.insert("move_id", Value::One(entry));
    record.insert("display_type", Value::text(kind));
    record.insert("sequence", Value::Int(10_000));
    record.insert("quantity", Value::Dec(Decimal::ONE));
    tx.insert(ITEM, record)
}

fn book(tx: &mut Transaction, item: i64, balance: Decimal) {
    let (debit, credit) = if balance >= Decimal::ZERO {
        (balance, Decimal::ZERO)
    } else {
        (Decimal::ZERO, -balance)
    };
    tx.put_all(
        ITEM,
        item,
        [("debit", Value::Dec(debit)), ("credit", Value::Dec(credit))],
    );
}

fn check_balance(tx: &Transaction, id: i64) -> Result<()> {
    let (mut debit, mut credit) = (Decimal::ZERO, Decimal::ZERO);
    for item in tx.referring(ITEM, "move_id", id) {
        debit += tx.stored(ITEM, item, "debit").as_dec();
        credit += tx.stored(ITEM, item, "credit").as_dec();
    }
    if debit == credit {
        return Ok(());
    }
    let money = |amount: Decimal| format!("{:.2}", amount);
    let journal = tx
        .one(ENTRY, id, "journal_id")
        .map(|journal| tx.text("account.journal", journal, "name"))
        .unwrap_or_default();
    Err(Error::user(tx.version.unbalanced(
        id,
        &tx.text(ENTRY, id, "ref"),
        &money(debit),
        &money(credit),
        &journal,
    )))
}

pub(crate) fn unlinking(tx: &mut Transaction, id: i64) -> Result<()> {
    if tx.text(ENTRY, id, "state") == "posted" {
        return Err(Error::user(
            "You can't delete a posted journal item. Don\u{2019}t play games with your accounting records; reset the journal entry to draft \
             before deleting it.",
        ));
    }
    Ok(())
}

pub(crate) fn display_name(tx: &Transaction, id: i64) -> String {
    let (name, reference) = (tx.text(ENTRY, id, "name"), tx.text(ENTRY, id, "ref"));
    let number = match (tx.text(ENTRY, id, "state") == "draft", name.as_str()) {
        (true, "" | "/") if tx.version.draft_bill_has_slash() => format!("Draft Bill (* {id})"),
        (true, "" | "/") => "Draft Bill".to_owned(),
        (true, name) => format!("Draft Bill {name}"),
        (false, name) => name.to_owned(),
    };
    if reference.is_empty() {
        number
    } else {
        format!("{number} ({reference})")
    }
}

pub(crate) fn compute(tx: &Transaction, model: &'static str, id: i64, key: &'static str) -> Value {
    if model == ITEM {
        return compute_line(tx, id, key);
    }
    let sum = |untaxed: bool, tax: bool| {
        let mut total = Decimal::ZERO;
        for item in tx.referring(ITEM, "move_id", id) {
            let kind = tx.stored(ITEM, item, "display_type");
            if (untaxed && kind.as_text() == "product") || (tax && kind.as_text() == "tax") {
                total += tx.stored(ITEM, item, "debit").as_dec()
                    - tx.stored(ITEM, item, "credit").as_dec();
            }
        }
        if tx.stored(ENTRY, id, "move_type").as_text() == "in_refund" {
            -total
        } else {
            total
        }
    };
    let total = || {
        if is_bill(tx, id) {
            sum(true, true)
        } else {
            tx.referring(ITEM, "move_id", id)
                .into_iter()
                .map(|i| tx.stored(ITEM, i, "debit").as_dec())
                .sum()
        }
    };
    match key {
        "amount_untaxed" => Value::Dec(sum(true, false)),
        "amount_tax" => Value::Dec(sum(false, true)),
        "amount_total" => Value::Dec(total()),
        "amount_residual" => Value::Dec(if tx.text(ENTRY, id, "state") == "cancel" {
            Decimal::ZERO
        } else {
            total()
        }),
        "payment_state" => {
            let nothing =
                is_bill(tx, id) && tx.text(ENTRY, id, "state") == "posted" && total().is_zero();
            Value::text(if nothing { "paid" } else { "not_paid" })
        }
        _ => Value::Null,
    }
}

fn compute_line(tx: &Transaction, id: i64, key: &'static str) -> Value {
    let entry = tx.one(ITEM, id, "move_id").unwrap_or_default();
    match key {
        "price_subtotal" => Value::Dec(taxes::line(tx, &cost(tx, id)).untaxed),
        "price_total" => Value::Dec(taxes::line(tx, &cost(tx, id)).total()),
        "balance" | "amount_currency" => Value::Dec(
            tx.stored(ITEM, id, "debit").as_dec() - tx.stored(ITEM, id, "credit").as_dec(),
        ),
        "move_name" => tx.get(ENTRY, entry, "name"),
        "parent_state" => tx.get(ENTRY, entry, "state"),
        "purchase_order_id" => tx
            .one(ITEM, id, "purchase_line_id")
            .map(|line| tx.get("purchase.order.line", line, "order_id"))
            .unwrap_or_default(),
        _ => Value::Null,
    }
}
