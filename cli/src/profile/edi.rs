//! Interchanges, looked at from outside: who sends what to whom, and how much.

use std::collections::BTreeMap;

use serde::Serialize;

/// What an interchange says of itself.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Interchanges {
    /// How many.
    pub(crate) interchanges: usize,
    /// What separates its parts, by name.
    pub(crate) separators: Vec<(&'static str, String)>,
    /// Who sends and who receives, such as `ZZ:ACME`, each once.
    pub(crate) parties: Vec<(String, String)>,
    /// Messages or transaction sets: kind, version, how many.
    pub(crate) messages: Vec<(String, String, usize)>,
    /// How often each segment is there.
    pub(crate) segments: BTreeMap<String, usize>,
    /// Headers without their trailer, or the other way round.
    pub(crate) unbalanced: Vec<String>,
    /// Whether it says that it is a test.
    pub(crate) test: bool,
}

/// The separators of X12 are where the header puts them.
pub(crate) fn x12(text: &str) -> Interchanges {
    let mut all = Interchanges::default();
    let text = text.trim_start();
    let letters: Vec<char> = text.chars().take(400).collect();
    let Some(element) = letters.get(3).copied() else {
        return all;
    };
    // The header has sixteen elements, of fixed lengths in most files.
    let sixteenth = letters
        .iter()
        .enumerate()
        .filter(|(_, letter)| **letter == element)
        .map(|(at, _)| at)
        .nth(15);
    let Some(sixteenth) = sixteenth else {
        return all;
    };
    let component = letters.get(sixteenth + 1).copied().unwrap_or(':');
    let terminator = letters.get(sixteenth + 2).copied().unwrap_or('~');
    all.separators = vec![
        ("element", shown(element)),
        ("component", shown(component)),
        ("segment", shown(terminator)),
    ];
    let mut version = String::new();
    for segment in text.split(terminator) {
        let cells: Vec<&str> = segment.trim().split(element).map(str::trim).collect();
        let cell = |at: usize| cells.get(at).copied().unwrap_or_default();
        match cell(0) {
            "ISA" => {
                let sender = format!("{}:{}", cell(5), cell(6));
                all.header(sender, format!("{}:{}", cell(7), cell(8)));
                all.test |= cell(15) == "T";
            }
            "GS" => cell(8).clone_into(&mut version),
            "ST" => all.message(cell(1), &version),
            _ => {}
        }
        all.count(cell(0));
    }
    all.balance(&[("ISA", "IEA"), ("GS", "GE"), ("ST", "SE")]);
    all
}

/// The separators of EDIFACT are in UNA, or the usual ones.
pub(crate) fn edifact(text: &str) -> Interchanges {
    let mut all = Interchanges::default();
    let text = text.trim_start();
    let una: Vec<char> = text
        .strip_prefix("UNA")
        .map(|rest| rest.chars().take(6).collect())
        .unwrap_or_default();
    let named = |at: usize, usual: char| una.get(at).copied().unwrap_or(usual);
    let (component, element, release, terminator) =
        (named(0, ':'), named(1, '+'), named(3, '?'), named(5, '\''));
    all.separators = vec![
        ("component", shown(component)),
        ("element", shown(element)),
        ("decimal", shown(named(2, '.'))),
        ("release", shown(release)),
        ("segment", shown(terminator)),
    ];
    let body = if una.is_empty() {
        text
    } else {
        let after = text.char_indices().nth(9).map_or(text.len(), |(at, _)| at);
        text.get(after..).unwrap_or_default()
    };
    for segment in split(body, terminator, release) {
        let cells: Vec<&str> = split(segment.trim(), element, release);
        let cell = |at: usize| cells.get(at).copied().unwrap_or_default();
        match cell(0) {
            "UNB" => {
                all.header(cell(2).to_owned(), cell(3).to_owned());
                all.test |= cell(11) == "1";
            }
            "UNH" => {
                let parts: Vec<&str> = cell(2).split(component).collect();
                let version = parts.get(1..4).unwrap_or_default().join(" ");
                all.message(parts.first().copied().unwrap_or_default(), version.trim());
            }
            _ => {}
        }
        all.count(cell(0));
    }
    all.balance(&[("UNB", "UNZ"), ("UNH", "UNT")]);
    all
}

/// Parts between separators that are not released.
fn split(text: &str, separator: char, release: char) -> Vec<&str> {
    let (mut parts, mut from, mut released) = (Vec::new(), 0, false);
    for (at, letter) in text.char_indices() {
        if released {
            released = false;
        } else if letter == release && release != ' ' {
            released = true;
        } else if letter == separator {
            parts.extend(text.get(from..at));
            from = at + letter.len_utf8();
        }
    }
    parts.extend(text.get(from..));
    parts
}

fn shown(letter: char) -> String {
    if letter.is_control() {
        letter.escape_default().to_string()
    } else {
        letter.to_string()
    }
}

impl Interchanges {
    fn header(&mut self, sender: String, receiver: String) {
        self.interchanges += 1;
        let parties = (sender, receiver);
        if !self.parties.contains(&parties) {
            self.parties.push(parties);
        }
    }

    fn message(&mut self, kind: &str, version: &str) {
        let known = self
            .messages
            .iter_mut()
            .find(|(known, of, _)| known == kind && of == version);
        match known {
            Some((.., count)) => *count += 1,
            None => self.messages.push((kind.to_owned(), version.to_owned(), 1)),
        }
    }

    fn count(&mut self, tag: &str) {
        let is_tag = (2..=3).contains(&tag.len())
            && tag
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        if is_tag {
            *self.segments.entry(tag.to_owned()).or_default() += 1;
        }
    }

    fn balance(&mut self, pairs: &[(&str, &str)]) {
        let count = |tag: &str| self.segments.get(tag).copied().unwrap_or_default();
        let wrong = pairs
            .iter()
            .map(|(begin, end)| (begin, count(begin), end, count(end)))
            .filter(|(_, begun, _, ended)| begun != ended);
        self.unbalanced = wrong
            .map(|(begin, begun, end, ended)| format!("{begun} {begin}, {ended} {end}"))
            .collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_x12_interchange_says_who_sends_what() {
        let text = "ISA*00*          *00*          *ZZ*ACME           *01*PLANT          *260101*0800*U*00401*000000001*0*T*>~\nGS*PR*ACME*PLANT*20260101*0800*1*X*004010~\nST*855*0001~\nBAK*00*AC*4711*20260101~\nSE*3*0001~\nST*855*0002~\nSE*2*0002~\nGE*2*1~\n";
        let found = x12(text);
        assert_eq!(found.messages, [("855".to_owned(), "004010".to_owned(), 2)]);
        assert_eq!(
            found.parties,
            [("ZZ:ACME".to_owned(), "01:PLANT".to_owned())]
        );
        assert_eq!(found.unbalanced, ["1 ISA, 0 IEA"]);
        assert!(found.test);
    }

    #[test]
    fn an_edifact_interchange_says_who_sends_what() {
        let text = "UNA:+.? 'UNB+UNOC:3+ACME+PLANT+260101:0800+1'UNH+1+ORDRSP:D:96A:UN'FTX+AAI+++it?'s'UNT+3+1'UNZ+1+1'";
        let found = edifact(text);
        assert_eq!(
            found.messages,
            [("ORDRSP".to_owned(), "D 96A UN".to_owned(), 1)]
        );
        assert_eq!(found.parties, [("ACME".to_owned(), "PLANT".to_owned())]);
        assert!(found.unbalanced.is_empty());
        assert_eq!(found.segments.get("FTX"), Some(&1));
    }
}
