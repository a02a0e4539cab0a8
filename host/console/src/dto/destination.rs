//! Destinations and deliveries, as the API shows and takes them.

use chrono::{DateTime, Utc};
use cofferdam_model::{
    AttemptOutcome, Delivery as Record, DeliveryStatus, EventKind, LogLine, Purpose,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One destination.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Destination {
    /// Identifier.
    pub id: String,
    /// Short name.
    pub name: String,
    /// The plugin's short name.
    pub plugin: String,
    /// storage, notifier, retention.
    pub roles: Vec<String>,
    /// Its settings without secrets.
    #[schema(value_type = Object)]
    pub settings: serde_json::Value,
    /// Which secret settings are stored, as `password` or `auth.token`.
    pub secrets: Vec<String>,
    /// While false, nothing is sent there.
    pub enabled: bool,
    /// Short names of the databases whose backups go there; nothing for all.
    pub databases: Option<Vec<String>>,
    /// What a notifier tells of.
    pub events: Vec<EventKind>,
    /// How many deliveries run at once.
    pub concurrency: u32,
    /// Whether failed deliveries are tried for ever at the longest interval.
    pub keep_going: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Why nothing can be sent there now.
    pub problem: Option<String>,
    /// Why the last automatic look for copies whose time is over let nothing go,
    /// if something held it back. The console alone knows.
    pub retention_held: Option<String>,
    /// The newest delivery.
    pub last_delivery: Option<Delivery>,
    /// The last test with these settings.
    pub last_check: Option<LastCheck>,
}

/// All destinations.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DestinationList {
    /// By name.
    pub destinations: Vec<Destination>,
}

/// A destination to add, or what to change of one: a field that is left out
/// keeps its value, and so does a secret setting that is left out or empty. One
/// that is `null` goes.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "plugin": "local-retention", "name": "shelf",
    "settings": { "folder": "/srv/copies", "keep": "everything" }, "grant": true,
}))]
pub struct DestinationInput {
    /// Short name; without it, one is made from the plugin's.
    #[serde(default)]
    pub name: Option<String>,
    /// The plugin's short name. Needed for a new one; it cannot be changed.
    #[serde(default)]
    pub plugin: Option<String>,
    /// The settings, all of them, as the plugin's schema wants them.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub settings: Option<serde_json::Value>,
    /// While false, nothing is sent there.
    #[serde(default)]
    pub enabled: Option<bool>,
    /// Short names or identifiers of the databases whose backups go there; an
    /// empty list is all of them.
    #[serde(default)]
    pub databases: Option<Vec<String>>,
    /// What a notifier tells of: backup.completed, backup.failed,
    /// backup.cancelled, delivery.failed.
    #[serde(default)]
    pub events: Option<Vec<String>>,
    /// How many deliveries run at once: 1 to 16.
    #[serde(default)]
    pub concurrency: Option<u32>,
    /// Whether failed deliveries are tried for ever at the longest interval.
    #[serde(default)]
    pub keep_going: Option<bool>,
    /// Whether the hosts and the folder that the settings name, and mail where
    /// the plugin asks for it, are granted to the plugin along with this.
    #[serde(default)]
    pub grant: Option<bool>,
    /// With `grant`: whether the hosts' addresses may be private or loopback ones.
    #[serde(default)]
    pub grant_private: Option<bool>,
}

/// What a check of a destination found.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DestinationCheck {
    /// Whether it works.
    pub ok: bool,
    /// What the plugin found, in a sentence.
    pub message: String,
    /// Settings that are wrong.
    pub errors: Vec<SettingError>,
    /// What the plugin logged meanwhile.
    pub log: Vec<LogLine>,
    /// How long it took.
    pub took_ms: u64,
}

/// The last test of a destination.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LastCheck {
    /// When.
    pub at: DateTime<Utc>,
    /// What it found.
    #[serde(flatten)]
    pub found: DestinationCheck,
}

/// One setting that is wrong.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SettingError {
    /// Which: `settings.bucket`.
    pub field: String,
    /// What it should be.
    pub message: String,
}

/// One copy of a backup at a destination, or word of it to one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Delivery {
    /// Identifier.
    pub id: String,
    /// The backup's identifier; its record may be deleted by now.
    pub backup: String,
    /// The short name that the backup's database had.
    pub database: String,
    /// The destination's name.
    pub destination: String,
    /// What it does.
    pub purpose: Purpose,
    /// Of a notification: what it tells.
    pub event: Option<EventKind>,
    /// How far it has come.
    pub status: DeliveryStatus,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next, while it waits for another try.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// Where the copy is, in the destination's words.
    pub location: Option<String>,
    /// Of a copy: how its removal stands, where one was asked for.
    pub removal: Option<DeliveryStatus>,
    /// How many bytes are there.
    pub bytes: Option<u64>,
    /// What the plugin said about it; of a removal, why.
    pub note: Option<String>,
    /// Why it failed, or what it waits for.
    pub error: Option<String>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it was over.
    pub completed_at: Option<DateTime<Utc>>,
}

impl Delivery {
    /// The record as JSON.
    pub fn new(record: &Record) -> Self {
        Self {
            id: record.id.to_string(),
            backup: record.backup.to_string(),
            database: record.database.to_string(),
            destination: record.destination_name.to_string(),
            purpose: record.purpose,
            event: record.event,
            status: record.status,
            attempts: record.attempts,
            next_attempt_at: (record.status == DeliveryStatus::Retrying)
                .then_some(record.not_before),
            location: record.location.clone(),
            removal: record.removal,
            bytes: record.bytes,
            note: record.note.clone(),
            error: record.error.clone(),
            created_at: record.created_at,
            completed_at: record.completed_at,
        }
    }
}

/// The deliveries to a destination.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DeliveryList {
    /// The newest ones, newest first.
    pub deliveries: Vec<Delivery>,
    /// What may be left there of deleted backups: copies whose removal failed,
    /// and those that were sent and never confirmed. Newest first.
    pub left_behind: Vec<Delivery>,
}

/// A delivery with its attempts.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DeliveryDetail {
    /// The delivery.
    #[serde(flatten)]
    pub delivery: Delivery,
    /// The first one first.
    pub history: Vec<Attempt>,
}

/// One try of a delivery.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Attempt {
    /// From 1.
    pub number: u32,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// How it ended; nothing while it runs.
    pub outcome: Option<AttemptOutcome>,
    /// Bytes that went out.
    pub bytes: u64,
    /// Why it failed.
    pub error: Option<String>,
    /// What was logged, up to 64 KiB. Only the last 20 attempts keep it, and
    /// those of a completed delivery for 30 days.
    pub log: Vec<LogLine>,
}

impl Attempt {
    /// The record as JSON.
    pub fn new(record: cofferdam_model::Attempt) -> Self {
        Self {
            number: record.number,
            started_at: record.started_at,
            ended_at: record.ended_at,
            outcome: record.outcome,
            bytes: record.bytes,
            error: record.error,
            log: record.log,
        }
    }
}
