//! The OpenAPI document, generated from the types that the code itself reads and writes.

mod operators;

use interplant_domain::fact::FactKind;
use serde_json::{Map, Value, json};

use interplant_mapping::contract::{envelope_schema, fact_schema};
use interplant_mapping::event::EVENT_BYTES;

use crate::outbox::MOST;
use crate::read::BATCH_EVENTS;

/// The document that `GET /v1/openapi.json` answers.
pub(crate) fn document() -> Value {
    let mut schemas = Map::new();
    let mut kinds = Vec::new();
    for kind in FactKind::ALL
        .iter()
        .copied()
        .filter(|kind| kind.is_sent_by_plants())
    {
        let name = kind.event_type().replace('.', "_");
        let mut data = fact_schema(kind).to_value();
        hoist(&mut data, &mut schemas);
        schemas.insert(format!("{name}_data"), data);
        let event = json!({
            "allOf": [
                {"$ref": "#/components/schemas/envelope"},
                {"properties": {"type": {"const": kind.event_type()}, "data": {"$ref": format!("#/components/schemas/{name}_data")}}}
            ]
        });
        schemas.insert(name.clone(), event);
        kinds.push(json!({"$ref": format!("#/components/schemas/{name}")}));
    }
    let mut envelope = envelope_schema().to_value();
    hoist(&mut envelope, &mut schemas);
    schemas.insert("envelope".to_owned(), envelope);
    schemas.insert("event".to_owned(), json!({"oneOf": kinds}));
    schemas.insert(
        "problem".to_owned(),
        json!({"type": "object", "required": ["type", "code", "status", "title"], "properties": {
            "type": {"type": "string"}, "code": {"type": "string"}, "status": {"type": "integer"}, "title": {"type": "string"},
            "pointer": {"type": "string", "description": "JSON pointer of the place"}, "line": {"type": "integer"}, "column": {"type": "integer"},
            "instance": {"type": "string"}, "errors": {"type": "array", "items": {"type": "object"}}
        }}),
    );
    schemas.insert(
        "receipt".to_owned(),
        json!({"type": "object", "required": ["status", "event", "lifecycle", "received_at"], "properties": {
            "status": {"enum": ["accepted", "duplicate_of", "held"]}, "event": {"type": "string"}, "lifecycle": {"type": "string"},
            "duplicate_of": {"type": "string"}, "exception": {"type": "string"}, "received_at": {"type": "string", "format": "date-time"}
        }}),
    );
    schemas.insert(
        "outbox".to_owned(),
        json!({"type": "object", "required": ["entries", "next", "more"], "properties": {
            "entries": {"type": "array", "items": {"type": "object", "required": ["position", "event_id", "document", "type", "version", "offered_at", "event"], "properties": {
                "position": {"type": "integer"}, "event_id": {"type": "string"}, "document": {"type": "string"}, "type": {"type": "string"},
                "version": {"type": "integer"}, "offered_at": {"type": "string", "format": "date-time"}, "event": {"type": "object"},
                "files": {"type": "array", "description": "The plant's own files, made of the event.", "items": {"type": "object", "required": ["out", "name", "file_url"], "properties": {
                    "out": {"type": "string"}, "name": {"type": "string"}, "file_url": {"type": "string", "description": "to be fetched by GET within an hour"}
                }}},
                "file_problem": {"type": "string", "description": "why a file could not be made; it comes when the configuration is mended"}
            }}},
            "next": {"type": "integer"}, "more": {"type": "boolean"}
        }}),
    );
    let status = json!({"enum": ["applied", "refused"]});
    let reason = json!({"type": "string", "minLength": 1, "maxLength": 500, "description": "why, with the status refused"});
    let position = json!({"type": "integer", "minimum": 1});
    schemas.insert(
        "acknowledgements".to_owned(),
        json!({"oneOf": [
            {"type": "object", "additionalProperties": false, "required": ["positions"], "properties": {
                "positions": {"type": "array", "maxItems": MOST, "items": position}, "status": status, "reason": reason
            }},
            {"type": "object", "additionalProperties": false, "required": ["upTo"], "properties": {"upTo": position, "status": {"const": "applied"}}},
            {"type": "object", "additionalProperties": false, "required": ["entries"], "properties": {
                "entries": {"type": "array", "maxItems": MOST, "items": {"type": "object", "additionalProperties": false, "required": ["position"], "properties": {
                    "position": position, "status": status, "reason": reason
                }}}
            }}
        ]}),
    );
    let problem = |text: &str| json!({"description": text, "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/problem"}}}});
    let found = |text: &str| json!({"description": text, "content": {"application/json": {"schema": {"type": "object"}}}});
    let look_up = |summary: &str, parameters: Value| {
        json!({"get": {"summary": summary, "parameters": parameters, "responses": {
            "200": found("What is known."), "401": problem("Not signed, or not by this plant."), "404": problem("Unknown, or another plant's.")
        }}})
    };
    let parameter = |name: &str, place: &str| json!({"name": name, "in": place, "required": true, "schema": {"type": "string"}});
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Interplant",
            "version": env!("CARGO_PKG_VERSION"),
            "description": format!(
                "Plants send business facts as CloudEvents. Every request is signed by the Standard Webhooks scheme (headers webhook-id, webhook-timestamp, webhook-signature over `id.timestamp.body`) and names its plant in the header interplant-plant; a request without a body signs `METHOD path?query`. An event has at most {} KB, a batch at most {BATCH_EVENTS} events.",
                EVENT_BYTES / 1024
            ),
        },
        "paths": {
            "/v1/events": {
                "post": {
                    "summary": "Take one event or a batch. 202 means durable.",
                    "requestBody": {"required": true, "content": {
                        "application/cloudevents+json": {"schema": {"$ref": "#/components/schemas/event"}},
                        "application/cloudevents-batch+json": {"schema": {"type": "array", "maxItems": BATCH_EVENTS, "items": {"$ref": "#/components/schemas/event"}}}
                    }},
                    "responses": {
                        "202": {"description": "Durable. A batch: every event was accepted.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/receipt"}}}},
                        "200": {"description": "The same event came before (Idempotent-Replayed: true), or a batch with one result per event.", "content": {"application/json": {"schema": {}}}},
                        "400": problem("Not JSON, a repeated key, or nested too deep."),
                        "401": problem("Not signed, or not by this plant."),
                        "403": problem("The event names another plant."),
                        "413": problem("Too large."),
                        "415": problem("Not a CloudEvents media type."),
                        "422": problem("The event is not what it says it is; the pointer shows where."),
                        "503": problem("Nothing was stored; send it again after Retry-After seconds.")
                    }
                },
                "get": look_up("The fate of an event, by the sender's own names.", json!([parameter("source", "query"), parameter("id", "query")])).pointer("/get").cloned().unwrap_or_default()
            },
            "/v1/events/{id}": look_up("The fate of an event, by our id.", json!([parameter("id", "path")])),
            "/v1/files": {
                "post": {
                    "summary": "Announce files that a feed reads together; the answer says where to upload each. They are read when the last one is there.",
                    "requestBody": {"required": true, "content": {"application/json": {"schema": {
                        "type": "object", "additionalProperties": false, "required": ["feed", "files"],
                        "properties": {
                            "feed": {"type": "string"},
                            "files": {"type": "array", "items": {
                                "type": "object", "additionalProperties": false, "required": ["name", "bytes"],
                                "properties": {"name": {"type": "string", "minLength": 1, "maxLength": 200}, "bytes": {"type": "integer", "minimum": 0}, "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"}}
                            }}
                        }
                    }}}},
                    "responses": {
                        "201": {"description": "Where to upload each file, by PUT, within an hour; and the id to ask by.", "content": {"application/json": {"schema": {}}}},
                        "400": problem("Not JSON, a repeated key, or nested too deep."),
                        "401": problem("Not signed, or not by this plant."),
                        "413": problem("Too large."),
                        "422": problem("No such feed, a file that it does not take, or one that is missing."),
                        "503": problem("Nothing was stored; send it again after Retry-After seconds.")
                    }
                }
            },
            "/v1/files/{id}": look_up("How far files are read, and what became of their facts.", json!([parameter("id", "path")])),
            "/v1/outbox": {
                "get": {
                    "summary": "What the plant is to be told and has not taken, in order. An entry stays until it is acknowledged, or a newer version of its document takes its place.",
                    "parameters": [
                        {"name": "after", "in": "query", "description": "Only entries behind this position.", "schema": {"type": "integer", "minimum": 0}},
                        {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": MOST}}
                    ],
                    "responses": {
                        "200": {"description": "At most `limit` entries or 1 MB. `next` is the position to ask behind, `more` whether there is anything.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/outbox"}}}},
                        "400": problem("A parameter is no number."),
                        "401": problem("Not signed, or not by this plant.")
                    }
                }
            },
            "/v1/outbox/acknowledgements": {
                "post": {
                    "summary": "What the plant has done with entries. 200 means durable; it may be sent again.",
                    "requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/acknowledgements"}}}},
                    "responses": {
                        "200": {"description": "The state of each entry now. `more`: `upTo` settled as many as one request can, send it again.", "content": {"application/json": {"schema": {"type": "object"}}}},
                        "400": problem("Not JSON, a repeated key, or nested too deep."),
                        "401": problem("Not signed, or not by this plant."),
                        "422": problem("Not a list of positions, a position, or entries with a status; or a refusal without a reason."),
                        "503": problem("Not all of it was stored; send it again after Retry-After seconds.")
                    }
                }
            },
            "/v1/lifecycles/{id}": look_up("The road of a lifecycle, such as po/plant-b/4711: facts, steps, waits, exceptions.", json!([parameter("id", "path")])),
            "/v1/odoo/{database}/hint/{token}": {"post": {
                "summary": "Odoo's webhook: something has changed there. Not signed, and its body is not looked at; what has changed is read.",
                "security": [], "parameters": [parameter("database", "path"), parameter("token", "path")],
                "responses": {"202": found("It is read in a few seconds."), "404": problem("Unknown, or a wrong token.")}
            }},
            "/v1/openapi.json": {"get": {"summary": "This document.", "security": [], "responses": {"200": found("OpenAPI 3.1.")}}}
        },
        "components": {"schemas": schemas, "securitySchemes": operators::security()}
    });
    if let Some(paths) = document
        .pointer_mut("/paths")
        .and_then(Value::as_object_mut)
    {
        paths.extend(operators::paths());
    }
    document
}

