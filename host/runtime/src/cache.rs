//! Components in compiled form, on disk.
//!
//! Loading such a file is running what is in it, so the folder is one that only
//! this account can write to, and each file's name says which component it was
//! compiled from and for which engine.

use std::{
    collections::HashSet,
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _},
    path::{Path, PathBuf},
    time::Duration,
};

use cofferdam_model::ComponentHash;
use tempfile::NamedTempFile;
use wasmtime::{Engine, component::Component};

/// Write for the group or for all.
const OTHERS_MAY_WRITE: u32 = 0o022;

const ENDING: &str = ".cwasm";
/// What a file is called that is being compiled.
const DRAFT: &str = ".draft-";
/// What was compiled is kept so long in any case: somebody may be about to load it.
const NEW: Duration = Duration::from_hours(1);
/// A draft that is older belongs to nobody any more: no compiler runs so long.
const OLD_DRAFT: Duration = Duration::from_hours(1);

pub(crate) struct Cache {
    folder: PathBuf,
    /// Ends the name of every file that this engine can load.
    ending: String,
}

impl Cache {
    /// Makes the folder if there is none, and removes what another version of
    /// the program has left there.
    pub(crate) fn open(folder: &Path, engine: &Engine) -> io::Result<Self> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let about = fs::symlink_metadata(folder)?;
        let mine = about.uid() == rustix::process::geteuid().as_raw();
        if !about.is_dir() || !mine || about.mode() & OTHERS_MAY_WRITE != 0 {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "it must be a folder that belongs to this account, and that no other account can write to",
            ));
        }
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        let ending = format!("-{:016x}{ENDING}", hasher.finish());
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let foreign = name.ends_with(ENDING) && !name.ends_with(&ending);
            if foreign || (name.starts_with(DRAFT) && is_older(&entry, OLD_DRAFT)) {
                // Whoever else removed it did the same.
                let _ = fs::remove_file(entry.path());
            }
        }
        Ok(Self { folder: folder.to_owned(), ending })
    }

    /// Removes what was compiled from other components than these. Says how many.
    pub(crate) fn keep_only(&self, wanted: &HashSet<ComponentHash>) -> io::Result<usize> {
        let mut removed = 0;
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let component = name.to_str().and_then(|name| name.strip_suffix(&self.ending));
            let Some(component) = component.and_then(|it| it.parse().ok()) else { continue };
            if !wanted.contains(&component) && is_older(&entry, NEW) {
                fs::remove_file(entry.path())?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    fn path(&self, component: &str) -> PathBuf {
        self.folder.join(format!("{component}{}", self.ending))
    }

    /// The component with this SHA-256, if it is there and can be loaded.
    pub(crate) fn get(&self, engine: &Engine, component: &str) -> Option<Component> {
        let path = self.path(component);
        if !path.exists() {
            return None;
        }
        #[expect(
            unsafe_code,
            reason = "the file was compiled by this program from the component of that SHA-256, and \
                      the folder, checked when it was opened, is one that no other account can write to"
        )]
        let loaded = unsafe { Component::deserialize_file(engine, &path) };
        match loaded {
            Ok(component) => Some(component),
            Err(error) => {
                tracing::warn!("{} is compiled again: {error:#}", path.display());
                // What cannot be removed is replaced by the next `put`.
                let _ = fs::remove_file(&path);
                None
            }
        }
    }

    /// A file for what the compiler makes; it is gone unless it is `put`.
    pub(crate) fn draft(&self) -> io::Result<NamedTempFile> {
        tempfile::Builder::new().prefix(DRAFT).tempfile_in(&self.folder)
    }

    /// Keeps what the compiler has made. There is never half a file under this
    /// name, also not after a power failure: what is in it would be run.
    pub(crate) fn put(&self, component: &str, draft: NamedTempFile) -> io::Result<()> {
        draft.as_file().sync_all()?;
        draft.persist(self.path(component))?;
        fs::File::open(&self.folder)?.sync_all()
    }
}

fn is_older(entry: &fs::DirEntry, age: Duration) -> bool {
    let modified = entry.metadata().and_then(|it| it.modified());
    modified.is_ok_and(|at| at.elapsed().is_ok_and(|since| since > age))
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::engine::engine;

    #[test]
    fn what_nobody_wants_any_more_goes_and_what_is_new_or_not_ours_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let own = folder.path().join("cache");
        let cache = Cache::open(&own, &engine().expect("an engine")).expect("opened");
        let [wanted, other, new] = [1, 2, 3].map(|byte| ComponentHash::from_bytes(&[byte; 32]));
        let made = |path: PathBuf, age: Duration| {
            let file = fs::File::create(&path).expect("made");
            file.set_modified(SystemTime::now() - age).expect("dated");
            path
        };
        let kept = [
            made(cache.path(wanted.as_str()), 2 * NEW),
            made(cache.path(new.as_str()), NEW / 2),
            made(own.join("notes"), 2 * NEW),
        ];
        let gone = made(cache.path(other.as_str()), 2 * NEW);
        assert_eq!(cache.keep_only(&HashSet::from([wanted])).expect("tidied"), 1);
        assert!(kept.iter().all(|it| it.exists()) && !gone.exists());
    }
}
