//! Bills: what counts as billed, posting, and dates that move by themselves.

use interplant_odoo_sandbox::Version;
use serde_json::{Map, Value as Json, json};

use crate::stage::{Order, Stage};

fn billed(stage: &Stage, order: &Order) -> Json {
    stage.read("purchase.order.line", order.lines[0], &["qty_invoiced"])["qty_invoiced"].clone()
}

#[test]
fn draft_bills_count_as_billed_and_cancelled_ones_do_not() {
    for version in Version::ALL {
        let stage = Stage::in_november(version);
        let order = stage.order("o");
        let bill = stage.bill("b", &order, "3", "2026-11-20");
        assert_eq!(billed(&stage, &order), json!(3.0));
        assert_eq!(
            stage
                .odoo
                .ok("account.move", "action_post", json!({"ids": [bill]})),
            false
        );
        assert_eq!(
            stage
                .odoo
                .ok("account.move", "button_draft", json!({"ids": [bill]})),
            Json::Null
        );
        assert_eq!(
            stage
                .odoo
                .ok("account.move", "button_cancel", json!({"ids": [bill]})),
            Json::Null
        );
        assert_eq!(billed(&stage, &order), json!(0.0));
    }
}

#[test]
fn billing_an_order_twice_makes_a_bill_of_zero_in_19_and_is_refused_before() {
    for version in Version::ALL {
        let stage = Stage::in_november(version);
        let order = stage.order("o");
        stage.validate(order.picking, &json!({"skip_backorder": true}));
        let bill = || {
            stage.odoo.call(
                "purchase.order",
                "action_create_invoice",
                json!({"ids": [order.id]}),
            )
        };
        let first = bill().unwrap();
        assert_eq!(first["res_model"], "account.move");
        assert_eq!(
            stage.read(
                "account.move",
                first["res_id"].as_i64().unwrap(),
                &["amount_total"]
            )["amount_total"],
            json!(29.0)
        );
        match (version, bill()) {
            (Version::V19, Ok(second)) => {
                assert_eq!(
                    stage.read(
                        "account.move",
                        second["res_id"].as_i64().unwrap(),
                        &["amount_total"]
                    )["amount_total"],
                    json!(0.0)
                );
            }
            (_, second) => assert_eq!(second.unwrap_err().name, "odoo.exceptions.UserError"),
        }
    }
}

#[test]
fn a_draft_has_no_number_except_the_first_of_a_month_before_19() {
    for version in Version::ALL {
        let stage = Stage::in_november(version);
        let order = stage.order("o");
        let names = ["a", "b"].map(|name| {
            let bill = stage.bill(name, &order, "1", "2026-11-20");
            stage.read("account.move", bill, &["name"])["name"].clone()
        });
        let expected = if version == Version::V19 {
            [json!(false), json!(false)]
        } else {
            [json!("BILL/2026/11/0001"), json!("/")]
        };
        assert_eq!(names, expected);
    }
}

#[test]
fn posting_needs_a_date_answers_false_and_refuses_to_be_repeated() {
    for version in Version::ALL {
        let stage = Stage::in_november(version);
        let order = stage.order("o");
        let bill = stage.bill("b", &order, "3", "");
        let refused = stage
            .odoo
            .refused("account.move", "action_post", json!({"ids": [bill]}));
        assert_eq!(
            refused.message,
            "The Bill/Refund date is required to validate this document."
        );
        stage.odoo.ok(
            "account.move",
            "write",
            json!({"ids": [bill], "vals": {"invoice_date": "2026-11-20"}}),
        );
        assert_eq!(
            stage
                .odoo
                .ok("account.move", "action_post", json!({"ids": [bill]})),
            false
        );
        let read = stage.read(
            "account.move",
            bill,
            &["state", "name", "payment_state", "amount_residual"],
        );
        assert_eq!(
            (&read["state"], &read["name"]),
            (&json!("posted"), &json!("BILL/2026/11/0001"))
        );
        assert_eq!(
            (&read["payment_state"], &read["amount_residual"]),
            (&json!("not_paid"), &json!(7.5))
        );
        let again = stage
            .odoo
            .refused("account.move", "action_post", json!({"ids": [bill]}));
        assert_eq!(
            again.message,
            format!("The entry BILL/2026/11/0001 (id {bill}) must be in draft.")
        );
    }
}

