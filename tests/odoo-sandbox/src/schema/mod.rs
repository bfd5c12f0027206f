//! The models in use and their fields, per version.

mod account;
mod base;
mod product;
mod purchase;
mod stock;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::version::{self, Options, Version};

/// How a float is rounded when it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Digits {
    /// Kept as sent.
    Free,
    /// The decimal precision "Product Price", where this version rounds prices.
    Price,
    /// The decimal precision of quantities.
    Quantity,
    /// The decimal precision "Discount".
    Discount,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Char,
    Text,
    Html,
    Integer,
    Float(Digits),
    Monetary,
    Boolean,
    Date,
    Datetime,
    Selection(Options),
    Many2one(&'static str),
    /// Model and the many2one there that points back.
    One2many(&'static str, &'static str),
    Many2many(&'static str),
}

impl Kind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Char => "char",
            Self::Text => "text",
            Self::Html => "html",
            Self::Integer => "integer",
            Self::Float(_) => "float",
            Self::Monetary => "monetary",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Datetime => "datetime",
            Self::Selection(_) => "selection",
            Self::Many2one(_) => "many2one",
            Self::One2many(..) => "one2many",
            Self::Many2many(_) => "many2many",
        }
    }

    /// The model at the other end.
    pub(crate) const fn relation(self) -> Option<&'static str> {
        match self {
            Self::Many2one(model) | Self::One2many(model, _) | Self::Many2many(model) => {
                Some(model)
            }
            Self::Char
            | Self::Text
            | Self::Html
            | Self::Integer
            | Self::Float(_)
            | Self::Monetary
            | Self::Boolean
            | Self::Date
            | Self::Datetime
            | Self::Selection(_) => None,
        }
    }
}

/// Where a field's value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    Stored,
    /// Worked out on every read; writes go through the model's own rules or are dropped.
    Computed,
    /// The field of the same name on the record this many2one points at.
    Through(&'static str),
}

/// In which versions a field exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exists {
    Always,
    Since(Version),
    Until(Version),
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Field {
    /// Name in 19, used by all models' code.
    pub(crate) key: &'static str,
    pub(crate) label: &'static str,
    pub(crate) kind: Kind,
    pub(crate) required: bool,
    pub(crate) source: Source,
    exists: Exists,
}

impl Field {
    const fn new(key: &'static str, label: &'static str, kind: Kind) -> Self {
        Self {
            key,
            label,
            kind,
            required: false,
            source: Source::Stored,
            exists: Exists::Always,
        }
    }

    const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    const fn computed(mut self) -> Self {
        self.source = Source::Computed;
        self
    }

    const fn through(mut self, link: &'static str) -> Self {
        self.source = Source::Through(link);
        self
    }

    const fn since(mut self, version: Version) -> Self {
        self.exists = Exists::Since(version);
        self
    }

    const fn until(mut self, version: Version) -> Self {
        self.exists = Exists::Until(version);
        self
    }
}

const fn char(key: &'static str, label: &'static str) -> Field {
    Field::new(key, label, Kind::Char)
}
const fn text(key: &'static str, label: &'static str) -> Field {
    Field::new(key, label, Kind::Text)
}
const fn html(key: &'static str, label: &'static str) -> Field {
    Field::new(key, label, Kind::Html)
}
const fn integer(key: &'static str, label: &'static str) -> Field {
    Field::new(key, label, Kind::Integer)
}
const fn float(key: &'static str, label: &'static str) -> Field {
    Field::new(key, label, Kind::Float(Digits::Free))
}
const fn price(key: &'static str, label: &'static str) -> Field {
    Field::new(key, label, Kind::Float(Digits::Price))
}
const fn quantity(key: &'static str, label: &'static str) -> Field {
    Field::new(key, label, Kind::Float(Digits::Quantity))
}
const fn discount(key: &'static str, label: &'static str) -> Field {
    Field::new(key, label, Kind::Float(Digits::Discount))
}
const fn monetary(key: &'static str, label: &'static str) -> Field {
    Field::new(key, label, Kind::Monetary)
}
const fn boolean(key: &'static str, label: &'static str) -> Field {
    Field::new(key, label, Kind::Boolean)
}
const fn date(key: &'static str, label: &'static str) -> Field {
    Field::new(key, label, Kind::Date)
}
const fn datetime(key: &'static str, label: &'static str) -> Field {
    Field::new(key, label, Kind::Datetime)
}
const fn selection(key: &'static str, label: &'static str, options: Options) -> Field {
    Field::new(key, label, Kind::Selection(options))
}
const fn many2one(key: &'static str, label: &'static str, model: &'static str) -> Field {
    Field::new(key, label, Kind::Many2one(model))
}
const fn one2many(
    key: &'static str,
    label: &'static str,
    model: &'static str,
    inverse: &'static str,
) -> Field {
    Field::new(key, label, Kind::One2many(model, inverse))
}
const fn many2many(key: &'static str, label: &'static str, model: &'static str) -> Field {
    Field::new(key, label, Kind::Many2many(model))
}

