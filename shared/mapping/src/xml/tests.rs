//! What becomes of an XML file, document by document.

mod real;

use std::io::Read;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn format(text: &str) -> Xml {
    serde_saphyr::from_str(text).unwrap()
}

/// The documents of a file, then what was wrong.
fn read_all(bytes: impl Read, format: &Xml) -> (Vec<Value>, Vec<Fault>) {
    let (mut documents, mut faults) = (Vec::new(), Vec::new());
    let ended = read(bytes, format, &mut |read| match read {
        Ok(branch) => documents.push(Value::from(&JValue::object(branch.value))),
        Err(fault) => faults.push(fault),
    });
    faults.extend(ended.err());
    (documents, faults)
}

fn documents(text: &str) -> Vec<Value> {
    let (documents, faults) = read_all(text.as_bytes(), &format("document: /a/d"));
    assert_eq!(faults, [], "{text}");
    documents
}

fn fault(bytes: impl Read) -> Fault {
    let (_, mut faults) = read_all(bytes, &format("document: /a/d"));
    assert_eq!(faults.len(), 1, "{faults:?}");
    faults.remove(0)
}

#[test]
fn elements_of_a_path_are_documents_with_what_stands_around_them() {
    let text = "<?xml version='1.0'?>\n<a x='1'>\n <h><n>7</n></h>\n <d id='D1'>\n  <q u='KG'> 1.50 </q>\n  <l><p>A</p></l>\n  <l>B</l>\n  <void/>\n </d>\n <t>9</t>\n <d>text</d>\n</a>";
    assert_eq!(
        documents(text),
        [
            json!({
                "@id": "D1", "q": {"@u": "KG", "#text": "1.50", "_line": "5"},
                "l": [{"p": "A", "_line": "6"}, "B"], "_empty": ["void"],
                "_line": "4", "_element": "d",
                "_around": {"@x": "1", "h": {"n": "7", "_line": "3"}, "_line": "2", "_element": "a"}
            }),
            json!({
                "#text": "text", "_line": "11", "_element": "d",
                "_around": {"@x": "1", "h": {"n": "7", "_line": "3"}, "t": "9", "_line": "2", "_element": "a"}
            }),
        ]
    );
}

#[test]
fn text_is_text_however_it_is_written() {
    let cases = [
        ("<d><n>a &lt;&#x20AC;&#8364;&amp; b</n></d>", "a <€€& b"),
        ("<d><n> <![CDATA[ <x> & ]]> </n></d>", "<x> &"),
        ("<d><n>a<!-- no -->b<?app no?>c</n></d>", "abc"),
        ("<d><n>a\r\nb\rc</n></d>", "a\nb\nc"),
        ("<d><x:n xmlns:x='urn:x' xmlns='urn:y'>v</x:n></d>", "v"),
        (
            "<d><n xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:type='t'>v</n></d>",
            "v",
        ),
    ];
    for (text, wanted) in cases {
        assert_eq!(
            documents(&format!("<a>{text}</a>"))[0]["n"],
            wanted,
            "{text}"
        );
    }
    let mixed = documents("<a><d> one <b>two</b> three<b/><c/> </d></a>");
    assert_eq!(mixed[0]["#text"], "one three");
    assert_eq!(
        (&mixed[0]["b"], &mixed[0]["_empty"]),
        (&json!("two"), &json!(["b", "c"]))
    );
    let attribute = documents("<a><d x:t=' a&#10;&lt;\tb ' blank=' '/></a>");
    assert_eq!(attribute[0]["@t"], "a\n< b");
    assert_eq!(attribute[0].get("@blank"), None);
}

