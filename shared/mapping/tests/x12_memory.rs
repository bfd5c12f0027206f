//! Whatever comes in, reading X12 stays within its memory. Alone in its process, so that nothing else is measured.

use std::io::{self, Read};

use interplant_mapping::document::{self, Input};
use interplant_mapping::feed::{Bundle, Feed};

const FEED: &str = "
system: edi
document: ST.ST02
files:
  edi: { name: \"*\", x12: {} }
";

/// Text that repeats between a beginning and an end, made while it is read.
struct Repeated<'r> {
    start: &'r [u8],
    part: &'r [u8],
    times: usize,
    end: &'r [u8],
    left: &'r [u8],
}

impl<'r> Repeated<'r> {
    fn new(start: &'r str, part: &'r str, times: usize, end: &'r str) -> Self {
        Self {
            start: start.as_bytes(),
            part: part.as_bytes(),
            times,
            end: end.as_bytes(),
            left: &[],
        }
    }
}

impl Read for Repeated<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left.is_empty() {
            self.left = if !self.start.is_empty() {
                std::mem::take(&mut self.start)
            } else if self.times > 0 {
                self.times -= 1;
                self.part
            } else {
                std::mem::take(&mut self.end)
            };
        }
        self.left.read(buffer)
    }
}

/// The most memory this process ever had, in megabytes; nothing where the system does not tell.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kilobytes >> 10)
}

const START: &str = "ISA*00*          *00*          *ZZ*ACME           *ZZ*PLANT          *261123*0915*U*00401*000000001*0*P*>~GS*PO*ACME*PLANT*20261123*0915*1*X*004010~ST*850*0001~BEG*00*SA*1**20261123~";
const END: &str = "PO1*1*1*EA*1~CTT*1~SE*9*0001~GE*1*1~IEA*1*000000001~";

#[test]
fn no_file_takes_more_memory_than_is_allowed() {
    let Some(before) = peak() else { return };
    let files = vec![("aa/feeds/f.yaml".to_owned(), FEED.as_bytes().to_vec())];
    let bundle = Bundle {
        files: files.into_iter().collect(),
    };
    let feed = Feed::read(&bundle, &"aa".parse().unwrap(), "aa/feeds/f.yaml").unwrap();
    let long = "X".repeat(1000);
    let (open_segment, close) = (format!("{START}REF"), format!("~{END}"));
    let long_number = format!("ST*850*{}~SE*2*1~", long.repeat(100));
    let sets = "ST*850*1~SE*2*1~";
    // What repeats, how often, and whether the end of a set follows it.
    let cases = [
        ("a million segments", "REF*DP*1~", 1_000_000, END),
        ("a set of many small values", "REF*1*1*1*1~", 43_000, END),
        (
            "a set of eight megabytes",
            &format!("REF*DP*{long}~"),
            8_000,
            END,
        ),
        ("many empty segments", "~", 1_000_000, END),
        ("a segment of thirty megabytes", &long, 30_000, END),
        ("many separators", "**************************", 30_000, END),
        ("many values in a segment", "*a", 500_000, &close),
        (
            "control numbers of a hundred kilobytes",
            &long_number,
            800,
            &close,
        ),
        ("sets without end", sets, 200_000, ""),
        ("groups without end", "GS*PO*A*B*1*1*1*X*1~", 200_000, ""),
        ("headers without end", START, 30_000, ""),
    ];
    for (name, part, times, end) in cases {
        let open = || -> io::Result<Box<dyn Read + '_>> {
            let start = if part == "*a" { &open_segment } else { START };
            Ok(Box::new(Repeated::new(start, part, times, end)))
        };
        let inputs = [Input {
            role: "edi",
            name,
            open: &open,
        }];
        let mut faults = 0_u64;
        let mut documents = 0_u64;
        let mut ended = false;
        let read = document::read(&feed, &inputs, &mut |read| match read {
            Ok(_) => documents += 1,
            Err(fault) => {
                faults += 1;
                ended |= fault.ends;
            }
        });
        assert!(documents == 0 && faults > 0, "{name}");
        // What never ends is told as a limit of the file, what is too large as one of its set.
        assert_eq!(ended || read.is_err(), end.is_empty(), "{name}");
    }
    let more = peak().unwrap() - before;
    assert!(more < 64, "{more} MB");
}
