//! How much is asked of one Odoo database at a time.
//!
//! As long as an Odoo answers, nobody counts. When calls of several lifecycles fail within a short time, the
//! circuit opens: nobody calls, and one probe at a time asks whether it is back. When it is back, or when its
//! answers are slow, only so many lifecycles may be at work at once; the limit grows while answers come fast
//! and falls while they are slow.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::identifier::LifecycleId;
use crate::lifecycle::Lifecycle;
use crate::purchase_order::{Next, Step};

/// So many failures within [`WINDOW`] open the circuit, if they are of more than one lifecycle: what only one
/// document meets is that document's own trouble.
const FAILURES: usize = 5;
/// Time within which failures are counted together.
const WINDOW: SignedDuration = SignedDuration::from_secs(30);
/// Lifecycles at work at once when an Odoo has just come back.
const FIRST_LIMIT: u32 = 1;
/// Lifecycles at work at once when answers have become slow.
const SLOW_LIMIT: u32 = 8;
/// With this limit and nothing left to catch up with, nobody counts any more.
pub const HIGHEST_LIMIT: u32 = 32;
/// How long a lifecycle may be at work that nobody has reported back.
const PERMIT: SignedDuration = SignedDuration::from_mins(5);

/// Which lifecycles go first when an Odoo is back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Criticality {
    /// Goods leave or are finished.
    Critical,
    /// What the plant waits for: orders, receipts, quality.
    Normal,
    /// Invoices.
    Batch,
}

impl Criticality {
    /// In the order in which they are released.
    pub const ALL: [Self; 3] = [Self::Critical, Self::Normal, Self::Batch];

    /// Which lane a lifecycle waits in.
    #[must_use]
    pub fn of(lifecycle: &Lifecycle) -> Self {
        match lifecycle.next() {
            Next::Do(Step::MatchInvoice | Step::PostInvoice, _) => Self::Batch,
            Next::Do(..) | Next::Wait | Next::Decide => Self::Normal,
        }
    }

    /// Its place in an index.
    #[must_use]
    pub fn rank(self) -> u8 {
        match self {
            Self::Critical => 0,
            Self::Normal => 1,
            Self::Batch => 2,
        }
    }
}

/// What is known of one Odoo database.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lane {
    /// Whether calls are made.
    pub circuit: Circuit,
    /// Calls that failed lately, and whose.
    #[serde(default)]
    failures: Vec<(Timestamp, LifecycleId)>,
}

/// Whether calls are made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Circuit {
    /// By everybody.
    #[default]
    Closed,
    /// By so many at once.
    Limited {
        /// How many.
        limit: u32,
        /// Who, and until when if nobody reports.
        permits: BTreeMap<LifecycleId, Timestamp>,
        /// When the limit last fell; slow answers to calls from before say nothing new.
        fell_at: Option<Timestamp>,
        /// Whether it has answered a probe, and no step yet: the next failure opens the circuit again.
        #[serde(default)]
        on_trial: bool,
    },
    /// By nobody.
    Open {
        /// Since when.
        since: Timestamp,
        /// What happened.
        reason: String,
        /// When Odoo is asked next whether it is back.
        probe_at: Timestamp,
        /// How often it was asked.
        probes: u32,
    },
}

/// Whether a lifecycle may go to work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// Nobody counts.
    Free,
    /// It has a permit; the lane has changed if it is new.
    Permit {
        /// Whether it was given just now.
        new: bool,
    },
    /// Not now.
    Held,
}

impl Lane {
    /// Whether nothing is remarkable: then nothing needs to be written.
    #[must_use]
    pub fn is_calm(&self) -> bool {
        matches!(self.circuit, Circuit::Closed)
    }

