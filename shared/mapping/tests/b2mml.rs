//! B2MML of several versions, through the packs that come with Interplant and through feeds of one's own.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod support;

use serde_json::json;
use support::{feed, run};

const RECEIPTS: &str = include_str!("../../../plants/packs/b2mml-receipts.yaml");
const INSPECTIONS: &str = include_str!("../../../plants/packs/b2mml-inspections.yaml");

fn with_pack(own: &str, path: &str, pack: &str) -> interplant_mapping::feed::Feed {
    feed(&[
        (
            "somewhere/feeds/mes.yaml",
            &format!("extends: {path}\n{own}"),
        ),
        (path, pack),
    ])
}

fn lot(lot: &str, quantity: &str, usage: &str) -> String {
    format!(
        "<MaterialActual><MaterialDefinitionID schemeID='erp'>A-1</MaterialDefinitionID><MaterialLotID>{lot}</MaterialLotID>\
         <MaterialUse>{usage}</MaterialUse><Quantity><QuantityString>{quantity}</QuantityString><DataType>decimal</DataType>\
         <UnitOfMeasure>KGM</UnitOfMeasure></Quantity></MaterialActual>"
    )
}

fn receipt(lots: &str) -> String {
    format!(
        "<OperationsPerformance><ID>P1</ID><OperationsType>Inventory</OperationsType><PublishedDate>2026-07-01T08:00:00Z</PublishedDate>\
         <OperationsResponse><ID>R1</ID><OperationsRequestID>4711</OperationsRequestID><OperationsDefinitionID>GoodsReceipt</OperationsDefinitionID>\
         <SegmentResponse><ID>10</ID>{lots}</SegmentResponse></OperationsResponse>\
         <OperationsResponse><ID>R2</ID><OperationsDefinitionID>Transfer</OperationsDefinitionID></OperationsResponse></OperationsPerformance>"
    )
}

fn message(verb: &str, noun: &str, namespace: &str, content: &str) -> String {
    format!(
        "<b:{verb}{noun} releaseID='1' xmlns:b='{namespace}' xmlns='{namespace}'><b:ApplicationArea><b:CreationDateTime>2026-07-01T09:00:00+02:00\
         </b:CreationDateTime></b:ApplicationArea><b:DataArea><b:{verb}/>{content}</b:DataArea></b:{verb}{noun}>"
    )
}

#[test]
fn a_receipt_is_the_same_in_every_version_and_with_every_verb() {
    let feed = with_pack("system: mes", "packs/b2mml-receipts.yaml", RECEIPTS);
    let lots = lot("L1", "1.50", "Inventoried")
        + &lot("L2", "2", "Inventoried")
        + &lot("X", "9", "Returned Sample");
    let content = receipt(&lots);
    let mut all = vec![content.clone()];
    for namespace in [
        "http://www.mesa.org/xml/B2MML-V0600",
        "http://www.mesa.org/xml/B2MML",
    ] {
        for verb in ["Process", "Sync", "Show", "Notify"] {
            all.push(message(verb, "OperationsPerformance", namespace, &content));
        }
    }
    for text in all {
        let came = run(&feed, text.as_bytes()).unwrap();
        let event = came.only();
        assert_eq!(event["time"], "2026-07-01T08:00:00Z", "{text}");
        assert_eq!(
            event["data"],
            json!({"receiptNumber": "R1", "poNumber": "4711", "lines": [{
                "lineNo": "10", "itemId": "A-1", "qtyReceived": "3.5", "uom": "KGM",
                "lots": [{"lotId": "L1", "qty": "1.5"}, {"lotId": "L2", "qty": "2"}]
            }]}),
            "{text}"
        );
    }
    let mixed = lots.replacen("KGM", "PCE", 1);
    let came = run(&feed, receipt(&mixed).as_bytes()).unwrap();
    assert_eq!((came.made.len(), came.not_made.len()), (0, 1));
    assert_eq!(
        came.not_made[0].pointer, "/data/lines/0/uom",
        "{:?}",
        came.not_made
    );
}

#[test]
fn a_plant_writes_over_a_pack_what_it_does_in_another_way() {
    let own = "columns:\n  receipt: '\"Transfer\"'\nevents:\n  received:\n    data:\n      poNumber: '\"4712\"'";
    let feed = with_pack(own, "packs/b2mml-receipts.yaml", RECEIPTS);
    let text = receipt(&lot("L1", "1", "Inventoried")).replace(
        "<OperationsDefinitionID>Transfer</OperationsDefinitionID>",
        &format!(
            "<OperationsDefinitionID>Transfer</OperationsDefinitionID><SegmentResponse><ID>20</ID>{}</SegmentResponse>",
            lot("L2", "1", "Inventoried")
        ),
    );
    let came = run(&feed, text.as_bytes()).unwrap();
    let data = &came.only()["data"];
    assert_eq!(
        (&data["receiptNumber"], &data["poNumber"]),
        (&json!("R2"), &json!("4712"))
    );
}

#[test]
fn a_test_result_is_an_inspection() {
    let feed = with_pack("system: lims", "packs/b2mml-inspections.yaml", INSPECTIONS);
    let measured = |id: &str, value: &str| {
        format!(
            "<PropertyMeasurement><ID>{id}</ID><Value><ValueString>{value}</ValueString></Value></PropertyMeasurement>"
        )
    };
    let result = |id: &str, rejected: &str| {
        format!(
            "<TestResult><ID>{id}</ID><EvaluationDate>2026-07-02T10:00:00Z</EvaluationDate><TestableObjectID>L1</TestableObjectID>{}{}</TestResult>",
            measured("QuantityAccepted", "1.0"),
            measured("QuantityRejected", rejected)
        )
    };
    let content = format!(
        "<OperationsTestInformation><ID>T</ID>{}{}</OperationsTestInformation>",
        result("Q1", "0.5"),
        result("Q2", "few")
    );
    let text = message(
        "Process",
        "OperationsTestInformation",
        "http://www.mesa.org/xml/B2MML",
        &content,
    );
    let came = run(&feed, text.as_bytes()).unwrap();
    assert_eq!((came.made.len(), came.not_made.len()), (1, 1));
    assert_eq!(
        came.made[0].event["data"],
        json!({"inspectionId": "Q1", "lotId": "L1", "qtyAccepted": "1", "qtyRejected": "0.5"})
    );
    assert_eq!(came.not_made[0].document.as_deref(), Some("Q2"));
}
