//! `interplant lanes`: what is known of each Odoo, and how many wait for it.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use interplant_domain::lane::{Circuit, Lane};
use serde_json::json;

use crate::{Failure, cloud, table};

/// Shows for each Odoo database whether it is called, and how many lifecycles wait for it
#[derive(Debug, Args)]
pub(crate) struct Lanes {}

impl Lanes {
    pub(crate) async fn run(self, local: Option<&Path>, json: bool) -> Result<ExitCode, Failure> {
        let (context, _) = cloud::attach(local).await?;
        let mut rows = Vec::new();
        for database in context.databases().await? {
            let lane = context.store.lane(&database).await?;
            let waiting = context.store.waiting_in(&database).await?;
            rows.push((database, lane, waiting));
        }
        if json {
            let rows: Vec<_> = rows.iter().map(|(database, lane, waiting)| json!({"database": database, "circuit": lane.circuit, "waiting": waiting})).collect();
            println!("{}", serde_json::to_string_pretty(&rows)?);
        } else {
            table::print(
                ["database", "circuit", "waiting"],
                rows.iter().map(|(database, lane, waiting)| {
                    [database.clone(), told(lane), waiting.to_string()]
                }),
            );
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn told(lane: &Lane) -> String {
    match &lane.circuit {
        Circuit::Closed => "closed: it answers".to_owned(),
        Circuit::Limited { limit, permits, .. } => {
            format!("limited: {} of {limit} lifecycles at work", permits.len())
        }
        Circuit::Open {
            since,
            reason,
            probe_at,
            probes,
        } => {
            format!("open since {since:.0}: {reason}; asked {probes} times, next at {probe_at:.0}")
        }
    }
}