    /// Whether nobody may call.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.circuit, Circuit::Open { .. })
    }

    /// Asks for work.
    pub fn admit(&mut self, id: &LifecycleId, now: Timestamp) -> Admission {
        match &mut self.circuit {
            Circuit::Closed => Admission::Free,
            Circuit::Open { .. } => Admission::Held,
            Circuit::Limited { limit, permits, .. } => {
                if permits.contains_key(id) {
                    return Admission::Permit { new: false };
                }
                permits.retain(|_, until| *until > now);
                if permits.len() < as_count(*limit) {
                    permits.insert(id.clone(), now + PERMIT);
                    Admission::Permit { new: true }
                } else {
                    Admission::Held
                }
            }
        }
    }

    /// How many more may go to work; none when nobody counts.
    #[must_use]
    pub fn room(&self, now: Timestamp) -> Option<usize> {
        match &self.circuit {
            Circuit::Closed => None,
            Circuit::Open { .. } => Some(0),
            Circuit::Limited { limit, permits, .. } => {
                let at_work = permits.values().filter(|until| **until > now).count();
                Some(as_count(*limit).saturating_sub(at_work))
            }
        }
    }

    /// A lifecycle has come to rest. Whether that changes anything.
    pub fn rests(&mut self, id: &LifecycleId) -> bool {
        match &mut self.circuit {
            Circuit::Limited { permits, .. } => permits.remove(id).is_some(),
            Circuit::Closed | Circuit::Open { .. } => false,
        }
    }

    /// Odoo has answered a step's calls; `slow` is what its owner calls so. Whether that changes anything.
    pub fn answered(&mut self, began: Timestamp, slow: bool, now: Timestamp) -> bool {
        match &mut self.circuit {
            Circuit::Closed if slow => {
                self.circuit = Circuit::Limited {
                    limit: SLOW_LIMIT,
                    permits: BTreeMap::new(),
                    fell_at: Some(now),
                    on_trial: false,
                };
                true
            }
            Circuit::Limited {
                limit,
                fell_at,
                on_trial,
                ..
            } if slow => {
                *on_trial = false;
                // Calls that began before the limit fell met the crowd of then.
                let old = fell_at.is_some_and(|fell| began < fell);
                if !old {
                    *limit = (*limit / 2).max(1);
                    *fell_at = Some(now);
                }
                !old
            }
            Circuit::Limited {
                limit, on_trial, ..
            } if *limit < HIGHEST_LIMIT => {
                *on_trial = false;
                *limit += 1;
                true
            }
            Circuit::Closed | Circuit::Limited { .. } | Circuit::Open { .. } => false,
        }
    }

    /// Nothing waits any more: with the highest limit reached, or with nobody at work and no slow answer for a
    /// while, nobody needs to count. Whether that changes anything.
    pub fn caught_up(&mut self, now: Timestamp) -> bool {
        let Circuit::Limited {
            limit,
            permits,
            fell_at,
            on_trial,
        } = &self.circuit
        else {
            return false;
        };
        let at_rest = !on_trial
            && permits.values().all(|until| *until <= now)
            && fell_at.is_none_or(|fell| fell + WINDOW <= now);
        let caught_up = *limit >= HIGHEST_LIMIT || at_rest;
        if caught_up {
            self.circuit = Circuit::Closed;
        }
        caught_up
    }

    /// A call has failed that Odoo, or what stands before it, should have answered. `wait` is how long an Odoo
    /// that does not answer is left alone, unless it says itself.
    pub fn failed(
        &mut self,
        id: &LifecycleId,
        reason: &str,
        retry_after: Option<SignedDuration>,
        wait: SignedDuration,
        now: Timestamp,
    ) {
        self.failures.retain(|(at, _)| *at + WINDOW > now);
        self.failures.push((now, id.clone()));
        let mut failed_again = false;
        if let Circuit::Limited {
            limit,
            permits,
            fell_at,
            on_trial,
        } = &mut self.circuit
        {
            failed_again = *on_trial;
            permits.remove(id);
            *limit = (*limit / 2).max(1);
            *fell_at = Some(now);
        }
        let whose: BTreeSet<&LifecycleId> = self.failures.iter().map(|(_, id)| id).collect();
        let many = failed_again || (self.failures.len() >= FAILURES && whose.len() > 1);
        // Who is asked to come back later does so, however few have been told.
        if let Some(wait) = retry_after.or_else(|| many.then_some(wait)) {
            self.open(reason, now + wait, now);
        }
    }

    fn open(&mut self, reason: &str, probe_at: Timestamp, now: Timestamp) {
        match &mut self.circuit {
            Circuit::Open {
                probe_at: known, ..
            } => *known = probe_at.max(*known),
            Circuit::Closed | Circuit::Limited { .. } => {
                self.circuit = Circuit::Open {
                    since: now,
                    reason: reason.to_owned(),
                    probe_at,
                    probes: 0,
                };
            }
        }
        self.failures.clear();
    }

    /// Claims the next probe, if it is due: whoever writes the lane with it asks Odoo, and nobody else does for
    /// the time of `wait`.
    pub fn claim_probe(&mut self, wait: SignedDuration, now: Timestamp) -> bool {
        match &mut self.circuit {
            Circuit::Open {
                probe_at, probes, ..
            } if *probe_at <= now => {
                *probe_at = now + wait;
                *probes += 1;
                true
            }
            Circuit::Open { .. } | Circuit::Closed | Circuit::Limited { .. } => false,
        }
    }

    /// The probe was answered: a few may go to work.
    pub fn is_back(&mut self) {
        if self.is_open() {
            self.circuit = Circuit::Limited {
                limit: FIRST_LIMIT,
                permits: BTreeMap::new(),
                fell_at: None,
                on_trial: true,
            };
        }
    }

    /// The probe was told to come back later.
    pub fn come_back(&mut self, wait: SignedDuration, now: Timestamp) {
        if let Circuit::Open { probe_at, .. } = &mut self.circuit {
            *probe_at = (*probe_at).max(now + wait);
        }
    }
}

