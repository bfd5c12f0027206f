//! The routes of the API.

use interplant_domain::identifier::{LifecycleId, PlantCode};
use interplant_domain::json::Json;
use interplant_domain::plant::Plant;
use interplant_mapping::contract::Contract;
use interplant_mapping::event::{EVENT_BYTES, event};
use interplant_runtime::Context;
use interplant_runtime::inbox::Row;
use interplant_runtime::intake::{Accepted, NotTaken, accept};
use interplant_runtime::store::transport_key;
use lambda_http::http::{Method, StatusCode, header, request::Parts};
use lambda_http::request::RequestContext;
use lambda_http::{Body, Request, RequestExt, Response};
use serde::Serialize;
use serde_json::{Value, json};

use crate::files;
use crate::openapi;
use crate::outbox;
use crate::problem::Problem;
use crate::read::{self, BATCH_BYTES, BATCH_EVENTS};
use crate::request::{sender, text, unavailable};

/// The API with what it needs.
pub(crate) struct Api {
    context: Context,
    contract: Contract,
}

/// An answer before it is bytes.
struct Answer {
    status: StatusCode,
    body: Value,
    replayed: bool,
}

impl Api {
    pub(crate) fn new(context: Context) -> Result<Self, String> {
        Ok(Self {
            context,
            contract: Contract::new()?,
        })
    }

