//! Groups and messages within an interchange, and its end.

use edifact_rs::SyntaxError;
use indexmap::IndexMap;
use jsonata_core::value::JValue;

use super::{Event, Group, LONGEST_REFERENCE, MOST_MESSAGES, Message, Open, Reader};
use crate::edifact::Lenient;
use crate::edifact::cut::Mark;
use crate::edifact::finding::{DUPLICATE, Finding, LIMIT, SYNTAX};
use crate::edifact::message::Builder;
use crate::edifact::segment::Segment;
use crate::format::Branch;

impl Reader<'_, '_> {
    pub(super) fn ung(
        &mut self,
        mark: Mark,
        read: Result<Segment, Finding>,
        blanks: Option<Finding>,
    ) {
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
                (
                    Segment {
                        tag,
                        elements: Vec::new(),
                    },
                    Some(finding),
                )
            }
        };
        let control = ung.element(5).to_owned();
        let wrong = |code, syntax, message: String| {
            Some(Finding::new(code, syntax, mark, message).at("UNG", 5, 1))
        };
        if refused.is_some() {
        } else if control.is_empty() || control.len() > LONGEST_REFERENCE {
            let message = format!(
                "the group has no reference, or one of more than {LONGEST_REFERENCE} characters"
            );
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
            (self.sink)(Event::WrongGroup(finding));
        }
    }

    pub(super) fn unh(
        &mut self,
        mark: Mark,
        read: Result<Segment, Finding>,
        blanks: Option<Finding>,
    ) {
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
            Segment {
                tag,
                elements: Vec::new(),
            }
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
            let message = format!(
                "{kind}: the message has no reference, or one of more than {LONGEST_REFERENCE} characters"
            );
            Some(wrong(SYNTAX, SyntaxError::Missing, 1, message))
        } else if interchange.groups > 0 && interchange.group.is_none() {
            let message = format!("{name}: the message is in no group, others are");
            Some(wrong(
                SYNTAX,
                SyntaxError::GroupsAndMessagesMixed,
                1,
                message,
            ))
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

    pub(super) fn other(
        &mut self,
        mark: Mark,
        read: Result<Segment, Finding>,
        blanks: Option<Finding>,
    ) {
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

    pub(super) fn unt(
        &mut self,
        mark: Mark,
        read: Result<Segment, Finding>,
        blanks: Option<Finding>,
    ) {
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
    pub(super) fn give(&mut self, message: Open, end: Option<(Mark, Segment)>) {
        let Open {
            mark,
            unh,
            builder,
            mut findings,
            ..
        } = message;
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
            Ok(Branch {
                line: mark.line,
                segment: Some(mark.number),
                value,
            })
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

    pub(super) fn une(
        &mut self,
        mark: Mark,
        read: Result<Segment, Finding>,
        blanks: Option<Finding>,
    ) {
        self.drop_message(mark, "UNT is missing before UNE");
        let Some(group) = self.interchange.as_mut().and_then(|one| one.group.take()) else {
            let text = "UNE ends no group: UNG is missing";
            let syntax = SyntaxError::InvalidOccurrenceOutsideMessage;
            return self.tell(Finding::new(SYNTAX, syntax, mark, text));
        };
        let name = format!("group {}", group.control);
        self.trailer(
            mark,
            read,
            blanks,
            &name,
            &group.control,
            group.messages,
            "messages",
        );
    }

    pub(super) fn unz(
        &mut self,
        mark: Mark,
        read: Result<Segment, Finding>,
        blanks: Option<Finding>,
    ) {
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

    #[expect(clippy::too_many_arguments, reason = "what UNE and UNZ have in common")]
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

/// A count as senders write it, some with zeros in front.
fn counted(text: &str, count: u64) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse() == Ok(count)
}

fn said(text: &str) -> &str {
    if text.is_empty() { "nothing" } else { text }
}
