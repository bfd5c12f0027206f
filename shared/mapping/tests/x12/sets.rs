//! Interchanges, groups and sets: what is refused, with which words and which place, and what is not.

use super::{header, interchange, run, set, showing};

const ORDER: &str = "BEG*00*SA*4711**20261123~PO1*10*5*EA*19.95**VP*X1~CTT*1~";
const FAULTLESS: (&str, &str) = ("850", ORDER);

fn order() -> String {
    interchange(&[("PO", &[FAULTLESS])])
}

/// What is said of an interchange that was changed.
fn said(x12: &str, text: &str) -> (usize, Vec<String>) {
    let came = run(&showing(x12, "BEG.BEG03"), text.as_bytes());
    let said = came.unread.iter();
    let said = said.map(|one| {
        format!(
            "{} {}: {}",
            one.code,
            one.spot.segment.unwrap_or(0),
            one.message
        )
    });
    (came.documents, said.collect())
}

#[test]
fn a_fault_is_told_with_its_place_and_refuses_what_it_is_in() {
    // What is changed, what is left of it, and what is said of the first fault.
    let cases = [
        (
            "SE*5*",
            "SE*6*",
            "edi_syntax 7: the transaction set 850 0001 is not taken: the trailer of set 0001 says 6 segments, 5 came (taken from a partner with `lenient: [counts]`)",
        ),
        (
            "SE*5*0001",
            "SE*5*0002",
            "edi_syntax 7: the transaction set 850 0001 is not taken: the header of the set says 0001, its trailer 0002 (taken from a partner with `lenient: [control_numbers]`)",
        ),
        (
            "SE*5*0001~",
            "",
            "edi_syntax 7: the transaction set 850 0001 is not taken: the transaction set 0001 has no SE: the group ends before it",
        ),
        (
            "GE*1*1~",
            "GE*2*1~",
            "edi_syntax 3: the transaction set 850 0001 is not taken, for something around it in interchange 000000001 is wrong: segment 8, the trailer of group 1 says 2 sets, 1 came (taken from a partner with `lenient: [counts]`)",
        ),
        (
            "GE*1*1~",
            "",
            "edi_syntax 3: the transaction set 850 0001 is not taken, for something around it in interchange 000000001 is wrong: segment 8, the group 1 has no GE: the interchange ends before it",
        ),
        (
            "IEA*1*000000001~",
            "",
            "edi_syntax 3: the transaction set 850 0001 is not taken, for something around it in interchange 000000001 is wrong: segment 8, the interchange 000000001 has no IEA: the file ends before it",
        ),
        (
            "IEA*1*000000001~",
            "IEA*1*000000001",
            "edi_syntax 3: the transaction set 850 0001 is not taken, for something around it in interchange 000000001 is wrong: segment 9, the file breaks off in the segment IEA",
        ),
        (
            "IEA*1*",
            "IEA*3*",
            "edi_syntax 3: the transaction set 850 0001 is not taken, for something around it in interchange 000000001 is wrong: segment 9, the trailer of interchange 000000001 says 3 groups, 1 came (taken from a partner with `lenient: [counts]`)",
        ),
        (
            "*0*P*>",
            "*0*T*>",
            "edi_syntax 3: the transaction set 850 0001 is not taken, for something around it in interchange 000000001 is wrong: segment 1, the interchange is a test, and this feed refuses tests (`test: take` takes them)",
        ),
        (
            "GS*PO*",
            "GS*IN*",
            "edi_syntax 3: the transaction set 850 0001 is not taken: the transaction set 850 does not belong into a group IN, but PO",
        ),
        (
            "PO1*10",
            "ZZZ*1~PO1*10",
            "edi_syntax 5: the transaction set 850 0001 is not taken: segment 3 of the set, ZZZ, does not occur in 850 (taken from a partner with `lenient: [unknown_segments]`); one more thing is wrong with it",
        ),
        (
            "CTT*1~",
            "CTT*1~REF*PO*1~",
            "edi_syntax 7: the transaction set 850 0001 is not taken: segment 5 of the set, REF, does not belong where it stands (taken from a partner with `lenient: [unknown_segments]`); one more thing is wrong with it",
        ),
        (
            "PO1*10",
            "BEG*00*SA*1**1~PO1*10",
            "edi_syntax 5: the transaction set 850 0001 is not taken: segment 3 of the set, BEG, occurs more often than it may (taken from a partner with `lenient: [unknown_segments]`); one more thing is wrong with it",
        ),
        (
            "CTT*1",
            "CTT*9",
            "edi_syntax 6: the transaction set 850 0001 is not taken: CTT01 says 9 times PO1, 1 came (taken from a partner with `lenient: [counts]`)",
        ),
        (
            "*4711*",
            "**",
            "edi_syntax 4: the transaction set 850 0001 is not taken: segment 2 of the set, BEG, lacks the element BEG03 (taken from a partner with `lenient: [missing_elements]`)",
        ),
        (
            "BEG*00*SA*4711**20261123~",
            "",
            "edi_syntax 4: the transaction set 850 0001 is not taken: the set lacks the segment BEG before segment 2 of the set (taken from a partner with `lenient: [missing_segments]`); one more thing is wrong with it",
        ),
        (
            "*X1",
            "*X\u{1}1",
            "edi_syntax 5: the transaction set 850 0001 is not taken: segment 3 of the set, PO1, has a control character in PO107",
        ),
    ];
    for (what, with, words) in cases {
        let text = order().replacen(what, with, 1);
        let (documents, said) = said("", &text);
        assert_eq!(documents, 0, "{what}");
        assert_eq!(said[0], words, "{what}");
    }
    assert_eq!(said("", &order()), (1, vec![]));
}

