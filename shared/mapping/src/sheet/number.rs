//! Numbers, days and times of cells as text, exactly.
//!
//! A workbook keeps numbers as binary floats and writes them with up to 17 digits, 1.1 as `1.1000000000000001`. The
//! number meant is the shortest one that is the same float; spreadsheets show 15 digits, so that one with more was
//! never seen by anybody and is refused. A number of at most 15 digits is what is written: no float is needed.

use jiff::civil::{Date, DateTime, Time, date};
use jiff::{SignedDuration, Span};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

/// Digits that spreadsheets show, and that every float keeps.
const DIGITS: usize = 15;
/// A number whose plain text is longer is no quantity.
const LONGEST: i64 = 40;

/// A decimal by its digits: `0.d1d2d3... * 10^point`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Digits {
    negative: bool,
    /// Without zeros at either end.
    digits: Vec<u8>,
    point: i64,
}

impl Digits {
    fn read(text: &str) -> Option<Self> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i16>().ok()?),
            None => (text, 0),
        };
        let negative = mantissa.starts_with('-');
        let bare = mantissa.strip_prefix(['-', '+']).unwrap_or(mantissa);
        let (whole, rest) = bare.split_once('.').unwrap_or((bare, ""));
        let all: Vec<u8> = whole.bytes().chain(rest.bytes()).collect();
        if all.is_empty() || !all.iter().all(u8::is_ascii_digit) || all.len() > 400 {
            return None;
        }
        let leading = all.iter().take_while(|digit| **digit == b'0').count();
        let mut digits: Vec<u8> = all.into_iter().skip(leading).collect();
        while digits.last() == Some(&b'0') {
            digits.pop();
        }
        let point =
            i64::try_from(whole.len()).ok()? - i64::try_from(leading).ok()? + i64::from(exponent);
        Some(Self {
            negative: negative && !digits.is_empty(),
            point: if digits.is_empty() { 0 } else { point },
            digits,
        })
    }

    fn count(&self) -> i64 {
        i64::try_from(self.digits.len()).unwrap_or(i64::MAX)
    }

    fn decimals(&self) -> i64 {
        (self.count() - self.point).max(0)
    }

    /// Rounded to the digits that spreadsheets show.
    fn shown(mut self) -> Self {
        let up = self.digits.get(DIGITS).is_some_and(|digit| *digit >= b'5');
        self.digits.truncate(DIGITS);
        let mut carry = up;
        for digit in self.digits.iter_mut().rev() {
            if !carry {
                break;
            }
            carry = *digit == b'9';
            *digit = if carry { b'0' } else { *digit + 1 };
        }
        if carry {
            self.digits.insert(0, b'1');
            self.point += 1;
        }
        while self.digits.last() == Some(&b'0') {
            self.digits.pop();
        }
        self
    }

    fn plain(&self) -> Option<String> {
        if self.digits.is_empty() {
            return Some("0".to_owned());
        }
        if self.point > LONGEST || self.decimals() > LONGEST {
            return None;
        }
        let digit = |at: i64| {
            let digit = usize::try_from(at).ok().and_then(|at| self.digits.get(at));
            char::from(digit.copied().unwrap_or(b'0'))
        };
        let mut text = String::new();
        if self.negative {
            text.push('-');
        }
        if self.point <= 0 {
            text.push('0');
        }
        text.extend((0..self.point).map(digit));
        if self.decimals() > 0 {
            text.push('.');
            text.extend((self.point..self.count()).map(digit));
        }
        Some(text)
    }
}

/// The digits of the shortest number that is the same float.
#[expect(
    clippy::disallowed_types,
    reason = "what the workbook keeps is a float; only its shortest text is used"
)]
fn shortest(text: &str) -> Option<Digits> {
    let float: f64 = text.parse().ok()?;
    Digits::read(&format!("{float:e}"))
}

/// A number as it is meant; `decimals` where the configuration says how many it has at most.
pub(super) fn number(text: &str, decimals: Option<u32>) -> Result<String, String> {
    let none = || format!("`{text}` is no number");
    let mut digits = Digits::read(text.trim()).ok_or_else(none)?;
    if digits.digits.len() > DIGITS {
        digits = shortest(text.trim()).ok_or_else(none)?;
    }
    if digits.digits.len() > DIGITS {
        if decimals.is_none() {
            return Err(format!(
                "`{text}` has more than {DIGITS} digits, which no spreadsheet keeps: format the column as text, or name its `decimals` in the feed if it is reckoned"
            ));
        }
        digits = digits.shown();
    }
    if let Some(most) = decimals
        && digits.decimals() > i64::from(most)
    {
        return Err(format!(
            "`{text}` has more than {most} decimals, the `decimals` of its column"
        ));
    }
    digits
        .plain()
        .ok_or_else(|| format!("`{text}` is too large or too small to be written plainly"))
}

