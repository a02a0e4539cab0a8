//! One catalog at a time: two would take each other's unfinished files for
//! what dead runs have left.
//!
//! Whoever uses a folder holds a shared lock on its marker, and the marker's
//! second line says for which catalog. Only whoever is alone, and so gets the
//! lock for itself, changes that line. The system ends a lock with its process.

use std::{
    fs::File,
    io,
    os::unix::fs::{FileExt as _, MetadataExt as _},
    thread,
    time::Duration,
};

use rustix::{
    fs::{AtFlags, FlockOperation, Mode, OFlags, flock},
    io::Errno,
};

use super::{Folder, FolderError, marker};

/// The owner's line always has this length, so that it is written in place.
const WIDTH: usize = 64;
/// Somebody who has the lock for itself only writes the line, so it is soon over.
const ATTEMPTS: u32 = 25;
const PAUSE: Duration = Duration::from_millis(20);

/// A folder that nobody with another catalog uses, until this is dropped.
#[derive(Debug)]
pub struct Claim {
    marker: File,
}

impl Claim {
    /// Whether this is a claim on the folder that is now at that place.
    pub fn is_of(&self, folder: &Folder) -> bool {
        let now = rustix::fs::statat(&folder.0.dir, marker::NAME, AtFlags::SYMLINK_NOFOLLOW);
        let held = self.marker.metadata();
        matches!((now, held), (Ok(a), Ok(b)) if (a.st_dev, a.st_ino) == (b.dev(), b.ino()))
    }
}

impl Folder {
    /// Claims the folder for `owner`, of which 64 characters count. Any number
    /// of processes may hold claims for the same owner. Waits half a second at
    /// most. `None` where the file system cannot lock, or cannot be written at all.
    ///
    /// # Errors
    /// [`FolderError::InUse`] while somebody holds a claim for another owner.
    pub fn claim(&self, owner: &str) -> Result<Option<Claim>, FolderError> {
        let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let marker = match rustix::fs::openat(&self.0.dir, marker::NAME, flags, Mode::empty()) {
            Ok(file) => File::from(file),
            Err(Errno::ROFS | Errno::ACCESS | Errno::PERM) => return Ok(None),
            Err(error) => return Err(self.failed(error.into())),
        };
        let owner = format!("\n{owner:<WIDTH$.WIDTH$}\n");
        for _ in 0..ATTEMPTS {
            match hold(&marker, owner.as_bytes()) {
                Ok(true) => return Ok(Some(Claim { marker })),
                Ok(false) => {}
                Err(error) => {
                    return match Errno::from_io_error(&error) {
                        Some(Errno::NOTSUP | Errno::NOSYS | Errno::NOLCK) => Ok(None),
                        _ => Err(self.failed(error)),
                    };
                }
            }
            // Whoever tries to be alone must not meet others that only wait.
            let _ = flock(&marker, FlockOperation::Unlock);
            thread::sleep(PAUSE);
        }
        Err(FolderError::InUse(self.0.path.clone()))
    }
}

/// Takes the shared lock, as the first one with this owner's line; `false`
/// where that is not possible now.
fn hold(marker: &File, owner: &[u8]) -> io::Result<bool> {
    match flock(marker, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => write_owner(marker, owner)?,
        Err(Errno::WOULDBLOCK) => {}
        Err(error) => return Err(error.into()),
    }
    // From one lock to the other somebody may come between, so the line is read after it.
    match flock(marker, FlockOperation::NonBlockingLockShared) {
        Ok(()) => Ok(read_owner(marker)?.1 == owner),
        Err(Errno::WOULDBLOCK) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Where the marker's first line ends, and what follows.
fn read_owner(marker: &File) -> io::Result<(u64, Vec<u8>)> {
    let mut text = vec![0; 4096];
    let length = marker.read_at(&mut text, 0)?;
    text.truncate(length);
    let end = memchr::memchr(b'\n', &text).unwrap_or(length);
    Ok((end as u64, text.split_off(end)))
}

fn write_owner(marker: &File, owner: &[u8]) -> io::Result<()> {
    let (place, written) = read_owner(marker)?;
    if written != owner {
        // The first line is never touched: no crash can damage it.
        marker.write_all_at(owner, place)?;
    }
    Ok(())
}
