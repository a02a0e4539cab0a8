//! Backups in the granted folder. A backup is there when its file has its final
//! name; the sidecar, `….json`, is there before it.

use std::hash::{BuildHasher as _, RandomState};

use cofferdam_plugin::{
    Backup, Entry, Failure, Page, Receipt, Result, Template,
    artifact::{self, Range},
    folder::{Folder, Name},
    log, sink,
    time::now,
};
use serde::Deserialize;

const SIDECAR: &str = ".json";

/// What a file is called while it is being written.
const PART: &str = ".part";

/// Parts that are older than this, in seconds, belong to nobody any more.
const OLD_PART: i64 = 2 * 86_400;

/// At most so many entries a page, as the contract has it.
const PAGE: usize = 1_000;

/// Sidecars are small; larger files are none.
const LARGEST_SIDECAR: usize = 64 << 20;

/// What of a sidecar shows whether a stored file is the same.
#[derive(Deserialize)]
struct Sidecar {
    sha256: String,
}

/// The folder with the backups.
pub(crate) struct Shelf {
    pub(crate) folder: Folder,
}

impl Shelf {
    pub(crate) fn new(folder: Folder) -> Self {
        Self { folder }
    }

    /// Writes a small file and takes it away again.
    pub(crate) fn try_out(&self) -> Result<()> {
        let name = &part("", "check");
        let file = self.folder.create(name)?;
        let written = file.output().write(b"a test").and_then(|()| file.finish());
        self.folder.remove(name)?;
        written.map(|_| ())
    }

    /// Puts the backup at its path, whole, or leaves nothing under that name.
    pub(crate) fn store(&self, template: &Template, backup: &Backup) -> Result<Receipt> {
        let path = template.path(backup).map_err(|error| Failure::setting("path", error))?;
        self.mark(template, backup)?;
        if let Some(facts) = self.folder.look(&path)? {
            if facts.size == backup.size && self.is_same(&path, backup) {
                artifact::compare(backup)?;
                return Ok(receipt(path, backup, Some("it was there already")));
            }
            return Err(Failure::permanent(format!("another file is at {path} already")));
        }
        self.folder.make_parents(&path)?;
        self.sweep(&path);
        self.publish(&format!("{path}{SIDECAR}"), backup, |part| {
            part.write(backup.sidecar.as_bytes())?;
            Ok(backup.sidecar.len() as u64)
        })?;
        self.publish(&path, backup, |part| {
            let range = Range::whole();
            part.pass_on(&range.open()?, range.length)?;
            Ok(backup.size)
        })?;
        Ok(receipt(path, backup, None))
    }

    /// Writes a file under a name of its own, and gives it its final name once
    /// it is on the disk.
    fn publish(
        &self,
        path: &str,
        backup: &Backup,
        fill: impl FnOnce(&cofferdam_plugin::stream::Output) -> Result<u64>,
    ) -> Result<()> {
        let part = part(parent(path), &backup.id);
        let writing = self.folder.create(&part)?;
        let done = fill(writing.output())
            .and_then(|length| {
                let size = writing.finish()?;
                if size == length {
                    return Ok(());
                }
                Err(Failure::temporary(format!("{size} of {length} bytes are in the file")))
            })
            .and_then(|()| self.folder.rename(&part, path));
        if done.is_err()
            && let Err(error) = self.folder.remove(&part)
        {
            log::warning(format_args!("{part} was left: {}", error.message()));
        }
        done
    }

    /// Whether the sidecar beside a file says that it is this backup's.
    fn is_same(&self, path: &str, backup: &Backup) -> bool {
        let sidecar = self
            .folder
            .read(&format!("{path}{SIDECAR}"), 0)
            .and_then(|input| input.read_up_to(LARGEST_SIDECAR));
        let sidecar = sidecar.ok().and_then(|bytes| serde_json::from_slice::<Sidecar>(&bytes).ok());
        sidecar.is_some_and(|sidecar| sidecar.sha256 == backup.sha256)
    }

    /// Removes parts that a delivery has left when it was ended.
    fn sweep(&self, path: &str) {
        let parent = parent(path);
        let names = self.folder.names(if parent.is_empty() { "." } else { parent });
        for name in names.unwrap_or_default() {
            if !(name.name.starts_with(".cofferdam-") && name.name.ends_with(PART)) {
                continue;
            }
            let part = format!("{parent}{}", name.name);
            let modified = self.folder.look(&part).ok().flatten().and_then(|facts| facts.modified);
            let age = modified.map(|modified| now().as_second() - modified.as_second());
            if age.is_some_and(|age| age > OLD_PART) && self.folder.remove(&part).is_ok() {
                log::info(format_args!("removed {part}, which a delivery had left"));
            }
        }
    }

