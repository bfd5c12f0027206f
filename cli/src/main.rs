//! `interplant`: the command line.

#![expect(clippy::print_stderr, reason = "a command line prints")]

use std::process::ExitCode;

use clap::Parser;
use interplant_cli::command::{Interplant, run};

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(told_or_quiet(std::panic::take_hook())));
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

type Hook = Box<dyn Fn(&std::panic::PanicHookInfo<'_>) + Sync + Send>;

/// Whoever reads our output may stop reading, as `head` does: that is no error of ours, and nothing is left to say.
fn told_or_quiet(told: Hook) -> impl Fn(&std::panic::PanicHookInfo<'_>) + Sync + Send {
    move |info| {
        let text = info.payload_as_str().unwrap_or_default();
        if text.starts_with("failed printing to stdout") {
            std::process::exit(if text.contains("Broken pipe") { 0 } else { 1 });
        }
        told(info);
    }
}
