//! Copies at destinations that have had their time, and those that stay.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use cofferdam_tests::{Api, Console, Person, wait_until};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(30);

/// A console, and a destination that keeps the newest `count` copies in a folder.
pub(crate) fn shelf(count: u32) -> (Console, Api, PathBuf) {
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

pub(crate) fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// Makes a backup and waits until its copy is there.
pub(crate) fn back_up(api: &Api) -> Value {
    let made = api.back_up("cofferdam");
    let path = format!("/api/v1/backups/{}", text(&made["id"]));
    wait_until("the copy", PATIENCE, || {
        let backup = api.get(&path).expect(200).json();
        (backup["deliveries"][0]["status"] == "completed").then_some(backup)
    })
}

pub(crate) fn copy(folder: &Path, backup: &Value) -> PathBuf {
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
pub(crate) fn removal(api: &Api, backup: &Value, status: &str) -> Value {
    wait_until(status, PATIENCE, || {
        let list = now(api, backup)["deliveries"].clone();
        let found = list.as_array().expect("a list").iter().find(|it| it["purpose"] == "remove")?;
        (found["status"] == status).then(|| found.clone())
    })
}

pub(crate) fn count(api: &Api, count: u32) {
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
fn copies_that_a_wrong_clock_would_take_wait_for_somebody() {
    let (mut console, api, folder) = shelf(9);
    let all: Vec<Value> = (0..3).map(|_| back_up(&api)).collect();
    // As if they had been made a year ago, or the clock were a year ahead now.
    console.kill9();
    console.catalog("UPDATE backups SET created_at = created_at - 31536000000;");
    console.restart();
    let api = console.api();
    count(&api, 1);
    let newest = back_up(&api);
    let held = wait_until("the hold", PATIENCE, || {
        let shown = api.get("/api/v1/destinations/shelf").expect(200).json();
        shown["retention_held"].as_str().map(str::to_owned)
    });
    assert!(held.starts_with("the policy names 3 of 4 copies"), "{held}");
    assert!(held.contains("after 365 days without a backup"), "{held}");
    let id = text(&api.get("/api/v1/destinations/shelf").expect(200).json()["id"]);
    let page = Person::administrator(&console).get(&format!("/destinations/{id}"));
    assert!(page.expect(200).text().contains("The last look let nothing go:"));
    assert!(all.iter().all(|it| copy(&folder, it).exists()));
    let told = api.post("/api/v1/destinations/shelf/retention", &json!({})).expect(202).json();
    assert_eq!(told["databases"][0]["goes"].as_array().expect("a list").len(), 3);
    for backup in &all {
        removed_after_all(&api, backup);
    }
    assert!(copy(&folder, &newest).exists());
    let shown = api.get("/api/v1/destinations/shelf").expect(200).json();
    assert_eq!(shown["retention_held"], Value::Null);
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

/// The first delivery of a backup that is made now, once it stands like this.
fn delivery(api: &Api, backup: &Value, status: &str) -> Value {
    wait_until(status, PATIENCE, || {
        let delivery = now(api, backup)["deliveries"][0].clone();
        (delivery["status"] == status).then_some(delivery)
    })
}

#[test]
fn a_disk_that_is_not_mounted_is_not_written_to_and_its_copies_are_not_taken_for_removed() {
    let (_console, api, folder) = shelf(9);
    let first = back_up(&api);
    assert!(folder.join(".cofferdam-destination").exists());
    let away = folder.with_extension("away");
    fs::rename(&folder, &away).expect("moved");
    fs::create_dir(&folder).expect("made");

    let second = api.back_up("cofferdam");
    let waits = delivery(&api, &second, "retrying");
    let told = text(&waits["error"]);
    assert!(told.starts_with("the folder holds none of the copies that were stored"), "{told}");
    assert!(told.contains("HINT: mount the disk"), "{told}");
    api.delete(&format!("/api/v1/backups/{}", text(&first["id"]))).expect(204);
    let left = wait_until("a removal that waits", PATIENCE, || {
        let list = api.get("/api/v1/destinations/shelf/deliveries").expect(200).json();
        let all = ["deliveries", "left_behind"].map(|name| list[name].as_array().cloned());
        let mut all = all.into_iter().flatten().flatten();
        all.find(|it| it["purpose"] == "remove" && it["status"] == "retrying")
    });
    assert!(text(&left["error"]).contains("disk is not mounted"), "{left}");
    assert_eq!(fs::read_dir(&folder).expect("the folder").count(), 0, "nothing is written there");
    let told = api.post("/api/v1/destinations/shelf/check", &json!({})).expect(200).json();
    assert!(text(&told["message"]).ends_with("backups. The folder holds no copies yet"), "{told}");

    fs::remove_dir(&folder).expect("removed");
    fs::rename(&away, &folder).expect("mounted again");
    for delivery in [&waits, &left] {
        let path = format!("/api/v1/deliveries/{}/retry", text(&delivery["id"]));
        api.post(&path, &json!({})).expect(202);
    }
    delivery(&api, &second, "completed");
    wait_until("the removal", PATIENCE, || (!copy(&folder, &first).exists()).then_some(()));
    assert!(folder.join(text(&now(&api, &second)["deliveries"][0]["location"])).exists());
}

#[test]
fn an_empty_folder_is_taken_in_place_of_the_old_one_where_somebody_marks_it() {
    let (_console, api, folder) = shelf(9);
    back_up(&api);
    fs::remove_dir_all(&folder).expect("a new disk");
    fs::create_dir(&folder).expect("made");
    fs::write(folder.join(".cofferdam-destination"), "").expect("marked");
    let second = back_up(&api);
    assert!(copy(&folder, &second).exists());
    // Copies without a mark are those that are meant, too.
    fs::remove_file(folder.join(".cofferdam-destination")).expect("removed");
    back_up(&api);
    assert!(folder.join(".cofferdam-destination").exists());
}

#[test]
fn plain_forms_add_a_destination_with_a_policy_and_ask_it() {
    let console = Console::builder().start();
    let api = console.api();
    let folder = console.folder().join("shelf");
    fs::create_dir_all(&folder).expect("a folder");
    let shown = folder.display().to_string();
    let admin = Person::administrator(&console);
    let page = admin.get("/destinations/new?plugin=local-retention").expect(200).text();
    // Without scripts every part of the form is there, and says where it counts.
    for name in ["s.folder", "s.keep", "s.count", "s.daily"] {
        assert!(page.contains(&format!("name=\"{name}\"")), "{name}: {page}");
    }
    let fields = [
        ("plugin", "local-retention"),
        ("name", "shelf"),
        ("s.folder", &shown),
        ("s.path", "{database}/{filename}"),
        ("s.keep", "count"),
        ("s.count", "0"),
        ("concurrency", "1"),
        ("grant", "true"),
    ];
    // What is wrong comes back with the whole form, and nothing is stored.
    let again = admin.post("/destinations", &fields).expect(422).text();
    assert!(again.contains("Largest number: at least 1.") && again.contains(&shown), "{again}");
    api.get("/api/v1/destinations/shelf").expect(404);
    let fields = fields.map(|(name, value)| (name, if name == "s.count" { "1" } else { value }));
    admin.post("/destinations/try", &fields).expect(200);
    let added = admin.post("/destinations", &fields).expect(303);
    let place = added.header("location").expect("an address").to_owned();
    assert!(admin.get(&place).expect(200).text().contains("shelf was added."));
    let made = api.get("/api/v1/destinations/shelf").expect(200).json();
    assert_eq!(
        (&made["settings"]["keep"], &made["settings"]["count"]),
        (&"count".into(), &1.into())
    );
    let all: Vec<Value> = (0..2).map(|_| back_up(&api)).collect();
    removal(&api, &all[0], "completed");
    let id = text(&made["id"]);
    let asked = admin.get(&format!("/destinations/{id}/retention")).expect(200).text();
    assert!(asked.contains("Nothing here has had its time."), "{asked}");
}
