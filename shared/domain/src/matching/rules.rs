//! The rules themselves.

use std::collections::BTreeMap;

use rust_decimal::{Decimal, RoundingStrategy};

use super::{
    Check, Evaluation, Inputs, Limit, LineInputs, PayableLine, RULE_VERSION, Resolved, Verdict,
    cents,
};
use crate::decimal::{Amount, Quantity, UnitPrice};
use crate::exception::Code as ExceptionCode;
use crate::fact::{Code, InvoiceKind, InvoiceLine};
use crate::plant::BillRounding;

/// Matches an invoice with one order.
#[must_use]
pub fn evaluate(inputs: &Inputs) -> Evaluation {
    let mut run = Run {
        inputs,
        checks: Vec::new(),
    };
    run.party();
    run.duplicate();
    run.totals();
    let lines: Vec<PayableLine> = if inputs.invoice.kind == InvoiceKind::CreditNote {
        run.own_lines(Run::credited)
    } else {
        run.dates();
        let lines = run.own_lines(Run::line);
        run.overbilled(&lines);
        lines
    };
    if inputs.leads {
        run.charges();
        run.tax();
    }
    let small_difference = if inputs.leads {
        run.small_difference()
    } else {
        Amount::ZERO
    };
    let tax = run.tax_by_code().map(Amount::from_decimal);
    let checks = run.checks;
    Evaluation {
        rule_version: RULE_VERSION.to_owned(),
        inputs_hash: hash(inputs),
        result: checks
            .iter()
            .map(|check| check.verdict)
            .max()
            .unwrap_or(Verdict::Matched),
        checks,
        lines,
        tax,
        small_difference,
    }
}

fn hash(inputs: &Inputs) -> String {
    // Serialising our own types cannot fail; an empty text would only make the hash less telling.
    let inputs = serde_json_canonicalizer::to_vec(inputs).unwrap_or_default();
    crate::identifier::sha256_hex(&[RULE_VERSION.as_bytes(), &inputs].concat())
}

struct Run<'a> {
    inputs: &'a Inputs,
    checks: Vec<Check>,
}

/// What a rule compares, before it is known how that ends.
struct Compared<'a> {
    rule: &'static str,
    line: Option<&'a Code>,
    expected: String,
    actual: String,
    variance: String,
    tolerance: String,
    at_risk: Decimal,
}

impl Compared<'_> {
    fn new(rule: &'static str, expected: impl ToString, actual: impl ToString) -> Self {
        Self {
            rule,
            line: None,
            expected: expected.to_string(),
            actual: actual.to_string(),
            variance: String::new(),
            tolerance: String::new(),
            at_risk: Decimal::ZERO,
        }
    }
}

impl<'a> Run<'a> {
    /// Records a comparison. A failure that a person has accepted is released.
    fn check(&mut self, of: Compared<'_>, verdict: Verdict, code: Option<ExceptionCode>) {
        let accepted = code.is_some_and(|code| self.inputs.accepted.contains(&code));
        let open = matches!(verdict, Verdict::Awaiting | Verdict::Held);
        self.checks.push(Check {
            rule: of.rule.to_owned(),
            line: of.line.cloned(),
            expected: of.expected,
            actual: of.actual,
            variance: of.variance,
            tolerance: of.tolerance,
            verdict: if accepted && open {
                Verdict::Released
            } else {
                verdict
            },
            code,
            amount_at_risk: Amount::from_decimal(cents(of.at_risk.max(Decimal::ZERO))),
        });
    }

    fn held_if(&mut self, failed: bool, code: ExceptionCode, of: Compared<'_>) {
        if failed {
            self.check(of, Verdict::Held, Some(code));
        } else {
            self.check(of, Verdict::Matched, None);
        }
    }

