//! Carries out calls: who may, on which records, and what happens when two calls meet.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};
use tokio::sync::Barrier;

use crate::arguments::Call;
use crate::clock::Clock;
use crate::error::{Class, Error, Result};
use crate::load;
use crate::models;
use crate::orm::convert::Shape;
use crate::orm::{describe, read, search, write};
use crate::rights;
use crate::schema::{Model, Schema};
use crate::seed::{self, ADMINISTRATOR};
use crate::store::{Conflict, Record, Store};
use crate::transaction::{Environment, Transaction};
use crate::value::Value;
use crate::version::Version;

/// How often a call is tried again after another one was faster.
const TRIES: usize = 5;

/// How long overlapping calls wait for one another.
const LONGEST_MEETING: std::time::Duration = std::time::Duration::from_secs(10);

/// What a call waits for between its work and its commit.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hold {
    pub(crate) meeting: Option<Arc<Barrier>>,
    pub(crate) delay: std::time::Duration,
}

/// One database and the rules of one version.
#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) version: Version,
    pub(crate) clock: Clock,
    store: Arc<Store>,
}

impl Engine {
    pub(crate) fn new(version: Version, clock: Clock, login: &str) -> Self {
        let store = Arc::new(Store::new(Schema::of(version)));
        seed::seed(version, &store, clock.now(), login);
        Self {
            version,
            clock,
            store,
        }
    }

    pub(crate) fn begin(&self, user: i64, context: Map<String, Json>) -> Transaction {
        Transaction::begin(
            self.version,
            &self.store,
            Environment {
                user,
                context,
                now: self.clock.now(),
            },
        )
    }

    /// Carries out a call and commits it.
    ///
    /// # Errors
    /// What the call raises; nothing is kept then.
    pub(crate) async fn execute(&self, user: i64, call: &Call, hold: Hold) -> Result<Json> {
        let mut hold = Some(hold);
        for _ in 0..TRIES {
            let mut tx = self.begin(user, call.context.clone());
            let result = run(&mut tx, call);
            if let Some(hold) = hold.take() {
                wait(hold).await;
            }
            let answer = result?;
            let (base, changes) = tx.finish();
            match self.store.commit(base, changes, &call.method) {
                Ok(()) => return Ok(answer),
                Err(conflict) => {
                    if let Some(lost) = self.lost(user, call, &conflict) {
                        return lost;
                    }
                }
            }
        }
        Err(Error::new(
            Class::Database,
            "could not serialize access due to concurrent update\n",
        ))
    }

    /// What the loser of a race is told at once, instead of being tried again.
    fn lost(&self, user: i64, call: &Call, conflict: &Conflict) -> Option<Result<Json>> {
        let tx = self.begin(user, call.context.clone());
        if call.method == "load" {
            let answer = tx.model(&call.model).and_then(|model| {
                load::lost_race(&tx, model, arg(call, "fields"), arg(call, "data"))
            });
            return Some(answer);
        }
        let twice = matches!(call.method.as_str(), "button_confirm" | "button_validate")
            && conflict.method == call.method;
        if twice && self.version.loser_is_told_of_followers() {
            let text = "The operation cannot be completed: Error, a partner cannot follow twice the same object.";
            return Some(Err(Error::validation(text)));
        }
        None
    }

    /// All records of a model, for tests.
    pub(crate) fn dump(&self, model: &str) -> Result<Json> {
        let tx = self.begin(ADMINISTRATOR, Map::new());
        let model = tx.model(model)?;
        let ids: Vec<i64> = tx.ids(model.name).into_iter().collect();
        read::read(&tx, model, &ids, &[], Shape::Bare)
    }

