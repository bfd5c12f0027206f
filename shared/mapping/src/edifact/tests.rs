//! Documents as they come out of bytes, and properties of all of them.

use std::io::{Cursor, Read};

use edifact_rs::ServiceStringAdvice;
use jiff::civil::date;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::edifact::acknowledgment::{acknowledge, statuses};
use crate::edifact::group::{Group, Slot};
use crate::edifact::tables::MESSAGES;
use crate::edifact::write::{Envelope, Outgoing, Party, flatten, interchange};
use crate::edifact::{Edifact, Lenient, Reject, Test, read};
use crate::format::Fault;

fn documents(bytes: &[u8], format: &Edifact) -> Vec<Result<Value, Fault>> {
    let open = || -> Result<Box<dyn Read>, Fault> { Ok(Box::new(Cursor::new(bytes.to_vec()))) };
    let mut all = Vec::new();
    let ended = read(&open, format, &mut |read| {
        all.push(read.map(|branch| serde_json::to_value(&branch.value).unwrap()));
    });
    all.extend(ended.err().map(Err));
    all
}

fn whole(bytes: &[u8], format: &Edifact) -> Vec<Value> {
    documents(bytes, format)
        .into_iter()
        .filter_map(Result::ok)
        .collect()
}

/// An interchange of one message, a segment a line, with the counts that belong to it.
fn message(kind: &str, segments: &str) -> String {
    let body: String = segments
        .split_whitespace()
        .map(|one| format!("{one}'\n"))
        .collect();
    let count = segments.split_whitespace().count() + 2;
    format!(
        "UNB+UNOC:3+S:14+R+261112:0930+77'\nUNH+1+{kind}:D:96A:UN'\n{body}UNT+{count}+1'\nUNZ+1+77'\n"
    )
}

fn only(kind: &str, segments: &str) -> Value {
    let mut all = documents(message(kind, segments).as_bytes(), &Edifact::default());
    assert_eq!(all.len(), 1);
    all.remove(0).unwrap()
}

fn lenient(faults: &[Lenient]) -> Edifact {
    Edifact {
        lenient: faults.to_vec(),
        ..Edifact::default()
    }
}

#[test]
fn names_do_not_depend_on_what_is_filled_in() {
    let document = only("ORDRSP", "BGM+231+AB:1++AP LIN+1++4711:SA QTY+21:5");
    assert_eq!(
        document["BGM"],
        json!({
            "BGM01": "231", "BGM01_1": "231",
            "BGM02": "AB", "BGM02_1": "AB", "BGM02_2": "1",
            "BGM04": "AP", "BGM04_1": "AP"
        })
    );
    assert_eq!(
        document["LIN"],
        json!([{
            "LIN01": "1", "LIN01_1": "1", "LIN03": "4711", "LIN03_1": "4711", "LIN03_2": "SA",
            "_line": "4", "_segment": "4",
            "QTY": [{
                "QTY01": "21", "QTY01_1": "21", "QTY01_2": "5", "_line": "5", "_segment": "5"
            }]
        }])
    );
    assert_eq!(document["UNA"], json!({ "decimal_mark": "." }));
    assert_eq!(document["UNB"]["UNB02_2"], "14");
    assert_eq!(document["UNH"]["UNH02_1"], "ORDRSP");
    assert_eq!(document["UNT"]["UNT01"], "5");
}

#[test]
fn what_may_repeat_is_a_list_and_what_may_not_is_none() {
    let document = only(
        "ORDERS",
        "BGM+220 PAI+::42 IMD+A RFF+ON:1 LIN+1 QVR+3:21 UNS+S",
    );
    for (pointer, list) in [
        ("/BGM", false),
        ("/PAI", false),
        ("/IMD", true),
        ("/RFF", true),
        ("/LIN", true),
        ("/LIN/0/QVR", false),
        ("/UNS", false),
    ] {
        assert_eq!(
            document.pointer(pointer).unwrap().is_array(),
            list,
            "{pointer}"
        );
    }
}

