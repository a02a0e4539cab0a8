//! Copies that have had their time, as the API shows them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What has had its time at a destination.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Retention {
    /// The destination's short name.
    pub destination: String,
    /// Whether this only says what would go.
    pub dry_run: bool,
    /// By short name; those that have copies there.
    pub databases: Vec<DatabaseRetention>,
}

/// The same of one database.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DatabaseRetention {
    /// Its short name; its identifier where it was removed.
    pub database: String,
    /// How many copies of its backups are there.
    pub copies: u64,
    /// Those that go, newest first, each with the plugin's reason.
    pub goes: Vec<ExpiredCopy>,
    /// Those that the plugin named and that stay, each with the reason.
    pub stays: Vec<ExpiredCopy>,
    /// Why nothing goes although something might: the destination cannot be
    /// asked, or what it lists looks wrong.
    pub held: Option<String>,
}

/// One copy.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ExpiredCopy {
    /// The backup's identifier.
    pub backup: String,
    /// The file's name.
    pub filename: String,
    /// Where the copy is, in the destination's words.
    pub location: String,
    /// When the backup was asked for.
    pub created_at: DateTime<Utc>,
    /// The file's size.
    pub size_bytes: u64,
    /// Why it goes, or stays.
    pub reason: String,
}

/// Whether something is to go.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"dry_run": true}))]
pub struct RetentionWish {
    /// Only say what would go.
    #[serde(default)]
    pub dry_run: bool,
}
