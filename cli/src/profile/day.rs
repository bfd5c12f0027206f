//! How days and times are written.

use std::collections::BTreeMap;

use interplant_mapping::extract;
use jiff::civil::Date;
use serde::Serialize;

use super::number::Value;

/// Days as systems write them.
const DAYS: [&str; 14] = [
    "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y",
    "%m-%d-%Y", "%d.%m.%y", "%d/%m/%y", "%m/%d/%y", "%d-%b-%Y", "%d %b %Y",
];

/// Digits alone may be anything: these are days only in a column that is called like one.
const BARE_DAYS: [&str; 3] = ["%y%m%d", "%d%m%y", "%d%m%Y"];

/// The days of a column.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Days {
    /// How they are written, and in how many rows; the most frequent first.
    pub(crate) formats: Vec<(String, u64)>,
    /// Another format that fits all of them as well, with other days.
    pub(crate) ambiguous: Option<String>,
    /// The first, by the first format.
    pub(crate) first: Date,
    /// The last, by the first format.
    pub(crate) last: Date,
    /// Values that are no days, with their rows.
    pub(crate) strays: Vec<(String, u64)>,
    /// Days that rather mean "none" or "for ever", with their rows.
    pub(crate) open_ended: Vec<(String, u64)>,
}

impl Days {
    /// How most of them are written.
    pub(crate) fn format(&self) -> &str {
        self.formats
            .first()
            .map_or("", |(format, _)| format.as_str())
    }

    /// Whether they say the time of day, too.
    pub(crate) fn has_time(&self) -> bool {
        self.format().contains("%H") || self.format().contains("%I")
    }
}

/// Whether day or month comes first in a file's days, as far as columns say so beyond doubt.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Order {
    day_first: bool,
    month_first: bool,
}

impl Order {
    /// Notes what a column says beyond doubt.
    pub(crate) fn note(&mut self, days: &Days) {
        if days.ambiguous.is_none() && days.format().starts_with("%d/") {
            self.day_first = true;
        }
        if days.ambiguous.is_none() && days.format().starts_with("%m/") {
            self.month_first = true;
        }
    }

    fn settles(self, format: &str) -> bool {
        match (self.day_first, self.month_first) {
            (true, false) => format.starts_with("%d"),
            (false, true) => format.starts_with("%m"),
            (true, true) | (false, false) => false,
        }
    }
}

/// The formats in which a text is a day.
fn fits(text: &str, called_so: bool) -> Vec<String> {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    if !(4..=26).contains(&digits) || text.len() > 35 {
        return Vec::new();
    }
    let (day, time) = split(text);
    let Some(time) = time_format(time) else {
        return Vec::new();
    };
    let bare = BARE_DAYS.iter().filter(|_| called_so);
    let all = DAYS.iter().chain(bare);
    let only_digits = day.bytes().all(|byte| byte.is_ascii_digit());
    let is_likely = |year: i16| match only_digits {
        true => (1900..=2100).contains(&year) || year == 9999,
        false => year >= 1000,
    };
    let all = all
        .filter(|format| day_looks_like(day, format))
        .map(|format| format!("{format}{time}"));
    all.filter(|format| extract::day(text, format).is_ok_and(|day| is_likely(day.year())))
        .collect()
}

/// The day and the time behind it.
fn split(text: &str) -> (&str, &str) {
    if text.len() == 14 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.split_at_checked(8).unwrap_or((text, ""));
    }
    let begins_time = |rest: &str| {
        let hour = rest.find(':').and_then(|colon| rest.get(..colon));
        hour.is_some_and(|hour| {
            (1..=2).contains(&hour.len()) && hour.bytes().all(|byte| byte.is_ascii_digit())
        })
    };
    let at = text
        .match_indices([' ', 'T'])
        .find(|(at, _)| text.get(at + 1..).is_some_and(begins_time));
    at.and_then(|(at, _)| text.split_at_checked(at))
        .unwrap_or((text, ""))
}

