//! Interchanges, groups and messages: headers, trailers, references and counts.

use std::collections::BTreeSet;
use std::io::Read;

use edifact_rs::{Charset, ServiceStringAdvice, SyntaxError};
use indexmap::IndexMap;
use jsonata_core::value::JValue;

use crate::edifact::charset::Text;
use crate::edifact::cut::{Cut, Cutter, LONGEST_SEGMENT, Mark};
use crate::edifact::finding::{DUPLICATE, Finding, LIMIT, PARTNER, SYNTAX, TEST};
use crate::edifact::message::Builder;
use crate::edifact::segment::Segment;
use crate::edifact::{Edifact, Lenient, Test};
use crate::format::Branch;

/// More interchanges than this in a file, or messages in an interchange, are refused: their references are kept.
const MOST_INTERCHANGES: usize = 10_000;
const MOST_MESSAGES: u64 = 100_000;
/// A reference has 14 characters, in some older systems a few more.
const LONGEST_REFERENCE: usize = 35;
/// Of a message, this many faults are told.
const MOST_FINDINGS: usize = 100;

/// What a file gives, in its order.
pub(crate) enum Event {
    /// An interchange begins.
    Opened(Box<Header>),
    /// A message ends.
    Message(Box<Message>),
    /// Something is wrong with the interchange.
    Wrong(Finding),
    /// The interchange ends, in whichever way.
    Closed,
}

/// What UNB says.
#[derive(Debug, Clone)]
pub(crate) struct Header {
    pub(crate) syntax: (String, String),
    pub(crate) sender: (String, String),
    pub(crate) receiver: (String, String),
    pub(crate) control: String,
    pub(crate) test: bool,
}

/// A message, or what is wrong with it.
#[derive(Debug)]
pub(crate) struct Message {
    /// Such as `ORDRSP`.
    pub(crate) kind: String,
    /// UNH element 01.
    pub(crate) control: String,
    /// UNH element 02, which an answer repeats.
    pub(crate) identifier: Vec<String>,
    pub(crate) branch: Result<Branch, Vec<Finding>>,
}

/// Takes what a file gives.
pub(crate) type Sink<'s> = dyn FnMut(Event) + 's;

/// Reads a file; what ends it is returned, everything else is given.
pub(crate) fn read(
    bytes: impl Read,
    format: &Edifact,
    sink: &mut Sink<'_>,
) -> Result<(), Finding> {
    let mut reader = Reader {
        format,
        sink,
        interchanges: BTreeSet::new(),
        una: IndexMap::new(),
        interchange: None,
        outside: false,
    };
    let mut cutter = Cutter::new(bytes);
    loop {
        let cut = cutter.next().map_err(|error| Finding {
            code: "file_unreadable",
            ..Finding::new(SYNTAX, SyntaxError::Unspecified, Mark::default(), error.to_string())
                .end()
        })?;
        if !reader.piece(cut, cutter.bytes(), cutter.advice)? {
            return Ok(());
        }
    }
}

struct Reader<'f, 's> {
    format: &'f Edifact,
    sink: &'f mut Sink<'s>,
    /// Sender, receiver and reference of each interchange so far.
    interchanges: BTreeSet<(String, String, String)>,
    /// What the document says of the service string advice.
    una: IndexMap<String, JValue>,
    interchange: Option<Interchange>,
    /// Whether segments outside of an interchange are being skipped, which was told.
    outside: bool,
}

struct Interchange {
    header: Header,
    text: Text,
    advice: ServiceStringAdvice,
    una: JValue,
    unb: JValue,
    /// Nothing is made of it; why was told.
    refused: bool,
    messages: u64,
    groups: u64,
    ungrouped: u64,
    references: BTreeSet<String>,
    group_references: BTreeSet<String>,
    group: Option<Group>,
    message: Option<Open>,
    /// Whether segments between messages are being skipped, which was told.
    outside: bool,
}

struct Group {
    control: String,
    ung: JValue,
    messages: u64,
    /// Why none of its messages is taken.
    refused: Option<Finding>,
}

/// A message that has not ended.
struct Open {
    mark: Mark,
    unh: Segment,
    count: u64,
    builder: Builder,
    findings: Vec<Finding>,
}

impl Open {
    fn name(&self) -> String {
        format!("{} {}", self.unh.component(2, 1), self.unh.element(1))
    }

