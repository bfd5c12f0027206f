//! `load`: all or nothing, create-once, and its traps.

use interplant_odoo_sandbox::Version;
use serde_json::json;

use crate::client::Client;
use crate::stage::{Stage, once};

#[test]
fn create_once_load_answers_the_same_id_and_changes_nothing() {
    for version in Version::ALL {
        let stage = Stage::new(version);
        let first = stage.load("res.partner", &["id", "name"], &json!([["t.one", "First"]]));
        let again = stage.load(
            "res.partner",
            &["id", "name"],
            &json!([["t.one", "Changed"]]),
        );
        assert_eq!(first, again);
        assert_eq!(
            stage.read("res.partner", first[0], &["name"])["name"],
            "First"
        );
    }
}

#[test]
fn load_without_the_flag_updates_what_exists() {
    let stage = Stage::new(Version::V19);
    for name in ["First", "Changed"] {
        stage.odoo.ok(
            "res.partner",
            "load",
            json!({"fields": ["id", "name"], "data": [["t.plain", name]]}),
        );
    }
    let found = stage.odoo.ok(
        "res.partner",
        "search_count",
        json!({"domain": [["name", "=", "Changed"]]}),
    );
    assert_eq!(found, 1);
}

#[test]
fn create_once_does_not_protect_what_was_created_without_the_flag() {
    let stage = Stage::new(Version::V18);
    let plain = json!({"fields": ["id", "name"], "data": [["t.plain", "First"]]});
    let id = stage.odoo.ok("res.partner", "load", plain)["ids"][0]
        .as_i64()
        .unwrap();
    stage.load(
        "res.partner",
        &["id", "name"],
        &json!([["t.plain", "Changed"]]),
    );
    assert_eq!(stage.read("res.partner", id, &["name"])["name"], "Changed");
}

#[test]
fn lines_without_external_id_are_added_on_every_load() {
    for version in Version::ALL {
        let stage = Stage::new(version);
        let id = stage.draft("o", "1", "1");
        for _ in 0..2 {
            let row = json!([["t.o", "t.bolt", "1"]]);
            stage.odoo.ok("purchase.order", "load", json!({"fields": ["id", "order_line/product_id/id", "order_line/product_qty"], "data": row, "context": {"mode": "init"}}));
        }
        assert_eq!(
            stage.odoo.ok(
                "purchase.order.line",
                "search_count",
                json!({"domain": [["order_id", "=", id]]})
            ),
            4
        );
    }
}

#[test]
fn one_bad_row_of_many_keeps_nothing_and_is_named() {
    for version in Version::ALL {
        let stage = Stage::new(version);
        let rows = json!([
            ["t.a", "A", "base.us"],
            ["t.b", "B", "base.nowhere"],
            ["t.c", "C", "base.us"]
        ]);
        let answer = stage.odoo.ok(
            "res.partner",
            "load",
            json!({"fields": ["id", "name", "country_id/id"], "data": rows}),
        );
        assert_eq!(answer["ids"], json!(false));
        assert_eq!(answer["messages"][0]["record"], 1);
        assert_eq!(answer["messages"][0]["rows"], json!({"from": 1, "to": 1}));
        assert_eq!(answer["messages"][0]["field"], "country_id");
        assert_eq!(
            answer["messages"][0]["moreinfo"]["domain"],
            json!([["model", "=", "res.country"]])
        );
        assert_eq!(
            stage.odoo.ok(
                "res.partner",
                "search_count",
                json!({"domain": [["name", "in", ["A", "B", "C"]]]})
            ),
            0
        );
    }
}

#[test]
fn an_unknown_record_in_a_line_is_told_of_the_list() {
    let stage = Stage::new(Version::V19);
    let row = json!([["t.o", "t.vendor", "t.o_1", "t.nothing", "1", "x"]]);
    let columns = json!([
        "id",
        "partner_id/id",
        "order_line/id",
        "order_line/product_id/id",
        "order_line/product_qty",
        "order_line/name"
    ]);
    let answer = stage.odoo.ok(
        "purchase.order",
        "load",
        json!({"fields": columns, "data": row}),
    );
    assert_eq!(answer["messages"][0]["field"], "order_line");
    assert_eq!(answer["messages"][0]["field_name"], "Order Lines");
    assert_eq!(
        answer["messages"][0]["message"],
        "No matching record found for external id 't.nothing' in field 'Order Lines/Product'"
    );
}

#[test]
fn an_unknown_column_is_an_exception_and_no_message() {
    for (version, name) in [
        (Version::V17, "builtins.KeyError"),
        (Version::V18, "builtins.ValueError"),
        (Version::V19, "builtins.ValueError"),
    ] {
        let stage = Stage::new(version);
        let raised = stage.odoo.refused(
            "res.partner",
            "load",
            json!({"fields": ["id", "nothing"], "data": [["t.x", "1"]]}),
        );
        assert_eq!(raised.name, name);
    }
}

