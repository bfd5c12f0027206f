//! Feeds and the expressions in them: what a person writes, and what a reader of them may meet.

use std::io::{self, Read};

use interplant_mapping::contract::Contract;
use interplant_mapping::document::{self, Input};
use interplant_mapping::feed::{Bundle, Feed};
use interplant_mapping::mapper::Mapper;

use crate::case::{Stock, case};
use crate::reading::{PATH, in_time};

/// What becomes of a file with this feed: text, so that two runs can be compared.
fn outcome(contract: &Contract, yaml: &[u8], file: &[u8]) -> String {
    let files = [
        (PATH.to_owned(), yaml.to_vec()),
        ("packs/pack.yaml".to_owned(), PACK.into()),
        (
            "somewhere/lookups/units.csv".to_owned(),
            b"key,unit\nEA,each\n".to_vec(),
        ),
    ];
    let bundle = Bundle {
        files: files.into_iter().collect(),
    };
    let plant = "somewhere".parse().unwrap();
    let feed = match Feed::read(&bundle, &plant, PATH) {
        Ok(feed) => feed,
        Err(mistake) => return mistake.to_string(),
    };
    let open = || -> io::Result<Box<dyn Read + '_>> { Ok(Box::new(file)) };
    let roles = feed.roles();
    let inputs: Vec<Input<'_>> = roles
        .iter()
        .map(|role| Input {
            role,
            name: "file",
            open: &open,
        })
        .collect();
    let lookups = match document::lookups(&feed, &inputs) {
        Ok(lookups) => lookups,
        Err(fault) => return fault.to_string(),
    };
    let mut mapper = Mapper::new(&feed, contract, &lookups);
    let mut all = feed.hash.clone();
    let ended = document::read(&feed, &inputs, &mut |read| match read {
        Ok(document) => all += &format!("{:?}", mapper.map(&document)),
        Err(fault) => all += &fault.to_string(),
    });
    format!("{all}{ended:?}")
}

fn check(contract: &Contract, yaml: &[u8], file: &[u8]) {
    in_time(|| {
        let one = outcome(contract, yaml, file);
        // An expression that took too long may take a little less the next time.
        if !one.contains("mapping_budget") {
            assert_eq!(
                one,
                outcome(contract, yaml, file),
                "the same feed gives something else"
            );
        }
    });
}

const PACK: &str = "
about: A pack
document: order
columns: { big: '$exists(qty)' }
events:
  received:
    type: receipt.posted
    time: $moment(day, '%Y-%m-%d', 'UTC')
    data: { receiptNumber: order }
";

const FEED: &[u8] = br#"extends: packs/pack.yaml
system: wms
files:
  rows:
    name: "*.csv"
    delimited: { separator: ",", trailer: { mark: END, count: 2 } }
    columns: [order, qty]
    group_by: [order]
lookups:
  units: { file: lookups/units.csv, key: key, default: { unit: EA } }
events:
  received:
    when: $exists(rows)
    data:
      poNumber: order
      lines:
        each: rows
        fields:
          lineNo: line
          itemId: { constant: "1" }
          qtyReceived: $dec(qty, ",")
          uom: $table("units", "EA", "unit")
"#;

const TREES: &[u8] = br#"system: s
document: order
files:
  one:
    name: a*b
    fixed:
      records:
        HDR: { mark: { at: 1, text: ord }, columns: [{ name: order, at: 1, width: 4 }] }
        LIN: { mark: { at: 1, text: "A1" }, of: HDR, columns: [{ name: line, at: 4, width: 2 }] }
      ignored: [{ at: 1, text: "*" }]
events: {}
"#;

