//! Formats of text: how they are read, a sample of each, and what they are written with.

use crate::Variant;
use crate::case::Stock;
use crate::reading::Cut;

const ODD: [&str; 10] = [
    "\0",
    "\r",
    "\n",
    "\r\n",
    "\t",
    " ",
    "\u{feff}",
    "\u{a0}",
    "é",
    "\u{1f642}",
];

/// What a format is written with, and what troubles every one.
fn words(own: &[&'static str]) -> &'static [&'static str] {
    [own, &ODD].concat().leak()
}

fn stock(samples: &'static [&'static [u8]], words: &'static [&'static str]) -> Stock<'static> {
    Stock { samples, words }
}

pub(crate) fn delimited() -> Vec<Variant> {
    let words = words(&[
        ";",
        ",",
        "\"",
        "\"\"",
        ";;",
        "END",
        "HDR",
        "END;2;4,50\n",
        "a;b;c\n",
        "-1",
        "1.234,5",
        "99999999999999999999",
        "3,00",
        "0",
    ]);
    let plain: &[&[u8]] = &[
        b"order,line,qty\nA1,1,2.5\nA1,2,\"3,0\"\nA2,1,\"say \"\"x\"\"\"\n",
        b"order,line,qty\r\nA1,1,2\r\n\r\nA2,1,\"two\nlines\"\r\n",
    ];
    let marked: &[&[u8]] = &[
        b"note\nHDR;2\norder;line;qty\nA1;1;1,50\nA2;1;3,00\nEND;2;4,50\n",
        b"note\nHDR;0002\norder;line;qty\nA1;1;1.000,50\nA2;1;-3,00\nEND;2;997,50\n\n",
    ];
    let bare: &[&[u8]] = &[b"A1\t1\t2\nA1\t2\t3\nB\xe9\t1\t4\n"];
    let joined = "system: fuzz
document: '\"1\"'
files:
  heads: { name: a, group_by: [order] }
  lines: { name: b, of: { order: order } }
events: {}
";
    vec![
        Variant::new("delimited: {}", Cut::Silent, stock(plain, words)),
        Variant::of_feed(joined, Cut::Silent, stock(&plain[..1], words)),
        Variant::new(
            "delimited: { separator: ';', skip: 1, header: { mark: HDR, count: 2 }, trailer: { mark: END, count: 2, total: { cell: 3, column: qty, point: ',', group: '.' } } }",
            Cut::Whole,
            stock(marked, words),
        ),
        Variant::new(
            "delimited: { separator: tab, quote: '', encoding: windows-1252, columns: [order, line, qty] }, group_by: [order]",
            Cut::Silent,
            stock(bare, words),
        ),
    ]
}

pub(crate) fn fixed() -> Vec<Variant> {
    let words = words(&[
        "HDR",
        "LIN",
        "TXT",
        "END",
        "*",
        "*note\n",
        "0002",
        "LIN0001   2.50\n",
        "          ",
        "END00020006.50\n",
        "-",
        "9999999999",
    ]);
    let columns = "columns: [{ name: order, at: 1, width: 4 }, { name: qty, at: 5, width: 6 }]";
    let records = "records: {
      FIL: { mark: { at: 1, text: FIL }, carry: true, columns: [{ name: plant, at: 4, width: 4 }] },
      HDR: { mark: { at: 1, text: HDR }, columns: [{ name: order, at: 4, width: 4 }] },
      LIN: { mark: { at: 1, text: LIN }, of: HDR, columns: [{ name: line, at: 4, width: 4 }, { name: qty, at: 8, width: 7 }] },
      TXT: { mark: { at: 1, text: TXT }, of: LIN, columns: [{ name: text, at: 4, width: 9 }] } }";
    let table: &[&[u8]] = &[
        b"A1    2.50\nA2    4.00\n",
        b"A1    2.50\r\n\r\nA2    4.00\r\n",
    ];
    let ended: &[&[u8]] = &[b"A1    2.50\n*note\nA2    4.00\nEND00020006.50\n"];
    let blocks: &[&[u8]] = &[b"A1    2.50A2    4.00"];
    let tree: &[&[u8]] =
        &[b"FILp1\nHDRA1\nLIN0001   2.50\nTXTfirst\nLIN0002   4.00\nHDRA2\nLIN0001   1.00\n"];
    let ended_tree: &[&[u8]] =
        &[b"FILp1\nHDRA1\nLIN0001   2.50\nTXTfirst\nLIN0002   4.00\nHDRA2\nEND00020006.50\n"];
    vec![
        Variant::new(
            &format!("fixed: {{ {columns} }}"),
            Cut::Silent,
            stock(table, words),
        ),
        Variant::new(
            &format!(
                "fixed: {{ trimmed: true, {columns}, ignored: [{{ at: 1, text: '*' }}], trailer: {{ mark: {{ at: 1, text: END }}, count: {{ at: 4, width: 4 }}, total: {{ at: 8, width: 7, column: qty }} }} }}"
            ),
            Cut::Whole,
            stock(ended, words),
        ),
        Variant::new(
            &format!("fixed: {{ encoding: latin1, line_ends: false, length: 10, {columns} }}"),
            Cut::Silent,
            stock(blocks, words),
        ),
        Variant::new(
            &format!("fixed: {{ trimmed: true, {records} }}"),
            Cut::Silent,
            stock(tree, words),
        ),
        Variant::new(
            &format!(
                "fixed: {{ trimmed: true, {records}, trailer: {{ mark: {{ at: 1, text: END }}, count: {{ at: 4, width: 4, of: [HDR] }}, total: {{ at: 8, width: 7, column: qty, of: LIN }} }} }}"
            ),
            Cut::Whole,
            stock(ended_tree, words),
        ),
    ]
}