    fn wrong(&mut self, mut finding: Finding) {
        if self.findings.len() < MOST_FINDINGS {
            finding.position.get_or_insert(self.count.max(1));
            self.findings.push(finding);
        }
    }
}

impl Reader<'_, '_> {
    fn tell(&mut self, finding: Finding) {
        (self.sink)(Event::Wrong(finding));
    }

    /// Takes a piece of the file; whether there is more.
    fn piece(
        &mut self,
        cut: Cut,
        bytes: &[u8],
        advice: ServiceStringAdvice,
    ) -> Result<bool, Finding> {
        let syntax = |mark, message: &str| {
            Finding::new(SYNTAX, SyntaxError::InvalidServiceCharacters, mark, message)
        };
        match cut {
            Cut::ByteOrderMark => {
                if !self.format.overlooks(Lenient::ByteOrderMark) {
                    let message = "the file begins with a mark of UTF-8: with `lenient: [byte_order_mark]` it is overlooked";
                    return Err(syntax(Mark { line: 1, ..Mark::default() }, message).end());
                }
            }
            Cut::BadAdvice(mark) => {
                self.break_off(mark);
                let message = "UNA names characters that cannot be told apart, or that are letters, digits or blanks: no segment can be read";
                return Err(Finding {
                    syntax: SyntaxError::InvalidAsServiceCharacter,
                    ..syntax(mark, message).end()
                });
            }
            Cut::Advice(mark) => {
                self.break_off(mark);
                self.check_blanks(mark);
                self.una = IndexMap::from([(
                    "decimal_mark".to_owned(),
                    JValue::from(char::from(advice.decimal_mark).to_string()),
                )]);
            }
            Cut::Unfinished(mark) => {
                self.break_off(mark);
                let message = "the file ends within a segment: it was cut off, or a terminator is missing";
                return Err(syntax(mark, message).end());
            }
            Cut::End(mark) => {
                self.break_off(mark);
                self.check_blanks(mark);
                if self.interchanges.is_empty() && !self.outside {
                    return Err(syntax(mark, "the file has no interchange").end());
                }
                return Ok(false);
            }
            Cut::Segment(mark) => self.segment(mark, bytes, advice, false)?,
            Cut::TooLong(mark) => self.segment(mark, bytes, advice, true)?,
        }
        Ok(true)
    }

    fn check_blanks(&mut self, mark: Mark) {
        if let Some(finding) = self.blanks(mark) {
            self.tell(finding);
        }
    }

    fn blanks(&self, mark: Mark) -> Option<Finding> {
        let strict = !self.format.overlooks(Lenient::BlanksBetweenSegments);
        (mark.blanks && strict).then(|| {
            let message = "blanks before the segment: with `lenient: [blanks_between_segments]` they are overlooked";
            Finding::new(SYNTAX, SyntaxError::InvalidCharacters, mark, message)
        })
    }

    fn segment(
        &mut self,
        mark: Mark,
        bytes: &[u8],
        advice: ServiceStringAdvice,
        too_long: bool,
    ) -> Result<(), Finding> {
        let tag = bytes.get(..3).unwrap_or(bytes);
        if tag == b"UNB" {
            self.break_off(mark);
            return self.unb(mark, bytes, advice);
        }
        let Some(interchange) = &mut self.interchange else {
            if self.interchanges.is_empty() && !self.outside {
                let message = "the file begins neither with UNA nor with UNB: it is no interchange";
                return Err(Finding::new(SYNTAX, SyntaxError::InvalidOccurrenceOutsideMessage, mark, message).end());
            }
            if !std::mem::replace(&mut self.outside, true) {
                let message = "segments that belong to no interchange: UNB is missing before them";
                let finding =
                    Finding::new(SYNTAX, SyntaxError::InvalidOccurrenceOutsideMessage, mark, message);
                self.tell(finding);
            }
            return Ok(());
        };
        if interchange.refused {
            if tag == b"UNZ" {
                self.interchange = None;
                (self.sink)(Event::Closed);
            }
            return Ok(());
        }
        let read = if too_long {
            let message = format!(
                "a segment of more than {} KB: a terminator is probably missing",
                LONGEST_SEGMENT >> 10
            );
            Err(Finding::new(LIMIT, SyntaxError::DataElementTooLong, mark, message))
        } else {
            Segment::read(bytes, interchange.text, interchange.advice, mark)
        };
        let blanks = self.blanks(mark);
        match tag {
            b"UNH" => self.unh(mark, read, blanks),
            b"UNG" => self.ung(mark, read, blanks),
            b"UNT" => self.unt(mark, read, blanks),
            b"UNE" => self.une(mark, read, blanks),
            b"UNZ" => self.unz(mark, read, blanks),
            _ => self.other(mark, read, blanks),
        }
        Ok(())
    }

