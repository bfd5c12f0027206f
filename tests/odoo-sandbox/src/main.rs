//! Runs a sandbox until it is stopped: one JSON line says where it is and how to log in.

use std::io::Read as _;
use std::net::SocketAddr;

use clap::Parser;
use interplant_odoo_sandbox::{Sandbox, SandboxOptions, Version};

/// Behaves like an Odoo server.
#[derive(Debug, Parser)]
#[command(name = "odoo-sandbox", disable_version_flag = true)]
struct Arguments {
    /// Odoo version: 17, 18 or 19.
    #[arg(long)]
    version: Version,
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Stop when standard input is closed.
    #[arg(long)]
    exit_with_stdin: bool,
}

#[expect(
    clippy::print_stdout,
    reason = "the address is what the caller waits for"
)]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    let sandbox = Sandbox::start(
        arguments.version,
        SandboxOptions {
            listen: arguments.listen,
            ..SandboxOptions::default()
        },
    )?;
    let access = serde_json::json!({
        "url": sandbox.url(),
        "db": sandbox.database(),
        "login": sandbox.login(),
        "api_key": sandbox.api_key(),
        "version": arguments.version.major(),
    });
    println!("{access}");
    if arguments.exit_with_stdin {
        let mut rest = Vec::new();
        std::io::stdin().read_to_end(&mut rest)?;
    } else {
        loop {
            std::thread::park();
        }
    }
    Ok(())
}
