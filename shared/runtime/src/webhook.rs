//! Signatures by the Standard Webhooks scheme: over `{id}.{timestamp}.{body}`, by HMAC-SHA256 (`v1`) or
//! ed25519 (`v1a`).
//!
//! A request without a body signs `<METHOD> <path and query>` as its body, so that it cannot be replayed
//! as another request.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// How far a sender's clock may be off, either way.
pub const WINDOW: SignedDuration = SignedDuration::from_mins(5);

/// More signatures than this in one header are not looked at: a rotation needs two.
const MOST_SIGNATURES: usize = 5;

/// Keys of a plant, as the secret `<prefix>/plants/<code>` holds them.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlantKeys {
    /// All keys that are in use; two while one is rotated out.
    pub keys: Vec<PlantKey>,
    /// Keys by which we sign what we send to the plant's webhook; they open no door of ours.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub webhook: Vec<PlantKey>,
}

/// A key of a plant.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlantKey {
    /// Name of the key, for people.
    pub id: String,
    /// Shared secret, `whsec_` and base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// Public key, `whpk_` and base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
    /// From when on the key is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Timestamp>,
}

/// The three headers of a signed request.
#[derive(Debug, Clone, Copy)]
pub struct Headers<'a> {
    /// `webhook-id`
    pub id: &'a str,
    /// `webhook-timestamp`, seconds since 1970.
    pub timestamp: &'a str,
    /// `webhook-signature`, one or more, separated by blanks.
    pub signature: &'a str,
}

/// Why a request is not taken for the plant's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// `webhook-id` is not 1 to 200 visible characters without a point.
    MessageId,
    /// The timestamp is no number, or outside the window.
    Timestamp,
    /// No signature fits any key.
    Signature,
    /// A signature fits a key that was withdrawn.
    KeyRevoked,
}

fn signed_content(id: &str, timestamp: &str, body: &[u8]) -> Vec<u8> {
    [id.as_bytes(), b".", timestamp.as_bytes(), b".", body].concat()
}

fn key_bytes(text: &str, prefix: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text.strip_prefix(prefix)?).ok()
}

impl PlantKey {
    fn fits(&self, scheme: &str, signature: &[u8], content: &[u8]) -> bool {
        match scheme {
            "v1" => {
                let key = self
                    .secret
                    .as_deref()
                    .and_then(|secret| key_bytes(secret, "whsec_"));
                let mac = key.and_then(|key| Hmac::<Sha256>::new_from_slice(&key).ok());
                // `verify_slice` takes the same time wherever the difference is.
                mac.is_some_and(|mac| mac.chain_update(content).verify_slice(signature).is_ok())
            }
            "v1a" => {
                let key = self
                    .public_key
                    .as_deref()
                    .and_then(|key| key_bytes(key, "whpk_"));
                let key = key.and_then(|key| VerifyingKey::from_bytes(&key.try_into().ok()?).ok());
                let signature = Signature::from_slice(signature).ok();
                key.zip(signature)
                    .is_some_and(|(key, signature)| key.verify_strict(content, &signature).is_ok())
            }
            _ => false,
        }
    }
}

impl PlantKeys {
    /// The keys by which we sign, of an id; two while one is rotated out.
    #[must_use]
    pub fn signing(&self, id: &str, now: Timestamp) -> Vec<SenderKey> {
        self.webhook
            .iter()
            .filter(|key| key.id == id && key.not_after.is_none_or(|end| now < end))
            .filter_map(|key| SenderKey::read(key.secret.as_deref()?))
            .collect()
    }

