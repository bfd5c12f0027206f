//! Two JSON documents, compared field by field.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

/// A field that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Difference {
    /// Where, as a JSON pointer.
    pub(crate) pointer: String,
    /// What was there; nothing where the field was not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) before: Option<Value>,
    /// What is there now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) now: Option<Value>,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let pointer = &self.pointer;
        match (&self.before, &self.now) {
            (Some(before), Some(now)) => write!(f, "{pointer} is {now}, expected was {before}"),
            (Some(before), None) => write!(f, "{pointer} is not there, expected was {before}"),
            (None, Some(now)) => write!(f, "{pointer} is {now}, expected was nothing"),
            (None, None) => write!(f, "{pointer}"),
        }
    }
}

/// The fields that differ.
pub(crate) fn compare(before: &Value, now: &Value) -> Vec<Difference> {
    let mut all = Vec::new();
    walk("", Some(before), Some(now), &mut all);
    all
}

fn walk(pointer: &str, before: Option<&Value>, now: Option<&Value>, all: &mut Vec<Difference>) {
    match (before, now) {
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for name in names {
                walk(&format!("{pointer}/{name}"), a.get(name), b.get(name), all);
            }
        }
        (Some(Value::Array(a)), Some(Value::Array(b))) => {
            for index in 0..a.len().max(b.len()) {
                walk(
                    &format!("{pointer}/{index}"),
                    a.get(index),
                    b.get(index),
                    all,
                );
            }
        }
        (a, b) if a == b => {}
        (a, b) => all.push(Difference {
            pointer: pointer.to_owned(),
            before: a.cloned(),
            now: b.cloned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_field_that_differs_is_told_by_its_pointer() {
        let before = json!({"a": "1", "lines": [{"qty": "5"}, {"qty": "6"}], "gone": true});
        let now = json!({"a": "1", "lines": [{"qty": "7"}], "new": "x"});
        let told: Vec<String> = compare(&before, &now)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            told,
            [
                "/gone is not there, expected was true",
                "/lines/0/qty is \"7\", expected was \"5\"",
                "/lines/1 is not there, expected was {\"qty\":\"6\"}",
                "/new is \"x\", expected was nothing",
            ]
        );
    }
}