/// Moves a schema's own definitions to the components, and its references along.
fn hoist(schema: &mut Value, components: &mut Map<String, Value>) {
    if let Some(Value::Object(definitions)) = schema
        .as_object_mut()
        .and_then(|object| object.remove("$defs"))
    {
        for (name, mut definition) in definitions {
            redirect(&mut definition);
            components.insert(name, definition);
        }
    }
    redirect(schema);
}

fn redirect(value: &mut Value) {
    match value {
        Value::Object(object) => {
            if let Some(Value::String(reference)) = object.get_mut("$ref") {
                *reference = reference.replace("#/$defs/", "#/components/schemas/");
            }
            object.values_mut().for_each(redirect);
        }
        Value::Array(items) => items.iter_mut().for_each(redirect),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(object) => {
                found.extend(
                    object
                        .get("$ref")
                        .and_then(Value::as_str)
                        .map(str::to_owned),
                );
                object.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| references(value, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    #[test]
    fn every_reference_leads_somewhere_and_every_fact_is_there() {
        let document = document();
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(found.len() > 20, "{found:?}");
        for reference in found {
            assert!(
                document
                    .pointer(reference.trim_start_matches('#'))
                    .is_some(),
                "{reference}"
            );
        }
        for kind in FactKind::ALL
            .iter()
            .copied()
            .filter(|kind| kind.is_sent_by_plants())
        {
            assert!(document.to_string().contains(kind.event_type()));
        }
    }
}
