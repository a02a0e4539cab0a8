//! Writing an uploaded component into the plugin folder, so that a crash leaves
//! either the file before or the new one whole.

use std::{
    fs, io,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    time::{Duration, SystemTime},
};

/// A draft that is older was left by a crash.
const DRAFT_AGE: Duration = Duration::from_hours(1);
/// How the names of drafts end; they are hidden, and no components by their names.
const DRAFT_END: &str = ".upload";

/// Writes a file into the folder, in place of one with the same name.
pub fn put(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let draft = folder.join(format!(".{}{DRAFT_END}", uuid::Uuid::new_v4().simple()));
    let written = (|| {
        let mut file = fs::File::options().write(true).create_new(true).mode(0o600).open(&draft)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&draft, folder.join(name))?;
        fs::File::open(folder)?.sync_all()
    })();
    if written.is_err() {
        // After the rename it is not there any more.
        let _ = fs::remove_file(&draft);
    }
    written
}

/// Removes the drafts of uploads that a crash cut off. Says how many.
pub fn sweep(folder: &Path) -> io::Result<usize> {
    let mut removed = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let is_draft = entry.file_name().to_str().is_some_and(is_draft_name);
        let is_old = || {
            let age = SystemTime::now().duration_since(entry.metadata().ok()?.modified().ok()?);
            Some(age.ok()? > DRAFT_AGE)
        };
        if is_draft && is_old() == Some(true) {
            fs::remove_file(entry.path())?;
            removed += 1;
        }
    }
    Ok(removed)
}

fn is_draft_name(name: &str) -> bool {
    let id = name.strip_prefix('.').and_then(|name| name.strip_suffix(DRAFT_END));
    id.is_some_and(|id| id.len() == 32 && id.bytes().all(|it| it.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upload_replaces_the_file_and_leaves_no_draft() {
        let folder = tempfile::tempdir().expect("a folder");
        put(folder.path(), "a.wasm", b"one").expect("written");
        put(folder.path(), "a.wasm", b"two").expect("replaced");
        assert_eq!(fs::read(folder.path().join("a.wasm")).expect("read"), b"two");
        assert_eq!(fs::read_dir(folder.path()).expect("a list").count(), 1);
        assert!(put(&folder.path().join("gone"), "a.wasm", b"x").is_err());
    }

    #[test]
    fn a_draft_that_a_crash_left_goes_and_what_is_new_or_not_ours_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let made = |name: &str, is_old: bool| {
            let file = fs::File::create(folder.path().join(name)).expect("made");
            if is_old {
                file.set_modified(SystemTime::now() - 2 * DRAFT_AGE).expect("dated");
            }
        };
        let id = uuid::Uuid::new_v4().simple().to_string();
        made(&format!(".{id}.upload"), true);
        made(".0123456789abcdef0123456789abcdef.upload", false);
        made(".notes.upload", true);
        made("plugin.wasm", true);
        assert_eq!(sweep(folder.path()).expect("swept"), 1);
        assert_eq!(sweep(folder.path()).expect("swept"), 0);
        assert_eq!(fs::read_dir(folder.path()).expect("a list").count(), 3);
    }
}
