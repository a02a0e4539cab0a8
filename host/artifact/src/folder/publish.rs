//! Giving a finished temp file its name.
//!
//! The order makes every crash harmless: the file is flushed first, then its
//! sidecar gets its name, the artifact gets its name last, and the folder is
//! flushed. An artifact that is there is whole; a sidecar without an artifact
//! is a run that did not finish. No step ever replaces a file.

use std::{fs::File, io, io::Read};

use cofferdam_model::Sidecar;
use rustix::{
    fs::{AtFlags, RenameFlags},
    io::Errno,
};

use super::{ArtifactName, Folder, FolderError, TempArtifact, sidecar};
use crate::faults;

/// Names are tried up to this number.
const MOST_NAMES: u32 = 10_000;

/// A backup that has its name and will keep it.
#[derive(Debug)]
pub struct Published {
    /// The name it got.
    pub filename: String,
    /// The file's size.
    pub size_bytes: u64,
    /// What stands beside it.
    pub sidecar: Sidecar,
}

/// Why a backup was not published. Nothing of it remains under a final name,
/// and its temp file is removed.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The folder is not the one that the backup was begun in, or the name does not fit.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The disk did not take the file. It is never flushed a second time: after
    /// a failed flush the kernel may have forgotten the bytes and say yes.
    #[error("the backup could not be flushed to the disk: {0}")]
    Flush(#[source] io::Error),
    /// The sidecar could not be written.
    #[error("the sidecar could not be written: {0}")]
    Sidecar(#[source] io::Error),
    /// The file could not be given its name.
    #[error("the backup could not be given its name: {0}")]
    Rename(#[source] io::Error),
    /// The folder could not be flushed.
    #[error("the folder could not be flushed to the disk: {0}")]
    FlushFolder(#[source] io::Error),
    /// All numbered names are taken.
    #[error("all names like {0} are taken")]
    NoName(ArtifactName),
}

impl PublishError {
    /// What the system said, where it was the system.
    pub fn io_error(&self) -> Option<&io::Error> {
        match self {
            Self::Folder(FolderError::Io { error, .. })
            | Self::Flush(error)
            | Self::Sidecar(error)
            | Self::Rename(error)
            | Self::FlushFolder(error) => Some(error),
            Self::Folder(_) | Self::NoName(_) => None,
        }
    }
}

impl TempArtifact {
    /// Flushes the file and gives it `filename`, or, where that is taken, the
    /// name with `_2`, `_3` … before the ending. `sidecar` makes the sidecar for
    /// the name it is given; it is asked again for each further name. On success
    /// both files survive a loss of power.
    pub fn publish(
        mut self,
        filename: &str,
        mut sidecar: impl FnMut(&str) -> Sidecar,
    ) -> Result<Published, PublishError> {
        let wanted: ArtifactName = filename.parse().map_err(FolderError::from)?;
        self.folder.check()?;
        self.flush_to_disk()?;
        let size_bytes = self.file.metadata().map_err(PublishError::Flush)?.len();
        for number in 1..=MOST_NAMES {
            let name = if number == 1 { wanted.clone() } else { wanted.numbered(number) };
            if self.folder.exists(name.as_str()) || self.folder.exists(&name.sidecar()) {
                continue;
            }
            let sidecar = sidecar(name.as_str());
            if self.take_name(&name, &sidecar)? {
                return Ok(Published { filename: name.as_str().to_owned(), size_bytes, sidecar });
            }
        }
        Err(PublishError::NoName(wanted))
    }

    /// Brings what was written to the disk, which can take long; publishing
    /// does the same, unless this was done and nothing was written since.
    ///
    /// # Errors
    /// [`PublishError::Flush`]. The file is of no use then, and never flushed again.
    pub fn flush_to_disk(&mut self) -> Result<(), PublishError> {
        self.flush_file().map_err(PublishError::Flush)
    }

    fn flush_file(&mut self) -> io::Result<()> {
        faults::point("artifact::step-1")?;
        self.flusher.flush(&self.file)?;
        // The handle stays open for followers. On file systems that report a
        // failed write only at the end, a flush reports it, and nothing is
        // written after it.
        faults::point("artifact::close")?;
        faults::point("artifact::step-2")
    }

    /// Names the sidecar, then the artifact. `false` when somebody else took
    /// the name meanwhile; then, as after an error, nothing has it.
    fn take_name(&mut self, name: &ArtifactName, sidecar: &Sidecar) -> Result<bool, PublishError> {
        let folder = self.folder.clone();
        let beside = name.sidecar();
        if !sidecar::write_new(&folder, self.backup, &beside, sidecar)
            .map_err(PublishError::Sidecar)?
        {
            return Ok(false);
        }
        // From here on the sidecar is ours to remove.
        let named = faults::point("artifact::step-4")
            .and_then(|()| faults::point("artifact::rename"))
            .and_then(|()| folder.rename_new(&self.name, name.as_str()));
        match named {
            Ok(true) => self.gone = true,
            Ok(false) => {
                folder.unlink(&beside).map_err(PublishError::Sidecar)?;
                return Ok(false);
            }
            Err(error) => {
                folder.give_up(&[&beside]);
                return Err(PublishError::Rename(error));
            }
        }
        let flushed = faults::point("artifact::step-5").and_then(|()| folder.sync());
        if let Err(error) = flushed.and_then(|()| faults::point("artifact::step-6")) {
            folder.give_up(&[name.as_str(), &beside]);
            return Err(PublishError::FlushFolder(error));
        }
        Ok(true)
    }
}

impl Folder {
    pub(super) fn exists(&self, name: &str) -> bool {
        // Whatever cannot be looked at is not free.
        let found = rustix::fs::statat(&self.0.dir, name, AtFlags::SYMLINK_NOFOLLOW);
        !matches!(found, Err(Errno::NOENT))
    }

    /// Renames unless the new name is taken, which gives `false`.
    pub(super) fn rename_new(&self, from: &str, to: &str) -> io::Result<bool> {
        let dir = &self.0.dir;
        match rustix::fs::renameat_with(dir, from, dir, to, RenameFlags::NOREPLACE) {
            Ok(()) => Ok(true),
            Err(Errno::EXIST) => Ok(false),
            // Network file systems do not know the flag. A hard link is as good:
            // it fails when the name is taken.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                match rustix::fs::linkat(dir, from, dir, to, AtFlags::empty()) {
                    Ok(()) => self.unlink(from).map(|()| true),
                    Err(Errno::EXIST) => Ok(false),
                    Err(error) => Err(error.into()),
                }
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Removes a file; that it is missing is fine.
    pub(super) fn unlink(&self, name: &str) -> io::Result<()> {
        match rustix::fs::unlinkat(&self.0.dir, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes back what was named, after an error that will be reported. What
    /// cannot be removed is found by reconciliation.
    fn give_up(&self, names: &[&str]) {
        for name in names {
            let _ = self.unlink(name);
        }
        let _ = rustix::fs::fsync(&self.0.dir);
    }

    /// Reads at most `limit` bytes of a file that must be a regular one.
    pub(super) fn read_bounded(&self, name: &str, limit: u64) -> io::Result<Vec<u8>> {
        use rustix::fs::{Mode, OFlags};
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = File::from(rustix::fs::openat(&self.0.dir, name, flags, Mode::empty())?);
        let mut bytes = Vec::new();
        file.take(limit).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}
