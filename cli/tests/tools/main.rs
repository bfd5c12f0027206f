//! The tools for a new plant, as an integration engineer uses them: looking at files, writing a pack, checking it,
//! comparing it with another.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

mod differences;
mod exceptions;
mod folders;
mod packs;
mod profile;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// What a command said.
struct Said {
    right: bool,
    out: String,
    error: String,
}

fn interplant(arguments: &[&str]) -> Said {
    let run = Command::new(env!("CARGO_BIN_EXE_interplant"))
        .args(arguments)
        // Neither a cloud of this machine nor one of AWS is meant.
        .env_clear()
        .env("USER", "tester")
        .output()
        .unwrap();
    Said {
        right: run.status.success(),
        out: String::from_utf8_lossy(&run.stdout).into_owned(),
        error: String::from_utf8_lossy(&run.stderr).into_owned(),
    }
}

/// Runs what must succeed; what it printed as JSON.
fn json(arguments: &[&str]) -> Value {
    let said = interplant(&[&["--json"], arguments].concat());
    assert!(said.right, "{arguments:?}: {}{}", said.out, said.error);
    serde_json::from_str(&said.out).unwrap()
}

/// An empty folder of a test's own.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("tools")
        .join(name);
    if folder.exists() {
        std::fs::remove_dir_all(&folder).unwrap();
    }
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn written(folder: &Path, name: &str, content: impl AsRef<[u8]>) -> String {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Takes the marks out of a pack, as a person does who has settled what they say.
fn settle(pack: &Path) {
    let feeds = std::fs::read_dir(pack.join("feeds")).unwrap();
    let feeds = feeds.map(|entry| entry.unwrap().path());
    for path in feeds.chain([pack.join("plant.yaml")]) {
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace("# ! ", "# ")).unwrap();
    }
}

/// Real input, when the folder is there.
fn legacy(file: &str) -> Option<String> {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let shared = ["../shared", "../../shared"]
        .map(|up| project.join(up).join("data/legacy-erp").join(file))
        .into_iter()
        .find(|path| path.is_file());
    if shared.is_none() {
        println!("left out: there is no {file} of a legacy ERP");
    }
    shared.map(|path| path.to_str().unwrap().to_owned())
}

/// An Italian system's orders: semicolons, decimal comma, days of day and month, codes filled up with blanks, a last
/// line with the number of rows. Every seventh row writes its unit in small letters.
fn italian(orders: usize) -> Vec<u8> {
    let mut text = String::from(
        "N. Ordine;Data Ordine;Cod. Fornitore;Ragione Sociale;Riga;Codice Articolo;Q.tà Ordinata;U.M.;Prezzo Unitario;Data Consegna\r\n",
    );
    let mut rows = 0;
    for order in 0..orders {
        let supplier = order % 7;
        for line in 1..=(order % 4 + 1) {
            rows += 1;
            let unit = if rows % 7 == 0 { "pz" } else { "PZ" };
            let day = order % 28 + 1;
            text.push_str(&format!(
                "{}/26;{day:02}/03/2026;F{supplier:03};{};{};A-{:03}     ;1.{line}00,50;{unit};{line},{:04};{day:02}/04/2026\r\n",
                20_000 + order,
                ["Officine Rossi", "Società Metalli", "Fonderia Però"][supplier % 3],
                line * 10,
                rows % 50,
                order % 100 + 1,
            ));
        }
    }
    text.push_str(&format!("FINE;{rows}\r\n"));
    let (bytes, ..) = encoding_rs::WINDOWS_1252.encode(&text);
    bytes.into_owned()
}