    /// An interchange that has not ended: its message, its group and itself.
    fn break_off(&mut self, mark: Mark) {
        self.drop_message(mark, "UNT is missing");
        self.drop_group(mark);
        let Some(interchange) = self.interchange.take() else {
            return;
        };
        if !interchange.refused {
            let message = format!(
                "interchange {}: UNZ is missing: the file was cut off, or more of the interchange is to come",
                interchange.header.control
            );
            self.tell(Finding::new(SYNTAX, SyntaxError::Missing, mark, message));
        }
        (self.sink)(Event::Closed);
    }

    fn drop_message(&mut self, mark: Mark, why: &str) {
        let Some(mut message) = self.interchange.as_mut().and_then(|one| one.message.take()) else {
            return;
        };
        let text = format!("{}: {why}: the message is not whole", message.name());
        message.wrong(Finding {
            position: Some(message.count),
            ..Finding::new(SYNTAX, SyntaxError::Missing, mark, text)
        });
        self.give(message, None);
    }

    fn drop_group(&mut self, mark: Mark) {
        let group = self.interchange.as_mut().and_then(|one| one.group.take());
        if let Some(group) = group {
            let message = format!("group {}: UNE is missing", group.control);
            self.tell(Finding::new(SYNTAX, SyntaxError::Missing, mark, message));
        }
    }

    fn unb(
        &mut self,
        mark: Mark,
        bytes: &[u8],
        mut advice: ServiceStringAdvice,
    ) -> Result<(), Finding> {
        self.outside = false;
        if self.interchanges.len() >= MOST_INTERCHANGES {
            let message = format!("more than {MOST_INTERCHANGES} interchanges in a file");
            return Err(Finding::new(LIMIT, SyntaxError::Unspecified, mark, message).end());
        }
        // Before the character set is known only its name is read, which is ASCII in every set.
        let separators = [advice.element_sep, advice.component_sep];
        let mut parts = bytes.split(|byte| separators.contains(byte)).skip(1);
        let named = |part: Option<&[u8]>| String::from_utf8_lossy(part.unwrap_or_default()).into_owned();
        let (set, version) = (named(parts.next()), named(parts.next()));
        if version != "4" {
            // Up to version 3 the place in UNA is reserved, and the character is one like any other.
            advice.repetition_sep = b' ';
        } else if self.una.is_empty() {
            advice.repetition_sep = b'*';
        }
        let mut una = std::mem::take(&mut self.una);
        una.entry("decimal_mark".to_owned())
            .or_insert_with(|| JValue::from("."));
        let text = Text::of(&set, self.format.encoding);
        let decoded = text.clone().unwrap_or(Text::Declared(Charset::UnoC));
        let read = Segment::read(bytes, decoded, advice, mark);
        let (unb, mut wrong) = match read {
            Ok(unb) => (unb, None),
            Err(finding) => {
                let tag = "UNB".to_owned();
                (Segment { tag, elements: Vec::new() }, Some(finding))
            }
        };
        let party = |element| {
            let part = |component| unb.component(element, component).to_owned();
            (part(1), part(2))
        };
        let header = Header {
            syntax: (set, version),
            sender: party(2),
            receiver: party(3),
            control: unb.element(5).to_owned(),
            test: !unb.element(11).is_empty(),
        };
        if let Err(message) = text {
            let finding = Finding::new(SYNTAX, SyntaxError::CharacterSetNotSupported, mark, message);
            wrong = wrong.or_else(|| Some(finding.at("UNB", 1, 1)));
        }
        let wrong = wrong
            .or_else(|| self.blanks(mark))
            .or_else(|| self.refusal(&header, mark));
        (self.sink)(Event::Opened(Box::new(header.clone())));
        let refused = wrong.is_some();
        if let Some(finding) = wrong {
            self.tell(finding);
        }
        self.interchanges.insert(key(&header));
        self.interchange = Some(Interchange {
            header,
            text: decoded,
            advice,
            una: JValue::object(una),
            unb: JValue::object(unb.object(None)),
            refused,
            messages: 0,
            groups: 0,
            ungrouped: 0,
            references: BTreeSet::new(),
            group_references: BTreeSet::new(),
            group: None,
            message: None,
            outside: false,
        });
        Ok(())
    }