    /// 3W-15: supplier, currency, payee and bank account.
    fn party(&mut self) {
        let invoice = &self.inputs.invoice;
        let order = &self.inputs.order;
        let gross = invoice.totals.gross.decimal();
        let payee = invoice.payee.as_ref();
        let paid = payee.and_then(|payee| payee.supplier_id.as_ref());
        let supplier = paid.unwrap_or(&invoice.supplier_id);
        let differs = invoice.supplier_id != order.supplier || *supplier != order.supplier;
        let named = if invoice.supplier_id == order.supplier {
            supplier
        } else {
            &invoice.supplier_id
        };
        let mut of = Compared::new("3W-15 supplier", &order.supplier, named);
        of.at_risk = gross;
        self.held_if(differs, ExceptionCode::Party, of);
        let mut of = Compared::new(
            "3W-15 currency",
            order.currency.as_str(),
            invoice.currency.as_str(),
        );
        of.at_risk = gross;
        self.held_if(order.currency != invoice.currency, ExceptionCode::Party, of);
        if let Some(account) = payee.and_then(|payee| payee.bank_account.as_ref()) {
            let plain = |text: &str| text.replace([' ', '-'], "").to_uppercase();
            let approved = &self.inputs.settings.bank_accounts;
            let known = approved
                .iter()
                .any(|one| plain(one) == plain(account.as_str()));
            // Account numbers are nobody's business who reads an exception.
            let mut of = Compared::new(
                "3W-15 bank account",
                format!("one of {} approved", approved.len()),
                if known { "approved" } else { "not approved" },
            );
            of.at_risk = gross;
            self.held_if(!known, ExceptionCode::Party, of);
        }
    }

    /// 3W-1: the same number before, or the same amount within a few days.
    fn duplicate(&mut self) {
        let number = &self.inputs.invoice.invoice_number;
        let gross = self.inputs.invoice.totals.gross;
        if let Some(earlier) = &self.inputs.history.same_number {
            let mut of = Compared::new(
                "3W-1 number",
                "a number of its own",
                format!("{number} as {earlier}"),
            );
            of.at_risk = gross.decimal();
            self.check(of, Verdict::Rejected, Some(ExceptionCode::DuplicateInvoice));
            return;
        }
        let similar = &self.inputs.history.similar;
        let mut of = Compared::new(
            "3W-1 similar",
            "no invoice of the same amount within days",
            if similar.is_empty() {
                "none".to_owned()
            } else {
                let few: Vec<&str> = similar.iter().take(3).map(String::as_str).collect();
                let more = similar.len().saturating_sub(few.len());
                let more = if more > 0 {
                    format!(" and {more} more")
                } else {
                    String::new()
                };
                format!("{gross} as {}{more}", few.join(", "))
            },
        );
        of.at_risk = gross.decimal();
        if similar.is_empty() {
            self.check(of, Verdict::Matched, None);
        } else if self.inputs.settings.similar_is_held {
            self.check(of, Verdict::Held, Some(ExceptionCode::SimilarInvoice));
        } else {
            self.check(of, Verdict::Warned, None);
        }
    }

    /// 3W-11: the invoice's own arithmetic.
    fn totals(&mut self) {
        let invoice = &self.inputs.invoice;
        let sum: Decimal = invoice.lines.iter().map(InvoiceLine::net).sum();
        let totals = &invoice.totals;
        let stated = totals.gross - totals.charges - totals.tax - totals.round_off;
        let difference = (sum - stated.decimal()).abs();
        // A supplier rounds each line to cents or only the sum.
        let lines = Decimal::from(invoice.lines.len());
        let tolerance = (Decimal::new(1, 2) * lines).min(Decimal::new(50, 2));
        let mut of = Compared::new("3W-11", sum.normalize(), stated);
        of.variance = difference.normalize().to_string();
        of.tolerance = tolerance.normalize().to_string();
        of.at_risk = difference;
        if difference > tolerance {
            self.check(of, Verdict::Rejected, Some(ExceptionCode::InvoiceTotals));
        } else {
            self.check(of, Verdict::Matched, None);
        }
        let percent = self.inputs.settings.tolerances.totals_percent;
        if percent.0.is_some() && self.inputs.leads {
            let discount: Decimal = invoice
                .lines
                .iter()
                .filter_map(|line| line.discount)
                .map(Amount::decimal)
                .sum();
            let charges: Decimal = self
                .inputs
                .order
                .charges
                .values()
                .map(|one| one.decimal())
                .sum();
            let agreed = self.inputs.order.discount.map(Amount::decimal);
            let tax = self.tax_by_code();
            for (what, expected, actual, code) in [
                (
                    "3W-11 discount",
                    agreed,
                    discount,
                    ExceptionCode::PriceTotal,
                ),
                (
                    "3W-11 charges",
                    Some(charges),
                    totals.charges.decimal(),
                    ExceptionCode::Charge,
                ),
                (
                    "3W-11 tax",
                    tax,
                    totals.tax.decimal(),
                    ExceptionCode::TaxOver,
                ),
            ] {
                let Some(expected) = expected else { continue };
                let difference = (actual - expected).abs();
                let mut of = Compared::new(what, expected.normalize(), actual.normalize());
                of.variance = percent_of(difference, expected);
                of.tolerance = format!("{percent} %");
                of.at_risk = difference;
                self.held_if(percent.exceeded_percent(difference, expected), code, of);
            }
        }
    }

