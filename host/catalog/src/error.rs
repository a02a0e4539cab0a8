//! What can go wrong, typed where somebody decides on it.

use cofferdam_model::BackupId;

/// The result of every call.
pub type Result<T> = std::result::Result<T, Error>;

/// Why the catalog did not do it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another process held the catalog for longer than the limit. Nothing
    /// was changed; trying again later is right.
    #[error("the catalog is busy: another process has held it for too long")]
    Busy,
    /// The file is not a catalog, or its pages are broken. Nothing more is
    /// read from it or written to it.
    #[error("the catalog is damaged: {0}")]
    Damaged(String),
    /// A newer version of the program has changed the catalog.
    #[error(
        "the catalog was changed by a newer version of Cofferdam (migration {version}); this version does not know it"
    )]
    Newer {
        /// The first migration that this program does not know.
        version: i64,
    },
    /// No room on the disk, or the disk failed.
    #[error("the catalog cannot be written: {0}")]
    Storage(String),
    /// The catalog's address is not one that can be opened.
    #[error("the catalog cannot be opened: {0}")]
    Address(String),
    /// There is no such thing.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// A name that must be unique is in use.
    #[error("this {0} is already taken")]
    Taken(&'static str),
    /// The record is not in a state that allows this change.
    #[error("this cannot be done now: {0}")]
    Conflict(String),
    /// Somebody else holds the job now, or it is over. Whatever the caller
    /// still does with it must not be recorded.
    #[error("the lease of this job was lost")]
    LeaseLost,
    /// The backup was deleted and must not come back.
    #[error("the backup {0} was deleted")]
    Tombstoned(BackupId),
    /// The backup is pinned and is not deleted.
    #[error("the backup {0} is pinned")]
    Pinned(BackupId),
    /// The same idempotency key came with another request.
    #[error("this idempotency key was used for another request")]
    KeyReused,
    /// The set-up link is wrong, used or too old, or there is already a user.
    #[error("this set-up link is not valid")]
    SetupRefused,
    /// A row holds something that its type does not allow.
    #[error("a row of {table} cannot be read: {column}: {reason}")]
    Row {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// What was wrong with it.
        reason: String,
    },
    /// Anything else that the database said.
    #[error("the catalog failed: {0}")]
    Database(#[source] sqlx::Error),
}

/// The primary result codes of SQLite that somebody decides on; the extended
/// code carries the primary one in its lower eight bits.
mod sqlite {
    pub(super) const BUSY: i32 = 5;
    pub(super) const LOCKED: i32 = 6;
    pub(super) const READONLY: i32 = 8;
    pub(super) const IOERR: i32 = 10;
    pub(super) const CORRUPT: i32 = 11;
    pub(super) const FULL: i32 = 13;
    pub(super) const CANTOPEN: i32 = 14;
    pub(super) const NOTADB: i32 = 26;
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        if matches!(error, sqlx::Error::PoolTimedOut) {
            return Self::Busy;
        }
        if let sqlx::Error::Decode(reason) = &error {
            // Text that is not UTF-8 fails before its column is known.
            return Self::Row { table: "the catalog", column: "?", reason: reason.to_string() };
        }
        let sqlx::Error::Database(inner) = &error else { return Self::Database(error) };
        let code = inner.code().and_then(|code| code.parse::<i32>().ok()).map(|code| code & 0xff);
        match code {
            Some(sqlite::BUSY | sqlite::LOCKED) => Self::Busy,
            Some(sqlite::CORRUPT | sqlite::NOTADB) => Self::Damaged(inner.message().to_owned()),
            Some(sqlite::READONLY | sqlite::IOERR | sqlite::FULL | sqlite::CANTOPEN) => {
                Self::Storage(inner.message().to_owned())
            }
            _ => Self::Database(error),
        }
    }
}

impl Error {
    /// Turns a unique violation into [`Error::Taken`] of `what`.
    pub(crate) fn taken(error: sqlx::Error, what: &'static str) -> Self {
        match &error {
            sqlx::Error::Database(inner) if inner.is_unique_violation() => Self::Taken(what),
            _ => error.into(),
        }
    }
}
