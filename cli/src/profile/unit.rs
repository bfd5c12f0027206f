//! Units of measure: the codes of UN/ECE Recommendation 20 that trade in goods uses, and what systems write instead.

use std::collections::BTreeMap;

use serde::Serialize;

use super::number::Value;

/// A code of Recommendation 20 (of 21 those that begin with X), what it is, and the unit that Odoo comes with.
struct Known(&'static str, &'static str, Option<&'static str>);

const KNOWN: [Known; 104] = [
    Known("C62", "one", Some("uom.product_uom_unit")),
    Known("H87", "piece", Some("uom.product_uom_unit")),
    Known("EA", "each", Some("uom.product_uom_unit")),
    Known("PR", "pair", None),
    Known("SET", "set", None),
    Known("KT", "kit", None),
    Known("DZN", "dozen", Some("uom.product_uom_dozen")),
    Known("DZP", "dozen pack", None),
    Known("DPR", "dozen pair", None),
    Known("GRO", "gross", None),
    Known("CEN", "hundred", None),
    Known("MIL", "thousand", None),
    Known("T3", "thousand piece", None),
    Known("NPR", "number of pairs", None),
    Known("NMP", "number of packs", None),
    Known("NAR", "number of articles", None),
    Known("NIU", "number of international units", None),
    Known("LS", "lump sum", None),
    Known("E48", "service unit", None),
    Known("ST", "sheet", None),
    Known("RM", "ream", None),
    Known("MGM", "milligram", None),
    Known("GRM", "gram", Some("uom.product_uom_gram")),
    Known("HGM", "hectogram", None),
    Known("KGM", "kilogram", Some("uom.product_uom_kgm")),
    Known("DTN", "decitonne", None),
    Known("TNE", "tonne", Some("uom.product_uom_ton")),
    Known("LBR", "pound", Some("uom.product_uom_lb")),
    Known("ONZ", "ounce", Some("uom.product_uom_oz")),
    Known("STN", "short ton", None),
    Known("LTN", "long ton", None),
    Known("CWA", "hundredweight (US)", None),
    Known("4H", "micrometre", None),
    Known("MMT", "millimetre", Some("uom.product_uom_millimeter")),
    Known("CMT", "centimetre", Some("uom.product_uom_cm")),
    Known("DMT", "decimetre", None),
    Known("MTR", "metre", Some("uom.product_uom_meter")),
    Known("KMT", "kilometre", Some("uom.product_uom_km")),
    Known("INH", "inch", Some("uom.product_uom_inch")),
    Known("FOT", "foot", Some("uom.product_uom_foot")),
    Known("YRD", "yard", Some("uom.product_uom_yard")),
    Known("SMI", "mile", Some("uom.product_uom_mile")),
    Known("MMK", "square millimetre", None),
    Known("CMK", "square centimetre", None),
    Known("DMK", "square decimetre", None),
    Known("MTK", "square metre", None),
    Known("HAR", "hectare", None),
    Known("INK", "square inch", None),
    Known("FTK", "square foot", None),
    Known("YDK", "square yard", None),
    Known("MLT", "millilitre", None),
    Known("CLT", "centilitre", None),
    Known("DLT", "decilitre", None),
    Known("LTR", "litre", Some("uom.product_uom_litre")),
    Known("HLT", "hectolitre", None),
    Known("MMQ", "cubic millimetre", None),
    Known("CMQ", "cubic centimetre", None),
    Known("DMQ", "cubic decimetre", None),
    Known("MTQ", "cubic metre", Some("uom.product_uom_cubic_meter")),
    Known("INQ", "cubic inch", Some("uom.product_uom_cubic_inch")),
    Known("FTQ", "cubic foot", Some("uom.product_uom_cubic_foot")),
    Known("YDQ", "cubic yard", None),
    Known("GLL", "gallon (US)", Some("uom.product_uom_gal")),
    Known("GLI", "gallon (UK)", None),
    Known("QTL", "quart (US)", Some("uom.product_uom_qt")),
    Known("PTL", "pint (US)", None),
    Known("OZA", "fluid ounce (US)", Some("uom.product_uom_floz")),
    Known("BLL", "barrel (US)", None),
    Known("BFT", "board foot", None),
    Known("SEC", "second", None),
    Known("MIN", "minute", None),
    Known("HUR", "hour", Some("uom.product_uom_hour")),
    Known("DAY", "day", Some("uom.product_uom_day")),
    Known("WEE", "week", None),
    Known("MON", "month", None),
    Known("ANN", "year", None),
    Known("JOU", "joule", None),
    Known("KJO", "kilojoule", None),
    Known("WTT", "watt", None),
    Known("KWT", "kilowatt", None),
    Known("KWH", "kilowatt hour", None),
    Known("MWH", "megawatt hour", None),
    Known("AMP", "ampere", None),
    Known("VLT", "volt", None),
    Known("CEL", "degree Celsius", None),
    Known("KEL", "kelvin", None),
    Known("BAR", "bar", None),
    Known("PAL", "pascal", None),
    Known("P1", "percent", None),
    Known("59", "part per million", None),
    Known("KMQ", "kilogram per cubic metre", None),
    Known("XBG", "bag", None),
    Known("XBO", "bottle", None),
    Known("XBX", "box", None),
    Known("XCA", "can", None),
    Known("XCS", "case", None),
    Known("XCT", "carton", None),
    Known("XDR", "drum", None),
    Known("XPK", "package", None),
    Known("XPX", "pallet", None),
    Known("XRO", "roll", None),
    Known("XRL", "reel", None),
    Known("XSA", "sack", None),
    Known("XTU", "tube", None),
];

/// What systems write, in upper case, and the code that is meant.
const WRITTEN: [(&str, &str); 66] = [
    ("PCE", "H87"),
    ("PCS", "H87"),
    ("PC", "H87"),
    ("PIECE", "H87"),
    ("STK", "H87"),
    ("STUECK", "H87"),
    ("STCK", "H87"),
    ("STÜCK", "H87"),
    ("PZ", "H87"),
    ("PZ.", "H87"),
    ("NR", "H87"),
    ("N", "H87"),
    ("PCE.", "H87"),
    ("UN", "H87"),
    ("UND", "H87"),
    ("UNI", "H87"),
    ("UNIT", "H87"),
    ("U", "H87"),
    ("SZT", "H87"),
    ("KS", "H87"),
    ("DB", "H87"),
    ("EACH", "EA"),
    ("EACHES", "EA"),
    ("DZ", "DZN"),
    ("DOZ", "DZN"),
    ("DTZ", "DZN"),
    ("PAA", "PR"),
    ("PAAR", "PR"),
    ("PAIO", "PR"),
    ("CP", "PR"),
    ("KG", "KGM"),
    ("G", "GRM"),
    ("GR", "GRM"),
    ("MG", "MGM"),
    ("T", "TNE"),
    ("TO", "TNE"),
    ("TON", "TNE"),
    ("LB", "LBR"),
    ("LBS", "LBR"),
    ("OZ", "ONZ"),
    ("HG", "HGM"),
    ("MM", "MMT"),
    ("CM", "CMT"),
    ("M", "MTR"),
    ("MT", "MTR"),
    ("ML", "MLT"),
    ("KM", "KMT"),
    ("IN", "INH"),
    ("FT", "FOT"),
    ("M2", "MTK"),
    ("MQ", "MTK"),
    ("QM", "MTK"),
    ("M²", "MTK"),
    ("M3", "MTQ"),
    ("MC", "MTQ"),
    ("CBM", "MTQ"),
    ("L", "LTR"),
    ("LT", "LTR"),
    ("GAL", "GLL"),
    ("H", "HUR"),
    ("HR", "HUR"),
    ("STD", "HUR"),
    ("CTN", "XCT"),
    ("PAK", "XPK"),
    ("CAN", "XCA"),
    ("CASE", "XCS"),
];

/// The unit that Odoo has for what a system writes, with the code that is meant.
pub(crate) fn meant(text: &str) -> Option<(&'static str, &'static str, Option<&'static str>)> {
    let upper = text.to_uppercase();
    let code = WRITTEN
        .iter()
        .find(|(written, _)| *written == upper)
        .map_or(upper.as_str(), |(_, code)| code);
    let known = KNOWN.iter().find(|known| known.0 == code)?;
    Some((known.0, known.1, known.2))
}

/// A unit in a column.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Unit {
    /// As it is written.
    pub(crate) written: String,
    /// In so many rows.
    pub(crate) rows: u64,
    /// The code of Recommendation 20 that it is, or is taken for.
    pub(crate) code: Option<&'static str>,
    /// What that is.
    pub(crate) meaning: Option<&'static str>,
    /// Whether it is written as Recommendation 20 does.
    pub(crate) as_in_rec20: bool,
    /// The unit in Odoo.
    pub(crate) odoo: Option<&'static str>,
    /// What to be careful about.
    pub(crate) beware: Option<&'static str>,
}

