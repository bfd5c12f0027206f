//! The header of an interchange, by what the standard and the feed say of it.

use super::finding::{Finding, Told};
use super::tokens::Header;
use super::{Test, X12};

/// What is wrong with a header.
pub(crate) fn check(header: &Header, format: &X12) -> Vec<Finding> {
    let at = header.at;
    let mut findings = Vec::new();
    for (lenient, message) in &header.flaws {
        let flaw = Finding::new(at, Told::Interchange("022"), message.clone());
        findings.push(flaw.unless(format, *lenient));
    }
    let mut add = |element: usize, code: &'static str, message: String| {
        findings.push(Finding::new(at, Told::Interchange(code), message).of("ISA", element));
    };
    let digits = |number: usize, length: usize| {
        let text = header.element(number);
        text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    for (number, length, code, what) in [
        (9, 6, "014", "a date as YYMMDD"),
        (10, 4, "015", "a time as HHMM"),
        (12, 5, "017", "a version such as 00401"),
        (13, 9, "018", "a control number of nine digits"),
    ] {
        if !digits(number, length) {
            let text = header.element(number);
            add(number, code, format!("`{text}` is not {what}"));
        }
    }
    for (number, code, party) in [(5, "006", &format.sender), (7, "008", &format.receiver)] {
        let (qualifier, id) = (header.element(number), header.element(number + 1));
        if let Some(party) = party
            && !party.is(qualifier, id)
        {
            let message = format!("`{qualifier}:{id}` is not the partner of this feed");
            add(number + 1, code, message);
        }
    }
    match header.element(15) {
        "P" => {}
        "T" | "I" if format.test == Test::Take => {}
        "T" | "I" => add(
            15,
            "020",
            "the interchange is a test, and this feed refuses tests (`test: take` takes them)"
                .to_owned(),
        ),
        other => add(
            15,
            "020",
            format!("`{other}` is neither P for production nor T for test"),
        ),
    }
    if !matches!(header.element(14), "0" | "1") {
        add(
            14,
            "019",
            format!("`{}` is neither 0 nor 1", header.element(14)),
        );
    }
    findings
}
