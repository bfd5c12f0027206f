//! CONTRL (ISO 9735-4): what a sender is told of its interchange, and what receivers tell of ours.

use std::io::Read;

use edifact_rs::contrl::{Action, ContrlIdentifier, ReportingLevel};
use edifact_rs::{Charset, SyntaxError};
use indexmap::IndexMap;
use jiff::civil::DateTime;
use jsonata_core::value::JValue;

use crate::edi::Fault;
use crate::edifact::envelope::{self, Event, Header, Message};
use crate::edifact::finding::{Finding, SYNTAX};
use crate::edifact::segment::Segment;
use crate::edifact::write::{self, Body, Envelope, Party};
use crate::edifact::{Edifact, Reject};
use crate::format;

/// An interchange that was received, and what became of its messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interchange {
    /// `edifact`.
    pub standard: &'static str,
    /// Who sent it.
    pub sender: String,
    /// Whom it was for.
    pub receiver: String,
    /// Its reference.
    pub control: String,
    /// Whether it said that it is a test.
    pub test: bool,
    /// The line and the segment of the file where it begins.
    pub at: (u64, u64),
    /// Its messages.
    pub sets: Vec<Set>,
    /// What is wrong with the interchange itself.
    pub faults: Vec<Fault>,
}

/// A message that was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set {
    /// Such as `ORDRSP`.
    pub kind: String,
    /// Its reference.
    pub control: String,
    /// Whether it was taken.
    pub accepted: bool,
    /// What is wrong with it.
    pub faults: Vec<Fault>,
}

/// An interchange with its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// What was received.
    pub of: Interchange,
    /// The CONTRL for it, as an interchange of its own; or why there is none.
    pub contrl: Result<Vec<u8>, String>,
}

/// Answers each interchange of a file. The first answer has the given control number, the next one the next.
#[must_use]
pub fn acknowledge(
    format: &Edifact,
    bytes: impl Read,
    now: DateTime,
    control_number: u64,
) -> Vec<Answered> {
    let mut all: Vec<Received> = Vec::new();
    // What is wrong between interchanges is told to none of their senders.
    let mut open = false;
    let ended = envelope::read(bytes, format, &mut |event| match event {
        Event::Opened(header) => {
            open = true;
            all.push(Received {
                header: *header,
                messages: Vec::new(),
                wrong: Vec::new(),
                groups: Vec::new(),
            });
        }
        Event::Message(message) => {
            if let Some(received) = all.last_mut() {
                received.messages.push(Report::of(*message));
            }
        }
        Event::Wrong(finding) => {
            if let Some(received) = all.last_mut().filter(|_| open) {
                received.wrong.push(finding);
            }
        }
        Event::WrongGroup(finding) => {
            if let Some(received) = all.last_mut() {
                received.groups.push(finding);
            }
        }
        Event::Closed => open = false,
    });
    // An interchange in which the file ends has no trailer, which its sender is told.
    drop(ended);
    (control_number..)
        .zip(all)
        .map(|(number, received)| Answered {
            contrl: received.answer(format, now, number),
            of: received.told(format),
        })
        .collect()
}

/// An interchange as it came.
struct Received {
    header: Header,
    messages: Vec<Report>,
    /// What refuses all of it.
    wrong: Vec<Finding>,
    groups: Vec<Finding>,
}

/// A message as it came, without what was in it.
struct Report {
    kind: String,
    control: String,
    identifier: Vec<String>,
    findings: Vec<Finding>,
}

impl Report {
    fn of(message: Message) -> Self {
        Self {
            kind: message.kind,
            control: message.control,
            identifier: message.identifier,
            findings: message.branch.err().unwrap_or_default(),
        }
    }
}

impl Received {
    /// Whether all of it is refused.
    fn refused(&self, format: &Edifact) -> bool {
        self.header.refused.is_some()
            || !self.wrong.is_empty()
            || (format.reject == Reject::Interchange
                && (!self.groups.is_empty()
                    || self.messages.iter().any(|one| !one.findings.is_empty())))
    }

