//! A plant's pack to fill in: what a new plant's folder begins with.

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use crate::profile::{self, Draft, Profiles};
use crate::{Failure, feeds, sample};

/// Formats of files that packs begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Csv,
    Tsv,
    Fixed,
    Xlsx,
    Xml,
    Json,
    X12,
    Edifact,
}

/// What a pack is made of.
#[derive(Debug)]
pub(crate) struct Pack {
    /// Files by their path in the plant's folder.
    files: Vec<(String, Vec<u8>)>,
    /// The feed.
    pub(crate) feed: String,
}

/// Who the plant is.
#[derive(Debug, Clone)]
pub(crate) struct Who {
    pub(crate) code: String,
    pub(crate) name: String,
    pub(crate) zone: String,
}

const PLANT: &str = include_str!("../templates/pack/plant.yaml");
const README: &str = include_str!("../templates/pack/README.md");
const LOOKUP: &str = include_str!("../templates/pack/lookup.csv");
const ORDERS: &str = include_str!("../templates/pack/order-feed.yaml");
const ANSWERS: &str = include_str!("../templates/pack/acknowledgment-feed.yaml");
const WORKBOOK: &[u8] = include_bytes!("../templates/pack/orders.xlsx");
const X12: &str = include_str!("../templates/pack/x12-855.x12");
const EDIFACT: &str = include_str!("../templates/pack/edifact-ordrsp.edi");

/// Orders as rows: number, supplier, currency, day, line, item, quantity, unit, price, day that it is needed.
const ROWS: [[&str; 10]; 4] = [
    [
        "order", "supplier", "currency", "date", "line", "item", "quantity", "unit", "price",
        "needed",
    ],
    [
        "4711",
        "V100",
        "EUR",
        "2026-03-02",
        "10",
        "A-1",
        "5",
        "EA",
        "19.95",
        "2026-03-16",
    ],
    [
        "4711",
        "V100",
        "EUR",
        "2026-03-02",
        "20",
        "B-2",
        "2.5",
        "KG",
        "4",
        "",
    ],
    [
        "4712",
        "V200",
        "EUR",
        "2026-03-03",
        "10",
        "A-1",
        "12",
        "EA",
        "19.5",
        "2026-03-20",
    ],
];
/// Characters of each column where columns have positions.
const WIDTHS: [usize; 10] = [8, 8, 3, 10, 4, 8, 9, 3, 9, 10];

const TABLE: &str = "    columns: [order, supplier, currency, date, line, item, quantity, unit, price, needed] # must be there
    group_by: [order]        # rows that follow each other with the same order are one document: `rows`";

impl Who {
    fn fill(&self, text: &str) -> String {
        text.replace("@CODE_@", &self.code.replace('-', "_"))
            .replace("@CODE@", &self.code)
            .replace("@NAME@", &self.name)
            .replace("\"UTC\"", &format!("\"{}\"", self.zone))
    }
}

