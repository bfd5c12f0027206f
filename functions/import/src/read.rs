//! Reads a delivery when its last file is there. Handler `read`.
//!
//! Safe to repeat: one reader at a time holds the delivery, and notes how far it is; a fact that was taken in
//! since the last note has the same id again and is recognised. A message to look again is under way as long as
//! somebody reads: so a reader that dies, or whose time runs out, is followed by the next.

mod interchange;

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use interplant_domain::exception::Code;
use interplant_domain::identifier::{PlantCode, sha256_hex};
use interplant_domain::lifecycle::owner;
use interplant_domain::plant::Plant;
use interplant_mapping::contract::Contract;
use interplant_mapping::document::{self, Input, Lookups, Unread};
use interplant_mapping::edi;
use interplant_mapping::feed::Feed;
use interplant_mapping::mapper::{Made, Mapper, NotMade};
use interplant_mapping::place::Spot;
use interplant_runtime::files::{Delivery, DeliveryState, UnmappedCode, delivery_of};
use interplant_runtime::intake::{Accepted, NotTaken, accept};
use interplant_runtime::queue::ImportMessage;
use interplant_runtime::step::StepError;
use interplant_runtime::store::Error;
use interplant_runtime::{Context, failpoint};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::sync::mpsc;

/// Documents between two notes of how far the reader is.
const NOTED_EVERY: u64 = 100;
/// Problems that the record itself shows; the result file has all.
const SHOWN: usize = 50;
/// A reader that has not said anything for so long is dead; its work goes on with another.
const LEASE: SignedDuration = SignedDuration::from_secs(15);
/// Time between two notes of a slow reader.
const NOTED_WITHIN: SignedDuration = SignedDuration::from_secs(5);
/// What must be left of the function's time to begin another document.
const RESERVE: SignedDuration = SignedDuration::from_secs(15);
/// When somebody looks whether the reader is still alive.
const LOOK_AGAIN: Duration = Duration::from_secs(10);
/// Documents whose facts are taken in side by side; facts of one lifecycle keep their order.
const SIDE_BY_SIDE: usize = 32;

pub(crate) async fn handle(
    context: &Context,
    batch: SqsEvent,
    deadline: Timestamp,
) -> Result<SqsBatchResponse, StepError> {
    let mut response = SqsBatchResponse::default();
    for record in batch.records {
        let id = record.message_id.unwrap_or_default();
        let (deliveries, watching) = deliveries(record.body.as_deref().unwrap_or_default());
        for (plant, delivery) in deliveries {
            let reading = Reading {
                context,
                watching,
                deadline,
            };
            if let Err(error) = reading.read(&plant, &delivery).await {
                tracing::warn!(message.id = %id, file.id = %delivery, "read: {error}");
                response.add_failure(id.clone());
            }
        }
    }
    Ok(response)
}

/// The deliveries that a message is about, and whether it is one of ours to look again. A notification of S3
/// that names none is S3 trying the queue.
fn deliveries(body: &str) -> (Vec<(PlantCode, String)>, bool) {
    if let Ok(ours) = serde_json::from_str::<ImportMessage>(body) {
        return (vec![(ours.plant, ours.file)], true);
    }
    let notification: Value = serde_json::from_str(body).unwrap_or_default();
    let records = notification.get("Records").and_then(Value::as_array);
    let keys = records.into_iter().flatten().filter_map(|record| {
        let key = record.pointer("/s3/object/key")?.as_str()?;
        delivery_of(key).map(|(plant, id)| (plant, id.to_owned()))
    });
    (keys.collect(), false)
}

struct Reading<'a> {
    context: &'a Context,
    /// Whether the message is the one that looks again as long as somebody reads.
    watching: bool,
    deadline: Timestamp,
}

