//! Recorded races: two calls that overlapped.

use interplant_odoo_sandbox::{Fault, FaultKind, Sandbox};
use serde_json::{Value as Json, json};

use super::compare::{self, Pairs, unwrap};
use super::translate::Recorded;
use crate::client::Client;

/// Two lines of one race: the same words but for the letter at the end.
pub(super) fn belong_together(a: &Json, b: &Json) -> bool {
    let name = |line: &Json| {
        let step = line["step"].as_str()?;
        step.strip_prefix("race ")?;
        line.get("request")?;
        step.strip_suffix(" A")
            .or_else(|| step.strip_suffix(" B"))
            .map(str::to_owned)
    };
    name(a).is_some() && name(a) == name(b)
}

/// What the flow did before the races without recording it.
pub(super) fn prepare(admin: &Client, pairs: &mut Pairs) {
    let partner = admin.ok(
        "res.partner",
        "create",
        json!({"vals_list": [{"name": "Race"}]}),
    )[0]
    .clone();
    let product = admin.ok(
        "product.product",
        "create",
        json!({"vals_list": [{"name": "Raced"}]}),
    )[0]
    .clone();
    let order = |quantity: u32| {
        let line = json!([0, 0, {"product_id": product, "product_qty": quantity, "price_unit": 1}]);
        admin.ok(
            "purchase.order",
            "create",
            json!({"vals_list": [{"partner_id": partner, "order_line": [line]}]}),
        )[0]
        .as_i64()
        .unwrap()
    };
    let stage = Stage {
        partner: partner.as_i64().unwrap(),
        order: order(10),
        others: (0..4).map(|_| order(10)).collect(),
        taken: 0,
    };
    for other in &stage.others {
        admin.ok("purchase.order", "button_confirm", json!({"ids": [other]}));
    }
    pairs.stage = Some(stage);
}

/// The records the races are about.
#[derive(Debug, Clone)]
pub(crate) struct Stage {
    partner: i64,
    order: i64,
    others: Vec<i64>,
    /// How many of the others have been received.
    taken: usize,
}

/// Ties the recorded ids of a race's records, which no recorded answer named, to the stage's.
pub(super) fn set_the_stage(sandbox: &Sandbox, pairs: &mut Pairs, call: &Recorded, line: &Json) {
    let Some(stage) = pairs.stage.clone() else {
        return;
    };
    let admin = Client::admin(sandbox);
    let body = &line["request"]["body"];
    let recorded = body["ids"][0]
        .as_i64()
        .or_else(|| body["params"]["args"][5][0][0].as_i64());
    let Some(recorded) = recorded else { return };
    let picking = |order: i64| {
        admin.ok(
            "purchase.order",
            "read",
            json!({"ids": [order], "fields": ["picking_ids"]}),
        )[0]["picking_ids"]
            .clone()
    };
    let ours = match (call.model.as_str(), call.method.as_str()) {
        ("res.partner", _) => stage.partner,
        ("purchase.order", _) => stage.order,
        ("stock.picking", _)
            if line["step"]
                .as_str()
                .unwrap_or_default()
                .contains("different receipts") =>
        {
            if let Some(stage) = &mut pairs.stage {
                stage.taken += 1;
            }
            picking(stage.others[stage.taken])[0].as_i64().unwrap()
        }
        ("stock.picking", _) => {
            let pickings = picking(stage.order);
            let first = pickings
                .as_array()
                .unwrap()
                .last()
                .unwrap()
                .as_i64()
                .unwrap();
            let moves = admin.ok(
                "stock.picking",
                "read",
                json!({"ids": [first], "fields": ["move_ids"]}),
            )[0]["move_ids"]
                .clone();
            admin.ok(
                "stock.move",
                "write",
                json!({"ids": moves, "vals": {"quantity": 4, "picked": true}}),
            );
            first
        }
        ("account.move", _) => {
            let bills = admin.ok(
                "purchase.order",
                "read",
                json!({"ids": [stage.order], "fields": ["invoice_ids"]}),
            )[0]["invoice_ids"]
                .clone();
            let newest = bills
                .as_array()
                .unwrap()
                .iter()
                .filter_map(Json::as_i64)
                .max()
                .unwrap();
            let known = pairs.ours("account.move", recorded);
            let bill = if bills.as_array().unwrap().contains(&json!(known)) {
                known
            } else {
                newest
            };
            admin.ok(
                "account.move",
                "write",
                json!({"ids": [bill], "vals": {"invoice_date": "2026-11-23"}}),
            );
            bill
        }
        _ => return,
    };
    pairs.tie(&call.model, recorded, ours);
}

/// Runs both calls so that they overlap, and compares the two outcomes in either order.
pub(super) fn run(sandbox: &Sandbox, pairs: &mut Pairs, a: &Json, b: &Json) -> Vec<String> {
    let calls = [Recorded::new(a), Recorded::new(b)];
    set_the_stage(sandbox, pairs, &calls[0], a);
    sandbox.add_fault(
        Fault::new(FaultKind::Overlap)
            .on(&calls[0].model, &calls[0].method)
            .calls(2),
    );
    let [first, second] = std::thread::scope(|scope| {
        let threads = [&calls[0], &calls[1]].map(|call| {
            let prepared = call.prepare(sandbox, pairs);
            scope.spawn(move || prepared.send())
        });
        threads.map(|thread| thread.join().unwrap())
    });
    sandbox.clear_faults();
    let failed = |body: &Json| {
        let body = unwrap(body);
        body.get("raised").is_some() || body["ids"] == json!(false)
    };
    // Which of the two wins is chance: the recorded winner is compared with ours, the loser with the loser.
    let crossed = failed(&a["response"]["body"]) != failed(&first.json());
    let pairings = if crossed {
        [(a, &calls[0], &second), (b, &calls[1], &first)]
    } else {
        [(a, &calls[0], &first), (b, &calls[1], &second)]
    };
    pairings
        .into_iter()
        .flat_map(|(line, call, response)| compare::answers(pairs, call, line, response))
        .collect()
}
