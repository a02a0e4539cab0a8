//! Deliveries: one backup going to one destination, with its attempts.

use crate::{
    BackupId, DeliveryId, DestinationId, EventKind, LogLine, Slug, Timestamp, words::words,
};

words!(
    /// What a delivery does.
    Purpose {
        /// Put a copy there.
        Store = "store",
        /// Remove the copy that is there.
        Remove = "remove",
        /// Tell what happened.
        Notify = "notify",
    }
);

words!(
    /// How far a delivery has come.
    DeliveryStatus {
        /// It waits for its turn.
        Pending = "pending",
        /// A worker holds its lease.
        Running = "running",
        /// An attempt failed and may succeed later; the next one is planned.
        Retrying = "retrying",
        /// It waits for somebody: its plugin is gone or not approved.
        Blocked = "blocked",
        /// It is there.
        Completed = "completed",
        /// It is not tried again by itself.
        Failed = "failed",
        /// Somebody stopped it.
        Cancelled = "cancelled",
    }
);

impl DeliveryStatus {
    /// Whether nothing more happens by itself.
    #[must_use]
    pub fn is_over(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

words!(
    /// How an attempt ended.
    AttemptOutcome {
        /// It did what it should.
        Completed = "completed",
        /// It did not, and may later.
        Temporary = "temporary",
        /// It did not, and will not.
        Permanent = "permanent",
        /// Somebody stopped it.
        Cancelled = "cancelled",
        /// The console was stopped while it ran.
        Interrupted = "interrupted",
    }
);

/// One backup going to one destination.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// Its identifier.
    pub id: DeliveryId,
    /// Which backup; its record may be deleted by now.
    pub backup: BackupId,
    /// The short name that the backup's database had.
    pub database: Slug,
    /// Where to.
    pub destination: DestinationId,
    /// The destination's short name at present, or the last one it had.
    pub destination_name: Slug,
    /// What it does.
    pub purpose: Purpose,
    /// Of a notification: what it tells.
    pub event: Option<EventKind>,
    /// Of a notification about a delivery: which one.
    pub about: Option<DeliveryId>,
    /// How far it has come.
    pub status: DeliveryStatus,
    /// How many attempts were begun.
    pub attempts: u32,
    /// Attempts since it was queued, or somebody asked to try it again.
    pub tries: u32,
    /// Not tried before this moment.
    pub not_before: Timestamp,
    /// Where the copy is, in the plugin's words.
    pub location: Option<String>,
    /// Of a copy and its removal: a mark of the settings and the grants that it was stored with.
    /// With others the location may be somewhere else.
    pub stored_with: Option<String>,
    /// Bytes that are stored there, or went out while it runs.
    pub bytes: Option<u64>,
    /// What the plugin said about its success.
    pub note: Option<String>,
    /// Why the last attempt failed, or what it waits for.
    pub error: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it was last put into the queue: then, or when it was asked for once
    /// more after it was over.
    pub queued_at: Timestamp,
    /// When it was over.
    pub completed_at: Option<Timestamp>,
    /// Of a removal: it was called off for good, as its backup was deleted and
    /// the copies of that were to stay.
    pub is_kept: bool,
    /// Of a copy: how its removal stands, where one was asked for.
    pub removal: Option<DeliveryStatus>,
}

impl Delivery {
    /// Whether there is a copy of the backup at the destination, and it is
    /// to stay there.
    #[must_use]
    pub fn is_copy(&self) -> bool {
        let goes = |removal: DeliveryStatus| {
            !matches!(removal, DeliveryStatus::Failed | DeliveryStatus::Cancelled)
        };
        self.purpose == Purpose::Store
            && self.status == DeliveryStatus::Completed
            && !self.removal.is_some_and(goes)
    }
}

/// One try of a delivery.
#[derive(Debug, Clone, PartialEq)]
pub struct Attempt {
    /// From 1.
    pub number: u32,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended; `None` while it runs.
    pub ended_at: Option<Timestamp>,
    /// How it ended; `None` while it runs.
    pub outcome: Option<AttemptOutcome>,
    /// Bytes that went out over the network or into the folder.
    pub bytes: u64,
    /// Why it failed.
    pub error: Option<String>,
    /// What the component logged, and what the console adds.
    pub log: Vec<LogLine>,
}
