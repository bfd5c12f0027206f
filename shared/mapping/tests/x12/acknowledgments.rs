//! What is answered to interchanges, and what answers of partners are read as.

use interplant_mapping::edi::{self, Interchange, Standard, Status, Subject};
use jiff::civil::{DateTime, date};

use super::{header, interchange, run, showing};

fn now() -> DateTime {
    date(2026, 11, 24).at(22, 5, 0, 0)
}

fn answer(x12: &str, text: &str) -> (Vec<Interchange>, String) {
    let (came, answer) = edi::acknowledge(&showing(x12, "ST"), text.as_bytes(), now(), 77).unwrap();
    (came, String::from_utf8(answer).unwrap())
}

/// Segments of an answer between its GS and GE, or between ISA and IEA.
fn segments(answer: &str) -> Vec<&str> {
    answer
        .split_terminator('~')
        .filter(|one| !one.starts_with("ISA") && !one.starts_with("IEA"))
        .collect()
}

const GOOD: (&str, &str) = (
    "850",
    "BEG*00*SA*4711**20261123~PO1*10*5*EA*19.95**VP*X1~CTT*1~",
);
const BAD: (&str, &str) = (
    "850",
    "BEG*00*SA***20261123~ZZZ*1~PO1*10*5*EA*19.95**VP*X1~N1~CTT*1~",
);

#[test]
fn a_997_says_what_is_taken_and_what_is_wrong_with_the_rest() {
    let text = interchange(&[("PO", &[GOOD, BAD])]);
    let (came, answer) = answer("", &text);
    let header = "ISA*00*          *00*          *ZZ*PLANT          *ZZ*ACME           *261124*2205*U*00401*000000077*0*P*>~";
    assert!(answer.starts_with(header), "{answer}");
    assert!(answer.ends_with("GE*1*1~IEA*1*000000077~"), "{answer}");
    assert_eq!(
        segments(&answer)[..],
        [
            "GS*FA*PLANT*ACME*20261124*2205*1*X*004010",
            "ST*997*0001",
            "AK1*PO*1",
            "AK2*850*0001",
            "AK5*A",
            "AK2*850*0002",
            "AK3*BEG*2**8",
            "AK4*3**1",
            "AK3*ZZZ*3**6",
            "AK3*N1*5*PO1*8",
            "AK4*1**1",
            "AK5*R*5",
            "AK9*P*2*2*1",
            "SE*13*0001",
            "GE*1*1",
        ]
    );
    let [one] = came.as_slice() else {
        panic!("{came:?}")
    };
    assert_eq!(
        (one.standard, one.sender.as_str(), one.receiver.as_str()),
        (Standard::X12, "ZZ:ACME", "ZZ:PLANT")
    );
    assert_eq!(
        (one.control.as_str(), one.test, one.accepted),
        ("000000001", false, Status::PartlyAccepted)
    );
    let sets: Vec<_> = one
        .sets
        .iter()
        .map(|set| (set.control.as_str(), set.accepted, set.faults.len()))
        .collect();
    assert_eq!(sets, [("0001", true, 0), ("0002", false, 3)]);
}

