//! Who may see and decide what.
//!
//! A person has grants, each a role at plants and in domains. What a person may do about an exception follows
//! from the plant, from the domain of the exception's owner role, and from the role there; nothing else.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::exception::{Code, OwnerRole};
use crate::identifier::PlantCode;

/// What somebody is allowed to do; each role may also do what the ones before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Sees.
    Viewer,
    /// Decides about facts: retry, accept, skip, assign, amend, approve, and a retry of a whole group.
    Steward,
    /// Also gives up what cannot be brought back: a lifecycle, a whole group.
    Operator,
    /// Also changes how Interplant itself works.
    Admin,
}

/// A part of the business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BusinessDomain {
    /// Buying.
    Procurement,
    /// Making, and the goods for it.
    Production,
    /// Inspecting.
    Quality,
    /// Paying.
    Finance,
    /// Codes, configuration and connections.
    Data,
}

macro_rules! words {
    ($name:ident, $what:literal: $($variant:ident = $word:literal),*) => {
        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word for it.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.word())
            }
        }

        impl FromStr for $name {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                Self::ALL.iter().copied().find(|one| one.word() == text)
                    .ok_or_else(|| format!("`{text}` is not {}: {}", $what, [$($word),*].join(", ")))
            }
        }
    };
}

words!(Role, "a role": Viewer = "viewer", Steward = "steward", Operator = "operator", Admin = "admin");
words!(BusinessDomain, "a domain": Procurement = "procurement", Production = "production", Quality = "quality", Finance = "finance", Data = "data");

impl OwnerRole {
    /// The domain that the role belongs to.
    #[must_use]
    pub fn domain(self) -> BusinessDomain {
        match self {
            Self::Buyer => BusinessDomain::Procurement,
            Self::Warehouse => BusinessDomain::Production,
            Self::Quality => BusinessDomain::Quality,
            Self::Accountant => BusinessDomain::Finance,
            Self::DataSteward | Self::Operations => BusinessDomain::Data,
        }
    }
}

/// A role at plants and in domains: `steward:plant-a,plant-b:finance`, `viewer:*:*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    role: Role,
    plants: Option<BTreeSet<PlantCode>>,
    domains: Option<BTreeSet<BusinessDomain>>,
}

impl FromStr for Grant {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split(':').collect();
        let [role, plants, domains] = parts.as_slice() else {
            return Err(format!(
                "`{text}` is not a grant: role:plants:domains, such as viewer:*:* or steward:<plant>:finance,data"
            ));
        };
        Ok(Self {
            role: role.parse()?,
            plants: listed(plants)?,
            domains: listed(domains)?,
        })
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plants = self.plants.as_ref().map(joined);
        let domains = self.domains.as_ref().map(joined);
        let star = || "*".to_owned();
        write!(
            f,
            "{}:{}:{}",
            self.role,
            plants.unwrap_or_else(star),
            domains.unwrap_or_else(star)
        )
    }
}

fn joined<T: fmt::Display>(all: &BTreeSet<T>) -> String {
    let words: Vec<String> = all.iter().map(ToString::to_string).collect();
    words.join(",")
}

/// A list with commas; none means all.
fn listed<T: FromStr + Ord>(text: &str) -> Result<Option<BTreeSet<T>>, String>
where
    T::Err: fmt::Display,
{
    if text == "*" {
        return Ok(None);
    }
    let read = |word: &str| word.parse::<T>().map_err(|error| error.to_string());
    text.split(',')
        .map(read)
        .collect::<Result<_, _>>()
        .map(Some)
}

/// What somebody wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Look at it.
    See,
    /// Decide about one fact, or hand the exception on.
    Decide,
    /// Have all of one cause tried again.
    RetryGroup,
    /// Leave all facts of one cause without effect.
    SkipGroup,
    /// Stop following a document.
    CancelLifecycle,
}

impl Action {
    /// The least role that may.
    #[must_use]
    pub fn role(self) -> Role {
        match self {
            Self::See => Role::Viewer,
            Self::Decide | Self::RetryGroup => Role::Steward,
            Self::SkipGroup | Self::CancelLifecycle => Role::Operator,
        }
    }
}

/// Somebody whose token was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The subject of the token: what decisions are recorded under.
    pub subject: String,
    /// What the token grants.
    pub grants: Vec<Grant>,
}

