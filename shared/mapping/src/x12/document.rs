//! Transaction sets as documents.

use std::io::Read;

use indexmap::IndexMap;
use jsonata_core::value::JValue;

use super::envelope::{self, Event};
use super::finding::{Finding, Told, refusing};
use super::set::Set;
use super::structure::{self, Values};
use super::tokens::{At, Header};
use super::{Delimiters, Reject, X12};
use crate::format::{Branch, Fault, Take};

/// What was found at the ends of interchanges and groups, in the order of the file.
#[derive(Debug, Default)]
pub(crate) struct Verdicts {
    /// Why an interchange is refused, if it is.
    interchanges: Vec<Option<Box<Finding>>>,
    groups: Vec<Option<Box<Finding>>>,
}

/// As many faults are told of one group or interchange.
const MOST_TOLD: usize = 10;

/// Reads a file for its envelopes.
pub(crate) fn verdicts(bytes: impl Read, format: &X12) -> Result<Verdicts, Fault> {
    let mut verdicts = Verdicts::default();
    let mut faulty_set: Option<Box<Finding>> = None;
    let mut delimiters = Delimiters::default();
    let reads_sets = format.reject == Reject::Interchange;
    // What cannot be read at all is told by the second reading, behind what could be read before it.
    drop(envelope::read(bytes, format, &mut |event| match event {
        Event::Interchange(header) => {
            faulty_set = None;
            delimiters = of(header);
        }
        Event::Receipt(_) | Event::Group(_) => {}
        Event::Set(set) => {
            if reads_sets && faulty_set.is_none() {
                let found = structure::read(*set, format, &delimiters);
                faulty_set = refusing(&found.findings).cloned().map(Box::new);
            }
        }
        Event::GroupEnd(closing) => {
            let refused = refusing(&closing.findings).cloned().map(Box::new);
            if reads_sets && faulty_set.is_none() {
                faulty_set.clone_from(&refused);
            }
            verdicts.groups.push(refused);
        }
        Event::InterchangeEnd(closing) => {
            let refused = refusing(&closing.findings).cloned().map(Box::new);
            verdicts.interchanges.push(refused.or(faulty_set.take()));
        }
    }));
    Ok(verdicts)
}

fn of(header: &Header) -> Delimiters {
    header.delimiters.as_ref().ok().copied().unwrap_or_default()
}

/// Gives the documents of a file.
pub(crate) fn read(
    bytes: impl Read,
    format: &X12,
    verdicts: &Verdicts,
    take: &mut Take<'_>,
) -> Result<(), Fault> {
    let start = At {
        line: 1,
        segment: 1,
    };
    // Nothing is taken of what the first reading did not see.
    let changed = Finding::new(
        start,
        Told::Interchange("022"),
        "the file is not what it was when it was read first",
    );
    let mut interchanges = verdicts.interchanges.iter();
    let mut groups = verdicts.groups.iter();
    let mut refused: Option<&Finding> = None;
    let mut group_refused: Option<&Finding> = None;
    let mut around = IndexMap::new();
    let mut delimiters = Delimiters::default();
    let mut interchange = String::new();
    envelope::read(bytes, format, &mut |event| match event {
        Event::Interchange(header) => {
            refused = interchanges.next().map_or(Some(&changed), Option::as_deref);
            group_refused = None;
            delimiters = of(header);
            header.element(13).clone_into(&mut interchange);
            around.clear();
            around.insert("ISA".to_owned(), header_values(header));
        }
        Event::Receipt(segment) => {
            if let Some(finding) = refused {
                let what = format!("the acknowledgment TA1 of {}", segment.element(1));
                take(Err(taken_along(finding, segment.at, &what, &interchange)));
                return;
            }
            let mut value = around.clone();
            let receipt = Values::new(segment, &delimiters).object();
            value.insert("TA1".to_owned(), JValue::object(receipt));
            take(Ok(Branch {
                line: segment.at.line,
                segment: Some(segment.at.segment),
                value,
            }));
        }
        Event::Group(segment) => {
            group_refused = groups.next().map_or(Some(&changed), Option::as_deref);
            let values = Values::new(segment, &delimiters).object();
            around.insert("GS".to_owned(), JValue::object(values));
        }
        Event::Set(set) => {
            let (at, name) = (set.start.at, name(&set));
            let cause = refused.or(group_refused);
            // A set says what is wrong with itself first.
            let found = structure::read(*set, format, &delimiters);
            if let Some(own) = refusing(&found.findings) {
                take(Err(own_fault(own, &found.findings, &name)));
            } else if let Some(cause) = cause {
                take(Err(taken_along(cause, at, &name, &interchange)));
            } else {
                let mut value = around.clone();
                value.extend(found.value);
                take(Ok(Branch {
                    line: at.line,
                    segment: Some(at.segment),
                    value,
                }));
            }
        }
        Event::GroupEnd(closing) => {
            faults(&closing.findings, take);
            around.shift_remove("GS");
            group_refused = None;
        }
        Event::InterchangeEnd(closing) => faults(&closing.findings, take),
    })
}

/// Tells what is wrong with a group or an interchange itself, so that all that must be agreed is seen at once.
fn faults(findings: &[Finding], take: &mut Take<'_>) {
    let refusing = findings.iter().filter(|finding| !finding.excused);
    let (ends, others): (Vec<_>, Vec<_>) = refusing.partition(|finding| finding.ends);
    // After that the file ends it cannot be read, whatever else was wrong.
    for finding in others.into_iter().take(MOST_TOLD).chain(ends) {
        take(Err(finding.fault()));
    }
}

fn name(set: &Set) -> String {
    format!("the transaction set {} {}", set.kind(), set.control())
}

fn own_fault(first: &Finding, all: &[Finding], name: &str) -> Fault {
    let others = all.iter().filter(|finding| !finding.excused).count() - 1;
    let more = match others {
        0 => String::new(),
        1 => "; one more thing is wrong with it".to_owned(),
        count => format!("; {count} more things are wrong with it"),
    };
    let fault = first.fault();
    Fault {
        message: format!("{name} is not taken: {}{more}", fault.message),
        ..fault
    }
}

/// What was right itself, and is refused with what it stands in.
fn taken_along(cause: &Finding, at: At, name: &str, interchange: &str) -> Fault {
    Fault {
        segment: Some(at.segment),
        ..Fault::new(
            cause.code,
            at.line,
            format!(
                "{name} is not taken, for something around it in interchange {interchange} is wrong: segment {}, {}",
                cause.at.segment, cause.message
            ),
        )
    }
}

fn header_values(header: &Header) -> JValue {
    let values = header
        .elements
        .iter()
        .enumerate()
        .filter(|(_, value)| !value.is_empty());
    let object: IndexMap<String, JValue> = values
        .map(|(index, value)| (format!("ISA{:02}", index + 1), JValue::from(value.as_str())))
        .collect();
    JValue::object(object)
}