impl Reading<'_> {
    async fn look_again(&self, delivery: &Delivery, after: Duration) -> Result<(), StepError> {
        let message = ImportMessage {
            plant: delivery.plant.clone(),
            file: delivery.id.clone(),
        };
        Ok(self.context.queues.import(&message, after).await?)
    }

    /// Reads a delivery, as far as the time allows.
    async fn read(&self, plant: &PlantCode, id: &str) -> Result<(), StepError> {
        let context = self.context;
        let Some(mut delivery) = context.files.delivery(plant, id).await? else {
            return Err(StepError::Defect(format!("there is no delivery {id}")));
        };
        if matches!(delivery.state, DeliveryState::Done | DeliveryState::Refused) {
            return Ok(());
        }
        let now = context.now();
        if delivery.lease_until.is_some_and(|until| now < until) {
            // Another reader is at it.
            if self.watching {
                self.look_again(&delivery, LOOK_AGAIN).await?;
            }
            return Ok(());
        }
        if !context.files.is_uploaded(&mut delivery).await? {
            return Ok(());
        }
        // Told before the delivery is taken: whatever happens to this reader, somebody looks again.
        self.look_again(&delivery, LOOK_AGAIN).await?;
        delivery.state = DeliveryState::Reading;
        delivery.started_at.get_or_insert(now);
        delivery.lease_until = Some(now + LEASE);
        match context.files.save(&mut delivery).await {
            Ok(()) => {}
            Err(Error::Conflict) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        failpoint!("import.after_claim");
        let folder = Folder::new(&delivery.id)?;
        let brought = self.bring(&mut delivery, &folder).await?;
        let ended = match &brought {
            None => true,
            Some(brought) => self.by_feed(&mut delivery, brought).await?,
        };
        delivery.lease_until = None;
        if ended {
            if delivery.state == DeliveryState::Reading {
                delivery.state = DeliveryState::Done;
            }
            delivery.finished_at = Some(context.now());
            context.files.write_result(&delivery).await?;
        }
        failpoint!("import.before_end");
        context.files.save(&mut delivery).await?;
        if ended {
            Ok(())
        } else {
            self.look_again(&delivery, Duration::ZERO).await
        }
    }

    /// Brings the files here, and the hash of all of their bytes; nothing when they are not what was announced.
    async fn bring(
        &self,
        delivery: &mut Delivery,
        folder: &Folder,
    ) -> Result<Option<Brought>, StepError> {
        let mut local = Vec::new();
        let mut hashes = String::new();
        for file in delivery.files.clone() {
            let to = folder.0.join(&file.role);
            let came = self.context.files.download(delivery, &file, &to).await?;
            let announced = file.sha256.as_ref().unwrap_or(&came.sha256);
            if came.bytes != file.bytes || came.sha256 != *announced {
                delivery.refuse(&Unread {
                    code: "file_changed",
                    spot: Spot::of(&file.name),
                    message: format!(
                        "{} bytes with the SHA-256 {} were uploaded, {} bytes{} were announced: announce the file again and upload it once",
                        came.bytes,
                        came.sha256,
                        file.bytes,
                        file.sha256
                            .as_ref()
                            .map_or_else(String::new, |hash| format!(" with {hash}"))
                    ),
                    ends: true,
                });
                return Ok(None);
            }
            hashes.push_str(&format!("{} {}\n", file.role, came.sha256));
            local.push(LocalFile {
                role: file.role,
                name: file.name,
                path: to,
            });
        }
        Ok(Some(Brought {
            files: local,
            sha256: sha256_hex(hashes.as_bytes()),
        }))
    }

    /// Makes the facts and takes them in; whether the end was reached.
    async fn by_feed(&self, delivery: &mut Delivery, brought: &Brought) -> Result<bool, StepError> {
        let context = self.context;
        let files = &brought.files;
        let plant = context.plants.read(&delivery.plant).await?;
        let plant = plant.ok_or_else(|| StepError::Retryable {
            message: format!("plant {} is not published", delivery.plant),
            unknown: false,
            odoo: None,
        })?;
        let bundle = context
            .files
            .bundle(&delivery.plant, &delivery.bundle)
            .await?;
        let path = format!("{}/feeds/{}.yaml", delivery.plant, delivery.feed);
        let feed = Feed::read(&bundle, &delivery.plant, &path).map_err(|mistake| {
            StepError::Defect(format!("a feed that was published: {mistake}"))
        })?;
        // What makes facts of the bytes is the feed; other feeds of the plant may have changed meanwhile.
        let mapping = feed.hash.clone();
        let sha256 = &brought.sha256;
        let first = context.files.same_bytes(delivery, &mapping, sha256).await?;
        if let Some(first) = first.filter(|first| *first != delivery.id) {
            let before = context.files.delivery(&delivery.plant, &first).await?;
            if let Some(before) = before {
                // What was answered then is the answer now.
                delivery.interchanges = before.interchanges;
                delivery.answer_control = before.answer_control;
            }
            delivery.same_as = Some(first);
            return Ok(true);
        }
        if edi::is_read_by(&feed)
            && let Some(file) = files.first()
            && !interchange::answer(context, &plant, delivery, &feed, file).await?
        {
            return Ok(true);
        }
        let ended = take_in(
            context,
            &plant,
            delivery,
            feed,
            files.clone(),
            self.deadline,
        )
        .await?;
        if ended && delivery.state == DeliveryState::Reading {
            // Before anybody can see that it is done: the same bytes are recognised from then on.
            context.files.note_bytes(delivery, &mapping, sha256).await?;
        }
        Ok(ended)
    }
}

