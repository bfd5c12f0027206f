//! Domains and orders.

use std::cmp::{Ordering, Reverse};

use rust_decimal::Decimal;
use serde_json::Value as Json;

use crate::error::{Error, Result};
use crate::models;
use crate::orm::convert::{python, truth};
use crate::schema::{Kind, Model};
use crate::transaction::Transaction;
use crate::value::{Value, decimal};

/// The ids that match, in order.
///
/// # Errors
/// `ValueError` for an unknown field, a malformed domain or an unknown order.
pub(crate) fn search(
    tx: &Transaction,
    model: &'static Model,
    domain: &Json,
    order: Option<&str>,
    offset: usize,
    limit: Option<usize>,
) -> Result<Vec<i64>> {
    let test = parse(tx, model, domain)?;
    let hide_archived = model.by_key("active").is_some()
        && tx.env.context.get("active_test").is_none_or(truth)
        && !mentions_active(domain);
    let mut found = Vec::new();
    for id in tx.ids(model.name) {
        if hide_archived && !tx.flag(model.name, id, "active") {
            continue;
        }
        if test.matches(tx, model, id) {
            found.push(id);
        }
    }
    let found = sort(
        tx,
        model,
        found,
        order.filter(|text| !text.is_empty()).unwrap_or(model.order),
    )?;
    Ok(found
        .into_iter()
        .skip(offset)
        .take(limit.unwrap_or(usize::MAX))
        .collect())
}

fn mentions_active(domain: &Json) -> bool {
    domain
        .as_array()
        .into_iter()
        .flatten()
        .any(|leaf| leaf.get(0).and_then(Json::as_str) == Some("active"))
}

/// Puts ids into an order like `date desc, id`.
///
/// # Errors
/// `ValueError` for a field that does not exist.
pub(crate) fn sort(
    tx: &Transaction,
    model: &'static Model,
    ids: Vec<i64>,
    order: &str,
) -> Result<Vec<i64>> {
    for term in order.split(',') {
        let name = term.split_whitespace().next().unwrap_or_default();
        if !model.fields.contains_key(name) && model.by_key(name).is_none() {
            return Err(Error::value(format!(
                "Invalid field '{name}' on model '{}'",
                model.name
            )));
        }
    }
    let mut keyed: Vec<_> = ids
        .into_iter()
        .map(|id| (sort_key(tx, model, id, order, false), id))
        .collect();
    keyed.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(keyed.into_iter().map(|(_, id)| id).collect())
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Flag(bool),
    Number(Decimal),
    Text(String),
    Nothing,
}

#[derive(Debug, PartialEq, Eq)]
enum Directed {
    Up(Part),
    Down(Reverse<Part>),
}

impl PartialOrd for Directed {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Directed {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Up(a), Self::Up(b)) => a.cmp(b),
            (Self::Down(a), Self::Down(b)) => a.cmp(b),
            (Self::Up(_), Self::Down(_)) => Ordering::Less,
            (Self::Down(_), Self::Up(_)) => Ordering::Greater,
        }
    }
}

fn sort_key(
    tx: &Transaction,
    model: &'static Model,
    id: i64,
    order: &str,
    reverse: bool,
) -> Vec<Directed> {
    let mut key = Vec::new();
    for term in order.split(',') {
        let mut words = term.split_whitespace();
        let name = words.next().unwrap_or_default();
        let down = words
            .next()
            .is_some_and(|word| word.eq_ignore_ascii_case("desc"))
            != reverse;
        let Some(field) = model.fields.get(name).or_else(|| model.by_key(name)) else {
            continue;
        };
        let value = if field.key == "id" {
            Value::Int(id)
        } else {
            tx.get(model.name, id, field.key)
        };
        let part = match (field.kind, value) {
            (Kind::Many2one(to), Value::One(other)) => {
                if let Ok(to) = tx.model(to) {
                    key.extend(sort_key(tx, to, other, to.order, down));
                    continue;
                }
                Part::Nothing
            }
            (_, Value::Flag(flag)) => Part::Flag(flag),
            (_, Value::Int(number) | Value::One(number)) => Part::Number(Decimal::from(number)),
            (_, Value::Dec(number)) => Part::Number(number),
            (_, Value::Text(text)) => Part::Text(text.to_lowercase()),
            (Kind::Boolean, _) => Part::Flag(false),
            (_, Value::Null | Value::Many(_)) => Part::Nothing,
        };
        key.push(if down {
            Directed::Down(Reverse(part))
        } else {
            Directed::Up(part)
        });
    }
    key
}

