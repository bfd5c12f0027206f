//! Files of the real world, and what is right for each of them.

use std::path::PathBuf;

use super::{run, showing};

struct Case {
    file: &'static str,
    /// What is refused where nothing was agreed: code, segment and element.
    strict: &'static [(&'static str, u64, &'static str)],
    /// What must be agreed, each of it.
    agreed: &'static [&'static str],
    /// What an expression shows of the document then.
    shows: (&'static str, &'static str),
}

const SYNTAX: &str = "edi_syntax";

const CASES: &[Case] = &[
    // Segments end with a line break, versions 00400 of the controls: unusual, and right.
    Case {
        file: "x12.850.OK.edi",
        strict: &[],
        agreed: &[],
        shows: (
            r#"[BEG.BEG03, $count(PO1), PO1[5].PO102, PO1[5].PID[0].PID05, CTT.AMT.AMT02]"#,
            r#"["08292233294",6,"696","ORANGE WIDGET","13045.94"]"#,
        ),
    },
    // A byte order mark, a header filled up with blanks of several bytes, a test, and another
    // number in the trailer than in the header.
    Case {
        file: "x12.850.edi",
        strict: &[
            (SYNTAX, 3, ""),
            (SYNTAX, 1, ""),
            (SYNTAX, 1, ""),
            (SYNTAX, 1, "ISA15"),
            (SYNTAX, 15, "IEA02"),
        ],
        agreed: &["byte_order_mark", "isa_length", "control_numbers", "test"],
        shows: (
            r#"[BEG.BEG03, ISA.ISA06, N1[0].N4[0].N403, PO1[0].PO107]"#,
            r#"["1000012","000123456","11788-1234","0054321"]"#,
        ),
    },
    // A byte order mark, a header that is not filled up, segments indented by tabs and blanks, a test. Its counts
    // and control numbers are right.
    Case {
        file: "x12.810a.edi",
        strict: &[
            (SYNTAX, 4, ""),
            (SYNTAX, 1, ""),
            (SYNTAX, 1, ""),
            (SYNTAX, 1, "ISA15"),
            (SYNTAX, 2, ""),
            (SYNTAX, 3, ""),
            (SYNTAX, 67, ""),
        ],
        agreed: &[
            "byte_order_mark",
            "isa_length",
            "blanks_between_segments",
            "test",
        ],
        shows: (
            r#"[BIG.BIG02, $count(IT1), IT1[1].N1[1].N3[0].N301, $count(ITD), $count(IT1[0].SAC), $count(SAC)]"#,
            r#"["DO091003TESTINV01",2,"123 Symphony Street",5,2,2]"#,
        ),
    },
    // The same, and a blank behind the last segment.
    Case {
        file: "x12.810b.edi",
        strict: &[
            (SYNTAX, 4, ""),
            (SYNTAX, 1, ""),
            (SYNTAX, 1, ""),
            (SYNTAX, 1, "ISA15"),
            (SYNTAX, 2, ""),
            (SYNTAX, 3, ""),
            (SYNTAX, 75, ""),
            (SYNTAX, 77, ""),
        ],
        agreed: &[
            "byte_order_mark",
            "isa_length",
            "blanks_between_segments",
            "test",
        ],
        shows: (
            r#"[BIG.BIG02, IT1[0].SAC[2].TXI.TXI02, SAC[1].TXI[0].TXI02, TDS.TDS01]"#,
            r#"["DO091003TESTINV01TAX","15.99","3.99","28.78","40192"]"#,
        ),
    },
    // Levels of shipment, order, package and item.
    Case {
        file: "x12.856.Crossdock.OK.edi",
        strict: &[],
        agreed: &[],
        shows: (
            r#"[HL.HL.PRF.PRF01, $count(HL[0].HL), $count(HL[0].HL[0].HL), HL.HL.HL.HL[0].SN1.SN102]"#,
            r#"["POREF00","POREF01",2,4,"12","12","12","12","12"]"#,
        ),
    },
];

fn file(name: &str) -> Option<Vec<u8>> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let given = std::env::var_os("INTERPLANT_SHARED").map(PathBuf::from);
    let folders = [
        given,
        Some(root.join("../shared")),
        Some(root.join("../../shared")),
    ];
    let found = folders
        .into_iter()
        .flatten()
        .find(|folder| folder.join("data/edi").is_dir());
    let Some(folder) = found else {
        println!("not there, so nothing is said of it: {name}");
        return None;
    };
    Some(std::fs::read(folder.join("data/edi").join(name)).unwrap())
}

fn config(agreed: &[&str]) -> String {
    let (test, lenient): (Vec<&str>, Vec<&str>) = agreed.iter().partition(|one| **one == "test");
    let test = if test.is_empty() { "refuse" } else { "take" };
    format!("test: {test}, lenient: [{}]", lenient.join(", "))
}

#[test]
fn each_file_is_refused_for_its_faults_or_read_as_was_agreed() {
    for case in CASES {
        let Some(bytes) = file(case.file) else {
            continue;
        };
        let (expression, shown) = case.shows;
        let strict = run(&showing("", expression), &bytes);
        assert_eq!(strict.faults(), case.strict, "{}", case.file);
        assert_eq!(
            strict.documents,
            usize::from(case.strict.is_empty()),
            "{}",
            case.file
        );
        let agreed = run(&showing(&config(case.agreed), expression), &bytes);
        assert_eq!(agreed.faults(), [], "{}", case.file);
        assert_eq!(agreed.shown(), [shown], "{}", case.file);
        // Each of it is needed: with one less nothing is taken.
        for left_out in case.agreed {
            let others: Vec<&str> = case
                .agreed
                .iter()
                .copied()
                .filter(|one| one != left_out)
                .collect();
            let came = run(&showing(&config(&others), expression), &bytes);
            assert_eq!(came.documents, 0, "{} without {left_out}", case.file);
            assert!(!came.unread.is_empty());
        }
    }
}

#[test]
fn control_numbers_that_do_not_agree_are_each_told_with_their_place() {
    let Some(bytes) = file("x12.ControlNumbersMismatch.edi") else {
        return;
    };
    let came = run(&showing("", "ST"), &bytes);
    // The set is of a kind that is not read here; its own trailer is wrong, too.
    assert_eq!(
        came.faults(),
        [
            (SYNTAX, 3, "ST01"),
            (SYNTAX, 8, "GE02"),
            (SYNTAX, 9, "IEA02")
        ]
    );
    assert!(
        came.unread[0]
            .message
            .ends_with("one more thing is wrong with it")
    );
    let came = run(&showing("lenient: [control_numbers]", "ST"), &bytes);
    assert_eq!(came.faults(), [(SYNTAX, 3, "ST01")]);
}

#[test]
fn what_is_no_x12_is_refused_whatever_was_agreed() {
    let Some(bytes) = file("x12.NonEdi.edi") else {
        return;
    };
    let came = run(
        &showing(
            "test: take, lenient: [isa_length, blanks_between_segments, byte_order_mark, counts, control_numbers, unknown_segments]",
            "ST",
        ),
        &bytes,
    );
    assert_eq!(came.faults(), [(SYNTAX, 1, "")]);
    assert!(came.unread[0].ends);
    assert_eq!(
        came.unread[0].message,
        "no X12: an interchange begins with the segment ISA"
    );
}