    fn told(self, format: &Edifact) -> Interchange {
        let refused = self.refused(format);
        let said = |finding: Finding| Fault::from(format::Fault::from(finding));
        let sets = self.messages.into_iter().map(|message| Set {
            kind: message.kind,
            control: message.control,
            accepted: !refused && message.findings.is_empty(),
            faults: message.findings.into_iter().map(said).collect(),
        });
        Interchange {
            standard: "edifact",
            sets: sets.collect(),
            sender: self.header.sender.0,
            receiver: self.header.receiver.0,
            control: self.header.control,
            test: self.header.test,
            at: (self.header.mark.line, self.header.mark.number),
            faults: self
                .header
                .refused
                .into_iter()
                .chain(self.wrong)
                .chain(self.groups)
                .map(said)
                .collect(),
        }
    }

    fn answer(&self, format: &Edifact, now: DateTime, number: u64) -> Result<Vec<u8>, String> {
        let header = &self.header;
        if header.control.is_empty() || header.sender.0.is_empty() || header.receiver.0.is_empty() {
            return Err(
                "UNB does not say who sent the interchange, to whom or under which reference: there is nobody to answer".to_owned(),
            );
        }
        if !self.messages.is_empty() && self.messages.iter().all(|one| one.kind == "CONTRL") {
            return Err("answers are not answered".to_owned());
        }
        let number = number.to_string();
        if number.len() > 14 {
            return Err(format!(
                "the control number {number} has more than 14 digits"
            ));
        }
        let party = |(id, qualifier): &(String, String)| Party {
            id: id.clone(),
            qualifier: qualifier.clone(),
        };
        let (set, version) = &header.syntax;
        let known = ["1", "2", "3", "4"].contains(&version.as_str());
        let envelope = Envelope {
            sender: party(&header.receiver),
            receiver: party(&header.sender),
            control: number,
            at: now,
            charset: Charset::from_syntax_identifier(set)
                .map_or("UNOC", Charset::syntax_identifier)
                .to_owned(),
            version: if known { version } else { "3" }.to_owned(),
            test: header.test,
            una: None,
        };
        let identifier = ContrlIdentifier::for_syntax_version(version);
        let identifier = [
            "CONTRL",
            identifier.version(),
            identifier.release(),
            identifier.agency(),
        ];
        let segments = self.segments(format);
        let body = Body {
            reference: "1",
            identifier: &identifier.map(str::to_owned),
            segments: segments.iter().collect(),
        };
        write::put(&envelope, &[body]).map_err(|refused| refused.to_string())
    }

    fn segments(&self, format: &Edifact) -> Vec<Segment> {
        let header = &self.header;
        let refused = self.refused(format);
        let party = |party: &(String, String)| {
            let mut parts = vec![party.0.clone()];
            if !party.1.is_empty() {
                parts.push(party.1.clone());
            }
            parts
        };
        let mut uci = vec![
            vec![header.control.clone()],
            party(&header.sender),
            party(&header.receiver),
            vec![action(refused).code().to_owned()],
        ];
        // A message that does not say its reference can be told of nowhere else.
        let nameless = self.messages.iter().filter(|one| !one.has_name());
        let wrong = header.refused.iter().chain(&self.wrong).chain(&self.groups);
        let wrong = wrong.chain(nameless.flat_map(|one| &one.findings)).next();
        if let Some(finding) = wrong {
            let level = ReportingLevel::Interchange;
            uci.push(vec![permitted(finding.syntax, level).code().to_owned()]);
        }
        let mut all = vec![made("UCI", uci)];
        if refused {
            return all;
        }
        for message in self.messages.iter().filter(|one| one.has_name()) {
            message.segments(&mut all);
        }
        all
    }
}

impl Report {
    fn has_name(&self) -> bool {
        !self.control.is_empty() && !self.kind.is_empty()
    }

