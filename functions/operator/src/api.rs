//! The operators' API: exceptions and what people decide about them. Handler `api`.
//!
//! Safe to repeat: whoever decides names the request by `Idempotency-Key`, and a request that comes again is
//! answered as the first time.

mod decide;
mod group;
mod list;
mod problem;
mod show;
mod token;

use std::collections::BTreeMap;

use base64::Engine as _;
use interplant_domain::access::{Action, Caller};
use interplant_domain::exception::Code;
use interplant_domain::identifier::{ExceptionId, LifecycleId, PlantCode};
use interplant_domain::json::{Error as JsonError, parse};
use interplant_domain::plant::Plant;
use interplant_runtime::Context;
use interplant_runtime::step::StepError;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use problem::{Answer, Problem, respond};

/// A request of people is not larger.
const BODY_BYTES: usize = 256 * 1024;

/// What API Gateway hands over of a request.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Request {
    raw_path: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    query_string_parameters: Option<BTreeMap<String, String>>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
    request_context: RequestContext,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext {
    #[serde(default)]
    request_id: Option<String>,
    http: Http,
}

#[derive(Debug, Deserialize)]
struct Http {
    method: String,
}

pub(crate) async fn handle(
    context: &Context,
    request: Request,
    _deadline: Timestamp,
) -> Result<Value, StepError> {
    let trace = request.request_context.request_id.clone();
    Ok(respond(route(context, &request).await, trace.as_deref()))
}

async fn route(context: &Context, request: &Request) -> Result<Answer, Problem> {
    let asking = Asking {
        context,
        request,
        caller: token::caller(context, &request.headers).await?,
        now: context.now(),
    };
    let path = request.raw_path.strip_prefix("/v1/").unwrap_or_default();
    match (request.request_context.http.method.as_str(), path) {
        ("GET", "me") => Ok(asking.me()),
        ("GET", "exceptions") => list::exceptions(&asking).await,
        ("GET", "exceptions/groups") => list::groups(&asking).await,
        ("GET", path) => match path.split_once('/') {
            Some(("exceptions", id)) => show::exception(&asking, id).await,
            Some(("jobs", id)) => group::job(&asking, id).await,
            Some(_) | None => Err(Problem::not_found()),
        },
        ("POST", path) => {
            let (what, id) = path.split_once('/').ok_or_else(Problem::not_found)?;
            match (what, id.rsplit_once('/')) {
                ("exceptions", Some((id, "decisions"))) => match id.strip_prefix("groups/") {
                    Some(cause) => group::decide(&asking, cause).await,
                    None => decide::exception(&asking, id).await,
                },
                ("lifecycles", Some((id, "cancellations"))) => decide::cancel(&asking, id).await,
                _ => Err(Problem::not_found()),
            }
        }
        _ => Err(Problem::new(
            405,
            "method_not_allowed",
            "This path takes another method; GET /v1/openapi.json lists them.",
        )),
    }
}

/// A request with who makes it.
pub(crate) struct Asking<'a> {
    context: &'a Context,
    request: &'a Request,
    caller: Caller,
    now: Timestamp,
}

