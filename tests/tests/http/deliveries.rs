//! Plugins, destinations and deliveries over the API, with the components that
//! the program carries and one that an author would build.

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use cofferdam_tests::{Api, Console, component, wait_until};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(30);

/// A folder that backups are copied to.
fn shelf(console: &Console) -> PathBuf {
    let folder = console.folder().join("shelf");
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// Adds a destination that copies into a folder, with the grant that it needs.
fn add_shelf(api: &Api, folder: &Path) -> Value {
    let wish = json!({
        "plugin": "local-retention", "name": "shelf", "grant": true,
        "settings": { "folder": folder, "keep": "everything" },
    });
    api.post("/api/v1/destinations", &wish).expect(201).json()
}

/// Makes a backup and waits until it is completed and every delivery is where
/// `done` wants it.
fn back_up(api: &Api, wish: &Value, done: impl Fn(&Value) -> bool) -> Value {
    let made = api.post("/api/v1/backups", wish).expect(202).json();
    let path = format!("/api/v1/backups/{}", made["id"].as_str().expect("an id"));
    wait_until("a delivery", PATIENCE, || {
        let backup = api.get(&path).expect(200).json();
        (backup["status"] == "completed" && done(&backup)).then_some(backup)
    })
}

fn delivered(backup: &Value) -> bool {
    backup["deliveries"][0]["status"] == "completed"
}

pub(crate) fn plugin(api: &Api, wanted: impl Fn(&Value) -> bool) -> Option<Value> {
    let list = api.get("/api/v1/plugins").expect(200).json();
    list["plugins"].as_array().expect("a list").iter().find(|it| wanted(it)).cloned()
}

fn file(name: &'static str) -> impl Fn(&Value) -> bool {
    move |it| it["file"] == name && it["bundled"] == false
}

#[test]
fn the_bundled_plugins_are_there_approved_and_granted_nothing() {
    let console = Console::builder().start();
    let list = console.api().get("/api/v1/plugins").expect(200).json();
    let mut ids = Vec::new();
    for plugin in list["plugins"].as_array().expect("a list") {
        assert_eq!((&plugin["bundled"], &plugin["state"]), (&true.into(), &"approved".into()));
        assert_eq!(plugin["grants"], json!({ "hosts": [], "folder": null, "mail": false }));
        assert_eq!(plugin["about"]["settings_schema"]["type"], "object");
        ids.push(plugin["about"]["id"].as_str().expect("an id").to_owned());
    }
    ids.sort();
    assert_eq!(ids, ["chat", "email", "local-retention", "s3", "webhook"]);
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

    // Gone here, it is fetched from there: whole, in part, and by its head.
    fs::remove_file(&own).expect("removed");
    let download = format!("{path}/download");
    let whole = api.get(&download).expect(200);
    assert_eq!(whole.body, bytes);
    let part = api.send("GET", &download, &[("Range", "bytes=100-299")], None).expect(206);
    assert_eq!(part.body, bytes[100..300]);
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
fn a_file_in_the_folder_appears_within_a_second_waits_for_approval_and_asks_again_when_changed() {
    let console = Console::builder().start();
    let api = console.api();
    plugin(&api, |it| it["bundled"] == true).expect("the console has looked at its plugins");
    let target = console.data().join("plugins/mine.wasm");
    let put = |name: &str| {
        // As a copy over a slow line: in two pieces.
        let bytes = fs::read(component(name)).expect("a component");
        fs::write(&target, &bytes[..bytes.len() / 2]).expect("written");
        fs::write(&target, &bytes).expect("written");
    };
    let begun = Instant::now();
    put("example-rust");
    wait_until("its appearance", PATIENCE, || plugin(&api, file("mine.wasm")));
    let shown = begun.elapsed();
    let found = wait_until("the plugin", PATIENCE, || {
        plugin(&api, |it| file("mine.wasm")(it) && it["state"] == "waiting")
    });
    let took = begun.elapsed();
    assert!(shown < Duration::from_secs(1), "{shown:?}");
    assert!(took < Duration::from_secs(3), "{took:?}");
    assert_eq!(found["about"]["asks"], json!(["network"]));
    let id = found["about"]["id"].as_str().expect("an id");
    let hash = found["hash"].as_str().expect("a hash");
    let wish = json!({ "plugin": id, "settings": { "url": "http://127.0.0.1:9" }, "grant": true });
    let early = api.post("/api/v1/destinations", &wish).expect(422).json();
    assert!(early["detail"].as_str().expect("a text").contains("waits for approval"), "{early}");

    // Nothing can be granted that it does not ask for.
    let path = format!("/api/v1/plugins/{hash}");
    let too_much = json!({ "hosts": ["*"], "folder": "/", "mail": true });
    assert_eq!(
        api.post(&format!("{path}/approve"), &too_much).expect(422).json()["errors"]
            .as_array()
            .map(Vec::len),
        Some(3)
    );
    let grants = json!({ "hosts": ["127.0.0.1:9 private"] });
    let approved = api.post(&format!("{path}/approve"), &grants).expect(200).json();
    assert_eq!(
        (&approved["state"], &approved["approved_by"]),
        (&"approved".into(), &"admin".into())
    );
    api.post("/api/v1/destinations", &wish).expect(201);

    // A changed file is another component: an author's next version, with the
    // same code and one more custom section.
    let mut bytes = fs::read(component("example-rust")).expect("a component");
    bytes.extend([0, 3, 1, b'x', b'y']);
    fs::write(&target, &bytes).expect("written");
    let changed = wait_until("the change", PATIENCE, || {
        plugin(&api, |it| file("mine.wasm")(it) && it["state"] == "changed")
    });
    assert_ne!(changed["hash"], hash);
    assert_eq!(changed["hash_before"], hash);
    assert_eq!(changed["grants"]["hosts"], json!([]));
    assert_eq!(changed["granted_before"]["hosts"][0]["private"], true);
    assert!(!changed["changes"].as_array().expect("a list").is_empty());
    let used = api.get(&format!("/api/v1/destinations/{id}")).expect(200).json();
    assert!(used["problem"].as_str().expect("a problem").contains("waits for approval"), "{used}");

    fs::remove_file(&target).expect("removed");
    let removed = wait_until("the removal", PATIENCE, || {
        plugin(&api, |it| file("mine.wasm")(it) && it["state"] == "removed")
    });
    assert_eq!(removed["destinations"], json!([id]));
    let used = api.get(&format!("/api/v1/destinations/{id}")).expect(200).json();
    assert!(used["problem"].as_str().expect("a problem").contains("is not there"), "{used}");
}

/// How much the console has computed so far.
fn computed(console: &Console) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{}/stat", console.pid())).expect("it runs");
    // Behind the name in brackets; in hundredths of a second.
    let fields: Vec<&str> = stat.rsplit(") ").next().expect("fields").split(' ').collect();
    let ticks = |place: usize| fields[place].parse::<u64>().expect("a number");
    Duration::from_millis(10 * (ticks(11) + ticks(12)))
}

#[test]
fn a_console_whose_plugin_folder_rests_does_so_too() {
    let console = Console::builder().start();
    plugin(&console.api(), |it| it["bundled"] == true).expect("it has looked at its plugins");
    thread::sleep(Duration::from_secs(2));
    let before = computed(&console);
    thread::sleep(Duration::from_secs(4));
    let used = computed(&console).saturating_sub(before);
    assert!(used < Duration::from_secs(1), "{used:?} of 4 s");
}

#[test]
fn what_is_no_plugin_says_why_and_harms_nothing() {
    let console = Console::builder().start();
    let api = console.api();
    let folder = console.data().join("plugins");
    fs::write(folder.join("junk.wasm"), "this is no component").expect("written");
    fs::write(folder.join("core.wasm"), b"\0asm\x01\0\0\0").expect("written");
    std::os::unix::fs::symlink(component("s3"), folder.join("link.wasm")).expect("linked");
    fs::create_dir(folder.join("folder.wasm")).expect("made");
    for (name, words) in [
        ("junk.wasm", "not a WebAssembly component"),
        ("core.wasm", "core WebAssembly module"),
        ("link.wasm", "links are not followed"),
        ("folder.wasm", "this is not a file"),
    ] {
        let told = wait_until(name, PATIENCE, || {
            plugin(&api, |it| it["file"] == name && it["state"] == "refused")
        });
        assert!(told["reason"].as_str().expect("a reason").contains(words), "{told}");
    }
    let path = "/api/v1/plugins/junk.wasm/approve";
    api.post(path, &json!({})).expect(409);
    add_shelf(&api, &shelf(&console));
    back_up(&api, &json!({ "database": "cofferdam" }), delivered);
}

#[test]
fn an_upload_is_a_file_in_the_folder() {
    let console = Console::builder().start();
    let api = console.api();
    let bytes = fs::read(component("example-rust")).expect("a component");
    let send = |name: &str, bytes: &[u8]| {
        let path = format!("/api/v1/plugins?name={name}");
        api.send("POST", &path, &[("Content-Type", "application/wasm")], Some(bytes))
    };
    let plugin = send("mine.wasm", &bytes).expect(201).json();
    assert_eq!((&plugin["state"], &plugin["file"]), (&"waiting".into(), &"mine.wasm".into()));
    assert_eq!(fs::read(console.data().join("plugins/mine.wasm")).expect("the file"), bytes);
    for name in ["..%2Fmine.wasm", "mine.exe", ".wasm", "-x.wasm"] {
        send(name, &bytes).expect(422);
    }
    send("empty.wasm", &[]).expect(422);
    assert_eq!(send("junk.wasm", b"junk").expect(201).json()["state"], "refused");
    let left: Vec<_> = fs::read_dir(console.data().join("plugins"))
        .expect("a folder")
        .map(|it| it.expect("an entry").file_name())
        .filter(|it| it.to_string_lossy().starts_with('.'))
        .collect();
    assert!(left.is_empty(), "{left:?}");
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

#[test]
fn an_upgrade_keeps_the_grants_of_a_bundled_plugin_and_leaves_a_revoked_one_revoked() {
    let mut console = Console::builder().start();
    let api = console.api();
    let bundled = |api: &Api, id: &str| {
        let is_it = |it: &Value| it["about"]["id"] == id && it["bundled"] == true;
        plugin(api, is_it).expect("a bundled plugin")
    };
    let path = |it: &Value| format!("/api/v1/plugins/{}", it["hash"].as_str().expect("a hash"));
    let (s3, chat) = (bundled(&api, "s3"), bundled(&api, "chat"));
    let grants = json!({ "hosts": ["s3.example.org:443"] });
    api.post(&format!("{}/approve", path(&s3)), &grants).expect(200);
    api.post(&format!("{}/revoke", path(&chat)), &json!({})).expect(200);
    // As an earlier program would have left them: the same plugins, other files.
    console.terminate();
    for (plugin, digit) in [(&s3, "a"), (&chat, "b")] {
        let hash = plugin["hash"].as_str().expect("a hash");
        console.catalog(&format!(
            "UPDATE components SET hash = '{}', version = '0.0.9' WHERE hash = '{hash}'",
            digit.repeat(64)
        ));
    }
    console.restart();
    let api = console.api();
    let now = bundled(&api, "s3");
    assert_eq!((&now["hash"], &now["state"]), (&s3["hash"], &"approved".into()));
    assert_eq!(now["grants"]["hosts"][0]["host"], "s3.example.org", "{now}");
    let now = bundled(&api, "chat");
    assert_eq!((&now["hash"], &now["state"]), (&chat["hash"], &"waiting".into()));
    let log = console.catalog(
        "SELECT actor || ' ' || object_name FROM audit WHERE action = 'plugin.approve' ORDER BY seq DESC LIMIT 1",
    );
    assert!(log.starts_with("cofferdam s3 "), "{log}");
    // A file in the folder that calls itself by the same name inherits nothing.
    let other =
        [fs::read(component("s3")).expect("a component"), b"\0\x03\x01xy".to_vec()].concat();
    fs::write(console.data().join("plugins/s3.wasm"), other).expect("written");
    let foreign = wait_until("the file", PATIENCE, || {
        plugin(&api, |it| file("s3.wasm")(it) && it["state"] == "changed")
    });
    assert_eq!((&foreign["grants"]["hosts"], &foreign["hash_before"]), (&json!([]), &s3["hash"]));
}
