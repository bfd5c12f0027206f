//! What senders are told, and what receivers tell.

use interplant_mapping::edifact::Edifact;
use interplant_mapping::edifact::acknowledgment::{Answered, Verdict, acknowledge, statuses};
use jiff::civil::date;

use super::three;

fn format(text: serde_json::Value) -> Edifact {
    serde_json::from_value(text).unwrap()
}

fn answer(format: &Edifact, text: &str) -> Vec<Answered> {
    acknowledge(
        format,
        text.as_bytes(),
        date(2026, 11, 12).at(10, 0, 0, 0),
        501,
    )
}

/// The segments between UNH and UNT.
fn body(answered: &Answered) -> String {
    let contrl = String::from_utf8(answered.contrl.clone().unwrap()).unwrap();
    let (_, rest) = contrl.split_once("CONTRL:D:3:UN'").unwrap();
    rest.split_once("UNT+").unwrap().0.to_owned()
}

fn good() -> String {
    three("UNH+2+ORDRSP:D:96A:UN'BGM+231+AB-2+29'DTM+137:20261112:102'RFF+ON:P2'UNT+5+2'\n")
}

#[test]
fn an_interchange_that_was_taken_is_acknowledged_with_its_parties_swapped() {
    let text = good().replace("+S+R+", "+S:14+R:ZZ+");
    let answered = &answer(&Edifact::default(), &text)[0];
    assert_eq!(
        String::from_utf8_lossy(answered.contrl.as_ref().unwrap()),
        "UNB+UNOC:3+R:ZZ+S:14+261112:1000+501'UNH+1+CONTRL:D:3:UN'UCI+77+S:14+R:ZZ+7'\
         UCM+1+ORDRSP:D:96A:UN+7'UCM+2+ORDRSP:D:96A:UN+7'UCM+3+ORDRSP:D:96A:UN+7'UNT+6+1'UNZ+1+501'"
    );
    let of = &answered.of;
    assert_eq!(
        (of.standard, of.control.as_str(), of.test),
        ("edifact", "77", false)
    );
    assert!(
        of.sets
            .iter()
            .all(|set| set.accepted && set.kind == "ORDRSP")
    );
}

#[test]
fn a_message_that_was_refused_is_told_by_segment_and_element() {
    for (from, to, told) in [
        (
            "BGM+231+AB-2+29'",
            "BGM+231+AB-2+29'IMD+A'DTM+2:1'XYZ'",
            "UCM+2+ORDRSP:D:96A:UN+4+29'UCS+4+15'",
        ),
        ("UNT+5+2", "UNT+6+2", "UCM+2+ORDRSP:D:96A:UN+4+29'"),
        ("UNT+5+2", "UNT+5+3", "UCM+2+ORDRSP:D:96A:UN+4+28'"),
        ("UNT+5+2'", "", "UCM+2+ORDRSP:D:96A:UN+4'UCS+4+13'"),
        ("UNH+2+", "UNH+1+", "UCM+1+ORDRSP:D:96A:UN+4+26'"),
        (
            "AB-2+29'",
            "AB-2+\u{1}'",
            "UCM+2+ORDRSP:D:96A:UN+4'UCS+2+21'",
        ),
    ] {
        let answered = &answer(&Edifact::default(), &good().replacen(from, to, 1))[0];
        let body = body(answered);
        assert!(body.contains(told), "{to}: {body}");
        assert!(body.starts_with("UCI+77+S+R+7'"), "{body}");
        let accepted: Vec<bool> = answered.of.sets.iter().map(|set| set.accepted).collect();
        assert_eq!(accepted, [true, false, true]);
    }
}

#[test]
fn an_interchange_that_was_refused_is_told_why() {
    for (from, to, format, told) in [
        (
            "UNB",
            "UNB",
            serde_json::json!({ "sender": "T" }),
            "UCI+77+S+R+4+23'",
        ),
        (
            "UNB",
            "UNB",
            serde_json::json!({ "receiver": "T" }),
            "UCI+77+S+R+4+7'",
        ),
        (
            "UNT+5+2",
            "UNT+6+2",
            serde_json::json!({ "reject": "interchange" }),
            "UCI+77+S+R+4'",
        ),
        (
            "UNOC:3",
            "KECA:3",
            serde_json::json!({}),
            "UCI+77+S+R+4+46'",
        ),
        (
            "+77'",
            "+77++++++1'",
            serde_json::json!({}),
            "UCI+77+S+R+4+25'",
        ),
        ("UNZ+3", "UNZ+4", serde_json::json!({}), "UCI+77+S+R+4+29'"),
        ("UNZ+3+77'", "", serde_json::json!({}), "UCI+77+S+R+4+13'"),
    ] {
        let answered = &answer(&self::format(format), &good().replacen(from, to, 1))[0];
        let body = body(answered);
        assert!(body.starts_with(told), "{to}: {body}");
    }
}