    /// Why nothing of an interchange is taken.
    fn refusal(&self, header: &Header, mark: Mark) -> Option<Finding> {
        let finding = |code, syntax, element: usize, message: String| {
            let component = if element == 1 { 2 } else { 1 };
            Some(Finding::new(code, syntax, mark, message).at("UNB", element, component))
        };
        let Header { sender, receiver, control, .. } = header;
        if !["1", "2", "3", "4"].contains(&header.syntax.1.as_str()) {
            let message = format!("syntax version `{}`; 1 to 4 can be read", header.syntax.1);
            return finding(SYNTAX, SyntaxError::SyntaxVersionNotSupported, 1, message);
        }
        for (element, what, value) in [
            (2, "sender", &sender.0),
            (3, "receiver", &receiver.0),
            (5, "reference", control),
        ] {
            if value.is_empty() {
                let message = format!("the interchange has no {what}");
                return finding(SYNTAX, SyntaxError::Missing, element, message);
            }
            if value.chars().count() > LONGEST_REFERENCE {
                let message = format!("the {what} has more than {LONGEST_REFERENCE} characters");
                return finding(LIMIT, SyntaxError::DataElementTooLong, element, message);
            }
        }
        let expected = [
            (2, SyntaxError::UnknownSender, "sent by", &sender.0, &self.format.sender),
            (3, SyntaxError::NotActualRecipient, "for", &receiver.0, &self.format.receiver),
        ];
        for (element, syntax, what, value, expected) in expected {
            if let Some(expected) = expected
                && expected != value
            {
                let message =
                    format!("the interchange is {what} `{value}`; this feed is {what} `{expected}`");
                return finding(PARTNER, syntax, element, message);
            }
        }
        if header.test && self.format.test == Test::Refuse {
            let message = "the interchange says it is a test: with `test: take` it is read like any other";
            return finding(TEST, SyntaxError::TestIndicatorNotSupported, 11, message.to_owned());
        }
        if self.interchanges.contains(&key(header)) {
            let message = format!("interchange {control} of {} is in the file before", sender.0);
            return finding(DUPLICATE, SyntaxError::DuplicateDetected, 5, message);
        }
        None
    }

    fn ung(&mut self, mark: Mark, read: Result<Segment, Finding>, blanks: Option<Finding>) {
        self.drop_message(mark, "UNT is missing before UNG");
        self.drop_group(mark);
        let Some(interchange) = &mut self.interchange else {
            return;
        };
        interchange.outside = false;
        interchange.groups += 1;
        let (ung, mut refused) = match read {
            Ok(ung) => (ung, blanks),
            Err(finding) => {
                let tag = "UNG".to_owned();
                (Segment { tag, elements: Vec::new() }, Some(finding))
            }
        };
        let control = ung.element(5).to_owned();
        let wrong = |code, syntax, message: String| {
            Some(Finding::new(code, syntax, mark, message).at("UNG", 5, 1))
        };
        if refused.is_some() {
        } else if control.is_empty() || control.len() > LONGEST_REFERENCE {
            let message = format!("the group has no reference, or one of more than {LONGEST_REFERENCE} characters");
            refused = wrong(SYNTAX, SyntaxError::Missing, message);
        } else if interchange.ungrouped > 0 {
            let message = format!("group {control}: messages before it are in no group");
            refused = wrong(SYNTAX, SyntaxError::GroupsAndMessagesMixed, message);
        } else if !interchange.group_references.insert(control.clone()) {
            let message = format!("group {control} is in the interchange before");
            refused = wrong(DUPLICATE, SyntaxError::DuplicateDetected, message);
        }
        interchange.group = Some(Group {
            control,
            ung: JValue::object(ung.object(None)),
            messages: 0,
            refused: refused.clone(),
        });
        if let Some(finding) = refused {
            self.tell(finding);
        }
    }

