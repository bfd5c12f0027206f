//! A feed that would read a file, as far as that can be guessed; each guess is marked.

mod write;

use interplant_domain::identifier::PlantCode;
use interplant_mapping::feed::{Bundle, Feed};
use serde_json::Value;

use super::column::ColumnReport;
use super::role::{self, Likely, Role};
use super::unit::Unit;
use super::{Profiles, TableReport};
use crate::Failure;
use write::{DIFFERS, Writer};

/// A drafted feed.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    /// The feed as YAML.
    pub(crate) text: String,
    /// What it could be called.
    pub(crate) name: &'static str,
    /// Fields that a fact must have and that no column was found for.
    pub(crate) missing: Vec<&'static str>,
    /// The files that it reads, the leading one first.
    pub(crate) files: Vec<DraftFile>,
    /// Units that were found.
    pub(crate) units: Vec<Unit>,
}

/// One of the files of a drafted feed.
#[derive(Debug, Clone, Default)]
pub(crate) struct DraftFile {
    /// Which of the files that were looked at, from 0.
    pub(crate) index: usize,
    /// What it is called in the feed.
    pub(crate) role: String,
    /// The column by which its rows are one document.
    pub(crate) group: Option<String>,
    /// Its column, and that of the leading file, by which a row belongs to a document.
    pub(crate) of: Option<(String, String)>,
    /// The column by which its rows are found: a table of codes that comes along.
    pub(crate) key: Option<String>,
    /// Where its keys are used: the file's place among these, and the column there.
    pub(crate) used_by: Vec<(usize, String)>,
}

/// What is not in the files.
#[derive(Debug, Clone)]
pub(crate) struct Known<'k> {
    /// What they are about, where a person says so.
    pub(crate) fact: Option<Likely>,
    /// The plant's time zone.
    pub(crate) zone: &'k str,
    /// The currency, where the files name none.
    pub(crate) currency: Option<&'k str>,
    /// Whether a lookup of units comes with the feed, with the units that were found: [`unit_lookup`].
    pub(crate) with_lookup: bool,
}

/// Units as they are written, each with the one writing of it that is kept: the most frequent.
pub(crate) fn unit_lookup(units: &[Unit]) -> Vec<(String, String)> {
    let kept = |unit: &Unit| {
        let same = units
            .iter()
            .find(|other| unit.code.is_some() && other.code == unit.code);
        same.unwrap_or(unit).written.clone()
    };
    units
        .iter()
        .map(|unit| (unit.written.clone(), kept(unit)))
        .collect()
}

/// Drafts a feed.
///
/// # Errors
/// When the files have nothing that a feed could read.
pub(crate) fn draft(profiles: &Profiles, known: &Known<'_>) -> Result<Draft, Failure> {
    let nothing =
        || Failure("no feed can be drafted: nothing of the file could be read".to_owned());
    let files = files(profiles);
    let leading = files
        .first()
        .and_then(|file| profiles.files.get(file.index))
        .ok_or_else(nothing)?;
    let header = leading.tables.first().ok_or_else(nothing)?;
    let lines_file = files.iter().find(|file| file.of.is_some());
    let lines = match lines_file {
        Some(file) => profiles
            .files
            .get(file.index)
            .and_then(|profile| profile.tables.first()),
        None => leading
            .tables
            .iter()
            .rev()
            .max_by_key(|table| about_lines(table))
            .filter(|lines| about_lines(lines) > 0),
    };
    let lines = lines.unwrap_or(header);
    let mut roles: Vec<Role> = header
        .columns
        .iter()
        .filter_map(|column| column.role)
        .collect();
    roles.extend(lines.columns.iter().filter_map(|column| column.role));
    let likely = role::likely(&roles);
    let fact = known.fact.or(likely.first().copied());
    let mut writer = Writer::new(profiles, known, files, header, lines);
    writer.group(fact);
    writer.head(fact, &likely);
    match fact {
        Some(Likely::Order) => writer.order(),
        Some(Likely::Receipt) => writer.receipt(),
        Some(Likely::Invoice) => writer.invoice(),
        None => writer.none(),
    }
    let units = lines.columns.iter().find_map(|column| column.units.clone());
    let (text, missing, files) = writer.done();
    let mut draft = Draft {
        name: match fact {
            Some(Likely::Order) => "purchase-orders",
            Some(Likely::Receipt) => "goods-receipts",
            Some(Likely::Invoice) => "invoices",
            None => "extract",
        },
        missing,
        files,
        units: units.unwrap_or_default(),
        text,
    };
    let feed = check(&draft)?;
    let said = disagreeing(&feed, header, draft.files.first());
    draft.text = draft.text.replace(&format!("{DIFFERS}\n"), &said);
    Ok(draft)
}

