//! Events to a plant's own files: a feed the other way round, by the same expressions.

mod edi;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use indexmap::IndexMap;
use interplant_domain::identifier::{PlantCode, sha256_hex};
use interplant_domain::plant::short_type;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_saphyr::Spanned;

use crate::expression::Expression;
use crate::feed::{At, Bundle, LookupText, lookups, mistake_of, yaml};
use crate::lookup::Lookup;
use crate::place::{Mistake, Place};

use edi::{Edi, EdifactText, PartText, X12Text};

pub use edi::Dispatched;
pub use write::{Given, NotWritten, Writer, Written};

/// A kind of file that is made of events, ready to write.
#[derive(Debug, Clone)]
pub struct Out {
    /// Its name.
    pub name: String,
    /// What it is, for people.
    pub about: String,
    /// Types of events that it is made of, such as `po.created`.
    events: BTreeSet<String>,
    /// The file's name.
    file: Expression,
    form: Form,
    rows: Vec<RowKind>,
    lookups: Arc<BTreeMap<String, Lookup>>,
    /// SHA-256 over everything that decides what comes out.
    pub hash: String,
}

/// How a file is written.
#[derive(Debug, Clone)]
enum Form {
    Delimited {
        separator: char,
        quote: Option<char>,
        heads: bool,
        /// Whether cells that a spreadsheet would take for a formula are marked as text.
        spreadsheet: bool,
        text: Text,
    },
    Fixed {
        text: Text,
    },
    Edi(Box<Edi>),
}

/// How text becomes bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Text {
    encoding: &'static encoding_rs::Encoding,
    line_end: &'static str,
}

/// One kind of rows: one row, or one for each of something.
#[derive(Debug, Clone)]
struct RowKind {
    each: Option<Expression>,
    when: Option<Expression>,
    columns: IndexMap<String, Column>,
}

#[derive(Debug, Clone)]
struct Column {
    value: Value,
    place: Place,
    width: Option<usize>,
    right: bool,
    fill: char,
}

