//! Plugins and destinations on the command line, with no console anywhere.

use std::fs;

use cofferdam_tests::{Console, component};

use crate::shell::Shell;

/// A folder for copies, and a destination that copies into it.
fn with_shelf(shell: &Shell) -> String {
    let folder = shell.path("shelf");
    fs::create_dir_all(&folder).expect("a folder");
    let folder = folder.display().to_string();
    let setting = format!("folder={folder}");
    let arguments =
        ["destination", "add", "local-retention", "--name", "shelf", "--set", &setting, "--grant"];
    shell.run(&arguments).expect(0);
    folder
}

#[test]
fn a_backup_is_delivered_before_the_command_ends() {
    let shell = Shell::new();
    let folder = with_shelf(&shell);
    let checked = shell.run(&["destination", "check", "shelf"]).expect(0);
    assert!(!checked.out.trim().is_empty());
    let made = shell.run(&["backup", "create", "cofferdam", "--json"]).expect(0).json();
    let delivery = &made["deliveries"][0];
    assert_eq!(
        (&delivery["destination"], &delivery["status"]),
        (&"shelf".into(), &"completed".into())
    );
    let copy = format!("{folder}/{}", delivery["location"].as_str().expect("a location"));
    assert_eq!(
        fs::metadata(copy).expect("the copy").len(),
        made["size_bytes"].as_u64().expect("a size")
    );
    let id = made["id"].as_str().expect("an id");
    let shown = shell.run(&["backup", "show", id]).expect(0).out;
    assert!(shown.contains("shelf: store completed"), "{shown}");
    let list = shell.run(&["destination", "list"]).expect(0).out;
    assert!(list.contains("shelf") && list.contains("completed"), "{list}");
    let list = shell.run(&["delivery", "list", "shelf", "--json"]).expect(0).json();
    assert_eq!((&list["deliveries"][0], &list["left_behind"]), (delivery, &serde_json::json!([])));
    let own = delivery["id"].as_str().expect("an id");
    let list = shell.run(&["delivery", "list", "shelf"]).expect(0).out;
    assert!(list.contains(own) && list.contains("store"), "{list}");
    let shown = shell.run(&["delivery", "show", own]).expect(0).out;
    assert!(shown.contains("shelf") && shown.contains("Attempt 1"), "{shown}");
    for what in ["retry", "cancel"] {
        shell.run(&["delivery", what, own]).expect(1).says("already");
    }
    shell.run(&["delivery", "show", "nothing"]).expect(1).says("no such delivery");

    // Gone here, it is fetched from there.
    let own = shell.path("data/backups").join(made["filename"].as_str().expect("a name"));
    fs::remove_file(own).expect("removed");
    let told = shell.run(&["backup", "download", id, "--output", "back.sql.gz"]).expect(0);
    assert!(told.out.contains("SHA-256 checked"), "{}", told.out);

    let here =
        shell.run(&["backup", "create", "cofferdam", "--nowhere", "--json"]).expect(0).json();
    assert_eq!(here["deliveries"], serde_json::json!([]));
    shell.run(&["destination", "remove", "shelf", "--yes"]).expect(0);
    assert!(shell.run(&["destination", "list"]).expect(0).out.contains("no destination yet"));
}

#[test]
fn a_component_is_added_here_or_at_a_console_and_waits_for_approval() {
    let built = component("example-rust");
    let file = built.to_str().expect("a path");
    let shell = Shell::new();
    shell.run(&["plugin", "add", file]).expect(1).says("there is no catalog");
    with_shelf(&shell);
    let told = shell.run(&["plugin", "add", file]).expect(0).out;
    let (_, hash) = told.trim().split_once("plugin approve ").expect("what to do next");
    shell.run(&["plugin", "approve", hash, "--yes"]).expect(0);
    assert!(shell.run(&["plugin", "add", file]).expect(0).out.contains("was approved before"));
    let junk = shell.path("junk.wasm");
    fs::write(&junk, "junk").expect("written");
    let junk = junk.to_str().expect("a path");
    shell.run(&["plugin", "add", junk]).expect(1).says("not a WebAssembly component");
    shell.run(&["plugin", "add", "nowhere.wasm"]).expect(1).says("cannot be read");

    let console = Console::builder().start();
    let token = console.api().token().expect("a token").to_owned();
    let afar = Shell::new().env("COFFERDAM_SERVER", console.url()).env("COFFERDAM_TOKEN", token);
    let told = afar.run(&["plugin", "add", file]).expect(0).out;
    assert!(told.contains("waits for approval"), "{told}");
    assert!(console.data().join("plugins/example-rust.wasm").exists());
}

