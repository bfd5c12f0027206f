//! `interplant errors`: what Odoo and AWS say, what it means, what is to be done.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use interplant_odoo::{KnownError, Whose, known_errors, known_of_aws, known_of_odoo};
use serde_json::json;

use crate::{Failure, table};

/// Prints the known errors of Odoo and AWS
#[derive(Debug, Args)]
pub(crate) struct Errors {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Say which rule a text meets, what it means and what to do
    Explain {
        /// The text, as an exception or a log line has it; or the name of an exception or error code
        text: String,
        /// The exception's name, when it is known, such as odoo.exceptions.UserError
        #[arg(long)]
        exception: Option<String>,
    },
}

impl Errors {
    pub(crate) fn run(self, as_json: bool) -> Result<ExitCode, Failure> {
        let Some(What::Explain { text, exception }) = self.what else {
            print(as_json)?;
            return Ok(ExitCode::SUCCESS);
        };
        let known = explained(&text, exception.as_deref());
        if as_json {
            println!("{}", serde_json::to_string_pretty(&json!({"rule": known}))?);
        } else if let Some(known) = known {
            explain(known)?;
        } else {
            println!(
                "No rule knows it. If Odoo raised it for its user, it is an exception ODOO_REFUSED, docs/runbooks/ODOO_REFUSED.md; any other name halts the lifecycle. Report the words, so that a rule can be written."
            );
        }
        Ok(if known.is_some() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

/// The rule of a text: as the name of an exception or a code, or as words of a refusal.
fn explained(text: &str, exception: Option<&str>) -> Option<&'static KnownError> {
    // What Interplant writes before Odoo's own words.
    let words = text.trim();
    let words = words.strip_prefix("Odoo refused: ").unwrap_or(words);
    if let Some(name) = exception {
        return known_of_odoo(name, words, "").or_else(|| known_of_aws(name));
    }
    let is_name = !words.contains(' ');
    let named = known_of_aws(words).or_else(|| known_of_odoo(words, "", ""));
    let by_words = || {
        let usual = known_of_odoo("odoo.exceptions.UserError", words, "");
        usual.or_else(|| {
            known_errors()
                .iter()
                .filter(|rule| rule.of == Whose::Odoo)
                .find(|rule| rule.says.iter().any(|says| words.contains(says.as_str())))
        })
    };
    named.filter(|_| is_name).or_else(by_words)
}

fn print(as_json: bool) -> Result<(), Failure> {
    if as_json {
        println!("{}", serde_json::to_string_pretty(known_errors())?);
        return Ok(());
    }
    let word = |value: serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let mut rows = Vec::new();
    for known in known_errors() {
        rows.push([
            known.id.clone(),
            word(serde_json::to_value(known.of)?),
            word(serde_json::to_value(known.class)?),
            known.code.map(|code| code.to_string()).unwrap_or_default(),
            word(serde_json::to_value(known.retry)?),
            known.owner.to_string(),
            known.means.clone(),
        ]);
    }
    table::print(
        [
            "rule",
            "of",
            "class",
            "exception",
            "retry",
            "owner",
            "means",
        ],
        rows,
    );
    println!(
        "`interplant errors explain \"<text>\"` says which rule a text meets, and what to do."
    );
    Ok(())
}

fn explain(known: &KnownError) -> Result<(), Failure> {
    println!("{}: {}", known.id, known.means);
    let class = serde_json::to_value(known.class)?;
    let retry = serde_json::to_value(known.retry)?;
    println!(
        "class {}, tried again {}, owner {}",
        class.as_str().unwrap_or_default(),
        retry.as_str().unwrap_or_default(),
        known.owner
    );
    if let Some(code) = known.code {
        println!("exception {code}, docs/runbooks/{code}.md");
    }
    for (number, step) in (1..).zip(&known.mend) {
        println!("{number}. {step}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_an_exception_a_name_and_a_code_of_aws_are_each_explained() {
        for (text, rule) in [
            (
                "Odoo refused: The entry BILL/2026/11/0002 (id 8) must be in draft.",
                Some("must-be-draft"),
            ),
            ("database \"x\" does not exist", Some("database-missing")),
            ("odoo.exceptions.AccessDenied", Some("no-access")),
            ("ThrottlingException", Some("aws-busy")),
            ("something new", None),
        ] {
            let known = explained(text, None).map(|known| known.id.as_str());
            assert_eq!(known, rule, "{text}");
        }
    }
}
