//! Numbers and times as people read them.

use cofferdam_model::Timestamp;

/// A size: `1.4 GB`, `83 MB`, `512 bytes`. Decimal units.
#[must_use]
pub fn bytes(_count: u64) -> String { String::new() }
/// The exact size: `1,412,345,678 bytes`.
#[must_use]
pub fn bytes_exact(_count: u64) -> String { String::new() }
/// A whole number with separators: `1,412`.
#[must_use]
pub fn number(_count: u64) -> String { String::new() }
/// A duration: `0.8 s`, `20 s`, `3 min 5 s`, `2 h 10 min`.
#[must_use]
pub fn duration(_millis: u64) -> String { String::new() }
/// How long ago: `just now`, `2 hours ago`, `in 5 minutes`.
#[must_use]
pub fn relative(_at: Timestamp, _now: Timestamp) -> String { String::new() }
/// The exact moment: `2026-11-21 12:09:37 UTC`.
#[must_use]
pub fn exact(_at: Timestamp) -> String { String::new() }