    /// 3W-14: the order's date and the closed periods.
    fn dates(&mut self) {
        let invoice = &self.inputs.invoice;
        let order_date = self.inputs.order.order_date;
        let early = invoice.invoice_date < order_date;
        self.check(
            Compared::new(
                "3W-14 date",
                format!("not before {order_date}"),
                invoice.invoice_date,
            ),
            if early {
                Verdict::Warned
            } else {
                Verdict::Matched
            },
            None,
        );
        if let Some(closed) = self.inputs.settings.closed_until {
            let booked = invoice.posting_date.unwrap_or(invoice.invoice_date);
            let mut of = Compared::new("3W-14 period", format!("after {closed}"), booked);
            of.at_risk = invoice.totals.gross.decimal();
            self.held_if(booked <= closed, ExceptionCode::Period, of);
        }
    }

    fn own_lines(
        &mut self,
        rule: impl Fn(&mut Self, &'a InvoiceLine, &'a LineInputs) -> PayableLine,
    ) -> Vec<PayableLine> {
        let mut payable = Vec::new();
        for line in &self.inputs.order.lines {
            let billed = self.inputs.invoice.lines.iter().filter(|billed| {
                billed.line_no == line.line_no
                    && billed
                        .po_number
                        .as_ref()
                        .is_none_or(|number| *number == self.inputs.order.number)
            });
            for billed in billed {
                payable.push(rule(self, billed, line));
            }
        }
        payable
    }

    /// 3W-3 to 3W-8: one line.
    fn line(&mut self, billed: &'a InvoiceLine, line: &'a LineInputs) -> PayableLine {
        let paid = in_order_unit(billed, line);
        let tolerances = &line.tolerances;
        self.unit_price(billed, line, &paid, tolerances);
        self.line_total(line, &paid, tolerances);
        if !line.service {
            self.receipt(line, &paid, tolerances);
            let limit = if line.bulk {
                tolerances.bulk_over_order_percent
            } else {
                tolerances.over_order_percent
            };
            let all = (line.invoiced + paid.quantity).decimal();
            let over = all - line.ordered.decimal();
            let mut of = Compared::new("3W-8", line.ordered, all.normalize());
            of.line = Some(&line.line_no);
            of.variance = over.normalize().to_string();
            of.tolerance = format!("{limit} %");
            of.at_risk = over * paid.unit_price.decimal();
            self.held_if(
                limit.exceeded_percent(over, line.ordered.decimal()),
                ExceptionCode::QuantityOrdered,
                of,
            );
        }
        paid
    }

    /// 3W-3.
    fn unit_price(
        &mut self,
        billed: &InvoiceLine,
        line: &'a LineInputs,
        paid: &PayableLine,
        tolerances: &Resolved,
    ) {
        let agreed = line.unit_price.decimal();
        let quantity = paid.quantity.decimal();
        // Compared as line values, so that no division rounds the price.
        let mut value = billed.net();
        if self.inputs.settings.charges_in_unit {
            let all: Decimal = self.inputs.invoice.lines.iter().map(InvoiceLine::net).sum();
            let charges = self.inputs.invoice.totals.charges.decimal();
            if !all.is_zero() {
                value += charges * value / all;
            }
        }
        let more = value - agreed * quantity;
        let of_value = agreed * quantity;
        let (percent, amount) = (tolerances.price_over_percent, tolerances.price_over_amount);
        let (beyond, limits) = self.both(percent, amount, more, of_value);
        let cheap = more < Decimal::ZERO
            && tolerances
                .price_under_percent
                .exceeded_percent(-more, of_value);
        let price = value.checked_div(quantity).unwrap_or_default();
        let mut of = Compared::new("3W-3", line.unit_price, six(price).normalize());
        of.line = Some(&line.line_no);
        of.variance = format!(
            "{} per unit, {} {} on the line",
            percent_of(more, of_value),
            cents(more).normalize(),
            self.inputs.invoice.currency.as_str()
        );
        of.tolerance = limits;
        of.at_risk = more;
        if beyond {
            self.check(of, Verdict::Held, Some(ExceptionCode::Price));
        } else if cheap {
            self.check(of, Verdict::Warned, None);
        } else {
            self.check(of, Verdict::Matched, None);
        }
    }