#[test]
fn only_the_partner_of_the_feed_and_only_its_versions_are_read() {
    let whole = (1, vec![]);
    assert_eq!(
        said(
            "sender: \"ZZ:ACME\", receiver: PLANT, version: [\"004010\"]",
            &order()
        ),
        whole
    );
    for (config, words) in [
        (
            "sender: \"01:ACME\"",
            "segment 1, `ZZ:ACME` is not the partner of this feed",
        ),
        (
            "receiver: OTHER",
            "segment 1, `ZZ:PLANT` is not the partner of this feed",
        ),
        (
            "version: [\"005010\"]",
            "segment 2, the version `004010` is none of 005010",
        ),
    ] {
        let (documents, said) = said(config, &order());
        assert_eq!(documents, 0);
        assert!(said[0].ends_with(words), "{}", said[0]);
    }
}

#[test]
fn a_faulty_set_is_refused_alone_or_with_its_interchange_as_was_agreed() {
    let faulty = ("850", "BEG*00*SA*4712**20261123~CTT*0~");
    let first = interchange(&[
        ("PO", &[FAULTLESS, faulty, FAULTLESS]),
        ("PO", &[FAULTLESS]),
    ]);
    let second = order().replace("000000001", "000000002");
    let text = first + &second;
    let (documents, alone) = said("", &text);
    assert_eq!((documents, alone.len()), (4, 1));
    assert!(
        alone[0].contains("850 0002 is not taken: the set lacks the segment PO1"),
        "{}",
        alone[0]
    );
    let (documents, all) = said("reject: interchange", &text);
    assert_eq!((documents, all.len()), (1, 4));
    assert!(all[0].starts_with(
        "edi_syntax 3: the transaction set 850 0001 is not taken, for something around it"
    ));
}

#[test]
fn a_control_number_that_comes_twice_refuses_the_second() {
    let twice = order() + &order();
    let (documents, found) = said("", &twice);
    assert_eq!(documents, 1);
    assert_eq!(
        found[1],
        "edi_duplicate_control 10: the interchange 000000001 is in the file twice"
    );
    let group = order().replace(
        "IEA*1",
        "GS*PO*ACME*PLANT*20261123*0915*1*X*004010~GE*0*1~IEA*2",
    );
    let (documents, found) = said("", &group);
    assert_eq!(documents, 1);
    assert_eq!(
        found,
        ["edi_duplicate_control 9: the group 1 is in the interchange twice"]
    );
    let sets = interchange(&[("PO", &[FAULTLESS, FAULTLESS])]).replace("0002", "0001");
    let (documents, found) = said("", &sets);
    assert_eq!(documents, 1);
    assert_eq!(
        found,
        [
            "edi_duplicate_control 8: the transaction set 850 0001 is not taken: the transaction set 0001 is in the group twice"
        ]
    );
}

