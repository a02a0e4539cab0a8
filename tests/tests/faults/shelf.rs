//! A destination's folder whose disk is full, or cannot be written to.

use std::{fs, path::Path, process::Command, time::Duration};

use cofferdam_tests::{Api, Console, wait_until};
use serde_json::{Value, json};

use crate::disk::{Ballast, small_disk};

const PATIENCE: Duration = Duration::from_secs(30);

/// Makes a backup, which is good whatever becomes of its delivery, and waits
/// until that has come to something.
fn deliver(api: &Api, status: &str) -> Value {
    let made = api.post("/api/v1/backups", &json!({ "database": "cofferdam" })).expect(202).json();
    let path = format!("/api/v1/backups/{}", made["id"].as_str().expect("an id"));
    let backup = wait_until("a delivery", PATIENCE, || {
        let backup = api.get(&path).expect(200).json();
        (backup["deliveries"][0]["status"] == status).then_some(backup)
    });
    assert_eq!(backup["status"], "completed", "{backup}");
    backup["deliveries"][0].clone()
}

/// Tries it again, and waits for the copy.
fn succeeds(api: &Api, shelf: &Path, delivery: &Value) {
    let path = format!("/api/v1/deliveries/{}", delivery["id"].as_str().expect("an id"));
    api.post(&format!("{path}/retry"), &json!({})).expect(202);
    let done = wait_until("the copy", PATIENCE, || {
        let delivery = api.get(&path).expect(200).json();
        (delivery["status"] == "completed").then_some(delivery)
    });
    let copy = shelf.join(done["location"].as_str().expect("a location"));
    assert_eq!(fs::metadata(copy).expect("the copy").len(), done["bytes"].as_u64().expect("bytes"));
}

/// Everything in the folder and below it, but for what is hidden.
fn names(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder") {
        let entry = entry.expect("an entry");
        let name = entry.file_name().into_string().expect("a name");
        if entry.path().is_dir() {
            names.extend(self::names(&entry.path()));
        } else if !name.starts_with('.') {
            names.push(name);
        }
    }
    names.sort();
    names
}

#[test]
fn a_full_or_read_only_shelf_fails_only_its_delivery_which_succeeds_once_that_is_over() {
    let Some((disk, _mount)) = small_disk("8m") else { return };
    let console = Console::builder().start();
    let api = console.api();
    let shelf = disk.path().join("shelf");
    fs::create_dir(&shelf).expect("a folder");
    let wish = json!({
        "plugin": "local-retention", "name": "shelf", "grant": true,
        "settings": { "folder": shelf, "keep": "everything" },
    });
    api.post("/api/v1/destinations", &wish).expect(201);
    deliver(&api, "completed");
    let before = names(&shelf);

    let ballast = Ballast::in_folder(disk.path(), 0);
    let full = deliver(&api, "retrying");
    let told = full["error"].as_str().expect("an error");
    assert!(told.contains("No space left on device"), "{told}");
    assert_eq!(names(&shelf), before);
    drop(ballast);
    succeeds(&api, &shelf, &full);

    let remount = |how: &str| {
        let mut mount = Command::new("mount");
        let done = mount.args(["-o", &format!("remount,{how}")]).arg(disk.path()).output();
        assert!(done.expect("mount").status.success(), "remount,{how}");
    };
    let before = names(&shelf);
    remount("ro");
    let closed = deliver(&api, "retrying");
    let told = closed["error"].as_str().expect("an error");
    assert!(told.ends_with("the disk fails, or can only be read"), "{told}");
    assert_eq!(names(&shelf), before);
    remount("rw");
    succeeds(&api, &shelf, &closed);
    // The file and its sidecar.
    assert_eq!(names(&shelf).len(), before.len() + 2, "{:?}", names(&shelf));
}
