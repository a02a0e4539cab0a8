//! The dump tool and the console's own end.

use std::{
    io::Read as _,
    thread,
    time::{Duration, Instant},
};

use rustix::process::Signal;

use crate::world::{PATIENCE, World};

#[test]
fn a_killed_pg_dump_is_told_and_leaves_no_file() {
    let world = World::new();
    let id = world.begin_and_hold();
    world.signal_dump(Signal::KILL);
    let backup = world.failure_of(&id, "tool");
    assert_eq!(backup["error"]["message"], "pg_dump failed with signal 9");
    world.assert_whole();
}

#[test]
fn a_dump_that_stands_still_meets_the_stall_limit() {
    let world = World::with(|builder| builder.env("COFFERDAM_STALL_SECONDS", "2"));
    let id = world.begin_and_hold();
    world.signal_dump(Signal::STOP);
    let start = Instant::now();
    let backup = world.failure_of(&id, "stall");
    assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
    let message = backup["error"]["message"].as_str().unwrap_or_default();
    assert!(message.contains("made no progress for 2 seconds"), "{backup}");
    world.assert_whole();
}

#[test]
fn the_same_while_the_network_stands_still() {
    let world = World::with(|builder| builder.env("COFFERDAM_STALL_SECONDS", "2"));
    let id = world.begin_and_hold();
    world.failure_of(&id, "stall");
    world.assert_whole();
}

#[test]
fn asked_to_stop_the_console_ends_soon_with_all_it_started_and_says_interrupted() {
    let mut world = World::new();
    let id = world.begin_and_hold();
    let events = world.api.download(&format!("/api/v1/backups/{id}/events"), &[]);
    let mut follower = world.api.download(&format!("/api/v1/backups/{id}/download"), &[]);
    assert_eq!((events.status, follower.status), (200, 200));
    let waiting = world.begin();
    let (mut events, told) = (events.body, std::sync::mpsc::channel());
    let following = thread::spawn(move || follower.body.read_to_end(&mut vec![]));
    thread::spawn(move || {
        let mut text = String::new();
        // It may be cut off; what came before counts.
        let _ = events.read_to_string(&mut text);
        told.0.send(text)
    });
    let start = Instant::now();
    assert!(world.console.terminate().success());
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    assert!(world.dump_tools().is_empty());
    assert!(following.join().expect("no panic").is_err(), "a cut file must not look whole");
    let text = told.1.recv_timeout(PATIENCE).expect("the stream ends too");
    assert!(text.contains("event: progress"), "{text}");

    world.link.release();
    world.console.restart();
    let backup = world.failure_of(&id, "interrupted");
    assert!(backup["error"]["hint"].is_string(), "{backup}");
    // What had not begun is done after all.
    assert_eq!(world.end_of(&waiting)["status"], "completed");
    world.assert_whole();
}

#[test]
fn a_second_request_to_stop_does_not_make_it_worse() {
    let mut world = World::new();
    let id = world.begin_and_hold();
    world.console.signal(Signal::TERM);
    world.console.signal(Signal::INT);
    world.console.signal(Signal::TERM);
    world.console.wait_for_end(Duration::from_secs(30));
    assert!(world.dump_tools().is_empty());
    world.console.restart();
    world.failure_of(&id, "interrupted");
    world.assert_whole();
}
