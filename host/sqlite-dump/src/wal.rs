//! What reading a WAL-mode database means for the files beside it.

use std::{
    ffi::OsString,
    fs::{File, Metadata},
    io::Read,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use rustix::process::geteuid;

use crate::DumpError;

/// The two version bytes in the file's head that say "WAL".
const WAL_VERSIONS: [u8; 2] = [2, 2];

/// Whether the file's head says WAL mode; `false` where it cannot be read.
pub(crate) fn is_wal(path: &Path) -> bool {
    let mut head = [0_u8; 20];
    File::open(path).and_then(|mut file| file.read_exact(&mut head)).is_ok()
        && head[18..20] == WAL_VERSIONS
}

/// Reading in WAL mode needs the shared-memory file; whoever comes first
/// creates it, with the database's own permissions. Made by the wrong user,
/// it would keep the application from writing for as long as it lies there.
/// SQLite gives it to the database's owner where it can, that is, as root.
pub(crate) fn refuse_where_a_reader_would_do_harm(
    path: &Path,
    metadata: &Metadata,
) -> Result<(), DumpError> {
    let user = geteuid();
    let shared_by_group = metadata.mode() & 0o020 != 0;
    if user.is_root()
        || user.as_raw() == metadata.uid()
        || shared_by_group
        || !is_wal(path)
        || beside(path, "-shm").exists()
    {
        return Ok(());
    }
    Err(DumpError::WalNotReadable {
        path: path.to_owned(),
        detail: "nobody has it open, and a -shm file made by this user would keep its \
                 application from writing"
            .to_owned(),
    })
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}
