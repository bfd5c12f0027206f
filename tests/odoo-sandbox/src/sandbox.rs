//! A running sandbox: a thread with its own runtime, bound to a free port.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use rust_decimal::Decimal;
use serde_json::{Map, Value as Json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::clock::Clock;
use crate::engine::Engine;
use crate::faults::{Fault, Faults};
use crate::journal::{Call, Journal};
use crate::models::base::COMPANY;
use crate::orm::write;
use crate::seed::{ADMINISTRATOR, INTEGRATION};
use crate::transport::{Account, Server, serve};
use crate::value::Value;
use crate::version::Version;

/// How a sandbox is set up.
#[derive(Debug, Clone)]
pub struct SandboxOptions {
    /// Where it listens; `127.0.0.1:0`, a free port, unless set.
    pub listen: SocketAddr,
    /// Name of the one database.
    pub database: String,
    /// Login of the integration user.
    pub login: String,
    /// Key of the integration user.
    pub api_key: String,
    /// Key of the user `admin`, who may approve orders and read external ids.
    pub admin_key: String,
    /// From this order total on a purchase manager has to approve; one-step approval when `None`.
    pub approval_threshold: Option<Decimal>,
    /// How long every call takes between its work and its commit; zero unless set.
    pub call_duration: Duration,
    /// Where the time comes from.
    pub clock: Clock,
}

impl Default for SandboxOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            database: "sandbox".to_owned(),
            login: "interplant".to_owned(),
            api_key: "sandbox-integration-key".to_owned(),
            admin_key: "sandbox-admin-key".to_owned(),
            approval_threshold: None,
            call_duration: Duration::ZERO,
            clock: Clock::System,
        }
    }
}

/// Why a sandbox could not do what it was asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// The address cannot be listened on, or the thread cannot be started.
    #[error("the sandbox cannot listen on {listen}")]
    Listen {
        /// The address it was told to listen on.
        listen: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The records do not allow it.
    #[error("{0}")]
    Refused(String),
}

/// A sandbox that runs until it is dropped.
#[derive(Debug)]
pub struct Sandbox {
    address: SocketAddr,
    options: SandboxOptions,
    server: Arc<Server>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Sandbox {
    /// Starts a sandbox and waits until it listens.
    ///
    /// # Errors
    /// [`SandboxError::Listen`] when the address is taken.
    pub fn start(version: Version, options: SandboxOptions) -> Result<Self, SandboxError> {
        let failed = |source| SandboxError::Listen {
            listen: options.listen,
            source,
        };
        let engine = Engine::new(version, options.clock, &options.login);
        let server = Arc::new(Server {
            engine,
            faults: Faults::default(),
            journal: Journal::default(),
            database: options.database.clone(),
            accounts: vec![
                Account {
                    login: options.login.clone(),
                    key: options.api_key.clone(),
                    user: INTEGRATION,
                },
                Account {
                    login: "admin".to_owned(),
                    key: options.admin_key.clone(),
                    user: ADMINISTRATOR,
                },
            ],
            call_duration: options.call_duration,
        });
        let socket = std::net::TcpListener::bind(options.listen).map_err(failed)?;
        socket.set_nonblocking(true).map_err(failed)?;
        let address = socket.local_addr().map_err(failed)?;
        let (stop, stopped) = oneshot::channel();
        let serving = Arc::clone(&server);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(failed)?;
        let thread = std::thread::Builder::new()
            .name(format!("odoo-sandbox-{version}"))
            .spawn(move || {
                runtime.block_on(async move {
                    let Ok(listener) = TcpListener::from_std(socket) else {
                        return;
                    };
                    tokio::select! {
                        () = serve(listener, serving) => {}
                        _ = stopped => {}
                    }
                });
                // Calls that are still held by a fault are given up with the runtime.
                runtime.shutdown_background();
            })
            .map_err(failed)?;
        let sandbox = Self {
            address,
            options,
            server,
            stop: Some(stop),
            thread: Some(thread),
        };
        if let Some(threshold) = sandbox.options.approval_threshold {
            sandbox.require_approval_from(threshold)?;
        }
        Ok(sandbox)
    }

    /// Where it listens, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Name of the one database.
    #[must_use]
    pub fn database(&self) -> &str {
        &self.options.database
    }

    /// Login of the integration user.
    #[must_use]
    pub fn login(&self) -> &str {
        &self.options.login
    }

    /// Key of the integration user.
    #[must_use]
    pub fn api_key(&self) -> &str {
        &self.options.api_key
    }

    /// Key of the user `admin`.
    #[must_use]
    pub fn admin_key(&self) -> &str {
        &self.options.admin_key
    }

    /// The version it behaves like.
    #[must_use]
    pub fn version(&self) -> Version {
        self.server.engine.version
    }

    /// Switches a fault on.
    pub fn add_fault(&self, fault: Fault) {
        self.server.faults.add(fault);
    }

    /// Switches all faults off.
    pub fn clear_faults(&self) {
        self.server.faults.clear();
    }

    /// The calls that came in so far.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.server.journal.list()
    }

    /// Forgets the calls that came in so far.
    pub fn reset_calls(&self) {
        self.server.journal.reset();
    }

    /// All records of a model, archived ones too, with all fields, many2one as bare ids.
    ///
    /// # Errors
    /// [`SandboxError::Refused`] for an unknown model.
    pub fn records(&self, model: &str) -> Result<Vec<Json>, SandboxError> {
        let dump = self
            .server
            .engine
            .dump(model)
            .map_err(|error| SandboxError::Refused(error.to_string()))?;
        Ok(dump.as_array().cloned().unwrap_or_default())
    }

    /// Writes to a record as the administrator, as a person in Odoo would.
    ///
    /// # Errors
    /// [`SandboxError::Refused`] with what Odoo would say.
    pub fn write(
        &self,
        model: &str,
        id: i64,
        values: &Map<String, Json>,
    ) -> Result<(), SandboxError> {
        self.change(|tx| {
            let model = tx.model(model)?;
            write::write(tx, model, &[id], values)
        })
    }

    /// Calls a method without arguments on a record as the administrator, as a person in Odoo would:
    /// `button_cancel`, `button_approve`, `action_post`, ...
    ///
    /// # Errors
    /// [`SandboxError::Refused`] with what Odoo would say.
    pub fn press(&self, model: &str, method: &str, id: i64) -> Result<(), SandboxError> {
        self.change(|tx| {
            let name = tx.model(model)?.name;
            let unknown = || crate::error::Error::user(format!("{model} has no method {method}"));
            crate::models::call(tx, name, method, &[id], &Map::new())
                .ok_or_else(unknown)?
                .map(drop)
        })
    }

    /// Two-step approval: orders from this total on wait for a purchase manager.
    ///
    /// # Errors
    /// [`SandboxError::Refused`] when the company cannot be written to.
    pub fn require_approval_from(&self, threshold: Decimal) -> Result<(), SandboxError> {
        self.change(|tx| {
            let values = [
                ("po_double_validation", Value::text("two_step")),
                ("po_double_validation_amount", Value::Dec(threshold)),
            ];
            tx.put_all("res.company", COMPANY, values);
            Ok(())
        })
    }

    fn change(
        &self,
        work: impl FnOnce(&mut crate::transaction::Transaction) -> crate::error::Result<()>,
    ) -> Result<(), SandboxError> {
        self.server
            .engine
            .change(work)
            .map_err(|error| SandboxError::Refused(error.message))
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // The thread may have ended already; then nobody listens.
            let (Ok(()) | Err(())) = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
