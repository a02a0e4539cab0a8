//! A backup in the API: asked for, looked at, kept, deleted.

use cofferdam_tests::{Console, TestCluster};
use serde_json::{Value, json};

/// Every member of a backup, in the order of the contract.
const MEMBERS: [&str; 30] = [
    "id",
    "database",
    "engine",
    "filename",
    "format",
    "trigger",
    "status",
    "description",
    "size_bytes",
    "size_mb",
    "raw_bytes",
    "sha256",
    "created_at",
    "created_relative",
    "started_at",
    "completed_at",
    "duration_ms",
    "created_by",
    "encrypted",
    "verified",
    "restored_at",
    "pinned",
    "labels",
    "error",
    "deliveries",
    "download_url",
    // Beyond the contract.
    "database_id",
    "compression_level",
    "file",
    "tool_version",
];

fn assert_has_every_member(backup: &Value) {
    let found = backup.as_object().expect("an object");
    for name in MEMBERS {
        assert!(found.contains_key(name), "{name} is missing in {backup}");
    }
    assert_eq!(found.len(), MEMBERS.len(), "something is new in {backup}");
}

#[test]
fn a_backup_of_postgresql_is_accepted_made_and_described_in_full() {
    let cluster = TestCluster::start();
    cluster.create_shop("shop", 300);
    let console = Console::builder().database(&cluster, "shop").start();
    let api = console.api();

    let wish =
        json!({ "database": "shop", "description": " before the move ", "compression_level": 6 });
    let answer = api.post("/api/v1/backups", &wish).expect(202);
    let asked = answer.json();
    assert_has_every_member(&asked);
    assert_eq!(asked["status"], "pending");
    let id = asked["id"].as_str().expect("an id");
    assert_eq!(answer.header("location"), Some(format!("/api/v1/backups/{id}").as_str()));
    assert_eq!(id.as_bytes().get(14), Some(&b'7'), "the id is a UUIDv7: {id}");
    assert_eq!(asked["download_url"], Value::Null);

    let made = api.ended(id);
    assert_has_every_member(&made);
    for (name, expected) in [
        ("database", json!("shop")),
        ("engine", json!("postgres")),
        ("format", json!("plain")),
        ("trigger", json!("api")),
        ("status", json!("completed")),
        ("file", json!("present")),
        ("description", json!("before the move")),
        ("compression_level", json!(6)),
        ("created_by", json!("admin")),
        ("encrypted", json!(false)),
        ("verified", Value::Null),
        ("restored_at", Value::Null),
        ("pinned", json!(false)),
        ("labels", json!([])),
        ("error", Value::Null),
        ("deliveries", json!([])),
        ("download_url", json!(format!("/api/v1/backups/{id}/download"))),
    ] {
        assert_eq!(made[name], expected, "{name}");
    }
    let name = made["filename"].as_str().expect("a name");
    assert!(name.contains("_shop_") && name.ends_with(".sql.gz"), "{name}");
    let size =
        std::fs::metadata(console.data().join("backups").join(name)).expect("the file").len();
    assert_eq!(made["size_bytes"], size);
    assert!(made["raw_bytes"].as_u64() > Some(size));
    let megabytes = made["size_mb"].as_f64().expect("a number");
    let exact = made["size_bytes"].as_f64().expect("a number") / 1e6;
    assert!((megabytes - exact).abs() <= 0.005, "{megabytes}");
    assert_eq!(made["sha256"].as_str().map(str::len), Some(64));
    for moment in ["created_at", "started_at", "completed_at"] {
        let text = made[moment].as_str().expect(moment);
        assert!(text.len() >= 20 && text.as_bytes()[10] == b'T' && text.ends_with('Z'), "{text}");
    }
    assert!(made["duration_ms"].as_i64() >= Some(0));
    assert!(made["tool_version"].as_str().is_some_and(|tool| tool.contains("pg_dump")), "{made}");
    assert!(made["created_relative"].as_str().is_some_and(|text| !text.is_empty()));

    let state = api.get(&format!("/api/v1/backups/{id}/status")).expect(200).json();
    assert_eq!(state, json!({ "id": id, "status": "completed", "progress": null, "error": null }));
    let log = api.get(&format!("/api/v1/backups/{id}/log")).expect(200).json();
    let lines = log["lines"].as_array().expect("lines");
    assert!(!lines.is_empty());
    for line in lines {
        assert!(line["seq"].is_i64() && line["at"].is_string(), "{line}");
        assert!(line["level"].is_string() && line["text"].is_string(), "{line}");
    }
    let last = lines[lines.len() - 1]["seq"].as_i64().expect("a number");
    let after = format!("/api/v1/backups/{id}/log?after={last}");
    assert_eq!(api.get(&after).expect(200).json()["lines"], json!([]));
}

