//! How rows of text are written: separator, quote, names of columns, first and last lines.

use std::collections::{BTreeMap, BTreeSet};

use csv::{ReaderBuilder, StringRecord};
use interplant_mapping::lines::Lines;
use serde_json::{Map, Value, json};

use super::day;
use super::number;

/// How a file of rows is written, as far as its beginning and its end show it.
#[derive(Debug, Clone)]
pub(crate) struct Separated {
    /// What stands between cells; none where cells stand at positions.
    pub(crate) separator: char,
    /// What stands around cells.
    pub(crate) quote: Option<char>,
    /// Whether a cell shows that.
    pub(crate) quote_seen: bool,
    /// Names of the columns, where the file has no line with them.
    pub(crate) columns: Option<Vec<String>>,
    /// Lines before the first one that counts.
    pub(crate) skip: u64,
    /// Mark of a first line.
    pub(crate) header: Option<Vec<String>>,
    /// Cells of a last line.
    pub(crate) trailer: Option<Vec<String>>,
    /// What is to be known of it.
    pub(crate) notes: Vec<String>,
}

const SEPARATORS: [(char, usize); 9] = [
    ('\t', 40),
    (';', 40),
    ('|', 40),
    (',', 20),
    ('^', 25),
    ('~', 25),
    ('\u{1f}', 25),
    ('#', 10),
    (':', 0),
];

/// Words by which a last or a first line says what it is.
const LAST: [&str; 22] = [
    "end", "eof", "trl", "tra", "trailer", "total", "totals", "tot", "totale", "totali", "fine",
    "fin", "ende", "summe", "gesamt", "nachsatz", "somma", "z", "99", "zz", "t", "count",
];
const FIRST: [&str; 12] = [
    "hdr", "head", "header", "h", "00", "vorsatz", "kopf", "testata", "testa", "tes", "inizio",
    "entete",
];

/// More cells than this are no table.
const MOST_CELLS: usize = 4096;

type Records = Vec<(u64, StringRecord)>;

fn records(text: &str, separator: char, quote: Option<char>) -> Records {
    let Ok(separator) = u8::try_from(separator) else {
        return Vec::new();
    };
    let mut reader = ReaderBuilder::new()
        .delimiter(separator)
        .quoting(quote.is_some())
        .quote(
            quote
                .and_then(|quote| u8::try_from(quote).ok())
                .unwrap_or(b'"'),
        )
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let read = reader.records().take(2000).filter_map(Result::ok);
    let mut lines = Lines::default();
    lines.add(text.as_bytes());
    read.filter(|record| !record.iter().all(|cell| cell.trim().is_empty()))
        .map(|record| {
            let byte = record.position().map_or(0, csv::Position::byte);
            (lines.at(byte), record)
        })
        .collect()
}

/// The most frequent number of cells, and in how many records.
fn usual(records: &Records) -> (usize, usize) {
    let mut counts: Vec<(usize, usize)> = Vec::new();
    for (_, record) in records {
        match counts.iter_mut().find(|(cells, _)| *cells == record.len()) {
            Some((_, times)) => *times += 1,
            None => counts.push((record.len(), 1)),
        }
    }
    // Of two that are as frequent the greater: a title has few.
    counts
        .into_iter()
        .max_by_key(|(cells, times)| (*times, *cells))
        .unwrap_or_default()
}

/// How well a separator fits; nothing when it does not.
fn fit(records: &Records, weight: usize) -> Option<usize> {
    let (cells, times) = usual(records);
    let share = times * 100 / records.len().max(1);
    if cells < 2 || share < 60 {
        return None;
    }
    let at_once = records
        .iter()
        .take(4)
        .any(|(_, record)| record.len() == cells);
    let first = records
        .first()
        .is_some_and(|(_, record)| record.len() == cells);
    Some(
        share * 10
            + cells.min(40) * 3
            + weight
            + usize::from(at_once) * 60
            + usize::from(first) * 90,
    )
}

