//! Who asks: a token of the organisation's own issuer, checked against its published keys.
//!
//! The key says which algorithm a signature has, never the token. A key that is not known is looked for once a
//! minute at most, so that a rotation is seen soon and a flood of made-up key names asks nobody.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use interplant_domain::access::{Caller, Grant};
use interplant_runtime::Context;
use interplant_runtime::settings::OperatorSettings;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::jwk::{
    AlgorithmParameters, EllipticCurve, Jwk, JwkSet, KeyAlgorithm, PublicKeyUse,
};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::{Map, Value};

use super::problem::Problem;

/// What a clock may be off.
const LEEWAY_SECONDS: u64 = 30;

/// Keys are read again after this time, so that a withdrawn one is forgotten.
const KEPT: SignedDuration = SignedDuration::from_mins(60);

/// While the issuer cannot be reached, they count for so long.
const KEPT_AT_MOST: SignedDuration = SignedDuration::from_hours(24);

/// An unknown key has the set read again at most this often.
const READ_AGAIN: SignedDuration = SignedDuration::from_secs(60);

/// A longer token is none.
const TOKEN_BYTES: usize = 16 * 1024;

/// A set of keys is not larger.
const SET_BYTES: usize = 256 * 1024;

/// The issuer that local clouds make tokens by. No deployed stack takes it: that needs a setting which no
/// template has.
const DEVELOPMENT: &str = "urn:interplant:development";

/// The keys as they were last read.
struct Kept {
    set: Arc<JwkSet>,
    read_at: Timestamp,
    tried_at: Timestamp,
}

static KEPT_KEYS: Mutex<Option<Kept>> = Mutex::new(None);

/// Who asks.
pub(crate) async fn caller(
    context: &Context,
    headers: &BTreeMap<String, String>,
) -> Result<Caller, Problem> {
    let settings = &context.settings.operator;
    let configured = !settings.issuer.is_empty()
        && !settings.audience.is_empty()
        && !settings.keys.is_empty()
        && (settings.development || !settings.issuer.starts_with(DEVELOPMENT));
    if !configured {
        return Err(Problem::new(
            503,
            "issuer_not_configured",
            "Nobody can sign in: the stack's parameters OperatorIssuer, OperatorAudience and OperatorKeys name no issuer of tokens.",
        ));
    }
    let token = headers
        .get("authorization")
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .filter(|token| !token.is_empty() && token.len() <= TOKEN_BYTES);
    let token = token.ok_or_else(|| {
        Problem::new(
            401,
            "token_missing",
            "Send the token of your sign-in as `Authorization: Bearer <token>`.",
        )
    })?;
    let header = decode_header(token).map_err(|_| invalid())?;
    // What a critical extension would change is not known here.
    let named = header.kid.filter(|_| header.crit.is_none());
    let named = named.ok_or_else(invalid)?;
    let key = key(settings, &named, context.now()).await?;
    let algorithm = algorithm(&key)
        .filter(|algorithm| *algorithm == header.alg)
        .ok_or_else(invalid)?;
    let decoding = DecodingKey::from_jwk(&key).map_err(|_| invalid())?;
    let mut validation = Validation::new(algorithm);
    validation.leeway = LEEWAY_SECONDS;
    validation.validate_nbf = true;
    validation.set_issuer(&[&settings.issuer]);
    validation.set_audience(&[&settings.audience]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    let checked = decode::<Map<String, Value>>(token, &decoding, &validation);
    let claims = match checked {
        Ok(checked) => checked.claims,
        Err(error) if *error.kind() == ErrorKind::ExpiredSignature => {
            return Err(Problem::new(
                401,
                "token_expired",
                "The token has expired: sign in again.",
            ));
        }
        Err(_) => return Err(invalid()),
    };
    let subject = claims.get("sub").and_then(Value::as_str);
    let subject = subject
        .filter(|subject| !subject.trim().is_empty() && subject.len() <= 200)
        .ok_or_else(invalid)?;
    Ok(Caller {
        subject: subject.to_owned(),
        grants: grants(claims.get(&settings.roles_claim)),
    })
}

fn invalid() -> Problem {
    Problem::new(
        401,
        "token_invalid",
        "The token is not one of this installation's issuer for this audience, or its signature is wrong: sign in again.",
    )
}

/// What a claim grants; what cannot be read grants nothing.
fn grants(claim: Option<&Value>) -> Vec<Grant> {
    let words: Vec<&str> = match claim {
        Some(Value::String(text)) => text.split_whitespace().collect(),
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => {
            Vec::new()
        }
    };
    let read = |word: &str| {
        let grant = word.parse();
        if let Err(error) = &grant {
            tracing::warn!("a token grants nothing by {error}");
        }
        grant.ok()
    };
    words.into_iter().filter_map(read).collect()
}

/// The one algorithm that a key is for.
fn algorithm(key: &Jwk) -> Option<Algorithm> {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the library may learn kinds of keys that are not taken here"
    )]
    let of_kind = match &key.algorithm {
        AlgorithmParameters::RSA(_) => (Algorithm::RS256, KeyAlgorithm::RS256),
        AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P256 => {
            (Algorithm::ES256, KeyAlgorithm::ES256)
        }
        AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => {
            (Algorithm::EdDSA, KeyAlgorithm::EdDSA)
        }
        // Above all no shared secret: who publishes one has none.
        _ => return None,
    };
    let common = &key.common;
    let for_signing =
        !matches!(&common.public_key_use, Some(other) if *other != PublicKeyUse::Signature);
    let stated = common
        .key_algorithm
        .is_none_or(|stated| stated == of_kind.1);
    (for_signing && stated).then_some(of_kind.0)
}