pub(crate) const XML_WORDS: [&str; 30] = [
    "<",
    ">",
    "/>",
    "</",
    "<a>",
    "</a>",
    "<a/>",
    " a=\"1\"",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "<?x y?>",
    "<?xml version=\"1.0\"?>",
    "<?xml version=\"1.0\" encoding=\"latin1\"?>",
    "<!DOCTYPE a [<!ENTITY b \"c\">]>",
    "&amp;",
    "&#65;",
    "&#x10ffff;",
    "&#0;",
    "&b;",
    "&",
    " xmlns=\"u\"",
    " xmlns:p=\"u\"",
    "p:",
    "xml:space=\"preserve\"",
    "<order>",
    "</order>",
    "\"",
    "'",
];

pub(crate) fn xml() -> Vec<Variant> {
    let words = words(&XML_WORDS);
    let samples: &[&[u8]] = &[
        b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<e:export xmlns:e=\"urn:e\" at='x'><head>H &amp; <b>b</b></head>\n<order no=\"1\"><line><qty>1.5</qty></line><line><qty/></line></order><!-- c --><order no=\"2\">x<![CDATA[<y>]]>&#65;</order></e:export>\n",
        b"<orders><order>1</order><order><a p:x='1' xmlns:p='u'/></order><foot>f</foot></orders>",
    ];
    let utf16: &'static [u8] = "\u{feff}<?xml version=\"1.0\" encoding=\"UTF-16\"?><orders><order>1 \u{1f642}</order></orders>"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect::<Vec<u8>>()
        .leak();
    let wide: &'static [&'static [u8]] = vec![utf16].leak();
    vec![
        Variant::new(
            "xml: { document: /*/order, repeated: [line] }",
            Cut::Ends,
            stock(samples, words),
        ),
        Variant::new(
            "xml: { document: [/orders/order, /*/order], around: [head], attributes: [no] }",
            Cut::Ends,
            stock(samples, words),
        ),
        Variant::new(
            "xml: { document: /orders/order }",
            Cut::Ends,
            stock(wide, words),
        ),
    ]
}

pub(crate) fn json() -> Vec<Variant> {
    let words = words(&[
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\"",
        "\\",
        "\\u0000",
        "\\ud83d",
        "\\ude42",
        "\\ud83d\\ude42",
        "null",
        "true",
        "false",
        "-0",
        "1e999",
        "1E-5",
        "0.10",
        "01",
        "[[",
        "{\"a\":",
        "\"orders\":",
        "\"_line\":",
        "//",
        "NaN",
        "\"no\":\"1\"",
    ]);
    let array: &[&[u8]] = &[
        b"{\"company\": {\"id\": 7}, \"orders\": [{\"no\": \"1\", \"lines\": [{\"qty\": 1.50}, null]},\n {\"no\": \"\\u00e9\\n\", \"ok\": true}], \"foot\": []}",
        b"{\"orders\":[{\"a\":{}},{\"b\":[[1],[-2e3]]}]}\n",
    ];
    let lines: &[&[u8]] = &[b"{\"no\": 1}\n\n{\"no\": 2, \"a\": [\"x\"]}\r\n{\"no\": 3}"];
    let one: &[&[u8]] = &[b"[{\"no\": 1}, {\"no\": 2}]", b"{\"no\": 1}"];
    vec![
        Variant::new(
            "json: { document: /orders }",
            Cut::Ends,
            stock(array, words),
        ),
        Variant::new(
            "json: { document: /orders, around: [company] }",
            Cut::Ends,
            stock(array, words),
        ),
        Variant::new("json: { lines: true }", Cut::Lines, stock(lines, words)),
        Variant::new("json: { document: '' }", Cut::Ends, stock(one, words)),
    ]
}

