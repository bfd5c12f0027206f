//! Identifiers. Everything that names a document elsewhere is derived from the lifecycle's own name.

use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Why a text is not the identifier it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {what}: {rule}")]
pub struct Error {
    text: String,
    what: &'static str,
    rule: &'static str,
}

fn error(text: &str, what: &'static str, rule: &'static str) -> Error {
    Error {
        text: text.chars().take(80).collect(),
        what,
        rule,
    }
}

/// Lower-case hexadecimal SHA-256.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

macro_rules! text_identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The text of it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = Error;
            fn try_from(text: String) -> Result<Self, Error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }
    };
}

text_identifier!(
    /// A plant: `[a-z0-9-]{2,24}`, such as `plant-b`.
    PlantCode
);

impl FromStr for PlantCode {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        let fits = (2..=24).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(error(text, "a plant code", "2 to 24 of a-z, 0-9 and -"))
        }
    }
}

text_identifier!(
    /// An event of ours: `evt_` and a time-ordered id.
    EventId
);

impl FromStr for EventId {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        let fits = text.strip_prefix("evt_").is_some_and(|id| {
            id.len() == 32
                && id
                    .bytes()
                    .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        });
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(error(text, "an event id", "evt_ and 32 hexadecimal digits"))
        }
    }
}

impl EventId {
    /// Of what no event brought about: a time that has passed.
    #[must_use]
    pub fn none() -> Self {
        Self(format!("evt_{}", "0".repeat(32)))
    }
}

text_identifier!(
    /// An exception that awaits a person: `exc_` and ten hexadecimal digits, stable for its cause.
    ExceptionId
);

impl FromStr for ExceptionId {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        let fits = text
            .strip_prefix("exc_")
            .is_some_and(|id| id.len() == 10 && id.bytes().all(|b| b.is_ascii_hexdigit()));
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(error(
                text,
                "an exception id",
                "exc_ and ten hexadecimal digits",
            ))
        }
    }
}

impl ExceptionId {
    /// The same cause gives the same exception, so that a repeated step raises nothing new.
    #[must_use]
    pub fn for_cause(parts: &[&str]) -> Self {
        Self(format!("exc_{}", short_hash(&parts.join("\u{1f}"))))
    }
}

/// What kind of business lifecycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LifecycleKind {
    /// A purchase order.
    Po,
    /// An advance ship notice: where facts wait that name it instead of its orders.
    Asn,
    /// A receipt: where facts wait that name it instead of its order.
    Receipt,
    /// A lot: where facts wait that name it instead of its order.
    Lot,
    /// A document of a plant's outbox that has no lifecycle: where people are told of it.
    Outbox,
    /// A production order, whose facts are only kept.
    Mo,
    /// An item of a plant, whose facts are only kept.
    Item,
    /// A snapshot of a plant's stock, which is only kept.
    Stock,
    /// An entry in a plant's books, which is only kept.
    Je,
}

impl LifecycleKind {
    /// The short word used in every identifier.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Po => "po",
            Self::Asn => "asn",
            Self::Receipt => "receipt",
            Self::Lot => "lot",
            Self::Outbox => "outbox",
            Self::Mo => "mo",
            Self::Item => "item",
            Self::Stock => "stock",
            Self::Je => "je",
        }
    }

    /// Whether facts are only kept: no state machine follows the document, nothing waits for anything, and
    /// nothing is done in Odoo.
    #[must_use]
    pub fn only_keeps(self) -> bool {
        match self {
            Self::Po | Self::Asn | Self::Receipt | Self::Lot | Self::Outbox => false,
            Self::Mo | Self::Item | Self::Stock | Self::Je => true,
        }
    }
}

impl FromStr for LifecycleKind {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "po" => Ok(Self::Po),
            "asn" => Ok(Self::Asn),
            "receipt" => Ok(Self::Receipt),
            "lot" => Ok(Self::Lot),
            "outbox" => Ok(Self::Outbox),
            "mo" => Ok(Self::Mo),
            "item" => Ok(Self::Item),
            "stock" => Ok(Self::Stock),
            "je" => Ok(Self::Je),
            _ => Err(error(
                text,
                "a lifecycle kind",
                "po, asn, receipt, lot, outbox, mo, item, stock or je",
            )),
        }
    }
}

/// One business document followed from its beginning to its end: `po/plant-b/4711`.
///
/// The number is percent-encoded as the plant writes it, blanks at either end trimmed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LifecycleId {
    kind: LifecycleKind,
    plant: PlantCode,
    number: String,
}

impl LifecycleId {
    /// The lifecycle of a plant's document.
    #[must_use]
    pub fn new(kind: LifecycleKind, plant: &PlantCode, number: &str) -> Self {
        Self {
            kind,
            plant: plant.clone(),
            number: percent_encode(number.trim()),
        }
    }

    /// Reads an id as people and gateways write it: encoded as ours are, or with the number as it is.
    ///
    /// # Errors
    /// When kind, plant or number is missing or wrong.
    pub fn read(text: &str) -> Result<Self, Error> {
        if let Ok(id) = text.parse() {
            return Ok(id);
        }
        let mut parts = text.splitn(3, '/');
        match (parts.next(), parts.next(), parts.next()) {
            (Some(kind), Some(plant), Some(number)) if (1..=400).contains(&number.trim().len()) => {
                Ok(Self::new(kind.parse()?, &plant.parse()?, number))
            }
            _ => text.parse(),
        }
    }

