//! Places where a test can make writing and publishing fail, or stop the
//! process as a crash would. Only with the cargo feature `failpoints`; without
//! it they are nothing at all.
//!
//! From outside: `FAILPOINTS='artifact::rename=return(EIO)'` in the environment
//! of a program that calls [`setup`]. The value is `EIO`, `ENOSPC`, `EDQUOT`,
//! `EROFS` or `EINTR`, which the place then answers as if the kernel had, or
//! `abort`, which ends the process there and then. `1*return(EIO)` acts once.

use std::io;

/// Every place, in the order of a backup that succeeds.
pub const POINTS: &[&str] = &[
    // Before each member is written to the temp file.
    "artifact::write",
    // The dump is in the temp file, nothing is flushed.
    "artifact::step-1",
    // Flushing the temp file.
    "artifact::fsync",
    // The last moment at which the kernel could report a write that failed.
    "artifact::close",
    // The temp file is flushed.
    "artifact::step-2",
    // Writing and flushing the sidecar's temp file.
    "artifact::sidecar-write",
    // The sidecar's temp file is flushed.
    "artifact::step-3",
    // Giving the sidecar its name.
    "artifact::sidecar-rename",
    // The sidecar has its name, the artifact has not.
    "artifact::step-4",
    // Giving the artifact its name.
    "artifact::rename",
    // Both have their names, the folder is not flushed.
    "artifact::step-5",
    // Flushing the folder.
    "artifact::fsync-folder",
    // All is done; the caller has not been told.
    "artifact::step-6",
];

/// The places of a removal, in their order.
pub const REMOVAL: &[&str] = &[
    // Nothing is removed yet.
    "artifact::remove",
    // The artifact is gone, its sidecar is not.
    "artifact::removed-file",
    // Both are gone, the folder is not flushed.
    "artifact::removed",
];

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
    debug_assert!(POINTS.contains(&name) || REMOVAL.contains(&name), "{name} is not in the list");
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
