//! Settings: read once from the environment, every missing variable reported together.

use std::fmt;
use std::time::Duration;

use jiff::SignedDuration;

/// What a function needs to know about its surroundings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Table of received events.
    pub inbox_table: String,
    /// Table of lifecycles.
    pub lifecycle_table: String,
    /// Table of published plant configuration.
    pub plant_table: String,
    /// Table of deliveries of files, and of the feeds in force.
    pub file_table: String,
    /// Bucket of files and feeds.
    pub file_bucket: String,
    /// Table of what plants are to be told.
    pub outbox_table: String,
    /// Queue to the sender of the outbox.
    pub outbox_queue_url: String,
    /// Table of the plants' audit chains.
    pub audit_table: String,
    /// Queue to `audit-chain`.
    pub audit_queue_url: String,
    /// Queue to `route`.
    pub route_queue_url: String,
    /// Queue of the sweeper's ticks.
    pub tick_queue_url: String,
    /// Queue that tells `odoo-watch` to read.
    pub watch_queue_url: String,
    /// Queue to `import`.
    pub import_queue_url: String,
    /// Queue of decisions about many exceptions at once.
    pub job_queue_url: String,
    /// Who may sign people in; only the operators' API looks at it.
    pub operator: OperatorSettings,
    /// ARN of the purchase order's state machine.
    pub purchase_order_arn: String,
    /// Secrets are `<prefix>/plants/<code>`, `<prefix>/odoo/<database>` and `<prefix>/odoo-hints/<database>`.
    pub secret_prefix: String,
    /// Time between two ticks of the sweeper while there is something to do.
    pub tick: Duration,
    /// How often the sweeper looks whether an open lifecycle still has its execution.
    pub check: Duration,
    /// The end of an audit chain is anchored at most so often.
    pub anchor: SignedDuration,
    /// Whether a plant's webhook may be on this machine: for tests on a local cloud, nowhere else.
    pub webhook_loopback: bool,
    /// How long an Odoo that does not answer is left alone before it is asked again.
    pub probe_every: SignedDuration,
    /// A step that takes longer than this has met a slow Odoo, which is then asked less at once.
    pub slow_step: SignedDuration,
    /// How long Odoo may go on working on a call whose answer was lost: its own limit on a request.
    pub odoo_request_limit: SignedDuration,
}

/// Whose tokens the operators' API takes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OperatorSettings {
    /// The issuer, as tokens name it.
    pub issuer: String,
    /// The audience, as tokens name it.
    pub audience: String,
    /// Where the issuer publishes its keys: an https address, or `data:application/json;base64,` and the set itself.
    pub keys: String,
    /// The claim that says what a token grants.
    pub roles_claim: String,
    /// Whether the issuer of a local cloud is taken: for a local cloud, nowhere else.
    pub development: bool,
}

/// Variables that are missing or make no sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incomplete(Vec<String>);

impl fmt::Display for Incomplete {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the environment lacks or has no usable value for: {}",
            self.0.join(", ")
        )
    }
}

impl std::error::Error for Incomplete {}

