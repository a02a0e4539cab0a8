//! The crate from outside, with real files and real programs.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::items_after_statements)]
#![allow(clippy::naive_bytecount)] // A second way of counting is the point.

mod copy;
mod folder;
mod follow;
mod gzip;
mod postgres;
mod publish;
mod scan;
mod support;