    /// Whether a limit in percent or one in money is exceeded, and both in words.
    fn both(&self, percent: Limit, amount: Limit, more: Decimal, of: Decimal) -> (bool, String) {
        let is_more = more > Decimal::ZERO;
        let currency = self.inputs.invoice.currency.as_str();
        let limits = [
            (percent, "%", is_more && percent.exceeded_percent(more, of)),
            (amount, currency, is_more && amount.exceeded(more)),
        ];
        let set = limits.iter().filter(|(limit, ..)| limit.0.is_some());
        let words = set.map(|(limit, unit, exceeded)| {
            let exceeded = if *exceeded { ", exceeded" } else { "" };
            format!("{limit} {unit}{exceeded}")
        });
        let words: Vec<String> = words.collect();
        let words = if words.is_empty() {
            "none".to_owned()
        } else {
            words.join(" and ")
        };
        (limits.iter().any(|(.., exceeded)| *exceeded), words)
    }

    /// 3W-4.
    fn line_total(&mut self, line: &'a LineInputs, paid: &PayableLine, tolerances: &Resolved) {
        let expected = line.unit_price.decimal() * line.ordered.decimal();
        let actual = (line.invoiced_net + paid.net).decimal();
        let more = actual - expected;
        let (percent, amount) = (tolerances.line_total_percent, tolerances.line_total_amount);
        let (beyond, limits) = self.both(percent, amount, more, expected);
        let mut of = Compared::new("3W-4", expected.normalize(), actual.normalize());
        of.line = Some(&line.line_no);
        of.variance = format!(
            "{} {} ({})",
            cents(more).normalize(),
            self.inputs.invoice.currency.as_str(),
            percent_of(more, expected)
        );
        of.tolerance = limits;
        of.at_risk = more;
        self.held_if(beyond, ExceptionCode::PriceTotal, of);
    }

    /// 3W-5 to 3W-7.
    fn receipt(&mut self, line: &'a LineInputs, paid: &PayableLine, tolerances: &Resolved) {
        let all = (line.invoiced + paid.quantity).decimal();
        let payable = line.payable.decimal();
        let over = all - payable;
        let limit = if line.bulk {
            tolerances.bulk_quantity_percent
        } else {
            tolerances.quantity_percent
        };
        let compared = |rule, part: Decimal| {
            let mut of = Compared::new(rule, payable.normalize(), all.normalize());
            of.line = Some(&line.line_no);
            of.variance = part.normalize().to_string();
            of.tolerance = format!("{limit} %");
            of.at_risk = part.min(paid.quantity.decimal()) * paid.unit_price.decimal();
            of
        };
        if over <= Decimal::ZERO || !limit.exceeded_percent(over, payable) {
            self.check(compared("3W-5", over), Verdict::Matched, None);
            return;
        }
        let held = over.min(line.held.decimal());
        if held > Decimal::ZERO {
            self.check(
                compared("3W-7", held),
                Verdict::Held,
                Some(ExceptionCode::Quality),
            );
        }
        let missing = over - held;
        if missing > Decimal::ZERO {
            let (rule, code) = if line.received.is_zero() {
                ("3W-6", ExceptionCode::NoReceipt)
            } else {
                ("3W-5", ExceptionCode::QuantityReceived)
            };
            let waits = self.inputs.settings.waits && !self.inputs.waited_out;
            let verdict = if waits {
                Verdict::Awaiting
            } else {
                Verdict::Held
            };
            self.check(compared(rule, missing), verdict, Some(code));
        }
    }

