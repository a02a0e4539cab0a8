//! Copies that have had their time.

use crate::format;

pub(crate) const TITLE: &str = "Retention";
pub(crate) const LOOK: &str = "What would go";
pub(crate) const AGAIN: &str = "Look again";
pub(crate) const LOOKING: &str = "Looking";
pub(crate) const WHAT: &str = "After each delivery and once a day, the plugin's policy names the copies here whose time is over, and they are removed. Pinned ones, the newest and the last good one always stay.";
pub(crate) const NOTHING: &str = "Nothing here has had its time.";
pub(crate) const HELD: &str = "Nothing goes now:";
pub(crate) const HELD_BACK: &str = "The last look let nothing go:";
pub(crate) const GOES: &str = "Goes";
pub(crate) const STAYS: &str = "Stays";

pub(crate) fn title(destination: &str) -> String {
    format!("What would go from {destination}")
}

pub(crate) fn copies(count: u64) -> String {
    if count == 1 { "1 copy".to_owned() } else { format!("{} copies", format::number(count)) }
}

pub(crate) fn remove(count: usize) -> String {
    if count == 1 { "Remove this copy".to_owned() } else { format!("Remove these {count} copies") }
}
