//! The dump's bytes on their way into the file, and what can go wrong there.

use std::io::{self, Read};

use cofferdam_artifact::{CopyError, FolderError, PublishError};
use cofferdam_model::{Failure, FailureKind};

use crate::Control;

/// A reader that fails as soon as the run is stopped, so that a stop counts
/// even where the bytes go on coming.
pub(crate) struct Guarded<'a, R> {
    inner: R,
    control: &'a Control,
}

impl<'a, R> Guarded<'a, R> {
    pub(crate) fn new(inner: R, control: &'a Control) -> Self {
        Self { inner, control }
    }
}

impl<R: Read> Read for Guarded<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.control.is_stopped() {
            return Err(io::Error::other("the run was stopped"));
        }
        self.inner.read(buffer)
    }
}

/// A copy that failed, as the outcome of a run.
pub(crate) fn copy_failed(error: &CopyError) -> Failure {
    match error {
        CopyError::Write(cause) => disk(error, cause),
        CopyError::Read(_) | CopyError::Thread(_) => {
            Failure::new(FailureKind::Internal, error.to_string())
        }
    }
}

/// A folder that refused, as the outcome of a run.
pub(crate) fn folder_failed(error: &FolderError) -> Failure {
    match error {
        FolderError::Io { error: cause, .. } => disk(error, cause),
        _ => Failure::new(FailureKind::Storage, error.to_string())
            .hint("check that the disk with the backup folder is mounted"),
    }
}

/// A file that could not be published, as the outcome of a run.
pub(crate) fn publish_failed(error: &PublishError) -> Failure {
    match (error, error.io_error()) {
        (_, Some(cause)) => disk(error, cause),
        (PublishError::Folder(error), None) => folder_failed(error),
        (_, None) => Failure::new(FailureKind::Storage, error.to_string()),
    }
}

/// What the disk said, with the kind that fits.
pub(crate) fn disk(what: &dyn std::error::Error, cause: &io::Error) -> Failure {
    use io::ErrorKind::{QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    let (kind, hint) = match cause.kind() {
        StorageFull | QuotaExceeded => {
            (FailureKind::Space, "delete backups that are not needed, or give the folder more room")
        }
        ReadOnlyFilesystem => (
            FailureKind::Storage,
            "the file system is read-only; look for disk errors in the system's log",
        ),
        _ => (FailureKind::Storage, "look for disk errors in the system's log"),
    };
    Failure::new(kind, what.to_string()).hint(hint)
}
