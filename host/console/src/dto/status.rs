//! Numbers over everything.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

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
    /// Completed among completed and failed that were asked for in the last
    /// 30 days, 0 to 1; nothing without any.
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
    /// Calls into plugins that run right now.
    pub plugin_calls: usize,
    /// Of the program.
    pub version: String,
}
