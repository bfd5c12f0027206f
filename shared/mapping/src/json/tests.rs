//! What becomes of a JSON file, document by document.

use std::io::Read;

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn format(text: &str) -> Json {
    serde_saphyr::from_str(text).unwrap()
}

/// The documents of a file, then what was wrong.
fn read_all(bytes: impl Read, format: &Json) -> (Vec<serde_json::Value>, Vec<Fault>) {
    let (mut documents, mut faults) = (Vec::new(), Vec::new());
    let ended = read(bytes, format, &mut |read| match read {
        Ok(branch) => documents.push(serde_json::Value::from(&JValue::object(branch.value))),
        Err(fault) => faults.push(fault),
    });
    faults.extend(ended.err());
    (documents, faults)
}

#[test]
fn items_of_an_array_are_documents_with_what_stands_around_them() {
    let text = r#"{"company": "C1", "batch": {"no": 7, "void": null, "orders": [
        {"id": 1.50, "ok": true, "x": null, "lines": [{"q": 1e400}, null, "  a "]},
        {"id": "2"}
    ], "after": 1}}"#;
    let (documents, faults) = read_all(text.as_bytes(), &format("document: /batch/orders"));
    assert_eq!(faults, []);
    let around = json!({"company": "C1", "batch": {"no": "7"}});
    assert_eq!(
        documents,
        [
            json!({"id": "1.50", "ok": true, "lines": [{"q": "1e400"}, null, "a"], "_around": around}),
            json!({"id": "2", "_around": around}),
        ]
    );
}

fn fault(bytes: impl Read, config: &str) -> Fault {
    let (_, mut faults) = read_all(bytes, &format(config));
    assert_eq!(faults.len(), 1, "{faults:?}");
    faults.remove(0)
}