    /// Whether a request comes from the plant that has these keys. `bodies` are the forms in which the
    /// signed body may have reached us: one for a request with a body.
    ///
    /// # Errors
    /// The first reason against it.
    pub fn verify(
        &self,
        headers: Headers<'_>,
        bodies: &[&[u8]],
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let id_fits = (1..=200).contains(&headers.id.len())
            && headers
                .id
                .bytes()
                .all(|b| b.is_ascii_graphic() && b != b'.');
        if !id_fits {
            return Err(Refusal::MessageId);
        }
        let signed_at = headers
            .timestamp
            .parse()
            .ok()
            .and_then(|second| Timestamp::from_second(second).ok());
        if signed_at.is_none_or(|at| now.duration_since(at).abs() > WINDOW) {
            return Err(Refusal::Timestamp);
        }
        let mut revoked = false;
        for one in headers.signature.split(' ').take(MOST_SIGNATURES) {
            let Some((scheme, signature)) = one
                .split_once(',')
                .and_then(|(scheme, text)| Some((scheme, STANDARD.decode(text).ok()?)))
            else {
                continue;
            };
            for body in bodies {
                let content = signed_content(headers.id, headers.timestamp, body);
                for key in self
                    .keys
                    .iter()
                    .filter(|key| key.fits(scheme, &signature, &content))
                {
                    if key.not_after.is_none_or(|end| now < end) {
                        return Ok(());
                    }
                    revoked = true;
                }
            }
        }
        Err(if revoked {
            Refusal::KeyRevoked
        } else {
            Refusal::Signature
        })
    }
}

/// Whether a secret that somebody shows is the one that is kept; how long it takes says nothing about either.
#[must_use]
pub fn is_same_secret(kept: &str, shown: &str) -> bool {
    let mac = |secret: &str| {
        Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map(|mac| mac.chain_update(b"secret"))
    };
    match (mac(kept), mac(shown)) {
        (Ok(kept), Ok(shown)) => kept.verify_slice(&shown.finalize().into_bytes()).is_ok(),
        (Ok(_) | Err(_), _) => false,
    }
}

/// What a sender signs with.
pub enum SenderKey {
    /// A shared secret.
    Secret(Vec<u8>),
    /// An ed25519 key.
    Private(Box<SigningKey>),
}