/// How a time of day is written, with the sign before it.
fn time_format(time: &str) -> Option<String> {
    let Some(first) = time.chars().next() else {
        return Some(String::new());
    };
    if first.is_ascii_digit() {
        return Some("%H%M%S".to_owned());
    }
    let rest = time.get(1..)?;
    let half = rest.to_ascii_uppercase().ends_with(['M']);
    let zoned = rest.ends_with('Z') || rest.contains(['+', '-']);
    let clock = rest.split(['+', '-', 'Z']).next()?;
    let hour = if half { "%I" } else { "%H" };
    let seconds = match (clock.matches(':').count(), clock.contains('.')) {
        (1, false) => "",
        (2, false) => ":%S",
        (2, true) => ":%S%.f",
        _ => return None,
    };
    let end = match (half, zoned) {
        (true, _) => " %p",
        (false, true) => "%:z",
        (false, false) => "",
    };
    Some(format!("{first}{hour}:%M{seconds}{end}"))
}

/// Quick to tell, before it is read exactly.
fn day_looks_like(day: &str, format: &str) -> bool {
    let letters = day.bytes().any(|byte| byte.is_ascii_alphabetic());
    if letters != format.contains("%b") {
        return false;
    }
    let separator = format.chars().nth(2).filter(|c| *c != '%');
    let Some(separator) = separator else {
        let wanted = if format.contains("%Y") { 8 } else { 6 };
        return day.len() == wanted && day.bytes().all(|byte| byte.is_ascii_digit());
    };
    let parts: Vec<&str> = day.split(separator).collect();
    let [first, _, last] = parts.as_slice() else {
        return false;
    };
    if format.starts_with("%Y") {
        first.len() == 4
    } else if format.contains("%Y") {
        last.len() == 4
    } else {
        last.len() == 2 && first.len() <= 2
    }
}