#[test]
fn a_locked_period_moves_the_booking_date_silently() {
    for version in Version::ALL {
        let stage = Stage::in_november(version);
        let order = stage.order("o");
        let lock = |date: Json| {
            stage
                .sandbox
                .write(
                    "res.company",
                    1,
                    &Map::from_iter([("fiscalyear_lock_date".to_owned(), date)]),
                )
                .unwrap()
        };
        let past = stage.bill("past", &order, "1", "2026-09-15");
        assert_eq!(
            stage.read("account.move", past, &["date"])["date"],
            "2026-09-30",
            "a past month's bill is booked at its end"
        );
        if version == Version::V17 {
            // 17 does not lock a period with open drafts: the bill is dated into it afterwards.
            stage.odoo.ok(
                "account.move",
                "write",
                json!({"ids": [past], "vals": {"date": "2026-11-23"}}),
            );
            lock(json!("2026-09-30"));
            stage.odoo.ok(
                "account.move",
                "write",
                json!({"ids": [past], "vals": {"date": "2026-09-30"}}),
            );
        } else {
            lock(json!("2026-09-30"));
        }
        assert_eq!(
            stage
                .odoo
                .ok("account.move", "action_post", json!({"ids": [past]})),
            false
        );
        let read = stage.read("account.move", past, &["date", "invoice_date", "name"]);
        assert_eq!(
            (&read["date"], &read["invoice_date"]),
            (&json!("2026-10-31"), &json!("2026-09-15"))
        );
        assert_eq!(read["name"], "BILL/2026/10/0001");
    }
}

#[test]
fn a_posted_bill_is_guarded_since_18() {
    for version in Version::ALL {
        let stage = Stage::in_november(version);
        let order = stage.order("o");
        let bill = stage.bill("b", &order, "3", "2026-11-20");
        stage
            .odoo
            .ok("account.move", "action_post", json!({"ids": [bill]}));
        let written = stage.odoo.call(
            "account.move",
            "write",
            json!({"ids": [bill], "vals": {"invoice_date": "2026-11-21"}}),
        );
        assert_eq!(written.is_ok(), version == Version::V17);
        // Create-once leaves it alone on every version.
        assert_eq!(stage.bill("b", &order, "9", "2026-11-20"), bill);
        assert_eq!(billed(&stage, &order), json!(3.0));
    }
}

#[test]
fn taxes_of_a_bill_are_booked_and_added() {
    for version in Version::ALL {
        let stage = Stage::in_november(version);
        let lines = json!([[0, 0, {"name": "Bolts", "quantity": 3, "price_unit": 1.11, "tax_ids": [[6, 0, [2]]]}], [0, 0, {"name": "Freight", "quantity": 1, "price_unit": 10, "tax_ids": []}]]);
        let partner = stage.load("res.partner", &["id"], &json!([["t.vendor"]]))[0];
        let id = stage.odoo.ok("account.move", "create", json!({"vals_list": [{"move_type": "in_invoice", "partner_id": partner, "invoice_line_ids": lines}]}))[0].as_i64().unwrap();
        let read = stage.read(
            "account.move",
            id,
            &[
                "amount_untaxed",
                "amount_tax",
                "amount_total",
                "invoice_line_ids",
                "line_ids",
            ],
        );
        assert_eq!(
            (
                &read["amount_untaxed"],
                &read["amount_tax"],
                &read["amount_total"]
            ),
            (&json!(13.33), &json!(0.5), &json!(13.83))
        );
        assert_eq!(read["invoice_line_ids"].as_array().unwrap().len(), 2);
        assert_eq!(read["line_ids"].as_array().unwrap().len(), 4);
    }
}
