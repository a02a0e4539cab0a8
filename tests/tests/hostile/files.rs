//! The plugin folder while it changes: half-copied and replaced files, links,
//! doubles, and what cannot be read.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    sync::mpsc,
    thread,
    time::Duration,
};

use cofferdam_tests::{Console, wait_until};
use serde_json::{Value, json};

use crate::stage::{PATIENCE, Stage, component, short};

/// A server that says when somebody asks, and answers when it is told to.
fn patient() -> (u16, mpsc::Receiver<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let (asked, askers) = mpsc::channel();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut head = [0; 4096];
            if stream.read(&mut head).is_ok() && asked.send(stream).is_err() {
                return;
            }
        }
    });
    (port, askers)
}

fn answer(mut stream: TcpStream) {
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi").expect("answered");
}

/// The same component in other bytes: with a section that says nothing.
fn changed(component: &[u8]) -> Vec<u8> {
    [component, b"\x00\x05\x04note"].concat()
}

/// Begins a backup that goes there.
fn begin(stage: &Stage, destination: &str) -> String {
    let wish = json!({ "database": "cofferdam", "destinations": [destination] });
    let made = stage.api.post("/api/v1/backups", &wish).expect(202).json();
    format!("/api/v1/backups/{}", made["id"].as_str().expect("an id"))
}

#[track_caller]
fn delivery(stage: &Stage, backup: &str, status: &str) -> Value {
    wait_until(&format!("a delivery that is {status}"), PATIENCE, || {
        let delivery = stage.api.get(backup).expect(200).json()["deliveries"][0].clone();
        (delivery["status"] == status).then_some(delivery)
    })
}

#[test]
fn a_delivery_goes_on_with_the_component_it_began_with() {
    let (port, askers) = patient();
    let host = format!("127.0.0.1:{port} private");
    let mut stage = Stage::new(std::slice::from_ref(&host));
    let target = format!("http://127.0.0.1:{port}/");
    let name = stage.destination(&json!({ "mode": "request", "target": target }));
    let restart = |builder: cofferdam_tests::console::Builder| {
        builder.env("COFFERDAM_PLUGIN_ANSWER_SECONDS", "60")
    };
    stage.console.restart_with(restart);
    stage.plugin("misbehaving.wasm", "approved");

    // Replaced while it runs.
    let first = begin(&stage, &name);
    let asker = askers.recv_timeout(PATIENCE).expect("it asks");
    let other = changed(&component("misbehaving"));
    stage.drop_in("misbehaving.wasm", &other);
    let found = stage.plugin("misbehaving.wasm", "changed");
    assert_eq!(
        found["changes"],
        json!(["its file is another one, under the same version 0.1.0"]),
        "{found}"
    );
    assert_eq!(stage.api.get("/api/v1/status").expect(200).json()["plugin_calls"], 1);
    answer(asker);
    assert_eq!(delivery(&stage, &first, "completed")["note"], "answered 200: hi");

    // The next one waits for somebody to look at the new file.
    let second = begin(&stage, &name);
    let waits = delivery(&stage, &second, "blocked");
    assert_eq!(waits["error"], "the plugin misbehaving waits for approval");
    stage.the_good_one_works();
    let path = format!("/api/v1/plugins/{}/approve", found["hash"].as_str().expect("a hash"));
    let grants = json!({ "hosts": [host], "folder": stage.granted, "mail": true });
    stage.api.post(&path, &grants).expect(200);

    // Removed while it runs.
    let asker = askers.recv_timeout(PATIENCE).expect("it asks");
    fs::remove_file(stage.console.data().join("plugins/misbehaving.wasm")).expect("removed");
    stage.plugin("misbehaving.wasm", "removed");
    answer(asker);
    delivery(&stage, &second, "completed");
    let third = begin(&stage, &name);
    let waits = delivery(&stage, &third, "blocked");
    assert_eq!(waits["error"], "the plugin misbehaving is not there");
    // Put back, it needs no further word.
    stage.drop_in("misbehaving.wasm", &other);
    answer(askers.recv_timeout(PATIENCE).expect("it asks"));
    delivery(&stage, &third, "completed");
}

