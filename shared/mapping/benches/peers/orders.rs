//! An order with its lines, from a line of JSON to a checked event; by jsonata-js to an object with the same fields.

use std::fmt::Write as _;
use std::io::{Cursor, Read};
use std::process::Command;

use interplant_mapping::contract::Contract;
use interplant_mapping::document::{self, Input};
use interplant_mapping::feed::{Bundle, Feed};
use interplant_mapping::mapper::Mapper;
use serde_json::{Map, Value, json};

use crate::{Watch, best};

/// Fields of the header of a document.
const HEADER: usize = 31;
/// Documents in a file.
const DOCUMENTS: usize = 50;
/// Fields of the header that are made besides those of the event.
const COLUMNS: usize = 24;

/// Fields of the event's header, and of its lines.
const ORDER: [(&str, &str); 5] = [
    ("poNumber", "$trim(Number)"),
    ("plant", "$lowercase(Site)"),
    ("supplierId", "$exists(Vendor) ? Vendor : \"MISC\""),
    ("currency", "$uppercase(Currency)"),
    ("orderDate", "$day(Ordered, \"%d.%m.%Y\")"),
];
const TIME: &str = "$moment(Ordered, \"%d.%m.%Y\", \"Europe/Berlin\")";
const LINE: [(&str, &str); 7] = [
    ("lineNo", "$replace(Position, /^0+/, \"\")"),
    ("itemId", "$substringBefore(Material, \"/\")"),
    ("qty", "$dec(Quantity)"),
    ("uom", "Unit = \"ST\" ? \"EA\" : Unit"),
    ("unitPrice", "$dec(Price)"),
    ("taxCode", "$uppercase(Tax)"),
    ("needDate", "$day(Needed, \"%d.%m.%Y\")"),
];

fn column(index: usize) -> String {
    let field = format!("Text{}", 5 + index);
    match index % 4 {
        0 => format!("$trim({field})"),
        1 => format!("$uppercase($substring({field}, 0, 4))"),
        2 => format!("$contains({field}, /^[a-z]+-[0-9]+$/) ? {field} : \"other\""),
        _ => format!("{field} & \"/\" & Vendor"),
    }
}

fn feed() -> Feed {
    let mut text = String::from(
        "system: erp\ndocument: Number\nfiles:\n  orders:\n    name: orders*.json\n    json: { document: \"\", lines: true }\ncolumns:\n",
    );
    let quoted = |source: &str| source.replace('\'', "''");
    for index in 0..COLUMNS {
        writeln!(text, "  column{index}: '{}'", quoted(&column(index))).unwrap();
    }
    writeln!(
        text,
        "events:\n  created:\n    type: po.created\n    time: '{TIME}'\n    data:"
    )
    .unwrap();
    for (name, source) in ORDER {
        writeln!(text, "      {name}: '{}'", quoted(source)).unwrap();
    }
    text.push_str("      lines:\n        each: Lines\n        fields:\n");
    for (name, source) in LINE {
        writeln!(text, "          {name}: '{}'", quoted(source)).unwrap();
    }
    let path = "somewhere/feeds/orders.yaml";
    let bundle = Bundle {
        files: [(path.to_owned(), text.into_bytes())].into(),
    };
    Feed::read(&bundle, &"somewhere".parse().unwrap(), path).unwrap()
}

/// The same as one expression: what suits jsonata-js best.
fn rule() -> String {
    let members = |fields: &[(&str, &str)]| {
        let members = fields
            .iter()
            .map(|(name, source)| format!("\"{name}\": ({source})"));
        members.collect::<Vec<_>>().join(", ")
    };
    let columns: Vec<String> = (0..COLUMNS)
        .map(|index| format!("\"column{index}\": ({})", column(index)))
        .collect();
    format!(
        "{{\"columns\": {{{}}}, \"time\": {TIME}, \"data\": {{{}, \"lines\": Lines.{{{}}}}}}}",
        columns.join(", "),
        members(&ORDER),
        members(&LINE)
    )
}

