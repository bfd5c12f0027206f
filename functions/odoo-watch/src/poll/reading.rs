//! How far an Odoo has been read for a plant.
//!
//! Odoo stamps a change with the time at which its transaction began, by its own clock, and shows it when the
//! transaction ends. So a reading asks again for what is younger than the one before it began, less the
//! overlap, which is as long as a transaction may last. Odoo's clock is not asked: it is at least as late as
//! the youngest stamp that we have seen, plus the time since we saw it. Should that clock be set back, or a
//! transaction last longer, a reading that goes back further finds what was missed.

use std::collections::BTreeMap;

use interplant_domain::fact::Day;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// What has to be looked at again comes back after this time, and each time after twice as long.
const AGAIN_AFTER: SignedDuration = SignedDuration::from_secs(10);

/// But after this time at the latest.
const AGAIN_AT_LATEST: SignedDuration = SignedDuration::from_mins(15);

/// So often a reading goes back further than the overlap.
const DEEP_EVERY: SignedDuration = SignedDuration::from_hours(6);

/// So far it goes back.
const DEEP: SignedDuration = SignedDuration::from_hours(24);

/// So many orders are asked for again at once.
const MOST_AGAIN: usize = 200;

/// So many may wait to be looked at again: what is stored has to fit an item.
const MOST_WAITING: usize = 10_000;

/// Where the reading of a plant's orders stands, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reading {
    /// From which day on orders are taken up; when the configuration says another one, all is read again.
    pub(crate) since: Day,
    /// Company and operation type: what the configuration says, and what Odoo has for it.
    pub(crate) place: Option<Place>,
    /// Everything that was stamped before, less the overlap, has been read.
    read_until: Timestamp,
    /// The youngest stamp, and when we saw it.
    clock: Clock,
    /// When a reading goes back further.
    deep_at: Timestamp,
    /// A reading that is not at its end.
    scan: Option<Scan>,
    /// Orders that are to be looked at again: when, in seconds since 1970, and how often they were before.
    again: BTreeMap<i64, (i64, u32)>,
    /// Until when a reader has this to itself.
    lease_until: Option<Timestamp>,
}

/// A plant's place in Odoo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) names: (String, String),
    pub(crate) company: i64,
    pub(crate) receipt_type: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Clock {
    stamp: Timestamp,
    seen_at: Timestamp,
}

impl Clock {
    /// The earliest that it can be in Odoo at a time of ours.
    fn at(self, ours: Timestamp) -> Timestamp {
        let since = ours.duration_since(self.seen_at);
        self.stamp + since.max(SignedDuration::ZERO)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Scan {
    from: Timestamp,
    /// The earliest that it can have been in Odoo when it began.
    began: Timestamp,
    after: i64,
    again: Vec<i64>,
}

/// What is to be asked for next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) since: Timestamp,
    pub(crate) after: i64,
    pub(crate) again: Vec<i64>,
}

/// What became of a page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// The last id on it; none when it was empty.
    pub(crate) last: Option<i64>,
    /// The youngest stamp on it.
    pub(crate) youngest: Option<Timestamp>,
    /// Whether another page may follow.
    pub(crate) more: bool,
    /// Orders that are settled for now.
    pub(crate) settled: Vec<i64>,
    /// Orders that have to be looked at again.
    pub(crate) again: Vec<i64>,
}

impl Reading {
    /// Nothing has been read yet.
    pub(crate) fn new(since: Day, now: Timestamp) -> Self {
        let midnight = since.0.to_zoned(TimeZone::UTC);
        let start = midnight.map_or(Timestamp::UNIX_EPOCH, |at| at.timestamp());
        Self {
            since,
            place: None,
            read_until: start,
            clock: Clock {
                stamp: start,
                seen_at: now,
            },
            deep_at: now + DEEP_EVERY,
            scan: None,
            again: BTreeMap::new(),
            lease_until: None,
        }
    }

    /// From when on orders that were confirmed are taken up.
    pub(crate) fn start(&self) -> Timestamp {
        let midnight = self.since.0.to_zoned(TimeZone::UTC);
        midnight.map_or(Timestamp::UNIX_EPOCH, |at| at.timestamp())
    }

    /// Whether it is of the place that the configuration says.
    pub(crate) fn is_of(&self, names: &(String, String)) -> bool {
        self.place
            .as_ref()
            .is_none_or(|place| place.names == *names)
    }

