//! Backups of a real PostgreSQL server, which the tests start themselves.

mod faults;
mod hard;
mod listener;
mod refusals;
mod secrets;
mod server;
mod tls;
mod whole;
