//! Deliveries that do not go as planned: what is told and shown of them, and
//! what can be done about them.

use std::{fs, path::Path, time::Duration};

use cofferdam_tests::{Api, Console, Person, WebServer, wait_until};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(30);

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

/// Adds a destination that copies into a folder of the console's, below its own name.
fn add_shelf(console: &Console, name: &str) {
    let folder = console.folder().join("shelf");
    fs::create_dir_all(&folder).expect("a folder");
    let wish = json!({
        "plugin": "local-retention", "name": name, "grant": true,
        "settings": {
            "folder": folder, "keep": "everything", "path": format!("{name}/{{filename}}"),
        },
    });
    console.api().post("/api/v1/destinations", &wish).expect(201);
}

/// Makes a backup and waits until each copy of it is where it goes.
fn back_up(api: &Api, copies: usize) -> Value {
    let made = api.post("/api/v1/backups", &json!({ "database": "cofferdam" })).expect(202).json();
    let path = format!("/api/v1/backups/{}", text(&made["id"]));
    wait_until("the copies", PATIENCE, || {
        let backup = api.get(&path).expect(200).json();
        let stored = |it: &&Value| it["purpose"] == "store" && it["status"] == "completed";
        let all = backup["deliveries"].as_array().expect("a list");
        (all.iter().filter(stored).count() == copies).then_some(backup)
    })
}

/// Its file is gone from this machine.
fn lose(console: &Console, backup: &Value) -> Vec<u8> {
    let own = console.data().join("backups").join(text(&backup["filename"]));
    let bytes = fs::read(&own).expect("the file");
    fs::remove_file(own).expect("removed");
    bytes
}

fn copy(console: &Console, backup: &Value, of: &str) -> std::path::PathBuf {
    console.folder().join("shelf").join(of).join(text(&backup["filename"]))
}

#[test]
fn a_removal_that_fails_is_told_shown_at_its_destination_and_tried_again_from_there() {
    let console = Console::builder().start();
    let api = console.api();
    add_shelf(&console, "shelf");
    let server = WebServer::start();
    let url = format!("http://127.0.0.1:{}/told", server.port());
    let hook = json!({
        "plugin": "webhook", "name": "hook", "grant": true, "grant_private": true,
        "settings": { "url": url, "method": "PUT" }, "events": ["delivery.failed"],
    });
    api.post("/api/v1/destinations", &hook).expect(201);
    let backup = back_up(&api, 1);
    console.catalog("UPDATE deliveries SET location = '../elsewhere' WHERE purpose = 'store'");
    api.delete(&format!("/api/v1/backups/{}", text(&backup["id"]))).expect(204);

    let listed = || api.get("/api/v1/destinations/shelf/deliveries").expect(200).json();
    let left = wait_until("the failure", PATIENCE, || {
        listed()["left_behind"].as_array().and_then(|all| all.first().cloned())
    });
    assert_eq!((&left["purpose"], &left["status"]), (&"remove".into(), &"failed".into()));
    assert_eq!((&left["database"], &left["backup"]), (&"cofferdam".into(), &backup["id"]));
    let told = wait_until("the word", PATIENCE, || server.files().remove("/told"));
    let told: Value = serde_json::from_slice(&told).expect("JSON");
    assert_eq!(told["title"], "Removal of a copy of a backup of cofferdam from shelf failed");
    assert!(
        text(&told["text"]).starts_with("../elsewhere is still there, and its removal"),
        "{told}"
    );
    assert_eq!((&told["backup"], &told["delivery"]["id"]), (&Value::Null, &left["id"]));

    // It has an address of its own, as its backup has none any more.
    let path = format!("/api/v1/deliveries/{}", text(&left["id"]));
    let detail = api.get(&path).expect(200).json();
    assert_eq!(detail["history"][0]["outcome"], "permanent");
    api.post(&format!("{path}/cancel"), &json!({})).expect(409);
    api.get("/api/v1/deliveries/nothing").expect(404);
    let admin = Person::administrator(&console);
    let id = text(&left["destination"]);
    let id = api.get(&format!("/api/v1/destinations/{id}")).expect(200).json();
    let page = admin.get(&format!("/destinations/{}", text(&id["id"]))).expect(200).text();
    let retry = format!("/deliveries/{}/retry", text(&left["id"]));
    for words in ["Deleted backup of cofferdam", "../elsewhere", &retry] {
        assert!(page.contains(words), "{words}");
    }
    let alone = admin.get(&format!("/deliveries/{}", text(&left["id"]))).expect(200).text();
    assert!(alone.contains("Removal from shelf") && alone.contains("Attempt 1"), "{alone}");

    let file = copy(&console, &backup, "shelf");
    assert!(file.exists());
    console.catalog(&format!(
        "UPDATE deliveries SET location = 'shelf/{}' WHERE purpose = 'remove'",
        text(&backup["filename"])
    ));
    api.post(&format!("{path}/retry"), &json!({})).expect(202);
    wait_until("the removal", PATIENCE, || (!file.exists()).then_some(()));
    wait_until("its record", PATIENCE, || {
        (api.get(&path).expect(200).json()["status"] == "completed").then_some(())
    });
    assert_eq!(listed()["left_behind"], json!([]));
    let log = console.catalog("SELECT action FROM audit WHERE action LIKE 'delivery.%'");
    assert_eq!(log, "delivery.retry");
}