#[test]
fn what_was_agreed_is_taken_by_its_name() {
    let unknown = order().replace("SE*5", "ZZZ*a*b~ZZZ*c~SE*7");
    let came = run(
        &showing("lenient: [unknown_segments]", "CTT.ZZZ.ZZZ01"),
        unknown.as_bytes(),
    );
    assert_eq!(
        (came.faults(), came.shown()),
        (vec![], vec![r#"["a","c"]"#])
    );
    let wrong = order()
        .replace("SE*5*0001", "SE*6*0002")
        .replace("GE*1*1", "GE*4*7")
        .replace("CTT*1", "CTT*3");
    assert_eq!(
        said("lenient: [counts, control_numbers]", &wrong),
        (1, vec![])
    );
    // What cannot be kept beside what is there stays a fault.
    let second = order()
        .replace("PO1*10", "BEG*01*SA*1**1~PO1*10")
        .replace("SE*5", "SE*6");
    let (documents, found) = said("lenient: [unknown_segments]", &second);
    assert_eq!(documents, 0);
    assert!(
        found[0].contains("it cannot be kept beside the one that is there"),
        "{}",
        found[0]
    );
}

#[test]
fn an_interchange_that_is_cut_off_ends_the_file_and_nothing_of_it_is_read() {
    let good = order();
    let first = good.replace("000000001", "000000002");
    let end = good.find("IEA").unwrap();
    for cut in [end, end - 3, end + 2, good.find("PO1").unwrap() + 2] {
        let came = run(&showing("", "BEG.BEG03"), &good.as_bytes()[..cut]);
        assert_eq!(came.documents, 0, "{cut}: {:?}", came.unread);
        let last = came.unread.last().unwrap();
        assert!(
            last.ends && last.message.contains("has no IEA"),
            "{cut}: {last:?}"
        );
        assert_eq!(
            came.unread.iter().filter(|one| one.ends).count(),
            1,
            "{cut}"
        );
        // What came before it is whole.
        let both = format!("{first}{}", &good[..cut]);
        let came = run(&showing("", "BEG.BEG03"), both.as_bytes());
        assert_eq!(came.shown(), ["4711"], "{cut}: {:?}", came.unread);
        assert!(came.unread.last().unwrap().ends, "{cut}");
    }
}

#[test]
fn line_breaks_between_segments_carry_no_meaning() {
    for line_break in ["\n", "\r\n", "\n\n"] {
        let text = order().replace('~', &format!("~{line_break}"));
        assert_eq!(said("", &text), (1, vec![]));
    }
    let (documents, found) = said("", &order().replace('~', "~ "));
    assert_eq!(documents, 0);
    assert!(
        found[0].contains("blanks stand before the segment BEG"),
        "{}",
        found[0]
    );
    assert_eq!(
        said(
            "lenient: [blanks_between_segments]",
            &order().replace('~', "~ \t")
        )
        .0,
        1
    );
}

#[test]
fn the_character_set_is_what_the_feed_names() {
    let text = order().replace("*X1", "*M\u{fc}ller");
    assert_eq!(said("", &text), (1, vec![]));
    let bytes: Vec<u8> = text
        .chars()
        .map(|one| u8::try_from(u32::from(one)).unwrap())
        .collect();
    let came = run(&showing("encoding: windows-1252", "PO1[0].PO107"), &bytes);
    assert_eq!(came.shown(), ["M\u{fc}ller"]);
    let came = run(&showing("", "ST"), &bytes);
    assert_eq!(
        (came.documents, came.faults().last().unwrap().0),
        (0, "edi_encoding")
    );
}

#[test]
fn places_are_those_of_the_file() {
    let text = order().replace('~', "~\n");
    let came = run(
        &showing("", r#"[PO1[0]._line, PO1[0]._segment, BEG._line, _line]"#),
        text.as_bytes(),
    );
    assert_eq!(came.shown(), [r#"["5","5","4","3"]"#]);
}

#[test]
fn components_and_repetitions_have_names_of_their_own() {
    let text = interchange(&[(
        "PO",
        &[(
            "850",
            "BEG*00*SA*4711**20261123~REF*DP*038**PO>12>LI>3~PO1*10*5*EA*1~SLN*1**I*2*EA~SLN*2**I*2*EA>>1~CTT*1~",
        )],
    )]);
    let came = run(
        &showing(
            "",
            "[REF[0].REF04_1, REF[0].REF04_4, PO1.SLN.SLN05_1, PO1.SLN.SLN05_3]",
        ),
        text.as_bytes(),
    );
    assert_eq!(came.shown(), [r#"["PO","3","EA","EA","1"]"#]);
    let text = text
        .replace("*U*00401*", "*^*00501*")
        .replace("004010", "005010")
        .replace("PO107", "")
        .replace("REF*DP*038*", "REF*DP*038^039*")
        .replace("SLN*2**I*2*EA>>1", "SLN*2**I*2*EA>>1^KG>>2");
    let came = run(
        &showing(
            "",
            "[REF[0].REF02, PO1.SLN[1].SLN05._1, PO1.SLN[0].SLN05_1]",
        ),
        text.as_bytes(),
    );
    assert_eq!(
        (came.faults(), came.shown()),
        (vec![], vec![r#"["038","039","EA","KG","EA"]"#])
    );
    // Before 00402 nothing repeats.
    let text = order().replace("*X1", "*X^1");
    let came = run(&showing("", "PO1[0].PO107"), text.as_bytes());
    assert_eq!(came.shown(), ["X^1"]);
}

#[test]
fn levels_of_a_ship_notice_hang_below_those_they_name() {
    let notice = |levels: &str| {
        let count = levels.matches("HL*").count();
        interchange(&[(
            "SH",
            &[(
                "856",
                &format!("BSN*00*A*20261123*0915~{levels}CTT*{count}~"),
            )],
        )])
    };
    let cases = [
        (
            "HL*1**S~HL*2*9*I~",
            "level 2 names the level 9 above it, which did not come before",
        ),
        (
            "HL*1**S~HL*2*2*I~",
            "level 2 names the level 2 above it, which did not come before",
        ),
        ("HL*1**S~HL*1*1*I~", "the level 1 is there twice"),
    ];
    for (levels, words) in cases {
        let (documents, found) = said("", &notice(levels));
        assert_eq!(documents, 0);
        assert!(found[0].starts_with("edi_syntax 6"), "{}", found[0]);
        assert!(found[0].ends_with(words), "{}", found[0]);
    }
    let deep: String = (1..=17)
        .map(|level| {
            format!(
                "HL*{level}*{}*I~",
                if level == 1 {
                    String::new()
                } else {
                    (level - 1).to_string()
                }
            )
        })
        .collect();
    let (documents, found) = said("", &notice(&deep));
    assert_eq!(documents, 0);
    assert!(
        found[0].ends_with("more than 16 levels below each other"),
        "{}",
        found[0]
    );
    let came = run(
        &showing("", "[HL.HL01, HL.HL.HL01, HL.HL.HL.HL01]"),
        notice("HL*1**S~HL*2*1*O~HL*3*2*I~HL*4*2*I~HL*5*1*O~HL*6*5*I~HL*7**S~").as_bytes(),
    );
    assert_eq!(came.shown(), [r#"["1","7","2","5","3","4","6"]"#]);
}

#[test]
fn each_kind_of_set_is_read_with_its_loops() {
    let cases = [
        (
            "PO",
            "850",
            "BEG*00*SA*4711**20261123~CUR*BY*USD~REF*DP*1~FOB*PP~N9*L1*X~MSG*Hello~N1*ST*Plant*92*1~N3*a~N4*b~PO1*1*1*EA*2~CTP**RES*3~PID*F****Bolt~SCH*1*EA***002*20261201~N1*ST*Other~SLN*1**I~AMT*1*2~CTT*1~AMT*TT*2~",
            "[N9.MSG.MSG01, PO1.SCH.SCH06, PO1.N1.N102, CTT.AMT.AMT02]",
            r#"["Hello","20261201","Other","2"]"#,
        ),
        (
            "PR",
            "855",
            "BAK*00*AC*4711*20261123~N1*SU*Acme~PO1*1*1*EA*2~PID*F****Bolt~ACK*IA*1*EA~DTM*067*20261201~SCH*1*EA***067*20261201~CTT*1~",
            "[PO1.ACK.ACK01, PO1.ACK.DTM.DTM02]",
            r#"["IA","20261201"]"#,
        ),
        (
            "IB",
            "846",
            "BIA*00*SI*1*20261123~N1*WH*Plant~LIN**VP*X1~PID*F****Bolt~QTY*33*12*EA~LS*1~REF*LT*L1~LE*1~CTT*1~",
            "[LIN.QTY.QTY02, LIN.QTY.QTY03_1, LIN.QTY.LS.REF.REF02]",
            r#"["12","EA","L1"]"#,
        ),
        (
            "PC",
            "860",
            "BCH*04*SA*4711**1*20261124~N1*ST*Plant~POC*10*QD*3*2*EA*19.95~PID*F****Bolt~SLN*1**I~CTT*1~",
            "[POC.POC03, POC.POC05_1]",
            r#"["3","EA"]"#,
        ),
        (
            "CA",
            "865",
            "BCA*05*AC*4711**1*20261124~POC*10*QD*3*2*EA*19.95~ACK*IA*3*EA~CTT*1~",
            "[POC.ACK.ACK01]",
            r#"["IA"]"#,
        ),
        (
            "RC",
            "861",
            "BRA*R1*20261123*00*1~DTM*050*20261123~N1*ST*Plant~RCD*10*12*EA****~LIN**LT*L1~N1*SF*A~CTT*1~",
            "[RCD.RCD03_1, RCD.LIN.LIN03, RCD.N1.N102]",
            r#"["EA","L1","A"]"#,
        ),
        (
            "FA",
            "997",
            "AK1*PO*1~AK2*850*0001~AK3*REF*3**8~AK4*1**1~AK5*R*5~AK9*R*1*1*0~",
            "[AK2.AK3.AK4.AK401_1, AK2.AK5.AK501, AK9.AK901]",
            r#"["1","R","R"]"#,
        ),
    ];
    for (group, kind, segments, expression, shown) in cases {
        let text = interchange(&[(group, &[(kind, segments)])]);
        let came = run(&showing("", expression), text.as_bytes());
        assert_eq!(
            (came.faults(), came.shown()),
            (vec![], vec![shown]),
            "{kind}"
        );
    }
}

#[test]
fn separators_that_separate_nothing_are_refused() {
    for (what, with, words) in [
        (
            "*P*>~",
            "*P**~",
            "`*` is the element separator and the component separator, ISA16",
        ),
        (
            "*P*>~",
            "*P*>>",
            "`>` is the segment terminator and the component separator, ISA16",
        ),
        (
            "*P*>~",
            "*P*A~",
            "`A` cannot be the component separator, ISA16",
        ),
        (
            "*U*00401*",
            "*>*00501*",
            "`>` is the component separator, ISA16 and the repetition separator, ISA11",
        ),
    ] {
        let (documents, found) = said("", &order().replace(what, with));
        assert_eq!(documents, 0);
        assert!(found[0].contains(words), "{found:?}");
    }
}

#[test]
fn hostile_files_get_an_answer_and_no_memory() {
    // A segment of ten megabytes refuses its set alone.
    let long = "X".repeat(10 << 20);
    let text = interchange(&[(
        "PO",
        &[
            (
                "850",
                &format!("BEG*00*SA*{long}**20261123~{}", &ORDER[25..]),
            ),
            FAULTLESS,
        ],
    )]);
    let (documents, found) = said("", &text);
    assert_eq!((documents, found.len()), (1, 1));
    assert!(
        found[0].contains("the segment BEG is longer than 1 MB"),
        "{}",
        found[0]
    );
    assert!(found[0].starts_with("edi_limit 4"));
    // A million segments.
    let many = "REF*DP*1~".repeat(1_000_000);
    let text = interchange(&[(
        "PO",
        &[("850", &format!("BEG*00*SA*1**20261123~{many}")), FAULTLESS],
    )]);
    let (documents, found) = said("", &text);
    assert_eq!((documents, found.len()), (1, 1));
    assert!(
        found[0].contains("more than 100000 segments"),
        "{}",
        found[0]
    );
    // Few bytes that become many values.
    let many = "REF*1*1*1~".repeat(90_000);
    let text = interchange(&[(
        "PO",
        &[
            (
                "850",
                &format!("BEG*00*SA*1**20261123~{many}{}", &ORDER[25..]),
            ),
            FAULTLESS,
        ],
    )]);
    let (documents, found) = said("", &text);
    assert_eq!((documents, found.len()), (1, 1));
    assert!(
        found[0].contains("more elements than can be kept"),
        "{}",
        found[0]
    );
    // A terminator that never comes.
    let (documents, found) = said("", &(header("000000001") + &"GS*PO*".repeat(1_000_000)));
    assert_eq!(documents, 0);
    assert!(!found.is_empty());
    // A file of headers.
    let headers: String = (0..2_000)
        .map(|number| header(&format!("{number:09}")))
        .collect();
    let (documents, found) = said("", &headers);
    assert_eq!((documents, found.len()), (0, 2_000));
    // Nothing at all is no fault of X12; an empty file is told elsewhere.
    assert_eq!(said("", "").0, 0);
    assert_eq!(set("850", "0001", ORDER).matches('~').count(), 5);
}

#[test]
fn what_was_read_before_a_file_broke_counts() {
    let order = "BEG*00*SA*1**20261123~ PO1*1*1*EA*1~ CTT*1~";
    let whole = interchange(&[("PO", &[("850", order)])]);
    let came = run(
        &showing("", "ST.ST02"),
        format!("{whole}and more~").as_bytes(),
    );
    assert_eq!(came.documents, 1);
    assert_eq!(came.faults(), [("edi_syntax", 10, "")]);
    assert!(came.unread[0].ends);
}
