//! Rust source as far as the rules need it: where code ends and comments, texts and tests begin.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Code,
    /// Inside a string or a character.
    Text,
    Comment,
}

/// The code of the product: comments and `#[cfg(test)]` items blanked out, texts and line breaks kept.
pub(crate) fn product(source: &str) -> String {
    let mut characters = classified(source);
    blank_tests(&mut characters);
    let keep = |(character, kind): (char, Kind)| {
        if kind == Kind::Comment && character != '\n' {
            ' '
        } else {
            character
        }
    };
    characters.into_iter().map(keep).collect()
}

/// The text of the module's own documentation, `//!`.
pub(crate) fn header(source: &str) -> String {
    let lines: Vec<&str> = source
        .lines()
        .map_while(|line| line.strip_prefix("//!"))
        .map(str::trim)
        .collect();
    lines.join(" ")
}

/// The words in backticks.
pub(crate) fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// What stands between the first `open` and the next `close` after it, again and again.
pub(crate) fn between<'t>(text: &'t str, open: &str, close: &str) -> Vec<&'t str> {
    text.split(open)
        .skip(1)
        .filter_map(|rest| rest.split_once(close))
        .map(|(found, _)| found)
        .collect()
}

/// Whether the word stands in the text on its own, not as a part of a longer one.
pub(crate) fn has_word(text: &str, word: &str) -> bool {
    let part =
        |character: char| character.is_alphanumeric() || character == '-' || character == '_';
    let mut pieces = text.split(word).peekable();
    let mut alone = false;
    while let (Some(before), Some(after)) = (pieces.next(), pieces.peek()) {
        alone |= !before.ends_with(part) && !after.starts_with(part);
    }
    alone
}

/// `match-invoice` as `MatchInvoice`.
pub(crate) fn camel(dashes: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters.next().map_or_else(String::new, |first| {
            first.to_ascii_uppercase().to_string() + letters.as_str()
        })
    };
    dashes.split('-').map(word).collect()
}

fn classified(source: &str) -> Vec<(char, Kind)> {
    let all: Vec<char> = source.chars().collect();
    let at = |index: usize| all.get(index).copied().unwrap_or('\0');
    let mut kinds = Vec::with_capacity(all.len());
    while kinds.len() < all.len() {
        let start = kinds.len();
        let (kind, length) = match (at(start), at(start + 1)) {
            ('/', '/') => (
                Kind::Comment,
                all.iter()
                    .skip(start)
                    .take_while(|character| **character != '\n')
                    .count(),
            ),
            ('/', '*') => (Kind::Comment, block_comment(&all, start)),
            ('"', _) => (Kind::Text, string(&all, start)),
            ('r', '"' | '#')
                if !at(start.wrapping_sub(1)).is_alphanumeric()
                    || at(start.wrapping_sub(1)) == 'b' =>
            {
                (Kind::Text, raw_string(&all, start))
            }
            ('\'', '\\') => (
                Kind::Text,
                3 + all
                    .iter()
                    .skip(start + 3)
                    .take_while(|character| **character != '\'')
                    .count()
                    + 1,
            ),
            ('\'', _) if at(start + 2) == '\'' => (Kind::Text, 3),
            _ => (Kind::Code, 1),
        };
        kinds.resize((start + length.max(1)).min(all.len()), kind);
    }
    all.into_iter().zip(kinds).collect()
}

fn block_comment(all: &[char], start: usize) -> usize {
    let (mut depth, mut length) = (0, 0);
    for pair in all.iter().skip(start).zip(all.iter().skip(start + 1)) {
        length += 1;
        match pair {
            ('/', '*') => depth += 1,
            ('*', '/') => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return length + 1;
        }
    }
    length + 1
}

fn string(all: &[char], start: usize) -> usize {
    let mut escaped = false;
    let inside = all.iter().skip(start + 1).take_while(|character| {
        let open = escaped || **character != '"';
        escaped = !escaped && **character == '\\';
        open
    });
    inside.count() + 2
}

/// `r"..."` and `r#"..."#`; `r#name` is code.
fn raw_string(all: &[char], start: usize) -> usize {
    let hashes = all
        .iter()
        .skip(start + 1)
        .take_while(|character| **character == '#')
        .count();
    let first = start + 1 + hashes;
    if all.get(first) != Some(&'"') {
        return 0;
    }
    let ends = |index: usize| {
        all.get(index) == Some(&'"')
            && all
                .iter()
                .skip(index + 1)
                .take_while(|character| **character == '#')
                .count()
                >= hashes
    };
    let end = (first + 1..all.len())
        .find(|index| ends(*index))
        .unwrap_or(all.len());
    end + 1 + hashes - start
}

fn blank_tests(characters: &mut [(char, Kind)]) {
    let code: String = characters
        .iter()
        .map(|(character, kind)| {
            if *kind == Kind::Code {
                *character
            } else {
                '\u{1}'
            }
        })
        .collect();
    for (found, attribute) in code.match_indices("#[cfg(test)]") {
        let start = code.get(..found).unwrap_or_default().chars().count();
        let mut depth = 0_usize;
        let mut length = 0;
        for character in code
            .get(found + attribute.len()..)
            .unwrap_or_default()
            .chars()
        {
            length += 1;
            match character {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            if depth == 0 && matches!(character, '}' | ';') {
                break;
            }
        }
        for (_, kind) in characters
            .iter_mut()
            .skip(start)
            .take(attribute.len() + length)
        {
            *kind = Kind::Comment;
        }
    }
}

#[test]
fn comments_and_tests_are_blanked_and_texts_kept() {
    let source = concat!(
        "//! plant-x\nfn a<'t>(c: char) { // plant-x\n let t = \"plant-y // no comment\"; /* plant-x /* nested */ plant-x */ }\n",
        "const R: &str = r#\"a \" plant-y\"#; const Q: char = '\"'; const E: char = '\\''; // plant-x\n",
        "#[cfg(test)]\nmod tests { const T: &str = \"plant-x }\"; fn f() {} }\nconst LAST: &str = \"plant-y\";\n",
    );
    let product = product(source);
    assert!(!product.contains("plant-x"), "{product}");
    assert_eq!(product.matches("plant-y").count(), 3, "{product}");
    assert!(
        product.contains("// no comment") && product.contains("const LAST"),
        "{product}"
    );
    assert_eq!(product.lines().count(), source.lines().count());
}

#[test]
fn a_word_is_found_only_on_its_own() {
    assert!(
        has_word("a plant-b, and", "plant-b")
            && has_word("plant-b", "plant-b")
            && has_word("plant-bc plant-b", "plant-b")
    );
    assert!(!has_word("my-plant-b plant-bc plant-b-2", "plant-b"));
}