    pub(crate) fn open(&self, location: &str, offset: u64, length: Option<u64>) -> Result<()> {
        let path = inside(location)?;
        let Some(facts) = self.folder.look(path)? else {
            return Err(Failure::not_found(format!("{path} is not there")));
        };
        let rest = facts.size.saturating_sub(offset);
        let wanted = length.map_or(rest, |length| length.min(rest));
        let output = sink::begin(Some(facts.size))?;
        if wanted == 0 {
            return Ok(());
        }
        output.pass_on(&self.folder.read(path, offset)?, wanted)
    }

    pub(crate) fn remove(&self, location: &str) -> Result<()> {
        let path = inside(location)?;
        let file = self.folder.remove(path)?;
        let sidecar = self.folder.remove(&format!("{path}{SIDECAR}"))?;
        if file || sidecar {
            return self.folder.sync_parent(path);
        }
        self.is_gone(path)
    }

    /// Files with a sidecar beside them, by name.
    pub(crate) fn list(&self, template: &Template, cursor: Option<&str>) -> Result<Page> {
        let mut paths = Vec::new();
        self.walk("", template.depth(), &mut paths)?;
        paths.retain(|path| cursor.is_none_or(|cursor| path.as_str() > cursor));
        paths.sort_unstable();
        let next = (paths.len() > PAGE).then(|| paths[PAGE - 1].clone());
        paths.truncate(PAGE);
        let mut entries = Vec::with_capacity(paths.len());
        for path in paths {
            // One that has just been removed is left out.
            if let Ok(Some(facts)) = self.folder.look(&path) {
                entries.push(Entry {
                    filename: path.rsplit('/').next().unwrap_or(&path).to_owned(),
                    size: facts.size,
                    stored_at: facts.modified.map(|moment| moment.to_string()),
                    sidecar: Some(format!("{path}{SIDECAR}")),
                    location: path,
                });
            }
        }
        Ok(Page { entries, next })
    }

    fn walk(&self, folder: &str, depth: usize, paths: &mut Vec<String>) -> Result<()> {
        let names = self.folder.names(if folder.is_empty() { "." } else { folder })?;
        if depth > 1 {
            for name in names.iter().filter(|name| name.is_folder) {
                self.walk(&format!("{folder}{}/", name.name), depth - 1, paths)?;
            }
            return Ok(());
        }
        paths.extend(with_sidecar(&names).map(|name| format!("{folder}{name}")));
        Ok(())
    }
}

/// A name for a file that is being written. An attempt that was given up may
/// still write to its own, so nobody else has the same.
fn part(parent: &str, what: &str) -> String {
    let random = RandomState::new().hash_one(what);
    format!("{parent}.cofferdam-{what}-{random:016x}{PART}")
}

/// The files of a folder that have a sidecar beside them.
fn with_sidecar(names: &[Name]) -> impl Iterator<Item = &str> {
    let files: std::collections::BTreeSet<_> =
        names.iter().filter(|name| !name.is_folder).map(|name| name.name.as_str()).collect();
    let all = files.clone();
    files.into_iter().filter(move |name| all.contains(format!("{name}{SIDECAR}").as_str()))
}

fn receipt(location: String, backup: &Backup, note: Option<&str>) -> Receipt {
    Receipt { location, bytes_stored: backup.size, note: note.map(str::to_owned) }
}

/// The folder of a path, with its slash; empty for the granted one.
fn parent(path: &str) -> &str {
    &path[..path.rfind('/').map_or(0, |slash| slash + 1)]
}

/// A location as [`Shelf::store`] gave it. The console keeps everything else
/// from leaving the folder, too.
fn inside(location: &str) -> Result<&str> {
    let odd = location.contains('\\')
        || location.chars().any(char::is_control)
        || location.split('/').any(|part| matches!(part, "" | "." | ".."));
    if odd {
        Err(Failure::permanent("this is no location of this destination"))
    } else {
        Ok(location)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_that_leads_out_is_refused() {
        for location in ["../a", "/etc/passwd", "a/../../b", "a//b", "", "a\\b", "a\nb", "."] {
            assert!(inside(location).is_err(), "{location:?}");
        }
        assert_eq!(inside("shop/a.sql.gz").expect("it is one"), "shop/a.sql.gz");
    }

    #[test]
    fn only_files_with_a_sidecar_are_listed() {
        let file = |name: &str| Name { name: name.to_owned(), is_folder: false };
        let names = [
            file("a.sql.gz"),
            file("a.sql.gz.json"),
            file("b.sql.gz"),
            Name { name: "c".into(), is_folder: true },
            file("c.json"),
        ];
        assert_eq!(with_sidecar(&names).collect::<Vec<_>>(), ["a.sql.gz"]);
    }
}
