//! Whatever bytes come in, every reader answers: without a panic, in time, the same again, and with no document that
//! the file does not have to its end.
//!
//! `cargo test` runs a few cases of each target, `make fuzz` as many as one likes, guided by coverage.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "tests"
)]

mod case;
mod feeds;
mod reading;
mod texts;
mod workbooks;

use std::cell::Cell;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use interplant_mapping::feed::Feed;

use case::{Stock, case};
use reading::Cut;

/// A way to read a format, with files to begin with.
pub(crate) struct Variant {
    feed: Feed,
    cut: Cut,
    stock: Stock<'static>,
    /// What is put around a case to make a file of it.
    around: Box<dyn Fn(Vec<u8>) -> Vec<u8>>,
}

impl Variant {
    pub(crate) fn new(format: &str, cut: Cut, stock: Stock<'static>) -> Self {
        let yaml = format!(
            "system: fuzz\ndocument: '\"1\"'\nfiles:\n  file: {{ name: \"*\", {format} }}\nevents: {{}}\n"
        );
        Self::of_feed(&yaml, cut, stock)
    }

    pub(crate) fn of_feed(yaml: &str, cut: Cut, stock: Stock<'static>) -> Self {
        Self {
            feed: reading::feed(yaml),
            cut,
            stock,
            around: Box::new(|case| case),
        }
    }

    /// What no fault was put into is read without a fault: else most cases would end at once.
    fn check_samples(&self) {
        for sample in self.stock.samples {
            let file = (self.around)(sample.to_vec());
            let given = reading::read(&self.feed, &file, usize::MAX);
            let shown = String::from_utf8_lossy(sample);
            assert!(given.is_clean(), "{given:?} of a sample:\n{shown}");
        }
    }
}

fn readers(variants: Vec<Variant>) -> impl Fn(&[u8]) {
    variants.iter().for_each(Variant::check_samples);
    move |bytes| {
        let (first, rest) = bytes.split_first().unwrap_or((&0, &[]));
        let variant = &variants[usize::from(*first) % variants.len()];
        let file = (variant.around)(case(rest, &variant.stock));
        reading::check(&variant.feed, variant.cut, &file);
    }
}

/// Bytes of an engine; about eight faults are made of them.
const MOST_BYTES: usize = 256;
/// Cases of a test run, unless it takes longer than so many milliseconds.
const FEW: usize = 5_000;
const SHORT: Duration = Duration::from_millis(1_500);

/// How many cases are wanted; a few where nobody says.
fn wanted() -> Option<usize> {
    std::env::var("FUZZ_CASES").ok()?.parse().ok()
}

/// Counts cases, and says how far it is.
struct Progress {
    name: &'static str,
    wanted: Option<usize>,
    done: Cell<usize>,
    began: Instant,
    said: Cell<Duration>,
}

impl Progress {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            wanted: wanted(),
            done: Cell::new(0),
            began: Instant::now(),
            said: Cell::new(Duration::ZERO),
        }
    }

    fn step(&self) {
        self.done.set(self.done.get() + 1);
        if self.wanted.is_none() || !self.done.get().is_multiple_of(64) {
            return;
        }
        if self.began.elapsed() - self.said.get() >= Duration::from_secs(10) {
            self.say();
        }
    }

    fn say(&self) {
        let (done, time) = (self.done.get(), self.began.elapsed());
        self.said.set(time);
        let rate = done as u128 * 1000 / time.as_millis().max(1);
        eprintln!(
            "{}: {done} cases in {} s, {rate} a second",
            self.name,
            time.as_secs()
        );
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.wanted.is_some() {
            self.say();
        }
    }
}

macro_rules! targets {
    ($($name:ident: $check:expr;)*) => {$(
        #[test]
        fn $name() {
            let check = AssertUnwindSafe(($check, Progress::new(stringify!($name))));
            let target = bolero::check!().with_max_len(MOST_BYTES);
            let target = match wanted() {
                Some(cases) => target.with_iterations(cases),
                None => target.with_iterations(FEW).with_test_time(SHORT),
            };
            target.for_each(move |bytes: &[u8]| {
                let (check, progress) = &*check;
                check(bytes);
                progress.step();
            });
        }
    )*};
}

targets! {
    delimited: readers(texts::delimited());
    fixed: readers(texts::fixed());
    xml: readers(texts::xml());
    json: readers(texts::json());
    x12: readers(texts::x12());
    edifact: readers(texts::edifact());
    workbook: readers(workbooks::archives());
    workbook_part: readers(workbooks::parts());
    feed: feeds::feeds();
    expression: feeds::expressions();
}
