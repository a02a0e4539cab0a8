//! Several backups at once, and backups that are cancelled.

use std::{
    io::Read as _,
    thread,
    time::{Duration, Instant},
};

use cofferdam_tests::wait_until;
use serde_json::{Value, json};

use crate::world::{PATIENCE, World, fill, is_open};

fn cancel(world: &World, id: &str) -> u16 {
    world.api.post(&format!("/api/v1/backups/{id}/cancel"), &json!({})).status
}

fn in_state(world: &World, status: &str) -> Vec<Value> {
    world.backups().into_iter().filter(|backup| backup["status"] == status).collect()
}

#[test]
fn two_wishes_for_one_database_at_once_run_one_after_the_other() {
    let world = World::new();
    world.link.hold_after(4 << 20);
    let ids: Vec<String> = thread::scope(|scope| {
        let wishes: Vec<_> = (0..2).map(|_| scope.spawn(|| world.begin())).collect();
        wishes.into_iter().map(|wish| wish.join().expect("no panic")).collect()
    });
    wait_until("one that runs", PATIENCE, || {
        (in_state(&world, "running").len() == 1).then_some(())
    });
    // Longer than the queue is left alone.
    thread::sleep(Duration::from_secs(3));
    assert_eq!(in_state(&world, "running").len(), 1);
    assert_eq!(in_state(&world, "pending").len(), 1);
    world.link.release();
    let ends: Vec<Value> = ids.iter().map(|id| world.end_of(id)).collect();
    assert!(ends.iter().all(|backup| backup["status"] == "completed"), "{ends:?}");
    assert_ne!(ends[0]["filename"], ends[1]["filename"]);
    world.assert_whole();
}

#[test]
fn no_more_run_at_once_than_the_setting_says() {
    let world = World::with(|builder| builder.env("COFFERDAM_MAX_CONCURRENT_BACKUPS", "2"));
    let names = ["shop_a", "shop_b", "shop_c"];
    for name in names {
        fill(&world.cluster, name, 60_000);
        let port = world.link.port();
        let database = json!({
            "name": name, "engine": "postgres", "host": "127.0.0.1", "port": port, "dbname": name,
            "user": "postgres", "password": world.cluster.password(),
        });
        world.api.post("/api/v1/databases", &database).expect(201);
    }
    world.link.hold_after(4 << 20);
    let ids: Vec<String> = names.iter().map(|name| world.begin_of(name)).collect();
    wait_until("two that run", PATIENCE, || (in_state(&world, "running").len() == 2).then_some(()));
    thread::sleep(Duration::from_secs(3));
    assert_eq!(in_state(&world, "running").len(), 2);
    assert_eq!(in_state(&world, "pending").len(), 1);
    world.link.release();
    for id in &ids {
        assert_eq!(world.end_of(id)["status"], "completed");
    }
    world.assert_whole();
}

#[test]
fn one_that_waits_is_cancelled_at_once_and_never_runs() {
    let world = World::new();
    let running = world.begin_and_hold();
    let waiting = world.begin();
    assert_eq!(cancel(&world, &waiting), 202);
    assert_eq!(world.state(&waiting)["status"], "cancelled");
    assert_eq!(cancel(&world, &waiting), 409);
    world.link.release();
    assert_eq!(world.end_of(&running)["status"], "completed");
    assert_eq!(cancel(&world, &running), 409);
    assert!(world.backup(&waiting)["started_at"].is_null());
    world.assert_whole();
}

#[test]
fn one_that_runs_is_cancelled_and_its_follower_is_cut_off() {
    let world = World::new();
    let id = world.begin_and_hold();
    let mut follower = world.api.download(&format!("/api/v1/backups/{id}/download"), &[]);
    assert_eq!(follower.status, 200);
    let mut begin = [0; 10];
    follower.body.read_exact(&mut begin).expect("bytes of the running backup");
    assert_eq!(begin[..2], [0x1f, 0x8b]);
    let start = Instant::now();
    assert_eq!(cancel(&world, &id), 202);
    assert_eq!(world.end_of(&id)["status"], "cancelled");
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    assert!(follower.body.read_to_end(&mut vec![]).is_err(), "a cut file must not look whole");
    assert_eq!(world.api.get(&format!("/api/v1/backups/{id}/download")).status, 404);
    // While the network still hangs.
    world.assert_quiet();
    world.assert_whole();
}

#[test]
fn a_cancel_at_any_moment_up_to_the_end_gives_a_whole_backup_or_none() {
    let world = World::new();
    let start = Instant::now();
    world.back_up();
    let usual = start.elapsed();
    let (mut completed, mut cancelled) = (0, 0);
    for step in 0..16 {
        let id = world.begin();
        // From half of the usual time to a little more than all of it.
        thread::sleep(usual.mul_f64(0.5 + f64::from(step) * 0.04));
        let answer = cancel(&world, &id);
        let backup = world.end_of(&id);
        match backup["status"].as_str() {
            Some("completed") => completed += 1,
            Some("cancelled") => cancelled += 1,
            _ => panic!("answered {answer}: {backup}"),
        }
        if answer == 409 {
            assert_eq!(backup["status"], "completed", "{backup}");
        }
        world.assert_in_step();
    }
    println!("{completed} completed, {cancelled} cancelled; one takes {usual:?}");
    world.assert_whole();
}

#[test]
fn cancelled_while_the_server_does_not_answer_it_ends_soon() {
    let world = World::new();
    // Not even the first answer comes through.
    world.link.hold_after(0);
    let id = world.begin();
    wait_until("its run", PATIENCE, || (world.state(&id)["status"] == "running").then_some(()));
    thread::sleep(Duration::from_millis(500));
    let start = Instant::now();
    assert_eq!(cancel(&world, &id), 202);
    wait_until("its end", PATIENCE, || (!is_open(&world.state(&id))).then_some(()));
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    assert_eq!(world.state(&id)["status"], "cancelled");
    world.assert_whole();
}