#[test]
fn what_cannot_be_answered_is_not() {
    let why = |text: &str| {
        answer(&Edifact::default(), text)[0]
            .contrl
            .clone()
            .unwrap_err()
    };
    assert!(why(&good().replace("+S+R+", "++R+")).contains("there is nobody to answer"));
    let contrl = "UNB+UNOC:3+S+R+261112:0930+9'UNH+1+CONTRL:D:3:UN'UCI+1+R+S+7'UNT+3+1'UNZ+1+9'";
    assert_eq!(why(contrl), "answers are not answered");
    assert_eq!(answer(&Edifact::default(), "no interchange"), []);
    // Each interchange has an answer of its own, under the next number.
    let both = format!("{}{}", good(), good().replace("+77'", "+78'"));
    let answers = answer(&Edifact::default(), &both);
    let second = String::from_utf8(answers[1].contrl.clone().unwrap()).unwrap();
    assert!(
        second.contains("+502'UNH") && second.contains("UCI+78+"),
        "{second}"
    );
}

#[test]
fn an_answer_says_what_became_of_each_message_of_ours() {
    let text = "UNB+UNOC:3+SUPPLIER+PLANT+261112:0930+9'\
        UNH+1+CONTRL:D:3:UN'UCI+1007+PLANT+SUPPLIER+7'UCM+1+ORDERS:D:96A:UN+7'\
        UCM+2+ORDERS:D:96A:UN+4'UCS+5+13'UCD+39+1:2'UNT+7+1'\
        UNH+2+CONTRL:D:3:UN'UCI+1008+PLANT+SUPPLIER+4+23'UNT+3+2'\
        UNH+3+CONTRL:D:3:UN'UCI+1009+PLANT+SUPPLIER+8'UNT+3+3'\
        UNH+4+CONTRL:D:3:UN'UCI+1010+PLANT+SUPPLIER+1'UNT+3+4'UNZ+4+9'";
    let told: Vec<String> = statuses(&Edifact::default(), text.as_bytes())
        .into_iter()
        .map(|status| match status {
            Ok(status) => {
                assert_eq!(status.from, "SUPPLIER");
                let verdict = match status.verdict {
                    Verdict::Acknowledged => "acknowledged",
                    Verdict::Rejected => "rejected",
                    Verdict::Received => "received",
                };
                let message = status.message.unwrap_or_else(|| "-".to_owned());
                let line = format!(
                    "{} {message} {verdict} {}",
                    status.interchange,
                    status.faults.join("; ")
                );
                line.trim().to_owned()
            }
            Err(fault) => fault.to_string(),
        })
        .collect();
    assert_eq!(
        told,
        [
            "1007 - acknowledged",
            "1007 1 acknowledged",
            "1007 2 rejected segment 5: 13, missing; segment 5, element 1 component 2: 39, data element too long",
            "1008 - rejected 23, unknown interchange sender",
            "1009 - received",
            "line 1: CONTRL for 1010: `1` is no action, 4, 7 or 8",
        ]
    );
}

#[test]
fn our_own_answer_is_understood_by_our_own_reader() {
    let spoilt = good().replace("UNT+5+2", "UNT+6+2");
    let answered = &answer(&Edifact::default(), &spoilt)[0];
    let contrl = answered.contrl.clone().unwrap();
    let statuses: Vec<_> = statuses(&Edifact::default(), contrl.as_slice())
        .into_iter()
        .map(|status| status.map(|one| (one.message, one.verdict)))
        .collect();
    assert_eq!(
        statuses,
        [
            Ok((None, Verdict::Acknowledged)),
            Ok((Some("1".to_owned()), Verdict::Acknowledged)),
            Ok((Some("2".to_owned()), Verdict::Rejected)),
            Ok((Some("3".to_owned()), Verdict::Acknowledged)),
        ]
    );
}
