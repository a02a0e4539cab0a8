//! The command line: on its own, beside a running console, and from afar.

mod alone;
mod beside;
mod download;
mod first_use;
mod people;
mod remote;
mod shell;
