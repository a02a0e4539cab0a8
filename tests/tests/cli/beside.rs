//! The command line on the catalog of a console that runs.

use std::{process::Command, time::Duration};

use cofferdam_tests::{Console, Person, TestCluster, held, wait_until};
use serde_json::json;

use crate::shell::Told;

fn run(console: &Console, arguments: &[&str]) -> Told {
    Told::of(console.cli().args(arguments), "")
}

#[test]
fn both_see_what_the_other_makes_and_neither_touches_the_others_run() {
    let cluster = TestCluster::start();
    held::create_wide(&cluster, "wide");
    let console = Console::builder().database(&cluster, "wide").start();
    let api = console.api();
    let (id, held) = held::hold_backup(&console, &api, &json!({ "database": "wide" }));
    for arguments in [
        &["backup", "list"][..],
        &["backup", "show", &id],
        &["database", "list"],
        &["user", "list"],
    ] {
        let told = run(&console, arguments).expect(0);
        assert!(!told.out.contains("interrupted"), "{}", told.out);
    }
    assert!(run(&console, &["backup", "list"]).out.contains("running"));
    run(&console, &["backup", "delete", "--yes", &id]).expect(1).says("still being made");
    run(&console, &["backup", "download", &id, "-o", "here.gz"]).expect(1).says("being made");
    run(&console, &["database", "remove", "--yes", "wide"]).expect(1);
    // A backup of another database is made while the console's own run stands still.
    let file = console.folder().join("other.db");
    let told = Command::new("sqlite3")
        .arg(&file)
        .arg("CREATE TABLE t AS SELECT 1 AS n;")
        .status()
        .expect("sqlite3");
    assert!(told.success());
    let url = format!("sqlite:{}", file.display());
    run(&console, &["database", "add", &url, "--name", "other"]).expect(0);
    let made = run(&console, &["backup", "create", "other", "--json"]).expect(0).json();
    let seen = api
        .get(&format!("/api/v1/backups/{}", made["id"].as_str().expect("an id")))
        .expect(200)
        .json();
    assert_eq!((&seen["status"], &seen["trigger"]), (&json!("completed"), &json!("cli")));
    api.get(seen["download_url"].as_str().expect("an address")).expect(200);
    assert_eq!(api.get(&format!("/api/v1/backups/{id}")).json()["status"], "running");
    held.release();
    let backup = api.ended(&id);
    assert_eq!(backup["status"], "completed", "{backup}");
}

#[test]
fn a_run_of_the_console_is_cancelled_from_the_command_line() {
    let cluster = TestCluster::start();
    held::create_wide(&cluster, "wide");
    let console = Console::builder().database(&cluster, "wide").start();
    let api = console.api();
    let (id, held) = held::hold_backup(&console, &api, &json!({ "database": "wide" }));
    run(&console, &["backup", "cancel", &id]).expect(0);
    let backup = api.ended(&id);
    assert_eq!(backup["status"], "cancelled", "{backup}");
    drop(held);
}

#[test]
fn a_run_of_the_command_line_shows_in_the_console_and_can_be_cancelled_there() {
    let cluster = TestCluster::start();
    held::create_wide(&cluster, "wide");
    let console = Console::builder().database(&cluster, "wide").start();
    let api = console.api();
    let mut child = console
        .cli()
        .args(["backup", "create", "wide"])
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("it starts");
    let held = wait_until("a dump", Duration::from_secs(30), || held::stop_dump(child.id()));
    let page = api.get("/api/v1/backups").expect(200).json();
    let backup = &page["backups"][0];
    assert_eq!((&backup["status"], &backup["trigger"]), (&json!("running"), &json!("cli")));
    let id = backup["id"].as_str().expect("an id");
    let person = Person::administrator(&console);
    assert!(
        person.get(&format!("/backups/{id}")).expect(200).text().to_lowercase().contains("running")
    );
    let problem = api.get(&format!("/api/v1/backups/{id}/download")).expect(409).json();
    assert!(
        problem["detail"].as_str().is_some_and(|text| text.contains("another process")),
        "{problem}"
    );
    api.post(&format!("/api/v1/backups/{id}/cancel"), &json!({})).expect(202);
    let status = xtask::process::wait_at_most(&mut child, Duration::from_secs(30)).expect("waited");
    drop(held);
    let status = status.unwrap_or_else(|| {
        child.kill().expect("killed");
        panic!("it goes on")
    });
    assert_eq!(status.code(), Some(1));
    assert_eq!(api.ended(id)["status"], "cancelled");
}

#[test]
fn a_password_set_on_the_machine_ends_the_sessions_of_the_console() {
    let console = Console::builder().start();
    let person = Person::administrator(&console);
    person.get("/backups").expect(200);
    let told = Told::of(
        console.cli().args(["user", "passwd", "admin", "--password-stdin"]),
        "a new long password\n",
    )
    .expect(0);
    assert!(told.out.contains("have ended"), "{}", told.out);
    person.get("/backups").expect(303);
    Person::sign_in(&console, "admin", "a new long password").get("/backups").expect(200);
}

#[test]
fn a_destination_that_is_switched_off_while_its_backup_is_made_ends_the_wait_with_3() {
    let cluster = TestCluster::start();
    held::create_wide(&cluster, "wide");
    let console = Console::builder().database(&cluster, "wide").start();
    let api = console.api();
    let folder = console.folder().join("shelf");
    std::fs::create_dir_all(&folder).expect("a folder");
    let wish = json!({ "plugin": "local-retention", "name": "shelf", "grant": true,
        "settings": { "folder": folder } });
    api.post("/api/v1/destinations", &wish).expect(201);
    let mut command = console.cli();
    command.args(["backup", "create", "wide", "--to", "shelf"]);
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let child = command.spawn().expect("the command line");
    let pids = [child.id(), console.pid()];
    let held = wait_until("a dump", Duration::from_secs(30), || {
        pids.iter().find_map(|pid| held::stop_dump(*pid))
    });
    api.patch("/api/v1/destinations/shelf", &json!({ "enabled": false })).expect(200);
    held.release();
    let told = child.wait_with_output().expect("its end");
    let said = String::from_utf8_lossy(&told.stderr).into_owned();
    assert_eq!(told.status.code(), Some(3), "{said}");
    assert!(said.contains("shelf: the destination is switched off"), "{said}");
    // Switched on again, it is delivered.
    api.patch("/api/v1/destinations/shelf", &json!({ "enabled": true })).expect(200);
    let list = api.get("/api/v1/backups").expect(200).json();
    let path = format!("/api/v1/backups/{}", list["backups"][0]["id"].as_str().expect("an id"));
    wait_until("the copy", Duration::from_secs(30), || {
        (api.get(&path).json()["deliveries"][0]["status"] == "completed").then_some(())
    });
}
