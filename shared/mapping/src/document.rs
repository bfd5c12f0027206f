//! Rows to documents: a header with its lines from another file, rows that repeat their header, or one row.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::rc::Rc;
use std::sync::Arc;

use indexmap::IndexMap;
use jsonata_core::value::JValue;

use crate::feed::{Feed, File};
use crate::format::{FILE, Fault, Format, LINE, Row, Rows, SEGMENT, Table, Tree};
use crate::lookup::Lookup;
use crate::place::{Place, Spot};

/// A file of a feed.
pub struct Input<'a> {
    /// Which of the feed's files it is.
    pub role: &'a str,
    /// What the plant calls it.
    pub name: &'a str,
    /// Opens it; a file with a last line that counts the rows is opened twice.
    pub open: &'a dyn Fn() -> io::Result<Box<dyn Read + 'a>>,
}

/// What a plant's system holds as one: an order with its lines.
#[derive(Debug, Clone)]
pub struct Document {
    /// Where it begins.
    pub spot: Spot,
    pub(crate) value: JValue,
}

/// Why a row, or a file from there on, cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, thiserror::Error)]
#[error("{spot}: {message}")]
pub struct Unread {
    /// A stable code.
    pub code: &'static str,
    /// Where.
    pub spot: Spot,
    /// What, and what to do.
    pub message: String,
    /// Whether nothing of the file after it can be read.
    pub ends: bool,
}

/// Rows of the other files are kept while the leading one is read; more than this is refused.
const MOST_JOINED_BYTES: usize = 48 << 20;

type Key = Vec<String>;

struct Joined {
    role: String,
    /// Columns of the leading file.
    by: Vec<String>,
    rows: BTreeMap<Key, Vec<JValue>>,
    /// Documents of which a row could not be read.
    broken: BTreeMap<Key, Unread>,
}

