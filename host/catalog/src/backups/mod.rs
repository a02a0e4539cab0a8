//! Backups: their records, and the only ways in which a status changes.
//!
//! A record is pending when it is inserted, running when its job is leased
//! (`jobs`), and over when it is finished. Adopting a file is the one other
//! way to a completed record.

mod adopt;
mod change;
mod finish;
mod insert;
mod read;

pub use adopt::Adopted;
pub use insert::NewBackup;
pub use read::{BackupFacts, RecordedFile};
pub(crate) use read::{SELECT, backup};

use cofferdam_model::{Label, Slug};

use crate::{Error, Result};

/// What the text filter looks into, in lower case.
fn search_text(
    database: &Slug,
    filename: Option<&str>,
    created_by: &str,
    description: &str,
    labels: &[Label],
) -> String {
    // Line breaks keep a match from running over two fields; no field has one.
    let mut text =
        [database.as_str(), filename.unwrap_or_default(), created_by, description].join("\n");
    for label in labels {
        text.push('\n');
        text.push_str(label.as_str());
    }
    text.to_lowercase()
}

/// One row changed, or the record's status did not allow it.
pub(crate) fn changed(rows: u64, reason: &str) -> Result<()> {
    if rows == 1 { Ok(()) } else { Err(Error::Conflict(reason.to_owned())) }
}
