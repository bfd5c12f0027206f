//! The cloud: AWS by the environment, or the one on this machine.

use std::collections::HashMap;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use interplant_domain::plant::Plant;
use interplant_odoo::Credentials;
use interplant_runtime::context::Endpoint;
use interplant_runtime::webhook::{PlantKey, PlantKeys};
use interplant_runtime::{Context, Settings};
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::Failure;
use crate::api::Sender;

/// What `infra/local/cloud.py` says when it is ready.
#[derive(Debug, Clone, Deserialize)]
pub struct Ready {
    endpoint: String,
    /// Base address of the API.
    pub api: String,
    region: String,
    access_key_id: String,
    secret_access_key: String,
    inbox_table: String,
    lifecycle_table: String,
    plant_table: String,
    file_table: String,
    file_bucket: String,
    outbox_table: String,
    outbox_queue_url: String,
    audit_table: String,
    audit_queue_url: String,
    route_queue_url: String,
    tick_queue_url: String,
    watch_queue_url: String,
    import_queue_url: String,
    /// Queue of decisions about many exceptions at once.
    pub job_queue_url: String,
    state_machine_arn: String,
    /// Folder of the logs.
    pub logs: String,
}

impl Ready {
    fn settings(&self) -> Result<Settings, Failure> {
        let variables = HashMap::from([
            ("INTERPLANT_INBOX_TABLE", &self.inbox_table),
            ("INTERPLANT_LIFECYCLE_TABLE", &self.lifecycle_table),
            ("INTERPLANT_PLANT_TABLE", &self.plant_table),
            ("INTERPLANT_FILE_TABLE", &self.file_table),
            ("INTERPLANT_FILE_BUCKET", &self.file_bucket),
            ("INTERPLANT_OUTBOX_TABLE", &self.outbox_table),
            ("INTERPLANT_OUTBOX_QUEUE_URL", &self.outbox_queue_url),
            ("INTERPLANT_AUDIT_TABLE", &self.audit_table),
            ("INTERPLANT_AUDIT_QUEUE_URL", &self.audit_queue_url),
            ("INTERPLANT_ROUTE_QUEUE_URL", &self.route_queue_url),
            ("INTERPLANT_TICK_QUEUE_URL", &self.tick_queue_url),
            ("INTERPLANT_WATCH_QUEUE_URL", &self.watch_queue_url),
            ("INTERPLANT_IMPORT_QUEUE_URL", &self.import_queue_url),
            ("INTERPLANT_JOB_QUEUE_URL", &self.job_queue_url),
            ("INTERPLANT_PURCHASE_ORDER_ARN", &self.state_machine_arn),
        ]);
        Ok(Settings::read(|name| {
            variables.get(name).map(|value| (*value).clone())
        })?)
    }

    /// Folder of its state, where the key of its issuer of tokens is too.
    #[must_use]
    pub fn folder(&self) -> &Path {
        Path::new(&self.logs).parent().unwrap_or(Path::new("."))
    }

    /// Whether it is still there; its files stay when it ends.
    fn answers(&self) -> bool {
        let address = self.endpoint.trim_start_matches("http://");
        address.parse().is_ok_and(|address| {
            TcpStream::connect_timeout(&address, Duration::from_secs(2)).is_ok()
        })
    }

    /// Stores, queues and engine of this cloud.
    ///
    /// # Errors
    /// Never with what `cloud.py` says.
    pub async fn context(&self) -> Result<Context, Failure> {
        let endpoint = Endpoint {
            url: self.endpoint.clone(),
            region: self.region.clone(),
            access_key_id: self.access_key_id.clone(),
            secret_access_key: self.secret_access_key.clone(),
        };
        Ok(Context::at(self.settings()?, Some(endpoint)).await)
    }
}

/// The cloud that a command talks to: the local one in a folder, or AWS by the environment.
///
/// # Errors
/// When the folder holds no running cloud, or the environment is incomplete.
pub async fn attach(folder: Option<&Path>) -> Result<(Context, Option<Ready>), Failure> {
    match folder {
        Some(folder) => {
            let ready = ready_in(folder)?;
            if !ready.answers() {
                return Err(format!(
                    "the local cloud in {} has ended: start one by `make demo KEEP=1`",
                    folder.display()
                )
                .into());
            }
            Ok((ready.context().await?, Some(ready)))
        }
        None => Ok((Context::new(Settings::from_env()?).await, None)),
    }
}

