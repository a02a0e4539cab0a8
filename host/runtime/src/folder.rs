//! The one folder that a component may be granted.
//!
//! A grant names a folder by its path, and is meant for that folder. Whoever may
//! write next to it, another plugin with a grant for the folder above, say, could
//! put a link in its place. So the path is walked anew for each call, and no link
//! in it is followed.

use std::{
    collections::HashSet,
    os::fd::{AsRawFd as _, OwnedFd},
    path::{Component, Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rustix::{
    fs::{AtFlags, CWD, FileType, FsWord, Mode, OFlags, PROC_SUPER_MAGIC, fstatfs, openat, statat},
    io::Errno,
};
use wasmtime_wasi::{FsPerms, WasiCtxBuilder};

/// Where the component sees it.
const NAME: &str = "/data";
/// As the kernel has it, in `linux/magic.h`.
const SYSFS_MAGIC: FsWord = 0x6265_6572;
/// A disk or a file server that has not answered by then is taken for one that hangs.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why a folder cannot be given to a component.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FolderTrouble {
    /// It is not named from the root, or by way of `..`.
    #[error("a path from the root is needed, such as /srv/copies")]
    Path,
    /// Something in its path leads elsewhere, and may lead elsewhere tomorrow.
    #[error("{} is a link; name the folder itself, by a path without links", .0.display())]
    Link(PathBuf),
    /// Something in its path is a file.
    #[error("{} is not a folder", .0.display())]
    NotAFolder(PathBuf),
    /// What is in it are not files on a disk: it leads into the system's own memory.
    #[error("{} belongs to the system, and no files can be kept there", .0.display())]
    System(PathBuf),
    /// Its disk or its file server does not answer.
    #[error("its disk or file server does not answer")]
    Hangs,
    /// It is not there, or the console may not open it.
    #[error("{} cannot be opened: {why}", path.display())]
    Closed {
        /// Which part of the path.
        path: PathBuf,
        /// Why not.
        why: String,
    },
}

impl FolderTrouble {
    /// Whether the path itself is wrong: no disk that is mounted later mends it.
    #[must_use]
    pub fn is_of_the_path(&self) -> bool {
        matches!(self, Self::Path | Self::Link(_) | Self::NotAFolder(_) | Self::System(_))
    }
}

/// The folders of all calls.
#[derive(Default)]
pub(crate) struct Folders {
    /// Those that somebody still waits for, past all patience: nobody else begins
    /// to, since each takes a thread for as long as it hangs.
    hanging: Arc<Mutex<HashSet<PathBuf>>>,
}

impl Folders {
    /// What a component begins with: this folder, or none.
    pub(crate) async fn grant(
        &self,
        folder: Option<&Path>,
    ) -> Result<WasiCtxBuilder, FolderTrouble> {
        match folder {
            Some(folder) => self.within(PATIENCE, folder, preopen).await,
            None => Ok(WasiCtxBuilder::new()),
        }
    }

    /// Looks whether a folder could be granted.
    pub(crate) async fn look(&self, folder: &Path) -> Result<(), FolderTrouble> {
        self.within(PATIENCE, folder, |folder| walk(folder).map(drop)).await
    }

    /// Does something with a folder on a thread that may block, and waits for it
    /// no longer than this.
    async fn within<T: Send + 'static>(
        &self,
        patience: Duration,
        folder: &Path,
        work: impl FnOnce(&Path) -> Result<T, FolderTrouble> + Send + 'static,
    ) -> Result<T, FolderTrouble> {
        if lock(&self.hanging).contains(folder) {
            return Err(FolderTrouble::Hangs);
        }
        let path = folder.to_owned();
        let mut opening = tokio::task::spawn_blocking(move || work(&path));
        if let Ok(done) = tokio::time::timeout(patience, &mut opening).await {
            return done.unwrap_or_else(|error| {
                Err(FolderTrouble::Closed { path: folder.to_owned(), why: error.to_string() })
            });
        }
        lock(&self.hanging).insert(folder.to_owned());
        let (hanging, folder) = (Arc::clone(&self.hanging), folder.to_owned());
        tokio::spawn(async move {
            // However it ends: it has ended.
            let _ = opening.await;
            lock(&hanging).remove(&folder);
        });
        Err(FolderTrouble::Hangs)
    }
}

fn lock(set: &Mutex<HashSet<PathBuf>>) -> MutexGuard<'_, HashSet<PathBuf>> {
    set.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Opens the folder for a component. Below it every path is walked from the
