//! The commands.

pub mod audit;
mod decide;
mod deliver;
mod demo;
mod errors;
mod exceptions;
mod lanes;
mod list;
mod odoo;
mod outbox;
mod plant;
mod recovery_grid;
mod restart;
mod send;
mod show;
mod token;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::Failure;

/// Interplant: business facts of plants into Odoo, each once, in order.
#[derive(Debug, Parser)]
#[command(name = "interplant", version, about)]
pub struct Interplant {
    /// Folder of a running local cloud, such as .local/demo; without it AWS by the environment
    #[arg(long, global = true, env = "INTERPLANT_LOCAL")]
    local: Option<PathBuf>,
    /// Print JSON instead of tables
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the whole road on this machine: cloud, plants, Odoo, and the proof
    Demo(demo::Demo),
    /// Sign a file of events and send it
    Send(send::Send),
    /// Upload files of a plant, and say what became of them
    Deliver(deliver::Deliver),
    /// Show the road of a lifecycle: facts, steps, Odoo records, waits, times
    Show(show::Show),
    /// List lifecycles, the last changed first
    List(list::List),
    /// See what people have to decide, and decide, by the operators' API
    Exceptions(exceptions::Exceptions),
    /// Make a token for the operators' API of a local cloud
    Token(token::Token),
    /// Break glass: decide an exception straight in the table, when nobody can sign in
    Decide(decide::Decide),
    /// Print what Odoo and AWS say, what it means, and what is to be done
    Errors(errors::Errors),
    /// Print what happens when something breaks, and whether tests show it
    RecoveryGrid(recovery_grid::RecoveryGrid),
    /// Start a lifecycle again that a defect had halted
    Restart(restart::Restart),
    /// See, export and verify who decided what
    #[command(subcommand)]
    Audit(audit::Audit),
    /// See what plants are to be told, and send it again
    #[command(subcommand)]
    Outbox(outbox::Outbox),
    /// Show whether Odoo databases answer, and who waits for them
    Lanes(lanes::Lanes),
    /// Look at an Odoo that plants are to be connected to
    #[command(subcommand)]
    Odoo(odoo::Odoo),
    /// Check and publish a plant's configuration
    #[command(subcommand)]
    Plant(plant::Plant),
}

/// Runs a command.
///
/// # Errors
/// With a sentence for the person at the terminal.
pub async fn run(interplant: Interplant) -> Result<ExitCode, Failure> {
    let Interplant {
        local,
        json,
        command,
    } = interplant;
    let local = local.as_deref();
    match command {
        Command::Demo(_) if local.is_some() => Err(
            "the demo starts a local cloud of its own, in .local/demo or .local/packaged of --project: leave out --local and INTERPLANT_LOCAL".into(),
        ),
        Command::Demo(demo) => demo.run(json).await,
        Command::Send(send) => send.run(local, json).await,
        Command::Deliver(deliver) => deliver.run(local, json).await,
        Command::Show(show) => show.run(local, json).await,
        Command::List(list) => list.run(local, json).await,
        Command::Exceptions(exceptions) => exceptions.run(local, json).await,
        Command::Token(token) => token.run(local).await,
        Command::Decide(decide) => decide.run(local, json).await,
        Command::Errors(errors) => errors.run(json),
        Command::RecoveryGrid(grid) => grid.run(json),
        Command::Restart(restart) => restart.run(local, json).await,
        Command::Audit(audit) => audit.run(local, json).await,
        Command::Outbox(outbox) => outbox.run(local, json).await,
        Command::Lanes(lanes) => lanes.run(local, json).await,
        Command::Odoo(odoo) => odoo.run(json).await,
        Command::Plant(plant) => plant.run(local, json).await,
    }
}