/// Documents with so many lines of so many fields.
fn documents(lines: usize, width: usize) -> String {
    let mut all = String::new();
    for number in 0..DOCUMENTS {
        let mut order = Map::new();
        for (name, value) in [
            ("Number", format!(" 45000{number:05} ")),
            ("Site", "SOMEWHERE".to_owned()),
            ("Vendor", format!("V{number}")),
            ("Currency", "eur".to_owned()),
            ("Ordered", "23.11.2026".to_owned()),
        ] {
            order.insert(name.to_owned(), json!(value));
        }
        for index in order.len()..HEADER - 1 {
            order.insert(
                format!("Text{index}"),
                json!(format!("text-{}", index * 31 + number)),
            );
        }
        let lines = (1..=lines).map(|at| {
            let mut line = Map::new();
            for (name, value) in [
                ("Position", format!("{:05}", at * 10)),
                ("Material", format!("M-{}/{number}", at * 7)),
                ("Quantity", format!("{at}.250")),
                ("Unit", "ST".to_owned()),
                ("Price", format!("{}.9900", at * 3)),
                ("Tax", "v19".to_owned()),
                ("Needed", "24.12.2026".to_owned()),
            ] {
                line.insert(name.to_owned(), json!(value));
            }
            for index in line.len()..width {
                line.insert(
                    format!("Text{index}"),
                    json!(format!("text-{}", index * 31 + at)),
                );
            }
            Value::Object(line)
        });
        order.insert("Lines".to_owned(), Value::Array(lines.collect()));
        writeln!(all, "{}", Value::Object(order)).unwrap();
    }
    all
}

/// Reads the file, maps where there is a mapper, and gives the last event.
fn read(feed: &Feed, file: &str, mut mapper: Option<&mut Mapper<'_>>) -> (usize, Option<Value>) {
    let open =
        || -> std::io::Result<Box<dyn Read + '_>> { Ok(Box::new(Cursor::new(file.as_bytes()))) };
    let inputs = [Input {
        role: "orders",
        name: "orders.json",
        open: &open,
    }];
    let (mut count, mut first) = (0, None);
    document::read(feed, &inputs, &mut |document| {
        let document = document.unwrap();
        count += 1;
        if let Some(mapper) = &mut mapper {
            for made in mapper.map(&document) {
                let made = made.unwrap_or_else(|not| panic!("{not}"));
                first.get_or_insert(made.event);
            }
        }
    })
    .unwrap();
    (count, first)
}

fn rate(mut pass: impl FnMut() -> usize) -> f64 {
    best(|| {
        let watch = Watch::start();
        let mut count = 0;
        while watch.seconds() < 0.7 {
            count += pass();
        }
        count as f64 / watch.seconds()
    })
}

fn jsonata_js(file: &str) -> Option<Value> {
    std::env::var_os("JSONATA")?;
    let folder = std::env::temp_dir().join(format!("interplant-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (documents, source) = (folder.join("orders.json"), folder.join("orders.jsonata"));
    std::fs::write(&documents, file).unwrap();
    std::fs::write(&source, rule()).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peers/peer.mjs");
    let output = Command::new("node")
        .arg(script)
        .arg(&documents)
        .arg(&source)
        .output()
        .unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

pub(crate) fn compare() -> Vec<String> {
    let (feed, contract) = (feed(), Contract::new().unwrap());
    let mut failed = Vec::new();
    println!(
        "orders, JSON lines to checked events, per second of one core (mapping: {} fields of the header, {} of each line)",
        COLUMNS + ORDER.len() + 2,
        LINE.len()
    );
    println!(
        "{:<34}{:>9}{:>12}{:>14}{:>12}{:>8}",
        "document", "bytes", "read alone", "read and map", "jsonata-js", "ratio"
    );
    for (lines, width) in [(3, 12), (20, 12), (20, 36)] {
        let file = documents(lines, width);
        let lookups = document::lookups(&feed, &[]).unwrap();
        let mut mapper = Mapper::new(&feed, &contract, &lookups);
        let alone = rate(|| read(&feed, &file, None).0);
        let ours = rate(|| read(&feed, &file, Some(&mut mapper)).0);
        let name = format!("{lines} lines, {HEADER} + {width} fields");
        let bytes = file.len() / DOCUMENTS;
        let Some(peer) = jsonata_js(&file) else {
            println!(
                "{name:<34}{bytes:>9}{alone:>12.0}{ours:>14.0}{:>12}",
                "`make bench`"
            );
            continue;
        };
        let event = read(&feed, &file, Some(&mut mapper)).1.unwrap();
        assert_eq!(event["data"], peer["sample"]["data"], "both make the same");
        let theirs = peer["rate"].as_f64().unwrap();
        let ratio = ours / theirs;
        println!("{name:<34}{bytes:>9}{alone:>12.0}{ours:>14.0}{theirs:>12.0}{ratio:>8.1}");
        if ratio < 4.0 {
            failed.push(format!(
                "{name}: {ratio:.1} times jsonata-js, at least 4 wanted"
            ));
        }
    }
    println!();
    failed
}
