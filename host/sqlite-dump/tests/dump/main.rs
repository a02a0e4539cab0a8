//! Dumps of real databases, restored with the installed `sqlite3` shell and
//! compared with what they were made from.

mod common;
mod damage;
mod observer;
mod property;
mod schema;
mod source;
mod values;
mod virtual_tables;
