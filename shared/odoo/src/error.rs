//! What can go wrong between us and Odoo, and what may be done about it.
//!
//! | error | outcome of the call | class |
//! |---|---|---|
//! | [`Error::Unreachable`] | no effect | retryable |
//! | [`Error::OutcomeUnknown`] | unknown | retryable, after a look-up |
//! | [`Error::Busy`] | no effect | retryable |
//! | [`Error::NotOpen`], [`Error::WizardAsked`], [`Error::Refused`] | no effect | business exception |
//! | [`Error::Configuration`] | no effect | business exception `ODOO_CONFIGURATION` |
//! | [`Error::Unexpected`] | unknown | business exception `ODOO_CONFIGURATION` |
//! | [`Error::Caller`] | no effect | defect |
//!
//! Texts that come from Odoo are foreign: control characters are escaped, they are cut at
//! 400 characters, and an API key never gets into one.

use std::time::Duration;

use crate::known::{KnownError, Meaning, known_of_odoo};
use interplant_domain::exception::Code;

/// Longest text of Odoo that an error carries, in characters.
pub(crate) const MESSAGE_CHARACTERS: usize = 400;

/// Why a call to Odoo did not give what was asked for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request never left: connection refused, unknown host, connecting took too long.
    #[error("Odoo cannot be reached: {message}")]
    Unreachable {
        /// What happened, without address and key.
        message: String,
        /// The HTTP client's error.
        #[source]
        source: Option<reqwest::Error>,
    },
    /// The request left, but no whole, trustworthy answer came back: Odoo may have done it, or may still.
    #[error("it is unknown whether Odoo did it: {message}")]
    OutcomeUnknown {
        /// What happened.
        message: String,
        /// The HTTP client's error.
        #[source]
        source: Option<reqwest::Error>,
    },
    /// Odoo is busy, or another call won a race for the same record.
    #[error("Odoo is busy: {message}")]
    Busy {
        /// What Odoo said.
        message: String,
        /// How long Odoo asks us to wait.
        retry_after: Option<Duration>,
    },
    /// The record is done, posted or cancelled already; somebody else may have done it, so look who.
    #[error("the record is not open any more: {message}")]
    NotOpen {
        /// What Odoo said.
        message: String,
    },
    /// Odoo answered with a dialogue instead of doing it; the record was read and is unchanged.
    #[error("Odoo asks a question instead of doing it: {message}")]
    WizardAsked {
        /// The dialogue's name.
        message: String,
    },
    /// Odoo understood the call and refused it; nothing was kept.
    #[error("Odoo refused: {message}")]
    Refused {
        /// Why, as far as we can tell.
        kind: RefusedKind,
        /// What Odoo said.
        message: String,
    },
    /// Address, database, user, key, rights or modules keep us from working.
    #[error("the connection to Odoo is not set up rightly: {message}")]
    Configuration {
        /// What Odoo said.
        message: String,
    },
    /// The answer is sound JSON but not what this version of Odoo answers: an upgrade, or a changed Odoo.
    #[error("Odoo answered something unexpected: {message}")]
    Unexpected {
        /// What was expected where.
        message: String,
    },
    /// The call itself is wrong: our own fault.
    #[error("the call is wrong: {message}")]
    Caller {
        /// What Odoo or our own check said.
        message: String,
    },
}

/// Why Odoo refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RefusedKind {
    /// The supplier's external id is unknown.
    UnknownPartner,
    /// The item's external id is unknown.
    UnknownItem,
    /// The external id of a unit, tax, currency, company or operation type is unknown.
    UnknownCode,
    /// An item that is tracked came without its lot or serial number.
    LotMissing,
    /// Odoo has the serial number already.
    LotTaken,
    /// Odoo would round a price or a quantity.
    Precision,
    /// The accounting period is locked.
    PeriodLocked,
    /// The record is gone, or never was.
    RecordMissing,
    /// Anything else; Odoo's own words say what.
    Other,
}

/// What is known about the effect of a call that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// This call changed nothing.
    NoEffect,
    /// It may have; ask Odoo before repeating anything.
    Unknown,
}

/// Who acts on an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Nobody: it passes, or the retry lane waits until it does.
    Retryable,
    /// A person, under this code.
    BusinessException(Code),
    /// Us.
    Defect,
}

impl Error {
    /// What is known about the effect of the call.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::OutcomeUnknown { .. } | Self::Unexpected { .. } => Outcome::Unknown,
            Self::Unreachable { .. }
            | Self::Busy { .. }
            | Self::NotOpen { .. }
            | Self::WizardAsked { .. }
            | Self::Refused { .. }
            | Self::Configuration { .. }
            | Self::Caller { .. } => Outcome::NoEffect,
        }
    }

    /// Who acts.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Unreachable { .. } | Self::OutcomeUnknown { .. } | Self::Busy { .. } => {
                Class::Retryable
            }
            Self::NotOpen { .. } | Self::WizardAsked { .. } => {
                Class::BusinessException(Code::OdooRefused)
            }
            Self::Refused { kind, .. } => Class::BusinessException(kind.code()),
            Self::Configuration { .. } | Self::Unexpected { .. } => {
                Class::BusinessException(Code::OdooConfiguration)
            }
            Self::Caller { .. } => Class::Defect,
        }
    }

    /// How long Odoo, or what stands before it, wants to be left alone.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        let Self::Busy { retry_after, .. } = self else {
            return None;
        };
        *retry_after
    }

    pub(crate) fn unknown(message: impl Into<String>) -> Self {
        Self::OutcomeUnknown {
            message: message.into(),
            source: None,
        }
    }

    pub(crate) fn unexpected(message: impl AsRef<str>) -> Self {
        Self::Unexpected {
            message: foreign(message.as_ref()),
        }
    }

    pub(crate) fn caller(message: impl AsRef<str>) -> Self {
        Self::Caller {
            message: foreign(message.as_ref()),
        }
    }

    pub(crate) fn configuration(message: impl AsRef<str>) -> Self {
        Self::Configuration {
            message: foreign(message.as_ref()),
        }
    }

    pub(crate) fn refused(kind: RefusedKind, message: impl AsRef<str>) -> Self {
        Self::Refused {
            kind,
            message: foreign(message.as_ref()),
        }
    }

    pub(crate) fn busy(message: impl AsRef<str>) -> Self {
        Self::Busy {
            message: foreign(message.as_ref()),
            retry_after: None,
        }
    }
}