#[test]
fn paths_and_lists_are_as_the_feed_says() {
    let text = "<s:All><Head><No>1</No></Head><In><D/></In><In><No>2</No><Other/><E>5</E><D><L>1</L></D></In></s:All>";
    let config = "{ document: [/*/In/D, /*/In/E], repeated: [L, No], around: [No] }";
    let (all, faults) = read_all(text.as_bytes(), &format(config));
    assert_eq!(faults, []);
    let around = |within: Value| json!({"In": within, "_line": "1", "_element": "All"});
    assert_eq!(
        all,
        [
            json!({"_element": "D", "_line": "1", "_around": around(json!({"_line": "1"}))}),
            json!({"#text": "5", "_element": "E", "_line": "1",
                   "_around": around(json!({"No": ["2"], "_line": "1"}))}),
            json!({"L": ["1"], "_element": "D", "_line": "1",
                   "_around": around(json!({"No": ["2"], "_line": "1"}))}),
        ]
    );
    let (all, _) = read_all(
        "<a><d id='1' x:no='2'>3</d><d><n id='1'>4</n></d></a>".as_bytes(),
        &format("{ document: /a/d, attributes: [no], around: [] }"),
    );
    assert_eq!((&all[0]["@no"], all[0].get("@id")), (&json!("2"), None));
    assert_eq!(all[1]["n"], "4");
    for wrong in ["a/d", "/a//d", "/x:a", "[]", "/"] {
        let read = serde_saphyr::from_str::<Xml>(&format!("document: {wrong}"));
        assert!(read.unwrap_err().to_string().contains("path"), "{wrong}");
    }
}

#[test]
fn a_file_without_documents_is_told_unless_the_list_is_empty() {
    assert!(documents("<a/>").is_empty());
    for text in ["<b><d/></b>", "<a><e/></a>", "<a><e><d/></e></a>"] {
        let fault = fault(text.as_bytes());
        assert_eq!(fault.code, "xml_document", "{text}");
        assert!(fault.message.contains("no element /a/d"), "{fault}");
    }
}

#[test]
fn character_sets_are_those_that_the_file_says() {
    let text = |encoding: &str| {
        format!("<?xml version=\"1.0\" encoding=\"{encoding}\"?><a><d><n>Zug€</n></d></a>")
    };
    let wide = |bom: &str, to: fn(u16) -> [u8; 2]| -> Vec<u8> {
        let text = format!("{bom}{}", text("UTF-16"));
        text.encode_utf16().flat_map(to).collect()
    };
    let cases = [
        text("UTF-8").into_bytes(),
        format!("\u{feff}{}", text("iso-8859-1")).into_bytes(),
        encoding_rs::WINDOWS_1252
            .encode(&text("windows-1252"))
            .0
            .into_owned(),
        wide("\u{feff}", u16::to_le_bytes),
        wide("\u{feff}", u16::to_be_bytes),
        wide("", u16::to_le_bytes),
        wide("", u16::to_be_bytes),
    ];
    for bytes in cases {
        let (all, faults) = read_all(bytes.as_slice(), &format("document: /a/d"));
        assert_eq!(faults, [], "{bytes:?}");
        assert_eq!(all[0]["n"], "Zug€", "{bytes:?}");
    }
    for named in ["UTF-16", "klingon"] {
        assert_eq!(
            fault(text(named).as_bytes()).code,
            "xml_encoding",
            "{named}"
        );
    }
    let known_better = format("{ document: /a/d, encoding: utf-8 }");
    assert_eq!(
        read_all(text("UTF-16").as_bytes(), &known_better).0.len(),
        1
    );
}