#[test]
fn the_documents_are_where_the_pointer_says() {
    // The file, the pointer, what the documents are called.
    let cases = [
        (r#"[{"n":1},{"n":2}]"#, "", "12"),
        (r#" {"n":1} "#, "", "1"),
        ("\u{feff}[{\"n\":1}]", "", "1"),
        ("[]", "", ""),
        (r#"{"a":null}"#, "/a", ""),
        (r#"{"a":{"n":1}}"#, "/a", "1"),
        (
            r#"{"x":[1,"]"],"a/b":{"~":[{"n":1}]},"y":{}}"#,
            "/a~1b/~0",
            "1",
        ),
        (r#"[0,{"a":[{"n":1}]},"x"]"#, "/1/a", "1"),
        (r#"{"\u0061":[{"n":1}]}"#, "/a", "1"),
    ];
    for (text, pointer, wanted) in cases {
        let (all, faults) = read_all(
            text.as_bytes(),
            &format(&format!("document: \"{pointer}\"")),
        );
        assert_eq!(faults, [], "{text}");
        let names: String = all.iter().filter_map(|one| one["n"].as_str()).collect();
        assert_eq!(names, wanted, "{text}");
    }
    for text in [r#"{"b":[]}"#, "[]", "7", r#"{"a":7}"#, r#"{"a":not}"#] {
        let found = fault(text.as_bytes(), "document: /a");
        let is_json = !text.contains("not");
        let code = if is_json {
            "json_document"
        } else {
            "json_syntax"
        };
        assert_eq!((found.code, found.ends), (code, true), "{text}: {found}");
    }
    for wrong in [
        "document: orders",
        "{ lines: true, document: /a }",
        "{ lines: true, around: [] }",
    ] {
        assert!(serde_saphyr::from_str::<Json>(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn what_is_around_documents_can_be_chosen() {
    let text = format!(
        r#"{{"id":"7","big":"{}","orders":[{{}}]}}"#,
        "x".repeat(1 << 20)
    );
    let found = fault(text.as_bytes(), "document: /orders");
    assert_eq!(found.code, "json_limit");
    assert!(found.message.contains("`big` has more"), "{found}");
    let (all, faults) = read_all(
        text.as_bytes(),
        &format("{ document: /orders, around: [id] }"),
    );
    assert_eq!(
        (all, faults),
        (vec![json!({"_around": {"id": "7"}})], vec![])
    );
}

#[test]
fn a_bad_document_holds_the_others_only_where_nobody_knows_where_it_ends() {
    let deep = format!("{{\"x\":{}{}}}", "[".repeat(70), "]".repeat(70));
    let large = format!("{{\"x\":[{}1]}}", "1,".repeat(1 << 20));
    let long = format!("{{\"x\":\"{}\"}}", "x".repeat(9 << 20));
    // The document, the code, the column, the words.
    let sound = [
        (
            r#"{"a":1,"b":{"a":1,"a":2}}"#,
            "json_duplicate_key",
            Some("/b/a"),
            "the key `a` is there twice",
        ),
        (deep.as_str(), "json_limit", None, "nested deeper"),
        (large.as_str(), "json_limit", None, "nothing is made of it"),
        (long.as_str(), "json_limit", None, "nothing is made of it"),
        ("[1]", "json_document", None, "a document is an object"),
        ("null", "json_document", None, "a document is an object"),
        (r#"{"_line":1}"#, "json_key", None, "`_line`"),
    ];
    let broken = [
        (r#"{"a":1,}"#, Some("8"), "trailing comma"),
        (r#"{"a" 1}"#, Some("6"), "expected `:`"),
        (r#"{"a":01}"#, Some("7"), "number"),
        (r#"{"a":NaN}"#, None, ""),
        (r#"{"a":tru}"#, None, ""),
        ("{\"a\":\"\u{1}\"}", None, "control character"),
        (r#"{"a":"\ud800"}"#, None, "hex escape"),
        (r#"{"a":"\udc00"}"#, None, ""),
        (r#"{"a":"\x"}"#, None, "escape"),
        (r#"{"a":1,"a":2,,}"#, None, "twice"),
        (r#"{"a":1]"#, Some("7"), "`]` closes nothing"),
    ];
    for (text, code, column, words) in sound {
        let whole = format!("[{{\"n\":1}},\n{text},{{\"n\":3}}]");
        let (all, faults) = read_all(whole.as_bytes(), &format("{}"));
        assert_eq!(all.len(), 2, "{words}");
        let [fault] = faults.as_slice() else {
            panic!("{words}: {faults:?}");
        };
        assert_eq!(
            (fault.code, fault.line, fault.ends),
            (code, 2, false),
            "{words}"
        );
        assert_eq!(fault.column.as_deref(), column, "{words}");
        assert!(fault.message.contains(words), "{fault}");
    }
    for (text, column, words) in broken {
        let whole = format!("[{{\"n\":1}},\n{text},{{\"n\":3}}]");
        let (all, faults) = read_all(whole.as_bytes(), &format("{}"));
        assert_eq!(all.len(), 1, "{text}");
        let [fault] = faults.as_slice() else {
            panic!("{text}: {faults:?}");
        };
        assert_eq!((fault.line, fault.ends), (2, true), "{text}: {fault}");
        assert!(
            fault.message.to_lowercase().contains(words),
            "{text}: {fault}"
        );
        if column.is_some() {
            assert_eq!(fault.column.as_deref(), column, "{text}: {fault}");
        }
    }
    let (all, faults) = read_all(&b"[{\"n\":1},{\"n\":\"\xff\"},{}]"[..], &format("{}"));
    assert_eq!(
        (all.len(), faults[0].code, faults[0].ends),
        (1, "json_syntax", true)
    );
}

#[test]
fn what_is_wrong_around_the_documents_ends_the_file() {
    // What follows a good document, the code, the column, the words.
    let cases = [
        ("", "json_syntax", 14, "ends before `]`"),
        (" {}]}", "json_syntax", 15, "`,` or `]` is missing"),
        (",]}", "json_syntax", 15, "nothing follows"),
        ("]", "json_syntax", 15, "ends before `}`"),
        ("]}}", "json_syntax", 16, "something follows"),
        ("],}", "json_syntax", 16, "nothing follows"),
        ("],x}", "json_syntax", 16, "a key is missing"),
        (r#"],"b"}"#, "json_syntax", 19, "`:` is missing"),
        (r#"],"b":}"#, "json_syntax", 20, "closes nothing"),
        (r#"],"b":,}"#, "json_syntax", 20, "where a value begins"),
        (r#"],"b":"#, "json_syntax", 20, "ends before a value"),
        (r#"],"b":[1}"#, "json_syntax", 22, "`}` closes nothing"),
        (r#"],"b":"x"#, "json_syntax", 22, "ends within a value"),
        (r#"],"a":[]}"#, "json_duplicate_key", 16, "the key `a`"),
        (r#"],"b":1,"b":2}"#, "json_duplicate_key", 22, "the key `b`"),
    ];
    for (text, code, column, words) in cases {
        let (all, faults) = read_all(
            format!("{{\"a\":[{{\"n\":1}}{text}").as_bytes(),
            &format("document: /a"),
        );
        assert_eq!(all.len(), 1, "{text}");
        let [fault] = faults.as_slice() else {
            panic!("{text}: {faults:?}");
        };
        assert_eq!((fault.code, fault.ends), (code, true), "{text}: {fault}");
        assert!(fault.message.contains(words), "{text}: {fault}");
        assert_eq!(fault.column, Some(column.to_string()), "{text}: {fault}");
    }
    for text in ["", " \n", "{", "[", "\u{feff}"] {
        assert_eq!(
            fault(text.as_bytes(), "document: /a").code,
            "json_syntax",
            "{text}"
        );
    }
    let wide: Vec<u8> = "\u{feff}{}"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert!(fault(wide.as_slice(), "{}").message.contains("UTF-16"));
}

#[test]
fn a_line_holds_no_other() {
    let long = format!("{{\"n\":\"{}\"}}", "x".repeat(9 << 20));
    let bad = [
        "{\"n\":1",
        "}",
        "{\"n\":\"",
        "[1]",
        "7",
        "{} {}",
        "{\"n\":1,\"n\":2}",
        "{\"n\":\"\u{1}\"}",
        long.as_str(),
    ];
    for text in bad {
        let whole = format!("{{\"n\":1}}\r\n\n{text}\n {{\"n\":3}}");
        let (all, faults) = read_all(whole.as_bytes(), &format("lines: true"));
        assert_eq!(all, [json!({"n": "1"}), json!({"n": "3"})]);
        let [fault] = faults.as_slice() else {
            panic!("{faults:?}");
        };
        assert_eq!((fault.line, fault.ends), (3, false), "{fault}");
    }
    assert_eq!(
        read_all(&b"\n \n"[..], &format("lines: true")),
        (vec![], vec![])
    );
}

/// The same byte over and over, made as it is read; and how much of it was.
struct Endless<'a>(&'a [u8], &'a std::cell::Cell<u64>);

impl Read for Endless<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        for piece in buffer.chunks_mut(self.0.len()) {
            piece.copy_from_slice(&self.0[..piece.len()]);
        }
        self.1.set(self.1.get() + buffer.len() as u64);
        Ok(if self.1.get() > 1 << 30 {
            0
        } else {
            buffer.len()
        })
    }
}

#[test]
fn what_never_ends_is_refused_early() {
    for (head, text) in [
        ("[", "["),
        ("{\"b\":", "["),
        ("{\"b\":", "{\"b\":"),
        ("[{\"x\":", "[[[["),
        ("", "{\"a\":"),
    ] {
        let given = std::cell::Cell::new(0);
        let bytes = head.as_bytes().chain(Endless(text.as_bytes(), &given));
        let pointer = if head == "[" { "{}" } else { "document: /a" };
        let (_, faults) = read_all(bytes, &format(pointer));
        let codes: Vec<_> = faults.iter().map(|fault| fault.code).collect();
        assert!(
            codes == ["json_limit"] || codes == ["json_syntax"],
            "{head}{text}: {faults:?}"
        );
        assert!(given.get() < 1 << 20, "{head}{text}");
    }
}

/// Any JSON value.
fn values() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        "[ -~é€\n😀]{0,8}".prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(4, 30, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            objects(inner),
        ]
    })
}

fn objects(
    of: impl Strategy<Value = serde_json::Value>,
) -> impl Strategy<Value = serde_json::Value> {
    prop::collection::btree_map("[a-z\"\\\\/{}]{0,3}", of, 0..4)
        .prop_map(|members| members.into_iter().collect())
}

/// What a mapping sees of a value.
fn seen(read: &serde_json::Value) -> Option<serde_json::Value> {
    match read {
        serde_json::Value::Null => None,
        serde_json::Value::Bool(truth) => Some(json!(truth)),
        serde_json::Value::Number(number) => Some(json!(number.to_string())),
        serde_json::Value::String(text) => (!text.trim().is_empty()).then(|| json!(text.trim())),
        serde_json::Value::Array(items) => Some(
            items
                .iter()
                .map(|item| seen(item).unwrap_or_default())
                .collect(),
        ),
        serde_json::Value::Object(members) => Some(
            members
                .iter()
                .filter_map(|(key, member)| Some((key.clone(), seen(member)?)))
                .collect(),
        ),
    }
}

fn tokens() -> impl Strategy<Value = String> {
    let token = prop::sample::select(vec![
        "{", "}", "[", "]", ",", ":", "\"a\"", "\"", "\\", "1", "-", "e", "null", "true", " ",
        "\n", "\u{1}", "é", "{\"a\":", "[{}", "\"a\":[",
    ]);
    prop::collection::vec(token, 0..30).prop_map(|tokens| tokens.concat())
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for config in ["{}", "document: /a", "document: /0/a", "lines: true"] {
            read_all(bytes.as_slice(), &format(config));
        }
    }

    #[test]
    fn pieces_of_json_in_any_order_never_panic(text in tokens(), chunk in 1..7_usize) {
        for config in ["{}", "document: /a", "lines: true"] {
            let pieces = text.as_bytes().chunks(chunk);
            let slow: Box<dyn Read> =
                pieces.fold(Box::new(std::io::empty()), |before, piece| Box::new(before.chain(piece)));
            let whole = read_all(text.as_bytes(), &format(config));
            prop_assert_eq!(&whole, &read_all(slow, &format(config)));
            // A file of which nothing is wrong is JSON, and the other way round.
            if config == "{}" && whole.1.is_empty() {
                prop_assert!(serde_json::from_str::<IgnoredAny>(&text).is_ok());
            }
        }
    }

    #[test]
    fn what_is_written_is_read(all in prop::collection::vec(objects(values()), 0..4), beside in values(), pretty in any::<bool>()) {
        let file = json!({"aside": beside, "documents": all, "behind": beside});
        let text = if pretty { serde_json::to_string_pretty(&file) } else { serde_json::to_string(&file) }.unwrap();
        let (read, faults) = read_all(text.as_bytes(), &format("document: /documents"));
        prop_assert_eq!(faults, []);
        prop_assert_eq!(read.len(), all.len());
        for (mut one, wanted) in read.into_iter().zip(&all) {
            one.as_object_mut().unwrap().remove("_around");
            prop_assert_eq!(Some(one), seen(wanted));
        }
    }

    #[test]
    fn a_file_that_is_cut_gives_whole_documents_and_says_so(
        all in prop::collection::vec(objects(values()), 0..4),
        at in any::<prop::sample::Index>(),
    ) {
        let text = json!({"documents": all, "n": 1}).to_string();
        let (whole, _) = read_all(text.as_bytes(), &format("document: /documents"));
        let (part, faults) = read_all(&text.as_bytes()[..at.index(text.len())], &format("document: /documents"));
        prop_assert_eq!(faults.len(), 1);
        prop_assert!(faults[0].ends);
        prop_assert_eq!(&part[..], &whole[..part.len()]);
    }

    #[test]
    fn a_bad_line_changes_nothing_of_the_others(
        all in prop::collection::vec(objects(values()), 1..6),
        bad in "[^\n]{0,12}",
        at in any::<prop::sample::Index>(),
    ) {
        let mut lines: Vec<String> = all.iter().map(ToString::to_string).collect();
        let (wanted, faults) = read_all(lines.join("\n").as_bytes(), &format("lines: true"));
        prop_assert_eq!(faults, []);
        lines.insert(at.index(lines.len() + 1), format!("{{{bad}"));
        let (read, faults) = read_all(lines.join("\n").as_bytes(), &format("lines: true"));
        if faults.is_empty() {
            prop_assert_eq!(read.len(), wanted.len() + 1);
        } else {
            prop_assert_eq!(read, wanted);
        }
    }
}