#[test]
fn a_custom_archive_is_made_on_request_and_restores() {
    let cluster = TestCluster::start();
    cluster.create_shop("shop", 100);
    let console = Console::builder().database(&cluster, "shop").start();
    let api = console.api();
    let wish = json!({ "database": "shop", "format": "custom" });
    let id = api.post("/api/v1/backups", &wish).expect(202).json()["id"].clone();
    let made = api.ended(id.as_str().expect("an id"));
    assert_eq!((&made["status"], &made["format"]), (&json!("completed"), &json!("custom")));
    assert!(made["filename"].as_str().is_some_and(|name| name.rsplit('.').next() == Some("dump")));
    let file = api.get(made["download_url"].as_str().expect("an address")).expect(200);
    assert!(file.body.starts_with(b"PGDMP"));
    assert_eq!(file.header("content-type"), Some("application/octet-stream"));
}

#[test]
fn a_failed_backup_says_why_and_has_no_file() {
    let console = Console::builder().start();
    let api = console.api();
    let wish = json!({ "name": "gone", "path": console.folder().join("no.db") });
    api.post("/api/v1/databases", &wish).expect(201);
    let failed = api.back_up("gone");
    assert_has_every_member(&failed);
    assert_eq!(failed["status"], "failed");
    for member in ["kind", "message"] {
        assert!(failed["error"][member].as_str().is_some_and(|text| !text.is_empty()), "{failed}");
    }
    assert_eq!((&failed["filename"], &failed["download_url"]), (&Value::Null, &Value::Null));
    let id = failed["id"].as_str().expect("an id");
    api.get(&format!("/api/v1/backups/{id}/download")).expect(404);
    api.post(&format!("/api/v1/backups/{id}/cancel"), &json!({})).expect(409);
}