    fn segments(&self, all: &mut Vec<Segment>) {
        let (mut own, mut below): (Option<SyntaxError>, Vec<Segment>) = (None, Vec::new());
        let mut told = None;
        for finding in &self.findings {
            let syntax = finding.syntax;
            let element = finding
                .element
                .filter(|_| syntax.permitted_at(ReportingLevel::DataElement));
            let position = finding
                .position
                .filter(|_| element.is_some() || syntax.permitted_at(ReportingLevel::Segment));
            let Some(position) = position else {
                own = own.or(Some(permitted(syntax, ReportingLevel::Message)));
                continue;
            };
            // A segment is told of once, however much is wrong with it.
            if told != Some(position) {
                told = Some(position);
                let mut ucs = vec![vec![position.to_string()]];
                if element.is_none() {
                    ucs.push(vec![syntax.code().to_owned()]);
                }
                below.push(made("UCS", ucs));
            }
            if let Some((element, component)) = element {
                let place = vec![element.to_string(), component.to_string()];
                below.push(made("UCD", vec![vec![syntax.code().to_owned()], place]));
            }
        }
        let rejected = !self.findings.is_empty();
        let mut ucm = vec![
            vec![self.control.clone()],
            self.identifier.clone(),
            vec![action(rejected).code().to_owned()],
        ];
        ucm.extend(own.map(|syntax| vec![syntax.code().to_owned()]));
        all.push(made("UCM", ucm));
        all.extend(below);
    }
}

fn made(tag: &str, elements: Vec<Vec<String>>) -> Segment {
    Segment {
        tag: tag.to_owned(),
        elements,
    }
}

fn action(rejected: bool) -> Action {
    if rejected {
        Action::Rejected
    } else {
        Action::Acknowledged
    }
}

/// A code that may be used at a level.
fn permitted(syntax: SyntaxError, level: ReportingLevel) -> SyntaxError {
    if syntax.permitted_at(level) {
        syntax
    } else {
        SyntaxError::Unspecified
    }
}

/// What a receiver says of an interchange of ours, or of a message in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Who says it.
    pub from: String,
    /// The reference of our interchange.
    pub interchange: String,
    /// The reference of the message; none when it is about the interchange as a whole.
    pub message: Option<String>,
    /// The kind of the message.
    pub kind: Option<String>,
    /// What became of it. A message that is not named has shared the fate of its interchange.
    pub verdict: Verdict,
    /// What is wrong with it, in the words of the standard.
    pub faults: Vec<String>,
}

/// What became of something that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It was checked and taken: 7.
    Acknowledged,
    /// It was not taken: 4.
    Rejected,
    /// It came, and was not checked yet: 8.
    Received,
}

/// What a file of CONTRL messages says; what in it cannot be read is told in words.
#[must_use]
pub fn statuses(format: &Edifact, bytes: impl Read) -> Vec<Result<Status, Fault>> {
    let told = |finding: Finding| Fault::from(format::Fault::from(finding));
    let mut all = Vec::new();
    let mut from = String::new();
    let ended = envelope::read(bytes, format, &mut |event| match event {
        Event::Opened(header) => {
            from.clone_from(&header.sender.0);
            all.extend(header.refused.map(|finding| Err(told(finding))));
        }
        Event::Closed => {}
        Event::Wrong(finding) | Event::WrongGroup(finding) => all.push(Err(told(finding))),
        Event::Message(message) => match message.branch {
            Ok(branch) => {
                let fault = |message: String| {
                    let at = format::Fault::new(SYNTAX, branch.line, message);
                    Fault::from(format::Fault {
                        segment: branch.segment,
                        ..at
                    })
                };
                if message.kind == "CONTRL" {
                    let mut said = Vec::new();
                    contrl(&branch.value, &from, &mut said);
                    all.extend(said.into_iter().map(|one| one.map_err(fault)));
                } else {
                    let (kind, control) = (message.kind, message.control);
                    all.push(Err(fault(format!("{kind} {control} is no CONTRL"))));
                }
            }
            Err(findings) => all.extend(findings.into_iter().map(|one| Err(told(one)))),
        },
    });
    all.extend(ended.err().map(|finding| Err(told(finding))));
    all
}

