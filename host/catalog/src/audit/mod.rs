//! The audit log: append-only, each entry chained to the one before it.

mod chain;
mod entry;
mod list;

pub use chain::{ChainFault, ChainReport};
pub use entry::{Actor, ActorKind, AuditRecord, NewAudit, Outcome};
pub use list::{AuditFilter, AuditPage};