/// The key of a name.
async fn key(settings: &OperatorSettings, name: &str, now: Timestamp) -> Result<Jwk, Problem> {
    let kept = |at_most: SignedDuration| {
        let kept = KEPT_KEYS.lock().ok()?;
        let kept = kept.as_ref()?;
        let fresh = now.duration_since(kept.read_at) < at_most;
        fresh.then(|| (Arc::clone(&kept.set), kept.tried_at))
    };
    if let Some((set, tried_at)) = kept(KEPT) {
        if let Some(key) = set.find(name) {
            return Ok(key.clone());
        }
        if now.duration_since(tried_at) < READ_AGAIN {
            return Err(invalid());
        }
    }
    if let Ok(mut kept) = KEPT_KEYS.lock()
        && let Some(kept) = kept.as_mut()
    {
        kept.tried_at = now;
    }
    let read = read(settings).await;
    let set = match read {
        Ok(set) => {
            let set = Arc::new(set);
            if let Ok(mut kept) = KEPT_KEYS.lock() {
                *kept = Some(Kept {
                    set: Arc::clone(&set),
                    read_at: now,
                    tried_at: now,
                });
            }
            set
        }
        Err(note) => {
            tracing::warn!("the keys of the issuer cannot be read: {note}");
            // Keys that were right yesterday are better than nobody who can decide.
            match kept(KEPT_AT_MOST) {
                Some((set, _)) => set,
                None => {
                    return Err(Problem::new(
                        503,
                        "issuer_not_reached",
                        "The keys of the issuer of tokens cannot be read: try again in a minute.",
                    ));
                }
            }
        }
    };
    set.find(name).cloned().ok_or_else(invalid)
}

/// The published keys, from the address that the setting names or out of the setting itself.
async fn read(settings: &OperatorSettings) -> Result<JwkSet, String> {
    let text = if let Some(inline) = settings.keys.strip_prefix("data:application/json;base64,") {
        base64::engine::general_purpose::STANDARD
            .decode(inline)
            .map_err(|error| error.to_string())?
    } else {
        fetch(settings).await?
    };
    serde_json::from_slice(&text).map_err(|error| error.to_string())
}