#[test]
fn a_file_is_loaded_once_it_is_whole() {
    let stage = Stage::new(&[]);
    let whole = component("example-rust");
    let path = stage.console.data().join("plugins/slow.wasm");
    let mut file = fs::File::create(&path).expect("a file");
    let pieces = whole.len().div_ceil(12);
    // A copy that takes longer than two looks.
    for piece in whole.chunks(pieces) {
        file.write_all(piece).expect("written");
        let list = stage.api.get("/api/v1/plugins").expect(200).json();
        let plugins = list["plugins"].as_array().expect("a list").iter();
        for plugin in plugins.filter(|it| it["file"] == "slow.wasm") {
            assert_eq!(plugin["state"], "new", "{plugin}");
        }
        thread::sleep(Duration::from_millis(120));
    }
    let found = stage.plugin("slow.wasm", "waiting");
    assert_eq!(found["about"]["id"], "web-server");
    stage.the_good_one_works();
}

#[test]
fn links_are_not_followed_and_doubles_are_named() {
    let stage = Stage::new(&[]);
    let folder = stage.console.data().join("plugins");
    symlink(folder.join("misbehaving.wasm"), folder.join("link.wasm")).expect("a link");
    let refused = stage.plugin("link.wasm", "refused");
    assert_eq!(
        refused["reason"],
        "this is a link, and links are not followed\nHINT: copy the file itself into the folder"
    );
    // The same bytes under another name are the same component, and approved with it.
    stage.drop_in("copy.wasm", &component("misbehaving"));
    stage.plugin("copy.wasm", "approved");
    fs::remove_file(folder.join("copy.wasm")).expect("removed");
    // Other bytes of the same plugin are another one: it waits, and both are named.
    stage.drop_in("other.wasm", &changed(&component("misbehaving")));
    let other = stage.plugin("other.wasm", "changed");
    let rule = "of several approved ones, a file in the folder is used before the bundled one, \
                and the one approved last before others";
    assert_eq!(other["reason"], format!("misbehaving is also in misbehaving.wasm; {rule}"));
    let first = stage.plugin("misbehaving.wasm", "approved");
    assert_eq!(first["reason"], format!("misbehaving is also in other.wasm; {rule}"));
    stage.the_good_one_works();
}

/// Starts the console without the right to read what it may not: root has it.
fn unprivileged(folder: &Path) -> PathBuf {
    let wrapper = folder.join("unprivileged");
    let script = "#!/bin/sh\n\
        [ \"$(id -u)\" = 0 ] || exec \"$@\"\n\
        exec setpriv --bounding-set=-dac_override,-dac_read_search -- \"$@\"\n";
    fs::write(&wrapper, script).expect("a file");
    fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755)).expect("a change");
    wrapper
}

fn may(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a change");
}

#[test]
fn what_cannot_be_read_is_named_and_everything_else_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let console = short().through(unprivileged(folder.path())).start();
    let api = console.api();
    let shelf = console.folder().join("shelf");
    fs::create_dir(&shelf).expect("a folder");
    let wish = json!({
        "plugin": "local-retention", "name": "shelf", "grant": true,
        "settings": { "folder": shelf, "keep": "everything" },
    });
    api.post("/api/v1/destinations", &wish).expect(201);
    let plugins = console.data().join("plugins");

    let file = plugins.join("mine.wasm");
    fs::write(&file, component("example-rust")).expect("a file");
    may(&file, 0);
    let found = wait_for(&api_list(&console), "a refusal", |list| {
        let found = own(list, "mine.wasm")?;
        (found["state"] == "refused").then_some(found)
    });
    assert_eq!(
        found["reason"],
        "the file cannot be read: Permission denied (os error 13)\nHINT: the console tries it again by itself"
    );
    may(&file, 0o644);
    wait_for(&api_list(&console), "the plugin", |list| {
        let found = own(list, "mine.wasm")?;
        (found["state"] == "waiting").then_some(())
    });

    may(&plugins, 0);
    let told = wait_for(&api_list(&console), "a word about the folder", |list| {
        list["problem"].as_str().map(ToOwned::to_owned)
    });
    assert_eq!(
        told,
        format!(
            "the plugin folder {} cannot be read: Permission denied (os error 13)\n\
             HINT: let the account that the console runs under read it, or name another folder in the setting plugin_dir",
            plugins.display()
        )
    );
    // What was known is still known, on the page too, and the bundled ones work.
    let list = api_list(&console)();
    assert_eq!(own(&list, "mine.wasm").expect("known")["state"], "waiting");
    let page = cofferdam_tests::Person::administrator(&console).get("/plugins").expect(200).text();
    assert!(page.contains("cannot be read: Permission denied"), "{page}");
    let wish = json!({ "database": "cofferdam", "destinations": ["shelf"] });
    let made = api.post("/api/v1/backups", &wish).expect(202).json();
    let path = format!("/api/v1/backups/{}", made["id"].as_str().expect("an id"));
    wait_until("the delivery", PATIENCE, || {
        let backup = api.get(&path).expect(200).json();
        (backup["deliveries"][0]["status"] == "completed").then_some(())
    });

    may(&plugins, 0o700);
    wait_for(&api_list(&console), "the folder", |list| list["problem"].is_null().then_some(()));
}

