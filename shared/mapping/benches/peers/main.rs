//! The mapping room beside its peers, in one run: orders by jsonata-js, CSV by the plain reader, and memory by size.
//! `make bench` runs it.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_types,
    reason = "a benchmark"
)]

mod orders;
mod tables;

use std::time::{Duration, Instant};

/// Seconds of the processor that this thread had, so that others on the machine count little; of the clock
/// where the system does not tell.
struct Watch {
    began: Instant,
    cpu: Option<u64>,
}

impl Watch {
    fn start() -> Self {
        Self {
            began: Instant::now(),
            cpu: cpu(),
        }
    }

    fn seconds(&self) -> f64 {
        match (self.cpu, cpu()) {
            (Some(from), Some(to)) => Duration::from_nanos(to - from).as_secs_f64(),
            (None, _) | (_, None) => self.began.elapsed().as_secs_f64(),
        }
    }
}

fn cpu() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok()
}

/// The best of three: whatever else the machine does only makes it slower.
fn best(mut run: impl FnMut() -> f64) -> f64 {
    run();
    (0..3).map(|_| run()).fold(0.0, f64::max)
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, memory, kind, megabytes] = arguments.as_slice()
        && memory == "memory"
    {
        tables::read_generated(kind, megabytes.parse().unwrap());
        return;
    }
    let mut failed = orders::compare();
    failed.extend(tables::compare());
    failed.extend(tables::memory());
    for what in &failed {
        println!("NOT HELD: {what}");
    }
    std::process::exit(i32::from(!failed.is_empty()));
}
