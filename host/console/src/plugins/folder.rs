//! One look at the plugin folder.
//!
//! A file that is being copied has no final content yet, so a file is loaded
//! only when two looks, some time apart, have found the same SHA-256. One
//! whose hash is known already is loaded at the first look: it is whole.
//! Links are not followed, and only files in the folder itself count.

use std::{
    collections::{HashMap, HashSet},
    fs::{self, File, Metadata},
    io::{ErrorKind, Read as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::Path,
    time::{Duration, Instant},
};

use actix_web::web::Bytes;
use cofferdam_model::ComponentHash;
use sha2::{Digest as _, Sha256};

use super::{
    Found, Plugins, Present,
    pause::{Pause, Trouble},
    two_at_once,
};
use crate::{app::App, hub::Change};

/// The largest file that is looked into.
pub const FILE_MAX: u64 = 64 << 20;
/// The longest name of a file that is looked at.
const NAME_MAX: usize = 100;
/// So many files are looked at; more is no plugin folder.
const FILES_MAX: usize = 200;
/// Where there are more than that, so many of them are listed.
const LISTED_MAX: usize = 10_000;
/// Two looks count as two when they are so far apart.
const SETTLE: Duration = Duration::from_millis(250);

/// What is known of the folder.
#[derive(Default)]
pub(super) struct Files {
    known: HashMap<String, Known>,
    /// Those that somebody looks at right now, or loads.
    claimed: HashSet<String>,
}

impl Files {
    /// Whether somebody looks at one.
    pub(super) fn are_looked_at(&self) -> bool {
        !self.claimed.is_empty()
    }

    fn at_rest(&self, file: &Seen) -> bool {
        let same = self.known.get(&file.name).filter(|it| it.settled && it.stamp == file.stamp);
        same.is_some_and(|it| it.pause.is_none_or(Pause::is_ahead))
    }

    /// Forgets what is gone, and says what that was.
    fn forget_all_but(&mut self, seen: &[Seen]) -> Vec<String> {
        let is_there = |name: &String| seen.iter().any(|it| it.name == *name);
        self.known.extract_if(|name, _| !is_there(name)).map(|(name, _)| name).collect()
    }
}

/// What is known of a file from earlier looks.
#[derive(Clone)]
pub(super) struct Known {
    stamp: Stamp,
    /// Nothing for what is not looked into.
    hash: Option<ComponentHash>,
    since: Instant,
    settled: bool,
    /// Until when it is left alone after trouble that passes.
    pause: Option<Pause>,
}

/// What changes when a file is written or replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    fn of(meta: &Metadata) -> Self {
        Self {
            inode: meta.ino(),
            size: meta.size(),
            modified: (meta.mtime(), meta.mtime_nsec()),
            changed: (meta.ctime(), meta.ctime_nsec()),
        }
    }
}

/// A name in the folder.
#[derive(Clone)]
struct Seen {
    name: String,
    stamp: Stamp,
    refused: Option<String>,
}

/// Whether a file may have this name: it is shown, and comes from an upload.
pub fn file_name_is_fit(name: &str) -> bool {
    let fit = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    name.len() <= NAME_MAX
        && name.strip_suffix(".wasm").is_some_and(|stem| !stem.is_empty())
        && !name.starts_with(['.', '-'])
        && name.chars().all(fit)
}

/// A file while somebody looks at it; nobody else does meanwhile.
struct Claim<'a> {
    plugins: &'a Plugins,
    file: Seen,
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.plugins.files().claimed.remove(&self.file.name);
    }
}

/// See [`Plugins::look`].
pub(super) async fn look(plugins: &Plugins, app: &App) -> anyhow::Result<bool> {
    let folder = plugins.folder.clone();
    let listed = tokio::task::spawn_blocking(move || list(&folder)).await?;
    let problem = match &listed {
        Err(error) => Some(unreadable(&plugins.folder, error)),
        Ok(seen) if seen.len() > FILES_MAX => Some(crowded(&plugins.folder, seen.len())),
        Ok(_) => None,
    };
    if plugins.set_problem(problem.clone()) {
        if let Some(problem) = &problem {
            tracing::warn!("{problem}");
        }
        app.hub.tell(Change::Plugins);
    }
    // What was known stays so: a folder that cannot be read says nothing about
    // its files, and the bundled plugins do not need it.
    let Ok(mut seen) = listed else { return Ok(false) };
    if seen.len() > FILES_MAX {
        let known: HashSet<String> =
            app.catalog.components().await?.into_iter().map(|it| it.seen.file).collect();
        only_the_first(&mut seen, &known);
    }
    for name in plugins.files().forget_all_but(&seen) {
        plugins.forget(&name);
        app.hub.tell(Change::Plugins);
    }
    let (claims, others) = claim(plugins, seen);
    let mut unsettled = look_at_each(app, claims, Which::Known).await?;
    // Deliveries need not wait for what nobody has approved: compiling that may
    // take minutes.
    plugins.looked.send_replace(true);
    // Small ones take a second or less to compile, large ones many.
    unsettled.sort_by_key(|claim| claim.file.stamp.size);
    let unsettled = look_at_each(app, unsettled, Which::All).await?;
    Ok(others || !unsettled.is_empty())
}