#[test]
fn what_is_wrong_is_told_with_line_and_column_and_what_came_before_it_stays() {
    // What follows the first document, the column in the second line, the words.
    let cases = [
        ("<d><n></d>", 7, "expected `</n>`"),
        ("<d", 1, "tag not closed"),
        ("<d>", 4, "ends within `d`, which begins in line 2"),
        ("</a>\n<a/>", 1, "second root"),
        ("</a>rest", 5, "outside of the root"),
        ("</a>&amp;", 5, "outside of the root"),
        ("<d>&euro;</d>", 4, "`&euro;` stands for nothing"),
        ("<d>&#0;</d>", 4, ""),
        ("<d>&#1;</d>", 4, "U+0001"),
        ("<d>\u{b}</d>", 4, "U+000B"),
        ("<d>a]]>b</d>", 4, "`]]>`"),
        ("<d>a & b</d>", 6, "not closed"),
        ("<d x='1' x='2'/>", 1, "duplicate"),
        ("<d x=1/>", 1, "attribute"),
        ("<d x='<'/>", 1, "`<` in the attribute"),
        ("<d x='&bad;'/>", 1, "bad"),
        ("<1d/>", 1, "`1d` is no name"),
        ("<d:e:f/>", 1, "is no name"),
        ("<!-- a -- b -->", 1, "`--`"),
        ("<!ENTITY x 'y'>", 1, "markup"),
        ("<?xml version='1.0'?>", 1, "not at the beginning"),
    ];
    for (text, column, words) in cases {
        let whole = format!("<a><d>1</d>\n{text}");
        let (all, faults) = read_all(whole.as_bytes(), &format("document: /a/d"));
        assert_eq!(all.len(), 1, "{text}");
        let [fault] = faults.as_slice() else {
            panic!("{text}: {faults:?}");
        };
        assert_eq!(
            (fault.code, fault.ends),
            ("xml_syntax", true),
            "{text}: {fault}"
        );
        assert!(fault.message.contains(words), "{text}: {fault}");
        let line = if text.starts_with("</a>\n") { 3 } else { 2 };
        assert_eq!(
            (fault.line, fault.column.as_deref()),
            (line, Some(column.to_string().as_str())),
            "{text}: {fault}"
        );
    }
    let bad = read_all(
        &b"<a><d>1</d>\n<d>\xff</d></a>"[..],
        &format("document: /a/d"),
    );
    assert_eq!(
        (bad.0.len(), bad.1[0].code, bad.1[0].line),
        (1, "xml_encoding", 2)
    );
    for text in ["", "  ", "<!-- nothing -->"] {
        assert_eq!(fault(text.as_bytes()).message, "the file has no element");
    }
    assert_eq!(fault("<a><d><_line/></d></a>".as_bytes()).code, "xml_name");
}

#[test]
fn a_document_type_is_refused_whatever_is_in_it() {
    let laughs: String = (1..10)
        .map(|n| format!("<!ENTITY l{n} '{}'>", format!("&l{};", n - 1).repeat(10)))
        .collect();
    let cases = [
        "<!DOCTYPE a><a><d/></a>".to_owned(),
        "<!DOCTYPE a SYSTEM 'http://127.0.0.1:1/a.dtd'><a><d/></a>".to_owned(),
        "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a><d>&x;</d></a>".to_owned(),
        format!(
            "<?xml version='1.0'?>\n<!DOCTYPE a [<!ENTITY l0 'ha'>{laughs}]><a><d>&l9;</d></a>"
        ),
        format!("<!DOCTYPE a [{}", "<!ELEMENT a ANY>".repeat(200_000)),
        "<!doctype html><a><d/></a>".to_owned(),
    ];
    for text in cases {
        let fault = fault(text.as_bytes());
        assert_eq!((fault.code, fault.ends), ("xml_dtd_forbidden", true));
    }
}

/// The same over and over, made as it is read.
struct Endless<'a> {
    text: &'a str,
    left: u64,
    given: &'a std::cell::Cell<u64>,
}

impl Read for Endless<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let mut count = 0;
        for piece in buffer.chunks_exact_mut(self.text.len()) {
            if self.left == 0 {
                break;
            }
            piece.copy_from_slice(self.text.as_bytes());
            self.left -= 1;
            count += piece.len();
        }
        self.given.set(self.given.get() + count as u64);
        Ok(count)
    }
}

