//! What is answered to an interchange: a 997 for each of its groups, and a TA1 for the interchange itself.

use jiff::civil::DateTime;

use super::envelope::{self, Closing, Event};
use super::finding::{Finding, Place, Told, refusing};
use super::structure;
use super::tokens::{Header, Segment};
use super::write::{Element, Envelope, Out, Party, Unwritable, counted_up};
use super::{Delimiters, Reject, X12};
use crate::edi::{Fault, Group, Interchange, Set, Standard, Status};
use crate::format;

/// As many findings of sets are kept of a file; of sets after that, one each.
const MOST_FINDINGS: usize = 20_000;

/// An interchange as it is judged, with what the answer repeats of it.
struct Judged {
    interchange: Interchange,
    header: Header,
    findings: Vec<Finding>,
    groups: Vec<JudgedGroup>,
    /// Sets that stand in no group.
    loose: Vec<JudgedSet>,
}

struct JudgedGroup {
    kind: String,
    control: String,
    version: String,
    sender: String,
    receiver: String,
    closing: Closing,
    sets: Vec<JudgedSet>,
}

struct JudgedSet {
    kind: String,
    control: String,
    findings: Vec<Finding>,
}

impl JudgedSet {
    fn is_taken(&self) -> bool {
        refusing(&self.findings).is_none()
    }
}

/// Judges a file and writes the answer.
pub(crate) fn acknowledge(
    format: &X12,
    bytes: &[u8],
    now: DateTime,
    control_number: &str,
) -> Result<(Vec<Interchange>, String), Fault> {
    let (judged, ended) = judge(format, bytes);
    if judged.is_empty() {
        let nothing = || format::Fault::end("edi_syntax", 1, "the file is empty");
        return Err(ended.err().unwrap_or_else(nothing).into());
    }
    let mut answer = String::new();
    let mut written = 0;
    let mut interchanges = Vec::with_capacity(judged.len());
    for mut one in judged {
        match answer_to(&one, now, control_number, written) {
            Ok(Some(text)) => {
                answer.push_str(&text);
                written += 1;
            }
            Ok(None) => {}
            // The sender cannot be addressed; the others can.
            Err(error) => one.interchange.faults.push(Fault {
                code: "edi_syntax",
                line: one.header.at.line,
                segment: Some(one.header.at.segment),
                element: Some(error.element.clone()),
                message: format!("no acknowledgment can be written: {error}"),
            }),
        }
        interchanges.push(one.interchange);
    }
    Ok((interchanges, answer))
}

fn judge(format: &X12, bytes: &[u8]) -> (Vec<Judged>, Result<(), format::Fault>) {
    let mut all: Vec<Judged> = Vec::new();
    let mut delimiters = Delimiters::default();
    let mut in_group = false;
    let mut kept = 0;
    let ended = envelope::read(bytes, format, &mut |event| match event {
        Event::Interchange(header) => {
            delimiters = header.delimiters.as_ref().ok().copied().unwrap_or_default();
            all.push(Judged::new(header));
        }
        Event::Receipt(_) => {}
        Event::Group(segment) => {
            in_group = true;
            if let Some(one) = all.last_mut() {
                one.groups.push(JudgedGroup::new(segment));
            }
        }
        Event::Set(set) => {
            let (kind, control) = (set.kind().to_owned(), set.control().to_owned());
            // The document is dropped at once: only what is wrong with it is kept.
            let mut findings = structure::read(*set, format, &delimiters).findings;
            kept += findings.len();
            if kept > MOST_FINDINGS {
                // What refuses it stays.
                findings.sort_by_key(|finding| finding.excused);
                findings.truncate(1);
            }
            let set = JudgedSet {
                kind,
                control,
                findings,
            };
            let Some(one) = all.last_mut() else { return };
            match one.groups.last_mut().filter(|_| in_group) {
                Some(group) => group.sets.push(set),
                None => one.loose.push(set),
            }
        }
        Event::GroupEnd(closing) => {
            in_group = false;
            if let Some(group) = all.last_mut().and_then(|one| one.groups.last_mut()) {
                group.closing = closing;
            }
        }
        Event::InterchangeEnd(closing) => {
            if let Some(one) = all.last_mut() {
                one.findings = closing.findings;
                one.decide(format);
            }
        }
    });
    (all, ended)
}

