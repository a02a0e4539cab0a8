//! What Cofferdam can do: one function per capability, shared by pages, API
//! and command line. The audit entry is written in the function's transaction.

mod actor;
pub mod audit;
mod backup_filter;
mod backup_find;
pub mod backups;
pub mod connection;
pub mod copies;
pub mod databases;
pub mod deliveries;
pub mod destinations;
mod error;
pub mod fetch;
pub mod files;
mod plugin_changes;
mod plugin_grants;
mod plugin_usable;
pub mod plugins;
pub mod reconcile;
mod repeats;
pub mod retention;
pub mod sessions;
pub mod setup;
pub mod status;
pub mod users;

pub use actor::{Actor, Door};
pub use deliveries::Hearing;
pub use error::{Error, FieldError, Result};
pub use repeats::Repeats;
