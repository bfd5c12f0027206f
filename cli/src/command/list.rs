//! `interplant list`: lifecycles, the last changed first.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use interplant_domain::exception::Code;
use interplant_domain::identifier::PlantCode;
use interplant_domain::lifecycle::Header;
use interplant_domain::mailbox::RaisedException;
use interplant_runtime::Context;
use interplant_runtime::files::UnmappedCode;
use interplant_runtime::store::{OpenException, Wanted};
use serde_json::json;

use crate::command::show;
use crate::{Failure, cloud, table};

/// Lists lifecycles, the last changed first
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only this plant
    #[arg(long)]
    plant: Option<String>,
    /// The open exceptions instead, also those that stop nothing
    #[arg(long)]
    exceptions: bool,
    /// The files that were delivered instead, the last announced first
    #[arg(long, conflicts_with = "exceptions")]
    files: bool,
    /// At most so many of each plant
    #[arg(long, default_value_t = 100)]
    most: usize,
}

impl List {
    pub(crate) async fn run(self, local: Option<&Path>, json: bool) -> Result<ExitCode, Failure> {
        let (context, _) = cloud::attach(local).await?;
        let plants = match &self.plant {
            Some(plant) => vec![plant.parse()?],
            None => context.plants.codes().await?,
        };
        if self.files {
            return self.files(&context, &plants, json).await;
        }
        if self.exceptions {
            let mut raised: Vec<(String, RaisedException)> = Vec::new();
            for plant in &plants {
                let all = Wanted::default();
                let open = context.store.open_exceptions(plant, &all, usize::MAX);
                let named = |one: OpenException| (one.lifecycle.to_string(), one.raised);
                raised.extend(open.await?.into_iter().map(named));
            }
            let mut codes: Vec<UnmappedCode> = Vec::new();
            for plant in &plants {
                codes.extend(context.files.missed(plant, None).await?);
            }
            if json {
                let all = json!({"lifecycles": raised, "codes": codes});
                println!("{}", serde_json::to_string_pretty(&all)?);
            } else {
                show::print_exceptions(raised.iter().map(|(id, one)| (id.clone(), one)));
                if !codes.is_empty() {
                    print_codes(&codes);
                }
            }
            return Ok(ExitCode::SUCCESS);
        }
        let mut headers: Vec<Header> = Vec::new();
        let mut open: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for plant in &plants {
            headers.extend(context.store.list(plant, self.most).await?);
            let all = Wanted::default();
            for one in context
                .store
                .open_exceptions(plant, &all, usize::MAX)
                .await?
            {
                let of = open.entry(one.lifecycle.to_string()).or_default();
                of.push(one.raised.id.to_string());
            }
        }
        if json {
            println!("{}", serde_json::to_string_pretty(&headers)?);
        } else {
            print(&headers, &open);
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl List {
    async fn files(
        &self,
        context: &Context,
        plants: &[PlantCode],
        json: bool,
    ) -> Result<ExitCode, Failure> {
        let most = i32::try_from(self.most).unwrap_or(i32::MAX);
        let mut deliveries = Vec::new();
        for plant in plants {
            deliveries.extend(context.files.deliveries(plant, most).await?);
        }
        if json {
            println!("{}", serde_json::to_string_pretty(&deliveries)?);
            return Ok(ExitCode::SUCCESS);
        }
        table::print(
            [
                "delivery",
                "plant",
                "feed",
                "files",
                "state",
                "taken in",
                "known before",
                "held",
                "waiting for a code",
                "not made",
                "not read",
            ],
            deliveries.iter().map(|delivery| {
                let names: Vec<&str> = delivery
                    .files
                    .iter()
                    .map(|file| file.name.as_str())
                    .collect();
                let counts = &delivery.counts;
                [
                    delivery.id.clone(),
                    delivery.plant.to_string(),
                    delivery.feed.clone(),
                    names.join(", "),
                    format!("{:?}", delivery.state).to_lowercase(),
                    counts.accepted.to_string(),
                    counts.duplicates.to_string(),
                    counts.held.to_string(),
                    counts.unknown_code.to_string(),
                    counts.rejected.to_string(),
                    counts.unread.to_string(),
                ]
            }),
        );
        Ok(ExitCode::SUCCESS)
    }
}

/// A table of codes that facts of files wait for.
fn print_codes(codes: &[UnmappedCode]) {
    let code = Code::UnmappedCode;
    println!("\n{code}: {}", code.next_step());
    table::print(
        [
            "plant",
            "feed",
            "lookup",
            "code",
            "deliveries",
            "owner",
            "due",
        ],
        codes.iter().map(|missed| {
            [
                missed.plant.to_string(),
                missed.feed.clone(),
                missed.table.clone(),
                missed.code.clone(),
                missed.files.join(", "),
                missed.owner.clone(),
                format!("{:.0}", missed.due_at),
            ]
        }),
    );
}

/// The exceptions of a lifecycle that are open: the one that stops all of it, else those that hold a fact.
fn exceptions(header: &Header, open: &BTreeMap<String, Vec<String>>) -> String {
    if let Some(exception) = &header.exception {
        return exception.to_string();
    }
    let ids = open.get(&header.id.to_string());
    ids.map(|ids| ids.join(", ")).unwrap_or_default()
}

/// A table of lifecycles, with the ids of exceptions that are open by lifecycle.
pub(crate) fn print(headers: &[Header], open: &BTreeMap<String, Vec<String>>) {
    table::print(
        [
            "lifecycle",
            "status",
            "in Odoo",
            "receipts",
            "bills",
            "exception",
            "changed",
        ],
        headers.iter().map(|header| {
            let order = header.order.as_ref();
            let bills = order.map(|order| {
                order
                    .invoices
                    .iter()
                    .filter_map(|invoice| invoice.bill.as_ref())
                    .map(|bill| format!("{} {}", bill.name, bill.total))
                    .collect::<Vec<_>>()
            });
            [
                header.id.to_string(),
                format!("{:?}", header.status).to_lowercase(),
                order
                    .and_then(|order| order.in_odoo.as_ref())
                    .map(|order| order.name.clone())
                    .unwrap_or_default(),
                order
                    .map(|order| order.receipts.len().to_string())
                    .unwrap_or_default(),
                bills.unwrap_or_default().join(", "),
                exceptions(header, open),
                format!("{:.0}", header.updated_at),
            ]
        }),
    );
}