#[test]
fn what_never_ends_is_refused_early() {
    // The beginning, what is repeated, the words.
    let cases = [
        ("<a><d><n>", "xxxxxxxx", "a tag, text or comment"),
        ("<a><d><n><![CDATA[", "xxxxxxxx", "a tag, text or comment"),
        ("<a><d><!--", "xxxxxxxx", "a tag, text or comment"),
        ("<a><d><?p ", "xxxxxxxx", "a tag, text or comment"),
        ("<a><d><", "xxxxxxxx", "a tag, text or comment"),
        ("<a><d x='", "xxxxxxxx", "a tag, text or comment"),
        ("<a><d><n>", "<b/>xxxxxxxx", "1 MB of text"),
        ("<a><d><n>", "&amp;", "1 MB of text"),
        ("<a><d ", "abcdefgh='1' ", "tag"),
        ("<a><d>", "<x>", "deeper than 100"),
        ("", "<x>", "deeper than 100"),
        ("<a>", "<e x='1'/>", "around the documents"),
        ("<a>", "text<d/>", "text between documents"),
    ];
    for (head, text, words) in cases {
        let given = std::cell::Cell::new(0);
        let endless = Endless {
            text,
            left: (1 << 30) / text.len() as u64,
            given: &given,
        };
        let (_, faults) = read_all(head.as_bytes().chain(endless), &format("document: /a/d"));
        let fault = faults.last().unwrap();
        assert_eq!(
            (fault.code, fault.ends),
            ("xml_limit", true),
            "{head}{text}: {fault}"
        );
        assert!(fault.message.contains(words), "{head}{text}: {fault}");
        assert!(
            given.get() < 13 << 20,
            "{head}{text}: {} bytes",
            given.get()
        );
    }
    let many: String = (0..1001).map(|n| format!(" a{n}='1'")).collect();
    let fault = fault(format!("<a><d{many}/></a>").as_bytes());
    assert_eq!(fault.code, "xml_limit");
    assert!(fault.message.contains("1000 attributes"), "{fault}");
}

#[test]
fn a_document_that_is_too_large_is_left_out_and_the_others_are_not() {
    let values = "<n>1</n>".repeat(400_000);
    let texts = format!("<n>{}</n>", "x".repeat(1 << 19)).repeat(17);
    for large in [values, texts] {
        let text = format!("<a><d>1</d>\n<d>{large}</d><d>3</d></a>");
        let (all, faults) = read_all(text.as_bytes(), &format("document: /a/d"));
        assert_eq!(all.len(), 2);
        let [fault] = faults.as_slice() else {
            panic!("{faults:?}");
        };
        assert_eq!(
            (fault.code, fault.line, fault.ends),
            ("xml_limit", 2, false)
        );
    }
}

/// An element as it is written, and the value that it is to become.
#[derive(Debug, Clone)]
struct Written {
    name: String,
    attributes: std::collections::BTreeMap<String, String>,
    text: String,
    children: Vec<Written>,
}

fn written() -> impl Strategy<Value = Written> {
    let name = "[a-c][a-z0-9.-]{0,2}";
    let text = prop_oneof![
        Just(String::new()),
        "[ -~äß€\n]{0,12}",
        Just("]]>&<\"'".to_owned())
    ];
    let own = (
        name,
        prop::collection::btree_map("[a-z]{1,3}", text.clone(), 0..3),
        text,
    );
    own.prop_map(|(name, attributes, text)| Written {
        name,
        attributes,
        text,
        children: Vec::new(),
    })
    .prop_recursive(4, 40, 5, move |inner| {
        let attributes = prop::collection::btree_map("[a-z]{1,3}", "[a-z]{0,3}", 0..3);
        (name, attributes, prop::collection::vec(inner, 0..5)).prop_map(
            |(name, attributes, children)| Written {
                name,
                attributes,
                text: String::new(),
                children,
            },
        )
    })
}

impl Written {
    fn write(&self, out: &mut String) {
        out.push_str(&format!("<x:{}", self.name));
        for (name, value) in &self.attributes {
            let value = quick_xml::escape::escape(value).replace('\n', "&#10;");
            out.push_str(&format!("\n {name} = \"{value}\""));
        }
        out.push('>');
        // Half of the texts as CDATA.
        if self.text.len().is_multiple_of(2) && !self.text.contains("]]>") {
            out.push_str(&format!("<![CDATA[{}]]>", self.text));
        } else {
            out.push_str(&quick_xml::escape::escape(&self.text));
        }
        for child in &self.children {
            out.push_str("\n<!-- - -->");
            child.write(out);
        }
        out.push_str(&format!("</x:{} >\n", self.name));
    }

