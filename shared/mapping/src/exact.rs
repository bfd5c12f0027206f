//! Exact decimals and honest dates for mappings: what JSONata itself would do in binary floats, or guess.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use rust_decimal::{Decimal, RoundingStrategy};

/// A number as a plant writes it.
///
/// # Errors
/// When it is none, in words.
pub(crate) fn decimal(text: &str, point: char, group: Option<char>) -> Result<Decimal, String> {
    let fails = || {
        let groups = group.map_or_else(String::new, |group| {
            format!(" and `{group}` between thousands")
        });
        format!("`{text}` is no number with `{point}` before its decimals{groups}")
    };
    let bare = text.trim();
    // Legacy systems put the sign behind.
    let (negative, digits) = match (bare.strip_prefix('-'), bare.strip_suffix('-')) {
        (Some(rest), _) | (None, Some(rest)) => (true, rest),
        (None, None) => (false, bare.strip_prefix('+').unwrap_or(bare)),
    };
    let (whole, decimals) = digits.split_once(point).unwrap_or((digits, ""));
    let plain = match group {
        Some(group) if whole.contains(group) => {
            let parts: Vec<&str> = whole.split(group).collect();
            let first = parts.first().map_or(0, |part| part.len());
            if !(1..=3).contains(&first) || parts.iter().skip(1).any(|part| part.len() != 3) {
                return Err(fails());
            }
            parts.concat()
        }
        _ => whole.to_owned(),
    };
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let has_point = digits.contains(point);
    if plain.is_empty()
        || !all_digits(&plain)
        || !all_digits(decimals)
        || (has_point && decimals.is_empty())
    {
        return Err(fails());
    }
    let canonical = if has_point {
        format!("{plain}.{}", decimals.trim_end_matches('0'))
    } else {
        plain
    };
    let number = Decimal::from_str_exact(canonical.trim_end_matches('.'))
        .map_err(|_| format!("`{text}` has more digits than can be kept exactly"))?;
    Ok(if negative { -number } else { number }.normalize())
}

/// The quotient, exact to so many places.
///
/// # Errors
/// When it would have to be rounded, or nothing can be divided by it.
pub(crate) fn divide(a: Decimal, b: Decimal, places: u32) -> Result<Decimal, String> {
    let quotient = a
        .checked_div(b)
        .ok_or_else(|| format!("{a} cannot be divided by {b}"))?;
    Ok(round(quotient, places))
}

/// Rounded, half away from zero as people and Odoo do.
pub(crate) fn round(value: Decimal, places: u32) -> Decimal {
    value
        .round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero)
        .normalize()
}

/// The number whose point stands so many digits further left: where a plant writes `000012345` for 123.45.
pub(crate) fn shift(value: Decimal, places: u32) -> Option<Decimal> {
    let mut shifted = value.normalize();
    shifted
        .set_scale(shifted.scale().checked_add(places)?)
        .ok()?;
    Some(shifted.normalize())
}

/// A day as a plant writes it.
///
/// # Errors
/// When it is none, in words.
pub(crate) fn day(text: &str, format: &str) -> Result<Date, String> {
    strtime::parse(format, text.trim())
        .and_then(|parsed| parsed.to_date())
        .map_err(|error| format!("`{text}` is no day as `{format}` says: {error}"))
}

/// A moment as a plant writes it, with the offset of its time zone.
///
/// # Errors
/// When it is none, or when clocks were put forward over it or showed it twice.
pub(crate) fn moment(text: &str, format: &str, zone: &str) -> Result<String, String> {
    let fails = |error: jiff::Error| format!("`{text}` is no moment as `{format}` says: {error}");
    let parsed = strtime::parse(format, text.trim()).map_err(fails)?;
    let local: DateTime = parsed
        .to_datetime()
        .or_else(|_| parsed.to_date().map(|date| date.at(0, 0, 0, 0)))
        .map_err(fails)?;
    let zone_found = TimeZone::get(zone)
        .map_err(|_| format!("`{zone}` is no time zone, such as Europe/Berlin"))?;
    let moment = zone_found
        .to_ambiguous_zoned(local)
        .unambiguous()
        .map_err(|_| {
            format!("`{text}` is not one moment in {zone}: clocks were changed then; send the time with its offset")
        })?;
    Ok(moment.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string())
}

/// A number as a plant writes it, with so many places or with those that it has.
///
/// # Errors
/// When it would have to be rounded for that.
pub(crate) fn written(value: Decimal, point: char, places: Option<u32>) -> Result<String, String> {
    let value = value.normalize();
    let text = match places {
        None => value.to_string(),
        Some(places) if value.scale() > places => {
            return Err(format!(
                "{value} has more than {places} places: round it by $dec_round where that is meant"
            ));
        }
        Some(places) => format!("{value:.*}", places as usize),
    };
    Ok(text.replace('.', &point.to_string()))
}