/// A domain, checked and ready to be applied.
#[derive(Debug)]
enum Test {
    All(Vec<Test>),
    Any(Vec<Test>),
    Not(Box<Test>),
    Leaf {
        path: Vec<&'static str>,
        operator: String,
        value: Json,
    },
    /// `any` and `not any`: the records at the other end match.
    Inner {
        path: Vec<&'static str>,
        relation: &'static Model,
        test: Box<Test>,
        negate: bool,
    },
    Constant(bool),
}

fn parse(tx: &Transaction, model: &'static Model, domain: &Json) -> Result<Test> {
    let Some(items) = domain.as_array() else {
        return Ok(Test::All(Vec::new()));
    };
    let mut stack: Vec<Test> = Vec::new();
    for item in items.iter().rev() {
        let operand = |stack: &mut Vec<Test>| {
            stack
                .pop()
                .ok_or_else(|| Error::value(format!("Domain {} is not valid", python(domain))))
        };
        match item.as_str() {
            Some("&") => {
                let (a, b) = (operand(&mut stack)?, operand(&mut stack)?);
                stack.push(Test::All(vec![a, b]));
            }
            Some("|") => {
                let (a, b) = (operand(&mut stack)?, operand(&mut stack)?);
                stack.push(Test::Any(vec![a, b]));
            }
            Some("!") => {
                let a = operand(&mut stack)?;
                stack.push(Test::Not(Box::new(a)));
            }
            _ => stack.push(leaf(tx, model, item)?),
        }
    }
    Ok(Test::All(stack))
}

fn leaf(tx: &Transaction, model: &'static Model, item: &Json) -> Result<Test> {
    let parts = item.as_array().map(Vec::as_slice).unwrap_or_default();
    let [left, operator, value] = parts else {
        return Err(Error::value(format!(
            "Invalid domain term {}",
            python(item)
        )));
    };
    let shown = format!(
        "({}, {}, {})",
        python(left),
        python(operator),
        python(value)
    );
    if left.as_i64().is_some() {
        return Ok(Test::Constant(left == value));
    }
    let path = left.as_str().unwrap_or_default();
    let operator = operator.as_str().unwrap_or_default().to_lowercase();
    const OPERATORS: [&str; 18] = [
        "=",
        "!=",
        "<>",
        "<",
        ">",
        "<=",
        ">=",
        "in",
        "not in",
        "like",
        "ilike",
        "not like",
        "not ilike",
        "=like",
        "=ilike",
        "child_of",
        "any",
        "not any",
    ];
    if !OPERATORS.contains(&operator.as_str()) {
        return Err(Error::value(tx.version.bad_operator(&shown)));
    }
    let mut at = Some(model);
    let mut keys = Vec::new();
    for name in path.split('.') {
        let field = at.and_then(|of| of.fields.get(name)).ok_or_else(|| {
            Error::value(tx.version.unknown_field_in_domain(model.name, path, &shown))
        })?;
        keys.push(field.key);
        at = field.kind.relation().and_then(|to| tx.model(to).ok());
    }
    if operator == "any" || operator == "not any" {
        let relation = at.ok_or_else(|| Error::value(tx.version.bad_operator(&shown)))?;
        let test = Box::new(parse(tx, relation, value)?);
        return Ok(Test::Inner {
            path: keys,
            relation,
            test,
            negate: operator == "not any",
        });
    }
    Ok(Test::Leaf {
        path: keys,
        operator,
        value: value.clone(),
    })
}

