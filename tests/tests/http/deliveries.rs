//! Destinations and deliveries over the API, with the components that the program
//! carries.

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use cofferdam_tests::{Api, Console, Person, wait_until};
use serde_json::{Value, json};

use crate::plugins::plugin;

pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A folder that backups are copied to.
pub(crate) fn shelf(console: &Console) -> PathBuf {
    let folder = console.folder().join("shelf");
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// Adds a destination that copies into a folder, with the grant that it needs.
pub(crate) fn add_shelf(api: &Api, folder: &Path) -> Value {
    let wish = json!({
        "plugin": "local-retention", "name": "shelf", "grant": true,
        "settings": { "folder": folder, "keep": "everything" },
    });
    api.post("/api/v1/destinations", &wish).expect(201).json()
}

/// Makes a backup and waits until it is completed and every delivery is where
/// `done` wants it.
pub(crate) fn back_up(api: &Api, wish: &Value, done: impl Fn(&Value) -> bool) -> Value {
    let made = api.post("/api/v1/backups", wish).expect(202).json();
    let path = format!("/api/v1/backups/{}", made["id"].as_str().expect("an id"));
    wait_until("a delivery", PATIENCE, || {
        let backup = api.get(&path).expect(200).json();
        (backup["status"] == "completed" && done(&backup)).then_some(backup)
    })
}

pub(crate) fn delivered(backup: &Value) -> bool {
    backup["deliveries"][0]["status"] == "completed"
}

#[test]
fn a_backup_goes_to_its_destination_comes_back_from_there_and_is_removed_there() {
    let console = Console::builder().start();
    let api = console.api();
    let folder = shelf(&console);
    let made = add_shelf(&api, &folder);
    assert_eq!(
        (&made["problem"], &made["roles"]),
        (&Value::Null, &json!(["storage", "retention"]))
    );
    let checked = api.post("/api/v1/destinations/shelf/check", &json!({})).expect(200).json();
    assert_eq!(checked["ok"], true, "{checked}");

    let backup = back_up(&api, &json!({ "database": "cofferdam" }), delivered);
    let delivery = &backup["deliveries"][0];
    assert_eq!((&delivery["destination"], &delivery["attempts"]), (&"shelf".into(), &1.into()));
    assert_eq!((&delivery["purpose"], &delivery["error"]), (&"store".into(), &Value::Null));
    let copy = folder.join(delivery["location"].as_str().expect("a location"));
    let own = console.data().join("backups").join(backup["filename"].as_str().expect("a name"));
    let bytes = fs::read(&own).expect("the file");
    assert_eq!(fs::read(&copy).expect("the copy"), bytes);
    let path = format!("/api/v1/backups/{}", backup["id"].as_str().expect("an id"));
    let detail = api.get(&format!("{path}/deliveries/{}", delivery["id"].as_str().expect("an id")));
    let detail = detail.expect(200).json();
    assert_eq!(detail["history"][0]["outcome"], "completed");
    assert_eq!(detail["history"][0]["bytes"], backup["size_bytes"]);

    // Gone here, it is fetched from there, whole: a part could not be compared with
    // anything, so whoever asks for one gets all.
    fs::remove_file(&own).expect("removed");
    let download = format!("{path}/download");
    let whole = api.get(&download).expect(200);
    assert_eq!(whole.body, bytes);
    let part = api.send("GET", &download, &[("Range", "bytes=100-299")], None).expect(200);
    assert_eq!(part.header("accept-ranges"), Some("none"));
    assert_eq!(part.body, bytes);
    let seen = api.get(&path).expect(200).json();
    assert_eq!((&seen["file"], seen["download_url"].is_string()), (&"missing".into(), true));

    // A copy that was changed is cut off and never taken for the backup.
    let mut changed = bytes.clone();
    changed[bytes.len() / 2] ^= 1;
    fs::write(&copy, &changed).expect("written");
    let mut cut = api.download(&download, &[]);
    assert!(std::io::Read::read_to_end(&mut cut.body, &mut Vec::new()).is_err());
    fs::write(&copy, &bytes).expect("written");

    api.delete(&path).expect(204);
    wait_until("the copy's removal", PATIENCE, || (!copy.exists()).then_some(()));
}

#[test]
fn deleting_with_keep_remote_leaves_the_copy() {
    let console = Console::builder().start();
    let api = console.api();
    let folder = shelf(&console);
    add_shelf(&api, &folder);
    let backup = back_up(&api, &json!({ "database": "cofferdam" }), delivered);
    let copy = folder.join(backup["deliveries"][0]["location"].as_str().expect("a location"));
    let path = format!("/api/v1/backups/{}", backup["id"].as_str().expect("an id"));
    api.delete(&format!("{path}?keep_remote=true")).expect(204);
    // What comes after it in the queue is done, so it would be gone by now. A
    // backup of the same second would have the same name as the copy.
    thread::sleep(Duration::from_secs(1));
    back_up(&api, &json!({ "database": "cofferdam" }), delivered);
    assert!(copy.exists());
}

#[test]
fn the_page_that_deletes_names_the_copies_and_can_leave_them() {
    let console = Console::builder().start();
    let api = console.api();
    let folder = shelf(&console);
    add_shelf(&api, &folder);
    let person = Person::administrator(&console);
    for keeps in [true, false] {
        let backup = back_up(&api, &json!({ "database": "cofferdam" }), delivered);
        let copy = folder.join(backup["deliveries"][0]["location"].as_str().expect("a location"));
        let path = format!("/backups/{}", backup["id"].as_str().expect("an id"));
        let question = person.get(&format!("{path}/delete")).expect(200).text();
        assert!(question.contains("So does its copy at <strong>shelf</strong>"), "{question}");
        let fields: &[_] = if keeps { &[("keep_remote", "true")] } else { &[] };
        person.post(&format!("{path}/delete"), fields).expect(303);
        // A backup of the same second would have the same name as the copy.
        thread::sleep(Duration::from_secs(1));
        back_up(&api, &json!({ "database": "cofferdam" }), delivered);
        if keeps {
            assert!(copy.exists());
        } else {
            wait_until("the copy's removal", PATIENCE, || (!copy.exists()).then_some(()));
        }
    }
}

#[test]
fn a_backup_goes_only_where_it_is_asked_to_go() {
    let console = Console::builder().start();
    let api = console.api();
    add_shelf(&api, &shelf(&console));
    let nowhere = json!({ "database": "cofferdam", "destinations": [] });
    assert_eq!(back_up(&api, &nowhere, |_| true)["deliveries"], json!([]));
    let there = json!({ "database": "cofferdam", "destinations": ["shelf"] });
    back_up(&api, &there, delivered);
    let wrong = json!({ "database": "cofferdam", "destinations": ["cellar"] });
    let refused = api.post("/api/v1/backups", &wrong).expect(422).json();
    assert_eq!(refused["errors"][0]["field"], "destinations");
}

#[test]
fn settings_that_do_not_fit_are_named_beside_their_fields_and_secrets_never_come_back() {
    let console = Console::builder().start();
    let api = console.api();
    let fields = |wish: Value| {
        let told = api.post("/api/v1/destinations", &wish).expect(422).json();
        let each = told["errors"].as_array().expect("errors").iter();
        each.map(|it| it["field"].as_str().expect("a field").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(fields(json!({})), ["plugin"]);
    assert_eq!(fields(json!({ "plugin": "nothing" })), ["plugin"]);
    let empty = fields(json!({ "plugin": "local-retention", "name": "A b" }));
    assert_eq!(empty, ["name", "settings.folder"]);
    let ungranted = json!({ "plugin": "local-retention", "settings": { "folder": "/srv/copies" } });
    assert_eq!(fields(ungranted), ["settings.folder"]);

    let wish = json!({
        "plugin": "webhook", "name": "hook", "grant": true, "grant_private": true,
        "settings": { "url": "http://127.0.0.1:9/hook", "secret": "canary-1-canary-1-canary" },
    });
    let made = api.post("/api/v1/destinations", &wish).expect(201);
    assert!(!made.text().contains("canary"), "{}", made.text());
    assert_eq!(made.json()["secrets"], json!(["secret"]));
    // Left out, the secret stays; a host that was not granted is refused.
    let same = json!({ "settings": { "url": "http://127.0.0.1:9/other" } });
    let refused = api.patch("/api/v1/destinations/hook", &same).expect(422);
    assert_eq!(refused.json()["errors"][0]["field"], "settings.secret");
    let enabled = api.patch("/api/v1/destinations/hook", &json!({ "enabled": false })).expect(200);
    assert_eq!(
        (&enabled.json()["enabled"], &enabled.json()["secrets"]),
        (&false.into(), &json!(["secret"]))
    );
    let catalog = fs::read(console.data().join("catalog.db")).expect("the catalog");
    let log = fs::read(console.data().join("catalog.db-wal")).unwrap_or_default();
    for bytes in [catalog, log] {
        assert!(!bytes.windows(8).any(|part| part == b"canary-1"));
    }
}

#[test]
fn a_delivery_that_fails_for_now_is_planned_again_and_can_be_tried_at_once() {
    let console = Console::builder().start();
    let api = console.api();
    let wish = json!({
        "plugin": "webhook", "name": "hook", "grant": true, "grant_private": true,
        "settings": { "url": "http://127.0.0.1:9/hook" },
    });
    api.post("/api/v1/destinations", &wish).expect(201);
    let waits = |it: &Value| it["deliveries"][0]["status"] == "retrying";
    let backup = back_up(&api, &json!({ "database": "cofferdam" }), waits);
    let delivery = &backup["deliveries"][0];
    assert_eq!(
        (&delivery["purpose"], &delivery["event"]),
        (&"notify".into(), &"backup.completed".into())
    );
    assert!(delivery["next_attempt_at"].is_string() && delivery["error"].is_string(), "{delivery}");
    let id = |it: &Value| it["id"].as_str().expect("an id").to_owned();
    let path = format!("/api/v1/backups/{}/deliveries/{}", id(&backup), id(delivery));
    api.post(&format!("{path}/retry"), &json!({})).expect(202);
    let again = wait_until("the second attempt", PATIENCE, || {
        let now = api.get(&path).expect(200).json();
        (now["attempts"] == 2 && now["status"] == "retrying").then_some(now)
    });
    assert_eq!(again["history"].as_array().map(Vec::len), Some(2));
    assert_eq!(again["history"][0]["outcome"], "temporary");
    assert_eq!(
        api.post(&format!("{path}/cancel"), &json!({})).expect(202).json()["status"],
        "cancelled"
    );
    api.post(&format!("{path}/cancel"), &json!({})).expect(409);
    // The backup is none the worse for it.
    assert_eq!(backup["status"], "completed");
}

#[test]
fn a_revoked_plugin_holds_its_deliveries_until_it_is_approved_again() {
    let console = Console::builder().start();
    let api = console.api();
    let folder = shelf(&console);
    add_shelf(&api, &folder);
    let found = plugin(&api, |it| it["about"]["id"] == "local-retention").expect("bundled");
    let path = format!("/api/v1/plugins/{}", found["hash"].as_str().expect("a hash"));
    api.post(&format!("{path}/revoke"), &json!({})).expect(200);
    api.post(&format!("{path}/revoke"), &json!({})).expect(409);
    let blocked = |it: &Value| it["deliveries"][0]["status"] == "blocked";
    let backup = back_up(&api, &json!({ "database": "cofferdam" }), blocked);
    assert_eq!(backup["deliveries"][0]["attempts"], 0);
    api.post(&format!("{path}/approve"), &json!({ "folder": folder })).expect(200);
    let own = format!("/api/v1/backups/{}", backup["id"].as_str().expect("an id"));
    wait_until("the delivery", PATIENCE, || delivered(&api.get(&own).json()).then_some(()));
}

#[test]
fn a_killed_console_delivers_after_its_restart() {
    let mut console = Console::builder().start();
    let folder = shelf(&console);
    add_shelf(&console.api(), &folder);
    let backup = back_up(&console.api(), &json!({ "database": "cofferdam" }), |_| true);
    console.kill9();
    console.restart();
    let path = format!("/api/v1/backups/{}", backup["id"].as_str().expect("an id"));
    let api = console.api();
    // Had it begun, it waits as after any try that failed: one that kills the
    // console would else do so at each start.
    let first = wait_until("the delivery", PATIENCE, || {
        let now = api.get(&path).expect(200).json();
        let is_cut = now["deliveries"][0]["status"] == "retrying";
        (is_cut || delivered(&now)).then_some(now)
    });
    if !delivered(&first) {
        let cut = &first["deliveries"][0];
        assert!(cut["error"].as_str().expect("a reason").contains("stopped or killed"), "{cut}");
        let retry = format!("/api/v1/deliveries/{}/retry", cut["id"].as_str().expect("an id"));
        api.post(&retry, &json!({})).expect(202);
    }
    let done = wait_until("the delivery", PATIENCE, || {
        Some(api.get(&path).expect(200).json()).filter(delivered)
    });
    assert!(folder.join(done["deliveries"][0]["location"].as_str().expect("a location")).exists());
}