#[test]
fn a_backup_that_is_done_and_not_delivered_is_3_with_the_reason() {
    let shell = Shell::new();
    with_shelf(&shell);
    shell.run(&["plugin", "revoke", "local-retention"]).expect(0);
    let told = shell.run(&["backup", "create", "cofferdam"]).expect(3);
    assert!(told.out.contains(".sql.gz"), "{}", told.out);
    assert!(
        told.err.contains("shelf: the plugin local-retention waits for approval"),
        "{}",
        told.err
    );
    let json = shell.run(&["backup", "create", "cofferdam", "--json"]).expect(3).json();
    assert_eq!(
        (&json["status"], &json["deliveries"][0]["status"]),
        (&"completed".into(), &"blocked".into())
    );
    let id = json["deliveries"][0]["id"].as_str().expect("an id");
    let told = shell.run(&["delivery", "retry", id]).expect(0).out;
    assert!(told.contains("to shelf is tried again"), "{told}");
    let told = shell.run(&["delivery", "cancel", id, "--json"]).expect(0).json();
    assert_eq!((&told["status"], &told["id"]), (&"cancelled".into(), &id.into()));
}

#[test]
fn plugins_are_listed_inspected_and_approved() {
    let shell = Shell::new();
    with_shelf(&shell);
    let list = shell.run(&["plugin", "list"]).expect(0).out;
    for id in ["chat", "email", "local-retention", "s3", "webhook"] {
        assert!(list.contains(id), "{id}: {list}");
    }
    let shown = shell.run(&["plugin", "inspect", "s3"]).expect(0).out;
    for words in ["S3", "SHA-256", "approved", "network", "Requests over HTTP"] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    shell.run(&["plugin", "approve", "s3", "--host", "s3.example.org:443"]).expect(1).says("--yes");
    let told = shell
        .run(&["plugin", "approve", "s3", "--host", "s3.example.org:443", "--yes", "--json"])
        .expect(0)
        .json();
    assert_eq!(told["grants"]["hosts"][0]["host"], "s3.example.org");
    shell
        .run(&["plugin", "approve", "s3", "--mail", "--yes"])
        .expect(2)
        .says("does not ask for mail");
    shell.run(&["plugin", "inspect", "nothing"]).expect(1).says("no such plugin");
}

#[test]
fn copies_whose_time_is_over_are_gone_before_the_command_ends() {
    let shell = Shell::new();
    let folder = with_shelf(&shell);
    let change = ["destination", "change", "shelf", "--set", "keep=count", "--set", "count=2"];
    assert!(shell.run(&change).expect(0).out.contains("shelf was saved"));
    let create = || shell.run(&["backup", "create", "cofferdam", "--json"]).expect(0).json();
    let copy = |made: &serde_json::Value| {
        let location = made["deliveries"][0]["location"].as_str().expect("a location");
        std::path::PathBuf::from(format!("{folder}/{location}"))
    };
    let all = [create(), create(), create()];
    assert_eq!(all.each_ref().map(|made| copy(made).exists()), [false, true, true]);

    shell.run(&["destination", "change", "shelf", "--set", "count=1"]).expect(0);
    let told = shell.run(&["destination", "retention", "shelf", "--dry-run"]).expect(0).out;
    assert!(told.contains("would go") && told.contains("not the newest"), "{told}");
    assert!(copy(&all[1]).exists());
    shell.run(&["destination", "retention", "shelf"]).expect(1).says("--yes");
    let told =
        shell.run(&["destination", "retention", "shelf", "--yes", "--json"]).expect(0).json();
    assert_eq!(told["databases"][0]["goes"].as_array().map(Vec::len), Some(1), "{told}");
    assert_eq!(all.each_ref().map(|made| copy(made).exists()), [false, false, true]);
    let told = shell.run(&["destination", "retention", "shelf"]).expect(0).out;
    assert!(told.contains("Nothing at shelf has had its time"), "{told}");
    let shown = shell.run(&["backup", "show", all[1]["id"].as_str().expect("an id")]).expect(0).out;
    assert!(shown.contains("shelf: remove completed"), "{shown}");
}

