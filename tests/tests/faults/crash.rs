//! The console's sudden end, at every moment that matters.

use std::{
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use cofferdam_tests::wait_until;

use crate::{
    look::assert_verified,
    places::{POINTS, REMOVAL},
    world::{PATIENCE, World, files, is_open},
};

#[test]
fn killed_in_the_middle_of_a_dump_it_says_interrupted_and_cleans_up() {
    let mut world = World::new();
    let id = world.begin_and_hold();
    assert!(files(&world.folder).len() > 1, "a temp file");
    world.console.kill9();
    world.link.release();
    world.console.restart();
    world.failure_of(&id, "interrupted");
    assert_eq!(files(&world.folder).len(), 1, "only the marker");
    world.assert_whole();
}

#[test]
fn killed_while_the_network_hangs_it_ends_the_servers_session_at_its_next_start() {
    let mut world = World::new();
    let id = world.begin_and_hold();
    world.console.kill9();
    // Unless the tool was just writing, neither it nor the server has noticed.
    world.console.restart();
    world.failure_of(&id, "interrupted");
    wait_until("the end of the session", PATIENCE, || world.sessions().is_empty().then_some(()));
    // The orphaned tool hears of it when anything comes through again.
    world.assert_whole();
}

#[test]
fn a_crash_at_any_step_of_publishing_leaves_a_whole_backup_or_none() {
    let mut world = World::new();
    for place in POINTS {
        world.console.restart_with(|builder| builder.failpoints(&format!("{place}=return(abort)")));
        let id = world.begin();
        world.console.wait_for_end(PATIENCE);
        world.console.restart_with(|builder| builder.failpoints(""));
        let backup = world.end_of(&id);
        // From the last rename on there is a file, and it is whole.
        let named = ["artifact::step-5", "artifact::fsync-folder", "artifact::step-6"];
        if named.contains(place) {
            assert_eq!(backup["status"], "completed", "{place}: {backup}");
        } else {
            assert_eq!(backup["error"]["kind"], "interrupted", "{place}: {backup}");
        }
        world.assert_quiet();
        world.assert_in_step();
    }
    world.assert_whole();
}

#[test]
fn a_deletion_that_was_cut_off_is_finished_and_never_brought_back() {
    let mut world = World::new();
    for place in REMOVAL {
        world.console.restart_with(|builder| builder.failpoints(&format!("{place}=return(abort)")));
        let backup = world.back_up();
        let id = backup["id"].as_str().expect("an id");
        let token = world.api.token().expect("a token");
        let request = format!(
            "DELETE /api/v1/backups/{id} HTTP/1.1\r\nHost: localhost\r\n\
             Authorization: Bearer {token}\r\n\r\n"
        );
        // The console ends while it answers.
        let _ = world.api.raw(request.as_bytes(), PATIENCE);
        world.console.wait_for_end(PATIENCE);
        world.console.restart_with(|builder| builder.failpoints(""));
        world.api.get(&format!("/api/v1/backups/{id}")).expect(404);
        world.assert_in_step();
        world.console.restart();
        world.api.get(&format!("/api/v1/backups/{id}")).expect(404);
        world.assert_in_step();
    }
    world.assert_whole();
}

#[test]
fn what_was_called_completed_survives_a_kill_right_after() {
    let mut world = World::new();
    for _ in 0..3 {
        let id = world.begin();
        // Asked without a pause, so that the kill follows at once.
        let start = Instant::now();
        while is_open(&world.state(&id)) {
            assert!(start.elapsed() < PATIENCE, "it does not end");
        }
        world.console.kill9();
        world.console.restart();
        let backup = world.backup(&id);
        assert_eq!(backup["status"], "completed", "{backup}");
        let file = world.folder.join(backup["filename"].as_str().expect("a name"));
        assert_verified(&file, &backup);
    }
    world.assert_whole();
}

#[test]
fn killed_again_while_it_cleans_up_it_cleans_up_the_next_time() {
    let mut world = World::new();
    for step in 0..8 {
        let id = world.begin_and_hold();
        world.console.kill9();
        world.link.release();
        let mut serve = world.console.cli();
        serve.arg("serve").stdout(Stdio::null()).stderr(Stdio::null());
        let mut serve = serve.spawn().expect("it starts");
        // From before its first look at the catalog to after its last.
        thread::sleep(Duration::from_millis(20 + step * 20));
        serve.kill().expect("it can be killed");
        serve.wait().expect("it is gone");
        world.console.restart();
        world.failure_of(&id, "interrupted");
        world.assert_in_step();
    }
    world.assert_whole();
}

#[test]
fn twenty_kills_at_random_moments_leave_nothing_half() {
    let mut world = World::new();
    let mut seed = u64::from(std::process::id()) | 1;
    println!("seed {seed}");
    let mut completed = 0;
    for _ in 0..20 {
        // xorshift: the moment is to be any, not the same in each run.
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        let ids = [world.begin(), world.begin()];
        thread::sleep(Duration::from_millis(seed % 1500));
        world.console.kill9();
        world.console.restart();
        // The one that waited goes on by itself; its turn to be killed comes too.
        let first = wait_until("the end of the run that was killed", PATIENCE, || {
            let state = world.state(&ids[0]);
            (!is_open(&state)).then_some(state)
        });
        let ended = first["status"] == "completed" || first["error"]["kind"] == "interrupted";
        assert!(ended, "{first}");
        completed += usize::from(first["status"] == "completed");
    }
    wait_until("the end of the queue", PATIENCE, || {
        world.backups().iter().all(|backup| !is_open(backup)).then_some(())
    });
    println!("{completed} of the 20 were completed before or after the kill");
    world.assert_whole();
}