#[test]
fn where_the_newest_copy_cannot_be_had_the_next_one_is_fetched() {
    let console = Console::builder().start();
    let api = console.api();
    add_shelf(&console, "one");
    add_shelf(&console, "two");
    let backup = back_up(&api, 2);
    let bytes = lose(&console, &backup);
    let download = format!("/api/v1/backups/{}/download", text(&backup["id"]));
    let fetched = || api.get(&download).expect(200).body == bytes;
    assert!(fetched());
    // Whichever is tried first: one after the other is gone, or not what was stored.
    for name in ["one", "two"] {
        let file = copy(&console, &backup, name);
        let away = file.with_extension("away");
        fs::rename(&file, &away).expect("moved");
        assert!(fetched(), "without the copy at {name}");
        let mut wrong = bytes.clone();
        wrong[bytes.len() / 2] ^= 1;
        fs::write(&file, &wrong).expect("written");
        assert!(bytes.len() < 1 << 20 && fetched(), "with a wrong copy at {name}");
        fs::rename(&away, &file).expect("moved back");
    }
    // Secrets of another master key are an obstacle, and no failure of the console.
    for name in ["one", "two"] {
        let seal = |to: &str| {
            console.catalog(&format!("UPDATE destinations SET sealed = {to} WHERE name = '{name}'"))
        };
        seal("x'00ff'");
        assert!(fetched(), "without the secrets of {name}");
        seal("NULL");
    }
    console.catalog("UPDATE destinations SET sealed = x'00ff'");
    let told = api.get(&download).expect(409).json();
    assert!(text(&told["detail"]).contains("its secrets cannot be opened"), "{told}");
}

#[test]
fn what_may_not_be_touched_any_more_is_not_fetched_from() {
    let console = Console::builder().start();
    let api = console.api();
    add_shelf(&console, "shelf");
    let backup = back_up(&api, 1);
    lose(&console, &backup);
    let list = api.get("/api/v1/plugins").expect(200).json();
    let mut own = list["plugins"].as_array().expect("a list").iter();
    let own = own.find(|it| it["about"]["id"] == "local-retention").expect("bundled");
    let path = format!("/api/v1/plugins/{}/approve", text(&own["hash"]));
    api.post(&path, &json!({ "folder": "/srv/elsewhere" })).expect(200);
    let download = format!("/api/v1/backups/{}/download", text(&backup["id"]));
    let told = api.get(&download).expect(409).json();
    assert!(text(&told["detail"]).contains("may use the folder /srv/elsewhere"), "{told}");
}

#[test]
fn a_delivery_page_has_the_logs_that_the_backups_page_leaves_out() {
    let console = Console::builder().start();
    let api = console.api();
    add_shelf(&console, "shelf");
    let backup = back_up(&api, 1);
    console.catalog(
        "UPDATE attempts SET log = '[{\"at\":\"2026-01-01T00:00:00Z\",\"level\":\"info\",\"text\":\"told by the plugin\"}]'",
    );
    let vera = {
        console.add_user("vera", "viewer", "seven tall green windows");
        Person::sign_in(&console, "vera", "seven tall green windows")
    };
    let delivery = format!("/deliveries/{}", text(&backup["deliveries"][0]["id"]));
    for path in ["", "/live"] {
        let page = vera.get(&format!("/backups/{}{path}", text(&backup["id"]))).expect(200).text();
        assert!(page.contains("Attempt 1") && page.contains(&delivery), "{page}");
        assert!(!page.contains("told by the plugin"), "{page}");
    }
    let page = vera.get(&delivery).expect(200).text();
    assert!(page.contains("told by the plugin") && page.contains("Delivery to shelf"), "{page}");
    assert!(!page.contains("/retry") && !page.contains("/cancel"), "{page}");
}

#[test]
fn a_backup_that_goes_while_its_copy_is_not_confirmed_leaves_word_of_it() {
    let console = Console::builder().start();
    let api = console.api();
    add_shelf(&console, "shelf");
    let backup = back_up(&api, 1);
    // As after an attempt whose answer was lost.
    console.catalog("UPDATE deliveries SET status = 'failed', location = NULL");
    console.catalog("UPDATE attempts SET outcome = 'temporary'");
    api.delete(&format!("/api/v1/backups/{}", text(&backup["id"]))).expect(204);
    assert!(Path::exists(&copy(&console, &backup, "shelf")));
    let list = api.get("/api/v1/destinations/shelf/deliveries").expect(200).json();
    let left = &list["left_behind"][0];
    assert_eq!((&left["purpose"], &left["status"]), (&"store".into(), &"cancelled".into()));
    assert!(text(&left["error"]).contains("may have stayed"), "{left}");
    let path = format!("/api/v1/deliveries/{}/retry", text(&left["id"]));
    assert!(text(&api.post(&path, &json!({})).expect(409).json()["detail"]).contains("deleted"));
}