#[test]
fn settings_are_tried_out_before_they_are_stored_and_the_last_test_is_kept() {
    let shell = Shell::new();
    shell.run(&["backup", "create", "cofferdam"]).expect(0);
    let folder = shell.path("shelf").display().to_string();
    let setting = format!("folder={folder}");
    let attempt = ["destination", "check", "--plugin", "local-retention", "--set", &setting];
    shell.run(&attempt).expect(2).says("grant this folder to it first");
    let attempt = [&attempt[..], &["--grant"]].concat();
    shell.run(&attempt).expect(1).says("does not work");
    fs::create_dir_all(&folder).expect("a folder");
    let told = shell.run(&attempt).expect(0).out;
    assert!(told.contains("may be written to"), "{told}");
    // Nothing of it was stored or granted.
    assert!(shell.run(&["destination", "list"]).expect(0).out.contains("no destination yet"));
    let plugin = shell.run(&["plugin", "inspect", "local-retention", "--json"]).expect(0).json();
    assert_eq!(plugin["grants"]["folder"], serde_json::Value::Null);

    with_shelf(&shell);
    let show = || shell.run(&["destination", "show", "shelf", "--json"]).expect(0).json();
    assert_eq!(show()["last_check"], serde_json::Value::Null);
    shell.run(&["destination", "check", "shelf"]).expect(0);
    assert_eq!(show()["last_check"]["ok"], true);
    let changed = ["destination", "check", "shelf", "--set", "keep=age", "--set", "days=3"];
    let told = shell.run(&changed).expect(0).out;
    assert!(told.contains("Kept are backups of 3 days"), "{told}");
    assert_eq!(show()["settings"]["keep"], "age-and-count");
    let text = shell.run(&["destination", "show", "shelf"]).expect(0).out;
    assert!(text.contains("it works: The folder may be written to"), "{text}");
    // Other settings have not been tested yet.
    shell.run(&["destination", "change", "shelf", "--set", "keep=age"]).expect(0);
    assert_eq!(show()["last_check"], serde_json::Value::Null);
}

#[test]
fn a_stored_secret_can_be_taken_away_and_a_notifier_told_of_what_it_tells() {
    let shell = Shell::new();
    let settings = r#"{ "url": "http://127.0.0.1:9/hook", "secret": "canary-1-canary-1-canary" }"#;
    let add = ["destination", "add", "webhook", "--name", "hook", "--settings", "-"];
    let add =
        [&add[..], &["--grant-private", "--tell", "backup.failed", "--at-once", "2"]].concat();
    shell.run_with(&add, settings).expect(0);
    let show = || shell.run(&["destination", "show", "hook", "--json"]).expect(0).json();
    let made = show();
    assert_eq!(made["secrets"], serde_json::json!(["secret"]));
    assert_eq!(made["events"], serde_json::json!(["backup.failed"]));
    assert_eq!((&made["concurrency"], &made["settings"]["events"]), (&2.into(), &().into()));
    shell.run(&["destination", "change", "hook", "--set", "method=PUT"]).expect(0);
    assert_eq!(show()["secrets"], serde_json::json!(["secret"]));
    shell.run(&["destination", "change", "hook", "--unset", "secret"]).expect(0);
    let now = show();
    assert_eq!(
        (&now["secrets"], &now["settings"]["method"]),
        (&serde_json::json!([]), &"PUT".into())
    );
    shell
        .run(&["destination", "change", "hook", "--unset", "url"])
        .expect(2)
        .says("this is needed");
    shell.run(&["destination", "test", "hook"]).expect(1).says("does not work");
}
