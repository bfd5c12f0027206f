//! Facts that are only kept, at the door: what is taken of them, what is refused, and where.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::Path;

use interplant_domain::identifier::PlantCode;
use interplant_mapping::contract::Contract;
use interplant_mapping::event::{Event, Refusal, event};
use serde_json::{Value, json};

fn plant_c() -> PlantCode {
    "plant-c".parse().unwrap()
}

fn take(contract: &Contract, sent: &Value) -> Result<Event, Refusal> {
    let json = interplant_domain::json::parse(sent.to_string().as_bytes()).unwrap();
    event(contract, &plant_c(), json)
}

/// The samples of a plant with a manufacturing execution system and an accounting package.
fn samples() -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plants/plant-c/samples");
    ["production.json", "accounting.json"]
        .iter()
        .flat_map(|name| {
            let text = std::fs::read_to_string(folder.join(name)).unwrap();
            serde_json::from_str::<Vec<Value>>(&text).unwrap()
        })
        .collect()
}

fn sample(kind: &str) -> Value {
    let name = format!("interplant.{kind}.v1");
    let mut all = samples().into_iter();
    all.find(|event| event["type"] == name.as_str()).unwrap()
}

#[test]
fn what_such_a_plant_sends_is_taken_as_it_is() {
    let contract = Contract::new().unwrap();
    for sent in samples() {
        let taken = take(&contract, &sent).unwrap_or_else(|refusal| panic!("{refusal} {sent}"));
        assert!(taken.lifecycle.kind().only_keeps(), "{}", taken.lifecycle);
    }
}

#[test]
fn what_is_wrong_with_such_a_fact_is_named_with_its_place() {
    let contract = Contract::new().unwrap();
    for (kind, pointer, value, code) in [
        ("mo.released", "/moNumber", json!("  "), "invalid_value"),
        ("mo.released", "/qty", json!("0"), "invalid_value"),
        ("mo.released", "/qty", json!("1.1234567"), "invalid_number"),
        ("mo.released", "/qty", json!("40 PCE"), "invalid_number"),
        ("mo.released", "/plant", json!("plant-a"), "plant_mismatch"),
        (
            "mo.released",
            "/state",
            json!("Freigegeben"),
            "invalid_value",
        ),
        ("mo.released", "/state", json!("Ready"), "invalid_value"),
        (
            "mo.released",
            "/plannedEnd",
            json!("2026-10-28T14:00:00"),
            "invalid_date",
        ),
        (
            "mo.released",
            "/plannedEnd",
            json!("2026-02-30T14:00:00Z"),
            "invalid_date",
        ),
        (
            "mo.released",
            "/plannedEnd",
            json!("2026-10-27"),
            "invalid_date",
        ),
        (
            "mo.released",
            "/plannedEnd",
            json!("2026-10-27T05:59:59+01:00"),
            "invalid_value",
        ),
        ("mo.changed", "/revision", json!("0"), "invalid_value"),
        (
            "mo.changed",
            "/changes/itemId",
            json!("PUMP-8"),
            "unknown_field",
        ),
        (
            "material.issued",
            "/lines/0/derived",
            json!("guessed"),
            "invalid_value",
        ),
        (
            "material.issued",
            "/lines/0/scrapQty",
            json!("43"),
            "invalid_value",
        ),
        (
            "operation.completed",
            "/goodQty",
            json!(true),
            "invalid_number",
        ),
        (
            "operation.completed",
            "/hours",
            json!("6,25"),
            "invalid_number",
        ),
        (
            "operation.completed",
            "/final",
            json!("yes"),
            "invalid_value",
        ),
        (
            "production.exception.reported",
            "/cause",
            json!("weather"),
            "invalid_value",
        ),
        (
            "production.exception.reported",
            "/delayMinutes",
            json!("-5"),
            "invalid_value",
        ),
        (
            "fg.received",
            "/lines/0/expiry",
            json!("2036-10-32"),
            "invalid_date",
        ),
        (
            "item.proposed",
            "/localCodes/0/kind",
            json!("ean"),
            "invalid_value",
        ),
        (
            "stock.snapshot",
            "/controlTotals/lines",
            json!("4"),
            "invalid_value",
        ),
        (
            "stock.snapshot",
            "/lines/0/bin",
            json!("A-1"),
            "unknown_field",
        ),
        (
            "journal.entry.submitted",
            "/currency",
            json!("euro"),
            "invalid_value",
        ),
        (
            "journal.entry.submitted",
            "/lines/0/amount",
            json!("18450.75001"),
            "invalid_number",
        ),
    ] {
        let mut sent = sample(kind);
        let (parent, field) = pointer.rsplit_once('/').unwrap();
        sent["data"].pointer_mut(parent).unwrap()[field] = value.clone();
        let refusal = take(&contract, &sent).unwrap_err();
        assert_eq!(
            (refusal.code, refusal.pointer.as_deref()),
            (code, Some(format!("/data{pointer}").as_str())),
            "{kind} {pointer} {value}: {refusal}"
        );
    }
}

#[test]
fn a_choice_names_its_words_and_a_field_that_may_be_left_out_its_form() {
    let contract = Contract::new().unwrap();
    let said = |kind: &str, pointer: &str, value: Value| {
        let mut sent = sample(kind);
        *sent["data"].pointer_mut(pointer).unwrap() = value;
        take(&contract, &sent).unwrap_err().detail
    };
    assert_eq!(
        said(
            "production.exception.reported",
            "/severity",
            json!("urgent")
        ),
        r#""urgent" is none of critical, major, minor"#
    );
    assert_eq!(
        said("mo.released", "/state", json!("Freigegeben")),
        "\"Freigegeben\" is none of Forecast, Waiting, Ready, Released, Running, Held, Paused, Suspended, Completed, Closed, Cancelled, Aborted"
    );
    let hours = said("operation.completed", "/hours", json!("6,25"));
    assert!(hours.contains("digits with a point"), "{hours}");
    let end = said("mo.released", "/plannedEnd", json!("tomorrow"));
    assert!(
        end.contains("a moment as 2026-11-23T10:15:00+01:00"),
        "{end}"
    );
}

#[test]
fn an_entry_that_is_a_cent_off_is_refused_with_both_sums() {
    let mut sent = sample("journal.entry.submitted");
    sent["data"]["lines"][1]["amount"] = json!(-14020.41);
    let refusal = take(&Contract::new().unwrap(), &sent).unwrap_err();
    assert_eq!(refusal.pointer.as_deref(), Some("/data/lines"));
    assert_eq!(
        refusal.detail,
        "debit 18450.75 and credit 18450.76 differ by -0.01"
    );
}

#[test]
fn a_number_of_json_is_taken_by_its_text() {
    let contract = Contract::new().unwrap();
    let sent = sample("operation.completed");
    let mut numbers = sent.clone();
    numbers["data"]["hours"] = json!(6.25);
    numbers["data"]["goodQty"] = json!(18);
    assert_eq!(
        take(&contract, &numbers).unwrap().content_hash,
        take(&contract, &sent).unwrap().content_hash
    );
}
