//! Destinations: configured instances of plugins.

use crate::{DatabaseId, DestinationId, PluginId, Slug, Timestamp, words::words};

/// What a component can be, by what it exports.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Roles {
    /// It keeps backups.
    pub storage: bool,
    /// It tells people what happened.
    pub notifier: bool,
    /// It says which backups have had their time.
    pub retention: bool,
}

words!(
    /// What notifiers hear of.
    EventKind {
        /// A backup is whole.
        BackupCompleted = "backup.completed",
        /// A backup ended without a file.
        BackupFailed = "backup.failed",
        /// Somebody stopped a backup.
        BackupCancelled = "backup.cancelled",
        /// A copy did not reach its destination, and is not tried again by itself.
        DeliveryFailed = "delivery.failed",
    }
);

/// A configured instance of a plugin.
#[derive(Debug, Clone, PartialEq)]
pub struct Destination {
    /// Its identifier.
    pub id: DestinationId,
    /// Its short name, unique among those that are not removed.
    pub name: Slug,
    /// Which plugin; its approved component is looked up at each call.
    pub plugin: PluginId,
    /// What the component could be when the settings were last accepted.
    pub roles: Roles,
    /// Its settings without any secret, a JSON object.
    pub settings: String,
    /// Its secret settings, encrypted.
    pub sealed: Option<Vec<u8>>,
    /// While false, nothing is sent there.
    pub enabled: bool,
    /// Only backups of these databases go there; `None` for all.
    pub databases: Option<Vec<DatabaseId>>,
    /// What a notifier tells of.
    pub events: Vec<EventKind>,
    /// How many deliveries run at once.
    pub concurrency: u32,
    /// Whether failed deliveries are tried for ever at the longest interval,
    /// instead of being given up after the last planned try.
    pub keep_going: bool,
    /// When it was made.
    pub created_at: Timestamp,
}
