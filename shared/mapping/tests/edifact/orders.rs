//! Orders that go out to suppliers.

use edifact_rs::ServiceStringAdvice;
use interplant_mapping::edifact::write::{Envelope, Outgoing, Party, Refused, interchange};
use jiff::civil::date;
use serde_json::{Value, json};

use super::{answers, run};

pub(crate) fn envelope() -> Envelope {
    let party = |id: &str, qualifier: &str| Party {
        id: id.to_owned(),
        qualifier: qualifier.to_owned(),
    };
    Envelope {
        sender: party("4000001000005", "14"),
        receiver: party("SUPPLIER", ""),
        control: "1007".to_owned(),
        at: date(2026, 11, 12).at(9, 5, 0, 0),
        charset: "UNOC".to_owned(),
        version: "3".to_owned(),
        test: false,
        una: None,
    }
}

pub(crate) fn order(reference: &str, document: Value) -> Outgoing {
    Outgoing {
        reference: reference.to_owned(),
        identifier: ["ORDERS", "D", "96A", "UN", "EAN008"]
            .map(str::to_owned)
            .to_vec(),
        document,
    }
}

fn bolts() -> Value {
    // Written in an order that is not that of the message.
    json!({
        "UNS": { "UNS01": "S", "CNT": [{ "CNT01": "2", "CNT01_2": "1" }] },
        "LIN": [{
            "LIN01": "10",
            "LIN03": "BOLT-8",
            "LIN03_2": "SA",
            "PRI": [{ "PRI01": "AAA", "PRI01_2": "0.75" }],
            "QTY": [{ "QTY01": "21", "QTY01_2": "40", "QTY01_3": "PCE" }],
            "IMD": [{ "IMD01": "F", "IMD03_4": "M8 x 40 'zinc'? 1+1" }]
        }],
        "NAD": [
            { "NAD01": "BY", "NAD02": "4000001000005", "NAD02_3": "9" },
            { "NAD01": "SU", "NAD04": "Müller: Söhne" }
        ],
        "DTM": [{ "DTM01": "137", "DTM01_2": "20261112", "DTM01_3": "102" }],
        "BGM": { "BGM01": "220", "BGM02": "P00017", "BGM03": "9" }
    })
}

fn refused(document: Value) -> Refused {
    interchange(&envelope(), &[order("1", document)]).unwrap_err()
}

#[test]
fn an_order_is_written_in_the_order_of_the_message_with_its_envelope_and_counts() {
    let bytes = interchange(&envelope(), &[order("1", bolts())]).unwrap();
    let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
    let wanted = [
        "UNB+UNOC:3+4000001000005:14+SUPPLIER+261112:0905+1007'",
        "UNH+1+ORDERS:D:96A:UN:EAN008'",
        "BGM+220+P00017+9'",
        "DTM+137:20261112:102'",
        "NAD+BY+4000001000005::9'",
        "NAD+SU+++Müller?: Söhne'",
        "LIN+10++BOLT-8:SA'",
        "IMD+F++:::M8 x 40 ?'zinc?'?? 1?+1'",
        "QTY+21:40:PCE'",
        "PRI+AAA:0.75'",
        "UNS+S'",
        "CNT+2:1'",
        "UNT+12+1'",
        "UNZ+1+1007'",
    ];
    assert_eq!(text, wanted.concat());
}

#[test]
fn several_orders_go_in_one_interchange_and_a_una_says_how_it_is_written() {
    let una = ServiceStringAdvice {
        decimal_mark: b',',
        ..ServiceStringAdvice::default()
    };
    let envelope = Envelope {
        test: true,
        una: Some(una),
        ..envelope()
    };
    let orders = [order("1", bolts()), order("2", bolts())];
    let text: String = interchange(&envelope, &orders)
        .unwrap()
        .iter()
        .map(|byte| char::from(*byte))
        .collect();
    assert!(
        text.starts_with("UNA:+,? 'UNB+UNOC:3+4000001000005:14+SUPPLIER+261112:0905+1007++++++1'"),
        "{text}"
    );
    assert!(text.ends_with("UNT+12+2'UNZ+2+1007'"), "{text}");
    let version_4 = Envelope {
        version: "4".to_owned(),
        una: None,
        ..envelope
    };
    let text = interchange(&version_4, &orders).unwrap();
    assert!(text.starts_with(b"UNB+UNOC:4+4000001000005:14+SUPPLIER+20261112:0905+"));
}

