//! The JSON file beside each artifact.

use std::io::{self, Write};

use cofferdam_model::{BackupId, SIDECAR_VERSION, Sidecar};
use serde::Deserialize;

use super::{ArtifactName, Folder, FolderError, name, temp};
use crate::faults;

/// Larger ones are not read. A table takes about 100 bytes, so half a million fit.
const LONGEST: u64 = 64 << 20;

/// Why a sidecar cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SidecarError {
    /// There is none.
    #[error("there is no sidecar for {0}")]
    Missing(ArtifactName),
    /// It is larger than any sidecar.
    #[error("the sidecar of {0} is too large")]
    TooLarge(ArtifactName),
    /// A later version of the program wrote it.
    #[error("the sidecar of {name} has format {version}, which this version does not know")]
    Newer {
        /// Whose sidecar.
        name: ArtifactName,
        /// The format it has.
        version: u32,
    },
    /// It is no sidecar, or not this artifact's.
    #[error("the sidecar of {name} is damaged: {reason}")]
    Damaged {
        /// Whose sidecar.
        name: ArtifactName,
        /// What is wrong with it.
        reason: String,
    },
    /// The artifact's name is none.
    #[error(transparent)]
    Name(#[from] super::NameError),
    /// The system refused.
    #[error("the sidecar of {name} could not be read: {error}")]
    Io {
        /// Whose sidecar.
        name: ArtifactName,
        /// What the system said.
        #[source]
        error: io::Error,
    },
}

#[derive(Deserialize)]
struct Version {
    format_version: u32,
}

impl Folder {
    /// Reads the sidecar of `filename`, whether the artifact is there or not.
    pub fn read_sidecar(&self, filename: &str) -> Result<Sidecar, SidecarError> {
        let name: ArtifactName = filename.parse()?;
        let text = match self.read_bounded(&name.sidecar(), LONGEST + 1) {
            Ok(text) if text.len() as u64 > LONGEST => return Err(SidecarError::TooLarge(name)),
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(SidecarError::Missing(name));
            }
            Err(error) => return Err(SidecarError::Io { name, error }),
        };
        // A newer format may differ in anything but this field.
        let damaged = |reason: String| SidecarError::Damaged { name: name.clone(), reason };
        let Version { format_version: version } =
            serde_json::from_slice(&text).map_err(|error| damaged(error.to_string()))?;
        if version > SIDECAR_VERSION {
            return Err(SidecarError::Newer { name, version });
        }
        let sidecar: Sidecar =
            serde_json::from_slice(&text).map_err(|error| damaged(error.to_string()))?;
        if sidecar.filename != name.as_str() {
            return Err(damaged("it names another file".to_owned()));
        }
        Ok(sidecar)
    }

    /// Puts `sidecar` beside the artifact `filename`, in place of the one
    /// that is there: at any moment the old or the new one is there whole.
    pub fn update_sidecar(&self, filename: &str, sidecar: &Sidecar) -> Result<(), FolderError> {
        let name: ArtifactName = filename.parse()?;
        self.check()?;
        if !self.exists(name.as_str()) {
            return Err(FolderError::NotFound(name));
        }
        let replaced = write_temp(self, sidecar.id, sidecar).and_then(|temp| {
            faults::point("artifact::sidecar-rename")?;
            let dir = &self.0.dir;
            rustix::fs::renameat(dir, temp.name.as_str(), dir, name.sidecar())?;
            temp.keep();
            self.sync()
        });
        replaced.map_err(|error| self.failed(error))
    }
}

/// Writes a sidecar under a name that nothing has yet; `false` if something has.
pub(super) fn write_new(
    folder: &Folder,
    backup: BackupId,
    name: &str,
    sidecar: &Sidecar,
) -> io::Result<bool> {
    let temp = write_temp(folder, backup, sidecar)?;
    faults::point("artifact::step-3")?;
    faults::point("artifact::sidecar-rename")?;
    let renamed = folder.rename_new(&temp.name, name)?;
    if renamed {
        temp.keep();
    }
    Ok(renamed)
}

/// A flushed temp file; removed when dropped unless kept.
struct Temp<'a> {
    folder: &'a Folder,
    name: String,
    kept: bool,
}

impl Temp<'_> {
    fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Temp<'_> {
    fn drop(&mut self) {
        if !self.kept {
            let _ = self.folder.unlink(&self.name);
        }
    }
}

fn write_temp<'a>(folder: &'a Folder, backup: BackupId, sidecar: &Sidecar) -> io::Result<Temp<'a>> {
    let mut text = serde_json::to_vec_pretty(sidecar)?;
    text.push(b'\n');
    let name = format!("{}.json", name::partial(backup));
    let mut file = temp::create(folder, &name)?;
    let temp = Temp { folder, name, kept: false };
    faults::point("artifact::sidecar-write")?;
    file.write_all(&text)?;
    file.sync_all()?;
    Ok(temp)
}