/// The units of a column; nothing when it has none.
///
/// Short words are taken for units only where the column is called like one, or where hardly anything else is in it.
pub(crate) fn units(values: &[Value<'_>], called_so: bool) -> Option<Vec<Unit>> {
    if values.is_empty()
        || values.len() > 80
        || values.iter().any(|(text, ..)| text.chars().count() > 8)
    {
        return None;
    }
    let rows: u64 = values.iter().map(|(_, count, _)| count).sum();
    let is_known = |text: &str| meant(text).is_some();
    let hits = values.iter().filter(|(text, ..)| is_known(text));
    let hit_rows: u64 = hits.clone().map(|(_, count, _)| count).sum();
    let telling = hits
        .filter(|(text, ..)| text.len() >= 2 && !text.bytes().any(|byte| byte.is_ascii_digit()))
        .count();
    let enough = if called_so {
        hit_rows > 0
    } else {
        hit_rows == rows && telling >= 1 && telling * 2 > values.len()
    };
    if !enough {
        return None;
    }
    let mut all: Vec<Unit> = values
        .iter()
        .map(|(text, count, _)| {
            let meant = meant(text);
            Unit {
                written: (*text).to_owned(),
                rows: *count,
                code: meant.map(|(code, ..)| code),
                meaning: meant.map(|(_, meaning, _)| meaning),
                as_in_rec20: meant.is_some_and(|(code, ..)| code == *text),
                odoo: meant.and_then(|(_, _, odoo)| odoo),
                beware: beware(text),
            }
        })
        .collect();
    all.sort_by_key(|unit| std::cmp::Reverse(unit.rows));
    Some(all)
}

fn beware(text: &str) -> Option<&'static str> {
    match text.to_uppercase().as_str() {
        "ST" => Some("a sheet in Rec 20, a piece (Stück) in SAP"),
        "MT" => Some("metre in some systems, metric tonne in others"),
        "ML" => Some("millilitre, or metre in Italian systems (metri lineari)"),
        "TO" | "TON" => Some("a tonne, or a short ton"),
        "GAL" => Some("a gallon of the US, or of the UK"),
        "CTN" => Some("a carton in most systems, a content ton in Rec 20"),
        "MC" => Some("a cubic metre in Italian systems, a microgram in Rec 20"),
        _ => None,
    }
}

