//! The text of a drafted feed.

mod facts;

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::column::{ColumnReport, Kind};
use super::super::role::{Likely, Role, is_called_a_number};
use super::super::{Profiles, TableReport};
use super::{DraftFile, Known, path, pattern, quoted, scalar};
use crate::table::clean;

/// A column, and how an expression names it.
type Found<'p> = Option<(&'p ColumnReport, String)>;

/// Writes a feed.
pub(super) struct Writer<'p> {
    profiles: &'p Profiles,
    known: &'p Known<'p>,
    files: Vec<DraftFile>,
    /// What a document says once.
    header: &'p TableReport,
    /// Its lines: the same rows in a table.
    lines: &'p TableReport,
    /// Whether documents are trees, whose parts have paths.
    is_tree: bool,
    /// Whether several rows are one document.
    is_grouped: bool,
    text: String,
    missing: Vec<&'static str>,
    /// Columns that a field was found in.
    used: BTreeSet<String>,
}

/// Stands for what is said of columns whose rows disagree, until it is known which ones are read.
pub(super) const DIFFERS: &str = "    # @rows that disagree@";

/// Stands for the columns of a file until all fields are written.
fn marker(file: usize) -> String {
    format!("@columns of file {file}@")
}

fn as_is(_: &ColumnReport, path: &str) -> String {
    path.to_owned()
}

impl<'p> Writer<'p> {
    pub(super) fn new(
        profiles: &'p Profiles,
        known: &'p Known<'p>,
        files: Vec<DraftFile>,
        header: &'p TableReport,
        lines: &'p TableReport,
    ) -> Self {
        let format = files
            .first()
            .and_then(|file| profiles.files.get(file.index))
            .and_then(|profile| profile.format.as_ref());
        let is = |kind: &str| format.is_some_and(|format| format.get(kind).is_some());
        let has_records = format.is_some_and(|format| format.pointer("/fixed/records").is_some());
        Self {
            profiles,
            known,
            files,
            header,
            lines,
            is_tree: !(is("delimited") || is("sheet") || is("fixed")) || has_records,
            is_grouped: false,
            text: String::new(),
            missing: Vec::new(),
            used: BTreeSet::new(),
        }
    }

    /// What was written.
    pub(super) fn done(mut self) -> (String, Vec<&'static str>, Vec<DraftFile>) {
        for file in &self.files {
            let profile = self.profiles.files.get(file.index);
            let table = profile.and_then(|profile| profile.tables.first());
            let columns = table.into_iter().flat_map(|table| &table.columns);
            let names = columns.map(|column| column.name.as_str());
            let used: Vec<&str> = names.filter(|name| self.used.contains(*name)).collect();
            let used = serde_json::to_string(&used).unwrap_or_default();
            self.text = self.text.replace(&marker(file.index), &used);
        }
        (self.text, self.missing, self.files)
    }

    /// Finds the column by which rows are one document.
    pub(super) fn group(&mut self, fact: Option<Likely>) {
        let column = self.number(fact).map(|column| column.name.clone());
        let lines_apart = self.files.iter().any(|file| file.of.is_some());
        if self.is_tree || lines_apart {
            return;
        }
        self.is_grouped = column.is_some();
        if let Some(file) = self.files.first_mut() {
            file.group = column;
        }
    }

