//! The console is asked to stop while what it waits for does not answer.

use std::time::{Duration, Instant};

use cofferdam_tests::wait_until;

use crate::{
    catalog::Shell,
    world::{PATIENCE, World},
};

/// Asks it to stop, and holds that it does within the time it promises: that
/// of running answers, and a bounded time for its runs.
#[track_caller]
fn assert_ends_soon(world: &mut World) {
    let start = Instant::now();
    let status = world.console.terminate();
    println!("{status} after {:?}", start.elapsed());
    assert!(start.elapsed() < Duration::from_secs(28), "{:?}", start.elapsed());
    assert!(world.dump_tools().is_empty());
}

fn impatient() -> World {
    World::with(|builder| builder.env("COFFERDAM_SHUTDOWN_SECONDS", "1"))
}

#[test]
fn a_server_that_does_not_answer_does_not_keep_it() {
    let mut world = impatient();
    world.link.hold_after(0);
    let id = world.begin();
    wait_until("its run", PATIENCE, || (world.state(&id)["status"] == "running").then_some(()));
    assert_ends_soon(&mut world);
    world.link.release();
    world.console.restart();
    world.failure_of(&id, "interrupted");
    world.assert_whole();
}

#[test]
fn a_catalog_that_is_locked_does_not_keep_it_and_the_file_is_recorded_later() {
    let mut world = impatient();
    // The dump is through and waits for the catalog's word before it is named.
    let id = world.begin_and_hold();
    let shell = Shell::lock(&world);
    world.link.release();
    std::thread::sleep(Duration::from_secs(3));
    assert_ends_soon(&mut world);
    drop(shell);
    world.console.restart();
    let backup = world.end_of(&id);
    let told = backup["status"] == "completed" || backup["error"]["kind"] == "interrupted";
    assert!(told, "{backup}");
    world.assert_whole();
}

#[test]
fn a_reader_that_does_not_read_does_not_keep_it() {
    let mut world = impatient();
    let backup = world.back_up();
    let id = backup["id"].as_str().expect("an id");
    // Begun and never read: the rest waits in the console.
    let lazy: Vec<_> = (0..4)
        .map(|_| world.api.download(&format!("/api/v1/backups/{id}/download"), &[]))
        .collect();
    let running = world.begin_and_hold();
    let follower = world.api.download(&format!("/api/v1/backups/{running}/download"), &[]);
    let events = world.api.download(&format!("/api/v1/backups/{running}/events"), &[]);
    assert_ends_soon(&mut world);
    drop((lazy, follower, events));
    world.link.release();
    world.console.restart();
    world.failure_of(&running, "interrupted");
    world.assert_whole();
}
