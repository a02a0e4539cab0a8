//! The overview.

use crate::format;

pub(crate) const NEEDS_YOU: &str = "Needs you";
pub(crate) const RUNNING_NOW: &str = "Running now";
pub(crate) const RECENT: &str = "Latest backups";
pub(crate) const ALL_BACKUPS: &str = "All backups";
pub(crate) const LAST_GOOD: &str = "Last good backup";
pub(crate) const SUCCESS_RATE: &str = "Success, 30 days";
pub(crate) const STORED: &str = "Stored";
pub(crate) const FREE: &str = "Free room";
pub(crate) const NO_RUNS: &str = "no runs yet";
pub(crate) const NEVER_BACKED_UP: &str = "Never backed up";
pub(crate) const LOOK: &str = "See what happened";
pub(crate) const OPEN: &str = "Open";

pub(crate) const FIRST_TITLE: &str = "Make your first backup";
pub(crate) const FIRST_SUBMIT: &str = "Back up this database now";
pub(crate) const FIRST_NOTE: &str =
    "It takes nothing from the database but time to read, and can be cancelled at any moment.";
pub(crate) const FIRST_OWN: &str = "This is the console's own catalog: its users, settings and records. It shows how a backup goes; add a database of yours next.";
pub(crate) const NEXT_STEPS: &str = "Next steps";
pub(crate) const NEXT_DATABASE: &str = "Add a database";
pub(crate) const NEXT_DATABASE_NOTE: &str =
    "PostgreSQL over the network or a socket, or an SQLite file.";
pub(crate) const NEXT_DESTINATION: &str = "Add a destination";
pub(crate) const NEXT_DESTINATION_NOTE: &str =
    "Where each backup goes after it is made: another disk, a bucket.";
pub(crate) const NEXT_ACCOUNT: &str = "Look at your account";
pub(crate) const NEXT_ACCOUNT_NOTE: &str = "Change the password, see where you are signed in.";
pub(crate) const NO_DATABASE_TITLE: &str = "Add the first database";
pub(crate) const NO_DATABASE_TEXT: &str = "Cofferdam backs up PostgreSQL databases and SQLite files. Add one, and its first backup is one click away.";
pub(crate) const NO_DATABASE_VIEWER: &str =
    "No database has been added yet. An administrator can add one.";
pub(crate) const FIRST_VIEWER: &str =
    "No backup has been made yet. Your role may look, not back up.";

pub(crate) const CHART_WHEN: &str = "When";
pub(crate) const CHART_RESULT: &str = "Result";
pub(crate) const CHART_SIZE: &str = "Size";
pub(crate) const CHART_DURATION: &str = "Duration";

pub(crate) fn verdict_good(databases: usize, only: &str) -> String {
    match databases {
        1 => format!("{only} has a good backup"),
        count => format!("All {count} databases have a good backup"),
    }
}

pub(crate) fn verdict_bad(needing: usize, databases: usize) -> String {
    match (needing, databases) {
        (_, 1) => "Your database needs you".to_owned(),
        (1, count) => format!("1 of {count} databases needs you"),
        (needing, count) => format!("{needing} of {count} databases need you"),
    }
}

pub(crate) fn verdict_files(files: usize) -> String {
    if files == 1 {
        "One backup file needs you".to_owned()
    } else {
        format!("{files} backup files need you")
    }
}

pub(crate) fn more_files(count: usize) -> String {
    if count == 1 { "1 more file".to_owned() } else { format!("{count} more files") }
}

pub(crate) fn more_databases(count: usize) -> String {
    if count == 1 { "1 more database".to_owned() } else { format!("{count} more databases") }
}

pub(crate) fn success(good: u64, all: u64) -> String {
    format!("{} of {}", format::number(good), format::number(all))
}

pub(crate) fn backups(count: u64) -> String {
    if count == 1 { "1 backup".to_owned() } else { format!("{} backups", format::number(count)) }
}

pub(crate) fn chart(database: &str) -> String {
    format!("Size of the latest backups of {database}")
}

pub(crate) const FAILED_AFTER_GOOD: &str =
    "The last backup failed. The good one before it is kept.";
pub(crate) const FAILED_WITHOUT_GOOD: &str = "The last backup failed, and there is no good one.";
pub(crate) const NEVER: &str = "There is no backup of this database yet.";
pub(crate) const OLD: &str = "The newest good backup is more than a week old.";
pub(crate) const MISSING: &str = "The file of a backup is not where it was.";
pub(crate) const CORRUPT: &str = "The file of a backup is not what was written.";