async fn fetch(settings: &OperatorSettings) -> Result<Vec<u8>, String> {
    let told = |error: reqwest::Error| error.without_url().to_string();
    let client = reqwest::Client::builder()
        .https_only(!settings.development)
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(5))
        .no_proxy()
        .build()
        .map_err(told)?;
    let mut response = client.get(&settings.keys).send().await.map_err(told)?;
    if !response.status().is_success() {
        return Err(format!("answered {}", response.status()));
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(told)? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > SET_BYTES {
            return Err(format!("more than {SET_BYTES} bytes"));
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use serde_json::json;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    fn jwk(value: Value) -> Jwk {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_key_is_for_one_algorithm_and_a_shared_secret_for_none() {
        let rsa = json!({"kty": "RSA", "kid": "1", "n": "AQAB", "e": "AQAB"});
        let ec = |curve: &str| json!({"kty": "EC", "kid": "1", "crv": curve, "x": "AA", "y": "AA"});
        let ed = json!({"kty": "OKP", "kid": "1", "crv": "Ed25519", "x": "AA"});
        let with = |mut key: Value, name: &str, value: &str| {
            key[name] = json!(value);
            key
        };
        for (key, expected) in [
            (rsa.clone(), Some(Algorithm::RS256)),
            (with(rsa.clone(), "alg", "RS256"), Some(Algorithm::RS256)),
            (with(rsa.clone(), "alg", "HS256"), None),
            (with(rsa.clone(), "alg", "RSA-OAEP"), None),
            (with(rsa, "use", "enc"), None),
            (ec("P-256"), Some(Algorithm::ES256)),
            (ec("P-384"), None),
            (ed, Some(Algorithm::EdDSA)),
            (json!({"kty": "oct", "kid": "1", "k": "AQAB"}), None),
        ] {
            assert_eq!(algorithm(&jwk(key.clone())), expected, "{key}");
        }
    }

    #[test]
    fn grants_are_a_list_or_words_and_what_cannot_be_read_grants_nothing() {
        let count = |claim: Value| grants(Some(&claim)).len();
        assert_eq!(
            count(json!(["viewer:*:*", "steward:plant-x:data", "root:*:*", 7])),
            2
        );
        assert_eq!(count(json!("viewer:*:* steward:plant-x:data")), 2);
        assert_eq!(count(json!({"viewer": true})) + grants(None).len(), 0);
    }

    /// An issuer that publishes the key `old`, and once it was asked so often, `new` in its place.
    async fn issuer(asked: Arc<AtomicUsize>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/keys", listener.local_addr().unwrap());
        let serve = async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = [0; 2048];
                let _read = stream.read(&mut request).await.unwrap();
                let name = if asked.fetch_add(1, Ordering::SeqCst) == 0 {
                    "old"
                } else {
                    "new"
                };
                let body =
                    json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": name, "x": "AA"}]})
                        .to_string();
                let answer = format!(
                    "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                    body.len()
                );
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        };
        #[expect(clippy::disallowed_methods, reason = "a server of a test")]
        tokio::spawn(serve);
        address
    }

    #[tokio::test]
    async fn a_new_key_of_the_issuer_is_seen_within_a_minute_and_made_up_names_ask_nobody() {
        let asked = Arc::new(AtomicUsize::new(0));
        let settings = OperatorSettings {
            keys: issuer(Arc::clone(&asked)).await,
            development: true,
            ..OperatorSettings::default()
        };
        let start = Timestamp::UNIX_EPOCH;
        let at = |seconds: i64| start + SignedDuration::from_secs(seconds);
        let found =
            async |name: &str, seconds: i64| key(&settings, name, at(seconds)).await.is_ok();
        assert!(found("old", 0).await);
        for second in 1..60 {
            assert!(!found("new", second).await, "it was looked for already");
        }
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        assert!(found("new", 61).await);
        assert!(!found("old", 62).await, "a withdrawn key is forgotten");
        assert_eq!(asked.load(Ordering::SeqCst), 2);
        assert!(found("new", 61 + 3599).await);
        assert_eq!(asked.load(Ordering::SeqCst), 2);
        // An hour later the set is read again, whoever asks.
        assert!(found("new", 61 + 3601).await);
        assert_eq!(asked.load(Ordering::SeqCst), 3);
    }
}
