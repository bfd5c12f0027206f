//! `/_sandbox/...`: faults, the calls so far, the records as they are.

use hyper::Method;
use hyper::body::Bytes;
use hyper::http::request::Parts;
use serde_json::json;

use super::{Answer, Server};
use crate::faults::Fault;

pub(super) fn handle(head: &Parts, body: &Bytes, server: &Server) -> Answer {
    let path = head.uri.path().trim_start_matches("/_sandbox/");
    match (&head.method, path) {
        (&Method::POST, "faults") => match serde_json::from_slice::<Fault>(body) {
            Ok(fault) => {
                server.faults.add(fault);
                Answer::json(200, &json!(server.faults.list()))
            }
            Err(error) => Answer::json(400, &json!({"error": error.to_string()})),
        },
        (&Method::GET, "faults") => Answer::json(200, &json!(server.faults.list())),
        (&Method::DELETE, "faults") => {
            server.faults.clear();
            Answer::json(200, &json!([]))
        }
        (&Method::GET, "calls") => Answer::json(200, &json!(server.journal.list())),
        (&Method::DELETE, "calls") => {
            server.journal.reset();
            Answer::json(200, &json!([]))
        }
        (&Method::GET, path) => match path.strip_prefix("records/") {
            Some(model) => match server.engine.dump(model) {
                Ok(records) => Answer::json(200, &records),
                Err(error) => Answer::json(404, &json!({"error": error.to_string()})),
            },
            None => Answer::json(404, &json!({"error": "faults, calls, records/<model>"})),
        },
        _ => Answer::json(405, &json!({"error": "not for this method"})),
    }
}
