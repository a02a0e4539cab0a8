//! A backup that has no name yet.

use std::{
    fs::File,
    io::{self, Write},
};

use cofferdam_model::BackupId;
use rustix::fs::{AtFlags, Mode, OFlags};

use super::{Folder, flusher::Flusher, name};
use crate::faults;

/// The temp file of a run. Dropped without being published, it is removed.
#[derive(Debug)]
pub struct TempArtifact {
    pub(super) folder: Folder,
    pub(super) backup: BackupId,
    pub(super) file: File,
    pub(super) name: String,
    pub(super) flusher: Flusher,
    /// The name leads to a published file now, or to nothing.
    pub(super) gone: bool,
}

impl TempArtifact {
    pub(super) fn create(folder: &Folder, backup: BackupId) -> io::Result<Self> {
        let name = name::partial(backup);
        let file = create(folder, &name)?;
        Ok(Self {
            folder: folder.clone(),
            backup,
            file,
            name,
            flusher: Flusher::default(),
            gone: false,
        })
    }

    /// Which run it belongs to.
    pub fn backup(&self) -> BackupId {
        self.backup
    }

    /// Another handle of the file, at the same place in it; use it with
    /// positioned reads. It stays good when the file gets its name or is removed.
    pub fn try_clone_file(&self) -> io::Result<File> {
        self.file.try_clone()
    }
}

impl Write for TempArtifact {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        faults::point("artifact::write")?;
        let count = self.file.write(bytes)?;
        self.flusher.wrote(&self.file, count)?;
        Ok(count)
    }

    /// Does nothing: nothing is buffered here, and publishing flushes to the disk.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for TempArtifact {
    fn drop(&mut self) {
        if !self.gone {
            // Reconciliation finds what cannot be removed now.
            let _ = rustix::fs::unlinkat(&self.folder.0.dir, self.name.as_str(), AtFlags::empty());
        }
    }
}

/// A new file that only this user can read. Readable by ourselves, for followers.
pub(super) fn create(folder: &Folder, name: &str) -> io::Result<File> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mode = Mode::RUSR | Mode::WUSR;
    Ok(File::from(rustix::fs::openat(&folder.0.dir, name, flags, mode)?))
}