/// What a number is shown as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    Number,
    Date,
    DateTime,
    Time,
    /// Hours that do not end at 24.
    Elapsed,
}

/// The first day of a workbook's calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Epoch {
    Y1900,
    Y1904,
}

const MILLISECONDS_OF_DAY: i64 = 86_400_000;

/// A number that is shown as a day or a time.
pub(super) fn moment(text: &str, shown: Shown, epoch: Epoch) -> Result<String, String> {
    let fails = |why: &str| Err(format!("`{text}` is no day or time: {why}"));
    let plain = Digits::read(text.trim()).and_then(|digits| digits.plain());
    let Some(days) = plain.and_then(|plain| Decimal::from_str_exact(&plain).ok()) else {
        return fails("it is no number of days");
    };
    if days.is_sign_negative() && !days.is_zero() {
        return fails("it is before the calendar begins");
    }
    let Some(exact) = days.checked_mul(Decimal::from(MILLISECONDS_OF_DAY)) else {
        return fails("it is too large");
    };
    let whole = exact.round();
    // A float of days is good to a microsecond; what is finer than a millisecond beyond that was meant.
    if (exact - whole).abs() > Decimal::new(1, 2) {
        return fails("it is finer than a millisecond");
    }
    let Some(milliseconds) = whole.to_i64() else {
        return fails("it is too large");
    };
    let day = milliseconds.div_euclid(MILLISECONDS_OF_DAY);
    let rest = SignedDuration::from_millis(milliseconds.rem_euclid(MILLISECONDS_OF_DAY));
    if shown == Shown::Elapsed {
        return Ok(elapsed(milliseconds));
    }
    let time = Time::midnight()
        .checked_add(rest)
        .map_err(|error| error.to_string())?;
    if shown == Shown::Time && day == 0 {
        return Ok(time.to_string());
    }
    let base = match (epoch, day) {
        (Epoch::Y1904, _) => date(1904, 1, 1),
        // The calendar that begins in 1900 has a 29 February 1900, which never was.
        (Epoch::Y1900, 60) => return fails("29 February 1900 never was"),
        (Epoch::Y1900, 61..) => date(1899, 12, 30),
        (Epoch::Y1900, 1..) => date(1899, 12, 31),
        (Epoch::Y1900, _) => return fails("it is before the calendar begins"),
    };
    let Some(day) = Span::new()
        .try_days(day)
        .ok()
        .and_then(|days| base.checked_add(days).ok())
    else {
        return fails("it is after the calendar ends");
    };
    Ok(match shown {
        Shown::Date if time == Time::midnight() => day.to_string(),
        Shown::Number | Shown::Date | Shown::DateTime | Shown::Time | Shown::Elapsed => {
            DateTime::from_parts(day, time).to_string()
        }
    })
}

