//! The plants of the project, as an integration engineer checks them.

use std::path::Path;
use std::process::Command;

#[test]
fn the_samples_of_every_plant_give_the_facts_that_are_expected() {
    let plants = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plants");
    let mut checked = 0;
    for entry in std::fs::read_dir(plants).unwrap() {
        let folder = entry.unwrap().path();
        if !folder.join("plant.yaml").is_file() {
            continue;
        }
        let run = Command::new(env!("CARGO_BIN_EXE_interplant"))
            .args(["plant", "check"])
            .arg(&folder)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&run.stdout);
        assert!(run.status.success(), "{}: {said}", folder.display());
        checked += 1;
    }
    assert!(checked >= 3, "{checked} plants");
}

#[test]
fn a_sample_that_gives_something_else_is_told_field_by_field() {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join("plants/plant-b");
    let samples = copy.join("samples/purchase-orders");
    std::fs::create_dir_all(&samples).unwrap();
    std::fs::create_dir_all(copy.join("feeds")).unwrap();
    let from = project.join("plants/plant-b");
    for file in ["plant.yaml", "feeds/purchase-orders.yaml"] {
        std::fs::copy(from.join(file), copy.join(file)).unwrap();
    }
    for entry in std::fs::read_dir(from.join("samples/purchase-orders")).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let text = text.replace("\t46.0635\t", "\t46.0636\t");
        std::fs::write(samples.join(path.file_name().unwrap()), text).unwrap();
    }
    let run = Command::new(env!("CARGO_BIN_EXE_interplant"))
        .args(["plant", "check"])
        .arg(&copy)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(!run.status.success());
    assert!(
        said.contains("/data/lines/0/unitPrice is \"46.0636\", expected was \"46.0635\""),
        "{said}"
    );
}
