//! A feed: which files of a plant belong together, and how they become facts.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use indexmap::IndexMap;
use interplant_domain::fact::FactKind;
use interplant_domain::identifier::{PlantCode, sha256_hex};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_saphyr::Spanned;

use crate::delimited::Delimited;
use crate::edifact::Edifact;
use crate::expression::{Expression, Input};
use crate::fixed::Fixed;
use crate::format::{Format, Table, Tree};
use crate::json::Json;
use crate::lookup::Lookup;
use crate::mapper::Made;
use crate::place::{Mistake, Place};
use crate::sheet::Sheet;
use crate::x12::X12;
use crate::xml::Xml;

/// The files of a plant's configuration by their path below `plants/`, such as `plant-b/feeds/orders.yaml`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bundle {
    /// What each file holds.
    pub files: BTreeMap<String, Vec<u8>>,
}

impl Bundle {
    pub(crate) fn text(&self, path: &str) -> Result<&str, Mistake> {
        let place = Place::of(path);
        let bytes = self
            .files
            .get(path)
            .ok_or_else(|| place.mistake("there is no such file in the plants' folder"))?;
        std::str::from_utf8(bytes).map_err(|_| place.mistake("the file is not UTF-8"))
    }

    /// Paths of the feeds of a plant.
    #[must_use]
    pub fn feeds(&self, plant: &PlantCode) -> Vec<String> {
        self.yaml_below(&format!("{plant}/feeds/"))
    }

    pub(crate) fn yaml_below(&self, folder: &str) -> Vec<String> {
        let paths = self.files.keys().filter(|path| {
            path.starts_with(folder)
                && std::path::Path::new(path)
                    .extension()
                    .is_some_and(|end| end == "yaml")
        });
        paths.cloned().collect()
    }
}

/// A feed that is ready to map.
#[derive(Debug, Clone)]
pub struct Feed {
    /// Its name.
    pub name: String,
    /// What it is, for people.
    pub about: String,
    pub(crate) plant: PlantCode,
    pub(crate) files: IndexMap<String, File>,
    pub(crate) columns: IndexMap<String, Expression>,
    pub(crate) document: Expression,
    pub(crate) events: Vec<EventMapping>,
    pub(crate) lookups: Arc<BTreeMap<String, Lookup>>,
    /// SHA-256 over everything that decides what comes out.
    pub hash: String,
}

/// One of the files that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct File {
    pub(crate) name: Pattern,
    pub(crate) format: Format,
    /// Columns that must be there.
    pub(crate) columns: Vec<String>,
    /// Column by column, what makes a row part of a document of the first file.
    pub(crate) of: IndexMap<String, String>,
    /// Columns whose values are the same in rows that are one document.
    pub(crate) group_by: Vec<String>,
    /// Columns that are read once for all rows of a document, and must say the same in each.
    pub(crate) same: Vec<String>,
    /// The column by which `$table` finds its rows: a lookup that comes with the documents.
    pub(crate) key: Option<String>,
}

/// A file name in which `*` stands for anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern(String);

impl Pattern {
    /// Whether a name is meant; letter case counts.
    pub(crate) fn fits(&self, name: &str) -> bool {
        self.stars(name).is_some()
    }

    /// What each `*` stands for in a name; none where another name is meant.
    pub(crate) fn stars<'n>(&self, name: &'n str) -> Option<Vec<&'n str>> {
        let mut parts = self.0.split('*');
        let mut rest = parts.next().and_then(|start| name.strip_prefix(start))?;
        let mut stars = Vec::new();
        let mut last = None;
        for part in parts {
            if let Some(before) = last.replace(part) {
                let (star, after) = rest.split_once(before)?;
                stars.push(star);
                rest = after;
            }
        }
        match last {
            None => rest.is_empty().then_some(stars),
            Some(end) => {
                stars.push(rest.strip_suffix(end)?);
                Some(stars)
            }
        }
    }
}

/// How a kind of fact is made.
#[derive(Debug, Clone)]
pub(crate) struct EventMapping {
    pub(crate) name: String,
    pub(crate) kind: FactKind,
    pub(crate) system: String,
    pub(crate) when: Option<Expression>,
    /// One fact for each of these; else one for the document.
    pub(crate) each: Option<Expression>,
    pub(crate) time: Expression,
    pub(crate) data: IndexMap<String, Field>,
}

