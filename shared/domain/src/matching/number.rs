//! When two invoices have the same number, and when a wait is over.

use jiff::civil::{Date, Weekday};

use crate::fact::Day;

/// An invoice's number without what differs from one spelling to another: letters in capitals, digits
/// without leading zeros, nothing else. `INV-0012/26`, `inv 12.26` and `Inv12-026` are one.
///
/// A run of digits stays apart from the next one, or `1-12` and `11-2` would be the same number.
#[must_use]
pub fn normalise_invoice_number(number: &str) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut run = String::new();
    let mut digits = false;
    let end = |run: &mut String, digits: bool, parts: &mut Vec<String>| {
        if run.is_empty() {
            return;
        }
        let text = if digits {
            let short = run.trim_start_matches('0');
            if short.is_empty() { "0" } else { short }.to_owned()
        } else {
            run.clone()
        };
        parts.push(text);
        run.clear();
    };
    for letter in number.chars().flat_map(char::to_uppercase) {
        if !letter.is_alphanumeric() {
            // Letters on both sides of a sign are one word in another spelling; digits are not.
            if digits {
                end(&mut run, digits, &mut parts);
            }
            continue;
        }
        if letter.is_ascii_digit() != digits {
            end(&mut run, digits, &mut parts);
            digits = letter.is_ascii_digit();
        }
        run.push(letter);
    }
    end(&mut run, digits, &mut parts);
    parts.join(" ")
}

/// The fiscal year of a day, named by the calendar year in which it begins.
#[must_use]
pub fn fiscal_year(day: Day, first_month: u8) -> i16 {
    let begins = i8::try_from(first_month.clamp(1, 12)).unwrap_or(1);
    if day.0.month() < begins {
        day.0.year() - 1
    } else {
        day.0.year()
    }
}

/// The day that lies so many days from Monday to Friday behind another one.
#[must_use]
pub fn business_days_after(from: Date, days: u16) -> Date {
    let mut day = from;
    let mut left = days;
    while left > 0 {
        // The calendar ends in the year 9999.
        let Ok(next) = day.tomorrow() else {
            return day;
        };
        day = next;
        if !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) {
            left -= 1;
        }
    }
    day
}