#[test]
fn looking_up_a_missing_external_id_creates_nothing() {
    for version in Version::ALL {
        let stage = Stage::new(version);
        let id = stage.draft("o", "1", "1");
        let found = stage.odoo.ok(
            "purchase.order",
            "load",
            json!({"fields": ["id"], "data": [["t.o"]], "context": once()}),
        );
        assert_eq!(found["ids"], json!([id]));
        let missing = stage.odoo.ok(
            "purchase.order",
            "load",
            json!({"fields": ["id"], "data": [["t.none"]], "context": once()}),
        );
        assert_eq!(missing["ids"], json!(false));
        assert_eq!(missing["messages"][0]["field"], "partner_id");
        assert_eq!(stage.sandbox.records("purchase.order").unwrap().len(), 1);
    }
}

#[test]
fn an_empty_tax_cell_means_no_tax_and_a_missing_column_the_default() {
    for version in Version::ALL {
        let stage = Stage::new(version);
        let without = stage.draft("none", "10", "0");
        assert_eq!(
            stage.read("purchase.order", without, &["amount_total"])["amount_total"],
            json!(25.0)
        );
        let columns = [
            "id",
            "partner_id/id",
            "order_line/id",
            "order_line/product_id/id",
            "order_line/product_qty",
            "order_line/price_unit",
        ];
        let with = stage.load(
            "purchase.order",
            &columns,
            &json!([[
                "t.default",
                "t.vendor",
                "t.default_1",
                "t.bolt",
                "10",
                "2.5"
            ]]),
        )[0];
        assert_eq!(
            stage.read("purchase.order", with, &["amount_total"])["amount_total"],
            json!(28.75)
        );
    }
}

#[test]
fn moments_in_cells_are_in_the_time_zone_of_the_context() {
    let stage = Stage::new(Version::V19);
    let load = |name: &str, zone: &str| {
        let context = json!({"tz": zone});
        let data = json!([[name, "t.vendor", "2026-11-20 08:30:00"]]);
        let id = stage.odoo.ok("purchase.order", "load", json!({"fields": ["id", "partner_id/id", "date_order"], "data": data, "context": context}));
        stage.read(
            "purchase.order",
            id["ids"][0].as_i64().unwrap(),
            &["date_order"],
        )["date_order"]
            .clone()
    };
    assert_eq!(load("t.utc", "UTC"), "2026-11-20 08:30:00");
    assert_eq!(load("t.ny", "America/New_York"), "2026-11-20 13:30:00");
}

#[test]
fn prices_are_rounded_silently_before_19_and_kept_in_19() {
    for (version, stored) in [
        (Version::V17, json!(2.33)),
        (Version::V18, json!(2.33)),
        (Version::V19, json!(2.333_333)),
    ] {
        let stage = Stage::new(version);
        let columns = [
            "id",
            "partner_id/id",
            "order_line/id",
            "order_line/product_id/id",
            "order_line/product_qty",
            "order_line/price_unit",
        ];
        let load = |name: &str| {
            let row = json!([[
                format!("t.{name}"),
                "t.vendor",
                format!("t.{name}_1"),
                "t.bolt",
                "1.239",
                "2.333333"
            ]]);
            let id = stage.load("purchase.order", &columns, &row)[0];
            let lines = stage.odoo.ok(
                "purchase.order.line",
                "search_read",
                json!({"domain": [["order_id", "=", id]], "fields": ["price_unit", "product_qty"]}),
            );
            lines[0].clone()
        };
        let line = load("two");
        assert_eq!(line["price_unit"], stored);
        assert_eq!(line["product_qty"], json!(1.24));
        let admin = Client::admin(&stage.sandbox);
        let precision = admin.ok(
            "decimal.precision",
            "search",
            json!({"domain": [["name", "=", "Product Price"]]}),
        );
        admin.ok(
            "decimal.precision",
            "write",
            json!({"ids": precision, "vals": {"digits": 6}}),
        );
        assert_eq!(load("six")["price_unit"], json!(2.333_333));
    }
}

#[test]
fn the_integration_user_learns_precisions_without_reading_them() {
    for version in Version::ALL {
        let stage = Stage::new(version);
        let refused = stage.odoo.refused(
            "decimal.precision",
            "search_read",
            json!({"domain": [], "fields": ["name"]}),
        );
        assert_eq!(refused.name, "odoo.exceptions.AccessError");
        let about = stage.odoo.ok(
            "purchase.order.line",
            "fields_get",
            json!({"allfields": ["price_unit", "product_qty"], "attributes": ["digits"]}),
        );
        let price = if version == Version::V19 {
            json!(false)
        } else {
            json!([16, 2])
        };
        assert_eq!(about["price_unit"]["digits"], price);
        assert_eq!(about["product_qty"]["digits"], json!([16, 2]));
    }
}

#[test]
fn the_integration_user_does_not_see_external_ids() {
    for version in Version::ALL {
        let stage = Stage::new(version);
        let refused = stage.odoo.refused(
            "ir.model.data",
            "search_read",
            json!({"domain": [], "fields": ["name"]}),
        );
        assert_eq!(refused.name, "odoo.exceptions.AccessError");
    }
}
