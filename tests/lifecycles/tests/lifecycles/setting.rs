//! The cloud that all tests share, and how they ask it.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use interplant_cli::cloud::LocalOptions;
use interplant_cli::plants::read_plant;
use interplant_cli::world::{OdooChoice, World};
use interplant_domain::exception::Decision;
use interplant_domain::identifier::{LifecycleId, PlantCode};
use interplant_domain::lifecycle::{GivenDecision, Lifecycle};
use interplant_domain::mailbox::RaisedException;
use interplant_odoo_sandbox::Version;
use interplant_runtime::protocol::{self, DecideError};
use tokio::runtime::Runtime;
use tokio::sync::{OnceCell, RwLock};

/// Long enough for a slow machine; no test waits for it when all is well.
pub(crate) const PATIENCE: Duration = Duration::from_secs(150);

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::new().unwrap())
}

async fn shared() -> &'static RwLock<World> {
    static WORLD: OnceCell<RwLock<World>> = OnceCell::const_new();
    WORLD.get_or_init(async || RwLock::new(start().await)).await
}

pub(crate) fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

pub(crate) fn failpoints() -> PathBuf {
    project().join(".local/lifecycles/failpoints")
}

async fn start() -> World {
    let project = project();
    let binaries = std::env::var("INTERPLANT_BINARIES")
        .unwrap_or_else(|_| "target/failpoints/debug".to_owned());
    let folder = project.join(".local/lifecycles");
    std::fs::create_dir_all(failpoints()).unwrap();
    for left in std::fs::read_dir(failpoints()).unwrap() {
        std::fs::remove_file(left.unwrap().path()).unwrap();
    }
    let options = LocalOptions {
        binaries: Some(project.join(binaries)),
        folder,
        failpoints: Some(failpoints()),
        project: project.clone(),
    };
    let version = match std::env::var("SANDBOX_VERSION").as_deref() {
        Ok("17") => Version::V17,
        Ok("18") => Version::V18,
        Ok(_) | Err(_) => Version::V19,
    };
    let choice = OdooChoice::from_env(version).unwrap();
    let mut world = World::start(&options, choice)
        .await
        .unwrap_or_else(|failure| {
            // A panic would be caught test by test and the start tried again by each.
            println!("the local cloud did not start: {failure}");
            std::process::exit(1)
        });
    for plant in ["plant-a", "plant-b", "plant-c"] {
        let folder = project.join("plants").join(plant);
        let read = read_plant(&folder).unwrap();
        world.add_plant(&read).await.unwrap();
        world.add_feeds(&read.plant, &folder).await.unwrap();
    }
    println!(
        "lifecycles against Odoo {:?}, {}",
        world.odoo.version(),
        if world.sandbox.is_some() {
            "sandbox"
        } else {
            "a real server"
        }
    );
    world
}

/// Runs a test beside others.
pub(crate) fn beside_others(test: impl AsyncFnOnce(&World)) {
    runtime().block_on(async { test(&*shared().await.read().await).await });
}

/// Runs a test that breaks or counts what others use.
pub(crate) fn alone(test: impl AsyncFnOnce(&mut World)) {
    runtime().block_on(async { test(&mut *shared().await.write().await).await });
}

pub(crate) fn plant_b() -> PlantCode {
    "plant-b".parse().unwrap()
}

/// Waits until something is so; fails with what it waits for.
pub(crate) async fn until(what: &str, so: impl AsyncFnMut() -> bool) {
    until_within(PATIENCE, what, so).await;
}

/// As [`until`], for what takes longer.
pub(crate) async fn until_within(within: Duration, what: &str, mut so: impl AsyncFnMut() -> bool) {
    let started = Instant::now();
    while !so().await {
        assert!(
            started.elapsed() < within,
            "it did not come about within {within:?}: {what}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A decision as a tester gives it, about what is there now.
pub(crate) fn given(raised: &RaisedException, decision: Decision) -> GivenDecision {
    GivenDecision {
        exception: raised.id.clone(),
        decision,
        seen_revision: None,
        by: "tester".to_owned(),
        reason: "the test says so".to_owned(),
        key: None,
    }
}

/// Decides, straight in the record.
pub(crate) async fn decide(
    world: &World,
    id: &LifecycleId,
    given: &GivenDecision,
) -> Result<(), DecideError> {
    let context = &world.cloud.context;
    protocol::decide(&context.store, &context.engine, id, given, context.now()).await
}

pub(crate) async fn lifecycle(world: &World, id: &LifecycleId) -> Lifecycle {
    world
        .lifecycle(id)
        .await
        .unwrap()
        .unwrap_or_else(|| panic!("no lifecycle {id}"))
}