/// Where the value of a field comes from.
#[derive(Debug, Clone)]
pub(crate) enum Field {
    Value {
        expression: Expression,
        /// Whether it is an amount: text of an exact decimal.
        exact: bool,
    },
    Constant(String),
    Object(IndexMap<String, Self>),
    List {
        each: Expression,
        when: Option<Expression>,
        fields: IndexMap<String, Self>,
    },
}

#[derive(Debug, Clone, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct FeedText {
    extends: Option<Spanned<String>>,
    about: Option<String>,
    system: Option<String>,
    document: Option<At>,
    files: IndexMap<String, FileText>,
    lookups: IndexMap<String, LookupText>,
    columns: IndexMap<String, At>,
    events: IndexMap<String, EventText>,
    #[serde(skip)]
    file: String,
}

/// An expression with its place; the file is known once the whole text is read.
#[derive(Debug, Clone)]
pub(crate) struct At {
    pub(crate) source: String,
    pub(crate) place: Place,
}

impl<'de> Deserialize<'de> for At {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<String>::deserialize(deserializer)?;
        Ok(Self {
            place: Place {
                file: String::new(),
                line: spanned.referenced.line(),
                column: spanned.referenced.column(),
            },
            source: spanned.value,
        })
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileText {
    name: String,
    delimited: Option<Delimited>,
    fixed: Option<Fixed>,
    sheet: Option<Sheet>,
    xml: Option<Xml>,
    json: Option<Json>,
    x12: Option<X12>,
    edifact: Option<Edifact>,
    #[serde(default)]
    columns: Vec<String>,
    #[serde(default)]
    of: IndexMap<String, String>,
    #[serde(default)]
    group_by: Vec<String>,
    #[serde(default)]
    differ: Vec<String>,
    #[serde(default)]
    key: Option<String>,
}

impl FileText {
    /// The one format that is named; CSV when none is.
    fn format(&self) -> Result<Format, String> {
        let table = |one| Format::Table(one);
        let tree = |one| Format::Tree(one);
        let fixed = |one: Fixed| match one.is_tree() {
            true => Format::Tree(Tree::Fixed(Box::new(one))),
            false => Format::Table(Table::Fixed(Box::new(one))),
        };
        if let Some(one) = &self.fixed {
            one.check()?;
        }
        let mut named = [
            self.delimited
                .clone()
                .map(|one| table(Table::Delimited(Box::new(one)))),
            self.fixed.clone().map(fixed),
            self.sheet.clone().map(Table::Sheet).map(table),
            self.xml.clone().map(Tree::Xml).map(tree),
            self.json.clone().map(Tree::Json).map(tree),
            self.x12.clone().map(Tree::X12).map(tree),
            self.edifact.clone().map(Tree::Edifact).map(tree),
        ]
        .into_iter()
        .flatten();
        let one = named.next();
        if named.next().is_some() {
            return Err(format!("`{}` has two formats; a file has one", self.name));
        }
        let one = one.unwrap_or_else(|| Format::Table(Table::Delimited(Box::default())));
        if !self.differ.is_empty() && self.group_by.is_empty() {
            return Err(format!(
                "`differ` of `{}` belongs beside `group_by`: columns that may differ in the rows of a document",
                self.name
            ));
        }
        if matches!(one, Format::Tree(_))
            && !(self.of.is_empty()
                && self.group_by.is_empty()
                && self.key.is_none()
                && self.columns.is_empty())
        {
            return Err(format!(
                "`{}` has no rows but documents: `columns`, `of`, `group_by` and `key` belong to tables",
                self.name
            ));
        }
        Ok(one)
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LookupText {
    file: Spanned<String>,
    key: String,
    #[serde(default)]
    delimited: Delimited,
    #[serde(default)]
    default: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Clone, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct EventText {
    r#type: Option<At>,
    system: Option<String>,
    when: Option<At>,
    each: Option<At>,
    time: Option<At>,
    data: IndexMap<String, Node>,
}

/// A field as it is written: an expression, or fields below it.
#[derive(Debug, Clone)]
enum Node {
    Expression(At),
    Fields {
        place: Place,
        fields: IndexMap<String, Node>,
    },
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Bare>::deserialize(deserializer)?;
        let place = Place {
            file: String::new(),
            line: spanned.referenced.line(),
            column: spanned.referenced.column(),
        };
        Ok(match spanned.value {
            Bare::Text(source) => Self::Expression(At { source, place }),
            Bare::Fields(fields) => Self::Fields { place, fields },
        })
    }
}

enum Bare {
    Text(String),
    Fields(IndexMap<String, Node>),
}

impl<'de> Deserialize<'de> for Bare {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Bare;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSONata expression, or fields")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Bare, E> {
                Ok(Bare::Text(text.to_owned()))
            }
            // YAML reads 007 as seven and a bare true as no text: what was meant must be in quotes.
            fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Bare, E> {
                Err(quote_it(&number.to_string()))
            }
            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Bare, E> {
                Err(quote_it(&number.to_string()))
            }
            #[expect(clippy::disallowed_types, reason = "refused; only its text is shown")]
            fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Bare, E> {
                Err(quote_it(&number.to_string()))
            }
            fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Bare, E> {
                Err(quote_it(&value.to_string()))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Bare, A::Error> {
                let mut fields = IndexMap::new();
                while let Some((name, node)) = map.next_entry::<String, Node>()? {
                    fields.insert(name, node);
                }
                Ok(Bare::Fields(fields))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

fn quote_it<E: serde::de::Error>(text: &str) -> E {
    E::custom(format!(
        "write it in quotes: YAML takes it for the value {text}, and an expression is text"
    ))
}

impl Node {
    fn set_file(&mut self, file: &str) {
        match self {
            Self::Expression(at) => file.clone_into(&mut at.place.file),
            Self::Fields { place, fields } => {
                file.clone_into(&mut place.file);
                fields.values_mut().for_each(|node| node.set_file(file));
            }
        }
    }

    /// This over what a pack says: field by field, and whole where one of the two is an expression.
    fn over(self, base: Self) -> Self {
        match (self, base) {
            (
                Self::Fields { place, fields },
                Self::Fields {
                    fields: mut below, ..
                },
            ) => {
                overlay(&mut below, fields, Self::over);
                Self::Fields {
                    place,
                    fields: below,
                }
            }
            (own, _) => own,
        }
    }
}

fn overlay<T>(base: &mut IndexMap<String, T>, own: IndexMap<String, T>, over: fn(T, T) -> T) {
    for (name, value) in own {
        let merged = match base.shift_remove_full(&name) {
            Some((index, _, below)) => {
                base.shift_insert(index, name, over(value, below));
                continue;
            }
            None => value,
        };
        base.insert(name, merged);
    }
}

impl EventText {
    fn over(self, base: Self) -> Self {
        let mut data = base.data;
        overlay(&mut data, self.data, Node::over);
        Self {
            r#type: self.r#type.or(base.r#type),
            system: self.system.or(base.system),
            when: self.when.or(base.when),
            each: self.each.or(base.each),
            time: self.time.or(base.time),
            data,
        }
    }

    fn set_file(&mut self, file: &str) {
        let all = [
            &mut self.r#type,
            &mut self.when,
            &mut self.each,
            &mut self.time,
        ];
        for at in all.into_iter().flatten() {
            file.clone_into(&mut at.place.file);
        }
        self.data.values_mut().for_each(|node| node.set_file(file));
    }
}

/// `no` and `y` are names of columns, not what YAML 1.1 made of them.
pub(crate) fn yaml() -> serde_saphyr::Options {
    serde_saphyr::options! { strict_booleans: true }
}

/// More packs than this one over the other are a circle.
const DEEPEST: usize = 8;

impl FeedText {
    fn read(bundle: &Bundle, path: &str, depth: usize) -> Result<Self, Mistake> {
        let text = bundle.text(path)?;
        let mut own: Self = serde_saphyr::from_str_with_options(text, yaml())
            .map_err(|error| mistake_of(path, &error))?;
        path.clone_into(&mut own.file);
        for at in own.columns.values_mut().chain(&mut own.document) {
            path.clone_into(&mut at.place.file);
        }
        own.events
            .values_mut()
            .for_each(|event| event.set_file(path));
        let Some(base) = own.extends.clone() else {
            return Ok(own);
        };
        let place = Place {
            file: path.to_owned(),
            line: base.referenced.line(),
            column: base.referenced.column(),
        };
        if depth >= DEEPEST {
            return Err(place.mistake(format!("more than {DEEPEST} feeds extend each other")));
        }
        let below = Self::read(bundle, &base.value, depth + 1)?;
        Ok(own.over(below))
    }

    fn over(self, base: Self) -> Self {
        let own_first = |own, _| own;
        let (mut files, mut lookups, mut columns, mut events) =
            (base.files, base.lookups, base.columns, base.events);
        overlay(&mut files, self.files, own_first);
        overlay(&mut lookups, self.lookups, |own, _| own);
        overlay(&mut columns, self.columns, |own, _| own);
        overlay(&mut events, self.events, EventText::over);
        Self {
            extends: None,
            about: self.about.or(base.about),
            system: self.system.or(base.system),
            document: self.document.or(base.document),
            files,
            lookups,
            columns,
            events,
            file: self.file,
        }
    }
}

impl Feed {
    /// Reads a feed of a plant, with what it extends and its lookups.
    ///
    /// # Errors
    /// The first mistake, with file, line and column.
    pub fn read(bundle: &Bundle, plant: &PlantCode, path: &str) -> Result<Self, Mistake> {
        let text = FeedText::read(bundle, path, 0)?;
        let place = Place::of(path);
        let name = path
            .rsplit('/')
            .next()
            .and_then(|file| file.strip_suffix(".yaml"))
            .unwrap_or(path);
        let system = text.system.ok_or_else(|| {
            place.mistake("`system` is missing: which system of the plant speaks, for `source`")
        })?;
        let document = text.document.ok_or_else(|| {
            place.mistake("`document` is missing: the expression that gives a document's number")
        })?;
        if text.files.is_empty() {
            return Err(place.mistake("`files` is missing: which files the feed reads"));
        }
        let (lookups, hashed) = lookups(bundle, plant, path, &text.lookups)?;
        let hashed = format!(
            "{plant}\u{1f}{system}\u{1f}{}{hashed}",
            digest(bundle, path)
        );
        let expression = |at: &At| -> Result<Expression, Mistake> {
            let read = Expression::read(&at.source, &at.place)?;
            let known = |name: &String| {
                lookups.contains_key(name)
                    || text.files.get(name).is_some_and(|file| file.key.is_some())
            };
            if let Some(unknown) = read.lookups().iter().find(|name| !known(name)) {
                return Err(at
                    .place
                    .mistake(format!("there is no lookup `{unknown}` in this feed")));
            }
            Ok(read)
        };
        let mut columns = IndexMap::new();
        for (name, at) in &text.columns {
            let read = expression(at)?;
            // What it is used for is not known here; amounts may be among it.
            read.must_be_exact()?;
            columns.insert(name.clone(), read);
        }
        let mut events = Vec::new();
        for (name, event) in &text.events {
            events.push(event_mapping(name, event, &system, &place, &expression)?);
        }
        if let Some(twice) = text.files.keys().find(|name| lookups.contains_key(*name)) {
            return Err(place.mistake(format!(
                "`{twice}` is a file and a lookup: give one another name"
            )));
        }
        if text
            .files
            .values()
            .next()
            .is_some_and(|file| file.key.is_some() || !file.of.is_empty())
        {
            return Err(place.mistake("the first of `files` is the one that documents are made of: it has neither `key` nor `of`"));
        }
        let document = expression(&document)?;
        let mut once = read_once(&document, &columns, &events);
        let joined = text.files.values().flat_map(|file| file.of.values());
        once.extend(joined.cloned());
        let mut files = IndexMap::new();
        for (name, file) in text.files {
            let same = once.iter().filter(|column| {
                !(file.group_by.is_empty()
                    || file.group_by.contains(column)
                    || file.differ.contains(column))
            });
            let same = same.cloned().collect();
            let format = file.format().map_err(|message| place.mistake(message))?;
            if matches!(format, Format::Tree(_)) && !files.is_empty() {
                return Err(place.mistake(format!(
                    "`{name}` has documents of its own: only the first of `files` may be of its format"
                )));
            }
            let read = File {
                name: Pattern(file.name),
                format,
                columns: file.columns,
                of: file.of,
                group_by: file.group_by,
                same,
                key: file.key,
            };
            files.insert(name, read);
        }
        Ok(Self {
            name: name.to_owned(),
            about: text.about.unwrap_or_default(),
            plant: plant.clone(),
            files,
            columns,
            document,
            events,
            lookups: Arc::new(lookups),
            hash: sha256_hex(hashed.as_bytes()),
        })
    }

    /// Which of its files a file of this name is.
    #[must_use]
    pub fn takes(&self, file_name: &str) -> Option<&str> {
        let found = self
            .files
            .iter()
            .find(|(_, file)| file.name.fits(file_name));
        found.map(|(role, _)| role.as_str())
    }

    /// What each `*` of the name of one of its files stands for in this name.
    #[must_use]
    pub fn stars<'n>(&self, role: &str, file_name: &'n str) -> Vec<&'n str> {
        let file = self.files.get(role);
        file.and_then(|file| file.name.stars(file_name))
            .unwrap_or_default()
    }

    /// Whether one of its files is a lookup that comes along with the documents.
    #[must_use]
    pub fn is_lookup(&self, role: &str) -> bool {
        self.files.get(role).is_some_and(|file| file.key.is_some())
    }

    /// The files that belong together, the leading one first.
    #[must_use]
    pub fn roles(&self) -> Vec<&str> {
        self.files.keys().map(String::as_str).collect()
    }

    /// Columns that must say the same in all rows of a document: what is made of them is read once.
    #[must_use]
    pub fn same(&self) -> Vec<&str> {
        let files = self.files.values();
        files
            .flat_map(|file| file.same.iter().map(String::as_str))
            .collect()
    }

    /// Fields of the mapping that none of these facts has, such as `created /lines/needDate`.
    #[must_use]
    pub fn unfilled<'m>(&self, made: impl Iterator<Item = &'m Made>) -> Vec<String> {
        let mut left: BTreeSet<String> = BTreeSet::new();
        for mapping in &self.events {
            let mut pointers = Vec::new();
            list("", &mapping.data, &mut pointers);
            let named = pointers
                .into_iter()
                .map(|pointer| format!("{} {pointer}", mapping.name));
            left.extend(named);
        }
        for fact in made {
            if let Some(data) = fact.event.get("data") {
                strike(&fact.name, "", data, &mut left);
            }
        }
        left.into_iter().collect()
    }

    /// Whether one of the lookups that are kept with the plant has a code, for any day.
    #[must_use]
    pub fn knows(&self, table: &str, code: &str) -> bool {
        self.lookups
            .get(table)
            .is_some_and(|lookup| lookup.has(code))
    }
}

/// The fields of a document that facts are made of besides those of its parts.
fn read_once(
    document: &Expression,
    columns: &IndexMap<String, Expression>,
    events: &[EventMapping],
) -> BTreeSet<String> {
    let mut names = document.fields_of_document(Input::Document);
    for column in columns.values() {
        names.extend(column.fields_of_document(Input::Document));
    }
    for event in events {
        let input = match &event.each {
            Some(each) => {
                names.extend(each.fields_of_document(Input::Document));
                part_of(each, Input::Document)
            }
            None => Input::Document,
        };
        for expression in event.when.iter().chain([&event.time]) {
            names.extend(expression.fields_of_document(input));
        }
        read_once_in(&event.data, input, &mut names);
    }
    names
}

fn read_once_in(fields: &IndexMap<String, Field>, input: Input, names: &mut BTreeSet<String>) {
    for field in fields.values() {
        match field {
            Field::Constant(_) => {}
            Field::Value { expression, .. } => names.extend(expression.fields_of_document(input)),
            Field::Object(below) => read_once_in(below, input, names),
            Field::List {
                each,
                when,
                fields: below,
            } => {
                names.extend(each.fields_of_document(input));
                let part = part_of(each, input);
                if let Some(when) = when {
                    names.extend(when.fields_of_document(part));
                }
                read_once_in(below, part, names);
            }
        }
    }
}

/// `each: $` makes one part, which is what it is a part of.
fn part_of(each: &Expression, input: Input) -> Input {
    if each.is_its_input() {
        input
    } else {
        Input::Part
    }
}

/// Lookups of a plant by their names, and a text that changes with each of them.
pub(crate) fn lookups(
    bundle: &Bundle,
    plant: &PlantCode,
    path: &str,
    named: &IndexMap<String, LookupText>,
) -> Result<(BTreeMap<String, Lookup>, String), Mistake> {
    let mut lookups = BTreeMap::new();
    let mut hashed = String::new();
    for (name, lookup) in named {
        let file = format!("{plant}/{}", lookup.file.value);
        let at = Place::of(&file);
        let bytes = bundle.files.get(&file).ok_or_else(|| {
            Place {
                file: path.to_owned(),
                line: lookup.file.referenced.line(),
                column: lookup.file.referenced.column(),
            }
            .mistake(format!("the lookup's file {file} is missing"))
        })?;
        let table = Table::Delimited(Box::new(lookup.delimited.clone()));
        let rows = table
            .open(Box::new(bytes.as_slice()))
            .map_err(|fault| at.mistake(fault.message))?;
        let read = Lookup::read(&at, rows, &lookup.key, lookup.default.clone())?;
        lookups.insert(name.clone(), read);
        hashed.push_str(&format!("\u{1f}{name}\u{1f}{}", sha256_hex(bytes)));
    }
    Ok((lookups, hashed))
}

/// An error of the YAML with its place.
pub(crate) fn mistake_of(path: &str, error: &serde_saphyr::Error) -> Mistake {
    let at = error.location();
    Place {
        file: path.to_owned(),
        line: at.map_or(1, |at| at.line()),
        column: at.map_or(1, |at| at.column()),
    }
    .mistake(error.to_string())
}

/// SHA-256 over a feed and all that it extends.
fn digest(bundle: &Bundle, path: &str) -> String {
    let mut all = String::new();
    let mut next = Some(path.to_owned());
    let mut depth = 0;
    while let Some(path) = next.take().filter(|_| depth <= DEEPEST) {
        depth += 1;
        let bytes = bundle
            .files
            .get(&path)
            .map(Vec::as_slice)
            .unwrap_or_default();
        all.push_str(&sha256_hex(bytes));
        next = std::str::from_utf8(bytes)
            .ok()
            .and_then(|text| serde_saphyr::from_str_with_options::<FeedText>(text, yaml()).ok())
            .and_then(|text| text.extends)
            .map(|extends| extends.value);
    }
    all
}

fn event_mapping(
    name: &str,
    event: &EventText,
    system: &str,
    place: &Place,
    expression: &impl Fn(&At) -> Result<Expression, Mistake>,
) -> Result<EventMapping, Mistake> {
    let at = event
        .r#type
        .as_ref()
        .ok_or_else(|| place.mistake(format!("event `{name}` has no `type`")))?;
    let kind = FactKind::from_event_type(&format!("interplant.{}.v1", at.source))
        .filter(|kind| kind.is_sent_by_plants())
        .ok_or_else(|| {
            let kinds = FactKind::ALL.iter().filter(|kind| kind.is_sent_by_plants());
            let known: Vec<&str> = kinds
                .map(|kind| {
                    let name = kind.event_type().trim_start_matches("interplant.");
                    name.trim_end_matches(".v1")
                })
                .collect();
            at.place
                .mistake(format!("`{}` is none of {}", at.source, known.join(", ")))
        })?;
    let time = event.time.as_ref().ok_or_else(|| {
        at.place
            .mistake(format!("event `{name}` has no `time`: when it happened"))
    })?;
    let schema = kind.schema();
    let schema = schema.as_value();
    Ok(EventMapping {
        name: name.to_owned(),
        kind,
        system: event.system.clone().unwrap_or_else(|| system.to_owned()),
        when: event.when.as_ref().map(expression).transpose()?,
        each: event.each.as_ref().map(expression).transpose()?,
        time: expression(time)?,
        data: fields(&event.data, schema, schema, &at.place, expression)?,
    })
}

fn fields(
    nodes: &IndexMap<String, Node>,
    schema: &Value,
    root: &Value,
    place: &Place,
    expression: &impl Fn(&At) -> Result<Expression, Mistake>,
) -> Result<IndexMap<String, Field>, Mistake> {
    let properties = schema.get("properties").and_then(Value::as_object);
    let required = schema.get("required").and_then(Value::as_array);
    let mut needed = required.into_iter().flatten().filter_map(Value::as_str);
    if let Some(missing) = needed.find(|name| !nodes.contains_key(*name)) {
        return Err(place.mistake(format!("the field `{missing}` is missing")));
    }
    let mut all = IndexMap::new();
    for (name, node) in nodes {
        let at = match node {
            Node::Expression(at) => &at.place,
            Node::Fields { place, .. } => place,
        };
        let below = properties
            .and_then(|known| known.get(name))
            .ok_or_else(|| {
                let known: Vec<&str> = properties
                    .map(|known| known.keys().map(String::as_str).collect())
                    .unwrap_or_default();
                at.mistake(format!(
                    "the field `{name}` is none of {}",
                    known.join(", ")
                ))
            })?;
        let field = self::field(node, &resolve(below, root), root, expression)?;
        all.insert(name.clone(), field);
    }
    Ok(all)
}

fn field(
    node: &Node,
    schema: &Schema<'_>,
    root: &Value,
    expression: &impl Fn(&At) -> Result<Expression, Mistake>,
) -> Result<Field, Mistake> {
    let (place, nodes) = match node {
        Node::Expression(at) => {
            let expression = expression(at)?;
            if schema.exact {
                expression.must_be_exact()?;
            }
            return Ok(Field::Value {
                expression,
                exact: schema.exact,
            });
        }
        Node::Fields { place, fields } => (place, fields),
    };
    if let (Some(Node::Expression(at)), 1) = (nodes.get("constant"), nodes.len()) {
        return Ok(Field::Constant(at.source.clone()));
    }
    let Some(Node::Expression(each)) = nodes.get("each") else {
        return fields(nodes, schema.value, root, place, expression).map(Field::Object);
    };
    let Some(Node::Fields { fields: below, .. }) = nodes.get("fields") else {
        return Err(place.mistake("`each` needs `fields`: what is made of each of them"));
    };
    let when = match nodes.get("when") {
        None => None,
        Some(Node::Expression(at)) => Some(expression(at)?),
        Some(Node::Fields { place, .. }) => {
            return Err(place.mistake("`when` is an expression"));
        }
    };
    let known = ["each", "fields", "when"];
    if let Some(other) = nodes.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(place.mistake(format!(
            "`{other}` does not belong beside `each`, `when` and `fields`"
        )));
    }
    let items = schema
        .value
        .get("items")
        .ok_or_else(|| place.mistake("this field is no list"))?;
    let items = resolve(items, root);
    Ok(Field::List {
        each: expression(each)?,
        when,
        fields: fields(below, items.value, root, place, expression)?,
    })
}

/// A schema without references, and whether it is that of an amount.
struct Schema<'a> {
    value: &'a Value,
    exact: bool,
}

