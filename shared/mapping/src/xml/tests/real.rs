//! Messages of a real MES, where they are at hand.

use std::path::{Path, PathBuf};

use super::*;

/// Where shared inputs are: they are no part of the project.
fn shared() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    [root.join("../shared"), root.join("../../shared")]
        .into_iter()
        .find(|folder| folder.join("data").is_dir())
}

#[test]
#[expect(
    clippy::print_stdout,
    reason = "whoever reads the tests is told what was not there"
)]
fn messages_of_an_mes_become_documents_without_a_word_about_versions() {
    let Some(folder) = shared().map(|shared| shared.join("data/mes-b2mml")) else {
        println!("no ../shared/data: nothing was read");
        return;
    };
    // The nouns are children of the data area whatever the verb and the version; attributes name languages only.
    let any = format(
        "document: [/*/DataArea/MaterialDefinition, /*/DataArea/ProductionSchedule, /*/DataArea/ProductionPerformance]\n\
         repeated: [ProductionRequest, ProductionResponse, SegmentRequirement, SegmentResponse, MaterialRequirement, MaterialActual]\n\
         attributes: []",
    );
    // The file, its only document, where it begins, and what is in it.
    let cases = [
        (
            "MAT-20121210170256-CRBN0001.xml",
            ("MaterialDefinition", 11),
            vec![
                ("/_around/_element", json!("SyncMaterialDefinition")),
                ("/_around/ApplicationArea/Sender/LogicalID", json!("DEV130")),
                (
                    "/_around/ApplicationArea/CreationDateTime",
                    json!("2012-12-10T17:02:56.0Z"),
                ),
                // The verb holds nothing: it is named, as everything empty is.
                ("/_around/DataArea/_empty", json!(["Sync"])),
                ("/ID", json!("CRBN0001")),
                ("/Description", json!("Product Courbon0001")),
                (
                    "/MaterialDefinitionProperty/0/ID",
                    json!("BaseUnitOfMeasure"),
                ),
                // One value is itself, two are a list: the feed does not ask for a list here.
                (
                    "/MaterialDefinitionProperty/0/Value/ValueString",
                    json!("KG"),
                ),
                (
                    "/MaterialDefinitionProperty/0/Value/_empty",
                    json!(["UnitOfMeasure"]),
                ),
                (
                    "/MaterialDefinitionProperty/1/Value/0/ValueString",
                    json!("C"),
                ),
                (
                    "/MaterialDefinitionProperty/1/Value/1/ValueString",
                    json!("XN"),
                ),
            ],
        ),
        (
            "PES-20121229115825-53107.xml",
            ("ProductionPerformance", 8),
            vec![
                (
                    "/_around/ApplicationArea/CreationDateTime",
                    json!("2012-11-29T11:58:25.3149559+01:00"),
                ),
                ("/ProductionResponse/0/ID", json!("53107")),
                (
                    "/ProductionResponse/0/SegmentResponse/0/ID",
                    json!("Weighing"),
                ),
                (
                    "/ProductionResponse/0/SegmentResponse/0/MaterialActual/0/MaterialLotID",
                    json!("CRBN0001_LOT01"),
                ),
                // Eighteen digits stay eighteen digits.
                (
                    "/ProductionResponse/0/SegmentResponse/0/MaterialActual/0/MaterialSubLotID",
                    json!("430147330000056734"),
                ),
                (
                    "/ProductionResponse/0/SegmentResponse/0/MaterialActual/0/MaterialUse",
                    json!("Consumed"),
                ),
                (
                    "/ProductionResponse/0/SegmentResponse/0/MaterialActual/0/Quantity/QuantityString",
                    json!("0.41"),
                ),
                (
                    "/ProductionResponse/0/SegmentResponse/0/MaterialActual/0/Quantity/UnitOfMeasure",
                    json!("KG"),
                ),
            ],
        ),
        (
            "PRO-20121210181416-27942.xml",
            ("ProductionSchedule", 11),
            vec![
                ("/ProductionRequest/0/ID", json!("258456")),
                (
                    "/ProductionRequest/0/SegmentRequirement/0/ID",
                    json!("0010"),
                ),
                (
                    "/ProductionRequest/0/SegmentRequirement/0/MaterialRequirement/0/MaterialDefinitionID",
                    json!("SO1215"),
                ),
                (
                    "/ProductionRequest/0/SegmentRequirement/0/MaterialRequirement/0/Quantity/QuantityString",
                    json!("1.000"),
                ),
                (
                    "/ProductionRequest/0/SegmentRequirement/0/SegmentRequirement/0/ProcessSegmentID",
                    json!("Weighing"),
                ),
                (
                    "/ProductionRequest/0/SegmentRequirement/0/SegmentRequirement/0/MaterialRequirement/2/Quantity/QuantityString",
                    json!("811.000"),
                ),
                (
                    "/ProductionRequest/0/SegmentRequirement/0/SegmentRequirement/0/SegmentRequirement/0/MaterialRequirement/1/Quantity/QuantityString",
                    json!("2152.3"),
                ),
            ],
        ),
    ];
    for (file, (element, line), wanted) in cases {
        let opened = std::fs::File::open(folder.join(file)).unwrap();
        let (all, faults) = read_all(opened, &any);
        assert_eq!(faults, [], "{file}");
        let [document] = all.as_slice() else {
            panic!("{file}: {all:?}");
        };
        assert_eq!(
            (&document["_element"], &document["_line"]),
            (&json!(element), &json!(line.to_string()))
        );
        for (pointer, value) in wanted {
            assert_eq!(document.pointer(pointer), Some(&value), "{file} {pointer}");
        }
    }
}
