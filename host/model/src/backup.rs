//! A backup's record.

use crate::{
    BackupId, DatabaseId, Engine, Failure, Format, Label, Level, Slug, Timestamp, words::words,
};

words!(
    /// How far a backup has come.
    BackupStatus {
        /// Recorded, waiting for its turn.
        Pending = "pending",
        /// A worker holds its lease.
        Running = "running",
        /// Whole, checked, flushed and named.
        Completed = "completed",
        /// It ended without a file.
        Failed = "failed",
        /// Somebody stopped it; nothing remains but the record.
        Cancelled = "cancelled",
    }
);

words!(
    /// What is known of a completed backup's file.
    FileState {
        /// It was there, with the recorded size, when last looked at.
        Present = "present",
        /// It is not where it was.
        Missing = "missing",
        /// Its size or its SHA-256 is not the recorded one.
        Corrupt = "corrupt",
    }
);

words!(
    /// What asked for a backup.
    Trigger {
        /// A person, on the page.
        Manual = "manual",
        /// A program, over the API.
        Api = "api",
        /// The command line on this machine.
        Cli = "cli",
        /// A schedule.
        Scheduled = "scheduled",
        /// The safety backup before a restore.
        PreRestore = "pre-restore",
    }
);

/// One run, as the catalog records it.
#[derive(Debug, Clone, PartialEq)]
pub struct Backup {
    /// Its identifier.
    pub id: BackupId,
    /// Which database.
    pub database_id: DatabaseId,
    /// The database's short name at that time; it outlives the database's record.
    pub database: Slug,
    /// What read it.
    pub engine: Engine,
    /// The file's name, given when the file is published.
    pub filename: Option<String>,
    /// Plain or custom.
    pub format: Format,
    /// How hard it was compressed.
    pub level: Level,
    /// What asked for it.
    pub trigger: Trigger,
    /// How far it has come.
    pub status: BackupStatus,
    /// Of a completed one.
    pub file_state: Option<FileState>,
    /// A note for people; perhaps empty.
    pub description: String,
    /// Who asked for it, by name.
    pub created_by: String,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When the run began.
    pub started_at: Option<Timestamp>,
    /// When it ended, one way or the other.
    pub completed_at: Option<Timestamp>,
    /// The file's size.
    pub size_bytes: Option<u64>,
    /// The dump's size before compression.
    pub raw_bytes: Option<u64>,
    /// Of the file, 64 lower-case hexadecimal digits.
    pub sha256: Option<String>,
    /// `pg_dump (PostgreSQL) 15.18`, say.
    pub tool_version: Option<String>,
    /// Never deleted while set.
    pub pinned: bool,
    /// Sorted, without doubles.
    pub labels: Vec<Label>,
    /// Why it failed.
    pub failure: Option<Failure>,
}

impl Backup {
    /// Whether its whole file can be had, as far as is known: neither missing
    /// nor another one than was recorded.
    #[must_use]
    pub fn has_file(&self) -> bool {
        self.status == BackupStatus::Completed && self.file_state == Some(FileState::Present)
    }
}
