//! What an author writes: a type, and these traits on it.

use serde::de::DeserializeOwned;

pub use crate::bindings::imports::cofferdam::plugin::types::{Backup, Event, Receipt, Severity};
use crate::{Result, time::Timestamp};

/// What every plugin is.
pub trait Plugin {
    /// What its form asks for. Give every setting that is not required a
    /// `#[serde(default)]` equal to the schema's.
    type Settings: DeserializeOwned;

    /// Says what the plugin is. The same answer every time.
    fn describe() -> Description;

    /// Tries the settings out without leaving anything behind, and says in a
    /// sentence what was found: `The bucket backups is there and may be written to`.
    fn check(settings: Self::Settings) -> Result<String>;
}

/// A place that keeps backups.
pub trait Storage: Plugin {
    /// Puts the backup's file, which [`artifact`](crate::artifact) gives, there
    /// whole, and its sidecar beside it. The same backup may come again.
    fn store(settings: Self::Settings, backup: &Backup) -> Result<Receipt>;

    /// Fetches what is at `location` and writes it to the [`sink`](crate::sink):
    /// `length` bytes from `offset` on, or all that follow.
    fn open(
        settings: Self::Settings,
        location: &str,
        offset: u64,
        length: Option<u64>,
    ) -> Result<()>;

    /// Removes what is at `location`, and its sidecar. That it is gone already
    /// is a success.
    fn remove(settings: Self::Settings, location: &str) -> Result<()>;

    /// Some of what is there, from the beginning or from where the page before ended.
    fn list(settings: Self::Settings, cursor: Option<&str>) -> Result<Page>;
}

/// Something that tells people, or other programs, what happened.
pub trait Notifier: Plugin {
    /// Passes the event on, and says in a few words how: `sent to 2 addresses`.
    fn notify(settings: Self::Settings, event: &Event) -> Result<String>;
}

/// A policy that says which backups have had their time.
pub trait Retention: Plugin {
    /// Which of `candidates`, all of one database and newest first, may go now.
    fn select(
        settings: Self::Settings,
        now: Timestamp,
        candidates: &[Candidate],
    ) -> Result<Vec<Expired>>;
}

/// What the console shows before anybody uses the plugin.
#[derive(Debug, Clone)]
pub struct Description {
    /// Its short name, the same in all its versions: `[a-z0-9-]{1,40}`.
    pub id: &'static str,
    /// Its name for people.
    pub name: &'static str,
    /// Its version; usually `env!("CARGO_PKG_VERSION")`.
    pub version: &'static str,
    /// What it does, in one sentence.
    pub summary: &'static str,
    /// Who made it.
    pub author: &'static str,
    /// A page about it.
    pub homepage: Option<&'static str>,
    /// A JSON Schema (2020-12) of its settings.
    pub settings: serde_json::Value,
    /// What it wants to be granted.
    pub grants: &'static [Grant],
}

/// What an administrator can grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    /// Connections to the hosts that its settings name.
    Network,
    /// Reading and writing one folder.
    Folder,
    /// Sending mail through the console's relay.
    Mail,
}

/// A part of a listing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// At most 1,000.
    pub entries: Vec<Entry>,
    /// Where the next page begins; nothing on the last one.
    pub next: Option<String>,
}

/// One stored backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// As in the receipt.
    pub location: String,
    /// The file's name, without a folder.
    pub filename: String,
    /// The file's size in bytes.
    pub size: u64,
    /// When it was stored, as far as the place knows: RFC 3339, in UTC.
    pub stored_at: Option<String>,
    /// Where its sidecar is, which `open` takes like the file's location.
    pub sidecar: Option<String>,
}

/// The longest location and the longest file's name that a listing may have, in bytes.
const LOCATION: usize = 4 << 10;
const FILENAME: usize = 255;

impl Entry {
    /// Whether a listing may have it. The console refuses a page with one that it
    /// may not, so [`Storage::list`]'s answer is passed on without those: what
    /// somebody else has put there must not hide the backups.
    pub fn is_fit(&self) -> bool {
        let fit =
            |text: &str, most| (1..=most).contains(&text.len()) && !text.chars().any(is_unfit);
        fit(&self.filename, FILENAME)
            && !self.filename.contains('/')
            && fit(&self.location, LOCATION)
            && self.sidecar.as_ref().is_none_or(|sidecar| fit(sidecar, LOCATION))
    }
}

/// A character that hides others, or turns them around.
fn is_unfit(c: char) -> bool {
    let turning = ['\u{200e}', '\u{200f}', '\u{feff}'];
    c.is_control()
        || turning.contains(&c)
        || ('\u{202a}'..='\u{202e}').contains(&c)
        || ('\u{2066}'..='\u{2069}').contains(&c)
}

/// One completed backup that is stored at this destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The backup's id.
    pub id: String,
    /// The database's short name, the same for all that are given.
    pub database: String,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// The file's size in bytes.
    pub size: u64,
    /// Whether it has been restored and counted successfully.
    pub verified: bool,
    /// Whether somebody has marked it never to be deleted.
    pub pinned: bool,
}

/// A backup that may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expired {
    /// Its id.
    pub id: String,
    /// Why, for people: `older than 7 days`.
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_no_backup_has_is_not_fit_for_a_listing() {
        let entry = |location: &str, filename: &str| Entry {
            location: location.to_owned(),
            filename: filename.to_owned(),
            size: 1,
            stored_at: None,
            sidecar: None,
        };
        assert!(entry("shop/ä b.sql.gz", "ä b.sql.gz").is_fit());
        let long = "x".repeat(256);
        for (location, filename) in [
            ("a\nb", "b"),
            ("a\u{1b}[31m", "a"),
            ("a/\u{202e}b", "b"),
            ("", "a"),
            ("a", ""),
            ("a", "a/b"),
            ("a", &long),
            (&"x".repeat(4097), "x"),
        ] {
            assert!(!entry(location, filename).is_fit(), "{location:?} {filename:?}");
        }
        let sidecar = Some("a\0".to_owned());
        assert!(!Entry { sidecar, ..entry("a", "a") }.is_fit());
    }
}
