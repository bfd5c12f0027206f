//! Makes the plant's own files of what waits in its outbox, if its configuration says how.
//!
//! Safe to repeat: an entry has its files once; whoever is slower finds them there.

use interplant_domain::exception::Code;
use interplant_domain::outbox::{Entry, FileOut, Files};
use interplant_domain::plant::Plant;
use interplant_mapping::out::{NotWritten, Out, Writer, Written};
use interplant_runtime::outbox::{Shelf, home, trouble};
use interplant_runtime::step::StepError;
use interplant_runtime::store::Error;
use interplant_runtime::{Context, failpoint};
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
    let wanted = outs.iter().filter(|out| out.takes(&entry.kind));
    for (out, written) in wanted.map(|out| (out, Writer::new(out).write(&entry.event))) {
        match written {
            Ok(written) => files.made.push(keep(context, entry, out, written).await?),
            Err(not) => {
                tell(context, plant, entry, out, &not).await?;
                files.problem = Some(format!("{}: {not}", out.name));
                break;
            }
        }
    }
    if files.problem.is_some() {
        files.made.clear();
    }
    failpoint!("outbox.after_files");
    let table = &context.outbox.table;
    let mut seen = entry.clone();
    for _ in 0..TRIES {
        match table.change(&seen, &seen.with_files(files.clone())).await {
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

async fn keep(
    context: &Context,
    entry: &Entry,
    out: &Out,
    written: Written,
) -> Result<FileOut, Error> {
    let version = out.hash.get(..12).unwrap_or(&out.hash);
    let key = format!(
        "outbox/{}/{:012}/{}-{version}/{}",
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