/// Files that lie here, and the hash of all of their bytes.
struct Brought {
    files: Vec<LocalFile>,
    sha256: String,
}

#[derive(Clone)]
struct LocalFile {
    role: String,
    name: String,
    path: PathBuf,
}

/// A folder of this reader alone; it goes with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Result<Self, StepError> {
        let path = std::env::temp_dir().join(format!("interplant-{name}"));
        drop(std::fs::remove_dir_all(&path));
        std::fs::create_dir_all(&path).map_err(|error| StepError::Retryable {
            message: format!("{}: {error}", path.display()),
            unknown: false,
            odoo: None,
        })?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// What the reading thread hands over.
enum Came {
    Lookups(Known),
    Document(Vec<Result<Made, Box<NotMade>>>),
    Unread(Unread),
    End(Result<(), Unread>),
}

/// Which of the codes that were missed before are known now.
type Known = Vec<UnmappedCode>;

/// Takes the facts in, document by document; whether the end was reached.
async fn take_in(
    context: &Context,
    plant: &Plant,
    delivery: &mut Delivery,
    feed: Feed,
    files: Vec<LocalFile>,
    deadline: Timestamp,
) -> Result<bool, StepError> {
    // Values of JSONata stay in the thread that made them, so the reader has a thread of its own; it waits
    // when nobody takes what it has.
    let (hand, mut came) = mpsc::channel(16);
    let done = Done {
        documents: delivery.documents,
        unread: delivery.counts.unread,
    };
    let missed = context
        .files
        .missed(&delivery.plant, Some(&delivery.feed))
        .await?;
    let reader =
        tokio::task::spawn_blocking(move || read_files(&feed, &files, done, missed, &hand));
    let mut noted_at = context.now();
    let mut lines = String::new();
    let mut since = 0;
    let mut ended = false;
    let mut next = Vec::with_capacity(SIDE_BY_SIDE);
    while !ended && came.recv_many(&mut next, SIDE_BY_SIDE).await > 0 {
        let mut facts = Vec::new();
        for one in next.drain(..) {
            match one {
                Came::Lookups(known) => {
                    for code in known {
                        context.files.found(&code).await?;
                    }
                }
                Came::Unread(unread) => {
                    delivery.counts.unread += 1;
                    note(delivery, &mut lines, &json!({"unread": unread}));
                    if unread.ends {
                        delivery.refuse(&unread);
                    }
                }
                Came::Document(made) => {
                    facts.extend(made);
                    delivery.documents += 1;
                    since += 1;
                }
                Came::End(outcome) => {
                    if let Err(unread) = outcome {
                        delivery.refuse(&unread);
                    }
                    ended = true;
                }
            }
        }
        take(context, plant, delivery, facts, &mut lines).await?;
        let now = context.now();
        let late = now + RESERVE > deadline;
        if since >= NOTED_EVERY || now > noted_at + NOTED_WITHIN || late || ended {
            (since, noted_at) = (0, now);
            delivery.lease_until = Some(now + LEASE);
            note_progress(context, delivery, &mut lines).await?;
            failpoint!("import.after_note");
        }
        if late {
            break;
        }
    }
    drop(came);
    reader
        .await
        .map_err(|error| StepError::Defect(format!("the reader of {}: {error}", delivery.id)))?;
    Ok(ended)
}

async fn note_progress(
    context: &Context,
    delivery: &mut Delivery,
    lines: &mut String,
) -> Result<(), StepError> {
    if !lines.is_empty() {
        let segment = delivery.documents;
        let text = std::mem::take(lines);
        context.files.keep_segment(delivery, segment, text).await?;
        if !delivery.segments.contains(&segment) {
            delivery.segments.push(segment);
        }
    }
    context.files.save(delivery).await?;
    Ok(())
}

fn note(delivery: &mut Delivery, lines: &mut String, problem: &Value) {
    lines.push_str(&problem.to_string());
    lines.push('\n');
    if delivery.problems.len() < SHOWN {
        delivery.problems.push(problem.clone());
    }
}

