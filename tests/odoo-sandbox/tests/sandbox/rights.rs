//! What a caller may ask about its own rights. Every answer as real servers give it.

use interplant_odoo_sandbox::{Sandbox, Version};
use serde_json::{Value as Json, json};

use crate::client::{Client, Raised, outcome, post};
use crate::stage::Stage;

const MAY_POST: &str = "account.group_account_invoice";

/// Whether a user may do something with a model, asked as each version wants it.
fn may(odoo: &Client, version: Version, model: &str, operation: &str) -> Json {
    if version == Version::V17 {
        let args = json!({"operation": operation, "raise_exception": false});
        return odoo.ok(model, "check_access_rights", args);
    }
    odoo.ok(
        model,
        "has_access",
        json!({"ids": [], "operation": operation}),
    )
}

/// A call by position on `/jsonrpc`, as the integration user.
fn by_position(sandbox: &Sandbox, model: &str, method: &str, args: Json) -> Result<Json, Raised> {
    let args = json!([
        sandbox.database(),
        3,
        sandbox.api_key(),
        model,
        method,
        args,
        {}
    ]);
    let body = json!({"jsonrpc": "2.0", "method": "call", "id": 1, "params": {"service": "object", "method": "execute_kw", "args": args}});
    outcome(&post(&sandbox.url(), "/jsonrpc", &[], &body).unwrap())
}

#[test]
fn the_integration_user_may_work_but_not_set_up() {
    for version in Version::ALL {
        let stage = Stage::new(version);
        let admin = Client::admin(&stage.sandbox);
        for (model, expected) in [
            ("purchase.order", [true, true, true, true]),
            ("purchase.order.line", [true, true, true, true]),
            ("stock.picking", [true, true, true, true]),
            ("stock.move", [true, true, true, true]),
            ("account.move", [true, true, true, true]),
            ("account.move.line", [true, true, true, true]),
            ("product.product", [true, true, true, true]),
            ("res.partner", [true, true, true, true]),
            ("uom.uom", [true, true, true, true]),
            ("account.tax", [true, false, false, false]),
            ("account.payment.term", [true, false, false, false]),
            ("res.currency", [true, false, false, false]),
            ("res.company", [true, false, false, false]),
            ("ir.model.data", [false, false, false, false]),
            ("decimal.precision", [false, false, false, false]),
            ("stock.return.picking", [true, true, true, false]),
        ] {
            let operations = ["read", "create", "write", "unlink"];
            let told = operations.map(|operation| may(&stage.odoo, version, model, operation));
            assert_eq!(json!(told), json!(expected), "{version} {model}");
            let told = operations.map(|operation| may(&admin, version, model, operation));
            let expected = match model {
                "decimal.precision" => [true, false, true, false],
                "stock.return.picking" => [true, true, true, false],
                _ => [true; 4],
            };
            assert_eq!(json!(told), json!(expected), "{version} {model} as admin");
        }
    }
}

#[test]
fn what_is_told_is_what_is_allowed() {
    for version in Version::ALL {
        let stage = Stage::new(version);
        let raised = stage.odoo.refused(
            "account.tax",
            "check_access_rights",
            json!({"operation": "write"}),
        );
        let group = match version {
            Version::V17 => "Invoicing/Billing Administrator",
            Version::V18 => "Invoicing/Administrator",
            Version::V19 => "Accounting/Administrator",
        };
        assert_eq!(raised.name, "odoo.exceptions.AccessError");
        assert_eq!(
            raised.message,
            format!(
                "You are not allowed to modify 'Tax' (account.tax) records.\n\nThis operation is allowed for the following groups:\n\t- \
                 {group}\n\nContact your administrator to request access if necessary."
            )
        );
        let vals = json!({"name": "x"});
        let write = |ids: Json| {
            stage
                .odoo
                .refused("account.tax", "write", json!({"ids": ids, "vals": vals}))
        };
        assert_eq!(write(json!([1])), raised);
        // Without an exception to raise, 18 and 19 answer nothing.
        let quiet = stage.odoo.ok(
            "purchase.order",
            "check_access_rights",
            json!({"operation": "write"}),
        );
        assert_eq!(
            quiet,
            if version == Version::V17 {
                json!(true)
            } else {
                Json::Null
            }
        );
    }
}

#[test]
fn rights_of_records_that_are_not_there() {
    for version in [Version::V18, Version::V19] {
        let stage = Stage::new(version);
        let ask = |model: &str| {
            stage.odoo.call(
                model,
                "has_access",
                json!({"ids": [999_999], "operation": "write"}),
            )
        };
        assert_eq!(ask("account.tax"), Ok(json!(false)));
        assert_eq!(
            ask("purchase.order").unwrap_err().name,
            "odoo.exceptions.MissingError"
        );
    }
}