    fn value(&self) -> Option<Value> {
        let mut fields = serde_json::Map::new();
        for (name, value) in &self.attributes {
            if !value.trim().is_empty() {
                fields.insert(format!("@{name}"), json!(value.trim()));
            }
        }
        let mut empty: Vec<&str> = Vec::new();
        for child in &self.children {
            match child.value() {
                None if !empty.contains(&child.name.as_str()) => empty.push(&child.name),
                None => {}
                Some(value) => match fields.get_mut(&child.name) {
                    None => drop(fields.insert(child.name.clone(), value)),
                    Some(Value::Array(items)) => items.push(value),
                    Some(one) => *one = json!([one.clone(), value]),
                },
            }
        }
        if !empty.is_empty() {
            fields.insert("_empty".to_owned(), json!(empty));
        }
        let text = self.text.trim();
        if fields.is_empty() {
            return (!text.is_empty()).then(|| json!(text));
        }
        if !text.is_empty() {
            fields.insert("#text".to_owned(), json!(text));
        }
        Some(Value::Object(fields))
    }
}

fn without_lines(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .filter(|(name, _)| name != "_line")
            .map(|(name, value)| (name, without_lines(value)))
            .collect(),
        Value::Array(items) => items.into_iter().map(without_lines).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

/// What XML is made of, in any order.
fn tokens() -> impl Strategy<Value = String> {
    let token = prop::sample::select(vec![
        "<a>",
        "</a>",
        "<d>",
        "</d>",
        "<d x='1'",
        "/>",
        ">",
        "<",
        "&",
        ";",
        "&amp;",
        "&#x41;",
        "&#xD800;",
        "<!--",
        "-->",
        "-",
        "<![CDATA[",
        "]]>",
        "]",
        "<?xml",
        "?>",
        "<?",
        "<!",
        "<!D",
        "=",
        "'",
        "\"",
        "x",
        ":",
        " ",
        "\n",
        "\u{0}",
        "é",
        "xmlns:p='http://www.w3.org/2001/XMLSchema-instance'",
        "p:q='1'",
    ]);
    prop::collection::vec(token, 0..40).prop_map(|tokens| tokens.concat())
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        read_all(bytes.as_slice(), &format("document: /*/d"));
    }

    #[test]
    fn pieces_of_xml_in_any_order_never_panic(text in tokens(), chunk in 1..7_usize) {
        let whole = read_all(text.as_bytes(), &format("document: [/*, /a/d]"));
        // What comes in small pieces is read like what comes at once.
        let pieces = text.as_bytes().chunks(chunk);
        let slow: Box<dyn Read> = pieces.fold(Box::new(std::io::empty()), |before, piece| Box::new(before.chain(piece)));
        prop_assert_eq!(whole, read_all(slow, &format("document: [/*, /a/d]")));
    }

    #[test]
    fn what_is_written_is_read(tree in written()) {
        let mut text = String::from("<x:a xmlns:x='urn:x'><x:d>");
        tree.write(&mut text);
        text.push_str("</x:d></x:a>");
        let (all, faults) = read_all(text.as_bytes(), &format("document: /a/d"));
        prop_assert_eq!(faults, []);
        let read = without_lines(all[0].clone());
        let wanted = tree.value();
        prop_assert_eq!(read.get(&tree.name), wanted.as_ref(), "{}", text);
    }

    #[test]
    fn a_file_that_is_cut_gives_whole_documents_and_says_so(trees in prop::collection::vec(written(), 1..4), at in any::<prop::sample::Index>()) {
        let mut text = String::from("<a>");
        for tree in &trees {
            text.push_str("<d>");
            tree.write(&mut text);
            text.push_str("</d>");
        }
        text.push_str("</a>");
        let (whole, faults) = read_all(text.as_bytes(), &format("document: /a/d"));
        prop_assert_eq!(faults, []);
        let cut = at.index(text.len());
        let (part, faults) = read_all(&text.as_bytes()[..cut], &format("document: /a/d"));
        prop_assert_eq!(faults.len(), 1);
        prop_assert!(faults[0].ends);
        prop_assert_eq!(&part[..], &whole[..part.len()]);
    }
}
