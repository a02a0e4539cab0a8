//! What the tests are played on.

use std::{path::PathBuf, process::Command};

use cofferdam_tests::{Api, Console, TestCluster, Visitor};
use serde_json::{Value, json};

/// A console with the database `blog`.
#[track_caller]
pub(crate) fn console_with_blog() -> (Console, Api) {
    let console = Console::builder().start();
    let api = console.api();
    add_blog(&console, &api, "blog");
    (console, api)
}

/// Makes a small SQLite file beside the console and adds it under this name.
#[track_caller]
pub(crate) fn add_blog(console: &Console, api: &Api, name: &str) -> String {
    let file: PathBuf = console.folder().join(format!("{name}.db"));
    let sql = "CREATE TABLE posts (id INTEGER PRIMARY KEY, title TEXT);
        INSERT INTO posts VALUES (1, 'Hello'), (2, 'On dams');";
    let made = Command::new("sqlite3").arg(&file).arg(sql).status().expect("sqlite3");
    assert!(made.success(), "{}", file.display());
    let wish = json!({ "engine": "sqlite", "name": name, "path": file });
    id(&api.post("/api/v1/databases", &wish).expect(201).json())
}

/// Adds a database of the server, with this password.
#[track_caller]
pub(crate) fn add_postgres(api: &Api, cluster: &TestCluster, name: &str, password: &str) -> String {
    let wish = json!({
        "name": name, "host": "127.0.0.1", "port": cluster.port(), "dbname": name,
        "user": "postgres", "password": password,
    });
    id(&api.post("/api/v1/databases", &wish).expect(201).json())
}

/// Makes a backup with this note and waits for its end.
#[track_caller]
pub(crate) fn back_up(api: &Api, database: &str, note: &str) -> String {
    let wish = json!({ "database": database, "description": note });
    let id = id(&api.post("/api/v1/backups", &wish).expect(202).json());
    api.ended(&id);
    id
}

/// The identifier of a record.
#[track_caller]
pub(crate) fn id(record: &Value) -> String {
    record["id"].as_str().expect("an id").to_owned()
}

/// Runs the page's commands as written, in the folder of the download.
#[track_caller]
pub(crate) fn run(command: &str, visitor: &Visitor, cluster: &TestCluster) -> String {
    let mut shell = Command::new("bash");
    shell.args(["-euo", "pipefail", "-c", command]).current_dir(visitor.browser.downloads());
    let server = cluster.server();
    shell.envs(server.environment("postgres")).env_remove("PGDATABASE");
    let programs = server.programs().path("psql");
    let path = std::env::var("PATH").unwrap_or_default();
    shell.env("PATH", format!("{}:{path}", programs.parent().expect("a folder").display()));
    let told = shell.output().expect("bash");
    assert!(told.status.success(), "{command}: {}", String::from_utf8_lossy(&told.stderr));
    String::from_utf8_lossy(&told.stdout).into_owned()
}