    /// Changes records as the administrator, outside of any call.
    pub(crate) fn change(&self, work: impl FnOnce(&mut Transaction) -> Result<()>) -> Result<()> {
        let mut tx = self.begin(ADMINISTRATOR, Map::new());
        work(&mut tx)?;
        let (base, changes) = tx.finish();
        self.store
            .commit(base, changes, "change")
            .map_err(|conflict| Error::new(Class::Database, format!("{conflict:?}")))
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the sandbox plays a slow server; nothing waits for time to pass otherwise"
)]
pub(crate) async fn wait(hold: Hold) {
    if let Some(meeting) = hold.meeting {
        // Whoever waits for a call that never comes goes on alone.
        drop(tokio::time::timeout(LONGEST_MEETING, meeting.wait()).await);
    }
    if !hold.delay.is_zero() {
        tokio::time::sleep(hold.delay).await;
    }
}

fn arg<'c>(call: &'c Call, name: &str) -> &'c Json {
    call.args.get(name).unwrap_or(&Json::Null)
}

fn texts(json: &Json) -> Vec<String> {
    json.as_array()
        .into_iter()
        .flatten()
        .filter_map(Json::as_str)
        .map(str::to_owned)
        .collect()
}

fn size(json: &Json) -> Option<usize> {
    json.as_u64()
        .and_then(|number| usize::try_from(number).ok())
        .filter(|number| *number > 0)
}

/// The one company, and what the user's groups allow.
fn check_access(tx: &Transaction, model: &Model, method: &str) -> Result<()> {
    let allowed = tx
        .env
        .context
        .get("allowed_company_ids")
        .and_then(Json::as_array);
    if allowed.is_some_and(|ids| {
        ids.iter()
            .any(|id| id.as_i64() != Some(models::base::COMPANY))
    }) {
        return Err(Error::new(
            Class::Access,
            "Access to unauthorized or invalid companies.",
        ));
    }
    rights::check_call(tx, model, method)
}

/// One call on a running transaction.
fn run(tx: &mut Transaction, call: &Call) -> Result<Json> {
    let model = tx.model(&call.model)?;
    check_access(tx, model, &call.method)?;
    let ids = &call.ids;
    match call.method.as_str() {
        "create" => create(tx, model, arg(call, "vals_list")),
        "write" => {
            write::write(tx, model, ids, &object(arg(call, "vals")))?;
            Ok(json!(true))
        }
        "unlink" => {
            write::unlink(tx, model, ids)?;
            Ok(json!(true))
        }
        "read" => read::read(tx, model, ids, &texts(arg(call, "fields")), shape(call)),
        "search" => {
            let found = find(tx, model, call)?;
            Ok(json!(found))
        }
        "search_count" => {
            let found = search::search(
                tx,
                model,
                arg(call, "domain"),
                None,
                0,
                size(arg(call, "limit")),
            )?;
            Ok(json!(found.len()))
        }
        "search_read" => {
            let fields = texts(arg(call, "fields"));
            for name in &fields {
                read::field(tx, model, name)?;
            }
            let found = find(tx, model, call)?;
            read::read(tx, model, &found, &fields, shape(call))
        }
        "web_read" => Ok(Json::Array(read::web_read(
            tx,
            model,
            ids,
            &object(arg(call, "specification")),
        )?)),
        "web_search_read" => {
            let length = search::search(tx, model, arg(call, "domain"), None, 0, None)?.len();
            let found = find(tx, model, call)?;
            Ok(
                json!({"length": length, "records": read::web_read(tx, model, &found, &object(arg(call, "specification")))?}),
            )
        }
        "web_save" => {
            let vals = object(arg(call, "vals"));
            let saved = if ids.is_empty() {
                vec![write::create(tx, model, &vals)?]
            } else {
                write::write(tx, model, ids, &vals)?;
                ids.clone()
            };
            Ok(Json::Array(read::web_read(
                tx,
                model,
                &saved,
                &object(arg(call, "specification")),
            )?))
        }
        "load" => load::load(tx, model, arg(call, "fields"), arg(call, "data")),
        "fields_get" => Ok(describe::fields_get(
            tx,
            model,
            &texts(arg(call, "allfields")),
            &texts(arg(call, "attributes")),
        )),
        "get_external_id" => Ok(describe::external_ids(tx, model, ids)),
        "get_metadata" => Ok(describe::metadata(tx, model, ids)),
        "exists" => Ok(json!(
            ids.iter()
                .filter(|id| tx.exists(model.name, **id))
                .collect::<Vec<_>>()
        )),
        "has_access" => rights::has_access(tx, model, ids, arg(call, "operation")),
        "check_access_rights" => rights::check_access_rights(
            tx,
            model,
            arg(call, "operation"),
            call.args.get("raise_exception"),
        ),
        "name_search" => name_search(tx, model, call),
        "message_post" => message_post(tx, model, call),
        "precision_get" if model.name == "decimal.precision" => {
            let application = arg(call, "application").as_str().unwrap_or_default();
            Ok(json!(models::base::precision(tx, application).unwrap_or(2)))
        }
        method => {
            if let Some(result) = models::call(tx, model.name, method, ids, &call.args) {
                return result;
            }
            Err(Error::new(
                Class::AttributeError,
                format!(
                    "The method '{method}' does not exist on the model '{}'",
                    model.name
                ),
            ))
        }
    }
}

