//! Client programs that are short of memory, or too old.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use cofferdam_tests::{Console, TestCluster};
use serde_json::json;

use crate::world::World;

/// Where the real programs are.
fn real(cluster: &TestCluster, name: &str) -> PathBuf {
    cluster.server().programs().path(name)
}

#[track_caller]
fn script(path: &Path, text: &str) {
    fs::write(path, format!("#!/bin/sh\n{text}\n")).expect("written");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("permissions");
}

#[test]
fn a_dump_that_meets_its_memory_limit_fails_alone_and_the_next_one_is_whole() {
    let clients = tempfile::tempdir().expect("a folder");
    let world = World::with(|builder| builder.env("COFFERDAM_POSTGRES_BIN_DIR", clients.path()));
    // A row has to fit into the memory of whoever dumps it.
    world.cluster.psql("shop", "CREATE TABLE poster AS SELECT repeat('x', 100000000) AS picture;");
    for name in ["psql", "pg_restore"] {
        script(
            &clients.path().join(name),
            &format!("exec '{}' \"$@\"", real(&world.cluster, name).display()),
        );
    }
    let small = clients.path().join("pg_dump");
    let dump = real(&world.cluster, "pg_dump");
    let dump = dump.display();
    script(&small, &format!("[ \"$1\" = --version ] || ulimit -v 120000\nexec '{dump}' \"$@\""));

    let backup = world.failure_of(&world.begin(), "tool");
    let detail = backup["error"]["detail"].as_str().unwrap_or_default();
    assert!(detail.contains("memory"), "the tool's own words: {backup}");
    world.assert_quiet();
    world.assert_in_step();
    world.console.anonymous().get("/readyz").expect(200);

    // Clients are looked for anew before each run.
    fs::remove_file(&small).expect("removed");
    world.assert_whole();
}

#[test]
fn a_server_newer_than_every_client_is_refused_before_its_dump_begins() {
    let cluster = TestCluster::start();
    cluster.create_shop("shop", 5);
    let version = cluster.psql("shop", "SHOW server_version_num;");
    let major = version.parse::<u32>().expect("a number") / 10_000;
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("real")).expect("a folder");
    let bin = real(&cluster, "psql");
    let below = bin.strip_prefix("/usr/lib/postgresql").expect("Debian's folder");
    let psql = path("real").join(below);
    script(&path("psql"), &format!("exec '{}' \"$@\"", psql.display()));
    script(&path("pg_restore"), "exit 1");
    script(
        &path("pg_dump"),
        &format!(
            "[ \"$1\" = --version ] || echo \"$@\" >> '{}'\necho 'pg_dump (PostgreSQL) {}.12'",
            path("dumped").display(),
            major - 1
        ),
    );
    // In a namespace of its own the console sees no other client.
    script(
        &path("alone"),
        &format!(
            "exec unshare --mount sh -ec 'mount --bind /usr/lib/postgresql \"{}\"\n\
             mount -t tmpfs none /usr/lib/postgresql\nexec \"$@\"' sh \"$@\"",
            path("real").display()
        ),
    );
    let allowed = Command::new("unshare").args(["--mount", "true"]).output();
    if !allowed.is_ok_and(|told| told.status.success()) {
        println!("not run: this account may not mount");
        return;
    }
    let console = Console::builder()
        .database(&cluster, "shop")
        .env("COFFERDAM_POSTGRES_BIN_DIR", folder.path())
        .through(path("alone"))
        .start();
    let api = console.api();
    let wish = json!({ "database": "shop" });
    let created = api.post("/api/v1/backups", &wish).expect(202).json();
    let backup = api.ended(created["id"].as_str().expect("an id"));
    assert_eq!((&backup["status"], &backup["error"]["kind"]), (&json!("failed"), &json!("client")));
    let message = backup["error"]["message"].as_str().unwrap_or_default();
    let older = format!("the newest client installed here is {}.12", major - 1);
    assert!(message.contains(&older), "{backup}");
    let hint = backup["error"]["hint"].as_str().unwrap_or_default();
    assert!(hint.contains(&format!("postgresql-client-{major}")), "{backup}");
    assert!(!path("dumped").exists(), "nothing was dumped");
    assert_eq!(crate::world::files(&console.data().join("backups")).len(), 1, "only the marker");
    // The database's own check says so beforehand.
    let check = api.post("/api/v1/databases/shop/check", &json!({})).expect(200).json();
    assert_eq!(check["ok"], false, "{check}");
    assert!(check.to_string().contains(&format!("postgresql-client-{major}")), "{check}");
}
