//! Secrets, read when they are needed and kept for a few minutes, so that a rotated one is soon in use.

use std::collections::HashMap;
use std::sync::Mutex;

use aws_sdk_secretsmanager::Client;
use jiff::{SignedDuration, Timestamp};

use crate::store::Error;

/// A rotated secret is in use after this time at the latest.
const KEPT: SignedDuration = SignedDuration::from_mins(5);

/// Reads secrets by name. Never printed: it has no `Debug`.
pub struct Secrets {
    client: Client,
    prefix: String,
    kept: Mutex<HashMap<String, (Timestamp, Option<String>)>>,
}

impl Secrets {
    /// Secrets below a prefix.
    #[must_use]
    pub fn new(client: Client, prefix: String) -> Self {
        Self {
            client,
            prefix,
            kept: Mutex::new(HashMap::new()),
        }
    }

    /// The text of `<prefix>/<name>`, or none when there is no such secret.
    ///
    /// # Errors
    /// When Secrets Manager is not available.
    pub async fn read(&self, name: &str, now: Timestamp) -> Result<Option<String>, Error> {
        if let Ok(kept) = self.kept.lock()
            && let Some((at, text)) = kept.get(name)
            && now.duration_since(*at) < KEPT
        {
            return Ok(text.clone());
        }
        let answer = self
            .client
            .get_secret_value()
            .secret_id(format!("{}/{name}", self.prefix))
            .send()
            .await;
        let text = match answer {
            Ok(answer) => answer.secret_string,
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(|service| service.is_resource_not_found_exception()) =>
            {
                None
            }
            Err(error) => {
                return Err(Error::Unavailable(
                    aws_sdk_secretsmanager::error::DisplayErrorContext(error).to_string(),
                ));
            }
        };
        if let Ok(mut kept) = self.kept.lock() {
            // An absent secret is kept for no time: a plant that was just registered must not wait.
            if text.is_some() {
                kept.insert(name.to_owned(), (now, text.clone()));
            }
        }
        Ok(text)
    }

    /// Forgets a secret, for instance because Odoo has refused the key in it.
    pub fn forget(&self, name: &str) {
        if let Ok(mut kept) = self.kept.lock() {
            kept.remove(name);
        }
    }

    /// Stores a secret; for `interplant plant` and the local cloud.
    ///
    /// # Errors
    /// When Secrets Manager is not available.
    pub async fn write(&self, name: &str, text: &str) -> Result<(), Error> {
        let id = format!("{}/{name}", self.prefix);
        let unavailable = |text: String| Error::Unavailable(text);
        let create = self
            .client
            .create_secret()
            .name(&id)
            .secret_string(text)
            .send()
            .await;
        match create {
            Ok(_) => {}
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(|service| service.is_resource_exists_exception()) =>
            {
                let put = self
                    .client
                    .put_secret_value()
                    .secret_id(&id)
                    .secret_string(text)
                    .send()
                    .await;
                put.map_err(|error| {
                    unavailable(
                        aws_sdk_secretsmanager::error::DisplayErrorContext(error).to_string(),
                    )
                })?;
            }
            Err(error) => {
                return Err(unavailable(
                    aws_sdk_secretsmanager::error::DisplayErrorContext(error).to_string(),
                ));
            }
        }
        self.forget(name);
        Ok(())
    }
}
