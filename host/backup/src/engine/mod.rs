//! The engines: what each does in its own way, behind one trait.

mod postgres;
mod sqlite;

use std::{path::PathBuf, sync::Arc, time::Duration};

use cofferdam_artifact::{Copied, Meter, TempArtifact};
use cofferdam_model::{
    BackupId, Connection, Engine as Kind, Failure, Format, Level, SourceFacts, TableFacts,
};

use crate::{Clients, Control, Problem, observer::Journal, stage::Stage};

/// A table's share of the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableSize {
    /// Its name as the dump writes it.
    pub(crate) name: String,
    /// The same without quotes, as `pg_dump --verbose` says it.
    pub(crate) plain: String,
    /// Its size on the server, with what is stored aside.
    pub(crate) bytes: u64,
}

/// What a look at the database found.
#[derive(Debug, Clone, Default)]
pub(crate) struct Survey {
    pub(crate) server_version: Option<String>,
    pub(crate) tool_version: Option<String>,
    pub(crate) tool_path: Option<PathBuf>,
    pub(crate) tool_reason: Option<String>,
    /// The whole database's size.
    pub(crate) size_bytes: u64,
    /// The tables with data of their own.
    pub(crate) tables: Vec<TableSize>,
    /// Data that belongs to no table: large objects.
    pub(crate) other_bytes: u64,
    /// The dump's length, where the tables' own sizes are not known.
    pub(crate) expected_raw: Option<u64>,
    /// Room to ask for before the start.
    pub(crate) needed_bytes: u64,
    pub(crate) problems: Vec<Problem>,
    pub(crate) unreadable: Vec<String>,
    pub(crate) role_sql: Option<String>,
}

/// What an engine gets for one dump.
pub(crate) struct Job<'a> {
    pub(crate) format: Format,
    pub(crate) level: Level,
    pub(crate) stall: Duration,
    pub(crate) meter: &'a Meter,
    pub(crate) stage: &'a Arc<Stage>,
    pub(crate) control: &'a Control,
    pub(crate) journal: Journal<'a>,
}

/// A dump that is whole: its end was seen, its tool ended well, its bytes are counted.
pub(crate) struct Dumped {
    pub(crate) copied: Copied,
    /// The dump's length before compression.
    pub(crate) raw_bytes: u64,
    pub(crate) tables: Vec<TableFacts>,
    pub(crate) drop_section_end: Option<u64>,
    /// What is only known of the source now, in place of what was read before.
    pub(crate) document: Option<serde_json::Value>,
}

/// One kind of database. An engine is opened for one connection and one
/// purpose, and holds whatever it needs to get there until it is dropped.
pub(crate) trait Engine: Send + Sync {
    /// Looks at the database and changes nothing.
    fn survey(&self, control: &Control) -> Result<Survey, Failure>;

    /// What the dump leaves out.
    fn facts(&self, survey: &Survey, control: &Control) -> Result<SourceFacts, Failure>;

    /// Writes the dump into the file and makes sure that it is whole.
    fn dump(&self, job: &Job<'_>, temp: &mut TempArtifact) -> Result<Dumped, Failure>;

    /// Why a dump of this engine's makes no progress, if it can be told
    /// within a few seconds.
    fn what_holds_it(&self, control: &Control) -> Option<String>;

    /// Removes what a dump that was cut off left behind elsewhere.
    fn clear_up(&self, journal: Journal<'_>);
}

/// The engine for a connection. `id` names the run, or is absent for a mere look.
pub(crate) fn open(
    connection: &Connection,
    clients: &Clients,
    id: Option<BackupId>,
) -> Result<Box<dyn Engine>, Failure> {
    Ok(match connection {
        Connection::Postgres(connection) => {
            Box::new(postgres::Postgres::open(connection, clients, id)?)
        }
        Connection::Sqlite(connection) => Box::new(sqlite::Sqlite::open(connection)),
    })
}

/// Ends every session that a backup run left on its server, and waits until
/// none is left; gives how many there were. Safe to call for a run that never
/// was, or whose sessions are long gone; start-up calls it for each run that
/// was interrupted.
///
/// # Errors
/// Where the server cannot be asked, or a session does not end.
pub fn end_backends(
    connection: &Connection,
    clients: &Clients,
    id: BackupId,
) -> Result<u64, Failure> {
    match connection {
        Connection::Postgres(connection) => postgres::end_backends(connection, clients, id),
        // It has no server.
        Connection::Sqlite(_) => Ok(0),
    }
}

/// Which engine reads a connection.
pub(crate) fn kind(connection: &Connection) -> Kind {
    match connection {
        Connection::Postgres(_) => Kind::Postgres,
        Connection::Sqlite(_) => Kind::Sqlite,
    }
}

/// Whether an engine writes that format.
///
/// # Errors
/// [`cofferdam_model::FailureKind::Settings`] where it does not.
pub fn supports(engine: Kind, format: Format) -> Result<(), Failure> {
    match (engine, format) {
        (Kind::Postgres, _) | (Kind::Sqlite, Format::Plain) => Ok(()),
        (Kind::Sqlite, Format::Custom) => Err(sqlite::no_custom_format()),
    }
}
