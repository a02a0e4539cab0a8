//! Backups: the list, the form, one backup, its log.

use crate::format;

pub(crate) const GENERATE: &str = "Generate Backup";
pub(crate) const OPTIONS: &str = "Options";
pub(crate) const DATABASE: &str = "Database";
pub(crate) const CHOOSE: &str = "Choose a database";
pub(crate) const DESCRIPTION: &str = "Description";
pub(crate) const DESCRIPTION_HINT: &str = "A note for later: before the upgrade, say";
pub(crate) const LEVEL: &str = "Compression level";
pub(crate) const LEVEL_HINT: &str = "1 is fastest, 9 is smallest; 3 costs next to nothing";
pub(crate) const FORMAT: &str = "Format";
pub(crate) const FORMAT_HINT: &str = "For PostgreSQL; SQLite is always plain SQL";
pub(crate) const STARTED: &str = "The backup is in the queue.";
pub(crate) const ROLE_LOOKS: &str = "Your role may look, not back up.";

pub(crate) const FILTERS: &str = "Filter the backups";
pub(crate) const SEARCH: &str = "Search";
pub(crate) const SEARCH_HINT: &str = "Name, note, label or error";
pub(crate) const SEARCH_KEY: &str = "/";
pub(crate) const STATUS: &str = "Status";
pub(crate) const TRIGGER: &str = "Asked for";
pub(crate) const ANY: &str = "Any";
pub(crate) const APPLY: &str = "Apply";
pub(crate) const CLEAR: &str = "Clear the filters";
pub(crate) const CREATED: &str = "Created";
pub(crate) const SIZE: &str = "Size";
pub(crate) const DURATION: &str = "Duration";
pub(crate) const BY: &str = "By";
pub(crate) const ACTIONS: &str = "Actions";
pub(crate) const EMPTY_TITLE: &str = "No backups yet";
pub(crate) const EMPTY_TEXT: &str = "Each backup appears here the moment it is asked for, with its progress, and stays with its log.";
pub(crate) const NO_MATCH_TITLE: &str = "Nothing fits these filters";
pub(crate) const NO_MATCH_TEXT: &str = "Other words or fewer filters may find it.";
pub(crate) const PAGES: &str = "Pages";
pub(crate) const PREVIOUS: &str = "Previous";
pub(crate) const NEXT: &str = "Next";

pub(crate) const DOWNLOAD: &str = "Download";
pub(crate) const DOWNLOAD_LIVE: &str = "Download while it is being made";
pub(crate) const DOWNLOAD_LIVE_NOTE: &str =
    "The download follows the file. If the backup fails, the download breaks off.";
pub(crate) const TRY_AGAIN: &str = "Try again";
pub(crate) const PIN: &str = "Pin";
pub(crate) const UNPIN: &str = "Unpin";
pub(crate) const PINNED: &str = "Pinned: never deleted";
pub(crate) const PIN_MEANS: &str = "A pinned backup is never deleted";
pub(crate) const CANCEL_RUN: &str = "Cancel";
pub(crate) const FACTS: &str = "Facts";
pub(crate) const ENGINE: &str = "Engine";
pub(crate) const ASKED_FOR: &str = "Asked for";
pub(crate) const BEGAN: &str = "Began";
pub(crate) const ENDED: &str = "Ended";
pub(crate) const FILE: &str = "File";
pub(crate) const RAW_SIZE: &str = "Before compression";
pub(crate) const TOOL: &str = "Tool";
pub(crate) const SHA256: &str = "SHA-256";
pub(crate) const ID: &str = "Identifier";
pub(crate) const STORED_ENCRYPTED: &str = "stored, encrypted";
pub(crate) const LABELS: &str = "Labels";
pub(crate) const LABELS_HINT: &str = "Separated by commas";
pub(crate) const LABELS_SAVE: &str = "Save the labels";
pub(crate) const STEPS: &str = "Steps";
pub(crate) const TABLES: &str = "Tables";
pub(crate) const TABLE: &str = "Table";
pub(crate) const ROWS: &str = "Rows";
pub(crate) const READ: &str = "Read";
pub(crate) const WRITTEN: &str = "Written";
pub(crate) const RATE: &str = "Rate";
pub(crate) const TIME_LEFT: &str = "Time left";
pub(crate) const UNKNOWN_YET: &str = "not known yet";
pub(crate) const ROWS_TITLE: &str = "Rows per table";
pub(crate) const ROWS_NOTE: &str = "Counted in the dump itself while it was written.";
pub(crate) const LOG: &str = "Log";
pub(crate) const LOG_WHOLE: &str = "The whole log";
pub(crate) const LOG_AS_TEXT: &str = "As text";
pub(crate) const LOG_EMPTY: &str = "Nothing has been logged yet.";
pub(crate) const DETAIL: &str = "What the tool said";
pub(crate) const WAITING_TITLE: &str = "Waiting for its turn";
pub(crate) const WAITING_TEXT: &str =
    "It begins by itself as soon as a place is free. One run per database at a time.";
pub(crate) const CANCELLED_TITLE: &str = "This backup was cancelled";
pub(crate) const CANCELLED_TEXT: &str = "Nothing of it remains but this record.";
pub(crate) const COMPLETED_TITLE: &str = "Whole and checked";
pub(crate) const MISSING_TITLE: &str = "The file is missing";
pub(crate) const MISSING_TEXT: &str = "It was written and checked, but it is not where it was. It does not count as a good backup. If the folder was moved or is not mounted, put it back; otherwise make a new backup.";
pub(crate) const CORRUPT_TITLE: &str = "The file is damaged";
pub(crate) const CORRUPT_TEXT: &str = "Its size or SHA-256 is not the one that was recorded. Do not restore from it. Make a new backup, and check the disk.";
pub(crate) const GONE_DATABASE: &str = "This database is no longer configured.";
pub(crate) const NO_DOWNLOAD: &str = "Your role may look, not download.";

