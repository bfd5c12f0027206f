//! A match in words, for the accountant who reads it beside the bill.

use std::fmt::Write as _;

use super::{Check, Evaluation, Verdict};
use crate::fact::Code;

impl Verdict {
    fn word(self) -> &'static str {
        match self {
            Self::Matched => "matched",
            Self::Released => "released",
            Self::Warned => "warning",
            Self::Awaiting => "waits",
            Self::Held => "held",
            Self::Rejected => "rejected",
        }
    }
}

impl Check {
    /// The comparison in a sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let mut text = match words(&self.rule) {
            Some(words) => format!("{words} ({})", self.rule),
            None => self.rule.clone(),
        };
        if let Some(line) = &self.line {
            let _infallible = write!(text, ", {line}");
        }
        let _infallible = write!(text, ": {} against {}", self.actual, self.expected);
        if !self.variance.is_empty() {
            let _infallible = write!(text, ", difference {}", self.variance);
        }
        if !self.tolerance.is_empty() {
            let _infallible = write!(text, " (tolerance {})", self.tolerance);
        }
        text
    }
}

impl Evaluation {
    /// The whole match: what was compared, what came of it and what it waits for.
    #[must_use]
    pub fn explanation(&self, invoice: &Code, order: &Code) -> String {
        let mut text = format!(
            "Invoice {invoice}, order {order}: {}\nRules {}, inputs {}\n",
            self.result.word(),
            self.rule_version,
            self.inputs_hash
        );
        for check in &self.checks {
            let _infallible = write!(text, "{:<9} {}", check.verdict.word(), check.sentence());
            if let Some(code) = check.code {
                let _infallible = write!(
                    text,
                    " -> {code}, {} at risk, {} decides: {}",
                    check.amount_at_risk,
                    code.owner(),
                    code.next_step()
                );
            }
            text.push('\n');
        }
        if !self.small_difference.is_zero() {
            let _infallible = writeln!(
                text,
                "A small difference of {} is booked apart.",
                self.small_difference
            );
        }
        text
    }
}

/// What a rule compares, as people call it.
fn words(rule: &str) -> Option<&'static str> {
    Some(match rule {
        "3W-3" => "unit price against the order",
        "3W-4" => "line value invoiced in all against the order",
        "3W-5" => "quantity invoiced in all against what may be paid",
        "3W-6" => "quantity invoiced in all, nothing received",
        "3W-7" => "quantity invoiced in all, part of it held or rejected",
        "3W-8" => "quantity invoiced in all against the order",
        "3W-9" => "charge against what was agreed",
        "3W-10" | "3W-10 line" => "tax against its code",
        "3W-11" => "lines against the invoice's own total",
        "3W-12" => "the invoice's total against the sum as booked",
        "3W-13" => "all invoices against the order's value",
        _ => return None,
    })
}
