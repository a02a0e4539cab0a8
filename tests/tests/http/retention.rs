//! Copies at destinations that have had their time, and those that stay.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use cofferdam_tests::{Api, Console, wait_until};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(30);

/// A console, and a destination that keeps the newest `count` copies in a folder.
fn shelf(count: u32) -> (Console, Api, PathBuf) {
    let console = Console::builder().start();
    let api = console.api();
    let folder = console.folder().join("shelf");
    fs::create_dir_all(&folder).expect("a folder");
    let wish = json!({
        "plugin": "local-retention", "name": "shelf", "grant": true,
        "settings": { "folder": folder, "keep": "count", "count": count },
    });
    api.post("/api/v1/destinations", &wish).expect(201);
    (console, api, folder)
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// Makes a backup and waits until its copy is there.
fn back_up(api: &Api) -> Value {
    let made = api.back_up("cofferdam");
    let path = format!("/api/v1/backups/{}", text(&made["id"]));
    wait_until("the copy", PATIENCE, || {
        let backup = api.get(&path).expect(200).json();
        (backup["deliveries"][0]["status"] == "completed").then_some(backup)
    })
}

fn copy(folder: &Path, backup: &Value) -> PathBuf {
    folder.join(text(&backup["deliveries"][0]["location"]))
}

fn now(api: &Api, backup: &Value) -> Value {
    api.get(&format!("/api/v1/backups/{}", text(&backup["id"]))).expect(200).json()
}

/// The removal of a backup's copy is done, also when a kill came into its way:
/// then it waits for its next try, as after any that failed, or is asked for.
fn removed_after_all(api: &Api, backup: &Value) {
    wait_until("the removal", PATIENCE, || {
        let list = now(api, backup)["deliveries"].clone();
        let found = list.as_array().expect("a list").iter().find(|it| it["purpose"] == "remove")?;
        if found["status"] == "retrying" {
            api.post(&format!("/api/v1/deliveries/{}/retry", text(&found["id"])), &json!({}));
        }
        (found["status"] == "completed").then_some(())
    });
}

/// How a backup's removal stands, once it has one.
fn removal(api: &Api, backup: &Value, status: &str) -> Value {
    wait_until(status, PATIENCE, || {
        let list = now(api, backup)["deliveries"].clone();
        let found = list.as_array().expect("a list").iter().find(|it| it["purpose"] == "remove")?;
        (found["status"] == status).then(|| found.clone())
    })
}

fn count(api: &Api, count: u32) {
    let settings = api.get("/api/v1/destinations/shelf").expect(200).json()["settings"].clone();
    let mut settings = settings;
    settings["count"] = count.into();
    api.patch("/api/v1/destinations/shelf", &json!({ "settings": settings })).expect(200);
}

fn preview(api: &Api) -> Value {
    let told = api.get("/api/v1/destinations/shelf/retention").expect(200).json();
    assert_eq!(told["dry_run"], true);
    told["databases"][0].clone()
}

fn ids(list: &Value) -> Vec<String> {
    list.as_array().expect("a list").iter().map(|it| text(&it["backup"])).collect()
}

#[test]
fn what_has_had_its_time_goes_after_the_next_delivery_with_the_reason_and_the_rest_stays() {
    let (console, api, folder) = shelf(2);
    let all: Vec<Value> = (0..4).map(|_| back_up(&api)).collect();
    for old in &all[..2] {
        let gone = removal(&api, old, "completed");
        assert_eq!(gone["note"], "not among the newest 2", "{gone}");
        assert!(!copy(&folder, old).exists());
        let shown = now(&api, old);
        assert_eq!(shown["deliveries"][0]["removal"], "completed");
        // The file here is none of its business.
        assert_eq!((&shown["file"], shown["download_url"].is_string()), (&"present".into(), true));
        let log = console.catalog(&format!(
            "SELECT actor || ' ' || details FROM audit WHERE action = 'copy.expire' AND object_id = '{}'",
            text(&old["id"])
        ));
        assert!(log.starts_with("cofferdam ") && log.contains("not among the newest 2"), "{log}");
    }
    for new in &all[2..] {
        assert!(copy(&folder, new).exists());
        assert_eq!(now(&api, new)["deliveries"][0]["removal"], Value::Null);
    }
    // A copy that is gone is not offered when the file here is gone too.
    let own = console.data().join("backups").join(text(&all[0]["filename"]));
    fs::remove_file(own).expect("removed");
    let path = format!("/api/v1/backups/{}/download", text(&all[0]["id"]));
    assert_ne!(api.get(&path).status, 200);
    api.delete(&format!("/api/v1/backups/{}", text(&all[0]["id"]))).expect(204);
}

#[test]
fn a_dry_run_says_what_would_go_and_changes_nothing_until_it_is_asked_for() {
    let (_console, api, folder) = shelf(9);
    let all: Vec<Value> = (0..3).map(|_| back_up(&api)).collect();
    assert_eq!((ids(&preview(&api)["goes"]), &preview(&api)["copies"]), (vec![], &3.into()));
    count(&api, 1);
    let told = preview(&api);
    assert_eq!(ids(&told["goes"]), [text(&all[1]["id"]), text(&all[0]["id"])]);
    assert_eq!(told["goes"][0]["reason"], "not the newest");
    let path = "/api/v1/destinations/shelf/retention";
    api.post(path, &json!({ "dry_run": true })).expect(200);
    assert!(all.iter().all(|it| copy(&folder, it).exists()));
    let done = api.post(path, &json!({})).expect(202).json();
    assert_eq!((ids(&done["databases"][0]["goes"]).len(), &done["dry_run"]), (2, &false.into()));
    removal(&api, &all[0], "completed");
    removal(&api, &all[1], "completed");
    assert!(copy(&folder, &all[2]).exists());
    assert_eq!(ids(&preview(&api)["goes"]), Vec::<String>::new());
    // Asked once more, nothing is left to go.
    assert_eq!(api.post(path, &json!({})).expect(202).json()["databases"][0]["copies"], 1);
}

#[test]
fn pinned_ones_the_newest_and_the_last_good_one_stay_whatever_the_plugin_names() {
    let (console, api, folder) = shelf(9);
    let all: Vec<Value> = (0..4).map(|_| back_up(&api)).collect();
    let id = |place: usize| text(&all[place]["id"]);
    api.post(&format!("/api/v1/backups/{}/pin", id(0)), &json!({})).expect(200);
    console.catalog(&format!("UPDATE backups SET file_state = 'corrupt' WHERE id = '{}'", id(3)));
    count(&api, 1);
    let told = preview(&api);
    assert_eq!(ids(&told["goes"]), [id(1)]);
    assert_eq!(ids(&told["stays"]), [id(2)]);
    assert_eq!(told["stays"][0]["reason"], "it is the last good one");
    api.post("/api/v1/destinations/shelf/retention", &json!({})).expect(202);
    removal(&api, &all[1], "completed");
    for kept in [0, 2, 3] {
        assert!(copy(&folder, &all[kept]).exists());
    }
}

#[test]
fn a_list_that_is_wrongly_empty_removes_nothing() {
    let (_console, api, folder) = shelf(9);
    let all: Vec<Value> = (0..3).map(|_| back_up(&api)).collect();
    count(&api, 1);
    // Another disk is mounted there, and it is empty.
    let away = folder.with_extension("away");
    fs::rename(&folder, &away).expect("moved");
    fs::create_dir(&folder).expect("made");
    let told = preview(&api);
    assert!(text(&told["held"]).contains("among the 0 files that are listed"), "{told}");
    assert_eq!(ids(&told["goes"]), Vec::<String>::new());
    fs::remove_dir(&folder).expect("removed");
    fs::rename(&away, &folder).expect("moved back");
    // The newest copy is not what was stored: older ones are worth more than before.
    let newest = copy(&folder, &all[2]);
    let bytes = fs::read(&newest).expect("the copy");
    fs::write(&newest, &bytes[..bytes.len() - 1]).expect("written");
    let done = api.post("/api/v1/destinations/shelf/retention", &json!({})).expect(202).json();
    assert!(done["databases"][0]["held"].is_string(), "{done}");
    assert!(all.iter().all(|it| copy(&folder, it).exists()));
    fs::write(&newest, &bytes).expect("written");
    assert_eq!(preview(&api)["held"], Value::Null);
}

#[test]
fn a_copy_that_was_pinned_before_its_removal_ran_stays_after_all() {
    let (_console, api, folder) = shelf(9);
    let all: Vec<Value> = (0..2).map(|_| back_up(&api)).collect();
    count(&api, 1);
    let switch = |on: bool| {
        api.patch("/api/v1/destinations/shelf", &json!({ "enabled": on })).expect(200);
    };
    switch(false);
    api.post("/api/v1/destinations/shelf/retention", &json!({})).expect(202);
    let waits = removal(&api, &all[0], "blocked");
    assert_eq!(waits["error"], "the destination is switched off");
    api.post(&format!("/api/v1/backups/{}/pin", text(&all[0]["id"])), &json!({})).expect(200);
    switch(true);
    let stopped = removal(&api, &all[0], "cancelled");
    assert_eq!(stopped["error"], "the copy stays: it is pinned");
    assert!(copy(&folder, &all[0]).exists());
    assert_eq!(now(&api, &all[0])["deliveries"][0]["removal"], "cancelled");
    // Without the pin it goes again.
    api.post(&format!("/api/v1/backups/{}/pin", text(&all[0]["id"])), &json!({ "pinned": false }))
        .expect(200);
    api.post("/api/v1/destinations/shelf/retention", &json!({})).expect(202);
    removal(&api, &all[0], "completed");
}

#[test]
fn a_console_looks_at_its_start_too_and_a_kill_in_between_leaves_the_last_good_copy() {
    let (mut console, api, folder) = shelf(9);
    let all: Vec<Value> = (0..3).map(|_| back_up(&api)).collect();
    count(&api, 1);
    console.kill9();
    console.restart();
    let api = console.api();
    removed_after_all(&api, &all[0]);
    console.kill9();
    console.restart();
    let api = console.api();
    removed_after_all(&api, &all[1]);
    assert!(copy(&folder, &all[2]).exists());
}

#[test]
fn who_has_no_policy_or_keeps_nothing_says_so() {
    let console = Console::builder().start();
    let api = console.api();
    let wish = json!({
        "plugin": "webhook", "name": "hook", "grant": true, "grant_private": true,
        "settings": { "url": "http://127.0.0.1:9/hook" },
    });
    api.post("/api/v1/destinations", &wish).expect(201);
    let told = api.get("/api/v1/destinations/hook/retention").expect(409).json();
    assert!(text(&told["detail"]).contains("has no policy"), "{told}");
    api.post("/api/v1/destinations/hook/retention", &json!({})).expect(409);
}