/// How rows are written; nothing when no sign separates cells.
pub(crate) fn look(head: &str, tail: &str, whole: bool) -> Option<Separated> {
    let mut best: Option<(usize, char, Option<char>)> = None;
    for (separator, weight) in SEPARATORS {
        for quote in [Some('"'), None, Some('\'')] {
            let Some(points) = fit(&records(head, separator, quote), weight) else {
                continue;
            };
            // Without any sign of it the usual quote is taken.
            let points = points + usize::from(quote == Some('"'));
            if best.is_none_or(|(most, ..)| points > most) {
                best = Some((points, separator, quote));
            }
        }
    }
    let (_, separator, _) = best?;
    let (quote, quote_seen) = quote_of(head, separator);
    let read = records(head, separator, quote);
    let (cells, _) = usual(&read);
    // More than readers take.
    if cells > MOST_CELLS {
        return None;
    }
    let mut notes = kinds_of_lines(&read, cells).into_iter().collect::<Vec<_>>();
    let mut found = Separated {
        separator,
        quote,
        quote_seen,
        columns: None,
        skip: 0,
        header: None,
        trailer: None,
        notes: Vec::new(),
    };
    beginning(&mut found, &read, cells, &mut notes);
    end(&mut found, &records(tail, separator, quote), cells, whole);
    found.notes = notes;
    Some(found)
}

/// What stands around cells: by the cells that begin and end with it.
fn quote_of(head: &str, separator: char) -> (Option<char>, bool) {
    let plain = records(head, separator, None);
    for quote in ['"', '\''] {
        let all = plain.iter().flat_map(|(_, record)| record.iter());
        let trimmed = all.map(str::trim).filter(|cell| !cell.is_empty());
        let (mut begun, mut ended, mut count) = (0, 0, 0);
        for cell in trimmed {
            count += 1;
            begun += usize::from(cell.starts_with(quote));
            ended += usize::from(cell.len() > 1 && cell.ends_with(quote));
        }
        // An apostrophe is part of names as well.
        if begun == 0 || (quote == '\'' && begun * 2 < count) {
            continue;
        }
        // An inch mark at the beginning of a cell opens a quote that never ends, and rows would be swallowed.
        let closes = ended * 10 >= begun * 9;
        return (Some(quote).filter(|_| closes), true);
    }
    (Some('"'), false)
}

/// Whether lines are of several kinds, by their first cell: then this is no table.
fn kinds_of_lines(read: &Records, usual: usize) -> Option<String> {
    let mut kinds: Vec<(String, usize, usize)> = Vec::new();
    for (_, record) in read {
        let first = record.get(0).unwrap_or_default().trim();
        match kinds.iter_mut().find(|(mark, ..)| mark == first) {
            Some((_, cells, times)) if *cells == record.len() => *times += 1,
            Some(_) => return None,
            None => kinds.push((first.to_owned(), record.len(), 1)),
        }
        if kinds.len() > 9 {
            return None;
        }
    }
    // Lines of dashes around a table are no kind.
    kinds.retain(|(mark, cells, times)| {
        *times > 1 && (*cells > 1 || mark.chars().any(char::is_alphanumeric))
    });
    if kinds.len() < 2 || kinds.iter().all(|(_, cells, _)| *cells == usual) {
        return None;
    }
    let told: Vec<String> = kinds
        .iter()
        .map(|(mark, cells, times)| format!("{mark} ({cells} cells, {times} lines)"))
        .collect();
    Some(format!(
        "lines are of several kinds: {}. Delimited text of several kinds of lines is not read: ask for one file for each kind, or for headers and lines side by side",
        told.join(", ")
    ))
}