/// A model as it is declared, before a version is applied.
struct Declared {
    name: &'static str,
    label: &'static str,
    /// Default order of a search.
    order: &'static str,
    fields: &'static [Field],
}

const fn model(
    name: &'static str,
    label: &'static str,
    order: &'static str,
    fields: &'static [Field],
) -> Declared {
    Declared {
        name,
        label,
        order,
        fields,
    }
}

#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) name: &'static str,
    pub(crate) label: &'static str,
    pub(crate) order: &'static str,
    /// By the name callers of this version use.
    pub(crate) fields: BTreeMap<&'static str, Field>,
    keys: BTreeMap<&'static str, &'static str>,
    /// The names in `fields`, as they are declared.
    declared: Vec<&'static str>,
}

impl Model {
    /// By the name in 19.
    pub(crate) fn by_key(&self, key: &str) -> Option<&Field> {
        self.keys.get(key).and_then(|wire| self.fields.get(wire))
    }

    /// The fields as they are declared: the order in which the database looks for missing values.
    pub(crate) fn declared(&self) -> impl Iterator<Item = &Field> {
        self.declared
            .iter()
            .filter_map(|name| self.fields.get(name))
    }

    /// The stored many2one fields: those the store keeps an index for.
    pub(crate) fn links(&self) -> impl Iterator<Item = (&'static str, &'static str)> + '_ {
        self.fields
            .values()
            .filter_map(|field| match (field.kind, field.source) {
                (Kind::Many2one(to), Source::Stored) => Some((field.key, to)),
                _ => None,
            })
    }
}

/// All models of one version.
#[derive(Debug)]
pub(crate) struct Schema {
    models: BTreeMap<&'static str, Model>,
    /// The models' names as they are declared.
    order: Vec<&'static str>,
}

impl Schema {
    pub(crate) fn of(version: Version) -> &'static Self {
        static SCHEMAS: LazyLock<[Schema; 3]> = LazyLock::new(|| Version::ALL.map(Schema::build));
        let [v17, v18, v19] = &*SCHEMAS;
        match version {
            Version::V17 => v17,
            Version::V18 => v18,
            Version::V19 => v19,
        }
    }

    pub(crate) fn model(&self, name: &str) -> Option<&Model> {
        self.models.get(name)
    }

    /// All models as they are declared: those that others stand on first.
    pub(crate) fn models(&self) -> impl Iterator<Item = &Model> {
        self.order.iter().filter_map(|name| self.models.get(name))
    }

    fn build(version: Version) -> Self {
        let areas = [
            base::MODELS,
            product::MODELS,
            purchase::MODELS,
            stock::MODELS,
            account::MODELS,
        ];
        let order = areas
            .into_iter()
            .flatten()
            .map(|declared| declared.name)
            .collect();
        let models = areas
            .into_iter()
            .flatten()
            .map(|declared| (declared.name, Self::apply(version, declared)))
            .collect();
        Self { models, order }
    }

    fn apply(version: Version, declared: &Declared) -> Model {
        const EVERYWHERE: &[Field] = &[
            integer("id", "ID").computed(),
            char("display_name", "Display Name").computed(),
            datetime("create_date", "Created on"),
            datetime("write_date", "Last Updated on"),
            many2one("create_uid", "Created by", "res.users"),
            many2one("write_uid", "Last Updated by", "res.users"),
        ];
        let mut fields = BTreeMap::new();
        let mut keys = BTreeMap::new();
        let mut names = Vec::new();
        for field in EVERYWHERE.iter().chain(declared.fields) {
            let exists = match field.exists {
                Exists::Always => true,
                Exists::Since(first) => version.since(first),
                Exists::Until(last) => last.since(version),
            };
            if !exists {
                continue;
            }
            let mut field = *field;
            if let Kind::Selection(options) = field.kind {
                field.kind =
                    Kind::Selection(version::options(version, declared.name, field.key, options));
            }
            field.label = version::label(version, declared.name, field.key, field.label);
            let wire = version::wire_name(version, declared.name, field.key);
            keys.insert(field.key, wire);
            names.push(wire);
            fields.insert(wire, field);
        }
        Model {
            name: declared.name,
            label: declared.label,
            order: declared.order,
            fields,
            keys,
            declared: names,
        }
    }
}
