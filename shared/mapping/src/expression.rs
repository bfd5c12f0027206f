//! JSONata expressions of a mapping: checked when they are read, bounded when they run.
//!
//! JSONata counts in binary floats. So every cell of a file is text, amounts are reckoned by functions of
//! ours on exact decimals ([`crate::exact`]), and the check below refuses every other way to an amount.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use jsonata_core::ast::AstNode;
use jsonata_core::evaluator::{Context, Evaluator, EvaluatorError, EvaluatorOptions};
use jsonata_core::parser;
use jsonata_core::value::JValue;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::exact;
use crate::lookup::Lookup;
use crate::place::{Mistake, Place};

/// An expression longer than this is a program.
const LONGEST: usize = 4096;

/// Limits of one evaluation.
const MILLISECONDS: u64 = 250;
const DEPTH: usize = 600;
const SEQUENCE: usize = 100_000;

/// A checked expression and where it is written.
#[derive(Debug, Clone)]
pub(crate) struct Expression {
    pub(crate) place: Place,
    ast: Arc<AstNode>,
}

/// Functions whose answer depends on more than the input.
const IMPURE: [&str; 5] = ["now", "millis", "random", "shuffle", "eval"];

/// Functions that count in binary floats.
const FLOATS: [&str; 15] = [
    "number",
    "sum",
    "max",
    "min",
    "average",
    "abs",
    "floor",
    "ceil",
    "round",
    "power",
    "sqrt",
    "formatNumber",
    "formatBase",
    "formatInteger",
    "parseInteger",
];

const ARITHMETIC: [&str; 5] = ["Add", "Subtract", "Multiply", "Divide", "Modulo"];

impl Expression {
    /// Reads an expression.
    ///
    /// # Errors
    /// When it is none, or when it is not repeatable.
    pub(crate) fn read(source: &str, place: &Place) -> Result<Self, Mistake> {
        if source.len() > LONGEST {
            return Err(place.mistake(format!(
                "an expression has at most {LONGEST} characters; take parts of it into `let`"
            )));
        }
        let ast = parser::parse(source)
            .map_err(|error| place.mistake(format!("not JSONata: {error}")))?;
        let expression = Self {
            place: place.clone(),
            ast: Arc::new(ast),
        };
        expression.uses(&|used| match used {
            Used::Function(name) if IMPURE.contains(&name) => Some(format!(
                "`${name}` gives another answer each time: a mapping must give the same for the same file"
            )),
            Used::Function(_) | Used::Operator(_) => None,
        })?;
        Ok(expression)
    }

    /// Refuses whatever counts in binary floats: the expression gives an amount.
    ///
    /// # Errors
    /// With the function to use instead.
    pub(crate) fn must_be_exact(&self) -> Result<(), Mistake> {
        self.uses(&|used| match used {
            Used::Function(name) if FLOATS.contains(&name) => Some(format!(
                "`${name}` counts in binary floats and would change amounts: use $dec, $dec_sum, $dec_round and their kin"
            )),
            Used::Operator(name) if ARITHMETIC.contains(&name) => Some(
                "`+ - * / %` count in binary floats and would change amounts: use $dec_add, $dec_sub, $dec_mul, $dec_div"
                    .to_owned(),
            ),
            Used::Function(_) | Used::Operator(_) => None,
        })
    }

    /// The lookups that it names.
    pub(crate) fn lookups(&self) -> Vec<String> {
        let mut names = Vec::new();
        tables(&self.tree(), &mut names);
        names
    }

    /// The fields that it reads of a document itself: not those of its rows, or of anything else in it.
    pub(crate) fn fields_of_document(&self, input: Input) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        reads(&self.tree(), input.into(), input, &mut names);
        names
    }

    /// Whether it gives its input as it stands.
    pub(crate) fn is_its_input(&self) -> bool {
        let tree = self.tree();
        let first = tree.pointer("/Path/steps/0/node").filter(|_| {
            let steps = tree.pointer("/Path/steps").and_then(Value::as_array);
            steps.is_some_and(|steps| steps.len() == 1)
        });
        is_input(first.unwrap_or(&tree))
    }

    fn tree(&self) -> Value {
        serde_json::to_value(self.ast.as_ref()).unwrap_or_default()
    }

    fn uses(&self, refused: &dyn Fn(Used<'_>) -> Option<String>) -> Result<(), Mistake> {
        find(&self.tree(), refused).map_or(Ok(()), |message| Err(self.place.mistake(message)))
    }
}

