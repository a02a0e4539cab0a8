//! The metadata database. Only this crate speaks SQL to it.
//!
//! Reads are methods of [`Catalog`]; they run on reader connections and never
//! wait for a writer. Changes are methods of [`Tx`], a write transaction, so
//! that a record, its job and its audit entry are written together or not at
//! all. A `Tx` that is dropped without [`Tx::commit`] changes nothing.
//!
//! The catalog never asks the clock: every moment is passed in. Moments are
//! kept in whole milliseconds. A row that does not convert into its type is an
//! error ([`Error::Row`]) and never left out.

mod audit;
mod backups;
mod cells;
mod checks;
mod components;
mod databases;
mod deliveries;
mod destinations;
mod digest;
mod error;
mod filter;
mod idempotency;
mod integrity;
mod jobs;
mod lists;
mod logs;
mod migrations;
mod open;
mod sessions;
mod settings;
mod setup;
mod sql;
mod stats;
mod tokens;
mod tombstones;
mod tx;
mod users;

pub use audit::{
    Actor, ActorKind, AuditFilter, AuditPage, AuditRecord, ChainFault, ChainReport, NewAudit,
    Outcome,
};
pub use backups::{Adopted, BackupFacts, NewBackup, RecordedFile};
pub use components::{Component, NewComponent};
pub use databases::{DatabaseOverview, DatabaseUpdate, LastBackup, NewDatabase};
pub use deliveries::{AttemptEnd, DeliveryLease, Next, Places, StoredCopy};
pub use destinations::DestinationFields;
pub use digest::Digest;
pub use error::{Error, Result};
pub use filter::{BackupFilter, BackupPage, BackupSort, Direction};
pub use jobs::{Cancelled, Lease, Renewed};
pub use logs::{LOG_LINE_MAX, LOG_LINES_KEPT, NumberedLine};
pub use open::{Catalog, CatalogOptions};
pub use sessions::{NewSession, Session};
pub use stats::{BackupStats, SeriesPoint};
pub use tokens::{NewToken, Token};
pub use tombstones::Tombstone;
pub use tx::Tx;
pub use users::{NewUser, User};
