//! Two answers: the recorded one and the sandbox's.

use std::cell::RefCell;
use std::collections::HashMap;
use std::str::FromStr as _;

use interplant_odoo_sandbox::Sandbox;
use rust_decimal::Decimal;
use serde_json::{Number, Value as Json, json};

use super::race::Stage;
use super::translate::Recorded;
use crate::client::{Client, Response};

/// Which recorded id and name stands for which of the sandbox's.
pub(crate) struct Pairs {
    ids: HashMap<(String, i64), i64>,
    names: HashMap<String, String>,
    relations: RefCell<HashMap<String, HashMap<String, String>>>,
    client: Client,
    /// The records of the races.
    pub(crate) stage: Option<Stage>,
}

impl Pairs {
    pub(crate) fn new(sandbox: &Sandbox) -> Self {
        Self {
            ids: HashMap::new(),
            names: HashMap::new(),
            relations: RefCell::default(),
            client: Client::admin(sandbox),
            stage: None,
        }
    }

    /// The sandbox's id; an id that has not appeared yet is taken to be the same.
    pub(crate) fn ours(&self, model: &str, recorded: i64) -> i64 {
        self.ids
            .get(&(model.to_owned(), recorded))
            .copied()
            .unwrap_or(recorded)
    }

    pub(crate) fn tie(&mut self, model: &str, recorded: i64, ours: i64) -> bool {
        *self.ids.entry((model.to_owned(), recorded)).or_insert(ours) == ours
    }

    /// The model at the other end of a field.
    pub(crate) fn relation(&self, model: &str, field: &str) -> Option<String> {
        if !self.relations.borrow().contains_key(model) {
            let fields = self
                .client
                .call(model, "fields_get", json!({}))
                .unwrap_or_default();
            let relations = fields.as_object().into_iter().flatten();
            let relations = relations
                .filter_map(|(name, about)| {
                    Some((name.clone(), about["relation"].as_str()?.to_owned()))
                })
                .collect();
            self.relations
                .borrow_mut()
                .insert(model.to_owned(), relations);
        }
        self.relations
            .borrow()
            .get(model)
            .and_then(|fields| fields.get(field).cloned())
    }
}

/// All differences between the recorded answer and the sandbox's.
pub(crate) fn answers(
    pairs: &mut Pairs,
    call: &Recorded,
    line: &Json,
    response: &Response,
) -> Vec<String> {
    let recorded = &line["response"];
    let mut differences = Vec::new();
    if recorded["status"] != json!(response.status) {
        return vec![format!(
            "status {} recorded, {} now: {}",
            recorded["status"], response.status, response.text
        )];
    }
    let html = recorded["headers"]["content-type"]
        .as_str()
        .unwrap_or_default()
        .starts_with("text/html");
    if html {
        if !response.content.starts_with("text/html") {
            differences.push(format!("HTML recorded, {} now", response.content));
        }
        return differences;
    }
    let (theirs, ours) = (unwrap(&recorded["body"]), unwrap(&response.json()));
    let mut walk = Walk {
        pairs,
        differences: &mut differences,
    };
    walk.answer(call, &theirs, &ours);
    differences
}

/// The payload of an answer of either transport, and the part of an error that counts.
pub(crate) fn unwrap(body: &Json) -> Json {
    let error = |error: &Json| json!({"raised": error["name"], "message": error["message"], "arguments": error["arguments"]});
    if body.get("jsonrpc").is_some() {
        return match body.get("error") {
            Some(raised) => {
                let mut shown = error(&raised["data"]);
                shown["code"] = raised["code"].clone();
                shown
            }
            None => body.get("result").cloned().unwrap_or_default(),
        };
    }
    if body.get("debug").is_some() {
        error(body)
    } else {
        body.clone()
    }
}

struct Walk<'a> {
    pairs: &'a mut Pairs,
    differences: &'a mut Vec<String>,
}

