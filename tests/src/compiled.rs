//! Compiled plugins, lent from test to test: compiling the bundled ones takes
//! a console some seconds, and each test has a console of its own.

use std::{
    fs,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

/// What nobody has needed for so long belongs to components that have changed.
const OLD: Duration = Duration::from_hours(72);

/// Where they are kept.
fn shelf() -> Option<PathBuf> {
    Some(Path::new(env!("CARGO_MANIFEST_DIR")).parent()?.join("target/compiled"))
}

/// Where a console has them.
fn cache(data: &Path) -> PathBuf {
    data.join("cache/plugins")
}

/// Gives a console, before it starts, what others have compiled. A console
/// without them compiles them itself, so nothing here is an error.
pub(crate) fn lend(data: &Path) {
    let Some(shelf) = shelf() else { return };
    let cache = cache(data);
    if fs::DirBuilder::new().recursive(true).mode(0o700).create(&cache).is_err() {
        return;
    }
    for entry in fs::read_dir(shelf).into_iter().flatten().flatten() {
        let is_old = entry
            .metadata()
            .and_then(|it| it.modified())
            .is_ok_and(|modified| modified.elapsed().is_ok_and(|age| age > OLD));
        if is_old {
            let _ = fs::remove_file(entry.path());
        } else if is_compiled(&entry.path()) {
            let _ = fs::copy(entry.path(), cache.join(entry.file_name()));
        }
    }
}

/// Keeps what a console has compiled.
pub(crate) fn keep(data: &Path) {
    let Some(shelf) = shelf() else { return };
    let _ = fs::create_dir_all(&shelf);
    for entry in fs::read_dir(cache(data)).into_iter().flatten().flatten() {
        let kept = shelf.join(entry.file_name());
        if !is_compiled(&entry.path()) || kept.exists() {
            continue;
        }
        // Whole under its name, or not there: other tests look at the same time.
        let part = kept.with_extension(format!("{}.part", std::process::id()));
        if fs::copy(entry.path(), &part).is_ok() {
            let _ = fs::rename(part, kept);
        }
    }
}

fn is_compiled(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "cwasm")
}