impl Settings {
    /// Reads the environment.
    ///
    /// # Errors
    /// Every variable that is missing, in one error.
    pub fn from_env() -> Result<Self, Incomplete> {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place that reads the environment"
        )]
        Self::read(|name| std::env::var(name).ok())
    }

    /// Reads from any source of variables.
    ///
    /// # Errors
    /// Every variable that is missing, in one error.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Incomplete> {
        let mut missing = Vec::new();
        let mut text = |name: &str| {
            variable(name)
                .filter(|value| !value.is_empty())
                .unwrap_or_else(|| {
                    missing.push(name.to_owned());
                    String::new()
                })
        };
        let inbox_table = text("INTERPLANT_INBOX_TABLE");
        let lifecycle_table = text("INTERPLANT_LIFECYCLE_TABLE");
        let plant_table = text("INTERPLANT_PLANT_TABLE");
        let file_table = text("INTERPLANT_FILE_TABLE");
        let file_bucket = text("INTERPLANT_FILE_BUCKET");
        let outbox_table = text("INTERPLANT_OUTBOX_TABLE");
        let outbox_queue_url = text("INTERPLANT_OUTBOX_QUEUE_URL");
        let audit_table = text("INTERPLANT_AUDIT_TABLE");
        let audit_queue_url = text("INTERPLANT_AUDIT_QUEUE_URL");
        let route_queue_url = text("INTERPLANT_ROUTE_QUEUE_URL");
        let tick_queue_url = text("INTERPLANT_TICK_QUEUE_URL");
        let watch_queue_url = text("INTERPLANT_WATCH_QUEUE_URL");
        let import_queue_url = text("INTERPLANT_IMPORT_QUEUE_URL");
        let job_queue_url = text("INTERPLANT_JOB_QUEUE_URL");
        let purchase_order_arn = text("INTERPLANT_PURCHASE_ORDER_ARN");
        let mut seconds =
            |name: &str, default: u64| match variable(name).filter(|value| !value.is_empty()) {
                None => Duration::from_secs(default),
                Some(value) => value.parse().map(Duration::from_secs).unwrap_or_else(|_| {
                    missing.push(name.to_owned());
                    Duration::ZERO
                }),
            };
        let settings = Self {
            tick: seconds("INTERPLANT_TICK_SECONDS", 30),
            check: seconds("INTERPLANT_CHECK_SECONDS", 900),
            probe_every: SignedDuration::try_from(seconds("INTERPLANT_PROBE_SECONDS", 30))
                .unwrap_or(SignedDuration::MAX),
            slow_step: SignedDuration::try_from(seconds("INTERPLANT_SLOW_STEP_SECONDS", 15))
                .unwrap_or(SignedDuration::MAX),
            odoo_request_limit: SignedDuration::try_from(seconds(
                "INTERPLANT_ODOO_REQUEST_LIMIT_SECONDS",
                130,
            ))
            .unwrap_or(SignedDuration::MAX),
            anchor: SignedDuration::try_from(seconds("INTERPLANT_ANCHOR_SECONDS", 300))
                .unwrap_or(SignedDuration::MAX),
            webhook_loopback: variable("INTERPLANT_WEBHOOK_LOOPBACK").as_deref() == Some("1"),
            secret_prefix: variable("INTERPLANT_SECRET_PREFIX")
                .unwrap_or_else(|| "interplant".to_owned()),
            inbox_table,
            lifecycle_table,
            plant_table,
            file_table,
            file_bucket,
            outbox_table,
            outbox_queue_url,
            audit_table,
            audit_queue_url,
            route_queue_url,
            tick_queue_url,
            watch_queue_url,
            import_queue_url,
            job_queue_url,
            operator: OperatorSettings {
                issuer: variable("INTERPLANT_OPERATOR_ISSUER").unwrap_or_default(),
                audience: variable("INTERPLANT_OPERATOR_AUDIENCE").unwrap_or_default(),
                keys: variable("INTERPLANT_OPERATOR_KEYS").unwrap_or_default(),
                roles_claim: variable("INTERPLANT_OPERATOR_ROLES_CLAIM")
                    .filter(|name| !name.is_empty())
                    .unwrap_or_else(|| "interplant_roles".to_owned()),
                development: variable("INTERPLANT_DEVELOPMENT_ISSUER").as_deref() == Some("1"),
            },
            purchase_order_arn,
        };
        if missing.is_empty() {
            Ok(settings)
        } else {
            Err(Incomplete(missing))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_missing_variable_is_reported_at_once() {
        let error =
            Settings::read(|name| (name == "INTERPLANT_TICK_SECONDS").then(|| "soon".to_owned()))
                .unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("INTERPLANT_INBOX_TABLE")
                && text.contains("INTERPLANT_PURCHASE_ORDER_ARN")
                && text.contains("INTERPLANT_TICK_SECONDS"),
            "{text}"
        );
    }
}
