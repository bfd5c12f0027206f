//! What partners say about interchanges of ours: 997 and TA1.

use std::io::Read;

use jsonata_core::value::JValue;

use super::X12;
use crate::edi::{Acknowledged, Fault, Status, Subject};
use crate::format::{self, Branch, LINE, SEGMENT};

/// Reads acknowledgments; what is wrong with them themselves comes beside.
pub(crate) fn acknowledged<'b>(format: &X12, bytes: &'b [u8]) -> (Vec<Acknowledged>, Vec<Fault>) {
    let mut all = Vec::new();
    let mut faults = Vec::new();
    let open = || -> Result<Box<dyn Read + 'b>, format::Fault> { Ok(Box::new(bytes)) };
    let ended = super::read(&open, format, &mut |read| match read {
        Ok(branch) => match said(&branch) {
            Ok(said) => all.extend(said),
            Err(message) => faults.push(Fault {
                code: "edi_syntax",
                line: branch.line,
                segment: branch.segment,
                element: None,
                message,
            }),
        },
        Err(fault) => faults.push(fault.into()),
    });
    faults.extend(ended.err().map(Fault::from));
    (all, faults)
}

/// What one 997 or TA1 says; else why it says nothing.
fn said(branch: &Branch) -> Result<Vec<Acknowledged>, String> {
    let header = branch.value.get("ISA");
    let header = |name: &str| header.map_or("", |header| text(header, name));
    let sender = format!("{}:{}", header("ISA05"), header("ISA06"));
    let control = header("ISA13").to_owned();
    let about = |of: Subject, status: Status, errors: Vec<String>| Acknowledged {
        sender: sender.clone(),
        control: control.clone(),
        of,
        status,
        errors,
    };
    if let Some(receipt) = branch.value.get("TA1") {
        let of = Subject::Interchange {
            control: text(receipt, "TA101").to_owned(),
        };
        let note = text(receipt, "TA105");
        let errors = if note == "000" {
            Vec::new()
        } else {
            vec![format!("TA1 {note}")]
        };
        return Ok(vec![about(of, status(text(receipt, "TA104"))?, errors)]);
    }
    let (Some(group), Some(trailer)) = (branch.value.get("AK1"), branch.value.get("AK9")) else {
        let kind = branch
            .value
            .get("ST")
            .map_or("", |start| text(start, "ST01"));
        return Err(format!(
            "the transaction set {kind} is no acknowledgment: 997 and TA1 are"
        ));
    };
    let within = text(group, "AK102").to_owned();
    let of = Subject::Group {
        kind: text(group, "AK101").to_owned(),
        control: within.clone(),
    };
    let codes = codes("AK9", trailer, 5, 9);
    let mut all = vec![about(of, status(text(trailer, "AK901"))?, codes)];
    for set in list(&branch.value.get("AK2")) {
        let of = Subject::Set {
            within: within.clone(),
            kind: text(set, "AK201").to_owned(),
            control: text(set, "AK202").to_owned(),
        };
        let mut errors = Vec::new();
        for segment in list(&set.get("AK3")) {
            errors.push(plainly("AK3", segment));
            let elements = list(&segment.get("AK4"));
            errors.extend(elements.iter().map(|element| plainly("AK4", element)));
        }
        let empty = JValue::Null;
        let end = set.get("AK5").unwrap_or(&empty);
        errors.extend(self::codes("AK5", end, 2, 6));
        all.push(about(of, status(text(end, "AK501"))?, errors));
    }
    Ok(all)
}

/// AK501, AK901 or TA104.
fn status(code: &str) -> Result<Status, String> {
    match code {
        "A" => Ok(Status::Accepted),
        "E" => Ok(Status::AcceptedWithErrors),
        "P" => Ok(Status::PartlyAccepted),
        // The last three are about keys and signatures.
        "R" | "M" | "W" | "X" => Ok(Status::Rejected),
        other => Err(format!("`{other}` is no status of an acknowledgment")),
    }
}

fn text<'v>(value: &'v JValue, name: &str) -> &'v str {
    value.get(name).and_then(JValue::as_str).unwrap_or_default()
}

fn list<'v>(value: &Option<&'v JValue>) -> &'v [JValue] {
    let list = value.and_then(JValue::as_array);
    list.map(Vec::as_slice).unwrap_or_default()
}

/// Codes in elements from one to another.
fn codes(id: &str, segment: &JValue, from: usize, to: usize) -> Vec<String> {
    (from..=to)
        .map(|number| text(segment, &format!("{id}{number:02}")))
        .filter(|code| !code.is_empty())
        .map(|code| format!("{id} {code}"))
        .collect()
}

/// A segment on one line: its own elements with their names.
fn plainly(id: &str, segment: &JValue) -> String {
    let elements = segment.as_object().into_iter().flatten();
    let shown = elements.filter_map(|(name, value)| {
        let value = value.as_str().filter(|_| name != LINE && name != SEGMENT)?;
        Some(format!(" {name}={value}"))
    });
    std::iter::once(id.to_owned()).chain(shown).collect()
}