impl Judged {
    fn new(header: &Header) -> Self {
        let party = |element: usize| {
            format!(
                "{}:{}",
                header.element(element),
                header.element(element + 1)
            )
        };
        Self {
            interchange: Interchange {
                standard: Standard::X12,
                sender: party(5),
                receiver: party(7),
                control: header.element(13).to_owned(),
                test: header.element(15) != "P",
                date_time: format!("{} {}", header.element(9), header.element(10)),
                groups: Vec::new(),
                sets: Vec::new(),
                accepted: Status::Accepted,
                faults: Vec::new(),
            },
            header: header.clone(),
            findings: Vec::new(),
            groups: Vec::new(),
            loose: Vec::new(),
        }
    }

    /// What becomes of its parts, once all of it is known.
    fn decide(&mut self, format: &X12) {
        let broken = refusing(&self.findings).is_some();
        let all_or_nothing = format.reject == Reject::Interchange
            && self.groups.iter().any(|group| {
                refusing(&group.closing.findings).is_some()
                    || group.sets.iter().any(|set| !set.is_taken())
            });
        let mut statuses = Vec::new();
        for (index, group) in self.groups.iter().enumerate() {
            let refused = broken || all_or_nothing || group.is_refused();
            for set in &group.sets {
                self.interchange.sets.push(Set {
                    kind: set.kind.clone(),
                    control: set.control.clone(),
                    group: Some(index),
                    accepted: !refused && set.is_taken(),
                    faults: faults(&set.findings),
                });
            }
            let status = group.status(refused);
            statuses.push(status);
            self.interchange.groups.push(Group {
                kind: group.kind.clone(),
                control: group.control.clone(),
                version: group.version.clone(),
                accepted: status,
                faults: faults(&group.closing.findings),
            });
        }
        for set in &self.loose {
            self.interchange.sets.push(Set {
                kind: set.kind.clone(),
                control: set.control.clone(),
                group: None,
                accepted: false,
                faults: faults(&set.findings),
            });
        }
        let all = |wanted: Status| statuses.iter().all(|status| *status == wanted);
        self.interchange.accepted = if broken || all_or_nothing {
            Status::Rejected
        } else if all(Status::Accepted) {
            noted(&self.findings)
        } else if all(Status::Rejected) {
            Status::Rejected
        } else if statuses.contains(&Status::Rejected) || statuses.contains(&Status::PartlyAccepted)
        {
            Status::PartlyAccepted
        } else {
            Status::AcceptedWithErrors
        };
        self.interchange.faults = faults(&self.findings);
    }
}

impl JudgedGroup {
    fn new(segment: &Segment) -> Self {
        Self {
            kind: segment.element(1).to_owned(),
            control: segment.element(6).to_owned(),
            version: segment.element(8).to_owned(),
            sender: segment.element(2).to_owned(),
            receiver: segment.element(3).to_owned(),
            closing: Closing::default(),
            sets: Vec::new(),
        }
    }

    /// Whether an answer can say which group it is about.
    fn can_be_named(&self, delimiters: &Delimiters) -> bool {
        let number = &self.control;
        let is_number =
            (1..=9).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
        is_number && is_name(&self.kind, delimiters)
    }

    fn is_refused(&self) -> bool {
        refusing(&self.closing.findings).is_some()
    }

    fn status(&self, refused: bool) -> Status {
        let taken = self.sets.iter().filter(|set| set.is_taken()).count();
        if refused || (taken == 0 && !self.sets.is_empty()) {
            Status::Rejected
        } else if taken < self.sets.len() {
            Status::PartlyAccepted
        } else if self.sets.iter().any(|set| !set.findings.is_empty()) {
            Status::AcceptedWithErrors
        } else {
            noted(&self.closing.findings)
        }
    }
}

/// Whether something can be repeated in an answer.
fn is_name(text: &str, delimiters: &Delimiters) -> bool {
    !text.is_empty() && visible(text, delimiters) == text
}

/// Text without what cannot be written.
fn visible(text: &str, delimiters: &Delimiters) -> String {
    let fits = |one: &char| !one.is_control() && !delimiters.has(*one);
    text.chars().filter(fits).collect()
}