#[test]
fn each_status_has_its_codes() {
    let good = interchange(&[("PO", &[GOOD])]);
    let cases: [(&str, String, &[&str]); 12] = [
        ("", good.clone(), &["AK2*850*0001", "AK5*A", "AK9*A*1*1*1"]),
        (
            "",
            good.replace("SE*5", "SE*6"),
            &["AK2*850*0001", "AK5*R*4", "AK9*R*1*1*0"],
        ),
        (
            "lenient: [counts]",
            good.replace("SE*5", "SE*6"),
            &["AK2*850*0001", "AK5*E*4", "AK9*E*1*1*1"],
        ),
        (
            "",
            good.replace("SE*5*0001", "SE*5*0002"),
            &["AK2*850*0001", "AK5*R*3", "AK9*R*1*1*0"],
        ),
        (
            "",
            good.replace("SE*5*0001~", ""),
            &["AK2*850*0001", "AK5*R*2", "AK9*R*1*1*0"],
        ),
        (
            "",
            good.replace("ST*850", "ST*940"),
            &["AK2*940*0001", "AK5*R*1", "AK9*R*1*1*0"],
        ),
        ("", good.replace("GE*1*1", "GE*3*1"), &["AK9*R*3*1*0*5"]),
        (
            "lenient: [counts]",
            good.replace("GE*1*1", "GE*3*1"),
            &["AK2*850*0001", "AK5*A", "AK9*E*3*1*1*5"],
        ),
        ("", good.replace("GE*1*1", "GE*1*2"), &["AK9*R*1*1*0*4"]),
        ("", good.replace("GE*1*1~", ""), &["AK9*R*1*1*0*3"]),
        ("version: [\"005010\"]", good.clone(), &["AK9*R*1*1*0*2"]),
        (
            "reject: interchange",
            interchange(&[("PO", &[GOOD, BAD])]),
            &[
                "AK2*850*0002",
                "AK3*BEG*2**8",
                "AK4*3**1",
                "AK3*ZZZ*3**6",
                "AK3*N1*5*PO1*8",
                "AK4*1**1",
                "AK5*R*5",
                "AK9*R*2*2*0",
            ],
        ),
    ];
    for (config, text, wanted) in cases {
        let (_, answer) = answer(config, &text);
        let inner: Vec<&str> = segments(&answer)
            .into_iter()
            .filter(|one| one.starts_with("AK") && !one.starts_with("AK1"))
            .collect();
        assert_eq!(inner, wanted, "{config}");
    }
}

#[test]
fn a_broken_envelope_is_answered_by_a_ta1_alone() {
    let good = interchange(&[("PO", &[GOOD])]);
    let iea = "IEA*1*000000001~";
    for (text, code) in [
        (good.replace(iea, "IEA*1*000000002~"), "R*001"),
        (good.replace(iea, "IEA*2*000000001~"), "R*021"),
        (good.replace(iea, ""), "R*023"),
        (good.replace("*0*P*>", "*0*T*>"), "R*020"),
        (good.replace("*0*P*>", "*0*P**"), "R*027"),
        (good.replace("GS*PO*", "ZZ*1~GS*PO*"), "R*024"),
        (good.replace("000000001", "00000000A"), "R*018"),
        (good.replace("PLANT          ", "PLANT"), "R*022"),
    ] {
        let (came, answer) = answer("", &text);
        let control = &came[0].control;
        assert_eq!(
            segments(&answer),
            [format!("TA1*{control}*261123*0915*{code}")],
            "{text}"
        );
        assert!(answer.ends_with("IEA*0*000000077~"));
        assert_eq!(came[0].accepted, Status::Rejected);
        assert!(came[0].sets.iter().all(|set| !set.accepted));
    }
}

#[test]
fn a_ta1_comes_when_it_is_asked_for_or_something_was_excused() {
    let good = interchange(&[("PO", &[GOOD])]);
    let asked = good.replace("*0*P*>", "*1*P*>");
    let (_, text) = answer("", &asked);
    assert_eq!(segments(&text)[0], "TA1*000000001*261123*0915*A*000");
    assert_eq!(
        segments(&text)[1],
        "GS*FA*PLANT*ACME*20261124*2205*1*X*004010"
    );
    let marked = format!("\u{feff}{good}");
    let (came, text) = answer("lenient: [byte_order_mark]", &marked);
    assert_eq!(segments(&text)[0], "TA1*000000001*261123*0915*E*022");
    assert_eq!(came[0].accepted, Status::AcceptedWithErrors);
    assert_eq!(came[0].faults[0].code, "edi_syntax");
}

#[test]
fn acknowledgments_are_not_acknowledged_and_numbers_count_up() {
    let orders = interchange(&[("PO", &[GOOD])]);
    let (_, first) = answer("", &orders);
    assert_eq!(answer("", &first).1, "");
    let three = orders.clone() + &first + &orders.replace("000000001", "000000002");
    let (came, text) = answer("", &three);
    assert_eq!(came.len(), 3);
    assert_eq!(
        (
            text.matches("*000000077~").count(),
            text.matches("*000000078~").count()
        ),
        (1, 1)
    );
    assert!(!text.contains("000000079"));
    let error = edi::acknowledge(&showing("", "ST"), b"no interchange", now(), 1).unwrap_err();
    assert_eq!(error.code, "edi_syntax");
    let (came, text) =
        edi::acknowledge(&showing("", "ST"), orders.as_bytes(), now(), 1_000_000_000).unwrap();
    assert_eq!(text, b"");
    assert!(
        came[0].faults[0]
            .message
            .contains("`1000000000` is no control number")
    );
}