/// Those that are to be looked at, and whether somebody else looks at others.
fn claim(plugins: &Plugins, seen: Vec<Seen>) -> (Vec<Claim<'_>>, bool) {
    let mut files = plugins.files();
    let mut claims = Vec::new();
    let mut others = false;
    for file in seen {
        if files.at_rest(&file) {
            continue;
        }
        if files.claimed.insert(file.name.clone()) {
            claims.push(Claim { plugins, file });
        } else {
            others = true;
        }
    }
    (claims, others)
}

/// Looks at these files, two at once, and gives those that are not settled.
async fn look_at_each<'a>(
    app: &App,
    claims: Vec<Claim<'a>>,
    which: Which,
) -> anyhow::Result<Vec<Claim<'a>>> {
    let mut looks = Vec::new();
    for claim in claims {
        looks.push(look_at_one(app, claim, which));
    }
    let looked = two_at_once(looks).await;
    looked.into_iter().filter_map(Result::transpose).collect()
}

/// Looks at this file, and gives it back if it is not settled.
async fn look_at_one<'a>(
    app: &App,
    claim: Claim<'a>,
    which: Which,
) -> anyhow::Result<Option<Claim<'a>>> {
    let plugins = claim.plugins;
    let before = plugins.files().known.get(&claim.file.name).cloned();
    let found = look_at(plugins, app, before.as_ref(), &claim.file, which).await?;
    let settled = found.as_ref().is_some_and(|it| it.settled);
    if let Some(found) = found {
        plugins.files().known.insert(claim.file.name.clone(), found);
    }
    Ok((!settled).then_some(claim))
}

/// Which components are loaded.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    /// Those that have been loaded before.
    Known,
    All,
}

/// What is wrong with the folder, and what to do.
fn unreadable(folder: &Path, error: &std::io::Error) -> String {
    format!(
        "the plugin folder {} cannot be read: {error}\nHINT: let the account that the console runs under read it, or name another folder in the setting plugin_dir",
        folder.display()
    )
}

/// That there are too many files, and what to do.
fn crowded(folder: &Path, files: usize) -> String {
    format!(
        "the plugin folder {} has {files} files, and {FILES_MAX} of them are looked at\nHINT: remove those that are no plugins you use",
        folder.display()
    )
}

/// Leaves no more files than are looked at: before all others those whose names
/// the catalog knows, so that files that come push out no plugin in use.
fn only_the_first(seen: &mut Vec<Seen>, known: &HashSet<String>) {
    // Stable, so the names stay in their order within each half.
    seen.sort_by_key(|file| !known.contains(&file.name));
    seen.truncate(FILES_MAX);
}

/// Looks at one file that is not settled, and says what is known of it now, if
/// that is another thing than before.
async fn look_at(
    plugins: &Plugins,
    app: &App,
    before: Option<&Known>,
    file: &Seen,
    which: Which,
) -> anyhow::Result<Option<Known>> {
    let Seen { name, stamp, refused } = file.clone();
    let show = |found| {
        plugins.set(Present { file: name.clone(), bundled: false, size_bytes: stamp.size, found });
        app.hub.tell(Change::Plugins);
    };
    let now = Instant::now();
    if let Some(reason) = refused {
        show(Found::Refused(reason));
        return Ok(Some(Known { stamp, hash: None, since: now, settled: true, pause: None }));
    }
    let before = before.filter(|it| it.stamp == stamp);
    let path = plugins.folder.join(&name);
    let read = tokio::task::spawn_blocking(move || {
        let bytes = read(&path)?;
        let hash = ComponentHash::from_bytes(&Sha256::digest(&bytes).into());
        std::io::Result::Ok((bytes, hash))
    });
    let (bytes, hash) = match read.await? {
        Ok(read) => read,
        // It may be gone again, or be replaced at this very moment.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            let trouble = Trouble::passing(format!("the file cannot be read: {error}"));
            show(Found::Refused(trouble.told()));
            let pause = trouble.pause(before.and_then(|it| it.pause));
            return Ok(Some(Known { stamp, hash: None, since: now, settled: true, pause }));
        }
    };
    let same = before.filter(|it| it.hash.as_ref() == Some(&hash));
    let since = same.map_or(now, |it| it.since);
    let is_known = app.catalog.component(&hash).await?.is_some();
    if which == Which::Known && !is_known {
        return Ok(None);
    }
    let whole = is_known || (same.is_some() && now - since >= SETTLE);
    if !whole {
        if same.is_none() {
            show(Found::Settling);
        }
        return Ok(Some(Known { stamp, hash: Some(hash), since, settled: false, pause: None }));
    }
    let mut pause = None;
    if let Some(plugin) = plugins.loaded(&hash) {
        show(Found::Loaded(plugin));
    } else {
        show(Found::Settling);
        let waited = before.and_then(|it| it.pause);
        pause = plugins.load(app, &name, false, bytes, waited).await;
    }
    Ok(Some(Known { stamp, hash: Some(hash), since, settled: true, pause }))
}

