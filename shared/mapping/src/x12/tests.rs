//! Properties of whatever comes in, and of whatever is written.

use std::io::Read;

use indexmap::IndexMap;
use jiff::civil::{DateTime, date};
use jsonata_core::value::JValue;
use proptest::prelude::*;

use super::*;
use crate::format::{Branch, LINE, SEGMENT};

fn now() -> DateTime {
    date(2026, 11, 24).at(22, 5, 0, 0)
}

/// Documents and faults of a file.
fn read_all(format: &X12, bytes: &[u8]) -> (Vec<Branch>, Vec<Fault>) {
    let (mut documents, mut faults) = (Vec::new(), Vec::new());
    let open = || -> Result<Box<dyn Read + '_>, Fault> { Ok(Box::new(bytes)) };
    let ended = read(&open, format, &mut |read| match read {
        Ok(branch) => documents.push(branch),
        Err(fault) => faults.push(fault),
    });
    faults.extend(ended.err());
    (documents, faults)
}

fn taking_tests() -> X12 {
    X12 {
        test: Test::Take,
        ..X12::default()
    }
}

/// Every leniency there is.
fn lenient() -> X12 {
    X12 {
        lenient: [
            Lenient::IsaLength,
            Lenient::BlanksBetweenSegments,
            Lenient::ByteOrderMark,
            Lenient::Counts,
            Lenient::ControlNumbers,
            Lenient::UnknownSegments,
            Lenient::MissingSegments,
            Lenient::MissingElements,
        ]
        .into(),
        ..taking_tests()
    }
}

fn envelope(delimiters: Delimiters, version: &str) -> Envelope {
    let party = |id: &str| Party {
        qualifier: "ZZ".to_owned(),
        id: id.to_owned(),
        group_id: id.to_owned(),
    };
    Envelope {
        sender: party("PLANT"),
        receiver: party("ACME"),
        interchange_control: "12".to_owned(),
        group_control: "34".to_owned(),
        set_control: "0005".to_owned(),
        functional_id: "PO".to_owned(),
        version: version.to_owned(),
        test: false,
        asks_acknowledgment: false,
        date_time: now(),
        delimiters,
    }
}

type Written = Vec<Vec<Element>>;

/// A segment: its id, and its elements by name.
type Named = (String, Vec<(String, String)>);

/// Segments of a document in the order of the file.
fn flat(value: &IndexMap<String, JValue>) -> Vec<Named> {
    fn walk(id: &str, value: &JValue, all: &mut Vec<(u64, Named)>) {
        if let Some(list) = value.as_array() {
            list.iter().for_each(|one| walk(id, one, all));
            return;
        }
        let Some(object) = value.as_object() else {
            return;
        };
        let mut elements = Vec::new();
        for (name, value) in object {
            match value.as_str() {
                Some(text) if name != LINE && name != SEGMENT => {
                    elements.push((name.clone(), text.to_owned()));
                }
                Some(_) => {}
                None => walk(name, value, all),
            }
        }
        let place = object.get(SEGMENT).and_then(JValue::as_str);
        if let Some(place) = place {
            all.push((place.parse().unwrap(), (id.to_owned(), elements)));
        }
    }
    let mut all = Vec::new();
    for (id, part) in value {
        walk(id, part, &mut all);
    }
    all.sort_by_key(|(place, _)| *place);
    all.into_iter().map(|(_, named)| named).collect()
}

/// The same of what was written.
fn flat_written(segments: &Written) -> Vec<Named> {
    let named = segments.iter().map(|segment| {
        let Element::Value(id) = &segment[0] else {
            panic!()
        };
        let mut elements = Vec::new();
        for (number, element) in segment.iter().enumerate().skip(1) {
            let name = format!("{id}{number:02}");
            match element {
                Element::Value(text) if text.is_empty() => {}
                Element::Value(text) => elements.push((name, text.clone())),
                Element::Composite(parts) => {
                    let parts = parts
                        .iter()
                        .enumerate()
                        .filter(|(_, part)| !part.is_empty());
                    elements.extend(
                        parts.map(|(index, part)| (format!("{name}_{}", index + 1), part.clone())),
                    );
                }
            }
        }
        (id.clone(), elements)
    });
    named.collect()
}

const SEPARATORS: &str = "*|~^>:;!?\"'+=<{}[]`\\/@#$%&()_,.-\u{1c}\u{1d}\u{1e}\u{1f}§";

fn delimiters() -> impl Strategy<Value = Delimiters> {
    let separators: Vec<char> = SEPARATORS.chars().collect();
    (proptest::sample::subsequence(separators, 4), any::<bool>())
        .prop_flat_map(|(four, line)| (Just(four).prop_shuffle(), Just(line)))
        .prop_map(|(four, line)| Delimiters {
            element: four[0],
            component: four[1],
            repetition: Some(four[2]),
            terminator: if line { '\n' } else { four[3] },
        })
}

/// A value that has none of the separators in it.
fn value(text: &str, delimiters: Delimiters) -> String {
    let kept: String = text
        .chars()
        .filter(|one| !delimiters.has(*one) && !one.is_control())
        .collect();
    kept.trim().to_owned()
}

