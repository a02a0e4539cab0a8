//! Whether the clock is to be believed. A policy counts days, and with a clock
//! that is a year ahead all but the newest copy are too old at once.

use chrono::TimeDelta;
use cofferdam_model::Timestamp;

/// After a pause like this, a policy that lets most copies go may only have met
/// a clock that was set.
const PAUSE: TimeDelta = TimeDelta::days(2);
/// A copy that is newer than now by more than this was made by a wrong clock,
/// or now is.
const AHEAD: TimeDelta = TimeDelta::hours(1);

/// Why a run that nobody has asked for lets nothing go, of copies made at these
/// moments, newest first, of which a policy names `goes`. Once more backups
/// have been made, most copies are newer than the pause, and it goes on.
pub(super) fn doubt(moments: &[Timestamp], goes: usize, now: Timestamp) -> Option<String> {
    let newest = *moments.first()?;
    if goes == 0 {
        return None;
    }
    if newest - now > AHEAD {
        return Some(format!(
            "the newest copy is of {}, which is still to come: the clock is wrong, or was",
            newest.format("%Y-%m-%d %H:%M")
        ));
    }
    let before = moments.get(1).map_or(TimeDelta::zero(), |it| newest - *it);
    let pause = before.max(now - newest);
    (goes > 1 && goes * 2 > moments.len() && pause > PAUSE).then(|| {
        format!(
            "the policy names {goes} of {} copies of a database at once, after {} days without a backup: the clock may be wrong",
            moments.len(),
            pause.num_days()
        )
    })
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    const NOW: i64 = 1_800_000_000;

    /// Moments so many hours before now.
    fn ago(hours: &[i64]) -> Vec<Timestamp> {
        let at = |hours: &i64| DateTime::from_timestamp(NOW - hours * 3_600, 0).expect("a moment");
        hours.iter().map(at).collect()
    }

    fn told(hours: &[i64], goes: usize) -> Option<String> {
        doubt(&ago(hours), goes, ago(&[0])[0])
    }

    #[test]
    fn a_clock_that_was_set_ahead_or_back_takes_nothing() {
        let year = 365 * 24;
        assert!(
            told(&[0, year, year + 24, year + 48], 3).is_some_and(|it| it.contains("365 days"))
        );
        assert!(told(&[year, year + 24, year + 48], 2).is_some());
        assert!(told(&[-year, -year + 24, 0], 1).is_some_and(|it| it.contains("still to come")));
        assert!(told(&[-24, 0], 1).is_some());
    }

    #[test]
    fn what_is_usual_goes_by_itself() {
        assert_eq!(told(&[], 0), None);
        assert_eq!(told(&[0, 24, 48, 72], 1), None);
        // A policy that was made stricter.
        assert_eq!(told(&[0, 24, 48, 72], 3), None);
        // Weekly ones, and one that follows a pause when enough others are there again.
        assert_eq!(told(&[0, 168, 336], 1), None);
        assert_eq!(told(&[0, 24, 48, 500, 524], 2), None);
        // A clock that is an hour off because of summer.
        assert_eq!(told(&[-1, 23, 47], 2), None);
    }
}