    fn unh(&mut self, mark: Mark, read: Result<Segment, Finding>, blanks: Option<Finding>) {
        self.drop_message(mark, "UNT is missing before the next UNH");
        let lenient = self.format.overlooks(Lenient::UnknownSegments);
        let Some(interchange) = &mut self.interchange else {
            return;
        };
        interchange.outside = false;
        interchange.messages += 1;
        let mut findings: Vec<Finding> = blanks.into_iter().collect();
        if let Some(group) = &mut interchange.group {
            group.messages += 1;
            findings.extend(group.refused.clone());
        } else {
            interchange.ungrouped += 1;
        }
        let unh = read.unwrap_or_else(|finding| {
            findings.push(finding);
            let tag = "UNH".to_owned();
            Segment { tag, elements: Vec::new() }
        });
        let (kind, control) = (unh.component(2, 1), unh.element(1));
        let wrong = |code, syntax, element, message: String| {
            Finding::new(code, syntax, mark, message).at("UNH", element, 1)
        };
        let name = format!("{kind} {control}");
        let added = if !findings.is_empty() {
            None
        } else if interchange.messages > MOST_MESSAGES {
            let message = format!("more than {MOST_MESSAGES} messages in an interchange");
            Some(wrong(LIMIT, SyntaxError::Unspecified, 1, message))
        } else if kind.is_empty() {
            let message = "the message does not say what it is".to_owned();
            Some(wrong(SYNTAX, SyntaxError::Missing, 2, message))
        } else if control.is_empty() || control.chars().count() > LONGEST_REFERENCE {
            let message = format!("{kind}: the message has no reference, or one of more than {LONGEST_REFERENCE} characters");
            Some(wrong(SYNTAX, SyntaxError::Missing, 1, message))
        } else if interchange.groups > 0 && interchange.group.is_none() {
            let message = format!("{name}: the message is in no group, others are");
            Some(wrong(SYNTAX, SyntaxError::GroupsAndMessagesMixed, 1, message))
        } else if !interchange.references.insert(control.to_owned()) {
            let message = format!("{name}: the reference is in the interchange before");
            Some(wrong(DUPLICATE, SyntaxError::DuplicateDetected, 1, message))
        } else {
            None
        };
        findings.extend(added);
        for finding in &mut findings {
            finding.position = Some(1);
        }
        interchange.message = Some(Open {
            mark,
            builder: Builder::new(kind, name, lenient),
            unh,
            count: 1,
            findings,
        });
    }

    fn other(&mut self, mark: Mark, read: Result<Segment, Finding>, blanks: Option<Finding>) {
        let Some(interchange) = &mut self.interchange else {
            return;
        };
        let Some(message) = &mut interchange.message else {
            if !std::mem::replace(&mut interchange.outside, true) {
                let text = "segments that belong to no message: UNH is missing before them";
                let syntax = SyntaxError::InvalidOccurrenceOutsideMessage;
                self.tell(Finding::new(SYNTAX, syntax, mark, text));
            }
            return;
        };
        message.count += 1;
        if let Some(finding) = blanks {
            message.wrong(finding);
        }
        // Of a message that is refused nothing more is kept; its segments are read for what else is wrong with them.
        let added = read.and_then(|segment| {
            if message.findings.is_empty() {
                message.builder.add(&segment, mark, message.count)
            } else {
                Ok(())
            }
        });
        if let Err(finding) = added {
            message.wrong(finding);
        }
    }

    fn unt(&mut self, mark: Mark, read: Result<Segment, Finding>, blanks: Option<Finding>) {
        let Some(mut message) = self.interchange.as_mut().and_then(|one| one.message.take()) else {
            return self.other(mark, read, blanks);
        };
        message.count += 1;
        if let Some(finding) = blanks {
            message.wrong(finding);
        }
        let unt = match read {
            Ok(unt) => unt,
            Err(finding) => {
                message.wrong(finding);
                return self.give(message, None);
            }
        };
        let name = message.name();
        if !counted(unt.element(1), message.count) && !self.format.overlooks(Lenient::Counts) {
            let text = format!(
                "{name}: UNT says {} segments, {} came: with `lenient: [counts]` it is overlooked",
                said(unt.element(1)),
                message.count
            );
            message.wrong(
                Finding::new(SYNTAX, SyntaxError::ControlCountMismatch, mark, text).at("UNT", 1, 1),
            );
        }
        if unt.element(2) != message.unh.element(1)
            && !self.format.overlooks(Lenient::ControlNumbers)
        {
            let text = format!(
                "{name}: UNT is of message {}: with `lenient: [control_numbers]` it is overlooked",
                said(unt.element(2))
            );
            message.wrong(
                Finding::new(SYNTAX, SyntaxError::ReferencesDoNotMatch, mark, text).at("UNT", 2, 1),
            );
        }
        self.give(message, Some((mark, unt)));
    }

