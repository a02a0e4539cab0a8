//! The catalog: damaged, lost, locked.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    os::unix::fs::FileExt as _,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use cofferdam_tests::Person;
use serde_json::{Value, json};

use crate::world::{PATIENCE, World};

fn remove_catalog(world: &World) {
    for name in ["catalog.db", "catalog.db-wal", "catalog.db-shm"] {
        // The last two are there only while it is open.
        let _ = fs::remove_file(world.console.data().join(name));
    }
}

#[test]
fn a_damaged_catalog_is_told_and_a_new_one_takes_the_backups_back_with_all_they_say() {
    let mut world = World::new();
    let wish =
        json!({ "database": "shop", "description": "before the move", "compression_level": 5 });
    let id = world.api.post("/api/v1/backups", &wish).expect(202).json()["id"].clone();
    let id = id.as_str().expect("an id").to_owned();
    world.end_of(&id);
    world.api.post(&format!("/api/v1/backups/{id}/pin"), &json!({ "pinned": true })).expect(200);
    let second = world.back_up();
    let before = world.backup(&id);

    world.console.terminate();
    let catalog = world.console.data().join("catalog.db");
    let length = fs::metadata(&catalog).expect("the catalog").len();
    let file = fs::OpenOptions::new().write(true).open(&catalog).expect("the catalog");
    for at in (0..length).step_by(4096) {
        file.write_all_at(&[0xa5; 2048], at).expect("it can be overwritten");
    }
    let started = Command::new(cofferdam_tests::console::program())
        .arg("serve")
        .env("COFFERDAM_DATA_DIR", world.console.data())
        .env("COFFERDAM_LISTEN", "127.0.0.1:0")
        .stdin(Stdio::null())
        .output()
        .expect("it starts");
    assert!(!started.status.success());
    let told = String::from_utf8_lossy(&started.stderr);
    assert!(told.contains("catalog") && told.contains("damaged"), "{told}");
    assert!(told.contains("HINT:"), "{told}");
    assert!(!told.contains("panicked"), "{told}");

    remove_catalog(&world);
    world.console.restart();
    world.api = world.console.api();
    let after = world.backup(&id);
    for (field, value) in before.as_object().expect("a record") {
        // Who asked for it first and what it is now are the same; only the age in words moves
        // on, and the database of that name, entered again, has another identifier.
        if field != "created_relative" && field != "database_id" {
            assert_eq!(&after[field], value, "{field}");
        }
    }
    let database = world.api.get("/api/v1/databases/shop").expect(200).json();
    assert_eq!(after["database_id"], database["id"]);
    assert_eq!(world.backups().len(), 2);
    let second = second["id"].as_str().expect("an id");
    assert_eq!(world.backup(second)["status"], "completed");
    world.assert_whole();
}

#[test]
fn a_catalog_damaged_in_one_table_fails_closed_without_touching_the_files() {
    let mut world = World::new();
    world.back_up();
    world.console.terminate();
    let catalog = world.console.data().join("catalog.db");
    let bytes = fs::read(&catalog).expect("the catalog");
    // Any page but the first, so that the file still opens.
    let file = fs::OpenOptions::new().write(true).open(&catalog).expect("the catalog");
    for at in (4096..bytes.len() as u64).step_by(4096) {
        file.write_all_at(&[0xff; 4096], at).expect("it can be overwritten");
    }
    let before = crate::world::files(&world.folder);
    let started = Command::new(cofferdam_tests::console::program())
        .arg("serve")
        .env("COFFERDAM_DATA_DIR", world.console.data())
        .env("COFFERDAM_LISTEN", "127.0.0.1:0")
        .stdin(Stdio::null())
        .output()
        .expect("it starts");
    assert!(!started.status.success());
    let told = String::from_utf8_lossy(&started.stderr);
    assert!(told.contains("catalog") && told.contains("damaged"), "{told}");
    assert_eq!(crate::world::files(&world.folder), before);
    // The catalog that was put aside comes back, and all is as before.
    fs::write(&catalog, bytes).expect("it can be written");
    world.console.restart();
    world.assert_whole();
}

/// Another program that holds the catalog.
pub struct Shell(Child);

impl Shell {
    /// Returns when it holds it.
    pub fn lock(world: &World) -> Self {
        let mut shell = Command::new("sqlite3")
            .args(["-batch", "-bail", "-cmd", ".timeout 20000"])
            .arg(world.console.data().join("catalog.db"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("sqlite3 is installed");
        let input = shell.stdin.as_mut().expect("a pipe");
        writeln!(input, "BEGIN EXCLUSIVE; SELECT 'held';").expect("it listens");
        let mut line = String::new();
        let output = shell.stdout.as_mut().expect("a pipe");
        BufReader::new(output).read_line(&mut line).expect("it answers");
        assert_eq!(line, "held\n");
        Self(shell)
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        // Ending it ends its transaction.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn locked_for_a_minute_while_a_backup_ends_it_is_retried_and_nothing_is_lost() {
    let world = World::new();
    let person = Person::administrator(&world.console);
    let id = world.begin_and_hold();
    let page = format!("/backups/{id}");
    let shell = Shell::lock(&world);
    let locked = Instant::now();
    world.link.release();
    let mut answers: Vec<(&str, u16, Duration)> = Vec::new();
    thread::scope(|scope| {
        let changes = scope.spawn(|| {
            let begin = Instant::now();
            let wish = json!({ "database": "shop" });
            (world.api.post("/api/v1/backups", &wish), begin.elapsed())
        });
        while locked.elapsed() < Duration::from_mins(1) {
            for path in
                ["/healthz", "/readyz", "/login", "/api/v1/backups", "/api/v1/backups/stats"]
            {
                let begin = Instant::now();
                let status = world.api.get(path).status;
                answers.push((path, status, begin.elapsed()));
            }
            for path in ["/", "/backups", page.as_str()] {
                let begin = Instant::now();
                let status = person.get(path).status;
                answers.push((path, status, begin.elapsed()));
            }
            thread::sleep(Duration::from_millis(500));
        }
        drop(shell);
        let (answer, took) = changes.join().expect("no panic");
        println!("a wish while it was locked: {} after {took:?}", answer.status);
        assert_eq!(answer.status, 503, "{}", answer.text());
        assert!(answer.header("retry-after").is_some());
        assert!(took < Duration::from_secs(15), "{took:?}");
    });
    let slowest = answers.iter().max_by_key(|answer| answer.2).expect("answers");
    println!("{} answers, the slowest {slowest:?}", answers.len());
    for (path, status, took) in &answers {
        // Reading waits for nobody, nor does a page that is only looked at.
        assert_eq!(*status, 200, "{path}");
        assert!(*took < Duration::from_secs(5), "{path} took {took:?}");
    }
    let backup: Value = cofferdam_tests::wait_until("its record", PATIENCE, || {
        let answer = world.api.get(&format!("/api/v1/backups/{id}"));
        let backup = (answer.status == 200).then(|| answer.json())?;
        (!crate::world::is_open(&backup)).then_some(backup)
    });
    assert_eq!(backup["status"], "completed", "{backup}");
    world.assert_whole();
}
