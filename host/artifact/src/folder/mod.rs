//! The folder of the backups, and the files in it.
//!
//! A folder is known by its marker: without it, or with another one, nothing
//! is written and nothing deleted, because then a disk is not mounted or
//! another one is. All names are taken relative to the open folder and never
//! followed through a symbolic link.

mod claim;
mod entries;
mod flusher;
mod id;
mod marker;
mod name;
mod publish;
mod remove;
mod sidecar;
mod temp;

use std::{
    fs::{DirBuilder, File},
    io,
    os::{fd::OwnedFd, unix::fs::DirBuilderExt as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use cofferdam_model::BackupId;
use rustix::fs::{Mode, OFlags};

pub use claim::Claim;
pub use entries::{Entries, FileEntry, Partial};
pub use id::FolderId;
pub use name::{ArtifactName, NameError, artifact_filename};
pub use publish::{PublishError, Published};
pub use sidecar::SidecarError;
pub use temp::TempArtifact;

use crate::faults;

/// What can go wrong with the folder itself.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// There is no folder at this path.
    #[error("the backup folder {} does not exist", .0.display())]
    Missing(PathBuf),
    /// The folder has no marker, so it is perhaps the empty mount point.
    #[error("the folder {} carries no marker: its disk is perhaps not mounted", .0.display())]
    NoMarker(PathBuf),
    /// The folder carries another marker.
    #[error("the folder {} is another one than expected", path.display())]
    OtherFolder {
        /// Where it is.
        path: PathBuf,
        /// What the marker says.
        found: FolderId,
    },
    /// The marker cannot be understood.
    #[error("the marker in the folder {} is damaged", .0.display())]
    DamagedMarker(PathBuf),
    /// Another folder has taken its place since it was opened.
    #[error("the folder {} was replaced or unmounted while in use", .0.display())]
    Replaced(PathBuf),
    /// A process with another catalog uses the folder now.
    #[error("the folder {} is in use by a console with another catalog", .0.display())]
    InUse(PathBuf),
    /// The name is not one of an artifact.
    #[error(transparent)]
    Name(#[from] NameError),
    /// There is no such artifact.
    #[error("there is no file {0} in the backup folder")]
    NotFound(ArtifactName),
    /// What has the artifact's name is no regular file.
    #[error("{0} in the backup folder is not a regular file")]
    NotAFile(ArtifactName),
    /// The system refused.
    #[error("the backup folder {}: {error}", path.display())]
    Io {
        /// Where it is.
        path: PathBuf,
        /// What the system said.
        #[source]
        error: io::Error,
    },
}

/// An open folder of backups. Clones are the same folder.
#[derive(Debug, Clone)]
pub struct Folder(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    dir: OwnedFd,
    path: PathBuf,
    id: FolderId,
}

impl Folder {
    /// Makes `path` (and the folders above it) a folder of backups, with a
    /// marker of its own. A folder that has a marker already keeps it.
    pub fn create(path: &Path) -> Result<(Self, FolderId), FolderError> {
        let failed = |error| FolderError::Io { path: path.to_owned(), error };
        // What is in it concerns nobody else on this machine. A folder that is
        // there already keeps its mode: whoever made it has decided.
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed)?;
        let dir = open_dir(path).map_err(failed)?;
        let id = match marker::read(&dir, path) {
            Err(FolderError::NoMarker(_)) => {
                let id = FolderId::new();
                marker::write(&dir, id).map_err(failed)?;
                // Whoever was first has decided.
                marker::read(&dir, path)?
            }
            other => other?,
        };
        Ok((Self(Arc::new(Inner { dir, path: path.to_owned(), id })), id))
    }

    /// Opens the folder whose marker says `expected`, and no other.
    pub fn open(path: &Path, expected: FolderId) -> Result<Self, FolderError> {
        let dir = open_dir(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => FolderError::Missing(path.to_owned()),
            _ => FolderError::Io { path: path.to_owned(), error },
        })?;
        let found = marker::read(&dir, path)?;
        if found != expected {
            return Err(FolderError::OtherFolder { path: path.to_owned(), found });
        }
        Ok(Self(Arc::new(Inner { dir, path: path.to_owned(), id: found })))
    }

    /// Checks that the path still leads to this folder and its marker. Every
    /// change of the folder begins with this.
    pub fn check(&self) -> Result<(), FolderError> {
        let now = Self::open(&self.0.path, self.0.id)?;
        let stat =
            |dir: &OwnedFd| rustix::fs::fstat(dir).map_err(|error| self.failed(error.into()));
        let (now, then) = (stat(&now.0.dir)?, stat(&self.0.dir)?);
        if (now.st_dev, now.st_ino) != (then.st_dev, then.st_ino) {
            return Err(FolderError::Replaced(self.0.path.clone()));
        }
        Ok(())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// What its marker says.
    pub fn id(&self) -> FolderId {
        self.0.id
    }

    /// Bytes that this process may still write here.
    pub fn free_bytes(&self) -> Result<u64, FolderError> {
        let stat = rustix::fs::fstatvfs(&self.0.dir).map_err(|error| self.failed(error.into()))?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    /// Begins a backup: an empty temp file that only this user can read.
    pub fn begin(&self, backup: BackupId) -> Result<TempArtifact, FolderError> {
        self.check()?;
        TempArtifact::create(self, backup).map_err(|error| self.failed(error))
    }

    /// Opens a published artifact for reading.
    pub fn open_artifact(&self, filename: &str) -> Result<File, FolderError> {
        let name: ArtifactName = filename.parse()?;
        // Without NONBLOCK, a named pipe would wait for a writer.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let opened = rustix::fs::openat(&self.0.dir, name.as_str(), flags, Mode::empty());
        let file = match opened {
            Ok(file) => File::from(file),
            Err(rustix::io::Errno::NOENT) => return Err(FolderError::NotFound(name)),
            Err(rustix::io::Errno::LOOP) => return Err(FolderError::NotAFile(name)),
            Err(error) => return Err(self.failed(error.into())),
        };
        if !file.metadata().map_err(|error| self.failed(error))?.is_file() {
            return Err(FolderError::NotAFile(name));
        }
        Ok(file)
    }

    fn failed(&self, error: io::Error) -> FolderError {
        FolderError::Io { path: self.0.path.clone(), error }
    }

    /// Makes the folder's names last.
    fn sync(&self) -> io::Result<()> {
        faults::point("artifact::fsync-folder")?;
        Ok(rustix::fs::fsync(&self.0.dir)?)
    }
}

fn open_dir(path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::empty())?)
}
