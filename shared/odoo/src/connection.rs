//! Where an Odoo is, who we are there, and how long we wait.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;

use crate::error::Error;

/// Address, database, user and key of one Odoo, as the secret holds them.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// Address, such as `https://erp.example.com`; a path is kept, a slash at its end is not.
    pub url: String,
    /// Database name.
    pub db: String,
    /// The user's login.
    pub login: String,
    /// The user's API key; it never appears in a log, an error or `Debug`.
    pub api_key: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("url", &self.url)
            .field("db", &self.db)
            .field("login", &self.login)
            .field("api_key", &"…")
            .finish()
    }
}

impl Credentials {
    /// The address of a path below Odoo's own.
    pub(crate) fn address(&self, path: &str) -> Result<reqwest::Url, Error> {
        let url = reqwest::Url::parse(&format!("{}{path}", self.url.trim().trim_end_matches('/')))
            .map_err(|reason| {
                Error::configuration(format!("the address of Odoo is not a URL: {reason}"))
            })?;
        let plain = url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        if matches!(url.scheme(), "https" | "http") && url.has_host() && plain {
            Ok(url)
        } else {
            // The address itself is not repeated: somebody may have written a password into it.
            Err(Error::configuration(
                "the address of Odoo must be https://host[:port][/path] and nothing else",
            ))
        }
    }

    /// Text of ours or of Odoo's without the key, should anything have put it there.
    pub(crate) fn without_key(&self, text: &str) -> String {
        if self.api_key.is_empty() {
            text.to_owned()
        } else {
            text.replace(&self.api_key, "…")
        }
    }
}

/// How long and how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Time to connect, TLS included.
    pub connect: Duration,
    /// Time from connecting to the last byte of the answer.
    pub answer: Duration,
    /// Largest answer in bytes; more is not read.
    pub answer_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        // Steps have 180 s and make up to four calls: an Odoo that takes 40 s for each is slow, one that takes
        // longer has lost the call. The largest order that a
        // fact may bring (1000 lines) is read in about 1 MiB.
        Self {
            connect: Duration::from_secs(3),
            answer: Duration::from_secs(40),
            answer_bytes: 8 << 20,
        }
    }
}

/// The one way to make an HTTP client for Odoo.
///
/// No redirect is followed (the key would travel along), no proxy is taken from the environment, nothing
/// is sent twice, nothing is unpacked. Every call has its own connection: Odoo closes it after an answer
/// anyway, and one kept over a frozen Lambda is dead without knowing it, which would make every first
/// call after a pause an unknown outcome.
///
/// # Errors
/// [`Error::Configuration`] when the TLS library cannot start.
pub fn http_client(limits: &Limits) -> Result<reqwest::Client, Error> {
    reqwest::Client::builder()
        .connect_timeout(limits.connect)
        .timeout(limits.answer)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .pool_max_idle_per_host(0)
        .user_agent(concat!("interplant/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| {
            Error::configuration(format!(
                "the HTTP client does not start: {}",
                error.without_url()
            ))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(url: &str) -> Credentials {
        Credentials {
            url: url.into(),
            db: "works".into(),
            login: "interplant".into(),
            api_key: "s3cret".into(),
        }
    }

    #[test]
    fn the_key_is_not_shown() {
        assert!(!format!("{:?}", at("https://erp.example.com")).contains("s3cret"));
        assert_eq!(at("").without_key("bearer s3cret."), "bearer ….");
    }

    #[test]
    fn an_address_is_a_plain_one() {
        assert_eq!(
            at("https://erp.example.com/odoo/")
                .address("/jsonrpc")
                .unwrap()
                .as_str(),
            "https://erp.example.com/odoo/jsonrpc"
        );
        for url in [
            "",
            "erp.example.com",
            "ftp://erp.example.com",
            "https://me:pass@erp.example.com",
            "https://erp.example.com?a=b",
            "file:///x",
        ] {
            let error = at(url).address("/jsonrpc").unwrap_err();
            assert!(matches!(error, Error::Configuration { .. }), "{url}");
            assert!(!error.to_string().contains("pass"), "{error}");
        }
    }

    #[test]
    fn the_secret_is_read_as_it_is_stored() {
        let text = r#"{"url":"https://erp.example.com","db":"works","login":"interplant","api_key":"s3cret"}"#;
        assert_eq!(
            serde_json::from_str::<Credentials>(text).unwrap(),
            at("https://erp.example.com")
        );
    }
}
