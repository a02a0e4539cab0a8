//! Work under a lease.

use crate::{BackupId, DeliveryId, JobId, Timestamp};

/// Grows with every lease of a job. Whoever writes with an older one is
/// refused, so that a worker which slept past its lease changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fence(pub i64);

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobKind {
    /// Run this backup.
    Backup(BackupId),
    /// Make the next attempt of this delivery.
    Delivery(DeliveryId),
}

/// A leased job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its identifier.
    pub id: JobId,
    /// What is to be done.
    pub kind: JobKind,
    /// Proof of the lease.
    pub fence: Fence,
    /// Without renewal the lease ends here.
    pub expires_at: Timestamp,
}
