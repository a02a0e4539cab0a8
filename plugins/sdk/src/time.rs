//! Moments, in UTC.

pub use jiff::Timestamp;
use jiff::{civil::DateTime, tz::Offset};

use crate::{Failure, Result};

/// Reads what the console wrote: RFC 3339, `2026-01-31T02:00:00.000Z`.
pub fn parse(text: &str) -> Result<Timestamp> {
    text.parse().map_err(|_| Failure::permanent(format!("{text:?} is no moment in RFC 3339")))
}

/// Its date and time of day in UTC.
pub fn utc(moment: Timestamp) -> DateTime {
    Offset::UTC.to_datetime(moment)
}

/// Now, by the console's clock.
pub fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let seconds = since.map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX));
    Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH)
}
