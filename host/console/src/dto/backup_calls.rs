//! What is asked of backups, and the smaller answers.

use cofferdam_model::{BackupStatus, Failure, LogLine, Progress};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// The wish for a backup.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"database": "shop"}))]
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
    /// Names of the destinations it goes to; without it, every enabled one
    /// that its database has. An empty list is none.
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
#[schema(example = json!({"labels": ["before-upgrade"]}))]
pub struct Labels {
    /// At most 20, each of 1 to 40 characters.
    pub labels: Vec<String>,
}

fn yes() -> bool {
    true
}

/// What may be asked of the list.
#[derive(Debug, Clone, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
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