/// Reads the documents of files that belong together, one after the other.
///
/// # Errors
/// What keeps a file from being read at all; nothing of it was given then.
pub fn read(
    feed: &Feed,
    inputs: &[Input<'_>],
    each: &mut dyn FnMut(Result<Document, Unread>),
) -> Result<(), Unread> {
    let mut joined = Vec::new();
    let mut leading = None;
    for (role, file) in &feed.files {
        let input = find(feed, role, inputs)?;
        let table = match &file.format {
            Format::Table(table) => table,
            Format::Tree(tree) => return read_tree(tree, input, each),
        };
        check_whole(file, table, input)?;
        if file.key.is_some() {
            continue;
        }
        if leading.is_none() {
            leading = Some((file, table, input));
        } else {
            joined.push(join(role, file, table, input, each)?);
        }
    }
    let Some((file, table, input)) = leading else {
        return Ok(());
    };
    lead(file, table, input, &mut joined, each)?;
    for rest in joined {
        let by = rest.by.join(", ");
        for (key, rows) in rest.rows {
            for row in rows {
                each(Err(Unread {
                    code: "row_without_document",
                    spot: spot_of(&row, &Spot::of(&rest.role)),
                    message: format!(
                        "{by} {} is in no row of {}: the row belongs to no document",
                        key.join(", "),
                        input.name
                    ),
                    ends: false,
                }));
            }
        }
    }
    Ok(())
}

/// The lookups of a feed, with those that come along with the documents.
///
/// # Errors
/// What keeps one of the files from being read.
pub fn lookups(feed: &Feed, inputs: &[Input<'_>]) -> Result<Lookups, Unread> {
    let mut all = (*feed.lookups).clone();
    for (role, file) in &feed.files {
        let Some(key) = &file.key else {
            continue;
        };
        let input = find(feed, role, inputs)?;
        // A file with a key is a table: the feed was checked.
        let Format::Table(table) = &file.format else {
            continue;
        };
        let rows = open(file, table, input)?;
        let read = Lookup::read(&Place::of(input.name), rows, key, None).map_err(|mistake| {
            let fault = Fault::end("file_unreadable", mistake.place.line, mistake.message);
            unread(input, fault)
        })?;
        all.insert(role.clone(), read);
    }
    Ok(Lookups(Arc::new(all)))
}

/// Lookups that are ready to be asked.
#[derive(Debug, Clone)]
pub struct Lookups(pub(crate) Arc<BTreeMap<String, Lookup>>);

impl Lookups {
    /// Whether a lookup has a code, for any day.
    #[must_use]
    pub fn knows(&self, table: &str, code: &str) -> bool {
        self.0.get(table).is_some_and(|lookup| lookup.has(code))
    }

    /// How many codes each lookup has, those that come along with the documents included.
    #[must_use]
    pub fn sizes(&self) -> Vec<(&str, usize)> {
        let sizes = self.0.iter();
        sizes
            .map(|(name, lookup)| (name.as_str(), lookup.len()))
            .collect()
    }
}

fn find<'i, 'b>(feed: &Feed, role: &str, inputs: &'i [Input<'b>]) -> Result<&'i Input<'b>, Unread> {
    let found = inputs.iter().find(|input| input.role == role);
    found.ok_or_else(|| Unread {
        code: "file_missing",
        spot: Spot::of(role),
        message: format!(
            "the feed {} needs a file `{role}`, which is not there",
            feed.name
        ),
        ends: true,
    })
}

/// Documents of a tree are taken as they stand.
fn read_tree(
    tree: &Tree,
    input: &Input<'_>,
    each: &mut dyn FnMut(Result<Document, Unread>),
) -> Result<(), Unread> {
    let open = || (input.open)().map_err(|error| Fault::unreadable(&error));
    if tree.counts_itself() {
        let mut over = None;
        tree.read(&open, &mut |read| {
            over = over.take().or(read.err().filter(|fault| fault.ends));
        })
        .and_then(|()| over.map_or(Ok(()), Err))
        .map_err(|fault| unread(input, fault))?;
    }
    let ended = tree.read(&open, &mut |read| match read {
        Ok(branch) => {
            let mut value = branch.value;
            value.insert(FILE.to_owned(), JValue::from(input.name));
            value.insert(LINE.to_owned(), JValue::from(branch.line.to_string()));
            each(Ok(Document {
                spot: Spot {
                    segment: branch.segment,
                    ..Spot::line(input.name, branch.line)
                },
                value: JValue::object(value),
            }));
        }
        Err(fault) => each(Err(unread(input, fault))),
    });
    ended.map_err(|fault| unread(input, fault))
}

/// A file that announces its end is read to its end before anything is made of it.
fn check_whole(file: &File, table: &Table, input: &Input<'_>) -> Result<(), Unread> {
    if !table.counts_itself() {
        return Ok(());
    }
    let mut reader = open(file, table, input)?;
    while let Some(row) = reader.next_row() {
        if let Err((_, fault)) = row
            && fault.ends
        {
            return Err(unread(input, fault));
        }
    }
    Ok(())
}

fn open<'a>(file: &File, table: &Table, input: &Input<'a>) -> Result<Box<dyn Rows + 'a>, Unread> {
    let bytes = (input.open)().map_err(|error| unread(input, Fault::unreadable(&error)))?;
    let reader = table.open(bytes).map_err(|fault| unread(input, fault))?;
    let wanted = file
        .columns
        .iter()
        .chain(file.of.keys())
        .chain(&file.group_by);
    let missing: Vec<&str> = wanted
        .filter(|name| !reader.columns().contains(name))
        .map(String::as_str)
        .collect();
    if missing.is_empty() {
        return Ok(reader);
    }
    let message = format!(
        "the columns {} are missing; the file has {}",
        missing.join(", "),
        reader.columns().join(", ")
    );
    Err(unread(input, Fault::end("csv_columns", 1, message)))
}

fn unread(input: &Input<'_>, fault: Fault) -> Unread {
    Unread {
        code: fault.code,
        spot: Spot {
            file: input.name.to_owned(),
            line: fault.line,
            segment: fault.segment,
            column: fault.column,
        },
        message: fault.message,
        ends: fault.ends,
    }
}

