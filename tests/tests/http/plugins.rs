//! Plugins over the API: the components that the program carries, one that an
//! author would build, and what is none.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use cofferdam_tests::{Api, Console, component, wait_until};
use serde_json::{Value, json};

use crate::deliveries::{PATIENCE, add_shelf, back_up, delivered, shelf};

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

    // Consent is to a hash, not to what lies under a name or some digits of it.
    for key in ["mine.wasm", &hash[..12]] {
        let path = format!("/api/v1/plugins/{key}/approve");
        api.post(&path, &json!({ "hosts": [], "folder": null, "mail": false })).expect(400);
    }
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
