//! The bytes of a backup, from the dump tool's output to a named, flushed file
//! that explains itself, and back.
//!
//! The way of the bytes: [`copy`] reads the dump in blocks, scans them
//! ([`scan`]), compresses them in parallel ([`gzip`]), hashes and writes them
//! to a [`TempArtifact`]; [`TempArtifact::publish`] makes a backup of it in its
//! [`Folder`]. A [`Meter`] tells how far this has come, and [`follow`] gives the
//! finished part to readers while it goes on.
//!
//! Everything here blocks: threads and bounded channels, no async. Nothing here
//! knows a database, a catalog or a network.

pub mod faults;
pub mod follow;
pub mod gzip;
mod places;
pub mod scan;

mod copy;
mod digest;
mod folder;
mod meter;
mod pipe;

pub use copy::{Copied, CopyError, Encoding, copy, default_workers};
pub use digest::{Digest, digest};
pub use folder::{
    ArtifactName, Claim, Entries, FileEntry, Folder, FolderError, FolderId, NameError, Partial,
    PublishError, Published, SidecarError, TempArtifact, artifact_filename,
};
pub use meter::Meter;
pub use pipe::{PipeReader, enlarge_pipe};