impl Format {
    /// The feed, what it is called, and its sample.
    fn feed(self) -> (&'static str, String, String, Vec<u8>) {
        match self {
            Self::Csv => separated("orders.csv", ";", ";"),
            Self::Tsv => separated("orders.tsv", "\t", "tab"),
            Self::Fixed => {
                let mut at = 1;
                let mut columns = String::new();
                for (name, width) in ROWS.first().into_iter().flatten().zip(WIDTHS) {
                    columns.push_str(&format!("        - {{ name: {name}, at: {at}, width: {width} }}\n"));
                    at += width;
                }
                let file = format!(
                    "    name: orders*.txt        # `*` stands for anything\n    fixed:\n      # encoding: windows-1252 # utf-8 without it\n      columns:               # positions are in characters, from 1\n{columns}{TABLE}"
                );
                let sample: String = ROWS
                    .iter()
                    .skip(1)
                    .map(|row| {
                        let cells = row.iter().zip(WIDTHS);
                        let cells = cells.map(|(cell, width)| format!("{cell:<width$}"));
                        format!("{}\n", cells.collect::<String>())
                    })
                    .collect();
                orders(&file, "rows", "order", "line", "orders.txt", sample.into_bytes())
            }
            Self::Xlsx => {
                let file = format!(
                    "    name: orders*.xlsx       # `*` stands for anything\n    sheet:\n      name: Orders           # the first sheet without it\n      # header_row: 4        # the row with the names of the columns, 1 without it\n{TABLE}"
                );
                orders(&file, "rows", "order", "line", "orders.xlsx", WORKBOOK.to_vec())
            }
            Self::Xml => {
                let file = "    name: orders*.xml        # `*` stands for anything\n    xml:\n      document: /orders/order # the elements that are documents, from the root on\n      repeated: [line]       # lists, even where there is one of them";
                let sample = tree(
                    "<orders>\n",
                    |head, lines| format!("  <order>{}{}</order>\n", elements(head), lines.concat()),
                    |line| format!("<line>{}</line>", elements(line)),
                    "",
                    "</orders>\n",
                );
                orders(file, "line", "number", "no", "orders.xml", sample.into_bytes())
            }
            Self::Json => {
                let file = "    name: orders*.json       # `*` stands for anything\n    json:\n      document: /orders      # JSON pointer to the array of documents; \"\" is the file itself\n      # lines: true          # each line is a document";
                let sample = tree(
                    "{\"orders\": [\n",
                    |head, lines| format!("  {{{}, \"line\": [{}]}}", fields(head), lines.join(", ")),
                    |line| format!("{{{}}}", fields(line)),
                    ",\n",
                    "\n]}\n",
                );
                orders(file, "line", "number", "no", "orders.json", sample.into_bytes())
            }
            Self::X12 => (
                "acknowledgments",
                "acknowledgments.x12".to_owned(),
                ANSWERS
                    .replace("@DOCUMENT@", "BAK.BAK03")
                    .replace("@FILE@", "    name: \"*.x12\"\n    x12:\n      sender: \"ZZ:SUPPLIER\" # ! who sends: the qualifier and the id of ISA05 and ISA06\n      version: [\"004010\"]   # ! which versions were agreed on\n      # lenient: [counts]    # faults that are taken from this partner")
                    .replace("@EVENT@", "    when: ST.ST01 = \"855\"    # an interchange may hold other sets as well
    time: $moment(BAK.BAK04 & \" 12\", \"%Y%m%d %H\", \"UTC\") # ! the plant's time zone, such as America/New_York
    data:
      poNumber: BAK.BAK03
      ackNumber: '$exists(BAK.BAK08) ? BAK.BAK08 : ISA.ISA13 & \"-\" & ST.ST02'
      lines:
        each: PO1            # one line for each of these; an ACK belongs to its PO1
        fields:
          lineNo: PO101
          code: { list: { constant: x12-668 }, code: \"ACK[0].ACK01\" } # what the supplier's code means, plant.yaml may say
          qty: $dec(ACK[0].ACK02)
          price: $dec(PO104)
          promisedDate: $day(ACK[0][ACK04 = \"067\"].ACK05, \"%Y%m%d\")"),
                X12.as_bytes().to_vec(),
            ),
            Self::Edifact => (
                "acknowledgments",
                "acknowledgments.edi".to_owned(),
                ANSWERS
                    .replace("@DOCUMENT@", "BGM.BGM02")
                    .replace("@FILE@", "    name: \"*.edi\"\n    edifact:\n      sender: SUPPLIER       # ! who sends: the id in UNB\n      # encoding: iso-8859-1 # where UNB names another than the one that is used\n      # lenient: [counts]    # faults that are taken from this partner")
                    .replace("@EVENT@", "    when: UNH.UNH02_1 = \"ORDRSP\" # an interchange may hold other messages as well
    time: $moment(DTM[DTM01_1=\"137\"].DTM01_2 & \" 12\", \"%Y%m%d %H\", \"UTC\") # ! the plant's time zone, such as Europe/Rome
    data:
      poNumber: RFF[RFF01_1=\"ON\"].RFF01_2
      ackNumber: BGM.BGM02
      headerCode: { list: { constant: edifact-1225 }, code: BGM.BGM03 }
      lines:
        each: LIN            # one line for each of these, with the segments of its group
        fields:
          lineNo: LIN01
          code: { list: { constant: edifact-1229 }, code: LIN02 } # what the supplier's code means, plant.yaml may say
          qty: $dec(QTY[QTY01_1=\"21\"].QTY01_2)
          price: $dec(PRI[PRI01_1=\"AAA\"].PRI01_2)
          promisedDate: $day(DTM[DTM01_1=\"2\"].DTM01_2, \"%Y%m%d\")"),
                EDIFACT.as_bytes().to_vec(),
            ),
        }
    }
}

fn separated(
    name: &str,
    between: &str,
    separator: &str,
) -> (&'static str, String, String, Vec<u8>) {
    let end = name.rsplit('.').next().unwrap_or_default();
    let file = format!(
        "    name: orders*.{end}        # `*` stands for anything
    delimited:
      separator: \"{separator}\"         # one character, or tab
      # quote: '\"'           # what stands around cells; empty where the system quotes nothing
      # encoding: windows-1252 # utf-8 without it
      # columns: [order, item] # names of the columns, where the file has no line with them
      # trailer: {{ mark: END, count: 2 }} # a last line: its first cell, and the cell with the number of rows
{TABLE}"
    );
    let sample: String = ROWS
        .iter()
        .map(|row| format!("{}\n", row.join(between)))
        .collect();
    orders(&file, "rows", "order", "line", name, sample.into_bytes())
}

fn orders(
    file: &str,
    each: &str,
    number: &str,
    line: &str,
    name: &str,
    sample: Vec<u8>,
) -> (&'static str, String, String, Vec<u8>) {
    let text = ORDERS
        .replace("@FILE@", file)
        .replace("@EACH@", each)
        .replace("@DOCUMENT@", number)
        .replace("@LINE@", line)
        .replace("@SUPPLIER@", "supplier")
        .replace("@CURRENCY@", "currency")
        .replace("@DATE@", "date")
        .replace("@ITEM@", "item")
        .replace("@QTY@", "quantity")
        .replace("@UNIT@", "unit")
        .replace("@PRICE@", "price")
        .replace("@NEED@", "needed");
    ("purchase-orders", name.to_owned(), text, sample)
}

type Named<'n> = (&'n str, &'n str);

/// The orders as documents with lines.
fn tree(
    begin: &str,
    document: impl Fn(&[Named<'_>], &[String]) -> String,
    line: impl Fn(&[Named<'_>]) -> String,
    between: &str,
    end: &str,
) -> String {
    let names = [
        "number", "supplier", "currency", "date", "no", "item", "quantity", "unit", "price",
        "needed",
    ];
    let mut documents: Vec<(Vec<Named<'_>>, Vec<String>)> = Vec::new();
    for row in ROWS.iter().skip(1) {
        let named: Vec<Named<'_>> = names
            .into_iter()
            .zip(row.iter().copied())
            .filter(|(_, cell)| !cell.is_empty())
            .collect();
        let (head, below) = named.split_at(4);
        match documents.last_mut() {
            Some((last, lines)) if last.as_slice() == head => lines.push(line(below)),
            _ => documents.push((head.to_vec(), vec![line(below)])),
        }
    }
    let documents: Vec<String> = documents
        .iter()
        .map(|(head, lines)| document(head, lines))
        .collect();
    format!("{begin}{}{end}", documents.join(between))
}

fn elements(named: &[Named<'_>]) -> String {
    let all = named.iter();
    all.map(|(name, text)| format!("<{name}>{text}</{name}>"))
        .collect()
}

fn fields(named: &[Named<'_>]) -> String {
    let all = named
        .iter()
        .map(|(name, text)| format!("\"{name}\": \"{text}\""));
    all.collect::<Vec<_>>().join(", ")
}

/// A pack that begins with a format.
pub(crate) fn of_format(who: &Who, format: Format) -> Pack {
    let (feed, sample_name, text, sample) = format.feed();
    let units = "  EA: uom.product_uom_unit\n  KG: uom.product_uom_kgm\n";
    let quirks = "| (none is known yet) | |";
    pack(who, feed, &text, vec![(sample_name, sample)], units, quirks)
}

/// A pack that begins with files of the plant.
///
/// # Errors
/// When no sample can be cut from them.
pub(crate) fn of_files(
    who: &Who,
    paths: &[PathBuf],
    profiles: &Profiles,
    draft: &Draft,
) -> Result<Pack, Failure> {
    let samples = sample::cut(paths, profiles, draft)?;
    let quoted = |text: &str| profile::scalar(text);
    let lookup = profile::unit_lookup(&draft.units);
    let mut units = String::new();
    for unit in &draft.units {
        // Another writing of a unit becomes that one by the lookup.
        if lookup
            .iter()
            .any(|(written, kept)| *written == unit.written && written != kept)
        {
            continue;
        }
        let meaning = unit.meaning.unwrap_or("not known");
        let line = match unit.odoo {
            Some(odoo) => format!("  {}: {odoo} # ? {meaning}\n", quoted(&unit.written)),
            None => format!(
                "  # {}: # ! {meaning}: name the unit that it is in Odoo\n",
                quoted(&unit.written)
            ),
        };
        units.push_str(&line);
    }
    if !draft.units.iter().any(|unit| unit.odoo.is_some()) {
        units.push_str("  EA: uom.product_uom_unit\n");
    }
    let remarks = profiles.files.iter().flat_map(profile::remarks);
    let quirks: Vec<String> = remarks
        .map(|remark| format!("| {} | |", remark.replace('|', "\\|")))
        .collect();
    let quirks = if quirks.is_empty() {
        "| (none showed in the sample) | |".to_owned()
    } else {
        quirks.join("\n")
    };
    let mut pack = pack(who, draft.name, &draft.text, samples, &units, &quirks);
    let mut table = csv::Writer::from_writer(Vec::new());
    let rows = std::iter::once(("code", "unit")).chain(
        lookup
            .iter()
            .map(|(code, unit)| (code.as_str(), unit.as_str())),
    );
    for (code, unit) in rows {
        table
            .write_record([code, unit])
            .map_err(|error| error.to_string())?;
    }
    let table = table.into_inner().map_err(|error| error.to_string())?;
    for (path, bytes) in &mut pack.files {
        if path == "lookups/units.csv" {
            bytes.clone_from(&table);
        }
    }
    Ok(pack)
}

fn pack(
    who: &Who,
    feed: &str,
    text: &str,
    samples: Vec<(String, Vec<u8>)>,
    units: &str,
    quirks: &str,
) -> Pack {
    let plant = who.fill(&PLANT.replace("@UNITS@", units));
    let mut files = vec![
        ("plant.yaml".to_owned(), plant.into_bytes()),
        (
            "README.md".to_owned(),
            who.fill(README).replace("@QUIRKS@", quirks).into_bytes(),
        ),
        ("lookups/units.csv".to_owned(), LOOKUP.as_bytes().to_vec()),
        (format!("feeds/{feed}.yaml"), who.fill(text).into_bytes()),
    ];
    for (name, bytes) in samples {
        files.push((format!("samples/{feed}/{name}"), bytes));
    }
    Pack {
        files,
        feed: feed.to_owned(),
    }
}

impl Pack {
    /// Writes it below a folder, which becomes the plant's own at the end; what its sample gives becomes what it must
    /// give. The paths that were written.
    ///
    /// # Errors
    /// When there is such a plant already, or when this release does not read such files.
    pub(crate) fn write(mut self, plants: &Path, code: &str) -> Result<Vec<PathBuf>, Failure> {
        let folder = plants.join(code);
        if folder.exists() {
            return Err(
                format!("{} is there already; nothing was written", folder.display()).into(),
            );
        }
        let work = Work::new(plants)?;
        let staged = work.0.join(code);
        for (path, bytes) in &self.files {
            let path = staged.join(path);
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent)?;
            }
            std::fs::write(path, bytes)?;
        }
        self.expect(&staged, code)?;
        // Never over what somebody else has made meanwhile: a folder that holds something is not replaced.
        std::fs::rename(&staged, &folder)
            .map_err(|error| format!("{}: {error}; nothing was written", folder.display()))?;
        let paths = self.files.iter();
        Ok(paths.map(|(path, _)| folder.join(path)).collect())
    }

    fn expect(&mut self, staged: &Path, code: &str) -> Result<(), Failure> {
        let bundle = feeds::bundle_of(staged)?;
        let plant = code.parse()?;
        let samples = staged.join("samples").join(&self.feed);
        let unread = |failure: &Failure| {
            Failure(format!(
                "this release does not read such files ({failure}); nothing was written"
            ))
        };
        let read = feeds::feeds(&bundle, &plant).map_err(|failure| unread(&failure))?;
        let feed = read.first().ok_or("the pack has no feed")?;
        let taken = feeds::taken(feed, &samples);
        if taken.groups.is_empty() {
            return Err(format!(
                "the feed {} does not take its own sample; nothing was written",
                feed.name
            )
            .into());
        }
        let mapped = feeds::map_all(feed, &taken.groups).map_err(|failure| unread(&failure))?;
        if mapped.made.is_empty() && mapped.not_made.is_empty() {
            return Err("nothing came of the sample: this release does not read such files; nothing was written".into());
        }
        let lines = feeds::outcome(&mapped);
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let path = format!("samples/{}/expected.jsonl", self.feed);
        std::fs::write(staged.join(&path), &text)?;
        self.files.push((path, text.into_bytes()));
        Ok(())
    }
}

/// A folder beside the plants; it goes when it is done with.
struct Work(PathBuf);

impl Work {
    fn new(plants: &Path) -> Result<Self, Failure> {
        let path = plants.join(format!(".new-{}", std::process::id()));
        std::fs::create_dir_all(plants)
            .and_then(|()| std::fs::create_dir(&path))
            .map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}