#[test]
fn groups_are_below_the_segment_that_begins_them() {
    let document = only(
        "INVOIC",
        "BGM+380 NAD+BY CTA+IC COM+1:TE NAD+SU RFF+VA:9 TAX+7 MOA+124:1 LIN+1 MOA+203:2 PRI+AAA:1 \
         TAX+7 MOA+124:3 UNS+S MOA+77:4 TAX+7 MOA+124:5",
    );
    for (pointer, wanted) in [
        ("/NAD/0/CTA/0/COM/0/COM01_2", "TE"),
        ("/NAD/1/RFF/0/RFF01_2", "9"),
        ("/TAX/0/MOA/MOA01_2", "1"),
        ("/LIN/0/MOA/0/MOA01_2", "2"),
        ("/LIN/0/TAX/0/MOA/0/MOA01_2", "3"),
        ("/UNS/MOA/0/MOA01_2", "4"),
        ("/UNS/TAX/0/MOA/0/MOA01_2", "5"),
    ] {
        assert_eq!(document.pointer(pointer), Some(&json!(wanted)), "{pointer}");
    }
}

#[test]
fn packages_are_in_the_packages_that_they_name() {
    let document = only(
        "DESADV",
        "BGM+351 CPS+1 PAC+2 CPS+2+1 LIN+1 CPS+3+1 LIN+2 CPS+4+3 LIN+3 CPS+5 LIN+4",
    );
    for (pointer, wanted) in [
        ("/CPS/0/PAC/0/PAC01", "2"),
        ("/CPS/0/CPS/0/LIN/0/LIN01", "1"),
        ("/CPS/0/CPS/1/LIN/0/LIN01", "2"),
        ("/CPS/0/CPS/1/CPS/0/LIN/0/LIN01", "3"),
        ("/CPS/1/LIN/0/LIN01", "4"),
    ] {
        assert_eq!(document.pointer(pointer), Some(&json!(wanted)), "{pointer}");
    }
    let told = |segments: &str| {
        let all = documents(message("DESADV", segments).as_bytes(), &Edifact::default());
        let fault = all.into_iter().next().unwrap().unwrap_err();
        (fault.code, fault.message)
    };
    let (code, message) = told("BGM+351 CPS+2+1 CPS+1");
    assert_eq!(code, "edi_syntax");
    assert!(message.contains("says it is in package 1"), "{message}");
    let deep: String = (2..40)
        .map(|one| format!(" CPS+{one}+{}", one - 1))
        .collect();
    assert_eq!(told(&format!("BGM+351 CPS+1{deep}")).0, "edi_limit");
}

#[test]
fn stock_is_read_in_either_order_of_quantity_and_inventory() {
    let old = only("INVRPT", "BGM+35 LIN+1 QTY+145:7 INV+1 QTY+145:8 INV+2");
    assert_eq!(old.pointer("/LIN/0/QTY/1/INV/INV01"), Some(&json!("2")));
    let new = only("INVRPT", "BGM+35 LIN+1 INV+1 QTY+145:7 INV+2 QTY+145:8");
    assert_eq!(new.pointer("/LIN/0/INV/1/QTY/QTY01_2"), Some(&json!("8")));
}

#[test]
fn what_does_not_belong_is_kept_where_that_was_agreed() {
    let segments = "BGM+231 IMD+A DTM+2:1 XYZ+1 LIN+1 PRI+AAA:1 QTY+21:1 BGM+231";
    let all = documents(message("ORDRSP", segments).as_bytes(), &Edifact::default());
    let fault = all[0].as_ref().unwrap_err();
    assert_eq!((fault.code, fault.segment), ("edi_syntax", Some(5)));
    assert!(
        fault
            .message
            .starts_with("ORDRSP 1: segment 4, DTM, does not belong behind IMD"),
        "{}",
        fault.message
    );
    let format = lenient(&[Lenient::UnknownSegments]);
    let kept = whole(message("ORDRSP", segments).as_bytes(), &format).remove(0);
    assert_eq!(kept.pointer("/DTM/0/DTM01_2"), Some(&json!("1")));
    assert_eq!(kept.pointer("/LIN/0/QTY/0/QTY01_2"), Some(&json!("1")));
    assert_eq!(kept.pointer("/_unplaced/0/_tag"), Some(&json!("XYZ")));
    assert_eq!(
        kept.pointer("/LIN/0/_unplaced/0/BGM01"),
        Some(&json!("231"))
    );
    let other = whole(message("PRICAT", "BGM+9 PGI+1").as_bytes(), &format).remove(0);
    assert_eq!(other.pointer("/_unplaced/1/PGI01"), Some(&json!("1")));
}