fn resolve<'a>(schema: &'a Value, root: &'a Value) -> Schema<'a> {
    let mut value = schema;
    let mut exact = false;
    loop {
        let alternatives = ["anyOf", "oneOf", "allOf"]
            .iter()
            .find_map(|key| value.get(key).and_then(Value::as_array));
        if let Some(first) = alternatives.and_then(|all| {
            all.iter()
                .find(|one| one.get("type").and_then(Value::as_str) != Some("null"))
        }) {
            value = first;
            continue;
        }
        let Some(reference) = value.get("$ref").and_then(Value::as_str) else {
            return Schema { value, exact };
        };
        exact |= ["Quantity", "UnitPrice", "Amount"]
            .iter()
            .any(|name| reference.ends_with(&format!("/{name}")));
        match root.pointer(reference.trim_start_matches('#')) {
            Some(found) => value = found,
            None => return Schema { value, exact },
        }
    }
}

fn list(pointer: &str, fields: &IndexMap<String, Field>, all: &mut Vec<String>) {
    for (name, field) in fields {
        let here = format!("{pointer}/{name}");
        match field {
            Field::Value { .. } | Field::Constant(_) => all.push(here),
            Field::Object(below) | Field::List { fields: below, .. } => list(&here, below, all),
        }
    }
}

fn strike(name: &str, pointer: &str, value: &Value, left: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (field, below) in fields {
                strike(name, &format!("{pointer}/{field}"), below, left);
            }
        }
        Value::Array(items) => {
            left.remove(&format!("{name} {pointer}"));
            items
                .iter()
                .for_each(|item| strike(name, pointer, item, left));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            left.remove(&format!("{name} {pointer}"));
        }
    }
}