fn as_count(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAIT: SignedDuration = SignedDuration::from_secs(30);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn order(number: u32) -> LifecycleId {
        format!("po/plant-b/{number}").parse().unwrap()
    }

    fn opened() -> Lane {
        let mut lane = Lane::default();
        for number in 0..5 {
            assert!(!lane.is_open(), "after {number} failures");
            lane.failed(&order(number), "502", None, WAIT, at(i64::from(number)));
        }
        assert!(lane.is_open());
        lane
    }

    #[test]
    fn five_failures_of_several_orders_within_half_a_minute_open_the_circuit() {
        opened();
        let mut slowly = Lane::default();
        let mut one = Lane::default();
        for number in 0..50 {
            slowly.failed(&order(number), "502", None, WAIT, at(i64::from(number) * 8));
            one.failed(&order(1), "502", None, WAIT, at(i64::from(number)));
        }
        assert!(slowly.is_calm(), "failures that are far apart");
        assert!(one.is_calm(), "failures of one order alone");
    }

    #[test]
    fn an_open_circuit_is_probed_once_in_half_a_minute_by_one() {
        let mut lane = opened();
        let probes = (0..3600).filter(|second| lane.claim_probe(WAIT, at(*second)));
        assert_eq!(probes.count(), 119);
        assert_eq!(lane.admit(&order(1), at(1)), Admission::Held);
    }

    #[test]
    fn retry_after_opens_at_once_and_is_honoured_to_the_second() {
        let mut lane = Lane::default();
        lane.failed(
            &order(1),
            "429",
            Some(SignedDuration::from_secs(90)),
            WAIT,
            at(0),
        );
        assert!(lane.is_open());
        let first = (0..600).find(|second| lane.claim_probe(WAIT, at(*second)));
        assert_eq!(first, Some(90));
        lane.come_back(SignedDuration::from_secs(300), at(90));
        let next = (91..600).find(|second| lane.claim_probe(WAIT, at(*second)));
        assert_eq!(next, Some(390));
    }

    #[test]
    fn an_odoo_that_is_back_gets_more_with_every_answer_until_nobody_counts() {
        let mut lane = opened();
        lane.is_back();
        assert_eq!(
            lane.admit(&order(0), at(100)),
            Admission::Permit { new: true }
        );
        assert_eq!(lane.admit(&order(9), at(100)), Admission::Held);
        assert_eq!(
            lane.admit(&order(0), at(100)),
            Admission::Permit { new: false }
        );
        assert!(lane.answered(at(100), false, at(101)));
        assert_eq!(lane.room(at(101)), Some(1));
        assert!(!lane.caught_up(at(101)), "somebody is at work");
        let mut idle = lane.clone();
        idle.rests(&order(0));
        assert_eq!(idle.room(at(101)), Some(2));
        assert!(idle.caught_up(at(101)) && idle.is_calm());
        while lane.answered(at(102), false, at(103)) {}
        assert!(lane.caught_up(at(103)) && lane.is_calm());
    }

    #[test]
    fn an_odoo_that_answers_the_probe_and_no_step_is_left_alone_again_at_once() {
        let mut lane = opened();
        lane.is_back();
        assert!(!lane.caught_up(at(100)), "nothing is proven yet");
        lane.admit(&order(1), at(100));
        lane.failed(&order(1), "502", None, WAIT, at(101));
        assert!(lane.is_open());
        assert!(!lane.claim_probe(WAIT, at(130)) && lane.claim_probe(WAIT, at(131)));
        lane.is_back();
        lane.answered(at(131), false, at(132));
        lane.failed(&order(1), "502", None, WAIT, at(133));
        assert!(!lane.is_open(), "one failure of many answers");
    }

    #[test]
    fn slow_answers_let_the_limit_fall_once_for_each_crowd() {
        let mut lane = Lane::default();
        assert!(lane.answered(at(0), true, at(25)));
        assert_eq!(lane.room(at(25)), Some(8));
        for _ in 0..20 {
            // These began in the crowd that has just been thinned.
            assert!(!lane.answered(at(10), true, at(26)));
        }
        for (second, room) in [(30, 4), (60, 2), (90, 1), (120, 1)] {
            lane.answered(at(second), true, at(second + 25));
            assert_eq!(lane.room(at(second + 25)), Some(room));
        }
        assert!(!lane.caught_up(at(146)), "it was slow a second ago");
        assert!(lane.caught_up(at(200)));
    }

    #[test]
    fn a_permit_that_nobody_gives_back_ends_by_itself() {
        let mut lane = opened();
        lane.is_back();
        lane.admit(&order(1), at(100));
        assert_eq!(lane.room(at(399)), Some(0));
        assert_eq!(lane.room(at(400)), Some(1));
        assert_eq!(
            lane.admit(&order(3), at(400)),
            Admission::Permit { new: true }
        );
    }

    #[test]
    fn what_is_stored_is_read_again() {
        for lane in [Lane::default(), opened()] {
            let text = serde_json::to_string(&lane).unwrap();
            assert_eq!(serde_json::from_str::<Lane>(&text).unwrap(), lane);
        }
    }
}