/// Writings that mean one unit, such as `KG` and `kg`.
pub(crate) fn same(units: &[Unit]) -> Vec<Vec<String>> {
    let mut by_code: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for unit in units {
        if let Some(code) = unit.code {
            by_code.entry(code).or_default().push(unit.written.clone());
        }
    }
    by_code
        .into_values()
        .filter(|writings| writings.len() > 1)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_told_by_their_codes_and_by_what_systems_write() {
        let units = units(&[("KGM", 3, 2), ("Stk", 9, 3), ("PZ", 1, 4)], false).unwrap();
        let told: Vec<_> = units
            .iter()
            .map(|unit| (unit.written.as_str(), unit.code, unit.as_in_rec20))
            .collect();
        assert_eq!(
            told,
            [
                ("Stk", Some("H87"), false),
                ("KGM", Some("KGM"), true),
                ("PZ", Some("H87"), false)
            ]
        );
        assert_eq!(same(&units), [["Stk", "PZ"]]);
    }

    #[test]
    fn sizes_and_numbers_are_no_units() {
        assert!(units(&[("S", 3, 2), ("M", 3, 2), ("XL", 3, 2)], false).is_none());
        assert!(units(&[("59", 3, 2)], false).is_none());
        assert!(units(&[("ROT", 3, 2), ("KG", 1, 2)], false).is_none());
        assert!(units(&[("ROT", 3, 2), ("KG", 1, 2)], true).is_some());
    }

    #[test]
    fn every_writing_means_a_code_that_is_known() {
        for (written, code) in WRITTEN {
            assert!(
                meant(written).is_some_and(|(known, ..)| known == code),
                "{written}"
            );
        }
    }
}
