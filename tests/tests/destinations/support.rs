//! Backups on their way to a destination.

use std::{
    fs,
    io::{Seek as _, Write as _},
    path::PathBuf,
    process::Command,
    time::Duration,
};

use cofferdam_tests::{
    Api, Console, S3Server,
    s3_server::{ACCESS_KEY, BUCKET, SECRET_KEY},
    wait_until,
};
use serde_json::{Value, json};

/// How long a delivery with all its pauses may take on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// The console's own catalog: a small backup.
pub(crate) const SMALL: &str = "cofferdam";

/// Settings of the S3 plugin for a service at this port.
pub(crate) fn settings(port: u16) -> Value {
    json!({
        "endpoint": format!("http://127.0.0.1:{port}"), "bucket": BUCKET,
        "access_key_id": ACCESS_KEY, "secret_access_key": SECRET_KEY,
    })
}

/// Settings with one of them changed.
pub(crate) fn with(mut settings: Value, name: &str, value: impl Into<Value>) -> Value {
    settings[name] = value.into();
    settings
}

/// What adds a destination named `bucket` with these settings, and grants what
/// they name.
pub(crate) fn wish(settings: &Value) -> Value {
    json!({
        "plugin": "s3", "name": "bucket", "grant": true, "grant_private": true,
        "settings": settings,
    })
}

/// Adds a destination.
pub(crate) fn add(api: &Api, settings: &Value) {
    let made = api.post("/api/v1/destinations", &wish(settings)).expect(201).json();
    assert!(made["problem"].is_null(), "{made}");
}

/// Adds a database of incompressible rows, about so many bytes when backed up.
pub(crate) fn large(console: &Console, api: &Api, bytes: u64) -> &'static str {
    let file = console.folder().join("large.db");
    let rows = bytes / 1_000;
    let sql = format!(
        "CREATE TABLE noise (bytes BLOB); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL \
         SELECT i + 1 FROM n WHERE i < {rows}) INSERT INTO noise SELECT randomblob(1000) FROM n;"
    );
    let made = Command::new("sqlite3").arg(&file).arg(sql).status().expect("sqlite3");
    assert!(made.success());
    let wish = json!({ "url": format!("sqlite:{}", file.display()), "name": "large" });
    api.post("/api/v1/databases", &wish).expect(201);
    "large"
}

/// Makes a backup, and waits until its first delivery has this status.
pub(crate) fn deliver(api: &Api, database: &str, status: &str) -> Value {
    let backup = api.back_up(database);
    assert_eq!(backup["status"], "completed", "{backup}");
    until(api, &path(&backup), status)
}

/// Where the API has a backup.
pub(crate) fn path(backup: &Value) -> String {
    format!("/api/v1/backups/{}", backup["id"].as_str().expect("an id"))
}

/// Waits until a backup's first delivery has this status.
pub(crate) fn until(api: &Api, path: &str, status: &str) -> Value {
    let mut last = Value::Null;
    wait_until(status, PATIENCE, || {
        last = api.get(path).expect(200).json();
        let now = last["deliveries"][0]["status"].as_str().unwrap_or_default();
        let over = ["completed", "failed", "retrying", "cancelled", "blocked"].contains(&now);
        assert!(!over || now == status, "{}", last["deliveries"][0]);
        (now == status).then(|| last.clone())
    })
}

/// The first delivery with its attempts.
pub(crate) fn detail(api: &Api, backup: &Value) -> Value {
    let id = backup["deliveries"][0]["id"].as_str().expect("a delivery");
    api.get(&format!("{}/deliveries/{id}", path(backup))).expect(200).json()
}

/// Tries the first delivery again, and waits until it has this status.
pub(crate) fn retry(api: &Api, backup: &Value, status: &str) -> Value {
    let id = backup["deliveries"][0]["id"].as_str().expect("a delivery");
    let own = format!("{}/deliveries/{id}", path(backup));
    let before = api.get(&own).expect(200).json()["attempts"].clone();
    api.post(&format!("{own}/retry"), &json!({})).expect(202);
    wait_until("the next attempt", PATIENCE, || {
        let now = api.get(&own).expect(200).json();
        (now["attempts"] != before).then_some(())
    });
    wait_until("the next attempt's end", PATIENCE, || {
        let now = api.get(&path(backup)).expect(200).json();
        let status = now["deliveries"][0]["status"].as_str().unwrap_or_default();
        (!["pending", "running"].contains(&status)).then_some(())
    });
    until(api, &path(backup), status)
}

/// The backup's file in the console's folder.
pub(crate) fn own_file(console: &Console, backup: &Value) -> PathBuf {
    console.data().join("backups").join(backup["filename"].as_str().expect("a name"))
}

/// Whether the object at a delivery's location is the backup's file.
pub(crate) fn is_stored(console: &Console, server: &S3Server, backup: &Value) -> bool {
    let location = backup["deliveries"][0]["location"].as_str().expect("a location");
    let stored = fs::read(server.object(location));
    stored.is_ok_and(|stored| fs::read(own_file(console, backup)).is_ok_and(|own| own == stored))
}

/// The console's answer to `Test connection`: the sentence, if it succeeded or not as wanted.
pub(crate) fn check(api: &Api, ok: bool) -> String {
    let told = api.post("/api/v1/destinations/bucket/check", &json!({})).expect(200).json();
    assert_eq!(told["ok"], ok, "{told}");
    told["message"].as_str().expect("a sentence").to_owned()
}

/// The SHA-256 of these bytes, by somebody else's program.
pub(crate) fn sha256(bytes: &[u8]) -> Vec<u8> {
    openssl(&["dgst", "-sha256", "-binary"], bytes)
}

/// The same as a service has it in a header.
pub(crate) fn checksum(bytes: &[u8]) -> String {
    let text = openssl(&["base64", "-A"], &sha256(bytes));
    String::from_utf8(text).expect("text")
}

fn openssl(arguments: &[&str], bytes: &[u8]) -> Vec<u8> {
    let mut file = tempfile::tempfile().expect("a file");
    file.write_all(bytes).expect("written");
    file.rewind().expect("at its beginning");
    let told = Command::new("openssl").args(arguments).stdin(file).output().expect("openssl");
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    told.stdout
}
