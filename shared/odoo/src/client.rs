//! A connection to one Odoo.

use std::sync::Arc;
use std::time::Instant;

use interplant_domain::json::Json;
use reqwest::header::CONTENT_TYPE;

use crate::accuracy::Accuracy;
use crate::answer::Record;
use crate::body::Body;
use crate::connection::{Credentials, Limits, http_client};
use crate::dialect::{Protocol, Version, model};
use crate::error::{Class, Error};
use crate::{exchange, json2, jsonrpc};

/// Calls one Odoo as one user. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Client {
    connection: Arc<Connection>,
    accuracy: Accuracy,
}

#[derive(Debug)]
struct Connection {
    http: reqwest::Client,
    credentials: Credentials,
    limits: Limits,
    version: Version,
    /// The user's id on JSON-RPC; authenticating costs up to a second, so it happens once.
    user: Option<i64>,
}

/// A call of a method of a model.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) model: &'a str,
    pub(crate) method: &'static str,
    pub(crate) ids: Option<Vec<i64>>,
    pub(crate) positional: Vec<Body>,
    pub(crate) named: Vec<(&'static str, Body)>,
    pub(crate) context: Vec<(&'static str, Body)>,
}

impl<'a> Call<'a> {
    /// The context never depends on the user's settings: times are read in `tz`, and errors are told by
    /// their English words.
    pub(crate) fn new(model: &'a str, method: &'static str) -> Self {
        let context = vec![("tz", Body::text("UTC")), ("lang", Body::text("en_US"))];
        Self {
            model,
            method,
            ids: None,
            positional: Vec::new(),
            named: Vec::new(),
            context,
        }
    }

    pub(crate) fn on(mut self, id: i64) -> Self {
        self.ids = Some(vec![id]);
        self
    }

    pub(crate) fn on_all(mut self, ids: &[i64]) -> Self {
        self.ids = Some(ids.to_vec());
        self
    }

    pub(crate) fn named(mut self, name: &'static str, value: Body) -> Self {
        self.named.push((name, value));
        self
    }

    pub(crate) fn context(mut self, name: &'static str, value: Body) -> Self {
        self.context.push((name, value));
        self
    }
}

impl Client {
    /// Finds out the version, authenticates, and reads how exactly numbers are kept: two calls on 19,
    /// three on 17 and 18.
    ///
    /// # Errors
    /// [`Error::Configuration`] for a version before 17, a wrong database, user or key; and what a call
    /// can always meet.
    pub async fn connect(credentials: Credentials, limits: Limits) -> Result<Self, Error> {
        let http = http_client(&limits)?;
        let version = version_of(&http, &credentials, &limits).await?;
        let user = match version.protocol() {
            Protocol::Json2 => None,
            Protocol::JsonRpc => Some(
                logged("common", "authenticate", 0, async |status| {
                    jsonrpc::authenticate(&http, &credentials, &limits, status).await
                })
                .await?,
            ),
        };
        let connection = Connection {
            http,
            credentials,
            limits,
            version,
            user,
        };
        let mut client = Self {
            connection: Arc::new(connection),
            accuracy: Accuracy {
                price: 0,
                quantity: 0,
            },
        };
        client.accuracy = client.read_accuracy().await?;
        Ok(client)
    }

    /// The cheapest way to see whether an Odoo is up: its version, without authenticating.
    ///
    /// # Errors
    /// [`Error::Configuration`] for a version before 17, and what a call can always meet.
    pub async fn probe(credentials: &Credentials, limits: &Limits) -> Result<Version, Error> {
        version_of(&http_client(limits)?, credentials, limits).await
    }

    /// The server's version.
    #[must_use]
    pub fn version(&self) -> Version {
        self.connection.version
    }

    /// How exactly this Odoo keeps numbers, as of the time of connecting.
    #[must_use]
    pub fn accuracy(&self) -> Accuracy {
        self.accuracy
    }

    /// Records that a domain selects, with these fields; links come as `[id, name]`.
    ///
    /// # Errors
    /// [`Error::Caller`] for a model that is not in [`model`], an unknown field or a wrong domain; and
    /// what a call can always meet.
    pub async fn search_read(
        &self,
        model: &str,
        domain: serde_json::Value,
        fields: &[&str],
    ) -> Result<Vec<Json>, Error> {
        let call = Call::new(model, "search_read")
            .named("domain", Body::Given(domain))
            .named("fields", Body::texts(fields));
        match self.call(call).await? {
            Json::Array(records) => Ok(records),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Object(_) => {
                Err(Error::unexpected("search_read did not answer a list"))
            }
        }
    }

    /// The user's id, where we had to ask for it.
    pub(crate) fn signed_in(&self) -> Option<i64> {
        self.connection.user
    }

    /// What the fields themselves say: every user may read it, unlike the table of digits.
    pub(crate) async fn read_accuracy(&self) -> Result<Accuracy, Error> {
        let call = Call::new(model::ORDER_LINE, "fields_get")
            .named("allfields", Body::texts(&["price_unit", "product_qty"]))
            .named("attributes", Body::texts(&["digits"]));
        let answer = self.call(call).await?;
        let line = Record::new(model::ORDER_LINE, &answer);
        let digits = |field| {
            let shown: Option<&Json> = answer.get(field);
            shown
                .and_then(|shown| self.version().digits(shown.get("digits")))
                .ok_or_else(|| line.wrong(field, "described with its digits"))
        };
        Ok(Accuracy {
            price: digits("price_unit")?,
            quantity: digits("product_qty")?,
        })
    }

    /// Makes one call.
    pub(crate) async fn call(&self, call: Call<'_>) -> Result<Json, Error> {
        if !model::ALL.contains(&call.model) {
            return Err(Error::caller(format!(
                "the model {} is not one of ours",
                call.model
            )));
        }
        let Connection {
            http,
            credentials,
            limits,
            version,
            user,
        } = &*self.connection;
        let ids = call.ids.as_ref().map_or(0, Vec::len);
        logged(call.model, call.method, ids, async |status| {
            match version.protocol() {
                Protocol::Json2 => json2::call(http, credentials, limits, &call, status).await,
                Protocol::JsonRpc => {
                    jsonrpc::call(
                        http,
                        credentials,
                        limits,
                        user.unwrap_or_default(),
                        &call,
                        status,
                    )
                    .await
                }
            }
        })
        .await
    }
}

/// Asks for the version where every server of the last years answers, then where 19 does: the first
/// way is a JSON-RPC one, which Odoo means to give up.
async fn version_of(
    http: &reqwest::Client,
    credentials: &Credentials,
    limits: &Limits,
) -> Result<Version, Error> {
    let info = logged("web", "version_info", 0, async |status| {
        let body = r#"{"jsonrpc":"2.0","method":"call","params":{}}"#;
        let url = credentials.address("/web/webclient/version_info")?;
        let reply = exchange::send(
            http.post(url)
                .header(CONTENT_TYPE, "application/json")
                .body(body),
            limits,
            status,
        )
        .await?;
        if reply.status == reqwest::StatusCode::NOT_FOUND {
            return Ok(None);
        }
        Ok(jsonrpc::result(reply, "version_info", None, credentials)?
            .get("server_version_info")
            .cloned())
    })
    .await?;
    let info = match info {
        Some(info) => Some(info),
        None => {
            logged("web", "version", 0, async |status| {
                let reply = exchange::send(
                    http.get(credentials.address("/web/version")?),
                    limits,
                    status,
                )
                .await?;
                match (reply.of_gateway(), &reply.json) {
                    (Some(error), _) => Err(error),
                    (None, Some(json)) if reply.status == reqwest::StatusCode::OK => {
                        Ok(json.get("version_info").cloned())
                    }
                    (None, _) => Err(reply.by_status()),
                }
            })
            .await?
        }
    };
    let major = info
        .as_ref()
        .and_then(Json::as_array)
        .and_then(|parts| parts.first())
        .cloned();
    match major
        .as_ref()
        .and_then(Json::as_i64)
        .and_then(Version::of_major)
    {
        Some(version) => Ok(version),
        // An intermediate version of Odoo's own hosting calls itself `saas~18`.
        None => Err(Error::configuration(format!(
            "Odoo 17, 18, 19 or later is needed; this server says {}",
            major.unwrap_or(Json::Null)
        ))),
    }
}

/// Runs a call and writes its line into the log: never a body, which holds documents and the key.
async fn logged<T>(
    model: &str,
    method: &str,
    ids: usize,
    call: impl AsyncFnOnce(&mut Option<u16>) -> Result<T, Error>,
) -> Result<T, Error> {
    let started = Instant::now();
    let mut status = None;
    let result = call(&mut status).await;
    let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let outcome = match &result {
        Ok(_) => "ok",
        Err(error) => match error.class() {
            Class::Retryable => "retryable",
            Class::BusinessException(_) => "refused",
            Class::Defect => "defect",
        },
    };
    tracing::debug!(
        odoo.model = model,
        odoo.method = method,
        odoo.ids = ids,
        http.status = status,
        duration_ms,
        outcome,
        "Called {model}.{method}"
    );
    result
}
