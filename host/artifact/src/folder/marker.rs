//! The file that shows that this is the right folder.

use std::{
    fs::File,
    io::{self, Read, Write},
    os::fd::OwnedFd,
    path::Path,
};

use rustix::{
    fs::{Mode, OFlags, RenameFlags},
    io::Errno,
};
use serde::{Deserialize, Serialize};

use super::{FolderError, FolderId};

/// Its name.
pub(super) const NAME: &str = ".cofferdam-folder";
/// A marker is about a hundred bytes.
const LONGEST: u64 = 64 << 10;

#[derive(Serialize, Deserialize)]
struct Marker {
    id: FolderId,
}

pub(super) fn read(dir: &OwnedFd, path: &Path) -> Result<FolderId, FolderError> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match rustix::fs::openat(dir, NAME, flags, Mode::empty()) {
        Ok(file) => File::from(file),
        Err(Errno::NOENT) => return Err(FolderError::NoMarker(path.to_owned())),
        Err(Errno::LOOP) => return Err(FolderError::DamagedMarker(path.to_owned())),
        Err(error) => return Err(FolderError::Io { path: path.to_owned(), error: error.into() }),
    };
    let mut text = Vec::new();
    file.take(LONGEST)
        .read_to_end(&mut text)
        .map_err(|error| FolderError::Io { path: path.to_owned(), error })?;
    // The second line is not the marker's own; see `claim`.
    let first = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let marker: Result<Marker, _> = serde_json::from_slice(first);
    marker.map(|marker| marker.id).map_err(|_| FolderError::DamagedMarker(path.to_owned()))
}

/// Writes the marker unless there is one, whole or not at all.
pub(super) fn write(dir: &OwnedFd, id: FolderId) -> io::Result<()> {
    let temp = format!("{NAME}-{id}");
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let mode = Mode::RUSR | Mode::WUSR;
    let mut file = File::from(rustix::fs::openat(dir, temp.as_str(), flags, mode)?);
    let mut text = serde_json::to_vec(&Marker { id })?;
    text.push(b'\n');
    let written = file.write_all(&text).and_then(|()| file.sync_all());
    let named = written.and_then(|()| {
        match rustix::fs::renameat_with(dir, temp.as_str(), dir, NAME, RenameFlags::NOREPLACE) {
            Ok(()) => Ok(rustix::fs::fsync(dir)?),
            Err(error) => Err(error.into()),
        }
    });
    if let Err(error) = named {
        let _ = rustix::fs::unlinkat(dir, temp.as_str(), rustix::fs::AtFlags::empty());
        if error.kind() != io::ErrorKind::AlreadyExists {
            return Err(error);
        }
    }
    Ok(())
}