impl RefusedKind {
    /// The exception under which a person meets it.
    #[must_use]
    pub fn code(self) -> Code {
        match self {
            Self::UnknownPartner => Code::UnknownPartner,
            Self::UnknownItem => Code::UnknownItem,
            Self::UnknownCode => Code::UnknownCode,
            Self::LotMissing => Code::LotMissing,
            Self::LotTaken => Code::LotTaken,
            Self::Precision => Code::AmountPrecision,
            Self::PeriodLocked => Code::PeriodLocked,
            Self::RecordMissing | Self::Other => Code::OdooRefused,
        }
    }
}

/// Text from outside, fit for a log line and for a screen.
pub(crate) fn foreign(text: &str) -> String {
    let mut clean = String::new();
    for (index, c) in text.trim().chars().enumerate() {
        if index == MESSAGE_CHARACTERS {
            clean.push('…');
            break;
        }
        if is_unseen(c) {
            clean.extend(c.escape_default());
        } else {
            clean.push(c);
        }
    }
    clean
}

/// Control characters, and those that reorder or hide what stands beside them.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// An exception that Odoo named, by the rulebook.
///
/// `method` tells a method that is missing in this version from a mistake inside of one.
pub(crate) fn named(name: &str, message: &str, method: &str) -> Error {
    let Some(known) = known_of_odoo(name, message, method) else {
        return unknown_to_us(name, message);
    };
    let with_name = || match name.split('.').next() {
        Some("odoo") => message.to_owned(),
        _ => {
            let short = name.rsplit('.').next().unwrap_or(name);
            format!("{short}: {message}")
        }
    };
    match known.class {
        Meaning::Busy => Error::busy(message),
        Meaning::Unknown => Error::unknown(foreign(&with_name())),
        Meaning::Configuration => Error::configuration(message),
        Meaning::Defect => Error::caller(with_name()),
        Meaning::Refused => Error::refused(kind(known), with_name()),
    }
}

/// What no rule knows, see [`crate::known`].
fn unknown_to_us(name: &str, message: &str) -> Error {
    if name.starts_with("odoo.") {
        Error::refused(RefusedKind::Other, message)
    } else {
        Error::caller(format!("nobody knows this error: {name}: {message}"))
    }
}

fn kind(known: &KnownError) -> RefusedKind {
    match known.code {
        Some(Code::LotMissing) => RefusedKind::LotMissing,
        Some(Code::LotTaken) => RefusedKind::LotTaken,
        Some(Code::AmountPrecision) => RefusedKind::Precision,
        Some(Code::PeriodLocked) => RefusedKind::PeriodLocked,
        _ if known.id == "record-gone" => RefusedKind::RecordMissing,
        _ => RefusedKind::Other,
    }
}

/// What a refusal means that comes as words alone: a message of `load`.
pub(crate) fn refusal(message: &str) -> Error {
    named("odoo.exceptions.UserError", message, "load")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_is_cut_and_cannot_forge_a_log_line() {
        assert_eq!(
            foreign("a\nb\u{1b}[31m\u{202e}c"),
            "a\\nb\\u{1b}[31m\\u{202e}c"
        );
        assert_eq!(
            foreign(&"ä".repeat(2000)).chars().count(),
            MESSAGE_CHARACTERS + 1
        );
    }

    #[test]
    fn a_named_exception_has_one_meaning() {
        let class = |name, message| named(name, message, "button_confirm").class();
        let exception = Class::BusinessException;
        assert_eq!(
            class("odoo.exceptions.UserError", "must be in draft"),
            exception(Code::OdooRefused)
        );
        assert_eq!(
            class("odoo.exceptions.AccessError", "no"),
            exception(Code::OdooConfiguration)
        );
        assert_eq!(
            class("odoo.exceptions.MissingError", "gone"),
            exception(Code::OdooRefused)
        );
        assert_eq!(
            class("odoo.exceptions.UserError", "Object x.y doesn't exist"),
            exception(Code::OdooConfiguration)
        );
        assert_eq!(
            class(
                "odoo.exceptions.ValidationError",
                "Error, a partner cannot follow twice the same object."
            ),
            Class::Retryable
        );
        assert_eq!(
            class("builtins.ValueError", "Invalid field 'x'"),
            Class::Defect
        );
        assert_eq!(class("builtins.KeyError", "x"), Class::Defect);
        assert_eq!(
            class(
                "builtins.AttributeError",
                "The method 'button_confirm' does not exist on the model 'x'"
            ),
            exception(Code::OdooConfiguration)
        );
        assert_eq!(
            class("psycopg2.errors.SerializationFailure", "x"),
            Class::Retryable
        );
        assert_eq!(
            class(
                "psycopg2.OperationalError",
                "FATAL:  database \"x\" does not exist"
            ),
            exception(Code::OdooConfiguration)
        );
        assert_eq!(
            named("psycopg2.OperationalError", "server closed", "x").outcome(),
            Outcome::Unknown
        );
    }
}
