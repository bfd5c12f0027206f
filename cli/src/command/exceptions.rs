//! `interplant exceptions`: what is open, and what people decide, by the operators' API.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};
use interplant_domain::amendment::{Wanted, amended, totals_that_do_not_fit};
use interplant_domain::fact::{Fact, FactKind};
use jiff::SignedDuration;
use serde::Deserialize as _;
use serde_json::{Value, json};

use crate::operator::{Operator, development_token, part};
use crate::{Failure, cloud, table};

/// Where the API is, and who asks.
#[derive(Debug, Args)]
struct As {
    /// Base address of the API; a local cloud knows its own
    #[arg(long, env = "INTERPLANT_API")]
    api: Option<String>,
    /// File with the token of your sign-in; without it INTERPLANT_TOKEN; a local cloud makes one that may do everything
    #[arg(long)]
    token_file: Option<PathBuf>,
    #[arg(long, env = "INTERPLANT_TOKEN", hide = true, hide_env_values = true)]
    token: Option<String>,
    /// Who you are, for the token of a local cloud
    #[arg(long, env = "USER", hide = true, default_value = "somebody")]
    by: String,
}

/// See what people have to decide, and decide
#[derive(Debug, Args)]
pub(crate) struct Exceptions {
    #[command(flatten)]
    who: As,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The open exceptions, what is due first first
    List(List),
    /// The same by cause: how many, since when, whose
    Groups(List),
    /// One with its fact, the order's lines, and what may be decided
    Show {
        /// Such as po/plant-b/4711/exc_1f3a9c02de
        id: String,
    },
    /// The cause is mended: do the step again
    Retry(Decision),
    /// Do it all the same: the tolerance does not count for this fact
    Accept(Decision),
    /// Leave the fact without effect
    Skip(Decision),
    /// Hand it to somebody else
    Assign {
        #[command(flatten)]
        decision: Decision,
        /// To whom
        #[arg(long)]
        to: String,
    },
    /// Write the fact anew, as it should have been
    Amend {
        #[command(flatten)]
        decision: Decision,
        /// What stands in the fact instead, such as /lines/0/itemId=4711
        #[arg(long = "set", value_name = "POINTER=VALUE")]
        set: Vec<String>,
        /// What is taken out of the fact, such as /lines/0/taxCode
        #[arg(long = "unset", value_name = "POINTER")]
        unset: Vec<String>,
        /// Also where the totals do not fit the lines then
        #[arg(long)]
        even_so: bool,
    },
    /// Approve what somebody else has written
    Approve(Decision),
    /// Turn it down
    TurnDown(Decision),
    /// Try all of one cause again, and follow how far it is
    RetryGroup(OfGroup),
    /// Leave all facts of one cause without effect, and follow how far it is
    SkipGroup(OfGroup),
    /// How far a decision about a group is
    Job {
        /// Such as job_0123456789abcdef0123456789abcdef
        id: String,
    },
    /// Stop following a document; what Odoo holds stays as it is
    Cancel {
        /// Such as po/plant-b/4711
        lifecycle: String,
        /// Revision of the lifecycle that you looked at; `interplant show` prints it
        #[arg(long)]
        revision: u64,
        /// Why
        #[arg(long, value_parser = NonEmptyStringValueParser::new())]
        note: String,
    },
}

#[derive(Debug, Args)]
struct List {
    /// Only this plant
    #[arg(long)]
    plant: Option<String>,
    /// Only this owner
    #[arg(long)]
    owner: Option<String>,
    /// Only this code, such as UNKNOWN_ITEM
    #[arg(long)]
    code: Option<String>,
    /// Only this cause, as `groups` prints it
    #[arg(long)]
    cause: Option<String>,
    /// Only what is past its due time
    #[arg(long)]
    overdue: bool,
    /// At most so many
    #[arg(long, default_value_t = 100)]
    most: usize,
}

#[derive(Debug, Args)]
struct Decision {
    /// Such as po/plant-b/4711/exc_1f3a9c02de
    id: String,
    /// Why
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    note: String,
    /// Revision of the lifecycle that you looked at; without it, as it is now
    #[arg(long)]
    revision: Option<u64>,
}

#[derive(Debug, Args)]
struct OfGroup {
    /// The cause, as `groups` prints it
    cause: String,
    /// Why
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    note: String,
}

