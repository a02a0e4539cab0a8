//! The plugin folder while it changes: half-copied files, links, doubles, and
//! what cannot be read.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use cofferdam_tests::{Console, Person, wait_until};
use serde_json::{Value, json};

use crate::{
    rest::Rest,
    stage::{PATIENCE, Stage, changed, component, fits, short},
};

#[test]
fn a_file_is_loaded_once_it_is_whole() {
    let stage = Stage::new(&[]);
    let before = stage.rest();
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
    stage.nothing_is_left(before);
    stage.the_good_one_works();
}

#[test]
fn a_copy_that_pauses_in_the_middle_is_called_damaged_until_it_is_whole() {
    let stage = Stage::new(&[]);
    stage.the_good_one_works();
    let before = stage.rest();
    let person = Person::administrator(&stage.console);
    let whole = component("example-rust");
    let hash = |list: &Value| own(list, "slow.wasm").map(|it| it["hash"].clone());
    // Whatever the file ends with for now: it is no component until it is whole.
    for half in [whole.len() / 2, whole.len() - 1] {
        let path = stage.console.data().join("plugins/slow.wasm");
        let mut file = fs::File::create(&path).expect("a file");
        file.write_all(&whole[..half]).expect("written");
        // Longer than two looks.
        thread::sleep(Duration::from_millis(1_500));
        let found = stage.plugin("slow.wasm", "refused");
        let told = found["reason"].as_str().expect("a reason");
        let reason =
            "the component is damaged, or uses WebAssembly features that are not supported: *";
        assert!(fits(told, reason), "{told}");
        // Nothing of it runs, and nobody can approve it.
        assert!(found["hash"].is_null() && found["about"].is_null(), "{found}");
        assert_eq!(stage.api.get("/api/v1/status").expect(200).json()["plugin_calls"], 0);
        let page = person.get("/plugins").expect(200).text();
        assert!(page.contains("he component is damaged, or uses WebAssembly features"), "{page}");
        let page = person.get("/plugins/slow.wasm").expect(200).text();
        assert!(page.contains("he component is damaged, or uses WebAssembly features"), "{page}");
        stage.nothing_is_left(before);
        stage.the_good_one_works();

        // By itself, once the rest has come.
        file.write_all(&whole[half..]).expect("written");
        drop(file);
        let found = stage.plugin("slow.wasm", "waiting");
        assert_eq!(found["about"]["id"], "web-server");
        assert!(found["reason"].is_null(), "{found}");
        stage.nothing_is_left(before);
        fs::remove_file(&path).expect("removed");
        let list = || stage.api.get("/api/v1/plugins").expect(200).json();
        wait_for(&list, "its end", |list| hash(list).is_none().then_some(()));
    }
    stage.the_good_one_works();
}

#[test]
fn links_are_not_followed_and_doubles_are_named() {
    let stage = Stage::new(&[]);
    let before = stage.rest();
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
    stage.nothing_is_left(before);
    stage.the_good_one_works();
}

#[test]
fn a_component_that_describes_itself_otherwise_later_is_asked_about_again() {
    let mut stage = Stage::new(&[]);
    stage.drop_in("fickle.wasm", &component("misbehaving-describe-fickle"));
    let found = stage.plugin("fickle.wasm", "waiting");
    let path = format!("/api/v1/plugins/{}", found["hash"].as_str().expect("a hash"));
    stage.api.post(&format!("{path}/approve"), &json!({})).expect(200);
    let wish = json!({ "plugin": "fickle", "settings": {} });
    stage.api.post("/api/v1/destinations", &wish).expect(201);
    stage.console.restart();
    let again = stage.plugin("fickle.wasm", "waiting");
    let before = stage.rest();
    assert_eq!(again["hash"], found["hash"]);
    assert_ne!(again["about"]["settings_schema"], found["about"]["settings_schema"]);
    let checked =
        stage.api.post("/api/v1/destinations/fickle/check", &json!({})).expect(200).json();
    assert_eq!(checked["message"], "the plugin fickle waits for approval");
    let reasons = stage.console.catalog(
        "SELECT json_extract(details, '$.reason') FROM audit WHERE action = 'plugin.revoke';",
    );
    assert_eq!(reasons.trim(), "it describes itself otherwise than when it was approved");
    // A plain one is as it was approved.
    stage.plugin("misbehaving.wasm", "approved");
    stage.nothing_is_left(before);
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
    let before = Rest::of(&console, &api);

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
    let page = Person::administrator(&console).get("/plugins").expect(200).text();
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
    before.nothing_is_left(&console, &api);
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
    let api = console.api();
    let before = Rest::of(&console, &api);
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
    before.nothing_is_left(&console, &api);
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
    let api = console.api();
    let before = Rest::of(&console, &api);
    may(&plugins, 0o700);
    wait_for(&api_list(&console), "the folder", |list| list["problem"].is_null().then_some(()));
    before.nothing_is_left(&console, &api);
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
