//! A console that slept past its lease.

use std::{
    fs,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use cofferdam_tests::wait_until;
use rustix::process::Signal;

use crate::world::{PATIENCE, World, files};

fn sql(world: &World, statement: &str) -> String {
    let catalog = world.console.data().join("catalog.db");
    let told = Command::new("sqlite3")
        .args(["-batch", "-cmd", ".timeout 10000"])
        .arg(catalog)
        .arg(statement)
        .output()
        .expect("sqlite3 is installed");
    assert!(told.status.success(), "{statement}: {}", String::from_utf8_lossy(&told.stderr));
    String::from_utf8_lossy(&told.stdout).trim().to_owned()
}

#[test]
fn what_comes_with_an_old_fence_is_refused_and_its_file_is_not_kept() {
    let world = World::new();
    let id = world.begin_and_hold();
    world.console.signal(Signal::STOP);
    // As a second host would do when the lease has expired.
    let of = format!("WHERE backup_id = '{id}'");
    sql(
        &world,
        &format!("UPDATE jobs SET worker = 'other-host', fence = fence + 1, beats = 0 {of}"),
    );
    world.link.release();
    world.console.signal(Signal::CONT);
    world.assert_quiet();
    wait_until("the end of its file", PATIENCE, || (files(&world.folder).len() == 1).then_some(()));
    thread::sleep(Duration::from_secs(3));
    // The record is the other's to close.
    assert_eq!(world.state(&id)["status"], "running");
    assert_eq!(sql(&world, &format!("SELECT worker FROM jobs {of}")), "other-host");
    assert!(world.console.stderr().contains("lease"), "{}", world.console.stderr());

    // The other one dies too: its lease expires, and this console closes the job.
    sql(&world, &format!("UPDATE jobs SET renewed_at = renewed_at - 60000, expires_at = 1 {of}"));
    world.failure_of(&id, "interrupted");
    world.assert_whole();
}

#[test]
fn a_sleep_past_the_lease_alone_costs_nothing() {
    let world = World::new();
    let id = world.begin_and_hold();
    world.console.signal(Signal::STOP);
    thread::sleep(Duration::from_secs(35));
    world.console.signal(Signal::CONT);
    world.link.release();
    assert_eq!(world.end_of(&id)["status"], "completed");
    world.assert_whole();
}

#[test]
fn a_command_line_that_is_killed_in_its_run_is_cleaned_up_after_by_the_console() {
    let mut world = World::new();
    world.console.terminate();
    world.link.hold_after(4 << 20);
    let mut command = world.console.cli();
    command.args(["backup", "create", "shop"]).stdout(Stdio::null()).stderr(Stdio::null());
    let mut command = command.spawn().expect("it starts");
    wait_until("its bytes", PATIENCE, || {
        let grown =
            |name: &String| fs::metadata(world.folder.join(name)).is_ok_and(|it| it.len() > 1000);
        files(&world.folder).iter().any(grown).then_some(())
    });
    // A console that starts now leaves a living run alone, and one of a
    // process that has died a moment ago until its lease is over.
    world.console.restart();
    assert_eq!(files(&world.folder).len(), 2, "the marker and the temp file");
    let id = world.backups()[0]["id"].as_str().expect("an id").to_owned();
    assert_eq!(world.state(&id)["status"], "running");
    command.kill().expect("it can be killed");
    command.wait().expect("it is gone");
    world.link.release();
    world.failure_of(&id, "interrupted");
    world.assert_whole();
}

#[test]
fn a_console_with_another_catalog_is_kept_out_of_the_backup_folder() {
    let mut world = World::new();
    let id = world.begin_and_hold();
    let refused = |world: &World, arguments: &[&str]| {
        let mut other = world.console.cli();
        other.env("COFFERDAM_DATA_DIR", world.console.folder().join("other"));
        other.env("BACKUP_DIR", &world.folder).args(arguments);
        let output = other.output().expect("it starts");
        assert!(!output.status.success(), "{arguments:?}");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(told.contains("in use by a console with another catalog"), "{told}");
        assert!(told.contains("HINT: stop that console"), "{told}");
    };
    refused(&world, &["serve"]);
    refused(&world, &["backup", "create", "shop"]);
    // The command line beside the console has the same catalog.
    let listed = world.console.cli().args(["backup", "list"]).output().expect("it starts");
    assert!(listed.status.success());
    world.link.release();
    assert_eq!(world.end_of(&id)["status"], "completed");
    world.assert_whole();

    // A run of the command line alone keeps others out as well.
    world.console.terminate();
    world.link.hold_after(4 << 20);
    let mut command = world.console.cli();
    command.args(["backup", "create", "shop"]).stdout(Stdio::null()).stderr(Stdio::null());
    let mut command = command.spawn().expect("it starts");
    wait_until("its temp file", PATIENCE, || {
        files(&world.folder).iter().any(|name| name.starts_with(".partial")).then_some(())
    });
    refused(&world, &["serve"]);
    // Its own console comes in.
    world.console.restart();
    world.link.release();
    assert!(command.wait().expect("it ends").success());
    world.assert_whole();
}

#[test]
fn a_second_console_on_the_same_data_is_refused_and_disturbs_nothing() {
    let world = World::new();
    let id = world.begin_and_hold();
    let second = world.console.cli().arg("serve").output().expect("it starts");
    assert!(!second.status.success());
    let told = String::from_utf8_lossy(&second.stderr);
    assert!(told.contains("another console already serves"), "{told}");
    assert!(told.contains("HINT:"), "{told}");
    world.link.release();
    assert_eq!(world.end_of(&id)["status"], "completed");
    world.assert_whole();
}