#[test]
fn an_asterisk_repeats_an_element_in_version_4_only() {
    let three = message("ORDERS", "BGM+220+A*B");
    assert_eq!(
        whole(three.as_bytes(), &Edifact::default())[0]["BGM"]["BGM02"],
        "A*B"
    );
    // Up to version 3 that place of UNA is reserved, whatever stands there.
    let reserved = format!("UNA:+.?*'{three}");
    assert_eq!(
        whole(reserved.as_bytes(), &Edifact::default())[0]["BGM"]["BGM02"],
        "A*B"
    );
    let four = three.replace("UNOC:3", "UNOC:4");
    let fault = documents(four.as_bytes(), &Edifact::default())
        .remove(0)
        .unwrap_err();
    assert_eq!(
        (fault.code, fault.column.as_deref()),
        ("edi_syntax", Some("BGM02_1"))
    );
    let released = four.replace("A*B", "A?*B");
    assert_eq!(
        whole(released.as_bytes(), &Edifact::default())[0]["BGM"]["BGM02"],
        "A*B"
    );
    let without = format!("UNA:+.? '{four}");
    assert_eq!(
        whole(without.as_bytes(), &Edifact::default())[0]["BGM"]["BGM02"],
        "A*B"
    );
}

#[test]
fn what_stands_behind_an_interchange_is_no_fault_of_it() {
    let format = Edifact {
        reject: Reject::Interchange,
        ..Edifact::default()
    };
    let good = message("ORDERS", "BGM+220+1");
    for rest in ["\u{1a}", " ", "LIN+1'", "UNA:::::'"] {
        let bytes = format!("{good}{rest}").into_bytes();
        let read = documents(&bytes, &format);
        assert_eq!(read.iter().filter(|one| one.is_ok()).count(), 1, "{rest:?}");
        assert_eq!(read.len(), 2, "{rest:?}: {read:?}");
        let now = date(2026, 1, 1).at(0, 0, 0, 0);
        let answered = acknowledge(&format, bytes.as_slice(), now, 1);
        assert!(answered[0].of.sets[0].accepted && answered[0].of.faults.is_empty());
    }
}

// ---- Properties.

/// Texts of people and of attackers: service characters everywhere.
fn text() -> impl Strategy<Value = String> {
    proptest::string::string_regex("[A-Za-z0-9 ?+:'*.,;~äßÿ-]{1,12}").unwrap()
}

fn advice() -> impl Strategy<Value = Option<ServiceStringAdvice>> {
    let marks: Vec<u8> = (0x21..=0x7E_u8)
        .filter(|one| !one.is_ascii_alphanumeric())
        .collect();
    let some = proptest::sample::subsequence(marks, 4)
        .prop_shuffle()
        .prop_flat_map(|four| {
            (Just(four), prop_oneof![Just(b'.'), Just(b',')]).prop_map(|(four, decimal_mark)| {
                ServiceStringAdvice {
                    component_sep: four[0],
                    element_sep: four[1],
                    release_char: four[2],
                    segment_term: four[3],
                    decimal_mark,
                    repetition_sep: b' ',
                }
            })
        });
    proptest::option::of(some)
}

/// A document of a table, as chance has it.
fn filled(
    group: &Group,
    chance: &mut impl Iterator<Item = (u8, String)>,
    object: &mut Map<String, Value>,
) {
    for slot in &group.slots {
        let Some((dice, value)) = chance.next() else {
            return;
        };
        // Of INVRPT either directory is followed, not both in one line; and a quantity behind a package is that of the
        // package. What is meant otherwise is refused.
        let is_other =
            slot.tag() == "INV" && matches!(slot, Slot::Group(_)) && object.contains_key("QTY");
        if is_other || (slot.tag() == "CPS" && ["QTY", "INV"].contains(&group.trigger)) {
            continue;
        }
        let many = match dice {
            0..=150 => 0,
            151..=220 => 1,
            _ => 1 + usize::from(slot.repeats()),
        };
        let mut values = Vec::new();
        for _ in 0..many {
            let tag = slot.tag();
            let mut fields = Map::new();
            fields.insert(format!("{tag}01"), json!(value));
            fields.insert(format!("{tag}01_1"), json!(value));
            if dice % 3 == 0 {
                fields.insert(format!("{tag}04_2"), json!(format!("{value}{value}")));
            }
            if let Slot::Group(below) = slot {
                filled(below, chance, &mut fields);
            }
            values.push(Value::Object(fields));
        }
        let value = match values.pop() {
            None => continue,
            Some(only) if !slot.repeats() => only,
            Some(last) => {
                values.push(last);
                Value::Array(values)
            }
        };
        object.insert(slot.tag().to_owned(), value);
    }
}