impl Test {
    fn matches(&self, tx: &Transaction, model: &'static Model, id: i64) -> bool {
        match self {
            Self::All(tests) => tests.iter().all(|test| test.matches(tx, model, id)),
            Self::Any(tests) => tests.iter().any(|test| test.matches(tx, model, id)),
            Self::Not(test) => !test.matches(tx, model, id),
            Self::Constant(value) => *value,
            Self::Inner {
                path,
                relation,
                test,
                negate,
            } => {
                let found = follow(tx, model, id, path)
                    .iter()
                    .any(|(_, _, value)| match value {
                        Value::One(other) => test.matches(tx, relation, *other),
                        Value::Many(others) => others
                            .iter()
                            .any(|other| test.matches(tx, relation, *other)),
                        Value::Null
                        | Value::Flag(_)
                        | Value::Int(_)
                        | Value::Dec(_)
                        | Value::Text(_) => false,
                    });
                found != *negate
            }
            Self::Leaf {
                path,
                operator,
                value,
            } => {
                let negative = operator == "!=" || operator == "<>" || operator.starts_with("not ");
                let ends = follow(tx, model, id, path);
                if negative {
                    ends.iter()
                        .all(|(of, key, stored)| compare(tx, of, key, stored, operator, value))
                } else {
                    ends.iter()
                        .any(|(of, key, stored)| compare(tx, of, key, stored, operator, value))
                }
            }
        }
    }
}