impl Asking<'_> {
    fn me(&self) -> Answer {
        let grants: Vec<String> = self.caller.grants.iter().map(ToString::to_string).collect();
        Answer::ok(json!({"subject": self.caller.subject, "grants": grants}))
    }

    fn query(&self, name: &str) -> Option<&str> {
        let named = self.request.query_string_parameters.as_ref()?.get(name)?;
        Some(named.as_str()).filter(|value| !value.is_empty())
    }

    /// A parameter as what it should be.
    fn query_as<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, Problem> {
        let read = |text: &str| {
            text.parse().map_err(|_| {
                Problem::new(
                    400,
                    "invalid_parameter",
                    format!("The parameter `{name}` cannot be read."),
                )
            })
        };
        self.query(name).map(read).transpose()
    }

    /// What is asked for in the body, numbers as text.
    fn body<T: for<'de> Deserialize<'de>>(&self) -> Result<T, Problem> {
        let text = self.request.body.clone().unwrap_or_default();
        let bytes = if self.request.is_base64_encoded {
            let decoded = base64::engine::general_purpose::STANDARD.decode(text);
            decoded
                .map_err(|_| Problem::new(400, "invalid_encoding", "The body cannot be read."))?
        } else {
            text.into_bytes()
        };
        if bytes.len() > BODY_BYTES {
            return Err(Problem::new(
                413,
                "payload_too_large",
                format!("A request has at most {} KB.", BODY_BYTES / 1024),
            ));
        }
        let json = parse(&bytes).map_err(|error| match error {
            JsonError::Syntax {
                line,
                column,
                reason,
            } => {
                let text =
                    format!("The body is not JSON: {reason} at line {line}, column {column}.");
                Problem::new(400, "invalid_json", text).placed(line, column)
            }
            JsonError::DuplicateKey { pointer, .. } => Problem::new(
                400,
                "duplicate_key",
                "A key appears twice in one object; send it once.",
            )
            .at(pointer),
            JsonError::TooDeep { pointer } => {
                Problem::new(400, "too_deep", "The body nests too deep.").at(pointer)
            }
        })?;
        T::deserialize(&json.into_text_values())
            .map_err(|error| Problem::new(422, "invalid_request", format!("The body: {error}")))
    }

    /// The name of the request, by which a repeated one is recognised.
    fn key(&self) -> Result<String, Problem> {
        let key = self
            .request
            .headers
            .get("idempotency-key")
            .map(|key| key.trim());
        let fits = |key: &&str| {
            (1..=200).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic())
        };
        key.filter(fits).map(str::to_owned).ok_or_else(|| {
            Problem::new(
                400,
                "idempotency_key_missing",
                "Name the request by the header `Idempotency-Key`, 1 to 200 visible ASCII characters, anew for each decision.",
            )
        })
    }

    /// What belongs to a plant that the caller may not see is answered like what does not exist.
    fn may_see(&self, plant: &PlantCode) -> Result<(), Problem> {
        if self.caller.sees(plant) {
            Ok(())
        } else {
            Err(Problem::not_found())
        }
    }

    fn may(&self, action: Action, plant: &PlantCode, code: Code) -> Result<(), Problem> {
        self.may_see(plant)?;
        if self.caller.may(action, plant, code) {
            return Ok(());
        }
        Err(Problem::new(
            403,
            "forbidden",
            format!(
                "This takes the role {} in the domain {} at {plant}, or a higher one.",
                action.role(),
                code.owner().domain()
            ),
        ))
    }

    async fn plant(&self, code: &PlantCode) -> Result<Plant, Problem> {
        let plant = self.context.plants.read(code).await?;
        plant.ok_or_else(|| {
            Problem::new(
                503,
                "plant_not_published",
                format!(
                    "Plant {code} has no published configuration; ask the integration engineer."
                ),
            )
        })
    }

    /// The plants that are asked about: one that is named, or all that the caller may see.
    async fn plants(&self) -> Result<Vec<PlantCode>, Problem> {
        if let Some(plant) = self.query_as::<PlantCode>("plant")? {
            self.may_see(&plant)?;
            return Ok(vec![plant]);
        }
        Ok(match self.caller.plants() {
            Some(plants) => plants.into_iter().collect(),
            None => self.context.plants.codes().await?,
        })
    }
}

/// An exception by its address: the lifecycle and the exception's own id.
fn address(text: &str) -> Result<(LifecycleId, ExceptionId), Problem> {
    let (lifecycle, exception) = text.rsplit_once('/').ok_or_else(Problem::not_found)?;
    let lifecycle = LifecycleId::read(lifecycle).map_err(|_| Problem::not_found())?;
    let exception = exception.parse().map_err(|_| Problem::not_found())?;
    Ok((lifecycle, exception))
}