    /// A line of a credit note: never more than was billed, and not above the price.
    fn credited(&mut self, billed: &'a InvoiceLine, line: &'a LineInputs) -> PayableLine {
        let paid = in_order_unit(billed, line);
        for (rule, expected, actual) in [
            (
                "credit quantity",
                line.invoiced.decimal(),
                paid.quantity.decimal(),
            ),
            (
                "credit value",
                line.invoiced_net.decimal(),
                paid.net.decimal(),
            ),
        ] {
            let mut of = Compared::new(rule, expected.normalize(), actual.normalize());
            of.line = Some(&line.line_no);
            let beyond = actual > expected;
            let verdict = if beyond {
                Verdict::Rejected
            } else {
                Verdict::Matched
            };
            self.check(of, verdict, beyond.then_some(ExceptionCode::CreditExceeds));
        }
        paid
    }

    /// 3W-13: all invoices of the order; charges have a rule of their own.
    fn overbilled(&mut self, lines: &[PayableLine]) {
        let this: Decimal = lines.iter().map(|line| line.net.decimal()).sum();
        let all = self.inputs.order.invoiced_net.decimal() + this;
        let total = self.inputs.order.total.decimal();
        let more = all - total;
        let tolerances = &self.inputs.settings.tolerances;
        let (percent, amount) = (tolerances.overbill_percent, tolerances.overbill_amount);
        let (beyond, limits) = self.both(percent, amount, more, total);
        let mut of = Compared::new("3W-13", total.normalize(), all.normalize());
        of.variance = cents(more).normalize().to_string();
        of.tolerance = limits;
        of.at_risk = more;
        self.held_if(beyond, ExceptionCode::Overbill, of);
    }

    /// 3W-9.
    fn charges(&mut self) {
        if self.inputs.settings.charges_in_unit {
            // They were compared as part of the price.
            return;
        }
        let tolerances = &self.inputs.settings.tolerances;
        let (percent, amount) = (tolerances.charge_percent, tolerances.charge_amount);
        for charge in &self.inputs.invoice.charges {
            let actual = charge.amount.decimal();
            let agreed = self
                .inputs
                .order
                .charges
                .get(&charge.code)
                .copied()
                .unwrap_or_default();
            let expected = agreed.decimal();
            let more = actual - expected;
            let unplanned = self
                .inputs
                .settings
                .unplanned_charges
                .get(charge.code.as_str())
                .map(|most| most.decimal());
            let (beyond, limits) = self.both(percent, amount, more, expected);
            let beyond =
                beyond && !(expected.is_zero() && unplanned.is_some_and(|most| actual <= most));
            let mut of = Compared::new("3W-9", agreed, charge.amount);
            of.line = Some(&charge.code);
            of.variance = percent_of(more, expected);
            of.tolerance = limits;
            of.at_risk = more;
            self.held_if(beyond, ExceptionCode::Charge, of);
        }
    }

    /// The tax that the codes give; none when the rate of a code is not configured.
    fn tax_by_code(&self) -> Option<Decimal> {
        let rates = &self.inputs.settings.tax_rates;
        let lines = self.inputs.invoice.lines.iter();
        let lines = lines.map(|line| (line.tax_code.as_ref(), booked(line)));
        let charges = self.inputs.invoice.charges.iter();
        let charges = charges.map(|charge| (charge.tax_code.as_ref(), charge.amount.decimal()));
        let mut bases: BTreeMap<&str, Decimal> = BTreeMap::new();
        let mut sum = Decimal::ZERO;
        for (code, base) in lines.chain(charges) {
            let Some(code) = code else { continue };
            let rate = rates.get(code.as_str())?.decimal() / Decimal::ONE_HUNDRED;
            match self.inputs.settings.rounding {
                BillRounding::EachLine => sum += cents(cents(base) * rate),
                BillRounding::Sum => *bases.entry(code.as_str()).or_default() += base * rate,
            }
        }
        sum += bases.into_values().map(cents).sum::<Decimal>();
        Some(sum)
    }

