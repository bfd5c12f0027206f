//! What no file of the repository may hold.

use crate::report;
use crate::repository::{files, root};

/// The lines of every file that is text.
fn lines() -> Vec<(String, usize, String)> {
    let texts = files().into_iter().filter_map(|path| {
        std::fs::read_to_string(root().join(&path))
            .ok()
            .map(|text| (path, text))
    });
    let numbered = |(path, text): (String, String)| {
        text.lines()
            .enumerate()
            .map(|(index, line)| (path.clone(), index + 1, line.to_owned()))
            .collect::<Vec<_>>()
    };
    texts.flat_map(numbered).collect()
}

#[test]
fn no_file_names_a_path_of_the_machine_it_was_written_on() {
    // Put together, so that this file does not hold them itself.
    let mut paths: Vec<String> = ["home", "root", "work", "Users"]
        .map(|folder| format!("/{folder}/"))
        .into();
    let here = root().to_str().unwrap().to_owned();
    if here.matches('/').count() > 1 {
        paths.push(here);
    }
    let names = |line: &str, path: &str| {
        // `https://example.org/work/` is an address, `../work/` a folder next to us.
        let begins = |before: &str| {
            !before
                .ends_with(|letter: char| letter.is_alphanumeric() || "._-~}*$/".contains(letter))
        };
        line.match_indices(path)
            .any(|(index, _)| line.get(..index).is_some_and(begins))
    };
    let found = lines()
        .into_iter()
        .filter(|(_, _, line)| paths.iter().any(|path| names(line, path)));
    let findings: Vec<_> = found
        .map(|(path, number, line)| format!("{path}:{number}: {}", line.trim()))
        .collect();
    report(
        "paths that exist on one machine only; write them from the root of the repository:",
        &findings,
    );
}

#[test]
fn nothing_is_left_for_later_in_a_comment() {
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME")];
    let found = lines()
        .into_iter()
        .filter(|(_, _, line)| marks.iter().any(|mark| crate::source::has_word(line, mark)));
    let findings: Vec<_> = found
        .map(|(path, number, line)| format!("{path}:{number}: {}", line.trim()))
        .collect();
    report("do it, or open an issue and remove the note:", &findings);
}
