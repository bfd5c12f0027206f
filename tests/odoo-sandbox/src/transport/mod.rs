//! HTTP: accepts connections, routes requests, and plays broken connections.
//!
//! Like the threaded server of Odoo it closes the connection after each answer.

mod control;
mod json2;
mod jsonrpc;

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value as Json, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};

use crate::arguments::Call;
use crate::clock::stamp;
use crate::engine::{Engine, Hold};
use crate::error::{Class, Error, Result};
use crate::faults::{Effect, FaultKind, Faults, Hit};
use crate::journal::Journal;
use crate::version::Version;

/// Who may log in.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) login: String,
    pub(crate) key: String,
    pub(crate) user: i64,
}

/// Everything a request can reach.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) engine: Engine,
    pub(crate) faults: Faults,
    pub(crate) journal: Journal,
    pub(crate) database: String,
    pub(crate) accounts: Vec<Account>,
    /// How long every call takes between its work and its commit.
    pub(crate) call_duration: Duration,
}

/// An answer, or a connection that breaks.
#[derive(Debug)]
pub(crate) enum Reply {
    Answer(Answer),
    /// No answer: closed, or reset.
    Broken {
        reset: bool,
    },
}

#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    content: &'static str,
    body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(status: u16, body: &Json) -> Self {
        Self {
            status,
            content: "application/json; charset=utf-8",
            body: body.to_string().into_bytes(),
        }
    }

    pub(crate) fn html(status: u16, body: &str) -> Self {
        Self {
            status,
            content: "text/html; charset=utf-8",
            body: body.as_bytes().to_vec(),
        }
    }

    /// The page a status has in Odoo.
    pub(crate) fn page(status: u16, title: &str, text: &str) -> Self {
        Self::html(
            status,
            &format!(
                "<!doctype html>\n<html lang=en>\n<title>{status} {title}</title>\n<h1>{title}</h1>\n<p>{text}</p>\n"
            ),
        )
    }

    fn truncated(mut self) -> Self {
        self.body.truncate(self.body.len() / 2);
        self
    }
}

/// Serves until the listener's task is dropped.
#[expect(
    clippy::disallowed_methods,
    reason = "a server has a task per connection; nothing here runs in a Lambda"
)]
pub(crate) async fn serve(listener: TcpListener, server: Arc<Server>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        let server = Arc::clone(&server);
        tokio::spawn(connection(stream, server));
    }
}

type Served =
    Pin<Box<dyn Future<Output = std::result::Result<Response<Full<Bytes>>, Broken>> + Send>>;

/// The connection ends here, without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is broken on purpose")]
struct Broken {
    reset: bool,
}

async fn connection(stream: TcpStream, server: Arc<Server>) {
    let service = service_fn(move |request: Request<Incoming>| -> Served {
        Box::pin(respond(request, Arc::clone(&server)))
    });
    let mut http = hyper::server::conn::http1::Builder::new();
    http.keep_alive(false);
    let mut serving = http.serve_connection(TokioIo::new(stream), service);
    let ended = poll_fn(|cx| serving.poll_without_shutdown(cx)).await;
    let mut stream = serving.into_parts().io.into_inner();
    let broken = ended.err().and_then(|error| {
        std::error::Error::source(&error)
            .and_then(|cause| cause.downcast_ref::<Broken>().map(|broken| broken.reset))
    });
    // A client that has gone already is nobody's problem.
    match broken {
        Some(true) => drop(stream.set_zero_linger()),
        Some(false) | None => drop(stream.shutdown().await),
    }
}

async fn respond(
    request: Request<Incoming>,
    server: Arc<Server>,
) -> std::result::Result<Response<Full<Bytes>>, Broken> {
    match route(request, server).await {
        Reply::Answer(answer) => {
            let mut response = Response::new(Full::new(Bytes::from(answer.body)));
            *response.status_mut() =
                StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            response
                .headers_mut()
                .insert(CONTENT_TYPE, HeaderValue::from_static(answer.content));
            Ok(response)
        }
        Reply::Broken { reset } => Err(Broken { reset }),
    }
}

async fn route(request: Request<Incoming>, server: Arc<Server>) -> Reply {
    let (head, body) = request.into_parts();
    let Ok(body) = body
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes)
    else {
        return Reply::Broken { reset: false };
    };
    let path = head.uri.path().to_owned();
    let version = server.engine.version;
    let answer = match path.as_str() {
        "/jsonrpc" => return jsonrpc::handle(&head, &body, &server).await,
        "/web/version" if version.has_json2() => Answer::json(
            200,
            &json!({"version_info": version_info(version), "version": version.series()}),
        ),
        "/web/webclient/version_info" => {
            let id = serde_json::from_slice::<Json>(&body)
                .ok()
                .and_then(|body| body.get("id").cloned())
                .unwrap_or_default();
            Answer::json(
                200,
                &json!({"jsonrpc": "2.0", "id": id, "result": server_version(version)}),
            )
        }
        "/web/health" => Answer::json(200, &json!({"status": "pass"})),
        path if path.starts_with("/_sandbox/") => control::handle(&head, &body, &server),
        path if path.starts_with("/json/2/") && version.has_json2() => {
            return json2::handle(&head, &body, &server).await;
        }
        _ => Answer::html(
            404,
            "<!DOCTYPE html>\n<html>\n<head><title>Odoo</title></head>\n<body><h1>404: Page not found!</h1></body>\n</html>\n",
        ),
    };
    Reply::Answer(answer)
}