impl As {
    async fn operator(&self, local: Option<&Path>) -> Result<Operator, Failure> {
        let ready = match local {
            Some(folder) => cloud::attach(Some(folder)).await?.1,
            None => None,
        };
        let api = self
            .api
            .clone()
            .or(ready.as_ref().map(|ready| ready.api.clone()));
        let api = api.ok_or("name the API by --api, or a local cloud by --local")?;
        let token = match (&self.token_file, &self.token, &ready) {
            (Some(file), _, _) => std::fs::read_to_string(file)
                .map_err(|error| format!("{}: {error}", file.display()))?
                .trim()
                .to_owned(),
            (None, Some(token), _) => token.clone(),
            (None, None, Some(ready)) => development_token(
                ready.folder(),
                &self.by,
                &["admin:*:*".to_owned()],
                SignedDuration::from_mins(15),
            )?,
            (None, None, None) => {
                return Err(
                    "name a file with your token by --token-file, or set INTERPLANT_TOKEN".into(),
                );
            }
        };
        Operator::new(&api, &token)
    }
}

impl Exceptions {
    pub(crate) async fn run(self, local: Option<&Path>, json: bool) -> Result<ExitCode, Failure> {
        let operator = self.who.operator(local).await?;
        let decide = async |word: &str, decision: &Decision, more: Value| {
            let path = format!("/v1/exceptions/{}", decision.id);
            let revision = match decision.revision {
                Some(revision) => json!(revision),
                None => now_shown(&operator, &path).await?,
            };
            let mut body = json!({"decision": word, "revision": revision, "note": decision.note});
            if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
                body.extend(more);
            }
            post(&operator, &format!("{path}/decisions"), &body).await
        };
        let done = match &self.command {
            Command::List(list) => return list.exceptions(&operator, json).await,
            Command::Groups(list) => return list.groups(&operator, json).await,
            Command::Show { id } => {
                let path = format!("/v1/exceptions/{id}");
                let shown = Operator::expect(operator.get(&path, &[]).await?)?;
                if json {
                    println!("{}", serde_json::to_string_pretty(&shown)?);
                } else {
                    print!("{}", told(&shown));
                }
                return Ok(ExitCode::SUCCESS);
            }
            Command::Job { id } => {
                let path = format!("/v1/jobs/{id}");
                Operator::expect(operator.get(&path, &[]).await?)?
            }
            Command::Retry(decision) => decide("retry", decision, json!({})).await?,
            Command::Accept(decision) => decide("accept", decision, json!({})).await?,
            Command::Skip(decision) => decide("skip", decision, json!({})).await?,
            Command::Approve(decision) => decide("approve", decision, json!({})).await?,
            Command::TurnDown(decision) => decide("turn-down", decision, json!({})).await?,
            Command::Assign { decision, to } => {
                decide("assign", decision, json!({"to": to})).await?
            }
            Command::Amend {
                decision,
                set,
                unset,
                even_so,
            } => {
                let changes = changes(set, unset)?;
                if !even_so {
                    fitting(&operator, &decision.id, &changes).await?;
                }
                decide("amend", decision, json!({"changes": changes})).await?
            }
            Command::RetryGroup(group) => group.follow(&operator, "retry").await?,
            Command::SkipGroup(group) => group.follow(&operator, "skip").await?,
            Command::Cancel {
                lifecycle,
                revision,
                note,
            } => {
                let body = json!({"revision": revision, "note": note});
                let path = format!("/v1/lifecycles/{lifecycle}/cancellations");
                post(&operator, &path, &body).await?
            }
        };
        if json {
            println!("{}", serde_json::to_string_pretty(&done)?);
        } else {
            print(&done);
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The revision of an exception's lifecycle as it is now.
async fn now_shown(operator: &Operator, path: &str) -> Result<Value, Failure> {
    let answer = operator.get(path, &[]).await?;
    if answer.status == 403 {
        // Who may not even see it is told by the decision itself which role that takes.
        return Ok(json!(0));
    }
    Ok(part(&Operator::expect(answer)?, "revision").clone())
}

/// Refuses an amendment after which the totals of the document do not fit its lines. What cannot be seen or read is
/// left to the API.
async fn fitting(operator: &Operator, id: &str, changes: &[Value]) -> Result<(), Failure> {
    let shown = operator.get(&format!("/v1/exceptions/{id}"), &[]).await?;
    let fact = part(&shown.body, "fact");
    let kind = part(fact, "type")
        .as_str()
        .and_then(FactKind::from_event_type);
    let wanted: Result<Vec<Wanted>, _> = changes
        .iter()
        .map(|change| Wanted::deserialize(change.clone()))
        .collect();
    let (Some(kind), Ok(wanted)) = (kind, wanted) else {
        return Ok(());
    };
    let after = amended(part(fact, "data"), &wanted).ok();
    let after = after.and_then(|data| Fact::read(kind, &data).ok());
    match after.as_ref().and_then(totals_that_do_not_fit) {
        None => Ok(()),
        Some(why) => Err(format!(
            "with that {why}: amend the totals as well, such as --set /totals/net=..., or send it with --even-so; nothing was sent"
        )
        .into()),
    }
}

async fn post(operator: &Operator, path: &str, body: &Value) -> Result<Value, Failure> {
    let key = uuid::Uuid::new_v4().to_string();
    Operator::expect(operator.post(path, &key, body).await?)
}

fn changes(set: &[String], unset: &[String]) -> Result<Vec<Value>, Failure> {
    let read = |text: &String| {
        let (pointer, value) = text.split_once('=').ok_or_else(|| {
            format!("`{text}` is not POINTER=VALUE, such as /lines/0/itemId=4711")
        })?;
        Ok(json!({"pointer": pointer, "value": value}))
    };
    let mut changes: Vec<Value> = set.iter().map(read).collect::<Result<_, Failure>>()?;
    changes.extend(
        unset
            .iter()
            .map(|pointer| json!({"pointer": pointer, "value": null})),
    );
    Ok(changes)
}

impl List {
    fn query(&self) -> Vec<(&'static str, String)> {
        let named = [
            ("plant", &self.plant),
            ("owner", &self.owner),
            ("code", &self.code),
            ("cause", &self.cause),
        ];
        let given = named
            .into_iter()
            .filter_map(|(name, value)| Some((name, value.clone()?)));
        let overdue = self.overdue.then(|| ("overdue", "true".to_owned()));
        given.chain(overdue).collect()
    }

    async fn exceptions(&self, operator: &Operator, json: bool) -> Result<ExitCode, Failure> {
        let mut all: Vec<Value> = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let mut query = self.query();
            query.push(("limit", (self.most - all.len()).min(200).to_string()));
            query.extend(after.map(|after| ("after", after)));
            let page = Operator::expect(operator.get("/v1/exceptions", &query).await?)?;
            all.extend(
                part(&page, "exceptions")
                    .as_array()
                    .cloned()
                    .unwrap_or_default(),
            );
            after = part(&page, "next").as_str().map(str::to_owned);
            if after.is_none() || all.len() >= self.most {
                break;
            }
        }
        if json {
            println!("{}", serde_json::to_string_pretty(&all)?);
            return Ok(ExitCode::SUCCESS);
        }
        table::print(
            ["exception", "code", "what", "owner", "due", "next step"],
            all.iter().map(|one| {
                let text = |name: &str| part(one, name).as_str().unwrap_or_default().to_owned();
                let late = if *part(one, "overdue") == json!(true) {
                    " overdue"
                } else {
                    ""
                };
                [
                    text("id"),
                    text("code"),
                    text("message"),
                    text("owner"),
                    format!("{}{late}", text("due_at").get(..19).unwrap_or_default()),
                    text("next_step"),
                ]
            }),
        );
        Ok(ExitCode::SUCCESS)
    }

    async fn groups(&self, operator: &Operator, json: bool) -> Result<ExitCode, Failure> {
        let answer = operator.get("/v1/exceptions/groups", &self.query()).await?;
        let groups = part(&Operator::expect(answer)?, "groups").clone();
        if json {
            println!("{}", serde_json::to_string_pretty(&groups)?);
            return Ok(ExitCode::SUCCESS);
        }
        table::print(
            ["cause", "how many", "since", "what", "at risk", "owners"],
            groups.as_array().into_iter().flatten().map(|one| {
                let text = |name: &str| part(one, name).as_str().unwrap_or_default().to_owned();
                let listed = |name: &str| {
                    let pairs = part(one, name).as_object().into_iter().flatten();
                    let words = pairs.map(|(name, value)| match value {
                        Value::String(amount) => format!("{amount} {name}"),
                        Value::Null
                        | Value::Bool(_)
                        | Value::Number(_)
                        | Value::Array(_)
                        | Value::Object(_) => name.clone(),
                    });
                    words.collect::<Vec<_>>().join(", ")
                };
                [
                    text("cause"),
                    part(one, "count").to_string(),
                    text("oldest").get(..19).unwrap_or_default().to_owned(),
                    text("about"),
                    listed("amounts_at_risk"),
                    listed("owners"),
                ]
            }),
        );
        Ok(ExitCode::SUCCESS)
    }
}

impl OfGroup {
    async fn follow(&self, operator: &Operator, word: &str) -> Result<Value, Failure> {
        let path = format!("/v1/exceptions/groups/{}/decisions", self.cause);
        let mut job = post(
            operator,
            &path,
            &json!({"decision": word, "note": self.note}),
        )
        .await?;
        let id = part(&job, "id").as_str().unwrap_or_default().to_owned();
        while *part(&job, "state") == json!("running") {
            println!(
                "{id}: {} of {}",
                part(&job, "looked_at"),
                part(&job, "total")
            );
            tokio::time::sleep(Duration::from_secs(1)).await;
            job = Operator::expect(operator.get(&format!("/v1/jobs/{id}"), &[]).await?)?;
        }
        Ok(job)
    }
}

/// One exception for a person: what it is, what is at stake, and the commands by which it may be decided.
fn told(shown: &Value) -> String {
    let text = |name: &str| {
        let text = part(shown, name).as_str().unwrap_or_default();
        table::clean(text)
    };
    let moment = |name: &str| {
        let moment = text(name);
        moment.get(..19).unwrap_or(&moment).replace('T', " ")
    };
    let mut lines = vec![
        format!("{}: {}", text("code"), text("meaning")),
        format!("  {}", text("message")),
        String::new(),
    ];
    let mut line = |name: &str, what: String| {
        if !what.trim().is_empty() {
            lines.push(format!("{name:<14}{what}"));
        }
    };
    line("exception", text("id"));
    let fact = part(shown, "fact");
    let of_fact = |name: &str| table::clean(part(fact, name).as_str().unwrap_or_default());
    let kind = of_fact("type");
    let kind = kind
        .trim_start_matches("interplant.")
        .trim_end_matches(".v1");
    line("fact", format!("{kind} {}", of_fact("number")));
    line("sent by", of_fact("source"));
    let stops = match (part(shown, "blocks"), part(shown, "lifecycle").is_null()) {
        (Value::Bool(true), _) => "the whole document waits",
        (_, true) => "facts with the code wait",
        (_, false) => "this fact waits, others go on",
    };
    line("holds", stops.to_owned());
    let at_risk = part(shown, "amount_at_risk");
    let amount = match at_risk {
        Value::Object(_) => {
            let of = |name: &str| part(at_risk, name).as_str().unwrap_or_default();
            format!("{} {}", of("amount"), of("currency"))
        }
        Value::String(masked) => masked.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => String::new(),
    };
    line("at risk", table::clean(amount.trim()));
    line("owner", text("owner"));
    line("since", moment("raised_at"));
    let late = if *part(shown, "overdue") == json!(true) {
        ", overdue"
    } else {
        ""
    };
    line("due", format!("{}{late}", moment("due_at")));
    line("goes to", text("escalated_to"));
    if *part(shown, "awaits_approval") == json!(true) {
        line("waits", "for a second person".to_owned());
    }
    line("what to do", text("next_step"));
    line("more", text("runbook"));
    let resolution = part(shown, "resolution");
    if resolution.is_object() {
        let of = |name: &str| table::clean(part(resolution, name).as_str().unwrap_or("resolved"));
        line(
            "decided",
            format!("{} by {}: {}", of("decision"), of("by"), of("reason")),
        );
        return lines.join("\n") + "\n";
    }
    lines.push(String::new());
    let may = part(shown, "may").as_array();
    let may: Vec<&str> = may
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if may.is_empty() {
        lines.push("You may see it, and not decide it.".to_owned());
    } else {
        lines.push("You may decide by one of".to_owned());
    }
    let revision = part(shown, "revision");
    for word in may {
        let more = match word {
            "assign" => " --to <whom>",
            "amend" => " --set <pointer>=<value>",
            _ => "",
        };
        lines.push(format!(
            "  interplant exceptions {word} {}{more} --revision {revision} --note \"<why>\"",
            text("id")
        ));
    }
    lines.push("`--json` shows the whole fact, the order's lines and the match.".to_owned());
    lines.join("\n") + "\n"
}

/// What came of it, in a line; what an amendment says otherwise, in a table.
fn print(done: &Value) {
    let text = |name: &str| part(done, name).as_str().unwrap_or_default().to_owned();
    if part(done, "looked_at").is_number() {
        println!(
            "{}: {} of {} looked at, {} decided, {} refused",
            text("id"),
            part(done, "looked_at"),
            part(done, "total"),
            part(done, "decided"),
            part(done, "refused")
        );
        for refused in part(done, "refusals").as_array().into_iter().flatten() {
            let word = |name: &str| part(refused, name).as_str().unwrap_or_default().to_owned();
            println!("  {}: {}", word("exception"), word("why"));
        }
        return;
    }
    if let Some(changes) = part(done, "changes").as_array() {
        let shown = |value: &Value| {
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned)
        };
        table::print(
            ["where", "before", "after"],
            changes.iter().map(|one| {
                [
                    shown(part(one, "pointer")),
                    shown(part(one, "before")),
                    shown(part(one, "after")),
                ]
            }),
        );
    }
    match text("status").as_str() {
        "awaits_second_person" => println!("{}: waits for a second person", text("id")),
        status => println!("{}{}: {status}", text("id"), text("lifecycle")),
    }
}