    /// The kind of document.
    #[must_use]
    pub fn kind(&self) -> LifecycleKind {
        self.kind
    }

    /// The plant whose document it is.
    #[must_use]
    pub fn plant(&self) -> &PlantCode {
        &self.plant
    }

    /// First ten hexadecimal digits of the SHA-256 of the id: keeps names apart that a slug merges.
    #[must_use]
    pub fn hash(&self) -> String {
        short_hash(&self.to_string())
    }

    /// The name of the execution of a generation, at most 80 of `[A-Za-z0-9-_]`.
    #[must_use]
    pub fn execution_name(&self, generation: u32) -> String {
        format!(
            "{}-{}-{}-{}-g{generation}",
            self.kind.word(),
            self.plant,
            slug(&self.number, '-'),
            self.hash()
        )
    }

    /// The external id in Odoo of the document itself.
    #[must_use]
    pub fn external_id(&self) -> ExternalId {
        ExternalId(format!(
            "interplant.{}_{}_{}_{}",
            self.kind.word(),
            slug(self.plant.as_str(), '_'),
            slug(&self.number, '_'),
            self.hash()
        ))
    }
}

impl fmt::Display for LifecycleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.kind.word(), self.plant, self.number)
    }
}

impl FromStr for LifecycleId {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        const RULE: &str = "kind/plant/number, the number percent-encoded, such as po/plant-b/4711";
        let mut parts = text.splitn(3, '/');
        let (Some(kind), Some(plant), Some(number)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(error(text, "a lifecycle id", RULE));
        };
        let encoded =
            |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~' | b'%');
        if number.is_empty() || number.len() > 400 || !number.bytes().all(encoded) {
            return Err(error(text, "a lifecycle id", RULE));
        }
        Ok(Self {
            kind: kind.parse()?,
            plant: plant.parse()?,
            number: number.to_owned(),
        })
    }
}

impl TryFrom<String> for LifecycleId {
    type Error = Error;
    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<LifecycleId> for String {
    fn from(id: LifecycleId) -> String {
        id.to_string()
    }
}

/// An external id in Odoo, `module.name`: how we find again what we created.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExternalId(String);

impl ExternalId {
    /// An external id that somebody configured, such as `base.USD`.
    #[must_use]
    pub fn configured(text: String) -> Self {
        Self(text)
    }

    /// The id of a part: `…_line_10`, `…_bill_inv_7_3fa9c02d1e`.
    #[must_use]
    pub fn part(&self, what: &str, number: &str) -> Self {
        Self(format!("{}_{what}", self.0)).numbered(number)
    }

    /// This id and a number or code as a plant writes it.
    #[must_use]
    pub fn numbered(&self, number: &str) -> Self {
        let plain = (1..=24).contains(&number.len())
            && number
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        // Two numbers that differ only in what a slug drops must not share an id.
        let tail = if plain {
            number.to_owned()
        } else {
            format!("{}_{}", slug(number, '_'), short_hash(number))
        };
        Self(format!("{}_{tail}", self.0))
    }

    /// The text of it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ExternalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl JsonSchema for LifecycleId {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "LifecycleId".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "examples": ["po/plant-b/4711"]})
    }
}

fn short_hash(text: &str) -> String {
    let mut hash = sha256_hex(text.as_bytes());
    hash.truncate(10);
    hash
}

/// At most 24 lower-case letters and digits, anything else becomes the joiner, never two in a row.
fn slug(text: &str, joiner: char) -> String {
    let mut slug = String::new();
    for c in text.chars() {
        if slug.len() == 24 {
            break;
        }
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with(joiner) {
            slug.push(joiner);
        }
    }
    slug.trim_end_matches(joiner).to_owned()
}

fn percent_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn po(number: &str) -> LifecycleId {
        LifecycleId::new(LifecycleKind::Po, &"plant-b".parse().unwrap(), number)
    }

    #[test]
    fn a_lifecycle_is_named_after_the_plants_own_number() {
        let id = po(" PO 47/11 ");
        assert_eq!(id.to_string(), "po/plant-b/PO%2047%2F11");
        assert_eq!(id.to_string().parse::<LifecycleId>().unwrap(), id);
    }

    #[test]
    fn names_stay_within_what_aws_and_odoo_take() {
        let id = po(&"Über-Auftrag/".repeat(20));
        let name = id.execution_name(4_000_000_000);
        assert!(name.len() <= 80, "{name}");
        assert!(
            name.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'),
            "{name}"
        );
        let external = id.external_id().part("line", "10");
        let local = external.as_str().strip_prefix("interplant.").unwrap();
        assert!(
            local
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'),
            "{local}"
        );
    }

    #[test]
    fn numbers_that_look_alike_keep_their_own_external_id() {
        let order = po("4711").external_id();
        assert_ne!(order.part("bill", "INV/1"), order.part("bill", "INV-1"));
        assert_ne!(po("A-1").external_id(), po("A/1").external_id());
        assert!(order.part("line", "10").as_str().ends_with("_line_10"));
    }

    #[test]
    fn a_plant_code_has_a_fixed_alphabet() {
        for text in ["", "p", "Plant", "plant_b", "plant b", &"p".repeat(25)] {
            assert!(text.parse::<PlantCode>().is_err(), "{text}");
        }
    }
}