/// An order of these words with these separators.
fn order(words: &[String], delimiters: Delimiters) -> Written {
    let word = |index: usize| {
        let word = words.get(index % words.len().max(1));
        value(word.map_or("", String::as_str), delimiters)
    };
    let filled = |index: usize| {
        Some(word(index))
            .filter(|word| !word.is_empty())
            .unwrap_or("X".to_owned())
    };
    let line = |texts: &[&str]| {
        texts
            .iter()
            .map(|text| Element::from(*text))
            .collect::<Vec<_>>()
    };
    let mut segments = vec![
        line(&["BEG", "00", "SA", &filled(0), &word(1), "20261124"]),
        line(&["REF", "DP", &word(2)]),
        line(&["N1", "ST", &word(3)]),
        line(&["N3", &filled(4)]),
    ];
    let lines = words.len();
    for index in 0..lines {
        segments.push(line(&[
            "PO1",
            &index.to_string(),
            "5",
            "EA",
            "19",
            "",
            "VP",
            &word(index),
        ]));
        segments.push(line(&["PID", "F", "", "", "", &word(index + 1)]));
        let mut packed = line(&["SLN", "1", "", "I", "2"]);
        packed.push(Element::Composite(vec![
            "EA".to_owned(),
            String::new(),
            word(index + 2),
        ]));
        segments.push(packed);
    }
    segments.push(line(&["CTT", &lines.to_string()]));
    segments
}

fn words() -> impl Strategy<Value = Vec<String>> {
    proptest::collection::vec("[ -~äß€\u{0}-\u{1f}]{0,12}", 1..6)
}

/// A file of several interchanges.
fn file(count: usize) -> String {
    let texts = (0..count).map(|number| {
        let written = order(&["one".to_owned(), "two".to_owned()], Delimiters::default());
        let envelope = Envelope {
            interchange_control: (number + 1).to_string(),
            ..envelope(Delimiters::default(), "004010")
        };
        write(&envelope, "850", &[written.clone(), written]).unwrap()
    });
    texts.collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn arbitrary_bytes_get_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..600), after in any::<bool>()) {
        let mut all = if after { file(1).into_bytes() } else { Vec::new() };
        all.truncate(if bytes.len() % 2 == 0 { 106 } else { all.len() });
        all.extend(bytes);
        for format in [X12::default(), lenient()] {
            let (documents, faults) = read_all(&format, &all);
            prop_assert!(documents.len() + faults.len() > 0 || all.iter().all(u8::is_ascii_whitespace));
            drop(acknowledge(&format, &all, now(), "1"));
            drop(acknowledged(&format, &all));
        }
    }

    #[test]
    fn what_is_written_is_read_back(words in words(), delimiters in delimiters(), fifth in any::<bool>()) {
        let version = if fifth { "005010" } else { "004010" };
        let written = order(&words, delimiters);
        let text = write(&envelope(delimiters, version), "850", &[written.clone(), written.clone()]);
        let text = text.unwrap();
        let (documents, faults) = read_all(&X12::default(), text.as_bytes());
        prop_assert_eq!(faults, vec![]);
        prop_assert_eq!(documents.len(), 2);
        for document in &documents {
            prop_assert_eq!(flat(&document.value), flat_written(&written));
        }
    }

    #[test]
    fn a_value_with_a_separator_is_refused_by_its_name(delimiters in delimiters(), which in 0..4_usize) {
        let one = [delimiters.element, delimiters.component, delimiters.terminator, '\u{7}'][which];
        let mut written = order(&["one".to_owned()], delimiters);
        written[0][3] = Element::from(format!("a{one}b"));
        let refused = write(&envelope(delimiters, "004010"), "850", &[written]).unwrap_err();
        prop_assert_eq!(refused.element, "BEG03");
    }

    #[test]
    fn a_file_that_is_cut_gives_whole_interchanges_or_none(at in any::<prop::sample::Index>(), near in any::<bool>(), all in any::<bool>()) {
        let whole = file(3);
        let third = whole.len() / 3;
        let at = at.index(whole.len());
        // Often right behind an interchange.
        let at = if near { at / third * third + at % 7 } else { at };
        let format = X12 { reject: if all { Reject::Interchange } else { Reject::Set }, ..X12::default() };
        let (documents, faults) = read_all(&format, &whole.as_bytes()[..at]);
        prop_assert_eq!(documents.len(), at / third * 2);
        prop_assert_eq!(faults.is_empty(), at % third == 0);
        let (every, _) = read_all(&format, whole.as_bytes());
        for (one, same) in documents.iter().zip(&every) {
            prop_assert_eq!(flat(&one.value), flat(&same.value));
        }
    }

    #[test]
    fn every_answer_is_read_back_without_a_fault(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), "[ -~\n]{0,4}"), 0..4),
        moves in proptest::collection::vec((any::<prop::sample::Index>(), 0..3_u8), 0..4),
        format in prop_oneof![Just(X12::default()), Just(lenient()), Just(X12 { reject: Reject::Interchange, ..lenient() })],
    ) {
        let whole = file(2);
        let mut segments: Vec<&str> = whole.split_inclusive('~').collect();
        for (at, how) in moves {
            let at = at.index(segments.len());
            match how {
                0 => { segments.remove(at); }
                1 => segments.insert(at, segments[at]),
                _ => { let last = segments.len() - 1; segments.swap(at, last.min(at + 1)); }
            }
        }
        let mut text = segments.concat();
        for (at, length, with) in changes {
            let at = at.index(text.len());
            let end = (at + length.index(5)).min(text.len());
            text.replace_range(at..end, &with);
        }
        if let Ok((interchanges, answer)) = acknowledge(&format, text.as_bytes(), now(), "1") {
            let (_, faults) = read_all(&taking_tests(), answer.as_bytes());
            prop_assert_eq!(faults, vec![], "{}", answer);
            let (_, faults) = acknowledged(&taking_tests(), answer.as_bytes());
            prop_assert_eq!(faults, vec![], "{}", answer);
            // What is acknowledged is what is read.
            let taken = interchanges.iter().flat_map(|one| &one.sets).filter(|set| set.accepted).count();
            let (documents, _) = read_all(&format, text.as_bytes());
            let sets = documents.iter().filter(|document| document.value.contains_key("ST")).count();
            prop_assert_eq!(taken, sets, "{}", text);
        }
    }
}
