//! Interchanges that went to a partner, who acknowledges them by their control number.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::identifier::PlantCode;

/// An interchange, and what its partner said of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispatch {
    /// The plant in whose outbox it is.
    pub plant: PlantCode,
    /// `x12` or `edifact`.
    pub standard: String,
    /// The partner, as the sender of an acknowledgment is named.
    pub partner: String,
    /// The number of interchange, group and set, or message.
    pub control: u32,
    /// The entry that it was made of.
    pub position: u64,
    /// The entry's document.
    pub document: String,
    /// The document's version.
    pub version: u64,
    /// When it was made.
    pub sent_at: Timestamp,
    /// Until when the partner should have acknowledged it.
    pub due_at: Timestamp,
    /// What the partner said.
    pub state: DispatchState,
    /// What is wrong with it, in the partner's codes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<String>,
    /// When the state was last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled_at: Option<Timestamp>,
    /// Raised by every change.
    pub revision: u64,
}

/// What a partner said of an interchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DispatchState {
    /// Nothing yet.
    Sent,
    /// Nothing by its due time; people were told.
    Overdue,
    /// It takes all of it.
    Accepted,
    /// It takes all of it, and noted faults.
    AcceptedWithErrors,
    /// It does not take it.
    Rejected,
    /// A newer version of the document came before anybody fetched it.
    Obsolete,
}

impl DispatchState {
    /// The worse of two things that a partner says stands: of a set, of its group, of their interchange.
    fn weight(self) -> u8 {
        match self {
            Self::Sent | Self::Overdue | Self::Obsolete => 0,
            Self::Accepted => 1,
            Self::AcceptedWithErrors => 2,
            Self::Rejected => 3,
        }
    }
}

impl Dispatch {
    /// The interchange after its partner has said something; none when that changes nothing.
    #[must_use]
    pub fn said(&self, state: DispatchState, errors: &[String], now: Timestamp) -> Option<Self> {
        let new: Vec<String> = errors
            .iter()
            .filter(|error| !self.errors.contains(error))
            .cloned()
            .collect();
        let is_worse = state.weight() > self.state.weight();
        // Of one and the same fault the group says less than the set.
        let says_more = state.weight() == self.state.weight() && !new.is_empty();
        (is_worse || says_more).then(|| Self {
            errors: self.errors.iter().cloned().chain(new).collect(),
            ..self.moved(state, now)
        })
    }

    /// The interchange in another state.
    #[must_use]
    pub fn moved(&self, state: DispatchState, now: Timestamp) -> Self {
        Self {
            state,
            settled_at: Some(now),
            revision: self.revision + 1,
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent() -> Dispatch {
        let at: Timestamp = "2026-11-24T06:00:00Z".parse().unwrap();
        Dispatch {
            plant: "plant-a".parse().unwrap(),
            standard: "x12".to_owned(),
            partner: "ZZ:ACME".to_owned(),
            control: 7,
            position: 1,
            document: "po/plant-a/1".to_owned(),
            version: 1,
            sent_at: at,
            due_at: at,
            state: DispatchState::Sent,
            errors: Vec::new(),
            settled_at: None,
            revision: 1,
        }
    }

    #[test]
    fn the_worst_that_a_partner_says_stands_in_whatever_order_it_comes() {
        use DispatchState::{Accepted, AcceptedWithErrors, Overdue, Rejected};
        let now = sent().sent_at;
        for (said, stands) in [
            (vec![Accepted], Accepted),
            (
                vec![Accepted, AcceptedWithErrors, Accepted],
                AcceptedWithErrors,
            ),
            (vec![Rejected, Accepted], Rejected),
            (vec![Accepted, Rejected], Rejected),
        ] {
            for begin in [sent(), sent().moved(Overdue, now)] {
                let mut one = begin;
                for state in &said {
                    one = one.said(*state, &["AK5 5".to_owned()], now).unwrap_or(one);
                }
                assert_eq!(one.state, stands, "{said:?}");
                assert_eq!(one.errors, ["AK5 5"], "{said:?}");
            }
        }
        let accepted = sent().said(Accepted, &[], now).unwrap();
        assert_eq!(accepted.said(Accepted, &[], now), None, "said twice");
        let group = sent().said(Rejected, &[], now).unwrap();
        let set = group.said(Rejected, &["AK5 5".to_owned()], now).unwrap();
        assert_eq!((set.state, set.errors.len()), (Rejected, 1));
    }
}