fn outgoing() -> impl Strategy<Value = Outgoing> {
    let kinds: Vec<&'static str> = MESSAGES.keys().copied().collect();
    let chance = proptest::collection::vec((any::<u8>(), text()), 20..400);
    (proptest::sample::select(kinds), chance).prop_map(|(kind, chance)| {
        let mut document = Map::new();
        let mut chance = chance.into_iter();
        // A package names no other: which there are is a matter of its own.
        filled(&MESSAGES[kind], &mut chance, &mut document);
        Outgoing {
            reference: "1".to_owned(),
            identifier: vec![
                kind.to_owned(),
                "D".to_owned(),
                "96A".to_owned(),
                "UN".to_owned(),
            ],
            document: Value::Object(document),
        }
    })
}

fn envelope(una: Option<ServiceStringAdvice>) -> Envelope {
    let party = |id: &str| Party {
        id: id.to_owned(),
        qualifier: "14".to_owned(),
    };
    Envelope {
        sender: party("PLANT'S"),
        receiver: party("SUPPLIER+CO"),
        control: "4711".to_owned(),
        at: date(2026, 11, 12).at(9, 30, 0, 0),
        charset: "UNOC".to_owned(),
        version: "3".to_owned(),
        test: false,
        una,
    }
}

/// Without what only says where something was.
fn bare(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| {
                !["_line", "_segment", "UNA", "UNB", "UNH", "UNT"].contains(&name.as_str())
            });
            fields.values_mut().for_each(bare);
        }
        Value::Array(items) => items.iter_mut().for_each(bare),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The name under which a component is always there, too.
fn doubled(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            let missing: Vec<(String, Value)> = fields
                .iter()
                .filter(|(name, _)| name.len() == 5)
                .map(|(name, value)| (format!("{name}_1"), value.clone()))
                .collect();
            fields.extend(missing);
            fields.values_mut().for_each(doubled);
        }
        Value::Array(items) => items.iter_mut().for_each(doubled),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Segments as a reader would give them that knows nothing but ISO 9735: a character after the release character is
/// a character, and of the others three separate.
fn reference_reading(text: &str) -> Vec<Vec<Vec<String>>> {
    let (mut all, mut segment, mut element) = (Vec::new(), Vec::new(), Vec::new());
    let mut component = String::new();
    let mut characters = text.chars();
    while let Some(one) = characters.next() {
        match one {
            '?' => component.extend(characters.next()),
            ':' => element.push(std::mem::take(&mut component)),
            '+' | '\'' => {
                element.push(std::mem::take(&mut component));
                segment.push(std::mem::take(&mut element));
                if one == '\'' {
                    all.push(std::mem::take(&mut segment));
                }
            }
            other => component.push(other),
        }
    }
    all
}

/// Without empty components and elements at the end.
fn trimmed(mut elements: Vec<Vec<String>>) -> Vec<Vec<String>> {
    for components in &mut elements {
        let last = components.iter().rposition(|one| !one.is_empty());
        components.truncate(last.map_or(0, |at| at + 1));
    }
    let last = elements.iter().rposition(|one| !one.is_empty());
    elements.truncate(last.map_or(0, |at| at + 1));
    elements
}

