//! `interplant`: the command line.

#![expect(clippy::print_stderr, reason = "a command line prints")]

use std::process::ExitCode;

use clap::Parser;
use interplant_cli::command::{Interplant, run};

fn main() -> ExitCode {
    let arguments = Interplant::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("interplant: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(arguments)) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("interplant: {failure}");
            ExitCode::FAILURE
        }
    }
}
