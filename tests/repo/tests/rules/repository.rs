//! The files and the packages of this repository.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use serde::Deserialize;

/// A package as cargo sees it.
#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    manifest_path: String,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) features: BTreeMap<String, Vec<String>>,
}

/// What a package depends on; `kind` is none for an ordinary dependency, else `dev` or `build`.
#[derive(Debug, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) kind: Option<String>,
    pub(crate) features: Vec<String>,
}

impl Package {
    /// Folder of the package from the root, such as `shared/domain`.
    pub(crate) fn folder(&self) -> String {
        let folder = PathBuf::from(&self.manifest_path);
        folder
            .parent()
            .unwrap()
            .strip_prefix(root())
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned()
    }
}

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap()
        .to_owned()
}

/// The text of a file, by its path from the root.
pub(crate) fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every file that belongs to the repository, committed or about to be, in order; not what .gitignore leaves out.
pub(crate) fn files() -> Vec<String> {
    // A checkout may belong to another user than the one who tests.
    let arguments = [
        "-c",
        "safe.directory=*",
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ];
    let output = Command::new("git")
        .args(arguments)
        .current_dir(root())
        .output()
        .unwrap_or_else(|error| panic!("git is needed: {error}"));
    assert!(
        output.status.success(),
        "git ls-files failed, run the tests in a checkout: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).unwrap();
    let mut files: Vec<String> = text
        .split('\0')
        .filter(|path| root().join(path).is_file())
        .map(str::to_owned)
        .collect();
    files.sort();
    files.dedup();
    files
}

/// Files of a folder whose name ends like this.
pub(crate) fn files_in(folder: &str, ending: &str) -> Vec<String> {
    files()
        .into_iter()
        .filter(|path| path.starts_with(folder) && path.ends_with(ending))
        .collect()
}

/// The packages of the workspace.
pub(crate) fn packages() -> Vec<Package> {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Package>,
    }
    let arguments = [
        "metadata",
        "--no-deps",
        "--offline",
        "--format-version",
        "1",
    ];
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "cargo metadata failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice::<Metadata>(&output.stdout)
        .unwrap()
        .packages
}