/// Takes facts in side by side; those of one lifecycle one after the other, as the file has them.
async fn take(
    context: &Context,
    plant: &Plant,
    delivery: &mut Delivery,
    facts: Vec<Result<Made, Box<NotMade>>>,
    lines: &mut String,
) -> Result<(), StepError> {
    let mut by_lifecycle: BTreeMap<String, Vec<(usize, &Made)>> = BTreeMap::new();
    for (index, fact) in facts.iter().enumerate() {
        if let Ok(made) = fact {
            let lifecycle = made.checked.lifecycle.to_string();
            by_lifecycle
                .entry(lifecycle)
                .or_default()
                .push((index, made));
        }
    }
    let takers = by_lifecycle.into_values().map(async |of_one| {
        let mut fates = Vec::new();
        for (index, made) in of_one {
            fates.push((index, accept(context, plant, &made.checked).await));
        }
        fates
    });
    let mut fates: HashMap<usize, Result<Accepted, NotTaken>> = futures::future::join_all(takers)
        .await
        .into_iter()
        .flatten()
        .collect();
    // Told in the order of the file, whoever was first.
    for (index, fact) in facts.iter().enumerate() {
        match fact {
            Ok(made) => {
                let Some(fate) = fates.remove(&index) else {
                    continue;
                };
                tell(delivery, made, fate, lines)?;
            }
            Err(not) => {
                if let Some(unknown) = &not.unknown {
                    delivery.counts.unknown_code += 1;
                    let missed = UnmappedCode::new(
                        delivery,
                        &unknown.table,
                        &unknown.code,
                        owner(plant, Code::UnmappedCode),
                        context.now(),
                    );
                    // Before the count is noted: a code that is counted has its exception.
                    context.files.miss(&missed).await?;
                } else {
                    delivery.counts.rejected += 1;
                }
                note(delivery, lines, &json!({"not_made": not}));
            }
        }
    }
    Ok(())
}

fn tell(
    delivery: &mut Delivery,
    made: &Made,
    fate: Result<Accepted, NotTaken>,
    lines: &mut String,
) -> Result<(), StepError> {
    let receipt = match fate {
        Ok(accepted) => accepted.receipt,
        Err(NotTaken::Store(error)) => return Err(error.into()),
        Err(NotTaken::Refused(refusal)) => {
            delivery.counts.rejected += 1;
            let problem =
                json!({"refused": {"spot": made.spot, "event": made.name, "refusal": refusal}});
            note(delivery, lines, &problem);
            return Ok(());
        }
    };
    // What an earlier reader of this delivery took in before it died is this delivery's own.
    let ours = delivery
        .started_at
        .is_some_and(|started| receipt.received_at >= started);
    match receipt.status {
        "held" => {
            delivery.counts.held += 1;
            note(
                delivery,
                lines,
                &json!({"held": {"spot": made.spot, "event": made.name, "receipt": receipt}}),
            );
        }
        "accepted" if ours => delivery.counts.accepted += 1,
        _ => delivery.counts.duplicates += 1,
    }
    Ok(())
}

/// What earlier readers have done with.
struct Done {
    documents: u64,
    unread: u64,
}

fn read_files(
    feed: &Feed,
    files: &[LocalFile],
    done: Done,
    missed: Vec<UnmappedCode>,
    hand: &mpsc::Sender<Came>,
) {
    let openers: HashMap<&str, &Path> = files
        .iter()
        .map(|file| (file.role.as_str(), file.path.as_path()))
        .collect();
    let openers: Vec<_> = files
        .iter()
        .map(|file| {
            let path = openers.get(file.role.as_str()).copied();
            move || -> std::io::Result<Box<dyn Read>> {
                let path = path.ok_or(std::io::ErrorKind::NotFound)?;
                Ok(Box::new(File::open(path)?))
            }
        })
        .collect();
    let inputs: Vec<Input<'_>> = files
        .iter()
        .zip(&openers)
        .map(|(file, open)| Input {
            role: &file.role,
            name: &file.name,
            open,
        })
        .collect();
    // Nobody takes it any more when the function's time is over.
    let give = |one| drop(hand.blocking_send(one));
    let outcome = Contract::new()
        .map_err(|error| Unread {
            code: "internal",
            spot: Spot::of(&feed.name),
            message: error,
            ends: true,
        })
        .and_then(|contract| {
            let lookups = document::lookups(feed, &inputs)?;
            give(Came::Lookups(known(&lookups, missed)));
            let mut mapper = Mapper::new(feed, &contract, &lookups);
            // The same files give the same documents and faults in the same order.
            let (mut documents, mut unread) = (0, 0);
            document::read(feed, &inputs, &mut |read| {
                if hand.is_closed() {
                    return;
                }
                match read {
                    Ok(document) => {
                        documents += 1;
                        if documents > done.documents {
                            give(Came::Document(mapper.map(&document)));
                        }
                    }
                    Err(fault) => {
                        unread += 1;
                        if unread > done.unread {
                            give(Came::Unread(fault));
                        }
                    }
                }
            })
        });
    give(Came::End(outcome));
}

fn known(lookups: &Lookups, missed: Vec<UnmappedCode>) -> Known {
    let known = missed
        .into_iter()
        .filter(|missed| lookups.knows(&missed.table, &missed.code));
    known.collect()
}
