//! An open read transaction on a database file.

use std::{path::Path, sync::Mutex, time::Duration};

use rusqlite::{Connection, ErrorCode, OpenFlags, config::DbConfig, ffi};

use crate::{DumpError, wal};

/// How the file keeps its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Utf8,
    Utf16Le,
    Utf16Be,
}

impl Encoding {
    /// As `PRAGMA encoding` writes it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Utf16Le => "UTF-16le",
            Self::Utf16Be => "UTF-16be",
        }
    }
}

/// The settings that live in the file itself and that a restored file gets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FileSettings {
    pub(crate) page_size: u64,
    pub(crate) page_count: u64,
    pub(crate) auto_vacuum: i64,
    pub(crate) user_version: i64,
    pub(crate) application_id: i64,
    pub(crate) encoding: Encoding,
}

/// One state of a database, held by a read transaction from
/// [`Snapshot::open`] until it is dropped: whatever is written meanwhile,
/// everything read through it belongs to the same moment.
///
/// In WAL mode writers go on, but the WAL file cannot be reset meanwhile;
/// with a rollback journal their commits wait. So it should not be kept
/// longer than the dump takes.
#[derive(Debug)]
pub struct Snapshot {
    pub(crate) connection: Connection,
    /// For the check, so that it can run beside the dump. It sees the same
    /// state or a later one, which makes no difference to what it looks for.
    /// Nothing where a waiting writer let no second reader in.
    pub(crate) checker: Option<Mutex<Connection>>,
    pub(crate) wait: Duration,
    pub(crate) settings: FileSettings,
}

impl Snapshot {
    /// How long [`Snapshot::open`] waits for another program's lock.
    pub const DEFAULT_WAIT: Duration = Duration::from_secs(10);

    /// Opens the file for reading and begins the transaction.
    ///
    /// The file is never changed or created. For a database in WAL mode that
    /// nobody has open, SQLite itself makes the `-wal` and `-shm` files beside
    /// it, as any reader must, and may leave them there, empty; where they
    /// would belong to a user whose files the application could not use, this
    /// is refused.
    ///
    /// # Errors
    /// Those of [`DumpError`] that concern the file: not there, not a file,
    /// no permission, not a database, locked, damaged.
    pub fn open(path: &Path) -> Result<Self, DumpError> {
        Self::open_within(path, Self::DEFAULT_WAIT)
    }

    /// [`Snapshot::open`] with another limit for the wait, at most a day.
    pub fn open_within(path: &Path, wait: Duration) -> Result<Self, DumpError> {
        let wait = wait.min(Duration::from_hours(24));
        let connection = connect(path, wait)?;
        let settings = read_settings(&connection).map_err(|e| opening(e, path, wait))?;
        // The second reader waits hardly at all: a writer may be waiting for
        // the first one, and would keep it out for as long.
        let checker = connect(path, Duration::from_millis(50)).ok().map(Mutex::new);
        Ok(Self { connection, checker, wait, settings })
    }

    /// The size of the whole database in bytes, WAL content included: what
    /// progress can be measured against. The dump's size differs from it,
    /// usually by less than half.
    #[must_use]
    pub fn total_bytes(&self) -> u64 {
        self.settings.page_size * self.settings.page_count
    }

    /// The version of the SQLite library in use, such as `3.51.3`.
    #[must_use]
    pub fn version() -> &'static str {
        rusqlite::version()
    }

    /// Says an error met while reading in this crate's words.
    pub(crate) fn failed(&self, error: rusqlite::Error) -> DumpError {
        DumpError::reading(error, self.wait)
    }
}

/// A read-only connection in an open read transaction.
pub(crate) fn connect(path: &Path, wait: Duration) -> Result<Connection, DumpError> {
    let cannot_open =
        |e: std::io::Error| DumpError::CannotOpen { path: path.to_owned(), detail: e.to_string() };
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            return Err(DumpError::NotFound { path: path.to_owned() });
        }
        Err(e) => return Err(cannot_open(e)),
    };
    // Opening a pipe would wait for its writer.
    if !metadata.is_file() {
        return Err(DumpError::NotAFile { path: path.to_owned() });
    }
    // SQLite takes names such as `file:x` and `:memory:` for something else
    // than a file of that name; an absolute path is always a path.
    let absolute = std::fs::canonicalize(path).map_err(cannot_open)?;
    wal::refuse_where_a_reader_would_do_harm(&absolute, &metadata)?;

    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection =
        Connection::open_with_flags(&absolute, flags).map_err(|e| opening(e, path, wait))?;
    prepare(&connection, wait).map_err(|e| opening(e, path, wait))?;
    Ok(connection)
}

fn prepare(connection: &Connection, wait: Duration) -> rusqlite::Result<()> {
    connection.busy_timeout(wait)?;
    // The file's schema may come from anybody: nothing in it may call
    // functions with effects, and its pages are looked at with more care.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    // An application's own collations are unknown here. Rows are read in
    // their stored order and never compared, so any will do.
    connection.collation_needed(|c, name| c.create_collation(name, Ord::cmp))?;
    connection.execute_batch("BEGIN")?;
    // The transaction begins with the first page read.
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
}

fn read_settings(connection: &Connection) -> rusqlite::Result<FileSettings> {
    let number = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let encoding: String = connection.pragma_query_value(None, "encoding", |row| row.get(0))?;
    Ok(FileSettings {
        page_size: number("page_size")?.unsigned_abs(),
        page_count: number("page_count")?.unsigned_abs(),
        auto_vacuum: number("auto_vacuum")?,
        user_version: number("user_version")?,
        application_id: number("application_id")?,
        encoding: match encoding.as_str() {
            "UTF-16le" => Encoding::Utf16Le,
            "UTF-16be" => Encoding::Utf16Be,
            _ => Encoding::Utf8,
        },
    })
}

/// Says an error met while opening in this crate's words.
fn opening(error: rusqlite::Error, path: &Path, wait: Duration) -> DumpError {
    let rusqlite::Error::SqliteFailure(code, message) = &error else {
        return DumpError::Sqlite(error);
    };
    let path = path.to_owned();
    let detail = message.clone().unwrap_or_else(|| error.to_string());
    match (code.code, code.extended_code) {
        (ErrorCode::NotADatabase, _) => DumpError::NotADatabase { path },
        (_, ffi::SQLITE_READONLY_ROLLBACK | ffi::SQLITE_READONLY_RECOVERY) => {
            DumpError::NeedsRecovery { path }
        }
        (ErrorCode::ReadOnly | ErrorCode::CannotOpen, _) => {
            if wal::is_wal(&path) {
                return DumpError::WalNotReadable { path, detail };
            }
            DumpError::CannotOpen { path, detail }
        }
        (ErrorCode::PermissionDenied | ErrorCode::AuthorizationForStatementDenied, _) => {
            DumpError::CannotOpen { path, detail }
        }
        _ => DumpError::reading(error, wait),
    }
}