impl SenderKey {
    /// Reads `whsec_…` (shared secret) or `whsk_…` (ed25519 private key).
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        if let Some(secret) = key_bytes(text, "whsec_") {
            return Some(Self::Secret(secret));
        }
        let seed: [u8; 32] = key_bytes(text, "whsk_")?.try_into().ok()?;
        Some(Self::Private(Box::new(SigningKey::from_bytes(&seed))))
    }

    /// The signature of a message, as one entry of the header `webhook-signature`.
    #[must_use]
    pub fn sign(&self, id: &str, timestamp: &str, body: &[u8]) -> String {
        let content = signed_content(id, timestamp, body);
        match self {
            Self::Secret(secret) => {
                // HMAC takes a key of any length.
                let mac = Hmac::<Sha256>::new_from_slice(secret)
                    .map(|mac| mac.chain_update(&content).finalize().into_bytes().to_vec());
                format!("v1,{}", STANDARD.encode(mac.unwrap_or_default()))
            }
            Self::Private(key) => format!("v1a,{}", STANDARD.encode(key.sign(&content).to_bytes())),
        }
    }

    /// The public key that fits an ed25519 key, as plants hand it in.
    #[must_use]
    pub fn public_key(&self) -> Option<String> {
        match self {
            Self::Secret(_) => None,
            Self::Private(key) => Some(format!(
                "whpk_{}",
                STANDARD.encode(key.verifying_key().as_bytes())
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(not_after: Option<Timestamp>) -> PlantKeys {
        let key = |id: &str, secret: Option<&str>, public_key: Option<String>| PlantKey {
            id: id.into(),
            secret: secret.map(Into::into),
            public_key,
            not_after,
        };
        let private = SenderKey::read(&private()).unwrap();
        PlantKeys {
            keys: vec![
                key("old", Some("whsec_b2xk"), None),
                key("new", None, private.public_key()),
            ],
            webhook: vec![key("out", Some("whsec_b3V0"), None)],
        }
    }

    fn private() -> String {
        format!("whsk_{}", STANDARD.encode([7_u8; 32]))
    }

    const NOW: &str = "2026-11-23T10:00:00Z";

    fn check(
        signature: &str,
        timestamp_offset: i64,
        body: &[u8],
        not_after: Option<Timestamp>,
    ) -> Result<(), Refusal> {
        let now: Timestamp = NOW.parse().unwrap();
        let timestamp = (now.as_second() + timestamp_offset).to_string();
        let headers = Headers {
            id: "msg_1",
            timestamp: &timestamp,
            signature,
        };
        keys(not_after).verify(headers, &[body], now)
    }

    fn sign(key: &str, timestamp_offset: i64, body: &[u8]) -> String {
        let at = NOW.parse::<Timestamp>().unwrap().as_second() + timestamp_offset;
        SenderKey::read(key)
            .unwrap()
            .sign("msg_1", &at.to_string(), body)
    }

    #[test]
    fn the_schemes_own_example_verifies() {
        // Standard Webhooks specification, "Signature scheme".
        let key = SenderKey::read("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signature = key.sign(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "1614265330",
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn both_kinds_of_key_are_taken_also_side_by_side() {
        let hmac = sign("whsec_b2xk", 0, b"{}");
        let ed25519 = sign(&private(), 0, b"{}");
        assert_eq!(check(&hmac, 0, b"{}", None), Ok(()));
        assert_eq!(check(&ed25519, 0, b"{}", None), Ok(()));
        assert_eq!(
            check(&format!("v1,AAAA v9,x {ed25519}"), 0, b"{}", None),
            Ok(())
        );
    }

    #[test]
    fn a_changed_body_another_key_or_an_unknown_scheme_is_refused() {
        let good = sign("whsec_b2xk", 0, b"{}");
        assert_eq!(check(&good, 0, b"{ }", None), Err(Refusal::Signature));
        assert_eq!(
            check(&sign("whsec_bmV3", 0, b"{}"), 0, b"{}", None),
            Err(Refusal::Signature)
        );
        assert_eq!(
            check(&good.replace("v1,", "v9,"), 0, b"{}", None),
            Err(Refusal::Signature)
        );
        assert_eq!(check("v1,", 0, b"{}", None), Err(Refusal::Signature));
        let many = format!("{}{good}", "v1,AAAA ".repeat(50));
        assert_eq!(check(&many, 0, b"{}", None), Err(Refusal::Signature));
    }

    #[test]
    fn the_window_is_five_minutes_either_way() {
        for (offset, expected) in [
            (300, Ok(())),
            (-300, Ok(())),
            (301, Err(Refusal::Timestamp)),
            (-301, Err(Refusal::Timestamp)),
        ] {
            assert_eq!(
                check(&sign("whsec_b2xk", offset, b"{}"), offset, b"{}", None),
                expected,
                "{offset}"
            );
        }
    }

    #[test]
    fn a_key_that_we_sign_by_signs_and_opens_no_door() {
        let now = NOW.parse().unwrap();
        let [ours] = keys(None).signing("out", now).try_into().ok().unwrap();
        let at = NOW.parse::<Timestamp>().unwrap().as_second().to_string();
        let signature = ours.sign("msg_1", &at, b"{}");
        assert_eq!(signature, sign("whsec_b3V0", 0, b"{}"));
        assert_eq!(check(&signature, 0, b"{}", None), Err(Refusal::Signature));
        assert!(keys(None).signing("other", now).is_empty());
        assert!(keys(Some(now)).signing("out", now).is_empty());
    }

    #[test]
    fn a_key_that_was_withdrawn_is_named_as_such() {
        let past = NOW.parse::<Timestamp>().unwrap() - SignedDuration::from_secs(1);
        assert_eq!(
            check(&sign("whsec_b2xk", 0, b"{}"), 0, b"{}", Some(past)),
            Err(Refusal::KeyRevoked)
        );
    }
}
