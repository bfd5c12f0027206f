//! The SAM templates, read as CloudFormation reads them.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};
use serde_saphyr::Tagged;

use crate::repository::{read, root};

/// What holds state.
pub(crate) const STATE: &str = "infra/state.yaml";
/// What does not.
pub(crate) const APPLICATION: &str = "infra/application.yaml";

/// A template as it is written, short forms such as `!Sub` replaced by their long ones.
pub(crate) fn written(path: &str) -> Value {
    parse(&read(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The application's template as SAM translates it for CloudFormation, with everything that SAM adds by itself.
pub(crate) fn translated() -> &'static Value {
    static TRANSLATED: OnceLock<Value> = OnceLock::new();
    TRANSLATED.get_or_init(translate)
}

fn translate() -> Value {
    let python = root().join(".venv/sam/bin/python");
    assert!(
        python.is_file(),
        "SAM is not installed here: run `make setup`, then the tests again"
    );
    let mut child = Command::new(python)
        .args(["-c", include_str!("translate.py")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(written(APPLICATION).to_string().as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "SAM does not take {APPLICATION}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The resources of a template, of these types or of all when none is named.
pub(crate) fn resources<'t>(template: &'t Value, types: &[&str]) -> BTreeMap<&'t str, &'t Value> {
    let all = template["Resources"].as_object().unwrap().iter();
    all.filter(|(_, resource)| {
        types.is_empty() || types.contains(&resource["Type"].as_str().unwrap())
    })
    .map(|(id, resource)| (id.as_str(), resource))
    .collect()
}

/// Whether this is `!GetAtt <id>.Arn`, and of what.
pub(crate) fn arn_of(value: &Value) -> Option<&str> {
    match value["Fn::GetAtt"].as_array()?.as_slice() {
        [id, attribute] if attribute == "Arn" => id.as_str(),
        _ => None,
    }
}

fn parse(text: &str) -> Result<Value, serde_saphyr::Error> {
    serde_saphyr::from_str::<Node>(text).map(|node| node.0)
}

/// A node with its tag resolved.
struct Node(Value);

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Tagged(Content(value), tag) = Tagged::deserialize(deserializer)?;
        let Some(name) = tag.as_deref().and_then(|tag| tag.strip_prefix('!')) else {
            return Ok(Self(value));
        };
        Ok(Self(match (name, value.as_str()) {
            ("Ref" | "Condition", _) => json!({ name: value }),
            ("GetAtt", Some(text)) => {
                let (id, attribute) = text.split_once('.').ok_or_else(|| {
                    D::Error::custom(format!("!GetAtt {text} names no attribute"))
                })?;
                json!({ "Fn::GetAtt": [id, attribute] })
            }
            _ => json!({ format!("Fn::{name}"): value }),
        }))
    }
}

/// A node without its tag.
struct Content(Value);

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader).map(Self)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a template's value")
    }
    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Node(item)) = access.next_element()? {
            items.push(item);
        }
        Ok(items.into())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some((key, Node(value))) = access.next_entry::<String, Node>()? {
            members.insert(key, value);
        }
        Ok(members.into())
    }
}

#[test]
fn short_forms_are_read_as_their_long_ones() {
    let read = parse(
        "a: !Ref Name\nb: !GetAtt Queue.Arn\nc: !Sub ['${T}/x', { T: !Ref Name }]\nd: { 'Fn::ImportValue': !Sub '${Name}-Arn' }\n\
         e: !If [Reserve, 3, !Ref AWS::NoValue]\nf: '2012-10-17'\ng: !Sub '${Name}'\n",
    );
    let expected = json!({
        "a": {"Ref": "Name"},
        "b": {"Fn::GetAtt": ["Queue", "Arn"]},
        "c": {"Fn::Sub": ["${T}/x", {"T": {"Ref": "Name"}}]},
        "d": {"Fn::ImportValue": {"Fn::Sub": "${Name}-Arn"}},
        "e": {"Fn::If": ["Reserve", 3, {"Ref": "AWS::NoValue"}]},
        "f": "2012-10-17",
        "g": {"Fn::Sub": "${Name}"},
    });
    assert_eq!(read.unwrap(), expected);
}

#[test]
fn a_resource_that_is_written_twice_is_refused() {
    assert!(parse("Resources:\n  A: 1\n  A: 2\n").is_err());
}
