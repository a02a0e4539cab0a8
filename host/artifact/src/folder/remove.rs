//! Removing backups and left-overs.

use super::{ArtifactName, Folder, FolderError, NameError, Partial, name};
use crate::faults;

impl Folder {
    /// Removes an artifact, then its sidecar, for good. That one or both are
    /// missing is fine: a removal that was interrupted is simply done again.
    pub fn remove(&self, filename: &str) -> Result<(), FolderError> {
        let name: ArtifactName = filename.parse()?;
        self.check()?;
        faults::point("artifact::remove")
            .and_then(|()| self.unlink(name.as_str()))
            .and_then(|()| faults::point("artifact::removed-file"))
            .and_then(|()| self.unlink(&name.sidecar()))
            .and_then(|()| faults::point("artifact::removed"))
            .and_then(|()| self.sync())
            .map_err(|error| self.failed(error))
    }

    /// Removes a sidecar that has no artifact beside it. With an artifact, or
    /// without a sidecar, nothing happens.
    pub fn remove_lone_sidecar(&self, filename: &str) -> Result<(), FolderError> {
        let name: ArtifactName = filename.parse()?;
        self.check()?;
        match self.open_artifact(filename) {
            Err(FolderError::NotFound(_)) => {}
            other => return other.map(|_| ()),
        }
        self.unlink(&name.sidecar()).and_then(|()| self.sync()).map_err(|error| self.failed(error))
    }

    /// Removes a temp file. Whether its run is over is for the caller to know.
    pub fn remove_partial(&self, partial: &Partial) -> Result<(), FolderError> {
        // The name comes from a listing, but its fields are anybody's to fill.
        if !name::is_partial(&partial.name) || partial.name.contains('/') {
            return Err(NameError::new(&partial.name).into());
        }
        self.check()?;
        self.unlink(&partial.name).map_err(|error| self.failed(error))
    }
}
