//! `/json/2` and `/jsonrpc`: status codes, bodies, arguments.

use interplant_odoo_sandbox::Version;
use serde_json::{Value as Json, json};

use crate::client::{Client, post, request};
use crate::stage::Stage;

#[test]
fn the_version_is_told_where_each_version_tells_it() {
    for version in Version::ALL {
        let stage = Stage::new(version);
        let url = stage.sandbox.url();
        let direct = request(&url, "GET", "/web/version", &[], "").unwrap();
        assert_eq!(
            direct.status,
            if version == Version::V19 { 200 } else { 404 }
        );
        let info = post(
            &url,
            "/web/webclient/version_info",
            &[],
            &json!({"jsonrpc": "2.0", "params": {}}),
        )
        .unwrap()
        .json();
        assert_eq!(info["result"]["server_serie"], format!("{version}.0"));
    }
}

#[test]
fn json2_tells_what_is_wrong_by_status_and_name() {
    let stage = Stage::new(Version::V19);
    let bearer = format!("Bearer {}", stage.sandbox.api_key());
    let call = |path: &str, key: &str, body: &Json| {
        let response = post(&stage.sandbox.url(), path, &[("Authorization", key)], body).unwrap();
        (
            response.status,
            response.json()["name"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
        )
    };
    let partner = |method: &str| format!("/json/2/res.partner/{method}");
    for (path, key, body, status, name) in [
        (
            partner("search_count"),
            "Bearer wrong",
            json!({"domain": []}),
            401,
            "werkzeug.exceptions.Unauthorized",
        ),
        (
            partner("search_count"),
            bearer.as_str(),
            json!({}),
            422,
            "werkzeug.exceptions.UnprocessableEntity",
        ),
        (
            partner("search_count"),
            &bearer,
            json!({"domain": [], "x": 1}),
            422,
            "werkzeug.exceptions.UnprocessableEntity",
        ),
        (
            partner("search_count"),
            &bearer,
            json!({"domain": [], "ids": [1]}),
            422,
            "werkzeug.exceptions.UnprocessableEntity",
        ),
        (
            partner("nothing"),
            &bearer,
            json!({}),
            404,
            "werkzeug.exceptions.NotFound",
        ),
        (
            "/json/2/no.such/read".to_owned(),
            &bearer,
            json!({}),
            404,
            "werkzeug.exceptions.NotFound",
        ),
        (
            partner("write"),
            &bearer,
            json!({"ids": [999_999], "vals": {"name": "x"}}),
            404,
            "odoo.exceptions.MissingError",
        ),
        (
            partner("_compute"),
            &bearer,
            json!({}),
            403,
            "odoo.exceptions.AccessError",
        ),
        (
            partner("create"),
            &bearer,
            json!({"vals_list": [{"email": "x"}]}),
            422,
            "odoo.exceptions.ValidationError",
        ),
        (
            partner("create"),
            &bearer,
            json!({"vals_list": [{"nothing": 1}]}),
            500,
            "builtins.ValueError",
        ),
        (
            "/json/2/res.company/write".to_owned(),
            &bearer,
            json!({"ids": [1], "vals": {"name": "x"}}),
            403,
            "odoo.exceptions.AccessError",
        ),
    ] {
        assert_eq!(
            call(&path, key, &body),
            (status, name.to_owned()),
            "{path} {body}"
        );
    }
    let missing_database = post(
        &stage.sandbox.url(),
        &partner("search_count"),
        &[("X-Odoo-Database", "other"), ("Authorization", &bearer)],
        &json!({"domain": []}),
    );
    assert_eq!(
        missing_database
            .map(|response| (response.status, response.content))
            .unwrap(),
        (404, "text/html; charset=utf-8".to_owned())
    );
}

#[test]
fn jsonrpc_always_answers_200() {
    for version in Version::ALL {
        let stage = Stage::new(version);
        let execute = |key: &str, model: &str, method: &str| {
            let args = json!([stage.sandbox.database(), 3, key, model, method, [[]], {}]);
            let body = json!({"jsonrpc": "2.0", "method": "call", "id": 7, "params": {"service": "object", "method": "execute_kw", "args": args}});
            let response = post(&stage.sandbox.url(), "/jsonrpc", &[], &body).unwrap();
            assert_eq!(response.status, 200);
            response.json()
        };
        let key = stage.sandbox.api_key();
        assert!(execute(key, "res.partner", "search_count")["result"].is_i64());
        let denied = execute("wrong", "res.partner", "search_count");
        assert_eq!(
            denied["error"]["data"]["name"],
            "odoo.exceptions.AccessDenied"
        );
        assert_eq!(
            denied["error"]["code"],
            if version == Version::V19 { 0 } else { 200 }
        );
        assert_eq!(
            execute(key, "no.such", "read")["error"]["data"]["name"],
            "odoo.exceptions.UserError"
        );
        assert_eq!(
            execute(key, "res.partner", "nothing")["error"]["data"]["name"],
            "builtins.AttributeError"
        );
        let nothing = execute(key, "purchase.order", "button_cancel");
        assert!(
            nothing.get("result").is_none() && nothing.get("error").is_none(),
            "a method that returns nothing has no result at all"
        );
    }
}

#[test]
fn a_wrong_key_is_nobody() {
    let stage = Stage::new(Version::V17);
    let login = |key: &str| {
        let args = json!([stage.sandbox.database(), stage.sandbox.login(), key, {}]);
        let body = json!({"jsonrpc": "2.0", "method": "call", "id": 1, "params": {"service": "common", "method": "authenticate", "args": args}});
        post(&stage.sandbox.url(), "/jsonrpc", &[], &body)
            .unwrap()
            .json()["result"]
            .clone()
    };
    assert_eq!(login("wrong"), false);
    assert_eq!(login(stage.sandbox.api_key()), 3);
}

#[test]
fn a_failing_call_is_rolled_back_as_a_whole() {
    for version in Version::ALL {
        let stage = Stage::new(version);
        let order = stage.order("o");
        let commands = json!([[1, order.moves[0], {"quantity": 1}], [1, 999_999, {"quantity": 1}]]);
        let raised = stage.odoo.refused(
            "stock.picking",
            "write",
            json!({"ids": [order.picking], "vals": {"note": "x", "move_ids": commands}}),
        );
        assert_eq!(raised.name, "odoo.exceptions.MissingError");
        assert_eq!(
            stage.read("stock.picking", order.picking, &["note"])["note"],
            false
        );
        assert_eq!(
            stage.read("stock.move", order.moves[0], &["quantity"])["quantity"],
            json!(10.0)
        );
    }
}

#[test]
fn numbers_are_sent_as_floats_and_nothing_as_false() {
    let stage = Stage::new(Version::V19);
    let order = stage.order("o");
    let response = stage.odoo.send("purchase.order", "web_read", &json!({"ids": [order.id], "specification": {"amount_total": {}, "partner_ref": {}, "partner_id": {}, "invoice_ids": {}}})).unwrap();
    assert!(
        response.text.contains("\"amount_total\":29.0"),
        "{}",
        response.text
    );
    let read = &response.json()[0];
    assert_eq!(
        (&read["partner_ref"], &read["invoice_ids"]),
        (&json!(false), &json!([]))
    );
    assert!(read["partner_id"].is_i64());
}

#[test]
fn a_missing_record_is_left_out_of_a_read() {
    let stage = Stage::new(Version::V18);
    assert_eq!(
        stage.odoo.ok(
            "purchase.order",
            "web_read",
            json!({"ids": [999], "specification": {"name": {}}})
        ),
        json!([])
    );
    let admin = Client::admin(&stage.sandbox);
    assert_eq!(
        admin.ok(
            "purchase.order",
            "read",
            json!({"ids": [999], "fields": ["name"]})
        ),
        json!([])
    );
}