impl Walk<'_> {
    fn differ(&mut self, at: &str, theirs: &Json, ours: &Json) {
        if self.differences.is_empty() {
            self.differences
                .push(format!("{at}: {theirs} recorded, {ours} now"));
        }
    }

    fn answer(&mut self, call: &Recorded, theirs: &Json, ours: &Json) {
        let model = call.model.as_str();
        if theirs.get("raised").is_some() || ours.get("raised").is_some() {
            return self.plain("error", theirs, ours);
        }
        match call.method.as_str() {
            "create" | "search" => self.id_list(model, "answer", theirs, ours),
            "load" => {
                self.id_list(model, "ids", &theirs["ids"], &ours["ids"]);
                self.plain("messages", &theirs["messages"], &ours["messages"]);
                self.plain("nextrow", &theirs["nextrow"], &ours["nextrow"]);
            }
            "read" | "search_read" | "web_read" | "web_save" => {
                self.records(model, "answer", theirs, ours)
            }
            "web_search_read" => {
                self.plain("length", &theirs["length"], &ours["length"]);
                self.records(model, "records", &theirs["records"], &ours["records"]);
            }
            "message_post" => {
                if theirs.is_array() != ours.is_array() {
                    self.differ("answer", theirs, ours);
                }
            }
            _ if theirs["type"] == "ir.actions.act_window" => self.action(theirs, ours),
            _ => self.plain("answer", theirs, ours),
        }
    }

    /// A window action: what a client acts on. Help texts, views and menus are the web client's.
    fn action(&mut self, theirs: &Json, ours: &Json) {
        for key in ["type", "res_model", "name"] {
            self.plain(key, &theirs[key], &ours[key]);
        }
        let model = theirs["res_model"].as_str().unwrap_or_default().to_owned();
        if theirs.get("res_id").is_some() {
            self.id(&model, "res_id", &theirs["res_id"], &ours["res_id"]);
        }
        if theirs["context"]
            .get("button_validate_picking_ids")
            .is_some()
        {
            let key = "button_validate_picking_ids";
            self.id_list(
                "stock.picking",
                key,
                &theirs["context"][key],
                &ours["context"][key],
            );
        }
    }

    fn id(&mut self, model: &str, at: &str, theirs: &Json, ours: &Json) {
        match (theirs.as_i64(), ours.as_i64()) {
            (Some(recorded), Some(now)) if self.pairs.tie(model, recorded, now) => {}
            (None, None) if theirs == ours => {}
            _ => self.differ(at, theirs, ours),
        }
    }

    fn id_list(&mut self, model: &str, at: &str, theirs: &Json, ours: &Json) {
        match (theirs.as_array(), ours.as_array()) {
            (Some(recorded), Some(now)) if recorded.len() == now.len() => {
                for (recorded, now) in recorded.iter().zip(now) {
                    self.id(model, at, recorded, now);
                }
            }
            _ => self.id(model, at, theirs, ours),
        }
    }

    fn records(&mut self, model: &str, at: &str, theirs: &Json, ours: &Json) {
        let (Some(recorded), Some(now)) = (theirs.as_array(), ours.as_array()) else {
            return self.differ(at, theirs, ours);
        };
        if recorded.len() != now.len() {
            return self.differ(at, theirs, ours);
        }
        for (recorded, now) in recorded.iter().zip(now) {
            self.record(model, at, recorded, now);
        }
    }

    fn record(&mut self, model: &str, at: &str, theirs: &Json, ours: &Json) {
        let (Some(recorded), Some(now)) = (theirs.as_object(), ours.as_object()) else {
            return self.differ(at, theirs, ours);
        };
        if recorded.keys().ne(now.keys()) {
            return self.differ(&format!("{at} fields"), theirs, ours);
        }
        for (name, value) in recorded {
            let (at, other) = (format!("{at}.{name}"), &now[name]);
            match self.pairs.relation(model, name) {
                _ if name == "id" => self.id(model, &at, value, other),
                _ if name == "res_id" => {
                    let of = recorded.get("model").and_then(Json::as_str).unwrap_or("?");
                    let of = of.to_owned();
                    self.id(&of, &at, value, other);
                }
                Some(to) => self.related(&to, &at, value, other),
                None => self.plain(&at, value, other),
            }
        }
    }

    fn related(&mut self, to: &str, at: &str, theirs: &Json, ours: &Json) {
        match (theirs, ours) {
            (Json::Array(recorded), Json::Array(now)) => {
                match (recorded.as_slice(), now.as_slice()) {
                    ([id, Json::String(name)], [our_id, Json::String(our_name)]) => {
                        self.id(to, at, id, our_id);
                        self.plain(at, &json!(name), &json!(our_name));
                    }
                    ([first, ..], _) if first.is_object() => self.records(to, at, theirs, ours),
                    _ => self.id_list(to, at, theirs, ours),
                }
            }
            (Json::Object(_), Json::Object(_)) => self.record(to, at, theirs, ours),
            _ => self.id(to, at, theirs, ours),
        }
    }

    /// Values that are no ids. Moments of the recording's day are "now", document numbers are tied to each other.
    fn plain(&mut self, at: &str, theirs: &Json, ours: &Json) {
        match (theirs, ours) {
            (Json::String(recorded), Json::String(now)) => {
                if !self.texts(recorded, now) {
                    self.differ(at, theirs, ours);
                }
            }
            (Json::Array(recorded), Json::Array(now)) if recorded.len() == now.len() => {
                for (recorded, now) in recorded.iter().zip(now) {
                    self.plain(at, recorded, now);
                }
            }
            (Json::Object(recorded), Json::Object(now)) if recorded.keys().eq(now.keys()) => {
                for (name, value) in recorded {
                    self.plain(&format!("{at}.{name}"), value, &now[name]);
                }
            }
            // Real servers send binary noise now and then: 153.95000000000002.
            (Json::Number(recorded), Json::Number(now)) if amount(recorded) == amount(now) => {}
            _ if theirs == ours => {}
            _ => self.differ(at, theirs, ours),
        }
    }

    fn texts(&mut self, theirs: &str, ours: &str) -> bool {
        let today = |text: &str| text.len() == 19 && text.starts_with("2026-11-23 ");
        if theirs == ours || (today(theirs) && today(ours)) {
            return true;
        }
        let theirs = self.numbered(&theirs.replace("Contract Probe Co", "My Company"));
        let (shape, recorded) = split(&theirs);
        let (our_shape, now) = split(ours);
        shape == our_shape
            && recorded.len() == now.len()
            && recorded.into_iter().zip(now).all(|(recorded, now)| {
                *self
                    .pairs
                    .names
                    .entry(recorded)
                    .or_insert_with(|| now.clone())
                    == now
            })
    }

    /// Record ids inside a text: `(id 20)` of a bill.
    fn numbered(&self, text: &str) -> String {
        let Some((before, rest)) = text.split_once("(id ") else {
            return text.to_owned();
        };
        let Some((number, after)) = rest.split_once(')') else {
            return text.to_owned();
        };
        let id = number
            .parse()
            .map(|id| self.pairs.ours("account.move", id))
            .unwrap_or_default();
        format!("{before}(id {id}){after}")
    }
}

