//! Orders and receipts: what answers `true` without doing anything, and what changes silently.

use interplant_odoo_sandbox::{SandboxOptions, Version};
use serde_json::{Value as Json, json};

use crate::stage::Stage;

#[test]
fn confirming_creates_one_prefilled_receipt() {
    for version in Version::ALL {
        let stage = Stage::new(version);
        let order = stage.order("o");
        for (entry, quantity) in order.moves.iter().zip([10.0, 4.0]) {
            let read = stage.read(
                "stock.move",
                *entry,
                &[
                    "state",
                    "quantity",
                    "picked",
                    "product_uom_qty",
                    "move_line_ids",
                ],
            );
            assert_eq!(read["state"], "assigned");
            assert_eq!(
                (&read["quantity"], &read["product_uom_qty"]),
                (&json!(quantity), &json!(quantity))
            );
            assert_eq!(read["picked"], false);
            assert_eq!(read["move_line_ids"].as_array().unwrap().len(), 1);
        }
        assert_eq!(
            stage.odoo.ok(
                "purchase.order",
                "button_confirm",
                json!({"ids": [order.id]})
            ),
            true
        );
        assert_eq!(stage.opened(order.id).picking, order.picking);
    }
}

#[test]
fn an_order_over_the_threshold_waits_although_confirming_answers_true() {
    for version in Version::ALL {
        let options = SandboxOptions {
            approval_threshold: Some(20.into()),
            ..SandboxOptions::default()
        };
        let stage = Stage::with(version, options);
        let id = stage.draft("o", "10", "4");
        let state = || stage.read("purchase.order", id, &["state"])["state"].clone();
        assert_eq!(
            stage
                .odoo
                .ok("purchase.order", "button_confirm", json!({"ids": [id]})),
            true
        );
        assert_eq!(state(), "to approve");
        assert_eq!(
            stage
                .odoo
                .ok("purchase.order", "button_approve", json!({"ids": [id]})),
            json!({})
        );
        assert_eq!(state(), "to approve");
        stage
            .sandbox
            .press("purchase.order", "button_approve", id)
            .unwrap();
        assert_eq!(state(), "purchase");
    }
}

#[test]
fn a_cancelled_order_stays_cancelled_although_confirming_answers_true() {
    for version in Version::ALL {
        let stage = Stage::new(version);
        let order = stage.order("o");
        assert_eq!(
            stage.odoo.ok(
                "purchase.order",
                "button_cancel",
                json!({"ids": [order.id]})
            ),
            Json::Null
        );
        assert_eq!(
            stage.odoo.ok(
                "purchase.order",
                "button_confirm",
                json!({"ids": [order.id]})
            ),
            true
        );
        assert_eq!(
            stage.read("purchase.order", order.id, &["state"])["state"],
            "cancel"
        );
        assert_eq!(
            stage.read("stock.picking", order.picking, &["state"])["state"],
            "cancel"
        );
    }
}

#[test]
fn a_smaller_quantity_without_date_sends_goods_back_to_the_vendor() {
    for version in Version::ALL {
        let stage = Stage::in_november(version);
        let order = stage.order("o");
        let write = |vals: Json| {
            stage.odoo.ok("purchase.order", "web_save", json!({"ids": [order.id], "vals": {"order_line": [[1, order.lines[0], vals]]}, "specification": {}}))
        };
        write(json!({"product_qty": 8, "price_unit": 2.5, "date_planned": "2026-12-01 10:00:00"}));
        assert_eq!(
            stage.read("stock.move", order.moves[0], &["product_uom_qty"])["product_uom_qty"],
            json!(8.0)
        );
        write(json!({"product_qty": 7}));
        assert_eq!(
            stage.read("purchase.order.line", order.lines[0], &["date_planned"])["date_planned"],
            "2026-11-23 09:00:00"
        );
        assert_eq!(
            stage.read("stock.move", order.moves[0], &["product_uom_qty"])["product_uom_qty"],
            json!(8.0)
        );
        let back = stage.odoo.ok("stock.move", "search_read", json!({"domain": [["purchase_line_id", "=", order.lines[0]], ["location_dest_id.usage", "=", "supplier"]], "fields": ["product_uom_qty"]}));
        assert_eq!(back[0]["product_uom_qty"], json!(1.0));
    }
}

