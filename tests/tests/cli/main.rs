//! The command line: on its own, beside a running console, and from afar.

mod alone;
mod author;
mod beside;
mod destinations;
mod download;
mod first_look;
mod first_use;
mod kit;
mod mistakes;
mod naming;
mod people;
mod remote;
mod shell;
mod terminal;
