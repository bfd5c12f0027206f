//! Reads a delivery when its last file is there. Handler `read`.
//!
//! Safe to repeat: one reader at a time holds the delivery, and notes how far it is; a fact that was taken in
//! since the last note has the same id again and is recognised. A reader whose time runs out leaves the rest
//! to the next, by giving its message back.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use interplant_domain::plant::Plant;
use interplant_mapping::contract::Contract;
use interplant_mapping::document::{self, Input, Unread};
use interplant_mapping::feed::Feed;
use interplant_mapping::mapper::{Made, Mapper, NotMade};
use interplant_mapping::place::Spot;
use interplant_runtime::files::{Delivery, DeliveryState, delivery_of};
use interplant_runtime::intake::{NotTaken, accept};
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

pub(crate) async fn handle(
    context: &Context,
    batch: SqsEvent,
    deadline: Timestamp,
) -> Result<SqsBatchResponse, StepError> {
    let mut response = SqsBatchResponse::default();
    for record in batch.records {
        let id = record.message_id.unwrap_or_default();
        for delivery in deliveries(record.body.as_deref().unwrap_or_default()) {
            match read(context, &delivery, deadline).await {
                Ok(true) => {}
                Ok(false) => response.add_failure(id.clone()),
                Err(error) => {
                    tracing::warn!(message.id = %id, file.id = %delivery, "read: {error}");
                    response.add_failure(id.clone());
                }
            }
        }
    }
    Ok(response)
}

/// The deliveries that a notification of S3 is about. One that names none is S3 trying the queue.
fn deliveries(body: &str) -> Vec<String> {
    let notification: Value = serde_json::from_str(body).unwrap_or_default();
    let records = notification.get("Records").and_then(Value::as_array);
    let keys = records.into_iter().flatten().filter_map(|record| {
        let key = record.pointer("/s3/object/key")?.as_str()?;
        delivery_of(key).map(str::to_owned)
    });
    keys.collect()
}

/// Reads a delivery; whether nothing is left to do for now.
async fn read(context: &Context, id: &str, deadline: Timestamp) -> Result<bool, StepError> {
    let Some(mut delivery) = context.files.delivery(id).await? else {
        return Err(StepError::Defect(format!("there is no delivery {id}")));
    };
    if matches!(delivery.state, DeliveryState::Done | DeliveryState::Refused) {
        return Ok(true);
    }
    let now = context.now();
    if delivery.lease_until.is_some_and(|until| now < until) {
        // Another reader is at it; when it dies, this message comes again.
        return Ok(false);
    }
    if !context.files.is_uploaded(&mut delivery).await? {
        return Ok(true);
    }
    delivery.state = DeliveryState::Reading;
    delivery.started_at.get_or_insert(now);
    delivery.lease_until = Some(now + LEASE);
    match context.files.save(&mut delivery).await {
        Ok(()) => {}
        Err(Error::Conflict) => return Ok(false),
        Err(error) => return Err(error.into()),
    }
    failpoint!("import.after_claim");
    let plant = context.plants.read(&delivery.plant).await?;
    let plant = plant.ok_or_else(|| StepError::Retryable {
        message: format!("plant {} is not published", delivery.plant),
        unknown: false,
    })?;
    let folder = Folder::new(&delivery.id)?;
    let mut local = Vec::new();
    for file in &delivery.files {
        let to = folder.0.join(&file.role);
        context.files.download(&delivery, file, &to).await?;
        local.push(LocalFile {
            role: file.role.clone(),
            name: file.name.clone(),
            path: to,
        });
    }
    let bundle = context
        .files
        .bundle(&delivery.plant, &delivery.bundle)
        .await?;
    let path = format!("{}/feeds/{}.yaml", delivery.plant, delivery.feed);
    let feed = Feed::read(&bundle, &delivery.plant, &path)
        .map_err(|mistake| StepError::Defect(format!("a feed that was published: {mistake}")))?;
    let ended = take_in(context, &plant, &mut delivery, feed, local, deadline).await?;
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
    Ok(ended)
}

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
    Document(Vec<Result<Made, Box<NotMade>>>),
    Unread(Unread),
    End(Result<(), Unread>),
}

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
    let reader = tokio::task::spawn_blocking(move || read_files(&feed, &files, done, &hand));
    let mut noted_at = context.now();
    let mut lines = String::new();
    let mut since = 0;
    let mut ended = false;
    while let Some(one) = came.recv().await {
        match one {
            Came::Unread(unread) => {
                delivery.counts.unread += 1;
                note(delivery, &mut lines, &json!({"unread": unread}));
            }
            Came::Document(facts) => {
                for fact in facts {
                    match fact {
                        Ok(made) => take(context, plant, delivery, &made, &mut lines).await?,
                        Err(not) => {
                            if not.unknown.is_some() {
                                delivery.counts.unknown_code += 1;
                            } else {
                                delivery.counts.rejected += 1;
                            }
                            note(delivery, &mut lines, &json!({"not_made": not}));
                        }
                    }
                }
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
        let now = context.now();
        let late = now + RESERVE > deadline;
        if since >= NOTED_EVERY || now > noted_at + NOTED_WITHIN || late || ended {
            (since, noted_at) = (0, now);
            delivery.lease_until = Some(now + LEASE);
            note_progress(context, delivery, &mut lines).await?;
            failpoint!("import.after_note");
        }
        if late && !ended {
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

async fn take(
    context: &Context,
    plant: &Plant,
    delivery: &mut Delivery,
    made: &Made,
    lines: &mut String,
) -> Result<(), StepError> {
    let receipt = match accept(context, plant, &made.checked).await {
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

fn read_files(feed: &Feed, files: &[LocalFile], done: Done, hand: &mpsc::Sender<Came>) {
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
