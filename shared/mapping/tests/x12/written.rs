//! Orders that go out to suppliers.

use interplant_mapping::edi::{Delimiters, Element, Envelope, Party, write};
use jiff::civil::date;

use super::{run, showing};

fn party(id: &str) -> Party {
    Party {
        qualifier: "ZZ".to_owned(),
        id: id.to_owned(),
        group_id: id.to_owned(),
    }
}

fn envelope() -> Envelope {
    Envelope {
        sender: party("PLANT"),
        receiver: party("ACME"),
        interchange_control: "77".to_owned(),
        group_control: "5".to_owned(),
        set_control: "9".to_owned(),
        functional_id: "PO".to_owned(),
        version: "004010".to_owned(),
        test: false,
        asks_acknowledgment: true,
        date_time: date(2026, 11, 24).at(9, 5, 0, 0),
        delimiters: Delimiters::default(),
    }
}

fn order(number: &str) -> Vec<Vec<Element>> {
    let line = |texts: &[&str]| texts.iter().map(|text| Element::from(*text)).collect();
    vec![
        line(&["BEG", "00", "NE", number, "", "20261124"]),
        line(&["PO1", "10", "5", "EA", "19.95", "", "VP", "X1  "]),
        line(&["PID", "F", "", "", "", "Bolt, 5 mm", "", " "]),
        line(&["CTT", "1"]),
    ]
}

#[test]
fn an_850_is_written_with_its_envelopes_and_read_back() {
    let text = write(&envelope(), "850", &[order("4711"), order("4712")]).unwrap();
    assert_eq!(
        text,
        "ISA*00*          *00*          *ZZ*PLANT          *ZZ*ACME           *261124*0905*U*00401*000000077*1*P*>~\
         GS*PO*PLANT*ACME*20261124*0905*5*X*004010~\
         ST*850*0009~BEG*00*NE*4711**20261124~PO1*10*5*EA*19.95**VP*X1~PID*F****Bolt, 5 mm~CTT*1~SE*6*0009~\
         ST*850*0010~BEG*00*NE*4712**20261124~PO1*10*5*EA*19.95**VP*X1~PID*F****Bolt, 5 mm~CTT*1~SE*6*0010~\
         GE*2*5~IEA*1*000000077~"
    );
    let came = run(&showing("", "[BEG.BEG03, PO1.PID.PID05]"), text.as_bytes());
    assert_eq!(
        (came.faults(), came.shown()),
        (
            vec![],
            vec![r#"["4711","Bolt, 5 mm"]"#, r#"["4712","Bolt, 5 mm"]"#]
        )
    );
}

#[test]
fn what_cannot_be_written_as_it_is_is_refused_by_its_name() {
    type Change = fn(&mut Envelope, &mut Vec<Vec<Element>>);
    let cases: [(Change, &str); 9] = [
        (|_, order| order[1][7] = "A*B".into(), "PO107"),
        (|_, order| order[2][5] = "5 ~ 6".into(), "PID05"),
        (|_, order| order[2][5] = "two\nlines".into(), "PID05"),
        (|_, order| order[1][0] = "po1".into(), "?"),
        (
            |envelope, _| envelope.interchange_control = "1234567890".to_owned(),
            "ISA13",
        ),
        (
            |envelope, _| envelope.receiver.id = "SIXTEEN-LETTERS-".to_owned(),
            "ISA08",
        ),
        (
            |envelope, _| envelope.sender.group_id = String::new(),
            "GS02",
        ),
        (
            |envelope, _| envelope.functional_id = "IN".to_owned(),
            "GS01",
        ),
        (|envelope, _| envelope.delimiters.component = '*', "ISA16"),
    ];
    for (change, element) in cases {
        let (mut envelope, mut order) = (envelope(), order("4711"));
        change(&mut envelope, &mut order);
        let refused = write(&envelope, "850", &[order]).unwrap_err();
        assert_eq!(refused.element, element, "{refused}");
    }
}
