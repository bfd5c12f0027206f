//! What jsonata-js, the reference, says of expressions such as feeds have, against what is said here. The fixtures in
//! `tests/oracle` were recorded by `make jsonata-fixtures`; one that differs on purpose or by a known gap says so.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::*;

#[derive(Deserialize)]
struct Fixture {
    input: Value,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    expression: String,
    input: Option<Value>,
    js: Said,
    differs: Option<Differs>,
}

/// What is said here instead.
#[derive(Deserialize)]
struct Differs {
    why: String,
    here: Said,
}

/// What an expression gives.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Said {
    Value(Value),
    Missing(bool),
    Error(String),
}

impl Said {
    /// Whether both are the same. Codes of errors are not compared: a feed shows none.
    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Error(_), Self::Error(_)) | (Self::Missing(_), Self::Missing(_)) => true,
            (Self::Value(a), Self::Value(b)) => same(a, b),
            (Self::Error(_) | Self::Missing(_) | Self::Value(_), _) => false,
        }
    }
}

/// Equal, with `1` and `1.0` the same number, and members in the same order.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|((m, a), (n, b))| m == n && same(a, b))
        }
        _ => a == b,
    }
}

fn said(engine: &mut Engine, source: &str, input: &Value) -> Said {
    let expression = match Expression::read(source, &Place::of("oracle")) {
        Ok(expression) => expression,
        Err(mistake) => return Said::Error(mistake.to_string()),
    };
    match engine.evaluate(&expression, &JValue::from(input.clone())) {
        Ok(JValue::Undefined) => Said::Missing(true),
        Ok(value) => Said::Value(serde_json::to_value(&value).unwrap()),
        Err(failure) => Said::Error(format!("{failure:?}")),
    }
}

#[test]
fn expressions_mean_what_they_mean_to_the_reference() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle");
    let mut engine = Engine::new(&Arc::new(BTreeMap::new()));
    let (mut wrong, mut count) = (Vec::new(), 0);
    for name in ["paths", "functions", "building"] {
        let text = std::fs::read_to_string(folder.join(format!("{name}.json"))).unwrap();
        let fixture: Fixture = serde_json::from_str(&text).unwrap();
        for case in fixture.cases {
            count += 1;
            let input = case.input.as_ref().unwrap_or(&fixture.input);
            let here = said(&mut engine, &case.expression, input);
            let (wanted, why) = match &case.differs {
                None => (&case.js, "as the reference"),
                Some(differs) => (&differs.here, differs.why.as_str()),
            };
            if case.differs.is_some() && here.is(&case.js) {
                wrong.push(format!("{name}: {}: differs no longer", case.expression));
            } else if !here.is(wanted) {
                let expression = &case.expression;
                wrong.push(format!(
                    "{name}: {expression}: {here:?}, not {wanted:?} ({why})"
                ));
            }
        }
    }
    assert!(count > 60, "{count} expressions");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
