//! Places where a test can make writing and publishing fail, or stop the
//! process as a crash would. Only with the cargo feature `failpoints`; without
//! it they are nothing at all.
//!
//! From outside: `FAILPOINTS='artifact::rename=return(EIO)'` in the environment
//! of a program that calls [`setup`]. The value is `EIO`, `ENOSPC`, `EDQUOT`,
//! `EROFS` or `EINTR`, which the place then answers as if the kernel had, or
//! `abort`, which ends the process there and then. `1*return(EIO)` acts once.

use std::io;

pub use crate::places::{LARGE, POINTS, REMOVAL};

/// Reads `FAILPOINTS` from the environment; the places act while the returned
/// value lives.
#[cfg(feature = "failpoints")]
#[must_use]
pub fn setup() -> fail::FailScenario<'static> {
    fail::FailScenario::setup()
}

/// Passes one place.
#[allow(clippy::unnecessary_wraps, clippy::inline_always)] // Without the feature nothing is left.
#[cfg_attr(not(feature = "failpoints"), inline(always))]
pub(crate) fn point(name: &str) -> io::Result<()> {
    debug_assert!(
        [POINTS, LARGE, REMOVAL].iter().any(|list| list.contains(&name)),
        "{name} is not in the list"
    );
    fail::fail_point!(name, |value| Err(fault(value.as_deref().unwrap_or("EIO"))));
    Ok(())
}

#[cfg(feature = "failpoints")]
fn fault(value: &str) -> io::Error {
    use rustix::io::Errno;
    match value {
        "abort" => std::process::abort(),
        "ENOSPC" => Errno::NOSPC.into(),
        "EDQUOT" => Errno::DQUOT.into(),
        "EROFS" => Errno::ROFS.into(),
        "EINTR" => Errno::INTR.into(),
        _ => Errno::IO.into(),
    }
}