/// A day of an event as a plant writes it.
///
/// # Errors
/// When it is none, or the format asks for more than a day.
pub(crate) fn day_as(text: &str, format: &str) -> Result<String, String> {
    let day: Date = text
        .parse()
        .map_err(|error| format!("`{text}` is no day: {error}"))?;
    strtime::format(format, day)
        .map_err(|error| format!("`{format}` is no format of a day: {error}"))
}

/// A moment of an event as a plant writes it, in its time zone.
///
/// # Errors
/// When it is none, or the format is none.
pub(crate) fn moment_as(text: &str, format: &str, zone: &str) -> Result<String, String> {
    let moment: Timestamp = text
        .parse()
        .map_err(|error| format!("`{text}` is no moment: {error}"))?;
    let zone = TimeZone::get(zone)
        .map_err(|_| format!("`{zone}` is no time zone, such as Europe/Berlin"))?;
    strtime::format(format, &moment.to_zoned(zone))
        .map_err(|error| format!("`{format}` is no format of a moment: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact_or_refused() {
        let right = [
            ("50.26", '.', None, "50.26"),
            (" 1.234,50 ", ',', Some('.'), "1234.5"),
            ("-0.00", '.', None, "0"),
            ("12.50-", '.', None, "-12.5"),
            ("+7", '.', None, "7"),
            ("0.1000000000000000000000000000", '.', None, "0.1"),
            ("1 234 567", '.', Some(' '), "1234567"),
        ];
        for (text, point, group, wanted) in right {
            assert_eq!(
                decimal(text, point, group).map(|number| number.to_string()),
                Ok(wanted.to_owned()),
                "{text}"
            );
        }
        for (text, point, group) in [
            ("1,5", '.', None),
            ("1.2.3", '.', None),
            ("12,34.5", '.', Some(',')),
            ("", '.', None),
            ("1e3", '.', None),
            ("1.", '.', None),
            ("٣", '.', None),
            ("99999999999999999999999999999999", '.', None),
        ] {
            assert!(decimal(text, point, group).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_written_is_exact_or_refused() {
        let number = |text| decimal(text, '.', None).unwrap();
        assert_eq!(
            written(number("1234.50"), ',', None),
            Ok("1234,5".to_owned())
        );
        assert_eq!(written(number("-7"), '.', Some(2)), Ok("-7.00".to_owned()));
        assert!(written(number("0.125"), '.', Some(2)).is_err());
        assert_eq!(
            day_as("2026-12-31", "%d.%m.%Y"),
            Ok("31.12.2026".to_owned())
        );
        assert!(day_as("31.12.2026", "%Y").is_err());
        assert!(day_as("2026-12-31", "%H").is_err());
        assert_eq!(
            moment_as("2026-12-31T23:30:00Z", "%Y%m%d%H%M", "Europe/Berlin"),
            Ok("202701010030".to_owned())
        );
        assert!(moment_as("2026-12-31", "%Y", "UTC").is_err());
    }

    #[test]
    fn a_point_that_is_implied_is_put_where_it_stands() {
        for (text, places, wanted) in [
            ("000012345", 2, Some("123.45")),
            ("-7", 3, Some("-0.007")),
            ("1200", 2, Some("12")),
            ("1.5", 1, Some("0.15")),
            ("0", 20, Some("0")),
            (
                "79228162514264337593543950335",
                0,
                Some("79228162514264337593543950335"),
            ),
            ("0.1234567890123456789", 15, None),
        ] {
            let number = decimal(text, '.', None).unwrap();
            let shifted = shift(number, places).map(|number| number.to_string());
            assert_eq!(shifted.as_deref(), wanted, "{text}");
        }
    }

    #[test]
    fn a_moment_that_is_none_or_two_is_refused() {
        let format = "%Y-%m-%d %H:%M:%S";
        assert_eq!(
            moment("2026-07-01 08:00:00", format, "Europe/Berlin").as_deref(),
            Ok("2026-07-01T08:00:00+02:00")
        );
        assert_eq!(
            moment("2026-07-01", "%Y-%m-%d", "UTC").as_deref(),
            Ok("2026-07-01T00:00:00+00:00")
        );
        for text in [
            "2026-03-29 02:30:00",
            "2026-10-25 02:30:00",
            "2026-02-30 08:00:00",
        ] {
            assert!(moment(text, format, "Europe/Berlin").is_err(), "{text}");
        }
        assert_eq!(
            day("31.12.2026", "%d.%m.%Y").map(|day| day.to_string()),
            Ok("2026-12-31".to_owned())
        );
        assert!(day("2026-02-30", "%Y-%m-%d").is_err());
    }
}