#[test]
fn a_partial_validation_without_context_asks_and_does_nothing() {
    for version in Version::ALL {
        let stage = Stage::new(version);
        let order = stage.order("o");
        stage.pick(order.picking, &[(order.moves[0], 6)]);
        let answer = stage.validate(order.picking, &json!({}));
        assert_eq!(answer["res_model"], "stock.backorder.confirmation");
        assert_eq!(
            stage.read("stock.picking", order.picking, &["state"])["state"],
            "assigned"
        );
        assert_eq!(stage.received(&order), [json!(0.0), json!(0.0)]);
    }
}

#[test]
fn with_nothing_picked_everything_prefilled_is_received() {
    for version in Version::ALL {
        let stage = Stage::new(version);
        let order = stage.order("o");
        assert_eq!(
            stage.validate(order.picking, &json!({"skip_backorder": true})),
            true
        );
        assert_eq!(stage.received(&order), [json!(10.0), json!(4.0)]);
        let read = stage.read(
            "purchase.order",
            order.id,
            &["receipt_status", "invoice_status"],
        );
        assert_eq!(
            (&read["receipt_status"], &read["invoice_status"]),
            (&json!("full"), &json!("to invoice"))
        );
    }
}

#[test]
fn what_is_not_picked_moves_to_the_backorder_with_its_id() {
    for version in Version::ALL {
        let stage = Stage::new(version);
        let order = stage.order("o");
        stage.pick(order.picking, &[(order.moves[0], 6)]);
        assert_eq!(
            stage.validate(order.picking, &json!({"skip_backorder": true})),
            true
        );
        assert_eq!(stage.received(&order), [json!(6.0), json!(0.0)]);
        let rest = stage.odoo.ok("stock.picking", "search_read", json!({"domain": [["backorder_id", "=", order.picking]], "fields": ["state", "move_ids"]}));
        assert_eq!(rest[0]["state"], "assigned");
        assert!(
            rest[0]["move_ids"]
                .as_array()
                .unwrap()
                .contains(&json!(order.moves[1]))
        );
        assert_eq!(
            stage.read("stock.move", order.moves[0], &["product_uom_qty"])["product_uom_qty"],
            json!(6.0)
        );
        assert_eq!(
            stage.read("purchase.order", order.id, &["receipt_status"])["receipt_status"],
            "partial"
        );
    }
}

#[test]
fn the_rest_can_be_dropped() {
    for version in Version::ALL {
        let stage = Stage::new(version);
        let order = stage.order("o");
        stage.pick(order.picking, &[(order.moves[0], 6), (order.moves[1], 4)]);
        let context =
            json!({"skip_backorder": true, "picking_ids_not_to_backorder": [order.picking]});
        assert_eq!(stage.validate(order.picking, &context), true);
        assert_eq!(stage.received(&order), [json!(6.0), json!(4.0)]);
        assert_eq!(
            stage.read("stock.move", order.moves[0], &["product_uom_qty"])["product_uom_qty"],
            json!(10.0)
        );
        assert_eq!(
            stage.read("purchase.order", order.id, &["receipt_status"])["receipt_status"],
            "full"
        );
    }
}

#[test]
fn more_than_ordered_is_received_without_a_word() {
    let stage = Stage::new(Version::V19);
    let order = stage.order("o");
    stage.pick(order.picking, &[(order.moves[0], 12), (order.moves[1], 4)]);
    assert_eq!(
        stage.validate(order.picking, &json!({"skip_backorder": true})),
        true
    );
    assert_eq!(stage.received(&order), [json!(12.0), json!(4.0)]);
}

#[test]
fn validating_a_done_receipt_again_is_true_in_19_and_refused_before() {
    for version in Version::ALL {
        let stage = Stage::new(version);
        let order = stage.order("o");
        stage.validate(order.picking, &json!({"skip_backorder": true}));
        let again = stage.odoo.call(
            "stock.picking",
            "button_validate",
            json!({"ids": [order.picking]}),
        );
        match version {
            Version::V19 => assert_eq!(again, Ok(json!(true))),
            Version::V17 | Version::V18 => {
                assert_eq!(again.unwrap_err().name, "odoo.exceptions.UserError")
            }
        }
        assert_eq!(stage.received(&order), [json!(10.0), json!(4.0)]);
    }
}

#[test]
fn a_quantity_on_a_done_move_silently_changes_what_was_received() {
    for version in Version::ALL {
        let stage = Stage::new(version);
        let order = stage.order("o");
        stage.validate(order.picking, &json!({"skip_backorder": true}));
        stage.pick(order.picking, &[(order.moves[0], 3)]);
        assert_eq!(stage.received(&order), [json!(3.0), json!(4.0)]);
    }
}