/// The status of what is taken.
fn noted(findings: &[Finding]) -> Status {
    if findings.is_empty() {
        Status::Accepted
    } else {
        Status::AcceptedWithErrors
    }
}

fn faults(findings: &[Finding]) -> Vec<Fault> {
    findings
        .iter()
        .map(|finding| finding.fault().into())
        .collect()
}

/// A, E, P or R.
fn letter(status: Status) -> &'static str {
    match status {
        Status::Accepted => "A",
        Status::AcceptedWithErrors => "E",
        Status::PartlyAccepted => "P",
        Status::Rejected => "R",
    }
}

/// The interchange that answers one; nothing when there is nothing to answer.
fn answer_to(
    judged: &Judged,
    now: DateTime,
    control_number: &str,
    earlier: usize,
) -> Result<Option<String>, Unwritable> {
    let header = &judged.header;
    // Written as the partner writes: what is repeated of his has few separators in it then.
    let delimiters = header.delimiters.as_ref().ok().copied().unwrap_or_default();
    let broken = refusing(&judged.findings);
    // Acknowledgments are not acknowledged. Of an interchange that is refused only the TA1 speaks.
    let groups = judged.groups.iter().zip(&judged.interchange.groups);
    let owed: Vec<_> = groups.filter(|(group, _)| group.kind != "FA").collect();
    let only_acknowledgments = !judged.groups.is_empty() && owed.is_empty();
    let named: Vec<_> = owed
        .iter()
        .filter(|(group, _)| broken.is_none() && group.can_be_named(&delimiters))
        .collect();
    let unnamed = broken.is_none() && named.len() < owed.len();
    let asked = header.element(14) == "1";
    let noted = !judged.findings.is_empty() && !only_acknowledgments;
    let receipt = (asked || noted || unnamed || broken.is_some())
        .then(|| receipt(judged, broken, unnamed, &delimiters));
    if receipt.is_none() && named.is_empty() {
        return Ok(None);
    }
    let control = counted_up("ISA13", control_number, earlier, 9)?;
    let party = |element: usize| Party {
        qualifier: header.element(element).to_owned(),
        id: header.element(element + 1).to_owned(),
        group_id: String::new(),
    };
    let mut envelope = Envelope {
        sender: party(7),
        receiver: party(5),
        interchange_control: control.clone(),
        group_control: String::new(),
        set_control: "0001".to_owned(),
        functional_id: "FA".to_owned(),
        version: USUAL_VERSION.to_owned(),
        test: header.element(15) != "P",
        asks_acknowledgment: false,
        date_time: now,
        delimiters,
    };
    let mut out = Out::new(delimiters)?;
    let controls = header.element(12);
    let digits = controls.bytes().all(|byte| byte.is_ascii_digit());
    let controls = if controls.len() == 5 && digits {
        controls
    } else {
        "00401"
    };
    out.begin(&envelope, controls)?;
    if let Some(receipt) = receipt {
        out.segment(&receipt)?;
    }
    for (number, (group, decided)) in named.iter().enumerate() {
        envelope.sender.group_id = visible(&group.receiver, &delimiters);
        envelope.receiver.group_id = visible(&group.sender, &delimiters);
        let version = visible(&group.version, &delimiters);
        let version = if version.len() < 6 {
            USUAL_VERSION.to_owned()
        } else {
            version
        };
        envelope.version = version;
        let set = functional(group, decided.accepted, &delimiters);
        out.group(&envelope, &(number + 1).to_string(), "997", &[set])?;
    }
    out.end(&control, named.len())?;
    Ok(Some(out.text))
}

/// The version of an answer to what names none.
const USUAL_VERSION: &str = "004010";

/// TA1: what becomes of the interchange itself.
fn receipt(
    judged: &Judged,
    broken: Option<&Finding>,
    unnamed: bool,
    delimiters: &Delimiters,
) -> Vec<Element> {
    let header = &judged.header;
    let finding = broken.or(judged.findings.first());
    let told = finding.map(|finding| match finding.told {
        Told::Interchange(code) => code,
        Told::Group(_) | Told::Set(_) | Told::Segment(..) | Told::Element { .. } => "024",
    });
    let (status, note) = match (broken, told) {
        (Some(_), told) => (Status::Rejected, told.unwrap_or("024")),
        (None, Some(told)) => (Status::AcceptedWithErrors, told),
        (None, None) if unnamed => (Status::AcceptedWithErrors, "024"),
        (None, None) => (Status::Accepted, "000"),
    };
    [
        "TA1",
        header.element(13),
        header.element(9),
        header.element(10),
        letter(status),
        note,
    ]
    .map(|element| Element::from(visible(element, delimiters)))
    .to_vec()
}