fn is_mark(cell: &str) -> bool {
    let cell = cell.trim();
    (1..=12).contains(&cell.len())
        && cell
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

/// Whether a record names columns.
fn names(record: &StringRecord, below: &[&StringRecord]) -> bool {
    let cells: Vec<&str> = record.iter().map(str::trim).collect();
    let filled: Vec<&&str> = cells.iter().filter(|cell| !cell.is_empty()).collect();
    if filled.len() * 2 < cells.len() {
        return false;
    }
    let is_value = |cell: &str| {
        let one = [(cell, 1, 1)];
        number::numbers(&one, number::Points::default()).is_some()
            || day::days(&one, day::Order::default(), false).is_some()
    };
    if filled.iter().any(|cell| is_value(cell)) {
        return false;
    }
    // What names a column does not stand in it again.
    let again = cells.iter().enumerate().filter(|(index, cell)| {
        let mut same = below
            .iter()
            .filter_map(|record| record.get(*index).map(str::trim));
        !cell.is_empty() && same.any(|other| other == **cell)
    });
    let again = again.count();
    again == 0 || again * 4 < filled.len()
}

fn beginning(found: &mut Separated, read: &Records, cells: usize, notes: &mut Vec<String>) {
    let Some(mut at) = read.iter().position(|(_, record)| record.len() == cells) else {
        return;
    };
    let below = |from: usize| -> Vec<&StringRecord> {
        let all = read.iter().skip(from).map(|(_, record)| record);
        all.filter(|record| record.len() == cells).collect()
    };
    // A first line may have as many cells as the others.
    let marked = |record: &StringRecord| {
        let first = record.get(0).unwrap_or_default().trim();
        FIRST.contains(&first.to_lowercase().as_str())
    };
    if at == 0
        && let Some((_, first)) = read.first()
        && let Some((_, second)) = read.get(1)
        && marked(first)
        && !below(1)
            .iter()
            .skip(1)
            .any(|record| record.get(0) == first.get(0))
        && (names(second, &below(2)) || first.iter().skip(1).any(|cell| cell.trim().is_empty()))
    {
        at = 1;
    }
    let again = |first: &StringRecord| {
        let mut others = read.iter().skip(1).map(|(_, record)| record.get(0));
        others.any(|other| other.map(str::trim) == first.get(0).map(str::trim))
    };
    if at == 1
        && let Some((1, first)) = read.first()
        && !again(first)
        && first.get(0).is_some_and(is_mark)
        && first.len() > 1
    {
        found.header = Some(first.iter().map(|cell| cell.trim().to_owned()).collect());
    } else if at > 0
        && let Some((line, _)) = read.get(at)
    {
        found.skip = line.saturating_sub(1);
        let above: Vec<String> = read
            .iter()
            .take(at)
            .map(|(_, record)| record.iter().collect::<Vec<_>>().join(" "))
            .collect();
        notes.push(format!(
            "{} lines above the table: {}",
            found.skip,
            above.join(" / ").trim()
        ));
    }
    let Some((_, first)) = read.get(at) else {
        return;
    };
    if names(first, &below(at + 1)) {
        let heads: Vec<&str> = first.iter().map(str::trim).collect();
        let different: BTreeSet<&&str> = heads.iter().collect();
        let twice = different.len() < heads.len();
        if twice {
            notes.push("names of columns are there twice: they are named here instead".to_owned());
            found.columns = Some(apart(&heads));
            found.skip = read.get(at).map_or(0, |(line, _)| *line);
        }
    } else {
        notes.push("the file does not name its columns: they are numbered here".to_owned());
        found.columns = Some(
            (1..=cells)
                .map(|number| format!("column_{number}"))
                .collect(),
        );
    }
}

/// Names that are told apart.
fn apart(heads: &[&str]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut taken: BTreeSet<String> = BTreeSet::new();
    let mut next: BTreeMap<String, usize> = BTreeMap::new();
    for (index, head) in heads.iter().enumerate() {
        let bare = if head.is_empty() {
            format!("column_{}", index + 1)
        } else {
            (*head).to_owned()
        };
        let number = next.entry(bare.clone()).or_insert(2);
        let mut name = bare.clone();
        while !taken.insert(name.clone()) {
            name = format!("{bare}_{number}");
            *number += 1;
        }
        names.push(name);
    }
    names
}

fn end(found: &mut Separated, read: &Records, cells: usize, whole: bool) {
    let Some(((_, last), before)) = read.split_last() else {
        return;
    };
    // A file of one row has no last line besides it.
    if whole && before.is_empty() {
        return;
    }
    let mark = last.get(0).unwrap_or_default().trim();
    if mark.is_empty() {
        return;
    }
    let again = before
        .iter()
        .any(|(_, record)| record.get(0).map(str::trim) == Some(mark));
    let blank = last.iter().filter(|cell| cell.trim().is_empty()).count();
    let word = LAST.contains(&mark.trim_end_matches(':').to_lowercase().as_str());
    let other = last.len() < cells && last.len() > 1;
    let has_letters = |cell: &str| cell.chars().any(char::is_alphabetic);
    // Among numbers a word says what it is.
    let alone = has_letters(mark)
        && !before
            .iter()
            .skip(2)
            .any(|(_, record)| record.get(0).is_some_and(has_letters));
    let mostly_blank = blank * 2 > last.len() && {
        let usual = before.iter().rev().take(20);
        !usual
            .clone()
            .any(|(_, record)| record.iter().filter(|cell| cell.trim().is_empty()).count() >= blank)
    };
    if !again
        && (word && (other || alone || blank > 0 || last.len() < 2)
            || other && is_mark(mark)
            || mostly_blank)
    {
        found.trailer = Some(last.iter().map(|cell| cell.trim().to_owned()).collect());
    }
}

impl Separated {
    /// As a feed describes it; the defaults are left out.
    pub(crate) fn format(&self, encoding: &str, count: (Option<usize>, Option<usize>)) -> Value {
        let mut map = Map::new();
        let separator = match self.separator {
            '\t' => "tab".to_owned(),
            other => other.to_string(),
        };
        map.insert("separator".to_owned(), json!(separator));
        if self.quote != Some('"') {
            let quote = self.quote.map(String::from).unwrap_or_default();
            map.insert("quote".to_owned(), json!(quote));
        }
        if encoding != "utf-8" {
            map.insert("encoding".to_owned(), json!(encoding));
        }
        if self.skip > 0 {
            map.insert("skip".to_owned(), json!(self.skip));
        }
        if let Some(columns) = &self.columns {
            map.insert("columns".to_owned(), json!(columns));
        }
        let line = |cells: &[String], count: Option<usize>| {
            let mut line = Map::new();
            line.insert("mark".to_owned(), json!(cells.first()));
            if let Some(count) = count {
                line.insert("count".to_owned(), json!(count));
            }
            Value::Object(line)
        };
        if let Some(header) = &self.header {
            map.insert("header".to_owned(), line(header, count.0));
        }
        if let Some(trailer) = &self.trailer {
            map.insert("trailer".to_owned(), line(trailer, count.1));
        }
        json!({"delimited": map})
    }

    /// The cells, from 1, in which the first and the last line say how many rows there are.
    pub(crate) fn counts(&self, rows: u64) -> (Option<usize>, Option<usize>) {
        let of = |cells: &Option<Vec<String>>| {
            let cells = cells.as_ref()?;
            let says = |cell: &String| cell.parse() == Ok(rows);
            let at = cells.iter().skip(1).position(says)?;
            Some(at + 2)
        };
        (of(&self.header), of(&self.trailer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Separated {
        look(text, text, true).unwrap()
    }

    #[test]
    fn the_separator_is_not_the_comma_of_decimals() {
        let found = of("Ordine;Articolo;Prezzo;Sconto\n1;A;1,50;0,10\n2;B;2,50;0,20\n");
        assert_eq!((found.separator, found.columns.is_none()), (';', true));
        assert_eq!(of("a,b\n\"x,y\",1\nz,2\n").separator, ',');
        assert_eq!(of("a\tb\n1,5\t2,5\n3,5\t4,5\n").separator, '\t');
        assert_eq!(
            of("a|b\n08:15|2026-01-01 10:00\n09:15|2026-01-02 10:00\n").separator,
            '|'
        );
    }

    #[test]
    fn inch_marks_are_no_quotes() {
        let found = of("item;text\nA;\"1/2 pipe\nB;\"3/4 pipe\nC;hose\n");
        assert_eq!((found.quote, found.quote_seen), (None, true));
        let found = of("item;text\n\"A\";\"a;b\"\n\"B\";\"c\"\n");
        assert_eq!((found.quote, found.quote_seen), (Some('"'), true));
        assert_eq!(of("item;text\nA;pipe 3\"\nB;hose\n").quote, Some('"'));
    }

    #[test]
    fn a_file_without_names_of_columns_gets_numbers() {
        let found = of("4711;A;10\n4712;B;20\n");
        assert_eq!(
            found.columns.as_deref().map(<[String]>::len),
            Some(3),
            "{found:?}"
        );
    }

    #[test]
    fn first_and_last_lines_are_told_from_rows() {
        let found = of("HDR;2026-11-23;PLANT\norder;qty\n1;5\n2;6\nEND;2\n");
        assert_eq!(found.header.as_ref().unwrap()[0], "HDR");
        assert_eq!(found.trailer.as_ref().unwrap(), &["END", "2"]);
        assert_eq!(found.counts(2), (None, Some(2)));
        let found = of("order;day;qty\n1;a;5\n2;b;6\nTOTALE;;2\n");
        assert_eq!(found.counts(2), (None, Some(3)));
        let found = of("order;qty\n1;5\n2;6\n");
        assert!(found.header.is_none() && found.trailer.is_none());
    }

    #[test]
    fn a_title_above_the_table_is_left_out() {
        let found = of("Open orders of plant 7\n\norder;item;qty\n1;A;5\n2;B;6\n");
        // With the blank line below it.
        assert_eq!(found.skip, 2);
    }

    #[test]
    fn lines_of_several_kinds_are_told() {
        let found = of("H;1;2026;X\nL;1;A\nL;2;B\nH;2;2026;Y\nL;1;A\nL;2;B\n");
        assert!(found.header.is_none());
        assert!(
            found.notes[0].contains("H (4 cells, 2 lines), L (3 cells, 4 lines)"),
            "{:?}",
            found.notes
        );
    }

    #[test]
    fn names_that_are_there_twice_are_told_apart() {
        let found = of("no;name;name\n1;a;b\n2;c;d\n");
        assert_eq!(found.columns.unwrap(), ["no", "name", "name_2"]);
        assert_eq!(found.skip, 1);
    }
}