/// The days of a column; nothing when it has none. A few strays are told apart: up to a twentieth of the rows.
pub(crate) fn days(values: &[Value<'_>], order: Order, called_so: bool) -> Option<Days> {
    // Most columns are none: a look at a few tells.
    let tried = values.iter().take(40);
    let hits = tried
        .clone()
        .filter(|(text, ..)| !fits(text, called_so).is_empty());
    if hits.count() * 2 <= tried.len() {
        return None;
    }
    let mut left: Vec<(&str, u64, Vec<String>)> = Vec::new();
    let (mut strays, mut rows, mut stray_rows) = (Vec::new(), 0, 0);
    for (text, count, _) in values {
        rows += count;
        let formats = fits(text, called_so);
        if formats.is_empty() {
            stray_rows += count;
            if strays.len() < 5 {
                strays.push(((*text).to_owned(), *count));
            }
        } else {
            left.push((text, *count, formats));
        }
    }
    if stray_rows * 20 > rows {
        return None;
    }
    let all = left.clone();
    let mut formats: Vec<(String, u64)> = Vec::new();
    let mut ambiguous = None;
    while !left.is_empty() {
        let ranked = rank(&left);
        let (_, most) = ranked.first()?;
        let best: Vec<&String> = ranked
            .iter()
            .take_while(|(_, rows)| rows == most)
            .map(|(format, _)| format)
            .collect();
        let chosen = best
            .iter()
            .find(|format| order.settles(format))
            .or(best.first())?;
        if formats.is_empty() {
            let swapped = |format: &&&String| {
                format.as_str() != chosen.as_str() && format.contains("%Y") == chosen.contains("%Y")
            };
            let settled = best.iter().any(|format| order.settles(format));
            ambiguous = best
                .iter()
                .find(swapped)
                .filter(|_| !settled)
                .map(|format| (*format).clone());
        }
        formats.push(((*chosen).clone(), *most));
        let taken = (*chosen).clone();
        left.retain(|(_, _, formats)| !formats.contains(&taken));
    }
    let main = formats.first().map(|(format, _)| format.clone())?;
    let (mut first, mut last): (Option<Date>, Option<Date>) = (None, None);
    let mut open_ended = Vec::new();
    for (text, count, _) in &all {
        let Ok(day) = extract::day(text, &main) else {
            continue;
        };
        if (1951..2100).contains(&day.year()) {
            first = Some(first.map_or(day, |first| first.min(day)));
            last = Some(last.map_or(day, |last| last.max(day)));
        } else if open_ended.len() < 5 {
            open_ended.push(((*text).to_owned(), *count));
        }
    }
    Some(Days {
        formats,
        ambiguous,
        first: first?,
        last: last?,
        strays,
        open_ended,
    })
}

/// Formats by the rows that they fit, the most first; of equals the one that is more usual.
fn rank(left: &[(&str, u64, Vec<String>)]) -> Vec<(String, u64)> {
    let mut rows_of: BTreeMap<&String, u64> = BTreeMap::new();
    for (_, count, formats) in left {
        for format in formats {
            *rows_of.entry(format).or_default() += count;
        }
    }
    let usual = |format: &String| DAYS.iter().position(|day| format.starts_with(day));
    let mut ranked: Vec<(String, u64)> = rows_of
        .into_iter()
        .map(|(format, rows)| (format.clone(), rows))
        .collect();
    ranked.sort_by_key(|(format, rows)| {
        (
            std::cmp::Reverse(*rows),
            usual(format).unwrap_or(DAYS.len()),
        )
    });
    ranked
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(texts: &[&str]) -> Option<Days> {
        let values: Vec<Value<'_>> = texts.iter().map(|text| (*text, 1, 2)).collect();
        days(&values, Order::default(), false)
    }

    fn format(texts: &[&str]) -> Option<String> {
        of(texts).map(|days| days.format().to_owned())
    }

    #[test]
    fn days_are_told_by_their_writing() {
        for (text, wanted) in [
            ("2026-11-23", "%Y-%m-%d"),
            ("20261123", "%Y%m%d"),
            ("23.11.2026", "%d.%m.%Y"),
            ("23/11/2026", "%d/%m/%Y"),
            ("11/23/2026", "%m/%d/%Y"),
            ("3.4.26", "%d.%m.%y"),
            ("23-Nov-2026", "%d-%b-%Y"),
            ("23 Nov 2026", "%d %b %Y"),
            ("2026-11-23 00:00:00", "%Y-%m-%d %H:%M:%S"),
            ("2026-11-23T08:15", "%Y-%m-%dT%H:%M"),
            ("2026-11-23T08:15:00.250", "%Y-%m-%dT%H:%M:%S%.f"),
            ("2026-11-23T08:15:00+01:00", "%Y-%m-%dT%H:%M:%S%:z"),
            ("20261123081500", "%Y%m%d%H%M%S"),
            ("11/23/2026 8:15 AM", "%m/%d/%Y %I:%M %p"),
        ] {
            assert_eq!(format(&[text]).as_deref(), Some(wanted), "{text}");
        }
        for text in ["4711", "12,50", "2026-13-45", "ABC", "99.99.9999"] {
            assert_eq!(format(&[text]), None, "{text}");
        }
    }

    #[test]
    fn a_day_that_could_be_a_month_is_ambiguous_until_one_row_tells() {
        let days = of(&["03/04/2026", "05/06/2026"]).unwrap();
        assert_eq!(days.format(), "%d/%m/%Y");
        assert_eq!(days.ambiguous.as_deref(), Some("%m/%d/%Y"));
        let days = of(&["03/04/2026", "13/06/2026"]).unwrap();
        assert_eq!(
            (days.format(), days.ambiguous.as_deref()),
            ("%d/%m/%Y", None)
        );
        let days = of(&["03/04/2026", "05/26/2026"]).unwrap();
        assert_eq!(
            (days.format(), days.ambiguous.as_deref()),
            ("%m/%d/%Y", None)
        );
    }

    #[test]
    fn another_column_settles_which_comes_first() {
        let mut order = Order::default();
        order.note(&of(&["05/26/2026"]).unwrap());
        let days = days(&[("03/04/2026", 1, 2)], order, false).unwrap();
        assert_eq!(
            (days.format(), days.ambiguous.as_deref()),
            ("%m/%d/%Y", None)
        );
        assert_eq!(days.first.to_string(), "2026-03-04");
    }

    #[test]
    fn several_writings_and_open_ends_of_one_column_are_told() {
        let days = of(&["2026-11-23", "2026-11-24", "24.11.2026", "9999-12-31"]).unwrap();
        assert_eq!(
            days.formats,
            [("%Y-%m-%d".to_owned(), 3), ("%d.%m.%Y".to_owned(), 1)]
        );
        assert_eq!(days.open_ended, [("9999-12-31".to_owned(), 1)]);
        assert_eq!(days.last.to_string(), "2026-11-24");
    }
}
