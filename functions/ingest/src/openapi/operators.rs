//! The part of the document that is for people: exceptions and decisions, by a token instead of a signature.

use serde_json::{Map, Value, json};

/// The paths of the operators' API.
pub(super) fn paths() -> Map<String, Value> {
    let id = json!({"name": "id", "in": "path", "required": true, "description": "The lifecycle and the exception's own id, such as po/plant-b/4711/exc_1f3a9c02de.", "schema": {"type": "string"}});
    let filters = json!([
        query(
            "plant",
            "Only this plant; all that you may see when left out."
        ),
        query("owner", "Only this owner."),
        query("code", "Only this code, such as UNKNOWN_ITEM."),
        query(
            "domain",
            "procurement, production, quality, finance or data."
        ),
        query("cause", "Only this cause, as the groups name it."),
        query("due_before", "Only what is due before this moment."),
        query("overdue", "`true`: only what is past its due time.")
    ]);
    let mut listed = filters.clone();
    if let Some(listed) = listed.as_array_mut() {
        listed.push(query("after", "The `next` of the page before."));
        listed.push(json!({"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 200}}));
    }
    let key = json!({"name": "Idempotency-Key", "in": "header", "required": true, "description": "Names the request: the same again is answered as the first time.", "schema": {"type": "string", "maxLength": 200}});
    let decision = json!({"type": "object", "additionalProperties": false, "required": ["decision", "revision", "note"], "properties": {
        "decision": {"enum": ["retry", "accept", "skip", "assign", "amend", "approve", "turn-down"]},
        "revision": {"type": "integer", "description": "The lifecycle's revision that you saw."},
        "note": {"type": "string", "maxLength": 400}, "to": {"type": "string", "description": "to whom, of an assignment"},
        "changes": {"type": "array", "maxItems": 100, "items": {"type": "object", "additionalProperties": false, "required": ["pointer"], "properties": {
            "pointer": {"type": "string", "description": "JSON pointer inside the fact's data"}, "value": {"description": "what stands there then; null takes it out"}
        }}}
    }});
    let of_group = json!({"type": "object", "additionalProperties": false, "required": ["decision", "note"], "properties": {
        "decision": {"enum": ["retry", "skip"]}, "note": {"type": "string", "maxLength": 400}
    }});
    let cancellation = json!({"type": "object", "additionalProperties": false, "required": ["revision", "note"], "properties": {
        "revision": {"type": "integer"}, "note": {"type": "string", "maxLength": 400}
    }});
    let lifecycle =
        json!({"name": "id", "in": "path", "required": true, "schema": {"type": "string"}});
    let cause =
        json!({"name": "cause", "in": "path", "required": true, "schema": {"type": "string"}});
    let paths = json!({
        "/v1/me": get("Who you are, and what your token grants.", json!([])),
        "/v1/exceptions": get("The open exceptions, what is due first first.", listed),
        "/v1/exceptions/groups": get("The same by cause: how many, since when, whose, how much is at risk.", filters),
        "/v1/exceptions/{id}": get("One with its fact, the order's lines, the match, and what you may decide. Prices are for those who buy or pay, accounts for those who pay.", json!([id])),
        "/v1/exceptions/{id}/decisions": post("Decides, once. 202: it waits for a second person.", json!([id, key]), decision),
        "/v1/exceptions/groups/{cause}/decisions": post("Decides all of one cause, by a job.", json!([cause, key]), of_group),
        "/v1/lifecycles/{id}/cancellations": post("Stops following a document; what Odoo holds stays as it is.", json!([lifecycle, key]), cancellation),
        "/v1/jobs/{id}": get("How far a decision about a group is.", json!([lifecycle]))
    });
    match paths {
        Value::Object(paths) => paths,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Map::new()
        }
    }
}

/// How people say who they are.
pub(super) fn security() -> Value {
    json!({"operator": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "A token of the organisation's own issuer (RS256, ES256 or EdDSA)."}})
}

fn query(name: &str, what: &str) -> Value {
    json!({"name": name, "in": "query", "description": what, "schema": {"type": "string"}})
}

fn problem(text: &str) -> Value {
    json!({"description": text, "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/problem"}}}})
}

fn found(text: &str) -> Value {
    json!({"description": text, "content": {"application/json": {"schema": {"type": "object"}}}})
}

fn get(summary: &str, parameters: Value) -> Value {
    json!({"get": {"summary": summary, "security": [{"operator": []}], "parameters": parameters, "responses": {
        "200": found("What is known."), "400": problem("A parameter cannot be read."), "401": problem("No token, or not a valid one."),
        "403": problem("Your role does not have this right."), "404": problem("Unknown, or of a plant that you may not see.")
    }}})
}

fn post(summary: &str, parameters: Value, body: Value) -> Value {
    json!({"post": {
        "summary": summary, "security": [{"operator": []}], "parameters": parameters,
        "requestBody": {"required": true, "content": {"application/json": {"schema": body}}},
        "responses": {
            "200": found("Taken. The same request again: Idempotent-Replayed: true."), "202": found("Taken, and not done yet."),
            "400": problem("Not JSON, or without a key."), "401": problem("No token, or not a valid one."),
            "403": problem("Your role does not have this right, or it takes a second person."), "404": problem("Unknown, or of a plant that you may not see."),
            "409": problem("Decided already, or the lifecycle has changed since you looked: look again."),
            "422": problem("Not possible, or the amended fact is not right; the pointer shows where."),
            "503": problem("Send it again with the same key after Retry-After seconds.")
        }
    }})
}