#[test]
fn naming_the_unit_guards_a_done_move_and_rolls_the_whole_write_back() {
    for version in Version::ALL {
        let stage = Stage::new(version);
        let order = stage.order("o");
        stage.validate(order.picking, &json!({"skip_backorder": true}));
        let unit =
            stage.read("stock.move", order.moves[0], &["product_uom"])["product_uom"][0].clone();
        let vals = json!({"note": "late", "move_ids": [[1, order.moves[0], {"product_uom": unit, "quantity": 3, "picked": true}]]});
        let raised = stage.odoo.refused(
            "stock.picking",
            "web_save",
            json!({"ids": [order.picking], "vals": vals, "specification": {}}),
        );
        assert_eq!(
            raised.message,
            "You cannot change the UoM for a stock move that has been set to 'Done'."
        );
        assert_eq!(stage.received(&order), [json!(10.0), json!(4.0)]);
        assert_eq!(
            stage.read("stock.picking", order.picking, &["note"])["note"],
            false
        );
    }
}

#[test]
fn the_header_guard_differs_per_version() {
    for version in Version::ALL {
        let stage = Stage::new(version);
        let order = stage.order("o");
        let kind =
            stage.read("stock.picking", order.picking, &["picking_type_id"])["picking_type_id"][0]
                .clone();
        let write = |vals: Json| {
            stage.odoo.call(
                "stock.picking",
                "web_save",
                json!({"ids": [order.picking], "vals": vals, "specification": {}}),
            )
        };
        assert_eq!(
            write(json!({"picking_type_id": kind})).is_ok(),
            version != Version::V17
        );
        assert!(write(json!({"scheduled_date": "2026-12-01 10:00:00"})).is_ok());
        stage.validate(order.picking, &json!({"skip_backorder": true}));
        assert!(write(json!({"picking_type_id": kind})).is_err());
        assert_eq!(
            write(json!({"scheduled_date": "2026-12-01 10:00:00"})).is_ok(),
            version == Version::V19
        );
    }
}

#[test]
fn an_order_with_a_done_receipt_can_be_cancelled_only_in_19() {
    for version in Version::ALL {
        let stage = Stage::new(version);
        let order = stage.order("o");
        stage.validate(order.picking, &json!({"skip_backorder": true}));
        let cancelled = stage.odoo.call(
            "purchase.order",
            "button_cancel",
            json!({"ids": [order.id]}),
        );
        assert_eq!(cancelled.is_ok(), version == Version::V19);
    }
}

#[test]
fn a_receipt_acknowledges_the_order_in_19() {
    for (version, field) in [
        (Version::V18, "mail_reception_confirmed"),
        (Version::V19, "acknowledged"),
    ] {
        let stage = Stage::new(version);
        let order = stage.order("o");
        stage.validate(order.picking, &json!({"skip_backorder": true}));
        assert_eq!(
            stage.read("purchase.order", order.id, &[field])[field],
            json!(version == Version::V19)
        );
    }
}

/// Writes to a move of an open transfer and answers what became of it: quantity, picked, the same of each line.
fn declare(stage: &Stage, picking: i64, entry: i64, values: &Json) -> Json {
    let lines = json!({"fields": {"quantity": {}, "picked": {}}});
    let moves = json!({"fields": {"quantity": {}, "picked": {}, "move_line_ids": lines}});
    let read = stage.odoo.ok("stock.picking", "web_save", json!({"ids": [picking], "vals": {"move_ids": [[1, entry, values]]}, "specification": {"move_ids": moves}}));
    let moves = read[0]["move_ids"].as_array().unwrap();
    let read = moves.iter().find(|read| read["id"] == entry).unwrap();
    let lines: Vec<Json> = read["move_line_ids"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| json!([line["quantity"], line["picked"]]))
        .collect();
    json!([read["quantity"], read["picked"], lines])
}