#[derive(Debug, Clone)]
enum Value {
    Expression(Expression),
    Constant(String),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct OutText {
    #[serde(default)]
    about: String,
    events: Vec<Spanned<String>>,
    file: At,
    delimited: Option<DelimitedText>,
    fixed: Option<FixedText>,
    x12: Option<X12Text>,
    edifact: Option<EdifactText>,
    #[serde(default)]
    lookups: IndexMap<String, LookupText>,
    #[serde(default)]
    rows: Vec<RowText>,
    #[serde(default)]
    segments: Vec<PartText>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct DelimitedText {
    separator: String,
    quote: String,
    encoding: String,
    line_end: LineEnd,
    heads: bool,
    spreadsheet: bool,
}

impl Default for DelimitedText {
    fn default() -> Self {
        Self {
            separator: ",".to_owned(),
            quote: "\"".to_owned(),
            encoding: "utf-8".to_owned(),
            line_end: LineEnd::default(),
            heads: true,
            spreadsheet: false,
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct FixedText {
    encoding: String,
    line_end: LineEnd,
}

impl Default for FixedText {
    fn default() -> Self {
        Self {
            encoding: "utf-8".to_owned(),
            line_end: LineEnd::default(),
        }
    }
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum LineEnd {
    Lf,
    #[default]
    Crlf,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct RowText {
    each: Option<At>,
    when: Option<At>,
    columns: IndexMap<String, ColumnText>,
}

/// A column as it is written: an expression, or what it is in full.
#[derive(Debug, Clone)]
struct ColumnText {
    place: Place,
    bare: BareColumn,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct FullColumn {
    value: Option<At>,
    constant: Option<String>,
    width: Option<usize>,
    align: Align,
    fill: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Align {
    #[default]
    Left,
    Right,
}

#[derive(Debug, Clone)]
enum BareColumn {
    Text(String),
    Full(Box<FullColumn>),
}

impl<'de> Deserialize<'de> for ColumnText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<BareColumn>::deserialize(deserializer)?;
        Ok(Self {
            place: Place {
                file: String::new(),
                line: spanned.referenced.line(),
                column: spanned.referenced.column(),
            },
            bare: spanned.value,
        })
    }
}

impl<'de> Deserialize<'de> for BareColumn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = BareColumn;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a JSONata expression in quotes where YAML would take it for something else, or a column in full: value or constant, width, align, fill")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<BareColumn, E> {
                Ok(BareColumn::Text(text.to_owned()))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<BareColumn, A::Error> {
                let map = serde::de::value::MapAccessDeserializer::new(map);
                Ok(BareColumn::Full(Box::new(FullColumn::deserialize(map)?)))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// How expressions of one configuration are read.
struct Reading<'r> {
    path: &'r str,
    lookups: &'r BTreeMap<String, Lookup>,
}

impl Reading<'_> {
    /// A place of this file.
    fn at(&self, place: &Place) -> Place {
        Place {
            file: self.path.to_owned(),
            ..place.clone()
        }
    }

    fn at_expression(&self, at: &At) -> Result<Expression, Mistake> {
        self.expression(&at.source, &at.place)
    }

    fn expression(&self, source: &str, place: &Place) -> Result<Expression, Mistake> {
        let place = self.at(place);
        let read = Expression::read(source, &place)?;
        // Any value may be an amount.
        read.must_be_exact()?;
        let named = read.lookups();
        match named.iter().find(|name| !self.lookups.contains_key(*name)) {
            Some(unknown) => Err(place.mistake(format!("there is no lookup `{unknown}` here"))),
            None => Ok(read),
        }
    }
}

impl Bundle {
    /// Paths of the files that are made for a plant.
    #[must_use]
    pub fn outs(&self, plant: &PlantCode) -> Vec<String> {
        self.yaml_below(&format!("{plant}/out/"))
    }
}

impl Out {
    /// Reads how a file is made, with its lookups.
    ///
    /// # Errors
    /// The first mistake, with file, line and column.
    pub fn read(bundle: &Bundle, plant: &PlantCode, path: &str) -> Result<Self, Mistake> {
        let source = bundle.text(path)?;
        let text: OutText = serde_saphyr::from_str_with_options(source, yaml())
            .map_err(|error| mistake_of(path, &error))?;
        let place = Place::of(path);
        let (lookups, hashed) = lookups(bundle, plant, path, &text.lookups)?;
        let read = Reading {
            path,
            lookups: &lookups,
        };
        let form = form(&text, &place, &read)?;
        let mut rows = Vec::new();
        for kind in &text.rows {
            let mut columns = IndexMap::new();
            for (name, column) in &kind.columns {
                columns.insert(name.clone(), self::column(column, &form, &read)?);
            }
            rows.push(RowKind {
                each: kind
                    .each
                    .as_ref()
                    .map(|at| read.at_expression(at))
                    .transpose()?,
                when: kind
                    .when
                    .as_ref()
                    .map(|at| read.at_expression(at))
                    .transpose()?,
                columns,
            });
        }
        let (wanted, filled) = match &form {
            Form::Edi(_) => ("segments", !text.segments.is_empty() && rows.is_empty()),
            Form::Delimited { .. } | Form::Fixed { .. } => {
                ("rows", !rows.is_empty() && text.segments.is_empty())
            }
        };
        if text.events.is_empty() || !filled {
            return Err(place.mistake(format!(
                "`events` names the types that the file is made of, `{wanted}` what is in it: at least one each"
            )));
        }
        if matches!(form, Form::Delimited { heads: true, .. }) && rows.len() > 1 {
            return Err(
                place.mistake("rows of several kinds have no heads in common: say `heads: false`")
            );
        }
        let name = path.rsplit('/').next().unwrap_or(path);
        Ok(Self {
            name: name.trim_end_matches(".yaml").to_owned(),
            about: text.about,
            events: text.events.into_iter().map(|event| event.value).collect(),
            file: read.at_expression(&text.file)?,
            form,
            rows,
            lookups: Arc::new(lookups),
            hash: sha256_hex(
                format!("{plant}\u{1f}{}{hashed}", sha256_hex(source.as_bytes())).as_bytes(),
            ),
        })
    }

    /// Whether each file has a control number, which its partner's acknowledgment names.
    #[must_use]
    pub fn is_numbered(&self) -> bool {
        matches!(self.form, Form::Edi(_))
    }

    /// Whether it is made of events of a type.
    #[must_use]
    pub fn takes(&self, event_type: &str) -> bool {
        self.events.contains(event_type) || self.events.contains(short_type(event_type))
    }
}

fn form(text: &OutText, place: &Place, read: &Reading<'_>) -> Result<Form, Mistake> {
    let encoded = |encoding: &str, line_end: LineEnd| {
        let encoding = encoding_rs::Encoding::for_label(encoding.as_bytes())
            // UTF-16 is read and never written: WHATWG has no way to.
            .filter(|encoding| encoding.output_encoding() == *encoding)
            .ok_or_else(|| {
                place.mistake(format!("`{encoding}` is no character set to write in"))
            })?;
        let line_end = match line_end {
            LineEnd::Lf => "\n",
            LineEnd::Crlf => "\r\n",
        };
        Ok(Text { encoding, line_end })
    };
    let single = |what: &str, text: &str| {
        let mut letters = text.chars();
        match (letters.next(), letters.next()) {
            (Some(one), None) if !one.is_control() => Ok(one),
            _ => Err(place.mistake(format!("`{text}` is no {what}: one character"))),
        }
    };
    match (&text.delimited, &text.fixed, &text.x12, &text.edifact) {
        (Some(form), None, None, None) => {
            let separator = match form.separator.as_str() {
                "tab" => '\t',
                one => single("separator", one)?,
            };
            let quote = match form.quote.as_str() {
                "" => None,
                one => Some(single("quote", one)?),
            };
            if quote == Some(separator) {
                return Err(place.mistake("separator and quote are the same character"));
            }
            Ok(Form::Delimited {
                separator,
                quote,
                heads: form.heads,
                spreadsheet: form.spreadsheet,
                text: encoded(&form.encoding, form.line_end)?,
            })
        }
        (None, Some(form), None, None) => Ok(Form::Fixed {
            text: encoded(&form.encoding, form.line_end)?,
        }),
        (None, None, Some(form), None) => {
            Edi::x12(form, &text.segments, read).map(|edi| Form::Edi(Box::new(edi)))
        }
        (None, None, None, Some(form)) => {
            Edi::edifact(form, &text.segments, read).map(|edi| Form::Edi(Box::new(edi)))
        }
        _ => Err(place.mistake(
            "say how the file is written: `delimited`, `fixed`, `x12` or `edifact`, one of them",
        )),
    }
}

fn column(text: &ColumnText, form: &Form, read: &Reading<'_>) -> Result<Column, Mistake> {
    let place = read.at(&text.place);
    let full = match &text.bare {
        BareColumn::Text(source) => FullColumn {
            value: Some(At {
                source: source.clone(),
                place: place.clone(),
            }),
            ..FullColumn::default()
        },
        BareColumn::Full(full) => full.as_ref().clone(),
    };
    let value = match (&full.value, full.constant) {
        (Some(at), None) => Value::Expression(read.at_expression(at)?),
        (None, Some(text)) => Value::Constant(text),
        (None, None) | (Some(_), Some(_)) => {
            return Err(place.mistake("a column has a `value` or a `constant`, one of them"));
        }
    };
    let fill = match full
        .fill
        .as_deref()
        .map(|fill| (fill, fill.chars().count()))
    {
        None => ' ',
        Some((fill, 1)) => fill.chars().next().unwrap_or(' '),
        Some((fill, _)) => return Err(place.mistake(format!("`{fill}` is not one character"))),
    };
    match (form, full.width) {
        (Form::Fixed { .. }, None | Some(0)) => {
            return Err(place.mistake("a column of fixed width has a `width`"));
        }
        (Form::Delimited { .. }, Some(_)) => {
            return Err(place.mistake("a delimited column has no `width`"));
        }
        (Form::Fixed { .. }, Some(_)) | (Form::Delimited { .. }, None) | (Form::Edi(_), _) => {}
    }
    Ok(Column {
        value,
        place,
        width: full.width,
        right: full.align == Align::Right,
        fill,
    })
}
