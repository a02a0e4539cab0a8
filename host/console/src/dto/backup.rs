//! A backup, as the API shows it.

use chrono::{DateTime, Utc};
use cofferdam_model::{
    Backup as Record, BackupStatus, Delivery as DeliveryRecord, Engine, Failure, FileState, Format,
    Trigger,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Delivery;

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

impl Backup {
    /// The record with its deliveries as JSON; `now` gives the relative time.
    pub fn new(record: &Record, deliveries: &[DeliveryRecord], now: DateTime<Utc>) -> Self {
        let is_copied = || deliveries.iter().any(DeliveryRecord::is_copy);
        let downloadable = record.status == BackupStatus::Running
            || record.has_file()
            || (record.status == BackupStatus::Completed && is_copied());
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
            deliveries: deliveries.iter().map(Delivery::new).collect(),
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