fn join(
    role: &str,
    file: &File,
    table: &Table,
    input: &Input<'_>,
    each: &mut dyn FnMut(Result<Document, Unread>),
) -> Result<Joined, Unread> {
    let mut reader = open(file, table, input)?;
    let heads = Heads::new(reader.as_ref(), input);
    let own: Vec<usize> = file.of.keys().filter_map(|name| heads.at(name)).collect();
    let mut joined = Joined {
        role: role.to_owned(),
        by: file.of.values().cloned().collect(),
        rows: BTreeMap::new(),
        broken: BTreeMap::new(),
    };
    let mut bytes = 0;
    while let Some(row) = reader.next_row() {
        match row {
            Ok(row) => {
                bytes += row.cells.as_slice().len() + 16 * row.cells.len();
                if bytes > MOST_JOINED_BYTES {
                    let message = format!(
                        "more than {} MB to be joined: send fewer documents in a file",
                        MOST_JOINED_BYTES >> 20
                    );
                    return Err(unread(input, Fault::end("join_limit", row.line, message)));
                }
                let rows = joined.rows.entry(key(&row, &own)).or_default();
                rows.push(JValue::object(heads.object(&row)));
            }
            Err((row, fault)) => {
                let of = row.map(|row| key(&row, &own));
                let fault = unread(input, fault);
                if fault.ends {
                    return Err(fault);
                }
                each(Err(fault.clone()));
                if let Some(of) = of {
                    joined.broken.insert(of, fault);
                }
            }
        }
    }
    Ok(joined)
}

fn key(row: &Row, columns: &[usize]) -> Key {
    let cells = columns
        .iter()
        .map(|at| row.cells.get(*at).unwrap_or_default());
    cells.map(|cell| cell.trim().to_owned()).collect()
}

/// Rows of one document, while they come.
struct Group {
    key: Key,
    line: u64,
    first: IndexMap<String, JValue>,
    rows: Vec<JValue>,
    broken: Option<Unread>,
    /// What a row says otherwise than the first, by column.
    differs: IndexMap<String, String>,
}

impl Group {
    /// Notes where a row says something else than the first; a cell that is left blank says nothing.
    fn compare(&mut self, row: &Row, same: &[(usize, &str)]) {
        for (at, name) in same {
            let cell = row.cells.get(*at).unwrap_or_default().trim();
            let first = self.first.get(*name).and_then(JValue::as_str);
            if cell.is_empty() || first == Some(cell) || self.differs.contains_key(*name) {
                continue;
            }
            let first = match first {
                Some(first) => format!("`{first}`"),
                None => "nothing".to_owned(),
            };
            let said = format!(
                "`{name}` is {first} in line {} and `{cell}` in line {}",
                self.line, row.line
            );
            self.differs.insert((*name).to_owned(), said);
        }
    }

    fn disagreement(&self) -> Option<String> {
        let said: Vec<&str> = self.differs.values().map(String::as_str).collect();
        (!said.is_empty()).then(|| {
            format!(
                "nothing is made of the document, for its rows must say the same in what is read of it as a whole: {}. Have it sent right, or name the column in `differ` of the feed where the first row may speak for all",
                said.join("; ")
            )
        })
    }
}

