//! Lines for the administrator, shown with the delivery. Never write a secret.

use std::fmt::Display;

use crate::bindings::imports::cofferdam::plugin::log::{Level, write};

/// For who looks for a fault.
pub fn debug(line: impl Display) {
    write(Level::Debug, &line.to_string());
}

/// What was done.
pub fn info(line: impl Display) {
    write(Level::Info, &line.to_string());
}

/// What is odd, and did no harm.
pub fn warning(line: impl Display) {
    write(Level::Warning, &line.to_string());
}

/// What went wrong.
pub fn error(line: impl Display) {
    write(Level::Error, &line.to_string());
}
