//! An SQLite database as SQL text, from one consistent snapshot.
//!
//! What `sqlite3 .dump` gives, and more exactly: every value comes back with
//! its type and its bits, `rowid`s included, and so do the settings that live
//! in the file (page size, encoding, vacuum mode, `user_version`,
//! `application_id`). The `sqlite3` shell restores it, from 3.40 on:
//!
//! ```text
//! sqlite3 -bail new.db < dump.sql
//! ```
//!
//! `-bail` matters: without it the shell goes on after an error. Where the
//! database has virtual tables, shells from 3.42 on also need
//! `-cmd '.dbconfig defensive off'`; the dump's own head says so.
//!
//! The source is opened read-only and never changed. In WAL mode writers go
//! on undisturbed; with a rollback journal they wait, as for any reader.
//!
//! The text is read from above to below without looking back: settings,
//! tables, rows, indexes, statistics, views, triggers, one transaction around
//! all but the settings. Its last line is [`TRAILER`]; a dump without it is
//! not whole.

mod check;
mod dump;
mod error;
mod literal;
mod observer;
mod plan;
mod real;
mod rows;
mod schema;
mod sink;
mod snapshot;
mod statement;
mod wal;

pub use error::DumpError;
pub use observer::{DumpObserver, DumpSummary, Unobserved};
pub use schema::{TableInfo, TableKind};
pub use snapshot::Snapshot;

/// The first line of every dump, without its line end.
pub const HEADER: &str = "-- SQLite database dump";

/// The last line of every whole dump, without its line end. Nothing but one
/// line feed follows it.
pub const TRAILER: &str = "-- SQLite database dump complete";