    pub(crate) async fn answer(&self, request: Request) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let outcome = self.route(&parts, body.as_ref()).await;
        let trace = parts.request_context_ref().and_then(|context| {
            if let RequestContext::ApiGatewayV2(context) = context {
                context.request_id.clone()
            } else {
                None
            }
        });
        respond(outcome, trace.as_deref())
    }

    async fn route(&self, parts: &Parts, body: &[u8]) -> Result<Answer, Problem> {
        let path = parts.raw_http_path();
        let Some(resource) = path.strip_prefix("/v1/") else {
            return Err(not_found());
        };
        match (&parts.method, resource) {
            (&Method::GET, "openapi.json") => Ok(ok(openapi::document())),
            (&Method::POST, "files") => self.announce(parts, body).await,
            (&Method::GET, "outbox") => self.outbox(parts, body).await,
            (&Method::POST, "outbox/acknowledgements") => self.acknowledge(parts, body).await,
            (&Method::POST, "events") => self.events(parts, body).await,
            (&Method::GET, "events") => self.event_by_sender_id(parts, body).await,
            (&Method::GET, resource) => match resource.split_once('/') {
                Some(("events", id)) => self.event(parts, body, id).await,
                Some(("files", id)) => self.file(parts, body, id).await,
                Some(("lifecycles", id)) => self.lifecycle(parts, body, id).await,
                Some(_) | None => Err(not_found()),
            },
            (_, "events" | "files" | "openapi.json" | "outbox" | "outbox/acknowledgements") => {
                Err(method_not_allowed())
            }
            (_, resource)
                if ["events/", "files/", "lifecycles/"]
                    .iter()
                    .any(|known| resource.starts_with(known)) =>
            {
                Err(method_not_allowed())
            }
            _ => Err(not_found()),
        }
    }

    async fn plant(&self, code: &PlantCode) -> Result<Plant, Problem> {
        let plant = self
            .context
            .plants
            .read(code)
            .await
            .map_err(|error| unavailable(&error))?;
        plant.ok_or_else(|| Problem::new(StatusCode::SERVICE_UNAVAILABLE, "plant_not_published", format!("Plant {code} has keys but no published configuration; ask the integration engineer.")))
    }

    async fn events(&self, parts: &Parts, body: &[u8]) -> Result<Answer, Problem> {
        if body.len() > BATCH_BYTES {
            return Err(too_large());
        }
        let plant = sender(&self.context, parts, body).await?;
        if text(&parts.headers, "content-encoding").is_some_and(|encoding| encoding != "identity") {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "encoding_not_accepted",
                "Send the body as it is, without Content-Encoding.",
            ));
        }
        let media_type = text(&parts.headers, "content-type")
            .and_then(|value| value.split(';').next())
            .map(str::trim)
            .unwrap_or_default();
        match media_type.to_ascii_lowercase().as_str() {
            "application/cloudevents+json" => self.single(&self.plant(&plant).await?, body).await,
            "application/cloudevents-batch+json" => {
                self.batch(&self.plant(&plant).await?, body).await
            }
            _ => Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "Send one event as application/cloudevents+json, or a batch as application/cloudevents-batch+json.",
            )),
        }
    }

    async fn single(&self, plant: &Plant, body: &[u8]) -> Result<Answer, Problem> {
        if body.len() > EVENT_BYTES {
            return Err(too_large());
        }
        let Accepted { receipt, replayed } = self.take(plant, read::json(body)?).await?;
        Ok(Answer {
            status: if replayed {
                StatusCode::OK
            } else {
                StatusCode::ACCEPTED
            },
            body: to_value(&receipt),
            replayed,
        })
    }

    async fn take(&self, plant: &Plant, json: Json) -> Result<Accepted, Problem> {
        let event = event(&self.contract, &plant.plant, json)?;
        accept(&self.context, plant, &event)
            .await
            .map_err(|error| match error {
                NotTaken::Refused(refusal) => refusal.into(),
                NotTaken::Store(error) => unavailable(&error),
            })
    }

    async fn batch(&self, plant: &Plant, body: &[u8]) -> Result<Answer, Problem> {
        let Json::Array(events) = read::json(body)? else {
            return Err(Problem::new(
                StatusCode::BAD_REQUEST,
                "invalid_batch",
                "A batch is a JSON array of events.",
            ));
        };
        if events.len() > BATCH_EVENTS {
            return Err(too_large());
        }
        let mut results = Vec::with_capacity(events.len());
        let mut all_accepted = true;
        for (index, event) in events.into_iter().enumerate() {
            // Every answer names its event, also when that cannot be read.
            let named = |key: &str| {
                event
                    .get(key)
                    .and_then(|value| value.as_str())
                    .map(str::to_owned)
            };
            let (source, id) = (named("source"), named("id"));
            let size = event.to_string().len();
            let outcome = if size > EVENT_BYTES {
                Err(too_large())
            } else {
                self.take(plant, event).await
            };
            let mut result = json!({"index": index, "source": source, "id": id});
            let fields = match outcome {
                Ok(accepted) => {
                    all_accepted &= accepted.receipt.status == "accepted" && !accepted.replayed;
                    let mut fields = to_value(&accepted.receipt);
                    if accepted.replayed
                        && let Some(fields) = fields.as_object_mut()
                    {
                        fields.insert("status".to_owned(), json!("duplicate"));
                    }
                    fields
                }
                Err(problem) => {
                    all_accepted = false;
                    json!({"status": "rejected", "problem": problem})
                }
            };
            if let (Some(result), Value::Object(fields)) = (result.as_object_mut(), fields) {
                result.extend(fields);
            }
            results.push(result);
        }
        // When nothing could be stored, the sender must send the batch again: say so with the status.
        let stored_none = !results.is_empty()
            && results
                .iter()
                .all(|result| result.pointer("/problem/status") == Some(&json!(503)));
        if stored_none {
            return Err(Problem::unavailable());
        }
        Ok(Answer {
            status: if all_accepted {
                StatusCode::ACCEPTED
            } else {
                StatusCode::OK
            },
            body: Value::Array(results),
            replayed: false,
        })
    }

    async fn event_by_sender_id(&self, parts: &Parts, body: &[u8]) -> Result<Answer, Problem> {
        let plant = sender(&self.context, parts, body).await?;
        let query = parts.query_string_parameters_ref();
        let named = |name: &str| {
            query
                .and_then(|query| query.first(name))
                .filter(|value| !value.is_empty())
        };
        let (Some(source), Some(id)) = (named("source"), named("id")) else {
            return Err(Problem::new(
                StatusCode::BAD_REQUEST,
                "missing_parameter",
                "Name the event by ?source=…&id=…, as you sent them.",
            ));
        };
        let row = self
            .context
            .inbox
            .by_key(&transport_key(source, id))
            .await
            .map_err(|error| unavailable(&error))?;
        self.fate(&plant, row).await
    }

    async fn event(&self, parts: &Parts, body: &[u8], id: &str) -> Result<Answer, Problem> {
        let plant = sender(&self.context, parts, body).await?;
        let row = match id.parse() {
            Ok(id) => self
                .context
                .inbox
                .by_event(&id)
                .await
                .map_err(|error| unavailable(&error))?,
            Err(_) => None,
        };
        self.fate(&plant, row).await
    }

    async fn fate(&self, plant: &PlantCode, row: Option<Row>) -> Result<Answer, Problem> {
        // Another plant's is answered as one that does not exist.
        let row = row
            .filter(|row| row.plant == *plant)
            .ok_or_else(not_found)?;
        let fate = self
            .context
            .fate(&row)
            .await
            .map_err(|error| unavailable(&error))?;
        Ok(ok(to_value(&fate)))
    }

    async fn announce(&self, parts: &Parts, body: &[u8]) -> Result<Answer, Problem> {
        if body.len() > EVENT_BYTES {
            return Err(too_large());
        }
        let plant = sender(&self.context, parts, body).await?;
        let answer = files::announce(&self.context, &plant, read::json(body)?).await?;
        Ok(Answer {
            status: StatusCode::CREATED,
            body: answer,
            replayed: false,
        })
    }

    async fn file(&self, parts: &Parts, body: &[u8], id: &str) -> Result<Answer, Problem> {
        let plant = sender(&self.context, parts, body).await?;
        let fate = files::fate(&self.context, &plant, id).await?;
        fate.map(ok).ok_or_else(not_found)
    }

    async fn outbox(&self, parts: &Parts, body: &[u8]) -> Result<Answer, Problem> {
        let plant = sender(&self.context, parts, body).await?;
        let query = parts.query_string_parameters_ref();
        let named = |name: &str| query.and_then(|query| query.first(name));
        let (after, limit) = (named("after"), named("limit"));
        let list = outbox::list(&self.context, &plant, after, limit).await?;
        Ok(ok(list))
    }

    async fn acknowledge(&self, parts: &Parts, body: &[u8]) -> Result<Answer, Problem> {
        if body.len() > EVENT_BYTES {
            return Err(too_large());
        }
        let plant = sender(&self.context, parts, body).await?;
        let plant = self.plant(&plant).await?;
        let taken = outbox::take(&self.context, &plant, read::json(body)?).await?;
        Ok(ok(taken))
    }

    async fn lifecycle(&self, parts: &Parts, body: &[u8], id: &str) -> Result<Answer, Problem> {
        let plant = sender(&self.context, parts, body).await?;
        let id = LifecycleId::read(id)
            .ok()
            .filter(|id| id.plant() == &plant)
            .ok_or_else(not_found)?;
        let road = self
            .context
            .road(&id)
            .await
            .map_err(|error| unavailable(&error))?;
        let mut road = road.ok_or_else(not_found)?;
        for step in &mut road.steps {
            // Our own notes: of no use to a plant, and as long as the document itself.
            step.operation.plan = Value::Null;
        }
        Ok(ok(to_value(&road)))
    }
}