/// A 997 between its ST and SE.
fn functional(group: &JudgedGroup, status: Status, delimiters: &Delimiters) -> Vec<Vec<Element>> {
    let mut segments = vec![line(["AK1", &group.kind, &group.control])];
    let refused = status == Status::Rejected;
    let mut taken = 0;
    for set in &group.sets {
        // Of a group that is refused as a whole only those are named that have a fault themselves: no code says
        // that a set was right and is refused.
        if set.is_taken() && refused {
            continue;
        }
        taken += usize::from(set.is_taken());
        if !is_name(&set.kind, delimiters) || !is_name(&set.control, delimiters) {
            continue;
        }
        segments.push(line(["AK2", &set.kind, &set.control]));
        acknowledge_set(set, &mut segments);
    }
    let codes = group
        .closing
        .findings
        .iter()
        .filter_map(|finding| match finding.told {
            Told::Group(code) => Some(code),
            Told::Interchange(_) | Told::Set(_) | Told::Segment(..) | Told::Element { .. } => None,
        });
    let count = group.closing.count.to_string();
    let said = group
        .closing
        .said
        .map_or_else(|| count.clone(), |said| said.to_string());
    let mut end = line(["AK9", letter(status), &said, &count, &taken.to_string()]);
    end.extend(distinct(codes).map(Element::from));
    segments.push(end);
    segments
}

fn line<const N: usize>(elements: [&str; N]) -> Vec<Element> {
    elements.map(Element::from).to_vec()
}

/// The first five different codes.
fn distinct<'c>(codes: impl Iterator<Item = &'c str>) -> impl Iterator<Item = &'c str> {
    let mut seen: Vec<&str> = Vec::new();
    for code in codes {
        if !seen.contains(&code) && seen.len() < 5 {
            seen.push(code);
        }
    }
    seen.into_iter()
}

/// AK3, AK4 and AK5 of a set.
fn acknowledge_set(set: &JudgedSet, segments: &mut Vec<Vec<Element>>) {
    let mut places: Vec<(&Place, Vec<&Finding>)> = Vec::new();
    for finding in &set.findings {
        let place = match &finding.told {
            Told::Segment(place, _) | Told::Element { place, .. } => place,
            Told::Interchange(_) | Told::Group(_) | Told::Set(_) => continue,
        };
        match places.iter_mut().find(|(known, _)| *known == place) {
            Some((_, findings)) => findings.push(finding),
            None => places.push((place, vec![finding])),
        }
    }
    places.sort_by_key(|(place, _)| place.position);
    for (place, findings) in &places {
        let codes = findings.iter().map(|finding| match finding.told {
            Told::Segment(_, code) => code,
            // The segment has elements that are wrong.
            Told::Element { .. } | Told::Interchange(_) | Told::Group(_) | Told::Set(_) => "8",
        });
        // A segment without a name cannot be named; AK5 tells of it.
        if place.id.len() < 2 {
            continue;
        }
        let position = place.position.to_string();
        let within = place.within.as_deref().unwrap_or_default();
        let mut segment = line(["AK3", &place.id, &position, within]);
        segment.extend(distinct(codes).map(Element::from));
        segments.push(segment);
        for finding in findings {
            if let Told::Element { number, code, .. } = finding.told {
                segments.push(line(["AK4", &number.to_string(), "", code]));
            }
        }
    }
    let of_set = set.findings.iter().map(|finding| match finding.told {
        Told::Set(code) => code,
        Told::Segment(..) | Told::Element { .. } | Told::Interchange(_) | Told::Group(_) => "5",
    });
    let status = if set.is_taken() {
        noted(&set.findings)
    } else {
        Status::Rejected
    };
    let mut end = line(["AK5", letter(status)]);
    end.extend(distinct(of_set).map(Element::from));
    segments.push(end);
}
