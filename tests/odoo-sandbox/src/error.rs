//! What Odoo raises, by class. The transports turn it into status codes and bodies.

/// The exception classes a client can meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    AccessDenied,
    Access,
    Missing,
    Validation,
    User,
    Redirect,
    ValueError,
    KeyError,
    AttributeError,
    TypeError,
    IndexError,
    AssertionError,
    NotFound,
    Unauthorized,
    BadRequest,
    Unprocessable,
    Database,
}

impl Class {
    /// The full Python name, as clients see it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::AccessDenied => "odoo.exceptions.AccessDenied",
            Self::Access => "odoo.exceptions.AccessError",
            Self::Missing => "odoo.exceptions.MissingError",
            Self::Validation => "odoo.exceptions.ValidationError",
            Self::User => "odoo.exceptions.UserError",
            Self::Redirect => "odoo.exceptions.RedirectWarning",
            Self::ValueError => "builtins.ValueError",
            Self::KeyError => "builtins.KeyError",
            Self::AttributeError => "builtins.AttributeError",
            Self::TypeError => "builtins.TypeError",
            Self::IndexError => "builtins.IndexError",
            Self::AssertionError => "builtins.AssertionError",
            Self::NotFound => "werkzeug.exceptions.NotFound",
            Self::Unauthorized => "werkzeug.exceptions.Unauthorized",
            Self::BadRequest => "werkzeug.exceptions.BadRequest",
            Self::Unprocessable => "werkzeug.exceptions.UnprocessableEntity",
            Self::Database => "psycopg2.OperationalError",
        }
    }

    /// An error a person may read: `UserError` and what is derived from it.
    pub(crate) const fn is_for_users(self) -> bool {
        matches!(
            self,
            Self::AccessDenied | Self::Access | Self::Missing | Self::Validation | Self::User
        )
    }

    /// The HTTP status on `/json/2`.
    pub(crate) const fn status(self) -> u16 {
        match self {
            Self::AccessDenied | Self::Access => 403,
            Self::Missing | Self::NotFound => 404,
            Self::Validation | Self::User | Self::Redirect | Self::Unprocessable => 422,
            Self::ValueError
            | Self::KeyError
            | Self::AttributeError
            | Self::TypeError
            | Self::IndexError
            | Self::AssertionError
            | Self::Database => 500,
            Self::Unauthorized => 401,
            Self::BadRequest => 400,
        }
    }
}

/// One raised exception.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}: {message}", class.name())]
pub(crate) struct Error {
    pub(crate) class: Class,
    pub(crate) message: String,
    /// What `load` reports instead of `message`, where that differs.
    pub(crate) in_load: Option<String>,
    /// The field without value it is about.
    pub(crate) missing: Option<Missing>,
}

/// A mandatory field without value.
#[derive(Debug, Clone)]
pub(crate) struct Missing {
    pub(crate) model: &'static str,
    pub(crate) model_label: &'static str,
    pub(crate) field: &'static str,
    pub(crate) label: &'static str,
}

impl Error {
    pub(crate) fn new(class: Class, message: impl Into<String>) -> Self {
        Self {
            class,
            message: message.into(),
            in_load: None,
            missing: None,
        }
    }

    pub(crate) fn user(message: impl Into<String>) -> Self {
        Self::new(Class::User, message)
    }

    pub(crate) fn validation(message: impl Into<String>) -> Self {
        Self::new(Class::Validation, message)
    }

    pub(crate) fn value(message: impl Into<String>) -> Self {
        Self::new(Class::ValueError, message)
    }

    pub(crate) fn missing(model: &str, id: i64, user: i64) -> Self {
        Self::new(
            Class::Missing,
            format!(
                "Record does not exist or has been deleted.\n(Record: {model}({id},), User: {user})"
            ),
        )
    }

    /// An error of the database: `load` reports the bare text, other calls put a sentence before it.
    pub(crate) fn constraint(text: &str, in_load: String) -> Self {
        Self {
            class: Class::Validation,
            message: format!("The operation cannot be completed: {text}"),
            in_load: Some(in_load),
            missing: None,
        }
    }
}

impl From<(Class, String)> for Error {
    fn from((class, message): (Class, String)) -> Self {
        Self::new(class, message)
    }
}

pub(crate) type Result<T> = std::result::Result<T, Error>;