/// The values at the end of a path: several where it runs through lists.
fn follow(
    tx: &Transaction,
    model: &'static Model,
    id: i64,
    path: &[&'static str],
) -> Vec<(&'static Model, &'static str, Value)> {
    let Some((key, rest)) = path.split_first() else {
        return Vec::new();
    };
    let value = if *key == "id" {
        Value::Int(id)
    } else {
        tx.get(model.name, id, key)
    };
    if rest.is_empty() {
        return vec![(model, key, value)];
    }
    let Some(to) = model
        .by_key(key)
        .and_then(|field| field.kind.relation())
        .and_then(|to| tx.model(to).ok())
    else {
        return Vec::new();
    };
    match value {
        Value::One(other) => follow(tx, to, other, rest),
        Value::Many(others) => others
            .into_iter()
            .flat_map(|other| follow(tx, to, other, rest))
            .collect(),
        Value::Null | Value::Flag(_) | Value::Int(_) | Value::Dec(_) | Value::Text(_) => Vec::new(),
    }
}

fn compare(
    tx: &Transaction,
    model: &Model,
    key: &str,
    stored: &Value,
    operator: &str,
    wanted: &Json,
) -> bool {
    let relation = model.by_key(key).and_then(|field| field.kind.relation());
    let names = || match (relation, stored) {
        (Some(to), Value::One(id)) => vec![models::display_name(tx, to, *id)],
        (Some(to), Value::Many(ids)) => ids
            .iter()
            .map(|id| models::display_name(tx, to, *id))
            .collect(),
        _ => vec![plain(stored)],
    };
    match operator {
        "=" | "in" => {
            equals(stored, wanted)
                || (relation.is_some()
                    && wanted
                        .as_str()
                        .is_some_and(|name| names().iter().any(|n| n == name)))
        }
        "!=" | "<>" | "not in" => {
            !(equals(stored, wanted)
                || (relation.is_some()
                    && wanted
                        .as_str()
                        .is_some_and(|name| names().iter().any(|n| n == name))))
        }
        "like" | "ilike" | "not like" | "not ilike" | "=like" | "=ilike" => {
            let pattern = wanted
                .as_str()
                .map_or_else(|| python(wanted), str::to_owned);
            let fold = operator.ends_with("ilike");
            let whole = operator.starts_with('=');
            let found = names().iter().any(|name| like(name, &pattern, fold, whole));
            found != operator.starts_with("not ")
        }
        "child_of" => {
            let wanted: Vec<i64> = wanted
                .as_i64()
                .into_iter()
                .chain(
                    wanted
                        .as_array()
                        .into_iter()
                        .flatten()
                        .filter_map(Json::as_i64),
                )
                .collect();
            let mut at = stored.as_one().or(if key == "id" {
                Some(stored.as_int())
            } else {
                None
            });
            let of = relation.unwrap_or(model.name);
            while let Some(id) = at {
                if wanted.contains(&id) {
                    return true;
                }
                let Some(parent) = ["parent_id", "location_id"]
                    .into_iter()
                    .find(|key| tx.model(of).is_ok_and(|m| m.by_key(key).is_some()))
                else {
                    return false;
                };
                at = tx.model(of).ok().and_then(|m| tx.one(m.name, id, parent));
            }
            false
        }
        _ => {
            // The stored moment has microseconds: before 19 a moment of the same second counts as later.
            let same_second_is_later = !tx.version.since(crate::version::Version::V19)
                && (key == "write_date" || key == "create_date");
            let order = match (stored, wanted) {
                (Value::Text(text), Json::String(other)) => text.as_str().cmp(other.as_str()),
                (Value::Int(_) | Value::Dec(_), Json::Number(number)) => {
                    stored.as_dec().cmp(&decimal(number).unwrap_or_default())
                }
                (Value::Null, Json::Number(number)) => {
                    Decimal::ZERO.cmp(&decimal(number).unwrap_or_default())
                }
                (Value::One(id), Json::Number(number)) => {
                    Decimal::from(*id).cmp(&decimal(number).unwrap_or_default())
                }
                _ => return false,
            };
            match operator {
                "<" => order.is_lt(),
                ">" => order.is_gt() || (same_second_is_later && order.is_eq()),
                "<=" => order.is_lt() || (order.is_eq() && !same_second_is_later),
                _ => order.is_ge(),
            }
        }
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Int(number) | Value::One(number) => number.to_string(),
        Value::Dec(number) => number.normalize().to_string(),
        Value::Null | Value::Flag(_) | Value::Many(_) => String::new(),
    }
}

fn equals(stored: &Value, wanted: &Json) -> bool {
    match wanted {
        Json::Array(options) => options.iter().any(|option| equals(stored, option)),
        Json::Null | Json::Bool(false) => match stored {
            Value::Null | Value::Flag(false) => true,
            Value::Many(ids) => ids.is_empty(),
            Value::Text(_) | Value::Int(_) | Value::Dec(_) | Value::One(_) | Value::Flag(true) => {
                false
            }
        },
        Json::Bool(true) => !matches!(stored, Value::Null | Value::Flag(false)),
        Json::Number(number) => {
            let wanted = decimal(number).unwrap_or_default();
            match stored {
                Value::Int(id) | Value::One(id) => Decimal::from(*id) == wanted,
                Value::Dec(amount) => *amount == wanted,
                Value::Many(ids) => ids.iter().any(|id| Decimal::from(*id) == wanted),
                Value::Flag(flag) => Decimal::from(u8::from(*flag)) == wanted,
                Value::Null | Value::Text(_) => wanted.is_zero() && *stored == Value::Null,
            }
        }
        Json::String(text) => stored.as_text() == text && matches!(stored, Value::Text(_)),
        Json::Object(_) => false,
    }
}

fn like(text: &str, pattern: &str, fold: bool, whole: bool) -> bool {
    let (text, pattern) = if fold {
        (text.to_lowercase(), pattern.to_lowercase())
    } else {
        (text.to_owned(), pattern.to_owned())
    };
    let pattern = if whole {
        pattern
    } else {
        format!("%{pattern}%")
    };
    let (text, pattern): (Vec<char>, Vec<char>) =
        (text.chars().collect(), pattern.chars().collect());
    glob(&text, &pattern)
}

fn glob(text: &[char], pattern: &[char]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, rest) => rest.is_none(),
        (Some(('%', rest)), None) => glob(text, rest),
        (Some(('%', rest)), Some((_, tail))) => glob(text, rest) || glob(tail, pattern),
        (Some(('_', rest)), Some((_, tail))) => glob(tail, rest),
        (Some((wanted, rest)), Some((found, tail))) => wanted == found && glob(tail, rest),
        (Some(_), None) => false,
    }
}