/// Three messages with released separators.
fn three() -> String {
    let one = |reference: u8| {
        format!(
            "UNH+{reference}+ORDRSP:D:96A:UN'BGM+231+A?'B?+C??+29'RFF+ON:P?:1'LIN+1+5'QTY+21:1'UNT+6+{reference}'\r\n"
        )
    };
    format!(
        "UNA:+,? '\r\nUNB+UNOC:3+S+R+261112:0930+77'\r\n{}{}{}UNZ+3+77'\r\n",
        one(1),
        one(2),
        one(3)
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_or_refused(
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
        begin in proptest::sample::select(vec!["", "UNA:+.? '", "UNB+UNOC:3+S+R+1:1+1'", "UNB+UNOC:4+S+R+1:1+1'UNH+1+ORDERS:D:96A:UN'"]),
    ) {
        let mut all = begin.as_bytes().to_vec();
        all.extend(bytes);
        for reject in [Reject::Message, Reject::Interchange] {
            let format = Edifact { reject, ..lenient(&[Lenient::UnknownSegments]) };
            documents(&all, &format);
            let now = date(2026, 1, 1).at(0, 0, 0, 0);
            drop(acknowledge(&format, all.as_slice(), now, 1));
            drop(statuses(&format, all.as_slice()));
        }
    }

    #[test]
    fn a_changed_file_is_read_or_refused(at in any::<prop::sample::Index>(), byte in any::<u8>(), insert in any::<bool>()) {
        let mut bytes = three().into_bytes();
        let at = at.index(bytes.len());
        if insert {
            bytes.insert(at, byte);
        } else {
            bytes[at] = byte;
        }
        for answered in acknowledge(&Edifact::default(), bytes.as_slice(), date(2026, 1, 1).at(0, 0, 0, 0), 1) {
            // Whatever is answered is an interchange that can be read.
            if let Ok(contrl) = answered.contrl {
                let format = Edifact { test: Test::Take, ..Edifact::default() };
                prop_assert!(documents(&contrl, &format).iter().all(Result::is_ok), "{}", String::from_utf8_lossy(&contrl));
            }
        }
    }

    #[test]
    fn what_is_written_is_read_as_it_was_meant(outgoing in outgoing(), una in advice()) {
        let mut wanted = outgoing.document.clone();
        doubled(&mut wanted);
        let bytes = interchange(&envelope(una), &[outgoing]);
        let bytes = bytes.map_err(|refused| TestCaseError::fail(refused.to_string()))?;
        let mut read = documents(&bytes, &Edifact::default());
        prop_assert_eq!(read.len(), 1);
        let mut read = read.remove(0).map_err(|fault| TestCaseError::fail(fault.message))?;
        let mark = una.map_or('.', |una| char::from(una.decimal_mark)).to_string();
        prop_assert_eq!(&read["UNA"]["decimal_mark"], &json!(mark));
        bare(&mut read);
        prop_assert_eq!(read, wanted);
    }

    #[test]
    fn a_file_that_was_cut_off_gives_whole_messages_only(length in any::<prop::sample::Index>()) {
        let bytes = three().into_bytes();
        let all = whole(&bytes, &Edifact::default());
        prop_assert_eq!(all.len(), 3);
        let cut = &bytes[..length.index(bytes.len())];
        for reject in [Reject::Message, Reject::Interchange] {
            let format = Edifact { reject, ..Edifact::default() };
            let read = documents(cut, &format);
            let given: Vec<Value> = read.iter().filter_map(|one| one.clone().ok()).collect();
            prop_assert!(all.starts_with(&given));
            let is_whole = cut.len() >= bytes.len() - 2;
            prop_assert_eq!(read.iter().all(Result::is_ok), is_whole);
            prop_assert!(reject == Reject::Message || is_whole || given.is_empty());
        }
    }

    #[test]
    fn a_release_character_smuggles_nothing(smuggled in "[?+:'A ]{0,24}(LIN\\+1|UNT\\+|UNZ\\+|\\?'|FTX\\+)?[?+:'A]{0,12}") {
        let head = "UNB+UNOC:3+S+R+1:1+1'";
        let text = format!("{head}UNH+1+ORDERS:D:96A:UN'BGM+220'FTX+{smuggled}'LIN+1'UNT+5+1'UNZ+1+1'");
        let format = lenient(&[Lenient::Counts, Lenient::ControlNumbers]);
        let reference = reference_reading(&text);
        let body = reference.iter().skip(2).take_while(|one| one[0][0] != "UNT");
        let wanted: Vec<Vec<Vec<String>>> = body
            .map(|segment| trimmed(segment[1..].to_vec()))
            .collect();
        for mut document in whole(text.as_bytes(), &format) {
            bare(&mut document);
            let mut placed = Vec::new();
            flatten(&MESSAGES["ORDERS"], document.as_object().unwrap(), "", &mut placed).unwrap();
            let read: Vec<Vec<Vec<String>>> = placed.into_iter().map(|one| one.segment.elements).collect();
            prop_assert_eq!(&read, &wanted, "{}", text);
        }
    }
}
