//! `interplant list`: lifecycles, the last changed first.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use interplant_domain::lifecycle::Header;
use interplant_domain::mailbox::RaisedException;
use interplant_runtime::store::Store;

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
        let mut headers: Vec<Header> = Vec::new();
        for plant in plants {
            headers.extend(context.store.list(&plant, self.most).await?);
        }
        if self.exceptions {
            // Some exceptions do not stop their lifecycle: they are found by looking at each.
            let mut raised: Vec<(String, RaisedException)> = Vec::new();
            for header in &headers {
                let lifecycle = context.store.load(&header.id).await?;
                let open = lifecycle
                    .map(|lifecycle| lifecycle.exceptions)
                    .unwrap_or_default();
                raised.extend(open.into_iter().map(|one| (header.id.to_string(), one)));
            }
            if json {
                println!("{}", serde_json::to_string_pretty(&raised)?);
            } else {
                show::print_exceptions(raised.iter().map(|(id, one)| (id.clone(), one)));
            }
            return Ok(ExitCode::SUCCESS);
        }
        if json {
            println!("{}", serde_json::to_string_pretty(&headers)?);
        } else {
            print(&headers);
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// A table of lifecycles.
pub(crate) fn print(headers: &[Header]) {
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
                header
                    .exception
                    .as_ref()
                    .map(ToString::to_string)
                    .unwrap_or_default(),
                format!("{:.0}", header.updated_at),
            ]
        }),
    );
}
