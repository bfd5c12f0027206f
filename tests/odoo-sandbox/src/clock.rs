//! The sandbox's clock: the system's, or a fixed moment for tests that compare dates.

use jiff::civil::{Date, DateTime};

/// Where the sandbox takes the time from.
#[derive(Debug, Clone, Copy, Default)]
pub enum Clock {
    /// The system clock, in UTC.
    #[default]
    System,
    /// Always this moment, in UTC.
    Fixed(DateTime),
}

impl Clock {
    pub(crate) fn now(self) -> DateTime {
        match self {
            #[expect(
                clippy::disallowed_methods,
                reason = "the one place where the sandbox reads the system clock"
            )]
            Self::System => jiff::tz::TimeZone::UTC.to_datetime(jiff::Timestamp::now()),
            Self::Fixed(at) => at,
        }
    }
}

/// As Odoo writes a moment: UTC, seconds, no zone.
pub(crate) fn stamp(at: DateTime) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

pub(crate) fn day(date: Date) -> String {
    date.strftime("%Y-%m-%d").to_string()
}

/// A date as Odoo takes it: `2026-11-23`, or a moment of which the time is dropped.
pub(crate) fn parse_day(text: &str) -> Option<Date> {
    text.get(..10).unwrap_or(text).parse().ok()
}

/// A moment as Odoo takes it: `2026-11-23 08:00:00`, with `T` or a bare date accepted.
pub(crate) fn parse_stamp(text: &str) -> Option<DateTime> {
    let plain = text.trim_end_matches('Z').replace('T', " ");
    match plain.split_once(' ') {
        Some((date, time)) => {
            let date: Date = date.parse().ok()?;
            let time: jiff::civil::Time = time.split('.').next()?.parse().ok()?;
            Some(date.to_datetime(time))
        }
        None => plain.parse::<Date>().ok().map(|date| date.at(0, 0, 0, 0)),
    }
}
