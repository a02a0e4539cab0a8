//! The audit log, and people who are let in no more.

use cofferdam_tests::{Api, Console, Person};

use crate::roles::{SECRET, with_people};

#[test]
fn a_disabled_person_is_out_at_once() {
    let console = with_people();
    let page = Person::sign_in(&console, "otto", SECRET);
    let api = Api::sign_in(console.url(), "otto", SECRET);
    page.get("/backups").expect(200);
    console.catalog("UPDATE users SET disabled_at = 1 WHERE username = 'otto';");
    page.get("/backups").expect(303);
    api.get("/api/v1/backups").expect(401);
    Person::stranger(&console).try_sign_in("otto", SECRET).expect(401);
}

#[test]
fn every_change_is_in_the_audit_log_which_can_only_grow() {
    let console = Console::builder().start();
    let api = console.api();
    let made = api.back_up("cofferdam");
    let path = format!("/api/v1/backups/{}", made["id"].as_str().expect("an id"));
    api.post(&format!("{path}/pin"), &serde_json::json!({})).expect(200);
    api.post(&format!("{path}/pin"), &serde_json::json!({ "pinned": false })).expect(200);
    api.delete(&path).expect(204);
    let wish = serde_json::json!({ "name": "x", "path": "/tmp/x.db" });
    api.post("/api/v1/databases", &wish).expect(201);
    api.patch("/api/v1/databases/x", &serde_json::json!({ "name": "y" })).expect(200);
    api.delete("/api/v1/databases/y").expect(204);
    let actions = console.catalog("SELECT action FROM audit WHERE actor = 'admin' ORDER BY seq;");
    let expected = [
        "session.create",
        "backup.create",
        "backup.pin",
        "backup.unpin",
        "backup.delete",
        "database.create",
        "database.update",
        "database.delete",
    ];
    assert_eq!(actions.lines().collect::<Vec<_>>(), expected);
    let file = console.data().join("catalog.db");
    for sql in ["DELETE FROM audit;", "UPDATE audit SET actor = 'nobody';"] {
        let told =
            std::process::Command::new("sqlite3").arg(&file).arg(sql).output().expect("sqlite3");
        assert!(!told.status.success(), "{sql}");
    }
}