#[test]
fn what_cannot_be_written_is_refused_by_the_name_of_its_element() {
    let with = |pointer: &str, value: Value| {
        let mut document = bolts();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let parent = document
            .pointer_mut(parent)
            .unwrap()
            .as_object_mut()
            .unwrap();
        parent.insert(name.to_owned(), value);
        refused(document)
    };
    for (pointer, value, element, words) in [
        (
            "/NAD/1/NAD04",
            json!("Œuvre"),
            "NAD04_1",
            "`Œ` in `Œuvre` is not in the character set UNOC",
        ),
        (
            "/BGM/BGM02",
            json!("P\n1"),
            "BGM02_1",
            "is not in the character set",
        ),
        ("/BGM/BGM02", json!(17), "BGM02", "the value is no text"),
        (
            "/BGM/BGM02_1",
            json!("other"),
            "BGM02_1",
            "under its other name",
        ),
        ("/BGM/BGM2", json!("P"), "BGM2", "is named like BGM01"),
        ("/BGM/BGM02_0", json!("P"), "BGM02_0", "is named like BGM01"),
        ("/BGM/DTM", json!([]), "DTM", "no element of BGM"),
        ("/XYZ", json!({}), "XYZ", "it does not belong to UNH"),
        ("/UNH01", json!("1"), "UNH01", "it does not belong to UNH"),
        (
            "/_unplaced",
            json!([]),
            "_unplaced",
            "it does not belong to UNH",
        ),
        ("/LIN/0/UNS", json!({}), "UNS", "it does not belong to LIN"),
        ("/PAI", json!({}), "PAI", "has no elements"),
        (
            "/BGM",
            json!([{ "BGM01": "1" }, { "BGM01": "2" }]),
            "BGM",
            "is an object",
        ),
    ] {
        let refused = with(pointer, value);
        assert_eq!(refused.element, element, "{refused}");
        assert!(refused.message.contains(words), "{refused}");
    }
    let other = Outgoing {
        identifier: vec!["PRICAT".to_owned()],
        ..order("1", bolts())
    };
    assert_eq!(
        interchange(&envelope(), &[other]).unwrap_err().element,
        "UNH02_1"
    );
    let twice = [order("1", bolts()), order("1", bolts())];
    let refused = interchange(&envelope(), &twice).unwrap_err();
    assert!(
        refused
            .message
            .contains("the reference is in the interchange before"),
        "{refused}"
    );
    for (changed, element) in [
        (
            Envelope {
                charset: "UNOX".to_owned(),
                ..envelope()
            },
            "UNB01_1",
        ),
        (
            Envelope {
                version: "5".to_owned(),
                ..envelope()
            },
            "UNB01_2",
        ),
        (
            Envelope {
                control: String::new(),
                ..envelope()
            },
            "UNB",
        ),
        // UNOA has no small letters.
        (
            Envelope {
                charset: "UNOA".to_owned(),
                ..envelope()
            },
            "NAD04_1",
        ),
    ] {
        let refused = interchange(&changed, &[order("1", bolts())]).unwrap_err();
        assert_eq!(refused.element, element, "{refused}");
    }
}

#[test]
fn what_is_written_can_be_mapped_like_what_is_received() {
    let answer = Outgoing {
        identifier: ["ORDRSP", "D", "96A", "UN"].map(str::to_owned).to_vec(),
        document: json!({
            "BGM": { "BGM01": "231", "BGM02": "A'B", "BGM03": "29" },
            "DTM": [{ "DTM01": "137", "DTM01_2": "20261112" }],
            "RFF": [{ "RFF01": "ON", "RFF01_2": "P?17" }]
        }),
        reference: "1".to_owned(),
    };
    let bytes = interchange(&envelope(), &[answer]).unwrap();
    let came = run(&answers("{}"), &bytes);
    assert_eq!(came.unread, []);
    assert_eq!(came.field(0, "/data/ackNumber"), "A'B");
    assert_eq!(came.field(0, "/data/poNumber"), "P?17");
}
