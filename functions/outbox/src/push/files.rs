//! Makes the plant's own files of what waits in its outbox, if its configuration says how.
//!
//! Safe to repeat: an entry has its files once, with the numbers that were written into them; what somebody
//! slower has made is shown to nobody.

use interplant_domain::exception::Code;
use interplant_domain::outbox::{Dispatch, DispatchState, Entry, FileOut, Files};
use interplant_domain::plant::Plant;
use interplant_mapping::out::{Dispatched, Given, NotWritten, Out, Writer, Written};
use interplant_runtime::outbox::{Shelf, home, standard_word, trouble};
use interplant_runtime::step::StepError;
use interplant_runtime::store::Error;
use interplant_runtime::{Context, failpoint};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// Entries that are read at once.
const PAGE: usize = 50;

/// A change that lost a race is made anew from what is there.
const TRIES: usize = 5;

/// What must be left of the function's time to begin with another entry.
const RESERVE: SignedDuration = SignedDuration::from_secs(30);

/// Makes the files of every open entry that has none; whether all of them have now.
pub(crate) async fn make(
    context: &Context,
    plant: &Plant,
    deadline: Timestamp,
) -> Result<bool, StepError> {
    let code = &plant.plant;
    let Some(hash) = context.files.with_outs(code).await? else {
        return Ok(true);
    };
    let mut outs: Option<Vec<Out>> = None;
    let mut after = 0;
    loop {
        let page = context.outbox.table.open(code, after, PAGE).await?;
        for entry in page.entries {
            after = entry.position;
            if !entry.wants_files(&hash) {
                continue;
            }
            if context.now() + RESERVE > deadline {
                return Ok(false);
            }
            let outs = match &outs {
                Some(outs) => outs,
                None => outs.insert(read(context, plant, &hash).await?),
            };
            make_of(context, plant, &entry, outs, &hash).await?;
        }
        if !page.more {
            return Ok(true);
        }
    }
}

async fn read(context: &Context, plant: &Plant, hash: &str) -> Result<Vec<Out>, StepError> {
    let bundle = context.files.bundle(&plant.plant, hash).await?;
    let outs = bundle
        .outs(&plant.plant)
        .into_iter()
        .map(|path| Out::read(&bundle, &plant.plant, &path));
    outs.collect::<Result<_, _>>()
        .map_err(|mistake| StepError::Defect(format!("a file that was published: {mistake}")))
}

async fn make_of(
    context: &Context,
    plant: &Plant,
    entry: &Entry,
    outs: &[Out],
    hash: &str,
) -> Result<(), StepError> {
    let mut files = Files {
        bundle: hash.to_owned(),
        made: Vec::new(),
        problem: None,
    };
    let mut dispatches = Vec::new();
    for out in outs.iter().filter(|out| out.takes(&entry.kind)) {
        let control = if out.is_numbered() {
            context.files.next_control(&plant.plant, 1).await?
        } else {
            0
        };
        let given = Given {
            control,
            at: TimeZone::UTC.to_datetime(context.now()),
        };
        match Writer::new(out).write(&entry.event, given) {
            Ok(mut written) => {
                let dispatched = written.dispatched.take();
                dispatches.extend(dispatched.map(|to| dispatch(context, plant, entry, to)));
                files
                    .made
                    .push(keep(context, entry, out, control, written).await?);
            }
            Err(not) => {
                tell(context, plant, entry, out, &not).await?;
                files.problem = Some(format!("{}: {not}", out.name));
                break;
            }
        }
    }
    if files.problem.is_some() {
        files.made.clear();
        dispatches.clear();
    }
    failpoint!("outbox.after_files");
    let table = &context.outbox.table;
    let mut seen = entry.clone();
    for _ in 0..TRIES {
        let with_files = seen.with_files(files.clone());
        match table.change_with(&seen, &with_files, &dispatches).await {
            Ok(()) => return Ok(()),
            Err(Error::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
        match table.entry(&seen.plant, seen.position).await? {
            Some(now_there) if now_there.state.is_open() && now_there.wants_files(hash) => {
                seen = now_there;
            }
            // Somebody else has made them, or the entry has come to its end.
            Some(_) | None => return Ok(()),
        }
    }
    Err(Error::Conflict.into())
}

/// What is expected of the partner to whom an interchange goes.
fn dispatch(context: &Context, plant: &Plant, entry: &Entry, to: Dispatched) -> Dispatch {
    let now = context.now();
    let hours = i64::from(plant.outbox.acknowledgment_hours);
    Dispatch {
        plant: entry.plant.clone(),
        standard: standard_word(to.standard).to_owned(),
        partner: to.partner,
        control: to.control,
        position: entry.position,
        document: entry.document.clone(),
        version: entry.version,
        sent_at: now,
        due_at: now + SignedDuration::from_hours(hours),
        state: DispatchState::Sent,
        errors: Vec::new(),
        settled_at: None,
        revision: 1,
    }
}

async fn keep(
    context: &Context,
    entry: &Entry,
    out: &Out,
    control: u32,
    written: Written,
) -> Result<FileOut, Error> {
    let version = out.hash.get(..12).unwrap_or(&out.hash);
    let key = format!(
        "outbox/{}/{:012}/{}-{version}-{control}/{}",
        entry.plant, entry.position, out.name, written.name
    );
    context.files.keep_out(&key, written.bytes).await?;
    Ok(FileOut {
        out: out.name.clone(),
        name: written.name,
        key,
    })
}

async fn tell(
    context: &Context,
    plant: &Plant,
    entry: &Entry,
    out: &Out,
    not: &NotWritten,
) -> Result<(), Error> {
    let now = context.now();
    let raised = trouble(
        plant,
        Code::FileNotMade,
        &format!("{} {} {}", entry.position, out.name, out.hash),
        format!(
            "no file {} of {}, version {}: {not}",
            out.name, entry.document, entry.version
        ),
        now,
    );
    let place = home(&plant.plant, &entry.document);
    context.store.raise_aside(&place, &raised, now).await
}
