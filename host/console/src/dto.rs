//! The JSON of the API, which is also what `--json` prints. Field names are a
//! contract: they are only ever added to.

use chrono::{DateTime, Utc};
use cofferdam_model::{
    Backup as Record, BackupStatus, Database as DatabaseRecord, Engine, Failure, FileState, Format,
    LogLine, Progress, SslMode, Trigger,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// One backup.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Backup {
    /// UUIDv7.
    pub id: String,
    /// The database's short name.
    pub database: String,
    /// The database's identifier.
    pub database_id: String,
    /// What read it.
    pub engine: Engine,
    /// The file's name, once it has one.
    pub filename: Option<String>,
    /// Plain SQL in gzip, or `pg_dump`'s own archive.
    pub format: Format,
    /// 1 to 9.
    pub compression_level: u8,
    /// What asked for it.
    pub trigger: Trigger,
    /// How far it has come.
    pub status: BackupStatus,
    /// Of a completed one: whether its file is where it was.
    pub file: Option<FileState>,
    /// A note for people.
    pub description: String,
    /// The file's size.
    pub size_bytes: Option<u64>,
    /// The same in units of 1,000,000 bytes, two decimals.
    pub size_mb: Option<f64>,
    /// The dump's size before compression.
    pub raw_bytes: Option<u64>,
    /// Of the file.
    pub sha256: Option<String>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// The same in words: "2 hours ago".
    pub created_relative: String,
    /// When the run began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended, one way or the other.
    pub completed_at: Option<DateTime<Utc>>,
    /// How long the run took.
    pub duration_ms: Option<i64>,
    /// Who asked for it.
    pub created_by: String,
    /// Whether the file is encrypted.
    pub encrypted: bool,
    /// When it was proved by a restore into a scratch database.
    pub verified: Option<DateTime<Utc>>,
    /// When it was last restored.
    pub restored_at: Option<DateTime<Utc>>,
    /// Never deleted while true.
    pub pinned: bool,
    /// For people to sort by.
    pub labels: Vec<String>,
    /// The tool that wrote the dump.
    pub tool_version: Option<String>,
    /// Why it failed.
    pub error: Option<Failure>,
    /// Where else it went.
    pub deliveries: Vec<Delivery>,
    /// Where to download it, once there is something to download.
    pub download_url: Option<String>,
}

/// One copy of a backup at a destination.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Delivery {
    /// The destination's name.
    pub destination: String,
    /// How far it has come.
    pub status: String,
    /// How often it was tried.
    pub attempts: u32,
    /// Where the copy is, in the destination's words.
    pub location: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
}

impl Backup {
    /// The record as JSON; `now` gives the relative time.
    pub fn new(record: &Record, now: DateTime<Utc>) -> Self {
        let downloadable = match record.status {
            BackupStatus::Running => true,
            BackupStatus::Completed => record.file_state == Some(FileState::Present),
            _ => false,
        };
        let duration = record.started_at.zip(record.completed_at);
        Self {
            id: record.id.to_string(),
            database: record.database.to_string(),
            database_id: record.database_id.to_string(),
            engine: record.engine,
            filename: record.filename.clone(),
            format: record.format,
            compression_level: record.level.get(),
            trigger: record.trigger,
            status: record.status,
            file: record.file_state,
            description: record.description.clone(),
            size_bytes: record.size_bytes,
            size_mb: record.size_bytes.map(|bytes| (bytes as f64 / 10_000.0).round() / 100.0),
            raw_bytes: record.raw_bytes,
            sha256: record.sha256.clone(),
            created_at: record.created_at,
            created_relative: cofferdam_views::format::relative(record.created_at, now),
            started_at: record.started_at,
            completed_at: record.completed_at,
            duration_ms: duration.map(|(from, to)| (to - from).num_milliseconds().max(0)),
            created_by: record.created_by.clone(),
            encrypted: false,
            verified: None,
            restored_at: None,
            pinned: record.pinned,
            labels: record.labels.iter().map(|label| label.as_str().to_owned()).collect(),
            tool_version: record.tool_version.clone(),
            error: record.failure.clone(),
            deliveries: Vec::new(),
            download_url: downloadable.then(|| format!("/api/v1/backups/{}/download", record.id)),
        }
    }
}

/// A page of backups.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct BackupPage {
    /// Newest first, unless asked otherwise.
    pub backups: Vec<Backup>,
    /// How many fit the filter in all.
    pub total: u64,
    /// As asked, at most 200.
    pub limit: u32,
    /// As asked.
    pub offset: u64,
}

/// The wish for a backup.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBackup {
    /// Short name or identifier of the database.
    pub database: String,
    /// A note for people, at most 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// 1 to 9; without it 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compression_level: Option<i64>,
    /// plain or custom; without it plain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// Not offered yet: true is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encrypt: Option<bool>,
    /// Not offered yet: anything but an empty list is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destinations: Option<Vec<String>>,
}

/// How a backup stands, with its live progress.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct BackupState {
    /// The backup.
    pub id: String,
    /// How far it has come.
    pub status: BackupStatus,
    /// While it is pending or running.
    pub progress: Option<Progress>,
    /// Why it failed.
    pub error: Option<Failure>,
}

/// A piece of a backup's log.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct BackupLog {
    /// In order.
    pub lines: Vec<LogEntry>,
}

/// One line with its number.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LogEntry {
    /// Grows along the log.
    pub seq: i64,
    /// The line.
    #[serde(flatten)]
    pub line: LogLine,
}

