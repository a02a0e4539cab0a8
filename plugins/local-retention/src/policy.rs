//! Which backups have had their time. Pure: it decides from dates alone.
//!
//! - *Age* counts from the newest backup, or from now where that is earlier:
//!   when backups cease, what is there does not melt away.
//! - *Count* keeps the newest so many. Pinned ones do not count.
//! - *Generations* (grandfather, father, son) keep the newest backup of each of
//!   the last N days, weeks, months and years in which there was one, by the
//!   calendar in UTC; weeks go from Monday to Sunday (ISO 8601). A backup that
//!   several of them keep counts for each. Days without a backup do not count,
//!   so a pause costs nothing.
//! - The newest backup and pinned ones never go.

use std::{cmp::Reverse, collections::BTreeSet, fmt};

use cofferdam_plugin::{
    Candidate, Expired,
    time::{Timestamp, utc},
};
use jiff::civil::Date;

const DAY: i64 = 86_400;

/// What to keep. With nothing set, everything.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Policy {
    pub(crate) days: Option<u32>,
    pub(crate) count: Option<u32>,
    pub(crate) generations: Option<Generations>,
}

/// Of how many periods the newest backup is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Generations {
    pub(crate) daily: u32,
    pub(crate) weekly: u32,
    pub(crate) monthly: u32,
    pub(crate) yearly: u32,
}

impl Policy {
    /// Those that may go, newest first, each with the reason.
    pub(crate) fn select(&self, now: Timestamp, candidates: &[Candidate]) -> Vec<Expired> {
        let mut newest_first: Vec<_> = candidates.iter().collect();
        newest_first.sort_by_key(|one| (Reverse(one.created_at), one.id.clone()));
        let Some(newest) = newest_first.first() else {
            return Vec::new();
        };
        let reference = now.min(newest.created_at);
        let kept = self.generations.map(|generations| generations.kept(&newest_first));

        let mut expired = Vec::new();
        let mut counted = 0_u32;
        for (place, one) in newest_first.iter().enumerate() {
            if one.pinned {
                continue;
            }
            counted = counted.saturating_add(1);
            if place == 0 {
                continue;
            }
            if let Some(reason) = self.reason(one, reference, counted, kept.as_ref()) {
                expired.push(Expired { id: one.id.clone(), reason });
            }
        }
        expired
    }

    fn reason(
        &self,
        one: &Candidate,
        reference: Timestamp,
        counted: u32,
        kept: Option<&BTreeSet<&str>>,
    ) -> Option<String> {
        let age = reference.as_second() - one.created_at.as_second();
        if let Some(days) = self.days.filter(|days| age > i64::from(*days) * DAY) {
            return Some(format!("older than {}", number(days, "day")));
        }
        if let Some(count) = self.count.filter(|count| counted > *count) {
            let all = if count == 1 {
                "not the newest".to_owned()
            } else {
                format!("not among the newest {count}")
            };
            return Some(all);
        }
        if kept.is_some_and(|kept| !kept.contains(one.id.as_str())) {
            let generations = self.generations.map(|all| all.to_string()).unwrap_or_default();
            return Some(format!("not the newest of any of {generations}"));
        }
        None
    }
}

impl Generations {
    /// The ids of those that one of the generations keeps.
    fn kept<'a>(&self, newest_first: &[&'a Candidate]) -> BTreeSet<&'a str> {
        let date = |one: &Candidate| utc(one.created_at).date();
        let mut kept = BTreeSet::new();
        let mut keep = |number: u32, period: &dyn Fn(Date) -> (i16, i16)| {
            let mut seen = BTreeSet::new();
            for one in newest_first {
                if seen.len() >= number as usize {
                    break;
                }
                if seen.insert(period(date(one))) {
                    kept.insert(one.id.as_str());
                }
            }
        };
        keep(self.daily, &|date| (date.year(), date.day_of_year()));
        keep(self.weekly, &|date| {
            let week = date.iso_week_date();
            (week.year(), week.week().into())
        });
        keep(self.monthly, &|date| (date.year(), date.month().into()));
        keep(self.yearly, &|date| (date.year(), 0));
        kept
    }
}

