//! Interchanges, groups and sets: what belongs together, and what its trailers say about it.

use std::collections::BTreeSet;
use std::io::Read;

use super::finding::{Finding, Told, keep, shown};
use super::set::Set;
use super::tokens::{At, Header, Segment, Token, Tokens};
use super::{Lenient, X12};
use super::{guides, header};
use crate::format::Fault;

/// Headers and trailers, of which numbers are remembered, are short.
const LONGEST_OF_ENVELOPE: usize = 1000;
/// What is known of each of them is kept until the end of a file.
const MOST_INTERCHANGES: usize = 10_000;
const MOST_GROUPS: usize = 10_000;
const MOST_SETS: usize = 50_000;

/// What is found in a file, in its order.
pub(crate) enum Event<'e> {
    /// An interchange begins.
    Interchange(&'e Header),
    /// A TA1: what a partner says about an interchange of ours.
    Receipt(&'e Segment),
    /// A group begins.
    Group(&'e Segment),
    /// A transaction set, whole or not.
    Set(Box<Set>),
    /// A group ends.
    GroupEnd(Closing),
    /// An interchange ends.
    InterchangeEnd(Closing),
}

/// The end of a group or an interchange.
#[derive(Debug, Default)]
pub(crate) struct Closing {
    /// How many sets or groups its trailer says; nothing without one.
    pub(crate) said: Option<u64>,
    /// How many came.
    pub(crate) count: u64,
    pub(crate) findings: Vec<Finding>,
}

struct Interchange {
    header: Box<Header>,
    groups: u64,
    findings: Vec<Finding>,
    /// Control numbers of its groups.
    numbers: BTreeSet<String>,
}

struct Group {
    start: Segment,
    sets: u64,
    findings: Vec<Finding>,
    /// Control numbers of its sets.
    numbers: BTreeSet<String>,
}

/// Reads a file and tells what is in it.
///
/// # Errors
/// When nothing more can be read; whatever had begun was told as ended, with its faults.
pub(crate) fn read<R: Read>(
    bytes: R,
    format: &X12,
    tell: &mut dyn FnMut(Event<'_>),
) -> Result<(), Fault> {
    let mut tokens = Tokens::new(bytes, &format.encoding)?;
    let mut reader = Reader {
        format,
        tell,
        interchange: None,
        group: None,
        set: None,
        numbers: BTreeSet::new(),
        interchanges: 0,
        groups: 0,
        sets: 0,
        last: At {
            line: 1,
            segment: 1,
        },
    };
    loop {
        let read = match tokens.next() {
            Ok(Some(Token::Header(header))) => reader.header(header),
            Ok(Some(Token::Segment(segment))) => reader.segment(segment),
            Ok(None) => {
                reader.end_of_file(true);
                return Ok(());
            }
            Err(fault) => Err(fault),
        };
        if let Err(fault) = read {
            reader.end_of_file(false);
            return Err(fault);
        }
    }
}

/// There may be so many of something in a file.
fn count(what: &str, so_far: &mut usize, most: usize, at: At) -> Result<(), Fault> {
    *so_far += 1;
    if *so_far <= most {
        return Ok(());
    }
    let message = format!("more than {most} {what} in a file: send fewer of them in one");
    Err(Fault {
        segment: Some(at.segment),
        ..Fault::end("edi_limit", at.line, message)
    })
}

struct Reader<'r> {
    format: &'r X12,
    tell: &'r mut dyn FnMut(Event<'_>),
    interchange: Option<Interchange>,
    group: Option<Group>,
    set: Option<Box<Set>>,
    /// Sender, receiver and control number of each interchange.
    numbers: BTreeSet<String>,
    interchanges: usize,
    groups: usize,
    sets: usize,
    last: At,
}

impl Reader<'_> {
    fn header(&mut self, header: Box<Header>) -> Result<(), Fault> {
        self.last = header.at;
        count(
            "interchanges",
            &mut self.interchanges,
            MOST_INTERCHANGES,
            header.at,
        )?;
        let before = "a new interchange begins before it";
        self.close_interchange(None, "023", before, header.at, false);
        let mut findings = self.check_header(&header);
        let at = header.at;
        if let Err((code, message)) = &header.delimiters {
            let told = Told::Interchange(code);
            findings.push(Finding::new(at, told, message.clone()));
        }
        (self.tell)(Event::Interchange(&header));
        let is_readable = header.delimiters.is_ok();
        self.interchange = Some(Interchange {
            header,
            groups: 0,
            findings,
            numbers: BTreeSet::new(),
        });
        if is_readable {
            return Ok(());
        }
        // Its trailer cannot be found either.
        let closing = self.interchange.take().map(|interchange| Closing {
            findings: interchange.findings,
            ..Closing::default()
        });
        (self.tell)(Event::InterchangeEnd(closing.unwrap_or_default()));
        Err(Fault {
            segment: Some(at.segment),
            ..Fault::end(
                "edi_syntax",
                at.line,
                "nothing more can be read: what separates the segments of the interchange is not known",
            )
        })
    }

    fn check_header(&mut self, header: &Header) -> Vec<Finding> {
        let mut findings = header::check(header, self.format);
        let number = [5, 6, 7, 8, 13]
            .map(|element| header.element(element))
            .join("\u{1f}");
        if !self.numbers.insert(number) {
            let message = format!(
                "the interchange {} is in the file twice",
                header.element(13)
            );
            let finding = Finding::new(header.at, Told::Interchange("025"), message);
            findings.push(finding.of("ISA", 13).coded("edi_duplicate_control"));
        }
        findings
    }

    fn segment(&mut self, segment: Segment) -> Result<(), Fault> {
        self.last = segment.at;
        if self.interchange.is_none() {
            return self.outside(&segment);
        }
        if segment.unfinished {
            self.unfinished(&segment);
            return Ok(());
        }
        if segment.blanks {
            self.note_blanks(&segment);
        }
        let of_envelope = matches!(segment.id(), "ST" | "SE" | "GS" | "GE" | "IEA");
        let long = segment.cut || segment.len() > LONGEST_OF_ENVELOPE;
        if long && (of_envelope || self.set.is_none()) {
            self.note_length(&segment);
            return Ok(());
        }
        match segment.id() {
            "ST" => {
                count("transaction sets", &mut self.sets, MOST_SETS, segment.at)?;
                self.start_set(segment);
            }
            "SE" => self.end_set(&segment),
            "GS" => {
                count("groups", &mut self.groups, MOST_GROUPS, segment.at)?;
                self.start_group(segment);
            }
            "GE" => {
                self.drop_set("the group ends before it", segment.at);
                self.close_group(Some(&segment), "", segment.at);
            }
            "IEA" => self.close_interchange(Some(&segment), "", "", segment.at, false),
            _ => self.content(segment),
        }
        Ok(())
    }

    /// Something between interchanges that is none.
    fn outside(&self, segment: &Segment) -> Result<(), Fault> {
        let lenient = self
            .format
            .lenient
            .contains(&Lenient::BlanksBetweenSegments);
        if segment.len() == 0 && lenient {
            return Ok(());
        }
        let message = if segment.len() == 0 {
            format!(
                "blanks stand behind the last interchange (taken from a partner with `lenient: [{}]`)",
                Lenient::BlanksBetweenSegments.name()
            )
        } else {
            format!(
                "the segment {} stands outside of an interchange: nothing after it is read",
                shown(segment)
            )
        };
        Err(Fault {
            segment: Some(segment.at.segment),
            ..Fault::end("edi_syntax", segment.at.line, message)
        })
    }

    /// What the file breaks off in is no segment, and what it belongs to is not whole.
    fn unfinished(&mut self, segment: &Segment) {
        if let Some(set) = &mut self.set {
            set.count += 1;
        }
        if let Some(interchange) = &mut self.interchange {
            let message = format!("the file breaks off in the segment {}", shown(segment));
            let finding = Finding::new(segment.at, Told::Interchange("023"), message);
            keep(&mut interchange.findings, finding);
        }
    }

    fn note_blanks(&mut self, segment: &Segment) {
        let message = format!("blanks stand before the segment {}", shown(segment));
        let finding = |told| {
            Finding::new(segment.at, told, message.clone())
                .unless(self.format, Lenient::BlanksBetweenSegments)
        };
        let within_set = !matches!(segment.id(), "ISA" | "GS" | "ST" | "GE" | "IEA");
        match (&mut self.set, &mut self.interchange) {
            (Some(set), _) if within_set => keep(&mut set.findings, finding(Told::Set("5"))),
            (_, Some(interchange)) => {
                keep(&mut interchange.findings, finding(Told::Interchange("022")));
            }
            (_, None) => {}
        }
    }

    fn note_length(&mut self, segment: &Segment) {
        let message = format!(
            "the segment {} is longer than {LONGEST_OF_ENVELOPE} bytes",
            shown(segment)
        );
        if let Some(interchange) = &mut self.interchange {
            let finding = Finding::new(segment.at, Told::Interchange("024"), message);
            keep(&mut interchange.findings, finding.coded("edi_limit"));
        }
    }

    fn start_group(&mut self, segment: Segment) {
        self.drop_set("a new group begins before it", segment.at);
        self.close_group(None, "a new group begins before it", segment.at);
        let Some(interchange) = &mut self.interchange else {
            return;
        };
        interchange.groups += 1;
        let at = segment.at;
        let mut findings = Vec::new();
        let number = segment.element(6);
        if number.is_empty() || number.len() > 9 || !number.bytes().all(|b| b.is_ascii_digit()) {
            let message = format!("`{number}` is no control number of a group");
            findings.push(Finding::new(at, Told::Group("6"), message).of("GS", 6));
        } else if !interchange.numbers.insert(plain(number).to_owned()) {
            // Versions before 005010 have no code of their own for it.
            let code = if segment.element(8) >= "005010" {
                "19"
            } else {
                "6"
            };
            let message = format!("the group {number} is in the interchange twice");
            let finding = Finding::new(at, Told::Group(code), message);
            findings.push(finding.of("GS", 6).coded("edi_duplicate_control"));
        }
        let version = segment.element(8);
        let versions = &self.format.version;
        if !versions.is_empty() && !versions.iter().any(|own| version.starts_with(own)) {
            let message = format!("the version `{version}` is none of {}", versions.join(", "));
            findings.push(Finding::new(at, Told::Group("2"), message).of("GS", 8));
        }
        (self.tell)(Event::Group(&segment));
        self.group = Some(Group {
            start: segment,
            sets: 0,
            findings,
            numbers: BTreeSet::new(),
        });
    }

    fn start_set(&mut self, segment: Segment) {
        self.drop_set("a new set begins before it", segment.at);
        let mut findings = Vec::new();
        let at = segment.at;
        let (kind, control) = (segment.element(1), segment.element(2));
        if control.is_empty() || control.chars().count() > 9 {
            let message = format!("`{control}` is no control number of a transaction set");
            findings.push(Finding::new(at, Told::Set("7"), message).of("ST", 2));
        }
        match &mut self.group {
            None => {
                let message = format!("the transaction set {control} stands in no group");
                findings.push(Finding::new(at, Told::Set("6"), message.clone()));
                if let Some(interchange) = &mut self.interchange {
                    let finding = Finding::new(at, Told::Interchange("024"), message);
                    keep(&mut interchange.findings, finding);
                }
            }
            Some(group) => {
                group.sets += 1;
                if !group.numbers.insert(control.to_owned()) {
                    let message = format!("the transaction set {control} is in the group twice");
                    let finding = Finding::new(at, Told::Set("23"), message);
                    findings.push(finding.of("ST", 2).coded("edi_duplicate_control"));
                }
                match guides::guide(kind) {
                    None => {
                        let message = format!(
                            "`{kind}` is no transaction set that is read here: {} are",
                            guides::kinds().join(", ")
                        );
                        findings.push(Finding::new(at, Told::Set("1"), message).of("ST", 1));
                    }
                    Some(guide) if guide.group != group.start.element(1) => {
                        let message = format!(
                            "the transaction set {kind} does not belong into a group {}, but {}",
                            group.start.element(1),
                            guide.group
                        );
                        findings.push(Finding::new(at, Told::Set("6"), message).of("ST", 1));
                    }
                    Some(_) => {}
                }
            }
        }
        self.set = Some(Box::new(Set::new(segment, findings)));
    }

    fn content(&mut self, segment: Segment) {
        if let Some(set) = &mut self.set {
            set.add(segment);
            return;
        }
        if segment.id() == "TA1" && self.group.is_none() {
            (self.tell)(Event::Receipt(&segment));
            return;
        }
        let name = shown(&segment);
        let message = format!("the segment {name} stands outside of a transaction set");
        if let Some(interchange) = &mut self.interchange {
            let finding = Finding::new(segment.at, Told::Interchange("024"), message);
            keep(&mut interchange.findings, finding);
        }
    }

    fn end_set(&mut self, segment: &Segment) {
        let Some(mut set) = self.set.take() else {
            let message = "the segment SE ends no transaction set";
            if let Some(interchange) = &mut self.interchange {
                let finding = Finding::new(segment.at, Told::Interchange("024"), message);
                keep(&mut interchange.findings, finding);
            }
            return;
        };
        set.count += 1;
        let said = segment.element(1);
        if plain(said).parse() != Ok(set.count) {
            let message = format!(
                "the trailer of set {} says {said} segments, {} came",
                set.control(),
                set.count
            );
            let finding = Finding::new(segment.at, Told::Set("4"), message).of("SE", 1);
            keep(
                &mut set.findings,
                finding.unless(self.format, Lenient::Counts),
            );
        }
        if segment.element(2) != set.control() {
            let message = format!(
                "the header of the set says {}, its trailer {}",
                set.control(),
                segment.element(2)
            );
            let finding = Finding::new(segment.at, Told::Set("3"), message).of("SE", 2);
            let finding = finding.unless(self.format, Lenient::ControlNumbers);
            keep(&mut set.findings, finding);
        }
        (self.tell)(Event::Set(set));
    }

    /// A set that has no trailer.
    fn drop_set(&mut self, why: &str, at: At) {
        if let Some(mut set) = self.set.take() {
            let message = format!("the transaction set {} has no SE: {why}", set.control());
            keep(&mut set.findings, Finding::new(at, Told::Set("2"), message));
            (self.tell)(Event::Set(set));
        }
    }

    fn close_group(&mut self, trailer: Option<&Segment>, why: &str, at: At) {
        let Some(mut group) = self.group.take() else {
            if let (Some(_), Some(interchange)) = (trailer, &mut self.interchange) {
                let message = "the segment GE ends no group";
                let finding = Finding::new(at, Told::Interchange("024"), message);
                keep(&mut interchange.findings, finding);
            }
            return;
        };
        let number = group.start.element(6).to_owned();
        let mut closing = Closing {
            said: None,
            count: group.sets,
            findings: Vec::new(),
        };
        match trailer {
            None => {
                let message = format!("the group {number} has no GE: {why}");
                keep(
                    &mut group.findings,
                    Finding::new(at, Told::Group("3"), message),
                );
            }
            Some(trailer) => {
                let (said, control) = (trailer.element(1), trailer.element(2));
                closing.said = plain(said).parse().ok();
                if closing.said != Some(group.sets) {
                    let message = format!(
                        "the trailer of group {number} says {said} sets, {} came",
                        group.sets
                    );
                    let finding = Finding::new(at, Told::Group("5"), message).of("GE", 1);
                    let finding = finding.unless(self.format, Lenient::Counts);
                    keep(&mut group.findings, finding);
                }
                if plain(control) != plain(&number) {
                    let message =
                        format!("the header of the group says {number}, its trailer {control}");
                    let finding = Finding::new(at, Told::Group("4"), message).of("GE", 2);
                    let finding = finding.unless(self.format, Lenient::ControlNumbers);
                    keep(&mut group.findings, finding);
                }
            }
        }
        closing.findings = group.findings;
        (self.tell)(Event::GroupEnd(closing));
    }

    fn close_interchange(
        &mut self,
        trailer: Option<&Segment>,
        code: &'static str,
        why: &str,
        at: At,
        ends: bool,
    ) {
        let early = if trailer.is_some() {
            "the interchange ends before it"
        } else {
            why
        };
        self.drop_set(early, at);
        self.close_group(None, early, at);
        let Some(mut interchange) = self.interchange.take() else {
            return;
        };
        let number = interchange.header.element(13).to_owned();
        let mut closing = Closing {
            said: None,
            count: interchange.groups,
            findings: Vec::new(),
        };
        match trailer {
            None => {
                let message = format!("the interchange {number} has no IEA: {why}");
                let finding = Finding::new(at, Told::Interchange(code), message);
                let finding = Finding { ends, ..finding };
                if ends {
                    interchange.findings.push(finding);
                } else {
                    keep(&mut interchange.findings, finding);
                }
            }
            Some(trailer) => {
                let (said, control) = (trailer.element(1), trailer.element(2));
                closing.said = plain(said).parse().ok();
                if closing.said != Some(interchange.groups) {
                    let message = format!(
                        "the trailer of interchange {number} says {said} groups, {} came",
                        interchange.groups
                    );
                    let finding = Finding::new(at, Told::Interchange("021"), message).of("IEA", 1);
                    let finding = finding.unless(self.format, Lenient::Counts);
                    keep(&mut interchange.findings, finding);
                }
                if plain(control) != plain(&number) {
                    let message = format!(
                        "the header of the interchange says {number}, its trailer {control}"
                    );
                    let finding = Finding::new(at, Told::Interchange("001"), message).of("IEA", 2);
                    let finding = finding.unless(self.format, Lenient::ControlNumbers);
                    keep(&mut interchange.findings, finding);
                }
            }
        }
        closing.findings = interchange.findings;
        (self.tell)(Event::InterchangeEnd(closing));
    }

    /// What had begun is not whole. Where a fault is told besides, that is what ends the file.
    fn end_of_file(&mut self, ends: bool) {
        self.close_interchange(None, "023", "the file ends before it", self.last, ends);
    }
}

/// A number without the zeros that fill it up.
fn plain(number: &str) -> &str {
    let bare = number.trim_start_matches('0');
    if bare.is_empty() && !number.is_empty() {
        "0"
    } else {
        bare
    }
}