fn lead(
    file: &File,
    table: &Table,
    input: &Input<'_>,
    joined: &mut [Joined],
    each: &mut dyn FnMut(Result<Document, Unread>),
) -> Result<(), Unread> {
    let mut reader = open(file, table, input)?;
    let heads = Heads::new(reader.as_ref(), input);
    let by: Vec<usize> = file
        .group_by
        .iter()
        .filter_map(|name| heads.at(name))
        .collect();
    let same = file.same.iter();
    let same: Vec<(usize, &str)> = same
        .filter_map(|name| Some((heads.at(name)?, name.as_str())))
        .collect();
    let mut group: Option<Group> = None;
    while let Some(row) = reader.next_row() {
        let (row, broken) = match row {
            Ok(row) => (row, None),
            Err((row, fault)) => {
                let fault = unread(input, fault);
                each(Err(fault.clone()));
                if fault.ends {
                    // Whether the group goes on behind it nobody knows.
                    if let Some(group) = &mut group {
                        group.broken = Some(fault);
                    }
                    break;
                }
                match row {
                    // Of a group that lost a row nothing is made.
                    Some(row) if !by.is_empty() => (row, Some(fault)),
                    Some(_) | None => continue,
                }
            }
        };
        let of = key(&row, &by);
        if let Some(group) = group.as_mut().filter(|group| group.key == of) {
            if broken.is_some() {
                group.broken = broken;
            } else {
                group.compare(&row, &same);
                group.rows.push(JValue::object(heads.object(&row)));
            }
            continue;
        }
        if let Some(done) = group.take() {
            finish(done, input, joined, each, true);
        }
        let first = heads.object(&row);
        let next = Group {
            key: of,
            line: row.line,
            rows: vec![JValue::object(first.clone())],
            first,
            broken,
            differs: IndexMap::new(),
        };
        if by.is_empty() {
            finish(next, input, joined, each, false);
        } else {
            group = Some(next);
        }
    }
    if let Some(done) = group {
        finish(done, input, joined, each, true);
    }
    Ok(())
}

fn finish(
    group: Group,
    input: &Input<'_>,
    joined: &mut [Joined],
    each: &mut dyn FnMut(Result<Document, Unread>),
    grouped: bool,
) {
    let spot = Spot::line(input.name, group.line);
    let disagreement = group.disagreement();
    let mut value = group.first;
    let mut broken = group.broken;
    for other in joined {
        let cells = other.by.iter().map(|name| {
            let cell = value.get(name).and_then(JValue::as_str).unwrap_or_default();
            cell.to_owned()
        });
        let key: Key = cells.collect();
        broken = broken.or_else(|| other.broken.get(&key).cloned());
        let rows = other.rows.remove(&key).unwrap_or_default();
        value.insert(other.role.clone(), JValue::array(rows));
    }
    if grouped {
        value.insert("rows".to_owned(), JValue::array(group.rows));
    }
    each(match (broken, disagreement) {
        (Some(row), _) => Err(Unread {
            code: "document_incomplete",
            message: format!(
                "nothing is made of the document, for one of its rows cannot be read: {row}"
            ),
            spot,
            ends: false,
        }),
        (None, Some(message)) => Err(Unread {
            code: "document_differs",
            message,
            spot,
            ends: false,
        }),
        (None, None) => Ok(Document {
            spot,
            value: JValue::object(value),
        }),
    });
}

/// The columns of a file, and its rows as objects: what is blank is left out.
struct Heads {
    columns: Vec<String>,
    file: Rc<str>,
}

impl Heads {
    fn new(reader: &dyn Rows, input: &Input<'_>) -> Self {
        Self {
            columns: reader.columns().to_vec(),
            file: Rc::from(input.name),
        }
    }

    fn at(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column == name)
    }

    fn object(&self, row: &Row) -> IndexMap<String, JValue> {
        let mut object = IndexMap::with_capacity(self.columns.len() + 2);
        for (name, cell) in self.columns.iter().zip(row.cells.iter()) {
            // Legacy systems fill cells up with blanks.
            let cell = cell.trim();
            if !cell.is_empty() {
                object.insert(name.clone(), JValue::from(cell));
            }
        }
        object.insert(FILE.to_owned(), JValue::from(Rc::clone(&self.file)));
        object.insert(LINE.to_owned(), JValue::from(row.line.to_string()));
        object
    }
}

/// Where a row or a part of a document stands.
pub(crate) fn spot_of(row: &JValue, document: &Spot) -> Spot {
    let text = |name: &str| row.get(name).and_then(JValue::as_str);
    let number = |name: &str| text(name).and_then(|text| text.parse().ok());
    Spot {
        file: text(FILE).unwrap_or(&document.file).to_owned(),
        line: number(LINE).unwrap_or(document.line),
        segment: number(SEGMENT).or(document.segment),
        column: None,
    }
}