    /// Whether another reader has it.
    pub(crate) fn is_leased(&self, now: Timestamp) -> bool {
        self.lease_until.is_some_and(|until| until > now)
    }

    pub(crate) fn lease(&mut self, until: Option<Timestamp>) {
        self.lease_until = until;
    }

    /// What is to be asked for next; begins a reading unless one is under way.
    pub(crate) fn page(&mut self, overlap: SignedDuration, now: Timestamp) -> Page {
        let scan = self.scan.get_or_insert_with(|| {
            let due = self
                .again
                .iter()
                .filter(|(_, (at, _))| *at <= now.as_second());
            let mut back = overlap;
            if self.deep_at <= now {
                self.deep_at = now + DEEP_EVERY;
                back = DEEP;
            }
            Scan {
                from: self.read_until - back,
                began: self.clock.at(now),
                after: 0,
                again: due.map(|(id, _)| *id).take(MOST_AGAIN).collect(),
            }
        });
        Page {
            since: scan.from,
            after: scan.after,
            again: scan.again.clone(),
        }
    }

    /// Records that everything on a page is durable, and whether the reading is at its end.
    ///
    /// # Errors
    /// How many orders cannot be taken up, when that is more than can be kept. Then nothing is passed: the next
    /// reading begins where this one began.
    pub(crate) fn passed(&mut self, seen: &Seen, now: Timestamp) -> Result<bool, usize> {
        for id in &seen.settled {
            self.again.remove(id);
        }
        for id in &seen.again {
            let times = self.again.get(id).map_or(0, |(_, times)| *times);
            let pause = AGAIN_AFTER.as_secs() << times.min(10);
            let at = now + SignedDuration::from_secs(pause).min(AGAIN_AT_LATEST);
            self.again
                .insert(*id, (at.as_second(), times.saturating_add(1)));
        }
        if self.again.len() > MOST_WAITING {
            let many = self.again.len();
            while self.again.len() > MOST_WAITING {
                self.again.pop_last();
            }
            self.scan = None;
            return Err(many);
        }
        // A clock that is ahead of ours is not believed: should it be put right, we would be ahead of it.
        if let Some(youngest) = seen.youngest.map(|stamp| stamp.min(now))
            && youngest > self.clock.at(now)
        {
            self.clock = Clock {
                stamp: youngest,
                seen_at: now,
            };
        }
        let Some(scan) = &mut self.scan else {
            return Ok(true);
        };
        scan.again
            .retain(|id| !seen.again.contains(id) && !seen.settled.contains(id));
        if let (true, Some(last)) = (seen.more, seen.last) {
            scan.after = last;
            return Ok(false);
        }
        self.read_until = self.read_until.max(scan.began);
        // What was asked for and did not come is gone from Odoo, or from this plant's place there.
        for id in &scan.again {
            self.again.remove(id);
        }
        self.scan = None;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OVERLAP: SignedDuration = SignedDuration::from_secs(60);

    fn at(text: &str) -> Timestamp {
        format!("2026-11-24T{text}Z").parse().unwrap()
    }

    fn day() -> Day {
        Day("2026-11-24".parse().unwrap())
    }

    fn read(reading: &mut Reading, now: Timestamp, youngest: Option<&str>) -> Timestamp {
        let page = reading.page(OVERLAP, now);
        let seen = Seen {
            youngest: youngest.map(at),
            ..Seen::default()
        };
        assert_eq!(reading.passed(&seen, now), Ok(true));
        page.since
    }

    #[test]
    fn a_change_that_becomes_visible_within_the_overlap_is_asked_for_again() {
        // Odoo's clock is two hours behind ours.
        let mut reading = Reading::new(day(), at("12:00:00"));
        assert_eq!(
            read(&mut reading, at("12:00:00"), Some("10:00:00")),
            at("00:00:00") - OVERLAP
        );
        // The reading that has seen the stamp says what time it was when the next one begins, not when it began.
        read(&mut reading, at("12:00:30"), None);
        let since = read(&mut reading, at("12:01:00"), None);
        assert_eq!(since, at("10:00:30") - OVERLAP);
        // A transaction that began at 10:00:00 and became visible before 10:01:00 is in it.
        assert!(since <= at("10:00:00"));
        // Hours later nothing of then is asked for any more.
        read(&mut reading, at("15:00:00"), None);
        assert_eq!(
            read(&mut reading, at("15:00:30"), None),
            at("13:00:00") - OVERLAP
        );
    }

    #[test]
    fn what_was_stamped_while_a_long_reading_ran_is_in_the_next_one() {
        let mut reading = Reading::new(day(), at("12:00:00"));
        read(&mut reading, at("12:00:00"), Some("11:59:59"));
        let began = at("12:01:00");
        reading.page(OVERLAP, began);
        let page = |last, more| Seen {
            last: Some(last),
            youngest: Some(at("12:06:00")),
            more,
            ..Seen::default()
        };
        // Its first page is read at once, its last ten minutes later, with the stamp of a change of then.
        assert_eq!(reading.passed(&page(20, true), began), Ok(false));
        assert_eq!(reading.page(OVERLAP, at("12:05:00")).after, 20);
        assert_eq!(reading.passed(&page(40, false), at("12:11:00")), Ok(true));
        let next = reading.page(OVERLAP, at("12:11:30"));
        assert_eq!((next.after, next.since), (0, at("12:00:59") - OVERLAP));
    }

    #[test]
    fn a_clock_that_was_set_back_hides_nothing_for_long() {
        let mut reading = Reading::new(day(), at("12:00:00"));
        read(&mut reading, at("12:00:00"), Some("12:00:00"));
        read(&mut reading, at("12:00:30"), None);
        // Odoo's clock goes back by an hour: what is stamped 11:30 is behind the overlap.
        assert!(read(&mut reading, at("12:30:00"), None) > at("11:30:00"));
        read(&mut reading, at("17:59:00"), None);
        let deep = read(&mut reading, at("18:00:00"), None);
        assert!(deep < at("11:30:00"));
        // And a clock that is ahead is not followed.
        read(&mut reading, at("18:00:30"), Some("21:00:00"));
        assert!(read(&mut reading, at("18:01:00"), None) < at("18:00:31"));
        assert!(read(&mut reading, at("18:01:30"), None) < at("18:01:01"));
    }

    #[test]
    fn what_has_to_be_looked_at_again_comes_back_until_it_is_settled_or_gone() {
        let mut reading = Reading::new(day(), at("12:00:00"));
        let page = |settled: &[i64], again: &[i64]| Seen {
            settled: settled.to_vec(),
            again: again.to_vec(),
            ..Seen::default()
        };
        reading.page(OVERLAP, at("12:00:00"));
        reading
            .passed(&page(&[], &[7, 8, 9]), at("12:00:00"))
            .unwrap();
        assert_eq!(reading.page(OVERLAP, at("12:00:09")).again, [0; 0]);
        reading.passed(&page(&[], &[]), at("12:00:09")).unwrap();
        assert_eq!(reading.page(OVERLAP, at("12:00:10")).again, [7, 8, 9]);
        // Seven is settled, eight waits on and longer, nine is not there any more.
        reading.passed(&page(&[7], &[8]), at("12:00:10")).unwrap();
        assert_eq!(reading.page(OVERLAP, at("12:00:29")).again, [0; 0]);
        reading.passed(&page(&[], &[]), at("12:00:29")).unwrap();
        assert_eq!(reading.page(OVERLAP, at("12:00:30")).again, [8]);
    }

    #[test]
    fn more_than_can_be_kept_keeps_the_reading_where_it_is() {
        let mut reading = Reading::new(day(), at("12:00:00"));
        let before = reading.page(OVERLAP, at("12:00:00")).since;
        let many = Seen {
            again: (1..=10_001).collect(),
            more: true,
            last: Some(10_001),
            ..Seen::default()
        };
        assert_eq!(reading.passed(&many, at("12:00:00")), Err(10_001));
        let next = reading.page(OVERLAP, at("12:30:00"));
        assert_eq!((next.since, next.after), (before, 0));
        assert!(serde_json::to_string(&reading).unwrap().len() < 380_000);
    }

    #[test]
    fn one_reader_has_it_until_its_lease_is_over() {
        let mut reading = Reading::new(day(), at("12:00:00"));
        reading.lease(Some(at("12:00:20")));
        assert!(reading.is_leased(at("12:00:19")) && !reading.is_leased(at("12:00:20")));
        reading.lease(None);
        assert!(!reading.is_leased(at("12:00:00")));
    }
}
