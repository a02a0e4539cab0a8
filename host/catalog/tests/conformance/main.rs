//! What every catalog must do, whatever database keeps it. Only `support`
//! knows which one that is; only `sqlite` holds what is true of SQLite alone.

#![allow(clippy::unwrap_used, reason = "in a test, an unexpected error ends the test")]

mod audit;
mod backups;
mod copies;
mod deliveries;
mod jobs;
mod lists;
mod logs;
mod people;
mod places;
mod plugins;
mod sqlite;
mod support;
mod troubles;
mod upgrade;
