//! The JSON file beside each backup, which lets it explain itself without the catalog.

use serde::{Deserialize, Serialize};

use crate::{BackupId, DatabaseId, Engine, Format, Label, Level, Slug, Timestamp, Trigger};

/// The version of the sidecar that this program writes. A reader accepts this
/// one and older ones, and refuses newer ones.
pub const SIDECAR_VERSION: u32 = 1;

/// One table as it streamed by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableFacts {
    /// The name as the dump writes it, quoted where SQL needs it: `public."Order"`.
    pub name: String,
    /// Rows, counted in the dump's own bytes.
    pub rows: u64,
    /// Where the table's data begins in the uncompressed dump.
    pub offset: u64,
    /// How many uncompressed bytes it takes.
    pub length: u64,
}

/// What the dump leaves out, and a restore wants to put back. For PostgreSQL:
/// owners, grants, database settings, locale, extensions; each entry is what
/// the server's catalog says. For SQLite: `edits_schema`, `true` where the
/// restoring shell must let the dump write the schema (`.dbconfig defensive off`).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SourceFacts {
    /// `PostgreSQL 15.18`, say.
    pub server_version: Option<String>,
    /// The engine's own document, kept as it was read; `null` where there is none.
    #[serde(default)]
    pub document: serde_json::Value,
}

/// All that is known of one backup. Field names are a format: they are only
/// ever added to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sidecar {
    /// [`SIDECAR_VERSION`] of the writer.
    pub format_version: u32,
    /// The backup's identifier.
    pub id: BackupId,
    /// The database's record at that time.
    pub database_id: DatabaseId,
    /// The database's short name.
    pub database: Slug,
    /// What read it.
    pub engine: Engine,
    /// The file that this explains, in the same folder.
    pub filename: String,
    /// Plain or custom.
    pub format: Format,
    /// How hard it was compressed.
    pub level: Level,
    /// What asked for it.
    pub trigger: Trigger,
    /// A note for people; perhaps empty.
    pub description: String,
    /// Who asked for it.
    pub created_by: String,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When the run began.
    pub started_at: Timestamp,
    /// When the file was whole.
    pub completed_at: Timestamp,
    /// The file's size.
    pub size_bytes: u64,
    /// The dump's size before compression.
    pub raw_bytes: u64,
    /// Of the file, 64 lower-case hexadecimal digits.
    pub sha256: String,
    /// The tool that wrote the dump.
    pub tool_version: Option<String>,
    /// Never deleted while set.
    #[serde(default)]
    pub pinned: bool,
    /// Labels at the time of writing.
    #[serde(default)]
    pub labels: Vec<Label>,
    /// Where the drop section (`--clean`) ends in the uncompressed dump, if there is one.
    #[serde(default)]
    pub drop_section_end: Option<u64>,
    /// The tables, in the order of the dump.
    #[serde(default)]
    pub tables: Vec<TableFacts>,
    /// What the dump leaves out.
    #[serde(default)]
    pub source: SourceFacts,
}
