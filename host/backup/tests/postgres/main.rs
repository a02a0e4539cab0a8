//! Backups of a real PostgreSQL server, which the tests start themselves.

mod faults;
mod hard;
mod limits;
mod listener;
mod refusals;
mod server;
mod secrets;
mod whole;