fn version_info(version: Version) -> Json {
    json!([version.major(), 0, 0, "final", 0, ""])
}

fn server_version(version: Version) -> Json {
    json!({
        "server_version": version.series(),
        "server_version_info": version_info(version),
        "server_serie": version.series(),
        "protocol_version": 1,
    })
}

/// What every raised error looks like in a body.
fn error_body(error: &Error) -> Json {
    let arguments = if error.class.name().starts_with("werkzeug") {
        json!([error.message, error.class.status()])
    } else {
        json!([error.message])
    };
    json!({
        "name": error.class.name(),
        "message": error.message,
        "arguments": arguments,
        "context": {},
        "debug": format!("Traceback (most recent call last):\n  (sandbox)\n{}: {}\n", error.class.name(), error.message),
    })
}

/// A call from the moment it is understood: faults, work, answer.
///
/// The work runs in a task of its own, so that it is finished even when the client has gone.
#[expect(
    clippy::disallowed_methods,
    reason = "Odoo finishes a call whose client has gone; so does this task"
)]
async fn carry_out(
    server: &Arc<Server>,
    user: i64,
    call: Call,
    shape: fn(&Server, Result<Json>, &Json) -> Answer,
    id: Json,
) -> Reply {
    let seq = server.journal.began(
        stamp(server.engine.clock.now()),
        &call.model,
        &call.method,
        &call.ids,
    );
    let hit = server.faults.hit(&call.model, &call.method);
    let server = Arc::clone(server);
    let task = tokio::spawn(async move {
        let reply = work(&server, user, &call, hit.as_ref(), shape, &id, seq).await;
        if let Reply::Broken { .. } = reply {
            server.journal.ended(
                seq,
                0,
                hit.as_ref().map(|hit| format!("{:?}", hit.fault.kind)),
            );
        }
        reply
    });
    task.await.unwrap_or(Reply::Broken { reset: false })
}

async fn work(
    server: &Server,
    user: i64,
    call: &Call,
    hit: Option<&Hit>,
    shape: fn(&Server, Result<Json>, &Json) -> Answer,
    id: &Json,
    seq: u64,
) -> Reply {
    let kind = hit.map(|hit| hit.fault.kind);
    let named = |answer: Answer| {
        server
            .journal
            .ended(seq, answer.status, kind.map(|kind| format!("{kind:?}")));
        Reply::Answer(answer)
    };
    match (kind, hit) {
        (Some(FaultKind::Refuse), _) => return Reply::Broken { reset: false },
        (Some(FaultKind::Status), Some(hit)) => {
            let status = hit.fault.status.unwrap_or(502);
            let title = StatusCode::from_u16(status)
                .ok()
                .and_then(|status| status.canonical_reason())
                .unwrap_or("Error");
            return named(Answer::page(
                status,
                title,
                "The server could not be reached.",
            ));
        }
        (Some(FaultKind::Html), _) => {
            return named(Answer::html(
                200,
                "<!DOCTYPE html>\n<html>\n<head><title>Odoo</title></head>\n<body><form class=\"oe_login_form\" action=\"/web/login\" \
                 method=\"post\"></form></body>\n</html>\n",
            ));
        }
        _ => {}
    }
    let mut hold = Hold {
        meeting: hit.and_then(|hit| hit.meeting.clone()),
        delay: server.call_duration,
    };
    let delay = hit.filter(|hit| hit.fault.kind == FaultKind::Delay);
    if let Some(hit) = delay.filter(|hit| hit.fault.effect == Effect::Late) {
        hold.delay += hit.fault.delay();
    }
    let result = server.engine.execute(user, call, hold).await;
    if let Some(hit) = delay.filter(|hit| hit.fault.effect == Effect::Now) {
        crate::engine::wait(Hold {
            meeting: None,
            delay: hit.fault.delay(),
        })
        .await;
    }
    let outcome = result
        .as_ref()
        .err()
        .map(|error| error.class.name().to_owned());
    let answer = shape(server, result, id);
    server.journal.ended(
        seq,
        answer.status,
        outcome.or_else(|| kind.map(|kind| format!("{kind:?}"))),
    );
    match kind {
        Some(FaultKind::DropAnswer) => Reply::Broken { reset: true },
        Some(FaultKind::Truncate) => Reply::Answer(answer.truncated()),
        _ => Reply::Answer(answer),
    }
}

/// A parse error as Python words it: 1-based line and column, 0-based position.
fn json_error(body: &[u8], error: &serde_json::Error) -> Error {
    let text = String::from_utf8_lossy(body);
    let position = text
        .lines()
        .take(error.line().saturating_sub(1))
        .map(|line| line.len() + 1)
        .sum::<usize>()
        + error.column();
    Error::new(
        Class::BadRequest,
        format!(
            "could not parse the body as json: Expecting value: line {} column {} (char {position})",
            error.line(),
            error.column() + 1
        ),
    )
}