/// Whether a backup is pinned.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    /// Never deleted while true.
    #[serde(default = "yes")]
    pub pinned: bool,
}

/// The labels of a backup, all of them.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Labels {
    /// At most 20, each of 1 to 40 characters.
    pub labels: Vec<String>,
}

fn yes() -> bool {
    true
}

/// One database.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Database {
    /// Identifier.
    pub id: String,
    /// Short name, used in file names and commands.
    pub name: String,
    /// What reads it.
    pub engine: Engine,
    /// Where it is, in one line without secrets.
    pub summary: String,
    /// The connection, without its password.
    pub connection: ConnectionView,
    /// When it was added.
    pub created_at: DateTime<Utc>,
}

/// How a database is reached, without its password.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConnectionView {
    /// PostgreSQL: host name, address or socket folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// PostgreSQL: port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// PostgreSQL: name on the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dbname: Option<String>,
    /// PostgreSQL: role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// PostgreSQL: how much TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sslmode: Option<SslMode>,
    /// PostgreSQL: file with the authorities to trust.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sslrootcert: Option<String>,
    /// Whether a password is stored.
    #[serde(default)]
    pub has_password: bool,
    /// SQLite: the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

impl Database {
    /// The record as JSON.
    pub fn new(record: &DatabaseRecord) -> Self {
        Self {
            id: record.id.to_string(),
            name: record.slug.to_string(),
            engine: record.engine,
            summary: record.summary.clone(),
            connection: serde_json::from_str(&record.settings).unwrap_or_default(),
            created_at: record.created_at,
        }
    }
}

/// All databases.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DatabaseList {
    /// By name.
    pub databases: Vec<Database>,
}

/// A database to add, or what to change of one: a field that is left out keeps
/// its value, and the password is kept unless another is given.
#[derive(Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DatabaseInput {
    /// Short name; without it, one is made from the database's own name.
    #[serde(default)]
    pub name: Option<String>,
    /// postgres or sqlite.
    #[serde(default)]
    pub engine: Option<String>,
    /// All of it in one line, instead of the fields below: postgres://… or sqlite:…
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub url: Option<cofferdam_model::Secret>,
    /// Host name, address or socket folder.
    #[serde(default)]
    pub host: Option<String>,
    /// Port.
    #[serde(default)]
    pub port: Option<i64>,
    /// Name on the server.
    #[serde(default)]
    pub dbname: Option<String>,
    /// Role.
    #[serde(default)]
    pub user: Option<String>,
    /// The role's password; an empty one removes it.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub password: Option<cofferdam_model::Secret>,
    /// disable, prefer, require, verify-ca or verify-full.
    #[serde(default)]
    pub sslmode: Option<String>,
    /// File with the authorities to trust.
    #[serde(default)]
    pub sslrootcert: Option<String>,
    /// The SQLite file.
    #[serde(default)]
    pub path: Option<String>,
}

/// Numbers over all backups.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Stats {
    /// All records.
    pub total: u64,
    /// Completed ones.
    pub completed: u64,
    /// Failed ones.
    pub failed: u64,
    /// Bytes of the files that are present.
    pub total_size_bytes: u64,
    /// Completed among completed and failed, 0 to 1; nothing without any.
    pub success_rate: Option<f64>,
    /// When the newest backup was asked for.
    pub latest: Option<DateTime<Utc>>,
    /// When the newest good one was whole.
    pub last_success: Option<DateTime<Utc>>,
    /// As declared by the settings.
    pub retention_days: Option<u32>,
    /// Schedules come later.
    pub next_run: Option<DateTime<Utc>>,
}

/// How the console stands.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Status {
    /// `BACKUP_ENABLED`.
    pub enabled: bool,
    /// The folder of the backups.
    pub backup_directory: String,
    /// `BACKUP_RETENTION_DAYS`, where set.
    pub retention_days: Option<u32>,
    /// `BACKUP_MAX_COUNT`, where set.
    pub max_backups: Option<u32>,
    /// `BACKUP_INTERVAL_HOURS`, where set.
    pub interval_hours: Option<u32>,
    /// All records.
    pub total_backups: u64,
    /// When the newest good backup was whole.
    pub last_success: Option<DateTime<Utc>>,
    /// Schedules come later.
    pub next_run: Option<DateTime<Utc>>,
    /// Of the program.
    pub version: String,
}

/// Name and password.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginRequest {
    /// The user's name.
    pub username: String,
    /// The password.
    #[schema(value_type = String)]
    pub password: cofferdam_model::Secret,
}

/// A bearer token.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct LoginAnswer {
    /// For `Authorization: Bearer …`.
    pub access_token: String,
    /// Always Bearer.
    pub token_type: String,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
}

/// What may be asked of the list.
#[derive(Debug, Clone, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct BackupQuery {
    /// 1 to 200, 50 without it.
    pub limit: Option<u32>,
    /// How many to pass over.
    pub offset: Option<u64>,
    /// pending, running, completed, failed or cancelled; several with commas.
    pub status: Option<String>,
    /// Short name or identifier.
    pub database: Option<String>,
    /// manual, api, cli, scheduled or pre-restore.
    pub trigger: Option<String>,
    /// Text in name, description, labels.
    pub q: Option<String>,
    /// created, size, duration or database.
    pub sort: Option<String>,
    /// asc or desc.
    pub dir: Option<String>,
}
