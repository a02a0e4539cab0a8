//! `cofferdam backup download`: to a file, to a pipe, here and from afar.

use std::{fs, os::unix::fs::PermissionsExt as _, process::Stdio, time::Duration};

use cofferdam_tests::{Console, TestCluster, held};
use serde_json::json;

use crate::shell::{Shell, Told};

#[test]
fn a_download_is_checked_and_overwrites_nothing() {
    let shell = Shell::new();
    let made = shell.run(&["backup", "create", "cofferdam", "--json"]).expect(0).json();
    let (id, name) =
        (made["id"].as_str().expect("an id"), made["filename"].as_str().expect("a name"));
    let stored = fs::read(shell.path("data/backups").join(name)).expect("the file");

    let told = shell.run(&["backup", "download", id]).expect(0);
    assert!(told.out.contains("SHA-256 checked"), "{}", told.out);
    assert_eq!(fs::read(shell.path(name)).expect("the copy"), stored);
    let rights = fs::metadata(shell.path(name)).expect("the copy").permissions().mode();
    assert_eq!(rights & 0o077, 0, "a backup is for its owner: {rights:o}");
    shell.run(&["backup", "download", id]).expect(1).says("nothing was overwritten");
    fs::write(shell.path("mine"), "mine").expect("written");
    shell.run(&["backup", "download", id, "-o", "mine"]).expect(1).says("nothing was overwritten");
    assert_eq!(fs::read(shell.path("mine")).expect("still there"), b"mine");
    let json = shell.run(&["backup", "download", id, "-o", "copy.gz", "--json"]).expect(0).json();
    assert_eq!(
        (&json["file"], &json["size_bytes"], &json["sha256_checked"]),
        (&json!("copy.gz"), &json!(stored.len()), &json!(true))
    );
    let piped = shell.command(&["backup", "download", id, "-o", "-"]).output().expect("it runs");
    assert!(piped.status.success() && piped.stdout == stored);
    shell
        .run(&["backup", "download", id, "-o", "no/such/folder/x"])
        .expect(1)
        .says("cannot be written");
}

#[test]
fn a_file_that_was_changed_is_not_kept() {
    let shell = Shell::new();
    let made = shell.run(&["backup", "create", "cofferdam", "--json"]).expect(0).json();
    let (id, name) =
        (made["id"].as_str().expect("an id"), made["filename"].as_str().expect("a name"));
    let path = shell.path("data/backups").join(name);
    let mut bytes = fs::read(&path).expect("the file");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, &bytes).expect("written");
    shell.run(&["backup", "download", id, "-o", "copy"]).expect(1).says("SHA-256");
    assert!(!shell.path("copy").exists() && !shell.path("copy.partial").exists());
    bytes.pop();
    fs::write(&path, &bytes).expect("written");
    shell.run(&["backup", "download", id, "-o", "copy"]).expect(1).says("size has changed");
    fs::remove_file(&path).expect("removed");
    shell.run(&["backup", "download", id, "-o", "copy"]).expect(1).says("missing");
    assert!(!shell.path("copy").exists() && !shell.path("copy.partial").exists());
}

#[test]
fn a_running_backup_is_followed_from_afar_to_its_end() {
    let cluster = TestCluster::start();
    held::create_wide(&cluster, "wide");
    let console = Console::builder().database(&cluster, "wide").start();
    let api = console.api();
    let (id, held) = held::hold_backup(&console, &api, &json!({ "database": "wide" }));
    let shell = Shell::new()
        .env("COFFERDAM_SERVER", console.url())
        .env("COFFERDAM_TOKEN", api.token().expect("a token"));
    let follow = |target: &str| {
        let mut command = shell.command(&["backup", "download", &id, "-o", target]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts")
    };
    let (file, pipe) = (follow("wide.sql.gz"), follow("-"));
    let piped = std::thread::spawn(move || pipe.wait_with_output().expect("it ends"));
    std::thread::sleep(Duration::from_secs(2));
    held.release();
    let filed = file.wait_with_output().expect("it ends");
    let piped = piped.join().expect("it ends");
    let backup = api.ended(&id);
    let whole = api.get(backup["download_url"].as_str().expect("an address")).expect(200).body;
    assert!(filed.status.success(), "{}", String::from_utf8_lossy(&filed.stderr));
    assert!(fs::read(shell.path("wide.sql.gz")).expect("the copy") == whole);
    assert!(piped.status.success() && piped.stdout == whole);
}

#[test]
fn a_followed_backup_that_is_cancelled_leaves_no_file() {
    let cluster = TestCluster::start();
    held::create_wide(&cluster, "wide");
    let console = Console::builder().database(&cluster, "wide").start();
    let api = console.api();
    let (id, held) = held::hold_backup(&console, &api, &json!({ "database": "wide" }));
    let shell = Shell::new()
        .env("COFFERDAM_SERVER", console.url())
        .env("COFFERDAM_TOKEN", api.token().expect("a token"));
    std::thread::scope(|scope| {
        let file = scope
            .spawn(|| Told::of(&mut shell.command(&["backup", "download", &id, "-o", "wide"]), ""));
        let pipe = scope.spawn(|| {
            shell.command(&["backup", "download", &id, "-o", "-"]).output().expect("it runs")
        });
        std::thread::sleep(Duration::from_secs(2));
        api.post(&format!("/api/v1/backups/{id}/cancel"), &json!({})).expect(202);
        file.join().expect("it ends").expect(1).says("cut off");
        assert_eq!(pipe.join().expect("it ends").status.code(), Some(1));
    });
    drop(held);
    assert!(!shell.path("wide").exists() && !shell.path("wide.partial").exists());
}