fn contrl(value: &IndexMap<String, JValue>, from: &str, all: &mut Vec<Result<Status, String>>) {
    let Some(uci) = value.get("UCI") else {
        all.push(Err(
            "CONTRL without UCI: it does not say what it is about".to_owned()
        ));
        return;
    };
    let interchange = text(uci, "UCI01").to_owned();
    let status = |kind: Option<&str>, message: Option<&str>, action: &str, faults: Vec<String>| {
        let verdict = match action {
            "4" => Verdict::Rejected,
            "7" => Verdict::Acknowledged,
            "8" => Verdict::Received,
            other => {
                return Err(format!(
                    "CONTRL for {interchange}: `{other}` is no action, 4, 7 or 8"
                ));
            }
        };
        Ok(Status {
            from: from.to_owned(),
            interchange: interchange.clone(),
            message: message.map(str::to_owned),
            kind: kind.map(str::to_owned),
            verdict,
            faults,
        })
    };
    all.push(status(
        None,
        None,
        text(uci, "UCI04"),
        fault("", text(uci, "UCI05")).into_iter().collect(),
    ));
    let groups = list(value.get("UCF"));
    let grouped = groups.iter().flat_map(|group| list(group.get("UCM")));
    for message in list(value.get("UCM")).iter().chain(grouped) {
        let mut faults: Vec<String> = fault("", text(message, "UCM04")).into_iter().collect();
        for segment in list(message.get("UCS")) {
            let place = format!("segment {}: ", text(segment, "UCS01"));
            faults.extend(fault(&place, text(segment, "UCS02")));
            for element in list(segment.get("UCD")) {
                let place = format!(
                    "segment {}, element {} component {}: ",
                    text(segment, "UCS01"),
                    text(element, "UCD02_1"),
                    text(element, "UCD02_2")
                );
                faults.extend(fault(&place, text(element, "UCD01")));
            }
        }
        all.push(status(
            Some(text(message, "UCM02_1")),
            Some(text(message, "UCM01")),
            text(message, "UCM03"),
            faults,
        ));
    }
}

fn text<'v>(value: &'v JValue, name: &str) -> &'v str {
    value.get(name).and_then(JValue::as_str).unwrap_or_default()
}

fn list(value: Option<&JValue>) -> &[JValue] {
    value
        .and_then(JValue::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}

/// A code of data element 0085 in words.
fn fault(place: &str, code: &str) -> Option<String> {
    use SyntaxError as E;
    const KNOWN: [E; 29] = [
        E::SyntaxVersionNotSupported,
        E::NotActualRecipient,
        E::InvalidValue,
        E::Missing,
        E::ValueNotSupportedHere,
        E::NotSupportedHere,
        E::TooManyConstituents,
        E::NoAgreement,
        E::Unspecified,
        E::InvalidAsServiceCharacter,
        E::InvalidCharacters,
        E::InvalidServiceCharacters,
        E::UnknownSender,
        E::TooOld,
        E::TestIndicatorNotSupported,
        E::DuplicateDetected,
        E::ReferencesDoNotMatch,
        E::ControlCountMismatch,
        E::GroupsAndMessagesMixed,
        E::LowerLevelEmpty,
        E::InvalidOccurrenceOutsideMessage,
        E::TooManyRepetitions,
        E::TooManyGroupRepetitions,
        E::InvalidCharacterType,
        E::DataElementTooLong,
        E::DataElementTooShort,
        E::TrailingSeparator,
        E::CharacterSetNotSupported,
        E::EnvelopeFunctionalityNotSupported,
    ];
    let said = KNOWN
        .iter()
        .find(|known| known.code() == code)
        .map_or("a code that is in no list", |known| known.description());
    (!code.is_empty()).then(|| format!("{place}{code}, {said}"))
}