    /// The column with the number of a document.
    fn number(&self, fact: Option<Likely>) -> Option<&'p ColumnReport> {
        let roles: &[Role] = match fact {
            Some(Likely::Order) => &[Role::OrderNumber],
            Some(Likely::Receipt) => &[Role::ReceiptNumber, Role::ShipmentNumber],
            Some(Likely::Invoice) => &[Role::InvoiceNumber],
            None => &[Role::OrderNumber, Role::ReceiptNumber, Role::InvoiceNumber],
        };
        let named = roles.iter().find_map(|role| self.header.about(*role));
        let mut columns = self.header.columns.iter();
        // Of a document by itself that is its number which nothing else is called by.
        let keys = &self.header.keys.keys;
        named
            .or_else(|| {
                columns.find(|column| {
                    column.role.is_none()
                        && is_called_a_number(&column.name)
                        && keys
                            .iter()
                            .any(|key| key.as_slice() == [column.name.clone()])
                })
            })
            .or_else(|| {
                let deciding = self.header.keys.deciding.first()?;
                let mut columns = self.header.columns.iter();
                columns.find(|column| column.name == deciding.column)
            })
    }

    pub(super) fn head(&mut self, fact: Option<Likely>, likely: &[Likely]) {
        let named = self
            .files
            .iter()
            .filter_map(|file| self.profiles.files.get(file.index));
        let names: Vec<&str> = named.map(|profile| profile.file.name.as_str()).collect();
        let names = names.join(", ");
        let others = likely.iter().filter(|other| Some(**other) != fact);
        let others: Vec<&str> = others.map(|other| other.words()).collect();
        self.line(&format!(
            "# Drafted from {names} by `interplant plant profile`. What is marked with `?` is guessed, with `!` to be settled first."
        ));
        if !others.is_empty() {
            self.line(&format!(
                "# ? It may be about {} as well.",
                others.join(" and ")
            ));
        }
        let words = fact.map_or("a file", Likely::words);
        let (first, rest) = words.split_at_checked(1).unwrap_or((words, ""));
        let about = format!("{}{rest} from {names}", first.to_uppercase());
        self.line(&format!("about: {}", scalar(&about)));
        self.line("system: erp # ? which system of the plant speaks: `source` becomes urn:plant:<code>:erp");
        let document = self.number(fact).map_or("\"1\"".to_owned(), |column| {
            path(&column.name, self.is_tree)
        });
        self.line(&format!(
            "document: {} # the number of a document",
            scalar(&document)
        ));
        self.line("\nfiles:");
        for file in self.files.clone() {
            self.file(&file);
        }
        if self.known.with_lookup {
            self.line("\nlookups:");
            self.line("  units: { file: lookups/units.csv, key: code } # how units are written, and which one is meant");
        }
        self.line("");
    }

    fn file(&mut self, file: &DraftFile) {
        let Some(profile) = self.profiles.files.get(file.index) else {
            return;
        };
        self.line(&format!("  {}:", file.role));
        self.line(&format!(
            "    name: {} # ? `*` stands for anything",
            scalar(&pattern(&profile.file.name))
        ));
        let format = profile.format.as_ref().and_then(Value::as_object);
        if let Some((kind, settings)) = format.and_then(|format| format.iter().next()) {
            self.line(&format!("    {kind}: {settings}"));
        }
        if profile.unread.count > 0 {
            self.line(&format!(
                "    # ! {} rows cannot be read: run the profile to see them.",
                profile.unread.count
            ));
        }
        let Some(table) = profile.tables.first().filter(|_| !self.is_tree) else {
            return;
        };
        if file.key.is_none() {
            self.line(&format!(
                "    columns: {} # must be there",
                marker(file.index)
            ));
        }
        if let Some((own, leading)) = &file.of {
            self.line(&format!(
                "    of: {{ {}: {} }} # ? a row belongs to the document with the same",
                quoted(own),
                quoted(leading)
            ));
        }
        if let Some(key) = &file.key {
            let columns: Vec<&str> = table
                .columns
                .iter()
                .map(|column| column.name.as_str())
                .collect();
            self.line(&format!(
                "    key: {} # ? a table of codes: $table({}, <code>, <one of {}>)",
                scalar(key),
                quoted(&file.role),
                columns.join(", ")
            ));
        }
        let group = table
            .columns
            .iter()
            .find(|column| file.group.as_ref() == Some(&column.name));
        if let Some(column) = group {
            self.group_by(column);
        }
    }

    fn group_by(&mut self, column: &ColumnReport) {
        self.line(&format!(
            "    group_by: [{}] # rows that follow each other with the same are one document",
            quoted(&column.name)
        ));
        let deciding = self
            .header
            .keys
            .deciding
            .iter()
            .find(|deciding| deciding.column == column.name);
        if deciding.is_some_and(|deciding| deciding.together == Some(false)) {
            self.line("    # ! Its rows do not all follow each other: one document would become several. Have the extract sorted by it.");
        }
        if column.written_once {
            self.line("    # ! It is written once and left blank in the rows below: have it written in every row.");
        }
        self.line(DIFFERS);
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// A column of what documents say once.
    fn of_header(&self, role: Role) -> Found<'p> {
        let column = self.header.about(role)?;
        Some((column, path(&column.name, self.is_tree)))
    }

    /// A column of lines, or of the document that they are in.
    fn of_line(&self, role: Role) -> Found<'p> {
        if let Some(column) = self.lines.about(role) {
            return Some((column, path(&column.name, self.is_tree)));
        }
        let (column, path) = self.of_header(role)?;
        Some((column, format!("document.{path}")))
    }

    /// The day of a document: a column that is called so, else the only one that is a day and nothing else.
    fn day_of(&self, role: Role) -> Found<'p> {
        if let Some(found) = self.of_header(role) {
            return Some(found);
        }
        let deciding = self.header.keys.deciding.iter();
        let differs = |column: &ColumnReport| {
            let mut beside = deciding.clone().filter(|deciding| {
                let group = self.files.first().and_then(|file| file.group.as_ref());
                group == Some(&deciding.column)
            });
            beside.any(|deciding| deciding.beside.contains(&column.name))
        };
        let mut days =
            self.header.columns.iter().filter(|column| {
                column.days.is_some() && column.role.is_none() && !differs(column)
            });
        let (only, none) = (days.next(), days.next());
        only.filter(|_| none.is_none())
            .map(|column| (column, path(&column.name, self.is_tree)))
    }

    /// The number of a document.
    fn number_of(&self, fact: Likely, role: Role) -> Found<'p> {
        self.of_header(role).or_else(|| {
            let column = self
                .number(Some(fact))
                .filter(|column| column.role.is_none())?;
            Some((column, path(&column.name, self.is_tree)))
        })
    }

    /// A field that a column was found for.
    fn field(&mut self, indent: usize, name: &str, column: &ColumnReport, expression: &str) {
        self.used.insert(column.name.clone());
        let mut note = format!("? {}, {}", column.name, column.kind.word());
        let mut mark = "";
        if let Some(numbers) = &column.numbers {
            if numbers.ambiguous {
                mark = "! it does not show whether `.` and `,` stand before decimals or between thousands; ";
            }
            if !numbers.strays.is_empty() {
                mark = "! some rows are no numbers; ";
            }
            note.push_str(&format!(" from {} to {}", numbers.least, numbers.greatest));
        }
        if let Some(days) = &column.days {
            if let Some(other) = &days.ambiguous {
                mark = "! may as well be the other way round: ";
                note.push_str(&format!(" ({other})"));
            } else if days.formats.len() > 1 {
                mark = "! several writings; ";
            }
            note.push_str(&format!(" from {} to {}", days.first, days.last));
        }
        if !column.same_units.is_empty() {
            mark = "! several writings of one unit: a lookup makes them one; ";
        }
        let comment = clean(&format!("{mark}{note}"));
        let line = format!("{:indent$}{name}: {} # {comment}", "", scalar(expression));
        self.line(&line);
    }

    /// A field that must be there and that no column was found for.
    fn absent(&mut self, indent: usize, name: &'static str, what: &str) {
        self.missing.push(name);
        let says = quoted(&format!("{name} is not mapped yet: {what}"));
        let line = format!(
            "{:indent$}{name}: {} # !",
            "",
            scalar(&format!("$error({says})"))
        );
        self.line(&line);
    }

    fn required(
        &mut self,
        indent: usize,
        name: &'static str,
        found: Found<'p>,
        how: fn(&ColumnReport, &str) -> String,
        what: &str,
    ) {
        match found {
            Some((column, path)) => self.field(indent, name, column, &how(column, &path)),
            None => self.absent(indent, name, what),
        }
    }

    fn optional(
        &mut self,
        indent: usize,
        name: &str,
        found: Found<'p>,
        how: fn(&ColumnReport, &str) -> String,
    ) {
        if let Some((column, path)) = found {
            self.field(indent, name, column, &how(column, &path));
        }
    }

    fn time(&mut self, found: Found<'p>) {
        let zone = quoted(self.known.zone);
        let Some((column, path)) = found else {
            self.missing.push("time");
            let error = "$error(\"time is not mapped yet: when it happened\")";
            let line = format!("    time: {} # !", scalar(error));
            self.line(&line);
            return;
        };
        let format = column
            .days
            .as_ref()
            .map_or("%Y-%m-%d", |days| days.format());
        let expression = if format.ends_with("%:z") {
            path
        } else if column.kind == Kind::Moment || format.contains("%H") {
            format!("$moment({path}, {}, {zone})", quoted(format))
        } else {
            format!(
                "$moment({path} & \" 12\", {}, {zone})",
                quoted(&format!("{format} %H"))
            )
        };
        self.field(4, "time", column, &expression);
    }
}
