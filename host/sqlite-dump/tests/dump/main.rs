//! Dumps of real databases, restored with the installed `sqlite3` shell and
//! compared with what they were made from.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod common;
mod damage;
mod observer;
mod property;
mod schema;
mod source;
mod values;
mod virtual_tables;
