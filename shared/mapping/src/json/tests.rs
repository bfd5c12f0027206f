//! What becomes of a JSON file, document by document.

use std::io::Read;

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