fn ready_in(folder: &Path) -> Result<Ready, Failure> {
    let path = folder.join("cloud.json");
    let text = std::fs::read_to_string(&path)
        .map_err(|error| format!("there is no local cloud in {}: {error}", folder.display()))?;
    Ok(serde_json::from_str(&text)?)
}

/// The local cloud as a child: it ends when this value is dropped, whatever happens.
pub struct LocalCloud {
    /// What it said when it was ready.
    pub ready: Ready,
    /// Stores, queues and engine.
    pub context: Context,
    folder: PathBuf,
    keys: HashMap<String, String>,
    child: Child,
    commands: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

/// How the local cloud is started.
#[derive(Debug, Clone)]
pub struct LocalOptions {
    /// Root of the project.
    pub project: PathBuf,
    /// Where logs, state and keys go, below `.local`.
    pub folder: PathBuf,
    /// Folder with the binaries of the functions; without it, what `make package` built is deployed by SAM.
    pub binaries: Option<PathBuf>,
    /// Folder in which tests ask for a kill at a failpoint.
    pub failpoints: Option<PathBuf>,
}

impl LocalCloud {
    /// Starts it and waits until both stacks are deployed.
    ///
    /// # Errors
    /// When it does not start; the message says where to look.
    pub async fn start(options: &LocalOptions) -> Result<Self, Failure> {
        let local = options.project.join("infra/local");
        let python = options.project.join(".venv/cloud/bin/python");
        if !python.is_file() {
            return Err(
                "the Python environment of the local cloud is missing: run `make setup`".into(),
            );
        }
        std::fs::create_dir_all(&options.folder)?;
        let mut command = Command::new(python);
        command
            .arg(local.join("cloud.py"))
            .arg("up")
            .arg("--state-dir")
            .arg(&options.folder);
        match &options.binaries {
            Some(binaries) => command.arg("--binaries").arg(binaries),
            None => command.arg("--sam"),
        };
        if let Some(failpoints) = &options.failpoints {
            command.env("INTERPLANT_FAILPOINTS", failpoints);
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let commands = child.stdin.take().ok_or("the local cloud has no input")?;
        let answers = child.stdout.take().ok_or("the local cloud has no output")?;
        let mut answers = BufReader::new(answers).lines();
        let line = answers.next_line().await?;
        let line = line.ok_or_else(|| {
            format!(
                "the local cloud did not start; look into {}",
                options.folder.join("logs").display()
            )
        })?;
        let ready: Ready = serde_json::from_str(&line)?;
        Ok(Self {
            context: ready.context().await?,
            ready,
            folder: options.folder.clone(),
            keys: HashMap::new(),
            child,
            commands,
            answers,
        })
    }

    /// Stops and starts the emulator: running executions are lost, tables and queues stay.
    ///
    /// # Errors
    /// When it does not come back.
    pub async fn restart(&mut self) -> Result<(), Failure> {
        self.commands.write_all(b"restart\n").await?;
        let line = self.answers.next_line().await?.unwrap_or_default();
        if line.contains("\"restarted\": true") {
            Ok(())
        } else {
            Err(format!("the emulator did not come back: {line}").into())
        }
    }

    /// Ends it and waits until nothing is left.
    ///
    /// # Errors
    /// When it does not end cleanly.
    pub async fn stop(mut self) -> Result<(), Failure> {
        self.commands.write_all(b"stop\n").await?;
        let status = self.child.wait().await?;
        if status.success() {
            Ok(())
        } else {
            Err(format!(
                "the local cloud ended with {status}; look into {}",
                self.ready.logs
            )
            .into())
        }
    }

    /// Publishes a plant with a fresh key, which `interplant send` finds in the cloud's folder.
    ///
    /// # Errors
    /// When a store is not available.
    pub async fn publish(&mut self, plant: &Plant) -> Result<Sender, Failure> {
        let key = new_key();
        let code = plant.plant.to_string();
        self.write_keys(
            &code,
            vec![PlantKey {
                id: "local".to_owned(),
                secret: Some(key.clone()),
                public_key: None,
                not_after: None,
            }],
        )
        .await?;
        self.context.plants.publish(plant).await?;
        self.keys.insert(code, key.clone());
        let path = self.folder.join("keys.json");
        std::fs::write(&path, serde_json::to_string_pretty(&self.keys)?)?;
        restrict(&path)?;
        Sender::new(&self.ready.api, &plant.plant, &key)
    }

    /// Sets the keys of a plant.
    ///
    /// # Errors
    /// When Secrets Manager is not available.
    pub async fn write_keys(&self, plant: &str, keys: Vec<PlantKey>) -> Result<(), Failure> {
        Ok(self
            .context
            .secrets
            .write(
                &format!("plants/{plant}"),
                &serde_json::to_string(&PlantKeys {
                    keys,
                    webhook: Vec::new(),
                })?,
            )
            .await?)
    }

    /// Tells the functions where an Odoo database is.
    ///
    /// # Errors
    /// When Secrets Manager is not available.
    pub async fn connect_odoo(
        &self,
        database: &str,
        credentials: &Credentials,
    ) -> Result<(), Failure> {
        let secret = serde_json::json!({
            "url": credentials.url, "db": credentials.db, "login": credentials.login, "api_key": credentials.api_key
        });
        Ok(self
            .context
            .secrets
            .write(&format!("odoo/{database}"), &secret.to_string())
            .await?)
    }
}

/// The key of a plant in the folder of a local cloud.
///
/// # Errors
/// When the plant has none there.
pub fn local_key(folder: &Path, plant: &str) -> Result<String, Failure> {
    let path = folder.join("keys.json");
    let text =
        std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let keys: HashMap<String, String> = serde_json::from_str(&text)?;
    keys.get(plant)
        .cloned()
        .ok_or_else(|| format!("{} has no key of plant {plant}", path.display()).into())
}

/// Gives a plant a key on a local cloud, where it has none yet; on AWS a person does that. Whether it was given.
///
/// # Errors
/// When the key cannot be kept.
pub async fn give_local_key(
    folder: &Path,
    context: &Context,
    plant: &str,
) -> Result<bool, Failure> {
    let name = format!("plants/{plant}");
    let kept = context.secrets.read(&name, context.now()).await?;
    let kept: Option<PlantKeys> = kept.and_then(|text| serde_json::from_str(&text).ok());
    let mut known = kept.into_iter().flat_map(|keys| keys.keys);
    let known = known.find_map(|key| key.secret);
    let is_new = known.is_none();
    let key = known.unwrap_or_else(new_key);
    if is_new {
        let secret = PlantKeys {
            keys: vec![PlantKey {
                id: "local".to_owned(),
                secret: Some(key.clone()),
                public_key: None,
                not_after: None,
            }],
            webhook: Vec::new(),
        };
        let text = serde_json::to_string(&secret)?;
        context.secrets.write(&name, &text).await?;
    }
    // The file may be of a cloud that ended, or know other plants only.
    let path = folder.join("keys.json");
    let mut keys: HashMap<String, String> = match std::fs::read_to_string(&path) {
        Ok(text) => serde_json::from_str(&text)?,
        Err(_) => HashMap::new(),
    };
    keys.insert(plant.to_owned(), key);
    std::fs::write(&path, serde_json::to_string_pretty(&keys)?)?;
    restrict(&path)?;
    Ok(is_new)
}

fn new_key() -> String {
    let random = [
        uuid::Uuid::new_v4().into_bytes(),
        uuid::Uuid::new_v4().into_bytes(),
    ]
    .concat();
    format!(
        "whsec_{}",
        base64::engine::general_purpose::STANDARD.encode(random)
    )
}

/// Only this user reads keys.
fn restrict(path: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(std::fs::set_permissions(
        path,
        std::fs::Permissions::from_mode(0o600),
    )?)
}
