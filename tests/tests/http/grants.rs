//! Folders that a plugin may be granted, and those that none may.

use std::{fs, os::unix::fs::symlink};

use cofferdam_tests::Console;
use serde_json::json;

use crate::{
    deliveries::{add_shelf, back_up, delivered, shelf},
    plugins::plugin,
};

#[test]
fn no_plugin_is_granted_a_folder_of_the_consoles_own_or_one_that_a_link_leads_to() {
    let keys = tempfile::tempdir().expect("a folder");
    let key = keys.path().join("inner/master.key");
    fs::create_dir(keys.path().join("inner")).expect("a folder");
    fs::write(&key, "7".repeat(64)).expect("a key");
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    fs::set_permissions(&key, private).expect("a change");
    let console = Console::builder().env("COFFERDAM_MASTER_KEY_FILE", &key).start();
    let api = console.api();
    let link = console.folder().join("link");
    symlink(console.data(), &link).expect("a link");
    let file = console.folder().join("file");
    fs::write(&file, "x").expect("a file");
    let own = plugin(&api, |it| it["about"]["id"] == "local-retention").expect("it is there");
    let path = format!("/api/v1/plugins/{}/approve", own["hash"].as_str().expect("a hash"));
    let at = |path: &std::path::Path| path.to_str().expect("a path").to_owned();
    let data = at(&console.data());
    for (folder, why) in [
        (data.clone(), "the console keeps files of its own in"),
        (format!("{data}/backups/x"), "the console keeps files of its own in"),
        ("/".to_owned(), "the console keeps files of its own in"),
        (at(keys.path()), "the console keeps files of its own in"),
        (at(&key), "the console keeps files of its own in"),
        (at(&link), "is a link; name the folder itself, by a path without links"),
        (format!("{}/backups", at(&link)), "is a link; name the folder itself"),
        (format!("{}/x/../elsewhere", at(console.folder())), "a path from the root is needed"),
        (at(&file), "is not a folder"),
        ("elsewhere".to_owned(), "a path from the root is needed"),
    ] {
        let refused = api.post(&path, &json!({ "folder": folder })).expect(422).json();
        let told = refused["errors"][0]["message"].as_str().expect("a text");
        assert!(told.contains(why), "{folder}: {told}");
        // The form of a destination says the same.
        let wish = json!({
            "plugin": "local-retention", "grant": true, "settings": { "folder": folder },
        });
        let refused = api.post("/api/v1/destinations", &wish).expect(422).json();
        assert!(refused.to_string().contains(why), "{folder}: {refused}");
    }
    // One that is mounted later may be granted now.
    let later = console.folder().join("later");
    api.post(&path, &json!({ "folder": at(&later) })).expect(200);
}

#[test]
fn a_link_that_takes_the_granted_folders_place_leads_no_copy_elsewhere() {
    let console = Console::builder().start();
    let api = console.api();
    let folder = shelf(&console);
    let name = add_shelf(&api, &folder)["name"].as_str().expect("a name").to_owned();
    back_up(&api, &json!({ "database": "cofferdam" }), delivered);
    let elsewhere = console.folder().join("elsewhere");
    fs::create_dir(&elsewhere).expect("a folder");
    fs::rename(&folder, console.folder().join("away")).expect("moved");
    symlink(&elsewhere, &folder).expect("a link");
    let checked = api.post(&format!("/api/v1/destinations/{name}/check"), &json!({})).expect(200);
    let told = checked.json();
    let message = told["message"].as_str().expect("a text");
    assert!(message.contains("is a link"), "{told}");
    assert_eq!(fs::read_dir(&elsewhere).expect("a list").count(), 0);
    // What was meant is used again once it is back.
    fs::remove_file(&folder).expect("removed");
    fs::rename(console.folder().join("away"), &folder).expect("moved back");
    let checked = api.post(&format!("/api/v1/destinations/{name}/check"), &json!({})).expect(200);
    assert_eq!(checked.json()["ok"], true);
}
