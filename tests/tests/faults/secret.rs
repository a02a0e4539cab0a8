//! The database's password while things go wrong.

use std::fs;

use rustix::process::Signal;

use crate::world::{World, files};

#[test]
fn the_password_is_nowhere_while_a_dump_runs_nor_after_the_console_was_killed() {
    let temporary = tempfile::Builder::new().prefix("cofferdam-tmp-").tempdir().expect("a folder");
    let mut world = World::with(|builder| builder.env("TMPDIR", temporary.path()));
    let secret = world.cluster.password().to_owned();
    let told = |world: &World| {
        world.assert_no_secret();
        for name in files(temporary.path()) {
            let found = std::process::Command::new("grep")
                .args(["-rlaF", "--", &secret])
                .arg(temporary.path().join(&name))
                .output()
                .expect("grep runs");
            assert_eq!(String::from_utf8_lossy(&found.stdout), "", "in {name}");
        }
    };
    let id = world.begin_and_hold();
    told(&world);
    let tools = world.dump_tools();
    assert!(!tools.is_empty());
    for pid in tools {
        let environment = fs::read(format!("/proc/{}/environ", pid.as_raw_nonzero()));
        let environment = String::from_utf8_lossy(&environment.expect("it runs")).into_owned();
        assert!(!environment.contains(&secret), "in the environment of a tool");
    }
    world.signal_dump(Signal::KILL);
    world.failure_of(&id, "tool");
    told(&world);

    let id = world.begin_and_hold();
    world.console.kill9();
    told(&world);
    world.link.release();
    world.console.restart();
    world.failure_of(&id, "interrupted");
    world.assert_whole();
    told(&world);
    // What the killed one had for its tools is gone by then, too.
    assert!(files(temporary.path()).is_empty(), "{:?}", files(temporary.path()));
}

#[test]
fn a_wrong_password_is_refused_and_not_repeated_to_anybody() {
    let world = World::new();
    let wrong = "a-wrong-password-4711";
    let port = world.link.port();
    let database = serde_json::json!({
        "name": "locked_out", "engine": "postgres", "host": "127.0.0.1", "port": port,
        "dbname": "shop", "user": "postgres", "password": wrong,
    });
    world.api.post("/api/v1/databases", &database).expect(201);
    let backup = world.failure_of(&world.begin_of("locked_out"), "authentication");
    assert!(!backup.to_string().contains(wrong), "{backup}");
    let id = backup["id"].as_str().expect("an id");
    let log = world.api.get(&format!("/api/v1/backups/{id}/log")).expect(200).text();
    assert!(!log.contains(wrong), "{log}");
    assert!(!world.console.stderr().contains(wrong));
    world.assert_whole();
}
