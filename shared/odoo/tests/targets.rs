//! Where the wire suite runs.

use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use interplant_odoo::{Client, Credentials, Limits, Version};
use interplant_odoo_sandbox::{Sandbox, SandboxOptions};
use serde_json::json;

/// An Odoo under test, and a word that makes the external ids of this run its own.
pub(crate) struct Target {
    pub(crate) client: Client,
    pub(crate) credentials: Credentials,
    pub(crate) run: String,
}

impl Target {
    pub(crate) async fn at(credentials: Credentials) -> Self {
        let client = Client::connect(credentials.clone(), Limits::default())
            .await
            .unwrap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Self {
            client,
            credentials,
            run: format!("wire{}", now.as_nanos()),
        }
    }
}

impl Target {
    /// Presses a button as a person would; the connector has no such call.
    pub(crate) async fn press(&self, model: &str, button: &str, id: i64) {
        self.by_hand(model, button, Some(&[id]), json!({})).await;
    }

    /// Creates a record as a person would, without an external id.
    pub(crate) async fn create(&self, model: &str, values: serde_json::Value) -> i64 {
        let created = self
            .by_hand(model, "create", None, json!({"vals_list": [values]}))
            .await;
        created[0].as_i64().unwrap()
    }

    /// Writes to a record as a person would.
    pub(crate) async fn write(&self, model: &str, id: i64, values: serde_json::Value) {
        self.by_hand(model, "write", Some(&[id]), json!({"vals": values}))
            .await;
    }

    async fn by_hand(
        &self,
        model: &str,
        method: &str,
        ids: Option<&[i64]>,
        mut named: serde_json::Value,
    ) -> serde_json::Value {
        let Credentials {
            url,
            db,
            login,
            api_key,
        } = &self.credentials;
        let http = interplant_odoo::http_client(&Limits::default()).unwrap();
        let send = async |path: String, body: serde_json::Value| {
            let request = http
                .post(format!("{url}{path}"))
                .bearer_auth(api_key)
                .header("X-Odoo-Database", db);
            let answer = request
                .header("content-type", "application/json")
                .body(body.to_string())
                .send()
                .await
                .unwrap();
            let (status, text) = (answer.status(), answer.text().await.unwrap());
            let read: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert!(
                status.is_success() && read.get("error").is_none(),
                "{model}.{method}: {text}"
            );
            read
        };
        if self.client.version() == Version::V19 {
            if let Some(ids) = ids {
                named["ids"] = json!(ids);
            }
            return send(format!("/json/2/{model}/{method}"), named).await;
        }
        let call = |service: &str, method: &str, args: serde_json::Value| json!({"jsonrpc": "2.0", "method": "call", "id": 1, "params": {"service": service, "method": method, "args": args}});
        let user = send(
            "/jsonrpc".into(),
            call("common", "authenticate", json!([db, login, api_key, {}])),
        )
        .await["result"]
            .clone();
        // 17 and 18 take what is created or written by its position.
        let mut positional: Vec<serde_json::Value> =
            ids.map(|ids| json!(ids)).into_iter().collect();
        for name in ["vals_list", "vals"] {
            positional.extend(named.as_object_mut().unwrap().remove(name));
        }
        send(
            "/jsonrpc".into(),
            call(
                "object",
                "execute_kw",
                json!([db, user, api_key, model, method, positional, named]),
            ),
        )
        .await["result"]
            .clone()
    }
}

/// A sandbox that behaves like this version, and how to reach it.
pub(crate) fn sandbox(version: Version) -> (Sandbox, Credentials) {
    let version = match version {
        Version::V17 => interplant_odoo_sandbox::Version::V17,
        Version::V18 => interplant_odoo_sandbox::Version::V18,
        Version::V19 => interplant_odoo_sandbox::Version::V19,
    };
    let sandbox = Sandbox::start(version, SandboxOptions::default()).unwrap();
    let credentials = Credentials {
        url: sandbox.url(),
        db: sandbox.database().to_owned(),
        login: sandbox.login().to_owned(),
        api_key: sandbox.api_key().to_owned(),
    };
    (sandbox, credentials)
}

/// The server that the environment names, if it names one.
pub(crate) fn real() -> Option<Credentials> {
    let read = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    Some(Credentials {
        url: read("ODOO_URL")?,
        db: read("ODOO_DB")?,
        login: read("ODOO_LOGIN")?,
        api_key: read("ODOO_API_KEY")?,
    })
}

/// Says it past the test runner, which hides what a passing test prints.
pub(crate) fn tell(words: &str) {
    let _unheard = writeln!(std::io::stderr(), "{words}");
}