    /// 3W-10.
    fn tax(&mut self) {
        let tolerances = &self.inputs.settings.tolerances;
        let rates = &self.inputs.settings.tax_rates;
        let (per_line, whole) = (tolerances.tax_line_amount, tolerances.tax_invoice_amount);
        let side = |difference: Decimal| {
            if difference > Decimal::ZERO {
                ExceptionCode::TaxOver
            } else {
                ExceptionCode::TaxUnder
            }
        };
        for line in &self.inputs.invoice.lines {
            let rate = line.tax_code.as_ref().map(|code| rates.get(code.as_str()));
            let rate = match (rate, line.tax_amount) {
                (_, None) | (Some(None), _) => continue,
                (None, Some(_)) => Decimal::ZERO,
                (Some(Some(rate)), Some(_)) => rate.decimal(),
            };
            let expected = cents(line.net() * rate / Decimal::ONE_HUNDRED);
            let actual = line.tax_amount.unwrap_or_default().decimal();
            let difference = actual - expected;
            let mut of = Compared::new("3W-10 line", expected.normalize(), actual.normalize());
            of.line = Some(&line.line_no);
            of.variance = difference.normalize().to_string();
            of.tolerance = per_line.to_string();
            of.at_risk = difference.abs();
            self.held_if(per_line.exceeded(difference.abs()), side(difference), of);
        }
        let stated = self.inputs.invoice.totals.tax.decimal();
        match self.tax_by_code() {
            Some(expected) => {
                let difference = stated - expected;
                let mut of = Compared::new("3W-10", expected.normalize(), stated.normalize());
                of.variance = difference.normalize().to_string();
                of.tolerance = whole.to_string();
                of.at_risk = difference.abs();
                self.held_if(whole.exceeded(difference.abs()), side(difference), of);
            }
            None => self.check(
                Compared::new(
                    "3W-10",
                    "Odoo's own computation, before posting",
                    stated.normalize(),
                ),
                Verdict::Matched,
                None,
            ),
        }
    }

    /// 3W-12: what is left between the supplier's total and the sum that the books will show.
    fn small_difference(&mut self) -> Amount {
        let invoice = &self.inputs.invoice;
        let booked = invoice.lines.iter().map(booked);
        let lines: Decimal = match self.inputs.settings.rounding {
            BillRounding::EachLine => booked.map(cents).sum(),
            BillRounding::Sum => cents(booked.sum()),
        };
        let tax = self
            .tax_by_code()
            .unwrap_or_else(|| invoice.totals.tax.decimal());
        let sum = lines + invoice.totals.charges.decimal() + tax;
        let rest = invoice.totals.gross.decimal() - sum;
        let tolerances = &self.inputs.settings.tolerances;
        let month = self.inputs.history.small_differences.decimal() + rest.abs();
        let (one, all) = (
            tolerances.small_difference_invoice,
            tolerances.small_difference_month,
        );
        let beyond = !rest.is_zero() && (one.exceeded(rest.abs()) || all.exceeded(month));
        let mut of = Compared::new("3W-12", sum.normalize(), invoice.totals.gross);
        of.variance = format!(
            "{} on this invoice, {} this month",
            rest.normalize(),
            month.normalize()
        );
        of.tolerance = format!("{one} and {all}");
        of.at_risk = rest.abs();
        self.held_if(beyond, ExceptionCode::SmallDifference, of);
        Amount::from_decimal(rest)
    }
}

/// What the books compute for a line before they round: its net price has six places.
fn booked(line: &InvoiceLine) -> Decimal {
    net_price(line) * line.qty.decimal()
}

fn net_price(line: &InvoiceLine) -> Decimal {
    match line.discount {
        None => line.unit_price.decimal(),
        Some(_) => six(line
            .net()
            .checked_div(line.qty.decimal())
            .unwrap_or_default()),
    }
}

fn in_order_unit(billed: &InvoiceLine, line: &LineInputs) -> PayableLine {
    let (numerator, denominator) = (line.factor.0.decimal(), line.factor.1.decimal());
    let quantity = billed.qty.decimal() * numerator / denominator;
    let price = net_price(billed) * denominator / numerator;
    let (quantity, price) = (six(quantity), six(price));
    PayableLine {
        line_no: line.line_no.clone(),
        quantity: Quantity::from_decimal(quantity),
        unit_price: UnitPrice::from_decimal(price),
        net: Amount::from_decimal(cents(quantity * price)),
    }
}

/// Six places, half to even: what is kept between one computation and the next.
fn six(value: Decimal) -> Decimal {
    value.round_dp_with_strategy(6, RoundingStrategy::MidpointNearestEven)
}

fn percent_of(difference: Decimal, of: Decimal) -> String {
    if of.is_zero() {
        return if difference.is_zero() {
            "0 %".to_owned()
        } else {
            "infinite %".to_owned()
        };
    }
    let percent = (difference * Decimal::ONE_HUNDRED / of.abs())
        .round_dp_with_strategy(2, RoundingStrategy::MidpointNearestEven);
    format!("{} %", percent.normalize())
}
