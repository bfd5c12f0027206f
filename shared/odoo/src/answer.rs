//! What Odoo sends: records whose values are looked at before they are believed.

use interplant_domain::fact::Day;
use interplant_domain::json::Json;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use rust_decimal::{Decimal, RoundingStrategy};

use crate::error::Error;

/// Decimal places to which Odoo's binary floats are read: `2.3000000000000003` is 2.3.
pub(crate) const PLACES: u32 = 9;

/// A record of an answer, with the name under which an error mentions it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Record<'a> {
    model: &'static str,
    json: &'a Json,
}

impl<'a> Record<'a> {
    pub(crate) fn new(model: &'static str, json: &'a Json) -> Self {
        Self { model, json }
    }

    pub(crate) fn wrong(&self, field: &str, expected: &str) -> Error {
        Error::unexpected(format!("{} of {} is not {expected}", field, self.model))
    }

    fn get(&self, field: &str) -> Result<&'a Json, Error> {
        self.json
            .get(field)
            .ok_or_else(|| self.wrong(field, "in the answer"))
    }

    pub(crate) fn id(&self) -> Result<i64, Error> {
        self.get("id")?
            .as_i64()
            .filter(|id| *id > 0)
            .ok_or_else(|| self.wrong("id", "an id"))
    }

    pub(crate) fn flag(&self, field: &str) -> Result<bool, Error> {
        self.get(field)?
            .as_bool()
            .ok_or_else(|| self.wrong(field, "true or false"))
    }

    /// A text; Odoo writes `false` for none.
    pub(crate) fn text(&self, field: &str) -> Result<Option<&'a str>, Error> {
        match self.get(field)? {
            Json::String(text) => Ok(Some(text)),
            Json::Bool(false) => Ok(None),
            Json::Null | Json::Bool(true) | Json::Number(_) | Json::Array(_) | Json::Object(_) => {
                Err(self.wrong(field, "a text"))
            }
        }
    }

    /// A word of a selection.
    pub(crate) fn word(&self, field: &str) -> Result<&'a str, Error> {
        self.text(field)?.ok_or_else(|| self.wrong(field, "set"))
    }

    pub(crate) fn decimal(&self, field: &str) -> Result<Decimal, Error> {
        self.get(field)?
            .as_number()
            .and_then(decimal)
            .ok_or_else(|| self.wrong(field, "a number"))
    }

    /// The id of a many2one: bare, `[id, name]`, `{"id": …}`, or `false`.
    pub(crate) fn link(&self, field: &str) -> Result<Option<i64>, Error> {
        let value = self.get(field)?;
        let id = match value {
            Json::Bool(false) => return Ok(None),
            Json::Array(pair) => pair.first().and_then(Json::as_i64),
            Json::Object(_) => value.get("id").and_then(Json::as_i64),
            Json::Null | Json::Bool(true) | Json::Number(_) | Json::String(_) => value.as_i64(),
        };
        id.map(Some).ok_or_else(|| self.wrong(field, "a link"))
    }

    pub(crate) fn linked(&self, field: &str) -> Result<i64, Error> {
        self.link(field)?.ok_or_else(|| self.wrong(field, "set"))
    }

    /// A linked record that was read along.
    pub(crate) fn inside(&self, field: &str, model: &'static str) -> Result<Record<'a>, Error> {
        let json = self.get(field)?;
        if json.as_object().is_none() {
            return Err(self.wrong(field, "a record"));
        }
        Ok(Record { model, json })
    }

    /// The ids of a to-many relation.
    pub(crate) fn links(&self, field: &str) -> Result<Vec<i64>, Error> {
        let items = self.get(field)?.as_array();
        let ids = items.and_then(|items| items.iter().map(Json::as_i64).collect());
        ids.ok_or_else(|| self.wrong(field, "a list of ids"))
    }

    pub(crate) fn records(
        &self,
        field: &str,
        model: &'static str,
    ) -> Result<impl Iterator<Item = Record<'a>> + use<'a>, Error> {
        let items = self
            .get(field)?
            .as_array()
            .ok_or_else(|| self.wrong(field, "a list"))?;
        Ok(items.iter().map(move |json| Record { model, json }))
    }

    pub(crate) fn day(&self, field: &str) -> Result<Option<Day>, Error> {
        self.text(field)?
            .map(|text| {
                text.parse()
                    .map(Day)
                    .map_err(|_| self.wrong(field, "a date"))
            })
            .transpose()
    }

    /// A moment; Odoo writes UTC as `YYYY-MM-DD HH:MM:SS`.
    pub(crate) fn moment(&self, field: &str) -> Result<Option<Timestamp>, Error> {
        let Some(text) = self.text(field)? else {
            return Ok(None);
        };
        let moment = text
            .parse::<DateTime>()
            .ok()
            .and_then(|at| TimeZone::UTC.to_timestamp(at).ok());
        moment
            .map(Some)
            .ok_or_else(|| self.wrong(field, "a moment"))
    }
}