#[test]
fn a_group_that_cannot_be_named_is_told_by_a_ta1() {
    let text =
        interchange(&[("PO", &[GOOD]), ("PO", &[GOOD])]).replacen("*0915*1*X", "*0915*?*X", 1);
    let (came, text) = answer("", &text);
    assert_eq!(came[0].accepted, Status::PartlyAccepted);
    assert_eq!(segments(&text)[0], "TA1*000000001*261123*0915*E*024");
    assert_eq!(text.matches("AK1*").count(), 1);
}

#[test]
fn what_a_partner_answers_is_read_by_the_numbers_that_were_sent() {
    let text = interchange(&[("PO", &[GOOD, BAD])]);
    let (_, first) = answer("", &text);
    let (said, faults) = edi::acknowledged(&showing("", "ST"), first.as_bytes()).unwrap();
    assert_eq!(faults, []);
    let set = |control: &str| Subject::Set {
        within: "1".to_owned(),
        kind: "850".to_owned(),
        control: control.to_owned(),
    };
    let group = Subject::Group {
        kind: "PO".to_owned(),
        control: "1".to_owned(),
    };
    let short: Vec<_> = said
        .iter()
        .map(|one| (one.of.clone(), one.status))
        .collect();
    assert_eq!(
        short,
        [
            (group, Status::PartlyAccepted),
            (set("0001"), Status::Accepted),
            (set("0002"), Status::Rejected),
        ]
    );
    assert_eq!(
        (said[2].sender.as_str(), said[2].control.as_str()),
        ("ZZ:PLANT", "000000077")
    );
    assert_eq!(
        said[2].errors,
        [
            "AK3 AK301=BEG AK302=2 AK304=8",
            "AK4 AK401_1=3 AK403=1",
            "AK3 AK301=ZZZ AK302=3 AK304=6",
            "AK3 AK301=N1 AK302=5 AK303=PO1 AK304=8",
            "AK4 AK401_1=1 AK403=1",
            "AK5 5",
        ]
    );
    // One that names no sets, and a TA1.
    let short = interchange(&[("FA", &[("997", "AK1*PO*88~AK9*A*3*3*3~")])]);
    let (said, _) = edi::acknowledged(&showing("", "ST"), short.as_bytes()).unwrap();
    assert_eq!(said.len(), 1);
    assert_eq!(
        (&said[0].of, said[0].status),
        (
            &Subject::Group {
                kind: "PO".to_owned(),
                control: "88".to_owned()
            },
            Status::Accepted
        )
    );
    let receipt = header("000000001") + "TA1*000000055*261123*0915*R*001~IEA*0*000000001~";
    let (said, faults) = edi::acknowledged(&showing("", "ST"), receipt.as_bytes()).unwrap();
    assert_eq!(faults, []);
    assert_eq!(
        (&said[0].of, said[0].status),
        (
            &Subject::Interchange {
                control: "000000055".to_owned()
            },
            Status::Rejected
        )
    );
    assert_eq!(said[0].errors, ["TA1 001"]);
    // What is no acknowledgment, or no right one, is told.
    let (said, faults) = edi::acknowledged(&showing("", "ST"), text.as_bytes()).unwrap();
    assert_eq!((said.len(), faults.len()), (0, 2));
    let odd = short.replace("AK9*A", "AK9*Q");
    let (said, faults) = edi::acknowledged(&showing("", "ST"), odd.as_bytes()).unwrap();
    assert_eq!(
        (said.len(), faults[0].message.as_str()),
        (0, "`Q` is no status of an acknowledgment")
    );
}

#[test]
fn an_answer_is_read_like_any_file() {
    let (_, text) = answer("", &interchange(&[("PO", &[GOOD, BAD])]));
    let came = run(&showing("", "[AK1.AK102, AK2.AK5.AK501]"), text.as_bytes());
    assert_eq!(
        (came.faults(), came.shown()),
        (vec![], vec![r#"["1","A","R"]"#])
    );
}
