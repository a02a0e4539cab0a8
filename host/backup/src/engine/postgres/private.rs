//! A folder for one run that only this user can enter. It goes when it is
//! dropped; one that a killed process left behind goes when the next is made.

use std::{
    fs::{self, File, Permissions},
    io,
    os::unix::fs::PermissionsExt,
    path::Path,
    time::Duration,
};

use rustix::fs::{FlockOperation, flock};
use tempfile::TempDir;

/// What the names begin with.
const PREFIX: &str = "cofferdam-run-";
/// A younger folder may belong to a process that has not locked it yet.
const YOUNG: Duration = Duration::from_mins(1);

/// The folder, and the lock that shows that its process lives.
#[derive(Debug)]
pub(super) struct Private {
    folder: TempDir,
    _lock: File,
}

impl Private {
    pub(super) fn new() -> io::Result<Self> {
        let parent = std::env::temp_dir();
        sweep(&parent, YOUNG);
        let private = Permissions::from_mode(0o700);
        let folder =
            tempfile::Builder::new().prefix(PREFIX).permissions(private).tempdir_in(parent)?;
        let lock = File::open(folder.path())?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
        Ok(Self { folder, _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Removes folders whose process is gone. What cannot be removed, say because
/// it is another user's, stays.
fn sweep(parent: &Path, young: Duration) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let is_ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let age = entry.metadata().and_then(|data| data.modified()).map(|time| time.elapsed());
        let is_old = age.is_ok_and(|age| age.is_ok_and(|age| age >= young));
        if is_ours && is_folder && is_old {
            let free = File::open(entry.path())
                .is_ok_and(|file| flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok());
            if free {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_whose_process_is_gone_is_removed_and_a_used_one_stays() {
        let parent = tempfile::tempdir().expect("a folder");
        let left = parent.path().join(format!("{PREFIX}left"));
        let used = parent.path().join(format!("{PREFIX}used"));
        let other = parent.path().join("other");
        for folder in [&left, &used, &other] {
            fs::create_dir(folder).expect("it is made");
            fs::write(folder.join("pgpass"), "secret").expect("it is written");
        }
        let lock = File::open(&used).expect("it is there");
        flock(&lock, FlockOperation::NonBlockingLockExclusive).expect("nobody else uses it");
        sweep(parent.path(), YOUNG);
        assert!(left.exists(), "it is too young");
        sweep(parent.path(), Duration::ZERO);
        assert_eq!((left.exists(), used.exists(), other.exists()), (false, true, true));
    }
}