/// open folder, so that `..` and links do not lead out of it.
fn preopen(folder: &Path) -> Result<WasiCtxBuilder, FolderTrouble> {
    let opened = walk(folder)?;
    let mut wasi = WasiCtxBuilder::new();
    // By the open folder and not by its path, which may lead elsewhere by now.
    let path = format!("/proc/self/fd/{}", opened.as_raw_fd());
    match wasi.preopened_dir(path, NAME, FsPerms::ReadWrite) {
        Ok(_) => Ok(wasi),
        Err(error) => {
            Err(FolderTrouble::Closed { path: folder.to_owned(), why: format!("{error:#}") })
        }
    }
}

/// Goes to a folder from the root, one name after the other, and follows no link.
fn walk(folder: &Path) -> Result<OwnedFd, FolderTrouble> {
    let mut names = folder.components();
    let is_plain = |name: Component<'_>| matches!(name, Component::Normal(_));
    if names.next() != Some(Component::RootDir) || !names.clone().all(is_plain) {
        return Err(FolderTrouble::Path);
    }
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut path = PathBuf::from("/");
    let closed = |path: &Path, error: Errno| FolderTrouble::Closed {
        path: path.to_owned(),
        why: std::io::Error::from(error).to_string(),
    };
    if ["/proc", "/sys", "/dev"].iter().any(|own| folder.starts_with(own)) || folder == path {
        return Err(FolderTrouble::System(folder.to_owned()));
    }
    let mut at = openat(CWD, &path, flags, Mode::empty()).map_err(|error| closed(&path, error))?;
    for name in names {
        let name = name.as_os_str();
        path.push(name);
        at = match openat(&at, name, flags, Mode::empty()) {
            Ok(next) => next,
            Err(Errno::NOTDIR | Errno::LOOP) => {
                let about = statat(&at, name, AtFlags::SYMLINK_NOFOLLOW);
                let is_link =
                    about.is_ok_and(|it| FileType::from_raw_mode(it.st_mode) == FileType::Symlink);
                return Err(if is_link {
                    FolderTrouble::Link(path)
                } else {
                    FolderTrouble::NotAFolder(path)
                });
            }
            Err(error) => return Err(closed(&path, error)),
        };
    }
    // Wherever else they are mounted.
    let kind = fstatfs(&at).map_err(|error| closed(&path, error))?.f_type;
    if [PROC_SUPER_MAGIC, SYSFS_MAGIC].contains(&kind) {
        return Err(FolderTrouble::System(path));
    }
    Ok(at)
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink, sync::mpsc};

    use super::*;

    #[test]
    fn a_path_leads_to_its_folder_and_through_no_link() {
        let outside = tempfile::tempdir().expect("a folder");
        let at = |name: &str| outside.path().join(name);
        fs::create_dir_all(at("real/copies")).expect("made");
        fs::write(at("file"), "x").expect("written");
        symlink(at("real"), at("link")).expect("linked");
        symlink(at("real/copies"), at("real/last")).expect("linked");
        assert!(walk(&at("real/copies")).is_ok());
        for system in ["/proc/self", "/sys", "/dev/shm", "/"] {
            let path = PathBuf::from(system);
            assert_eq!(walk(&path).err(), Some(FolderTrouble::System(path)));
        }
        assert_eq!(walk(&at("link/copies")).err(), Some(FolderTrouble::Link(at("link"))));
        assert_eq!(walk(&at("real/last")).err(), Some(FolderTrouble::Link(at("real/last"))));
        assert_eq!(walk(&at("file")).err(), Some(FolderTrouble::NotAFolder(at("file"))));
        assert_eq!(walk(&at("file/x")).err(), Some(FolderTrouble::NotAFolder(at("file"))));
        assert_eq!(walk(&at("nowhere/../file")).err(), Some(FolderTrouble::Path));
        assert_eq!(walk(Path::new("copies")).err(), Some(FolderTrouble::Path));
        let missing = walk(&at("nowhere/copies")).expect_err("it is not there");
        assert!(!missing.is_of_the_path() && missing.to_string().contains("nowhere"));
    }

    #[tokio::test]
    async fn a_folder_that_hangs_is_given_up_and_nobody_else_waits_for_it() {
        let folders = Folders::default();
        let (answer, server) = mpsc::channel::<()>();
        let path = Path::new("/mnt/nas");
        let short = Duration::from_millis(50);
        let slow =
            folders.within(short, path, move |_| server.recv().map_err(|_| FolderTrouble::Path));
        assert_eq!(slow.await, Err(FolderTrouble::Hangs));
        let other = folders.within(short, path, |_| panic!("nobody asks a server that hangs"));
        assert_eq!(other.await, Err::<(), _>(FolderTrouble::Hangs));
        assert_eq!(folders.within(short, Path::new("/mnt"), |_| Ok(1)).await, Ok(1));
        answer.send(()).expect("somebody waits");
        // Once it answers, it is asked again.
        while !lock(&folders.hanging).is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(folders.within(short, path, |_| Ok(2)).await, Ok(2));
    }
}
