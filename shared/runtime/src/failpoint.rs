//! Points at which a test may kill the process, by name.
//!
//! Only with the feature `failpoints`, which no release build has: there the macro is nothing. A test that
//! wants a kill puts an empty file with the point's name into the folder that `INTERPLANT_FAILPOINTS` names;
//! the process that passes the point first removes the file and ends as if by `kill -9`.

/// Ends the process here if a test asked for it.
#[macro_export]
macro_rules! failpoint {
    ($name:literal) => {
        #[cfg(feature = "failpoints")]
        $crate::failpoint::pass($name);
    };
    ($name:literal, $lifecycle:expr) => {
        #[cfg(feature = "failpoints")]
        {
            $crate::failpoint::pass($name);
            $crate::failpoint::pass_of($name, $lifecycle);
        }
    };
}

/// Ends every process that passes the point for this lifecycle, as long as the file `<name>@<lifecycle's hash>` is there.
#[cfg(feature = "failpoints")]
pub fn pass_of(name: &str, lifecycle: &interplant_domain::identifier::LifecycleId) {
    if folder().is_some_and(|folder| folder.join(format!("{name}@{}", lifecycle.hash())).exists()) {
        std::process::abort();
    }
}

#[cfg(feature = "failpoints")]
fn folder() -> Option<std::path::PathBuf> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test's switch, not a setting of the product"
    )]
    let folder = std::env::var("INTERPLANT_FAILPOINTS");
    folder.ok().map(std::path::PathBuf::from)
}

/// Ends the process if the file of the point is there; the file is taken by exactly one process.
#[cfg(feature = "failpoints")]
pub fn pass(name: &str) {
    if folder().is_some_and(|folder| std::fs::remove_file(folder.join(name)).is_ok()) {
        std::process::abort();
    }
}