/// What is to be settled of columns that are read once for a document and whose rows disagree.
fn disagreeing(feed: &Feed, header: &TableReport, file: Option<&DraftFile>) -> String {
    let group = file.and_then(|file| file.group.as_ref());
    let deciding = header.keys.deciding.iter();
    let beside = deciding
        .filter(|deciding| Some(&deciding.column) == group)
        .flat_map(|deciding| &deciding.beside);
    let read = feed.same();
    let differ: Vec<&String> = beside
        .filter(|column| read.contains(&column.as_str()))
        .collect();
    if differ.is_empty() {
        return String::new();
    }
    let list = serde_json::to_string(&differ).unwrap_or_default();
    format!(
        "    # ! Rows of a document disagree in {list}: such a document is refused. Have it sent right, map it from lines, or write\n    # differ: {list} # the first row speaks for all\n"
    )
}

/// How much speaks for a table being the lines of documents.
fn about_lines(table: &TableReport) -> usize {
    let about = [
        Role::Item,
        Role::Quantity,
        Role::QuantityReceived,
        Role::Price,
    ];
    about
        .iter()
        .filter(|role| table.about(**role).is_some())
        .count()
}

/// Which file leads, which has its lines, and which are tables of codes.
fn files(profiles: &Profiles) -> Vec<DraftFile> {
    let first = |index: usize| {
        let profile = profiles.files.get(index)?;
        profile.tables.first()
    };
    let numbers = [Role::OrderNumber, Role::ReceiptNumber, Role::InvoiceNumber];
    let is_number = |index: usize, column: &str| {
        let table = first(index);
        table.is_some_and(|table| {
            let mut columns = table.columns.iter();
            columns.any(|known| {
                known.name == column && known.role.is_some_and(|role| numbers.contains(&role))
            })
        })
    };
    let references = &profiles.between.references;
    let joined = references
        .iter()
        .filter(|reference| is_number(reference.to, &reference.to_column))
        .max_by_key(|reference| first(reference.from).map_or(0, about_lines));
    let leading = match joined {
        Some(joined) => joined.to,
        None => (0..profiles.files.len())
            .rev()
            .max_by_key(|index| first(*index).map_or(0, about_lines))
            .unwrap_or_default(),
    };
    let mut files = vec![DraftFile {
        index: leading,
        role: if joined.is_some() { "headers" } else { "rows" }.to_owned(),
        ..DraftFile::default()
    }];
    if let Some(joined) = joined {
        files.push(DraftFile {
            index: joined.from,
            role: "lines".to_owned(),
            of: Some((joined.from_column.clone(), joined.to_column.clone())),
            ..DraftFile::default()
        });
    }
    for reference in references {
        let Some(place) = files
            .iter()
            .position(|file| file.index == reference.from && file.key.is_none())
        else {
            continue;
        };
        let used = (place, reference.from_column.clone());
        let known = files.iter_mut().find(|file| file.index == reference.to);
        match known {
            Some(known) if known.key.as_ref() == Some(&reference.to_column) => {
                known.used_by.push(used);
            }
            Some(_) => {}
            None => files.push(DraftFile {
                index: reference.to,
                role: role_of(&reference.to_file),
                key: Some(reference.to_column.clone()),
                used_by: vec![used],
                ..DraftFile::default()
            }),
        }
    }
    files
}