fn amount(number: &Number) -> Option<Decimal> {
    let text = number.to_string();
    Decimal::from_str(&text)
        .or_else(|_| Decimal::from_scientific(&text))
        .ok()
        .map(|amount| amount.round_dp(9))
}

/// A text without its document numbers, and the numbers: `P00016`, `WH/IN/00016`, `BILL/2026/11/0007`, `(* 7)`.
fn split(text: &str) -> (String, Vec<String>) {
    let (mut shape, mut numbers) = (String::new(), Vec::new());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let fresh = !shape.chars().last().is_some_and(char::is_alphanumeric);
        let length = if fresh { number(rest) } else { 0 };
        if length > 0 {
            numbers.push(rest[..length].to_owned());
            shape.push('#');
            rest = &rest[length..];
        } else {
            shape.push(next);
            rest = &rest[next.len_utf8()..];
        }
    }
    (shape, numbers)
}

/// The length of a document number at the start of a text, or 0.
fn number(text: &str) -> usize {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    if let Some(rest) = text.strip_prefix('P')
        && digits(rest) == 5
    {
        return 6;
    }
    if let Some(rest) = text.strip_prefix("(* ") {
        return 3 + digits(rest);
    }
    if let Some(rest) = text.strip_prefix("WH/") {
        let letters = rest.bytes().take_while(u8::is_ascii_uppercase).count();
        if let Some(rest) = rest[letters..].strip_prefix('/')
            && digits(rest) == 5
        {
            return 3 + letters + 1 + 5;
        }
    }
    if let Some(rest) = text.strip_prefix("BILL/")
        && let [year, month, number] = rest.splitn(3, '/').map(digits).collect::<Vec<_>>()[..]
        && (year, month, number) == (4, 2, 4)
    {
        return "BILL/2026/11/0001".len();
    }
    0
}