fn elapsed(milliseconds: i64) -> String {
    let seconds = milliseconds / 1000;
    let text = format!(
        "{:02}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    );
    match milliseconds % 1000 {
        0 => text,
        rest => format!("{text}.{rest:03}").trim_end_matches('0').to_owned(),
    }
}

/// A day, a time or both that is written out.
pub(super) fn written(text: &str) -> Result<String, String> {
    let text = text.trim();
    let whole = text.strip_suffix('Z').unwrap_or(text);
    if !whole.contains('T') && whole.parse::<Date>().is_ok() {
        return Ok(whole.to_owned());
    }
    if whole.contains('T')
        && let Ok(moment) = whole.parse::<DateTime>()
    {
        return Ok(moment.to_string());
    }
    match whole.parse::<Time>() {
        Ok(time) => Ok(time.to_string()),
        Err(_) => Err(format!("`{text}` is no day or time")),
    }
}

/// A time that is written as a duration, `PT10H15M00S`.
pub(super) fn duration(text: &str) -> Result<String, String> {
    let fails = || format!("`{text}` is no time");
    let span: SignedDuration = text.trim().parse().map_err(|_| fails())?;
    if span.is_negative() || span.subsec_nanos() % 1_000_000 != 0 {
        return Err(fails());
    }
    i64::try_from(span.as_millis())
        .map(elapsed)
        .map_err(|_| fails())
}

/// What a number format shows.
pub(super) fn shown_by(format: &str) -> Shown {
    let (mut day, mut clock, mut minute) = (false, false, false);
    let mut letters = format.chars();
    while let Some(letter) = letters.next() {
        match letter.to_ascii_lowercase() {
            ';' => break,
            '"' => {
                letters.find(|letter| *letter == '"');
            }
            '\\' | '_' | '*' => {
                letters.next();
            }
            '[' => {
                let inside: String = letters
                    .by_ref()
                    .take_while(|letter| *letter != ']')
                    .collect();
                let mut units = inside.chars().map(|letter| letter.to_ascii_lowercase());
                if !inside.is_empty() && units.all(|letter| "hms".contains(letter)) {
                    return Shown::Elapsed;
                }
            }
            'd' | 'y' => day = true,
            'h' | 's' => clock = true,
            'm' => minute = true,
            _ => {}
        }
    }
    match (day, clock, minute) {
        (true, true, _) => Shown::DateTime,
        (true, false, _) | (false, false, true) => Shown::Date,
        (false, true, _) => Shown::Time,
        (false, false, false) => Shown::Number,
    }
}

/// What a number format shows that workbooks name by number only.
pub(super) fn shown_by_number(id: u64) -> Shown {
    match id {
        14..=17 | 27..=31 | 36 | 50..=58 => Shown::Date,
        18..=21 | 32..=35 | 45 | 47 => Shown::Time,
        22 => Shown::DateTime,
        46 => Shown::Elapsed,
        _ => Shown::Number,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_the_shortest_that_is_the_same_float() {
        for (text, wanted) in [
            ("7", "7"),
            ("1.1000000000000001", "1.1"),
            ("0.10000000000000001", "0.1"),
            ("1234.56", "1234.56"),
            ("-0.0", "0"),
            ("1E3", "1000"),
            ("1.5e-7", "0.00000015"),
            ("123456789012345", "123456789012345"),
            ("4500000012345670", "4500000012345670"),
            ("-12.300", "-12.3"),
            ("46.063499999999998", "46.0635"),
        ] {
            assert_eq!(number(text, None).as_deref(), Ok(wanted), "{text}");
        }
        for text in [
            "0.30000000000000004",
            "4500000012345678",
            "1e300",
            "NaN",
            "1,5",
            "",
            "0x10",
            "--1",
            "1e99999999",
        ] {
            assert!(number(text, None).is_err(), "{text}");
        }
    }

    #[test]
    fn a_reckoned_number_has_the_decimals_of_its_column_or_is_refused() {
        assert_eq!(number("0.30000000000000004", Some(2)).as_deref(), Ok("0.3"));
        assert_eq!(number("-99.99999999999999", Some(2)).as_deref(), Ok("-100"));
        assert_eq!(
            number("1234.5599999999999", Some(2)).as_deref(),
            Ok("1234.56")
        );
        assert!(number("0.33333333333333331", Some(3)).is_err());
        assert!(number("1.2345", Some(3)).is_err());
    }

    #[test]
    fn days_and_times_are_those_that_are_shown() {
        use Epoch::{Y1900, Y1904};
        use Shown::{Date, DateTime, Elapsed, Time};
        for (text, shown, epoch, wanted) in [
            ("46349", Date, Y1900, "2026-11-23"),
            ("46349.427083333336", Date, Y1900, "2026-11-23T10:15:00"),
            ("46349", DateTime, Y1900, "2026-11-23T00:00:00"),
            ("46349.427083333336", DateTime, Y1900, "2026-11-23T10:15:00"),
            ("44887.427083333336", DateTime, Y1904, "2026-11-23T10:15:00"),
            ("0.42708333333333331", Time, Y1900, "10:15:00"),
            ("1.1041666666666667", Elapsed, Y1900, "26:30:00"),
            ("59", Date, Y1900, "1900-02-28"),
            ("61", Date, Y1900, "1900-03-01"),
            (
                "46349.42708501157",
                DateTime,
                Y1900,
                "2026-11-23T10:15:00.145",
            ),
        ] {
            assert_eq!(moment(text, shown, epoch).as_deref(), Ok(wanted), "{text}");
        }
        for text in ["60", "-1", "0", "2958466", "46349.4270833", "x", "1e30"] {
            assert!(moment(text, Date, Y1900).is_err(), "{text}");
        }
        assert_eq!(duration("PT10H15M00S").as_deref(), Ok("10:15:00"));
        assert_eq!(duration("PT26H30M").as_deref(), Ok("26:30:00"));
        assert_eq!(
            written("2026-11-23T10:15:00").as_deref(),
            Ok("2026-11-23T10:15:00")
        );
        assert_eq!(written("2026-11-23").as_deref(), Ok("2026-11-23"));
        assert!(written("2026-11-31").is_err());
    }

    #[test]
    fn a_format_tells_days_and_times_from_numbers() {
        for (format, wanted) in [
            ("dd\\.mm\\.yyyy", Shown::Date),
            ("[$-407]d/ mmmm yyyy;@", Shown::Date),
            ("yyyy-mm-dd hh:mm", Shown::DateTime),
            ("mm:ss", Shown::Time),
            ("h:mm AM/PM", Shown::Time),
            ("[h]:mm:ss", Shown::Elapsed),
            ("General", Shown::Number),
            ("0.00E+00", Shown::Number),
            ("#,##0.00 \"Std\"", Shown::Number),
            ("[Red]-0.00;0.00", Shown::Number),
            ("0_d", Shown::Number),
        ] {
            assert_eq!(shown_by(format), wanted, "{format}");
        }
    }
}