#[test]
fn what_cannot_be_kept_for_a_while_is_loaded_by_itself_later() {
    let folder = tempfile::tempdir().expect("a folder");
    let console = short().through(unprivileged(folder.path())).start();
    let refused = |file: &str| {
        let found = wait_for(&api_list(&console), "a refusal", |list| {
            own(list, file).filter(|it| it["state"] == "refused")
        });
        found["reason"].as_str().expect("a reason").to_owned()
    };
    let waiting = |file: &str| {
        wait_for(&api_list(&console), file, |list| {
            own(list, file).filter(|it| it["state"] == "waiting").map(drop)
        });
    };
    wait_for(&api_list(&console), "the bundled ones", |list| {
        let all = list["plugins"].as_array()?;
        (all.len() == 5 && all.iter().all(|it| it["state"] == "approved")).then_some(())
    });
    let cache = console.data().join("cache/plugins");
    let plugins = console.data().join("plugins");
    // Others have compiled it for this test before.
    for compiled in fs::read_dir(&cache).expect("the cache") {
        fs::remove_file(compiled.expect("an entry").path()).expect("removed");
    }
    may(&cache, 0o500);
    fs::write(plugins.join("mine.wasm"), component("example-rust")).expect("a file");
    fs::write(plugins.join("junk.wasm"), "no component").expect("a file");
    let told = refused("mine.wasm");
    assert!(told.starts_with("the compiled component cannot be kept: Permission denied"), "{told}");
    assert!(told.ends_with("\nHINT: the console tries it again by itself"), "{told}");
    assert!(refused("junk.wasm").ends_with("take the .wasm file"));
    // Nothing in the folder changes.
    may(&cache, 0o700);
    waiting("mine.wasm");
    let list = api_list(&console)();
    assert_eq!(own(&list, "junk.wasm").expect("it is there")["state"], "refused");
}

#[test]
fn a_start_with_an_unreadable_folder_goes_on_with_the_bundled_plugins() {
    let folder = tempfile::tempdir().expect("a folder");
    let plugins = folder.path().join("closed");
    fs::create_dir(&plugins).expect("a folder");
    may(&plugins, 0);
    let wrapper = unprivileged(folder.path());
    let console = short().env("COFFERDAM_PLUGIN_DIR", &plugins).through(wrapper).start();
    let list = api_list(&console)();
    assert!(list["problem"].as_str().expect("a problem").contains("Permission denied"), "{list}");
    assert_eq!(list["plugins"].as_array().map(Vec::len), Some(5));
    may(&plugins, 0o700);
}

fn api_list(console: &Console) -> impl Fn() -> Value {
    let api = console.api();
    move || api.get("/api/v1/plugins").expect(200).json()
}

fn own(list: &Value, file: &str) -> Option<Value> {
    let mut plugins = list["plugins"].as_array().expect("a list").iter();
    plugins.find(|it| it["file"] == file && it["bundled"] == false).cloned()
}

#[track_caller]
fn wait_for<T>(list: &impl Fn() -> Value, what: &str, found: impl Fn(&Value) -> Option<T>) -> T {
    // A change of rights gives no word: the folder is looked at every ten seconds.
    wait_until(what, PATIENCE, || found(&list()))
}
