//! What becomes of an XML file, document by document.

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
