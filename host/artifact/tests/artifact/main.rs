//! The crate from outside, with real files and real programs.
#![allow(clippy::unwrap_used)]

mod copy;
#[cfg(feature = "failpoints")]
mod faults;
mod folder;
mod follow;
mod gzip;
mod postgres;
mod publish;
mod scan;
mod support;
