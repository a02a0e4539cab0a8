//! What is in the folder, for reconciling it with the catalog.

use std::{collections::BTreeMap, io};

use cofferdam_model::BackupId;
use rustix::{
    fs::{AtFlags, Dir, FileType},
    io::Errno,
};

use super::{ArtifactName, Folder, FolderError, name};

/// An artifact or a sidecar, by the artifact's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEntry {
    /// The artifact's name, for a sidecar too.
    pub name: ArtifactName,
    /// The file's size.
    pub size_bytes: u64,
}

/// A temp file that a run uses or has left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partial {
    /// Its name, for [`Folder::remove_partial`].
    pub name: String,
    /// The run that it belongs to, where the name says so.
    pub backup: Option<BackupId>,
    /// The file's size.
    pub size_bytes: u64,
}

/// The folder's regular files, each kind sorted by name. Other files are not
/// Cofferdam's and not listed. Sidecars are not opened; see [`Folder::read_sidecar`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Entries {
    /// Artifacts with a sidecar beside them.
    pub artifacts: Vec<FileEntry>,
    /// Artifacts without one.
    pub without_sidecar: Vec<FileEntry>,
    /// Sidecars whose artifact is not there: runs that stopped while
    /// publishing, removals that stopped halfway, or artifacts removed by hand.
    pub lone_sidecars: Vec<FileEntry>,
    /// Temp files.
    pub partials: Vec<Partial>,
}

impl Folder {
    /// Lists the folder. A listing is only given whole: any error means none.
    pub fn entries(&self) -> Result<Entries, FolderError> {
        self.check()?;
        self.list().map_err(|error| self.failed(error))
    }

    fn list(&self) -> io::Result<Entries> {
        let mut entries = Entries::default();
        let mut artifacts = BTreeMap::new();
        let mut sidecars = BTreeMap::new();
        for item in Dir::read_from(&self.0.dir)? {
            let item = item?;
            // Our own names are ASCII; others' are no concern.
            let Ok(name) = item.file_name().to_str() else { continue };
            let partial = name::is_partial(name);
            let artifact = name.parse::<ArtifactName>().ok();
            let beside = ArtifactName::of_sidecar(name);
            if !partial && artifact.is_none() && beside.is_none() {
                continue;
            }
            let stat = match rustix::fs::statat(&self.0.dir, name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => stat,
                // Removed since the listing began.
                Err(Errno::NOENT) => continue,
                Err(error) => return Err(error.into()),
            };
            if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
                continue;
            }
            let size_bytes = u64::try_from(stat.st_size).unwrap_or(0);
            if partial {
                let backup = name::partial_backup(name);
                let name = name.to_owned();
                entries.partials.push(Partial { name, backup, size_bytes });
            } else if let Some(name) = artifact {
                artifacts.insert(name.clone(), FileEntry { name, size_bytes });
            } else if let Some(name) = beside {
                sidecars.insert(name.clone(), FileEntry { name, size_bytes });
            }
        }
        for (name, entry) in artifacts {
            match sidecars.remove(&name) {
                Some(_) => entries.artifacts.push(entry),
                None => entries.without_sidecar.push(entry),
            }
        }
        entries.lone_sidecars = sidecars.into_values().collect();
        entries.partials.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }
}
