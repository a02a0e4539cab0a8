//! PostgreSQL and the network to it.

use std::{
    io::Write as _,
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

use cofferdam_tests::wait_until;
use xtask::postgres::Durability;

use crate::world::{PATIENCE, World};

/// The message and the hint of a failed backup, for people: both are there,
/// and neither is a tool's words only.
fn assert_clear(backup: &serde_json::Value) {
    let error = &backup["error"];
    assert!(error["message"].as_str().is_some_and(|text| text.len() > 20), "{backup}");
    assert!(error["hint"].as_str().is_some_and(|text| text.len() > 10), "{backup}");
}

#[test]
fn a_server_that_is_stopped_at_once_is_a_lost_connection() {
    let mut world = World::new();
    // More than the system's buffers on the way take of a dump that stands still:
    // what has left the server arrives, stopped or not.
    let more = "CREATE TABLE more AS SELECT * FROM orders, generate_series(1, 4)";
    world.cluster.psql("shop", more);
    let id = world.begin_and_hold();
    world.cluster.server_mut().stop_immediately().expect("it stops");
    world.link.release();
    let start = Instant::now();
    let backup = world.failure_of(&id, "connection");
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
    assert_clear(&backup);

    // The next one finds nobody there, and says so soon.
    let start = Instant::now();
    let backup = world.failure_of(&world.begin(), "connection");
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
    assert_clear(&backup);
    world.cluster.server_mut().start_again(Durability::None).expect("it starts");
    world.assert_whole();
}

#[test]
fn a_connection_that_is_reset_in_the_middle_is_a_lost_connection() {
    let world = World::new();
    let id = world.begin_and_hold();
    world.link.reset();
    let backup = world.failure_of(&id, "connection");
    assert_clear(&backup);
    world.assert_whole();
}

#[test]
fn connections_that_are_reset_at_once_are_told_as_such() {
    let world = World::new();
    world.link.refuse(true);
    let start = Instant::now();
    let backup = world.failure_of(&world.begin(), "connection");
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
    assert_clear(&backup);
    world.link.refuse(false);
    world.assert_whole();
}

#[test]
fn a_server_that_says_nothing_at_all_is_not_waited_for_without_end() {
    let world = World::new();
    world.link.hold_after(0);
    let start = Instant::now();
    let backup = world.failure_of(&world.begin(), "connection");
    assert!(start.elapsed() < Duration::from_secs(50), "{:?}", start.elapsed());
    assert_clear(&backup);
    world.assert_whole();
}

/// A session that holds a table until it is ended.
struct Lock(Child);

impl Lock {
    fn take(world: &World) -> Self {
        let mut psql = world.cluster.server().client("psql", "shop");
        psql.stdin(Stdio::piped()).stdout(Stdio::null());
        let mut child = psql.spawn().expect("psql starts");
        let input = child.stdin.as_mut().expect("a pipe");
        writeln!(input, "BEGIN; LOCK orders IN ACCESS EXCLUSIVE MODE;").expect("it listens");
        let held = "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted \
                    AND relation = 'orders'::regclass";
        wait_until("the lock", PATIENCE, || {
            (world.cluster.psql("shop", held) == "1").then_some(())
        });
        Self(child)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Its end of input ends it; this makes sure.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_locked_table_is_waited_for_up_to_the_stall_limit_and_named() {
    let world = World::with(|builder| builder.env("COFFERDAM_STALL_SECONDS", "3"));
    let lock = Lock::take(&world);
    let start = Instant::now();
    let backup = world.failure_of(&world.begin(), "stall");
    assert!(start.elapsed() < Duration::from_secs(45), "{:?}", start.elapsed());
    assert_clear(&backup);
    let message = backup["error"]["message"].as_str().unwrap_or_default();
    assert!(message.contains("lock"), "{backup}");
    world.assert_quiet();
    drop(lock);
    world.assert_whole();
}

#[test]
fn a_lock_that_is_given_up_in_time_only_delays() {
    let world = World::new();
    let lock = Lock::take(&world);
    let id = world.begin();
    thread::sleep(Duration::from_secs(3));
    assert_eq!(world.state(&id)["status"], "running");
    drop(lock);
    assert_eq!(world.end_of(&id)["status"], "completed");
    world.assert_whole();
}