fn ok(body: Value) -> Answer {
    Answer {
        status: StatusCode::OK,
        body,
        replayed: false,
    }
}

fn to_value<T: Serialize>(value: &T) -> Value {
    // Our own answers always serialise.
    serde_json::to_value(value).unwrap_or_default()
}

fn not_found() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "not_found", "There is nothing here.")
}

fn method_not_allowed() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "This path takes another method; GET /v1/openapi.json lists them.",
    )
}

fn too_large() -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "payload_too_large",
        format!(
            "An event has at most {} KB, a batch at most {} MB and {BATCH_EVENTS} events.",
            EVENT_BYTES / 1024,
            BATCH_BYTES / 1024 / 1024
        ),
    )
}

fn respond(outcome: Result<Answer, Problem>, trace: Option<&str>) -> Response<Body> {
    let mut response = Response::new(Body::Empty);
    let content_type = match outcome {
        Ok(answer) => {
            *response.status_mut() = answer.status;
            if answer.replayed {
                response.headers_mut().insert(
                    "idempotent-replayed",
                    header::HeaderValue::from_static("true"),
                );
            }
            *response.body_mut() = Body::from(answer.body.to_string());
            "application/json"
        }
        Err(problem) => {
            *response.status_mut() = problem.status_code();
            if problem.status_code() == StatusCode::SERVICE_UNAVAILABLE {
                response
                    .headers_mut()
                    .insert(header::RETRY_AFTER, header::HeaderValue::from_static("10"));
            }
            let mut body = to_value(&problem);
            if let (Some(trace), Some(body)) = (trace, body.as_object_mut()) {
                body.insert("instance".to_owned(), json!(trace));
            }
            *response.body_mut() = Body::from(body.to_string());
            "application/problem+json"
        }
    };
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static(content_type),
    );
    response
}
