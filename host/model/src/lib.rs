//! The words that every part of Cofferdam shares: identifiers, records,
//! progress and failures. Nothing here reads, writes or asks the time.

mod backup;
mod connection;
mod database;
mod delivery;
mod destination;
mod failure;
mod grants;
mod id;
mod job;
mod options;
mod plugin;
mod progress;
mod secret;
mod sidecar;
mod size;
mod slug;
mod user;
mod words;

pub use backup::{Backup, BackupStatus, FileState, Trigger};
pub use connection::{Connection, PostgresConnection, SqliteConnection, SslMode};
pub use database::{Database, Engine};
pub use delivery::{Attempt, AttemptOutcome, Delivery, DeliveryStatus, Purpose};
pub use destination::{Destination, EventKind, Roles};
pub use failure::{Failure, FailureKind};
pub use grants::{Grants, HostGrant, HostGrantError, HostPattern, HostPatternError, address_of};
pub use id::{
    AuditId, BackupId, DatabaseId, DeliveryId, DestinationId, JobId, ParseIdError, SessionId,
    TokenId, UserId,
};
pub use job::{Fence, Job, JobKind};
pub use options::{BackupOptions, Description, Format, Label, Level, OptionError, is_unfit};
pub use plugin::{ComponentHash, PluginId, PluginIdError};
pub use progress::{LogLevel, LogLine, Phase, Progress};
pub use secret::Secret;
pub use sidecar::{SIDECAR_VERSION, Sidecar, SourceFacts, TableFacts};
pub use size::size;
pub use slug::{Slug, SlugError};
pub use user::{Role, Username, UsernameError};

/// A moment in UTC. The catalog keeps milliseconds, so nothing finer survives a round trip.
pub type Timestamp = chrono::DateTime<chrono::Utc>;
