//! The names of all fail points. Tests from outside share this file.

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

/// The places that only a large file passes.
pub const LARGE: &[&str] = &[
    // Flushing what was written so far, beside the dump.
    "artifact::flush-on-the-way",
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
