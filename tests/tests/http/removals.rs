//! Removing copies at destinations: that very copy, and no other file.

use std::{fs, path::PathBuf, time::Duration};

use cofferdam_tests::{Api, Console, wait_until};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(30);

fn add(api: &Api, name: &str, folder: &PathBuf, count: u32) {
    let wish = json!({
        "plugin": "local-retention", "name": name, "grant": true,
        "settings": { "folder": folder, "keep": "count", "count": count },
    });
    api.post("/api/v1/destinations", &wish).expect(201);
}

fn folder(console: &Console, name: &str) -> PathBuf {
    let folder = console.folder().join(name);
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// Makes a backup, waits for its deliveries, and says where the first is.
fn back_up(api: &Api) -> (String, String) {
    let made = api.back_up("cofferdam");
    let path = format!("/api/v1/backups/{}", made["id"].as_str().expect("an id"));
    wait_until("the copies", PATIENCE, || {
        let backup = api.get(&path).expect(200).json();
        let list = backup["deliveries"].as_array().expect("a list").clone();
        let all = list.iter().all(|it| it["status"] == "completed");
        let location = list.first()?["location"].as_str()?.to_owned();
        all.then_some((path.clone(), location))
    })
}

/// The removal that a destination still lists, once it stands so.
fn removal(api: &Api, destination: &str, status: &str) -> Value {
    wait_until(status, PATIENCE, || {
        let path = format!("/api/v1/destinations/{destination}/deliveries");
        let list = api.get(&path).expect(200).json()["deliveries"].clone();
        let list = list.as_array().expect("a list").clone();
        list.into_iter().find(|it| it["purpose"] == "remove" && it["status"] == status)
    })
}

#[test]
fn a_file_that_another_destination_keeps_too_stays() {
    let console = Console::builder().start();
    let api = console.api();
    let shelf = folder(&console, "shelf");
    add(&api, "week", &shelf, 9);
    add(&api, "year", &shelf, 9);
    let (first, location) = back_up(&api);
    back_up(&api);
    let less = json!({ "settings": { "folder": shelf, "keep": "count", "count": 1 } });
    api.patch("/api/v1/destinations/week", &less).expect(200);
    let told = api.post("/api/v1/destinations/week/retention", &json!({})).expect(202).json();
    let of = &told["databases"][0];
    assert_eq!(of["goes"], json!([]));
    assert_eq!(of["stays"][0]["reason"], "a copy that stays is at the same place");
    // When the backup goes, so does the file, for both.
    api.delete(&first).expect(204);
    wait_until("the file's end", PATIENCE, || (!shelf.join(&location).exists()).then_some(()));
    removal(&api, "week", "completed");
    removal(&api, "year", "completed");
}

#[test]
fn a_copy_is_not_called_removed_while_the_settings_name_another_place() {
    let console = Console::builder().start();
    let api = console.api();
    let (old, new) = (folder(&console, "old"), folder(&console, "new"));
    add(&api, "shelf", &old, 9);
    let (first, location) = back_up(&api);
    let change = |folder: &PathBuf| {
        let plugin = api.get("/api/v1/plugins/local-retention").expect(200).json();
        let path = format!("/api/v1/plugins/{}/approve", plugin["hash"].as_str().expect("a hash"));
        let grants = json!({ "hosts": [], "folder": folder, "mail": false });
        api.post(&path, &grants).expect(200);
        let change = json!({ "settings": { "folder": folder, "keep": "count", "count": 9 } });
        api.patch("/api/v1/destinations/shelf", &change).expect(200);
    };
    // As another destination's folder, or a disk that is mounted.
    fs::write(new.join(".cofferdam-destination"), "").expect("written");
    change(&new);
    api.delete(&first).expect(204);
    let failed = removal(&api, "shelf", "failed");
    let error = failed["error"].as_str().expect("an error");
    assert!(error.starts_with("the settings have changed since this copy was stored"), "{error}");
    assert!(old.join(&location).exists());
    // Moved there, it is found, and goes.
    let target = new.join(&location);
    let (from, to) = (old.join("cofferdam"), new.join("cofferdam"));
    fs::create_dir_all(&to).expect("made");
    for entry in fs::read_dir(from).expect("a list") {
        let entry = entry.expect("an entry");
        fs::copy(entry.path(), to.join(entry.file_name())).expect("copied");
    }
    let id = failed["id"].as_str().expect("an id");
    api.post(&format!("/api/v1/deliveries/{id}/retry"), &json!({})).expect(202);
    removal(&api, "shelf", "completed");
    assert!(!target.exists() && old.join(&location).exists());
}