/// As seen on real servers of all three versions.
#[test]
fn a_new_line_is_picked_when_its_move_is() {
    for version in Version::ALL {
        let stage = Stage::new(version);
        for (number, (steps, expected)) in [
            (
                vec![
                    json!({"quantity": 0, "picked": false}),
                    json!({"product_uom": 1, "quantity": 10, "picked": true}),
                ],
                json!([10.0, true, [[10.0, true]]]),
            ),
            (
                vec![
                    json!({"quantity": 0, "picked": true}),
                    json!({"quantity": 4, "picked": false}),
                ],
                json!([4.0, false, [[4.0, false]]]),
            ),
            (
                vec![json!({"quantity": 0, "picked": true})],
                json!([0.0, true, []]),
            ),
            (
                vec![
                    json!({"picked": true}),
                    json!({"quantity": 0}),
                    json!({"quantity": 4}),
                ],
                json!([4.0, true, [[4.0, true]]]),
            ),
            (
                vec![
                    json!({"quantity": 2}),
                    json!({"picked": true, "quantity": 4}),
                ],
                json!([4.0, true, [[2.0, true], [2.0, true]]]),
            ),
            (
                vec![json!({"quantity": 12})],
                json!([12.0, false, [[10.0, false], [2.0, false]]]),
            ),
            (
                vec![
                    json!({"picked": true}),
                    json!({"picked": false, "quantity": 3}),
                    json!({"quantity": 4}),
                ],
                json!([4.0, false, [[3.0, false], [1.0, false]]]),
            ),
        ]
        .into_iter()
        .enumerate()
        {
            let order = stage.order(&format!("o{number}"));
            let mut became = Json::Null;
            for step in &steps {
                became = declare(&stage, order.picking, order.moves[0], step);
            }
            assert_eq!(became, expected, "{version}: {steps:?}");
        }
    }
}

/// The line is what somebody picked; the move remembers it when the line goes.
#[test]
fn a_move_stays_picked_without_its_lines() {
    for version in Version::ALL {
        let stage = Stage::new(version);
        let order = stage.order("o");
        let (picking, entry) = (order.picking, order.moves[0]);
        let line = stage.read("stock.move", entry, &["move_line_ids"])["move_line_ids"][0].clone();
        let write = |values: Json| declare(&stage, picking, entry, &values);
        write(json!({"move_line_ids": [[1, line, {"picked": true}]]}));
        assert_eq!(
            write(json!({"move_line_ids": [[2, line, false]]})),
            json!([0.0, true, []])
        );
        assert_eq!(
            write(json!({"quantity": 2})),
            json!([2.0, true, [[2.0, true]]])
        );
    }
}

#[test]
fn what_waits_in_a_backorder_is_full_again_and_not_picked() {
    for version in Version::ALL {
        for (name, nuts) in [
            ("none", json!({"quantity": 0, "picked": true})),
            ("some", json!({"quantity": 1, "picked": false})),
        ] {
            let stage = Stage::new(version);
            let order = stage.order(name);
            stage.pick(order.picking, &[(order.moves[0], 6)]);
            declare(&stage, order.picking, order.moves[1], &nuts);
            assert_eq!(
                stage.validate(order.picking, &json!({"skip_backorder": true})),
                true
            );
            let moved = order.moves[1];
            let fields = ["picking_id", "state", "quantity", "picked", "move_line_ids"];
            let read = stage.read("stock.move", moved, &fields);
            assert_ne!(read["picking_id"][0], order.picking, "{version} {name}");
            assert_eq!(
                (&read["state"], &read["quantity"], &read["picked"]),
                (&json!("assigned"), &json!(4.0), &json!(false)),
                "{version} {name}"
            );
            assert_eq!(read["move_line_ids"].as_array().unwrap().len(), 1);
            let next = read["picking_id"][0].as_i64().unwrap();
            assert_eq!(
                declare(
                    &stage,
                    next,
                    moved,
                    &json!({"product_uom": 1, "quantity": 4, "picked": true})
                ),
                json!([4.0, true, [[4.0, true]]])
            );
            assert_eq!(stage.validate(next, &json!({"skip_backorder": true})), true);
            assert_eq!(stage.received(&order), [json!(6.0), json!(4.0)]);
        }
    }
}

#[test]
fn nothing_is_added_to_what_was_picked() {
    for version in Version::ALL {
        let stage = Stage::new(version);
        let order = stage.order("o");
        let entry = order.moves[0];
        declare(
            &stage,
            order.picking,
            entry,
            &json!({"quantity": 2, "picked": true}),
        );
        assert_eq!(
            declare(
                &stage,
                order.picking,
                entry,
                &json!({"product_uom_qty": 12})
            ),
            json!([2.0, true, [[2.0, true]]])
        );
        stage.odoo.ok(
            "stock.picking",
            "action_assign",
            json!({"ids": [order.picking]}),
        );
        assert_eq!(
            stage.read("stock.move", entry, &["quantity"])["quantity"],
            json!(2.0)
        );
        declare(&stage, order.picking, entry, &json!({"picked": false}));
        stage.odoo.ok(
            "stock.picking",
            "action_assign",
            json!({"ids": [order.picking]}),
        );
        assert_eq!(
            declare(&stage, order.picking, entry, &json!({})),
            json!([12.0, false, [[12.0, false]]])
        );
    }
}