/// The only record of an answer, or none when Odoo does not have it.
pub(crate) fn only<'a>(model: &'static str, answer: &'a Json) -> Result<Option<Record<'a>>, Error> {
    match answer.as_array() {
        Some([]) => Ok(None),
        Some([record]) => Ok(Some(Record::new(model, record))),
        Some(_) | None => Err(Error::unexpected(format!(
            "one record of {model} was asked for"
        ))),
    }
}

/// A float by its literal text, rounded half-even to [`PLACES`].
///
/// Python writes `1e-05` and `1e+16` for small and large ones.
pub(crate) fn decimal(literal: &str) -> Option<Decimal> {
    let exact = match literal.split_once(['e', 'E']) {
        None => within(literal)?,
        Some((digits, exponent)) => {
            let exponent: i32 = exponent.parse().ok()?;
            let value = within(digits)?;
            if exponent < 0 {
                let shift = u32::try_from(exponent.checked_neg()?).ok()?;
                // Below a tenth of the last place nothing is left to round.
                if shift > PLACES + 2 {
                    return Some(Decimal::ZERO);
                }
                let mut small = value.round_dp(27 - shift);
                small.set_scale(small.scale() + shift).ok()?;
                small
            } else {
                let power = 10_i128.checked_pow(u32::try_from(exponent).ok()?)?;
                value.checked_mul(Decimal::try_from_i128_with_scale(power, 0).ok()?)?
            }
        }
    };
    Some(
        exact
            .round_dp_with_strategy(PLACES, RoundingStrategy::MidpointNearestEven)
            .normalize(),
    )
}

/// Plain digits with a point. A float has at most 17 that mean anything; what is beyond 28 is cut.
fn within(digits: &str) -> Option<Decimal> {
    Decimal::from_str_exact(digits)
        .or_else(|_| digits.parse())
        .ok()
}

/// The text of an HTML field: without tags, entities resolved.
pub(crate) fn plain(html: &str) -> String {
    let mut text = String::new();
    let mut inside = false;
    for c in html.chars() {
        match c {
            '<' => inside = true,
            '>' if inside => inside = false,
            _ if inside => {}
            _ => text.push(c),
        }
    }
    let entities = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&nbsp;", " "),
        ("\u{a0}", " "),
        ("&amp;", "&"),
    ];
    let resolved = entities
        .into_iter()
        .fold(text, |text, (entity, c)| text.replace(entity, c));
    resolved.trim().to_owned()
}

/// Text of ours for an HTML field.
pub(crate) fn as_html(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use interplant_domain::json::parse;

    #[test]
    fn a_float_is_read_by_its_text() {
        for (literal, value) in [
            ("2.3000000000000003", "2.3"),
            ("5.0", "5"),
            ("-0.0", "0"),
            ("1e-05", "0.00001"),
            ("1.2345e-05", "0.000012345"),
            ("4.9e-10", "0"),
            ("1.5e-09", "0.000000002"),
            ("2.5e-09", "0.000000002"),
            ("5e-324", "0"),
            ("1e+16", "10000000000000000"),
            ("1234567890123456.78", "1234567890123456.78"),
            ("0.1234567890123456789012345678901234", "0.123456789"),
        ] {
            assert_eq!(
                decimal(literal).map(|d| d.to_string()).as_deref(),
                Some(value),
                "{literal}"
            );
        }
        for literal in ["1e400", "1e+9999999999", "NaN", ""] {
            assert_eq!(decimal(literal), None, "{literal}");
        }
    }

    #[test]
    fn a_value_of_another_kind_is_not_believed() {
        let json = parse(br#"{"id": "7", "name": 3, "state": false, "qty": "5", "partner_id": [11, "Acme"], "open": 1, "at": "2026-11-23 08:30:00"}"#).unwrap();
        let record = Record::new("x.y", &json);
        assert!(
            record.id().is_err() && record.text("name").is_err() && record.word("state").is_err()
        );
        assert!(
            record.decimal("qty").is_err()
                && record.flag("open").is_err()
                && record.text("missing").is_err()
        );
        assert_eq!(record.link("partner_id").unwrap(), Some(11));
        assert_eq!(
            record.moment("at").unwrap().unwrap().to_string(),
            "2026-11-23T08:30:00Z"
        );
        assert_eq!(
            record.wrong("qty", "a number").to_string(),
            "Odoo answered something unexpected: qty of x.y is not a number"
        );
    }

    #[test]
    fn a_note_survives_the_way_through_html() {
        let note = "interplant:po/b/1:R<1> & 'x'";
        assert_eq!(plain(&format!("<p>{}</p>", as_html(note))), note);
        assert_eq!(plain("<p>a</p><script>b"), "ab");
    }
}