#[test]
fn an_idempotency_key_gives_the_same_backup_to_the_same_wish_only() {
    let console = Console::builder().start();
    let api = console.api();
    let ask = |key: &str, body: &str| {
        let headers = [("Idempotency-Key", key), ("Content-Type", "application/json")];
        api.send("POST", "/api/v1/backups", &headers, Some(body.as_bytes()))
    };
    let first = ask("k-1", r#"{"database":"cofferdam"}"#).expect(202).json();
    let again = ask("k-1", r#"{"database":"cofferdam"}"#).expect(202).json();
    assert_eq!(first["id"], again["id"]);
    ask("k-1", r#"{"database":"cofferdam","description":"other"}"#).expect(409);
    let other = ask("k-2", r#"{"database":"cofferdam"}"#).expect(202).json();
    assert_ne!(first["id"], other["id"]);
    ask("", r#"{"database":"cofferdam"}"#).expect(400);
    ask(&"k".repeat(256), r#"{"database":"cofferdam"}"#).expect(400);
    assert_eq!(api.get("/api/v1/backups").json()["total"], 2);
}

#[test]
fn an_idempotency_key_is_answered_even_when_the_database_is_gone() {
    let console = Console::builder().start();
    let api = console.api();
    let ask = || {
        let headers = [("Idempotency-Key", "k"), ("Content-Type", "application/json")];
        api.send("POST", "/api/v1/backups", &headers, Some(br#"{"database":"cofferdam"}"#))
    };
    let first = ask().expect(202).json();
    let id = first["id"].as_str().expect("an id");
    api.ended(id);
    api.delete("/api/v1/databases/cofferdam").expect(204);
    assert_eq!(ask().expect(202).json()["id"], first["id"]);
    api.delete(&format!("/api/v1/backups/{id}")).expect(204);
    ask().expect(409);
}

#[test]
fn a_backup_is_found_by_the_end_of_its_identifier_and_by_its_file() {
    let console = Console::builder().start();
    let api = console.api();
    let made = api.back_up("cofferdam");
    let id = made["id"].as_str().expect("an id");
    let file = made["filename"].as_str().expect("a name");
    for key in [id, &id[30..], &id[20..], &id[30..].to_uppercase(), &id[..13], file] {
        assert_eq!(
            api.get(&format!("/api/v1/backups/{key}")).expect(200).json()["id"],
            id,
            "{key}"
        );
    }
    for key in [&id[31..], "------", "%25%25%25%25%25%25", "backup_", &"a".repeat(300)] {
        api.get(&format!("/api/v1/backups/{key}")).expect(404);
    }
    let other = api.back_up("cofferdam");
    let start: String = id
        .chars()
        .zip(other["id"].as_str().expect("an id").chars())
        .take_while(|(one, other)| one == other)
        .map(|(one, _)| one)
        .collect();
    assert!(start.len() >= 6, "both were made within days: {start}");
    let problem = api.delete(&format!("/api/v1/backups/{start}")).expect(409).json();
    let told = problem["detail"].as_str().expect("a sentence");
    assert!(told.contains(id) && told.contains(other["id"].as_str().expect("an id")), "{told}");
    assert_eq!(api.get("/api/v1/backups").json()["total"], 2);
}

#[test]
fn a_pinned_backup_is_not_deleted_and_an_unpinned_one_is_gone_with_its_file() {
    let console = Console::builder().start();
    let api = console.api();
    let made = api.back_up("cofferdam");
    let path = format!("/api/v1/backups/{}", made["id"].as_str().expect("an id"));
    let pin = format!("{path}/pin");
    assert_eq!(api.send("POST", &pin, &[], None).expect(200).json()["pinned"], true);
    api.delete(&path).expect(409);
    assert_eq!(api.post(&pin, &json!({ "pinned": false })).expect(200).json()["pinned"], false);
    assert!(api.delete(&path).expect(204).body.is_empty());
    api.get(&path).expect(404);
    api.delete(&path).expect(404);
    let left: Vec<_> = std::fs::read_dir(console.data().join("backups"))
        .expect("the folder")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.starts_with("backup_"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn stats_and_status_count_what_there_is() {
    let console = Console::builder()
        .env("BACKUP_RETENTION_DAYS", "9")
        .env("BACKUP_MAX_COUNT", "11")
        .env("BACKUP_INTERVAL_HOURS", "6")
        .start();
    let api = console.api();
    let empty = api.get("/api/v1/backups/stats").expect(200).json();
    assert_eq!((&empty["total"], &empty["success_rate"]), (&json!(0), &Value::Null));
    let made = api.back_up("cofferdam");
    let wish = json!({ "name": "gone", "path": console.folder().join("no.db") });
    api.post("/api/v1/databases", &wish).expect(201);
    api.back_up("gone");

    let numbers = api.get("/api/v1/backups/stats").expect(200).json();
    assert_eq!(
        (&numbers["total"], &numbers["completed"], &numbers["failed"]),
        (&json!(2), &json!(1), &json!(1))
    );
    assert_eq!(numbers["total_size_bytes"], made["size_bytes"]);
    assert_eq!(numbers["success_rate"], 0.5);
    assert_eq!(numbers["last_success"], made["completed_at"]);
    assert_eq!(numbers["retention_days"], 9);
    let status = api.get("/api/v1/status").expect(200).json();
    for (name, expected) in [
        ("enabled", json!(true)),
        ("backup_directory", json!(console.data().join("backups"))),
        ("retention_days", json!(9)),
        ("max_backups", json!(11)),
        ("interval_hours", json!(6)),
        ("total_backups", json!(2)),
        ("last_success", made["completed_at"].clone()),
        ("next_run", Value::Null),
    ] {
        assert_eq!(status[name], expected, "{name}");
    }
    assert!(status["version"].is_string());
}
