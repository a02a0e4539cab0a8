//! Cofferdam, a self-hosted backup console for databases.
//!
//! Reading order: `config` (the only reader of settings), `app` (what is
//! opened once), `service` (what Cofferdam can do), then the doors to it:
//! `http` (pages and API), `cli`, and `worker`, which makes the backups.

// In a binary nothing is reachable from outside; `pub` marks what other modules use.
#![allow(unreachable_pub)]

mod app;
mod cli;
mod config;
mod dto;
mod http;
mod hub;
mod mail;
mod one_line;
mod password;
mod plugins;
mod serve;
mod service;
mod starter;
mod testkit;
mod token;
mod vault;
mod worker;

use std::process::ExitCode;

fn main() -> ExitCode {
    // The fault tests name places in the environment; without the feature there are none.
    #[cfg(feature = "failpoints")]
    let _places = cofferdam_artifact::faults::setup();
    cli::main()
}