#[test]
fn an_unknown_operation_is_a_mistake_of_the_caller() {
    for version in Version::ALL {
        let stage = Stage::new(version);
        let raised = if version == Version::V17 {
            let method = "has_access";
            assert_eq!(
                by_position(&stage.sandbox, "res.partner", method, json!([[], "read"]))
                    .unwrap_err()
                    .name,
                "builtins.AttributeError"
            );
            let args = json!({"operation": "look", "raise_exception": false});
            stage
                .odoo
                .refused("res.partner", "check_access_rights", args)
        } else {
            let args = json!({"ids": [], "operation": "look"});
            stage.odoo.refused("res.partner", "has_access", args)
        };
        assert_eq!(
            raised,
            Raised {
                name: "builtins.AssertionError".to_owned(),
                message: "Invalid access mode".to_owned()
            }
        );
    }
}

#[test]
fn groups_are_asked_of_the_caller_on_17_and_of_a_user_later() {
    let groups = |told: &dyn Fn(&str) -> Json| {
        [
            MAY_POST,
            "stock.group_stock_user",
            "purchase.group_purchase_user",
            "purchase.group_purchase_manager",
            "base.group_system",
            "no.such",
        ]
        .map(told)
    };
    let integration = json!([true, true, true, false, false, false]);
    let stage = Stage::new(Version::V17);
    let ask = |args: Json| by_position(&stage.sandbox, "res.users", "has_group", args);
    assert_eq!(
        json!(groups(&|group| ask(json!([group])).unwrap())),
        integration
    );
    assert_eq!(
        ask(json!(["nodot"])).unwrap_err().name,
        "builtins.AssertionError"
    );
    assert_eq!(
        ask(json!([[3], MAY_POST])).unwrap_err().message,
        "Users.has_group() takes 2 positional arguments but 3 were given"
    );
    for version in [Version::V18, Version::V19] {
        let stage = Stage::new(version);
        let ask = |ids: Json, group: &str| {
            stage.odoo.call(
                "res.users",
                "has_group",
                json!({"ids": ids, "group_ext_id": group}),
            )
        };
        let of = |user: i64| json!(groups(&|group| ask(json!([user]), group).unwrap()));
        assert_eq!(of(3), integration);
        assert_eq!(of(2), json!([true, true, true, true, true, false]));
        assert_eq!(
            ask(json!([]), MAY_POST).unwrap_err().message,
            "Expected singleton: res.users()"
        );
        assert_eq!(
            ask(json!([3, 2]), MAY_POST).unwrap_err().message,
            "Expected singleton: res.users(3, 2)"
        );
        let nobody = ask(json!([999_999]), MAY_POST);
        match version {
            Version::V18 => assert_eq!(nobody.unwrap_err().name, "odoo.exceptions.MissingError"),
            Version::V17 | Version::V19 => assert_eq!(nobody, Ok(json!(false))),
        }
        let index = if version == Version::V19 {
            "list"
        } else {
            "tuple"
        };
        assert_eq!(
            by_position(&stage.sandbox, "res.users", "has_group", json!([])).unwrap_err(),
            Raised {
                name: "builtins.IndexError".to_owned(),
                message: format!("{index} index out of range")
            }
        );
    }
}

#[test]
fn the_caller_learns_who_it_is() {
    for version in Version::ALL {
        let stage = Stage::new(version);
        assert_eq!(
            stage.odoo.ok("res.users", "context_get", json!({})),
            json!({"lang": "en_US", "tz": "UTC", "uid": 3})
        );
    }
}

/// Before an administrator changed anything: what a connector has to cope with, or ask to have changed.
#[test]
fn a_new_database_keeps_two_digits() {
    for version in Version::ALL {
        let stage = Stage::new(version);
        let told = stage.odoo.ok(
            "purchase.order.line",
            "fields_get",
            json!({"allfields": ["price_unit", "product_qty"], "attributes": ["digits"]}),
        );
        let price = if version == Version::V19 {
            json!(false)
        } else {
            json!([16, 2])
        };
        assert_eq!(
            told,
            json!({"price_unit": {"digits": price}, "product_qty": {"digits": [16, 2]}})
        );
        let units = stage.odoo.ok(
            "uom.uom",
            "search_read",
            json!({"domain": [], "fields": ["rounding"]}),
        );
        let units = units.as_array().unwrap();
        assert!(!units.is_empty() && units.iter().all(|unit| unit["rounding"] == json!(0.01)));
        let companies = stage.odoo.ok(
            "res.company",
            "search_read",
            json!({"domain": [], "fields": ["po_double_validation"]}),
        );
        assert_eq!(companies[0]["po_double_validation"], "one_step");
    }
}
