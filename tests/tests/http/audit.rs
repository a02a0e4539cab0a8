//! The audit log, and people who are let in no more.

use cofferdam_tests::{Api, Console, Person, person::FORM};
use serde_json::json;

use crate::roles::{SECRET, with_people};

#[test]
fn a_disabled_person_is_out_at_once() {
    let console = with_people();
    let page = Person::sign_in(&console, "otto", SECRET);
    let api = Api::sign_in(console.url(), "otto", SECRET);
    page.get("/backups").expect(200);
    let user = |verb: &str| {
        let told = console.cli().args(["user", verb, "otto"]).output().expect("it runs");
        assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    };
    user("disable");
    page.get("/backups").expect(303);
    api.get("/api/v1/backups").expect(401);
    Person::stranger(&console).try_sign_in("otto", SECRET).expect(401);
    // Let in again, what has ended stays so.
    user("enable");
    page.get("/backups").expect(303);
    api.get("/api/v1/backups").expect(401);
    Person::sign_in(&console, "otto", SECRET).get("/backups").expect(200);
    Api::sign_in(console.url(), "otto", SECRET).get("/api/v1/backups").expect(200);
    let told = console.catalog(
        "SELECT action, object_name FROM audit WHERE actor_kind = 'cli' AND object_name = 'otto' \
         AND action <> 'user.create' ORDER BY seq;",
    );
    assert_eq!(told, "user.disable|otto\nuser.enable|otto");
}

#[test]
fn a_flood_of_refusals_is_two_entries_that_say_how_many_there_were() {
    let mut console = with_people();
    let vera = Api::sign_in(console.url(), "vera", SECRET);
    for _ in 0..200 {
        vera.post("/api/v1/backups", &json!({ "database": "till" })).expect(403);
    }
    let nobody = console.anonymous();
    for _ in 0..200 {
        nobody.get("/api/v1/backups").expect(401);
    }
    assert!(console.terminate().success());
    let told = console.catalog(
        "SELECT actor, json_extract(details, '$.request'), json_extract(details, '$.times') \
         FROM audit WHERE outcome = 'denied' ORDER BY seq;",
    );
    let request = "POST /api/v1/backups";
    assert_eq!(told, format!("vera|{request}|\nvera|{request}|199"));
}

#[test]
fn a_changed_destination_s_entry_names_what_changed_and_an_upload_s_the_file_s_hash() {
    let console = Console::builder().start();
    let api = console.api();
    let wish = json!({
        "plugin": "webhook", "name": "hook", "grant": true,
        "settings": { "url": "https://hooks.example.org/a", "secret": "canary-1" },
    });
    api.post("/api/v1/destinations", &wish).expect(201);
    let change = json!({
        "name": "bell", "concurrency": 2,
        "settings": { "url": "https://hooks.example.org/a", "secret": "canary-2" },
    });
    api.patch("/api/v1/destinations/hook", &change).expect(200);
    let told = console.catalog(
        "SELECT json_extract(details, '$.changed') FROM audit WHERE action = 'destination.update';",
    );
    assert_eq!(told, r#"["name","concurrency","settings.secret"]"#);
    let kind = [("Content-Type", "application/wasm")];
    api.send("POST", "/api/v1/plugins?name=junk.wasm", &kind, Some(b"junk")).expect(201);
    let told = console.catalog(
        "SELECT json_extract(details, '$.sha256') FROM audit WHERE action = 'plugin.upload';",
    );
    // As sha256sum has it.
    assert_eq!(told, "ef875a1705a5fdac206be996f4dc1f726ea6b68861eb741c37def7277f179e37");
}

#[test]
fn every_change_is_in_the_audit_log_which_can_only_grow() {
    let console = Console::builder().start();
    let api = console.api();
    let made = api.back_up("cofferdam");
    let path = format!("/api/v1/backups/{}", made["id"].as_str().expect("an id"));
    api.post(&format!("{path}/pin"), &json!({})).expect(200);
    api.post(&format!("{path}/pin"), &json!({ "pinned": false })).expect(200);
    api.delete(&path).expect(204);
    let wish = json!({ "name": "x", "path": "/tmp/x.db" });
    api.post("/api/v1/databases", &wish).expect(201);
    api.patch("/api/v1/databases/x", &json!({ "name": "y" })).expect(200);
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

#[test]
fn an_audit_log_that_was_tampered_with_is_found_by_the_command_line() {
    let console = Console::builder().start();
    console.api().back_up("cofferdam");
    let verify = || console.cli().args(["audit", "verify", "--json"]).output().expect("it runs");
    let told = verify();
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    let report: serde_json::Value = serde_json::from_slice(&told.stdout).expect("JSON");
    assert!(report["checked"].as_u64().is_some_and(|count| count >= 3), "{report}");
    assert_eq!(report["last_hash"].as_str().map(str::len), Some(64));
    let dropped = "SELECT 'DROP TRIGGER ' || name || ';' FROM sqlite_master \
                   WHERE type = 'trigger' AND tbl_name = 'audit';";
    let drops = console.catalog(dropped);
    let made = std::process::Command::new("sqlite3")
        .args(["-cmd", ".timeout 5000"])
        .arg(console.data().join("catalog.db"))
        .arg(format!("{drops} UPDATE audit SET actor = 'nobody' WHERE seq = 2;"))
        .status()
        .expect("sqlite3");
    assert!(made.success());
    let told = verify();
    assert_eq!(told.status.code(), Some(1));
    let report: serde_json::Value = serde_json::from_slice(&told.stdout).expect("JSON");
    assert_eq!((&report["checked"], &report["fault"]["seq"]), (&1.into(), &2.into()));
    let said = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(said.contains("entry 2") && said.contains("hint"), "{said}");
}

#[test]
fn signing_in_and_out_and_forged_requests_are_in_the_audit_log() {
    let console = Console::builder().start();
    let person = Person::administrator(&console);
    let foreign = ("Sec-Fetch-Site", "cross-site");
    person.send("POST", "/backups", &[FORM, foreign], Some(b"database=cofferdam")).expect(403);
    Person::stranger(&console).send("POST", "/login", &[FORM, foreign], Some(b"x=y")).expect(403);
    person.post("/logout", &[]).expect(303);
    for _ in 0..10 {
        Person::stranger(&console).try_sign_in("admin", "not the password");
    }
    let told = console.catalog(
        "SELECT actor, remote, action, outcome, details FROM audit WHERE actor <> 'cofferdam' ORDER BY seq;",
    );
    let expected = [
        "admin|127.0.0.1|session.create|allowed|null",
        r#"admin|127.0.0.1|access|denied|{"request":"a change asked for by another site"}"#,
        r#"somebody|127.0.0.1|access|denied|{"request":"a change asked for by another site"}"#,
        "admin|127.0.0.1|session.end|allowed|null",
        r#"somebody|127.0.0.1|session.create|denied|{"reason":"wrong name or password"}"#,
        r#"somebody|127.0.0.1|session.create|denied|{"reason":"too many tries"}"#,
    ];
    assert_eq!(told.lines().collect::<Vec<_>>(), expected);
}