enum Used<'a> {
    Function(&'a str),
    Operator(&'a str),
}

/// Walks the syntax tree as it serialises: a new kind of node is walked too.
fn find(tree: &Value, refused: &dyn Fn(Used<'_>) -> Option<String>) -> Option<String> {
    match tree {
        Value::Array(items) => items.iter().find_map(|item| find(item, refused)),
        Value::Object(fields) => fields.iter().find_map(|(key, value)| {
            let text = |name: &str| value.get(name).and_then(Value::as_str);
            let used = match key.as_str() {
                "Function" => text("name").map(Used::Function),
                // A function may be handed on by its name, too: $map(lines, $sum).
                "Variable" => value.as_str().map(Used::Function),
                "Binary" => text("op").map(Used::Operator),
                _ => None,
            };
            used.and_then(refused).or_else(|| find(value, refused))
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

fn tables(tree: &Value, names: &mut Vec<String>) {
    match tree {
        Value::Array(items) => items.iter().for_each(|item| tables(item, names)),
        Value::Object(fields) => {
            if let Some(call) = fields.get("Function")
                && call.get("name").and_then(Value::as_str) == Some("table")
                && let Some(name) = call.pointer("/args/0/String").and_then(Value::as_str)
            {
                names.push(name.to_owned());
            }
            fields.values().for_each(|value| tables(value, names));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// What an expression is applied to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Input {
    Document,
    /// A part of it, which has the document beside its own fields.
    Part,
}

/// What names in a syntax tree are fields of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    Document,
    Part,
    Else,
}

impl From<Input> for Of {
    fn from(input: Input) -> Self {
        match input {
            Input::Document => Self::Document,
            Input::Part => Self::Part,
        }
    }
}

/// `$` or `$$`.
fn is_input(node: &Value) -> bool {
    let is = |kind: &str| node.get(kind).and_then(Value::as_str) == Some("");
    is("Variable") || is("ParentVariable")
}

fn reads(tree: &Value, of: Of, input: Input, names: &mut BTreeSet<String>) {
    let fields = match tree {
        Value::Array(items) => {
            items.iter().for_each(|item| reads(item, of, input, names));
            return;
        }
        Value::Object(fields) => fields,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return,
    };
    for (kind, value) in fields {
        match kind.as_str() {
            "Name" => {
                let name = value.as_str().filter(|_| of == Of::Document);
                names.extend(name.map(str::to_owned));
            }
            "Path" => {
                let steps = value.get("steps").and_then(Value::as_array);
                let mut here = of;
                for step in steps.into_iter().flatten() {
                    let node = step.get("node").unwrap_or(step);
                    let name = node.get("Name").and_then(Value::as_str);
                    let next = if node.get("ParentVariable").is_some() {
                        input.into()
                    } else if is_input(node) {
                        here
                    } else if here != Of::Else && name == Some("document") {
                        Of::Document
                    } else {
                        reads(node, here, input, names);
                        Of::Else
                    };
                    // Conditions behind a step are about what it gives.
                    let stages = step.get("stages").unwrap_or(&Value::Null);
                    reads(stages, next, input, names);
                    let first = stages.pointer("/0/Filter/Number") == Some(&json!(0.0));
                    // The first row speaks for the document there as well.
                    here = if here == Of::Document && name == Some("rows") && first {
                        Of::Document
                    } else {
                        next
                    };
                }
            }
            // Their input comes first; the rest is about what it gives.
            "Sort" | "ObjectTransform" => {
                for (part, value) in value.as_object().into_iter().flatten() {
                    let of = if part == "input" { of } else { Of::Else };
                    reads(value, of, input, names);
                }
            }
            _ => reads(value, of, input, names),
        }
    }
}

/// Why an expression gave no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// A lookup does not know a code: a person adds it, and the fact is mapped again.
    UnknownCode { table: String, code: String },
    /// Anything else, in words.
    Wrong(String),
    /// It took too long or grew too large.
    Budget(String),
}

/// Evaluates expressions. It is neither sent nor shared: values of JSONata are counted without locks.
pub(crate) struct Engine {
    evaluator: Evaluator,
    missing: Rc<RefCell<Option<(String, String)>>>,
    used: Rc<RefCell<Option<Codes>>>,
}

/// Codes by lookup.
pub(crate) type Codes = BTreeMap<String, BTreeSet<String>>;

impl Engine {
    pub(crate) fn new(lookups: &Arc<BTreeMap<String, Lookup>>) -> Self {
        let options = EvaluatorOptions {
            timeout_ms: Some(MILLISECONDS),
            max_stack_depth: Some(DEPTH),
            max_sequence_length: Some(SEQUENCE),
            cancel: None,
        };
        let mut evaluator = Evaluator::with_options(Context::new(), options);
        let missing = Rc::new(RefCell::new(None));
        let used = Rc::new(RefCell::new(None));
        register(&mut evaluator, lookups, &missing, &used);
        Self {
            evaluator,
            missing,
            used,
        }
    }

    /// From now on codes that lookups knew are noted; the ones so far.
    pub(crate) fn note_codes(&mut self) -> Codes {
        self.used.replace(Some(Codes::new())).unwrap_or_default()
    }

    /// The value of an expression; nothing where JSONata has none.
    pub(crate) fn evaluate(
        &mut self,
        expression: &Expression,
        input: &JValue,
    ) -> Result<JValue, Failure> {
        self.missing.replace(None);
        self.evaluator
            .evaluate(&expression.ast, input)
            .map_err(|error| {
                if let Some((table, code)) = self.missing.take() {
                    return Failure::UnknownCode { table, code };
                }
                let message = error.message().to_owned();
                match error.code() {
                    Some("D1011" | "D1012" | "D2015" | "U1001" | "U1002") => {
                        Failure::Budget(message)
                    }
                    _ => Failure::Wrong(message),
                }
            })
    }
}

type Answer = Result<JValue, EvaluatorError>;
type Function = Box<dyn Fn(&[JValue]) -> Answer>;

fn wrong(message: impl Into<String>) -> EvaluatorError {
    EvaluatorError::EvaluationError(message.into())
}

/// The text of an argument; nothing when there is none, for what is missing stays missing.
fn text<'a>(
    function: &str,
    args: &'a [JValue],
    index: usize,
) -> Result<Option<&'a str>, EvaluatorError> {
    match args.get(index) {
        None | Some(JValue::Undefined | JValue::Null) => Ok(None),
        Some(value) => value.as_str().map(Some).ok_or_else(|| {
            wrong(format!(
                "${function}: argument {} is not text; amounts are text in a mapping",
                index + 1
            ))
        }),
    }
}

fn amount(
    function: &str,
    args: &[JValue],
    index: usize,
) -> Result<Option<Decimal>, EvaluatorError> {
    text(function, args, index)?
        .map(|text| exact::decimal(text, '.', None).map_err(wrong))
        .transpose()
}

fn shown(value: Decimal) -> JValue {
    JValue::from(value.normalize().to_string())
}

fn places(function: &str, args: &[JValue], index: usize) -> Result<u32, EvaluatorError> {
    args.get(index)
        .and_then(JValue::as_i64)
        .and_then(|places| u32::try_from(places).ok())
        .filter(|places| *places <= 20)
        .ok_or_else(|| wrong(format!("${function}: say to how many places, 0 to 20")))
}

fn letter(function: &str, args: &[JValue], index: usize) -> Result<Option<char>, EvaluatorError> {
    let Some(text) = text(function, args, index)? else {
        return Ok(None);
    };
    let mut letters = text.chars();
    match (letters.next(), letters.next()) {
        (one, None) => Ok(one),
        (_, Some(_)) => Err(wrong(format!("${function}: `{text}` is not one character"))),
    }
}

fn overflow(function: &str) -> EvaluatorError {
    wrong(format!(
        "${function}: the result has more digits than can be kept exactly"
    ))
}

fn two(
    function: &'static str,
    reckon: impl Fn(Decimal, Decimal) -> Option<Decimal>,
) -> impl Fn(&[JValue]) -> Answer {
    move |args| {
        let (a, b) = (amount(function, args, 0)?, amount(function, args, 1)?);
        match (a, b) {
            (Some(a), Some(b)) => reckon(a, b).map(shown).ok_or_else(|| overflow(function)),
            (None, _) | (_, None) => Ok(JValue::Undefined),
        }
    }
}

fn register(
    evaluator: &mut Evaluator,
    lookups: &Arc<BTreeMap<String, Lookup>>,
    missing: &Rc<RefCell<Option<(String, String)>>>,
    used: &Rc<RefCell<Option<Codes>>>,
) {
    let mut add = |name: &str, function: Function| {
        // It refuses names of JSONata's own functions, which none of these is (a test calls each).
        drop(evaluator.register_fn(name, move |args: &[JValue]| function(args)));
    };
    add(
        "dec",
        Box::new(|args| {
            let Some(number) = text("dec", args, 0)? else {
                return Ok(JValue::Undefined);
            };
            let point = letter("dec", args, 1)?.unwrap_or('.');
            exact::decimal(number, point, letter("dec", args, 2)?)
                .map(shown)
                .map_err(wrong)
        }),
    );
    add("dec_add", Box::new(two("dec_add", Decimal::checked_add)));
    add("dec_sub", Box::new(two("dec_sub", Decimal::checked_sub)));
    add("dec_mul", Box::new(two("dec_mul", Decimal::checked_mul)));
    add(
        "dec_div",
        Box::new(|args| {
            let to = places("dec_div", args, 2)?;
            match (amount("dec_div", args, 0)?, amount("dec_div", args, 1)?) {
                (Some(a), Some(b)) => exact::divide(a, b, to).map(shown).map_err(wrong),
                (None, _) | (_, None) => Ok(JValue::Undefined),
            }
        }),
    );
    add(
        "dec_round",
        Box::new(|args| {
            let to = places("dec_round", args, 1)?;
            let value = amount("dec_round", args, 0)?;
            Ok(value.map_or(JValue::Undefined, |value| shown(exact::round(value, to))))
        }),
    );
    add(
        "dec_shift",
        Box::new(|args| {
            let by = places("dec_shift", args, 1)?;
            let shifted = amount("dec_shift", args, 0)?.map(|value| exact::shift(value, by));
            match shifted {
                Some(value) => value.map(shown).ok_or_else(|| overflow("dec_shift")),
                None => Ok(JValue::Undefined),
            }
        }),
    );
    add(
        "dec_sum",
        Box::new(|args| {
            let one;
            let items: &[JValue] = match args.first() {
                None | Some(JValue::Undefined | JValue::Null) => &[],
                Some(value) => match value.as_array() {
                    Some(items) => items,
                    None => {
                        one = [value.clone()];
                        &one
                    }
                },
            };
            let mut sum = Decimal::ZERO;
            for index in 0..items.len() {
                let next = amount("dec_sum", items, index)?.unwrap_or_default();
                sum = sum.checked_add(next).ok_or_else(|| overflow("dec_sum"))?;
            }
            Ok(shown(sum))
        }),
    );
    add(
        "dec_cmp",
        Box::new(
            |args| match (amount("dec_cmp", args, 0)?, amount("dec_cmp", args, 1)?) {
                (Some(a), Some(b)) => Ok(JValue::from(match a.cmp(&b) {
                    std::cmp::Ordering::Less => -1_i64,
                    std::cmp::Ordering::Equal => 0,
                    std::cmp::Ordering::Greater => 1,
                })),
                (None, _) | (_, None) => Ok(JValue::Undefined),
            },
        ),
    );
    add(
        "day",
        Box::new(
            |args| match (text("day", args, 0)?, text("day", args, 1)?) {
                (Some(day), format) => exact::day(day, format.unwrap_or("%Y-%m-%d"))
                    .map(|day| JValue::from(day.to_string()))
                    .map_err(wrong),
                (None, _) => Ok(JValue::Undefined),
            },
        ),
    );
    add(
        "dec_as",
        Box::new(|args| {
            let point = letter("dec_as", args, 1)?.unwrap_or('.');
            let to = match args.get(2) {
                None | Some(JValue::Undefined | JValue::Null) => None,
                Some(_) => Some(places("dec_as", args, 2)?),
            };
            let value = amount("dec_as", args, 0)?;
            value.map_or(Ok(JValue::Undefined), |value| {
                exact::written(value, point, to)
                    .map(JValue::from)
                    .map_err(wrong)
            })
        }),
    );
    add(
        "day_as",
        Box::new(
            |args| match (text("day_as", args, 0)?, text("day_as", args, 1)?) {
                (Some(day), Some(format)) => {
                    exact::day_as(day, format).map(JValue::from).map_err(wrong)
                }
                (None, _) => Ok(JValue::Undefined),
                (Some(_), None) => Err(wrong("$day_as(day, format): say how it is written")),
            },
        ),
    );
    add(
        "moment_as",
        Box::new(|args| {
            match (
                text("moment_as", args, 0)?,
                text("moment_as", args, 1)?,
                text("moment_as", args, 2)?,
            ) {
                (Some(moment), Some(format), Some(zone)) => exact::moment_as(moment, format, zone)
                    .map(JValue::from)
                    .map_err(wrong),
                (None, _, _) => Ok(JValue::Undefined),
                (Some(_), _, _) => Err(wrong(
                    "$moment_as(moment, format, zone): say how it is written and in which time zone",
                )),
            }
        }),
    );
    add(
        "moment",
        Box::new(|args| {
            match (
                text("moment", args, 0)?,
                text("moment", args, 1)?,
                text("moment", args, 2)?,
            ) {
                (Some(moment), Some(format), Some(zone)) => exact::moment(moment, format, zone)
                    .map(JValue::from)
                    .map_err(wrong),
                (None, _, _) => Ok(JValue::Undefined),
                (Some(_), _, _) => Err(wrong(
                    "$moment(text, format, zone): say how it is written and in which time zone",
                )),
            }
        }),
    );
    let (lookups, missing, used) = (Arc::clone(lookups), Rc::clone(missing), Rc::clone(used));
    add(
        "table",
        Box::new(move |args| {
            let (Some(name), Some(column)) = (text("table", args, 0)?, text("table", args, 2)?)
            else {
                return Err(wrong(
                    "$table(name, code, column, day): name table and column",
                ));
            };
            let Some(code) = text("table", args, 1)? else {
                return Ok(JValue::Undefined);
            };
            let lookup = lookups
                .get(name)
                .ok_or_else(|| wrong(format!("$table: there is no lookup `{name}`")))?;
            let found = lookup
                .find(code, column, text("table", args, 3)?)
                .map_err(wrong)?;
            if let Some(used) = used.borrow_mut().as_mut()
                && lookup.has(code.trim())
            {
                let codes = used.entry(name.to_owned()).or_default();
                codes.insert(code.trim().to_owned());
            }
            found.map(JValue::from).ok_or_else(|| {
                missing.replace(Some((name.to_owned(), code.trim().to_owned())));
                wrong(format!(
                    "the lookup `{name}` does not know `{}`",
                    code.trim()
                ))
            })
        }),
    );
}

#[cfg(test)]
mod oracle;

#[cfg(test)]
mod tests {
    use super::*;

    fn read_of_document(source: &str, input: Input) -> Vec<String> {
        let read = Expression::read(source, &Place::of("feed.yaml")).unwrap();
        read.fields_of_document(input).into_iter().collect()
    }

    #[test]
    fn what_is_read_of_a_document_is_told_from_what_is_read_of_its_rows() {
        let cases: [(&str, &[&str]); 12] = [
            ("day", &["day"]),
            ("`N. Ordine` & \"-\" & day", &["N. Ordine", "day"]),
            ("$.day", &["day"]),
            ("$$.day", &["day"]),
            ("head.day", &["head"]),
            ("rows.qty", &["rows"]),
            ("rows[0].day", &["day", "rows"]),
            ("rows[qty > least].item", &["rows"]),
            ("rows[qty > $$.least].item", &["least", "rows"]),
            ("rows^(>day)[0].day", &["rows"]),
            (
                "$map(rows, function($row) { $row.qty & unit })",
                &["rows", "unit"],
            ),
            (
                "$exists(day) ? $table(\"items\", item, \"number\")",
                &["day", "item"],
            ),
        ];
        for (source, names) in cases {
            assert_eq!(read_of_document(source, Input::Document), names, "{source}");
        }
        let cases: [(&str, &[&str]); 4] = [
            ("qty", &[]),
            ("document.day & qty", &["day"]),
            ("document.rows[qty > 1].item", &["rows"]),
            ("$$.qty", &[]),
        ];
        for (source, names) in cases {
            assert_eq!(read_of_document(source, Input::Part), names, "{source}");
        }
    }
}