    /// Gives a message that ended, whole or not.
    fn give(&mut self, message: Open, end: Option<(Mark, Segment)>) {
        let Open { mark, unh, builder, mut findings, .. } = message;
        let mut value = IndexMap::new();
        if let Some((end, unt)) = end.filter(|_| findings.is_empty())
            && let Some(interchange) = &self.interchange
        {
            value.insert("UNA".to_owned(), interchange.una.clone());
            value.insert("UNB".to_owned(), interchange.unb.clone());
            if let Some(group) = &interchange.group {
                value.insert("UNG".to_owned(), group.ung.clone());
            }
            value.insert("UNH".to_owned(), JValue::object(unh.object(None)));
            match builder.finish(end) {
                Ok(parts) => value.extend(parts),
                Err(finding) => findings.push(finding),
            }
            value.insert("UNT".to_owned(), JValue::object(unt.object(None)));
        }
        let branch = if findings.is_empty() {
            Ok(Branch { line: mark.line, segment: Some(mark.number), value })
        } else {
            Err(findings)
        };
        (self.sink)(Event::Message(Box::new(Message {
            kind: unh.component(2, 1).to_owned(),
            control: unh.element(1).to_owned(),
            identifier: unh.elements.get(1).cloned().unwrap_or_default(),
            branch,
        })));
    }

    fn une(&mut self, mark: Mark, read: Result<Segment, Finding>, blanks: Option<Finding>) {
        self.drop_message(mark, "UNT is missing before UNE");
        let Some(group) = self.interchange.as_mut().and_then(|one| one.group.take()) else {
            let text = "UNE ends no group: UNG is missing";
            let syntax = SyntaxError::InvalidOccurrenceOutsideMessage;
            return self.tell(Finding::new(SYNTAX, syntax, mark, text));
        };
        let name = format!("group {}", group.control);
        self.trailer(mark, read, blanks, &name, &group.control, group.messages, "messages");
    }

    fn unz(&mut self, mark: Mark, read: Result<Segment, Finding>, blanks: Option<Finding>) {
        self.drop_message(mark, "UNT is missing before UNZ");
        self.drop_group(mark);
        let Some(interchange) = self.interchange.take() else {
            return;
        };
        let (count, what) = if interchange.groups > 0 {
            (interchange.groups, "groups")
        } else {
            (interchange.messages, "messages")
        };
        let control = &interchange.header.control;
        let name = format!("interchange {control}");
        self.trailer(mark, read, blanks, &name, control, count, what);
        (self.sink)(Event::Closed);
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "what UNE and UNZ have in common"
    )]
    fn trailer(
        &mut self,
        mark: Mark,
        read: Result<Segment, Finding>,
        blanks: Option<Finding>,
        name: &str,
        control: &str,
        count: u64,
        what: &str,
    ) {
        if let Some(finding) = blanks {
            self.tell(finding);
        }
        let end = match read {
            Ok(end) => end,
            Err(finding) => return self.tell(finding),
        };
        let tag = end.tag.as_str();
        if !counted(end.element(1), count) && !self.format.overlooks(Lenient::Counts) {
            let text = format!(
                "{name}: {tag} says {} {what}, {count} came: with `lenient: [counts]` it is overlooked",
                said(end.element(1))
            );
            let syntax = SyntaxError::ControlCountMismatch;
            self.tell(Finding::new(SYNTAX, syntax, mark, text).at(tag, 1, 1));
        }
        if end.element(2) != control && !self.format.overlooks(Lenient::ControlNumbers) {
            let text = format!(
                "{name}: {tag} is of {}: with `lenient: [control_numbers]` it is overlooked",
                said(end.element(2))
            );
            let syntax = SyntaxError::ReferencesDoNotMatch;
            self.tell(Finding::new(SYNTAX, syntax, mark, text).at(tag, 2, 1));
        }
    }
}

fn key(header: &Header) -> (String, String, String) {
    // What is too long was refused, and is not kept.
    let short = |text: &str| text.chars().take(LONGEST_REFERENCE).collect();
    (
        short(&header.sender.0),
        short(&header.receiver.0),
        short(&header.control),
    )
}

/// A count as senders write it, some with zeros in front.
fn counted(text: &str, count: u64) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse() == Ok(count)
}

fn said(text: &str) -> &str {
    if text.is_empty() { "nothing" } else { text }
}
