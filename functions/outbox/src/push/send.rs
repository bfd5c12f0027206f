//! One attempt: the name looked up, the address checked and no other one connected to, the event signed,
//! the answer read within limits.

use std::net::SocketAddr;
use std::time::Duration;

use interplant_domain::outbox::Entry;
use interplant_domain::target::{Loopback, Target};
use interplant_runtime::outbox::{ATTEMPT, Answer};
use interplant_runtime::webhook::SenderKey;
use jiff::{SignedDuration, Timestamp};
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Response, StatusCode};

/// More of an answer is not read.
const ANSWER_BYTES: usize = 64 * 1024;

/// So much of an answer is kept, for people.
const SHOWN: usize = 200;

/// A plant's webhook.
pub(crate) struct Hook {
    pub(crate) target: Target,
    pub(crate) keys: Vec<SenderKey>,
    pub(crate) loopback: Loopback,
}

impl Hook {
    /// Sends an entry once.
    pub(crate) async fn send(&self, entry: &Entry, now: Timestamp) -> Answer {
        let limit = Duration::try_from(ATTEMPT).unwrap_or_default();
        match tokio::time::timeout(limit, self.attempt(entry, now)).await {
            Ok(answer) => answer,
            Err(_) => away(format!("no answer within {} s", limit.as_secs())),
        }
    }

    async fn attempt(&self, entry: &Entry, now: Timestamp) -> Answer {
        let addresses = match self.addresses().await {
            Ok(addresses) => addresses,
            Err(note) => return away(note),
        };
        let client = reqwest::Client::builder()
            // What was checked is what is connected to: the name is not looked up again.
            .resolve_to_addrs(&self.target.host, &addresses)
            .https_only(self.loopback == Loopback::Forbidden)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .pool_max_idle_per_host(0)
            .user_agent(concat!("interplant/", env!("CARGO_PKG_VERSION")))
            .build();
        let client = match client {
            Ok(client) => client,
            Err(error) => return away(told(&error)),
        };
        let body = entry.event.to_string();
        let timestamp = now.as_second().to_string();
        let signatures: Vec<String> = self
            .keys
            .iter()
            .map(|key| key.sign(&entry.event_id, &timestamp, body.as_bytes()))
            .collect();
        let request = client
            .post(self.target.url.clone())
            .header(CONTENT_TYPE, "application/cloudevents+json")
            .header("webhook-id", &entry.event_id)
            .header("webhook-timestamp", &timestamp)
            .header("webhook-signature", signatures.join(" "))
            .body(body);
        match request.send().await {
            Ok(response) => judge(response, now).await,
            Err(error) => away(told(&error)),
        }
    }

    /// The host's addresses; none when one of them is not of the open Internet.
    async fn addresses(&self) -> Result<Vec<SocketAddr>, String> {
        let host = (self.target.host.as_str(), self.target.port);
        let found = tokio::net::lookup_host(host).await;
        let found: Vec<SocketAddr> = found
            .map_err(|error| format!("the host {} is not found: {error}", self.target.host))?
            .collect();
        for address in &found {
            self.target
                .may_connect(address.ip(), self.loopback)
                .map_err(|forbidden| forbidden.to_string())?;
        }
        if found.is_empty() {
            return Err(format!("the host {} has no address", self.target.host));
        }
        Ok(found)
    }
}

fn away(note: impl Into<String>) -> Answer {
    Answer::Away {
        note: note.into(),
        retry_after: None,
    }
}

/// An error with its causes, which say what was wrong, and without the address, which may hold a key.
fn told(error: &reqwest::Error) -> String {
    let mut text = if error.is_timeout() {
        "no answer in time".to_owned()
    } else if error.is_connect() {
        "no connection".to_owned()
    } else {
        "no answer".to_owned()
    };
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}

async fn judge(mut response: Response, now: Timestamp) -> Answer {
    let status = response.status();
    let header = |name| {
        let value = response.headers().get(name);
        value
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned)
    };
    let retry_after = header(RETRY_AFTER).and_then(|text| asked(&text, now));
    let is_page =
        header(CONTENT_TYPE).is_some_and(|kind| kind.trim_start().starts_with("text/html"));
    let body = read(&mut response).await;
    let answer = format!(
        "{status} {}",
        body.as_deref().map(shown).unwrap_or_default()
    );
    let answer = answer.trim().to_owned();
    if status == StatusCode::GONE {
        return Answer::Stop {
            note: format!("the plant's webhook answered {answer}: it is gone"),
        };
    }
    if status.is_success() {
        return match body {
            Ok(body) if is_page && !body.is_empty() => Answer::Failed {
                note: format!("a page for people answered instead of a webhook: {answer}"),
                retry_after,
            },
            Ok(_) => Answer::Taken,
            Err(note) => Answer::Failed { note, retry_after },
        };
    }
    let note = if status.is_redirection() {
        format!("{answer}: redirects are not followed")
    } else {
        answer
    };
    let is_away = matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
    );
    if is_away {
        Answer::Away { note, retry_after }
    } else {
        Answer::Failed { note, retry_after }
    }
}

/// Reads an answer and stops at the limit, not after it.
async fn read(response: &mut Response) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > ANSWER_BYTES => {
                return Err(format!("the answer is longer than {ANSWER_BYTES} bytes"));
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Ok(body),
            Err(error) => return Err(format!("the answer broke off: {}", told(&error))),
        }
    }
}

/// The beginning of an answer on one line.
fn shown(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let text: String = text.trim().chars().take(SHOWN).collect();
    text.escape_debug().to_string()
}

/// How long a server wants to be left alone: seconds, or a date.
fn asked(text: &str, now: Timestamp) -> Option<SignedDuration> {
    if let Ok(seconds) = text.trim().parse::<u32>() {
        return Some(SignedDuration::from_secs(i64::from(seconds)));
    }
    let date = jiff::fmt::rfc2822::parse(text.trim()).ok()?;
    Some(date.timestamp().duration_since(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_asks_for_a_pause_by_seconds_or_by_a_date() {
        let now = "2026-11-24T07:28:00Z".parse().unwrap();
        assert_eq!(asked("120", now), Some(SignedDuration::from_secs(120)));
        let date = asked("Tue, 24 Nov 2026 07:30:00 GMT", now);
        assert_eq!(date, Some(SignedDuration::from_mins(2)));
        assert_eq!(asked("soon", now), None);
        assert_eq!(asked("-5", now), None);
    }

    #[test]
    fn what_a_server_says_is_kept_on_one_line_and_short() {
        assert_eq!(
            shown(b" no\r\n\x1b[31mway\xff "),
            "no\\r\\n\\u{1b}[31mway\u{fffd}"
        );
        assert_eq!(shown("x".repeat(500).as_bytes()).len(), SHOWN);
    }
}
