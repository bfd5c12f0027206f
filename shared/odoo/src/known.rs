//! Known errors: what Odoo and AWS say, what it means, what is to be done. A rulebook as data,
//! `known-errors.yaml`, read once; the connector goes by it, and people read it by `interplant errors`.
//!
//! What no rule knows: words of a refusal that Odoo raised for its user (`odoo.*`) are for a person, under
//! `ODOO_REFUSED`, because nothing was kept, the words say what is wrong, and somebody can mend it in Odoo.
//! Any other name is a defect: nobody has thought about it, so nothing may go on as if it were understood.

use std::sync::LazyLock;

use interplant_domain::exception::{Code, OwnerRole};
use serde::{Deserialize, Serialize};

/// A rule of the rulebook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownError {
    /// Names the rule.
    pub id: String,
    /// Whose error it is.
    pub of: Whose,
    /// Names of exceptions, see the head of the file.
    pub exceptions: Vec<String>,
    /// Words that the text has; any when there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub says: Vec<String>,
    /// What follows from it.
    pub class: Meaning,
    /// Of what is refused: the exception under which a person meets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// When it is tried again.
    pub retry: Retry,
    /// Who acts.
    pub owner: OwnerRole,
    /// In a sentence.
    pub means: String,
    /// What to do, step by step.
    pub mend: Vec<String>,
}

/// Whose error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Whose {
    /// Odoo's, or of what stands before it.
    Odoo,
    /// Of AWS.
    Aws,
}

/// What follows from an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Meaning {
    /// No effect; tried again.
    Busy,
    /// It may have had an effect.
    Unknown,
    /// The connection is not set up rightly.
    Configuration,
    /// Odoo says no.
    Refused,
    /// Our own mistake.
    Defect,
}

/// When it is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Retry {
    /// A few times at once, then by the retry lane.
    QuickThenLane,
    /// Not before it was looked up what was done.
    LookUpThenLane,
    /// When a person says so.
    AfterAPerson,
    /// Not before a new release.
    Never,
}

static RULES: LazyLock<Vec<KnownError>> = LazyLock::new(|| {
    // A test reads it at every build; whoever broke it all the same gets defects, not silence.
    serde_saphyr::from_str(include_str!("known-errors.yaml")).unwrap_or_default()
});

/// All rules, in the order in which they are asked.
#[must_use]
pub fn known_errors() -> &'static [KnownError] {
    &RULES
}

/// The rule that an exception of Odoo meets. `method` is the one that was called.
#[must_use]
pub fn known_of_odoo(name: &str, text: &str, method: &str) -> Option<&'static KnownError> {
    RULES
        .iter()
        .find(|rule| rule.of == Whose::Odoo && rule.fits(name, text, method))
}

/// The rule that an error code of AWS meets.
#[must_use]
pub fn known_of_aws(code: &str) -> Option<&'static KnownError> {
    RULES
        .iter()
        .find(|rule| rule.of == Whose::Aws && rule.fits(code, "", ""))
}

impl KnownError {
    fn fits(&self, name: &str, text: &str, method: &str) -> bool {
        self.exceptions
            .iter()
            .any(|pattern| is_named(name, pattern))
            && (self.says.is_empty() || self.says.iter().any(|words| says(text, words, method)))
    }
}

/// Whether a name is the pattern; a `*` stands for anything, once.
fn is_named(name: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        None => name == pattern,
        Some((before, after)) => {
            name.len() >= before.len() + after.len()
                && name.starts_with(before)
                && name.ends_with(after)
        }
    }
}

/// Whether a text has the words; `^` and `$` tie them to its ends, `&` stands for anything between.
fn says(text: &str, words: &str, method: &str) -> bool {
    if words == "{method}" {
        return !method.is_empty() && text.contains(method);
    }
    let text = text.trim();
    let (at_start, words) = words
        .strip_prefix('^')
        .map_or((false, words), |words| (true, words));
    let (at_end, words) = words
        .strip_suffix('$')
        .map_or((false, words), |words| (true, words));
    match words.split_once('&') {
        Some((first, last)) => {
            let begins = !at_start || text.starts_with(first);
            let ends = !at_end || text.ends_with(last);
            begins && ends && text.contains(first) && text.contains(last)
        }
        None => {
            (!at_start || text.starts_with(words))
                && (!at_end || text.ends_with(words))
                && text.contains(words)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rulebook_is_whole() {
        let rules: Vec<KnownError> =
            serde_saphyr::from_str(include_str!("known-errors.yaml")).unwrap();
        let mut ids = std::collections::BTreeSet::new();
        for rule in &rules {
            let id = &rule.id;
            assert!(ids.insert(id.clone()), "{id} is there twice");
            assert!(
                !rule.exceptions.is_empty() && !rule.means.is_empty(),
                "{id}"
            );
            assert!(!rule.mend.is_empty(), "{id}: say what to do");
            assert_eq!(
                rule.code.is_some(),
                rule.class == Meaning::Refused,
                "{id}: `code` belongs to `refused`"
            );
            let owner = match rule.class {
                Meaning::Refused => rule.code.unwrap().owner(),
                Meaning::Configuration => Code::OdooConfiguration.owner(),
                Meaning::Busy | Meaning::Unknown | Meaning::Defect => OwnerRole::Operations,
            };
            assert_eq!(
                rule.owner, owner,
                "{id}: the owner is that of the exception"
            );
            let retry = match rule.class {
                Meaning::Busy => Retry::QuickThenLane,
                Meaning::Unknown => Retry::LookUpThenLane,
                Meaning::Configuration | Meaning::Refused => Retry::AfterAPerson,
                Meaning::Defect => Retry::Never,
            };
            assert_eq!(rule.retry, retry, "{id}: `retry` follows from the class");
        }
    }

    #[test]
    fn every_rule_can_be_met() {
        for (index, rule) in known_errors().iter().enumerate() {
            let name = rule.exceptions[0].replace('*', ".");
            let text = rule.says.first().map_or_else(String::new, |words| {
                words
                    .replace(['^', '$'], "")
                    .replace('&', "x")
                    .replace("{method}", "button_x")
            });
            let met = match rule.of {
                Whose::Odoo => known_of_odoo(&name, &text, "button_x"),
                Whose::Aws => known_of_aws(&name),
            };
            let met = met.unwrap();
            assert_eq!(met.id, rule.id, "rule {index} is hidden by {}", met.id);
        }
    }
}