/// What somebody may read of a document besides the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sight {
    /// Prices and amounts.
    pub prices: bool,
    /// Bank accounts.
    pub bank: bool,
}

impl Caller {
    /// Whether anything of a plant may be seen; else the plant is answered as if it did not exist.
    #[must_use]
    pub fn sees(&self, plant: &PlantCode) -> bool {
        self.grants.iter().any(|grant| grant.is_at(plant))
    }

    /// The highest role at a plant in a domain.
    #[must_use]
    pub fn role(&self, plant: &PlantCode, domain: BusinessDomain) -> Option<Role> {
        self.grants
            .iter()
            .filter(|grant| grant.is_at(plant) && grant.is_in(domain))
            .map(|grant| grant.role)
            .max()
    }

    /// Whether something may be done about exceptions of a code.
    #[must_use]
    pub fn may(&self, action: Action, plant: &PlantCode, code: Code) -> bool {
        self.role(plant, code.owner().domain())
            .is_some_and(|role| role >= action.role())
    }

    /// What may be read of the plant's documents: prices by those who buy or pay, bank accounts by those who pay.
    #[must_use]
    pub fn sight(&self, plant: &PlantCode) -> Sight {
        let pays = self.role(plant, BusinessDomain::Finance).is_some();
        Sight {
            prices: pays || self.role(plant, BusinessDomain::Procurement).is_some(),
            bank: pays,
        }
    }

    /// The plants that the grants name; none when one of them is for all plants.
    #[must_use]
    pub fn plants(&self) -> Option<BTreeSet<PlantCode>> {
        let named = self.grants.iter().map(|grant| grant.plants.clone());
        let named: Option<Vec<BTreeSet<PlantCode>>> = named.collect();
        named.map(|sets| sets.into_iter().flatten().collect())
    }
}

impl Grant {
    fn is_at(&self, plant: &PlantCode) -> bool {
        self.plants
            .as_ref()
            .is_none_or(|plants| plants.contains(plant))
    }

    fn is_in(&self, domain: BusinessDomain) -> bool {
        self.domains
            .as_ref()
            .is_none_or(|domains| domains.contains(&domain))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(grants: &[&str]) -> Caller {
        Caller {
            subject: "somebody".to_owned(),
            grants: grants.iter().map(|text| text.parse().unwrap()).collect(),
        }
    }

    #[test]
    fn a_role_counts_at_its_plants_and_in_its_domains_only() {
        let (b, a): (PlantCode, PlantCode) =
            ("plant-b".parse().unwrap(), "plant-a".parse().unwrap());
        let caller = caller(&["steward:plant-b:finance,quality", "viewer:plant-b:*"]);
        assert!(caller.may(Action::Decide, &b, Code::Price));
        assert!(!caller.may(Action::Decide, &b, Code::UnknownItem));
        assert!(caller.may(Action::See, &b, Code::UnknownItem));
        assert!(!caller.may(Action::SkipGroup, &b, Code::Price));
        assert!(!caller.may(Action::See, &a, Code::Price) && !caller.sees(&a));
        assert_eq!(caller.plants().unwrap().len(), 1);
    }

    #[test]
    fn prices_are_for_those_who_buy_or_pay_and_accounts_for_those_who_pay() {
        let b = "plant-b".parse().unwrap();
        let sight = |grant: &str| {
            let sight = caller(&[grant]).sight(&b);
            (sight.prices, sight.bank)
        };
        assert_eq!(sight("viewer:plant-b:finance"), (true, true));
        assert_eq!(sight("operator:*:procurement"), (true, false));
        assert_eq!(
            sight("steward:plant-b:data,quality,production"),
            (false, false)
        );
        assert_eq!(sight("admin:plant-a:finance"), (false, false));
    }

    #[test]
    fn what_is_not_a_grant_grants_nothing() {
        for text in [
            "admin",
            "admin::",
            "admin:*",
            "root:*:*",
            "viewer:PLANT:*",
            "viewer:*:everything",
            "viewer:*,plant-b:*",
            "viewer:*:*:*",
        ] {
            assert!(text.parse::<Grant>().is_err(), "{text}");
        }
        let text = "steward:plant-a,plant-b:finance";
        assert_eq!(text.parse::<Grant>().unwrap().to_string(), text);
    }
}
