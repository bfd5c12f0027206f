//! EDIFACT files from their bytes to facts: what is taken, what is refused, and with which words and which place.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::io::{Cursor, Read};
use std::sync::LazyLock;

use interplant_mapping::contract::Contract;
use interplant_mapping::document::{self, Input, Unread};
use interplant_mapping::feed::{Bundle, Feed};
use interplant_mapping::mapper::{Made, Mapper, NotMade};
use interplant_mapping::place::Mistake;

mod answers;
mod envelopes;
mod facts;
mod orders;

/// What came of a file.
#[derive(Debug, Default)]
struct Came {
    made: Vec<Made>,
    not_made: Vec<NotMade>,
    unread: Vec<Unread>,
}

impl Came {
    fn field(&self, fact: usize, pointer: &str) -> &str {
        self.made[fact]
            .event
            .pointer(pointer)
            .and_then(serde_json::Value::as_str)
            .unwrap_or_default()
    }

    /// The only thing that is wrong: its code, line, segment and words.
    fn only_fault(&self) -> (&str, u64, u64, &str) {
        assert_eq!(self.unread.len(), 1, "{:?}", self.unread);
        let unread = &self.unread[0];
        let segment = unread.spot.segment.unwrap_or_default();
        (unread.code, unread.spot.line, segment, &unread.message)
    }
}

fn feed(text: &str) -> Result<Feed, Mistake> {
    let mut bundle = Bundle::default();
    let path = "somewhere/feeds/feed.yaml";
    bundle.files.insert(path.to_owned(), text.into());
    Feed::read(&bundle, &"somewhere".parse().unwrap(), path)
}

fn run(feed: &Feed, bytes: &[u8]) -> Came {
    static CONTRACT: LazyLock<Contract> = LazyLock::new(|| Contract::new().unwrap());
    let open = || -> std::io::Result<Box<dyn Read>> { Ok(Box::new(Cursor::new(bytes.to_vec()))) };
    let inputs = [Input {
        role: "messages",
        name: "messages.edi",
        open: &open,
    }];
    let mut came = Came::default();
    let lookups = document::lookups(feed, &inputs).unwrap();
    let mut mapper = Mapper::new(feed, &CONTRACT, &lookups);
    let read = document::read(feed, &inputs, &mut |read| match read {
        Ok(document) => {
            for fact in mapper.map(&document) {
                match fact {
                    Ok(made) => came.made.push(made),
                    Err(not) => came.not_made.push(*not),
                }
            }
        }
        Err(unread) => came.unread.push(unread),
    });
    came.unread.extend(read.err());
    came
}

/// Answers of suppliers.
const ANSWERS: &str = r#"
system: edi
document: BGM.BGM02
files:
  messages:
    name: "*.edi"
    edifact: EDIFACT
events:
  acknowledged:
    type: po.acknowledged
    time: $moment(DTM[DTM01_1="137"].DTM01_2, "%Y%m%d", "Europe/Berlin")
    data:
      poNumber: RFF[RFF01_1="ON"].RFF01_2
      ackNumber: BGM.BGM02
      headerCode:
        list: '$exists(BGM.BGM04) ? "edifact-4343" : "edifact-1225"'
        code: '$exists(BGM.BGM04) ? BGM.BGM04 : BGM.BGM03'
      lines:
        each: LIN
        fields:
          lineNo: LIN01
          code:
            list: { constant: edifact-1229 }
            code: LIN02
          qty: $dec(QTY[QTY01_1="21"].QTY01_2, document.UNA.decimal_mark)
          price: $dec(PRI[PRI01_1="AAA"].PRI01_2, document.UNA.decimal_mark)
          promisedDate: $day(DTM[DTM01_1="2"].DTM01_2, "%Y%m%d")
"#;

fn answers(edifact: &str) -> Feed {
    feed(&ANSWERS.replace("EDIFACT", edifact)).unwrap()
}

/// An answer of two lines.
const ANSWER: &str = "\
UNB+UNOC:3+SUPPLIER+PLANT+261112:0930+4711'
UNH+1+ORDRSP:D:96A:UN'
BGM+231+AB-7+4'
DTM+137:20261112:102'
RFF+ON:P00017'
NAD+SU+++Fa. Schulze'
CTA+IC+:Frau Sommer'
LIN+10+5'
QTY+21:12.5:PCE'
DTM+2:20261201:102'
PRI+AAA:4.75'
LIN+20+3'
QTY+21:7:PCE'
PRI+AAA:10'
UNS+S'
UNT+15+1'
UNZ+1+4711'
";

/// An interchange of one message, with the counts that belong to it.
fn interchange(kind: &str, segments: &str) -> String {
    let segments: Vec<&str> = segments
        .lines()
        .map(str::trim)
        .filter(|one| !one.is_empty())
        .collect();
    format!(
        "UNB+UNOC:3+SUPPLIER+PLANT+261112:0930+4711'\nUNH+1+{kind}:D:96A:UN'\n{}\nUNT+{}+1'\nUNZ+1+4711'\n",
        segments.join("\n"),
        segments.len() + 2
    )
}

/// As bytes of ISO 8859-1.
fn latin(text: &str) -> Vec<u8> {
    text.chars()
        .map(|one| u8::try_from(u32::from(one)).unwrap())
        .collect()
}

/// Three messages; the second one is for a test to spoil.
fn three(second: &str) -> String {
    let one = |reference: u8| {
        format!(
            "UNH+{reference}+ORDRSP:D:96A:UN'BGM+231+AB-{reference}+29'DTM+137:20261112:102'RFF+ON:P{reference}'UNT+5+{reference}'\n"
        )
    };
    format!(
        "UNB+UNOC:3+S+R+261112:0930+77'\n{}{second}{}UNZ+3+77'\n",
        one(1),
        one(3)
    )
}