/// A name for a table of codes, by that of its file.
fn role_of(file: &str) -> String {
    let stem = file.split('.').next().unwrap_or_default();
    let letters = stem.chars().filter(char::is_ascii_alphabetic);
    let role: String = letters.map(|letter| letter.to_ascii_lowercase()).collect();
    if role.is_empty() || ["rows", "headers", "lines"].contains(&role.as_str()) {
        format!("codes{role}")
    } else {
        role
    }
}

/// What is drafted can be read as a feed.
fn check(draft: &Draft) -> Result<Feed, Failure> {
    let path = format!("draft/feeds/{}.yaml", draft.name);
    let files = [
        (path.clone(), draft.text.clone().into_bytes()),
        (
            "draft/lookups/units.csv".to_owned(),
            b"code,unit\n".to_vec(),
        ),
    ];
    let files = files.into();
    let plant: PlantCode = "draft".parse()?;
    let read = Feed::read(&Bundle { files }, &plant, &path);
    read.map_err(|mistake| {
        format!("the draft is no feed; this is a fault of ours: {mistake}").into()
    })
}

/// A name as JSONata writes it.
fn path(name: &str, is_tree: bool) -> String {
    let quoted = |part: &str| {
        let plain = part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && ![
                "and", "or", "in", "true", "false", "null", "function", "document", "position",
            ]
            .contains(&part);
        if plain {
            part.to_owned()
        } else {
            format!("`{part}`")
        }
    };
    if is_tree {
        name.split('.').map(quoted).collect::<Vec<_>>().join(".")
    } else {
        quoted(name)
    }
}

/// A text as YAML writes it.
pub(crate) fn scalar(text: &str) -> String {
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '$')
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.ends_with([':', ' '])
        && !text.chars().any(char::is_control)
        && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
            .contains(&text.to_lowercase().as_str());
    if plain {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "''"))
    }
}

fn quoted(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

/// A day as a mapping reads it.
fn day(column: &ColumnReport, path: &str) -> String {
    let format = column
        .days
        .as_ref()
        .map_or("%Y-%m-%d", |days| days.format());
    format!("$day({path}, {})", quoted(format))
}

/// A number as a mapping reads it.
fn amount(column: &ColumnReport, path: &str) -> String {
    let writing = column.numbers.as_ref().and_then(|numbers| numbers.writing);
    match writing {
        Some(writing) => match (writing.point, writing.group) {
            ('.', None) => format!("$dec({path})"),
            (point, None) => format!("$dec({path}, {})", quoted(&point.to_string())),
            (point, Some(group)) => format!(
                "$dec({path}, {}, {})",
                quoted(&point.to_string()),
                quoted(&group.to_string())
            ),
        },
        None => format!("$dec({path})"),
    }
}

/// A file's name with `*` for what changes from one to the next: its digits.
fn pattern(name: &str) -> String {
    let mut pattern = String::new();
    for letter in name.chars() {
        if letter.is_ascii_digit() {
            if !pattern.ends_with('*') {
                pattern.push('*');
            }
        } else {
            pattern.push(letter);
        }
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_as_jsonata_and_yaml_take_them() {
        assert_eq!(path("OrderNo", false), "OrderNo");
        assert_eq!(path("N. Ordine", false), "`N. Ordine`");
        assert_eq!(path("head.Order-No", true), "head.`Order-No`");
        assert_eq!(path("in", false), "`in`");
        assert_eq!(scalar("`N. Ordine`"), "'`N. Ordine`'");
        assert_eq!(scalar("$dec(`Q.tà`, \",\")"), "$dec(`Q.tà`, \",\")");
        assert_eq!(scalar("it's: so"), "'it''s: so'");
    }

    #[test]
    fn what_changes_in_a_name_is_anything() {
        assert_eq!(pattern("ORDINI_20261123.csv"), "ORDINI_*.csv");
        assert_eq!(pattern("orders.csv"), "orders.csv");
    }
}
