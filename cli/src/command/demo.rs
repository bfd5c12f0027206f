//! `interplant demo`: the whole road on one machine, with the proof.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use interplant_domain::fact::FactKind;
use interplant_domain::identifier::{LifecycleId, PlantCode};
use interplant_domain::lifecycle::Status;
use interplant_domain::mailbox::{Entry, EntryState, RaisedException};
use interplant_odoo_sandbox::Version;
use serde_json::{Value, json};

use crate::cloud::LocalOptions;
use crate::command::{list, send, show};
use crate::deliver::{deliver, settled};
use crate::legacy::{self, Export};
use crate::plants::read_plants;
use crate::reconcile::{Reconciliation, reconcile};
use crate::world::{OdooChoice, World};
use crate::{Failure, facts, feeds, table};

/// Runs the whole road on this machine: cloud, plants, Odoo, and the proof
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Root of the project
    #[arg(long, default_value = ".")]
    project: PathBuf,
    /// Folder with the functions' binaries
    #[arg(long, default_value = "target/debug")]
    binaries: PathBuf,
    /// Deploy what `make package` built, by SAM, as on AWS
    #[arg(long)]
    packaged: bool,
    /// Folder of a legacy ERP's export; without it the samples of the plants are sent
    #[arg(long)]
    data: Option<PathBuf>,
    /// Orders of the export; 0 takes all
    #[arg(long, default_value_t = 25)]
    orders: usize,
    /// Stay up after the report, for the other commands, until Ctrl-C
    #[arg(long)]
    keep: bool,
    /// Which Odoo the sandbox behaves like; a real one is used when ODOO_URL and its companions are set
    #[arg(long, default_value = "19")]
    odoo: SandboxVersion,
}

/// A version of the sandbox.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum SandboxVersion {
    #[value(name = "17")]
    V17,
    #[value(name = "18")]
    V18,
    #[value(name = "19")]
    V19,
}

impl From<SandboxVersion> for Version {
    fn from(version: SandboxVersion) -> Self {
        match version {
            SandboxVersion::V17 => Self::V17,
            SandboxVersion::V18 => Self::V18,
            SandboxVersion::V19 => Self::V19,
        }
    }
}

/// What a plant sends: its facts, disturbed on purpose.
struct Sending {
    plant: PlantCode,
    facts: Vec<Value>,
    disturbed: Vec<Value>,
    /// The export that they come from, when they come as files.
    export: Option<Export>,
}

