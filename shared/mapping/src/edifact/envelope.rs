//! Interchanges, groups and messages: headers, trailers, references and counts.

mod part;

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
    /// Something is wrong with the interchange: nothing of it is taken.
    Wrong(Finding),
    /// Something is wrong with a group: its messages say it, too.
    WrongGroup(Finding),
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
    /// Where it is.
    pub(crate) mark: Mark,
    /// Why nothing of the interchange is taken.
    pub(crate) refused: Option<Finding>,
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
pub(crate) fn read(bytes: impl Read, format: &Edifact, sink: &mut Sink<'_>) -> Result<(), Finding> {
    let mut reader = Reader {
        format,
        sink,
        count: 0,
        interchanges: BTreeSet::new(),
        una: IndexMap::new(),
        interchange: None,
        outside: false,
    };
    let mut cutter = Cutter::new(bytes);
    loop {
        let cut = match cutter.next() {
            Ok(cut) => cut,
            Err(error) => {
                let mark = Mark {
                    line: 1,
                    ..Mark::default()
                };
                reader.break_off(mark, false);
                let text = error.to_string();
                return Err(
                    Finding::new("file_unreadable", SyntaxError::Unspecified, mark, text).end(),
                );
            }
        };
        if !reader.piece(cut, cutter.bytes(), cutter.advice)? {
            return Ok(());
        }
    }
}

struct Reader<'f, 's> {
    format: &'f Edifact,
    sink: &'f mut Sink<'s>,
    /// How many interchanges there were.
    count: usize,
    /// Sender, receiver and reference of each of them.
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

    /// Whether enough is wrong with it, or too much in it, to look at its segments any longer.
    fn is_given_up(&self) -> bool {
        self.findings.len() >= MOST_FINDINGS || self.findings.iter().any(|one| one.code == LIMIT)
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
                    return Err(syntax(
                        Mark {
                            line: 1,
                            ..Mark::default()
                        },
                        message,
                    )
                    .end());
                }
            }
            Cut::BadAdvice(mark) => {
                self.break_off(mark, false);
                let message = "UNA names characters that cannot be told apart, or that are letters, digits or blanks: no segment can be read";
                return Err(Finding {
                    syntax: SyntaxError::InvalidAsServiceCharacter,
                    ..syntax(mark, message).end()
                });
            }
            Cut::Advice(mark) => {
                self.break_off(mark, false);
                self.check_blanks(mark);
                self.una = IndexMap::from([(
                    "decimal_mark".to_owned(),
                    JValue::from(char::from(advice.decimal_mark).to_string()),
                )]);
            }
            Cut::Unfinished(mark) => {
                self.break_off(mark, false);
                let message =
                    "the file ends within a segment: it was cut off, or a terminator is missing";
                return Err(syntax(mark, message).end());
            }
            Cut::End(mark) => {
                self.check_blanks(mark);
                self.break_off(mark, true);
                if self.count == 0 && !self.outside {
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
            self.break_off(mark, false);
            return self.unb(mark, bytes, advice);
        }
        let Some(interchange) = &mut self.interchange else {
            if self.count == 0 && !self.outside {
                let message = "the file begins neither with UNA nor with UNB: it is no interchange";
                return Err(Finding::new(
                    SYNTAX,
                    SyntaxError::InvalidOccurrenceOutsideMessage,
                    mark,
                    message,
                )
                .end());
            }
            if !std::mem::replace(&mut self.outside, true) {
                let message = "segments that belong to no interchange: UNB is missing before them";
                let finding = Finding::new(
                    SYNTAX,
                    SyntaxError::InvalidOccurrenceOutsideMessage,
                    mark,
                    message,
                );
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
        if let Some(message) = &mut interchange.message
            && message.is_given_up()
            && !tag.starts_with(b"UN")
        {
            message.count += 1;
            return Ok(());
        }
        let read = if too_long {
            let message = format!(
                "a segment of more than {} KB: a terminator is probably missing",
                LONGEST_SEGMENT >> 10
            );
            Err(Finding::new(
                LIMIT,
                SyntaxError::DataElementTooLong,
                mark,
                message,
            ))
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

    /// An interchange that has not ended: its message, its group and itself. The file may end with it.
    fn break_off(&mut self, mark: Mark, ends: bool) {
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
            self.tell(Finding {
                ends,
                ..Finding::new(SYNTAX, SyntaxError::Missing, mark, message)
            });
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
        if self.count >= MOST_INTERCHANGES {
            let message = format!("more than {MOST_INTERCHANGES} interchanges in a file");
            return Err(Finding::new(LIMIT, SyntaxError::Unspecified, mark, message).end());
        }
        // Before the character set is known only its name is read, which is ASCII in every set.
        let separators = [advice.element_sep, advice.component_sep];
        let mut parts = bytes.split(|byte| separators.contains(byte)).skip(1);
        let named =
            |part: Option<&[u8]>| String::from_utf8_lossy(part.unwrap_or_default()).into_owned();
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
                (
                    Segment {
                        tag,
                        elements: Vec::new(),
                    },
                    Some(finding),
                )
            }
        };
        let party = |element| {
            let part = |component| unb.component(element, component).to_owned();
            (part(1), part(2))
        };
        let mut header = Header {
            syntax: (set, version),
            sender: party(2),
            receiver: party(3),
            control: unb.element(5).to_owned(),
            test: !unb.element(11).is_empty(),
            mark,
            refused: None,
        };
        if let Err(message) = text {
            let finding =
                Finding::new(SYNTAX, SyntaxError::CharacterSetNotSupported, mark, message);
            wrong = wrong.or_else(|| Some(finding.at("UNB", 1, 1)));
        }
        header.refused = wrong
            .or_else(|| self.blanks(mark))
            .or_else(|| self.refusal(&header, mark));
        (self.sink)(Event::Opened(Box::new(header.clone())));
        let refused = header.refused.is_some();
        self.count += 1;
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
        let Header {
            sender,
            receiver,
            control,
            ..
        } = header;
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
            (
                2,
                SyntaxError::UnknownSender,
                "sent by",
                &sender.0,
                &self.format.sender,
            ),
            (
                3,
                SyntaxError::NotActualRecipient,
                "for",
                &receiver.0,
                &self.format.receiver,
            ),
        ];
        for (element, syntax, what, value, expected) in expected {
            if let Some(expected) = expected
                && expected != value
            {
                let message = format!(
                    "the interchange is {what} `{value}`; this feed is {what} `{expected}`"
                );
                return finding(PARTNER, syntax, element, message);
            }
        }
        if header.test && self.format.test == Test::Refuse {
            let message =
                "the interchange says it is a test: with `test: take` it is read like any other";
            return finding(
                TEST,
                SyntaxError::TestIndicatorNotSupported,
                11,
                message.to_owned(),
            );
        }
        if self.interchanges.contains(&key(header)) {
            let message = format!(
                "interchange {control} of {} is in the file before",
                sender.0
            );
            return finding(DUPLICATE, SyntaxError::DuplicateDetected, 5, message);
        }
        None
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