/// The folder's files whose names end in `.wasm`. A folder that is gone is empty.
fn list(folder: &Path) -> std::io::Result<Vec<Seen>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut seen = Vec::new();
    for entry in entries {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let ends = Path::new(&name).extension().is_some_and(|it| it.eq_ignore_ascii_case("wasm"));
        if !ends || name.starts_with('.') || seen.len() == LISTED_MAX {
            continue;
        }
        // Not followed: a link says nothing about what it leads to tomorrow.
        let meta = match entry.path().symlink_metadata() {
            Ok(meta) => meta,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            // Names that can be read and not looked at: a folder without the right to enter it.
            Err(error) => return Err(error),
        };
        let refused = if meta.is_symlink() {
            Some("this is a link, and links are not followed\nHINT: copy the file itself into the folder".to_owned())
        } else if !meta.is_file() {
            Some("this is not a file".to_owned())
        } else if !file_name_is_fit(&name) {
            Some(format!(
                "the file's name is not fit\nHINT: use letters a–z, digits, . _ and -, {NAME_MAX} at most, with .wasm at the end"
            ))
        } else if meta.len() > FILE_MAX {
            Some(format!(
                "the file has {}, and a plugin has {} at most",
                cofferdam_model::size(meta.len()),
                cofferdam_model::size(FILE_MAX)
            ))
        } else {
            None
        };
        let name = name.chars().map(|c| if cofferdam_model::is_unfit(c) { '\u{fffd}' } else { c });
        seen.push(Seen { name: name.collect(), stamp: Stamp::of(&meta), refused });
    }
    seen.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(seen)
}

/// The file's bytes; a link that has taken its place meanwhile is not followed.
fn read(path: &Path) -> std::io::Result<Bytes> {
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let file = File::options().read(true).custom_flags(flags.bits().cast_signed()).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(std::io::Error::other("this is not a file"));
    }
    let mut bytes = Vec::new();
    file.take(FILE_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_MAX {
        return Err(std::io::Error::other("it is too large"));
    }
    Ok(bytes.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_folders_and_odd_names_are_named_and_not_looked_into() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        fs::write(at("good.wasm"), "x").expect("written");
        fs::write(at("notes.txt"), "x").expect("written");
        fs::write(at(".hidden.wasm"), "x").expect("written");
        fs::write(at("two words.wasm"), "x").expect("written");
        fs::create_dir(at("folder.wasm")).expect("made");
        std::os::unix::fs::symlink(at("good.wasm"), at("link.wasm")).expect("linked");
        let found = list(folder.path()).expect("a list");
        let names: Vec<_> =
            found.iter().map(|it| (it.name.as_str(), it.refused.is_some())).collect();
        assert_eq!(
            names,
            [
                ("folder.wasm", true),
                ("good.wasm", false),
                ("link.wasm", true),
                ("two words.wasm", true),
            ]
        );
        assert_eq!(read(&at("good.wasm")).expect("read"), "x");
        assert!(read(&at("link.wasm")).is_err() && read(&at("folder.wasm")).is_err());
        assert!(list(&at("nowhere")).expect("empty").is_empty());
    }

    #[test]
    fn in_a_crowded_folder_the_plugins_in_use_are_looked_at() {
        let folder = tempfile::tempdir().expect("a folder");
        for number in 0..FILES_MAX {
            fs::write(folder.path().join(format!("a{number}.wasm")), "x").expect("written");
        }
        fs::write(folder.path().join("used.wasm"), "x").expect("written");
        let mut seen = list(folder.path()).expect("a list");
        assert_eq!(seen.len(), FILES_MAX + 1);
        only_the_first(&mut seen, &HashSet::from(["used.wasm".to_owned()]));
        assert_eq!((seen.len(), seen[0].name.as_str()), (FILES_MAX, "used.wasm"));
    }

    #[test]
    fn names_of_files_are_plain() {
        for bad in [
            "",
            ".wasm",
            "a",
            "a.wasm.exe",
            "../a.wasm",
            "-a.wasm",
            "a b.wasm",
            "a\n.wasm",
            "ü.wasm",
        ] {
            assert!(!file_name_is_fit(bad), "{bad:?}");
        }
        assert!(file_name_is_fit("my-plugin_1.2.wasm"));
    }
}
