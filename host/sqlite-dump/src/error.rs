//! What can go wrong, in the distinctions somebody decides on.

use std::{io, path::PathBuf, time::Duration};

use rusqlite::ErrorCode;

/// Why a dump could not begin, or did not reach its end.
///
/// After any of these the output is not a whole dump: it lacks
/// [`crate::TRAILER`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DumpError {
    /// There is no such file.
    #[error("there is no file {}", .path.display())]
    NotFound {
        /// As it was given.
        path: PathBuf,
    },
    /// A folder, a pipe or a device stands there.
    #[error("{} is not a regular file", .path.display())]
    NotAFile {
        /// As it was given.
        path: PathBuf,
    },
    /// The file cannot be opened, as a rule for want of permission.
    #[error("{} cannot be opened: {detail}", .path.display())]
    CannotOpen {
        /// As it was given.
        path: PathBuf,
        /// The system's or SQLite's own words.
        detail: String,
    },
    /// The file's content is not an SQLite database, or it is encrypted.
    #[error("{} is not an SQLite database, or it is encrypted", .path.display())]
    NotADatabase {
        /// As it was given.
        path: PathBuf,
    },
    /// Another program held an exclusive lock for the whole of the wait.
    #[error("the database stayed locked by another program for {} s", .waited.as_secs_f32())]
    Locked {
        /// How long it was waited for.
        waited: Duration,
    },
    /// A database in WAL mode that cannot be read without creating files
    /// beside it, where they cannot be created, or would belong to the wrong user.
    #[error("{} is in WAL mode and cannot be read without its -shm file: {detail}", .path.display())]
    WalNotReadable {
        /// As it was given.
        path: PathBuf,
        /// What stands in the way.
        detail: String,
    },
    /// A program was interrupted while it wrote, and only a writer can undo
    /// the half of its transaction that is in the file.
    #[error("{} was left in the middle of a transaction and needs recovery first", .path.display())]
    NeedsRecovery {
        /// As it was given.
        path: PathBuf,
    },
    /// The file is damaged.
    #[error("the database is damaged: {detail}")]
    Corrupt {
        /// SQLite's own words, at most a few lines.
        detail: String,
    },
    /// A row is too large to be written as one SQL statement.
    #[error("a row of the table {table:?} is larger than an SQL statement may be")]
    RowTooLarge {
        /// The table.
        table: String,
    },
    /// A name in the schema is not valid UTF-8.
    #[error("a name in the schema is not valid UTF-8: {name:?}")]
    UnreadableName {
        /// The name, with what cannot be read replaced.
        name: String,
    },
    /// The observer said so.
    #[error("the dump was cancelled")]
    Cancelled,
    /// The output refused the bytes.
    #[error("the dump cannot be written: {0}")]
    Write(#[source] io::Error),
    /// The disk, or its file system, failed while the database was read.
    #[error("the database cannot be read: {detail}")]
    Read {
        /// SQLite's own words.
        detail: String,
    },
    /// Anything else SQLite said.
    #[error("SQLite: {0}")]
    Sqlite(#[source] rusqlite::Error),
}

impl DumpError {
    /// What to do about it, where there is something to advise.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::NotFound { .. } => {
                "check the path; inside a container, check that the folder is mounted"
            }
            Self::NotAFile { .. } => "give the path of the database file itself",
            Self::CannotOpen { .. } => {
                "let the user who runs the backup read the file and enter its folders"
            }
            Self::NotADatabase { .. } => {
                "check the path; an encrypted database must be exported by its application"
            }
            Self::Locked { .. } => {
                "try again when the other program has finished, or let it use WAL mode"
            }
            Self::WalNotReadable { .. } => {
                "run the backup as the user who owns the database, or while its application has it open"
            }
            Self::NeedsRecovery { .. } => {
                "start its application once, or open the database with sqlite3 and leave again"
            }
            Self::Corrupt { .. } => {
                "keep earlier backups; run PRAGMA integrity_check, and try .recover of the sqlite3 shell"
            }
            Self::RowTooLarge { .. } => "copy the file itself with .backup of the sqlite3 shell",
            Self::Read { .. } => "look for disk errors in the system's log",
            Self::UnreadableName { .. } | Self::Cancelled | Self::Write(_) | Self::Sqlite(_) => {
                return None;
            }
        })
    }

    /// An error met while rows or the schema were read.
    pub(crate) fn reading(error: rusqlite::Error, waited: Duration) -> Self {
        let rusqlite::Error::SqliteFailure(code, message) = &error else {
            return Self::Sqlite(error);
        };
        let detail = message.clone().unwrap_or_else(|| error.to_string());
        match code.code {
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Self::Corrupt { detail },
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Self::Locked { waited },
            ErrorCode::SystemIoFailure => Self::Read { detail },
            ErrorCode::OperationInterrupted => Self::Cancelled,
            _ if detail.starts_with("malformed database schema") => Self::Corrupt { detail },
            _ => Self::Sqlite(error),
        }
    }
}
