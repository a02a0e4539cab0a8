//! Disks that are full, and disks that fail.

use std::{fs, io::Write as _};

use crate::{
    folder::Mount,
    places::LARGE,
    world::{PATIENCE, World, files},
};

/// Fills a file system, and frees it when dropped.
pub struct Ballast(std::path::PathBuf);

impl Ballast {
    pub fn in_folder(folder: &std::path::Path, leave: usize) -> Self {
        let path = folder.join("ballast");
        let mut file = fs::File::create(&path).expect("a file");
        // Until nothing fits any more, not even one byte.
        for size in [1 << 20, 1 << 12, 1] {
            while file.write_all(&vec![7; size]).is_ok() {}
        }
        let length = file.metadata().expect("its size").len();
        file.set_len(length.saturating_sub(leave as u64)).expect("it shrinks");
        Self(path)
    }
}

impl Drop for Ballast {
    fn drop(&mut self) {
        // The file system may be gone already.
        let _ = fs::remove_file(&self.0);
    }
}

/// A place for a small disk, made before the console that uses it.
pub fn small_disk(size: &str) -> Option<(tempfile::TempDir, Mount)> {
    let folder = tempfile::Builder::new().prefix("cofferdam-disk-").tempdir().expect("a folder");
    let options = format!("size={size},mode=700");
    let mount = Mount::new(&["-t", "tmpfs", "-o", &options, "tmpfs"], folder.path().to_owned());
    if mount.is_none() {
        println!("not run: this account may not mount");
    }
    Some((folder, mount?))
}

#[test]
fn a_backup_disk_that_fills_up_fails_the_backup_and_recovers_when_freed() {
    let Some((disk, _mount)) = small_disk("24m") else { return };
    let folder = disk.path().join("backups");
    let world = World::with(|builder| {
        builder.env("BACKUP_DIR", &folder).env("COFFERDAM_KEEP_FREE_MB", "0")
    });
    // Enough room at the start, and then none.
    let id = world.begin_and_hold();
    let ballast = Ballast::in_folder(disk.path(), 0);
    world.link.release();
    let backup = world.failure_of(&id, "space");
    assert!(backup["error"]["hint"].is_string(), "{backup}");
    world.assert_quiet();
    assert_eq!(files(&folder).len(), 1, "only the marker");
    // The console goes on, and refuses the next one beforehand.
    world.console.anonymous().get("/readyz").expect(200);
    world.failure_of(&world.begin(), "space");
    drop(ballast);
    world.assert_whole();
}

#[test]
fn every_place_of_a_full_disk_is_told_as_such() {
    let mut world = World::new();
    for place in ["write", "fsync", "sidecar-write", "sidecar-rename", "rename", "fsync-folder"] {
        world
            .console
            .restart_with(|it| it.failpoints(&format!("artifact::{place}=1*return(ENOSPC)")));
        let id = world.begin();
        world.failure_of(&id, "space");
        world.assert_quiet();
        world.assert_in_step();
    }
    world.assert_whole();
}

#[test]
fn a_disk_that_fails_once_anywhere_costs_that_backup_and_nothing_else() {
    let mut world = World::new();
    let places =
        ["write", "fsync", "close", "sidecar-write", "sidecar-rename", "rename", "fsync-folder"];
    for place in places {
        world.console.restart_with(|it| it.failpoints(&format!("artifact::{place}=1*return(EIO)")));
        let id = world.begin();
        let backup = world.failure_of(&id, "storage");
        assert!(backup["error"]["message"].is_string(), "{backup}");
        world.assert_quiet();
        world.assert_in_step();
        // The failure came once: the same process goes on.
        world.back_up();
    }
    world.assert_whole();
}

#[test]
fn a_file_that_could_not_be_flushed_is_discarded_not_flushed_again() {
    let mut world = World::new();
    world.console.restart_with(|it| it.failpoints("artifact::fsync=1*return(EIO)"));
    let id = world.begin();
    let backup = world.failure_of(&id, "storage");
    let message = backup["error"]["message"].as_str().unwrap_or_default();
    assert!(message.contains("disk"), "{backup}");
    assert_eq!(files(&world.folder).len(), 1, "only the marker");
    // Nor is one whose flush failed while the dump still ran.
    world.cluster.psql(
        "shop",
        "CREATE TABLE noise AS SELECT i, gen_random_uuid(), gen_random_uuid() AS other \
         FROM generate_series(1, 600000) i",
    );
    for place in LARGE {
        let places = format!("{place}=1*return(EIO);artifact::fsync=return(abort)");
        world.console.restart_with(|it| it.failpoints(&places));
        let id = world.begin();
        world.failure_of(&id, "storage");
        assert_eq!(files(&world.folder).len(), 1, "only the marker");
        world.console.restart_with(|it| it.failpoints(""));
    }
    world.assert_whole();
}

#[test]
fn a_catalog_on_a_full_disk_loses_no_record_and_goes_on_when_there_is_room() {
    let Some((disk, _mount)) = small_disk("16m") else { return };
    let catalog = disk.path().join("catalog.db");
    let world = World::with(|builder| {
        builder.env("COFFERDAM_CATALOG_URL", format!("sqlite:{}", catalog.display()))
    });
    let before = world.back_up();
    let id = world.begin_and_hold();
    let ballast = Ballast::in_folder(disk.path(), 0);
    world.link.release();
    // Its file cannot be recorded now: it is neither lost nor called completed.
    std::thread::sleep(std::time::Duration::from_secs(6));
    let page = world.api.get("/api/v1/backups");
    assert!([200, 503].contains(&page.status), "{}", page.text());
    let wish = serde_json::json!({ "database": "shop" });
    let refused = world.api.post("/api/v1/backups", &wish);
    assert!(refused.status >= 500, "{}", refused.text());
    world.console.anonymous().get("/healthz").expect(200);
    drop(ballast);
    let ended = cofferdam_tests::wait_until("the end of the run", PATIENCE, || {
        let answer = world.api.get(&format!("/api/v1/backups/{id}"));
        let backup = (answer.status == 200).then(|| answer.json())?;
        (!crate::world::is_open(&backup)).then_some(backup)
    });
    let told = ended["status"] == "completed" || ended["error"]["kind"] == "storage";
    assert!(told, "{ended}");
    let after = world.backup(before["id"].as_str().expect("an id"));
    assert_eq!((&after["status"], &after["sha256"]), (&before["status"], &before["sha256"]));
    world.assert_whole();
}