pub(crate) const RESTORE: &str = "Restore by hand";
pub(crate) const RESTORE_NOTE: &str =
    "Nothing but common tools is needed, here or on any other machine.";
pub(crate) const RESTORE_REPLACES: &str = "Take an empty database: the file begins with DROP … IF EXISTS, so tables of the same names in the database it is loaded into are replaced.";
pub(crate) const RESTORE_ROLES: &str = "Everything will belong to the role that restores, and GRANTs are not restored. The .json file beside the backup keeps who owned what and who was granted what.";
pub(crate) const RESTORE_CHECK: &str = "Check the file";
pub(crate) const RESTORE_CREATE: &str = "Make an empty database";
pub(crate) const RESTORE_LOAD: &str = "Load it; the first error stops it";
pub(crate) const API_MAKE: &str = "Make such a backup";
pub(crate) const API_DOWNLOAD: &str = "Download this one";
pub(crate) const API_NOTE: &str = "With a token of yours in COFFERDAM_TOKEN.";

pub(crate) const DELETE_TITLE: &str = "Delete this backup";
pub(crate) const DELETE_QUESTION: &str = "Delete this backup of";
pub(crate) const DELETE_WHAT: &str =
    "The file and its record go. Its log goes with them. This cannot be undone.";
pub(crate) const DELETE_WHAT_RECORD: &str =
    "The record and its log go. There is no file. This cannot be undone.";
pub(crate) const DELETE_ONLY_GOOD: &str =
    "It is the only good backup of this database. Without it there is nothing to restore from.";
pub(crate) const DELETE_KEEP_COPIES: &str = "Keep the copies there";
pub(crate) const DELETE_SUBMIT: &str = "Delete the backup";
pub(crate) const KEEP: &str = "Keep it";

/// Before the names of the destinations.
pub(crate) fn delete_copies(count: usize) -> &'static str {
    if count == 1 { "So does its copy at" } else { "So do its copies at" }
}

pub(crate) fn of(database: &str) -> String {
    format!("Backup of {database}")
}

pub(crate) fn log_of(database: &str) -> String {
    format!("Log of the backup of {database}")
}

pub(crate) fn progress_of(database: &str) -> String {
    format!("Progress of the backup of {database}")
}

pub(crate) fn failed_after(duration: &str) -> String {
    format!("Failed after {duration}")
}

pub(crate) const FAILED: &str = "Failed";

pub(crate) fn made_at(when: &str) -> String {
    format!(", backup of {when}")
}

pub(crate) fn of_database(action: &str, database: &str) -> String {
    format!("{action}: {database}")
}

pub(crate) fn tables_done(done: u64, total: Option<u64>) -> String {
    match total {
        Some(1) => format!("{} of 1 table", format::number(done)),
        Some(total) => format!("{} of {} tables", format::number(done), format::number(total)),
        None if done == 1 => "1 table".to_owned(),
        None => format!("{} tables", format::number(done)),
    }
}

pub(crate) fn tables_count(done: u64, total: Option<u64>) -> String {
    match total {
        Some(total) => format!("{} of {}", format::number(done), format::number(total)),
        None => format::number(done),
    }
}

pub(crate) fn time_left(left: &str) -> String {
    format!("{left} left")
}

pub(crate) fn percent(value: u8) -> String {
    format!("{value} %")
}

pub(crate) fn tab(state: &str, database: &str) -> String {
    format!("{state} · {database}")
}

pub(crate) fn ratio(raw: u64, size: u64) -> Option<String> {
    if raw == 0 || size == 0 {
        return None;
    }
    let (large, small, word) =
        if raw >= size { (raw, size, "smaller") } else { (size, raw, "larger") };
    #[allow(clippy::cast_precision_loss)] // One digit is shown.
    let times = format!("{:.1}", large as f64 / small as f64);
    // What is as large as it was needs no word.
    (times != "1.0").then(|| format!("{times} times {word}"))
}

pub(crate) fn level_option(level: u8) -> String {
    match level {
        1 => "1 · fastest".to_owned(),
        3 => "3 · recommended".to_owned(),
        9 => "9 · smallest".to_owned(),
        other => other.to_string(),
    }
}

pub(crate) fn range(first: u64, last: u64, total: u64) -> String {
    format!("{}–{} of {}", format::number(first), format::number(last), format::number(total))
}

pub(crate) fn table_summary(tables: usize, rows: u64) -> String {
    let tables_word = if tables == 1 { "table" } else { "tables" };
    let rows_word = if rows == 1 { "row" } else { "rows" };
    format!("{} {tables_word}, {} {rows_word}", format::number(tables as u64), format::number(rows))
}

pub(crate) fn log_lines(count: usize) -> String {
    if count == 1 { "1 line".to_owned() } else { format!("{} lines", format::number(count as u64)) }
}

pub(crate) fn sorted_by(column: &str, descending: bool) -> String {
    if descending {
        format!("{column}, largest or newest first")
    } else {
        format!("{column}, smallest or oldest first")
    }
}

#[cfg(test)]
mod tests {
    use super::ratio;

    #[test]
    fn what_grew_is_called_larger() {
        assert_eq!(ratio(1000, 100).as_deref(), Some("10.0 times smaller"));
        assert_eq!(ratio(80, 100).as_deref(), Some("1.2 times larger"));
        assert_eq!((ratio(100, 101), ratio(101, 100), ratio(0, 20)), (None, None, None));
    }
}