fn object(json: &Json) -> Map<String, Json> {
    json.as_object().cloned().unwrap_or_default()
}

fn shape(call: &Call) -> Shape {
    match call.args.get("load") {
        None => Shape::Named,
        Some(Json::String(load)) if load == "_classic_read" => Shape::Named,
        Some(_) => Shape::Bare,
    }
}

fn find(tx: &Transaction, model: &'static Model, call: &Call) -> Result<Vec<i64>> {
    let offset = size(arg(call, "offset")).unwrap_or_default();
    search::search(
        tx,
        model,
        arg(call, "domain"),
        arg(call, "order").as_str(),
        offset,
        size(arg(call, "limit")),
    )
}

/// A list of values answers a list of ids, one answers one id.
fn create(tx: &mut Transaction, model: &'static Model, vals: &Json) -> Result<Json> {
    if model.name == "stock.lot" && tx.version.lot_create_is_broken() {
        return Err(Error::new(
            Class::TypeError,
            "StockLot.create() missing 1 required positional argument: 'vals_list'",
        ));
    }
    match vals {
        Json::Array(list) => {
            let mut ids = Vec::new();
            for vals in list {
                ids.push(write::create(tx, model, &object(vals))?);
            }
            Ok(json!(ids))
        }
        vals @ Json::Null
        | vals @ Json::Bool(_)
        | vals @ Json::Number(_)
        | vals @ Json::String(_)
        | vals @ Json::Object(_) => Ok(json!(write::create(tx, model, &object(vals))?)),
    }
}

fn name_search(tx: &Transaction, model: &'static Model, call: &Call) -> Result<Json> {
    let wanted = arg(call, "name")
        .as_str()
        .unwrap_or_default()
        .to_lowercase();
    let domain = call
        .args
        .get("domain")
        .or_else(|| call.args.get("args"))
        .unwrap_or(&Json::Null);
    let limit = size(arg(call, "limit")).unwrap_or(100);
    let found = search::search(tx, model, domain, None, 0, None)?;
    let named = found
        .into_iter()
        .map(|id| (id, models::display_name(tx, model.name, id)));
    Ok(json!(
        named
            .filter(|(_, name)| name.to_lowercase().contains(&wanted))
            .take(limit)
            .collect::<Vec<_>>()
    ))
}

fn message_post(tx: &mut Transaction, model: &'static Model, call: &Call) -> Result<Json> {
    let mut posted = Vec::new();
    for id in &call.ids {
        tx.require(model.name, *id)?;
        let body = format!("<p>{}</p>", arg(call, "body").as_str().unwrap_or_default());
        let now = tx.now();
        let record = Record::from([
            ("model", Value::text(model.name)),
            ("res_id", Value::Int(*id)),
            ("body", Value::Text(body)),
            ("date", Value::Text(now)),
        ]);
        posted.push(tx.insert("mail.message", record));
    }
    match posted.as_slice() {
        [one] if !tx.version.message_post_answers_list() => Ok(json!(one)),
        _ => Ok(json!(posted)),
    }
}
