//! Two calls at once: both start before either commits.

use interplant_odoo_sandbox::{Fault, FaultKind, Version};
use serde_json::{Value as Json, json};

use crate::client::{Client, Raised};
use crate::stage::{Stage, once};

/// The same call from two clients, overlapping.
fn at_once(stage: &Stage, model: &str, method: &str, args: [Json; 2]) -> [Result<Json, Raised>; 2] {
    stage
        .sandbox
        .add_fault(Fault::new(FaultKind::Overlap).on(model, method));
    std::thread::scope(|scope| {
        args.map(|args| {
            let client = Client::integration(&stage.sandbox);
            scope.spawn(move || client.call(model, method, args))
        })
        .map(|thread| thread.join().unwrap())
    })
}

fn twice(stage: &Stage, model: &str, method: &str, args: Json) -> [Result<Json, Raised>; 2] {
    at_once(stage, model, method, [args.clone(), args])
}

#[test]
fn of_two_loads_of_a_new_id_exactly_one_wins() {
    for version in Version::ALL {
        let stage = Stage::new(version);
        let args =
            json!({"fields": ["id", "name"], "data": [["t.raced", "Raced"]], "context": once()});
        let answers = twice(&stage, "res.partner", "load", args.clone()).map(Result::unwrap);
        let (won, lost): (Vec<_>, Vec<_>) =
            answers.iter().partition(|answer| answer["ids"].is_array());
        assert_eq!((won.len(), lost.len()), (1, 1));
        assert_eq!(lost[0]["ids"], json!(false));
        assert_eq!(
            lost[0]["messages"][0]["message"],
            "could not serialize access due to concurrent update\n"
        );
        assert_eq!(
            stage.odoo.ok("res.partner", "load", args)["ids"],
            won[0]["ids"],
            "the repeat answers the winner's id"
        );
    }
}

#[test]
fn of_four_loads_of_a_new_id_exactly_one_wins() {
    let stage = Stage::new(Version::V19);
    stage.sandbox.add_fault(
        Fault::new(FaultKind::Overlap)
            .on("res.partner", "load")
            .calls(4),
    );
    let won = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let client = Client::integration(&stage.sandbox);
                scope.spawn(move || {
                    client.ok(
                        "res.partner",
                        "load",
                        json!({"fields": ["id", "name"], "data": [["t.raced", "Raced"]]}),
                    )
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .filter(|answer| answer["ids"].is_array())
            .count()
    });
    assert_eq!(won, 1);
}

#[test]
fn of_two_confirmations_one_has_the_effect_and_the_loser_is_misled_before_19() {
    for version in Version::ALL {
        let stage = Stage::new(version);
        let id = stage.draft("o", "10", "4");
        let answers = twice(
            &stage,
            "purchase.order",
            "button_confirm",
            json!({"ids": [id]}),
        );
        check(version, &answers);
        assert_eq!(stage.sandbox.records("stock.picking").unwrap().len(), 1);
    }
}

#[test]
fn of_two_validations_one_has_the_effect_and_the_loser_is_misled_before_19() {
    for version in Version::ALL {
        let stage = Stage::new(version);
        let order = stage.order("o");
        let answers = twice(
            &stage,
            "stock.picking",
            "button_validate",
            json!({"ids": [order.picking], "context": {"skip_backorder": true}}),
        );
        check(version, &answers);
        assert_eq!(stage.received(&order), [json!(10.0), json!(4.0)]);
    }
}

fn check(version: Version, answers: &[Result<Json, Raised>; 2]) {
    let errors: Vec<&Raised> = answers
        .iter()
        .filter_map(|answer| answer.as_ref().err())
        .collect();
    if version == Version::V19 {
        assert!(errors.is_empty(), "{errors:?}");
    } else {
        assert_eq!(errors.len(), 1);
        assert!(
            errors[0].message.contains("cannot follow twice"),
            "{errors:?}"
        );
    }
}

#[test]
fn two_bills_posted_at_once_get_different_numbers() {
    for version in Version::ALL {
        let stage = Stage::in_november(version);
        let order = stage.order("o");
        let bills = ["a", "b"].map(|name| stage.bill(name, &order, "1", "2026-11-20"));
        let answers = at_once(
            &stage,
            "account.move",
            "action_post",
            bills.map(|bill| json!({"ids": [bill]})),
        );
        assert_eq!(answers, [Ok(json!(false)), Ok(json!(false))]);
        let names = bills.map(|bill| stage.read("account.move", bill, &["name"])["name"].clone());
        assert_ne!(names[0], names[1]);
    }
}

#[test]
fn two_writes_on_one_record_both_succeed_and_none_is_half_done() {
    let stage = Stage::new(Version::V19);
    let id = stage.load("res.partner", &["id"], &json!([["t.vendor"]]))[0];
    let args = ["A", "B"].map(|text| json!({"ids": [id], "vals": {"name": text, "ref": text}}));
    assert_eq!(
        at_once(&stage, "res.partner", "write", args),
        [Ok(json!(true)), Ok(json!(true))]
    );
    let read = stage.read("res.partner", id, &["name", "ref"]);
    assert_eq!(read["name"], read["ref"]);
}

#[test]
fn calls_on_different_records_do_not_disturb_each_other() {
    let stage = Stage::new(Version::V18);
    let orders = ["a", "b"].map(|name| stage.order(name));
    let args = [&orders[0], &orders[1]]
        .map(|order| json!({"ids": [order.picking], "context": {"skip_backorder": true}}));
    assert_eq!(
        at_once(&stage, "stock.picking", "button_validate", args),
        [Ok(json!(true)), Ok(json!(true))]
    );
    for order in &orders {
        assert_eq!(stage.received(order), [json!(10.0), json!(4.0)]);
    }
}