const OTHERS: &[u8] = br#"system: s
document: order
files: { one: { name: "*", xml: { document: [/*/a, /b/c], repeated: [d] } } }
events: {}
# json: { document: /a/0, around: [x] } sheet: { name: x, until: blank_row, point: ",", decimals: { a: 2 } }
# x12: { lenient: [counts], reject: interchange, version: ["004"], sender: "ZZ:A", test: take } edifact: { encoding: utf-8 }
"#;

const FILE: &[u8] = b"order,line,qty,day\nA1,1,2.5,2026-11-23\nA1,2,3,2026-11-23\nEND,2,,\n";

/// Arbitrary YAML; a feed that is taken reads a file.
pub(crate) fn feeds() -> impl Fn(&[u8]) {
    let contract = Contract::new().unwrap();
    let stock = Stock {
        samples: &[FEED, TREES, OTHERS],
        words: &[
            ":",
            ": ",
            "- ",
            "{",
            "}",
            "[",
            "]",
            ",",
            "\n",
            "\n  ",
            "\n      ",
            "#",
            "'",
            "\"",
            "|",
            ">",
            "&a ",
            "*a",
            "<<: ",
            "!!binary ",
            "? ",
            "---\n",
            "...\n",
            "~",
            "null",
            "true",
            "007",
            "1e999",
            ".inf",
            "\t",
            "extends: ",
            "packs/pack.yaml",
            "files:",
            "key: order",
            "of: { order: order }",
            "fixed:",
            "columns: [{ name: a, at: 1, width: 1 }]",
            "records:",
            "length: 10",
            "at: 18446744073709551615",
            "width: 0",
            "line_ends: false",
            "skip: 3",
            "encoding: utf-16",
            "json: {}",
            "x12: {}",
            "edifact: {}",
            "sheet: {}",
            "xml: { document: / }",
            "document: /",
            "carry: true",
            "each: rows",
            "\\x00",
            "%YAML 1.2\n",
            "header: { mark: order, count: 1 }",
            "total: { cell: 3, column: qty }",
            "quote: ''",
            "separator: tab",
        ],
    };
    move |bytes| check(&contract, &case(bytes, &stock), FILE)
}

/// Arbitrary expressions; one that is taken is applied to a document.
pub(crate) fn expressions() -> impl Fn(&[u8]) {
    let contract = Contract::new().unwrap();
    let stock = Stock {
        samples: &[
            b"rows[$dec_cmp($dec(qty, \",\"), \"0\") > 0].{ \"a\": line, \"b\": $dec_mul(qty, \"2\") }",
            b"$map(rows, function($r, $i) { $r.line & \"-\" & $string($i) })",
            b"($x := rows^(>qty)[0]; $exists($x.qty) ? $uppercase($x.order) : null)",
            b"$moment(rows[0].day & \" 08\", \"%Y-%m-%d %H\", \"Europe/Berlin\")",
            b"$replace(order, /([A-Z])(\\d+)/, \"$2$1\") ~> $split(\"1\") ~> $join(\"-\")",
            b"$reduce([1..9], function($a, $b) { $a + $b }) in [45, -1e3] or not_there.**.x",
            b"$dec_sum(rows.qty) & $dec_div(\"1\", \"3\", 4) & $dec_round(\"2.345\", 2) & $dec_shift(\"12345\", 2)",
            b"$day(rows[0].day, \"%Y-%m-%d\") & $pad(order, -8, \"0\") & $substring(order, 1, 2)",
        ],
        words: &[
            "(", ")", "[", "]", "{", "}", "\"", "'", "`", "$", "$$", "%", "@$x", "#$i", "^(", "<", ">", "~>", ":=", "?", ":", ";", ".",
            "..", "...", "**", "*", "/", "|", "|x|{}|", "&", "-", "+", "=", "!=", " and ", " or ", " in ", "function($x){", "λ", "null",
            "true", "1e308", "[1..99999]", "/a*/i", "/(a+)+$/", "\\u0000", "\\ud83d", "/* */", "$f := function(){ $f() }; $f()", "$map(",
            "$filter(", "$reduce(", "$sort(", "$each(", "$spread(", "$merge(", "$lookup(", "$string(", "$split(", "$match(", "$replace(",
            "$pad(", "$substring(", "$dec(", "$dec_add(", "$dec_mul(", "$dec_div(", "$dec_round(", "$dec_shift(", "$dec_sum(",
            "$dec_cmp(", "$day(", "$moment(", "$table(", "rows", "qty", "order", "$fromMillis(", "$toMillis(", "$formatNumber(",
            "$formatBase(", "$formatInteger(", "$base64decode(", "$decodeUrl(", "$zip(", "$power(", "$number(", "$error(", "$assert(",
            "99999999999999999999999999999", "\"%Y-%m-%d\"",
        ],
    };
    move |bytes| {
        let source = case(bytes, &stock);
        let source = serde_json::to_string(&String::from_utf8_lossy(&source)).unwrap();
        let yaml = format!(
            "system: s\ndocument: {source}\nfiles: {{ rows: {{ name: a, group_by: [order] }} }}\nevents: {{}}\n"
        );
        check(&contract, yaml.as_bytes(), FILE);
    }
}
