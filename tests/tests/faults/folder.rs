//! The backup folder that is not there, not ours, or not whole.

use std::{fs, path::PathBuf, process::Command};

use cofferdam_tests::wait_until;

use crate::world::{PATIENCE, World, files};

/// The temp file of a run that nobody knows.
const PARTIAL: &str = ".partial-01890a5d-ac96-774b-bcce-b302099a8057";

/// A mount that ends with the test.
pub struct Mount(PathBuf);

impl Mount {
    /// Mounts something at this folder; `None` when that is not allowed here.
    pub fn new(arguments: &[&str], at: PathBuf) -> Option<Self> {
        let done = Command::new("mount").args(arguments).arg(&at).output().ok()?;
        done.status.success().then_some(Self(at))
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).output();
    }
}

/// While the folder cannot be used: refused, said, nothing deleted.
#[track_caller]
fn assert_refused(world: &World, words: &str) {
    world.console.anonymous().get("/readyz").expect(503);
    world.console.anonymous().get("/healthz").expect(200);
    let backup = world.failure_of(&world.begin(), "storage");
    let message = backup["error"]["message"].as_str().unwrap_or_default();
    assert!(message.contains(words), "{backup}");
    assert!(backup["error"]["hint"].is_string(), "{backup}");
    world.assert_quiet();
}

#[test]
fn without_its_disk_it_refuses_to_run_deletes_nothing_and_recovers() {
    let mut world = World::new();
    let good = world.back_up();
    let (folder, away) = (world.folder.clone(), world.console.folder().join("away"));
    let before = files(&folder);

    fs::rename(&folder, &away).expect("it can be moved");
    assert_refused(&world, "does not exist");
    world.console.restart();
    assert_refused(&world, "does not exist");

    // The mount point of a disk that is not mounted.
    fs::create_dir(&folder).expect("a folder");
    assert_refused(&world, "not mounted");
    world.console.restart();
    assert_refused(&world, "not mounted");
    assert_eq!(files(&folder).len(), 0, "nothing is written there");
    // A folder that cannot be looked at says nothing about the file.
    let id = good["id"].as_str().expect("an id");
    assert_eq!(world.backup(id)["file"], "present");
    world.api.delete(&format!("/api/v1/backups/{id}"));
    assert_eq!(world.backup(id)["status"], "completed");

    fs::remove_dir(&folder).expect("it is empty");
    fs::rename(&away, &folder).expect("it comes back");
    assert_eq!(files(&folder), before);
    world.console.anonymous().get("/readyz").expect(200);
    world.assert_whole();
}

#[test]
fn what_a_crash_left_is_put_in_step_when_the_folder_comes_back_to_a_running_console() {
    let mut world = World::new();
    let place = "artifact::step-6=return(abort)";
    world.console.restart_with(|builder| builder.failpoints(place));
    let published = world.begin();
    world.console.wait_for_end(PATIENCE);
    world.console.restart_with(|builder| builder.failpoints(""));
    assert_eq!(world.end_of(&published)["status"], "completed");

    // The same again, and the rest of a run that was killed in its middle.
    world.console.restart_with(|builder| builder.failpoints(place));
    let published = world.begin();
    world.console.wait_for_end(PATIENCE);
    let (folder, away) = (world.folder.clone(), world.console.folder().join("away"));
    fs::rename(&folder, &away).expect("it can be moved");
    fs::write(away.join(PARTIAL), "half").expect("it can be written");
    world.console.restart_with(|builder| builder.failpoints(""));
    world.failure_of(&published, "interrupted");

    fs::rename(&away, &folder).expect("it comes back");
    wait_until("the record to be put right", PATIENCE, || {
        (world.state(&published)["status"] == "completed").then_some(())
    });
    world.assert_whole();
}

#[test]
fn another_consoles_folder_is_not_taken_for_its_own() {
    let world = World::new();
    let other = World::new();
    let (folder, away) = (world.folder.clone(), world.console.folder().join("away"));
    other.back_up();
    fs::rename(&folder, &away).expect("it can be moved");
    fs::rename(&other.folder, &folder).expect("it can be moved");
    let before = files(&folder);
    assert_refused(&world, "another one");
    assert_eq!(files(&folder), before);
    fs::rename(&folder, &other.folder).expect("it can be moved");
    fs::rename(&away, &folder).expect("it can be moved");
    world.assert_whole();
    other.assert_whole();
}

#[test]
fn a_folder_taken_away_while_a_dump_runs_fails_it_and_nothing_is_left() {
    let world = World::new();
    let (folder, away) = (world.folder.clone(), world.console.folder().join("away"));
    let id = world.begin_and_hold();
    fs::rename(&folder, &away).expect("it can be moved");
    fs::create_dir(&folder).expect("a folder");
    world.link.release();
    world.failure_of(&id, "storage");
    assert_eq!(files(&folder).len(), 0);
    fs::remove_dir(&folder).expect("it is empty");
    fs::rename(&away, &folder).expect("it comes back");
    world.assert_whole();
}

#[test]
fn a_folder_that_became_read_only_refuses_and_recovers() {
    let world = World::new();
    world.back_up();
    let folder = world.folder.clone();
    let path = folder.to_str().expect("a path");
    let Some(mount) = Mount::new(&["--bind", path], folder.clone()) else {
        println!("not run: this account may not mount");
        return;
    };
    let again = ["-o", "remount,bind,ro"];
    let Some(read_only) = Mount::new(&again, folder.clone()) else {
        panic!("a bind mount cannot be made read-only");
    };
    let backup = world.failure_of(&world.begin(), "storage");
    assert!(backup["error"]["message"].as_str().is_some_and(|it| !it.is_empty()), "{backup}");
    world.assert_quiet();
    std::mem::forget(read_only);
    drop(mount);
    world.assert_whole();
}

#[test]
fn a_file_removed_by_hand_is_missing_and_not_counted_as_good() {
    let mut world = World::new();
    let first = world.back_up();
    let lost = world.back_up();
    let (id, name) = (lost["id"].as_str().expect("an id"), lost["filename"].as_str().expect("one"));
    let (file, away) = (world.folder.join(name), world.console.folder().join(name));
    let good = || {
        let stats = world.api.get("/api/v1/backups/stats").expect(200).json();
        stats["last_success"].as_str().map(str::to_owned)
    };
    assert_eq!(good().as_deref(), lost["completed_at"].as_str());

    fs::rename(&file, &away).expect("it can be moved");
    assert_eq!(world.backup(id)["file"], "missing");
    assert!(world.backup(id)["download_url"].is_null());
    assert_eq!(good().as_deref(), first["completed_at"].as_str());
    world.api.get(&format!("/api/v1/backups/{id}/download")).expect(409);
    world.console.restart();
    assert_eq!(world.backup(id)["file"], "missing");

    fs::rename(&away, &file).expect("it comes back");
    world.console.restart();
    assert_eq!(world.backup(id)["file"], "present");
    world.assert_whole();
}

#[test]
fn a_file_cut_short_by_one_byte_is_not_offered_as_good() {
    let world = World::new();
    let backup = world.back_up();
    let id = backup["id"].as_str().expect("an id");
    let file = world.folder.join(backup["filename"].as_str().expect("a name"));
    let bytes = fs::read(&file).expect("the file");
    fs::write(&file, &bytes[..bytes.len() - 1]).expect("it can be written");
    assert_eq!(world.backup(id)["file"], "corrupt");
    world.api.get(&format!("/api/v1/backups/{id}/download")).expect(409);
    fs::write(&file, bytes).expect("it can be written");
    assert_eq!(world.backup(id)["file"], "present");
    world.assert_whole();
}