impl Demo {
    pub(crate) async fn run(self, json: bool) -> Result<ExitCode, Failure> {
        let started = Instant::now();
        let step = |text: &str| {
            if !json {
                println!("[{:>5.1} s] {text}", started.elapsed().as_secs_f32());
            }
        };
        let options = LocalOptions {
            folder: self.project.join(if self.packaged {
                ".local/packaged"
            } else {
                ".local/demo"
            }),
            binaries: (!self.packaged).then(|| self.binaries.clone()),
            project: self.project.clone(),
            failpoints: None,
        };
        step("starting the local cloud and Odoo, deploying both stacks");
        let choice = OdooChoice::from_env(self.odoo.into())?;
        let mut world = World::start(&options, choice).await?;
        step(&format!(
            "{}; logs in {}",
            describe(&world),
            world.cloud.ready.logs
        ));
        let sendings = self.sendings(&mut world).await?;
        let ids = lifecycles(&sendings);
        let facts: usize = sendings.iter().map(|sending| sending.facts.len()).sum();
        let envelopes: usize = sendings.iter().map(|sending| sending.disturbed.len()).sum();
        let mut fates: BTreeMap<String, usize> = BTreeMap::new();
        for sending in &sendings {
            if let Some(export) = &sending.export {
                step(&format!(
                    "delivering {} files of plant {} with {} orders",
                    export.files.len(),
                    sending.plant,
                    export.orders.len()
                ));
                take_files(&world, sending, export, &mut fates).await?;
            }
        }
        if envelopes > 0 {
            step(&format!(
                "sending {facts} facts of {} documents in {envelopes} envelopes: all twice, shuffled, every third under a new id",
                ids.len()
            ));
        }
        for sending in &sendings {
            count(
                &mut fates,
                &send::send(world.sender(&sending.plant)?, &sending.disturbed, 50).await?,
            );
        }
        let progress = ProgressBar::new(ids.len() as u64);
        progress.set_style(
            ProgressStyle::with_template("following {bar:30} {pos}/{len} documents")
                .map_err(|error| error.to_string())?,
        );
        let within = Duration::from_secs(60 + 2 * ids.len() as u64);
        world
            .settle(&ids, within, |done| progress.set_position(done as u64))
            .await?;
        progress.finish_and_clear();
        step("every document has come to rest; sending every fact once more, after the end");
        for sending in &sendings {
            count(
                &mut fates,
                &send::send(world.sender(&sending.plant)?, &sending.facts, 50).await?,
            );
            if let Some(export) = &sending.export {
                take_files(&world, sending, export, &mut fates).await?;
            }
        }
        world.settle(&ids, within, |_| {}).await?;
        let report = report(&world, &sendings, &ids, fates).await?;
        if json {
            println!("{}", serde_json::to_string_pretty(&report.as_json())?);
        } else {
            report.print(&ids, started.elapsed());
        }
        if self.keep {
            println!(
                "\nThe cloud stays up. In another terminal: interplant --local {} list. Ctrl-C ends it.",
                options.folder.display()
            );
            tokio::signal::ctrl_c().await?;
        }
        world.cloud.stop().await?;
        Ok(if report.proof.iter().all(|line| line.holds) {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }

    async fn sendings(&self, world: &mut World) -> Result<Vec<Sending>, Failure> {
        let mut sendings = Vec::new();
        let plants = self.project.join("plants");
        let bundle = feeds::bundle(&plants)?;
        for folder in read_plants(&plants)? {
            let code = folder.plant.plant.clone();
            // A real Odoo remembers the last demo: its orders get numbers of their own each time.
            let run = world
                .sandbox
                .is_none()
                .then(|| world.cloud.context.now().as_second());
            let (facts, export) = match &self.data {
                None => (
                    run.map_or(folder.samples.clone(), |run| {
                        facts::renumbered(&folder.samples, run)
                    }),
                    None,
                ),
                Some(data) => {
                    let portion = self.project.join(".local/demo/export");
                    drop(std::fs::remove_dir_all(&portion));
                    let most = if self.orders == 0 {
                        usize::MAX
                    } else {
                        self.orders
                    };
                    legacy::portion(data, &portion, most, run)?;
                    match Export::by_feed(&bundle, &code, &portion)? {
                        Some(export) => (export.events.clone(), Some(export)),
                        None => continue,
                    }
                }
            };
            world.add_plant(&folder.plant).await?;
            world.add_feeds(&code, &plants.join(code.as_str())).await?;
            world.create_masters(&code, &facts).await?;
            sendings.push(Sending {
                // Files bring each fact once; what the disorder of messages does is shown by the samples.
                disturbed: if export.is_some() {
                    Vec::new()
                } else {
                    disturb(&facts)
                },
                plant: code,
                facts,
                export,
            });
        }
        match &self.data {
            Some(data) if sendings.is_empty() => {
                Err(format!("no plant has a feed for the files of {}", data.display()).into())
            }
            Some(_) | None => Ok(sendings),
        }
    }
}

fn count(fates: &mut BTreeMap<String, usize>, results: &[Value]) {
    for result in results {
        *fates.entry(send::fate(result).to_owned()).or_default() += 1;
    }
}

/// Delivers the files of an export, and counts what became of the facts in them.
async fn take_files(
    world: &World,
    sending: &Sending,
    export: &Export,
    fates: &mut BTreeMap<String, usize>,
) -> Result<(), Failure> {
    let sender = world.sender(&sending.plant)?;
    let id = deliver(sender, &export.feed, &export.files).await?;
    let within = Duration::from_secs(60 + sending.facts.len() as u64);
    let fate = settled(sender, &id, within).await?;
    let counts = fate.get("counts").and_then(Value::as_object);
    for (what, number) in counts.into_iter().flatten() {
        let number = number
            .as_u64()
            .and_then(|number| usize::try_from(number).ok());
        if let Some(number) = number.filter(|number| *number > 0) {
            *fates.entry(format!("in files: {what}")).or_default() += number;
        }
    }
    if fate.get("same_as").is_some_and(Value::is_string) {
        *fates
            .entry("files with the same bytes: not read again".to_owned())
            .or_default() += export.files.len();
    }
    if fate.get("state").and_then(Value::as_str) != Some("done") {
        return Err(format!("the files were refused: {fate}").into());
    }
    Ok(())
}

fn describe(world: &World) -> String {
    match &world.sandbox {
        Some(sandbox) => format!("Odoo {} (sandbox) at {}", sandbox.version(), sandbox.url()),
        None => format!("a real Odoo, {:?}", world.odoo.version()),
    }
}

/// Every fact twice, in an order of its own, every third one the second time under another id.
fn disturb(facts: &[Value]) -> Vec<Value> {
    let again = facts.iter().enumerate().map(|(index, fact)| {
        if index % 3 == 0 {
            facts::readdressed(fact)
        } else {
            fact.clone()
        }
    });
    let mut all: Vec<Value> = facts.iter().cloned().chain(again).collect();
    // The same disorder in every run: by the hash of position and event.
    all.sort_by_cached_key(|event| {
        interplant_domain::identifier::sha256_hex(event.to_string().as_bytes())
    });
    all
}

fn lifecycles(sendings: &[Sending]) -> Vec<LifecycleId> {
    let ids: BTreeSet<_> = sendings
        .iter()
        .flat_map(|sending| {
            sending
                .facts
                .iter()
                .filter_map(|fact| facts::lifecycle(&sending.plant, fact))
        })
        .collect();
    ids.into_iter().collect()
}

/// How many facts were sent of which this release does nothing in Odoo.
fn only_kept(sendings: &[Sending]) -> usize {
    let kept = |sending: &Sending| {
        let lifecycles = sending
            .facts
            .iter()
            .filter_map(|fact| facts::lifecycle(&sending.plant, fact));
        lifecycles.filter(|id| id.kind().only_keeps()).count()
    };
    sendings.iter().map(kept).sum()
}

/// A sentence of the proof and whether it holds.
struct Proof {
    what: String,
    expected: usize,
    found: usize,
    holds: bool,
}

struct Report {
    fates: BTreeMap<String, usize>,
    headers: Vec<interplant_domain::lifecycle::Header>,
    exceptions: Vec<(String, RaisedException)>,
    proof: Vec<Proof>,
    transitions: usize,
    facts: usize,
    odoo_calls: Option<usize>,
    reconciliation: Option<Reconciliation>,
}

async fn report(
    world: &World,
    sendings: &[Sending],
    ids: &[LifecycleId],
    fates: BTreeMap<String, usize>,
) -> Result<Report, Failure> {
    let mut headers = Vec::new();
    let mut exceptions = Vec::new();
    let (mut transitions, mut kept) = (0, 0);
    for id in ids {
        let Some(lifecycle) = world.lifecycle(id).await? else {
            continue;
        };
        for generation in 1..=lifecycle.header.generation {
            transitions += world
                .cloud
                .context
                .engine
                .states_entered(id, generation)
                .await?
                .len();
        }
        exceptions.extend(
            lifecycle
                .exceptions
                .iter()
                .map(|raised| (id.to_string(), raised.clone())),
        );
        let recorded = |entry: &&Entry| entry.state == EntryState::Recorded;
        kept += lifecycle.entries.iter().filter(recorded).count();
        headers.push(lifecycle.header);
    }
    let orders = headers.iter().filter_map(|header| header.order.as_ref());
    let (mut confirmed, mut receipts, mut bills) = (0, 0, 0);
    for order in orders {
        confirmed += usize::from(order.in_odoo.is_some());
        receipts += order
            .receipts
            .iter()
            .filter(|receipt| receipt.picking.is_some())
            .count();
        bills += order
            .invoices
            .iter()
            .filter(|invoice| invoice.bill.is_some())
            .count();
    }
    // Counted in Odoo itself, by what only Interplant writes: the origin of orders, the reference on receipts.
    let ids_in_odoo: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let found_orders = world
        .odoo
        .search_read(
            "purchase.order",
            json!([
                ["origin", "in", ids_in_odoo],
                ["state", "in", ["purchase", "done", "cancel"]]
            ]),
            &["id", "invoice_ids", "picking_ids"],
        )
        .await?;
    let linked = |field: &str| -> Vec<i64> {
        let lists = found_orders
            .iter()
            .filter_map(|order| order.get(field)?.as_array());
        lists
            .flatten()
            .filter_map(interplant_domain::json::Json::as_i64)
            .collect()
    };
    let done = world
        .odoo
        .search_read(
            "stock.picking",
            // Returns are transfers of the order too; a receipt's note names it.
            json!([
                ["id", "in", linked("picking_ids")],
                ["state", "=", "done"],
                ["note", "like", "_receipt_"]
            ]),
            &["id"],
        )
        .await?;
    let posted = world
        .odoo
        .search_read(
            "account.move",
            json!([
                ["id", "in", linked("invoice_ids")],
                ["state", "=", "posted"]
            ]),
            &["id"],
        )
        .await?;
    let line = |what: &str, expected: usize, found: usize| Proof {
        what: what.to_owned(),
        expected,
        found,
        holds: expected == found,
    };
    let created = sendings
        .iter()
        .flat_map(|sending| &sending.facts)
        .filter(|fact| fact["type"] == FactKind::PoCreated.event_type())
        .count();
    let mut reconciliation: Option<Reconciliation> = None;
    for sending in sendings {
        if let Some(export) = &sending.export {
            reconciliation = Some(reconcile(&world.odoo, &sending.plant, &export.orders).await?);
        }
    }
    let mut proof = vec![
        line(
            "orders reported by plants = orders in Odoo, confirmed or refused",
            created,
            found_orders.len(),
        ),
        line(
            "orders in Interplant's record = orders in Odoo",
            confirmed,
            found_orders.len(),
        ),
        line(
            "receipts in Interplant's record = receipts done in Odoo",
            receipts,
            done.len(),
        ),
        line(
            "bills in Interplant's record = bills posted in Odoo",
            bills,
            posted.len(),
        ),
        line(
            "facts that are only kept = such facts in Interplant's record",
            only_kept(sendings),
            kept,
        ),
        line(
            "lifecycles halted by a defect",
            0,
            headers
                .iter()
                .filter(|header| header.status == Status::Halted)
                .count(),
        ),
    ];
    if let Some(found) = &reconciliation {
        proof.push(line(
            "orders that differ from the source in Odoo's records",
            0,
            found.differences.len(),
        ));
    }
    Ok(Report {
        reconciliation,
        fates,
        headers,
        exceptions,
        proof,
        transitions,
        facts: sendings.iter().map(|sending| sending.facts.len()).sum(),
        odoo_calls: world.sandbox.as_ref().map(|sandbox| sandbox.calls().len()),
    })
}

impl Report {
    fn as_json(&self) -> Value {
        json!({
            "fates": self.fates,
            "lifecycles": self.headers,
            "exceptions": self.exceptions,
            "proof": self.proof.iter().map(|line| json!({"what": line.what, "expected": line.expected, "found": line.found, "holds": line.holds})).collect::<Vec<_>>(),
            "state_transitions": self.transitions,
            "facts": self.facts,
            "odoo_calls": self.odoo_calls,
        })
    }

    fn print(&self, ids: &[LifecycleId], took: Duration) {
        println!("\nWhat became of every envelope");
        table::print(
            ["fate", "envelopes"],
            self.fates
                .iter()
                .map(|(fate, count)| [fate.clone(), count.to_string()]),
        );
        println!("\nLifecycles");
        let mut open: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (lifecycle, raised) in &self.exceptions {
            let of = open.entry(lifecycle.clone()).or_default();
            of.push(raised.id.to_string());
        }
        list::print(&self.headers, &open);
        if !self.exceptions.is_empty() {
            println!("\nExceptions: a person decides");
            show::print_exceptions(
                self.exceptions
                    .iter()
                    .map(|(lifecycle, raised)| (lifecycle.clone(), raised)),
            );
        }
        if let Some(found) = &self.reconciliation {
            println!(
                "\nReconciliation: {} orders of the source against Odoo's own records",
                found.orders
            );
            table::print(
                ["", "what", "source", "Odoo", "difference"],
                found.sums.iter().map(|(what, source, odoo)| {
                    [
                        if source == odoo { "holds" } else { "BROKEN" }.to_owned(),
                        (*what).to_owned(),
                        source.normalize().to_string(),
                        odoo.normalize().to_string(),
                        (source - odoo).normalize().to_string(),
                    ]
                }),
            );
            for difference in found.differences.iter().take(20) {
                println!("{difference}");
            }
        }
        println!("\nProof: counted in Odoo, by what only Interplant writes there");
        table::print(
            ["", "what", "expected", "found"],
            self.proof.iter().map(|line| {
                [
                    if line.holds { "holds" } else { "BROKEN" }.to_owned(),
                    line.what.clone(),
                    line.expected.to_string(),
                    line.found.to_string(),
                ]
            }),
        );
        let calls = self
            .odoo_calls
            .map(|calls| format!(", {calls} Odoo calls with the set-up"))
            .unwrap_or_default();
        println!(
            "{} documents, {} facts, {} state transitions{calls}, {:.1} s.",
            ids.len(),
            self.facts,
            self.transitions,
            took.as_secs_f32()
        );
    }
}