pub(crate) fn x12() -> Vec<Variant> {
    let words = words(&[
        "~",
        "*",
        ">",
        "^",
        "**",
        "ISA*00*",
        "GS*PO*",
        "ST*850*0003~",
        "SE*2*0003~",
        "GE*1*1~",
        "IEA*1*000000001~",
        "GE*",
        "IEA*",
        "TA1*",
        "BEG*00*SA*1**20261123~",
        "PO1*1*1*EA*1~",
        "CTT*1~",
        "N1*ST*X~",
        "REF*DP*1~",
        "ST*997*1~",
        "SE*",
        "00401",
        "005010",
        "ZZ",
    ]);
    let samples: &[&[u8]] = &[
        b"ISA*00*          *00*          *ZZ*ACME           *ZZ*PLANT          *261123*0915*U*00401*000000001*0*P*>~GS*PO*ACME*PLANT*20261123*0915*1*X*004010~ST*850*0001~BEG*00*SA*1**20261123~PO1*1*1*EA*1~CTT*1~SE*5*0001~ST*850*0002~BEG*00*SA*2**20261123~REF*DP*38~PO1*1*2*EA*1~CTT*1~SE*6*0002~GE*2*1~IEA*1*000000001~",
        b"ISA*00*          *00*          *ZZ*ACME           *ZZ*PLANT          *261123*0915*U*00401*000000002*0*P*>~\nGS*PO*ACME*PLANT*20261123*0915*7*X*004010~\nST*850*0001~\nBEG*00*SA*1**20261123~\nPO1*1*1*EA*1~\nCTT*1~\nSE*5*0001~\nGE*1*7~\nIEA*1*000000002~\n",
    ];
    let lenient = "lenient: [isa_length, blanks_between_segments, byte_order_mark, counts, control_numbers, unknown_segments, missing_segments, missing_elements]";
    vec![
        Variant::new("x12: {}", Cut::Ends, stock(samples, words)),
        Variant::new(
            &format!("x12: {{ {lenient}, test: take }}"),
            Cut::Ends,
            stock(samples, words),
        ),
        Variant::new(
            "x12: { reject: interchange, version: ['004'], sender: 'ZZ:ACME', receiver: PLANT, encoding: latin1 }",
            Cut::Ends,
            stock(samples, words),
        ),
    ]
}

pub(crate) fn edifact() -> Vec<Variant> {
    let words = words(&[
        "'",
        "+",
        ":",
        "?",
        "??",
        "?'",
        "*",
        "UNA:+.? '",
        "UNA:+,?*'",
        "UNB+UNOC:3+S+R+261112:0930+78'",
        "UNG+ORDERS+S+R+261112:0930+1+UN+D:96A'",
        "UNE+1+1'",
        "UNH+3+ORDERS:D:96A:UN'",
        "UNT+3+3'",
        "UNZ+1+77'",
        "LIN+1++X:SA'",
        "QTY+21:5'",
        "UNS+S'",
        "NAD+BY+1::9'",
        "UNOA",
        "UNOY",
        "UNOE",
        "\u{1d}",
    ]);
    let samples: &[&[u8]] = &[
        b"UNA:+.? 'UNB+UNOC:3+S+R+261112:0930+77'UNH+1+ORDERS:D:96A:UN'BGM+220+P1+9'DTM+137:20261112:102'NAD+BY+1::9'LIN+1++X ?+ Y:SA'QTY+21:5'UNS+S'CNT+2:1'UNT+9+1'UNH+2+ORDERS:D:96A:UN'BGM+220+P2+9'DTM+137:20261112:102'NAD+BY+1::9'LIN+1++Z:SA'QTY+21:7'UNS+S'UNT+8+2'UNZ+2+77'",
        b"UNB+UNOC:3+S+R+261112:0930+79'\nUNH+1+INVOIC:D:96A:UN'\nBGM+380+I\xe9'\nUNT+3+1'\nUNZ+1+79'\n",
    ];
    vec![
        Variant::new("edifact: {}", Cut::Ends, stock(samples, words)),
        Variant::new(
            "edifact: { lenient: [byte_order_mark, blanks_between_segments, counts, control_numbers, unknown_segments], test: take }",
            Cut::Ends,
            stock(samples, words),
        ),
        Variant::new(
            "edifact: { reject: interchange, sender: S, receiver: R }",
            Cut::Ends,
            stock(samples, words),
        ),
    ]
}
