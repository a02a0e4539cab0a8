//! Plugins that do harm, through the real console: each is stopped alone, with
//! the sentence that stands in a table here, and afterwards the next delivery of
//! a good plugin works and nothing of the bad one is left.

// Nothing outside uses a test; `pub` marks what its other modules do. Numbers
// that were measured are printed, for whoever runs a test to read them.
#![allow(unreachable_pub, clippy::print_stdout)]

mod rest;
mod stage;
#[path = "../../../host/runtime/tests/runtime/surgery.rs"]
mod surgery;

mod again;
mod answers;
mod files;
mod limits;
mod lists;
mod network;
mod refused;
mod replaced;
mod secrets;
mod shown;
mod stored;