impl fmt::Display for Generations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = [
            (self.daily, "day"),
            (self.weekly, "week"),
            (self.monthly, "month"),
            (self.yearly, "year"),
        ];
        let told: Vec<_> = all
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, unit)| number(count, unit))
            .collect();
        match told.as_slice() {
            [rest @ .., last] if !rest.is_empty() => {
                write!(f, "the last {} and {last}", rest.join(", "))
            }
            _ => write!(f, "the last {}", told.join("")),
        }
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.days, self.count, &self.generations) {
            (Some(days), Some(count), _) => {
                write!(f, "Kept are backups of {}, at most {count}", number(days, "day"))
            }
            (Some(days), None, _) => write!(f, "Kept are backups of {}", number(days, "day")),
            (None, Some(1), _) => write!(f, "Kept is the newest backup"),
            (None, Some(count), _) => write!(f, "Kept are the newest {count} backups"),
            (None, None, Some(all)) => write!(f, "Kept is the newest backup of each of {all}"),
            (None, None, None) => write!(f, "Kept is everything"),
        }
    }
}

fn number(count: u32, unit: &str) -> String {
    if count == 1 { format!("1 {unit}") } else { format!("{count} {unit}s") }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a moment")
    }

    fn candidate(id: impl fmt::Display, created_at: Timestamp) -> Candidate {
        let (id, database) = (id.to_string(), "shop".to_owned());
        Candidate { id, database, created_at, size: 1, verified: false, pinned: false }
    }

    /// One each day at noon, the newest first: `2026-01-31`, `2026-01-30`, …
    fn daily(count: i64) -> Vec<Candidate> {
        let newest = at("2026-01-31T12:00:00Z");
        (0..count)
            .map(|days| {
                let moment = Timestamp::from_second(newest.as_second() - days * DAY);
                let moment = moment.expect("a moment");
                candidate(utc(moment).date(), moment)
            })
            .collect()
    }

    fn ids(expired: &[Expired]) -> Vec<&str> {
        expired.iter().map(|one| one.id.as_str()).collect()
    }

    const AGE: Policy = Policy { days: Some(7), count: None, generations: None };
    const COUNT: Policy = Policy { days: None, count: Some(3), generations: None };

    fn generations(daily: u32, weekly: u32, monthly: u32, yearly: u32) -> Policy {
        let generations = Some(Generations { daily, weekly, monthly, yearly });
        Policy { days: None, count: None, generations }
    }

    #[test]
    fn what_is_older_than_the_days_goes() {
        let expired = AGE.select(at("2026-01-31T13:00:00Z"), &daily(10));
        assert_eq!(ids(&expired), ["2026-01-23", "2026-01-22"]);
        assert_eq!(expired[0].reason, "older than 7 days");
    }

    #[test]
    fn when_backups_have_ceased_nothing_melts_away() {
        assert!(AGE.select(at("2027-06-01T00:00:00Z"), &daily(8)).is_empty());
    }

    #[test]
    fn a_clock_that_is_behind_removes_nothing_more() {
        assert!(AGE.select(at("2025-01-31T00:00:00Z"), &daily(10)).is_empty());
    }

    #[test]
    fn beyond_the_number_the_oldest_go_and_pinned_ones_do_not_count() {
        let mut candidates = daily(6);
        candidates[1].pinned = true;
        let expired = COUNT.select(at("2026-01-31T13:00:00Z"), &candidates);
        assert_eq!(ids(&expired), ["2026-01-27", "2026-01-26"]);
        assert_eq!(expired[0].reason, "not among the newest 3");
    }

    #[test]
    fn the_order_in_which_they_come_does_not_matter() {
        let now = at("2026-01-31T13:00:00Z");
        let mut reversed = daily(40);
        reversed.reverse();
        for policy in [AGE, COUNT, generations(3, 2, 1, 1)] {
            assert_eq!(policy.select(now, &daily(40)), policy.select(now, &reversed));
        }
    }

    #[test]
    fn generations_keep_the_newest_of_each_day_week_month_and_year() {
        let candidates = daily(400);
        let expired = generations(3, 2, 3, 2).select(at("2026-01-31T13:00:00Z"), &candidates);
        let gone: BTreeSet<_> = ids(&expired).into_iter().collect();
        let kept: Vec<_> =
            candidates.iter().map(|one| one.id.as_str()).filter(|id| !gone.contains(id)).collect();
        // Saturday the 31st and two days before; Sunday the 25th ends the week
        // before; the last days of December and November; 2025 ends in December.
        assert_eq!(
            kept,
            ["2026-01-31", "2026-01-30", "2026-01-29", "2026-01-25", "2025-12-31", "2025-11-30"]
        );
        assert_eq!(
            expired[0].reason,
            "not the newest of any of the last 3 days, 2 weeks, 3 months and 2 years"
        );
    }

    #[test]
    fn of_one_day_the_newest_is_kept_by_the_calendar_in_utc() {
        let candidates = [
            candidate("c", at("2026-03-29T00:30:00Z")),
            candidate("b", at("2026-03-28T23:30:00Z")),
            candidate("a", at("2026-03-28T01:00:00Z")),
        ];
        assert_eq!(
            ids(&generations(7, 0, 0, 0).select(at("2026-03-29T01:00:00Z"), &candidates)),
            ["a"]
        );
    }

    #[test]
    fn a_week_may_lie_in_two_years() {
        let candidates = [
            candidate("thursday", at("2026-01-01T00:00:00Z")),
            candidate("monday", at("2025-12-29T00:00:00Z")),
            candidate("sunday", at("2025-12-28T00:00:00Z")),
        ];
        let expired = generations(0, 5, 0, 0).select(at("2026-01-02T00:00:00Z"), &candidates);
        assert_eq!(ids(&expired), ["monday"]);
    }

    #[test]
    fn days_without_a_backup_do_not_count() {
        let candidates = [
            candidate("a", at("2026-01-31T00:00:00Z")),
            candidate("b", at("2025-06-01T00:00:00Z")),
            candidate("c", at("2020-01-01T00:00:00Z")),
        ];
        assert_eq!(
            ids(&generations(2, 0, 0, 0).select(at("2026-02-01T00:00:00Z"), &candidates)),
            ["c"]
        );
    }

    #[test]
    fn of_no_backups_none_goes() {
        assert!(AGE.select(at("2026-02-01T00:00:00Z"), &[]).is_empty());
    }

    fn any_policy() -> impl Strategy<Value = Policy> {
        let number = || proptest::option::of(1_u32..20);
        let some = (0_u32..5, 0_u32..5, 0_u32..5, 0_u32..5);
        (number(), number(), proptest::option::of(some)).prop_map(|(days, count, four)| Policy {
            days,
            count,
            generations: four.map(|(daily, weekly, monthly, yearly)| Generations {
                daily,
                weekly,
                monthly,
                yearly,
            }),
        })
    }

    fn any_candidates() -> impl Strategy<Value = Vec<Candidate>> {
        // Three years around 2026, sometimes twice in the same moment.
        proptest::collection::vec((0_i64..1_095 * 24, any::<bool>()), 0..60).prop_map(|hours| {
            hours
                .into_iter()
                .enumerate()
                .map(|(id, (hours, pinned))| Candidate {
                    pinned,
                    ..candidate(
                        id,
                        Timestamp::from_second(1_735_689_600 + hours * 3_600).expect("a moment"),
                    )
                })
                .collect()
        })
    }

    proptest! {
        #[test]
        fn the_newest_and_pinned_ones_never_go(
            policy in any_policy(), candidates in any_candidates(), now in 0_i64..4_000_000_000,
        ) {
            let now = Timestamp::from_second(now).expect("a moment");
            let expired = policy.select(now, &candidates);
            let gone: BTreeSet<_> = ids(&expired).into_iter().collect();
            prop_assert_eq!(gone.len(), expired.len());
            let newest = candidates.iter().map(|one| one.created_at).max();
            for one in &candidates {
                prop_assert!(!(one.pinned && gone.contains(one.id.as_str())));
            }
            if let Some(newest) = newest {
                let left = candidates.iter().filter(|one| !gone.contains(one.id.as_str()));
                prop_assert_eq!(left.map(|one| one.created_at).max(), Some(newest));
            }
        }

        #[test]
        fn generations_keep_as_many_days_as_asked_or_as_there_are(
            candidates in any_candidates(), days in 1_u32..10,
        ) {
            let now = at("2030-01-01T00:00:00Z");
            let expired = generations(days, 0, 0, 0).select(now, &candidates);
            let gone: BTreeSet<_> = ids(&expired).into_iter().collect();
            let date = |one: &Candidate| utc(one.created_at).date();
            let there: BTreeSet<_> = candidates.iter().map(date).collect();
            let left: BTreeSet<_> =
                candidates.iter().filter(|one| !gone.contains(one.id.as_str())).map(date).collect();
            // The newest days, each with a backup left.
            let wanted: BTreeSet<_> = there.iter().rev().take(days as usize).copied().collect();
            prop_assert!(wanted.is_subset(&left));
        }

        #[test]
        fn deciding_again_after_removal_removes_nothing_more(
            policy in any_policy(), candidates in any_candidates(),
        ) {
            let now = at("2029-01-01T00:00:00Z");
            let expired = policy.select(now, &candidates);
            let gone: BTreeSet<_> = ids(&expired).into_iter().collect();
            let left: Vec<_> =
                candidates.iter().filter(|one| !gone.contains(one.id.as_str())).cloned().collect();
            prop_assert!(policy.select(now, &left).is_empty());
        }
    }
}
